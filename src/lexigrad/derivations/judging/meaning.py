"""From the tree of a formula to its shape and its value, under one reading of the notation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lexigrad.derivations.judging import calculus, calls, cases, entries, products, quantities, sums
from lexigrad.derivations.judging.points import Point, Typed
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import (
    Add,
    Array,
    Bars,
    Big,
    Call,
    Cases,
    Condition,
    Derivative,
    Indexed,
    Indicator,
    Listing,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Transpose,
)


class Meaning:
    """Gives formulas their meaning in a scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def of(self, node: Node) -> Typed:
        """Return the shape and the value of a formula."""
        for kind in type(node).__mro__:
            if kind in MEANINGS:
                return MEANINGS[kind](self, node)
        raise Unreadable("something that has no value where a value is expected")

    def condition(self, node: Condition) -> Callable[[Point], bool]:
        """Return whether a condition holds, as a function of the point."""
        return cases.condition(self, node)


MEANINGS: dict[type, Callable[[Meaning, Any], Typed]] = {
    Number: quantities.number,
    Name: quantities.named,
    Indexed: entries.indexed,
    Negative: products.negative,
    Add: products.add,
    Product: products.product,
    Quotient: products.quotient,
    Power: products.power,
    Transpose: products.transpose,
    Call: calls.call,
    Big: sums.big,
    Listing: sums.listing,
    Derivative: calculus.derivative,
    Bars: cases.bars,
    Array: cases.array,
    Cases: cases.cases,
    Indicator: cases.indicator,
}
"""What gives each kind of formula its meaning."""
