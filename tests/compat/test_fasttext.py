"""fastText's module on lexigrad: every call against what the original answered."""

from __future__ import annotations

import hashlib
import inspect
import json
import lzma
import math
import os
import pickle
import subprocess
import sys
import threading
import types
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad.compat import fasttext
from lexigrad.compat.fasttext import raw
from lexigrad.errors import DataError, FormatError, ParameterError
from tests.conftest import real_data, themed

HERE = Path(__file__).parent / "fasttext"
MODELS = Path(__file__).parents[1] / "formats/fasttext"
GOLDEN: dict[str, Any] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
TEXTS: list[str] = json.loads((MODELS / "golden.json").read_text(encoding="utf-8"))["texts"]
NAMES = sorted(GOLDEN["models"])
CLASSIFIERS = [name for name in NAMES if "predict" in GOLDEN["models"][name]]
LABELLED = str(HERE / "labelled.txt")
CLOSE = 4e-6


def opened(name: str) -> Any:
    return fasttext.load_model(str(MODELS / name))


def plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def same(ours: Any, theirs: Any, close: float = CLOSE) -> None:
    """Compare everything exactly, and floats closely."""
    if theirs == "nan":
        assert math.isnan(ours)
    elif isinstance(theirs, float) or isinstance(ours, float):
        assert abs(ours - theirs) <= close * max(1.0, abs(theirs)), (ours, theirs)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (ours, theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, close)
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            same(ours[key], theirs[key], close)
    else:
        assert ours == theirs


# ------------------------------------------------------------------------------------------------------- names


def test_all_names_and_parameters_are_there() -> None:
    for path, expected in GOLDEN["signatures"]["functions"].items():
        ours: Any = fasttext
        for name in path.split("."):
            ours = getattr(ours, name)
        parameters = [
            [p.name, p.kind.name, None if p.default is p.empty else repr(p.default)]
            for p in inspect.signature(ours).parameters.values()
        ]
        assert parameters == expected, path
    for name in GOLDEN["signatures"]["raw"]:
        assert callable(getattr(raw.fasttext, name))
    defaults = {key: value for key, value in fasttext.FastText.unsupervised_default.items() if key != "thread"}
    assert defaults == GOLDEN["signatures"]["defaults"]
    assert (fasttext.EOS, fasttext.BOW, fasttext.EOW) == ("</s>", "<", ">")
    assert isinstance(fasttext.FastText, types.ModuleType)
    assert isinstance(fasttext.util, types.ModuleType)


@pytest.mark.parametrize("name", ["cbow", "skipgram", "supervised"])
def test_the_functions_of_old_only_raise(name: str) -> None:
    with pytest.raises(Exception, match=f"`{name}` is not supported any more"):
        getattr(fasttext, name)("train.txt", "model")


# ------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize("name", NAMES)
def test_words_labels_and_vectors_are_the_originals(name: str) -> None:
    model, golden = opened(name), GOLDEN["models"][name]
    words, counts = model.get_words(include_freq=True)
    assert counts.dtype == np.int64
    assert len(words) == len(model.words) == golden["n_words"]
    same([words[:20], counts[:20].tolist()], golden["words"])
    labels, counts = model.get_labels(include_freq=True)
    same([labels, counts.tolist()], golden["labels"])
    assert model.labels == model.get_labels() == labels
    assert (model.get_dimension(), model.is_quantized()) == (golden["dim"], golden["quantized"])
    for text, theirs in zip(TEXTS, golden["sentences"], strict=False):
        vector = model.get_sentence_vector(text)
        assert vector.dtype == np.float32
        same(plain(vector), theirs)
    for text, line in zip(TEXTS, golden["lines"], strict=True):
        assert plain(model.get_line(text)) == line
    assert plain(model.get_line(TEXTS)) == [list(column) for column in zip(*golden["lines"], strict=True)]
    for word, subwords in golden["subwords"].items():
        assert plain(model.get_subwords(word)) == subwords
        known = golden["ids"][word][0] >= 0
        assert (word in model) == known
    for word, ids in golden["ids"].items():
        assert [model.get_word_id(word), model.get_label_id(word)] == ids
    same(plain(model.get_analogies("bank", "my", "card", 4)), golden["analogies"])
    same(plain(model.get_nearest_neighbors("my", 5)), golden["neighbors"])
    same([plain(model.get_input_vector(i)) for i in (0, 5, 200)], golden["rows"])
    given = model.f.getArgs()
    assert {key: getattr(getattr(given, key), "name", getattr(given, key)) for key in golden["args"]} == golden["args"]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_the_originals(name: str) -> None:
    model = opened(name)
    for setting, theirs in GOLDEN["models"][name]["predict"].items():
        k, threshold = int(setting.split()[0]), float(setting.split()[1])
        many_labels, many_probs = model.predict(TEXTS, k, threshold)
        for i, text in enumerate(TEXTS):
            labels, probs = model.predict(text, k, threshold)
            assert isinstance(labels, tuple)
            assert probs.dtype == np.float64
            same([list(labels), probs.tolist()], theirs[i])
            assert many_labels[i] == list(labels)
            assert many_probs[i].dtype == np.float32
            np.testing.assert_allclose(many_probs[i], probs, atol=1e-6)


