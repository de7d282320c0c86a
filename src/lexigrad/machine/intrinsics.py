"""The few machine operations that numba has no name for: prefetch, atomic exchange, and a few vector loops.

Each is emitted as LLVM IR (fixed-width vectors and fused multiply-add, so nothing depends on the auto-vectoriser) and
has a plain Python
twin of the same name, which runs under ``NUMBA_DISABLE_JIT=1`` and serves the tests as oracle. All matrices are passed
flat, as
C-contiguous one-dimensional float32 arrays with explicit element offsets: a row view would cost a struct and a
possible alias check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.cgutils import alloca_once_value
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

LANES = 8
"""Texts in one block: the score loops run over eight texts at once, one text a vector lane."""

WIDTH = 16
"""Floats in one vector of a row; rows of the output matrix are padded to a multiple of it."""

BYTES = 32
"""Bytes in one vector of a text."""

F32 = ir.FloatType()
I64 = ir.IntType(64)


def _data(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return make_array(array_type)(context, builder, value).data


def _vector_at(builder: Any, base: Any, index: Any, width: int) -> Any:
    return builder.bitcast(builder.gep(base, [index]), ir.VectorType(F32, width).as_pointer())


def _load(builder: Any, base: Any, index: Any, width: int, align: int = 4) -> Any:
    return builder.load(_vector_at(builder, base, index, width), align=align)


def _store(builder: Any, value: Any, base: Any, index: Any, width: int) -> None:
    builder.store(value, _vector_at(builder, base, index, width), align=4)


def _splat(builder: Any, scalar: Any, width: int) -> Any:
    vector_type = ir.VectorType(F32, width)
    one = builder.insert_element(ir.Constant(vector_type, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(one, ir.Constant(vector_type, ir.Undefined), zeros)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    flags = ("contract",)  # fused where the processor can, and no more freedom than that
    return builder.fadd(builder.fmul(a, b, flags=flags), c, flags=flags)


def _const(value: int) -> Any:
    return ir.Constant(I64, value)


def _loop(builder: Any, start: Any, stop: Any, step: int) -> Any:
    return cgutils.for_range_slice(builder, start, stop, _const(step), intp=I64)


def _ask(context: Any, builder: Any, signature: Any, args: Any, write: int) -> Any:
    base = _data(context, builder, signature.args[0], args[0])
    pointer = builder.bitcast(builder.gep(base, [args[1]]), ir.IntType(8).as_pointer())
    i32 = ir.IntType(32)
    function_type = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
    function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
    builder.call(function, [pointer, ir.Constant(i32, write), ir.Constant(i32, 3), ir.Constant(i32, 1)])
    return context.get_dummy_value()


@intrinsic
def _prefetch(typingctx: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _ask(context, builder, signature, args, 0)

    return types.void(array, types.intp), codegen


@intrinsic
def _prefetch_to_write(typingctx: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _ask(context, builder, signature, args, 1)

    return types.void(array, types.intp), codegen


@intrinsic
def _exchange(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = _data(context, builder, signature.args[0], args[0])
        return builder.atomic_rmw("xchg", builder.gep(base, [args[1]]), args[2], "acq_rel")

    return array.dtype(array, types.intp, array.dtype), codegen


@intrinsic
def _pow2(typingctx: Any, exponent: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32 = ir.IntType(32)
        biased = builder.add(builder.fptosi(args[0], i32), ir.Constant(i32, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(i32, 23)), F32)

    return types.float32(types.float32), codegen


@intrinsic
def _copy_bytes(typingctx: Any, data: Any, place: Any, out: Any, out_place: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (
            builder.gep(_data(context, builder, signature.args[i], args[i]), [args[i + 1]]) for i in (0, 2)
        )
        cgutils.raw_memcpy(builder, target, source, args[4], 1)
        return context.get_dummy_value()

    return types.void(data, types.intp, out, types.intp, types.intp), codegen


@intrinsic
def _copy_string(typingctx: Any, data: Any, place: Any, out: Any, out_place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector, mask = ir.VectorType(ir.IntType(8), BYTES), ir.IntType(BYTES)

        def at(position: int) -> Any:
            base = _data(context, builder, signature.args[position], args[position])
            return builder.bitcast(builder.gep(base, [args[position + 1]]), vector.as_pointer())

        text = builder.load(at(0), align=1)
        builder.store(text, at(2), align=1)
        quote, backslash, space = (ir.Constant(vector, [ord(letter)] * BYTES) for letter in '"\\ ')
        ends = builder.or_(builder.icmp_unsigned("==", text, quote), builder.icmp_unsigned("==", text, backslash))
        ends = builder.or_(ends, builder.icmp_unsigned("<", text, space))
        bits = builder.or_(builder.zext(builder.bitcast(ends, mask), I64), _const(1 << BYTES))
        return builder.cttz(bits, ir.Constant(ir.IntType(1), 1))

    return types.intp(data, types.intp, out, types.intp), codegen


def _scaled(context: Any, builder: Any, signature: Any, args: Any, add: bool) -> Any:
    alpha, x, x_start, y, y_start, n = args
    x = builder.gep(_data(context, builder, signature.args[1], x), [x_start])
    align = 4
    if signature.args[1].dtype == types.uint8:  # float32 numbers at any byte of a mapped file
        x, align = builder.bitcast(x, F32.as_pointer()), 1
    y = builder.gep(_data(context, builder, signature.args[3], y), [y_start])
    start = _const(0)
    for width in (WIDTH, 4):
        stop = builder.and_(n, _const(-width))
        factor = _splat(builder, alpha, width)
        with _loop(builder, start, stop, width) as (i, _):
            value = _load(builder, x, i, width, align)
            total = _fma(builder, factor, value, _load(builder, y, i, width)) if add else builder.fmul(factor, value)
            _store(builder, total, y, i, width)
        start = stop
    with _loop(builder, start, n, 1) as (i, _):
        place, value = builder.gep(y, [i]), builder.load(builder.gep(x, [i]), align=align)
        builder.store(_fma(builder, alpha, value, builder.load(place)) if add else builder.fmul(alpha, value), place)
    return context.get_dummy_value()


@intrinsic
def _add_scaled(typingctx: Any, alpha: Any, x: Any, x_start: Any, y: Any, y_start: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _scaled(context, builder, signature, args, True)

    return types.void(types.float32, x, types.intp, y, types.intp, types.intp), codegen


@intrinsic
def _set_scaled(typingctx: Any, alpha: Any, x: Any, x_start: Any, y: Any, y_start: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _scaled(context, builder, signature, args, False)

    return types.void(types.float32, x, types.intp, y, types.intp, types.intp), codegen


@intrinsic
def _dot(typingctx: Any, x: Any, x_start: Any, y: Any, y_start: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, x_start, y, y_start, n = args
        x = builder.gep(_data(context, builder, signature.args[0], x), [x_start])
        y = builder.gep(_data(context, builder, signature.args[2], y), [y_start])
        sums = alloca_once_value(builder, ir.Constant(ir.VectorType(F32, WIDTH), [0.0] * WIDTH))
        builder.store(ir.Constant(ir.VectorType(F32, WIDTH), [0.0] * WIDTH), sums)
        with _loop(builder, _const(0), n, WIDTH) as (i, _):
            builder.store(
                _fma(builder, _load(builder, x, i, WIDTH), _load(builder, y, i, WIDTH), builder.load(sums)), sums
            )
        lanes = builder.load(sums)
        parts = [builder.extract_element(lanes, ir.Constant(ir.IntType(32), i)) for i in range(WIDTH)]
        while len(parts) > 1:
            half = len(parts) // 2
            parts = [builder.fadd(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
        return parts[0]

    return types.float32(x, types.intp, y, types.intp, types.intp), codegen


@intrinsic
def _float_at(typingctx: Any, x: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.gep(_data(context, builder, signature.args[0], args[0]), [args[1]])
        return builder.load(builder.bitcast(pointer, F32.as_pointer()), align=1)

    return types.float32(x, types.intp), codegen


def _blocks(builder: Any, dim: Any, emit: Callable[[Any, int], None]) -> None:
    """Emit code for `dim` floats, a multiple of WIDTH: several vectors at a time, then what is left one at a time."""
    start = _const(0)
    for several in (4, 2, 1):
        width = several * WIDTH
        stop = builder.mul(builder.sdiv(dim, _const(width)), _const(width))
        with _loop(builder, start, stop, width) as (d, _):
            emit(d, several)
        start = stop


@intrinsic
def _sum_rows(
    typingctx: Any, alpha: Any, x: Any, rows: Any, first: Any, n: Any, stride: Any, y: Any, y_start: Any, dim: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        alpha, x, rows, first, n, stride, y, y_start, dim = args
        kinds = signature.args
        x, rows = _data(context, builder, kinds[1], x), _data(context, builder, kinds[2], rows)
        rows = builder.gep(rows, [first])
        y = builder.gep(_data(context, builder, kinds[6], y), [y_start])
        zero = ir.Constant(ir.VectorType(F32, WIDTH), [0.0] * WIDTH)
        factor = _splat(builder, alpha, WIDTH)

        def emit(d: Any, several: int) -> None:
            places = [builder.add(d, _const(k * WIDTH)) for k in range(several)]
            cells = [alloca_once_value(builder, zero) for _ in places]
            for cell in cells:
                builder.store(zero, cell)
            with _loop(builder, _const(0), n, 1) as (i, _):
                row = builder.gep(x, [_row_start(builder, rows, i, stride)])
                for cell, place in zip(cells, places, strict=True):
                    builder.store(builder.fadd(_load(builder, row, place, WIDTH), builder.load(cell)), cell)
            for cell, place in zip(cells, places, strict=True):
                _store(builder, builder.fmul(factor, builder.load(cell)), y, place, WIDTH)

        _blocks(builder, dim, emit)
        return context.get_dummy_value()

    flat = types.intp
    return types.void(types.float32, x, rows, flat, flat, flat, y, flat, flat), codegen


def _row_start(builder: Any, rows: Any, i: Any, stride: Any) -> Any:
    row = builder.load(builder.gep(rows, [i]))
    return builder.mul(builder.sext(row, I64) if row.type != I64 else row, stride)


@intrinsic
def _add_to_each(
    typingctx: Any, alpha: Any, x: Any, x_start: Any, y: Any, rows: Any, first: Any, n: Any, stride: Any, dim: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        alpha, x, x_start, y, rows, first, n, stride, dim = args
        kinds = signature.args
        x = builder.gep(_data(context, builder, kinds[1], x), [x_start])
        y, rows = _data(context, builder, kinds[3], y), _data(context, builder, kinds[4], rows)
        rows = builder.gep(rows, [first])
        factor = _splat(builder, alpha, WIDTH)

        def emit(d: Any, several: int) -> None:
            places = [builder.add(d, _const(k * WIDTH)) for k in range(several)]
            values = [builder.fmul(factor, _load(builder, x, place, WIDTH)) for place in places]
            with _loop(builder, _const(0), n, 1) as (i, _):
                row = builder.gep(y, [_row_start(builder, rows, i, stride)])
                for value, place in zip(values, places, strict=True):
                    _store(builder, builder.fadd(value, _load(builder, row, place, WIDTH)), row, place, WIDTH)

        _blocks(builder, dim, emit)
        return context.get_dummy_value()

    flat = types.intp
    return types.void(types.float32, x, flat, y, rows, flat, flat, flat, flat), codegen


@intrinsic
def _add_to_rows(typingctx: Any, alphas: Any, n: Any, x: Any, x_start: Any, y: Any, starts: Any, dim: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        alphas, n, x, x_start, y, starts, dim = args
        kinds = signature.args
        alphas, y, starts = (
            _data(context, builder, kind, array)
            for kind, array in ((kinds[0], alphas), (kinds[4], y), (kinds[5], starts))
        )
        x = builder.gep(_data(context, builder, kinds[2], x), [x_start])
        with _loop(builder, _const(0), dim, WIDTH) as (d, _):
            value = _load(builder, x, d, WIDTH)
            with _loop(builder, _const(0), n, 1) as (i, _):
                row = builder.gep(y, [builder.load(builder.gep(starts, [i]))])
                factor = _splat(builder, builder.load(builder.gep(alphas, [i])), WIDTH)
                _store(builder, _fma(builder, factor, value, _load(builder, row, d, WIDTH)), row, d, WIDTH)
        return context.get_dummy_value()

    return types.void(alphas, types.intp, x, types.intp, y, starts, types.intp), codegen


@intrinsic
def _block_scores(
    typingctx: Any, weights: Any, stride: Any, hidden: Any, dim: Any, scores: Any, first: Any, stop: Any
) -> Any:
    def rows_of(
        builder: Any, count: int, weights: Any, hidden: Any, scores: Any, label: Any, stride: Any, dim: Any
    ) -> None:
        zero = ir.Constant(ir.VectorType(F32, LANES), [0.0] * LANES)
        sums = [alloca_once_value(builder, zero) for _ in range(count)]
        for cell in sums:
            builder.store(zero, cell)
        row = builder.mul(label, stride)
        starts = [builder.add(row, builder.mul(stride, _const(j))) for j in range(count)]
        with _loop(builder, _const(0), dim, 1) as (k, _):
            lanes = _load(builder, hidden, builder.mul(k, _const(LANES)), LANES)
            for cell, start in zip(sums, starts, strict=True):
                weight = builder.load(builder.gep(weights, [builder.add(start, k)]))
                builder.store(_fma(builder, _splat(builder, weight, LANES), lanes, builder.load(cell)), cell)
        for j, cell in enumerate(sums):
            place = builder.mul(builder.add(label, _const(j)), _const(LANES))
            _store(builder, builder.load(cell), scores, place, LANES)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        weights, stride, hidden, dim, scores, first, stop = args
        weights = _data(context, builder, signature.args[0], weights)
        hidden = _data(context, builder, signature.args[2], hidden)
        scores = _data(context, builder, signature.args[4], scores)
        whole = builder.add(first, builder.and_(builder.sub(stop, first), _const(-8)))
        with _loop(builder, first, whole, 8) as (label, _):
            rows_of(builder, 8, weights, hidden, scores, label, stride, dim)
        with _loop(builder, whole, stop, 1) as (label, _):
            rows_of(builder, 1, weights, hidden, scores, label, stride, dim)
        return context.get_dummy_value()

    i = types.intp
    return types.void(weights, i, hidden, i, scores, i, i), codegen


@intrinsic
def _block_step(
    typingctx: Any, weights: Any, stride: Any, d_scores: Any, steps: Any, d_hidden: Any, first: Any, stop: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        weights, stride, d_scores, steps, d_hidden, first, stop = args
        weights = _data(context, builder, signature.args[0], weights)
        d_scores = _data(context, builder, signature.args[2], d_scores)
        steps = _data(context, builder, signature.args[3], steps)
        d_hidden = _data(context, builder, signature.args[4], d_hidden)
        with _loop(builder, _const(0), stride, WIDTH) as (column, _):
            places = [builder.add(builder.mul(stride, _const(t)), column) for t in range(LANES)]
            step = [_load(builder, steps, place, WIDTH) for place in places]
            sums = [alloca_once_value(builder, _load(builder, d_hidden, place, WIDTH)) for place in places]
            for cell, place in zip(sums, places, strict=True):
                builder.store(_load(builder, d_hidden, place, WIDTH), cell)
            with _loop(builder, first, stop, 1) as (label, _):
                where = builder.add(builder.mul(label, stride), column)
                old = _load(builder, weights, where, WIDTH)
                new = old
                for t in range(LANES):
                    index = builder.add(builder.mul(label, _const(LANES)), _const(t))
                    d_score = _splat(builder, builder.load(builder.gep(d_scores, [index])), WIDTH)
                    builder.store(_fma(builder, d_score, old, builder.load(sums[t])), sums[t])
                    new = _fma(builder, d_score, step[t], new)
                _store(builder, new, weights, where, WIDTH)
            for cell, place in zip(sums, places, strict=True):
                _store(builder, builder.load(cell), d_hidden, place, WIDTH)
        return context.get_dummy_value()

    i = types.intp
    return types.void(weights, i, d_scores, steps, d_hidden, i, i), codegen


@intrinsic
def _block_shift(typingctx: Any, scores: Any, n_labels: Any, peak: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        scores, n_labels, peak = args
        scores = _data(context, builder, signature.args[0], scores)
        peak = _data(context, builder, signature.args[2], peak)
        stop = builder.mul(n_labels, _const(LANES))
        top = alloca_once_value(builder, _load(builder, scores, _const(0), LANES))
        builder.store(_load(builder, scores, _const(0), LANES), top)
        with _loop(builder, _const(LANES), stop, LANES) as (i, _):
            score, best = _load(builder, scores, i, LANES), builder.load(top)
            builder.store(builder.select(builder.fcmp_ordered(">", score, best), score, best), top)
        best = builder.load(top)
        _store(builder, best, peak, _const(0), LANES)
        with _loop(builder, _const(0), stop, LANES) as (i, _):
            _store(builder, builder.fsub(_load(builder, scores, i, LANES), best), scores, i, LANES)
        return context.get_dummy_value()

    return types.void(scores, types.intp, peak), codegen


@intrinsic
def _block_normalise(typingctx: Any, scores: Any, n_labels: Any, total: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        scores, n_labels, total = args
        scores = _data(context, builder, signature.args[0], scores)
        total = _data(context, builder, signature.args[2], total)
        stop = builder.mul(n_labels, _const(LANES))
        zero = ir.Constant(ir.VectorType(F32, LANES), [0.0] * LANES)
        sums = alloca_once_value(builder, zero)
        builder.store(zero, sums)
        with _loop(builder, _const(0), stop, LANES) as (i, _):
            builder.store(builder.fadd(builder.load(sums), _load(builder, scores, i, LANES)), sums)
        whole = builder.load(sums)
        _store(builder, whole, total, _const(0), LANES)
        with _loop(builder, _const(0), stop, LANES) as (i, _):
            _store(builder, builder.fdiv(_load(builder, scores, i, LANES), whole), scores, i, LANES)
        return context.get_dummy_value()

    return types.void(scores, types.intp, total), codegen


@intrinsic
def _block_best(typingctx: Any, scores: Any, n_labels: Any, peak: Any, best: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        scores, n_labels, peak, best = args
        scores, peak, best = (
            _data(context, builder, signature.args[i], array) for i, array in ((0, scores), (2, peak), (3, best))
        )
        i32 = ir.IntType(32)
        labels = ir.VectorType(i32, LANES)
        largest = alloca_once_value(builder, ir.Constant(ir.VectorType(F32, LANES), [0.0] * LANES))
        places = alloca_once_value(builder, ir.Constant(labels, [0] * LANES))
        builder.store(_load(builder, scores, _const(0), LANES), largest)
        builder.store(ir.Constant(labels, [0] * LANES), places)
        with _loop(builder, _const(1), n_labels, 1) as (label, _):
            value, before = _load(builder, scores, builder.mul(label, _const(LANES)), LANES), builder.load(largest)
            better = builder.fcmp_ordered(">", value, before)
            one = builder.insert_element(
                ir.Constant(labels, ir.Undefined), builder.trunc(label, i32), ir.Constant(i32, 0)
            )
            here = builder.shuffle_vector(one, ir.Constant(labels, ir.Undefined), ir.Constant(labels, [0] * LANES))
            builder.store(builder.select(better, value, before), largest)
            builder.store(builder.select(better, here, builder.load(places)), places)
        _store(builder, builder.load(largest), peak, _const(0), LANES)
        builder.store(builder.load(places), builder.bitcast(best, labels.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(scores, types.intp, peak, best), codegen


@intrinsic
def _block_product(typingctx: Any, x: Any, x_row: Any, y: Any, y_row: Any, out: Any, out_row: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arrays = [_data(context, builder, signature.args[i], args[i]) for i in (0, 2, 4)]
        places = [builder.mul(args[i], _const(LANES)) for i in (1, 3, 5)]
        x, y = (_load(builder, array, place, LANES) for array, place in zip(arrays[:2], places[:2], strict=True))
        _store(builder, builder.fmul(x, y), arrays[2], places[2], LANES)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, y, i, out, i), codegen


def _prefetch_plain(array: Any, index: Any) -> None:
    """Ask for the cache line of ``array[index]``; changes nothing but time."""


def _exchange_plain(array: Any, index: int, value: Any) -> Any:
    """Store `value` and return what was there, as one indivisible step."""
    old = array[index]
    array[index] = value
    return old


def _pow2_plain(exponent: Any) -> Any:
    """Return 2^exponent for an integral float32 in [-126, 127]."""
    return np.float32(np.nan) if np.isnan(exponent) else np.ldexp(np.float32(1.0), np.int32(exponent))


def _copy_bytes_plain(data: Any, place: int, out: Any, out_place: int, n: int) -> None:
    """Copy `n` bytes from one array to another."""
    out[out_place : out_place + n] = data[place : place + n]


def _copy_string_plain(data: Any, place: int, out: Any, out_place: int) -> int:
    """Copy BYTES bytes; return how many of them stand before the first quote, backslash or control character."""
    text = data[place : place + BYTES]
    out[out_place : out_place + BYTES] = text
    ends = np.flatnonzero((text == ord('"')) | (text == ord("\\")) | (text < ord(" ")))
    return int(ends[0]) if len(ends) else BYTES


def _floats(x: Any, start: int, n: int) -> Any:
    """Return `n` numbers of an array of float32, or of the bytes of such numbers, from the element or byte `start` on."""
    return (
        np.frombuffer(x[start : start + 4 * n].tobytes(), np.float32) if x.dtype == np.uint8 else x[start : start + n]
    )


def _add_scaled_plain(alpha: Any, x: Any, x_start: int, y: Any, y_start: int, n: int) -> None:
    """y[y_start : y_start + n] += alpha * x[x_start : x_start + n]; x may be the bytes of float32 numbers, and x_start then counts bytes."""
    y[y_start : y_start + n] += np.float32(alpha) * _floats(x, x_start, n)


def _set_scaled_plain(alpha: Any, x: Any, x_start: int, y: Any, y_start: int, n: int) -> None:
    """y[y_start : y_start + n] = alpha * x[x_start : x_start + n]; x as for `add_scaled`."""
    y[y_start : y_start + n] = np.float32(alpha) * _floats(x, x_start, n)


def _dot_plain(x: Any, x_start: int, y: Any, y_start: int, n: int) -> Any:
    """Return the dot product of two rows of `n` numbers, a multiple of WIDTH, summed lane by lane."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.float32(x[x_start : x_start + n] @ y[y_start : y_start + n])


