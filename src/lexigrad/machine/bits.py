"""Operations on bytes that numba has no name for: 64 bytes compared at once, eight bytes as a number, hashes of 16 tokens in one vector, wide products.

Like those of `lexigrad.machine.intrinsics` each is emitted as LLVM IR and has a plain Python twin, which runs under ``NUMBA_DISABLE_JIT=1``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

TOKENS = 16
"""Tokens that are hashed in one vector."""
REACH = 64
"""Bytes after the last one asked for that may be read by all but `hash_tokens`."""
SPACES = (32, 9, 10, 11, 12, 13, 0)
NEWLINE = 10
_PRIME, _START = 16777619, 2166136261

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _data(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return make_array(array_type)(context, builder, value).data


def _loaded(builder: Any, base: Any, index: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(base, [index]), kind.as_pointer()), align=1)


def _mask(builder: Any, flags: Any) -> Any:
    return builder.bitcast(flags, _I64)


def _bytes_at(builder: Any, base: Any, place: Any) -> tuple[Any, Any]:
    kind = ir.VectorType(_I8, 64)
    return kind, _loaded(builder, base, place, kind)


@intrinsic
def _space_mask(typingctx: Any, x: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, v = _bytes_at(builder, _data(context, builder, signature.args[0], args[0]), args[1])
        blank = builder.icmp_unsigned("==", v, ir.Constant(kind, [32] * 64))
        zero = builder.icmp_unsigned("==", v, ir.Constant(kind, [0] * 64))
        control = builder.icmp_unsigned("<", builder.sub(v, ir.Constant(kind, [9] * 64)), ir.Constant(kind, [5] * 64))
        return _mask(builder, builder.or_(builder.or_(blank, zero), control))

    return types.uint64(x, types.intp), codegen


@intrinsic
def _newline_mask(typingctx: Any, x: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, v = _bytes_at(builder, _data(context, builder, signature.args[0], args[0]), args[1])
        return _mask(builder, builder.icmp_unsigned("==", v, ir.Constant(kind, [NEWLINE] * 64)))

    return types.uint64(x, types.intp), codegen


@intrinsic
def _eight_at(typingctx: Any, x: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _loaded(builder, _data(context, builder, signature.args[0], args[0]), args[1], _I64)

    return types.uint64(x, types.intp), codegen


@intrinsic
def _half_at(typingctx: Any, x: Any, place: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _loaded(builder, _data(context, builder, signature.args[0], args[0]), args[1], ir.HalfType())
        return builder.fpext(value, ir.FloatType())

    return types.float32(x, types.intp), codegen


@intrinsic
def _bits_of(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _I32)

    return types.uint32(types.float32), codegen


@intrinsic
def _trailing_zeros(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@intrinsic
def _put_letters(typingctx: Any, x: Any, place: Any, letters: Any, widths: Any, first: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        x, letters, widths = (_data(context, builder, kinds[i], args[i]) for i in (0, 2, 3))
        vector = ir.VectorType(_I32, TOKENS)
        found = builder.zext(_loaded(builder, x, args[1], ir.VectorType(_I8, TOKENS)), vector)
        for value, array in ((found, letters), (ir.Constant(vector, [1] * TOKENS), widths)):
            builder.store(value, builder.bitcast(builder.gep(array, [args[4]]), vector.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(x, types.intp, letters, widths, types.intp), codegen


@intrinsic
def _count_down(typingctx: Any, left: Any, first: Any, size: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        left = _data(context, builder, signature.args[0], args[0])
        vector = ir.VectorType(_I32, TOKENS)
        one = builder.insert_element(
            ir.Constant(vector, ir.Undefined), builder.trunc(args[2], _I32), ir.Constant(_I32, 0)
        )
        sizes = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0] * TOKENS))
        value = builder.sub(sizes, ir.Constant(vector, list(range(TOKENS))))
        builder.store(value, builder.bitcast(builder.gep(left, [args[1]]), vector.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(left, types.intp, types.intp), codegen


@intrinsic
def _pick(
    typingctx: Any, bits: Any, places: Any, left: Any, first: Any, n: Any, least: Any, base: Any, into: Any, at: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        bits, places, left = (_data(context, builder, kinds[i], args[i]) for i in range(3))
        vector, flags = ir.VectorType(_I32, TOKENS), ir.VectorType(ir.IntType(1), TOKENS)

        def splat(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
            return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0] * TOKENS))

        here = builder.trunc(builder.sub(args[4], args[3]), _I32)
        inside = builder.icmp_signed("<", ir.Constant(vector, list(range(TOKENS))), splat(here))
        long = builder.icmp_unsigned(">=", _loaded(builder, left, args[3], vector), splat(builder.trunc(args[5], _I32)))
        asked = builder.and_(inside, long)
        places = _loaded(builder, places, args[3], vector)
        wide = ir.VectorType(_I64, TOKENS)
        words = builder.zext(builder.lshr(places, ir.Constant(vector, [5] * TOKENS)), wide)
        origin = builder.insert_element(
            ir.Constant(wide, ir.Undefined), builder.ptrtoint(bits, _I64), ir.Constant(_I32, 0)
        )
        origins = builder.shuffle_vector(origin, ir.Constant(wide, ir.Undefined), ir.Constant(vector, [0] * TOKENS))
        pointers = ir.VectorType(_I32.as_pointer(), TOKENS)
        gather = builder.module.declare_intrinsic(
            f"llvm.masked.gather.v{TOKENS}i32.v{TOKENS}p0",
            fnty=ir.FunctionType(vector, [pointers, _I32, flags, vector]),
        )
        addresses = builder.inttoptr(
            builder.add(origins, builder.shl(words, ir.Constant(wide, [2] * TOKENS))), pointers
        )
        zero = ir.Constant(vector, [0] * TOKENS)
        found = builder.call(gather, [addresses, ir.Constant(_I32, 4), asked, zero])
        bit = builder.lshr(found, builder.and_(places, ir.Constant(vector, [31] * TOKENS)))
        set_ = builder.icmp_unsigned("!=", builder.and_(bit, ir.Constant(vector, [1] * TOKENS)), zero)
        compress = builder.module.declare_intrinsic(
            f"llvm.experimental.vector.compress.v{TOKENS}i32", fnty=ir.FunctionType(vector, [vector, flags, vector])
        )
        together = builder.zext(builder.call(compress, [places, set_, zero]), wide)
        one = builder.insert_element(ir.Constant(wide, ir.Undefined), args[6], ir.Constant(_I32, 0))
        bases = builder.shuffle_vector(one, ir.Constant(wide, ir.Undefined), ir.Constant(vector, [0] * TOKENS))
        into = builder.gep(_data(context, builder, kinds[7], args[7]), [args[8]])
        builder.store(builder.add(together, bases), builder.bitcast(into, wide.as_pointer()), align=8)
        count = builder.ctpop(builder.zext(builder.bitcast(set_, ir.IntType(TOKENS)), _I64))
        return builder.add(args[8], count)

    i = types.intp
    return types.int64(bits, places, left, i, i, i, i, into, i), codegen


@intrinsic
def _ones(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def _high_product(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), codegen


@intrinsic
def _hash_tokens(typingctx: Any, x: Any, bounds: Any, first: Any, values: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        base = _data(context, builder, kinds[0], args[0])
        bounds = _data(context, builder, kinds[1], args[1])
        values = _data(context, builder, kinds[3], args[3])
        vector, pairs = ir.VectorType(_I32, TOKENS), ir.VectorType(_I32, 2 * TOKENS)

        def splat(value: int) -> Any:
            return ir.Constant(vector, [value] * TOKENS)

        both = _loaded(builder, bounds, builder.mul(args[2], ir.Constant(_I64, 2)), pairs)
        nothing = ir.Constant(pairs, ir.Undefined)
        starts, ends = (
            builder.shuffle_vector(both, nothing, ir.Constant(vector, list(range(odd, 2 * TOKENS, 2))))
            for odd in (0, 1)
        )
        lengths = builder.sub(ends, starts)
        largest = builder.module.declare_intrinsic(
            f"llvm.vector.reduce.smax.v{TOKENS}i32", fnty=ir.FunctionType(_I32, [vector])
        )
        longest = builder.sext(builder.call(largest, [lengths]), _I64)
        pointers, flags = ir.VectorType(_I32.as_pointer(), TOKENS), ir.VectorType(ir.IntType(1), TOKENS)
        gather = builder.module.declare_intrinsic(
            f"llvm.masked.gather.v{TOKENS}i32.v{TOKENS}p0",
            fnty=ir.FunctionType(vector, [pointers, _I32, flags, vector]),
        )
        hashes = cgutils.alloca_once_value(builder, splat(_START))
        builder.store(splat(_START), hashes)
        origin = builder.ptrtoint(base, _I64)
        with cgutils.for_range_slice(builder, ir.Constant(_I64, 0), longest, ir.Constant(_I64, 4), intp=_I64) as (k, _):
            wide = ir.VectorType(_I64, TOKENS)
            shift = builder.add(origin, k)
            one = builder.insert_element(ir.Constant(wide, ir.Undefined), shift, ir.Constant(_I32, 0))
            shifts = builder.shuffle_vector(one, ir.Constant(wide, ir.Undefined), ir.Constant(vector, [0] * TOKENS))
            places = builder.inttoptr(builder.add(builder.sext(starts, wide), shifts), pointers)
            four = builder.call(gather, [places, ir.Constant(_I32, 1), ir.Constant(flags, [1] * TOKENS), splat(0)])
            k32 = builder.trunc(k, _I32)
            one32 = builder.insert_element(ir.Constant(vector, ir.Undefined), k32, ir.Constant(_I32, 0))
            done = builder.shuffle_vector(one32, ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0] * TOKENS))
            left = builder.sub(lengths, done)
            value = builder.load(hashes)
            for b in range(4):
                byte = builder.ashr(builder.shl(four, splat(24 - 8 * b)), splat(24))
                longer = builder.mul(builder.xor(value, byte), splat(_PRIME))
                value = builder.select(builder.icmp_signed(">", left, splat(b)), longer, value)
            builder.store(value, hashes)
        place = builder.bitcast(builder.gep(values, [args[2]]), vector.as_pointer())
        builder.store(builder.load(hashes), place, align=4)
        return context.get_dummy_value()

    return types.void(x, bounds, types.intp, values), codegen


def _space_mask_plain(x: Any, place: int) -> Any:
    """Return 64 bits: bit i tells whether ``x[place + i]`` is white space by fastText's rule."""
    return np.uint64(sum(1 << i for i, byte in enumerate(x[place : place + 64].tolist()) if byte in SPACES))


