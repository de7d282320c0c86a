"""Softmax cross-entropy of linear scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """A batch of two rows in two dimensions."""
    dim = 2
    for n_labels in symbolic.DIMENSIONS:
        hidden, weights = symbolic.matrix("h", 2, dim), symbolic.matrix("w", n_labels, dim)
        scores = [list(hidden.row(i) * weights.T) for i in range(2)]
        labels = (0, n_labels - 1)
        loss = sum(symbolic.logsumexp(row) - row[label] for row, label in zip(scores, labels, strict=True)) / 2
        probs = sp.Matrix([symbolic.softmax(row) for row in scores])
        errors = (probs - sp.Matrix([list(sp.eye(n_labels).row(label)) for label in labels])) / 2
        true = symbolic.gradient(loss, [*hidden, *weights])
        yield Comparison({"n_labels": n_labels, "dim": dim}, [errors * weights, errors.T * hidden], true)


def in_200_bits() -> Iterator[Comparison]:
    """The mean over two rows, four labels, three dimensions."""
    eye = [[int(i == j) for j in range(4)] for i in range(4)]
    labels = (1, 3)
    for [flat] in numeric.points(18, scale=2):

        def loss(flat: list[Any]) -> Any:
            rows = numeric.rows(flat, 3)
            hidden, weights = rows[:2], rows[2:]
            scores = [[numeric.dot(h, w) for w in weights] for h in hidden]
            return sum(numeric.cross_entropy(eye[label], row) for row, label in zip(scores, labels, strict=True)) / 2

        rows = numeric.rows(flat, 3)
        hidden, weights = rows[:2], rows[2:]
        errors = []
        for h, label in zip(hidden, labels, strict=True):
            probs = numeric.softmax([numeric.dot(h, w) for w in weights])
            errors.append([(p - y) / 2 for p, y in zip(probs, eye[label], strict=True)])
        d_hidden = [[numeric.dot(e, [w[i] for w in weights]) for i in range(3)] for e in errors]
        d_weights = [[sum(errors[r][c] * hidden[r][i] for r in range(2)) for i in range(3)] for c in range(4)]
        yield Comparison({"h and W": flat}, [d_hidden, d_weights], numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """`linear_cross_entropy`: its gradients against differences of its loss, and its loss against `softmax_cross_entropy`."""
    labels = np.array([1, 3, 1])
    for hidden, weights in shipped.points((3, 2), (4, 2), scale=1.0):
        slope_h = shipped.gradient(lambda h, w=weights: maths.linear_cross_entropy(h, w, labels)[0], hidden)
        slope_w = shipped.gradient(lambda w, h=hidden: maths.linear_cross_entropy(h, w, labels)[0], weights)
        for reduction, times in (("mean", 1), ("sum", len(labels))):
            loss, d_hidden, d_weights = maths.linear_cross_entropy(hidden, weights, labels, reduction)
            yield Comparison({"h": hidden, "W": weights}, d_hidden, times * slope_h)
            yield Comparison({"h": hidden, "W": weights}, d_weights, times * slope_w)
            dense = maths.softmax_cross_entropy(hidden @ weights.T, labels, reduction)[0]
            yield Comparison({"h": hidden, "W": weights}, loss, dense)


CLAIM = Claim(
    name="linear_cross_entropy_gradient",
    title="Linear cross-entropy",
    statement="For scores H W^T of the rows H and the mean of the cross-entropies of n rows, with E = (probs - y) / n: "
    "the gradient for H is E W and for W it is E^T H.",
    latex=r"J = \frac1n \sum_r \mathrm{CE}(y_r, \mathrm{softmax}(h_r W^T)),\quad E = \frac{\hat Y - Y}{n} \quad\Rightarrow\quad "
    r"\frac{\partial J}{\partial H} = E\,W,\quad \frac{\partial J}{\partial W} = E^T H",
    source="lexigrad.maths.linear_cross_entropy",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
