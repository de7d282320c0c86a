"""Frequent pairs of neighbouring words become one word, "new york" new_york, as word2phrase does it.

    score(a, b) = (count(a b) - min_count) / (count(a) count(b)) * n_tokens

A pair above `PHRASE_SCORE` is joined, from left to right; each further pass may join what was joined before. Source: T. Mikolov, I. Sutskever,
K. Chen, G. Corrado and J. Dean, "Distributed Representations of Words and Phrases and their Compositionality" (NIPS 2013), equation 6, with the
factor n_tokens of their program word2phrase.c, which makes the score that of words at random, 1, whatever the corpus's length.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.hashing import mixed
from lexigrad.text.sentences import TokenStore
from lexigrad.text.vocabulary import Vocabulary

PHRASE_SCORE = 100.0
MOST_PAIRS = 1 << 27
"""Slots of the table of pairs; where it would grow beyond, the rarest pairs are dropped."""
END_OF_SENTENCE = b"</s>"


@helper
def slot_of(keys, key):  # type: ignore[no-untyped-def]
    """Return the slot of a pair, or the empty one where it would go."""
    mask = np.int64(keys.size - 1)
    slot = np.int64(mixed(key)) & mask
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@helper
def key_of(a, b):  # type: ignore[no-untyped-def]
    """Return the number of a pair, which is not 0."""
    return np.uint64(a + 1) << np.uint64(32) | np.uint64(b + 1)


IDS, KEYS, NUMBERS, STATE = inputs(types.int32), outputs(types.uint64), outputs(types.int64), outputs(types.int64)


@kernel((IDS, IDS, inputs(types.bool_), KEYS, NUMBERS, STATE))
def _count_pairs(ids, lengths, known, keys, counts, state):  # type: ignore[no-untyped-def]
    """Count the pairs of known words from sentence ``state[0]``, token ``state[1]`` on; return False where the table is too full for a sentence.

    ``state[2]`` is how many pairs the table holds.
    """
    most = keys.size // 8 * 5
    for sentence in range(state[0], lengths.size):
        start, stop = state[1], state[1] + lengths[sentence]
        if state[2] + lengths[sentence] > most:
            state[0] = sentence
            return False
        for t in range(start + 1, stop):
            if known[ids[t - 1]] and known[ids[t]]:
                key = key_of(ids[t - 1], ids[t])
                slot = slot_of(keys, key)
                if keys[slot] == np.uint64(0):
                    keys[slot] = key
                    state[2] += 1
                counts[slot] += 1
        state[1] = stop
    return True


@kernel((inputs(types.uint64), inputs(types.int64), types.int64, KEYS, NUMBERS))
def _copy_pairs(keys, counts, least, new_keys, new_counts):  # type: ignore[no-untyped-def]
    """Put the pairs with a count of at least `least` into another table; return how many they are."""
    n = 0
    for i in range(keys.size):
        if keys[i] != np.uint64(0) and counts[i] >= least:
            slot = slot_of(new_keys, keys[i])
            new_keys[slot], new_counts[slot] = keys[i], counts[i]
            n += 1
    return n


@kernel((IDS, IDS, KEYS, NUMBERS, outputs(types.int32), outputs(types.int32)))
def _join(ids, lengths, keys, joined, new_ids, new_lengths):  # type: ignore[no-untyped-def]
    """Write the sentences with their pairs joined; return how many tokens they have."""
    at, n = 0, 0
    for sentence in range(lengths.size):
        stop, before = at + lengths[sentence], n
        while at < stop:
            if at + 1 < stop:
                slot = slot_of(keys, key_of(ids[at], ids[at + 1]))
                if keys[slot] != np.uint64(0):
                    new_ids[n] = joined[slot]
                    n += 1
                    at += 2
                    continue
            new_ids[n] = ids[at]
            n += 1
            at += 1
        new_lengths[sentence] = n - before
    return n


class _Pairs:
    """The pairs of all sentences with their counts."""

    def __init__(self) -> None:
        self.keys, self.counts = np.zeros(1 << 16, np.uint64), np.zeros(1 << 16, np.int64)
        self.n, self.least = 0, 1

    def add(self, ids: NDArray[np.int32], lengths: NDArray[np.int32], known: NDArray[np.bool_]) -> None:
        """Count the pairs of some sentences."""
        state = np.array([0, 0, self.n])
        while not _count_pairs(ids, lengths, known, self.keys, self.counts, state):
            self._make_room(int(lengths[state[0]]))
            state[2] = self.n
        self.n = int(state[2])

    def _make_room(self, wanted: int) -> None:
        size = 2 * len(self.keys)
        if size > MOST_PAIRS:
            size, self.least = len(self.keys), self.least + 1
        while size // 8 * 5 < wanted:
            size *= 2
        keys, counts = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        self.n = _copy_pairs(self.keys, self.counts, self.least, keys, counts)
        self.keys, self.counts = keys, counts


def join_phrases(store: TokenStore, words: Vocabulary, min_count: int) -> tuple[TokenStore, Vocabulary]:
    """Join the frequent pairs; return a new store and its words, the joined ones last."""
    known = words.counts >= min_count
    listed = [words[i] for i in range(len(words))]
    ids_of = {word: i for i, word in enumerate(listed)}
    if END_OF_SENTENCE in ids_of:
        known[ids_of[END_OF_SENTENCE]] = False
    pairs = _Pairs()
    for ids, lengths in store.parts():
        pairs.add(ids, lengths, known)
    used = np.flatnonzero(pairs.keys)
    first, second = (
        (pairs.keys[used] >> np.uint64(32)).astype(np.int64) - 1,
        (pairs.keys[used] & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1,
    )
    score = (
        (pairs.counts[used] - min_count) / (words.counts[first] * words.counts[second].astype(float)) * store.n_tokens
    )
    chosen = np.flatnonzero(score > PHRASE_SCORE)
    order = chosen[np.lexsort((second[chosen], first[chosen]))]
    keys = np.zeros(1 << max(4, (2 * len(order)).bit_length()), np.uint64)
    joined = np.zeros(len(keys), np.int64)
    numbers = [
        ids_of.setdefault(listed[a] + b"_" + listed[b], len(ids_of))
        for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True)
    ]
    _copy_pairs(pairs.keys[used][order], np.array(numbers, np.int64), 0, keys, joined)
    result = TokenStore(store.folder)
    counts = np.zeros(len(ids_of), np.int64)
    for ids, lengths in store.parts():
        new_ids, new_lengths = np.empty(len(ids), np.int32), np.empty(len(lengths), np.int32)
        n = _join(ids, lengths, keys, joined, new_ids, new_lengths)
        counts += np.bincount(new_ids[:n], minlength=len(counts))
        result.add(new_ids[:n], new_lengths)
    return result, Vocabulary.from_strings(list(ids_of), counts)


def phrases_of(store: TokenStore, words: Vocabulary, min_count: int, passes: int) -> tuple[TokenStore, Vocabulary]:
    """Join pairs as often as asked for."""
    for _ in range(passes):
        store, words = join_phrases(store, words, min_count)
    return store, words
