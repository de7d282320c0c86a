"""Skip-gram over a whole context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

CONTEXT = (0, 2, 2)
"""Context words; word 2 occurs twice."""


def by_algebra() -> Iterator[Comparison]:
    """V = 3..5 words in two dimensions, three context words, one of them twice."""
    dim = 2
    for n_words in range(3, 6):
        vectors, center = symbolic.matrix("u", n_words, dim), symbolic.matrix("v", dim, 1)
        scores = list(vectors * center)
        probs = sp.Matrix(symbolic.softmax(scores))
        errors = sum((probs - sp.eye(n_words).col(o) for o in CONTEXT), sp.zeros(n_words, 1))
        loss = sum(symbolic.logsumexp(scores) - scores[o] for o in CONTEXT)
        true = symbolic.gradient(loss, [*center, *vectors])
        yield Comparison({"V": n_words, "dim": dim}, [vectors.T * errors, errors * center.T], true)


def in_200_bits() -> Iterator[Comparison]:
    """Four words, three dimensions."""
    eye = [[int(i == j) for j in range(4)] for i in range(4)]
    for [flat] in numeric.points(3 + 12, scale=2):

        def loss(flat: list[Any]) -> Any:
            v, *u = numeric.rows(flat, 3)
            return sum(numeric.cross_entropy(eye[o], [numeric.dot(row, v) for row in u]) for o in CONTEXT)

        v, *u = numeric.rows(flat, 3)
        probs = numeric.softmax([numeric.dot(row, v) for row in u])
        errors = [len(CONTEXT) * p - CONTEXT.count(w) for w, p in enumerate(probs)]
        d_v = [numeric.dot(errors, [row[i] for row in u]) for i in range(3)]
        claimed = [d_v, [[error * vi for vi in v] for error in errors]]
        yield Comparison({"v and U": flat}, claimed, numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """`linear_cross_entropy`, its gradients for each context word added up, against differences of the sum."""
    labels = np.array(CONTEXT)
    for v, u in shipped.points(3, (4, 3), scale=1.0):

        def loss(v: Any, u: Any) -> Any:
            return maths.linear_cross_entropy(np.tile(v, (len(labels), 1)), u, labels, "sum")[0]

        each = [maths.linear_cross_entropy(v[None], u, labels[i : i + 1]) for i in range(3)]
        slope_v = shipped.gradient(lambda v, u=u, loss=loss: loss(v, u), v)
        slope_u = shipped.gradient(lambda u, v=v, loss=loss: loss(v, u), u)
        yield Comparison({"v": v}, sum(d_hidden for _, d_hidden, _ in each), slope_v)
        yield Comparison({"v": v}, sum(d_weights for _, _, d_weights in each), slope_u)


CLAIM = Claim(
    name="skipgram_context_gradient",
    title="Skip-gram over a context",
    statement="The loss of a context is the sum over its words, so every gradient is the sum of the gradients for each context word; "
    "the input vectors of the context words themselves get none.",
    latex=r"J = \sum_{-m \le j \le m,\ j \ne 0} F(w_{c+j}, v_c) "
    r"\quad\Rightarrow\quad \frac{\partial J}{\partial U} = \sum_j \frac{\partial F(w_{c+j}, v_c)}{\partial U},"
    r"\quad \frac{\partial J}{\partial v_c} = \sum_j \frac{\partial F(w_{c+j}, v_c)}{\partial v_c},\quad \frac{\partial J}{\partial v_w} = 0 \ (w \ne c)",
    source="assignment 3(d)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