@pytest.mark.parametrize("name", ["negative.bin", "one_vs_all.bin"])
def test_scores_on_edges_of_steps_fall_by_sums_in_the_originals_order(name: str) -> None:
    model = opened(name)
    matrix, output = model.get_input_matrix(), model.get_output_matrix()
    below = above = 0
    for text in [text for text in TEXTS if model.predict(text)[0]][:12]:
        hidden = model.get_sentence_vector(text)
        scores = output @ hidden
        edges = np.clip(np.ceil(np.abs(scores) * 32) / 32 * np.sign(scores), -7, 7)
        on_edges = output * (edges / scores)[:, None]
        model.set_matrices(matrix, on_edges)
        scores = np.cumsum(on_edges * hidden, axis=1, dtype=np.float32)[:, -1]
        starts = np.floor((scores + np.float32(8)) * np.float32(32)).astype(np.float64) / 32 - 8
        below, above = below + (starts < edges).sum(), above + (starts == edges).sum()
        found = dict(zip(*model.predict(text, -1), strict=True))
        expected = 1 / (1 + np.exp(-starts)) + 1e-5
        np.testing.assert_allclose([found[label] for label in model.labels], expected, atol=1e-6)
    assert below > 10
    assert above > 10


def renamed(name: str, old: bytes, new: bytes) -> Any:
    """Return a model with other bytes in place of a label's name."""
    model = opened(name)
    held = model.f.model
    arena = np.frombuffer(held.file.arena.tobytes().replace(old, new), np.uint8)
    model.f.hold(type(held)(replace(held.file, arena=arena)))
    return model


def test_labels_that_are_no_utf8_break_only_the_answers_that_name_them() -> None:
    whole = opened("softmax.bin")
    answers = whole.predict(TEXTS)
    bad = Counter(labels[0] for labels in answers[0] if labels).most_common()[-1][0]
    model = renamed("softmax.bin", bad.encode(), bad.encode()[:-1] + b"\xff")
    good = [text for text, labels in zip(TEXTS, answers[0], strict=True) if bad not in labels]
    assert len(good) > 5
    assert model.predict(good)[0] == whole.predict(good)[0]
    assert model.predict(good[0])[0] == whole.predict(good[0])[0]
    assert model.f.predict(good[0], 1, 0.0, "strict") == whole.f.predict(good[0], 1, 0.0, "strict")
    worst = next(text for text, labels in zip(TEXTS, answers[0], strict=True) if bad in labels)
    for text in (worst, [good[0], worst]):
        for errors in ("strict", None):
            with pytest.raises(UnicodeDecodeError):
                model.predict(text, on_unicode_error=errors)
    assert model.predict(worst, on_unicode_error="replace")[0] == (bad[:-1] + "\ufffd",)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_precision_and_recall_are_the_originals(name: str) -> None:
    model, golden = opened(name), GOLDEN["models"][name]
    for setting, theirs in golden["test"].items():
        same(list(model.test(LABELLED, int(setting.split()[0]), float(setting.split()[1]))), theirs)
    same(model.test_label(LABELLED, 2), golden["test_label"])
    meter, expected = model.get_meter(LABELLED), golden["meter"]
    label = expected["label"]
    same(plain(meter.score_vs_true(label)), expected["scores"])
    same(plain(meter.precision_recall_curve(label)), expected["curve"])
    same(plain(meter.precision_recall_curve()), expected["all"])
    for x, theirs in zip((0, 0.3, 0.5, 1), expected["at"], strict=True):
        ours = [
            meter.precision_at_recall(x, label),
            meter.recall_at_precision(x, label),
            meter.precision_at_recall(x),
            meter.recall_at_precision(x),
        ]
        same(ours, theirs)
    with pytest.raises(ValueError, match="is no label"):
        meter.score_vs_true("__label__nosuch")


