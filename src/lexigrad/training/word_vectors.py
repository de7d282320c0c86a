"""Trains the two matrices of word vectors on encoded sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DivergenceError
from lexigrad.kernels.sampling import alias_table, keep_chances
from lexigrad.kernels.word_vectors import DIVERGED, HOT, LINE, initialise, train_vectors
from lexigrad.losses.hierarchical_softmax import huffman_paths
from lexigrad.machine.threads import map_threads
from lexigrad.training.loop import Slices, Worker, run_epochs
from lexigrad.training.progress import Callback, Display

LONGEST = 10_000
"""Longer sentences are cut: no window reaches across."""
RUN = 64
"""Sentences that stay together when those of a file are shuffled: reading one here and one there would wait for the disk."""
OWN = 1 + HOT
"""Output rows that belong to each thread."""
THREAD_SENTENCES = 16
"""Each thread gets at least so many sentences an epoch."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """What word vectors are trained on.

    Attributes
    ----------
    tokens : (n,) int32, words by falling count, without those that have no vector
    n_tokens : how many tokens there were with those
    offsets : (n_sentences + 1,) int64
    counts : (n_words,) int64, how often each word with a vector occurs
    rows, row_ends : rows of the input matrix that make up each word, its own first: ``rows[row_ends[w]:row_ends[w + 1]]``
    n_rows : rows of the input matrix
    in_file : whether `tokens` are a mapped file
    """

    tokens: NDArray[np.int32]
    n_tokens: int
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[np.int32]
    row_ends: NDArray[np.int64]
    n_rows: int
    in_file: bool = False

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
    output : ((n_words + threads * OWN) * stride,) float32, 0 at the start; the last rows belong to the threads. For hierarchical softmax the
        first n_words - 1 are the inner nodes
    """

    def __init__(self, n_rows: int, n_words: int, dim: int, seed: int, threads: int) -> None:
        self.dim, self.n_words, self.threads = dim, n_words, threads
        self.stride = -(-dim // LINE) * LINE
        self.input = np.zeros(n_rows * self.stride, np.float32)
        self.output = np.zeros((n_words + threads * OWN) * self.stride, np.float32)
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
        """Return input (n_rows, dim) and output (n_words, dim); the matrices are gone then."""
        self.output.resize(self.n_words * self.stride, refcheck=False)
        matrices = self.input, self.output
        self.input = self.output = np.empty(0, np.float32)
        return self._unpadded(matrices[0]), self._unpadded(matrices[1])

    def _unpadded(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows without their padding: moved together in place, so that there is no second matrix."""
        n, step = len(matrix) // self.stride, max(1, (1 << 18) // self.stride)
        for first in range(0, n, step):
            rows = self.rows(matrix)[first : first + step, : self.dim].copy()
            matrix[first * self.dim : first * self.dim + rows.size] = rows.ravel()
        matrix.resize(n * self.dim, refcheck=False)
        return matrix.reshape(n, self.dim)


@dataclass(frozen=True, slots=True)
class VectorSettings:
    """Settings of the loss; names as in `lexigrad.WordVectors`."""

    model: str
    loss: str
    window: int
    dynamic_window: bool
    negatives: int
    negative_power: float
    subsample: float
    gradient: str


class VectorWorker:
    """One thread on the shared matrices."""

    def __init__(
        self, weights: VectorWeights, data: Sentences, settings: VectorSettings, lr: float, in_all: int, seed: int, thread: int, choices: Choices
    ) -> None:  # fmt: skip
        self.weights, self.data, self.settings = weights, data, settings
        self.lr, self.in_all, self.seed = lr, in_all, seed
        self.spare = (weights.n_words + thread * OWN) * weights.stride
        self.choices = choices
        self.longest = int(np.diff(data.offsets).max())
        self.totals = np.zeros(3)

    def train(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        """Train on the sentences ``order[first:stop]``; return False where the run diverged."""
        data, weights, settings, choices = self.data, self.weights, self.settings, self.choices
        centres = train_vectors(
            settings.model == "cbow", settings.loss == "hierarchical_softmax", data.tokens, data.offsets, order, first, stop, self.lr, done,
            self.in_all, self.seed, choices.chances, data.rows, data.row_ends, settings.gradient == "exact", weights.input, weights.output, weights.n_words,
            weights.stride, self.spare, settings.window, settings.dynamic_window, settings.negatives, *choices.table, *choices.paths,
            self.longest, self.totals,
        )  # fmt: skip
        return bool(centres != DIVERGED)


class Choices:
    """What the kernel needs to choose words and outputs.

    Attributes
    ----------
    chances : (n_words,) uint64, of each word to be kept
    table : the alias table that negatives are drawn from
    paths : the paths of hierarchical softmax; empty for another loss
    """

    def __init__(self, counts: NDArray[np.int64], settings: VectorSettings) -> None:
        self.chances = keep_chances(counts, settings.subsample)
        self.table = alias_table(np.power(counts, settings.negative_power, dtype=np.float64))
        hierarchical = settings.loss == "hierarchical_softmax"
        self.paths = huffman_paths(counts if hierarchical else counts[:1])


def train_word_vectors(
    weights: VectorWeights,
    data: Sentences,
    settings: VectorSettings,
    *,
    epochs: int,
    lr: float,
    seed: int,
    display: Display,
    callback: Callback | None,
    losses: list[float],
) -> None:
    """Train `weights` in place; append the course of the loss to `losses`. See `lexigrad.training.loop.run_epochs` for what it raises."""
    n_sentences = len(data.offsets) - 1
    choices = Choices(data.counts, settings)
    run = RUN if data.in_file else None
    workers: list[Worker]
    if settings.loss == "softmax":
        from lexigrad.training.full_softmax import BLOCK, FullSoftmaxWorker

        workers = [FullSoftmaxWorker(weights, data, settings, lr, epochs * n_sentences, seed, choices)]
        slices = Slices(n_sentences, epochs, BLOCK, seed, run)
    else:
        threads = max(1, min(weights.threads, n_sentences // THREAD_SENTENCES))
        workers = [
            VectorWorker(weights, data, settings, lr, epochs * n_sentences, seed, thread, choices)
            for thread in range(threads)
        ]
        slices = Slices(n_sentences, epochs, 1, seed, run)
    run_epochs(workers, slices, data.n_tokens / n_sentences, display, callback, losses)
    if not (np.isfinite(weights.input).all() and np.isfinite(weights.output).all()):
        raise DivergenceError("training diverged: vectors are not finite; train again with a smaller lr")
