"""Text bytes -> scores of all labels, without the GIL: tokenising, look-up, gathering and the output product in one
pass per text.

Two roads with the same answer. *Plain*: h = mean of the rows of the text's features, s = W h. *Folded*, where scores
are fewer than dimensions:
s = mean of the rows of A W^T, a matrix of rows x scores that is computed once. With two labels and a softmax one number a row is enough, the difference
of their scores (`lexigrad.models.folding`).

The input matrix is given as bytes: of float32 or float16 numbers, which in a foreign file lie at any byte, or of the codes of quantised rows
(`lexigrad.formats.fasttext_bin.CodedMatrix`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types

from lexigrad.kernels.heaps import likeliest, likeliest_leaves, written
from lexigrad.kernels.reading import AHEAD, character_arrays, reciprocal_of, text_rows, token_arrays
from lexigrad.kernels.rows import MATRIX, add_coded_row, lanes_of
from lexigrad.losses import hierarchical_softmax, one_vs_all, softmax
from lexigrad.losses.fasttext import to_steps
from lexigrad.losses.links import INDEPENDENT, SOFTMAX
from lexigrad.machine.bits import TOKENS, bits_of, half_at
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.intrinsics import LANES, add_scaled, block_best, block_scores, float_at, prefetch
from lexigrad.maths.pointwise import sigmoid_loop
from lexigrad.text.ngrams import most_features
from lexigrad.text.vocabulary import home

_I32, _I64, _F32, _F64, _U8, _U32, _U64 = (
    types.int32, types.int64, types.float32, types.float64, types.uint8, types.uint32, types.uint64,
)  # fmt: skip

ROWS_TOGETHER = 64
"""Rows that are added up before their sum is added to the others, so that rounding grows with 64 and n / 64 instead of n."""
WIDE = 64
"""Numbers of a row from which on rows that a text has more than once are read once."""
MOST_DISTINCT = 1 << 13
UNSEEN = np.uint32(0x80000000)
"""The bits of -0.0, which in a table of single numbers stands for a bucket that training never saw."""


@helper
def prefetch_bytes(matrix, start, size):  # type: ignore[no-untyped-def]
    """Ask for the ends of a row: the processor goes on by itself from there, and more requests only stand in one another's way."""
    prefetch(matrix, start)
    prefetch(matrix, start + size - 1)


@helper
def distinct_rows(features, n, table, counts):  # type: ignore[no-untyped-def]
    """Keep each row of ``features[:n]`` once, of a long text once in `MOST_DISTINCT`, and count it; return the new length.

    An n-gram of few characters occurs many times in a long text, and the memory of a wide row takes longer than to find that out. `table` is a hash
    table of ``2 * MOST_DISTINCT`` places.
    """
    m, mask = 0, np.int64(table.size - 1)
    for first in range(0, n, MOST_DISTINCT):
        begin = m
        for i in range(table.size):
            table[i] = 0
        for j in range(first, min(first + MOST_DISTINCT, n)):
            row = features[j]
            slot = home(np.uint32(row), mask)
            while table[slot] != 0 and features[begin + table[slot] - 1] != row:
                slot = (slot + 1) & mask
            if table[slot] == 0:
                table[slot] = m - begin + 1
                features[m], counts[m] = row, np.float32(1)
                m += 1
            else:
                counts[begin + table[slot] - 1] += np.float32(1)
    return m


@helper
def add_row(  # type: ignore[no-untyped-def]
    matrix, half, n_slices, sub_dim, norms, centroids, norm_centroids, dim, row, count, sums, start
):
    """sums[start : start + dim] += a row, `count` times where it is of float32 numbers."""
    if n_slices is not None:
        add_coded_row(matrix, n_slices, sub_dim, norms, centroids, norm_centroids, row, dim, sums, start)
    elif half:
        for k in range(dim):
            sums[start + k] += half_at(matrix, 2 * (row * dim + k))
    elif dim < 8:
        for k in range(dim):
            sums[start + k] += float_at(matrix, 4 * (row * dim + k))
    else:
        add_scaled(count, matrix, row * 4 * dim, sums, start, dim)


