"""Text bytes -> scores of all labels, without the GIL: tokenising, look-up, gathering and the output product in one
pass per text.

Two roads with the same answer. *Plain*: h = mean of the rows of the text's features, s = W h. *Folded*, where labels
are fewer than dimensions:
s = mean of the rows of A W^T, a matrix of rows x labels that is computed once.
"""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.classifier import AHEAD, lanes_of, prefetch_row
from lexigrad.losses import softmax
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.intrinsics import LANES, add_scaled, block_scores, prefetch
from lexigrad.text.ngrams import add_character_ngrams, add_word_ngrams, bucket_of, is_end_of_sentence, most_features
from lexigrad.text.tokens import next_token
from lexigrad.text.vocabulary import find

_I32, _I64, _F32, _F64, _U8, _U32, _U64 = (
    types.int32, types.int64, types.float32, types.float64, types.uint8, types.uint32, types.uint64,
)  # fmt: skip

READER = (
    _I64, inputs(_U32), inputs(_U64), inputs(_U8), inputs(_I64), inputs(_I32), _I64, _I64, _I64, _I64, _I64,
)  # fmt: skip
"""Types of what reads a text: tokenizer, table, slots, arena, word_offsets, slot_rows, n_words, n_buckets, word_ngrams, min_n, max_n."""


@helper
def text_rows(  # type: ignore[no-untyped-def]
    data, start, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, n_words, n_buckets, word_ngrams, min_n, max_n,
    buffer, hashes, characters, features,
):  # fmt: skip
    """Write the rows of the features of ``data[start:stop]`` to `features`; return (rows found, features in all)."""
    position, n_tokens, n = start, 0, 0
    while True:
        position, size, value = next_token(tokenizer, data, position, start, stop, table, buffer[1:])
        if size == 0:
            break
        word = find(slots, arena, word_offsets, buffer, 1, 1 + size, value)
        if word >= 0:
            features[n] = word
            n += 1
        if max_n > 0 and not is_end_of_sentence(buffer, 1, 1 + size):
            count = add_character_ngrams(buffer, 1, 1 + size, min_n, max_n, characters, 0)
            for j in range(count):
                features[n] = n_words + bucket_of(np.uint64(characters[j]), n_buckets)
                prefetch(slot_rows, features[n])
                n += 1
        hashes[n_tokens] = value
        n_tokens += 1
    if word_ngrams > 1:
        before = n
        n = add_word_ngrams(hashes, n_tokens, word_ngrams, n_words, n_buckets, features, n)
        for j in range(before, n):
            prefetch(slot_rows, features[j])
    found = 0
    for j in range(n):
        row = slot_rows[features[j]]
        if row >= 0:
            features[found] = row
            found += 1
    return found, n


@helper
def sum_rows(matrix, dim, features, n, total, hidden, start):  # type: ignore[no-untyped-def]
    """hidden[start : start + dim] = (sum of the rows) / total."""
    for j in range(min(AHEAD, n)):
        prefetch_row(matrix, features[j] * dim, dim)
    if dim < 8:
        for k in range(dim):
            hidden[start + k] = np.float32(0)
        for j in range(n):
            if j + AHEAD < n:
                prefetch(matrix, features[j + AHEAD] * dim)
            for k in range(dim):
                hidden[start + k] += matrix[features[j] * dim + k]
    else:
        for k in range(dim):
            hidden[start + k] = np.float32(0)
        for j in range(n):
            if j + AHEAD < n:
                prefetch_row(matrix, features[j + AHEAD] * dim, dim)
            add_scaled(np.float32(1), matrix, features[j] * dim, hidden, start, dim)
    if total > 0:
        share = np.float32(1) / np.float32(total)
        for k in range(dim):
            hidden[start + k] *= share


@helper
def block_predict(scores, n_labels, prior, known, n, peak, total):  # type: ignore[no-untyped-def]
    """Scores -> probabilities of a block; a text without any known feature gets the training prior."""
    softmax.predict(scores, n_labels, peak, total)
    for lane in range(n):
        if known[lane] == 0:
            for label in range(n_labels):
                scores[label * LANES + lane] = prior[label]


