"""softmax, log_softmax and logsumexp: known values, error in ulp, every way to hand over an array, what is not finite, and the backwards."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, ParameterError, gradcheck
from lexigrad.maths import (
    arrays,
    log_softmax,
    log_softmax_backward,
    logsumexp,
    logsumexp_backward,
    softmax,
    softmax_backward,
)
from tests.maths.reference import (
    COMPILED,
    DTYPES,
    EXTENDED,
    LAYOUTS,
    Array,
    exact_rows,
    mp_number,
    mp_row,
    mp_ulps,
    ulps,
)

FUNCTIONS: dict[str, Callable[..., Any]] = {"softmax": softmax, "log_softmax": log_softmax, "logsumexp": logsumexp}
LENGTHS = [*range(1, 21), 63, 64, 65, 66, 1000, 4095, 4096, 4097, 70_000]
BOUNDS = {(name, dtype): 2 if dtype == "float32" else 3 for name in FUNCTIONS for dtype in ("float32", "float64")}
BOUNDS |= {("logsumexp", "float32"): 1.5, ("logsumexp", "float64"): 1.5}

every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_same_shape = pytest.mark.parametrize("name", ["softmax", "log_softmax"])


def normal(*shape: int, dtype: Any = np.float64, scale: float = 3) -> Array:
    return (scale * np.random.default_rng(list(shape)).standard_normal(shape)).astype(dtype)


# --- known values


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1, 2], [0.26894142, 0.73105858]),
        ([[1001, 1002], [3, 4]], [[0.26894142, 0.73105858]] * 2),
        ([[-1001, -1002]], [[0.73105858, 0.26894142]]),
        ([400, 401], [0.26894142, 0.73105858]),  # NaN with the received text's c = +max
        ([0.0] * 5, [0.2] * 5),
        ([7.0], [1.0]),
    ],
)
def test_softmax_of_the_assignment(scores: Any, expected: Any) -> None:
    np.testing.assert_allclose(softmax(scores), expected, rtol=0, atol=5e-9)


@pytest.mark.parametrize(("lead", "log_prob"), [(15, -3.0590227e-07), (20, -2.0611537e-09), (80, -1.8048513e-35)])
def test_log_probability_of_a_leader_keeps_its_digits(lead: float, log_prob: float) -> None:
    assert log_softmax(np.array([lead, 0], np.float32))[0] == pytest.approx(log_prob, rel=2e-7)


def test_logsumexp_of_large_scores() -> None:
    assert logsumexp([1000.0, 1000.0]) == 1000 + math.log(2)
    assert logsumexp([-1000.0, -1000.0]) == -1000 + math.log(2)
    assert logsumexp([3.5]) == 3.5


def test_public_names_are_these_functions() -> None:
    assert (lexigrad.softmax, lexigrad.log_softmax, lexigrad.logsumexp) == (softmax, log_softmax, logsumexp)


# --- error in ulp


@cache
def random_rows(n: int, dtype: str) -> tuple[Array, dict[str, Array]]:
    """Return rows of four sizes of logits, and the exact results."""
    rows = max(1, (3000 if COMPILED else 30) // n)
    x = np.concatenate([normal(rows, n, scale=scale) for scale in (1, 10, 100, 1000)]).astype(dtype)
    return x, exact_rows(x)


def error(name: str, x: Array, result: Array, exact: dict[str, Array]) -> float:
    """Return the error in the unit in which the function's bound is stated."""
    if name != "logsumexp":
        return ulps(result, exact[name])
    peak = x.max(axis=-1)
    return ulps(result, exact[name], np.max(np.abs([exact[name], peak]), axis=0))


