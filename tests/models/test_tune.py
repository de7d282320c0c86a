"""Tuning: what is kept is what was measured, studies go on, time and Ctrl-C end a search without loss."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, FormatError, LexigradError, LexigradWarning, ParameterError, TextClassifier
from lexigrad.evaluation.metrics import precision_at_recall
from lexigrad.models import tune, tuning_data
from lexigrad.models.search_space import BUCKETS, CHARACTERS, DIM, EPOCHS, LR, WORD_NGRAMS, SearchSpace
from lexigrad.models.size_limit import bytes_of, file_size, largest_dim, least_size
from lexigrad.models.tuning_report import Trial
from lexigrad.text.sources import read_texts
from tests.conftest import themed

THEMES = ("sport", "food", "law")


def noisy(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Themed texts of which a quarter has a random label, so that no model is perfect and settings matter."""
    texts, labels = themed(n, seed)
    rng = np.random.default_rng(seed + 100)
    return texts, [str(rng.choice(THEMES)) if rng.random() < 0.25 else label for label in labels]


TEXTS, LABELS = noisy(400)
VALIDATION = noisy(150, seed=1)
FAST: dict[str, Any] = {"dim": 8, "epochs": 3, "threads": 1}
SHORT: dict[str, Any] = {"seconds": None, "trials": 6, "fixed": ["dim", "word_ngrams", "min_n"]}
"""Few trials whose features are soon encoded."""


def summary(trials: list[Trial]) -> list[Any]:
    """All of the trials that does not depend on the clock."""
    return [(trial.number, trial.settings, trial.state, trial.value, trial.size) for trial in trials]


def same_model(one: TextClassifier, other: TextClassifier) -> bool:
    matrices = [(clf.fitted.input, clf.fitted.output, clf.fitted.reader.slot_rows) for clf in (one, other)]
    return all(np.array_equal(a, b) for a, b in zip(*matrices, strict=True)) and one.get_params() == other.get_params()


# What is kept is what was measured


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("f1", lambda clf: clf.evaluate(*VALIDATION).f1),
        ("macro_f1", lambda clf: clf.evaluate(*VALIDATION).macro_f1),
        ("accuracy", lambda clf: clf.score(*VALIDATION)),
        ("log_loss", lambda clf: clf.evaluate(*VALIDATION).log_loss),
        ("f1:law", lambda clf: clf.evaluate(*VALIDATION).per_label["law"].f1),
        (
            "precision_at_recall:0.8:food",
            lambda clf: precision_at_recall(
                clf.predict_proba(VALIDATION[0])[:, 0], [label == "food" for label in VALIDATION[1]], 0.8
            ),
        ),
    ],
)
def test_the_kept_model_has_exactly_the_value_that_was_reported(metric: str, value: Any) -> None:
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, metric=metric, **SHORT)
    report = clf.tuning_
    assert value(clf) == report.best.value
    values = [trial.value for trial in report.trials]
    assert len(set(values)) > 2
    assert report.best.value == (min if metric == "log_loss" else max)(v for v in values if v is not None)
    assert {name: getattr(clf, name) for name in report.best.settings} == report.best.settings
    assert clf.losses_
    assert clf.fitted.facts["tuning"] == {"trial": report.best.number, "metric": metric, "value": report.best.value}
    assert (report.n_measured, report.measured_on) == (150, "validation")


def test_another_training_drops_the_report() -> None:
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, **{**SHORT, "trials": 1})
    assert clf.tuning_.best.number == 0
    assert not hasattr(clf.fit(TEXTS, LABELS), "tuning_")


def test_the_first_trial_has_the_settings_as_they_are() -> None:
    clf = TextClassifier(**FAST, lr=0.37).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=1)
    plain = TextClassifier(**FAST, lr=0.37).fit(TEXTS, LABELS)
    assert same_model(clf, plain)
    assert clf.tuning_.best.value == plain.evaluate(*VALIDATION).f1


@pytest.mark.parametrize("given", [{}, {"folds": 3}, {"validation": VALIDATION}])
def test_the_same_seed_gives_the_same_search_and_the_same_bits(given: dict[str, Any]) -> None:
    runs = [TextClassifier(**FAST).tune(TEXTS, LABELS, **given, **{**SHORT, "trials": 12}) for _ in range(2)]
    assert summary(runs[0].tuning_.trials) == summary(runs[1].tuning_.trials)
    assert same_model(*runs)
    other = TextClassifier(**FAST, seed=1).tune(TEXTS, LABELS, **given, **SHORT)
    assert summary(other.tuning_.trials)[3:] != summary(runs[0].tuning_.trials)[3:6]


