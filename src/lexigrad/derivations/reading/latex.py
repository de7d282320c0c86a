"""From raw tokens to the tokens of the grammar: each notation by the command or sign that it begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lexigrad.derivations.reading.brackets import (
    at_blackboard,
    at_indicator,
    take_bar,
    take_blackboard,
    take_indicator,
    take_inner_product,
    take_wrapper,
)
from lexigrad.derivations.reading.conditions import condition
from lexigrad.derivations.reading.differentials import take_fraction, take_nabla, take_partial, take_slash_derivative
from lexigrad.derivations.reading.environments import take_environment
from lexigrad.derivations.reading.functions import take_name_or_function
from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.notation import (
    BIG,
    BLACKBOARD,
    DOUBLE_BARS,
    ELLIPSES,
    FRACTIONS,
    FUNCTIONS,
    SIGNS,
    SINGLE_BARS,
    WRAPPERS,
)
from lexigrad.derivations.reading.ranges import take_big
from lexigrad.derivations.reading.raw import Raw, Unreadable
from lexigrad.derivations.reading.reader import Piece, Reader
from lexigrad.derivations.reading.scripts import take_scripts

__all__ = ["FUNCTIONS", "Symbols", "condition", "pieces", "take"]


def pieces(tokens: Sequence[Raw], symbols: Symbols) -> list[Piece]:
    """Return the tokens of the grammar for a side of an equation or a part of one."""
    reader = Reader(tokens, symbols)
    while not reader.ended:
        take(reader)
    return reader.out


def take(reader: Reader) -> None:
    """Take the notation that stands next."""
    text = reader.text()
    if at_indicator(reader):
        take_indicator(reader)
    elif at_blackboard(reader):
        take_blackboard(reader)
    elif text in NOTATIONS:
        NOTATIONS[text](reader)
    elif text.replace(".", "", 1).isdigit():
        reader.at += 1
        reader.emit("NUMBER", text)
        take_scripts(reader)
    elif not take_slash_derivative(reader):
        take_name_or_function(reader)


def _take_root(reader: Reader) -> None:
    reader.at += 1
    if reader.text() == "[":
        raise Unreadable("roots other than the square root")
    reader.enclose("ROOT", reader.argument(), "END")
    take_scripts(reader)


def _take_extremum(reader: Reader) -> None:
    """Take a maximum over an index, or of its arguments."""
    if reader.text(1) == "_":
        take_big(reader)
    else:
        take_name_or_function(reader)


def _take_sign(reader: Reader) -> None:
    text = reader.text()
    reader.at += 1
    reader.emit(SIGNS[text], text)
    if SIGNS[text] in ("RPAR", "CLOSE", "FACTORIAL"):
        take_scripts(reader)


def _take_dots(reader: Reader) -> None:
    reader.at += 1
    reader.emit("DOTS")


def _take_colour(reader: Reader) -> None:
    """Take the name of a colour; what is coloured is a group of its own."""
    reader.at += 1
    reader.argument()


def _take_punctuation(reader: Reader) -> None:
    """Take a point or the like where it ends the formula."""
    text = reader.text()
    reader.at += 1
    if not reader.ended:
        raise Unreadable(f"{text!r} inside a formula")


def _take_infinity(reader: Reader) -> None:
    raise Unreadable("infinity")


NOTATIONS: dict[str, Callable[[Reader], None]] = {
    **dict.fromkeys(SIGNS, _take_sign),
    **dict.fromkeys(ELLIPSES, _take_dots),
    **dict.fromkeys(FRACTIONS, take_fraction),
    "\\sqrt": _take_root,
    "\\begin": take_environment,
    **dict.fromkeys(SINGLE_BARS | DOUBLE_BARS, take_bar),
    "\\langle": take_inner_product,
    "\\partial": take_partial,
    "\\nabla": take_nabla,
    **dict.fromkeys(BIG, take_big),
    **dict.fromkeys(("\\max", "\\min"), _take_extremum),
    **dict.fromkeys(WRAPPERS, take_wrapper),
    **dict.fromkeys(BLACKBOARD, take_blackboard),
    "\\textcolor": _take_colour,
    "\\infty": _take_infinity,
    **dict.fromkeys((".", ";", ":", "?"), _take_punctuation),
}
"""What takes a notation, by the text of its first token."""
