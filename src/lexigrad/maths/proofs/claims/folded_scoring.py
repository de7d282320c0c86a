"""Scores from a folded matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison

FLOAT32 = 1e-6
"""Bound for the kernel, which stores float32."""


def by_algebra() -> Iterator[Comparison]:
    """Means of n rows of A, dim 3, two labels."""
    for n in symbolic.DIMENSIONS:
        a, b = symbolic.matrix("a", n, 3), symbolic.matrix("b", 2, 3)
        mean = sp.ones(1, n) / n
        yield Comparison({"n": n, "dim": 3, "labels": 2}, mean * (a * b.T), (b * (mean * a).T).T)


def in_200_bits() -> Iterator[Comparison]:
    """Six rows, dim 4, three labels."""
    for flat_a, flat_b in numeric.points(24, 12):
        a, b = numeric.rows(flat_a, 4), numeric.rows(flat_b, 4)
        mean = [sum(row[k] for row in a) / 6 for k in range(4)]
        folded = [[numeric.dot(row, weights) for weights in b] for row in a]
        claimed = [sum(row[label] for row in folded) / 6 for label in range(3)]
        yield Comparison({"A": flat_a, "B": flat_b}, claimed, [numeric.dot(weights, mean) for weights in b])


def as_shipped() -> Iterator[Comparison]:
    """The kernel `lexigrad.kernels.fold.fold` (float32), its rows averaged, against the scores of the mean in float64."""
    from lexigrad.kernels.fold import fold

    none, nothing = np.empty(0, np.uint8), np.empty(0, np.float32)
    for a, b in shipped.points((6, 8), (3, 8), scale=1.0):
        a, b = a.astype("f4"), b.astype("f4")
        folded = np.zeros(18, np.float32)
        fold(a.ravel().view(np.uint8), 0, 0, none, nothing, nothing, b.ravel().astype("f8"), 8, 3, 0, 6, folded)
        claimed = folded.reshape(6, 3).mean(axis=0, dtype="f8")
        yield Comparison({"A": a, "B": b}, claimed, b.astype("f8") @ a.mean(axis=0, dtype="f8"), FLOAT32)


CLAIM = Claim(
    name="folded_scoring",
    title="Folded scoring",
    statement="The scores B h of the mean h of some rows of A are the mean of the same rows of A B^T, which is computed once for all texts.",
    latex=r"B \left(\frac1n \sum_{i \in T} a_i\right) = \frac1n \sum_{i \in T} (A B^T)_i",
    source="lexigrad.kernels.fold.fold",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
