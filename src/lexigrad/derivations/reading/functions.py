"""Functions with their arguments, and letters that are followed by parentheses without being functions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from lexigrad.derivations.reading.cursor import Cursor
from lexigrad.derivations.reading.letters import COSTS
from lexigrad.derivations.reading.notation import FUNCTIONS, plain_word, written
from lexigrad.derivations.reading.raw import Raw, Unreadable, split
from lexigrad.derivations.reading.reader import Applied, Reader
from lexigrad.derivations.reading.scripts import PRIMES, subscript, take_scripts
from lexigrad.derivations.reading.tree import Indexed, Name, Node, Number
from lexigrad.derivations.reading.words import take_name

CAPITAL, SMALL = 2, 1
"""What bold letters are: a matrix, a vector."""

NO_TOKEN = Raw("", 0, 0)


@dataclass
class _Scripts:
    """What stands between a function's name and its arguments."""

    primes: int = 0
    base: Node | None = None
    power: list[Raw] | None = None
    indices: tuple[Node, ...] = ()


def take_name_or_function(reader: Reader) -> None:
    """Take what begins with a name: a function with its arguments, or a quantity with its scripts."""
    symbols = reader.symbols
    first = reader.text()
    name, word, bold = take_name(reader)
    if name == "e" and reader.text() == "^" and not reader.symbols.e_is_name and not _is_counted(reader):
        _take_exponential(reader)
        return
    if not word and _take_indexed_function(reader, name):
        return
    known = FUNCTIONS.get(plain_word(word))
    applied = _is_applied(reader)
    if applied:
        known = "sigma" if name == "sigma" else symbols.aliases.get(name, known)
    if applied and name in symbols.functions and not known and not _holds(reader, first):
        _take_function(reader, name, declared=True)
    elif known:
        _take_function(reader, known)
    elif name in symbols.events and _opens(reader):
        _take_event(reader, name)
    elif word and _opens(reader):
        _take_function(reader, name, declared=True)
    elif name in COSTS and _opens(reader) and _has_plain_arguments(reader):
        reader.bracketed()
        reader.emit("NAME", name)
        take_scripts(reader)
    else:
        if bold:
            symbols.vectors.setdefault(name, CAPITAL if name[-1:].isupper() else SMALL)
        reader.emit("NAME", name)
        take_scripts(reader, name)


# What stands ahead of the cursor, behind a name.


def _opens(cursor: Cursor) -> bool:
    return cursor.text() in ("(", "[")


def _is_applied(reader: Reader) -> bool:
    """Tell whether parentheses are ahead, perhaps behind primes and a power."""
    ahead = reader.trial()
    while ahead.text() == "'":
        ahead.at += 1
    if ahead.text() == "^" and ahead.text(1) in ("\\prime", "{"):
        ahead.at += 1
        ahead.argument()
    return _opens(ahead)


def _is_counted(reader: Reader) -> bool:
    """Tell whether what stands above a name counts it, as it does with other names: h^{(t)}, e^{(t)}."""
    return written(reader.trial(1).argument()) in reader.symbols.counted


def _holds(cursor: Cursor, own: str) -> bool:
    """Tell whether parentheses ahead hold the letter before them, as a factor does: p_i (1 - p_i)."""
    if cursor.text() != "(":
        return False
    return any(one.text == own and two.text != "(" for one, two in pairwise([*cursor.inside(), NO_TOKEN]))


def _has_plain_arguments(reader: Reader) -> bool:
    """Tell whether the parentheses ahead hold only names."""
    inside = reader.inside()
    try:
        arguments = [reader.tree(part) for _, part in split(inside, {",", ";"}) if part]
    except Unreadable:
        return False
    bases = [argument.base if isinstance(argument, Indexed) else argument for argument in arguments]
    return bool(bases) and all(isinstance(base, Name) for base in bases)


# Functions.


def _take_exponential(reader: Reader) -> None:
    """Take the power of e as the function."""
    reader.at += 1
    reader.emit("FUNCTION", "exp", Applied())
    reader.enclose("LPAR", reader.argument(), "RPAR")
    take_scripts(reader)


def _take_indexed_function(reader: Reader, name: str) -> bool:
    """Take p_i(x), L_i'(b), J_neg(v) if the text defines such a function."""
    if reader.text() != "_":
        return False
    ahead = reader.trial(1)
    below = ahead.argument()
    while ahead.text() == "'":
        ahead.at += 1
    if ahead.text() != "(" or _holds(ahead, reader.tokens[reader.at - 1].text):
        return False
    label, index = subscript(below, reader.symbols)
    if len(index) == 1 and isinstance(index[0], Number) and f"{name}_{index[0].text}" in reader.symbols.functions:
        label, index = index[0].text, ()
    full = f"{name}_{label}" if label else name
    if full not in reader.symbols.functions:
        return False
    reader.at += 1
    reader.argument()
    _take_function(reader, full, declared=True, indices=index)
    return True


def _take_function(reader: Reader, name: str, declared: bool = False, indices: tuple[Node, ...] = ()) -> None:
    """Take a function's scripts and its arguments, of which the indices say which value is meant."""
    scripts = _take_function_scripts(reader, name, indices)
    if _opens(reader) or reader.text() == "\\{":
        reader.emit("FUNCTION", name, Applied(scripts.primes, scripts.base))
        reader.enclose("LPAR", reader.bracketed(), "RPAR")
        _emit_scripts(reader, scripts)
        take_scripts(reader)
    elif declared or scripts.primes or reader.ended:
        reader.emit("NAME", name + "'" * scripts.primes)
        _emit_scripts(reader, scripts)
    elif scripts.indices:
        raise Unreadable(f"{name} with an index, and without parentheses behind it")
    else:
        power = None if scripts.power is None else reader.tree(scripts.power)
        reader.emit("WORD", name, Applied(0, scripts.base, power))


def _take_function_scripts(reader: Reader, name: str, indices: tuple[Node, ...]) -> _Scripts:
    scripts = _Scripts(indices=indices)
    while reader.text() in ("'", "^", "_"):
        script = reader.text()
        reader.at += 1
        if script == "'":
            scripts.primes += 1
            continue
        argument = reader.argument()
        texts = [token.text for token in argument]
        if script == "^" and set(texts) <= PRIMES:
            scripts.primes += len(texts)
        elif script == "^" and texts == ["-", "1"]:
            raise Unreadable(f"{name} to the power of -1: the inverse function, or 1 over it?")
        elif script == "^":
            scripts.power = argument
        elif name == "log":
            scripts.base = reader.tree(argument)
        else:
            scripts.indices = indices + subscript(argument, reader.symbols)[1]
    return scripts


def _emit_scripts(reader: Reader, scripts: _Scripts) -> None:
    """Put out the indices and the power of a function's value."""
    if scripts.indices:
        reader.emit("INDEX", payload=scripts.indices)
    if scripts.power is not None:
        reader.enclose("SUP", scripts.power, "END")


def _take_event(reader: Reader, name: str) -> None:
    """Take p(y | x) as one quantity."""
    inside = " ".join(token.text for token in reader.bracketed()).replace("\\mid", "|")
    reader.emit("NAME", f"{name}({inside})")
    take_scripts(reader)
