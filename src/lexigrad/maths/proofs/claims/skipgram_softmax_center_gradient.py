"""Skip-gram with softmax: the gradient for the centre vector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any V and dim: one entry v of the centre vector; a_w is what the other entries add to the score of word w."""
    n_words, w, o = sp.symbols("V w o", integer=True, positive=True)
    u, a = sp.IndexedBase("u", real=True), sp.IndexedBase("a", real=True)
    v = sp.Symbol("v", real=True)
    score = a[w] + u[w] * v
    total = sp.Sum(sp.exp(score), (w, 1, n_words))
    loss = sp.log(total) - (a[o] + u[o] * v)
    weighted = sp.Sum(sp.exp(score) * u[w], (w, 1, n_words))
    yield Comparison("any V and dim", weighted / total - u[o], sp.diff(loss, v))
    dim = 2
    for n_words in symbolic.DIMENSIONS:
        vectors, center = symbolic.matrix("u", n_words, dim), symbolic.matrix("v", dim, 1)
        scores = list(vectors * center)
        errors = sp.Matrix(symbolic.softmax(scores)) - sp.eye(n_words).col(1)
        true = symbolic.gradient(symbolic.logsumexp(scores) - scores[1], list(center))
        yield Comparison({"V": n_words, "dim": dim}, vectors.T * errors, true)


def in_200_bits() -> Iterator[Comparison]:
    """Five words, three dimensions: U^T (probs - y) and differences."""
    for v, flat in numeric.points(3, 15, scale=2):
        u, y = numeric.rows(flat, 3), [0, 0, 1, 0, 0]
        errors = [p - t for p, t in zip(numeric.softmax([numeric.dot(row, v) for row in u]), y, strict=True)]
        claimed = [numeric.dot(errors, [row[i] for row in u]) for i in range(3)]
        true = numeric.gradient(lambda v, u=u, y=y: numeric.cross_entropy(y, [numeric.dot(row, v) for row in u]), v)
        yield Comparison({"v": v, "U": flat}, claimed, true)


def as_shipped() -> Iterator[Comparison]:
    """`linear_cross_entropy`: d_hidden and the formula with `softmax`, against differences of its loss."""
    label = np.array([2])
    for v, u in shipped.points((1, 4), (7, 4), scale=1.0):
        _, d_hidden, _ = maths.linear_cross_entropy(v, u, label)
        slope = shipped.gradient(lambda v, u=u: maths.linear_cross_entropy(v, u, label)[0], v)
        yield Comparison({"v": v, "U": u}, d_hidden, slope)
        yield Comparison({"v": v, "U": u}, (maths.softmax(v @ u.T) - np.eye(7)[label]) @ u, slope)


CLAIM = Claim(
    name="skipgram_softmax_center_gradient",
    title="Skip-gram with softmax: centre vector",
    statement="For probabilities softmax(U v) over all words, one output vector u_w a row of U, and the true context word o, "
    "the gradient of the cross-entropy for the centre vector v is U^T (probs - y): the mean output vector minus u_o.",
    latex=r"\frac{\partial J}{\partial v_c} = U^T(\hat y - y) = \sum_w \hat y_w u_w - u_o",
    source="assignment 3(a)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
