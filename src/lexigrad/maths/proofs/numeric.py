"""Points, functions and derivatives in 200-bit arithmetic. Functions use the precision that is set when they are called."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mpmath import mp

BITS = 200
"""Bits in which numeric checks compute."""

BOUND = 2.0**-180
"""Largest difference, relative to max(1, |true|), that a numeric check accepts: 20 bits for rounding."""

SEED = 20180122
POINTS = 10


def points(*sizes: int, count: int = POINTS, scale: float = 4.0) -> Iterator[list[list[Any]]]:
    """Yield `count` times one random vector of each size, uniform in [-scale, scale], always the same.

    >>> x, y = next(points(3, 2))
    >>> len(x), len(y)
    (3, 2)
    """
    rng = random.Random(SEED)
    for _ in range(count):
        yield [[_uniform(rng, scale) for _ in range(size)] for size in sizes]


def _uniform(rng: random.Random, scale: float) -> Any:
    return mp.mpf(scale) * (mp.mpf(rng.getrandbits(BITS)) / 2 ** (BITS - 1) - 1)


def targets(scores: Sequence[Any]) -> list[Any]:
    """Return the squares of some numbers over their sum: targets that sum to 1."""
    total = sum(value**2 for value in scores)
    return [value**2 / total for value in scores]


def rows(flat: Sequence[Any], n_columns: int) -> list[list[Any]]:
    """Return a flat list as rows.

    >>> rows([1, 2, 3, 4], 2)
    [[1, 2], [3, 4]]
    """
    return [list(flat[first : first + n_columns]) for first in range(0, len(flat), n_columns)]


def dot(x: Sequence[Any], y: Sequence[Any]) -> Any:
    """Return sum_i x_i y_i."""
    return sum(xi * yi for xi, yi in zip(x, y, strict=True))


def softmax(x: Sequence[Any]) -> list[Any]:
    """Return exp(x_i) / sum_j exp(x_j)."""
    total = sum(mp.exp(xi) for xi in x)
    return [mp.exp(xi) / total for xi in x]


def logsumexp(x: Sequence[Any]) -> Any:
    """Return log sum_j exp(x_j)."""
    return mp.log(sum(mp.exp(xi) for xi in x))


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + mp.exp(-x))


def cross_entropy(targets: Sequence[Any], scores: Sequence[Any]) -> Any:
    """Return -sum_i y_i log softmax(scores)_i."""
    return -sum(y * mp.log(p) for y, p in zip(targets, softmax(scores), strict=True))


def gradient(f: Callable[..., Any], x: Sequence[Any]) -> list[Any]:
    """Return (f(x + h e_i) - f(x - h e_i)) / 2h for every i, h = 2^-200, in 640-bit arithmetic.

    The error is about h^2 f'''/6 from the formula and 2^-640 / h from rounding: below 2^-390 for the functions here.

    >>> with mp.workprec(BITS):
    ...     abs(gradient(lambda x: mp.exp(x[0]), [mp.mpf(0)])[0] - 1) < BOUND
    True
    """
    with mp.workprec(640):
        h = mp.mpf(2) ** -BITS
        slopes = []
        for i in range(len(x)):
            up, down = list(x), list(x)
            up[i], down[i] = x[i] + h, x[i] - h
            slopes.append((f(up) - f(down)) / (2 * h))
    return slopes
