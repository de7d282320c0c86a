"""Products of tall matrices with narrow ones, as vector loops: many examples, few labels.

`narrow` is (dim, stride) and `out` (rows, stride), both flat, with rows padded to `stride`, a multiple of `WIDTH`. A tile of rows and
vectors stays in registers: `ROWS` rows of the tall matrix share each vector of the narrow one that is read.

A sparse matrix comes by columns: the places and values of one column, and the row of the narrow matrix that belongs to it. Its products take
float64 or float32, all arrays of a call the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.machine.vectors import BYTES, I64, Cell, Emitted, Lanes, Stretch

WIDTH = BYTES // 8
"""Numbers in a vector: rows are padded to a multiple of it."""

ROWS = 8
"""Rows of the tall matrix in a tile."""

VECTORS = 2
"""Vectors of a row in a tile of a dense product."""

SPARSE_VECTORS = 4
"""Vectors of a row in one reading of a sparse column."""


def _const(value: int) -> Any:
    return ir.Constant(I64, value)


@contextmanager
def _loop(builder: Any, start: Any, stop: Any, step: int) -> Any:
    with cgutils.for_range_slice(builder, start, stop, _const(step), intp=I64) as (index, _):
        yield index


def _sized(builder: Any, start: Any, stop: Any, sizes: tuple[int, ...], emit: Callable[[Any, int], None]) -> None:
    """Call `emit(index, size)` in loops over start..stop: steps of the first size while they fit, then of the next; the last is 1."""
    for size in sizes:
        count = builder.sub(stop, start)
        whole = builder.add(start, builder.sub(count, builder.srem(count, _const(size))))
        with _loop(builder, start, whole, size) as index:
            emit(index, size)
        start = whole


def _columns(builder: Any, stride: Any, most: int, emit: Callable[[Any, int], None]) -> None:
    """Call `emit(first column, number of vectors)` until all columns of a row are done."""
    vectors = builder.sdiv(stride, _const(WIDTH))
    sizes = tuple(range(most, 0, -1))
    _sized(builder, _const(0), vectors, sizes, lambda i, count: emit(builder.mul(i, _const(WIDTH)), count))


def _stretches(context: Any, builder: Any, signature: Any, args: Any, places: tuple[int, ...]) -> list[Stretch]:
    return [Stretch(builder, make_array(signature.args[i])(context, builder, args[i]).data, _const(0)) for i in places]


def _vectors(builder: Any, row: Any, column: Any, count: int) -> list[Any]:
    return [builder.add(row, builder.add(column, _const(k * WIDTH))) for k in range(count)]


def _one(builder: Any, ops: Emitted, stretch: Stretch, index: Any) -> Lanes:
    return ops.splat(builder.load(builder.gep(stretch.base, [index])))


@intrinsic
def _add_products(
    typingctx: Any, tall: Any, start: Any, n: Any, dim: Any, narrow: Any, out: Any, out_start: Any, stride: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, start, n, dim, _, _, out_start, stride = args
        tall, narrow, out = _stretches(context, builder, signature, args, (0, 4, 5))
        ops = Emitted(builder, 64, WIDTH)

        def tile(row: Any, rows: int) -> None:
            x = [builder.add(start, builder.mul(builder.add(row, _const(r)), dim)) for r in range(rows)]
            to = [builder.add(out_start, builder.mul(builder.add(row, _const(r)), stride)) for r in range(rows)]

            def part(column: Any, vectors: int) -> None:
                places = [_vectors(builder, place, column, vectors) for place in to]
                sums = [[Cell(out.load(place, None, 0.0)) for place in of_row] for of_row in places]
                with _loop(builder, _const(0), dim, 1) as j:
                    of_j = _vectors(builder, builder.mul(j, stride), column, vectors)
                    values = [narrow.load(place, None, 0.0) for place in of_j]
                    for r in range(rows):
                        factor = _one(builder, ops, tall, builder.add(x[r], j))
                        for cell, value in zip(sums[r], values, strict=True):
                            cell.set(ops.fma(factor, value, cell.get()))
                for of_row, cells in zip(places, sums, strict=True):
                    for place, cell in zip(of_row, cells, strict=True):
                        out.store(cell.get(), place, None)

            _columns(builder, stride, VECTORS, part)

        _sized(builder, _const(0), n, (ROWS, 1), tile)
        return context.get_dummy_value()

    i = types.intp
    return types.void(tall, i, i, i, narrow, out, i, i), codegen


@intrinsic
def _add_outer(
    typingctx: Any, tall: Any, start: Any, n: Any, dim: Any, factors: Any, f_start: Any, out: Any, stride: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, start, n, dim, _, f_start, _, stride = args
        tall, factors, out = _stretches(context, builder, signature, args, (0, 4, 6))
        ops = Emitted(builder, 64, WIDTH)

        def tile(row: Any, rows: int) -> None:
            x = [builder.add(start, builder.mul(builder.add(row, _const(r)), dim)) for r in range(rows)]
            of = [builder.add(f_start, builder.mul(builder.add(row, _const(r)), stride)) for r in range(rows)]

            def part(column: Any, vectors: int) -> None:
                held = [[factors.load(place, None, 0.0) for place in _vectors(builder, f, column, vectors)] for f in of]
                with _loop(builder, _const(0), dim, 1) as j:
                    places = _vectors(builder, builder.mul(j, stride), column, vectors)
                    sums = [out.load(place, None, 0.0) for place in places]
                    for r in range(rows):
                        factor = _one(builder, ops, tall, builder.add(x[r], j))
                        sums = [ops.fma(factor, value, total) for value, total in zip(held[r], sums, strict=True)]
                    for total, place in zip(sums, places, strict=True):
                        out.store(total, place, None)

            _columns(builder, stride, VECTORS, part)

        _sized(builder, _const(0), n, (ROWS, 1), tile)
        return context.get_dummy_value()

    i = types.intp
    return types.void(tall, i, i, i, factors, i, out, i), codegen


def _place(builder: Any, context: Any, kind: Any, rows: Any, i: Any, stride: Any) -> Any:
    row = builder.load(builder.gep(make_array(kind)(context, builder, rows).data, [i]))
    return builder.mul(builder.sext(row, I64) if row.type != I64 else row, stride)


@intrinsic
def _add_column(
    typingctx: Any, rows: Any, values: Any, first: Any, stop: Any, narrow: Any, n_start: Any, out: Any, stride: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows, _, first, stop, _, n_start, _, stride = args
        values, narrow, out = _stretches(context, builder, signature, args, (1, 4, 6))
        ops = Emitted(builder, values.bits, WIDTH)

        def part(column: Any, vectors: int) -> None:
            held = [narrow.load(place, None, 0.0, WIDTH) for place in _vectors(builder, n_start, column, vectors)]
            with _loop(builder, first, stop, 1) as i:
                factor = _one(builder, ops, values, i)
                places = _vectors(
                    builder, _place(builder, context, signature.args[0], rows, i, stride), column, vectors
                )
                for value, place in zip(held, places, strict=True):
                    out.store(ops.fma(factor, value, out.load(place, None, 0.0, WIDTH)), place, None)

        _columns(builder, stride, SPARSE_VECTORS, part)
        return context.get_dummy_value()

    i = types.intp
    return types.void(rows, values, i, i, narrow, i, out, i), codegen


@intrinsic
def _add_from_column(
    typingctx: Any, rows: Any, values: Any, first: Any, stop: Any, factors: Any, out: Any, out_start: Any, stride: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows, _, first, stop, _, _, out_start, stride = args
        values, factors, out = _stretches(context, builder, signature, args, (1, 4, 5))
        ops = Emitted(builder, values.bits, WIDTH)

        def part(column: Any, vectors: int) -> None:
            to = _vectors(builder, out_start, column, vectors)
            sums = [Cell(out.load(place, None, 0.0, WIDTH)) for place in to]
            with _loop(builder, first, stop, 1) as i:
                factor = _one(builder, ops, values, i)
                places = _vectors(
                    builder, _place(builder, context, signature.args[0], rows, i, stride), column, vectors
                )
                for cell, place in zip(sums, places, strict=True):
                    cell.set(ops.fma(factor, factors.load(place, None, 0.0, WIDTH), cell.get()))
            for cell, place in zip(sums, to, strict=True):
                out.store(cell.get(), place, None)

        _columns(builder, stride, SPARSE_VECTORS, part)
        return context.get_dummy_value()

    i = types.intp
    return types.void(rows, values, i, i, factors, out, i, i), codegen


def _add_products_plain(
    tall: Any, start: int, n: int, dim: int, narrow: Any, out: Any, out_start: int, stride: int
) -> None:
    """Add tall narrow to `out`, for `n` rows of the tall matrix from element `start`, and rows of `out` from `out_start`."""
    x = tall[start : start + n * dim].reshape(n, dim)
    out[out_start : out_start + n * stride] += (x @ narrow[: dim * stride].reshape(dim, stride)).ravel()


def _add_outer_plain(
    tall: Any, start: int, n: int, dim: int, factors: Any, f_start: int, out: Any, stride: int
) -> None:
    """Add tall^T factors to `out`, for `n` rows of both."""
    x = tall[start : start + n * dim].reshape(n, dim)
    out[: dim * stride] += (x.T @ factors[f_start : f_start + n * stride].reshape(n, stride)).ravel()


def _add_column_plain(
    rows: Any, values: Any, first: int, stop: int, narrow: Any, n_start: int, out: Any, stride: int
) -> None:
    """Add ``values[i]`` times the row of `narrow` at `n_start` to row ``rows[i]`` of `out`, for i in first..stop."""
    row = narrow[n_start : n_start + stride]
    np.add.at(out.reshape(-1, stride), rows[first:stop], values[first:stop, None] * row)


def _add_from_column_plain(
    rows: Any, values: Any, first: int, stop: int, factors: Any, out: Any, out_start: int, stride: int
) -> None:
    """Add the sum of ``values[i]`` times row ``rows[i]`` of `factors`, for i in first..stop, to the row of `out` at `out_start`."""
    out[out_start : out_start + stride] += values[first:stop] @ factors.reshape(-1, stride)[rows[first:stop]]


if config.DISABLE_JIT:
    add_products, add_outer = _add_products_plain, _add_outer_plain
    add_column, add_from_column = _add_column_plain, _add_from_column_plain
else:
    add_products, add_outer = _add_products, _add_outer
    add_column, add_from_column = _add_column, _add_from_column
