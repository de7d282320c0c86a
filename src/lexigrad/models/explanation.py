"""Which part of a text adds how much to which score."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.losses.hierarchical_softmax import label_vectors
from lexigrad.losses.links import HIERARCHICAL, LINKS
from lexigrad.machine.compiler import inputs, kernel
from lexigrad.maths import log_sigmoid, sigmoid, softmax
from lexigrad.models.fitted import FittedClassifier
from lexigrad.text.kept_buckets import LEFT_OUT, row_of
from lexigrad.text.ngrams import character_ngrams, is_end_of_sentence, is_label
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import NGRAM_PRIME, next_character, next_token
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary, find


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction taken apart; ``contributions.sum(axis=0) == scores``.

    The score of label l is s_l = (1/n) sum_i W_l . A[f_i] over the n features of the text; part i contributes W_l .
    A[f_i] / n. For hierarchical softmax W_l is the sum of the vectors of the inner nodes on the way to the label, those that it passes on the lighter
    side with a minus.

    Attributes
    ----------
    tokens : the parts in order: every token of the text, then its character n-grams as "<abc" and its word n-grams as
        "a b"
    kinds : what each part is: "word", "characters" or "words"
    contributions : (n_parts, n_labels) float64; 0 for parts that training had not seen
    scores : (n_labels,) float64, before the softmax or the sigmoid
    probs : (n_labels,) float64, the softmax of the scores or what else the loss makes of them, or the training prior where `known` is 0
    labels : the labels, as `classes_`
    known : number of features that training had seen
    """

    tokens: list[str]
    kinds: list[str]
    contributions: NDArray[np.float64]
    scores: NDArray[np.float64]
    probs: NDArray[np.float64]
    labels: NDArray[Any]
    known: int

    @property
    def label(self) -> Any:
        """The most probable label."""
        return self.labels[int(np.argmax(self.probs))]

    def strongest(self, label: Any = None, n: int = 10) -> list[tuple[str, float]]:
        """Return the `n` parts that change a label's score most, as (part, contribution); equal parts are added up."""
        column = int(np.argmax(self.probs)) if label is None else self.labels.tolist().index(label)
        sums: dict[str, float] = {}
        for token, value in zip(self.tokens, self.contributions[:, column], strict=True):
            sums[token] = sums.get(token, 0.0) + float(value)
        return sorted(sums.items(), key=lambda item: -abs(item[1]))[:n]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers."""
        return {
            "label": _plain(self.label),
            "known": self.known,
            "labels": self.labels.tolist(),
            "scores": self.scores.tolist(),
            "probs": self.probs.tolist(),
            "tokens": self.tokens,
            "kinds": self.kinds,
            "contributions": self.contributions.tolist(),
        }

    def __str__(self) -> str:
        best = int(np.argmax(self.probs))
        lines = [f"{self.label}  probability {self.probs[best]:.4f}  score {self.scores[best]:.3f}"]
        if not self.known:
            lines.append("nothing in this text was seen in training: these are the shares of the labels there")
        lines += [f"  {value:+8.3f}  {token}" for token, value in self.strongest()]
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@kernel((types.int64, inputs(types.uint8), inputs(types.uint32), inputs(types.uint8)))
def list_tokens(tokenizer, data, table, label_prefix):  # type: ignore[no-untyped-def]
    """Return (bytes of all tokens, offsets, hashes, whether each looks like a label) of one text; with a label prefix </s> ends it."""
    arena = np.empty(4 * data.size + 32, np.uint8)  # a newline is </s>
    offsets = np.zeros(data.size + 2, np.int64)
    hashes = np.empty(data.size + 1, np.uint32)
    labels = np.zeros(data.size + 1, np.bool_)
    position, n = 0, 0
    while True:
        position, size, value = next_token(tokenizer, data, position, 0, data.size, table, arena[offsets[n] :])
        if size == 0:
            break
        offsets[n + 1] = offsets[n] + size
        hashes[n] = value
        labels[n] = is_label(arena, offsets[n], size, label_prefix)
        n += 1
        literal = position <= data.size and data[position - 1] != 10
        if label_prefix.size > 0 and literal and is_end_of_sentence(arena, offsets[n - 1], offsets[n]):
            break
    return arena[: offsets[n]].copy(), offsets[: n + 1].copy(), hashes[:n].copy(), labels[:n].copy()


@kernel((inputs(types.int64), types.int64, inputs(types.int32), inputs(types.uint64)))
def rows_of(slots, n_words, slot_rows, kept):  # type: ignore[no-untyped-def]
    """Return the row of each slot; see `lexigrad.text.kept_buckets.row_of`."""
    rows = np.empty(slots.size, np.int64)
    for i in range(slots.size):
        rows[i] = row_of(slots[i], n_words, slot_rows, kept)
    return rows


@kernel(
    (
        inputs(types.uint64),
        inputs(types.uint8),
        inputs(types.int64),
        inputs(types.uint8),
        inputs(types.int64),
        inputs(types.uint32),
    )
)
def find_all(slots, arena, word_offsets, keys, key_offsets, hashes):  # type: ignore[no-untyped-def]
    """Return the word id of each token, negative where it is unknown."""
    ids = np.empty(hashes.size, np.int64)
    for i in range(hashes.size):
        ids[i] = find(slots, arena, word_offsets, keys, key_offsets[i], key_offsets[i + 1], hashes[i])
    return ids


def explain(fitted: FittedClassifier, text: str) -> Explanation:
    """Take the prediction for one text apart."""
    reader = fitted.reader
    (batch,) = read_texts([text])
    data = np.array(batch.data[batch.offsets[0] : batch.offsets[1]])
    names, hashes, ids = _words_of(fitted, data)
    parts: list[tuple[bytes, str, int, bool]] = [
        (name, "word", int(i), bool(i >= 0)) for name, i in zip(names, ids, strict=True)
    ]
    parts += _character_parts(fitted, names)
    parts += _word_parts(fitted, names, hashes)
    features = np.array([counts for *_, counts in parts], bool)
    rows = np.full(len(parts), -1, np.int64)
    slots = np.array([slot for _, _, slot, counts in parts if counts], np.int64)
    rows[features] = rows_of(slots, reader.n_words, reader.slot_rows, reader.kept)
    n_features = max(1, int((features & (rows != LEFT_OUT)).sum()))
    known = rows >= 0
    known[known] = fitted.seen(rows[known])
    matrix = fitted.input[rows[known]].astype(np.float64)
    output = fitted.output[:].astype(np.float64)
    tree = fitted.children()
    contributions = np.zeros((len(parts), len(fitted.classes)))
    contributions[known] = matrix @ (label_vectors(tree, output) if LINKS[fitted.loss] == HIERARCHICAL else output).T
    contributions /= n_features
    scores = contributions.sum(axis=0)
    hidden = matrix.sum(axis=0) / n_features
    probs = _probs(fitted, scores, output @ hidden, tree) if known.any() else fitted.prior.astype(np.float64)
    tokens = [name.decode("utf-8", "replace") for name, *_ in parts]
    kinds = [kind for _, kind, *_ in parts]
    return Explanation(tokens, kinds, contributions, scores, probs, fitted.classes, int(known.sum()))


def _words_of(
    fitted: FittedClassifier, data: NDArray[np.uint8]
) -> tuple[list[bytes], NDArray[np.uint32], NDArray[np.int64]]:
    """Return the tokens of a text that are no labels, their hashes and their ids, -1 for unknown ones."""
    reader, words = fitted.reader, fitted.reader.vocabulary
    prefix = np.frombuffer(reader.label_prefix, np.uint8)
    arena, offsets, hashes, labels = list_tokens(reader.tokenizer, data, load_table(), prefix)
    ids = find_all(words.slots, words.arena, words.offsets, arena, offsets, hashes)
    no_label = (ids < reader.n_words) & ~(labels & (ids < 0))
    names = [arena[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    return [names[i] for i in np.flatnonzero(no_label)], hashes[no_label], np.maximum(ids[no_label], -1)


def _probs(
    fitted: FittedClassifier, scores: NDArray[np.float64], outputs: NDArray[np.float64], tree: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return probabilities from the scores of labels, or for hierarchical softmax from those of the inner nodes."""
    if fitted.loss == "softmax":
        return softmax(scores)
    if LINKS[fitted.loss] != HIERARCHICAL:
        return np.asarray(sigmoid(scores))
    logs, found = np.zeros(len(outputs) + 1), np.zeros(len(scores))
    turns = np.stack([log_sigmoid(-outputs), log_sigmoid(outputs)], axis=1)
    for place, child in enumerate(tree.tolist()):
        log = logs[place // 2] + turns[place // 2, place % 2]
        (found if child < 0 else logs)[~child if child < 0 else child] = log
    return np.exp(found)


def _character_parts(fitted: FittedClassifier, names: list[bytes]) -> list[tuple[bytes, str, int, bool]]:
    reader = fitted.reader
    if not reader.max_n or not names:
        return []
    own = Vocabulary.from_strings(names)
    values, starts = character_ngrams(own.arena, own.offsets, reader.min_n, reader.max_n)
    spelled = [ngram for name in names for ngram in spelled_ngrams(name, reader.min_n, reader.max_n)]
    buckets = (reader.n_words + int(value) % reader.n_buckets for value in values[: starts[-1]])
    return [(ngram, "characters", bucket, True) for ngram, bucket in zip(spelled, buckets, strict=True)]


def spelled_ngrams(word: bytes, min_n: int, max_n: int) -> list[bytes]:
    """Return the character n-grams of a word in the order of `lexigrad.text.ngrams.add_character_ngrams`."""
    if word == b"</s>":
        return []
    marked = np.frombuffer(b"<" + word + b">", np.uint8)
    edges = [0]
    while edges[-1] < len(marked):
        edges.append(
            next_character.py_func(marked, edges[-1], len(marked))
            if hasattr(next_character, "py_func")
            else next_character(marked, edges[-1], len(marked))
        )
    last = len(edges) - 1
    return [
        marked[edges[i] : edges[i + n]].tobytes()
        for i in range(last)
        for n in range(max(1, min_n), min(max_n, last - i) + 1)
        if not (n == 1 and (i == 0 or i + n == last))
    ]


def _word_parts(
    fitted: FittedClassifier, names: list[bytes], hashes: NDArray[np.uint32]
) -> list[tuple[bytes, str, int, bool]]:
    reader = fitted.reader
    parts = []
    signed = hashes.view(np.int32).tolist()
    for i in range(len(names)):
        value = signed[i]
        for j in range(i + 1, min(i + reader.word_ngrams, len(names))):
            value = (value * int(NGRAM_PRIME) + signed[j]) % 2**64
            slot = reader.n_words + value % reader.n_buckets
            parts.append((b" ".join(names[i : j + 1]), "words", slot, True))
    return parts
