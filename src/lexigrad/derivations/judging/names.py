"""What a document says about its names: how they are used, what they are defined as, what is assumed of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lexigrad.derivations.reading.dots import INDEX
from lexigrad.derivations.reading.tree import (
    Big,
    Call,
    Condition,
    Derivative,
    Indexed,
    Indicator,
    Name,
    Node,
    Number,
    Transpose,
    rewritten,
)

CONSTANTS = {"ones", "I", "e", "pi"}
"""Names that have a meaning everywhere, unless a text gives them another one."""

INDEX_LETTERS = set("ijklmn")
"""Letters that are indices wherever they stand below a name."""

SCALAR_CAPITALS = set("JLNKTCSDEFRVGHZM")
"""Capitals that customarily name numbers."""

VECTOR_FUNCTIONS = {"softmax", "log_softmax", "logsumexp", "diag"}
"""Functions whose only argument is a vector."""

FOREVER = 10**9
"""Later than any step."""


@dataclass(frozen=True)
class Definition:
    """What a name stands for: `value`, for each value of `indices`, or of the arguments `parameters`."""

    name: str
    indices: tuple[str, ...]
    parameters: tuple[Node, ...]
    value: Node
    order: float
    section: int
    start: Node | None = None
    """The first entry of a sequence that refers to its own earlier entries."""
    until: float = FOREVER
    """The last step for which it holds: "for T = 1" holds in its paragraph."""
    conditional: bool = False
    """Whether it is a condition: for T = 1."""


@dataclass(frozen=True)
class Traits:
    """What is assumed of a name that has no definition."""

    one_hot: bool = False
    hot_index: str | None = None
    """The index at which it is 1, if it is one-hot."""
    sums_to_one: bool = False
    positive: bool = False
    unit_interval: bool = False
    values: tuple[int, ...] = ()
    """All values that its entries may have."""
    symmetric: bool = False
    orthogonal: bool = False
    unit_norm: bool = False
    rank: int | None = None

    def said(self) -> dict[str, Any]:
        """Return what is assumed, without what is left open."""
        return {
            key: value for key, value in vars(self).items() if value is not None and value is not False and value != ()
        }

    def joined(self, other: Traits) -> Traits:
        """Return these traits and others, which count where both say something."""
        return replace(self, **other.said())


@dataclass
class Usage:
    """How a document uses its names."""

    bound: set[str] = field(default_factory=set)
    """Letters over which something is summed, or which are compared as indices."""
    below: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What stands below each name."""
    ranks: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """With how many indices each name is used."""
    ranks_here: dict[tuple[int, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    """The same for each section."""
    bare: set[str] = field(default_factory=set)
    """Names that stand without indices somewhere."""
    turned: set[str] = field(default_factory=set)
    """Names that are transposed somewhere."""
    vectors: set[str] = field(default_factory=set)
    """Arguments of functions of vectors."""
    vectors_here: set[tuple[int, str]] = field(default_factory=set)
    """The same for each section."""
    bounds: set[str] = field(default_factory=set)
    """Names that end ranges: sum_{i=1}^n."""
    denominators: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))
    """By which variables each name is differentiated."""
    arguments: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))
    """First arguments of each function."""
    numbered: set[str] = field(default_factory=set)
    """Names with a number and an index below them: delta_{1,i} is entry i of delta_1."""

    def add(self, node: Node, section: int) -> None:
        """Take note of a formula in a section."""
        if isinstance(node, Name):
            self.bare.add(node.name)
        if isinstance(node, Indexed) and isinstance(node.base, Name):
            self.below[node.base.name] |= {shown(index) for index in node.indices}
            if not all(isinstance(index, Number) for index in node.indices):
                self.ranks[node.base.name].add(len(node.indices))
                self.ranks_here[section, node.base.name].add(len(node.indices))
            if (
                len(node.indices) > 1
                and isinstance(node.indices[0], Number)
                and not isinstance(node.indices[1], Number)
            ):
                self.numbered.add(node.base.name)
            for index in node.indices:
                if not isinstance(index, Name | Number):
                    self.add(index, section)
            return
        if isinstance(node, Big):
            self.bound |= set(node.indices)
            if isinstance(node.upper, Name):
                self.bounds.add(node.upper.name)
            for bound in (node.lower, node.upper):
                if bound is not None and not isinstance(bound, Name):
                    self.bounds |= {part.name for part in bound.walk() if isinstance(part, Name)}
            for part in (node.body, *((node.condition,) if node.condition else ())):
                self.add(part, section)
            return
        if isinstance(node, Condition | Indicator):
            condition = node if isinstance(node, Condition) else node.condition
            for left, relation, right in condition.pairs:
                if relation in ("=", "!=") and isinstance(left, Name) and isinstance(right, Name):
                    self.bound |= {left.name, right.name}
        if isinstance(node, Transpose) and isinstance(node.value, Name):
            self.turned.add(node.value.name)
        if isinstance(node, Call):
            if node.function in VECTOR_FUNCTIONS and len(node.arguments) == 1 and isinstance(node.arguments[0], Name):
                self.vectors.add(node.arguments[0].name)
                self.vectors_here.add((section, node.arguments[0].name))
            if node.arguments:
                self.arguments[node.function].append(node.arguments[0])
        if isinstance(node, Derivative):
            if isinstance(node.value, Name):
                self.denominators[node.value.name] += node.variables
            if isinstance(node.value, Call) and not node.value.primes:
                self.denominators[node.value.function] += node.variables
        for part in node.parts():
            self.add(part, section)

    @property
    def letters(self) -> set[str]:
        """Return all letters that are indices somewhere."""
        below = {
            letter for letters in self.below.values() for letter in letters if len(letter) == 1 and letter.isalpha()
        }
        return (below - self.bare) | (INDEX_LETTERS - set(self.ranks))

    def is_label(self, base: str, index: Node) -> bool:
        """Tell whether what stands below a name makes another name of it: W_1, v_c, x_out."""
        if isinstance(index, Number):
            counted = any(other.isalpha() and self._counts(base, other) for other in self.below[base])
            return base in self.numbered or not (counted or base in self.vectors)
        if isinstance(index, Name):
            return not self._counts(base, index.name)
        return False

    def _counts(self, base: str, letter: str) -> bool:
        """Tell whether a letter below a name is an index."""
        plain = letter.rstrip("'")
        if letter == INDEX:
            return True
        if letter in self.bound or plain in self.bound or plain in INDEX_LETTERS:
            return True
        if len(plain) > 1:
            return False
        if base in self.bare and base[-1:].islower() and plain.islower():
            return True
        return letter in self._varying()

    def _varying(self) -> set[str]:
        """Return the letters that stand below some name beside indices: o, because of u_o beside u_k."""
        found = self.bound | INDEX_LETTERS
        while True:
            more = set()
            for below in self.below.values():
                letters = {one.rstrip("'") for one in below if not one.isdigit()}
                if any(one in found or len(one) > 1 for one in letters):
                    more |= {one for one in below if len(one.rstrip("'")) == 1 and not one.isdigit()}
            if more <= found:
                return found
            found = found | more


