"""Dual coordinate ascent for softmax regression, one example a step.

With a distribution p_i over the labels for each example, W = X^T A and A_i = sw_i (y_i - p_i) / l2, the dual cost

    D(p) = sum_i sw_i H(p_i) - l2/2 |W|^2,    H(p) = -sum_l p_l log p_l

is largest where p_i = softmax(s_i) for the scores s_i = W^T x_i + b of every example. A step makes that true of one example: a change of p_i moves
W by x_i dA_i, hence s_i by |x_i|^2 dA_i, so it solves

    log p_l + q p_l = s_l + q p_il - c,    sum_l p_l = 1,    q = sw_i (|x_i|^2 / l2 + share)

by Newton's method in log p from p_i + (softmax(s_i) - p_i) / (1 + q), which raises D for certain. The intercept is a feature of the value
sqrt(l2 share) that is penalised around where it was an epoch ago. A feature that only one example has is no part of W: its part of the score
is own_i A_i.

S. Shalev-Shwartz and T. Zhang, "Stochastic dual coordinate ascent methods for regularized loss minimization", JMLR 14, 2013; for softmax M. Collins and
others, "Exponentiated gradient algorithms", JMLR 9, 2008; the intercept is R. T. Rockafellar's proximal method of multipliers (1976).
"""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.tiles import add_column, add_from_column
from lexigrad.maths.row_loops import exponentials

INT, REAL = types.int64, types.float32
IDS, PLACES = inputs(types.int64), inputs(types.int32)
FLOATS, RESULT = inputs(REAL), outputs(REAL)

REFINEMENTS = 20
"""Most steps of Newton's method for one example."""
FAR = np.float32(1)
"""Steps of log p are cut off here: whole ones would run in circles where q is large."""
NEAR = np.float32(0.1)
"""Steps below this, as a mean over the new p, are the last."""
TINY = np.float32(1e-30)
"""Probabilities below it count as it."""


@helper
def normalise(logs, probs, n):  # type: ignore[no-untyped-def]
    """Subtract log sum exp from logs, and fill their exponentials."""
    peak = logs[0]
    for l in range(n):
        peak = max(peak, logs[l])
    for l in range(n):
        logs[l] -= peak
        probs[l] = logs[l]
    exponentials(probs, n)
    total = np.float32(0)
    for l in range(n):
        total += probs[l]
    shift, inverse = np.log(total), np.float32(1) / total
    for l in range(n):
        logs[l] -= shift
        probs[l] *= inverse


@helper
def refine(scores, before, at, q, implied, n, logs, probs, steps):  # type: ignore[no-untyped-def]
    """Take one step for log p_l + q p_l = s_l + q before_l - c, and return its mean length over the new p.

    For a label in front whose score is always 0, q is 0. `steps` is scratch.
    """
    weight, error = np.float32(0), np.float32(0)
    for l in range(implied, n):
        share = probs[l] / (np.float32(1) + q * probs[l])
        weight += share
        error += share * (logs[l] - scores[l] + q * (probs[l] - before[at + l]))
    if implied:
        weight += probs[0]
        error += probs[0] * (logs[0] - scores[0])
    shift, length = error / weight, np.float32(0)
    for l in range(implied, n):
        rest = logs[l] - scores[l] + q * (probs[l] - before[at + l])
        step = min(max((rest - shift) / (np.float32(1) + q * probs[l]), -FAR), FAR)
        steps[l - implied] = step
        logs[l] -= step
    if implied:
        logs[0] = scores[0] + shift
    normalise(logs, probs, n)
    for l in range(implied, n):
        length += probs[l] * abs(steps[l - implied])
    return length


