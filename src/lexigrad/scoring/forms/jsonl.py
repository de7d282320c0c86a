"""JSON lines in and out: the bytes of each row with the new fields put in behind its last value.

Blank lines are no rows, and do not come out again, nor does a byte order mark. A line that is no JSON object cannot take a field: the encoder leaves it
out, whatever `keep` says; `JsonRows.is_object` tells which rows can be written. As a table such a row is null in every column.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.json
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.scoring.forms.common import (
    BATCH_BYTES,
    Batch,
    Encoded,
    Part,
    PartialFile,
    Source,
    kept_rows,
    partial_path,
)
from lexigrad.scoring.forms.json_types import settled, widened
from lexigrad.scoring.forms.json_values import json_fields, json_rows
from lexigrad.text.columns import text_buffers
from lexigrad.text.files import BOM, opened
from lexigrad.text.json_lines import (
    BLANK,
    FINE,
    HALF_SURROGATE,
    NEWLINE,
    NO_FIELD,
    NOT_JSON,
    NOT_OBJECT,
    NULL,
    TOO_DEEP,
    line_offsets,
    lines_with,
    read_field,
    reason,
    spliced,
)

PART_BYTES = 12 << 20
"""A part has the lines that begin within so many bytes of the content."""
READ_BYTES = 1 << 16
"""How much is read at a time to find the end of a part's last line; twice as much each time."""
BATCH_ROWS = 1 << 16
EXPLAINED = 100
"""Bad rows of a batch whose reasons are told in full, by reading them again; of others only the kind is told."""
NUMBERS = 1 << 20
"""Added numbers that are made into text at once."""
ZSTD_LEVEL = 3


def _zstd(data: Any) -> bytes:
    return pa.Codec("zstd", compression_level=ZSTD_LEVEL).compress(data, asbytes=True)


COMPRESSED: dict[str, Callable[[Any], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 6, mtime=0),
    ".zst": _zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
"""How a part is compressed, by the extension: to a member or frame of its own, which may be followed by others."""


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Rows as they stand in a block.

    Attributes
    ----------
    data : (n_bytes,) uint8, the block
    starts, stops : (n_rows,) int64, row ``i`` is ``data[starts[i]:stops[i]]``, with its newline
    is_object : (n_rows,) whether a row is a JSON object, and so can take fields
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    is_object: NDArray[np.bool_]

    def line(self, row: int) -> bytes:
        """Return the bytes of a row."""
        return self.data[self.starts[row] : self.stops[row]].tobytes()


@dataclass
class JsonBatch(Batch):
    """Rows of a JSONL file; `rows` is `JsonRows`, `first_row` counts lines from 0, blank ones too.

    Attributes
    ----------
    source : the file
    """

    source: JsonlSource

    def table(self) -> pa.RecordBatch:
        """Return the rows as columns of `JsonlSource.columns`; a row that is no object, or is bad and not wanted, is null in all of them.

        Raises
        ------
        DataError
            A value does not fit the type of its column, or a field has no column; names the line.
        """
        rows: JsonRows = self.rows
        schema = self.source.columns()
        places = np.flatnonzero(self.wanted())
        lines = [rows.data[rows.starts[row] : rows.stops[row]].data for row in places.tolist()]
        table = _quick_table(b"".join(lines), len(lines), schema)
        if table is None:
            table = self._slow_table(places, schema)
        if len(places) < len(rows.starts):
            takes = np.full(len(rows.starts), -1)
            takes[places] = np.arange(len(places))
            table = table.take(pa.array(takes, mask=takes < 0))
        return table

    def wanted(self) -> NDArray[np.bool_]:
        """Return which rows can be written: (n_rows,) bool."""
        wanted: NDArray[np.bool_] = self.rows.is_object.copy()
        if not self.source.keeps_bad:
            wanted[[row for row, _ in self.bad]] = False
        return wanted

    def value(self, row: int) -> dict[str, Any]:
        """Return a row as Python has it; a text that is none, of a bad row, is left out."""
        value: dict[str, Any] = _loaded(self.rows.line(row))
        if not isinstance(value.get(self.source.text, ""), str):
            del value[self.source.text]
        return value

    def _slow_table(self, places: NDArray[np.int64], schema: pa.Schema) -> pa.RecordBatch:
        """Return the rows that are objects by Python's reader, value by value: says what is wrong and where."""
        values = []
        for row in places.tolist():
            try:
                value = self.value(row)
                widened(pa.struct(schema), value, "", False)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{self.source.name}:{self.lines[row]}: {error}; the columns come from the first rows of the file: write JSONL, or make the rows alike"
                ) from error
            values.append(value)
        columns = [pa.array([value.get(field.name) for value in values], field.type) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def _loaded(line: bytes) -> Any:
    """Return a row of Python's; half a surrogate pair becomes U+FFFD."""
    value = json.loads(line.decode("utf-8", "replace"))
    return _whole_text(value) if b"\\u" in line else value


def _whole_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_whole_text(item) for item in value]
    return {_whole_text(key): _whole_text(item) for key, item in value.items()} if isinstance(value, dict) else value


