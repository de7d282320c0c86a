"""The settings of a classifier as options, for the verbs that train one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.errors import ParameterError

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the model goes.", show_default=False)]
Dim = Annotated[int, typer.Option(help="Length of the vectors.")]
Epochs = Annotated[int, typer.Option(help="Passes over the texts.")]
Lr = Annotated[float, typer.Option(help="Learning rate at the start; 0.1 to 1 is usual.")]
Loss = Annotated[str, typer.Option(help="softmax, one_vs_all, hierarchical_softmax or negative_sampling.")]
Negatives = Annotated[int, typer.Option(help="Labels drawn for each text by negative sampling.")]
WordNgrams = Annotated[int, typer.Option(help="Longest run of words that is a feature; 2 often helps.")]
MinN = Annotated[int, typer.Option(help="Shortest character n-gram.")]
MaxN = Annotated[int, typer.Option(help="Longest character n-gram; 0 for none.")]
Buckets = Annotated[
    int | None, typer.Option(help="Buckets for n-grams; by default fitted to the data.", show_default=False)
]
MinCount = Annotated[int, typer.Option(help="Words that occur less often have no vector.")]
Tokenizer = Annotated[
    str, typer.Option(help="words (lower-case, punctuation split off) or whitespace (as fastText).")
]  # fmt: skip
LabelPrefix = Annotated[str, typer.Option(help="What marks a label in fastText lines.")]
Seed = Annotated[int, typer.Option(help="With --threads 1 it decides every bit of the model.")]
Deterministic = Annotated[bool, typer.Option(help="Not served yet: use --threads 1.")]


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a classifier among the arguments of a verb; `quiet` is the opposite of verbose."""
    from lexigrad.models.text_classifier import PARAMETERS

    return {**{name: given[name] for name in PARAMETERS if name in given}, "verbose": not given["quiet"]}


def check_folder(output: Path) -> None:
    """Refuse a place where no file can be written, before time is spent."""
    if not output.absolute().parent.is_dir():
        raise ParameterError(f"--output {output}: there is no folder {output.parent}; make it first")


ONLY_VECTORS = (".vec", ".output")
"""Files that hold vectors, and no classifier."""


def check_classifier_form(output: Path) -> None:
    """Refuse a form of file that would lose the classifier, before time is spent."""
    if output.suffix.lower() in ONLY_VECTORS:
        raise ParameterError(
            f"{output}: {output.suffix} holds vectors and no classifier: write a .lexigrad file, and from it "
            f"lexigrad convert MODEL.lexigrad {output}"
        )


def check_form(output: Path, tokenizer: str, quantised: str | None, how: str = "") -> None:
    """Refuse a form of file that a classifier to be trained cannot have, before time is spent.

    `tokenizer` is the one that it is sure to have, or ""; `quantised` says how to have it quantised, or is None where it will be; `how` is what else
    makes the tokeniser sure.
    """
    check_classifier_form(output)
    extension = output.suffix.lower()
    if extension in (".bin", ".ftz") and tokenizer != "whitespace":
        raise ParameterError(
            f"--output {output}: fastText's files need its tokeniser: add --tokenizer whitespace{how}, or write a .lexigrad file"
        )
    if extension == ".ftz" and quantised is not None:
        raise ParameterError(f"--output {output}: .ftz is for quantised models: {quantised}")


def beginning(vectors: Path | None, keep_unseen: bool) -> dict[str, Any]:
    """Return the arguments of training that say where it begins."""
    if vectors is not None and not vectors.is_file():
        raise ParameterError(f"--vectors {vectors}: there is no such file")
    if vectors is None and not keep_unseen:
        raise ParameterError("--no-keep-unseen is about words of given vectors: add --vectors, or leave it out")
    return {"vectors": vectors, "keep_unseen": keep_unseen}
