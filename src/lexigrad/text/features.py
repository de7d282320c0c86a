"""Tokens -> features -> rows of the input matrix.

The features of a text are its words, their character n-grams and its word n-grams; each has a slot
(`lexigrad.text.ngrams`). Only what occurs in
training gets a row, and features that occur in the same texts, equally often in each, share one. Sharing is exact. Let
v_1..v_m be the vectors of such
features and e = (1, ..., 1) / sqrt(m). In the orthonormal basis that begins with e, a text uses only the first
coordinate, u = sum_i v_i / sqrt(m), and so only
u gets a gradient; an orthonormal change of basis leaves gradient descent as it is. Training therefore keeps u alone: a
text in which each of the features
occurs c times among n has sqrt(m) c / n of it. Afterwards each v_i is u / sqrt(m); what is dropped are differences of
initial values that no text could tell
apart. Words that begin at a given vector must keep such differences, and share no row.
In reviews of films two thirds of the word pairs occur in one text only, and share its one row.

Rows are ordered by falling number of uses, so that the rows of most visits lie together in cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.hashing import mixed
from lexigrad.machine.intrinsics import prefetch
from lexigrad.machine.threads import map_threads
from lexigrad.text.corpus import Corpus
from lexigrad.text.ngrams import add_word_ngrams, bucket_of, character_ngrams

MIN_BUCKETS = 1 << 10
MAX_BUCKETS = 1 << 22
"""Fitted buckets stay between these: 4 MiB to 16 MiB of int32 is what the map from buckets to rows may take."""
BUCKETS_PER_NGRAM = 4
"""Fitted: at least so many buckets per distinct n-gram, so that at most 22 % of them share a bucket with another (1 - exp(-1/4))."""
AHEAD = 16

_I32, _I64, _U32, _U64 = types.int32, types.int64, types.uint32, types.uint64
_TEXTS = (inputs(_I32), inputs(_I64), inputs(_I32), inputs(_U32), inputs(_U32), inputs(_I64), _I64, _I64, _I64)
"""tokens, token_offsets, word_ids, hashes, character values, character offsets, word_ngrams, n_words, n_buckets"""


@helper
def text_slots(  # type: ignore[no-untyped-def]
    tokens,
    start,
    stop,
    word_ids,
    hashes,
    characters,
    character_offsets,
    word_ngrams,
    n_words,
    n_buckets,
    slots,
    scratch,
):
    """Write the slots of all features of one text; return their number."""
    n = 0
    for i in range(start, stop):
        token = tokens[i]
        if word_ids[token] >= 0:
            slots[n] = word_ids[token]
            n += 1
        for j in range(character_offsets[token], character_offsets[token + 1]):
            slots[n] = n_words + bucket_of(np.uint64(characters[j]), n_buckets)
            n += 1
    if word_ngrams > 1:
        for i in range(start, stop):
            scratch[i - start] = hashes[tokens[i]]
        n = add_word_ngrams(scratch, stop - start, word_ngrams, n_words, n_buckets, slots, n)
    return n


@helper
def most_slots(tokens, start, stop, character_offsets, word_ngrams):  # type: ignore[no-untyped-def]
    """Return an upper bound on the features of one text."""
    n = (stop - start) * max(1, word_ngrams)
    for i in range(start, stop):
        n += character_offsets[tokens[i] + 1] - character_offsets[tokens[i]]
    return n


@helper
def longest_text(tokens, token_offsets, character_offsets, word_ngrams):  # type: ignore[no-untyped-def]
    """Return (most features, most tokens) of any text."""
    features, length = 1, 1
    for text in range(token_offsets.size - 1):
        start, stop = token_offsets[text], token_offsets[text + 1]
        features = max(features, most_slots(tokens, start, stop, character_offsets, word_ngrams))
        length = max(length, stop - start)
    return features, length


@kernel((*_TEXTS, _I64, _I64, outputs(_I32), outputs(_U64)))
def count_uses(  # type: ignore[no-untyped-def]
    tokens,
    token_offsets,
    word_ids,
    hashes,
    characters,
    character_offsets,
    word_ngrams,
    n_words,
    n_buckets,
    part,
    parts,
    uses,
    signatures,
):
    """Count every slot, and add up a hash of each text that it occurs in; `part` of `parts` does its share of the slots."""
    most, length = longest_text(tokens, token_offsets, character_offsets, word_ngrams)
    slots, scratch = np.empty(most, np.int64), np.empty(length, np.uint32)
    for text in range(token_offsets.size - 1):
        n = text_slots(
            tokens,
            token_offsets[text],
            token_offsets[text + 1],
            word_ids,
            hashes,
            characters,
            character_offsets,
            word_ngrams,
            n_words,
            n_buckets,
            slots,
            scratch,
        )
        mine = 0
        for j in range(n):
            slot = slots[j]
            if ((slot >> 4) & 0xFFFF) * parts >> 16 == part:
                slots[mine] = slot
                mine += 1
        signature = mixed(text)
        for j in range(mine):
            if j + AHEAD < mine:
                prefetch(uses, slots[j + AHEAD])
                prefetch(signatures, slots[j + AHEAD])
            uses[slots[j]] += 1
            signatures[slots[j]] += signature
    return token_offsets.size - 1


@kernel((inputs(_I32), inputs(_U64)))
def group_slots(uses, signatures):  # type: ignore[no-untyped-def]
    """Return (group of each slot or -1, uses of one member of each group, members of each group): equal signatures form a group."""
    occupied = 0
    for slot in range(uses.size):
        occupied += 1 if uses[slot] > 0 else 0
    size = 16
    while size < 2 * occupied:
        size *= 2
    table = np.full(size, -1, np.int32)
    group_of = np.full(uses.size, -1, np.int32)
    keys = np.empty(occupied, np.uint64)
    group_uses = np.empty(occupied, np.int32)
    members = np.zeros(occupied, np.int32)
    n = 0
    for slot in range(uses.size):
        if uses[slot] > 0:
            key = signatures[slot]
            place = np.int64(key & np.uint64(size - 1))
            while table[place] >= 0 and keys[table[place]] != key:
                place = (place + 1) & (size - 1)
            if table[place] < 0:
                table[place] = n
                keys[n] = key
                group_uses[n] = uses[slot]
                n += 1
            group_of[slot] = table[place]
            members[table[place]] += 1
    return group_of, group_uses[:n].copy(), members[:n].copy()


@kernel(
    (
        *_TEXTS,
        inputs(_I32),
        inputs(_I32),
        _I64,
        _I64,
        inputs(_I64),
        outputs(_I32),
        outputs(types.float32),
        outputs(_I64),
    )
)
def encode(  # type: ignore[no-untyped-def]
    tokens, token_offsets, word_ids, hashes, characters, character_offsets, word_ngrams, n_words, n_buckets, slot_rows, members,
    first, stop, starts, rows, shares, stops,
):  # fmt: skip
    """Write the texts first..stop: from ``starts[text]`` to ``stops[text]`` each row once, its share uses / (n_features sqrt(members))."""
    most, length = longest_text(tokens, token_offsets[first : stop + 1], character_offsets, word_ngrams)
    slots, scratch = np.empty(most, np.int64), np.empty(length, np.uint32)
    last = np.full(
        2 * members.size, -1, np.int32
    )  # for each row, the text that it was last seen in and its place there
    root = np.empty(members.size, np.float32)
    for row in range(members.size):
        root[row] = np.float32(1.0 / np.sqrt(np.float64(members[row])))
    for text in range(first, stop):
        n = text_slots(
            tokens, token_offsets[text], token_offsets[text + 1], word_ids, hashes, characters, character_offsets, word_ngrams,
            n_words, n_buckets, slots, scratch,
        )  # fmt: skip
        for j in range(n):
            if j + AHEAD < n:
                prefetch(slot_rows, slots[j + AHEAD])
            slots[j] = slot_rows[slots[j]]
            prefetch(last, 2 * slots[j])
        begin = starts[text]
        used = begin
        for j in range(n):
            row = slots[j]
            if last[2 * row] == text - first:
                shares[begin + last[2 * row + 1]] += np.float32(1)
            else:
                last[2 * row] = text - first
                last[2 * row + 1] = used - begin
                rows[used] = row
                shares[used] = np.float32(1)
                used += 1
        for j in range(begin, used):
            shares[j] *= root[rows[j]] / np.float32(n)
        stops[text] = used


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """The texts as rows of the input matrix: the hidden vector of text ``i`` is the sum of ``shares[j] * input[rows[j]]`` for ``j`` in
    ``starts[i]:stops[i]``.

    Attributes
    ----------
    rows : int32, with unused places between the texts
    shares : float32, sqrt(m) c / n of the features behind each row (see above)
    starts, stops : (n_texts,) int64
    """

    rows: NDArray[np.int32]
    shares: NDArray[np.float32]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @property
    def n_visits(self) -> int:
        """How many rows an epoch visits."""
        return int((self.stops - self.starts).sum())


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """Which feature has which row.

    Attributes
    ----------
    slot_rows : (n_words + n_buckets,) int32, the row of each slot, -1 for a bucket that nothing in training fell into
    n_words : words kept by `min_count`, the first of the corpus's vocabulary; or those of `ChosenWords`
    n_buckets : number of buckets, 0 where no n-gram is used
    members : (n_rows,) int32, how many features share each row
    """

    slot_rows: NDArray[np.int32]
    n_words: int
    n_buckets: int
    members: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ChosenWords:
    """Which words have rows of their own, where that is not for `min_count` alone to say.

    Attributes
    ----------
    word_ids : (n_tokens,) int32, the word that each token of a corpus's vocabulary is, or -1
    n_words : how many words there are; those that no token is get rows that training does not touch
    apart : words whose rows are not shared
    """

    word_ids: NDArray[np.int32]
    n_words: int
    apart: NDArray[np.int64]


def encode_corpus(
    corpus: Corpus,
    *,
    min_count: int,
    word_ngrams: int,
    min_n: int,
    max_n: int,
    buckets: int | None,
    threads: int,
    words: ChosenWords | None = None,
) -> tuple[FeatureSpace, EncodedTexts]:
    """Give rows to all features of a corpus and write each text as the rows that it visits.

    Parameters
    ----------
    corpus : tokenised texts
    min_count : words that occur less often have no row of their own; their n-grams still count
    word_ngrams, min_n, max_n : longest word n-gram; shortest and longest character n-gram (0: none)
    buckets : number of buckets, or None to fit it to the data
    threads : number of threads; the result does not depend on it
    words : the words that have rows, instead of those that occur `min_count` times
    """
    vocabulary = corpus.vocabulary
    if words is None:
        n_words = int(np.searchsorted(-vocabulary.counts, -min_count, side="right"))
        word_ids = np.where(vocabulary.counts >= min_count, np.arange(len(vocabulary)), -1).astype(np.int32)
    else:
        n_words, word_ids = words.n_words, words.word_ids
    if max_n > 0:
        characters, character_offsets = character_ngrams(vocabulary.arena, vocabulary.offsets, min_n, max_n)
    else:
        characters, character_offsets = np.empty(0, np.uint32), np.zeros(len(vocabulary) + 1, np.int64)
    texts = (
        corpus.tokens,
        corpus.token_offsets,
        word_ids,
        vocabulary.hashes,
        characters,
        character_offsets,
        word_ngrams,
    )
    n_ngrams = corpus.n_tokens * (word_ngrams - 1) + int(np.diff(character_offsets) @ vocabulary.counts)
    n_buckets = (buckets or _most_buckets(n_ngrams)) if n_ngrams or word_ngrams > 1 or max_n > 0 else 0
    uses, signatures = _count((*texts, n_words, n_buckets), threads)
    if buckets is None and n_buckets:
        n_buckets = fitted_buckets(int(np.count_nonzero(uses[n_words:])), n_buckets)
        uses, signatures = _folded(uses, n_words, n_buckets), _folded(signatures, n_words, n_buckets)
    if words is None:
        slot_rows, members = _assign_rows(uses, signatures)
    else:
        slot_rows, members = _assign_rows_apart(uses, signatures, words.apart)
    encoded = _encode_all((*texts, n_words, n_buckets), slot_rows, members, threads)
    return FeatureSpace(slot_rows, n_words, n_buckets, members), encoded


def _most_buckets(n_ngrams: int) -> int:
    """Return the power of two that is enough buckets even if all n-grams differ."""
    return int(np.clip(1 << (BUCKETS_PER_NGRAM * max(1, n_ngrams) - 1).bit_length(), MIN_BUCKETS, MAX_BUCKETS))


def fitted_buckets(occupied: int, n_buckets: int) -> int:
    """Return the power of two of at least four buckets per distinct n-gram, at most `n_buckets`.

    The number of distinct n-grams is estimated by linear counting, -m ln(1 - occupied / m) with m = n_buckets (K.
    Whang, B. Vander-Zanden and
    H. Taylor, ACM TODS 15, 1990).
    """
    distinct = -n_buckets * math.log1p(-min(occupied, n_buckets - 1) / n_buckets)
    wanted = 1 << max(0, math.ceil(math.log2(max(1.0, BUCKETS_PER_NGRAM * distinct))))
    return min(max(wanted, MIN_BUCKETS), n_buckets)


def _folded(slots: NDArray[Any], n_words: int, n_buckets: int) -> NDArray[Any]:
    """Return per-slot sums for fewer buckets: with powers of two, bucket b becomes b modulo their number."""
    if len(slots) == n_words + n_buckets:
        return slots
    return np.concatenate([slots[:n_words], slots[n_words:].reshape(-1, n_buckets).sum(axis=0, dtype=slots.dtype)])


def _count(texts: tuple[Any, ...], threads: int) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Return the uses and the signature of every slot."""
    n_slots = texts[-2] + texts[-1]
    uses, signatures = np.zeros(n_slots, np.int32), np.zeros(n_slots, np.uint64)
    list(map_threads(lambda part: count_uses(*texts, part, threads, uses, signatures), range(threads), threads))
    return uses, signatures


