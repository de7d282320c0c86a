"""Tokens -> features -> rows of the input matrix.

The features of a text are its words, their character n-grams and its word n-grams; each has a slot (`lexigrad.text.ngrams`). Only what occurs in
training gets a row, and features that occur in the same texts, equally often in each, share one. Sharing is exact. Let v_1..v_m be the vectors of such
features and e = (1, ..., 1) / sqrt(m). In the orthonormal basis that begins with e, a text uses only the first coordinate, u = sum_i v_i / sqrt(m), and so only
u gets a gradient; an orthonormal change of basis leaves gradient descent as it is. Training therefore keeps u alone: a text in which each of the features
occurs c times among n has sqrt(m) c / n of it. Afterwards each v_i is u / sqrt(m); what is dropped are differences of initial values that no text could tell
apart. In reviews of films two thirds of the word pairs occur in one text only, and share its one row.

Rows are ordered by falling number of uses, so that the rows of most visits lie together in cache.
"""

from __future__ import annotations

from dataclasses import dataclass

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
SKETCH_BITS = 1 << 25
BLOCK_TEXTS = 256
AHEAD = 16

_I32, _I64, _U32, _U64 = types.int32, types.int64, types.uint32, types.uint64
_TEXTS = (inputs(_I32), inputs(_I64), inputs(_I32), inputs(_U32), inputs(_U32), inputs(_I64), _I64, _I64, _I64)
"""tokens, token_offsets, word_ids, hashes, character values, character offsets, word_ngrams, n_words, n_buckets"""


