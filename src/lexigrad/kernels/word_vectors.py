"""The training loop of skip-gram with negative sampling, without the GIL.

A sentence is sub-sampled first. Then, for each word as the centre, all words of its window are the inputs of one step, its own output
row and `negatives` drawn ones the outputs (`lexigrad.losses.negative_sampling`): the negatives are shared by the window.

The vector of a word is the mean of its rows, h = (1/n) sum_r A[r]: its own row and those of its character n-grams, or its own alone. It is
gathered once, when the word enters the window, and lives in a ring buffer while it is inside. There a step moves it by 1/n of -lr dl/dh, which
is how far it goes when each of its n rows makes its exact step, -lr dl/dh / n. When the word leaves, what the vector has moved is added to each
row: one gather and one scatter for up to 2 window steps. (`share=False`: every row moves by the whole -lr dl/dh, as in fastText.) A word
that stands in the window twice has two vectors there, and both movements reach its rows.

More negatives than a step has outputs make several steps, one after another.

Output rows are drawn and asked for `AHEAD` centres before they are needed, input rows as much before they enter: without that the loop waits
for memory half of its time.
"""

from __future__ import annotations

import numpy as np

from lexigrad.kernels.sampling import below, draw, happens
from lexigrad.losses.negative_sampling import GROUP, OUTPUTS, apply_steps, pair_loss, pair_steps
from lexigrad.machine.compiler import helper, kernel
from lexigrad.machine.hashing import mixed
from lexigrad.machine.intrinsics import add_scaled, prefetch

AHEAD = 3
"""Centres between a prefetch and its use."""
RING = AHEAD + 1
LINE = 16
"""Floats in a cache line, and what rows are padded to."""
SAMPLE = 64
"""One centre in so many is looked at: its loss is what is reported, its scores must be within bounds."""
MAX_SCORE = 1e15
MAX_STEP = 0.5

DIVERGED = -1


@helper
def ask_for(matrix, start, stride):  # type: ignore[no-untyped-def]
    """Prefetch a row."""
    for i in range(start, start + stride, LINE):
        prefetch(matrix, i)


@helper
def gather_word(matrix, stride, rows, first, stop, window, before, place):  # type: ignore[no-untyped-def]
    """Put the mean of some rows into a slot of the window, and a copy of it into `before`."""
    share = np.float32(1.0) / np.float32(stop - first)
    for i in range(stride):
        window[place + i] = np.float32(0.0)
    for j in range(first, stop):
        add_scaled(share, matrix, np.int64(rows[j]) * stride, window, place, stride)
    for i in range(stride):
        before[place + i] = window[place + i]


@helper
def scatter_word(matrix, stride, rows, first, stop, window, before, place):  # type: ignore[no-untyped-def]
    """Add what a slot has moved to each row of its word."""
    for i in range(stride):
        before[place + i] = window[place + i] - before[place + i]
    for j in range(first, stop):
        add_scaled(np.float32(1.0), before, place, matrix, np.int64(rows[j]) * stride, stride)


@helper
def ask_for_word(matrix, stride, rows, row_ends, word):  # type: ignore[no-untyped-def]
    """Prefetch the rows of a word."""
    for j in range(row_ends[word], row_ends[word + 1]):
        ask_for(matrix, np.int64(rows[j]) * stride, stride)


@helper
def draw_ahead(state, sides, aliases, negatives, drawn, position, word, output, stride):  # type: ignore[no-untyped-def]
    """Draw the negatives of a centre and prefetch their rows and its own."""
    base = (position % RING) * negatives
    for k in range(negatives):
        drawn[base + k] = draw(state, sides, aliases)
        ask_for(output, drawn[base + k] * stride, stride)
    ask_for(output, word * stride, stride)


@helper
def choose_outputs(target, drawn, base, first, negatives, stride, spare, starts, weights):  # type: ignore[no-untyped-def]
    """Set the output rows of a step and their weights; return how many of the negatives are dealt with.

    The first step begins with the centre. A negative that is the centre, or was drawn before in this step, gets a weight of 0 and the spare
    row; the one drawn before counts once more.
    """
    filled = 0
    if first == 0:
        starts[0], weights[0], filled = target * stride, np.float32(1.0), 1
    lowest = filled
    while filled < OUTPUTS and first < negatives:
        word = drawn[base + first]
        first += 1
        weight = np.float32(0.0) if word == target else np.float32(1.0)
        for j in range(lowest, filled):
            if weight > 0 and starts[j] == word * stride:
                weights[j] += weight
                weight = np.float32(0.0)
        starts[filled] = word * stride if weight > 0 else spare
        weights[filled] = weight
        filled += 1
    for j in range(filled, OUTPUTS):
        starts[j], weights[j] = spare, np.float32(0.0)
    for j in range(GROUP):
        weights[GROUP + j] = weights[j]
    return first


@helper
def loss_of(scores, labels, weights, n):  # type: ignore[no-untyped-def]
    """Return the loss of the scores of `n` inputs, NaN where a score left all bounds."""
    loss = 0.0
    for i in range(n):
        for j in range(OUTPUTS):
            score = scores[i * GROUP + j]
            if not abs(score) < MAX_SCORE:
                return np.nan
            if weights[j] > 0:
                loss += weights[j] * pair_loss(score, labels[j])
    return loss


