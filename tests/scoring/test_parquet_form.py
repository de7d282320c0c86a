"""Parquet files as parts: what is read, what is copied, and what is written."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lexigrad.errors import DataError, LexigradError, ParameterError
from lexigrad.formats import parquet_footer as footers
from lexigrad.scoring.forms import parquet
from lexigrad.scoring.forms.common import Batch, partial_path
from lexigrad.scoring.forms.parquet import create_sink, open_source, resume_sink
from tests.formats.test_parquet_footer import FILES, many_types, written

LABELS = pa.array(["hq", "cc"])
FIELDS = [
    pa.field("label", pa.dictionary(pa.int32(), pa.string())),
    pa.field("prob", pa.float32()),
    pa.field("probs", pa.list_(pa.float32(), 3), metadata={"labels": '["a","b","c"]'}),
]


def scores(first: int, missing: np.ndarray) -> list[pa.Array]:
    """Return added columns that depend on the number of a row alone; null where the text is missing."""
    rows = np.arange(first, first + len(missing))
    label = pa.DictionaryArray.from_arrays(pa.array((rows % 2).astype(np.int32), mask=missing), LABELS)
    prob = pa.array((rows / 7).astype(np.float32), mask=missing)
    triples = pa.array(np.repeat(rows, 3).astype(np.float32))
    return [label, prob, pa.FixedSizeListArray.from_arrays(triples, 3, mask=pa.array(missing))]


def columns(batch: Batch) -> list[pa.Array]:
    return scores(batch.first_row, batch.texts.is_null().to_numpy(zero_copy_only=False))


def every_third(batch: Batch) -> np.ndarray:
    return (batch.first_row + np.arange(len(batch.texts))) % 3 == 0


def encoded_parts(source: Any, sink: Any, keep: Callable[[Batch], Any] | None = None, skip: int = 0) -> Iterator[Any]:
    for part in source.parts(skip):
        encoder = sink.encoder(part)
        for batch in part.batches():
            encoder.add(batch, columns(batch), None if keep is None else keep(batch))
        yield encoder.finish()


def score(
    given: Path, output: Path, drops: str = "none", keep: Callable[[Batch], Any] | None = None, text: str = "text"
) -> Any:
    """Score a file from one end to the other; return its source."""
    source = open_source(given, text, drops)
    sink = create_sink(output, source.schema, FIELDS, source)
    with closing(sink):
        for encoded in encoded_parts(source, sink, keep):
            sink.append(encoded, sync=False)
        sink.finish()
    return source


def expected(table: pa.Table, text: str = "text") -> pa.Table:
    """Return a table with its scores, as it is in a file."""
    missing = table.column(text).is_null().to_numpy(zero_copy_only=False)
    for field, column in zip(FIELDS, scores(0, missing), strict=True):
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        table = table.append_column(field.with_type(plain.type), plain)
    return table


def save(folder: Path, content: bytes, name: str = "in.parquet") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def group_rows(path: Path) -> list[int]:
    metadata = pq.read_metadata(path)
    return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]


NAMES = [name for name in FILES if name != "many"]


@pytest.mark.parametrize("drops", ["none", "any"])
@pytest.mark.parametrize("name", NAMES)
def test_a_scored_file_is_the_table_with_its_scores(name: str, drops: str, tmp_path: Path) -> None:
    given, output = save(tmp_path, FILES[name]), tmp_path / "out.parquet"
    source = score(given, output, drops)
    assert source.copies == (drops == "none")
    read, table = pq.read_table(output), expected(pq.read_table(given))
    assert read.equals(table)
    assert read.schema.field("probs").metadata == {b"labels": b'["a","b","c"]'}
    assert read.schema.metadata == table.schema.metadata
    assert group_rows(output) == [n for n in group_rows(given) if n]
    metadata, before = pq.read_metadata(output), pq.read_metadata(given)
    assert metadata.created_by.startswith("lexigrad version ")
    assert metadata.num_rows == before.num_rows
    for i in range(metadata.num_row_groups):
        for j in range(before.num_columns):
            old, new = before.row_group(i).column(j), metadata.row_group(i).column(j)
            assert new.compression == old.compression
            if drops == "none":
                assert new.path_in_schema == old.path_in_schema
                assert new.total_compressed_size == old.total_compressed_size
    assert not partial_path(output).exists()


@pytest.mark.parametrize("name", NAMES)
def test_copied_columns_are_the_same_bytes(name: str, tmp_path: Path) -> None:
    given, output = save(tmp_path, FILES[name]), tmp_path / "out.parquet"
    score(given, output)
    contents = FILES[name], output.read_bytes()
    one, two = (footers.read_footer(io.BytesIO(content)) for content in contents)
    for i in range(len(two.row_groups)):
        pairs = zip(*(footers.items(f.group(i), footers.COLUMNS, footers.STRUCT) for f in (one, two)), strict=False)
        for chunks in pairs:
            pages = []
            for chunk, content in zip(chunks, contents, strict=True):
                start, n_bytes = footers.chunk_span(chunk)
                pages.append(content[start : start + n_bytes])
            assert pages[0] == pages[1]
    assert open_source(output, "text", "bad").copies or name == "plain"  # what was scored can be scored again


def written_out(table: pa.Table) -> pa.Table:
    """Return a table without dictionaries, whose order may differ."""
    return table.set_column(table.column_names.index("words"), "words", table.column("words").cast(pa.string()))


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_all_types_can_come_in_pieces(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Seven rows at a time, each written at once and joined to the ones before, whatever the type."""
    monkeypatch.setattr(parquet, "MOST_ROWS", 7)
    monkeypatch.setattr(parquet, "MOST_ROWS_OF_DICTIONARY", 7)
    monkeypatch.setattr(parquet.ColumnsEncoder, "_streams", lambda *_: True)
    monkeypatch.setattr(parquet, "WRITE_BYTES", 1)
    given, output = save(tmp_path, FILES[name]), tmp_path / "out.parquet"
    source = score(given, output, "any")
    table = expected(pq.read_table(given))
    assert written_out(pq.read_table(output)).equals(written_out(table))
    assert pq.read_table(output).schema.equals(table.schema)
    assert group_rows(output) == [n for n in group_rows(given) if n]
    metadata = pq.read_metadata(output)
    for i in range(metadata.num_row_groups):
        for column in (metadata.row_group(i).column(j) for j in range(metadata.num_columns)):
            assert column.num_values >= source.rows[i]
            assert not column.has_dictionary_page
    score(given, output, "any", every_third)
    assert written_out(pq.read_table(output)).equals(written_out(table).take(np.arange(0, len(table), 3)))