def _float_at_plain(x: Any, place: int) -> Any:
    """Return the float32 number whose bytes are ``x[place:place + 4]``."""
    return _floats(x, place, 1)[0]


def _sum_rows_plain(
    alpha: Any, x: Any, rows: Any, first: int, n: int, stride: int, y: Any, y_start: int, dim: int
) -> None:
    """y[y_start : y_start + dim] = alpha times the sum of the rows ``rows[first:first + n]`` of x, `stride` apart; `dim` is a multiple of WIDTH."""
    starts = [int(row) * stride for row in rows[first : first + n]]
    y[y_start : y_start + dim] = np.float32(alpha) * sum(x[start : start + dim] for start in starts)


def _add_to_each_plain(
    alpha: Any, x: Any, x_start: int, y: Any, rows: Any, first: int, n: int, stride: int, dim: int
) -> None:
    """Add alpha times a row of x to each of the rows ``rows[first:first + n]`` of y, `stride` apart; `dim` is a multiple of WIDTH."""
    for row in rows[first : first + n]:
        start = int(row) * stride
        y[start : start + dim] += np.float32(alpha) * x[x_start : x_start + dim]


def _add_to_rows_plain(alphas: Any, n: int, x: Any, x_start: int, y: Any, starts: Any, dim: int) -> None:
    """Add ``alphas[i]`` times a row of x to the row of y at ``starts[i]``, for i < n; `dim` is a multiple of WIDTH."""
    for alpha, start in zip(alphas[:n], starts[:n], strict=True):
        y[start : start + dim] += alpha * x[x_start : x_start + dim]


