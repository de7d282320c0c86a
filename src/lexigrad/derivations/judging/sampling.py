"""Random values of the names that have no definition, as the text's assumptions ask for."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.names import Traits
from lexigrad.derivations.judging.points import Dim, Point

if TYPE_CHECKING:
    from lexigrad.derivations.judging.scene import Scene

REGIMES = {"any": (-1.6, 1.7), "positive": (0.2, 1.9), "unit": (0.08, 0.92)}
"""Where random numbers come from: anywhere; from positive ones, where roots and logarithms ask for it; from between 0 and 1."""

GAP = 0.15
"""Numbers between 0 and this are moved away from 0, where those of an odd order are hard to tell from it."""


def sample(scene: Scene, name: str, dims: tuple[Dim, ...], point: Point) -> Any:
    """Return the value of a name at a point: the same one each time, also while a derivative is taken."""
    if point.base is not None:
        return point.base.value(name)
    shape = tuple(dim.root().size for dim in dims)
    rng = random.Random(f"{point.seed} {name}")
    if name in scene.integers:
        return _integers(scene.integers[name].root(), shape, rng)
    traits = scene.facts.traits_of(name)
    pick = _numbers(name, traits, point.regime, rng)
    if not shape:
        return pick()
    array = np.empty(shape, object)
    for place in np.ndindex(shape):
        array[place] = pick()
    return _shaped(scene, array, traits, rng, point)


def _numbers(name: str, traits: Traits, regime: str, rng: random.Random) -> Callable[[], Any]:
    """Return what draws an entry: a deviation sigma is positive, a probability p(x | y) lies between 0 and 1."""
    if traits.values:
        return lambda: mp.mpf(rng.choice(traits.values))
    low, high = REGIMES[regime]
    if traits.positive or "sigma" in name.split("_", maxsplit=1)[0]:
        low, high = REGIMES["positive"]
    if traits.unit_interval or "|" in name or "(" in name:
        low, high = REGIMES["unit"]

    def draw() -> Any:
        value = numbers.uniform(rng, low, high)
        return value + (mp.mpf("0.3") if low < 0 and 0 <= value < GAP else 0)

    return draw


def _integers(dim: Dim, shape: tuple[int, ...], rng: random.Random) -> Any:
    """Return places in a dimension, different ones if there are enough: u_{w_k} are entries of u."""
    values = list(range(dim.origin, dim.origin + dim.size))
    if not shape:
        return mp.mpf(rng.choice(values))
    count = int(np.prod(shape))
    chosen = rng.sample(values, count) if count <= len(values) else [rng.choice(values) for _ in range(count)]
    array = np.empty(shape, object)
    for place, value in zip(np.ndindex(shape), chosen, strict=True):
        array[place] = mp.mpf(value)
    return array


def _shaped(scene: Scene, array: Any, traits: Traits, rng: random.Random, point: Point) -> Any:
    """Return an array changed such that it is what the text assumes of it."""
    if traits.one_hot or traits.hot_index:
        return _one_hot(scene, array, traits, rng, point)
    if traits.sums_to_one:
        positive = numbers.elementwise(lambda value: abs(value) + mp.mpf("0.1"), array)
        return positive / positive.sum(axis=-1, keepdims=True)
    if traits.unit_norm:
        return array / numbers.elementwise(mp.sqrt, (array * array).sum(axis=-1, keepdims=True))
    if traits.symmetric:
        return (array + array.T) / 2
    if traits.orthogonal:
        q, _ = mp.qr(mp.matrix(array.tolist()))
        return numbers.as_array(q.tolist())
    return array


def _one_hot(scene: Scene, array: Any, traits: Traits, rng: random.Random, point: Point) -> Any:
    """Return rows with a single 1, at the index that the text names for it or anywhere."""
    rows = array.reshape(-1, array.shape[-1])
    for row in rows:
        hot = rng.randrange(len(row))
        if traits.hot_index in scene.open and array.ndim == 1:
            key, dim = scene.open[traits.hot_index]
            hot = point.index[key] - dim.root().origin
        row[:] = mp.mpf(0)
        row[hot] = mp.mpf(1)
    return rows.reshape(array.shape)