def test_held_out_texts_are_measured_on_and_not_trained_on() -> None:
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, **SHORT)
    part = tuning_data.hold_out(list(read_texts(TEXTS, LABELS)), seed=0)
    assert clf.fitted.facts["n_texts"] == 360 == sum(map(len, part.train))
    assert (clf.tuning_.n_measured, clf.tuning_.measured_on) == (40, "held-out texts")
    held = [bytes(b.data[b.offsets[i] : b.offsets[i + 1]]).decode() for b in part.measured for i in range(len(b))]
    labels = [b.labels.values[j] for b in part.measured if b.labels is not None for j in b.labels.ids]
    assert clf.evaluate(held, labels).f1 == clf.tuning_.best.value


def test_folds_measure_every_text_once_and_train_the_best_settings_on_all() -> None:
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, folds=4, **{**SHORT, "trials": 3})
    report = clf.tuning_
    assert (report.n_measured, report.measured_on) == (400, "4 folds")
    params = {**clf.get_params(), **report.best.settings}
    assert same_model(clf, TextClassifier(**params).fit(TEXTS, LABELS))
    assert clf.fitted.facts["n_texts"] == 400
    right = 0
    for part in tuning_data.folds_of(list(read_texts(TEXTS, LABELS)), 4, seed=0):
        texts, labels = (pairs(part.train), pairs(part.measured))
        one = TextClassifier(**params).fit(*map(list, zip(*texts, strict=True)))
        given, true = map(list, zip(*labels, strict=True))
        right += int((one.predict(given) == np.array(true)).sum())
    assert report.best.value == pytest.approx(right / 400, abs=1e-12)


def pairs(batches: list[Any]) -> list[tuple[str, str]]:
    """Return the texts of batches and their one label."""
    return [
        (bytes(b.data[b.offsets[i] : b.offsets[i + 1]]).decode(), b.labels.values[b.labels.ids[b.labels.offsets[i]]])
        for b in batches
        for i in range(len(b))
    ]


def test_hold_out_and_folds_are_stratified() -> None:
    labels = ["a"] * 500 + ["b"] * 100 + ["c"] * 3 + ["d"]
    batches = list(read_texts([f"text {i}" for i in range(604)], labels, batch_bytes=1000))
    assert len(batches) > 3
    part = tuning_data.hold_out(batches, seed=5)
    counts = [[label for _, label in pairs(some)].count for some in (part.train, part.measured)]
    assert sum(map(len, part.measured)) == 60
    assert 45 <= counts[1]("a") <= 55
    assert 5 <= counts[1]("b") <= 15
    assert counts[0]("d") == 1
    assert sorted(pairs(part.train) + pairs(part.measured)) == sorted(pairs(batches))
    folds = tuning_data.folds_of(batches, 5, seed=5)
    assert sorted(pair for fold in folds for pair in pairs(fold.measured)) == sorted(pairs(batches))
    for fold in folds:
        assert [label for _, label in pairs(fold.measured)].count("a") == 100
        assert sorted(pairs(fold.train) + pairs(fold.measured)) == sorted(pairs(batches))


# The space


def test_trials_stay_in_the_ranges_and_fixed_settings_keep_their_value() -> None:
    start: dict[str, Any] = {**FAST, "lr": 0.2, "word_ngrams": 2, "buckets": 20_000}
    clf = TextClassifier(**start).tune(
        TEXTS, LABELS, seconds=None, trials=20, fixed=["lr", "max_n", "negatives", "tokenizer"]
    )
    for trial in clf.tuning_.trials:
        assert set(trial.settings) == {"epochs", "dim", "word_ngrams", "loss", "buckets"}
        for name, (low, high) in (("epochs", EPOCHS), ("word_ngrams", WORD_NGRAMS), ("buckets", BUCKETS)):
            assert low <= trial.settings[name] <= high
        assert min(8, DIM[0]) <= trial.settings["dim"] <= DIM[1]
    assert (clf.lr, clf.min_n, clf.max_n, clf.tokenizer) == (0.2, 0, 0, "words")
    assert len({trial.settings["epochs"] for trial in clf.tuning_.trials}) > 10


