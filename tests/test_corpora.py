"""The generated text of the benchmarks is what `benchmarks.corpora` says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from benchmarks.corpora import N_TOKENS, N_WORDS, Zipf, table_of
from numpy.typing import NDArray

N = 400


@dataclass(frozen=True)
class Drawn:
    zipf: Zipf
    tokens: list[list[str]]
    ranks: NDArray[np.int64]  # (N, N_TOKENS), from 1
    good: NDArray[np.bool_]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    zipf = Zipf(5)
    texts, good = zipf.documents(N)
    tokens = [text.split(" ") for text in texts.to_pylist()]
    places = {word: i + 1 for i, word in enumerate(zipf.words.to_pylist())}
    return Drawn(zipf, tokens, np.array([[places[token] for token in row] for row in tokens]), good)


def test_documents_have_600_tokens_of_natural_length(drawn: Drawn) -> None:
    words = drawn.zipf.words.to_pylist()
    assert drawn.ranks.shape == (N, N_TOKENS)
    assert len(set(words)) == N_WORDS
    assert np.mean([len(word) for word in words]) == pytest.approx(8.4, abs=0.1)
    assert np.mean([len(token) for row in drawn.tokens for token in row]) == pytest.approx(5.4, abs=0.1)


def test_octaves_of_ranks_follow_zipf(drawn: Drawn) -> None:
    found = np.bincount(np.log2(drawn.ranks).astype(int).reshape(-1), minlength=N_WORDS.bit_length())
    mass = 1 / np.arange(1, N_WORDS + 1)
    starts = 2 ** np.arange(N_WORDS.bit_length()) - 1
    expected = np.add.reduceat(mass, starts) / mass.sum() * drawn.ranks.size
    assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


def test_orders_of_words_tell_the_classes_apart(drawn: Drawn) -> None:
    place_of = np.empty(N_WORDS, np.int64)
    place_of[drawn.zipf.other] = np.arange(N_WORDS)
    evidence = np.log((place_of[drawn.ranks - 1] + 1) / drawn.ranks).mean(axis=1)
    middle = (evidence[drawn.good].mean() + evidence[~drawn.good].mean()) / 2
    right = np.mean((evidence > middle) == drawn.good)
    assert 0.4 < drawn.good.mean() < 0.6
    assert 0.8 < right < 1.0


def test_seeds_draw_other_documents_of_the_same_words() -> None:
    one, again, other = Zipf(1), Zipf(1), Zipf(2)
    assert one.documents(3)[0].equals(again.documents(3)[0])
    assert one.words.equals(other.words)
    assert not one.documents(3)[0].equals(other.documents(3)[0])


def test_tables_have_lines_ids_and_addresses() -> None:
    table = table_of(Zipf(3), 20, first=100, name="block")
    assert table.column_names == ["id", "url", "text"]
    assert [text.count("\n") for text in table["text"].to_pylist()] == [5] * 20
    assert {len(text.split()) for text in table["text"].to_pylist()} == {N_TOKENS}
    assert len(set(table["id"].to_pylist())) == 20
    assert table["id"][0].as_py() == "block-000000000100"
