"""All the ways to hand over texts: each gives the same batches, and each kind of bad input has its own outcome."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from lexigrad.errors import DataError, ParameterError
from lexigrad.text.batches import TextBatch
from lexigrad.text.files import read_lines
from lexigrad.text.sources import read_file, read_table, read_texts
from tests.oracles import lines as oracle

TEXTS = ["reset my pin", "", "naïve “quotes”, and commas", "\u6771\u4eac\u30bf\u30ef\u30fc \U0001f44d", "the last one"]
LABELS = ["bank", "other", "bank", "place", "a label with spaces"]
LINE_LABELS = ["bank", "other", "bank", "place", "other"]  # fastText lines have no labels with spaces
COMPRESSIONS = ["", ".gz", ".bz2", ".xz", ".zst"]

Pair = tuple[bytes, list[Any]]


def texts_of(batches: Iterator[TextBatch]) -> list[bytes]:
    return [text for text, _ in pairs_of(batches)]


def labels_of(batches: Iterator[TextBatch]) -> list[list[Any]]:
    return [labels for _, labels in pairs_of(batches)]


def pairs_of(batches: Iterator[TextBatch]) -> list[Pair]:
    """Each text with its labels; [] as well where there are no labels at all."""
    return [pair for batch in batches for pair in pairs_of_batch(batch)]


def pairs_of_batch(batch: TextBatch) -> list[Pair]:
    assert batch.data.dtype == np.uint8
    assert batch.offsets.dtype == np.int64
    assert len(batch.lines) == len(batch)
    texts = [batch.data[a:b].tobytes() for a, b in itertools.pairwise(batch.offsets)]
    column = batch.labels
    if column is None:
        return [(text, []) for text in texts]
    assert column.ids.dtype == np.int32
    assert len(column.offsets) == len(batch) + 1
    assert column.offsets[0] == 0
    assert column.offsets[-1] == len(column.ids)
    assert len(set(column.values)) == len(column.values)
    labels = [[column.values[i] for i in column.ids[a:b]] for a, b in itertools.pairwise(column.offsets)]
    return list(zip(texts, labels, strict=True))


def expected(texts: list[str] = TEXTS, labels: list[Any] = LABELS) -> list[Pair]:
    return [(text.encode(), [label]) for text, label in zip(texts, labels, strict=True)]


def compressed(path: Path, content: bytes) -> Path:
    """Write a file, compressed as its extension says."""
    if path.suffix == ".zst":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(content)
        return path
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "wb") as stream:
        stream.write(content)
    return path


def fails(match: str) -> Any:
    return pytest.raises(DataError, match=match)


# --- one contract: the same five texts, however they are given ---------------------------------------------------------


class ArrayOnly:
    """Something with nothing but the Arrow PyCapsule interface of one array."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self.array.__arrow_c_array__(requested_schema)


class StreamOnly:
    """The same for a stream."""

    def __init__(self, column: Any) -> None:
        self.column = column

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.column.__arrow_c_stream__(requested_schema)


def sliced(values: list[str]) -> pa.Array:
    return pa.array(["before", *values, "after"]).slice(1, len(values))


def view_dictionary(values: list[str]) -> pa.Array:
    """What a polars category column becomes."""
    words = sorted(set(values))
    return pa.DictionaryArray.from_arrays([words.index(value) for value in values], pa.array(words, pa.string_view()))


