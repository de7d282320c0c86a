"""The loops over one row of scores, as vectors: its maximum, the sum of its exponentials, its probabilities.

A row is `n` elements of a flat array from `start`; all arrays of a call have one dtype, float32 or float64. Exponentials
are kept relative to 2^N, with N the exponent of exp(peak):

    exp(x_i) / 2^N = 2^(n_i - N) (1 + t_i)

so that nothing is rounded by the shift: n_i - N is an integer. Scores far from 0 are shifted by the peak first
(|peak| >= `far`), which is exact for all scores that count beside the peak (P. Sterbenz, Floating-Point Computation,
1974: they are within a factor 2 of it). What lies more than |`lowest`| below the peak counts as 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.machine.vectors import (
    BYTES,
    I64,
    Cell,
    Emitted,
    Lanes,
    Plain,
    Stretch,
    reduce_lanes,
    two_sum,
    vector_loop,
)
from lexigrad.maths.exp import exp_parts, exp_pieces, exponent_of, format_of, magic_for
from lexigrad.maths.log1p import log1p_of


def shift_of(ops: Any, peak: Any) -> tuple[Any, Any, Any]:
    """Return what a row with this peak is shifted by, the lowest shifted score that counts, and the `magic` of headroom - N."""
    form = format_of(ops)
    shift = ops.select(ops.absolute(peak) < form.far, ops.number(0.0), peak)
    exponent = exponent_of(ops, peak - shift)
    return shift, (exponent - form.depth) * form.ln2_high, magic_for(ops, -exponent + form.headroom)


def row_parts(ops: Any, x: Any, shift: Any, lowest: Any, magic: Any) -> tuple[Any, Any]:
    """Return (t, s) with exp(x) = s (1 + t) 2^(N - headroom); s is 0, so that nothing underflows slowly, where x does not count."""
    return exp_parts(ops, ops.at_least(x - shift, lowest), magic)


def row_pieces(ops: Any, x: Any, shift: Any, lowest: Any, magic: Any) -> tuple[Any, Any, Any]:
    """Return `row_parts` with t as the sum of two."""
    return exp_pieces(ops, ops.at_least(x - shift, lowest), magic)


def term_of(ops: Any, t: Any, s: Any) -> tuple[Any, Any]:
    """Return s (1 + t) as a rounded value and the exact rest."""
    value = ops.fma(t, s, s)
    return value, ops.fma(t, s, s - value)


FAR_AHEAD = 8192
"""Elements between what is read and what is asked for into the second cache."""


class RowLoop:
    """What every loop starts with: its arrays as stretches, vectors and scalars of their dtype, and the row's shift in every lane."""

    def __init__(self, context: Any, builder: Any, *arrays: tuple[Any, Any, Any]) -> None:
        self.context, self.builder = context, builder
        self.stretches = [
            Stretch(builder, make_array(kind)(context, builder, array).data, start) for kind, array, start in arrays
        ]
        bits = self.stretches[0].bits
        self.ops = Emitted(builder, bits, BYTES * 8 // bits)
        self.scalar = Emitted(builder, bits, 0)

    def shift(self, peak: Any) -> list[Lanes]:
        """Return `shift_of` the peak in every lane."""
        return [self.ops.splat(value) for value in shift_of(self.scalar, Lanes(self.scalar, peak))]

    def over(self, n: Any, body: Any, several: Any = None) -> None:
        """Emit the loop over the row."""
        vector_loop(self.builder, n, self.ops.width, body, several)

    def prefetch(self, stretch: Stretch, index: Any, ahead: Any) -> None:
        """Ask for what comes `ahead` of an element, and for the second cache for what comes `FAR_AHEAD` of it."""
        stretch.prefetch(self.builder.add(index, ahead))
        stretch.prefetch(self.builder.add(index, ir.Constant(I64, FAR_AHEAD)), level=2)

    def largest(self, value: Lanes) -> Lanes:
        """Return the largest lane."""
        return reduce_lanes((value,), lambda a, b: (a.ops.select(a > b, a, b),))[0]

    def sum_of_terms(self, t: Lanes, s: Lanes) -> tuple[Lanes, Lanes]:
        """Return the sum of the s (1 + t) of one vector, as `sum` does."""
        if self.ops.bits == 64:
            return self.sum(*term_of(self.ops, t, s))
        return self.sum_of_wide_terms(t, None, s)

    def sum_of_wide_terms(self, t: Lanes, t_low: Lanes | None, s: Lanes) -> tuple[Lanes, Lanes]:
        """Return the sum of the s (1 + t + t_low) of one vector of float32, in float64: in a row of two or three, what t was rounded by tells."""
        wide_s, wide_t = self.ops.to_double(s), self.ops.to_double(t)
        wide_t = wide_t if t_low is None else wide_t + self.ops.to_double(t_low)
        (total,) = reduce_lanes((wide_s.ops.fma(wide_t, wide_s, wide_s),), lambda a, b: (a + b,))
        return total, total.ops.number(0.0)

    def sum(self, value: Lanes, rest: Lanes) -> tuple[Lanes, Lanes]:
        """Return the sum of all lanes of value + rest as float64 and the rest of that (0 for float32: float64 is enough)."""
        if self.ops.bits == 32:
            wide = self.ops.to_double(value) + self.ops.to_double(rest)
            (total,) = reduce_lanes((wide,), lambda a, b: (a + b,))
            return total, total.ops.number(0.0)

        def combine(a: Lanes, a_rest: Lanes, b: Lanes, b_rest: Lanes) -> tuple[Lanes, Lanes]:
            total, lost = two_sum(a, b)
            return total, (a_rest + b_rest) + lost

        return two_sum(*reduce_lanes((value, rest), combine))

    def tuple(self, values: list[Lanes], result: Any) -> Any:
        """Return some float64 as a tuple."""
        return self.context.make_tuple(self.builder, result, [value.value for value in values])


PAIR, TRIPLE = types.UniTuple(types.float64, 2), types.UniTuple(types.float64, 3)


@intrinsic
def _row_peak(typingctx: Any, x: Any, start: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, start, n = args
        loop = RowLoop(context, builder, (signature.args[0], x, start))
        best = Cell(loop.ops.number(-np.inf))

        def several(indices: list[Any]) -> None:
            one, two, three, four = (loop.stretches[0].load(i, None, 0.0) for i in indices)
            top = loop.ops.at_least(loop.ops.at_least(one, two), loop.ops.at_least(three, four))
            best.set(loop.ops.at_least(best.get(), top))

        def body(i: Any, mask: Any) -> None:
            best.set(loop.ops.at_least(best.get(), loop.stretches[0].load(i, mask, -np.inf)))

        loop.over(n, body, several)
        return loop.largest(best.get()).value

    return x.dtype(x, types.intp, types.intp), codegen


def _total(store: bool) -> Any:
    @intrinsic
    def row_total(typingctx: Any, x: Any, start: Any, n: Any, peak: Any, out: Any, out_start: Any, ahead: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, start, n, peak, out, out_start, ahead = args
            loop = RowLoop(context, builder, (signature.args[0], x, start), (signature.args[4], out, out_start))
            ops, (scores, remainders) = loop.ops, loop.stretches
            shift, lowest, magic = loop.shift(peak)
            bias = 2.0 ** (
                format_of(ops).headroom + 1
            )  # no term is larger, so `added` is exact, and s - added, a small number of the same grid, too
            total, rest = Cell(ops.number(bias)), Cell(ops.number(0.0))
            top = Cell(ops.splat(peak))

            def body(i: Any, mask: Any) -> None:
                x = scores.load(i, mask, -np.inf)
                top.set(ops.at_least(top.get(), x))
                t, s = row_parts(ops, x, shift, lowest, magic)
                if store:
                    remainders.store(t, i, mask)
                    remainders.prefetch(builder.add(i, ahead), write=True)
                loop.prefetch(scores, i, ahead)
                before = total.get()
                total.set(before + ops.fma(t, s, s))
                added = total.get() - before
                rest.set(rest.get() + ops.fma(t, s, s - added))

            loop.over(n, body)
            unbiased = total.get() - bias
            rounded = (total.get() - unbiased) - bias
            scale = 2.0 ** -format_of(ops).headroom
            high, low = (part * scale for part in loop.sum(unbiased, rest.get() + rounded))
            largest = loop.scalar.to_double(loop.largest(top.get()))
            return loop.tuple([high, low, largest], signature.return_type)

        return TRIPLE(x, types.intp, types.intp, peak, out, types.intp, types.intp), codegen

    return row_total


def _others(store: bool) -> Any:
    @intrinsic
    def row_others(typingctx: Any, x: Any, start: Any, n: Any, peak: Any, out: Any, out_start: Any, ahead: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, start, n, peak, out, out_start, ahead = args
            loop = RowLoop(context, builder, (signature.args[0], x, start), (signature.args[4], out, out_start))
            ops, (scores, remainders) = loop.ops, loop.stretches
            shift, lowest, magic = loop.shift(peak)
            top = ops.splat(peak)
            total, rest = Cell(ops.number(0.0)), Cell(ops.number(0.0))
            winners = Cell(ops.integer(0))

            def body(i: Any, mask: Any) -> None:
                x = scores.load(i, mask, -np.inf)
                t, s = row_parts(ops, x, shift, lowest, magic)
                if store:
                    remainders.store(t, i, mask)
                    remainders.prefetch(builder.add(i, ahead), write=True)
                loop.prefetch(scores, i, ahead)
                wins = ops.equal(x, top)
                winners.set(ops.select(wins, winners.get() + 1, winners.get()))
                value, below = term_of(ops, t, ops.select(wins, 0.0, s))
                added, lost = two_sum(total.get(), value)
                total.set(added)
                rest.set(rest.get() + (lost + below))

            loop.over(n, body)
            high, low = loop.sum(total.get(), rest.get())
            scale = 2.0 ** -format_of(ops).headroom
            (count,) = reduce_lanes((ops.count_to_double(winners.get()),), lambda a, b: (a + b,))
            return loop.tuple([high * scale, low * scale, count], signature.return_type)

        return TRIPLE(x, types.intp, types.intp, peak, out, types.intp, types.intp), codegen

    return row_others


NEAR = 512
"""Distance in elements at which the second pass asks for its scores."""


def _probs(stored: bool, streaming: bool) -> Any:
    @intrinsic
    def row_probs(
        typingctx: Any, x: Any, start: Any, n: Any, peak: Any, high: Any, low: Any, out: Any, out_start: Any
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, start, n, peak, high, low, out, out_start = args
            loop = RowLoop(context, builder, (signature.args[0], x, start), (signature.args[6], out, out_start))
            ops, (scores, results) = loop.ops, loop.stretches
            shift, lowest, magic = loop.shift(peak)
            scale = 2.0 ** -format_of(ops).headroom
            high, low = ops.splat(high) * scale, ops.splat(low) * scale

            def body(i: Any, mask: Any) -> None:
                t, s = row_parts(ops, scores.load(i, mask, -np.inf), shift, lowest, magic)
                scores.prefetch(builder.add(i, ir.Constant(I64, NEAR)))
                if stored:
                    t = results.load(i, mask, 0.0)
                results.store((high + ops.fma(t, high, low)) * s, i, mask, streaming)

            loop.over(n, body)
            return context.get_dummy_value()

        return types.void(x, types.intp, types.intp, peak, high, low, out, types.intp), codegen

    return row_probs


def exp_of(ops: Any, x: Any) -> Any:
    """Return exp(x) for x <= 88, and 0 where it is below the normal numbers; NaN gives NaN."""
    form = format_of(ops)
    t, s = exp_parts(ops, ops.at_least(x, -form.bias * form.ln2_high), magic_for(ops, 0))
    return ops.fma(t, s, s)


@intrinsic
def _exponentials(typingctx: Any, x: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        loop = RowLoop(context, builder, (signature.args[0], args[0], ir.Constant(I64, 0)))

        def body(i: Any, mask: Any) -> None:
            loop.stretches[0].store(exp_of(loop.ops, loop.stretches[0].load(i, mask, 0.0)), i, mask)

        loop.over(args[1], body)
        return context.get_dummy_value()

    return types.void(x, types.intp), codegen


@intrinsic
def _exp(typingctx: Any, x: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops = Emitted(builder, 64, 0)
        return exp_of(ops, Lanes(ops, args[0])).value

    return types.float64(types.float64), codegen


@intrinsic
def _log1p(typingctx: Any, y: Any, low: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops = Emitted(builder, 64, 0)
        pair = log1p_of(ops, Lanes(ops, args[0]), Lanes(ops, args[1]))
        return context.make_tuple(builder, signature.return_type, [value.value for value in pair])

    return PAIR(types.float64, types.float64), codegen


@intrinsic
def _row_minus(typingctx: Any, x: Any, start: Any, n: Any, high: Any, low: Any, out: Any, out_start: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, start, n, high, low, out, out_start = args
        loop = RowLoop(context, builder, (signature.args[0], x, start), (signature.args[5], out, out_start))
        high, low = loop.ops.splat(high), loop.ops.splat(low)

        def body(i: Any, mask: Any) -> None:
            loop.stretches[1].store((loop.stretches[0].load(i, mask, 0.0) - high) - low, i, mask)

        loop.over(n, body)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, high, low, out, types.intp), codegen


def sum_of(ops: Any, a: Any, b: Any, b_rest: Any) -> tuple[Any, Any]:
    """Return a + b + b_rest, b float64, as the sum of two values of the format of `ops`, which is that of a."""
    wide = ops.to_double(a)
    if ops.bits == 64:
        total, lost = two_sum(wide, b)
        return two_sum(total, lost + b_rest)
    high = b.ops.to_single(wide + b) if isinstance(b, Lanes) else ops.to_single(wide + b)
    rest = (wide - ops.to_double(high)) + b
    return high, (b.ops.to_single(rest) if isinstance(b, Lanes) else ops.to_single(rest))


def quotient_of(ops: Any, high: Any, low: Any, divisor: Any, divisor_low: Any) -> tuple[Any, Any]:
    """Return (high + low) / (divisor + divisor_low), float64, as the sum of two."""
    quotient = high / divisor
    return quotient, (ops.fma(-quotient, divisor, high) + (low - quotient * divisor_low)) / divisor


def inverse_of(ops: Any, high: Any, low: Any, factor: Any) -> tuple[Any, Any]:
    """Return factor / (high + low), float64, as the sum of two values of the format of `ops`."""
    wide = high.ops if isinstance(high, Lanes) else Plain(np.float64)
    quotient, rest = quotient_of(wide, factor, high * 0.0, high, low)
    if ops.bits == 64:
        return quotient, rest
    rounded = wide.to_single(quotient)  # the error of `quotient` does not reach the 48 bits of the two parts
    return rounded, wide.to_single(quotient - ops.to_double(rounded))


def others_of(ops: Any, winners: Any, high: Any, low: Any, t: Any) -> tuple[Any, Any]:
    """Return winners - 1 + (high + low) / (1 + t), float64, as the sum of two: all scores but one, relative to exp(peak)."""
    top = t + 1.0
    quotient, rest = quotient_of(ops, high, low, top, t - (top - 1.0))
    total, lost = two_sum(winners - 1.0, quotient)
    return total, lost + rest


@intrinsic
def _sum_pair(typingctx: Any, a: Any, b: Any, b_rest: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops, wide = Emitted(builder, a.bitwidth, 0), Emitted(builder, 64, 0)
        pair = sum_of(ops, Lanes(ops, args[0]), Lanes(wide, args[1]), Lanes(wide, args[2]))
        return context.make_tuple(builder, signature.return_type, [value.value for value in pair])

    return types.UniTuple(a, 2)(a, types.float64, types.float64), codegen


@intrinsic
def _others_pair(typingctx: Any, winners: Any, high: Any, low: Any, t: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops = Emitted(builder, 64, 0)
        pair = others_of(ops, *(Lanes(ops, value) for value in args))
        return context.make_tuple(builder, signature.return_type, [value.value for value in pair])

    return PAIR(*[types.float64] * 4), codegen


@intrinsic
def _inverse(typingctx: Any, like: Any, high: Any, low: Any, factor: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops, wide = Emitted(builder, like.bitwidth, 0), Emitted(builder, 64, 0)
        pair = inverse_of(ops, *(Lanes(wide, value) for value in args[1:]))
        return context.make_tuple(builder, signature.return_type, [value.value for value in pair])

    return types.UniTuple(like, 2)(like, types.float64, types.float64, types.float64), codegen


def peak_of(ops: Any, peak: Any) -> tuple[Any, Any]:
    """Return (N, t) with exp(peak - shift) = 2^N (1 + t), as float64."""
    shift, _, magic = shift_of(ops, peak)
    t, _ = exp_parts(ops, peak - shift, magic)
    return ops.to_double(exponent_of(ops, peak - shift)), ops.to_double(t)


@intrinsic
def _peak_parts(typingctx: Any, peak: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ops = Emitted(builder, peak.bitwidth, 0)
        return context.make_tuple(
            builder, signature.return_type, [value.value for value in peak_of(ops, Lanes(ops, args[0]))]
        )

    return PAIR(peak), codegen


def _row_peak_plain(x: Any, start: int, n: int) -> Any:
    """Return the largest score of a row. A row that has a NaN gives NaN as its sum, whatever its peak: here NaN is passed over."""
    return np.fmax.reduce(x[start : start + n], initial=x.dtype.type(-np.inf))


def _plain_parts(x: Any, start: int, n: int, peak: Any) -> tuple[Any, Any, Any]:
    ops = Plain(x.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        return ops, *row_parts(ops, x[start : start + n], *shift_of(ops, x.dtype.type(peak)))


def _plain_sum(ops: Any, t: Any, s: Any) -> tuple[float, float]:
    with np.errstate(invalid="ignore", under="ignore"):
        terms = np.concatenate([np.asarray(part, np.float64) for part in term_of(ops, t, s)])
    scale = 2.0 ** -format_of(ops).headroom
    high = math.fsum(terms)
    return high * scale, math.fsum([*terms, -high]) * scale if math.isfinite(high) else 0.0


def _total_plain(store: bool) -> Any:
    def row_total(
        x: Any, start: int, n: int, peak: Any, out: Any, out_start: int, ahead: int
    ) -> tuple[float, float, float]:
        """Return sum_i exp(x_i) / 2^N as high + low, N that of the peak, and the largest of the peak and the scores.

        Where that is larger than the peak, the sum is worthless. With `store`, leave the t_i in `out`. `ahead`: distance of the
        elements to prefetch.
        """
        ops, t, s = _plain_parts(x, start, n, peak)
        if store:
            out[out_start : out_start + n] = t
        return *_plain_sum(ops, t, s), float(np.fmax.reduce(x[start : start + n], initial=peak))

    return row_total


def _others_plain(store: bool) -> Any:
    def row_others(
        x: Any, start: int, n: int, peak: Any, out: Any, out_start: int, ahead: int
    ) -> tuple[float, float, float]:
        """Return the sum over the scores that are not equal to the peak, as high + low, and how many are equal to it."""
        ops, t, s = _plain_parts(x, start, n, peak)
        if store:
            out[out_start : out_start + n] = t
        wins = x[start : start + n] == peak
        return *_plain_sum(ops, t, np.where(wins, ops.number(0.0), s)), float(wins.sum())

    return row_others


def _probs_plain(stored: bool) -> Any:
    def row_probs(x: Any, start: int, n: int, peak: Any, high: Any, low: Any, out: Any, out_start: int) -> None:
        """out_i = exp(x_i) / 2^N (high + low); with `stored`, from the t_i that `row_total` left in `out`."""
        ops, t, s = _plain_parts(x, start, n, peak)
        t = out[out_start : out_start + n] if stored else t
        scale = ops.number(2.0 ** -format_of(ops).headroom)
        high, low = high * scale, low * scale
        with np.errstate(invalid="ignore", under="ignore"):
            out[out_start : out_start + n] = (high + ops.fma(t, high, low)) * s

    return row_probs


def _exponentials_plain(x: Any, n: int) -> None:
    """x[:n] = exp(x[:n]), for x <= 88; 0 below the normal numbers."""
    with np.errstate(invalid="ignore"):
        x[:n] = exp_of(Plain(x.dtype), x[:n])


def _exp_plain(x: float) -> float:
    """Return exp(x) for x <= 88, and 0 where it is below the normal numbers."""
    with np.errstate(invalid="ignore"):
        return float(exp_of(Plain(np.float64), np.float64(x)))


def _log1p_plain(y: float, low: float) -> tuple[float, float]:
    """Return log(1 + y + low), y >= 0, as two values."""
    with np.errstate(all="ignore"):
        one, two = log1p_of(Plain(np.float64), np.float64(y), np.float64(low))
    return float(one), float(two)


def _sum_pair_plain(a: Any, b: float, b_rest: float) -> tuple[Any, Any]:
    """Return a + b + b_rest as two values of the dtype of a."""
    with np.errstate(invalid="ignore"):
        one, two = sum_of(Plain(a.dtype), a, np.float64(b), np.float64(b_rest))
    return a.dtype.type(one), a.dtype.type(two)


def _row_minus_plain(x: Any, start: int, n: int, high: Any, low: Any, out: Any, out_start: int) -> None:
    """out_i = (x_i - high) - low."""
    out[out_start : out_start + n] = (x[start : start + n] - high) - low


def _others_pair_plain(winners: float, high: float, low: float, t: float) -> tuple[float, float]:
    """Return winners - 1 + (high + low) / (1 + t) as two values."""
    with np.errstate(all="ignore"):
        one, two = others_of(Plain(np.float64), *(np.float64(value) for value in (winners, high, low, t)))
    return float(one), float(two)


def _inverse_plain(like: Any, high: float, low: float, factor: float) -> tuple[Any, Any]:
    """Return factor / (high + low) as two values of the dtype of `like`."""
    with np.errstate(all="ignore"):
        one, two = inverse_of(Plain(like.dtype), np.float64(high), np.float64(low), np.float64(factor))
    return like.dtype.type(one), like.dtype.type(two)


def _peak_parts_plain(peak: Any) -> tuple[float, float]:
    """Return (N, t) with exp(peak - shift) = 2^N (1 + t)."""
    n, t = peak_of(Plain(peak.dtype), peak)
    return float(n), float(t)


if config.DISABLE_JIT:
    row_peak, row_minus, inverse, peak_parts = _row_peak_plain, _row_minus_plain, _inverse_plain, _peak_parts_plain
    row_total, row_total_store = _total_plain(False), _total_plain(True)
    row_others, row_others_store = _others_plain(False), _others_plain(True)
    row_probs, row_probs_stored, row_probs_streaming = _probs_plain(False), _probs_plain(True), _probs_plain(False)
    log1p, sum_pair, others_pair = _log1p_plain, _sum_pair_plain, _others_pair_plain
    exp, exponentials = _exp_plain, _exponentials_plain
else:
    row_peak, row_minus, inverse, peak_parts = _row_peak, _row_minus, _inverse, _peak_parts
    row_total, row_total_store = _total(store=False), _total(store=True)
    row_others, row_others_store = _others(store=False), _others(store=True)
    row_probs, row_probs_stored = _probs(stored=False, streaming=False), _probs(stored=True, streaming=False)
    row_probs_streaming = _probs(stored=False, streaming=True)
    log1p, sum_pair, others_pair = _log1p, _sum_pair, _others_pair
    exp, exponentials = _exp, _exponentials
