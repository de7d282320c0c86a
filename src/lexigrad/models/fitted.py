"""A trained classifier as arrays plus settings, and scoring with it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.intrinsics import WIDTH
from lexigrad.machine.threads import map_threads
from lexigrad.text.batches import TextBatch
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary

SLICE_BYTES = 1 << 17
"""Text that one thread scores before it takes the next slice."""


@dataclass(frozen=True, slots=True)
class TextReader:
    """How text becomes rows of the input matrix.

    Attributes
    ----------
    tokenizer : a value of `lexigrad.text.tokens.TOKENIZERS`
    vocabulary : the words that have rows
    slot_rows : (n_words + n_buckets,) int32, row of each word and bucket, -1 for a bucket never seen in training
    n_buckets, word_ngrams, min_n, max_n : as in `TextClassifier`
    """

    tokenizer: int
    vocabulary: Vocabulary
    slot_rows: NDArray[np.int32]
    n_buckets: int
    word_ngrams: int
    min_n: int
    max_n: int

    def arguments(self) -> tuple[Any, ...]:
        """Return what `lexigrad.kernels.score.score` takes to read texts."""
        words = self.vocabulary
        return (
            self.tokenizer, load_table(), words.slots, words.arena, words.offsets, self.slot_rows, len(words), self.n_buckets,
            self.word_ngrams, self.min_n, self.max_n,
        )  # fmt: skip


@dataclass(frozen=True)
class FittedClassifier:
    """What training leaves.

    Attributes
    ----------
    reader : from text to rows
    input : (n_rows, dim) float32
    output : (n_labels, dim) float32
    classes : (n_labels,), sorted, with the dtype they were given in
    label_counts : (n_labels,) int64, texts with each label in training
    several : True where training texts had lists of labels
    facts : numbers about the training, for `lexigrad info`
    """

    reader: TextReader
    input: NDArray[np.float32]
    output: NDArray[np.float32]
    classes: NDArray[Any]
    label_counts: NDArray[np.int64]
    several: bool
    facts: dict[str, Any]
    _scorer: list[tuple[Any, ...]] = field(default_factory=list, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self.input.shape[1]

    @property
    def prior(self) -> NDArray[np.float32]:
        """The share of each label among all uses of labels in training, (n_labels,) float32."""
        return (self.label_counts / max(1, self.label_counts.sum())).astype(np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _scorer=[], _lock=threading.Lock())

    def _matrices(self, threads: int) -> tuple[Any, ...]:
        """Return (matrix, width, output, stride): folded where that is smaller, made once."""
        with self._lock:
            if not self._scorer:
                self._scorer.append(self._fold(threads) if len(self.classes) < self.dim else self._plain())
            return self._scorer[0]

    def _plain(self) -> tuple[Any, ...]:
        stride = -(-self.dim // WIDTH) * WIDTH
        output = np.zeros((len(self.classes), stride), np.float32)
        output[:, : self.dim] = self.output
        return self.input.reshape(-1), self.dim, output.reshape(-1), stride

    def _fold(self, threads: int) -> tuple[Any, ...]:
        n_labels = len(self.classes)
        from lexigrad.kernels.score import fold

        folded = np.empty(len(self.input) * n_labels, np.float32)
        edges = np.linspace(0, len(self.input), 4 * threads + 1).astype(np.int64)
        ranges = itertools.pairwise(edges)
        flat, output = self.input.reshape(-1), self.output.reshape(-1)
        list(
            map_threads(lambda r: fold(flat, output, self.dim, self.dim, n_labels, r[0], r[1], folded), ranges, threads)
        )
        return folded, n_labels, np.empty(0, np.float32), n_labels

    def score(
        self, batch: TextBatch, k: int, threads: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
        """Score a batch.

        Parameters
        ----------
        batch : any texts
        k : number of best labels, from 1 to n_labels, or 0 for the probabilities of all
        threads : number of threads

        Returns
        -------
        ids : (n, k) int32, best first, positions in `classes`; (n, 0) for k = 0
        probs : (n, k) float32, or (n, n_labels) for k = 0
        known : (n,) int32, features of each text that training had seen; where it is 0, probs are the training prior
        """
        from lexigrad.kernels.score import score  # compiled when first needed: training alone does without

        n = len(batch)
        ids = np.empty((n, k), np.int32)
        probs = np.empty((n, k or len(self.classes)), np.float32)
        known = np.empty(n, np.int32)
        matrices, prior = self._matrices(threads), self.prior
        reader = self.reader.arguments()

        def score_range(edge: tuple[int, int]) -> None:
            score(
                batch.data, batch.offsets, *edge, *reader, *matrices, len(self.classes), prior, k,
                ids.reshape(-1), probs.reshape(-1), known,
            )  # fmt: skip

        edges = _slices(batch)
        list(map_threads(score_range, edges, min(threads, len(edges))) if edges else ())
        return ids, probs, known

    def score_batches(
        self, batches: Iterable[TextBatch], k: int, threads: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
        """Score all batches of a source; see `score`."""
        parts = [self.score(batch, k, threads) for batch in batches]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            width = k or len(self.classes)
            return np.empty((0, k), np.int32), np.empty((0, width), np.float32), np.empty(0, np.int32)
        ids, probs, known = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return ids, probs, known


def _slices(batch: TextBatch) -> list[tuple[int, int]]:
    """Cut a batch into ranges of about `SLICE_BYTES`."""
    n = len(batch)
    n_bytes = int(batch.offsets[-1] - batch.offsets[0]) + 32 * n
    if n_bytes <= SLICE_BYTES:
        return [(0, n)] if n else []
    step = max(8, n * SLICE_BYTES // n_bytes // 8 * 8)
    return [(first, min(first + step, n)) for first in range(0, n, step)]
