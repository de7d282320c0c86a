"""What fastText makes of scores and probabilities: for `lexigrad.compat.fasttext` alone, which answers as fastText does.

Its sigmoid is a table of 512 steps over [-8, 8), 0 below and 1 above:  sigma(floor((s + 8) 32) / 32 - 8).  It adds 1e-5 to a probability before it takes
the logarithm, by which it ranks labels, and takes exp of that for its answer; at hierarchical softmax to each answer on the way to a label.
Source: fastText 0.9.3, loss.cc.
"""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import LANES

OFFSET = 1e-5
EDGE, STEPS = np.float32(8.0), np.float32(32.0)
"""The table ends there; steps from one whole score to the next."""
BEYOND = np.float32(200.0)
"""Its sigmoid is 1 in float32, and 0 of its negative."""
NEAR = np.float32(2e-3)
"""Of a step: scores so near to an edge may fall to its other side by the order in which float32 numbers are added (6e-5 of a score)."""


@helper
def to_steps(scores, n_scores, near):  # type: ignore[no-untyped-def]
    """Replace scores, (n_scores * LANES,), by those at which their steps begin; set `near`, (LANES,), where a score lies near an edge."""
    for lane in range(LANES):
        near[lane] = False
    for i in range(n_scores * LANES):
        score = scores[i]
        place = (score + EDGE) * STEPS
        step = np.floor(place)
        off = place - step
        inside = -EDGE - np.float32(1) < score < EDGE + np.float32(1)
        near[i % LANES] |= inside and (off < NEAR or off > np.float32(1) - NEAR)
        within = step / STEPS - EDGE
        scores[i] = within if -EDGE <= score <= EDGE else (BEYOND if score > EDGE else -BEYOND)
