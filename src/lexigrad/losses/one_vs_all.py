"""One-vs-all: every label is a yes-or-no question of its own, answered for all labels of a text at once.

    p_l = sigmoid(s_l)
    loss = sum_l [-y_l log sigmoid(s_l) - (1 - y_l) log sigmoid(-s_l)] = sum_l [max(s_l, 0) + log(1 + exp(-|s_l|)) - y_l s_l]
    d loss / d s_l = p_l - y_l,    y_l = 1 for each label of the text

Layout as in `lexigrad.losses.softmax`, whose `step` from d_scores to the weights is this loss's, too: scores of a block of eight texts, label-major,
one text a lane.
"""

from __future__ import annotations

import numpy as np

from lexigrad.losses import softmax
from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import LANES
from lexigrad.maths.pointwise import sigmoid_loop
from lexigrad.maths.row_loops import exponentials

step = softmax.step

ZERO, ONE = np.float32(0.0), np.float32(1.0)
LARGEST = np.float32(4.0)
"""A step takes no more than this as sum_l |d loss / d s_l| of a text. While nothing is learned yet half of all labels' answers are wrong, and with hundreds
of labels a step would be hundreds of times softmax's, whose sum is 2 at most; training then diverges at rates that softmax takes with ease."""
TERMS = 64
"""Factors 1 + exp(-|s|), each at most 2, are multiplied before one logarithm is taken of them: 2^64 is far from float32's 2^128."""


@helper
def predict(scores, n_labels):  # type: ignore[no-untyped-def]
    """Turn scores into probabilities, in place."""
    sigmoid_loop(scores, scores, 0, n_labels * LANES)


@helper
def loss(scores, decays, n_labels, labels, label_offsets, texts, n_texts, losses, peak):  # type: ignore[no-untyped-def]
    """Fill `losses` (LANES,) float64, and `peak` with max |s|, from the scores and ``decays = exp(-|s|)``."""
    products = ONE
    for lane in range(n_texts):
        total, products, largest = 0.0, ONE, ZERO
        for label in range(n_labels):
            score = scores[label * LANES + lane]
            total += max(score, ZERO)
            largest = max(largest, abs(score))
            products *= ONE + decays[label * LANES + lane]
            if label % TERMS == TERMS - 1:
                total += np.log(np.float64(products))
                products = ONE
        total += np.log(np.float64(products))
        for j in range(label_offsets[texts[lane]], label_offsets[texts[lane] + 1]):
            total -= scores[labels[j] * LANES + lane]
        losses[lane], peak[lane] = total, largest


@helper
def gradient(scores, decays, n_labels, labels, label_offsets, texts, n_texts):  # type: ignore[no-untyped-def]
    """Turn scores into d loss / d scores, in place, from ``decays = exp(-|s|)``; lanes without a text get zeros."""
    for i in range(n_labels * LANES):
        more = ONE / (ONE + decays[i])
        scores[i] = more if scores[i] >= ZERO else decays[i] * more
    for lane in range(n_texts):
        for j in range(label_offsets[texts[lane]], label_offsets[texts[lane] + 1]):
            scores[labels[j] * LANES + lane] -= ONE
    for lane in range(n_texts, LANES):
        for label in range(n_labels):
            scores[label * LANES + lane] = ZERO


@helper
def shorten(d_scores, n_labels, n_texts):  # type: ignore[no-untyped-def]
    """Scale the gradient of each text whose absolute values add up to more than `LARGEST` down to that (R. Pascanu and others, ICML 2013)."""
    for lane in range(n_texts):
        length = ZERO
        for label in range(n_labels):
            length += abs(d_scores[label * LANES + lane])
        if length > LARGEST:
            scale = LARGEST / length
            for label in range(n_labels):
                d_scores[label * LANES + lane] *= scale


@helper
def loss_gradient(scores, decays, n_labels, labels, label_offsets, texts, n_texts, losses, peak):  # type: ignore[no-untyped-def]
    """Replace scores by d loss / d scores and fill `losses` and `peak`; `decays`, of the size of `scores`, is scratch. No text has a label twice."""
    for i in range(n_labels * LANES):
        decays[i] = -abs(scores[i])
    exponentials(decays, n_labels * LANES)
    loss(scores, decays, n_labels, labels, label_offsets, texts, n_texts, losses, peak)
    gradient(scores, decays, n_labels, labels, label_offsets, texts, n_texts)
