"""One-vs-all of a block: known values, the numeric gradient, and how far a text's gradient may reach."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from lexigrad.losses import hierarchical_softmax, negative_sampling, one_vs_all, softmax
from lexigrad.machine.intrinsics import LANES

RNG = np.random.default_rng(4)


@njit
def run_loss_gradient(scores, decays, n_labels, labels, label_offsets, texts, n_texts, losses, peak):
    one_vs_all.loss_gradient(scores, decays, n_labels, labels, label_offsets, texts, n_texts, losses, peak)


@njit
def run_shorten(d_scores, n_labels, n_texts):
    one_vs_all.shorten(d_scores, n_labels, n_texts)


@njit
def run_predict(scores, n_labels):
    one_vs_all.predict(scores, n_labels)


def block(scores: np.ndarray, labels: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (losses of the texts, d_scores (n_labels, LANES), peaks)."""
    n_labels = len(scores)
    flat = scores.astype(np.float32).ravel()
    ids = np.array([label for of_text in labels for label in of_text], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(of_text) for of_text in labels])]).astype(np.int64)
    losses, peak = np.zeros(LANES), np.zeros(LANES, np.float32)
    run_loss_gradient(flat, flat.copy(), n_labels, ids, offsets, np.arange(LANES), len(labels), losses, peak)
    return losses[: len(labels)], flat.reshape(n_labels, LANES), peak


def plain_loss(scores: np.ndarray, labels: list[int]) -> float:
    answers = np.isin(np.arange(len(scores)), labels)
    return float(np.logaddexp(0, np.where(answers, -scores, scores)).sum())


def test_all_classifier_losses_have_the_five_names() -> None:
    for module in (softmax, one_vs_all, hierarchical_softmax, negative_sampling):
        for name in ("loss", "gradient", "loss_gradient", "predict", "step"):
            assert callable(getattr(module, name)), (module, name)


def test_known_values() -> None:
    scores = np.zeros((2, LANES))
    scores[:, 0] = [1, -2]
    scores[:, 1] = [1000, -1000]
    losses, d_scores, peak = block(scores, [[0], [0], [0, 1]])
    np.testing.assert_allclose(losses, [0.31326169 + 0.12692801, 0.0, 2 * 0.69314718], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(d_scores[:, 0], [0.73105858 - 1, 0.11920292], rtol=1e-5)
    np.testing.assert_allclose(d_scores[:, 1], [0, 0], atol=1e-12)
    np.testing.assert_allclose(d_scores[:, 2], [-0.5, -0.5], rtol=1e-6)
    assert np.all(d_scores[:, 3:] == 0)
    assert peak[:2].tolist() == [2, 1000]


@pytest.mark.parametrize("n_labels", [1, 7, 64, 65, 300])
def test_gradient_is_the_numeric_gradient(n_labels: int) -> None:
    scores = RNG.normal(scale=3, size=(n_labels, LANES)).astype(np.float32).astype(np.float64)
    most = min(3, n_labels)
    labels = [[int(i) for i in RNG.choice(n_labels, 1 + lane % most, replace=False)] for lane in range(LANES)]
    losses, d_scores, _ = block(scores, labels)
    for lane in range(LANES):
        np.testing.assert_allclose(losses[lane], plain_loss(scores[:, lane], labels[lane]), rtol=1e-5)
        for label in {0, n_labels // 2, n_labels - 1, *labels[lane]}:
            shifted = [scores[:, lane] + h * (np.arange(n_labels) == label) for h in (1e-5, -1e-5)]
            numeric = (plain_loss(shifted[0], labels[lane]) - plain_loss(shifted[1], labels[lane])) / 2e-5
            assert abs(d_scores[label, lane] - numeric) < 1e-6


def test_long_gradients_are_shortened_and_others_left_as_they_are() -> None:
    d_scores = RNG.uniform(-1, 1, size=(50, LANES)).astype(np.float32)
    d_scores[:, 1] /= 100
    before = d_scores.copy()
    flat = d_scores.reshape(-1)
    run_shorten(flat, 50, 2)
    np.testing.assert_allclose(np.abs(d_scores[:, 0]).sum(), one_vs_all.LARGEST, rtol=1e-5)
    np.testing.assert_allclose(
        d_scores[:, 0] / before[:, 0], one_vs_all.LARGEST / np.abs(before[:, 0]).sum(), rtol=1e-5
    )
    np.testing.assert_array_equal(d_scores[:, 1:], before[:, 1:])


def test_predictions_are_sigmoids() -> None:
    scores = RNG.normal(scale=5, size=9 * LANES).astype(np.float32)
    found = scores.copy()
    run_predict(found, 9)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-scores.astype(np.float64))), rtol=3e-7)
