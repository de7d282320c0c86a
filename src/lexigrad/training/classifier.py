"""Trains the two matrices of a text classifier on encoded texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.kernels.classifier import CODES, DIVERGED, to_features, train_by
from lexigrad.kernels.sampling import alias_table
from lexigrad.losses.hierarchical_softmax import huffman_paths
from lexigrad.machine.intrinsics import LANES, WIDTH
from lexigrad.machine.threads import map_threads
from lexigrad.text.features import EncodedTexts
from lexigrad.training.loop import Slices, run_epochs
from lexigrad.training.progress import Callback, Display

BLOCK_BYTES = 1 << 19
"""Input rows of one block, so that they are still in the second-level cache when they are updated."""
COPY_FLOATS = 1 << 20
"""Threads share an output matrix above this size, where one text changes little of what another reads at the same time."""
MERGE_FLOATS = 1024
"""Between two threads, a copy is merged after one block per so many floats in it: merging then costs a few per cent of the time."""
STALE_TEXTS = 512
"""All other threads together train on at most so many texts between two merges of one: their changes are added up, and with many more
they would all correct the same error and overshoot."""


THREAD_TEXTS = 2000
"""Each thread gets at least so many texts an epoch: fewer are soon done by one thread, and many threads on them would mostly wait and overshoot."""


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """What a classifier is trained on.

    Attributes
    ----------
    texts : the texts as rows of the input matrix
    members : (n_rows,) int32, features that share each row
    labels : (n_label_uses,) int32
    label_offsets : (n_texts + 1,) int64, never an empty range
    n_labels : number of labels
    n_tokens : tokens in all texts, for the speed that progress shows
    """

    texts: EncodedTexts
    members: NDArray[np.int32]
    labels: NDArray[np.int32]
    label_offsets: NDArray[np.int64]
    n_labels: int
    n_tokens: int

    @property
    def n_texts(self) -> int:
        """How many texts there are."""
        return len(self.label_offsets) - 1


OUTPUT_LENGTH = 3.0
"""Output weights begin as uniform numbers in (-1, 1) * OUTPUT_LENGTH / sqrt(dim): rows about 1.7 long, whatever dim is. Chosen with benchmarks/initial.py
for softmax, and tried for each other loss: 10 often finds more labels, but its log loss is worse on some sets and it diverges at smaller learning rates."""

GIVEN_OUTPUT_LENGTH = 1.0
"""The same where words begin at given vectors. What is random in the output weights is noise in the scores of words that training does not see; but
features without a vector begin at 0 and learn from it. Chosen on dev texts by benchmarks/pretrained.py --lengths."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked to find the label of a text: all labels at once, or some rows of the output matrix.

    Attributes
    ----------
    code : of the loss, `lexigrad.kernels.classifier.CODES`
    nodes, turns, ends : for hierarchical softmax, the inner nodes ``nodes[ends[l]:ends[l + 1]]`` on the way to label l and the answers there
    sides, aliases : for negative sampling, the alias table of draws by sqrt(count), as fastText draws (loss.cc)
    negatives : how many are drawn
    n_outputs : rows of the output matrix
    """

    code: int
    nodes: NDArray[np.int32]
    turns: NDArray[np.float32]
    ends: NDArray[np.int64]
    sides: NDArray[np.uint32]
    aliases: NDArray[np.int32]
    negatives: int
    n_outputs: int

    @classmethod
    def of(
        cls,
        loss: str,
        label_counts: NDArray[np.int64],
        negatives: int,
        order: NDArray[np.integer] | None = None,
    ) -> Questions:
        """Return what a loss asks about labels with such counts; `order`, the labels by falling count, decides between equal ones."""
        nodes, turns = np.empty(0, np.int32), np.empty(0, np.float32)
        ends = np.zeros(1, np.int64)
        sides, aliases = np.empty(0, np.uint32), np.empty(0, np.int32)
        n = len(label_counts)
        if loss == "hierarchical_softmax":
            order = np.argsort(-label_counts, kind="stable") if order is None else order
            nodes, turns, found = huffman_paths(np.ascontiguousarray(label_counts[order]))
            places = np.argsort(order, kind="stable")
            lengths = np.diff(found)[places]
            ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
            which = np.repeat(found[:-1][places] - ends[:-1], lengths) + np.arange(ends[-1])
            nodes, turns, n = nodes[which], turns[which], n - 1
        if loss == "negative_sampling":
            sides, aliases = alias_table(np.sqrt(np.maximum(label_counts, 1).astype(np.float64)))
        return cls(CODES[loss], nodes, turns, ends, sides, aliases, negatives if len(sides) else 0, n)

    def arguments(self) -> tuple[Any, ...]:
        """Return what `lexigrad.kernels.classifier.train_by` of the loss takes."""
        return self.nodes, self.turns, self.ends, self.sides, self.aliases, self.negatives


class Weights:
    """The matrices in training.

    The input begins at 0 or at given vectors, and the output at random, by every loss.
    So a feature's vector holds what its texts taught it and nothing else; from random rows
    and a zero output, as in fastText, a rare feature keeps the noise that it began with, and all must first grow a signal in both matrices.

    Attributes
    ----------
    input : (n_rows * dim,) float32
    output : (n_outputs * stride,) float32, rows padded with zeros to a multiple of `WIDTH`; a row a label, or an inner node
    """

    def __init__(self, members: NDArray[np.int32], n_outputs: int, dim: int, seed: int, threads: int) -> None:
        self.dim = dim
        self.stride = -(-dim // WIDTH) * WIDTH
        self.n_outputs = n_outputs
        self.input = np.zeros(max(1, len(members)) * dim, np.float32)
        self.output = np.zeros(n_outputs * self.stride, np.float32)
        drawn = np.random.default_rng(seed).random((n_outputs, dim), np.float32)
        rows = self.output.reshape(n_outputs, self.stride)
        rows[:, :dim] = (2 * drawn - 1) * np.float32(OUTPUT_LENGTH / np.sqrt(dim))
        self.members, self.threads = members, threads

    def begin_at(self, rows: NDArray[np.integer], vectors: NDArray[np.float32], seen: bool = True) -> None:
        """Let features with rows of their own begin at given vectors, (n, dim), and the output nearer to 0 if training sees any of them."""
        self.input.reshape(-1, self.dim)[rows] = vectors
        if seen:
            self.output *= np.float32(GIVEN_OUTPUT_LENGTH / OUTPUT_LENGTH)

    def _each_range(self, function: Callable[[int, int], None]) -> None:
        edges = np.linspace(0, len(self.members), 4 * self.threads + 1).astype(np.int64)
        list(map_threads(lambda i: function(edges[i], edges[i + 1]), range(4 * self.threads), self.threads))

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return input (n_rows, dim), the vectors of the features, and output (n_outputs, dim); training ends here."""
        self._each_range(lambda first, stop: to_features(self.input, self.members, self.dim, first, stop))
        output = self.output.reshape(self.n_outputs, self.stride)[:, : self.dim]
        return self.input.reshape(-1, self.dim), np.ascontiguousarray(output)


