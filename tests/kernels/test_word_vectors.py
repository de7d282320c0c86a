"""The kernel of word vectors against the oracle, and the tables that it draws from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lexigrad.kernels.sampling import ONE, alias_table, keep_chances
from lexigrad.kernels.word_vectors import DIVERGED, HOT, train_vectors
from lexigrad.losses.hierarchical_softmax import huffman_paths
from tests.oracles import word_vectors

RNG = np.random.default_rng(0)


class Run:
    """Sentences of distinct words over a small vocabulary; a word has a row of its own and `extra` n-gram rows that no other word has."""

    def __init__(
        self,
        *,
        n_words: int = 60,
        dim: int = 32,
        length: int = 25,
        sentences: int = 12,
        extra: int = 0,
        scale: float = 0.3,
    ) -> None:
        rng = np.random.default_rng([n_words, dim, length, extra])
        self.n_words, self.dim = n_words, dim
        self.sentences = [rng.permutation(n_words)[: rng.integers(1, length + 1)].tolist() for _ in range(sentences)]
        self.rows = [[word, *(n_words + extra * word + k for k in range(extra))] for word in range(n_words)]
        self.matrix = rng.normal(0, scale, (n_words * (1 + extra), dim)).astype(np.float32)
        self.output = rng.normal(0, scale, (n_words, dim)).astype(np.float32)
        self.weights = rng.uniform(0.1, 3, n_words)
        self.counts = np.sort(rng.integers(1, 1000, n_words))[::-1].copy()
        self.chances = np.full(n_words, ONE, np.uint64)
        self.totals = np.zeros(3)

    def arguments(self) -> tuple[Any, ...]:
        offsets = np.cumsum([0, *map(len, self.sentences)])
        ends = np.cumsum([0, *map(len, self.rows)])
        return (
            np.concatenate(self.sentences).astype(np.int32),
            offsets,
            np.concatenate(self.rows).astype(np.int32),
            ends,
        )

    def train(
        self, *, lr: float = 0.1, window: int = 5, dynamic: bool = True, negatives: int = 5, exact: bool = True, cbow: bool = False,
        hierarchical: bool = False,
    ) -> int:  # fmt: skip
        tokens, offsets, rows, row_ends = self.arguments()
        n = len(self.sentences)
        stride = -(-self.dim // 16) * 16
        matrix, output = (
            np.pad(array, ((0, more), (0, stride - self.dim)))
            for array, more in ((self.matrix, 0), (self.output, 1 + HOT))
        )
        centres = train_vectors(
            cbow, hierarchical, tokens, offsets, np.arange(n), 0, n, lr, 0, n, 7, self.chances, rows, row_ends, exact, matrix.reshape(-1),
            output.reshape(-1), self.n_words, stride, self.n_words * stride, window, dynamic, negatives, *alias_table(self.weights),
            *huffman_paths(self.counts), 100, self.totals,
        )  # fmt: skip
        assert not matrix[:, self.dim :].any()
        assert not output[:, self.dim :].any()
        assert not output[self.n_words].any()
        self.matrix, self.output = matrix[:, : self.dim], output[: self.n_words, : self.dim]
        return int(centres)

    def expected(
        self, *, lr: float = 0.1, window: int = 5, dynamic: bool = True, negatives: int = 5, exact: bool = True, cbow: bool = False,
        hierarchical: bool = False,
    ) -> tuple[Any, ...]:  # fmt: skip
        matrix, output = self.matrix.astype(float), self.output.astype(float)
        nodes, turns, ends = huffman_paths(self.counts)
        paths = [list(zip(nodes[a:b].tolist(), turns[a:b].tolist(), strict=True)) for a, b in pairwise(ends)]
        losses = word_vectors.train(
            self.sentences, lr, 7, self.chances, self.rows, exact, matrix, output, window, dynamic, negatives, *alias_table(self.weights),
            cbow=cbow, paths=paths if hierarchical else None,
        )  # fmt: skip
        return matrix, output, losses


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"window": 1},
        {"window": 11, "dynamic": False},
        {"negatives": 0},
        {"negatives": 2},
        {"negatives": 13},
        {"negatives": 30},
        {"cbow": True},
        {"cbow": True, "window": 2, "dynamic": False, "negatives": 8},
        {"hierarchical": True},
        {"cbow": True, "hierarchical": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "made", [{}, {"extra": 3}, {"dim": 100, "length": 8}, {"n_words": 3, "dim": 16}, {"length": 60}], ids=str
)
def test_training_equals_the_oracle(made: dict[str, Any], settings: dict[str, Any]) -> None:
    run = Run(**made)
    matrix, output, losses = run.expected(**settings)
    before = run.matrix.copy()
    assert run.train(**settings) == len(losses)
    np.testing.assert_allclose(run.matrix, matrix, atol=3e-5)
    np.testing.assert_allclose(run.output, output, atol=3e-5)
    assert np.abs(run.matrix - before).max() > 0.01 or not losses
    assert run.totals[1] == len(run.sentences)


def test_a_word_in_the_window_twice_moves_its_row_twice() -> None:
    """Its two vectors do not see each other's movement: equal to the oracle up to the square of the step."""
    run = Run(n_words=3, dim=16, sentences=1)
    run.sentences = [[0, 1, 0]]
    lr = 1e-4
    start = run.matrix.copy()
    matrix, _, _ = run.expected(lr=lr, window=2, dynamic=False)
    run.train(lr=lr, window=2, dynamic=False)
    assert np.abs(matrix - start).max() > 0.5 * lr
    np.testing.assert_allclose((run.matrix - start) / lr, (matrix - start) / lr, atol=0.005)


