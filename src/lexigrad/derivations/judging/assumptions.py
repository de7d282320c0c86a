"""What each section of a document assumes of its names."""

from __future__ import annotations

import re
from dataclasses import replace

from lexigrad.derivations.judging.names import Traits, joined
from lexigrad.derivations.judging.sayings import traits_in
from lexigrad.derivations.judging.steps import Steps
from lexigrad.derivations.reading.tree import Indexed, Name

PIECES = re.compile(r"\\in\b|=|>|\\ge|,")
"""What separates names in a formula that says something of them."""

BASE = re.compile(r"((?:\\\w+\s*)?\{?[A-Za-z]\}?)_\{?\w")
"""A name with something below it."""

TARGETS = ("y", "t", "q")
"""Names that labels customarily have, the most usual first."""

LABELS_SUM_TO_ONE = re.compile(
    r"(?:labels?|targets?|weights|entries of \$y\$|components|probabilities)(?: \$[^$]*\$)? (?:(?!not\b)\w+ ){0,3}"
    r"(?:sums?|add(?:s)?(?: up)?) to (?:1\b|one\b|\$1\$)"
)
"""The labels sum to 1."""

ONE_HOT = re.compile(r"(?<!not )(?<!than )one[- ]hot")
"""Something is one-hot, nobody says what."""

SIGNED_LABELS = re.compile(
    r"labels? (?:is|are) (?:now |either |in |all )*\$?\\?\{?\+?1\$?(?: or| and|,) ?\$?-1"
    r"|labels? (?:is|are) (?:now )?\$?-1\$? (?:or|and) \$?\+?1|labels? \$?\\pm"
)
"""The labels are +1 or -1."""

BINARY_LABELS = re.compile(
    r"(?:labels?|targets?) (?:is|are) (?:now |either |in |all )*\$?[01]\$? (?:or|and) \$?[01]\b|binary (?:labels?|targets?)"
)
"""The labels are 0 or 1."""

NOUN = r"(?:class|label|word|category|index|position|place|entry|component|dimension|element|coordinate|one|target)"

HOT_INDEX = tuple(
    re.compile(pattern.replace("NOUN", NOUN))
    for pattern in (
        # "$k$ is the index of its only 1"
        r"\$(\w)\$ (?:is|denotes|be|for|as|marks) (?:the )?NOUN of (?:its|the|that) (?:only |single )?"
        r"(?:1|one|nonzero|non-zero|hot|true|correct|right|target)",
        # "one-hot with a 1 at position $k$"
        r"one[- ]hot (?:\w+ |\$\w\$ ){0,4}(?:of|for|at|with|in|representing|encoding) (?:the |its |a |single |1 |one |\$1\$ ){0,5}"
        r"(?:\w+ ){0,4}(?:\$(\w)\$|\b([b-z])\b(?![$'-]))",
        # "the $k$-th entry is one"
        r"(?:\$(\w)\$|\b(\w))-th NOUN[^.]{0,40}(?:is|equals|equal to|being) (?:the )?(?:only )?(?:one|1|\$1\$)",
        # "the correct class is $k$"
        r"(?:correct|true|target|right|gold|observed|actual) NOUN(?: (?:is|be|has index|index|number))? \$(\w)\$",
        # "$k$ is the true class"
        r"\$(\w)\$ (?:is|be|denotes?|for|as) the (?:index of the )?(?:correct|true|target|right|gold|observed|actual) NOUN",
        # "1 at position $k$"
        r"(?:1|one|\$1\$) (?:is )?(?:at|in) (?:the )?(?:NOUN )?\$(\w)\$",
        # "the word that really occurred is $o$"
        r"(?:really )?(?:occurs|occurred|observed|correct|true) (?:\w+ )?(?:is|was) \$(\w)\$",
    )
)
"""How prose names the index of the 1 in a one-hot vector."""


def names_by_source(steps: Steps) -> dict[str, str]:
    """Return which pieces of LaTeX stand for a name; "x[]" is that of the entries or rows x_i."""
    found: dict[str, str] = {}
    for formula in steps.document.formulas:
        source = formula.source.strip().rstrip(".,;")
        for piece in (source, *PIECES.split(source), *BASE.findall(source)):
            node = steps.parse_source(piece.strip())
            if isinstance(node, Name):
                found[piece.strip()] = node.name
            elif isinstance(node, Indexed) and isinstance(node.base, Name):
                whole = joined(node, steps.usage)
                found[piece.strip()] = whole.name if isinstance(whole, Name) else f"{node.base.name}[]"
    return found


def assumptions(steps: Steps, name_of: dict[str, str]) -> list[dict[str, Traits]]:
    """Return what is assumed of each name in each section: what its prose and that of earlier ones says."""
    sections = steps.document.sections
    said = [traits_in(prose, name_of) for prose in sections]
    return [_assumed(steps, said[: last + 1], sections[: last + 1]) for last in range(len(sections))]


def _assumed(steps: Steps, said: list[dict[str, Traits]], sections: list[str]) -> dict[str, Traits]:
    found: dict[str, Traits] = {}
    for one in said:
        for name, traits in one.items():
            found[name] = found.get(name, Traits()).joined(traits)
    for name, traits in list(found.items()):
        if name.endswith("[]") and replace(traits, rank=None).said():
            base = name.removesuffix("[]")
            found[base] = found.get(base, Traits()).joined(replace(traits, rank=None))
    target = next((name for name in TARGETS if steps.usage.ranks.get(name) or name in steps.usage.bare), None)
    if target is not None:
        _note_labels(steps, target, " ".join(" ".join(sections).split()).lower(), found)
    return found


def _note_labels(steps: Steps, name: str, prose: str, found: dict[str, Traits]) -> None:
    """Take assumptions about "the labels" and "the true class k" as being about y."""
    traits = found.get(name, Traits())
    if LABELS_SUM_TO_ONE.search(prose):
        traits = replace(traits, sums_to_one=True)
    if ONE_HOT.search(prose) and not any(other.one_hot for other in found.values()):
        traits = replace(traits, one_hot=True)
    if SIGNED_LABELS.search(prose):
        traits = replace(traits, values=(-1, 1))
    if BINARY_LABELS.search(prose):
        traits = replace(traits, values=(0, 1))
    if traits.one_hot and not traits.hot_index:
        traits = replace(traits, hot_index=_hot_index(steps, prose))
    if traits != Traits():
        found[name] = traits


def _hot_index(steps: Steps, prose: str) -> str | None:
    """Return the index at which a one-hot vector has its 1, where prose names it."""
    for pattern in HOT_INDEX:
        for match in pattern.finditer(prose):
            letter = next((part for part in match.groups() if part), None)
            if letter in steps.below:
                return letter
    return None
