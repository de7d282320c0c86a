"""Vectors of machine width, so that a formula is written once and runs in three ways.

A formula takes `ops` and values with the operators + - * /. With `Emitted` the values are LLVM vectors and the
formula becomes machine code inside a kernel; with `Plain` they are NumPy arrays of the same type, which is the oracle
and what runs under ``NUMBA_DISABLE_JIT=1``. Both round each operation once, to nearest, as IEEE 754 says; `fma`
rounds once for its two operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

I64 = ir.IntType(64)
I32 = ir.IntType(32)
I1 = ir.IntType(1)
BYTES = 64
"""Bytes in a vector: one register of AVX-512; LLVM splits it in two or four elsewhere."""


class Lanes:
    """A vector (or scalar) of an `Emitted` formula, with operators."""

    def __init__(self, ops: Emitted, value: Any) -> None:
        self.ops = ops
        self.value = value

    def _with(self, other: Any, floats: str, ints: str) -> Lanes:
        builder = self.ops.builder
        name = ints if self.ops.is_int(self.value.type) else floats
        return Lanes(self.ops, getattr(builder, name)(self.value, self.ops.like(self.value, other)))

    def __add__(self, other: Any) -> Lanes:
        return self._with(other, "fadd", "add")

    def __sub__(self, other: Any) -> Lanes:
        return self._with(other, "fsub", "sub")

    def __mul__(self, other: Any) -> Lanes:
        return self._with(other, "fmul", "mul")

    def __truediv__(self, other: Any) -> Lanes:
        return self._with(other, "fdiv", "sdiv")

    def __neg__(self) -> Lanes:
        builder = self.ops.builder
        return Lanes(self.ops, (builder.neg if self.ops.is_int(self.value.type) else builder.fneg)(self.value))

    def __lshift__(self, count: int) -> Lanes:
        return self._with(count, "shl", "shl")

    def __lt__(self, other: Any) -> Lanes:
        return Lanes(self.ops, self.ops.builder.fcmp_ordered("<", self.value, self.ops.like(self.value, other)))

    def __gt__(self, other: Any) -> Lanes:
        return Lanes(self.ops, self.ops.builder.fcmp_ordered(">", self.value, self.ops.like(self.value, other)))


class Emitted:
    """Operations on LLVM vectors of `width` lanes of float32 or float64; a width of 0 is a scalar."""

    def __init__(self, builder: Any, bits: int, width: int) -> None:
        self.builder, self.bits, self.width = builder, bits, width
        self.float = self._shaped(ir.FloatType() if bits == 32 else ir.DoubleType())
        self.int = self._shaped(ir.IntType(bits))

    def _shaped(self, element: Any) -> Any:
        return ir.VectorType(element, self.width) if self.width else element

    @staticmethod
    def is_int(kind: Any) -> bool:
        """Say whether a type is an integer or a vector of integers."""
        return isinstance(getattr(kind, "element", kind), ir.IntType)

    def like(self, value: Any, other: Any) -> Any:
        """Return `other` as an LLVM value of the type of `value`."""
        return other.value if isinstance(other, Lanes) else self._constant(value.type, other)

    def _constant(self, kind: Any, number: Any) -> Any:
        number = int(number) if self.is_int(kind) else float(number)
        return ir.Constant(kind, [number] * self.width if self.width else number)

    def number(self, value: float) -> Lanes:
        """Return a constant in every lane."""
        return Lanes(self, self._constant(self.float, value))

    def integer(self, value: int) -> Lanes:
        """Return an integer constant in every lane."""
        return Lanes(self, self._constant(self.int, value))

    def splat(self, scalar: Lanes | Any) -> Lanes:
        """Return a scalar in every lane."""
        value = scalar.value if isinstance(scalar, Lanes) else scalar
        if not self.width:
            return Lanes(self, value)
        kind = ir.VectorType(value.type, self.width)
        undefined = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(undefined, value, ir.Constant(I32, 0))
        zeros = ir.Constant(ir.VectorType(I32, self.width), [0] * self.width)
        return Lanes(self, self.builder.shuffle_vector(one, undefined, zeros))

    def _call(self, name: str, result: Any, arguments: list[Any]) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def _suffix(self) -> str:
        return (f"v{self.width}" if self.width else "") + f"f{self.bits}"

    def fma(self, a: Lanes, b: Any, c: Any) -> Lanes:
        """Return a b + c with one rounding."""
        arguments = [a.value, self.like(a.value, b), self.like(a.value, c)]
        return Lanes(self, self._call(f"llvm.fma.{self._suffix()}", self.float, arguments))

    def absolute(self, a: Lanes) -> Lanes:
        """Return |a|."""
        return Lanes(self, self._call(f"llvm.fabs.{self._suffix()}", self.float, [a.value]))

    def select(self, condition: Lanes, yes: Any, no: Any) -> Lanes:
        """Return `yes` where the condition holds, else `no`; one of the two may be a number."""
        known = yes if isinstance(yes, Lanes) else no
        return Lanes(
            self, self.builder.select(condition.value, self.like(known.value, yes), self.like(known.value, no))
        )

    def at_least(self, a: Lanes, bound: Any) -> Lanes:
        """Return the larger of two values; a NaN of `a` stays."""
        return self.select(a < bound, Lanes(self, self.like(a.value, bound)), a)

    def choose(self, condition: Lanes, yes: Lanes, no: Lanes) -> Lanes:
        """Return all of `yes` or all of `no` by a scalar condition."""
        return Lanes(self, self.builder.select(condition.value, yes.value, no.value))

    def count(self, mask: Lanes) -> Lanes:
        """Return how many lanes of a mask are set, as a float64 scalar."""
        kind = ir.IntType(self.width)
        wide = Emitted(self.builder, 64, 0)
        ones = self.builder.ctpop(self.builder.zext(self.builder.bitcast(mask.value, kind), I64))
        return Lanes(wide, self.builder.sitofp(ones, wide.float))

    def equal(self, a: Lanes, b: Lanes) -> Lanes:
        """Return where two values are equal."""
        return Lanes(self, self.builder.fcmp_ordered("==", a.value, b.value))

    def count_to_double(self, a: Lanes) -> Lanes:
        """Return integers as float64 lanes."""
        wide = Emitted(self.builder, 64, self.width)
        return Lanes(wide, self.builder.sitofp(a.value, wide.float))

    def exponent(self, bits: Lanes) -> Lanes:
        """Return the biased exponent of positive float64 bits."""
        return Lanes(
            self, self.builder.lshr(bits.value, ir.Constant(bits.value.type, [52] * self.width if self.width else 52))
        )

    def to_bits(self, a: Lanes) -> Lanes:
        """Return the floats' bits as integers of the same size."""
        return Lanes(self, self.builder.bitcast(a.value, self.int))

    def from_bits(self, a: Lanes) -> Lanes:
        """Return the floats that have these bits."""
        return Lanes(self, self.builder.bitcast(a.value, self.float))

    def to_double(self, a: Lanes) -> Lanes:
        """Return float32 lanes as float64 lanes."""
        wide = Emitted(self.builder, 64, self.width)
        return a if self.bits == 64 else Lanes(wide, self.builder.fpext(a.value, wide.float))

    def to_single(self, a: Lanes) -> Lanes:
        """Return float64 lanes rounded to float32 lanes."""
        narrow = Emitted(self.builder, 32, self.width)
        return Lanes(narrow, self.builder.fptrunc(a.value, narrow.float))

    def half(self, a: Lanes, upper: bool) -> tuple[Emitted, Lanes]:
        """Return the lower or upper half of the lanes; halving two lanes gives a scalar."""
        width = self.width // 2
        ops = Emitted(self.builder, self.bits, width if width > 1 else 0)
        if width == 1:
            return ops, Lanes(ops, self.builder.extract_element(a.value, ir.Constant(I32, int(upper))))
        which = ir.Constant(ir.VectorType(I32, width), [i + width * upper for i in range(width)])
        return ops, Lanes(ops, self.builder.shuffle_vector(a.value, a.value, which))

    def shuffle(self, a: Lanes, b: Lanes, places: list[int]) -> Lanes:
        """Return lanes of a and b: place k is lane k of a, place width + k that of b."""
        which = ir.Constant(ir.VectorType(I32, len(places)), places)
        return Lanes(self, self.builder.shuffle_vector(a.value, b.value, which))


