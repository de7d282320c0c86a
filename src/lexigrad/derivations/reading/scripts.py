"""What stands below and above an operand: indices, labels, powers, primes and transpositions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.notation import STARS, TRANSPOSED, UPRIGHT, is_letter, written
from lexigrad.derivations.reading.raw import Raw, Unreadable, closing, split
from lexigrad.derivations.reading.reader import Piece, Reader, piece, pieces, tree
from lexigrad.derivations.reading.tree import Condition, Indicator, Name, Node, Number

COUNTERS = set("ijklmn")
"""Letters that count, whatever the text says."""

LABEL_SIGNS = STARS | {"\\bullet", "\\cdot", "+", "-", ":"}
"""Signs that are a label where they stand alone below a name."""

PRIMES = {"\\prime", "'"}


def take_scripts(reader: Reader, name: str = "") -> None:
    """Take the scripts behind an operand, of which `name` is the name if it has one; indices come first."""
    indices: list[Node] = []
    after: list[Piece] = []
    while reader.text() in ("_", "^", "'"):
        script = reader.text()
        reader.at += 1
        if script == "'" and reader.out[-1].type in ("RPAR", "CLOSE"):
            reader.emit("PRIME")
        elif script == "'":
            _relabel(reader, "'")
        elif script == "_":
            indices += _below(reader, name)
        else:
            first, pieces_after = _above(reader, name)
            indices[:0] = first
            after += pieces_after
    if indices:
        reader.emit("INDEX", payload=tuple(indices))
    reader.out += after


def _below(reader: Reader, name: str) -> tuple[Node, ...]:
    """Take what stands below; return it if it is indices, and make it part of the name if it is a label."""
    label, index = subscript(reader.argument(), reader.symbols)
    if label and not name:
        raise Unreadable(f"the index {label!r}")
    if label:
        _relabel(reader, f"_{label}")
    elif (
        name == "delta"
        and len(index) == 2
        and not reader.symbols.defined_delta
        and all(isinstance(part, Name) for part in index)
    ):
        reader.out.pop()
        reader.emit("READY", payload=Indicator(Condition(((index[0], "=", index[1]),))))
        return ()
    return index


def _above(reader: Reader, name: str) -> tuple[tuple[Node, ...], list[Piece]]:
    """Take what stands above; return it as indices, or as what follows the operand in the grammar."""
    argument = reader.argument()
    text = written(argument)
    texts = [token.text for token in argument]
    if text == "T" and reader.symbols.t_is_number:
        return (), [piece("SUP"), piece("NAME", "T"), piece("END")]
    if text in TRANSPOSED or (text == "t" and name[-1:].isupper()):
        return (), [piece("TRANSPOSE")]
    if text in ("-T", "-\\top"):
        return (), [piece("SUP"), piece("MINUS"), piece("NUMBER", "1"), piece("END"), piece("TRANSPOSE")]
    if set(texts) <= PRIMES:
        _relabel(reader, "'" * len(texts))
    elif name and text in STARS:
        _relabel(reader, "*")
    elif name and text in ("+", "-", "\\dagger"):
        _relabel(reader, text)
    elif name and texts[0] == "(" and texts[-1] == ")":
        return _counter(reader, argument[1:-1]), []
    elif texts[0] == "\\text" or (texts[0] == "\\mathrm" and name):
        _relabel(reader, "^" + "".join(texts[2:-1]))
    else:
        return (), [piece("SUP"), *pieces(argument, reader.symbols), piece("END")]
    return (), []


def _counter(reader: Reader, inner: list[Raw]) -> tuple[Node, ...]:
    """Take what stands above a name in parentheses: an index in x^(i), a part of the name in W^(1)."""
    label, index = subscript(inner, reader.symbols)
    letters = {token.text for token in inner if token.text.isalpha()}
    if not label and letters & (reader.symbols.bound | COUNTERS):
        return index
    _relabel(reader, f"^({label or written(inner)})")
    return ()


def _relabel(reader: Reader, label: str) -> None:
    """Make a label part of the name that was put out last."""
    if not reader.out or reader.out[-1].type != "NAME":
        raise Unreadable(f"{label!r} behind something other than a name")
    reader.out[-1] = piece("NAME", str(reader.out[-1]) + label)


def subscript(tokens: Sequence[Raw], symbols: Symbols) -> tuple[str, tuple[Node, ...]]:
    """Return what stands below a name: a label ("out"), or indices."""
    label = _label(tokens)
    if label is not None:
        return label, ()
    if any(token.text in (":", "\\cdot") for token in tokens):
        raise Unreadable("slices of an array")
    return "", tuple(index for _, part in split(tokens, {",", ";"}) if part for index in _indices(part, symbols))


def _label(tokens: Sequence[Raw]) -> str | None:
    """Return the label that tokens are, or None."""
    texts = [token.text for token in tokens]
    if len(texts) > 1 and texts[0] in UPRIGHT and texts[1] == "{" and closing(tokens, 1) == len(tokens) - 1:
        return "".join(texts[2:-1])
    if len(texts) == 2 and texts[0] in UPRIGHT:
        return texts[1]
    beside = all(one.end == other.start for one, other in pairwise(tokens))
    if len(texts) > 2 and beside and all(is_letter(text) for text in texts) and not set(texts) <= COUNTERS:
        return "".join(texts)
    return texts[0] if len(texts) == 1 and texts[0] in LABEL_SIGNS else None


def _indices(part: list[Raw], symbols: Symbols) -> list[Node]:
    """Return the indices that stand beside each other without commas: ij, i'j, i1, 12, or one formula."""
    texts = [token.text for token in part]
    if len(part) > 1 and is_letter(texts[0]):
        if all(is_letter(text) or text == "'" for text in texts):
            return _primed_names(texts)
        if all(is_letter(text) or text.isdigit() for text in texts):
            return [Number(text) if text.isdigit() else Name(text) for text in texts]
    if len(part) == 1 and texts[0].isdigit() and len(texts[0]) == 2 and not texts[0].startswith("0"):
        return [Number(digit) for digit in texts[0]]
    return [tree(part, symbols)]


def _primed_names(texts: list[str]) -> list[Node]:
    names: list[str] = []
    for text in texts:
        if text == "'":
            names[-1] += text
        else:
            names.append(text)
    return [Name(name) for name in names]
