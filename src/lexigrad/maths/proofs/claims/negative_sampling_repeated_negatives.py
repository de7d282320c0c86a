"""Negative sampling: a word drawn several times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any m and dim: entries u and v of the two vectors, a the rest of the score, r the terms of the other words."""
    u, v, a, r = sp.symbols("u v a r", real=True)
    m = sp.Symbol("m", integer=True, positive=True)
    s = symbolic.sigmoid(-(a + u * v))
    yield Comparison("any m and dim", -m * (s - 1) * v, sp.diff(r - m * sp.log(s), u))


def in_200_bits() -> Iterator[Comparison]:
    """Three dimensions, a negative drawn m times, written as m terms."""
    for v, u in numeric.points(3, 3, scale=2):
        for m in (2, 5):
            error = -(numeric.sigmoid(-numeric.dot(u, v)) - 1)
            true = numeric.gradient(
                lambda u, v=v, m=m: sum(-mp.log(numeric.sigmoid(-numeric.dot(u, v))) for _ in range(m)), u
            )
            yield Comparison({"u": u, "v": v, "m": m}, [m * error * vi for vi in v], true)


def as_shipped() -> Iterator[Comparison]:
    """All m gradients with `sigmoid` added up by `np.add.at`, against differences of the loss composed of `log_sigmoid`."""
    drawn = np.array([1, 3, 1, 1, 0])
    for v, u in shipped.points(4, (5, 4), scale=1.0):
        added = np.zeros_like(u)
        np.add.at(added, drawn, np.outer(maths.sigmoid(u[drawn] @ v), v))
        slope = shipped.gradient(lambda u, v=v: -maths.log_sigmoid(-(u[drawn] @ v)).sum(), u)
        yield Comparison({"v": v, "U": u}, added, slope)


CLAIM = Claim(
    name="negative_sampling_repeated_negatives",
    title="Repeated negatives add up",
    statement="A word that is drawn m times among the negatives gets m times the gradient of one draw.",
    latex=r"\frac{\partial}{\partial u_k}\left(-m \log \sigma(-u_k^T v_c)\right) = -m\,(\sigma(-u_k^T v_c) - 1)\,v_c",
    source="assignment 3(c), 3(e)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
