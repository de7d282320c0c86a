"""JSON lines: parts, texts, spliced rows, and files that go on after a kill."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexigrad.errors import DataError
from lexigrad.scoring.forms import jsonl
from lexigrad.scoring.forms.common import Batch
from lexigrad.scoring.forms.json_values import json_rows, json_values
from lexigrad.scoring.forms.jsonl import JsonlSink, JsonlSource, create_sink, open_source, resume_sink

FIELDS = [pa.field("label", pa.dictionary(pa.int32(), pa.string())), pa.field("prob", pa.float32())]
LABELS = ['h"q', "cc é"]
WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def columns_of(batch: Batch) -> list[pa.Array]:
    """Scores that depend on the text alone."""
    lengths = [None if text is None else len(text) for text in batch.texts.to_pylist()]
    ids = pa.array([None if n is None else n % 2 for n in lengths], pa.int32())
    probs = pa.array([None if n is None else 1 / (1 + n) for n in lengths], pa.float32())
    return [pa.DictionaryArray.from_arrays(ids, pa.array(LABELS)), probs]


def scored(source: JsonlSource, sink: Any, skip: int = 0, stop: int = 10**9, keep: Any = None) -> list[dict[str, Any]]:
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


def expected(line: bytes) -> dict[str, Any]:
    row = json.loads(line)
    n = len(row["text"].encode()) if isinstance(row.get("text"), str) else None
    return {
        **row,
        "label": None if n is None else LABELS[n % 2],
        "prob": None if n is None else np.float32(1 / (1 + n)),
    }


def written(path: Path) -> list[dict[str, Any]]:
    """Read an output, probabilities as float32."""
    with jsonl.opened(str(path)) as stream:
        rows = [json.loads(line) for line in stream.read().decode().split("\n")[:-1]]
    for row in rows:
        row["prob"] = None if row["prob"] is None else np.float32(row["prob"])
    return rows


LINES = [
    b'{"id": -1, "text": "one"}',
    b'  {"text":"t\\u0077o\\n\\ud83d\\ude00" , "z": {"a": [1, {}]} }\t\r',
    b"",
    b'{"text": "", "e": {}}',
    b" \t",
    *(json.dumps({"id": i, "text": f"text {i} " * (i % 7), "n": i / 3}).encode() for i in range(60)),
    b'{"text": "' + b"long" * 500 + b'"}',
    b'{"text": "last"}',
]
ROWS = [line for line in LINES if line.strip()]


@pytest.fixture(params=list(WRITERS))
def source_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"in.jsonl{request.param}"
    write = WRITERS[request.param]
    content = b"\xef\xbb\xbf" + b"\n".join(LINES)
    half = len(content) // 2
    path.write_bytes(write(content[:half]) + write(content[half:]))  # two members, or frames
    return path


@pytest.mark.parametrize("part_bytes", [1, 7, 100, 1000, 1 << 20])
def test_parts_are_whole_lines_of_the_content(source_path: Path, part_bytes: int) -> None:
    source = JsonlSource(source_path, "text", part_bytes)
    parts = list(source.parts())
    assert b"".join(bytes(part.block) for part in parts) == b"\n".join(LINES)
    blocks = [part.block for part in parts if part.block]
    assert all(block[-1] == 10 for block in blocks[:-1])
    if source.n_parts is not None:
        assert len(parts) == source.n_parts
    assert sum(part.n_bytes for part in parts) <= source.n_bytes
    numbers = [line for part in parts for batch in part.batches() for line in batch.lines.tolist()]
    assert numbers == [i + 1 for i, line in enumerate(LINES) if line.strip()]
    for skip in (1, len(parts) - 1):
        again = list(source.parts(skip))
        assert [bytes(part.block) for part in again] == [bytes(part.block) for part in parts[skip:]]
        assert [part.first_line for part in again] == [part.first_line for part in parts[skip:]]


def test_part_sizes_do_not_depend_on_how_it_is_read(source_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = JsonlSource(source_path, "text", 300)
    before = [bytes(part.block) for part in source.parts()]
    monkeypatch.setattr(jsonl, "READ_BYTES", 3)
    assert [bytes(part.block) for part in source.parts()] == before


@pytest.mark.parametrize("suffix", WRITERS)
def test_rows_keep_their_bytes_and_get_fields(source_path: Path, tmp_path: Path, suffix: str) -> None:
    source = JsonlSource(source_path, "text", 500)
    path = tmp_path / f"out.jsonl{suffix}"
    sink = create_sink(path, None, FIELDS, source)
    states = scored(source, sink)
    assert not path.exists()
    sink.finish()
    assert written(path) == [expected(row) for row in ROWS]
    with jsonl.opened(str(path)) as stream:
        lines = stream.read().split(b"\n")
    assert lines[0] == b'{"id": -1, "text": "one", "label": "cc \xc3\xa9", "prob": 0.25}'
    assert lines[1] == (
        b'  {"text":"t\\u0077o\\n\\ud83d\\ude00" , "z": {"a": [1, {}]}, "label": "h\\"q", "prob": 0.11111111 }\t\r'
    )
    content = path.read_bytes()
    for stop in {0, 1, len(states) - 1, len(states)}:  # killed after so many parts, with bytes of the next one there
        first = create_sink(path, None, FIELDS, source)
        kept = scored(source, first, stop=stop)
        first.close()
        with open(first.file.partial, "ab") as file:  # type: ignore[union-attr]
            file.write(b"half a part")
        path.unlink()
        second = resume_sink(path, kept, None, FIELDS, source)
        scored(source, second, skip=stop)
        second.finish()
        assert path.read_bytes() == content
    done = resume_sink(path, states, None, FIELDS, source)  # killed before the run knew that it was finished
    done.finish()
    assert path.read_bytes() == content
    assert list(tmp_path.glob(".*")) == []


def test_standard_tools_read_what_is_written(tmp_path: Path) -> None:
    plain = tmp_path / "in.jsonl"
    plain.write_bytes(b"\n".join(LINES))
    for suffix, tool in ((".gz", ["gzip", "-dc"]), (".zst", ["zstd", "-dc"])):
        for keep in (None, lambda batch: np.zeros(len(batch.lines), np.bool_)):
            path = tmp_path / f"out.jsonl{suffix}"
            source = JsonlSource(plain, "text", 500)
            sink = create_sink(path, None, FIELDS, source)
            scored(source, sink, keep=keep)
            sink.finish()
            try:
                answer = subprocess.run([*tool, str(path)], capture_output=True, check=True).stdout
            except FileNotFoundError:
                pytest.skip(f"{tool[0]} is not installed")
            assert answer.count(b"\n") == (len(ROWS) if keep is None else 0)


def test_rows_are_dropped_by_keep(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(LINES))
    source = open_source(path, "text")
    out = tmp_path / "out.jsonl"
    sink = create_sink(out, None, FIELDS, source)
    scored(source, sink, keep=lambda batch: np.arange(len(batch.lines)) % 3 == 1)
    sink.finish()
    assert written(out) == [expected(row) for row in ROWS[1::3]]


BAD = [
    (b'{"text": "a"', "not JSON: Expecting ',' delimiter"),
    (b"[1]", "expected a JSON object with 'text', not list"),
    (b'{"x": 1}', "there is no 'text'; there is 'x'"),
    (b'{"text": null}', "'text' is null"),
    (b'{"text": 5}', "'text' is int, expected a text"),
    (b'{"text": "\\ud800"}', "the text holds half a surrogate pair"),
    (b"{}", "there is no 'text'; there is nothing"),
]


def test_bad_rows_say_why_and_those_that_are_objects_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"text": "good"}\n\n' + b"\n".join(line for line, _ in BAD) + b'\n{"text": "good"}\n')
    source = open_source(path, "text")
    (batch,) = next(source.parts()).batches()
    assert [row for row, _ in batch.bad] == list(range(1, 8))
    for (_, reason), (_, message) in zip(batch.bad, BAD, strict=True):
        assert message in reason
    assert batch.lines.tolist() == [1, *range(3, 11)]
    assert batch.texts.to_pylist() == [b"good", *[None] * 7, b"good"]
    batch.texts.validate(full=True)
    assert batch.rows.is_object.tolist() == [True, False, False, *[True] * 6]
    out = tmp_path / "out.jsonl"
    sink = create_sink(out, None, FIELDS, source)
    scored(source, sink)
    sink.finish()
    lines = out.read_bytes().split(b"\n")
    assert lines[1] == b'{"x": 1, "label": null, "prob": null}'
    assert lines[5] == b'{"label": null, "prob": null}'
    assert len(lines) == 8
    monkeypatch.setattr(jsonl, "EXPLAINED", 0)
    (again,) = next(source.parts()).batches()
    reasons = [reason for _, reason in again.bad]
    assert [reasons[i] for i in (0, 2, 4)] == ["not JSON", "there is no 'text'", "'text' is not a text"]


def test_a_field_of_the_new_name_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"text": "a", "b": {"label": 1}}\n\n{"text": "b", "pr\\u006fb": 1}\n')
    source = open_source(path, "text")
    sink = create_sink(tmp_path / "out.jsonl", None, FIELDS, source)
    with pytest.raises(DataError, match=r"in.jsonl:3: there is a field 'prob' already: give the model another name"):
        scored(source, sink)
    sink.close()
    with pytest.raises(DataError, match="a column 'label' already"):
        create_sink(tmp_path / "out.jsonl", pa.schema([("label", pa.string())]), FIELDS, None)


def test_lost_bytes_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there; start again"):
        resume_sink(tmp_path / "out.jsonl", [{"position": 5}], None, FIELDS, None)
    (tmp_path / ".out.jsonl.partial").write_bytes(b"123")
    with pytest.raises(DataError, match="has 3 bytes; start again"):
        resume_sink(tmp_path / "out.jsonl", [{"position": 5}], None, FIELDS, None)


def test_damaged_files_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "none.jsonl", "text")
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 100)[:-20])
    with pytest.raises(DataError, match="cannot be read to its end"):
        list(open_source(path, "text").parts())


def test_all_probabilities_are_lists(tmp_path: Path) -> None:
    fields = [pa.field("probs", pa.list_(pa.float32(), 3))]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": null}\n{}\n')
    source = open_source(path, "text")
    (part,) = source.parts()
    (batch,) = part.batches()
    sink = create_sink(tmp_path / "out.jsonl", None, fields, source)
    encoder = sink.encoder(part)
    encoder.add(batch, [pa.array([[0.5, 1, 1e-7], None, None], fields[0].type)], None)
    assert b"".join(encoder.finish().data) == (
        b'{"text": "a", "probs": [0.5, 1.0, 1e-7]}\n{"text": null, "probs": null}\n{"probs": null}\n'
    )
    sink.close()


ODD = st.sampled_from(['"', "\\", "\n", "\x00", "\x1f", "\x7f", "é", "😀", "a" * 31])
BOOLEANS = st.none() | st.lists(st.booleans(), max_size=2)
TYPES: dict[str, tuple[pa.DataType, Any]] = {
    "text": (pa.string(), st.lists(ODD | st.characters(codec="utf-8"), max_size=6).map("".join)),
    "float": (pa.float32(), st.floats(width=32)),
    "double": (pa.float64(), st.floats()),
    "whole": (pa.float64(), st.integers(-(10**17), 10**17).map(float)),
    "int": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "bool": (pa.bool_(), st.booleans()),
    "list": (pa.list_(pa.float32()), st.lists(st.none() | st.floats(width=32), max_size=3)),
    "fixed": (pa.list_(pa.string(), 2), st.lists(st.none() | ODD, min_size=2, max_size=2)),
    "struct": (pa.struct([("a b", pa.int32()), ('"', pa.large_string())]), st.fixed_dictionaries({"a b": st.integers(-5, 5), '"': ODD})),
    "deep": (pa.large_list(pa.struct([("x", pa.list_(pa.bool_()))])), st.lists(st.none() | st.fixed_dictionaries({"x": BOOLEANS}), max_size=3)),
    "null": (pa.null(), st.none()),
    "map": (pa.map_(pa.string(), pa.int64()), st.dictionaries(ODD, st.integers(0, 9), max_size=2).map(lambda d: list(d.items()))),
}  # fmt: skip


def as_json(value: Any) -> Any:
    """What a value is when JSON has been read back."""
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return dict(value)
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return {key: as_json(item) for key, item in value.items()} if isinstance(value, dict) else value


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(list(TYPES)))
def test_values_read_back(data: st.DataObject, name: str) -> None:
    kind, values = TYPES[name]
    given_values = data.draw(st.lists(st.none() | values, max_size=6))
    array = pa.array(given_values, kind)
    if data.draw(st.booleans()):
        array = pa.concat_arrays([array, array]).slice(len(array))
    texts = json_values(array).to_pylist()
    read = [json.loads(text, parse_constant=lambda _: pytest.fail("no JSON")) for text in texts]
    narrow = np.float32 if name in ("float", "list") else np.float64

    def rounded(value: Any) -> Any:
        if isinstance(value, list):
            return [rounded(item) for item in value]
        if isinstance(value, float):
            return float(narrow(value))
        assert not (name in ("float", "double", "whole", "list") and isinstance(value, int))
        return value

    wanted = [as_json(value) for value in array.to_pylist()]
    assert [rounded(value) for value in read] == [[] if name == "map" and v == {} else v for v in wanted] or (
        name == "map" and [value or [] for value in read] == [v or [] for v in wanted]
    )


def test_times_and_bytes_have_a_form() -> None:
    moment = 1577836800123456
    columns = {
        "t": pa.array([moment], pa.timestamp("us")),
        "z": pa.array([moment], pa.timestamp("us", "Europe/Paris")),
        "d": pa.array([18262], pa.date32()),
        "s": pa.array([61], pa.duration("s")),
        "b": pa.array([b"\xff\x00"], pa.binary()),
        "m": pa.array([1], pa.int8()).dictionary_encode(),
    }
    assert json.loads(json_rows(list(columns), list(columns.values()))[0].as_py()) == {
        "t": "2020-01-01T00:00:00.123456",
        "z": "2020-01-01T00:00:00.123456Z",
        "d": "2020-01-01",
        "s": 61,
        "b": "/wA=",
        "m": 1,
    }


def table_of(tmp_path: Path, *lines: str) -> pa.RecordBatch:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    (batch,) = next(open_source(path, "text").parts()).batches()
    return batch.table()


def test_rows_become_columns(tmp_path: Path) -> None:
    lines = [
        '{"text": "a", "n": 1, "f": 1, "date": "2020-01-01", "deep": {"x": [1, null], "y": null}, "no": null}',
        '{"n": null, "f": 2.5, "text": "é\\ud83d\\ude00"}',
        "",
        '{"text": null, "more": true}',
    ]
    table = table_of(tmp_path, *lines)
    deep = pa.struct([("x", pa.list_(pa.int64())), ("y", pa.string())])
    assert table.schema == pa.schema(
        [
            *(("text", pa.string()), ("n", pa.int64()), ("f", pa.float64()), ("date", pa.string())),
            *(("deep", deep), ("no", pa.string()), ("more", pa.bool_())),
        ]
    )
    rows = [json.loads(line) for line in lines if line]
    assert table.to_pylist() == [{name: row.get(name) for name in table.schema.names} for row in rows]
    slow = table_of(tmp_path, *lines, '{"text": "a", "text": "b"}', '{"text": "half \\ud800"}', "[1]")
    assert slow.to_pylist()[:3] == table.to_pylist()
    assert slow["text"].to_pylist()[3:] == ["b", "half \ufffd", None]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"text": "a", "n": 1}', '{"text": "b", "n": "x"}'], r"in.jsonl:2: the field 'n' is 'x', but int64"),
        (['{"text": "a", "n": {"x": [1]}}', '{"n": {"x": [[]]}}'], r"in.jsonl:2: the field 'n.x\[\]' is a list, but"),
        (
            ['{"text": "a", "n": 99999999999999999999}'],
            "in.jsonl:1: the field 'n' is 9+, which takes more than 64 bits",
        ),
    ],
)
def test_rows_of_several_types_are_an_error(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table_of(tmp_path, *lines)


def test_columns_come_from_the_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "n": 1}\n{"text": "b", "n": 2.5}\n{"text": "c", "m": {}}\n{"n": 3, "text": "d"}\n')
    parts = list(JsonlSource(path, "text", 20).parts())
    batches = [batch for part in parts for batch in part.batches()]
    assert batches[-1].table().to_pylist() == [{"text": "d", "n": 3}]
    with pytest.raises(DataError, match=r"in.jsonl:2: the field 'n' is 2.5, but the column is int64; the columns come"):
        batches[1].table()
    with pytest.raises(DataError, match=r"in.jsonl:3: there is no column for the field 'm'"):
        batches[2].table()


def test_rows_of_another_form_are_written_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(row for row in ROWS if b"id" in row))
    source = JsonlSource(path, "text", 500)

    class Rows(Batch):
        def table(self) -> pa.RecordBatch:
            views = pa.schema(
                [field.with_type(pa.string_view()) if field.name == "text" else field for field in self.rows.schema]
            )
            return self.rows.cast(views)

    sink = JsonlSink(tmp_path / "out.jsonl", [field.name for field in FIELDS])
    for part in source.parts():
        encoder = sink.encoder(None)
        for batch in part.batches():
            other = Rows(batch.texts, [], batch.table(), 0, batch.lines)
            encoder.add(other, columns_of(batch), np.arange(len(batch.lines)) % 2 == 0)
        sink.append(encoder.finish())
    sink.finish()
    rows = written(tmp_path / "out.jsonl")
    wanted = {row["id"]: row for row in (expected(line) for line in ROWS if b"id" in line)}
    assert len(rows) >= len(wanted) // 2
    for row in rows:
        assert {key: value for key, value in row.items() if value is not None} == wanted[row["id"]]
