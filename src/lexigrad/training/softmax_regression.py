"""The cost of softmax regression over all examples, its gradient and Hessian-vector product, on threads.

    f(W, b) = sum_i sw_i CE_i + l2/2 |W|^2
    gradient           X^T R + l2 W, sum of the rows of R
    Hessian-vector     X^T T + l2 V, sum of the rows of T        (R and T: `kernels/softmax_regression.py`)

Sums over examples are taken in chunks that depend on the sizes alone and are added in their order, so the bits do not depend on `threads`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lexigrad.kernels import softmax_regression as kernels
from lexigrad.machine.tiles import ROWS, WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNKS = 16
"""Chunks of examples, whose sums are added in order: the most threads that can work at once."""
CHUNK_ROWS = 256
CHUNK_BYTES = 256 << 20
"""Most bytes that the gradients of all chunks may take."""
BLOCK_BYTES = 384 << 10
"""Bytes of a block of dense rows: it is read twice and should stay in the second cache."""
PART_BYTES = 512 << 10
"""Bytes of the scores of a part of sparse rows, which are written in any order."""
BLOCK_DIM = 2048
"""Features up to which Newton's linear systems are preconditioned by whole blocks of the Hessian."""
SAMPLES = 2
"""Rows that are drawn for a block, in units of its size."""
RANGE = 1 << 17
"""Numbers of a long vector that one thread handles at a time."""


