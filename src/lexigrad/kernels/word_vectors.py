"""The training loop of word vectors, skip-gram and CBOW, without the GIL.

A sentence is sub-sampled first. Then each word is the centre of a step (`lexigrad.losses.negative_sampling`):

- Its inputs are, for skip-gram, the vectors of all words of its window; for CBOW their mean, h = (1/m) sum_c v_c, one input.
- Its outputs are, for negative sampling, the centre's output row and `negatives` drawn ones, which the whole window shares; for hierarchical
  softmax the rows of the inner nodes on the centre's way through the Huffman tree.

The vector of a word is the mean of its rows, v = (1/n) sum_r A[r]: its own row and those of its character n-grams, or its own alone. It is
gathered once, when the word enters the window, and lives in a ring buffer while it is inside. There a step moves it by 1/n of -lr dl/dv, which
is how far it goes when each of its n rows makes its exact step, -lr dl/dv / n. When the word leaves, what the vector has moved is added to each
row: one gather and one scatter for up to 2 window steps. A word that stands in the window twice has two vectors there, and both movements reach
its rows. In CBOW dl/dv = dl/dh / m. (`share=False`: without 1/n and 1/m, as in fastText and word2vec.)

More outputs than a step has places for make several steps, one after another.

Output rows are chosen and asked for `AHEAD` centres before they are needed, input rows as much before they enter: without that the loop waits
for memory half of its time.
"""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.sampling import below, draw, keep_words
from lexigrad.losses.negative_sampling import GROUP, OUTPUTS, apply_steps, pair_loss, pair_steps
from lexigrad.machine.compiler import helper, kernel, outputs
from lexigrad.machine.hashing import mixed
from lexigrad.machine.intrinsics import add_scaled, add_to_each, add_to_rows, prefetch_to_write, set_scaled, sum_rows

AHEAD = 3
"""Centres between a prefetch and its use."""
RING = AHEAD + 1
HOT = 32
"""Output rows that each thread has a copy of: at every centre some of the most frequent words, or of the nodes near the root, are moved, and two
processors that write to one place wait for each other."""
HOT_CENTRES = 256
"""After about so many centres the copies are brought together: what each has moved is added up."""
LINE = 16
"""Floats in a cache line, and what rows are padded to."""
SAMPLE = 64
"""One centre in so many is looked at: its loss is what is reported, its scores must be within bounds."""
MAX_SCORE = 1e15

DIVERGED = -1


@kernel((outputs(types.float32), types.int64, types.int64, types.int64, types.int64))
def initialise(matrix, dim, seed, first, stop):  # type: ignore[no-untyped-def]
    """Fill the rows first..stop with uniform numbers in (-1, 1) / dim; every number depends on seed and place alone."""
    scale = np.float32(1.0 / (dim * 2147483648.0))
    start = mixed(seed)
    for i in range(first * dim, stop * dim):
        value = mixed(np.uint64(i >> 1) + start)  # two numbers from each hash
        matrix[i] = np.float32(np.int32(value >> np.uint64(32 * (i & 1)))) * scale


@helper
def ask_for(matrix, start, stride):  # type: ignore[no-untyped-def]
    """Prefetch a row that will be written to."""
    for i in range(start, start + stride, LINE):
        prefetch_to_write(matrix, i)


@helper
def gather_word(matrix, stride, rows, first, stop, ring, before, place):  # type: ignore[no-untyped-def]
    """Put the mean of some rows into a slot of the window, and a copy of it into `before`."""
    share = np.float32(1.0) / np.float32(stop - first)
    sum_rows(share, matrix, rows, first, stop - first, stride, ring, place, stride)
    set_scaled(np.float32(1.0), ring, place, before, place, stride)


@helper
def scatter_word(matrix, stride, rows, first, stop, ring, before, place):  # type: ignore[no-untyped-def]
    """Add what a slot has moved to each row of its word."""
    add_scaled(np.float32(-1.0), ring, place, before, place, stride)
    add_to_each(np.float32(-1.0), before, place, matrix, rows, first, stop - first, stride, stride)


@helper
def ask_for_word(matrix, stride, rows, row_ends, word):  # type: ignore[no-untyped-def]
    """Prefetch the rows of a word."""
    for j in range(row_ends[word], row_ends[word + 1]):
        ask_for(matrix, np.int64(rows[j]) * stride, stride)


@helper
def start_of(row, hot, n_hot, stride):  # type: ignore[no-untyped-def]
    """Return where an output row begins: the thread's copy of the first ones."""
    return np.int64(row) * stride + (hot if row < n_hot else 0)


@helper
def choose_ahead(  # type: ignore[no-untyped-def]
    state, hierarchical, sides, aliases, negatives, drawn, nodes, path_ends, position, word, output, hot, n_hot, stride
):
    """Prefetch the output rows of a centre; the negatives among them are drawn here."""
    if hierarchical:
        for j in range(path_ends[word], path_ends[word + 1]):
            if nodes[j] >= n_hot:
                ask_for(output, np.int64(nodes[j]) * stride, stride)
        return
    base = (position % RING) * negatives
    for k in range(negatives):
        drawn[base + k] = start_of(draw(state, sides, aliases), hot, n_hot, stride)
        ask_for(output, drawn[base + k], stride)
    ask_for(output, start_of(word, hot, n_hot, stride), stride)


