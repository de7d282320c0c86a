"""Exact results, errors in ulp and memory layouts for the tests of the functions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import config

Array = np.ndarray[Any, Any]

COMPILED = not config.DISABLE_JIT
EXTENDED = bool(np.finfo(np.longdouble).nmant >= 63)
DTYPES = [
    "float32",
    pytest.param("float64", marks=pytest.mark.skipif(not EXTENDED, reason="np.longdouble is no wider than float64")),
]


def ulp(exact: Array, dtype: str) -> Array:
    """Return the unit in the last place of `dtype` at exact results; the smallest subnormal below the normal numbers."""
    form = np.finfo(dtype)
    size = np.clip(np.abs(exact), form.smallest_normal, form.max).astype(np.longdouble)
    return np.ldexp(np.longdouble(1), np.frexp(size)[1] - 1 - form.nmant)


def ulps(result: Any, exact: Any, size: Any = None) -> float:
    """Return the largest error in ulp of the result's dtype, counted at `size` (default: at the exact result)."""
    result, exact = np.asarray(result), np.asarray(exact, np.longdouble)
    assert result.shape == exact.shape
    return float((np.abs(result - exact) / ulp(exact if size is None else size, result.dtype.name)).max())


def exact_rows(x: Array) -> dict[str, Array]:
    """Return softmax, log_softmax and logsumexp of rows of finite scores, in 64 bits of mantissa.

    The difference of a score and the peak is a sum of two numbers, because exp multiplies its relative error by up to 1,000.
    """
    wide = x.astype(np.longdouble)
    leader = wide.argmax(axis=-1)[..., None]
    peak = np.take_along_axis(wide, leader, -1)
    gap = wide - peak
    of_peak = gap - wide
    lost = (wide - (gap - of_peak)) - (peak + of_peak)
    weights = np.exp(gap) * (1 + lost)
    np.put_along_axis(weights, leader, 0, -1)
    others = weights.sum(axis=-1, keepdims=True)
    np.put_along_axis(weights, leader, 1, -1)
    log_total = np.log1p(others)
    return {
        "softmax": weights / (1 + others),
        "log_softmax": (gap - log_total) + lost,
        "logsumexp": (peak + log_total)[..., 0],
    }


def mp_row(x: Array) -> dict[str, list[Any]]:
    """Return the same of one row, as numbers of mpmath's precision."""
    scores = [mpmath.mpf(float(score)) for score in x]
    leader = int(np.argmax(x))
    peak = scores[leader]
    others = mpmath.fsum(mpmath.exp(score - peak) for i, score in enumerate(scores) if i != leader)
    log_total = mpmath.log1p(others)
    return {
        "softmax": [mpmath.exp(score - peak) / (1 + others) for score in scores],
        "log_softmax": [(score - peak) - log_total for score in scores],
        "logsumexp": [peak + log_total],
    }


def mp_number(x: Any) -> Any:
    """Return a NumPy number of any precision, exactly."""
    fraction, exponent = np.frexp(np.longdouble(x))
    return mpmath.ldexp(int(np.ldexp(fraction, 113)), int(exponent) - 113)


def mp_ulps(result: Any, exact: Any, dtype: str) -> float:
    """Return the error of one result in ulp, in mpmath's precision."""
    form = np.finfo(dtype)
    size = max(abs(exact), mpmath.mpf(float(form.smallest_normal)))
    return float(abs(mpmath.mpf(float(result)) - exact) / mpmath.ldexp(1, mpmath.frexp(size)[1] - 1 - form.nmant))


def _misaligned(x: Array) -> Array:
    memory = np.zeros(x.nbytes + 1, np.uint8)
    result = memory[1:].view(x.dtype).reshape(x.shape)
    result[...] = x
    return result


def _mapped(x: Array) -> Array:
    with tempfile.TemporaryFile() as file:
        file.write(x.tobytes())
        return np.memmap(file, x.dtype, "r", shape=x.shape)


def _read_only(x: Array) -> Array:
    result = x.copy()
    result.flags.writeable = False
    return result


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran order": np.asfortranarray,
    "every second column": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "columns reversed": lambda x: x[..., ::-1].copy()[..., ::-1],
    "part of wider rows": lambda x: np.concatenate([x, x], axis=-1)[..., : x.shape[-1]],
    "read-only": _read_only,
    "memory-mapped": _mapped,
    "misaligned": _misaligned,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}
"""The same values, laid out in memory in other ways."""
