"""Log-sigmoid from log(1 + exp(x))."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The exponentials of both sides."""
    x = sp.Symbol("x", real=True)
    yield Comparison("any x", 1 / (1 + sp.exp(-x)), symbolic.sigmoid(x))
    yield Comparison("any x", 1 - symbolic.sigmoid(x), symbolic.sigmoid(-x))


def in_200_bits() -> Iterator[Comparison]:
    """Both sides."""
    for [[x]] in numeric.points(1, scale=50):
        yield Comparison({"x": x}, -mp.log1p(mp.exp(-x)), mp.log(numeric.sigmoid(x)))


def as_shipped() -> Iterator[Comparison]:
    """`log_sigmoid` against `log1pexp`, and against the logarithm of `sigmoid`."""
    for [x] in shipped.points(6, scale=10):
        yield Comparison({"x": x}, -maths.log1pexp(-x), maths.log_sigmoid(x), 1e-15)
        yield Comparison({"x": x}, [mp.log(value) for value in maths.sigmoid(x)], maths.log_sigmoid(x))


CLAIM = Claim(
    name="log_sigmoid_form",
    title="Log-sigmoid from log(1 + exp(x))",
    statement="log sigmoid(x) = -log(1 + exp(-x)).",
    latex=r"\log \sigma(x) = -\log(1 + e^{-x})",
    source="lexigrad.maths.log_sigmoid",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
