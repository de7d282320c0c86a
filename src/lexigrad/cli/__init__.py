"""The command line: `lexigrad VERB`, one file a verb."""

from __future__ import annotations

import sys
import warnings

import typer

from lexigrad.cli import (
    check,
    convert,
    demo,
    explain,
    fasttext,
    fold,
    info,
    neighbors,
    plot,
    predict,
    prove,
    quantize,
    score,
    test,
    train,
    tune,
    vectors,
)
from lexigrad.errors import LexigradError

HELP = """Train and run text classifiers and word vectors, fast and exact.

A first session:

\b
    lexigrad demo                                      see everything once, on bundled data
    lexigrad train train.txt --output m.lexigrad       lines such as: __label__spam buy now
    lexigrad test m.lexigrad test.txt
    echo "is this spam?" | lexigrad predict m.lexigrad -
    lexigrad score corpus/ --model m.lexigrad --output scored/    Parquet, JSONL or Arrow files
    lexigrad vectors corpus.txt --output v.lexigrad    a sentence a line
    lexigrad neighbors v.lexigrad tea

Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(demo.demo)
app.command()(train.train)
app.command()(tune.tune)
app.command()(test.test)
app.command()(predict.predict)
app.command()(score.score)
app.command()(explain.explain)
app.command()(info.info)
app.command()(vectors.vectors)
app.command()(neighbors.neighbors)
app.command()(neighbors.analogy)
app.command()(plot.plot)
app.command()(convert.convert)
app.command()(quantize.quantize)
app.command()(fold.fold)
app.command()(prove.prove)
app.command()(check.check)
app.command(context_settings=fasttext.SETTINGS)(fasttext.fasttext)


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Handle what comes before the verb."""
    if version:
        from lexigrad import __version__

        typer.echo(f"lexigrad {__version__}")
        raise typer.Exit


root.__doc__ = HELP


def main() -> None:
    """Run the command line and exit with its code."""
    warnings.showwarning = lambda message, *_, **__: sys.stderr.write(f"warning: {message}\n")  # type: ignore[assignment]
    try:
        app()
    except LexigradError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
