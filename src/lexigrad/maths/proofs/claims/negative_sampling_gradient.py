"""Negative sampling: the gradients for the centre vector, the true word and the negatives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

DIM = 2


def by_algebra() -> Iterator[Comparison]:
    """K = 1..4 negatives, two dimensions."""
    for n_negatives in range(1, 5):
        v, u_o = symbolic.vector("v", DIM), symbolic.vector("o", DIM)
        u_k = [symbolic.vector(f"u{k + 1}_", DIM) for k in range(n_negatives)]
        s_o = symbolic.sigmoid(symbolic.dot(u_o, v))
        s_k = [symbolic.sigmoid(-symbolic.dot(u, v)) for u in u_k]
        loss = -sp.log(s_o) - sum(sp.log(s) for s in s_k)
        d_v = [(s_o - 1) * u_o[i] - sum((s - 1) * u[i] for s, u in zip(s_k, u_k, strict=True)) for i in range(DIM)]
        d_o = [(s_o - 1) * vi for vi in v]
        d_k = [-(s - 1) * vi for s in s_k for vi in v]
        true = symbolic.gradient(loss, [*v, *u_o, *(entry for u in u_k for entry in u)])
        yield Comparison({"K": n_negatives, "dim": DIM}, [d_v, d_o, d_k], true)


def loss_in_200_bits(flat: list[Any]) -> Any:
    """Return the loss of v, u_o and the u_k, of three numbers each."""
    v, u_o, *u_k = numeric.rows(flat, 3)
    negatives = sum(mp.log(numeric.sigmoid(-numeric.dot(u, v))) for u in u_k)
    return -mp.log(numeric.sigmoid(numeric.dot(u_o, v))) - negatives


def in_200_bits() -> Iterator[Comparison]:
    """Four negatives, three dimensions."""
    for [flat] in numeric.points(3 * 6, scale=2):
        v, u_o, *u_k = numeric.rows(flat, 3)
        e_o = numeric.sigmoid(numeric.dot(u_o, v)) - 1
        e_k = [numeric.sigmoid(-numeric.dot(u, v)) - 1 for u in u_k]
        d_v = [e_o * u_o[i] - sum(e * u[i] for e, u in zip(e_k, u_k, strict=True)) for i in range(3)]
        claimed = [d_v, [e_o * vi for vi in v], [[-e * vi for vi in v] for e in e_k]]
        yield Comparison({"vectors": flat}, claimed, numeric.gradient(loss_in_200_bits, flat))


def loss_as_shipped(v: Any, u: Any) -> Any:
    """Return the loss with `log_sigmoid`; the first row of u is the true word's."""
    signs = np.where(np.arange(len(u)) == 0, 1.0, -1.0)
    return -maths.log_sigmoid(signs * (u @ v)).sum()


def as_shipped() -> Iterator[Comparison]:
    """The formula with `sigmoid`, against differences of the loss composed of `log_sigmoid`."""
    for v, u in shipped.points(4, (6, 4), scale=1.0):
        errors = maths.sigmoid(u @ v) - np.eye(6)[0]  # sigma(x) = 1 - sigma(-x): the negatives' -(sigma(-x) - 1)
        yield Comparison({"v": v, "U": u}, errors @ u, shipped.gradient(lambda v, u=u: loss_as_shipped(v, u), v))
        yield Comparison(
            {"v": v, "U": u}, np.outer(errors, v), shipped.gradient(lambda u, v=v: loss_as_shipped(v, u), u)
        )


CLAIM = Claim(
    name="negative_sampling_gradient",
    title="Negative sampling",
    statement="For J = -log s(u_o v) - sum_k log s(-u_k v), with s the sigmoid and K negatives: the gradient for v is "
    "(s(u_o v) - 1) u_o - sum_k (s(-u_k v) - 1) u_k, for u_o it is (s(u_o v) - 1) v, and for u_k it is -(s(-u_k v) - 1) v. "
    "It takes K + 1 dot products, where softmax takes one for every word.",
    latex=r"\frac{\partial J}{\partial v_c} = (\sigma(u_o^T v_c) - 1)\,u_o - \sum_k (\sigma(-u_k^T v_c) - 1)\,u_k,\quad "
    r"\frac{\partial J}{\partial u_o} = (\sigma(u_o^T v_c) - 1)\,v_c,\quad \frac{\partial J}{\partial u_k} = -(\sigma(-u_k^T v_c) - 1)\,v_c",
    source="assignment 3(c)",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
