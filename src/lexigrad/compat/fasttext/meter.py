"""Predictions compared with labels, counted as fastText counts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lexigrad.compat.fasttext.model import END
from lexigrad.compat.fasttext.prediction import MOST_ANSWERS, lines_of, parts_of, pieces
from lexigrad.machine.threads import available_threads
from lexigrad.text.batches import TextBatch

if TYPE_CHECKING:
    from lexigrad.compat.fasttext.model import Model

PIECE = 1 << 24
"""Bytes of text at a time."""
ALL = -1
"""Stands for all labels."""
MISSED = np.float32(-1)
"""The score of a label that no answer names."""


class Meter:
    """Counts over the lines of a file that have a known label and a known feature.

    Attributes
    ----------
    n : such lines
    gold, predicted, hits : (n_labels,) int64: uses of each label in the file, in answers, and answers that are right
    """

    def __init__(self, n_labels: int) -> None:
        self.n = 0
        self.gold, self.predicted, self.hits = (np.zeros(n_labels, np.int64) for _ in range(3))
        self._answers: list[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]] = []

    def update(
        self, owners: NDArray[np.int64], labels: NDArray[np.int64], scores: NDArray[np.float32], gold_owners: NDArray[np.int64],
        gold: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Count answers, (line, label, score), and the labels of lines, (line, label)."""
        size = len(self.gold)
        right = np.isin(owners * size + labels, gold_owners * size + gold)
        self.gold += np.bincount(gold, minlength=size)
        self.predicted += np.bincount(labels, minlength=size)
        self.hits += np.bincount(labels[right], minlength=size)
        self._answers.append((labels, np.minimum(scores, np.float32(1)), right))
        missed = gold[~np.isin(gold_owners * size + gold, owners * size + labels)]
        self._answers.append((missed, np.full(len(missed), MISSED), np.ones(len(missed), bool)))

    def ratios(self, label: int = ALL) -> tuple[float, float, float]:
        """Return precision, recall and F1; NaN where there is nothing to divide by."""
        these = slice(None) if label == ALL else slice(label, label + 1)
        hits, predicted, gold = (int(counts[these].sum()) for counts in (self.hits, self.predicted, self.gold))
        return (
            hits / predicted if predicted else math.nan,
            hits / gold if gold else math.nan,
            2 * hits / (predicted + gold) if predicted + gold else math.nan,
        )

    def score_vs_true(self, label: int = ALL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores of all answers that name a label, rising, and 1 where they are right, else 0; with -1 for labels that were not named."""
        if not self._answers:
            return np.empty(0), np.empty(0)
        labels, scores, right = (np.concatenate(parts) for parts in zip(*self._answers, strict=True))
        if label != ALL:
            scores, right = scores[labels == label], right[labels == label]
        order = np.lexsort((right, scores))
        return scores[order].astype(np.float64), right[order].astype(np.float64)

    def curve(self, label: int = ALL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return precision and recall at each distinct score, the highest first, until all is found, and then (1, 0)."""
        scores, right = self.score_vs_true(label)
        scores, right = scores[scores != MISSED], right[scores != MISSED]
        if not len(scores):
            return np.empty(0), np.empty(0)
        last = np.append(scores[::-1][1:] != scores[::-1][:-1], True)
        found = np.cumsum(right[::-1])[last]
        answers = np.arange(1, len(scores) + 1)[last]
        gold = int(self.gold.sum() if label == ALL else self.gold[label])
        stop = int(np.searchsorted(found, gold)) + 1
        with np.errstate(invalid="ignore"):
            recall = found[:stop] / gold if gold else np.full(len(found[:stop]), np.nan)
        return np.append(found[:stop] / answers[:stop], 1.0), np.append(recall, 0.0)

    def precision_at_recall(self, recall: float, label: int = ALL) -> float:
        """Return the best precision at which recall is at least this; 0 where it never is."""
        precisions, recalls = self.curve(label)
        return float(precisions[recalls >= recall].max(initial=0))

    def recall_at_precision(self, precision: float, label: int = ALL) -> float:
        """Return the best recall at which precision is at least this; 0 where it never is."""
        precisions, recalls = self.curve(label)
        return float(recalls[precisions >= precision].max(initial=0))


def measured(model: Model, source: str | BinaryIO, k: int, threshold: float) -> Meter:
    """Return the counts of a file, or of what can be read from.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    if isinstance(source, str):
        if Path(source).is_dir():
            raise ValueError(f"Test file cannot be opened! {source} is a folder")
        if not Path(source).exists():
            raise ValueError(f"Test file cannot be opened! There is no file {source}")
        data = Path(source).read_bytes()
    else:
        data = source.read()
    meter = Meter(model.file.n_labels)
    if not model.supervised:
        return meter
    predictor = model.predictor
    width = predictor.number(k)
    ids = {label: i for i, label in enumerate(model.labels)}
    for piece in pieces(data, PIECE):
        for batch in parts_of(lines_of(piece), max(1, MOST_ANSWERS // width)):
            gold_owners, gold = _gold(batch, ids)
            found, probs, known = predictor.judged(batch, width, threshold, available_threads())
            counted = np.zeros(len(batch), bool)
            counted[gold_owners] = True
            counted &= known > 0
            meter.n += int(counted.sum())
            use = counted[:, None] & (found >= 0)
            owners = np.repeat(np.arange(len(batch)), use.sum(axis=1))
            which = counted[gold_owners]
            meter.update(owners, predictor.label_of[found[use]], probs[use], gold_owners[which], gold[which])
    return meter


def _gold(batch: TextBatch, ids: dict[bytes, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (line, label) of the known labels of all lines."""
    content = batch.data[batch.offsets[0] : batch.offsets[-1]].tobytes().replace(b"\0", b" ")
    owners, labels = [], []
    start = int(batch.offsets[0])
    ends = (batch.offsets - start).tolist()
    for line in range(len(batch)):
        for token in content[ends[line] : ends[line + 1]].split():
            label = ids.get(token)
            if label is not None:
                owners.append(line)
                labels.append(label)
            elif token == END:
                break
    return np.array(owners, np.int64), np.array(labels, np.int64)
