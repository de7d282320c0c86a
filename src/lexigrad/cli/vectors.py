"""`lexigrad vectors`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import (
    Given,
    Json,
    KeepUnseen,
    Quiet,
    Text,
    Threads,
    compile_note,
    load_vectors,
    print_json,
    say,
)
from lexigrad.cli.settings import beginning
from lexigrad.errors import ParameterError


def vectors(
    context: typer.Context,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Files of a sentence a line, .csv .tsv .jsonl .parquet (also .gz .zst .xz .bz2), folders of such, or -.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the vectors go.", show_default=False)],
    model: Annotated[str, typer.Option(help="skipgram or cbow.")] = "skipgram",
    loss: Annotated[
        str, typer.Option(help="negative_sampling, hierarchical_softmax or softmax.")
    ] = "negative_sampling",
    dim: Annotated[int, typer.Option(help="Length of the vectors.")] = 100,
    window: Annotated[int, typer.Option(help="Words on each side.")] = 5,
    dynamic_window: Annotated[bool, typer.Option(help="Draw the reach of each window from 1 to WINDOW.")] = True,
    negatives: Annotated[int, typer.Option(help="Words drawn for each window.")] = 5,
    negative_power: Annotated[float, typer.Option(help="Power of the counts in those draws; fastText has 0.5.")] = 0.75,
    subsample: Annotated[float, typer.Option(help="Frequent words are dropped above this share; 0 keeps all.")] = 1e-3,
    min_count: Annotated[int, typer.Option(help="Words that occur less often have no vector.")] = 5,
    min_n: Annotated[int, typer.Option(help="Shortest character n-gram.")] = 0,
    max_n: Annotated[int, typer.Option(help="Longest character n-gram; 0 for none.")] = 0,
    buckets: Annotated[
        int | None, typer.Option(help="Buckets for n-grams; by default 2,000,000.", show_default=False)
    ] = None,
    phrases: Annotated[
        int, typer.Option(help="Passes of joining frequent pairs of words: new york becomes new_york.")
    ] = 0,
    epochs: Annotated[int, typer.Option(help="Passes over the sentences.")] = 5,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate at the start; by default a tried one.", show_default=False)
    ] = None,
    gradient: Annotated[
        str,
        typer.Option(help="exact, or fasttext: each n-gram, and each word of CBOW's mean, moves by the whole step."),
    ] = "exact",
    tokenizer: Annotated[
        str, typer.Option(help="whitespace (as fastText) or words (lower-case, punctuation split off).")
    ] = "whitespace",
    threads: Threads = None,
    seed: Annotated[int, typer.Option(help="With --threads 1 it decides every bit of the vectors.")] = 0,
    deterministic: Annotated[bool, typer.Option(help="Not served yet: use --threads 1.")] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on from these vectors, with their settings where none is given here; new words are added.",
            show_default=False,
        ),
    ] = None,
    vectors: Given = None,
    keep_unseen: KeepUnseen = True,
    cache_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for the encoded text; without it up to 1 GB stays in memory.", show_default=False),
    ] = None,
    keep_cache: Annotated[bool, typer.Option(help="Keep the encoded text there for the next training.")] = False,
    text: Text = "text",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Learn word vectors from files of sentences and save them.

    A line is a sentence; a folder stands for the files in it. Files with columns name theirs by --text. Ctrl-C saves what was learned so far.

    Example: lexigrad vectors corpus.txt --output v.lexigrad --min-n 3 --max-n 6
    """
    params: dict[str, Any] = {
        "model": model, "loss": loss, "dim": dim, "window": window, "dynamic_window": dynamic_window, "negatives": negatives,
        "negative_power": negative_power, "subsample": subsample, "min_count": min_count, "min_n": min_n, "max_n": max_n, "buckets": buckets,
        "phrases": phrases, "epochs": epochs, "lr": lr, "gradient": gradient, "tokenizer": tokenizer, "threads": threads, "seed": seed,
        "deterministic": deterministic, "verbose": not quiet,
    }  # fmt: skip
    if not output.absolute().parent.is_dir():
        raise ParameterError(f"--output {output}: there is no folder {output.parent}; make it first")
    begin = beginning(vectors, keep_unseen)
    start = None if resume is None else load_vectors(resume)
    if start is not None:
        start.set_params(
            **{name: value for name, value in params.items() if name == "verbose" or _is_given(context, name)}
        )
    with compile_note(quiet):
        importlib.import_module("lexigrad.models.vector_training")
        from lexigrad import WordVectors
    trained = WordVectors(**params) if start is None else start
    _check_form(output, trained.loss)
    before = trained._fitted
    try:
        trained.fit_file(
            inputs, text=text, resume=start is not None, cache_dir=cache_dir, keep_cache=keep_cache, **begin
        )  # fmt: skip
    except KeyboardInterrupt:
        if trained._fitted is not before:
            trained.save(output)
            say(f"interrupted: what was learned so far is in {output}")
        raise
    trained.save(output)
    facts = {"output": str(output), "n_words": len(trained), "dim": trained.vectors.shape[1], **trained.fitted.facts}
    if json:
        print_json(facts)
        return
    say(
        f"{facts['n_tokens']:,} words of text, {facts['n_words']:,} vectors; {output} has {output.stat().st_size / 1e6:,.1f} MB",
        quiet,
    )


def _check_form(output: Path, loss: str) -> None:
    """Refuse a form of file that vectors in training cannot have, before time is spent."""
    from lexigrad.models.vector_files import form_to_write

    form = form_to_write(output, None)
    if form == "fasttext":
        raise ParameterError(
            f"--output {output}: .ftz is for quantised models: write a .lexigrad file, and then lexigrad quantize VECTORS.lexigrad {output}"
        )
    if form == "output" and loss == "hierarchical_softmax":
        raise ParameterError(
            f"--output {output}: the output vectors of hierarchical softmax belong to a tree and not to words: write a .lexigrad or a .vec file"
        )


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
