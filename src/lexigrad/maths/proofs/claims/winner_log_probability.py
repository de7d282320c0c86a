"""The log-probability of the winner from the others only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The exponentials of both sides; any n: x is the winner's score and s the sum of the other exponentials."""
    x, s = sp.Symbol("x", real=True), sp.Symbol("s", nonnegative=True)
    yield Comparison("any n", 1 / (1 + s * sp.exp(-x)), sp.exp(x) / (sp.exp(x) + s))
    for n in symbolic.DIMENSIONS:
        scores = symbolic.vector("x", n)
        others = sum(sp.exp(xi - scores[0]) for xi in scores[1:])
        yield Comparison({"n": n}, 1 / (1 + others), symbolic.softmax(scores)[0])


def in_200_bits() -> Iterator[Comparison]:
    """Both sides, with the largest of six scores as winner."""
    for [x] in numeric.points(6, scale=20):
        top = max(range(6), key=lambda i: x[i])
        others = sum(mp.exp(xi - x[top]) for i, xi in enumerate(x) if i != top)
        yield Comparison({"x": x}, -mp.log(1 + others), mp.log(numeric.softmax(x)[top]))


def as_shipped() -> Iterator[Comparison]:
    """`log_softmax` of [lead, 0, 0], float64 and float32, against 200 bits: all digits are there at any lead."""
    for dtype, share in ((np.float64, 1e-15), (np.float32, 3e-7)):
        for lead in (0.5, 15.0, 20.0, 40.0, 80.0):
            true = -mp.log(1 + 2 * mp.exp(-lead))
            shipped = maths.log_softmax(np.array([lead, 0, 0], dtype))[0]
            yield Comparison({"x": [lead, 0, 0]}, shipped, true, share * abs(float(true)))


CLAIM = Claim(
    name="winner_log_probability",
    title="Log-probability of the winner",
    statement="The log-probability of the largest score is -log1p(the sum of exp(x_j - max) over all the others). The winner's own 1 is not "
    "in the sum, so nothing is lost beside it.",
    latex=r"\log p_w = -\mathrm{log1p}\left(\sum_{j \ne w} e^{x_j - x_w}\right)",
    source="lexigrad.maths.log_softmax",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
