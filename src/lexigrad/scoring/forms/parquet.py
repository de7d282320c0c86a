"""Parquet files: read by row groups; columns that do not change are copied as they lie in the file.

Pages of a column that came in several batches are encoded a batch at a time, without a dictionary, and joined: so a worker holds some megabytes of texts
beside what it has encoded, whatever the size of a row group. Columns of short or repeating values are held until the row group ends, and have dictionaries.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.formats import parquet_footer as footers
from lexigrad.formats.parquet_footer import I32, I64, LIST, Footer, Items, Struct
from lexigrad.scoring.forms.common import (
    BATCH_BYTES,
    Batch,
    Encoded,
    FileSpan,
    Part,
    PartialFile,
    Source,
    kept_rows,
    partial_path,
)
from lexigrad.text.columns import check_columns

DROPS = ("none", "bad", "any")
READ_BYTES = 4 << 20
"""What is decoded at once, about, by the mean size of the row group's rows: more leaves the processor's caches, fewer pays for the calls."""
WRITE_BYTES = 2 << 20
"""How much of the columns that are encoded as they come is encoded at once."""
MOST_ROWS = 1 << 15
MOST_ROWS_OF_DICTIONARY = 1 << 12
"""Rows decoded at once at most; fewer where values may be longer than the bytes that stand for them."""
STREAM_BYTES = 64
"""A column with values of this size or more, in bytes a row, is encoded as it comes, unless it repeats."""
SAMPLE_ROWS = 1024
PAGE_ROWS = 64
"""After how many rows of such a column the size of the page is looked at."""
READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError, IndexError, MemoryError)


def open_source(path: str | os.PathLike[str], text: str, drops: str = "any") -> ParquetSource:
    """Open a Parquet file to read its texts.

    Parameters
    ----------
    path : the file
    text : the name of a column of strings or bytes that is not within another
    drops : which rows may be dropped on the way to another Parquet file: "none", "bad" (without a text) or "any". Where none is, the other columns are copied
        and not read

    Raises
    ------
    DataError
        The file cannot be read, or the column is not there or holds no texts.

    Examples
    --------
    >>> import os, tempfile, pyarrow as pa, pyarrow.parquet as pq
    >>> folder = tempfile.mkdtemp()
    >>> given, output = os.path.join(folder, "a.parquet"), os.path.join(folder, "b.parquet")
    >>> pq.write_table(pa.table({"text": ["one", "four"]}), given)
    >>> source = open_source(given, "text", drops="none")
    >>> sink = create_sink(output, source.schema, [pa.field("length", pa.int32())], source)
    >>> for part in source.parts():
    ...     encoder = sink.encoder(part)
    ...     for batch in part.batches():
    ...         encoder.add(batch, [pa.array([len(text) for text in batch.texts.to_pylist()], pa.int32())], None)
    ...     state = sink.append(encoder.finish())
    >>> sink.finish()
    >>> pq.read_table(output).to_pylist()
    [{'text': 'one', 'length': 3}, {'text': 'four', 'length': 4}]
    """
    return ParquetSource(path, text, drops)


def create_sink(
    path: str | os.PathLike[str], schema: pa.Schema | None, fields: Sequence[pa.Field], source: Source | None
) -> ParquetSink:
    """Begin a Parquet file at its temporary name.

    Parameters
    ----------
    path : its name in the end
    schema : of the columns before the added ones
    fields : the added columns
    source : the input, whose row groups are copied where it is Parquet and nothing is dropped

    Raises
    ------
    DataError
        An added column has the name of another.
    """
    return ParquetSink(path, Layout(schema, fields, source), ())


def resume_sink(
    path: str | os.PathLike[str],
    states: Sequence[dict[str, Any]],
    schema: pa.Schema | None,
    fields: Sequence[pa.Field],
    source: Source | None,
) -> ParquetSink:
    """Go on with a file that `create_sink` began, after the part that the last of `states` describes; what lies behind it is dropped.

    A file that was complete already is left as it is. Raises `DataError` where the file at the temporary name is shorter than the states say.
    """
    return ParquetSink(path, Layout(schema, fields, source), states)


# ------------------------------------------------------------------------------------------------------------- reading


class ParquetBatch(Batch):
    """Rows of a row group."""

    def table(self) -> pa.RecordBatch:
        """Return the rows, all columns."""
        if self.rows is None:
            raise ParameterError('this Parquet file was opened to be copied: open it with drops="any" to have its rows')
        return self.rows


class Habits(NamedTuple):
    """How a column of a row group is encoded, with all that are within it."""

    codec: str
    dictionary: bool
    n_bytes: int
    """Before they are compressed."""


class ParquetPart:
    """A row group."""

    def __init__(self, source: ParquetSource, index: int, first_row: int) -> None:
        self.source, self.index, self.first_row, self.n_rows = source, index, first_row, source.rows[index]
        self.habits: dict[str, Habits] = {}
        self.n_bytes = 0
        self.group = source.footer.group(index)
        for chunk in footers.items(self.group, footers.COLUMNS, footers.STRUCT):
            meta = footers.need(chunk, footers.META, footers.STRUCT)
            name = path_of(chunk)[0].decode("utf-8", "replace")
            codec = footers.CODECS[footers.need(meta, footers.CODEC, I32)]
            before = self.habits.get(name, Habits(codec, False, 0))
            dictionary = before.dictionary or bool(footers.get(meta, footers.DICTIONARY_PAGE, I64))
            size = before.n_bytes + footers.need(meta, footers.UNCOMPRESSED, I64)
            self.habits[name] = Habits(before.codec, dictionary, size)
            self.n_bytes += footers.need(meta, footers.COMPRESSED, I64)

    def _read_rows(self) -> int:
        """Return how many rows to decode at once."""
        read = [self.habits[self.source.text]] if self.source.copies else list(self.habits.values())
        size = sum(column.n_bytes for column in read)
        most = MOST_ROWS_OF_DICTIONARY if any(column.dictionary for column in read) else MOST_ROWS
        return max(1, min(most, READ_BYTES * self.n_rows // max(1, size)))

    def batches(self) -> Iterator[ParquetBatch]:
        """Yield the rows; `DataError` where they cannot be read to their end."""
        source, row = self.source, 0
        names = [source.text] if source.copies else None
        try:
            with source.opened() as file:
                for read in file.iter_batches(
                    self._read_rows(), row_groups=[self.index], columns=names, use_threads=False
                ):
                    for batch in pieces(read, source.text):
                        yield self._batch(batch, row)
                        row += len(batch)
        except READ_ERRORS as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{source.name}: row group {self.index} cannot be read to its end: {error}") from error
        if row != self.n_rows:
            raise DataError(
                f"{source.name}: row group {self.index} has {row:,} rows, but its footer says {self.n_rows:,}"
            )

    def _batch(self, rows: pa.RecordBatch, row: int) -> ParquetBatch:
        texts = plain_texts(rows.column(self.source.text))
        bad: list[tuple[int, str]] = []
        if texts.null_count:
            nulls = texts.is_null().to_numpy(zero_copy_only=False)
            bad = [(i, "the text is missing (null)") for i in np.flatnonzero(nulls).tolist()]
        first = self.first_row + row
        lines = np.arange(first, first + len(rows))
        return ParquetBatch(texts, bad, None if self.source.copies else rows, first, lines)


def for_arrow(path: str | os.PathLike[str]) -> Any:
    """Return what Arrow's reader of Parquet opens: it takes no names that are not UTF-8."""
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return pa.OSFile(os.fsencode(name))
    return name


