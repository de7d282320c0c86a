"""The loops over rows that fit in one vector: each row stays in a register, and rows follow one another without a call.

The plain twins, which run without the compiler, are made of those of `row_loops`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.machine.vectors import I64, Cell, Emitted, Lanes, first_lanes, two_sum
from lexigrad.maths.exp import format_of
from lexigrad.maths.log1p import log1p_of
from lexigrad.maths.row_loops import (
    RowLoop,
    inverse,
    inverse_of,
    log1p,
    others_of,
    others_pair,
    peak_of,
    peak_parts,
    row_minus,
    row_others,
    row_parts,
    row_peak,
    row_pieces,
    row_probs,
    sum_of,
    sum_pair,
)

AHEAD = 3
"""Rows that a loop over short rows reads before it writes: a write would make the reads of the next lines wait (their addresses agree in the last 12 bits)."""


class ShortRows:
    """A loop over rows of at most one vector each, which stay in a register."""

    def __init__(self, loop: RowLoop, first: Any, stop: Any, n: Any) -> None:
        self.loop, self.first, self.stop, self.n = loop, first, stop, n
        self.mask = first_lanes(loop.builder, n, loop.ops.width)

    def _read(self, row: Any) -> Lanes:
        builder = self.loop.builder
        last = builder.sub(self.stop, ir.Constant(I64, 1))
        row = builder.select(builder.icmp_signed("<", row, last), row, last)
        return self.loop.stretches[0].load(builder.mul(row, self.n), self.mask, -np.inf)

    def each(self, body: Any) -> Any:
        """Emit `body(row, start, scores, peak)` for each row; return how many rows have no finite peak."""
        builder = self.loop.builder
        odd = cgutils.alloca_once_value(builder, ir.Constant(I64, 0))
        builder.store(ir.Constant(I64, 0), odd)
        with builder.if_then(builder.icmp_signed("<", self.first, self.stop)):
            ahead = [Cell(self._read(builder.add(self.first, ir.Constant(I64, i)))) for i in range(AHEAD)]
            one = ir.Constant(I64, 1)
            with cgutils.for_range_slice(builder, self.first, self.stop, one, intp=I64) as (row, _):
                scores = ahead[0].get()
                for cell, following in pairwise(ahead):
                    cell.set(following.get())
                ahead[-1].set(self._read(builder.add(row, ir.Constant(I64, AHEAD))))
                peak = self.loop.largest(scores)
                finite = self.loop.scalar.absolute(peak) < np.inf
                body(row, builder.mul(row, self.n), scores, peak, finite)
                count = builder.add(builder.load(odd), builder.zext(builder.not_(finite.value), I64))
                builder.store(count, odd)
        return builder.load(odd)

    def others(self, scores: Lanes, peak: Lanes) -> tuple[Lanes, Lanes, tuple[Lanes, Lanes], Lanes, Lanes, Lanes]:
        """Return (t, s, others, high, low) of a row as `others_of_row` in `row_kernels` has them, high + low with the headroom, and exp(peak)."""
        loop, ops = self.loop, self.loop.ops
        t, s = row_parts(ops, scores, *loop.shift(peak.value))
        wins = ops.equal(scores, ops.splat(peak))
        winners = ops.count(wins)
        high, low = loop.sum_of_terms(t, ops.select(wins, 0.0, s))
        _, t_peak = peak_of(loop.scalar, peak)
        scale = 2.0 ** format_of(ops).headroom
        top = (t_peak + 1.0) * scale
        others = others_of(top.ops, winners, high * (1.0 / scale), low * (1.0 / scale), t_peak)
        if ops.bits == 32:
            return t, s, others, high + winners * top, high * 0.0, top
        total, lost = two_sum(winners * scale, high)
        total, again = two_sum(total, winners * t_peak * scale)
        return t, s, others, *two_sum(total, low + lost + again), top


@intrinsic
def _short_softmax(typingctx: Any, x: Any, out: Any, first: Any, stop: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, out, first, stop, n = args
        zero = ir.Constant(I64, 0)
        loop = RowLoop(context, builder, (signature.args[0], x, zero), (signature.args[1], out, zero))
        rows, ops = ShortRows(loop, first, stop, n), loop.ops

        def body(row: Any, start: Any, scores: Lanes, peak: Lanes, finite: Lanes) -> None:
            t_high, t_low, s = row_pieces(ops, scores, *loop.shift(peak.value))
            t = t_high + t_low
            total, rest = loop.sum_of_terms(t, s) if ops.bits == 64 else loop.sum_of_wide_terms(t_high, t_low, s)
            high, low = (ops.splat(part) for part in inverse_of(loop.scalar, total, rest, total.ops.number(1.0)))
            probs = (high + ops.fma(t, high, low)) * s
            loop.stretches[1].store(ops.choose(finite, probs, scores), start, rows.mask)

        return rows.each(body)

    return types.intp(x, out, types.intp, types.intp, types.intp), codegen


@intrinsic
def _short_log_softmax(typingctx: Any, x: Any, out: Any, first: Any, stop: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, out, first, stop, n = args
        zero = ir.Constant(I64, 0)
        loop = RowLoop(context, builder, (signature.args[0], x, zero), (signature.args[1], out, zero))
        rows, ops = ShortRows(loop, first, stop, n), loop.ops

        def body(row: Any, start: Any, scores: Lanes, peak: Lanes, finite: Lanes) -> None:
            _, _, others, _, _, _ = rows.others(scores, peak)
            high, low = (ops.splat(part) for part in sum_of(loop.scalar, peak, *log1p_of(others[0].ops, *others)))
            loop.stretches[1].store(ops.choose(finite, (scores - high) - low, scores), start, rows.mask)

        return rows.each(body)

    return types.intp(x, out, types.intp, types.intp, types.intp), codegen


@intrinsic
def _short_logsumexp(typingctx: Any, x: Any, out: Any, first: Any, stop: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, out, first, stop, n = args
        zero = ir.Constant(I64, 0)
        loop = RowLoop(context, builder, (signature.args[0], x, zero), (signature.args[1], out, zero))
        rows = ShortRows(loop, first, stop, n)

        def body(row: Any, start: Any, scores: Lanes, peak: Lanes, finite: Lanes) -> None:
            _, _, others, _, _, _ = rows.others(scores, peak)
            value, _ = sum_of(loop.scalar, peak, *log1p_of(others[0].ops, *others))
            loop.stretches[1].store(value, row, None)

        return rows.each(body)

    return types.intp(x, out, types.intp, types.intp, types.intp), codegen


@intrinsic
def _short_cross_entropy(
    typingctx: Any, x: Any, labels: Any, losses: Any, out: Any, first: Any, stop: Any, n: Any, scale: Any, gradient: Any
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, labels, _, _, first, stop, n, scale, gradient = args
        zero = ir.Constant(I64, 0)
        arrays = [(signature.args[i], args[i], zero) for i in (0, 3, 2)]
        loop = RowLoop(context, builder, *arrays)
        label_base = make_array(signature.args[1])(context, builder, labels).data
        rows, ops = ShortRows(loop, first, stop, n), loop.ops
        wide = Emitted(builder, 64, 0)
        scale = Lanes(wide, scale)

        def body(row: Any, start: Any, scores: Lanes, peak: Lanes, finite: Lanes) -> None:
            label = builder.load(builder.gep(label_base, [row]))
            t, s, others, total, rest, top = rows.others(scores, peak)
            lanes = ir.Constant(ops.int, list(range(ops.width)))
            narrow = builder.trunc(label, ops.int.element) if ops.bits == 32 else label
            here = Lanes(ops, builder.icmp_signed("==", lanes, ops.splat(narrow).value))
            chosen = ops.select(here, scores, -np.inf)
            score = loop.largest(chosen)
            lead = loop.scalar.to_double(peak) - loop.scalar.to_double(score)
            value, rest = log1p_of(others[0].ops, *others)
            loop.stretches[2].store((lead + value) + rest, row, None)
            with builder.if_then(gradient):
                high, low = (ops.splat(part) for part in inverse_of(loop.scalar, total, rest, scale))
                probs = (high + ops.fma(t, high, low)) * s
                single = wide.to_single if ops.bits == 32 else (lambda value: value)
                alone = builder.and_((others[0] < 1.0).value, builder.fcmp_ordered("==", peak.value, score.value))
                won = Lanes(wide, alone)
                of_winner = ops.splat(single(-(scale * others[0] * (top / total))))
                of_label = ops.choose(won, of_winner, probs - ops.splat(single(scale)))
                gradients = ops.select(here, of_label, probs)
                loop.stretches[1].store(ops.choose(finite, gradients, scores), start, rows.mask)

        return rows.each(body)

    result = types.intp(x, labels, losses, out, types.intp, types.intp, types.intp, types.float64, types.boolean)
    return result, codegen


def _short_plain(x: Any, first: int, stop: int, n: int, result: Any) -> int:
    """Call `result(row, start, peak, others, high, low)` for the rows of a finite peak; return how many have none."""
    odd = 0
    for row in range(first, stop):
        start = row * n
        peak = row_peak(x, start, n)
        if not np.isfinite(peak):
            odd += 1
            continue
        high, low, winners = row_others(x, start, n, peak, x, start, 0)
        _, t = peak_parts(peak)
        others = others_pair(winners, high, low, t)
        total, lost = two_sum(winners, high)
        total, again = two_sum(total, winners * t)
        result(row, start, peak, others, total, low + lost + again)
    return odd


def _short_softmax_plain(x: Any, out: Any, first: int, stop: int, n: int) -> int:
    """Softmax of rows that fit in one vector; a row whose peak is not finite is copied. Returns how many of those there are."""
    source = x.copy()
    out[first * n : stop * n] = source[first * n : stop * n]

    def result(row: int, start: int, peak: Any, others: tuple[float, float], high: float, low: float) -> None:
        row_probs(source, start, n, peak, *inverse(peak, high, low, 1.0), out, start)

    return _short_plain(source, first, stop, n, result)


def _short_log_softmax_plain(x: Any, out: Any, first: int, stop: int, n: int) -> int:
    """Log-softmax of such rows, likewise."""
    source = x.copy()
    out[first * n : stop * n] = source[first * n : stop * n]

    def result(row: int, start: int, peak: Any, others: tuple[float, float], high: float, low: float) -> None:
        row_minus(source, start, n, *sum_pair(peak, *log1p(*others)), out, start)

    return _short_plain(source, first, stop, n, result)


def _short_logsumexp_plain(x: Any, out: Any, first: int, stop: int, n: int) -> int:
    """out[row] = log sum exp of such rows."""

    def result(row: int, start: int, peak: Any, others: tuple[float, float], high: float, low: float) -> None:
        out[row] = sum_pair(peak, *log1p(*others))[0]

    return _short_plain(x, first, stop, n, result)


def _short_cross_entropy_plain(
    x: Any, labels: Any, losses: Any, out: Any, first: int, stop: int, n: int, scale: float, gradient: bool
) -> int:
    """losses[row] = -log softmax(x)[label]; with `gradient`, out = scale (softmax(x) - onehot); rows without a finite peak are copied."""
    source = x.copy()
    if gradient:
        out[first * n : stop * n] = source[first * n : stop * n]

    def result(row: int, start: int, peak: Any, others: tuple[float, float], high: float, low: float) -> None:
        place = start + labels[row]
        value, rest = log1p(*others)
        losses[row] = (float(peak) - float(source[place]) + value) + rest
        if gradient:
            row_probs(source, start, n, peak, *inverse(peak, high, low, scale), out, start)
            won = source[place] == peak and others[0] < 1.0
            out[place] = -scale * (others[0] / (1.0 + others[0])) if won else out[place] - scale

    return _short_plain(source, first, stop, n, result)


if config.DISABLE_JIT:
    short_softmax, short_log_softmax = _short_softmax_plain, _short_log_softmax_plain
    short_logsumexp, short_cross_entropy = _short_logsumexp_plain, _short_cross_entropy_plain
else:
    short_softmax, short_log_softmax = _short_softmax, _short_log_softmax
    short_logsumexp, short_cross_entropy = _short_logsumexp, _short_cross_entropy
