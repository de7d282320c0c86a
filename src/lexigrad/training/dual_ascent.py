"""Dual coordinate ascent: the way to near the optimum of sparse examples, from which Newton's method goes on (`kernels/dual_ascent.py`).

An epoch costs about as much as one product with K (`training/dual.py`) and does far more, where sw_i |x_i|^2 / l2 is not large. Epochs end when the
gap is small enough, or falls slowly. They compute in float32, on one thread, in an order that depends on the seed alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.kernels.dual_ascent import TINY, ascend, shared_rows
from lexigrad.training.dual import DualObjective, DualPoint, Place
from lexigrad.training.minimize import ByRows, Report, Search
from lexigrad.training.softmax_regression import Floats

Singles = NDArray[np.float32]

MOST_EPOCHS = 50
PATIENCE = 3
"""Epochs that are always taken."""
ENOUGH = 0.1
"""Relative gap from which Newton's method goes on; above it, it does better from where the ascent began."""
SLOW = 0.5
"""Share of the gap that an epoch may leave."""
PRECISION = 1e-8
"""Relative gap below which float32 does not see."""
PULL = 500
"""The intercept is held by 1/PULL of what all examples weigh, or by what one weighs."""
SLICE = 1 << 22
"""Numbers that are read before Ctrl-C is let through."""


def improve(
    objective: DualObjective, rows: ByRows, search: Search[DualPoint], tolerance: float, seed: int, report: Report
) -> None:
    """Take epochs from where a search stands; together they count as one step. The search stays where it is if that was no good."""
    ascent = Ascent(objective, rows, search.point.place, seed)
    try:
        ascent.run(tolerance)
    finally:  # after Ctrl-C as well
        point = objective.evaluate(ascent.place())
        if ascent.gap < ENOUGH and point.cost < search.point.cost:
            search.point = point
    search.iterations += 1
    search.gap = ascent.gap
    report(search)


class Ascent:
    """Distributions over the labels for each example, the W and b that belong to them, and the examples in the form that the kernel reads.

    Parameters
    ----------
    start : where A is a mixture of 0 and that of an optimum
    """

    def __init__(self, objective: DualObjective, rows: ByRows, start: Place, seed: int) -> None:
        self.objective, self.sizes, self.n = objective, objective.sizes, objective.rows.n
        self.n_labels = self.sizes.n_scores + self.sizes.implied
        self.ids, self.sample_weights = objective.objective.ids, objective.objective.sample_weights
        self.rng, self.gap = np.random.default_rng(seed), math.inf
        several = np.diff(objective.rows.starts) > 1
        with np.errstate(over="ignore"):
            self.examples = self._examples(rows, several)
            self._start(start, several)
        total = float(self.sample_weights.sum())
        self.hold = max(total / PULL, total / self.n)

    def _examples(self, rows: ByRows, several: NDArray[np.bool_]) -> tuple[Any, ...]:
        """Return offsets, columns and values of the features that several examples have, and the squared lengths of the other features and of all, over l2."""
        places = np.where(several, np.cumsum(several) - 1, -1)
        size = int(np.diff(self.objective.rows.starts)[several].sum())
        offsets, columns = np.zeros(self.n + 1, np.int64), np.empty(size, np.int32)
        values, own, lengths = (np.empty(length, np.float32) for length in (size, self.n, self.n))
        assert rows.columns is not None
        shared_rows(
            rows.offsets, rows.columns, rows.values, places, self.objective.l2, offsets, columns, values, own, lengths
        )
        return offsets, columns, values, own, lengths

    def _start(self, start: Place, several: NDArray[np.bool_]) -> None:
        probs = np.zeros((self.n, self.n_labels))
        probs[np.arange(self.n), self.ids] = 1.0
        if start.a.any():
            a = start.a.reshape(self.n, -1)[:, : self.sizes.n_scores]
            scale = self.objective.l2 / np.where(self.sample_weights > 0, self.sample_weights, 1.0)
            probs[:, self.sizes.implied :] -= a * scale[:, None]
            if self.sizes.implied:
                probs[:, 0] = 1.0 - probs[:, 1]
            np.maximum(probs, 0.0, out=probs)
            probs /= probs.sum(axis=1, keepdims=True)
        self.probs = probs.astype(np.float32).reshape(-1)
        self.logs = np.log(np.maximum(self.probs, TINY))
        self.intercept = start.intercept.astype(np.float32)
        if start.a.any():
            rows = self.objective.weights(self.place()).reshape(-1, self.sizes.stride)[:-1]
            self.weights = rows[several].astype(np.float32).reshape(-1)
        else:
            self.weights = np.zeros(int(several.sum()) * self.sizes.stride, np.float32)

    def run(self, tolerance: float) -> None:
        """Take epochs until the gap is within the tolerance or falls slowly."""
        for epoch in range(MOST_EPOCHS):
            before = self.gap
            if not self.epoch() or self.gap <= max(tolerance, PRECISION):
                return
            if epoch >= PATIENCE and self.gap > SLOW * before:
                return

    def epoch(self) -> bool:
        """Visit all examples, and say whether all numbers are finite; `gap` is that before, over the cost."""
        offsets, columns, values, own, lengths = self.examples
        order, sums = self.rng.permutation(self.n), np.zeros(2)
        sample_weights = self.sample_weights.astype(np.float32)
        scales = (self.sample_weights / self.objective.l2).astype(np.float32)
        share = np.float32(1.0 / self.hold if self.sizes.intercept else 0.0)
        scratch = [np.empty(size, np.float32) for size in (self.sizes.stride, *[self.n_labels] * 3)]
        slice_ = max(16, SLICE * self.n // max(1, 2 * len(values) * self.sizes.stride))
        for first in range(0, self.n, slice_):
            ascend(
                order, first, min(self.n, first + slice_), offsets, columns, values, own, lengths, scales, self.ids, sample_weights,
                self.n_labels, self.sizes.stride, self.sizes.implied, share, self.weights, self.intercept, self.probs, self.logs, *scratch, sums,
            )  # fmt: skip
        if self.sizes.intercept:
            self.intercept[: self.sizes.n_scores] += self._apart().sum(axis=0) / self.hold
        self.gap = float(sums[0] / sums[1]) if sums[1] > 0 else float(sums[0])
        return bool(np.isfinite(self.gap) and np.isfinite(self.intercept).all())

    def _apart(self) -> Floats:
        """Return sw (y - p), (n, n_scores)."""
        out = -self.probs.reshape(-1, self.n_labels).astype(np.float64)
        out[np.arange(self.n), self.ids] += 1.0
        return np.asarray((out * self.sample_weights[:, None])[:, self.sizes.implied :])

    def place(self) -> Place:
        """Return A, K A and b."""
        a = np.zeros((self.n, self.sizes.stride))
        a[:, : self.sizes.n_scores] = self._apart() / self.objective.l2
        flat, intercept = a.reshape(-1), self.intercept.astype(np.float64)
        if (
            not self.sizes.implied
        ):  # the same added to all labels changes nothing; of all such intercepts that of sum 0 is meant
            intercept[: self.sizes.n_scores] -= intercept[: self.sizes.n_scores].mean()
        return Place(flat, self.objective.image(flat), intercept)
