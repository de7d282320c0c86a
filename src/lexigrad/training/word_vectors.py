"""Trains the two matrices of word vectors on encoded sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DivergenceError
from lexigrad.kernels.classifier import initialise
from lexigrad.kernels.sampling import alias_table, keep_chances
from lexigrad.kernels.word_vectors import DIVERGED, LINE, train_skipgram
from lexigrad.machine.threads import map_threads
from lexigrad.training.loop import Slices, run_epochs
from lexigrad.training.progress import Callback, Display

LONGEST = 10_000
"""Longer sentences are cut: no window reaches across."""
THREAD_SENTENCES = 16
"""Each thread gets at least so many sentences an epoch."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """What word vectors are trained on.

    Attributes
    ----------
    tokens : (n_tokens,) int32, words by falling count; those from `n_words` on have no vector and are passed over
    offsets : (n_sentences + 1,) int64
    counts : (n_words,) int64, how often each word with a vector occurs
    rows, row_ends : rows of the input matrix that make up each word, its own first: ``rows[row_ends[w]:row_ends[w + 1]]``
    n_rows : rows of the input matrix
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[np.int32]
    row_ends: NDArray[np.int64]
    n_rows: int

    @property
    def n_words(self) -> int:
        """How many words have a vector."""
        return len(self.counts)


def cut(offsets: NDArray[np.int64], longest: int = LONGEST) -> NDArray[np.int64]:
    """Return the offsets of sentences of which none is longer than `longest`: long ones are cut from their start."""
    lengths = np.diff(offsets)
    pieces = np.maximum(1, -(-lengths // longest))
    if pieces.max(initial=1) == 1:
        return offsets
    first = np.repeat(offsets[:-1], pieces)
    place = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.append(first + place * longest, offsets[-1])


class VectorWeights:
    """The matrices in training, their rows padded with zeros to a multiple of a cache line.

    Attributes
    ----------
    input : (n_rows * stride,) float32, uniform in (-1, 1) / dim at the start
    output : ((n_words + threads) * stride,) float32, 0 at the start; the last rows are the threads' spare ones
    """

    def __init__(self, n_rows: int, n_words: int, dim: int, seed: int, threads: int) -> None:
        self.dim, self.n_words, self.threads = dim, n_words, threads
        self.stride = -(-dim // LINE) * LINE
        self.input = np.zeros(n_rows * self.stride, np.float32)
        self.output = np.zeros((n_words + threads) * self.stride, np.float32)
        step = max(1, (1 << 20) // dim)

        def fill(first: int) -> None:
            part = np.empty(min(step, n_rows - first) * dim, np.float32)
            initialise(part, dim, seed + first, 0, len(part) // dim)
            self.rows(self.input)[first : first + step, :dim] = part.reshape(-1, dim)

        list(map_threads(fill, range(0, n_rows, step), threads))

    def rows(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one of the matrices as (rows, stride)."""
        return matrix.reshape(-1, self.stride)

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return input (n_rows, dim) and output (n_words, dim)."""
        output = self.rows(self.output)[: self.n_words, : self.dim]
        return np.ascontiguousarray(self.rows(self.input)[:, : self.dim]), np.ascontiguousarray(output)


@dataclass(frozen=True, slots=True)
class SkipgramSettings:
    """Settings of the loss; names as in `lexigrad.WordVectors`."""

    window: int
    dynamic_window: bool
    negatives: int
    negative_power: float
    subsample: float
    exact: bool


class SkipgramWorker:
    """One thread on the shared matrices."""

    def __init__(
        self, weights: VectorWeights, data: Sentences, settings: SkipgramSettings, lr: float, in_all: int, seed: int, thread: int,
        chances: NDArray[np.uint64], table: tuple[NDArray[np.uint32], NDArray[np.int32]],
    ) -> None:  # fmt: skip
        self.weights, self.data, self.settings, self.lr, self.in_all, self.seed = (
            weights,
            data,
            settings,
            lr,
            in_all,
            seed,
        )
        self.spare = (weights.n_words + thread) * weights.stride
        self.chances, self.table = chances, table
        self.longest = int(np.diff(data.offsets).max())
        self.totals = np.zeros(3)

    def train(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        """Train on the sentences ``order[first:stop]``; return False where the run diverged."""
        data, weights, settings = self.data, self.weights, self.settings
        centres = train_skipgram(
            data.tokens, data.offsets, order, first, stop, self.lr, done, self.in_all, self.seed, self.chances, data.rows, data.row_ends,
            settings.exact, weights.input, weights.output, weights.stride, self.spare, settings.window, settings.dynamic_window,
            settings.negatives, *self.table, self.longest, self.totals,
        )  # fmt: skip
        return bool(centres != DIVERGED)


def train_skipgram_vectors(
    weights: VectorWeights,
    data: Sentences,
    settings: SkipgramSettings,
    *,
    epochs: int,
    lr: float,
    seed: int,
    display: Display,
    callback: Callback | None = None,
) -> list[float]:
    """Train `weights` in place; return the course of the loss. See `lexigrad.training.loop.run_epochs` for what it raises."""
    n_sentences = len(data.offsets) - 1
    chances = np.zeros(int(data.tokens.max()) + 1, np.uint64)
    chances[: data.n_words] = keep_chances(data.counts, settings.subsample)
    table = alias_table(np.power(data.counts, settings.negative_power, dtype=np.float64))
    threads = max(1, min(weights.threads, n_sentences // THREAD_SENTENCES))
    workers = [
        SkipgramWorker(weights, data, settings, lr, epochs * n_sentences, seed, thread, chances, table)
        for thread in range(threads)
    ]
    losses = run_epochs(
        list(workers), Slices(n_sentences, epochs, 1, seed), len(data.tokens) / n_sentences, display, callback
    )
    if not (np.isfinite(weights.input).all() and np.isfinite(weights.output).all()):
        raise DivergenceError("training diverged: vectors are not finite; train again with a smaller lr")
    return losses
