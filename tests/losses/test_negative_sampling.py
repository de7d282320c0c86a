"""Negative sampling: the steps against the formula in float64, and the move against the numeric gradient of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from lexigrad import log1pexp
from lexigrad.losses.negative_sampling import GROUP, OUTPUTS, apply_steps, pair_loss, pair_steps

LABELS = np.tile(np.array([1, 0, 0, 0, 0, 0, 0, 0], np.float32), 2)


@njit
def move(inputs, starts, scales, n, outputs, output_starts, weights, scores, steps, dim, lr):
    pair_steps(inputs, starts, n, outputs, output_starts, LABELS, weights, scores, steps, dim, lr)
    apply_steps(inputs, starts, scales, n, outputs, output_starts, steps, dim)


@njit
def losses(scores, label):
    return np.array([pair_loss(score, label) for score in scores])


def loss(h: Any, o: Any, weights: Any) -> float:
    s = h @ o.T
    s[:, 0] *= -1
    return float((log1pexp(s) * weights).sum())


class Case:
    """Rows of a matrix in no order, of which some are inputs and outputs."""

    def __init__(self, n: int, dim: int, scale: float = 0.3) -> None:
        rng = np.random.default_rng([n, dim])
        self.n, self.dim, self.stride = n, dim, dim + 16
        self.inputs = rng.normal(0, scale, 40 * self.stride).astype(np.float32)
        self.outputs = rng.normal(0, scale, 40 * self.stride).astype(np.float32)
        self.starts = rng.permutation(40)[:n].astype(np.int64) * self.stride
        self.output_starts = rng.permutation(40)[:OUTPUTS].astype(np.int64) * self.stride
        self.scales = np.ones(n, np.float32)
        self.weights = np.array([1, 2, 1, 0, 1, 1, 0, 0], np.float32)
        self.scores, self.steps = (np.full(n * GROUP, np.nan, np.float32) for _ in range(2))

    def rows(self) -> tuple[Any, Any]:
        h = np.stack([self.inputs[start : start + self.dim] for start in self.starts])
        o = np.stack([self.outputs[start : start + self.dim] for start in self.output_starts])
        return h.astype(float), o.astype(float)

    def move(self, lr: float) -> None:
        move(
            self.inputs, self.starts, self.scales, self.n, self.outputs, self.output_starts, np.tile(self.weights, 2), self.scores,
            self.steps, self.dim, np.float32(lr),
        )  # fmt: skip


@pytest.mark.parametrize("dim", [16, 32, 48, 112])
@pytest.mark.parametrize("n", [2, 4, 10])
def test_scores_steps_and_move(n: int, dim: int) -> None:
    case = Case(n, dim)
    case.scales[1] = 0.25
    h, o = case.rows()
    others = case.inputs.copy(), case.outputs.copy()
    case.move(0.05)
    exact = h @ o.T
    np.testing.assert_allclose(case.scores.reshape(n, GROUP)[:, :OUTPUTS], exact, atol=1e-5)
    labels, weights = LABELS[:OUTPUTS].astype(float), case.weights[:OUTPUTS].astype(float)
    steps = 0.05 * weights * (labels - 1 / (1 + np.exp(-exact)))
    np.testing.assert_allclose(case.steps.reshape(n, GROUP)[:, :OUTPUTS], steps, atol=1e-7)
    assert not case.steps.reshape(n, GROUP)[:, OUTPUTS:].any()
    after_h, after_o = case.rows()
    np.testing.assert_allclose(after_h, h + case.scales[:, None] * (steps @ o), atol=1e-6)
    np.testing.assert_allclose(after_o, o + steps.T @ h, atol=1e-6)
    for array, before, starts in zip(
        (case.inputs, case.outputs), others, (case.starts, case.output_starts), strict=True
    ):
        touched = np.zeros(array.size, bool)
        for start in starts:
            touched[start : start + dim] = True
        np.testing.assert_array_equal(array[~touched], before[~touched])


def test_the_move_is_the_numeric_gradient() -> None:
    case = Case(4, 16)
    h, o = case.rows()
    weights = case.weights[:OUTPUTS].astype(float)
    lr, step = 1e-2, 1e-5
    case.move(lr)
    for before, after in zip((h, o), case.rows(), strict=True):
        for place in np.ndindex(*before.shape):
            kept = before[place]
            around = []
            for sign in (1, -1):
                before[place] = kept + sign * step
                around.append(loss(h, o, weights))
            before[place] = kept
            slope = (around[0] - around[1]) / (2 * step)
            assert after[place] - kept == pytest.approx(-lr * slope, abs=2e-7)


def test_a_weight_of_zero_leaves_its_row() -> None:
    case = Case(2, 32)
    before = case.rows()[1]
    case.move(0.5)
    np.testing.assert_array_equal(case.rows()[1][3], before[3])


def test_scores_beyond_all_bounds() -> None:
    case = Case(2, 16, scale=30.0)
    case.move(0.1)
    assert np.isfinite(case.steps).all()
    assert np.abs(case.scores).max() > 1000
    case.inputs[case.starts[0]] = np.nan
    case.move(0.1)
    assert np.isnan(case.steps[:OUTPUTS]).tolist() == [True] * OUTPUTS


def test_loss_of_a_pair() -> None:
    scores = np.array([-100, -3, -1e-3, 0, 0.5, 20, 90], np.float32)
    wide = scores.astype(float)
    np.testing.assert_allclose(losses(scores, 1), np.logaddexp(0, -wide), rtol=1e-15)
    np.testing.assert_allclose(losses(scores, 0), np.logaddexp(0, wide), rtol=1e-15)