def _newline_mask_plain(x: Any, place: int) -> Any:
    """Return 64 bits: bit i tells whether ``x[place + i]`` is a newline."""
    return np.uint64(sum(1 << i for i, byte in enumerate(x[place : place + 64].tolist()) if byte == NEWLINE))


def _eight_at_plain(x: Any, place: int) -> Any:
    """Return ``x[place:place + 8]`` as a little-endian number."""
    return np.frombuffer(x[place : place + 8].tobytes(), "<u8")[0]


def _half_at_plain(x: Any, place: int) -> Any:
    """Return the float16 number whose bytes are ``x[place:place + 2]`` as float32."""
    return np.float32(np.frombuffer(x[place : place + 2].tobytes(), np.float16)[0])


def _bits_of_plain(value: Any) -> Any:
    """Return the bits of a float32."""
    return np.float32(value).view(np.uint32)


def _trailing_zeros_plain(value: Any) -> int:
    """Return the position of the lowest bit that is set; there must be one."""
    return (int(value) & -int(value)).bit_length() - 1


def _put_letters_plain(x: Any, place: int, letters: Any, widths: Any, first: int) -> None:
    """Set ``letters[first + i] = x[place + i]`` and ``widths[first + i] = 1`` for i < `TOKENS`."""
    letters[first : first + TOKENS] = x[place : place + TOKENS]
    widths[first : first + TOKENS] = 1


