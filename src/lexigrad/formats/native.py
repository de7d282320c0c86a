"""The native file: a versioned JSON header and 64-byte aligned arrays, memory-mapped on reading.

    0   8 bytes  b"LEXIGRAD"
    8   uint16   format major: a reader refuses a newer one
   10   uint16   format minor: a reader accepts a newer one
   12   uint32   zero
   16   uint64   number of bytes of the JSON header
   24   uint32   CRC-32 of the bytes 0..24 and of the JSON header
   28   JSON     kind, created_by, file_length, arrays, settings
        zeros    up to the next multiple of 64; then each array, little-endian, C order, at a multiple of 64

Everything is little-endian. `docs/file-format.md` describes it byte by byte. There is no pickle, and no number of the
file is believed before it was compared with the file's length.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import secrets
import stat
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError, ParameterError

MAGIC = b"LEXIGRAD"
VERSION = (1, 2)
ALIGNMENT = 64
FIXED = struct.Struct("<8sHHIQI")
CHECKED_FIXED_BYTES = 24  # what the header's CRC covers of the fixed part: all but the CRC itself
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in (
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64"),
    )
}
MAX_DIMENSIONS = 32  # what every NumPy accepts
LARGEST = 2**63 - 1
CHUNK = 1 << 20  # bytes summed while they are in the cache; also how soon Ctrl-C is heard
FASTTEXT_MAGIC = struct.pack("<i", 793712314)
FOREIGN = {
    FASTTEXT_MAGIC: "a fastText model (.bin or .ftz)",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"PK\x03\x04": "a zip archive (.npz, PyTorch)",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\xfd7zXZ\x00": "an xz file",
    b"BZh": "a bzip2 file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"GGUF": "a GGUF model",
    **{bytes((0x80, protocol)): "a Python pickle, which lexigrad never opens" for protocol in range(2, 6)},
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NativeFile:
    """What a native file holds.

    Attributes
    ----------
    kind : what the file is, such as "classifier"
    settings : the JSON object that was stored with it
    arrays : name -> read-only view into the mapped file; the mapping lives as long as any view
    """

    kind: str
    settings: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class ArrayEntry(NamedTuple):
    """Where an array lies in the file, as its header says; checked."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    crc32: int

    @property
    def end(self) -> int:
        """The first byte after the array."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def write_native(
    path: str | os.PathLike[str], kind: str, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write one file of settings and arrays, whole or not at all.

    The file is written beside `path` under a temporary name and then renamed over it, so a reader sees the old file or
    the new one, and a file that is mapped stays readable after it was replaced. The temporary file is removed on any
    failure.

    Parameters
    ----------
    path : where to write; its folder must exist
    kind : what the file is, read back as `NativeFile.kind`
    settings : JSON values under string keys (tuples come back as lists)
    arrays : name -> C-contiguous, little-endian array of bool, uint8..uint64, int8..int64 or float16/32/64, any shape.
        They are not copied and must not change until the call returns.

    Raises
    ------
    ParameterError
        An array of another kind, settings that JSON cannot hold, or a `path` whose folder does not exist.
    OSError
        The disk is full, or the folder cannot be written to.

    Notes
    -----
    Each array's CRC-32 is computed while it is written, which costs about 0.25 s per GB beside about 1 s per GB of
    writing.

    Examples
    --------
    >>> import tempfile, os, numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "numbers.lexigrad")
    >>> write_native(path, "numbers", {"unit": "m"}, {"length": np.array([1.5, 2.5])})
    >>> read_native(path).arrays["length"]
    array([1.5, 2.5])
    """
    for name, array in arrays.items():
        _check_array(name, array)
    entries, file_length = _layout(kind, settings, arrays)
    with replacing(Path(path)) as file:
        file.write(bytes(_data_start(len(_header(kind, settings, entries, file_length)))))
        for place, array in enumerate(arrays.values()):
            file.write(bytes(entries[place].offset - file.tell()))
            entries[place] = entries[place]._replace(crc32=_write_array(file, array))
        header = _header(kind, settings, entries, file_length)
        file.seek(0)
        file.write(_fixed(header) + header)


