"""What is known of a document while its steps are judged; it grows with each step."""

from __future__ import annotations

from dataclasses import replace

from lexigrad.derivations.judging.conventions import Conventions
from lexigrad.derivations.judging.facts import Facts
from lexigrad.derivations.judging.names import Definition, Traits
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.judging.steps import Item, Steps
from lexigrad.derivations.reading.tree import Node


class Knowledge:
    """What is known of a document."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.definitions: dict[str, list[Definition]] = {}
        self.starts: dict[str, Node] = {}
        """First entries of sequences, v_0 = 0, that stand before the rule for the others."""
        self.unread: dict[str, int] = {}
        """Names whose definition could not be read, and its line."""
        self.losses: dict[str, list[tuple[Node, Node]]] = {}
        """Derivatives that are taken as given."""
        self.ranks: dict[str, tuple[int, int]] = {}
        """Ranks that names have had, and in which section."""
        self.traits: list[dict[str, Traits]] = []
        """What each section assumes of names."""
        self.conventions = Conventions()

    def define(self, definition: Definition) -> None:
        """Take note of a definition."""
        self.definitions.setdefault(definition.name, []).append(definition)

    def in_force(self, name: str, order: int) -> Definition | None:
        """Return the last definition of a name before a step."""
        before = [one for one in self.definitions.get(name, ()) if one.order < order <= one.until]
        return before[-1] if before else None

    def remember(self, scene: Scene, section: int) -> None:
        """Remember how names and notation were read where a step holds."""
        for name, rank in scene.ranks.items():
            self.ranks[name] = (rank, section)
        if scene.layout is not None:
            self.conventions = replace(self.conventions, denominator_layout=scene.layout)
        if scene.known_orientation is not None:
            self.conventions = replace(self.conventions, orientation=scene.known_orientation)

    def facts(self, item: Item, hidden: frozenset[int] = frozenset()) -> Facts:
        """Return what is known at a step, without the definitions that are hidden."""
        section, conventions = item.section, self.conventions
        here = [one for found in self.definitions.values() for one in found if one.section == section]
        return Facts(
            usage=self.steps.usage,
            symbols=self.steps.symbols,
            definitions=self.definitions,
            traits=self.traits[min(section, len(self.traits) - 1)],
            memory={name: rank for name, (rank, own) in self.ranks.items() if own == section},
            habits={name: rank for name, (rank, _) in self.ranks.items()},
            order=item.order,
            section=section,
            hidden=hidden,
            losses=self.losses,
            orientation=conventions.orientation,
            rows=conventions.rows,
            columns=conventions.columns,
            denominator_layout=conventions.denominator_layout,
            unread=self.unread,
            lengths=conventions.lengths,
            count=conventions.count,
            counters=frozenset(letter for one in here for letter in one.indices),
        )
