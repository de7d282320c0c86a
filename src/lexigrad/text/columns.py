"""Columns of texts and labels: Arrow, pandas, NumPy, lists and iterables -> batches of bytes and offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.text.batches import LabelColumn, TextBatch

TEXTS_PER_CHUNK = 1 << 14
"""How many items of an iterable are converted at once."""


def text_chunks(texts: Any, name: str) -> Iterator[pa.Array]:
    """Yield the texts as Arrow arrays; what is Arrow already is not copied."""
    if isinstance(texts, (str, bytes)):
        raise DataError(
            f"{name}: one {type(texts).__name__} was given where a list of texts is expected: put it into a list"
        )
    if isinstance(texts, pa.ChunkedArray):
        yield from texts.chunks
    elif isinstance(texts, pa.Array):
        yield texts
    elif hasattr(texts, "__arrow_c_stream__"):
        yield from pa.chunked_array(texts).chunks
    elif hasattr(texts, "__arrow_c_array__"):
        yield pa.array(texts)
    elif isinstance(texts, np.ndarray) and texts.ndim != 1:
        raise DataError(
            f"{name}: an array of {texts.ndim} axes was given where one text per row is expected: pass one column"
        )
    elif isinstance(texts, Iterable) and not isinstance(texts, dict):
        yield from _iterable_chunks(iter(texts), name)
    else:
        raise DataError(f"{name}: expected a list, array, column or iterable of texts, not {type(texts).__name__}")


def _iterable_chunks(items: Iterator[Any], name: str) -> Iterator[pa.Array]:
    row = 0
    while chunk := list(islice(items, TEXTS_PER_CHUNK)):
        try:
            yield pa.array(chunk, pa.large_binary() if isinstance(chunk[0], bytes) else pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
            raise _bad_text(chunk, row, name) from error
        row += len(chunk)


def _bad_text(chunk: list[Any], row: int, name: str) -> DataError:
    """Return the error that names the first item that is no text."""
    for i, item in enumerate(chunk):
        if not isinstance(item, (str, bytes)):
            return DataError(f"{name}, row {row + i}: expected a text, not {type(item).__name__}")
        if isinstance(item, str) and not _encodes(item):
            return DataError(f"{name}, row {row + i}: the text holds half a surrogate pair and has no UTF-8 form")
    return DataError(f"{name}, rows {row} to {row + len(chunk) - 1}: texts and bytes are mixed: give all as one type")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_buffers(array: pa.Array, name: str, row: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return (data, offsets) of an Arrow array of strings or bytes; the data is shared wherever Arrow keeps it in one piece."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return text_buffers(array.dictionary_decode(), name, row)
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


def label_array(labels: Any, name: str) -> pa.Array:
    """Return labels as one Arrow array of scalars or of lists."""
    if isinstance(labels, (str, bytes)):
        raise DataError(f"{name}: one {type(labels).__name__} was given where a list of labels is expected")
    if isinstance(labels, pa.Array):
        return labels
    try:
        if isinstance(labels, pa.ChunkedArray) or hasattr(labels, "__arrow_c_stream__"):
            return pa.chunked_array(labels).combine_chunks()
        if isinstance(labels, np.ndarray) or hasattr(labels, "__arrow_c_array__"):
            return pa.array(labels, from_pandas=True)
        return pa.array(list(labels), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise DataError(f"{name}: labels must be of one type, one per text or a list per text ({error})") from error


def label_column(array: pa.Array, name: str) -> LabelColumn:
    """Return an Arrow array of labels, or of lists of labels, in our layout; a null is no label."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    several = (
        pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type)
    )
    if several:
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        values = array.flatten()
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        owners = np.repeat(np.arange(len(array)), lengths)
        lengths = np.bincount(owners[valid], minlength=len(array)).astype(np.int64)
    else:
        values = array
        lengths = array.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
    encoded = values.drop_null().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if any(not isinstance(value, (str, int, bool, float)) for value in names):
        raise DataError(f"{name}: labels are {values.type}; expected strings, whole numbers, booleans or floats")
    ids = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return LabelColumn(ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), names, several)


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
