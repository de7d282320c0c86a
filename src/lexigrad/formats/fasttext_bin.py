"""fastText's model file, `.bin` and `.ftz`: read as tables of fields, its matrices left where they lie in the mapped file.

    HEAD         magic number, version, and the settings of the training
    DICTIONARY   how many words and labels there are; then of each its bytes, a zero, its count (int64) and its kind (int8)
    PAIR         of a model that was pruned: a bucket that was kept, and its row after the words
    MATRIX       for the input and then for the output: one byte that says whether it is quantised, then
                 rows, columns and float32 numbers; or CODED, one byte a slice of each row, and QUANTISER, what the bytes stand for

Everything is little-endian and nothing is aligned. A quantised row r is norm(r) times the slices ``centroids[s][codes[r][s]]`` one after another,
each of `sub_dim` numbers, the last perhaps shorter; 256 centroids a slice. Source: fastText's args.cc, dictionary.cc, densematrix.cc,
quantmatrix.cc and productquantizer.cc; H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest Neighbor Search" (PAMI 2011).

A file is not trusted: each count is compared with the bytes that are there before anything is allocated for it.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.errors import DataError, FormatError
from lexigrad.formats.native import map_file, replacing

MAGIC = 793712314
VERSION = 12
VERSIONS = (11, 12)
"""Those with a magic number. Version 11 kept settings of character n-grams for classifiers, which had none."""
LOSSES = {1: "hierarchical_softmax", 2: "negative_sampling", 3: "softmax", 4: "one_vs_all"}
MODELS = {1: "cbow", 2: "skipgram", 3: "supervised"}
CENTROIDS = 256
MOST = 2**31 - 1
LONGEST_NGRAM = 64
"""Of words and of characters: far beyond any use, and small enough that a damaged file cannot make a reader take gigabytes."""

SETTINGS = (
    "dim", "window", "epochs", "min_count", "negatives", "word_ngrams", "loss", "model", "n_buckets", "min_n", "max_n", "lr_update_rate",
)  # fmt: skip
HEAD = np.dtype([*((name, "<i4") for name in ("magic", "version", *SETTINGS)), ("subsample", "<f8")])
DICTIONARY = np.dtype(
    [("size", "<i4"), ("n_words", "<i4"), ("n_labels", "<i4"), ("n_tokens", "<i8"), ("n_kept", "<i8")]
)
PAIR = np.dtype([("bucket", "<i4"), ("row", "<i4")])
MATRIX = np.dtype([("rows", "<i8"), ("columns", "<i8")])
CODED = np.dtype([("normed", "u1"), ("rows", "<i8"), ("columns", "<i8"), ("n_codes", "<i4")])
QUANTISER = np.dtype([("dim", "<i4"), ("n_slices", "<i4"), ("sub_dim", "<i4"), ("last_dim", "<i4")])
ENTRY_REST = 10
"""Bytes of a dictionary entry beside its word: the zero, the count and the kind."""
LIMITS = {
    "dim": (1, MOST), "word_ngrams": (0, LONGEST_NGRAM), "loss": (1, 4), "model": (1, 3), "n_buckets": (0, MOST), "min_n": (0, LONGEST_NGRAM),
    "max_n": (0, LONGEST_NGRAM),
}  # fmt: skip

_U8, _I64 = types.uint8, types.int64


@dataclass(frozen=True, slots=True)
class CodedMatrix:
    """A quantised matrix.

    Attributes
    ----------
    codes : (n_rows, n_slices) uint8
    centroids : (256 * dim,) float32: of slice s those from ``256 * s * sub_dim`` on, one after another
    sub_dim : numbers of a slice; the last has what is left of `dim`
    norm_codes : (n_rows,) uint8, empty where rows have no norm of their own
    norm_centroids : (256,) float32, or empty
    dim : numbers of a row
    """

    codes: NDArray[np.uint8]
    centroids: NDArray[np.float32]
    sub_dim: int
    norm_codes: NDArray[np.uint8]
    norm_centroids: NDArray[np.float32]
    dim: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix that it stands for."""
        return len(self.codes), self.dim

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.integer]) -> CodedMatrix:
        """Return some rows, quantised likewise; for -1 one of zeros, if the centroids have one (`ValueError`)."""
        gone = rows < 0
        norms = self.norm_codes[rows] if len(self.norm_codes) else self.norm_codes
        codes = self.codes[rows]
        if gone.any():
            zero = np.flatnonzero(self.norm_centroids == 0)
            if len(norms) and len(zero):
                norms[gone] = zero[0]
            else:
                codes[gone] = self._zero_codes()
        return CodedMatrix(codes, self.centroids, self.sub_dim, norms, self.norm_centroids, self.dim)

    def _zero_codes(self) -> NDArray[np.uint8]:
        found = np.empty(self.codes.shape[1], np.uint8)
        for s in range(len(found)):
            first, last = s * self.sub_dim, min((s + 1) * self.sub_dim, self.dim)
            zeros = np.flatnonzero(
                ~self.centroids[CENTROIDS * first : CENTROIDS * last].reshape(CENTROIDS, -1).any(axis=1)
            )
            if not len(zeros):
                raise ValueError("a row of zeros has no code: no centroid is 0")
            found[s] = zeros[0]
        return found

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        """Return the numbers of some rows, (n, dim), by a slice or an array of positions."""
        codes = self.codes[rows]
        found = np.empty((len(codes), self.dim), np.float32)
        for s in range(codes.shape[1]):
            first, last = s * self.sub_dim, min((s + 1) * self.sub_dim, self.dim)
            table = self.centroids[CENTROIDS * first : CENTROIDS * last].reshape(CENTROIDS, last - first)
            found[:, first:last] = table[codes[:, s]]
        if len(self.norm_codes):
            found *= self.norm_centroids[self.norm_codes[rows]][:, None]
        return found


