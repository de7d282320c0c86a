"""Reading a text in phases, against the tokens and n-grams of `explain`, which take one step after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

import lexigrad
from lexigrad.kernels import reading
from lexigrad.text.batches import TextBatch
from lexigrad.text.vocabulary import Vocabulary, find_words

WORDS = [
    "a",
    "bb",
    "tea",
    "leaves",
    "in",
    "hotwater",
    "a-word-of-more",
    "a-word-of-more-than-sixteen",
    "naïve",
    "</s>",
    "Über",
]


@pytest.fixture(scope="module", params=["whitespace", "words"])
def clf(request: pytest.FixtureRequest) -> lexigrad.TextClassifier:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(200)]
    labels = ["1" if "tea" in text else "0" for text in texts]
    return lexigrad.TextClassifier(
        dim=4, epochs=3, word_ngrams=3, min_n=2, max_n=3, threads=1, tokenizer=request.param
    ).fit(texts, labels)


PIECES = st.lists(
    st.sampled_from([*WORDS, " ", "\n", "\t", "\0", "  ", "\n\n", "x" * 70, "é", "東京", "👍🏽", "__label__a"]),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(pieces=PIECES, glue=st.sampled_from([" ", ""]))
def test_any_text_is_read_as_explain_reads_it(clf: lexigrad.TextClassifier, pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    told = clf.explain(text)
    assert clf.fitted.score(batch_of([text.encode()]), 0, 1)[2][0] == told.known
    np.testing.assert_allclose(clf.predict_proba([text])[0], told.probs, atol=2e-6)


@settings(max_examples=60, deadline=None)
@given(content=st.lists(st.binary(max_size=90), min_size=1, max_size=9))
def test_texts_do_not_disturb_one_another(clf: lexigrad.TextClassifier, content: list[bytes]) -> None:
    together = clf.fitted.score(batch_of(content), 0, 1)
    for i, one in enumerate(content):
        alone = clf.fitted.score(batch_of([one]), 0, 1)
        np.testing.assert_array_equal(together[1][i], alone[1][0])
        assert together[2][i] == alone[2][0]


def batch_of(texts: list[bytes]) -> TextBatch:
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return TextBatch(np.frombuffer(b"".join(texts), np.uint8), offsets, None, "texts", np.arange(len(texts)))


@njit
def run_bucket_by(value, n_buckets):
    return reading.bucket_by(value, n_buckets, reading.reciprocal_of(n_buckets))


@pytest.mark.parametrize("n_buckets", [1, 2, 3, 1000, 1 << 20, 2_000_000, 2**31 - 1])
def test_buckets_without_a_division(n_buckets: int) -> None:
    edges = [0, 1, n_buckets - 1, n_buckets, 2**63, 2**64 - 1, 2**64 // n_buckets * n_buckets - 1]
    for value in [*edges, *np.random.default_rng(0).integers(0, 2**63, 200).tolist()]:
        assert run_bucket_by(np.uint64(value % 2**64), n_buckets) == value % 2**64 % n_buckets


@njit
def run_find_words(slots, arena, offsets, keys, bounds, hashes, n, ids):
    find_words(slots, arena, offsets, keys, bounds, hashes, n, ids)


def test_words_of_any_length_and_of_one_hash_are_found() -> None:
    """With hashes made equal, words are told apart by their bytes alone, in an arena that ends with the last word."""
    rng = np.random.default_rng(3)
    known = sorted({bytes(rng.integers(97, 100, length).astype(np.uint8)) for length in range(1, 40) for _ in range(4)})
    rng.shuffle(known)
    words = Vocabulary.from_strings(known)
    for same in (False, True):
        hashes = np.full(len(known), 77, np.uint32) if same else words.hashes
        slots = np.zeros(1024, np.uint64)
        for i, value in enumerate(hashes.tolist()):
            mixed = value * 0x9E3779B1 % 2**32
            slot = (mixed ^ mixed >> 16) & 1023
            while slots[slot]:
                slot = (slot + 1) & 1023
            slots[slot] = value << 32 | i + 1
        asked = [*known, *(word[:-1] + b"~" for word in known), *(word + b"~" for word in known)]
        keys = np.frombuffer(b" ".join(asked) + bytes(8), np.uint8)
        ends = np.cumsum([len(word) + 1 for word in asked]) - 1
        bounds = np.stack([ends - [len(word) for word in asked], ends], axis=1).astype(np.int32).reshape(-1)
        own = Vocabulary.from_strings(asked).hashes
        ids = np.empty(len(asked), np.int32)
        run_find_words(
            slots, words.arena, words.offsets, keys, bounds, np.full_like(own, 77) if same else own, len(asked), ids
        )
        positions = {word: i for i, word in enumerate(known)}
        assert ids.tolist() == [positions.get(word, -1) for word in asked]


def test_a_single_bucket_takes_all_ngrams() -> None:
    """Half of all hashes are 2^31 or more: their quotient by one bucket does not fit in 32 bits with a sign."""
    texts = ["tea leaves in", "hotwater a bb"] * 20
    clf = lexigrad.TextClassifier(dim=4, epochs=2, buckets=1, min_n=2, max_n=4, threads=1).fit(texts, ["a", "b"] * 20)
    for text in texts[:2]:
        np.testing.assert_allclose(clf.predict_proba([text])[0], clf.explain(text).probs, atol=2e-6)


@pytest.mark.parametrize("text", ["\n" * 400, "\n" * 31 + "tea", "\0" * 400, "tea\n" * 99])
def test_many_newlines(text: str) -> None:
    """Each is the token </s>, of four bytes."""
    texts = ["tea leaves\n", "hotwater a bb"] * 20
    clf = lexigrad.TextClassifier(dim=4, word_ngrams=2, tokenizer="whitespace", threads=1).fit(texts, ["a", "b"] * 20)
    told = clf.explain(text)
    assert set(told.tokens) <= {"</s>", "tea", "</s> </s>", "tea </s>", "</s> tea"}
    np.testing.assert_allclose(clf.predict_proba([text])[0], told.probs, atol=2e-6)
