"""README and docs: Python blocks run, console blocks answer as shown, docstrings' examples hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lexigrad

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TRAIN = "__label__tea green leaves in hot water\n__label__coffee roasted beans in hot water\n"


def blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: lexigrad.TextClassifier
) -> None:
    monkeypatch.chdir(tmp_path)
    trained.save("m.lexigrad")
    namespace: dict[str, object] = {}
    for body in blocks(page, "python"):
        exec(compile(body, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=lambda page: page.name)
def test_console_blocks_answer_as_shown(page: Path, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(TRAIN)
    script = tmp_path / "lexigrad"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from lexigrad.cli import main; main()' \"$@\"\n")
    script.chmod(0o755)
    for body in blocks(page, "console"):
        for entry in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, shown = entry.partition("\n")
            answer = subprocess.run(
                ["sh", "-c", f'PATH="{tmp_path}:$PATH"; {command}'],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert answer.returncode == 0, answer.stderr
            _check(shown, answer.stdout, command)


def _check(shown: str, answer: str, command: str) -> None:
    """Compare, "..." standing for anything; times and learned numbers differ from run to run."""
    if command.startswith("lexigrad demo"):
        shown, answer = (re.sub(r"[+-]?\d+(\.\d+)?", "0", text) for text in (shown, answer))
        for line in shown.splitlines():
            if line.endswith(".") and line != "...":
                assert line in answer, line
        return
    pattern = ".*".join(re.escape(part) for part in shown.rstrip("\n").split("..."))
    assert re.fullmatch(pattern, answer.rstrip("\n"), re.DOTALL), (shown, answer)


LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return the names that the headings of a page have as targets of links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    broken = []
    for target in LINK.findall(text):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def modules() -> list[str]:
    return [info.name for info in pkgutil.walk_packages(lexigrad.__path__, "lexigrad.")]


@pytest.mark.parametrize("name", ["lexigrad", *modules()])
def test_docstring_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
