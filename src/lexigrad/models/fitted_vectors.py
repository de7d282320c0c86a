"""The arrays of trained vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.text.subwords import Subwords


@dataclass(frozen=True)
class FittedVectors:
    """The arrays of trained vectors.

    Attributes
    ----------
    items : the words, by falling count
    counts : (n_words,) int64
    vectors : (n_words, dim) float32, the mean of the rows of each word
    input : (n_rows, dim) float32, the rows
    output : (n_words, dim) float32, what is trained with them, for training on: of the centres, or of inner nodes; None if unknown
    subwords : which rows make up a word
    facts : what training met
    """

    items: Sequence[Any]
    counts: NDArray[np.int64]
    vectors: NDArray[np.float32]
    input: NDArray[np.float32]
    output: NDArray[np.float32] | None
    subwords: Subwords
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def ids(self) -> dict[Any, int]:
        """The position of each word."""
        return {item: i for i, item in enumerate(self.items)}

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
    matrix: NDArray[np.float32], rows: NDArray[np.int32], row_ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mean of the rows of each word, some thousand words at a time."""
    means = np.empty((len(row_ends) - 1, matrix.shape[1]), np.float32)
    for first in range(0, len(means), 8192):
        ends = row_ends[first : first + 8193]
        sums = np.add.reduceat(matrix[rows[ends[0] : ends[-1]]], ends[:-1] - ends[0], axis=0)
        means[first : first + 8192] = sums / np.diff(ends)[:, None]
    return means
