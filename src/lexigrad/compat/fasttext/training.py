"""The original's training arguments as lexigrad's settings: training, tuning, quantising."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lexigrad.compat.fasttext.arguments import LOSSES, args, loss_name, model_name
from lexigrad.compat.fasttext.model import Model
from lexigrad.errors import DataError, DivergenceError, ParameterError
from lexigrad.models.fasttext_files import NEGATIVE_POWER, classifier_of, file_of, vectors_file_of
from lexigrad.models.text_classifier import TextClassifier
from lexigrad.models.word_vectors import WordVectors
from lexigrad.text.files import BATCH_BYTES, line_blocks, opened, row_kind

TUNED = {
    "lr": "lr", "dim": "dim", "epoch": "epochs", "wordNgrams": "word_ngrams", "minn": "min_n", "maxn": "max_n", "bucket": "buckets",
    "loss": "loss", "neg": "negatives", "minCount": "min_count",
}  # fmt: skip
"""Arguments that tuning leaves alone where they were given, and what lexigrad calls them."""
NAMES = {ours: theirs for theirs, ours in TUNED.items()} | {
    "threads": "thread", "window": "ws", "subsample": "t", "label_prefix": "label", "sub_dim": "dsub",
}  # fmt: skip
"""The original's names of our settings, for messages."""
METRICS = {"precisionAtRecall": "precision_at_recall", "recallAtPrecision": "recall_at_precision"}
UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}


def train(given: args) -> Model:
    """Train a model.

    Raises
    ------
    ValueError
        For a file that is not there, and for values that cannot be used.
    RuntimeError
        Where training diverged.
    """
    if not Path(given.input).is_file():
        why = (
            "standard input is read once and training reads its text as often as it must"
            if given.input == "-"
            else "it is a folder"
            if Path(given.input).is_dir()
            else "there is no such file"
        )
        raise ValueError(f"{given.input} cannot be opened for training! ({why})")
    for name in ("pretrainedVectors", "autotuneValidationFile"):
        path = getattr(given, name)
        if path and not Path(path).is_file():
            raise ValueError(f"{path} cannot be opened for loading! ({name}: there is no such file)")
    supervised = given.model == model_name.supervised
    try:
        with training_text(given) as path:
            model = _classifier(given, path) if supervised else _vectors(given, path)
    except DivergenceError as error:
        raise RuntimeError(str(error)) from error
    except ParameterError as error:
        ours, equals, rest = str(error).partition("=")
        raise ParameterError(NAMES.get(ours, ours) + equals + rest) from error
    settings = {"window": given.ws, "lr_update_rate": given.lrUpdateRate, "subsample": given.t}
    model.file = replace(model.file, settings={**model.file.settings, **settings})
    return model


def _common(given: args) -> dict[str, Any]:
    negatives = given.neg if given.loss == loss_name.ns else max(1, given.neg)  # by other losses there are none
    return {
        "dim": given.dim, "epochs": given.epoch, "lr": given.lr, "loss": LOSSES[given.loss.name], "negatives": negatives, "min_n": given.minn,
        "max_n": given.maxn, "buckets": given.bucket or None, "min_count": max(1, given.minCount), "tokenizer": "whitespace",
        "threads": given.thread, "seed": given.seed, "verbose": given.verbose > 1,
    }  # fmt: skip


def _classifier(given: args, path: str) -> Model:
    clf = TextClassifier(**_common(given), word_ngrams=max(1, given.wordNgrams), label_prefix=given.label)
    start = {"vectors": given.pretrainedVectors, "keep_unseen": True} if given.pretrainedVectors else {}
    if given.autotuneValidationFile:
        if given.autotunePredictions != 1:
            raise ValueError(
                f"autotunePredictions={given.autotunePredictions}: tuning looks at the best label of each text, 1"
            )
        fixed = {TUNED[name] for name in given._manual if name in TUNED} | {"tokenizer", "loss"}
        clf = clf.tune_file(
            path, validation=given.autotuneValidationFile, metric=metric_of(given.autotuneMetric, given.label), seconds=float(given.autotuneDuration),
            model_size=size_of(given.autotuneModelSize), fixed=sorted(fixed), **start,
        )  # fmt: skip
    else:
        clf.fit_file(path, **start)
    return _held(clf)


def _held(clf: TextClassifier) -> Model:
    return Model(*file_of(clf.fitted, clf.get_params()), clf.label_prefix)


def _vectors(given: args, path: str) -> Model:
    if given.loss == loss_name.ova:
        raise ValueError("loss='ova': word vectors are trained by 'ns', 'hs' or 'softmax'")
    vectors = WordVectors(
        **_common(given), model=given.model.name, window=given.ws, subsample=given.t, negative_power=NEGATIVE_POWER, gradient="fasttext",
    )  # fmt: skip
    start = {"vectors": given.pretrainedVectors, "keep_unseen": True} if given.pretrainedVectors else {}
    vectors.fit_file(path, **start)
    return Model(*vectors_file_of(vectors.fitted, vectors.get_params()), given.label)


