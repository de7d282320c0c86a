"""The gradient of binary cross-entropy for a score."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of -y log s - (1 - y) log(1 - s), s = sigmoid(x)."""
    x, y = sp.symbols("x y", real=True)
    s = symbolic.sigmoid(x)
    yield Comparison("any x and y", s - y, sp.diff(-y * sp.log(s) - (1 - y) * sp.log(1 - s), x))


def in_200_bits() -> Iterator[Comparison]:
    """sigmoid(x) - y and differences."""
    for x, weights in numeric.points(1, 2, scale=20):
        y = numeric.targets(weights)[0]
        true = numeric.gradient(
            lambda x, y=y: -y * mp.log(numeric.sigmoid(x[0])) - (1 - y) * mp.log(numeric.sigmoid(-x[0])), x
        )
        yield Comparison({"x": x, "y": y}, numeric.sigmoid(x[0]) - y, true)


def as_shipped() -> Iterator[Comparison]:
    """`binary_cross_entropy_backward`, and the formula, against differences of `binary_cross_entropy`."""
    for scores, weights in shipped.points((3, 4), (3, 4)):
        targets = shipped.targets(weights)
        targets[0] = [0, 1, 1, 0]
        for reduction, count in (("mean", scores.size), ("sum", 1)):
            slope = shipped.gradient(
                lambda s, y=targets, reduction=reduction: maths.binary_cross_entropy(s, y, reduction), scores
            )
            claimed = maths.binary_cross_entropy_backward(1.0, scores, targets, reduction)
            yield Comparison({"x": scores, "y": targets}, claimed, slope)
            yield Comparison({"x": scores, "y": targets}, (maths.sigmoid(scores) - targets) / count, slope)


CLAIM = Claim(
    name="binary_cross_entropy_gradient",
    title="Gradient of binary cross-entropy",
    statement="For a target y from 0 to 1 and the probability sigmoid(x), the derivative of the cross-entropy for the score x is sigmoid(x) - y.",
    latex=r"\frac{d}{dx}\left(-y \log \sigma(x) - (1 - y) \log(1 - \sigma(x))\right) = \sigma(x) - y",
    source="lexigrad.maths.binary_cross_entropy_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
