"""Bars, angle brackets, braces under formulas, and indicators."""

from __future__ import annotations

from lexigrad.derivations.reading.conditions import condition
from lexigrad.derivations.reading.notation import BLACKBOARD, BOLD, BRACES, DOUBLE_BARS, RELATIONS, written
from lexigrad.derivations.reading.raw import Raw, Unreadable, split
from lexigrad.derivations.reading.reader import Reader
from lexigrad.derivations.reading.scripts import take_scripts
from lexigrad.derivations.reading.tree import Indicator, Product


def take_wrapper(reader: Reader) -> None:
    """Take the argument of a command that changes nothing, without the remark over or under it."""
    command = reader.text()
    reader.at += 1
    reader.enclose("OPEN", reader.argument(), "CLOSE")
    while command in BRACES and reader.text() in ("_", "^"):
        reader.at += 1
        reader.argument()
    take_scripts(reader)


def take_bar(reader: Reader) -> None:
    """Take a bar that opens, closes, or stands between: |x|, p(y | x)."""
    text = reader.text()
    kind = "NORM" if text in DOUBLE_BARS else "BAR"
    opened = kind in reader.bars
    after_operand = reader.after_operand()
    alone = sum(token.text == text for token in reader.rest()) % 2 == 1
    between = after_operand and not opened and alone and not text.startswith("\\l")
    reader.at += 1
    if text == "\\mid" or between:
        reader.emit("COMMA", text)
    elif opened and (after_operand or text.startswith("\\r")):
        reader.bars.remove(kind)
        index = ""
        if kind == "NORM" and reader.text() == "_":
            reader.at += 1
            index = written(reader.argument())
        reader.emit(f"{kind}_CLOSE", payload=index)
        take_scripts(reader)
    else:
        reader.bars.append(kind)
        reader.emit(f"{kind}_OPEN")


def take_inner_product(reader: Reader) -> None:
    """Take <x, y>, or the name <x>."""
    inside = reader.bracketed()
    parts = [part for _, part in split(inside, {",", "|", "\\mid"})]
    if len(parts) > 2:
        raise Unreadable("angle brackets around something other than two vectors")
    if len(parts) == 1:
        reader.emit("NAME", f"<{written(inside)}>")
    else:
        reader.emit("READY", payload=Product(reader.tree(parts[0]), reader.tree(parts[1]), "dot"))
    take_scripts(reader)


def at_indicator(reader: Reader) -> bool:
    """Tell whether an indicator without a command stands here: [i = j] or 1{i = j}."""
    if reader.text() == "[":
        return _has_relation(reader.inside())
    return reader.text() == "1" and reader.text(1) == "\\{"


def take_indicator(reader: Reader) -> None:
    """Take the condition of an indicator in its brackets."""
    if reader.text() == "1":
        reader.at += 1
    reader.emit("READY", payload=Indicator(condition(reader.bracketed(), reader.symbols)))
    take_scripts(reader)


def at_blackboard(reader: Reader) -> bool:
    """Tell whether a double-struck letter stands here, or 0 or 1 in bold."""
    return reader.text() in BLACKBOARD or (reader.text() in BOLD and written(_argument_ahead(reader)) in ("0", "1"))


def take_blackboard(reader: Reader) -> None:
    """Take 1 in bold or blackboard letters: an indicator, or the vector of ones."""
    command = reader.text()
    reader.at += 1
    letter = written(reader.argument())
    one = letter in ("1", "I")
    if letter == "0":
        reader.emit("NUMBER", "0")
    elif one and (reader.text() in ("[", "\\{") or (reader.text() == "(" and _has_relation(reader.inside()))):
        take_indicator(reader)
    elif one and reader.text() == "_" and _has_relation(_argument_ahead(reader)):
        reader.at += 1
        reader.emit("READY", payload=Indicator(condition(reader.argument(), reader.symbols)))
    elif letter == "1":
        reader.emit("NAME", "ones")
    else:
        raise Unreadable(f"{command}{{{letter}}} as a quantity")
    take_scripts(reader)


def _argument_ahead(reader: Reader) -> list[Raw]:
    """Return the argument of the command that stands here."""
    return reader.trial(1).argument()


def _has_relation(tokens: list[Raw]) -> bool:
    return any(token.text in RELATIONS for token in tokens)
