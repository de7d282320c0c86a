"""The arrays of trained vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.text.subwords import Subwords
from lexigrad.text.words import Words, encoded


@dataclass(frozen=True)
class FittedVectors:
    """The arrays of trained vectors.

    Attributes
    ----------
    items : the words, by falling count
    counts : (n_words,) int64
    given : (n_words, dim) float32, the mean of the rows of each word; None where `vectors` makes it when it is first asked for
    input : (n_rows, dim) float32, the rows, at any byte of a mapped file
    output : (n_words, dim) float32, what is trained with them, for training on: of the centres, or of inner nodes; None if unknown
    subwords : which rows make up a word
    facts : what training met
    """

    items: Sequence[Any]
    counts: NDArray[np.int64]
    given: NDArray[np.float32] | None
    input: NDArray[np.float32]
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
        return self._composed() if self.given is None else self.given

    def vector(self, place: int) -> NDArray[np.float32]:
        """Return the vector of one word, without making all others."""
        if self.given is not None or "vectors" in self.__dict__:
            return self.vectors[place]
        rows = np.append(place, self.subwords.rows_of(encoded([self.items[place]])[0]))
        mean: NDArray[np.float32] = self.input[rows].mean(axis=0)
        return mean

    def _composed(self) -> NDArray[np.float32]:
        """Return the mean of the rows of each word, some thousand words at a time."""
        words = self.items if isinstance(self.items, Words) else Words.of_texts(self.items)
        n = len(words)
        vectors = np.empty((n, self.dim), np.float32)
        for first in range(0, n, 8192):
            last = min(first + 8192, n)
            rows, ends = self.subwords.rows_of_all(words.arena, words.offsets[first : last + 1], first)
            vectors[first:last] = means_of_rows(self.input, rows, ends)
        return vectors

    @cached_property
    def unit(self) -> NDArray[np.float32]:
        """The vectors, each of length 1 (a vector of 0 stays)."""
        return normalised(self.vectors)


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors divided by their length; those of 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: NDArray[np.float32] = np.divide(vectors, np.where(lengths > 0, lengths, np.float32(1)), dtype=np.float32)
    return result


def means_of_rows(
    matrix: NDArray[np.float32], rows: NDArray[np.integer], row_ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mean of the rows of each word, some thousand words at a time."""
    means = np.empty((len(row_ends) - 1, matrix.shape[1]), np.float32)
    for first in range(0, len(means), 8192):
        ends = row_ends[first : first + 8193]
        sums = np.add.reduceat(matrix[rows[ends[0] : ends[-1]]], ends[:-1] - ends[0], axis=0)
        means[first : first + 8192] = sums / np.diff(ends)[:, None]
    return means
