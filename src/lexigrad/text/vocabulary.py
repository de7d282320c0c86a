"""Distinct strings with ids: an open-addressing hash table over one arena of bytes, all of it plain arrays.

A slot holds ``hash << 32 | (id + 1)``, 0 where it is empty, so that a look-up touches the bytes of a string only when
all 32 bits of its hash agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.bits import eight_at
from lexigrad.machine.compiler import helper, kernel, making_helper
from lexigrad.machine.intrinsics import prefetch
from lexigrad.text.tokens import hash_bytes

SLOT_MIX = np.uint32(0x9E3779B1)
"""2^32 over the golden ratio (D. Knuth, The Art of Computer Programming 3, 6.4): spreads a hash over its upper bits, which `home` folds in."""
TOKENS_PER_PHASE = 128
"""Tokens that `find_words` takes from one phase to the next: what it asks for must stay in the first cache until then."""
SHIFT_32 = np.uint64(32)
LOW_32 = np.uint64(0xFFFFFFFF)


@helper
def home(value, mask):  # type: ignore[no-untyped-def]
    """Return the slot where a hash would like to be."""
    mixed = np.uint32(value * SLOT_MIX)
    return np.int64(mixed ^ (mixed >> np.uint32(16))) & mask


@helper
def find(slots, arena, offsets, key, start, stop, value):  # type: ignore[no-untyped-def]
    """Return the id of ``key[start:stop]`` with hash `value`, or ~slot: minus one minus the empty slot where it would go."""
    mask = np.int64(slots.size - 1)
    slot = home(value, mask)
    while True:
        entry = slots[slot]
        if entry == np.uint64(0):
            return ~slot
        if entry >> SHIFT_32 == np.uint64(value):
            index = np.int64(entry & LOW_32) - 1
            first = offsets[index]
            if offsets[index + 1] - first == stop - start:
                i = 0
                while i < stop - start and arena[first + i] == key[start + i]:
                    i += 1
                if i == stop - start:
                    return index
        slot = (slot + 1) & mask


@helper
def same_bytes(arena, first, key, start, size):  # type: ignore[no-untyped-def]
    """Tell whether ``arena[first:first + size]`` equals ``key[start:start + size]``; seven bytes after the key may be read."""
    if size > 8:
        i = 0
        while i < size - 8:
            if eight_at(arena, first + i) != eight_at(key, start + i):
                return False
            i += 8
        return eight_at(arena, first + size - 8) == eight_at(key, start + size - 8)
    if first + 8 <= arena.size:
        unused = np.uint64(8 * (8 - size))
        return size == 0 or (eight_at(arena, first) ^ eight_at(key, start)) << unused == np.uint64(0)
    i = 0
    while i < size and arena[first + i] == key[start + i]:
        i += 1
    return i == size


@helper
def find_words(slots, arena, offsets, keys, bounds, hashes, n, ids):  # type: ignore[no-untyped-def]
    """Set ``ids[:n]`` to the ids of the tokens ``keys[bounds[2 j]:bounds[2 j + 1]]``, and to -1 where there is none: `find` for many, in phases.

    Seven bytes after a token may be read.
    """
    mask = np.int64(slots.size - 1)
    for first in range(0, n, TOKENS_PER_PHASE):
        stop = min(first + TOKENS_PER_PHASE, n)
        for j in range(first, stop):
            prefetch(slots, home(hashes[j], mask))
        for j in range(first, stop):
            value = np.uint64(hashes[j])
            slot = home(hashes[j], mask)
            entry = slots[slot]
            while entry != np.uint64(0) and entry >> SHIFT_32 != value:
                slot = (slot + 1) & mask
                entry = slots[slot]
            index = np.int64(entry & LOW_32) - 1
            ids[j] = index
            prefetch(offsets, max(index, np.int64(0)))
        for j in range(first, stop):
            prefetch(arena, offsets[max(np.int64(ids[j]), np.int64(0))])
        for j in range(first, stop):
            index = np.int64(ids[j])
            if index < 0:
                continue
            start, size = bounds[2 * j], bounds[2 * j + 1] - bounds[2 * j]
            place = offsets[index]
            if offsets[index + 1] - place != size or not same_bytes(arena, place, keys, start, size):
                ids[j] = max(np.int64(-1), find(slots, arena, offsets, keys, start, start + size, hashes[j]))


@helper
def put(slots, slot, value, index):  # type: ignore[no-untyped-def]
    """Fill an empty slot."""
    slots[slot] = np.uint64(value) << SHIFT_32 | np.uint64(index + 1)


@helper
def place(slots, value, index):  # type: ignore[no-untyped-def]
    """Put an id whose string is known to be new into the first empty slot."""
    mask = np.int64(slots.size - 1)
    slot = home(value, mask)
    while slots[slot] != np.uint64(0):
        slot = (slot + 1) & mask
    put(slots, slot, value, index)


@making_helper
def rebuilt(hashes, n, size):  # type: ignore[no-untyped-def]
    """Return new slots for the first `n` hashes."""
    slots = np.zeros(size, np.uint64)
    for index in range(n):
        place(slots, hashes[index], index)
    return slots


@making_helper
def resized(array, size):  # type: ignore[no-untyped-def]
    """Return a copy of another length, its new end unset."""
    larger = np.empty(size, array.dtype)
    for i in range(min(array.size, size)):
        larger[i] = array[i]
    return larger


@kernel()
def _slots(hashes, size):  # type: ignore[no-untyped-def]
    return rebuilt(hashes, hashes.size, size)


@kernel()
def hashes_of(arena, offsets):  # type: ignore[no-untyped-def]
    """Return the hash of each string, (n,) uint32."""
    values = np.empty(offsets.size - 1, np.uint32)
    for i in range(values.size):
        values[i] = hash_bytes(arena, offsets[i], offsets[i + 1])
    return values


@kernel()
def merge(slots, arena, offsets, hashes, counts, n, other_arena, other_offsets, other_hashes, other_counts):  # type: ignore[no-untyped-def]
    """Add the strings of another table, in its order; return the grown arrays, the new size and the ids of the other's strings here."""
    ids = np.empty(other_hashes.size, np.int32)
    used = offsets[n]
    for j in range(other_hashes.size):
        start, stop = other_offsets[j], other_offsets[j + 1]
        index = find(slots, arena, offsets, other_arena, start, stop, other_hashes[j])
        if index < 0:
            if 2 * (n + 1) > slots.size:
                slots = rebuilt(hashes, n, slots.size * 2)
                index = find(slots, arena, offsets, other_arena, start, stop, other_hashes[j])
            if n + 1 >= offsets.size:
                offsets = resized(offsets, offsets.size * 2)
                hashes = resized(hashes, offsets.size)
                counts = resized(counts, offsets.size)
            if used + stop - start > arena.size:
                arena = resized(arena, max(arena.size * 2, used + stop - start))
            put(slots, ~index, other_hashes[j], n)
            for i in range(stop - start):
                arena[used + i] = other_arena[start + i]
            used += stop - start
            index = n
            n += 1
            offsets[n] = used
            hashes[index] = other_hashes[j]
            counts[index] = 0
        counts[index] += other_counts[j]
        ids[j] = index
    return slots, arena, offsets, hashes, counts, n, ids


