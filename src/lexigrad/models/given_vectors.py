"""Word vectors that training begins with: from what a user gives to one vector for each token, and which words then have rows."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, LexigradWarning, ParameterError
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.text.corpus import tokenize
from lexigrad.text.features import ChosenWords
from lexigrad.text.subwords import Subwords
from lexigrad.text.tokens import WHITESPACE
from lexigrad.text.unicode import load_table
from lexigrad.text.vocabulary import Vocabulary, merge
from lexigrad.text.words import Words

if TYPE_CHECKING:
    from lexigrad.models.word_vectors import WordVectors

Vectors = NDArray[np.float32]
NONE_MET = (
    "vectors: none of their words occurs in the texts; are they of the same language, and split by the same tokenizer?"
)
Given: TypeAlias = "WordVectors | str | os.PathLike[str] | Mapping[Any, Any]"
"""What a user may give."""


class GivenVectors(NamedTuple):
    """Words and their vectors, (n, dim)."""

    words: Sequence[Any]
    rows: Vectors


def read_given(vectors: Any, dim: int) -> GivenVectors:
    """Return words and their vectors, (n, dim).

    Parameters
    ----------
    vectors : `WordVectors`, the path of a file that `lexigrad.load` reads as such, or a mapping from words to vectors
    dim : the length that they must have

    Raises
    ------
    ParameterError
        If it is none of these, a classifier, empty, or of another length.
    DataError
        If a vector is no row of finite numbers.
    """
    from lexigrad.models.word_vectors import WordVectors

    name = "vectors"
    if isinstance(vectors, (str, os.PathLike)):
        from lexigrad.models.storage import load

        name, vectors = os.fspath(vectors), load(vectors)
    if isinstance(vectors, WordVectors):
        words, rows = vectors.words, vectors.vectors
    elif isinstance(vectors, Mapping):
        words, rows = list(vectors), _stacked(vectors)
    elif hasattr(vectors, "predict"):
        raise ParameterError(
            f"{name} holds a classifier: save the vectors of its words by model.save('words.vec') and give that file"
        )
    else:
        raise ParameterError(
            f"vectors: expected WordVectors, the path of a file of word vectors, or a mapping from words to vectors, got {type(vectors).__name__}"
        )
    if not words:
        raise ParameterError(f"{name}: there are no words in it")
    if rows.shape[1] != dim:
        raise ParameterError(
            f"{name}: the vectors have {rows.shape[1]} numbers each, and dim={dim}: set dim={rows.shape[1]}, or give vectors of {dim}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        total = rows.sum(dtype=np.float64)
    if not np.isfinite(total):
        broken = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise DataError(f"{name}: the vector of {words[broken]!r} has a number that is not finite")
    return GivenVectors(words, rows)


def _stacked(vectors: Mapping[Any, Any]) -> Vectors:
    """Return the values of a mapping as rows."""
    try:
        with np.errstate(over="ignore"):  # what is too large is found to be infinite
            rows = np.stack([np.asarray(vector, np.float32) for vector in vectors.values()]) if vectors else None
    except (TypeError, ValueError) as error:
        raise DataError(f"vectors: expected a row of numbers for each word, all of one length ({error})") from None
    if rows is None:
        return np.empty((0, 0), np.float32)
    if rows.ndim != 2:
        raise DataError(f"vectors: expected a row of numbers for each word, got shape {rows.shape[1:]}")
    return rows


def as_tokens(words: Sequence[Any], tokenizer: int) -> tuple[Vocabulary, NDArray[np.int64]]:
    """Return the tokens that the words are, and the word whose vector each token gets.

    A word that the tokeniser splits, or makes nothing of, can never be met and is left out. Where several words become one token, such as Apple and
    apple in lower case, the token itself comes first, and then the first of them.

    Raises
    ------
    DataError
        If the words are no strings.
    """
    if not isinstance(words, Words):
        strange = next((word for word in words if not isinstance(word, str)), None)
        if strange is not None:
            raise DataError(f"vectors: expected words that are str, as texts are made of them, got {strange!r}")
        words = Words.of_texts(words)
    offsets = np.ascontiguousarray(words.offsets, np.int64)
    arena = np.ascontiguousarray(words.arena)
    listed = Vocabulary.from_arrays(arena, offsets, np.zeros(len(words), np.int64))
    if tokenizer == WHITESPACE:
        spaces = np.isin(arena, np.frombuffer(b" \n\r\t\v\f\0", np.uint8))
        n_spaces = np.concatenate([[0], np.cumsum(spaces)])[offsets]
        whole = np.flatnonzero((np.diff(n_spaces) == 0) & (np.diff(offsets) > 0))
        return listed.selected(whole), whole
    tokens, token_offsets, found, found_offsets, hashes, _ = tokenize(
        tokenizer, arena, offsets, np.arange(len(words)), load_table()
    )
    one = np.flatnonzero(np.diff(token_offsets) == 1)
    token = tokens[token_offsets[one]]
    known = Vocabulary.from_arrays(found[: found_offsets[-1]], found_offsets, np.zeros(len(hashes), np.int64))
    same = _ids_in(known, listed)[1][one] == token
    order = np.lexsort((one, ~same, token))
    first = order[np.unique(token[order], return_index=True)[1]]
    first = first[np.argsort(one[first], kind="stable")]
    return known.selected(token[first].astype(np.int64)), one[first]


def _ids_in(words: Vocabulary, others: Vocabulary) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Return the words followed by those others that are new, and where each of the others is in there; counts are added."""
    slots, arena, offsets, hashes, counts, n, ids = merge(
        words.slots.copy(), words.arena.copy(), words.offsets, words.hashes, words.counts.copy(), len(words),
        others.arena, others.offsets, others.hashes, others.counts,
    )  # fmt: skip
    return Vocabulary(arena, offsets[: n + 1], hashes[:n], slots, counts[:n]), ids