@helper
def choose_sampled(target, drawn, base, first, negatives, spare, starts, labels, weights):  # type: ignore[no-untyped-def]
    """Set the outputs of a step, their labels and weights, from number `first` on: the centre is 0; return the number of the next one.

    A negative that is the centre, or was drawn before in this step, gets a weight of 0 and the spare row; the one drawn before counts once more.
    """
    filled = 0
    if first == 0:
        starts[0], labels[0], weights[0], filled, first = target, np.float32(1.0), np.float32(1.0), 1, 1
    lowest = filled
    while filled < OUTPUTS and first <= negatives:
        start = drawn[base + first - 1]
        first += 1
        weight = np.float32(0.0) if start == target else np.float32(1.0)
        for j in range(lowest, filled):
            if weight > 0 and starts[j] == start:
                weights[j] += weight
                weight = np.float32(0.0)
        starts[filled] = start if weight > 0 else spare
        labels[filled], weights[filled] = np.float32(0.0), weight
        filled += 1
    fill_up(filled, spare, starts, labels, weights)
    return first


@helper
def choose_nodes(nodes, turns, first, stop, hot, n_hot, stride, spare, starts, labels, weights):  # type: ignore[no-untyped-def]
    """Set the outputs of a step to the nodes `first` ... of a path; return the place of the next one."""
    filled = 0
    while filled < OUTPUTS and first < stop:
        starts[filled] = start_of(nodes[first], hot, n_hot, stride)
        labels[filled], weights[filled] = turns[first], np.float32(1.0)
        first += 1
        filled += 1
    fill_up(filled, spare, starts, labels, weights)
    return first


@helper
def fill_up(filled, spare, starts, labels, weights):  # type: ignore[no-untyped-def]
    """Give the places that are left the spare row and no weight; copy labels and weights for the second input of a pair."""
    for j in range(filled, OUTPUTS):
        starts[j], weights[j] = spare, np.float32(0.0)
    for j in range(OUTPUTS):
        labels[GROUP + j], weights[GROUP + j] = labels[j], weights[j]


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


@helper
def average_window(ring, before, places, scales, n, share, middle, stride):  # type: ignore[no-untyped-def]
    """Put the mean of the window's vectors into the slot `middle` and a copy of it into `before`; turn each vector's scale into that of dl/dh.

    Return how far, in units of -lr dl/dh, the mean goes when its vectors go by their scales.
    """
    part = np.float32(1.0) / np.float32(n)
    sum_rows(part, ring, places, 0, n, 1, ring, middle, stride)
    set_scaled(np.float32(1.0), ring, middle, before, middle, stride)
    if not share:
        return np.float32(1.0)
    total = np.float32(0.0)
    for i in range(n):
        scales[i] *= part
        total += scales[i]
    return total * part


@helper
def spread_to_window(ring, before, places, scales, n, scale, middle, stride):  # type: ignore[no-untyped-def]
    """Move each of the window's vectors by its scale, where their mean has moved by `scale`."""
    add_scaled(np.float32(-1.0), ring, middle, before, middle, stride)
    for i in range(n):
        scales[i] /= -scale
    add_to_rows(scales, n, before, middle, ring, places, stride)


@helper
def share_hot(output, hot, n_hot, before, stride):  # type: ignore[no-untyped-def]
    """Add to the first output rows what this thread's copies of them have moved, and renew the copies."""
    for start in range(0, n_hot * stride, stride):
        add_scaled(np.float32(-1.0), before, start, output, hot + start, stride)
        add_scaled(np.float32(1.0), output, hot + start, output, start, stride)
        set_scaled(np.float32(1.0), output, start, output, hot + start, stride)
        set_scaled(np.float32(1.0), output, start, before, start, stride)


