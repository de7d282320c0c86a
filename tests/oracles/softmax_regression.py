"""Softmax regression number by number: cost, gradient and Hessian of params in the order of `SoftmaxRegression.loss_gradient`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def scores_of(x: list[float], params: list[float], n_scores: int, intercept: bool) -> list[float]:
    """Return the scores of one example; two labels have the scores 0 and w . x + b."""
    dim = len(x)
    scores = [sum(w * f for w, f in zip(params[k * dim : (k + 1) * dim], x, strict=True)) for k in range(n_scores)]
    if intercept:
        scores = [score + params[n_scores * dim + k] for k, score in enumerate(scores)]
    return scores if n_scores > 1 else [0.0, *scores]


def loss_gradient(
    X: Any, ids: Any, weights: Any, params: Any, n_scores: int, intercept: bool, l2: float
) -> tuple[float, Any]:
    """Return f and its gradient."""
    params, dim = list(map(float, params)), len(X[0])
    cost = l2 / 2 * sum(w * w for w in params[: n_scores * dim])
    gradient = [l2 * w if k < n_scores * dim else 0.0 for k, w in enumerate(params)]
    for x, label, weight in zip(X, ids, weights, strict=True):
        scores = scores_of(list(x), params, n_scores, intercept)
        peak = max(scores)
        total = sum(math.exp(score - peak) for score in scores)
        cost += weight * (peak + math.log(total) - scores[label])
        for k in range(n_scores):
            of_label = k if n_scores > 1 else 1
            change = weight * (math.exp(scores[of_label] - peak) / total - (of_label == label))
            for j in range(dim):
                gradient[k * dim + j] += change * x[j]
            if intercept:
                gradient[n_scores * dim + k] += change
    return cost, np.array(gradient)


def hessian(X: Any, weights: Any, params: Any, n_scores: int, intercept: bool, l2: float) -> Any:
    """Return the whole Hessian: sum_i sw_i (diag P - P P^T) (x) (x, 1) (x, 1)^T, and l2 on the diagonal of the weights."""
    dim = len(X[0])
    place = np.concatenate(
        [np.arange(n_scores * dim).reshape(n_scores, dim).T.reshape(-1), n_scores * dim + np.arange(n_scores)]
    )
    out = np.zeros((n_scores * (dim + 1),) * 2)
    for x, weight in zip(X, weights, strict=True):
        scores = np.array(scores_of(list(x), list(params), n_scores, intercept))
        probs = np.exp(scores - scores.max())
        probs = (probs / probs.sum())[-n_scores:]
        long = np.append(x, 1.0)
        out[np.ix_(place, place)] += weight * np.kron(np.outer(long, long), np.diag(probs) - np.outer(probs, probs))
    out[np.arange(n_scores * dim), np.arange(n_scores * dim)] += l2
    size = n_scores * (dim + int(intercept))
    return out[:size, :size]
