"""Arrow IPC in and out: files and streams are read, files are written.

A file grows as a stream at its temporary name, because a stream can be cut off after any batch; in the end it is copied, batch by batch, into a file of the
file format, which takes its size once more on the disk while that lasts. Buffers are written uncompressed, so that the file can be mapped.

Columns that are dictionaries stay so: a stream may give each batch another dictionary, a file may not, so the file has one with the values of all, and
indices wide enough for it. Dictionaries within lists and structs, and those of nested values or views, become plain values; so do the labels that are added.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.scoring.forms.common import Batch, Encoded, Part, PartialFile, Source, give_name, kept_rows, partial_path
from lexigrad.scoring.forms.parquet import file_arrays, file_field, fitted, is_text, pieces, plain_texts
from lexigrad.text.columns import check_columns
from lexigrad.text.files import COMPRESSIONS, opened

T = pa.types
MAGIC = b"ARROW1"
STREAM_START = 8
"""Where the stream begins within a file of the file format."""
STREAM_END = 8
"""Bytes that end a stream."""
PART_BYTES = 16 << 20
READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


# ------------------------------------------------------------------------------------------------------------- reading


class ArrowBatch(Batch):
    """Rows of a record batch."""

    def table(self) -> pa.RecordBatch:
        """Return the rows, all columns."""
        return self.rows


@dataclass(frozen=True, slots=True)
class ArrowPart:
    """Record batches that lie one behind the other, or rows of a large one.

    Attributes
    ----------
    rows : the batches; those of a mapped file are read when they are used
    first_row : number of the first row
    n_bytes : about how many bytes of the file they are
    """

    source: ArrowSource
    rows: list[pa.RecordBatch]
    first_row: int
    n_bytes: int

    def batches(self) -> Iterator[ArrowBatch]:
        """Yield the rows; `DataError` where buffers do not hold what they should."""
        row = self.first_row
        for rows in self.rows:
            try:
                _check(rows)
            except READ_ERRORS as error:
                raise DataError(f"{self.source.name}, rows from {row:,} on: {error}") from error
            for some in pieces(rows, self.source.text):
                texts = plain_texts(some.column(self.source.text))
                bad: list[tuple[int, str]] = []
                if texts.null_count:
                    nulls = texts.is_null().to_numpy(zero_copy_only=False)
                    bad = [(i, "the text is missing (null)") for i in np.flatnonzero(nulls).tolist()]
                yield ArrowBatch(texts, bad, some, row, np.arange(row, row + len(some)))
                row += len(some)


def _check(rows: pa.RecordBatch) -> None:
    """Raise `pa.ArrowInvalid` where offsets or indices point outside of their buffers; strings need not be UTF-8."""
    for column in rows.columns:
        kind = column.type
        as_bytes = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(kind)
        (column.view(as_bytes) if as_bytes is not None else column).validate(full=True)


class ArrowSource:
    """A file of Arrow's file or stream format as parts; see `open_source`."""

    n_parts = None

    def __init__(self, path: str | os.PathLike[str], text: str) -> None:
        self.name, self.text = os.fspath(path), text
        if not os.path.isfile(path):
            raise DataError(f"no such file: {path}")
        self.n_bytes = os.path.getsize(path)
        self.is_plain = Path(path).suffix.lower() not in COMPRESSIONS
        with ExitStack() as stack:
            try:
                self.schema: pa.Schema = self._reader(stack)[0].schema
            except READ_ERRORS as error:
                if isinstance(error, DataError):
                    raise
                if isinstance(error, PermissionError):
                    raise DataError(f"{path}: it cannot be read: permission denied") from error
                raise DataError(f"{path} is no Arrow file or stream, or is damaged: {error}") from error
        check_columns(self.name, [text], self.schema.names)
        kind = self.schema.field(text).type
        if not is_text(kind):
            raise DataError(f"{path}: the column {text!r} is {kind}: expected strings or bytes")

    def _reader(self, stack: ExitStack) -> tuple[Any, Any]:
        """Return (reader, what tells how many bytes were read)."""
        if self.is_plain:
            source = stack.enter_context(pa.memory_map(os.fsencode(self.name)))
            head = source.read(len(MAGIC))
            source.seek(0)
            return (pa.ipc.open_file(source) if head == MAGIC else pa.ipc.open_stream(source)), source
        stream, raw = self._decompressed(stack)
        if stream.read(len(MAGIC)) == MAGIC:  # reading the stream within needs no going back and forth
            stream.read(STREAM_START - len(MAGIC))
        else:
            stream, raw = self._decompressed(stack)
        return pa.ipc.open_stream(pa.PythonFile(stream, "r")), raw

    def _decompressed(self, stack: ExitStack) -> tuple[Any, Any]:
        raw = stack.enter_context(open(self.name, "rb"))  # noqa: SIM115 (closed by the stack)
        return stack.enter_context(opened(self.name, raw)), raw

    def _batches(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Yield (record batch, bytes of the file that it takes, about)."""
        with ExitStack() as stack:
            reader, position = self._reader(stack)
            if isinstance(reader, pa.RecordBatchFileReader):
                n = reader.num_record_batches
                for i in range(n):
                    yield reader.get_batch(i), self.n_bytes // n
                return
            before = 0
            for batch in reader:
                here = position.tell()
                yield batch, here - before
                before = here

    def _pieces(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Yield what `_batches` does, large batches in pieces."""
        for batch, n_bytes in self._batches():
            batch.validate()
            n = max(1, min(len(batch), -(-batch.nbytes // PART_BYTES)))
            bounds = [len(batch) * i // n for i in range(n + 1)]
            for first, stop in itertools.pairwise(bounds):
                yield batch.slice(first, stop - first), n_bytes // n

    def parts(self, skip: int = 0) -> Iterator[ArrowPart]:
        """Yield the parts from number `skip` on; those before are read past."""
        number, row, size, n_bytes = 0, 0, 0, 0
        rows: list[pa.RecordBatch] = []
        try:
            for piece, of_file in self._pieces():
                if rows and size + piece.nbytes > PART_BYTES:
                    if number >= skip:
                        yield ArrowPart(self, rows, row, n_bytes)
                    number, row = number + 1, row + sum(map(len, rows))
                    rows, size, n_bytes = [], 0, 0
                rows.append(piece)
                size += piece.nbytes
                n_bytes += of_file
        except READ_ERRORS as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self.name} cannot be read to its end: {error}") from error
        if rows and number >= skip:
            yield ArrowPart(self, rows, row, n_bytes)

    def close(self) -> None:
        """Do nothing: each reading opens the file itself."""


def open_source(path: str | os.PathLike[str], text: str, drops: str = "any") -> ArrowSource:
    """Open a file of Arrow's file or stream format; a file that is not compressed is mapped, so `drops` makes no difference.

    Raises
    ------
    DataError
        The file cannot be read, or the column is not there or holds no texts.
    """
    return ArrowSource(path, text)


# ------------------------------------------------------------------------------------------------------------- writing


def kept_type(kind: pa.DataType, nested: bool = False) -> pa.DataType:
    """Return the type of a column in the output: without the dictionaries that cannot stay.

    Examples
    --------
    >>> words = pa.dictionary(pa.int8(), pa.string())
    >>> kept_type(words), kept_type(pa.list_(words))
    (DictionaryType(dictionary<values=string, indices=int8, ordered=0>), ListType(list<item: string>))
    """
    if T.is_dictionary(kind):
        value = kind.value_type
        stays = T.is_primitive(value) or value in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
        return kind if stays and not nested else kept_type(value, True)
    if T.is_struct(kind):
        return pa.struct([field.with_type(kept_type(field.type, True)) for field in kind])
    if T.is_list(kind) or T.is_large_list(kind) or T.is_fixed_size_list(kind):
        field = kind.value_field.with_type(kept_type(kind.value_type, True))
        if T.is_fixed_size_list(kind):
            return pa.list_(field, kind.list_size)
        return pa.list_(field) if T.is_list(kind) else pa.large_list(field)
    return kind


class ArrowEncoder:
    """Writes one part as record batches; see `ArrowSink`."""

    def __init__(self, sink: ArrowSink) -> None:
        self.sink = sink
        self.buffer = pa.BufferOutputStream()
        self.writer = pa.ipc.new_stream(self.buffer, sink.schema)
        self.n_rows = 0

    def add(self, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        """Take the next batch."""
        rows = fitted(batch.table(), self.sink.given)
        fields = list(self.sink.schema)[: rows.num_columns]
        arrays = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(rows.columns, fields, strict=True)
        ]
        arrays += file_arrays(columns, self.sink.added)
        full = kept_rows(pa.RecordBatch.from_arrays(arrays, schema=self.sink.schema), keep)
        if len(full):
            self.writer.write_batch(full)
            self.n_rows += len(full)

    def finish(self) -> Encoded:
        """Return the part."""
        self.writer.close()
        content = self.buffer.getvalue()
        head = len(self.sink.head)
        return Encoded([content[head : len(content) - STREAM_END]] if self.n_rows else [], self.n_rows)


class ArrowSink:
    """A file of Arrow's file format that grows as a stream; see `create_sink` and `resume_sink`.

    Attributes
    ----------
    given, added, schema : schemas of the input's columns, of the added ones, of the output
    head : the bytes with which a stream of it begins
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        schema: pa.Schema | None,
        fields: Sequence[pa.Field],
        states: Sequence[dict[str, Any]],
    ) -> None:
        if schema is None:
            raise ParameterError("an Arrow file needs to know its columns before its rows: give their schema")
        self.path, self.given, self.added = Path(path), schema, pa.schema([file_field(field) for field in fields])
        twice = [name for name in self.added.names if [*schema.names, *self.added.names].count(name) > 1]
        if twice:
            raise DataError(
                f"there is a column {twice[0]!r} already: give the model a name, which goes before the names of its columns"
            )
        kept = [field.with_type(kept_type(field.type)) for field in schema]
        self.schema = pa.schema([*kept, *self.added], metadata=schema.metadata)
        empty = pa.BufferOutputStream()
        pa.ipc.new_stream(empty, self.schema).close()
        self.head: bytes = empty.getvalue().to_pybytes()[:-STREAM_END]
        self.n_rows = sum(state["rows"] for state in states)
        end = states[-1]["end"] if states else None
        self.file = None if end is not None and self._complete() else PartialFile(path, end)
        if self.file is not None and end is None:
            self.file.append([self.head], sync=False)

    def _complete(self) -> bool:
        """Tell whether the run was killed after it gave the complete file its name."""
        if partial_path(self.path).exists() or not self.path.is_file():
            return False
        try:
            with pa.memory_map(os.fsencode(self.path)) as source:
                reader = pa.ipc.open_file(source)
                n_rows = sum(len(reader.get_batch(i)) for i in range(reader.num_record_batches))
                return n_rows == self.n_rows and reader.schema.names == self.schema.names
        except READ_ERRORS:
            return False

    def encoder(self, part: Part | None) -> ArrowEncoder:
        """Return the encoder of a part."""
        return ArrowEncoder(self)

    def append(self, encoded: Encoded, sync: bool = True) -> dict[str, Any]:
        """Append a part. See `lexigrad.scoring.forms.common.Sink.append`."""
        assert self.file is not None, "the file is complete"
        self.n_rows += encoded.n_rows
        return {"end": self.file.append(encoded.data, sync), "rows": encoded.n_rows}

    def finish(self) -> None:
        """Copy the stream into a file, and give that its name."""
        if self.file is None:
            return
        self.file.append([])
        self.file.close()
        whole = self.file.partial.with_name(f"{self.file.partial.name}.file")
        with open(whole, "wb") as file:
            _copy(self.file.partial, file)
            file.flush()
            os.fsync(file.fileno())
        give_name(whole, self.path)
        self.file.partial.unlink()

    def close(self) -> None:
        """Leave the file at its temporary name."""
        if self.file is not None:
            self.file.close()


def _copy(stream: Path, file: Any) -> None:
    """Write the batches of a stream to a file of the file format, with one dictionary a column."""
    with pa.memory_map(os.fsencode(stream)) as source:
        reader = pa.ipc.open_stream(source)
        schema = reader.schema
        columns = [i for i, field in enumerate(schema) if T.is_dictionary(field.type)]
        dictionaries = _dictionaries(reader, columns)
        for i, values in dictionaries.items():
            kind = schema.field(i).type
            kind = pa.dictionary(_wide_enough(kind.index_type, len(values)), kind.value_type, kind.ordered)
            schema = schema.set(i, schema.field(i).with_type(kind))
    with pa.memory_map(os.fsencode(stream)) as source, pa.ipc.new_file(file, schema) as writer:
        for batch in pa.ipc.open_stream(source):
            arrays = batch.columns
            for i, values in dictionaries.items():
                arrays[i] = _with_dictionary(arrays[i], values, schema.field(i).type)
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _dictionaries(batches: Any, columns: list[int]) -> dict[int, pa.Array]:
    """Return the values of all dictionaries of each column, in the order in which they come."""
    found: dict[int, pa.Array] = {}
    if columns:
        last: dict[int, pa.Array] = {}
        for batch in batches:
            for i in columns:
                values = batch.column(i).dictionary
                if i not in found:
                    found[i] = values
                elif not values.equals(last[i]):
                    new = pc.invert(pc.is_in(values, value_set=found[i]))
                    found[i] = pa.concat_arrays([found[i], values.filter(new)])
                last[i] = values
    return found


def _wide_enough(kind: pa.DataType, n: int) -> pa.DataType:
    return kind if n <= np.iinfo(kind.to_pandas_dtype()).max else pa.int32() if n <= 2**31 else pa.int64()


def _with_dictionary(array: pa.Array, values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the same values as indices into other ones."""
    indices = array.indices
    if not array.dictionary.equals(values):
        indices = pc.index_in(array.dictionary, value_set=values).take(indices)
    return pa.DictionaryArray.from_arrays(indices.cast(kind.index_type), values, ordered=kind.ordered)


def create_sink(
    path: str | os.PathLike[str], schema: pa.Schema | None, fields: Sequence[pa.Field], source: Source | None
) -> ArrowSink:
    """Begin an Arrow file at its temporary name.

    Parameters
    ----------
    path : its name in the end
    schema : of the columns before the added ones
    fields : the added columns
    source : makes no difference

    Raises
    ------
    DataError
        An added column has the name of another.
    """
    return ArrowSink(path, schema, fields, ())


def resume_sink(
    path: str | os.PathLike[str],
    states: Sequence[dict[str, Any]],
    schema: pa.Schema | None,
    fields: Sequence[pa.Field],
    source: Source | None,
) -> ArrowSink:
    """Go on with a file that `create_sink` began, after the part that the last of `states` describes; what lies behind it is dropped.

    A file that was complete already is left as it is. Raises `DataError` where the file at the temporary name is shorter than the states say.
    """
    return ArrowSink(path, schema, fields, states)
