"""The buckets that pruning has left, and their rows: a hash table as one plain array.

An entry holds ``(bucket + 1) << 32 | row``, 0 where it is empty. Most n-grams of a text fell into buckets that are gone, and to find that out in the
table would take several steps; so a filter of 8 bits an entry follows the entries: bit x is set where a bucket of hash x is in the table. The table
has room for half as many entries again, so that all of it takes less than four times what a list of pairs does, whatever the number of buckets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.bits import ones
from lexigrad.machine.compiler import helper, kernel
from lexigrad.text.vocabulary import LOW_32, SHIFT_32, home

LEFT_OUT = -2
"""The row of a feature that does not even count among the features of a text."""
FILTER_BITS = 8
"""For each entry: of the buckets that are gone one in eight or fewer passes."""
MOST_DIRECT = 1 << 24
"""Buckets up to which a direct table is made, of a quarter of a byte for each and eight for those that are kept."""
FILTER_SHIFT = 6
FILTER_LOW = 63


@helper
def entries_in(table):  # type: ignore[no-untyped-def]
    """Return the number of entries of a table, a power of two; the filter has 8 bits for each, an eighth of its room."""
    return table.size * 8 // 9


@helper
def may_be_kept(table, n_entries, bucket):  # type: ignore[no-untyped-def]
    """Return 0 for a bucket that is not in the table, and 1 for one that is, or may be."""
    bit = home(np.uint32(bucket), np.int64(FILTER_BITS * n_entries - 1))
    return np.int64(table[n_entries + (bit >> FILTER_SHIFT)] >> np.uint64(bit & FILTER_LOW)) & 1


@helper
def kept_row(table, n_entries, bucket):  # type: ignore[no-untyped-def]
    """Return the row of a bucket, or `LEFT_OUT`."""
    mask = np.int64(n_entries - 1)
    slot = home(np.uint32(bucket), mask)
    while True:
        entry = table[slot]
        if entry == np.uint64(0):
            return np.int64(LEFT_OUT)
        if entry >> SHIFT_32 == np.uint64(bucket + 1):
            return np.int64(entry & LOW_32)
        slot = (slot + 1) & mask


@helper
def is_kept(table, bucket):  # type: ignore[no-untyped-def]
    """Return 1 for a bucket that is in a direct table, and 0 for one that is not."""
    return np.int64(table[bucket >> FILTER_SHIFT] >> np.uint64(bucket & FILTER_LOW)) & 1


@helper
def kept_row_direct(table, n_blocks, bucket):  # type: ignore[no-untyped-def]
    """Return the row of a bucket that is in a direct table of so many blocks."""
    block = bucket >> FILTER_SHIFT
    below = table[block] & ((np.uint64(1) << np.uint64(bucket & FILTER_LOW)) - np.uint64(1))
    return np.int64(table[2 * n_blocks + np.int64(table[n_blocks + block]) + ones(below)])


@helper
def row_of(slot, n_words, slot_rows, kept):  # type: ignore[no-untyped-def]
    """Return the row of a word or bucket: -1 for one whose row is 0, `LEFT_OUT` for one that does not count."""
    if slot_rows.size > 0:
        return np.int64(slot_rows[slot])
    if kept.size == 0 or slot < n_words:
        return np.int64(slot)
    row = kept_row(kept, entries_in(kept), slot - n_words)
    return row if row == LEFT_OUT else n_words + row


@kernel()
def _fill(table, n_entries, buckets, rows):  # type: ignore[no-untyped-def]
    mask = np.int64(n_entries - 1)
    for i in range(buckets.size):
        slot = home(np.uint32(buckets[i]), mask)
        while table[slot] != np.uint64(0):
            slot = (slot + 1) & mask
        table[slot] = np.uint64(buckets[i] + 1) << SHIFT_32 | np.uint64(rows[i])
        bit = home(np.uint32(buckets[i]), np.int64(FILTER_BITS * n_entries - 1))
        table[n_entries + (bit >> FILTER_SHIFT)] |= np.uint64(1) << np.uint64(bit & FILTER_LOW)


def bucket_table(buckets: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the table of distinct buckets and their rows."""
    n_entries = 1 << max(4, (3 * len(buckets) // 2).bit_length())
    table = np.zeros(n_entries // 8 * 9, np.uint64)
    _fill(table, n_entries, buckets, rows)
    return table


def direct_table(table: NDArray[np.uint64], n_buckets: int) -> tuple[NDArray[np.uint64], int]:
    """Return a table in which the row of a bucket is found without a search, and its number of blocks; what was given, and 0, where it would be large.

    A block is 64 buckets. First comes a bit for each bucket, set for those that are kept; then, for each block, how many are kept before it; then the
    rows of those that are kept, by rising bucket.
    """
    if n_buckets > MOST_DIRECT:
        return table, 0
    buckets, rows = kept_pairs(table)
    reached = (buckets >= 0) & (buckets < n_buckets)  # a damaged file may name others, which no n-gram falls into
    buckets, rows = buckets[reached], rows[reached]
    n_blocks = -(-n_buckets // 64)
    flags = np.zeros(64 * n_blocks, np.uint8)
    flags[buckets] = 1
    bits = np.packbits(flags, bitorder="little").view(np.uint64)
    counts = flags.reshape(-1, 64).sum(axis=1, dtype=np.uint64)
    before = np.cumsum(counts, dtype=np.uint64) - counts
    return np.concatenate([bits, before, rows[np.argsort(buckets)].astype(np.uint64)]), n_blocks


def kept_pairs(table: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (buckets, rows) of a table, by rising row."""
    entries = table[: len(table) * 8 // 9]
    entries = entries[entries != 0]
    buckets, rows = (entries >> SHIFT_32).astype(np.int64) - 1, (entries & LOW_32).astype(np.int64)
    order = np.argsort(rows, kind="stable")
    return buckets[order], rows[order]


def is_table(table: NDArray[np.uint64]) -> bool:
    """Tell whether look-ups in a table from a file stay inside it and end."""
    n = len(table) * 8 // 9
    return len(table) == n // 8 * 9 and n >= 8 and n & (n - 1) == 0 and bool((table[:n] == 0).any())