def test_languages_of_all_sentences_are_the_originals() -> None:
    model = fasttext.load_model(str(real_data("models/lid.176.ftz")))
    with lzma.open(real_data("languages/tatoeba.tsv.xz"), "rt", encoding="utf-8", newline="\n") as file:
        sentences = [line.rstrip("\n").split("\t", 1)[1] for line in file]
    golden = json.loads((MODELS / "languages.json").read_text(encoding="utf-8"))
    labels, probs = model.predict(sentences)
    assert len(labels) == golden["n"] == 88877
    first = "\n".join(names[0].removeprefix("__label__") for names in labels)
    assert hashlib.sha256(first.encode()).hexdigest() == golden["sha256"]
    worst = 0.0
    for i, (theirs, their_probs) in enumerate(zip(golden["labels"], golden["probs"], strict=True)):
        found = dict(zip(*model.predict(sentences[i * golden["every"]], k=-1), strict=True))
        assert f"__label__{theirs[0]}" == labels[i * golden["every"]][0]
        worst = max(worst, *(abs(found[f"__label__{a}"] - p) for a, p in zip(theirs, their_probs, strict=True)))
    assert worst <= 1e-5
    assert max(float(row[0]) for row in probs) > 1  # 1e-5 is added, as in the original


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_only_a_newline_ends_a_text_of_the_raw_object(name: str) -> None:
    model = opened(name)
    fitted = model.f.model.predictor.fitted
    assert fitted.reader.vocabulary.positions([b"</s>"])[0] >= 0
    differ = 0
    for text in TEXTS:
        ended = model.f.predict(text + "\nmore", 2, 0.0, "strict")
        assert [label for _, label in ended] == list(model.predict(text, 2)[0])
        bare = model.f.predict(text, 2, 0.0, "strict")
        differ += bare != ended
        for given, expected in ((text, bare), (text + "\n", ended), (text + "\nmore", ended)):
            labels, probs = model.f.multilinePredict(["", given], 2, 0.0, "strict")
            assert list(zip(probs[1].tolist(), labels[1], strict=True)) == expected
    assert differ > 10
    assert model.f.predict("", 1, 0.0, "strict") == []
    assert model.f.predict("\n", 1, 0.0, "strict") != []


