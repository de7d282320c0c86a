"""What prose assumes of a name: "y is one-hot", "the matrix $A$", "$x > 0$"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lexigrad.derivations.judging.names import Traits

FORMULA = re.compile(r"\$+([^$]+?)\$+|\\\((.+?)\\\)")
"""A formula in prose."""

SENTENCE_BEFORE = re.compile(r"[.;:!?]\s")
SENTENCE_BEHIND = re.compile(r"[.;:!?](?:\s|$)")
"""Where the sentence ends in what stands before a name, and in what stands behind it."""

REACH_BEFORE = 60
REACH_BEHIND = 90
"""Characters before and behind a formula that may speak of it."""

PLAIN_REACH_BEFORE = 40
PLAIN_REACH_BEHIND = 110
"""The same for a letter that is no formula."""

VERB = re.compile(r"^(?:[, ]|and )*(?:\$[^$]*\$[, and]*)*(?:is|are|be|being|as|denotes?|contains?|has|\(|,)?\s*")
"""What leads from a name, and others listed with it, to what is said of it."""

SIZE = re.compile(r"^(an? )\$[^$]*times[^$]*\$ ")
"""The size of a matrix: an $m \\times n$ matrix."""

ARTICLE = re.compile(r"^(?:an? |the |our |its |all |also |a fixed |any |some |now |their )*")
"""What may stand before the noun or adjective."""

PLAIN_SUBJECT = re.compile(r"(?<![\w$\\])([A-Za-z]) (?=(?:is|are|be)\b)")
"""A letter that is no formula and of which something is said; "a", "A" and "I" are words."""

PLAIN_KIND = re.compile(
    r"\b(vector|matrix|scalar|number) ([A-Za-z])\b(?![$'])"
    r"|(?<![\w$\\])([A-Za-z]) is an? (?:real |input )?(vector|matrix|scalar|number)"
)
"""A letter that is no formula with what it is: "the vector x"."""

PLAIN_ONE_HOT = re.compile(r"(?<![\w$\\])([a-z]) (?:is|be|are) (?:an? |the )?one-?\s?hot")
"""A letter that is no formula: "y is one-hot"."""

RANKS = {"vector": 1, "matrix": 2}


@dataclass(frozen=True)
class Saying:
    """A pattern of prose and what follows from it for the name; the patterns are those of what stands..."""

    traits: dict[str, Any]
    behind: re.Pattern[str] | None = None
    """...directly behind the name, after the verb and the article"""
    before: re.Pattern[str] | None = None
    """...directly before the name"""
    anywhere: re.Pattern[str] | None = None
    """...anywhere behind the name"""

    def holds(self, before: str, behind: str, tail: str) -> bool:
        """Tell whether the saying is one of the prose around a name; `tail` is `behind` after the verb and the article."""
        if self.anywhere is not None and self.anywhere.search(behind):
            return True
        if self.behind is not None and self.behind.match(tail):
            return True
        return self.before is not None and self.before.search(before) is not None


SAYINGS = (
    Saying(
        {"one_hot": True},  # "whose rows hold the one-hot labels", "each row is one-hot"
        anywhere=re.compile(
            r"(?:holds?|contains?|has|collects?) (?:the |their )?one[- ]hot|one[- ]hot rows"
            r"|rows (?:are|is) (?:each )?one[- ]hot|with one[- ]hot rows"
        ),
    ),
    Saying(
        {"sums_to_one": True},  # "is a vector whose entries sum to 1", without another formula between
        behind=re.compile(r"(?=[^$]*?(?:sum|add)s?\b).*?(?:sum|add(?: up)?)s? to (?:1|one|\$1\$)(?!\w)"),
    ),
    Saying(
        {"values": (-1, 1)},  # "is either +1 or -1", "is $\pm 1$"
        behind=re.compile(r"(?:\w+ )?(?:either )?(?:\$?\+?1\$?)[^.;]{0,40}(?:\$?-\s*1\$?)|(?:\$?\\pm ?1)"),
    ),
    Saying(
        {"values": (0, 1)},  # "is 0 or 1", "is binary", "the binary label $y$"
        behind=re.compile(r"(?:\w+ )?(?:either )?(?:\$?[01]\$?) (?:or|and) (?:\$?[01]\$?)|binary"),
        before=re.compile(r"binary (?:label|target)s? $"),
    ),
    Saying(
        {"one_hot": True},  # "is the true one-hot label", "the one-hot vector $y$"
        behind=re.compile(r"(?:true |target |label )*(?:\w+ )?one[- ]?hot"),
        before=re.compile(r"(?<!not )one[- ]hot(?: \w+){0,3} $"),
    ),
    Saying(
        {"rank": 1},  # "is a row vector", "the vector $x$"
        behind=re.compile(r"(?:known |fixed |real )?(?:row |column )?vectors?\b"),
        before=re.compile(r"\bvectors? $"),
    ),
    Saying(
        {"rank": 2},  # "is a square matrix", "the matrices $A$"
        behind=re.compile(r"(?:\w+ )?(?:square |real |weight |symmetric |orthogonal |positive definite )*matri"),
        before=re.compile(r"\b(?:matrix|matrices) $"),
    ),
    Saying(
        {"rank": 0},  # "is a number", "the constant $c$"
        behind=re.compile(r"(?:real |single |fixed |positive )?(?:scalar|number|constant)s?\b"),
        before=re.compile(r"\b(?:scalar|number|constant|real) $"),
    ),
    Saying(
        {"symmetric": True, "rank": 2},  # "is symmetric", "a matrix that is symmetric", "the symmetric matrix $A$"
        behind=re.compile(r"symmetric|matrix .{0,12}symmetric"),
        before=re.compile(r"\bsymmetric (?:matrix )?$"),
    ),
    Saying(
        {"orthogonal": True, "rank": 2},  # "is orthogonal", "the orthogonal matrix $Q$"
        behind=re.compile(r"orthogonal"),
        before=re.compile(r"\borthogonal (?:matrix )?$"),
    ),
    Saying(
        {"positive": True},  # "is strictly positive", but not "is positive definite"; "the positive number $t$"
        behind=re.compile(r"(?:strictly )?positive\b(?! (?:semi-?)?definite)"),
        before=re.compile(r"\bpositive (?:number |constant |scalar |real )?$"),
    ),
    Saying(
        {"sums_to_one": True, "rank": 1},  # "is a probability distribution", "the distributions $p$ and $q$"
        behind=re.compile(r"(?:\w+ )?(?:any |fixed )?(?:probability |discrete )?(?:distribution|probability vector)"),
        before=re.compile(r"\bdistributions? (?:\$[^$]*\$ and )?$"),
    ),
    Saying(
        {"sums_to_one": True},  # "whose" left out: "$y$, entries that sum to 1"
        behind=re.compile(
            r"(?:entries |components |elements )?(?:that |which )?(?:sums?|add(?:s)?(?: up)?) to (?:1|one|\$1\$)"
        ),
    ),
    Saying(
        {"unit_norm": True, "rank": 1},  # "has unit length", "unit vectors $u$"
        behind=re.compile(r"(?:that )?(?:has|of|with)?\s*(?:unit (?:length|norm)|norm (?:1|one))"),
        before=re.compile(r"unit vectors? $"),
    ),
    Saying(
        {"positive": True},  # "are probabilities"
        behind=re.compile(r"probabilit(?:y|ies)\b(?!.*distribution)"),
    ),
)
"""What prose says of names; where two contradict each other, the later one counts."""

SETS: tuple[tuple[re.Pattern[str], dict[str, Any]], ...] = (
    (re.compile(r"\\mathbb\{?R\}?\^\{?(?:1\\times|[^{}]*\\times1\})"), {"rank": 1}),  # R^{n x 1}
    (re.compile(r"\\mathbb\{?R\}?\^\{?[^{}]*\\times"), {"rank": 2}),  # R^{m x n}
    (re.compile(r"\\mathbb\{?R\}?\^"), {"rank": 1}),  # R^n
    (re.compile(r"\\mathbb\{?R\}?.*_"), {"rank": 0, "positive": True}),  # R_{>0}, R_+
    (re.compile(r"\\mathbb\{?R\}?"), {"rank": 0, "positive": False}),  # R
    (re.compile(r"\\\{0,1\\\}$"), {"values": (0, 1)}),  # {0, 1}
    (re.compile(r"\\\{0,1\\\}\^(?:[nK]|\{[nK]\})$"), {"values": (0, 1), "rank": 1}),  # {0, 1}^n
    (re.compile(r"\\\{(?:-1,\+?1|\+?1,-1|\\pm1)\\\}$"), {"values": (-1, 1)}),  # {-1, 1}
    (re.compile(r"(?:\(0,1\)|\[0,1\]|\]0,1\[)$"), {"unit_interval": True}),  # (0, 1)
    (re.compile(r".*\\Delta"), {"sums_to_one": True, "rank": 1}),  # the simplex
)
"""Sets, written without spaces, and what is assumed of their elements; the first that fits counts."""

MEMBER = re.compile(r"^(.+?)\s*\\in\s*(.+)$")
POSITIVE = re.compile(r"^(.+?)\s*(?:>|\\ge|\\geq)\s*0$")
"""x \\in S, and x > 0."""

SUM_IS_ONE = re.compile(
    r"^\\sum(?:\\limits)?\s*_?\s*(?:\{[^{}]*\}|\w)?\s*(?:\^\s*(?:\{[^{}]*\}|\w))?\s*(.+?)_\{?\w+\}?\s*=\s*1$"
)
"""sum_i y_i = 1."""

PRODUCT_IS_ONE = re.compile(
    r"^(\w+)\s*\^\s*\{?\\?(?:T|top|mathsf T)\}?\s*\\(?:mathbf|mathbb|boldsymbol)\s*\{?1\}?\s*=\s*1$"
    r"|^\\(?:mathbf|mathbb|boldsymbol)\s*\{?1\}?\s*\^\s*\{?\\?(?:T|top)\}?\s*(\w+)\s*=\s*1$"
)
"""y^T 1 = 1, 1^T y = 1."""

HOT = re.compile(r"^(.+?)_\{?(\w)\}?\s*=\s*1$")
"""y_k = 1."""

SYMMETRIC = re.compile(r"^(\w+)\s*=\s*\1\s*\^\s*\{?\\?(?:T|top)\}?$|^(\w+)\s*\^\s*\{?\\?(?:T|top)\}?\s*=\s*\2$")
"""A = A^T."""

NORM_IS_ONE = re.compile(r"^\\(?:\||lVert)\s*(.+?)\s*\\(?:\||rVert)(?:_2)?(?:\^2)?\s*=\s*1$")
"""||u|| = 1."""


GIVEN = re.compile(
    r"(?:\b(?:since|because|as|where|with|assum\w+|suppose|given|let|have|has|using|use|uses|that|if|for|when|and|so|only|means|satisf\w+)|[,(;:])\W*$"
)
"""What stands before an equality that is an assumption rather than a claim."""

CASE = re.compile(r"\b(?:for|if|when|case|unless)\W*$")
"""What stands before what holds in one case only: for $x > 0$."""

AT_ONCE = re.compile(r"\s*[:,]\W*(?!(?:we )?(?:let|define|put|set|write|consider|call)\b)")
"""What stands behind a case that the next formula alone is about: for $x > 0$, $|x| = x$."""

NOT_BEHIND = re.compile(r"^\W*(?:\w+\W+){0,2}?(?:not|never|need not|isn't|aren't|neither)\b")
NOT_BEFORE = re.compile(r"\b(?:not|unlike|without|no|neither|nor|instead of|rather than)\b\W*(?:\w+\W+){0,4}$")
"""What denies a saying."""


def traits_in(prose: str, name_of: dict[str, str]) -> dict[str, Traits]:
    """Return what prose says of names; `name_of` gives the name for each piece of LaTeX that stands for one alone."""
    found: dict[str, Traits] = {}
    text = re.sub(r"\s+", " ", prose)
    for name, traits in (*_of_formulas(text, name_of), *_of_letters(text)):
        found[name] = replace(found.get(name, Traits()), **traits)
    return found


Said = Iterator[tuple[str, dict[str, Any]]]
"""Names, and what is said of them."""


def _of_formulas(text: str, name_of: dict[str, str]) -> Said:
    """Yield what is said of the names that stand as formulas."""
    for match in FORMULA.finditer(text):
        source = (match.group(1) or match.group(2)).strip().rstrip(".,;")
        before = text[max(0, match.start() - REACH_BEFORE) : match.start()].lower()
        behind = text[match.end() : match.end() + REACH_BEHIND].lower()
        if not (CASE.search(before) and AT_ONCE.match(behind)):
            yield from _of_sets(source, name_of)
        listed = source.split(",") if "=" not in source else []
        pieces = [piece.strip() for piece in (source, source.split("\\in")[0], *listed)]
        names = [name_of[piece] for piece in pieces if piece in name_of]
        if not names and GIVEN.search(before):
            yield from _of_equations(source, name_of)
        for name in dict.fromkeys(names):
            yield from _of_words(name, SENTENCE_BEFORE.split(before)[-1], SENTENCE_BEHIND.split(behind)[0])


def _of_letters(text: str) -> Said:
    """Yield what is said of letters that stand in prose without dollar signs."""
    lower = text.lower()
    masked = re.sub(r"\$[^$]*\$", lambda one: f"${'x' * (len(one.group()) - 2)}$", text)
    for match in PLAIN_SUBJECT.finditer(masked):
        if match.group(1) not in ("a", "A", "I"):
            before = lower[max(0, match.start() - PLAIN_REACH_BEFORE) : match.start()]
            behind = lower[match.end() - 1 : match.end() - 1 + PLAIN_REACH_BEHIND]
            yield from _of_words(match.group(1), before, SENTENCE_BEHIND.split(behind)[0])
    for match in PLAIN_KIND.finditer(text):
        yield match.group(2) or match.group(3), {"rank": RANKS.get(match.group(1) or match.group(4), 0)}
    for match in PLAIN_ONE_HOT.finditer(lower):
        yield match.group(1), {"one_hot": True}


def _of_words(name: str, before: str, behind: str) -> Said:
    """Yield what the words around a name say."""
    if NOT_BEHIND.match(behind) or NOT_BEFORE.search(before):
        return
    tail = SIZE.sub(r"\1", VERB.sub("", behind, count=1))
    tail = ARTICLE.sub("", tail, count=1)
    for saying in SAYINGS:
        if saying.holds(before[-PLAIN_REACH_BEFORE:], behind, tail):
            yield name, saying.traits


def _of_sets(source: str, name_of: dict[str, str]) -> Said:
    r"""Yield what x \in S or x > 0 says."""
    member, positive = MEMBER.match(source), POSITIVE.match(source)
    if member is None:
        for part in positive.group(1).split(",") if positive is not None else ():
            if part.strip() in name_of:
                yield name_of[part.strip()], {"positive": True}
        return
    values = re.sub(r"\\[,;! ]|\s", "", member.group(2))
    traits = next((traits for pattern, traits in SETS if pattern.match(values)), {})
    for part in re.split(r",\s*", member.group(1)):
        name = name_of.get(part.strip()) or name_of.get(re.sub(r"_\{?\w\}?$", "", part.strip()))
        if name is not None and traits:
            yield name, traits


def _of_equations(source: str, name_of: dict[str, str]) -> Said:
    """Yield what an equality says that is an assumption."""
    if (match := SUM_IS_ONE.match(source)) and match.group(1).strip() in name_of:
        yield name_of[match.group(1).strip()], {"sums_to_one": True}
    elif match := PRODUCT_IS_ONE.match(source):
        yield match.group(1) or match.group(2), {"sums_to_one": True}
    elif (match := HOT.match(source)) and match.group(1).strip() in name_of and not match.group(2).isdigit():
        yield name_of[match.group(1).strip()], {"hot_index": match.group(2)}
    elif match := SYMMETRIC.match(source):
        yield match.group(1) or match.group(2), {"symmetric": True, "rank": 2}
    elif (match := NORM_IS_ONE.match(source)) and match.group(1) in name_of:
        yield name_of[match.group(1)], {"unit_norm": True, "rank": 1}