def pieces(batch: pa.RecordBatch, text: str) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces of at most `BATCH_BYTES` of text each, unless one text is longer."""
    if len(batch) > 1 and batch.column(text).nbytes > BATCH_BYTES:
        half = len(batch) // 2
        yield from pieces(batch.slice(0, half), text)
        yield from pieces(batch.slice(half), text)
    elif len(batch):
        yield batch


def plain_texts(array: pa.Array) -> pa.Array:
    """Return texts as an array of strings or bytes with offsets."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds texts; one of nulls only holds missing ones."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_null, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    bytes_tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(kind) for test in (*tests, *bytes_tests))


class ParquetSource:
    """A Parquet file as parts; see `open_source`.

    Attributes
    ----------
    copies : whether row groups are copied, and only the texts are read
    footer, rows : the footer; the rows of each row group
    """

    def __init__(self, path: str | os.PathLike[str], text: str, drops: str) -> None:
        if drops not in DROPS:
            raise ParameterError(f"drops={drops!r}: expected one of {', '.join(map(repr, DROPS))}")
        self.name, self.text = os.fspath(path), text
        try:
            with open(self.name, "rb") as file:
                self.footer = footers.read_footer(file)
                self.n_bytes = os.fstat(file.fileno()).st_size
            self.rows, self.copies = self._survey(drops)
        except FormatError as error:
            raise DataError(f"{self.name} {error}") from error
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror}") from error
        try:
            with pq.ParquetFile(for_arrow(self.name), pre_buffer=False) as file:
                self.metadata: Any = file.metadata
                self.schema: pa.Schema = file.schema_arrow
            self._check_text()
        except READ_ERRORS as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self.name} cannot be read as a Parquet file: {error}") from error
        self.n_parts: int = len(self.rows)

    def _survey(self, drops: str) -> tuple[list[int], bool]:
        """Return (rows of each row group, whether all can be copied); each is made a tree once, for there may be thousands.

        With `drops="bad"` they can be only where their statistics say that no text is missing.
        """
        footer, rows = self.footer, []
        leaves = footers.leaf_paths(footer.schema)
        paths = [path for path, _ in leaves]
        wanted = [self.text.encode()]
        place = paths.index(wanted) if drops == "bad" and wanted in paths else None
        copies = drops != "any" and footers.can_copy(footer.meta)
        for i in range(len(footer.row_groups)):
            group = footer.group(i)
            rows.append(footers.check_group(group, i, leaves, footer.start))
            copies = copies and footers.can_copy_group(group, footer.start)
            if copies and rows[-1] and place is not None:
                chunk = footers.items(group, footers.COLUMNS, footers.STRUCT)[place]
                copies = footers.null_count(chunk) == 0
        footers.check_meta(footer.meta, sum(rows))
        return rows, copies

    def _check_text(self) -> None:
        names = self.schema.names
        top = self.text.split(".")[0]
        if self.text not in names and top in names and pa.types.is_nested(self.schema.field(top).type):
            raise DataError(
                f"{self.name}: {self.text!r} is within the column {top!r}; texts must be a column of their own"
            )
        check_columns(self.name, [self.text], names)
        kind = self.schema.field(self.text).type
        if not is_text(kind):
            texts = ", ".join(repr(field.name) for field in self.schema if is_text(field.type))
            there = f"texts are in {texts}" if texts else "no column of the file holds texts"
            raise DataError(f"{self.name}: the column {self.text!r} holds {kind}, not texts; {there}")

    def opened(self) -> Any:
        """Return the file, opened once more: each thread needs its own."""
        return pq.ParquetFile(
            for_arrow(self.name), metadata=self.metadata, pre_buffer=False, memory_map=False, buffer_size=1 << 20
        )

    def parts(self, skip: int = 0) -> Iterator[ParquetPart]:
        """Yield the row groups."""
        row = 0
        for i in range(self.n_parts):
            if i >= skip:
                yield ParquetPart(self, i, row)
            row += self.rows[i]

    def close(self) -> None:
        """Nothing is open between parts."""


