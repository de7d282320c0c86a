"""Predictions as fastText gives them: its probabilities, its order, its forms."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lexigrad.machine.threads import available_threads, map_threads
from lexigrad.models.fitted import slices_of
from lexigrad.text.batches import TextBatch

if TYPE_CHECKING:
    from lexigrad.compat.fasttext.model import Model
    from lexigrad.models.fitted import FittedClassifier

MOST_ANSWERS = 1 << 21
"""Labels of so many answers are listed at a time."""
NEWLINE = 10
STRICT = "strict"
ONE_LINE = "predict processes one line at a time (remove '\\n')"


class Predictor:
    """A classifier, with labels as the file has them.

    Parameters
    ----------
    model : the model
    fitted : the same as a classifier of lexigrad
    """

    def __init__(self, model: Model, fitted: FittedClassifier) -> None:
        self.model, self.fitted = model, fitted
        self.n_labels = len(fitted.classes)
        self.label_of = np.empty(self.n_labels + 1, np.int64)
        """The label's id of each class; the last is for no label."""
        self.label_of[fitted.order] = np.arange(self.n_labels)
        self.label_of[-1] = -1
        self.order = np.ascontiguousarray(fitted.order, np.int32)
        self._names: dict[str, tuple[NDArray[Any], bool]] = {}
        self.empty = np.empty(0, np.float32)

    def names(self, on_unicode_error: str | None) -> tuple[NDArray[Any], bool]:
        """Return the labels as str, by class, the last for no label, and whether some could not be decoded: they are bytes still."""
        found = self._names.get(on_unicode_error or STRICT)
        if found is None:
            decoded = [_decoded(label, on_unicode_error or STRICT) for label in self.model.labels]
            names = np.empty(self.n_labels + 1, object)
            names[:-1] = [decoded[i] for i in self.label_of[:-1].tolist()]
            found = names, any(isinstance(name, bytes) for name in decoded)
            self._names[on_unicode_error or STRICT] = found
        return found

    def number(self, k: int) -> int:
        """Return how many labels an answer has room for."""
        if k == -1:
            return self.n_labels
        if k < 1:
            raise ValueError(f"k={k}: k needs to be 1 or higher! (or -1 for all labels)")
        return min(k, self.n_labels)

    @cached_property
    def scorer(self) -> Callable[..., None]:
        """See `FittedClassifier.fasttext_scorer`."""
        return self.fitted.fasttext_scorer(self.order, available_threads())

    def judged(
        self,
        batch: TextBatch,
        k: int,
        threshold: float,
        threads: int,
        done: Callable[[int, int, Any, Any], None] | None = None,
        ended: bool = True,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
        """Return (ids, probs), both (n, k): classes, best first, then -1 where there are no more; and how many known features each text has.

        `ended` tells whether the end of a text counts as the end of its line.
        `done` is called with (first, stop, ids, probs) for one part of the batch after the other, while threads score the next.
        """
        n = len(batch)
        ids, probs, known = np.empty((n, k), np.int32), np.empty((n, k), np.float32), np.empty(n, np.int32)
        flat, threshold = (ids.reshape(-1), probs.reshape(-1), known), _threshold(threshold)
        edges, score = slices_of(batch), self.scorer

        def score_range(edge: tuple[int, int]) -> None:
            score(batch.data, batch.offsets, *edge, k, threshold, *flat, ended)

        parts = map_threads(score_range, edges, min(threads, len(edges))) if edges else iter(())
        for (first, stop), _ in zip(edges, parts, strict=True):
            if done is not None:
                done(first, stop, ids, probs)
        return ids, probs, known

    def one(
        self, line: bytes, k: int, threshold: float, on_unicode_error: str | None, ended: bool = True
    ) -> tuple[list[str], list[float]]:
        """Return the labels and probabilities of one text."""
        k, threshold = self.number(k), _threshold(threshold)
        ids, probs, known = np.empty(k, np.int32), np.empty(k, np.float32), np.empty(1, np.int32)
        data, offsets = np.frombuffer(line, np.uint8), np.array((0, len(line)))
        self.scorer(data, offsets, 0, 1, k, threshold, ids, probs, known, ended)
        names, some_undecoded = self.names(on_unicode_error)
        found, values = ids.tolist(), probs.tolist()
        if found[-1] < 0:
            n = found.index(-1)
            found, values = found[:n], values[:n]
        labels = [names[i] for i in found]
        if some_undecoded:
            _raise_for(labels, on_unicode_error)
        return labels, values

    def many(
        self, texts: Sequence[str], k: int, threshold: float, on_unicode_error: str | None, ended: bool = True
    ) -> tuple[list[list[str]], list[NDArray[np.float32]]]:
        """Return the labels and probabilities of many texts, on all processors; those that are not `ended` may end with a newline."""
        labels: list[list[str]] = []
        values: list[NDArray[np.float32]] = []
        width = self.number(k)
        names, some_undecoded = self.names(on_unicode_error)

        def listed(first: int, stop: int, ids: NDArray[np.int32], probs: NDArray[np.float32]) -> None:
            here, these = names.take(ids[first:stop]).tolist(), list(probs[first:stop])
            if ids[first:stop, -1].min() < 0:
                counts = (ids[first:stop] >= 0).sum(axis=1)
                for i in np.flatnonzero(counts < width).tolist():
                    here[i], these[i] = here[i][: counts[i]], these[i][: counts[i]]
            if some_undecoded:
                for found in here:
                    _raise_for(found, on_unicode_error)
            labels.extend(here)
            values.extend(these)

        step = max(1, MOST_ANSWERS // width)
        with without_collection():
            for first in range(0, len(texts), step):
                batch = batch_of(texts[first : first + step], newlines=not ended)
                self.judged(batch, width, threshold, available_threads(), listed, ended)
        return labels, values


@contextmanager
def without_collection() -> Iterator[None]:
    """Leave cycles alone meanwhile: looking for them after every 700 new lists would take longer than making these."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _threshold(threshold: float) -> float:
    """Return a threshold in float32; one that is no number leaves nothing out."""
    return float(np.float32(threshold)) if not math.isnan(threshold) else 0.0


def _decoded(label: bytes, on_unicode_error: str) -> str | bytes:
    """Return a label as str, or as it is where it is no UTF-8."""
    try:
        return label.decode("utf-8", on_unicode_error)
    except (UnicodeError, LookupError):
        return label


def _raise_for(labels: Sequence[str | bytes], on_unicode_error: str | None) -> None:
    """Raise the error of the first label that could not be decoded."""
    for label in labels:
        if isinstance(label, bytes):
            label.decode("utf-8", on_unicode_error or STRICT)


def batch_of(texts: Sequence[str], newlines: bool = False) -> TextBatch:
    """Return texts, each one line, as a batch; with `newlines` they may have some.

    Raises
    ------
    TypeError
        Where one is no str, or holds half a surrogate pair.
    ValueError
        Where one has a newline.
    """
    try:
        array = pa.array(texts, pa.large_string())
        missing = array.null_count
    except (pa.ArrowException, TypeError, UnicodeError):
        missing = 1
    if missing:
        _complain(texts)
    _, places, content = array.buffers()
    offsets = np.frombuffer(places, np.int64)[: len(texts) + 1] if len(texts) else np.zeros(1, np.int64)
    data = np.frombuffer(content or b"", np.uint8)
    if not newlines and (data == NEWLINE).any():
        raise ValueError(ONE_LINE)
    return TextBatch(data, offsets, None, "texts", np.zeros(len(texts), np.int64))


def _complain(texts: Sequence[Any]) -> None:
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {i} is of type {type(text).__name__}: expected a str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TypeError(f"text {i} has no UTF-8 form ({error.reason}): remove half surrogate pairs") from None
    raise TypeError("texts: expected a list of str")


def lines_of(data: bytes) -> TextBatch:
    """Return the lines of a file."""
    content = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(content == NEWLINE) + 1
    if len(content) and (not len(ends) or ends[-1] != len(content)):
        ends = np.append(ends, len(content))
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    return TextBatch(content, offsets, None, "lines", np.arange(1, len(ends) + 1))


def parts_of(batch: TextBatch, size: int) -> Iterator[TextBatch]:
    """Yield a batch, `size` texts at a time."""
    for first in range(0, len(batch), size):
        stop = min(first + size, len(batch))
        yield TextBatch(batch.data, batch.offsets[first : stop + 1], None, batch.name, batch.lines[first:stop])


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield whole lines, about `size` bytes at a time."""
    first = 0
    while first < len(data):
        stop = len(data) if first + size >= len(data) else data.find(b"\n", first + size) + 1 or len(data)
        yield data[first:stop]
        first = stop
