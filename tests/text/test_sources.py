"""Every way to hand over texts gives the same batches; every bad input its own sentence."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexigrad.errors import DataError
from lexigrad.text.batches import TextBatch
from lexigrad.text.sources import read_file, read_table, read_texts

TEXTS = ["good film", "", "naïve 東京, 'quoted' \"too\"", "a\tb", "last one"]
LABELS = ["pos", "neg", "pos", "two words", "neg"]

Rows = list[tuple[bytes, list[Any]]]


def rows_of(batches: Any) -> Rows:
    """Return (text without the newline of a line, labels) of each text."""
    rows = []
    for batch in batches:
        assert isinstance(batch, TextBatch)
        assert len(batch.lines) == len(batch)
        for i in range(len(batch)):
            text = batch.data[batch.offsets[i] : batch.offsets[i + 1]].tobytes().removesuffix(b"\n")
            labels: list[Any] = []
            if batch.labels is not None:
                uses = batch.labels.ids[batch.labels.offsets[i] : batch.labels.offsets[i + 1]]
                labels = [batch.labels.values[j] for j in uses]
            rows.append((text, labels))
    return rows


EXPECTED: Rows = [(text.encode(), [label]) for text, label in zip(TEXTS, LABELS, strict=True)]
ARROW = pa.array(TEXTS, pa.string())
IN_MEMORY: dict[str, Callable[[], Any]] = {
    "list": lambda: TEXTS,
    "tuple": lambda: tuple(TEXTS),
    "generator": lambda: (text for text in TEXTS),
    "bytes": lambda: [text.encode() for text in TEXTS],
    "numpy str": lambda: np.array(TEXTS),
    "numpy object": lambda: np.array(TEXTS, object),
    "pandas": lambda: pd.Series(TEXTS),
    "pandas object": lambda: pd.Series(TEXTS, dtype=object),
    "string": lambda: ARROW,
    "large_string": lambda: ARROW.cast(pa.large_string()),
    "string_view": lambda: ARROW.cast(pa.string_view()),
    "binary": lambda: ARROW.cast(pa.binary()),
    "dictionary": ARROW.dictionary_encode,
    "sliced": lambda: pa.array(["before", *TEXTS, "after"]).slice(1, 5),
    "chunked": lambda: pa.chunked_array([ARROW.slice(0, 2), pa.array([], pa.string()), ARROW.slice(2)]),
}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_texts_in_memory(kind: str) -> None:
    assert rows_of(read_texts(IN_MEMORY[kind](), LABELS)) == EXPECTED
    assert rows_of(read_texts(IN_MEMORY[kind](), LABELS, batch_bytes=4)) == EXPECTED
    assert rows_of(read_texts(IN_MEMORY[kind]())) == [(text, []) for text, _ in EXPECTED]


@pytest.mark.parametrize("kind", ["list", "numpy", "pandas", "arrow", "categorical"])
def test_labels_in_memory(kind: str) -> None:
    given: dict[str, Any] = {
        "list": LABELS, "numpy": np.array(LABELS), "pandas": pd.Series(LABELS), "arrow": pa.array(LABELS),
        "categorical": pa.array(LABELS).dictionary_encode(),
    }  # fmt: skip
    assert rows_of(read_texts(TEXTS, given[kind])) == EXPECTED


def test_lists_of_labels_and_other_types() -> None:
    lists = [["a", "b"], [], ["b"], None, ["a"]]
    assert [labels for _, labels in rows_of(read_texts(TEXTS, lists))] == [["a", "b"], [], ["b"], [], ["a"]]
    assert [labels for _, labels in rows_of(read_texts(TEXTS, [3, 1, 3, 2, 1]))] == [[3], [1], [3], [2], [1]]
    assert [labels for _, labels in rows_of(read_texts(TEXTS, [True, False, True, None, True]))][3] == []


def tables() -> dict[str, Any]:
    table = pa.table({"text": TEXTS, "label": LABELS, "other": range(5)})
    return {
        "table": table,
        "batch": table.to_batches()[0],
        "reader": table.to_reader(),
        "pandas": table.to_pandas(),
        "dict": {"text": TEXTS, "label": LABELS},
    }


@pytest.mark.parametrize("kind", list(tables()))
def test_tables(kind: str) -> None:
    assert rows_of(read_table(tables()[kind])) == EXPECTED
    with pytest.raises(DataError, match="no column 'nope'"):
        rows_of(read_table(tables()[kind], label="nope"))


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_dataset_with_a_selection() -> None:
    datasets = pytest.importorskip("datasets", reason="the extra `test` installs it")
    whole = datasets.Dataset.from_dict({"text": ["no", *TEXTS], "label": ["x", *LABELS]})
    assert rows_of(read_table(whole.select(range(1, 6)))) == EXPECTED
    chosen = whole.select(range(1, 6))
    assert rows_of(read_texts(chosen["text"], chosen["label"])) == EXPECTED


def test_arrow_data_is_not_copied() -> None:
    for array in (ARROW, ARROW.cast(pa.large_string())):
        (batch,) = read_texts(array)
        assert batch.data.ctypes.data == array.buffers()[2].address


def test_generators_are_read_lazily() -> None:
    seen = []

    def produce() -> Any:
        for i in range(100_000):
            seen.append(i)
            yield "x" * 100

    next(iter(read_texts(produce(), batch_bytes=1000)))
    assert len(seen) < 50_000


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Return the same rows as a file of each kind."""
    table = pa.table({"label": LABELS, "text": TEXTS})
    frame = table.to_pandas()
    pq.write_table(table, folder / "t.parquet")
    with pa.ipc.new_file(folder / "t.arrow", table.schema) as writer:
        writer.write_table(table)
    lines = (json.dumps({"text": text, "label": label}) for text, label in zip(TEXTS, LABELS, strict=True))
    return {
        "csv": frame.to_csv(index=False).encode(),
        "tsv": frame.to_csv(index=False, sep="\t").encode(),
        "jsonl": "\n".join(lines).encode(),
        "parquet": (folder / "t.parquet").read_bytes(),
        "arrow": (folder / "t.arrow").read_bytes(),
    }


