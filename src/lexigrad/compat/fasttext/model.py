"""A model as fastText has it: words, labels and matrices in the order of its file, and what is made of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.formats.fasttext_bin import CodedMatrix, FastTextFile, read_fasttext, write_fasttext
from lexigrad.models.explanation import rows_of
from lexigrad.models.fasttext_files import LABEL_PREFIX, classifier_of, reader_of, word_vectors_of
from lexigrad.models.fitted import matrix_arguments
from lexigrad.text.kept_buckets import LEFT_OUT
from lexigrad.text.ngrams import character_ngrams
from lexigrad.text.words import Words

if TYPE_CHECKING:
    from lexigrad.compat.fasttext.prediction import Predictor
    from lexigrad.models.fitted import TextReader

END = b"</s>"
FIRST, LAST = b"<", b">"
MOST_PLACES = 1 << 18
"""Up to so many strings are kept in a dict for single look-ups."""
NO_BUCKETS = "this model has no buckets for n-grams"


class Model:
    """What a file of fastText holds, or what it would hold of a model trained here.

    Parameters
    ----------
    file : settings, words, labels and matrices
    rows : the row of ``file.input`` that each row of the whole input matrix is, -1 for one of zeros; None where they are the same
    label_prefix : what marked labels in training; None for a model from a file, which does not say it
    """

    def __init__(
        self, file: FastTextFile, rows: NDArray[np.int32] | None = None, label_prefix: str | None = None
    ) -> None:
        self.file, self.rows, self.label_prefix = file, rows, label_prefix

    @classmethod
    def load(cls, path: str) -> Model:
        """Open a `.bin` or `.ftz` file."""
        return cls(read_fasttext(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file."""
        write_fasttext(path, self.file, self.rows)

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "rows": self.rows, "label_prefix": self.label_prefix}

    # ------------------------------------------------------------------------------------------------------ facts

    @property
    def supervised(self) -> bool:
        """Whether it is a classifier."""
        return bool(self.file.settings["model"] == "supervised")

    @property
    def quantised(self) -> bool:
        """Whether the input is quantised."""
        return isinstance(self.file.input, CodedMatrix)

    @property
    def coded_output(self) -> bool:
        """Whether the output is quantised."""
        return isinstance(self.file.output, CodedMatrix)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.file.input.shape[1])

    @property
    def n_buckets(self) -> int:
        """Rows of n-grams in the input matrix."""
        return int(self.file.settings["n_buckets"])

    @cached_property
    def reader(self) -> TextReader:
        """How text becomes rows."""
        return reader_of(self.file, self.rows, LABEL_PREFIX if self.label_prefix is None else self.label_prefix)

    @cached_property
    def predictor(self) -> Predictor:
        """What predicts labels.

        Raises
        ------
        ValueError
            For word vectors.
        """
        if not self.supervised:
            raise ValueError("Model needs to be supervised for prediction!")
        from lexigrad.compat.fasttext.prediction import Predictor

        return Predictor(self, classifier_of(self.file, self.rows, self.label_prefix).fitted)

    @cached_property
    def words(self) -> list[bytes]:
        """The words, by their ids."""
        return self._strings(0, self.file.n_words)

    @cached_property
    def labels(self) -> list[bytes]:
        """The labels, by their ids; of word vectors there are none."""
        return self._strings(self.file.n_words, self.file.n_words + self.file.n_labels)

    def _strings(self, first: int, stop: int) -> list[bytes]:
        content, ends = self.file.arena.tobytes(), self.file.offsets[first : stop + 1].tolist()
        return [content[a:b] for a, b in itertools.pairwise(ends)]

    # ------------------------------------------------------------------------------------------------------ ids

    def ids(self, strings: Sequence[bytes]) -> NDArray[np.int64]:
        """Return the number of each string in the dictionary, words first and then labels; -1 where it is not there."""
        return self.reader.vocabulary.positions(strings)

    @cached_property
    def places(self) -> Places:
        """The number of each string in the dictionary, see `ids`, for single look-ups."""
        few = self.file.n_words + self.file.n_labels <= MOST_PLACES
        return Places(self.words + self.labels if few else None, self.ids)

    def subword_id(self, subword: bytes) -> int:
        """Return the row of the bucket of an n-gram, before pruning."""
        return self.file.n_words + self._buckets(np.array([hash_of(subword)], np.uint32)).tolist()[0]

    def _buckets(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        if not self.n_buckets:
            raise ValueError(NO_BUCKETS)
        return hashes.astype(np.int64) % self.n_buckets

    def subwords(self, word: bytes) -> tuple[list[bytes], NDArray[np.int64]]:
        """Return a word and its n-grams, and the rows of the input matrix that are theirs; of a pruned model there may be fewer rows than n-grams."""
        from lexigrad.kernels.fasttext_vectors import subword_rows

        place, settings = self.places[word], self.file.settings
        names = [word] if place >= 0 else []
        if word == END or not settings["max_n"]:
            return names, np.array([place] if place >= 0 else [], np.int64)
        if not self.n_buckets:
            raise ValueError(NO_BUCKETS)
        sizes = self.n_buckets, settings["min_n"], settings["max_n"]
        rows = subword_rows(np.frombuffer(word, np.uint8), place, self.file.n_words, *sizes, self.reader.kept)
        if place >= self.file.n_words:  # a label
            rows = np.concatenate([[place], rows])
        return names + ngrams_of(word, *sizes[1:]), rows

    def ngram_vectors(self, word: bytes) -> Iterator[tuple[bytes, NDArray[np.float32]]]:
        """Yield a word and its n-grams, each with its row; zeros for what pruning dropped."""
        names, _ = self.subwords(word)
        for i, name in enumerate(names):
            slot = self.ids([word])[0] if i == 0 and name == word else self.subword_id(name)
            rows = self.rows_of(np.array([slot], np.int64))
            yield name, self.numbers(rows)[0] if len(rows) else np.zeros(self.dim, np.float32)

    def rows_of(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of features that are stored, -1 for one of zeros; features that pruning dropped are left out."""
        rows: NDArray[np.int64] = rows_of(slots, self.file.n_words, self.reader.slot_rows, self.reader.kept)
        return rows[rows != LEFT_OUT]

    # ------------------------------------------------------------------------------------------------------ vectors

    def numbers(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return stored rows, (n, dim), zeros for -1."""
        found = np.zeros((len(rows), self.dim), np.float32)
        known = rows >= 0
        found[known] = self.file.input[rows[known]]
        return found

    def input_vector(self, row: int) -> NDArray[np.float32]:
        """Return a row of the input matrix."""
        n = len(self.file.input) if self.rows is None else len(self.rows)
        if not 0 <= row < n:
            raise ValueError(f"row {row} of the input matrix: expected 0 to {n - 1}")
        return self.numbers(np.array([row if self.rows is None else int(self.rows[row])]))[0]

    def input_matrix(self) -> NDArray[np.float32]:
        """Return the whole input matrix, (n_words + n_buckets, dim)."""
        if self.rows is not None:
            return self.numbers(self.rows.astype(np.int64))
        return np.array(self.file.input[:], np.float32)

    def output_matrix(self) -> NDArray[np.float32]:
        """Return the output matrix, a row a label, a word, or a node of hierarchical softmax."""
        return np.array(self.file.output[:], np.float32)

    def with_matrices(self, matrix: NDArray[np.float32], output: NDArray[np.float32]) -> Model:
        """Return a model with other matrices, which may have another number of columns."""
        if self.file.kept is not None:
            raise ValueError(
                "set_matrices: a pruned model has rows for some buckets only; take the model from before quantize"
            )
        rows, outputs = len(self.file.input) if self.rows is None else len(self.rows), len(self.file.output)
        shapes = np.shape(matrix), np.shape(output)
        if len(shapes[0]) != 2 or len(shapes[1]) != 2 or shapes[0][1] != shapes[1][1]:
            raise ValueError(f"set_matrices: expected two matrices of as many columns, got {shapes[0]} and {shapes[1]}")
        if (shapes[0][0], shapes[1][0]) != (rows, outputs):
            raise ValueError(
                f"set_matrices: expected {rows:,} and {outputs:,} rows, got {shapes[0][0]:,} and {shapes[1][0]:,}"
            )
        file = replace(
            self.file, settings={**self.file.settings, "dim": shapes[0][1]}, input=np.array(matrix, np.float32, order="C"),
            output=np.array(output, np.float32, order="C"),
        )  # fmt: skip
        return Model(file, None, self.label_prefix)

    def word_slots(self, words: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (slots, ends): the features of word i, its own first, are ``slots[ends[i]:ends[i + 1]]``."""
        own = self.ids(words)
        own[own >= self.file.n_words] = -1  # a label has no row
        counts = (own >= 0).astype(np.int64)
        settings = self.file.settings
        if not settings["max_n"]:
            return own[own >= 0], np.concatenate([[0], np.cumsum(counts)])
        arena = np.frombuffer(b"".join(words), np.uint8)
        offsets = np.cumsum([0, *map(len, words)], dtype=np.int64)
        values, ends = character_ngrams(arena, offsets, settings["min_n"], settings["max_n"])
        slot_ends = ends + np.concatenate([[0], np.cumsum(counts)])
        slots = np.empty(slot_ends[-1], np.int64)
        is_own = np.zeros(len(slots), bool)
        is_own[slot_ends[:-1][own >= 0]] = True
        slots[is_own] = own[own >= 0]
        slots[~is_own] = self.file.n_words + (self._buckets(values) if len(values) else values.astype(np.int64))
        return slots, slot_ends

    def word_vectors(self, words: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the vectors of words, known and unknown, (n, dim): means of the rows of each; zeros where there are none."""
        slots, ends = self.word_slots(words)
        rows = rows_of(slots, self.file.n_words, self.reader.slot_rows, self.reader.kept)
        counts = rows != LEFT_OUT
        ends = np.concatenate([[0], np.cumsum(counts)])[ends]
        rows = rows[counts]
        lengths = np.diff(ends)
        vectors = np.zeros((len(words), self.dim), np.float32)
        some = lengths > 0
        if some.any():
            sums = np.add.reduceat(self.numbers(rows), ends[:-1][some], axis=0, dtype=np.float32)
            vectors[some] = sums * (1 / lengths[some]).astype(np.float32)[:, None]
        return vectors

    @cached_property
    def _vector_arguments(self) -> tuple[Any, ...]:
        """What the kernels of `lexigrad.kernels.fasttext_vectors` take from n_words on, to the length of a vector."""
        settings, reader = self.file.settings, self.reader
        if settings["max_n"] and not self.n_buckets:
            raise ValueError(NO_BUCKETS)
        return (
            self.file.n_words, self.n_buckets, settings["min_n"], settings["max_n"], reader.slot_rows, reader.kept,
            *matrix_arguments(self.file.input), self.dim,
        )  # fmt: skip

    @cached_property
    def _line_arguments(self) -> tuple[Any, ...]:
        words, prefix = self.reader.vocabulary, np.frombuffer(self.reader.label_prefix, np.uint8)
        return words.slots, words.arena, words.offsets, prefix, int(self.file.settings["word_ngrams"])

    def word_vector(self, word: bytes) -> NDArray[np.float32]:
        """Return the vector of a word, as `word_vectors` does, in one call of a kernel."""
        from lexigrad.kernels.fasttext_vectors import mean_of_words

        vector = np.empty(self.dim, np.float32)
        mean_of_words(
            np.frombuffer(word, np.uint8), np.array((0, len(word))), np.array((self.places[word],)), False, *self._vector_arguments, vector
        )  # fmt: skip
        return vector

    def sentence_vector(self, text: bytes, ended: bool = True) -> NDArray[np.float32]:
        """Return the vector of a line: of a classifier the mean of all its features; of word vectors the mean of the words' vectors at length 1."""
        from lexigrad.kernels.fasttext_vectors import mean_of_line, mean_of_words

        vector = np.empty(self.dim, np.float32)
        if self.supervised:
            mean_of_line(np.frombuffer(text, np.uint8), ended, *self._line_arguments, *self._vector_arguments, vector)
            return vector
        words = text.split()
        ends = np.array([0, *itertools.accumulate(map(len, words))])
        places = np.array([self.places[word] for word in words], np.int64)
        mean_of_words(np.frombuffer(b"".join(words), np.uint8), ends, places, True, *self._vector_arguments, vector)
        return vector

    @cached_property
    def unit_vectors(self) -> tuple[Words, NDArray[np.float32]]:
        """The words and their vectors at length 1, (n_words, dim), made once."""
        words, vectors = word_vectors_of(self.reader, self.file.input)
        lengths = np.sqrt(np.sum(vectors * vectors, axis=1, dtype=np.float32))
        vectors *= np.where(lengths > 0, np.float32(1) / np.where(lengths > 0, lengths, np.float32(1)), np.float32(0))[
            :, None
        ]
        return words, vectors

    def nearest(self, vector: NDArray[np.float32], k: int, banned: Sequence[bytes]) -> list[tuple[float, bytes]]:
        """Return (cosine, word) of the `k` nearest words, best first."""
        if k < 1:
            raise ValueError(f"k={k}: expected 1 or more")
        _, units = self.unit_vectors
        length = float(np.linalg.norm(vector))
        cosines = units @ (vector / np.float32(length if length >= 1e-8 else 1))
        places = self.ids(banned)
        cosines[places[(places >= 0) & (places < len(cosines))]] = -np.inf
        k = min(k, len(cosines))
        best = np.argpartition(-cosines, k - 1)[:k]
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(float(cosines[i]), self.words[i]) for i in best.tolist() if cosines[i] > -np.inf]

    def neighbours(self, word: bytes, k: int) -> list[tuple[float, bytes]]:
        """Return the words nearest to a word, known or unknown."""
        return self.nearest(self.word_vectors([word])[0], k, [word])

    def analogies(self, words: Sequence[bytes], k: int) -> list[tuple[float, bytes]]:
        """Return the words nearest to A - B + C."""
        vectors = self.word_vectors(words)
        units = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + np.float32(1e-8))
        return self.nearest(units[0] - units[1] + units[2], k, words)

    # ------------------------------------------------------------------------------------------------------ lines

    def line(self, text: bytes, ended: bool = True) -> tuple[list[bytes], list[bytes]]:
        """Return the words of a line, known and unknown, and its known labels; where it is `ended` it has the word </s> at its end."""
        prefix, places, n_words = self.reader.label_prefix, self.places, self.file.n_words
        words: list[bytes] = []
        labels: list[bytes] = []
        for token in text.replace(b"\0", b" ").split():
            place = places[token]
            if place >= n_words:
                labels.append(token)
            elif place >= 0 or not prefix or not token.startswith(prefix):
                words.append(token)
            if token == END and prefix:
                return words, labels
        if ended:
            words.append(END)
        return words, labels


class Places(dict[bytes, int]):
    """The number of each string in a dictionary, -1 for others: of few strings all at once, of many those that were asked for lately."""

    def __init__(self, strings: Sequence[bytes] | None, find: Callable[[Sequence[bytes]], NDArray[np.int64]]) -> None:
        super().__init__(zip(strings or (), itertools.count(), strict=False))
        self.whole, self.find = strings is not None, find

    def __missing__(self, string: bytes) -> int:
        if self.whole:
            return -1
        place = int(self.find([string])[0])
        if len(self) >= MOST_PLACES:
            self.clear()
        self[string] = place
        return place


def hash_of(text: bytes) -> int:
    """Return fastText's 32-bit hash: FNV-1a in which bytes from 128 up count as negative numbers."""
    value = 2166136261
    for byte in text:
        value ^= byte if byte < 128 else byte | 0xFFFFFF00
        value = value * 16777619 & 0xFFFFFFFF
    return value


def ngrams_of(word: bytes, min_n: int, max_n: int) -> list[bytes]:
    """Return the character n-grams of <word>, by where they start and then by length; its two marks alone are none."""
    marked = FIRST + word + LAST
    starts = range(len(marked) + 1) if marked.isascii() else [*_starts(marked), len(marked)]
    n, least = len(starts) - 1, max(1, min_n)
    return [
        marked[starts[i] : starts[j]]
        for i in range(n)
        for j in range(i + least, min(i + max_n, n) + 1)
        if j - i > 1 or 0 < i < n - 1
    ]


def _starts(text: bytes) -> list[int]:
    return [i for i, byte in enumerate(text) if byte & 0xC0 != 0x80]


def tokens_of(text: bytes) -> list[bytes]:
    """Split text as fastText does; each newline is the token </s>."""
    tokens: list[bytes] = []
    for i, line in enumerate(text.replace(b"\0", b" ").split(b"\n")):
        if i:
            tokens.append(END)
        tokens += line.split()
    return tokens
