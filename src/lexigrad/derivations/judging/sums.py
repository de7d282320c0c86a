"""Sums, products and maxima over indices, and lists."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.cases import condition
from lexigrad.derivations.judging.dependence import index_names
from lexigrad.derivations.judging.names import mentioned
from lexigrad.derivations.judging.points import Dim, OutOfRange, Point, Reach, Run, Typed, shape_of
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Big, Listing, Name, Node, Number

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning


@dataclass(frozen=True)
class Range:
    """Over which values an index runs: its key and dimension; the first and last value, where they are written as numbers."""

    key: str
    dim: Dim
    first: Run | None = None
    last: Run | None = None

    def values(self, point: Point) -> range:
        """Return the values at a point."""
        root = self.dim.root()
        first = int(self.first(point)) if self.first is not None else root.origin
        last = int(self.last(point)) if self.last is not None else root.origin + root.size - 1
        if first > last:
            raise OutOfRange
        return range(first, last + 1)


def big(meaning: Meaning, node: Big) -> Typed:
    """Return a sum, product, maximum or minimum; bounds are those of the last of its indices."""
    scene = meaning.scene
    if not node.indices:
        return _over_entries(scene, node.operator, meaning.of(node.body))
    ranges = [_range(meaning, letter, None, None, node.operator) for letter in node.indices[:-1]]
    ranges.append(_range(meaning, node.indices[-1], node.lower, node.upper, node.operator))
    try:
        holds = condition(meaning, node.condition) if node.condition is not None else None
        if holds is not None and len(ranges) == 1 and ranges[0].key in scene.reach:
            key = ranges[0].key
            scene.reach[key] = replace(scene.reach[key], key=key, condition=holds)
        body = meaning.of(node.body)
    finally:
        for _ in node.indices:
            scene.unbind()
    inside = {*mentioned(node.body), *index_names(node.body)}
    if inside.isdisjoint(node.indices) and node.lower is None:
        return _over_entries(scene, node.operator, body)
    if body.rank and node.operator in ("max", "min"):
        raise IllTyped(f"the {node.operator} of vectors")
    fold = FOLDS[node.operator]

    def run(point: Point) -> Any:
        values: list[Any] = []
        for choice in itertools.product(*[one.values(point) for one in ranges]):
            scene.spend()
            inner = point
            for one, value in zip(ranges, choice, strict=True):
                inner = inner.at(one.key, value)
            if holds is None or holds(inner):
                values.append(body.run(inner))
        if not values and body.rank:
            return numbers.filled(shape_of(body.dims), 0)
        return fold(values)

    return Typed(body.dims, run, body.turned)


def _range(meaning: Meaning, letter: str, lower: Node | None, upper: Node | None, operator: str) -> Range:
    """Open the scope of an index; return its range."""
    scene = meaning.scene
    dim = scene.dim()
    if upper is not None:
        return _numeric_range(meaning, letter, dim, lower, upper)
    if lower is not None and not isinstance(lower, Number):
        raise Unreadable("a range with a first value and no last one")
    if lower == Number("0"):
        dim.origin = 0
    count = scene.facts.count
    if lower is None and count and operator == "sum":
        size = scene.size_of(count)
        dim.reach.append(Reach(lambda point: 1, lambda point: size.size, count))
    return Range(scene.bind(letter, dim), dim)


def _numeric_range(meaning: Meaning, letter: str, dim: Dim, lower: Node | None, upper: Node) -> Range:
    """Open the scope of an index with a first and a last value."""
    scene = meaning.scene
    first = _number(meaning, lower if lower is not None else Number("1"))
    last, label = _last(meaning, lower, upper)
    dim.numeric = True
    key = scene.bind(letter, dim)
    scene.reach[key] = Reach(first, last, label)
    return Range(key, dim, first, last)


def _last(meaning: Meaning, lower: Node | None, upper: Node) -> tuple[Run, str]:
    """Return the last value of a range, and the name of its size if it is written as 1, ..., n."""
    if isinstance(upper, Name) and _is_size(meaning.scene, upper.name):
        size = meaning.scene.size_of(upper.name)
        return lambda point: size.size, upper.name if lower == Number("1") else ""
    return _number(meaning, upper), ""


def _is_size(scene: Scene, name: str) -> bool:
    """Tell whether a name that ends a range is the size of a dimension, and nothing else."""
    if name in scene.facts.counters or name in scene.open or any(name in frame for frame in scene.parameters):
        return False
    return scene.scope(name) is None and scene.facts.definition(name) is None


def _number(meaning: Meaning, node: Node) -> Run:
    """Return a bound of a range."""
    typed = meaning.of(node)
    if typed.rank:
        raise IllTyped("a range that ends with a vector")
    return typed.run


def _over_entries(scene: Scene, operator: str, body: Typed) -> Typed:
    """Return the sum over the entries of a vector, for a sum whose index is not written at its terms."""
    if body.rank != 1:
        raise IllTyped(f"a {operator} over an index that does not occur in it")
    scene.choices.notes.append("the index of a sum was added to its terms")
    scene.choices.pay(1.0)
    fold = FOLDS[operator]
    return Typed((), lambda point: fold(list(body.run(point))))


def listing(meaning: Meaning, node: Listing) -> Typed:
    """Return (x_1, ..., x_n), or the matrix with such columns."""
    scene = meaning.scene
    span = _range(meaning, node.index, node.lower, node.upper, "list")
    try:
        body = meaning.of(node.body)
    finally:
        scene.unbind()
    if body.rank > 1:
        raise Unreadable("a list of matrices")
    dim = span.dim
    dim.reach.append(scene.reach[span.key])

    def run(point: Point) -> Any:
        root = dim.root()
        parts = [body.run(point.at(span.key, value)) for value in range(root.origin, root.origin + root.size)]
        return numbers.as_array([part.tolist() if isinstance(part, np.ndarray) else part for part in parts]).T

    return Typed((*body.dims, dim), run)


def _largest(values: list[Any]) -> Any:
    if not values:
        raise OutOfRange
    return max(values)


def _smallest(values: list[Any]) -> Any:
    if not values:
        raise OutOfRange
    return min(values)


FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "sum": lambda values: sum(values, mp.mpf(0)),
    "product": lambda values: math.prod(values, start=mp.mpf(1)),
    "max": _largest,
    "min": _smallest,
}
"""How the terms of each operator become one; there is no largest and no smallest of none."""
