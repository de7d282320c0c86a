"""The kernels over rows of scores: softmax, log-softmax, log-sum-exp, softmax cross-entropy.

Arrays are flat; rows `first` to `stop` of `n` scores each. A row is read in blocks that stay in the nearest cache: the
peak of a block, then the sum of its exponentials; the sums of blocks are joined by powers of two, so nothing is rounded
twice. Where a row and its result fit in the second cache, the first pass leaves the remainder of each exponential in
the result and the second only scales it.
"""

from __future__ import annotations

import math

import numpy as np

from lexigrad.machine.compiler import helper, kernel
from lexigrad.maths.exp import DOUBLE, SINGLE
from lexigrad.maths.row_loops import (
    exp,
    inverse,
    log1p,
    others_pair,
    peak_parts,
    row_minus,
    row_others,
    row_others_store,
    row_peak,
    row_probs,
    row_probs_stored,
    row_probs_streaming,
    row_total,
    row_total_store,
    sum_pair,
)
from lexigrad.maths.short_rows import short_cross_entropy, short_log_softmax, short_logsumexp, short_softmax

BLOCK = 4096
"""Scores in a block; 16 or 32 KB."""

AHEAD = 1024
"""Scores between what is read and what is asked for into the first cache."""

LINE = 64
"""Bytes in a cache line."""

FAR = min(SINGLE.far, DOUBLE.far)


@helper
def is_far(peak):  # type: ignore[no-untyped-def]
    """Say whether a peak makes its whole row be shifted by it."""
    return not abs(peak) < FAR


