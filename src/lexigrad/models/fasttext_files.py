"""Models of fastText: from its file to what a user holds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError, ParameterError
from lexigrad.formats.fasttext_bin import CodedMatrix, FastTextFile, read_fasttext
from lexigrad.models.fitted import FittedClassifier, TextReader
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.models.parameters import LOSSES, check_parameters
from lexigrad.models.text_classifier import TextClassifier
from lexigrad.models.word_vectors import WordVectors, check_vector_parameters
from lexigrad.text.kept_buckets import bucket_table
from lexigrad.text.subwords import Subwords
from lexigrad.text.tokens import WHITESPACE
from lexigrad.text.unicode import UNICODE_VERSION
from lexigrad.text.vocabulary import Vocabulary
from lexigrad.text.words import Words

LABEL_PREFIX = "__label__"
MARKED = re.compile(r"__.+?__")
NEGATIVE_POWER = 0.5
"""fastText draws negatives by the square root of their counts (loss.cc)."""


def load_fasttext(path: str | os.PathLike[str]) -> TextClassifier | WordVectors:
    """Open a `.bin` or `.ftz` file: a classifier or word vectors."""
    file = read_fasttext(path)
    try:
        return _classifier(file) if file.settings["model"] == "supervised" else _vectors(file)
    except FormatError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from None


def _facts(file: FastTextFile) -> dict[str, Any]:
    return {
        "made_by": f"fastText, file version {file.version}",
        "n_tokens": file.n_tokens,
        "unicode_version": UNICODE_VERSION,
    }


def _classifier(file: FastTextFile) -> TextClassifier:
    settings = file.settings
    names = Words(file.arena, file.offsets)[file.n_words :]
    prefix = label_prefix_of(names)
    stripped = [name.removeprefix(prefix) for name in names]
    if len(set(stripped)) < len(stripped):
        raise FormatError("is damaged: a label occurs twice")
    order = np.array(sorted(range(len(names)), key=stripped.__getitem__), np.int64)
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    reader = TextReader(
        WHITESPACE, Vocabulary.from_arrays(file.arena, file.offsets, file.counts), np.empty(0, np.int32), settings["n_buckets"],
        settings["word_ngrams"], settings["min_n"], settings["max_n"], _kept(file), LABEL_PREFIX.encode(), file.n_labels,
    )  # fmt: skip
    nodes = np.arange(len(names) - 2, -1, -1)  # fastText's root is the last
    output = _rows(file.output, nodes if settings["loss"] == "hierarchical_softmax" else order)
    fitted = FittedClassifier(
        reader, file.input, output, _classes([stripped[i] for i in order]), file.counts[file.n_words :][order], False, _facts(file),
        settings["loss"], places,
    )  # fmt: skip
    same = ("dim", "epochs", "min_count", "loss", "word_ngrams", "min_n", "max_n")
    params = {name: settings[name] for name in same}
    params = {name: max(1, value) if name in ("epochs", "min_count") else value for name, value in params.items()}
    buckets = settings["n_buckets"] or None
    params |= {"buckets": buckets, "tokenizer": "whitespace", "label_prefix": prefix}
    _checked(lambda: check_parameters({**TextClassifier().get_params(), **params}, LOSSES))
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


def _rows(matrix: NDArray[np.float32] | CodedMatrix, rows: NDArray[np.int64]) -> NDArray[np.float32] | CodedMatrix:
    """Return some rows of a matrix, quantised if it is."""
    if not isinstance(matrix, CodedMatrix):
        return matrix[rows]
    norms = matrix.norm_codes[rows] if len(matrix.norm_codes) else matrix.norm_codes
    return CodedMatrix(matrix.codes[rows], matrix.centroids, matrix.sub_dim, norms, matrix.norm_centroids, matrix.dim)


def _classes(labels: list[str]) -> NDArray[Any]:
    """Return labels as an array; NumPy gives all strings the width of the longest, which one long label would make huge."""
    wasteful = len(labels) * max(map(len, labels)) > 4 * sum(map(len, labels)) + 65536
    return np.array(labels, dtype=object if wasteful else None)


def _vectors(file: FastTextFile) -> WordVectors:
    settings = file.settings
    n = file.n_words
    if file.kept is None:
        buckets = np.arange(settings["n_buckets"] if settings["max_n"] else 0)
        matrix = file.input[:] if isinstance(file.input, CodedMatrix) else file.input
        matrix = matrix[: n + len(buckets)]
    else:
        order = np.argsort(file.kept[:, 0])
        buckets = file.kept[order, 0].astype(np.int64)
        matrix = _rows(file.input, np.concatenate([np.arange(n), n + file.kept[order, 1]]))[:]
    subwords = Subwords(n, settings["min_n"], settings["max_n"], max(1, settings["n_buckets"]), buckets)
    words = Words(file.arena[: file.offsets[n]], file.offsets[: n + 1])
    fitted = FittedVectors(
        words, file.counts[:n], None if len(buckets) else matrix, matrix, file.output[:], subwords, _facts(file)
    )
    loss = {} if settings["loss"] == "one_vs_all" else {"loss": settings["loss"]}
    params = {
        "model": settings["model"], **loss, "dim": settings["dim"], "window": max(1, settings["window"]), "negatives": max(1, settings["negatives"]),
        "negative_power": NEGATIVE_POWER, "subsample": settings["subsample"], "min_count": max(1, settings["min_count"]), "min_n": settings["min_n"],
        "max_n": settings["max_n"], "buckets": settings["n_buckets"] or None, "epochs": max(1, settings["epochs"]), "gradient": "fasttext",
        "tokenizer": "whitespace",
    }  # fmt: skip
    _checked(lambda: check_vector_parameters({**WordVectors().get_params(), **params}))
    return WordVectors._restore(params, fitted)
