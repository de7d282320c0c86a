"""Question 3(e) to 3(h) of the assignment in plain NumPy: costs and gradients of skip-gram and CBOW, written down from the formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Cost = Callable[[Any, int, Any], tuple[float, Any, Any]]
"""(predicted, target, output vectors) -> (cost, gradient of predicted, gradient of the output vectors)."""


def normalize_rows(x: Any) -> Any:
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax_cost(predicted: Any, target: int, output: Any) -> tuple[float, Any, Any]:
    """-log softmax(U v)_o; gradients U^T (y_hat - y) and (y_hat - y) v^T."""
    scores = output @ predicted
    probs = np.exp(scores - scores.max())
    probs /= probs.sum()
    cost = -float(np.log(probs[target]))
    probs[target] -= 1
    return cost, output.T @ probs, np.outer(probs, predicted)


def sampled_cost(negatives: list[int]) -> Cost:
    """-log sigmoid(u_o . v) - sum_k log sigmoid(-u_k . v); a negative that is drawn twice counts twice."""

    def cost(predicted: Any, target: int, output: Any) -> tuple[float, Any, Any]:
        total, d_predicted, d_output = 0.0, np.zeros_like(predicted), np.zeros_like(output)
        for word, sign in [(target, 1.0), *((word, -1.0) for word in negatives)]:
            right = sigmoid(sign * output[word] @ predicted)
            total -= float(np.log(right))
            d_predicted += sign * (right - 1) * output[word]
            d_output[word] += sign * (right - 1) * predicted
        return total, d_predicted, d_output

    return cost


def skipgram(center: int, contexts: list[int], vectors: Any, output: Any, cost: Cost) -> tuple[float, Any, Any]:
    """The centre's vector predicts each word of the context."""
    total, d_vectors, d_output = 0.0, np.zeros_like(vectors), np.zeros_like(output)
    for word in contexts:
        one, d_center, d_out = cost(vectors[center], word, output)
        total += one
        d_vectors[center] += d_center
        d_output += d_out
    return total, d_vectors, d_output


def cbow(
    center: int, contexts: list[int], vectors: Any, output: Any, cost: Cost, *, mean: bool
) -> tuple[float, Any, Any]:
    """The sum of the context's vectors, or their mean, predicts the centre; a word that stands there n times gets n times the gradient."""
    share = 1 / len(contexts) if mean else 1.0
    total, d_hidden, d_output = cost(share * vectors[contexts].sum(axis=0), center, output)
    d_vectors = np.zeros_like(vectors)
    for word in contexts:
        d_vectors[word] += share * d_hidden
    return total, d_vectors, d_output


def sgd(
    step: Callable[[Any], tuple[float, Any]], x: Any, rate: float, iterations: int, anneal_every: int
) -> tuple[Any, list[float]]:
    """Descend; the rate halves every `anneal_every` iterations. Return x and the running mean of the cost, 0.95 old + 0.05 new."""
    course: list[float] = []
    for iteration in range(1, iterations + 1):
        cost, gradient = step(x)
        x = x - rate * gradient
        course.append(cost if not course else 0.95 * course[-1] + 0.05 * cost)
        if iteration % anneal_every == 0:
            rate /= 2
    return x, course
