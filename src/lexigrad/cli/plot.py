"""`lexigrad plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lexigrad.cli.output import Quiet, load_vectors, say
from lexigrad.errors import ParameterError

Vectors = Annotated[Path, typer.Argument(help="Word vectors, such as v.lexigrad.", show_default=False)]


def plot(
    model: Vectors,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="More words.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture: .png, .svg or .pdf.", show_default=False)
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Option(
            help="Words to draw, separated by spaces or commas; by default the 50 most frequent.", show_default=False
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="pca, tsne or umap.")] = "pca",
    neighbors: Annotated[int, typer.Option(help="Add so many nearest words of each.")] = 0,
    training: Annotated[
        bool, typer.Option("--training", help="Draw the course of the training's loss instead.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Draw a map of words, or the course of the training, as a picture.

    Example: lexigrad plot v.lexigrad --words tea coffee water --output map.png
    """
    if output is None:
        raise ParameterError("--output is missing: name a picture, such as map.png")
    vectors = load_vectors(model)
    if training:
        vectors.plot_training(output)
    else:
        listed = [word for given in [*(words or []), *(more or [])] for word in given.replace(",", " ").split()]
        missing = [word for word in listed if vectors.item(word) not in vectors]
        unknown = [word for word in missing if not _has_vector(vectors, word)]
        if unknown:
            say(f"error: no vector for {', '.join(unknown)}; leave {'them' if len(unknown) > 1 else 'it'} out")
            raise typer.Exit(1)
        vectors.plot([vectors.item(word) for word in listed] or None, output, method, neighbors)
    say(f"{output} is drawn", quiet)


def _has_vector(vectors: object, word: str) -> bool:
    try:
        vectors[word]  # type: ignore[index]
    except KeyError:
        return False
    return True
