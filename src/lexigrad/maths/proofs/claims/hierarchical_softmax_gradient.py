"""Hierarchical softmax: the gradient of a path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

TURNS = (1, 0, 0, 1)
"""Turns on the path: 1 where it goes to the child whose probability is sigmoid(score)."""


def by_algebra() -> Iterator[Comparison]:
    """Any path: x is the score of one node, r the terms of the other nodes; both turns."""
    x, r = sp.symbols("x r", real=True)
    s = symbolic.sigmoid(x)
    yield Comparison("any path, turn 1", s - 1, sp.diff(r - sp.log(s), x))
    yield Comparison("any path, turn 0", s, sp.diff(r - sp.log(1 - s), x))


def in_200_bits() -> Iterator[Comparison]:
    """Four nodes, three dimensions: the gradients for the hidden vector and the nodes' vectors."""
    for [flat] in numeric.points(15, scale=2):

        def loss(flat: list[Any]) -> Any:
            h, *nodes = numeric.rows(flat, 3)
            steps = (numeric.sigmoid(numeric.dot(node, h)) for node in nodes)
            return -sum(mp.log(s if turn else 1 - s) for s, turn in zip(steps, TURNS, strict=True))

        h, *nodes = numeric.rows(flat, 3)
        errors = [numeric.sigmoid(numeric.dot(node, h)) - turn for node, turn in zip(nodes, TURNS, strict=True)]
        d_h = [numeric.dot(errors, [node[i] for node in nodes]) for i in range(3)]
        claimed = [d_h, [[error * hi for hi in h] for error in errors]]
        yield Comparison({"h and nodes": flat}, claimed, numeric.gradient(loss, flat))


def as_shipped() -> Iterator[Comparison]:
    """The formula with `sigmoid`, against differences of a loss composed of `log_sigmoid`."""
    signs = 2.0 * np.array(TURNS) - 1
    for h, nodes in shipped.points(4, (4, 4), scale=1.0):
        errors = maths.sigmoid(nodes @ h) - TURNS
        slope_h = shipped.gradient(lambda h, nodes=nodes: -maths.log_sigmoid(signs * (nodes @ h)).sum(), h)
        slope_nodes = shipped.gradient(lambda nodes, h=h: -maths.log_sigmoid(signs * (nodes @ h)).sum(), nodes)
        yield Comparison({"h": h, "nodes": nodes}, errors @ nodes, slope_h)
        yield Comparison({"h": h, "nodes": nodes}, np.outer(errors, h), slope_nodes)


CLAIM = Claim(
    name="hierarchical_softmax_gradient",
    title="Gradient of hierarchical softmax",
    statement="The log-probability of a leaf is the sum over the inner nodes of its path; with t = 1 where the path takes the child of "
    "probability sigmoid(node . h) and t = 0 at the other, each node's score has the gradient sigmoid(node . h) - t.",
    latex=r"J = -\sum_{n \in \mathrm{path}} \log\left(t_n \sigma(\theta_n^T h) + (1 - t_n)\,\sigma(-\theta_n^T h)\right) \Rightarrow "
    r"\frac{\partial J}{\partial \theta_n} = (\sigma(\theta_n^T h) - t_n)\,h,\quad "
    r"\frac{\partial J}{\partial h} = \sum_n (\sigma(\theta_n^T h) - t_n)\,\theta_n",
    source="Mikolov et al. 2013, Distributed Representations of Words and Phrases and their Compositionality, section 2.1",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