@pytest.mark.parametrize("dtype", DTYPES)
@every_function
@pytest.mark.parametrize("n", LENGTHS)
def test_error_on_random_rows(n: int, name: str, dtype: str) -> None:
    x, exact = random_rows(n, dtype)
    assert error(name, x, FUNCTIONS[name](x), exact) <= BOUNDS[name, dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@every_function
@pytest.mark.parametrize("n", [1, 2, 16, 17, 4097])
def test_error_on_single_vectors(n: int, name: str, dtype: str) -> None:
    x, exact = random_rows(n, dtype)
    for row in (0, -1):
        result = np.asarray(FUNCTIONS[name](x[row]))
        assert error(name, x[row], result, {name: exact[name][row]}) <= BOUNDS[name, dtype]


def with_leader(n: int, place: int, gaps: Array, dtype: str) -> Array:
    x = np.random.default_rng(n).uniform(-3, 0, (len(gaps), n))
    x[:, place] = gaps
    return x.astype(dtype)


def smallest_results(n: int, dtype: str) -> Array:
    deepest = 104 if dtype == "float32" else 745.5
    x = -np.random.default_rng(n).uniform(deepest - 17, deepest, (20, n))
    x[:, 0] = 0
    return x.astype(dtype)


def offset(by: float) -> Callable[[int, str], Array]:
    return lambda n, dtype: (by + normal(10, n, scale=10)).astype(dtype)


GAPS = np.concatenate([np.arange(0, 101, 1 if COMPILED else 20), [0.34, 0.35, 16.6, 17.4, 36.7]])
ADVERSARIAL: dict[str, Callable[[int, str], Array]] = {
    "leader first": lambda n, dtype: with_leader(n, 0, GAPS, dtype),
    "leader last": lambda n, dtype: with_leader(n, n - 1, GAPS, dtype),
    "leader in the middle, the others equal": lambda n, dtype: np.where(np.arange(n) == n // 2, GAPS[:, None], 0).astype(dtype),
    "sorted up": lambda n, dtype: (np.array([[1], [30], [80], [2000]]) * np.linspace(-1, 1, n)).astype(dtype),
    "sorted down": lambda n, dtype: (np.array([[1], [30], [80], [2000]]) * np.linspace(1, -1, n)).astype(dtype),
    "ties": lambda n, dtype: np.random.default_rng(n).choice([-30.0, 0.3, 0.7], (20, n)).astype(dtype),
    "all equal": lambda n, dtype: np.repeat(np.array([[0.0], [-7.1], [90.3], [-710], [1e6], [3e38]]), n, 1).astype(dtype),
    "offset 1e4": offset(1e4),
    "offset -1e4": offset(-1e4),
    "offset 1e6": offset(1e6),
    "offset 1e30": offset(1e30),
    "offset -1e30": offset(-1e30),
    "subnormal scores": lambda n, dtype: np.finfo(dtype).smallest_subnormal * np.arange(n, dtype=dtype)[None],
    "results below the normal numbers": smallest_results,
    "largest and smallest scores": lambda n, dtype: np.finfo(dtype).max / 2 * (1 - 2 * (np.arange(n, dtype=dtype)[None] % 2)),
}  # fmt: skip


@cache
def adversarial_rows(kind: str, n: int, dtype: str) -> tuple[Array, dict[str, Array]]:
    x = ADVERSARIAL[kind](n, dtype)
    return x, exact_rows(x)


@pytest.mark.parametrize("dtype", DTYPES)
@every_function
@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_error_on_adversarial_rows(kind: str, name: str, dtype: str) -> None:
    for n in (2, 3, 8, 9, 16, 17, 100, 4097) if COMPILED else (2, 9, 17, 4097):
        x, exact = adversarial_rows(kind, n, dtype)
        assert error(name, x, FUNCTIONS[name](x), exact) <= BOUNDS[name, dtype], n


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 16, 17, 100])
def test_error_in_200_bits(n: int, dtype: str) -> None:
    for scale in (1, 1000):
        x = normal(n, dtype=dtype, scale=scale)
        with mpmath.workprec(200):
            exact = mp_row(x)
            for name in ("softmax", "log_softmax"):
                worst = max(mp_ulps(y, e, dtype) for y, e in zip(FUNCTIONS[name](x), exact[name], strict=True))
                assert worst <= BOUNDS[name, dtype]
            assert mp_ulps(logsumexp(x), exact["logsumexp"][0], dtype) <= BOUNDS["logsumexp", dtype]


@pytest.mark.skipif(not EXTENDED, reason="np.longdouble is no wider than float64")
@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_the_reference_is_exact(kind: str) -> None:
    x, exact = adversarial_rows(kind, 9, "float64")
    with mpmath.workprec(200):
        for i in range(0, len(x), 5):
            for name, values in mp_row(x[i]).items():
                size = abs(float(x[i].max())) if name == "logsumexp" else 0.0
                for wide, value in zip(np.atleast_1d(exact[name][i]), values, strict=True):
                    assert abs(mp_number(wide) - value) <= mpmath.ldexp(
                        max(abs(value), size, np.finfo(float).smallest_normal), -59
                    )


