"""The check of gradients: it passes what is right, catches what is wrong, and leaves everything else alone."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lexigrad
from lexigrad import DataError, GradientError, GradientReport, ParameterError, gradcheck

Function = Callable[[Any], tuple[Any, Any]]

M = np.random.default_rng(0).normal(size=(5, 5))
METHODS = ["four-point", "two-point", "complex-step"]
LIBRARY = ["four-point", "two-point"]


def logsumexp(x: Any) -> tuple[Any, Any]:
    e = np.exp(x - np.real(x).max())
    return np.log(e.sum()) + np.real(x).max(), e / e.sum()


FUNCTIONS: dict[str, Function] = {
    "linear": lambda x: (np.sum(3 * x), np.full_like(x, 3)),
    "constant": lambda x: (np.sum(0 * x) + 7, np.zeros_like(x)),
    "square": lambda x: (np.sum(x * x), 2 * x),
    "cubic": lambda x: (np.sum(x**3), 3 * x**2),
    "sine": lambda x: (np.sum(np.sin(x)), np.cos(x)),
    "exp": lambda x: (np.sum(np.exp(x)), np.exp(x)),
    "product": lambda x: (np.prod(x), np.array([np.prod(np.delete(x, i)) for i in range(x.size)])),
    "logsumexp": logsumexp,
    "quadratic form": lambda x: (x @ M.astype(x.real.dtype) @ x, (M + M.T).astype(x.real.dtype) @ x),
    "softplus": lambda x: (np.sum(np.log1p(np.exp(x))), 1 / (1 + np.exp(-x))),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_pass(name: str, method: str) -> None:
    x = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
    report = gradcheck(FUNCTIONS[name], x, method=method)
    assert report.passed
    bound = {"four-point": 1e-11, "two-point": 1e-7, "complex-step": 1e-14}[method]
    assert report.error < bound, report
    assert report.checked == 5
    assert report.evaluations == 1 + 5 * {"four-point": 4, "two-point": 2, "complex-step": 1}[method]
    assert report.method == method


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_dtype_passes_and_is_given_to_f_as_it_is(name: str, method: str, dtype: Any) -> None:
    seen = set()

    def f(x: Any) -> tuple[Any, Any]:
        seen.add(x.dtype)
        return FUNCTIONS[name](x)

    report = gradcheck(f, np.array([0.5, -1.25, 2.0, 0.75, -0.3], dtype), method=method)
    assert report.passed, report
    assert report.dtype == np.dtype(dtype).name
    complex_type = np.result_type(dtype, np.complex64)
    assert seen == {np.dtype(dtype)} | ({complex_type} if method == "complex-step" else set())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_wrong_gradients_fail_at_the_right_index(name: str, method: str, dtype: Any) -> None:
    def f(x: Any) -> tuple[Any, Any]:
        value, gradient = FUNCTIONS[name](x)
        gradient = np.array(gradient)
        gradient[3] += 1
        return value, gradient

    x = np.array([0.5, -1.25, 2.0, 0.75, -0.3], dtype)
    report = gradcheck(f, x, method=method, raise_error=False)
    assert not report
    assert report.index == (3,)
    assert abs(report.analytic - report.numeric - 1) < 0.1
    with pytest.raises(GradientError, match=r"the gradient at \[3\] is .* differences give .*: the error .* tolerance"):
        gradcheck(f, x, method=method)


def test_default_steps_and_tolerances() -> None:
    f = FUNCTIONS["square"]
    found = {
        (method, dtype): (report.step, report.tolerance)
        for method in METHODS
        for dtype in ("float16", "float32", "float64")
        for report in [gradcheck(f, np.ones(2, dtype), method=method)]
    }
    assert found["four-point", "float64"] == (2.0**-10, 2.0**-26)
    assert found["four-point", "float32"] == (2.0**-5, math.sqrt(2.0**-23))
    assert found["four-point", "float16"] == (2.0**-2, 2.0**-5)
    assert found["two-point", "float64"] == (1e-4, 1e-5)
    assert found["two-point", "float32"] == (2.0**-8, pytest.approx(2.0 ** (-23 / 3)))
    assert found["complex-step", "float64"] == (1e-20, 2.0**-40)


def test_known_points_of_the_rules() -> None:
    seen: list[float] = []

    def f(x: Any) -> tuple[float, Any]:
        seen.append(float(x[0]))
        return float(x[0]) ** 2, 2 * x

    gradcheck(f, [1.0], method="two-point")
    assert seen == [1.0, 1.0 - 1e-4, 1.0 + 1e-4]
    seen.clear()
    gradcheck(f, [100.0], method="two-point")  # the assignment's step does not grow with x
    assert seen == [100.0, 100.0 - 1e-4, 100.0 + 1e-4]
    seen.clear()
    gradcheck(f, [0.3], step=2.0**-6)
    assert seen == [0.3, 0.3 - 2**-5, 0.3 - 2**-6, 0.3 + 2**-6, 0.3 + 2**-5]
    seen.clear()
    gradcheck(f, [100.0])  # 64 is the largest power of 2 within 100
    assert seen == [100.0, 100 - 2**-3, 100 - 2**-4, 100 + 2**-4, 100 + 2**-3]


def test_two_point_tolerance_is_the_assignments() -> None:
    def off(by: float) -> Function:
        return lambda x: (x * x / 2, x + by)

    assert gradcheck(off(0.99e-5), 0.5, method="two-point").passed
    assert not gradcheck(off(1.01e-5), 0.5, method="two-point", raise_error=False)
    assert gradcheck(off(0.99e-4), 0.5, method="two-point", tolerance=1e-4).passed


def test_the_assignments_own_checks() -> None:
    for x in (np.array(123.456), np.random.default_rng(0).normal(size=3), np.random.default_rng(0).normal(size=(4, 5))):
        assert gradcheck(lambda x: (np.sum(x**2), x * 2), x, method="two-point").passed
        assert gradcheck(lambda x: (np.sum(x**2), x * 2), x).passed


@pytest.mark.parametrize("method", METHODS)
def test_a_relative_error_of_1e_4_is_caught(method: str) -> None:
    x = np.array([0.5, -1.25, 2.0])
    f = FUNCTIONS["sine"]
    for i in range(3):
        scale = np.ones(3)
        scale[i] += 1e-4
        report = gradcheck(lambda x, scale=scale: (f(x)[0], f(x)[1] * scale), x, method=method, raise_error=False)  # type: ignore[misc]
        assert not report
        assert report.index == (i,)
        assert abs(report.error - 1e-4 * abs(math.cos(x[i]))) < 1e-7


def test_the_received_texts_wrong_gradient_is_caught() -> None:
    """Part 2(b) as received ends at y_hat (1 - y_hat); right is y_hat - y."""
    scores, label = np.array([0.2, -0.4, 1.1]), 1

    def loss(scores: Any) -> float:
        return float(np.log(np.exp(scores).sum()) - scores[label])

    def softmax(scores: Any) -> Any:
        return np.exp(scores) / np.exp(scores).sum()

    right = gradcheck(lambda x: (loss(x), softmax(x) - np.eye(3)[label]), scores)
    assert right.error < 1e-12
    for method in LIBRARY:
        with pytest.raises(GradientError, match=r"the gradient at \[1\]"):
            gradcheck(lambda x: (loss(x), softmax(x) * (1 - softmax(x))), scores, method=method)
    with pytest.raises(GradientError):  # the correct Jacobian's diagonal, times -y / y_hat, is wrong as well
        gradcheck(lambda x: (loss(x), -np.eye(3)[label] * (1 - softmax(x))), scores)


def test_our_own_loss_passes() -> None:
    scores, labels = np.random.default_rng(1).normal(size=(4, 6)), [0, 5, 2, 2]
    for reduction in ("sum", "mean"):
        report = gradcheck(lambda x, how=reduction: lexigrad.softmax_cross_entropy(x, labels, reduction=how), scores)  # type: ignore[misc]
        assert report.error < 1e-11
    report = gradcheck(
        lambda x: lexigrad.softmax_cross_entropy(x, labels, reduction="sum"), scores.astype(np.float32), tolerance=1e-3
    )
    assert report.dtype == "float32"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=8),
    st.integers(0, 7),
    st.floats(1e-6, 10),
    st.sampled_from(["sine", "cubic", "exp", "logsumexp", "softplus"]),
)
def test_any_error_above_the_tolerance_is_found_and_placed(values: list[float], i: int, by: float, name: str) -> None:
    i %= len(values)

    def wrong(x: Any) -> tuple[Any, Any]:
        value, gradient = FUNCTIONS[name](x)
        gradient = np.array(gradient)
        gradient[i] += by * max(1.0, abs(gradient[i]))
        return value, gradient

    assert gradcheck(FUNCTIONS[name], values).error < 2e-10
    report = gradcheck(wrong, values, raise_error=False)
    assert not report.passed
    assert report.index == (i,)
    assert report.error == pytest.approx(
        abs(report.numeric - report.analytic) / max(1, abs(report.numeric), abs(report.analytic))
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(-5, 5))
def test_steps_fit_numbers_of_every_size(x: float, a: float) -> None:
    assert gradcheck(lambda x: (a * x, np.full_like(x, a)), x).error < 1e-9
    assert gradcheck(
        lambda x: (np.sin(x / (1 + abs(float(a)))), np.cos(x / (1 + abs(a))) / (1 + abs(a))), x % 10
    ).passed


def test_linear_functions_are_exact_however_x_plus_h_is_rounded() -> None:
    """The slope is taken over the points as they were rounded, so only the rounding of the values is left."""
    for dtype, bound in ((np.float32, 2e-6), (np.float64, 2e-12)):
        for x in np.array([1 / 3, 1.999999, 7.3, 1e-9], dtype):
            assert gradcheck(lambda x: (x, np.ones_like(x)), np.asarray(x)).error < bound


def test_the_worst_of_several_errors_is_named() -> None:
    wrong = np.zeros((3, 4))
    wrong[0, 1], wrong[2, 3], wrong[1, 0] = 1e-3, -2e-2, 1e-2
    report = gradcheck(lambda x: (np.sum(np.sin(x)), np.cos(x) + wrong), np.ones((3, 4)), raise_error=False)
    assert report.index == (2, 3)
    assert report.numeric == pytest.approx(math.cos(1))
    assert report.analytic == pytest.approx(math.cos(1) - 2e-2)


class Sampled:
    """A loss over a random part of the data, drawn from a global generator."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self.draw = draw

    def __call__(self, x: Any) -> tuple[Any, Any]:
        weights = np.array([self.draw() for _ in range(x.size)])
        return np.sum(weights * x**3), 3 * weights * x**2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("draw", [np.random.rand, random.random], ids=["numpy", "python"])
