"""A trained classifier as arrays plus settings, and scoring with it."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.formats.fasttext_bin import CodedMatrix, Matrix
from lexigrad.losses.links import INDEPENDENT, LINKS
from lexigrad.machine.intrinsics import WIDTH
from lexigrad.machine.threads import map_threads
from lexigrad.text.batches import TextBatch
from lexigrad.text.kept_buckets import direct_table
from lexigrad.text.tokens import UNENDED
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary

SLICE_BYTES, MOST_SLICE_BYTES = 1 << 16, 1 << 20
"""Text that one thread scores before it takes the next slice, at least and at most: an eighth of a batch, since each slice costs the interpreter's lock."""
LONGEST_TEXT = (1 << 29) - (1 << 12)
"""Bytes: four times as many are less than 2^31."""
DECODED_BYTES = 1 << 25
"""Quantised rows are decoded for scoring where they then take no more than this; larger matrices are scored from their codes."""


Scored = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]
"""See `FittedClassifier.score`."""


@dataclass(frozen=True, slots=True)
class TextReader:
    """How text becomes rows of the input matrix.

    A feature's slot is its word's id, or ``n_words`` plus its bucket. The row of a slot is `slot_rows` of it; without `slot_rows` it is the slot
    itself; and with `kept` that is so for words, and for the buckets in that table.

    Attributes
    ----------
    tokenizer : a value of `lexigrad.text.tokens.TOKENIZERS`
    vocabulary : the words that have rows, and after them strings that are labels
    slot_rows : (n_words + n_buckets,) int32, row of each word and bucket, -1 for a bucket never seen in training, which
        counts as a row of 0; or empty
    n_buckets, word_ngrams, min_n, max_n : as in `TextClassifier`
    kept : a table of `lexigrad.text.kept_buckets`, or empty; buckets that are not in it do not count at all
    label_prefix : tokens that begin so are labels and no features, and the word </s> ends a text, as in fastText; empty for none
    n_labels : how many strings at the end of the vocabulary are labels
    """

    tokenizer: int
    vocabulary: Vocabulary
    slot_rows: NDArray[np.int32]
    n_buckets: int
    word_ngrams: int
    min_n: int
    max_n: int
    kept: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    label_prefix: bytes = b""
    n_labels: int = 0

    @property
    def n_words(self) -> int:
        """How many words have rows."""
        return len(self.vocabulary) - self.n_labels

    def arguments(self, kept: tuple[NDArray[np.uint64], int] | None = None) -> tuple[Any, ...]:
        """Return what `lexigrad.kernels.score.score_with` takes to read texts; `kept` is a faster table of what `self.kept` holds, `direct_table`."""
        words = self.vocabulary
        table, n_blocks = kept or (self.kept, 0)
        return (
            self.tokenizer, load_table(), words.slots, words.arena, words.offsets, self.slot_rows, table if len(self.kept) else None, n_blocks,
            np.frombuffer(self.label_prefix, np.uint8), self.n_words, self.n_buckets, self.word_ngrams, self.min_n, self.max_n,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scoring:
    """What `lexigrad.kernels.score.score_with` takes of a classifier's matrices.

    Attributes
    ----------
    rows : the arguments from the matrix to the stride of the output
    half : whether the numbers of the matrix are float16
    single : whether rows are one number, -0.0 for a bucket never seen
    by_slot : whether the matrix has a row for each slot of the reader, whatever its `slot_rows`
    kept : see `TextReader.arguments`
    ending : the number of scores, the link and the tree
    """

    rows: tuple[Any, ...]
    half: bool
    single: bool
    by_slot: bool
    kept: tuple[NDArray[np.uint64], int] | None
    ending: tuple[Any, ...]


@dataclass(frozen=True)
class FittedClassifier:
    """What training leaves.

    Attributes
    ----------
    reader : from text to rows
    input : (n_rows, dim) float32, at any byte of a mapped file, or quantised
    output : (n_labels, dim) float32, or quantised; for hierarchical softmax (n_labels - 1, dim), the inner nodes from the root on
    classes : (n_labels,), sorted, with the dtype they were given in
    label_counts : (n_labels,) int64, texts with each label in training
    several : True where training texts had lists of labels
    facts : numbers about the training, for `lexigrad info`
    loss : one of `lexigrad.models.parameters.LOSSES`
    label_order : (n_labels,) int32, positions in `classes` by falling count: the leaves of the tree of hierarchical softmax, and labels as
        fastText's file has them
    """

    reader: TextReader
    input: Matrix
    output: Matrix
    classes: NDArray[Any]
    label_counts: NDArray[np.int64]
    several: bool
    facts: dict[str, Any]
    loss: str = "softmax"
    label_order: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    _scorer: list[Scoring] = field(default_factory=list, init=False, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, compare=False, repr=False)

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self.input.shape[1]

    @property
    def prior(self) -> NDArray[np.float32]:
        """The share of each label among all uses of labels in training, (n_labels,) float32."""
        return (self.label_counts / max(1.0, self.label_counts.sum(dtype=np.float64))).astype(np.float32)

    @property
    def order(self) -> NDArray[np.int32]:
        """`label_order`, or labels by falling count where it is not given."""
        if len(self.label_order):
            return self.label_order
        return np.argsort(-self.label_counts, kind="stable").astype(np.int32)

    @property
    def folded(self) -> bool:
        """Whether the matrices are what `lexigrad.models.folding` leaves, which can score and no more."""
        return "folded" in self.facts

    @property
    def marked(self) -> bool:
        """Whether the input is a table of single numbers, one for each word and bucket, in which -0.0 stands for a bucket never seen."""
        return self.folded and self.dim == 1 and not len(self.reader.slot_rows) and not len(self.reader.kept)

    def seen(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which rows are of features that training had seen: all but those of -0.0 in a table of single numbers."""
        if not self.marked:
            return np.ones(len(rows), bool)
        numbers = self.input[rows][:, 0]
        return ~(np.signbit(numbers) & (numbers == 0))

    def children(self) -> NDArray[np.int32]:
        """Return the tree of hierarchical softmax, see `lexigrad.losses.hierarchical_softmax.huffman_children`; empty for other losses."""
        if self.loss != "hierarchical_softmax":
            return np.empty(0, np.int32)
        from lexigrad.losses.hierarchical_softmax import huffman_children

        order = self.order
        return huffman_children(np.ascontiguousarray(self.label_counts[order]), order)

    def reading(self, reader: TextReader) -> FittedClassifier:
        """Return the same classifier with another way from text to rows; what was made for scoring serves both."""
        other = replace(self, reader=reader)
        other.__dict__.update(_scorer=self._scorer, _lock=self._lock)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _scorer=[], _lock=threading.Lock())

    def _matrices(self, threads: int) -> Scoring:
        """Return what scoring takes of the matrices: folded where that is smaller, made once."""
        from lexigrad.models.folding import is_folded, pays, table_of

        with self._lock:
            if not self._scorer:
                output, by_slot, single = self.output[:], False, self.marked
                if is_folded(self) and not (self.dim == 1 and len(output) == 2):
                    matrices = self._rows(self.input, np.empty(0, np.float32))
                elif pays(self) and self.dim > 1:
                    table, by_slot = table_of(self, threads)
                    single = table.shape[1] == 1 and by_slot
                    rest = np.array([[0], [1]], np.float32) if table.shape[1] < len(output) else np.empty(0, np.float32)
                    matrices = self._rows(table, rest)
                else:
                    matrices = self._plain(output)
                self._scorer.append(
                    Scoring(
                        *matrices,
                        single,
                        by_slot and len(self.reader.slot_rows) > 0,
                        self._kept(),
                        self._ending(output),
                    )
                )
            return self._scorer[0]

    def _kept(self) -> tuple[NDArray[np.uint64], int] | None:
        return direct_table(self.reader.kept, self.reader.n_buckets) if len(self.reader.kept) else None

    def _ending(self, output: NDArray[np.float32]) -> tuple[Any, ...]:
        tree = self.children() if self.loss == "hierarchical_softmax" else None
        return len(output), LINKS[self.loss], tree

    def _plain(self, output: NDArray[np.float32]) -> tuple[tuple[Any, ...], bool]:
        matrix = self.input
        small = isinstance(matrix, CodedMatrix) and matrix.sub_dim > 1 and len(matrix) * self.dim * 4 <= DECODED_BYTES
        return self._rows(matrix[:] if small else matrix, output)

    def _rows(self, matrix: Matrix, output: NDArray[np.float32]) -> tuple[tuple[Any, ...], bool]:
        """Return the arguments of `lexigrad.kernels.score.score_with` from the matrix to the stride of the output, and whether numbers are float16."""
        width = matrix.shape[1]
        stride = -(-width // WIDTH) * WIDTH if output.size else width
        padded = np.zeros((len(output), stride), np.float32)
        if output.size:
            padded[:, :width] = output
        half = not isinstance(matrix, CodedMatrix) and matrix.dtype == np.float16
        return (*scored_matrix(matrix), width, padded.reshape(-1), stride), half

    def prepared(self, threads: int) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """Return the kernel that scores and its arguments from the tokenizer to the tree; what the first text would wait for is done then."""
        return self._prepared(self._matrices(threads))

    def _prepared(self, scoring: Scoring, fasttext: bool = False) -> tuple[Callable[..., None], tuple[Any, ...]]:
        from lexigrad.kernels.score import scorer  # compiled when first needed: training alone does without

        reader = replace(self.reader, slot_rows=np.empty(0, np.int32)) if scoring.by_slot else self.reader
        arguments = (*reader.arguments(scoring.kept), *scoring.rows, *scoring.ending)
        return scorer(arguments, scoring.half, scoring.single, fasttext), arguments

    def score(self, batch: TextBatch, k: int, threads: int) -> Scored:
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
        return self.score_batches([batch], k, threads)

    def _ranges(self, batch: TextBatch, k: int, threads: int, parts: list[Scored]) -> Iterator[Callable[[], None]]:
        """Yield what scores one range of a batch after the other, into arrays that are added to `parts`."""
        n = len(batch)
        ids = np.empty((n, k), np.int32)
        probs = np.empty((n, k or len(self.classes)), np.float32)
        known = np.empty(n, np.int32)
        (kernel, arguments), prior = self.prepared(threads), self.prior
        parts.append((ids, probs, known))

        check_lengths(batch.offsets)

        def score_range(edge: tuple[int, int]) -> None:
            kernel(
                batch.data, batch.offsets, *edge, *arguments, len(self.classes), prior, k,
                ids.reshape(-1), probs.reshape(-1), known, None, None,
            )  # fmt: skip

        for edge in slices_of(batch):
            yield partial(score_range, edge)

    def fasttext_scorer(self, order: NDArray[np.int32], threads: int) -> Callable[..., None]:
        """Return what scores as fastText does, see `lexigrad.losses.fasttext` and `lexigrad.kernels.heaps`; `order` is in which order fastText has labels.

        It is called with (data, offsets, first, stop, k, threshold, ids, probs, known, ended): the arrays of a batch, which of its texts, how many labels
        from 1 up, a probability below which labels are left out, and three flat arrays that it fills: classes, best first, and then -1 where there are
        less, int32 (n * k,); their probabilities, float32; known features, int32 (n,); and whether the end of a text counts as the end of its line.
        """
        if LINKS[self.loss] == INDEPENDENT:
            output = self.output[:]  # never folded: near the edges of steps scores are added up in fastText's order
            scoring = Scoring(*self._plain(output), False, False, self._kept(), self._ending(output))
        else:
            scoring = self._matrices(threads)
        score, arguments = self._prepared(scoring, fasttext=True)
        unended, rest = (UNENDED, *arguments[1:]), (len(self.classes), self.prior)

        def score_range(
            data: NDArray[np.uint8], offsets: NDArray[np.int64], first: int, stop: int, k: int, threshold: float, ids: NDArray[np.int32],
            probs: NDArray[np.float32], known: NDArray[np.int32], ended: bool = True,
        ) -> None:  # fmt: skip
            check_lengths(offsets[first : stop + 1])
            score(
                data,
                offsets,
                first,
                stop,
                *(arguments if ended else unended),
                *rest,
                k,
                ids,
                probs,
                known,
                order,
                threshold,
            )

        return score_range

    def score_batches(self, batches: Iterable[TextBatch], k: int, threads: int) -> Scored:
        """Score all batches of a source, the next of which is read while threads score; see `score`."""
        parts: list[Scored] = []
        ranges = (work for batch in batches for work in self._ranges(batch, k, threads, parts))
        first = list(itertools.islice(ranges, 2))
        everything = itertools.chain(first, ranges)
        deque(map_threads(lambda work: work(), everything, threads if len(first) > 1 else 1), 0)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            width = k or len(self.classes)
            return np.empty((0, k), np.int32), np.empty((0, width), np.float32), np.empty(0, np.int32)
        ids, probs, known = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return ids, probs, known


def matrix_arguments(matrix: Matrix) -> tuple[Any, ...]:
    """Return what kernels take as an input matrix: `lexigrad.kernels.rows.MATRIX`."""
    if isinstance(matrix, CodedMatrix):
        codes = matrix.codes
        return (
            codes.reshape(-1), codes.shape[1], matrix.sub_dim, matrix.norm_codes, matrix.centroids, matrix.norm_centroids,
        )  # fmt: skip
    nothing = np.empty(0, np.float32)
    return matrix.reshape(-1).view(np.uint8), 0, 0, np.empty(0, np.uint8), nothing, nothing


def scored_matrix(matrix: Matrix) -> tuple[Any, ...]:
    """Return what `lexigrad.kernels.score.score_with` takes as an input matrix: None for all that only quantised rows have."""
    arguments = matrix_arguments(matrix)
    return arguments if isinstance(matrix, CodedMatrix) else (arguments[0], *[None] * (len(arguments) - 1))


def check_lengths(offsets: NDArray[np.int64]) -> None:
    """Raise `DataError` for a text whose tokens could lie beyond what 32 bits count in the buffer that it is read in."""
    if len(offsets) > 1 and offsets[-1] - offsets[0] > LONGEST_TEXT:
        longest = int(np.diff(offsets).max())
        if longest > LONGEST_TEXT:
            raise DataError(
                f"a text has {longest:,} bytes: expected at most {LONGEST_TEXT:,}; cut it, or score its lines or windows"
            )


def slices_of(batch: TextBatch) -> list[tuple[int, int]]:
    """Cut a batch into ranges of about an eighth, from `SLICE_BYTES` to `MOST_SLICE_BYTES`."""
    n = len(batch)
    n_bytes = int(batch.offsets[-1] - batch.offsets[0]) + 32 * n
    if n_bytes <= SLICE_BYTES:
        return [(0, n)] if n else []
    size = min(MOST_SLICE_BYTES, max(SLICE_BYTES, n_bytes // 8))
    step = max(8, n * size // n_bytes // 8 * 8)
    return [(first, min(first + step, n)) for first in range(0, n, step)]