@dataclass(frozen=True, slots=True)
class StartingWords:
    """Which words of a classifier have rows, and which of these rows begin at a given vector.

    Attributes
    ----------
    vocabulary : the words that have rows: those that occur often enough, by falling count, then rarer ones with a vector, then unseen ones
    chosen : the same as `lexigrad.text.features.encode_corpus` takes it
    ids : (n_given,) int64, words in `vocabulary` that have a vector
    vectors : (n_given, dim) float32
    n_seen : how many of them occur in training
    """

    vocabulary: Vocabulary
    chosen: ChosenWords
    ids: NDArray[np.int64]
    vectors: Vectors
    n_seen: int


def starting_words(
    vocabulary: Vocabulary, min_count: int, given: GivenVectors, tokenizer: int, keep_unseen: bool
) -> StartingWords:
    """Return the words that have rows where some begin at given vectors.

    Parameters
    ----------
    vocabulary : all tokens of the training texts, by falling count
    min_count : words that occur less often have a row only if they have a vector
    given : the vectors
    tokenizer : a value of `lexigrad.text.tokens.TOKENIZERS`
    keep_unseen : whether words that do not occur in training have a row, too
    """
    tokens, sources = as_tokens(given.words, tokenizer)
    everything, places = _ids_in(vocabulary, tokens)
    n = len(vocabulary)
    seen = places < n
    n_seen = int(seen.sum())
    if not n_seen:
        warnings.warn(NONE_MET, LexigradWarning, stacklevel=5)
    kept = everything.counts >= min_count
    kept[n:] = False
    kept[places[seen]] = True
    if keep_unseen:
        kept[n:] = True
    order = np.flatnonzero(kept)
    word_ids = np.full(len(everything), -1, np.int32)
    word_ids[order] = np.arange(len(order), dtype=np.int32)
    used = slice(None) if keep_unseen else seen
    ids = word_ids[places[used]].astype(np.int64)
    chosen = ChosenWords(word_ids[:n], len(order), ids)
    return StartingWords(
        everything.selected(order), chosen, ids, np.asarray(given.rows[sources[used]], np.float32), n_seen
    )


def starting_vectors(given: GivenVectors, tokenizer: int | None) -> FittedVectors:
    """Return given vectors as a model of words alone, which the training of word vectors can begin with.

    `tokenizer`: as in `as_tokens`; None where sentences are lists of items, and words are taken as they are.
    """
    words, rows = given
    if tokenizer is not None:
        tokens, sources = as_tokens(words, tokenizer)
        words, rows = Words(tokens.arena, tokens.offsets), np.asarray(rows[sources], np.float32)
    n = len(words)
    return FittedVectors(words, np.zeros(n, np.int64), rows, rows, None, Subwords(n, 0, 0, 1, np.empty(0, np.int64)))
