"""`lexigrad tune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lexigrad.cli import settings as options
from lexigrad.cli.output import (
    Given,
    Input,
    Json,
    KeepUnseen,
    Label,
    Quiet,
    Text,
    Threads,
    compile_note,
    compiled_beside,
    print_json,
    say,
)
from lexigrad.cli.settings import beginning, check_folder, check_form, settings_of


def tune(
    input: Input,
    output: options.Output,
    validation: Annotated[
        Path | None,
        typer.Option(help="File to measure on; by default a tenth of the texts is held out.", show_default=False),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Measure by cross-validation in so many parts instead.", show_default=False)
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help="f1, f1:LABEL, macro_f1, accuracy, log_loss, precision_at_recall:0.9[:LABEL] or recall_at_precision:0.9[:LABEL]."
        ),
    ] = "f1",
    seconds: Annotated[float, typer.Option(help="Time for the whole search; 0 for no limit.")] = 300.0,
    trials: Annotated[
        int | None, typer.Option(help="Trainings in all; by default what time allows.", show_default=False)
    ] = None,
    model_size: Annotated[
        str | None,
        typer.Option(help="Largest file, such as 2M or 500k; models are then quantised.", show_default=False),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="File that records the trials; a search with it goes on.", show_default=False)
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option(help="A setting that keeps its value; may be repeated.", show_default=False, metavar="NAME"),
    ] = None,
    dim: options.Dim = 100,
    epochs: options.Epochs = 5,
    lr: options.Lr = 0.1,
    loss: options.Loss = "softmax",
    negatives: options.Negatives = 5,
    word_ngrams: options.WordNgrams = 1,
    min_n: options.MinN = 0,
    max_n: options.MaxN = 0,
    buckets: options.Buckets = None,
    min_count: options.MinCount = 1,
    tokenizer: options.Tokenizer = "words",
    label_prefix: options.LabelPrefix = "__label__",
    threads: Threads = None,
    seed: options.Seed = 0,
    deterministic: options.Deterministic = False,
    vectors: Given = None,
    keep_unseen: KeepUnseen = True,
    text: Text = "text",
    label: Label = "label",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Search for the settings that classify best, and save the best model; needs pip install 'lexigrad[tune]'.

    The settings given are tried first. Ctrl-C saves the best model so far. docs/tuning.md says what is searched.

    Example: lexigrad tune train.txt --output m.lexigrad --validation dev.txt --seconds 600 --fixed dim --dim 50
    """
    params = settings_of(locals())
    check_folder(output)
    sure = tokenizer if "tokenizer" in (fixed or []) else ""
    how = None if model_size is not None else "add --model-size, or write a .bin file"
    check_form(output, sure, how, " --fixed tokenizer")
    search = {
        "validation": validation, "folds": folds, "metric": metric, "seconds": seconds or None, "trials": trials, "model_size": model_size,
        "study": study, "fixed": fixed or (), "text": text, "label": label, **beginning(vectors, keep_unseen),
    }  # fmt: skip
    model = _tuned(input, output, params, search, quiet)
    model.save(output)
    _report(model, output, json, quiet)


def _tuned(input: Path, output: Path, params: dict[str, Any], search: dict[str, Any], quiet: bool) -> Any:
    from lexigrad.models.parameters import check_parameters

    check_parameters(params)
    kernels = ("from lexigrad.kernels import classifier", "classifier.train_by(classifier.SOFTMAX)")
    with compile_note(quiet), compiled_beside(*kernels):
        from lexigrad import TextClassifier
        from lexigrad.models.tune import compile_kernels

        compile_kernels(["one_vs_all"])
    model = TextClassifier(**params)
    try:
        model.tune_file(input, **search)
    except KeyboardInterrupt:
        if model.__sklearn_is_fitted__():
            model.save(output)
            say(f"interrupted: the best model so far is in {output}")
        raise
    return model


def _report(model: Any, output: Path, json: bool, quiet: bool) -> None:
    if json:
        print_json(
            {
                "output": str(output),
                "n_labels": len(model.classes_),
                "params": model.get_params(),
                "tuning": model.tuning_.to_dict(),
            }
        )
        return
    sys.stdout.write(f"{model.tuning_}\n")
    say(f"the model of trial {model.tuning_.best.number} is in {output}, {output.stat().st_size / 1e6:,.1f} MB", quiet)
