"""One text -> the rows of its features, in phases: tokens, their hashes, their words, n-grams, rows.

Each phase is a loop of its own over the tokens of the text, so that the memory that the next one needs can be asked for ahead. The text is copied into
a buffer between bytes that are white space, from which phases may read on past a token's end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lexigrad.machine.bits import (
    REACH,
    TOKENS,
    hash_tokens,
    high_product,
    newline_mask,
    pick,
    space_mask,
    trailing_zeros,
)
from lexigrad.machine.compiler import helper, making_helper
from lexigrad.machine.intrinsics import prefetch
from lexigrad.text.kept_buckets import LEFT_OUT, entries_in, is_kept, kept_row, kept_row_direct, may_be_kept
from lexigrad.text.ngrams import (
    MOST_BYTES,
    add_character_ngrams,
    add_signs,
    bucket_of_hash,
    buckets_of_hashes,
    hash_signs,
    is_end_of_sentence,
    is_label,
    widest_sign,
)
from lexigrad.text.tokens import FNV_START, NGRAM_PRIME, SPACED, UNENDED, WORDS, next_word, signed_hash
from lexigrad.text.vocabulary import find_words, home

MOST_SMALL_BUCKETS = 1 << 30
"""Up to so many the remainders of hashes fit in 32 bits."""
FRONT = 64
"""Where a text begins in its buffer."""
END_OF_SENTENCE = 8
"""Where the token </s> stands in the buffer, for all places where one is meant."""
END_HASH = np.uint32(3617362777)
"""The hash of </s>."""
AHEAD = 24
"""Features between a prefetch and its use, where a feature is one number."""


@helper
def buffer_bytes(longest):  # type: ignore[no-untyped-def]
    """Return the length of the buffer for texts of up to so many bytes: tokens of "words" may be longer than in the text, and stand apart; and all 16 tokens
    that `hash_tokens` takes are read as far as the longest of them goes.
    """
    return FRONT + 4 * longest + 16 + 2 * REACH


@making_helper
def token_arrays(longest):  # type: ignore[no-untyped-def]
    """Return (buffer, bounds, words, hashes) for the tokens of texts of up to so many bytes."""
    n = longest + 2
    return (
        np.empty(buffer_bytes(longest), np.uint8),
        np.empty(2 * (n + TOKENS), np.int32),
        np.empty(n, np.int32),
        np.empty(n + TOKENS, np.uint32),
    )


@making_helper
def character_arrays(n, max_n):  # type: ignore[no-untyped-def]
    """Return (hashes, signs, widths, left, buckets) for the character n-grams of texts of up to `n` characters."""
    return (
        np.empty(n * max_n, np.uint32),
        np.empty(MOST_BYTES * n, np.uint32),
        np.empty(n, np.uint32),
        np.empty(n + TOKENS, np.uint32),
        np.empty(n + TOKENS, np.int32),
    )


@helper
def add_pair(bounds, m, start, end):  # type: ignore[no-untyped-def]
    """Append the bounds of a token; return their new number."""
    bounds[m], bounds[m + 1] = start, end
    return m + 2


@helper
def split(buffer, first, stop, lines, bounds):  # type: ignore[no-untyped-def]
    """Write the bounds of what stands between white space; return their number. With `lines` each newline is a token </s>.

    There is white space after `stop`.
    """
    one, m, inside = np.uint64(1), 0, np.uint64(0)
    for place in range(first, stop, 64):
        words = ~space_mask(buffer, place)
        edges = words ^ ((words << one) | inside)
        inside = words >> np.uint64(63)
        newlines = newline_mask(buffer, place) if lines else np.uint64(0)
        if newlines == np.uint64(0):
            while edges != np.uint64(0):
                bounds[m] = place + trailing_zeros(edges)
                m += 1
                edges &= edges - one
            continue
        events = edges | newlines
        while events != np.uint64(0):
            bit = events & (~events + one)
            if edges & bit != np.uint64(0):
                bounds[m] = place + trailing_zeros(events)
                m += 1
            if newlines & bit != np.uint64(0):
                m = add_pair(bounds, m, END_OF_SENTENCE, END_OF_SENTENCE + 4)
            events &= events - one
    if inside != np.uint64(0):
        bounds[m] = stop
        m += 1
    return m


@helper
def tokens_of(tokenizer, data, start, stop, table, buffer, bounds, hashes):  # type: ignore[no-untyped-def]
    """Write the tokens of ``data[start:stop]`` to the buffer; token j is ``buffer[bounds[2 j]:bounds[2 j + 1]]``. Return their number."""
    m = 0
    if tokenizer == WORDS:
        position, place = start, FRONT
        while True:
            position, size, value = next_word(data, position, stop, table, buffer[place:])
            if size == 0:
                return m // 2
            hashes[m // 2] = value
            m = add_pair(bounds, m, place, place + size)
            place += size + 1
    size = stop - start
    for i in range(size):
        buffer[FRONT + i] = data[start + i]
    end = FRONT + size
    for i in range(end, end + REACH):
        buffer[i] = 0
    buffer[END_OF_SENTENCE], buffer[END_OF_SENTENCE + 1] = 60, 47  # </s>
    buffer[END_OF_SENTENCE + 2], buffer[END_OF_SENTENCE + 3] = 115, 62
    m = split(buffer, FRONT, end, tokenizer != SPACED, bounds)
    if tokenizer == SPACED or (tokenizer != UNENDED and (size == 0 or buffer[end - 1] != 10)):
        m = add_pair(bounds, m, END_OF_SENTENCE, END_OF_SENTENCE + 4)
    for i in range(m, m + 2 * TOKENS):
        bounds[i] = 0
    for j in range(0, m // 2, TOKENS):
        hash_tokens(buffer, bounds, j, hashes)
    return m // 2


@helper
def reciprocal_of(n_buckets):  # type: ignore[no-untyped-def]
    """Return floor((2^64 - 1) / n_buckets), for `bucket_by`."""
    return ~np.uint64(0) // np.uint64(max(1, n_buckets))


@helper
def bucket_by(value, n_buckets, reciprocal):  # type: ignore[no-untyped-def]
    """Return a 64-bit hash modulo the number of buckets n, without a division.

    With r = floor((2^64 - 1) / n) and q = floor(v r / 2^64), for all v < 2^64: r > (2^64 - 1) / n - 1, so v r / 2^64 > v / n - v (1 + 1 / n) / 2^64 >
    v / n - 1 - 1 / n, and q > v / n - 2 - 1 / n. Hence 0 <= v - q n <= 2 n, and n is taken off twice at most.
    """
    size = np.uint64(n_buckets)
    rest = value - high_product(value, reciprocal) * size
    rest = rest - size if rest >= size else rest
    return np.int64(rest - size if rest >= size else rest)


@helper
def add_word_ngrams_by(hashes, n_tokens, word_ngrams, n_words, n_buckets, reciprocal, slots, n):  # type: ignore[no-untyped-def]
    """Append the slots of all runs of 2..word_ngrams tokens, as `lexigrad.text.ngrams.add_word_ngrams` does."""
    for i in range(n_tokens):
        value = signed_hash(hashes[i])
        for j in range(i + 1, min(i + word_ngrams, n_tokens)):
            value = value * NGRAM_PRIME + signed_hash(hashes[j])
            slots[n] = n_words + bucket_by(value, n_buckets, reciprocal)
            n += 1
    return n


@helper
def passes(kept, n_blocks, n_entries, bucket):  # type: ignore[no-untyped-def]
    """Return 1 for a bucket that is kept, and 0 for one that is not, or with a table that is not direct nearly always so."""
    return is_kept(kept, bucket) if n_blocks > 0 else may_be_kept(kept, n_entries, bucket)


@helper
def may_be_kept_slots(kept, n_blocks, n_words, features, start, stop):  # type: ignore[no-untyped-def]
    """Drop from ``features[start:stop]`` the slots of buckets that are not kept, all but few; return the new end."""
    n_entries = entries_in(kept)
    n = start
    for j in range(start, stop):
        slot = features[j]
        features[n] = slot
        n += passes(kept, n_blocks, n_entries, slot - n_words)
    return n


@helper
def kept_rows(kept, n_blocks, n_words, features, stop):  # type: ignore[no-untyped-def]
    """Replace the slots of buckets in ``features[:stop]`` by their rows and drop those without; return the new end."""
    if n_blocks > 0:
        for j in range(stop):
            slot = features[j]
            if slot >= n_words:
                features[j] = n_words + kept_row_direct(kept, n_blocks, slot - n_words)
        return stop
    n_entries = entries_in(kept)
    for j in range(stop):
        prefetch(kept, home(np.uint32(max(0, features[j] - n_words)), np.int64(n_entries - 1)))
    n = 0
    for j in range(stop):
        slot = features[j]
        row = slot - n_words if slot < n_words else kept_row(kept, n_entries, slot - n_words)
        if slot < n_words or row != LEFT_OUT:
            features[n] = n_words + row
            n += 1
    return n


@helper
def add_ngrams_of_signs(  # type: ignore[no-untyped-def]
    signs,
    widths,
    left,
    room,
    n_signs,
    min_n,
    max_n,
    n_words,
    n_buckets,
    inverse,
    kept,
    n_blocks,
    values,
    buckets,
    features,
    n,
):
    """Append the slots of the character n-grams of all words of a text at once, of a pruned model only those that may be kept.

    Hashes grow by one character a round, at all characters together; n-grams that would reach beyond their word are passed over when they are written.
    """
    widest = widest_sign(widths, n_signs)
    for i in range(n_signs):
        values[i] = FNV_START
    for length in range(1, max_n + 1):
        n_starts = n_signs - length + 1
        hash_signs(signs, widths, room, widest, values, length, n_starts)
        if length < min_n:
            continue
        buckets_of_hashes(values, n_starts, n_buckets, inverse, buckets)
        if length == 1:
            for i in range(n_starts):
                if left[i] > 1 and i > 0 and left[i - 1] > 1:  # not the marks of its ends alone
                    features[n] = n_words + buckets[i]
                    n += 1 if kept is None else passes(kept, n_blocks, entries_in(kept), np.int64(buckets[i]))
        elif kept is not None and n_blocks > 0:
            for first in range(0, n_starts, TOKENS):
                n = pick(kept, buckets, left, first, n_starts, length, n_words, features, n)
        elif kept is not None:
            n_entries = entries_in(kept)
            for i in range(n_starts):
                features[n] = n_words + buckets[i]
                n += np.int64(left[i] >= length) & may_be_kept(kept, n_entries, np.int64(buckets[i]))
        else:
            for i in range(n_starts):
                features[n] = n_words + buckets[i]
                n += np.int64(left[i] >= length)
    return n


@helper
def text_rows(  # type: ignore[no-untyped-def]
    data, start, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, kept, n_blocks, label_prefix, n_words, n_buckets, word_ngrams, min_n,
    max_n, reciprocal, buffer, bounds, ids, hashes, characters, signs, widths, left, room, buckets, features, ordered,
):  # fmt: skip
    """Write the rows of the features of ``data[start:stop]`` to `features`; return (rows found, features in all).

    `ordered` puts the character n-grams of a word after it, as fastText has them; else they come together, by length, which is faster.

    With a label prefix the text is read as fastText does: labels are no features, and the word </s> ends it.
    """
    sign = np.int64(label_prefix[0]) if label_prefix.size > 0 else -1
    in_all = tokens_of(tokenizer, data, start, stop, table, buffer, bounds, hashes)
    find_words(slots, arena, word_offsets, buffer, bounds, hashes, in_all, ids)
    n_tokens, n_signs = 0, 0
    n: Any = np.int64(0)
    inverse = 1.0 / n_buckets
    for token in range(in_all):
        word, first, end = np.int64(ids[token]), bounds[2 * token], bounds[2 * token + 1]
        if word >= n_words or (
            buffer[first] == sign and word < 0 and is_label(buffer, first, end - first, label_prefix)
        ):
            continue
        features[n] = word
        n += word >= 0
        ends = hashes[token] == END_HASH and is_end_of_sentence(buffer, first, end)
        if signs is not None and not ends:
            before, n_signs = n_signs, add_signs(buffer, first, end, signs, widths, left, room, n_signs)
            if ordered or n_signs == before or n_buckets > MOST_SMALL_BUCKETS:
                n_signs = before
                count = add_character_ngrams(buffer, first, end, min_n, max_n, characters, 0)
                for j in range(count):
                    bucket = np.int64(bucket_of_hash(characters[j], n_buckets, inverse))
                    features[n] = n_words + bucket
                    n += 1 if kept is None else passes(kept, n_blocks, entries_in(kept), bucket)
        hashes[n_tokens] = hashes[token]
        n_tokens += 1
        if ends and label_prefix.size > 0 and first != END_OF_SENTENCE:
            break
    if signs is not None and n_signs > 0:
        n = add_ngrams_of_signs(
            signs, widths, left, room, n_signs, min_n, max_n, n_words, n_buckets, inverse, kept, n_blocks, characters, buckets, features, n
        )  # fmt: skip
    if word_ngrams > 1:
        before = n
        n = add_word_ngrams_by(hashes, n_tokens, word_ngrams, n_words, n_buckets, reciprocal, features, n)
        if kept is not None:
            n = may_be_kept_slots(kept, n_blocks, n_words, features, before, n)
    if kept is not None:
        n = kept_rows(kept, n_blocks, n_words, features, n)
    if slot_rows.size == 0:
        return n, n
    for j in range(min(AHEAD, n)):
        prefetch(slot_rows, features[j])
    found = 0
    for j in range(n):
        prefetch(slot_rows, features[min(j + AHEAD, n - 1)])
        row = slot_rows[features[j]]
        features[found] = row
        found += row >= 0
    return found, n
