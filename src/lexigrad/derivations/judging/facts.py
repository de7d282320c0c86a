"""What is known of a document at one step."""

from __future__ import annotations

from dataclasses import dataclass, field

from lexigrad.derivations.judging.names import Definition, Traits, Usage
from lexigrad.derivations.reading.latex import Symbols
from lexigrad.derivations.reading.tree import Node


@dataclass
class Facts:
    """What is known of a document at one step."""

    usage: Usage
    symbols: Symbols
    definitions: dict[str, list[Definition]]
    traits: dict[str, Traits]
    memory: dict[str, int]
    """Ranks that names have had in this section."""
    order: float
    """The place of the step among all steps."""
    section: int
    hidden: frozenset[int] = frozenset()
    """Orders of definitions that do not count, because they are what is checked."""
    losses: dict[str, list[tuple[Node, Node]]] = field(default_factory=dict)
    """Derivatives that the text gives of quantities it does not define: the variable, and the derivative."""
    orientation: str | None = None
    """Whether vectors are columns ("column") or rows ("row"), where the text says or shows it."""
    rows: frozenset[str] = frozenset()
    """Matrices that prose builds of rows: U of the u_w."""
    columns: frozenset[str] = frozenset()
    """Matrices that prose builds of columns."""
    denominator_layout: bool | None = None
    """Whether entry i, j of a derivative of y by x is that of y_j by x_i, where the text says or shows it."""
    habits: dict[str, int] = field(default_factory=dict)
    """Ranks that names have had anywhere."""
    unread: dict[str, int] = field(default_factory=dict)
    """Names whose definition could not be read, and its line."""
    lengths: dict[str, int] = field(default_factory=dict)
    """How many entries a vector has, where the text writes them all."""
    counters: frozenset[str] = frozenset()
    """Indices over which the text defines something: v_t."""
    count: str | None = None
    """The name of the number of classes."""

    def traits_of(self, name: str) -> Traits:
        """Return what the text assumes of a name."""
        return self.traits.get(name, Traits())

    def definition(self, name: str, arguments: int | None = None) -> Definition | None:
        """Return the definition that is in force: the last one before the step, else the next one in the same section."""
        known = [one for one in self.definitions.get(name, ()) if one.order not in self.hidden]
        if arguments is not None:
            known = [one for one in known if len(one.parameters) in (0, arguments)]
        before = [one for one in known if one.order < self.order <= one.until]
        if before:
            here = [one for one in before if one.section == self.section]
            return (here or before)[-1]
        after = [one for one in known if one.order > self.order and one.section == self.section and not one.conditional]
        return after[0] if after else None
