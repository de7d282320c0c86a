"""sigmoid, its gradient, log_sigmoid and log1pexp, and their backwards.

All take arrays of any shape and memory layout: float16 (computed in float32), float32, float64 (both computed in float64), integers
(as float64); NaN gives NaN. Error at most 1.5 ulp; in float32 below 0.51 ulp for every one of the 2^32 arguments
(`docs/accuracy.md`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lexigrad.maths import pointwise
from lexigrad.maths.arrays import Array, apply_each, as_floats, checked_out, result_dtype


def _each(kernel: Callable[..., None], x: ArrayLike, out: Array | None, threads: int | None) -> Any:
    array = as_floats(x)
    result = checked_out(out, array.shape, result_dtype(array.dtype))
    apply_each(kernel, array, result, threads)
    return result[()] if out is None and not array.ndim else result


def sigmoid(x: ArrayLike, out: Array | None = None, *, threads: int | None = None) -> Any:
    """Return the logistic function 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : any shape
    out : array of the result's shape and dtype to write to; may be `x` itself
    threads : shared out over as many threads when the array is large; None means all processors of the process

    Returns
    -------
    array of the shape of `x`, in its dtype (float64 for integers); a NumPy scalar for a single number

    Raises
    ------
    DataError : `x` is not numeric
    ParameterError : an `out` that does not fit

    Examples
    --------
    >>> sigmoid([[1.0, 2.0], [-1.0, -2.0]]).round(8).tolist()
    [[0.73105858, 0.88079708], [0.26894142, 0.11920292]]
    """
    return _each(pointwise.sigmoid, x, out, threads)


def sigmoid_grad(s: ArrayLike, out: Array | None = None, *, threads: int | None = None) -> Any:
    """Return the derivative of the sigmoid from the sigmoid's value: s (1 - s), rounded once.

    Parameters, result and errors as for `sigmoid`.

    Examples
    --------
    >>> sigmoid_grad(sigmoid([1.0, 2.0])).round(8).tolist()
    [0.19661193, 0.10499359]
    """
    return _each(pointwise.sigmoid_grad, s, out, threads)


def sigmoid_backward(d_s: ArrayLike, s: ArrayLike) -> Any:
    """Return d_x = d_s s (1 - s) for s = sigmoid(x).

    Examples
    --------
    >>> float(sigmoid_backward(2.0, 0.5))
    0.5
    """
    return np.multiply(as_floats(d_s, "d_s"), sigmoid_grad(s))


def log_sigmoid(x: ArrayLike, out: Array | None = None, *, threads: int | None = None) -> Any:
    """Return log sigmoid(x) = -log(1 + exp(-x)).

    Parameters, result and errors as for `sigmoid`.

    Examples
    --------
    >>> float(log_sigmoid(-1000.0))
    -1000.0
    """
    return _each(pointwise.log_sigmoid, x, out, threads)


def log_sigmoid_backward(d_value: ArrayLike, x: ArrayLike) -> Any:
    """Return d_x = d_value sigmoid(-x) for value = log_sigmoid(x).

    Examples
    --------
    >>> float(log_sigmoid_backward(2.0, 0.0))
    1.0
    """
    return np.multiply(as_floats(d_value, "d_value"), sigmoid(-_floating(x)))


def log1pexp(x: ArrayLike, out: Array | None = None, *, threads: int | None = None) -> Any:
    """Return log(1 + exp(x)), the softplus: max(x, 0) + log1p(exp(-|x|)).

    Parameters, result and errors as for `sigmoid`.

    Examples
    --------
    >>> float(log1pexp(0.0))
    0.6931471805599453
    """
    return _each(pointwise.log1pexp, x, out, threads)


def log1pexp_backward(d_value: ArrayLike, x: ArrayLike) -> Any:
    """Return d_x = d_value sigmoid(x) for value = log1pexp(x).

    Examples
    --------
    >>> float(log1pexp_backward(2.0, 0.0))
    1.0
    """
    return np.multiply(as_floats(d_value, "d_value"), sigmoid(x))


def _floating(x: ArrayLike) -> Array:
    array = as_floats(x)
    return array.astype(result_dtype(array.dtype), copy=False)