def _block_scores_plain(weights: Any, stride: int, hidden: Any, dim: int, scores: Any, first: int, stop: int) -> None:
    """scores[label, lane] = sum_k weights[label, k] hidden[k, lane] for the labels first..stop; `hidden` is (dim, LANES)."""
    rows = weights[first * stride : stop * stride].reshape(-1, stride)[:, :dim]
    scores[first * LANES : stop * LANES] = (rows @ hidden[: dim * LANES].reshape(dim, LANES)).ravel()


def _block_step_plain(
    weights: Any, stride: int, d_scores: Any, steps: Any, d_hidden: Any, first: int, stop: int
) -> None:
    """d_hidden += d_scores^T W with the old W; then W += d_scores steps, for the labels first..stop."""
    rows = weights[first * stride : stop * stride].reshape(-1, stride)
    gradient = d_scores[first * LANES : stop * LANES].reshape(-1, LANES)
    d_hidden.reshape(LANES, stride)[:] += gradient.T @ rows
    rows += gradient @ steps.reshape(LANES, stride)


def _block_shift_plain(scores: Any, n_labels: int, peak: Any) -> None:
    """peak[lane] = max_l scores[l, lane]; then scores -= peak."""
    block = scores[: n_labels * LANES].reshape(n_labels, LANES)
    peak[:] = block[0]
    for row in block[1:]:
        np.copyto(peak, row, where=row > peak)
    block -= peak