def stored_schema(path: Path) -> pa.Schema:
    return pa.ipc.read_schema(pa.BufferReader(base64.b64decode(pq.read_metadata(path).metadata[b"ARROW:schema"])))


@pytest.mark.parametrize("name", ["old", "snappy"])
def test_the_arrow_schema_of_a_copied_file_goes_on(name: str, tmp_path: Path) -> None:
    """Also the zone of an INT96 time, which pyarrow does not read back but others do."""
    given, output = save(tmp_path, FILES[name]), tmp_path / "out.parquet"
    score(given, output)
    before, after = stored_schema(given), stored_schema(output)
    assert after.field("when").type == pa.timestamp("ns", "Europe/Berlin")
    assert [after.field(i) for i in range(len(before))] == list(before)
    assert after.names[len(before) :] == ["label", "prob", "probs"]
    assert after.metadata == before.metadata


@pytest.mark.parametrize(
    "stored", [b"", b"AAAA", b"no base 64", base64.b64encode(pa.schema([("other", pa.int8())]).serialize())]
)
def test_an_arrow_schema_of_other_columns_is_made_anew(stored: bytes) -> None:
    schema = pa.schema([("text", pa.string())])
    assert parquet.arrow_schema(stored, schema) is schema
    content = schema.serialize().to_pybytes().replace(b"text", b"te\xffx")
    assert parquet.arrow_schema(base64.b64encode(content), schema) is schema


