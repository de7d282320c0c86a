"""Word vectors as a `.lexigrad` file, and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lexigrad.errors import DataError, FormatError
from lexigrad.formats.fasttext_bin import CodedMatrix
from lexigrad.formats.native import NativeFile, write_native
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.models.matrix_storage import matrix_arrays, stored_matrix, sub_dims
from lexigrad.models.word_vectors import VECTOR_PARAMETERS, WordVectors, check_vector_parameters
from lexigrad.text.subwords import Subwords
from lexigrad.text.words import Words

VECTORS_KIND = "word_vectors"


def save_vectors(fitted: FittedVectors, params: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write trained vectors with their settings; the words must be all str or all int."""
    items = fitted.items
    kinds = {str} if isinstance(items, Words) else {type(item) for item in items}
    if not kinds <= {str} and not kinds <= {int}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(f"a file holds words that are all str or all int, these are {names}: use pickle")
    arrays: dict[str, Any] = {
        "counts": fitted.counts,
        "buckets": fitted.subwords.buckets,
    }
    if fitted.output is not None:
        arrays["output"] = fitted.output
    if kinds <= {int}:
        arrays["items"] = np.array(fitted.items, np.int64)
    else:
        words = items if isinstance(items, Words) else Words.of_texts(items)
        arrays["word_bytes"], arrays["word_offsets"] = words.arena, words.offsets
    if isinstance(fitted.input, CodedMatrix):
        arrays |= matrix_arrays("input", fitted.input)
    else:
        arrays["vectors"] = fitted.vectors
        if fitted.input is not fitted.vectors:
            arrays["input"] = fitted.input
    subwords = fitted.subwords
    settings = {
        "params": {**params, "dim": fitted.dim, "min_n": subwords.min_n, "max_n": subwords.max_n},
        "n_buckets": subwords.n_buckets,
        "sub_dims": sub_dims({"input": fitted.input}),
        "facts": fitted.facts,
    }
    write_native(path, VECTORS_KIND, settings, {name: np.ascontiguousarray(array) for name, array in arrays.items()})


def vectors_of(file: NativeFile, name: str) -> WordVectors:
    """Return the vectors in a native file; every array is compared with every other before it is used."""
    try:
        params = {key: value for key, value in file.settings["params"].items() if key in VECTOR_PARAMETERS}
        check_vector_parameters({**WordVectors().get_params(), **params})
        return WordVectors._restore(params, _fitted(file, params))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(f"{name} is damaged: {error}") from error


def _fitted(file: NativeFile, params: dict[str, Any]) -> FittedVectors:
    arrays = file.arrays
    counts, buckets, output, vectors = arrays["counts"], arrays["buckets"], arrays.get("output"), arrays.get("vectors")
    matrix = vectors if vectors is not None and "input" not in arrays else stored_matrix(file, "input")
    n_words, dim = len(counts), params["dim"]
    if "items" in arrays:
        items: Sequence[Any] = arrays["items"].tolist()
    else:
        offsets, data = arrays["word_offsets"], arrays["word_bytes"]
        whole = offsets.dtype == np.int64 and offsets.ndim == 1 and len(offsets) == n_words + 1
        if (
            not whole
            or offsets[0] != 0
            or offsets[-1] != len(data)
            or data.dtype != np.uint8
            or (np.diff(offsets) < 0).any()
        ):
            raise ValueError("word_offsets do not cut word_bytes into the words")
        items = Words(data, offsets)
    if isinstance(matrix, CodedMatrix) != (vectors is None):
        raise ValueError("it has vectors beside quantised rows, or neither")
    shapes = {"vectors": (vectors, n_words), "input": (matrix, n_words + len(buckets)), "output": (output, n_words)}
    for name, (array, rows) in shapes.items():
        if array is None:
            continue
        dtype = np.float32 if isinstance(array, CodedMatrix) else array.dtype
        if dtype != np.float32 or array.shape != (rows, dim):
            raise ValueError(f"{name} is {dtype} {array.shape}, expected float32 {(rows, dim)}")
    if len(items) != n_words or counts.dtype != np.int64 or buckets.dtype != np.int64 or (np.diff(buckets) <= 0).any():
        raise ValueError("words, counts and buckets do not fit each other")
    n_buckets = int(file.settings["n_buckets"])
    if n_buckets < 1 or (len(buckets) and not (buckets[0] >= 0 and buckets[-1] < n_buckets)):
        raise ValueError("a bucket is outside n_buckets")
    subwords = Subwords(n_words, params["min_n"], params["max_n"], n_buckets, buckets)
    return FittedVectors(items, counts, vectors, matrix, output, subwords, dict(file.settings["facts"]))
