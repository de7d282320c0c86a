"""Makes trained models small: keeps the rows that matter, trains them on, and quantises them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.formats.fasttext_bin import CodedMatrix, Matrix
from lexigrad.kernels.visits import visits_with
from lexigrad.machine.threads import map_threads
from lexigrad.models.fitted import FittedClassifier, TextReader, slices_of
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.models.parameters import check_whole
from lexigrad.text.batches import TextBatch
from lexigrad.text.corpus import labels_of
from lexigrad.text.features import EncodedTexts
from lexigrad.text.kept_buckets import bucket_table, kept_pairs
from lexigrad.text.subwords import Subwords
from lexigrad.text.words import Words
from lexigrad.training.classifier import LabelledTexts, Questions, Weights, train_classifier
from lexigrad.training.product_quantizer import Report, quantized
from lexigrad.training.progress import Progress, display

RETRAIN_LR = 0.1
"""Training on begins at so much of the first training's rate. With fewer rows the means of a text's rows are longer, so that steps of the first rate are
too long: on cooking, GoEmotions and SST-2 they made models worse than no training at all, or diverged."""
OUTPUT_SUB_DIM = 2
"""Of the output matrix, always, as in fastText."""
END_OF_SENTENCE = b"</s>"
CHUNK = 65_536


@dataclass(frozen=True)
class Quantization:
    """How a model is quantised; see `lexigrad.TextClassifier.quantize`."""

    cutoff: int
    sub_dim: int
    norms: bool
    seed: int
    threads: int
    verbose: bool

    def __post_init__(self) -> None:
        check_whole("cutoff", self.cutoff, 0)
        check_whole("sub_dim", self.sub_dim, 1)
        check_whole("seed", self.seed, 0)
        check_flag("norms", self.norms)

    def of(self, matrix: NDArray[np.float32], sub_dim: int, report: Report) -> CodedMatrix:
        """Return a matrix as codes."""
        return quantized(matrix, sub_dim=sub_dim, norms=self.norms, seed=self.seed, threads=self.threads, report=report)


def check_flag(name: str, value: Any) -> None:
    """Raise `ParameterError` unless the value is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name}={value!r}: expected True or False")


def quantized_classifier(
    fitted: FittedClassifier,
    params: dict[str, Any],
    quantization: Quantization,
    *,
    output: bool,
    retrain: Iterable[TextBatch] | None,
    epochs: int | None,
    lr: float | None,
) -> tuple[FittedClassifier, list[float]]:
    """Return a classifier with quantised matrices, and the course of the loss where it was trained on; see `lexigrad.TextClassifier.quantize`."""
    _check_retraining(output, retrain, epochs, lr)
    _check_plain(fitted.input, fitted.output)
    if fitted.folded:
        raise DataError(
            'this model is folded: quantise the one that it was made from, or fold that one with dtype="int8"'
        )
    fewer = 0 < quantization.cutoff < _feature_slots(fitted.reader).size
    fitted = pruned(fitted, quantization.cutoff) if fewer else _without_empty_rows(fitted)
    losses: list[float] = []
    if retrain is not None:
        settings = {**params, "epochs": epochs or params["epochs"], "lr": lr or params["lr"] * RETRAIN_LR}
        fitted, losses = trained_on(fitted, retrain, settings, quantization)
    plain_input: Any = fitted.input
    plain: Any = fitted.output
    with _Shown(quantization.verbose) as shown:
        matrix = quantization.of(plain_input, quantization.sub_dim, shown.report)
        small: Matrix = quantization.of(plain, OUTPUT_SUB_DIM, lambda share: None) if output and len(plain) else plain
    return replace(fitted, input=matrix, output=small), losses


def _check_retraining(output: bool, retrain: Any, epochs: int | None, lr: float | None) -> None:
    check_flag("output", output)
    if epochs is not None:
        check_whole("epochs", epochs, 1)
    wrong = isinstance(lr, bool) or not isinstance(lr, (int, float, np.number)) or not (math.isfinite(lr) and lr > 0)
    if lr is not None and wrong:
        raise ParameterError(f"lr={lr!r}: expected a positive number, or None for a tenth of the model's own")
    for name, value in (("epochs", epochs), ("lr", lr)):
        if value is not None and retrain is None:
            raise ParameterError(f"{name}={value!r} says how to train on, but retrain=None gives no texts: pass both")


def _check_plain(*matrices: Matrix | None) -> None:
    if any(isinstance(matrix, CodedMatrix) for matrix in matrices):
        raise DataError("this model is quantised already: quantise the one that it was made from")


class _Shown:
    """Progress on standard error."""

    def __init__(self, verbose: bool) -> None:
        self.display, self.started = display(verbose, "quantising"), time.perf_counter()

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self.display.close()

    def report(self, share: float) -> None:
        """Show the share of the work that is done."""
        seconds = time.perf_counter() - self.started
        self.display.show(_Share(share, 1, 0.0, 0.0, seconds, seconds * (1 / max(share, 1e-9) - 1)))


