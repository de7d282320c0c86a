"""The error bounds that `docs/accuracy.md` states, on rows and numbers made to hurt; `long` tests try every float32."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from benchmarks import ulps

from lexigrad.machine.threads import available_threads
from tests.maths.reference import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="millions of numbers: the compiled kernels only")

needs_reference = pytest.mark.skipif(not ulps.EXTENDED, reason="np.longdouble is no wider than float64 here")
DTYPES = [np.float32, pytest.param(np.float64, marks=needs_reference)]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
every_point_function = pytest.mark.parametrize("function", ulps.POINT_FUNCTIONS)


def check_rows(dtype: type, *batches: Any) -> None:
    """Assert the bounds of all functions of rows; say what was worst."""
    worst = {
        name: found["lexigrad"] for name, found in ulps.worst_of_rows(ulps.OWN_ROWS, chain(*batches), dtype).items()
    }
    for name, found in worst.items():
        print(f"{name}, {dtype.__name__}: {found}")
    over = {name: str(found) for name, found in worst.items() if not 0.25 < found.ulps <= ulps.bound(name, dtype)}
    assert not over


def check_point(function: str, dtype: type, found: ulps.Worst) -> None:
    """Assert the bound of a function of one number."""
    print(f"{function}, {dtype.__name__}: {found}")
    assert found.confirmed
    assert 0.25 < found.ulps <= ulps.bound(function, dtype), str(found)


@every_dtype
def test_rows(dtype: type) -> None:
    check_rows(
        dtype,
        ulps.adversarial_rows(dtype, longest=1_000),
        ulps.two_scores(dtype, 1 << 17),
        ulps.random_rows(dtype, 10, 1 << 16),
        ulps.paired_rows(dtype, 1 << 17, 100),
    )


@every_point_function
@every_dtype
def test_points(dtype: type, function: str) -> None:
    calls = ulps.OWN_POINTS[function]
    found = ulps.worst_of_points(function, calls, ulps.points(function, dtype, 1 << 16), dtype)
    check_point(function, dtype, ulps.worst_of(found["lexigrad"], function, dtype))


@every_point_function
def test_sampled_float32(function: str) -> None:
    worst = ulps.worst_of_float32(function, ulps.OWN_POINTS[function], stride=10_007, threads=available_threads())
    check_point(function, np.float32, worst["lexigrad"])


@pytest.mark.long
@every_dtype
def test_many_rows(dtype: type) -> None:
    check_rows(
        dtype,
        ulps.adversarial_rows(dtype),
        ulps.two_scores(dtype, 1 << 22),
        ulps.paired_rows(dtype, 1 << 23, 1_000),
        *(ulps.random_rows(dtype, scale, 1 << 21) for scale in ulps.SCALES),
    )


@pytest.mark.long
@every_point_function
def test_every_float32(function: str) -> None:
    worst = ulps.worst_of_float32(function, ulps.OWN_POINTS[function], stride=1, threads=available_threads())
    check_point(function, np.float32, worst["lexigrad"])


def test_the_harness_sees_an_error() -> None:
    """A softmax that subtracts the maximum is far outside the bound: the search must say so."""

    def usual(x: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    worst = ulps.worst_of_rows({"softmax": {"lexigrad": usual}}, ulps.random_rows(np.float32, 10, 1 << 14), np.float32)
    assert worst["softmax"]["lexigrad"].ulps > 10
