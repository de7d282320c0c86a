"""log(1 + y) behind every log-probability: its error, its seams, and that emitted and plain arithmetic agree."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from lexigrad.machine.vectors import Plain
from lexigrad.maths.log1p import SQRT2_MINUS_1, log1p_of, log1p_parts
from lexigrad.maths.row_loops import log1p
from tests.maths.reference import mp_ulps

RNG = np.random.default_rng(0)
PLAIN = Plain(np.float64)
SEAM = SQRT2_MINUS_1 + np.spacing(SQRT2_MINUS_1) * np.arange(-3, 4)
UP_TO_ONE = np.concatenate(
    [RNG.uniform(0, 1, 300), 2.0 ** -RNG.uniform(0, 1074, 100), SEAM, [0.0, 5e-324, 2.0**-1022, 1 - 2.0**-53, 1.0]]
)
ABOVE_ONE = np.concatenate(
    [1 + 2.0 ** -RNG.uniform(0, 52, 100), 2.0 ** RNG.uniform(0, 1023, 100), 2.0 ** np.arange(60), 2.0 ** np.arange(1, 60) - 1,
     2.0 * (1 + SEAM) - 1, [2.0**53 + 2, np.nextafter(2.0**1023, 0)]]
)  # fmt: skip


@njit
def scalar(y):
    return log1p(y, 0.0)


def rounded(parts: tuple[Any, Any]) -> Any:
    value, rest = parts
    return value + rest


def worst(y: Any, result: Any, low: Any = 0.0) -> float:
    with mpmath.workprec(1200):
        pairs = zip(y, np.broadcast_to(low, y.shape), result, strict=True)
        return max(
            mp_ulps(r, mpmath.log1p(mpmath.mpf(float(h)) + mpmath.mpf(float(b))), "float64") for h, b, r in pairs
        )


def test_error_up_to_1() -> None:
    assert worst(UP_TO_ONE, rounded(log1p_parts(PLAIN, UP_TO_ONE, np.zeros_like(UP_TO_ONE)))) < 0.75


def test_error_with_a_low_part() -> None:
    y = UP_TO_ONE[UP_TO_ONE > 2.0**-900]
    low = np.spacing(y) * RNG.uniform(-0.5, 0.5, y.size)
    assert worst(y, rounded(log1p_parts(PLAIN, y, low)), low) < 0.75


@pytest.mark.parametrize("y", [UP_TO_ONE, ABOVE_ONE], ids=["up to 1", "above 1"])
def test_error_of_any_size(y: Any) -> None:
    assert worst(y, rounded(log1p_of(PLAIN, y, np.zeros_like(y)))) < 0.75


def test_error_above_1_with_a_low_part() -> None:
    low = np.spacing(ABOVE_ONE) * RNG.uniform(-0.5, 0.5, ABOVE_ONE.size)
    assert worst(ABOVE_ONE, rounded(log1p_of(PLAIN, ABOVE_ONE, low)), low) < 0.75


@pytest.mark.parametrize("y", [UP_TO_ONE, ABOVE_ONE], ids=["up to 1", "above 1"])
def test_the_emitted_scalar_equals_the_plain_one(y: Any) -> None:
    np.testing.assert_array_equal(
        [rounded(scalar(value)) for value in y], rounded(log1p_of(PLAIN, y, np.zeros_like(y)))
    )


def test_known_values() -> None:
    y = np.array([0.0, 1.0, 3.0, 2.0**-60, 2.0**512])
    np.testing.assert_array_equal(
        rounded(log1p_of(PLAIN, y, np.zeros_like(y))), [0, np.log(2), np.log(4), 2.0**-60, 512 * np.log(2)]
    )


def test_nan() -> None:
    assert np.isnan(rounded(scalar(np.nan)))
    with np.errstate(invalid="ignore"):
        assert np.isnan(rounded(log1p_parts(PLAIN, np.array([np.nan]), np.array([0.0])))).all()