class ClassifierWorker:
    """One thread: the shared matrices, and a copy of the output matrix where there are several threads."""

    def __init__(
        self,
        weights: Weights,
        data: LabelledTexts,
        questions: Questions,
        lr: float,
        in_all: int,
        block: int,
        seed: int,
        others: int,
        lock: NDArray[np.int32] | None,
    ) -> None:
        self.weights, self.data, self.questions = weights, data, questions
        self.lr, self.in_all, self.block, self.seed = lr, in_all, block, seed
        self.totals = np.zeros(2)
        self.lock = np.zeros(1, np.int32) if lock is None else lock
        own = lock is not None and weights.output.size <= COPY_FLOATS
        self.output = weights.output.copy() if own else weights.output
        self.base = weights.output.copy() if own else np.empty(0, np.float32)
        most = min(weights.output.size // MERGE_FLOATS, STALE_TEXTS // block)
        self.merge_every = max(1, most // max(1, others)) if own else 0

    def train(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        """Train on the texts ``order[first:stop]``; return False where the run diverged."""
        texts, weights = self.data.texts, self.weights
        visits = train_by(self.questions.code)(
            texts.rows, texts.shares, texts.starts, texts.stops, self.data.labels, self.data.label_offsets, order, first, stop, self.block,
            self.lr, done, self.in_all, self.seed, *self.questions.arguments(), weights.input, weights.dim, self.output, weights.stride,
            weights.n_outputs, self.base, weights.output, self.lock, self.merge_every, self.totals,
        )  # fmt: skip
        return bool(visits != DIVERGED)

    def finish(self) -> None:
        """Add what is not merged yet; only one thread may do so at a time."""
        if self.merge_every:
            self.weights.output += self.output - self.base


def block_size(data: LabelledTexts, dim: int) -> int:
    """Return how many texts form a block: as many lanes as keep its rows in cache."""
    row_bytes = 4 * dim * data.texts.n_visits / data.n_texts
    block = LANES
    while block > 1 and block * row_bytes > BLOCK_BYTES:
        block //= 2
    return block


def train_classifier(
    weights: Weights,
    data: LabelledTexts,
    *,
    epochs: int,
    lr: float,
    seed: int,
    threads: int,
    display: Display,
    questions: Questions | None = None,
    callback: Callback | None = None,
) -> list[float]:
    """Train `weights` in place, by softmax where `questions` are None; return the course of the loss.

    See `lexigrad.training.loop.run_epochs` for what it raises.
    """
    block = block_size(data, weights.dim)
    threads = max(1, min(threads, data.n_texts // THREAD_TEXTS))
    lock = np.zeros(1, np.int32) if threads > 1 else None
    in_all = epochs * data.n_texts
    asked = questions or Questions.of("softmax", np.ones(data.n_labels, np.int64), 0)
    workers = [
        ClassifierWorker(weights, data, asked, lr, in_all, block, seed, threads - 1, lock) for _ in range(threads)
    ]
    losses: list[float] = []
    slices = Slices(data.n_texts, epochs, block, seed)
    try:
        run_epochs(list(workers), slices, data.n_tokens / data.n_texts, display, callback, losses)
    finally:
        for worker in workers:
            worker.finish()
    return losses
