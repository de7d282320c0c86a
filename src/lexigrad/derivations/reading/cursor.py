"""A place in a row of raw tokens, and how to move on from it."""

from __future__ import annotations

from collections.abc import Sequence

from lexigrad.derivations.reading.notation import BOLD, MARKS, UPRIGHT
from lexigrad.derivations.reading.raw import Raw, Unreadable, closing


class Cursor:
    """Takes tokens one after the other, and looks ahead."""

    def __init__(self, tokens: Sequence[Raw], at: int = 0) -> None:
        self.tokens = tokens
        self.at = at

    @property
    def ended(self) -> bool:
        """Whether all tokens are taken."""
        return self.at >= len(self.tokens)

    def text(self, ahead: int = 0) -> str:
        """Return the text of a token from here on; "" behind the last."""
        place = self.at + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def rest(self) -> list[Raw]:
        """Return all tokens from here on."""
        return list(self.tokens[self.at :])

    def trial(self, ahead: int = 0) -> Cursor:
        """Return a cursor of its own, to look further."""
        return Cursor(self.tokens, self.at + ahead)

    def argument(self) -> list[Raw]:
        """Take a group, or one token, as a command's argument."""
        if self.text() == "{":
            return self.bracketed()
        if self.ended:
            raise Unreadable("an argument is missing at the end")
        first = self.tokens[self.at]
        if first.text.isdigit() and len(first.text) > 1:  # one half may be written \frac12
            return [self._first_digit()]
        self.at += 1
        if first.text in MARKS or first.text in BOLD or first.text in UPRIGHT:
            start = self.at
            self.argument()
            return [first, *self.tokens[start : self.at]]
        return [first]

    def _first_digit(self) -> Raw:
        """Take one digit of a number."""
        number = self.tokens[self.at]
        rest = Raw(number.text[1:], number.start + 1, number.end)
        self.tokens = [*self.tokens[: self.at], rest, *self.tokens[self.at + 1 :]]
        return Raw(number.text[0], number.start, number.start + 1)

    def bracketed(self) -> list[Raw]:
        """Take the bracket that opens here; return what is in it."""
        inside = self.inside()
        self.at += len(inside) + 2
        return inside

    def inside(self) -> list[Raw]:
        """Return what is in the bracket that opens here."""
        return list(self.tokens[self.at + 1 : closing(self.tokens, self.at)])

    def skip_name(self) -> None:
        """Take a letter or a group with its scripts."""
        if self.text() in MARKS or self.text() in BOLD:
            self.at += 1
        self._skip_group()
        while self.text() in ("_", "^", "'"):
            script = self.text()
            self.at += 1
            if script != "'":
                self._skip_group()

    def _skip_group(self) -> None:
        if self.text() == "{":
            self.bracketed()
        elif not self.ended:
            self.at += 1
