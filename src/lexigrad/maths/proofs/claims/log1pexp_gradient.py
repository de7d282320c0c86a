"""The derivative of log(1 + exp(x))."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of log(1 + e^x)."""
    x = sp.Symbol("x", real=True)
    yield Comparison("any x", symbolic.sigmoid(x), sp.diff(sp.log(1 + sp.exp(x)), x))


def in_200_bits() -> Iterator[Comparison]:
    """The sigmoid and differences."""
    for [x] in numeric.points(1, scale=30):
        true = numeric.gradient(lambda x: mp.log(1 + mp.exp(x[0])), x)
        yield Comparison({"x": x}, numeric.sigmoid(x[0]), true)


def as_shipped() -> Iterator[Comparison]:
    """`log1pexp_backward`, and `sigmoid`, against differences of `log1pexp`."""
    for x, d in shipped.points(5, 5, scale=5):
        slope = shipped.gradient(maths.log1pexp, x)
        yield Comparison({"x": x, "d": d}, maths.log1pexp_backward(d, x), d * slope)
        yield Comparison({"x": x}, maths.sigmoid(x), slope)


CLAIM = Claim(
    name="log1pexp_gradient",
    title="Derivative of log(1 + exp(x))",
    statement="The derivative of log(1 + exp(x)) is sigmoid(x).",
    latex=r"\frac{d}{dx} \log(1 + e^x) = \frac{e^x}{1 + e^x} = \sigma(x)",
    source="lexigrad.maths.log1pexp_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
