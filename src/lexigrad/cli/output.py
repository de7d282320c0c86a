"""Options and printing that several verbs share."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.errors import DataError

COMPILE_NOTE_SECONDS = 1.0

Model = Annotated[Path, typer.Argument(help="A trained model, such as m.lexigrad.", show_default=False)]
Input = Annotated[
    Path,
    typer.Argument(
        help="fastText lines, .csv .tsv .jsonl .parquet (also .gz .zst .xz .bz2), or - for standard input.",
        show_default=False,
    ),
]
Text = Annotated[str, typer.Option(help="Column that holds the text, in files with columns.")]
Label = Annotated[str, typer.Option(help="Column that holds the label, in files with columns.")]
Threads = Annotated[
    int | None, typer.Option(help="Threads; by default all processors that the process may use.", show_default=False)
]
Given = Annotated[
    Path | None,
    typer.Option(
        "--vectors",
        help="Word vectors that the words begin with: .vec, .bin, .lexigrad and others; --dim must be theirs.",
        show_default=False,
    ),
]
KeepUnseen = Annotated[
    bool, typer.Option(help="Keep words of --vectors that the texts do not have, too, with the vectors given.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the answer as JSON, with the names of the Python attributes.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def print_json(value: Any) -> None:
    """Print one line of JSON."""
    print_text(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_text(text: str) -> None:
    """Print a line; bytes of a file's name that are no UTF-8 are escaped, as JSON does it."""
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def say(message: str, quiet: bool = False) -> None:
    """Write a line of progress to standard error."""
    if not quiet:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


@contextmanager
def compile_note(quiet: bool = False) -> Iterator[None]:
    """Say that kernels are being compiled, if they are, and what is inside has taken longer than a second."""
    before, ended = _compiled(), threading.Event()

    def watch() -> None:
        waiting = COMPILE_NOTE_SECONDS
        while not ended.wait(waiting):
            if _compiled() > before:
                say("compiling the kernels for this processor, once (under a minute) ...", quiet)
                return
            waiting = COMPILE_NOTE_SECONDS / 10

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _compiled() -> int:
    """Return how many functions this process has begun to compile; what comes from the cache does not count."""
    compiler = sys.modules.get("lexigrad.machine.compiler")
    return 0 if compiler is None else int(compiler.COMPILED.count)


@contextmanager
def compiled_beside(*statements: str) -> Iterator[None]:
    """On the first run ever, compile the kernels that Python statements ask for in a second process, into the cache, while this one compiles others."""
    from lexigrad.kernels.classifier import to_features  # needed anyway, and soon compiled

    if not to_features.stats.cache_misses:
        yield
        return
    command = [sys.executable, "-c", "; ".join(statements)]
    helper = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    except BaseException:
        helper.kill()
        raise
    finally:
        helper.wait()


def stored_as(matrix: Any) -> str:
    """Return how a matrix of a model is held: as numbers, or quantised."""
    if not hasattr(matrix, "codes"):
        return f"{matrix.dtype.name}, {matrix.shape[0]:,} x {matrix.shape[1]:,}"
    apart = ", lengths apart" if len(matrix.norm_codes) else ""
    return f"quantised, {matrix.shape[0]:,} x {matrix.codes.shape[1]:,} bytes for slices of {matrix.sub_dim}{apart}"


def load_any(path: Path, quiet: bool = False) -> Any:
    """Open a classifier or word vectors, with a note while kernels compile."""
    with compile_note(quiet):
        import lexigrad

        return lexigrad.load(path)


def load_to_score(path: Path, threads: int | None = None) -> Any:
    """Open a classifier, ready to score on so many threads, or word vectors; with a note while kernels compile."""
    with compile_note():
        import lexigrad

        model = lexigrad.load(path)
        if isinstance(model, lexigrad.TextClassifier):
            from lexigrad.machine.threads import thread_count

            model.set_params(threads=threads).fitted.prepared(thread_count(threads))
        return model


def load_model(path: Path, threads: int | None = None, prepare: bool = True) -> Any:
    """Open a classifier, ready to score if `prepare`."""
    model = load_to_score(path, threads) if prepare else load_any(path)
    if not hasattr(model, "predict"):
        raise DataError(
            f"{path} holds word vectors, and this takes a classifier; lexigrad neighbors, analogy and test take vectors"
        )
    return model


def load_vectors(path: Path) -> Any:
    """Open word vectors."""
    model = load_any(path)
    if hasattr(model, "predict"):
        raise DataError(f"{path} holds a classifier, and this takes word vectors, which lexigrad vectors makes")
    return model
