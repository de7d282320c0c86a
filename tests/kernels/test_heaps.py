"""The likeliest labels by a heap, against sorting; ties are held by the original's answers (tests/compat)."""

from __future__ import annotations

import numpy as np
import pytest

from lexigrad.kernels.heaps import likeliest
from lexigrad.losses.fasttext import OFFSET, in_order, to_steps
from lexigrad.machine.compiler import kernel
from lexigrad.machine.intrinsics import LANES
from lexigrad.maths.pointwise import sigmoid_loop


@kernel()
def likeliest_of(probs, order, threshold, k, ids, values):  # type: ignore[no-untyped-def]
    lanes = np.zeros(probs.size * LANES, np.float32)
    for i in range(probs.size):
        lanes[i * LANES] = probs[i]
    keys, places = np.empty(k + 1, np.float32), np.empty(k + 1, np.int32)
    likeliest(lanes, probs.size, 0, order, threshold, k, keys, places, ids, values, 0)


@kernel()
def steps_in(lanes, n, known, output, stride, hidden, size, dim):  # type: ignore[no-untyped-def]
    to_steps(lanes, n, known, known.size, output, stride, hidden, size, dim)
    sigmoid_loop(lanes, lanes, 0, n * LANES)


@kernel()
def sum_in_order(output, hidden):  # type: ignore[no-untyped-def]
    return in_order(output, 0, hidden, 0, output.size)


def steps_of(scores: np.ndarray) -> np.ndarray:
    """Return the steps of scores of the first lane, each made from one number."""
    lanes, hidden = np.zeros(len(scores) * LANES, np.float32), np.ones(LANES, np.float32)
    lanes[::LANES] = scores
    steps_in(lanes, len(scores), np.ones(1, np.int64), scores.astype(np.float32), 1, hidden, 1, 1)
    return lanes[::LANES].copy()


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


def test_near_the_edge_of_a_step_a_score_is_added_up_in_order() -> None:
    rng = np.random.default_rng(3)
    output, hidden = rng.normal(size=(2, 301)).astype(np.float32)
    total = np.cumsum(output * hidden, dtype=np.float32)[-1]
    assert sum_in_order(output, hidden) == total
    lanes = np.zeros(3 * LANES, np.float32)
    lanes[0::LANES] = 0.25 - 1e-6, 0.25 - 0.01, 20.0
    weights = np.array([0.25, 7.0, 0.25], np.float32)
    lanes[1] = lanes[2] = 0.25 - 1e-6
    steps_in(lanes, 3, np.array([1, 0]), weights, 1, np.ones(LANES, np.float32), 1, 1)
    np.testing.assert_allclose(lanes[1:3], 1 / (1 + np.exp(-0.21875)), rtol=1e-6)  # nothing known, and no text
    starts = 0.25, 0.21875, 99.0  # only the first is added up anew, from 0.25 * 1
    np.testing.assert_allclose(lanes[0::LANES], 1 / (1 + np.exp(-np.array(starts))), rtol=1e-6)
