"""The gradient of softmax cross-entropy in the received text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The formula against the derivative of the loss; the first label is the true one."""
    for n in symbolic.DIMENSIONS:
        x = symbolic.vector("x", n)
        probs = symbolic.softmax(x)
        yield Comparison({"n": n}, [p * (1 - p) for p in probs], symbolic.gradient(-sp.log(probs[0]), x))


def in_200_bits() -> Iterator[Comparison]:
    """The formula and differences of the loss."""
    for x in ([mp.mpf(1), mp.mpf(2)], *(x for [x] in numeric.points(4))):
        y = [1] + [0] * (len(x) - 1)
        true = numeric.gradient(lambda x, y=y: numeric.cross_entropy(y, x), x)
        yield Comparison({"x": x, "y": y}, [p * (1 - p) for p in numeric.softmax(x)], true)


def as_shipped() -> Iterator[Comparison]:
    """The formula with `softmax` and differences of `softmax_cross_entropy`."""
    for x in (np.array([1.0, 2.0]), *(x for [x] in shipped.points(4))):
        probs = maths.softmax(x)
        slope = shipped.gradient(lambda x: maths.softmax_cross_entropy(x[None], [0])[0], x)
        yield Comparison({"x": x, "label": 0}, probs * (1 - probs), slope)


CLAIM = Claim(
    name="received_softmax_gradient",
    title="Gradient p (1 - p) of softmax cross-entropy",
    statement="The gradient of softmax cross-entropy for the scores is p (1 - p). (It keeps only the diagonal of the Jacobian and drops -y; "
    "it does not sum to 0. Right is p - y.)",
    latex=r"\frac{\partial \mathrm{CE}(y, \hat y)}{\partial \theta} = \hat y \circ (1 - \hat y)",
    source="the received solution of assignment 2(b)",
    expected="refuted",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
