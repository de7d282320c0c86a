"""`lexigrad quantize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli.output import Json, Label, Quiet, Text, Threads, compile_note, load_any, print_json, say, stored_as
from lexigrad.cli.settings import check_classifier_form
from lexigrad.errors import ParameterError

ONLY_CLASSIFIERS = ("quantize_output", "retrain", "epochs", "lr")


def quantize(
    model: Annotated[Path, typer.Argument(help="A trained classifier or word vectors.", show_default=False)],
    target: Annotated[
        Path,
        typer.Argument(
            help="Where the small model goes: .lexigrad, or .ftz for fastText.", metavar="OUTPUT", show_default=False
        ),
    ],
    cutoff: Annotated[
        int, typer.Option(help="Keep so many words and n-grams, those with the longest rows; 0 for all.")
    ] = 0,
    sub_dim: Annotated[int, typer.Option(help="Numbers that become one byte; more are smaller and worse.")] = 2,
    norms: Annotated[bool, typer.Option(help="Code the length of each row apart, one byte a row.")] = True,
    quantize_output: Annotated[
        bool, typer.Option("--quantize-output", help="Quantise the output matrix, too (output=True in Python).")
    ] = False,
    retrain: Annotated[
        Path | None,
        typer.Option(help="Train on this file with the rows that are kept, before quantising.", show_default=False),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of that training; by default the model's.", show_default=False)
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Of that training; by default a tenth of the model's.", show_default=False)
    ] = None,
    text: Text = "text",
    label: Label = "label",
    seed: Annotated[int, typer.Option(help="Of k-means and of that training.")] = 0,
    threads: Threads = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Make a trained model small: rows become codes of a few bytes, and rows that matter least may go.

    Ctrl-C leaves no file. Which loss of accuracy to expect: docs/quantization.md.

    Example: lexigrad quantize m.lexigrad small.ftz --cutoff 100000 --retrain train.txt --epochs 1
    """
    if not target.absolute().parent.is_dir():
        raise ParameterError(f"{target}: there is no folder {target.parent}; make it first")
    if model.exists() and target.exists() and model.samefile(target):
        raise ParameterError(
            f"{target} is the whole model itself, which would be lost: give the small one another name"
        )
    large = load_any(model, quiet)
    classifier = hasattr(large, "predict")
    given: dict[str, Any] = {"quantize_output": quantize_output or None, "retrain": retrain, "epochs": epochs, "lr": lr}
    _check_target(large, classifier, target)
    if not classifier:
        wrong = [name for name in ONLY_CLASSIFIERS if given[name] is not None]
        if wrong:
            raise ParameterError(f"--{wrong[0].replace('_', '-')} is for classifiers, and {model} holds word vectors")
    before = {name: getattr(large, name) for name in ("threads", "verbose")}
    large.set_params(threads=threads, verbose=not quiet)
    settings: dict[str, Any] = {"cutoff": cutoff, "sub_dim": sub_dim, "norms": norms, "seed": seed}
    if classifier:
        settings |= {
            "output": quantize_output, "retrain": retrain, "epochs": epochs, "lr": lr, "text": text, "label": label,
        }  # fmt: skip
    with compile_note(quiet):
        import lexigrad.models.quantize  # noqa: F401
    try:
        small = large.quantize(**settings)
    except KeyboardInterrupt:
        say("interrupted: nothing was written")
        raise
    small.set_params(**before)
    small.save(target)
    sizes = model.stat().st_size, target.stat().st_size
    if json:
        facts: dict[str, Any] = {"output": str(target), "bytes_before": sizes[0], "bytes": sizes[1]}
        facts |= {"n_rows": len(small.fitted.input), "input": stored_as(small.fitted.input)}
        print_json(facts | ({"retrained_on": small.fitted.facts["retrained_on"]} if retrain is not None else {}))
        return
    say(
        f"{model}: {sizes[0] / 1e6:,.2f} MB -> {target}: {sizes[1] / 1e6:,.2f} MB, {sizes[0] / sizes[1]:.1f} times smaller; "
        f"input {stored_as(small.fitted.input)}",
        quiet,
    )


def _check_target(large: Any, classifier: bool, target: Path) -> None:
    """Raise before the work what `save` would raise after it."""
    if not classifier:
        from lexigrad.models.vector_files import form_to_write

        form_to_write(target, None)
        return
    check_classifier_form(target)
    if target.suffix.lower() in (".bin", ".ftz"):
        from lexigrad.models.fasttext_files import check_tokenizer

        check_tokenizer(large.tokenizer, target)
