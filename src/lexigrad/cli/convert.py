"""`lexigrad convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lexigrad.cli.output import Quiet, load_vectors, say


def convert(
    source: Annotated[Path, typer.Argument(help="Word vectors in any form that lexigrad reads.", show_default=False)],
    target: Annotated[
        Path, typer.Argument(help="The file to write; its extension says in which form.", show_default=False)
    ],
    format: Annotated[
        str | None,
        typer.Option(
            help="native, text, binary, numpy, arrow or parquet; by default what the extension says.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write word vectors in another form: .lexigrad, .vec and .txt (word2vec's text), .npz, .arrow, .parquet.

    word2vec's binary form is --format binary.

    Example: lexigrad convert GoogleNews-vectors-negative300.bin news.lexigrad
    """
    vectors = load_vectors(source)
    vectors.save(target, format)
    n, dim = vectors.vectors.shape
    say(f"{target}: {n:,} words, {dim} numbers each, {target.stat().st_size / 1e6:,.1f} MB", quiet)
