"""The report of an evaluation: what `TextClassifier.evaluate` returns."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Group
    from rich.table import Table

SHOWN_LABELS = 10
SHOWN_CONFUSIONS = 5


class LabelScore(NamedTuple):
    """How one label fared.

    Attributes
    ----------
    precision : right predictions of this label / predictions of it; 0 where it was never predicted
    recall : right predictions of this label / texts that have it; 0 where none has
    f1 : harmonic mean of the two
    support : texts that have this label
    """

    precision: float
    recall: float
    f1: float
    support: int


class Confusions(NamedTuple):
    """The cells of the confusion matrix that are not zero: `true[j]` was answered `predicted[j]`, `counts[j]` times."""

    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """How good a classifier is on labelled texts.

    Only texts with at least one label that the model knows count, and of a text's labels only those (fastText's rule;
    fastText also leaves out texts without any known feature, which count here, since they are answered too).
    Predictions of a text are its `k` most probable labels, less those below `threshold`.

    Attributes
    ----------
    n_texts : texts that counted
    n_skipped : texts that did not: no label, or only labels that the model does not know
    n_unknown_label : labels given to texts that the model does not know
    k, threshold : as above
    precision, recall, f1 : micro averages: right predictions / predictions, right predictions / labels, and their
        harmonic mean
    macro_precision, macro_recall, macro_f1 : means of the labels' own values, over the labels that some text has or
        some prediction names; a label that was never predicted has precision 0
    accuracy : share of texts whose most probable label is one of theirs
    log_loss : mean over texts of the mean cross-entropy (nats) over each text's labels; None where only the k best
        were known
    per_label : label -> `LabelScore`, in the order of `labels`
    labels : all labels of the model, in the order of its columns
    """

    n_texts: int
    n_skipped: int
    n_unknown_label: int
    k: int
    threshold: float
    precision: float
    recall: float
    f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    accuracy: float
    log_loss: float | None
    per_label: dict[Any, LabelScore]
    labels: list[Any]
    _confusions: Confusions = field(repr=False)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts, (n_labels, n_labels) int64: rows are true labels, columns the most probable label.

        A text with several labels counts once in the row of each.
        """
        matrix = np.zeros((len(self.labels), len(self.labels)), np.int64)
        matrix[self._confusions.true, self._confusions.predicted] = self._confusions.counts
        return matrix

    def most_confused(self, n: int = 10) -> list[tuple[Any, Any, int]]:
        """The `n` most frequent mistakes as (true label, predicted label, count), most frequent first."""
        true, predicted, counts = self._confusions
        wrong = np.flatnonzero(true != predicted)
        worst = wrong[np.argsort(-counts[wrong], kind="stable")][:n]
        return [(self.labels[true[j]], self.labels[predicted[j]], int(counts[j])) for j in worst]

    def plot_confusion(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the confusion matrix, each cell coloured by its share of its row. Needs the extra `plot`.

        Parameters
        ----------
        path : where the picture goes, .png, .svg or .pdf; None only returns it

        Raises
        ------
        DataError
            For more than 1,000 labels.
        ParameterError
            For a path whose extension no picture has, and where the extra is not installed.
        """
        from lexigrad.evaluation.plots import confusion_figure, picture_path, save_figure

        if path is not None:
            picture_path(path)
        figure = confusion_figure(self.confusion, self.labels, f"{self.n_texts:,} texts, {self.accuracy:.1%} right")
        if path is not None:
            save_figure(figure, path)
        return figure

    def to_dict(self, *, confusion: bool = True) -> dict[str, Any]:
        """Everything as JSON values under the attributes' names; labels become strings where they are keys.

        Parameters
        ----------
        confusion : whether to include the matrix as a list of rows; with n labels it has n squared numbers
        """
        answer = {name: value for name, value in vars(self).items() if name not in ("_confusions", "confusion")}
        answer["per_label"] = {str(label): score._asdict() for label, score in self.per_label.items()}
        answer["labels"] = list(self.labels)
        if confusion:
            answer["confusion"] = self.confusion.tolist()
        return answer

    def __repr__(self) -> str:
        return (
            f"Evaluation(n_texts={self.n_texts}, k={self.k}, precision={self.precision:.4f}, "
            f"recall={self.recall:.4f}, f1={self.f1:.4f}, accuracy={self.accuracy:.4f})"
        )

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=100, color_system=None, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n"))

    def __rich__(self) -> Group:
        from rich.console import Group

        return Group(*self._parts())

    def _parts(self) -> Iterator[Table | str]:
        yield self._headline()
        yield ""
        yield self._averages()
        yield ""
        yield self._label_table()
        if self.most_confused(1):
            yield ""
            yield self._confusion_table()

    def _headline(self) -> str:
        skipped = f", {self.n_skipped:,} skipped (no known label)" if self.n_skipped else ""
        unknown = f", {self.n_unknown_label:,} unknown labels ignored" if self.n_unknown_label else ""
        loss = "" if self.log_loss is None else f" · log loss {self.log_loss:.4f}"
        return f"{self.n_texts:,} texts{skipped}{unknown}\naccuracy {self.accuracy:.4f}{loss}"

    def _averages(self) -> Table:
        table = _table(f"at k={self.k}", "precision", "recall", "F1")
        for name, prefix in (("micro", ""), ("macro", "macro_")):
            values = (getattr(self, prefix + metric) for metric in ("precision", "recall", "f1"))
            table.add_row(name, *(f"{value:.4f}" for value in values))
        return table

    def _label_table(self) -> Table:
        """Every label that occurs, or the worst where there are many."""
        occurring = [(label, score) for label, score in self.per_label.items() if score.support]
        shown = occurring
        if len(occurring) > SHOWN_LABELS:
            shown = sorted(occurring, key=lambda item: item[1].f1)[:SHOWN_LABELS]
        title = "label" if shown is occurring else f"{SHOWN_LABELS} weakest of {len(occurring):,} labels"
        table = _table(title, "precision", "recall", "F1", "texts")
        for label, score in shown:
            values = (f"{value:.4f}" for value in score[:3])
            table.add_row(_plain(label), *values, f"{score.support:,}")
        return table

    def _confusion_table(self) -> Table:
        table = _table("true label", "taken for", "texts")
        table.columns[1].justify = "left"
        for true, predicted, count in self.most_confused(SHOWN_CONFUSIONS):
            table.add_row(_plain(true), _plain(predicted), f"{count:,}")
        return table


def _table(first: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _plain(label: Any) -> Any:
    """A label as it is: brackets are no markup, and control characters are shown, not sent to the terminal."""
    from rich.text import Text

    text = str(label)
    return Text(text if text.isprintable() else repr(label))
