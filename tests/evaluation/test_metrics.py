"""Rankings, AUROC and calibration: values worked out by hand, a plain oracle, scikit-learn."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lexigrad.errors import DataError, ParameterError
from lexigrad.evaluation import metrics
from lexigrad.evaluation.metrics import auroc, calibration_error, cross_entropies, precision_recall_f1, top_labels


@pytest.mark.parametrize("k", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_top_labels_equal_a_sort_by_falling_probability_and_rising_id(k, dtype, monkeypatch):
    monkeypatch.setattr(metrics, "BLOCK", 50)  # blocks of 7 rows, so that many are cut
    probs = np.random.default_rng(5).integers(0, 5, (200, 7)).astype(dtype) / 7  # many ties
    expected = [sorted(range(7), key=lambda label, row=row: (-row[label], label))[:k] for row in probs]
    assert top_labels(probs, k).tolist() == expected


def test_top_labels_of_one_label_and_of_no_text():
    assert top_labels(np.ones((3, 1)), 1).tolist() == [[0], [0], [0]]
    assert top_labels(np.ones((0, 4)), 2).shape == (0, 2)


def test_precision_recall_f1_by_hand_and_where_nothing_is():
    precision, recall, f1 = precision_recall_f1(np.array([3, 0, 0, 0]), np.array([4, 5, 0, 0]), np.array([6, 0, 5, 0]))
    assert precision.tolist() == [0.75, 0, 0, 0]
    assert recall.tolist() == [0.5, 0, 0, 0]
    assert f1.tolist() == [0.6, 0, 0, 0]


def test_cross_entropies_by_hand():
    probs = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], np.float32)
    found = cross_entropies(probs, np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([2, 1]))
    assert found == pytest.approx((np.log(2) + np.log(4)) / 2, rel=1e-15)


def test_a_probability_of_zero_costs_87_nats_and_not_infinity():
    found = cross_entropies(np.zeros((1, 1), np.float32), np.array([0]), np.array([0]), np.array([1]))
    assert found == pytest.approx(126 * np.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([1, 2, 3, 4], [1, 1, 0, 0], 0.0),
        ([1, 1, 1, 1, 1], [0, 1, 0, 1, 1], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
        ([-np.inf, 0, np.inf], [0, 1, 1], 1.0),
        ([2, 1, 2], [1, 0, 0], 0.75),
    ],
)
def test_auroc_by_hand(scores, positive, expected):
    assert auroc(scores, positive) == expected


def test_auroc_equals_the_count_of_all_pairs_and_scikit_learn():
    generator = np.random.default_rng(11)
    for n, distinct in itertools.product((2, 5, 60, 300), (2, 10, 10**6)):
        scores = generator.integers(0, distinct, n) / 7
        positive = generator.random(n) < 0.4
        positive[:2] = True, False
        higher = scores[positive][:, None] - scores[~positive]
        assert auroc(scores, positive) == ((higher > 0).sum() + (higher == 0).sum() / 2) / higher.size
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auroc_does_not_overflow_int32_and_depends_on_order_alone():
    n = 300_000  # 2.25e10 pairs
    scores = np.arange(n, dtype=np.float32)
    positive = np.arange(n) % 2 == 1
    expected = (n // 2 + 1) / n  # positive number i (from 1) is above i negatives
    assert auroc(scores, positive) == expected
    assert auroc(scores**3, positive) == auroc(scores / 1e6, positive) == expected


@pytest.mark.parametrize(
    ("scores", "positive", "message"),
    [
        ([1, 2], [1, 1], "2 and 0"),
        ([1, 2], [0, 0], "0 and 2"),
        ([], [], "0 and 0"),
        ([1, np.nan], [1, 0], "text 1"),
        ([1, 2], [1], "one length"),
        ([[1, 2]], [[1, 0]], "flat"),
    ],
)
def test_auroc_refuses(scores, positive, message):
    with pytest.raises(DataError, match=message):
        auroc(scores, positive)


def calibration_by_hand(confidence, correct, bins):
    total = 0.0
    for b in range(bins):
        inside = [
            (c, r)
            for c, r in zip(confidence, correct, strict=True)
            if (b / bins < c <= (b + 1) / bins) or (b == 0 and c == 0)
        ]
        if inside:
            stated, right = np.mean([c for c, _ in inside]), np.mean([r for _, r in inside])
            total += len(inside) / len(confidence) * abs(right - stated)
    return total


@pytest.mark.parametrize("bins", [1, 2, 10, 15])
def test_calibration_error_equals_the_formula(bins):
    generator = np.random.default_rng(bins)
    confidence = np.concatenate([generator.random(500), np.arange(bins + 1) / bins, [0, 0, 1, 1]])
    correct = generator.random(len(confidence)) < confidence**2
    assert calibration_error(confidence, correct, bins) == pytest.approx(
        calibration_by_hand(confidence, correct, bins), abs=1e-12
    )


def test_calibration_error_of_known_cases():
    assert calibration_error([1.0, 1.0], [True, True]) == 0
    assert calibration_error([1.0, 1.0], [False, False]) == 1
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert calibration_error([0.5, 0.51], [True, False], bins=2) == pytest.approx((0.5 + 0.51) / 2)  # 0.5 is in bin 1
    assert calibration_error(np.array([0.25, 0.5], np.float32), [1, 0], bins=1) == 0.125


@pytest.mark.parametrize("wrong", [([], []), ([1.1], [1]), ([-0.1], [1]), ([np.nan], [1]), ([0.5, 0.5], [1])])
def test_calibration_error_refuses(wrong):
    with pytest.raises(DataError):
        calibration_error(*wrong)
    with pytest.raises(ParameterError, match="bins=0"):
        calibration_error([0.5], [1], bins=0)
