"""Footers of Parquet files as trees: the same bytes again, and nothing but FormatError for damaged ones."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lexigrad.errors import FormatError
from lexigrad.formats import parquet_footer as footers
from lexigrad.formats.parquet_footer import BINARY, I32, I64, LIST, MAP, STRUCT, TRUE, Items, Pairs, Reader


def many_types(n: int) -> pa.Table:
    """Return a table with columns of many types; every third value is null."""
    rng = np.random.default_rng(0)

    def some(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array([None if i % 3 == 2 else values[i % len(values)] for i in range(n)], kind)

    columns = {
        "text": pa.array([f"text {i} " + "ab " * int(rng.integers(30)) for i in range(n)], pa.string()),
        "binary": some([b"\xff\x00", b""], pa.binary()),
        "bool": some([True, False], pa.bool_()),
        "int8": some([1, -2], pa.int8()),
        "uint64": some([1, 2**63], pa.uint64()),
        "float": some([1.5, float("inf")], pa.float32()),
        "half": some([np.float16(1.5)], pa.float16()),
        "day": some([dt.date(2024, 2, 29)], pa.date32()),
        "when": some([dt.datetime(2024, 2, 29, 1)], pa.timestamp("ns", "Europe/Berlin")),
        "duration": some([dt.timedelta(seconds=3)], pa.duration("us")),
        "price": some([decimal.Decimal("1.23"), decimal.Decimal("-4.5")], pa.decimal128(9, 2)),
        "fixed": some([b"1234"], pa.binary(4)),
        "words": some(["one", "two"], pa.string()).dictionary_encode(),
        "lists": some([[["a"], [], None], []], pa.list_(pa.list_(pa.string()))),
        "struct": some(
            [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}],
            pa.struct({"a": pa.int32(), "b": pa.struct({"c": pa.string()})}),
        ),
        "map": some([[("k", [1, 2])], []], pa.map_(pa.string(), pa.list_(pa.int64()))),
        "vector": some([[0.5, 0.25]], pa.list_(pa.float32(), 2)),
        "large": some(["x" * 100], pa.large_string()),
        "nothing": pa.nulls(n),
    }
    return pa.table(columns).replace_schema_metadata({"who": "we", "empty": ""})


def written(table: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def check(footer: footers.Footer) -> list[int]:
    """Return the rows of all row groups; FormatError where a footer is damaged, or they cannot be copied."""
    leaves = footers.leaf_paths(footer.schema)
    rows = []
    for i in range(len(footer.row_groups)):
        rows.append(footers.check_group(footer.group(i), i, leaves, footer.start))
        if not footers.can_copy_group(footer.group(i), footer.start):
            raise FormatError("cannot be copied")
    footers.check_meta(footer.meta, sum(rows))
    return rows


def footer_of(content: bytes) -> bytes:
    return content[-8 - int.from_bytes(content[-8:-4], "little") : -8]


FILES = {
    "snappy": written(many_types(300), row_group_size=100),
    "zstd": written(
        many_types(300), row_group_size=70, compression="zstd", write_page_index=True, data_page_version="2.0"
    ),
    "plain": written(
        many_types(50), compression="none", use_dictionary=False, write_statistics=False, store_schema=False
    ),
    "codecs": written(many_types(50), compression={"text": "gzip", "int8": "lz4", "price": "brotli"}, version="1.0"),
    "old": written(
        many_types(50), use_deprecated_int96_timestamps=True, use_compliant_nested_type=False, row_group_size=20
    ),
    "bloom": written(
        many_types(50), bloom_filter_options={"text": {"ndv": 50, "fpp": 0.1}}, sorting_columns=[pq.SortingColumn(0)]
    ),
    "empty": written(many_types(0)),
    "many": written(pa.table({"a": range(40)}), row_group_size=1),
}


@pytest.mark.parametrize("name", FILES)
def test_footers_come_back_byte_for_byte(name: str) -> None:
    footer = footers.read_footer(io.BytesIO(FILES[name]))
    assert footers.footer_bytes(footer.meta, footer.row_groups) == footer_of(FILES[name])
    for i, content in enumerate(footer.row_groups):
        assert footers.struct_bytes(footer.group(i)) == content
    metadata = pq.read_metadata(io.BytesIO(FILES[name]))
    assert len(footer.row_groups) == metadata.num_row_groups
    assert check(footer) == [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    paths = [".".join(part.decode() for part in path) for path, _ in footers.leaf_paths(footer.schema)]
    assert paths == [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    for i in range(metadata.num_row_groups):
        chunks = footers.items(footer.group(i), footers.COLUMNS, STRUCT)
        for j, chunk in enumerate(chunks if metadata.num_rows else []):
            column = metadata.row_group(i).column(j)
            start = column.data_page_offset
            if column.has_dictionary_page:
                start = min(start, column.dictionary_page_offset)
            assert footers.chunk_span(chunk) == (start, column.total_compressed_size)
            if column.statistics is not None and column.statistics.has_null_count:
                assert footers.null_count(chunk) == column.statistics.null_count


def test_bytes_are_those_of_the_compact_protocol() -> None:
    """By hand: types and steps in one byte, zigzag numbers, long steps with a number of their own."""
    tree = {
        1: (I32, -3),
        2: (TRUE, False),
        4: (BINARY, b"ab"),
        20: (LIST, Items(I64, [1, -(2**63)])),
        40: (MAP, Pairs(BINARY, I32, [(b"k", 300)])),
        41: (STRUCT, {3: (TRUE, True)}),
        42: (LIST, Items(I32, [0] * 20)),
    }
    content = bytes.fromhex(
        "15 05 12 28 02 61 62 09 28 26 02 ffffffffffffffffff01 0b 50 01 85 01 6b d804 1c 31 00 19 f5 14"
        + "00" * 20
        + "00"
    )
    assert footers.struct_bytes(tree) == content
    assert Reader(content).struct() == tree
    assert Reader(bytes.fromhex("0b 02 00 00")).struct() == {1: (MAP, Pairs(0, 0, []))}


def test_numbers_of_all_sizes_come_back() -> None:
    for value in [0, 1, -1, 63, 64, -64, -65, 2**31, -(2**31), 2**63 - 1, -(2**63)]:
        assert Reader(footers.zigzag(value)).number() == value
    with pytest.raises(FormatError, match="more than 64 bits"):
        Reader(b"\xff" * 9 + b"\x02").varint()
    with pytest.raises(FormatError, match="more than 64 bits"):
        Reader(b"\xff" * 11).varint()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "within a value"),
        (b"\x18\xff\xff\xff\xff\x07ab\x00", "bytes are expected"),
        (b"\x19\xfc\xff\xff\xff\xff\x07\x00", "a list of"),
        (b"\x1c" * 100, "deeper"),
        (b"\x15\x00\x05\x02\x00\x00", "twice"),
        (b"\x05\x03\x02\x00", "below 1"),
        (b"\x19\x12\x05\x00", "neither true nor false"),
        (b"\x1e\x00\x00", "no type 14"),
        (b"\x15", "within a value"),
    ],
)
def test_damaged_structures_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Reader(content).struct()


def test_a_footer_of_millions_of_values_takes_no_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footers, "MAX_VALUES", 50_000)
    n = 5_000_000
    content = b"\x19\xfc" + footers.varint(n) + bytes(n) + b"\x00"
    tracemalloc.start()
    with pytest.raises(FormatError, match="more values"):
        footers.parse_footer(content)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", "not a Parquet file"),
        (b"PARE" + bytes(20) + b"PARE", "encrypted"),
        (b"PAR1" + bytes(20) + b"\xff\xff\xff\x00PAR1", "footer of"),
        (b"PAR1" + bytes(20) + b"\x02\x00\x00\x00PAR1", "followed by"),
    ],
)
def test_what_is_no_parquet_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        footers.read_footer(io.BytesIO(content))


def changed(path: tuple[int, ...], kind: int, value: Any) -> footers.Footer:
    """Return the footer of a file whose first row group has another value at a place: (field of the group,) or (field of its second chunk, ...)."""
    footer = footers.read_footer(io.BytesIO(FILES["snappy"]))
    group = footer.group(0)
    at = group
    if len(path) > 1:
        at = footers.items(group, footers.COLUMNS, STRUCT)[1]
        for step in path[1:-1]:
            at = at[step][1]
    at[path[-1]] = (kind, value)
    footer.row_groups[0] = footers.struct_bytes(group)
    return footer


@pytest.mark.parametrize(
    ("path", "kind", "value", "message"),
    [
        ((footers.COLUMNS, footers.FILE_PATH), BINARY, b"other.parquet", "cannot be copied"),
        ((footers.COLUMNS, 8), STRUCT, {1: (STRUCT, {})}, "cannot be copied"),
        ((footers.COLUMNS, footers.META, footers.DATA_PAGE), I64, 2**40, "beyond"),
        ((footers.COLUMNS, footers.META, footers.DICTIONARY_PAGE), I64, 4, "beyond"),
        ((footers.COLUMNS, footers.META, footers.COMPRESSED), I64, 2**50, "beyond the pages"),
        ((footers.COLUMNS, footers.META, footers.COMPRESSED), I64, -1, "negative"),
        ((footers.COLUMNS, footers.META, footers.NUM_VALUES), I64, -1, "negative"),
        ((footers.COLUMNS, footers.META, footers.PATH), LIST, Items(BINARY, [b"x"]), "not those of its schema"),
        ((footers.COLUMNS, footers.META, footers.CODEC), I32, 8, "unknown codec"),
        ((footers.COLUMNS, footers.META, footers.TYPE), I32, 3, "not those of its schema"),
        ((footers.COLUMNS, footers.META, footers.DATA_PAGE), BINARY, b"x", "type 8"),
        ((footers.COLUMNS, footers.META, footers.COMPRESSED), I64, 500, "cannot be copied"),
        ((footers.GROUP_ROWS,), I64, 99, "rows together"),
        ((footers.COLUMNS,), LIST, Items(STRUCT, []), "0 of"),
    ],
)
def test_row_groups_that_cannot_be_copied_are_refused(
    path: tuple[int, ...], kind: int, value: Any, message: str
) -> None:
    footer = changed(path, kind, value)
    with pytest.raises(FormatError, match=message):
        check(footer)


@pytest.mark.parametrize("writer", [b"", b"parquet-mr version 1.2.8 (build x)", b"parquet-mr"])
def test_old_writers_are_not_copied(writer: bytes) -> None:
    footer = footers.read_footer(io.BytesIO(FILES["snappy"]))
    footer.meta[footers.CREATED_BY] = (BINARY, writer)
    assert not footers.can_copy(footer.meta)
    footer.meta[footers.CREATED_BY] = (BINARY, b"parquet-mr version 1.12.3 (build x)")
    assert footers.can_copy(footer.meta)
    footer.meta[footers.ENCRYPTION] = (STRUCT, {1: (STRUCT, {})})
    assert not footers.can_copy(footer.meta)


@pytest.mark.parametrize(
    ("number", "kind", "value", "message"),
    [
        (footers.VERSION, I64, 2, "type 6, not 5"),
        (footers.KEY_VALUES, LIST, Items(STRUCT, [{2: (BINARY, b"v")}]), "field 1 is missing"),
        (footers.COLUMN_ORDERS, LIST, Items(I32, [1]), "list of type 5"),
        (footers.CREATED_BY, I32, 1, "type 5, not 8"),
        (footers.NUM_ROWS, I64, 299, "300 rows together"),
    ],
)
def test_damaged_metadata_are_refused(number: int, kind: int, value: Any, message: str) -> None:
    footer = footers.read_footer(io.BytesIO(FILES["snappy"]))
    footer.meta[number] = (kind, value)
    with pytest.raises(FormatError, match=message):
        check(footer)


def test_schemas_that_are_no_trees_are_refused() -> None:
    def element(name: bytes, n_children: int | None = None) -> footers.Struct:
        return {4: (BINARY, name)} | ({5: (I32, n_children)} if n_children is not None else {})

    good = [element(b"root", 2), element(b"a", 1), element(b"b"), element(b"c")]
    assert [path for path, _ in footers.leaf_paths(good)] == [[b"a", b"b"], [b"c"]]
    for bad in (good[:3], [*good, element(b"d")], [element(b"root", 1), element(b"a", -1)], [element(b"r", 2**31 - 1)]):
        with pytest.raises(FormatError, match="no tree"):
            footers.leaf_paths(bad)


def test_a_moved_row_group_is_read_where_it_lies() -> None:
    """All offsets, found by moving the pages of a file behind those of another."""
    one, two = FILES["zstd"], FILES["bloom"]
    table = many_types(50)
    head, tail = one[: footers.read_footer(io.BytesIO(one)).start], footers.read_footer(io.BytesIO(two))
    chunks = [footers.moved(chunk, len(head)) for chunk in footers.items(tail.group(0), footers.COLUMNS, STRUCT)]
    group = footers.row_group(chunks, 50, 0, tail.group(0))
    content = head + two[: tail.start] + footers.file_end(tail.meta, [footers.struct_bytes(group)])
    assert pq.read_table(io.BytesIO(content)).equals(pq.read_table(io.BytesIO(two)))
    assert pq.read_table(io.BytesIO(content)).column("text").equals(table.column("text"))
    found = pq.read_metadata(io.BytesIO(content)).row_group(0)
    before = pq.read_metadata(io.BytesIO(two)).row_group(0)
    assert found.total_byte_size == before.total_byte_size
    assert found.sorting_columns == before.sorting_columns
    assert not any(
        found.column(i).has_offset_index or found.column(i).has_column_index for i in range(found.num_columns)
    )


def test_joined_chunks_are_one_column() -> None:
    tables = [pa.table({"a": ["x", None, "y"]}), pa.table({"a": [None, "z"]})]
    contents = [written(table, use_dictionary=False) for table in tables]
    read = [footers.read_footer(io.BytesIO(content)) for content in contents]
    chunks = [footers.items(footer.group(0), footers.COLUMNS, STRUCT)[0] for footer in read]
    spans = [footers.chunk_span(chunk) for chunk in chunks]
    pages = b"".join(content[start : start + n] for content, (start, n) in zip(contents, spans, strict=True))
    chunk = footers.joined(chunks, 2)
    group = footers.struct_bytes(footers.row_group([chunk], 5, 0))
    meta = read[0].meta | {footers.NUM_ROWS: (I64, 5)}
    content = b"PAR1" + pages + footers.file_end(meta, [group])
    file = pq.ParquetFile(io.BytesIO(content))
    assert file.read().column("a").to_pylist() == ["x", None, "y", None, "z"]
    assert file.metadata.row_group(0).column(0).statistics.null_count == 2
    dictionary = footers.read_footer(io.BytesIO(written(tables[0])))
    with pytest.raises(FormatError, match="dictionary"):
        footers.joined([footers.items(dictionary.group(0), footers.COLUMNS, STRUCT)[0]], None)
