"""LaTeX as raw tokens: commands, letters, numbers and signs, with their places in the source."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

RAW = re.compile(r"\\[A-Za-z]+\*?|\\.|[A-Za-z]|\d+(?:\.\d+)?|\s+|.", re.DOTALL)

SIGNS = {
    "·": "\\cdot", "⋅": "\\cdot", "×": "\\times", "∂": "\\partial", "∇": "\\nabla", "∑": "\\sum", "∏": "\\prod", "≠": "\\ne",
    "≤": "\\le", "≥": "\\ge", "−": "-", "⊙": "\\odot", "∘": "\\circ", "′": "'", "∈": "\\in", "…": "\\dots", "→": "\\to",
    "⇒": "\\Rightarrow", "√": "\\sqrt", "∞": "\\infty", "‖": "\\|", "ℓ": "\\ell", "≈": "\\approx", "≡": "\\equiv",
}  # fmt: skip
"""Signs that stand for commands."""

MARKS = {"\u0302": "\\hat", "\u0304": "\\bar", "\u0303": "\\tilde", "\u20d7": "\\vec", "\u0305": "\\bar"}
"""Marks over letters."""

# Raised and lowered signs.
UPPER = {"ᵀ": "T", "²": "2", "³": "3", "⁻": "-", "¹": "1", "ⁿ": "n"}
LOWER = {"₀": "0", "₁": "1", "₂": "2", "₃": "3", "ᵢ": "i", "ⱼ": "j", "ₖ": "k", "ₙ": "n"}

GREEK_LETTER = re.compile(r"GREEK (?P<case>SMALL|CAPITAL) LETTER (?!.* WITH )(?:.* )?(?P<letter>\w+)")
"""The Unicode names of Greek letters without accents."""

BLANK = {
    "\\,", "\\;", "\\:", "\\!", "\\ ", "~", "\\quad", "\\qquad", "\\displaystyle", "\\textstyle", "\\scriptstyle", "\\limits", "\\nolimits", "\\left",
    "\\right", "\\big", "\\Big", "\\bigg", "\\Bigg", "\\bigl", "\\bigr", "\\Bigl", "\\Bigr", "\\biggl", "\\biggr", "\\Biggl", "\\Biggr", "\\nonumber",
    "\\notag", "\\hfill", "\\qed", "\\square", "\\blacksquare", "\\Box", "\\hline", "\\middle", "\\enspace", "\\thinspace", "\\mathop", "\\mathstrut",
    "\\allowbreak", "\\displaylimits",
}  # fmt: skip
"""Commands about looks."""

BLANK_GROUPS = {
    "\\label", "\\tag", "\\tag*", "\\hspace", "\\vspace", "\\phantom", "\\color", "\\hphantom", "\\vphantom", "\\ref", "\\eqref",
}  # fmt: skip
"""Commands whose argument is not part of the formula."""


PAIRS = {"{": "}", "(": ")", "[": "]", "\\{": "\\}", "\\langle": "\\rangle", "\\lparen": "\\rparen"}
"""Brackets that open, with those that close them."""


class Unreadable(Exception):  # noqa: N818 - it is not an error that a user meets, but a verdict
    """A formula, or a step, has no reading; says why."""


class Unlinked(Unreadable):
    """A derivative by a quantity on which nothing seems to depend."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Raw:
    """A token and its place in the formula's source."""

    text: str
    start: int
    end: int


def raw_tokens(source: str) -> list[Raw]:
    """Return the tokens of a formula without blanks and without what is only about looks."""
    return [part for token in visible_tokens(source) for part in plain(token)]


def visible_tokens(source: str) -> list[Raw]:
    """Return the tokens of a formula, blanks included, without comments and without labels and the like."""
    found = [Raw(match.group(), match.start(), match.end()) for match in RAW.finditer(source)]
    tokens: list[Raw] = []
    position = 0
    while position < len(found):
        token = found[position]
        position += 1
        if token.text in BLANK_GROUPS:
            position = after_argument(found, position)
        elif token.text == "%":
            while position < len(found) and "\n" not in found[position].text:
                position += 1
        else:
            tokens.append(token)
    return tokens


def after_argument(tokens: Sequence[Raw], position: int) -> int:
    """Return the place after the group, or the one token, that follows; blanks may stand before it."""
    while position < len(tokens) and tokens[position].text.isspace():
        position += 1
    if position < len(tokens) and tokens[position].text == "{":
        position = closing(tokens, position)
    return min(position + 1, len(tokens))


def plain(token: Raw) -> list[Raw]:
    r"""Return a token in LaTeX's own words: "ŷ" is "\hat y", "θ" is "\theta", a blank is nothing."""
    if token.text in BLANK or token.text.isspace():
        return []
    if token.text.isascii():
        return [token]
    return [Raw(part, token.start, token.end) for part in _in_latex(token.text)]


def _in_latex(text: str) -> list[str]:
    """Return the commands and signs for a Unicode character."""
    if text in SIGNS:
        return [SIGNS[text]]
    if text in UPPER:
        return ["^", "{", UPPER[text], "}"]
    if text in LOWER:
        return ["_", "{", LOWER[text], "}"]
    apart = unicodedata.normalize("NFD", text)
    if len(apart) == 2 and apart[1] in MARKS:
        return [MARKS[apart[1]], "{", apart[0], "}"]
    greek = GREEK_LETTER.fullmatch(unicodedata.name(text, "") if len(text) == 1 else "")
    if greek is None:
        return [text]
    letter = greek["letter"].replace("LAMDA", "LAMBDA")
    return ["\\" + (letter.capitalize() if greek["case"] == "CAPITAL" else letter.lower())]


def closing(tokens: Sequence[Raw], position: int) -> int:
    """Return where the bracket that opens at a position closes."""
    opens = tokens[position].text
    closes = PAIRS[opens]
    depth = 0
    for place in range(position, len(tokens)):
        if tokens[place].text == opens:
            depth += 1
        elif tokens[place].text == closes:
            depth -= 1
            if not depth:
                return place
    raise Unreadable(f"{opens!r} has no {closes!r}")


def environment_end(tokens: Sequence[Raw], position: int) -> int:
    """Return where the environment that begins at a position ends."""
    depth = 0
    for place in range(position, len(tokens)):
        if tokens[place].text == "\\begin":
            depth += 1
        elif tokens[place].text == "\\end":
            depth -= 1
            if not depth:
                return place
    raise Unreadable("\\begin has no \\end")


def group_text(tokens: Sequence[Raw], position: int) -> tuple[str, int]:
    """Return the text of a group of letters, and the place after it: {cases}."""
    if position >= len(tokens) or tokens[position].text != "{":
        raise Unreadable("expected a group in braces")
    end = closing(tokens, position)
    return "".join(token.text for token in tokens[position + 1 : end]), end + 1


def split(tokens: Sequence[Raw], separators: set[str]) -> list[tuple[str, list[Raw]]]:
    """Split at separators outside brackets and environments; return each part with the separator before it."""
    parts: list[tuple[str, list[Raw]]] = [("", [])]
    depth = 0
    for token in tokens:
        if not depth and token.text in separators:
            parts.append((token.text, []))
            continue
        if token.text in PAIRS or token.text == "\\begin":
            depth += 1
        elif token.text in PAIRS.values() or token.text == "\\end":
            depth -= 1
        parts[-1][1].append(token)
    return parts