class Plain:
    """The same operations on NumPy arrays of one dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.bits = 8 * self.dtype.itemsize
        self.ints = np.dtype(f"int{self.bits}")

    def number(self, value: float) -> Any:
        """Return a constant."""
        return self.dtype.type(value)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once (float64: up to a tie in 2^50 or so, by exact products and sums)."""
        if self.bits == 32:
            return self.dtype.type(np.float64(a) * np.float64(b) + np.float64(c))
        with np.errstate(invalid="ignore", over="ignore"):
            product, low = _two_product(a, self.number(b))
            total, rest = two_sum(product, np.asarray(c, self.dtype)[()])
            exact = total + (rest + low)
        finite = np.isfinite(exact)
        return exact if finite.all() else np.where(finite, exact, total)

    def integer(self, value: int) -> Any:
        """Return an integer constant."""
        return self.ints.type(value)

    def absolute(self, a: Any) -> Any:
        """Return |a|."""
        return np.abs(a)

    def equal(self, a: Any, b: Any) -> Any:
        """Return where two values are equal."""
        return a == b

    def exponent(self, bits: Any) -> Any:
        """Return the biased exponent of positive float64 bits."""
        return bits >> 52

    def count_to_double(self, a: Any) -> Any:
        """Return integers as float64."""
        return np.asarray(a, np.float64)[()]

    def select(self, condition: Any, yes: Any, no: Any) -> Any:
        """Return `yes` where the condition holds, else `no`."""
        known = yes if hasattr(yes, "dtype") else no
        return np.where(condition, yes, no).astype(known.dtype)

    def at_least(self, a: Any, bound: Any) -> Any:
        """Return the larger of two values; a NaN of `a` stays."""
        return self.select(a < bound, self.number(bound), a)

    def to_bits(self, a: Any) -> Any:
        """Return the floats' bits as integers of the same size."""
        return np.asarray(a).view(self.ints)

    def from_bits(self, a: Any) -> Any:
        """Return the floats that have these bits."""
        return np.asarray(a).view(self.dtype)

    def to_double(self, a: Any) -> Any:
        """Return the values as float64."""
        return np.asarray(a, np.float64)[()]

    def to_single(self, a: Any) -> Any:
        """Return the values rounded to float32."""
        return np.asarray(a, np.float32)[()]


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return s = fl(a + b) and the exact rest a + b - s, for any a and b (D. Knuth, TAOCP 4.2.2, theorem B)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Return p = fl(a b) and a b - p for float64 (T. Dekker 1971)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _split(a: Any) -> tuple[Any, Any]:
    shifted = a * 134217729.0
    high = shifted - (shifted - a)
    return high, a - high


