"""The windows of sentences as lists, for losses that are not computed word by word: which words make each input, and which word it predicts.

Hidden vector i is the mean of the vectors of the words ``words[ends[i]:ends[i + 1]]``, each of which is the mean of its rows.
"""

from __future__ import annotations

import numpy as np

from lexigrad.kernels.sampling import below, keep_words
from lexigrad.machine.compiler import kernel
from lexigrad.machine.hashing import mixed
from lexigrad.machine.intrinsics import add_scaled


@kernel()
def list_windows(cbow, tokens, offsets, order, first, stop, done, seed, chances, window, dynamic, words, ends, targets):  # type: ignore[no-untyped-def]
    """Fill the windows of the sentences ``order[first:stop]``: for skip-gram an input for each word of a window, for CBOW one for all; return how many.

    The same words are dropped, and the same windows drawn, as the other loops do without negatives.
    """
    state = np.empty(1, np.uint64)
    longest = 0
    for text in range(first, stop):
        longest = max(longest, offsets[order[text] + 1] - offsets[order[text]])
    kept = np.empty(longest, np.int64)
    n_inputs, n_words = 0, 0
    for text in range(first, stop):
        sentence = order[text]
        state[0] = mixed(mixed(seed) + np.uint64(done + text)) | np.uint64(1)
        n = keep_words(state, tokens, offsets[sentence], offsets[sentence + 1], chances, kept)
        for position in range(n):
            reach = 1 + below(state, window) if dynamic else window
            before = n_words
            for c in range(max(0, position - reach), min(n, position + reach + 1)):
                if c != position:
                    words[n_words] = kept[c]
                    n_words += 1
                    if not cbow:
                        targets[n_inputs] = kept[position]
                        n_inputs += 1
                        ends[n_inputs] = n_words
            if cbow and n_words > before:
                targets[n_inputs] = kept[position]
                n_inputs += 1
                ends[n_inputs] = n_words
    return n_inputs


@kernel()
def gather_inputs(words, ends, first, stop, rows, row_ends, matrix, stride, hidden):  # type: ignore[no-untyped-def]
    """Set the hidden vectors of the inputs ``first:stop``; `hidden` is zero before."""
    for i in range(first, stop):
        for w in range(ends[i], ends[i + 1]):
            begin, end = row_ends[words[w]], row_ends[words[w] + 1]
            share = np.float32(1.0 / ((ends[i + 1] - ends[i]) * (end - begin)))
            for j in range(begin, end):
                add_scaled(share, matrix, np.int64(rows[j]) * stride, hidden, (i - first) * stride, stride)


@kernel()
def scatter_inputs(words, ends, first, stop, rows, row_ends, share, matrix, stride, d_hidden, rate):  # type: ignore[no-untyped-def]
    """Move the rows by -rate times the gradient: each word by its share of dl/dh and each row by its share of that, without `share` by all of it."""
    for i in range(first, stop):
        for w in range(ends[i], ends[i + 1]):
            begin, end = row_ends[words[w]], row_ends[words[w] + 1]
            part = np.float32(1.0 / ((ends[i + 1] - ends[i]) * (end - begin))) if share else np.float32(1.0)
            for j in range(begin, end):
                add_scaled(-rate * part, d_hidden, (i - first) * stride, matrix, np.int64(rows[j]) * stride, stride)