@pytest.mark.parametrize("name", NAMES)
def test_single_calls_give_what_many_words_at_once_give(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened(name)
    held = model.f.model
    words = [*held.words[:60], *held.labels[:3], b"zzzq", "東京都".encode(), b"", b"\xff\x80a", b"x" * 300]
    for word, vector in zip(words, held.word_vectors(words), strict=True):
        np.testing.assert_allclose(held.word_vector(word), vector, rtol=2e-5, atol=1e-6)
        assert held.places[word] == held.ids([word])[0]
    monkeypatch.setattr("lexigrad.compat.fasttext.model.MOST_PLACES", 8)  # as of a model with many words
    again = opened(name).f.model
    for _ in range(2):
        assert [again.places[word] for word in words] == [held.places[word] for word in words]
    assert len(again.places) <= 8
    assert "a \ud800" not in model
    for label in model.get_labels()[:1] if model.f.model.supervised else []:
        names, rows = model.get_subwords(label)
        assert (names[0], rows[0]) == (label, model.get_word_id(label))
    with pytest.raises(TypeError):
        assert 3 in model


@pytest.mark.parametrize("name", NAMES)
def test_lines_of_the_raw_object_end_by_a_newline(name: str) -> None:
    model = opened(name)
    vector, compared = raw.Vector(model.get_dimension()), 0
    for text in TEXTS:
        words, labels = model.get_line(text, on_unicode_error=None)
        bare = words if "</s>" in text.split() else words[:-1]
        assert model.f.getLine(text + "\nmore", "strict") == (words, labels)
        assert model.f.getLine(text, "strict") == (bare, labels)
        model.f.getSentenceVector(vector, text + "\nmore")
        assert vector.tolist() == model.get_sentence_vector(text).tolist()
        model.f.getSentenceVector(vector, text)
        subwords = [row for word in bare for row in model.get_subwords(word)[1]]
        if model.f.model.supervised and model.f.getArgs().wordNgrams == 1 and not model.is_quantized() and subwords:
            rows = np.mean([model.get_input_vector(int(row)) for row in subwords], axis=0)
            np.testing.assert_allclose(vector, rows, rtol=1e-4, atol=1e-6)
            compared += 1
    assert compared > 10 or name != "one_vs_all.bin"


# ------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.predict("a\nb"), ValueError, "one line at a time"),
        (lambda m: m.predict(["a", "a\nb"]), ValueError, "one line at a time"),
        (lambda m: m.predict("a", k=0), ValueError, "k needs to be 1 or higher"),
        (lambda m: m.predict(["a"], k=-2), ValueError, "k needs to be 1 or higher"),
        (lambda m: m.predict("a", k=1.5), TypeError, "whole number"),
        (lambda m: m.predict("a", threshold="x"), TypeError, "number"),
        (lambda m: m.predict(b"a"), TypeError, "bytes"),
        (lambda m: m.predict(3), TypeError, "int"),
        (lambda m: m.predict("a \ud800 b"), TypeError, "no UTF-8 form"),
        (lambda m: m.f.predict("a \ud800 b", 1, 0.0, "strict"), TypeError, "no UTF-8 form"),
        (lambda m: m.predict({"a": "b"}), TypeError, "dict"),
        (lambda m: m.predict({"a", "b"}), TypeError, "set"),
        (lambda m: m.predict(np.array([["a", "b"]])), TypeError, "of a table one column"),
        (lambda m: m.predict(np.array("a")), TypeError, "ndarray"),
        (lambda m: m.predict(["a", None]), TypeError, "text 1"),
        (lambda m: m.predict(["a", "\udc80"]), TypeError, "text 1"),
        (lambda m: m.get_sentence_vector("a\n"), ValueError, "one line"),
        (lambda m: m.get_line("a\n"), ValueError, "get_line processes one line"),
        (lambda m: m.get_line(["a\n"]), ValueError, "get_line processes one line"),
        (lambda m: m.get_input_vector(10**7), ValueError, "row"),
        (lambda m: m.get_input_vector(-1), ValueError, "row"),
        (lambda m: m.get_nearest_neighbors("a", 0), ValueError, "k=0"),
        (lambda _: fasttext.load_model(3), TypeError, "path is of type int: expected a path"),
        (lambda _: fasttext.load_model(open), TypeError, "expected a path"),
        (lambda _: fasttext.load_model(None), TypeError, "expected a path"),
        (lambda _: fasttext.load_model(str(HERE)), ValueError, "is a folder"),
        (lambda m: m.test(None), TypeError, "expected a path"),
        (lambda m: m.test(str(HERE)), ValueError, "is a folder"),
        (lambda m: m.save_model(None), TypeError, "expected a path"),
        (lambda _: fasttext.train_supervised(3), TypeError, "input is of type int: expected a path"),
        (lambda _: fasttext.train_supervised(HERE), ValueError, "is a folder"),
        (lambda m: m.test("nosuch.txt"), ValueError, "cannot be opened"),
        (lambda m: m.test_label("nosuch.txt"), ValueError, "cannot be opened"),
        (lambda m: m.get_meter("nosuch.txt"), ValueError, "cannot be opened"),
        (lambda m: m.save_model("/nonexist/m.bin"), ValueError, "cannot be opened for saving"),
        (lambda m: m.quantize(retrain=True), ValueError, "Need input file"),
        (lambda m: m.set_matrices(np.zeros((3, 4)), np.zeros((5, 4))), ValueError, "rows"),
        (lambda m: m.set_matrices(np.zeros((3, 4)), np.zeros((5, 6))), ValueError, "columns"),
        (list, TypeError, "iterable"),
        (len, TypeError, "len"),
        (lambda _: fasttext.tokenize(None), TypeError, "str"),
        (lambda _: fasttext.load_model("nosuch.bin"), ValueError, "no such file"),
        (lambda _: fasttext.load_model(LABELLED), ValueError, "magic|truncated"),
        (lambda _: fasttext.FastText._FastText().predict("a"), RuntimeError, "no model"),
    ],
)
def test_errors_are_of_the_originals_types(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(opened("softmax.bin"))


def test_what_only_some_models_have() -> None:
    vectors, quantised = opened("skipgram.bin"), opened("softmax.ftz")
    for call in (lambda: vectors.predict("a"), lambda: vectors.predict(["a"])):
        with pytest.raises(ValueError, match="needs to be supervised"):
            call()
    with pytest.raises(ValueError, match="only support quantization of supervised"):
        vectors.quantize()
    assert vectors.test(LABELLED)[0] == 0
    for call in (quantised.get_input_matrix, quantised.get_output_matrix):
        with pytest.raises(ValueError, match="quantized"):
            call()
    with pytest.raises(ValueError, match="already quantized"):
        quantised.quantize()
    with pytest.raises(ValueError, match="no buckets"):
        quantised.get_subword_id("abc")


def test_texts_without_a_known_feature_get_no_answer(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("__label__a tea\n__label__b coffee\n" * 10)
    model = fasttext.train_supervised(str(tmp_path / "t.txt"), dim=4, minCount=15, thread=1, verbose=0)
    assert model.words == ["</s>"]
    model = fasttext.train_supervised(str(tmp_path / "t.txt"), dim=4, minCount=100, thread=1, verbose=0)
    labels, probs = model.predict("tea")
    assert labels == ()
    assert probs.tolist() == []
    assert model.predict(["tea"])[0] == [[]]
    assert model.test(str(tmp_path / "t.txt"))[0] == 0


# ------------------------------------------------------------------------------------------------------- more than the original


def test_models_can_be_pickled_and_shared_by_threads() -> None:
    for name in ("hierarchical.bin", "pruned.ftz", "negative.bin"):
        model = opened(name)
        expected = model.predict(TEXTS, 3)
        again = pickle.loads(pickle.dumps(model))
        assert again.predict(TEXTS, 3)[0] == expected[0]
        np.testing.assert_array_equal(again.get_word_vector("bank"), model.get_word_vector("bank"))
        with ThreadPoolExecutor(4) as pool:
            for labels, probs in pool.map(lambda _, m=model: m.predict(TEXTS, 3), range(20)):
                assert labels == expected[0]
                assert all((a == b).all() for a, b in zip(probs, expected[1], strict=True))


def test_other_threads_run_while_a_list_is_predicted() -> None:
    model = opened("hierarchical.bin")
    texts = TEXTS[:12] * 4000
    model.predict(texts[:100])
    done, turns = threading.Event(), 0

    def predict() -> None:
        for _ in range(3):
            model.predict(texts)
        done.set()

    worker = threading.Thread(target=predict)
    worker.start()
    while not done.is_set():
        turns += 1
    worker.join()
    assert turns > 1000


def test_any_sequence_of_texts_is_a_list() -> None:
    model = opened("softmax.bin")
    expected = model.predict(TEXTS[:3], 2)[0]
    assert model.predict(tuple(TEXTS[:3]), 2)[0] == expected
    assert model.predict(np.array(TEXTS[:3]), 2)[0] == expected
    assert model.predict([], 2) == ([], [])


# ------------------------------------------------------------------------------------------------------- matrices, util


def test_matrices_can_be_read_and_replaced(tmp_path: Path) -> None:
    for name in ("softmax.bin", "skipgram.bin"):
        model = opened(name)
        matrix, output = model.get_input_matrix(), model.get_output_matrix()
        assert matrix.dtype == output.dtype == np.float32
        np.testing.assert_array_equal(matrix[5], model.get_input_vector(5))
        model.set_matrices(2 * matrix, output)
        np.testing.assert_allclose(model.get_word_vector("my"), 2 * opened(name).get_word_vector("my"), rtol=1e-6)
        model.save_model(str(tmp_path / "m.bin"))
        np.testing.assert_array_equal(fasttext.load_model(str(tmp_path / "m.bin")).get_input_matrix(), 2 * matrix)
    with pytest.raises(ValueError, match="pruned"):
        opened("pruned.ftz").set_matrices(matrix, output)


def test_a_model_is_reduced_to_its_main_directions() -> None:
    model = opened("skipgram.bin")
    before = dict((word, score) for score, word in model.get_nearest_neighbors("bank", 20))
    matrix = model.get_input_matrix()
    assert fasttext.util.reduce_model(model, 6) is model  # all directions: a rotation
    assert model.get_dimension() == 6
    for score, word in model.get_nearest_neighbors("bank", 10):
        assert abs(score - before[word]) < 1e-4
    fasttext.util.reduce_model(model, 2)
    reduced = model.get_input_matrix()
    assert reduced.shape == (len(matrix), 2)
    centred = matrix - matrix.mean(axis=0)
    expected = np.linalg.svd(centred, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.svd(reduced - reduced.mean(axis=0), compute_uv=False), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="target_dim=3"):
        fasttext.util.reduce_model(model, 3)


def test_helpers_of_util() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]])
    found = np.empty(3)
    assert fasttext.util.find_nearest_neighbor(np.array([0.0, 1.0]), vectors, {1}, found) == 2
    np.testing.assert_allclose(found, [0, 1, 0.8])
    assert fasttext.util.find_nearest_neighbor(np.array([0.0, 1.0]), vectors, set()) == 1
    with pytest.raises(ValueError, match="banned"):
        fasttext.util.find_nearest_neighbor(np.array([0.0, 1.0]), vectors, {0, 1, 2})
    assert fasttext.util.test([["a"], ["b"]], [["a"], ["a", "c"]]) == (0.5, 1 / 3)


