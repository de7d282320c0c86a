"""`lexigrad predict`."""

from __future__ import annotations

import json as json_module
import sys
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Input, Json, Model, Text, Threads, load_model


def predict(
    model: Model,
    input: Input,
    k: Annotated[int, typer.Option(help="Labels per text.")] = 1,
    threshold: Annotated[float, typer.Option(help="Leave out labels less probable than this.")] = 0.0,
    text: Text = "text",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Print the most probable labels, one line per text: label<TAB>probability, k pairs.

    Labels in fastText lines are ignored. With --json each line is {"labels": [...], "probs": [...]}.

    Example: echo "how do i reset my pin" | lexigrad predict m.lexigrad - --k 3
    """
    from lexigrad.errors import ParameterError
    from lexigrad.models.parameters import check_whole
    from lexigrad.text.sources import read_file

    check_whole("k", k, 1)
    if not 0 <= threshold <= 1:
        raise ParameterError(f"threshold={threshold}: expected a probability from 0 to 1")
    classifier = load_model(model, threads)
    fitted, threads = classifier.fitted, classifier.threads
    from lexigrad.machine.threads import thread_count

    names = fitted.classes.tolist()
    k = min(k, len(names))
    write = _json_lines if json else _plain_lines
    for batch in read_file(input, text=text, label=None, label_prefix=classifier.label_prefix):
        ids, probs, _ = fitted.score(batch, k, thread_count(threads))
        sys.stdout.write(write(names, ids.tolist(), probs.tolist(), threshold))
        sys.stdout.flush()


def _plain_lines(names: list[Any], ids: list[list[int]], probs: list[list[float]], threshold: float) -> str:
    lines = (
        "\t".join(f"{names[i]}\t{p:.6f}" for i, p in zip(row, values, strict=True) if p >= threshold)
        for row, values in zip(ids, probs, strict=True)
    )
    return "".join(line + "\n" for line in lines)


def _json_lines(names: list[Any], ids: list[list[int]], probs: list[list[float]], threshold: float) -> str:
    lines = []
    for row, values in zip(ids, probs, strict=True):
        kept = [(names[i], p) for i, p in zip(row, values, strict=True) if p >= threshold]
        lines.append(
            json_module.dumps({"labels": [name for name, _ in kept], "probs": [p for _, p in kept]}, ensure_ascii=False)
        )
    return "".join(line + "\n" for line in lines)
