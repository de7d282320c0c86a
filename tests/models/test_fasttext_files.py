"""Models of fastText: their predictions are fastText's own, before what it adds to them."""

from __future__ import annotations

import hashlib
import json
import lzma
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, ParameterError, TextClassifier, WordVectors
from lexigrad.models.fasttext_files import label_prefix_of
from tests.conftest import real_data, themed
from tests.oracles import fasttext as oracle

FOLDER = Path(__file__).parents[1] / "formats/fasttext"
GOLDEN: dict[str, Any] = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
CLASSIFIERS = sorted(GOLDEN["classifiers"])
VECTORS = sorted(GOLDEN["vectors"])
TEXTS: list[str] = GOLDEN["texts"]
REAL_VECTORS: dict[str, Any] = json.loads((FOLDER / "real_vectors.json").read_text(encoding="utf-8"))


def opened(name: str) -> TextClassifier:
    model = lexigrad.load(FOLDER / name)
    assert isinstance(model, TextClassifier)
    return model.set_params(threads=1)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_plain_model_answers_as_fasttext_did(name: str) -> None:
    plain = oracle.Model(FOLDER / name)
    jumps = 0
    for text, (labels, probs) in zip(TEXTS, GOLDEN["classifiers"][name], strict=True):
        ours = plain.predict(text.encode(), exact=False)
        if plain.settings["loss"] == oracle.HS:  # there fastText gives up below 1e-5
            assert len(labels) >= min(10, sum(p > 1.01e-5 for p in ours.values()))
        else:
            assert len(labels) == min(10, len(ours))
        found = [ours[label.encode()] for label in labels]
        off = np.abs(np.array(found) - probs) > 3e-6
        if plain.settings["loss"] in (oracle.NS, oracle.OVA):
            jumps += int(off.sum())  # a score on the edge of a step of the table
            assert np.abs(np.array(found) - probs).max(initial=0) < 0.008
        else:
            assert not off.any(), text
    assert jumps <= 2


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_exact(name: str) -> None:
    model, plain = opened(name), oracle.Model(FOLDER / name)
    probs = model.predict_proba(TEXTS)
    prefix = model.label_prefix
    for text, row in zip(TEXTS, probs, strict=True):
        exact = plain.predict(text.encode(), exact=True)
        if not exact:
            continue
        expected = [exact[(prefix + label).encode()] for label in model.classes_.tolist()]
        np.testing.assert_allclose(row, expected, atol=4e-6)  # float32 sums of up to 900 rows
    loss = {1: "hierarchical_softmax", 2: "negative_sampling", 3: "softmax", 4: "one_vs_all"}
    assert model.loss == loss[plain.settings["loss"]]
    if model.loss in ("softmax", "hierarchical_softmax"):
        np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_first_labels_are_those_of_fasttext(name: str) -> None:
    model = opened(name)
    labels, probs = model.top_k(TEXTS, k=3)
    for text, found, p, (theirs, their_p) in zip(TEXTS, labels, probs, GOLDEN["classifiers"][name], strict=True):
        if theirs and (
            len(their_p) < 2 or (their_p[0] - their_p[1] > 1e-4 and model.loss in ("softmax", "hierarchical_softmax"))
        ):
            assert model.label_prefix + found[0] == theirs[0], text
            assert abs(p[0] - their_p[0]) < 2e-4
    assert model.predict(TEXTS).tolist() == labels[:, 0].tolist()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_explanations_add_up(name: str) -> None:
    model = opened(name)
    for text in TEXTS:
        explained = model.explain(text)
        np.testing.assert_allclose(explained.contributions.sum(axis=0), explained.scores, atol=1e-6)
        np.testing.assert_allclose(explained.probs, model.predict_proba([text])[0], atol=4e-6)
        plain = oracle.Model(FOLDER / name)
        assert explained.known == len(plain.rows_of(text.encode()))


def test_a_text_without_features_gets_the_shares_of_the_labels() -> None:
    model = opened("negative.bin")
    assert model.explain("__label__").known > 0  # the end of the sentence is a word
    pruned = opened("prefix.bin")
    counts = pruned.fitted.label_counts
    assert pruned.fitted.prior == pytest.approx(counts / counts.sum())


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_they_can_be_kept_and_pickled(name: str, tmp_path: Path) -> None:
    model = opened(name)
    expected = model.predict_proba(TEXTS)
    model.save(tmp_path / "m.lexigrad")
    again = lexigrad.load(tmp_path / "m.lexigrad")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), expected)
    assert again.get_params() == {**model.get_params()}
    for text in TEXTS[:5]:
        np.testing.assert_array_equal(again.explain(text).contributions, model.explain(text).contributions)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(TEXTS), expected)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_scoring_from_codes_and_decoded_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = opened(name).predict_proba(TEXTS)
    monkeypatch.setattr("lexigrad.models.fitted.DECODED_BYTES", 0)
    np.testing.assert_allclose(opened(name).predict_proba(TEXTS), expected, atol=1e-6)