@helper
def text_slots(  # type: ignore[no-untyped-def]
    tokens, start, stop, word_ids, hashes, characters, character_offsets, word_ngrams, n_words, n_buckets, slots, scratch
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


@kernel((*_TEXTS, _I64, _I64, outputs(types.uint8)))
def sketch(  # type: ignore[no-untyped-def]
    tokens, token_offsets, word_ids, hashes, characters, character_offsets, word_ngrams, n_words, n_bits, part, parts, bits
):
    """Mark each n-gram's hash modulo `n_bits` in the bit set; `part` of `parts` marks its share of the texts."""
    most, length = longest_text(tokens, token_offsets, character_offsets, word_ngrams)
    slots, scratch = np.empty(most, np.int64), np.empty(length, np.uint32)
    n_texts = token_offsets.size - 1
    for text in range(n_texts * part // parts, n_texts * (part + 1) // parts):
        start, stop = token_offsets[text], token_offsets[text + 1]
        n = text_slots(
            tokens, start, stop, word_ids, hashes, characters, character_offsets, word_ngrams, 0, n_bits, slots, scratch
        )
        for j in range(n):
            slot = slots[j]
            bits[slot >> 3] |= np.uint8(1 << (slot & 7))
    return n_texts


@kernel((*_TEXTS, _I64, _I64, outputs(_I32), outputs(_U64)))
def count_uses(  # type: ignore[no-untyped-def]
    tokens, token_offsets, word_ids, hashes, characters, character_offsets, word_ngrams, n_words, n_buckets, part, parts, uses, signatures
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
            if (slot >> 4) % parts == part:
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


@kernel((*_TEXTS, inputs(_I32), inputs(_I32), _I64, _I64))
def encode(  # type: ignore[no-untyped-def]
    tokens, token_offsets, word_ids, hashes, characters, character_offsets, word_ngrams, n_words, n_buckets, slot_rows, members, first, stop
):
    """Return (rows int32, shares float32, counts int64) of the texts first..stop: each row once, its share uses / (n_features sqrt(members))."""
    total = 0
    for text in range(first, stop):
        total += most_slots(tokens, token_offsets[text], token_offsets[text + 1], character_offsets, word_ngrams)
    rows, shares = np.empty(total, np.int32), np.empty(total, np.float32)
    most, length = longest_text(tokens, token_offsets[first : stop + 1], character_offsets, word_ngrams)
    slots, scratch = np.empty(most, np.int64), np.empty(length, np.uint32)
    counts = np.empty(stop - first, np.int64)
    seen_in, place = np.full(members.size, -1, np.int32), np.empty(members.size, np.int32)
    used = 0
    for text in range(first, stop):
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
        begin = used
        for j in range(n):
            if j + AHEAD < n:
                prefetch(slot_rows, slots[j + AHEAD])
            row = slot_rows[slots[j]]
            if seen_in[row] == text - first:
                shares[begin + place[row]] += np.float32(1)
            else:
                seen_in[row] = text - first
                place[row] = used - begin
                rows[used] = row
                shares[used] = np.float32(1)
                used += 1
        for j in range(begin, used):
            shares[j] /= np.float32(n * np.sqrt(np.float64(members[rows[j]])))
        counts[text - first] = used - begin
    return rows[:used].copy(), shares[:used].copy(), counts


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """The texts as rows of the input matrix; the hidden vector of text ``i`` is the sum of ``shares[j] * input[rows[j]]``, ``j`` in offsets[i]:offsets[i + 1].

    Attributes
    ----------
    rows : (n_visits,) int32
    shares : (n_visits,) float32, sqrt(m) c / n of the features behind each row (see above)
    offsets : (n_texts + 1,) int64
    """

    rows: NDArray[np.int32]
    shares: NDArray[np.float32]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """Which feature has which row.

    Attributes
    ----------
    slot_rows : (n_words + n_buckets,) int32, the row of each slot, -1 for a bucket that nothing in training fell into
    n_words : words kept by `min_count`: the first of the corpus's vocabulary
    n_buckets : number of buckets, 0 where no n-gram is used
    members : (n_rows,) int32, how many features share each row
    """

    slot_rows: NDArray[np.int32]
    n_words: int
    n_buckets: int
    members: NDArray[np.int32]


def encode_corpus(
    corpus: Corpus, *, min_count: int, word_ngrams: int, min_n: int, max_n: int, buckets: int | None, threads: int
) -> tuple[FeatureSpace, EncodedTexts]:
    """Give rows to all features of a corpus and write each text as the rows that it visits.

    Parameters
    ----------
    corpus : tokenised texts
    min_count : words that occur less often have no row of their own; their n-grams still count
    word_ngrams, min_n, max_n : longest word n-gram; shortest and longest character n-gram (0: none)
    buckets : number of buckets, or None to fit it to the data
    threads : number of threads; the result does not depend on it
    """
    vocabulary = corpus.vocabulary
    n_words = int(np.searchsorted(-vocabulary.counts, -min_count, side="right"))
    word_ids = np.where(vocabulary.counts >= min_count, np.arange(len(vocabulary)), -1).astype(np.int32)
    if max_n > 0:
        characters, character_offsets = character_ngrams(vocabulary.arena, vocabulary.offsets, min_n, max_n)
    else:
        characters, character_offsets = np.empty(0, np.uint32), np.zeros(len(vocabulary) + 1, np.int64)
    texts = (corpus.tokens, corpus.token_offsets, word_ids, vocabulary.hashes, characters, character_offsets, word_ngrams)
    uses_ngrams = word_ngrams > 1 or max_n > 0
    n_buckets = (buckets or fitted_buckets(texts, threads)) if uses_ngrams else 0
    slot_rows, members = _assign_rows((*texts, n_words, n_buckets), threads)
    encoded = _encode_all((*texts, n_words, n_buckets), slot_rows, members, corpus.n_texts, threads)
    return FeatureSpace(slot_rows, n_words, n_buckets, members), encoded


def fitted_buckets(texts: tuple[object, ...], threads: int) -> int:
    """Return the power of two of at least four buckets per distinct n-gram, their number estimated by linear counting.

    With m bits of which z stay clear, the estimate is -m ln(z / m) (K. Whang, B. Vander-Zanden and H. Taylor, ACM TODS 15, 1990).
    """
    no_words = (texts[0], texts[1], np.full_like(texts[2], -1), *texts[3:])
    sketches = np.zeros((threads, SKETCH_BITS // 8), np.uint8)
    list(map_threads(lambda i: sketch(*no_words, 0, SKETCH_BITS, i, threads, sketches[i]), range(threads), threads))
    marked = int(np.bitwise_count(np.bitwise_or.reduce(sketches, axis=0)).sum())
    clear = max(1, SKETCH_BITS - marked)
    distinct = SKETCH_BITS * np.log(SKETCH_BITS / clear)
    return int(np.clip(1 << int(np.ceil(np.log2(max(1.0, BUCKETS_PER_NGRAM * distinct)))), MIN_BUCKETS, MAX_BUCKETS))


def _assign_rows(texts: tuple[object, ...], threads: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (slot_rows, members), rows numbered by falling use."""
    n_slots = texts[-2] + texts[-1]  # type: ignore[operator]
    uses, signatures = np.zeros(n_slots, np.int32), np.zeros(n_slots, np.uint64)
    list(map_threads(lambda part: count_uses(*texts, part, threads, uses, signatures), range(threads), threads))
    group_of, group_uses, members = group_slots(uses, signatures)
    order = np.argsort(-group_uses, kind="stable")
    rank = np.empty(len(order) + 1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1
    return rank[group_of], members[order]


def _encode_all(
    texts: tuple[object, ...], slot_rows: NDArray[np.int32], members: NDArray[np.int32], n_texts: int, threads: int
) -> EncodedTexts:
    token_offsets = texts[1]
    # Blocks of about 2^19 tokens: few enough that their per-row scratch does not count, many enough for all threads.
    marks = np.arange(0, token_offsets[-1], max(1 << 19, 4 * len(members)))  # type: ignore[index]
    edges = np.unique(np.append(np.searchsorted(token_offsets, marks), n_texts))  # type: ignore[call-overload]
    edges = np.unique(np.concatenate([[0], edges, [n_texts]]))
    parts = map_threads(
        lambda edge: encode(*texts, slot_rows, members, edge[0], edge[1]), zip(edges[:-1], edges[1:], strict=True), threads
    )
    rows, shares, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return EncodedTexts(rows, shares, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
