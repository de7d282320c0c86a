"""A text classifier as a `.lexigrad` file, and back."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError
from lexigrad.formats.fasttext_bin import CodedMatrix, is_fasttext, is_old_fasttext
from lexigrad.formats.native import NativeFile, is_native, read_native, write_native
from lexigrad.formats.word2vec import write_text
from lexigrad.models.fasttext_files import label_vectors_of, load_fasttext, save_fasttext, word_vectors_of
from lexigrad.models.fitted import FittedClassifier, TextReader
from lexigrad.models.folding import is_folded
from lexigrad.models.matrix_storage import check, matrix_arrays, stored_matrix, sub_dims, typed
from lexigrad.models.parameters import check_parameters
from lexigrad.models.text_classifier import PARAMETERS, TextClassifier
from lexigrad.models.vector_files import form_of, read_vectors
from lexigrad.models.vector_storage import VECTORS_KIND, vectors_of
from lexigrad.models.word_vectors import WordVectors
from lexigrad.text.kept_buckets import is_table, kept_pairs
from lexigrad.text.tokens import tokenizer_code
from lexigrad.text.unicode import UNICODE_VERSION
from lexigrad.text.vocabulary import Vocabulary, hashes_of
from lexigrad.text.words import encoded

KIND = "text_classifier"


def save_classifier_as(fitted: FittedClassifier, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a trained classifier in the form that the extension says."""
    extension = Path(path).suffix.lower()
    if extension in (".bin", ".ftz"):
        save_fasttext(fitted, params, path)
    elif extension == ".vec":
        write_text(path, *word_vectors_of(fitted.reader, fitted.input))
    elif extension == ".output":
        write_text(path, *label_vectors_of(fitted, params["label_prefix"]))
    else:
        save_classifier(fitted, params, path)