@pytest.mark.parametrize("drops", ["none", "any"])
def test_a_file_without_an_arrow_schema_keeps_its_other_metadata(drops: str, tmp_path: Path) -> None:
    """Labels of a column of lists are kept in the Arrow schema, so there is one where there are such; else none is made."""
    table = pa.table({"text": ["a"], "n": [1]})
    given, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    with pq.ParquetWriter(given, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"k": "v"})
    source = open_source(given, "text", drops)
    sink = create_sink(output, source.schema, FIELDS[:2], source)
    for part in source.parts():
        encoder = sink.encoder(part)
        for batch in part.batches():
            encoder.add(batch, columns(batch)[:2], None)
        sink.append(encoder.finish())
    sink.finish()
    metadata = pq.read_metadata(output).metadata
    assert metadata[b"k"] == b"v"
    assert (b"ARROW:schema" in metadata) == (drops == "any")
    assert pq.read_table(output).to_pylist() == [{"text": "a", "n": 1, "label": "hq", "prob": 0.0}]


@pytest.mark.parametrize("name", ["snappy", "zstd", "plain"])
def test_filtered_rows_are_left_out_and_row_groups_stay(name: str, tmp_path: Path) -> None:
    given, output = save(tmp_path, FILES[name]), tmp_path / "out.parquet"
    score(given, output, "any", every_third)
    table = expected(pq.read_table(given))
    assert pq.read_table(output).equals(table.take(np.arange(0, len(table), 3)))
    ends = np.cumsum([0, *group_rows(given)])
    assert group_rows(output) == [sum(i % 3 == 0 for i in range(a, b)) for a, b in itertools.pairwise(ends)]


def test_a_file_whose_rows_are_all_dropped_is_a_valid_one(tmp_path: Path) -> None:
    given, output = save(tmp_path, FILES["snappy"]), tmp_path / "out.parquet"
    score(given, output, "any", lambda batch: np.zeros(len(batch.texts), bool))
    assert pq.read_table(output).equals(expected(pq.read_table(given)).slice(0, 0))
    assert group_rows(output) == []
    no_parts = tmp_path / "no parts.parquet"
    assert list(open_source(output, "text", "none").parts()) == []
    source = open_source(
        save(tmp_path, written(pa.table({"text": pa.array([], pa.string())})), "b.parquet"), "text", "none"
    )
    sink = create_sink(no_parts, source.schema, FIELDS, source)
    sink.finish()
    assert pq.read_table(no_parts).equals(expected(pa.table({"text": pa.array([], pa.string())})))


def test_empty_row_groups_are_left_out(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b"]})
    with pq.ParquetWriter(tmp_path / "in.parquet", table.schema) as writer:
        for piece in (table.slice(0, 0), table, table.slice(0, 0), table.slice(1)):
            writer.write_table(piece)
    assert group_rows(tmp_path / "in.parquet") == [0, 2, 0, 1]
    for drops in ("none", "any"):
        score(tmp_path / "in.parquet", tmp_path / "out.parquet", drops)
        assert group_rows(tmp_path / "out.parquet") == [2, 1]
        assert pq.read_table(tmp_path / "out.parquet").equals(expected(pq.read_table(tmp_path / "in.parquet")))


def test_rows_without_a_text_are_bad(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "c", None], "n": range(4)})
    given, output = save(tmp_path, written(table, row_group_size=3)), tmp_path / "out.parquet"
    batches = [batch for part in open_source(given, "text").parts() for batch in part.batches()]
    assert [batch.bad for batch in batches] == [
        [(1, "the text is missing (null)")],
        [(0, "the text is missing (null)")],
    ]
    assert [batch.lines.tolist() for batch in batches] == [[0, 1, 2], [3]]
    assert [batch.first_row for batch in batches] == [0, 3]
    assert [batch.table().column("n").to_pylist() for batch in batches] == [[0, 1, 2], [3]]
    assert not open_source(given, "text", "bad").copies  # they may have to be dropped
    assert score(given, output, "none").copies
    assert pq.read_table(output).equals(expected(table))
    score(given, output, "bad", lambda batch: batch.texts.is_valid().to_numpy(zero_copy_only=False))
    assert pq.read_table(output).equals(expected(table).take([0, 2]))


def test_rows_of_a_copied_part_cannot_be_dropped(tmp_path: Path) -> None:
    source = open_source(save(tmp_path, FILES["snappy"]), "text", "none")
    sink = create_sink(tmp_path / "out.parquet", source.schema, FIELDS, source)
    with pytest.raises(DataError, match="are to be dropped"):
        list(encoded_parts(source, sink, every_third))
    part = next(source.parts())
    with pytest.raises(DataError, match="100 rows, 0 were scored"):
        sink.encoder(part).finish()
    with pytest.raises(ParameterError, match="was opened to be copied"):
        next(part.batches()).table()
    with pytest.raises(ParameterError, match="drops='some'"):
        open_source(tmp_path / "in.parquet", "text", "some")
    sink.close()


