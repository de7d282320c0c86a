"""`lexigrad train`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

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


def train(
    input: Input,
    output: options.Output,
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
    """Train a classifier on a file and save it.

    Lines look like "__label__spam buy now"; a line may have several labels. Files with columns name theirs by --text
    and --label. Ctrl-C saves
    what was learned so far.

    Example: lexigrad train reviews.csv --label stars --output m.lexigrad --word-ngrams 2 --lr 0.5
    """
    params = settings_of(locals())
    check_folder(output)
    check_form(output, tokenizer, f"write a .lexigrad file, and then lexigrad quantize MODEL.lexigrad {output}")
    model = _trained(input, output, params, beginning(vectors, keep_unseen), text, label, quiet)
    model.save(output)
    _report(model, output, json, quiet)


def _trained(
    input: Path, output: Path, params: dict[str, Any], start: dict[str, Any], text: str, label: str, quiet: bool
) -> Any:
    from lexigrad.models.parameters import check_parameters

    check_parameters(params)
    kernels = ("from lexigrad.kernels import classifier", f"classifier.train_by(classifier.CODES[{params['loss']!r}])")
    with compile_note(quiet), compiled_beside(*kernels):
        importlib.import_module("lexigrad.models.trainer")
        from lexigrad import TextClassifier
    model = TextClassifier(**params)
    try:
        model.fit_file(input, text=text, label=label, **start)
    except KeyboardInterrupt:
        if model.__sklearn_is_fitted__():
            model.save(output)
            say(f"interrupted: what was learned so far is in {output}")
        raise
    return model


def _report(model: Any, output: Path, json: bool, quiet: bool) -> None:
    facts = model.fitted.facts
    if json:
        print_json(
            {
                "output": str(output),
                "n_labels": len(model.classes_),
                "n_words": len(model.fitted.reader.vocabulary),
                **facts,
            }
        )
        return
    size = output.stat().st_size / 1e6
    if "n_given" in facts:
        say(f"{facts['n_given_seen']:,} words of the texts began with a given vector", quiet)
    say(
        f"{facts['n_texts']:,} texts, {len(model.classes_):,} labels: read in {facts['read_seconds']:.1f} s, trained in "
        f"{facts['train_seconds']:.1f} s; {output} has {size:,.1f} MB",
        quiet,
    )