@helper
def two_sum(a, b):  # type: ignore[no-untyped-def]
    """Return fl(a + b) and its exact error."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


@helper
def sum_of_row(x, start, n, out, out_start, store, ahead):  # type: ignore[no-untyped-def]
    """Return (peak, high, low): sum_i exp(x_i - shift) = 2^N (high + low), with shift and N of the peak.

    A peak of +inf or -inf comes back as it is, with a sum of 0. With `store` the remainders are left in `out`. The peak of the first
    block serves until a block has a larger one: that block is added up again. Peaks far from 0 shift the scores, so there all blocks
    need the row's own.
    """
    peak, high, low = row_peak(x, start, min(n, BLOCK)), 0.0, 0.0
    if n > BLOCK and is_far(peak):
        peak = row_peak(x, start, n)
    first = 0
    while first < n and np.isfinite(peak):
        count = min(BLOCK, n - first)
        if store:
            total, rest, top = row_total_store(x, start + first, count, peak, out, start + first, ahead)
        else:
            total, rest, top = row_total(x, start + first, count, peak, out, start + first, ahead)
        if top <= peak:
            high, lost = two_sum(high, total)
            low += rest + lost
            first += count
        elif is_far(top):
            peak, high, low, first = row_peak(x, start, n), 0.0, 0.0, 0
        else:
            before, _ = peak_parts(peak)
            peak = x.dtype.type(top)
            exponent, _ = peak_parts(peak)
            scale = math.ldexp(1.0, int(before - exponent))
            high, low = high * scale, low * scale
    high, low = two_sum(high, low)
    return peak, high, low


@helper
def others_of_row(x, start, n, out, out_start, store, ahead):  # type: ignore[no-untyped-def]
    """Return (peak, others, others_low, high, low).

    others + others_low = sum_i exp(x_i - peak) - 1, the winner left out (not subtracted); high + low as `sum_of_row` has it.

    Here a row is one block: its peak is found first.
    """
    peak = row_peak(x, start, n)
    if not np.isfinite(peak):
        return peak, 0.0, 0.0, 0.0, 0.0
    high, low, winners = 0.0, 0.0, 0.0
    for first in range(0, n, BLOCK):
        count = min(BLOCK, n - first)
        if store:
            total, rest, wins = row_others_store(x, start + first, count, peak, out, out_start + first, ahead)
        else:
            total, rest, wins = row_others(x, start + first, count, peak, out, out_start + first, ahead)
        high, lost = two_sum(high, total)
        low += rest + lost
        winners += wins
    _, t = peak_parts(peak)
    others, others_low = others_pair(winners, high, low, t)
    total, lost = two_sum(high, winners)
    total, again = two_sum(total, winners * t)
    total, low = two_sum(total, low + lost + again)
    return peak, others, others_low, total, low


@helper
def probs_of_row(x, start, n, peak, high, low, out, out_start, stored, streaming, skew):  # type: ignore[no-untyped-def]
    """out_i = exp(x_i - shift) / 2^N * (high + low); streaming past the caches where the row is long."""
    if stored:
        row_probs_stored(x, start, n, peak, high, low, out, out_start)
    elif streaming:
        width = LINE // x.itemsize
        head = min(n, (skew - out_start) % width)
        row_probs(x, start, head, peak, high, low, out, out_start)
        row_probs_streaming(x, start + head, n - head, peak, high, low, out, out_start + head)
    else:
        row_probs(x, start, n, peak, high, low, out, out_start)


@helper
def has_nan(x, start, n):  # type: ignore[no-untyped-def]
    """Say whether a row has a NaN."""
    found = False
    for i in range(start, start + n):
        found |= np.isnan(x[i])
    return found


@helper
def is_odd(x, start, n, peak):  # type: ignore[no-untyped-def]
    """Say whether the loops over short rows leave a row to `fill_infinite`: they do so for a NaN in some places, too."""
    return not np.isfinite(peak) or has_nan(x, start, n)


@helper
def count_equal(x, start, n, value):  # type: ignore[no-untyped-def]
    """Count the scores of a row that equal a value."""
    count = 0
    for i in range(start, start + n):
        count += x[i] == value
    return count


@helper
def fill_infinite(x, start, n, peak, out, out_start, winner, loser):  # type: ignore[no-untyped-def]
    """Write the row of a peak that is not finite: `winner` where a score is +inf, else `loser`; all NaN without a +inf or with a NaN."""
    unknown = peak < 0 or has_nan(x, start, n)
    for i in range(n):
        value = winner if x[start + i] == peak else loser
        out[out_start + i] = np.nan if unknown else value


@kernel()
def softmax(x, out, first, stop, n, stored, streaming, skew):  # type: ignore[no-untyped-def]
    """Out = softmax of the rows first..stop. `stored` needs an `out` that is not `x`; `skew`: elements before the first aligned one."""
    if n <= LINE // x.itemsize:
        if short_softmax(x, out, first, stop, n) > 0:
            for row in range(first, stop):
                peak = row_peak(out, row * n, n)
                if is_odd(out, row * n, n, peak):
                    fill_infinite(
                        out, row * n, n, peak, out, row * n, 1.0 / max(1, count_equal(out, row * n, n, peak)), 0.0
                    )
        return
    for row in range(first, stop):
        start = row * n
        peak, high, low = sum_of_row(x, start, n, out, start, stored, min(n, AHEAD))
        if np.isfinite(peak):
            scale, rest = inverse(peak, high, low, 1.0)
            probs_of_row(x, start, n, peak, scale, rest, out, start, stored, streaming, skew)
        else:
            fill_infinite(x, start, n, peak, out, start, 1.0 / max(1, count_equal(x, start, n, peak)), 0.0)


@kernel()
def log_softmax(x, out, first, stop, n):  # type: ignore[no-untyped-def]
    """Out = log softmax of the rows first..stop, the winner's from the sum of the others."""
    if n <= LINE // x.itemsize:
        if short_log_softmax(x, out, first, stop, n) > 0:
            for row in range(first, stop):
                peak = row_peak(out, row * n, n)
                if is_odd(out, row * n, n, peak):
                    winner = -math.log(max(1, count_equal(out, row * n, n, peak)))
                    fill_infinite(out, row * n, n, peak, out, row * n, winner, -np.inf)
        return
    for row in range(first, stop):
        start = row * n
        peak, others, others_low, _, _ = others_of_row(x, start, n, out, start, False, min(n, AHEAD))
        if np.isfinite(peak):
            high, low = sum_pair(peak, *log1p(others, others_low))
            row_minus(x, start, n, high, low, out, start)
        else:
            fill_infinite(x, start, n, peak, out, start, -math.log(max(1, count_equal(x, start, n, peak))), -np.inf)


