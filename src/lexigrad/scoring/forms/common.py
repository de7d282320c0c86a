"""What all forms of files have in common: a source of parts, a sink of encoded parts, and the file that it fills.

A part of an input file is read, scored and encoded by one worker thread; encoded parts are appended in order by the main thread, and the state that
`append` returns, with the file at its temporary name, is all that going on after a kill needs.

Each form has three functions:

    open_source(path, text, drops="any") -> Source
        drops: which rows may be dropped on the way to an output of the same form: "none", "bad" (those without a text) or "any"; where none is, the other
        columns need not be read. "any" for an output of another form
    create_sink(path, schema, fields, source) -> Sink
        schema: of the columns of the input, None where its form has none; fields: of the columns that are added; source: None where the input has another form
    resume_sink(path, states, schema, fields, source) -> Sink
        states: all that `append` returned, in order
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError

BATCH_BYTES = 16 << 20
"""How much text a batch holds, at most, unless one text is longer."""
COPY_BYTES = 1 << 18
"""How much is copied at once, through memory that stays in the processor's caches."""


@dataclass
class Batch(ABC):
    """Some rows of a part.

    Attributes
    ----------
    texts : a string or binary array; null where the row is bad
    bad : (row in this batch, reason in one clause) of rows without a text
    rows : what the encoder of the same form needs to write the rows
    first_row : number of the first row in its file, from 0
    lines : (n,) int64, for messages: the line, from 1, or the row, from 0, of each row in its file
    """

    texts: pa.Array
    bad: list[tuple[int, str]]
    rows: Any
    first_row: int
    lines: NDArray[np.int64]

    @abstractmethod
    def table(self) -> pa.RecordBatch:
        """Return the rows as columns, to write them in another form."""


class Part(Protocol):
    """A piece of an input file that is scored on its own."""

    n_bytes: int
    """About how many bytes of the file it stands for."""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, about `BATCH_BYTES` of text at a time; called in a worker thread."""


class Source(Protocol):
    """One input file."""

    name: str
    n_bytes: int
    """Of the file on the disk."""
    n_parts: int | None
    """None where only reading to the end tells."""
    schema: pa.Schema | None
    """Of the columns, None for JSONL."""

    def parts(self, skip: int = 0) -> Iterator[Part]:
        """Yield the parts, from number `skip` on; may be called again."""

    def close(self) -> None:
        """Close the file."""


class FileSpan(NamedTuple):
    """Bytes that are copied from another file when they are needed: they take no memory until then."""

    path: str
    start: int
    nbytes: int

    def blocks(self) -> Iterator[memoryview]:
        """Yield the bytes, some at a time, each until the next is asked for; `DataError` where the file has become shorter."""
        block = memoryview(bytearray(min(self.nbytes, COPY_BYTES)))
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.start)
            left = self.nbytes
            while left:
                n = file.readinto(block[:left])
                if not n:
                    raise DataError(
                        f"{self.path} has become shorter while it was read: leave it as it is until the run ends"
                    )
                left -= n
                yield block[:n]


def blocks_of(piece: Any) -> Iterable[Any]:
    """Return a piece of `Encoded.data` as blocks with a buffer."""
    return piece.blocks() if isinstance(piece, FileSpan) else [piece]


@dataclass
class Encoded:
    """A part as bytes of the output.

    Attributes
    ----------
    data : the bytes, in pieces that lie one behind the other: what has a buffer, or a `FileSpan`
    n_rows : rows written
    meta : what else the sink of this form needs
    """

    data: list[Any]
    n_rows: int
    meta: Any = None

    @property
    def n_bytes(self) -> int:
        """How many bytes will be appended."""
        return sum(piece.nbytes if isinstance(piece, FileSpan) else memoryview(piece).nbytes for piece in self.data)


class Encoder(Protocol):
    """Makes one part's bytes, in a worker thread."""

    def add(self, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None) -> None:
        """Take the next batch with its added columns; `keep` None keeps all rows."""

    def finish(self) -> Encoded:
        """Return the part."""


