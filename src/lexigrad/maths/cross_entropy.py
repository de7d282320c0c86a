"""Cross-entropy: from probabilities, from scores (softmax inside) and for independent yes/no labels (sigmoid inside).

    from probabilities   l = -sum_j y_j log p_j                            d l / d p_j = -y_j / p_j
    from scores          l = -sum_j y_j log softmax(x)_j                   d l / d x_j = softmax(x)_j sum_i y_i - y_j
    yes/no               l = -y log sigmoid(x) - (1 - y) log sigmoid(-x)   d l / d x = sigmoid(x) - y

Targets are labels (integers, one a row) or weights y of the shape of the predictions: one-hot, or soft; y need not sum to 1. The last axis
holds the classes. `reduction` is "mean" (over rows), "sum" or "none" (one loss a row).

A row whose scores are all -inf has no distribution: `DataError`. A NaN gives a loss and gradients of NaN for its row. A term with
y_j = 0 counts 0, also where log p_j is -inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lexigrad.errors import DataError, ParameterError
from lexigrad.maths import row_kernels
from lexigrad.maths.arrays import Array, as_floats, checked_out, computed, direct, flat, overlaps, result_dtype, share
from lexigrad.maths.sigmoid import log1pexp, sigmoid
from lexigrad.maths.softmax import CACHED

REDUCTIONS = ("mean", "sum", "none")


def cross_entropy(probs: ArrayLike, targets: ArrayLike, reduction: str = "mean") -> Any:
    """Return the cross-entropy of probabilities and targets.

        l = -sum_j y_j log p_j

    Parameters
    ----------
    probs : (..., n_labels), each in [0, 1]
    targets : integer labels (...,), or weights (..., n_labels)
    reduction : "mean", "sum" or "none"

    Returns
    -------
    float for "mean" and "sum", array (...,) for "none"; nats

    Raises
    ------
    DataError : a label out of range, shapes that do not fit, a probability outside [0, 1]
    ParameterError : an unknown reduction

    Examples
    --------
    >>> round(cross_entropy([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 8)
    0.49041463
    >>> round(cross_entropy([0.25, 0.75], [0.0, 1.0]), 8)
    0.28768207
    """
    p = _predictions(probs, "probs")
    if np.any((p < 0) | (p > 1)):
        raise DataError("probs: expected probabilities from 0 to 1; for scores use softmax_cross_entropy")
    labels, weights = _targets(targets, p.shape)
    with np.errstate(divide="ignore"):
        if labels is not None:
            losses = -np.log(np.take_along_axis(p, labels[..., None], -1)[..., 0])
        else:
            logs = np.log(p)
            losses = -(weights * np.where(weights == 0, 0, logs)).sum(axis=-1)
    return _reduced(losses + _nan_of_rows(p), reduction)


def cross_entropy_backward(d_loss: ArrayLike, probs: ArrayLike, targets: ArrayLike, reduction: str = "mean") -> Array:
    """Return d_probs = -d_loss y / p, divided by the number of rows for "mean"; 0 where y is 0.

    Examples
    --------
    >>> cross_entropy_backward(1.0, [[0.5, 0.5], [0.25, 0.75]], [0, 1]).round(8).tolist()
    [[-1.0, 0.0], [0.0, -0.66666667]]
    """
    p = _predictions(probs, "probs")
    y = _weights(targets, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        d_probs = np.where(y == 0, 0.0, -(y / p)) + _nan_of_rows(p)[..., None]
    return (d_probs * _upstream(d_loss, p.shape[:-1], reduction)[..., None]).astype(p.dtype, copy=False)


def softmax_cross_entropy(
    scores: ArrayLike,
    targets: ArrayLike,
    reduction: str = "mean",
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> tuple[Any, Array]:
    """Return the softmax cross-entropy of scores and its gradient, in one pass.

        l = -sum_j y_j log softmax(x)_j,    d_scores_j = softmax(x)_j sum_i y_i - y_j

    The loss of a label that leads by far is -log1p(S) with S summed without it, and its gradient -S / (1 + S): neither is 0 before
    it underflows. `d_scores` is that of the reduced loss: divided by the number of rows for "mean".

    Parameters
    ----------
    scores : (..., n_labels)
    targets : integer labels (...,), or weights (..., n_labels)
    reduction : "mean", "sum" or "none"
    out : array of the shape and dtype of `d_scores` to write it to; may be `scores` itself
    threads : over which rows are shared out when there are many; None means all processors of the process

    Returns
    -------
    loss : float for "mean" and "sum", float64 array (...,) for "none"; nats
    d_scores : array of the shape and dtype of `scores` (float64 for integers)

    Raises
    ------
    DataError : a label out of range, shapes that do not fit, a row of only -inf
    ParameterError : an unknown reduction, an `out` that does not fit

    Examples
    --------
    >>> loss, d_scores = softmax_cross_entropy([[1.0, 2.0]], [1])
    >>> round(loss, 8), d_scores.round(8).tolist()
    (0.31326169, [[0.26894142, -0.26894142]])
    """
    x = _predictions(scores, "scores")
    labels, weights = _targets(targets, x.shape)
    _checked_reduction(reduction)
    d_scores = checked_out(out, x.shape, result_dtype(x.dtype))
    rows, n = x.size // x.shape[-1], x.shape[-1]
    if not rows:
        return _reduced(np.empty(x.shape[:-1]), reduction), d_scores
    work_type = computed(x.dtype)
    if not direct(x) or x.dtype != work_type or overlaps(x, d_scores):
        x = np.array(x, work_type, order="C")
    result = d_scores if direct(d_scores) else np.empty(x.shape, work_type)
    losses = np.empty(x.shape[:-1])
    scale = 1.0 / rows if reduction == "mean" else 1.0
    source, target, flat_losses = flat(x), result.reshape(-1), losses.reshape(-1)
    in_place = np.may_share_memory(x, result)
    stored = not in_place and n * x.itemsize <= CACHED
    aims = np.require(labels if labels is not None else np.asarray(weights, work_type), requirements=["C", "A"])
    aims = flat(aims.copy() if np.may_share_memory(aims, result) else aims)
    bad: list[int] = []

    def work(first: int, stop: int) -> None:
        if labels is not None:
            row = row_kernels.softmax_cross_entropy(
                source, aims, flat_losses, target, first, stop, n, scale, True, stored
            )
        else:
            row = row_kernels.soft_cross_entropy(source, aims, flat_losses, target, first, stop, n, scale, True)
        if row >= 0:
            bad.append(row)

    share(work, rows, n, threads)
    if bad:
        raise DataError(
            f"scores: row {min(bad)} has no score above -inf, so no label has a probability; mask fewer labels"
        )
    if result is not d_scores:
        with np.errstate(over="ignore", under="ignore"):
            d_scores[...] = result
    return _reduced(losses, reduction), d_scores


def binary_cross_entropy(scores: ArrayLike, targets: ArrayLike, reduction: str = "mean") -> Any:
    """Return the cross-entropy of independent yes/no labels, from scores.

        l = y log(1 + exp(-x)) + (1 - y) log(1 + exp(x))

    Parameters
    ----------
    scores : any shape
    targets : the same shape, each from 0 to 1
    reduction : "mean" (over all elements), "sum" or "none"

    Raises
    ------
    DataError : shapes that do not fit, a target outside [0, 1]
    ParameterError : an unknown reduction

    Examples
    --------
    >>> round(binary_cross_entropy([0.0, 2.0], [1.0, 1.0]), 8)
    0.4100376
    """
    x, y = _pairs(scores, targets)
    yes, no = log1pexp(-x), log1pexp(x)
    losses = np.where(y > 0, y * np.where(y > 0, yes, 0), 0 * y) + np.where(y < 1, (1 - y) * np.where(y < 1, no, 0), 0)
    return _reduced(np.where(np.isnan(x), x, losses), reduction)


def binary_cross_entropy_backward(
    d_loss: ArrayLike, scores: ArrayLike, targets: ArrayLike, reduction: str = "mean"
) -> Array:
    """Return d_scores = d_loss (sigmoid(x) - y), divided by the number of elements for "mean".

    For y = 1 it is -sigmoid(-x), which keeps its digits where sigmoid(x) is next to 1.

    Examples
    --------
    >>> binary_cross_entropy_backward(1.0, [0.0, 2.0], [1.0, 1.0], "sum").round(8).tolist()
    [-0.5, -0.11920292]
    """
    x, y = _pairs(scores, targets)
    d_scores = (1 - y) * sigmoid(x) - y * sigmoid(-x)
    return np.asarray(d_scores * _upstream(d_loss, x.shape, reduction), x.dtype)


def _predictions(values: ArrayLike, name: str) -> Array:
    array = as_floats(values, name)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise DataError(f"{name}: expected shape (..., n_labels) with at least one label, got {array.shape}")
    return array.astype(result_dtype(array.dtype), copy=False)


def _pairs(scores: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    x = as_floats(scores, "scores")
    x = x.astype(result_dtype(x.dtype), copy=False)
    y = as_floats(targets, "targets").astype(x.dtype, copy=False)
    if x.shape != y.shape:
        raise DataError(f"targets: expected the shape of the scores, {x.shape}, got {y.shape}")
    if np.any((y < 0) | (y > 1)):
        raise DataError("targets: expected numbers from 0 (no) to 1 (yes)")
    return x, y


def _targets(targets: ArrayLike, shape: tuple[int, ...]) -> tuple[Array | None, Array | None]:
    """Return (labels, None) or (None, weights)."""
    array = as_floats(targets, "targets")
    if array.shape == shape:
        if np.any(array < 0):
            raise DataError("targets: expected weights from 0 up, got a negative one")
        return None, array
    if array.shape != shape[:-1]:
        raise DataError(
            f"targets: expected labels of shape {shape[:-1]} or weights of shape {shape}, got shape {array.shape}"
        )
    if array.dtype.kind not in "iu":
        raise DataError(f"targets: expected whole numbers as labels, got dtype {array.dtype}")
    if array.size and (array.min() < 0 or array.max() >= shape[-1]):
        wrong = array[(array < 0) | (array >= shape[-1])].flat[0]
        raise DataError(
            f"targets: label {wrong} is out of range; with {shape[-1]} labels they go from 0 to {shape[-1] - 1}"
        )
    return array.astype(np.int64, copy=False), None


def _nan_of_rows(p: Array) -> Array:
    """Return NaN for rows of probabilities with a NaN, 0 for the others."""
    return 0 * p.max(axis=-1)


def _weights(targets: ArrayLike, p: Array) -> Array:
    labels, weights = _targets(targets, p.shape)
    if labels is None:
        return np.asarray(weights)
    onehot = np.zeros(p.shape, p.dtype)
    np.put_along_axis(onehot, labels[..., None], 1, -1)
    return onehot


def _checked_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ParameterError(f"reduction={reduction!r}: expected one of {', '.join(map(repr, REDUCTIONS))}")


def _reduced(losses: Any, reduction: str) -> Any:
    _checked_reduction(reduction)
    if reduction == "none":
        return losses
    if not np.size(losses):
        if reduction == "mean":
            raise DataError(
                "there are no rows, so their mean does not exist; use reduction='sum' or give at least one row"
            )
        return 0.0
    total = float(np.sum(losses, dtype=np.float64))
    return total / np.size(losses) if reduction == "mean" else total


def _upstream(d_loss: ArrayLike, shape: tuple[int, ...], reduction: str) -> Array:
    _checked_reduction(reduction)
    upstream = as_floats(d_loss, "d_loss")
    if upstream.shape not in ((), shape if reduction == "none" else ()):
        raise DataError(f"d_loss: expected shape {shape if reduction == 'none' else ()}, got {upstream.shape}")
    scale = 1.0 / max(1, int(np.prod(shape))) if reduction == "mean" else 1.0
    return np.broadcast_to(upstream * scale, shape)
