"""What the names in one step are, under one reading, and their values at a random point."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from lexigrad.derivations.judging import ranks
from lexigrad.derivations.judging.facts import Facts
from lexigrad.derivations.judging.names import SCALAR_CAPITALS, Definition
from lexigrad.derivations.judging.points import (
    Axes,
    Dim,
    OutOfRange,
    Point,
    Reach,
    Run,
    Typed,
    each_entry,
    join,
    shape_of,
)
from lexigrad.derivations.judging.readings import Choices, IllTyped, SizesDiffer
from lexigrad.derivations.judging.sampling import sample
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Node

SIZES = (3, 4, 2, 5, 6, 7, 8)
"""Sizes of the dimensions of a step, all different."""

LARGER = range(9, 60)
"""Sizes for steps with more dimensions."""

SEQUENCE = 7
"""Least length of a sequence that is referred to by its neighbours: v_{t-1}."""

MOST_WORK = 60_000
"""Evaluations of a formula, and terms of sums, that a step may ask for."""


class Scene:
    """The names of one step under one reading."""

    def __init__(self, facts: Facts, choices: Choices) -> None:
        self.facts = facts
        self.choices = choices
        self.names: dict[str, Typed] = {}
        """Names that have been met, with or without a definition."""
        self.free: dict[str, Typed] = {}
        """Names without a definition."""
        self.compute: dict[str, Run] = {}
        """How the value of each name is found at a point."""
        self.scopes: list[dict[str, tuple[str, Dim]]] = [{}]
        """Indices of the sums that stand around, each with its key and its dimension, the innermost last."""
        self.parameters: list[dict[str, Typed]] = [{}]
        """Arguments of the functions that are being applied, by the names of their parameters, the innermost last."""
        self.open: dict[str, tuple[str, Dim]] = {}
        """Indices that stand for every value."""
        self.sized: dict[str, Dim] = {}
        """Dimensions whose size has a name: n in sum_{i=1}^n."""
        self.all: list[Dim] = []
        self.building: list[Definition] = []
        """Definitions in which we are."""
        self.starts: dict[str, Typed] = {}
        """First entries of sequences, where the text gives them."""
        self.integers: dict[str, Dim] = {}
        """Arrays of indices, and the dimension in which these point: w in u_{w_k}."""
        self.ranks: dict[str, int] = {}
        """How many axes names without a definition have."""
        self.reach: dict[str, Reach] = {}
        """Ranges by the keys of their indices."""
        self.links: dict[str, tuple[str, bool]] = {}
        """Families of vectors that are rows of a matrix, or columns."""
        self.count = itertools.count()
        """For keys that are all different."""
        self.spent = 0
        """Work so far."""
        self.known_orientation = facts.orientation
        """Whether vectors are columns or rows; None until it matters."""
        self.layout = facts.denominator_layout
        """Whether derivatives are in denominator layout; None until it matters."""

    def spend(self, work: int = 1) -> None:
        """Count work, and give up where a step asks for too much of it."""
        self.spent += work
        if self.spent > MOST_WORK:
            raise Unreadable("it asks for more arithmetic than a step is given")

    def dim(self, fixed: int | None = None) -> Dim:
        """Return a new dimension, with a size that is known or not."""
        dim = Dim(fixed)
        self.all.append(dim)
        return dim

    def orientation(self) -> str:
        """Return whether vectors are columns or rows."""
        if self.known_orientation is None:
            self.known_orientation = self.choices.choose([("column", 0.0), ("row", 0.8)])
        return self.known_orientation

    # Indices.

    def scope(self, letter: str) -> tuple[str, Dim] | None:
        """Return the key and the dimension of an index that is bound here."""
        for scope in reversed(self.scopes):
            if letter in scope:
                return scope[letter]
        return None

    def bind(self, letter: str, dim: Dim) -> str:
        """Open a scope for an index; returns its key."""
        key = f"{letter}#{next(self.count)}"
        self.scopes.append({letter: (key, dim)})
        return key

    def unbind(self) -> None:
        """Close the scope that was opened last."""
        self.scopes.pop()

    def index(self, letter: str) -> tuple[str, Dim]:
        """Return an index by its letter: one that is bound, or one that stands for every value."""
        found = self.scope(letter)
        if found is None:
            found = self.open.get(letter)
        if found is None:
            found = self.open[letter] = (f"{letter}#open", self.dim())
        return found

    def tie(self, dim: Dim, letter: str) -> None:
        """Let an index run over a dimension."""
        key, own = self.index(letter)
        if key in self.reach:
            dim.root().reach.append(self.reach[key])
        elif not own.root().numeric and not dim.root().numeric:
            join(dim, own)

    def size_of(self, name: str) -> Dim:
        """Return the dimension whose size has a name."""
        if name not in self.sized:
            self.sized[name] = Dim()
        return self.sized[name]

    # Names without a definition.

    def free_name(self, name: str, indices: int) -> Typed:
        """Return a name that stands for anything, with a rank that fits its use."""
        if name in self.free:
            return self.free[name]
        if name in self.facts.unread:
            raise Unreadable(f"what {name} is, on line {self.facts.unread[name]}, could not be read")
        rank = self.choices.choose(ranks.options(self.facts, name, indices))
        return self._make_free(name, rank)

    def _make_free(self, name: str, rank: int) -> Typed:
        """Return a name as an array of random numbers, or as rows of one: u, whose u_w are those of U."""
        self.ranks[name] = rank
        large = name.upper()
        is_row = (
            rank == 2
            and len(name) == 1
            and name.islower()
            and large in self.facts.usage.bare
            and self._is_matrix(large)
        )
        typed = self.free[name] = self._row_of(name, large) if is_row else self._array(name, rank)
        return typed

    def _array(self, name: str, rank: int) -> Typed:
        """Return a name with axes of its own, and random values."""
        dims = tuple(self._axis(name) for _ in range(rank))
        self.compute[name] = lambda point: sample(self, name, dims, point)
        traits = self.facts.traits_of(name)
        if traits.hot_index and rank == 1 and self.scope(traits.hot_index) is None:
            join(dims[0], self.index(traits.hot_index)[1])
        if traits.symmetric or traits.orthogonal:
            if rank != 2:
                raise IllTyped(f"{name} is a matrix")
            join(*dims)
        return Typed(dims, lambda point: point.value(name), name=name)

    def _axis(self, name: str) -> Dim:
        """Return the dimension of an array: from 0 on if the text counts so, as long as the text says."""
        dim = self.dim(fixed=self.facts.lengths.get(name))
        if "0" in self.facts.usage.below[name]:
            dim.origin = 0
        return dim

    def _is_matrix(self, large: str) -> bool:
        """Tell whether a capital may be the matrix of a family of vectors."""
        if self.facts.definition(large) is not None:
            return False
        if large in self.free:
            return self.free[large].rank == 2
        return large in self.facts.usage.turned or large not in SCALAR_CAPITALS or self.facts.memory.get(large) == 2

    def _row_of(self, name: str, large: str) -> Typed:
        """Return u, whose u_w are the rows or the columns of U."""
        matrix = self.free.get(large) or self._make_free(large, 2)
        if matrix.rank != 2:
            raise IllTyped(f"{large} is not a matrix")
        by_columns = self.choices.choose(self._rows_or_columns(large)) == "columns"
        self.links[name] = (large, by_columns)
        self.compute[name] = lambda point: point.value(large).T if by_columns else point.value(large)
        return Typed(matrix.dims[::-1] if by_columns else matrix.dims, lambda point: point.value(name), name=name)

    def _rows_or_columns(self, large: str) -> list[tuple[str, float]]:
        """Return whether a family of vectors is the rows or the columns of its matrix, with what each costs."""
        if large in self.facts.rows:
            return [("rows", 0.0), ("columns", 2.0)]
        if large in self.facts.columns:
            return [("columns", 0.0), ("rows", 2.0)]
        return [("rows", 0.0), ("columns", 0.4)]

    # Sizes and values.

    def settle(self, trial: int = 0) -> None:
        """Give every size a value: different ones unless dimensions are joined, and others in each trial."""
        turned = (*SIZES[trial % 3 :], *SIZES[: trial % 3], *LARGER)
        roots = list(dict.fromkeys(dim.root() for dim in self.all))
        taken = {root.fixed for root in roots if root.fixed is not None}
        supply = iter([size for size in turned if size not in taken])
        for size in self.sized.values():
            size.size = next(supply)
        for root in roots:
            if root.fixed is not None:
                root.size = root.fixed
            elif root.reach:
                root.size = self._reached(root)
            elif root.sequence:
                root.size = max(SEQUENCE, root.least)
            else:
                root.size = root.least if root.least > 2 else next(supply)

    def _reached(self, dim: Dim) -> int:
        """Return the size of a dimension over which ranges run."""
        point = self.point("", "positive", {})
        dim.origin = min(dim.origin, 1) if dim.origin >= 0 else 1
        last = 0
        for reach in dim.reach:
            try:
                dim.origin = min(dim.origin, int(reach.first(point)))
                last = max(last, int(reach.last(point)))
            except (Unreadable, ArithmeticError, OutOfRange):
                continue
        if not last:
            return max(SEQUENCE, dim.least)
        return max(last, dim.least) - dim.origin + 1

    def fits(self) -> None:
        """Raise `SizesDiffer` if ranges with sizes of different names run over one dimension."""
        for dim in self.all:
            labels = {reach.label for reach in dim.root().reach if reach.label}
            if len(labels) > 1:
                raise SizesDiffer(" entries beside ".join(sorted(labels)))

    def point(self, seed: str, regime: str, index: dict[str, int]) -> Point:
        """Return a random point."""
        return Point(self, seed, regime, index)

    def open_indices(self) -> list[dict[str, int]]:
        """Return all values that the open indices can take together."""
        letters = list(self.open.values())
        ranges = [self._values(dim.root()) for _, dim in letters]
        return [dict(zip((key for key, _ in letters), values, strict=True)) for values in itertools.product(*ranges)]

    def _values(self, dim: Dim) -> list[int]:
        """Return the values of an index: those that the sums over it have."""
        values = list(range(dim.origin, dim.origin + dim.size))
        for reach in dim.reach:
            if reach.condition is not None:
                point = self.point("", "positive", {})
                try:
                    values = [value for value in values if reach.condition(point.at(reach.key, value))]
                except Unreadable:  # it depends on other indices
                    continue
        return values

    # Names with a definition.

    def build(self, definition: Definition, elaborate: Callable[[Node], Typed]) -> Typed:
        """Return what a definition stands for as an array over its indices."""
        name = definition.name
        outer = self.scopes, self.parameters
        self.scopes, self.parameters = [{}], [{}]
        self.building.append(definition)
        try:
            axes = [self.axis(letter, self._axis(name)) for letter in definition.indices]
            body = elaborate(definition.value)
        finally:
            self.scopes, self.parameters = outer
            self.building.pop()
        self.compute[name] = lambda point: self._entries(definition, axes, body, point)
        dims = (*(dim for _, dim in axes), *body.dims)
        return Typed(dims, lambda point: point.value(name), turned=body.turned and not axes, name=name)

    def axis(self, letter: str, dim: Dim) -> tuple[str, Dim]:
        """Open a scope for the index of an array; returns its key and its dimension."""
        return self.bind(letter, dim), dim

    def _entries(self, definition: Definition, axes: Axes, body: Typed, point: Point) -> Any:
        """Return the array of what a definition says for each value of its indices."""
        if not axes:
            return body.run(point)
        array = np.empty(shape_of([*(dim for _, dim in axes), *body.dims]), object)
        for places, inner in each_entry(axes, point):
            try:
                value = body.run(inner)
            except OutOfRange:
                value = self._start(definition, body, point, places)
            array[places] = value
            point.partial.setdefault(definition.name, {})[places[0]] = value
        return array

    def _start(self, definition: Definition, body: Typed, point: Point, places: tuple[int, ...]) -> Any:
        """Return the first entry of a sequence: as the text gives it, or anything."""
        if definition.start is not None and definition.name in self.starts and places[0] == 0:
            return self.starts[definition.name].run(point)
        origin = point.base or point
        key = f"{definition.name} at {places}"
        if key not in origin.cache:
            elsewhere = Point(self, f"{origin.seed} {places}", origin.regime, {})
            origin.cache[key] = sample(self, definition.name, body.dims, elsewhere)
        return origin.cache[key]
