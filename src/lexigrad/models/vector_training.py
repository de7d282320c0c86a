"""From encoded sentences to trained vectors: which words have one, where training begins, the training itself."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, DivergenceError, LexigradWarning, ParameterError
from lexigrad.formats.fasttext_bin import CodedMatrix
from lexigrad.machine.threads import thread_count
from lexigrad.models.fitted_vectors import FittedVectors, means_of_rows
from lexigrad.models.given_vectors import NONE_MET
from lexigrad.text.sentences import TokenStore, whole_vocabulary
from lexigrad.text.subwords import Subwords, subwords_of
from lexigrad.text.vocabulary import Vocabulary, merge
from lexigrad.text.words import encoded
from lexigrad.training.progress import display
from lexigrad.training.word_vectors import Sentences, VectorSettings, VectorWeights, cut, train_word_vectors

if TYPE_CHECKING:
    from lexigrad.training.progress import Callback

BUCKETS = 2_000_000
"""fastText's number of buckets; only those that occur have a row."""
MOST_POINTS = 500
LEARNING_RATES = {
    ("skipgram", "exact", False): 0.05,
    ("skipgram", "exact", True): 0.2,
    ("skipgram", "fasttext", False): 0.05,
    ("skipgram", "fasttext", True): 0.05,
    ("cbow", "exact", False): 0.2,
    ("cbow", "exact", True): 0.2,
    ("cbow", "fasttext", False): 0.1,
    ("cbow", "fasttext", True): 0.1,
}
"""By model, gradient and whether there are character n-grams; found on wiki8 (docs/word-vectors.md)."""
SOFTMAX_RATE = 0.05
"""For the full softmax, whose steps are sums over many windows."""


@dataclass(frozen=True)
class Words:
    """The words of a corpus in the order of their ids: strings, or items of any kind.

    Attributes
    ----------
    items : the words; for text the vocabulary
    counts : (n,) int64
    """

    items: Vocabulary | list[Any]
    counts: NDArray[np.int64]

    def strings(self, order: NDArray[np.int64]) -> list[Any]:
        """Return some of the words."""
        if isinstance(self.items, Vocabulary):
            return [self.items[i].decode("utf-8", "surrogateescape") for i in order.tolist()]
        return [self.items[i] for i in order.tolist()]

    def joined_to(self, old: FittedVectors) -> tuple[Words, NDArray[np.int32]]:
        """Return the words of a model followed by the new ones here, with the sum of the counts, and where each of these is in there."""
        if isinstance(self.items, Vocabulary):
            if not all(isinstance(item, str) for item in old.items):
                raise DataError(
                    "the vectors to begin with are of items that are not str, so they cannot learn from text"
                )
            known = Vocabulary.from_strings(encoded(old.items), old.counts)
            *words, ids = merge(
                known.slots, known.arena.copy(), known.offsets, known.hashes, known.counts.copy(), len(known),
                self.items.arena, self.items.offsets, self.items.hashes, self.counts,
            )  # fmt: skip
            vocabulary = whole_vocabulary(tuple(words))
            return Words(vocabulary, vocabulary.counts), ids
        places = {item: i for i, item in enumerate(old.items)}
        ids = np.array([places.setdefault(item, len(places)) for item in self.items], np.int32)
        counts = np.zeros(len(places), np.int64)
        counts[: len(old.items)] = old.counts
        np.add.at(counts, ids, self.counts)
        return Words(list(places), counts), ids


def train(
    params: dict[str, Any], store: TokenStore, words: Words, start: FittedVectors | None, began: float, callback: Callback | None,
    keep: Callable[[FittedVectors, list[float]], None], *, resume: bool = True, keep_unseen: bool = True,
) -> None:  # fmt: skip
    """Train vectors on the sentences of a store, which is empty afterwards, and hand the result to `keep`, also when training is interrupted.

    `start`: the model whose training goes on, or, without `resume`, `starting_vectors`; `began`: when reading began, by `time.perf_counter`;
    `keep_unseen`: whether words of `start` that the sentences do not have are kept.
    """
    n_sentences, n_tokens = store.n_sentences, store.n_tokens
    n_old, ids = 0, np.arange(len(words.counts), dtype=np.int32)
    if start is not None:
        if resume:
            _check_same(params, start)
        n_old = len(start.items)
        words, ids = words.joined_to(start)
        if not resume and not (ids < n_old).any():
            warnings.warn(NONE_MET, LexigradWarning, stacklevel=6)
    counts = words.counts
    order = _ordered(counts, params["min_count"], n_old, keep_unseen)
    rank = np.full(len(counts), -1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    items, counts = words.strings(order), counts[order]
    tokens, offsets = store.numbered(rank[ids])
    if not len(tokens):
        raise DataError("no word of the new sentences has a vector, nor occurs min_count times")

    subwords, rows, row_ends = _rows_of(params, words, order, counts, start)
    data = Sentences(tokens, n_tokens, cut(offsets), counts, rows, row_ends, subwords.n_rows, store.in_file)
    settings = VectorSettings(**{name: params[name] for name in VectorSettings.__dataclass_fields__})
    weights = VectorWeights(data.n_rows, len(items), params["dim"], params["seed"], thread_count(params["threads"]))
    if start is not None:
        _go_on(weights, start, subwords, rank[:n_old], settings.loss)
    lr = default_rate(params) if params["lr"] is None else params["lr"]
    read = time.perf_counter()
    losses: list[float] = []
    error: BaseException | None = None
    try:
        train_word_vectors(
            weights, data, settings, epochs=params["epochs"], lr=lr, seed=params["seed"], display=display(params["verbose"]), callback=callback,
            losses=losses,
        )  # fmt: skip
    except BaseException as raised:
        error = raised
    if start is not None and resume and isinstance(error, DivergenceError):
        raise error  # the vectors that training began with are better than none
    del data, tokens
    matrix, output = weights.finish()
    vectors = means_of_rows(matrix, rows, row_ends) if params["max_n"] else matrix
    facts = {
        "n_sentences": n_sentences, "n_tokens": n_tokens, "lr": lr, "read_seconds": round(read - began, 3),
        "train_seconds": round(time.perf_counter() - read, 3), "finished": error is None, "losses": course(losses), "epochs": params["epochs"],
    }  # fmt: skip
    keep(FittedVectors(items, counts, vectors, matrix, output, subwords, facts), losses)
    if error is not None:
        raise error


def course(losses: list[float]) -> list[float]:
    """Return the course of the loss at `MOST_POINTS` places at most, evenly spaced, as a file keeps it."""
    places = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), MOST_POINTS)).astype(int))
    return [round(losses[i], 6) for i in places]


