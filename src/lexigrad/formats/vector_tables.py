"""Word vectors as tables: NumPy's `.npz` (arrays `words` and `vectors`), Arrow and Parquet (columns `word` and `vector`)."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError
from lexigrad.formats.native import replacing
from lexigrad.text.words import encoded

Found = tuple[Sequence[Any], NDArray[np.float32]]


def write_npz(path: str | os.PathLike[str], words: Sequence[Any], vectors: NDArray[np.float32]) -> None:
    """Write the arrays `words` and `vectors`."""
    with replacing(Path(path)) as file:
        np.savez(file, words=np.array(list(words)), vectors=vectors)


def read_npz(path: str | os.PathLike[str]) -> Found:
    """Read the arrays `words` and `vectors`; nothing in them is run."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            words, vectors = file["words"], file["vectors"]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
    ) as error:
        raise FormatError(f"{name}: expected arrays 'words' and 'vectors' ({error})") from None
    if words.dtype.kind not in "Ui" or words.ndim != 1:
        raise FormatError(f"{name}: 'words' is {words.dtype} {words.shape}, expected a column of text or whole numbers")
    return _checked(name, words.tolist(), vectors)


def _table(words: Sequence[Any], vectors: NDArray[np.float32]) -> Any:
    import pyarrow as pa

    listed = list(words)
    try:
        column = pa.array(listed)
    except UnicodeEncodeError:  # bytes that are no UTF-8
        column = pa.array(encoded(listed), pa.binary())
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    return pa.table({"word": column, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def write_arrow(path: str | os.PathLike[str], words: Sequence[Any], vectors: NDArray[np.float32]) -> None:
    """Write an Arrow file."""
    import pyarrow as pa

    table = _table(words, vectors)
    with replacing(Path(path)) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def write_parquet(path: str | os.PathLike[str], words: Sequence[Any], vectors: NDArray[np.float32]) -> None:
    """Write a Parquet file."""
    import pyarrow.parquet as pq

    with replacing(Path(path)) as file:
        pq.write_table(_table(words, vectors), file)


def read_arrow(path: str | os.PathLike[str]) -> Found:
    """Read the columns `word` and `vector` of an Arrow file."""
    import pyarrow as pa

    def table(name: str) -> Any:
        with pa.OSFile(name) as file:
            return pa.ipc.open_file(file).read_all()

    return _read(os.fspath(path), table)


def read_parquet(path: str | os.PathLike[str]) -> Found:
    """Read the columns `word` and `vector` of a Parquet file."""
    import pyarrow.parquet as pq

    return _read(os.fspath(path), pq.read_table)


def _read(name: str, table_of: Callable[[str], Any]) -> Found:
    """Return words and vectors of a file; whatever is wrong in it is a `FormatError`."""
    import pyarrow as pa

    try:
        table = table_of(name)
        table.validate(full=True)
        return _columns(name, table)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{name} is damaged: {error}") from None


def _columns(name: str, table: Any) -> Found:
    import pyarrow as pa

    if not {"word", "vector"} <= set(table.column_names):
        raise FormatError(
            f"{name} holds no classifier and no word vectors, which are columns 'word' and 'vector': it has {', '.join(table.column_names)}"
        )
    vector = table.column("vector").combine_chunks()
    kind = vector.type
    lists = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not lists or not pa.types.is_floating(kind.value_type) or vector.null_count or table.column("word").null_count:
        raise FormatError(f"{name}: 'vector' is {kind}, expected lists of numbers without gaps")
    flat = vector.flatten().to_numpy(zero_copy_only=False)
    if not len(table) or len(flat) % len(table) or not len(flat):
        raise FormatError(f"{name}: its vectors have different lengths, or there are none")
    if not pa.types.is_fixed_size_list(kind) and len(set(vector.value_lengths().to_pylist())) != 1:
        raise FormatError(f"{name}: its vectors have different lengths")
    words = [
        word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word
        for word in table.column("word").to_pylist()
    ]
    return _checked(name, words, flat.reshape(len(table), -1))


def _checked(name: str, words: Sequence[Any], vectors: NDArray[Any]) -> Found:
    if vectors.ndim != 2 or len(vectors) != len(words) or vectors.dtype.kind != "f" or not vectors.size:
        raise FormatError(
            f"{name}: expected a vector a word, got {len(words):,} words and vectors {vectors.shape} {vectors.dtype}"
        )
    if not np.isfinite(vectors).all():
        raise FormatError(f"{name}: some numbers are not finite")
    return words, np.ascontiguousarray(vectors, np.float32)
