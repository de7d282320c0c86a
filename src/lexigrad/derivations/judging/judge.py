"""The judge of a document: each step holds, fails, defines a name, or could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from mpmath import mp

from lexigrad.derivations.judging import numbers, renaming
from lexigrad.derivations.judging.assumptions import assumptions, names_by_source
from lexigrad.derivations.judging.comparison import Verdict, compare
from lexigrad.derivations.judging.conventions import conventions
from lexigrad.derivations.judging.definitions import find_definitions, section_end
from lexigrad.derivations.judging.facts import Facts
from lexigrad.derivations.judging.folding import fold
from lexigrad.derivations.judging.knowledge import Knowledge
from lexigrad.derivations.judging.meaning import Meaning
from lexigrad.derivations.judging.names import CONSTANTS, Definition, substituted
from lexigrad.derivations.judging.quantities import defined
from lexigrad.derivations.judging.readings import Choices, IllTyped, readings
from lexigrad.derivations.judging.restrictions import note_conditions
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.judging.steps import Item, Step, Steps, is_variable
from lexigrad.derivations.judging.wordings import define_in_words
from lexigrad.derivations.reading.document import Document, read
from lexigrad.derivations.reading.latex import FUNCTIONS
from lexigrad.derivations.reading.raw import Unlinked, Unreadable
from lexigrad.derivations.reading.tree import Add, Call, Condition, Derivative, Indexed, Name, Node, Number, Product

SOLVED = re.compile(
    r"\b(?:set(?:ting)?|solv\w+|optim\w+|minim\w+|maxim\w+|vanish\w*|stationary|zero|require|root)\b", re.IGNORECASE
)
"""What makes "... = 0" an equation to be solved."""

SOLVED_REACH = 160
"""Characters before a formula that may say so."""

MOST_LINKS = 3
"""How often a step is read anew because a name was found to stand for parts of definitions."""

PLAIN_COST = 1.5
"""What a reading may cost at most under which a part of a definition is taken for the value of a name."""


def judge(text: str, on_step: Callable[[int, int], None] | None = None) -> list[Step]:
    """Return the steps of a Markdown text with their verdicts."""
    with mp.workdps(numbers.WORKING_DIGITS):
        return _Judge(read(text)).verdicts(on_step)


def prepared(document: Document) -> Knowledge:
    """Return the steps of a document and what it says of its names, before any step is judged."""
    steps = Steps(document)
    knowledge = Knowledge(steps)
    renaming.say_gradients(steps)
    for definition in renaming.name_variables(steps):
        knowledge.define(definition)
    renaming.separate_samples(steps)
    steps.note_usage()
    renaming.rename_arrays(steps)
    name_of = names_by_source(steps)
    note_conditions(steps)
    knowledge.traits = assumptions(steps, name_of)
    renaming.rename_families(steps)
    find_definitions(steps, knowledge)
    define_in_words(steps, knowledge)
    fold(steps, knowledge.definitions)
    knowledge.conventions = conventions(steps)
    steps.symbols.not_identity = "not the identity" in " ".join(document.sections).lower()
    return knowledge


class _Judge:
    def __init__(self, document: Document) -> None:
        self.knowledge = prepared(document)
        self.steps = self.knowledge.steps
        self.linked: set[str] = set()
        """Names that have been written for parts of definitions that have their value."""

    def verdicts(self, on_step: Callable[[int, int], None] | None) -> list[Step]:
        """Judge all steps in order."""
        listed = [item for item in self.steps.items if item.listed]
        for number, item in enumerate(listed, 1):
            self._judge(item)
            if on_step is not None:
                on_step(number, len(listed))
        return [item.step for item in listed]

    def _judge(self, item: Item) -> None:
        """Give a step its verdict, and learn from it."""
        step = item.step
        try:
            left, right = item.trees()
        except Unreadable as error:
            is_value = item.kind == "definition" and not isinstance(item.left, Unreadable)
            step.verdict, step.reason = "unread", f"the right side: {error}" if is_value else str(error)
            return
        if item.kind == "definition":
            step.verdict = "definition"
            self._learn_shape(item)
            return
        if item.kind == "given" and (loss := self._unknown_loss(item, left)):
            name, variable = loss
            if self.knowledge.losses.get(name):
                found = self._checked(item, left, right)
                if found.verdict != "unread":
                    step.verdict, step.reason, step.counterexample = found.verdict, found.reason, found.counterexample
                    return
            self.knowledge.losses.setdefault(name, []).append((variable, right))
            step.reason = f"{name} is not defined, so its derivative cannot be checked; taken as given from here on"
            return
        found = self._checked(item, left, right)
        if item.kind == "redefinition":
            if found.verdict != "holds":
                step.verdict = "definition"
                self._learn_shape(item)
                return
            self._end_redefinition(item)
        found = self._reconsidered(item, left, right, found)
        step.verdict, step.reason, step.counterexample = found.verdict, found.reason, found.counterexample

    def _unknown_loss(self, item: Item, left: Node) -> tuple[str, Node] | None:
        """Return the name whose derivative a step gives, if it has no definition, and the variable."""
        assert isinstance(left, Derivative)
        assert isinstance(left.value, Name)
        name = left.value.name
        return None if self.knowledge.facts(item).definition(name) is not None else (name, left.variables[0])

    def _reconsidered(self, item: Item, left: Node, right: Node, found: Verdict) -> Verdict:
        """Return the verdict that a step gets in view of the text around it."""
        if found.verdict == "fails":
            if right == Number("0") and SOLVED.search(item.formula.before[-SOLVED_REACH:]):
                return Verdict("unread", "an equation to be solved, not an identity")
            if new := self._unheard(item, left, right) or self._unknown_function(left, right):
                return Verdict("unread", f"what {new} is, no formula says")
        if found.verdict == "holds" and item.place == 0 and self._restates(left, right):
            return Verdict("definition", "; ".join(filter(None, ("the usual meaning", found.reason))))
        return found

    # Comparing.

    def _checked(self, item: Item, left: Node, right: Node) -> Verdict:
        """Check a step; where it differentiates by something on which nothing seems to depend, look for its value under another form."""
        hidden = frozenset({item.order}) if item.kind == "redefinition" else frozenset()
        for _ in range(MOST_LINKS):
            try:
                return self._compared(left, right, item.where, self.knowledge.facts(item, hidden))
            except Unlinked as error:
                if not self._link(item, error.name):
                    return Verdict("unread", str(error))
        return Verdict("unread", "a derivative by something on which nothing depends")

    def _compared(self, left: Node, right: Node, where: tuple[Condition, ...], facts: Facts) -> Verdict:
        """Compare two sides; where they are equal, remember how names were read."""
        found = compare(left, right, where, facts)
        if found.scene is not None:
            self.knowledge.remember(found.scene, facts.section)
        return found

    def _link(self, item: Item, name: str) -> bool:
        """Write a name for parts of definitions that have its value: softmax(U v) is softmax(z) where z_w is u_w . v."""
        facts = self.knowledge.facts(item)
        own = facts.definition(name)
        if own is None or name in self.linked:
            return False
        self.linked.add(name)
        changed = False
        for other, found in list(self.knowledge.definitions.items()):
            for place, one in enumerate(found):
                if other != name and (one.section == own.section or one.order <= item.order):
                    linked = self._linked(one, name, facts)
                    changed = changed or linked != one
                    found[place] = linked
        return changed

    def _linked(self, definition: Definition, name: str, facts: Facts) -> Definition:
        """Return a definition with a name for the parts of it that have its value."""
        value = definition.value
        parts = {part for part in value.walk() if isinstance(part, Product | Add | Indexed) and part != value}
        equal: dict[Node, Node] = {part: Name(name) for part in parts if self._has_value(part, name, facts)}
        return replace(definition, value=substituted(value, equal)) if equal else definition

    def _has_value(self, part: Node, name: str, facts: Facts) -> bool:
        if name in self.steps.names(part):
            return False
        try:
            found = self._compared(part, Name(name), (), facts)
        except Unlinked:
            return False
        return found.verdict == "holds" and found.cost < PLAIN_COST

    # Learning.

    def _learn_shape(self, item: Item) -> None:
        """Remember the ranks of names from a definition that can be read."""
        definition = item.definition
        if definition is None:
            return
        facts = replace(self.knowledge.facts(item), order=item.order + 1)

        def attempt(choices: Choices) -> Scene:
            scene = Scene(facts, choices)
            defined(Meaning(scene), definition)
            return scene

        try:
            _, scene, _ = next(readings(attempt))
        except (IllTyped, Unreadable):
            return
        for name, rank in scene.ranks.items():
            if rank or not isinstance(
                definition.value, Derivative
            ):  # of a derivative, that a name may be a number says little
                self.knowledge.ranks.setdefault(name, (rank, item.section))

    def _end_redefinition(self, item: Item) -> None:
        """Let a new definition that says the same as the one before hold in its section only."""
        if item.definition is not None:
            found, end = self.knowledge.definitions[item.definition.name], section_end(self.steps, item.section)
            found[:] = [replace(one, until=end) if one.order == item.order else one for one in found]

    # What a step that fails may have left unsaid.

    def _unheard(self, item: Item, left: Node, right: Node) -> str:
        """Return a name on the right that stands in no formula before and has no definition."""
        usage, names, count = self.steps.usage, self.steps.names, self.knowledge.conventions.count
        known = names(left) | self.steps.below | set(FUNCTIONS.values()) | usage.bounds | CONSTANTS | {count}
        known |= set(self.knowledge.facts(item).traits)
        for other in self.steps.items:
            for side in (other.left, other.right):
                if other.order < item.order and isinstance(side, Node):
                    known |= names(side)
        for found in self.knowledge.definitions.values():
            for one in found:
                known |= names(one.value)
        facts = self.knowledge.facts(item)
        ranked = set(usage.ranks)
        new = {
            name
            for name in names(right) - known
            if facts.definition(name) is None
            and name.upper() not in usage.bare - {name}
            and name.lower() not in ranked - {name}
        }
        return min(new, default="")

    def _unknown_function(self, left: Node, right: Node) -> str:
        """Return a function without a definition that stands on one side only."""
        one, other = self._reached(left), self._reached(right)
        functions, definitions = self.steps.symbols.functions, self.knowledge.definitions
        return min((name for name in one ^ other if name in functions and not definitions.get(name)), default="")

    def _reached(self, node: Node) -> set[str]:
        """Return the names in a formula and in all that they stand for."""
        found: set[str] = set()
        names = self.steps.names(node)
        while names - found:
            found |= names
            values = [one.value for name in names for one in self.knowledge.definitions.get(name, ())]
            names = set().union(*map(self.steps.names, values))
        return found

    def _restates(self, left: Node, right: Node) -> bool:
        """Tell whether a side is a known function of a plain variable: sigma(x), softmax(x)_i."""
        if isinstance(left, Indexed):
            left = left.base
        if not isinstance(left, Call) or left.primes or left.function in self.knowledge.definitions:
            return False
        if any(isinstance(part, Call) and part.function == left.function for part in right.walk()):
            return False
        return all(is_variable(part) for part in left.arguments)
