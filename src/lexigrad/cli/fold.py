"""`lexigrad fold`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lexigrad.cli.output import Quiet, load_model, say
from lexigrad.cli.settings import check_classifier_form
from lexigrad.errors import ParameterError


def fold(
    model: Annotated[Path, typer.Argument(help="A trained classifier, also .bin or .ftz.", show_default=False)],
    target: Annotated[Path, typer.Argument(help="Where the folded model goes.", metavar="OUTPUT", show_default=False)],
    dtype: Annotated[
        str, typer.Option(help="Of the table: float32, float16 or int8; the smaller, the further off.")
    ] = "float32",
    quiet: Quiet = False,
) -> None:
    """Make a small model for scoring: its two matrices multiplied, one number a word and bucket for two labels, one a score otherwise.

    It predicts the same, opens at once, and all processes of a machine share its memory. How far off float16 and int8 are: docs/scoring.md.

    Example: lexigrad fold dclm.bin dclm.lexigrad
    """
    if not target.absolute().parent.is_dir():
        raise ParameterError(f"{target}: there is no folder {target.parent}; make it first")
    if model.exists() and target.exists() and model.samefile(target):
        raise ParameterError(
            f"{target} is the whole model itself, which would be lost: give the folded one another name"
        )
    check_classifier_form(target)
    small = load_model(model, prepare=False).fold(dtype)
    small.save(target)
    rows, width = small.fitted.input.shape
    say(
        f"{target}: {rows:,} x {width:,} {dtype}, {target.stat().st_size / 1e6:,.1f} MB; scores are off by at most {small.fitted.facts['fold_error']:.2g}",
        quiet,
    )