def test_evaluation_works_for_every_loss(tmp_path: Path) -> None:
    for name in CLASSIFIERS:
        model = opened(name)
        predicted = model.predict(TEXTS[:6])
        assert model.evaluate(TEXTS[:6], predicted).accuracy == 1.0
        lines = [f"{model.label_prefix}{label} {text}" for label, text in zip(predicted, TEXTS, strict=False)]
        (tmp_path / "t.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert model.evaluate_file(tmp_path / "t.txt").accuracy == 1.0


@pytest.mark.parametrize(
    ("labels", "prefix"),
    [
        (["__label__a", "__label__b"], "__label__"),
        (["__label__a"], "__label__"),
        (["__lang__en", "__lang__eo"], "__lang__"),
        (["#a", "#b"], "#"),
        (["#a"], "#"),
        (["Lx", "Ly"], "L"),
        (["a", "b"], "__label__"),
    ],
)
def test_the_prefix_of_labels_is_inferred(labels: list[str], prefix: str) -> None:
    assert label_prefix_of(labels) == prefix


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_those_of_fasttext(name: str, tmp_path: Path) -> None:
    vectors, plain = lexigrad.load(FOLDER / name), oracle.Model(FOLDER / name)
    assert isinstance(vectors, WordVectors)
    for word, theirs in GOLDEN["vectors"][name]["vectors"].items():
        known = word.encode() in plain.words or (plain.settings["max_n"] and word != "</s>")
        if known:
            np.testing.assert_allclose(vectors[word], theirs, atol=2e-7)
            np.testing.assert_allclose(vectors[word], plain.word_vector(word.encode()), atol=1e-7)
        else:
            assert word not in vectors
    assert [word for word, _ in vectors.most_similar("bank", 5)] == [
        word for word, _ in GOLDEN["vectors"][name]["nearest"]
    ]
    np.testing.assert_allclose(
        [score for _, score in vectors.most_similar("bank", 5)], [score for _, score in GOLDEN["vectors"][name]["nearest"]], atol=1e-5
    )  # fmt: skip
    np.testing.assert_allclose(vectors.vectors[5], vectors[vectors.words[5]], atol=1e-7)
    vectors.save(tmp_path / "v.lexigrad")
    again = lexigrad.load(tmp_path / "v.lexigrad")
    np.testing.assert_array_equal(again.vectors, vectors.vectors)
    assert again.get_params() == vectors.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vectors)).vectors, vectors.vectors)


def test_languages_of_all_sentences_are_those_that_fasttext_names() -> None:
    path = real_data("models/lid.176.ftz")
    with lzma.open(real_data("languages/tatoeba.tsv.xz"), "rt", encoding="utf-8", newline="\n") as file:
        sentences = [line.rstrip("\n").split("\t", 1)[1] for line in file]
    golden = json.loads((FOLDER / "languages.json").read_text(encoding="utf-8"))
    model = lexigrad.load(path)
    assert isinstance(model, TextClassifier)
    assert len(sentences) == golden["n"]
    first = model.predict(sentences).tolist()
    assert hashlib.sha256("\n".join(first).encode()).hexdigest() == golden["sha256"]
    some = sentences[:: golden["every"]]
    probs = model.predict_proba(some)
    places = {label: i for i, label in enumerate(model.classes_.tolist())}
    plain = oracle.Model(path)
    for i, (labels, theirs) in enumerate(zip(golden["labels"], golden["probs"], strict=True)):
        ours = probs[i, [places[label] for label in labels]]
        # fastText adds 1e-5 to each of about 8 answers on the way to a label, which at most turns p into p + 8e-5 and somewhat more
        assert np.all(np.array(theirs) - ours > -2e-6)
        assert np.all(np.array(theirs) - ours < 3e-4)
        if i % 20 == 0:
            text = some[i].encode()
            with_offsets, exact = plain.predict(text, exact=False), plain.predict(text, exact=True)
            keys = [f"__label__{label}".encode() for label in labels]
            np.testing.assert_allclose([with_offsets[key] for key in keys], theirs, atol=5e-6)
            np.testing.assert_allclose(ours, [exact[key] for key in keys], atol=2e-6)


