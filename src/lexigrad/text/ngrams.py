"""Word n-grams and character n-grams, hashed into buckets by fastText's rules.

A feature's *slot* is its number among all that a text can have: word ``w`` has slot ``w``, bucket ``b`` has slot
``n_words + b``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lexigrad.machine.bits import TOKENS, count_down, eight_at, put_letters
from lexigrad.machine.compiler import helper, kernel
from lexigrad.text.tokens import FNV_PRIME, FNV_START, NGRAM_PRIME, hash_byte, next_character, signed_hash

LESS, GREATER = 60, 62
SHORT = TOKENS
"""Characters of a word with its marks, up to which it is taken in one step where it is ASCII."""
HIGH = np.uint64(0x8080808080808080)
MOST_BYTES = 4
"""Of a character that vector loops take; more follow one another only in what is no UTF-8."""


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
def is_ascii(word, start, size):  # type: ignore[no-untyped-def]
    """Tell whether ``word[start:start + size]`` is ASCII, of 1 to 16 bytes; 15 bytes after it may be read. There is no branch to be guessed wrong."""
    first = eight_at(word, start) << np.uint64(8 * (8 - min(size, 8)))
    rest = eight_at(word, start + 8) & ((np.uint64(1) << np.uint64(8 * min(max(size - 8, 0), 7))) - np.uint64(1))
    return (first | rest) & HIGH == np.uint64(0)


@helper
def add_signs(word, start, stop, signs, widths, left, room, n):  # type: ignore[no-untyped-def]
    """Append the characters of ``<word>`` to those of the words of a text; return their new number, or the old one where one has over `MOST_BYTES`.

    Byte k of character i is ``signs[k * room + i]``, sign-extended; `widths` gets its number of bytes, `left` the characters from there to the end of
    its word. `SHORT` + 1 more characters may be written behind, and 15 bytes after the word are read.
    """
    size = stop - start + 2
    if size <= SHORT and is_ascii(word, start, stop - start):
        put_letters(word, start, signs, widths, n + 1)  # what is beyond the word is written over
        signs[n], signs[n + size - 1], widths[n] = np.uint32(LESS), np.uint32(GREATER), np.uint32(1)
        count_down(left, n, size)
        return n + size
    word[start - 1], word[stop] = LESS, GREATER
    end: Any = n - 1
    width: Any = 0
    most: Any = 0
    for i in range(
        start - 1, stop + 1
    ):  # without branches, which would be guessed wrong wherever letters differ in length
        byte = word[i]
        goes_on = np.int64(byte & 0xC0 == 0x80)
        end += 1 - goes_on
        width = (width + 1) * goes_on
        most = max(most, width)
        signs[min(width, MOST_BYTES - 1) * room + end] = np.uint32(np.int32(np.int8(byte)))
        widths[end] = width + 1
    if most >= MOST_BYTES:
        return n
    size = end + 1 - n
    for i in range(0, size, TOKENS):
        count_down(left, n + i, size - i)
    return end + 1


@helper
def widest_sign(widths, n):  # type: ignore[no-untyped-def]
    """Return the largest number of bytes of a character."""
    most = widths[0]
    for i in range(n):
        most = max(most, widths[i])
    return most


@helper
def hash_signs(signs, widths, room, widest, values, length, n):  # type: ignore[no-untyped-def]
    """Take the hashes of the n-grams that begin at each character from `length` - 1 to `length` characters: a vector loop a byte."""
    last = length - 1
    if widest == 1:
        for i in range(n):
            values[i] = np.uint32((values[i] ^ signs[i + last]) * FNV_PRIME)
        return
    for i in range(n):
        value = np.uint32((values[i] ^ signs[i + last]) * FNV_PRIME)
        longer = np.uint32((value ^ signs[room + i + last]) * FNV_PRIME)
        values[i] = longer if widths[i + last] > 1 else value
    for k in range(2, widest):
        for i in range(n):
            longer = np.uint32((values[i] ^ signs[k * room + i + last]) * FNV_PRIME)
            values[i] = longer if widths[i + last] > k else values[i]


@helper
def buckets_of_hashes(values, n, n_buckets, inverse, buckets):  # type: ignore[no-untyped-def]
    """Set ``buckets[:n]`` to the hashes modulo the number of buckets, up to 2^30 of them; see `bucket_of_hash`."""
    if n_buckets == 1:  # the quotient, up to 2^32, would leave 32 bits
        for i in range(n):
            buckets[i] = 0
        return
    size = np.int32(n_buckets)
    for i in range(n):
        quotient = np.int32(np.float64(values[i]) * inverse)
        rest = np.int32(values[i] - np.uint32(quotient) * np.uint32(n_buckets))
        rest = np.int32(rest + size) if rest < 0 else rest
        buckets[i] = np.int32(rest - size) if rest >= size else rest


@helper
def is_label(buffer, start, size, label_prefix):  # type: ignore[no-untyped-def]
    """Tell whether a token begins with the sign of labels; no token does where there is none."""
    if label_prefix.size == 0 or size < label_prefix.size:
        return False
    same = 0
    while same < label_prefix.size and buffer[start + same] == label_prefix[same]:
        same += 1
    return same == label_prefix.size


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
