"""The Jacobian of softmax."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any n: two scores a and b stand out, and s is the sum of the other exponentials. Then whole matrices."""
    a, b, s = sp.Symbol("a", real=True), sp.Symbol("b", real=True), sp.Symbol("s", nonnegative=True)
    total = sp.exp(a) + sp.exp(b) + s
    p, q = sp.exp(a) / total, sp.exp(b) / total
    yield Comparison("any n", [p - p**2, -p * q], [sp.diff(p, a), sp.diff(p, b)])
    for n in symbolic.DIMENSIONS:
        x = symbolic.vector("x", n)
        probs = symbolic.softmax(x)
        claimed = sp.diag(*probs) - sp.Matrix(probs) * sp.Matrix(probs).T
        yield Comparison({"n": n}, claimed, sp.Matrix(probs).jacobian(x))


def in_200_bits() -> Iterator[Comparison]:
    """diag(p) - p p^T and differences, entry by entry."""
    for [x] in numeric.points(5):
        p = numeric.softmax(x)
        claimed = [[p[i] * (i == j) - p[i] * p[j] for j in range(5)] for i in range(5)]
        true = [numeric.gradient(lambda x, i=i: numeric.softmax(x)[i], x) for i in range(5)]
        yield Comparison({"x": x}, claimed, true)


def as_shipped() -> Iterator[Comparison]:
    """`softmax_backward`, and the formula, against differences of d_probs . softmax(x)."""
    for x, d_probs in shipped.points(6, 6):
        probs = maths.softmax(x)
        slope = shipped.gradient(lambda x, d=d_probs: d @ maths.softmax(x), x)
        yield Comparison({"x": x}, d_probs @ (np.diag(probs) - np.outer(probs, probs)), slope)
        yield Comparison({"x": x}, maths.softmax_backward(d_probs, probs), slope)


CLAIM = Claim(
    name="softmax_jacobian",
    title="Jacobian of softmax",
    statement="The derivative of the i-th probability for the j-th score is p_i - p_i^2 if i = j, else -p_i p_j: diag(p) - p p^T.",
    latex=r"\frac{\partial p_i}{\partial x_j} = p_i (\delta_{ij} - p_j), \qquad \frac{\partial p}{\partial x} = \mathrm{diag}(p) - p\,p^T",
    source="assignment 2(b), the step that its received solution gets wrong",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
