"""The exponential that every loss uses, as one polynomial that vectorises.

x = n ln 2 + r with integer n and |r| <= (ln 2)/2; exp(x) = 2^n exp(r), and exp(r) = 1 + r + r^2 q(r) with the
polynomial q of degree 5
of the Cephes library (S. Moshier, `expf`). ln 2 is split into two floats so that n ln 2 is subtracted almost exactly
(W. Cody and W. Waite, Software Manual for the Elementary Functions, 1980).
"""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import pow2

LOG2_E = np.float32(1.44269504088896341)
LN2_HIGH = np.float32(0.693359375)
LN2_LOW = np.float32(-2.12194440e-4)
LOWEST = np.float32(-87.33654)
"""ln of the smallest normal float32; below it the result is 0."""
HIGHEST = np.float32(88.37626)
"""Above it the result is +inf (the true overflow is at 88.72)."""

Q5 = np.float32(1.9875691500e-4)
Q4 = np.float32(1.3981999507e-3)
Q3 = np.float32(8.3334519073e-3)
Q2 = np.float32(4.1665795894e-2)
Q1 = np.float32(1.6666665459e-1)
Q0 = np.float32(5.0000001201e-1)
ONE = np.float32(1.0)
HALF = np.float32(0.5)
ZERO = np.float32(0.0)
INFINITY = np.float32(np.inf)


@helper
def exp32(x):  # type: ignore[no-untyped-def]
    """Return exp(x), float32 -> float32.

    The error is at most 1 ulp where the result is a normal number (`tests/maths/test_exp.py` measures it against
    float64); results below
    the smallest normal number are 0, those above exp(88.376) are +inf, NaN stays NaN.
    """
    low = LOWEST if x < LOWEST else x
    inside = HIGHEST if low > HIGHEST else low
    n = np.floor(inside * LOG2_E + HALF)
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    q = ((((Q5 * r + Q4) * r + Q3) * r + Q2) * r + Q1) * r + Q0
    value = ((q * (r * r) + r) + ONE) * pow2(n)
    value = ZERO if x < LOWEST else value
    return INFINITY if x > HIGHEST else value
