"""Parquet's footer, FileMetaData in Thrift's compact protocol, as a tree of fields: read, changed and written again.

A structure is a dictionary from the number of a field to (its type, its value), so that fields unknown here are kept as they are. Numbers are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. The footer of a file is hostile: each length is compared with what is
there before anything is made of it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from lexigrad.errors import FormatError

MAGIC = b"PAR1"
MAX_FOOTER = 256 << 20
MAX_VALUES = 1 << 20
"""Values in one row group, or in all else of a footer; each is a Python object."""
MAX_DEPTH = 32
TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)
FIXED_BYTES = {DOUBLE: 8, UUID: 16}
INTEGERS = (I16, I32, I64)

Struct = dict[int, tuple[int, Any]]
Leaves = list[tuple[list[bytes], Struct]]


class Items(NamedTuple):
    """A list: the type of its items, and them."""

    type: int
    values: list[Any]


class Pairs(NamedTuple):
    """A map: the types of its keys and values, and the pairs."""

    key_type: int
    value_type: int
    pairs: list[tuple[Any, Any]]


class Reader:
    """Reads values of Thrift's compact protocol, at most `MAX_VALUES` of them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place, self.values_left = data, 0, MAX_VALUES

    def take(self, n: int) -> bytes:
        """Return the next `n` bytes."""
        if n > len(self.data) - self.place:
            raise FormatError(
                f"its footer is damaged: {n:,} bytes are expected where {len(self.data) - self.place:,} are"
            )
        self.place += n
        return self.data[self.place - n : self.place]

    def byte(self) -> int:
        """Return the next byte."""
        place = self.place
        self.place = place + 1
        try:
            return self.data[place]
        except IndexError:
            raise FormatError("its footer is damaged: it ends within a value") from None

    def varint(self) -> int:
        """Return an unsigned number of at most 64 bits."""
        byte = self.byte()
        if byte < 128:
            return byte
        value, shift = byte & 127, 7
        while byte >= 128 and shift < 70:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
        if value >> 64 or byte >= 128:
            raise FormatError("its footer is damaged: a number has more than 64 bits")
        return value

    def number(self) -> int:
        """Return a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def size(self, n: int) -> int:
        """Return the number of items of a list, each of which takes a byte at least."""
        if n > len(self.data) - self.place:
            raise FormatError(
                f"its footer is damaged: a list of {n:,} items is said to be in {len(self.data) - self.place:,} bytes"
            )
        return n

    def list_header(self) -> tuple[int, int]:
        """Return (type of the items, how many)."""
        byte = self.byte()
        return byte & 15, self.size(byte >> 4 if byte < 0xF0 else self.varint())

    def value(self, kind: int, depth: int) -> Any:
        """Return a value of a type."""
        self.values_left -= 1
        if self.values_left < 0 or depth > MAX_DEPTH:
            raise FormatError("its footer holds more values than a table has, or deeper ones")
        if kind in INTEGERS:
            return self.number()
        if kind == BINARY:
            return self.take(self.varint())
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (LIST, SET):
            item, n = self.list_header()
            return Items(item, [self.value(item, depth + 1) for _ in range(n)])
        if kind in (TRUE, FALSE, I8):  # booleans in lists have a byte each
            content = self.take(1)
            if kind != I8 and content > b"\x02":
                raise FormatError("its footer is damaged: a truth value is neither true nor false")
            return content
        if kind in FIXED_BYTES:
            return self.take(FIXED_BYTES[kind])
        if kind == MAP:
            n = self.size(self.varint())
            kinds = self.byte() if n else 0
            pairs = [(self.value(kinds >> 4, depth + 1), self.value(kinds & 15, depth + 1)) for _ in range(n)]
            return Pairs(kinds >> 4, kinds & 15, pairs)
        raise FormatError(f"its footer is damaged: there is no type {kind}")

    def struct(self, depth: int = 0) -> Struct:
        """Return a structure, without the byte that ends it."""
        fields: Struct = {}
        number = 0
        while byte := self.byte():
            kind, step = byte & 15, byte >> 4
            number = number + step if step else self.number()
            if number in fields or number <= 0:
                raise FormatError(f"its footer is damaged: it has field {number} twice, or below 1")
            if kind in INTEGERS:  # most fields are
                self.values_left -= 1
                fields[number] = (kind, self.number())
            else:
                fields[number] = (TRUE, kind == TRUE) if kind in (TRUE, FALSE) else (kind, self.value(kind, depth))
        return fields


def varint(value: int) -> bytes:
    """Return an unsigned number in groups of seven bits, the lowest first."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def zigzag(value: int) -> bytes:
    """Return a signed number of 64 bits as an unsigned one, small where it is near 0."""
    return varint((value << 1 ^ value >> 63) & (1 << 64) - 1)


