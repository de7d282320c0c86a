"""softmax, log_softmax and logsumexp, and their backwards.

What happens to numbers that are not finite, in all three:

- a NaN makes its own row NaN, and no other;
- -inf is a probability of 0;
- +inf wins: the scores that are +inf share the probability, the others get 0; their log-sum-exp is +inf;
- a row of only -inf has no distribution: softmax and log_softmax give NaN, logsumexp gives -inf. (Cross-entropy raises `DataError`.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lexigrad.errors import DataError
from lexigrad.machine.threads import thread_count
from lexigrad.maths import row_kernels
from lexigrad.maths.arrays import (
    SHARE,
    Array,
    apply_rows,
    as_floats,
    checked_axis,
    checked_out,
    direct,
    flat,
    is_vector,
    overlaps,
    result_dtype,
    share,
)

CACHED = 1 << 18
"""Bytes of a row up to which the first pass leaves its remainders in the result: it is still in the second cache when the last pass comes."""

STREAMED = 1 << 18
"""Bytes of a row from which the result is written past the caches."""

LINE = 64


def _rows_of(x: ArrayLike, axis: Any, name: str) -> tuple[Array, int]:
    array = as_floats(x)
    if array.ndim == 0:
        raise DataError(f"{name}: expected an array with at least one axis, got a single number")
    number = checked_axis(axis, array.ndim)
    if array.shape[number] == 0:
        raise DataError(
            f"{name}: axis {axis} has length 0 in an array of shape {array.shape}; there is nothing to normalise"
        )
    return array, number


def _softmax(x: Array, out: Array, rows: int, n: int) -> None:
    row_bytes = n * x.itemsize
    if row_bytes <= LINE:
        row_kernels.softmax(x, out, 0, rows, n, False, False, 0)
        return
    address, source = out.__array_interface__["data"][0], x.__array_interface__["data"][0]
    stored = row_bytes <= CACHED and address != source
    skew = (-address % LINE) // x.itemsize
    row_kernels.softmax(x, out, 0, rows, n, stored, row_bytes > STREAMED, skew)


def _log_softmax(x: Array, out: Array, rows: int, n: int) -> None:
    row_kernels.log_softmax(x, out, 0, rows, n)


def _logsumexp(x: Array, out: Array, rows: int, n: int) -> None:
    row_kernels.logsumexp(x, out, 0, rows, n)


def softmax(x: ArrayLike, axis: int = -1, out: Array | None = None, *, threads: int | None = None) -> Array:
    """Return the softmax along an axis.

        softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    It does not change when a constant is added to all x; nothing overflows, whatever their size.

    Parameters
    ----------
    x : scores, any shape; float16 (computed in float32), float32, float64, or integers (as float64)
    axis : along which the result sums to 1
    out : array of the result's shape and dtype to write to; may be `x` itself
    threads : over which rows are shared out when there are many; None means all processors of the process

    Returns
    -------
    array of the shape of `x`; its dtype is that of `x`, float64 for integers

    Raises
    ------
    DataError : `x` is not numeric, is a single number, or has length 0 along `axis`
    ParameterError : no such axis; an `out` that does not fit

    Notes
    -----
    Error at most 2 ulp, float64 3 ulp, results below the normal numbers included (then in units of the smallest subnormal), for any
    length and any finite scores: `docs/accuracy.md` has the argument, `benchmarks/accuracy.py` the measurement. NaN and infinities: see the module.

    Examples
    --------
    >>> softmax([1.0, 2.0]).round(8).tolist()
    [0.26894142, 0.73105858]
    >>> softmax([[1001.0, 1002.0], [3.0, 4.0]]).round(8).tolist()
    [[0.26894142, 0.73105858], [0.26894142, 0.73105858]]
    """
    if out is None and is_vector(x, axis, threads) and isinstance(x, np.ndarray):
        result = np.empty_like(x)
        _softmax(flat(x), result, 1, x.size)
        return result
    scores, number = _rows_of(x, axis, "softmax")
    result = checked_out(out, scores.shape, result_dtype(scores.dtype))
    if scores.size == scores.shape[number] >= 2 * SHARE and _one_long_row(scores, result, threads):
        return result
    apply_rows(_softmax, scores, number, result, threads)
    return result


def _one_long_row(x: Array, out: Array, threads: int | None) -> bool:
    """Softmax of a single row, shared out over threads; False where it is too short for that, or its scores too far from 0."""
    n = x.size
    count = min(thread_count(threads), n // SHARE)
    if count < 2 or not (direct(x) and direct(out) and x.dtype == out.dtype) or overlaps(x, out):
        return False
    source, target = flat(x), out.reshape(-1)
    bounds = [n * i // count for i in range(count + 1)]
    parts: list[Any] = [None] * count

    def add_up(first: int, stop: int) -> None:
        for i in range(first, stop):
            parts[i] = row_kernels.part_sum(source, bounds[i], bounds[i + 1])

    share(add_up, count, n, count)
    sums = np.array(parts)
    if not np.all(np.abs(sums[:, 0]) < row_kernels.FAR) or not np.all(np.isfinite(sums)):
        return False
    peaks = sums[:, 0].astype(source.dtype)
    peak = peaks.max()
    high, low = (source.dtype.type(part) for part in row_kernels.join_parts(sums, peaks))
    skew = (-out.__array_interface__["data"][0] % LINE) // x.itemsize
    in_place = source.__array_interface__["data"][0] == target.__array_interface__["data"][0]

    def scale(first: int, stop: int) -> None:
        for i in range(first, stop):
            row_kernels.part_probs(source, target, bounds[i], bounds[i + 1], peak, high, low, not in_place, skew)

    share(scale, count, n, count)
    return True


def softmax_backward(d_probs: ArrayLike, probs: ArrayLike, axis: int = -1) -> Array:
    """Return d_x for probs = softmax(x): the product of d_probs with the Jacobian diag(p) - p p^T.

        d_x_i = p_i (d_p_i - sum_j p_j d_p_j)

    Examples
    --------
    >>> softmax_backward([1.0, 0.0], [0.25, 0.75]).tolist()
    [0.1875, -0.1875]
    """
    p, number = _rows_of(probs, axis, "softmax_backward")
    p = p.astype(result_dtype(p.dtype), copy=False)
    upstream = _like(d_probs, p.shape, "d_probs")
    return (upstream - (p * upstream).sum(axis=number, keepdims=True)) * p


def log_softmax(x: ArrayLike, axis: int = -1, out: Array | None = None, *, threads: int | None = None) -> Array:
    """Return the logarithm of the softmax along an axis.

        log_softmax(x)_i = (x_i - m) - log1p(S),    m = max_j x_j,    S = sum of exp(x_j - m) over all j but one winner

    The winner's own log-probability is -log1p(S), with S summed without it. The usual formula subtracts log(1 + S) computed from a sum
    that has the winner's 1 in it, and returns 0 (or is 17 % off) once the winner leads by 20 (or 15) in float32.

    Parameters, results, errors and what is not finite: as for `softmax`. Error at most 2 ulp in float32, 3 ulp in float64.

    Examples
    --------
    >>> import numpy as np
    >>> float(log_softmax(np.float32([20, 0]))[0])
    -2.06115369216775e-09
    """
    if out is None and is_vector(x, axis, threads) and isinstance(x, np.ndarray):
        result = np.empty_like(x)
        row_kernels.log_softmax(flat(x), result, 0, 1, x.size)
        return result
    scores, number = _rows_of(x, axis, "log_softmax")
    result = checked_out(out, scores.shape, result_dtype(scores.dtype))
    apply_rows(_log_softmax, scores, number, result, threads)
    return result


def log_softmax_backward(d_log_probs: ArrayLike, log_probs: ArrayLike, axis: int = -1) -> Array:
    """Return d_x for log_probs = log_softmax(x).

        d_x_i = d_i - p_i sum_j d_j,    p = exp(log_probs)

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax_backward([1.0, 0.0], np.log([0.25, 0.75])).round(12).tolist()
    [0.75, -0.75]
    """
    log_p, number = _rows_of(log_probs, axis, "log_softmax_backward")
    upstream = _like(d_log_probs, log_p.shape, "d_log_probs")
    return upstream - softmax(log_p, number) * upstream.sum(axis=number, keepdims=True)


def logsumexp(
    x: ArrayLike, axis: int = -1, out: Array | None = None, *, keepdims: bool = False, threads: int | None = None
) -> Any:
    """Return log sum_i exp(x_i) along an axis.

        m + log1p(S),    m = max_j x_j,    S = sum of exp(x_j - m) over all j but one winner

    Parameters as for `softmax`; `out` has the result's shape; with `keepdims` the axis stays, with length 1. The result for a vector is
    a NumPy scalar.
    Error at most 1.5 ulp of the larger of |result| and |m|: they may cancel where m is below 0.

    Examples
    --------
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    if out is None and not keepdims and is_vector(x, axis, threads) and isinstance(x, np.ndarray):
        result = np.empty(1, x.dtype)
        row_kernels.logsumexp(flat(x), result, 0, 1, x.size)
        return result[0]
    scores, number = _rows_of(x, axis, "logsumexp")
    shape = tuple(1 if i == number else size for i, size in enumerate(scores.shape) if keepdims or i != number)
    result = checked_out(out, shape, result_dtype(scores.dtype))
    target = result.reshape(scores.shape[:number] + scores.shape[number + 1 :]) if keepdims else result
    apply_rows(_logsumexp, scores, number, target, threads, reduces=True)
    if target.base is not result and target is not result and not np.may_share_memory(target, result):
        result[...] = target.reshape(shape)
    return result[()] if out is None and not result.ndim else result


def logsumexp_backward(d_value: ArrayLike, x: ArrayLike, axis: int = -1, *, keepdims: bool = False) -> Array:
    """Return d_x for value = logsumexp(x): d_value softmax(x), `d_value` in the shape of the value, or one number for all.

    Examples
    --------
    >>> logsumexp_backward(2.0, [0.0, 0.0]).tolist()
    [1.0, 1.0]
    """
    probs = softmax(x, axis)
    shape = list(probs.shape)
    shape[axis] = 1
    upstream = as_floats(d_value, "d_value")
    if upstream.ndim:
        value_shape = tuple(shape) if keepdims else tuple(np.delete(shape, axis).tolist())
        upstream = _like(upstream, value_shape, "d_value").reshape(shape)
    return probs * upstream


def _like(upstream: ArrayLike, shape: tuple[int, ...], name: str) -> Array:
    """Return the upstream gradient as floats, or raise `DataError` where it does not have the shape."""
    result = as_floats(upstream, name)
    if result.shape != shape:
        raise DataError(f"{name}: expected shape {shape}, got {result.shape}")
    return result.astype(result_dtype(result.dtype), copy=False)
