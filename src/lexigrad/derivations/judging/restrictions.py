r"""Conditions that prose states beside formulas, and which steps they restrict: for $i \ne j$."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from itertools import zip_longest

from lexigrad.derivations.judging.steps import Item, Steps
from lexigrad.derivations.reading.document import Formula
from lexigrad.derivations.reading.latex import condition
from lexigrad.derivations.reading.raw import Unreadable, raw_tokens
from lexigrad.derivations.reading.tree import Condition, Name, Node, Number

CASE = re.compile(
    r"(?:\b(?:for|if|when|whenever|case|where|with|assume|assuming|suppose|since|because|provided|unless|and|or|say)\b|\()"
    r"[^.;$]{0,40}$",
    re.IGNORECASE,
)
"""What stands before a condition."""

EXPLAINED = re.compile(r"(?:\b[01]|\$[01]\$|\bone|\bzero)\W*(?:if|when|for|where)\W*$", re.IGNORECASE)
"""What stands before one that is part of an explanation: "1 if $i = j$, else 0"."""

ELSE = re.compile(r"\W*(?:else|otherwise|and (?:\$?0|zero))\b", re.IGNORECASE)
"""What stands behind such a one."""

INLINE = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)")
"""A formula in prose."""

PLAIN = re.compile(r"\b(?:for|if|when|case)\s+(([a-z])\s*(?:=|≠|!=)\s*([a-z]))\b(?![^$]*\$[^$]*$)", re.IGNORECASE)
"""A condition that is no formula: for i = j."""

TRAILING = re.compile(
    r"[\s,]*(?:for|if|when|whenever|where|with|provided|provided that|for all|for every)\W*", re.IGNORECASE
)
"""What stands between a formula and a condition on it: $a = b$ for $i \\ne j$."""

CLAIM = re.compile(rf"\$[^$]*=[^$]*\${TRAILING.pattern}$", re.IGNORECASE)
"""A formula whose condition comes behind it."""

BETWEEN = re.compile(r"\W*(?:and|or)?\W*")
"""What stands between conditions that hold together."""

WHOLE = re.compile(
    r"\b(?:in general|general|generally|always|all|any|every|each|arbitrary|whole|together|both|otherwise|altogether|anyway)\b",
    re.IGNORECASE,
)
"""What ends a condition that stood before."""


def note_conditions(steps: Steps) -> None:
    """Find equalities that are conditions and no steps, and the conditions under which each step is said to hold."""
    for item in steps.items:
        if item.chain.where:
            with suppress(Unreadable):
                item.where += (condition(list(item.chain.where), steps.symbols),)
        if len(item.chain.relations) == 1 and _is_condition(steps, item):
            item.listed = False
    held: tuple[Condition, ...] = ()
    of: dict[int, list[Item]] = defaultdict(list)
    for item in steps.items:
        of[id(item.formula)].append(item)
    formulas = steps.document.formulas
    for formula, following in zip_longest(formulas, formulas[1:]):
        text = formula.lead if formula.display else formula.before
        found = _stated(steps, text)
        if formula.display:
            if not found and (not text.strip() or text.strip()[:1].islower()):
                found = held
            held = found
        found += _trailing(steps, formula, following)
        for item in of[id(formula)]:
            item.where += found


def _trailing(steps: Steps, formula: Formula, following: Formula | None) -> tuple[Condition, ...]:
    r"""Return the condition that stands directly behind a formula: $a = b$ for $i \ne j$."""
    if following is None or following.display or not TRAILING.fullmatch(formula.after):
        return ()
    stated = _condition(steps, following.source, formula.after)
    return (stated,) if stated is not None else ()


def _is_condition(steps: Steps, item: Item) -> bool:
    r"""Tell whether an equality is about indices: $i = j$, $i = 1, \dots, n$."""
    left, right = item.left, item.right
    if isinstance(left, Node) and isinstance(right, Node):
        return steps.is_index_like(left) and steps.is_index_like(right)
    return (
        isinstance(left, Name) and steps.is_index_like(left) and ("dots" in item.step.right or ".." in item.step.right)
    )


def _stated(steps: Steps, text: str) -> tuple[Condition, ...]:
    r"""Return the last conditions that prose states: "for $i \ne j$", "for i = k"."""
    found: list[tuple[int, int, Condition]] = []
    for match in INLINE.finditer(text):
        before, behind = text[: match.start()], text[match.end() :]
        stated = _condition(steps, match.group(1) or match.group(2), before)
        if stated is not None and not EXPLAINED.search(before) and not ELSE.match(behind) and not CLAIM.search(before):
            found.append((match.start(), match.end(), stated))
    for match in PLAIN.finditer(text):
        stated = _condition(steps, match.group(1).replace("!=", "\\ne "), text[: match.start(1)])
        if stated is not None:
            found.append((match.start(), match.end(), stated))
    found.sort(key=lambda one: one[0])
    kept = [one for one in found[-1:] if not WHOLE.search(text[one[1] :])]
    for one in reversed(found[:-1] if kept else []):
        if not BETWEEN.fullmatch(text[one[1] : kept[0][0]]):
            break
        kept.insert(0, one)
    return tuple(stated for _, _, stated in kept)


def _condition(steps: Steps, source: str, before: str) -> Condition | None:
    """Return the condition that a formula states behind some prose, if it is one on what follows."""
    try:
        found = condition(raw_tokens(source.strip().rstrip(".,;:")), steps.symbols)
    except Unreadable:
        return None
    relations = {relation for _, relation, _ in found.pairs}
    lefts, rights = [left for left, _, _ in found.pairs], [right for _, _, right in found.pairs]
    if not found.pairs or relations & {"in", "not in"} or all(isinstance(left, Number) for left in lefts):
        return None
    if all(steps.is_index_like(side) for side in (*lefts, *rights)):
        if relations == {"!="}:
            return found
        if relations == {"="} and any(isinstance(right, Number) for right in rights):
            return None
    elif "=" in relations:
        return None
    if relations == {"!="} and all(isinstance(right, Number) for right in rights):
        return None
    return found if CASE.search(before) else None
