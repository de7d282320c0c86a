"""The steps of a document, with the trees of their sides."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lexigrad.derivations.judging.names import INDEX_LETTERS, Definition, Usage, joined, names_of
from lexigrad.derivations.reading.document import Chain, Document, Formula, chains
from lexigrad.derivations.reading.parse import parse
from lexigrad.derivations.reading.raw import Raw, Unreadable, raw_tokens
from lexigrad.derivations.reading.symbols import symbols_of
from lexigrad.derivations.reading.tree import Call, Condition, Indexed, Name, Node, Number, rewritten

Tree = Node | Unreadable
"""A formula, or why it could not be read."""


@dataclass
class Step:
    """One equality of a document and the verdict on it."""

    line: int
    left: str
    right: str
    verdict: str = "unread"
    reason: str = ""
    counterexample: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return dict(vars(self))


@dataclass
class Item:
    """A step with its trees."""

    step: Step
    chain: Chain
    sides: list[Tree]
    """All sides of its chain."""
    place: int
    """Which relation of the chain it is."""
    order: int
    """Which relation of the document it is, from 1."""
    relation: str = "="
    kind: str = "check"
    """What it is besides: "check", "definition", "redefinition" or "given"."""
    where: tuple[Condition, ...] = ()
    """Conditions under which it is said to hold."""
    listed: bool = True
    """Whether it is a step, and not a condition on others."""
    definition: Definition | None = None

    @property
    def left(self) -> Tree:
        """Return the left side."""
        return self.sides[self.place]

    @property
    def right(self) -> Tree:
        """Return the right side."""
        return self.sides[self.place + 1]

    @property
    def formula(self) -> Formula:
        """Return the formula in which it stands."""
        return self.chain.formula

    @property
    def section(self) -> int:
        """Return the number of its section."""
        return self.chain.formula.section

    def trees(self) -> tuple[Node, Node]:
        """Return both sides, or raise why one could not be read."""
        left, right = self.left, self.right
        if isinstance(left, Unreadable):
            raise left
        if isinstance(right, Unreadable):
            raise right
        return left, right


class Head(NamedTuple):
    """What can be defined: a name, alone, with indices or with arguments."""

    name: str
    indices: tuple[str, ...] = ()
    parameters: tuple[Node, ...] = ()


class Steps:
    """The steps of a document; what is done to prepare them may rewrite their sides."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.symbols = symbols_of(document)
        self.items: list[Item] = []
        self.sides: list[tuple[int, list[Tree]]] = []
        """The sides of each chain that says something, and its section."""
        self.usage = Usage()
        self.below: set[str] = set()
        """All that stands below names."""
        orders = itertools.count(1)
        for formula in document.formulas:
            self._read(formula, orders)

    def _read(self, formula: Formula, orders: itertools.count[int]) -> None:
        try:
            found = list(chains(formula))
        except Unreadable as error:
            self._whole_unread(formula, error, orders)
            return
        for chain in found:
            sides = [self.parse(side.tokens) for side in chain.sides]
            if "=" in chain.relations or not all(isinstance(side, Name) for side in sides):
                self.sides.append((formula.section, sides))
            for place, relation in enumerate(chain.relations):
                order = next(orders)
                if relation in ("=", ":="):
                    step = Step(chain.lines[place], chain.sides[place].text, chain.sides[place + 1].text)
                    self.items.append(Item(step, chain, sides, place, order, relation))

    def _whole_unread(self, formula: Formula, error: Unreadable, orders: itertools.count[int]) -> None:
        """Take each equals sign of a formula that could not be read as a step."""
        parts = formula.source.split("=")
        for k, part in enumerate(parts[1:], 1):
            before = "=".join(parts[:k])
            line = formula.line + before.count("\n")
            step = Step(line, " ".join(before.split()), " ".join(part.split()), reason=str(error))
            self.items.append(Item(step, Chain((), (), (), formula), [error, error], 0, next(orders)))

    def parse(self, tokens: Sequence[Raw]) -> Tree:
        """Return the tree of a formula, or why it could not be read."""
        try:
            return parse(tokens, self.symbols)
        except Unreadable as error:
            return error

    def parse_source(self, source: str) -> Tree:
        """Return the tree of a formula from its LaTeX."""
        try:
            return self.parse(raw_tokens(source))
        except Unreadable as error:
            return error

    # Rewriting.

    def nodes(self, section: int | None = None) -> list[Node]:
        """Return all sides that could be read, of one section or of all."""
        return [side for own, sides in self.sides if section in (None, own) for side in sides if isinstance(side, Node)]

    def rewrite(self, change: Callable[[Node], Node | None], section: int | None = None) -> None:
        """Replace parts of all sides, as `tree.rewritten` does, in one section or in all."""
        for own, sides in self.sides:
            if section in (None, own):
                sides[:] = [rewritten(side, change) if isinstance(side, Node) else side for side in sides]

    def note_usage(self) -> None:
        """Learn how names are used in the sides as they are now."""
        self.usage = Usage()
        for section, sides in self.sides:
            for side in sides:
                if isinstance(side, Node):
                    self.usage.add(side, section)
        self.below = set().union(*self.usage.below.values())

    # Names.

    def names(self, node: Node) -> set[str]:
        """Return the names in a formula."""
        return names_of(node, self.usage)

    def is_index_like(self, node: Tree) -> bool:
        """Tell whether something may be the value of an index: a number, or a letter that is used as one."""
        if isinstance(node, Name):
            letters = INDEX_LETTERS | self.usage.bound | self.below
            return node.name in letters and node.name not in self.usage.ranks
        return isinstance(node, Number)

    def head(self, node: Tree) -> Head | None:
        """Return what a side names, if it is of a form that can be defined."""
        if isinstance(node, Name):
            return Head(node.name)
        if isinstance(node, Indexed):
            return self._indexed_head(node)
        if isinstance(node, Call) and not node.primes and node.base is None and all(map(is_variable, node.arguments)):
            return Head(node.function, (), node.arguments) if node.function in self.symbols.functions else None
        return None

    def _indexed_head(self, node: Indexed) -> Head | None:
        whole = joined(node, self.usage)
        if isinstance(whole, Name):
            return Head(whole.name)
        assert isinstance(whole, Indexed)
        letters = tuple(index.name for index in whole.indices if isinstance(index, Name))
        if len(letters) < len(whole.indices):
            return None
        if isinstance(whole.base, Name):
            return Head(whole.base.name, letters) if len(set(letters)) == len(letters) else None
        inner = self.head(whole.base) if isinstance(whole.base, Call) else None
        return Head(inner.name, letters, inner.parameters) if inner is not None else None


def is_variable(node: Node) -> bool:
    """Tell whether something is a name, alone or with indices."""
    return isinstance(node, Name) or (isinstance(node, Indexed) and isinstance(node.base, Name))
