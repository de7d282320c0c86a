"""One field of the objects in a JSONL file, read into the layout of an Arrow string column, and fields put in; no Python object per row.

A line is JSON where `json.loads` says so, NaN and Infinity included; numbers may have any number of digits, and nesting goes `DEEPEST` deep. Of a key that
stands in an object more than once the last one counts. Bytes that are not UTF-8 are taken as they are, within strings only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.intrinsics import BYTES, copy_bytes, copy_string
from lexigrad.text.tokens import encode

FINE, BLANK, NOT_JSON, TOO_DEEP, NOT_OBJECT, NO_FIELD, NULL, NOT_STRING, HALF_SURROGATE = range(9)
"""What a line is. `FINE` lines and those from `NO_FIELD` on are objects."""
DEEPEST = 1024
"""Objects and arrays that may stand within one another."""
MOST_NAMES = 64
"""Names that one pass looks for: bits of a number."""

QUOTE, BACKSLASH, COMMA, COLON, MINUS, PLUS, POINT, ZERO, NINE, LETTER_U = 34, 92, 44, 58, 45, 43, 46, 48, 57, 117
NEWLINE = 10
OBJECT, OBJECT_END, ARRAY, ARRAY_END = 123, 125, 91, 93
FIRST_KEY, KEY, FIRST_ITEM, VALUE, AFTER = range(5)
"""What may come next: a key or the end of an empty object, a key, a value or the end of an empty array, a value, what stands behind a value."""
WORDS = tuple(np.frombuffer(word, np.uint8) for word in (b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity"))
NULL_WORD, TRUE_WORD, FALSE_WORD, NAN_WORD, INFINITY_WORD, MINUS_INFINITY_WORD = WORDS
ESCAPED = np.frombuffer(b'"\\\\\n\r\t\b\f', np.uint8)
LETTERS = np.frombuffer(b'"\\\\nrtbf', np.uint8)
"""What stands behind a backslash for each of `ESCAPED`."""
MORE = np.where(np.arange(256) < 32, 5, 0).astype(np.int64)
"""Bytes more that each byte takes in a JSON string."""
MORE[ESCAPED] = 1


@helper
def skip_space(data, position, stop):  # type: ignore[no-untyped-def]
    """Return the first place that holds none of JSON's white space."""
    while position < stop and (data[position] == 32 or 9 <= data[position] <= 10 or data[position] == 13):
        position += 1
    return position


@helper
def is_blank(data, position, stop):  # type: ignore[no-untyped-def]
    """Tell whether there is only white space, form feeds and vertical tabs included."""
    while position < stop and (data[position] == 32 or 9 <= data[position] <= 13):
        position += 1
    return position == stop


@helper
def code_unit(data, position, stop):  # type: ignore[no-untyped-def]
    """Return the number that four hexadecimal digits stand for, or -1 if they are not there."""
    if position + 4 > stop:
        return -1
    code = np.int64(0)
    for i in range(4):
        byte = np.int64(data[position + i])
        if ZERO <= byte <= NINE:
            code = 16 * code + byte - ZERO
        elif 97 <= (byte | 32) <= 102:
            code = 16 * code + (byte | 32) - 87
        else:
            return -1
    return code


@helper
def escaped(byte):  # type: ignore[no-untyped-def]
    r"""Return the byte for which a letter behind a backslash stands, or -1: one of ``"\/bfnrt``."""
    if byte in (34, 92, 47):
        return np.int64(byte)
    if byte == 110:
        return 10
    if byte == 116:
        return 9
    if byte == 114:
        return 13
    if byte == 98:
        return 8
    return 12 if byte == 102 else -1


@helper
def surrogate(data, position, stop):  # type: ignore[no-untyped-def]
    r"""Return the second half of a surrogate pair if ``\\uXXXX`` stands for one at `position`, else -1."""
    if position + 1 >= stop or data[position] != BACKSLASH or data[position + 1] != LETTER_U:
        return -1
    code = code_unit(data, position + 2, stop)
    return code if 0xDC00 <= code < 0xE000 else -1


