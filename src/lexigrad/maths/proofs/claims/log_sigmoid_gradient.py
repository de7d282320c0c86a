"""The derivative of the logarithm of the sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of log(1 / (1 + e^-x))."""
    x = sp.Symbol("x", real=True)
    yield Comparison("any x", symbolic.sigmoid(-x), sp.diff(sp.log(symbolic.sigmoid(x)), x))


def in_200_bits() -> Iterator[Comparison]:
    """sigmoid(-x) and differences."""
    for [x] in numeric.points(1, scale=30):
        true = numeric.gradient(lambda x: mp.log(numeric.sigmoid(x[0])), x)
        yield Comparison({"x": x}, numeric.sigmoid(-x[0]), true)


def as_shipped() -> Iterator[Comparison]:
    """`log_sigmoid_backward`, and `sigmoid(-x)`, against differences of `log_sigmoid`."""
    for x, d in shipped.points(5, 5, scale=5):
        slope = shipped.gradient(maths.log_sigmoid, x)
        yield Comparison({"x": x, "d": d}, maths.log_sigmoid_backward(d, x), d * slope)
        yield Comparison({"x": x}, maths.sigmoid(-x), slope)


CLAIM = Claim(
    name="log_sigmoid_gradient",
    title="Derivative of log-sigmoid",
    statement="The derivative of log sigmoid(x) is sigmoid(-x), which is 1 - sigmoid(x) without its rounding error for large x.",
    latex=r"\frac{d}{dx} \log \sigma(x) = \sigma(-x) = 1 - \sigma(x)",
    source="lexigrad.maths.log_sigmoid_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
