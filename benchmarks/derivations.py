"""How many steps of derivations, whose truth is known, `lexigrad check` judges right: the sets in tests/derivations/corpus.

python -m benchmarks.derivations
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.measure import header, table
from lexigrad import derivations

CORPUS = Path(__file__).parents[1] / "tests" / "derivations" / "corpus"


def judged(folder: Path, name: str, known: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the true verdict and ours for each step, in the order of the text, line by line."""
    steps = derivations.check((folder / name).read_text(encoding="utf-8"))
    pairs = []
    for truth in known:
        ours = next(
            (step for step in steps if step.line == truth["line"] and step.left.split() == truth["left"].split()), None
        )
        ours = ours or next((step for step in steps if step.line == truth["line"]), None)
        if ours is not None:
            steps.remove(ours)
        pairs.append((truth["verdict"], ours.verdict if ours is not None else "unread"))
    return pairs


def count(folder: Path) -> list[str]:
    """Return the row of a set."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    steps: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    start = time.perf_counter()
    for name, truth in expected.items():
        kinds = []
        for known, ours in judged(folder, name, truth["steps"]):
            right = ours == known or {ours, known} == {"holds", "definition"}
            kinds.append("unread" if ours == "unread" else "right" if right else "wrong")
            steps["wrong held"] += known == "fails" and ours in ("holds", "definition")
        steps.update(kinds)
        texts["wrong" if "wrong" in kinds else "unread" if "unread" in kinds else "right"] += 1
    seconds = time.perf_counter() - start
    judged_steps = sum(steps[kind] for kind in ("right", "unread", "wrong"))
    return [
        folder.name, f"{len(expected)}", f"{texts['right']}", f"{texts['unread']}", f"{texts['wrong']}", f"{judged_steps:,}",
        f"{steps['unread']}", f"{steps['wrong']}", f"{steps['wrong held']}", f"{seconds:.1f} s",
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    print(header("benchmarks.derivations"))
    rows = [count(folder) for folder in sorted(CORPUS.iterdir()) if folder.is_dir()]
    names = [
        "set",
        "texts",
        "all right",
        "some unread",
        "some wrong",
        "steps",
        "unread",
        "wrong",
        "wrong held for right",
        "time",
    ]
    print(table(names, rows))


if __name__ == "__main__":
    main()
