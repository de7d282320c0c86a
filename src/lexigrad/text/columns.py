"""Columns of texts and labels: Arrow, pandas, NumPy, lists and iterables -> batches of bytes and offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.text.batches import LabelColumn, TextBatch

TEXTS_PER_CHUNK = 1 << 14
"""How many items of an iterable are converted at once, at most."""
TEXTS_PER_LOOK = 64
"""After how many items of an iterable their size is looked at: a generator is never read further ahead than this."""
CONVERSION_ERRORS = (pa.ArrowException, TypeError, OverflowError, UnicodeError)
"""What Arrow raises where Python objects do not fit into one column."""


def column_batches(texts: Any, labels: Any, text_name: str, label_name: str, batch_bytes: int) -> Iterator[TextBatch]:
    """Yield a column of texts with the column of their labels, or without where `labels` is None; the names are for errors."""
    known = None if labels is None else label_array(labels, label_name)
    if known is not None and hasattr(texts, "__len__") and len(texts) != len(known):
        raise DataError(
            f"{len(texts):,} texts but {len(known):,} labels were given: expected one label, or one list of labels, per text"
        )
    row = 0
    for chunk in text_chunks(texts, text_name, batch_bytes):
        data, offsets = text_buffers(chunk, text_name, row)
        n = len(offsets) - 1
        column = None
        if known is not None:
            if row + n > len(known):
                raise DataError(f"more texts than the {len(known):,} labels were given: expected one label per text")
            column = label_column(known.slice(row, n), label_name)
        yield from batches_of(data, offsets, column, text_name, np.arange(row, row + n), batch_bytes)
        row += n
    if known is not None and row != len(known):
        raise DataError(f"{row:,} texts but {len(known):,} labels were given: expected one label per text")


def check_columns(name: str, wanted: Iterable[str | None], present: list[str]) -> None:
    """Raise `DataError` where a column is missing, or where two have its name; None asks for nothing."""
    for column in wanted:
        if column is not None and present.count(column) != 1:
            found = "no column" if column not in present else "more than one column"
            raise DataError(f"{name} has {found} {column!r}; it has {', '.join(map(repr, present)) or 'none at all'}")


def text_chunks(texts: Any, name: str, batch_bytes: int) -> Iterator[pa.Array]:
    """Yield the texts as Arrow arrays; what is Arrow already is not copied."""
    if isinstance(texts, (str, bytes)):
        raise DataError(
            f"{name}: one {type(texts).__name__} was given where a list of texts is expected: put it into a list"
        )
    if isinstance(texts, pa.ChunkedArray):
        yield from texts.chunks
    elif isinstance(texts, pa.Array):
        yield texts
    elif hasattr(texts, "__arrow_c_stream__") or hasattr(texts, "__arrow_c_array__"):
        yield from _interface_chunks(texts, name)
    elif isinstance(texts, np.ndarray) and texts.ndim != 1:
        raise DataError(
            f"{name}: an array of {texts.ndim} axes was given where one text per row is expected: pass one column"
        )
    elif isinstance(texts, Iterable) and not isinstance(texts, dict):
        yield from _iterable_chunks(iter(texts), name, batch_bytes)
    else:
        raise DataError(f"{name}: expected a list, array, column or iterable of texts, not {type(texts).__name__}")


def _interface_chunks(texts: Any, name: str) -> list[pa.Array]:
    try:
        return pa.chunked_array(texts).chunks if hasattr(texts, "__arrow_c_stream__") else [pa.array(texts)]
    except CONVERSION_ERRORS as error:  # a pandas column of objects that are not all texts
        raise _bad_text(list(texts), 0, name) from error


def _groups(items: Iterator[Any], batch_bytes: int) -> Iterator[list[Any]]:
    """Yield runs of items that hold about `batch_bytes` together."""
    group: list[Any] = []
    size = 0
    while look := list(islice(items, TEXTS_PER_LOOK)):
        group += look
        with suppress(TypeError):  # something is no text: its conversion says which
            size += sum(map(len, look))
        if size >= batch_bytes or len(group) >= TEXTS_PER_CHUNK:
            yield group
            group, size = [], 0
    if group:
        yield group


def _iterable_chunks(items: Iterator[Any], name: str, batch_bytes: int) -> Iterator[pa.Array]:
    row = 0
    for chunk in _groups(items, batch_bytes):
        try:
            yield pa.array(chunk, pa.large_binary() if isinstance(chunk[0], bytes) else pa.large_string())
        except CONVERSION_ERRORS as error:
            raise _bad_text(chunk, row, name) from error
        row += len(chunk)


def _bad_text(chunk: list[Any], row: int, name: str) -> DataError:
    """Return the error that names the first item that is no text."""
    for i, item in enumerate(chunk):
        if not isinstance(item, (str, bytes)):
            return DataError(f"{name}, row {row + i}: expected a text, not {type(item).__name__}")
        if isinstance(item, str) and not encodes(item):
            return DataError(f"{name}, row {row + i}: the text holds half a surrogate pair and has no UTF-8 form")
    return DataError(f"{name}, rows {row} to {row + len(chunk) - 1}: texts and bytes are mixed: give all as one type")


def encodes(text: str) -> bool:
    """Tell whether a text has a UTF-8 form: half a surrogate pair has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_buffers(array: pa.Array, name: str, row: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return (data, offsets) of an Arrow array of strings or bytes; the data is shared wherever Arrow keeps it in one piece."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return text_buffers(decoded(array), name, row)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return text_buffers(array.cast(pa.large_binary()), name, row)
    if array.null_count:
        first = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(f"{name}, row {row + first}: the text is missing (null): drop such rows or fill them with ''")
    wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    if not (wide or pa.types.is_string(kind) or pa.types.is_binary(kind)):
        if pa.types.is_null(kind) and not len(array):
            return np.empty(0, np.uint8), np.zeros(1, np.int64)
        raise DataError(f"{name}: a column of {kind} was given where texts are expected")
    _, offsets, data = array.buffers()
    if not len(array):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    places = np.frombuffer(offsets, np.int64 if wide else np.int32)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data or b"", np.uint8), places.astype(np.int64, copy=False)


