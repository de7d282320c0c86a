"""The Hessian-vector product of softmax regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison
from lexigrad.maths.proofs.claims.softmax_regression_gradient import gradient_of, scores_of


def by_algebra() -> Iterator[Comparison]:
    """The claimed product against second derivatives of the cost of one example; the cost of more is a sum."""
    for dim, labels in ((1, 2), (2, 2), (1, 3)):
        x, w, b = symbolic.matrix("x", 1, dim), symbolic.matrix("w", dim, labels), symbolic.matrix("b", 1, labels)
        v, u = symbolic.matrix("v", dim, labels), symbolic.matrix("u", 1, labels)
        weight, l2 = sp.Symbol("s", positive=True), sp.Symbol("l", positive=True)
        y = symbolic.targets("y", labels)
        scores = list(x * w + b)
        cost = l2 / 2 * sum(value**2 for value in w) + weight * (symbolic.logsumexp(scores) - symbolic.dot(y, scores))
        probs, change = symbolic.softmax(scores), list(x * v + u)
        mean = symbolic.dot(probs, change)
        t = sp.Matrix([[weight * p * (c - mean) for p, c in zip(probs, change, strict=True)]])
        slope = sum(d * s for d, s in zip([*v, *u], symbolic.gradient(cost, [*w, *b]), strict=True))
        yield Comparison({"dim": dim, "labels": labels}, [*(x.T * t + l2 * v), *t], symbolic.gradient(slope, [*w, *b]))


def in_200_bits() -> Iterator[Comparison]:
    """The product against differences of the gradient times the vector (`softmax_regression_gradient`)."""
    dim, labels = 2, 3
    for params, vector, x, raw in numeric.points(9, 9, dim, labels, count=3, scale=2):
        weight, l2 = 1.5, 0.25
        y = [numeric.targets(raw)]
        probs, change = numeric.softmax(scores_of(params, x, labels)), scores_of(vector, x, labels)
        mean = sum(p * c for p, c in zip(probs, change, strict=True))
        t = [weight * p * (c - mean) for p, c in zip(probs, change, strict=True)]
        product = [x[j] * t[k] + l2 * vector[j * labels + k] for j in range(dim) for k in range(labels)] + t

        def slope(p: Any, x: Any = x, y: Any = y, v: Any = vector) -> Any:
            return numeric.dot(v, gradient_of(p, [x], y, [1.5], 0.25, labels))

        true = numeric.gradient(slope, params)
        yield Comparison({"params": params, "vector": vector, "x": x}, product, true)


def as_shipped() -> Iterator[Comparison]:
    """`SoftmaxRegression.hessian_product`, dense and for two labels, against differences of `loss_gradient`."""
    from lexigrad.models.softmax_regression import SoftmaxRegression

    for labels, size in ((np.array([2, 0, 1]), 9), (np.array([1, 0, 1]), 3)):
        for x, params, vector in shipped.points((3, 2), size, size, scale=1.0, count=2):
            model = SoftmaxRegression(l2=0.3, threads=1).fit(x, labels)

            def slope(p: Any, x: Any = x, model: Any = model, v: Any = vector, y: Any = labels) -> Any:
                return model.loss_gradient(x, y, params=p)[1] @ v

            product = model.hessian_product(x, labels, vector, params=params)
            yield Comparison({"x": x, "params": params, "vector": vector}, product, shipped.gradient(slope, params))


CLAIM = Claim(
    name="softmax_regression_hessian",
    title="Hessian of softmax regression times a vector",
    statement="With p_i = softmax(x_i W + b), U_i = x_i V + u and T_i = s_i p_i (U_i - p_i . U_i), component by component: the Hessian of softmax "
    "regression's cost times (V, u) is X^T T + l V for W, and the sum of the rows of T for b.",
    latex=r"U = X V + u,\quad T_{ik} = s_i \hat y_{ik} \Bigl(U_{ik} - \sum_m \hat y_{im} U_{im}\Bigr),\quad "
    r"H (V, u) = \Bigl(X^T T + \lambda V,\ \sum_i T_i\Bigr)",
    source="lexigrad.SoftmaxRegression",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
