"""The text classifier in plain NumPy, float64: every feature a row of its own, one step at a time."""

from __future__ import annotations

from typing import Any

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


def question_loss(matrix: Array, output: Array, features: list[int], terms: list[tuple[int, float, float]]) -> float:
    """Sum of weight times the logistic loss over some rows of the output matrix, as (row, answer, weight)."""
    h = hidden(matrix, features)
    return float(sum(weight * np.logaddexp(0, (1 - 2 * answer) * (output[row] @ h)) for row, answer, weight in terms))


def terms(
    loss: str, questions: Any, labels: list[int], target: int, scores: Array, change: Array
) -> list[tuple[int, float, float]]:
    """The questions that a step asked about a text with such labels, of which `target` was drawn, as (row, answer, weight).

    Which negatives were drawn shows in the rows that moved, and how often in how far: lr times that number times sigmoid(s) times the length of h.
    """
    if loss == "one_vs_all":
        return [(label, float(label in labels), 1.0) for label in range(questions.n_outputs)]
    if loss == "hierarchical_softmax":
        way = slice(questions.ends[target], questions.ends[target + 1])
        return [(node, turn, 1.0) for node, turn in zip(questions.nodes[way], questions.turns[way], strict=True)]
    lengths = np.linalg.norm(change, axis=1)
    probs = 1 / (1 + np.exp(-scores))
    unit = lengths[target] / (1 - probs[target])
    others = [row for row in np.flatnonzero(lengths).tolist() if row != target]
    return [(target, 1.0, 1.0), *((row, 0.0, float(round(lengths[row] / probs[row] / unit))) for row in others)]