@helper
def read_string(data, position, stop, out, n):  # type: ignore[no-untyped-def]
    """Write the string that begins at `position`, behind its quote; return (where its last quote stands, where it ends in `out`, whether it has half
    a surrogate pair). (-1, ...) if it is wrong.

    No more is written than was read, but what lies behind it in `out` may change too.
    """
    halved = False
    while True:
        if position + BYTES <= data.size:
            run = copy_string(data, position, out, n)
            position += run
            n += run
            if run == BYTES:
                if position >= stop:
                    return -1, n, halved
                continue
        if position >= stop or data[position] < 32:
            return -1, n, halved
        if data[position] == QUOTE:
            return position, n, halved
        if data[position] != BACKSLASH:  # one by one at the end of the block
            out[n] = data[position]
            n += 1
            position += 1
            continue
        if position + 1 == stop:
            return -1, n, halved
        if data[position + 1] != LETTER_U:
            byte = escaped(data[position + 1])
            if byte < 0:
                return -1, n, halved
            out[n] = byte
            n += 1
            position += 2
            continue
        code = code_unit(data, position + 2, stop)
        if code < 0:
            return -1, n, halved
        position += 6
        if 0xD800 <= code < 0xE000:
            low = surrogate(data, position, stop) if code < 0xDC00 else -1
            if low < 0:
                halved = True
                continue
            code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
            position += 6
        n = encode(code, out, n)


@helper
def digits_end(data, position, stop):  # type: ignore[no-untyped-def]
    """Return the first place that holds no digit."""
    while position < stop and ZERO <= data[position] <= NINE:
        position += 1
    return position


@helper
def number_end(data, position, stop):  # type: ignore[no-untyped-def]
    """Return where a number ends, or -1 where none begins."""
    if position < stop and data[position] == MINUS:
        position += 1
    if position == stop or not ZERO <= data[position] <= NINE:
        return -1
    position = position + 1 if data[position] == ZERO else digits_end(data, position, stop)
    if position + 1 < stop and data[position] == POINT and ZERO <= data[position + 1] <= NINE:
        position = digits_end(data, position + 1, stop)
    if position + 1 < stop and data[position] | 32 == 101:
        sign = 1 if data[position + 1] == MINUS or data[position + 1] == PLUS else 0
        end = digits_end(data, position + 1 + sign, stop)
        if end > position + 1 + sign:
            position = end
    return position


@helper
def stands_at(data, position, stop, word):  # type: ignore[no-untyped-def]
    """Tell whether a word begins at `position`."""
    if stop - position < word.size:
        return False
    for i in range(word.size):  # noqa: SIM110 - kernels have no generators
        if data[position + i] != word[i]:
            return False
    return True


@helper
def word_end(data, position, stop):  # type: ignore[no-untyped-def]
    """Return where one of `WORDS` or a number ends, or -1."""
    if stands_at(data, position, stop, NULL_WORD) or stands_at(data, position, stop, TRUE_WORD):
        return position + 4
    if stands_at(data, position, stop, FALSE_WORD):
        return position + 5
    if stands_at(data, position, stop, NAN_WORD):
        return position + 3
    if stands_at(data, position, stop, INFINITY_WORD):
        return position + 8
    if stands_at(data, position, stop, MINUS_INFINITY_WORD):
        return position + 9
    return number_end(data, position, stop)


@helper
def name_at(text, position, stop, names, name_offsets):  # type: ignore[no-untyped-def]
    """Return which of the names a key is, or -1."""
    for name in range(name_offsets.size - 1):
        start = name_offsets[name]
        size = name_offsets[name + 1] - start
        if size == stop - position:
            i = 0
            while i < size and text[position + i] == names[start + i]:
                i += 1
            if i == size:
                return name
    return -1


