"""sigmoid, its gradient, log_sigmoid and log1pexp: known values, error in ulp, every way to hand over an array, edges, and the backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, ParameterError, gradcheck
from lexigrad.maths import (
    arrays,
    log1pexp,
    log1pexp_backward,
    log_sigmoid,
    log_sigmoid_backward,
    sigmoid,
    sigmoid_backward,
    sigmoid_grad,
)
from tests.maths.reference import COMPILED, LAYOUTS, Array, mp_ulps, ulps

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sigmoid": sigmoid,
    "sigmoid_grad": sigmoid_grad,
    "log_sigmoid": log_sigmoid,
    "log1pexp": log1pexp,
}
MP: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sigmoid_grad": lambda s: s * (1 - s),
    "log_sigmoid": lambda x: -MP["log1pexp"](-x),
    "log1pexp": lambda x: max(x, 0) + mpmath.log1p(mpmath.exp(-abs(x))),
}
WIDE: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))),
    "sigmoid_grad": lambda s: s * (1 - s),
    "log_sigmoid": lambda x: -WIDE["log1pexp"](-x),
    "log1pexp": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}
"""As accurate as the precision of its argument."""

every_function = pytest.mark.parametrize("name", FUNCTIONS)


def arguments(name: str, dtype: str, count: int) -> Array:
    """Return numbers of every size, dense where the function bends and where its result leaves the normal numbers."""
    rng = np.random.default_rng(count)
    if name == "sigmoid_grad":
        return np.concatenate([rng.uniform(0, 1, count), 2.0 ** -rng.uniform(0, 120, count), [0, 0.5, 1]]).astype(dtype)
    deepest = 104 if dtype == "float32" else 745.2
    sizes = [
        np.exp(rng.uniform(-80, np.log(deepest), count)),
        rng.uniform(deepest - 17, deepest, count),
        rng.uniform(0, 3, count),
    ]
    ends = np.array(
        [0, 0.34657359, 0.6931472, 0.8813736, 16.6355, 17.32868, 36.04365, 36.7368, 87.33654, 88.72284, 708.39, 709.78]
    )
    x = np.concatenate([*sizes, ends, np.nextafter(ends, 0), [np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max]])
    return np.concatenate([x, -x]).astype(dtype)


# --- known values


def test_the_assignments_examples() -> None:
    s = sigmoid([[1, 2], [-1, -2]])
    np.testing.assert_allclose(s, [[0.73105858, 0.88079708], [0.26894142, 0.11920292]], rtol=0, atol=5e-9)
    np.testing.assert_allclose(sigmoid_grad(s), [[0.19661193, 0.10499359]] * 2, rtol=0, atol=5e-9)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("sigmoid", 0.0, 0.5),
        ("sigmoid", 1000.0, 1.0),
        ("sigmoid", -1000.0, 0.0),
        ("sigmoid_grad", 0.5, 0.25),
        ("sigmoid_grad", 1.0, 0.0),
        ("log_sigmoid", 0.0, -np.log(2)),
        ("log_sigmoid", -1000.0, -1000.0),
        ("log_sigmoid", 100.0, -np.exp(-100)),
        ("log1pexp", 0.0, np.log(2)),
        ("log1pexp", 1000.0, 1000.0),
        ("log1pexp", -100.0, np.exp(-100)),
        ("log1pexp", -1000.0, 0.0),
    ],
)
def test_known_values(name: str, x: float, expected: float) -> None:
    assert FUNCTIONS[name](x) == pytest.approx(expected, rel=1e-15, abs=0)


def test_public_names_are_these_functions() -> None:
    for name, function in FUNCTIONS.items():
        assert getattr(lexigrad, name) is function


# --- error in ulp


@every_function
def test_float32_error(name: str) -> None:
    x = arguments(name, "float32", 200_000 if COMPILED else 20_000)
    with np.errstate(under="ignore"):
        exact = WIDE[name](x.astype(np.float64))
    assert ulps(FUNCTIONS[name](x), exact) <= 0.51


@every_function
def test_float64_error_in_200_bits(name: str) -> None:
    x = arguments(name, "float64", 100)
    result = FUNCTIONS[name](x)
    with mpmath.workprec(1200):
        worst = [mp_ulps(y, MP[name](mpmath.mpf(float(value))), "float64") for value, y in zip(x, result, strict=True)]
    assert max(worst) <= 1.5


@every_function
def test_float16_is_float32_rounded_once(name: str) -> None:
    x = arguments(name, "float16" if name == "sigmoid_grad" else "float32", 500)
    x = x[np.abs(x) < 60_000].astype(np.float16)
    result = FUNCTIONS[name](x)
    np.testing.assert_array_equal(result, FUNCTIONS[name](x.astype(np.float32)).astype(np.float16))
    assert result.dtype == np.float16


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("name", "ends"), [("sigmoid", [1, 0]), ("log_sigmoid", [0, -np.inf]), ("log1pexp", [np.inf, 0])]
)
def test_infinities_and_nan(name: str, ends: list[float], dtype: str) -> None:
    for n in (1, 8, 13):
        x = np.repeat(np.array([[np.inf], [-np.inf], [np.nan], [0]], dtype), n, axis=1)
        result = FUNCTIONS[name](x)
        np.testing.assert_array_equal(result[:3], np.repeat([[ends[0]], [ends[1]], [np.nan]], n, axis=1))
        assert np.isfinite(result[3]).all()


def test_the_gradient_of_nan_is_nan() -> None:
    np.testing.assert_array_equal(sigmoid_grad([np.nan, 0.5]), [np.nan, 0.25])


def test_both_sides_agree() -> None:
    x = arguments("sigmoid", "float64", 500)
    np.testing.assert_array_equal(log_sigmoid(x), -log1pexp(-x))
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1, rtol=3e-16)


# --- shapes, dtypes, layouts, `out`, threads


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@every_function
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same(layout: str, name: str, dtype: str) -> None:
    for shape in [(1,), (21,), (6, 5), (2, 3, 7)]:
        x = np.random.default_rng(0).uniform(0, 1, shape).astype(dtype)
        result = FUNCTIONS[name](LAYOUTS[layout](x))
        np.testing.assert_array_equal(result, FUNCTIONS[name](x.ravel()).reshape(shape))
        assert result.dtype == np.dtype(dtype)
        assert type(result) is np.ndarray


@every_function
@pytest.mark.parametrize("shape", [(50,), (4, 9), (2, 3, 7)])
def test_an_array_larger_than_the_buffer(shape: tuple[int, ...], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).uniform(0, 1, shape)
    expected = FUNCTIONS[name](x)
    monkeypatch.setattr(arrays, "BUFFER", 10)
    np.testing.assert_array_equal(FUNCTIONS[name](np.asfortranarray(np.repeat(x, 2, -1))[..., ::2]), expected)


@every_function
@pytest.mark.parametrize(("x", "kind"), [(0.5, np.float64), (1, np.float64), (np.float32(0.5), np.float32), (np.array(0.5), np.float64)])  # fmt: skip
def test_a_single_number_gives_a_scalar(name: str, x: Any, kind: type) -> None:
    result = FUNCTIONS[name](x)
    assert type(result) is kind
    assert result == FUNCTIONS[name]([float(x)])[0].astype(kind)


@every_function
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "bool", ">i2"])
def test_integers_are_computed_as_float64(dtype: str, name: str) -> None:
    x = np.array([0, 1, 1, 0, 1]).astype(dtype)
    result = FUNCTIONS[name](x)
    np.testing.assert_array_equal(result, FUNCTIONS[name](x.astype(np.float64)))
    assert result.dtype == np.float64


@every_function
@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2, 2)])
def test_nothing(shape: tuple[int, ...], name: str) -> None:
    result = FUNCTIONS[name](np.zeros(shape, np.float32))
    assert (result.shape, result.dtype) == (shape, np.float32)


@every_function
@pytest.mark.parametrize("layout", ["Fortran order", "every second column", "columns reversed", "misaligned"])
def test_in_place_and_into_other_layouts(layout: str, name: str) -> None:
    x = np.random.default_rng(0).uniform(0, 1, (4, 21))
    expected = FUNCTIONS[name](x)
    out = LAYOUTS[layout](np.zeros_like(x))
    assert FUNCTIONS[name](x, out) is out
    np.testing.assert_array_equal(out, expected)
    for same in (LAYOUTS[layout](x), x):
        assert FUNCTIONS[name](same, out=same) is same
        np.testing.assert_array_equal(same, expected)


@every_function
def test_a_single_number_into_out(name: str) -> None:
    out = np.zeros(())
    assert FUNCTIONS[name](0.5, out) is out
    assert out == FUNCTIONS[name](0.5)


@every_function
@pytest.mark.parametrize(
    ("source", "target"),
    [(slice(0, 40), slice(1, 41)), (slice(1, 41), slice(0, 40)), (slice(0, 40), slice(39, None, -1))],
)
def test_out_that_overlaps_the_argument(source: slice, target: slice, name: str) -> None:
    memory = np.random.default_rng(0).uniform(0, 1, 41)
    expected = FUNCTIONS[name](memory[source].copy())
    FUNCTIONS[name](memory[source], memory[target])
    np.testing.assert_array_equal(memory[target], expected)


@every_function
def test_threads_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", 1000)
    x = np.random.default_rng(0).uniform(0, 1, 2013)
    np.testing.assert_array_equal(FUNCTIONS[name](x, threads=2), FUNCTIONS[name](x, threads=1))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["a"],), DataError, "x: expected real numbers .* got dtype <U1"),
        ((1j,), DataError, "x: expected real numbers .* got dtype complex128"),
        (([[1], [1, 2]],), DataError, "x: expected an array of numbers, got rows of different lengths"),
        (([1.0, 2.0], np.zeros(3)), ParameterError, "out: expected shape \\(2,\\) and dtype float64, got \\(3,\\)"),
        (([1.0], np.zeros(1, np.float32)), ParameterError, "out: expected .* dtype float64, got .* float32"),
        (([1.0], [0.0]), ParameterError, "out: expected a NumPy array, got list"),
        (([1.0], np.broadcast_to(0.0, (1,))), ParameterError, "out: the array is read-only"),
    ],
)
@every_function
def test_errors(name: str, arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FUNCTIONS[name](*arguments)


@every_function
@pytest.mark.parametrize("x", [0.5, np.zeros(3), np.zeros(3, np.float16), np.zeros(0)])
@pytest.mark.parametrize("threads", [0, 1.5, True])
def test_threads_that_cannot_be(threads: Any, x: Any, name: str) -> None:
    with pytest.raises(ParameterError, match=f"threads={threads!r}"):
        FUNCTIONS[name](x, threads=threads)


# --- backwards


BACKWARDS: dict[str, Callable[[Array, Array], Array]] = {
    "sigmoid": lambda d, x: sigmoid_backward(d, sigmoid(x)),
    "log_sigmoid": log_sigmoid_backward,
    "log1pexp": log1pexp_backward,
}


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
@pytest.mark.parametrize("name", BACKWARDS)
def test_backward(name: str, shape: tuple[int, ...]) -> None:
    weights = np.random.default_rng(1).normal(size=shape)
    x = np.random.default_rng(2).normal(size=shape) * 3
    report = gradcheck(lambda x: (np.sum(weights * FUNCTIONS[name](x)), BACKWARDS[name](weights, x)), x)
    assert report.error < 1e-9


def test_sigmoid_grad_is_the_derivative() -> None:
    assert gradcheck(lambda x: (np.sum(sigmoid(x)), sigmoid_grad(sigmoid(x))), np.linspace(-9, 9, 7)).error < 1e-9


@pytest.mark.parametrize(
    ("name", "x", "slope"), [("log_sigmoid", 40.0, np.exp(-40)), ("log1pexp", -40.0, np.exp(-40)), ("log_sigmoid", -800.0, 1.0)]
)  # fmt: skip
def test_backward_keeps_its_digits(name: str, x: float, slope: float) -> None:
    assert BACKWARDS[name](np.array(2.0), np.array(x)) == pytest.approx(2 * slope, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", BACKWARDS)
def test_backward_of_unsigned_integers(name: str) -> None:
    x = np.array([0, 3], np.uint8)
    np.testing.assert_array_equal(BACKWARDS[name](np.ones(2), x), BACKWARDS[name](np.ones(2), x.astype(float)))


@pytest.mark.parametrize(
    ("backward", "upstream"), [(sigmoid_backward, "d_s"), (log_sigmoid_backward, "d_value"), (log1pexp_backward, "d_value")]
)  # fmt: skip
def test_backward_errors(backward: Callable[..., Any], upstream: str) -> None:
    with pytest.raises(DataError, match=f"{upstream}: expected real numbers"):
        backward(["a"], [1.0])
    with pytest.raises(DataError, match="x: expected real numbers"):
        backward([1.0], ["a"])
