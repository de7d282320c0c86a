"""The likeliest labels by a heap, against sorting; ties are held by the original's answers (tests/compat)."""

from __future__ import annotations

import numpy as np
import pytest

from lexigrad.compat.fasttext.prediction import steps_of
from lexigrad.kernels.heaps import likeliest_of
from lexigrad.losses.fasttext import OFFSET


def best(
    probs: np.ndarray, k: int, threshold: float = 0.0, order: np.ndarray | None = None
) -> tuple[list[int], np.ndarray]:
    ids, values = np.empty(k, np.int32), np.empty(k, np.float32)
    order = np.arange(len(probs), dtype=np.int32) if order is None else order
    likeliest_of(probs.astype(np.float32), order, threshold, k, ids, values)
    return ids.tolist(), values


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_the_best_are_those_that_sorting_finds(n: int) -> None:
    rng = np.random.default_rng(n)
    for k in {1, 2, n // 2 + 1, n}:
        if k > n:
            continue
        probs = rng.permutation(np.linspace(0.01, 0.99, n))
        order = rng.permutation(n).astype(np.int32)
        ids, values = best(probs, k, order=order)
        assert ids == np.argsort(-probs)[:k].tolist()
        np.testing.assert_allclose(values, np.sort(probs)[::-1][:k] + OFFSET, rtol=1e-6)


def test_what_is_below_the_threshold_is_left_out() -> None:
    ids, values = best(np.array([0.2, 0.5, 0.3]), 3, 0.25)
    assert ids == [1, 2, -1]
    assert values[2] == 0
    assert best(np.array([0.2, 0.5, 0.3]), 2, 0.6)[0] == [-1, -1]


def test_of_equals_the_last_stays_in_front() -> None:
    assert best(np.full(5, 0.25), 1)[0] == [4]
    assert sorted(best(np.full(5, 0.25), 3)[0]) != [0, 1, 2]
    assert sorted(best(np.full(5, 0.25), 5)[0]) == [0, 1, 2, 3, 4]


def test_the_table_has_steps() -> None:
    scores = np.array([-9, -8.001, -8, -7.99, -0.001, 0, 0.03, 0.0313, 7.999, 8, 8.001], np.float32)
    starts = np.floor((scores.astype(np.float64) + 8) * 32) / 32 - 8
    expected = np.where(scores < -8, 0, np.where(scores > 8, 1, 1 / (1 + np.exp(-starts))))
    np.testing.assert_allclose(steps_of(scores), expected, rtol=1e-6)
    assert np.abs(steps_of(scores) - 1 / (1 + np.exp(-scores.astype(np.float64)))).max() < 0.0079