def test_the_space_holds_what_is_given_and_suits_the_labels() -> None:
    start = TextClassifier(lr=9.0, epochs=300, dim=5, min_n=1, max_n=3, loss="negative_sampling").get_params()
    space = SearchSpace.around(start, (), 2000, quantised=True)
    found = space.distributions()
    assert (found["lr"].low, found["lr"].high) == (LR[0], 9.0)  # type: ignore[attr-defined]
    assert (found["epochs"].high, found["dim"].low) == (300, 5)  # type: ignore[attr-defined]
    assert list(space.characters().values()) == [(1, 3), *CHARACTERS]
    assert space.losses() == ["negative_sampling", "softmax", "one_vs_all", "hierarchical_softmax"]
    assert SearchSpace.around(TextClassifier().get_params(), (), 2, quantised=False).losses() == [
        "softmax",
        "one_vs_all",
    ]
    assert "buckets" not in found
    assert "sub_dim" in found
    first = next(iter(space.points()))
    assert {**space.settings(first), "threads": None} == start
    for point in space.points():
        assert all(found[name]._contains(found[name].to_internal_repr(value)) for name, value in point.items())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": "precision"}, "metric='precision'"),
        ({"metric": "f1:tea"}, "no label 'tea' in training; there are 'food', 'law', 'sport'"),
        ({"seconds": 0}, "seconds=0: expected a positive number"),
        ({"seconds": math.nan}, "seconds=nan"),
        ({"seconds": None}, "give one of them"),
        ({"trials": 0}, "trials=0"),
        ({"folds": 1}, "folds=1"),
        ({"folds": 401}, "folds=401: there are only 400 texts"),
        ({"folds": 2, "validation": VALIDATION}, "folds and validation"),
        ({"fixed": ["speed"]}, "'speed' is not a setting"),
        ({"fixed": "dim"}, r"such as \['dim'\]"),
        ({"fixed": ["dim", "lr", "epochs", "word_ngrams", "max_n", "tokenizer", "loss"]}, "nothing is left to tune"),
        ({"model_size": "2X"}, "model_size='2X'"),
        ({"model_size": -5}, "model_size=-5"),
        ({"model_size": "1k"}, "the smallest model of these 3 labels, with dim=8"),
        ({"study": "no/such/folder/s.study"}, "there is no folder"),
        ({"validation": [1, 2, 3]}, "validation: expected a pair"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], message: str) -> None:
    clf = TextClassifier(**FAST)
    with pytest.raises(ParameterError, match=message):
        clf.tune(TEXTS, LABELS, **given)
    assert not clf.__sklearn_is_fitted__()
    with pytest.raises(ParameterError, match="lr="):
        TextClassifier(lr=-1).tune(TEXTS, LABELS)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ParameterError, match=r"pip install 'lexigrad\[tune\]'"):
        TextClassifier().tune(TEXTS, LABELS)


# Texts and labels


def test_labels_of_validation_that_training_lacks_do_not_count() -> None:
    texts, labels = VALIDATION
    strange = ([*texts, "tea"], [*labels, "drink"])
    runs = [TextClassifier(**FAST).tune(TEXTS, LABELS, validation=v, **SHORT) for v in (VALIDATION, strange)]
    assert summary(runs[0].tuning_.trials) == summary(runs[1].tuning_.trials)
    with pytest.raises(DataError, match="no labelled text"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, validation=(["tea"], ["drink"]), **SHORT)
    with pytest.raises(DataError, match="no text that is measured on has the label 'law'"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, validation=(["a"], ["food"]), metric="f1:law", **SHORT)
    with pytest.raises(DataError, match="labels are int, but the model was trained on str"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, validation=(["a"], [1]), **SHORT)


@pytest.mark.parametrize("given", [{}, {"folds": 3}])
def test_several_labels_a_text(given: dict[str, Any]) -> None:
    texts, labels = themed(200, seed=3)
    sets = [[label, "long"] if i % 3 == 0 else [label] for i, label in enumerate(labels)]
    clf = TextClassifier(**FAST).tune(texts, sets, **given, **SHORT)
    assert clf.classes_.tolist() == ["food", "law", "long", "sport"]
    assert isinstance(clf.predict(texts[:2])[0], list)
    assert 0.6 < clf.tuning_.best.value < 1


