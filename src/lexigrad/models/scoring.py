"""Evaluation of a fitted classifier on batches of labelled texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.evaluation import Evaluation, Meter
from lexigrad.models.fitted import FittedClassifier
from lexigrad.text.batches import LabelColumn, TextBatch
from lexigrad.text.corpus import labels_of


def evaluate_batches(fitted: FittedClassifier, batches: Iterable[TextBatch], k: int, threads: int) -> Evaluation:
    """Score all texts and compare with their labels; labels that the model does not know count as missed."""
    meter = Meter(len(fitted.classes), k)
    numbers = {label: i for i, label in enumerate(fitted.classes.tolist())}
    for batch in batches:
        labels = labels_of(batch)
        _check_type(fitted.classes, labels, batch.name)
        here = np.array([numbers.get(value, -1) for value in labels.values], np.int64)
        _, probs, _ = fitted.score(batch, 0, threads)
        meter.update(probs, here[labels.ids], labels.offsets)
    return meter.result(fitted.classes)


def _check_type(classes: NDArray[Any], labels: LabelColumn, name: str) -> None:
    known, given = type(classes[:1].tolist()[0]), type(labels.values[0]) if labels.values else None
    if given is not None and given is not known:
        raise DataError(f"{name}: labels are {given.__name__}, but the model was trained on {known.__name__}")
