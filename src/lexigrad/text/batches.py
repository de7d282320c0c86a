"""Batches of texts as bytes and offsets: what every source yields and every kernel reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The labels of a batch: text ``i`` has ``values[ids[j]]`` for ``j`` in ``offsets[i]:offsets[i + 1]``.

    Attributes
    ----------
    ids : (n_label_uses,) int32, positions in `values`
    offsets : (n_texts + 1,) int64
    values : the distinct labels of this batch, in order of first use; all str, all int, all bool or all float
    several : True where the source gives a list of labels per text
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    values: list[Any]
    several: bool

    def selected(self, rows: NDArray[np.int64]) -> LabelColumn:
        """Return the labels of these texts, in this order; `values` stay."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        offsets = _offsets(lengths)
        uses = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return LabelColumn(self.ids[uses], offsets, self.values, self.several)


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Some texts, the layout of an Arrow string column.

    Attributes
    ----------
    data : (n_bytes,) uint8, may be read-only; text ``i`` is ``data[offsets[i]:offsets[i + 1]]``
    offsets : (n_texts + 1,) int64, never decreasing; need not start at 0
    labels : the labels, or None where the source has none or none were asked for
    name : what an error message calls the source, a path or "texts"
    lines : (n_texts,) int64, for error messages: the line of each text in its file (1-based), or its row (0-based)
        where the source
        has no lines
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    labels: LabelColumn | None
    name: str
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def selected(self, rows: NDArray[np.int64]) -> TextBatch:
        """Return these texts of the batch, in this order."""
        starts, stops = self.offsets[rows], self.offsets[rows + 1]
        view = np.ascontiguousarray(self.data).data
        data = b"".join(view[first:stop] for first, stop in zip(starts.tolist(), stops.tolist(), strict=True))
        labels = None if self.labels is None else self.labels.selected(rows)
        return TextBatch(np.frombuffer(data, np.uint8), _offsets(stops - starts), labels, self.name, self.lines[rows])


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
