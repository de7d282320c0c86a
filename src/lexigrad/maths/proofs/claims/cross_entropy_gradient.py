"""The gradient of cross-entropy for the probabilities."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of -sum_j y_j log p_j for p_k."""
    k, j = sp.symbols("k j", integer=True, positive=True)
    n = k + sp.Symbol("m", integer=True, nonnegative=True)  # so that k lies in 1..n
    p, y = sp.IndexedBase("p", positive=True), sp.IndexedBase("y", real=True)
    loss = -sp.Sum(y[j] * sp.log(p[j]), (j, 1, n))
    yield Comparison("any n", -y[k] / p[k], sp.diff(loss, p[k]).doit())


def in_200_bits() -> Iterator[Comparison]:
    """-y / p and differences."""
    for scores, weights in numeric.points(5, 5):
        p, y = numeric.softmax(scores), numeric.targets(weights)
        true = numeric.gradient(lambda p, y=y: -sum(yi * mp.log(pi) for yi, pi in zip(y, p, strict=True)), p)
        yield Comparison({"p": p, "y": y}, [-yi / pi for yi, pi in zip(y, p, strict=True)], true)


def as_shipped() -> Iterator[Comparison]:
    """`cross_entropy_backward`, and the formula, against differences of `cross_entropy`; soft targets and labels."""
    for scores, weights in shipped.points((3, 5), (3, 5), scale=1.0):
        probs = 0.5 * maths.softmax(scores) + 0.1  # away from 0, where the fifth derivative is large
        for targets in (shipped.targets(weights), np.array([0, 4, 2])):
            for reduction in ("mean", "sum"):
                slope = shipped.gradient(
                    lambda p, t=targets, reduction=reduction: maths.cross_entropy(p, t, reduction), probs, 2.0**-13
                )
                claimed = maths.cross_entropy_backward(1.0, probs, targets, reduction)
                yield Comparison({"p": probs, "y": targets}, claimed, slope)
                dense = targets if targets.ndim == 2 else np.eye(5)[targets]
                yield Comparison({"p": probs}, claimed, -dense / probs / (3 if reduction == "mean" else 1), 1e-13)


CLAIM = Claim(
    name="cross_entropy_gradient",
    title="Gradient of cross-entropy for probabilities",
    statement="The gradient of the cross-entropy for the probabilities p is -y / p, entry by entry.",
    latex=r"\frac{\partial}{\partial p_k} \left(-\sum_j y_j \log p_j\right) = -\frac{y_k}{p_k}",
    source="assignment 2(b), its first step; lexigrad.maths.cross_entropy_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
