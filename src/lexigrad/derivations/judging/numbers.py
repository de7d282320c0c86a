"""Arithmetic with many digits, on single numbers and on arrays of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp

WORKING_DIGITS = 110
"""Digits in which everything is computed."""

STEP = 10.0**-25
"""Step of the differences: their error is about STEP^2 f''' / 6, and WORKING_DIGITS leave 85 digits after the division by it."""

TOLERANCE = 10.0**-35
"""Largest difference of two equal sides, relative to max(1, |side|): differences of differences keep 40 digits."""


def elementwise(function: Callable[..., Any], *values: Any) -> Any:
    """Apply a function of numbers to every entry."""
    if any(isinstance(value, np.ndarray) for value in values):
        return np.frompyfunc(function, len(values), 1)(*values)
    return function(*values)


def _real(value: Any) -> Any:
    if isinstance(value, mp.mpc) or not mp.isfinite(value):
        raise ArithmeticError("not a real number")
    return value


def _log(x: Any) -> Any:
    if x <= 0:
        raise ArithmeticError("the logarithm of a number that is not positive")
    return mp.log(x)


def _power(x: Any, y: Any) -> Any:
    if x == 0 and y < 0:
        raise ArithmeticError("a division by 0")
    return _real(mp.power(x, y))


def _divide(x: Any, y: Any) -> Any:
    if y == 0:
        raise ArithmeticError("a division by 0")
    return x / y


def _sqrt(x: Any) -> Any:
    if x < 0:
        raise ArithmeticError("the root of a negative number")
    return mp.sqrt(x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + mp.exp(-x))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp,
    "log": _log,
    "sqrt": _sqrt,
    "sigma": sigmoid,
    "log_sigma": lambda x: -mp.log1p(mp.exp(-x)),
    "tanh": mp.tanh,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "arctan": mp.atan,
    "relu": lambda x: x if x > 0 else mp.mpf(0),
    "step": lambda x: mp.mpf(1 if x > 0 else 0),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "logit": lambda x: _log(x) - _log(1 - x),
    "sign": mp.sign,
    "abs": abs,
    "log1p": lambda x: _log(1 + x),
    "expm1": mp.expm1,
    "factorial": mp.factorial,
}
"""Functions of single numbers."""


def divide(x: Any, y: Any) -> Any:
    """Return x / y, entry by entry."""
    return elementwise(_divide, x, y)


def power(x: Any, y: Any) -> Any:
    """Return x^y, entry by entry."""
    return elementwise(_power, x, y)


def softmax(x: Any) -> Any:
    """Return the softmax of a vector, or of each row."""
    terms = elementwise(mp.exp, x)
    return terms / (terms.sum() if terms.ndim == 1 else terms.sum(axis=-1, keepdims=True))


def inverse(matrix: Any) -> Any:
    """Return the inverse of a square matrix."""
    try:
        found = mp.inverse(mp.matrix(matrix.tolist()))
    except ZeroDivisionError:
        raise ArithmeticError("a singular matrix") from None
    return as_array(found.tolist())


def determinant(matrix: Any) -> Any:
    """Return the determinant of a square matrix."""
    return mp.det(mp.matrix(matrix.tolist()))


def as_array(values: Any) -> Any:
    """Return nested lists as an array of numbers."""
    array = np.empty(np.shape(values), object)
    for place in np.ndindex(array.shape):
        entry = values
        for k in place:
            entry = entry[k]
        array[place] = entry
    return array


def total(value: Any) -> Any:
    """Return the sum of all entries."""
    return sum(value.ravel().tolist(), mp.mpf(0)) if isinstance(value, np.ndarray) else value


def filled(shape: tuple[int, ...], value: int) -> Any:
    """Return an array of one number."""
    array = np.empty(shape, object)
    array[...] = mp.mpf(value)
    return array


def diagonal(vector: Any) -> Any:
    """Return the matrix with a vector on its diagonal."""
    array = filled((len(vector), len(vector)), 0)
    for k, value in enumerate(vector):
        array[k, k] = value
    return array


def slope(function: Callable[[Any], Any], at: Any = 0) -> Any:
    """Return (f(x + h) - f(x - h)) / 2h."""
    step = mp.mpf(STEP)
    return (function(at + step) - function(at - step)) / (2 * step)


def uniform(rng: random.Random, low: float, high: float) -> Any:
    """Return a random number with all digits."""
    return mp.mpf(low) + (mp.mpf(high) - mp.mpf(low)) * mp.mpf(rng.getrandbits(300)) / mp.mpf(2) ** 300


class Smooth:
    """A smooth function nobody knows: for letters that a text leaves open, such as f or a loss."""

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def _weight(self, *place: object) -> Any:
        return uniform(random.Random(f"{self.seed} {place}"), 0.4, 1.4)

    def __call__(self, *values: Any) -> Any:
        """Return 4 + sum_k a_k sin(b_k . x + c_k) + (b . x)^2 / 3 over all entries of all arguments; it is positive."""
        entries = [
            entry
            for value in values
            for entry in (value.ravel().tolist() if isinstance(value, np.ndarray) else [value])
        ]
        total = mp.mpf(4)
        for k in range(2):
            inner = sum(self._weight(k, place) * entry for place, entry in enumerate(entries)) + self._weight(
                k, "shift"
            )
            total += self._weight(k, "size") * mp.sin(inner) + inner * inner / (3 + k)
        return total


def size(value: Any) -> Any:
    """Return the largest absolute entry."""
    if isinstance(value, np.ndarray):
        return max((abs(entry) for entry in value.ravel()), default=mp.mpf(0))
    return abs(value)
