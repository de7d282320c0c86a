"""`lexigrad check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lexigrad.cli.output import Json, Quiet, print_json, say

FAILED = 1
UNREAD = 3
"""Exit codes: a step fails; none fails, but some could not be read."""

Notes = Annotated[
    Path,
    typer.Argument(help="Markdown with LaTeX, or - for standard input.", show_default=False),
]


def check(notes: Notes, json: Json = False, quiet: Quiet = False) -> None:
    """Check a derivation: evaluate both sides of every = at random points, in arithmetic with many digits.

    Prints the text with a mark beside each line: ✓ holds, ✗ fails (with the point and both values), = defines a name, ? could not be read
    (with the reason). Exits with 0 if every step holds, 1 if one fails, 3 if none fails but some could not be read.
    Example: lexigrad check notes.md
    """
    text = _text(notes)
    from lexigrad import derivations

    steps = derivations.check(text, on_step=None if quiet or not sys.stderr.isatty() else _progress)
    if json:
        print_json([step.to_dict() for step in steps])
    else:
        from lexigrad.derivations.page import summary

        sys.stdout.write(f"{derivations.report(text, steps)}\n\n{summary(steps)}\n")
    if not steps:
        say(f"{notes}: there is no equality in a formula; formulas stand between dollar signs", quiet)
    verdicts = {step.verdict for step in steps}
    if "fails" in verdicts:
        raise typer.Exit(FAILED)
    if "unread" in verdicts:
        raise typer.Exit(UNREAD)


def _text(notes: Path) -> str:
    if str(notes) != "-" and not notes.is_file():
        raise typer.BadParameter(f"there is no file {notes}; expected a Markdown file, or - for standard input")
    try:
        return sys.stdin.read() if str(notes) == "-" else notes.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(
            f"{notes} is not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from None


def _progress(done: int, total: int) -> None:
    """Show how far the check is, on one line of a terminal."""
    end = "\r" if done < total else "\r\x1b[K"
    sys.stderr.write(f"{done}/{total} steps{end}")
    sys.stderr.flush()
