"""`lexigrad prove`."""

from __future__ import annotations

import itertools
import sys
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lexigrad.cli.output import Json, Quiet, compile_note, print_json, say

if TYPE_CHECKING:
    from lexigrad.maths.proofs import CheckResult, Claim, Verdict

WIDTH = 160
"""Columns of the table where standard output is not a terminal."""

Names = Annotated[list[str] | None, typer.Argument(help="Claims to check; by default all.", show_default=False)]
File = Annotated[
    Path | None, typer.Option(help="Check the claims of this Python file.", show_default=False, metavar="PATH")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the page docs/proofs.md.")]


def prove(
    names: Names = None, file: File = None, markdown: Markdown = False, json: Json = False, quiet: Quiet = False
) -> None:
    """Check the mathematics that this package rests on: by algebra, in 200-bit arithmetic, and on its own functions.

    Exits with 1 if a claim did not turn out as expected. Example: lexigrad prove sigmoid_derivative
    """
    with compile_note(quiet):
        from lexigrad.maths import proofs

    own = proofs.load_file(file) if file else []
    claims: list[str | Claim] = [*own, *(names or ())] or [*proofs.NAMES]
    number = itertools.count(1)
    verdicts = proofs.prove(claims, on_claim=lambda claim: say(f"{next(number):3}/{len(claims)} {claim.name}", quiet))
    if markdown:
        sys.stdout.write(proofs.markdown(verdicts))
    elif json:
        print_json([verdict.to_dict() for verdict in verdicts])
    else:
        _print_table(verdicts)
    if not all(verdict.as_expected for verdict in verdicts):
        raise typer.Exit(1)


def _print_table(verdicts: list[Verdict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("", "claim", "verdict"):
        table.add_column(name, no_wrap=True, overflow="fold")
    for name in ("symbolic", "200 bits", "shipped"):
        table.add_column(name)
    table.add_column("seconds", justify="right")
    for verdict in verdicts:
        checks = {check.kind: check for check in verdict.checks}
        cells = [_cell(checks.get(kind)) for kind in ("symbolic", "numeric", "shipped")]
        mark = "[green]✓[/]" if verdict.as_expected else "[red]✗[/]"
        table.add_row(mark, verdict.claim.name, verdict.outcome, *cells, f"{verdict.seconds:.2f}")
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(table)
    for verdict in verdicts:
        for kind, text in verdict.counterexamples.items():
            sys.stdout.write(f"\n{verdict.claim.name}, {kind}\n  {text}\n")
    unexpected = [verdict.claim.name for verdict in verdicts if not verdict.as_expected]
    seconds = sum(verdict.seconds for verdict in verdicts)
    sys.stdout.write(f"\n{len(verdicts)} claims in {seconds:.1f} s, {len(unexpected)} not as expected\n")
    for verdict in verdicts:
        if not verdict.as_expected:
            sys.stdout.write(f"  {verdict.claim.name}: {verdict.outcome}, expected {verdict.claim.expected}\n")


def _cell(check: CheckResult | None) -> str:
    """Return the scope and worst error of a check."""
    if check is None:
        return ""
    failed = "" if check.outcome == "proven" else f"{check.outcome}: "
    return f"{failed}{check.scope}{_error(check)}"


def _error(check: CheckResult) -> str:
    if check.worst_error is None:
        return ""
    if check.worst_error == 0:
        return ", exact"
    if check.kind == "numeric" and 0 < check.worst_error < 1e-9:
        return f", 2^{log2(check.worst_error):.0f}"
    return f", {check.worst_error:.1e}"