# --- axes, shapes and dtypes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_function
@pytest.mark.parametrize(
    ("shape", "axis"),
    [(shape, axis) for shape in [(7,), (3, 4), (2, 3, 20), (2, 1, 3, 2)] for axis in range(-len(shape), len(shape))],
)
def test_any_axis_of_any_shape(shape: tuple[int, ...], axis: int, name: str, dtype: str) -> None:
    x = normal(*shape, dtype=dtype)
    rows = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    expected = np.array([FUNCTIONS[name](row) for row in rows.reshape(-1, rows.shape[-1])])
    expected = expected.reshape(rows.shape[:-1] if name == "logsumexp" else rows.shape)
    result = FUNCTIONS[name](x, axis=axis)
    np.testing.assert_array_equal(result, expected if name == "logsumexp" else np.moveaxis(expected, -1, axis))
    assert result.dtype == x.dtype


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_logsumexp_keeps_the_axis_on_request(axis: int) -> None:
    x = normal(3, 4, 5)
    kept = logsumexp(x, axis, keepdims=True)
    np.testing.assert_array_equal(kept, np.expand_dims(logsumexp(x, axis), axis))
    out = np.empty((*kept.shape, 2))[..., 0]
    assert logsumexp(x, axis, out, keepdims=True) is out
    np.testing.assert_array_equal(out, kept)


def test_logsumexp_of_a_vector_is_a_scalar() -> None:
    assert type(logsumexp(np.zeros(3, np.float32))) is np.float32
    assert type(logsumexp([0, 0])) is np.float64
    assert logsumexp(np.zeros(3), keepdims=True).shape == (1,)


@every_function
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint64", "bool", ">i4"])
def test_integers_are_computed_as_float64(dtype: str, name: str) -> None:
    x = np.array([[3, 0, 1], [1, 1, 100]]).astype(dtype)
    result = FUNCTIONS[name](x)
    np.testing.assert_array_equal(result, FUNCTIONS[name](x.astype(np.float64)))
    assert result.dtype == np.float64


@every_function
def test_lists_are_computed_as_float64(name: str) -> None:
    for values in ([[1.5, 2], [3, 4]], [[1, 2], [3, 4]]):
        np.testing.assert_array_equal(FUNCTIONS[name](values), FUNCTIONS[name](np.array(values, float)))


@every_function
def test_float16_is_float32_rounded_once(name: str) -> None:
    x = normal(5, 40, dtype=np.float16, scale=10)
    result = FUNCTIONS[name](x)
    np.testing.assert_array_equal(result, FUNCTIONS[name](x.astype(np.float32)).astype(np.float16))
    assert result.dtype == np.float16


@every_function
def test_float16_scores_at_the_end_of_their_range(name: str) -> None:
    x = np.array([65504, -65504], np.float16)
    expected = {"softmax": [1, 0], "log_softmax": [0, -np.inf], "logsumexp": 65504}[name]
    np.testing.assert_array_equal(FUNCTIONS[name](x), expected)


# --- layouts


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@every_function
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same(layout: str, name: str, dtype: str) -> None:
    for shape in [(20,), (6, 5), (3, 4, 20)]:
        x = normal(*shape, dtype=dtype)
        laid_out = LAYOUTS[layout](x)
        np.testing.assert_array_equal(laid_out, x)
        result = FUNCTIONS[name](laid_out)
        np.testing.assert_array_equal(result, FUNCTIONS[name](x))
        assert type(result) is type(FUNCTIONS[name](x))
        assert result.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(laid_out, x)