def list_header(kind: int, n: int) -> bytes:
    """Return what stands before `n` items of a type."""
    return bytes((n << 4 | kind,)) if n < 15 else bytes((0xF0 | kind,)) + varint(n)


def value_bytes(kind: int, value: Any) -> bytes:
    """Return a value as `Reader.value` reads it."""
    if kind in INTEGERS:
        return zigzag(value)
    if kind == BINARY:
        return varint(len(value)) + value
    if kind == STRUCT:
        return struct_bytes(value)
    if kind in (LIST, SET):
        return list_header(value.type, len(value.values)) + b"".join(
            value_bytes(value.type, item) for item in value.values
        )
    if kind == MAP:
        if not value.pairs:
            return varint(0)
        pairs = b"".join(value_bytes(value.key_type, k) + value_bytes(value.value_type, v) for k, v in value.pairs)
        return varint(len(value.pairs)) + bytes((value.key_type << 4 | value.value_type,)) + pairs
    return value


def struct_bytes(fields: Struct) -> bytes:
    """Return a structure as bytes, its fields in the order of their numbers.

    Examples
    --------
    >>> struct_bytes({1: (I32, 2), 3: (BINARY, b"ab")}).hex()
    '15042802616200'
    >>> Reader(struct_bytes({20: (TRUE, False)})).struct()
    {20: (1, False)}
    """
    parts = []
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        if kind in (TRUE, FALSE):
            kind, content = (TRUE if value else FALSE), b""
        else:
            content = value_bytes(kind, value)
        step = number - last
        parts.append(bytes((step << 4 | kind,)) if 0 < step < 16 else bytes((kind,)) + zigzag(number))
        parts.append(content)
        last = number
    return b"".join([*parts, b"\0"])


# --------------------------------------------------------------------------------------------------- what fields mean

VERSION, SCHEMA, NUM_ROWS, ROW_GROUPS, KEY_VALUES, CREATED_BY, COLUMN_ORDERS, ENCRYPTION, SIGNING_KEY = range(1, 10)
"""FileMetaData"""
TYPE, ELEMENT_NAME, NUM_CHILDREN = 1, 4, 5
"""SchemaElement; `TYPE` is the same in ColumnMetaData"""
COLUMNS, TOTAL_BYTES, GROUP_ROWS, SORTING, GROUP_OFFSET, GROUP_COMPRESSED, ORDINAL = range(1, 8)
"""RowGroup"""
FILE_PATH, CHUNK_OFFSET, META = 1, 2, 3
INDEXES = (4, 5, 6, 7)
CRYPTO = (8, 9)
"""ColumnChunk"""
ENCODINGS, PATH, CODEC, NUM_VALUES, UNCOMPRESSED, COMPRESSED = range(2, 8)
DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE, STATISTICS, ENCODING_STATS, BLOOM, BLOOM_BYTES, SIZE_STATISTICS = range(9, 17)
"""ColumnMetaData"""
NULL_COUNT = 3
"""Statistics"""
LARGEST_ORDINAL = 2**15 - 1
CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")


def get(fields: Struct, number: int, kind: int, default: Any = None) -> Any:
    """Return the value of a field, or `default` where it is not there; FormatError where it has another type."""
    if number not in fields:
        return default
    found, value = fields[number]
    if found != kind:
        raise FormatError(f"its footer is damaged: field {number} has type {found}, not {kind}")
    return value


def need(fields: Struct, number: int, kind: int) -> Any:
    """Return the value of a field; FormatError where it is not there."""
    value = get(fields, number, kind)
    if value is None:
        raise FormatError(f"its footer is damaged: field {number} is missing")
    return value


def items(fields: Struct, number: int, kind: int) -> list[Any]:
    """Return the items of a list of one type, [] where there is none."""
    value = get(fields, number, LIST)
    if value is None or not value.values:
        return []
    if value.type != kind:
        raise FormatError(f"its footer is damaged: field {number} is a list of type {value.type}, not {kind}")
    return value.values