@pytest.mark.parametrize("dtype", [np.int16, object])
def test_classes_keep_their_dtype(dtype: type) -> None:
    numbers = np.array([THEMES.index(label) for label in LABELS]).astype(dtype)
    for given in ({}, {"folds": 2}):
        clf = TextClassifier(**FAST).tune(TEXTS, numbers, **given, **{**SHORT, "trials": 2})
        assert clf.classes_.dtype == dtype
        assert clf.predict(TEXTS[:1])[0] in (0, 1, 2)


def test_tiny_data() -> None:
    clf = TextClassifier(**FAST).tune(["a b", "c d"], ["x", "y"], seconds=None, trials=3)
    assert clf.tuning_.n_measured == 1
    clf = TextClassifier(**FAST).tune(["a b", "c d", "a a"], ["x", "y", "x"], **SHORT)
    assert clf.tuning_.best.value == 1.0
    assert len(clf.tuning_.trials) == 1  # nothing better is possible
    with pytest.raises(DataError, match="got 1 text"):
        TextClassifier(**FAST).tune(["a"], ["x"], **SHORT)
    with pytest.raises(DataError, match="no text has a label"):
        TextClassifier(**FAST).tune(["a", "b"], [[], []], **SHORT)


def test_texts_without_labels_are_left_out_with_one_warning() -> None:
    with pytest.warns(
        LexigradWarning, match="2 texts have no label and were left out; the first is texts:400"
    ) as caught:
        clf = TextClassifier(**FAST).tune([*TEXTS, "a", "b"], [[label] for label in LABELS] + [[], []], **SHORT)
    assert len(caught) == 1
    assert clf.fitted.facts["n_texts"] == 360


def test_files_tables_and_lists_are_searched_alike(tmp_path: Path) -> None:
    for name, (texts, labels) in (("train", (TEXTS, LABELS)), ("dev", VALIDATION)):
        lines = [f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True)]
        (tmp_path / f"{name}.txt").write_text("".join(lines))
    from_file = TextClassifier(**FAST).tune_file(tmp_path / "train.txt", validation=tmp_path / "dev.txt", **SHORT)
    table = {"text": TEXTS, "label": LABELS}
    measured = {"text": VALIDATION[0], "label": VALIDATION[1]}
    from_table = TextClassifier(**FAST).tune(table, validation=measured, **SHORT)
    assert summary(from_file.tuning_.trials) == summary(from_table.tuning_.trials)
    assert same_model(from_file, from_table)


# Time, failures, Ctrl-C


def test_diverging_and_too_large_trials_fail_and_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        LexigradError, match=r"none of 3 trials gave a model; the last one: failed, training diverged in epoch 1"
    ):
        TextClassifier(**FAST, lr=1e6).tune(TEXTS, LABELS, seconds=None, trials=3, fixed=["lr", "loss", "max_n"])
    original = tune.train_fitted

    def faulty(corpus: Any, params: dict[str, Any], *more: Any) -> Any:
        if params["epochs"] == 25:
            raise MemoryError
        if params["epochs"] > 25:
            raise lexigrad.DivergenceError("training diverged")
        return original(corpus, params, *more)

    monkeypatch.setattr(tune, "train_fitted", faulty)
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, seconds=None, trials=12, fixed=["word_ngrams", "max_n"])
    failed = [trial for trial in clf.tuning_.trials if trial.state == "failed"]
    assert {trial.reason for trial in failed} >= {"out of memory", "training diverged"}
    assert len(clf.tuning_.trials) == 12 > len(failed)
    assert clf.tuning_.best.value == max(t.value for t in clf.tuning_.trials if t.value is not None)
    with pytest.raises(LexigradError, match="none of 2 trials gave a model; the last one: failed, training diverged"):
        TextClassifier(**{**FAST, "epochs": 30}).tune(TEXTS, LABELS, seconds=None, trials=2, fixed=["epochs"])


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lexigrad.machine.memory.available_memory", lambda: 5_000)
    with pytest.raises(MemoryError, match=r"vectors of words and n-grams need 0.0 GB.*smaller dim or fewer buckets"):
        TextClassifier(**FAST, word_ngrams=2).fit(TEXTS, LABELS)
    TextClassifier(**FAST).fit(["a b", "c d"], ["x", "y"])


