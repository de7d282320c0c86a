"""Files of texts: which kind, how compressed, and lines. Plain files are read without importing pyarrow, which takes a while."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lexigrad.errors import DataError
from lexigrad.text.batches import TextBatch
from lexigrad.text.lines import batch_of_lines

BATCH_BYTES = 4 << 20
STDIN = "-"
BOM = b"\xef\xbb\xbf"
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json-lines": "jsonl", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error)


def row_kind(name: str) -> str | None:
    """Return the kind of a file with columns, by its extension; None for fastText lines."""
    if name == STDIN:
        return None
    suffixes = Path(name).suffixes
    if suffixes and suffixes[-1].lower() in COMPRESSIONS:
        suffixes.pop()
    return KINDS.get(suffixes[-1].lower()) if suffixes else None


@contextmanager
def opened(name: str, raw: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Open a file, decompressed by its extension; what goes wrong in reading becomes a `DataError` that names it.

    With `raw`, the same file opened by the caller, it is read through that, so that its position tells how far.
    """
    if name == STDIN:
        yield sys.stdin.buffer
        return
    path = Path(name)
    if not path.exists():
        raise DataError(f"no such file: {name}")
    if path.is_dir():
        raise DataError(f"{name} is a folder: expected a file")
    try:
        with _stream(name, raw) as stream:
            yield stream
    except READ_ERRORS as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise DataError(f"{name} cannot be read to its end: {error or type(error).__name__}") from error


def _stream(name: str, raw: BinaryIO | None) -> Any:
    suffix = Path(name).suffix.lower()
    if suffix == ".gz":
        return gzip.open(raw or name, "rb")
    if suffix == ".bz2":
        return bz2.open(raw or name, "rb")
    if suffix == ".xz":
        return lzma.open(raw or name, "rb")
    if suffix == ".zst":
        import pyarrow as pa

        return pa.CompressedInputStream(raw or pa.OSFile(os.fsencode(name)), "zstd")
    return raw or open(name, "rb")


def line_blocks(stream: BinaryIO, batch_bytes: int) -> Iterator[bytearray]:
    """Yield blocks of whole lines; a line longer than `batch_bytes` comes whole too."""
    read = getattr(stream, "read1", stream.read)  # what is there already: a person typing gets answers line by line
    parts: list[bytes] = []
    size = 0
    while block := read(batch_bytes):
        cut = block.rfind(b"\n") + 1
        if not cut:
            parts.append(block)
            continue
        parts.append(block[:cut])
        size += cut
        if size >= batch_bytes or stream is getattr(sys.stdin, "buffer", None):
            yield bytearray().join(parts)
            parts, size = [], 0
        if cut < len(block):
            parts.append(block[cut:])
    if parts:
        yield bytearray().join(parts)


def read_lines(name: str, prefix: bytes, keep_labels: bool, batch_bytes: int) -> Iterator[TextBatch]:
    """Yield the lines of a fastText file; see `lexigrad.text.sources.read_file`."""
    line = 1
    shown = "standard input" if name == STDIN else name
    with opened(name) as stream:
        for block in line_blocks(stream, batch_bytes):
            if line == 1 and block.startswith(BOM):
                block[:3] = b"   "
            batch = batch_of_lines(block, shown, line, prefix, keep_labels)
            yield batch
            line += len(batch)
    if line == 1:
        raise DataError(f"{shown} is empty: expected one text per line")