@helper
def top_labels(probs, n_labels, lane, k, ids, values, start):  # type: ignore[no-untyped-def]
    """Write the `k` best labels of one lane, best first; equal probabilities by rising label."""
    kept = 0
    for label in range(n_labels):
        value = probs[label * LANES + lane]
        if kept == k and value <= values[start + k - 1]:
            continue
        place = kept if kept < k else k - 1
        while place > 0 and values[start + place - 1] < value:
            values[start + place] = values[start + place - 1]
            ids[start + place] = ids[start + place - 1]
            place -= 1
        values[start + place] = value
        ids[start + place] = label
        kept = min(kept + 1, k)


@kernel(
    (
        inputs(_U8), inputs(_I64), _I64, _I64, *READER, inputs(_F32), _I64, inputs(_F32), _I64, _I64, inputs(_F32), _I64,
        outputs(_I32), outputs(_F32), outputs(_I32),
    )
)  # fmt: skip
def score(  # type: ignore[no-untyped-def]
    data, offsets, first, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, n_words, n_buckets, word_ngrams, min_n, max_n,
    matrix, width, output, stride, n_labels, prior, k, ids, probs, known,
):  # fmt: skip
    """Score the texts first..stop.

    `matrix` is flat (n_rows * width,): the input matrix with width = dim, or the folded one with width = n_labels
    (then `output` is empty). With k > 0
    the best k labels go to ids and probs, (n_texts * k,); with k == 0 all probabilities go to probs, (n_texts *
    n_labels,). `known`
    (n_texts,) gets the number of known features.
    """
    longest = 0
    for text in range(first, stop):
        longest = max(longest, offsets[text + 1] - offsets[text])
    n_bytes = 3 * longest + 16
    buffer = np.empty(n_bytes + 2, np.uint8)
    hashes = np.empty(longest + 1, np.uint32)
    features = np.empty(most_features(longest + 1, n_bytes if max_n > 0 else 0, word_ngrams, min_n, max_n), np.int64)
    characters = np.empty(n_bytes * max(1, max_n), np.uint32)
    folded = output.size == 0
    size = max(stride, width)
    hidden = np.zeros(LANES * size, np.float32)
    lanes = np.zeros(width * LANES, np.float32)
    scores = np.zeros(n_labels * LANES, np.float32)
    peak, total, norms = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
    found = np.zeros(LANES, np.int64)
    for begin in range(first, stop, LANES):
        n = min(LANES, stop - begin)
        for lane in range(n):
            text = begin + lane
            found[lane], n_features = text_rows(
                data, offsets[text], offsets[text + 1], tokenizer, table, slots, arena, word_offsets, slot_rows, n_words, n_buckets,
                word_ngrams, min_n, max_n, buffer, hashes, characters, features,
            )  # fmt: skip
            known[text] = found[lane]
            sum_rows(matrix, width, features, found[lane], n_features, hidden, lane * size)
        lanes_of(hidden, size, width, lanes, norms)
        if folded:
            for i in range(n_labels * LANES):
                scores[i] = lanes[i]
        else:
            block_scores(output, stride, lanes, width, scores, 0, n_labels)
        block_predict(scores, n_labels, prior, found, n, peak, total)
        for lane in range(n):
            if k > 0:
                top_labels(scores, n_labels, lane, k, ids, probs, (begin + lane) * k)
            else:
                for label in range(n_labels):
                    probs[(begin + lane) * n_labels + label] = scores[label * LANES + lane]


@kernel((inputs(_F32), inputs(_F32), _I64, _I64, _I64, _I64, _I64, outputs(_F32)))
def fold(matrix, output, dim, stride, n_labels, first, stop, folded):  # type: ignore[no-untyped-def]
    """folded[row, label] = sum_k matrix[row, k] * output[label, k] in float64, for the rows first..stop."""
    for row in range(first, stop):
        for label in range(n_labels):
            value = 0.0
            for k in range(dim):
                value += np.float64(matrix[row * dim + k]) * np.float64(output[label * stride + k])
            folded[row * n_labels + label] = np.float32(value)