def read_native(path: str | os.PathLike[str], *, verify: bool = False) -> NativeFile:
    """Map a native file and give read-only views of its arrays, without reading them.

    Parameters
    ----------
    path : the file
    verify : compare every array with its stored CRC-32 too, which reads the whole file (about 0.25 s per GB from
        memory). The header is always compared with its own.

    Returns
    -------
    NativeFile

    Raises
    ------
    FormatError
        The file is missing, empty, foreign, truncated, damaged, or written in a newer major version of the format.
    OSError
        The file is there and the system does not let it be read.

    Examples
    --------
    >>> import tempfile, os, numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "numbers.lexigrad")
    >>> write_native(path, "numbers", {"unit": "m"}, {"length": np.array([1.5, 2.5])})
    >>> read_native(path, verify=True).settings
    {'unit': 'm'}
    """
    name = os.fspath(path)
    mapped = map_file(name, "a lexigrad file")
    try:
        header, data_start = _read_header(mapped)
        kind, settings, entries = _parse_header(header, data_start, len(mapped))
        if verify:
            _verify(mapped, entries, data_start)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None
    return NativeFile(kind, settings, {entry.name: _view(mapped, entry) for entry in entries})


def is_native(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a file that begins with the native format's magic bytes; False where there is no file."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def looks_like(start: bytes) -> str:
    """What a foreign file is, judged by its first bytes; the empty string where they tell nothing.

    Examples
    --------
    >>> looks_like(b"__label__spam buy now")
    'a text file'
    """
    for prefix, what in FOREIGN.items():
        if start.startswith(prefix):
            return what
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:
        return "a safetensors file"
    return "a text file" if _is_text(start) else ""


# ------------------------------------------------------------------------------------------------------------- writing


def _check_array(name: str, array: NDArray[Any]) -> None:
    if DTYPES.get(array.dtype.name) != array.dtype:
        raise ParameterError(
            f"array {name!r} has dtype {array.dtype.str!r}, which a lexigrad file does not hold; "
            f"convert it to one of {', '.join(DTYPES)}, little-endian"
        )
    if not array.flags.c_contiguous:
        raise ParameterError(f"array {name!r} is not C-contiguous; pass np.ascontiguousarray(...) of it")
    if array.ndim > MAX_DIMENSIONS:
        raise ParameterError(
            f"array {name!r} has {array.ndim} dimensions; a lexigrad file holds at most {MAX_DIMENSIONS}"
        )


def _layout(kind: str, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> tuple[list[ArrayEntry], int]:
    """Where each array goes, and the file's length.

    The offsets stand in the header and depend on its length, which depends on their digits: the start of the data grows
    from 0 until the header fits before it.
    """
    start = -1
    needed = 0
    while start < needed:
        start = needed
        entries = _placed(arrays, start)
        file_length = entries[-1].end if entries else start
        needed = _data_start(len(_header(kind, settings, entries, file_length)))
    return entries, file_length


def _placed(arrays: Mapping[str, NDArray[Any]], start: int) -> list[ArrayEntry]:
    entries = []
    for name, array in arrays.items():
        entries.append(ArrayEntry(name, array.dtype, array.shape, start, 0))
        start = _aligned(entries[-1].end)
    return entries


def _header(kind: str, settings: Mapping[str, Any], entries: list[ArrayEntry], file_length: int) -> bytes:
    """The JSON header; its length does not depend on the checksums."""
    document = {
        "kind": kind,
        "created_by": _created_by(),
        "file_length": file_length,
        "arrays": [
            {
                "name": entry.name,
                "dtype": entry.dtype.name,
                "shape": entry.shape,
                "offset": entry.offset,
                "crc32": f"{entry.crc32:08x}",
            }
            for entry in entries
        ],
        "settings": dict(settings),
    }
    try:
        _check_keys(settings)
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ParameterError(f"the settings of a lexigrad file must be finite JSON values: {error}") from error


def _check_keys(value: Any) -> None:
    """JSON would turn the key 1 into "1" without a word."""
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"the key {wrong[0]!r} is not a string")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check_keys(item)


def _created_by() -> str:
    try:
        return f"lexigrad {metadata.version('lexigrad')}"
    except metadata.PackageNotFoundError:  # run from a source tree that was never installed
        return "lexigrad"


def _fixed(header: bytes) -> bytes:
    fixed = FIXED.pack(MAGIC, *VERSION, 0, len(header), 0)[:CHECKED_FIXED_BYTES]
    return fixed + struct.pack("<I", _header_crc(fixed, header))


def _header_crc(fixed: bytes, header: bytes) -> int:
    return zlib.crc32(header, zlib.crc32(fixed[:CHECKED_FIXED_BYTES]))


def _write_array(file: BinaryIO, array: NDArray[Any]) -> int:
    """Write the array's bytes, give their CRC-32; large arrays are written by two threads while this one sums."""
    crc = 0
    if array.nbytes < 16 * CHUNK or not hasattr(os, "pwrite"):
        for chunk in _chunks(array):
            file.write(chunk)
            crc = zlib.crc32(chunk, crc)
        return crc
    file.flush()
    start = file.tell()
    with ThreadPoolExecutor(2) as pool:
        writes = [
            pool.submit(_write_at, file.fileno(), chunk, start + place * CHUNK)
            for place, chunk in enumerate(_chunks(array))
        ]
        for chunk in _chunks(array):
            crc = zlib.crc32(chunk, crc)
        for write in writes:
            write.result()
    file.seek(start + array.nbytes)
    return crc


def _write_at(descriptor: int, chunk: memoryview, place: int) -> None:
    while chunk:
        written = os.pwrite(descriptor, chunk, place)
        chunk, place = chunk[written:], place + written


def _chunks(array: NDArray[Any]) -> Iterator[memoryview]:
    flat = array.reshape(-1).view(np.uint8)
    for start in range(0, len(flat), CHUNK):
        yield flat[start : start + CHUNK].data


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends, and vanishes when it fails."""
    if not path.parent.is_dir():
        raise ParameterError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise ParameterError(f"cannot write {path}: it is a folder; name a file in it")
    temporary = path.parent / f".lexigrad-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C too must leave nothing behind
        temporary.unlink(missing_ok=True)
        raise


# ------------------------------------------------------------------------------------------------------------- reading


def map_file(name: str, what: str) -> mmap.mmap:
    """Map a file, or say why it is not `what`."""
    try:
        mode = os.stat(name).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FormatError(f"no such file: {name}") from None
    if not stat.S_ISREG(mode):
        raise FormatError(f"{name}: is a {'folder' if stat.S_ISDIR(mode) else 'device or pipe'}, not {what}")
    with open(name, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise FormatError(f"{name}: is empty, not {what}")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_header(mapped: mmap.mmap) -> tuple[bytes, int]:
    """The JSON header's bytes, checked against their CRC-32, and where the arrays may begin."""
    _check_magic(mapped[:4096])
    if len(mapped) < FIXED.size:
        raise FormatError(
            f"is truncated: {len(mapped)} bytes, fewer than the {FIXED.size} that every lexigrad file begins with"
        )
    _, major, minor, reserved, header_length, crc = FIXED.unpack(mapped[: FIXED.size])
    _check_version(major, minor)
    if header_length > len(mapped) - FIXED.size:
        raise FormatError(
            f"is truncated or damaged: its header needs {header_length:,} bytes and {len(mapped):,} are there"
        )
    header = mapped[FIXED.size : FIXED.size + header_length]
    if _header_crc(mapped[: FIXED.size], header) != crc:
        raise FormatError("has a damaged header (its CRC-32 does not match); get the file again")
    if reserved and minor <= VERSION[1]:
        raise FormatError(f"has a damaged header (bytes 12 to 15 hold {reserved}, not 0)")
    data_start = _data_start(header_length)
    if any(mapped[FIXED.size + header_length : data_start]):
        raise FormatError("has a damaged header (the padding after it is not zero)")
    return header, data_start


def _check_magic(start: bytes) -> None:
    if start.startswith(MAGIC):
        return
    if MAGIC.startswith(start):
        raise FormatError(f"is truncated: {len(start)} bytes, the beginning of a lexigrad file")
    what = looks_like(start)
    raise FormatError(f"is not a lexigrad file, it {f'looks like {what}' if what else 'does not begin with LEXIGRAD'}")


def _check_version(major: int, minor: int) -> None:
    if major > VERSION[0]:
        raise FormatError(
            f"was written by a newer lexigrad (format {major}.{minor}, this one reads {VERSION[0]}.x): upgrade lexigrad"
        )
    if major < 1:
        raise FormatError(f"has a damaged header (format {major}.{minor} never existed)")


def _is_text(start: bytes) -> bool:
    for cut in range(4):  # the last character may be cut in the middle
        try:
            text = start[: len(start) - cut].decode()
        except UnicodeDecodeError:
            continue
        return bool(text) and all(character >= " " or character.isspace() for character in text)
    return False


def _parse_header(header: bytes, data_start: int, file_length: int) -> tuple[str, dict[str, Any], list[ArrayEntry]]:
    document = _loads(header)
    if not isinstance(document, dict):
        raise FormatError(f"has a header that is a JSON {type(document).__name__}, not an object")
    stated = _whole(document, "file_length")
    if stated != file_length:
        what = "truncated" if file_length < stated else "followed by foreign bytes"
        raise FormatError(f"is {what}: it has {file_length:,} bytes and its header says {stated:,}")
    entries = [_entry(item, file_length) for item in _field(document, "arrays", list)]
    _check_places(entries, data_start)
    return _field(document, "kind", str), _field(document, "settings", dict), entries


def _loads(header: bytes) -> Any:
    try:
        return json.loads(header.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise FormatError(f"has a header that is not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _field(document: dict[str, Any], key: str, expected: type[T]) -> T:
    """A value of exactly the expected type: JSON's true is no integer."""
    value = document.get(key)
    if type(value) is not expected:
        found = type(value).__name__ if key in document else "missing"
        raise FormatError(f"has a header whose {key!r} is {found}; expected {expected.__name__}")
    return value


def _whole(document: dict[str, Any], key: str) -> int:
    value = _field(document, key, int)
    if not 0 <= value <= LARGEST:  # JSON's integers have no bound, and Python does not print those of 4,301 digits
        raise FormatError(f"has a header whose {key!r} is negative or too large for any file")
    return value


def _entry(item: Any, file_length: int) -> ArrayEntry:
    """One item of the header's array list, every number compared with the file's length."""
    if not isinstance(item, dict):
        raise FormatError(f"has a header whose 'arrays' hold a {type(item).__name__}; expected objects")
    name = _field(item, "name", str)
    dtype = DTYPES.get(_field(item, "dtype", str))
    if dtype is None:
        raise FormatError(f"has an array {name!r} of unknown dtype {item['dtype']!r}; known are {', '.join(DTYPES)}")
    entry = ArrayEntry(name, dtype, _shape(item, name, dtype.itemsize), _whole(item, "offset"), _crc32(item, name))
    if entry.end > file_length:
        raise FormatError(
            f"has an array {name!r} that would lie at bytes {entry.offset:,} to {entry.end:,} of {file_length:,}"
        )
    if entry.offset % ALIGNMENT:
        raise FormatError(f"has an array {name!r} at byte {entry.offset:,}, which is not a multiple of {ALIGNMENT}")
    return entry


def _shape(item: dict[str, Any], name: str, itemsize: int) -> tuple[int, ...]:
    shape = tuple(_field(item, "shape", list))
    if len(shape) > MAX_DIMENSIONS or not all(type(size) is int and size >= 0 for size in shape):
        raise FormatError(
            f"has an array {name!r} whose shape is not a list of at most {MAX_DIMENSIONS} whole numbers, none negative"
        )
    if math.prod(max(size, 1) for size in shape) * itemsize > LARGEST:  # NumPy refuses these even where a size is 0
        raise FormatError(f"has an array {name!r} whose shape is too large for any machine")
    return shape


def _crc32(item: dict[str, Any], name: str) -> int:
    digits = _field(item, "crc32", str)
    if len(digits) != 8 or not set(digits) <= set("0123456789abcdef"):
        raise FormatError(f"has an array {name!r} whose crc32 is not eight hexadecimal digits")
    return int(digits, 16)


def _check_places(entries: list[ArrayEntry], data_start: int) -> None:
    twice = [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]
    if twice:
        raise FormatError(f"has two arrays named {twice[0]!r}")
    if entries and entries[0].offset < data_start:
        raise FormatError(f"has an array {entries[0].name!r} that overlaps the header")
    for before, after in pairwise(entries):
        if after.offset < before.end:
            raise FormatError(f"has an array {after.name!r} that overlaps or precedes {before.name!r}")


def _verify(mapped: mmap.mmap, entries: list[ArrayEntry], data_start: int) -> None:
    """Read everything after the header: each array has its CRC-32, and there are zeros between them."""
    end = data_start
    for entry in entries:
        if any(mapped[end : entry.offset]):
            raise FormatError(f"is damaged: the padding before array {entry.name!r} is not zero")
        if _crc(_view(mapped, entry)) != entry.crc32:
            raise FormatError(f"is damaged: array {entry.name!r} does not match its CRC-32; get the file again")
        end = entry.end


def _crc(array: NDArray[Any]) -> int:
    crc = 0
    for chunk in _chunks(array):
        crc = zlib.crc32(chunk, crc)
    return crc


def _view(mapped: mmap.mmap, entry: ArrayEntry) -> NDArray[Any]:
    return np.ndarray(entry.shape, entry.dtype, buffer=mapped, offset=entry.offset)


def _data_start(header_length: int) -> int:
    return _aligned(FIXED.size + header_length)


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT
