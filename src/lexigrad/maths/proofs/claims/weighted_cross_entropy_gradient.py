"""The gradient of softmax cross-entropy for targets of any sum."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """T log sum_j e^x_j - sum_j y_j x_j, where T is the sum of the targets, differentiated for x_k."""
    k, j = sp.symbols("k j", integer=True, positive=True)
    n = k + sp.Symbol("m", integer=True, nonnegative=True)  # so that k lies in 1..n
    x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
    total, weight = sp.Sum(sp.exp(x[j]), (j, 1, n)), sp.Sum(y[j], (j, 1, n))
    loss = weight * sp.log(total) - sp.Sum(y[j] * x[j], (j, 1, n))
    yield Comparison("any n", sp.exp(x[k]) / total * weight - y[k], sp.diff(loss, x[k]).doit())


def in_200_bits() -> Iterator[Comparison]:
    """The formula and differences of -sum_j y_j log p_j."""
    for x, y in numeric.points(6, 6):
        claimed = [p * sum(y) - target for p, target in zip(numeric.softmax(x), y, strict=True)]
        yield Comparison({"x": x, "y": y}, claimed, numeric.gradient(lambda x, y=y: numeric.cross_entropy(y, x), x))


def as_shipped() -> Iterator[Comparison]:
    """`softmax_cross_entropy`: its gradient against differences of its loss, with targets that do not sum to 1."""
    for scores, weights in shipped.points((2, 4), (2, 4)):
        y = weights**2
        _, d_scores = maths.softmax_cross_entropy(scores, y)
        slope = shipped.gradient(lambda s, y=y: maths.softmax_cross_entropy(s, y)[0], scores)
        yield Comparison({"x": scores, "y": y}, d_scores, slope)


CLAIM = Claim(
    name="weighted_cross_entropy_gradient",
    title="Targets that do not sum to 1",
    statement="For any targets y, the gradient of -sum_i y_i log softmax(x)_i for the scores x is softmax(x) sum(y) - y.",
    latex=r"\frac{\partial}{\partial x_k} \left(-\sum_i y_i \log \hat y_i\right) = \hat y_k \sum_i y_i - y_k",
    source="lexigrad.maths.softmax_cross_entropy",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
