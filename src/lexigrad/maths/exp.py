"""The exponential under every loss: one formula, for float32 and float64, vectors and scalars.

    x = n ln 2 + r    with n the integer next to x / ln 2, so |r| <= (ln 2)/2
    exp(x) = 2^n (1 + t),    t = exp(r) - 1 = r + r^2 q(r)

`exp_parts` returns t and s = 2^(n + offset), not their product: a caller that multiplies 1 + t by a factor f can write f + t f and
rounds once less; the offset keeps a result that may be subnormal among the normal numbers until the last product.

n is found by adding a large number, `magic`, whose last digit is worth 1: the sum holds n in its lowest bits. With the exponent's bias
and the offset added to `magic` beforehand, those bits are the exponent of s and need only be moved to its place.

Error. ln 2 is split into high + low with a full-length high, and n * high is subtracted by a fused multiply-add. That
subtraction is exact: x and n * high are multiples of ulp(high)/2 and the difference is below 1/2. n * low enters t
after the polynomial, so t is rounded once at its full size: |error of t| < 0.5 u, where u = 2^-24 or 2^-53
(`tests/maths/test_exp.py` measures it against 200-bit arithmetic and against every float32). q is the minimax polynomial
of (exp(r) - 1 - r) / r^2 with the relative error of exp(r) minimised (Remez exchange, `scripts/coefficients.py`): 2^-28.0 for float32, 2^-60.2 for
float64.

Source of the reduction: W. Cody and W. Waite, Software Manual for the Elementary Functions, 1980.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Format:
    """What the formula needs to know of a floating-point format.

    Attributes
    ----------
    mantissa : bits after the leading one
    bias : what is added to an exponent before it is stored
    magic : 1.5 * 2^mantissa; adding it rounds to an integer, which then stands in the lowest bits
    headroom : offset where a result may be subnormal, so that only the last product rounds there
    log2_e, ln2_high, ln2_low, coefficients : constants of the formula
    """

    dtype: Any
    mantissa: int
    bias: int
    headroom: int
    ln2_high: float
    ln2_low: float
    coefficients: tuple[float, ...]
    log2_e: float = 1.4426950408889634

    @property
    def depth(self) -> int:
        """Return the n from which 2^-n, with the headroom, is not a normal number and counts as 0 beside 1."""
        return self.bias + self.headroom

    @property
    def far(self) -> float:
        """Return the size from which a peak is within a factor 2 of all scores that count beside it."""
        return 2.0 * self.ln2_high * (self.depth + 1)

    @property
    def magic(self) -> float:
        """Return 1.5 * 2^mantissa."""
        return 1.5 * 2.0**self.mantissa


SINGLE = Format(
    dtype=np.float32,
    mantissa=23,
    bias=127,
    headroom=60,
    ln2_high=0.693147182464599609375,
    ln2_low=-1.904654323148236017e-9,
    coefficients=(0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.00836874544620514, 0.0013814540579915047),
)  # fmt: skip

DOUBLE = Format(
    dtype=np.float64,
    mantissa=52,
    bias=1023,
    headroom=200,
    ln2_high=0.693147180559945286226764,
    ln2_low=2.319046813846299558e-17,
    coefficients=(
        0.5, 0.16666666666666682, 0.041666666666666095, 0.008333333333316982, 0.0013888888889116355, 0.00019841269896515596,
        2.4801586925731813e-05, 2.75572347274011e-06, 2.755758227017098e-07, 2.5112084638646683e-08, 2.0826586278037133e-09,
    ),
)  # fmt: skip


def format_of(ops: Any) -> Format:
    """Return the format that the values of `ops` have."""
    return SINGLE if ops.bits == 32 else DOUBLE


def magic_for(ops: Any, offset: Any) -> Any:
    """Return what makes `exp_parts` give s = 2^(n + offset)."""
    form = format_of(ops)
    return ops.number(form.magic + form.bias) + offset


def exponent_of(ops: Any, x: Any) -> Any:
    """Return the n of exp(x) = 2^n (1 + t), as a float."""
    form = format_of(ops)
    return ops.fma(x, ops.number(form.log2_e), ops.number(form.magic)) - form.magic


def exp_pieces(ops: Any, x: Any, magic: Any) -> tuple[Any, Any, Any]:
    """Return (a, b, s): the t of `exp_parts` as a + b before that sum is rounded, |b| < 0.09, and its s."""
    form = format_of(ops)
    shifted = ops.fma(x, ops.number(form.log2_e), magic)
    n = shifted - magic
    high = ops.fma(n, ops.number(-form.ln2_high), x)
    r = ops.fma(n, ops.number(-form.ln2_low), high)
    q = ops.number(form.coefficients[-1])
    for coefficient in form.coefficients[-2::-1]:
        q = ops.fma(q, r, ops.number(coefficient))
    return (
        high,
        ops.fma(n, ops.number(-form.ln2_low), (r * r) * q),
        ops.from_bits(ops.to_bits(shifted) << form.mantissa),
    )


def exp_parts(ops: Any, x: Any, magic: Any) -> tuple[Any, Any]:
    """Return (t, s) with exp(x) = s (1 + t) / 2^offset, for |x| < 2^20 and s an exponent of normal numbers; NaN gives a t of NaN.

    Where the exponent of s is just below the normal numbers, s is 0.
    """
    high, correction, s = exp_pieces(ops, x, magic)
    return high + correction, s