def chunk_span(chunk: Struct) -> tuple[int, int]:
    """Return (first byte, number of bytes) of a column chunk; `FormatError` where its pages do not lie within."""
    meta = need(chunk, META, STRUCT)
    given = (need(meta, DATA_PAGE, I64), get(meta, DICTIONARY_PAGE, I64), get(meta, INDEX_PAGE, I64))
    places = [place for place in given if place]
    n_bytes = need(meta, COMPRESSED, I64)
    if not places or max(places) - min(places) >= n_bytes:
        raise FormatError("its footer is damaged: the pages of a column lie beyond it")
    return min(places), n_bytes


def moved(chunk: Struct, distance: int) -> Struct:
    """Return a column chunk as it is `distance` bytes later in a file, without what lies outside of it: page index and bloom filter."""
    start, n_bytes = chunk_span(chunk)
    meta = {number: field for number, field in chunk[META][1].items() if number not in (BLOOM, BLOOM_BYTES)}
    for number in (DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE):
        if get(meta, number, I64):
            meta[number] = (I64, meta[number][1] + distance)
    place = need(chunk, CHUNK_OFFSET, I64)
    place = place + distance if start <= place <= start + n_bytes else 0
    kept = {number: field for number, field in chunk.items() if number not in INDEXES}
    return kept | {CHUNK_OFFSET: (I64, place), META: (STRUCT, meta)}


def joined(chunks: list[Struct], null_count: int | None) -> Struct:
    """Return the column chunk whose pages are those of several, one behind the other; none may have a dictionary, and there are no other statistics."""
    first = chunks[0]
    metas = [need(chunk, META, STRUCT) for chunk in chunks]
    if any(get(meta, DICTIONARY_PAGE, I64) for meta in metas):
        raise FormatError("a column chunk with a dictionary cannot be joined to another")
    encodings = sorted({encoding for meta in metas for encoding in items(meta, ENCODINGS, I32)})
    dropped = (STATISTICS, ENCODING_STATS, SIZE_STATISTICS)
    meta = {number: field for number, field in metas[0].items() if number not in dropped}
    meta[ENCODINGS] = (LIST, Items(I32, encodings))
    for number in (NUM_VALUES, UNCOMPRESSED, COMPRESSED):
        meta[number] = (I64, sum(need(meta, number, I64) for meta in metas))
    if null_count is not None:
        meta[STATISTICS] = (STRUCT, {NULL_COUNT: (I64, null_count)})
    return first | {META: (STRUCT, meta)}


def row_group(chunks: list[Struct], n_rows: int, ordinal: int, given: Struct | None = None) -> Struct:
    """Return the row group of column chunks that lie in the file as they say; `given` has other fields to keep."""
    metas = [need(chunk, META, STRUCT) for chunk in chunks]
    fields = (given or {}) | {
        COLUMNS: (LIST, Items(STRUCT, chunks)),
        TOTAL_BYTES: (I64, sum(need(meta, UNCOMPRESSED, I64) for meta in metas)),
        GROUP_ROWS: (I64, n_rows),
        GROUP_OFFSET: (I64, min(chunk_span(chunk)[0] for chunk in chunks)),
        GROUP_COMPRESSED: (I64, sum(need(meta, COMPRESSED, I64) for meta in metas)),
        ORDINAL: (I16, ordinal),
    }
    if ordinal > LARGEST_ORDINAL:
        del fields[ORDINAL]
    return fields


@dataclass
class Footer:
    """The footer of a file.

    Attributes
    ----------
    meta : FileMetaData without its row groups
    row_groups : each as its bytes: a tree takes many times as much memory
    start : where in the file the footer begins, and the pages end
    """

    meta: Struct
    row_groups: list[bytes]
    start: int

    @property
    def schema(self) -> list[Struct]:
        """The elements of the schema, the root first."""
        return items(self.meta, SCHEMA, STRUCT)

    @property
    def key_values(self) -> dict[bytes, bytes | None]:
        """The metadata of the file."""
        pairs = items(self.meta, KEY_VALUES, STRUCT)
        return {need(pair, 1, BINARY): get(pair, 2, BINARY) for pair in pairs}

    def group(self, i: int) -> Struct:
        """Return row group `i` as a tree."""
        return Reader(self.row_groups[i]).struct()


