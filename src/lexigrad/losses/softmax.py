"""Softmax cross-entropy over blocks of eight texts.

For scores s (one per label) and targets y (summing to 1; with m labels on a text, y = 1/m on each):

    p_l = exp(s_l - max s) / sum_j exp(s_j - max s)
    loss = -sum_l y_l log p_l = max s + log(sum_j exp(s_j - max s)) - sum_l y_l s_l
    d loss / d s_l = p_l - y_l
    s = W h:   d loss / d h = W^T (p - y),   d loss / d W = (p - y) h^T

Layout: scores of a block are flat (n_labels * LANES,), label-major, one text a lane, so that every loop over lanes is
one vector and no
reduction crosses lanes. `hidden` and `d_hidden` are flat (LANES * stride,), text-major, padded with zeros from dim to
stride; `weights` is flat
(n_labels * stride,).
"""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import LANES, block_normalise, block_shift, block_step
from lexigrad.maths.row_loops import exponentials

ZERO = np.float32(0.0)
ONE = np.float32(1.0)


@helper
def predict(scores, n_labels, peak, total):  # type: ignore[no-untyped-def]
    """Turn scores into probabilities, in place; leave max s in `peak` and sum exp(s - max s) in `total`, (LANES,) each."""
    block_shift(scores, n_labels, peak)
    exponentials(scores, n_labels * LANES)
    block_normalise(scores, n_labels, total)


@helper
def loss(scores, labels, label_offsets, texts, n_texts, losses, peak, total):  # type: ignore[no-untyped-def]
    """Fill `losses` only, from the untouched scores and the peak and total that `predict` left."""
    for lane in range(n_texts):
        first, stop = label_offsets[texts[lane]], label_offsets[texts[lane] + 1]
        target_score = 0.0
        for j in range(first, stop):
            target_score += scores[labels[j] * LANES + lane]
        losses[lane] = peak[lane] + np.log(np.float64(total[lane])) - target_score / (stop - first)


@helper
def gradient(probs, n_labels, labels, label_offsets, texts, n_texts):  # type: ignore[no-untyped-def]
    """Turn the probabilities of `predict` into d loss / d scores, in place; lanes without a text get zeros."""
    for lane in range(n_texts):
        first, stop = label_offsets[texts[lane]], label_offsets[texts[lane] + 1]
        for j in range(first, stop):
            probs[labels[j] * LANES + lane] -= ONE / np.float32(stop - first)
    for lane in range(n_texts, LANES):
        for label in range(n_labels):
            probs[label * LANES + lane] = ZERO


@helper
def loss_gradient(scores, n_labels, labels, label_offsets, texts, n_texts, losses, peak, total):  # type: ignore[no-untyped-def]
    """Replace scores by d loss / d scores and fill `losses` (LANES,) float64."""
    for lane in range(LANES):
        peak[lane], total[lane] = ZERO, ONE
    loss(scores, labels, label_offsets, texts, n_texts, losses, peak, total)  # minus the target's score, for now
    predict(scores, n_labels, peak, total)
    for lane in range(n_texts):
        losses[lane] += peak[lane] + np.log(np.float64(total[lane]))
    gradient(scores, n_labels, labels, label_offsets, texts, n_texts)


@helper
def step(weights, stride, n_labels, d_scores, hidden, lr, steps, d_hidden):  # type: ignore[no-untyped-def]
    """Set d_hidden = W^T d_scores with W as it was, and then W -= lr * d_scores hidden^T, in one pass over W.

    `steps` (LANES * stride,) is scratch for -lr * hidden.
    """
    for i in range(LANES * stride):
        steps[i] = -lr * hidden[i]
        d_hidden[i] = ZERO
    for first in range(0, n_labels, 512):
        block_step(weights, stride, d_scores, steps, d_hidden, first, min(first + 512, n_labels))
