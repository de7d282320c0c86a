"""`lexigrad neighbors` and `lexigrad analogy`: questions to word vectors, as arguments or one a line of standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Json, load_vectors, print_json, say
from lexigrad.errors import ParameterError

Vectors = Annotated[Path, typer.Argument(help="Word vectors, such as v.lexigrad.", show_default=False)]
K = Annotated[int, typer.Option(help="How many answers.")]


def neighbors(
    model: Vectors,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Words; without any they are read from standard input.", show_default=False),
    ] = None,
    k: K = 10,
    json: Json = False,
) -> None:
    """Show the words nearest to a word: word, neighbour and cosine, separated by tabs.

    Example: lexigrad neighbors v.lexigrad tea coffee --k 5
    """
    vectors = load_vectors(model)
    asked = ([word] for word in words) if words else _lines("word> ", 1)
    _answer(asked, lambda word: vectors.most_similar(vectors.item(word), k), json)


def analogy(
    model: Vectors,
    words: Annotated[
        list[str] | None, typer.Argument(help="A B C, for: A is to B as C is to ?", show_default=False)
    ] = None,
    k: K = 10,
    json: Json = False,
) -> None:
    """Answer "A is to B as C is to ?": the three words, the answer and its score, separated by tabs.

    Without words they are read from standard input, three a line.

    Example: lexigrad analogy v.lexigrad man king woman
    """
    vectors = load_vectors(model)
    if words and len(words) != 3:
        raise ParameterError(f"expected three words, A B C, got {len(words)}")
    asked = iter([words]) if words else _lines("A B C> ", 3)
    _answer(asked, lambda a, b, c: vectors.analogy(vectors.item(a), vectors.item(b), vectors.item(c), k), json)


def _lines(prompt: str, count: int) -> Iterator[list[str]]:
    """Yield the questions on standard input; show a prompt where somebody types them."""
    typed = sys.stdin.isatty()
    while True:
        if typed:
            sys.stderr.write(prompt)
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return
        fields = line.split()
        if len(fields) == count:
            yield fields
        elif fields:
            say(f"expected {count} word{'s' if count > 1 else ''} a line, got {len(fields)}: {line.strip()}")


def _answer(asked: Iterator[list[str]], ask: Callable[..., list[tuple[Any, float]]], json: bool) -> None:
    """Print the answers to all questions; a word without a vector is said, and makes the exit code 1."""
    failed = False
    for question in asked:
        try:
            found = ask(*question)
        except KeyError as error:
            say(f"error: {error.args[0]}")
            failed = True
            continue
        if json:
            print_json({"words": question, "answers": found})
        else:
            start = "\t".join(question)
            sys.stdout.write("".join(f"{start}\t{word}\t{score:.4f}\n" for word, score in found))
            sys.stdout.flush()
    if failed:
        raise typer.Exit(1)
