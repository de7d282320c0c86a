"""Vectors: emitted and plain arithmetic give the same bits, loops touch each element once, lanes are combined in a fixed order."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.machine.vectors import (
    BYTES,
    I64,
    TOGETHER,
    Cell,
    Emitted,
    Lanes,
    Plain,
    Stretch,
    first_lanes,
    reduce_lanes,
    two_sum,
    vector_loop,
)

compiled_only = pytest.mark.skipif(config.DISABLE_JIT, reason="there is nothing emitted without the compiler")
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
Formula = Callable[[Any, Any, Any, Any], Any]


def widened(ops: Any, a: Any) -> tuple[Any, Any]:
    """Return the operations on float64 and the values as float64."""
    wide = ops.to_double(a)
    return (wide.ops if isinstance(wide, Lanes) else Plain(np.float64)), wide


def narrowed(ops: Any, wide: Any) -> Any:
    """Return float64 values in the format of `ops`."""
    return wide if ops.bits == 64 else (wide.ops if isinstance(wide, Lanes) else Plain(np.float64)).to_single(wide)


def through_single(ops: Any, a: Any) -> Any:
    """Return values rounded to float32, in the format of `ops`."""
    wide_ops, wide = widened(ops, a)
    single = wide_ops.to_single(wide)
    single_ops = single.ops if isinstance(single, Lanes) else Plain(np.float32)
    return narrowed(ops, single_ops.to_double(single))


def exponent(ops: Any, a: Any) -> Any:
    wide_ops, wide = widened(ops, ops.absolute(a))
    return narrowed(ops, wide_ops.count_to_double(wide_ops.exponent(wide_ops.to_bits(wide))))


OPERATIONS: dict[str, Formula] = {
    "a + b": lambda ops, a, b, c: a + b,
    "a - b": lambda ops, a, b, c: a - b,
    "a * b": lambda ops, a, b, c: a * b,
    "a / b": lambda ops, a, b, c: a / b,
    "-a": lambda ops, a, b, c: -a,
    "a + 0.1": lambda ops, a, b, c: a + ops.number(0.1),
    "a * b + c in two roundings": lambda ops, a, b, c: a * b + c,
    "fma": lambda ops, a, b, c: ops.fma(a, b, c),
    "fma with a number": lambda ops, a, b, c: ops.fma(a, ops.number(0.3), c),
    "absolute": lambda ops, a, b, c: ops.absolute(a),
    "a < b": lambda ops, a, b, c: ops.select(a < b, ops.number(1), 0.0),
    "a > b": lambda ops, a, b, c: ops.select(a > b, ops.number(1), 0.0),
    "a == b": lambda ops, a, b, c: ops.select(ops.equal(a, b), ops.number(1), 0.0),
    "select": lambda ops, a, b, c: ops.select(a < b, b, c),
    "select a number": lambda ops, a, b, c: ops.select(a < b, -2.0, c),
    "at_least": lambda ops, a, b, c: ops.at_least(a, 0.25),
    "the number after, by its bits": lambda ops, a, b, c: ops.from_bits(ops.to_bits(a) + 1),
    "shifted bits": lambda ops, a, b, c: ops.from_bits(ops.to_bits(a) << 1),
    "integer": lambda ops, a, b, c: ops.from_bits(ops.to_bits(a) - ops.to_bits(a) + ops.integer(123_456_789)),
    "count_to_double": lambda ops, a, b, c: narrowed(ops, ops.count_to_double(ops.to_bits(a))),
    "exponent": lambda ops, a, b, c: exponent(ops, a),
    "through float32": lambda ops, a, b, c: through_single(ops, a),
    "two_sum, sum": lambda ops, a, b, c: two_sum(a, b)[0],
    "two_sum, rest": lambda ops, a, b, c: two_sum(a, b)[1],
}  # fmt: skip


def operands(dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ordinary numbers of all signs, equal ones among them, and every pair of special ones."""
    rng = np.random.default_rng(0)
    a, b, c = (rng.choice([-1, 1], 301) * np.exp(rng.uniform(-9, 9, 301)) for _ in range(3))
    b[:20], c[20:40] = a[:20], -a[20:40] * b[20:40]
    special = np.array([0.0, -0.0, 0.25, -1.0, np.inf, -np.inf, np.nan])
    pairs = np.stack([part.ravel() for part in np.meshgrid(special, special)])
    a, b = np.concatenate([a, pairs[0]]), np.concatenate([b, pairs[1]])
    return a.astype(dtype), b.astype(dtype), np.concatenate([c, pairs[0]]).astype(dtype)