class Workers:
    """Threads that live as long as a training."""

    def __init__(self, threads: int) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="lexigrad") if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def run(self, function: Callable[..., Any], items: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Return ``function(*item)`` of each item, in their order."""
        work = list(items)
        if self.pool is None or len(work) < 2:
            return [function(*item) for item in work]
        futures = [self.pool.submit(function, *item) for item in work]
        return [future.result() for future in futures]


class Sizes(NamedTuple):
    """Number of scores of an example, numbers in a row of weights, whether a label of score 0 is in front, whether there is an intercept."""

    n_scores: int
    stride: int
    implied: int
    intercept: bool


def sizes_of(n_labels: int, intercept: bool) -> Sizes:
    """Return the sizes for some labels: two have one score."""
    n_scores = 1 if n_labels == 2 else n_labels
    return Sizes(n_scores, -(-n_scores // WIDTH) * WIDTH, int(n_labels == 2), intercept)


def bounds_of(n: int, pieces: int, multiple: int = 1) -> list[tuple[int, int]]:
    """Cut 0..n into about equal pieces that begin at multiples of a number."""
    edges = [min(n, n * i // pieces // multiple * multiple) for i in range(pieces)] + [n]
    return [(first, stop) for first, stop in pairwise(edges) if first < stop]


Solve = Callable[[Floats], Floats]


def divide_by(diagonal: Floats, row_weights: Floats, l2: float) -> Solve:
    """Return division of weights (dim + 1, stride) by a diagonal, whose last element becomes that of the intercept."""
    diagonal[:-1] += l2
    diagonal[-1] = row_weights.sum()
    inverse = 1.0 / np.where(diagonal > 0, diagonal, 1.0)[:, None]
    return lambda rest: (rest.reshape(len(inverse), -1) * inverse).reshape(-1)


class Rows(Protocol):
    """Examples as the objective needs them."""

    n: int
    dim: int

    def loss_gradient(
        self, weights: Floats, ids: Ints, sample_weights: Floats, sizes: Sizes, probs: Floats, gradient: Floats
    ) -> float:
        """Fill probabilities and gradient, return the cost; all without penalty."""

    def hessian_product(
        self, vector: Floats, sample_weights: Floats, sizes: Sizes, probs: Floats, product: Floats
    ) -> None:
        """Fill the Hessian times a vector, without penalty."""

    def preconditioner(
        self, probs: Floats, sample_weights: Floats, sizes: Sizes, l2: float, rng: np.random.Generator
    ) -> Solve:
        """Return what comes near the inverse of the Hessian, as a function."""


def mean_curvatures(rows: Rows, probs: Floats, sample_weights: Floats, sizes: Sizes) -> Floats:
    """Return sw times the mean over the labels of P (1 - P), (n,)."""
    out = np.empty(rows.n)
    kernels.row_curvatures(probs, 0, rows.n, sizes.n_scores, sizes.stride, sample_weights, out)
    return out


class DenseRows:
    """A C-contiguous float64 matrix."""

    def __init__(self, x: Floats, workers: Workers) -> None:
        self.n, self.dim = x.shape
        self.matrix, self.x, self.workers = x, x.reshape(-1), workers
        self.block = max(ROWS, BLOCK_BYTES // (8 * max(1, self.dim)) // ROWS * ROWS)
        self.block = min(self.block, 1024)
        self.partial = np.zeros((0, 0))

    def _chunks(self, size: int) -> list[tuple[int, int]]:
        pieces = max(1, min(CHUNKS, self.n // CHUNK_ROWS, CHUNK_BYTES // (8 * size)))
        chunks = bounds_of(self.n, pieces, ROWS)
        if self.partial.shape != (len(chunks), size):
            self.partial = np.empty((len(chunks), size))
        return chunks

    def loss_gradient(
        self, weights: Floats, ids: Ints, sample_weights: Floats, sizes: Sizes, probs: Floats, gradient: Floats
    ) -> float:
        """Fill probabilities and gradient, return the cost."""
        chunks = self._chunks(len(weights))
        scratch = self.block * sizes.stride

        def work(i: int, first: int, stop: int) -> float:
            return kernels.dense_loss_gradient(
                self.x, self.dim, first, stop, ids, sample_weights, weights, sizes.n_scores, sizes.stride, sizes.implied, int(sizes.intercept),
                self.block, probs, self.partial[i], np.empty(scratch), np.empty(scratch),
            )  # fmt: skip

        costs = self.workers.run(work, [(i, *chunk) for i, chunk in enumerate(chunks)])
        self.partial.sum(axis=0, out=gradient)
        return math.fsum(costs) if np.isfinite(costs).all() else math.nan

    def hessian_product(
        self, vector: Floats, sample_weights: Floats, sizes: Sizes, probs: Floats, product: Floats
    ) -> None:
        """Fill the Hessian times a vector."""
        chunks = self._chunks(len(vector))

        def work(i: int, first: int, stop: int) -> None:
            kernels.dense_hessian_product(
                self.x, self.dim, first, stop, sample_weights, vector, sizes.n_scores, sizes.stride, int(sizes.intercept), self.block, probs,
                self.partial[i], np.empty(self.block * sizes.stride),
            )  # fmt: skip

        self.workers.run(work, [(i, *chunk) for i, chunk in enumerate(chunks)])
        self.partial.sum(axis=0, out=product)

    def preconditioner(
        self, probs: Floats, sample_weights: Floats, sizes: Sizes, l2: float, rng: np.random.Generator
    ) -> Solve:
        """Return the inverses of the Hessian's blocks, one a label, from samples of the rows; or of its diagonal where blocks are large.

        A row is drawn for a label with a chance that grows with its curvature sw P (1 - P), and counts the more the smaller that chance is.
        """
        if self.dim > BLOCK_DIM or sizes.n_scores * (self.dim + 1) ** 2 * 8 > CHUNK_BYTES:
            weights = mean_curvatures(self, probs, sample_weights, sizes)
            return divide_by(np.append(weights @ self.matrix**2, 0.0), weights, l2)
        table = probs.reshape(self.n, sizes.stride)[:, : sizes.n_scores]
        inverses = np.empty((sizes.n_scores, self.dim + 1, self.dim + 1))
        for label in range(sizes.n_scores):
            curvature = sample_weights * table[:, label] * (1.0 - table[:, label])
            inverses[label] = self._block_inverse(curvature, sizes, l2, rng)
        centred = sizes.n_scores > 1

        def solve(rest: Floats) -> Floats:
            by_label = np.ascontiguousarray(rest.reshape(self.dim + 1, sizes.stride).T[: sizes.n_scores])
            solved = np.matmul(inverses, by_label[:, :, None])[:, :, 0]
            if centred:  # the cost's flat direction, the same added to all labels, has no place in a step
                solved -= solved.mean(axis=0)
            out = np.zeros((self.dim + 1, sizes.stride))
            out[:, : sizes.n_scores] = solved.T
            return out.reshape(-1)

        return solve

    def _block_inverse(self, curvature: Floats, sizes: Sizes, l2: float, rng: np.random.Generator) -> Floats:
        n_draws = SAMPLES * (self.dim + 1)
        total = curvature.sum()
        rows: Any = slice(None)
        if n_draws < self.n and total > 0:
            rows = np.searchsorted(np.cumsum(curvature), (np.arange(n_draws) + rng.random()) * (total / n_draws))
            rows = rows.clip(max=self.n - 1)
            curvature = np.full(n_draws, total / n_draws)
        sample = np.empty((len(curvature), self.dim + 1))
        sample[:, :-1] = self.matrix[rows]
        sample[:, -1] = float(sizes.intercept)
        sample *= np.sqrt(curvature)[:, None]
        block = sample.T @ sample
        diagonal = block.reshape(-1)[:: self.dim + 2]
        diagonal[:-1] += l2
        diagonal += 1e-10 * max(diagonal.mean(), 1e-300)
        return np.linalg.inv(block)

    def scores(self, weights: Floats, stride: int, scores: Floats) -> None:
        """Fill the scores."""
        self.workers.run(
            lambda first, stop: kernels.dense_scores(self.x, self.dim, first, stop, weights, stride, scores),
            bounds_of(self.n, max(1, min(CHUNKS, self.n // CHUNK_ROWS)), ROWS),
        )


class SparseRows:
    """A sparse matrix by columns, in parts of rows whose scores fit into the second cache.

    Parameters
    ----------
    offsets, columns, data : the rows, as in SciPy's CSR form
    dim : number of columns
    """

    def __init__(
        self,
        offsets: Ints,
        columns: NDArray[np.int32],
        data: Floats,
        dim: int,
        stride: int,
        workers: Workers,
        parts: int | None = None,
    ) -> None:
        self.n, self.dim, self.workers = len(offsets) - 1, dim, workers
        self.parts = bounds_of(self.n, parts or max(1, min(64, -(-self.n * stride * 8 // PART_BYTES))))
        counts = np.zeros((len(self.parts), dim + 1), np.int64)
        for part, (first, stop) in enumerate(self.parts):
            counts[part, 1:] = np.bincount(columns[offsets[first] : offsets[stop]], minlength=dim)
            counts[part, 0] = offsets[first]
        starts = np.cumsum(counts, axis=1)
        self.starts = starts.reshape(-1)
        self.rows, self.values = np.empty(len(columns), np.int32), np.empty(len(columns))

        def sort(part: int, first: int, stop: int) -> None:
            kernels.sort_columns(
                offsets, columns, data, first, stop, self.starts, part * (dim + 1), np.empty(dim, np.int64), self.rows, self.values
            )  # fmt: skip

        workers.run(sort, [(i, *part) for i, part in enumerate(self.parts)])
        totals = np.concatenate([[0], np.cumsum(counts[:, 1:].sum(axis=0) + 4)])
        edges = np.searchsorted(totals, np.linspace(0, totals[-1], 4 * CHUNKS + 1)[1:-1])
        self.ranges = [(a, b) for a, b in pairwise([0, *edges.tolist(), dim]) if a < b]
        self.residuals = np.empty(self.n * stride)

    def loss_gradient(
        self, weights: Floats, ids: Ints, sample_weights: Floats, sizes: Sizes, probs: Floats, gradient: Floats
    ) -> float:
        """Fill probabilities and gradient, return the cost."""
        stride = sizes.stride

        def work(part: int, first: int, stop: int) -> float:
            kernels.sparse_scores(
                self.rows, self.values, self.starts, part, self.dim, first, stop, weights, stride, probs
            )
            return kernels.rows_loss_residuals(
                probs, first, stop, sizes.n_scores, stride, sizes.implied, ids, sample_weights, self.residuals,
                np.empty(kernels.BLOCK * stride),
            )  # fmt: skip

        costs = self.workers.run(work, [(i, *part) for i, part in enumerate(self.parts)])
        self.transposed(sizes, gradient)
        return math.fsum(costs) if np.isfinite(costs).all() else math.nan

    def hessian_product(
        self, vector: Floats, sample_weights: Floats, sizes: Sizes, probs: Floats, product: Floats
    ) -> None:
        """Fill the Hessian times a vector."""
        stride = sizes.stride

        def work(part: int, first: int, stop: int) -> None:
            kernels.sparse_scores(
                self.rows, self.values, self.starts, part, self.dim, first, stop, vector, stride, self.residuals
            )
            kernels.rows_curvatures(probs, self.residuals, first, stop, sizes.n_scores, stride, sample_weights)

        self.workers.run(work, [(i, *part) for i, part in enumerate(self.parts)])
        self.transposed(sizes, product)

    def transposed(self, sizes: Sizes, out: Floats) -> None:
        """Set `out` to X^T R and the sum of the rows of R, of the R in `residuals`."""
        stride = sizes.stride

        def work(first: int, stop: int) -> None:
            kernels.sparse_transposed(
                self.rows, self.values, self.starts, len(self.parts), self.dim, first, stop, self.residuals, stride, out
            )

        self.workers.run(work, self.ranges)
        last = out[self.dim * stride :]
        if sizes.intercept:
            kernels.sum_rows(self.residuals, self.n, stride, last)
        else:
            last[:] = 0.0

    def preconditioner(
        self, probs: Floats, sample_weights: Floats, sizes: Sizes, l2: float, rng: np.random.Generator
    ) -> Solve:
        """Return the inverse of the diagonal of the Hessian, its mean over the labels, as a function."""
        weights, diagonal = mean_curvatures(self, probs, sample_weights, sizes), np.empty(self.dim + 1)
        self.workers.run(
            lambda first, stop: kernels.sparse_squares(
                self.rows, self.values, self.starts, len(self.parts), self.dim, first, stop, weights, diagonal
            ),
            self.ranges,
        )
        return divide_by(diagonal, weights, l2)

    def scores(self, weights: Floats, stride: int, scores: Floats) -> None:
        """Fill the scores."""
        self.workers.run(
            lambda part, first, stop: kernels.sparse_scores(
                self.rows, self.values, self.starts, part, self.dim, first, stop, weights, stride, scores
            ),
            [(i, *part) for i, part in enumerate(self.parts)],
        )


class Objective:
    """f of labels, weights of examples and l2, over some rows.

    Weights are flat (dim + 1, stride), as the kernels have them.
    """

    def __init__(
        self, rows: Rows, ids: Ints, sample_weights: Floats, sizes: Sizes, l2: float, workers: Workers, seed: int
    ) -> None:
        self.rows, self.ids, self.sample_weights, self.sizes = rows, ids, sample_weights, sizes
        self.l2, self.workers, self.seed = l2, workers, seed
        self.size = (rows.dim + 1) * sizes.stride
        self.ranges = bounds_of(self.size, max(1, min(4 * CHUNKS, self.size // RANGE)), WIDTH)
        self.penalised = rows.dim * sizes.stride
        self.penalised_ranges = [(a, min(b, self.penalised)) for a, b in self.ranges if a < self.penalised]

    def evaluate(self, weights: Floats) -> Point:
        """Return the cost, gradient and probabilities at some weights; a cost of NaN where scores overflowed."""
        probs, gradient = np.empty(self.rows.n * self.sizes.stride), np.empty(self.size)
        cost = self.rows.loss_gradient(weights, self.ids, self.sample_weights, self.sizes, probs, gradient)
        return Point(weights, cost + self._penalise(weights, gradient), gradient, probs)

    def _penalise(self, weights: Floats, gradient: Floats) -> float:
        squares = self.workers.run(
            lambda a, b: kernels.add_penalty(weights, gradient, self.l2, a, b), self.penalised_ranges
        )
        return 0.5 * self.l2 * sum(squares) if self.l2 else 0.0

    def hessian_product(self, point: Point, vector: Floats, product: Floats) -> Floats:
        """Fill and return the Hessian at a point times a vector."""
        self.rows.hessian_product(vector, self.sample_weights, self.sizes, point.probs, product)
        self._penalise(vector, product)
        return product

    def residuals(self, point: Point) -> Floats:
        """Return R at a point, flat (n, stride)."""
        n, stride = self.rows.n, self.sizes.stride
        table = point.probs.reshape(n, stride) * self.sample_weights[:, None]
        columns = self.ids - self.sizes.implied
        rows = np.flatnonzero(columns >= 0)
        table[rows, columns[rows]] -= self.sample_weights[rows]
        return table.reshape(-1)

    def preconditioner(self, point: Point) -> Solve:
        """Return what comes near the inverse of the Hessian at a point, as a function."""
        return self.rows.preconditioner(
            point.probs, self.sample_weights, self.sizes, self.l2, np.random.default_rng(self.seed)
        )

    def dot(self, a: Floats, b: Floats) -> float:
        """Return a . b, by ranges."""
        return float(sum(self.workers.run(lambda first, stop: kernels.dot(a, b, first, stop), self.ranges)))


class Point(NamedTuple):
    """Weights and what is known there."""

    weights: Floats
    cost: float
    gradient: Floats
    probs: Floats
