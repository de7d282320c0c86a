"""Models of fastText: from its file to what a user holds, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.formats.fasttext_bin import (
    CENTROIDS,
    PAIR,
    VERSION,
    CodedMatrix,
    FastTextFile,
    Matrix,
    read_fasttext,
    write_fasttext,
)
from lexigrad.models.fitted import FittedClassifier, TextReader
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.models.parameters import check_parameters
from lexigrad.models.text_classifier import TextClassifier
from lexigrad.models.word_vectors import WordVectors, check_vector_parameters
from lexigrad.text.kept_buckets import LEFT_OUT, bucket_table, kept_pairs
from lexigrad.text.subwords import Subwords
from lexigrad.text.tokens import WHITESPACE
from lexigrad.text.unicode import UNICODE_VERSION
from lexigrad.text.vocabulary import Vocabulary
from lexigrad.text.words import Words, encoded

LABEL_PREFIX = "__label__"
MARKED = re.compile(r"__.+?__")
NEGATIVE_POWER = 0.5
"""fastText draws negatives by the square root of their counts (loss.cc)."""


def load_fasttext(path: str | os.PathLike[str]) -> TextClassifier | WordVectors:
    """Open a `.bin` or `.ftz` file: a classifier or word vectors."""
    file = read_fasttext(path)
    try:
        return classifier_of(file) if file.settings["model"] == "supervised" else _vectors(file)
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None


def _facts(file: FastTextFile) -> dict[str, Any]:
    return {
        "made_by": f"fastText, file version {file.version}",
        "n_tokens": file.n_tokens,
        "unicode_version": UNICODE_VERSION,
    }


def reader_of(
    file: FastTextFile, rows: NDArray[np.int32] | None = None, label_prefix: str = LABEL_PREFIX
) -> TextReader:
    """Return how fastText makes rows of text with this model; see `classifier_of` for the arguments."""
    settings = file.settings
    slot_rows = np.empty(0, np.int32) if rows is None else rows
    return TextReader(
        WHITESPACE, Vocabulary.from_arrays(file.arena, file.offsets, file.counts), slot_rows, settings["n_buckets"],
        settings["word_ngrams"], settings["min_n"], settings["max_n"], _kept(file), label_prefix.encode(), file.n_labels,
    )  # fmt: skip


def classifier_of(
    file: FastTextFile, rows: NDArray[np.int32] | None = None, label_prefix: str | None = None
) -> TextClassifier:
    """Return the classifier in a file.

    Parameters
    ----------
    file : of a supervised model
    rows : the row of ``file.input`` that each row of the whole input matrix is, -1 for one of zeros; None where they are the same
    label_prefix : what marks labels; None infers it from the labels, and takes fastText's own for what else a text holds
    """
    settings = file.settings
    names = Words(file.arena, file.offsets)[file.n_words :]
    prefix = label_prefix_of(names) if label_prefix is None else label_prefix
    stripped = [name.removeprefix(prefix) for name in names]
    if len(set(stripped)) < len(stripped):
        raise FormatError("is damaged: a label occurs twice")
    order = np.array(sorted(range(len(names)), key=stripped.__getitem__), np.int64)
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    reader = reader_of(file, rows, LABEL_PREFIX if label_prefix is None else label_prefix)
    nodes = np.arange(len(names) - 2, -1, -1)  # fastText's root is the last
    output = _rows(file.output, nodes if settings["loss"] == "hierarchical_softmax" else order)
    fitted = FittedClassifier(
        reader, file.input, output, _classes([stripped[i] for i in order]), file.counts[file.n_words :][order], False, _facts(file),
        settings["loss"], places,
    )  # fmt: skip
    same = ("dim", "epochs", "min_count", "negatives", "loss", "word_ngrams", "min_n", "max_n")
    params = {name: settings[name] for name in same}
    params = {
        name: max(1, value) if name in ("epochs", "min_count", "negatives") else value for name, value in params.items()
    }
    buckets = settings["n_buckets"] or None
    params |= {"buckets": buckets, "tokenizer": "whitespace", "label_prefix": prefix}
    _checked(lambda: check_parameters({**TextClassifier().get_params(), **params}))
    return TextClassifier._restore(params, fitted)


def _checked(check: Callable[[], None]) -> None:
    try:
        check()
    except ParameterError as error:
        raise FormatError(f"is damaged: {error}") from None


def label_prefix_of(labels: list[str]) -> str:
    """Return what marks labels, which the file does not say: "__label__", or another beginning that all labels share."""
    first, last = min(labels), max(labels)
    shared = first[: next((i for i in range(len(first)) if first[i] != last[i : i + 1]), len(first))]
    if shared.startswith(LABEL_PREFIX) or not shared:
        return LABEL_PREFIX
    marked = MARKED.match(shared)
    if marked:
        return marked[0]
    signs = [i for i, sign in enumerate(shared) if not sign.isalnum()]
    return shared[: signs[-1] + 1] if signs else shared if len(labels) > 1 else LABEL_PREFIX


def _kept(file: FastTextFile) -> NDArray[np.uint64]:
    if file.kept is None:
        return np.empty(0, np.uint64)
    return bucket_table(file.kept[:, 0].astype(np.int64), file.kept[:, 1].astype(np.int64))


def _rows(matrix: Matrix, rows: NDArray[np.integer]) -> Matrix:
    """Return some rows of a matrix, quantised if it is."""
    return matrix.take(rows) if isinstance(matrix, CodedMatrix) else matrix[rows]


def _classes(labels: list[str]) -> NDArray[Any]:
    """Return labels as an array; NumPy gives all strings the width of the longest, which one long label would make huge."""
    wasteful = len(labels) * max(map(len, labels)) > 4 * sum(map(len, labels)) + 65536
    return np.array(labels, dtype=object if wasteful else None)


def _vectors(file: FastTextFile) -> WordVectors:
    settings = file.settings
    n = file.n_words
    if file.kept is None:
        buckets = np.arange(settings["n_buckets"] if settings["max_n"] else 0)
        rows: Any = np.arange(n + len(buckets)) if isinstance(file.input, CodedMatrix) else slice(n + len(buckets))
        matrix = _rows(file.input, rows)
    else:
        if len(file.input) < n + len(file.kept):  # only classifiers do; taken apart they could fill the memory
            raise FormatError("is damaged: buckets of word vectors share rows")
        order = np.argsort(file.kept[:, 0])
        buckets = file.kept[order, 0].astype(np.int64)
        matrix = _rows(file.input, np.concatenate([np.arange(n), n + file.kept[order, 1]]))
    subwords = Subwords(n, settings["min_n"], settings["max_n"], max(1, settings["n_buckets"]), buckets)
    words = Words(file.arena[: file.offsets[n]], file.offsets[: n + 1])
    given = None if len(buckets) or isinstance(matrix, CodedMatrix) else matrix
    output = None if isinstance(matrix, CodedMatrix) else file.output[:]  # training cannot go on from codes
    if output is not None and settings["loss"] == "hierarchical_softmax":  # fastText's root is the last node
        output = np.concatenate([output[: n - 1][::-1], output[n - 1 :]])
    fitted = FittedVectors(words, file.counts[:n], given, matrix, output, subwords, _facts(file))
    loss = {} if settings["loss"] == "one_vs_all" else {"loss": settings["loss"]}
    params = {
        "model": settings["model"], **loss, "dim": settings["dim"], "window": max(1, settings["window"]), "negatives": max(1, settings["negatives"]),
        "negative_power": NEGATIVE_POWER, "subsample": settings["subsample"], "min_count": max(1, settings["min_count"]), "min_n": settings["min_n"],
        "max_n": settings["max_n"], "buckets": settings["n_buckets"] or None, "epochs": max(1, settings["epochs"]), "gradient": "fasttext",
        "tokenizer": "whitespace",
    }  # fmt: skip
    _checked(lambda: check_vector_parameters({**WordVectors().get_params(), **params}))
    return WordVectors._restore(params, fitted)


# ------------------------------------------------------------------------------------------------------------- writing


def save_fasttext(fitted: FittedClassifier, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a classifier as fastText's file, which fastText predicts the same with.

    Raises
    ------
    ParameterError
        If the model has another tokeniser than fastText's, or is to become an .ftz file and is not quantised.
    """
    check_tokenizer(params["tokenizer"], path)
    if Path(path).suffix.lower() == ".ftz" and not isinstance(fitted.input, CodedMatrix):
        raise ParameterError(
            f"{os.fspath(path)}: .ftz is for quantised models, and this one is not: quantize it first, or write it as .bin"
        )
    write_fasttext(path, *file_of(fitted, params))


