"""The native container: round trips, an independent writer by hand, and every way a file can be wrong."""

import io
import json
import mmap
import os
import pickle
import random
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import lexigrad
from lexigrad.errors import FormatError, ParameterError
from lexigrad.formats import native
from lexigrad.formats.native import is_native, looks_like, read_native, write_native

KEPT = Path(__file__).parent / "kept"
SMALL_SETTINGS = {"dim": 3, "name": "ünï"}
SMALL_ARRAYS = {"rows": np.arange(6, dtype=np.float32).reshape(2, 3), "counts": np.array([5, 6, 7], np.int64)}


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.lexigrad"
    write_native(path, "toy", SMALL_SETTINGS, SMALL_ARRAYS)
    return path


def assert_same_arrays(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == np.asarray(array).tobytes()


# A second writer, from docs/file-format.md and not from the code: the oracle, and the maker of wrong files.


def by_hand(document, data=b"", *, version=(1, 2), reserved=0):
    header = document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()
    checked = b"LEXIGRAD" + struct.pack("<HHIQ", *version, reserved, len(header))
    start = checked + struct.pack("<I", zlib.crc32(checked + header)) + header
    return start + b"\0" * (-len(start) % 64) + data


def one_array(**changes):
    """A document of one (2,) float32 array at byte 256 of a file of 264 bytes, with some fields changed or removed."""
    entry = {"name": "a", "dtype": "float32", "shape": [2], "offset": 256, "crc32": f"{zlib.crc32(bytes(8)):08x}"}
    document = {"kind": "toy", "created_by": "by hand", "file_length": 264, "arrays": [entry], "settings": {}}
    for key, value in changes.items():
        place = document if key in document else entry
        place[key] = value
        if value is ...:
            del place[key]
    return document


def padded(document, **options):
    """A file of 264 bytes whose header, whatever its length, is followed by zeros."""
    start = by_hand(document, **options)
    assert len(start) <= 256
    return start + bytes(264 - len(start))


def read_bytes(tmp_path, content, **options):
    path = tmp_path / "by-hand.lexigrad"
    path.write_bytes(content)
    return read_native(path, **options)


# Round trips


def test_a_file_written_by_hand_from_the_documentation_is_read(tmp_path):
    found = read_bytes(tmp_path, padded(one_array(settings={"x": [1, None]})), verify=True)
    assert (found.kind, found.settings) == ("toy", {"x": [1, None]})
    assert_same_arrays(found.arrays, {"a": np.zeros(2, np.float32)})


def test_the_writer_writes_what_the_documentation_says(small):
    content = small.read_bytes()
    length = struct.unpack_from("<Q", content, 16)[0]
    document = json.loads(content[28 : 28 + length])
    first = (28 + length + 63) // 64 * 64
    rows, counts = SMALL_ARRAYS["rows"].tobytes(), SMALL_ARRAYS["counts"].tobytes()
    assert {key: value for key, value in document.items() if key != "created_by"} == {
        "kind": "toy",
        "file_length": first + 64 + 24,
        "arrays": [
            {"name": "rows", "dtype": "float32", "shape": [2, 3], "offset": first, "crc32": f"{zlib.crc32(rows):08x}"},
            {
                "name": "counts",
                "dtype": "int64",
                "shape": [3],
                "offset": first + 64,
                "crc32": f"{zlib.crc32(counts):08x}",
            },
        ],
        "settings": SMALL_SETTINGS,
    }
    assert document["created_by"].startswith("lexigrad")
    assert content == by_hand(document, rows + bytes(64 - len(rows)) + counts)


def test_the_reader_in_the_documentation_reads_our_files(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "file-format.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    write_native("m.lexigrad", "toy", SMALL_SETTINGS, SMALL_ARRAYS)
    names = {"open": lambda path, mode: io.BytesIO(Path(path).read_bytes())}  # the page leaves its file open
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert names["header"]["settings"] == SMALL_SETTINGS
    assert_same_arrays(names["arrays"], SMALL_ARRAYS)


@given(
    arrays=st.dictionaries(
        st.text(max_size=5),
        npst.arrays(
            st.sampled_from(list(native.DTYPES)), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
        ),
        max_size=5,
    ),
    stored=st.dictionaries(
        st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    ),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_round_trip(tmp_path_factory, arrays, stored):
    path = tmp_path_factory.getbasetemp() / "round.lexigrad"
    write_native(path, "any", stored, arrays)
    found = read_native(path, verify=True)
    assert (found.kind, found.settings) == ("any", stored)
    assert_same_arrays(found.arrays, arrays)


def test_the_same_content_gives_the_same_bytes_and_writing_over_keeps_nothing_old(small):
    first = small.read_bytes()
    write_native(small, "other", {"x": "y" * 5000}, {"big": np.ones(5000)})
    write_native(small, "toy", SMALL_SETTINGS, SMALL_ARRAYS)
    assert small.read_bytes() == first


@pytest.mark.parametrize("letters", range(0, 140))
def test_every_header_length_fits_before_the_arrays(tmp_path, letters):
    path = tmp_path / "m.lexigrad"
    arrays = {f"{i:02}": np.full(i % 3, i, np.int16) for i in range(12)}
    write_native(path, "x" * letters, {}, arrays)
    assert_same_arrays(read_native(path, verify=True).arrays, arrays)


def test_arrays_are_aligned_read_only_and_share_the_mapping(small):
    arrays = read_native(small).arrays
    for array in arrays.values():
        assert array.ctypes.data % 64 == 0
        assert not array.flags.writeable
        assert isinstance(array.base, mmap.mmap)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    assert len({id(array.base) for array in arrays.values()}) == 1


def test_the_views_outlive_a_replaced_and_a_deleted_file(small):
    before = read_native(small).arrays
    write_native(small, "toy", {}, {"rows": np.full((2, 3), 9, np.float32)})
    assert_same_arrays(before, SMALL_ARRAYS)
    assert read_native(small).arrays["rows"].tolist() == [[9.0] * 3] * 2
    small.unlink()
    assert_same_arrays(before, SMALL_ARRAYS)


def test_an_array_of_many_chunks_and_a_mapped_array_are_written_whole(tmp_path):
    big = np.random.default_rng(3).integers(0, 256, 2 * native.CHUNK + 17, dtype=np.uint8)
    write_native(tmp_path / "a", "big", {}, {"first": big, "second": big[:5]})
    write_native(tmp_path / "b", "big", {}, read_native(tmp_path / "a").arrays)
    assert_same_arrays(read_native(tmp_path / "b", verify=True).arrays, {"first": big, "second": big[:5]})


def test_opening_does_not_read_the_arrays(tmp_path):
    """A sparse file of 64 GB, more than could be read or allocated here, opens; its last byte is there."""
    document = one_array(shape=[1 << 36], dtype="uint8", file_length=256 + (1 << 36))
    path = tmp_path / "sparse.lexigrad"
    path.write_bytes(by_hand(document))
    try:
        os.truncate(path, 256 + (1 << 36))
    except OSError:
        pytest.skip("this file system has no sparse files of 64 GB")
    array = read_native(path).arrays["a"]
    assert array.shape == (1 << 36,)
    assert array[-1] == 0


def test_the_kept_classifier_of_format_1_1_still_answers(monkeypatch):
    monkeypatch.syspath_prepend(KEPT)
    import make_classifier_1_1 as maker

    path = KEPT / "classifier-1.1.lexigrad"
    assert struct.unpack_from("<HH", path.read_bytes(), 8) == (1, 1)
    clf = lexigrad.load(path)
    assert clf.predict(maker.TEXTS).tolist() == maker.LABELS
    assert clf.fold().predict(maker.TEXTS).tolist() == maker.LABELS


def test_the_kept_file_of_format_1_0_is_still_read(monkeypatch):
    monkeypatch.syspath_prepend(KEPT)
    import make_native_1_0 as maker

    path = KEPT / "native-1.0.lexigrad"
    assert struct.unpack_from("<HH", path.read_bytes(), 8) == (1, 0)
    found = read_native(path, verify=True)
    assert (found.kind, found.settings) == ("kept", maker.SETTINGS)
    assert_same_arrays(found.arrays, maker.ARRAYS)


# Damage


def test_truncated_at_every_byte(small, tmp_path):
    content = small.read_bytes()
    for length in range(len(content)):
        with pytest.raises(FormatError, match=r"truncated|empty"):
            read_bytes(tmp_path, content[:length])


def test_a_longer_file_is_refused(small, tmp_path):
    with pytest.raises(FormatError, match="followed by foreign bytes"):
        read_bytes(tmp_path, small.read_bytes() + b"\0")


@pytest.mark.parametrize("flip", [1, 0x80, 0xFF])
def test_every_changed_byte_is_found_in_the_header_always_and_in_the_arrays_when_asked(small, tmp_path, flip):
    content = small.read_bytes()
    first = read_native_offset(content)
    for place in range(len(content)):
        wrong = bytearray(content)
        wrong[place] ^= flip
        with pytest.raises(FormatError):
            read_bytes(tmp_path, wrong, verify=place >= first)
    assert read_bytes(tmp_path, wrong).settings == SMALL_SETTINGS  # the last one is in an array: not looked at unasked


def read_native_offset(content):
    return (28 + struct.unpack_from("<Q", content, 16)[0] + 63) // 64 * 64


def test_random_damage_raises_a_format_error_or_nothing(small, tmp_path):
    """Several bytes at once, and the header's checksum repaired, so that the checks behind it are reached."""
    generator = random.Random(20)
    content = small.read_bytes()
    length = struct.unpack_from("<Q", content, 16)[0]
    refused = 0
    for _ in range(1500):
        wrong = bytearray(content)
        for _ in range(generator.randint(1, 4)):
            wrong[generator.randrange(8, 28 + length)] = generator.choice(b'0123456789{}[]",:-e\0\xff')
        wrong[24:28] = struct.pack("<I", zlib.crc32(wrong[28 : 28 + length], zlib.crc32(wrong[:24])))
        try:
            read_bytes(tmp_path, wrong)
        except FormatError:
            refused += 1
    assert 500 < refused < 1500


def two_arrays(*names, offsets=(256, 256)):
    sizes = {"dtype": "int8", "shape": [8], "crc32": "00000000"}
    return one_array(arrays=[{"name": n, "offset": o, **sizes} for n, o in zip(names, offsets, strict=True)])


HOSTILE = {
    "negative offset": (one_array(offset=-64), "'offset' is negative or too large"),
    "huge offset": (one_array(offset=2**64), "'offset' is negative or too large"),
    "integer that nobody prints": (b'{"file_length":1' + b"0" * 4299 + b"}", "'file_length' is negative or too large"),
    "integer that nobody parses": (b'{"file_length":' + b"9" * 5000 + b"}", "not JSON: Exceeds the limit"),
    "offset in the header": (one_array(offset=64), "'a' that overlaps the header"),
    "misaligned": (one_array(offset=252), "at byte 252, which is not a multiple of 64"),
    "outside": (one_array(offset=320), "would lie at bytes 320 to 328 of 264"),
    "outside and empty": (one_array(offset=320, shape=[0]), "would lie at bytes 320 to 320 of 264"),
    "ends outside": (one_array(shape=[3]), "would lie at bytes 256 to 268 of 264"),
    "negative size": (one_array(shape=[-2]), "none negative"),
    "two negative sizes": (one_array(shape=[-1, -2]), "none negative"),
    "overflowing shape": (one_array(shape=[2**32, 2**32]), "too large for any machine"),
    "overflow that wraps to 8 bytes": (one_array(shape=[2**62 + 2]), "too large for any machine"),
    "overflow behind a zero": (one_array(shape=[0, 2**62, 2**62]), "too large for any machine"),
    "shape of floats": (one_array(shape=[2.0]), "whole numbers"),
    "shape of booleans": (one_array(shape=[True]), "whole numbers"),
    "shape is a number": (one_array(shape=2), "'shape' is int; expected list"),
    "too many dimensions": (one_array(shape=[1] * 33, name=""), "at most 32"),
    "object dtype": (one_array(dtype="object"), "unknown dtype 'object'"),
    "pickled dtype": (one_array(dtype="|O"), "unknown dtype"),
    "structured dtype": (one_array(dtype=[["a", "int8"]]), "'dtype' is list; expected str"),
    "big-endian": (one_array(dtype=">f4"), "unknown dtype '>f4'"),
    "complex": (one_array(dtype="complex64"), "unknown dtype"),
    "no name": (one_array(name=...), "'name' is missing; expected str"),
    "name is a number": (one_array(name=7), "'name' is int; expected str"),
    "no crc32": (one_array(crc32=...), "'crc32' is missing; expected str"),
    "crc32 too long": (one_array(crc32="000000000"), "eight hexadecimal digits"),
    "crc32 in capitals": (one_array(crc32="0000000A"), "eight hexadecimal digits"),
    "arrays is an object": (one_array(arrays={}), "'arrays' is dict; expected list"),
    "an array is a list": (one_array(arrays=[[]]), "'arrays' hold a list; expected objects"),
    "same name twice": (two_arrays("a", "a"), "two arrays named 'a'"),
    "overlap": (two_arrays("a", "b"), "'b' that overlaps or precedes 'a'"),
    "backwards": (two_arrays("a", "b", offsets=(256, 192)), "'b' that overlaps or precedes 'a'"),
    "kind is null": (one_array(kind=None), "'kind' is NoneType; expected str"),
    "no settings": (one_array(settings=...), "'settings' is missing; expected dict"),
    "settings is a list": (one_array(settings=[]), "'settings' is list; expected dict"),
    "length is true": (one_array(file_length=True), "'file_length' is bool; expected int"),
    "length is text": (one_array(file_length="264"), "'file_length' is str; expected int"),
    "length too large": (one_array(file_length=265), "is truncated: it has 264 bytes and its header says 265"),
    "length too small": (one_array(file_length=263), "followed by foreign bytes: it has 264 bytes"),
    "length is negative": (one_array(file_length=-1), "'file_length' is negative"),
    "NaN": (json.dumps(one_array(settings={"x": float("nan")})).encode(), "NaN is not JSON"),
    "a key twice": (b'{"kind":"a","kind":"b"}', "a key occurs twice"),
    "a list": (b"[]", "a JSON list, not an object"),
    "a number": (b"1", "a JSON int, not an object"),
    "no bytes": (b"", "not JSON"),
    "Python, not JSON": (b"{'kind': 1}", "not JSON"),
    "invalid UTF-8": (b'{"kind":"\xff"}', "not JSON"),
    "deep": (b"[" * 100_000, "not JSON"),
}


@pytest.mark.parametrize(("document", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_with_a_valid_checksum_is_refused(tmp_path, document, message):
    content = by_hand(document) if len(document) > 1000 else padded(document)
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read_bytes(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path))
    assert len(str(caught.value)) < 500


def test_a_header_longer_than_the_file_is_refused_before_it_is_read(tmp_path):
    content = bytearray(padded(one_array()))
    content[16:24] = struct.pack("<Q", 2**64 - 1)
    with pytest.raises(FormatError, match="its header needs 18,446,744,073,709,551,615 bytes and 264 are there"):
        read_bytes(tmp_path, content)


def test_nothing_is_pickled_or_unpickled(small, monkeypatch, tmp_path):
    for name in ("load", "loads", "dump", "dumps"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("pickle was used"))
    write_native(tmp_path / "m", "toy", SMALL_SETTINGS, SMALL_ARRAYS)
    assert read_native(tmp_path / "m", verify=True).settings == SMALL_SETTINGS


# Versions


def test_a_newer_major_version_is_refused_even_where_nothing_else_is_understood(tmp_path):
    with pytest.raises(FormatError, match=r"newer lexigrad \(format 2\.0, this one reads 1\.x\): upgrade"):
        read_bytes(tmp_path, padded(b"\x93 no JSON", version=(2, 0)))


def test_a_newer_minor_version_is_read_and_what_it_adds_is_ignored(tmp_path):
    content = padded(one_array(settings={"x": 1}) | {"new": []}, version=(1, 7), reserved=5)
    assert read_bytes(tmp_path, content, verify=True).settings == {"x": 1}


def test_version_0_and_a_used_reserved_field_are_damage(tmp_path):
    with pytest.raises(FormatError, match=r"format 0\.9 never existed"):
        read_bytes(tmp_path, padded(one_array(), version=(0, 9)))
    with pytest.raises(FormatError, match="bytes 12 to 15 hold 5"):
        read_bytes(tmp_path, padded(one_array(), reserved=5))


# Foreign files


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"__label__spam buy now\n", "a text file"),
        ("東京タワー".encode()[:-1], "a text file"),
        (pickle.dumps({"a": 1}), "a Python pickle"),
        (struct.pack("<ii", 793712314, 12) + bytes(100), "a fastText model"),
        (b"PK\x03\x04" + bytes(30), "a zip archive"),
        (struct.pack("<Q", 40) + b'{"a":{}}' + bytes(40), "a safetensors file"),
        (b"PAR1" + bytes(30), "a Parquet file"),
        (bytes(range(200, 256)), "does not begin with LEXIGRAD"),
        (bytes(64), "does not begin with LEXIGRAD"),
        (b"lexigrad" + bytes(64), "does not begin with LEXIGRAD"),
    ],
)
def test_a_foreign_file_is_named(tmp_path, content, what):
    with pytest.raises(FormatError, match=f"is not a lexigrad file, it (looks like )?{what}"):
        read_bytes(tmp_path, content)
    assert not is_native(tmp_path / "by-hand.lexigrad")


def test_a_numpy_file_is_named(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(3))
    assert looks_like((tmp_path / "a.npy").read_bytes()) == "a NumPy array (.npy)"


def test_what_is_no_file(tmp_path):
    with pytest.raises(FormatError, match=r"no such file: .*missing"):
        read_native(tmp_path / "missing")
    with pytest.raises(FormatError, match="is a folder"):
        read_native(tmp_path)
    with pytest.raises(FormatError, match="is empty"):
        read_bytes(tmp_path, b"")
    assert not is_native(tmp_path / "missing")
    assert not is_native(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="device or pipe"):
        read_native(tmp_path / "pipe")
    assert not is_native(tmp_path / "pipe")


def test_is_native(small):
    assert is_native(small)
    assert is_native(str(small))


# Writing


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{}], object), "dtype '|O'"),
        (np.ones(3, ">f4"), "dtype '>f4'"),
        (np.ones(3, np.complex64), "dtype '<c8'"),
        (np.array(["a"]), "dtype '<U1'"),
        (np.zeros(2, "datetime64[s]"), "dtype"),
        (np.zeros(2, [("a", "i4")]), "dtype"),
        (np.ones((4, 4), np.float32)[:, :2], "not C-contiguous"),
        (np.ones((4, 4), np.float32).T[:3], "not C-contiguous"),
    ],
)
def test_arrays_that_the_format_does_not_hold(tmp_path, array, message):
    with pytest.raises(ParameterError, match=message):
        write_native(tmp_path / "m", "toy", {}, {"good": np.ones(1), "bad": array})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("wrong", [{"x": float("nan")}, {"x": {1}}, {"x": [{1: 2}]}, {3: 4}, {"x": b"bytes"}])
