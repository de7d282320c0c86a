"""The Jacobian of log-softmax."""

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
    value = a - sp.log(total)
    yield Comparison("any n", [1 - sp.exp(a) / total, -sp.exp(b) / total], [sp.diff(value, a), sp.diff(value, b)])
    for n in symbolic.DIMENSIONS:
        x = symbolic.vector("x", n)
        probs = symbolic.softmax(x)
        true = sp.Matrix([xi - symbolic.logsumexp(x) for xi in x]).jacobian(x)
        yield Comparison({"n": n}, sp.eye(n) - sp.ones(n, 1) * sp.Matrix([probs]), true)


def in_200_bits() -> Iterator[Comparison]:
    """I - 1 p^T and differences, entry by entry."""
    for [x] in numeric.points(5):
        p = numeric.softmax(x)
        claimed = [[(i == j) - p[j] for j in range(5)] for i in range(5)]
        true = [numeric.gradient(lambda x, i=i: x[i] - numeric.logsumexp(x), x) for i in range(5)]
        yield Comparison({"x": x}, claimed, true)


def as_shipped() -> Iterator[Comparison]:
    """`log_softmax_backward`, and the formula, against differences of d . log_softmax(x)."""
    for x, d in shipped.points(6, 6):
        slope = shipped.gradient(lambda x, d=d: d @ maths.log_softmax(x), x)
        yield Comparison({"x": x, "d": d}, maths.log_softmax_backward(d, maths.log_softmax(x)), slope)
        yield Comparison({"x": x, "d": d}, d @ (np.eye(6) - maths.softmax(x)), slope)


CLAIM = Claim(
    name="log_softmax_gradient",
    title="Gradient of log-softmax",
    statement="The derivative of the i-th log-probability for the j-th score is 1 - p_j if i = j, else -p_j; "
    "so the gradient d of the log-probabilities becomes d - p sum(d).",
    latex=r"\frac{\partial \log p_i}{\partial x_j} = \delta_{ij} - p_j, \qquad \frac{\partial L}{\partial x} = d - p \sum_i d_i",
    source="lexigrad.maths.log_softmax_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