@kernel()
def _find_all(slots, arena, offsets, keys, key_offsets):  # type: ignore[no-untyped-def]
    ids = np.empty(key_offsets.size - 1, np.int64)
    for i in range(ids.size):
        first, stop = key_offsets[i], key_offsets[i + 1]
        ids[i] = max(-1, find(slots, arena, offsets, keys, first, stop, hash_bytes(keys, first, stop)))
    return ids


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Distinct strings; the id of a string is its position.

    Attributes
    ----------
    arena : (n_bytes,) uint8, the strings one after another
    offsets : (n + 1,) int64, string ``i`` is ``arena[offsets[i]:offsets[i + 1]]``
    hashes : (n,) uint32, FNV-1a of each
    slots : (a power of two,) uint64, the hash table
    counts : (n,) int64, how often each occurred in training
    """

    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint32]
    slots: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.hashes)

    def __getitem__(self, index: int) -> bytes:
        return self.arena[self.offsets[index] : self.offsets[index + 1]].tobytes()

    @classmethod
    def from_strings(cls, strings: Iterable[bytes], counts: NDArray[np.int64] | None = None) -> Vocabulary:
        """Build a vocabulary of distinct strings in the order given."""
        listed = list(strings)
        arena = np.frombuffer(b"".join(listed), np.uint8)
        offsets = np.concatenate([[0], np.cumsum([len(s) for s in listed], dtype=np.int64)]).astype(np.int64)
        return cls.from_arrays(arena, offsets, np.zeros(len(listed), np.int64) if counts is None else counts)

    @classmethod
    def from_arrays(cls, arena: NDArray[np.uint8], offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> Vocabulary:
        """Build the hash table over strings that lie in an arena already."""
        hashes = hashes_of(arena, offsets)
        return cls(arena, offsets, hashes, _slots(hashes, slot_count(len(hashes))), counts)

    def positions(self, strings: Iterable[bytes]) -> NDArray[np.int64]:
        """Return the id of each string, -1 where it is not in the vocabulary."""
        listed = list(strings)
        keys = np.frombuffer(b"".join(listed), np.uint8)
        offsets = np.cumsum([0, *map(len, listed)], dtype=np.int64)
        return _find_all(self.slots, self.arena, self.offsets, keys, offsets)

    def selected(self, ids: NDArray[np.int64]) -> Vocabulary:
        """Return the vocabulary of some of the strings, in the order of `ids`."""
        lengths = np.diff(self.offsets)[ids]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(self.offsets[ids] - offsets[:-1], lengths) + np.arange(offsets[-1])
        hashes = self.hashes[ids]
        return Vocabulary(self.arena[places], offsets, hashes, _slots(hashes, slot_count(len(ids))), self.counts[ids])


def slot_count(n: int) -> int:
    """Return the number of slots for `n` strings: the power of two that leaves at least half of them empty."""
    return 1 << max(4, (2 * n - 1).bit_length())


def empty_vocabulary() -> tuple[
    NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64], int
]:
    """Return the arrays that `merge` starts from."""
    offsets = np.zeros(1025, np.int64)
    return (
        np.zeros(4096, np.uint64),
        np.empty(16384, np.uint8),
        offsets,
        np.empty(1025, np.uint32),
        np.empty(1025, np.int64),
        0,
    )
