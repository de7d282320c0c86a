"""Batches of labelled texts -> one corpus of token ids: text is read, split and hashed once, and never looked at again.

Each batch is tokenised on its own, against a vocabulary of its own, by whichever thread is free; batches are then
merged in the order of
the source. The result therefore does not depend on the number of threads.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.errors import DataError, LexigradWarning
from lexigrad.machine.compiler import helper, inputs, kernel
from lexigrad.machine.threads import map_threads
from lexigrad.text.batches import LabelColumn, TextBatch
from lexigrad.text.tokens import next_token
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary, empty_vocabulary, find, merge, put, rebuilt, resized


@helper
def tokenize_until_full(  # type: ignore[no-untyped-def]
    tokenizer, data, offsets, texts, table, buffer, tokens, token_offsets, slots, arena, word_offsets, hashes, state
):
    """Tokenise on from `state`, (text, position or -1, n_tokens, n_words); return False where a new word does not fit
    into the vocabulary's arrays.

    Growing them here would make the compiler count references in every turn of the loop.
    """
    text, position, n_tokens, n_words = state[0], state[1], state[2], state[3]
    most_words = min(slots.size // 2, hashes.size)
    full = False
    while text < texts.size and not full:
        start, stop = offsets[texts[text]], offsets[texts[text] + 1]
        position = start if position < 0 else position
        while True:
            before = position
            position, n, value = next_token(tokenizer, data, position, start, stop, table, buffer)
            if n == 0:
                break
            word = find(slots, arena, word_offsets, buffer, 0, n, value)
            if word < 0:
                used = word_offsets[n_words]
                if n_words == most_words or used + n > arena.size:
                    position, full = before, True
                    break
                put(slots, ~word, value, n_words)
                for i in range(n):
                    arena[used + i] = buffer[i]
                word = n_words
                word_offsets[word + 1] = used + n
                hashes[word] = value
                n_words += 1
            tokens[n_tokens] = word
            n_tokens += 1
        if not full:
            text += 1
            token_offsets[text] = n_tokens
            position = -1
    state[0], state[1], state[2], state[3] = text, position, n_tokens, n_words
    return not full


@kernel((types.int64, inputs(types.uint8), inputs(types.int64), inputs(types.int64), inputs(types.uint32)))
def tokenize(tokenizer, data, offsets, texts, table):  # type: ignore[no-untyped-def]
    """Tokenise some texts of a batch.

    Returns (tokens int32, token_offsets int64, arena, word_offsets, hashes, counts): token ids into the batch's own
    vocabulary, whose ids
    follow the first use.
    """
    n_bytes, longest = 0, 0
    for text in texts:
        length = offsets[text + 1] - offsets[text]
        n_bytes += length
        longest = max(longest, length)
    tokens = np.empty(n_bytes + texts.size, np.int32)
    token_offsets = np.zeros(texts.size + 1, np.int64)
    buffer = np.empty(3 * longest + 16, np.uint8)
    arena, slots = np.empty(1 << 14, np.uint8), np.zeros(1 << 12, np.uint64)
    word_offsets, hashes = np.zeros(2049, np.int64), np.empty(2048, np.uint32)
    state = np.array([0, -1, 0, 0])
    while not tokenize_until_full(
        tokenizer, data, offsets, texts, table, buffer, tokens, token_offsets, slots, arena, word_offsets, hashes, state
    ):
        slots = rebuilt(hashes, state[3], 2 * slots.size)
        word_offsets = resized(word_offsets, 2 * hashes.size + 1)
        hashes = resized(hashes, 2 * hashes.size)
        arena = resized(arena, 2 * arena.size + buffer.size)
    n_tokens, n_words = state[2], state[3]
    counts = np.zeros(n_words, np.int64)
    for i in range(n_tokens):
        counts[tokens[i]] += 1
    return (
        tokens[:n_tokens].copy(),
        token_offsets,
        arena,
        word_offsets[: n_words + 1].copy(),
        hashes[:n_words].copy(),
        counts,
    )


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled texts as token ids.

    Attributes
    ----------
    tokens : (n_tokens,) int32, ids in `vocabulary`
    token_offsets : (n_texts + 1,) int64
    vocabulary : every token that occurs, by falling count, equal counts by first use
    label_ids : (n_label_uses,) int32, positions in `labels`
    label_offsets : (n_texts + 1,) int64
    labels : the distinct labels, sorted
    several : True where the source gave a list of labels per text
    n_unlabelled : texts that were left out because they have no label
    """

    tokens: NDArray[np.int32]
    token_offsets: NDArray[np.int64]
    vocabulary: Vocabulary
    label_ids: NDArray[np.int32]
    label_offsets: NDArray[np.int64]
    labels: list[Any]
    several: bool
    n_unlabelled: int

    @property
    def n_texts(self) -> int:
        """How many texts there are."""
        return len(self.token_offsets) - 1

    @property
    def n_tokens(self) -> int:
        """How many tokens there are in all texts."""
        return len(self.tokens)


