"""Evaluation of a fitted classifier on batches of labelled texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.evaluation import Evaluation, Meter
from lexigrad.evaluation.goal import Scored
from lexigrad.models.fitted import FittedClassifier
from lexigrad.text.batches import LabelColumn, TextBatch
from lexigrad.text.corpus import labels_of


def evaluate_batches(fitted: FittedClassifier, batches: Iterable[TextBatch], k: int, threads: int) -> Evaluation:
    """Score all texts and compare with their labels; labels that the model does not know count as missed."""
    meter = Meter(len(fitted.classes), k)
    for probs, ids, offsets in scored_batches(fitted, batches, fitted.classes, threads):
        meter.update(probs, ids, offsets)
    return meter.result(fitted.classes)


def scored_batches(
    fitted: FittedClassifier, batches: Iterable[TextBatch], labels: NDArray[Any], threads: int
) -> Iterator[Scored]:
    """Yield the probabilities of labels for each batch, 0 for those that the model does not know, and the true labels' positions in `labels`, or -1."""
    numbers = {label: i for i, label in enumerate(labels.tolist())}
    columns = np.array([numbers[label] for label in fitted.classes.tolist()], np.int64)
    for batch in batches:
        true = labels_of(batch)
        _check_type(fitted.classes, true, batch.name)
        _, probs, _ = fitted.score(batch, 0, threads)
        if len(columns) < len(labels):
            known, probs = probs, np.zeros((len(probs), len(labels)), np.float32)
            probs[:, columns] = known
        here = np.array([numbers.get(value, -1) for value in true.values], np.int64)
        yield probs, here[true.ids], true.offsets


def _check_type(classes: NDArray[Any], labels: LabelColumn, name: str) -> None:
    known, given = type(classes[:1].tolist()[0]), type(labels.values[0]) if labels.values else None
    if given is not None and given is not known:
        raise DataError(f"{name}: labels are {given.__name__}, but the model was trained on {known.__name__}")
