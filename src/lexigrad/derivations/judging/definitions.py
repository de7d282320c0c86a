"""Which equalities define a name."""

from __future__ import annotations

import re
from dataclasses import replace

from lexigrad.derivations.judging.knowledge import Knowledge
from lexigrad.derivations.judging.names import CONSTANTS, FOREVER, INDEX_LETTERS, Definition
from lexigrad.derivations.judging.steps import Head, Item, Steps, Tree
from lexigrad.derivations.reading.latex import FUNCTIONS
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Derivative, Indexed, Name, Node, Number

CONDITIONAL = re.compile(
    r"\($|\b(?:for|if|when|whenever|case|at|with|setting|set|where|once|as|assuming|assume|suppose|take|unless|only|that|since|because)\W*$",
    re.IGNORECASE,
)
"""What stands before a value that a name has for a while: for $T = 1$."""

SAYS = re.compile(
    r"\b(?:let|define[sd]?|denote|write|where|with|call|put|introduce|abbreviate|now)\b[^.$]*$", re.IGNORECASE
)
"""What makes prose before a formula announce a definition."""

ANNOUNCED = 60
"""Characters before a formula that may announce it as a definition."""


def find_definitions(steps: Steps, knowledge: Knowledge) -> None:
    """Find which steps are definitions, which may be new ones of known names, and which are given."""
    _Finder(steps, knowledge).run()


