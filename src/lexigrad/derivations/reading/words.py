"""Names: letters with marks over them, words, bold letters."""

from __future__ import annotations

from typing import NamedTuple

from lexigrad.derivations.reading.notation import BOLD, FUNCTIONS, GREEK, MARKS, RELATIONS, UPRIGHT, is_letter, written
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.reader import Reader

SHORTEST_WORD = 3
"""Letters of a known function that is written without a command: "log", but not "tr"."""


class Written(NamedTuple):
    """A name, the word if it is written as one, and whether it is bold."""

    name: str
    word: str = ""
    bold: bool = False


def take_name(reader: Reader) -> Written:
    """Take a name without its scripts, or raise `Unreadable`."""
    text = reader.text()
    if text in UPRIGHT:
        reader.at += 1
        word = written(reader.argument()).replace("\\_", "_")
        return Written(word, word if len(word) != 1 else "")
    if text in MARKS or text in BOLD:
        return _marked(reader)
    if text.startswith("\\") and text[1:] in GREEK:
        reader.at += 1
        return Written(text[1:].removeprefix("var"))
    if text.startswith("\\") and text[1:].lower() in FUNCTIONS:
        reader.at += 1
        return Written(text[1:], text[1:])
    if is_letter(text):
        return _letters(reader)
    if text in RELATIONS:
        raise Unreadable(f"{text!r} inside a formula")
    raise Unreadable(f"{text!r}" if text else "the formula ends too early")


def _marked(reader: Reader) -> Written:
    """Take a name with something over it, or in bold."""
    mark = reader.text()
    reader.at += 1
    inner = Reader(reader.argument(), reader.symbols)
    name, word, bold = take_name(inner)
    if not inner.ended:
        raise Unreadable(f"{mark} over more than one letter")
    if mark in MARKS:
        return Written(f"{MARKS[mark]} {name}", "", bold)
    return Written(name, word, True)


def _letters(reader: Reader) -> Written:
    """Take a letter, or a known word that is written without a command around it."""
    run = [reader.tokens[reader.at]]
    for token in reader.tokens[reader.at + 1 :]:
        if not (is_letter(token.text) and token.text.isascii() and token.start == run[-1].end):
            break
        run.append(token)
    letters = written(run)
    for length in range(len(letters), 1, -1):
        word = letters[:length]
        if word in reader.symbols.words or (length >= SHORTEST_WORD and word.lower() in FUNCTIONS):
            reader.at += length
            return Written(word, word)
    reader.at += 1
    return Written(letters[0])
