"""The arrays of trained vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.formats.fasttext_bin import CodedMatrix, Matrix
from lexigrad.text.subwords import Subwords
from lexigrad.text.words import Words, encoded

CHUNK = 8192
"""Words whose vectors are composed at a time."""
DECODED_BYTES = 1 << 25
"""The vectors of quantised words are held as numbers where they then take no more than this; of more, some thousand at a time are decoded."""


@dataclass(frozen=True)
class FittedVectors:
    """The arrays of trained vectors.

    Attributes
    ----------
    items : the words, by falling count
    counts : (n_words,) int64
    given : (n_words, dim) float32, the mean of the rows of each word; None where `vectors` makes it when it is first asked for
    input : (n_rows, dim) float32, the rows, at any byte of a mapped file, or quantised; then `given` is None
    output : (n_words, dim) float32, what is trained with them, for training on: of the centres, or of inner nodes; None if unknown
    subwords : which rows make up a word
    facts : what training met
    """

    items: Sequence[Any]
    counts: NDArray[np.int64]
    given: NDArray[np.float32] | None
    input: Matrix
    output: NDArray[np.float32] | None
    subwords: Subwords
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def ids(self) -> dict[Any, int]:
        """The position of each word."""
        return {item: i for i, item in enumerate(self.items)}

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.input.shape[1]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all words, (n_words, dim)."""
        return self.composed(0, len(self.items)) if self.given is None else self.given

    def vector(self, place: int) -> NDArray[np.float32]:
        """Return the vector of one word, without making all others."""
        if self.given is not None or "vectors" in self.__dict__:
            return self.vectors[place]
        if not self.subwords.max_n:
            return self.input[place : place + 1][0]
        rows = np.append(place, self.subwords.rows_of(encoded([self.items[place]])[0]))
        mean: NDArray[np.float32] = self.input[rows].mean(axis=0)
        return mean

    @cached_property
    def _words(self) -> Words:
        """The words as bytes; needed where they have n-grams."""
        return self.items if isinstance(self.items, Words) else Words.of_texts(self.items)

    def composed(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the mean of the rows of each of the words first..stop, made anew, some thousand words at a time."""
        if not self.subwords.max_n:
            return self.input[first:stop]
        words = self._words
        vectors = np.empty((stop - first, self.dim), np.float32)
        for start in range(first, stop, CHUNK):
            last = min(start + CHUNK, stop)
            rows, ends = self.subwords.rows_of_all(words.arena, words.offsets[start : last + 1], start)
            vectors[start - first : last - first] = means_of_rows(self.input, rows, ends)
        return vectors

    @property
    def _in_parts(self) -> bool:
        """Whether the vectors are composed part by part whenever all are needed."""
        large = 4 * len(self.items) * self.dim > DECODED_BYTES
        return isinstance(self.input, CodedMatrix) and large and "vectors" not in self.__dict__

    def all_vectors(self) -> NDArray[np.float32]:
        """Return `vectors`, for use once: of large quantised models they are not held afterwards."""
        return self.composed(0, len(self.items)) if self._in_parts else self.vectors

    def first_units(self, n: int) -> NDArray[np.float32]:
        """Return the vectors of the first `n` words, each of length 1."""
        return normalised(self.composed(0, min(n, len(self.items)))) if self._in_parts else self.unit[:n]

    def cosines(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosines of vectors of length 1, (n, dim), and all words, (n, n_words)."""
        if not self._in_parts:
            return _product(units, self.unit.T)
        n = len(self.items)
        found = np.empty((len(units), n), np.float32)
        for first in range(0, n, CHUNK):
            stop = min(first + CHUNK, n)
            found[:, first:stop] = _product(units, normalised(self.composed(first, stop)).T)
        return found

    @cached_property
    def unit(self) -> NDArray[np.float32]:
        """The vectors, each of length 1 (a vector of 0 stays)."""
        return normalised(self.vectors)


def _product(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a product of matrices without warnings: of small ones, BLAS also multiplies what lies beside them in memory, and drops it."""
    with np.errstate(all="ignore"):
        result: NDArray[np.float32] = one @ other
    return result


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors divided by their length; those of 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: NDArray[np.float32] = np.divide(vectors, np.where(lengths > 0, lengths, np.float32(1)), dtype=np.float32)
    return result


def means_of_rows(matrix: Matrix, rows: NDArray[np.integer], row_ends: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean of the rows of each word, some thousand words at a time."""
    means = np.empty((len(row_ends) - 1, matrix.shape[1]), np.float32)
    for first in range(0, len(means), 8192):
        ends = row_ends[first : first + 8193]
        sums = np.add.reduceat(matrix[rows[ends[0] : ends[-1]]], ends[:-1] - ends[0], axis=0)
        means[first : first + 8192] = sums / np.diff(ends)[:, None]
    return means
