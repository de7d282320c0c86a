"""The training loop of a linear text classifier, without the GIL.

For a text with rows r_1..r_k and shares c_j (`lexigrad.text.features`), output matrix W and targets y:

    h = sum_j c_j A[r_j],   s = W h,   loss = cross-entropy(softmax(s), y)
    A[r_j] -= lr * c_j * W^T (p - y),   W -= lr * (p - y) h^T

A text with several labels trains on one of them, drawn anew and uniformly at each visit: the expected step is the
exact gradient of the mean
cross-entropy over its labels, and the noise of the draw keeps such texts from being learned by heart.

Up to eight texts form a block, whose gradients are all taken at the same weights and then applied one after another: a
step of
stochastic gradient descent on the sum of their losses. The scores of a block are a small matrix product, one text a
vector lane.

The other losses have the same h and the same A[r_j] -= lr * c_j * d loss / d h. One-vs-all takes all labels of a text, in blocks likewise,
and cuts the steps of its first texts (`one_vs_all.shorten`).
Hierarchical softmax and negative sampling change few rows of W a text, and take the texts of a block one after another, each at the W that the one
before has left.

Threads share A without locks. W is small and every text changes all of it, so threads would spend their time fetching
it from each other: each keeps a
copy, and adds what it changed to the shared W every `merge_every` blocks.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types

from lexigrad.kernels.rows import AHEAD, lanes_of
from lexigrad.kernels.sampling import draw
from lexigrad.losses import negative_sampling, one_vs_all, softmax
from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.hashing import mixed
from lexigrad.machine.intrinsics import LANES, add_scaled, block_scores, exchange, prefetch

LINE = 16
"""Floats in a cache line."""
MAX_LOSS = 1e6
MAX_SCORE = 1e15
MAX_NORM2 = 1e20
"""A block beyond any of these stops the training before it changes a weight. Below them no update overflows: a weight
of W grows by at most
lr * 1e10 a text, so W stays under 1e20 * lr for 1e10 texts, and W^T (p - y) under 2e20 * lr, far from float32's
3.4e38."""

DIVERGED = -1

SOFTMAX, ONE_VS_ALL, HIERARCHICAL, SAMPLED = 0, 1, 2, 3
CODES = {
    "softmax": SOFTMAX,
    "one_vs_all": ONE_VS_ALL,
    "hierarchical_softmax": HIERARCHICAL,
    "negative_sampling": SAMPLED,
}
REDRAWS = 20
"""A negative that is a label of the text is drawn anew so many times, and then left out."""

_I32, _I64, _F32, _F64, _U32 = types.int32, types.int64, types.float32, types.float64, types.uint32

QUESTIONS = (inputs(_I32), inputs(_F32), inputs(_I64), inputs(_U32), inputs(_I32), _I64)
"""Types of what the losses beside softmax need: nodes, turns and ends of the ways to the labels; alias table of the negatives and
how many to draw; see `lexigrad.training.classifier.Questions`."""


@helper
def prefetch_row(matrix, start, dim):  # type: ignore[no-untyped-def]
    """Ask for the cache lines of a row."""
    for i in range(0, dim + LINE - 1, LINE):
        prefetch(matrix, start + min(i, dim - 1))


@helper
def gather(matrix, dim, rows, shares, first, stop, hidden, start):  # type: ignore[no-untyped-def]
    """hidden[start : start + dim] += sum_j shares[j] * matrix[rows[j]]."""
    for j in range(first, min(first + AHEAD, stop)):
        prefetch_row(matrix, rows[j] * np.int64(dim), dim)
    for j in range(first, stop):
        if j + AHEAD < stop:
            prefetch_row(matrix, rows[j + AHEAD] * np.int64(dim), dim)
        add_scaled(shares[j], matrix, rows[j] * np.int64(dim), hidden, start, dim)


@helper
def scatter(matrix, dim, rows, shares, first, stop, lr, d_hidden, start):  # type: ignore[no-untyped-def]
    """matrix[rows[j]] -= lr * shares[j] * d_hidden[start : start + dim]."""
    for j in range(first, stop):
        add_scaled(-lr * shares[j], d_hidden, start, matrix, rows[j] * np.int64(dim), dim)


@helper
def drawn_label(labels, first, stop, seed, visit):  # type: ignore[no-untyped-def]
    """Return one of ``labels[first:stop]``, decided by the seed and the number of the visit."""
    if stop - first == 1:
        return labels[first]
    return labels[first + np.int64(mixed(np.uint64(visit) ^ mixed(seed)) % np.uint64(stop - first))]


@helper
def choose_way(nodes, turns, ends, label, stride, starts, targets, weights):  # type: ignore[no-untyped-def]
    """Set the output rows that lead to a label, and the answers there; return their number."""
    n = 0
    for place in range(ends[label], ends[label + 1]):
        starts[n], targets[n], weights[n] = np.int64(nodes[place]) * stride, turns[place], np.float32(1)
        n += 1
    return n


@helper
def is_among(label, labels, first, stop):  # type: ignore[no-untyped-def]
    """Tell whether a label is one of ``labels[first:stop]``."""
    while first < stop and labels[first] != label:
        first += 1
    return first < stop


@helper
def choose_negatives(state, sides, aliases, negatives, label, labels, first, stop, stride, starts, targets, weights):  # type: ignore[no-untyped-def]
    """Set the output rows of a label and of drawn labels that the text, whose are ``labels[first:stop]``, has not; return their number."""
    starts[0], targets[0], weights[0] = np.int64(label) * stride, np.float32(1), np.float32(1)
    n = 1
    for _ in range(negatives):
        other = draw(state, sides, aliases)
        tries = 0
        while tries < REDRAWS and is_among(other, labels, first, stop):
            other = draw(state, sides, aliases)
            tries += 1
        if is_among(other, labels, first, stop):
            continue
        known = 1
        while known < n and starts[known] != other * stride:
            known += 1
        if known < n:
            weights[known] += np.float32(1)
        else:
            starts[n], targets[n], weights[n] = other * stride, np.float32(0), np.float32(1)
            n += 1
    return n


@helper
def merge(mine, base, shared, lock):  # type: ignore[no-untyped-def]
    """Add what this thread changed since the last merge to the shared matrix and take its new state; do nothing if another thread is at it."""
    if exchange(lock, 0, np.int32(1)) != 0:
        return
    for i in range(mine.size):
        both = shared[i] + (mine[i] - base[i])
        shared[i] = both
        mine[i] = both
        base[i] = both
    exchange(lock, 0, np.int32(0))


@cache
def train_by(code):  # type: ignore[no-untyped-def]
    """Return the training loop of a loss, one of `CODES`, compiled when first asked for; of the branches below only those of the loss are compiled."""
    in_blocks = code in (SOFTMAX, ONE_VS_ALL)

    @kernel(
        (
            inputs(_I32), inputs(_F32), inputs(_I64), inputs(_I64), inputs(_I32), inputs(_I64), inputs(_I64), _I64, _I64, _I64, _F64, _I64, _I64, _I64,
            *QUESTIONS, outputs(_F32), _I64, outputs(_F32), _I64, _I64, outputs(_F32), outputs(_F32), outputs(_I32), _I64, outputs(_F64),
        )
    )  # fmt: skip
    def train(  # type: ignore[no-untyped-def]
        rows, shares, starts, stops, labels, label_offsets, order, first, stop, block, lr_start, done, in_all, seed,
        nodes, turns, ends, sides, aliases, negatives, matrix, dim, output, stride, n_outputs, base, shared, lock, merge_every, totals,
    ):  # fmt: skip
        """Train on the texts ``order[first:stop]``.

        The learning rate falls linearly, ``lr_start * (1 - (done + p) / in_all)`` with p the position of a block's first
        text. `totals` (2,) float64
        collects the loss and the number of texts. With ``merge_every == 0`` `output` is the only copy.

        Returns
        -------
        The number of visits made, or DIVERGED; the block that would have diverged is not applied (of losses that take one text after another, the text).
        """
        hidden = np.zeros(LANES * stride, np.float32)
        d_hidden, steps = np.zeros_like(hidden), np.zeros_like(hidden)
        lanes = np.zeros(dim * LANES, np.float32)
        scores = np.zeros(n_outputs * LANES if in_blocks else 0, np.float32)
        decays = np.zeros(n_outputs * LANES if code == ONE_VS_ALL else 0, np.float32)
        longest = 1 + negatives
        for label in range(ends.size - 1):
            longest = max(longest, ends[label + 1] - ends[label])
        question_starts, answers = np.zeros(longest, np.int64), np.zeros(longest, np.float32)
        weights, found = np.zeros(longest, np.float32), np.zeros(longest, np.float32)
        state = np.zeros(1, np.uint64)
        peak, total, norms = np.zeros(LANES, np.float32), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
        losses = np.zeros(LANES, np.float64)
        texts, targets = np.zeros(LANES, np.int64), np.zeros(LANES, np.int32)
        one_each, every_lane = np.arange(LANES + 1), np.arange(LANES)
        visits = 0
        for begin in range(first, stop, block):
            n = min(block, stop - begin)
            lr = np.float32(lr_start * (1.0 - (done + begin) / in_all))
            for i in range(LANES * stride):
                hidden[i] = np.float32(0)
            for lane in range(n):
                text = order[begin + lane]
                texts[lane] = text
                targets[lane] = drawn_label(
                    labels, label_offsets[text], label_offsets[text + 1], seed, done + begin + lane
                )
                gather(matrix, dim, rows, shares, starts[text], stops[text], hidden, lane * stride)
                visits += stops[text] - starts[text]
            lanes_of(hidden, stride, dim, lanes, norms)
            if in_blocks:
                block_scores(output, stride, lanes, dim, scores, 0, n_outputs)
                if code == SOFTMAX:
                    softmax.loss_gradient(scores, n_outputs, targets, one_each, every_lane, n, losses, peak, total)
                else:
                    one_vs_all.loss_gradient(scores, decays, n_outputs, labels, label_offsets, texts, n, losses, peak)
            block_loss = 0.0
            safe = True
            for lane in range(n):
                safe &= norms[lane] < MAX_NORM2
                if in_blocks:
                    block_loss += losses[lane]
                    safe &= losses[lane] < MAX_LOSS and abs(peak[lane]) < MAX_SCORE
            if not safe:
                return DIVERGED
            if code == ONE_VS_ALL:
                one_vs_all.shorten(scores, n_outputs, n)
            if in_blocks:
                softmax.step(output, stride, n_outputs, scores, hidden, lr, steps, d_hidden)
            else:
                for i in range(LANES * stride):
                    d_hidden[i] = np.float32(0)
                for lane in range(n):
                    text = texts[lane]
                    if code == HIERARCHICAL:
                        n_rows = choose_way(
                            nodes, turns, ends, targets[lane], stride, question_starts, answers, weights
                        )
                    else:
                        state[0] = mixed(np.uint64(done + begin + lane) ^ mixed(seed + 1)) | np.uint64(1)
                        n_rows = choose_negatives(
                            state, sides, aliases, negatives, targets[lane], labels, label_offsets[text], label_offsets[text + 1], stride,
                            question_starts, answers, weights,
                        )  # fmt: skip
                    negative_sampling.scores(output, question_starts, n_rows, hidden, lane * stride, stride, found)
                    for j in range(n_rows):
                        safe &= abs(found[j]) < MAX_SCORE
                    loss = negative_sampling.loss_gradient(found, answers, weights, n_rows)
                    if not (safe and loss < MAX_LOSS):
                        return DIVERGED
                    block_loss += loss
                    negative_sampling.step(
                        output, question_starts, n_rows, found, hidden, lane * stride, stride, lr, d_hidden
                    )  # fmt: skip
            totals[0] += block_loss
            totals[1] += n
            for lane in range(n):
                text = texts[lane]
                scatter(matrix, dim, rows, shares, starts[text], stops[text], lr, d_hidden, lane * stride)
            if merge_every > 0 and ((begin - first) // block + 1) % merge_every == 0:
                merge(output, base, shared, lock)
        if merge_every > 0:
            merge(output, base, shared, lock)
        return visits

    return train


@kernel((outputs(_F32), inputs(_I32), _I64, _I64, _I64))
def to_features(matrix, members, dim, first, stop):  # type: ignore[no-untyped-def]
    """Turn the coordinates u of the rows first..stop into the vectors u / sqrt(members) of their features."""
    for row in range(first, stop):
        if members[row] > 1:
            scale = np.float32(1.0 / np.sqrt(np.float64(members[row])))
            for k in range(row * dim, (row + 1) * dim):
                matrix[k] *= scale