def test_every_word_of_the_mean_moves_by_the_whole_step_on_request() -> None:
    """As word2vec's CBOW does it: m words in the window move m times as far."""
    settings: dict[str, Any] = {"cbow": True, "window": 3, "dynamic": False}
    for exact in (True, False):
        run = Run()
        matrix, output, _ = run.expected(**settings, exact=exact)
        run.train(**settings, exact=exact)
        np.testing.assert_allclose(run.matrix, matrix, atol=3e-5)
        np.testing.assert_allclose(run.output, output, atol=3e-5)


def test_every_row_moves_by_the_whole_step_on_request() -> None:
    """As fastText does it: with n rows the vector moves n times as far. The row's movements agree while the vector's own are small."""
    run = Run(extra=2, sentences=1, length=4)
    matrix, _, _ = run.expected(lr=1e-4, exact=False)
    start = run.matrix.copy()
    run.train(lr=1e-4, exact=False)
    moved = np.abs(matrix - start) > 1e-6
    np.testing.assert_allclose((run.matrix - start)[moved], (matrix - start)[moved], rtol=0.01, atol=1e-7)
    shared = Run(extra=2, sentences=1, length=4)
    shared.train(lr=1e-4)
    np.testing.assert_allclose((run.matrix - start)[moved], 3 * (shared.matrix - start)[moved], rtol=0.01, atol=2e-7)


def test_the_loss_that_is_reported() -> None:
    run = Run(sentences=1, length=30, n_words=40)
    run.sentences = [list(range(30))]
    _, _, losses = run.expected()
    run.train()
    assert run.totals[0] == pytest.approx(losses[0], rel=1e-5)


def test_sub_sampling_drops_words() -> None:
    run = Run()
    run.chances[::2] = 0
    _, _, losses = run.expected()
    before = run.matrix.copy()
    assert run.train() == len(losses)
    np.testing.assert_array_equal(run.matrix[::2], before[::2])
    assert (run.matrix[1::2] != before[1::2]).any()


def test_divergence_is_seen() -> None:
    run = Run(scale=1e10)
    assert run.train() == DIVERGED


@pytest.mark.parametrize("weights", [[1.0], [1, 1, 1], [1, 0, 5, 0.1], RNG.exponential(1, 1000) ** 3])
def test_alias_table_gives_each_index_its_chance(weights: Any) -> None:
    weights = np.array(weights, float)
    sides, aliases = alias_table(weights)
    of_column = (sides.astype(float) + (sides == 0xFFFFFFFF)) / 2**32
    chances = np.bincount(np.arange(len(weights)), of_column, len(weights)) + np.bincount(
        aliases, 1 - of_column, len(weights)
    )
    np.testing.assert_allclose(chances / len(weights), weights / weights.sum(), atol=1e-9)


def test_chances_of_being_kept() -> None:
    counts = np.array([900, 99, 1, 0])
    chances = keep_chances(counts, 0.01) / ONE
    expected = [min(1, np.sqrt(0.01 / f) + 0.01 / f) for f in (0.9, 0.099, 0.001)]
    np.testing.assert_allclose(chances, [*expected, 1], rtol=1e-9)
    assert (keep_chances(counts, 0.0) == ONE).all()
