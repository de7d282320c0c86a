"""What tuning makes as good as it can: one number of a model on labelled texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.evaluation.meter import UNKNOWN, Meter
from lexigrad.evaluation.metrics import precision_at_recall, recall_at_precision

Scored = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]
"""A batch as `Meter.update` takes it: probabilities (n, n_labels), ids of the true labels, offsets of the texts in them."""

REPORTED = ("f1", "macro_f1", "accuracy", "log_loss")
"""Attributes of an `Evaluation` that may be a goal."""
CURVES = {"precision_at_recall": precision_at_recall, "recall_at_precision": recall_at_precision}
EXPECTED = (
    "expected 'f1', 'macro_f1', 'accuracy', 'log_loss', 'f1:LABEL', 'precision_at_recall:0.9', 'recall_at_precision:0.9', "
    "or one of these two with a label, as in 'precision_at_recall:0.9:LABEL'"
)


@dataclass(frozen=True)
class Goal:
    """A metric, by name.

    ==================================  ==========================================================================
    ``f1``                              2 hits / (predictions + labels), one prediction a text: `Evaluation.f1` at k=1
    ``f1:LABEL``                        the same for the predictions and uses of one label
    ``macro_f1``                        mean of the labels' own F1
    ``accuracy``                        share of texts whose most probable label is one of theirs
    ``log_loss``                        mean cross-entropy in nats; smaller is better
    ``precision_at_recall:R``           best precision over thresholds with a recall of R or more, where each pair of a
                                        text and a label is found if its probability reaches the threshold
    ``recall_at_precision:P``           best recall over thresholds with a precision of P or more
    ``...:R:LABEL``, ``...:P:LABEL``    the same over the pairs with one label
    ==================================  ==========================================================================

    Only texts with a label that the model knows count.

    Attributes
    ----------
    name : as above
    kind : the part before the first colon
    level : R or P
    label : what LABEL stands for, as text

    Examples
    --------
    >>> Goal.parse("precision_at_recall:0.9:spam")
    Goal(name='precision_at_recall:0.9:spam', kind='precision_at_recall', level=0.9, label='spam')
    """

    name: str
    kind: str
    level: float | None = None
    label: str | None = None

    @classmethod
    def parse(cls, name: str) -> Goal:
        """Return the goal of a name, or raise `ParameterError`."""
        if not isinstance(name, str):
            raise ParameterError(f"metric={name!r}: {EXPECTED}")
        kind, *rest = name.split(":", 1)
        if kind in REPORTED and not rest:
            return cls(name, kind)
        if kind == "f1" and rest[0]:
            return cls(name, kind, label=rest[0])
        if kind in CURVES and rest:
            level, *label = rest[0].split(":", 1)
            if re.fullmatch(r"\d*\.?\d+", level) and 0 <= float(level) <= 1 and label != [""]:
                return cls(name, kind, float(level), label[0] if label else None)
        raise ParameterError(f"metric={name!r}: {EXPECTED}")

    @property
    def smaller_is_better(self) -> bool:
        """Tell in which direction the value gets better."""
        return self.kind == "log_loss"

    def better(self, value: float, other: float) -> bool:
        """Tell whether a value is better than another."""
        return value < other if self.smaller_is_better else value > other

    def check(self, labels: Iterable[Any]) -> None:
        """Raise `ParameterError` if the goal's label is none of these."""
        if self.label is not None:
            self._column(list(labels))

    def _column(self, labels: list[Any]) -> int:
        names = [str(label) for label in labels]
        if self.label not in names:
            shown = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
            raise ParameterError(
                f"metric={self.name!r}: there is no label {self.label!r} in training; there are {shown}"
            )
        return names.index(self.label)

    def value(self, scored: Iterable[Scored], labels: NDArray[Any]) -> float:
        """Measure.

        Parameters
        ----------
        scored : batches of probabilities and true labels, -1 for a label that the model does not know
        labels : (n_labels,) in the order of the columns

        Raises
        ------
        DataError
            No text has a label that the model knows, or none has the goal's label.
        """
        names = labels.tolist()
        if self.kind in CURVES:
            return self._on_curve(scored, names)
        meter = Meter(len(names))
        for probs, ids, offsets in scored:
            meter.update(probs, ids, offsets)
        evaluation = meter.result(names)
        if self.label is None:
            return float(getattr(evaluation, self.kind))
        score = evaluation.per_label[names[self._column(names)]]
        if not score.support:
            raise self._absent()
        return float(score.f1)

    def _on_curve(self, scored: Iterable[Scored], names: list[Any]) -> float:
        column = None if self.label is None else self._column(names)
        parts = list(_pairs(scored, len(names), column))
        if not parts:
            raise DataError("no labelled text: none of the texts that are measured on has a label that the model knows")
        found, true = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        if not true.any():
            raise self._absent()
        assert self.level is not None
        return CURVES[self.kind](found, true, self.level)

    def _absent(self) -> DataError:
        return DataError(
            f"metric={self.name!r}: no text that is measured on has the label {self.label!r}; give validation texts with it"
        )


def _pairs(
    scored: Iterable[Scored], n_labels: int, column: int | None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool]]]:
    """Yield the probability of each pair of a text with a known label and a label, or one label, and whether it is true."""
    for probs, ids, offsets in scored:
        rows = np.repeat(np.arange(len(probs)), np.diff(offsets))
        uses = ids[offsets[0] : offsets[-1]]
        true = np.zeros(probs.shape, np.bool)
        true[rows[uses != UNKNOWN], uses[uses != UNKNOWN]] = True
        counted = true.any(axis=1)
        if counted.any():
            columns = slice(None) if column is None else slice(column, column + 1)
            yield probs[counted, columns].reshape(-1), true[counted, columns].reshape(-1)