def test_random_states_are_restored_before_every_evaluation_and_at_the_end(
    draw: Callable[[], float], method: str
) -> None:
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    expected = [draw() for _ in range(4)]
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    x = np.array([0.5, 1.0, -2.0])
    assert gradcheck(Sampled(draw), x, method=method).passed
    assert [draw() for _ in range(4)] == expected
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)

    def wrong(x: Any) -> tuple[Any, Any]:
        value, gradient = Sampled(draw)(x)
        return value, gradient + 1

    def raises(x: Any) -> tuple[Any, Any]:
        draw()
        raise OSError("from f")

    assert not gradcheck(wrong, x, method=method, raise_error=False)
    with pytest.raises(OSError, match="from f"):
        gradcheck(raises, x, method=method)
    assert [draw() for _ in range(4)] == expected


def test_a_seed_that_f_sets_does_not_leak() -> None:
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002

    def f(x: Any) -> tuple[Any, Any]:
        np.random.seed(0)  # noqa: NPY002
        return np.sum(x), np.ones_like(x)

    gradcheck(f, np.zeros(3), directions=2)
    assert np.random.rand() == expected  # noqa: NPY002


def test_a_generator_of_its_own_is_pointed_out() -> None:
    rng = np.random.default_rng(0)

    def f(x: Any) -> tuple[Any, Any]:
        weights = rng.random(x.size)
        return np.sum(weights * x), weights

    with pytest.raises(GradientError, match=r"two values at the same x.*make it anew in each call"):
        gradcheck(f, np.ones(3))


