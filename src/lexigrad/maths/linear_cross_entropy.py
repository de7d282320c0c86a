"""Softmax cross-entropy of a linear layer, without ever holding its scores.

    s = h W^T,    l = -log softmax(s)_label
    d h = (softmax(s) - onehot) W,    d W = (softmax(s) - onehot)^T h

With 100,000 labels the scores of 4,096 rows are 1.6 GB, and so are their gradients. Here the labels are taken in blocks, twice: the first
time for each row's running maximum m and sum z = sum exp(s - m),

    m' = max(m, max of the block),    z' = z exp(m - m') + sum over the block of exp(s - m'),

the second time for exp(s - m) / z and the two products. A block of scores is computed anew, which costs one product more (four instead of
three) and saves the memory and its traffic. (The same idea on GPUs: E. Wijmans and others, "Cut Your Losses in Large-Vocabulary Language
Models", 2024.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lexigrad.errors import DataError
from lexigrad.maths import row_kernels
from lexigrad.maths.arrays import Array, as_floats, computed, flat, share
from lexigrad.maths.cross_entropy import _checked_reduction, _reduced, _targets

BLOCK_BYTES = 8 << 20
"""Bytes of a block of scores."""

MOST_ROWS = 4096


def linear_cross_entropy(
    hidden: ArrayLike,
    weights: ArrayLike,
    labels: ArrayLike,
    reduction: str = "mean",
    *,
    threads: int | None = None,
) -> tuple[Any, Array, Array]:
    """Return the softmax cross-entropy of ``hidden @ weights.T``, and its gradients, with bounded memory.

        l = -log softmax(h W^T)_label,    d h = (p - y) W,    d W = (p - y)^T h

    Parameters
    ----------
    hidden : (n, dim)
    weights : (n_labels, dim)
    labels : (n,) integers
    reduction : "mean", "sum" or "none"; the gradients are those of the mean or, for the other two, of the sum
    threads : for the kernels, over rows; None means all processors. The products use the threads of NumPy's BLAS.

    Returns
    -------
    loss : float, or float64 array (n,) for "none"; nats
    d_hidden : (n, dim)
    d_weights : (n_labels, dim)
        both in float32 where both inputs are float16 or float32, else float64

    Raises
    ------
    DataError : shapes that do not fit, a label out of range, a row without a score above -inf
    ParameterError : an unknown reduction

    Notes
    -----
    Memory besides inputs and results: a block of scores of 8 MB, the products of a block, and a few numbers a row (measured in `docs/benchmarks.md`).
    A score of NaN or +inf, which is a product that overflowed, makes its row's loss NaN or +inf and its gradient NaN, and so the gradient of
    the weights. A score of -inf is a probability of 0.

    Examples
    --------
    >>> import numpy as np
    >>> loss, d_hidden, d_weights = linear_cross_entropy(np.eye(2), np.eye(2), [0, 1])
    >>> round(loss, 8), d_hidden.round(8).tolist()
    (0.31326169, [[-0.13447071, 0.13447071], [0.13447071, -0.13447071]])
    """
    h, w = as_floats(hidden, "hidden"), as_floats(weights, "weights")
    if h.ndim != 2 or w.ndim != 2 or h.shape[1] != w.shape[1] or not len(w):
        raise DataError(f"expected hidden (n, dim) and weights (n_labels, dim), got {h.shape} and {w.shape}")
    dtype = np.result_type(computed(h.dtype), computed(w.dtype))
    h, w = np.ascontiguousarray(h, dtype), np.ascontiguousarray(w, dtype)
    ids, _ = _targets(labels, (len(h), len(w)))
    if ids is None:
        raise DataError(
            "labels: expected one whole number a row, got weights; use softmax_cross_entropy for soft targets"
        )
    _checked_reduction(reduction)
    losses, d_hidden, d_weights = np.empty(len(h)), np.zeros(h.shape, dtype), np.zeros(w.shape, dtype)
    scale = 1.0 / len(h) if reduction == "mean" and len(h) else 1.0
    for first in range(0, len(h), MOST_ROWS):
        rows = slice(first, first + MOST_ROWS)
        with np.errstate(invalid="ignore", over="ignore"):  # what the notes say of them, quietly
            _Rows(h[rows], w, ids[rows], threads).run(losses[rows], d_hidden[rows], d_weights, scale)
    return _reduced(losses, reduction), d_hidden, d_weights


class _Rows:
    """Some rows against all labels."""

    def __init__(self, hidden: Array, weights: Array, labels: Array, threads: int | None) -> None:
        self.hidden, self.weights, self.labels, self.threads = hidden, weights, labels, threads
        self.width = max(1, BLOCK_BYTES // (len(hidden) * hidden.itemsize))
        self.buffer = np.empty(len(hidden) * min(self.width, len(weights)), hidden.dtype)

    def scores(self, first: int) -> Array:
        """Return the scores of a block of labels, (n, width), in the buffer."""
        block = self.weights[first : first + self.width]
        scores = self.buffer[: len(self.hidden) * len(block)].reshape(len(self.hidden), len(block))
        return np.matmul(self.hidden, block.T, out=scores)

    def each(self, kernel: Any, scores: Array, peaks: Array, sums: Array, width: int, *more: float) -> None:
        """Call a kernel for all rows of a block, in threads."""
        share(
            lambda first, stop: kernel(scores, peaks, sums, first, stop, width, *more), len(peaks), width, self.threads
        )

    def run(self, losses: Array, d_hidden: Array, d_weights: Array, scale: float) -> None:
        """Fill the losses and add to the gradients."""
        n = len(self.hidden)
        everyone = np.arange(n)
        lowest = np.finfo(np.float64).min  # finite, so that a block of only -inf adds exp(-inf) = 0
        peaks, sums, chosen = np.full(n, lowest), np.zeros(n), np.empty(n)
        for first in range(0, len(self.weights), self.width):
            scores = self.scores(first)
            here = everyone[(self.labels >= first) & (self.labels < first + self.width)]
            chosen[here] = scores[here, self.labels[here] - first]
            self.each(row_kernels.join_block, flat(scores), peaks, sums, scores.shape[1])
        empty = (sums == 0) & ~np.isnan(chosen)
        if empty.any():
            raise DataError(f"row {int(empty.argmax())} has no score above -inf, so no label has a probability")
        sums[sums == 0] = np.nan
        losses[:] = (peaks - chosen) + np.log(sums)
        product = np.empty_like(d_hidden)
        for first in range(0, len(self.weights), self.width):
            scores = self.scores(first)
            self.each(row_kernels.probs_of_block, scores.reshape(-1), peaks, sums, scores.shape[1], scale)
            here = everyone[(self.labels >= first) & (self.labels < first + self.width)]
            scores[here, self.labels[here] - first] -= scale
            d_hidden += np.matmul(scores, self.weights[first : first + self.width], out=product)
            d_weights[first : first + self.width] += scores.T @ self.hidden
