"""The one exponential: its error in float32 and float64, its edges, and that emitted and plain arithmetic agree."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numba import njit

from lexigrad.machine.vectors import Plain
from lexigrad.maths.exp import exp_parts, exponent_of, magic_for
from lexigrad.maths.row_loops import exp, exponentials

RNG = np.random.default_rng(0)


@njit
def fill(x):
    exponentials(x, x.size)


@njit
def scalar(x):
    return exp(x)


def exp_of(x: np.ndarray) -> np.ndarray:
    y = x.copy()
    fill(y)
    return y


def test_float32_error_is_below_one_ulp() -> None:
    x = np.concatenate([np.linspace(-87.3, 88, 20_001), np.linspace(-1, 1, 20_001), [0.0, -0.0]]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    ulps = np.abs(exp_of(x) - exact) / np.spacing(exact.astype(np.float32))
    assert ulps.max() < 1.0


def test_float64_error_is_below_one_ulp() -> None:
    with mpmath.workprec(200):
        for x in RNG.uniform(-87, 88, 500):
            exact = mpmath.exp(mpmath.mpf(float(x)))
            for value in (exp_of(np.array([x]))[0], scalar(x)):
                assert abs(float((mpmath.mpf(float(value)) - exact) / float(np.spacing(float(exact))))) < 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_remainder_is_off_by_less_than_half_a_unit(dtype: type) -> None:
    """The bound that the argument for softmax uses: 1 + t before it is rounded."""
    ops = Plain(dtype)
    unit = float(np.finfo(dtype).eps) / 2
    x = RNG.uniform(-300, 300, 2_000).astype(dtype)
    t, _ = exp_parts(ops, x, magic_for(ops, 0))
    n = exponent_of(ops, x)
    with mpmath.workprec(200):
        for i in range(len(x)):
            exact = mpmath.exp(mpmath.mpf(float(x[i])) - int(n[i]) * mpmath.log(2))
            assert abs(float((1 + mpmath.mpf(float(t[i])) - exact) / exact)) < 0.6 * unit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_power_of_two(dtype: type) -> None:
    ops = Plain(dtype)
    _, s = exp_parts(ops, np.array([-80.0, 0.0, 0.3, 0.4, 80.0], dtype), magic_for(ops, 3))
    assert np.log2(s).tolist() == [-112.0, 3.0, 3.0, 4.0, 118.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_power_below_the_normal_numbers_is_zero(dtype: type) -> None:
    ops, bias = Plain(dtype), np.finfo(dtype).maxexp - 1
    _, s = exp_parts(ops, np.log(2) * np.array([-bias, -bias - 0.4, 1 - bias], dtype), magic_for(ops, 0))
    assert s.tolist() == [0.0, 0.0, 2.0 ** (1 - bias)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges(dtype: type) -> None:
    smallest = float(np.log(np.finfo(dtype).smallest_normal))
    x = np.array([-np.inf, -1e30, smallest - 0.7, 0], dtype)
    np.testing.assert_array_equal(exp_of(x), np.array([0, 0, 0, 1], dtype))
    assert np.isnan(exp_of(np.array([np.nan], dtype)))[0]
    assert exp_of(np.empty(0, dtype)).size == 0
    assert np.isnan(scalar(np.nan))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_and_emitted_agree(dtype: type) -> None:
    x = RNG.uniform(-87, 80, 1_003).astype(dtype)
    ops = Plain(dtype)
    t, s = exp_parts(ops, x, magic_for(ops, 0))
    np.testing.assert_allclose(exp_of(x), s * (1 + t), rtol=2 * np.finfo(dtype).eps, atol=0)