@kernel(
    (
        IDS, INT, INT, IDS, PLACES, FLOATS, FLOATS, FLOATS, FLOATS, IDS, FLOATS, INT, INT, INT, REAL, RESULT, RESULT, RESULT, RESULT, RESULT, RESULT,
        RESULT, RESULT, outputs(types.float64),
    )
)  # fmt: skip
def ascend(  # type: ignore[no-untyped-def]
    order, first, stop, offsets, columns, values, own, lengths, scales, ids, sample_weights, n_labels, stride, implied, share, weights, intercept,
    probs, logs, row, scores, new_logs, new_probs, sums
):  # fmt: skip
    """Take a step for each of the examples ``order[first:stop]``.

    Add to `sums`, as they are before each step,

        sum_i sw_i KL(p_i, softmax(s_i))                              the gap f - D, for an intercept that is where it should be
        sum_i sw_i (CE_i + (y_i - p_i) . (s_i - b) / 2)               the cost f

    Parameters
    ----------
    offsets, columns, values : rows of X without the features that only one example has
    own, lengths : (n,) sum of the squares of those, and of all features, over l2
    scales : (n,) sw / l2
    share : of the intercept in q
    weights, intercept : (dim, stride), (stride,) W and b, changed
    probs, logs : (n, n_labels) p and log p, changed
    row, scores, new_logs, new_probs : (stride,) and three of (n_labels,), scratch
    """
    for t in range(first, stop):
        i = order[t]
        begin, end, at, label = offsets[i], offsets[i + 1], i * n_labels, ids[i]
        if not sample_weights[i] > 0:
            continue
        for l in range(stride):
            row[l] = intercept[l]
        add_from_column(columns, values, begin, end, weights, row, 0, stride)
        alone, half = sample_weights[i] * own[i], np.float32(0)
        for l in range(implied, n_labels):
            apart = (np.float32(1) if l == label else np.float32(0)) - probs[at + l]
            scores[l] = row[l - implied] + alone * apart
            half += apart * (scores[l] - intercept[l - implied])
        if implied:
            scores[0] = np.float32(0)
        for l in range(n_labels):
            new_logs[l] = scores[l]
        normalise(new_logs, new_probs, n_labels)
        divergence = np.float32(0)
        for l in range(n_labels):
            divergence += probs[at + l] * (logs[at + l] - new_logs[l])
        sums[0] += sample_weights[i] * divergence
        sums[1] += sample_weights[i] * (np.float32(0.5) * half - new_logs[label])
        q = sample_weights[i] * (lengths[i] + share)
        part = np.float32(1) / (np.float32(1) + q)
        for l in range(n_labels):
            new_probs[l] = probs[at + l] + part * (new_probs[l] - probs[at + l])
            new_logs[l] = np.log(max(new_probs[l], TINY))
        for _ in range(REFINEMENTS):
            if refine(scores, probs, at, q, implied, n_labels, new_logs, new_probs, row) < NEAR:
                break
        for l in range(implied, n_labels):
            change = probs[at + l] - new_probs[l]
            row[l - implied] = scales[i] * change
            intercept[l - implied] += sample_weights[i] * share * change
        for l in range(n_labels):
            probs[at + l], logs[at + l] = new_probs[l], new_logs[l]
        for l in range(n_labels - implied, stride):
            row[l] = np.float32(0)
        add_column(columns, values, begin, end, row, 0, weights, stride)


@kernel(
    (
        IDS,
        PLACES,
        inputs(types.float64),
        IDS,
        types.float64,
        outputs(types.int64),
        outputs(types.int32),
        RESULT,
        RESULT,
        RESULT,
    )
)
def shared_rows(offsets, columns, data, places, l2, new_offsets, new_columns, values, own, lengths):  # type: ignore[no-untyped-def]
    """Write the rows with their columns renumbered to `places`, without those of place -1; fill `own` and `lengths`."""
    to = 0
    for i in range(own.size):
        alone, length = 0.0, 0.0
        for e in range(offsets[i], offsets[i + 1]):
            square, place = data[e] * data[e], places[columns[e]]
            length += square
            if place >= 0:
                new_columns[to], values[to] = place, data[e]
                to += 1
            else:
                alone += square
        new_offsets[i + 1] = to
        own[i], lengths[i] = alone / l2, length / l2