def file_of(fitted: FittedClassifier, params: dict[str, Any]) -> tuple[FastTextFile, NDArray[np.int32] | None]:
    """Return what fastText's file holds of a classifier with fastText's tokeniser, and the rows of its input; see `classifier_of`."""
    reader = fitted.reader
    arena, offsets, counts = _dictionary(fitted, params["label_prefix"])
    n_labels = len(fitted.classes)
    settings = {
        **_UNUSED, "dim": fitted.dim, "epochs": params["epochs"], "min_count": params["min_count"],
        "negatives": params["negatives"], "word_ngrams": reader.word_ngrams,
        "loss": fitted.loss, "model": "supervised", "n_buckets": reader.n_buckets, "min_n": reader.min_n, "max_n": reader.max_n,
    }  # fmt: skip
    matrix, kept = fitted.input, None
    if not isinstance(matrix, CodedMatrix):
        matrix = matrix.astype(np.float32, copy=False)
    slot_rows: NDArray[np.int32] | None = reader.slot_rows if len(reader.slot_rows) else None
    if len(reader.kept):
        kept = np.stack(kept_pairs(reader.kept), axis=1).astype(np.int32)
    elif isinstance(matrix, CodedMatrix) and slot_rows is not None:
        (matrix, kept), slot_rows = _coded_input(matrix, slot_rows, reader.n_words), None
    file = FastTextFile(
        settings, VERSION, int(fitted.facts.get("n_tokens", counts.sum())), arena, offsets, counts, reader.n_words, n_labels, kept, matrix,
        _output_for_file(fitted),
    )  # fmt: skip
    return file, slot_rows