COLUMNS: dict[str, Callable[[list[str]], Any]] = {
    "list": list,
    "tuple": tuple,
    "generator": lambda values: (value for value in values),
    "numpy str": np.array,
    "numpy object": lambda values: np.array(values, object),
    "pandas": pd.Series,
    "pandas object": lambda values: pd.Series(values, dtype=object),
    "pandas pyarrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "pandas category": lambda values: pd.Series(values, dtype="category"),
    "pandas reversed index": lambda values: pd.Series(values, index=range(len(values))[::-1]),
    "arrow string": pa.array,
    "arrow large_string": lambda values: pa.array(values, pa.large_string()),
    "arrow string_view": lambda values: pa.array(values, pa.string_view()),
    "arrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "arrow dictionary of views": view_dictionary,
    "arrow sliced": sliced,
    "arrow chunked": lambda values: pa.chunked_array([values[:2], [], values[2:]], pa.string()),
    "arrow array interface": lambda values: ArrayOnly(pa.array(values)),
    "arrow stream interface": lambda values: StreamOnly(pa.chunked_array([values[:3], values[3:]])),
}
BINARY_COLUMNS: dict[str, Callable[[list[bytes]], Any]] = {
    "list of bytes": list,
    "numpy object": lambda values: np.array(values, object),
    "arrow binary": lambda values: pa.array(values, pa.binary()),
    "arrow large_binary": lambda values: pa.array(values, pa.large_binary()),
    "arrow binary_view": lambda values: pa.array(values, pa.binary_view()),
    "arrow dictionary": lambda values: pa.array(values, pa.binary()).dictionary_encode(),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_texts_in_memory(kind: str) -> None:
    batches = list(read_texts(COLUMNS[kind](TEXTS), LABELS))
    assert pairs_of(iter(batches)) == expected()
    assert [line for batch in batches for line in batch.lines] == [0, 1, 2, 3, 4]
    assert {batch.name for batch in batches} == {"texts"}


@pytest.mark.parametrize("kind", BINARY_COLUMNS)
def test_bytes_in_memory_are_kept_byte_for_byte(kind: str) -> None:
    values = [b"a\xff\xc3", b"", b"\x00b"]
    assert texts_of(read_texts(BINARY_COLUMNS[kind](values))) == values


@pytest.mark.parametrize("kind", COLUMNS)
def test_labels_in_memory(kind: str) -> None:
    assert pairs_of(read_texts(TEXTS, COLUMNS[kind](LABELS))) == expected()


def test_texts_without_labels() -> None:
    (batch,) = read_texts(TEXTS)
    assert batch.labels is None
    assert texts_of(iter([batch])) == [text.encode() for text in TEXTS]


def test_no_texts_are_no_batches() -> None:
    assert not list(read_texts([]))
    assert not list(read_texts(pa.array([], pa.null()), []))
    assert not list(read_table(pa.table({"text": pa.array([], pa.string())}), label=None))


TABLES: dict[str, Callable[[pa.Table], Any]] = {
    "table": lambda table: table,
    "table in batches": lambda table: pa.Table.from_batches(table.to_batches(max_chunksize=2)),
    "record batch": lambda table: table.combine_chunks().to_batches()[0],
    "reader": lambda table: table.to_reader(max_chunksize=2),
    "stream interface": StreamOnly,
    "pandas": lambda table: table.to_pandas(),
    "dict": lambda table: table.to_pydict(),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind: str) -> None:
    table = pa.table({"id": range(5), "intent": LABELS, "body": TEXTS})
    batches = list(read_table(TABLES[kind](table), text="body", label="intent"))
    assert pairs_of(iter(batches)) == expected()
    assert [line for batch in batches for line in batch.lines] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_without_the_column_lists_those_it_has(kind: str) -> None:
    table = pa.table({"id": range(5), "body": TEXTS})
    with fails("the table has no column 'intent'; it has 'id', 'body'"):
        list(read_table(TABLES[kind](table), text="body", label="intent"))


def write_lines(path: Path, texts: list[str], labels: list[str]) -> None:
    rows = (f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True))
    compressed(path, "".join(rows).encode())


def write_separated(path: Path, texts: list[str], labels: list[str], delimiter: str = ",") -> None:
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, delimiter=delimiter)
    writer.writerow(["id", "label", "text"])
    writer.writerows((i, label, text) for i, (text, label) in enumerate(zip(texts, labels, strict=True)))
    compressed(path, rows.getvalue().encode())


def write_json(path: Path, texts: list[str], labels: list[Any]) -> None:
    rows = (json.dumps({"text": text, "label": label}) for text, label in zip(texts, labels, strict=True))
    compressed(path, "\n".join(rows).encode())


def write_arrow(path: Path, write: Callable[[pa.Table, Any], Any], texts: list[str], labels: list[Any]) -> None:
    stream = io.BytesIO()
    write(pa.table({"id": range(len(texts)), "label": labels, "text": texts}), stream)
    compressed(path, stream.getvalue())


