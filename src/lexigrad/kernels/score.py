"""Text bytes -> scores of all labels, without the GIL: tokenising, look-up, gathering and the output product in one
pass per text.

Two roads with the same answer. *Plain*: h = mean of the rows of the text's features, s = W h. *Folded*, where scores
are fewer than dimensions:
s = mean of the rows of A W^T, a matrix of rows x scores that is computed once.

The input matrix is given as bytes: of float32 numbers, which in a foreign file lie at any byte, or of the codes of quantised rows
(`lexigrad.formats.fasttext_bin.CodedMatrix`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types

from lexigrad.kernels.heaps import likeliest, likeliest_leaves, written
from lexigrad.kernels.rows import AHEAD, MATRIX, add_coded_row, lanes_of
from lexigrad.losses import hierarchical_softmax, one_vs_all, softmax
from lexigrad.losses.fasttext import to_steps
from lexigrad.losses.links import INDEPENDENT, SOFTMAX
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.intrinsics import LANES, add_scaled, block_scores, float_at, prefetch
from lexigrad.maths.pointwise import sigmoid_loop
from lexigrad.text.kept_buckets import LEFT_OUT, entries_in, kept_row, may_be_kept
from lexigrad.text.ngrams import (
    MOST_BYTES,
    add_character_ngrams,
    add_signs,
    add_word_ngrams,
    bucket_of_hash,
    buckets_of_hashes,
    hash_signs,
    is_end_of_sentence,
    is_label,
    most_features,
    widest_sign,
)
from lexigrad.text.tokens import FNV_START, next_token
from lexigrad.text.vocabulary import find, home

_I32, _I64, _F32, _F64, _U8, _U32, _U64 = (
    types.int32, types.int64, types.float32, types.float64, types.uint8, types.uint32, types.uint64,
)  # fmt: skip

MOST_SMALL_BUCKETS = 1 << 30
"""Up to so many the remainders of hashes fit in 32 bits."""
LINE_BYTES = 64


@helper
def may_be_kept_slots(kept, n_words, features, start, stop):  # type: ignore[no-untyped-def]
    """Drop from ``features[start:stop]`` the slots of buckets that are not in the table, all but few; return the new end."""
    n_entries = entries_in(kept)
    n = start
    for j in range(start, stop):
        slot = features[j]
        features[n] = slot
        n += may_be_kept(kept, n_entries, slot - n_words)
    return n


@helper
def kept_rows(kept, n_words, features, stop):  # type: ignore[no-untyped-def]
    """Replace the slots of buckets in ``features[:stop]`` by their rows and drop those without; return the new end."""
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
    signs, widths, left, room, n_signs, min_n, max_n, n_words, n_buckets, inverse, kept, values, buckets, features, n
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
                    n += 1
        elif kept is not None:
            n_entries = entries_in(kept)
            for i in range(n_starts):
                features[n] = n_words + buckets[i]
                n += np.int64(left[i] >= length) & may_be_kept(kept, n_entries, buckets[i])
        else:
            for i in range(n_starts):
                features[n] = n_words + buckets[i]
                n += np.int64(left[i] >= length)
    return n


@helper
def text_rows(  # type: ignore[no-untyped-def]
    data, start, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, kept, label_prefix, n_words, n_buckets, word_ngrams, min_n, max_n,
    buffer, hashes, characters, signs, widths, left, room, buckets, features, ordered,
):  # fmt: skip
    """Write the rows of the features of ``data[start:stop]`` to `features`; return (rows found, features in all).

    `ordered` puts the character n-grams of a word after it, as fastText has them; else they come together, by length, which is faster.

    With a label prefix the text is read as fastText does: labels are no features, and the word </s> ends it.
    """
    position, n_tokens, n, n_signs = start, 0, 0, 0
    inverse = 1.0 / n_buckets
    while True:
        position, size, value = next_token(tokenizer, data, position, start, stop, table, buffer[1:])
        if size == 0:
            break
        word = find(slots, arena, word_offsets, buffer, 1, 1 + size, value)
        if word >= n_words or (word < 0 and is_label(buffer, 1, size, label_prefix)):
            continue
        if word >= 0:
            features[n] = word
            n += 1
        ends = is_end_of_sentence(buffer, 1, 1 + size)
        if signs is not None and not ends:
            before, n_signs = n_signs, add_signs(buffer, 1, 1 + size, signs, widths, left, room, n_signs)
            if ordered or n_signs == before or n_buckets > MOST_SMALL_BUCKETS:
                n_signs = before
                count = add_character_ngrams(buffer, 1, 1 + size, min_n, max_n, characters, 0)
                for j in range(count):
                    features[n + j] = n_words + bucket_of_hash(characters[j], n_buckets, inverse)
                n += count
        hashes[n_tokens] = value
        n_tokens += 1
        if ends and label_prefix.size > 0 and position <= stop and data[position - 1] != 10:
            break
    if signs is not None and n_signs > 0:
        n = add_ngrams_of_signs(
            signs, widths, left, room, n_signs, min_n, max_n, n_words, n_buckets, inverse, kept, characters, buckets, features, n
        )  # fmt: skip
    if word_ngrams > 1:
        before = n
        n = add_word_ngrams(hashes, n_tokens, word_ngrams, n_words, n_buckets, features, n)
        if kept is not None:
            n = may_be_kept_slots(kept, n_words, features, before, n)
    if kept is not None:
        n = kept_rows(kept, n_words, features, n)
    if slot_rows.size == 0:
        return n, n
    for j in range(n):
        prefetch(slot_rows, features[j])
    found = 0
    for j in range(n):
        row = slot_rows[features[j]]
        if row >= 0:
            features[found] = row
            found += 1
    return found, n


@helper
def prefetch_bytes(matrix, start, size):  # type: ignore[no-untyped-def]
    """Ask for the cache lines of a row."""
    for i in range(0, size + LINE_BYTES - 1, LINE_BYTES):
        prefetch(matrix, start + min(i, size - 1))


@helper
def sum_rows(  # type: ignore[no-untyped-def]
    matrix, n_slices, sub_dim, norms, centroids, norm_centroids, dim, features, n, total, hidden, start
):
    """hidden[start : start + dim] = (sum of the rows) / total."""
    size = 4 * dim if n_slices is None else n_slices
    for j in range(min(AHEAD, n)):
        prefetch_bytes(matrix, features[j] * size, size)
    for k in range(dim):
        hidden[start + k] = np.float32(0)
    for j in range(n):
        if j + AHEAD < n:
            prefetch_bytes(matrix, features[j + AHEAD] * size, size)
        if n_slices is not None:
            add_coded_row(matrix, n_slices, sub_dim, norms, centroids, norm_centroids, features[j], dim, hidden, start)
        elif dim < 8:
            for k in range(dim):
                hidden[start + k] += float_at(matrix, features[j] * size + 4 * k)
        else:
            add_scaled(np.float32(1), matrix, features[j] * size, hidden, start, dim)
    if total > 0:
        share = np.float32(1) / np.float32(total)
        for k in range(dim):
            hidden[start + k] *= share


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


def scorer(arguments: tuple[Any, ...], fasttext: bool = False) -> Any:
    """Return the kernel for the arguments from the tokenizer to the tree, which `lexigrad.models.fitted` makes."""
    kept, max_n, n_slices, link, children = arguments[6], arguments[12], arguments[14], arguments[-2], arguments[-1]
    steps = fasttext and children is None and link == INDEPENDENT
    return score_with(kept is not None, max_n > 0, n_slices is not None, children is not None, fasttext, steps)


@cache
def score_with(
    pruned: bool, characters: bool, coded: bool, tree: bool, fasttext: bool = False, steps: bool = False
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
    """
    none = types.none
    ranking = (inputs(_I32), _F32) if fasttext else (none, none)
    walked = tree and fasttext
    kept, children = inputs(_U64) if pruned else none, inputs(_I32) if tree else none
    matrix = MATRIX if coded else (MATRIX[0], none, none, none, none, none)

    @kernel(
        (
            inputs(_U8), inputs(_I64), _I64, _I64, _I64, inputs(_U32), inputs(_U64), inputs(_U8), inputs(_I64), inputs(_I32), kept, inputs(_U8),
            _I64, _I64, _I64, _I64, _I64, *matrix, _I64, inputs(_F32), _I64, _I64, _I64, children, _I64, inputs(_F32), _I64,
            outputs(_I32), outputs(_F32), outputs(_I32), *ranking,
        )
    )  # fmt: skip
    def score(  # type: ignore[no-untyped-def]
        data, offsets, first, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, kept, label_prefix, n_words, n_buckets, word_ngrams, min_n,
        max_n, matrix, n_slices, sub_dim, norms, centroids, norm_centroids, width, output, stride, n_scores, link, children, n_labels, prior, k, ids,
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
        n_bytes = 3 * longest + 16
        buffer = np.empty(n_bytes + 2, np.uint8)
        hashes = np.empty(longest + 1, np.uint32)
        n_characters = n_bytes if characters else 0
        features = np.empty(most_features(longest + 1, n_characters, word_ngrams, min_n, max_n) + 1, np.int64)
        values = np.empty(n_characters * max_n, np.uint32) if characters else None
        signs = np.empty(MOST_BYTES * n_characters, np.uint32) if characters else None
        left = np.empty(n_characters, np.uint32) if characters else None
        widths = np.empty(n_characters, np.uint32) if characters else None
        buckets = np.empty(n_characters, np.int32) if characters else None
        folded = output.size == 0
        size = max(stride, width)
        hidden = np.zeros(LANES * size, np.float32)
        lanes = np.zeros(width * LANES, np.float32)
        scores = np.zeros(n_scores * LANES, np.float32)
        scratch = np.zeros(n_scores * LANES if tree else 0, np.float32)
        probabilities = np.zeros((n_labels + n_scores) * LANES, np.float32) if tree and not walked else scores
        peak, total, squares = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        found = np.zeros(LANES, np.int64)
        keys = np.empty(k + 1, np.float32) if fasttext else None
        places = np.empty(k + 1, np.int32) if fasttext else None
        nodes = np.empty(n_labels + 1, np.int32) if walked else None
        sums = np.empty(n_labels + 1, np.float32) if walked else None
        shares = np.empty(n_labels + 1, np.float64) if walked else None
        for begin in range(first, stop, LANES):
            n = min(LANES, stop - begin)
            for lane in range(n):
                text = begin + lane
                found[lane], n_features = text_rows(
                    data, offsets[text], offsets[text + 1], tokenizer, table, slots, arena, word_offsets, slot_rows, kept, label_prefix, n_words,
                    n_buckets, word_ngrams, min_n, max_n, buffer, hashes, values, signs, widths, left, n_characters, buckets, features, steps,
                )  # fmt: skip
                known[text] = found[lane]
                sum_rows(
                    matrix, n_slices, sub_dim, norms, centroids, norm_centroids, width, features, found[lane], n_features, hidden, lane * size
                )  # fmt: skip
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
