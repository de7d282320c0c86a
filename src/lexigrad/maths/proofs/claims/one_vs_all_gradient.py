"""One-vs-all: an independent yes/no question for every label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any n: one entry h of the hidden vector and w of one label's weights, a the rest of its score, r the other labels' terms."""
    h, w, a, r, y = sp.symbols("h w a r y", real=True)
    s = symbolic.sigmoid(a + w * h)
    loss = -y * sp.log(s) - (1 - y) * sp.log(1 - s)
    yield Comparison("any n and dim", (s - y) * h, sp.diff(loss + r, w))
    dim = 2
    for n in symbolic.DIMENSIONS:
        weights, hidden = symbolic.matrix("w", n, dim), symbolic.matrix("h", dim, 1)
        sigmoids = (weights * hidden).applyfunc(symbolic.sigmoid)
        targets = sp.Matrix([i % 2 for i in range(n)])
        total = -sum(sp.log(s if y else 1 - s) for s, y in zip(sigmoids, targets, strict=True))
        errors = sigmoids - targets
        true = symbolic.gradient(total, [*weights, *hidden])
        yield Comparison({"n": n, "dim": dim}, [errors * hidden.T, weights.T * errors], true)


def in_200_bits() -> Iterator[Comparison]:
    """Four labels, two of them true, three dimensions."""
    y = [1, 0, 1, 0]
    for [flat] in numeric.points(15, scale=2):

        def loss(flat: list[Any]) -> Any:
            h, *weights = numeric.rows(flat, 3)
            signed = [numeric.dot(row, h) * (1 if target else -1) for row, target in zip(weights, y, strict=True)]
            return -sum(mp.log(numeric.sigmoid(score)) for score in signed)

        h, *weights = numeric.rows(flat, 3)
        errors = [numeric.sigmoid(numeric.dot(row, h)) - target for row, target in zip(weights, y, strict=True)]
        d_h = [numeric.dot(errors, [row[i] for row in weights]) for i in range(3)]
        claimed = [d_h, [[error * hi for hi in h] for error in errors]]
        yield Comparison({"h and W": flat}, claimed, numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """`binary_cross_entropy` summed over labels and its backward, carried on to hidden vector and weights."""
    targets = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    for h, weights in shipped.points(4, (5, 4), scale=1.0):
        d_scores = maths.binary_cross_entropy_backward(1.0, weights @ h, targets, "sum")
        slope_h = shipped.gradient(lambda h, w=weights: maths.binary_cross_entropy(w @ h, targets, "sum"), h)
        slope_w = shipped.gradient(lambda w, h=h: maths.binary_cross_entropy(w @ h, targets, "sum"), weights)
        yield Comparison({"h": h, "W": weights}, d_scores @ weights, slope_h)
        yield Comparison({"h": h, "W": weights}, np.outer(d_scores, h), slope_w)


CLAIM = Claim(
    name="one_vs_all_gradient",
    title="One-vs-all",
    statement="For scores W h, one sigmoid for every label and targets y of 0 and 1, any number of them 1, the loss summed over labels has the "
    "gradients (sigmoid(W h) - y) h^T for W and W^T (sigmoid(W h) - y) for h.",
    latex=r"J = -\sum_l \left(y_l \log \sigma(w_l^T h) + (1 - y_l) \log \sigma(-w_l^T h)\right) \Rightarrow "
    r"\frac{\partial J}{\partial W} = (\sigma(W h) - y)\,h^T,\quad \frac{\partial J}{\partial h} = W^T (\sigma(W h) - y)",
    source="fastText, loss ova (src/loss.cc)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
