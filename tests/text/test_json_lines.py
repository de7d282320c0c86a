"""A field of JSON lines against `json.loads`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lexigrad.text import json_lines
from lexigrad.text.json_lines import line_offsets, lines_with, quoted, read_field, reason, spliced
from tests.oracles.json_lines import field_of

NAME = "text"
MARKS = ['"', "\\", "\n", "\x1f", "\x7f", "é", "\ud800", "\udc00", "😀", "/", "a" * 40]
TEXTS = st.lists(st.sampled_from(MARKS) | st.characters(), max_size=8).map("".join)
KEYS = st.sampled_from([NAME, "Text", "text ", "texts", "", "t"]) | TEXTS
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
PIECES = [
    *(b'"', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"0", b"-", b".", b"e", b"1", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\t", b"\r", b"\f"),
    *(b"null", b"true", b"NaN", b"-Infinity", b"\x00", b"\xff", b"\xe2\x82", b"\xc3\xa9", b"\xef\xbb\xbf", b'"text"', b'"te\\u0078t":', b'"a"'),
]  # fmt: skip


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """A line with an object, keys perhaps twice, written in one of the ways of writing JSON."""
    pairs = draw(st.lists(st.tuples(KEYS, VALUES), max_size=4))
    ascii_only, spaced = draw(st.booleans()), draw(st.sampled_from(["", " ", "\t", " \r "]))

    def written(value: object) -> str:
        if isinstance(value, str) and draw(st.integers(0, 3)) == 0:
            units = value.encode("utf-16-be", "surrogatepass")
            return '"' + "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2)) + '"'
        return json.dumps(value, ensure_ascii=ascii_only)

    inner = f"{spaced},".join(f"{spaced}{written(key)}{spaced}:{spaced}{written(value)}" for key, value in pairs)
    return f"{spaced}{{{inner}{spaced}}}{spaced}".encode("utf-8", "surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The same with pieces put in and cut out."""
    line = draw(objects())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(line)))
        line = line[:place] + draw(st.sampled_from([b"", *PIECES])) + line[place + draw(st.integers(0, 3)) :]
    return line.replace(b"\n", b"")


def check(lines: list[bytes]) -> None:
    """Compare with the oracle: verdict, text and keys of each line."""
    block = b"\n".join(lines) + b"\n"
    data, offsets = np.frombuffer(block, np.uint8), line_offsets(block)
    column = read_field(data, offsets, NAME)
    assert len(column.status) == len(lines)
    found = lines_with(data, offsets, ["a", NAME])
    for i, line in enumerate(lines):
        status, text, keys = field_of(line, NAME)
        assert column.status[i] == status, line
        content = column.data[column.offsets[i] : column.offsets[i + 1]].tobytes()
        assert content.decode("utf-8", "replace") == text
        if status == json_lines.FINE or status >= json_lines.NO_FIELD:
            assert found[i].tolist() == ["a" in keys, NAME in keys]


@settings(max_examples=80, deadline=None)
@given(st.lists(objects(), min_size=1, max_size=5))
def test_objects_read_as_by_python(lines: list[bytes]) -> None:
    check(lines)


@settings(max_examples=250, deadline=None)
@given(st.lists(mutated() | st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), min_size=1, max_size=5))
@example(
    [
        b'{"text": 1}',
        b'{"text": true}',
        b'{"text": 01}',
        b'{"text": 1.}',
        b'{"text": 1e5, "a": -0.5E-3}',
        b'{"text": -}',
        b'{"a": 1e+}',
        b"1.5",
        b"-",
    ]
)
@example(
    [
        b'{"text": "a",}',
        b"{,}",
        b"[1,]",
        b"[,]",
        b"[",
        b'{"a"',
        b'{"a":',
        b'{"text": "a"} {}',
        b'{"a": tru}',
        b'{"a" "b"}',
    ]
)
@example(
    [
        b'{"text": [{"text": "inner"}]}',
        b'{"a": {"text": "x"}, "text": "y"}',
        b'[{"text": "x"}]',
        b'{"a": [1}',
        b'{"a": {"b": 1]}',
    ]
)
@example(
    [
        b'{"text": 1, "text": "last"}',
        b'{"text": "first", "text": null}',
        b'{"text": "\\ud800", "text": "b"}',
        b'{"text": "b", "text": "\\ud800"}',
    ]
)
@example(
    [
        b'{"text": "\\u12',
        b'{"text": "\\ud83d\\u0041"}',
        b'{"text": "\\ud83d\\ud83d\\ude00"}',
        b'{"te\\u0078t": "\\ud83d\\uDe00\\b\\f\\n\\r\\t\\/"}',
        b'{"text": "\\u00g0"}',
    ]
)
def test_other_lines_are_judged_as_by_python(lines: list[bytes]) -> None:
    check(lines)


