"""Reads Markdown: prose and formulas in order, and the chains of equalities in each formula."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from lexigrad.derivations.reading.marks import EQUALS, Mark, marks
from lexigrad.derivations.reading.notation import RELATIONS
from lexigrad.derivations.reading.raw import Raw, closing, split

NOT_TEXT = re.compile(r"^(```|~~~)(?!math).*?^\1|<!--.*?-->|`[^`\n]+`", re.DOTALL | re.MULTILINE)
"""Code and comments."""

FORMULA = re.compile(
    r"^```math\n(?P<fence>.*?)^```"
    r"|\$\$(?P<dollars>.*?)\$\$"
    r"|\\\[(?P<brackets>.*?)\\\]"
    r"|\\begin\{(?P<name>(?:equation|align|gather|multline|eqnarray|displaymath|alignat|flalign|math)\*?)\}(?P<environment>.*?)\\end\{(?P=name)\}"
    r"|\\\((?P<parentheses>.*?)\\\)"
    r"|(?<![\\$])\$(?P<dollar>(?:[^$\n\\]|\\.|\n(?!\s*\n))+?)\$(?!\$)",
    re.DOTALL | re.MULTILINE,
)
INLINE = ("parentheses", "dollar")
"""Formulas that stand in a line of prose."""

HEADING = re.compile(r"^#{1,6}\s+\S.*$", re.MULTILINE)
BREAK = re.compile(r"\n\s*\n|^#{1,6}\s.*$|^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)
"""What ends a paragraph."""

OPERATORS = ("+", "-", "\\cdot", "\\times", "\\odot", "\\circ")
"""Signs with which a line goes on from the one above."""

BOUNDS = {"<", ">", "\\le", "\\leq", "\\ge", "\\geq"}
APART = {"\\in", "\\notin", "\\ne", "\\neq"}
"""Relations that no derivation is made of, so that they are conditions."""

INDEX_SIGNS = set("ijklmnopqrstuvw0123456789,") | {"\\dots", "\\ldots", "\\forall"}
"""What a condition on indices is made of."""

REACH = 1200
"""How many characters of prose before a formula are looked at for what they say of it."""


@dataclass(frozen=True)
class Side:
    """One side of an equality."""

    tokens: tuple[Raw, ...]
    text: str


@dataclass(frozen=True)
class Chain:
    """Sides with the relations between them: a = b <= c. `lines` are those of the relations."""

    sides: tuple[Side, ...]
    relations: tuple[str, ...]
    lines: tuple[int, ...]
    formula: Formula
    where: tuple[Raw, ...] = ()
    """What stands behind the chain as a condition: (i != j)."""


@dataclass(frozen=True)
class Formula:
    """A formula, its place and the prose around it."""

    source: str
    line: int
    display: bool
    section: int
    paragraph: int
    before: str
    """The prose of the paragraph up to the formula, formulas included."""
    after: str
    """The prose behind the formula, up to the next one or the end of the paragraph."""
    lead: str = ""
    """All prose since the last display, inline formulas included."""


@dataclass
class Document:
    """A text with its formulas in order."""

    text: str
    formulas: list[Formula] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    """The prose of each section, formulas included."""


def read(text: str) -> Document:
    """Find the formulas of a Markdown text."""
    masked = NOT_TEXT.sub(lambda match: _covered(match, " "), text)
    found = list(FORMULA.finditer(masked))
    outline = FORMULA.sub(lambda match: _covered(match, "x"), masked)
    headings = [match.start() for match in HEADING.finditer(outline)]
    breaks = sorted({0, len(outline), *(_paragraph_start(match) for match in BREAK.finditer(outline))})
    sections = [masked[start:end] for start, end in pairwise([0, *headings, len(masked)])]
    document = Document(text, sections=sections)
    starts = [*(match.start() for match in found), len(masked)]
    lead = 0
    for match, following in zip(found, starts[1:], strict=True):
        section = bisect_right(headings, match.start())
        paragraph = bisect_right(breaks, match.start()) - 1
        lead = max([lead, *headings[:section]])
        source, start = _source(match)
        formula = Formula(
            source=source,
            line=masked.count("\n", 0, start) + 1,
            display=match.lastgroup not in INLINE,
            section=section,
            paragraph=paragraph,
            before=masked[max(breaks[paragraph], match.start() - REACH) : match.start()],
            after=masked[match.end() : min([following, *breaks[bisect_right(breaks, match.end()) :][:1]])],
            lead=masked[max(lead, match.start() - REACH) : match.start()],
        )
        document.formulas.append(formula)
        if formula.display:
            lead = match.end()
    return document


def _covered(match: re.Match[str], by: str) -> str:
    """Return a match with all its characters but line ends replaced, so that places stay what they are."""
    return re.sub(r"[^\n]", by, match.group())


def _paragraph_start(match: re.Match[str]) -> int:
    """Return where a paragraph begins: behind empty lines, but at a heading or at the mark of a list."""
    return match.end() if match.group().startswith("\n") else match.start()


def _source(match: re.Match[str]) -> tuple[str, int]:
    """Return the LaTeX of a formula, an environment as one of lines, and where it begins in the text."""
    group = match.lastgroup or ""
    source, start = match[group], match.start(group)
    if group != "environment":
        return source, start
    name = match["name"] if match["name"].startswith("alignat") else "aligned"
    return f"\\begin{{{name}}}{source}\\end{{{name}}}", start


def chains(formula: Formula) -> Iterator[Chain]:
    """Yield the chains of a formula: what commas, arrows, words and wide blanks separate."""
    groups: list[tuple[list[Mark], list[Raw]]] = []
    for kind, part in _parts(formula.source):
        if groups and _continues(kind, part, groups[-1][0]):
            groups[-1][0].extend(part)
        elif groups and _is_condition([mark.token for mark in part]):
            groups[-1][1].extend(mark.token for mark in part)
        else:
            groups.append((part, []))
    for found, where in groups:
        yield _chain(formula, found, where)


def _parts(source: str) -> list[tuple[str, list[Mark]]]:
    """Return what stands between the breaks of a formula, with the kind of the break before it."""
    parts: list[tuple[str, list[Mark]]] = [("", [])]
    for mark in marks(source):
        if mark.kind in ("token", "relation"):
            parts[-1][1].append(mark)
        else:
            parts.append((mark.kind, []))
    return [(kind, part) for kind, part in parts if part]


def _continues(kind: str, part: list[Mark], before: list[Mark]) -> bool:
    """Tell whether a part goes on with the chain before it: "= ...", or after a line "+ ..."."""
    if part[0].kind == "relation":
        return True
    if kind not in ("line", "break"):
        return False
    if before[-1].token.text in OPERATORS:
        return True
    return kind == "line" and part[0].token.text in OPERATORS and not any(mark.kind == "relation" for mark in part)


def _is_condition(tokens: list[Raw]) -> bool:
    """Tell whether a part only compares indices or says where something is: (i != j), x > 0, i = 1, ..., n, w in V."""
    if tokens[0].text == "\\forall":
        return True
    inside = tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1
    if inside:
        tokens = tokens[1:-1]
    pieces = split(tokens, set(RELATIONS))
    relations = {sign for sign, _ in pieces[1:]}
    if relations <= BOUNDS and len(tokens) == 3 and tokens[0].text in INDEX_SIGNS and tokens[2].text.isdigit():
        return True
    if relations & APART and "=" not in relations:
        return True
    return bool(relations) and inside and all(token.text in INDEX_SIGNS for _, piece in pieces for token in piece)


def _chain(formula: Formula, found: list[Mark], where: list[Raw]) -> Chain:
    sides: list[list[Raw]] = [[]]
    relations: list[str] = []
    lines: list[int] = []
    for mark in found:
        if mark.kind == "relation":
            sides.append([])
            relations.append(EQUALS.get(mark.token.text, mark.token.text))
            lines.append(formula.line + formula.source.count("\n", 0, mark.token.start))
        else:
            sides[-1].append(mark.token)
    return Chain(
        sides=tuple(Side(tuple(side), _as_written(formula.source, side)) for side in sides),
        relations=tuple(relations),
        lines=tuple(lines),
        formula=formula,
        where=tuple(where),
    )


def _as_written(source: str, side: list[Raw]) -> str:
    """Return a side as it is written, on one line."""
    if not side:
        return ""
    text = source[side[0].start : side[-1].end]
    if source[: side[0].start].rstrip().endswith("\\left"):
        text = "\\left" + text
    if "\\begin" not in text:
        text = re.sub(r"\\\\\s*&?|(?<!\\)&(?=\s*[+\-])", " ", text)
    return " ".join(text.split())