def test_time_ends_a_search_and_what_would_take_too_long_is_pruned() -> None:
    seen: list[Trial] = []
    clf = TextClassifier(**{**FAST, "epochs": 1})
    started = time.perf_counter()
    clf.tune(TEXTS * 5, LABELS * 5, seconds=3.0, callback=seen.append)
    assert clf.tuning_.seconds < 60 > time.perf_counter() - started  # a slow machine may take longer for the last step
    assert seen == clf.tuning_.trials
    assert len(seen) > 1
    endless = TextClassifier(**{**FAST, "epochs": 10_000_000, "dim": 50})
    endless.tune(TEXTS, LABELS, validation=VALIDATION, seconds=2.0, fixed=["epochs"])
    (first,) = endless.tuning_.trials
    assert first.reason.startswith("out of time, ended after epoch")
    assert first.value == endless.evaluate(*VALIDATION).f1  # cut short, measured and kept
    with pytest.raises(LexigradError, match="none of 1 trials gave a model; the last one: pruned, out of time"):
        TextClassifier(**{**FAST, "epochs": 10_000_000}).tune(TEXTS, LABELS, folds=2, seconds=2.0, fixed=["epochs"])


def test_a_trial_that_is_foreseen_to_take_too_long_is_given_up_early(monkeypatch: pytest.MonkeyPatch) -> None:
    clf = TextClassifier(**FAST)
    original = SearchSpace.settings

    def slow(space: SearchSpace, drawn: dict[str, Any]) -> dict[str, Any]:
        return {**original(space, drawn), "epochs": 3 if drawn["lr"] == 0.1 else 100_000_000}

    monkeypatch.setattr(SearchSpace, "settings", slow)
    clf.tune(TEXTS, LABELS, seconds=30.0, trials=2, fixed=["word_ngrams", "max_n"])
    second = clf.tuning_.trials[1]
    assert second.state == "pruned"
    assert second.reason.startswith("would take ")
    assert second.seconds < 7.5


def test_an_interrupted_search_keeps_the_best_so_far() -> None:
    def stop(trial: Trial) -> None:
        if trial.number == 3:
            raise KeyboardInterrupt

    clf = TextClassifier(**FAST)
    with pytest.raises(KeyboardInterrupt):
        clf.tune(TEXTS, LABELS, validation=VALIDATION, callback=stop, **SHORT)
    assert len(clf.tuning_.trials) == 4
    assert clf.evaluate(*VALIDATION).f1 == clf.tuning_.best.value
    with pytest.raises(KeyboardInterrupt):
        clf.tune(TEXTS, LABELS, folds=3, callback=stop, **SHORT)
    assert clf.fitted.facts["n_texts"] == 400


def test_ctrl_c_in_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    original = tune.train_fitted

    def interrupted(corpus: Any, params: dict[str, Any], *more: Any) -> Any:
        fitted, losses, _ = original(corpus, params, *more)
        return fitted, losses, KeyboardInterrupt() if params["epochs"] == 25 else None

    monkeypatch.setattr(tune, "train_fitted", interrupted)
    clf = TextClassifier(**FAST)
    with pytest.raises(KeyboardInterrupt):
        clf.tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=9)
    assert [trial.state for trial in clf.tuning_.trials] == ["complete", "interrupted"]
    assert clf.epochs == 3
    first = TextClassifier(**{**FAST, "epochs": 25})
    with pytest.raises(KeyboardInterrupt):
        first.tune(TEXTS, LABELS, seconds=None, trials=9)
    assert first.score(TEXTS, LABELS) > 0.6  # what it had learned in its first trial


# Studies


def test_a_study_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    path = tmp_path / "s.study"
    whole = TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=14)
    half = TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=6, study=path)
    assert summary(half.tuning_.trials) == summary(whole.tuning_.trials)[:6]
    again = half.tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=14, study=path)
    assert summary(again.tuning_.trials) == summary(whole.tuning_.trials)
    assert same_model(again, whole)
    kept = lexigrad.load(tmp_path / "s.study.best.lexigrad")
    assert kept.evaluate(*VALIDATION).f1 == whole.tuning_.best.value  # type: ignore[union-attr]


def test_the_best_of_an_earlier_run_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s.study"
    given: dict[str, Any] = {"validation": VALIDATION, "study": path, **SHORT}
    first = TextClassifier(**FAST).tune(TEXTS, LABELS, **given)
    second = TextClassifier(**FAST, verbose=False).tune(TEXTS, LABELS, **given)  # its trials are used up
    assert summary(second.tuning_.trials) == summary(first.tuning_.trials)
    assert same_model(first, second)
    assert second.evaluate(*VALIDATION).f1 == second.tuning_.best.value
    Path(f"{path}.best.lexigrad").unlink()
    with pytest.raises(FormatError, match="the best model of the study is not there"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, **given)
    TextClassifier(**FAST).fit(TEXTS, LABELS).save(f"{path}.best.lexigrad")
    with pytest.raises(FormatError, match="is not the best model of a study"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, **given)


