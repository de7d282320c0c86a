"""Dual coordinate ascent against NumPy in float64, compiled and with NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from lexigrad.kernels.dual_ascent import ascend, shared_rows
from lexigrad.machine.tiles import WIDTH

L2 = 0.7


class Ascent:
    """A small problem and where the ascent stands."""

    def __init__(self, n_labels: int, share: float, size: float = 1.0, n: int = 12, dim: int = 9) -> None:
        rng = np.random.default_rng(n_labels)
        self.n, self.n_labels, self.implied, self.share = n, n_labels, int(n_labels == 2), np.float32(share)
        self.n_scores = n_labels - self.implied
        self.stride = -(-self.n_scores // WIDTH) * WIDTH
        self.x = size * rng.random((n, dim)) * (rng.random((n, dim)) < 0.4)
        self.x[:, 4] = 0
        self.x[3, 4] = size  # a feature of one example
        self.ids = rng.integers(0, n_labels, n)
        self.sample_weights = np.append(rng.random(n - 1) + 0.5, 0.0).astype(np.float32)
        csr = sparse.csr_matrix(self.x)
        several = (self.x != 0).sum(axis=0) > 1
        places = np.where(several, np.cumsum(several) - 1, -1)
        self.several = several
        self.offsets, self.columns = np.zeros(n + 1, np.int64), np.zeros(csr.nnz, np.int32)
        self.values, self.own, self.lengths = (np.zeros(k, np.float32) for k in (csr.nnz, n, n))
        shared_rows(
            csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data, places, L2, self.offsets, self.columns, self.values, self.own,
            self.lengths,
        )  # fmt: skip
        p = rng.dirichlet(np.ones(n_labels), n)
        self.probs = p.astype(np.float32).reshape(-1)
        self.logs = np.log(self.probs)
        self.intercept = np.zeros(self.stride, np.float32)
        self.intercept[: self.n_scores] = rng.normal(size=self.n_scores)
        self.weights = self.padded_weights().astype(np.float32)

    @property
    def p(self) -> Any:
        return self.probs.reshape(self.n, -1).astype(np.float64)

    @property
    def apart(self) -> Any:
        """sw (y - p) without the label in front."""
        return (self.sample_weights[:, None] * (np.eye(self.n_labels)[self.ids] - self.p))[:, self.implied :]

    def padded_weights(self) -> Any:
        """Return X^T A of the features of several examples."""
        rows = (self.x.T @ self.apart / L2)[self.several]
        return np.pad(rows, ((0, 0), (0, self.stride - self.n_scores))).reshape(-1)

    def scores(self) -> Any:
        """Return the scores of all labels."""
        scores = self.x @ (self.x.T @ self.apart) / L2 + self.intercept[: self.n_scores]
        return np.hstack([np.zeros((self.n, self.implied)), scores])

    def logits(self) -> Any:
        """Return log softmax of the scores."""
        scores = self.scores()
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def gaps(self) -> Any:
        """Return sw KL(p, softmax(s)) of each example."""
        return self.sample_weights * (self.p * (np.log(np.maximum(self.p, 1e-30)) - self.logits())).sum(axis=1)

    def dual(self) -> float:
        """Return the dual cost at this intercept, which is a constant."""
        entropy = -(self.sample_weights[:, None] * self.p * np.log(np.maximum(self.p, 1e-30))).sum()
        pull = (self.apart * self.intercept[: self.n_scores]).sum()
        return float(entropy - pull - 0.5 / L2 * ((self.x.T @ self.apart) ** 2).sum())

    def step(self, order: Any) -> Any:
        sums = np.zeros(2)
        ascend(
            np.asarray(order), 0, len(order), self.offsets, self.columns, self.values, self.own, self.lengths, self.sample_weights / np.float32(L2),
            self.ids, self.sample_weights, self.n_labels, self.stride, self.implied, self.share, self.weights, self.intercept, self.probs, self.logs,
            *[np.empty(size, np.float32) for size in (self.stride, *[self.n_labels] * 3)], sums,
        )  # fmt: skip
        return sums


@pytest.mark.parametrize("n_labels", [2, 3, 9])
def test_rows(n_labels: int) -> None:
    a = Ascent(n_labels, 0.0)
    assert not a.several[4]
    assert a.several.any()
    np.testing.assert_allclose(a.lengths, (a.x**2).sum(axis=1) / L2, rtol=1e-6)
    np.testing.assert_allclose(a.own, (a.x[:, ~a.several] ** 2).sum(axis=1) / L2, rtol=1e-6)
    end = a.offsets[-1]
    rows = sparse.csr_matrix((a.values[:end], a.columns[:end], a.offsets), shape=(a.n, int(a.several.sum())))
    np.testing.assert_allclose(rows.toarray(), a.x[:, a.several], rtol=1e-6)


@pytest.mark.parametrize("n_labels", [2, 3, 9])
@pytest.mark.parametrize("size", [0.3, 1.0, 5.0])
def test_a_step_is_the_best_for_its_example(n_labels: int, size: float) -> None:
    """Afterwards p = softmax(s), the dual cost is higher, W = X^T A, and the sums are the gap and the cost before."""
    a = Ascent(n_labels, 0.0, size)
    for i in (3, 0, 7, 3):
        gap, dual, intercept = a.gaps()[i], a.dual(), a.intercept.copy()
        cost = -a.sample_weights[i] * a.logits()[i, a.ids[i]]
        cost += 0.5 * a.apart[i] @ (a.scores()[i, a.implied :] - intercept[: a.n_scores])
        sums = a.step([i])
        np.testing.assert_allclose(sums, [gap, cost], rtol=1e-3, atol=1e-4 * size)
        assert a.gaps()[i] < 0.1 * gap + 1e-4
        assert a.dual() > dual - 1e-4
        np.testing.assert_allclose(a.weights, a.padded_weights(), atol=1e-4 * size)
        np.testing.assert_allclose(a.logs, np.log(np.maximum(a.probs, 1e-30)), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(a.p.sum(axis=1), 1, atol=1e-5)
        assert (a.intercept == intercept).all()


@pytest.mark.parametrize("n_labels", [2, 3, 9])
def test_steps_over_all_examples_find_the_highest_dual(n_labels: int) -> None:
    a = Ascent(n_labels, 0.0)
    for _ in range(60):
        gap = a.step(np.arange(a.n))[0]
    assert abs(gap) < 1e-5
    np.testing.assert_allclose(a.p[:-1], np.exp(a.logits())[:-1], atol=1e-5)


def test_an_example_without_weight_changes_nothing() -> None:
    a = Ascent(3, 0.1)
    before = a.probs.copy(), a.weights.copy(), a.intercept.copy()
    assert not a.step([a.n - 1]).any()
    for now, then in zip((a.probs, a.weights, a.intercept), before, strict=True):
        assert (now == then).all()


@pytest.mark.parametrize("n_labels", [2, 3])
def test_the_intercept_is_a_feature_of_every_example(n_labels: int) -> None:
    """It moves by share sw dp, and p solves its equation with it."""
    a = Ascent(n_labels, 0.5)
    for i in (3, 5):
        before, intercept = a.apart[i], a.intercept[: a.n_scores].astype(np.float64)
        a.step([i])
        np.testing.assert_allclose(a.intercept[: a.n_scores], intercept + 0.5 * (a.apart[i] - before), atol=1e-5)
        np.testing.assert_allclose(a.p[i], np.exp(a.logits()[i]), atol=0.02)


def test_probabilities_of_zero() -> None:
    """From A = 0, p = y, with features so large that probabilities underflow: everything stays finite."""
    a = Ascent(3, 0.1, 1e4)
    a.probs[:] = np.eye(3, dtype=np.float32)[a.ids].reshape(-1)
    a.logs[:] = np.log(np.maximum(a.probs, np.float32(1e-30)))
    a.weights[:] = 0
    for _ in range(5):
        assert np.isfinite(a.step(np.arange(a.n))).all()
    assert np.isfinite(a.weights).all()
    np.testing.assert_allclose(a.p.sum(axis=1), 1, atol=1e-5)
