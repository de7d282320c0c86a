"""Products of tall and narrow matrices against NumPy, compiled and with NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from lexigrad.machine import tiles

STRIDES = [tiles.WIDTH * k for k in (1, 2, 3, 4, 5, 9)]


@njit
def run_add_products(tall, start, n, dim, narrow, out, out_start, stride):
    tiles.add_products(tall, start, n, dim, narrow, out, out_start, stride)


@njit
def run_add_outer(tall, start, n, dim, factors, f_start, out, stride):
    tiles.add_outer(tall, start, n, dim, factors, f_start, out, stride)


@njit
def run_add_column(rows, values, first, stop, narrow, n_start, out, stride):
    tiles.add_column(rows, values, first, stop, narrow, n_start, out, stride)


@njit
def run_add_from_column(rows, values, first, stop, factors, out, out_start, stride):
    tiles.add_from_column(rows, values, first, stop, factors, out, out_start, stride)


def close(got: Any, true: Any) -> None:
    bound = 1e-12 if got.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(got, true, rtol=0, atol=bound * max(1.0, np.abs(true).max(initial=0)))


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize(("n", "dim"), [(1, 1), (7, 3), (8, 5), (9, 1), (23, 17), (0, 4)])
def test_dense_products(n: int, dim: int, stride: int) -> None:
    rng = np.random.default_rng(n + dim)
    tall, narrow, out = rng.normal(size=3 + n * dim), rng.normal(size=dim * stride), rng.normal(size=5 + n * stride)
    x = tall[3:].reshape(n, dim)
    got = out.copy()
    run_add_products(tall, 3, n, dim, narrow, got, 5, stride)
    close(got[5:], out[5:] + (x @ narrow.reshape(dim, stride)).ravel())
    assert (got[:5] == out[:5]).all()
    got = narrow.copy()
    run_add_outer(tall, 3, n, dim, out, 5, got, stride)
    close(got, narrow + (x.T @ out[5:].reshape(n, stride)).ravel())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("count", [0, 1, 6])
def test_sparse_products(count: int, stride: int, dtype: Any) -> None:
    rng = np.random.default_rng(count)
    rows = rng.permutation(10)[: count + 3].astype(np.int32)
    values = rng.normal(size=len(rows)).astype(dtype)
    narrow, tall = rng.normal(size=4 * stride).astype(dtype), rng.normal(size=10 * stride).astype(dtype)
    got, true = tall.copy(), tall.reshape(10, stride).astype(np.float64)
    run_add_column(rows, values, 2, 2 + count, narrow, stride, got, stride)
    for row, value in zip(rows[2 : 2 + count], values[2 : 2 + count], strict=True):
        true[row] += value * narrow[stride : 2 * stride].astype(np.float64)
    close(got, true.ravel())
    got, true = narrow.copy(), narrow.astype(np.float64)
    run_add_from_column(rows, values, 2, 2 + count, tall, got, 2 * stride, stride)
    for row, value in zip(rows[2 : 2 + count], values[2 : 2 + count], strict=True):
        true[2 * stride : 3 * stride] += float(value) * tall[row * stride : (row + 1) * stride]
    close(got, true)