# ------------------------------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lines") / "train.txt"
    texts, labels = themed(300)
    rows = [f"__label__{label} {text}" for text, label in zip(texts, labels, strict=True)]
    path.write_text("\n".join([*rows, "__label__rare sport1 food2 law3", "__label__rare food2 once"]) + "\n")
    return path


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"wordNgrams": 2, "bucket": 300},
        {"minn": 2, "maxn": 3, "bucket": 100},
        {"loss": "hs"},
        {"loss": "ns", "neg": 3},
        {"loss": "ova"},
    ],
)
def test_a_trained_classifier_is_as_if_loaded(settings: dict[str, Any], lines: Path, tmp_path: Path) -> None:
    model = fasttext.train_supervised(str(lines), dim=8, epoch=10, lr=0.5, thread=1, verbose=0, **settings)
    model.save_model(str(tmp_path / "m.bin"))
    again = fasttext.load_model(str(tmp_path / "m.bin"))
    assert model.labels == again.labels
    assert model.labels[-1] == "__label__rare"
    words, counts = model.get_words(include_freq=True)
    assert words == again.words
    assert words[0] == "</s>"
    assert counts.tolist() == sorted(counts.tolist(), reverse=True)
    np.testing.assert_array_equal(model.get_input_matrix(), again.get_input_matrix())
    assert model.get_input_matrix().shape == (len(words) + settings.get("bucket", 0), 8)
    np.testing.assert_array_equal(model.get_output_matrix(), again.get_output_matrix())
    texts = [*themed(50, seed=2)[0], "__label__law sport1", "", "unknown words"]
    ours, theirs = model.predict(texts, -1), again.predict(texts, -1)
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    n, precision, recall = model.test(str(lines))
    assert n == 302
    assert precision == recall > 0.95
    assert (model.dim, model.epoch, model.lr, model.label) == (8, 10, 0.5, "__label__")
    assert model.f.getArgs().loss.name == model.loss.name == settings.get("loss", "softmax")
    for text in texts[:5]:
        np.testing.assert_allclose(model.get_sentence_vector(text), again.get_sentence_vector(text), atol=1e-6)
    assert pickle.loads(pickle.dumps(model)).predict(texts, 2)[0] == model.predict(texts, 2)[0]