Matrix = NDArray[np.float32] | CodedMatrix
"""The numbers of a folded model may be float16 (`lexigrad.models.folding`), which no other has."""


@dataclass(frozen=True, slots=True)
class FastTextFile:
    """What a file holds.

    Attributes
    ----------
    settings : the values of `SETTINGS`, and `subsample`; loss and model by name
    version : of the file
    n_tokens : tokens that training read
    arena, offsets, counts : words and then labels as bytes, (n_words + n_labels + 1,) int64, and their counts
    n_words, n_labels : how many there are of each
    kept : (n, 2) int32, buckets that pruning left and their rows after the words; None where all have a row
    input, output : the matrices
    """

    settings: dict[str, Any]
    version: int
    n_tokens: int
    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    n_words: int
    n_labels: int
    kept: NDArray[np.int32] | None
    input: Matrix
    output: Matrix


# ------------------------------------------------------------------------------------------------------------- reading


class _Reader:
    """A place in the mapped file."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self.bytes = np.frombuffer(mapped, np.uint8)
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return len(self.bytes) - self.at

    def array(self, dtype: Any, n: int, what: str) -> NDArray[Any]:
        """Return a view of the next `n` values, however they are aligned."""
        size = n * np.dtype(dtype).itemsize
        if n < 0 or size > self.left:
            raise FormatError(
                f"is truncated or damaged: {what} would take {size:,} bytes and {self.left:,} are left at byte {self.at:,}"
            )
        found: NDArray[Any] = np.ndarray(n, dtype, self.bytes.data, self.at)
        self.at += size
        return found

    def fields(self, table: np.dtype[Any], what: str) -> dict[str, int | float]:
        """Return the fields of a table by name."""
        return dict(zip(table.names or (), self.array(table, 1, what)[0].item(), strict=True))

    def flag(self, what: str) -> bool:
        """Return the next byte, which is 0 or 1."""
        value = int(self.array(np.uint8, 1, what)[0])
        _check(value <= 1, f"{what} is {value}, which is neither 0 nor 1")
        return bool(value)


def is_fasttext(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a file that begins with fastText's magic number; False where there is no file."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(4) == MAGIC.to_bytes(4, "little")


def is_old_fasttext(path: str | os.PathLike[str]) -> bool:
    """Whether a file looks like one of fastText of 2016, which had no magic number: it begins with the settings."""
    if not os.path.isfile(path) or Path(path).suffix.lower() not in (".bin", ".ftz"):
        return False
    with open(path, "rb") as file:
        start = file.read(4 * len(SETTINGS))
    if len(start) < 4 * len(SETTINGS):
        return False
    settings = dict(zip(SETTINGS, np.frombuffer(start, "<i4").tolist(), strict=True))
    return 1 <= settings["dim"] <= 10_000 and all(low <= settings[name] <= high for name, (low, high) in LIMITS.items())


def read_fasttext(path: str | os.PathLike[str]) -> FastTextFile:
    """Map a `.bin` or `.ftz` file of version 11 or 12; its matrices are views of the file and may be unaligned.

    Raises
    ------
    FormatError
        The file is missing, foreign, truncated, damaged, older than version 11 or newer than 12.
    OSError
        The file is there and the system does not let it be read.
    """
    name = os.fspath(path)
    if is_old_fasttext(path) and not is_fasttext(path):
        raise FormatError(
            f"{name}: looks like a model of fastText before version 0.1.0 (2017), which has no magic number: train it anew"
        )
    mapped = map_file(name, "a fastText model")
    try:
        return _read(_Reader(mapped))
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise FormatError(f"is damaged: {problem}")


def _read(reader: _Reader) -> FastTextFile:
    settings = reader.fields(HEAD, "the settings")
    version = int(settings.pop("version"))
    if settings.pop("magic") != MAGIC:
        raise FormatError("is not a fastText model: it does not begin with fastText's magic number")
    if version not in VERSIONS:
        kind = "a newer fastText" if version > VERSION else "an unknown fastText"
        raise FormatError(f"was written by {kind} (version {version}; versions 11 and 12 are read)")
    for name, (low, high) in LIMITS.items():
        _check(low <= settings[name] <= high, f"{name} is {settings[name]}, expected {low} to {high:,}")
    named: dict[str, Any] = {
        **settings, "loss": LOSSES[int(settings["loss"])], "model": MODELS[int(settings["model"])],
        "word_ngrams": max(1, settings["word_ngrams"]),
    }  # fmt: skip
    supervised = named["model"] == "supervised"
    if version == 11 and supervised:
        named["max_n"] = 0
    if named["max_n"] < named["min_n"]:
        named["max_n"] = 0
    if not supervised:
        named["word_ngrams"] = 1
    ngrams = named["max_n"] > 0 or named["word_ngrams"] > 1
    _check(named["n_buckets"] > 0 or not ngrams, "n-grams need buckets, and there are none")
    words = reader.fields(DICTIONARY, "the sizes of the dictionary")
    arena, offsets, counts = _read_words(reader, words)
    n_words, n_labels, n_kept = int(words["n_words"]), int(words["n_labels"]), int(words["n_kept"])
    _check(n_labels > 0 if supervised else n_words > 0, "there are no labels" if supervised else "there are no words")
    kept = _read_kept(reader, n_kept, named["n_buckets"])
    quantised = reader.flag("the mark of a quantised input")
    _check(quantised or kept is None, "a matrix that is not quantised cannot be pruned")
    rows = n_words + (named["n_buckets"] if kept is None else len(kept))
    least = rows if kept is None else n_words + (int(kept[:, 1].max()) + 1 if len(kept) else 0)
    matrix = _read_matrix(reader, quantised, rows, named["dim"], "the input matrix", least)
    coded_output = reader.flag("the mark of a quantised output")
    output = _read_matrix(
        reader, quantised and coded_output, n_labels if supervised else n_words, named["dim"], "the output matrix"
    )
    _check(reader.left == 0, f"{reader.left:,} bytes follow the last matrix")
    return FastTextFile(
        named, version, int(words["n_tokens"]), arena, offsets, counts, n_words, n_labels, kept, matrix, output
    )


def _read_words(
    reader: _Reader, sizes: dict[str, int | float]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return arena, offsets and counts of all words and labels."""
    n, n_words, n_labels = (int(sizes[name]) for name in ("size", "n_words", "n_labels"))
    _check(min(n_words, n_labels) >= 0 and n == n_words + n_labels, f"{n} is not {n_words} words and {n_labels} labels")
    _check(sizes["n_kept"] >= -1, f"it has {sizes['n_kept']} kept buckets")
    if n * (ENTRY_REST + 1) > reader.left:
        raise FormatError(
            f"is truncated or damaged: {n:,} words would take {n * (ENTRY_REST + 1):,} bytes or more and {reader.left:,} are left"
        )
    offsets, counts = np.zeros(n + 1, np.int64), np.empty(n, np.int64)
    start = reader.at
    from lexigrad.formats.fasttext_words import copy_words, find_words  # compiled when first needed

    done = find_words(reader.bytes, start, n_words, offsets, counts)
    _check(done == n, f"entry {done:,} of the dictionary is cut off, empty or of the wrong kind")
    reader.at = start + int(offsets[-1]) + ENTRY_REST * n
    _check(not n or int(counts.min()) >= 0, "a word has a count below 0")
    arena = np.empty(offsets[-1], np.uint8)
    copy_words(reader.bytes, start, offsets, arena)
    return arena, offsets, counts


