"""The likeliest labels by a heap, as fastText finds them: where probabilities are equal, its answers are decided by the steps of the heap alone.

The steps are those of `std::push_heap`, `pop_heap` and `sort_heap` of GNU's C++ library, by the relation "has the larger key"; so the smallest key is in
front.
"""

from __future__ import annotations

import numpy as np

from lexigrad.losses.fasttext import OFFSET
from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import LANES

BELOW = 1.0 - 4e-6
"""A value that is smaller than another by this factor has a smaller logarithm in float32, too, at values from 1e-5 up."""
FAR_BELOW = 1.0 - 1e-4
"""The same for sums of some dozen logarithms in float32."""
SURELY_BELOW = 0.98
"""With the offset an answer may be 1.00001, so that on the way to a label a node may be somewhat less likely than the label itself."""


@helper
def sift_up(keys, ids, hole, key, label):  # type: ignore[no-untyped-def]
    """Put an entry in at the free place `hole`, or above it."""
    while hole > 0 and keys[(hole - 1) // 2] > key:
        keys[hole], ids[hole] = keys[(hole - 1) // 2], ids[(hole - 1) // 2]
        hole = (hole - 1) // 2
    keys[hole], ids[hole] = key, label


@helper
def pop(keys, ids, n):  # type: ignore[no-untyped-def]
    """Move the front of a heap of `n` entries to its end, place n - 1, which then is no part of it."""
    if n < 2:
        return
    key, label = keys[n - 1], ids[n - 1]
    keys[n - 1], ids[n - 1] = keys[0], ids[0]
    size = n - 1
    hole, child = 0, 0
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if keys[child] > keys[child - 1]:
            child -= 1
        keys[hole], ids[hole] = keys[child], ids[child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        keys[hole], ids[hole] = keys[child - 1], ids[child - 1]
        hole = child - 1
    sift_up(keys, ids, hole, key, label)


@helper
def written(n, k, keys, places, ids, values, start):  # type: ignore[no-untyped-def]
    """Write the `n` entries of a heap, best first, and after them ids of -1."""
    for size in range(n, 1, -1):
        pop(keys, places, size)
    for j in range(k):
        ids[start + j] = places[j] if j < n else -1
        values[start + j] = np.float32(np.exp(np.float64(keys[j]))) if j < n else np.float32(0)


@helper
def likeliest(probs, n_labels, lane, order, threshold, k, keys, places, ids, values, start):  # type: ignore[no-untyped-def]
    """Write the `k` best labels of one lane with a probability of at least `threshold`.

    `order` is in which order labels come; `keys` and `places` have room for k + 1 entries.
    """
    n, least = 0, 0.0
    for i in range(n_labels):
        label = order[i]
        prob = probs[label * LANES + lane]
        value = np.float64(prob) + OFFSET
        if prob < threshold or (n == k and value < least):
            continue
        key = np.float32(np.log(value))
        if n == k and key < keys[0]:
            continue
        sift_up(keys, places, n, key, label)
        n += 1
        if n > k:
            pop(keys, places, n)
            n -= 1
        if n == k:
            least = np.exp(np.float64(keys[0])) * BELOW
    written(n, k, keys, places, ids, values, start)


@helper
def likeliest_leaves(  # type: ignore[no-untyped-def]
    answers, children, lane, threshold, k, nodes, sums, shares, keys, places, ids, values, start
):
    """Write the `k` best labels of one lane by hierarchical softmax: the tree is walked from the root, left before right, and what is too unlikely is passed.

    `answers`, (n_nodes * LANES,), are the sigmoids of the nodes' scores; `nodes`, `sums` and `shares` have room for one more entry than there are labels.
    A share is exp of its sum, up to roundings: far below the least that counts no logarithm is needed.
    """
    lowest = np.float32(np.log(np.float64(threshold) + OFFSET))
    least = (np.float64(threshold) + OFFSET) * FAR_BELOW
    if k == 1 and children.size > 0:
        # No label is the best that is less likely than the one at the end of the likelier ways.
        node, sure = np.int32(0), 1.0
        while node >= 0:
            way = np.float64(answers[node * LANES + lane])
            heavier = way >= 0.5
            sure *= (way if heavier else 1.0 - way) + OFFSET
            node = children[2 * node + heavier]
        least = max(least, np.float64(sure * SURELY_BELOW))
    n, waiting = 0, 1
    nodes[0], sums[0], shares[0] = 0 if children.size > 0 else -1, np.float32(0), 1.0
    while waiting > 0:
        waiting -= 1
        node, key, share = nodes[waiting], sums[waiting], shares[waiting]
        if key < lowest or (n == k and key < keys[0]):
            continue
        if node >= 0:
            right = answers[node * LANES + lane]
            more = np.float64(right) + OFFSET
            less = np.float64(np.float32(1.0 - np.float64(right))) + OFFSET
            if not share * more < least:
                nodes[waiting], sums[waiting], shares[waiting] = (
                    children[2 * node + 1],
                    key + np.float32(np.log(more)),
                    share * more,
                )
                waiting += 1
            if not share * less < least:
                nodes[waiting], sums[waiting], shares[waiting] = (
                    children[2 * node],
                    key + np.float32(np.log(less)),
                    share * less,
                )
                waiting += 1
            continue
        sift_up(keys, places, n, key, ~node)
        n += 1
        if n > k:
            pop(keys, places, n)
            n -= 1
        if n == k:
            least = max(least, np.exp(np.float64(keys[0])) * FAR_BELOW)
    written(n, k, keys, places, ids, values, start)
