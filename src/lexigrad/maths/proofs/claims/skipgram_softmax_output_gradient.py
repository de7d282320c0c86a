"""Skip-gram with softmax: the gradient for every output vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any V and dim: one entry u of one output vector; a is the rest of its score, s the sum of the other exponentials."""
    u, v, a, rest = sp.symbols("u v a r", real=True)
    s = sp.Symbol("s", nonnegative=True)
    total = sp.exp(a + u * v) + s
    p = sp.exp(a + u * v) / total
    yield Comparison("any V and dim, w = o", (p - 1) * v, sp.diff(sp.log(total) - (a + u * v), u))
    yield Comparison("any V and dim, w != o", p * v, sp.diff(sp.log(total) - rest, u))
    dim = 2
    for n_words in symbolic.DIMENSIONS:
        vectors, center = symbolic.matrix("u", n_words, dim), symbolic.matrix("v", dim, 1)
        scores = list(vectors * center)
        errors = sp.Matrix(symbolic.softmax(scores)) - sp.eye(n_words).col(1)
        true = symbolic.gradient(symbolic.logsumexp(scores) - scores[1], list(vectors))
        yield Comparison({"V": n_words, "dim": dim}, errors * center.T, true)


def in_200_bits() -> Iterator[Comparison]:
    """Five words, three dimensions: (probs - y) v^T and differences."""
    for v, flat in numeric.points(3, 15, scale=2):
        y = [0, 0, 1, 0, 0]

        def loss(flat: list[Any], v: list[Any] = v, y: list[int] = y) -> Any:
            return numeric.cross_entropy(y, [numeric.dot(row, v) for row in numeric.rows(flat, 3)])

        probs = numeric.softmax([numeric.dot(row, v) for row in numeric.rows(flat, 3)])
        claimed = [[(p - t) * vi for vi in v] for p, t in zip(probs, y, strict=True)]
        yield Comparison({"v": v, "U": flat}, claimed, numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """`linear_cross_entropy`: d_weights and the formula with `softmax`, against differences of its loss."""
    label = np.array([2])
    for v, u in shipped.points((1, 3), (5, 3), scale=1.0):
        _, _, d_weights = maths.linear_cross_entropy(v, u, label)
        slope = shipped.gradient(lambda u, v=v: maths.linear_cross_entropy(v, u, label)[0], u)
        yield Comparison({"v": v, "U": u}, d_weights, slope)
        yield Comparison({"v": v, "U": u}, (maths.softmax(v @ u.T) - np.eye(5)[label]).T @ v, slope)


CLAIM = Claim(
    name="skipgram_softmax_output_gradient",
    title="Skip-gram with softmax: output vectors",
    statement="The gradient for the output vector of the true context word o is (p_o - 1) v; for every other word w it is p_w v.",
    latex=r"\frac{\partial J}{\partial u_w} = (\hat y_w - y_w)\, v_c = \begin{cases} (\hat y_o - 1)\, v_c & w = o \\ \hat y_w\, v_c & w \ne o \end{cases}",
    source="assignment 3(b)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
