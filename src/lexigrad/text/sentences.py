"""Sentences as token ids, encoded once: in memory, or in a temporary file where they are many.

The ids are provisional while the text is read, in the order of first use; `TokenStore.numbered` gives them their final numbers and drops those
that have none. So each pass over the sentences (phrases, numbering) reads one store and makes the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.machine.compiler import inputs, kernel, outputs
from lexigrad.machine.threads import map_threads
from lexigrad.text.batches import TextBatch
from lexigrad.text.corpus import tokenize
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary, empty_vocabulary, merge

MOST_IN_MEMORY = 1 << 28
"""Tokens; 4 bytes each."""
PART_TOKENS = 1 << 22
"""Tokens that are looked at together when they come from a file."""
ITEM_SENTENCES = 4096
"""Sentences of items that are stored together."""

Ids = NDArray[np.int32]


class TokenStore:
    """Sentences of token ids, which are added and then read, in their order, once.

    Parameters
    ----------
    folder : where a file goes; None keeps them in memory up to `MOST_IN_MEMORY` tokens, and then uses the system's folder of temporary files.
        The file has no name, where the system allows that: it is gone when the process is, however it ends

    Attributes
    ----------
    n_tokens, n_sentences : how many there are
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.n_tokens, self.n_sentences = 0, 0
        self._parts: list[Ids] = []
        self._lengths: list[Ids] = []
        self._file: IO[bytes] | None = None

    def add(self, ids: Ids, lengths: NDArray[Any], in_file: bool = False) -> None:
        """Add sentences, one after another in `ids`; `in_file` where these are part of a mapped file already."""
        self.n_tokens += len(ids)
        self.n_sentences += len(lengths)
        self._lengths.append(np.asarray(lengths, np.int32))
        self._parts.append(ids)
        if not in_file and (self.folder is not None or self.n_tokens > MOST_IN_MEMORY):
            self._write()

    def _write(self) -> None:
        """Put into the file what is in memory."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115, it is closed when it is mapped
        for part in self._parts:
            self._file.write(np.ascontiguousarray(part).data)
        self._parts.clear()

    def lengths(self) -> Ids:
        """Return the length of each sentence."""
        return np.concatenate([*self._lengths, np.empty(0, np.int32)])

    def drain(self) -> Iterator[tuple[Ids, Ids]]:
        """Yield the ids and lengths of some sentences after others; what is in memory is let go of on the way."""
        if self._file is None and len(self._parts) == len(self._lengths):
            self._parts.reverse()
            for lengths in self._lengths:
                yield self._parts.pop(), lengths
        else:
            yield from pieces(self.mapped(), self.lengths())

    def mapped(self) -> Ids:
        """Return all ids as one array: that of the file, if there is one. Nothing can be added afterwards."""
        if self._file is not None:
            self._parts = [_mapping(self._file, self.n_tokens)]
            self._file = None
        return self._parts[0] if len(self._parts) == 1 else np.concatenate([*self._parts, np.empty(0, np.int32)])

    def room(self, n: int) -> Ids:
        """Return an array for `n` ids, in memory or in a file as the store would have it."""
        if n == 0 or (self.folder is None and n <= MOST_IN_MEMORY):
            return np.empty(n, np.int32)
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115, it is closed when it is mapped
        file.truncate(4 * n)
        return _mapping(file, n)

    def numbered(self, rank: Ids, n_kept: int) -> tuple[Ids, NDArray[np.int64]]:
        """Return the sentences as (tokens, offsets) under other numbers: ``rank[id]``, or none where that is negative.

        `n_kept` tokens have a number. The store is empty afterwards.
        """
        tokens, offsets = self.room(n_kept), np.zeros(self.n_sentences + 1, np.int64)
        place, sentence = 0, 0
        for ids, lengths in self.drain():
            place = _renumber(ids, lengths, rank, tokens, place, offsets, sentence)
            sentence += len(lengths)
        return tokens, offsets


def _mapping(file: IO[bytes], n: int) -> Ids:
    """Return the ids in a file as an array, whose mapping outlives the file's closing."""
    with file:
        file.flush()
        return np.asarray(np.memmap(file, np.int32, "r+", shape=(n,)))


