"""Points at which formulas are evaluated, the dimensions of what stands in them, and formulas whose shape is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mpmath import mp

from lexigrad.derivations.judging.readings import IllTyped, SizesDiffer
from lexigrad.derivations.reading.raw import Unreadable

if TYPE_CHECKING:
    from lexigrad.derivations.judging.scene import Scene

Run = Callable[["Point"], Any]
"""How a value is computed at a point."""


@dataclass(frozen=True)
class Reach:
    """The first and last value of a range, and the name of its size, if it has one: sum_{i=1}^n."""

    first: Run
    last: Run
    label: str = ""
    key: str = ""
    condition: Callable[[Point], bool] | None = None
    """What else is asked of its index: j != 0."""


class Dim:
    """How many entries an index has; dimensions that must be equal are joined."""

    def __init__(self, fixed: int | None = None) -> None:
        self.parent: Dim | None = None
        """The dimension that it has been joined to."""
        self.least = 1
        """Entries that it needs at least: x_3 needs three."""
        self.fixed = fixed
        """Its size, where that is known."""
        self.origin = 1
        """The value of the index at its first entry."""
        self.numeric = False
        """Whether its index is a number first, with first and last values of its own."""
        self.sequence = False
        """Whether its entries are referred to by their neighbours: v_{t-1}."""
        self.reach: list[Reach] = []
        """The ranges that run over it: sum_{i=1}^{2m} x_i."""
        self.size = 0
        """Its size at the points that are being looked at."""

    def root(self) -> Dim:
        """Return the dimension that stands for all that are joined with this one."""
        dim = self
        while dim.parent is not None:
            dim = dim.parent
        return dim


def join(one: Dim, other: Dim) -> None:
    """Make two dimensions the same, or find that they cannot be."""
    a, b = one.root(), other.root()
    if a is b:
        return
    if a.fixed is not None and b.fixed is not None and a.fixed != b.fixed:
        raise SizesDiffer(f"{a.fixed} entries beside {b.fixed}")
    b.parent = a
    a.least = max(a.least, b.least)
    a.fixed = a.fixed if a.fixed is not None else b.fixed
    a.origin = min(a.origin, b.origin)
    a.sequence = a.sequence or b.sequence
    a.reach += b.reach


Axes = list[tuple[str, Dim]]
"""The indices of an array: their keys and dimensions."""


class OutOfRange(Exception):  # noqa: N818 - ends the look at one value of an index
    """An index points outside its array."""


@dataclass
class Point:
    """A random point: values of the free names, and of the indices that stand open."""

    scene: Scene
    seed: str
    regime: str
    index: dict[str, int]
    given: dict[str, Any] = field(default_factory=dict)
    """Values that replace those of names, while a derivative is taken."""
    shift: dict[str, Any] = field(default_factory=dict)
    """By how much arguments of functions are moved, while a derivative is taken."""
    cache: dict[str, Any] = field(default_factory=dict)
    """Values that have been computed."""
    partial: dict[str, dict[int, Any]] = field(default_factory=dict)
    """Entries so far of the sequences that are being computed."""
    base: Point | None = None
    """The point that it was moved from, where names without a definition have their values."""

    def number(self, key: str) -> Any:
        """Return the value of an index."""
        if key not in self.index:
            raise Unreadable("an index outside the sum that it belongs to")
        return mp.mpf(self.index[key])

    def value(self, name: str) -> Any:
        """Return what a name stands for, as a number or an array."""
        if name in self.given:
            return self.given[name]
        if name not in self.cache:
            self.cache[name] = self.scene.compute[name](self)
        return self.cache[name]

    def at(self, key: str, value: int) -> Point:
        """Return the point with a value for an index."""
        return Point(
            self.scene,
            self.seed,
            self.regime,
            {**self.index, key: value},
            self.given,
            self.shift,
            self.cache,
            self.partial,
            self.base,
        )

    def moved(self, name: str, value: Any) -> Point:
        """Return the point with another value for a name; all that depends on it follows."""
        self.scene.spend()
        return Point(
            self.scene,
            self.seed,
            self.regime,
            self.index,
            {**self.given, name: value},
            self.shift,
            {},
            {},
            self.base or self,
        )

    def shifted(self, key: str, by: Any) -> Point:
        """Return the point with an argument moved."""
        return Point(
            self.scene,
            self.seed,
            self.regime,
            self.index,
            self.given,
            {**self.shift, key: by},
            {},
            {},
            self.base or self,
        )


@dataclass
class Typed:
    """A formula whose shape is known: its axes, and its value at a point."""

    dims: tuple[Dim, ...]
    run: Run
    turned: bool = False
    """Whether it is a vector that is transposed."""
    literal: bool = False
    """Whether it is made of written numbers, constants and sizes only."""
    name: str = ""
    """Its name, if it is one; "entry" if it is a part of one."""
    integers: str = ""
    """The name of the array that it is an entry of."""

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.dims)


def shape_of(dims: Sequence[Dim]) -> tuple[int, ...]:
    """Return the shape of an array."""
    return tuple(dim.root().size for dim in dims)


def each_entry(axes: Axes, point: Point) -> Iterator[tuple[tuple[int, ...], Point]]:
    """Yield each place in an array, with the point at which the indices are there."""
    roots = [dim.root() for _, dim in axes]
    for places in itertools.product(*(range(root.size) for root in roots)):
        inner = point
        for (key, _), root, place in zip(axes, roots, places, strict=True):
            inner = inner.at(key, place + root.origin)
        yield places, inner


def same_shape(one: Typed, other: Typed) -> None:
    """Make the axes of two formulas the same, or find that they cannot be."""
    if one.rank != other.rank:
        raise IllTyped("shapes that differ")
    for a, b in zip(one.dims, other.dims, strict=True):
        join(a, b)