@every_function
@pytest.mark.parametrize("shape", [(37,), (4, 9), (30, 3), (3, 4, 6), (2, 3, 2, 7)])
def test_an_array_larger_than_the_buffer(shape: tuple[int, ...], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal(*shape)
    expected = FUNCTIONS[name](x)
    monkeypatch.setattr(arrays, "BUFFER", 20)
    np.testing.assert_array_equal(FUNCTIONS[name](np.asfortranarray(np.repeat(x, 2, -1))[..., ::2]), expected)


@pytest.mark.parametrize("n", [5, 40, 5000, 40_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_same_shape
def test_in_place(name: str, dtype: str, n: int) -> None:
    """Other loops than with a result of its own: nothing can be left in the result between the passes."""
    x = normal(3, n, dtype=dtype)
    expected = FUNCTIONS[name](x)
    assert FUNCTIONS[name](x, out=x) is x
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("layout", ["Fortran order", "every second column", "columns reversed", "misaligned"])
@every_same_shape
def test_in_place_in_other_layouts(name: str, layout: str) -> None:
    x = LAYOUTS[layout](normal(4, 20))
    expected = FUNCTIONS[name](x)
    FUNCTIONS[name](x, out=x)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("layout", ["Fortran order", "every second column", "columns reversed", "misaligned"])
@every_function
def test_out_in_other_layouts(name: str, layout: str) -> None:
    x = normal(4, 20)
    expected = FUNCTIONS[name](x)
    out = LAYOUTS[layout](np.zeros_like(expected))
    assert FUNCTIONS[name](x, out=out) is out
    np.testing.assert_array_equal(out, expected)


@every_function
def test_out_of_integers_and_of_float16(name: str) -> None:
    for x, dtype in ((np.array([[1, 2], [3, 5]]), np.float64), (normal(2, 20, dtype=np.float16), np.float16)):
        expected = FUNCTIONS[name](x)
        out = np.zeros(expected.shape, dtype)
        FUNCTIONS[name](x, out=out)
        np.testing.assert_array_equal(out, expected)


OVERLAPS: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "one element on": lambda memory: (memory[:60].reshape(3, 20), memory[1:61].reshape(3, 20)),
    "one element back": lambda memory: (memory[1:61].reshape(3, 20), memory[:60].reshape(3, 20)),
    "one row on": lambda memory: (memory[:60].reshape(3, 20), memory[20:80].reshape(3, 20)),
    "transposed": lambda memory: (memory[:81].reshape(9, 9), memory[:81].reshape(9, 9).T),
    "rows in reverse": lambda memory: (memory[:80].reshape(4, 20), memory[:80].reshape(4, 20)[::-1]),
}


@pytest.mark.parametrize("overlap", OVERLAPS)
@every_same_shape
def test_out_that_overlaps_the_scores(name: str, overlap: str) -> None:
    x, out = OVERLAPS[overlap](normal(81))
    expected = FUNCTIONS[name](x.copy())
    FUNCTIONS[name](x, out=out)
    np.testing.assert_array_equal(out, expected)


def test_logsumexp_into_a_column_of_the_scores() -> None:
    x = normal(6, 20)
    expected = logsumexp(x)
    logsumexp(x, out=x[:, 3])
    np.testing.assert_array_equal(x[:, 3], expected)


def test_rows_that_are_written_past_the_caches() -> None:
    """Rows from 256 KB on, whose first elements are not at the start of a cache line."""
    for dtype in ("float32", "float64"):
        memory = normal(2 * 70_001 + 1, dtype=dtype)
        x, out = memory[1:].reshape(2, 70_001), np.zeros(memory.size, dtype)[1:].reshape(2, 70_001)
        softmax(x, out=out)
        assert ulps(out, exact_rows(x)["softmax"]) <= 3


# --- what is not finite


NAN, INF = np.nan, np.inf
SETS: dict[str, dict[int, float]] = {
    "NaN": {0: NAN},
    "NaN and +inf": {0: NAN, 1: INF},
    "+inf and NaN": {0: INF, 1: NAN},
    "NaN and -inf": {0: -INF, 1: NAN},
    "+inf": {0: INF},
    "two +inf": {0: INF, 1: INF},
    "+inf and -inf": {0: -INF, 1: INF},
}
"""Scores that are put into a row from a place on."""


def odd_rows(n: int, dtype: str) -> Array:
    """Return rows with each of `SETS` at the first, the last and some middle places, and rows of only one of the three."""
    rows = []
    for values in SETS.values():
        for place in {0, n // 2 - 1, n - 2, n - 1}:
            row = normal(n)
            for i, value in values.items():
                row[(place + i) % n] = value
            rows.append(row)
    return np.array([*rows, np.full(n, -INF), np.full(n, NAN), np.full(n, INF)], dtype)


def policy(name: str, row: Array) -> Any:
    """Return the result for a row that has NaN, +inf or only -inf, as the module states it."""
    winners = row == INF
    if np.isnan(row).any():
        return NAN if name == "logsumexp" else np.full(row.shape, NAN)
    if not winners.any():
        return -INF if name == "logsumexp" else np.full(row.shape, NAN)
    if name == "logsumexp":
        return INF
    probs = winners / np.array(winners.sum(), row.dtype)
    return probs if name == "softmax" else np.where(winners, -np.log(np.array(winners.sum(), row.dtype)), -INF)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 8, 9, 16, 17, 5000])
@every_function
def test_odd_rows_between_good_ones(name: str, n: int, dtype: str) -> None:
    odd = odd_rows(n, dtype)
    x = normal(2 * len(odd), n, dtype=dtype)
    good = FUNCTIONS[name](x)
    x[1::2] = odd
    result = FUNCTIONS[name](x)
    np.testing.assert_array_equal(result[::2], good[::2])
    np.testing.assert_allclose(result[1::2], [policy(name, row) for row in odd], rtol=1e-7)


@pytest.mark.parametrize("n", [8, 17, 5000])
@every_same_shape
def test_odd_rows_in_place_and_in_other_layouts(name: str, n: int) -> None:
    x = odd_rows(n, "float64")
    expected = FUNCTIONS[name](x)
    for layout in ("Fortran order", "misaligned"):
        np.testing.assert_array_equal(FUNCTIONS[name](LAYOUTS[layout](x)), expected)
    FUNCTIONS[name](x, out=x)
    np.testing.assert_array_equal(x, expected)


@every_function
def test_odd_vectors(name: str) -> None:
    for n in (8, 17, 5000):
        for row in odd_rows(n, "float32"):
            np.testing.assert_allclose(FUNCTIONS[name](row), policy(name, row), rtol=1e-7)


@pytest.mark.parametrize("score", [NAN, INF, -INF])
@every_function
def test_a_single_odd_score(name: str, score: float) -> None:
    np.testing.assert_array_equal(FUNCTIONS[name](np.array([[score]]))[0], policy(name, np.array([score])))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [3, 8, 17, 100, 5000, 9000])