def decoded(array: pa.Array) -> pa.Array:
    """Return the values of a dictionary array; Arrow cannot take items of string views."""
    kind = array.type.value_type
    if pa.types.is_string_view(kind):
        return array.dictionary.cast(pa.large_string()).take(array.indices)
    if pa.types.is_binary_view(kind):
        return array.dictionary.cast(pa.large_binary()).take(array.indices)
    return array.dictionary.take(array.indices)


def label_array(labels: Any, name: str) -> pa.Array:
    """Return labels as one Arrow array of scalars or of lists."""
    if isinstance(labels, (str, bytes, dict, set, frozenset)):
        raise DataError(f"{name}: one {type(labels).__name__} was given where a list of labels is expected")
    try:
        return _label_array(labels)
    except CONVERSION_ERRORS as error:
        raise DataError(f"{name}: labels must be of one type, one per text or a list per text ({error})") from error


def _label_array(labels: Any) -> pa.Array:
    if isinstance(labels, pa.Array):
        return labels
    if isinstance(labels, pa.ChunkedArray) or hasattr(labels, "__arrow_c_stream__"):
        return pa.chunked_array(labels).combine_chunks()
    if isinstance(labels, np.ndarray) or hasattr(labels, "__arrow_c_array__"):
        return pa.array(labels, from_pandas=True)
    items = list(labels)
    array = pa.array(items, from_pandas=True)
    _check_floats(items, array)
    return array


def _check_floats(items: list[Any], array: pa.Array) -> None:
    """Raise TypeError where Arrow has made floats of whole numbers or booleans because others are floats."""
    kind = array.type
    if _is_list(kind):
        kind = kind.value_type
        items = list(chain.from_iterable(item for item in items if isinstance(item, Iterable)))
    if pa.types.is_floating(kind):
        others = {type(item).__name__ for item in items if isinstance(item, (int, np.integer, np.bool_))}
        if others:
            raise TypeError(f"float and {' and '.join(sorted(others))} are mixed")


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def label_column(array: pa.Array, name: str) -> LabelColumn:
    """Return an Arrow array of labels, or of lists of labels, in our layout; a null is no label."""
    several = _is_list(array.type)
    if several:
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        values = array.flatten()
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        owners = np.repeat(np.arange(len(array)), lengths)
        lengths = np.bincount(owners[valid], minlength=len(array)).astype(np.int64)
    else:
        values = array
        lengths = array.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
    ids, names = _distinct(values, name)
    return LabelColumn(ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), names, several)


def _distinct(values: pa.Array, name: str) -> tuple[NDArray[np.int32], list[Any]]:
    """Return (ids, distinct values) of the labels that are not null."""
    if pa.types.is_dictionary(values.type):
        values = decoded(values)
    kind = values.type
    if pa.types.is_string_view(kind):
        kind = pa.string()
    known = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_integer,
        pa.types.is_boolean,
        pa.types.is_floating,
    )
    if not (pa.types.is_null(kind) or any(fits(kind) for fits in known)):
        raise DataError(f"{name}: labels are {kind}; expected strings, whole numbers, booleans or floats")
    encoded = values.drop_null().dictionary_encode()
    try:
        names = encoded.dictionary.to_pylist()
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: a label is not valid UTF-8 ({error})") from error
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), names


def batches_of(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    labels: LabelColumn | None,
    name: str,
    lines: NDArray[np.int64],
    batch_bytes: int,
) -> Iterator[TextBatch]:
    """Cut texts into batches of about `batch_bytes`."""
    n = len(offsets) - 1
    first = 0
    while first < n:
        stop = int(np.searchsorted(offsets, offsets[first] + batch_bytes, side="right")) - 1
        stop = min(n, max(stop, first + 1))
        part = None
        if labels is not None:
            starts = labels.offsets[first : stop + 1]
            part = LabelColumn(labels.ids[starts[0] : starts[-1]], starts - starts[0], labels.values, labels.several)
        yield TextBatch(data, offsets[first : stop + 1], part, name, lines[first:stop])
        first = stop
