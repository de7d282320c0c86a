"""fastText in plain Python: its file, field by field, and what it predicts, with its tables and offsets or exactly."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.oracles.tokens import EOS, char_ngrams, fnv1a, whitespace, word_ngrams

NAMES = (
    "dim",
    "ws",
    "epoch",
    "min_count",
    "neg",
    "word_ngrams",
    "loss",
    "model",
    "bucket",
    "min_n",
    "max_n",
    "lr_update_rate",
)
HS, NS, SOFTMAX, OVA = 1, 2, 3, 4


class Model:
    """A model file."""

    def __init__(self, path: Path) -> None:
        self.content, self.at = path.read_bytes(), 0
        magic, self.version = self.take("ii")
        assert magic == 793712314
        self.settings = dict(zip(NAMES, self.take("12i"), strict=True))
        self.t = self.take("d")[0]
        size, self.n_words, self.n_labels = self.take("3i")
        self.n_tokens, n_kept = self.take("2q")
        self.entries = [self.entry() for _ in range(size)]
        self.words = {word: i for i, (word, _) in enumerate(self.entries[: self.n_words])}
        self.labels = [word for word, _ in self.entries[self.n_words :]]
        self.kept = None if n_kept < 0 else dict(self.take("2i") for _ in range(n_kept))
        coded = self.take("B")[0]
        self.input = self.matrix(coded)
        self.output = self.matrix(self.take("B")[0] and coded)
        assert self.at == len(self.content)

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.content, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def entry(self) -> tuple[bytes, int]:
        end = self.content.index(b"\0", self.at)
        word, self.at = self.content[self.at : end], end + 1
        count, _ = self.take("qb")
        return word, count

    def matrix(self, coded: bool) -> NDArray[np.float64]:
        if not coded:
            rows, columns = self.take("2q")
            return np.array(self.take(f"{rows * columns}f")).reshape(rows, columns)
        normed, rows, _, n_codes = self.take("Bqqi")
        codes = np.array(self.take(f"{n_codes}B")).reshape(rows, -1)
        matrix = self.decoded(codes)
        return matrix * self.decoded(np.array(self.take(f"{rows}B")).reshape(rows, 1)) if normed else matrix

    def decoded(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        dim, n_slices, sub_dim, last = self.take("4i")
        values = self.take(f"{256 * dim}f")
        matrix = np.zeros((len(codes), dim))
        for row, some in enumerate(codes.tolist()):
            for s, code in enumerate(some):
                width = last if s == n_slices - 1 else sub_dim
                start = s * 256 * sub_dim + code * width
                matrix[row, s * sub_dim : s * sub_dim + width] = values[start : start + width]
        return matrix

    def rows_of(self, text: bytes) -> list[int]:
        """The rows of a text's features, as Dictionary::getLine collects them."""
        settings = self.settings
        rows, hashes = [], []
        ngrams = []
        for token in whitespace(text):
            known = token in self.words
            if not known and (token in self.labels or token.startswith(b"__label__")):
                continue
            if known:
                rows.append(self.words[token])
            if settings["max_n"] > 0:
                rows += self.buckets(
                    [fnv1a(ngram) for ngram in char_ngrams(token, settings["min_n"], settings["max_n"])]
                )
            hashes.append(fnv1a(token))
            if token == EOS:
                break
        if settings["word_ngrams"] > 1:
            ngrams = self.buckets(word_ngrams(hashes, settings["word_ngrams"]))
        return rows + ngrams

    def buckets(self, hashes: list[int]) -> list[int]:
        found = [value % self.settings["bucket"] for value in hashes]
        if self.kept is not None:
            found = [self.kept[bucket] for bucket in found if bucket in self.kept]
        return [self.n_words + bucket for bucket in found]

    def word_vector(self, word: bytes) -> NDArray[np.float64]:
        rows = [self.words[word]] if word in self.words else []
        if self.settings["max_n"] > 0:
            rows += self.buckets([fnv1a(n) for n in char_ngrams(word, self.settings["min_n"], self.settings["max_n"])])
        return self.input[rows].mean(axis=0) if rows else np.zeros(self.settings["dim"])

    def predict(self, text: bytes, *, exact: bool) -> dict[bytes, float]:
        """The probability of every label; not `exact`: with fastText's 1e-5 and its table of the sigmoid. Nothing without a feature."""
        rows = self.rows_of(text)
        if not rows:
            return {}
        scores = self.output @ self.input[rows].mean(axis=0)
        if self.settings["loss"] == HS:
            return self.descend(scores, 0.0 if exact else 1e-5)
        if self.settings["loss"] == SOFTMAX:
            powers = np.exp(scores - scores.max())
            probs = (powers / powers.sum()).tolist()
        else:
            probs = [sigmoid(score) if exact else table_sigmoid(score) for score in scores.tolist()]
        return {label: p + (0.0 if exact else 1e-5) for label, p in zip(self.labels, probs, strict=True)}

    def descend(self, scores: NDArray[np.float64], offset: float) -> dict[bytes, float]:
        """Go down the Huffman tree; each answer gets the offset."""
        n = self.n_labels
        counts = [count for _, count in self.entries[self.n_words :]] + [10**15] * (n - 1)
        children = {}
        leaf, node = n - 1, n
        for made in range(n, 2 * n - 1):
            pair = []
            for _ in range(2):
                if leaf >= 0 and counts[leaf] < counts[node]:
                    pair.append(leaf)
                    leaf -= 1
                else:
                    pair.append(node)
                    node += 1
            children[made] = pair
            counts[made] = counts[pair[0]] + counts[pair[1]]
        found: dict[bytes, float] = {}
        waiting = [(2 * n - 2, 1.0)]
        while waiting:
            place, p = waiting.pop()
            if place < n:
                found[self.labels[place]] = p
                continue
            left, right = children[place]
            share = sigmoid(scores[place - n])
            waiting += [(left, p * (sigmoid(-scores[place - n]) + offset)), (right, p * (share + offset))]
        return found


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def table_sigmoid(x: float) -> float:
    """512 steps over [-8, 8], not interpolated."""
    if x < -8 or x > 8:
        return 0.0 if x < 0 else 1.0
    return sigmoid(int((x + 8) * 512 / 16) * 16 / 512 - 8)