def loop_over(width: Callable[[int], int]) -> Any:
    """Return a kernel that writes the result of each operation, one after the other, to `out`."""

    @intrinsic
    def over(typingctx: Any, a: Any, b: Any, c: Any, out: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            stretches = [
                Stretch(builder, make_array(kind)(context, builder, array).data, ir.Constant(I64, 0))
                for kind, array in zip(signature.args[:4], args[:4], strict=True)
            ]
            lanes = width(stretches[0].bits)

            def body(i: Any, mask: Any) -> None:
                values = [stretch.load(i, mask, 0.0, lanes) for stretch in stretches[:3]]
                for k, formula in enumerate(OPERATIONS.values()):
                    place = builder.add(i, builder.mul(args[4], ir.Constant(I64, k)))
                    stretches[3].store(formula(values[0].ops, *values), place, mask)

            vector_loop(builder, args[4], lanes, body)
            return context.get_dummy_value()

        return types.void(a, b, c, out, types.intp), codegen

    @njit
    def run(a: Any, b: Any, c: Any, out: Any) -> None:
        over(a, b, c, out, len(a))

    return run


@cache
def emitted(dtype: str, lanes: int | None) -> dict[str, np.ndarray]:
    """Return the results of all operations, in vectors of `lanes` or of a whole register."""
    a, b, c = operands(dtype)
    out = np.full((len(OPERATIONS), len(a)), 77, dtype)
    loop_over(lambda bits: lanes or BYTES * 8 // bits)(a, b, c, out.reshape(-1))
    return dict(zip(OPERATIONS, out, strict=True))


def plain(name: str, dtype: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(OPERATIONS[name](Plain(dtype), *operands(dtype)))


@compiled_only
@every_dtype
@pytest.mark.parametrize("lanes", [None, 4])
@pytest.mark.parametrize("name", OPERATIONS)
def test_emitted_operations_equal_the_plain_ones(name: str, lanes: int | None, dtype: str) -> None:
    result, expected = emitted(dtype, lanes)[name], plain(name, dtype)
    assert expected.dtype == dtype
    np.testing.assert_array_equal(result, expected)
    known = ~np.isnan(expected) & (expected != 0)  # the plain fma may lose the sign of what underflows
    np.testing.assert_array_equal(np.signbit(result[known]), np.signbit(expected[known]))


@every_dtype
def test_fma_rounds_once(dtype: str) -> None:
    a, b, c = (part[:301] for part in operands(dtype))
    for x, y, z, result in zip(a, b, c, plain("fma", dtype), strict=False):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        other = np.nextafter(result, np.array(np.inf if Fraction(float(result)) < exact else -np.inf, dtype))
        assert abs(Fraction(float(result)) - exact) <= abs(Fraction(float(other)) - exact)


def test_fma_keeps_what_two_roundings_lose() -> None:
    for dtype in ("float32", "float64"):
        unit = float(np.finfo(dtype).eps)
        a = np.array([1 + unit], dtype)
        assert Plain(dtype).fma(a, a, -(a * a))[0] == unit**2


@every_dtype
def test_two_sum_is_exact(dtype: str) -> None:
    a, b = (part[:301] for part in operands(dtype)[:2])
    total, rest = two_sum(a, b)
    np.testing.assert_array_equal(total, a + b)
    for x, y, high, low in zip(a, b, total, rest, strict=True):
        assert Fraction(float(high)) + Fraction(float(low)) == Fraction(float(x)) + Fraction(float(y))


def test_at_least_keeps_nan() -> None:
    for dtype in ("float32", "float64"):
        values = np.array([np.nan, 0.0, 0.5, np.inf], dtype)
        np.testing.assert_array_equal(Plain(dtype).at_least(values, 0.25), [np.nan, 0.25, 0.5, np.inf])


# --- loops


def marking_loop(together: bool) -> Any:
    """Return a kernel that adds 1 to each element of `out` that `body` sees, 10 to those that `several` sees."""

    @intrinsic
    def mark(typingctx: Any, out: Any, start: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            stretch = Stretch(builder, make_array(signature.args[0])(context, builder, args[0]).data, args[1])

            def add(i: Any, mask: Any, by: float) -> None:
                stretch.store(stretch.load(i, mask, 0.0) + by, i, mask)

            def several(indices: list[Any]) -> None:
                for i in indices:
                    add(i, None, 10.0)

            width = stretch.vector.count
            vector_loop(builder, args[2], width, lambda i, mask: add(i, mask, 1.0), several if together else None)
            return context.get_dummy_value()

        return types.void(out, types.intp, types.intp), codegen

    @njit
    def run(out: Any, start: int, n: int) -> None:
        mark(out, start, n)

    return run


@compiled_only
@every_dtype
@pytest.mark.parametrize("together", [False, True])
def test_a_loop_sees_each_element_once_and_none_beyond(together: bool, dtype: str) -> None:
    run = marking_loop(together)
    width = BYTES // np.dtype(dtype).itemsize
    for n in range(2 * TOGETHER * width + 3):
        out = np.zeros(n + 3 + 2 * width, dtype)
        run(out, 3, n)
        stop = n // (width * TOGETHER) * width * TOGETHER if together else 0
        expected = np.zeros_like(out)
        expected[3 : 3 + n] = 1
        expected[3 : 3 + stop] = 10
        np.testing.assert_array_equal(out, expected)


def lanes_kernel(formula: Callable[[Lanes, Any], Lanes]) -> Any:
    """Return a kernel that applies a formula to the first `n` elements of an array, as one vector of float32, and returns a scalar."""

    @intrinsic
    def apply(typingctx: Any, x: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = make_array(signature.args[0])(context, builder, args[0]).data
            stretch = Stretch(builder, data, ir.Constant(I64, 0))
            mask = first_lanes(builder, args[1], stretch.vector.count)
            result = formula(stretch.load(ir.Constant(I64, 0), mask, -1.0), mask)
            return (result if result.ops.bits == 64 else result.ops.to_double(result)).value

        return types.float64(x, types.intp), codegen

    @njit
    def run(x: Any, n: int) -> float:
        return apply(x, n)

    return run


@compiled_only
def test_lanes_are_combined_halves_first() -> None:
    """`2 a - b` depends on the order."""
    run = lanes_kernel(lambda x, mask: reduce_lanes((x,), lambda a, b: (a * 2.0 - b,))[0])
    x = np.random.default_rng(0).integers(-50, 50, 16).astype(np.float32)
    expected = x
    while len(expected) > 1:
        low, high = np.split(expected, 2)
        expected = 2 * low - high
    assert run(x, 16) == expected[0]


@compiled_only
def test_several_vectors_are_combined_together() -> None:
    def combine(a: Lanes, a_rest: Lanes, b: Lanes, b_rest: Lanes) -> tuple[Lanes, Lanes]:
        total, lost = two_sum(a, b)
        return total, (a_rest + b_rest) + lost

    def rest_of_sum(x: Lanes, mask: Any) -> Lanes:
        return reduce_lanes((x, x * 0.0), combine)[1]

    x = np.array([2.0**30, 1, 2.0**-20, -3] + [0] * 12, np.float32)
    assert lanes_kernel(rest_of_sum)(x, 16) == -2 + 2.0**-20


@compiled_only
@pytest.mark.parametrize("n", [1, 2, 7, 15, 16])
def test_lanes_beyond_the_mask_have_the_value_asked_for(n: int) -> None:
    run = lanes_kernel(lambda x, mask: reduce_lanes((x,), lambda a, b: (a + b,))[0])
    x = np.arange(1, 17, dtype=np.float32)
    assert run(x, n) == n * (n + 1) / 2 - (16 - n)


@compiled_only
def test_lanes_of_a_mask_are_counted() -> None:
    x = np.arange(16, dtype=np.float32)
    for n in (1, 9, 16):
        assert lanes_kernel(lambda x, mask: x.ops.count(Lanes(x.ops, mask)))(x, n) == n


@compiled_only
@pytest.mark.parametrize(("first", "expected"), [(1.0, 1.0), (-1.0, 7.0)])
def test_choose_takes_all_lanes_of_one(first: float, expected: float) -> None:
    def formula(x: Lanes, mask: Any) -> Lanes:
        scalar, low = x, x
        while scalar.ops.width:
            _, scalar = scalar.ops.half(scalar, False)
        chosen = x.ops.choose(scalar > 0.0, x.ops.splat(scalar), low * 0.0 + 7.0)
        return reduce_lanes((chosen,), lambda a, b: (a.ops.at_least(a, b),))[0]

    x = np.full(16, first, np.float32)
    assert lanes_kernel(formula)(x, 16) == expected


@compiled_only
def test_a_cell_keeps_its_value_between_steps() -> None:
    @intrinsic
    def total(typingctx: Any, x: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            stretch = Stretch(
                builder, make_array(signature.args[0])(context, builder, args[0]).data, ir.Constant(I64, 0)
            )
            ops = Emitted(builder, 64, stretch.vector.count)
            cell = Cell(ops.number(0.0))
            vector_loop(builder, args[1], ops.width, lambda i, mask: cell.set(cell.get() + stretch.load(i, mask, 0.0)))
            return reduce_lanes((cell.get(),), lambda a, b: (a + b,))[0].value

        return types.float64(x, types.intp), codegen

    @njit
    def twice(x: Any) -> float:
        return total(x, len(x)) + 1000 * total(x, len(x))

    assert twice(np.arange(21, dtype=np.float64)) == 210 * 1001
