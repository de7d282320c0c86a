"""What fastText makes of scores and probabilities: for `lexigrad.compat.fasttext` alone, which answers as fastText does.

Its sigmoid is a table of 512 steps over [-8, 8), 0 below and 1 above:  sigma(floor((s + 8) 32) / 32 - 8).  It adds 1e-5 to a probability before it takes
the logarithm, by which it ranks labels, and takes exp of that for its answer; at hierarchical softmax to each answer on the way to a label.
Source: fastText 0.9.3, loss.cc.
"""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper, rounding_helper
from lexigrad.machine.intrinsics import LANES

OFFSET = 1e-5
EDGE, STEPS = np.float32(8.0), np.float32(32.0)
"""The table ends there; steps from one whole score to the next."""
BEYOND = np.float32(200.0)
"""Its sigmoid is 1 in float32, and 0 of its negative."""
NEAR = np.float32(2e-3)
"""Of a step: scores so near to an edge may fall to its other side by the order in which float32 numbers are added (6e-5 of a score)."""


@rounding_helper
def in_order(output, row, hidden, start, dim):  # type: ignore[no-untyped-def]
    """Return a score as fastText adds it up: one rounded product after the other."""
    total = np.float32(0)
    for k in range(dim):
        total += output[row + k] * hidden[start + k]
    return total


@helper
def near_edge(score):  # type: ignore[no-untyped-def]
    """Tell whether a score lies near the edge of a step."""
    place = (score + EDGE) * STEPS
    off = place - np.floor(place)
    return -EDGE - np.float32(1) < score < EDGE + np.float32(1) and (off < NEAR or off > np.float32(1) - NEAR)


@helper
def to_steps(scores, n_scores, known, n, output, stride, hidden, size, dim):  # type: ignore[no-untyped-def]
    """Replace scores, (n_scores * LANES,), by those at which their steps begin.

    Those of the first `n` lanes, where ``known[lane] > 0``, are added up anew near the edge of a step, in fastText's order: row i of `output`,
    (n_scores * stride,), times the vector of a lane, ``hidden[lane * size :]``.
    """
    for i in range(n_scores):
        nearest = False
        for lane in range(n):
            nearest |= near_edge(scores[i * LANES + lane])
        if nearest:
            for lane in range(n):
                if known[lane] > 0 and near_edge(scores[i * LANES + lane]):
                    scores[i * LANES + lane] = in_order(output, i * stride, hidden, lane * size, dim)
    for i in range(n_scores * LANES):
        score = scores[i]
        within = np.floor((score + EDGE) * STEPS) / STEPS - EDGE
        scores[i] = within if -EDGE <= score <= EDGE else (BEYOND if score > EDGE else -BEYOND)
