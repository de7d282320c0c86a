"""The exponential under every loss: one formula, for float32 and float64, vectors and scalars.

    x = n ln 2 + r    with n the integer next to x / ln 2, so |r| <= (ln 2)/2
    exp(x) = 2^n (1 + t),    t = exp(r) - 1 = r + r^2 q(r)

`exp_parts` returns n and t, not their product: a caller that multiplies 1 + t by a factor f can write f + t f and
rounds once less.

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
    headroom : 2^headroom is kept as a factor where a result may be subnormal, so that only the last product rounds there
    lowest : exp(lowest) and what is below it is 0 beside 1, also when summed 2^20 times
    log2_e, ln2_high, ln2_low, coefficients : constants of the formula
    """

    dtype: Any
    mantissa: int
    bias: int
    headroom: int
    lowest: float
    ln2_high: float
    ln2_low: float
    coefficients: tuple[float, ...]
    log2_e: float = 1.4426950408889634

    @property
    def far(self) -> float:
        """Return the size from which a peak is within a factor 2 of all scores that count beside it."""
        return -2.0 * self.lowest

    @property
    def magic(self) -> float:
        """Return 1.5 * 2^mantissa."""
        return 1.5 * 2.0**self.mantissa

    @property
    def magic_bits(self) -> int:
        """Return the bits of `magic` as an integer."""
        return int(np.array([self.magic], self.dtype).view(f"int{np.dtype(self.dtype).itemsize * 8}")[0])


SINGLE = Format(
    dtype=np.float32,
    mantissa=23,
    bias=127,
    headroom=60,
    lowest=-124.0,
    ln2_high=0.693147182464599609375,
    ln2_low=-1.904654323148236017e-9,
    coefficients=(0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.00836874544620514, 0.0013814540579915047),
)  # fmt: skip

DOUBLE = Format(
    dtype=np.float64,
    mantissa=52,
    bias=1023,
    headroom=200,
    lowest=-800.0,
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


def exp_parts(ops: Any, x: Any) -> tuple[Any, Any]:
    """Return (n + magic, t) with exp(x) = 2^n (1 + t), for |x| < 2^20; NaN gives NaN."""
    form = format_of(ops)
    shifted = ops.fma(x, ops.number(form.log2_e), ops.number(form.magic))
    n = shifted - form.magic
    high = ops.fma(n, ops.number(-form.ln2_high), x)
    r = ops.fma(n, ops.number(-form.ln2_low), high)
    q = ops.number(form.coefficients[-1])
    for coefficient in form.coefficients[-2::-1]:
        q = ops.fma(q, r, ops.number(coefficient))
    return shifted, high + ops.fma(n, ops.number(-form.ln2_low), (r * r) * q)


def power_of_two(ops: Any, shifted: Any, offset: Any) -> Any:
    """Return 2^(n + offset) for the n + magic of `exp_parts`; n + offset must be an exponent of normal numbers."""
    form = format_of(ops)
    bits = ops.to_bits(shifted) + (offset - (form.magic_bits - form.bias))
    return ops.from_bits(bits << form.mantissa)
