"""CBOW with the sum of the context vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

CONTEXT = (0, 2, 0)
"""Rows of the context; word 0 occurs twice, word 1 never."""

TARGET = 1


def by_algebra() -> Iterator[Comparison]:
    """Any loss F of the hidden vector: v is one entry of the word, r that of the other words together. Then softmax, two dimensions."""
    m = sp.Symbol("m", integer=True, positive=True)
    v, r, hidden = sp.symbols("v r h", real=True)
    loss = sp.Function("F")
    here = m * v + r
    yield Comparison(
        "any m, any loss", m * sp.diff(loss(hidden), hidden).subs(hidden, here), sp.diff(loss(here), v).doit()
    )
    dim = 2
    for n_words in range(3, 6):
        rows, vectors = symbolic.matrix("v", n_words, dim), symbolic.matrix("u", n_words, dim)
        counts = [sp.Integer(CONTEXT.count(w)) for w in range(n_words)]
        hidden_vector = [symbolic.dot(counts, list(rows.col(i))) for i in range(dim)]
        scores = list(vectors * sp.Matrix(hidden_vector))
        d_hidden = vectors.T * (sp.Matrix(symbolic.softmax(scores)) - sp.eye(n_words).col(TARGET))
        true = symbolic.gradient(symbolic.logsumexp(scores) - scores[TARGET], list(rows))
        yield Comparison({"V": n_words, "dim": dim}, [count * d for count in counts for d in d_hidden], true)


def in_200_bits() -> Iterator[Comparison]:
    """Softmax over four words, three dimensions."""
    y = [int(w == TARGET) for w in range(4)]
    for flat, flat_u in numeric.points(12, 12, scale=2):
        u = numeric.rows(flat_u, 3)

        def hidden(flat: Any) -> list[Any]:
            rows = numeric.rows(flat, 3)
            return [sum(rows[w][i] for w in CONTEXT) for i in range(3)]

        def loss(flat: Any, u: Any = u) -> Any:
            return numeric.cross_entropy(y, [numeric.dot(row, hidden(flat)) for row in u])

        probs = numeric.softmax([numeric.dot(row, hidden(flat)) for row in u])
        d_hidden = [sum((probs[w] - y[w]) * u[w][i] for w in range(4)) for i in range(3)]
        claimed = [[CONTEXT.count(w) * d for d in d_hidden] for w in range(4)]
        yield Comparison({"V": flat, "U": flat_u}, claimed, numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """d_hidden of `linear_cross_entropy` added to the row of each place, against differences of its loss."""
    places, label = np.array(CONTEXT), np.array([TARGET])
    for rows, u in shipped.points((4, 2), (4, 2), scale=1.0):

        def loss(rows: Any, u: Any = u) -> Any:
            return maths.linear_cross_entropy(rows[places].sum(axis=0, keepdims=True), u, label)

        _, d_hidden, _ = loss(rows)
        added = np.zeros_like(rows)
        np.add.at(added, places, d_hidden[0])
        yield Comparison({"V": rows, "U": u}, added, shipped.gradient(lambda rows, loss=loss: loss(rows)[0], rows))


CLAIM = Claim(
    name="cbow_sum_gradient",
    title="CBOW with the sum",
    statement="CBOW whose hidden vector is the sum of the context vectors: every context word gets the gradient for the "
    "hidden vector; a word that occurs m times in the context gets m times that; words outside the context get "
    "none.",
    latex=r"\hat v = \sum_{j} v_{w_{c+j}} \quad\Rightarrow\quad \frac{\partial J}{\partial v_w} = m_w\,\frac{\partial F(w_c, \hat v)}{\partial \hat v}",
    source="assignment 3(d)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