def test_paths_may_be_bytes_and_path_objects(lines: Path, tmp_path: Path) -> None:
    model = fasttext.train_supervised(lines, dim=2, epoch=1, verbose=0)
    model.save_model(tmp_path / "m.bin")
    for path in (tmp_path / "m.bin", bytes(tmp_path / "m.bin"), str(tmp_path / "m.bin")):
        again = fasttext.load_model(path)
        assert again.test(lines) == again.test(bytes(lines)) == model.test(str(lines))
    same(list(model.test(os.devnull)), [0, "nan", "nan"])


@pytest.mark.parametrize("train", [fasttext.train_supervised, fasttext.train_unsupervised])
def test_between_a_greater_minn_and_a_smaller_maxn_there_are_no_ngrams(train: Any, lines: Path) -> None:
    model = train(lines, minn=3, maxn=2, dim=2, epoch=1, minCount=1, verbose=0)
    word = next(word for word in model.words if len(word) > 3)
    assert model.get_subwords(word)[0] == [word]
    assert model.get_input_matrix().shape == (len(model.words), 2)
    assert not model.get_word_vector("nosuchword").any()


def test_arguments_do_what_they_say(lines: Path, tmp_path: Path) -> None:
    common = {"dim": 4, "epoch": 1, "thread": 1, "verbose": 0}
    assert "__label__rare" in fasttext.train_supervised(str(lines), **common).labels
    frequent = fasttext.train_supervised(str(lines), minCountLabel=3, **common)
    assert "__label__rare" not in frequent.labels
    assert "once" not in frequent
    assert fasttext.train_supervised(str(lines), min_count=5, **common).words == [
        word
        for word, count in zip(*fasttext.train_supervised(str(lines), **common).get_words(True), strict=True)
        if count >= 5
    ]
    assert "once" not in fasttext.train_supervised(str(lines), 0.1, 4, 5, 1, 2, verbose=0)
    hashed = tmp_path / "hash.csv"  # whatever its name, it holds lines
    hashed.write_text(lines.read_text().replace("__label__", "#"))
    other = fasttext.train_supervised(str(hashed), label_prefix="#", **common)
    assert set(other.labels) == {"#law", "#food", "#sport", "#rare"}
    assert other.get_line("#law #unknown tea")[0] == ["tea", "</s>"]
    same_seed = [fasttext.train_supervised(str(lines), seed=seed, **common).get_output_matrix() for seed in (3, 3, 4)]
    assert (same_seed[0] == same_seed[1]).all()
    assert (same_seed[0] != same_seed[2]).any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"dim": "a"}, TypeError, "dim='a': expected a whole number"),
        ({"dim": 2.5}, TypeError, "whole number"),
        ({"foo": 1}, TypeError, "unexpected keyword argument 'foo'"),
        ({"minCount": 1, "min_count": 2}, TypeError, "multiple values for argument 'minCount'"),
        ({"loss": "x"}, ValueError, "Unrecognized loss name"),
        ({"thread": 0}, ParameterError, "thread=0"),
        ({"epoch": 0}, ParameterError, "epoch=0"),
        ({"lr": -1}, ParameterError, "lr=-1"),
        ({"neg": 0, "loss": "ns"}, ParameterError, "neg=0"),
        ({"minCountLabel": 1000}, DataError, "minCountLabel=1000"),
        ({"lr": 1e9}, RuntimeError, "diverged"),
        ({"pretrainedVectors": "nosuch.vec"}, ValueError, "nosuch.vec cannot be opened"),
        ({"autotuneValidationFile": "nosuch.txt"}, ValueError, "nosuch.txt cannot be opened"),
    ],
)
def test_arguments_that_cannot_be_used_are_errors(
    arguments: dict[str, Any], error: type[Exception], message: str, lines: Path
) -> None:
    with pytest.raises(error, match=message):
        fasttext.train_supervised(str(lines), **{"verbose": 0, "thread": 1, **arguments})


