"""Points and finite differences for the functions that this package ships, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BOUND = 1e-9
"""Largest difference, relative to max(1, |true|), that a check of a shipped function accepts."""

STEP = 2.0**-9
"""Step of the differences: their error is about STEP^4 f'''''/30 = 5e-13 f''''' and 2e-16 / STEP = 1e-13 |f|."""

SEED = 20180122
POINTS = 5


def points(*shapes: int | tuple[int, ...], count: int = POINTS, scale: float = 2.0) -> Iterator[list[NDArray[Any]]]:
    """Yield `count` times one random array of each shape, normal with standard deviation `scale`, always the same.

    >>> [array.shape for array in next(points(3, (2, 3)))]
    [(3,), (2, 3)]
    """
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        yield [rng.normal(scale=scale, size=shape) for shape in shapes]


def targets(scores: NDArray[Any]) -> NDArray[Any]:
    """Return the squares of some numbers over their sum along the last axis: targets that sum to 1."""
    return scores**2 / (scores**2).sum(axis=-1, keepdims=True)


def gradient(f: Callable[..., Any], x: Any, step: float = STEP) -> NDArray[Any]:
    """Return the fourth-order central differences of a function of one array (or number), which may return an array.

    The sum of what it returns is differentiated. That is the same as the derivative of each entry where entry i of the result
    depends on entry i of x only.

    >>> bool(abs(gradient(lambda x: x**4, 1.5) - 4 * 1.5**3) < 1e-11)
    True
    """
    x = np.array(x, np.float64)
    slopes = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        values = []
        for steps in (-2, -1, 1, 2):
            there = x.copy()
            there[i] += steps * step
            values.append(np.sum(f(there), dtype=np.float64))
        slopes[i] = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * step)
    return slopes
