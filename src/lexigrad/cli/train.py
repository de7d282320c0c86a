"""`lexigrad train`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import (
    Given,
    Input,
    Json,
    KeepUnseen,
    Label,
    Quiet,
    Text,
    Threads,
    compile_note,
    compiled_beside,
    print_json,
    say,
)
from lexigrad.errors import ParameterError


def train(
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the model goes.", show_default=False)],
    dim: Annotated[int, typer.Option(help="Length of the vectors.")] = 100,
    epochs: Annotated[int, typer.Option(help="Passes over the texts.")] = 5,
    lr: Annotated[float, typer.Option(help="Learning rate at the start; 0.1 to 1 is usual.")] = 0.1,
    loss: Annotated[
        str, typer.Option(help="softmax, one_vs_all, hierarchical_softmax or negative_sampling.")
    ] = "softmax",
    negatives: Annotated[int, typer.Option(help="Labels drawn for each text by negative sampling.")] = 5,
    word_ngrams: Annotated[int, typer.Option(help="Longest run of words that is a feature; 2 often helps.")] = 1,
    min_n: Annotated[int, typer.Option(help="Shortest character n-gram.")] = 0,
    max_n: Annotated[int, typer.Option(help="Longest character n-gram; 0 for none.")] = 0,
    buckets: Annotated[
        int | None, typer.Option(help="Buckets for n-grams; by default fitted to the data.", show_default=False)
    ] = None,
    min_count: Annotated[int, typer.Option(help="Words that occur less often have no vector.")] = 1,
    tokenizer: Annotated[
        str, typer.Option(help="words (lower-case, punctuation split off) or whitespace (as fastText).")
    ] = "words",
    label_prefix: Annotated[str, typer.Option(help="What marks a label in fastText lines.")] = "__label__",
    threads: Threads = None,
    seed: Annotated[int, typer.Option(help="With --threads 1 it decides every bit of the model.")] = 0,
    deterministic: Annotated[bool, typer.Option(help="Not served yet: use --threads 1.")] = False,
    vectors: Given = None,
    keep_unseen: KeepUnseen = True,
    text: Text = "text",
    label: Label = "label",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train a classifier on a file and save it.

    Lines look like "__label__spam buy now"; a line may have several labels. Files with columns name theirs by --text
    and --label. Ctrl-C saves
    what was learned so far.

    Example: lexigrad train reviews.csv --label stars --output m.lexigrad --word-ngrams 2 --lr 0.5
    """
    params = {
        "dim": dim, "epochs": epochs, "lr": lr, "loss": loss, "negatives": negatives, "word_ngrams": word_ngrams, "min_n": min_n, "max_n": max_n,
        "buckets": buckets,
        "min_count": min_count, "tokenizer": tokenizer, "label_prefix": label_prefix, "threads": threads, "seed": seed,
        "deterministic": deterministic, "verbose": not quiet,
    }  # fmt: skip
    if not output.absolute().parent.is_dir():
        raise ParameterError(f"--output {output}: there is no folder {output.parent}; make it first")
    if vectors is not None and not vectors.is_file():
        raise ParameterError(f"--vectors {vectors}: there is no such file")
    start = {"vectors": vectors, "keep_unseen": keep_unseen}
    model = _trained(input, output, params, start, text, label, quiet)
    model.save(output)
    _report(model, output, json, quiet)


def _trained(
    input: Path, output: Path, params: dict[str, Any], start: dict[str, Any], text: str, label: str, quiet: bool
) -> Any:
    from lexigrad.models.parameters import check_parameters

    check_parameters(params)
    kernels = ("from lexigrad.kernels import classifier", f"classifier.train_by(classifier.CODES[{params['loss']!r}])")
    with compile_note(quiet), compiled_beside(*kernels):
        importlib.import_module("lexigrad.models.trainer")
        from lexigrad import TextClassifier
    model = TextClassifier(**params)
    try:
        model.fit_file(input, text=text, label=label, **start)
    except KeyboardInterrupt:
        if model.__sklearn_is_fitted__():
            model.save(output)
            say(f"interrupted: what was learned so far is in {output}")
        raise
    return model


def _report(model: Any, output: Path, json: bool, quiet: bool) -> None:
    facts = model.fitted.facts
    if json:
        print_json(
            {
                "output": str(output),
                "n_labels": len(model.classes_),
                "n_words": len(model.fitted.reader.vocabulary),
                **facts,
            }
        )
        return
    size = output.stat().st_size / 1e6
    if "n_given" in facts:
        say(f"{facts['n_given_seen']:,} words of the texts began with a given vector", quiet)
    say(
        f"{facts['n_texts']:,} texts, {len(model.classes_):,} labels: read in {facts['read_seconds']:.1f} s, trained in "
        f"{facts['train_seconds']:.1f} s; {output} has {size:,.1f} MB",
        quiet,
    )