@kernel()
def logsumexp(x, out, first, stop, n):  # type: ignore[no-untyped-def]
    """out[row] = log sum exp of each row first..stop."""
    short = n <= LINE // x.itemsize
    if short and short_logsumexp(x, out, first, stop, n) == 0:
        return
    for row in range(first, stop):
        if not short:
            peak, others, others_low, _, _ = others_of_row(x, row * n, n, x, row * n, False, min(n, AHEAD))
            out[row], _ = sum_pair(peak, *log1p(others, others_low))
        else:
            peak = row_peak(x, row * n, n)
        if not np.isfinite(peak):
            out[row] = np.nan if has_nan(x, row * n, n) else peak


@helper
def infinite_cross_entropy(x, start, n, peak, place, losses, row, out, scale, gradient):  # type: ignore[no-untyped-def]
    """Fill what `softmax_cross_entropy` does for a row whose peak is not finite; False where no score is above -inf."""
    unknown = has_nan(x, start, n)
    if peak < 0 and not unknown:
        return False
    winners = max(1, count_equal(x, start, n, peak))
    losses[row] = np.nan if unknown else (math.log(winners) if x[place] == peak else np.inf)
    if gradient:
        fill_infinite(x, start, n, peak, out, start, scale / winners, 0.0)
        out[place] -= scale
    return True


@kernel()
def softmax_cross_entropy(x, labels, losses, out, first, stop, n, scale, gradient, stored):  # type: ignore[no-untyped-def]
    """losses[row] = -log softmax(x)[label]; with `gradient`, out = scale (softmax(x) - onehot).

    Returns the first row without a number above -inf, or -1.
    """
    if n <= LINE // x.itemsize:
        if short_cross_entropy(x, labels, losses, out, first, stop, n, scale, gradient) > 0:
            for row in range(first, stop):
                place = row * n + labels[row]
                fine = True
                if gradient:
                    peak = row_peak(out, row * n, n)
                    if is_odd(out, row * n, n, peak):
                        fine = infinite_cross_entropy(out, row * n, n, peak, place, losses, row, out, scale, True)
                else:
                    peak = row_peak(x, row * n, n)
                    if is_odd(x, row * n, n, peak):
                        fine = infinite_cross_entropy(x, row * n, n, peak, place, losses, row, out, scale, False)
                if not fine:
                    return row
        return -1
    for row in range(first, stop):
        start = row * n
        place = start + labels[row]
        score = x[place]
        peak, others, others_low, high, low = others_of_row(x, start, n, out, start, gradient and stored, min(n, AHEAD))
        if np.isfinite(peak):
            value, rest = log1p(others, others_low)
            losses[row] = (np.float64(peak) - np.float64(score) + value) + rest
            if gradient:
                rounded, rest = inverse(peak, high, low, scale)
                probs_of_row(x, start, n, peak, rounded, rest, out, start, stored, False, 0)
                won = score == peak and others < 1.0
                out[place] = -scale * (others / (1.0 + others)) if won else out[place] - scale
        elif not infinite_cross_entropy(x, start, n, peak, place, losses, row, out, scale, gradient):
            return row
    return -1


