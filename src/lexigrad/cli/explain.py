"""`lexigrad explain`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lexigrad.cli.output import Json, Model, load_model, print_json


def explain(
    model: Model,
    text: Annotated[str, typer.Argument(help="The text, or - to read it from standard input.", show_default=False)],
    json: Json = False,
) -> None:
    """Show what each word and n-gram of a text adds to the score of the predicted label.

    Example: lexigrad explain m.lexigrad "please move money to my savings"
    """
    if text == "-":
        text = sys.stdin.read().removesuffix("\n")
    explanation = load_model(model).explain(text)
    if json:
        print_json(explanation.to_dict())
    else:
        sys.stdout.write(f"{explanation}\n")
