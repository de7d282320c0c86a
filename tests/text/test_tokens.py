"""The tokenising kernels against the plain version, and known values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexigrad.models.explanation import list_tokens
from lexigrad.text.ngrams import character_ngrams
from lexigrad.text.tokens import WHITESPACE, WORDS
from lexigrad.text.unicode import UNICODE_VERSION, load_table, table_version
from lexigrad.text.vocabulary import Vocabulary
from tests.oracles import tokens as oracle


def tokens_of(tokenizer: int, text: bytes) -> list[bytes]:
    data, no_prefix = np.frombuffer(text, np.uint8), np.empty(0, np.uint8)
    arena, offsets, hashes, _ = list_tokens(tokenizer, data, load_table(), no_prefix)
    found = [arena[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    assert hashes.tolist() == [oracle.fnv1a(token) for token in found]
    return found


KNOWN_WORDS = {
    "Don't go, U.S. 3.14 naïve": "don ' t go , u . s . 3 . 14 naïve",
    "ÉCOLE": "école",
    "नमस्ते दुनिया": "नमस्ते दुनिया",
    "東京タワーへ": "東 京 タ ワ ー へ",
    "a_b\tc": "a_b c",
    "👍🏽!": "👍🏽 !",
    "❤️ok": "❤️ ok",
    "👩‍💻": "👩‍ 💻",
    "می‌خواهم": "می‌خواهم",
    "İstanbul ΣΑΣ": "istanbul σασ",
    "x東y": "x 東 y",
    "\u200dab": "\u200d ab",
    "": "",
    " \n\u00a0\u3000": "",
    "$5.00": "$ 5 . 00",
}


@pytest.mark.parametrize("text", KNOWN_WORDS)
def test_words_known(text: str) -> None:
    expected = [token.encode() for token in KNOWN_WORDS[text].split(" ") if token]
    assert tokens_of(WORDS, text.encode()) == expected
    assert oracle.words(text.encode()) == expected


KNOWN_WHITESPACE = {
    b"": [b"</s>"],
    b"a b": [b"a", b"b", b"</s>"],
    b"a b\n": [b"a", b"b", b"</s>"],
    b"a\nb": [b"a", b"</s>", b"b", b"</s>"],
    b"\n\n": [b"</s>", b"</s>"],
    b" A,\tb\0c\r\n": [b"A,", b"b", b"c", b"</s>"],
    "x\u00a0y\u3000z".encode(): ["x\u00a0y\u3000z".encode(), b"</s>"],
    b"\xff\xfe": [b"\xff\xfe", b"</s>"],
}


@pytest.mark.parametrize("text", KNOWN_WHITESPACE)
def test_whitespace_known(text: bytes) -> None:
    assert tokens_of(WHITESPACE, text) == KNOWN_WHITESPACE[text]
    assert oracle.whitespace(text) == KNOWN_WHITESPACE[text]


def test_invalid_bytes_are_replaced_one_by_one() -> None:
    # overlong, surrogate, beyond U+10FFFF, cut off, stray continuation
    for bad in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
        assert tokens_of(WORDS, b"a" + bad + b"b") == [b"a", *["\ufffd".encode()] * len(bad), b"b"]


PIECES = st.sampled_from(
    [*"aZé ß_9'.\n\t東カー한👍🏽\u200d\u200c\ufe0f\u0301İ\0", "👩‍💻", "\ud7ff", "\U0010ffff", "</s>", "  "]
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode()),
        st.text().map(str.encode),
    )
)
def test_kernels_equal_the_oracle(text: bytes) -> None:
    assert tokens_of(WORDS, text) == oracle.words(text)
    assert tokens_of(WHITESPACE, text) == oracle.whitespace(text)


def test_hash_known_values() -> None:
    # 32-bit FNV-1a of ASCII is the published one; bytes from 0x80 up are sign-extended
    assert oracle.fnv1a(b"") == 0x811C9DC5
    assert oracle.fnv1a(b"a") == 0xE40C292C
    assert oracle.fnv1a(b"foobar") == 0xBF9CF968
    assert oracle.fnv1a(b"\xe9") == ((0x811C9DC5 ^ 0xFFFFFFE9) * 16777619) % 2**32


def test_character_ngrams_known() -> None:
    expected = [b"<w", b"<wh", b"wh", b"whe", b"he", b"he>", b"e>"]
    assert oracle.char_ngrams(b"whe", 2, 3) == expected
    assert oracle.char_ngrams("é".encode(), 1, 2) == ["<é".encode(), "é".encode(), "é>".encode()]
    assert oracle.char_ngrams(b"</s>", 1, 3) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=5), st.integers(0, 3), st.integers(1, 5))
def test_character_ngrams_equal_the_oracle(words: list[bytes], min_n: int, max_n: int) -> None:
    vocabulary = Vocabulary.from_strings(words)
    values, starts = character_ngrams(vocabulary.arena, vocabulary.offsets, min_n, max(min_n, max_n))
    for i, word in enumerate(words):
        expected = [oracle.fnv1a(ngram) for ngram in oracle.char_ngrams(word, min_n, max(min_n, max_n))]
        assert values[starts[i] : starts[i + 1]].tolist() == expected


def test_table_version() -> None:
    assert table_version() == UNICODE_VERSION