@pytest.mark.parametrize("size", [0, 1, 30, 31, 32, 33, 63, 64, 65, 200])
@pytest.mark.parametrize("end", [b'"}', b'\\n"}', b'\\u00e9"}', b"", b"\x01", b"\\"])
def test_strings_end_at_any_place_of_a_vector(size: int, end: bytes) -> None:
    check([b'{"text": "' + b"x" * size + end, b'{"a": "' + b"x" * size + end, b'{"text": "b"}'])
    check([b'{"text": "' + b"x" * size + end])  # at the end of the block


def test_lines_need_no_newline_at_the_end_and_bytes_stay() -> None:
    block = b'xx{"text": "\xff\xe2\\u0082"}'
    column = read_field(np.frombuffer(block, np.uint8), np.array([2, len(block)]), NAME)
    assert column.data[: column.offsets[1]].tobytes() == b"\xff\xe2\xc2\x82"
    assert line_offsets(b"").tolist() == [0]
    assert line_offsets(b"a\n").tolist() == [0, 2]


def test_depth_is_counted_and_bounded() -> None:
    deepest = json_lines.DEEPEST

    def nested(depth: int) -> bytes:
        return b'{"text": "a", "b": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    block = nested(deepest) + b"\n" + nested(deepest + 1) + b"\n" + b"[" * 5000 + b"\n" + nested(2)
    column = read_field(np.frombuffer(block, np.uint8), line_offsets(block), NAME)
    assert column.status.tolist() == [
        json_lines.FINE,
        json_lines.TOO_DEEP,
        json_lines.TOO_DEEP,
        json_lines.FINE,
    ]
    assert "1,024" in reason(json_lines.TOO_DEEP, b"", NAME)


def test_numbers_have_any_number_of_digits() -> None:
    check([b'{"a": ' + b"1" * 5000 + b', "text": "b"}'])


def test_many_names_are_looked_for() -> None:
    block = b'{"l7": 1, "l69": 2}\n{}\n'
    found = lines_with(np.frombuffer(block, np.uint8), line_offsets(block), [f"l{i}" for i in range(70)])
    assert np.argwhere(found).tolist() == [[0, 7], [0, 69]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', "not JSON: Expecting ',' delimiter: line 1 column 13"),
        (b"[1]", "expected a JSON object with 'text', not list"),
        (b'{"id": 1, "b": 2}', "there is no 'text'; there is 'id', 'b'"),
        (b"{}", "there is no 'text'; there is nothing"),
        (b'{"text": null}', "'text' is null"),
        (b'{"text": 1}', "'text' is int, expected a text"),
        (b'{"text": [1]}', "'text' is list, expected a text"),
        (b'{"text": "\\ud800"}', "half a surrogate pair"),
    ],
)
def test_reasons_say_what_is_wrong(line: bytes, message: str) -> None:
    status = read_field(np.frombuffer(line, np.uint8), line_offsets(line), NAME).status[0]
    assert message in reason(int(status), line, NAME)


@settings(max_examples=50, deadline=None)
@given(st.lists(objects(), min_size=1, max_size=4), st.booleans())
def test_spliced_rows_have_the_field_and_their_bytes(lines: list[bytes], ends: bool) -> None:
    block = b"\n".join(lines) + b"\n" * ends
    data, offsets = np.frombuffer(block, np.uint8), line_offsets(block)
    fields = [f', "new key": {10**i}'.encode() for i in range(len(lines))]
    field_offsets = np.cumsum([0, *map(len, fields)])
    out = bytes(spliced(data, offsets[:-1], offsets[1:], np.frombuffer(b"".join(fields), np.uint8), field_offsets))
    assert out.endswith(b"\n")
    for i, (before, after) in enumerate(zip(lines, out[:-1].split(b"\n"), strict=True)):
        row = json.loads(before.decode("utf-8", "replace"))
        added = fields[i] if row else fields[i][2:]
        assert repr(json.loads(after.decode("utf-8", "replace"))) == repr({**row, "new key": 10**i})  # NaN is not NaN
        head, _, tail = after.rpartition(added)
        assert head + tail == before


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([mark for mark in MARKS if mark.isprintable() or mark < "~"])
            | st.characters(codec="utf-8"),
            max_size=9,
        ).map("".join)
    )
)
def test_quoted_texts_are_those_of_python(texts: list[str]) -> None:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([3, *map(len, encoded)])
    data, places = quoted(np.frombuffer(b'x"\n' + b"".join(encoded), np.uint8), offsets)
    assert data.tobytes().decode() == "".join(json.dumps(text, ensure_ascii=False) for text in texts)
    assert np.diff(places).tolist() == [len(json.dumps(text, ensure_ascii=False).encode()) for text in texts]