def write_ipc(table: pa.Table, stream: Any, opener: Any) -> None:
    with opener(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


COLUMN_FILES: dict[str, Callable[[Path, list[str], list[Any]], None]] = {
    ".csv": write_separated,
    ".tsv": lambda *args: write_separated(*args, "\t"),
    ".jsonl": write_json,
    ".ndjson": write_json,
    ".json-lines": write_json,
    ".parquet": lambda path, *args: write_arrow(path, pq.write_table, *args),
    ".feather": lambda path, *args: write_arrow(path, feather.write_feather, *args),
    ".arrow": lambda path, *args: write_arrow(path, lambda t, s: write_ipc(t, s, pa.ipc.new_file), *args),
    ".stream.arrow": lambda path, *args: write_arrow(path, lambda t, s: write_ipc(t, s, pa.ipc.new_stream), *args),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", COLUMN_FILES)
def test_files_with_columns(tmp_path: Path, kind: str, compression: str) -> None:
    path = tmp_path / f"data{kind}{compression}"
    COLUMN_FILES[kind](path, TEXTS, LABELS)
    batches = list(read_file(path))
    assert pairs_of(iter(batches)) == expected()
    assert {batch.name for batch in batches} == {str(path)}
    first = {".csv": 2, ".tsv": 2, ".jsonl": 1, ".ndjson": 1, ".json-lines": 1}.get(kind, 0)
    assert [line for batch in batches for line in batch.lines] == list(range(first, first + 5))
    assert pairs_of(read_file(str(path), label=None)) == [(text.encode(), []) for text in TEXTS]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_fasttext_files(tmp_path: Path, compression: str) -> None:
    path = tmp_path / f"data.txt{compression}"
    write_lines(path, TEXTS, LINE_LABELS)
    (batch,) = read_file(path)
    assert [(text.strip(), labels) for text, labels in pairs_of_batch(batch)] == expected(labels=LINE_LABELS)
    assert batch.lines.tolist() == [1, 2, 3, 4, 5]
    assert batch.labels is not None
    assert batch.labels.values == ["bank", "other", "place"]
    assert not batch.labels.several


def test_every_file_gives_what_a_list_gives_in_batches_of_any_size(tmp_path: Path) -> None:
    texts = [f"text {i} {'x' * (i % 40)}" for i in range(300)]
    labels = [f"label{i * i % 7}" for i in range(300)]
    wanted = expected(texts, labels)
    for kind, write in COLUMN_FILES.items():
        path = tmp_path / f"data{kind}"
        write(path, texts, labels)
        for batch_bytes in (1, 64, 4 << 20):
            batches = list(read_file(path, batch_bytes=batch_bytes))
            assert pairs_of(iter(batches)) == wanted, (kind, batch_bytes)
            assert np.diff(np.concatenate([batch.lines for batch in batches])).tolist() == [1] * 299
            assert len(batches) > 50 or batch_bytes > 64
    for source in (texts, iter(texts), pa.array(texts)):
        batches = list(read_texts(source, labels, batch_bytes=64))
        assert pairs_of(iter(batches)) == wanted
        assert len(batches) > 50


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(b"__label__a one\n__label__b two")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    batches = list(read_file("-"))
    assert pairs_of(iter(batches)) == [(b"           one\n", ["a"]), (b"           two", ["b"])]
    assert {batch.name for batch in batches} == {"standard input"}
    with fails("standard input is empty"):
        list(read_file("-"))


def test_a_pipe_is_read_as_it_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who types a line gets its answer before the next one."""
    reader, writer = os.pipe()
    batches = read_file("-", label=None)
    with os.fdopen(writer, "wb", buffering=0) as pipe, os.fdopen(reader, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        pipe.write(b"one\n")
        assert texts_of(iter([next(batches)])) == [b"one\n"]
        pipe.write(b"two\n")
        assert texts_of(iter([next(batches)])) == [b"two\n"]
        pipe.close()
        assert not list(batches)


# --- fastText lines ----------------------------------------------------------------------------------------------------

PIECES = [
    b"__label__",
    b"__label_",
    b"_",
    b"a",
    b"bb",
    b" ",
    b"\t",
    b"\r",
    b"\v",
    b"\f",
    b"\0",
    b"\n",
    b"\xff",
    "é".encode(),
    b"c" * 70,
]


def check_lines(tmp: Path, content: bytes, prefix: bytes, batch_bytes: int) -> None:
    path = tmp / "lines.txt"
    path.write_bytes(content)
    batches = list(read_lines(str(path), prefix, True, batch_bytes))
    rows = [row for batch in batches for row in pairs_of_batch(batch)]
    lines = oracle.split_lines(content)
    bom = b"   " if content.startswith(b"\xef\xbb\xbf") else b""
    labels = [oracle.split_line(line, prefix)[0] for line in lines]
    assert [[label.encode("utf-8", "surrogateescape") for label in found] for _, found in rows] == labels
    whole = b"".join(text for text, _ in rows)
    wanted = bom + b"\n".join(oracle.blanked(line, prefix) for line in lines)
    assert whole == wanted + (b"\n" if content.endswith(b"\n") else b"")
    assert len(whole) == len(content), "labels are blanked in place"
    assert all(text.endswith(b"\n") for text, _ in rows[:-1])
    assert [line for batch in batches for line in batch.lines] == list(range(1, len(lines) + 1))
    several = [batch.labels is not None and batch.labels.several for batch in batches]
    assert several == [any(len(found) > 1 for _, found in pairs_of_batch(batch)) for batch in batches]


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=60),
    prefix=st.sampled_from([b"__label__", b"_", b"a", "é".encode()]),
    batch_bytes=st.sampled_from([1, 7, 64, 4 << 20]),
    bom=st.booleans(),
)
def test_lines_equal_the_plain_version(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], prefix: bytes, batch_bytes: int, bom: bool
) -> None:
    content = (b"\xef\xbb\xbf" if bom else b"") + b"".join(pieces)
    if content == b"\xef\xbb\xbf":
        return
    check_lines(tmp_path_factory.getbasetemp(), content, prefix, batch_bytes)


def test_thousands_of_distinct_labels(tmp_path: Path) -> None:
    """The kernel's arrays all grow, and a label that does not fit is not lost."""
    rows = [f"w __label__{i * i % 5003}_{'y' * (i % 97)} __label__{i} z" for i in range(5000)]
    check_lines(tmp_path, "\n".join(rows).encode(), b"__label__", 4 << 20)


KNOWN_LINES = {
    b"__label__a one": (b"           one", ["a"]),
    b"one __label__a two __label__b": (b"one            two           ", ["a", "b"]),
    b"__label__a\r": (b"          \r", ["a"]),
    b"__label__a\0__label__b": (b"          \0          ", ["a", "b"]),
    b"__label__ x": (b"__label__ x", []),
    b"x__label__a": (b"x__label__a", []),
    b"__label__a__label__b": (b" " * 20, ["a__label__b"]),
    b"__label__a __label__a": (b" " * 21, ["a", "a"]),
    b"no label": (b"no label", []),
    b"__label__\xff a\xff": (b"           a\xff", ["\udcff"]),
}


@pytest.mark.parametrize("line", KNOWN_LINES)
def test_known_lines(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "one.txt"
    path.write_bytes(line)
    assert pairs_of(read_file(path)) == [KNOWN_LINES[line]]


def test_without_labels_lines_still_lose_them(tmp_path: Path) -> None:
    """What a model is asked about must not contain the answer."""
    path = tmp_path / "test.txt"
    path.write_bytes(b"__label__a one\ntwo\n")
    (batch,) = read_file(path, label=None)
    assert batch.labels is None
    assert texts_of(iter([batch])) == [b"           one\n", b"two\n"]


def test_another_prefix(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"#yes __label__no text\n")
    assert pairs_of(read_file(path, label_prefix="#")) == [(b"     __label__no text\n", ["yes"])]


@pytest.mark.parametrize("prefix", ["", " ", "a b", "\n#"])
def test_a_prefix_that_no_token_can_start_with(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ParameterError, match="label_prefix"):
        list(read_file(tmp_path / "a.txt", label_prefix=prefix))


# --- labels ------------------------------------------------------------------------------------------------------------

LABELS_IN: dict[str, tuple[Any, list[list[Any]], bool]] = {
    "int": ([3, 1, 3], [[3], [1], [3]], False),
    "bool": ([True, False, True], [[True], [False], [True]], False),
    "float": ([0.5, 1.0, 0.5], [[0.5], [1.0], [0.5]], False),
    "numpy scalars": ([np.int64(3), np.int32(1), 2], [[3], [1], [2]], False),
    "numpy int32": (np.array([3, 1, 3], np.int32), [[3], [1], [3]], False),
    "numpy uint64": (np.array([2**63, 1, 1], np.uint64), [[2**63], [1], [1]], False),
    "numpy bool": (np.array([True, False, True]), [[True], [False], [True]], False),
    "null": (["a", None, "b"], [["a"], [], ["b"]], False),
    "int and null": ([1, None, 2], [[1], [], [2]], False),
    "pandas NaN": (pd.Series([1.0, np.nan, 2.0]), [[1.0], [], [2.0]], False),
    "pandas Int64": (pd.Series([1, None, 2], dtype="Int64"), [[1], [], [2]], False),
    "none at all": ([None, None, None], [[], [], []], False),
    "lists": ([["a", "b"], [], ["b"]], [["a", "b"], [], ["b"]], True),
    "tuples and null": ([("a", "b"), None, ("b",)], [["a", "b"], [], ["b"]], True),
    "lists of int": ([[1], [2, 1], []], [[1], [2, 1], []], True),
    "null in a list": ([["a", None], [None], ["b"]], [["a"], [], ["b"]], True),
    "numpy object of lists": (np.array([["a"], ["a", "b"], []], object), [["a"], ["a", "b"], []], True),
    "arrow list": (pa.array([["a", "b"], None, ["b"]]), [["a", "b"], [], ["b"]], True),
    "arrow large_list": (pa.array([[1], [1, 2], []], pa.large_list(pa.int8())), [[1], [1, 2], []], True),
    "arrow fixed list": (pa.array([[1, 2], None, [2, 3]], pa.list_(pa.int64(), 2)), [[1, 2], [], [2, 3]], True),
    "arrow sliced lists": (pa.array([["z"], ["a"], [], ["b", "a"]]).slice(1), [["a"], [], ["b", "a"]], True),
    "arrow chunked lists": (pa.chunked_array([[["a"]], [[], ["b"]]]), [["a"], [], ["b"]], True),
    "pandas of lists": (pd.Series([["a"], [], ["b", "a"]]), [["a"], [], ["b", "a"]], True),
    "generator": ((label for label in "aba"), [["a"], ["b"], ["a"]], False),
}


@pytest.mark.parametrize("kind", LABELS_IN)
def test_labels_keep_their_type(kind: str) -> None:
    given_labels, wanted, several = LABELS_IN[kind]
    (batch,) = read_texts(["x", "y", "z"], given_labels)
    found = labels_of(iter([batch]))
    assert found == wanted
    assert [[type(label) for label in row] for row in found] == [[type(label) for label in row] for row in wanted]
    assert batch.labels is not None
    assert batch.labels.several is several


def test_distinct_labels_are_in_order_of_first_use() -> None:
    (batch,) = read_texts(["1", "2", "3", "4"], ["b", "c", "b", "a"])
    assert batch.labels is not None
    assert batch.labels.values == ["b", "c", "a"]
    assert batch.labels.ids.tolist() == [0, 1, 0, 2]


BAD_LABELS: dict[str, tuple[Any, str]] = {
    "mixed": ([1, "a", 2], "labels must be of one type"),
    "int and float": ([1, 2.5, 3], "float and int are mixed"),
    "bool and float": ([1.5, True, 2.0], "float and bool are mixed"),
    "bool and int": ([True, 2, 3], "labels must be of one type"),
    "list and scalar": ([["a"], "b", "c"], "labels must be of one type"),
    "lists of int and float": ([[1], [1.5], []], "float and int are mixed"),
    "too large": ([2**70, 1, 2], "too large"),
    "half a surrogate pair": (["\ud800", "a", "b"], "surrogates not allowed"),
    "dicts": ([{"a": 1}] * 3, "labels are struct"),
    "bytes": ([b"a", b"b", b"c"], "labels are binary"),
    "dates": (np.array([1, 2, 3], "M8[s]"), "labels are timestamp"),
    "lists of lists": ([[["a"]]] * 3, "labels are list"),
    "two axes": (np.zeros((3, 2)), "labels must be of one type, one per text"),
    "one str": ("abc", "one str was given"),
    "set": ({"a", "b", "c"}, "one set was given"),
    "dict": ({"a": 1, "b": 2, "c": 3}, "one dict was given"),
    "number": (5, "not iterable"),
    "invalid UTF-8": (pa.array([b"\xff", b"a", b"b"]).view(pa.string()), "not valid UTF-8"),
}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_bad_labels(kind: str) -> None:
    labels, message = BAD_LABELS[kind]
    with fails(f"^labels: .*{message}"):
        list(read_texts(["x", "y", "z"], labels))


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], np.arange(3), []])
@pytest.mark.parametrize("texts", [list, iter, pa.array])
def test_labels_of_another_length(texts: Any, labels: Any) -> None:
    with fails("but .* labels were given|more texts than the"):
        list(read_texts(texts(["x", "y"]), labels))