def _quick_table(block: bytes, n_rows: int, schema: pa.Schema) -> pa.RecordBatch | None:
    """Return the rows by Arrow's reader, or None where it does not read them all just as expected."""
    if not n_rows:
        return None
    read = pa.json.ReadOptions(use_threads=False, block_size=max(len(block) + 1, READ_BYTES))
    parse = pa.json.ParseOptions(schema, unexpected_field_behavior="error")
    try:
        pa.array([block], pa.binary()).cast(pa.string())  # UTF-8 throughout
        table = pa.json.read_json(pa.BufferReader(block), read, parse)
    except (pa.ArrowException, OverflowError):
        return None
    if table.schema.names != schema.names or table.num_rows != n_rows:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema) if table.schema.equals(schema) else None


@dataclass(frozen=True, slots=True)
class JsonlPart:
    """Whole lines of a file.

    Attributes
    ----------
    block : the lines
    first_line : number of the first, from 0
    n_bytes : how many bytes of the file were read for it
    """

    source: JsonlSource
    block: memoryview
    first_line: int
    n_bytes: int

    def batches(self) -> Iterator[JsonBatch]:
        """Yield the rows."""
        data = np.frombuffer(self.block, np.uint8)
        offsets = line_offsets(data)
        first = 0
        while first < len(offsets) - 1:
            stop = int(np.searchsorted(offsets, offsets[first] + BATCH_BYTES, side="right")) - 1
            stop = max(first + 1, min(stop, first + BATCH_ROWS))
            batch = self._batch(data, offsets[first : stop + 1], self.first_line + first)
            if len(batch.lines):
                yield batch
            first = stop

    def _batch(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], first_line: int) -> JsonBatch:
        column = read_field(data, offsets, self.source.text)
        places = np.flatnonzero(column.status != BLANK)
        status = column.status[places]
        text_offsets = np.append(column.offsets[places], column.offsets[-1])  # blank lines have no bytes
        wrong = np.flatnonzero(status != FINE)
        validity = pa.py_buffer(np.packbits(status == FINE, bitorder="little")) if len(wrong) else None
        texts = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(),
            len(places),
            [validity, pa.py_buffer(text_offsets), pa.py_buffer(column.data)],
            len(wrong),
        )
        rows = JsonRows(data, offsets[places], offsets[places + 1], (status == FINE) | (status >= NO_FIELD))
        name = self.source.text
        bad = [
            (row, reason(status[row], rows.line(row), name) if i < EXPLAINED else _kind(status[row], name))
            for i, row in enumerate(wrong.tolist())
        ]
        return JsonBatch(texts, bad, rows, first_line, first_line + 1 + places, self.source)


def _kind(status: int, name: str) -> str:
    kinds = {
        NOT_JSON: "not JSON", TOO_DEEP: "nested too deep", NOT_OBJECT: "expected a JSON object", NO_FIELD: f"there is no {name!r}",
        NULL: f"{name!r} is null", HALF_SURROGATE: "the text holds half a surrogate pair",
    }  # fmt: skip
    return kinds.get(status, f"{name!r} is not a text")