def default_rate(params: dict[str, Any]) -> float:
    """Return the learning rate that ``lr=None`` stands for."""
    if params["loss"] == "softmax":
        return SOFTMAX_RATE
    return LEARNING_RATES[params["model"], params["gradient"], params["max_n"] > 0]


def _ordered(counts: NDArray[np.int64], min_count: int, n_old: int, keep_unseen: bool) -> NDArray[np.int64]:
    """Return the words that get a vector, by falling count: the `n_old` first have one already, and keep it at least where they occur."""
    kept = counts >= min_count
    kept[:n_old] = keep_unseen | (counts[:n_old] > 0)
    if not kept.any():
        raise DataError(
            f"no word occurs min_count={min_count} times; the most frequent one occurs {counts.max()} times: lower min_count"
        )
    places = np.flatnonzero(kept)
    return places[np.argsort(-counts[places], kind="stable")]


def _rows_of(
    params: dict[str, Any],
    words: Words,
    order: NDArray[np.int64],
    counts: NDArray[np.int64],
    start: FittedVectors | None,
) -> tuple[Subwords, NDArray[np.int32], NDArray[np.int64]]:
    """Return what `subwords_of` does for the words in `order`, with the buckets that training begins with."""
    n_buckets = BUCKETS if params["buckets"] is None else params["buckets"]
    if not params["max_n"]:
        n = len(order)
        subwords = Subwords(n, params["min_n"], 0, n_buckets, np.empty(0, np.int64))
        return subwords, np.arange(n, dtype=np.int32), np.arange(n + 1)
    if isinstance(words.items, Vocabulary):
        known = words.items.selected(order)
    else:
        items = words.strings(order)
        if not all(isinstance(item, str) for item in items):
            raise DataError("character n-grams need items that are str; set max_n=0 for others")
        known = Vocabulary.from_strings(encoded(items), counts)
    more = None if start is None else start.subwords.buckets
    return subwords_of(known, params["min_n"], params["max_n"], n_buckets, more)


def _check_same(params: dict[str, Any], start: FittedVectors) -> None:
    """Raise `ParameterError` where the settings do not fit the vectors that training begins with."""
    if isinstance(start.input, CodedMatrix):
        raise ParameterError(
            "resume=True: these vectors are quantised, and codes cannot be trained; go on from those that they were made from, and quantise again"
        )
    subwords = start.subwords
    here = {"dim": start.dim, "max_n": subwords.max_n}
    if subwords.max_n:
        here |= {"min_n": subwords.min_n, "buckets": subwords.n_buckets}
    for name, value in here.items():
        given = BUCKETS if name == "buckets" and params[name] is None else params[name]
        if given != value:
            raise ParameterError(f"resume=True: these vectors have {name}={value}, and {name}={given} was set")


def _go_on(
    weights: VectorWeights, start: FittedVectors, subwords: Subwords, places: NDArray[np.int32], loss: str
) -> None:
    """Put the rows of a trained model where its words, at `places`, and its buckets are now.

    The inner nodes of hierarchical softmax begin anew, as the counts and with them the tree have changed.
    """
    dim, n_old, kept = weights.dim, len(places), places >= 0
    matrix = weights.rows(weights.input)
    matrix[places[kept], :dim] = start.input[:n_old][kept]
    buckets = np.searchsorted(subwords.buckets, start.subwords.buckets)
    matrix[subwords.n_words + buckets, :dim] = start.input[n_old:]
    if start.output is not None and loss != "hierarchical_softmax":
        weights.rows(weights.output)[places[kept], :dim] = start.output[kept]
