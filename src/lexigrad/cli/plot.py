"""`lexigrad plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Quiet, load_vectors, say
from lexigrad.errors import ParameterError

Vectors = Annotated[Path, typer.Argument(help="Word vectors, such as v.lexigrad.", show_default=False)]


def plot(
    model: Vectors,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Words, in the place of or besides --words.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture: .png, .svg or .pdf.", show_default=False)
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Option(
            help="Words to draw, separated by spaces or commas, also given repeatedly; by default the 50 most frequent.",
            show_default=False,
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
    from lexigrad.evaluation.plots import check_method, picture_path

    if output is None:
        raise ParameterError("--output is missing: name a picture, such as map.png")
    picture_path(output)
    check_method(method)
    given = [*(words or []), *(more or [])]
    if training and (given or neighbors):
        raise ParameterError("--training draws the loss: leave out the words and --neighbors")
    vectors = load_vectors(model)
    if training:
        vectors.plot_training(output)
    else:
        listed = [vectors.item(word) for text in given for word in _split(vectors, text)]
        unknown = [str(word) for word in listed if not _has_vector(vectors, word)]
        if unknown:
            say(f"error: no vector for {', '.join(unknown)}; leave {'them' if len(unknown) > 1 else 'it'} out")
            raise typer.Exit(1)
        if given and not listed:
            raise ParameterError("--words names no word: give some, or leave it out for the 50 most frequent")
        vectors.plot(listed or None, output, method, neighbors)
    say(f"{output} is drawn", quiet)


def _split(vectors: Any, text: str) -> list[str]:
    """Return the words in a text; one that is itself a word, such as "," or "1,000", stays whole."""
    return [text] if vectors.item(text) in vectors else text.replace(",", " ").split()


def _has_vector(vectors: Any, word: Any) -> bool:
    try:
        vectors[word]
    except KeyError:
        return False
    return True
