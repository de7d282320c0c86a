"""Arrow IPC: files and streams in, files out that go on after a kill, dictionaries included."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lexigrad.errors import DataError, ParameterError
from lexigrad.scoring.forms import arrow, jsonl
from lexigrad.scoring.forms.arrow import ArrowSource, create_sink, kept_type, open_source, resume_sink
from lexigrad.scoring.forms.common import Batch

FIELDS = [pa.field("label", pa.dictionary(pa.int32(), pa.string())), pa.field("prob", pa.float32())]
LABELS = pa.array(["hq", "cc"])


def columns_of(batch: Batch) -> list[pa.Array]:
    """Scores that depend on the text alone."""
    lengths = [None if text is None else len(text) for text in batch.texts.to_pylist()]
    ids = pa.array([None if n is None else n % 2 for n in lengths], pa.int32())
    probs = pa.array([None if n is None else 1 / (1 + n) for n in lengths], pa.float32())
    return [pa.DictionaryArray.from_arrays(ids, LABELS), probs]


def scored(source: Any, sink: Any, skip: int = 0, stop: int = 10**9, keep: Any = None) -> list[dict[str, Any]]:
    """Write the parts skip..stop; return the states."""
    states = []
    for i, part in enumerate(source.parts(skip), skip):
        if i == stop:
            break
        encoder = sink.encoder(part)
        for batch in part.batches():
            encoder.add(batch, columns_of(batch), None if keep is None else keep(batch))
        states.append(json.loads(json.dumps(sink.append(encoder.finish()))))
    return states


def expected(table: pa.Table) -> list[dict[str, Any]]:
    rows = table.to_pylist()
    for row in rows:
        n = None if row["text"] is None else len(row["text"])
        row["label"] = None if n is None else LABELS[n % 2].as_py()
        row["prob"] = None if n is None else float(np.float32(1 / (1 + n)))
    return rows


def table_of(n: int = 40) -> pa.Table:
    """Columns of many types; the dictionary of one differs from batch to batch."""
    words = [None if i % 11 == 3 else f"text {i} " * (i % 5) for i in range(n)]
    first = pa.array(["x", None, "y"] * n)[: n // 2].dictionary_encode()
    second = pa.array(["z", "x", "y"] * n)[: n - n // 2].dictionary_encode()
    assert not first.dictionary.equals(second.dictionary)
    inner = pa.array([f"i{i % 3}" for i in range(n)]).dictionary_encode()
    columns = {
        "text": pa.array(words),
        "id": pa.array(range(n), pa.int16()),
        "kind": pa.chunked_array([first, second]),
        "list": pa.ListArray.from_arrays(pa.array(range(n + 1), pa.int32()), inner),
        "time": pa.array(range(n), pa.timestamp("us", "UTC")),
    }
    return pa.table(columns).replace_schema_metadata({"made": "here"})


def as_file(table: pa.Table, path: Path, rows: int = 7, **options: Any) -> None:
    unified = table.unify_dictionaries()
    with pa.ipc.new_file(str(path), unified.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(unified, max_chunksize=rows)


def as_stream(table: pa.Table, path: Path, rows: int = 7) -> None:
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def as_packed_file(table: pa.Table, path: Path) -> None:
    as_file(table, path, compression="zstd")


def squeezed(write: Callable[[pa.Table, Path], None]) -> Callable[[pa.Table, Path], None]:
    def both(table: pa.Table, path: Path) -> None:
        write(table, path)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return both


WRITERS = {
    "file.arrow": as_file,
    "stream.arrow": as_stream,
    "packed.feather": as_packed_file,
    "file.arrow.gz": squeezed(as_file),
    "stream.arrow.gz": squeezed(as_stream),
}


@pytest.fixture(params=list(WRITERS))
def source_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    WRITERS[request.param](table_of(), path)
    return path


@pytest.mark.parametrize("part_bytes", [100, 600, 1 << 24])
def test_parts_are_all_rows_in_order(source_path: Path, part_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "PART_BYTES", part_bytes)
    source = open_source(source_path, "text")
    parts = list(source.parts())
    assert (len(parts) == 1) == (part_bytes == 1 << 24)
    batches = [batch for part in parts for batch in part.batches()]
    table = table_of()
    assert [row for batch in batches for row in batch.table().to_pylist()] == table.to_pylist()
    assert np.concatenate([batch.lines for batch in batches]).tolist() == list(range(len(table)))
    assert [batch.first_row for batch in batches] == [int(batch.lines[0]) for batch in batches]
    missing = [int(batch.lines[row]) for batch in batches for row, _ in batch.bad]
    assert missing == [i for i, text in enumerate(table["text"].to_pylist()) if text is None]
    assert sum(part.n_bytes for part in parts) <= source.n_bytes
    assert sum(part.n_bytes for part in parts) > source.n_bytes // 2
    again = list(source.parts(skip=len(parts) // 2))
    assert [part.first_row for part in again] == [part.first_row for part in parts[len(parts) // 2 :]]
    source.close()


def test_files_go_on_after_a_kill(source_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "PART_BYTES", 300)
    source = ArrowSource(source_path, "text")
    path = tmp_path / "out.arrow"
    sink = create_sink(path, source.schema, FIELDS, source)
    states = scored(source, sink)
    assert len(states) > 3
    assert not path.exists()
    sink.finish()
    content = path.read_bytes()
    table = pa.ipc.open_file(path).read_all()
    assert table.to_pylist() == expected(table_of())
    assert table.schema.metadata == {b"made": b"here"}
    assert table.schema.field("kind").type == pa.dictionary(pa.int32(), pa.string())
    assert table.schema.field("list").type == pa.list_(pa.string())
    assert table.schema.field("label").type == pa.string()
    for stop in (1, 2, len(states)):
        first = create_sink(path, source.schema, FIELDS, source)
        kept = scored(source, first, stop=stop)
        first.close()
        with open(first.file.partial, "ab") as file:  # type: ignore[union-attr]
            file.write(b"half a part")
        path.unlink()
        second = resume_sink(path, kept, source.schema, FIELDS, source)
        scored(source, second, skip=stop)
        second.finish()
        assert path.read_bytes() == content
    done = resume_sink(path, states, source.schema, FIELDS, source)  # killed before the run knew that it was finished
    done.finish()
    assert path.read_bytes() == content
    assert list(tmp_path.glob(".*")) == []
    with pytest.raises(DataError, match="start again"):
        resume_sink(path, states[:1], source.schema, FIELDS, source)


def test_rows_are_dropped_by_keep(source_path: Path, tmp_path: Path) -> None:
    source = open_source(source_path, "text")
    for name, keep in (("some", lambda n: n % 3 == 1), ("none", lambda n: n < 0)):
        path = tmp_path / f"{name}.arrow"
        sink = create_sink(path, source.schema, FIELDS, source)
        scored(source, sink, keep=lambda batch, keep=keep: keep(batch.lines))
        sink.finish()
        rows = [row for i, row in enumerate(expected(table_of())) if keep(i)]
        assert pa.ipc.open_file(path).read_all().to_pylist() == rows


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.dictionary(pa.int8(), pa.string()), pa.null()),
    ],
    ids=str,
)
def test_texts_of_all_kinds(kind: pa.DataType, tmp_path: Path) -> None:
    values = [None, None] if pa.types.is_null(kind) else ["é", None, "", "b"]
    as_bytes = kind in (pa.binary(), pa.large_binary(), pa.binary_view())
    texts = pa.array([v.encode() if as_bytes and v is not None else v for v in values])
    array = texts.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else texts.cast(kind)
    path = tmp_path / "in.arrow"
    with pa.ipc.new_file(path, pa.schema([("text", kind)])) as writer:
        writer.write_batch(pa.record_batch([array], ["text"]))
    source = open_source(path, "text")
    out = tmp_path / "out.arrow"
    sink = create_sink(out, source.schema, FIELDS, source)
    scored(source, sink, keep=lambda batch: np.arange(len(batch.lines)) < 3)
    sink.finish()
    found = pa.ipc.open_file(out).read_all()
    assert found["text"].to_pylist() == array.to_pylist()[:3]
    assert found["prob"].null_count == array.slice(0, 3).null_count


def test_many_dictionaries_become_one_with_wider_indices(tmp_path: Path) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    schema = pa.schema([("text", pa.string()), ("kind", kind)])
    path = tmp_path / "in.arrow"
    with pa.ipc.new_stream(path, schema) as writer:
        for i in range(3):
            words = pa.array([f"w{i}-{j}" for j in range(60)] + [None, "same"]).dictionary_encode().cast(kind)
            writer.write_batch(pa.record_batch([pa.array(["a"] * 62), words], schema=schema))
    source = open_source(path, "text")
    out = tmp_path / "out.arrow"
    sink = create_sink(out, source.schema, FIELDS, source)
    scored(source, sink)
    sink.finish()
    found = pa.ipc.open_file(out).read_all()
    assert found.schema.field("kind").type == pa.dictionary(pa.int32(), pa.string())
    assert len(found["kind"].chunk(0).dictionary) == 181
    assert found["kind"].to_pylist() == pa.ipc.open_stream(path).read_all()["kind"].to_pylist()


def test_dictionaries_that_cannot_stay_become_values() -> None:
    words = pa.dictionary(pa.int8(), pa.string())
    assert kept_type(pa.struct([("a", pa.large_list(words))])) == pa.struct([("a", pa.large_list(pa.string()))])
    assert kept_type(pa.list_(words, 2)) == pa.list_(pa.string(), 2)
    assert kept_type(pa.dictionary(pa.int8(), pa.list_(pa.int8()))) == pa.list_(pa.int8())
    assert kept_type(pa.int8()) == pa.int8()


def test_rows_of_jsonl_become_columns(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "n": [1]}\n{"text": "bc", "n": null}\n')
    source = jsonl.open_source(path, "text")
    sink = create_sink(tmp_path / "out.arrow", source.columns(), FIELDS, None)
    scored(source, sink)
    sink.finish()
    table = pa.ipc.open_file(tmp_path / "out.arrow").read_all()
    assert table.select(["text", "n"]).to_pylist() == [{"text": "a", "n": [1]}, {"text": "bc", "n": None}]
    with pytest.raises(ParameterError, match="needs to know its columns"):
        create_sink(tmp_path / "out.arrow", None, FIELDS, None)
    with pytest.raises(DataError, match="a column 'prob' already"):
        create_sink(tmp_path / "out.arrow", pa.schema([("prob", pa.int8())]), FIELDS, None)


def test_what_cannot_be_read_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "in.arrow"
    with pytest.raises(DataError, match="no such file"):
        open_source(path, "text")
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is no Arrow file or stream"):
        open_source(path, "text")
    as_stream(table_of(), path)
    with pytest.raises(DataError, match="has no column 'words'"):
        open_source(path, "words")
    with pytest.raises(DataError, match="'id' is int16: expected strings or bytes"):
        open_source(path, "id")
    content = path.read_bytes()
    path.write_bytes(content[:-500])
    with pytest.raises(DataError, match="cannot be read to its end"):
        list(open_source(path, "text").parts())


@pytest.mark.parametrize("write", [as_file, as_stream])
def test_damaged_bytes_end_in_a_data_error_or_in_rows(write: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "in.arrow"
    write(table_of(30), path, rows=15)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    errors: list[str] = []
    for _ in range(150):
        damaged = bytearray(content)
        for place in rng.integers(8, len(content), 3):
            damaged[place] = rng.choice([0, 1, 127, 255])
        path.write_bytes(damaged)
        try:
            for part in open_source(path, "text").parts():
                for batch in part.batches():
                    columns_of(batch)
                    batch.table().filter(pa.array(np.arange(len(batch.lines)) % 2 == 0))
        except DataError as error:
            errors.append(str(error))
        except UnicodeDecodeError:  # texts need not be UTF-8
            pass
    assert len(errors) > 20
    assert all("in.arrow" in error for error in errors)
