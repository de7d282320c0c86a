"""Every row of the gradient of softmax cross-entropy sums to 0."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The loss does not change with c in x + c, so its slope along (1, ..., 1), the sum of the gradient, is 0."""
    c = sp.Symbol("c", real=True)
    for n in symbolic.DIMENSIONS:
        scores, targets = symbolic.vector("x", n), symbolic.targets("y", n)
        loss = symbolic.logsumexp([x + c for x in scores]) - symbolic.dot(targets, [x + c for x in scores])
        yield Comparison({"n": n}, 0, sp.diff(loss, c))
        yield Comparison({"n": n}, 0, sum(symbolic.gradient(loss, scores)))


def in_200_bits() -> Iterator[Comparison]:
    """The sum of the differences of the loss."""
    for x, weights in numeric.points(6, 6):
        y = numeric.targets(weights)
        slope = numeric.gradient(lambda x, y=y: numeric.cross_entropy(y, x), x)
        yield Comparison({"x": x, "y": y}, 0, sum(slope))


def as_shipped() -> Iterator[Comparison]:
    """The row sums of the gradient that `softmax_cross_entropy` returns."""
    for scores, weights in shipped.points((3, 6), (3, 6)):
        _, d_scores = maths.softmax_cross_entropy(scores, shipped.targets(weights))
        yield Comparison({"x": scores}, np.zeros(3), d_scores.sum(axis=1), 1e-15)


CLAIM = Claim(
    name="softmax_cross_entropy_gradient_sums_to_zero",
    title="That gradient sums to 0",
    statement="The gradient of softmax cross-entropy for the scores of one row sums to 0, because a shift of the scores changes nothing.",
    latex=r"\sum_i (\hat y_i - y_i) = 0",
    source="follows from assignment 1(a)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
