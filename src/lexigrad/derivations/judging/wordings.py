"""Definitions in words: let $J$ be the value of $CE(y, p)$."""

from __future__ import annotations

import itertools
import re

from lexigrad.derivations.judging.knowledge import Knowledge
from lexigrad.derivations.judging.names import Definition
from lexigrad.derivations.judging.steps import Steps
from lexigrad.derivations.reading.document import Formula
from lexigrad.derivations.reading.tree import Condition, Name, Node, Number, Product

IS = re.compile(
    r"\W*(?:is|be|for|denotes?|stands for|means)\W+"
    r"(?:the |short for )?(?:(?:value|loss|cost|function|vector) )?(?:of |for )?\W*"
)
"""What stands between a name and what it stands for."""

LET = re.compile(r"\b(?:let|where|with|write|and|denote|here)\W*(?:the \w+ )?$", re.IGNORECASE)
"""What stands before such a name."""

VECTOR_OF = re.compile(
    r"\W*(?:is|be|for|denotes?) the vector (?:of|with) (?:all )?(?:the |its )?(?:entries |components |probabilities |elements )?"
)
"""What stands between a name and its entries: "$p$ is the vector of all the $P(w | c)$"."""

LET_REACH = 40
"""Characters before a name that may introduce it."""


def define_in_words(steps: Steps, knowledge: Knowledge) -> None:
    """Take note of definitions in words, of names that have no other one."""
    inline = [formula for formula in steps.document.formulas if not formula.display]
    for one, other in itertools.pairwise(inline):
        lists = VECTOR_OF.fullmatch(one.after) is not None
        names = IS.fullmatch(one.after) is not None and LET.search(one.before[-LET_REACH:]) is not None
        if one.paragraph == other.paragraph and (lists or names):
            _define(steps, knowledge, one, other, lists, names)


def _define(steps: Steps, knowledge: Knowledge, one: Formula, other: Formula, lists: bool, names: bool) -> None:
    """Take one formula as defined by another: as the vector of its values, or as the same."""
    head, value = steps.head(steps.parse_source(one.source)), steps.parse_source(other.source)
    if head is None or head.parameters or knowledge.definitions.get(head.name) or not isinstance(value, Node):
        return
    letters = _letters(steps, value) if lists and not head.indices else set()
    before = max([item.order for item in steps.items if item.step.line <= one.line], default=0)
    if len(letters) == 1:
        knowledge.define(Definition(head.name, tuple(letters), (), value, before + 0.5, one.section))
    elif names and _is_formula(value):
        knowledge.define(Definition(head.name, head.indices, (), value, before + 1, one.section))


def _letters(steps: Steps, value: Node) -> set[str]:
    """Return the letters of a formula that are indices of sums elsewhere."""
    return {part.name for part in value.walk() if isinstance(part, Name) and part.name in steps.usage.bound}


def _is_formula(value: Node) -> bool:
    """Tell whether something is more than a name, a number, a condition or the size of a matrix."""
    if isinstance(value, Name | Number | Condition):
        return False
    return not any(isinstance(part, Product) and part.sign == "times" for part in value.walk())
