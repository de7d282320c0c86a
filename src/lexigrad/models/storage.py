"""A text classifier as a `.lexigrad` file, and back."""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError
from lexigrad.formats.native import NativeFile, is_native, read_native, write_native
from lexigrad.models.fitted import FittedClassifier, TextReader
from lexigrad.models.parameters import check_parameters
from lexigrad.models.text_classifier import PARAMETERS, TextClassifier
from lexigrad.models.vector_files import form_of, read_vectors
from lexigrad.models.vector_storage import VECTORS_KIND, vectors_of
from lexigrad.models.word_vectors import WordVectors
from lexigrad.text.tokens import tokenizer_code
from lexigrad.text.unicode import UNICODE_VERSION
from lexigrad.text.vocabulary import Vocabulary
from lexigrad.text.words import encoded

KIND = "text_classifier"


def save_classifier(fitted: FittedClassifier, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a trained classifier with its settings."""
    words = fitted.reader.vocabulary
    settings = {
        "params": {**params, **_reader_settings(fitted.reader), "dim": fitted.dim},
        "n_buckets": fitted.reader.n_buckets,
        "several": fitted.several,
        "classes_dtype": fitted.classes.dtype.str,
        "facts": fitted.facts,
    }
    arrays = {
        "word_bytes": words.arena,
        "word_offsets": words.offsets,
        "word_hashes": words.hashes,
        "word_slots": words.slots,
        "word_counts": words.counts,
        "slot_rows": fitted.reader.slot_rows,
        "input": fitted.input,
        "output": fitted.output,
        "label_counts": fitted.label_counts,
        **_class_arrays(fitted.classes),
    }
    write_native(path, KIND, settings, {name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _reader_settings(reader: TextReader) -> dict[str, Any]:
    return {"word_ngrams": reader.word_ngrams, "min_n": reader.min_n, "max_n": reader.max_n}


def _class_arrays(classes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if classes.dtype.kind not in "UO":
        return {"classes": classes}
    names = encoded(map(str, classes))
    offsets = np.concatenate([[0], np.cumsum([len(name) for name in names], dtype=np.int64)]).astype(np.int64)
    return {"class_bytes": np.frombuffer(b"".join(names), np.uint8), "class_offsets": offsets}


def load(path: str | os.PathLike[str]) -> TextClassifier | WordVectors:
    """Open a classifier or word vectors; their arrays stay in the file, memory-mapped and read-only.

    Word vectors are read from the forms of others too, into memory: word2vec's text and binary, GloVe's text, NumPy's .npz, Arrow and Parquet.
    """
    form = None if is_native(path) else form_of(path)
    if form is not None:
        return read_vectors(path, form)
    file, name = read_native(path), os.fspath(path)
    return vectors_of(file, name) if file.kind == VECTORS_KIND else classifier_of(file, name)


def classifier_of(file: NativeFile, name: str) -> TextClassifier:
    """Return the classifier in a native file; every array is compared with every other before it is used."""
    if file.kind != KIND:
        raise FormatError(f"{name} holds a {file.kind}, not a {KIND}")
    try:
        params = {key: value for key, value in file.settings["params"].items() if key in PARAMETERS}
        check_parameters({**TextClassifier().get_params(), **params})
        fitted = _fitted(file, params)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(f"{name} is damaged: {error}") from error
    return TextClassifier._restore(params, fitted)


def _fitted(file: NativeFile, params: dict[str, Any]) -> FittedClassifier:
    arrays, settings = file.arrays, file.settings
    unicode_version = settings["facts"]["unicode_version"]
    if unicode_version != UNICODE_VERSION and params["tokenizer"] == "words":
        raise FormatError(
            f"it was tokenised by the tables of Unicode {unicode_version}, this version has those of {UNICODE_VERSION}"
        )
    words = Vocabulary(
        _typed(arrays, "word_bytes", np.uint8), _typed(arrays, "word_offsets", np.int64), _typed(arrays, "word_hashes", np.uint32),
        _typed(arrays, "word_slots", np.uint64), _typed(arrays, "word_counts", np.int64),
    )  # fmt: skip
    _check_vocabulary(words)
    reader = TextReader(
        tokenizer_code(params["tokenizer"]), words, _typed(arrays, "slot_rows", np.int32), int(settings["n_buckets"]),
        params["word_ngrams"], params["min_n"], params["max_n"],
    )  # fmt: skip
    matrix, output = _typed(arrays, "input", np.float32, 2), _typed(arrays, "output", np.float32, 2)
    counts = _typed(arrays, "label_counts", np.int64)
    classes = _classes(arrays, settings["classes_dtype"])
    _check(len(reader.slot_rows) == len(words) + reader.n_buckets, "slot_rows has not one entry per word and bucket")
    _check(matrix.shape[1] == output.shape[1] == params["dim"] > 0, "input, output and dim differ in length")
    _check(len(classes) == len(output) == len(counts) > 0, "labels, output and label_counts differ in length")
    rows = reader.slot_rows
    _check(
        len(rows) == 0 or (rows.min() >= -1 and rows.max() < len(matrix)), "slot_rows points outside the input matrix"
    )
    uses_ngrams = reader.word_ngrams > 1 or reader.max_n > 0
    _check(reader.n_buckets >= int(uses_ngrams), "n-grams need buckets")
    return FittedClassifier(reader, matrix, output, classes, counts, bool(settings["several"]), dict(settings["facts"]))


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _typed(arrays: dict[str, NDArray[Any]], name: str, dtype: type, ndim: int = 1) -> NDArray[Any]:
    array = arrays[name]
    _check(array.dtype == dtype and array.ndim == ndim, f"{name} is {array.dtype} with {array.ndim} axes")
    return array


def _check_vocabulary(words: Vocabulary) -> None:
    """Make sure that no look-up can leave the arrays or go on for ever."""
    n, slots = len(words.hashes), words.slots
    _check(len(words.offsets) == n + 1 and len(words.counts) == n, "the word arrays differ in length")
    _check(words.offsets[0] == 0 and words.offsets[-1] <= len(words.arena), "word_offsets leave word_bytes")
    _check(bool(np.all(np.diff(words.offsets) >= 0)), "word_offsets fall")
    _check(len(slots) > 0 and len(slots) & (len(slots) - 1) == 0, "word_slots is not a power of two")
    ids = slots & np.uint64(0xFFFFFFFF)
    _check(int(ids.max()) <= n and bool((ids == 0).any()), "word_slots points outside the words or is full")
    _check(bool((slots[ids == 0] == 0).all()), "word_slots has a hash without a word")


def _classes(arrays: dict[str, NDArray[Any]], dtype: str) -> NDArray[Any]:
    if "classes" in arrays:
        _check(arrays["classes"].ndim == 1, "classes is not a list")
        return np.array(arrays["classes"])
    offsets = _typed(arrays, "class_offsets", np.int64)
    data = _typed(arrays, "class_bytes", np.uint8).tobytes()
    _check(
        bool(np.all(np.diff(offsets) >= 0)) and offsets[0] == 0 and offsets[-1] == len(data),
        "class_offsets leave class_bytes",
    )
    names = [data[a:b].decode("utf-8", "surrogateescape") for a, b in itertools.pairwise(offsets)]
    return np.array(names, dtype=object if np.dtype(dtype).kind == "O" else None)
