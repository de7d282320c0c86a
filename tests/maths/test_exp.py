"""The one exponential: accuracy against float64 and the edges."""

from __future__ import annotations

import numpy as np
from numba import njit

from lexigrad.maths.exp import exp32


@njit
def fill(x, y):
    for i in range(x.size):
        y[i] = exp32(x[i])


def exp_of(x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    fill(x, y)
    return y


def test_error_is_below_one_ulp() -> None:
    x = np.concatenate([np.linspace(-87.3, 88.3, 20_001), np.linspace(-1, 1, 20_001), [0.0, -0.0]]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    ulps = np.abs(exp_of(x) - exact) / np.spacing(exact.astype(np.float32))
    assert ulps.max() < 1.0


def test_edges() -> None:
    x = np.array([-np.inf, -1e30, -87.4, 0, 88.5, 1e30, np.inf], np.float32)
    np.testing.assert_array_equal(exp_of(x), np.array([0, 0, 0, 1, np.inf, np.inf, np.inf], np.float32))
    assert np.isnan(exp_of(np.array([np.nan], np.float32)))[0]
