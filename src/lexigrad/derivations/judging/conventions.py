"""What a document says of its notation: layouts of derivatives, rows and columns, numbers of entries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lexigrad.derivations.judging.steps import Steps

ROW_VECTORS = re.compile(
    r"row vector|vectors? (?:is|are) (?:a )?rows?\b|\b(?:is|are|be) (?:a )?rows?\b|\ba (?:one-hot )?row \$|one-hot row\b"
)
COLUMN_VECTORS = re.compile(r"column vector|vectors? (?:is|are) (?:a )?columns?\b")
"""Vectors are rows; vectors are columns."""

ROWS = (
    re.compile(r"\$([A-Z])\$ has (?:the |as )?rows"),  # "$U$ has the rows"
    re.compile(r"rows? (?:\d+ )?of (?:the )?(?:matrix )?\$?\\?(?:math\w+\{)?([A-Z])\b"),  # "is row 3 of $U$"
    re.compile(r"\$([A-Z])\$[^.]{0,60}as (?:its |the )?rows"),  # "$U$ with the $u_w$ as its rows"
)
"""The family u_w is the rows of a matrix."""

COLUMNS = (
    re.compile(r"columns? (?:\d+ )?of (?:the )?(?:matrix )?\$?\\?(?:math\w+\{)?([A-Z])\b"),
    re.compile(r"\$([A-Z])\$[^.]{0,60}as (?:its |the )?columns"),
)
"""The same for columns."""

CLASSES = (
    re.compile(r"\$([A-Z])\$ (?:\w+ ){0,2}(?:classes|labels|categories|outcomes)\b"),  # "$K$ possible classes"
    re.compile(r"number of (?:\w+ )?(?:classes|labels|categories|outcomes)(?: (?:be|is))? \$([A-Z])\$"),
)
"""The number of classes has a name."""

FEW = re.compile(
    r"\b(two|2|three|3|binary)[- ](?:\w+ )?"
    r"(?:class|label|categor|outcome|score|dimension|component|entr|element|input|logit)",
    re.IGNORECASE,
)
"""There are two classes, or three."""

NUMBERS = {"two": 2, "2": 2, "binary": 2, "three": 3, "3": 3}


@dataclass
class Conventions:
    """What a document says of its notation."""

    denominator_layout: bool | None = None
    orientation: str | None = None
    rows: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    count: str | None = None
    """The name of the number of classes."""
    lengths: dict[str, int] = field(default_factory=dict)
    """How many entries vectors have whose entries are all written out."""


def conventions(steps: Steps) -> Conventions:
    """Return what the prose of a document says of its notation."""
    prose = " ".join(" ".join(steps.document.sections).split())
    lower = prose.lower()
    layouts = [whether for name, whether in (("denominator", True), ("numerator", False)) if f"{name} layout" in lower]
    return Conventions(
        denominator_layout=layouts[-1] if layouts else None,
        orientation=_orientation(lower),
        rows=frozenset(name for pattern in ROWS for name in pattern.findall(prose)),
        columns=frozenset(name for pattern in COLUMNS for name in pattern.findall(prose)),
        count=_count(steps, prose),
        lengths=_lengths(steps, prose),
    )


def _orientation(prose: str) -> str | None:
    if COLUMN_VECTORS.search(prose):
        return "column"
    return "row" if ROW_VECTORS.search(prose) else None


def _count(steps: Steps, prose: str) -> str | None:
    """Return the name of the number of classes, if it is the only name that ends ranges."""
    found = next((match for pattern in CLASSES if (match := pattern.search(prose))), None)
    return found.group(1) if found and not steps.usage.bounds - {found.group(1)} else None


def _lengths(steps: Steps, prose: str) -> dict[str, int]:
    """Return how many entries vectors have, where the text speaks of so many and writes them all."""
    few = FEW.search(prose)
    if few is None:
        return {}
    number = NUMBERS[few.group(1).lower()]
    every = set(range(1, number + 1))
    return {
        name: number
        for name, below in steps.usage.below.items()
        if {int(one) for one in below if one.isdigit()} == every
    }
