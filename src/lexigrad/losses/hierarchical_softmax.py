"""Hierarchical softmax: a word is found by yes-or-no questions on its way through a Huffman tree, about log2(n_words) of them instead of n_words.

    p(w | h) = prod_{j on the path of w} sigmoid(t_j u_j . h),    t_j = 1 where the path turns to the likelier side, -1 where it does not
    -log p(w | h) = sum_j [-y_j log sigmoid(s_j) - (1 - y_j) log sigmoid(-s_j)],    s_j = u_j . h,    y_j = (1 + t_j) / 2

The probabilities of all words add up to 1, for any vectors u_j of the n_words - 1 inner nodes: each node shares its part out by sigmoid(s) and
sigmoid(-s) = 1 - sigmoid(s). The loss is that of `lexigrad.losses.negative_sampling` with the nodes as outputs and y_j as labels, and its step is
that one's. Huffman's tree makes the mean number of questions least. Sources: F. Morin and Y. Bengio, "Hierarchical Probabilistic Neural Network
Language Model" (AISTATS 2005); T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed Representations of Words and Phrases and
their Compositionality" (NIPS 2013), section 2.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.losses import negative_sampling
from lexigrad.machine.compiler import helper, kernel
from lexigrad.machine.intrinsics import LANES, block_product
from lexigrad.maths.row_loops import exponentials

loss, gradient, loss_gradient, step = (
    negative_sampling.loss, negative_sampling.gradient, negative_sampling.loss_gradient, negative_sampling.step,
)  # fmt: skip
"""For a classifier: those of negative sampling, with the inner nodes on the way to a label as outputs."""

ZERO, ONE = np.float32(0.0), np.float32(1.0)


@kernel()
def _parents(counts, parents, heavier):  # type: ignore[no-untyped-def]
    """Join the two lightest of words and nodes until one is left: n words by falling count, node i is number n + i, the last one the root.

    Words wait in order of their counts and nodes in order of their making, which is by rising weight: so the lightest is at the head of one of
    two queues, and no heap is needed. Of a word and a node of equal weight the node is taken, as fastText does: its files hold no tree.
    """
    n = counts.size
    weights = np.zeros(max(1, n - 1), np.int64)
    word, node = n - 1, 0
    for made in range(n - 1):
        for turn in range(2):
            if word >= 0 and (node >= made or counts[word] < weights[node]):
                chosen, weight = word, counts[word]
                word -= 1
            else:
                chosen, weight = n + node, weights[node]
                node += 1
            weights[made] += weight
            parents[chosen] = n + made
            heavier[chosen] = turn == 1


@kernel()
def _fill_paths(parents, heavier, ends, nodes, turns):  # type: ignore[no-untyped-def]
    """Write the way from the root to each word; the root is output row 0."""
    n = ends.size - 1
    root = 2 * n - 2
    for word in range(n):
        place, here = ends[word + 1], word
        while here != root:
            place -= 1
            nodes[place] = root - parents[here]
            turns[place] = np.float32(1.0) if heavier[here] else np.float32(0.0)
            here = parents[here]


@kernel()
def _depths(parents, ends):  # type: ignore[no-untyped-def]
    """Set ends[w + 1] to the length of the way to word w."""
    n = ends.size - 1
    root = 2 * n - 2
    for word in range(n):
        here, depth = word, 0
        while here != root:
            here = parents[here]
            depth += 1
        ends[word + 1] = depth


def huffman_paths(counts: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Return (nodes, turns, ends): word w asks the inner nodes ``nodes[ends[w]:ends[w + 1]]``, from the root (0) on, and answers ``turns``.

    `counts` fall. There are n_words - 1 inner nodes; a turn is 1 towards the heavier side.
    """
    n = len(counts)
    parents, heavier = np.zeros(max(1, 2 * n - 1), np.int64), np.zeros(max(1, 2 * n - 1), np.bool_)
    ends = np.zeros(n + 1, np.int64)
    _parents(counts, parents, heavier)
    _depths(parents, ends)
    ends = np.cumsum(ends)
    nodes, turns = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
    _fill_paths(parents, heavier, ends, nodes, turns)
    return nodes, turns, ends


def huffman_children(counts: NDArray[np.int64], ids: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the tree from its root down, (2 * (n - 1),): what lies on the lighter and on the heavier side of each inner node.

    That is another inner node, a number that is larger than its parent's, or ``~ids[w]`` for the label or word w. `counts` fall. Row 0 is the root.
    """
    n = len(counts)
    parents, heavier = np.zeros(max(1, 2 * n - 1), np.int64), np.zeros(max(1, 2 * n - 1), np.bool_)
    _parents(counts, parents, heavier)
    root = 2 * n - 2
    children = np.empty(max(0, root), np.int32)
    values = np.concatenate([~np.asarray(ids, np.int64), root - np.arange(n, root)])
    children[2 * (root - parents[:root]) + heavier[:root]] = values
    return children


@helper
def predict(scores, n_nodes, children, lighter, probs):  # type: ignore[no-untyped-def]
    """Turn the scores of the inner nodes, (n_nodes * LANES,), into the probabilities of all labels, from the root down.

    A node shares its probability out by sigmoid(s) to the heavier side and sigmoid(-s) to the lighter one, both from exp(-|s|), so that small shares
    are as exact as large ones. `probs` has room for all labels and then all nodes. `lighter`, of the size of `scores`, is scratch; `scores` is lost.
    """
    n_labels = n_nodes + 1
    for i in range(n_nodes * LANES):
        lighter[i] = -abs(scores[i])
    exponentials(lighter, n_nodes * LANES)
    for i in range(n_nodes * LANES):
        more = ONE / (ONE + lighter[i])
        less = lighter[i] * more
        right = scores[i] >= ZERO
        lighter[i] = less if right else more
        scores[i] = more if right else less
    for lane in range(LANES):
        probs[(n_labels if n_nodes > 0 else 0) * LANES + lane] = ONE
    for node in range(n_nodes):
        left, right = children[2 * node], children[2 * node + 1]
        block_product(probs, n_labels + node, lighter, node, probs, ~left if left < 0 else n_labels + left)
        block_product(probs, n_labels + node, scores, node, probs, ~right if right < 0 else n_labels + right)


def label_vectors(children: NDArray[np.int32], output: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return sum_j t_j u_j over the way to each label, (n_labels, dim): what its score is linear in (`lexigrad.models.explanation`)."""
    n_nodes = len(children) // 2
    ways = np.zeros((n_nodes, output.shape[1]))
    vectors = np.zeros((n_nodes + 1, output.shape[1]))
    for node in range(n_nodes):
        for side, child in enumerate(children[2 * node : 2 * node + 2].tolist()):
            way = ways[node] + (1 if side else -1) * output[node].astype(np.float64)
            (vectors if child < 0 else ways)[~child if child < 0 else child] = way
    return vectors