def _coded_input(
    matrix: CodedMatrix, slot_rows: NDArray[np.int32], n_words: int
) -> tuple[CodedMatrix, NDArray[np.int32] | None]:
    """Return the input matrix and the kept buckets of fastText's file for quantised rows that slots share.

    Either each word and bucket has codes of its own; or, where that takes less, the model is written as a pruned one, in which buckets share them. Then all
    buckets are kept, those that do not occur with one row of zeros: fastText passes over buckets that are not kept, and they have to count in the mean.
    """
    try:
        buckets = slot_rows[n_words:]
        rows, places = np.unique(buckets, return_inverse=True)
        size = matrix.codes.shape[1] + int(len(matrix.norm_codes) > 0)
        if len(buckets) * size <= len(buckets) * PAIR.itemsize + len(rows) * size:
            return matrix.take(slot_rows), None
        kept = np.stack([np.arange(len(buckets)), places], axis=1).astype(np.int32)
        return matrix.take(np.concatenate([slot_rows[:n_words], rows])), kept
    except ValueError as error:
        raise DataError(f"buckets that do not occur cannot be written for fastText: {error}") from None


def check_tokenizer(tokenizer: str, path: str | os.PathLike[str]) -> None:
    """Raise `ParameterError` where fastText could not split texts as a model does."""
    if tokenizer != "whitespace":
        raise ParameterError(
            f"{os.fspath(path)}: this model splits text by the tokenizer {tokenizer!r}, which fastText cannot; train it with "
            "the tokenizer 'whitespace' to write it for fastText"
        )