@pytest.mark.parametrize("method", LIBRARY)
def test_f_may_scribble_on_its_argument_and_reuse_its_buffers(method: str) -> None:
    buffer, value = np.zeros(4), np.zeros(())

    def f(x: Any) -> tuple[Any, Any]:
        value[...] = np.sum(x**3)
        np.multiply(3 * x, x, out=buffer)
        x[...] = np.nan
        return value, buffer

    x = np.arange(4.0)
    x.flags.writeable = False
    before = x.copy()
    assert gradcheck(f, x, method=method).passed
    assert gradcheck(f, x, method=method, directions=3).passed
    np.testing.assert_array_equal(x, before)


def test_kinds_of_x() -> None:
    cube: Function = lambda x: (np.sum(x**3), 3 * x**2)  # noqa: E731
    assert gradcheck(cube, 2.0).index == ()
    assert gradcheck(cube, np.array(2.0)).index == ()
    assert gradcheck(cube, [[1, 2], [3, 4]]).dtype == "float64"
    assert gradcheck(cube, np.array([1, 2], np.uint8)).passed
    assert gradcheck(cube, np.array([True, False])).passed
    assert gradcheck(cube, np.asfortranarray(M)).passed
    assert gradcheck(cube, M[::2, ::-1]).passed
    assert gradcheck(cube, np.array([1.0, 2.0], ">f8")).passed
    assert gradcheck(cube, np.broadcast_to(1.0, (2, 3))).checked == 6
    seen = []
    gradcheck(lambda x: (seen.append((type(x), x.shape)), cube(x))[1], np.array(1.0))
    assert set(seen) == {(np.ndarray, ())}


def test_kinds_of_results() -> None:
    for result in (
        lambda x: (float(np.sum(x * x)), (2 * x).tolist()),
        lambda x: [np.sum(x * x), 2 * x],
        lambda x: (np.asarray(np.sum(x * x)), (2 * x).astype(np.longdouble)),
        lambda x: (np.longdouble(np.sum(x * x)), tuple((2 * x).tolist())),
    ):
        assert gradcheck(result, [1.0, -2.0]).passed
    assert gradcheck(lambda x: (int(x.sum() * 0), np.zeros(2, int)), [1.0, -2.0]).passed


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (np.sum, r"expected it to return \(value, gradient\), got float64"),
        (lambda x: (1.0, x, x), "expected it to return"),
        (lambda x: (x, x), r"value to be one number, got ndarray of shape \(2, 2\)"),
        (lambda x: (np.array([1.0]), x), r"value to be one number, got ndarray of shape \(1,\)"),
        (lambda x: (None, x), "value to be one number, got NoneType"),
        (lambda x: ([1, [2]], x), "value to be one number"),
        (lambda x: (1j, x), "real number"),
        (lambda x: (1.0, x.ravel()), r"gradient to have the shape of x, \(2, 2\), got \(4,\)"),
        (lambda x: (1.0, 1.0), r"got \(\)"),
        (lambda x: (1.0, x + 0j), "gradient to be real numbers, got dtype complex128"),
        (lambda x: (1.0, None), "gradient to be real numbers"),
        (lambda x: (1.0, [[1, 2], [3]]), "rows of different lengths"),
    ],
)
def test_functions_that_return_something_else(f: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        gradcheck(f, np.ones((2, 2)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([], "at least one number"),
        (np.zeros((3, 0)), r"\(3, 0\)"),
        (["a"], "real numbers"),
        (None, "real numbers"),
        ([1j], "real numbers"),
        ([[1], [1, 2]], "different lengths"),
        ([[0, 1], [np.nan, 2]], r"got nan at \[1, 0\]"),
        ([np.inf], r"got inf at \[0\]"),
    ],
)
def test_x_that_cannot_be_checked(x: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        gradcheck(FUNCTIONS["square"], x)


@pytest.mark.parametrize(
    "bad",
    [
        {"method": "forward"}, {"method": None}, {"step": 0}, {"step": -1e-3}, {"step": math.nan}, {"step": "small"}, {"step": True},
        {"tolerance": 0}, {"tolerance": math.inf}, {"directions": -1}, {"directions": 1.5}, {"directions": True},
    ],
)  # fmt: skip
def test_bad_settings_are_named(bad: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad))):
        gradcheck(FUNCTIONS["square"], [1.0], **bad)


