"""Tables in memory: Arrow, pandas, polars, Hugging Face, dict of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from lexigrad.errors import DataError
from lexigrad.text.batches import TextBatch
from lexigrad.text.columns import batches_of, check_columns, column_batches, label_column, text_buffers

ROWS_PER_PART = 1000
"""Rows of a Hugging Face dataset that are read at once."""


def table_batches(table: Any, text: str, label: str | None, batch_bytes: int) -> Iterator[TextBatch]:
    """Yield two columns of a table; see `lexigrad.text.sources.read_table`."""
    if isinstance(table, dict) or hasattr(table, "to_records"):  # columns of Python objects: a dict, pandas
        check_columns("the table", (text, label), list(table.keys()))
        yield from column_batches(table[text], None if label is None else table[label], "table", "table", batch_bytes)
        return
    row = 0
    for batch in _record_batches(table, text, label):
        data, offsets = text_buffers(batch.column(text), "table", row)
        n = len(offsets) - 1
        column = None if label is None else label_column(batch.column(label), "table")
        yield from batches_of(data, offsets, column, "table", np.arange(row, row + n), batch_bytes)
        row += n


def _record_batches(table: Any, text: str, label: str | None) -> Iterable[pa.RecordBatch]:
    wanted = [text] if label is None or label == text else [text, label]
    for part in _tables(table, wanted):
        check_columns("the table", wanted, part.schema.names)
        yield from part.select(wanted).to_batches() if isinstance(part, pa.Table) else [part.select(wanted)]


def _tables(table: Any, wanted: list[str]) -> Iterable[Any]:
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return [table]
    if hasattr(table, "with_format") and hasattr(table, "column_names"):  # Hugging Face: also applies its row selection
        if table.column_names is not None:  # a stream may not know its columns
            check_columns("the table", wanted, table.column_names)
            table = table.select_columns(wanted)
        return table.with_format("arrow").iter(batch_size=ROWS_PER_PART)
    if isinstance(table, pa.RecordBatchReader):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(table)
    raise DataError(f"expected a table with named columns, not {type(table).__name__}")
