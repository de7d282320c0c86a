"""fastText's table of the sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric
from lexigrad.maths.proofs.claim import Claim, Comparison

STEPS = 512
"""SIGMOID_TABLE_SIZE of fastText's src/loss.cc."""

LIMIT = 8
"""MAX_SIGMOID of the same file: the table covers [-8, 8]."""

TOLERANCE = 1e-3
"""What the claim allows."""

POINTS = (0.03124, -0.00001, 0.5, 3.3, 7.9)
"""The first is just below the second step after 0, where the table is worst."""


def position(x: float) -> int:
    """Return the place in the table, which is cut off and not rounded."""
    return int((x + LIMIT) * STEPS / LIMIT / 2)


def in_200_bits() -> Iterator[Comparison]:
    """The table's entry, computed in 200 bits, and the sigmoid."""
    for x in POINTS:
        entry = numeric.sigmoid(mp.mpf(position(x) * 2 * LIMIT) / STEPS - LIMIT)
        yield Comparison({"x": x}, entry, numeric.sigmoid(mp.mpf(x)), TOLERANCE)


def as_shipped() -> Iterator[Comparison]:
    """The table in float32, as fastText builds it, and `sigmoid`."""
    grid = np.arange(STEPS + 1, dtype=np.float32) * 2 * LIMIT / STEPS - LIMIT
    table = 1 / (1 + np.exp(-grid))
    for x in POINTS:
        yield Comparison({"x": x}, table[position(x)], maths.sigmoid(x), TOLERANCE)


CLAIM = Claim(
    name="fasttext_sigmoid_table",
    title="fastText's table of the sigmoid",
    statement="A table of the sigmoid with 512 steps on [-8, 8], looked up without rounding or interpolation, is within 0.001 of the sigmoid. "
    "(It is off by up to step times slope, 1/32 * 1/4 = 0.0078.)",
    latex=r"\left| T_{\lfloor 32 (x + 8) \rfloor} - \sigma(x) \right| \le 10^{-3}, \qquad T_i = \sigma(i/32 - 8)",
    source="fastText, src/loss.cc",
    expected="refuted",
    numeric=in_200_bits,
    shipped=as_shipped,
)