@kernel()
def train_skipgram(  # type: ignore[no-untyped-def]
    tokens, offsets, order, first, stop, lr, done, in_all, seed, chances, rows, row_ends, share, matrix, output, stride, spare, window,
    dynamic, negatives, sides, aliases, longest, totals,
):  # fmt: skip
    """Train on the sentences ``order[first:stop]``; return how many centres had a step, or DIVERGED.

    Parameters
    ----------
    tokens, offsets : the sentences; `chances` of their words to be kept (`keep_chances`), 0 for those without a vector
    lr, done, in_all : the step falls linearly, to 0 at sentence `in_all`; `done` sentences lie in the epochs before
    rows, row_ends : rows of `matrix` that make up each word; `share`: a word's rows share its step
    matrix, output : input and output rows, flat, `stride` apart, padded with zeros
    spare : start of an output row of zeros that belongs to this thread
    longest : words in the longest sentence
    totals : (3,) sum over sentences of the loss last looked at, sentences, and that loss: of a pair of words with its negatives
    """
    state = np.empty(1, np.uint64)
    kept = np.empty(longest, np.int64)
    n_slots = 2 * window + 2
    ring, before = np.zeros((n_slots + 1) * stride, np.float32), np.zeros((n_slots + 1) * stride, np.float32)
    nothing = n_slots * stride
    places, scales = np.zeros(2 * window + 2, np.int64), np.ones(2 * window + 2, np.float32)
    scores, steps = np.zeros((2 * window + 2) * GROUP, np.float32), np.zeros((2 * window + 2) * GROUP, np.float32)
    drawn = np.zeros(RING * max(1, negatives), np.int64)
    starts, weights = np.zeros(GROUP, np.int64), np.zeros(2 * GROUP, np.float32)
    positive, negative = np.zeros(2 * GROUP, np.float32), np.zeros(2 * GROUP, np.float32)
    positive[0], positive[GROUP] = 1.0, 1.0
    centres = 0
    for text in range(first, stop):
        sentence = order[text]
        state[0] = mixed(mixed(seed) + np.uint64(done + text)) | np.uint64(1)
        n = 0
        for t in range(offsets[sentence], offsets[sentence + 1]):
            if happens(state, chances[tokens[t]]):
                kept[n] = tokens[t]
                n += 1
        rate = np.float32(lr * (1.0 - (done + text) / in_all))
        for position in range(min(AHEAD, n)):
            draw_ahead(state, sides, aliases, negatives, drawn, position, kept[position], output, stride)
        entered, left = 0, 0
        for position in range(n):
            if position + AHEAD < n:
                draw_ahead(
                    state, sides, aliases, negatives, drawn, position + AHEAD, kept[position + AHEAD], output, stride
                )
            if position + window + AHEAD < n:
                ask_for_word(matrix, stride, rows, row_ends, kept[position + window + AHEAD])
            while entered < n and entered <= position + window:
                word = kept[entered]
                gather_word(
                    matrix, stride, rows, row_ends[word], row_ends[word + 1], ring, before, (entered % n_slots) * stride
                )
                entered += 1
            while left < position - window:
                word = kept[left]
                scatter_word(
                    matrix, stride, rows, row_ends[word], row_ends[word + 1], ring, before, (left % n_slots) * stride
                )
                left += 1
            reach = 1 + below(state, window) if dynamic else window
            m = 0
            for c in range(max(0, position - reach), min(n, position + reach + 1)):
                if c != position:
                    word = kept[c]
                    places[m] = (c % n_slots) * stride
                    scales[m] = (
                        np.float32(1.0) / np.float32(row_ends[word + 1] - row_ends[word]) if share else np.float32(1.0)
                    )
                    m += 1
            if m == 0:
                continue
            n_inputs = m + (m & 1)
            if m & 1:
                places[m], scales[m] = nothing, np.float32(0.0)
            target = kept[position]
            looks = centres % SAMPLE == 0
            loss = 0.0
            taken, step = 0, 0
            while step == 0 or taken < negatives:
                labels = positive if step == 0 else negative
                taken = choose_outputs(
                    target, drawn, (position % RING) * negatives, taken, negatives, stride, spare, starts, weights
                )
                pair_steps(ring, places, n_inputs, output, starts, labels, weights, scores, steps, stride, rate)
                if looks:
                    loss += loss_of(scores, labels, weights, m)
                    if not loss < np.inf:
                        return DIVERGED
                apply_steps(ring, places, scales, n_inputs, output, starts, steps, stride)
                step += 1
            if looks:
                totals[2] = loss / m
            centres += 1
        while left < entered:
            word = kept[left]
            scatter_word(
                matrix, stride, rows, row_ends[word], row_ends[word + 1], ring, before, (left % n_slots) * stride
            )
            left += 1
        totals[0] += totals[2]
        totals[1] += 1.0
    return centres