def _read_kept(reader: _Reader, n_kept: int, n_buckets: int) -> NDArray[np.int32] | None:
    """Return (bucket, row) of the buckets that pruning left."""
    if n_kept < 0:
        return None
    pairs = reader.array(PAIR, n_kept, "the list of kept buckets")
    kept = np.stack([pairs["bucket"], pairs["row"]], axis=1).astype(np.int32)
    buckets, rows = kept.T
    if n_kept:
        _check(int(buckets.min()) >= 0 and int(buckets.max()) < max(1, n_buckets), "a kept bucket does not exist")
        _check(int(rows.min()) >= 0 and int(rows.max()) < n_kept, "a kept bucket has a row outside the matrix")
        ordered = np.sort(buckets)
        _check(bool((ordered[1:] != ordered[:-1]).all()), "a bucket was kept twice")
    return kept


def _read_matrix(reader: _Reader, coded: bool, rows: int, dim: int, what: str, least: int | None = None) -> Matrix:
    """Return a matrix of the size that all that came before says; from `least` rows on, where kept buckets may share rows."""
    sizes = reader.fields(CODED if coded else MATRIX, f"the size of {what}")
    found = int(sizes["rows"]), int(sizes["columns"])
    if least is not None and least <= found[0] <= rows:
        rows = found[0]
    _check(found == (rows, dim), f"{what} is {found[0]:,} x {found[1]:,}, expected {rows:,} x {dim:,}")
    if not coded:
        numbers: NDArray[np.float32] = reader.array("<f4", rows * dim, what).reshape(rows, dim)
        return numbers
    _check(int(sizes["normed"]) <= 1, f"{what} has a mark that is neither 0 nor 1")
    n_codes = int(sizes["n_codes"])
    codes = reader.array(np.uint8, n_codes, f"the codes of {what}")
    centroids, n_slices, sub_dim = _read_quantiser(reader, dim, what)
    _check(n_codes == rows * n_slices, f"{what} has {n_codes:,} codes, expected {rows:,} rows of {n_slices:,}")
    norm_codes, norm_centroids = np.empty(0, np.uint8), np.empty(0, np.float32)
    if sizes["normed"]:
        norm_codes = reader.array(np.uint8, rows, f"the norms of {what}")
        norm_centroids, *_ = _read_quantiser(reader, 1, f"the norms of {what}")
    return CodedMatrix(codes.reshape(rows, n_slices), centroids, sub_dim, norm_codes, norm_centroids, dim)


