"""The check of derivations on some hundred texts whose truth was found without it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lexigrad import derivations
from lexigrad.derivations.judging.judge import Step

CORPUS = Path(__file__).parent / "corpus"
FOLDERS = sorted(path.name for path in CORPUS.iterdir() if path.is_dir())
TEXTS = [
    (folder, name)
    for folder in FOLDERS
    for name in json.loads((CORPUS / folder / "expected.json").read_text(encoding="utf-8"))
]

UNREAD = {
    ("families", "log-sum-exp.md"),  # a name that only words define
    ("families", "small-and-large.md"),  # an operator that the text makes up
    ("classics", "c07-logits.md"),  # a function that only words define
    ("hands", "tx-03-word2vec-superscripts.md"),  # indices of indices, w_O
    ("hands", "tx-18-recurrent.md"),  # a recurrence through two names
}
"""Texts of which a step is unread."""


def expected(folder: str, name: str) -> list[dict[str, Any]]:
    return json.loads((CORPUS / folder / "expected.json").read_text(encoding="utf-8"))[name]["steps"]  # type: ignore[no-any-return]


def plain(latex: str) -> str:
    return re.sub(r"[\s&{}]|\\left|\\right|\\,|\\;|\\!|\\quad", "", latex).rstrip(".,;")


def paired(folder: str, name: str) -> list[tuple[dict[str, Any], Step | None]]:
    """Return each step whose verdict is known with ours, by line and sides."""
    steps = derivations.check((CORPUS / folder / name).read_text(encoding="utf-8"))
    pairs = []
    for known in expected(folder, name):
        here = [step for step in steps if step.line == known["line"]]
        same = [
            step
            for step in here
            if plain(step.left) == plain(known["left"]) and plain(step.right) == plain(known["right"])
        ]
        found = next(iter(same or here), None)
        if found is not None:
            steps.remove(found)
        pairs.append((known, found))
    assert not [step for step in steps if step.verdict == "fails"], "a step fails that is none"
    return pairs


@pytest.mark.parametrize(("folder", "name"), TEXTS, ids=[f"{folder}-{name}" for folder, name in TEXTS])
def test_verdicts(folder: str, name: str) -> None:
    pairs = paired(folder, name)
    verdicts = Counter()
    for known, step in pairs:
        assert step is not None, known
        verdicts[step.verdict] += 1
        if step.verdict == "unread":
            assert (folder, name) in UNREAD, (known, step.reason)
            assert step.reason
        elif known["verdict"] == "fails":
            assert step.verdict == "fails", known
            assert step.counterexample is not None
        else:
            assert step.verdict in ("holds", "definition"), (known, step.counterexample)
    assert (verdicts["unread"] > 0) == ((folder, name) in UNREAD)


def test_half_of_the_texts_have_an_error() -> None:
    planted = sum(any(step["verdict"] == "fails" for step in expected(*text)) for text in TEXTS)
    assert len(TEXTS) >= 60
    assert planted * 2 == len(TEXTS)


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if (CORPUS / folder / "verify.py").exists()])
def test_the_truth_is_true(folder: str) -> None:
    """Each folder has the values of both sides of its steps as plain NumPy, written without the check."""
    script = CORPUS / folder / "verify.py"
    runner = ["-m", "pytest", "-q"] if "def test_" in script.read_text(encoding="utf-8") else []
    answer = subprocess.run(
        [sys.executable, *runner, str(script)], capture_output=True, text=True, check=False, timeout=300
    )
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