def shown(node: Node) -> str:
    """Return a short text of an index."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Indexed):
        return f"{shown(node.base)}[{','.join(shown(index) for index in node.indices)}]"
    return "(" + ",".join(shown(part) for part in node.parts()) + ")"


def mentioned(node: Node) -> Iterable[str]:
    """Yield the names in a formula."""
    for part in node.walk():
        if isinstance(part, Name):
            yield part.name
        elif isinstance(part, Call):
            yield part.function


def joined(node: Indexed, usage: Usage) -> Node:
    """Return W_1 as one name, delta_{1,i} as entry i of delta_1, and x_i as it is."""
    if not isinstance(node.base, Name):
        return node
    base = node.base.name
    labels = [index for index in node.indices if isinstance(index, Name | Number) and usage.is_label(base, index)]
    if len(labels) < len(node.indices) and not isinstance(node.indices[0], Number):
        labels = []
    if not labels:
        return node
    name = Name(f"{base}_{','.join(shown(label) for label in labels)}")
    rest = tuple(index for index in node.indices if index not in labels)
    return Indexed(name, rest) if rest else name


def names_of(node: Node, usage: Usage) -> set[str]:
    """Return the names in a formula, functions among them, labels joined to them."""
    if isinstance(node, Indexed) and isinstance(node.base, Name):
        label = node.base.name
        whole = joined(node, usage)
        base = whole.base if isinstance(whole, Indexed) else whole
        own = {base.name} if isinstance(base, Name) else set()
        return own.union(*(names_of(index, usage) for index in node.indices if not usage.is_label(label, index)))
    own = {node.name} if isinstance(node, Name) else {node.function} if isinstance(node, Call) else set()
    return own.union(*(names_of(part, usage) for part in node.parts()))


def substituted(node: Node, others: Mapping[Node, Node]) -> Node:
    """Return a formula with other parts in the place of some."""
    return rewritten(node, others.get)