def test_other_bad_calls() -> None:
    with pytest.raises(ParameterError, match="f: expected a function"):
        gradcheck(3, [1.0])  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"step=1e-20 is lost in the rounding of x in float64"):
        gradcheck(FUNCTIONS["square"], [1.0], step=1e-20)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_fails_and_is_named(bad: float, method: str) -> None:
    def gradient(x: Any) -> tuple[Any, Any]:
        found = 2 * x.real
        found[1] = bad
        return np.sum(x * x), found

    with pytest.raises(GradientError, match=r"at \[1\] is (nan|-?inf) .* not finite in 1 of 3"):
        gradcheck(gradient, np.arange(3.0), method=method)
    with pytest.raises(GradientError, match=r"f\(x\) is (nan|-?inf) at x itself"):
        gradcheck(lambda x: (bad, x), np.arange(3.0), method=method)
    report = gradcheck(lambda x: (bad, x), np.arange(3.0), method=method, raise_error=False)
    assert (report.passed, report.error, report.index) == (False, math.inf, None)
    assert "at x itself" in str(report)


def test_a_value_that_breaks_beside_x_is_named() -> None:
    def f(x: Any) -> tuple[Any, Any]:
        return (np.nan if x[2] > 2 else np.sum(x)), np.ones_like(x)

    report = gradcheck(f, np.arange(4.0), raise_error=False)
    assert (report.error, report.index) == (math.inf, (2,))
    with pytest.raises(GradientError, match=r"at \[2\] is 1 but four-point differences give nan"):
        gradcheck(f, np.arange(4.0))
    with pytest.raises(GradientError, match=r"at \[2\]"):
        gradcheck(f, np.arange(4.0), directions=4)


@pytest.mark.parametrize("x", [0.0, 1e-4])
def test_a_kink_fails(x: float) -> None:
    """Differences over a kink give a mean of both slopes; away from it all is well."""
    relu: Function = lambda x: (np.maximum(x, 0), (x > 0).astype(float))  # noqa: E731
    assert not gradcheck(relu, x, raise_error=False)
    assert gradcheck(relu, x + 0.01).passed
    assert x == 0 or gradcheck(relu, x, step=1e-5).passed


# --- complex step


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6), st.sampled_from(["cubic", "sine", "exp", "softplus"]))
def test_complex_step_is_exact_to_1e_14(values: list[float], name: str) -> None:
    assert gradcheck(FUNCTIONS[name], values, method="complex-step").error < 1e-14
    assert gradcheck(FUNCTIONS[name], values, method="complex-step", directions=3).error < 1e-14


def _casts(x: Any) -> tuple[Any, Any]:
    work = np.zeros(x.shape)
    work[...] = x
    return np.sum(work**2), 2 * work


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (_casts, "imaginary part"),
        (lambda x: (np.sum(np.abs(x)), np.sign(x.real)), "lost the imaginary part"),
        (lambda x: (float(np.sum(x)), np.ones(x.shape)), "failed with"),
        (lambda x: (math.exp(x[0]), np.exp(x)), "failed with"),
        (lambda x: (np.sum(np.floor(x)), np.zeros(x.shape)), "failed with"),
        (lambda x: lexigrad.softmax_cross_entropy(x, 0, reduction="sum"), "expected real numbers"),
    ],
)
def test_complex_step_says_when_f_is_not_complex(f: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s)complex-step.*{message}"):
        gradcheck(f, [1.5], method="complex-step")


# --- directions


def _scaled(wrong: dict[int, float]) -> Function:
    """Return the sum of sines with a gradient that is off at some places of the flat x."""

    def f(x: Any) -> tuple[Any, Any]:
        gradient = np.cos(x)
        for i, by in wrong.items():
            gradient.flat[i] += by
        return np.sum(np.sin(x)), gradient

    return f


