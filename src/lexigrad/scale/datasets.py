"""Scoring within Hugging Face `datasets`: a function for `Dataset.map(batched=True)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.machine.threads import thread_count
from lexigrad.scale.models import SharedRows, text_array, worker_threads


@dataclass(frozen=True)
class BatchScorer:
    """What `score_batch` returns."""

    rows: SharedRows
    text: str
    threads: int | None

    def __call__(self, batch: Any) -> Any:
        """Return the columns of scores of a batch of columns, or an Arrow table with all columns for one."""
        threads = worker_threads(self.threads)
        if not isinstance(batch, Mapping):
            table = batch if isinstance(batch, pa.Table) else pa.table(batch)
            return _typed(self.rows.table(table, self.text, threads))
        if self.text not in batch:
            raise DataError(
                f"the dataset has no column {self.text!r}; it has {', '.join(map(repr, batch)) or 'none at all'}"
            )
        texts = pa.table({self.text: text_array(batch[self.text])})
        scored = _typed(self.rows.table(texts, self.text, threads)).drop_columns([self.text])
        return {name: _listed(scored.column(name).combine_chunks()) for name in scored.column_names}


def _typed(table: pa.Table) -> pa.Table:
    """Return a table with the types that batches of lists get, too: there, lists of one length are not told from others."""
    for i, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type) and field.metadata and b"labels" in field.metadata:
            table = table.set_column(i, field.name, table.column(i).cast(pa.list_(pa.float32())))
    return table


def _listed(column: pa.Array) -> list[Any] | NDArray[Any]:
    """Return a column so that `datasets` gives it the same type again, which it would not of Python's floats."""
    if pa.types.is_floating(column.type) and not column.null_count:
        return column.to_numpy()
    if pa.types.is_floating(column.type):
        return [None if value is None else np.float32(value) for value in column.to_pylist()]
    if pa.types.is_list(column.type):
        return [None if not value.is_valid else value.values.to_numpy() for value in column]
    return column.to_pylist()


def score_batch(
    model: Any,
    text: str = "text",
    *,
    name: str = "",
    add: Sequence[str] = ("label", "prob"),
    newlines: str = "space",
    unit: str = "document",
    window: int = 200,
    aggregate: str = "mean",
    threads: int | None = None,
) -> BatchScorer:
    """Return a function for `datasets.Dataset.map(..., batched=True)` that adds columns of scores.

    It is pickled as a few hundred bytes, and always as the same ones for the same model and settings, so that `map` finds its results in the cache. The
    processes of ``num_proc=`` map one file. Over ``dataset.with_format("arrow")`` no text becomes a Python object.

    Parameters
    ----------
    model : a trained `lexigrad.TextClassifier`, the path of a model's file, or a dict of several with names
    text : name of the column of texts; a missing text gets missing scores
    name : of one model, stands with "_" before the names of its columns
    add : columns: "label", "prob", "all" or labels; with several models "NAME.label" and so on for one of them
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`
    threads : of each process; None for all that it may use, and for one in the processes of ``num_proc=``

    Raises
    ------
    ParameterError, FormatError, NotFittedError
        A setting, or a model, that cannot be used.
    DataError
        When it is called: there is no such column, or it holds no texts.

    Examples
    --------
    >>> import lexigrad
    >>> clf = lexigrad.TextClassifier(dim=8, epochs=20, lr=0.5, threads=1).fit(["good", "bad"] * 50, ["hq", "cc"] * 50)
    >>> score_batch(clf, add=("label",))({"text": ["good", "bad"]})
    {'label': ['hq', 'cc']}
    """
    rows = SharedRows.of(model, name, add, newlines=newlines, unit=unit, window=window, aggregate=aggregate)
    if threads is not None:
        thread_count(threads)
    return BatchScorer(rows, text, threads)