class Sink(Protocol):
    """One output file, at a temporary name until `finish`."""

    def encoder(self, part: Part | None) -> Encoder:
        """Return the encoder of a part; None for rows of another form."""

    def append(self, encoded: Encoded, sync: bool = True) -> dict[str, Any]:
        """Append a part; return a JSON object with which `resume_sink` goes on after it.

        With `sync` this part and those before are on the disk when this returns. Without, which is for small parts, its state may be kept only after a later
        call with `sync`.
        """

    def finish(self) -> None:
        """Complete the file and give it its name."""

    def close(self) -> None:
        """Leave the file at its temporary name, to go on later."""


def kept_rows(rows: pa.RecordBatch, keep: NDArray[np.bool_] | None) -> pa.RecordBatch:
    """Return the rows that are kept; all where `keep` is None. Works for the types that Arrow cannot filter, too.

    Examples
    --------
    >>> kept_rows(pa.record_batch({"a": pa.array(["x", "y"], pa.string_view())}), np.array([False, True])).to_pylist()
    [{'a': 'y'}]
    """
    if keep is None:
        return rows
    try:
        return rows.filter(pa.array(keep))
    except pa.ArrowNotImplementedError:  # views
        edges = np.flatnonzero(np.diff(keep.astype(np.int8), prepend=0, append=0)).reshape(-1, 2).tolist()
        columns = [
            pa.concat_arrays([column.slice(0, 0), *(column.slice(first, stop - first) for first, stop in edges)])
            for column in rows.columns
        ]
        return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def partial_path(path: str | os.PathLike[str]) -> Path:
    """Return the temporary name of an output: fixed, so that a killed run finds it.

    Examples
    --------
    >>> partial_path("out/a.parquet").as_posix()
    'out/.a.parquet.partial'
    """
    path = Path(path)
    return path.with_name(f".{path.name}.partial")


def give_name(temporary: Path, path: Path) -> None:
    """Rename a file that is on the disk; its new name is there too when this returns."""
    os.replace(temporary, path)
    if os.name == "posix":  # the name is on the disk when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class PartialFile:
    """A file that is appended to at its temporary name.

    Parameters
    ----------
    path : its name in the end
    end : how many bytes of an earlier run to keep; None to begin anew

    Raises
    ------
    ParameterError
        The folder is not there, or `path` is one.
    DataError
        Fewer than `end` bytes are there.
    """

    def __init__(self, path: str | os.PathLike[str], end: int | None = None) -> None:
        self.path, self.partial = Path(path), partial_path(path)
        if not self.path.parent.is_dir():
            raise ParameterError(f"cannot write {path}: there is no folder {self.path.parent}; create it first")
        if self.path.is_dir():
            raise ParameterError(f"cannot write {path}: it is a folder; name a file in it")
        if end is not None:
            there = self.partial.stat().st_size if self.partial.is_file() else None
            if there is None or there < end:
                found = "is not there" if there is None else f"has {there:,} bytes"
                raise DataError(
                    f"cannot go on with {self.partial}: an earlier run wrote {end:,} bytes, but it {found}; start again"
                )
        self.file = open(self.partial, "wb" if end is None else "r+b", buffering=0)  # noqa: SIM115 (closed by `close` or `finish`)
        self.end = end or 0
        self.file.truncate(self.end)
        self.file.seek(self.end)

    def append(self, pieces: Iterable[Any], sync: bool = True) -> int:
        """Append bytes, wait until they are on the disk, and return where the file ends."""
        for block in (block for piece in pieces for block in blocks_of(piece)):
            view = memoryview(block).cast("B")
            written = 0
            while written < len(view):
                written += self.file.write(view[written:])
            self.end += len(view)
        if sync:
            os.fsync(self.file.fileno())
        return self.end

    def finish(self) -> None:
        """Give the file its name."""
        os.fsync(self.file.fileno())
        self.file.close()
        give_name(self.partial, self.path)

    def close(self) -> None:
        """Leave the file as it is."""
        self.file.close()