@helper
def sum_rows(  # type: ignore[no-untyped-def]
    matrix, half, n_slices, sub_dim, norms, centroids, norm_centroids, dim, features, n, total, table, counts, part,
    hidden, start,
):  # fmt: skip
    """hidden[start : start + dim] = (sum of the rows) / total, by way of `part` (dim,); without `part` one row is added after the other.

    `table` and `counts` are for `distinct_rows`; `counts` is empty where rows are too short for it.
    """
    repeated = counts.size > 0 and n > ROWS_TOGETHER
    if repeated:
        n = distinct_rows(features, n, table, counts)
    size = (2 if half else 4) * dim if n_slices is None else n_slices
    for j in range(min(AHEAD, n)):
        prefetch_bytes(matrix, features[j] * size, size)
    for k in range(dim):
        hidden[start + k] = np.float32(0)
    if part is None:
        sums, place = hidden, start
    else:
        sums, place = part, 0
    for first in range(0, n, ROWS_TOGETHER):
        if part is not None:
            for k in range(dim):
                part[k] = np.float32(0)
        for j in range(first, min(first + ROWS_TOGETHER, n)):
            if j + AHEAD < n:
                prefetch_bytes(matrix, features[j + AHEAD] * size, size)
            count = counts[j] if repeated else np.float32(1)
            add_row(
                matrix, half, n_slices, sub_dim, norms, centroids, norm_centroids, dim, features[j], count, sums, place
            )
        if part is not None:
            for k in range(dim):
                hidden[start + k] += part[k]
    if total > 0:
        share = np.float32(1) / np.float32(total)
        for k in range(dim):
            hidden[start + k] *= share


@helper
def number_at(matrix, half, n_slices, centroids, row):  # type: ignore[no-untyped-def]
    """Return a row of one number."""
    if n_slices is not None:
        return centroids[matrix[row]]
    return half_at(matrix, 2 * row) if half else float_at(matrix, 4 * row)


@helper
def sum_numbers(matrix, half, n_slices, centroids, features, n):  # type: ignore[no-untyped-def]
    """Return (sum, known) of rows of one number, in float64: four sums side by side; -0.0 is not counted as known."""
    size = (2 if half else 4) if n_slices is None else 1
    for j in range(min(AHEAD, n)):
        prefetch(matrix, features[j] * size)
    a, b, c, d, known = 0.0, 0.0, 0.0, 0.0, 0
    whole = n // 4 * 4
    for j in range(0, whole, 4):
        for i in range(4):
            prefetch(matrix, features[min(j + i + AHEAD, n - 1)] * size)
        first = number_at(matrix, half, n_slices, centroids, features[j])
        second = number_at(matrix, half, n_slices, centroids, features[j + 1])
        third = number_at(matrix, half, n_slices, centroids, features[j + 2])
        fourth = number_at(matrix, half, n_slices, centroids, features[j + 3])
        a, b, c, d = a + np.float64(first), b + np.float64(second), c + np.float64(third), d + np.float64(fourth)
        known += (bits_of(first) != UNSEEN) + (bits_of(second) != UNSEEN)
        known += (bits_of(third) != UNSEEN) + (bits_of(fourth) != UNSEEN)
    for j in range(whole, n):
        last = number_at(matrix, half, n_slices, centroids, features[j])
        a += np.float64(last)
        known += bits_of(last) != UNSEEN
    return (a + b) + (c + d), known