def pieces(ids: Ids, lengths: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Yield sentences that lie in one array, about `PART_TOKENS` tokens at a time."""
    ends = np.cumsum(lengths, dtype=np.int64)
    first = 0
    while first < len(lengths):
        start = int(ends[first - 1]) if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, start + PART_TOKENS, side="right")))
        yield ids[start : ends[stop - 1]], lengths[first:stop]
        first = stop


@kernel(
    (
        inputs(types.int32),
        inputs(types.int32),
        inputs(types.int32),
        outputs(types.int32),
        types.int64,
        outputs(types.int64),
        types.int64,
    )
)
def _renumber(ids, lengths, rank, tokens, place, offsets, sentence):  # type: ignore[no-untyped-def]
    """Append sentences under their new numbers; return where the next token goes."""
    at = 0
    for i in range(lengths.size):
        for j in range(at, at + lengths[i]):
            number = rank[ids[j]]
            if number >= 0:
                tokens[place] = number
                place += 1
        at += lengths[i]
        offsets[sentence + i + 1] = place
    return place


def encode_texts(batches: Iterable[TextBatch], tokenizer: int, threads: int, store: TokenStore) -> Vocabulary:
    """Tokenise texts into a store; return the words in the order of first use, with their counts.

    Raises
    ------
    DataError
        If there is no text, or no token in any.
    """
    table = load_table()
    words = empty_vocabulary()

    def encoded(batch: TextBatch) -> tuple[Any, ...]:
        return tokenize(tokenizer, batch.data, batch.offsets, np.arange(len(batch)), table)

    for ids, offsets, *vocabulary in map_threads(encoded, batches, threads):
        *grown, here = merge(*words, *vocabulary)
        words = tuple(grown)
        store.add(here[ids], np.diff(offsets))
    if not store.n_tokens:
        raise DataError("the texts have no word to learn from")
    return whole_vocabulary(words)


def whole_vocabulary(words: tuple[Any, ...]) -> Vocabulary:
    """Return what `merge` has grown as a vocabulary."""
    slots, arena, offsets, hashes, counts, n = words
    return Vocabulary(arena, offsets[: n + 1], hashes[:n], slots, counts[:n])


def encode_items(sentences: Iterable[Sequence[Hashable]], store: TokenStore) -> tuple[list[Any], NDArray[np.int64]]:
    """Put lists of items into a store; return the items in the order of first use, and their counts.

    Raises
    ------
    DataError
        Naming the sentence that is no list of items, or where there is none at all.
    """
    ids: dict[Hashable, int] = {}
    counts = np.zeros(0, np.int64)
    found: list[int] = []
    lengths: list[int] = []

    def flush() -> None:
        nonlocal counts
        part = np.array(found, np.int32)
        here = np.bincount(part, minlength=len(ids))
        here[: len(counts)] += counts
        counts = here
        store.add(part, np.array(lengths, np.int32))
        found.clear()
        lengths.clear()

    for number, sentence in enumerate(sentences):
        if isinstance(sentence, (str, bytes)) or not isinstance(sentence, Iterable):
            raise DataError(
                f"sentence {number}: expected a list of items like the first, got {type(sentence).__name__}"
            )
        before = len(found)
        try:
            found.extend(ids.setdefault(item, len(ids)) for item in sentence)
        except TypeError as error:
            raise DataError(f"sentence {number}: items must be hashable ({error})") from error
        lengths.append(len(found) - before)
        if len(lengths) == ITEM_SENTENCES:
            flush()
    flush()
    if not ids:
        raise DataError("sentences: there is no item to learn from")
    return list(ids), counts