@pytest.mark.parametrize("name", ["crime-and-punishment", "toy-model"])
def test_real_vectors_are_those_that_fasttext_wrote_as_text(name: str) -> None:
    ours = lexigrad.load(real_data(f"models/{name}.bin"))
    theirs = lexigrad.load(real_data(f"models/{name}.vec"))
    assert isinstance(ours, WordVectors)
    assert isinstance(theirs, WordVectors)
    assert list(ours.words) == list(theirs.words)
    np.testing.assert_allclose(ours.vectors, theirs.vectors, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", REAL_VECTORS)
def test_real_vectors_are_those_of_fasttext(name: str) -> None:
    model = lexigrad.load(real_data(f"models/{name}.bin"))
    assert isinstance(model, WordVectors)
    unknown = 0
    for word, theirs in REAL_VECTORS[name]["vectors"].items():
        if theirs:
            np.testing.assert_allclose(model[word], theirs, atol=2e-7)
        else:
            with pytest.raises(KeyError, match="has no vector"):
                model[word]
        unknown += word not in model
    assert unknown >= 4
    for word, nearest in REAL_VECTORS[name]["nearest"].items():
        ours = model.most_similar(word, 5)
        assert [other for other, _ in ours] == [other for other, _ in nearest]
        np.testing.assert_allclose([score for _, score in ours], [score for _, score in nearest], atol=1e-5)


@pytest.mark.parametrize("name", VECTORS)
def test_training_goes_on_from_them(name: str) -> None:
    vectors = lexigrad.load(FOLDER / name)
    assert isinstance(vectors, WordVectors)
    before = vectors["bank"].copy()
    vectors.set_params(threads=1, epochs=1, subsample=0.0).fit(["my bank is a good bank"] * 20, resume=True)
    assert np.abs(vectors["bank"] - before).max() > 0
    assert np.linalg.norm(vectors["bank"] - before) < 5


# ------------------------------------------------------------------------------------------------------------- writing

SETTINGS: dict[str, dict[str, Any]] = {
    "words": {},
    "bigrams": {"word_ngrams": 2},
    "all n-grams": {"word_ngrams": 3, "min_n": 2, "max_n": 4, "min_count": 3},
    "few buckets": {"word_ngrams": 2, "min_n": 1, "max_n": 2, "buckets": 77},
}


def trained_on_themes(**settings: Any) -> TextClassifier:
    clf = TextClassifier(dim=7, epochs=5, lr=0.5, tokenizer="whitespace", threads=1, **settings)
    return clf.fit(*themed(200))


@pytest.mark.parametrize("name", SETTINGS)
def test_what_we_train_is_read_by_the_plain_model(name: str, tmp_path: Path) -> None:
    clf = trained_on_themes(**SETTINGS[name])
    path = tmp_path / "m.bin"
    clf.save(path)
    plain = oracle.Model(path)
    texts = [*themed(20, seed=3)[0], "nothing of this is known", "sport1", ""]
    probs = clf.predict_proba(texts)
    for text, row in zip(texts, probs, strict=True):
        exact = plain.predict(text.encode(), exact=True)
        if exact:
            np.testing.assert_allclose(row, [exact[f"__label__{label}".encode()] for label in clf.classes_], atol=1e-6)
    again = lexigrad.load(path)
    np.testing.assert_allclose(again.predict_proba(texts), probs, atol=1e-6)
    assert again.classes_.tolist() == clf.classes_.tolist()
    assert plain.labels == [
        f"__label__{label}".encode() for label in clf.classes_[np.argsort(-clf.fitted.label_counts, kind="stable")]
    ]
    counts = [count for _, count in plain.entries[plain.n_words :]]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_models_of_fasttext_are_written_back_with_the_same_answers(name: str, tmp_path: Path) -> None:
    model = opened(name)
    path = tmp_path / f"m{Path(name).suffix}"
    model.save(path)
    again = lexigrad.load(path)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    before, after = oracle.Model(FOLDER / name), oracle.Model(path)
    assert after.entries == before.entries
    assert after.kept == before.kept
    for text in TEXTS[::4]:
        assert after.predict(text.encode(), exact=False) == before.predict(text.encode(), exact=False)


def test_what_fasttext_cannot_have_is_refused(tmp_path: Path) -> None:
    texts, labels = themed(50)
    words = TextClassifier(dim=4, epochs=1, threads=1).fit(texts, labels)
    with pytest.raises(ParameterError, match="the tokenizer 'whitespace'"):
        words.save(tmp_path / "m.bin")
    plain = TextClassifier(dim=4, epochs=1, threads=1, tokenizer="whitespace").fit(texts, labels)
    with pytest.raises(ParameterError, match="quantised"):
        plain.save(tmp_path / "m.ftz")
    with pytest.raises(DataError, match="inner nodes"):
        opened("hierarchical.bin").save(tmp_path / "m.output")
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_looks_like_one_of_the_labels_is_refused(tmp_path: Path) -> None:
    texts, labels = ["good __label__b", "bad __label__c"] * 20, ["a", "b"] * 20
    clf = TextClassifier(dim=4, epochs=1, threads=1, tokenizer="whitespace").fit(texts, labels)
    with pytest.raises(DataError, match="'__label__b' is a word of the texts and, with its prefix, a label"):
        clf.save(tmp_path / "m.bin")
    clf.set_params(label_prefix="#").save(tmp_path / "m.bin")
    assert lexigrad.load(tmp_path / "m.bin").classes_.tolist() == ["a", "b"]


def test_labels_that_are_numbers_become_text(tmp_path: Path) -> None:
    clf = TextClassifier(dim=4, epochs=5, lr=0.5, threads=1, tokenizer="whitespace").fit(
        ["good", "bad"] * 50, [1, 2] * 50
    )
    clf.save(tmp_path / "m.bin")
    assert lexigrad.load(tmp_path / "m.bin").predict(["good", "bad"]).tolist() == ["1", "2"]


@pytest.mark.parametrize("name", ["softmax.bin", "negative.bin", "pruned.ftz", "prefix.bin"])
def test_vectors_of_words_and_labels_as_text(name: str, tmp_path: Path) -> None:
    model, plain = opened(name), oracle.Model(FOLDER / name)
    model.save(tmp_path / "m.vec")
    vectors = lexigrad.load(tmp_path / "m.vec")
    assert [word.encode() for word in vectors.words] == list(plain.words)
    for word in list(plain.words)[::50]:
        np.testing.assert_allclose(vectors[word.decode()], plain.word_vector(word), rtol=1e-5, atol=1e-6)
    if name != "pruned.ftz":
        model.save(tmp_path / "m.output")
        labels = lexigrad.load(tmp_path / "m.output")
        assert [label.encode() for label in labels.words] == plain.labels
        np.testing.assert_allclose(labels.vectors, plain.output, rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_n": 2, "max_n": 4, "buckets": 500},
        {"loss": "hierarchical_softmax", "model": "cbow"},
        {"loss": "softmax", "min_n": 3, "max_n": 3, "buckets": 64},
    ],
)
def test_word_vectors_are_written_for_fasttext(settings: dict[str, Any], tmp_path: Path) -> None:
    texts, _ = themed(200)
    ours = WordVectors(dim=6, min_count=1, epochs=1, threads=1, **settings).fit(texts)
    path = tmp_path / "v.bin"
    ours.save(path, "fasttext")
    plain = oracle.Model(path)
    for word in ours.words:
        np.testing.assert_allclose(ours[word], plain.word_vector(word.encode()), rtol=1e-5, atol=1e-6)
    again = lexigrad.load(path)
    assert isinstance(again, WordVectors)
    np.testing.assert_allclose(again.vectors, ours.vectors, rtol=1e-5, atol=1e-6)
    assert again.fitted.counts.tolist() == ours.fitted.counts.tolist()
    kept = {
        name: value
        for name, value in ours.get_params().items()
        if name in ("model", "loss", "dim", "window", "min_n", "max_n")
    }
    assert {name: again.get_params()[name] for name in kept} == kept
    assert again.fitted.output is not None
    assert ours.fitted.output is not None
    np.testing.assert_array_equal(again.fitted.output, ours.fitted.output)
    if ours.loss == "hierarchical_softmax":
        np.testing.assert_allclose(plain.output[-2], ours.fitted.output[0], rtol=1e-6)  # the root
        with pytest.raises(DataError, match="tree"):
            ours.save(tmp_path / "v.output")
    else:
        ours.save(tmp_path / "v.output")
        np.testing.assert_array_equal(lexigrad.load(tmp_path / "v.output").vectors, ours.fitted.output)


def test_words_that_the_file_cannot_hold_are_refused(tmp_path: Path) -> None:
    vectors = WordVectors(dim=4, min_count=1, threads=1, epochs=1, subsample=0.0).fit([["a", "b\0c"]] * 20)
    with pytest.raises(DataError, match="zero byte"):
        vectors.save(tmp_path / "v.bin", "fasttext")
    assert not (tmp_path / "v.bin").exists()
