"""CBOW's step without the 1/n of its mean."""

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
    """Context of n words with one-dimensional vectors v, two output words, the first is the true one."""
    for n in symbolic.DIMENSIONS:
        v, u = symbolic.vector("v", n), symbolic.vector("u", 2)
        hidden = sp.Symbol("h", real=True)
        loss = symbolic.logsumexp([ui * hidden for ui in u]) - u[0] * hidden
        mean = sum(v) / sp.Integer(n)
        claimed = sp.diff(loss, hidden).subs(hidden, mean)
        yield Comparison({"n": n}, [claimed] * n, symbolic.gradient(loss.subs(hidden, mean), v))


def in_200_bits() -> Iterator[Comparison]:
    """Negative sampling with one negative, as in word2vec: three context words, one dimension."""
    points = ([mp.mpf(1), mp.mpf(2), mp.mpf(3), mp.mpf(1), mp.mpf(-1)], *(flat for [flat] in numeric.points(5)))
    for flat in points:
        *v, u_o, u_k = flat

        def loss(v: list[Any], u_o: Any = u_o, u_k: Any = u_k) -> Any:
            h = sum(v) / len(v)
            return -mp.log(numeric.sigmoid(u_o * h)) - mp.log(numeric.sigmoid(-u_k * h))

        h = sum(v) / 3
        d_hidden = (numeric.sigmoid(u_o * h) - 1) * u_o + numeric.sigmoid(u_k * h) * u_k
        yield Comparison({"v": v, "u_o": u_o, "u_k": u_k}, [d_hidden] * 3, numeric.gradient(loss, v))


def as_shipped() -> Iterator[Comparison]:
    """d_hidden of `linear_cross_entropy` for every context word, against differences of its loss."""
    u, label = np.array([[1.0], [-1.0]]), np.array([0])
    for rows in (np.array([[1.0], [2.0], [3.0]]), *(rows for [rows] in shipped.points((4, 1), count=3))):
        _, d_hidden, _ = maths.linear_cross_entropy(rows.mean(axis=0, keepdims=True), u, label)
        slope = shipped.gradient(
            lambda rows: maths.linear_cross_entropy(rows.mean(axis=0, keepdims=True), u, label)[0], rows
        )
        yield Comparison({"v": rows, "U": u}, np.repeat(d_hidden, len(rows), axis=0), slope)


CLAIM = Claim(
    name="cbow_unscaled_update",
    title="CBOW's step in word2vec, gensim and fastText",
    statement="When the hidden vector is the mean of n context vectors, the gradient for each of them is the gradient for the hidden vector. "
    "(It is n times too large: the mean's factor 1/n is missing.)",
    latex=r"\hat v = \frac1n \sum_j v_{w_{c+j}} \quad\Rightarrow\quad \frac{\partial J}{\partial v_{w_{c+j}}} = \frac{\partial J}{\partial \hat v}",
    source="word2vec.c, gensim (issues 697, 1873, 3266) and fastText; found by arXiv 2012.15332",
    expected="refuted",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