def test_a_study_of_folds_goes_on(tmp_path: Path) -> None:
    given: dict[str, Any] = {"folds": 2, "study": tmp_path / "s.study", **SHORT}
    first = TextClassifier(**FAST).tune(TEXTS, LABELS, **{**given, "trials": 3})
    second = TextClassifier(**FAST).tune(TEXTS, LABELS, **given)
    assert summary(second.tuning_.trials)[:3] == summary(first.tuning_.trials)
    assert len(second.tuning_.trials) == 6
    assert second.fitted.facts["n_texts"] == 400


@pytest.mark.parametrize(
    ("clf", "given", "message"),
    [
        ({}, {"metric": "accuracy"}, "metric='f1', and now it is 'accuracy'"),
        ({"seed": 1}, {}, "seed=0, and now it is 1"),
        ({"min_count": 2}, {}, "min_count=1, and now it is 2"),
        ({"dim": 9}, {}, "dim=8, and now it is 9"),
        ({}, {"validation": None}, "other validation"),
        ({}, {"validation": (VALIDATION[0], VALIDATION[1][::-1])}, "other validation"),
        ({}, {"validation": None, "folds": 2}, "other validation"),
        ({}, {"fixed": ["lr", "dim", "word_ngrams", "min_n"]}, "searched="),
    ],
)
def test_a_study_of_something_else_is_refused(
    clf: dict[str, Any], given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    usual: dict[str, Any] = {"validation": VALIDATION, "study": tmp_path / "s.study", **SHORT, "trials": 1}
    TextClassifier(**FAST).tune(TEXTS, LABELS, **usual)
    before = (tmp_path / "s.study").read_bytes()
    with pytest.raises(
        ParameterError, match=r"was made with .*: go on as it was begun, or take another file"
    ) as caught:
        TextClassifier(**{**FAST, **clf}).tune(TEXTS, LABELS, **{**usual, **given})
    assert message in str(caught.value)
    with pytest.raises(ParameterError, match="other texts"):
        TextClassifier(**FAST).tune(TEXTS[1:], LABELS[1:], **usual)
    assert (tmp_path / "s.study").read_bytes() == before


@pytest.mark.parametrize("cut", [1, 40, 250])
def test_a_study_whose_end_was_cut_off_goes_on(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "s.study"
    given: dict[str, Any] = {"validation": VALIDATION, "study": path, **SHORT}
    TextClassifier(**FAST).tune(TEXTS, LABELS, **{**given, "trials": 3})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LexigradWarning)
        clf = TextClassifier(**FAST).tune(TEXTS, LABELS, **given)
    said = [str(one.message) for one in caught if "was cut off" in str(one.message)]
    assert len(said) == (cut > 1)  # only the end of the line is missing
    assert sum(trial.state != "interrupted" for trial in clf.tuning_.trials) == 6
    assert clf.evaluate(*VALIDATION).f1 == clf.tuning_.best.value
    for line in path.read_text().splitlines():
        json.loads(line)
    assert [one.name for one in tmp_path.glob("*.part")] == []


def test_a_study_that_is_broken_in_the_middle_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.study"
    TextClassifier(**FAST).tune(TEXTS, LABELS, study=path, **{**SHORT, "trials": 1})
    lines = path.read_bytes().splitlines(keepends=True)
    for line in (lines[2][:20] + b"\n", b"7\n", b"\xff\n"):
        broken = b"".join([*lines[:2], line, *lines[3:]])
        path.write_bytes(broken)
        with pytest.raises(FormatError, match="line 3 is no record of a study"):
            TextClassifier(**FAST).tune(TEXTS, LABELS, study=path, **SHORT)
        assert path.read_bytes() == broken


def test_a_file_that_is_no_study_is_refused_and_left_alone(tmp_path: Path) -> None:
    for content in (b"tea\n", b'{"a": 1}\n', b"\x00\xff\n"):
        path = tmp_path / "notes.txt"
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"notes.txt is not the file of a study"):
            TextClassifier(**FAST).tune(TEXTS, LABELS, study=path, **SHORT)
        assert path.read_bytes() == content
    with pytest.raises(FormatError, match="is not the file of a study"):
        TextClassifier(**FAST).tune(TEXTS, LABELS, study=tmp_path, **SHORT)


