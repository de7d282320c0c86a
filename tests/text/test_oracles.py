"""The plain versions themselves: against hand-made values, Python's `re`, and what fastText and gensim answered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import real_data
from tests.oracles import tokens as oracle

# -- "words" ----------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_words_of_latin_1_are_those_of_a_regular_expression(text: str) -> None:
    expected = [token.encode() for token in re.findall(r"\w+|[^\w\s]", text.lower())]
    assert oracle.words(text.encode()) == expected


@given(st.text())
def test_words_lose_nothing_but_space(text: str) -> None:
    squeezed = "".join(text.split())
    assert len(b"".join(oracle.words(text.encode())).decode()) == len(squeezed)


ATTACHED = {
    # a run stays open behind a joiner; one other character, and what attaches to it, is closed for letters
    "می\u200cخواهم": ["می\u200cخواهم"],
    "a\ufe0fb": ["a\ufe0fb"],
    "!\ufe0fb": ["!\ufe0f", "b"],
    "東\U000e0100b": ["東\U000e0100", "b"],
    "👩\u200d👩\u200d👧": ["👩\u200d", "👩\u200d", "👧"],
    "👍🏽🏽a": ["👍🏽🏽", "a"],
    "1\ufe0f\u20e3": ["1\ufe0f\u20e3"],
    # nothing to attach to: a token of its own, which takes further ones and no letters
    "🏽": ["🏽"],
    "a 🏽\u200db": ["a", "🏽\u200d", "b"],
    "\u3000\ufe0f\ufe0f": ["\ufe0f\ufe0f"],
    # marks are word characters wherever they stand
    "か\u3099": ["か", "\u3099"],
    "!\u0301a": ["!", "\u0301a"],
    "a\u0301b": ["a\u0301b"],
}


@pytest.mark.parametrize("text", ATTACHED, ids=ascii)
def test_what_attaches(text: str) -> None:
    assert [token.decode() for token in oracle.words(text.encode())] == ATTACHED[text]


def test_code_points_decode_to_themselves() -> None:
    scalars = [*range(0, 0xD800, 7), *range(0xE000, 0x110000, 7)]  # the edges are in INVALID, below
    assert oracle.code_points("".join(map(chr, scalars)).encode()) == scalars


BAD = 0xFFFD
INVALID = {
    b"\x80": [BAD],
    b"\xc0\x80": [BAD] * 2,  # overlong
    b"\xc1\xbf": [BAD] * 2,
    b"\xe0\x9f\xbf": [BAD] * 3,
    b"\xf0\x8f\xbf\xbf": [BAD] * 4,
    b"\xed\xa0\x80": [BAD] * 3,  # the first surrogate
    b"\xed\xbf\xbf": [BAD] * 3,  # the last
    b"\xf4\x90\x80\x80": [BAD] * 4,  # U+110000
    b"\xf5\x80\x80\x80": [BAD] * 4,
    b"\xfe\xff": [BAD] * 2,
    b"\xf0\x9f\x91": [BAD] * 3,  # cut off at the end: each byte counts, unlike bytes.decode(errors="replace")
    b"\xf0\x9f\x91a": [BAD] * 3 + [0x61],
    b"\xe2\x82\xc3\xa9": [BAD, BAD, 0xE9],  # scanning goes on at the next byte
    b"\xc3\xe6\x9d\xb1": [BAD, 0x6771],
    b"\xc3\xa9\xa9": [0xE9, BAD],
    b"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf": [0xD7FF, 0xE000, 0x10FFFF],  # the valid neighbours
}


@pytest.mark.parametrize("text", INVALID, ids=ascii)
def test_invalid_bytes(text: bytes) -> None:
    assert oracle.code_points(text) == INVALID[text]


# -- fastText: values that fasttext-community 0.11.9 printed ----------------------------------------------------------

SEPARATED = {
    "a\tb\x0bc\x0cd\re\x00f": ["a", "b", "c", "d", "e", "f", "</s>"],
    "x\u00a0y\u3000z": ["x\u00a0y\u3000z", "</s>"],
    "": ["</s>"],
    "cat cat": ["cat", "cat", "</s>"],
}


@pytest.mark.parametrize("text", SEPARATED, ids=ascii)
def test_whitespace_is_get_line_of_fasttext(text: str) -> None:
    assert [token.decode() for token in oracle.whitespace(text.encode())] == SEPARATED[text]


def test_fnv1a_by_hand() -> None:
    start, prime = 0x811C9DC5, 0x01000193
    assert oracle.fnv1a(b"ab") == ((((start ^ 0x61) * prime) % 2**32 ^ 0x62) * prime) % 2**32 == 0x4D2505CA
    # 0x7F is the last byte that is not negative; 0x80 is -128, and turns over the upper 24 bits too
    assert oracle.fnv1a(b"\x7f") == ((start ^ 0x7F) * prime) % 2**32
    assert oracle.fnv1a(b"\x80") == ((start ^ 0xFFFFFF80) * prime) % 2**32


WORDS = ["</s>", "the", "cat", "sat", "naïve", "東京", "dog", "where", "был"]
SUBWORDS = {  # get_subwords with 9 words, minn=2, maxn=4, bucket=1000: n-grams and rows, the word itself left out
    "where": "<w 93 <wh 661 <whe 724 wh 715 whe 950 wher 630 he 263 her 429 here 820 er 455 ere 42 ere> 478 re 73 re> 507 e> 499",
    "naïve": "<n 664 <na 899 <naï 701 na 121 naï 555 naïv 413 aï 759 aïv 841 aïve 16 ïv 412 ïve 579 ïve> 557 ve 621 ve> 663 e> 499",
    "東京": "<東 1006 <東京 670 <東京> 178 東京 296 東京> 724 京> 722",
    "<": "<< 614 <<> 298 <> 376",
    "</s>": "",
    "a": "<a 759 <a> 609 a> 815",
    "был": "<б 17 <бы 273 <был 202 бы 191 был 428 был> 576 ыл 133 ыл> 295 л> 519",
    "é": "<é 636 <é> 240 é> 790",
}  # fmt: skip


@pytest.mark.parametrize("word", SUBWORDS)
def test_character_ngrams_are_those_of_fasttext(word: str) -> None:
    ngrams = oracle.char_ngrams(word.encode(), 2, 4)
    rows = [len(WORDS) + oracle.fnv1a(ngram) % 1000 for ngram in ngrams]
    found = [part for ngram, row in zip(ngrams, rows, strict=True) for part in (ngram.decode(), str(row))]
    assert " ".join(found) == SUBWORDS[word]


# Rows of whole lines: the mean of fastText's input vectors at these rows was its vector of the sentence, to 1e-6.
# Key: (word n-grams, minn, maxn, buckets, text).
LINES = {
    (1, 0, 0, 1000, "the unseen cat"): [1, 2, 0],
    (2, 0, 0, 1000, "the unseen cat"): [1, 2, 0, 534, 835, 991],
    (2, 0, 0, 1000, "был 東京 é"): [8, 5, 0, 545, 263, 757],
    (3, 0, 0, 999_983, "the unseen cat"): [1, 2, 0, 856629, 8886, 346242, 420032, 622223],
    (3, 0, 0, 999_983, "был 東京 é"): [8, 5, 0, 529745, 3204, 348042, 322857, 985968],
    (2, 1, 1, 77, "был 東京 é"): [8, 34, 39, 68, 5, 54, 65, 72, 0, 50, 69, 61],
    (3, 3, 5, 2048, "был 東京 é"): [8, 1057, 2018, 174, 764, 192, 287, 5, 198, 1602, 1164, 992, 0, 1113, 314, 1983, 532, 1405],
    (5, 0, 3, 50_000, "был 東京 é"): [
        8, 29017, 32273, 11187, 19191, 30428, 25262, 4133, 13295, 34997, 33519, 5, 10006, 23670, 23472, 30296, 13724, 28094, 33722,
        36636, 6240, 43786, 46790, 0, 27545, 43866, 36013, 43263, 45604, 9757,
    ],
}  # fmt: skip


@pytest.mark.parametrize("key", LINES, ids=ascii)
def test_rows_of_a_line_are_those_of_fasttext(key: tuple[int, int, int, int, str]) -> None:
    longest, min_n, max_n, n_buckets, text = key
    vocabulary = {word.encode(): i for i, word in enumerate(WORDS)}
    tokens = oracle.whitespace(text.encode())
    assert oracle.text_slots(tokens, vocabulary, n_buckets, longest, min_n, max_n) == LINES[key]


def test_word_ngrams_by_hand() -> None:
    prime, minus_one = 116049371, 2**64 - 1
    assert oracle.word_ngrams([1, 2, 3], 1) == []
    assert oracle.word_ngrams([5], 3) == []
    assert oracle.word_ngrams([1, 2, 3], 2) == [prime + 2, 2 * prime + 3]
    assert oracle.word_ngrams([1, 2, 3], 9) == [prime + 2, (prime + 2) * prime + 3, 2 * prime + 3]
    # hashes are signed: 0xFFFFFFFF is -1
    assert oracle.word_ngrams([0xFFFFFFFF, 0], 2) == [(minus_one * prime) % 2**64] == [2**64 - prime]
    assert oracle.word_ngrams([0, 0x80000000], 2) == [2**64 - 2**31]


def test_character_ngrams_equal_those_in_gensims_test_data() -> None:
    """A file of fastText's n-grams of six words, 3 to 6 characters long, each with its vector."""
    blocks = real_data("models/fb-ngrams.txt").read_text(encoding="utf-8").split("<start>\n")[1:]
    assert len(blocks) == 6
    for block in blocks:
        word, _, *rows = block.split("\n<end>")[0].split("\n")
        listed = [row.removesuffix(" ").rsplit(" ", 5)[0] for row in rows]
        assert [ngram.decode() for ngram in oracle.char_ngrams(word.encode(), 3, 6)] == listed
        assert listed
