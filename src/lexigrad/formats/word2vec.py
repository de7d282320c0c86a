"""Word vectors in the forms of word2vec: text (`.vec`, as fastText, gensim and GloVe write it) and binary.

Text: a line "N DIM", which GloVe leaves out, then a line a word: the word, and DIM numbers, separated by single spaces. Binary: the same first
line, then for each word its bytes, a space, and DIM float32, little-endian; a newline before the next word or none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.errors import DataError, FormatError
from lexigrad.formats.native import replacing
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.text.files import COMPRESSIONS, line_blocks, opened
from lexigrad.text.words import encoded

BLOCK_BYTES = 4 << 20
ROWS = 4096
"""Words that are written together."""
HEADER = re.compile(rb"^(\d{1,12}) (\d{1,6})[ \t]*\r?\n")
MOST_DIM = 1 << 20
SPACE, NEWLINE, RETURN, TAB = 32, 10, 13, 9

Found = tuple[list[bytes], NDArray[np.float32]]

POWERS = np.array([10.0**i for i in range(23)])
"""Powers of ten that float64 holds exactly."""


@helper
def _number(data, start, stop, powers):  # type: ignore[no-untyped-def]
    """Return a decimal number and whether it was plain: at most 2^53 and a power of ten up to 22, so that one operation rounds it once."""
    i = start
    negative = data[i] == 45
    if data[i] == 45 or data[i] == 43:
        i += 1
    digits, places, seen = np.int64(0), 0, 0
    while i < stop and 48 <= data[i] <= 57:
        digits = digits * 10 + (data[i] - 48)
        seen += 1
        i += 1
    if i < stop and data[i] == 46:
        i += 1
        while i < stop and 48 <= data[i] <= 57:
            digits = digits * 10 + (data[i] - 48)
            seen += 1
            places -= 1
            i += 1
    plain = 0 < seen < 16
    if i < stop and plain and (data[i] == 101 or data[i] == 69):
        i += 1
        down = i < stop and data[i] == 45
        if i < stop and (data[i] == 45 or data[i] == 43):
            i += 1
        exponent, length = 0, 0
        while i < stop and 48 <= data[i] <= 57 and length < 4:
            exponent = exponent * 10 + (data[i] - 48)
            length += 1
            i += 1
        plain = length > 0
        places += -exponent if down else exponent
    if not plain or i != stop or not -22 <= places <= 22:
        return 0.0, False
    value = digits / powers[-places] if places < 0 else digits * powers[places]
    return -value if negative else value, True


@kernel(
    (
        inputs(types.uint8),
        types.int64,
        inputs(types.float64),
        outputs(types.float32),
        outputs(types.int64),
        outputs(types.int64),
    )
)
def _parse_lines(data, dim, powers, values, ends, hard):  # type: ignore[no-untyped-def]
    """Parse whole lines; return (words, numbers that were not plain, first bad line or -1).

    Word i is ``data[ends[2 * i]:ends[2 * i + 1]]``, its numbers ``values[i * dim:]``; ``hard`` gets the place, start and stop of each number that
    has to be looked at with more care. Empty lines are passed over.
    """
    at, n, n_hard, line = 0, 0, 0, 0
    while at < data.size:
        stop = at
        while stop < data.size and data[stop] != NEWLINE:
            stop += 1
        following = stop + 1
        while stop > at and (data[stop - 1] == SPACE or data[stop - 1] == RETURN or data[stop - 1] == TAB):
            stop -= 1
        if stop > at:
            end = stop
            for k in range(dim - 1, -1, -1):
                start = end
                while start > at and data[start - 1] != SPACE and data[start - 1] != TAB:
                    start -= 1
                if start == end or start <= at + 1:
                    return n, n_hard, line
                value, plain = _number(data, start, end, powers)
                values[n * dim + k] = np.float32(value)
                if not plain:
                    hard[3 * n_hard], hard[3 * n_hard + 1], hard[3 * n_hard + 2] = n * dim + k, start, end
                    n_hard += 1
                end = start - 1
            if end <= at:
                return n, n_hard, line
            ends[2 * n], ends[2 * n + 1] = at, end
            n += 1
        line += 1
        at = following
    return n, n_hard, -1


def sniffed(path: str | os.PathLike[str]) -> str | None:
    """Return "text" or "binary" where a file looks like word vectors of that form, else None."""
    name = os.fspath(path)
    if not Path(name).is_file():
        return None
    try:
        with opened(name) as stream:
            start = stream.read(1 << 16)
    except DataError:
        return None
    header = HEADER.match(start)
    body = start[header.end() :] if header else start
    fields = body.split(b"\n", 1)[0].split()
    numbers = fields[-int(header[2]) :] if header else fields[1:]
    if (
        len(fields) > 1
        and b"\n" in body
        and all(_is_number(field) for field in numbers)
        and (not header or len(fields) > len(numbers))
    ):
        return "text"
    return "binary" if header else None


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def read_text(path: str | os.PathLike[str]) -> Found:
    """Read vectors in text form; return words and (n, dim) float32.

    Raises
    ------
    FormatError
        Naming the line that is not a word and `dim` numbers; or fewer or more words than the first line says.
    """
    name = os.fspath(path)
    words: list[bytes] = []
    parts: list[NDArray[np.float32]] = []
    expected, dim, line = None, 0, 1
    with opened(name) as stream:
        for block in line_blocks(stream, BLOCK_BYTES):
            data = block
            if line == 1:
                header = HEADER.match(bytes(data[:64]))
                if header:
                    expected, dim, line = int(header[1]), int(header[2]), 2
                    _check_header(name, expected, dim, _plain_size(name), 2 * dim)
                    data = data[header.end() :]
                else:
                    dim = len(bytes(data).split(b"\n", 1)[0].split()) - 1
                    if dim < 1:
                        raise FormatError(f"{name}:1: expected a word and its numbers, or their counts")
            found, values, n_lines = _parse_block(name, np.frombuffer(data, np.uint8), dim, line)
            words += found
            parts.append(values)
            line += n_lines
    vectors = np.concatenate(parts).reshape(-1, dim) if parts else np.empty((0, max(dim, 1)), np.float32)
    if expected is not None and len(words) != expected:
        raise FormatError(f"{name}: its first line says {expected:,} words, and {len(words):,} are there")
    return _checked(name, words, vectors)


def _parse_block(
    name: str, data: NDArray[np.uint8], dim: int, line: int
) -> tuple[list[bytes], NDArray[np.float32], int]:
    n_lines = int(np.count_nonzero(data == NEWLINE)) + int(len(data) > 0 and data[-1] != NEWLINE)
    most = min(n_lines, len(data) // (2 * dim + 1) + 1)
    values, ends = np.empty(most * dim, np.float32), np.empty(2 * most, np.int64)
    hard = np.empty(3 * most * dim, np.int64)
    n, n_hard, bad = _parse_lines(data, dim, POWERS, values, ends, hard)
    if bad >= 0:
        raise FormatError(f"{name}:{line + bad}: expected a word and {dim} numbers, separated by spaces")
    text = data.tobytes()
    for place, start, stop in hard[: 3 * n_hard].reshape(-1, 3).tolist():
        try:
            values[place] = float(text[start:stop])
        except ValueError:
            number = line + text.count(b"\n", 0, start)
            raise FormatError(
                f"{name}:{number}: {text[start:stop].decode(errors='replace')!r} is not a number"
            ) from None
    return [text[a:b] for a, b in ends[: 2 * n].reshape(-1, 2).tolist()], values[: n * dim], n_lines


def _plain_size(name: str) -> int | None:
    """Return the size of a file, None for a compressed one."""
    return None if Path(name).suffix.lower() in COMPRESSIONS else os.path.getsize(name)


def _check_header(name: str, n: int, dim: int, size: int | None, least: int) -> None:
    """Raise `FormatError` where a file cannot hold what its first line says: `least` bytes a word at least."""
    if not 1 <= dim <= MOST_DIM:
        raise FormatError(f"{name}: its first line says vectors of {dim} numbers; expected 1 to {MOST_DIM:,}")
    if size is not None and n * least > size:
        raise FormatError(
            f"{name} is truncated: its first line says {n:,} words of {dim} numbers, and {size:,} bytes are there"
        )


def _checked(name: str, words: list[bytes], vectors: NDArray[np.float32]) -> Found:
    """Return words and vectors, the first of equal words only."""
    if not words:
        raise FormatError(f"{name} holds no word")
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        raise FormatError(f"{name}: the vector of {words[wrong[0]].decode(errors='replace')!r} is not finite")
    return words, vectors


def read_binary(path: str | os.PathLike[str]) -> Found:
    """Read vectors in binary form; return words and (n, dim) float32.

    Raises
    ------
    FormatError
        If the file is shorter than its first line says, or longer.
    """
    name = os.fspath(path)
    data: NDArray[np.uint8]
    if _plain_size(name) is None:
        with opened(name) as stream:
            data = np.frombuffer(stream.read(), np.uint8)
    else:
        data = np.asarray(np.memmap(name, np.uint8, "r")) if os.path.getsize(name) else np.empty(0, np.uint8)
    header = HEADER.match(data[:64].tobytes())
    if not header:
        raise FormatError(f"{name}: expected a first line such as '400000 300', as word2vec writes it")
    n, dim = int(header[1]), int(header[2])
    _check_header(name, n, dim, len(data), 4 * dim + 1)
    raw, ends = np.empty(n * dim * 4, np.uint8), np.empty(2 * n, np.int64)
    at, done = _parse_binary(data, header.end(), 4 * dim, raw, ends)
    if done < n:
        raise FormatError(f"{name} is truncated or damaged: {done:,} of {n:,} words are there")
    if data[at:].tobytes().strip():
        raise FormatError(f"{name}: {len(data) - at:,} bytes follow the last word, so its first line is wrong")
    words = [data[a:b].tobytes() for a, b in ends.reshape(-1, 2).tolist()]
    return _checked(name, words, raw.view("<f4").astype(np.float32, copy=False).reshape(n, dim))


@kernel((inputs(types.uint8), types.int64, types.int64, outputs(types.uint8), outputs(types.int64)))
def _parse_binary(data, at, width, raw, ends):  # type: ignore[no-untyped-def]
    """Copy the numbers and find the words; return the place after the last, and how many words are whole."""
    n = ends.size // 2
    for i in range(n):
        if at < data.size and data[at] == NEWLINE:
            at += 1
        start = at
        while at < data.size and data[at] != SPACE:
            at += 1
        if at == start or at + 1 + width > data.size:
            return at, i
        ends[2 * i], ends[2 * i + 1] = start, at
        at += 1
        for k in range(width):
            raw[i * width + k] = data[at + k]
        at += width
    return at, n


def _rows(words: Any, n: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield some words as bytes, with the place of the first; they must be such as these forms can hold."""
    for first in range(0, n, ROWS):
        some = encoded(words[first : first + ROWS])
        for word in some:
            if not word or any(sign in word for sign in (b" ", b"\n", b"\t", b"\r")):
                raise DataError(
                    f"the word {word.decode(errors='replace')!r} has white space or is empty, which this form cannot hold"
                )
        yield first, some


def write_text(path: str | os.PathLike[str], words: Any, vectors: NDArray[np.float32]) -> None:
    """Write vectors in text form: the fewest digits that give each float32 back."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with replacing(Path(path)) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for first, some in _rows(words, len(words)):
            numbers = np.asarray(vectors[first : first + ROWS], np.float32)
            columns = [
                pc.cast(pa.array(np.ascontiguousarray(column)), pa.string()).cast(pa.binary()) for column in numbers.T
            ]
            lines = pc.binary_join_element_wise(pa.array(some, pa.binary()), *columns, pa.scalar(b" ", pa.binary()))
            file.write(b"\n".join(lines.to_pylist()) + b"\n")


def write_binary(path: str | os.PathLike[str], words: Any, vectors: NDArray[np.float32]) -> None:
    """Write vectors in binary form, as word2vec does: a newline after each vector."""
    with replacing(Path(path)) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for first, some in _rows(words, len(words)):
            numbers = np.asarray(vectors[first : first + ROWS], "<f4")
            file.write(b"".join(word + b" " + row.tobytes() + b"\n" for word, row in zip(some, numbers, strict=True)))
