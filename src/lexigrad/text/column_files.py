"""Files with columns: CSV, TSV, JSONL, Parquet, Arrow IPC."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from lexigrad.errors import DataError
from lexigrad.text.batches import TextBatch
from lexigrad.text.columns import batches_of, check_columns, encodes, label_array, label_column, text_buffers
from lexigrad.text.files import BATCH_BYTES, BOM, COMPRESSIONS, line_blocks, opened, row_kind


def read_columns(name: str, text: str, label: str | None, batch_bytes: int) -> Iterator[TextBatch]:
    """Yield two columns of a file with columns; see `lexigrad.text.sources.read_file`."""
    kind = row_kind(name)
    with opened(name) as stream:
        if kind in ("parquet", "arrow"):
            try:
                yield from _arrow_batches(name, kind, stream, text, label, batch_bytes)
            except pa.ArrowException as error:
                raise DataError(f"{name} cannot be read to its end: {error}") from error
            return
        rows = (
            _json_rows(name, stream, text, label)
            if kind == "jsonl"
            else _csv_rows(name, stream, text, label, kind == "tsv")
        )
        found = False
        for texts, labels, lines in _chunks(rows, batch_bytes):
            found = True
            array = pa.array(texts, pa.large_string())
            data, offsets = text_buffers(array, name, 0)
            column = None if label is None else label_column(label_array(labels, name), name)
            yield from batches_of(data, offsets, column, name, np.array(lines, np.int64), batch_bytes)
    if not found:
        raise DataError(f"{name} has no rows: expected at least one text")


Row = tuple[str, Any, int]
ARROW_MAGIC = b"ARROW1"
LABEL_TYPES = {str, int, float, bool}


def _chunks(rows: Iterator[Row], batch_bytes: int) -> Iterator[tuple[list[str], list[Any], list[int]]]:
    texts: list[str] = []
    labels: list[Any] = []
    lines: list[int] = []
    size = 0
    for text, label, line in rows:
        texts.append(text)
        labels.append(label)
        lines.append(line)
        size += len(text) + 16
        if size >= batch_bytes:
            yield texts, labels, lines
            texts, labels, lines, size = [], [], [], 0
    if texts:
        yield texts, labels, lines


def _csv_rows(name: str, stream: BinaryIO, text: str, label: str | None, tabs: bool) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    reader = csv.reader(lines, delimiter="\t" if tabs else ",", strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise DataError(f"{name} is empty: expected a first line with the names of the columns")
        check_columns(name, (text, label), header)
        text_place, label_place = header.index(text), None if label is None else header.index(label)
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(header):
                if row:
                    raise DataError(f"{name}:{line}: {len(row)} fields, but the first line names {len(header)} columns")
            else:
                yield row[text_place], None if label_place is None else row[label_place] or None, line
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num}: {error}") from error
    finally:
        lines.detach()


def _json_rows(name: str, stream: BinaryIO, text: str, label: str | None) -> Iterator[Row]:
    line = 0
    kinds: set[str] = set()
    for block in line_blocks(stream, BATCH_BYTES):
        for content in block.removesuffix(b"\n").split(b"\n"):
            line += 1
            if line == 1:
                content = content.removeprefix(BOM)
            if content.strip():
                row = _json_row(name, line, content, text, label)
                kinds |= _label_kinds(row[1], f"{name}:{line}")
                if len(kinds) > 1:
                    raise DataError(f"{name}:{line}: labels must be of one type, not {' and '.join(sorted(kinds))}")
                yield row


def _label_kinds(label: Any, place: str) -> set[str]:
    """Return what a label is, such as {"int"} or {"list of str"}; nothing for null and an empty list."""
    items = label if isinstance(label, list) else [label]
    types = {type(item) for item in items if item is not None}
    if not types <= LABEL_TYPES:
        raise DataError(
            f"{place}: the label is {label!r:.60}; expected a string, number or boolean, or a list of one of them"
        )
    return {f"list of {kind.__name__}" if items is label else kind.__name__ for kind in types}


def _json_row(name: str, line: int, content: bytes | bytearray, text: str, label: str | None) -> Row:
    try:
        row = json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}:{line}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise DataError(f"{name}:{line}: expected a JSON object with {text!r}, not {type(row).__name__}")
    if text not in row or (label is not None and label not in row):
        missing = text if text not in row else label
        raise DataError(f"{name}:{line}: there is no {missing!r}; there is {', '.join(map(repr, row)) or 'nothing'}")
    if not isinstance(row[text], str):
        raise DataError(f"{name}:{line}: {text!r} is {type(row[text]).__name__}, expected a text")
    if b"\\u" in content and not encodes(row[text]):
        raise DataError(f"{name}:{line}: the text holds half a surrogate pair and has no UTF-8 form")
    found = None if label is None else row[label]
    return row[text], None if found == [] else found, line


def _arrow_batches(
    name: str, kind: str, stream: Any, text: str, label: str | None, batch_bytes: int
) -> Iterator[TextBatch]:
    wanted = [text] if label is None or label == text else [text, label]
    row = 0
    for batch in _record_batches(name, kind, stream, wanted):
        data, offsets = text_buffers(batch.column(text), name, row)
        n = len(offsets) - 1
        column = None if label is None else label_column(batch.column(label), name)
        yield from batches_of(data, offsets, column, name, np.arange(row, row + n), batch_bytes)
        row += n
    if not row:
        raise DataError(f"{name} has no rows: expected at least one text")


def _record_batches(name: str, kind: str, stream: Any, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    plain = Path(name).suffix.lower() not in COMPRESSIONS
    if kind == "parquet":
        import pyarrow.parquet as pq

        source = name if plain else pa.BufferReader(stream.read())
        file = pq.ParquetFile(source, pre_buffer=False, memory_map=plain)
        check_columns(name, wanted, file.schema_arrow.names)
        yield from file.iter_batches(batch_size=8192, columns=wanted)
        return
    for batch in _ipc_batches(pa.memory_map(name) if plain else pa.BufferReader(stream.read())):
        check_columns(name, wanted, batch.schema.names)
        yield batch.select(wanted)


def _ipc_batches(source: Any) -> Iterator[pa.RecordBatch]:
    """Yield the batches of an Arrow file, or of an Arrow stream in a file, which is what Hugging Face datasets keep."""
    magic = source.read(len(ARROW_MAGIC))
    source.seek(0)
    if magic != ARROW_MAGIC:
        yield from pa.ipc.open_stream(source)
        return
    reader = pa.ipc.open_file(source)
    for i in range(reader.num_record_batches):
        yield reader.get_batch(i)