def test_training_needs_a_file() -> None:
    for train in (fasttext.train_supervised, fasttext.train_unsupervised):
        with pytest.raises(ValueError, match="cannot be opened for training"):
            train("nosuch.txt")
        with pytest.raises(ValueError, match="cannot be opened for training"):
            train(input="-")
    with pytest.raises(TypeError, match="unexpected keyword argument 'seed'"):
        fasttext.train_unsupervised("nosuch.txt", seed=1)
    with pytest.raises(TypeError, match="at most"):
        fasttext.train_supervised(*range(40))
    with pytest.raises(ValueError, match="Unrecognized model name"):
        fasttext.train_unsupervised("nosuch.txt", model="x")


@pytest.mark.parametrize(
    "settings",
    [{"bucket": 200}, {"model": "cbow", "maxn": 0}, {"loss": "hs", "bucket": 50}, {"loss": "softmax", "maxn": 0}],
)
def test_trained_word_vectors_are_as_if_loaded(settings: dict[str, Any], lines: Path, tmp_path: Path) -> None:
    model = fasttext.train_unsupervised(str(lines), dim=8, epoch=2, thread=1, verbose=0, **settings)
    model.save_model(str(tmp_path / "v.bin"))
    again = fasttext.load_model(str(tmp_path / "v.bin"))
    assert model.words == again.words == model.labels
    assert model.words[0] == "</s>"
    assert not any(word.startswith("__label__") for word in model.words)
    np.testing.assert_array_equal(model.get_input_matrix(), again.get_input_matrix())
    for word in ("sport1", "law2", "sport999", "</s>"):
        np.testing.assert_array_equal(model[word], again[word])
    assert model.get_nearest_neighbors("sport1", 4) == again.get_nearest_neighbors("sport1", 4)
    names = ("dim", "ws", "epoch", "minCount", "neg", "loss", "model", "bucket", "minn", "maxn", "lrUpdateRate", "t")
    assert [getattr(model.f.getArgs(), name) for name in names] == [getattr(again.f.getArgs(), name) for name in names]


def test_word_vectors_refuse_what_they_cannot_learn_by(lines: Path) -> None:
    with pytest.raises(ValueError, match="loss='ova'"):
        fasttext.train_unsupervised(str(lines), loss="ova", verbose=0)
    with pytest.raises(ParameterError, match="ws=0"):
        fasttext.train_unsupervised(str(lines), ws=0, verbose=0)
    with pytest.raises(ParameterError, match="t=-1"):
        fasttext.train_unsupervised(str(lines), t=-1, verbose=0)