@every_function
def test_minus_infinity_is_a_probability_of_0(name: str, n: int, dtype: str) -> None:
    x = normal(4, n, dtype=dtype)
    x[0, ::2] = x[1, 1:] = x[2, :-1] = x[3, : 3 * n // 4] = -INF
    for row in x:
        result, kept = FUNCTIONS[name](row[None])[0], row > -INF
        exact = {name: exact_rows(row[kept])[name]}
        if name != "logsumexp":
            np.testing.assert_array_equal(result[~kept], 0 if name == "softmax" else -INF)
            result = result[kept]
        assert error(name, row[kept], result, exact) <= BOUNDS[name, dtype]


# --- threads


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(251, 8), (51, 50), (3, 5000)])
@every_function
def test_threads_change_nothing(name: str, shape: tuple[int, int], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", 1000)
    x = normal(*shape, dtype=dtype)
    x[1] = odd_rows(shape[1], dtype)[0]
    np.testing.assert_array_equal(FUNCTIONS[name](x, threads=2), FUNCTIONS[name](x, threads=1))


def test_rows_are_shared_out() -> None:
    shares: list[tuple[int, int]] = []
    arrays.share(lambda first, stop: shares.append((first, stop)), 6, arrays.SHARE // 2, 2)
    arrays.share(lambda first, stop: shares.append((first, stop)), 7, 10, 2)
    assert sorted(shares) == [(0, 3), (0, 7), (3, 6)]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def work(first: int, stop: int) -> None:
        if first:
            raise OSError("in the second share")

    with pytest.raises(OSError, match="in the second share"):
        arrays.share(work, 2, arrays.SHARE, 2)


MODULE = importlib.import_module("lexigrad.maths.softmax")
LONG = 40_001


@pytest.fixture
def long_rows_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", LONG // 2)
    monkeypatch.setattr(MODULE, "SHARE", LONG // 2)


def long_row(kind: str, dtype: str) -> Array:
    x = normal(LONG, dtype=dtype)
    x[{"peak in the first part": 5, "peak in the last part": -5}.get(kind, 0)] = 40
    if kind == "far from 0":
        x += np.array(1e5, dtype)
    if kind == "one part far below":
        x[: LONG // 2] -= 2000
    return x


@pytest.mark.usefixtures("long_rows_are_shared")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "kind", ["peak in the first part", "peak in the last part", "far from 0", "one part far below"]
)
def test_one_long_row_over_threads(kind: str, dtype: str) -> None:
    x = long_row(kind, dtype)
    expected = exact_rows(x)["softmax"]
    assert ulps(softmax(x, threads=2), expected) <= BOUNDS["softmax", dtype]
    out = np.zeros(LONG + 3, dtype)[3:]
    softmax(x, out=out, threads=2)
    assert ulps(out, expected) <= BOUNDS["softmax", dtype]
    softmax(x, out=x, threads=2)
    assert ulps(x, expected) <= BOUNDS["softmax", dtype]


@pytest.mark.usefixtures("long_rows_are_shared")
def test_one_long_row_is_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "apply_rows", None)  # it would be called if the row were not shared out
    assert softmax(long_row("", "float32"), threads=2).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif(not COMPILED, reason="slow without compiled kernels")
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_row_of_half_a_million(dtype: str) -> None:
    x = normal(2 * arrays.SHARE + 1001, dtype=dtype)
    assert ulps(softmax(x, threads=2), exact_rows(x)["softmax"]) <= BOUNDS["softmax", dtype]


@pytest.mark.usefixtures("long_rows_are_shared")
@pytest.mark.parametrize("values", [{0: NAN}, {LONG - 1: NAN}, {9: INF, LONG - 9: INF}, {7: NAN, LONG - 7: INF}])
def test_one_long_odd_row_over_threads(values: dict[int, float]) -> None:
    x = normal(LONG)
    for place, value in values.items():
        x[place] = value
    np.testing.assert_array_equal(softmax(x, threads=2), policy("softmax", x))


@pytest.mark.usefixtures("long_rows_are_shared")
def test_one_long_row_with_a_masked_part_over_threads() -> None:
    x = normal(LONG)
    x[: LONG // 2 + 10] = -INF
    result = softmax(x, threads=2)
    assert not result[: LONG // 2 + 10].any()
    assert ulps(result[LONG // 2 + 10 :], exact_rows(x[LONG // 2 + 10 :])["softmax"]) <= 3


# --- nothing to do, and errors


@every_function
@pytest.mark.parametrize(("shape", "axis"), [((0, 3), -1), ((3, 0), 0), ((2, 0, 5), 2), ((2, 0, 5), 0)])
def test_no_rows(shape: tuple[int, ...], axis: int, name: str) -> None:
    result = FUNCTIONS[name](np.zeros(shape, np.float32), axis)
    assert result.shape == (tuple(np.delete(shape, axis)) if name == "logsumexp" else shape)
    assert result.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "axis", "error", "message"),
    [
        ([], -1, DataError, "axis -1 has length 0 in an array of shape \\(0,\\)"),
        (np.zeros((3, 0)), -1, DataError, "axis -1 has length 0 in an array of shape \\(3, 0\\)"),
        (np.zeros((0, 3)), 0, DataError, "axis 0 has length 0"),
        (5.0, -1, DataError, "got a single number"),
        (["a", "b"], -1, DataError, "x: expected real numbers .* got dtype <U1"),
        ([1j, 2], -1, DataError, "x: expected real numbers .* complex128"),
        ([None, 1], -1, DataError, "x: expected real numbers .* object"),
        (np.zeros(3, np.longdouble), -1, DataError, "x: expected real numbers"),
        ([[1, 2], [3]], -1, DataError, "x: expected an array of numbers, got rows of different lengths"),
        (np.zeros(3), 1, ParameterError, "axis=1: expected a whole number from -1 to 0 for an array of 1 axes"),
        (np.zeros((2, 3)), -3, ParameterError, "axis=-3: expected a whole number from -2 to 1"),
        (np.zeros(3), 0.5, ParameterError, "axis=0.5"),
        (np.zeros(3), -1.0, ParameterError, "axis=-1.0"),
        (np.zeros((2, 3)), True, ParameterError, "axis=True"),
        (np.zeros((2, 3)), None, ParameterError, "axis=None"),
        (np.zeros((2, 3)), (0, 1), ParameterError, "axis=\\(0, 1\\)"),
    ],
)  # fmt: skip
@every_function
def test_scores_and_axes_that_cannot_be(name: str, x: Any, axis: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FUNCTIONS[name](x, axis)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.zeros((4, 2)), "out: expected shape .* and dtype float64, got \\(4, 2\\) and float64"),
        (np.zeros(3, np.float32), "out: expected shape .* and dtype float64, got \\(3,\\) and float32"),
        (np.zeros((2, 3), ">f8"), "out: expected shape .* and dtype float64, got .* >f8"),
        ([[0.0] * 3] * 2, "out: expected a NumPy array, got list"),
    ],
)
@every_function
def test_an_out_that_does_not_fit(name: str, out: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FUNCTIONS[name](np.zeros((2, 3)), out=out)


@every_function
def test_an_out_that_is_read_only(name: str) -> None:
    out = np.zeros_like(FUNCTIONS[name](np.zeros((2, 3))))
    out.flags.writeable = False
    with pytest.raises(ParameterError, match="out: the array is read-only"):
        FUNCTIONS[name](np.zeros((2, 3)), out=out)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((2, 3)), np.zeros((2, 3), np.float16), np.zeros((0, 3))])
@every_function
def test_threads_that_cannot_be(name: str, x: Array, threads: Any) -> None:
    with pytest.raises(ParameterError, match=f"threads={threads!r}"):
        FUNCTIONS[name](x, threads=threads)


# --- backwards


@pytest.mark.parametrize(("shape", "axis"), [((5,), -1), ((3, 2), 0), ((2, 3), 1), ((2, 3, 1), -2)])
@pytest.mark.parametrize(
    ("forward", "backward"), [(softmax, softmax_backward), (log_softmax, log_softmax_backward)], ids=["softmax", "log_softmax"]
)  # fmt: skip
def test_backward(forward: Any, backward: Any, shape: tuple[int, ...], axis: int) -> None:
    weights = normal(*shape, scale=1)

    def f(x: Array) -> tuple[Any, Array]:
        value = forward(x, axis)
        return np.sum(weights * value), backward(weights, value, axis)

    assert gradcheck(f, normal(*shape, 1, scale=1)[..., 0]).error < 1e-9


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((5,), -1), ((3, 2), 0), ((2, 3), 1), ((2, 3, 1), -2)])
def test_logsumexp_backward(shape: tuple[int, ...], axis: int, keepdims: bool) -> None:
    weights = normal(*shape, scale=1).sum(axis=axis, keepdims=keepdims)

    def f(x: Array) -> tuple[Any, Array]:
        value = logsumexp(x, axis, keepdims=keepdims)
        return np.sum(weights * value), logsumexp_backward(weights, x, axis, keepdims=keepdims)

    assert gradcheck(f, normal(*shape, 1, scale=1)[..., 0]).error < 1e-9