def test_large_x_goes_by_directions() -> None:
    x = np.random.default_rng(0).normal(size=(50, 40))
    report = gradcheck(_scaled({}), x)
    assert report.passed
    assert (report.checked, report.evaluations, report.index) == (20, 81, None)
    assert report.direction is not None
    assert report.direction.shape == (50, 40)
    assert np.linalg.norm(report.direction) == pytest.approx(1)
    assert report.direction_error == report.error < 1e-9
    true = float(np.sum(np.cos(x) * report.direction))
    assert report.direction_numeric == pytest.approx(true, abs=1e-9)
    assert "20 random directions" in str(report)
    assert gradcheck(_scaled({}), x, directions=0).checked == 2000
    assert gradcheck(_scaled({}), x[0], directions=5).checked == 5
    assert gradcheck(_scaled({}), np.ones(1000)).checked == 1000
    assert gradcheck(_scaled({}), np.ones(1001)).checked == 20


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "by"), [(2000, 1e-3), (2000, 1.0), (100_000, 0.05)])
def test_one_wrong_coordinate_among_many_is_found(size: int, by: float, method: str) -> None:
    x = np.random.default_rng(size).normal(size=size)
    for place in (0, size // 3, size - 1):
        report = gradcheck(_scaled({place: by}), x, method=method, raise_error=False, directions=4)
        assert not report.passed
        assert report.index == (place,)
        assert report.analytic - report.numeric == pytest.approx(by, rel=0.01)
        assert report.error == pytest.approx(by / max(1, report.analytic), rel=0.01)
        assert report.direction_error < report.error
        assert report.direction_numeric != report.numeric


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 1499), st.floats(0.01, 5), min_size=1, max_size=30), st.integers(0, 5))
def test_some_wrong_coordinate_is_found_among_several(wrong: dict[int, float], seed: int) -> None:
    x = np.linspace(-2, 2, 1500)
    report = gradcheck(_scaled(wrong), x, seed=seed, raise_error=False)
    assert not report.passed
    assert report.index is not None
    assert report.index[0] in wrong


def test_directions_follow_the_seed() -> None:
    x = np.ones(1500)
    one, same, other = (gradcheck(_scaled({}), x, seed=seed).direction for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    with pytest.raises(GradientError, match=r"at \[7\].*random direction"):
        gradcheck(_scaled({7: 1.0}), x)


def test_directions_with_numbers_of_very_different_size() -> None:
    x = np.concatenate([np.full(700, 1e6), np.full(700, 1e-6)])
    assert gradcheck(lambda x: (np.sum(x) / 1e6, np.full_like(x, 1e-6)), x).passed
    one_large = np.linspace(-2, 2, 1500)
    one_large[100] = 1e6  # does not stretch the step of all the others
    assert gradcheck(_scaled({}), one_large).passed
    assert gradcheck(lambda x: (np.sum(x[700:] ** 2), np.where(x < 1, 2 * x, 0)), x).passed


# --- report


def test_report_reads_well() -> None:
    report = gradcheck(_scaled({1: 0.5}), np.zeros((1, 2)), raise_error=False)
    assert isinstance(report, GradientReport)
    assert str(report) == (
        "gradient check FAILED: worst error 0.333, tolerance 1.49e-08\n"
        "  compared   2 coordinates by four-point differences, step 0.000977, float64, 10 evaluations\n"
        "  coordinate worst: [0, 1]: numeric 1, analytic 1.5"
    )
    assert "passed" in str(gradcheck(_scaled({}), np.zeros(2)))
    with pytest.raises(GradientError) as caught:
        gradcheck(_scaled({1: 0.5}), np.zeros((1, 2)))
    assert str(caught.value) == (
        "the gradient at [0, 1] is 1.5 but four-point differences give 1: the error 0.333 is above the tolerance 1.49e-08"
    )
    assert "\n" not in str(caught.value)
    direction = gradcheck(_scaled({7: 1.0}), np.zeros(2000), raise_error=False)
    assert re.search(r"direction  worst: numeric .*\n  coordinate worst: \[7\]: numeric 1, analytic 2$", str(direction))
