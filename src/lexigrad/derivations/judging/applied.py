"""Functions that the text defines, applied to arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.dependence import dependencies, index_names, names_in, resolved
from lexigrad.derivations.judging.names import Definition, substituted
from lexigrad.derivations.judging.points import Axes, Point, Run, Typed, each_entry, same_shape, shape_of
from lexigrad.derivations.judging.quantities import is_quantity, named
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Call, Indexed, Name, Node

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning


def applied(meaning: Meaning, node: Call, definition: Definition) -> Typed:
    """Return a function of the text, applied: its definition with the arguments for the parameters."""
    scene = meaning.scene
    arities = {len(one.parameters) for one in scene.facts.definitions[node.function]}
    indices = {Name(name) for name in index_names(definition.value)} & set(definition.parameters)
    if not node.primes and node.arguments == definition.parameters and len(arities) == 1 and not indices:
        return named(meaning, Name(node.function))
    arguments = _Arguments(meaning, node, definition)
    axes: Axes = []
    scene.parameters.append(arguments.frame)
    scene.building.append(definition)
    try:
        for letter in definition.indices:
            axes.append(scene.axis(letter, scene.dim()))
        body = meaning.of(arguments.value)
    finally:
        for _ in axes:
            scene.unbind()
        scene.building.pop()
        scene.parameters.pop()
    run = arguments.placed(body)
    if not axes:
        return Typed(body.dims, run, body.turned)
    dims = (*(dim for _, dim in axes), *body.dims)

    def entries(point: Point) -> Any:
        array = np.empty(shape_of(dims), object)
        for places, inner in each_entry(axes, point):
            array[places] = run(inner)
        return array

    return Typed(dims, entries)


class _Arguments:
    """The arguments of a function, beside the parameters that they stand for."""

    def __init__(self, meaning: Meaning, node: Call, definition: Definition) -> None:
        self.meaning = meaning
        self.node = node
        self.key = f"{node.function}#{next(meaning.scene.count)}"
        self.value = definition.value
        """The definition, with names for parameters such as x_i."""
        self.frame: dict[str, Typed] = {}
        """Arguments by the names of their parameters."""
        self.moved: list[tuple[str, Typed]] = []
        """Arguments for parameters on which the value depends through other definitions."""
        self._name_entries(definition)
        used = names_in(self.value, meaning.scene) | index_names(self.value)
        below = {one for name in used for one in dependencies(meaning.scene, name)}
        for parameter, argument in zip(definition.parameters, node.arguments, strict=True):
            name = resolved(parameter, meaning.scene)
            if isinstance(name, Name) and name.name in used | below:
                self._place(name, argument, name.name in below)

    def _name_entries(self, definition: Definition) -> None:
        """Give parameters such as x_i names of their own."""
        for place, parameter in enumerate(definition.parameters):
            if isinstance(resolved(parameter, self.meaning.scene), Indexed):
                own = f"{place}@{self.node.function}"
                self.value = substituted(self.value, {parameter: Name(own)})
                self.frame[own] = self._typed(self.node.arguments[place])

    def _place(self, parameter: Name, argument: Node, is_below: bool) -> None:
        """Let an argument stand for a parameter: an index by its key, a quantity in the frame or through other definitions."""
        scene = self.meaning.scene
        if (
            isinstance(argument, Name)
            and parameter.name in index_names(self.value)
            and not is_quantity(scene, argument.name)
        ):
            key, _ = scene.index(argument.name)
            self.frame[parameter.name] = Typed((), lambda point: point.number(key), name=argument.name)
            return
        typed = self._typed(argument)
        if is_below:
            variable = named(self.meaning, parameter)
            same_shape(variable, typed)
            self.moved.append((variable.name, typed))
        else:
            self.frame[parameter.name] = typed

    def _typed(self, argument: Node) -> Typed:
        """Return an argument, which the derivative of the function moves."""
        typed, key = self.meaning.of(argument), self.key
        if not self.node.primes:
            return typed
        return Typed(typed.dims, lambda point: typed.run(point) + point.shift.get(key, 0), typed.turned)

    def placed(self, body: Typed) -> Run:
        """Return how the function, or its derivative, is computed from its body."""
        run = body.run
        for target, typed in self.moved:
            run = _moved(run, target, typed)
        for _ in range(self.node.primes):
            if body.rank or len(self.frame) + len(self.moved) != 1:
                raise Unreadable(f"{self.node.function}' of several numbers")
            run = _shifted(run, self.key)
        return run


def _moved(run: Run, target: str, argument: Typed) -> Run:
    """Return a value with an argument in the place of what it depends on through other definitions."""
    return lambda point: run(point.moved(target, argument.run(point)))


def _shifted(run: Run, key: str) -> Run:
    """Return the derivative of a value by an argument."""
    return lambda point: numbers.slope(lambda by: run(point.shifted(key, by)), point.shift.get(key, 0))