def _block_normalise_plain(scores: Any, n_labels: int, total: Any) -> None:
    """total[lane] = sum_l scores[l, lane]; then scores /= total."""
    block = scores[: n_labels * LANES].reshape(n_labels, LANES)
    total[:] = block.sum(axis=0)
    block /= total


def _block_best_plain(scores: Any, n_labels: int, peak: Any, best: Any) -> None:
    """best[lane] becomes the label with the largest score of a lane, the first of equal ones, and peak[lane] that score; NaN never wins but as the first."""
    block = scores[: n_labels * LANES].reshape(n_labels, LANES)
    peak[:], best[:] = block[0], 0
    for label, row in enumerate(block[1:], 1):
        better = row > peak
        peak[better], best[better] = row[better], label


def _block_product_plain(x: Any, x_row: int, y: Any, y_row: int, out: Any, out_row: int) -> None:
    """Row `out_row` of `out` becomes the product of a row of x and one of y; rows have LANES numbers."""
    rows = (array[row * LANES : (row + 1) * LANES] for array, row in ((x, x_row), (y, y_row)))
    out[out_row * LANES : (out_row + 1) * LANES] = next(rows) * next(rows)


if config.DISABLE_JIT:
    prefetch, prefetch_to_write, exchange, pow2 = _prefetch_plain, _prefetch_plain, _exchange_plain, _pow2_plain
    add_scaled, set_scaled, float_at, dot = _add_scaled_plain, _set_scaled_plain, _float_at_plain, _dot_plain
    sum_rows, add_to_rows, add_to_each = _sum_rows_plain, _add_to_rows_plain, _add_to_each_plain
    copy_bytes, copy_string = _copy_bytes_plain, _copy_string_plain
    block_scores, block_step = _block_scores_plain, _block_step_plain
    block_shift, block_normalise, block_product = _block_shift_plain, _block_normalise_plain, _block_product_plain
    block_best = _block_best_plain
else:
    prefetch, prefetch_to_write, exchange, pow2 = _prefetch, _prefetch_to_write, _exchange, _pow2
    add_scaled, set_scaled, float_at, dot = _add_scaled, _set_scaled, _float_at, _dot
    sum_rows, add_to_rows, add_to_each = _sum_rows, _add_to_rows, _add_to_each
    copy_bytes, copy_string = _copy_bytes, _copy_string
    block_scores, block_step = _block_scores, _block_step
    block_shift, block_normalise, block_product = _block_shift, _block_normalise, _block_product
    block_best = _block_best
