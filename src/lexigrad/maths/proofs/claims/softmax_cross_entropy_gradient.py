"""The gradient of softmax cross-entropy for the scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The cross-entropy, log sum_j e^x_j - sum_j y_j x_j because the targets sum to 1, differentiated for x_k."""
    k, j = sp.symbols("k j", integer=True, positive=True)
    n = k + sp.Symbol("m", integer=True, nonnegative=True)  # so that k lies in 1..n
    x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
    total = sp.Sum(sp.exp(x[j]), (j, 1, n))
    loss = sp.log(total) - sp.Sum(y[j] * x[j], (j, 1, n))
    yield Comparison("any n", sp.exp(x[k]) / total - y[k], sp.diff(loss, x[k]).doit())
    for n in symbolic.DIMENSIONS:
        scores, targets = symbolic.vector("x", n), symbolic.targets("y", n)
        probs = symbolic.softmax(scores)
        loss = -symbolic.dot(targets, [sp.log(p) for p in probs])
        claimed = [p - y for p, y in zip(probs, targets, strict=True)]
        yield Comparison({"n": n}, claimed, symbolic.gradient(loss, scores))


def in_200_bits() -> Iterator[Comparison]:
    """Probabilities minus targets, and differences of the loss."""
    for x, weights in numeric.points(6, 6):
        y = numeric.targets(weights)
        claimed = [p - target for p, target in zip(numeric.softmax(x), y, strict=True)]
        slope = numeric.gradient(lambda x, y=y: numeric.cross_entropy(y, x), x)
        yield Comparison({"x": x, "y": y}, claimed, slope)


def as_shipped() -> Iterator[Comparison]:
    """`softmax_cross_entropy`: its gradient, differences of its loss, and softmax minus targets; soft targets and labels."""
    for scores, weights in shipped.points((2, 4), (2, 4)):
        for targets in (shipped.targets(weights), np.array([0, 3])):
            _, d_scores = maths.softmax_cross_entropy(scores, targets, reduction="sum")
            slope = shipped.gradient(
                lambda s, targets=targets: maths.softmax_cross_entropy(s, targets, reduction="sum")[0], scores
            )
            dense = targets if targets.ndim == 2 else np.eye(4)[targets]
            yield Comparison({"x": scores, "y": targets}, d_scores, slope)
            yield Comparison({"x": scores, "y": targets}, maths.softmax(scores) - dense, slope)
            _, d_mean = maths.softmax_cross_entropy(scores, targets)
            yield Comparison({"x": scores, "y": targets}, d_mean, slope / 2)


CLAIM = Claim(
    name="softmax_cross_entropy_gradient",
    title="Gradient of softmax cross-entropy",
    statement="For targets y that sum to 1, the gradient of the cross-entropy of softmax(x) for the scores x is softmax(x) - y.",
    latex=r"J = -\sum_i y_i \log \hat y_i,\quad \hat y = \mathrm{softmax}(x),\quad \sum_i y_i = 1 "
    r"\quad\Rightarrow\quad \frac{\partial J}{\partial x} = \hat y - y",
    source="assignment 2(b)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
