"""Writes names for what they are defined as inside other definitions: sigma(w x + b) is sigma(z)."""

from __future__ import annotations

from dataclasses import replace

from lexigrad.derivations.judging.names import Definition
from lexigrad.derivations.judging.patterns import with_entries
from lexigrad.derivations.judging.steps import Steps
from lexigrad.derivations.reading.tree import (
    Add,
    Derivative,
    Indexed,
    Name,
    Negative,
    Node,
    Number,
    Product,
    Quotient,
    rewritten,
)


def fold(steps: Steps, definitions: dict[str, list[Definition]]) -> None:
    """Write names for what they are defined as inside the definitions of other names."""
    simple = [one for found in definitions.values() for one in found if not one.parameters]
    plain = [
        one for one in simple if not one.indices and not isinstance(one.value, Name | Number | Indexed | Derivative)
    ]
    families = [
        one
        for one in simple
        if one.indices and one.start is None and isinstance(one.value, Product | Add | Negative | Quotient)
    ]
    for found in definitions.values():
        found[:] = [_folded(one, plain, families, steps) for one in found]


def _folded(one: Definition, plain: list[Definition], families: list[Definition], steps: Steps) -> Definition:
    """Return a definition with names for entries of arrays, then with names for what has no indices."""
    for other in families:
        if other.name == one.name or other.section != one.section:
            continue
        if other.name not in steps.names(one.value) and one.name not in steps.names(other.value):
            one = replace(one, value=with_entries(one.value, other))
    inside: dict[Node, Name] = {}
    for other in plain:
        if other.name != one.name and (other.section == one.section or not other.order):
            inside.setdefault(other.value, Name(other.name))
    return one if one.value in inside else replace(one, value=rewritten(one.value, inside.get))
