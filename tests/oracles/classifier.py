"""The text classifier in plain NumPy, float64: every feature a row of its own, one step at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def hidden(matrix: Array, features: list[int]) -> Array:
    """Mean of the rows, repeated features counting each time."""
    return matrix[features].mean(axis=0)


def loss(matrix: Array, output: Array, features: list[int], target: int) -> float:
    return float(-np.log(softmax(output @ hidden(matrix, features))[target]))


def block_step(matrix: Array, output: Array, texts: list[tuple[list[int], int]], lr: float) -> tuple[Array, Array]:
    """One step on the summed loss of a block, all gradients at the same weights."""
    new_matrix, new_output = matrix.copy(), output.copy()
    for features, target in texts:
        h = hidden(matrix, features)
        d_scores = softmax(output @ h)
        d_scores[target] -= 1
        new_output -= lr * np.outer(d_scores, h)
        d_hidden = output.T @ d_scores
        for feature in features:
            new_matrix[feature] -= lr * d_hidden / len(features)
    return new_matrix, new_output