class _Finder:
    def __init__(self, steps: Steps, knowledge: Knowledge) -> None:
        self.steps = steps
        self.knowledge = knowledge
        self.seen: set[str] = set()
        """Names in the steps so far."""

    def run(self) -> None:
        for item in self.steps.items:
            if item.listed:
                self._look(item)
            if isinstance(item.right, Unreadable):
                self._note_unread(item)
            for side in (item.left, item.right):
                if isinstance(side, Node):
                    self.seen |= self.steps.names(side)

    def _look(self, item: Item) -> None:
        """Find what a step is: its left side is tried first, then its right one."""
        if self._is_start(item):
            item.kind = "definition"
            return
        head = self._left_head(item)
        if head is not None and head.name != head.name.rstrip("'"):
            plain = head.name.rstrip("'")
            if plain in self.steps.symbols.functions and self.knowledge.in_force(plain, item.order) is not None:
                item.sides[item.place] = Unreadable(
                    f"{head.name} is a derivative of {plain}: by what? Write the variable"
                )
                return
        if head is not None and self._is_temporary(item, head):
            item.listed = False
            return
        if head is not None:
            item.kind = self._kind(item, head)
            if item.kind != "check":
                forgotten = item.kind == "definition" and head.name in self.seen
                self._define(item, head, item.right, forgotten)
                return
        right = self.steps.head(item.right)
        if right is not None and isinstance(item.left, Node) and self._is_new(item, right, item.left):
            item.kind = "definition"
            self._define(item, right, item.left, False)
        elif self._is_given(item):
            item.kind = "given"

    def _left_head(self, item: Item) -> Head | None:
        """Return what the left side names, if it may be defined here: not inside a chain, unless as a new function; no known function."""
        head = self.steps.head(item.left)
        if head is None:
            return None
        if item.place and not (head.parameters and self.knowledge.in_force(head.name, item.order) is None):
            return None
        known = head.name in FUNCTIONS.values() and head.name not in self.steps.symbols.functions
        return None if known else head

    def _kind(self, item: Item, head: Head) -> str:
        """Return whether a step is a definition, perhaps one of a name that has another definition elsewhere, or neither."""
        known = self.knowledge.in_force(head.name, item.order)
        if known is not None and head.parameters and len(known.parameters) != len(head.parameters):
            known = None
        own = isinstance(item.right, Node) and head.name in self.steps.names(item.right)
        is_sequence = own and len(head.indices) == 1 and _refers_to_others(item.right, head)
        if item.relation == ":=" or (known is None and (not own or is_sequence)):
            return "definition"
        if (
            not own
            and known is not None
            and (known.section != item.section or SAYS.search(item.formula.before[-ANNOUNCED:]))
        ):
            return "redefinition"
        return "check"

    def _is_new(self, item: Item, right: Head, left: Node) -> bool:
        """Tell whether the right side is a name that has not occurred before: ... = delta."""
        if (
            right.parameters
            or right.name in self.seen
            or right.name in self.steps.names(left)
            or right.name in INDEX_LETTERS | CONSTANTS
        ):
            return False
        return self.knowledge.in_force(right.name, item.order) is None

    def _is_temporary(self, item: Item, head: Head) -> bool:
        """Take "for $T = 1$" as a value on what follows in the paragraph; "for $y_k = 1$" is an assumption."""
        formula = item.formula
        if (
            formula.display
            or head.parameters
            or not isinstance(item.right, Number)
            or not CONDITIONAL.search(formula.before)
        ):
            return False
        if not head.indices:
            orders = [other.order for other in self.steps.items if _follows(other, item)]
            last = max([item.order, *orders])
            self.knowledge.define(
                Definition(head.name, (), (), item.right, item.order, item.section, until=last, conditional=True)
            )
        return True

    def _is_start(self, item: Item) -> bool:
        """Take v_0 = 0 as the start of a sequence."""
        left, right = item.left, item.right
        if (
            item.place
            or not isinstance(right, Node)
            or not isinstance(left, Indexed)
            or not isinstance(left.base, Name)
        ):
            return False
        name = left.base.name
        if (
            len(left.indices) != 1
            or not isinstance(left.indices[0], Number)
            or self.steps.usage.is_label(name, left.indices[0])
        ):
            return False
        own = self.knowledge.in_force(name, item.order)
        if own is not None and (name not in self.steps.names(own.value) or name in self.knowledge.starts):
            return False
        known = self.knowledge.definitions.get(name)
        if known is not None:
            known[:] = [replace(one, start=right) for one in known]
        self.knowledge.starts[name] = right
        return True

    def _define(self, item: Item, head: Head, value: Tree, forgotten: bool) -> None:
        """Take note of a definition; of a name that has been used before it, only to the end of the section."""
        if not isinstance(value, Node):
            return
        until = section_end(self.steps, item.section) if forgotten and not head.parameters else FOREVER
        start = self.knowledge.starts.get(head.name)
        item.definition = Definition(*head, value, item.order, item.section, start, until)
        self.knowledge.define(item.definition)

    def _is_given(self, item: Item) -> bool:
        """Take dJ/dz = ... as what is known of J, where J has no definition."""
        left, right = item.left, item.right
        if item.place or not (
            isinstance(left, Derivative) and isinstance(left.value, Name) and isinstance(right, Node)
        ):
            return False
        name = left.value.name
        if self.knowledge.definitions.get(name) or name in self.steps.usage.arguments or len(left.variables) != 1:
            return False
        mentions = self.steps.names(right)
        if name in mentions or any(isinstance(part, Derivative) for part in right.walk()):
            return False
        known = [self.knowledge.in_force(other, item.order) for other in mentions]
        return not any(one is not None and name in self.steps.names(one.value) for one in known)

    def _note_unread(self, item: Item) -> None:
        """Remember a name whose definition could not be read, so that nothing is said of steps that use it."""
        head = self.steps.head(item.left) if item.place == 0 else None
        if head is None or self.knowledge.definitions.get(head.name):
            return
        earlier = (side for other in self.steps.items if other.order < item.order for side in (other.left, other.right))
        if not any(head.name in self.steps.names(side) for side in earlier if isinstance(side, Node)):
            self.knowledge.unread.setdefault(head.name, item.step.line)


def section_end(steps: Steps, section: int) -> int:
    """Return the last step of a section."""
    return max(item.order for item in steps.items if item.section == section)


def _follows(other: Item, item: Item) -> bool:
    """Tell whether a step stands in the paragraph of another one, or in a display right behind that."""
    paragraph = item.formula.paragraph
    return other.formula.paragraph == paragraph or (other.formula.display and other.formula.paragraph == paragraph + 1)


def _refers_to_others(value: Tree, head: Head) -> bool:
    """Tell whether a definition refers to its own name only at other indices."""
    own = Indexed(Name(head.name), tuple(Name(letter) for letter in head.indices))
    return isinstance(value, Node) and own not in value.walk()
