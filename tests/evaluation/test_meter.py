"""Meter and Evaluation: a case worked out by hand, a plain oracle with sets, scikit-learn, twins, edges."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from lexigrad.errors import DataError, ParameterError
from lexigrad.evaluation import Meter, meter


def flat(targets):
    """Lists of ids -> (ids, offsets)."""
    ids = [label for text in targets for label in text]
    return np.array(ids, np.int32), np.cumsum([0, *map(len, targets)])


def evaluate(probs, targets, labels=None, **options):
    probs = np.asarray(probs)
    measured = Meter(probs.shape[1], **options)
    measured.update(probs, *flat(targets))
    return measured.result(labels or [f"l{i}" for i in range(probs.shape[1])])


def random_case(seed, n, n_labels, most_labels):
    generator = np.random.default_rng(seed)
    probs = generator.dirichlet(np.full(n_labels, 0.5), n).astype(np.float32)
    probs = np.round(probs, 2)  # ties, and zeros
    targets = [generator.integers(-1, n_labels, generator.integers(0, most_labels + 1)).tolist() for _ in range(n)]
    return probs, targets


def numbers(evaluation):
    return evaluation.to_dict()


# By hand. Columns a, b, c, d. The best label of each text: a, b, a, c, c; the second: b, a, c, a, b.

PROBS = np.array(
    [
        [0.6, 0.3, 0.1, 0.0],
        [0.4, 0.5, 0.1, 0.0],
        [0.7, 0.0, 0.3, 0.0],
        [0.3, 0.1, 0.5, 0.1],
        [0.1, 0.3, 0.6, 0.0],
    ],
    np.float32,
)
TARGETS = [[0], [0, 1], [2, -1], [-1], []]  # the last two do not count


def test_by_hand_at_1():
    found = evaluate(PROBS, TARGETS, ["a", "b", "c", "d"])
    assert (found.n_texts, found.n_skipped, found.n_unknown_label) == (3, 2, 2)
    # predicted a, b, a; hits a, b; gold a, a, b, c
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 4)
    assert found.f1 == pytest.approx(4 / 7)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.per_label == {
        "a": (0.5, 0.5, 0.5, 2),
        "b": (1.0, 1.0, 1.0, 1),
        "c": (0.0, 0.0, 0.0, 1),
        "d": (0.0, 0.0, 0.0, 0),
    }
    assert found.macro_precision == found.macro_recall == found.macro_f1 == pytest.approx(0.5)  # d occurs nowhere
    expected = -(np.log(0.6) + (np.log(0.4) + np.log(0.5)) / 2 + np.log(0.3)) / 3
    assert found.log_loss == pytest.approx(expected, rel=1e-6)
    assert found.confusion.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert found.confusion.dtype == np.int64
    assert found.most_confused(5) == [("a", "b", 1), ("c", "a", 1)]
    assert found.most_confused(1) == [("a", "b", 1)]


def test_by_hand_at_2():
    found = evaluate(PROBS, TARGETS, ["a", "b", "c", "d"], k=2)
    # predicted ab, ba, ac; hits a, ab, c; gold a, ab, c
    assert (found.precision, found.recall) == (pytest.approx(4 / 6), 1.0)
    assert found.per_label["a"] == (pytest.approx(2 / 3), 1.0, pytest.approx(0.8), 2)
    assert found.accuracy == pytest.approx(2 / 3)  # rank 1 alone


def test_by_hand_with_a_threshold():
    found = evaluate(PROBS, TARGETS, ["a", "b", "c", "d"], k=2, threshold=0.4)
    # predicted a, ba, a; a probability equal to the threshold is enough
    assert (found.precision, found.recall) == (pytest.approx(3 / 4), pytest.approx(3 / 4))
    found = evaluate(PROBS, TARGETS, ["a", "b", "c", "d"], threshold=1.0)
    assert (found.precision, found.recall, found.f1, found.macro_f1) == (0, 0, 0, 0)
    assert found.accuracy == pytest.approx(2 / 3)  # no threshold here, nor in the confusion
    assert found.confusion.sum() == 4


def test_a_label_that_is_only_predicted_lowers_the_macro_averages():
    found = evaluate([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], [[0], [0]])
    assert (found.macro_precision, found.macro_recall) == (
        0.5,
        0.25,
    )  # of the first two labels; the third occurs nowhere
    assert found.macro_f1 == pytest.approx(1 / 3)


# The oracle: sets and loops


def plain(probs, targets, k, threshold):
    n_labels = probs.shape[1]
    hits, predicted, gold, pairs = Counter(), Counter(), Counter(), Counter()
    losses, right = [], 0
    for row, given in zip(probs, targets, strict=True):
        known = {label for label in given if label >= 0}
        if not known:
            continue
        ranked = sorted(range(n_labels), key=lambda label, row=row: (-row[label], label))
        made = {label for label in ranked[:k] if row[label] >= np.float32(threshold)}
        hits.update(made & known)
        predicted.update(made)
        gold.update(known)
        pairs.update((label, ranked[0]) for label in known)
        right += ranked[0] in known
        losses.append(np.mean([-np.log(max(float(row[label]), 2.0**-126)) for label in known]))
    matrix = np.zeros((n_labels, n_labels), int)
    for (true, answer), count in pairs.items():
        matrix[true, answer] = count
    return {
        "n_texts": len(losses),
        "precision": hits.total() / max(predicted.total(), 1),
        "recall": hits.total() / gold.total(),
        "accuracy": right / len(losses),
        "log_loss": np.mean(losses),
        "confusion": matrix.tolist(),
        "macro_recall": np.mean([hits[i] / max(gold[i], 1) for i in range(n_labels) if gold[i] + predicted[i]]),
        "support": [gold[i] for i in range(n_labels)],
    }


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("threshold", [0.0, 0.25])
@pytest.mark.parametrize("most_labels", [1, 4])
def test_equals_the_oracle(k, threshold, most_labels):
    probs, targets = random_case(k, 400, 5, most_labels)
    found, expected = evaluate(probs, targets, k=k, threshold=threshold), plain(probs, targets, k, threshold)
    assert [score.support for score in found.per_label.values()] == expected.pop("support")
    for name, value in expected.items():
        assert np.asarray(numbers(found)[name]) == pytest.approx(np.asarray(value), rel=1e-12), name


# scikit-learn


def test_one_label_a_text_equals_scikit_learn():
    generator = np.random.default_rng(8)
    probs = generator.dirichlet(np.ones(12), 3000)
    probs[:, 11] = 0  # never predicted
    probs /= probs.sum(axis=1, keepdims=True)
    true = generator.integers(0, 11, 3000)  # label 11 is never true either, 10 is rarely right
    answers = probs.argmax(axis=1)
    found = evaluate(probs, true[:, None].tolist())
    for average, prefix in (("micro", ""), ("macro", "macro_")):
        expected = precision_recall_fscore_support(true, answers, average=average, zero_division=0)[:3]
        values = [getattr(found, prefix + name) for name in ("precision", "recall", "f1")]
        assert values == pytest.approx(expected, rel=1e-12)
    expected = precision_recall_fscore_support(true, answers, labels=range(12), zero_division=0)
    assert np.array(list(found.per_label.values())) == pytest.approx(np.array(expected).T, rel=1e-12)
    assert found.confusion.tolist() == confusion_matrix(true, answers, labels=range(12)).tolist()
    assert found.accuracy == pytest.approx(accuracy_score(true, answers))
    assert found.log_loss == pytest.approx(log_loss(true, probs, labels=range(12)), rel=1e-9)


def test_several_labels_a_text_equal_scikit_learn():
    probs, targets = random_case(2, 500, 6, 3)
    probs, targets = probs + np.arange(6, dtype=np.float32) / 1e4, [t or [0] for t in targets]  # no ties
    targets = [[label for label in t if label >= 0] or [1] for t in targets]
    gold, made = np.zeros((500, 6), int), np.zeros((500, 6), int)
    for i, given in enumerate(targets):
        gold[i, given] = 1
        made[i, np.argsort(-probs[i])[:2]] = 1
    found = evaluate(probs, targets, k=2)
    for average, prefix in (("micro", ""), ("macro", "macro_")):
        expected = precision_recall_fscore_support(gold, made, average=average, zero_division=0)[:3]
        values = [getattr(found, prefix + name) for name in ("precision", "recall", "f1")]
        assert values == pytest.approx(expected, rel=1e-12)


# Twins


def test_batches_of_any_size_and_sliced_offsets_give_the_same(monkeypatch):
    probs, targets = random_case(4, 300, 7, 3)
    whole = numbers(evaluate(probs, targets, k=3))
    ids, offsets = flat(targets)
    for step in (1, 7, 299):
        measured = Meter(7, k=3)
        for start in range(0, 300, step):
            measured.update(probs[start : start + step], ids, offsets[start : start + step + 1])
        found = numbers(measured.result([f"l{i}" for i in range(7)]))
        assert found.pop("log_loss") == pytest.approx(whole["log_loss"], rel=1e-12)
        assert found == {name: value for name, value in whole.items() if name != "log_loss"}


def test_many_merges_of_the_pairs_lose_none():
    generator = np.random.default_rng(1)
    counts = meter._PairCounts(900)
    expected = np.zeros((900, 900), np.int64)
    for _ in range(12):
        true, answer = generator.integers(0, 900, (2, 40_000))
        counts.add(true, answer)
        np.add.at(expected, (true, answer), 1)
    found = np.zeros_like(expected)
    found[counts.cells().true, counts.cells().predicted] = counts.cells().counts
    assert np.array_equal(found, expected)


def test_top_k_gives_what_all_probabilities_give_but_the_log_loss():
    probs, targets = random_case(6, 300, 7, 3)
    ranked = np.argsort(-probs, axis=1, kind="stable")[:, :3]
    measured = Meter(7, k=3, threshold=0.1)
    best = np.take_along_axis(probs, ranked, axis=1)
    measured.update_top_k(np.where(best >= 0, ranked, -1), best, *flat(targets))
    found = numbers(measured.result([f"l{i}" for i in range(7)]))
    assert found.pop("log_loss") is None
    expected = numbers(evaluate(probs, targets, k=3, threshold=0.1))
    assert found == {name: value for name, value in expected.items() if name != "log_loss"}


def test_top_k_with_places_without_a_prediction():
    measured = Meter(3, k=2)
    measured.update_top_k([[1, -1], [-1, -1]], np.array([[0.6, 0], [0, 0]]), *flat([[1], [2]]))
    found = measured.result("abc")
    assert (found.precision, found.recall, found.accuracy) == (1.0, 0.5, 0.5)
    assert found.confusion.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


# Edges


def test_one_label_only():
    found = evaluate(np.ones((4, 1), np.float32), [[0], [0], [-1], [0]])
    assert (found.precision, found.recall, found.f1, found.log_loss, found.n_skipped) == (1, 1, 1, 0, 1)
    assert found.confusion.tolist() == [[3]]
    assert found.most_confused(3) == []
    assert "taken for" not in str(found)


def test_k_is_clipped_to_the_number_of_labels():
    found = evaluate(PROBS, TARGETS, k=100)
    assert found.k == 4
    assert (found.precision, found.recall) == (pytest.approx(4 / 12), 1.0)


def test_a_label_given_twice_to_a_text_counts_once():
    assert numbers(evaluate(PROBS, [[0, 0], [1, 0, 1], [2], [], []])) == numbers(
        evaluate(PROBS, [[0], [0, 1], [2], [], []])
    )


@pytest.mark.parametrize("targets", [[[], [-1]], []])
def test_no_labelled_text(targets):
    with pytest.raises(DataError, match=f"no labelled text: of {len(targets)} texts"):
        evaluate(np.full((len(targets), 2), 0.5), targets)


def test_a_hundred_thousand_labels_need_no_square_matrix():
    measured = Meter(100_000, k=2)
    ids = np.array([[5, 99_999], [7, 5]])
    measured.update_top_k(ids, np.array([[0.9, 0.1], [0.9, 0.1]]), *flat([[5], [99_999]]))
    found = measured.result(np.arange(100_000))
    assert found.most_confused(9) == [(99_999, 7, 1)]
    assert found.accuracy == 0.5


@pytest.mark.parametrize(
    ("probs", "ids", "offsets", "message"),
    [
        (np.ones((2, 3)), [0, 0], [0, 1, 2], r"shape \(2, 3\); expected \(number of texts, 2\)"),
        (np.ones(2), [0], [0, 1], "shape"),
        (np.array([[0.5, np.nan]]), [0], [0, 1], r"in \[0, 1\]"),
        (np.array([[-3.0, 2.0]]), [0], [0, 1], r"reach from -3.0 to 2.0"),
        (np.array([[0.5, 0.5]]), [2], [0, 1], "from 0 to 1, or -1; these reach from 2 to 2"),
        (np.array([[0.5, 0.5]]), [-2], [0, 1], "from 0 to 1, or -1"),
        (np.array([[0.5, 0.5]]), [0], [0, 2], "target_offsets must be 2 rising positions in the 1 target_ids"),
        (np.array([[0.5, 0.5]]), [0], [0], "target_offsets"),
        (np.array([[0.5, 0.5]]), [0], [1, 0], "target_offsets"),
        (np.array([[0.5, 0.5]]), [0], [-1, 1], "target_offsets"),
    ],
)
def test_bad_batches_are_refused_and_leave_no_trace(probs, ids, offsets, message):
    measured = Meter(2)
    with pytest.raises(DataError, match=message):
        measured.update(probs, ids, offsets)
    measured.update(np.array([[0.75, 0.25]]), [0], [0, 1])
    assert numbers(measured.result("ab")) == numbers(evaluate([[0.75, 0.25]], [[0]], ["a", "b"]))


def test_bad_parameters_are_refused():
    for wrong in ({"n_labels": 0}, {"k": 0}, {"threshold": 1.5}, {"threshold": float("nan")}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            Meter(**({"n_labels": 2} | wrong))
    for labels in ("a", "abc", "aa"):
        with pytest.raises(ParameterError, match="2 different names"):
            Meter(2).result(labels)


def test_top_k_of_the_wrong_shape_is_refused():
    for ids in ([[0]], [0, 1], [[0, 5]]):
        with pytest.raises(DataError, match=r"shapes|label id"):
            Meter(3, k=2).update_top_k(ids, np.full(np.shape(ids), 0.5), [0], [0, 1])


# The report


def test_to_dict_is_json_with_the_attributes_as_keys():
    found = evaluate(PROBS, TARGETS, np.array([3, 1, 2, 0]).tolist(), k=2)
    restored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    for name, value in restored.items():
        if name not in ("per_label", "confusion"):
            assert getattr(found, name) == value
    assert np.array_equal(restored["confusion"], found.confusion)
    assert restored["per_label"]["3"] == found.per_label[3]._asdict()
    assert set(found.to_dict()) - set(found.to_dict(confusion=False)) == {"confusion"}


def test_labels_of_a_numpy_array_become_python_values():
    for labels in (np.array(["a", "b"]), list(np.array([4, 5])), np.array([True, False])):
        measured = Meter(2)
        measured.update(np.array([[0.75, 0.25]]), [1], [0, 1])
        found = measured.result(labels)
        json.dumps(found.to_dict())
        assert found.most_confused(1) == [(labels[1].item(), labels[0].item(), 1)]
        assert type(found.labels[0]) in (str, int, bool)


def test_the_table_says_the_numbers():
    text = str(evaluate(PROBS, TARGETS, ["a", "b", "c", "d"], k=2))
    assert "3 texts, 2 skipped (no known label), 2 unknown labels ignored" in text
    assert "accuracy 0.6667 · log loss 0.8398" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["micro", "0.6667", "1.0000", "0.8000"] in rows
    assert ["a", "0.6667", "1.0000", "0.8000", "2"] in rows
    assert ["c", "a", "1"] in rows
    assert not any(line != line.rstrip() or len(line) > 100 for line in text.splitlines())


def test_the_table_of_many_labels_shows_the_weakest():
    n = 40
    probs = np.eye(n)
    probs[33] = probs[32]
    text = str(evaluate(probs, [[i] for i in range(n)]))
    assert "10 weakest of 40 labels" in text
    assert ["l33", "0.0000", "0.0000", "0.0000", "1"] in [line.split() for line in text.splitlines()]
    assert ["l33", "l32", "1"] in [line.split() for line in text.splitlines()]


def test_labels_are_neither_markup_nor_control_characters():
    text = str(evaluate(PROBS, TARGETS, ["[bold]", "[/red]", "\x1b[2J", "d"]))
    assert "[bold]" in text
    assert "[/red]" in text
    assert "\x1b" not in text
    assert "'\\x1b[2J'" in text


def test_rich_is_loaded_only_to_print():
    script = """
import sys
import numpy as np
from lexigrad.evaluation import Meter
meter = Meter(2)
meter.update(np.array([[0.75, 0.25]]), [0], [0, 1])
meter.result("ab").to_dict()
print(sorted({"rich", "sklearn", "pandas", "numba"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
