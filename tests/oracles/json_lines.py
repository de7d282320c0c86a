"""A field of a JSON line by `json.loads`."""

from __future__ import annotations

import json
from typing import Any

from lexigrad.text.json_lines import (
    BLANK,
    FINE,
    HALF_SURROGATE,
    NO_FIELD,
    NOT_JSON,
    NOT_OBJECT,
    NOT_STRING,
    NULL,
)


def field_of(line: bytes, name: str) -> tuple[int, str, list[str]]:
    """Return (status, text, keys); bytes that are not UTF-8 become U+FFFD."""
    if not line.strip():
        return BLANK, "", []
    try:
        row: Any = json.loads(line.decode("utf-8", "replace"), parse_int=float)
    except (ValueError, RecursionError):
        return NOT_JSON, "", []
    if not isinstance(row, dict):
        return NOT_OBJECT, "", []
    if name not in row:
        return NO_FIELD, "", list(row)
    if row[name] is None:
        return NULL, "", list(row)
    if not isinstance(row[name], str):
        return NOT_STRING, "", list(row)
    try:
        row[name].encode()
    except UnicodeEncodeError:
        return HALF_SURROGATE, "", list(row)
    return FINE, row[name], list(row)