def test_files_go_to_and_fro_between_both_apis(lines: Path, tmp_path: Path) -> None:
    model = fasttext.train_supervised(str(lines), dim=8, epoch=5, lr=0.5, thread=1, verbose=0)
    model.save_model(str(tmp_path / "m.bin"))
    clf = lexigrad.load(tmp_path / "m.bin")
    texts = themed(20, seed=5)[0]
    assert ["__label__" + label for label in clf.predict(texts)] == [labels[0] for labels in model.predict(texts)[0]]
    assert isinstance(opened("softmax.bin"), fasttext.FastText._FastText)
    with pytest.raises(FormatError):
        fasttext.load_model(str(lines))


# ------------------------------------------------------------------------------------------------------- install


def python(program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, "-c", program], capture_output=True, text=True, check=False, **options
    )


def test_install_makes_it_fasttext() -> None:
    program = """
import lexigrad.compat.fasttext as ours
assert ours.install() is ours.install()
import fasttext, fasttext.util
from fasttext.FastText import _FastText
import fasttext.FastText as inner
assert fasttext is ours and inner is ours.FastText and fasttext.util is ours.util
assert isinstance(fasttext.load_model({path!r}), _FastText)
""".format(path=str(MODELS / "one_vs_all.bin"))
    answer = python(program)
    assert answer.returncode == 0, answer.stderr


def test_install_does_not_replace_another_unasked(tmp_path: Path) -> None:
    (tmp_path / "fasttext").mkdir()
    (tmp_path / "fasttext/__init__.py").write_text("from . import inner\n")
    (tmp_path / "fasttext/inner.py").write_text("")
    program = """
import sys
sys.path.insert(0, {path!r})
import fasttext
import lexigrad.compat.fasttext as ours
try:
    ours.install()
except ImportError as error:
    assert {path!r} in str(error)
else:
    raise SystemExit("replaced")
assert sys.modules["fasttext"] is fasttext
ours.install(replace=True)
import fasttext as again
assert again is ours and "fasttext.inner" not in sys.modules
""".format(path=str(tmp_path))
    answer = python(program)
    assert answer.returncode == 0, answer.stderr


def test_a_program_runs_on_it_unchanged(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    (tmp_path / "program.py").write_text(
        "import sys, beside, fasttext\nprint(beside.NAME, sys.argv[1:], fasttext.__name__, fasttext.tokenize('a b'))\n"
    )
    command = [sys.executable, "-m", "lexigrad.compat.fasttext", str(tmp_path / "program.py"), "-x", "1"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stdout == "beside ['-x', '1'] lexigrad.compat.fasttext ['a', 'b']\n", answer.stderr
    answer = subprocess.run(command[:3], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "usage" in answer.stderr


# ------------------------------------------------------------------------------------------------------- downloads


def test_models_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import gzip

    monkeypatch.chdir(tmp_path)
    content = (MODELS / "skipgram.bin").read_bytes()
    (tmp_path / "host").mkdir()
    (tmp_path / "host/cc.en.300.bin.gz").write_bytes(gzip.compress(content))
    (tmp_path / "host/cc.de.300.bin.gz").write_bytes(gzip.compress(content)[:-100])
    monkeypatch.setattr(fasttext.util, "HOST", (tmp_path / "host").as_uri() + "/")
    download = fasttext.util.download_model
    assert download("en") == "cc.en.300.bin"
    assert Path("cc.en.300.bin").read_bytes() == content
    Path("cc.en.300.bin").write_bytes(b"old")
    assert download("en", if_exists="ignore") == "cc.en.300.bin"
    assert download("en") is None
    assert "File exists" in capsys.readouterr().out
    assert Path("cc.en.300.bin").read_bytes() == b"old"
    assert download("en", "overwrite") == "cc.en.300.bin"
    assert Path("cc.en.300.bin").read_bytes() == content
    for language in ("de", "fr"):
        with pytest.raises(ConnectionError, match="cannot be fetched"):
            download(language)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cc.en.300.bin", "host"]
    for arguments in (
        {"lang_id": "../x"},
        {"lang_id": "en", "if_exists": "maybe"},
        {"lang_id": "en", "dimension": 100},
    ):
        with pytest.raises(ValueError, match=r"lang_id=|if_exists=|dimension="):
            download(**arguments)
