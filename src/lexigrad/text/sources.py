"""Every way to hand over texts: `read_texts` (memory), `read_table` (columns in memory), `read_file`; all yield `TextBatch`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lexigrad.errors import DataError, ParameterError
from lexigrad.text.batches import TextBatch
from lexigrad.text.files import BATCH_BYTES, read_lines, row_kind

__all__ = ["Paths", "files_of", "is_table", "read_file", "read_table", "read_texts"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder, or several of them."""


def files_of(path: Paths) -> list[str]:
    """Return the files that are meant: a folder stands for all files below it, in order of their names.

    Left out of a folder are empty files and names that begin with "." or "_", which mark what is no data.
    """
    if not isinstance(path, (str, os.PathLike)):
        return [name for one in path for name in files_of(one)]
    folder = Path(path)
    if not folder.is_dir():
        return [os.fspath(path)]
    found = [
        os.fspath(file)
        for file in sorted(folder.rglob("*"))
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
        and file.is_file()
        and file.stat().st_size
    ]
    if not found:
        raise DataError(f"{os.fspath(path)}: there is no file with text in this folder")
    return found


def read_file(
    path: Paths,
    *,
    text: str = "text",
    label: str | None = "label",
    label_prefix: str = "__label__",
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[TextBatch]:
    """Yield the texts of a file, of several, or of all in a folder (`files_of`).

    Parameters
    ----------
    path : .csv .tsv .jsonl .ndjson .json-lines .parquet .arrow .feather, anything else is fastText lines; each may end
        in .gz .zst .xz or .bz2; "-" is standard input, as fastText lines
    text, label : names of the columns; with ``label=None`` batches carry no labels, and labels in fastText lines are
        skipped
    label_prefix : what marks a label in fastText lines
    batch_bytes : about how much text a batch holds

    Raises
    ------
    DataError
        Naming the file, and the line or row where there is one. `docs/data.md` lists what happens when.
    """
    if not label_prefix or label_prefix.split() != [label_prefix]:
        raise ParameterError(f"label_prefix={label_prefix!r}: expected text without spaces, such as '__label__'")
    for name in files_of(path):
        if row_kind(name) is None:
            yield from read_lines(name, label_prefix.encode(), label is not None, batch_bytes)
        else:
            from lexigrad.text.column_files import read_columns

            yield from read_columns(name, text, label, batch_bytes)


def read_texts(texts: Any, labels: Any = None, *, batch_bytes: int = BATCH_BYTES) -> Iterator[TextBatch]:
    """Yield texts held in memory, with their labels if given.

    Parameters
    ----------
    texts : list, tuple, any iterable of str or bytes, NumPy array, pandas Series, Arrow array, Hugging Face column, or
        anything with the
        Arrow PyCapsule interface
    labels : as many labels, or lists of labels
    batch_bytes : about how much text a batch holds

    Raises
    ------
    DataError
        Naming the row where there is one, or both lengths where there are not as many labels as texts.
    """
    from lexigrad.text.columns import column_batches

    if is_table(texts):
        raise DataError(
            f"texts: a {type(texts).__name__} was given where one column of texts is expected, such as table['text']"
        )
    yield from column_batches(texts, labels, "texts", "labels", batch_bytes)


def is_table(value: Any) -> bool:
    """Tell whether something has named columns: an Arrow table or reader, a pandas or polars frame, a Hugging Face dataset, a dict."""
    return isinstance(value, dict) or any(
        hasattr(value, name) for name in ("columns", "column_names", "read_next_batch")
    )


def read_table(
    table: Any, *, text: str = "text", label: str | None = "label", batch_bytes: int = BATCH_BYTES
) -> Iterator[TextBatch]:
    """Yield two columns of a table: Arrow table or reader, pandas or polars frame, Hugging Face dataset, dict of columns."""
    from lexigrad.text.tables import table_batches

    yield from table_batches(table, text, label, batch_bytes)
