"""Word n-grams and character n-grams, hashed into buckets by fastText's rules.

A feature's *slot* is its number among all that a text can have: word ``w`` has slot ``w``, bucket ``b`` has slot
``n_words + b``.
"""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper, kernel
from lexigrad.text.tokens import FNV_START, NGRAM_PRIME, hash_byte, next_character, signed_hash

LESS, GREATER = 60, 62


@helper
def bucket_of(value, n_buckets):  # type: ignore[no-untyped-def]
    """Return a 64-bit hash modulo the number of buckets; a power of two needs no division."""
    size = np.uint64(n_buckets)
    rest = size - np.uint64(1)
    return np.int64(value & rest) if size & rest == np.uint64(0) else np.int64(value % size)


@helper
def bucket_of_hash(value, n_buckets, inverse):  # type: ignore[no-untyped-def]
    """Return a 32-bit hash modulo the number of buckets, `inverse` being ``1.0 / n_buckets``: the rounded quotient is off by one at most."""
    rest = np.int64(value) - np.int64(np.float64(value) * inverse) * n_buckets
    if rest < 0:
        rest += n_buckets
    return rest - n_buckets if rest >= n_buckets else rest


@helper
def add_character_ngrams(word, start, stop, min_n, max_n, values, n):  # type: ignore[no-untyped-def]
    """Append to ``values[:n]`` the 32-bit hashes of the character n-grams of ``word[start:stop]``; return the new
    length.

    ``word[start - 1]`` and ``word[stop]`` must be free: they are set to the boundary signs < and >.
    """
    word[start - 1], word[stop] = LESS, GREATER
    first, last = start - 1, stop + 1
    i = first
    while i < last:
        value = FNV_START
        length = 0
        j = i
        while j < last and length < max_n:
            end = next_character(word, j, last)
            while j < end:
                value = hash_byte(value, word[j])
                j += 1
            length += 1
            if length >= min_n and not (length == 1 and (i == first or j == last)):
                values[n] = value
                n += 1
        i = next_character(word, i, last)
    return n


@helper
def is_end_of_sentence(word, start, stop):  # type: ignore[no-untyped-def]
    """Tell whether the bytes are </s>, which has no character n-grams."""
    return (
        stop - start == 4
        and word[start] == 60
        and word[start + 1] == 47
        and word[start + 2] == 115
        and word[start + 3] == 62
    )


@kernel()
def character_ngrams(arena, offsets, min_n, max_n):  # type: ignore[no-untyped-def]
    """Return (values uint32, offsets int64): the hashes of the character n-grams of each string."""
    starts = np.zeros(offsets.size, np.int64)
    longest = 0
    for w in range(offsets.size - 1):
        length = offsets[w + 1] - offsets[w]
        longest = max(longest, length)
        starts[w + 1] = starts[w] + (length + 2) * max(0, max_n - max(min_n, 1) + 1)
    values = np.empty(starts[-1], np.uint32)
    scratch = np.empty(longest + 2, np.uint8)
    n = 0
    for w in range(offsets.size - 1):
        starts[w] = n
        length = offsets[w + 1] - offsets[w]
        if not is_end_of_sentence(arena, offsets[w], offsets[w + 1]):
            for i in range(length):
                scratch[1 + i] = arena[offsets[w] + i]
            n = add_character_ngrams(scratch, 1, 1 + length, min_n, max_n, values, n)
    starts[-1] = n
    return values[:n].copy(), starts


@helper
def add_word_ngrams(hashes, n_tokens, word_ngrams, n_words, n_buckets, slots, n):  # type: ignore[no-untyped-def]
    """Append the slots of all runs of 2..word_ngrams tokens; ``hashes[:n_tokens]`` are 32-bit; return the new length."""
    for i in range(n_tokens):
        value = signed_hash(hashes[i])
        for j in range(i + 1, min(i + word_ngrams, n_tokens)):
            value = value * NGRAM_PRIME + signed_hash(hashes[j])
            slots[n] = n_words + bucket_of(value, n_buckets)
            n += 1
    return n


@helper
def most_features(n_tokens, n_bytes, word_ngrams, min_n, max_n):  # type: ignore[no-untyped-def]
    """Return an upper bound on the features of a text of so many tokens and normalised bytes."""
    characters = (n_bytes + 2 * n_tokens) * max(0, max_n - max(min_n, 1) + 1) if max_n > 0 else 0
    return n_tokens * max(1, word_ngrams) + characters
