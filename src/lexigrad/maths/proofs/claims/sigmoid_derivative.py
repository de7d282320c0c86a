"""The derivative of the sigmoid from its value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of 1 / (1 + e^-x)."""
    x = sp.Symbol("x", real=True)
    s = symbolic.sigmoid(x)
    yield Comparison("any x", s * (1 - s), sp.diff(s, x))


def in_200_bits() -> Iterator[Comparison]:
    """The formula and differences."""
    for [x] in numeric.points(1, scale=30):
        s = numeric.sigmoid(x[0])
        yield Comparison({"x": x}, s * (1 - s), numeric.gradient(lambda x: numeric.sigmoid(x[0]), x))


def as_shipped() -> Iterator[Comparison]:
    """`sigmoid_grad` and `sigmoid_backward` from the value of `sigmoid`, and differences of `sigmoid`."""
    for x, d_s in shipped.points(5, 5):
        s = maths.sigmoid(x)
        slope = shipped.gradient(maths.sigmoid, x)
        yield Comparison({"x": x}, s * (1 - s), slope)
        yield Comparison({"x": x}, maths.sigmoid_grad(s), slope)
        yield Comparison({"x": x, "d_s": d_s}, maths.sigmoid_backward(d_s, s), d_s * slope)
    known = [0.19661193324148185, 0.10499358540350652]
    yield Comparison({"x": [1, 2]}, maths.sigmoid_grad(maths.sigmoid(np.array([1.0, 2.0]))), known)


CLAIM = Claim(
    name="sigmoid_derivative",
    title="Derivative of the sigmoid",
    statement="The derivative of the sigmoid is a function of its value s alone: s (1 - s).",
    latex=r"\sigma'(x) = \frac{e^{-x}}{(1 + e^{-x})^2} = \sigma(x)\,(1 - \sigma(x))",
    source="assignment 2(a)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
