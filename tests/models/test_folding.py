"""Folded models: the same answers from a smaller matrix, within the error that they state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lexigrad
from lexigrad.errors import DataError, ParameterError
from lexigrad.models import folding
from lexigrad.models.storage import save_classifier
from tests.conftest import themed

LOSSES = ("softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling")
TEXTS = [*themed(60, seed=9)[0], "", "nothing known here", "sport1 sport1"]
SHARE = {"softmax": 0.5, "one_vs_all": 0.25, "negative_sampling": 0.25, "hierarchical_softmax": 0.5}
"""By how much a probability moves at most when scores move by 1: with three labels the tree has two levels."""


def trained(loss: str, n_labels: int, **settings: object) -> lexigrad.TextClassifier:
    texts, labels = themed(300)
    if n_labels == 2:
        labels = ["sport" if label == "sport" else "other" for label in labels]
    clf = lexigrad.TextClassifier(
        dim=12, epochs=6, lr=0.5, loss=loss, threads=1, seed=1, **{"word_ngrams": 2, **settings}
    )
    return clf.fit(texts, labels)


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", folding.FOLDED_DTYPES)
def test_a_folded_model_answers_within_its_stated_error(loss: str, n_labels: int, dtype: str, tmp_path: Path) -> None:
    clf = trained(loss, n_labels)
    small = clf.fold(dtype)
    expected = np.array([clf.explain(text).probs for text in TEXTS])
    error = small.fitted.facts["fold_error"]
    assert small.fitted.input.shape[1] == (
        1 if n_labels == 2 and loss == "softmax" else n_labels - (loss == "hierarchical_softmax")
    )
    small.save(tmp_path / "small.lexigrad")
    for model in (small, lexigrad.load(tmp_path / "small.lexigrad")):
        probs = model.predict_proba(TEXTS)
        assert np.abs(probs - expected).max() <= SHARE[loss] * error + 5e-7
        np.testing.assert_array_equal(probs[-3], clf.fitted.prior)  # of the empty text
        told = model.explain(TEXTS[0])
        np.testing.assert_allclose(told.probs, probs[0], atol=1e-6)
        assert told.known == clf.explain(TEXTS[0]).known
    assert error > 0
    assert error < {"float32": 1e-5, "float16": 1e-2, "int8": 1.0}[dtype]


def test_opening_folds_by_itself() -> None:
    clf = trained("softmax", 2)
    np.testing.assert_array_equal(clf.predict_proba(TEXTS), clf.fold().predict_proba(TEXTS))
    (scoring,) = clf.fitted._scorer
    assert scoring.rows[6] == 1  # numbers a row


def test_buckets_never_seen_stay_unknown() -> None:
    clf = trained("softmax", 2, buckets=50_000)
    assert len(clf.fitted.reader.slot_rows)
    unseen = "sport1 sport1 sport1 nonsense"
    for dtype in folding.FOLDED_DTYPES:
        small = clf.fold(dtype)
        assert not len(small.fitted.reader.slot_rows)
        assert small.explain(unseen).known == clf.explain(unseen).known
        marks = np.signbit(small.fitted.input[:][:, 0]) & (small.fitted.input[:][:, 0] == 0)
        np.testing.assert_array_equal(marks, clf.fitted.reader.slot_rows < 0)


def test_small_numbers_do_not_become_marks() -> None:
    table = np.array([[-1e-12], [-0.0], [1.0], [0.0]], np.float32)
    for dtype in folding.FOLDED_DTYPES:
        rounded, _ = folding._rounded(table, dtype, marked=True)
        assert (np.signbit(rounded[:]) & (rounded[:] == 0))[:, 0].tolist() == [False, True, False, False]


def test_the_levels_of_a_byte_are_as_near_as_they_say() -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=5000) * np.exp(3 * rng.normal(size=5000))).astype(np.float32)
    coded, error = folding._rounded(values[:, None], "int8", marked=False)
    found = coded[:][:, 0].astype(np.float64)
    middle, most = np.median(np.abs(values)), np.abs(values).max()
    r = ((1 + most / middle) ** (1 / 127) - 1) / 2
    assert (np.abs(found - values) <= r * (np.abs(values) + middle) * (1 + 1e-5)).all()
    assert error == pytest.approx(np.abs(found - values).max(), rel=1e-6)
    assert folding._rounded(np.zeros((3, 1), np.float32), "int8", marked=False)[1] == 0


@pytest.mark.parametrize("name", ["model.bin", "model.ftz"])
def test_a_folded_model_can_be_written_for_fasttext(name: str, tmp_path: Path) -> None:
    small = trained("softmax", 2, tokenizer="whitespace").fold("int8" if name.endswith("ftz") else "float16")
    small.save(tmp_path / name)
    known = [i for i, text in enumerate(TEXTS) if small.explain(text).known]
    np.testing.assert_allclose(
        lexigrad.load(tmp_path / name).predict_proba(TEXTS)[known], small.predict_proba(TEXTS)[known], atol=1e-6
    )


def test_settings_stay_for_training_anew(tmp_path: Path) -> None:
    """A copy of a folded model that is trained has the vectors that were asked for."""
    small = trained("softmax", 2).fold()
    small.save(tmp_path / "small.lexigrad")
    for model in (small, lexigrad.load(tmp_path / "small.lexigrad")):
        assert model.get_params()["dim"] == 12
        assert lexigrad.TextClassifier(**model.get_params()).fit(*themed(30)).fitted.dim == 12


def test_a_number_too_small_for_float32_is_no_mark() -> None:
    clf = trained("softmax", 2)
    clf.fitted.input[:], clf.fitted.output[:] = np.float32(-1e-30), np.array([[0.0], [1e-30]], np.float32)
    assert clf.explain("sport1").known == clf.fold().explain("sport1").known > 0


def test_many_labels_are_not_compared_with_an_identity() -> None:
    fitted = trained("softmax", 3).fitted
    assert not folding.is_folded(replace(fitted, output=np.zeros((1 << 22, 12), np.float32)))


def test_what_cannot_be_folded(tmp_path: Path) -> None:
    clf = trained("softmax", 3)
    with pytest.raises(ParameterError, match="dtype='float8'"):
        clf.fold("float8")
    narrow = lexigrad.TextClassifier(dim=2, epochs=1, threads=1).fit(*themed(30))
    with pytest.raises(ParameterError, match="3 scores and rows of 2 numbers"):
        narrow.fold()
    half = clf.fold("float16")
    with pytest.raises(ParameterError, match="folded to float16 already"):
        half.fold("int8")
    np.testing.assert_array_equal(clf.fold().fold("int8").predict_proba(TEXTS), clf.fold("int8").predict_proba(TEXTS))
    with pytest.raises(DataError, match="is folded"):
        half.quantize()
    large = clf.fold()
    large.fitted.input[0, 0] = 1e6
    with pytest.raises(ParameterError, match="float16 ends at 65,504"):
        large.fold("float16")


def test_other_models_of_float16_numbers_are_refused(tmp_path: Path) -> None:
    """Kernels would read their matrices as float32, past the end."""
    clf = trained("softmax", 3)
    for name in ("input", "output"):
        wrong = replace(clf.fitted, **{name: getattr(clf.fitted, name).astype(np.float16)})
        save_classifier(wrong, clf.get_params(), tmp_path / "m.lexigrad")
        with pytest.raises(lexigrad.FormatError, match="float16"):
            lexigrad.load(tmp_path / "m.lexigrad")


def test_quantised_and_pruned_models_fold(tmp_path: Path) -> None:
    clf = trained("softmax", 2, tokenizer="whitespace")
    for small in (clf.quantize(), clf.quantize(40)):
        expected = np.array([small.explain(text).probs for text in TEXTS])
        np.testing.assert_allclose(small.fold().predict_proba(TEXTS), expected, atol=1e-6)


def test_the_derivatives_that_the_bounds_rest_on() -> None:
    """A probability moves at most by half of what scores move by under a softmax, and by a quarter under the sigmoid."""
    rng = np.random.default_rng(1)
    for n in (2, 3, 10):
        scores, moves = rng.normal(size=(5000, n)) * 3, rng.choice([-1e-3, 1e-3], (5000, n))
        assert 0.4e-3 < np.abs(lexigrad.softmax(scores + moves) - lexigrad.softmax(scores)).max() <= 0.5e-3
    scores = rng.normal(size=5000) * 3
    assert 0.24e-3 < np.abs(lexigrad.sigmoid(scores + 1e-3) - lexigrad.sigmoid(scores)).max() <= 0.25e-3
