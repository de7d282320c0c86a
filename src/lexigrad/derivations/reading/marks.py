"""The tokens of a formula, and what separates the formulas in one display: lines, arrows, commas, words, wide blanks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lexigrad.derivations.reading.notation import RELATIONS, written
from lexigrad.derivations.reading.raw import PAIRS, Raw, after_argument, plain, visible_tokens

Kind = Literal["token", "relation", "break", "line", "arrow", "comma", "words"]

ARROWS = {
    "\\Rightarrow", "\\implies", "\\Longrightarrow", "\\iff", "\\Leftrightarrow", "\\Longleftrightarrow", "\\to", "\\rightarrow", "\\longrightarrow",
    "\\leadsto", "\\therefore", "\\because", "\\mapsto", "\\gets", "\\leftarrow",
}  # fmt: skip

SEPARATORS: dict[str, Kind] = {
    "\\quad": "break", "\\qquad": "break", "\\\\": "line", "\\newline": "line", ",": "comma", ";": "comma", **dict.fromkeys(ARROWS, "arrow"),
}  # fmt: skip
"""What stands between formulas."""

EQUALS = {"=": "=", "\\equiv": ":=", "\\triangleq": ":=", "\\coloneqq": ":=", "\\doteq": ":=", "\\eqdef": ":="}
"""Equalities, of which := gives a name."""

OTHERS = {
    "\\approx",
    "\\sim",
    "\\simeq",
    "\\propto",
    "\\cong",
    "\\ll",
    "\\gg",
    "\\subset",
    "\\subseteq",
    "\\perp",
    "\\asymp",
}
"""Relations that say less than an equality."""

LINKS = set(EQUALS) | OTHERS | (set(RELATIONS) - {"\\in", "\\notin"})
"""Relations between the sides of a chain."""

ENVIRONMENTS_OF_LINES = {
    "aligned", "align", "align*", "split", "gathered", "gather", "gather*", "alignat", "alignat*", "eqnarray", "eqnarray*", "array", "multline",
    "multline*",
}  # fmt: skip
ENVIRONMENTS_WITH_COLUMNS = ("array", "alignat")
"""Environments whose columns are said in a group of its own."""

TEXTS = {"\\text", "\\textrm", "\\mbox", "\\textnormal"}
STACKS = {"\\stackrel", "\\overset", "\\underset"}
"""Commands with a remark and a sign that it is about."""

WORDS_BETWEEN = {
    "and", "or", "where", "with", "for", "if", "when", "so", "hence", "thus", "then", "since", "because", "as", "while", "therefore", "but", "also",
    "all", "otherwise", "i.e", "that", "is", "by", "from", "using", "iff", "provided", "of", "in", "the", "",
}  # fmt: skip
"""Words that stand between formulas; others are names."""


@dataclass(frozen=True)
class Mark:
    """A token, or a break between formulas in one display."""

    kind: Kind
    token: Raw


def marks(source: str) -> Iterator[Mark]:
    """Yield the tokens of a formula and the breaks between them."""
    return _Walk(source).marks()


class _Walk:
    """A walk along a formula, in which brackets are kept whole."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = visible_tokens(source)
        self.place = 0
        self.depth = 0

    def marks(self) -> Iterator[Mark]:
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            self.place += 1
            outside = not self.depth
            if outside and self._is_layout(token):
                continue
            mark = self._separator(token) if outside else None
            if mark is not None:
                yield mark
                continue
            self._count(token.text)
            yield from (Mark("token", part) for part in plain(token))

    def _count(self, text: str) -> None:
        """Keep count of the brackets and environments that are open."""
        if text == "\\begin" or text in PAIRS:
            self.depth += 1
        elif text == "\\end" or text in PAIRS.values():
            self.depth -= 1

    def _is_layout(self, token: Raw) -> bool:
        """Tell whether a token is an alignment mark, or a point or colon at the end of the formula."""
        if token.text == "&":
            return True
        return token.text in (".", ":") and self.source[token.end :].strip(" \n.&\\") in ("", "end{aligned}")

    def _separator(self, token: Raw) -> Mark | None:
        """Take what separates formulas, or sides; return None for a token of a side."""
        text = token.text
        if text in ("\\begin", "\\end"):
            return self._edge(token)
        if text in TEXTS:
            return self._words(token)
        if text in STACKS:
            return self._stacked(token)
        if text == ":" and self.source[token.end : token.end + 1] == "=":
            self.place += 1
            return Mark("relation", Raw(":=", token.start, token.end + 1))
        if text in SEPARATORS:
            return Mark(SEPARATORS[text], token)
        return Mark("relation", token) if text in LINKS else None

    def _edge(self, token: Raw) -> Mark | None:
        """Take the beginning or the end of an environment that only holds lines."""
        name, after = self._group(self.place)
        if name not in ENVIRONMENTS_OF_LINES:
            return None
        has_columns = token.text == "\\begin" and name.startswith(ENVIRONMENTS_WITH_COLUMNS)
        self.place = after_argument(self.tokens, after) if has_columns else after
        return Mark("line", token)

    def _words(self, token: Raw) -> Mark | None:
        """Take words that stand between formulas: they are no name."""
        text, after = self._group(self.place)
        if text == text.strip() and " " not in text and text.strip(".,;:()").lower() not in WORDS_BETWEEN:
            return None
        self.place = after
        return Mark("words", token)

    def _stacked(self, token: Raw) -> Mark | None:
        """Take an equality with a remark over it, which may say that it is a definition."""
        remark, between = self._group(self.place)
        sign, after = self._group(between)
        if sign.strip() != "=":
            return None
        self.place = after
        return Mark("relation", Raw(":=" if "def" in remark else "=", token.start, self.tokens[after - 1].end))

    def _group(self, place: int) -> tuple[str, int]:
        """Return the text of the group, or the one token, that follows, and the place after it."""
        after = after_argument(self.tokens, place)
        group = self.tokens[place:after]
        while group and group[0].text.isspace():
            group = group[1:]
        return written(group[1:-1] if group and group[0].text == "{" else group), after
