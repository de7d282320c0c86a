"""`lexigrad fasttext`: fastText's own verbs, with its arguments."""

from __future__ import annotations

from typing import Annotated

import typer

from lexigrad.cli.output import compile_note
from lexigrad.errors import LexigradError

SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""Arguments with one dash are no business of typer's."""


def fasttext(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERB ...", help="What would follow the name fasttext.", show_default=False),
    ] = None,
) -> None:
    """Run a verb of fastText as fastText has it: the same arguments, files and output.

    Verbs: supervised, skipgram, cbow, quantize, test, test-label, predict, predict-prob, print-word-vectors, print-sentence-vectors, print-ngrams,
    nn, analogies, dump.

    Example: lexigrad fasttext supervised -input train.txt -output m -wordNgrams 2
    """
    from lexigrad.compat.fasttext.shell import run

    try:
        run(arguments or [], compile_note)
    except LexigradError:
        raise
    except (ValueError, RuntimeError) as error:
        raise LexigradError(str(error)) from error
