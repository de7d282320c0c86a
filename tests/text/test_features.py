"""Corpus and features against plain dictionaries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lexigrad.text.corpus import Corpus, read_corpus
from lexigrad.text.features import encode_corpus, fitted_buckets
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import WORDS
from tests.oracles import tokens as oracle

RNG = np.random.default_rng(7)
LEXICON = ["the", "a", "of", "naïve", "東", "x1", "new", "york", "film", *[f"w{i}" for i in range(60)]]
TEXTS = [" ".join(RNG.choice(LEXICON, RNG.integers(0, 12))) for _ in range(300)]
LABELS = [f"l{i}" for i in RNG.integers(0, 5, 300)]


def corpus_of(threads: int, batch_bytes: int = 200) -> Corpus:
    return read_corpus(read_texts(TEXTS, LABELS, batch_bytes=batch_bytes), WORDS, threads)


def test_corpus_is_the_text() -> None:
    corpus = corpus_of(2)
    words = [corpus.vocabulary[i] for i in range(len(corpus.vocabulary))]
    for i, text in enumerate(TEXTS):
        ids = corpus.tokens[corpus.token_offsets[i] : corpus.token_offsets[i + 1]]
        assert [words[j] for j in ids] == oracle.words(text.encode())
        assert [corpus.labels[j] for j in corpus.label_ids[corpus.label_offsets[i] : corpus.label_offsets[i + 1]]] == [
            LABELS[i]
        ]
    assert np.all(np.diff(corpus.vocabulary.counts) <= 0)
    assert corpus.vocabulary.counts.sum() == corpus.n_tokens == sum(len(oracle.words(t.encode())) for t in TEXTS)


def test_corpus_depends_neither_on_threads_nor_on_batches() -> None:
    one, other = corpus_of(1, 1 << 20), corpus_of(3, 64)
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_array_equal(one.vocabulary.arena, other.vocabulary.arena)
    np.testing.assert_array_equal(one.label_ids, other.label_ids)


SETTINGS = [
    {"min_count": 1, "word_ngrams": 1, "min_n": 0, "max_n": 0, "buckets": None},
    {"min_count": 1, "word_ngrams": 2, "min_n": 0, "max_n": 0, "buckets": None},
    {"min_count": 3, "word_ngrams": 3, "min_n": 2, "max_n": 4, "buckets": 1000},
    {"min_count": 50, "word_ngrams": 1, "min_n": 0, "max_n": 3, "buckets": 64},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("threads", [1, 3])
def test_rows_and_shares_are_those_of_the_features(settings: dict[str, int], threads: int) -> None:
    corpus = corpus_of(2)
    space, encoded = encode_corpus(corpus, **settings, threads=threads)
    vocabulary = {corpus.vocabulary[i]: i for i in range(space.n_words)}
    assert all(corpus.vocabulary.counts[i] >= settings["min_count"] for i in range(space.n_words))
    assert space.n_words == int((corpus.vocabulary.counts >= settings["min_count"]).sum())
    uses = []
    for i, text in enumerate(TEXTS):
        slots = oracle.text_slots(
            oracle.words(text.encode()),
            vocabulary,
            space.n_buckets,
            settings["word_ngrams"],
            settings["min_n"],
            settings["max_n"],
        )
        uses.append(slots)
        rows = encoded.rows[encoded.starts[i] : encoded.stops[i]]
        shares = encoded.shares[encoded.starts[i] : encoded.stops[i]]
        expected = np.zeros(len(space.members))
        for slot in slots:
            expected[space.slot_rows[slot]] += 1 / len(slots)
        expected /= np.sqrt(space.members)
        assert len(set(rows.tolist())) == len(rows)
        np.testing.assert_allclose(shares, expected[rows], rtol=1e-6)
        assert set(rows.tolist()) == set(np.flatnonzero(expected).tolist())
    _check_sharing(space.slot_rows, space.members, uses)


def _check_sharing(slot_rows: np.ndarray, members: np.ndarray, uses: list[list[int]]) -> None:
    """Two slots share a row exactly if they occur in the same texts equally often; unused slots have none."""
    profile: dict[int, tuple[int, ...]] = {}
    for text, slots in enumerate(uses):
        for slot in slots:
            profile[slot] = (*profile.get(slot, ()), text)
    assert sorted(profile) == np.flatnonzero(slot_rows >= 0).tolist()
    by_row: dict[int, set[tuple[int, ...]]] = {}
    for slot, texts in profile.items():
        by_row.setdefault(int(slot_rows[slot]), set()).add(texts)
    assert all(len(profiles) == 1 for profiles in by_row.values())
    profiles = list(itertools.chain(*by_row.values()))
    assert len(set(profiles)) == len(profiles)
    np.testing.assert_array_equal(members, np.bincount(slot_rows[slot_rows >= 0], minlength=len(members)))
    lengths = [len(next(iter(by_row[row]))) for row in range(len(by_row))]
    assert lengths == sorted(lengths, reverse=True)


def test_fitted_buckets() -> None:
    assert fitted_buckets(0, 4096) == 1024
    assert fitted_buckets(1000, 1 << 22) == 4096
    assert fitted_buckets(1 << 22, 1 << 22) == 1 << 22
    for distinct in (3_000, 50_000):
        n = 1 << 18
        occupied = len(np.unique(RNG.integers(0, n, distinct)))
        assert fitted_buckets(occupied, n) == min(n, 1 << int(np.ceil(np.log2(4 * distinct))))
