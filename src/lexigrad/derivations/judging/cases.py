"""Norms, arrays, cases, indicators and their conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.points import OutOfRange, Point, Run, Typed, same_shape
from lexigrad.derivations.judging.quantities import is_quantity
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Array, Bars, Cases, Condition, Indicator, Name, Node

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
"""Relations between numbers."""


def bars(meaning: Meaning, node: Bars) -> Typed:
    """Return an absolute value or a norm."""
    value = meaning.of(node.value)
    if not node.double and value.rank == 0:
        return Typed((), lambda point: abs(value.run(point)))
    if value.rank == 0:
        raise IllTyped("the norm of a number")
    if not node.double:
        meaning.scene.choices.pay(1.0)
    kind = node.kind.strip("{}")
    if kind == "1" and value.rank == 1:
        return Typed((), lambda point: numbers.total(numbers.elementwise(abs, value.run(point))))
    if kind == "\\infty" and value.rank == 1:
        return Typed((), lambda point: numbers.size(value.run(point)))
    if kind not in ("", "2", "F") or (kind == "2" and value.rank == 2):
        raise Unreadable(f"the norm {kind}")
    return Typed((), lambda point: mp.sqrt(numbers.total((value.run(point)) ** 2)))


def array(meaning: Meaning, node: Array) -> Typed:
    """Return a vector or matrix of written entries."""
    rows = [[meaning.of(entry) for entry in row] for row in node.rows]
    if any(entry.rank for row in rows for entry in row):
        raise IllTyped("an array of arrays")
    flat = [entry for row in rows for entry in row]
    if node.column or len(rows) == 1:
        dim = meaning.scene.dim(fixed=len(flat))
        return Typed((dim,), lambda point: numbers.as_array([entry.run(point) for entry in flat]))
    if len({len(row) for row in rows}) > 1:
        raise Unreadable("an array whose rows differ in length")
    dims = (meaning.scene.dim(fixed=len(rows)), meaning.scene.dim(fixed=len(rows[0])))
    return Typed(dims, lambda point: numbers.as_array([[entry.run(point) for entry in row] for row in rows]))


def cases(meaning: Meaning, node: Cases) -> Typed:
    """Return the value of the first case that holds."""
    rows = [(meaning.of(value), condition(meaning, when)) for value, when in node.rows]
    first = rows[0][0]
    for value, _ in rows[1:]:
        same_shape(first, value)

    def run(point: Point) -> Any:
        for value, holds in rows:
            if holds(point):
                return value.run(point)
        raise OutOfRange

    return Typed(first.dims, run, first.turned)


def indicator(meaning: Meaning, node: Indicator) -> Typed:
    """Return 1 where a condition holds, 0 elsewhere."""
    holds = condition(meaning, node.condition)
    return Typed((), lambda point: mp.mpf(1 if holds(point) else 0))


def condition(meaning: Meaning, node: Condition) -> Callable[[Point], bool]:
    """Return whether a condition holds, as a function of the point."""
    scene = meaning.scene
    if node.otherwise:
        return lambda point: True
    tests = []
    for left, relation, right in node.pairs:
        if relation not in COMPARE:
            raise Unreadable(f"the condition {relation!r}")
        tests.append((_compared(meaning, left), relation, _compared(meaning, right)))
        if (
            isinstance(left, Name)
            and isinstance(right, Name)
            and _is_index(scene, left.name)
            and _is_index(scene, right.name)
        ):
            scene.tie(scene.index(left.name)[1], right.name)
            scene.tie(scene.index(right.name)[1], left.name)

    def holds(point: Point) -> bool:
        return all(COMPARE[relation](one(point), other(point)) for one, relation, other in tests)

    return holds


def _is_index(scene: Scene, name: str) -> bool:
    """Tell whether a name in a condition is an index."""
    if scene.scope(name) is not None or name in scene.open:
        return True
    usage = scene.facts.usage
    return not is_quantity(scene, name) and (name in usage.bound or name in usage.letters)


def _compared(meaning: Meaning, node: Node) -> Run:
    """Return one side of a comparison."""
    scene = meaning.scene
    if (
        isinstance(node, Name)
        and _is_index(scene, node.name)
        and not any(node.name in frame for frame in scene.parameters)
    ):
        key, _ = scene.index(node.name)
        return lambda point: point.number(key)
    typed = meaning.of(node)
    if typed.rank:
        raise IllTyped("a comparison of vectors")
    return typed.run