def parse_footer(data: bytes, start: int = 0) -> Footer:
    """Return the footer that `data` are; `FormatError` where they are none."""
    reader = Reader(data)
    meta: Struct = {}
    groups: list[bytes] = []
    number = 0
    while byte := reader.byte():
        kind, step = byte & 15, byte >> 4
        number = number + step if step else reader.number()
        if number in meta:
            raise FormatError(f"its footer is damaged: it has field {number} twice")
        if number == ROW_GROUPS and kind == LIST:
            item, n = reader.list_header()
            if n and item != STRUCT:
                raise FormatError("its footer is damaged: its row groups are no structures")
            for _ in range(n):
                begin, reader.values_left = reader.place, MAX_VALUES
                reader.struct()
                groups.append(data[begin : reader.place])
            meta[number] = (LIST, Items(STRUCT, []))
        else:
            meta[number] = (TRUE, kind == TRUE) if kind in (TRUE, FALSE) else (kind, reader.value(kind, 0))
    if reader.place != len(data):
        raise FormatError(
            f"its footer is damaged: it is followed by {len(data) - reader.place:,} bytes of something else"
        )
    meta.pop(ROW_GROUPS, None)
    return Footer(meta, groups, start)


def footer_bytes(meta: Struct, row_groups: list[bytes]) -> bytes:
    """Return FileMetaData with row groups, as `parse_footer` reads it."""
    start, end = b"", b"\0"
    before = {number: field for number, field in meta.items() if number < ROW_GROUPS}
    after = {number: field for number, field in meta.items() if number > ROW_GROUPS}
    start = struct_bytes(before)[:-1]
    step = ROW_GROUPS - max(before, default=0)
    groups = bytes((step << 4 | LIST,)) + list_header(STRUCT, len(row_groups)) + b"".join(row_groups)
    # Steps count from the field before: write the rest behind a stand-in of the row groups, and leave that out.
    stand_in = struct_bytes({ROW_GROUPS: (TRUE, True)})[:-1]
    end = struct_bytes({ROW_GROUPS: (TRUE, True)} | after)[len(stand_in) :]
    return start + groups + end


def file_end(meta: Struct, row_groups: list[bytes]) -> bytes:
    """Return all that stands behind the pages of a file."""
    footer = footer_bytes(meta, row_groups)
    return footer + len(footer).to_bytes(4, "little") + MAGIC


def read_footer(file: BinaryIO) -> Footer:
    """Return the footer of an open file.

    Raises
    ------
    FormatError
        It is not a Parquet file, is damaged, is encrypted, or its footer is longer than 256 MB.

    Examples
    --------
    >>> import io, pyarrow as pa, pyarrow.parquet as pq
    >>> file = io.BytesIO()
    >>> pq.write_table(pa.table({"text": ["a", "b"]}), file)
    >>> footer = read_footer(file)
    >>> [path for path, _ in leaf_paths(footer.schema)], footer.group(0)[GROUP_ROWS]
    ([[b'text']], (6, 2))
    """
    n_bytes = file.seek(0, os.SEEK_END)
    if n_bytes < 2 * len(MAGIC) + 4:
        raise FormatError(f"is not a Parquet file: it has {n_bytes:,} bytes")
    file.seek(0)
    magic = file.read(len(MAGIC))
    file.seek(n_bytes - 8)
    end = file.read(8)
    if magic != MAGIC or end[4:] != MAGIC:
        raise FormatError("is not a Parquet file, or is encrypted: it does not begin and end with PAR1")
    length = int.from_bytes(end[:4], "little")
    start = n_bytes - 8 - length
    if start < len(MAGIC) or length > MAX_FOOTER:
        raise FormatError(f"has a footer of {length:,} bytes in {n_bytes:,}; at most {MAX_FOOTER:,} are read")
    file.seek(start)
    return parse_footer(file.read(length), start)


# ------------------------------------------------------------------------------------------------ what is to be checked


