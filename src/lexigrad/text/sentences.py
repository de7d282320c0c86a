"""Sentences as token ids, encoded once: in memory, or in a temporary file where they are many.

The ids are provisional while the text is read, in the order of first use; `TokenStore.numbered` gives them their final numbers, where they lie,
and drops those that have none. Joining phrases reads one store and makes another.
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
GROWTH = 1 << 18
"""Tokens that there is room for beyond those that are there, at least."""
BATCH_BYTES = 1 << 20
"""Text that a thread encodes at a time."""
ITEM_SENTENCES = 4096
"""Sentences of items that are stored together."""

Ids = NDArray[np.int32]


class TokenStore:
    """Sentences of token ids, which are added and then read, in their order.

    Parameters
    ----------
    folder : where a file goes; None keeps them in memory up to `MOST_IN_MEMORY` tokens, and then uses the system's folder of temporary files.
        The file has no name, where the system allows that: it is gone when the process is, however it ends

    Attributes
    ----------
    n_tokens, n_sentences : how many there are
    in_file : whether they are in a file
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.n_tokens, self.n_sentences = 0, 0
        self._ids = np.empty(0, np.int32)
        self._lengths: list[Ids] = []
        self._file: IO[bytes] | None = None
        self._lent = False
        self.in_file = False

    def add(self, ids: Ids, lengths: NDArray[Any]) -> None:
        """Add sentences, one after another in `ids`."""
        before = self.n_tokens
        self.n_tokens += len(ids)
        self.n_sentences += len(lengths)
        self._lengths.append(np.asarray(lengths, np.int32))
        if self._file is None and (self.folder is not None or self.n_tokens > MOST_IN_MEMORY):
            self._file, self.in_file = self._new_file(), True
            self._file.write(self._ids[:before].data)
            self._ids = np.empty(0, np.int32)
        if self._file is not None:
            self._file.write(np.ascontiguousarray(ids).data)
            return
        if self.n_tokens > len(self._ids):  # where there are many, the system moves pages, not bytes
            self._ids.resize(self.n_tokens + max(GROWTH, self.n_tokens // 16), refcheck=False)
        self._ids[before : self.n_tokens] = ids

    def lend(self, ids: Ids, lengths: Ids) -> None:
        """Make an empty store hold sentences that are not to be changed, such as those of a mapped file."""
        self.n_tokens, self.n_sentences = len(ids), len(lengths)
        self._ids, self._lengths, self._lent = ids, [lengths], True
        self.in_file = len(ids) > MOST_IN_MEMORY

    def _new_file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self.folder)

    def lengths(self) -> Ids:
        """Return the length of each sentence."""
        return np.concatenate([*self._lengths, np.empty(0, np.int32)])

    def ids(self) -> Ids:
        """Return all ids; nothing can be added afterwards."""
        if self._file is not None:
            self._ids, self._file = _mapping(self._file, self.n_tokens), None
        return self._ids[: self.n_tokens]

    def parts(self) -> Iterator[tuple[Ids, Ids]]:
        """Yield the ids and lengths of some sentences after others, about `PART_TOKENS` tokens at a time."""
        ids, lengths = self.ids(), self.lengths()
        ends = np.cumsum(lengths, dtype=np.int64)
        first = 0
        while first < len(lengths):
            start = int(ends[first - 1]) if first else 0
            stop = max(first + 1, int(np.searchsorted(ends, start + PART_TOKENS, side="right")))
            yield ids[start : ends[stop - 1]], lengths[first:stop]
            first = stop

    def _room(self) -> Ids:
        """Return an array for all ids, in a file where there are many."""
        if not self.in_file:
            return np.empty(self.n_tokens, np.int32)
        file = self._new_file()
        file.truncate(4 * self.n_tokens)
        return _mapping(file, self.n_tokens)

    def numbered(self, rank: Ids) -> tuple[Ids, NDArray[np.int64]]:
        """Return the sentences as (tokens, offsets) under other numbers: ``rank[id]``, or none where that is negative.

        They are renumbered where they lie, so the store is empty afterwards; a lent one is copied.
        """
        tokens = self._room() if self._lent else self.ids()
        offsets = np.zeros(self.n_sentences + 1, np.int64)
        place, sentence = 0, 0
        for ids, lengths in self.parts():
            place = _renumber(ids, lengths, rank, tokens, place, offsets, sentence)
            sentence += len(lengths)
        self._ids, self._lengths = np.empty(0, np.int32), []
        return tokens[:place], offsets


def _mapping(file: IO[bytes], n: int) -> Ids:
    """Return the ids in a file as an array, whose mapping outlives the file's closing."""
    with file:
        file.flush()
        return np.asarray(np.memmap(file, np.int32, "r+", shape=(n,)))


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
    """Append sentences under their new numbers; return where the next token goes. `tokens` may be where `ids` come from, not behind them."""
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
