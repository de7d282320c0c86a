"""Hierarchical softmax is a distribution."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def huffman_paths(counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Return for each leaf the (inner node, turn) pairs of its path; there are len(counts) - 1 inner nodes."""
    heap = [(count, leaf, [leaf]) for leaf, count in enumerate(counts)]
    heapq.heapify(heap)
    paths: list[list[tuple[int, int]]] = [[] for _ in counts]
    for node in range(len(counts) - 1):
        (one, _, zeros), (other, _, ones) = heapq.heappop(heap), heapq.heappop(heap)
        for leaf in zeros:
            paths[leaf].append((node, 0))
        for leaf in ones:
            paths[leaf].append((node, 1))
        heapq.heappush(heap, (one + other, len(counts) + node, zeros + ones))
    return paths


def total(paths: Sequence[Sequence[tuple[int, int]]], scores: Sequence[Any], sigmoid: Callable[[Any], Any]) -> Any:
    """Return the sum of all leaves' probabilities."""
    result = 0
    for path in paths:
        prob = 1
        for node, turn in path:
            prob = prob * (sigmoid(scores[node]) if turn else sigmoid(-scores[node]))
        result += prob
    return result


def by_algebra() -> Iterator[Comparison]:
    """Any tree: replacing a leaf of probability p by a node with two leaves keeps the sum. Then whole Huffman trees, even and uneven."""
    x, p = sp.symbols("x p", real=True)
    yield Comparison("any tree, by induction", p * symbolic.sigmoid(x) + p * symbolic.sigmoid(-x), p)
    for n in symbolic.DIMENSIONS:
        for counts in ([1] * n, [2**i for i in range(n)]):
            scores = symbolic.vector("x", n - 1)
            yield Comparison({"leaves": n}, total(huffman_paths(counts), scores, symbolic.sigmoid), 1)


def in_200_bits() -> Iterator[Comparison]:
    """Huffman trees of random counts."""
    rng = random.Random(numeric.SEED)
    for n in (10, 100, 300):
        paths = huffman_paths([rng.randint(1, 10_000) for _ in range(n)])
        for [scores] in numeric.points(n - 1, count=1):
            yield Comparison({"leaves": n, "scores": scores}, total(paths, scores, numeric.sigmoid), 1)


def as_shipped() -> Iterator[Comparison]:
    """The same with `sigmoid`, in float64."""
    paths = huffman_paths([int(count) for count in 10_000 / np.arange(1, 201)])
    for [scores] in shipped.points(199):
        yes, no = maths.sigmoid(scores), maths.sigmoid(-scores)
        probs = [np.prod([yes[node] if turn else no[node] for node, turn in path]) for path in paths]
        yield Comparison({"scores": scores}, sum(probs), 1, 1e-13)


CLAIM = Claim(
    name="hierarchical_softmax_sums_to_one",
    title="Hierarchical softmax is a distribution",
    statement="In a binary tree whose inner nodes split their probability by sigmoid(x) and sigmoid(-x), the probabilities of the leaves sum to 1. "
    "So they do in every Huffman tree, whatever the scores.",
    latex=r"\sigma(x) + \sigma(-x) = 1 \quad\Rightarrow\quad \sum_{\mathrm{leaves}} \prod_{n \in \mathrm{path}} \sigma(\pm x_n) = 1",
    source="Morin and Bengio 2005, Hierarchical Probabilistic Neural Network Language Model",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
