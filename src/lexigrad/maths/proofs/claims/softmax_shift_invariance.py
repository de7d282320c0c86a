"""Softmax does not change when a constant is added to every score."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """e^c is taken out of numerator and denominator."""
    n, i, j = sp.symbols("n i j", integer=True, positive=True)
    x, c = sp.IndexedBase("x", real=True), sp.Symbol("c", real=True)
    shifted = sp.exp(x[i] + c) / sp.Sum(sp.exp(x[j] + c), (j, 1, n))
    yield Comparison("any n", sp.exp(x[i]) / sp.Sum(sp.exp(x[j]), (j, 1, n)), shifted)


def in_200_bits() -> Iterator[Comparison]:
    """softmax(x) and softmax(x + c)."""
    for x, [c] in numeric.points(6, 1):
        yield Comparison({"x": x, "c": c}, numeric.softmax(x), numeric.softmax([xi + c for xi in x]))


def as_shipped() -> Iterator[Comparison]:
    """`softmax` of x and of x + c, with c so large that e^c overflows."""
    for [x] in shipped.points(6):
        for c in (-(2.0**20), -3.0, 2.0**20):
            x = x.astype("f4").astype("f8")  # so that x + c is exact
            yield Comparison({"x": x, "c": c}, maths.softmax(x), maths.softmax(x + c))


CLAIM = Claim(
    name="softmax_shift_invariance",
    title="Softmax does not change under a shift",
    statement="Adding the same constant c to every score leaves softmax as it is; with c = -max x nothing overflows.",
    latex=r"\mathrm{softmax}(x + c)_i = \frac{e^{x_i + c}}{\sum_j e^{x_j + c}} = \frac{e^c e^{x_i}}{e^c \sum_j e^{x_j}} = \mathrm{softmax}(x)_i",
    source="assignment 1(a)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
