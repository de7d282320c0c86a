"""The gradient of log-sum-exp."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of log sum_j e^x_j for x_k."""
    k, j = sp.symbols("k j", integer=True, positive=True)
    n = k + sp.Symbol("m", integer=True, nonnegative=True)  # so that k lies in 1..n
    x = sp.IndexedBase("x", real=True)
    total = sp.Sum(sp.exp(x[j]), (j, 1, n))
    yield Comparison("any n", sp.exp(x[k]) / total, sp.diff(sp.log(total), x[k]).doit())
    for n in symbolic.DIMENSIONS:
        scores = symbolic.vector("x", n)
        yield Comparison({"n": n}, symbolic.softmax(scores), symbolic.gradient(symbolic.logsumexp(scores), scores))


def in_200_bits() -> Iterator[Comparison]:
    """Softmax and differences of log-sum-exp."""
    for [x] in numeric.points(6):
        yield Comparison({"x": x}, numeric.softmax(x), numeric.gradient(numeric.logsumexp, x))


def as_shipped() -> Iterator[Comparison]:
    """`logsumexp_backward`, and `softmax`, against differences of `logsumexp`."""
    for x, [d] in shipped.points(6, 1):
        slope = shipped.gradient(maths.logsumexp, x)
        yield Comparison({"x": x, "d": d}, maths.logsumexp_backward(d, x), d * slope)
        yield Comparison({"x": x}, maths.softmax(x), slope)


CLAIM = Claim(
    name="logsumexp_gradient",
    title="Gradient of log-sum-exp",
    statement="The gradient of log sum_j exp(x_j) is softmax(x).",
    latex=r"\frac{\partial}{\partial x_k} \log \sum_j e^{x_j} = \mathrm{softmax}(x)_k",
    source="lexigrad.maths.logsumexp_backward",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