@helper
def read_line(data, position, stop, names, name_offsets, out, first, objects):  # type: ignore[no-untyped-def]
    """Return (status, where its text ends in `out`, set of the names that it has, as bits); `first` is where the text goes.

    `objects` is room for one byte a level of nesting: whether it is an object.
    """
    if is_blank(data, position, stop):
        return BLANK, first, np.uint64(0)
    top = data[skip_space(data, position, stop)] if skip_space(data, position, stop) < stop else np.uint8(0)
    depth, expected = 0, VALUE
    status, n, seen = NO_FIELD, first, np.uint64(0)
    is_text = False  # whether the value that comes is the text
    while True:
        position = skip_space(data, position, stop)
        if position == stop:
            break
        byte = data[position]
        if expected == AFTER:
            if depth == 0:
                return NOT_JSON, first, seen
            within_object = objects[depth - 1] != 0
            if byte == COMMA:
                expected = KEY if within_object else VALUE
            elif byte == (OBJECT_END if within_object else ARRAY_END):
                depth -= 1
            else:
                return NOT_JSON, first, seen
            position += 1
        elif byte == QUOTE:
            position, end, halved = read_string(data, position + 1, stop, out, n)
            if position < 0:
                return NOT_JSON, first, seen
            position += 1
            if expected > KEY:
                expected = AFTER
                if is_text:
                    status = HALF_SURROGATE if halved else FINE
                    n = first if halved else end
                    is_text = False
                continue
            if depth == 1 and not halved:
                name = name_at(out, n, end, names, name_offsets)
                if name >= 0:
                    seen |= np.uint64(1) << np.uint64(name)
                if name == 0:
                    is_text = True
                    n = first
            position = skip_space(data, position, stop)
            if position == stop or data[position] != COLON:
                return NOT_JSON, first, seen
            position += 1
            expected = VALUE
        elif (byte == OBJECT_END and expected == FIRST_KEY) or (byte == ARRAY_END and expected == FIRST_ITEM):
            depth -= 1
            position += 1
            expected = AFTER
        elif expected <= KEY:
            return NOT_JSON, first, seen
        else:
            if is_text:
                status = NULL if stands_at(data, position, stop, NULL_WORD) else NOT_STRING
                is_text = False
            if byte in (OBJECT, ARRAY):
                if depth == objects.size:
                    return TOO_DEEP, first, seen
                objects[depth] = byte == OBJECT
                depth += 1
                expected = FIRST_KEY if byte == OBJECT else FIRST_ITEM
                position += 1
            else:
                position = word_end(data, position, stop)
                if position < 0:
                    return NOT_JSON, first, seen
                expected = AFTER
    if depth or expected != AFTER:
        return NOT_JSON, first, seen
    return (status if top == OBJECT else NOT_OBJECT), n, seen


@kernel(
    types.void(
        *(inputs(types.uint8), inputs(types.int64), inputs(types.uint8), inputs(types.int64)),
        *(outputs(types.uint8), outputs(types.int64), outputs(types.uint8), outputs(types.uint64)),
    )
)
def _read_lines(data, offsets, names, name_offsets, out, out_offsets, status, seen):  # type: ignore[no-untyped-def]
    objects = np.empty(DEEPEST, np.uint8)
    n = 0
    out_offsets[0] = 0
    for line in range(offsets.size - 1):
        status[line], n, seen[line] = read_line(
            data, offsets[line], offsets[line + 1], names, name_offsets, out, n, objects
        )
        out_offsets[line + 1] = n


@helper
def last_text(data, position):  # type: ignore[no-untyped-def]
    """Return the last place before `position` that holds none of JSON's white space."""
    position -= 1
    while data[position] == 32 or 9 <= data[position] <= 10 or data[position] == 13:
        position -= 1
    return position


@helper
def put_bytes(data, first, stop, out, n):  # type: ignore[no-untyped-def]
    """Copy ``data[first:stop]`` and return where it ends in `out`."""
    copy_bytes(data, first, out, n, stop - first)
    return n + stop - first