# --- bad texts ---------------------------------------------------------------------------------------------------------

BAD_TEXTS: dict[str, tuple[Any, str]] = {
    "one str": ("a text", "^texts: one str was given .* put it into a list"),
    "one bytes": (b"a text", "^texts: one bytes was given"),
    "None": (None, "not NoneType"),
    "number": (5, "not int"),
    "numbers": (["a", 1], "^texts, row 1: expected a text, not int"),
    "null": (["a", "b", None], "^texts, row 2: the text is missing"),
    "null far on": (["a"] * 20_000 + [None], "^texts, row 20000: the text is missing"),
    "number far on": (["a"] * 20_000 + [1.5], "^texts, row 20000: expected a text, not float"),
    "half a surrogate pair": (["a", "\udc80"], "^texts, row 1: the text holds half a surrogate pair"),
    "half a pair, pandas": (pd.Series(["a", "\udc80"], dtype=object), "^texts, row 1: the text holds half a surrogate"),
    "str and bytes": (["a", b"\xff"], "texts and bytes are mixed"),
    "arrow null": (pa.array(["a", None]), "^texts, row 1: the text is missing"),
    "arrow null, sliced": (pa.array([None, "a", None]).slice(1), "^texts, row 1: the text is missing"),
    "arrow null, second chunk": (pa.chunked_array([["a", "b"], ["c", None]]), "^texts, row 3: the text is missing"),
    "arrow dictionary null": (pa.array(["a", None]).dictionary_encode(), "^texts, row 1: the text is missing"),
    "all null": (pa.array([None, None]), "^texts, row 0: the text is missing"),
    "pandas NaN": (pd.Series(["a", np.nan]), "^texts, row 1: the text is missing"),
    "pandas of objects": (pd.Series(["a", 1], dtype=object), "^texts, row 1: expected a text, not int"),
    "arrow numbers": (pa.array([1, 2]), "a column of int64 was given"),
    "two axes": (np.array([["a", "b"]]), "an array of 2 axes"),
    "no axis": (np.array("a"), "an array of 0 axes"),
    "dict": ({"text": ["a"]}, "a dict was given where one column"),
    "frame": (pd.DataFrame({"text": ["a"]}), "a DataFrame was given where one column"),
    "table": (pa.table({"text": ["a"]}), "a Table was given where one column"),
}