def test_settings_that_json_does_not_hold(tmp_path, wrong):
    with pytest.raises(ParameterError, match="finite JSON values"):
        write_native(tmp_path / "m", "toy", wrong, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(small, monkeypatch, failure):
    before = small.read_bytes()
    calls = []

    def crc32(data, start=0):
        calls.append(os.listdir(small.parent))
        raise failure

    monkeypatch.setattr(native, "zlib", type("zlib", (), {"crc32": staticmethod(crc32)}))
    with pytest.raises(type(failure) if isinstance(failure, OSError) else failure):
        write_native(small, "toy", {}, {"a": np.ones(3)})
    assert len(calls[0]) == 2  # the temporary file was there, beside the old one
    assert os.listdir(small.parent) == [small.name]
    assert small.read_bytes() == before


def test_where_a_file_cannot_be_written(tmp_path):
    with pytest.raises(ParameterError, match="there is no folder"):
        write_native(tmp_path / "missing" / "m", "toy", {}, {})
    with pytest.raises(ParameterError, match="is a folder"):
        write_native(tmp_path, "toy", {}, {})


def test_the_file_has_ordinary_permissions_and_a_bare_name_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_native("bare", "toy", {}, {})
    Path("plain").touch()
    assert os.stat("bare").st_mode == os.stat("plain").st_mode
    assert read_native("bare").arrays == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_writing_a_big_array_does_not_copy_it(tmp_path):
    import tracemalloc

    big = np.zeros(64 << 20, np.uint8)
    tracemalloc.start()
    write_native(tmp_path / "big", "big", {}, {"big": big})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20
