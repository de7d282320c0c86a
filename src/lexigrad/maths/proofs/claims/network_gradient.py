"""The gradients of a network with one hidden layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

SIZES = ((1, 2, 2), (2, 2, 2), (2, 2, 3), (3, 2, 2))
"""Dx, H and Dy of the symbolic proof."""


def deltas(x: Any, w1: Any, w2: Any, h: Any, probs: Any, y: Any) -> list[Any]:
    """Return the claimed gradients for x, W1, b1, W2, b2 from SymPy or mpmath matrices; x, h, probs and y are rows."""
    delta1 = probs - y
    delta2 = delta1 * w2.T
    delta3 = delta2.copy()
    for j in range(delta3.cols):
        delta3[0, j] = delta2[0, j] * h[0, j] * (1 - h[0, j])
    return [*(delta3 * w1.T), *(x.T * delta3), *delta3, *(h.T * delta1), *delta1]


def by_algebra() -> Iterator[Comparison]:
    """All five gradients against the derivatives of the loss."""
    for dx, hidden, dy in SIZES:
        x, w1, b1 = (
            symbolic.matrix(name, *shape) for name, *shape in (("x", 1, dx), ("a", dx, hidden), ("b", 1, hidden))
        )
        w2, b2 = symbolic.matrix("w", hidden, dy), symbolic.matrix("d", 1, dy)
        y = symbolic.targets("y", dy)
        h = (x * w1 + b1).applyfunc(symbolic.sigmoid)
        scores = h * w2 + b2
        loss = symbolic.logsumexp(list(scores)) - symbolic.dot(y, list(scores))
        claimed = deltas(x, w1, w2, h, sp.Matrix([symbolic.softmax(list(scores))]), sp.Matrix([y]))
        true = symbolic.gradient(loss, [*x, *w1, *b1, *w2, *b2])
        yield Comparison({"Dx": dx, "H": hidden, "Dy": dy}, claimed, true)


def unpack(flat: Sequence[Any], dx: int, hidden: int, dy: int) -> list[Any]:
    """Return x, W1, b1, W2, b2 as mpmath matrices."""
    parts, first = [], 0
    for n_rows, n_columns in ((1, dx), (dx, hidden), (1, hidden), (hidden, dy), (1, dy)):
        size = n_rows * n_columns
        parts.append(mp.matrix(numeric.rows(flat[first : first + size], n_columns)))
        first += size
    return parts


def forward(flat: Sequence[Any], dx: int, hidden: int, dy: int) -> tuple[Any, Any]:
    """Return the hidden layer and the scores, as rows."""
    x, w1, b1, w2, b2 = unpack(flat, dx, hidden, dy)
    h = (x * w1 + b1).apply(numeric.sigmoid)
    return h, h * w2 + b2


def in_200_bits() -> Iterator[Comparison]:
    """The same for Dx = 3, H = 4, Dy = 3."""
    shape = (3, 4, 3)
    for flat, weights in numeric.points(3 + 12 + 4 + 12 + 3, 3, count=3, scale=2):
        y = numeric.targets(weights)
        x, w1, _, w2, _ = unpack(flat, *shape)
        h, scores = forward(flat, *shape)
        claimed = deltas(x, w1, w2, h, mp.matrix([numeric.softmax(list(scores))]), mp.matrix([y]))
        true = numeric.gradient(lambda flat, y=y: numeric.cross_entropy(y, list(forward(flat, *shape)[1])), flat)
        yield Comparison({"parameters": flat, "y": y}, claimed, true)


def as_shipped() -> Iterator[Comparison]:
    """Composed of `sigmoid`, `softmax_cross_entropy` and `sigmoid_backward`, on a batch of two, summed over its rows; and `Network`."""
    from lexigrad.models.network import Network

    labels = np.array([2, 0])
    for arrays in shipped.points((2, 3), (3, 2), 2, (2, 3), 3, scale=1.0, count=3):
        x, w1, b1, w2, b2 = arrays
        slopes = []

        def loss(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
            hidden = maths.sigmoid(x @ w1 + b1)
            return maths.softmax_cross_entropy(hidden @ w2 + b2, labels, reduction="sum")[0]

        h = maths.sigmoid(x @ w1 + b1)
        _, delta1 = maths.softmax_cross_entropy(h @ w2 + b2, labels, reduction="sum")
        delta3 = maths.sigmoid_backward(delta1 @ w2.T, h)
        claimed = [delta3 @ w1.T, x.T @ delta3, delta3.sum(axis=0), h.T @ delta1, delta1.sum(axis=0)]
        for i in range(5):
            slope = shipped.gradient(
                lambda part, i=i, arrays=arrays, loss=loss: loss(*arrays[:i], part, *arrays[i + 1 :]), arrays[i]
            )
            yield Comparison({("x", "W1", "b1", "W2", "b2")[i]: arrays[i]}, claimed[i], slope)
            slopes.append(slope.ravel())
        params = np.concatenate([array.ravel() for array in arrays[1:]])
        _, d_params = Network(hidden=2).initialise(3, 3).loss_gradient(x, labels, params=params)
        yield Comparison({"x": x, "parameters": params}, d_params, np.concatenate(slopes[1:]))


CLAIM = Claim(
    name="network_gradient",
    title="Gradients of a network with one hidden layer",
    statement="For h = sigmoid(x W1 + b1) and probabilities softmax(h W2 + b2), with rows as vectors: delta1 = probs - y; "
    "delta2 = delta1 W2^T; delta3 = delta2 * h (1 - h); the gradients for x, W1, b1, W2, b2 are "
    "delta3 W1^T, x^T delta3, delta3, h^T delta1, delta1.",
    latex=r"\delta_1 = \hat y - y,\quad \delta_2 = \delta_1 W_2^T,\quad \delta_3 = \delta_2 \circ h \circ (1 - h),\quad "
    r"\frac{\partial J}{\partial x} = \delta_3 W_1^T,\quad \frac{\partial J}{\partial W_1} = x^T \delta_3,"
    r"\quad \frac{\partial J}{\partial b_1} = \delta_3,\quad "
    r"\frac{\partial J}{\partial W_2} = h^T \delta_1,\quad \frac{\partial J}{\partial b_2} = \delta_1",
    source="assignment 2(c), 2(g)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