def _count_down_plain(left: Any, first: int, size: int) -> None:
    """Set ``left[first + i] = size - i``, modulo 2^32, for i < `TOKENS`."""
    left[first : first + TOKENS] = np.arange(size, size - TOKENS, -1).astype(np.uint32)


def _pick_plain(
    bits: Any, places: Any, left: Any, first: int, n: int, least: int, base: int, into: Any, at: int
) -> int:
    """Append to ``into[:at]`` the sums ``base + places[j]`` of those j from `first` on, up to `TOKENS` and below `n`, for which ``left[j] >= least`` and the
    bit ``places[j]`` of `bits` is set; return the new length.

    `places` and `left` must have `TOKENS` elements from `first` on, and `into` room for as many from `at` on.
    """
    for j in range(first, min(first + TOKENS, n)):
        if left[j] >= least and int(bits[places[j] >> 6]) >> int(places[j] & 63) & 1:
            into[at] = base + places[j]
            at += 1
    return at


def _ones_plain(value: Any) -> int:
    """Return how many bits are set."""
    return int(value).bit_count()


def _high_product_plain(a: Any, b: Any) -> Any:
    """Return the upper 64 bits of the product of two 64-bit numbers."""
    return np.uint64(int(a) * int(b) >> 64)


def _hash_tokens_plain(x: Any, bounds: Any, first: int, values: Any) -> None:
    """Set ``values[first:first + TOKENS]`` to the FNV-1a hashes, as fastText takes them, of the tokens ``x[bounds[2 j]:bounds[2 j + 1]]``.

    After a token as many bytes are read as the longest of the `TOKENS` has, and three more, and must be there.
    """
    for j in range(first, first + TOKENS):
        value = _START
        for byte in x[bounds[2 * j] : bounds[2 * j + 1]].tolist():
            value = ((value ^ (byte | 0xFFFFFF00 if byte >= 128 else byte)) * _PRIME) & 0xFFFFFFFF
        values[j] = value


if config.DISABLE_JIT:
    space_mask, newline_mask, eight_at, half_at = (
        _space_mask_plain,
        _newline_mask_plain,
        _eight_at_plain,
        _half_at_plain,
    )
    trailing_zeros, high_product, hash_tokens = _trailing_zeros_plain, _high_product_plain, _hash_tokens_plain
    bits_of, ones, pick = _bits_of_plain, _ones_plain, _pick_plain
    put_letters, count_down = _put_letters_plain, _count_down_plain
else:
    space_mask, newline_mask, eight_at, half_at = _space_mask, _newline_mask, _eight_at, _half_at
    trailing_zeros, high_product, hash_tokens = _trailing_zeros, _high_product, _hash_tokens
    bits_of, ones, pick = _bits_of, _ones, _pick
    put_letters, count_down = _put_letters, _count_down
