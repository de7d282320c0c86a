"""Hierarchical softmax: Huffman's tree is the cheapest, its probabilities add up to 1, and a training step follows the numeric gradient."""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lexigrad import log_sigmoid
from lexigrad.losses.hierarchical_softmax import huffman_paths


def falling(n: int) -> Any:
    rng = np.random.default_rng(n)
    return np.sort((rng.pareto(1, n) * 10 + 1).astype(np.int64))[::-1].copy()


def paths(counts: Any) -> list[list[tuple[int, float]]]:
    nodes, turns, ends = huffman_paths(counts)
    return [list(zip(nodes[a:b].tolist(), turns[a:b].tolist(), strict=True)) for a, b in pairwise(ends)]


def log_probability(path: list[tuple[int, float]], h: Any, u: Any) -> float:
    return float(sum(log_sigmoid(u[node] @ h if turn else -(u[node] @ h)) for node, turn in path))


@pytest.mark.parametrize("n", [2, 3, 7, 100, 2000])
def test_the_tree_costs_as_little_as_one_made_with_a_heap(n: int) -> None:
    counts = falling(n)
    heap, least = counts.tolist(), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        least += joined
        heapq.heappush(heap, joined)
    found = paths(counts)
    assert sum(count * len(path) for count, path in zip(counts.tolist(), found, strict=True)) == least
    assert {node for path in found for node, _ in path} == set(range(n - 1))
    assert all(path[0][0] == 0 for path in found)


def test_one_word_has_nothing_to_ask() -> None:
    assert paths(np.array([5])) == [[]]


def test_a_turn_of_one_leads_to_the_heavier_side() -> None:
    counts = falling(50)
    weight: dict[tuple[int, float], int] = {}
    for count, path in zip(counts.tolist(), paths(counts), strict=True):
        for step in path:
            weight[step] = weight.get(step, 0) + count
    for node in range(49):
        assert weight[node, 1.0] >= weight[node, 0.0] > 0


@pytest.mark.parametrize("n", [2, 5, 60])
def test_probabilities_of_all_words_add_up_to_one(n: int) -> None:
    rng = np.random.default_rng(n)
    h, u = rng.normal(size=8), rng.normal(size=(n - 1, 8))
    logs = [log_probability(path, h, u) for path in paths(falling(n))]
    assert np.exp(logs).sum() == pytest.approx(1, abs=1e-12)
