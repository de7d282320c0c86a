"""Whether two sides are equal: under the cheapest reading that fits, at random points."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.facts import Facts
from lexigrad.derivations.judging.meaning import Meaning
from lexigrad.derivations.judging.points import OutOfRange, Point, Run, Typed, join, same_shape
from lexigrad.derivations.judging.readings import Choices, IllTyped, SizesDiffer, readings
from lexigrad.derivations.judging.sampling import REGIMES
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unlinked, Unreadable
from lexigrad.derivations.reading.tree import Condition, Derivative, Node

POINTS = 3
"""Random points at which a step is evaluated, each for several values of its indices."""

MOST_POINTS = 60
"""Random points that are tried where only those count that meet a condition."""

MOST_INDICES = 18
"""Values of the open indices that are looked at."""

CLOSE = 0.75
"""How much more another reading may cost and still be a rival of the first."""

DOUBTFUL = 1.5
"""Cost from which a reading does not count if the most usual one has no meaning."""

MOST_RIVALS = 6
"""Further readings that are looked at where the first one fails."""

ORDER = 7
"""Seed of the order in which values of indices are tried."""

Holds = Callable[[Point], bool]


@dataclass
class Verdict:
    """What comes of the comparison of two sides."""

    verdict: str
    reason: str = ""
    counterexample: dict[str, Any] | None = None
    cost: float = 0.0
    scene: Scene | None = None
    """How the names were read, where the sides are equal."""


def compare(left: Node, right: Node, where: tuple[Condition, ...], facts: Facts) -> Verdict:
    """Return whether two sides are equal where some conditions hold.

    Raises
    ------
    Unlinked : a side is differentiated by something on which nothing seems to depend
    """
    try:
        return _compared(left, right, where, facts, strict=True)
    except SizesDiffer as error:
        # Ranges over one array that end with different names may be a slip, or a mistake that the values show.
        found = _loosely_compared(left, right, where, facts)
        return found if found.verdict == "fails" else Verdict("unread", _shapes(error))
    except IllTyped as error:
        return Verdict("unread", _shapes(error))


def _loosely_compared(left: Node, right: Node, where: tuple[Condition, ...], facts: Facts) -> Verdict:
    try:
        return _compared(left, right, where, facts, strict=False)
    except IllTyped as error:
        return Verdict("unread", _shapes(error))


def _shapes(error: IllTyped) -> str:
    return f"its shapes do not fit: {error}"


def _compared(left: Node, right: Node, where: tuple[Condition, ...], facts: Facts, strict: bool) -> Verdict:
    """Return the verdict on two sides; `strict` where ranges over one array must have one size."""

    def attempt(choices: Choices) -> Comparison:
        comparison = Comparison.of(left, right, where, Scene(facts, choices))
        if strict:
            comparison.scene.fits()
        return comparison

    first: Verdict | None = None
    unread: list[str] = []
    looked = 0
    try:
        for cost, comparison, notes in readings(attempt, unread):
            if first is not None and (cost > first.cost + CLOSE or looked > MOST_RIVALS):
                break
            looked += 1
            if first is None and unread and cost >= DOUBTFUL:
                return Verdict("unread", unread[0], None, cost)
            found = comparison.verdict(cost, notes)
            if found.verdict == "holds":
                if first is not None and first.verdict == "fails":
                    return Verdict("unread", "its notation has several readings; it holds in some of them only")
                return found
            if first is None or (first.verdict == "unread" and found.verdict == "fails"):
                first = found
    except Unlinked:
        raise
    except Unreadable as error:
        return Verdict("unread", str(error))
    assert first is not None
    return first


@dataclass
class Comparison:
    """Two sides under one reading."""

    scene: Scene
    left: Run
    right: Run
    where: list[Holds] = field(default_factory=list)

    @classmethod
    def of(cls, left: Node, right: Node, where: tuple[Condition, ...], scene: Scene) -> Comparison:
        """Return the comparison of two sides; raise `IllTyped` or `Unreadable` if the reading does not fit."""
        meaning = Meaning(scene)
        one, other = meaning.of(left), meaning.of(right)
        runs = _as_diagonals(scene, one, other) if isinstance(left, Derivative) else None
        if runs is None:
            _fit(one, other)
            runs = one.run, other.run
        return cls(scene, *runs, [meaning.condition(part) for part in where])

    def verdict(self, cost: float, notes: list[str]) -> Verdict:
        """Return whether the sides are equal at all points that are tried."""
        try:
            counterexample = self._counterexample()
        except Unreadable as error:
            return Verdict("unread", str(error), None, cost)
        reason = "; ".join(dict.fromkeys(notes))
        if counterexample is None:
            return Verdict("holds", reason, None, cost, self.scene)
        return Verdict("fails", reason, counterexample, cost)

    def _counterexample(self) -> dict[str, Any] | None:
        """Return a point at which the sides differ, or None if there is none among many."""
        problem = ""
        for regime in REGIMES:
            try:
                return self._look(regime)
            except ZeroDivisionError:
                problem = "a division by 0"
            except ArithmeticError as error:
                problem = str(error)
        raise Unreadable(f"no random point at which it could be evaluated: {problem}")

    def _look(self, regime: str) -> dict[str, Any] | None:
        """Look for a counterexample among numbers of one kind."""
        seen = 0
        for trial in range(MOST_POINTS if self.where else POINTS):
            if self.where and seen >= POINTS * MOST_INDICES // 2:
                break
            here = 0
            self.scene.settle(trial)
            combinations = self.scene.open_indices()
            random.Random(ORDER).shuffle(combinations)
            for index in combinations:
                if here >= MOST_INDICES:
                    break
                point = self.scene.point(f"{trial}", regime, index)
                try:
                    if not all(holds(point) for holds in self.where):
                        continue
                    x, y = self.left(point), self.right(point)
                except OutOfRange:
                    continue
                here += 1
                if _differ(x, y):
                    return self._described(point, x, y)
            seen += here
        if not seen:
            raise Unreadable("no values of its indices at which it could be evaluated")
        return None

    def _described(self, point: Point, x: Any, y: Any) -> dict[str, Any]:
        """Return a counterexample as plain data."""
        scene = self.scene
        values = {name: _shown(point.value(name)) for name in scene.free if name in point.cache}
        values |= {letter: point.index[key] for letter, (key, _) in scene.open.items()}
        values |= {name: dim.size for name, dim in scene.sized.items()}
        return {"point": values, "left": _shown(x), "right": _shown(y)}


def _fit(one: Typed, other: Typed) -> None:
    """Join the axes of two sides, which must be as many, unless one is a number as it is written: ... = 0."""
    if one.rank == other.rank:
        same_shape(one, other)
        return
    small = one if one.rank < other.rank else other
    if small.rank or not small.literal:
        raise IllTyped(f"{one.rank} axes on the left, {other.rank} on the right")


def _as_diagonals(scene: Scene, one: Typed, other: Typed) -> tuple[Run, Run] | None:
    """Return how a vector is compared with a Jacobian, whose diagonal it is; None for other shapes."""
    if {one.rank, other.rank} != {1, 2}:
        return None
    scene.choices.pay(3.0)
    scene.choices.notes.append("a vector beside a matrix was read as its diagonal")
    small, large = (one, other) if one.rank == 1 else (other, one)
    join(large.dims[0], large.dims[1])
    join(large.dims[0], small.dims[0])
    return _diagonal(one), _diagonal(other)


def _diagonal(side: Typed) -> Run:
    """Return a vector as a diagonal matrix, and a matrix as it is."""
    return side.run if side.rank > 1 else lambda point: numbers.diagonal(side.run(point))


def _differ(x: Any, y: Any) -> bool:
    difference = numbers.size(x - y)
    scale = max(mp.mpf(1), numbers.size(x), numbers.size(y))
    return bool(difference > scale * mp.mpf(numbers.TOLERANCE))


def _shown(value: Any) -> Any:
    """Return numbers with six digits, as lists for arrays."""
    if isinstance(value, np.ndarray):
        return [_shown(part) for part in value]
    return float(f"{float(value):.6g}")
