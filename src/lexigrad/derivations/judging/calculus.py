"""Derivatives, as differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.dependence import base_of, depends, resolved, shown
from lexigrad.derivations.judging.entries import place_of
from lexigrad.derivations.judging.points import Dim, Point, Run, Typed, shape_of
from lexigrad.derivations.judging.quantities import named
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unlinked, Unreadable
from lexigrad.derivations.reading.tree import Derivative, Indexed, Name, Node

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning

Locate = Callable[[Point, tuple[int, ...]], tuple[int, ...]]
"""Which entry of an array is moved, for each place in the axes of the variable."""


def derivative(meaning: Meaning, node: Derivative) -> Typed:
    """Return a derivative: axes of the value first, then those of the variable, unless the layout is the other one."""
    scene = meaning.scene
    value_node: Node = node.value
    if len(node.variables) > 1:
        value_node = Derivative(node.value, node.variables[:-1], node.gradient)
    variable = resolved(node.variables[-1], scene)
    name = base_of(variable)
    if not isinstance(name, Name):
        raise Unreadable("a derivative by something that is no variable")
    if not depends(scene, node.value, name.name) and any(isinstance(part, Name) for part in node.value.walk()):
        raise Unlinked(f"how {shown(node.value)} depends on {shown(name)} is not said", name.name)
    value = meaning.of(value_node)
    target, locate, rest = _variable(meaning, variable, name)
    dims = (*value.dims, *rest)

    def run(point: Point) -> Any:
        if not dims:
            return _difference(value.run, point, target, locate(point, ()))
        found = np.empty(shape_of(dims), object)
        for place in np.ndindex(shape_of(rest)):
            found[(..., *place)] = _difference(value.run, point, target, locate(point, place))
        return found

    if value.rank == len(rest) == 1 and _turned_layout(scene, node):
        return Typed(dims[::-1], lambda point: run(point).T)
    return Typed(dims, run)


def _turned_layout(scene: Scene, node: Derivative) -> bool:
    """Tell whether entry i, j is the derivative of y_j by x_i: usual for nabla_x y, and not for dy/dx."""
    if scene.layout is None:
        scene.layout = scene.choices.choose(
            [(True, 0.0), (False, 0.5)] if node.gradient else [(False, 0.0), (True, 1.3)]
        )
    return scene.layout


def _variable(meaning: Meaning, variable: Node, name: Name) -> tuple[str, Locate, tuple[Dim, ...]]:
    """Return the array that a derivative moves, which entry of it, and the axes of what is moved."""
    scene = meaning.scene
    indices = variable.indices if isinstance(variable, Indexed) else ()
    base = named(meaning, name, len(indices))
    if base.name not in scene.compute:
        raise Unreadable(f"a derivative by {shown(name)}, which is no variable")
    if base.rank < len(indices):
        raise IllTyped(f"{shown(name)} has {base.rank} indices")
    places = [place_of(meaning, index, dim) for index, dim in zip(indices, base.dims, strict=False)]
    target, turned = scene.links.get(base.name, (base.name, False))

    def locate(point: Point, place: tuple[int, ...]) -> tuple[int, ...]:
        at = (*(own(point) for own in places), *place)
        return at[::-1] if turned else at

    return target, locate, base.dims[len(indices) :]


def _difference(run: Run, point: Point, target: str, at: tuple[int, ...]) -> Any:
    """Return (f(x + h) - f(x - h)) / 2h for one entry of x."""
    origin = point.value(target)

    def moved(by: Any) -> Any:
        if not at:
            return run(point.moved(target, origin + by))
        array = origin.copy()
        array[at] = array[at] + by
        return run(point.moved(target, array))

    return numbers.slope(moved)
