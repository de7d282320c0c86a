"""The kernels of softmax regression against NumPy, compiled and with NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from lexigrad.kernels import saga
from lexigrad.kernels import softmax_regression as kernels
from lexigrad.machine.tiles import WIDTH

SHAPES = [(1, 1, 2), (9, 3, 2), (30, 5, 3), (21, 4, 11)]
"""Examples, features and labels."""


class Data:
    """Examples, labels, weights and parameters, with what is computed from them by NumPy."""

    def __init__(self, n: int, dim: int, n_labels: int) -> None:
        rng = np.random.default_rng(n + dim)
        self.n, self.dim, self.implied = n, dim, int(n_labels == 2)
        self.n_scores = n_labels - self.implied
        self.stride = -(-self.n_scores // WIDTH) * WIDTH
        self.x = rng.normal(size=(n, dim)) * (rng.random((n, dim)) < 0.6)
        self.ids = rng.integers(0, n_labels, n)
        self.sample_weights = rng.random(n)
        self.weights = self.padded(rng.normal(size=(dim + 1, self.n_scores)))
        self.vector = self.padded(rng.normal(size=(dim + 1, self.n_scores)))
        scores = np.hstack([np.zeros((n, self.implied)), self.times(self.weights)])
        exps = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs = exps / exps.sum(axis=1, keepdims=True)
        self.cost = -(self.sample_weights * np.log(probs[np.arange(n), self.ids])).sum()
        rest = self.sample_weights[:, None] * (probs - np.eye(n_labels)[self.ids])
        self.probs, self.residuals = probs[:, self.implied :], rest[:, self.implied :]
        change = self.times(self.vector)
        mean = (self.probs * change).sum(axis=1, keepdims=True)
        self.curved = self.sample_weights[:, None] * self.probs * (change - mean)

    def padded(self, rows: Any) -> Any:
        """Return rows as the kernels have them."""
        return np.pad(rows, ((0, 0), (0, self.stride - self.n_scores))).reshape(-1)

    def times(self, weights: Any) -> Any:
        """Return (x, 1) times weights."""
        return np.hstack([self.x, np.ones((self.n, 1))]) @ weights.reshape(-1, self.stride)[:, : self.n_scores]

    def back(self, rows: Any) -> Any:
        """Return (x, 1)^T times rows of scores, padded."""
        return self.padded(np.hstack([self.x, np.ones((self.n, 1))]).T @ rows)

    def columns(self, parts: list[tuple[int, int]]) -> tuple[Any, Any, Any]:
        """Return rows, values and starts of the entries by columns, in parts of rows, sorted by the kernel."""
        csr = sparse.csr_matrix(self.x)
        offsets, places = csr.indptr.astype(np.int64), csr.indices.astype(np.int32)
        starts = np.zeros((len(parts), self.dim + 1), np.int64)
        for part, (first, stop) in enumerate(parts):
            counts = np.bincount(places[offsets[first] : offsets[stop]], minlength=self.dim)
            starts[part] = offsets[first] + np.concatenate([[0], np.cumsum(counts)])
        rows, values = np.empty(csr.nnz, np.int32), np.empty(csr.nnz)
        for part, (first, stop) in enumerate(parts):
            kernels.sort_columns(
                offsets, places, csr.data, first, stop, starts.reshape(-1), part * (self.dim + 1), np.empty(self.dim, np.int64), rows, values
            )  # fmt: skip
        return rows, values, starts.reshape(-1)


def close(got: Any, true: Any) -> None:
    np.testing.assert_allclose(got, true, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", [8, 1000])
def test_dense(shape: tuple[int, int, int], block: int) -> None:
    d = Data(*shape)
    x, n, k, stride = d.x.reshape(-1), d.n, d.n_scores, d.stride
    probs, gradient, product = np.empty(n * stride), np.full(len(d.weights), np.nan), np.full(len(d.weights), np.nan)
    scratch, exps = np.empty(block * stride), np.empty(block * stride)
    cost = kernels.dense_loss_gradient(
        x,
        d.dim,
        0,
        n,
        d.ids,
        d.sample_weights,
        d.weights,
        k,
        stride,
        d.implied,
        1,
        block,
        probs,
        gradient,
        scratch,
        exps,
    )
    close(cost, d.cost)
    close(probs, d.padded(d.probs))
    close(gradient, d.back(d.residuals))
    kernels.dense_hessian_product(
        x, d.dim, 0, n, d.sample_weights, d.vector, k, stride, 1, block, probs, product, scratch
    )
    close(product, d.back(d.curved))
    scores = np.empty(n * stride)
    kernels.dense_scores(x, d.dim, 0, n, d.weights, stride, scores)
    close(scores, d.padded(d.times(d.weights)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_parts", [1, 3])
def test_sparse(shape: tuple[int, int, int], n_parts: int) -> None:
    d = Data(*shape)
    n, stride = d.n, d.stride
    edges = np.linspace(0, n, n_parts + 1).astype(int).tolist()
    parts = list(pairwise(edges))
    rows, values, starts = d.columns(parts)
    scores, residuals = np.empty(n * stride), np.empty(n * stride)
    for part, (first, stop) in enumerate(parts):
        kernels.sparse_scores(rows, values, starts, part, d.dim, first, stop, d.weights, stride, scores)
    close(scores, d.padded(d.times(d.weights)))
    csr = sparse.csr_matrix(d.x)
    by_rows = np.empty(n * stride)
    kernels.sparse_row_scores(
        csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data, d.dim, 0, n, d.weights, stride, by_rows
    )
    close(by_rows, scores)
    cost = kernels.rows_loss_residuals(
        scores,
        0,
        n,
        d.n_scores,
        stride,
        d.implied,
        d.ids,
        d.sample_weights,
        residuals,
        np.empty(kernels.BLOCK * stride),
    )
    close(cost, d.cost)
    close(residuals, d.padded(d.residuals))
    out = np.full((d.dim + 1) * stride, np.nan)
    kernels.sparse_transposed(rows, values, starts, n_parts, d.dim, 0, d.dim, residuals, stride, out)
    kernels.sum_rows(residuals, n, stride, out[d.dim * stride :])
    close(out, d.back(d.residuals))
    change = d.padded(d.times(d.vector))
    kernels.rows_curvatures(scores, change, 0, n, d.n_scores, stride, d.sample_weights)
    close(change, d.padded(d.curved))
    squares, of_rows = np.empty(d.dim), np.empty(n)
    kernels.row_curvatures(scores, 0, n, d.n_scores, stride, d.sample_weights, of_rows)
    close(of_rows, d.sample_weights * (d.probs * (1 - d.probs)).mean(axis=1))
    kernels.sparse_squares(rows, values, starts, n_parts, d.dim, 0, d.dim, of_rows, squares)
    close(squares, of_rows @ d.x**2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_gram(shape: tuple[int, int, int], dtype: Any) -> None:
    """X X^T A, with the columns of one entry taken as a diagonal, in two chunks."""
    d = Data(*shape)
    rows, values, starts = d.columns([(0, d.n)])
    alone = np.count_nonzero(d.x, axis=0) == 1
    own = (d.x[:, alone] ** 2).sum(axis=1).astype(dtype)
    a = d.padded(np.random.default_rng(0).normal(size=(d.n, d.n_scores))).astype(dtype)
    total = np.zeros(d.n * d.stride)
    for first, stop in ((0, d.dim // 2), (d.dim // 2, d.dim)):
        if first == stop:
            continue
        image = np.full(d.n * d.stride, np.nan, dtype)
        kernels.sparse_gram(
            rows, values.astype(dtype), own, starts, first, stop, a, d.stride, image, np.empty(d.stride, dtype)
        )
        total += image
    true = d.x @ (d.x.T @ a.reshape(d.n, -1).astype(np.float64))
    np.testing.assert_allclose(total.reshape(d.n, -1), true, atol=1e-12 if dtype == np.float64 else 1e-4)


@pytest.mark.parametrize("size", [0, 1, 8, 27])
def test_long_vectors(size: int) -> None:
    rng = np.random.default_rng(size)
    a, b, c, d = rng.normal(size=(4, size + 2))
    close(kernels.dot(a, b, 1, size + 1), a[1 : size + 1] @ b[1 : size + 1])
    one, two = c.copy(), d.copy()
    kernels.step_both(a, b, one, two, 0.3, 1, size + 1)
    inside = np.r_[0.0, np.ones(size), 0.0]
    close(one, c + 0.3 * inside * a)
    close(two, d - 0.3 * inside * b)
    one = c.copy()
    kernels.turn(a, one, 0.3, 1, size + 1)
    close(one, np.where(inside, a + 0.3 * c, c))
    one = c.copy()
    close(kernels.add_penalty(a, one, 0.3, 1, size + 1), (a[1 : size + 1] ** 2).sum())
    close(one, c + 0.3 * inside * a)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dense", [0, 1])
@pytest.mark.parametrize("intercept", [0, 1])
def test_saga(shape: tuple[int, int, int], dense: int, intercept: int) -> None:
    """Delayed steps, settled in the end, are those of all features at once; two epochs, the second from the table of the first."""
    d = Data(*shape)
    n, dim, stride, l2, step = d.n, d.dim, d.stride, 0.4, 0.1
    weights = d.weights.reshape(dim + 1, stride).copy()
    if not intercept:
        weights[-1] = 0
    got, table, sums = weights.reshape(-1).copy(), np.zeros(n * stride), np.zeros((dim + 1) * stride)
    true_table, true_sums = np.zeros((n, stride)), np.zeros((dim + 1, stride))
    powers = (1 - step * l2 / n) ** np.arange(n + 1)
    totals = np.concatenate([[0.0], np.cumsum(powers[:-1])])
    csr = sparse.csr_matrix(d.x)
    offsets = np.arange(n + 1) * dim if dense else csr.indptr.astype(np.int64)
    places, values = csr.indices.astype(np.int32), d.x.reshape(-1) if dense else csr.data
    last, scratch = np.zeros(dim, np.int64), np.empty(3 * stride)
    for epoch in range(2):
        order = np.random.default_rng(epoch).permutation(n)
        for first, stop in ((0, n // 2), (n // 2, n)):
            saga.saga_steps(
                order, first, stop, dense, offsets, places, values, dim, d.ids, d.sample_weights, d.n_scores, stride, d.implied, intercept,
                step, powers, totals, last, got, table, sums, scratch,
            )  # fmt: skip
        saga.saga_settle(dim, stride, n, n, step, powers, totals, last, got, sums)
        for row in order:
            long = np.append(d.x[row], float(intercept))
            scores = np.concatenate([np.zeros(d.implied), (long @ weights)[: d.n_scores]])
            probs = np.exp(scores - scores.max())
            probs /= probs.sum()
            probs[d.ids[row]] -= 1
            rest = d.sample_weights[row] * np.pad(probs[d.implied :], (0, stride - d.n_scores))
            change = np.outer(long, rest - true_table[row])
            weights[:-1] *= 1 - step * l2 / n
            weights -= step * (change + true_sums / n)
            true_sums += change
            true_table[row] = rest
        close(got, weights.reshape(-1))
        close(table, true_table.reshape(-1))
        close(sums, true_sums.reshape(-1))
