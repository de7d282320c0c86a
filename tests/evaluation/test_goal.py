"""Goals of tuning: values by hand, a plain oracle, scikit-learn, and the names that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score, log_loss, precision_recall_curve

from lexigrad.errors import DataError, ParameterError
from lexigrad.evaluation.goal import Goal
from lexigrad.evaluation.metrics import precision_at_recall, recall_at_precision

LABELS = np.array(["a", "b", "c"])
LEVELS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)


def points(scores: NDArray[Any], positive: NDArray[Any]) -> list[tuple[float, float]]:
    """Precision and recall at every threshold, one after the other."""
    found = []
    for threshold in sorted(set(scores.tolist())):
        chosen = [bool(true) for score, true in zip(scores, positive, strict=True) if score >= threshold]
        found.append((sum(chosen) / len(chosen), sum(chosen) / int(positive.sum())))
    return found


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_curve_metrics_equal_the_oracle_and_scikit_learn(seed: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    scores = (rng.integers(0, 12, n) / 11).astype(dtype)  # many ties
    positive = rng.random(n) < rng.choice([0.1, 0.5, 0.9])
    positive[rng.integers(n)] = True
    precisions, recalls, _ = precision_recall_curve(positive, scores)
    for level in LEVELS:
        p_at_r = max(p for p, r in points(scores, positive) if r >= level)
        r_at_p = max((r for p, r in points(scores, positive) if p >= level), default=0.0)
        assert precision_at_recall(scores, positive, level) == p_at_r
        assert recall_at_precision(scores, positive, level) == r_at_p
        # scikit-learn adds the point (1, 0), which is no threshold
        assert p_at_r == pytest.approx(precisions[:-1][recalls[:-1] >= level].max(), abs=1e-15)
        assert r_at_p == pytest.approx(recalls[precisions >= level].max(), abs=1e-15)


@pytest.mark.parametrize("function", [precision_at_recall, recall_at_precision])
def test_curve_metrics_refuse_what_has_no_answer(function: Any) -> None:
    with pytest.raises(DataError, match="at least one positive"):
        function([0.1, 0.2], [False, False], 0.5)
    with pytest.raises(DataError, match="NaN"):
        function(np.array([0.1, np.nan], np.float32), [True, False], 0.5)
    with pytest.raises(DataError, match="one length"):
        function([0.1, 0.2], [True], 0.5)


def batches(n: int, seed: int, several: bool) -> tuple[list[Any], NDArray[np.float32], list[list[int]]]:
    """Random probabilities and labels, some unknown, cut into batches; and all of them."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(3), n).astype(np.float32)
    sets = [sorted(rng.choice(3, rng.integers(1, 4 if several else 2), replace=False).tolist()) for _ in range(n)]
    parts = []
    for first in range(0, n, 7):
        here = [[*ids, -1] if (first + i) % 5 == 0 else ids for i, ids in enumerate(sets[first : first + 7])]
        ids = np.array([j for one in here for j in one], np.int64)
        parts.append((probs[first : first + 7], ids, np.cumsum([0, *map(len, here)])))
    nothing = (probs[:1], np.array([-1]), np.array([0, 1]))  # a text with no known label does not count
    return [*parts, nothing], probs, sets


@pytest.mark.parametrize("several", [False, True])
def test_goals_equal_their_definitions(several: bool) -> None:
    scored, probs, sets = batches(60, 3, several)
    best = probs.argmax(axis=1)
    hits = sum(int(best[i]) in ids for i, ids in enumerate(sets))
    gold = sum(map(len, sets))
    true = np.array([[j in ids for j in range(3)] for ids in sets])

    def value(name: str) -> float:
        return Goal.parse(name).value(iter(scored), LABELS)

    assert value("accuracy") == hits / 60
    assert value("f1") == 2 * hits / (60 + gold)
    of_b = sum(best[i] == 1 and 1 in ids for i, ids in enumerate(sets))
    assert value("f1:b") == 2 * of_b / ((best == 1).sum() + true[:, 1].sum())
    for level in (0.2, 0.5, 0.9):
        assert value(f"precision_at_recall:{level}") == precision_at_recall(probs.ravel(), true.ravel(), level)
        assert value(f"recall_at_precision:{level}:c") == recall_at_precision(probs[:, 2], true[:, 2], level)
    if not several:
        targets = [ids[0] for ids in sets]
        assert value("macro_f1") == pytest.approx(f1_score(targets, best, average="macro"), abs=1e-12)
        assert value("log_loss") == pytest.approx(log_loss(targets, probs, labels=[0, 1, 2]), rel=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "", "F1", "f1:", "accuracy:a", "log_loss:0.5", "precision_at_recall", "precision_at_recall:", "precision_at_recall:1.5",
        "precision_at_recall:30", "recall_at_precision:0.5:", "recall_at_precision:nan", "recall_at_precision:-0.1", "precision", None, 3,
    ],
)  # fmt: skip
def test_other_names_are_refused(name: Any) -> None:
    with pytest.raises(ParameterError, match=r"metric=.*precision_at_recall:0.9:LABEL"):
        Goal.parse(name)


def test_labels_may_have_colons_and_be_numbers() -> None:
    assert Goal.parse("f1:a:b").label == "a:b"
    assert Goal.parse("recall_at_precision:.5:a:b").label == "a:b"
    numbers = np.array([1, 2, 3])
    scored, _, _ = batches(30, 4, False)
    assert Goal.parse("f1:2").value(scored, numbers) == Goal.parse("f1:b").value(scored, LABELS)


@pytest.mark.parametrize("name", ["f1:{}", "precision_at_recall:0.5:{}"])
def test_a_label_must_be_known_and_occur(name: str) -> None:
    with pytest.raises(ParameterError, match="there is no label 'd' in training; there are 'a', 'b', 'c'"):
        Goal.parse(name.format("d")).check(LABELS)
    without = [(np.full((2, 3), 1 / 3, np.float32), np.array([0, 1]), np.array([0, 1, 2]))]
    with pytest.raises(DataError, match="has the label 'c'"):
        Goal.parse(name.format("c")).value(without, LABELS)


@pytest.mark.parametrize("name", ["f1", "log_loss", "precision_at_recall:0.5"])
def test_no_labelled_text_is_an_error(name: str) -> None:
    unknown = [(np.full((1, 3), 1 / 3, np.float32), np.array([-1]), np.array([0, 1]))]
    for scored in ([], unknown):
        with pytest.raises(DataError, match="no labelled text"):
            Goal.parse(name).value(scored, LABELS)


def test_direction() -> None:
    assert Goal.parse("log_loss").better(0.1, 0.2)
    assert Goal.parse("f1").better(0.2, 0.1)
    assert not Goal.parse("f1").better(0.1, 0.1)
