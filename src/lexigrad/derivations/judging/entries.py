"""Entries of arrays, and where an index points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.dependence import resolved, shown
from lexigrad.derivations.judging.names import Definition, mentioned
from lexigrad.derivations.judging.points import Dim, OutOfRange, Point, Reach, Run, Typed, join, shape_of
from lexigrad.derivations.judging.quantities import named
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import SEQUENCE, Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Indexed, Name, Node, Number

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning

Place = Callable[[Point], int]
"""Where in an array an index points, at a point."""


def indexed(meaning: Meaning, node: Indexed) -> Typed:
    """Return an entry or a row."""
    scene = meaning.scene
    whole = resolved(node, scene)
    if not isinstance(whole, Indexed):
        return meaning.of(whole)
    node, name = whole, ""
    if isinstance(node.base, Name):
        name = node.base.name
        own = next((one for one in scene.building if one.name == name), None)
        if own is not None:
            return _earlier(meaning, own, node)
        if name == "e" and len(node.indices) == 1 and _means_basis(scene):
            return _basis(meaning, node)
        base = named(meaning, node.base, len(node.indices))
    else:
        base = meaning.of(node.base)
    if base.rank < len(node.indices):
        raise IllTyped(f"{shown(node.base)} has {base.rank} indices, not {len(node.indices)}")
    places = [place_of(meaning, index, dim) for index, dim in zip(node.indices, base.dims, strict=False)]
    rest = base.dims[len(places) :]

    def run(point: Point) -> Any:
        return base.run(point)[tuple(place(point) for place in places)]

    return Typed(rest, run, name=base.name and "entry", integers="" if rest else name)


def _means_basis(scene: Scene) -> bool:
    """Tell whether e_i is a vector of the standard basis."""
    facts = scene.facts
    return facts.symbols.basis and facts.definition("e") is None and facts.memory.get("e") is None


def _basis(meaning: Meaning, node: Indexed) -> Typed:
    """Return e_i, the vector of zeros with a 1 at i."""
    dim = meaning.scene.dim()
    place = place_of(meaning, node.indices[0], dim)

    def run(point: Point) -> Any:
        vector = numbers.filled(shape_of((dim,)), 0)
        vector[place(point)] = mp.mpf(1)
        return vector

    return Typed((dim,), run)


def _earlier(meaning: Meaning, own: Definition, node: Indexed) -> Typed:
    """Return an earlier entry of the sequence that is being defined."""
    scene = meaning.scene
    found = scene.scope(own.indices[0]) if len(own.indices) == 1 else None
    if len(own.indices) != 1 or len(node.indices) != 1:
        raise Unreadable(f"{own.name} is defined by itself")
    if found is None or scene.building[-1] is not own:
        raise Unreadable(f"{own.name} is defined by itself, through other names")
    place = place_of(meaning, node.indices[0], found[1])
    rank = 0 if scene.facts.memory.get(own.name) in (None, 1) else 1
    dims = tuple(scene.dim() for _ in range(rank))

    def run(point: Point) -> Any:
        at = place(point)
        entries = point.partial.get(own.name, {})
        if at not in entries:
            raise OutOfRange
        return entries[at]

    return Typed(dims, run)


def place_of(meaning: Meaning, index: Node, dim: Dim) -> Place:
    """Return where in an array an index points."""
    if isinstance(index, Name):
        return _by_name(meaning, index, dim)
    if isinstance(index, Number):
        return _by_number(int(mp.mpf(index.text)), dim)
    if isinstance(index, Indexed) and isinstance(index.base, Name):
        return _by_entry(meaning, index, index.base.name, dim)
    return _by_formula(meaning, index, dim)


def _at(dim: Dim, value: Run) -> Place:
    """Return the place of a value of an index; the value is found at each point."""

    def place(point: Point) -> int:
        root = dim.root()
        found = int(value(point))
        if not root.origin <= found < root.origin + root.size:
            raise OutOfRange
        return found - root.origin

    return place


def _whole(typed: Typed, what: str = "an index that is no number") -> Typed:
    if typed.rank:
        raise IllTyped(what)
    return typed


def _by_number(number: int, dim: Dim) -> Place:
    """Return where x_3 is; x_0 lets the dimension begin at 0."""
    root = dim.root()
    root.least = max(root.least, number)
    if number == 0:
        root.origin = 0
    return _at(dim, lambda point: number)


def _by_name(meaning: Meaning, index: Name, dim: Dim) -> Place:
    """Return where x_i is: i is an argument, a size, an index of a sum, or stands for every value."""
    scene, letter = meaning.scene, index.name
    for frame in reversed(scene.parameters):
        if letter in frame:
            return _by_argument(scene, frame[letter], letter, dim)
    bound = scene.scope(letter) is not None or letter in scene.facts.counters
    if letter in scene.facts.usage.bounds and not bound and letter not in scene.open:
        typed = named(meaning, index)
        dim.root().reach.append(Reach(lambda point: 1, typed.run))
        return _at(dim, typed.run)
    if not bound and (letter in scene.free or letter in scene.names):
        raise IllTyped(f"{letter} is a quantity and no index")
    key, _ = scene.index(letter)
    scene.tie(dim, letter)
    return _at(dim, lambda point: point.number(key))


def _by_argument(scene: Scene, argument: Typed, letter: str, dim: Dim) -> Place:
    """Return where x_i is in a function of i."""
    if argument.integers:
        _points_into(scene, argument.integers, dim)
    _whole(argument, f"{letter} is no index")
    outer = argument.name
    if outer and (scene.scope(outer) or outer in scene.open):
        join(dim, scene.index(outer)[1])
    return _at(dim, argument.run)


def _by_entry(meaning: Meaning, index: Indexed, name: str, dim: Dim) -> Place:
    """Return where u_{w_k} is."""
    typed = _whole(indexed(meaning, index))
    _points_into(meaning.scene, name, dim)
    return _at(dim, typed.run)


def _points_into(scene: Scene, name: str, dim: Dim) -> None:
    """Let an array have places in a dimension as its entries, of which there are enough for different ones."""
    scene.integers[name] = dim
    root = dim.root()
    root.least = max(root.least, 2 * SEQUENCE)


def _by_formula(meaning: Meaning, index: Node, dim: Dim) -> Place:
    """Return where v_{t-1} is."""
    scene = meaning.scene
    for letter in mentioned(index):
        is_bound = scene.scope(letter) is not None
        is_size = not is_bound and letter in scene.facts.usage.bounds
        if not is_size and not (is_bound and scene.index(letter)[1].root().numeric):
            join(dim, scene.index(letter)[1])
    dim.root().sequence = True
    typed = _whole(meaning.of(index))
    if typed.literal:  # n + 1, where n is a size
        dim.root().reach.append(Reach(lambda point: 1, typed.run))
    return _at(dim, typed.run)
