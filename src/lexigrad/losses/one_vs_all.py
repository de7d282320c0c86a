"""One-vs-all: every label is a yes-or-no question of its own.

    p_l = sigmoid(s_l)
    loss = sum_l [-y_l log sigmoid(s_l) - (1 - y_l) log sigmoid(-s_l)]
    d loss / d s_l = p_l - y_l

Layout as in `lexigrad.losses.softmax`: scores of a block of eight texts, label-major, one text a lane. Negative sampling predicts likewise.
"""

from __future__ import annotations

from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import LANES
from lexigrad.maths.pointwise import sigmoid_loop


@helper
def predict(scores, n_labels):  # type: ignore[no-untyped-def]
    """Turn scores into probabilities, in place."""
    sigmoid_loop(scores, scores, 0, n_labels * LANES)