def _read_quantiser(reader: _Reader, dim: int, what: str) -> tuple[NDArray[np.float32], int, int]:
    """Return centroids, number of slices and numbers of a slice; the centroids are few, and copied so that they are aligned."""
    sizes = reader.fields(QUANTISER, f"the quantiser of {what}")
    n_slices, sub_dim, last = (int(sizes[name]) for name in ("n_slices", "sub_dim", "last_dim"))
    whole = sizes["dim"] == dim and n_slices >= 1 and 1 <= last <= sub_dim and (n_slices - 1) * sub_dim + last == dim
    _check(whole, f"{what} has {n_slices} slices of {sub_dim} and {last} numbers, expected {dim} in all")
    return reader.array("<f4", CENTROIDS * dim, f"the centroids of {what}").astype(np.float32), n_slices, sub_dim


# ------------------------------------------------------------------------------------------------------------- writing


def write_fasttext(
    path: str | os.PathLike[str], model: FastTextFile, input_rows: NDArray[np.integer] | None = None
) -> None:
    """Write a model as version 12, whole or not at all.

    `input_rows`: the row of ``model.input`` that each row of the file's input matrix is, -1 for one of zeros; None writes them as they are.
    """
    with replacing(Path(path)) as file:
        codes = {
            **model.settings,
            "loss": _code(LOSSES, model.settings["loss"]),
            "model": _code(MODELS, model.settings["model"]),
        }
        _write_fields(file, HEAD, {**codes, "magic": MAGIC, "version": VERSION})
        n_kept = -1 if model.kept is None else len(model.kept)
        sizes = {"size": len(model.counts), "n_tokens": model.n_tokens, "n_kept": n_kept}
        _write_fields(file, DICTIONARY, {**sizes, "n_words": model.n_words, "n_labels": model.n_labels})
        kinds = np.arange(len(model.counts)) >= model.n_words
        entries = np.empty(model.offsets[-1] + ENTRY_REST * len(model.counts), np.uint8)
        from lexigrad.formats.fasttext_words import fill_words  # compiled when first needed

        fill_words(model.arena, model.offsets, model.counts, kinds.view(np.uint8), entries)
        file.write(entries.data)
        if model.kept is not None:
            file.write(np.ascontiguousarray(model.kept, "<i4").tobytes())
        _write_matrix(file, model.input, input_rows)
        _write_matrix(file, model.output, None)


