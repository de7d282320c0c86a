"""Columns as JSON: each value the text that stands for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lexigrad.text.columns import text_buffers
from lexigrad.text.json_lines import quoted

T = pa.types
WHOLE_UP_TO = 1e15
"""Larger floats have an exponent, and so are no whole numbers in JSON."""


def json_values(array: pa.Array) -> pa.Array:
    r"""Return the values of a column as JSON, a large_string array without nulls.

    A null is ``null``, as are NaN and infinities. A float is the shortest number that reads back as the same float of its width. Times are strings by
    ISO 8601, in UTC where they have a zone; bytes are base64; structs and maps are objects; durations are whole numbers of their unit.

    Examples
    --------
    >>> json_values(pa.array([[0.5, 1.0], None])).to_pylist(), json_values(pa.array(['a"', None])).to_pylist()
    (['[0.5, 1.0]', 'null'], ['"a\\""', 'null'])
    """
    return pc.fill_null(_values(array).cast(pa.large_string()), "null")


def json_fields(names: Sequence[str], columns: Sequence[pa.Array]) -> pa.Array:
    """Return ``, "name": value`` of all columns one behind the other, a large_string array of the length of the columns."""
    return _joined(names, columns, ", ", "")


def json_rows(names: Sequence[str], columns: Sequence[pa.Array]) -> pa.Array:
    """Return rows as lines of JSON, a large_string array; one column at least."""
    return _joined(names, columns, "{", "}\n")


def _joined(names: Sequence[str], columns: Sequence[pa.Array], first: str, last: str) -> pa.Array:
    pieces: list[Any] = []
    for name, column in zip(names, columns, strict=True):
        pieces += [
            _text(f"{', ' if pieces else first}{json.dumps(name, ensure_ascii=False)}: "),
            json_values(column),
        ]
    return pc.binary_join_element_wise(*pieces, _text(last), _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _values(array: pa.Array) -> pa.Array:
    """Return what `json_values` does, of any string type, perhaps with nulls."""
    kind = array.type
    if T.is_null(kind):
        return pa.nulls(len(array), pa.large_string())
    if T.is_dictionary(kind):
        return json_values(array.dictionary).take(array.indices)
    if T.is_boolean(kind) or T.is_integer(kind):
        return array.cast(pa.string())
    if T.is_floating(kind):
        return _floats(array)
    if T.is_string(kind) or T.is_large_string(kind) or T.is_string_view(kind):
        return _strings(array)
    if T.is_list(kind) or T.is_large_list(kind) or T.is_fixed_size_list(kind):
        return _lists(array)
    if T.is_struct(kind):
        return _structs(array)
    if T.is_timestamp(kind):
        return _timestamps(array)
    if T.is_date32(kind) or T.is_time(kind):
        return _strings(array.cast(pa.string()))
    if T.is_date64(kind):
        return _strings(array.cast(pa.date32()).cast(pa.string()))
    if T.is_duration(kind):
        return array.cast(pa.int64()).cast(pa.string())
    if T.is_decimal(kind):
        return array.cast(pa.string())
    if isinstance(array, pa.ExtensionArray):
        return _values(array.storage)
    return pa.array([json.dumps(_plain(value), ensure_ascii=False) for value in array.to_pylist()], pa.large_string())


def _strings(array: pa.Array) -> pa.Array:
    valid = None if not array.null_count else array.is_valid()
    data, offsets = text_buffers(pc.fill_null(array, "") if valid is not None else array, "column", 0)
    data, offsets = quoted(data, offsets)
    result = pa.LargeStringArray.from_buffers(len(array), pa.py_buffer(offsets), pa.py_buffer(data))
    return result if valid is None else pc.if_else(valid, result, pa.scalar(None, pa.large_string()))


def _floats(array: pa.Array) -> pa.Array:
    if T.is_float16(array.type):
        array = array.cast(pa.float32())
    texts = array.cast(pa.string())
    numbers = pc.fill_null(array, 0.5).to_numpy(zero_copy_only=False)
    finite = np.isfinite(numbers)
    if not finite.all():
        texts = pc.if_else(pa.array(finite), texts, pa.scalar(None, pa.string()))
    whole = (np.trunc(numbers) == numbers) & (np.abs(numbers) < WHOLE_UP_TO)
    if whole.any():  # 1 would read as a whole number
        mask = pa.array(whole)
        some = texts.filter(mask)
        point = pc.if_else(pc.match_substring(some, "e"), "", ".0")
        texts = pc.replace_with_mask(texts, mask, pc.binary_join_element_wise(some, point, ""))
    return texts


def _lists(array: pa.Array) -> pa.Array:
    valid = array.is_valid()
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    items = pa.ListArray.from_arrays(pa.array(offsets), json_values(array.flatten()).cast(pa.string()))
    joined = pc.binary_join_element_wise("[", pc.binary_join(items, ", "), "]", "")
    return pc.if_else(valid, joined, pa.scalar(None, pa.string()))


def _structs(array: pa.Array) -> pa.Array:
    names = [field.name for field in array.type]
    objects = _joined(names, array.flatten(), "{", "}") if names else _text("{}")
    return pc.if_else(array.is_valid(), objects, pa.scalar(None, pa.large_string()))


def _timestamps(array: pa.Array) -> pa.Array:
    zone = array.type.tz is not None
    utc = array.cast(pa.timestamp(array.type.unit, "UTC")) if zone else array
    return _strings(pc.replace_substring(utc.cast(pa.string()), " ", "T"))


def _plain(value: Any) -> Any:
    """Return a value of Python that JSON has a form for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):  # a map
            return {str(key): _plain(item) for key, item in value}
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return None if isinstance(value, float) and not np.isfinite(value) else value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