# ------------------------------------------------------------------------------------------------------------ encoding


class Column(NamedTuple):
    """A column chunk, and the bytes that it describes, which begin at `start` of some file."""

    chunk: Struct
    start: int
    pieces: list[Any]


def writer_codec(codec: str) -> str:
    """Return the codec of a column as the writer calls it, or Snappy where it cannot be written."""
    if codec == "UNCOMPRESSED":
        return "NONE"
    codec = codec.removesuffix("_RAW")
    return codec if codec != "LZO" and pa.Codec.is_available(codec.lower()) else "SNAPPY"


class ColumnsEncoder:
    """Encodes the columns of one row group as its batches come.

    Parameters
    ----------
    schema : of the batches, as in a file
    paths : the columns with pages within each column
    part : the row group of the input, whose columns are encoded as they were; None where there is none
    codec : of other columns
    """

    def __init__(self, schema: pa.Schema, paths: dict[str, list[str]], part: ParquetPart | None, codec: str) -> None:
        self.schema, self.paths, self.codec = schema, paths, codec
        self.known = {} if part is None else part.habits
        self.known_rows = 0 if part is None else part.n_rows
        self.n_rows = 0
        self.streamed: list[str] | None = None
        self.waiting: list[pa.RecordBatch] = []
        self.waiting_bytes = 0
        self.held: list[pa.RecordBatch] = []
        self.written: list[list[tuple[bytes, Column]]] = []
        self.nulls: dict[str, int] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the next rows."""
        if not len(batch):
            return
        if self.streamed is None:
            self.streamed = [name for i, name in enumerate(self.schema.names) if self._streams(name, batch.column(i))]
        self.n_rows += len(batch)
        self.held.append(batch.drop_columns(self.streamed))
        if self.streamed:
            self.waiting.append(batch.select(self.streamed))
            self.waiting_bytes += self.waiting[-1].nbytes
            if self.waiting_bytes >= WRITE_BYTES:
                self._write_waiting()

    def _streams(self, name: str, values: pa.Array) -> bool:
        """Tell whether a column is encoded batch by batch, without a dictionary."""
        size = values.nbytes / len(values)
        if size < STREAM_BYTES:
            return False
        if name in self.known:
            column = self.known[name]
            return not (column.dictionary and column.n_bytes < self.known_rows * size / 2)
        if not is_text(values.type):
            return True
        sample = plain_texts(values)[:SAMPLE_ROWS]
        return pc.count_distinct(sample).as_py() > len(sample) // 2

    def _write_waiting(self) -> None:
        table = pa.Table.from_batches(self.waiting)
        for name, column in zip(table.column_names, table.columns, strict=True):
            self.nulls[name] = self.nulls.get(name, 0) + column.null_count
        self.written.append(columns_of(*self._write(table, False, PAGE_ROWS)))
        self.waiting, self.waiting_bytes = [], 0

    def _write(self, table: pa.Table, held: bool, page_rows: int | None) -> tuple[pa.Buffer, Footer]:
        """Return a Parquet file of one row group, and its footer."""
        paths = {name: self.paths[name] for name in table.column_names}
        dictionary = [p for field in table.schema if held and self._has_dictionary(field) for p in paths[field.name]]
        codecs = {
            path: writer_codec(self.known[name].codec) if name in self.known else self.codec
            for name in paths
            for path in paths[name]
        }
        stream = pa.BufferOutputStream()
        try:
            with pq.ParquetWriter(
                stream,
                table.schema,
                compression=codecs,
                use_dictionary=dictionary,
                write_statistics=held,
                write_batch_size=page_rows,
                store_schema=False,
            ) as writer:
                writer.write_table(table, row_group_size=len(table))
        except pa.ArrowException as error:
            raise DataError(f"pyarrow {pa.__version__} cannot write these columns as Parquet: {error}") from error
        buffer = stream.getvalue()
        footer = footers.read_footer(pa.BufferReader(buffer))
        if len(footer.row_groups) != 1:
            raise DataError(f"a row group of {len(table):,} rows cannot be written: at most 67,108,864 can")
        return buffer, footer

    def _has_dictionary(self, field: pa.Field) -> bool:
        return self.known[field.name].dictionary if field.name in self.known else is_text(field.type)

    def finish(self) -> list[Column]:
        """Return the columns with pages, in the order of the schema."""
        if self.waiting:
            self._write_waiting()
        found: dict[bytes, list[Column]] = {}
        if self.held and self.held[0].num_columns:
            buffer, footer = self._write(pa.Table.from_batches(self.held), True, None)
            for name, column in columns_of(buffer, footer):
                found.setdefault(name, []).append(column)
        self.held = []
        for alike in zip(*self.written, strict=True):
            name, columns = alike[0][0], [column for _, column in alike]
            nulls = self.nulls[name.decode()] if len(path_of(columns[0].chunk)) == 1 else None
            chunk = footers.joined([c.chunk for c in columns], nulls)
            found.setdefault(name, []).append(Column(chunk, columns[0].start, [p for c in columns for p in c.pieces]))
        return [column for name in self.schema.names for column in found[name.encode()]]


def path_of(chunk: Struct) -> list[bytes]:
    """Return the names from the outermost column to the one that a chunk is of."""
    return footers.items(footers.need(chunk, footers.META, footers.STRUCT), footers.PATH, footers.BINARY)


def columns_of(buffer: pa.Buffer, footer: Footer) -> list[tuple[bytes, Column]]:
    """Return (outermost name, column chunk) of a file of one row group in memory; its bytes are copied, for a stream holds up to twice as many."""
    columns = []
    for chunk in footers.items(footer.group(0), footers.COLUMNS, footers.STRUCT):
        start, n_bytes = footers.chunk_span(chunk)
        name = path_of(chunk)[0]
        columns.append((name, Column(chunk, start, [buffer.slice(start, n_bytes).to_pybytes()])))
    return columns


def laid_out(columns: list[Column], n_rows: int, given: Struct | None) -> Encoded:
    """Return a row group as it is behind the first bytes of a file: an offset of 0 would mean that there is none."""
    chunks: list[Struct] = []
    data: list[Any] = []
    end = len(footers.MAGIC)
    for column in columns:
        chunks.append(footers.moved(column.chunk, end - column.start))
        end += footers.chunk_span(column.chunk)[1]
        for piece in column.pieces:
            last = data[-1] if data else None
            if isinstance(piece, FileSpan) and isinstance(last, FileSpan) and last.start + last.nbytes == piece.start:
                data[-1] = FileSpan(last.path, last.start, last.nbytes + piece.nbytes)
            else:
                data.append(piece)
    return Encoded(data, n_rows, footers.row_group(chunks, n_rows, 0, given))


class CopyEncoder:
    """Encodes the added columns of a row group, and has the others copied."""

    def __init__(self, layout: Layout, part: ParquetPart) -> None:
        self.part = part
        self.columns = ColumnsEncoder(
            layout.added, layout.paths, None, writer_codec(part.habits[part.source.text].codec)
        )

    def add(self, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        """Take the next batch."""
        if keep is not None and not keep.all():
            raise DataError(
                f"{self.part.source.name}: rows of row group {self.part.index} are to be dropped, but its statistics say that no text is missing; score it with"
                ' --bad-rows null, or open it with drops="any"'
            )
        self.columns.add(
            pa.RecordBatch.from_arrays(file_arrays(columns, self.columns.schema), schema=self.columns.schema)
        )

    def finish(self) -> Encoded:
        """Return the row group."""
        source, n_rows = self.part.source, self.part.n_rows
        if self.columns.n_rows != n_rows:
            raise DataError(
                f"{source.name}: row group {self.part.index} has {n_rows:,} rows, {self.columns.n_rows:,} were scored"
            )
        if not n_rows:
            return Encoded([], 0)
        copied = []
        for chunk in footers.items(self.part.group, footers.COLUMNS, footers.STRUCT):
            start, n_bytes = footers.chunk_span(chunk)
            copied.append(Column(chunk, start, [FileSpan(source.name, start, n_bytes)]))
        return laid_out(copied + self.columns.finish(), n_rows, self.part.group)


class RowsEncoder:
    """Encodes all columns of a row group, without the rows that are dropped."""

    def __init__(self, layout: Layout, part: ParquetPart | None) -> None:
        self.layout = layout
        codec = "SNAPPY" if part is None else writer_codec(part.habits[part.source.text].codec)
        self.columns = ColumnsEncoder(layout.full, layout.paths, part, codec)

    def add(self, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        """Take the next batch."""
        rows = fitted(batch.table(), self.layout.given)
        arrays = [*rows.columns, *file_arrays(columns, self.layout.added)]
        full = pa.RecordBatch.from_arrays(arrays, schema=self.layout.full)
        self.columns.add(kept_rows(full, keep))

    def finish(self) -> Encoded:
        """Return the row group."""
        if not self.columns.n_rows:
            return Encoded([], 0)
        return laid_out(self.columns.finish(), self.columns.n_rows, None)


def file_field(field: pa.Field) -> pa.Field:
    """Return an added column as it is in files: labels are written out."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def file_arrays(columns: list[pa.Array], schema: pa.Schema) -> list[pa.Array]:
    """Return added columns as they are in files."""
    arrays = []
    for column, field in zip(columns, schema, strict=True):
        array = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        arrays.append(array if array.type.equals(field.type) else array.cast(field.type))
    return arrays


