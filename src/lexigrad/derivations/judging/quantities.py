"""What names stand for: numbers, constants, sizes, definitions, losses, functions without their argument."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.dependence import base_of, dependencies, resolved
from lexigrad.derivations.judging.names import Definition
from lexigrad.derivations.judging.points import Typed, same_shape, shape_of
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Call, Name, Number

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning

BARE_FUNCTIONS = {"sigma", "tanh", "relu", "log", "exp"}
"""Functions whose argument may be left out: sigma' = sigma (1 - sigma)."""


def number(meaning: Meaning, node: Number) -> Typed:
    """Return a number as it is written."""
    value = mp.mpf(node.text)
    return Typed((), lambda point: value, literal=True)


def named(meaning: Meaning, node: Name, indices: int = 0) -> Typed:
    """Return what a name stands for that has so many indices below it."""
    scene, name = meaning.scene, node.name
    for frame in reversed(scene.parameters):
        if name in frame:
            return frame[name]
    found = scene.scope(name) or scene.open.get(name)
    if found is not None:
        key = found[0]
        return Typed((), lambda point: point.number(key), name=name)
    if name in scene.names:
        return scene.names[name]
    definition = scene.facts.definition(name)
    if definition is not None and definition in scene.building:
        raise Unreadable(f"{name} is defined by itself")
    typed = defined(meaning, definition) if definition is not None else _undefined(meaning, name, indices)
    scene.names[name] = typed
    return typed


def defined(meaning: Meaning, definition: Definition) -> Typed:
    """Return what a definition stands for; where it is a function, its value at its own parameters."""
    scene = meaning.scene
    if definition.parameters:
        return scene.build(replace(definition, parameters=(), start=None), meaning.of)
    if definition.start is not None:
        scene.starts[definition.name] = meaning.of(definition.start)
    return scene.build(definition, meaning.of)


def _undefined(meaning: Meaning, name: str, indices: int) -> Typed:
    """Return a name that no formula defines."""
    scene = meaning.scene
    usage = scene.facts.usage
    constant = _constant(scene, name)
    if constant is not None:
        return constant
    if name in scene.facts.counters:
        key, _ = scene.index(name)
        return Typed((), lambda point: point.number(key), name=name)
    if (name in usage.bounds or name == scene.facts.count) and not indices and name not in usage.ranks:
        dim = scene.size_of(name)
        return Typed((), lambda point: mp.mpf(dim.size), literal=True)
    if name.rstrip("'") in BARE_FUNCTIONS and name.rstrip("'") in usage.arguments:
        return without_argument(meaning, name)
    loss = _loss(meaning, name)
    if loss is not None:
        return loss
    arguments = usage.arguments.get(name)
    if name in scene.facts.symbols.functions and arguments:
        return meaning.of(Call(name, (arguments[0],)))
    return scene.free_name(name, indices)


def _constant(scene: Scene, name: str) -> Typed | None:
    """Return pi, e, the vector of ones, or the identity matrix."""
    usage = scene.facts.usage
    if name == "pi" and not usage.below["pi"] and "pi" not in usage.vectors:
        return Typed((), lambda point: +mp.pi, literal=True)
    if name == "e" and not usage.below["e"]:
        return Typed((), lambda point: +mp.e, literal=True)
    if name == "ones":
        dim = scene.dim()
        return Typed((dim,), lambda point: numbers.filled(shape_of((dim,)), 1), name="ones")
    if name.split("_", maxsplit=1)[0] == "I" and not scene.facts.symbols.not_identity:
        dim = scene.dim()
        return Typed((dim, dim), lambda point: numbers.diagonal(numbers.filled(shape_of((dim,)), 1)))
    return None


def without_argument(meaning: Meaning, name: str) -> Typed:
    """Return sigma where it stands for sigma(x)."""
    plain = name.rstrip("'")
    arguments = [
        part for part in meaning.scene.facts.usage.arguments[plain] if isinstance(part, Name) and part.name != plain
    ]
    argument = arguments[0] if arguments else Name("x")
    return meaning.of(Call(plain, (argument,), len(name) - len(plain)))


def _loss(meaning: Meaning, name: str) -> Typed | None:
    """Return a quantity that is known only by its derivatives, as a function with these derivatives or with any."""
    scene = meaning.scene
    facts = scene.facts
    variables = facts.usage.denominators.get(name)
    if not variables:
        return None
    if facts.losses.get(name):
        variable, slope = (meaning.of(part) for part in facts.losses[name][0])
        same_shape(variable, slope)
        scene.compute[name] = lambda point: numbers.total(slope.run(point.base or point) * variable.run(point))
    else:
        bases = {base_of(resolved(variable, scene)) for variable in variables}
        names = {base.name for base in bases if isinstance(base, Name) and base.name != name}
        last = [
            one
            for one in sorted(names)
            if not any(other != one and one in dependencies(scene, other) for other in names)
        ]
        if not last:
            return None
        parts = [named(meaning, Name(one)) for one in last]
        smooth = numbers.Smooth(name)
        scene.compute[name] = lambda point: smooth(*(part.run(point) for part in parts))
    return Typed((), lambda point: point.value(name), name=name)


def is_quantity(scene: Scene, name: str) -> bool:
    """Tell whether a name has been met as a quantity, or is one by its definition."""
    return (
        any(name in frame for frame in scene.parameters)
        or scene.facts.definition(name) is not None
        or name in scene.free
    )
