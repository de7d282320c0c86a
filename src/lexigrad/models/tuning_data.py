"""What a search trains on and measures on: given texts, a part that is held out, or folds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, LexigradWarning, ParameterError
from lexigrad.models.given_vectors import GivenVectors
from lexigrad.text.batches import TextBatch
from lexigrad.text.corpus import Corpus, labels_of, read_corpus
from lexigrad.text.tokens import tokenizer_code

HELD_OUT = 0.1
"""Share of the texts that is held out where nothing else to measure on is given."""
MOST_HELD_OUT = 20_000
"""More texts than this would only take time: the standard error of an accuracy is below 0.4 points."""


@dataclass
class Part:
    """Texts to train on, and texts to measure on."""

    train: list[TextBatch]
    measured: list[TextBatch]
    _corpora: dict[str, Corpus] = field(default_factory=dict)

    def corpus(self, tokenizer: str, threads: int) -> Corpus:
        """Return the texts to train on as token ids, which are made once."""
        if tokenizer not in self._corpora:
            self._corpora[tokenizer] = read_corpus(self.train, tokenizer_code(tokenizer), threads)
        return self._corpora[tokenizer]

    @property
    def n_measured(self) -> int:
        """How many texts are measured on."""
        return sum(map(len, self.measured))


def labelled(batches: Iterable[TextBatch]) -> list[TextBatch]:
    """Return the texts that have a label, with one warning if some have none.

    Raises
    ------
    DataError
        If no text has a label.
    """
    kept, missing, first, name = [], 0, "", "texts"
    for batch in batches:
        lengths, name = np.diff(labels_of(batch).offsets), batch.name
        without = np.flatnonzero(lengths == 0)
        if len(without) and not missing:
            first = f"{batch.name}:{batch.lines[without[0]]}"
        missing += len(without)
        if len(without) < len(batch):
            kept.append(batch.selected(np.flatnonzero(lengths)) if len(without) else batch)
    if not kept:
        raise DataError(f"{name}: no text has a label; fastText lines carry them as __label__NAME, columns by label=")
    if missing:
        warnings.warn(
            f"{missing} texts have no label and were left out; the first is {first}", LexigradWarning, stacklevel=4
        )
    return kept


def hold_out(batches: list[TextBatch], seed: int) -> Part:
    """Hold out `HELD_OUT` of the texts of each label, by a text's first one, drawn by `seed`; one text of each label stays at least.

    Raises
    ------
    DataError
        If there are fewer than two texts.
    """
    order, starts = _by_label(batches, seed)
    n = len(order)
    if n < 2:
        raise DataError(f"tuning needs texts to train on and others to measure on, and got {n} text: give at least two")
    wanted = max(1, min(round(HELD_OUT * n), MOST_HELD_OUT))
    spare = np.ones(n, np.bool)
    spare[starts[:-1]] = False  # the first of each label stays
    if not spare.any():
        spare[-1] = True
    places = np.flatnonzero(spare)
    chosen = (
        places[(np.arange(wanted) * len(places) // wanted)[: len(places)]] if wanted < len(places) else places[:wanted]
    )
    held = np.zeros(n, np.bool)
    held[order[chosen]] = True
    return Part(_selected(batches, ~held), _selected(batches, held))


def folds_of(batches: list[TextBatch], folds: int, seed: int) -> list[Part]:
    """Cut the texts into `folds` parts with about equal shares of each label; each is measured on once, and the others trained on.

    Raises
    ------
    ParameterError
        If there are fewer texts than folds.
    """
    order, _ = _by_label(batches, seed)
    if len(order) < folds:
        raise ParameterError(f"folds={folds}: there are only {len(order)} texts")
    fold_of = np.empty(len(order), np.int64)
    fold_of[order] = np.arange(len(order)) % folds
    return [Part(_selected(batches, fold_of != fold), _selected(batches, fold_of == fold)) for fold in range(folds)]


def _by_label(batches: list[TextBatch], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the texts ordered by their first label and shuffled within it, and where each label begins."""
    numbers: dict[object, int] = {}
    first = []
    for batch in batches:
        labels = labels_of(batch)
        here = np.array([numbers.setdefault(value, len(numbers)) for value in labels.values], np.int64)
        first.append(here[labels.ids[labels.offsets[:-1]]])
    label = np.concatenate(first)
    shuffled = np.random.default_rng([seed, 0x7E57]).permutation(len(label))
    order = shuffled[np.argsort(label[shuffled], kind="stable")]
    return order, np.flatnonzero(np.diff(label[order], prepend=-1, append=-1))


def _selected(batches: list[TextBatch], chosen: NDArray[np.bool]) -> list[TextBatch]:
    ends = np.cumsum([0, *map(len, batches)])
    rows = [np.flatnonzero(chosen[first:stop]) for first, stop in pairwise(ends.tolist())]
    return [batch.selected(some) for batch, some in zip(batches, rows, strict=True) if len(some)]


def fingerprint(batches: Iterable[TextBatch]) -> str:
    """Return a hash of texts and labels, which does not depend on how they are cut into batches."""
    texts, lengths, labels = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for batch in batches:
        texts.update(np.ascontiguousarray(batch.data[batch.offsets[0] : batch.offsets[-1]]).tobytes())
        lengths.update(np.diff(batch.offsets).tobytes())
        column = labels_of(batch)
        names = [repr(value) for value in column.values]
        for first, stop in pairwise(column.offsets.tolist()):
            labels.update(
                "\0".join(names[j] for j in column.ids[first:stop]).encode("utf-8", "surrogateescape") + b"\n"
            )
    return hashlib.sha256(texts.digest() + lengths.digest() + labels.digest()).hexdigest()[:32]


def fingerprint_of(given: GivenVectors) -> str:
    """Return a hash of words and their vectors."""
    words = hashlib.sha256("\0".join(map(repr, given.words)).encode("utf-8", "surrogateescape"))
    return hashlib.sha256(words.digest() + np.ascontiguousarray(given.rows, np.float32).tobytes()).hexdigest()[:32]