@kernel()
def soft_cross_entropy(x, targets, losses, out, first, stop, n, scale, gradient):  # type: ignore[no-untyped-def]
    """losses[row] = -sum_i y_i log softmax(x)_i; with `gradient`, out = scale (softmax(x) sum_i y_i - y). `out` may be `x`.

    Returns the first row without a number above -inf, or -1.
    """
    for row in range(first, stop):
        start = row * n
        peak, others, others_low, high, low = others_of_row(x, start, n, out, start, False, min(n, AHEAD))
        weight, loss = 0.0, 0.0
        if np.isfinite(peak):
            log_total, _ = log1p(others, others_low)
            for i in range(start, start + n):
                target = np.float64(targets[i])
                weight += target
                loss += target * ((np.float64(peak) - x[i]) + log_total) if target != 0.0 else 0.0
            if gradient:
                rounded, rest = inverse(peak, high, low, scale * weight)
                probs_of_row(x, start, n, peak, rounded, rest, out, start, False, False, 0)
        else:
            unknown = has_nan(x, start, n)
            if peak < 0 and not unknown:
                return row
            winners = max(1, count_equal(x, start, n, peak))
            for i in range(start, start + n):
                target = np.float64(targets[i])
                weight += target
                loss += target * (math.log(winners) if x[i] == peak else np.inf) if target != 0.0 else 0.0
            loss = np.nan if unknown else loss
            if gradient:
                fill_infinite(x, start, n, peak, out, start, scale * weight / winners, 0.0)
        losses[row] = loss
        if gradient:
            for i in range(start, start + n):
                out[i] -= scale * targets[i]
    return -1


@kernel()
def join_block(scores, peaks, sums, first, stop, n):  # type: ignore[no-untyped-def]
    """Join a block of scores, (rows, n), to the running maximum and sum of each row: sums[row] = sum exp(x - peaks[row]), float64."""
    for row in range(first, stop):
        peak, others, _, _, _ = others_of_row(scores, row * n, n, scores, row * n, False, 0)
        if peak == -np.inf:  # nothing to add: no score above -inf
            sums[row] = np.nan if has_nan(scores, row * n, n) else sums[row]
            continue
        total = 1.0 + others
        if peak > peaks[row]:
            sums[row] = sums[row] * exp(peaks[row] - peak) + total
            peaks[row] = peak
        else:
            sums[row] += total * exp(peak - peaks[row])


@kernel()
def probs_of_block(scores, peaks, sums, first, stop, n, scale):  # type: ignore[no-untyped-def]
    """Replace a block of scores by scale * exp(x - peaks[row]) / sums[row]."""
    for row in range(first, stop):
        peak = scores.dtype.type(peaks[row])
        _, t = peak_parts(peak)
        high, low = two_sum(sums[row], sums[row] * t)
        rounded, rest = inverse(peak, high, low, scale)
        row_probs(scores, row * n, n, peak, rounded, rest, scores, row * n)


@kernel()
def part_sum(x, start, stop):  # type: ignore[no-untyped-def]
    """Return `sum_of_row` of a part of a row."""
    peak, high, low = sum_of_row(x, start, stop - start, x, start, False, AHEAD)
    return np.float64(peak), high, low


@kernel()
def join_parts(sums, peaks):  # type: ignore[no-untyped-def]
    """Join (peak, high, low) of the parts of a row, none of them far, the peaks also in the row's dtype.

    Returns 1 / their sum, relative to the largest peak, in two parts.
    """
    exponents = np.empty(len(sums))
    for i in range(len(sums)):
        exponents[i], _ = peak_parts(peaks[i])
    top = exponents.max()
    high, low = 0.0, 0.0
    for i in range(len(sums)):
        scale = math.ldexp(1.0, int(exponents[i] - top))
        high, lost = two_sum(high, sums[i, 1] * scale)
        low += sums[i, 2] * scale + lost
    high, low = two_sum(high, low)
    return inverse(peaks[0], high, low, 1.0)


@kernel()
def part_probs(x, out, start, stop, peak, high, low, streaming, skew):  # type: ignore[no-untyped-def]
    """Write the probabilities of a part of a row, from the row's peak and the inverse of its sum."""
    probs_of_row(x, start, stop - start, peak, high, low, out, start, False, streaming, skew)