@kernel(
    types.int64(
        *(inputs(types.uint8), inputs(types.int64), inputs(types.int64)),
        *(inputs(types.uint8), inputs(types.int64), outputs(types.uint8)),
    )
)
def _splice(data, starts, stops, fields, field_offsets, out):  # type: ignore[no-untyped-def]
    n = 0
    for row in range(starts.size):
        brace = last_text(data, stops[row])
        value = last_text(data, brace)
        n = put_bytes(data, starts[row], value + 1, out, n)
        first = min(
            field_offsets[row] + (2 if data[value] == OBJECT else 0), field_offsets[row + 1]
        )  # there may be no fields
        n = put_bytes(fields, first, field_offsets[row + 1], out, n)
        n = put_bytes(data, value + 1, stops[row], out, n)
        if data[stops[row] - 1] != NEWLINE:
            out[n] = NEWLINE
            n += 1
    return n


@kernel(
    types.int64(
        *(inputs(types.uint8), inputs(types.int64), inputs(types.int64)),
        *(outputs(types.uint8), outputs(types.int64)),
    )
)
def _quote(data, offsets, more, out, out_offsets):  # type: ignore[no-untyped-def]
    """Without `out`, write where each string will end; else write the strings."""
    n = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        position, stop = offsets[row], offsets[row + 1]
        if out.size == 0:
            n += 2 + stop - position
            for i in range(position, stop):
                n += more[data[i]]
            out_offsets[row + 1] = n
            continue
        out[n] = QUOTE
        n += 1
        while position < stop:
            if position + BYTES <= data.size:
                run = min(copy_string(data, position, out, n), stop - position)
                n += run
                position += run
                if position == stop or run == BYTES:
                    continue
            byte = data[position]
            position += 1
            if more[byte] == 0:
                out[n] = byte
                n += 1
                continue
            out[n] = BACKSLASH
            letter = LETTER_U
            for i in range(ESCAPED.size):
                if ESCAPED[i] == byte:
                    letter = LETTERS[i]
            out[n + 1] = letter
            if letter == LETTER_U:
                out[n + 2], out[n + 3], out[n + 4] = ZERO, ZERO, ZERO + (byte >> 4)
                out[n + 5] = (ZERO if byte & 15 < 10 else 87) + (byte & 15)
            n += 1 + more[byte]
        out[n] = QUOTE
        n += 1
    return n


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """A field of the objects of some lines.

    Attributes
    ----------
    data, offsets : the texts: that of line ``i`` is ``data[offsets[i]:offsets[i + 1]]``, nothing where it is not `FINE`
    status : (n_lines,) uint8, `FINE` or what is wrong
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    status: NDArray[np.uint8]


def line_offsets(block: bytes | bytearray | memoryview | NDArray[np.uint8]) -> NDArray[np.int64]:
    r"""Return where lines begin, and at last where the block ends: line ``i`` is ``block[offsets[i]:offsets[i + 1]]`` with its newline.

    Examples
    --------
    >>> line_offsets(b"{}\n\n[1]").tolist()
    [0, 3, 4, 7]
    """
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == NEWLINE) + 1
    if len(data) and (not len(ends) or ends[-1] != len(data)):
        ends = np.append(ends, len(data))
    return np.concatenate([[0], ends]).astype(np.int64)


def read_field(data: NDArray[np.uint8], offsets: NDArray[np.int64], name: str) -> FieldColumn:
    r"""Return one field of the objects of some lines: strings, unescaped, as UTF-8.

    Parameters
    ----------
    data : (n_bytes,) uint8, may be read-only
    offsets : (n_lines + 1,) int64, as `line_offsets` gives them; need not begin at 0
    name : the field, at the top level

    Examples
    --------
    >>> block = b'{"text": "a\\u00e9"}\n{"text": null}\n[1]\n'
    >>> column = read_field(np.frombuffer(block, np.uint8), line_offsets(block), "text")
    >>> column.data[: column.offsets[1]].tobytes().decode(), column.status.tolist() == [FINE, NULL, NOT_OBJECT]
    ('aé', True)
    """
    out, out_offsets, status, _ = _read(data, offsets, [name])
    return FieldColumn(out, out_offsets, status)


def lines_with(data: NDArray[np.uint8], offsets: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.bool_]:
    """Return (n_lines, n_names), whether the object of a line has a field of that name; lines are as for `read_field`, and all objects."""
    found = np.empty((len(offsets) - 1, len(names)), np.bool_)
    for first in range(0, len(names), MOST_NAMES):
        some = names[first : first + MOST_NAMES]
        seen = _read(data, offsets, some)[3]
        found[:, first : first + MOST_NAMES] = seen[:, None] >> np.arange(len(some), dtype=np.uint64) & np.uint64(1)
    return found


def _read(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
    encoded = [name.encode() for name in names]
    name_offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    n = len(offsets) - 1
    out, out_offsets = np.empty(int(offsets[-1] - offsets[0]) + BYTES, np.uint8), np.empty(n + 1, np.int64)
    status, seen = np.empty(n, np.uint8), np.empty(n, np.uint64)
    joined = np.frombuffer(b"".join(encoded), np.uint8)
    _read_lines(data, offsets, joined, name_offsets, out, out_offsets, status, seen)
    return out, out_offsets, status, seen


def spliced(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    fields: NDArray[np.uint8],
    field_offsets: NDArray[np.int64],
) -> memoryview:
    r"""Return rows with fields put in behind their last value, each ended by a newline; else their bytes are as they were.

    Parameters
    ----------
    data : (n_bytes,) uint8
    starts, stops : (n_rows,) int64, row ``i`` is ``data[starts[i]:stops[i]]``, a JSON object with white space around it
    fields, field_offsets : what is put into each row, (n_rows + 1,) int64 offsets: ``, "name": value`` as often as there are fields. An empty object
        gets it without its first two bytes

    Examples
    --------
    >>> data = np.frombuffer(b'{"a": 1} {}', np.uint8)
    >>> spliced(data, np.array([0, 8]), np.array([8, 11]), np.frombuffer(b', "b": 2, "b": 3', np.uint8), np.array([0, 8, 16])).tobytes()
    b'{"a": 1, "b": 2}\n {"b": 3}\n'
    """
    out = np.empty(int((stops - starts).sum() + field_offsets[-1] - field_offsets[0]) + len(starts), np.uint8)
    return out[: _splice(data, starts, stops, fields, field_offsets, out)].data


def quoted(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    r"""Return (data, offsets) of texts as JSON strings, quotes and all; only what must be escaped is.

    Examples
    --------
    >>> data, offsets = quoted(np.frombuffer(b'a"\n', np.uint8), np.array([0, 1, 3]))
    >>> data.tobytes(), offsets.tolist()
    (b'"a""\\"\\n"', [0, 3, 9])
    """
    out_offsets = np.empty(len(offsets), np.int64)
    n = _quote(data, offsets, MORE, np.empty(0, np.uint8), out_offsets)
    out = np.empty(n + BYTES, np.uint8)
    _quote(data, offsets, MORE, out, np.empty(1, np.int64))
    return out[:n], out_offsets


def _whole(digits: str) -> int:
    """Return a number of the right type: Python refuses very long ones."""
    return int(digits[:100])


def reason(status: int, line: bytes, name: str) -> str:
    """Say in a clause what is wrong with a line of this status; `name` is the field."""
    if status == TOO_DEEP:
        return f"more than {DEEPEST:,} objects and arrays stand within one another"
    if status == HALF_SURROGATE:
        return "the text holds half a surrogate pair and has no UTF-8 form"
    try:
        row = json.loads(line.decode("utf-8", "replace"), parse_int=_whole)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}" if status == NOT_JSON else f"{name!r} is no text"
    if status == NOT_OBJECT:
        return f"expected a JSON object with {name!r}, not {type(row).__name__}"
    if status == NO_FIELD:
        return f"there is no {name!r}; there is {', '.join(map(repr, row)) or 'nothing'}"
    return f"{name!r} is null" if status == NULL else f"{name!r} is {type(row[name]).__name__}, expected a text"