@kernel()
def train_vectors(  # type: ignore[no-untyped-def]
    cbow, hierarchical, tokens, offsets, order, first, stop, lr, done, in_all, seed, chances, rows, row_ends, share, matrix, output, n_rows,
    stride, spare, window, dynamic, negatives, sides, aliases, nodes, turns, path_ends, longest, totals,
):  # fmt: skip
    """Train on the sentences ``order[first:stop]``; return how many centres had a step, or DIVERGED.

    Parameters
    ----------
    cbow, hierarchical : CBOW instead of skip-gram; hierarchical softmax instead of negative sampling
    tokens, offsets : the sentences; `chances` of their words to be kept (`keep_chances`), 0 for those without a vector
    lr, done, in_all : the step falls linearly, to 0 at sentence `in_all`; `done` sentences lie in the epochs before
    rows, row_ends : rows of `matrix` that make up each word; `share`: a word's rows, and CBOW's words, share its step
    matrix, output : input and output rows, flat, `stride` apart, padded with zeros
    n_rows : output rows before those of the threads
    spare : start of the output rows that belong to this thread: one of zeros, and `HOT` copies of the first ones
    sides, aliases : the table that `negatives` words are drawn from, for negative sampling
    nodes, turns, path_ends : output rows and labels on the way to each word, for hierarchical softmax
    longest : words in the longest sentence
    totals : (3,) sum over sentences of the loss last looked at, sentences, and that loss: of an input with all its outputs
    """
    state = np.empty(1, np.uint64)
    kept = np.empty(longest, np.int64)
    n_slots = 2 * window + 2
    middle = n_slots * stride
    ring, before = np.empty((n_slots + 1) * stride, np.float32), np.empty((n_slots + 1) * stride, np.float32)
    places, scales = np.zeros(n_slots, np.int64), np.ones(n_slots, np.float32)
    of_slot = np.ones(n_slots, np.float32)
    alone, whole = np.array([middle]), np.ones(1, np.float32)
    scores, steps = np.zeros(n_slots * GROUP, np.float32), np.zeros(n_slots * GROUP, np.float32)
    drawn = np.zeros(RING * max(1, negatives), np.int64)
    starts = np.zeros(GROUP, np.int64)
    labels, weights = np.zeros(2 * GROUP, np.float32), np.zeros(2 * GROUP, np.float32)
    hot, n_hot = spare + stride, min(HOT, n_rows)
    hot_before = output[hot : hot + n_hot * stride].copy()
    share_hot(output, hot, n_hot, hot_before, stride)
    centres, shared = 0, 0
    for text in range(first, stop):
        sentence = order[text]
        state[0] = mixed(mixed(seed) + np.uint64(done + text)) | np.uint64(1)
        n = keep_words(state, tokens, offsets[sentence], offsets[sentence + 1], chances, kept)
        rate = np.float32(lr * (1.0 - (done + text) / in_all))
        for position in range(min(AHEAD, n)):
            choose_ahead(
                state, hierarchical, sides, aliases, negatives, drawn, nodes, path_ends, position, kept[position], output, hot, n_hot, stride
            )  # fmt: skip
        entered, left = 0, 0
        for position in range(n):
            coming = position + AHEAD
            if coming < n:
                choose_ahead(
                    state, hierarchical, sides, aliases, negatives, drawn, nodes, path_ends, coming, kept[coming], output, hot, n_hot, stride
                )  # fmt: skip
            if coming + window < n:
                ask_for_word(matrix, stride, rows, row_ends, kept[coming + window])
            while entered < n and entered <= position + window:
                begin, end, slot = row_ends[kept[entered]], row_ends[kept[entered] + 1], entered % n_slots
                gather_word(matrix, stride, rows, begin, end, ring, before, slot * stride)
                if share:
                    of_slot[slot] = np.float32(1.0) / np.float32(end - begin)
                entered += 1
            while left < position - window:
                begin, end = row_ends[kept[left]], row_ends[kept[left] + 1]
                scatter_word(matrix, stride, rows, begin, end, ring, before, (left % n_slots) * stride)
                left += 1
            reach = 1 + below(state, window) if dynamic else window
            m = 0
            for c in range(max(0, position - reach), min(n, position + reach + 1)):
                if c != position:
                    slot = c % n_slots
                    places[m], scales[m] = slot * stride, of_slot[slot]
                    m += 1
            if m == 0:
                continue
            inputs, moves, n_inputs = places, scales, m
            if cbow:
                whole[0] = average_window(ring, before, places, scales, m, share, middle, stride)
                inputs, moves, n_inputs = alone, whole, 1
            target = kept[position]
            looks = centres % SAMPLE == 0
            loss = 0.0
            output_number, n_outputs = np.int64(0), negatives + 1
            if hierarchical:
                output_number, n_outputs = path_ends[target], path_ends[target + 1]
            while output_number < n_outputs:
                if hierarchical:
                    output_number = choose_nodes(
                        nodes, turns, output_number, n_outputs, hot, n_hot, stride, spare, starts, labels, weights
                    )
                else:
                    output_number = choose_sampled(
                        start_of(target, hot, n_hot, stride), drawn, (position % RING) * negatives, output_number, negatives, spare, starts, labels,
                        weights,
                    )  # fmt: skip
                pair_steps(ring, inputs, n_inputs, output, starts, labels, weights, scores, steps, stride, rate)
                if looks:
                    loss += loss_of(scores, labels, weights, n_inputs)
                    if not loss < np.inf:
                        return DIVERGED
                apply_steps(ring, inputs, moves, n_inputs, output, starts, steps, stride)
            if cbow:
                spread_to_window(ring, before, places, scales, m, whole[0], middle, stride)
            if looks:
                totals[2] = loss / n_inputs
            centres += 1
        while left < entered:
            begin, end = row_ends[kept[left]], row_ends[kept[left] + 1]
            scatter_word(matrix, stride, rows, begin, end, ring, before, (left % n_slots) * stride)
            left += 1
        totals[0] += totals[2]
        totals[1] += 1.0
        if centres - shared >= HOT_CENTRES:
            share_hot(output, hot, n_hot, hot_before, stride)
            shared = centres
    share_hot(output, hot, n_hot, hot_before, stride)
    return centres
