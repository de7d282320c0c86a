"""Counting, batch by batch, what an `Evaluation` reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.evaluation.metrics import cross_entropies, precision_recall_f1, top_labels
from lexigrad.evaluation.report import Confusions, Evaluation, LabelScore

UNKNOWN = -1


class Meter:
    """Takes predictions and true labels in batches and keeps counts only.

    Memory: three counts a label and one for each pair (true, predicted) that occurs, whatever the number of texts.

    Parameters
    ----------
    n_labels : how many labels the model has
    k : predictions a text, clipped to `n_labels`
    threshold : predictions with a smaller probability are not made; it changes neither accuracy nor confusion

    Raises
    ------
    ParameterError
        `n_labels` or `k` below 1, or a threshold outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> meter = Meter(n_labels=2)
    >>> meter.update(np.array([[0.9, 0.1], [0.8, 0.2]], np.float32), target_ids=[0, 1], target_offsets=[0, 1, 2])
    >>> meter.result(["ham", "spam"]).accuracy
    0.5
    """

    def __init__(self, n_labels: int, k: int = 1, threshold: float = 0.0):
        if n_labels < 1:
            raise ParameterError(f"n_labels={n_labels}: expected at least 1")
        if k < 1:
            raise ParameterError(f"k={k}: expected at least 1")
        if not 0 <= threshold <= 1:
            raise ParameterError(f"threshold={threshold}: expected a probability from 0 to 1")
        self.n_labels = n_labels
        self.k = min(k, n_labels)
        self.threshold = threshold
        self._hits, self._predicted, self._gold = (np.zeros(n_labels, np.int64) for _ in range(3))
        self._n_texts = self._n_skipped = self._n_unknown = self._n_right = 0
        self._log_loss: float | None = 0.0
        self._confused = _PairCounts(n_labels)

    def update(self, probs: NDArray[np.floating], target_ids: ArrayLike, target_offsets: ArrayLike) -> None:
        """Count a batch of texts whose every probability is known.

        Parameters
        ----------
        probs : (n, n_labels), in [0, 1]
        target_ids : (n_label_uses,) integers, label ids; -1 is a label that the model does not know
        target_offsets : (n + 1,) integers; text ``i`` has ``target_ids[target_offsets[i]:target_offsets[i + 1]]``.
            A label given twice to one text counts once.

        Raises
        ------
        DataError
            Shapes that do not fit, an id that is no label's, or a probability outside [0, 1] or NaN.
        """
        probs = np.asarray(probs)
        if probs.ndim != 2 or probs.shape[1] != self.n_labels:
            raise DataError(f"probs have shape {probs.shape}; expected (number of texts, {self.n_labels})")
        _check_probs(probs)
        rows, ids, counts = self._targets(target_ids, target_offsets, len(probs))
        ranked = top_labels(probs, self.k)
        self._count(ranked, np.take_along_axis(probs, ranked, axis=1), rows, ids, counts)
        if self._log_loss is not None:
            self._log_loss += cross_entropies(probs, rows, ids, counts)

    def update_top_k(
        self, ranked: ArrayLike, probs: NDArray[np.floating], target_ids: ArrayLike, target_offsets: ArrayLike
    ) -> None:
        """Count a batch of texts of which only the best labels are known; the log loss is None from then on.

        Parameters
        ----------
        ranked : (n, m) integers with m >= k, label ids, best first and no two equal in a row; -1 is no prediction
        probs : (n, m), in [0, 1]
        target_ids, target_offsets : as in `update`

        Raises
        ------
        DataError
            As in `update`.
        """
        ranked, probs = np.asarray(ranked, np.int64), np.asarray(probs)
        if ranked.ndim != 2 or ranked.shape != probs.shape or ranked.shape[1] < self.k:
            raise DataError(f"ids and probs have shapes {ranked.shape} and {probs.shape}; expected both (n, {self.k})")
        _check_probs(probs)
        _check_ids(ranked, self.n_labels, "predicted")
        rows, ids, counts = self._targets(target_ids, target_offsets, len(probs))
        self._count(ranked[:, : self.k], probs[:, : self.k], rows, ids, counts)
        self._log_loss = None

    def result(self, labels: Sequence[Any] | NDArray[Any]) -> Evaluation:
        """The report on all batches so far.

        Parameters
        ----------
        labels : n_labels names, in the order of the ids

        Raises
        ------
        DataError
            No text had a label that the model knows.
        ParameterError
            `labels` are not `n_labels` different values.
        """
        names = [label.item() if isinstance(label, np.generic) else label for label in labels]
        if len(set(names)) != self.n_labels or len(names) != self.n_labels:
            raise ParameterError(f"labels: expected {self.n_labels} different names, got {len(names)}: {names[:5]}")
        if not self._n_texts:
            raise DataError(
                f"no labelled text: of {self._n_skipped} texts none has a label that the model knows "
                f"({self._n_unknown} unknown labels); give texts with labels the model was trained on"
            )
        per_label = np.stack(precision_recall_f1(self._hits, self._predicted, self._gold))
        occurs = (self._gold + self._predicted) > 0
        micro = precision_recall_f1(self._hits.sum(), self._predicted.sum(), self._gold.sum())
        macro = per_label[:, occurs].mean(axis=1)
        return Evaluation(
            n_texts=self._n_texts,
            n_skipped=self._n_skipped,
            n_unknown_label=self._n_unknown,
            k=self.k,
            threshold=self.threshold,
            **dict(zip(("precision", "recall", "f1"), map(float, micro), strict=True)),
            **dict(zip(("macro_precision", "macro_recall", "macro_f1"), macro.tolist(), strict=True)),
            accuracy=self._n_right / self._n_texts,
            log_loss=None if self._log_loss is None else self._log_loss / self._n_texts,
            per_label={
                name: LabelScore(scores[0], scores[1], scores[2], support)
                for name, scores, support in zip(names, per_label.T.tolist(), self._gold.tolist(), strict=True)
            },
            labels=names,
            _confusions=self._confused.cells(),
        )

    def _targets(
        self, target_ids: ArrayLike, target_offsets: ArrayLike, n: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Row and id of each known label, sorted and once each, and how many each row has."""
        ids, offsets = np.asarray(target_ids, np.int64), np.asarray(target_offsets, np.int64)
        sizes = np.diff(offsets)
        if len(offsets) != n + 1 or (sizes < 0).any() or offsets[0] < 0 or offsets[-1] > len(ids):
            raise DataError(f"target_offsets must be {n + 1} rising positions in the {len(ids)} target_ids")
        ids = ids[offsets[0] : offsets[-1]]
        _check_ids(ids, self.n_labels, "target")
        known = ids != UNKNOWN
        self._n_unknown += int((~known).sum())
        rows = np.repeat(np.arange(n), sizes)
        rows, ids = np.divmod(np.unique(rows[known] * self.n_labels + ids[known]), self.n_labels)
        return rows, ids, np.bincount(rows, minlength=n)

    def _count(
        self,
        ranked: NDArray[np.int64],
        probs: NDArray[np.floating],
        rows: NDArray[np.int64],
        ids: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> None:
        labelled = counts > 0
        n_labelled = int(labelled.sum())
        self._n_texts += n_labelled
        self._n_skipped += len(counts) - n_labelled
        made = (ranked != UNKNOWN) & (probs >= self.threshold) & labelled[:, None]
        wanted = rows * self.n_labels + ids
        hit = np.isin(np.arange(len(ranked))[:, None] * self.n_labels + ranked, wanted) & made
        self._gold += np.bincount(ids, minlength=self.n_labels)
        self._predicted += np.bincount(ranked[made], minlength=self.n_labels)
        self._hits += np.bincount(ranked[hit], minlength=self.n_labels)
        first = ranked[rows, 0]
        self._n_right += int((first == ids).sum())
        answered = first != UNKNOWN
        self._confused.add(ids[answered], first[answered])


class _PairCounts:
    """Counts of (true, predicted) pairs, merged when as many wait as are stored: the memory of the pairs that occur."""

    def __init__(self, n_labels: int):
        self.n_labels = n_labels
        self._keys = self._counts = np.zeros(0, np.int64)
        self._waiting: list[NDArray[np.int64]] = []
        self._n_waiting = 0

    def add(self, true: NDArray[np.int64], predicted: NDArray[np.int64]) -> None:
        self._waiting.append(true * self.n_labels + predicted)
        self._n_waiting += len(true)
        if self._n_waiting > max(len(self._keys), 1 << 16):
            self._merge()

    def cells(self) -> Confusions:
        self._merge()
        return Confusions(*np.divmod(self._keys, self.n_labels), self._counts)

    def _merge(self) -> None:
        new, new_counts = np.unique(np.concatenate([np.zeros(0, np.int64), *self._waiting]), return_counts=True)
        keys, place = np.unique(np.concatenate([self._keys, new]), return_inverse=True)
        counts = np.zeros(len(keys), np.int64)
        np.add.at(counts, place, np.concatenate([self._counts, new_counts]))
        self._keys, self._counts = keys, counts
        self._waiting, self._n_waiting = [], 0


def _check_probs(probs: NDArray[np.floating]) -> None:
    if probs.size and not (
        probs.min() >= 0 and probs.max() <= 1.001
    ):  # a NaN fails too; float32 sums may pass 1 a little
        raise DataError(f"probs must lie in [0, 1]; these reach from {probs.min()} to {probs.max()}")


def _check_ids(ids: NDArray[np.int64], n_labels: int, what: str) -> None:
    if ids.size and not (ids.min() >= UNKNOWN and ids.max() < n_labels):
        raise DataError(
            f"a {what} label id must be from 0 to {n_labels - 1}, or {UNKNOWN}; "
            f"these reach from {ids.min()} to {ids.max()}"
        )