def _assign_rows(
    uses: NDArray[np.int32], signatures: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (slot_rows, members), rows numbered by falling use."""
    group_of, group_uses, members = group_slots(uses, signatures)
    order = np.argsort(-group_uses, kind="stable")
    rank = np.empty(len(order) + 1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1
    return rank[group_of], members[order]


OWN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (D. Knuth, The Art of Computer Programming 3, 6.4): as multiples of it, signatures are spread like those of texts."""


def _assign_rows_apart(
    uses: NDArray[np.int32], signatures: NDArray[np.uint64], apart: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the same where some slots have rows of their own; of these, those that nothing uses come last."""
    signatures[apart] = (apart.astype(np.uint64) + np.uint64(1)) * OWN
    slot_rows, members = _assign_rows(uses, signatures)
    unused = apart[uses[apart] == 0]
    slot_rows[unused] = len(members) + np.arange(len(unused), dtype=np.int32)
    return slot_rows, np.concatenate([members, np.ones(len(unused), np.int32)])


def _encode_all(
    texts: tuple[Any, ...], slot_rows: NDArray[np.int32], members: NDArray[np.int32], threads: int
) -> EncodedTexts:
    tokens, token_offsets, character_offsets, word_ngrams = texts[0], texts[1], texts[5], texts[6]
    starts = token_offsets * max(1, word_ngrams)
    if character_offsets[-1]:
        characters = np.cumsum(np.diff(character_offsets)[tokens])
        starts = starts + np.concatenate([[0], characters])[token_offsets]
    rows, shares = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    stops = np.empty(len(starts) - 1, np.int64)
    edges = np.searchsorted(token_offsets, np.linspace(0, len(tokens), 2 * threads + 1))
    edges[0], edges[-1] = 0, len(stops)
    list(
        map_threads(
            lambda edge: encode(*texts, slot_rows, members, *edge, starts, rows, shares, stops),
            pairwise(edges),
            threads,
        )
    )
    return EncodedTexts(rows, shares, starts[:-1], stops)