def test_softmax_backward_is_the_whole_jacobian() -> None:
    """The received text keeps only its diagonal."""
    p = softmax(normal(4))
    jacobian = np.array([softmax_backward(row, p) for row in np.eye(4)])
    np.testing.assert_allclose(jacobian, np.diag(p) - np.outer(p, p), atol=1e-16)


@pytest.mark.parametrize("backward", [softmax_backward, log_softmax_backward])
def test_backward_of_float32_is_float32(backward: Any) -> None:
    x = normal(2, 3, dtype=np.float32)
    assert backward(x, softmax(x)).dtype == np.float32
    assert logsumexp_backward(np.ones(2, np.float32), x).dtype == np.float32


@pytest.mark.parametrize("backward", [softmax_backward, log_softmax_backward])
def test_backward_of_integers_is_float64(backward: Any) -> None:
    one, other = np.array([0, 1], np.uint8), np.array([3, 7], np.uint8)
    result = backward(other, one)
    np.testing.assert_array_equal(result, backward(other.astype(float), one.astype(float)))
    assert result.dtype == np.float64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: softmax_backward(np.zeros(3), np.ones(2)), DataError, "d_probs: expected shape \\(2,\\), got \\(3,\\)"),
        (lambda: log_softmax_backward(0.0, np.ones(2)), DataError, "d_log_probs: expected shape \\(2,\\), got \\(\\)"),
        (lambda: logsumexp_backward(np.ones(3), np.ones((2, 3))), DataError, "d_value: expected shape \\(2,\\), got \\(3,\\)"),
        (lambda: logsumexp_backward(["a"], np.ones(2)), DataError, "d_value: expected real numbers"),
        (lambda: softmax_backward(["a", "b"], np.ones(2)), DataError, "d_probs: expected real numbers"),
        (lambda: softmax_backward([], []), DataError, "softmax_backward: axis -1 has length 0"),
        (lambda: log_softmax_backward(1.0, 1.0), DataError, "log_softmax_backward: .* single number"),
        (lambda: softmax_backward(np.ones(2), np.ones(2), axis=1), ParameterError, "axis=1"),
        (lambda: logsumexp_backward(1.0, np.ones(2), axis=1), ParameterError, "axis=1"),
    ],
)  # fmt: skip
def test_backward_errors(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
