"""The reduction of exp to a short interval."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """2^n e^(x - n ln 2) for any integer n."""
    x, n = sp.Symbol("x", real=True), sp.Symbol("n", integer=True)
    yield Comparison("any x and n", 2**n * sp.exp(x - n * sp.log(2)), sp.exp(x))


def in_200_bits() -> Iterator[Comparison]:
    """The identity (both sides over e^x), and |r| <= (ln 2)/2 for n next to x / ln 2."""
    for [[x]] in numeric.points(1, scale=700):
        n = mp.nint(x / mp.ln2)
        r = x - n * mp.ln2
        yield Comparison({"x": x}, [2**n * mp.exp(r) / mp.exp(x), max(abs(r), mp.ln2 / 2)], [1, mp.ln2 / 2])


def as_shipped() -> Iterator[Comparison]:
    """p_1 / p_2 of `softmax([x, 0])`, which is e^x, over e^x in 200 bits."""
    for x in (-300.0, -20.5, -0.3, 0.0, 1.0, 10.25, 300.0):
        p = maths.softmax(np.array([x, 0.0]))
        yield Comparison({"x": x}, p[0] / p[1] / mp.exp(x), 1, 2e-15)


CLAIM = Claim(
    name="exp_power_of_two_scaling",
    title="exp from a short interval",
    statement="exp(x) = 2^n exp(r) with r = x - n ln 2, for any integer n; with n next to x / ln 2, |r| is at most (ln 2) / 2.",
    latex=r"e^x = 2^n e^r, \quad r = x - n \ln 2, \quad n = \mathrm{round}(x / \ln 2) \Rightarrow |r| \le \tfrac{1}{2} \ln 2",
    source="Cody and Waite 1980, Software Manual for the Elementary Functions; lexigrad.maths.exp",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