KINDS = [
    *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
    pa.dictionary(pa.int8(), pa.string()),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("drops", ["none", "any"])
def test_texts_of_any_type(kind: pa.DataType, drops: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parquet, "MOST_ROWS", 4)
    monkeypatch.setattr(parquet, "MOST_ROWS_OF_DICTIONARY", 4)
    texts = pa.array(["naïve", "", "東京", None] * 10).cast(pa.large_binary())
    array = (
        texts.cast(kind) if not pa.types.is_dictionary(kind) else texts.cast(pa.string()).dictionary_encode().cast(kind)
    )
    table = pa.table({"text": array})
    given, output = save(tmp_path, written(table, row_group_size=15)), tmp_path / "out.parquet"
    source = score(given, output, drops)
    read = [
        text
        for part in source.parts()
        for batch in part.batches()
        for text in batch.texts.cast(pa.large_binary()).to_pylist()
    ]
    assert read == texts.to_pylist()
    assert pq.read_table(output).equals(expected(pq.read_table(given)))
    score(given, output, "any", every_third)
    assert pq.read_table(output).to_pylist() == expected(pq.read_table(given)).to_pylist()[::3]


def test_columns_without_texts_are_named(tmp_path: Path) -> None:
    given = save(tmp_path, FILES["snappy"])
    for text, message in [
        ("body", "no column 'body'; it has 'text', 'binary', 'bool'"),
        ("int8", "'int8' holds int8, not texts; texts are in 'text', 'binary', 'words', 'large'"),
        ("struct.a", "'struct.a' is within the column 'struct'"),
    ]:
        with pytest.raises(DataError, match=message):
            open_source(given, text)
    with pytest.raises(DataError, match=r"cannot be read: No such file"):
        open_source(tmp_path / "no.parquet", "text")
    with pytest.raises(DataError, match="is not a Parquet file"):
        open_source(save(tmp_path, b"hello " * 100, "b"), "text")
    source = open_source(given, "text")
    with pytest.raises(DataError, match="there is a column 'prob' already"):
        create_sink(tmp_path / "out.parquet", source.schema.append(pa.field("prob", pa.int8())), FIELDS, source)
    with pytest.raises(ParameterError, match="there is no folder"):
        create_sink(tmp_path / "no" / "out.parquet", source.schema, FIELDS, source)
    with pytest.raises(ParameterError, match="give their schema"):
        create_sink(tmp_path / "out.parquet", None, FIELDS, None)


def test_a_column_with_a_dot_in_its_name(tmp_path: Path) -> None:
    table = pa.table({"a.b": ["x", "y"], "a": [{"c": 1}, {"c": 2}]})
    given = save(tmp_path, written(table))
    for drops in ("none", "any"):
        score(given, tmp_path / "out.parquet", drops, text="a.b")
        assert pq.read_table(tmp_path / "out.parquet").equals(expected(table, "a.b"))


def long_texts(n: int) -> pa.Table:
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(5000)])
    texts = [" ".join(rng.choice(words, 600)) for _ in range(n)]
    return pa.table({"text": texts, "lang": ["en", "de"] * (n // 2), "lists": [[i, i + 1] * 20 for i in range(n)]})


@pytest.mark.parametrize("codec", ["snappy", "zstd"])
def test_columns_that_are_encoded_as_they_come_are_one_chunk(codec: str, tmp_path: Path) -> None:
    """Three megabytes of long texts in batches of a few rows: pages without a dictionary; short columns keep theirs."""
    table = long_texts(800)
    given, output = save(tmp_path, written(table, compression=codec)), tmp_path / "out.parquet"
    score(given, output, "any")
    assert pq.read_table(output).equals(expected(table))
    assert group_rows(output) == [800]
    group = pq.read_metadata(output).row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert not columns["text"].has_dictionary_page
    assert columns["text"].statistics.null_count == 0
    assert columns["text"].compression == codec.upper()
    assert columns["lang"].has_dictionary_page
    assert columns["label"].compression == codec.upper()
    assert not columns["prob"].has_dictionary_page
    assert open_source(output, "text", "bad").copies


def test_batches_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where texts grow within a row group, so that their mean says little."""
    monkeypatch.setattr(parquet, "READ_BYTES", 40_000)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 60_000)
    texts = ["x"] * 2000 + ["y" * 1000] * 500 + ["z" * 100_000]
    given = save(tmp_path, written(pa.table({"text": texts}), use_dictionary=False))
    batches = [batch for part in open_source(given, "text").parts() for batch in part.batches()]
    assert [text for batch in batches for text in batch.texts.to_pylist()] == texts
    assert all(batch.texts.nbytes <= 60_000 or len(batch.texts) == 1 for batch in batches)
    assert np.array_equal(np.concatenate([batch.lines for batch in batches]), np.arange(2501))
    assert 20 < len(batches) < 80


def test_parts_stand_for_the_bytes_of_the_file(tmp_path: Path) -> None:
    source = open_source(save(tmp_path, FILES["snappy"]), "text")
    parts = list(source.parts())
    assert (len(parts), source.n_parts, source.n_bytes) == (3, 3, len(FILES["snappy"]))
    assert 0.3 * source.n_bytes < sum(part.n_bytes for part in parts) < source.n_bytes
    assert [part.first_row for part in source.parts(skip=1)] == [100, 200]
    assert list(source.parts(skip=3)) == []


@pytest.mark.parametrize("drops", ["none", "any"])
def test_threads_make_the_same_file(drops: str, tmp_path: Path) -> None:
    given = save(tmp_path, FILES["zstd"])
    score(given, tmp_path / "one.parquet", drops)
    source = open_source(given, "text", drops)
    sink = create_sink(tmp_path / "two.parquet", source.schema, FIELDS, source)

    def encode(part: Any) -> Any:
        encoder = sink.encoder(part)
        for batch in part.batches():
            encoder.add(batch, columns(batch), None)
        return encoder.finish()

    with ThreadPoolExecutor(4) as pool:
        for encoded in pool.map(encode, source.parts()):
            sink.append(encoded)
    sink.finish()
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@pytest.mark.parametrize(("drops", "keep"), [("none", None), ("any", None), ("any", every_third)])
def test_a_run_that_goes_on_makes_the_same_file(drops: str, keep: Any, tmp_path: Path) -> None:
    """Killed after any part, with any bytes behind what its state says."""
    given, output = save(tmp_path, FILES["zstd"]), tmp_path / "out.parquet"
    score(given, output, drops, keep)
    whole = output.read_bytes()
    source = open_source(given, "text", drops)
    for done in range(source.n_parts + 1):
        output.unlink(missing_ok=True)
        sink = create_sink(output, source.schema, FIELDS, source)
        parts = encoded_parts(source, sink, keep)
        states = [json.loads(json.dumps(sink.append(encoded, sync=False))) for encoded in itertools.islice(parts, done)]
        sink.close()
        with open(partial_path(output), "ab") as file:
            file.write(os.urandom(1000 * (done % 3)))
        sink = resume_sink(output, states, source.schema, FIELDS, source)
        for encoded in encoded_parts(source, sink, keep, skip=done):
            sink.append(encoded)
        sink.finish()
        assert output.read_bytes() == whole
    again = resume_sink(
        output, [*states], source.schema, FIELDS, source
    )  # killed between the last name and the note of it
    again.finish()
    again.close()
    assert output.read_bytes() == whole


def test_a_run_cannot_go_on_with_what_is_not_there(tmp_path: Path) -> None:
    given, output = save(tmp_path, FILES["zstd"]), tmp_path / "out.parquet"
    source = open_source(given, "text", "none")
    sink = create_sink(output, source.schema, FIELDS, source)
    states = [sink.append(encoded) for encoded in encoded_parts(source, sink)]
    sink.close()
    os.truncate(partial_path(output), states[-1]["end"] - 1)
    with pytest.raises(DataError, match=r"wrote [\d,]+ bytes, but it has"):
        resume_sink(output, states, source.schema, FIELDS, source)
    partial_path(output).unlink()
    with pytest.raises(DataError, match="but it is not there"):
        resume_sink(output, states, source.schema, FIELDS, source)
    output.write_bytes(b"another file")
    with pytest.raises(DataError, match="but it is not there"):
        resume_sink(output, states, source.schema, FIELDS, source)
    assert output.read_bytes() == b"another file"


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    given = save(tmp_path, FILES["snappy"])
    source = open_source(given, "text", "none")
    sink = create_sink(tmp_path / "out.parquet", source.schema, FIELDS, source)
    encoded = list(encoded_parts(source, sink))
    os.truncate(given, 1000)
    with pytest.raises(DataError, match="has become shorter"):  # noqa: PT012 (which part does not matter)
        for part in encoded:
            sink.append(part)
    sink.close()


class Rows(Batch):
    """Rows of another form."""

    def table(self) -> pa.RecordBatch:
        return self.rows


def rows_batch(**given: Any) -> Rows:
    rows = pa.RecordBatch.from_pydict(given)
    return Rows(rows.column("text"), [], rows, 0, np.arange(len(rows)))


def test_rows_of_other_forms(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), ("tags", pa.list_(pa.string()))])
    output = tmp_path / "out.parquet"
    sink = create_sink(output, schema, FIELDS, None)
    encoder = sink.encoder(None)
    long = ["".join(map(str, range(i, i + 100))) for i in range(50)]
    for batch in (rows_batch(text=long, id=range(50)), rows_batch(id=[1], text=["b"], tags=[["x", "y"]])):
        encoder.add(batch, columns(batch), None)
    sink.append(encoder.finish())
    sink.finish()
    read = pq.read_table(output)
    assert read.column_names == ["id", "text", "tags", "label", "prob", "probs"]
    assert read.column("text").to_pylist() == [*long, "b"]
    assert read.column("tags").to_pylist() == [None] * 50 + [["x", "y"]]
    assert not pq.read_metadata(output).row_group(0).column(1).has_dictionary_page
    for bad, message in [
        ({"text": ["a"], "more": [1]}, "'more' is not among"),
        ({"text": ["a"], "id": ["one"]}, "'id' holds string that do not fit int64"),
    ]:
        with pytest.raises(DataError, match=message):
            encoder.add(rows_batch(**bad), columns(rows_batch(**bad)), None)


# ------------------------------------------------------------------------------------------------------ damaged files


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with a few changes in its footer, or cut."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    pages, footer, end = content[:start], bytearray(content[start:-8]), content[-8:]
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, len(footer)))
        what = rng.integers(6)
        if what == 0:
            footer[place] ^= 1 << rng.integers(8)
        elif what == 1:
            footer[place] = rng.integers(256)
        elif what == 2:
            del footer[place : place + int(rng.integers(1, 20))]
        elif what == 3:
            footer[place:place] = rng.bytes(int(rng.integers(1, 10)))
        elif what == 4:
            footer[place : place + 5] = b"\xff\xff\xff\xff\x07"
        elif rng.integers(4) == 0:
            return content[: int(rng.integers(0, len(content)))]
        if not footer:
            break
    if rng.integers(4):
        end = len(footer).to_bytes(4, "little") + b"PAR1"
    return pages + bytes(footer) + end


def test_damaged_footers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of 2,000 files ends in an error of ours or in a file with as many rows as were read; none takes memory."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the disk is not what is tested
    rng = np.random.default_rng(0)
    small = written(many_types(20), row_group_size=8)
    plain = written(pa.table({"text": ["a", "bb", "c"] * 5, "n": range(15)}), row_group_size=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = {"refused": 0, "copied": 0, "encoded": 0}
    output = tmp_path / "out.parquet"
    for i in range(2000):
        given = save(tmp_path, damaged(plain if i % 4 else small, rng))
        drops = ("none", "any")[i % 2]
        try:
            source = score(given, output, drops)
        except LexigradError:
            outcomes["refused"] += 1
            continue
        outcomes["copied" if source.copies else "encoded"] += 1
        texts = [text for part in source.parts() for batch in part.batches() for text in batch.texts.to_pylist()]
        with pq.ParquetFile(output) as file:
            assert file.read(columns=["text"], use_threads=False).column("text").to_pylist() == texts
            assert file.metadata.num_rows == source.metadata.num_rows
    assert min(outcomes.values()) > 50, outcomes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
