"""The report for people: the document's lines with a mark beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from lexigrad.derivations.judging.steps import Step

MARKS = {"fails": "✗", "unread": "?", "holds": "✓", "definition": "="}
"""What stands beside a line, the worst first."""

MOST_ENTRIES = 6
"""Entries of a list that are shown."""


def page(text: str, steps: Sequence[Step]) -> str:
    """Return the report."""
    by_line: dict[int, list[Step]] = defaultdict(list)
    for step in steps:
        by_line[step.line].append(step)
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        here = by_line.get(number, [])
        mark = next((sign for verdict, sign in MARKS.items() if any(step.verdict == verdict for step in here)), " ")
        lines.append(f"{mark} {line}".rstrip())
        for step in here:
            lines += _detail(step)
    return "\n".join(lines)


def summary(steps: Sequence[Step]) -> str:
    """Return how many steps there are of each verdict."""
    count = {verdict: sum(step.verdict == verdict for step in steps) for verdict in MARKS}
    steps_of = "1 step" if len(steps) == 1 else f"{len(steps)} steps"
    return f"{steps_of}: {count['holds']} hold, {count['definition']} define a name, {count['fails']} fail, {count['unread']} could not be read"


def _detail(step: Step) -> list[str]:
    """Return what there is to say of a step that fails or could not be read."""
    if step.verdict not in ("fails", "unread"):
        return []
    lines = [f"    {MARKS[step.verdict]} {step.left} = {step.right}"]
    if step.reason:
        lines.append(f"      {step.reason}")
    if step.counterexample is not None:
        point = ", ".join(f"{name} = {_shown(value)}" for name, value in step.counterexample["point"].items())
        left, right = (_shown(step.counterexample[side]) for side in ("left", "right"))
        lines.append(f"      {f'at {point}: ' if point else ''}left {left}, right {right}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, list):
        parts = [_shown(part) for part in value[:MOST_ENTRIES]] + ["..."] * (len(value) > MOST_ENTRIES)
        return f"[{', '.join(parts)}]"
    return f"{value:.6g}"
