"""Conditions on indices and numbers, as cases and indicators have them."""

from __future__ import annotations

from collections.abc import Sequence

from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.notation import RELATIONS, UPRIGHT, written
from lexigrad.derivations.reading.raw import Raw, Unreadable, closing, split
from lexigrad.derivations.reading.reader import tree
from lexigrad.derivations.reading.tree import Condition, Node

OTHERWISE = ("otherwise", "else", "{sonst}")
"""Words of the case that holds where no other does."""

Pair = tuple[Node, str, Node]


def condition(tokens: Sequence[Raw], symbols: Symbols) -> Condition:
    """Return a condition: i = j, "if x > 0", "otherwise"."""
    if any(word in written(tokens).lower() for word in OTHERWISE):
        return Condition((), otherwise=True)
    plain = without_punctuation(_without_words(tokens))
    while len(plain) > 1 and plain[0].text == "(" and closing(plain, 0) == len(plain) - 1:
        plain = plain[1:-1]
    pairs: list[Pair] = []
    for _, part in split(plain, {",", "\\land", "\\wedge"}):
        sides, relations = comparison(part)
        if not relations:
            raise Unreadable("a condition without a comparison")
        pairs += compared([tree(side, symbols) for side in sides], relations)
    return Condition(tuple(pairs))


def comparison(tokens: Sequence[Raw]) -> tuple[list[list[Raw]], list[str]]:
    """Split at relations; return the sides and the relations between them."""
    pieces = split(tokens, set(RELATIONS))
    return [side for _, side in pieces], [RELATIONS[sign] for sign, _ in pieces[1:]]


def compared(sides: Sequence[Node], relations: Sequence[str]) -> list[Pair]:
    """Return each relation with the sides beside it."""
    return list(zip(sides, relations, sides[1:], strict=False))


def without_punctuation(tokens: Sequence[Raw]) -> list[Raw]:
    """Return tokens without the commas and points behind them."""
    end = len(tokens)
    while end and tokens[end - 1].text in (",", ";", "."):
        end -= 1
    return list(tokens[:end])


def _without_words(tokens: Sequence[Raw]) -> list[Raw]:
    """Return tokens without words in groups; "and" is a comma."""
    plain: list[Raw] = []
    place = 0
    while place < len(tokens):
        if tokens[place].text in UPRIGHT and place + 1 < len(tokens) and tokens[place + 1].text == "{":
            end = closing(tokens, place + 1)
            if written(tokens[place + 2 : end]).strip(".,").lower() == "and":
                plain.append(Raw(",", tokens[place].start, tokens[end].end))
            place = end + 1
        else:
            plain.append(tokens[place])
            place += 1
    return plain
