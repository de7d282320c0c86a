"""A cursor that puts out tokens of the grammar, which may carry more than their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from lexigrad.derivations.reading.cursor import Cursor
from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.raw import Raw
from lexigrad.derivations.reading.tree import Node

OPERANDS = {
    "NUMBER", "NAME", "RPAR", "CLOSE", "BAR_CLOSE", "NORM_CLOSE", "TRANSPOSE", "INDEX", "READY", "FACTORIAL", "END", "DOTS",
}  # fmt: skip
"""Kinds of tokens that an operand may end with."""


class Piece(Token):
    """A token of the grammar that may carry more than its text."""

    payload: object = None


@dataclass(frozen=True)
class Applied:
    """What stands between a function's name and its argument: log_2, sin^2, f'."""

    primes: int = 0
    base: Node | None = None
    power: Node | None = None


def piece(kind: str, text: str = "", payload: object = None) -> Piece:
    """Return a token of the grammar."""
    token = Piece(kind, text)
    token.payload = payload
    return token


class Reader(Cursor):
    """Reads raw tokens, one side of an equation or a part of one, into tokens of the grammar."""

    def __init__(self, tokens: Sequence[Raw], symbols: Symbols, at: int = 0) -> None:
        super().__init__(tokens, at)
        self.symbols = symbols
        self.out: list[Piece] = []
        self.bars: list[str] = []
        """The bars that are open: "BAR" or "NORM"."""

    def emit(self, kind: str, text: str = "", payload: object = None) -> None:
        """Put out a token of the grammar."""
        self.out.append(piece(kind, text, payload))

    def read(self, tokens: Sequence[Raw]) -> None:
        """Put out tokens as they read by themselves."""
        self.out += pieces(tokens, self.symbols)

    def enclose(
        self, opening: str, tokens: Sequence[Raw], closing: str, text: str = "", payload: object = None
    ) -> None:
        """Put out tokens as they read by themselves, between two tokens of the grammar."""
        self.emit(opening, text, payload)
        self.read(tokens)
        self.emit(closing)

    def after_operand(self) -> bool:
        """Tell whether what was put out last may end an operand."""
        return bool(self.out) and self.out[-1].type in OPERANDS

    def tree(self, tokens: Sequence[Raw]) -> Node:
        """Return the tree of a part of the formula."""
        return tree(tokens, self.symbols)

    def following(self) -> list[Piece]:
        """Return the tokens of the grammar for what stands next, without taking it."""
        from lexigrad.derivations.reading import latex

        trial = Reader(self.tokens, self.symbols, self.at)
        latex.take(trial)
        return trial.out


# A formula has formulas inside it, so what reads a part needs what reads the whole, which imports it.


def pieces(tokens: Sequence[Raw], symbols: Symbols) -> list[Piece]:
    """Return the tokens of the grammar for a part of a formula."""
    from lexigrad.derivations.reading import latex

    return latex.pieces(tokens, symbols)


def tree(tokens: Sequence[Raw], symbols: Symbols) -> Node:
    """Return the tree of a part of a formula."""
    from lexigrad.derivations.reading import parse

    return parse.parse(tokens, symbols)
