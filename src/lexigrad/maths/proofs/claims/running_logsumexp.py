"""Log-sum-exp of a long row, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The exponentials of both sides, for blocks of any length and any three numbers m1, m2, m."""
    m, m1, m2 = sp.symbols("m m1 m2", real=True)
    n1, n2, j = sp.symbols("n1 n2 j", integer=True, positive=True)
    x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
    s1, s2 = sp.Sum(sp.exp(x[j] - m1), (j, 1, n1)), sp.Sum(sp.exp(y[j] - m2), (j, 1, n2))
    merged = s1 * sp.exp(m1 - m) + s2 * sp.exp(m2 - m)
    whole = sp.Sum(sp.exp(x[j]), (j, 1, n1)) + sp.Sum(sp.exp(y[j]), (j, 1, n2))
    yield Comparison("any blocks", sp.exp(m) * merged, whole)


def in_200_bits() -> Iterator[Comparison]:
    """Blocks of 4, 1 and 7 numbers, merged one after the other."""
    for blocks in numeric.points(4, 1, 7, scale=30):
        peak, total = mp.ninf, mp.mpf(0)
        for block in blocks:
            top = max(block)
            of_block = sum(mp.exp(x - top) for x in block)
            higher = max(peak, top)
            total = total * mp.exp(peak - higher) + of_block * mp.exp(top - higher)
            peak = higher
        yield Comparison({"x": blocks}, peak + mp.log(total), numeric.logsumexp([*chain(*blocks)]))


def as_shipped() -> Iterator[Comparison]:
    """`logsumexp` of a row, and of the `logsumexp` of its blocks; a row of 10,000 scores is longer than a block of the kernel."""
    for [x] in shipped.points(10_000, scale=10):
        blocks = [maths.logsumexp(part) for part in np.array_split(x, 7)]
        yield Comparison({"x": x}, maths.logsumexp(np.array(blocks)), maths.logsumexp(x), 1e-13)


CLAIM = Claim(
    name="running_logsumexp",
    title="Log-sum-exp by blocks",
    statement="If s1 and s2 are the sums of exp(x - m1) and exp(x - m2) over two blocks, then for any m the log-sum-exp of both is "
    "m + log(s1 exp(m1 - m) + s2 exp(m2 - m)). The kernels take m = max(m1, m2).",
    latex=r"\log \sum_{j \in A \cup B} e^{x_j} = m + \log\left(s_A\,e^{m_A - m} + s_B\,e^{m_B - m}\right), \quad s_A = \sum_{j \in A} e^{x_j - m_A}",
    source="Milakov and Gimelshein 2018, Online normalizer calculation for softmax, arXiv 1805.02867",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
