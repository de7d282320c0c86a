"""Environments: cases, matrices, and those that only lay lines out."""

from __future__ import annotations

from lexigrad.derivations.reading.conditions import condition, without_punctuation
from lexigrad.derivations.reading.notation import UPRIGHT
from lexigrad.derivations.reading.raw import Raw, Unreadable, environment_end, group_text, split
from lexigrad.derivations.reading.reader import Reader
from lexigrad.derivations.reading.scripts import take_scripts
from lexigrad.derivations.reading.tree import Array, Cases, Condition, Node

CASES = {"cases", "dcases", "rcases"}
MATRICES = {"pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "array"}


def take_environment(reader: Reader) -> None:
    """Take an environment as cases, as an array, or as what it holds."""
    name, first = group_text(reader.tokens, reader.at + 1)
    end = environment_end(reader.tokens, reader.at)
    _, reader.at = group_text(reader.tokens, end + 1)
    body = list(reader.tokens[first:end])
    rows = [part for _, part in split(body, {"\\\\"}) if part]
    if name in CASES:
        reader.emit("READY", payload=Cases(tuple(_case(reader, row) for row in rows)))
    elif name.rstrip("*") in MATRICES:
        entries = tuple(tuple(reader.tree(cell) for _, cell in split(row, {"&"})) for row in rows)
        column = len(entries) > 1 and all(len(row) == 1 for row in entries)
        reader.emit("READY", payload=Array(entries, column))
    else:
        reader.enclose("OPEN", [token for token in body if token.text not in ("&", "\\\\")], "CLOSE")
    take_scripts(reader)


def _case(reader: Reader, row: list[Raw]) -> tuple[Node, Condition]:
    """Return a value and its condition, which follows a mark or begins with a word."""
    parts = [part for _, part in split(row, {"&"})]
    if len(parts) == 1:
        word = next((k for k, token in enumerate(row) if token.text in UPRIGHT), None)
        if word is None:
            raise Unreadable("a case without a condition")
        parts = [row[:word], row[word:]]
    return reader.tree(without_punctuation(parts[0])), condition(parts[1], reader.symbols)