class _Share(Progress):
    def __str__(self) -> str:
        return f"quantised {self.epoch:.0%}  {self.seconds_left:.0f} s left"


# ------------------------------------------------------------------------------------------------------------- pruning


def _feature_slots(reader: TextReader) -> NDArray[np.int64]:
    """Return the slots of all words and buckets that have a row."""
    if len(reader.slot_rows):
        return np.flatnonzero(reader.slot_rows >= 0)
    return np.arange(reader.n_words + reader.n_buckets)


def _lengths(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the length of each row."""
    found = np.empty(len(matrix))
    for first in range(0, len(matrix), CHUNK):
        part = np.asarray(matrix[first : first + CHUNK], np.float32)
        found[first : first + CHUNK] = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    return found


def _largest(lengths: NDArray[np.float64], cutoff: int, first: int | None) -> NDArray[np.int64]:
    """Return where the `cutoff` largest lengths are, rising; `first` is always among them; of equal ones those that come first."""
    keys = -lengths
    if first is not None:
        keys[first] = -np.inf
    return np.sort(np.argsort(keys, kind="stable")[:cutoff])


def pruned(fitted: FittedClassifier, cutoff: int) -> FittedClassifier:
    """Return a classifier of the `cutoff` words and buckets whose rows are longest; the others are as if they did not occur in a text.

    Each word has its own row then, and after them come those of the buckets, which buckets of equal rows share as before.
    """
    reader = fitted.reader
    slots = _feature_slots(reader)
    rows = reader.slot_rows[slots] if len(reader.slot_rows) else slots
    end = _word_id(reader, END_OF_SENTENCE)
    first = None if end is None else int(np.searchsorted(slots, end))
    plain: Any = fitted.input
    chosen = _largest(_lengths(plain)[rows], cutoff, first)
    n_words = int(np.searchsorted(slots[chosen], reader.n_words))
    words, buckets = slots[chosen[:n_words]], slots[chosen[n_words:]] - reader.n_words
    shared, places = np.unique(rows[chosen[n_words:]], return_inverse=True)
    matrix: Any = plain[np.concatenate([rows[chosen[:n_words]], shared])]
    labels = reader.n_words + np.arange(reader.n_labels)
    small = replace(
        reader,
        vocabulary=reader.vocabulary.selected(np.concatenate([words, labels])),
        slot_rows=np.empty(0, np.int32),
        kept=bucket_table(buckets, places.astype(np.int64)) if reader.n_buckets else np.empty(0, np.uint64),
    )
    return replace(fitted, reader=small, input=matrix, facts={**fitted.facts, "n_features": len(chosen)})


def _without_empty_rows(fitted: FittedClassifier) -> FittedClassifier:
    """Return a classifier of fastText without the rows of buckets that are 0: a bucket without a row counts as such a row."""
    reader, matrix = fitted.reader, fitted.input
    if len(reader.slot_rows) or len(reader.kept) or not reader.n_buckets:
        return fitted
    plain: Any = matrix
    full = _lengths(plain) > 0
    full[: reader.n_words] = True
    if full.all():
        return fitted
    slot_rows = np.where(full, np.cumsum(full) - 1, -1).astype(np.int32)
    return replace(fitted, reader=replace(reader, slot_rows=slot_rows), input=plain[full])


def _word_id(reader: TextReader, word: bytes) -> int | None:
    """Return the slot of a word, or None."""
    from lexigrad.models.explanation import find_all
    from lexigrad.text.vocabulary import Vocabulary

    words, one = reader.vocabulary, Vocabulary.from_strings([word])
    found = int(find_all(words.slots, words.arena, words.offsets, one.arena, one.offsets, one.hashes)[0])
    return found if 0 <= found < reader.n_words else None


# ------------------------------------------------------------------------------------------------------------- training on


def trained_on(
    fitted: FittedClassifier, batches: Iterable[TextBatch], params: dict[str, Any], quantization: Quantization
) -> tuple[FittedClassifier, list[float]]:
    """Return a classifier after more epochs on texts, whose labels must be among its own, and the course of the loss."""
    members = _members(fitted)
    roots = np.sqrt(members).astype(np.float32)
    data = _read(fitted, batches, members, roots, quantization.threads)
    questions = Questions.of(fitted.loss, fitted.label_counts, params["negatives"], fitted.order)
    weights = Weights(members, questions.n_outputs, fitted.dim, quantization.seed, quantization.threads)
    rows = weights.input.reshape(-1, fitted.dim)
    rows[:] = fitted.input[:]
    rows *= roots[:, None]
    weights.output.reshape(questions.n_outputs, weights.stride)[:, : fitted.dim] = fitted.output[:]
    losses = train_classifier(
        weights, data, epochs=params["epochs"], lr=float(params["lr"]), seed=quantization.seed, threads=quantization.threads,
        display=display(quantization.verbose), questions=questions,
    )  # fmt: skip
    matrix, output = weights.finish()
    facts = {**fitted.facts, "retrained_on": data.n_texts, "final_loss": losses[-1] if losses else None}
    return replace(fitted, input=matrix, output=output, facts=facts), losses


def _members(fitted: FittedClassifier) -> NDArray[np.int32]:
    """Return how many features share each row, at least 1."""
    reader, n_rows = fitted.reader, len(fitted.input)
    if len(reader.slot_rows):
        rows = reader.slot_rows[reader.slot_rows >= 0].astype(np.int64)
    elif len(reader.kept):
        rows = np.concatenate([np.arange(reader.n_words), reader.n_words + kept_pairs(reader.kept)[1]])
    else:
        return np.ones(n_rows, np.int32)
    return np.maximum(1, np.bincount(rows, minlength=n_rows)).astype(np.int32)


def _read(
    fitted: FittedClassifier,
    batches: Iterable[TextBatch],
    members: NDArray[np.int32],
    roots: NDArray[np.float32],
    threads: int,
) -> LabelledTexts:
    """Return texts as the rows that they visit."""
    reader = fitted.reader.arguments()
    visits = visits_with(reader[6] is not None, fitted.reader.max_n > 0)
    numbers = {label: i for i, label in enumerate(fitted.classes.tolist())}
    parts: list[tuple[Any, ...]] = []
    ids, counts, n_tokens, name = [], [], 0, "retrain"
    for batch in batches:
        labels, name = labels_of(batch), batch.name
        here = np.array([_number(numbers, value, batch.name) for value in labels.values], np.int32)
        lengths = np.diff(labels.offsets)
        ids.append(here[labels.ids])
        counts.append(lengths)

        def read(edge: tuple[int, int], batch: TextBatch = batch) -> tuple[Any, ...]:
            return visits(batch.data, batch.offsets, *edge, *reader, roots)

        for part in map_threads(read, slices_of(batch), threads):
            parts.append(part)
            n_tokens += part[3]
    lengths = np.concatenate([np.zeros(0, np.int64), *counts])
    labelled = lengths > 0
    if not labelled.any():
        raise DataError(f"{name}: no text has a label, so there is nothing to train on")
    sizes = np.concatenate([np.diff(part[2]) for part in parts])
    stops = np.cumsum(sizes)
    texts = EncodedTexts(
        np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]), (stops - sizes)[labelled], stops[labelled]
    )  # fmt: skip
    offsets = np.concatenate([[0], np.cumsum(lengths[labelled])]).astype(np.int64)
    return LabelledTexts(texts, members, np.concatenate(ids), offsets, len(fitted.classes), max(1, n_tokens))


def _number(numbers: dict[Any, int], value: Any, name: str) -> int:
    """Return the place of a label; what was a number in training may be text in a file."""
    if value in numbers:
        return numbers[value]
    known = next(iter(numbers))
    if isinstance(value, str) and not isinstance(known, str):
        for label, i in numbers.items():
            if str(label) == value:
                return i
    raise DataError(
        f"{name}: label {value!r} is not among the {len(numbers):,} labels of this model, which it cannot learn"
    )


# ------------------------------------------------------------------------------------------------------------- word vectors


def quantized_vectors(fitted: FittedVectors, quantization: Quantization) -> FittedVectors:
    """Return word vectors with quantised rows; see `lexigrad.WordVectors.quantize`."""
    _check_plain(fitted.input)
    n, items, counts, subwords = len(fitted.items), fitted.items, fitted.counts, fitted.subwords
    matrix: Any = fitted.input
    lengths = _lengths(matrix)
    chosen = np.flatnonzero(
        (lengths > 0) | (np.arange(len(lengths)) < n)
    )  # a bucket of zeros, as files have them, teaches nothing
    if 0 < quantization.cutoff < len(chosen):
        chosen = _largest(lengths, quantization.cutoff, fitted.ids.get("</s>"))
    if len(chosen) < len(matrix):
        words, buckets = chosen[chosen < n], subwords.buckets[chosen[chosen >= n] - n]
        if not len(words):
            raise ParameterError(
                f"cutoff={quantization.cutoff}: the longest rows are all those of n-grams, so no word would be left; keep more"
            )
        matrix, counts = matrix[chosen], counts[words]
        items = [items[i] for i in words.tolist()]
        items = Words.of_texts(items) if isinstance(fitted.items, Words) else items
        subwords = Subwords(len(words), subwords.min_n, subwords.max_n, subwords.n_buckets, buckets)
    with _Shown(quantization.verbose) as shown:
        coded = quantization.of(matrix, quantization.sub_dim, shown.report)
    return FittedVectors(items, counts, None, coded, None, subwords, dict(fitted.facts))