def leaf_paths(schema: list[Struct]) -> Leaves:
    """Return (path, element) of each column that has pages, in order."""
    leaves: Leaves = []
    open_groups: list[list[Any]] = []  # [children left, path]
    for i, element in enumerate(schema):
        n_children = get(element, NUM_CHILDREN, I32, 0)
        name = need(element, ELEMENT_NAME, BINARY)
        if i == 0:
            open_groups.append([n_children, []])
            continue
        while open_groups and open_groups[-1][0] == 0:
            open_groups.pop()
        if not open_groups or n_children < 0 or len(open_groups) > MAX_DEPTH:
            raise FormatError("its footer is damaged: its schema is no tree")
        open_groups[-1][0] -= 1
        path = [*open_groups[-1][1], name]
        if n_children:
            open_groups.append([n_children, path])
        else:
            leaves.append((path, element))
    if any(left for left, _ in open_groups):
        raise FormatError("its footer is damaged: its schema is no tree")
    return leaves


def check_group(group: Struct, i: int, leaves: Leaves, end: int) -> int:
    """Return the rows of row group `i`; raise `FormatError` where it is not as the format has it, on which readers may crash.

    Parameters
    ----------
    leaves : of the schema, by `leaf_paths`
    end : where the pages of the file end
    """
    chunks = items(group, COLUMNS, STRUCT)
    if len(chunks) != len(leaves):
        raise FormatError(f"its footer is damaged: row group {i} has {len(chunks)} of {len(leaves)} columns")
    n_rows = need(group, GROUP_ROWS, I64)
    need(group, TOTAL_BYTES, I64)
    for chunk, (path, element) in zip(chunks, leaves, strict=True):
        need(chunk, CHUNK_OFFSET, I64)
        if META not in chunk:
            raise FormatError("has encrypted columns")
        meta = need(chunk, META, STRUCT)
        if items(meta, PATH, BINARY) != path or need(meta, TYPE, I32) != need(element, TYPE, I32):
            raise FormatError(f"its footer is damaged: the columns of row group {i} are not those of its schema")
        sizes = [need(meta, number, I64) for number in (NUM_VALUES, UNCOMPRESSED, COMPRESSED)]
        if min(*sizes, n_rows) < 0 or not 0 <= need(meta, CODEC, I32) < len(CODECS):
            raise FormatError(f"its footer is damaged: row group {i} has negative sizes, or an unknown codec")
        need(meta, ENCODINGS, LIST)
        if n_rows and chunk_span(chunk)[1] > end:
            raise FormatError(f"its footer is damaged: columns of row group {i} reach beyond the pages")
    return n_rows


def check_meta(meta: Struct, n_rows: int) -> None:
    """Raise `FormatError` where FileMetaData are not as the format has them; `n_rows` are those of all row groups."""
    need(meta, VERSION, I32)
    items(meta, COLUMN_ORDERS, STRUCT)
    get(meta, CREATED_BY, BINARY)
    for pair in items(meta, KEY_VALUES, STRUCT):
        need(pair, 1, BINARY)
        get(pair, 2, BINARY)
    if n_rows != need(meta, NUM_ROWS, I64):
        raise FormatError(f"its footer is damaged: its row groups have {n_rows:,} rows together")


def can_copy(meta: Struct) -> bool:
    """Tell whether row groups of a file may be in another: they are not encrypted, and readers trust their statistics whoever wrote the file."""
    writer = get(meta, CREATED_BY, BINARY, b"")
    old = re.match(rb"parquet-mr version (\d+)\.(\d+)", writer)
    distrusted = not writer or (writer.startswith(b"parquet-mr") and (not old or (int(old[1]), int(old[2])) < (1, 10)))
    return not distrusted and ENCRYPTION not in meta and SIGNING_KEY not in meta


def can_copy_group(group: Struct, end: int) -> bool:
    """Tell whether a row group that was checked can be copied: nothing that a reader needs lies elsewhere, or in the bytes of others."""
    chunks = items(group, COLUMNS, STRUCT)
    if any(number in chunk for chunk in chunks for number in (FILE_PATH, *CRYPTO)):
        return False
    spans = sorted(chunk_span(chunk) for chunk in chunks) if need(group, GROUP_ROWS, I64) else []
    ends = [len(MAGIC), *(start + n_bytes for start, n_bytes in spans)]
    return ends[-1] <= end and all(start >= before for before, (start, _) in zip(ends, spans, strict=False))


def null_count(chunk: Struct) -> int | None:
    """Return how many values of a column chunk are null, where its statistics say so."""
    return get(get(need(chunk, META, STRUCT), STATISTICS, STRUCT, {}), NULL_COUNT, I64)