def read_corpus(
    batches: Iterable[TextBatch], tokenizer: int, threads: int, on_batch: Callable[[int], None] | None = None
) -> Corpus:
    """Tokenise all labelled texts of a source.

    Parameters
    ----------
    batches : batches with labels; texts without one are left out, with one warning that names the first
    tokenizer : a value of `lexigrad.text.tokens.TOKENIZERS`
    threads : how many batches are tokenised at once
    on_batch : called with the number of texts after each batch

    Raises
    ------
    DataError
        If no text has a label, or labels have different types.
    """
    table = load_table()

    def encoded(batch: TextBatch) -> tuple[TextBatch, NDArray[np.int64], tuple[Any, ...]]:
        labels = labels_of(batch)
        kept = np.flatnonzero(np.diff(labels.offsets))
        return batch, kept, tokenize(tokenizer, batch.data, batch.offsets, kept, table)

    words = _TokenMerger()
    labels = _LabelMerger()
    for batch, kept, encoding in map_threads(encoded, batches, threads):
        words.add(encoding)
        labels.add(batch, kept)
        if on_batch is not None:
            on_batch(len(batch))
    if not labels.n_texts:
        raise DataError(
            f"{labels.name}: no text has a label; fastText lines carry them as __label__NAME, columns by label="
        )
    labels.warn()
    names, label_ids = labels.sorted()
    return Corpus(
        *words.finish(),
        label_ids,
        _offsets(np.concatenate(labels.lengths)),
        names,
        labels.several,
        labels.n_unlabelled,
    )


def labels_of(batch: TextBatch) -> LabelColumn:
    """Return the labels of a batch that must have them."""
    if batch.labels is None:
        raise DataError(f"{batch.name}: training and testing need labels, and none were given")
    return batch.labels


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _by_count(
    slots: NDArray[np.uint64],
    arena: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint32],
    counts: NDArray[np.int64],
    n: int,
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the vocabulary by falling count, and the new id of each old one."""
    order = np.argsort(-counts[:n], kind="stable")
    rank = np.empty(n, np.int32)
    rank[order] = np.arange(n, dtype=np.int32)
    found = Vocabulary(arena, offsets[: n + 1], hashes[:n], slots, counts[:n])
    return found.selected(order), rank


class _TokenMerger:
    """The tokens of all batches under one numbering."""

    def __init__(self) -> None:
        self.words = empty_vocabulary()
        self.tokens: list[NDArray[np.int32]] = []
        self.lengths: list[NDArray[np.int64]] = []
        self.n_tokens = 0

    def add(self, encoding: tuple[Any, ...]) -> None:
        """Add what `tokenize` returned."""
        ids, offsets, *vocabulary = encoding
        *words, here = merge(*self.words, *vocabulary)
        self.words = tuple(words)
        self.tokens.append(here[ids])
        self.lengths.append(np.diff(offsets))
        self.n_tokens += len(ids)

    def finish(self) -> tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary]:
        """Return tokens, token_offsets and vocabulary."""
        vocabulary, rank = _by_count(*self.words)
        return rank[np.concatenate(self.tokens)], _offsets(np.concatenate(self.lengths)), vocabulary


class _LabelMerger:
    """The labels of all batches under one numbering."""

    def __init__(self) -> None:
        self.ids: dict[Any, int] = {}
        self.uses: list[NDArray[np.int64]] = []
        self.lengths: list[NDArray[np.int64]] = []
        self.several = False
        self.n_texts = 0
        self.n_unlabelled = 0
        self.name = "texts"
        self.first_unlabelled = ""

    def add(self, batch: TextBatch, kept: NDArray[np.int64]) -> None:
        labels = labels_of(batch)
        here = np.array([self.ids.setdefault(value, len(self.ids)) for value in labels.values], np.int64)
        self.uses.append(here[labels.ids])
        lengths = np.diff(labels.offsets)
        self.lengths.append(lengths[kept])
        self.several |= labels.several
        self.name = batch.name
        self.n_texts += len(kept)
        missing = len(batch) - len(kept)
        if missing and not self.n_unlabelled:
            self.first_unlabelled = f"{batch.name}:{batch.lines[np.flatnonzero(lengths == 0)[0]]}"
        self.n_unlabelled += missing

    def warn(self) -> None:
        if self.n_unlabelled:
            warnings.warn(
                f"{self.n_unlabelled} texts have no label and were left out; the first is {self.first_unlabelled}",
                LexigradWarning,
                stacklevel=4,
            )

    def sorted(self) -> tuple[list[Any], NDArray[np.int32]]:
        """Return the sorted labels and all uses, renumbered."""
        kinds = sorted({type(label).__name__ for label in self.ids})
        if len(kinds) > 1:
            raise DataError(f"{self.name}: labels must be of one type, not {' and '.join(kinds)}")
        names = sorted(self.ids)
        rank = np.empty(len(names), np.int32)
        rank[[self.ids[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        return names, rank[np.concatenate(self.uses)]
