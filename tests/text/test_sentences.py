"""Encoded sentences in memory and in files, and the phrases that are joined in them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lexigrad.text import phrases, sentences
from lexigrad.text.phrases import join_phrases
from lexigrad.text.sentences import TokenStore, encode_items, encode_texts
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import tokenizer_code


def made(n: int, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 50, rng.integers(0, 9)).tolist() for _ in range(n)]


def filled(store: TokenStore, listed: list[list[int]], step: int = 7) -> TokenStore:
    for first in range(0, len(listed), step):
        part = listed[first : first + step]
        store.add(np.array([i for sentence in part for i in sentence], np.int32), np.array(list(map(len, part))))
    return store


def as_lists(tokens: Any, offsets: Any) -> list[list[int]]:
    return [tokens[a:b].tolist() for a, b in pairwise(offsets)]


@pytest.mark.parametrize("how", ["memory", "folder", "full", "lent", "lent, full"])
def test_sentences_come_back_under_their_new_numbers(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "full" in how:
        monkeypatch.setattr(sentences, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(sentences, "PART_TOKENS", 64)
    listed = made(200)
    rank = np.random.default_rng(1).permutation(50).astype(np.int32) - 10
    store = filled(TokenStore(tmp_path if how == "folder" else None), listed)
    if "lent" in how:
        ids, lengths = store.ids().copy(), store.lengths()
        ids.flags.writeable = False
        store = TokenStore()
        store.lend(ids, lengths)
    assert store.in_file == (how not in ("memory", "lent"))
    assert (store.n_sentences, store.n_tokens) == (200, sum(map(len, listed)))
    expected = [[int(rank[i]) for i in sentence if rank[i] >= 0] for sentence in listed]
    assert as_lists(*store.numbered(rank)) == expected
    assert not list(tmp_path.iterdir())  # the file has no name


def test_items_are_numbered_by_first_use() -> None:
    store = TokenStore()
    items, counts = encode_items([["b", "a"], (), ("b", 7)], store)
    assert (items, counts.tolist()) == (["b", "a", 7], [2, 1, 1])
    tokens, offsets = store.numbered(np.arange(3, dtype=np.int32))
    assert as_lists(tokens, offsets) == [[0, 1], [], [0, 2]]


def test_texts_are_numbered_by_first_use() -> None:
    store = TokenStore()
    words = encode_texts(read_texts(["b a", "a c a"]), tokenizer_code("words"), 2, store)
    assert [words[i] for i in range(len(words))] == [b"b", b"a", b"c"]
    assert words.counts.tolist() == [1, 3, 1]


def plain_phrases(listed: list[list[str]], min_count: int) -> list[list[str]]:
    """Join pairs as the formula says, in plain Python."""
    words = Counter(word for sentence in listed for word in sentence)
    frequent = {word for word in words if words[word] >= min_count and word != "</s>"}
    pairs = Counter(pair for sentence in listed for pair in pairwise(sentence) if frequent.issuperset(pair))
    total = sum(words.values())
    chosen = {
        (a, b) for (a, b), n in pairs.items() if (n - min_count) / (words[a] * words[b]) * total > phrases.PHRASE_SCORE
    }
    result = []
    for sentence in listed:
        joined, at = [], 0
        while at < len(sentence):
            pair = tuple(sentence[at : at + 2])
            joined.append("_".join(pair) if pair in chosen else sentence[at])
            at += 2 if pair in chosen else 1
        result.append(joined)
    return result


@pytest.mark.parametrize("full", [False, True])
def test_phrases_are_those_of_the_formula(full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if full:  # the table of pairs grows, and the sentences lie in a file
        monkeypatch.setattr(sentences, "PART_TOKENS", 512)
    rng = np.random.default_rng(3)
    listed = []
    for _ in range(3000):
        sentence = [f"w{i}" for i in rng.integers(0, 2000, 6)]
        if rng.random() < 0.04:
            sentence[1:3] = ["new", "york"]
        if rng.random() < 0.05:
            sentence[3:6] = ["san", "jose", "new_york"][: len(sentence[3:6])]
        listed.append([*sentence, "</s>"])
    store = TokenStore(tmp_path if full else None)
    words = encode_texts(read_texts([" ".join(s) for s in listed]), tokenizer_code("whitespace"), 1, store)
    expected = [
        [word for word in sentence if word != "</s>"]
        for sentence in plain_phrases([[w for w in s if w != "</s>"] + ["</s>"] for s in listed], 5)
    ]
    joined, found = join_phrases(store, words, 5)
    names = [found[i].decode() for i in range(len(found))]
    kept = joined.numbered(np.arange(len(found), dtype=np.int32))
    result = [[names[i] for i in sentence if names[i] != "</s>"] for sentence in as_lists(*kept)]
    assert result == expected
    counts = Counter(word for sentence in result for word in sentence)
    assert {name: n for name, n in zip(names, found.counts.tolist(), strict=True) if n and name != "</s>"} == counts
    assert counts["new_york"] > 200  # 120 of them joined
    assert names.count("new_york") == 1


def test_rare_pairs_are_dropped_where_the_table_may_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "MOST_PAIRS", 1 << 16)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3000, 400_000).astype(np.int32)
    ids[::10], ids[1::10] = 1, 2
    pairs = phrases._Pairs()
    for part in np.split(ids, 40):
        pairs.add(part, np.full(100, 100, np.int32), np.ones(3000, bool))
    assert len(pairs.keys) == 1 << 16
    slot = np.flatnonzero(pairs.keys == (2 << 32 | 3))
    assert pairs.counts[slot[0]] >= 40_000
    assert pairs.least > 1
