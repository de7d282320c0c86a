"""The form of log(1 + exp(x)) that never overflows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The exponentials of both sides, for x > 0 and for x <= 0."""
    for place, x in (("x > 0", sp.Symbol("x", positive=True)), ("x <= 0", sp.Symbol("x", nonpositive=True))):
        yield Comparison(place, sp.exp(sp.Max(x, 0)) * (1 + sp.exp(-sp.Abs(x))), 1 + sp.exp(x))


def in_200_bits() -> Iterator[Comparison]:
    """Both sides."""
    for [[x]] in numeric.points(1, scale=50):
        yield Comparison({"x": x}, max(x, 0) + mp.log1p(mp.exp(-abs(x))), mp.log(1 + mp.exp(x)))


def as_shipped() -> Iterator[Comparison]:
    """`log1pexp`, and the form in NumPy, against 200 bits."""
    for x in (-700.0, -40.0, -1.0, 0.0, 0.5, 36.0, 800.0, 1e300):
        true = mp.mpf(x) + mp.log1p(mp.exp(-x)) if x > 100 else mp.log(1 + mp.mpf(mp.exp(x))) if x > -100 else mp.exp(x)
        yield Comparison({"x": x}, maths.log1pexp(x), true, 1e-15 * float(true))
        yield Comparison({"x": x}, max(x, 0.0) + np.log1p(np.exp(-abs(x))), true, 1e-15 * float(true))


CLAIM = Claim(
    name="log1pexp_form",
    title="log(1 + exp(x)) without overflow",
    statement="log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).",
    latex=r"\log(1 + e^x) = \max(x, 0) + \mathrm{log1p}(e^{-|x|})",
    source="lexigrad.maths.log1pexp",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