def save_classifier(fitted: FittedClassifier, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a trained classifier with its settings."""
    words = fitted.reader.vocabulary
    settings = {
        "params": {
            **params,
            **_reader_settings(fitted.reader),
            "dim": params["dim"] if fitted.folded else fitted.dim,
            "loss": fitted.loss,
        },
        "n_buckets": fitted.reader.n_buckets,
        "reader_label_prefix": fitted.reader.label_prefix.decode("utf-8", "surrogateescape"),
        "reader_n_labels": fitted.reader.n_labels,
        "sub_dims": sub_dims({"input": fitted.input, "output": fitted.output}),
        "several": fitted.several,
        "classes_dtype": fitted.classes.dtype.str,
        "facts": fitted.facts,
    }
    arrays = {
        "word_bytes": words.arena,
        **_word_arrays(words, "folded" in fitted.facts),
        "slot_rows": fitted.reader.slot_rows,
        "kept": fitted.reader.kept,
        **matrix_arrays("input", fitted.input),
        **matrix_arrays("output", fitted.output),
        "label_counts": fitted.label_counts,
        "label_order": fitted.label_order,
        **_class_arrays(fitted.classes),
    }
    write_native(path, KIND, settings, {name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _word_arrays(words: Vocabulary, folded: bool) -> dict[str, NDArray[Any]]:
    """Return the arrays of a vocabulary beside its bytes; without what can be made of them again for a folded model, which is to be small."""
    if folded and words.offsets[-1] < 1 << 32:
        return {"word_offsets": words.offsets.astype(np.uint32), "word_slots": words.slots}
    return {
        "word_offsets": words.offsets,
        "word_hashes": words.hashes,
        "word_slots": words.slots,
        "word_counts": words.counts,
    }


def _words(arrays: dict[str, NDArray[Any]]) -> Vocabulary:
    """Return the vocabulary in a file; see `_word_arrays`."""
    data, slots = typed(arrays, "word_bytes", np.uint8), typed(arrays, "word_slots", np.uint64)
    if "word_hashes" in arrays:
        offsets, hashes = typed(arrays, "word_offsets", np.int64), typed(arrays, "word_hashes", np.uint32)
        return Vocabulary(data, offsets, hashes, slots, typed(arrays, "word_counts", np.int64))
    offsets = typed(arrays, "word_offsets", np.uint32).astype(np.int64)
    _check_offsets(offsets, len(data))
    return Vocabulary(data, offsets, hashes_of(data, offsets), slots, np.zeros(len(offsets) - 1, np.int64))


def _check_offsets(offsets: NDArray[np.int64], n_bytes: int) -> None:
    """Make sure that strings lie in their bytes, one after another."""
    check(len(offsets) > 0 and offsets[0] == 0 and offsets[-1] <= n_bytes, "word_offsets leave word_bytes")
    check(bool(np.all(np.diff(offsets) >= 0)), "word_offsets fall")


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

    fastText's models (.bin and .ftz, of version 0.1.0 and newer) open likewise. Word vectors are read from other forms too, into memory: word2vec's
    text and binary, GloVe's text, NumPy's .npz, Arrow and Parquet. Raises `FormatError` where the file cannot be read or is none of these.
    """
    try:
        return _opened(path)
    except OSError as error:
        raise FormatError(f"{os.fspath(path)} cannot be read: {error.strerror or error}") from error


def _opened(path: str | os.PathLike[str]) -> TextClassifier | WordVectors:
    if is_fasttext(path) or is_old_fasttext(path):
        return load_fasttext(path)
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
    words = _words(arrays)
    _check_vocabulary(words)
    reader = TextReader(
        tokenizer_code(params["tokenizer"]), words, typed(arrays, "slot_rows", np.int32), int(settings["n_buckets"]),
        params["word_ngrams"], params["min_n"], params["max_n"], typed(arrays, "kept", np.uint64) if "kept" in arrays else np.empty(0, np.uint64),
        settings.get("reader_label_prefix", "").encode("utf-8", "surrogateescape"), int(settings.get("reader_n_labels", 0)),
    )  # fmt: skip
    matrix, output = stored_matrix(file, "input"), stored_matrix(file, "output")
    counts = typed(arrays, "label_counts", np.int64)
    classes = _classes(arrays, settings["classes_dtype"])
    order = typed(arrays, "label_order", np.int32) if "label_order" in arrays else np.empty(0, np.int32)
    loss = params.get("loss", "softmax")
    _check_rows(reader, len(matrix))
    width = matrix.shape[1]
    check(width == output.shape[1] > 0, "input and output differ in length")
    check(width == params["dim"] or "folded" in settings["facts"], "input and dim differ in length")
    check(len(classes) == len(counts) > 0, "labels and label_counts differ in length")
    check(len(output) == len(classes) - (loss == "hierarchical_softmax"), "labels and output differ in length")
    check(
        len(order) == 0 or np.array_equal(np.sort(order), np.arange(len(classes))),
        "label_order is no order of the labels",
    )
    uses_ngrams = reader.word_ngrams > 1 or reader.max_n > 0
    check(reader.n_buckets >= int(uses_ngrams), "n-grams need buckets")
    several, facts = bool(settings["several"]), dict(settings["facts"])
    fitted = FittedClassifier(reader, matrix, output, classes, counts, several, facts, loss, order)
    _check_halves(fitted)
    return fitted


def _check_halves(fitted: FittedClassifier) -> None:
    """Make sure that float16 numbers are those of a folded model: kernels read all other matrices as float32, past their end."""
    halves = [
        not isinstance(matrix, CodedMatrix) and matrix.dtype == np.float16 for matrix in (fitted.input, fitted.output)
    ]
    check(not halves[1] and (not halves[0] or is_folded(fitted)), "a matrix of float16 is not that of a folded model")


def _check_rows(reader: TextReader, n_rows: int) -> None:
    """Make sure that every word and bucket has a row that is there."""
    rows, kept = reader.slot_rows, reader.kept
    check(0 <= reader.n_labels <= len(reader.vocabulary), "there are more labels than strings")
    n_slots = reader.n_words + reader.n_buckets
    if len(kept):
        check(is_table(kept), "kept is full or not of a length that it can have")
        _, kept_rows = kept_pairs(kept)
        most = reader.n_words + (int(kept_rows.max()) + 1 if len(kept_rows) else 0)
        check(len(rows) == 0 and most <= n_rows, "kept points outside the input matrix")
    elif len(rows) == 0:
        check(n_slots <= n_rows, "the input matrix has not one row per word and bucket")
    else:
        check(len(rows) == n_slots, "slot_rows has not one entry per word and bucket")
        check(rows.min() >= -1 and rows.max() < n_rows, "slot_rows points outside the input matrix")


def _check_vocabulary(words: Vocabulary) -> None:
    """Make sure that no look-up can leave the arrays or go on for ever."""
    n, slots = len(words.hashes), words.slots
    check(len(words.offsets) == n + 1 and len(words.counts) == n, "the word arrays differ in length")
    _check_offsets(words.offsets, len(words.arena))
    check(len(slots) > 0 and len(slots) & (len(slots) - 1) == 0, "word_slots is not a power of two")
    ids = slots & np.uint64(0xFFFFFFFF)
    check(int(ids.max()) <= n and bool((ids == 0).any()), "word_slots points outside the words or is full")
    check(bool((slots[ids == 0] == 0).all()), "word_slots has a hash without a word")


def _classes(arrays: dict[str, NDArray[Any]], dtype: str) -> NDArray[Any]:
    if "classes" in arrays:
        check(arrays["classes"].ndim == 1, "classes is not a list")
        return np.array(arrays["classes"])
    offsets = typed(arrays, "class_offsets", np.int64)
    data = typed(arrays, "class_bytes", np.uint8).tobytes()
    check(
        bool(np.all(np.diff(offsets) >= 0)) and offsets[0] == 0 and offsets[-1] == len(data),
        "class_offsets leave class_bytes",
    )
    names = [data[a:b].decode("utf-8", "surrogateescape") for a, b in itertools.pairwise(offsets)]
    return np.array(names, dtype=object if np.dtype(dtype).kind == "O" else None)
