"""Texts -> the rows of a trained model that they visit, read as `lexigrad.kernels.score` reads them, for training on."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types

from lexigrad.kernels.reading import character_arrays, reciprocal_of, text_rows, token_arrays
from lexigrad.machine.bits import TOKENS
from lexigrad.machine.compiler import inputs, kernel
from lexigrad.text.ngrams import most_features

_I32, _I64, _F32, _U8, _U32, _U64 = types.int32, types.int64, types.float32, types.uint8, types.uint32, types.uint64


@cache
def visits_with(pruned: bool, characters: bool) -> Any:
    """Return the kernel that lists visits, compiled when first asked for.

    Parameters
    ----------
    pruned : with a table of kept buckets; else `kept` is None
    characters : with character n-grams; else ``max_n`` is 0
    """
    kept = inputs(_U64) if pruned else types.none

    @kernel(
        (
            inputs(_U8), inputs(_I64), _I64, _I64, _I64, inputs(_U32), inputs(_U64), inputs(_U8), inputs(_I64), inputs(_I32), kept, _I64, inputs(_U8),
            _I64, _I64, _I64, _I64, _I64, inputs(_F32),
        )
    )  # fmt: skip
    def visits(  # type: ignore[no-untyped-def]
        data, offsets, first, stop, tokenizer, table, slots, arena, word_offsets, slot_rows, kept, n_blocks, label_prefix, n_words, n_buckets, word_ngrams,
        min_n, max_n, roots,
    ):  # fmt: skip
        """Return (rows, shares, ends, features) of the texts first..stop.

        Text i visits ``rows[ends[i]:ends[i + 1]]``, each row once, by rising row. The share of a row that m features have, c of them in this text of n
        features, is c / (n sqrt(m)), with ``roots[row] = sqrt(m)``. `features` is the sum of the n.
        """
        longest, most = 0, 0
        for text in range(first, stop):
            size = offsets[text + 1] - offsets[text]
            longest = max(longest, size)
            most += most_features(size + 1, 3 * size + 16 if characters else 0, word_ngrams, min_n, max_n) + 1
        buffer, bounds, words, hashes = token_arrays(longest)
        n_characters = 3 * longest + 16 if characters else 0
        found = np.empty(most_features(longest + 2, n_characters, word_ngrams, min_n, max_n) + 1 + TOKENS, np.int64)
        if characters:
            values, signs, widths, left, buckets = character_arrays(n_characters, max_n)
        else:
            values, signs, widths, left, buckets = None, None, None, None, None
        reciprocal = reciprocal_of(n_buckets)
        rows, shares = np.empty(most, np.int32), np.empty(most, np.float32)
        ends = np.zeros(stop - first + 1, np.int64)
        used, in_all = 0, 0
        for text in range(first, stop):
            n, n_features = text_rows(
                data, offsets[text], offsets[text + 1], tokenizer, table, slots, arena, word_offsets, slot_rows, kept, n_blocks, label_prefix, n_words,
                n_buckets, word_ngrams, min_n, max_n, reciprocal, buffer, bounds, words, hashes, values, signs, widths, left, n_characters, buckets, found,
                False,
            )  # fmt: skip
            found[:n].sort()
            begin = used
            for j in range(n):
                if used > begin and rows[used - 1] == found[j]:
                    shares[used - 1] += np.float32(1)
                else:
                    rows[used], shares[used] = found[j], np.float32(1)
                    used += 1
            for j in range(begin, used):
                shares[j] /= roots[rows[j]] * np.float32(n_features)
            ends[text - first + 1] = used
            in_all += n_features
        return rows[:used].copy(), shares[:used].copy(), ends, in_all

    return visits
