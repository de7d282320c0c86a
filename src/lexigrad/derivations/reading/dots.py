"""Sums and products whose middle is left out: x_1 + x_2 + ... + x_n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import (
    Add,
    Array,
    Big,
    Call,
    Dots,
    Listing,
    Name,
    Node,
    Number,
    Product,
    rewritten,
)

INDEX = "\u2026"
"""The index of a sum that is written with dots."""


def without_dots(node: Node) -> Node:
    """Return a formula in which x_1 + ... + x_n is a sum over an index."""
    if not any(isinstance(part, Dots) for part in node.walk()):
        return node
    return rewritten(node, _change)


def _change(node: Node) -> Node | None:
    if isinstance(node, Dots):
        raise Unreadable("dots stand for terms that are not written out")
    if isinstance(node, Call) and _has_dots(node.arguments):
        return Call(node.function, (_listing(node.arguments),), node.primes, node.base)
    if isinstance(node, Array) and len(node.rows) == 1 and _has_dots(node.rows[0]):
        return _listing(node.rows[0])
    if isinstance(node, Add | Product):
        terms = _terms(node, type(node))
        return _folded(terms, type(node)) if _has_dots(terms) else None
    return None


def _has_dots(nodes: Sequence[Node]) -> bool:
    return any(isinstance(node, Dots) for node in nodes)


def _listing(entries: Sequence[Node]) -> Node:
    """Return the vector of entries of which those in the middle are left out."""
    found = _counted(entries[:-2], entries[-1]) if len(entries) > 2 and isinstance(entries[-2], Dots) else None
    if found is None:
        raise Unreadable("dots between entries of which the last is not of the first one's form")
    return Listing(INDEX, *found)


def _terms(node: Node, kind: type[Add | Product]) -> list[Node]:
    """Return the terms of a sum, or the factors of a product."""
    if isinstance(node, Add | Product) and isinstance(node, kind) and not (isinstance(node, Add) and node.sign < 0):
        return [*_terms(node.left, kind), *_terms(node.right, kind)]
    return [node]


def _folded(terms: list[Node], kind: type[Add | Product]) -> Node:
    """Return the sum or product of terms of which those in the middle are left out, and of what stands beside them."""
    place = next(k for k, term in enumerate(terms) if isinstance(term, Dots))
    if place == 0 or place + 1 >= len(terms):
        raise Unreadable("dots without a first and a last term")
    last = without_dots(terms[place + 1])
    for start in range(place):
        found = _counted(terms[start:place], last)
        if found is not None:
            first, end, body = found
            if any(_has_form(term, last, body) for term in terms[:start]):
                break
            folded: Node = Big("sum" if kind is Add else "product", (INDEX,), first, end, None, body)
            for term in reversed(terms[:start]):
                folded = _joined(term, folded, kind)
            for term in terms[place + 2 :]:
                folded = _joined(folded, term, kind)
            return without_dots(folded)
    raise Unreadable("dots between terms of which the last is not of the first one's form")


def _joined(left: Node, right: Node, kind: type[Add | Product]) -> Node:
    return Add(left, right, 1) if kind is Add else Product(left, right, "")


def _counted(terms: Sequence[Node], last: Node) -> tuple[Number, Node, Node] | None:
    """Return the first value, the last and the term with an index, if the terms before the dots count on by one."""
    found = _pattern(terms[0], last) if terms else None
    if found is None:
        return None
    first, _, body = found
    for step, term in enumerate(terms[1:], 1):
        if _pattern(terms[0], term) != (first, Number(str(int(first.text) + step)), body):
            return None
    return found


def _has_form(term: Node, last: Node, body: Node) -> bool:
    """Tell whether a term has the form of those with dots between them, so that it is one that does not count on."""
    found = _pattern(term, last)
    return found is not None and found[2] == body


def _pattern(first: Node, last: Node) -> tuple[Number, Node, Node] | None:
    """Return what changes from one term to the other, and the term with an index in its place."""
    changes: set[tuple[Number, Node]] = set()
    body = _merged(first, last, changes)
    if body is None or len(changes) != 1:
        return None
    ((start, end),) = changes
    return start, end, body


# Two terms that differ in one number, wherever it stands, are one term with an index in its place.


def _merged(one: Node, other: Node, changes: set[tuple[Number, Node]]) -> Node | None:
    if one == other:
        return one
    if isinstance(one, Number) and one.text.isdigit():
        changes.add((one, other))
        return Name(INDEX)
    if type(one) is not type(other):
        return None
    values = {}
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        merged = _merged_values(left, right, changes)
        if merged is None and (left is not None or right is not None):
            return None
        values[field.name] = merged
    return type(one)(**values)


def _merged_values(left: object, right: object, changes: set[tuple[Number, Node]]) -> object:
    if isinstance(left, Node) and isinstance(right, Node):
        return _merged(left, right, changes)
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        parts = [_merged_values(one, other, changes) for one, other in zip(left, right, strict=True)]
        return None if any(part is None for part in parts) else tuple(parts)
    return left if left == right else None