def fitted(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows of another form with the columns of a schema; a column that is not there is null, and one too many or of another type a `DataError`."""
    if rows.schema.equals(schema):
        return rows
    more = [name for name in rows.schema.names if name not in schema.names]
    if more:
        raise DataError(
            f"the column {more[0]!r} is not among those of the file that is written: {', '.join(schema.names)}"
        )
    arrays = []
    for field in schema:
        array = rows.column(field.name) if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
        try:
            arrays.append(array if array.type.equals(field.type) else array.cast(field.type))
        except pa.ArrowException as error:
            raise DataError(
                f"the column {field.name!r} holds {array.type} that do not fit {field.type}: {error}"
            ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


# ------------------------------------------------------------------------------------------------------------- writing


def empty_footer(schema: pa.Schema, stored: bool = False) -> Footer:
    """Return the footer of a file without rows; with `stored`, it has the Arrow schema among its metadata."""
    stream = pa.BufferOutputStream()
    try:
        pq.ParquetWriter(stream, schema, store_schema=stored).close()
    except pa.ArrowException as error:
        raise DataError(f"these columns cannot be written as Parquet: {error}") from error
    return footers.read_footer(pa.BufferReader(stream.getvalue()))


class Layout:
    """The columns of an output file, and its footer without row groups.

    Attributes
    ----------
    given, added, full : schemas of the input's columns, of the added ones, of both
    paths : of the columns with pages within each column that is encoded, by its name
    copies : whether the output has the row groups of the input
    meta : the footer
    """

    def __init__(self, schema: pa.Schema | None, fields: Sequence[pa.Field], source: Source | None) -> None:
        if schema is None:
            raise ParameterError("a Parquet file needs to know its columns before its rows: give their schema")
        self.given, self.added = schema, pa.schema([file_field(field) for field in fields])
        names = [*schema.names, *self.added.names]
        for name in self.added.names:
            if names.count(name) > 1:
                raise DataError(
                    f"there is a column {name!r} already: give the model a name, which goes before the names of its columns"
                )
        self.full = pa.schema([*schema, *self.added], metadata=schema.metadata)
        self.copies = isinstance(source, ParquetSource) and source.copies
        if not self.copies:
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise DataError(f"there is more than one column {twice[0]!r}: give them different names")
            self.meta = empty_footer(self.full, stored=True).meta
            leaves = footers.leaf_paths(footers.items(self.meta, footers.SCHEMA, footers.STRUCT))
        else:
            assert isinstance(source, ParquetSource)
            new = empty_footer(self.added)
            self.meta = extended(source.footer, schema, self.added, new)
            leaves = footers.leaf_paths(new.schema)
        self.paths: dict[str, list[str]] = {}
        for path, _ in leaves:
            names = [name.decode() for name in path]
            self.paths.setdefault(names[0], []).append(".".join(names))
        self.meta[footers.CREATED_BY] = (footers.BINARY, created_by())


def created_by() -> bytes:
    """Return who wrote the file, in the form that readers take apart: name, version, build."""
    try:
        version = metadata.version("lexigrad")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"lexigrad version {version} (build pyarrow-{pa.__version__})".encode()


def arrow_schema(stored: bytes | None, schema: pa.Schema) -> pa.Schema:
    """Return the schema that a file stores beside its own, or, where it is none of these columns, what they are read as: without the zones of INT96 times."""
    try:
        found = pa.ipc.read_schema(pa.BufferReader(base64.b64decode(stored or b"")))
        return found if found.names == schema.names else schema
    except (pa.ArrowException, ValueError, OSError):
        return schema


def extended(footer: Footer, schema: pa.Schema, added: pa.Schema, new: Footer) -> Struct:
    """Return the footer of the input with the added columns, those of `new`, in its schema."""
    meta = dict(footer.meta)
    root, *elements = footer.schema
    n_children = footers.need(root, footers.NUM_CHILDREN, I32) + len(added)
    root = root | {footers.NUM_CHILDREN: (I32, n_children)}
    meta[footers.SCHEMA] = (LIST, Items(footers.STRUCT, [root, *elements, *new.schema[1:]]))
    orders = footers.items(meta, footers.COLUMN_ORDERS, footers.STRUCT)
    meta.pop(footers.COLUMN_ORDERS, None)
    if len(orders) == len(footers.leaf_paths(footer.schema)):
        orders = [*orders, *footers.items(new.meta, footers.COLUMN_ORDERS, footers.STRUCT)]
        meta[footers.COLUMN_ORDERS] = (LIST, Items(footers.STRUCT, orders))
    key_values = footer.key_values
    if b"ARROW:schema" in key_values or any(field.metadata for field in added):
        before = arrow_schema(key_values.get(b"ARROW:schema"), schema)
        stored = base64.b64encode(pa.schema([*before, *added], metadata=before.metadata).serialize())
        pairs = footers.items(meta, footers.KEY_VALUES, footers.STRUCT)
        kept = [pair for pair in pairs if pair[1][1] != b"ARROW:schema"]
        pair = {1: (footers.BINARY, b"ARROW:schema"), 2: (footers.BINARY, stored)}
        meta[footers.KEY_VALUES] = (LIST, Items(footers.STRUCT, [*kept, pair]))
    return meta


class ParquetSink:
    """A Parquet file that grows by row groups; see `create_sink` and `resume_sink`."""

    def __init__(self, path: str | os.PathLike[str], layout: Layout, states: Sequence[dict[str, Any]]) -> None:
        self.path, self.layout = Path(path), layout
        self.groups = [base64.b64decode(state["row_group"]) for state in states if state["row_group"]]
        self.n_rows = sum(state["rows"] for state in states)
        end = states[-1]["end"] if states else None
        self.file = None if end is not None and self._complete(end) else PartialFile(path, end)
        if end is None and self.file is not None:
            self.file.append([footers.MAGIC], sync=False)

    def _end(self) -> bytes:
        meta = self.layout.meta | {footers.NUM_ROWS: (I64, self.n_rows)}
        return footers.file_end(meta, self.groups)

    def _complete(self, end: int) -> bool:
        """Tell whether the run was killed after it gave the complete file its name."""
        if partial_path(self.path).exists() or not self.path.is_file():
            return False
        with open(self.path, "rb") as file:
            file.seek(end)
            tail = self._end()
            return file.read(len(tail) + 1) == tail

    def encoder(self, part: Part | None) -> CopyEncoder | RowsEncoder:
        """Return the encoder of a part; None for rows of another form."""
        parquet = part if isinstance(part, ParquetPart) else None
        if parquet is not None and self.layout.copies:
            return CopyEncoder(self.layout, parquet)
        return RowsEncoder(self.layout, parquet)

    def append(self, encoded: Encoded, sync: bool = True) -> dict[str, Any]:
        """Append a row group; one without rows is left out. See `lexigrad.scoring.forms.common.Sink.append`."""
        assert self.file is not None, "the file is complete"
        group = b""
        if encoded.n_rows:
            chunks = footers.items(encoded.meta, footers.COLUMNS, footers.STRUCT)
            chunks = [footers.moved(chunk, self.file.end - len(footers.MAGIC)) for chunk in chunks]
            tree = footers.row_group(chunks, encoded.n_rows, len(self.groups), encoded.meta)
            group = footers.struct_bytes(tree)
            self.groups.append(group)
            self.n_rows += encoded.n_rows
            data = encoded.data
        else:
            data = []
        self.file.append(data, sync)
        return {"end": self.file.end, "rows": encoded.n_rows, "row_group": base64.b64encode(group).decode()}

    def finish(self) -> None:
        """Write the footer and give the file its name; `DataError` where no reader can read it, because parts of a damaged footer were copied."""
        if self.file is None:
            return
        self.file.append([self._end()], sync=False)
        try:
            found = pq.read_metadata(for_arrow(self.file.partial)).num_rows
        except READ_ERRORS as error:
            raise DataError(f"{self.path} would be unreadable ({error}): the footer of its input is damaged") from error
        if found != self.n_rows:
            raise DataError(
                f"{self.path} would have {found:,} rows, not {self.n_rows:,}: the footer of its input is damaged"
            )
        self.file.finish()

    def close(self) -> None:
        """Leave the file at its temporary name."""
        if self.file is not None:
            self.file.close()