class Cell:
    """A variable of a loop; LLVM keeps it in a register."""

    def __init__(self, start: Lanes) -> None:
        self.ops = start.ops
        with self.ops.builder.goto_entry_block():
            self.place = self.ops.builder.alloca(start.value.type)
        self.set(start)

    def get(self) -> Lanes:
        """Return its value now."""
        return Lanes(self.ops, self.ops.builder.load(self.place))

    def set(self, value: Lanes) -> None:
        """Give it a new value."""
        self.ops.builder.store(value.value, self.place)


class Stretch:
    """A stretch of an array inside a kernel, in elements of its dtype: reads and writes whole vectors, or the first lanes of one."""

    def __init__(self, builder: Any, base: Any, start: Any) -> None:
        self.builder = builder
        self.base = builder.gep(base, [start])
        element = self.base.type.pointee
        self.bits = 32 if isinstance(element, ir.FloatType) else 64
        self.vector = ir.VectorType(element, BYTES * 8 // self.bits)

    def _at(self, index: Any, count: int) -> Any:
        kind = ir.VectorType(self.vector.element, count)
        return self.builder.bitcast(self.builder.gep(self.base, [index]), kind.as_pointer())

    def load(self, index: Any, mask: Any, rest: float, width: int | None = None) -> Lanes:
        """Read a vector; with a mask only its lanes, the others being `rest`."""
        width = width or self.vector.count
        ops = Emitted(self.builder, self.bits, width)
        pointer = self._at(index, width)
        if mask is None:
            return Lanes(ops, self.builder.load(pointer, align=self.bits // 8))
        name = f"llvm.masked.load.v{width}f{self.bits}.p0"
        kind = ir.FunctionType(ops.float, [pointer.type, mask.type, ops.float])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        call = self.builder.call(function, [pointer, mask, ops.number(rest).value])
        return Lanes(ops, call)

    def store(self, value: Lanes, index: Any, mask: Any, streaming: bool = False) -> None:
        """Write a vector; with a mask only its lanes; `streaming` goes past the caches and needs an aligned address."""
        pointer = self._at(index, value.ops.width) if value.ops.width else self.builder.gep(self.base, [index])
        if mask is None:
            place = self.builder.store(value.value, pointer, align=BYTES if streaming else self.bits // 8)
            if streaming:
                one = self.builder.module.add_metadata([ir.Constant(I32, 1)])
                place.set_metadata("nontemporal", one)
            return
        name = f"llvm.masked.store.v{value.ops.width}f{self.bits}.p0"
        kind = ir.FunctionType(ir.VoidType(), [value.value.type, pointer.type, mask.type])
        self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [value.value, pointer, mask])

    def prefetch(self, index: Any, write: bool = False, level: int = 3) -> None:
        """Ask for the cache line of an element; 3 is the nearest cache."""
        pointer = self.builder.bitcast(self.builder.gep(self.base, [index]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        arguments = [pointer, *(ir.Constant(I32, int(n)) for n in (write, level, 1))]
        self.builder.call(function, arguments)


@contextmanager
def _body(builder: Any, start: Any, stop: Any, step: int) -> Iterator[Any]:
    with cgutils.for_range_slice(builder, start, stop, ir.Constant(I64, step), intp=I64) as (index, _):
        yield index


TOGETHER = 4
"""Vectors that `vector_loop` hands to `several`."""


def vector_loop(
    builder: Any,
    n: Any,
    width: int,
    body: Callable[[Any, Any], None],
    several: Callable[[list[Any]], None] | None = None,
) -> None:
    """Call `body(index, mask)` for each vector of `width` lanes in 0..n; the mask is None but for the last, shorter one.

    With `several`, that is called first, with the indices of `TOGETHER` vectors at a time.
    """
    done = ir.Constant(I64, 0)
    if several is not None:
        start, done = done, builder.and_(n, ir.Constant(I64, -width * TOGETHER))
        with _body(builder, start, done, width * TOGETHER) as index:
            several([builder.add(index, ir.Constant(I64, width * k)) for k in range(TOGETHER)])
    whole = builder.and_(n, ir.Constant(I64, -width))
    with _body(builder, done, whole, width) as index:
        body(index, None)
    with builder.if_then(builder.icmp_signed("<", whole, n)):
        body(whole, first_lanes(builder, builder.sub(n, whole), width))


def first_lanes(builder: Any, count: Any, width: int) -> Any:
    """Return the mask of the first `count` lanes."""
    ops = Emitted(builder, 32, width)
    lanes = ir.Constant(ops.int, list(range(width)))
    return builder.icmp_signed("<", lanes, ops.splat(builder.trunc(count, I32)).value)


def reduce_lanes(values: tuple[Lanes, ...], combine: Callable[..., tuple[Lanes, ...]]) -> tuple[Lanes, ...]:
    """Combine the lanes of some vectors to scalars, halves first, so that the order is fixed: `combine(*low, *high)`."""
    while values[0].ops.width:
        low = [value.ops.half(value, False)[1] for value in values]
        high = [value.ops.half(value, True)[1] for value in values]
        values = combine(*low, *high)
    return values


def lane_sums(values: list[Lanes], lanes: list[int]) -> Lanes:
    """Return one vector: in lane ``lanes[i]`` the sum of the lanes of ``values[i]``, 0 elsewhere; at most as many values as lanes.

    Each level adds halves of groups and packs two vectors into one, so all sums take about as many additions as there are lanes.
    """
    ops = values[0].ops
    width = ops.width
    zero = ops.number(0.0)
    level: list[tuple[Lanes | None, list[int]]] = [(value, [i] * width) for i, value in enumerate(values)]
    level += [(None, [-1] * width)] * (width - len(values))
    half = width // 2
    while half:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [_packed(zero, one, two, half) for one, two in pairs]
        half //= 2
    total, holds = level[0]
    places = [holds.index(lanes.index(k)) if k in lanes else width for k in range(width)]
    assert total is not None
    return ops.shuffle(total, zero, places)


def _packed(
    zero: Lanes, one: tuple[Lanes | None, list[int]], two: tuple[Lanes | None, list[int]], half: int
) -> tuple[Lanes | None, list[int]]:
    """Add the halves of each group of ``2 * half`` lanes of two vectors; a group of the result alternates between them."""
    (a, of_a), (b, of_b) = one, two
    if a is None:
        return two
    ops, width = a.ops, a.ops.width
    starts = range(0, width, 2 * half)
    low = [base + start + k for start in starts for base in (0, width) for k in range(half)]
    high = [place + half for place in low]
    b = zero if b is None else b
    holds = [group[start] for start in starts for group in (of_a, of_b) for _ in range(half)]
    return ops.shuffle(a, b, low) + ops.shuffle(a, b, high), holds
