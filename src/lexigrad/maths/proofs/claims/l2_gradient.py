"""The gradient of the L2 term."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from lexigrad.maths.proofs import numeric, shipped
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


def as_shipped() -> Iterator[Comparison]:
    """What `l2` adds to the cost and the gradient of a `Network`: l w for the weights, 0 for the biases; and differences of that cost."""
    from lexigrad.models.network import Network

    labels = np.array([2, 0])
    for x, params in shipped.points((2, 2), (2 + 1) * 2 + (2 + 1) * 3, scale=1.0, count=2):
        strength = 0.3
        with_l2, without = (Network(hidden=2, l2=l2).initialise(2, 3) for l2 in (strength, 0.0))
        d_penalty = (
            with_l2.loss_gradient(x, labels, params=params)[1] - without.loss_gradient(x, labels, params=params)[1]
        )
        is_weight = np.concatenate([np.ones(4), np.zeros(2), np.ones(6), np.zeros(3)])
        yield Comparison({"x": x, "parameters": params}, strength * params * is_weight, d_penalty)

        def penalty(params: NDArray[Any], x: NDArray[Any] = x, nets: Any = (with_l2, without)) -> float:
            return (
                nets[0].loss_gradient(x, labels, params=params)[0] - nets[1].loss_gradient(x, labels, params=params)[0]
            )

        yield Comparison({"x": x, "parameters": params}, d_penalty, shipped.gradient(penalty, params))


CLAIM = Claim(
    name="l2_gradient",
    title="Gradient of the L2 term",
    statement="The gradient of (l/2) |w|^2 is l w, so a step of size lr shrinks the weights by the factor 1 - lr l.",
    latex=r"\frac{\partial}{\partial w} \frac{\lambda}{2} \lVert w \rVert^2 = \lambda w, \qquad w - \eta \lambda w = (1 - \eta \lambda)\,w",
    source="assignment 4(b), 4(c)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
