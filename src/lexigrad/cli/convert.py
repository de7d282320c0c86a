"""`lexigrad convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lexigrad.cli.output import Quiet, load_any, say
from lexigrad.errors import ParameterError


def convert(
    source: Annotated[
        Path, typer.Argument(help="A model or word vectors in any form that lexigrad reads.", show_default=False)
    ],
    target: Annotated[
        Path, typer.Argument(help="The file to write; its extension says in which form.", show_default=False)
    ],
    format: Annotated[
        str | None,
        typer.Option(
            help="For word vectors: native, fasttext, text, output, binary, numpy, arrow or parquet; by default what the extension says.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a model in another form.

    Classifiers: .lexigrad, and fastText's .bin, .ftz (quantised), .vec (its words), .output (its labels). Word vectors: .lexigrad, .vec and .txt
    (word2vec's text), .output, .npz, .arrow, .parquet; --format fasttext is fastText's .bin, --format binary word2vec's.

    Example: lexigrad convert lid.176.ftz languages.lexigrad
    """
    model = load_any(source, quiet)
    classifier = hasattr(model, "predict")
    if classifier and format is not None:
        raise ParameterError(
            f"--format {format}: {source} is a classifier, whose form goes by the extension of {target}"
        )
    if classifier:
        model.save(target)
        what = f"{len(model.classes_):,} labels"
    else:
        model.save(target, format)
        what = f"{len(model):,} words"
    say(f"{target}: {what}, {model.fitted.dim} numbers each, {target.stat().st_size / 1e6:,.1f} MB", quiet)