KILLED = """
import os, sys
from pathlib import Path
from lexigrad import TextClassifier
from lexigrad.models import tune
from tests.models.test_tune import FAST, LABELS, TEXTS, VALIDATION

when, path = sys.argv[1:]
keep = tune._Search._keep_best
train = tune.train_fitted
trained = []

def keep_and_die(search):
    keep(search)
    if search.best.trial.number > 0:
        os._exit(9)

def train_and_die(corpus, params, *more):
    trained.append(1)
    if len(trained) == int(when):
        os._exit(9)
    return train(corpus, params, *more)

if when == "kept":
    tune._Search._keep_best = keep_and_die
else:
    tune.train_fitted = train_and_die
TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=10, study=path)
"""


@pytest.mark.parametrize("when", ["2", "5", "kept"])
def test_a_killed_run_loses_at_most_the_running_trial(when: str, tmp_path: Path) -> None:
    path = tmp_path / "s.study"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, when, str(path)], env=environment, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 9
    clf = TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=10, study=path)
    whole = TextClassifier(**FAST).tune(TEXTS, LABELS, validation=VALIDATION, seconds=None, trials=10)
    states = [trial.state for trial in clf.tuning_.trials]
    assert states.count("interrupted") == (0 if when == "kept" else 1)
    finished = [trial for trial in clf.tuning_.trials if trial.state != "interrupted"]
    assert [(t.settings, t.value) for t in finished] == [(t.settings, t.value) for t in whole.tuning_.trials]
    assert same_model(clf, whole)
    assert clf.evaluate(*VALIDATION).f1 == clf.tuning_.best.value


# The report and what is shown


def test_the_report_prints_as_a_table_and_goes_into_json() -> None:
    report = TextClassifier(**FAST).tune(TEXTS, LABELS, **{**SHORT, "trials": 14}).tuning_
    lines = str(report).splitlines()
    assert lines[0] == f"f1 {report.best.value:.4f} on 40 texts (held-out texts)"
    n_failed = sum(trial.state == "failed" for trial in report.trials)
    assert lines[1] == f"14 trials: {14 - n_failed} complete" + (f", {n_failed} failed" if n_failed else "")
    assert lines[3].split() == ["trial", "f1", "seconds", "epochs", "lr", "tokenizer", "loss"]
    assert [float(line.split()[1]) for line in lines[4:]] == sorted(
        (round(trial.value, 4) for trial in report.trials if trial.value is not None), reverse=True
    )[:10]
    assert lines[4].split()[0] == str(report.best.number)
    again = json.loads(json.dumps(report.to_dict()))
    assert again["best"]["value"] == report.best.value
    assert [trial["settings"] for trial in again["trials"]] == [trial.settings for trial in report.trials]
    assert repr(report).startswith("Tuning(metric='f1', best=0.")


def test_progress_is_shown_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    TextClassifier(**FAST).tune(TEXTS, LABELS, **SHORT)
    assert capsys.readouterr() == ("", "")
    TextClassifier(**FAST, verbose=True).tune(TEXTS, LABELS, **SHORT)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == [f"trial {i}" for i in range(6)]
    assert "best so far" in err.splitlines()[0]


# Sizes


@pytest.mark.parametrize(
    ("given", "expected"),
    [(5, 5), ("2M", 2_000_000), ("500k", 500_000), ("1.5m", 1_500_000), (" 3G ", 3 * 10**9), ("77", 77)],
)
def test_sizes(given: Any, expected: int) -> None:
    assert bytes_of(given) == expected


