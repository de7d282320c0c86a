"""Finds what a name stands for inside other formulas: n_j^T h inside log sigma(tau_j n_j^T h), where a_j = n_j^T h."""

from __future__ import annotations

from dataclasses import fields
from functools import reduce

from lexigrad.derivations.judging.names import Definition
from lexigrad.derivations.reading.tree import Indexed, Name, Node, Product, rewritten


def with_entries(node: Node, definition: Definition) -> Node:
    """Return a formula in which entries of a defined array stand for what they are defined as."""
    factors = _factors(definition.value)

    def change(part: Node) -> Node | None:
        bound = _match(definition.value, part, definition.indices)
        if bound is not None:
            return _entry(definition, bound)
        if isinstance(part, Product) and not part.sign and len(factors) > 1:
            return _among(_factors(part), factors, definition)
        return None

    return rewritten(node, change)


def _among(own: list[Node], factors: list[Node], definition: Definition) -> Node | None:
    """Return the product of factors in which those of the definition, side by side, are replaced by the entry."""
    for start in range(len(own) - len(factors) + 1):
        bound = _match(tuple(factors), tuple(own[start : start + len(factors)]), definition.indices)
        if bound is not None and len(bound) == len(definition.indices):
            rest = [*own[:start], _entry(definition, bound), *own[start + len(factors) :]]
            return reduce(lambda left, right: Product(left, right, ""), rest)
    return None


def _entry(definition: Definition, bound: dict[str, Node]) -> Node:
    return Indexed(Name(definition.name), tuple(bound[letter] for letter in definition.indices))


def _factors(node: Node) -> list[Node]:
    """Return the factors of a product without signs."""
    if isinstance(node, Product) and not node.sign:
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _match(
    pattern: object, node: object, letters: tuple[str, ...], bound: dict[str, Node] | None = None
) -> dict[str, Node] | None:
    """Return what the letters of a pattern stand for in a formula, or None if it is not of that form."""
    found = dict(bound or {})
    if isinstance(pattern, Name) and pattern.name in letters:
        return found if isinstance(node, Node) and found.setdefault(pattern.name, node) == node else None
    if type(pattern) is not type(node):
        return None
    if not isinstance(pattern, Node | tuple):
        return found if pattern == node else None
    ours, theirs = _values(pattern), _values(node)
    if len(ours) != len(theirs):
        return None
    for one, other in zip(ours, theirs, strict=True):
        step = _match(one, other, letters, found)
        if step is None:
            return None
        found = step
    return found


def _values(whole: object) -> tuple[object, ...]:
    """Return what a node or a tuple consists of."""
    if isinstance(whole, Node):
        return tuple(getattr(whole, field.name) for field in fields(whole))
    return whole if isinstance(whole, tuple) else ()
