"""A Jacobian of softmax without its other entries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The diagonal matrix of p (1 - p) against the Jacobian."""
    for n in symbolic.DIMENSIONS:
        x = symbolic.vector("x", n)
        probs = symbolic.softmax(x)
        yield Comparison({"n": n}, sp.diag(*(p * (1 - p) for p in probs)), sp.Matrix(probs).jacobian(x))


def in_200_bits() -> Iterator[Comparison]:
    """The same, by differences."""
    for x in ([mp.mpf(1), mp.mpf(2)], *(x for [x] in numeric.points(4))):
        p = numeric.softmax(x)
        claimed = [[p[i] * (1 - p[i]) * (i == j) for j in range(len(x))] for i in range(len(x))]
        true = [numeric.gradient(lambda x, i=i: numeric.softmax(x)[i], x) for i in range(len(x))]
        yield Comparison({"x": x}, claimed, true)


def as_shipped() -> Iterator[Comparison]:
    """The gradient d becomes d p (1 - p), against differences of d . softmax(x)."""
    d = np.array([1.0, 3.0])
    for x in (np.array([1.0, 2.0]), *(x for [x] in shipped.points(2))):
        probs = maths.softmax(x)
        yield Comparison({"x": x, "d": d}, d * probs * (1 - probs), shipped.gradient(lambda x: d @ maths.softmax(x), x))


CLAIM = Claim(
    name="diagonal_jacobian",
    title="A diagonal Jacobian of softmax",
    statement="The Jacobian of softmax is the diagonal matrix of p (1 - p). (Every probability depends on every score: "
    "the entries -p_i p_j beside the diagonal are missing.)",
    latex=r"\frac{\partial \hat y}{\partial \theta} = \mathrm{diag}(\hat y \circ (1 - \hat y))",
    source="the received solution of assignment 2(b)",
    expected="refuted",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
