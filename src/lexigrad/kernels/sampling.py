"""Random numbers of the word vectors' kernels, and draws from a distribution in constant time.

The distribution is an alias table (A. Walker 1977; M. Vose 1991): n columns of equal weight, each split between its own index and one
other. A draw takes a column and a side of it. 8 bytes a word, where the tables of word2vec and fastText take 40 to 400 MB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, kernel

UPPER = np.uint64(32)
ONE = 1 << 32
"""A chance of 1, in the unit of `chances`."""


@helper
def next_random(state):  # type: ignore[no-untyped-def]
    """Return 64 random bits and move ``state[0]``, which is not 0 (xorshift64: G. Marsaglia 2003)."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return x


@helper
def below(state, n):  # type: ignore[no-untyped-def]
    """Return a random whole number from 0 to n - 1, for n up to 2^32; each has its chance to within 2^-32."""
    return np.int64(((next_random(state) >> UPPER) * np.uint64(n)) >> UPPER)


@helper
def happens(state, chance):  # type: ignore[no-untyped-def]
    """Return True with a chance given in units of 2^-32."""
    return (next_random(state) >> UPPER) < np.uint64(chance)


@helper
def draw(state, sides, aliases):  # type: ignore[no-untyped-def]
    """Return an index by the table of `alias_table`."""
    bits = next_random(state)
    column = np.int64(((bits >> UPPER) * np.uint64(sides.size)) >> UPPER)
    return column if np.uint32(bits) < sides[column] else np.int64(aliases[column])


@helper
def keep_words(state, tokens, first, stop, chances, kept):  # type: ignore[no-untyped-def]
    """Copy the words of a sentence, each with its chance; return how many are kept."""
    n = 0
    for t in range(first, stop):
        if happens(state, chances[tokens[t]]):
            kept[n] = tokens[t]
            n += 1
    return n


@kernel()
def _alias_table(weights, sides, aliases, stack):  # type: ignore[no-untyped-def]
    """Fill the table from weights whose mean is 1; they are used up. `stack` holds the light columns from its start, the heavy from its end."""
    n = weights.size
    light, heavy = 0, n
    for i in range(n):
        sides[i], aliases[i] = np.uint32(0xFFFFFFFF), i
        if weights[i] < 1.0:
            stack[light] = i
            light += 1
        else:
            heavy -= 1
            stack[heavy] = i
    while light > 0 and heavy < n:
        light -= 1
        small, large = stack[light], stack[heavy]
        sides[small] = np.uint32(min(weights[small] * 4294967296.0, 4294967295.0))
        aliases[small] = large
        weights[large] -= 1.0 - weights[small]
        if weights[large] < 1.0:
            heavy += 1
            stack[light] = large
            light += 1


def alias_table(weights: NDArray[np.float64]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return (sides, aliases), each (n,), for draws with chances weights / sum(weights), to within 2^-32 of a column."""
    sides, aliases = np.empty(len(weights), np.uint32), np.empty(len(weights), np.int32)
    _alias_table(weights * (len(weights) / weights.sum()), sides, aliases, np.empty(len(weights), np.int64))
    return sides, aliases


def keep_chances(counts: NDArray[np.int64], subsample: float) -> NDArray[np.uint64]:
    """Return the chance of each word to be kept, in units of 2^-32: min(1, sqrt(t/f) + t/f) with f its share of all words; 1 for t = 0.

    Source: word2vec.c of T. Mikolov and others; their paper prints another formula than the program has.
    """
    if subsample == 0:
        return np.full(len(counts), ONE, np.uint64)
    ratio = subsample / np.maximum(counts / max(1, counts.sum()), 1e-300)
    return (np.minimum(1.0, np.sqrt(ratio) + ratio) * ONE).astype(np.uint64)
