"""Types of columns for values of JSON."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

LARGEST = 2**63


def widened(kind: pa.DataType, value: Any, place: str, grows: bool) -> pa.DataType:
    """Return the type that holds the values of `kind` and this one too; `place` names the field in messages.

    Whole numbers are int64, and float64 where there are others beside them.

    Raises
    ------
    ValueError
        There is none; or it is another than `kind`, and not `grows`.

    Examples
    --------
    >>> widened(pa.null(), {"a": [1, 2.5]}, "", True)
    StructType(struct<a: list<item: double>>)
    """
    if value is None:
        return kind
    result = _widened(kind, value, place, grows)
    if not grows and result != kind:
        raise ValueError(f"{_named(place)} is {_name(value)}, but the column is {kind}")
    return result


def _widened(kind: pa.DataType, value: Any, place: str, grows: bool) -> pa.DataType:
    if isinstance(value, dict):
        if not (pa.types.is_struct(kind) or pa.types.is_null(kind)):
            raise ValueError(f"{_named(place)} is {_name(value)}, but {kind} in rows before")
        fields = {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}
        for key, item in value.items():
            inner = f"{place}.{key}" if place else key
            if key not in fields and not grows:
                raise ValueError(f"there is no column for the field {inner!r}")
            fields[key] = widened(fields.get(key, pa.null()), item, inner, grows)
        return pa.struct(list(fields.items()))
    if isinstance(value, list):
        if not (pa.types.is_list(kind) or pa.types.is_null(kind)):
            raise ValueError(f"{_named(place)} is {_name(value)}, but {kind} in rows before")
        child = kind.value_type if pa.types.is_list(kind) else pa.null()
        for item in value:
            child = widened(child, item, f"{place}[]", grows)
        return pa.list_(child)
    found = pa.float64() if kind == pa.float64() and type(value) is int else _leaf(value, place)
    if pa.types.is_null(kind) or kind == found:
        return found
    if {kind, found} == {pa.int64(), pa.float64()}:
        return pa.float64()
    raise ValueError(f"{_named(place)} is {_name(value)}, but {kind} in rows before")


def _leaf(value: Any, place: str) -> pa.DataType:
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        if not -LARGEST <= value < LARGEST:
            raise ValueError(f"{_named(place)} is {value}, which takes more than 64 bits")
        return pa.int64()
    return pa.float64() if isinstance(value, float) else pa.string()


def settled(kind: pa.DataType) -> pa.DataType:
    """Return a type with strings where only nulls were seen."""
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(settled(kind.value_type))
    return pa.struct([(field.name, settled(field.type)) for field in kind]) if pa.types.is_struct(kind) else kind


def _named(place: str) -> str:
    return f"the field {place!r}" if place else "the row"


def _name(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return f"{value!r:.40}"
