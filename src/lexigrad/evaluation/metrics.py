"""Metrics: arrays in, numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, ParameterError

BLOCK = 1 << 20  # probabilities looked at together: bounds what ranking allocates to some tens of MB
SMALLEST = float(
    np.finfo(np.float32).tiny
)  # a probability that a float32 softmax rounded to 0 costs 87.3 nats, not infinity


def top_labels(probs: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The ids of the `k` most probable labels of each text, best first; of equal ones the lowest id comes first.

    Parameters
    ----------
    probs : (n, n_labels) finite
    k : 1 to n_labels

    Returns
    -------
    (n, k) int64

    Examples
    --------
    >>> import numpy as np
    >>> top_labels(np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]), 2)
    array([[1, 2],
           [0, 2]])
    """
    n, n_labels = probs.shape
    rows = max(1, BLOCK // n_labels)
    top = np.empty((n, k), np.int64)
    for start in range(0, n, rows):
        top[start : start + rows] = _top_of_block(probs[start : start + rows], k)
    return top


def _top_of_block(probs: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    if k == 1:
        return probs.argmax(axis=1, keepdims=True)
    n, n_labels = probs.shape
    last = np.partition(probs, n_labels - k, axis=1)[:, n_labels - k, None]
    above = probs > last
    ties = probs == last
    places_left = k - above.sum(axis=1, keepdims=True)
    chosen = above | (ties & (ties.cumsum(axis=1) <= places_left))
    ids = np.nonzero(chosen)[1].reshape(n, k)
    order = np.argsort(-np.take_along_axis(probs, ids, axis=1), axis=1, kind="stable")
    return np.take_along_axis(ids, order, axis=1)


def ratio(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """`part / whole`, and 0 where `whole` is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole != 0)


def precision_recall_f1(
    hits: ArrayLike, predicted: ArrayLike, gold: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and their harmonic mean from counts of any one shape.

        precision = hits / predicted,  recall = hits / gold,  f1 = 2 hits / (predicted + gold);  0 where 0 / 0

    Examples
    --------
    >>> [float(x) for x in precision_recall_f1(hits=3, predicted=4, gold=6)]
    [0.75, 0.5, 0.6]
    """
    both = np.add(predicted, gold)
    return ratio(hits, predicted), ratio(hits, gold), ratio(np.multiply(2, hits), both)


def cross_entropies(
    probs: NDArray[np.floating], rows: NDArray[np.int64], ids: NDArray[np.int64], counts: NDArray[np.int64]
) -> float:
    """Sum over texts of the mean cross-entropy over each text's labels.

        sum over j of -log(max(probs[rows[j], ids[j]], 1.2e-38)) / counts[rows[j]]

    Parameters
    ----------
    probs : (n, n_labels)
    rows, ids : (n_label_uses,) text and label of each use
    counts : (n,) how many labels each text has
    """
    chosen = probs[rows, ids].astype(np.float64)
    return float(-(np.log(np.maximum(chosen, SMALLEST)) / counts[rows]).sum())


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """How well a score separates two groups: the chance that a positive outscores a negative, ties counting one half.

        AUROC = (#{(p, q): s_p > s_q} + #{(p, q): s_p = s_q} / 2) / (n_positive n_negative)

    Counted in whole numbers from the ranks (the Mann-Whitney statistic): exact up to its last rounding.

    Parameters
    ----------
    scores : (n,) numbers, no NaN
    positive : (n,) bool

    Returns
    -------
    float in [0, 1]; 0.5 where the score tells nothing

    Raises
    ------
    DataError
        Different lengths, a NaN, or only one of the two groups.

    Examples
    --------
    >>> auroc([0.9, 0.8, 0.8, 0.1], [True, True, False, False])
    0.875
    """
    values, is_positive = _paired(scores, positive, "scores", "positive")
    n_positive = int(is_positive.sum())
    n_negative = len(values) - n_positive
    if not n_positive or not n_negative:
        raise DataError(f"AUROC needs positives and negatives; given were {n_positive} and {n_negative}")
    distinct, place = np.unique(values, return_inverse=True)
    positives = np.bincount(place[is_positive], minlength=len(distinct))
    negatives = np.bincount(place[~is_positive], minlength=len(distinct))
    below = np.cumsum(negatives) - negatives
    doubled = int((positives * (2 * below + negatives)).sum())
    return doubled / (2 * n_positive * n_negative)


def precision_at_recall(scores: ArrayLike, positive: ArrayLike, recall: float) -> float:
    """The best precision among the thresholds t at which "score >= t means positive" finds at least the share `recall` of the positives.

        max over t of |{i: s_i >= t, positive_i}| / |{i: s_i >= t}|   where   |{i: s_i >= t, positive_i}| / n_positive >= recall

    Parameters
    ----------
    scores : (n,) numbers, no NaN
    positive : (n,) bool
    recall : from 0 to 1

    Returns
    -------
    float in (0, 1]: with the lowest score as threshold the recall is 1

    Raises
    ------
    DataError
        Different lengths, a NaN, or no positive.

    Examples
    --------
    >>> precision_at_recall([0.9, 0.8, 0.8, 0.1], [True, True, False, True], recall=0.5)
    0.75
    """
    hits, found, n_positive = _at_thresholds(scores, positive)
    return float((hits / found)[hits / n_positive >= recall].max())


def recall_at_precision(scores: ArrayLike, positive: ArrayLike, precision: float) -> float:
    """The best recall among the thresholds at which at least the share `precision` of what is found is positive; 0 if there is none.

    Arguments and errors as in `precision_at_recall`.

    Examples
    --------
    >>> recall_at_precision([0.9, 0.8, 0.8, 0.1], [True, True, False, True], precision=0.7)
    1.0
    >>> recall_at_precision([0.9, 0.8, 0.8, 0.1], [True, True, False, True], precision=0.8)
    0.3333333333333333
    """
    hits, found, n_positive = _at_thresholds(scores, positive)
    return float((hits / n_positive)[hits / found >= precision].max(initial=0.0))


def _at_thresholds(scores: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return positives found and all found at each distinct score of a positive, and the number of positives.

    Other thresholds are never better: lowering one to a score that no positive has only adds what is negative.
    """
    values, is_positive = _paired(scores, positive, "scores", "positive", keep_float32=True)
    n_positive = int(is_positive.sum())
    if not n_positive:
        raise DataError("precision and recall need at least one positive, and none was given")
    thresholds, counts = np.unique(values[is_positive], return_counts=True)
    above = np.searchsorted(thresholds, values[~is_positive], side="right")  # thresholds that a negative reaches
    negatives = np.bincount(above, minlength=len(thresholds) + 1)
    hits = np.cumsum(counts[::-1])[::-1]
    return hits, hits + np.cumsum(negatives[::-1])[::-1][1:], n_positive


def calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: how far stated confidence is from the share that was right.

        ECE = sum over b of |B_b| / n * |mean(correct in B_b) - mean(confidence in B_b)|

    where ``B_b`` holds the texts whose confidence lies in ((b - 1) / bins, b / bins], b = 1..bins, and 0 goes to the
    first (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3).

    Parameters
    ----------
    confidence : (n,) in [0, 1], the probability of the label at rank 1
    correct : (n,) bool, whether that label was right

    Returns
    -------
    float in [0, 1]; 0 is perfectly calibrated

    Raises
    ------
    DataError
        Different lengths, nothing at all, or a confidence outside [0, 1].
    ParameterError
        `bins` below 1.

    Examples
    --------
    >>> round(calibration_error([0.8, 0.8, 0.6], [True, False, True]), 6)
    0.333333
    """
    if bins < 1:
        raise ParameterError(f"bins={bins}: expected at least 1")
    stated, right = _paired(confidence, correct, "confidence", "correct")
    if not len(stated) or stated.min() < 0 or stated.max() > 1:
        raise DataError("calibration needs at least one confidence, and all in [0, 1]")
    place = np.searchsorted(np.arange(1, bins) / bins, stated, side="left")
    gaps = np.bincount(place, right, bins) - np.bincount(place, stated, bins)
    return float(np.abs(gaps).sum() / len(stated))


def _paired(
    values: ArrayLike, flags: ArrayLike, name: str, flag_name: str, *, keep_float32: bool = False
) -> tuple[NDArray[np.floating], NDArray[np.bool]]:
    numbers, truths = np.asarray(values), np.asarray(flags, np.bool)
    if not (keep_float32 and numbers.dtype == np.float32):
        numbers = numbers.astype(np.float64, copy=False)
    if numbers.ndim != 1 or numbers.shape != truths.shape:
        raise DataError(
            f"{name} and {flag_name} must be two flat lists of one length; got {numbers.shape} and {truths.shape}"
        )
    if np.isnan(numbers).any():
        raise DataError(f"{name} must not hold NaN; text {int(np.isnan(numbers).argmax())} has it")
    return numbers, truths