@pytest.mark.parametrize("compression", COMPRESSORS)
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "arrow"])
def test_files_with_columns(kind: str, compression: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}{compression}"
    path.write_bytes(COMPRESSORS[compression](contents(tmp_path)[kind]))
    assert rows_of(read_file(path)) == EXPECTED
    assert rows_of(read_file(path, batch_bytes=10)) == EXPECTED
    assert rows_of(read_file(path, label=None)) == [(text, []) for text, _ in EXPECTED]
    with pytest.raises(DataError, match=r"no column 'nope'|there is no 'nope'"):
        rows_of(read_file(path, text="nope"))


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_lines(compression: str, tmp_path: Path) -> None:
    path = tmp_path / f"lines.txt{compression}"
    path.write_bytes(
        COMPRESSORS[compression](b"__label__a x y\nx __label__b z __label__c\r\n\n__label__ alone\nlast __label__a")
    )
    expected = [
        (["x", "y"], ["a"]),
        (["x", "z"], ["b", "c"]),
        ([], []),
        (["__label__", "alone"], []),
        (["last"], ["a"]),
    ]
    for batch_bytes in (1, 7, 1 << 20):
        rows = rows_of(read_file(path, batch_bytes=batch_bytes))
        assert [(text.decode().split(), labels) for text, labels in rows] == expected
    assert [labels for _, labels in rows_of(read_file(path, label=None))] == [[]] * 5
    (batch,) = read_file(path)
    assert batch.labels is not None
    assert batch.labels.several
    assert batch.lines.tolist() == [1, 2, 3, 4, 5]


PARTS = st.sampled_from(
    [b"__label__", b"__label__a", b"__label__bb", b"x", b" ", b"\t", b"\r", b"\0", "é".encode(), b"\xff", b"\n"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=40), st.integers(1, 50))
def test_lines_equal_a_plain_reading(parts: list[bytes], batch_bytes: int) -> None:
    from lexigrad.text.lines import batch_of_lines

    content = b"".join(parts)
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    expected = []
    for line in lines:
        for separator in b"\t\r\0\v\f":
            line = line.replace(bytes([separator]), b" ")
        tokens = [token for token in line.split(b" ") if token]
        is_label = [token.startswith(b"__label__") and token != b"__label__" for token in tokens]
        expected.append(
            (
                [token for token, label in zip(tokens, is_label, strict=True) if not label],
                [
                    token[9:].decode("utf-8", "surrogateescape")
                    for token, label in zip(tokens, is_label, strict=True)
                    if label
                ],
            )
        )
    batch = batch_of_lines(bytearray(content), "x", 1, b"__label__", True)
    found = []
    for text, labels in rows_of([batch]):
        for separator in b"\t\r\0\v\f":
            text = text.replace(bytes([separator]), b" ")
        found.append(([token for token in text.split(b" ") if token], labels))
    assert found == expected


