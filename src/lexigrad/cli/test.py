"""`lexigrad test`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lexigrad.cli.output import Input, Json, Label, Model, Text, Threads, load_model, print_json


def test(
    model: Model,
    input: Input,
    k: Annotated[int, typer.Option(help="Labels predicted per text.")] = 1,
    text: Text = "text",
    label: Label = "label",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Compare a model's predictions with the labels in a file: precision, recall, F1, log loss, per label, confusions."""
    result = load_model(model, threads).evaluate_file(input, k, text=text, label=label)
    if json:
        print_json(result.to_dict())
    else:
        sys.stdout.write(f"{result}\n")