@pytest.mark.parametrize(("tokenizer", "suffix"), [("words", ".lexigrad"), ("whitespace", ".ftz")])
def test_a_model_of_limited_size_fits_and_is_the_one_that_was_measured(
    tokenizer: str, suffix: str, tmp_path: Path
) -> None:
    limit = 40_000
    clf = TextClassifier(**FAST, tokenizer=tokenizer, word_ngrams=3)
    clf.tune(
        TEXTS,
        LABELS,
        validation=VALIDATION,
        seconds=None,
        trials=6,
        model_size=limit,
        fixed=["tokenizer", "word_ngrams"],
    )
    path = tmp_path / f"m{suffix}"
    clf.save(path)
    best = clf.tuning_.best
    assert path.stat().st_size == best.size == file_size(clf)
    assert limit / 2 < best.size <= limit
    assert clf.evaluate(*VALIDATION).f1 == best.value == lexigrad.load(path).evaluate(*VALIDATION).f1  # type: ignore[union-attr]
    assert best.settings["sub_dim"] in (2, 4, 8, 16)
    assert clf.get_params()["dim"] == best.settings["dim"]
    for trial in clf.tuning_.trials:
        assert trial.state == "failed" if trial.size is None else trial.size <= limit
    assert "bytes" in str(clf.tuning_)


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
def test_a_small_size_bounds_dim(tokenizer: str) -> None:
    rng = np.random.default_rng(0)
    names = [f"{theme}{i:05}" for theme in THEMES for i in rng.integers(0, 10**5, 300)]
    texts = [f"{text} {' '.join(rng.choice(names, 5))}" for text in TEXTS]
    clf = TextClassifier(threads=1, tokenizer=tokenizer)
    clf.tune(texts, LABELS, seconds=None, trials=10, model_size="60k", fixed=["tokenizer", "min_n"])
    trials = clf.tuning_.trials
    assert [trial.state for trial in trials[:2]] == ["complete", "complete"]
    assert trials[0].settings["dim"] == trials[1].settings["dim"] > 20
    assert max(trial.settings["dim"] for trial in trials) <= 57  # 4 * 256 bytes of centroids for each, and 512 for rows
    with pytest.raises(ParameterError, match="the smallest model of these 3 labels, with dim=100"):
        clf.set_params(dim=100).tune(texts, LABELS, seconds=None, trials=1, model_size="60k", fixed=["dim"])


@pytest.mark.parametrize("labels", [["a", "b"], [f"label {i}" for i in range(400)]])
def test_the_largest_dim_that_fits(labels: list[str]) -> None:
    for size in range(12_000, 400_000, 7001):
        dim = largest_dim(range(5, 301), size, lambda dim: least_size(labels, dim))
        assert dim == 5 or least_size(labels, dim) <= size
        assert dim == 300 or least_size(labels, dim + 1) > size


def test_a_size_that_no_trial_can_have_is_an_error() -> None:
    with pytest.raises(
        ParameterError, match=r"model_size='11k': none of 2 trials gave a model.*needs more than 11,000 bytes"
    ):
        TextClassifier(**FAST).tune(TEXTS, LABELS, seconds=None, trials=2, model_size="11k", fixed=["dim", "tokenizer"])


# Given vectors


def test_trials_begin_at_given_vectors() -> None:
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=8).astype(np.float32) for word in ("unmet", *TEXTS[0].split())}
    clf = TextClassifier(dim=8, epochs=1, threads=1, tokenizer="whitespace")
    clf.tune(
        TEXTS,
        LABELS,
        validation=VALIDATION,
        metric="log_loss",
        seconds=None,
        trials=4,
        fixed=["tokenizer"],
        vectors=vectors,
    )
    assert all("dim" not in trial.settings for trial in clf.tuning_.trials)
    assert clf.dim == 8
    assert clf.evaluate(*VALIDATION).log_loss == clf.tuning_.best.value
    words = clf.fitted.reader.vocabulary
    (place,) = words.positions([b"unmet"]).tolist()
    row = clf.fitted.reader.slot_rows[place]
    np.testing.assert_array_equal(clf.fitted.input[row], vectors["unmet"])


def test_a_study_knows_the_vectors_that_it_began_at(tmp_path: Path) -> None:
    search = {"validation": VALIDATION, "metric": "log_loss", "seconds": None, "study": tmp_path / "s", "trials": 1}
    first = {"tea": np.ones(8, np.float32), "beans": np.zeros(8, np.float32)}
    clf = TextClassifier(dim=8, epochs=1, threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LexigradWarning)
        clf.tune(TEXTS, LABELS, vectors=first, **search)
        with pytest.raises(ParameterError, match="was made with other vectors"):
            clf.tune(TEXTS, LABELS, vectors={**first, "tea": np.zeros(8, np.float32)}, **search)
    with pytest.raises(ParameterError, match="the vectors have 8 numbers each, and dim=9"):
        TextClassifier(dim=9).tune(TEXTS, LABELS, vectors=first, **search)
