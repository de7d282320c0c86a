"""`lexigrad score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Json, Quiet, Threads, compile_note, load_model, print_json, print_text, say
from lexigrad.errors import ParameterError

NEWLINES = ("space", "end-of-sentence", "empty")


def score(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help=".parquet, .jsonl (also .gz .zst) or .arrow files, or folders with such files.",
            metavar="INPUT...",
            show_default=False,
        ),
    ],
    model: Annotated[
        list[str],
        typer.Option(
            help="A trained classifier; with several, each by a name, which goes before the names of its columns.",
            metavar="[NAME=]MODEL",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="A file, for one input file; else a folder, which gets a file for each input.",
            metavar="FILE|DIR",
            show_default=False,
        ),
    ],
    text: Annotated[str, typer.Option(help="Column, or field of JSON, that holds the text.")] = "text",
    add: Annotated[
        str,
        typer.Option(
            help="Columns, with commas: label, its probability prob, all, or a label for the probability of that; none adds none."
        ),
    ] = "label,prob",
    keep: Annotated[
        str | None,
        typer.Option(
            help="Keep only rows for which this holds, such as 'hq >= 0.018' or 'quality.hq > 0.5 and lid.label == \"en\"'.",
            show_default=False,
        ),
    ] = None,
    keep_top: Annotated[
        str | None,
        typer.Option(
            help="Keep only this share of the rows, such as 10%, those where --by is most probable.", show_default=False
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="The label of --keep-top.", metavar="[NAME.]LABEL", show_default=False)
    ] = None,
    newlines: Annotated[
        str, typer.Option(help="What a newline in a text is: space, end-of-sentence (fastText's </s>) or empty.")
    ] = "space",
    unit: Annotated[
        str, typer.Option(help="What is scored at once: document, line, paragraph or window.")
    ] = "document",
    window: Annotated[int, typer.Option(help="Words of a window.")] = 200,
    aggregate: Annotated[str, typer.Option(help="What joins the scores of units: mean, max or min.")] = "mean",
    bad_rows: Annotated[
        str,
        typer.Option(help="Rows without a text: stop, skip (leave them out) or null (write them without scores)."),
    ] = "stop",
    bad_files: Annotated[str, typer.Option(help="Files that cannot be read: stop or skip.")] = "stop",
    format: Annotated[
        str | None,
        typer.Option(help="parquet, jsonl or arrow; by default what the names say.", show_default=False),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, and replace outputs that are there.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Score on a Ray cluster, a task a file: local, auto or HOST:PORT; --threads are those of a task, 1 by default.",
            metavar="ADDRESS",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Score files with classifiers: add columns of scores, or keep only the rows that a filter keeps.

    Stopped or killed, the same command goes on where it was. Which files, filters and columns: docs/scoring.md.

    Example: lexigrad score corpus/ --model hq.bin --output scored/ --keep 'hq >= 0.018'
    """
    with compile_note(quiet):
        from lexigrad.scoring.run import score_files
    if newlines.replace("_", "-") not in NEWLINES:
        raise ParameterError(f"--newlines {newlines}: expected one of {', '.join(NEWLINES)}")
    models = {name: load_model(path, threads) for name, path in _named(model).items()}
    options: dict[str, Any] = {
        "text": text, "add": [] if add in ("", "none") else [what.strip() for what in add.split(",")], "keep": keep, "keep_top": keep_top, "by": by,
        "newlines": newlines, "unit": unit, "window": window, "aggregate": aggregate, "bad_rows": bad_rows, "bad_files": bad_files,
        "format": format, "restart": restart, "verbose": not quiet,
    }  # fmt: skip
    try:
        if ray is None:
            report = score_files(inputs, output, models, threads=threads, **options)
        else:
            from lexigrad.scale.ray import score_files as score_files_on

            report = score_files_on(inputs, output, models, address=ray, num_cpus=threads or 1, **options)
    except KeyboardInterrupt:
        say("what is done stays: the same command goes on from there")
        raise
    if report.complete_before:
        say(f"{output}: this run is complete already; --restart would do it again", quiet)
    if json:
        print_json(report.to_dict())
    else:
        print_text(str(report))
    if report.bad:
        first = report.bad_rows[0]
        say(f"warning: {report.bad:,} bad rows, the first in {first['file']}, {first['line']}: {first['reason']}")
    if report.bad_files:
        worst = report.bad_files[0]
        say(f"warning: {len(report.bad_files):,} bad files were passed over, the first {worst.input}: {worst.reason}")


def _named(given: list[str]) -> dict[str, Path]:
    """Return the paths of models by their names; a path may have = in it where there is such a file."""
    models: dict[str, Path] = {}
    for word in given:
        name, sign, path = word.partition("=")
        if not sign or not name.isidentifier() or Path(word).exists():
            name, path = "", word
        if name in models:
            raise ParameterError(
                f"--model {word}: {f'two models have the name {name}' if name else 'several models need names: --model NAME=MODEL'}"
            )
        models[name] = Path(path)
    return models