@helper
def block_predict(  # type: ignore[no-untyped-def]
    link, scores, n_scores, children, scratch, probs, n_labels, prior, known, n, peak, total
):
    """Scores -> probabilities of a block; a text without any known feature gets the training prior.

    `probs` is another array than `scores` for hierarchical softmax, and the same for all others.
    """
    if children is not None:
        hierarchical_softmax.predict(scores, n_scores, children, scratch, probs)
    elif link == SOFTMAX:
        softmax.predict(scores, n_scores, peak, total)
    else:
        one_vs_all.predict(scores, n_scores)
    for lane in range(n):
        if known[lane] == 0:
            for label in range(n_labels):
                probs[label * LANES + lane] = prior[label]


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


def scorer(arguments: tuple[Any, ...], half: bool, single: bool, fasttext: bool = False) -> Any:
    """Return the kernel for the arguments from the tokenizer to the tree, which `lexigrad.models.fitted` makes; the flags are those of `score_with`."""
    kept, max_n, n_slices, link, children = *(arguments[i] for i in (6, 13, 15)), *arguments[-2:]
    steps = fasttext and children is None and link == INDEPENDENT
    coded = n_slices is not None
    return score_with(kept is not None, max_n > 0, coded, children is not None, fasttext, steps, single, half)


@cache
def score_with(
    pruned: bool,
    characters: bool,
    coded: bool,
    tree: bool,
    fasttext: bool = False,
    steps: bool = False,
    single: bool = False,
    half: bool = False,
) -> Any:
    """Return the kernel that scores, compiled when first asked for, with only the branches that a model needs.

    Parameters
    ----------
    pruned : with a table of kept buckets; else `kept` is None
    characters : with character n-grams; else ``max_n`` is 0
    coded : with quantised rows; else all of the matrix's arguments but the first are None
    tree : by hierarchical softmax; else `children` is None
    fasttext : with the answers of fastText (`lexigrad.losses.fasttext`), the labels in the order of the last arguments, those below a threshold left out;
        else these arguments are None
    steps : as fastText, with its table of the sigmoid; the matrix may not be folded, since scores are added up in fastText's order
    single : with rows of one number, of which -0.0 are of buckets never seen; without norms and without a table of kept buckets
    half : with float16 numbers
    """
    none = types.none
    ranking = (inputs(_I32), _F32) if fasttext else (none, none)
    walked = tree and fasttext
    kept, children = inputs(_U64) if pruned else none, inputs(_I32) if tree else none
    matrix = MATRIX if coded else (MATRIX[0], none, none, none, none, none)

    @kernel(
        (
            inputs(_U8), inputs(_I64), _I64, _I64, _I64, inputs(_U32), inputs(_U64), inputs(_U8), inputs(_I64), inputs(_I32), kept, _I64, inputs(_U8),
            _I64, _I64, _I64, _I64, _I64, *matrix, _I64, inputs(_F32), _I64, _I64, _I64, children, _I64, inputs(_F32), _I64,
            outputs(_I32), outputs(_F32), outputs(_I32), *ranking,
        )
    )  # fmt: skip
    def score(  # type: ignore[no-untyped-def]
        data, offsets, first, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, kept, n_blocks, label_prefix, n_words, n_buckets, word_ngrams,
        min_n, max_n, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, width, output, stride, n_scores, link, children, n_labels, prior, k, ids,
        probs, known, order, threshold,
    ):  # fmt: skip
        """Score the texts first..stop.

        `matrix` holds n_rows rows of `width` numbers: the input matrix with width = dim, or the folded one with width = n_scores
        (then `output` is empty). `children` is the tree of hierarchical softmax, and None for other losses. With k > 0
        the best k labels go to ids and probs, (n_texts * k,); with k == 0 all probabilities go to probs, (n_texts *
        n_labels,). `known`
        (n_texts,) gets the number of known features. As fastText ids of -1 stand for no label.
        """
        longest = 0
        for text in range(first, stop):
            longest = max(longest, offsets[text + 1] - offsets[text])
        buffer, bounds, words, hashes = token_arrays(longest)
        n_characters = 3 * longest + 16 if characters else 0
        features = np.empty(most_features(longest + 2, n_characters, word_ngrams, min_n, max_n) + 1 + TOKENS, np.int64)
        if characters:
            values, signs, widths, left, buckets = character_arrays(n_characters, max_n)
        else:
            values, signs, widths, left, buckets = None, None, None, None, None
        reciprocal = reciprocal_of(n_buckets)
        folded = output.size == 0
        size = max(stride, width)
        hidden = np.zeros(LANES * size, np.float32)
        lanes = np.zeros(width * LANES, np.float32)
        scores = np.zeros(n_scores * LANES, np.float32)
        scratch = np.zeros(n_scores * LANES if tree else 0, np.float32)
        probabilities = np.zeros((n_labels + n_scores) * LANES, np.float32) if tree and not walked else scores
        peak, total, squares = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        found, best = np.zeros(LANES, np.int64), np.zeros(LANES, np.int32)
        wide = not (coded or half or steps or single) and width >= WIDE
        counts = np.empty(features.size if wide else 0, np.float32)
        seen = np.empty(2 * MOST_DISTINCT if wide else 0, np.int32)
        part = None if steps or single else np.empty(width, np.float32)
        keys = np.empty(k + 1, np.float32) if fasttext else None
        places = np.empty(k + 1, np.int32) if fasttext else None
        nodes = np.empty(n_labels + 1, np.int32) if walked else None
        sums = np.empty(n_labels + 1, np.float32) if walked else None
        shares = np.empty(n_labels + 1, np.float64) if walked else None
        for begin in range(first, stop, LANES):
            n = min(LANES, stop - begin)
            for lane in range(n):
                text = begin + lane
                n_found, n_features = text_rows(
                    data, offsets[text], offsets[text + 1], tokenizer, table, slots, arena, word_offsets, slot_rows, kept, n_blocks, label_prefix, n_words,
                    n_buckets, word_ngrams, min_n, max_n, reciprocal, buffer, bounds, words, hashes, values, signs, widths, left, n_characters, buckets,
                    features, steps,
                )  # fmt: skip
                if single:
                    number, n_found = sum_numbers(matrix, half, n_slices, centroids, features, n_found)
                    hidden[lane * size] = np.float32(number / max(1, n_features))
                else:
                    sum_rows(
                        matrix, half, n_slices, sub_dim, norms, centroids, norm_centroids, width, features, n_found, n_features, seen, counts,
                        part, hidden, lane * size
                    )  # fmt: skip
                known[text] = found[lane] = n_found
            lanes_of(hidden, size, width, lanes, squares)
            if folded:
                for i in range(n_scores * LANES):
                    scores[i] = lanes[i]
            else:
                block_scores(output, stride, lanes, width, scores, 0, n_scores)
            if walked:
                sigmoid_loop(scores, scores, 0, n_scores * LANES)
            else:
                if steps:
                    to_steps(scores, n_scores, found, n, output, stride, hidden, size, width)
                block_predict(
                    link, scores, n_scores, children, scratch, probabilities, n_labels, prior, found, n, peak, total
                )  # fmt: skip
            if k == 1 and not fasttext:
                block_best(probabilities, n_labels, peak, best)
                for lane in range(n):
                    ids[begin + lane], probs[begin + lane] = best[lane], peak[lane]
                continue
            for lane in range(n):
                start = (begin + lane) * k
                if fasttext:
                    if found[lane] == 0:
                        written(0, k, keys, places, ids, probs, start)
                    elif walked:
                        likeliest_leaves(
                            scores, children, lane, threshold, k, nodes, sums, shares, keys, places, ids, probs, start
                        )
                    else:
                        likeliest(scores, n_labels, lane, order, threshold, k, keys, places, ids, probs, start)
                elif k > 0:
                    top_labels(probabilities, n_labels, lane, k, ids, probs, (begin + lane) * k)
                else:
                    for label in range(n_labels):
                        probs[(begin + lane) * n_labels + label] = probabilities[label * LANES + lane]

    return score
