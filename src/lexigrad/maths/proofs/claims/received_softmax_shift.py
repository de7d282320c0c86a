"""The shift by +max that the received text recommends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """In exact arithmetic every shift is right, this one too: the error is one of floating point."""
    n, i, j = sp.symbols("n i j", integer=True, positive=True)
    x, top = sp.IndexedBase("x", real=True), sp.Symbol("M", real=True)
    shifted = sp.exp(x[i] + top) / sp.Sum(sp.exp(x[j] + top), (j, 1, n))
    yield Comparison("any n", shifted, sp.exp(x[i]) / sp.Sum(sp.exp(x[j]), (j, 1, n)))


def in_float64() -> Iterator[Comparison]:
    """exp(x + c) / sum(exp(x + c)) with c = +max x in float64, against `softmax`."""
    for x in (np.array([1.0, 2.0]), np.array([400.0, 401.0]), np.array([-800.0, -801.0])):
        with np.errstate(over="ignore", invalid="ignore"):
            exps = np.exp(x + x.max())
            claimed = exps / exps.sum()
        yield Comparison({"x": x}, claimed, maths.softmax(x))


CLAIM = Claim(
    name="received_softmax_shift",
    title="Shift by c = +max x",
    statement="Choosing c = max x makes softmax(x + c) safe to compute. (The sign was lost: it must be c = -max x.)",
    latex=r"c = \max_i x_i: \quad \mathrm{softmax}(x)_i = \mathrm{fl}\left(\frac{e^{x_i + c}}{\sum_j e^{x_j + c}}\right)",
    source="the received solution of assignment 1(a)",
    expected="refuted",
    symbolic=by_algebra,
    shipped=in_float64,
)
