"""Softmax cross-entropy of a block: known values, numeric gradient of `gradient` and of the change that `step` makes."""

from __future__ import annotations

import numpy as np
from numba import njit

from lexigrad.losses import softmax
from lexigrad.machine.intrinsics import LANES

RNG = np.random.default_rng(3)


@njit
def run_loss_gradient(scores, n_labels, labels, label_offsets, texts, n_texts, losses, peak, total):
    softmax.loss_gradient(scores, n_labels, labels, label_offsets, texts, n_texts, losses, peak, total)


@njit
def run_loss(scores, probs, n_labels, labels, label_offsets, texts, n_texts, losses, peak, total):
    softmax.predict(probs, n_labels, peak, total)
    softmax.loss(scores, labels, label_offsets, texts, n_texts, losses, peak, total)


@njit
def run_step(weights, stride, n_labels, d_scores, hidden, lr, steps, d_hidden):
    softmax.step(weights, stride, n_labels, d_scores, hidden, lr, steps, d_hidden)


def block(scores: np.ndarray, labels: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return (losses of the texts, d_scores (n_labels, LANES)) of the kernel."""
    n_labels = len(scores)
    flat = scores.astype(np.float32).ravel()
    ids = np.array([label for of_text in labels for label in of_text], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(of_text) for of_text in labels])]).astype(np.int64)
    losses, peak, total = np.zeros(LANES), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
    run_loss_gradient(flat, n_labels, ids, offsets, np.arange(LANES), len(labels), losses, peak, total)
    again = np.zeros(LANES)
    start = scores.astype(np.float32).ravel()
    run_loss(start, start.copy(), n_labels, ids, offsets, np.arange(LANES), len(labels), again, peak, total)
    np.testing.assert_allclose(again, losses, rtol=1e-12)
    return losses[: len(labels)], flat.reshape(n_labels, LANES)


def mean_cross_entropy(scores: np.ndarray, labels: list[int]) -> float:
    top = scores.max()
    return float(top + np.log(np.exp(scores - top).sum()) - scores[labels].mean())


def test_known_values() -> None:
    scores = np.zeros((2, LANES))
    scores[:, 0] = [1, 2]
    scores[:, 1] = [1001, 1002]
    losses, d_scores = block(scores, [[1], [0], [0, 1]])
    np.testing.assert_allclose(losses, [0.31326169, 1.31326169, 0.69314718], rtol=1e-6)
    np.testing.assert_allclose(d_scores[:, 0], [0.26894142, 0.73105858 - 1], rtol=1e-5)
    np.testing.assert_allclose(d_scores[:, 1], [0.26894142 - 1, 0.73105858], rtol=1e-5)
    np.testing.assert_allclose(d_scores[:, 2], [0, 0], atol=1e-7)
    assert np.all(d_scores[:, 3:] == 0)


def test_gradient_is_the_numeric_gradient_and_sums_to_zero() -> None:
    scores = RNG.normal(scale=3, size=(7, LANES)).astype(np.float32).astype(np.float64)
    labels = [[int(i) for i in RNG.choice(7, 1 + lane % 3, replace=False)] for lane in range(LANES)]
    losses, d_scores = block(scores, labels)
    np.testing.assert_allclose(d_scores.sum(axis=0), 0, atol=1e-6)
    for lane in range(LANES):
        np.testing.assert_allclose(losses[lane], mean_cross_entropy(scores[:, lane], labels[lane]), rtol=1e-5)
        for label in range(7):
            shifted = [scores[:, lane] + h * (np.arange(7) == label) for h in (1e-5, -1e-5)]
            numeric = (
                mean_cross_entropy(shifted[0], labels[lane]) - mean_cross_entropy(shifted[1], labels[lane])
            ) / 2e-5
            assert abs(d_scores[label, lane] - numeric) < 1e-6


def test_step_changes_the_weights_by_minus_lr_times_the_gradient() -> None:
    n_labels, dim, stride, lr = 5, 11, 16, 0.25
    weights = np.zeros((n_labels, stride), np.float32)
    weights[:, :dim] = RNG.normal(size=(n_labels, dim))
    hidden = np.zeros((LANES, stride), np.float32)
    hidden[:, :dim] = RNG.normal(size=(LANES, dim))
    labels = [[lane % n_labels] for lane in range(LANES)]

    def total(w: np.ndarray, h: np.ndarray) -> float:
        return sum(mean_cross_entropy(w @ h[lane], labels[lane]) for lane in range(LANES))

    exact = weights.astype(np.float64)
    _, d_scores = block(exact @ hidden.T.astype(np.float64), labels)
    d_hidden, scratch = np.ones((LANES, stride), np.float32), np.empty(LANES * stride, np.float32)
    changed = weights.copy()
    run_step(
        changed.reshape(-1),
        stride,
        n_labels,
        d_scores.ravel(),
        hidden.ravel(),
        np.float32(lr),
        scratch,
        d_hidden.reshape(-1),
    )
    for label, k in [(0, 0), (4, 10), (2, 5)]:
        bump = np.zeros_like(exact)
        bump[label, k] = 1e-5
        numeric = (total(exact + bump, hidden) - total(exact - bump, hidden)) / 2e-5
        assert abs((changed - weights)[label, k] + lr * numeric) < 2e-6
    for lane, k in [(0, 0), (7, 10), (3, 4)]:
        bump = np.zeros(hidden.shape)
        bump[lane, k] = 1e-5
        numeric = (total(exact, hidden + bump) - total(exact, hidden - bump)) / 2e-5
        assert abs(d_hidden[lane, k] - numeric) < 2e-6
