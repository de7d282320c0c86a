"""Arrays in, arrays out: what every function of `lexigrad.maths` accepts, and how it reaches the kernels.

A kernel sees flat, contiguous, aligned float32 or float64. An array that is already so goes to it as it is, without a
copy. Any other layout, axis or dtype goes through a buffer of at most `BUFFER` numbers at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.machine.threads import thread_count

BUFFER = 1 << 18
"""Numbers in the buffer for arrays that the kernels cannot read in place: 1 or 2 MB."""

SHARE = 1 << 18
"""Least numbers a thread gets; below twice that, starting it would cost more than it saves."""

Array = NDArray[Any]
RowKernel = Callable[[Array, Array, int, int], None]
"""kernel(x, out, rows, n): flat source, flat result, number of rows, their length."""


def as_floats(x: ArrayLike, name: str = "x") -> Array:
    """Return `x` as an array of numbers; the kernels' dtype is that of `computed`.

    Raises `DataError` for what is not real numbers.
    """
    try:
        array = np.asarray(x)
    except ValueError:
        raise DataError(f"{name}: expected an array of numbers, got rows of different lengths") from None
    if array.dtype.kind in "iub" or array.dtype.char in "efd":
        return array
    raise DataError(f"{name}: expected real numbers (float16, float32, float64 or integers), got dtype {array.dtype}")


def computed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which a dtype is computed: float32 for float16 and float32, else float64."""
    return np.dtype(np.float32 if dtype.char in "ef" else np.float64)


def result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the result: that of floats, float64 for integers."""
    return np.dtype(dtype.char) if dtype.char in "efd" else np.dtype(np.float64)


def checked_axis(axis: Any, ndim: int) -> int:
    """Return the axis as a number from 0 up, or raise `ParameterError`."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or not -ndim <= axis < ndim:
        raise ParameterError(
            f"axis={axis!r}: expected a whole number from {-ndim} to {ndim - 1} for an array of {ndim} axes"
        )
    return int(axis) % ndim


def checked_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return `out`, or a new array where it is None; raise `ParameterError` where it cannot take the result."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise ParameterError(f"out: expected a NumPy array, got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype:
        raise ParameterError(f"out: expected shape {shape} and dtype {dtype}, got {out.shape} and {out.dtype}")
    if not out.flags.writeable:
        raise ParameterError("out: the array is read-only; give one that can be written")
    return out


def direct(array: Array) -> bool:
    """Say whether a kernel can work on the array in place."""
    flags = array.flags
    return bool(flags.c_contiguous and flags.aligned and array.dtype.isnative and array.dtype.char in "fd")


def is_vector(x: Any, axis: Any, threads: Any) -> bool:
    """Say whether `x` needs no preparation at all: a short vector that a kernel reads as it is. One comparison saves a small call half its time."""
    plain = type(x) is np.ndarray and x.ndim == 1 and type(axis) is int and axis == -1 and 0 < x.size < SHARE
    return plain and direct(x) and (threads is None or thread_count(threads) > 0)


def flat(array: Array) -> Array:
    """Return a flat read-only view, so that kernels are compiled for one kind of input."""
    view = array.reshape(-1)
    view.flags.writeable = False
    return view


def overlaps(x: Array, out: Array) -> bool:
    """Say whether two arrays share memory without being the same elements in the same places."""
    if not np.may_share_memory(x, out):
        return False
    return not (x.__array_interface__["data"][0] == out.__array_interface__["data"][0] and x.strides == out.strides)


def share(work: Callable[[int, int], None], rows: int, n: int, threads: int | None) -> None:
    """Call `work(first, stop)` on shares of the rows, in threads where there is enough for each."""
    most = min(rows, rows * n // SHARE)
    count = min(thread_count(threads), most) if most > 1 or threads is not None else 1
    if count <= 1:
        work(0, rows)
        return
    bounds = [rows * i // count for i in range(count + 1)]
    errors: list[BaseException] = []

    def run(first: int, stop: int) -> None:
        try:
            work(first, stop)
        except BaseException as error:
            errors.append(error)

    others = [threading.Thread(target=run, args=pair) for pair in pairwise(bounds[1:])]
    for thread in others:
        thread.start()
    run(bounds[0], bounds[1])
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield indices that cut an array of this shape, its last axis whole, into parts of about `BUFFER` numbers."""
    if len(shape) == 1 or int(np.prod(shape)) <= BUFFER:
        yield (...,)
        return
    inner = int(np.prod(shape[1:]))
    if inner <= BUFFER:
        step = BUFFER // inner
        for first in range(0, shape[0], step):
            yield (slice(first, first + step),)
        return
    for i in range(shape[0]):
        for index in blocks(shape[1:]):
            yield (i, *index)


def apply_rows(
    kernel: RowKernel, x: Array, axis: int, out: Array, threads: int | None, *, reduces: bool = False
) -> None:
    """Write kernel(rows of x along `axis`) to `out`, which has the shape of x, or lacks the axis where the kernel `reduces`."""
    n = x.shape[axis]
    rows = x.size // n
    if threads is not None:
        thread_count(threads)
    if x.size == 0:
        return
    if overlaps(x, out):
        x = x.copy()
    if axis == x.ndim - 1 and direct(x) and direct(out) and x.dtype == out.dtype:
        source, target, width = flat(x), out.reshape(-1), 1 if reduces else n

        def work(first: int, stop: int) -> None:
            kernel(source[first * n : stop * n], target[first * width : stop * width], stop - first, n)

        share(work, rows, n, threads)
        return
    moved = np.moveaxis(x, axis, -1)
    target = out if reduces else np.moveaxis(out, axis, -1)
    for index in blocks(moved.shape):
        part = np.array(moved[index], computed(x.dtype), order="C")
        result = np.empty(part.shape[:-1], part.dtype) if reduces else part
        source = flat(part.copy() if not reduces else part)
        kernel(source, result.reshape(-1), part.size // n, n)
        with np.errstate(over="ignore", under="ignore"):
            target[index] = result


def apply_each(kernel: RowKernel, x: Array, out: Array, threads: int | None) -> None:
    """Write kernel(x) to `out`, element by element."""
    if threads is not None:
        thread_count(threads)
    if x.size == 0:
        return
    if overlaps(x, out):
        x = x.copy()
    if x.ndim and direct(x) and direct(out) and x.dtype == out.dtype:
        source, target = flat(x), out.reshape(-1)
        share(lambda first, stop: kernel(source, target, first, stop), x.size, 1, threads)
        return
    source_parts, target_parts = np.atleast_1d(x), np.atleast_1d(out)
    for index in blocks((*source_parts.shape, 1)):
        part = np.array(source_parts[index[: source_parts.ndim]], computed(x.dtype), order="C")
        kernel(flat(part), part.reshape(-1), 0, part.size)
        with np.errstate(over="ignore", under="ignore"):
            target_parts[index[: source_parts.ndim]] = part
