"""Errors in ulp: inputs, references and the search for the worst. `benchmarks.accuracy` prints what this finds, `tests/maths/test_accuracy.py`
asserts it.

An error is counted in units in the last place of the exact result: ulp(y) = 2^(e - 23) in float32, 2^(e - 52) in float64, with 2^e <= |y| <
2^(e + 1); for results below the normal numbers, in units of the smallest subnormal. A correctly rounded result has an error of at most 0.5.

References. Rows and float64: 64 bits of mantissa (np.longdouble of x86), which leave about 0.002 ulp of float64; the difference of two
scores is kept as a sum of two such numbers, because it is multiplied by the slope of exp, up to 1,000. Where np.longdouble has fewer bits,
float64 is measured by mpmath alone, on less. float32 functions of one number: float64, see `worst_of_points`. What is worst is computed
again by mpmath in 200 bits, and that number is what is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np

import lexigrad
from lexigrad.machine.threads import map_threads

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Any]
Systems = dict[str, dict[str, Function]]
"""For each function, what computes it: {"softmax": {"lexigrad": ..., "SciPy": ...}}."""

EXTENDED = bool(np.finfo(np.longdouble).nmant >= 63)
DTYPES = (np.float32, np.float64)
LENGTHS = (2, 10, 16, 17, 100, 1_000, 4_097, 30_000, 1_000_000)
SCALES = (1, 10, 100, 1_000)
LOSS = "softmax_cross_entropy, loss of the leader"
ROW_FUNCTIONS = ("softmax", "log_softmax", "logsumexp", LOSS)
POINT_FUNCTIONS = ("sigmoid", "log_sigmoid", "log1pexp", "sigmoid_grad")
ONE_FLOAT32 = 1 << 32
"""Number of float32 patterns."""


def bound(function: str, dtype: type) -> float:
    """Return the error that the documentation promises, in ulp."""
    if function in ("softmax", "log_softmax", LOSS):
        return 2.0 if dtype is np.float32 else 3.0
    if function in POINT_FUNCTIONS and dtype is np.float32:
        return 0.51
    return 1.5


# Units


def binade(y: Array) -> Array:
    """Return the power of two at or below |y|, for normal numbers."""
    if y.dtype == np.float64:
        return (y.view(np.uint64) & np.uint64(0x7FF0_0000_0000_0000)).view(np.float64)
    _, exponent = np.frexp(y)
    return np.ldexp(np.ones((), y.dtype), exponent - 1)


def ulp(y: Array, dtype: type) -> Array:
    """Return the unit of each exact result; `y` is wider than `dtype`, or of it."""
    form = np.finfo(dtype)
    size = np.minimum(np.maximum(np.abs(y), y.dtype.type(form.smallest_normal)), y.dtype.type(form.max))
    return binade(size) * y.dtype.type(form.eps)


def errors(result: Array, exact: Array, unit: Array, dtype: type) -> Array:
    """Return |result - exact| in units. NaN is right for NaN only, an infinity where the exact result is beyond the largest number."""
    with np.errstate(all="ignore"):
        off = np.abs(result - exact) / unit
        if np.isfinite(off.max(initial=0)):
            return off
        beyond = np.isinf(result) & (np.sign(result) == np.sign(exact)) & (np.abs(exact) > np.finfo(dtype).max)
        right = beyond | (np.isnan(result) & np.isnan(exact))
    return np.where(right, 0, np.where(np.isnan(off), np.inf, off))


@dataclass
class Worst:
    """The largest error found, and where.

    Attributes
    ----------
    ulps : the error, in 200 bits if `confirmed`
    label : which inputs
    x : the row, or the number
    index : of the element of the row
    result : what was returned
    """

    ulps: float = 0.0
    label: str = ""
    x: Array = field(default_factory=lambda: np.zeros(1))
    index: int = 0
    result: float = 0.0
    confirmed: bool = False

    def __str__(self) -> str:
        """Return error and place, in one line."""
        scores = f"{self.x[:4].tolist()}{'...' if len(self.x) > 4 else ''}"
        how = "200 bits" if self.confirmed else "not confirmed"
        place = f"element {self.index} of {len(self.x):,}: " if len(self.x) > 1 else ""
        return f"{self.ulps:.4f} ulp ({how}), {self.label}, {place}{scores} -> {self.result!r}"


# Rows: references


def exact_rows(x: Array) -> dict[str, tuple[Array, Array]]:
    """Return the exact result and its unit for each of `ROW_FUNCTIONS`; (rows, n) finite scores."""
    dtype = x.dtype.type
    wide = x.astype(np.longdouble)
    rows = np.arange(len(x))
    leader = x.argmax(axis=1)
    peak = wide[rows, leader][:, None]
    gap = wide - peak  # and what its rounding lost (Knuth's two-sum, with -peak):
    of_peak = gap - wide
    lost = (wide - (gap - of_peak)) - (peak + of_peak)
    weights = np.exp(gap) * (1 + lost)
    weights[rows, leader] = 0
    others = weights.sum(axis=1, keepdims=True)
    log_total = np.log1p(others)
    weights[rows, leader] = 1
    probs = weights / (1 + others)
    log_probs = (gap - log_total) + lost
    total = (peak + log_total)[:, 0]
    loss = log_total[:, 0]
    return {
        "softmax": (probs, ulp(probs, dtype)),
        "log_softmax": (log_probs, ulp(log_probs, dtype)),
        "logsumexp": (total, ulp(np.maximum(np.abs(total), np.abs(peak[:, 0])), dtype)),
        LOSS: (loss, ulp(loss, dtype)),
    }


def mp_row(function: str, x: Array, index: int) -> tuple[Any, Any]:
    """Return one element of the exact result, and what its unit is that of; in mpmath's current precision."""
    leader = int(x.argmax())
    values, counts = np.unique(np.delete(x, leader), return_counts=True)
    peak = mpmath.mpf(float(x[leader]))
    others = mpmath.fsum(int(k) * mpmath.exp(float(v) - peak) for v, k in zip(values, counts, strict=True))
    if function == "logsumexp":
        total = peak + mpmath.log1p(others)
        return total, max(abs(total), abs(peak))
    if function == LOSS:
        return mpmath.log1p(others), mpmath.log1p(others)
    gap = float(x[index]) - peak
    y = mpmath.exp(gap) / (1 + others) if function == "softmax" else gap - mpmath.log1p(others)
    return y, y