def test_odd_content_that_is_fine(tmp_path: Path) -> None:
    long = "word " * 2_000_000
    (tmp_path / "long.txt").write_text(f"__label__a {long}\n__label__b x\n")
    assert [len(text) for text, _ in rows_of(read_file(tmp_path / "long.txt"))] == [len(long) + 11, 12]
    (tmp_path / "long.csv").write_text(f"text,label\n{long},a\n")
    assert rows_of(read_file(tmp_path / "long.csv")) == [(long.encode(), ["a"])]
    (tmp_path / "long.jsonl").write_text(json.dumps({"text": long, "label": "a"}))
    assert rows_of(read_file(tmp_path / "long.jsonl")) == [(long.encode(), ["a"])]
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf__label__a x\n")
    assert rows_of(read_file(tmp_path / "bom.txt"))[0][1] == ["a"]
    (tmp_path / "bom.csv").write_bytes(b'\xef\xbb\xbftext,label\r\n"two\nlines",a\r\n')
    assert rows_of(read_file(tmp_path / "bom.csv")) == [(b"two\nlines", ["a"])]
    (tmp_path / "bad.txt").write_bytes(b"__label__a \xff\xfe\n")
    assert rows_of(read_file(tmp_path / "bad.txt"))[0][0].endswith(b"\xff\xfe")
    (tmp_path / "bad.jsonl").write_bytes(b'{"text": "\xff", "label": 1}\n\n{"text": "y", "label": null}')
    assert rows_of(read_file(tmp_path / "bad.jsonl")) == [("\ufffd".encode(), [1]), (b"y", [])]


BAD_FILES = {
    "empty.txt": (b"", "empty.txt is empty"),
    "empty.csv": (b"", "empty.csv is empty"),
    "header.csv": (b"text,label\n", "header.csv has no rows"),
    "fields.csv": (b'text,label\nx,a\n"y\ny",b,c\n', r"fields.csv:3: 3 fields"),
    "quote.csv": (b'text,label\n"x,a\n', "quote.csv:"),
    "json.jsonl": (b'{"text": "x", "label": "a"}\n{"text": \n', "json.jsonl:2: not JSON"),
    "key.jsonl": (b'{"text": "x", "label": "a"}\n{"text": "y"}\n', "key.jsonl:2: there is no 'label'"),
    "type.jsonl": (b'{"text": 5, "label": "a"}\n', "type.jsonl:1: 'text' is int"),
    "list.jsonl": (b"[1]\n", "list.jsonl:1: expected a JSON object"),
    "mixed.jsonl": (
        b'{"text": "x", "label": "a"}\n{"text": "y", "label": 1}\n',
        "mixed.jsonl:2: labels must be of one type",
    ),
    "half.jsonl": (b'{"text": "\\ud800", "label": "a"}\n', "half.jsonl:1: the text holds half a surrogate"),
    "cut.txt.gz": (gzip.compress(b"__label__a x\n" * 1000)[:-10], "cut.txt.gz cannot be read"),
    "foreign.txt.xz": (b"not xz", "foreign.txt.xz cannot be read"),
    "cut.txt.bz2": (bz2.compress(b"__label__a x\n" * 1000)[:-10], "cut.txt.bz2 cannot be read"),
    "foreign.txt.zst": (b"not zstd at all", "foreign.txt.zst cannot be read"),
    "foreign.parquet": (b"PAR1 but no more", "foreign.parquet cannot be read"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(name: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        rows_of(read_file(tmp_path / name))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        rows_of(read_file(tmp_path / "missing.txt"))
    with pytest.raises(DataError, match="there is no file with text in this folder"):
        rows_of(read_file(tmp_path))


def test_a_folder_stands_for_its_files_in_order_and_several_for_each(tmp_path: Path) -> None:
    for name, text in {
        "b/2.txt": "four\n", "b/1.jsonl": '{"text": "three"}\n', "a.txt": "one\ntwo\n", "_SUCCESS": "", "b/.part": "hidden\n",
        "_logs/x.txt": "no\n", "empty.txt": "",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def texts(path: Any) -> list[bytes]:
        return [
            bytes(batch.data[batch.offsets[i] : batch.offsets[i + 1]]).strip()
            for batch in read_file(path, label=None)
            for i in range(len(batch))
        ]

    assert texts(tmp_path) == [b"one", b"two", b"three", b"four"]
    assert texts([tmp_path / "b", str(tmp_path / "a.txt")]) == [b"three", b"four", b"one", b"two"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("one text", None, "one str"),
        (5, None, "not int"),
        (["a", None], None, "row 1"),
        (["a", 5], None, "row 1: expected a text, not int"),
        (pd.Series(["a", None]), None, "row 1"),
        (pa.array([1, 2]), None, "a column of int64"),
        (["a", "\ud800"], None, "row 1: the text holds half a surrogate"),
        (np.zeros((2, 2)), None, "2 axes"),
        (pa.table({"text": ["a"]}), None, "one column"),
        (["a", "b"], ["x"], "2 texts but 1 labels"),
        ((t for t in ["a", "b"]), ["x"], "more texts than the 1 labels"),
        ((t for t in ["a"]), ["x", "y"], "1 texts but 2 labels"),
        (["a", "b"], ["x", 1], "one type"),
        (["a"], "x", "one str was given where a list of labels"),
        (["a"], [b"x"], "labels are binary"),
    ],
)
def test_bad_texts(texts: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rows_of(read_texts(texts, labels))
