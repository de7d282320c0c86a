"""Epochs over shuffled texts on several threads, in slices short enough for progress and Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DivergenceError
from lexigrad.training.progress import Callback, Display, Progress

SLICE_SECONDS = 0.05
"""A kernel comes back to Python after about this long."""
REPORT_SECONDS = 0.1
MIXED_RUNS = 64


class Worker(Protocol):
    """One thread's part of the training."""

    totals: NDArray[np.float64]
    """(2,): the summed loss and the number of texts so far."""

    def train(self, order: NDArray[np.int64], first: int, stop: int, done: int) -> bool:
        """Train on the texts ``order[first:stop]``, `done` texts lying in the epochs before; return False where the run diverged."""


class Slices:
    """Hands out slices of shuffled epochs to whichever thread asks.

    Slices begin at multiples of `block` and never cross an epoch, so with one thread the updates do not depend on how
    long a slice is. With `run` the runs of so many texts are shuffled, and then the texts of `MIXED_RUNS` of them among each other, so that
    neighbours are read together.
    """

    def __init__(self, n_texts: int, epochs: int, block: int, seed: int, run: int | None = None) -> None:
        self.n_texts, self.epochs, self.block, self.seed, self.run = n_texts, epochs, block, seed, run
        self.epoch = 0
        self.position = 0
        self.order = self._shuffled(0)
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        random = np.random.default_rng([self.seed, epoch])
        if self.run is None:
            return random.permutation(self.n_texts)
        starts = random.permutation(-(-self.n_texts // self.run)) * self.run
        order = (starts[:, None] + np.arange(self.run)).reshape(-1)
        order = order[order < self.n_texts]
        for first in range(0, self.n_texts, MIXED_RUNS * self.run):
            random.shuffle(order[first : first + MIXED_RUNS * self.run])
        return order

    def take(self, size: int) -> tuple[NDArray[np.int64], int, int, int] | None:
        """Return (order, first, stop, texts in the epochs before), or None when all is done."""
        with self.lock:
            if self.position >= self.n_texts and self.epoch < self.epochs:
                self.epoch += 1
                self.position = 0
                if self.epoch < self.epochs:
                    self.order = self._shuffled(self.epoch)
            if self.epoch >= self.epochs or self.stopped.is_set():
                return None
            first = self.position
            self.position = min(self.n_texts, first + max(1, size // self.block) * self.block)
            return self.order, first, self.position, self.epoch * self.n_texts


def run_epochs(
    workers: list[Worker], slices: Slices, tokens_per_text: float, display: Display, callback: Callback | None, losses: list[float]
) -> None:  # fmt: skip
    """Run all epochs; append the mean loss of each report to `losses`.

    Raises
    ------
    DivergenceError
        When a worker stopped before a non-finite update.
    KeyboardInterrupt
        After the threads have come to rest; the weights are usable.
    """
    pool = ThreadPoolExecutor(len(workers), thread_name_prefix="lexigrad")
    reports = _Reports(workers, slices, tokens_per_text, losses)
    try:
        futures = [pool.submit(_work, worker, slices) for worker in workers]
        pending = set(futures)
        while pending:
            _, pending = wait(pending, timeout=REPORT_SECONDS)
            for progress in reports.new():
                display.show(progress)
                if callback is not None:
                    callback(progress)
        for future in futures:
            future.result()
    finally:
        slices.stopped.set()
        pool.shutdown(wait=True)
        display.close()


def _work(worker: Worker, slices: Slices) -> None:
    size = 8 * slices.block
    while (piece := slices.take(size)) is not None:
        started = time.perf_counter()
        if not worker.train(*piece):
            slices.stopped.set()
            raise DivergenceError(
                f"training diverged in epoch {slices.epoch + 1}: the loss or the scores left all bounds; "
                "the weights are finite and as they were before the step: train again with a smaller lr"
            )
        seconds = max(time.perf_counter() - started, 1e-6)
        size = min(slices.n_texts, int(size * min(4.0, max(0.25, SLICE_SECONDS / seconds))))


class _Reports:
    def __init__(self, workers: list[Worker], slices: Slices, tokens_per_text: float, losses: list[float]) -> None:
        self.workers, self.slices, self.tokens_per_text = workers, slices, tokens_per_text
        self.started = time.perf_counter()
        self.loss, self.texts = 0.0, 0.0
        self.losses = losses

    def new(self) -> Iterator[Progress]:
        """Yield the state if any text was finished since the last."""
        loss = float(sum(worker.totals[0] for worker in self.workers))
        texts = float(sum(worker.totals[1] for worker in self.workers))
        if texts == self.texts:
            return
        mean = (loss - self.loss) / (texts - self.texts)
        self.loss, self.texts = loss, texts
        self.losses.append(mean)
        seconds = time.perf_counter() - self.started
        in_all = self.slices.n_texts * self.slices.epochs
        yield Progress(
            epoch=texts / self.slices.n_texts,
            epochs=self.slices.epochs,
            loss=mean,
            tokens_per_second=texts * self.tokens_per_text / seconds,
            seconds=seconds,
            seconds_left=seconds * (in_all / texts - 1),
        )
