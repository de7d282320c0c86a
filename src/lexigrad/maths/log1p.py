"""log(1 + y) for y in [0, 1], float64: what stands behind every log-probability.

With 1 + y = 2^k (1 + f), k = 1 where y > sqrt(2) - 1 and else 0, so that f lies in [-0.293, 0.4142]:

    log(1 + f) = 2 atanh(s),   s = f / (2 + f);    2 atanh(s) = 2 s + s z p(z),   z = s^2
               = f - (f^2/2 - s (f^2/2 + z p(z)))
    log(1 + y) = k ln 2 + log(1 + f)

The large term f is added last and is exact. p is the minimax polynomial, relative error 2^-59.1 (`scripts/coefficients.py`). y comes
as a sum high + low, and low enters to first order: low / (1 + y). The result is a sum value + rest, too: what the last additions
lose stays in the rest, so that a caller who adds the logarithm to something rounds once less.

Error of value + rest, rounded: below 0.75 ulp (`tests/maths/test_log1p.py`). The form with f^2/2 split off is K. Ng's (fdlibm, 1993).
"""

from __future__ import annotations

from typing import Any

from lexigrad.maths.exp import DOUBLE

SQRT2_MINUS_1 = 0.41421356237309503
COEFFICIENTS = (
    0.6666666666666735, 0.3999999999941109, 0.28571428743262955, 0.22222198475963328, 0.18183569740789435, 0.1531390322562016,
    0.14797507887340494,
)  # fmt: skip


def log1p_parts(ops: Any, high: Any, low: Any) -> tuple[Any, Any]:
    """Return log(1 + high + low) as value + rest, for 0 <= high <= 1 and |low| <= ulp(high), float64; NaN gives NaN."""
    large = high > SQRT2_MINUS_1
    less = high - 1.0
    lost = high - (less + 1.0)
    f = ops.select(large, less * 0.5, high)
    rest = ops.select(large, (low + lost) * 0.5, low)
    rest = rest * (f * (f * (f * -0.8 + 1.0) - 1.0) + 1.0)  # about 1 / (1 + f)
    s = f / (f + 2.0)
    z = s * s
    p = ops.number(COEFFICIENTS[-1])
    for coefficient in COEFFICIENTS[-2::-1]:
        p = ops.fma(p, z, ops.number(coefficient))
    half = f * f * 0.5
    rest = rest - ops.fma(f * 0.5, f, -half)
    correction = half - ops.fma(s, half + z * p, rest)
    log_f = f - correction
    rest = (f - log_f) - correction
    ln2_low = ops.select(large, ops.number(DOUBLE.ln2_low), ops.number(0.0))
    ln2_high = ops.select(large, ops.number(DOUBLE.ln2_high), ops.number(0.0))
    value = ln2_high + log_f
    return value, ((ln2_high - value) + log_f) + (rest + ln2_low)


def log1p_of(ops: Any, y: Any, low: Any) -> tuple[Any, Any]:
    """Return log(1 + y + low) as value + rest, for 0 <= y < 2^1023 and |low| <= ulp(y), float64.

    Above 1 by 1 + y = 2^n (1 + y'), log = n ln 2 + log(1 + y').
    """
    form = DOUBLE
    total = y + 1.0
    lost = ops.select(y > 1.0, (y - total) + 1.0, y - (total - 1.0))
    bits = ops.to_bits(total)
    exponent = ops.exponent(bits)
    scale = ops.from_bits((ops.integer(2 * form.bias) - exponent) << form.mantissa)
    fraction = total * scale - 1.0
    n = ops.count_to_double(exponent - form.bias)
    small = y < 1.0
    high = ops.select(small, y, fraction)
    log_high, rest = log1p_parts(ops, high, ops.select(small, low, (lost + low) * scale))
    ln2_n = ops.select(small, ops.number(0.0), n * form.ln2_high)
    ln2_rest = ops.select(small, ops.number(0.0), ops.fma(n, ops.number(form.ln2_high), -ln2_n) + n * form.ln2_low)
    value = ln2_n + log_high
    return value, ((ln2_n - value) + log_high) + (rest + ln2_rest)
