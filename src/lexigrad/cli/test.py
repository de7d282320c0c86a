"""`lexigrad test`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Input, Json, Label, Model, Text, Threads, load_to_score, print_json
from lexigrad.errors import DataError


def test(
    model: Model,
    input: Input,
    k: Annotated[int, typer.Option(help="Labels predicted per text.")] = 1,
    text: Text = "text",
    label: Label = "label",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Compare a model's predictions with the labels in a file: precision, recall, F1, log loss, per label, confusions.

    Word vectors are compared with rated pairs of words, "tea coffee 7.5" a line (Spearman's rank correlation), or with analogies, "man king
    woman queen" a line, where a line begins with a colon.
    """
    opened = load_to_score(model, threads)
    if not hasattr(opened, "predict"):
        result = _judge(opened, input)
        if json:
            print_json({**asdict(result), **result.summary()})
        else:
            sys.stdout.write(f"{result}\n")
        return
    result = opened.evaluate_file(input, k, text=text, label=label)
    if json:
        print_json(result.to_dict())
    else:
        sys.stdout.write(f"{result}\n")


def _judge(vectors: Any, path: Path) -> Any:
    """Return the evaluation of word vectors by a file of analogies or of rated pairs."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    with open(path, encoding="utf-8") as file:
        analogies = any(line.startswith(":") for line in file)
    result = vectors.evaluate_analogies(path) if analogies else vectors.evaluate_similarity(path)
    if not result.n_used:
        raise DataError(
            f"{path}: no line can be used: expected 'word word rating', or ': section' and 'a b c d', of words with a vector"
        )
    return result
