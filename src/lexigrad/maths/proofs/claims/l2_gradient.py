"""The gradient of the L2 term."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from lexigrad.maths.proofs import numeric
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The derivative of (l/2) sum_j w_j^2 for w_k."""
    k, j = sp.symbols("k j", integer=True, positive=True)
    n = k + sp.Symbol("m", integer=True, nonnegative=True)  # so that k lies in 1..n
    w, strength = sp.IndexedBase("w", real=True), sp.Symbol("l", positive=True)
    yield Comparison("any n", strength * w[k], sp.diff(strength / 2 * sp.Sum(w[j] ** 2, (j, 1, n)), w[k]).doit())


def in_200_bits() -> Iterator[Comparison]:
    """The product l w and differences."""
    for w, [strength] in numeric.points(5, 1):
        true = numeric.gradient(lambda w, s=strength: s / 2 * sum(wi**2 for wi in w), w)
        yield Comparison({"w": w, "l": strength}, [strength * wi for wi in w], true)


CLAIM = Claim(
    name="l2_gradient",
    title="Gradient of the L2 term",
    statement="The gradient of (l/2) |w|^2 is l w, so a step of size lr shrinks the weights by the factor 1 - lr l.",
    latex=r"\frac{\partial}{\partial w} \frac{\lambda}{2} \lVert w \rVert^2 = \lambda w, \qquad w - \eta \lambda w = (1 - \eta \lambda)\,w",
    source="assignment 4(b), 4(c)",
    symbolic=by_algebra,
    numeric=in_200_bits,
)