def mp_ulp(y: Any, dtype: type) -> Any:
    """Return the unit of an exact result."""
    form = np.finfo(dtype)
    size = max(abs(y), mpmath.mpf(float(form.smallest_normal)))
    return mpmath.ldexp(1, int(mpmath.floor(mpmath.log(size, 2))) - form.nmant)


def confirm_row(worst: Worst, function: str, dtype: type, longest: int = 30_000) -> Worst:
    """Replace the error by that in 200 bits; rows longer than `longest` stay as they are (minutes)."""
    if not worst.label or len(worst.x) > longest or not math.isfinite(worst.result):
        return worst
    with mpmath.workprec(200):
        y, size = mp_row(function, worst.x, worst.index)
        worst.ulps = float(abs(mpmath.mpf(worst.result) - y) / mp_ulp(size, dtype))
    worst.confirmed = True
    return worst


# Rows: inputs

Batch = tuple[str, Array]


def random_rows(dtype: type, scale: float, elements: int, lengths: Iterable[int] = LENGTHS) -> Iterator[Batch]:
    """Yield normal scores of a standard deviation, in rows of each length; about `elements` numbers of each, one row at least."""
    for n in lengths:
        rng = np.random.default_rng([n, int(scale)])
        for first in range(0, max(1, elements // n), max(1, (1 << 20) // n)):
            rows = min(max(1, elements // n) - first, max(1, (1 << 20) // n))
            yield f"random, scale {scale:,}, rows of {n:,}", (scale * rng.standard_normal((rows, n))).astype(dtype)


def beside(points: Iterable[float], dtype: type, count: int = 8) -> Array:
    """Return the numbers next to each point, `count` on each side."""
    near = np.asarray(list(points), dtype)[:, None]
    return (near + np.spacing(np.abs(near)) * np.arange(-count, count + 1, dtype=dtype)).reshape(-1).astype(dtype)


def adversarial_rows(dtype: type, longest: int = 1_000_000) -> Iterator[Batch]:
    """Yield rows made to hurt."""
    rng = np.random.default_rng(0)
    single = dtype is np.float32
    ends = (
        (87.33654, 88.02969, 88.72284, 103.27893, 103.97208, 124.0, 129.3, 129.9, 248.0, 260.6)
        if single
        else (708.3964, 709.0895, 709.7827, 744.4401, 745.1332, 800.0, 847.4, 848.1, 1600.0, 1696.8)
    )
    deepest, largest = ends[4], float(np.finfo(dtype).max)

    def rows(x: Any) -> Array:
        return np.ascontiguousarray(x, dtype)

    gaps = np.concatenate(
        [np.arange(0, 100, 1 / 64), np.linspace(100, 1.3 * deepest, 2_001), rng.uniform(0, 40, 8_192)]
    )
    for n in (2, 3, 10, 17, 100):
        x = np.zeros((len(gaps), n))
        x[:, n // 2] = gaps
        yield "leader and gap, the others at 0", rows(x)
        yield "leader at 0, the others below", rows(x - gaps[:, None])
        yield "leader and gap, random others", rows(x + np.where(x > 0, 0, rng.uniform(-3, 0, x.shape)))
    for n in (2, 10, 16, 17, 100, 4_097):
        levels = rng.uniform(-50, 50, (40_000 // n + 1, 3))
        yield "ties", rows(np.take_along_axis(levels, rng.integers(0, 3, (len(levels), n)), 1))
        yield "all equal", rows(np.repeat(beside([0.0, 1e-30, 0.3, -7.1, 90.0, -710.0, 1e6], dtype)[:, None], n, 1))
        ranges = np.array([1e-3, 1, 30, 0.9 * deepest, 3 * deepest, 30 * deepest])[:, None]
        yield "sorted up", rows(ranges * np.linspace(-1, 1, n))
        yield "sorted down", rows(ranges * np.linspace(1, -1, n))
        for offset in (1e3, -1e3, 1e6, -1e6, 1e30):
            yield "common offset", rows(offset + rng.normal(0, 10, (20_000 // n + 1, n)))
    for n in (17, 100, 1_000, 30_000, 1_000_000):
        if n <= longest:
            small = np.linspace(-3, 3, 61 if n <= 1_000 else 3)[:, None] - math.log(n) + np.zeros((1, n))
            small[:, -1] = 0
            yield "many equal small scores and a leader", rows(small)
    for n in (2, 10, 17, 100, 1_000):
        depths = rng.uniform(ends[0] - 1, deepest + 1, (20_000 // n + 1, n))
        depths[:, 0] = 0
        yield "results below the normal numbers", rows(-depths)
        for leader in (0.0, 0.3, 100.0, -20.0):
            depths = beside(ends, dtype, 40)[:, None] * np.ones((1, n))
            depths[:, 0] = 0
            yield "gaps where exp underflows", rows(leader - depths)
    for n in (2, 10, 17, 100):
        peaks = np.concatenate([rng.uniform(0.9 * ends[-2], 1.1 * ends[-1], 200), beside(ends[-2:], dtype, 40)])[
            :, None
        ]
        depths = rng.uniform(0, 1, (len(peaks), n)) * np.array([1, 10, deepest])[rng.integers(0, 3, (len(peaks), 1))]
        yield "peaks where scores begin to be shifted", rows(peaks - depths)
        yield "peaks where scores begin to be shifted", rows(-peaks - depths)
    for n in (5_000, 13_000):
        x = rng.normal(0, 3, (6, n))
        for i, peak in enumerate((0.9 * ends[-2], 2 * ends[-1], 30.0, -2 * ends[-1], 12.0, 1e5)):
            x[i, n - 700 :] += peak
            x[i] -= 3 * ends[-1] if i == 4 else 0
        yield "a later block has the peak", rows(x)
    halves = (np.arange(-int(deepest), int(deepest)) + 0.5) * math.log(2)
    for n in (2, 10, 17, 100):
        near = rng.choice(beside(halves[np.abs(halves) < deepest / 2], dtype, 3), (200_000 // n, n))
        yield "scores halfway between multiples of ln 2", rows(near)
        yield "two digits", rows(rng.integers(-1_000, 1_000, (40_000 // n, n)) / 100)
    yield "largest numbers", rows([[largest, -largest, 0], [largest, largest, 1], [-largest, -largest, -largest]])
    yield (
        "smallest numbers",
        rows([[0, np.finfo(dtype).smallest_subnormal, -0.0], [np.finfo(dtype).smallest_normal] * 3]),
    )


def two_scores(dtype: type, count: int) -> Iterator[Batch]:
    """Yield `count` random rows of two scores and as many of three: here a single term decides, and its error is not averaged away."""
    for k in range(max(1, count >> 17)):
        rng = np.random.default_rng([count, k])
        for n in (2, 3):
            x = rng.normal(0, 10 ** rng.uniform(-1, 1.2), (min(count, 1 << 17), n))
            yield "few random scores", x.astype(dtype)


def paired_rows(dtype: type, pool: int, most: int) -> Iterator[Batch]:
    """Yield rows of a score whose exponential comes out far too small beside one whose exponential comes out far too large, and the reverse.

    They are found by our softmax of (x, 0), x next to an odd multiple of ln 2 / 2: the `most` with the largest error of each sign out of
    `pool`.
    """
    rng = np.random.default_rng(2)
    steps = rng.integers(-30 if dtype is np.float32 else -500, -3, pool) + 0.5 + rng.normal(0, 0.04, pool)
    x = (steps * math.log(2)).astype(dtype)
    signed = np.empty(pool)
    for first in range(0, pool, 1 << 18):
        rows = np.stack([x[first : first + (1 << 18)], np.zeros_like(x[first : first + (1 << 18)])], 1)
        exact = exact_rows(rows)["softmax"][0][:, 0]
        signed[first : first + (1 << 18)] = (lexigrad.softmax(rows, threads=1)[:, 0] - exact) / exact
    order = signed.argsort()
    small, large = x[order[:most]], x[order[-most:]]
    for below, above in ((small, large), (large, small)):
        low, high = (side.reshape(-1) for side in np.meshgrid(below, above))
        for last in ([], [high]):
            found = np.stack([low, high, *last], 1)[low < high]
            for first in range(0, len(found), 1 << 19):
                yield "an exponential too small beside one too large", found[first : first + (1 << 19)]


# Functions of one number: references and inputs


def exact_sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def exact_log1pexp(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


EXACT: dict[str, Function] = {
    "sigmoid": exact_sigmoid,
    "log_sigmoid": lambda x: -exact_log1pexp(-x),
    "log1pexp": exact_log1pexp,
    "sigmoid_grad": lambda s: s * (1 - s),
}
"""In the precision of the argument, the error is a few units of that precision: nothing cancels."""

MP_EXACT: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)) if x > 0 else x - mpmath.log1p(mpmath.exp(x)),
    "log1pexp": lambda x: x + mpmath.log1p(mpmath.exp(-x)) if x > 0 else mpmath.log1p(mpmath.exp(x)),
    "sigmoid_grad": lambda s: s * (1 - s),
}


def mp_error(function: str, x: float, result: float, dtype: type) -> float:
    """Return the error of one result in 200 bits."""
    with mpmath.workprec(200):
        y = MP_EXACT[function](mpmath.mpf(x))
        return float(abs(mpmath.mpf(result) - y) / mp_ulp(y, dtype))


def points(function: str, dtype: type, count: int = 1 << 18) -> Iterator[Batch]:
    """Yield arguments: random over all exponents, random where the function bends, and adversarial."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 1 << 63, count, np.int64).astype(f"i{np.dtype(dtype).itemsize}").view(dtype)
    bits = bits[np.isfinite(bits)]
    if function == "sigmoid_grad":
        yield "random values", rng.uniform(0, 1, count).astype(dtype)
        yield "all exponents", np.abs(bits[np.abs(bits) <= 1])
        yield "next to 0.5 and 1", np.clip(beside([0.5, 1.0, 0.0], dtype, 1_000), 0, 1)
        return
    yield "all exponents", np.concatenate([bits, -bits])
    for scale in (1, 4, 40, 110, 750):
        yield f"within {scale}", rng.uniform(-scale, scale, count).astype(dtype)
    sizes = np.exp(rng.uniform(-80, 7, count)).astype(dtype)
    yield "random size", np.concatenate([sizes, -sizes])
    ends = (
        0.3465735903,
        0.6931471806,
        0.8813735870,
        1.0397,
        16.635532,
        17.3286795,
        36.04365339,
        36.7368005697,
        37.0,
        87.33654,
        88.72284,
    )
    deep = (
        103.27893,
        103.97208,
        104.0,
        708.0,
        708.39641853,
        709.0895,
        709.782712893,
        744.4400719,
        745.13321910,
        745.8,
        746.0,
        847.7,
    )
    near = beside([*ends, *deep], dtype, 500)
    yield "thresholds", np.concatenate([near, -near])
    tiny = np.array([0.0, np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny, np.finfo(dtype).max], dtype)
    yield "edges", np.concatenate([tiny, -tiny, beside([0.0], dtype, 500)])
    depths = rng.uniform(708, 746, count) if dtype is np.float64 else rng.uniform(87, 104.5, count)
    yield "results below the normal numbers", np.concatenate([-depths, depths]).astype(dtype)


CHUNK = 1 << 16
"""Patterns at a time: the arrays of a chunk stay in the second cache."""

PIECE = 1 << 22
"""Patterns of one task of a thread."""


def patterns(function: str, stride: int) -> list[range]:
    """Return all float32 as ranges of bit patterns, `stride` apart; for `sigmoid_grad` those from 0 to 1."""
    end = int(np.float32(1).view(np.uint32)) + 1 if function == "sigmoid_grad" else ONE_FLOAT32
    return [range(first, min(first + PIECE * stride, end), stride) for first in range(0, end, PIECE * stride)]


def of_patterns(some: range) -> Array:
    """Return the float32 that have these bits."""
    return np.arange(some.start, some.stop, some.step, np.int64).astype(np.uint32).view(np.float32)


def chunks(some: range) -> Iterator[Batch]:
    """Yield the float32 of a range of patterns."""
    for first in range(0, len(some), CHUNK):
        yield "every float32" if some.step == 1 else "sampled float32", of_patterns(some[first : first + CHUNK])


# The search


def worst_of_rows(systems: Systems, batches: Iterable[Batch], dtype: type) -> dict[str, dict[str, Worst]]:
    """Return the worst error of each function by each system over batches of rows; what is lexigrad's is confirmed in 200 bits."""
    worst = {function: {name: Worst() for name in calls} for function, calls in systems.items()}
    for label, x in batches:
        exact = exact_rows(x)
        for function, calls in systems.items():
            y, unit = exact[function]
            for name, call in calls.items():
                result = np.asarray(call(x))
                off = errors(result, y, unit, dtype)
                place = np.unravel_index(int(off.argmax()), off.shape)
                if off[place] > worst[function][name].ulps:
                    index = int(place[1]) if len(place) > 1 else 0
                    row = x[place[0]].copy()
                    worst[function][name] = Worst(float(off[place]), label, row, index, float(result[place]))
    for function, found in worst.items():
        if "lexigrad" in found:
            found["lexigrad"] = confirm_row(found["lexigrad"], function, dtype)
    return worst


def worst_of_points(
    function: str, calls: dict[str, Function], batches: Iterable[Batch], dtype: type
) -> dict[str, list[Worst]]:
    """Return, for each system, the worst of each batch.

    The reference for float32 is float64: its error of about 2 of its own units is 2^-28 ulp of float32. That cannot make a bad result look
    good, nor a good one bad by more than 0.00000001 ulp; it only leaves open to which side a result falls that lies next to the middle of
    two float32, where both neighbours have an error of 0.5. `worst_of` decides those that could be the worst in 200 bits.
    """
    found: dict[str, list[Worst]] = {name: [] for name in calls}
    wide = np.float64 if dtype is np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        for label, x in batches:
            y = EXACT[function](x.astype(wide))
            unit = ulp(y, dtype)
            for name, call in calls.items():
                result = call(x)
                off = errors(result, y, unit, dtype)
                i = int(off.argmax())
                found[name].append(Worst(float(off[i]), label, x[i : i + 1].copy(), 0, float(result[i])))
    return found


def worst_of(candidates: list[Worst], function: str, dtype: type, most: int = 256) -> Worst:
    """Return the worst in 200 bits of all that come within 0.01 ulp of it (at most `most` of them, the largest)."""
    top = sorted(candidates, key=lambda worst: -worst.ulps)[:most]
    for worst in top:
        if worst.ulps >= top[0].ulps - 0.01 and math.isfinite(worst.result) and math.isfinite(worst.x[0]):
            worst.ulps, worst.confirmed = mp_error(function, float(worst.x[0]), worst.result, dtype), True
    return max(top, key=lambda worst: worst.ulps)


def worst_of_float32(function: str, calls: dict[str, Function], stride: int, threads: int = 2) -> dict[str, Worst]:
    """Return the worst of each system over every float32, or every `stride`-th."""
    found: dict[str, list[Worst]] = {name: [] for name in calls}
    tasks = map_threads(
        lambda some: worst_of_points(function, calls, chunks(some), np.float32), patterns(function, stride), threads
    )
    for part in tasks:
        for name, candidates in part.items():
            found[name] = sorted(found[name] + candidates, key=lambda worst: -worst.ulps)[:256]
    return {
        name: worst_of(some, function, np.float32, 256 if name == "lexigrad" else 1) for name, some in found.items()
    }


# lexigrad


def own_loss(x: Array) -> Array:
    """Return the loss of the leader of each row."""
    loss, _ = lexigrad.softmax_cross_entropy(x, x.argmax(axis=1), "none", threads=1)
    return np.asarray(loss)


def own_softmax(x: Array) -> Array:
    """Return the softmax; of a long row on two threads, which is another path."""
    return lexigrad.softmax(x, threads=2 if len(x) == 1 else 1)


OWN_ROWS: Systems = {
    "softmax": {"lexigrad": own_softmax},
    "log_softmax": {"lexigrad": lambda x: lexigrad.log_softmax(x, threads=1)},
    "logsumexp": {"lexigrad": lambda x: lexigrad.logsumexp(x, threads=1)},
    LOSS: {"lexigrad": own_loss},
}
OWN_POINTS: Systems = {
    "sigmoid": {"lexigrad": lambda x: lexigrad.sigmoid(x, threads=1)},
    "log_sigmoid": {"lexigrad": lambda x: lexigrad.log_sigmoid(x, threads=1)},
    "log1pexp": {"lexigrad": lambda x: lexigrad.log1pexp(x, threads=1)},
    "sigmoid_grad": {"lexigrad": lambda s: lexigrad.sigmoid_grad(s, threads=1)},
}