_UNUSED = {"window": 5, "lr_update_rate": 100, "subsample": 1e-4}
"""Settings that only training would use, as fastText has them by default."""


def _dictionary(
    fitted: FittedClassifier, prefix: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return arena, offsets and counts of the words and then of the labels, these by falling count."""
    words, n = fitted.reader.vocabulary, fitted.reader.n_words
    order = fitted.order
    labels = Words.of(encoded([prefix + str(label) for label in fitted.classes[order].tolist()]))
    if any(len(label) == 0 or b"\0" in label for label in encoded(labels)):
        raise DataError("a label is empty or holds a zero byte, which fastText's file cannot hold")
    named = set(encoded(labels))
    hashes = Vocabulary.from_strings(named).hashes
    both = next(
        (words[i] for i in np.flatnonzero(np.isin(words.hashes[:n], hashes)).tolist() if words[i] in named), None
    )
    if both is not None:
        raise DataError(
            f"{both.decode('utf-8', 'surrogateescape')!r} is a word of the texts and, with its prefix, a label, which fastText's file cannot tell "
            "apart: take it out of the texts, or set another label_prefix"
        )
    arena = np.concatenate([words.arena[: words.offsets[n]], labels.arena])
    offsets = np.concatenate([words.offsets[:n], words.offsets[n] + labels.offsets])
    return arena, offsets, np.concatenate([words.counts[:n], fitted.label_counts[order]])


def _output_for_file(fitted: FittedClassifier) -> Matrix:
    """Return the rows of labels in the file's order; of inner nodes the root last, and a row that is not used."""
    if fitted.loss != "hierarchical_softmax":
        return _rows(fitted.output, fitted.order)
    last = len(fitted.output) - 1
    if isinstance(fitted.output, CodedMatrix):
        return _rows(fitted.output, np.append(np.arange(last, -1, -1), 0))
    output = fitted.output[:]
    return np.concatenate([output[last::-1] if last >= 0 else output, np.zeros((1, fitted.dim), np.float32)])


def save_fasttext_vectors(fitted: FittedVectors, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write word vectors as fastText's file.

    Without output vectors, as of quantised ones, those of the file are 0. If the rows are not quantised, all buckets get a row there, of zeros where no word
    of the vocabulary has an n-gram in it; fastText counts such rows in the mean that is the vector of an unknown word, which makes it shorter, and does
    not turn it.

    Raises
    ------
    DataError
        If a word is empty or holds a zero byte.
    ParameterError
        If they are to become an .ftz file and are not quantised.
    """
    if Path(path).suffix.lower() == ".ftz" and not isinstance(fitted.input, CodedMatrix):
        raise ParameterError(
            f"{os.fspath(path)}: .ftz is for quantised vectors, and these are not: quantize them first, or write a .bin file in the format 'fasttext'"
        )
    write_fasttext(path, *vectors_file_of(fitted, params))


def vectors_file_of(fitted: FittedVectors, params: dict[str, Any]) -> tuple[FastTextFile, NDArray[np.int32] | None]:
    """Return what fastText's file holds of word vectors, and the rows of its input; see `classifier_of`."""
    words = Words.of_texts([str(item) for item in fitted.items])
    if (np.diff(words.offsets) == 0).any() or (words.arena == 0).any():
        raise DataError("a word is empty or holds a zero byte, which fastText's file cannot hold")
    n, subwords = len(words), fitted.subwords
    n_buckets = subwords.n_buckets if subwords.max_n else 0
    settings = {
        "dim": fitted.dim, "window": params["window"], "epochs": params["epochs"], "min_count": params["min_count"],
        "negatives": params["negatives"], "word_ngrams": 1, "loss": params["loss"], "model": params["model"], "n_buckets": n_buckets,
        "min_n": subwords.min_n, "max_n": subwords.max_n, "lr_update_rate": 100, "subsample": float(params["subsample"]),
    }  # fmt: skip
    n_tokens = int(fitted.facts.get("n_tokens", fitted.counts.sum()))
    parts = _coded_parts if isinstance(fitted.input, CodedMatrix) else _plain_parts
    kept, rows, output = parts(fitted, n, n_buckets, params["loss"])
    file = FastTextFile(
        settings, VERSION, n_tokens, words.arena, words.offsets, fitted.counts, n, 0, kept, fitted.input, output
    )
    return file, rows


Parts = tuple[NDArray[np.int32] | None, NDArray[np.int32] | None, Matrix]
"""Kept buckets, the row of each row of the file's input matrix, the output matrix."""


def _plain_parts(fitted: FittedVectors, n: int, n_buckets: int, loss: str) -> Parts:
    buckets = fitted.subwords.buckets
    rows = np.full(n + n_buckets, -1, np.int32)
    rows[:n] = np.arange(n)
    rows[n + buckets] = n + np.arange(len(buckets))
    output = np.zeros((n, fitted.dim), np.float32) if fitted.output is None else fitted.output
    if loss == "hierarchical_softmax":
        output = np.concatenate([output[: n - 1][::-1], output[n - 1 :]])
    return None, rows, output


def _coded_parts(fitted: FittedVectors, n: int, n_buckets: int, loss: str) -> Parts:
    """Return the parts of a quantised file: pruned where buckets have no row, as fastText then passes over them like lexigrad; the output is zeros."""
    buckets = fitted.subwords.buckets
    kept = None
    if len(buckets) < n_buckets:
        kept = np.stack([buckets, np.arange(len(buckets))], axis=1).astype(np.int32)
    nothing = np.zeros(CENTROIDS * fitted.dim, np.float32), fitted.dim, np.empty(0, np.uint8), np.empty(0, np.float32)
    return kept, None, CodedMatrix(np.zeros((n, 1), np.uint8), *nothing, fitted.dim)


def word_vectors_of(reader: TextReader, matrix: Matrix) -> tuple[Words, NDArray[np.float32]]:
    """Return the words of a model and their vectors: the mean of the rows of each word and of its character n-grams."""
    from lexigrad.models.explanation import rows_of

    n = reader.n_words
    words = Words(reader.vocabulary.arena, reader.vocabulary.offsets[: n + 1])
    plain = Subwords(n, reader.min_n, reader.max_n, max(1, reader.n_buckets), np.arange(reader.n_buckets))
    vectors = np.empty((n, matrix.shape[1]), np.float32)
    for first in range(0, n, 8192):
        last = min(first + 8192, n)
        slots, ends = plain.rows_of_all(words.arena, words.offsets[first : last + 1], first)
        rows = rows_of(slots, n, reader.slot_rows, reader.kept)
        numbers = np.zeros((len(rows), matrix.shape[1]), np.float32)
        numbers[rows >= 0] = matrix[rows[rows >= 0]]
        sums = np.add.reduceat(numbers, ends[:-1], axis=0)
        vectors[first:last] = sums / np.add.reduceat((rows != LEFT_OUT).astype(np.int64), ends[:-1])[:, None]
    return words, vectors


def label_vectors_of(fitted: FittedClassifier, prefix: str) -> tuple[Words, NDArray[np.float32]]:
    """Return the labels, by falling count, and their output vectors.

    Raises
    ------
    DataError
        For hierarchical softmax, which has vectors of inner nodes instead.
    """
    if fitted.loss == "hierarchical_softmax":
        raise DataError(
            "with hierarchical softmax labels have no vectors of their own, only the inner nodes of the tree"
        )
    order = fitted.order
    return Words.of_texts(prefix + str(label) for label in fitted.classes[order].tolist()), fitted.output[order]
