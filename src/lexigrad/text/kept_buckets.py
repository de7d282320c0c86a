"""The buckets that pruning has left, and their rows: a hash table as one plain array.

An entry holds ``(bucket + 1) << 32 | row``, 0 where it is empty. The table has room for half as many entries again, so that it takes less than three
times what a list of pairs does, whatever the number of buckets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, kernel
from lexigrad.text.vocabulary import LOW_32, SHIFT_32, home

LEFT_OUT = -2
"""The row of a feature that does not even count among the features of a text."""


@helper
def kept_row(table, bucket):  # type: ignore[no-untyped-def]
    """Return the row of a bucket, or `LEFT_OUT`."""
    mask = np.int64(table.size - 1)
    slot = home(np.uint32(bucket), mask)
    while True:
        entry = table[slot]
        if entry == np.uint64(0):
            return np.int64(LEFT_OUT)
        if entry >> SHIFT_32 == np.uint64(bucket + 1):
            return np.int64(entry & LOW_32)
        slot = (slot + 1) & mask


@kernel()
def _fill(table, buckets, rows):  # type: ignore[no-untyped-def]
    mask = np.int64(table.size - 1)
    for i in range(buckets.size):
        slot = home(np.uint32(buckets[i]), mask)
        while table[slot] != np.uint64(0):
            slot = (slot + 1) & mask
        table[slot] = np.uint64(buckets[i] + 1) << SHIFT_32 | np.uint64(rows[i])


def bucket_table(buckets: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the table of distinct buckets and their rows."""
    size = 1 << max(4, (3 * len(buckets) // 2).bit_length())
    table = np.zeros(size, np.uint64)
    _fill(table, buckets, rows)
    return table


def kept_pairs(table: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (buckets, rows) of a table, by rising row."""
    entries = table[table != 0]
    buckets, rows = (entries >> SHIFT_32).astype(np.int64) - 1, (entries & LOW_32).astype(np.int64)
    order = np.argsort(rows, kind="stable")
    return buckets[order], rows[order]
