"""Vectors of one word or line in one call, as fastText makes them: rows are added one by one, a word's own first and then those of its n-grams."""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.rows import MATRIX, add_coded_row
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.intrinsics import float_at
from lexigrad.text.kept_buckets import LEFT_OUT, row_of
from lexigrad.text.ngrams import (
    add_character_ngrams,
    add_word_ngrams,
    is_end_of_sentence,
    is_label,
    most_features,
)
from lexigrad.text.tokens import WHITESPACE, end_of_sentence, hash_bytes, next_whitespace
from lexigrad.text.vocabulary import find

_I64, _U8 = types.int64, types.uint8

READER = (_I64, _I64, _I64, _I64, inputs(types.int32), inputs(types.uint64))
"""Types of n_words, n_buckets, min_n, max_n, the rows of slots, and the table of kept buckets."""

NO_ROWS = np.empty(0, np.int32)


@helper
def add_word(word, size, place, n_words, n_buckets, min_n, max_n, values, slots, n):  # type: ignore[no-untyped-def]
    """Append the slots of the word ``word[1 : 1 + size]``, whose number in the dictionary is `place`; return the new length."""
    if 0 <= place < n_words:
        slots[n] = place
        n += 1
    if max_n > 0 and not is_end_of_sentence(word, 1, 1 + size):
        count = add_character_ngrams(word, 1, 1 + size, min_n, max_n, values, 0)
        for j in range(count):
            slots[n + j] = n_words + np.int64(values[j]) % n_buckets
        n += count
    return n


@helper
def mean_of_rows(  # type: ignore[no-untyped-def]
    slots, n, n_words, slot_rows, kept, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, dim, vector
):
    """Set `vector` to the mean of the rows of ``slots[:n]``; zeros where there are none."""
    for k in range(dim):
        vector[k] = np.float32(0)
    total = 0
    for j in range(n):
        row = row_of(slots[j], n_words, slot_rows, kept)
        if row == LEFT_OUT:
            continue
        total += 1
        if row >= 0 and n_slices > 0:
            add_coded_row(matrix, n_slices, sub_dim, norms, centroids, norm_centroids, row, dim, vector, 0)
        elif row >= 0:
            for k in range(dim):
                vector[k] += float_at(matrix, 4 * (row * dim + k))
    if total > 0:
        share = np.float32(1.0 / total)
        for k in range(dim):
            vector[k] *= share


@kernel((inputs(_U8), inputs(_I64), inputs(_I64), types.boolean, *READER, *MATRIX, _I64, outputs(types.float32)))
def mean_of_words(  # type: ignore[no-untyped-def]
    arena, offsets, places, unit, n_words, n_buckets, min_n, max_n, slot_rows, kept, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, dim,
    total,
):  # fmt: skip
    """Set `total`, (dim,), to the vector of the one word ``arena[offsets[0] : offsets[1]]``, or with `unit` to the mean of all words' vectors at length 1.

    `places` are the words' numbers in the dictionary, -1 for unknown ones. Words whose vector is 0 do not count.
    """
    longest = 0
    for w in range(places.size):
        longest = max(longest, offsets[w + 1] - offsets[w])
    room = most_features(1, longest, 1, min_n, max_n)
    word, values, slots = np.empty(longest + 2, np.uint8), np.empty(room, np.uint32), np.empty(room, np.int64)
    vector = np.empty(dim, np.float32)
    total[:] = 0
    count = 0
    for w in range(places.size):
        size = offsets[w + 1] - offsets[w]
        for i in range(size):
            word[1 + i] = arena[offsets[w] + i]
        n = add_word(word, size, places[w], n_words, n_buckets, min_n, max_n, values, slots, 0)
        mean_of_rows(
            slots, n, n_words, slot_rows, kept, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, dim, vector
        )
        square = np.float32(0)
        for k in range(dim):
            square += vector[k] * vector[k]
        if unit and square == 0:
            continue
        count += 1
        factor = np.float32(1) / np.sqrt(square) if unit else np.float32(1)
        for k in range(dim):
            total[k] += vector[k] * factor
    if count > 1:
        share = np.float32(1.0 / count)
        for k in range(dim):
            total[k] *= share


@kernel(
    (
        inputs(_U8), types.boolean, inputs(types.uint64), inputs(_U8), inputs(_I64), inputs(_U8), _I64, *READER, *MATRIX, _I64, outputs(types.float32),
    )
)  # fmt: skip
def mean_of_line(  # type: ignore[no-untyped-def]
    data, ended, table, arena, word_offsets, label_prefix, word_ngrams, n_words, n_buckets, min_n, max_n, slot_rows, kept, matrix, n_slices, sub_dim,
    norms, centroids, norm_centroids, dim, vector,
):  # fmt: skip
    """Set `vector`, (dim,), to the mean of the rows of all features of a line of a classifier; where it is `ended` they include those of </s>.

    Labels are no features, and a literal </s> ends the line.
    """
    size = data.size
    buffer, hashes = np.empty(size + 8, np.uint8), np.empty(size + 2, np.uint32)
    slots = np.empty(most_features(size + 2, size + 8, word_ngrams, min_n, max_n), np.int64)
    values = np.empty(most_features(1, size + 8, 1, min_n, max_n), np.uint32)
    position, n, n_tokens = 0, 0, 0
    while True:
        position, length, value = next_whitespace(WHITESPACE, data, position, size, buffer[1:])
        over = length == 0
        if over:
            if not ended:
                break
            length, value = end_of_sentence(buffer[1:]), hash_bytes(buffer, 1, 5)
        place = find(table, arena, word_offsets, buffer, 1, 1 + length, value)
        if place < n_words and (place >= 0 or not is_label(buffer, 1, length, label_prefix)):
            n = add_word(buffer, length, place, n_words, n_buckets, min_n, max_n, values, slots, n)
            hashes[n_tokens] = value
            n_tokens += 1
        if over or (label_prefix.size > 0 and is_end_of_sentence(buffer, 1, 1 + length)):
            break
    if word_ngrams > 1:
        n = add_word_ngrams(hashes, n_tokens, word_ngrams, n_words, n_buckets, slots, n)
    mean_of_rows(
        slots, n, n_words, slot_rows, kept, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, dim, vector
    )


@kernel((inputs(_U8), _I64, _I64, _I64, _I64, _I64, inputs(types.uint64)))
def subword_rows(data, place, n_words, n_buckets, min_n, max_n, kept):  # type: ignore[no-untyped-def]
    """Return the rows of the whole input matrix of a word and its n-grams, without those that pruning dropped."""
    size = data.size
    room = most_features(1, size, 1, min_n, max_n)
    word, values, slots = np.empty(size + 2, np.uint8), np.empty(room, np.uint32), np.empty(room, np.int64)
    word[1 : 1 + size] = data
    n = add_word(word, size, place, n_words, n_buckets, min_n, max_n, values, slots, 0)
    found = 0
    for j in range(n):
        row = row_of(slots[j], n_words, NO_ROWS, kept)
        if row != LEFT_OUT:
            slots[found] = row
            found += 1
    return slots[:found]
