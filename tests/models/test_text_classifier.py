"""The classifier as its users hold it."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, DivergenceError, LexigradWarning, NotFittedError, ParameterError, TextClassifier
from lexigrad.text.batches import TextBatch
from tests.conftest import real_data, themed
from tests.oracles import fasttext as oracle

TEXTS, LABELS = themed(600)
TEST_TEXTS, TEST_LABELS = themed(200, seed=1)
FAST: dict[str, Any] = {"dim": 16, "epochs": 10, "lr": 0.5, "threads": 1}


def test_learns_and_gives_true_probabilities(trained: TextClassifier) -> None:
    assert trained.score(TEST_TEXTS, TEST_LABELS) > 0.95
    probs = trained.predict_proba(TEST_TEXTS)
    assert probs.dtype == np.float32
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert probs.max() <= 1
    np.testing.assert_array_equal(trained.predict(TEST_TEXTS), trained.classes_[probs.argmax(axis=1)])


def test_top_k(trained: TextClassifier) -> None:
    probs = trained.predict_proba(TEST_TEXTS)
    labels, top = trained.top_k(TEST_TEXTS, k=2)
    np.testing.assert_allclose(top, -np.sort(-probs, axis=1)[:, :2], rtol=1e-6)
    np.testing.assert_array_equal(labels[:, 0], trained.predict(TEST_TEXTS))
    assert trained.top_k(TEST_TEXTS, k=99)[1].shape == (200, 3)
    labels, cut = trained.top_k(TEST_TEXTS, k=3, threshold=0.5)
    assert np.all((cut == 0) == (np.equal(labels, None)))
    assert np.all((cut == 0) | (cut >= 0.5))
    assert (cut > 0).any()
    for bad in (-0.1, 1.1):
        with pytest.raises(ParameterError, match="threshold"):
            trained.top_k(TEST_TEXTS, threshold=bad)
    with pytest.raises(ParameterError, match="k=0"):
        trained.top_k(TEST_TEXTS, k=0)


def test_a_text_that_is_too_long_is_refused(trained: lexigrad.TextClassifier) -> None:
    text = np.zeros(1 << 29, np.uint8)
    batch = TextBatch(text, np.array([0, len(text)]), None, "texts", np.arange(1))
    with pytest.raises(DataError, match="536,870,912 bytes: expected at most 536,866,816"):
        trained.fitted.score(batch, 1, 1)


@pytest.mark.parametrize("dim", [2, 3, 40])
def test_folded_and_plain_scoring_agree_with_the_matrices(dim: int) -> None:
    clf = TextClassifier(**{**FAST, "dim": dim}, word_ngrams=2).fit(TEXTS, LABELS)
    probs = clf.predict_proba(TEST_TEXTS[:20])
    for text, row in zip(TEST_TEXTS, probs, strict=False):
        np.testing.assert_allclose(row, clf.explain(text).probs, atol=2e-6)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.array([1, 2, 3, 1], np.int32), "int32"),
        ([3, 1, 2, 3], "int64"),
        (["b", "a", "b", "a"], "<U1"),
        (np.array(["b", "a", "b", "a"], object), "object"),
        ([True, False, True, False], "bool"),
    ],
)
def test_classes_are_sorted_and_keep_their_dtype(labels: Any, kind: str) -> None:
    clf = TextClassifier(**FAST).fit(["x y", "z", "x", "w"], labels)
    assert clf.classes_.dtype == np.dtype(kind)
    assert clf.classes_.tolist() == sorted(set(labels))
    assert clf.predict(["x"]).dtype == np.dtype(kind)


def test_several_labels_per_text() -> None:
    texts = ["alpha", "beta", "alpha beta"] * 60
    clf = TextClassifier(**{**FAST, "epochs": 60}).fit(texts, [["a"], ["b"], ["a", "b"]] * 60)
    assert [sorted(labels) for labels in clf.predict(["alpha", "beta", "alpha beta"])] == [["a"], ["b"], ["a", "b"]]
    result = clf.evaluate(["alpha", "alpha beta"], [["a"], ["a", "b"]], k=2)
    assert (result.precision, result.recall) == (0.75, 1.0)


def test_sorted_input_does_not_matter() -> None:
    order = np.argsort(LABELS, kind="stable")
    clf = TextClassifier(**FAST).fit([TEXTS[i] for i in order], [LABELS[i] for i in order])
    assert clf.score(TEST_TEXTS, TEST_LABELS) > 0.95


def test_one_thread_and_a_seed_decide_every_bit(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        clf = TextClassifier(**FAST, word_ngrams=2, seed=seed).fit(TEXTS, LABELS)
        np.save(tmp_path / name, np.concatenate([clf.fitted.input.ravel(), clf.fitted.output.ravel()]))
    one, same, other = ((tmp_path / f"{name}.npy").read_bytes() for name in "abc")
    assert one == same
    assert one != other


def test_threads_agree_in_accuracy() -> None:
    texts, labels = themed(9000)
    scores = [
        TextClassifier(**{**FAST, "threads": threads}).fit(texts, labels).score(TEST_TEXTS, TEST_LABELS)
        for threads in (1, 4)
    ]
    assert abs(scores[0] - scores[1]) < 0.03


def test_unknown_text_gets_the_training_prior() -> None:
    clf = TextClassifier(**FAST).fit(["a", "a", "a", "b"] * 5, ["x", "x", "x", "y"] * 5)
    np.testing.assert_allclose(clf.predict_proba(["never seen"]), [[0.75, 0.25]])
    np.testing.assert_allclose(clf.predict_proba([""]), [[0.75, 0.25]])
    assert clf.explain("never seen").known == 0
    assert "nothing in this text" in str(clf.explain("never seen"))


def test_min_count_and_tokenizer() -> None:
    clf = TextClassifier(**FAST, min_count=2).fit(
        ["Rare, word", "word"] * 1 + ["word other"] * 3, ["a", "b", "a", "b", "a"]
    )
    words = [clf.fitted.reader.vocabulary[i] for i in range(len(clf.fitted.reader.vocabulary))]
    assert words == [b"word", b"other"]
    clf = TextClassifier(**FAST, tokenizer="whitespace").fit(["Rare, word", "word"] * 5, ["a", "b"] * 5)
    assert {clf.fitted.reader.vocabulary[i] for i in range(3)} == {b"</s>", b"word", b"Rare,"}


def test_divergence_is_an_error_and_leaves_finite_weights() -> None:
    clf = TextClassifier(**{**FAST, "lr": 1e20, "epochs": 100})
    with pytest.raises(DivergenceError, match="smaller lr"):
        clf.fit(TEXTS, LABELS)
    assert np.isfinite(clf.fitted.input).all()
    assert np.isfinite(clf.predict_proba(TEST_TEXTS)).all()


def test_callback_sees_progress_and_can_interrupt() -> None:
    seen: list[lexigrad.Progress] = []
    clf = TextClassifier(**FAST).fit(TEXTS, LABELS, callback=seen.append)
    assert seen[-1].epoch == 10
    assert seen[-1].tokens_per_second > 0
    assert len(clf.losses_) == len(seen)

    def interrupt(progress: lexigrad.Progress) -> None:
        raise KeyboardInterrupt

    clf = TextClassifier(**{**FAST, "epochs": 10_000})
    with pytest.raises(KeyboardInterrupt):
        clf.fit(TEXTS, LABELS, callback=interrupt)
    assert clf.fitted.facts["finished"] is False
    assert clf.score(TEST_TEXTS, TEST_LABELS) > 0.5


def test_verbose_writes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    TextClassifier(**FAST, verbose=True).fit(TEXTS, LABELS)
    output = capfd.readouterr()
    assert "epoch 10.00/10" in output.err
    assert not output.out


@pytest.mark.parametrize(
    "bad",
    [
        {"dim": 0}, {"epochs": 1.5}, {"lr": -1}, {"lr": float("nan")}, {"lr": "fast"}, {"loss": "hinge"}, {"word_ngrams": 0}, {"min_n": -1},
        {"min_n": 3, "max_n": 2}, {"buckets": 0}, {"buckets": 2**31}, {"min_count": 0}, {"tokenizer": "bytes"}, {"label_prefix": ""},
        {"threads": 0}, {"threads": True}, {"seed": -1}, {"deterministic": True},
    ],
)  # fmt: skip
def test_bad_settings_are_named(bad: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=list(bad)[-1]):
        TextClassifier(**bad).fit(TEXTS, LABELS)


def test_bad_calls(trained: TextClassifier) -> None:
    with pytest.raises(NotFittedError):
        TextClassifier().predict(["a"])
    with pytest.raises(DataError, match="list"):
        trained.predict("one text")
    with pytest.raises(DataError, match="labels"):
        TextClassifier().fit(["a"])
    with pytest.raises(DataError, match="3 texts but 2 labels"):
        TextClassifier().fit(["a", "b", "c"], ["x", "y"])
    with pytest.raises(ParameterError, match="no_such"):
        trained.set_params(no_such=1)
    with pytest.raises(DataError, match="explain takes one text"):
        trained.explain(["a"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="labels are int"):
        trained.evaluate(["a"], [1])
    with pytest.warns(LexigradWarning, match="1 texts have no label"):
        TextClassifier(**FAST).fit(["a", "b", "c"], [["x"], [], ["y"]])
    assert trained.predict([]).shape == (0,)
    assert trained.predict_proba([]).shape == (0, 3)


def test_pickle_and_threads(trained: TextClassifier) -> None:
    expected = trained.predict_proba(TEST_TEXTS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trained)).predict_proba(TEST_TEXTS), expected)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(trained.predict_proba, [TEST_TEXTS] * 16):
            np.testing.assert_array_equal(found, expected)
    long = [text + " word" * 400 for text in TEST_TEXTS]
    several = pickle.loads(pickle.dumps(trained)).set_params(threads=3)
    np.testing.assert_array_equal(several.predict_proba(long), trained.predict_proba(long))


def _first(model: TextClassifier) -> list[str]:
    return model.set_params(threads=2).predict(TEST_TEXTS * 20).tolist()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_predicts_in_other_processes(trained: TextClassifier, method: str) -> None:
    expected = _first(trained)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_first, [trained, trained]) == [expected, expected]
    trained.set_params(threads=1)


def test_scikit_learn_conventions() -> None:
    from sklearn.base import clone, is_classifier
    from sklearn.feature_extraction.text import CountVectorizer  # noqa: F401 - scikit-learn's text tools are there
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import Pipeline

    clf = TextClassifier(**FAST)
    assert is_classifier(clf)
    assert clone(clf).get_params() == clf.get_params()
    assert cross_val_score(clf, TEXTS[:300], LABELS[:300], cv=3).min() > 0.9
    search = GridSearchCV(Pipeline([("clf", clf)]), {"clf__epochs": [1, 10]}, cv=2).fit(TEXTS[:300], LABELS[:300])
    assert search.best_params_ == {"clf__epochs": 10}


def test_evaluation_equals_scikit_learn(trained: TextClassifier) -> None:
    from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

    predicted = trained.predict(TEST_TEXTS)
    result = trained.evaluate(TEST_TEXTS, TEST_LABELS)
    precision, recall, f1, _ = precision_recall_fscore_support(TEST_LABELS, predicted, average="macro")
    np.testing.assert_allclose([result.macro_precision, result.macro_recall, result.macro_f1], [precision, recall, f1])
    np.testing.assert_array_equal(result.confusion, confusion_matrix(TEST_LABELS, predicted))
    probs = trained.predict_proba(TEST_TEXTS).astype(float)
    assert abs(result.log_loss - log_loss(TEST_LABELS, probs / probs.sum(axis=1, keepdims=True))) < 1e-5


def test_explanation_adds_up(trained: TextClassifier) -> None:
    for text in [*TEST_TEXTS[:10], "sport1 sport1 zzz, qqq", "food2"]:
        explanation = trained.explain(text)
        total = explanation.contributions.sum(axis=0)
        assert np.all(np.abs(total - explanation.scores) <= 1e-6 * np.maximum(1, np.abs(explanation.scores)))
        np.testing.assert_allclose(explanation.probs, trained.predict_proba([text])[0], atol=1e-5)
        assert explanation.label == trained.predict([text])[0]
    explanation = trained.explain("sport1 food2")
    assert explanation.tokens[:2] == ["sport1", "food2"]
    assert explanation.tokens[2:5] == ["<s", "<sp", "<spo"]
    assert explanation.tokens[-1] == "sport1 food2"
    assert explanation.kinds[-1] == "words"
    assert explanation.to_dict()["label"] in ("sport", "food")


@pytest.mark.parametrize("name", ["trec6", "sst2"])
def test_accuracy_on_real_data(name: str) -> None:
    settings = {"trec6": (25, 0.5, 0.88), "sst2": (10, 0.5, 0.80)}[name]
    clf = TextClassifier(dim=50, epochs=settings[0], lr=settings[1], word_ngrams=2, threads=1)
    clf.fit_file(real_data(f"classify/{name}.train.txt"))
    assert clf.evaluate_file(real_data(f"classify/{name}.test.txt")).precision > settings[2]


@pytest.mark.parametrize("loss", ["one_vs_all", "hierarchical_softmax", "negative_sampling"])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_loss_learns(loss: str, threads: int, tmp_path: Path) -> None:
    texts, labels = themed(4000)
    clf = TextClassifier(dim=16, epochs=5, lr=0.5, loss=loss, word_ngrams=2, threads=threads, tokenizer="whitespace")
    clf.fit(texts, labels)
    held_out = themed(300, seed=9)
    assert clf.score(*held_out) > 0.97
    probs = clf.predict_proba(held_out[0])
    if loss == "hierarchical_softmax":
        np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    explained = clf.explain(held_out[0][0])
    np.testing.assert_allclose(explained.probs, probs[0], atol=1e-5)
    for name in ("m.lexigrad", "m.bin"):
        clf.save(tmp_path / name)
        np.testing.assert_allclose(lexigrad.load(tmp_path / name).predict_proba(held_out[0]), probs, atol=1e-6)
    plain = oracle.Model(tmp_path / "m.bin")
    exact = plain.predict(held_out[0][0].encode(), exact=True)
    np.testing.assert_allclose(probs[0], [exact[f"__label__{label}".encode()] for label in clf.classes_], atol=1e-5)


@pytest.mark.parametrize("loss", ["one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_one_thread_and_a_seed_give_the_same_bits_for_every_loss(loss: str) -> None:
    one, two = (
        TextClassifier(dim=8, epochs=2, lr=0.5, loss=loss, threads=1, seed=3).fit(*themed(100)) for _ in range(2)
    )
    np.testing.assert_array_equal(one.fitted.input, two.fitted.input)
    np.testing.assert_array_equal(one.fitted.output, two.fitted.output)


def test_one_vs_all_finds_how_many_labels_a_text_has() -> None:
    texts = ["red", "red round", "round", "blue", "blue round", "blue red round"] * 200
    labels = [text.split() for text in texts]
    clf = TextClassifier(dim=16, epochs=20, lr=0.2, loss="one_vs_all", threads=1).fit(texts, labels)
    assert [sorted(found) for found in clf.predict(texts[:6])] == [sorted(of_text) for of_text in labels[:6]]


@pytest.mark.parametrize("loss", ["softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_a_single_label_can_be_learned_by_every_loss(loss: str) -> None:
    clf = TextClassifier(dim=4, epochs=2, loss=loss, threads=1).fit(["a b", "c"], ["only", "only"])
    assert clf.predict(["a", "zzz"]).tolist() == ["only", "only"]


def test_one_vs_all_takes_the_rates_that_softmax_takes() -> None:
    rng = np.random.default_rng(1)
    labels = [str(i) for i in rng.integers(0, 400, 4000)]
    texts = [f"common words {label} x{label}" for label in labels]
    clf = TextClassifier(dim=20, epochs=10, lr=0.5, loss="one_vs_all", threads=1).fit(texts, labels)
    assert clf.score(texts, labels) > 0.9
