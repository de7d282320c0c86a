"""`lexigrad vectors`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Input, Json, Quiet, Text, Threads, compile_note, print_json, say
from lexigrad.errors import ParameterError


def vectors(
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the vectors go.", show_default=False)],
    model: Annotated[str, typer.Option(help="skipgram.")] = "skipgram",
    loss: Annotated[str, typer.Option(help="negative_sampling.")] = "negative_sampling",
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
    phrases: Annotated[int, typer.Option(help="Not served yet: 0.")] = 0,
    epochs: Annotated[int, typer.Option(help="Passes over the sentences.")] = 5,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate at the start; by default a tried one.", show_default=False)
    ] = None,
    gradient: Annotated[str, typer.Option(help="exact, or fasttext: n-grams move by the whole step.")] = "exact",
    tokenizer: Annotated[
        str, typer.Option(help="whitespace (as fastText) or words (lower-case, punctuation split off).")
    ] = "whitespace",
    threads: Threads = None,
    seed: Annotated[int, typer.Option(help="With --threads 1 it decides every bit of the vectors.")] = 0,
    deterministic: Annotated[bool, typer.Option(help="Not served yet: use --threads 1.")] = False,
    text: Text = "text",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Learn word vectors from a file of sentences and save them.

    A line is a sentence. Files with columns name theirs by --text. Ctrl-C saves what was learned so far.

    Example: lexigrad vectors corpus.txt --output v.lexigrad --min-n 3 --max-n 6
    """
    params = {
        "model": model, "loss": loss, "dim": dim, "window": window, "dynamic_window": dynamic_window, "negatives": negatives,
        "negative_power": negative_power, "subsample": subsample, "min_count": min_count, "min_n": min_n, "max_n": max_n, "buckets": buckets,
        "phrases": phrases, "epochs": epochs, "lr": lr, "gradient": gradient, "tokenizer": tokenizer, "threads": threads, "seed": seed,
        "deterministic": deterministic, "verbose": not quiet,
    }  # fmt: skip
    if not output.absolute().parent.is_dir():
        raise ParameterError(f"--output {output}: there is no folder {output.parent}; make it first")
    trained = _trained(input, output, params, text, quiet)
    trained.save(output)
    facts = {"output": str(output), "n_words": len(trained), "dim": dim, **trained.fitted.facts}
    if json:
        print_json(facts)
        return
    say(
        f"{facts['n_tokens']:,} words of text, {facts['n_words']:,} vectors; {output} has {output.stat().st_size / 1e6:,.1f} MB",
        quiet,
    )


def _trained(input: Path, output: Path, params: dict[str, Any], text: str, quiet: bool) -> Any:
    with compile_note(quiet):
        importlib.import_module("lexigrad.training.word_vectors")
        from lexigrad import WordVectors
    model = WordVectors(**params)
    try:
        model.fit_file(input, text=text)
    except KeyboardInterrupt:
        if model.is_fitted:
            model.save(output)
            say(f"interrupted: what was learned so far is in {output}")
        raise
    return model