def _code(names: dict[int, str], name: str) -> int:
    return next(code for code, known in names.items() if known == name)


def _write_fields(file: BinaryIO, table: np.dtype[Any], values: dict[str, Any]) -> None:
    file.write(np.array([tuple(values[name] for name in table.names or ())], table).tobytes())


def _write_matrix(file: BinaryIO, matrix: Matrix, rows: NDArray[np.integer] | None) -> None:
    n, columns = matrix.shape
    file.write(bytes([isinstance(matrix, CodedMatrix)]))
    if not isinstance(matrix, CodedMatrix):
        n = n if rows is None else len(rows)
        _write_fields(file, MATRIX, {"rows": n, "columns": columns})
        for first in range(0, n, 65536):
            part = slice(first, min(first + 65536, n))
            numbers = matrix[part] if rows is None else _spread(matrix, rows[part])
            file.write(np.ascontiguousarray(numbers, "<f4").tobytes())
        return
    if matrix.codes.size > MOST:
        raise DataError(
            f"the quantised matrix has {matrix.codes.size:,} codes, and fastText's file holds up to {MOST:,}: quantise with a larger sub_dim or a cutoff"
        )
    normed = len(matrix.norm_codes) > 0
    _write_fields(file, CODED, {"normed": normed, "rows": n, "columns": columns, "n_codes": matrix.codes.size})
    file.write(matrix.codes.tobytes())
    _write_quantiser(file, matrix.centroids, matrix.codes.shape[1], matrix.sub_dim, columns)
    if normed:
        file.write(matrix.norm_codes.tobytes())
        _write_quantiser(file, matrix.norm_centroids, 1, 1, 1)


def _spread(matrix: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float32]:
    found = np.zeros((len(rows), matrix.shape[1]), np.float32)
    found[rows >= 0] = matrix[rows[rows >= 0]]
    return found


def _write_quantiser(file: BinaryIO, centroids: NDArray[np.float32], n_slices: int, sub_dim: int, dim: int) -> None:
    last = dim - (n_slices - 1) * sub_dim
    _write_fields(file, QUANTISER, {"dim": dim, "n_slices": n_slices, "sub_dim": sub_dim, "last_dim": last})
    file.write(np.ascontiguousarray(centroids, "<f4").tobytes())
