"""Fractions of differentials as derivatives, and nabla."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lexigrad.derivations.reading.cursor import Cursor
from lexigrad.derivations.reading.notation import BIG, FRACTIONS, TRANSPOSED, written
from lexigrad.derivations.reading.raw import PAIRS, Raw, Unreadable
from lexigrad.derivations.reading.reader import Reader
from lexigrad.derivations.reading.scripts import take_scripts
from lexigrad.derivations.reading.tree import Derivative, Node

Sign = Literal["\\partial", "d"]

LONGEST_NUMERATOR = 8
"""Tokens before the slash of dJ/dx, so that a product that begins with d is not searched to its end."""


def take_fraction(reader: Reader) -> None:
    """Take a fraction, as a derivative if it is one of differentials."""
    reader.at += 1
    above, below = reader.argument(), reader.argument()
    if _take_derivative(reader, above, below):
        return
    reader.enclose("FRACTION", above, "END")
    reader.read(below)
    reader.emit("END")
    take_scripts(reader)


def take_partial(reader: Reader) -> None:
    """Take a derivative that begins with its sign: by the index of the sign, or a fraction with a slash."""
    if reader.text(1) == "_":
        reader.at += 2
        _emit_operator(reader, (reader.tree(reader.argument()),))
        return
    rest = reader.rest()
    for place in range(len(rest) - 1):
        if rest[place].text == "/" and rest[place + 1].text == "\\partial":
            below = Cursor(rest, place + 2)
            below.skip_name()
            reader.at += below.at
            _take_derivative(reader, rest[:place], rest[place + 1 : below.at])
            return
    raise Unreadable("\\partial without a variable")


def take_slash_derivative(reader: Reader) -> bool:
    """Take dJ/dx or d/dx if it stands here."""
    rest = reader.rest()
    if _differential(rest) != "d":
        return False
    limit = next((k for k, token in enumerate(rest) if token.text in ("+", "-", "=", ",")), len(rest))
    for place, token in enumerate(rest[: min(limit, LONGEST_NUMERATOR + 1)]):
        if token.text == "/" and _differential(rest[place + 1 : limit]) == "d":
            variable = place + 1 + _width(rest[place + 1 :])
            below = Cursor(rest, variable)
            below.skip_name()
            if below.at == variable:
                return False
            reader.at += below.at
            return _take_derivative(reader, rest[:place], rest[place + 1 : below.at])
    return False


def take_nabla(reader: Reader) -> None:
    """Take nabla with its variable; it reaches as far as a product if a fraction, a number, a sum or x^T follows."""
    reader.at += 1
    variable: Node | None = None
    order = 1
    while reader.text() in ("_", "^"):
        script = reader.text()
        reader.at += 1
        argument = reader.argument()
        if script == "_":
            variable = reader.tree(argument)
        elif written(argument) == "2":
            order = 2
        else:
            raise Unreadable("a power of nabla other than 2")
    ahead = reader.text()
    reaches = ahead in FRACTIONS or ahead[:1].isdigit() or ahead in BIG or _is_transposed(reader)
    reader.emit("NABLA_ALL" if reaches else "NABLA", payload=(variable, order))


def _is_transposed(reader: Reader) -> bool:
    """Tell whether a transposed name comes next, with which a product begins: nabla_x x^T A x."""
    name = reader.trial()
    name.skip_name()
    scripts = written(reader.tokens[reader.at : name.at]).partition("^")[2]
    return bool(scripts) and (scripts in TRANSPOSED or scripts.strip("{}") in TRANSPOSED)


def _take_derivative(reader: Reader, above: list[Raw], below: list[Raw]) -> bool:
    """Put out a derivative if both sides of a fraction are differentials of one kind."""
    sign = _differential(below)
    if sign is None or _differential(above) != sign:
        return False
    value = Cursor(above, _width(above))
    order = None
    if value.text() == "^":
        value.at += 1
        order = written(value.argument())
    variables = _variables(reader, below, sign)
    if order is not None and order != str(len(variables)):
        raise Unreadable(f"a derivative of order {order} by {len(variables)} variables")
    if value.ended:
        _emit_operator(reader, variables)
    else:
        reader.emit("READY", payload=Derivative(reader.tree(value.rest()), variables))
        take_scripts(reader)
    return True


def _emit_operator(reader: Reader, variables: tuple[Node, ...]) -> None:
    """Put out a derivative whose value is what follows: one group or function, or else a product."""
    grouped = reader.text() in ("(", "[", "\\{") or _function_ahead(reader)
    reader.emit("OPERATOR_GROUP" if grouped else "OPERATOR", payload=variables)


def _function_ahead(reader: Reader) -> bool:
    """Tell whether a function with its arguments in parentheses comes next."""
    try:
        following = reader.following()
    except Unreadable:
        return False
    return bool(following) and following[0].type == "FUNCTION"


def _variables(reader: Reader, below: list[Raw], sign: Sign) -> tuple[Node, ...]:
    """Return the variables of a denominator, each as often as its order says."""
    parts: list[list[Raw]] = [[]]
    for token in below[_width(below) :]:
        if token.text != sign:
            parts[-1].append(token)
        elif sign == "d":
            raise Unreadable("a derivative by several variables that is written with d")
        else:
            parts.append([])
    variables: list[Node] = []
    for part in parts:
        order, variable = _order(part)
        variables += [reader.tree(variable)] * order
    return tuple(variables)


def _order(part: list[Raw]) -> tuple[int, list[Raw]]:
    """Return how often a variable stands in the denominator, and the variable without order and transposition."""
    depth = 0
    for place, token in enumerate(part):
        depth += (token.text in PAIRS) - (token.text in PAIRS.values())
        if token.text == "^" and not depth:
            cursor = Cursor(part, place + 1)
            exponent = written(cursor.argument())
            variable = [*part[:place], *cursor.rest()]
            if exponent.isdigit():
                return int(exponent), variable
            if exponent in TRANSPOSED:
                return 1, variable
    return 1, part


def _differential(tokens: Sequence[Raw]) -> Sign | None:
    """Return the sign of the differential that tokens begin with."""
    texts = [token.text for token in tokens[:4]]
    if texts[:1] == ["\\partial"]:
        return "\\partial"
    if texts[:1] == ["d"] and texts[1:2] != ["_"]:
        return "d"
    if texts == ["\\mathrm", "{", "d", "}"] or texts[:2] == ["\\mathrm", "d"]:
        return "d"
    return None


def _width(tokens: Sequence[Raw]) -> int:
    """Return how many tokens the sign of the differential takes."""
    if tokens[0].text == "\\mathrm":
        return 4 if tokens[1].text == "{" else 2
    return 1