@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_bad_texts(kind: str) -> None:
    texts, message = BAD_TEXTS[kind]
    with fails(message):
        list(read_texts(texts))


BAD_TABLES: dict[str, tuple[Any, str]] = {
    "list": (["a"], "expected a table with named columns, not list"),
    "name": ("a.csv", "expected a table with named columns, not str"),
    "lengths": ({"text": ["a", "b"], "label": ["x"]}, "2 texts but 1 labels"),
    "mixed labels": ({"text": ["a", "b"], "label": ["x", 1]}, "table: labels must be of one type"),
    "mixed texts": (pd.DataFrame({"text": ["a", 1], "label": ["x", "y"]}), "table, row 1: expected a text, not int"),
    "null text": (pa.table({"text": ["a", None], "label": ["x", "y"]}), "table, row 1: the text is missing"),
    "twice": (pa.table([["a"], ["b"], ["c"]], ["text", "text", "label"]), "more than one column 'text'"),
    "pandas twice": (
        pd.DataFrame([["a", "b", "c"]], columns=["text", "label", "label"]),
        "more than one column 'label'",
    ),
    "numbers": (pa.table({"text": [1], "label": ["x"]}), "table: a column of int64 was given"),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_bad_tables(kind: str) -> None:
    table, message = BAD_TABLES[kind]
    with fails(message):
        list(read_table(table))


def test_one_column_may_be_text_and_label(tmp_path: Path) -> None:
    table = pa.table({"word": ["a", "b"]})
    pq.write_table(table, tmp_path / "w.parquet")
    for batches in (
        read_table(table, text="word", label="word"),
        read_file(tmp_path / "w.parquet", text="word", label="word"),
    ):
        assert pairs_of(batches) == [(b"a", ["a"]), (b"b", ["b"])]


# --- bad files ---------------------------------------------------------------------------------------------------------

BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty.txt": (b"", "empty.txt is empty: expected one text per line"),
    "empty.csv": (b"", "empty.csv is empty: expected a first line"),
    "empty.jsonl": (b"", "empty.jsonl has no rows"),
    "empty.parquet": (b"", "empty.parquet cannot be read"),
    "empty.arrow": (b"", "empty.arrow cannot be read"),
    "blank.jsonl": (b"\n \r\n", "blank.jsonl has no rows"),
    "header.csv": (b"text,label\n", "header.csv has no rows"),
    "columns.csv": (b"a,b\n1,2\n", "columns.csv has no column 'text'; it has 'a', 'b'"),
    "label.csv": (b"text,b\n1,2\n", "label.csv has no column 'label'; it has 'text', 'b'"),
    "twice.csv": (b"text,label,text\n1,2,3\n", "twice.csv has more than one column 'text'"),
    "fields.csv": (b'text,label\n"two\nlines",a\nb\n', "fields.csv:4: 1 fields, but the first line names 2 columns"),
    "more.csv": (b"text,label\n\na, b,c\n", "more.csv:3: 3 fields"),
    "unclosed.csv": (b'text,label\na,b\n"c,d\n', "unclosed.csv:3: unexpected end of data"),
    "after.csv": (b'text,label\n"a"b,c\n', "after.csv:2: ',' expected after"),
    "bad.jsonl": (b'{"text": "a", "label": 1}\n{"text": \n', "bad.jsonl:2: not JSON"),
    "windows.jsonl": (b'{"text": "a", "label": 1}\r\n' * 3 + b"{}}\r\n", "windows.jsonl:4: not JSON"),
    "deep.jsonl": (b"[" * 100_000, "deep.jsonl:1: not JSON"),
    "array.jsonl": (b"[1]\n", "array.jsonl:1: expected a JSON object with 'text', not list"),
    "nokey.jsonl": (b'{"body": "a", "label": 1}\n', "nokey.jsonl:1: there is no 'text'; there is 'body', 'label'"),
    "nolabel.jsonl": (b'{"text": "a", "label": 1}\n\n{"text": "b"}\n', "nolabel.jsonl:3: there is no 'label'"),
    "number.jsonl": (b'{"text": 1, "label": 1}\n', "number.jsonl:1: 'text' is int, expected a text"),
    "null.jsonl": (b'{"text": null, "label": 1}\n', "null.jsonl:1: 'text' is NoneType"),
    "half.jsonl": (rb'{"text": "a \ud800", "label": 1}', "half.jsonl:1: the text holds half a surrogate pair"),
    "mixed.jsonl": (b'{"text":"a","label":1}\n{"text":"b","label":"c"}', "mixed.jsonl:2: .* not int and str"),
    "float.jsonl": (b'{"text":"a","label":1}\n{"text":"b","label":2.5}', "float.jsonl:2: .* not float and int"),
    "lists.jsonl": (
        b'{"text":"a","label":["x"]}\n{"text":"b","label":"x"}',
        "lists.jsonl:2: .* not list of str and str",
    ),
    "inner.jsonl": (b'{"text":"a","label":["x", 1]}', "inner.jsonl:1: .* not list of int and list of str"),
    "object.jsonl": (b'{"text":"a","label":{"b":1}}', "object.jsonl:1: the label is {'b': 1}; expected"),
    "nested.jsonl": (b'{"text":"a","label":[["b"]]}', "nested.jsonl:1: the label is .*; expected"),
    "large.jsonl": (b'{"text":"a","label":%d}' % 2**70, "large.jsonl: labels must be of one type.*too large"),
    "foreign.parquet": (b"this is text\n" * 9, "foreign.parquet cannot be read"),
    "foreign.feather": (b"this is text\n" * 9, "foreign.feather cannot be read"),
    "plain.txt.gz": (b"this is text\n" * 9, "plain.txt.gz cannot be read"),
    "plain.csv.bz2": (b"this is text\n" * 9, "plain.csv.bz2 cannot be read"),
    "plain.jsonl.xz": (b"this is text\n" * 9, "plain.jsonl.xz cannot be read"),
    "plain.txt.zst": (b"this is text\n" * 9, "plain.txt.zst cannot be read"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with fails(message):
        list(read_file(tmp_path / name))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for name in ("none.txt", "none.csv.gz", "none.parquet"):
        with fails(f"no such file: .*{name}"):
            list(read_file(tmp_path / name))
    for name in ("folder", "folder.parquet"):
        (tmp_path / name).mkdir()
        with fails(f"{name}: there is no file with text in this folder"):
            list(read_file(tmp_path / name))


@pytest.mark.parametrize("kind", [".parquet", ".feather", ".arrow", ".stream.arrow"])
def test_column_files_without_the_column_with_null_texts_or_without_rows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"data{kind}"
    COLUMN_FILES[kind](path, TEXTS, LABELS)
    with fails(f"data{kind} has no column 'body'; it has 'id', 'label', 'text'"):
        list(read_file(path, text="body"))
    with fails(f"data{kind}: a column of int64 was given where texts are expected"):
        list(read_file(path, text="id"))
    COLUMN_FILES[kind](path, ["a", None], ["x", "y"])  # type: ignore[list-item]
    with fails(f"data{kind}, row 1: the text is missing"):
        list(read_file(path))
    table = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
    write_arrow(path, lambda _, stream: empty_file(kind, table, stream), [], [])
    with fails(f"data{kind} has no rows"):
        list(read_file(path))


def empty_file(kind: str, table: pa.Table, stream: Any) -> None:
    if kind == ".parquet":
        pq.write_table(table, stream)
    else:
        write_ipc(table, stream, pa.ipc.new_stream if kind == ".stream.arrow" else pa.ipc.new_file)


@pytest.mark.parametrize("kind", [".parquet", ".feather", ".arrow", ".stream.arrow"])
def test_damaged_column_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"data{kind}"
    COLUMN_FILES[kind](path, TEXTS * 50, LABELS * 50)
    whole = path.read_bytes()
    for size in (4, len(whole) // 3, len(whole) - 9):
        path.write_bytes(whole[:size])
        if kind == ".stream.arrow" and size > len(whole) - 10:  # an Arrow stream may end without its end mark
            continue
        with fails(f"data{kind} cannot be read to its end"):
            list(read_file(path))


def random_rows(n: int) -> list[str]:
    rng = np.random.default_rng(3)
    return [rng.bytes(24).hex() for _ in range(n)]


@pytest.mark.parametrize("compression", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("kind", [".txt", ".csv", ".jsonl"])
def test_truncated_compressed_files(tmp_path: Path, kind: str, compression: str) -> None:
    path = tmp_path / f"data{kind}{compression}"
    write = {".txt": write_lines, ".csv": write_separated, ".jsonl": write_json}[kind]
    write(path, random_rows(2000), ["a"] * 2000)
    path.write_bytes(path.read_bytes()[:-40])
    with fails(f"data{kind}{compression} cannot be read to its end"):
        list(read_file(path, batch_bytes=1000))


@pytest.mark.parametrize("compression", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_files_may_be_joined(tmp_path: Path, compression: str) -> None:
    parts = [
        compressed(tmp_path / f"{i}.txt{compression}", content).read_bytes()
        for i, content in enumerate([b"a\nb", b"c\n"])
    ]
    path = tmp_path / f"both.txt{compression}"
    path.write_bytes(b"".join(parts))
    assert texts_of(read_file(path)) == [b"a\n", b"bc\n"]


# --- good but unusual --------------------------------------------------------------------------------------------------

GOOD_FILES: dict[str, tuple[bytes, list[Pair]]] = {
    "newline.txt": (b"\n", [(b"\n", [])]),
    "bom.txt": (b"\xef\xbb\xbf__label__a b\r\n", [(b"              b\r\n", ["a"])]),
    "bom.csv": (b"\xef\xbb\xbftext,label\r\na,b\r\n", [(b"a", ["b"])]),
    "bom.jsonl": (b'\xef\xbb\xbf{"text": "a", "label": "b"}\r\n', [(b"a", ["b"])]),
    "quoted.csv": (b'label,text\n1,"a, ""b""\r\nc"\n', [(b'a, "b"\r\nc', ["1"])]),
    "unlabelled.csv": (b"text,label\na,\n,b\n", [(b"a", []), (b"", ["b"])]),
    "blank.csv": (b"text,label\n\na,b\n\n", [(b"a", ["b"])]),
    "invalid.csv": (b"text,label\na\xff,b\xff\n", [("a\ufffd".encode(), ["b\ufffd"])]),
    "invalid.jsonl": (b'{"text": "a\xff", "label": true}', [("a\ufffd".encode(), [True])]),
    "nul.csv": (b"text,label\na\0b,c\n", [(b"a\0b", ["c"])]),
    "quote.tsv": (b'text\tlabel\n"a\tb"\tc d\n', [(b"a\tb", ["c d"])]),
    "null.jsonl": (b'{"text":"a","label":null}\n{"text":"b","label":2}\n', [(b"a", []), (b"b", [2])]),
    "lists.jsonl": (b'{"text":"a","label":[]}\n{"text":"b","label":["x","y z"]}', [(b"a", []), (b"b", ["x", "y z"])]),
    "pair.jsonl": (rb'{"text":"\ud83d\udc4d \\u","label":0.5}', [("\U0001f44d \\u".encode(), [0.5])]),
    "UPPER.CSV": (b"text,label\na,b\n", [(b"a", ["b"])]),
    "no_extension": (b"__label__a,b text,label\n", [(b"             text,label\n", ["a,b"])]),
    "two.csv.txt": (b"text,label\n", [(b"text,label\n", [])]),
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_good_files(tmp_path: Path, name: str) -> None:
    content, wanted = GOOD_FILES[name]
    (tmp_path / name).write_bytes(content)
    assert pairs_of(read_file(tmp_path / name)) == wanted


def test_binary_and_list_columns_of_parquet(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array([b"a\xff", b""]), "label": [["x", "y"], []]})
    pq.write_table(table, tmp_path / "data.parquet")
    (batch,) = read_file(tmp_path / "data.parquet")
    assert pairs_of_batch(batch) == [(b"a\xff", ["x", "y"]), (b"", [])]
    assert batch.labels is not None
    assert batch.labels.several


def test_several_row_groups_of_parquet(tmp_path: Path) -> None:
    texts, labels = random_rows(500), [i % 3 for i in range(500)]
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "data.parquet", row_group_size=70)
    batches = list(read_file(tmp_path / "data.parquet"))
    assert pairs_of(iter(batches)) == expected(texts, labels)
    assert np.concatenate([batch.lines for batch in batches]).tolist() == list(range(500))


@pytest.mark.parametrize("kind", [".txt", *COLUMN_FILES])
def test_a_text_of_ten_megabytes(tmp_path: Path, kind: str) -> None:
    long = "word " * 2_000_000 + "end"
    path = tmp_path / f"data{kind}"
    (write_lines if kind == ".txt" else COLUMN_FILES[kind])(path, ["a", long, "b"], ["x", "y", "z"])
    found = pairs_of(read_file(path))
    assert [(text.strip(), labels) for text, labels in found] == [(b"a", ["x"]), (long.encode(), ["y"]), (b"b", ["z"])]


def test_line_numbers_after_the_first_block(tmp_path: Path) -> None:
    """JSONL is read in blocks of 4 MiB; the line of an error counts on over them, with either line ending."""
    row = json.dumps({"text": "x" * 1000, "label": "a"}).encode()
    for ending in (b"\n", b"\r\n"):
        path = tmp_path / "data.jsonl"
        path.write_bytes((row + ending) * 9000 + b"bad")
        with fails("data.jsonl:9001: not JSON"):
            list(read_file(path))


# --- what is not copied and not read ahead -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
def test_arrow_data_is_shared(kind: pa.DataType) -> None:
    array = pa.array(["first", "second", "third"], kind)
    (batch,) = read_texts(array.slice(1))
    assert batch.data.ctypes.data == array.buffers()[2].address
    assert texts_of(iter([batch])) == [b"second", b"third"]
    if kind in (pa.large_string(), pa.large_binary()):
        assert batch.offsets.ctypes.data == array.buffers()[1].address + 8


def test_arrow_data_is_shared_by_tables_and_interfaces() -> None:
    array = pa.array(["first", "second"])
    address = array.buffers()[2].address
    table = pa.table({"text": array})
    for batches in (
        read_table(table, label=None),
        read_table(StreamOnly(table), label=None),
        read_texts(StreamOnly(pa.chunked_array([array]))),
        read_texts(ArrayOnly(array)),
    ):
        (batch,) = batches
        assert batch.data.ctypes.data == address


def test_a_plain_arrow_file_is_mapped(tmp_path: Path) -> None:
    table = pa.table({"text": ["first", "second"]})
    with pa.ipc.new_file(str(tmp_path / "data.arrow"), table.schema) as writer:
        writer.write_table(table)
    before = pa.total_allocated_bytes()
    (batch,) = read_file(tmp_path / "data.arrow", label=None)
    assert texts_of(iter([batch])) == [b"first", b"second"]
    assert pa.total_allocated_bytes() == before


def test_generators_are_read_as_far_as_needed() -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for i in range(1000):
            taken = i + 1
            yield "x" * 1000

    batches = read_texts(texts(), batch_bytes=10_000)
    assert taken == 0
    next(batches)
    assert taken == 64
    assert sum(len(batch) for batch in batches) == 990


def test_nothing_is_opened_before_the_first_batch(tmp_path: Path) -> None:
    batches = read_file(tmp_path / "later.txt")
    (tmp_path / "later.txt").write_bytes(b"now\n")
    assert texts_of(batches) == [b"now\n"]


def test_a_compressed_file_is_read_as_far_as_needed(tmp_path: Path) -> None:
    """The end of the file is damaged, and the first batch comes all the same."""
    path = tmp_path / "data.txt.gz"
    write_lines(path, random_rows(20_000), ["a"] * 20_000)
    path.write_bytes(path.read_bytes()[:-40])
    batches = read_file(path, batch_bytes=5000)
    assert len(next(batches)) > 10
    with fails("cannot be read to its end"):
        list(batches)


# --- libraries that tests do without -----------------------------------------------------------------------------------


def test_hugging_face() -> None:
    datasets = pytest.importorskip("datasets", exc_type=ImportError)
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": LABELS, "id": range(5)})
    assert pairs_of(read_table(data)) == expected()
    assert pairs_of(read_texts(data["text"], data["label"])) == expected()
    assert pairs_of(read_table(data.select([3, 0]))) == [expected()[3], expected()[0]]
    assert pairs_of(read_table(data.to_iterable_dataset())) == expected()
    with fails("the table has no column 'q'; it has 'text', 'label', 'id'"):
        list(read_table(data, label="q"))
    with fails("the table has no column 'text'; it has 'train'"):
        list(read_table(datasets.DatasetDict(train=data)))


def test_polars() -> None:
    polars = pytest.importorskip("polars", exc_type=ImportError)
    frame = polars.DataFrame({"text": TEXTS, "label": LABELS, "tags": [[label] for label in LABELS]})
    assert pairs_of(read_table(frame)) == expected()
    assert pairs_of(read_table(frame, label="tags")) == expected()
    assert pairs_of(read_texts(frame["text"], frame["label"].cast(polars.Categorical))) == expected()
