"""Passes that rewrite the sides of a document before they are judged, where one name stands for two things or none for one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from lexigrad.derivations.judging.names import INDEX_LETTERS, Definition
from lexigrad.derivations.judging.steps import Steps
from lexigrad.derivations.reading.parse import UNSAID
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Add, Big, Derivative, Indexed, Name, Node, Product, rewritten

SAMPLES = re.compile(r"negatives\b|negative (?:sampl|word|vector|example|draw|one)|noise|\\notin", re.IGNORECASE)
"""What makes prose speak of samples beside a true word."""

OUTSIDE = re.compile(r"\b([a-z])\s*\\notin\b")
"""A letter that is none of those over which something is summed."""

FAMILY = "\u2022"
"""What is added to a name with indices to tell it from the same name without."""


def say_gradients(steps: Steps) -> None:
    """Give gradients without a variable the one that all other gradients of the text have."""
    unsaid = Name(UNSAID)
    derivatives = [part for node in steps.nodes() for part in node.walk() if isinstance(part, Derivative)]
    variables = {variable for part in derivatives if part.gradient for variable in part.variables}
    if unsaid not in variables:
        return
    said = variables - {unsaid}
    if len(said) == 1:
        (variable,) = said
        steps.rewrite(lambda part: variable if part == unsaid else None)
        return
    error = Unreadable("a derivative without the variable that it is for")
    for _, sides in steps.sides:
        sides[:] = [error if isinstance(side, Node) and unsaid in side.walk() else side for side in sides]


def name_variables(steps: Steps) -> list[Definition]:
    """Give a product by which something is differentiated a name: d E / d (a h); return their definitions."""
    named: dict[Node, Name] = {}
    for node in steps.nodes():
        for part in node.walk():
            if isinstance(part, Derivative):
                for variable in part.variables:
                    if isinstance(variable, Product | Add):
                        named.setdefault(variable, Name(f"variable {len(named) + 1}"))
    if named:
        steps.rewrite(named.get)
    return [Definition(name.name, (), (), value, 0, 0) for value, name in named.items()]


def separate_samples(steps: Steps) -> None:
    """Make u_o a name of its own where u_k are samples drawn beside it: o is none of 1, ..., K."""
    for section, prose in enumerate(steps.document.sections):
        if SAMPLES.search(prose):
            apart = _letters_apart(steps.nodes(section), set(OUTSIDE.findall(prose)))
            steps.rewrite(_joining(apart), section)


def _letters_apart(nodes: list[Node], outside: set[str]) -> dict[str, set[str]]:
    """Return, for names of which some entries are samples, the letters that stand for none of these."""
    bigs = [part for node in nodes for part in node.walk() if isinstance(part, Big)]
    drawn = {letter for big in bigs for letter in big.indices if big.upper is not None}
    bound = {letter for big in bigs for letter in big.indices} | INDEX_LETTERS
    below: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for base, letter in _single_indices(node):
            below[base].add(letter)
    return {
        base: {letter for letter in (letters - bound) | (letters & outside) if len(letter) == 1}
        for base, letters in below.items()
        if letters & drawn
    }


def _single_indices(node: Node) -> Iterator[tuple[str, str]]:
    """Yield each name with a single index, and that: u and k for u_k, and for u_{w_k}."""
    for part in node.walk():
        if isinstance(part, Indexed) and isinstance(part.base, Name) and len(part.indices) == 1:
            index = part.indices[0]
            if isinstance(index, Indexed) and len(index.indices) == 1:
                index = index.indices[0]
            if isinstance(index, Name):
                yield part.base.name, index.name


def _joining(apart: dict[str, set[str]]) -> Callable[[Node], Node | None]:
    """Return the change that makes u_o one name, for some names and letters."""

    def change(node: Node) -> Node | None:
        if not (isinstance(node, Indexed) and isinstance(node.base, Name) and isinstance(node.indices[0], Name)):
            return None
        letter = node.indices[0].name
        if letter not in apart.get(node.base.name, ()):
            return None
        name = Name(f"{node.base.name}_{letter}")
        return Indexed(name, node.indices[1:]) if node.indices[1:] else name

    return change


def rename_arrays(steps: Steps) -> None:
    """Tell k_j, entries of an array, from the index k of a sum."""
    both = set(steps.usage.ranks) & steps.usage.bound
    if both:
        _rename(steps, both)


def rename_families(steps: Steps) -> None:
    """Make eta_t another name than eta, where eta_t is defined from eta."""
    for item in steps.items:
        head = steps.head(item.left) if item.place == 0 else None
        if head is None or len(head.indices) != 1 or not isinstance(item.right, Node) or head.name.endswith(FAMILY):
            continue
        if Name(head.name) in _outside_indices(item.right):
            _rename(steps, {head.name})


def _rename(steps: Steps, names: set[str]) -> None:
    """Give some names another one wherever they have indices."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Indexed) and isinstance(node.base, Name) and node.base.name in names:
            return Indexed(Name(node.base.name + FAMILY), tuple(rewritten(index, change) for index in node.indices))
        return None

    steps.rewrite(change)
    steps.note_usage()


def _outside_indices(node: Node) -> Iterator[Node]:
    """Yield the parts of a formula without names that have indices."""
    if isinstance(node, Indexed) and isinstance(node.base, Name):
        return
    yield node
    for part in node.parts():
        yield from _outside_indices(part)
