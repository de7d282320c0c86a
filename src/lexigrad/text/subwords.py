"""The rows that make up the vector of each word: its own, and those of the buckets of its character n-grams.

Only buckets that some word of the vocabulary uses have a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lexigrad.text.ngrams import character_ngrams
from lexigrad.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Subwords:
    """How words, known and unknown, are made of rows.

    Attributes
    ----------
    n_words : rows 0..n_words - 1 are the words' own
    min_n, max_n : shortest and longest character n-gram; max_n = 0 for none
    n_buckets : n-grams are hashed into so many buckets
    buckets : (n,) int64, rising: the buckets that have a row; bucket ``buckets[i]`` has row ``n_words + i``
    """

    n_words: int
    min_n: int
    max_n: int
    n_buckets: int
    buckets: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.n_words + len(self.buckets)

    def rows_of(self, word: bytes) -> NDArray[np.int64]:
        """Return the rows of the n-grams of any word that have one."""
        if not self.max_n:
            return np.empty(0, np.int64)
        values, _ = character_ngrams(np.frombuffer(word, np.uint8), np.array([0, len(word)]), self.min_n, self.max_n)
        rows = self._rows(values)
        return rows[rows >= 0]

    def rows_of_all(
        self, arena: NDArray[np.uint8], offsets: NDArray[np.int64], first: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (rows, row_ends) of some known words, the own row of each first; the word at ``offsets[0]`` has the id `first`."""
        own = first + np.arange(len(offsets) - 1)
        if not self.max_n:
            return own, np.arange(len(own) + 1)
        values, ends = character_ngrams(arena, offsets, self.min_n, self.max_n)
        row_ends = ends + np.arange(len(ends))
        rows = np.empty(row_ends[-1], np.int64)
        is_own = np.zeros(len(rows), bool)
        is_own[row_ends[:-1]] = True
        rows[is_own], rows[~is_own] = own, self._rows(values)
        known = rows >= 0
        return rows[known], np.concatenate([[0], np.cumsum(known)])[row_ends]

    def _rows(self, values: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the row of each n-gram, from its hash, or -1."""
        buckets = values.astype(np.int64) % self.n_buckets
        if len(self.buckets) == self.n_buckets:
            return self.n_words + buckets
        places = np.searchsorted(self.buckets, buckets)
        known = places < len(self.buckets)
        known[known] = self.buckets[places[known]] == buckets[known]
        return np.where(known, self.n_words + places, -1)


def subwords_of(
    words: Vocabulary, min_n: int, max_n: int, n_buckets: int, more: NDArray[np.int64] | None = None
) -> tuple[Subwords, NDArray[np.int32], NDArray[np.int64]]:
    """Return the subwords of a vocabulary and (rows, row_ends): the rows of word w are ``rows[row_ends[w]:row_ends[w + 1]]``, its own first.

    `more`: buckets that have a row, too.
    """
    n = len(words)
    if not max_n:
        return Subwords(n, min_n, 0, n_buckets, np.empty(0, np.int64)), np.arange(n, dtype=np.int32), np.arange(n + 1)
    values, ends = character_ngrams(words.arena, words.offsets, min_n, max_n)
    buckets, of_ngram = np.unique(values.astype(np.int64) % n_buckets, return_inverse=True)
    if more is not None:
        joined = np.union1d(buckets, more)
        buckets, of_ngram = joined, np.searchsorted(joined, buckets)[of_ngram]
    row_ends = ends + np.arange(n + 1)
    rows = np.empty(row_ends[-1], np.int32)
    own = np.zeros(len(rows), bool)
    own[row_ends[:-1]] = True
    rows[own], rows[~own] = np.arange(n), n + of_ngram
    return Subwords(n, min_n, max_n, n_buckets, buckets), rows, row_ends
