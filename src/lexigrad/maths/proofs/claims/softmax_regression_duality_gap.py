"""The duality gap of softmax regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

SIZES = ((1, 1, 2), (2, 1, 2), (2, 2, 3))
"""Examples, features and labels of the symbolic proof."""


def parts(x: Any, y: Any, p: Any, b: Any, s: Any, l2: Any, log: Any, logsumexp: Any) -> tuple[Any, Any]:
    """Return f - D, and the sum of the divergences plus b . sum_i s_i (p_i - y_i), with W = X^T A."""
    n, labels = len(x), len(b)
    dim = len(x[0])
    apart = [[s[i] * (y[i][k] - p[i][k]) for k in range(labels)] for i in range(n)]
    w = [[sum(x[i][j] * apart[i][k] for i in range(n)) / l2 for k in range(labels)] for j in range(dim)]
    square = sum(v**2 for row in w for v in row)
    cost, dual, other = l2 / 2 * square, -l2 / 2 * square, 0
    for i in range(n):
        scores = [b[k] + sum(x[i][j] * w[j][k] for j in range(dim)) for k in range(labels)]
        total = logsumexp(scores)
        cost += s[i] * (total - sum(y[i][k] * scores[k] for k in range(labels)))
        dual -= s[i] * sum(v * log(v) for v in p[i])
        other += s[i] * sum(p[i][k] * (log(p[i][k]) - scores[k] + total) for k in range(labels))
    return cost - dual, other - sum(b[k] * apart[i][k] for i in range(n) for k in range(labels))


def by_algebra() -> Iterator[Comparison]:
    """Both sides as expressions."""
    for n, dim, labels in SIZES:
        x, b = symbolic.matrix("x", n, dim).tolist(), symbolic.vector("b", labels)
        y = [symbolic.targets(f"y{i}", labels) for i in range(n)]
        p = [symbolic.targets(f"p{i}", labels) for i in range(n)]
        s, l2 = symbolic.vector("s", n), sp.Symbol("l", positive=True)
        gap, divergences = parts(x, y, p, b, s, l2, sp.log, symbolic.logsumexp)
        yield Comparison({"n": n, "dim": dim, "labels": labels}, [divergences], [gap])


def in_200_bits() -> Iterator[Comparison]:
    """The same for three examples of two features and three labels."""
    for x, raw_y, raw_p, b, s in numeric.points(6, 9, 9, 3, 4, count=5, scale=2):
        y, p = ([numeric.targets(row) for row in numeric.rows(raw, 3)] for raw in (raw_y, raw_p))
        weights = [weight**2 for weight in s]
        gap, divergences = parts(numeric.rows(x, 2), y, p, b, weights[:3], weights[3] + 1, mp.log, numeric.logsumexp)
        yield Comparison({"x": x, "p": raw_p, "b": b}, [divergences], [gap])


def as_shipped() -> Iterator[Comparison]:
    """The cost that `SoftmaxRegression.loss_gradient` gives for W = X^T A, against D plus the divergences and the intercept's part."""
    from lexigrad.maths import log_softmax, softmax
    from lexigrad.models.softmax_regression import SoftmaxRegression

    labels, l2 = np.array([2, 0, 1]), 0.3
    y = np.eye(3)[labels]
    for x, raw, b in shipped.points((3, 2), (3, 3), 3, scale=1.0, count=2):
        model = SoftmaxRegression(l2=l2, threads=1).fit(x, labels)
        p = softmax(raw)
        w = x.T @ (y - p) / l2
        cost, _ = model.loss_gradient(x, labels, params=np.concatenate([w.T.ravel(), b]))
        dual = -(p * np.log(p)).sum() - l2 / 2 * (w**2).sum()
        divergences = (p * (np.log(p) - log_softmax(x @ w + b))).sum()
        yield Comparison({"x": x, "p": p, "b": b}, [dual + divergences - b @ (y - p).sum(axis=0)], [cost])


CLAIM = Claim(
    name="softmax_regression_duality_gap",
    title="Duality gap of softmax regression",
    statement="For distributions p_i over the labels, W = sum_i x_i s_i (y_i - p_i)^T / l and z_i = x_i W + b, let f be softmax regression's cost and "
    "D = -sum_i s_i sum_k p_ik log p_ik - (l/2) |W|^2: f - D = sum_i s_i KL(p_i, softmax(z_i)) - b . sum_i s_i (y_i - p_i). Where the last sum is 0, as the "
    "best intercept makes it, f is above its minimum by at most these divergences.",
    latex=r"W = \frac{1}{\lambda} \sum_i s_i\, x_i (y_i - p_i)^T,\quad J - D = \sum_i s_i\, \mathrm{KL}\bigl(p_i \,\|\, \mathrm{softmax}(z_i)\bigr) "
    r"- b \cdot \sum_i s_i (y_i - p_i)",
    source="lexigrad.SoftmaxRegression",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
