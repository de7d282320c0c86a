"""The gradient of softmax regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

SIZES = ((1, 1, 2), (1, 2, 3), (2, 2, 2))
"""Examples, features and labels of the symbolic proof."""


def by_algebra() -> Iterator[Comparison]:
    """X^T R + l2 W and the row sums of R, against the derivatives of the cost."""
    for n, dim, labels in SIZES:
        x, w, b = symbolic.matrix("x", n, dim), symbolic.matrix("w", dim, labels), symbolic.matrix("b", 1, labels)
        weights, l2 = symbolic.matrix("s", n, 1), sp.Symbol("l", positive=True)
        y = [symbolic.targets(f"y{i}", labels) for i in range(n)]
        cost, d_w, d_b = l2 / 2 * sum(v**2 for v in w), l2 * w, sp.zeros(1, labels)
        for i in range(n):
            scores = list(x[i, :] * w + b)
            cost += weights[i] * (symbolic.logsumexp(scores) - symbolic.dot(y[i], scores))
            rest = weights[i] * (sp.Matrix([symbolic.softmax(scores)]) - sp.Matrix([y[i]]))
            d_w, d_b = d_w + x[i, :].T * rest, d_b + rest
        yield Comparison({"n": n, "dim": dim, "labels": labels}, [*d_w, *d_b], symbolic.gradient(cost, [*w, *b]))


def cost_of(params: Any, x: Any, y: Any, weights: Any, l2: Any, labels: int) -> Any:
    """Return the cost of params: W row by row, then b."""
    dim = len(x[0])
    cost = l2 / 2 * sum(w**2 for w in params[: dim * labels])
    for i, row in enumerate(x):
        cost += weights[i] * numeric.cross_entropy(y[i], scores_of(params, row, labels))
    return cost


def scores_of(params: Any, row: Any, labels: int) -> list[Any]:
    """Return the scores of one example."""
    dim = len(row)
    return [params[dim * labels + k] + sum(row[j] * params[j * labels + k] for j in range(dim)) for k in range(labels)]


def gradient_of(params: Any, x: Any, y: Any, weights: Any, l2: Any, labels: int) -> list[Any]:
    """Return the claimed gradient, in the order of the params."""
    dim = len(x[0])
    claimed = [l2 * w for w in params[: dim * labels]] + [0] * labels
    for row, target, weight in zip(x, y, weights, strict=True):
        probs = numeric.softmax(scores_of(params, row, labels))
        for k in range(labels):
            rest = weight * (probs[k] - target[k])
            for j in range(dim):
                claimed[j * labels + k] += row[j] * rest
            claimed[dim * labels + k] += rest
    return claimed


def in_200_bits() -> Iterator[Comparison]:
    """The same for two examples of two features and three labels."""
    dim, labels = 2, 3
    for params, x, raw, weights in numeric.points(dim * labels + labels, 4, 6, 3, count=3, scale=2):
        rows, y = numeric.rows(x, dim), [numeric.targets(part) for part in numeric.rows(raw, labels)]
        sw, l2 = [weight**2 for weight in weights[:2]], weights[2] ** 2
        true = numeric.gradient(lambda p, x=rows, y=y, s=sw, l=l2: cost_of(p, x, y, s, l, labels), params)
        yield Comparison({"params": params, "x": x}, gradient_of(params, rows, y, sw, l2, labels), true)


def as_shipped() -> Iterator[Comparison]:
    """`SoftmaxRegression.loss_gradient` against differences of its cost, and its `hessian_product` against differences of its gradient."""
    from lexigrad.models.softmax_regression import SoftmaxRegression

    labels = np.array([2, 0, 1])
    for x, params, vector in shipped.points((3, 2), 9, 9, scale=1.0, count=2):
        model = SoftmaxRegression(l2=0.3, threads=1).fit(x, labels)
        _, d_params = model.loss_gradient(x, labels, params=params)
        slope = shipped.gradient(lambda p, x=x, model=model: model.loss_gradient(x, labels, params=p)[0], params)
        yield Comparison({"x": x, "params": params}, d_params, slope)

        def along(p: Any, x: Any = x, model: Any = model, vector: Any = vector) -> Any:
            return model.loss_gradient(x, labels, params=p)[1] @ vector

        product = model.hessian_product(x, labels, vector, params=params)
        yield Comparison({"x": x, "params": params, "vector": vector}, product, shipped.gradient(along, params))


CLAIM = Claim(
    name="softmax_regression_gradient",
    title="Gradient of softmax regression",
    statement="For the cost sum_i s_i CE(y_i, softmax(x_i W + b)) + (l/2) |W|^2 and R_i = s_i (softmax(x_i W + b) - y_i): the gradient for W "
    "is X^T R + l W, and for b the sum of the rows of R.",
    latex=r"J = \sum_i s_i\,\mathrm{CE}(y_i, \hat y_i) + \frac{\lambda}{2} \lVert W \rVert^2,\quad R_i = s_i (\hat y_i - y_i),\quad "
    r"\frac{\partial J}{\partial W} = X^T R + \lambda W,\quad \frac{\partial J}{\partial b} = \sum_i R_i",
    source="assignment 4(b), 4(c)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
