"""Softmax cross-entropy of a text with several labels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp
from numpy.typing import NDArray

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

LABELS = ((1,), (0, 3), (2, 4, 0))
"""Labels of three texts."""

FLOAT32 = 1e-6
"""Bound for the kernel, which computes in float32."""


def by_algebra() -> Iterator[Comparison]:
    """Any n and m: x is one score, s the sum of the other exponentials, r the other labels' scores. Then n scores, the first m labels."""
    x, r = sp.symbols("x r", real=True)
    s, m = sp.Symbol("s", nonnegative=True), sp.Symbol("m", integer=True, positive=True)
    total = sp.exp(x) + s
    yield Comparison("any n and m", sp.exp(x) / total - 1 / m, sp.diff(sp.log(total) - (x + r) / m, x))
    for n in symbolic.DIMENSIONS:
        for m in range(1, n + 1):
            scores = symbolic.vector("x", n)
            probs = symbolic.softmax(scores)
            loss = sum(symbolic.logsumexp(scores) - score for score in scores[:m]) / sp.Integer(m)
            claimed = [p - sp.Rational(i < m, m) for i, p in enumerate(probs)]
            yield Comparison({"n": n, "m": m}, claimed, symbolic.gradient(loss, scores))


def in_200_bits() -> Iterator[Comparison]:
    """The mean of the labels' losses, differentiated."""
    eye = [[int(i == j) for j in range(5)] for i in range(5)]
    for [x] in numeric.points(5):
        for labels in LABELS:
            true = numeric.gradient(
                lambda x, of=labels: sum(numeric.cross_entropy(eye[label], x) for label in of) / len(of), x
            )
            probs = numeric.softmax(x)
            claimed = [probs[i] - mp.mpf(i in labels) / len(labels) for i in range(5)]
            yield Comparison({"x": x}, claimed, true)


@cache
def _compiled(helper: Any) -> Any:
    """Return a function that calls a helper of the kernels, which Python cannot call itself."""
    from numba import njit

    return njit(lambda *arguments: helper(*arguments))  # noqa: PLW0108


def run_kernel(scores: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return losses (3,) and d_scores (3, 5) from the kernel that training uses."""
    from lexigrad.losses import softmax
    from lexigrad.machine.intrinsics import LANES

    block = np.zeros((5, LANES), np.float32)
    block[:, :3] = scores.T
    labels, offsets = np.array(sum(LABELS, ()), np.int32), np.array([0, 1, 3, 6])
    losses, peak, total = np.zeros(LANES), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
    flat = block.ravel()
    _compiled(softmax.loss_gradient)(flat, 5, labels, offsets, np.arange(LANES), 3, losses, peak, total)
    return losses[:3], flat.reshape(5, LANES)[:, :3].T


def as_shipped() -> Iterator[Comparison]:
    """The training kernel `lexigrad.losses.softmax.loss_gradient` (float32), and `softmax_cross_entropy` with targets 1/m."""
    targets = np.array([[(label in of) / len(of) for label in range(5)] for of in LABELS])
    for [exact] in shipped.points((3, 5)):
        scores = exact.astype("f4").astype("f8")
        losses, d_kernel = run_kernel(scores.astype("f4"))
        true_losses, d_scores = maths.softmax_cross_entropy(scores, targets, reduction="none")

        def mean_of_losses(scores: Any) -> Any:
            logs = maths.log_softmax(scores)
            return -sum(logs[i, list(of)].mean() for i, of in enumerate(LABELS))

        slope = shipped.gradient(mean_of_losses, scores)
        yield Comparison({"x": scores}, d_scores, slope)
        yield Comparison({"x": scores}, d_kernel, slope, FLOAT32)
        yield Comparison({"x": scores}, losses, true_losses, FLOAT32 * float(max(true_losses)))


CLAIM = Claim(
    name="several_labels_gradient",
    title="Several labels on one text",
    statement="The mean of the cross-entropies of the m labels of a text is the cross-entropy with targets y = 1/m on each of them; "
    "its gradient for the scores is softmax(x) - y.",
    latex=r"J = -\frac1m \sum_{l \in L} \log \hat y_l \quad\Rightarrow\quad \frac{\partial J}{\partial x_k} = \hat y_k - \frac{[k \in L]}{m}",
    source="lexigrad.losses.softmax",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
