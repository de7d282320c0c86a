"""Reads and writes the words of a fastText model, entry by entry; see `lexigrad.formats.fasttext_bin`."""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.formats.fasttext_bin import ENTRY_REST
from lexigrad.machine.compiler import inputs, kernel, outputs

_U8, _I64 = types.uint8, types.int64


@kernel((inputs(_U8), _I64, _I64, outputs(_I64), outputs(_I64)))
def find_words(data, at, n_words, offsets, counts):  # type: ignore[no-untyped-def]
    """Fill the offsets of the words, as if they lay one after another, and their counts; return how many entries are whole."""
    for i in range(counts.size):
        start = at
        while at < data.size and data[at] != 0:
            at += 1
        kind = 0 if i < n_words else 1
        if at == start or at + ENTRY_REST > data.size or data[at + 9] != kind:
            return i
        offsets[i + 1] = offsets[i] + (at - start)
        count = np.uint64(0)
        for k in range(8):
            count |= np.uint64(data[at + 1 + k]) << np.uint64(8 * k)
        counts[i] = np.int64(count)
        at += ENTRY_REST
    return counts.size


@kernel((inputs(_U8), _I64, inputs(_I64), outputs(_U8)))
def copy_words(data, at, offsets, arena):  # type: ignore[no-untyped-def]
    """Copy the words one after another."""
    for i in range(offsets.size - 1):
        for k in range(offsets[i], offsets[i + 1]):
            arena[k] = data[at + k]
        at += ENTRY_REST


@kernel((inputs(_U8), inputs(_I64), inputs(_I64), inputs(_U8), outputs(_U8)))
def fill_words(arena, offsets, counts, kinds, entries):  # type: ignore[no-untyped-def]
    """Write the entries of the dictionary."""
    at = 0
    for i in range(counts.size):
        for k in range(offsets[i], offsets[i + 1]):
            entries[at] = arena[k]
            at += 1
        entries[at] = 0
        for k in range(8):
            entries[at + 1 + k] = (counts[i] >> (8 * k)) & 255
        entries[at + 9] = kinds[i]
        at += ENTRY_REST