def metric_of(text: str, prefix: str) -> str:
    """Return a metric of tuning as lexigrad writes it.

    >>> metric_of("precisionAtRecall:30:__label__spam", "__label__")
    'precision_at_recall:0.3:spam'
    """
    name, *rest = text.split(":", 2)
    if name == "f1" and len(text.split(":", 1)) == 1:
        return "f1"
    if name == "f1":
        label = text.split(":", 1)[1]
        if label:
            return f"f1:{label.removeprefix(prefix)}"
    if name in METRICS and rest:
        try:
            share = float(rest[0]) / 100
        except ValueError:
            share = -1.0
        label = f":{rest[1].removeprefix(prefix)}" if len(rest) > 1 else ""
        if 0 <= share <= 1 and label != ":":
            return f"{METRICS[name]}:{share:g}{label}"
    raise ValueError(
        f"Unknown metric : {text!r}; expected f1, f1:LABEL, precisionAtRecall:PERCENT[:LABEL] or recallAtPrecision:PERCENT[:LABEL]"
    )


def size_of(text: str) -> int | None:
    """Return a size in bytes, None for no limit.

    >>> size_of("2M"), size_of("")
    (2000000, None)
    """
    if not text:
        return None
    unit = UNITS.get(text[-1].lower(), 1)
    digits = text if unit == 1 else text[:-1]
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(
            f"Unable to parse model size {text!r}: expected a whole number, and k, M or G after it where it means thousands, millions, ..."
        )
    return int(digits) * unit


def quantised(
    model: Model, input: str, qout: bool, cutoff: int, retrain: bool, epoch: int, lr: float, thread: int, verbose: int, dsub: int, qnorm: bool
) -> Model:  # fmt: skip
    """Return a quantised model.

    Raises
    ------
    ValueError
        For word vectors, for a quantised model, and for values that cannot be used.
    """
    if not model.supervised:
        raise ValueError("For now we only support quantization of supervised models")
    if model.quantised:
        raise ValueError("Model is already quantized. Quantize the original (non-quantized) model instead.")
    if retrain and not Path(input).is_file():
        raise ValueError(f"{input} cannot be opened for training! (there is no such file)")
    clf = classifier_of(model.file, model.rows, model.label_prefix).set_params(threads=thread, verbose=verbose > 1)
    start: dict[str, Any] = {"retrain": input, "epochs": epoch, "lr": lr} if retrain else {}
    smaller = clf.quantize(cutoff, sub_dim=dsub, norms=qnorm, output=qout, **start)
    held = _held(smaller)
    kept = {name: model.file.settings[name] for name in ("window", "lr_update_rate", "subsample")}
    held.file = replace(held.file, settings={**held.file.settings, **kept})
    held.label_prefix = model.label_prefix
    return held


# ------------------------------------------------------------------------------------------------------- the text itself


@contextmanager
def training_text(given: args) -> Iterator[str]:
    """Yield the path of the text to train on: the file itself, or a copy without labels that occur too seldom, or for word vectors without any label.

    Of lines that have no label left nothing is copied.
    """
    prefix = given.label.encode()
    supervised = given.model == model_name.supervised
    drop: Callable[[bytes], bool] | None = None
    if supervised and given.minCountLabel > 1:
        drop = _rare(given.input, prefix, given.minCountLabel)
    elif not supervised and prefix and _occurs(given.input, prefix):
        drop = _begins_with(prefix)
    if drop is None and row_kind(given.input) is None:
        yield given.input
        return
    with tempfile.TemporaryDirectory(prefix="lexigrad-") as folder:
        copy = Path(folder) / "lines.txt"  # the original knows no files with columns, whatever their names
        with open(copy, "wb") as out:
            if drop is None:
                with open(given.input, "rb") as lines:
                    shutil.copyfileobj(lines, out)
            else:
                for line in _lines(given.input):
                    kept = [token for token in line.replace(b"\0", b" ").split() if not drop(token)]
                    if not supervised or any(token.startswith(prefix) for token in kept):
                        out.write(b" ".join(kept) + b"\n")
        yield str(copy)


def _begins_with(prefix: bytes) -> Callable[[bytes], bool]:
    return lambda token: token.startswith(prefix)


def _lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a file, without their newlines."""
    with opened(path) as stream:
        for block in line_blocks(stream, BATCH_BYTES):
            yield from bytes(block).removesuffix(b"\n").split(b"\n")


def _occurs(path: str, prefix: bytes) -> bool:
    with opened(path) as stream:
        return any(prefix in block for block in line_blocks(stream, BATCH_BYTES))


def _rare(path: str, prefix: bytes, least: int) -> Callable[[bytes], bool] | None:
    """Return what tells labels that occur less than `least` times, or None where there are none."""
    counts: Counter[bytes] = Counter()
    for line in _lines(path):
        counts.update(token for token in line.replace(b"\0", b" ").split() if token.startswith(prefix))
    rare = {label for label, count in counts.items() if count < least}
    if counts and len(rare) == len(counts):
        raise DataError(
            f"{path}: no label occurs minCountLabel={least} times, the most frequent one {max(counts.values())} times"
        )
    return rare.__contains__ if rare else None
