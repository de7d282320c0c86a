"""Word vectors with the full softmax: every word of the vocabulary is an output of every step, so a step costs n_words * dim.

    l = logsumexp_w(u_w . h) - u_o . h

summed over `BATCH` inputs, whose gradients `lexigrad.linear_cross_entropy` computes and which move together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.kernels.windows import gather_inputs, list_windows, scatter_inputs
from lexigrad.maths.linear_cross_entropy import linear_cross_entropy
from lexigrad.training.word_vectors import Choices, Sentences, VectorSettings, VectorWeights

BATCH = 128
"""Inputs of a step."""
BLOCK = 16
"""Sentences whose inputs are listed together; steps do not reach from one block to the next."""


class FullSoftmaxWorker:
    """All threads on the matrices: the matrix products use them."""

    def __init__(
        self, weights: VectorWeights, data: Sentences, settings: VectorSettings, lr: float, in_all: int, seed: int, choices: Choices
    ) -> None:  # fmt: skip
        self.weights, self.data, self.settings = weights, data, settings
        self.lr, self.in_all, self.seed, self.choices = lr, in_all, seed, choices
        self.totals = np.zeros(3)

    def train(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        """Train on the sentences ``order[first:stop]``; return False where the run diverged."""
        return all(self._block(order, start, min(start + BLOCK, stop), done) for start in range(first, stop, BLOCK))

    def _block(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        data, settings, weights = self.data, self.settings, self.weights
        cbow = settings.model == "cbow"
        lengths = data.offsets[order[first:stop] + 1] - data.offsets[order[first:stop]]
        most = int(lengths.sum()) * 2 * settings.window
        words, ends, targets = np.empty(most, np.int64), np.zeros(most + 1, np.int64), np.empty(most, np.int64)
        n = list_windows(
            cbow, data.tokens, data.offsets, order, first, stop, done, self.seed, self.choices.chances, settings.window, settings.dynamic_window,
            words, ends, targets,
        )  # fmt: skip
        rate = np.float32(self.lr * (1.0 - (done + first) / self.in_all))
        output = weights.rows(weights.output)[: weights.n_words]
        for start in range(0, n, BATCH):
            end = min(start + BATCH, n)
            hidden = np.zeros((end - start, weights.stride), np.float32)
            gather_inputs(
                words, ends, start, end, data.rows, data.row_ends, weights.input, weights.stride, hidden.reshape(-1)
            )
            loss, d_hidden, d_output = linear_cross_entropy(
                hidden, output, targets[start:end], reduction="sum", threads=weights.threads
            )
            if not np.isfinite(loss):
                return False
            output -= rate * d_output
            scatter_inputs(
                words, ends, start, end, data.rows, data.row_ends, settings.gradient == "exact", weights.input, weights.stride,
                d_hidden.reshape(-1), rate,
            )  # fmt: skip
            self.totals[2] = loss / (end - start)
        self.totals[0] += self.totals[2] * (stop - first)
        self.totals[1] += stop - first
        return True