class JsonlSource:
    """A JSONL file, also compressed.

    Parameters
    ----------
    path : the file, decompressed by its extension
    text : the field with the texts
    part_bytes : a part has the lines that begin within so many bytes of the content; a line is never cut

    Attributes
    ----------
    keeps_bad : whether rows without a usable text are rows of the table, and so have a say in the types of its columns

    Raises
    ------
    DataError
        There is no such file.
    """

    schema = None
    keeps_bad = True

    def __init__(self, path: str | os.PathLike[str], text: str, part_bytes: int = PART_BYTES) -> None:
        self.name, self.text, self.part_bytes = os.fspath(path), text, part_bytes
        if not os.path.isfile(path):
            raise DataError(f"no such file: {path}")
        self.n_bytes = os.path.getsize(path)
        self.is_plain = Path(path).suffix.lower() not in COMPRESSED
        self.n_parts = -(-self.n_bytes // part_bytes) if self.is_plain else None
        self._columns: pa.Schema | None = None
        self._lock = threading.Lock()

    def parts(self, skip: int = 0) -> Iterator[JsonlPart]:
        """Yield the parts from number `skip` on; those before are read past, to count their lines."""
        with open(self.name, "rb") as raw, opened(self.name, raw) as stream:
            line, before = 0, 0
            for i, block in enumerate(_blocks(stream, self.part_bytes)):
                here = raw.tell()
                if i >= skip:
                    yield JsonlPart(self, block, line, here - before)
                before = here
                line += int(np.count_nonzero(np.frombuffer(block, np.uint8) == NEWLINE))

    def columns(self) -> pa.Schema:
        """Return the columns that the rows have as a table, from those of the first part with any; nulls alone make a column of strings.

        Raises
        ------
        DataError
            The values of a field are of several types; names the line.
        """
        with self._lock:
            if self._columns is None:
                self._columns = self._first_columns()
        return self._columns

    def _first_columns(self) -> pa.Schema:
        kind: pa.DataType = pa.struct([])
        for part in self.parts():
            found = False
            for batch in part.batches():
                for row in np.flatnonzero(batch.wanted()).tolist():
                    found = True
                    try:
                        kind = widened(kind, batch.value(row), "", True)
                    except (ValueError, RecursionError) as error:
                        raise DataError(
                            f"{self.name}:{batch.lines[row]}: {error}; write JSONL, or make the rows alike"
                        ) from error
            if found:
                break
        fields = list(settled(kind))
        return pa.schema(
            fields if self.text in [field.name for field in fields] else [*fields, (self.text, pa.string())]
        )

    def close(self) -> None:
        """Do nothing: each reading opens the file itself."""


def _blocks(stream: BinaryIO, size: int) -> Iterator[memoryview]:
    """Yield the lines that begin in each `size` bytes, the byte order mark left out; no lines where none does."""
    rest = b""
    limit = size  # of places where lines begin, counted from the first byte of `rest`
    first = True
    while True:
        block = bytearray(rest)
        _fill(stream, block, limit)
        step = READ_BYTES
        end = block.find(b"\n", max(limit - 1, 0)) + 1 if limit > 0 else 0
        while limit > 0 and not end:
            searched = len(block)
            _fill(stream, block, searched + step)
            if len(block) == searched:
                end = searched
                break
            end = block.find(b"\n", max(searched, limit - 1)) + 1
            step *= 2
        if not block and limit >= size:  # this part would begin behind the end
            return
        start = len(BOM) if first and block.startswith(BOM) else 0
        first = False
        view = memoryview(block)
        yield view[start:end]
        rest = bytes(view[end:])
        limit += size - end


def _fill(stream: BinaryIO, block: bytearray, size: int) -> None:
    """Read until the block has `size` bytes or the stream ends."""
    while len(block) < size:
        more = stream.read(size - len(block))
        if not more:
            return
        block += more


class JsonlEncoder:
    """Writes one part; see `JsonlSink`."""

    def __init__(self, sink: JsonlSink) -> None:
        self.sink = sink
        self.pieces: list[Any] = []
        self.n_rows = 0

    def add(self, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        """Take the next batch; of a JSONL batch rows that are no objects are left out."""
        if isinstance(batch, JsonBatch):
            self._splice(batch, columns, keep)
            return
        table = batch.table()
        names = [*table.schema.names, *self.sink.names]
        rows = kept_rows(pa.RecordBatch.from_arrays([*table.columns, *columns], names), keep)
        for places in self._steps(np.arange(len(rows)), columns):
            some = rows.slice(int(places[0]), len(places))
            data, offsets = text_buffers(json_rows(names, some.columns), "rows", 0)
            self.pieces.append(data[offsets[0] : offsets[-1]].data)
            self.n_rows += len(some)

    def _steps(self, rows: NDArray[np.int64], columns: list[pa.Array]) -> Iterator[NDArray[np.int64]]:
        """Yield the rows, so many at a time that their numbers are few enough."""
        widest = max(
            (column.type.list_size for column in columns if pa.types.is_fixed_size_list(column.type)), default=1
        )
        step = max(1, NUMBERS // widest)
        for first in range(0, len(rows), step):
            yield rows[first : first + step]

    def _splice(self, batch: JsonBatch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        rows: JsonRows = batch.rows
        self._check_rows(batch)
        chosen = np.flatnonzero(rows.is_object if keep is None else rows.is_object & keep)
        for some in self._steps(chosen, columns):
            picks = pa.array(some)
            fields = np.empty(0, np.uint8), np.zeros(len(some) + 1, np.int64)
            if columns:
                fields = text_buffers(
                    json_fields(self.sink.names, [column.take(picks) for column in columns]), "fields", 0
                )
            self.pieces.append(spliced(rows.data, rows.starts[some], rows.stops[some], *fields))
            self.n_rows += len(some)

    def _check_rows(self, batch: JsonBatch) -> None:
        """Raise `DataError` where a row has a field of a new name already: JSON would then have it twice."""
        rows: JsonRows = batch.rows
        if not len(rows.starts):
            return
        offsets = np.append(rows.starts, rows.stops[-1])  # blank lines between rows are white space
        found = lines_with(rows.data, offsets, self.sink.names) & rows.is_object[:, None]
        if found.any():
            row, name = np.argwhere(found)[0].tolist()
            raise DataError(
                f"{batch.source.name}:{batch.lines[row]}: there is a field {self.sink.names[name]!r} already: give the model another name (NAME=MODEL)"
            )

    def finish(self) -> Encoded:
        """Return the part, compressed."""
        if self.sink.compress is not None and self.n_rows:
            self.pieces = [self.sink.compress(b"".join(self.pieces))]
        return Encoded(self.pieces, self.n_rows)


def _check_names(new: Sequence[str], there: list[str]) -> None:
    twice = [name for name in new if name in there]
    if twice:
        raise DataError(f"there is a column {twice[0]!r} already: give the model another name (NAME=MODEL)")
    repeated = [name for name in there if there.count(name) > 1]
    if repeated:
        raise DataError(f"there is more than one column {repeated[0]!r}: give them different names")


class JsonlSink:
    """A JSONL file, compressed by its extension, each part a gzip member or Zstandard frame of its own.

    Parameters
    ----------
    path : the file in the end
    names : of the added fields
    end : how many bytes of an earlier run to keep; None to begin anew. Where the earlier run was killed just after `finish`, the file that it finished
        stays
    """

    def __init__(self, path: str | os.PathLike[str], names: Sequence[str], end: int | None = None) -> None:
        self.names = list(names)
        self.compress = COMPRESSED.get(Path(path).suffix.lower())
        self.file = None if end is not None and self._is_finished(path, end) else PartialFile(path, end)

    def _is_finished(self, path: str | os.PathLike[str], end: int) -> bool:
        if partial_path(path).exists() or not os.path.isfile(path):
            return False
        return os.path.getsize(path) == (end or len(self._nothing()))

    def _nothing(self) -> bytes:
        """Return a file without rows: tools do not take an empty file for a compressed one."""
        return b"" if self.compress is None else self.compress(b"")

    def encoder(self, part: Part | None) -> JsonlEncoder:
        """Return the encoder of a part."""
        return JsonlEncoder(self)

    def append(self, encoded: Encoded, sync: bool = True) -> dict[str, Any]:
        """Append a part. See `lexigrad.scoring.forms.common.Sink.append`."""
        assert self.file is not None, "the file is complete"
        return {"position": self.file.append(encoded.data, sync)}

    def finish(self) -> None:
        """Give the file its name."""
        if self.file is not None:
            if not self.file.end:
                self.file.append([self._nothing()])
            self.file.finish()

    def close(self) -> None:
        """Leave the file at its temporary name."""
        if self.file is not None:
            self.file.close()


def open_source(path: str | os.PathLike[str], text: str, drops: str = "any") -> JsonlSource:
    """Open a JSONL file; all of a row is read anyway, so `drops` makes no difference."""
    return JsonlSource(path, text)


def create_sink(
    path: str | os.PathLike[str], schema: pa.Schema | None, fields: Sequence[pa.Field], source: Source | None
) -> JsonlSink:
    """Begin a JSONL file of rows of any form."""
    names = [field.name for field in fields]
    if schema is not None:
        _check_names(names, schema.names)
    return JsonlSink(path, names)


def resume_sink(
    path: str | os.PathLike[str],
    states: Sequence[dict[str, Any]],
    schema: pa.Schema | None,
    fields: Sequence[pa.Field],
    source: Source | None,
) -> JsonlSink:
    """Go on with a file after the parts that it has."""
    return JsonlSink(path, [field.name for field in fields], states[-1]["position"] if states else 0)
