"""Training that begins at given vectors, against the plain classifier in which every feature has a row of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, LexigradWarning, ParameterError, TextClassifier, WordVectors
from lexigrad.models.given_vectors import as_tokens, read_given, starting_words
from lexigrad.text.corpus import read_corpus
from lexigrad.text.features import encode_corpus
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import WHITESPACE, WORDS
from lexigrad.text.vocabulary import Vocabulary
from lexigrad.training.classifier import LabelledTexts, Weights, train_classifier
from lexigrad.training.progress import SilentDisplay
from tests.conftest import themed
from tests.oracles import classifier as oracle
from tests.oracles import fasttext
from tests.oracles import tokens as token_oracle

FOLDER = Path(__file__).parents[1] / "formats/fasttext"
DIM = 5
TEXTS = ["good fine film", "good fine plot twist", "bad dull film", "dull bad end", "new york film", "in new york"] * 2
LABELS = ["pos", "pos", "neg", "neg", "none", "none"] * 2
RNG = np.random.default_rng(3)
GIVEN = {
    word: RNG.normal(size=DIM).astype(np.float32)
    for word in ["good", "Good", "fine", "film", "plot", "Twist", "new", "unseen", "new-york", "in", "dull", ""]
}
"""'good' and 'fine', and 'plot' and 'twist', occur in the same texts: without vectors they would share a row."""
SETTINGS: dict[str, Any] = {"word_ngrams": 2, "min_n": 2, "max_n": 3, "buckets": 64}


# -------------------------------------------------------------------------------------------------- training from them


@pytest.mark.parametrize("min_count", [1, 3])
def test_training_is_gradient_descent_on_separate_rows_that_begin_at_the_vectors(min_count: int) -> None:
    """Nothing is shared in the plain version: it has a row for each word and bucket, and those of the given words begin at their vectors."""
    corpus = read_corpus(read_texts(TEXTS, LABELS), WORDS, 1)
    start = starting_words(corpus.vocabulary, min_count, read_given(GIVEN, DIM), WORDS, True)
    space, texts = encode_corpus(corpus, min_count=min_count, **SETTINGS, threads=1, words=start.chosen)
    assert (space.members > 1).any()  # n-grams do share rows
    words = {start.vocabulary[i]: i for i in range(len(start.vocabulary))}
    weights = Weights(space.members, 3, DIM, 1, 1)
    weights.begin_at(space.slot_rows[start.ids], start.vectors)

    matrix = np.zeros((len(words) + 64, DIM))
    for word in ("good", "fine", "film", "plot", "new", "unseen", "in", "dull"):
        matrix[words[word.encode()]] = GIVEN[word]
    matrix[words[b"twist"]] = GIVEN["Twist"]
    output = weights.output.reshape(3, -1)[:, :DIM].astype(np.float64)
    features = [token_oracle.text_slots(token_oracle.words(t.encode()), words, 64, 2, 2, 3) for t in TEXTS]
    data = LabelledTexts(texts, space.members, corpus.label_ids, corpus.label_offsets, 3, corpus.n_tokens)
    epochs, lr, seen, block = 3, 0.4, 0, 8
    for epoch in range(epochs):
        order = np.random.default_rng([0, epoch]).permutation(len(TEXTS))
        for first in range(0, len(TEXTS), block):
            some = [(features[i], int(corpus.label_ids[i])) for i in order[first : first + block]]
            rate = lr * (1 - seen / (epochs * len(TEXTS)))
            matrix, output = oracle.block_step(matrix, output, some, rate)
            seen += len(some)
    train_classifier(weights, data, epochs=epochs, lr=lr, seed=0, threads=1, display=SilentDisplay())
    found, found_output = weights.finish()
    used = space.slot_rows >= 0
    np.testing.assert_allclose(found_output, output, atol=2e-5)
    np.testing.assert_allclose(found[space.slot_rows[used]], matrix[used], atol=2e-5)
    assert used[: len(words)].all()
    assert not matrix[~used].any()
    np.testing.assert_array_equal(found[space.slot_rows[words[b"unseen"]]], GIVEN["unseen"])
    counts = {word: " ".join(TEXTS).split().count(word.decode()) for word in words}
    rare = {word for word, count in counts.items() if count < min_count}
    assert rare == (
        {b"unseen"} if min_count == 1 else {b"unseen", b"plot", b"twist", b"in"}
    )  # b"end" is rare and has no vector


@pytest.mark.parametrize("seen", [True, False])
def test_the_output_begins_nearer_to_0_where_training_sees_given_words(seen: bool) -> None:
    plain, weights = (Weights(np.ones(4, np.int32), 7, DIM, 1, 1) for _ in range(2))
    weights.begin_at(np.array([2, 0]), np.array([[1] * DIM, [2] * DIM], np.float32), seen)
    assert weights.input.reshape(4, DIM)[:, 1].tolist() == [2, 0, 1, 0]
    np.testing.assert_allclose(weights.output, plain.output / (3 if seen else 1), rtol=1e-6)


def classifier(**settings: Any) -> TextClassifier:
    return TextClassifier(**{"dim": DIM, "threads": 1, "epochs": 3, "lr": 0.5, **settings})


def test_words_that_training_does_not_see_are_known_at_prediction() -> None:
    clf = classifier().fit(TEXTS, LABELS, vectors=GIVEN)
    plain = classifier().fit(TEXTS, LABELS)
    assert clf.explain("unseen").known == 1
    np.testing.assert_allclose(
        clf.explain("unseen").scores, clf.fitted.output[:] @ GIVEN["unseen"].astype(np.float64), rtol=1e-5
    )
    facts = clf.fitted.facts
    assert (facts["n_tokens"], facts["n_features"]) == (
        plain.fitted.facts["n_tokens"],
        plain.fitted.facts["n_features"],
    )
    assert (facts["n_given"], facts["n_given_seen"]) == (9, 8)
    assert clf.fitted.reader.vocabulary.counts.sum() == facts["n_tokens"]  # nothing is counted that is not there
    seen = classifier().fit(TEXTS, LABELS, vectors=GIVEN, keep_unseen=False)
    assert seen.explain("unseen").known == 0
    np.testing.assert_array_equal(seen.predict_proba(TEXTS), clf.predict_proba(TEXTS))
    assert len(seen.fitted.input) == len(clf.fitted.input) - 1
    assert seen.fitted.facts["n_given"] == 8


def test_a_classifier_that_learns_nothing_keeps_the_vectors(tmp_path: Path) -> None:
    clf = classifier(lr=1e-30, epochs=1).fit(TEXTS, LABELS, vectors=GIVEN)
    clf.save(tmp_path / "m.vec")
    vectors = lexigrad.load(tmp_path / "m.vec")
    for word in ("good", "fine", "unseen", "in"):
        np.testing.assert_allclose(vectors[word], GIVEN[word], rtol=1e-5)
    assert not np.abs(vectors["york"]).max() > 1e-20


@pytest.mark.parametrize("loss", ["softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_every_loss_learns_from_them_and_every_file_keeps_what_it_learned(loss: str, tmp_path: Path) -> None:
    texts, labels = themed(300)
    given = {f"{theme}{i}": RNG.normal(size=DIM) for theme in ("sport", "food", "law") for i in range(0, 40, 2)}
    clf = classifier(loss=loss, tokenizer="whitespace", word_ngrams=2, min_n=2, max_n=3, epochs=10, min_count=60)
    clf.fit(texts, labels, vectors=given)
    assert clf.score(texts, labels) > 0.9
    asked = [*texts[:50], "sport38 food38", "law36 and nothing", "unknown"]
    probs = clf.predict_proba(asked)
    for name in ("m.lexigrad", "m.bin"):
        clf.save(tmp_path / name)
        np.testing.assert_allclose(lexigrad.load(tmp_path / name).predict_proba(asked), probs, atol=2e-6)
    plain = fasttext.Model(tmp_path / "m.bin")
    assert plain.entries[plain.words[b"law38"]] == (b"law38", 0)
    for text, row in zip(asked, probs, strict=True):
        exact = plain.predict(text.encode(), exact=True)
        np.testing.assert_allclose(row, [exact[f"__label__{label}".encode()] for label in clf.classes_], atol=2e-6)


@pytest.mark.parametrize("name", ["v.vec", "v.npz", "v.lexigrad", "v.bin"])
def test_files_and_word_vectors_and_mappings_are_the_same(name: str, tmp_path: Path) -> None:
    vectors = WordVectors(dim=DIM, min_count=1, epochs=1, threads=1).fit(
        ["good bad", "good film", "bad film dull"] * 50
    )
    vectors.save(tmp_path / name, "fasttext" if name == "v.bin" else None)
    loaded = lexigrad.load(tmp_path / name)
    expected = (
        classifier().fit(TEXTS, LABELS, vectors={word: loaded[word] for word in loaded.words}).predict_proba(TEXTS)
    )
    for given in (tmp_path / name, str(tmp_path / name), loaded):
        np.testing.assert_array_equal(classifier().fit(TEXTS, LABELS, vectors=given).predict_proba(TEXTS), expected)
    file = tmp_path / "train.txt"
    file.write_text("".join(f"__label__{label} {text}\n" for text, label in zip(TEXTS, LABELS, strict=True)))
    again = classifier().fit_file(file, vectors=tmp_path / name)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), expected)


def test_vectors_with_ngrams_give_the_mean_of_their_rows() -> None:
    vectors = lexigrad.load(FOLDER / "skipgram.bin")
    clf = classifier(dim=6, lr=1e-30, epochs=1).fit(["bank account", "transfer"], ["a", "b"], vectors=vectors)
    place = next(i for i in range(9) if clf.fitted.reader.vocabulary[i] == b"bank")
    np.testing.assert_allclose(clf.fitted.input[clf.fitted.reader.slot_rows[place]], vectors["bank"], rtol=1e-6)


# ------------------------------------------------------------------------------------------------------------ what counts


def tokens_of(words: list[str], tokenizer: int) -> dict[str, str]:
    found, sources = as_tokens(words, tokenizer)
    return {found[i].decode("utf-8", "surrogateescape"): words[source] for i, source in enumerate(sources.tolist())}


def test_a_word_is_the_token_that_it_becomes() -> None:
    words = [
        "New",
        "NEW",
        "Ünder",
        "new",
        "york",
        "don't",
        "new-york",
        "</s>",
        ".",
        "",
        " ",
        "a b",
        "東",
        "東京",
        "York",
    ]
    assert tokens_of(words, WORDS) == {"new": "new", "ünder": "Ünder", "york": "york", ".": ".", "東": "東"}
    kept = [word for word in words if word.strip() and " " not in word]
    assert tokens_of(words, WHITESPACE) == {word: word for word in kept}
    assert tokens_of(["The", "THE"], WORDS) == {"the": "The"}
    assert tokens_of(["a\udcffb", "a\0b"], WHITESPACE) == {"a\udcffb": "a\udcffb"}
    found, _ = as_tokens(words, WORDS)
    assert isinstance(found, Vocabulary)
    assert not found.counts.any()


def test_the_end_of_a_sentence_begins_at_its_vector_where_it_is_a_word() -> None:
    given = {"</s>": np.full(DIM, 2.0), "good": np.ones(DIM)}
    clf = classifier(lr=1e-30, epochs=1, tokenizer="whitespace").fit(["good", "bad"], ["a", "b"], vectors=given)
    words = clf.fitted.reader.vocabulary
    place = next(i for i in range(len(words)) if words[i] == b"</s>")
    np.testing.assert_array_equal(clf.fitted.input[clf.fitted.reader.slot_rows[place]], np.full(DIM, 2, np.float32))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"a": [1.0, 2.0]}, ParameterError, "have 2 numbers each, and dim=5: set dim=2, or give vectors of 5"),
        ({}, ParameterError, "no words in it"),
        ({"a": [1.0] * 5, "b": [1.0] * 4}, DataError, "all of one length"),
        ({"a": "word"}, DataError, "a row of numbers for each word"),
        ({"a": 1.0}, DataError, "a row of numbers for each word"),
        ({"a": [1.0] * 5, "b": [1, 2, np.nan, 4, 5]}, DataError, "vector of 'b' has a number that is not finite"),
        ({"a": [1.0] * 5, "b": [1, 2, -np.inf, 4, 5]}, DataError, "vector of 'b' has a number that is not finite"),
        ({"a": [1.0] * 5, "b": [1, 2, 1e39, 4, 5]}, DataError, "vector of 'b' has a number that is not finite"),
        ({7: [1.0] * 5}, DataError, "words that are str, .* got 7"),
        ([[1.0] * 5], ParameterError, "a mapping from words to vectors, got list"),
    ],
)
def test_vectors_that_cannot_be_used(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        classifier().fit(TEXTS, LABELS, vectors=given)
    with pytest.raises(error, match=message):
        WordVectors(dim=5, min_count=1).fit(["a b"] * 9, vectors=given)


def test_a_classifier_is_no_source_of_vectors(tmp_path: Path) -> None:
    clf = classifier().fit(TEXTS, LABELS)
    clf.save(tmp_path / "m.lexigrad")
    for given, name in ((clf, "vectors"), (tmp_path / "m.lexigrad", "m.lexigrad")):
        with pytest.raises(ParameterError, match=f"{name} holds a classifier: save"):
            classifier().fit(TEXTS, LABELS, vectors=given)


def test_vectors_are_looked_at_before_the_texts() -> None:
    def texts() -> Any:
        raise AssertionError("the texts were read")
        yield ""

    with pytest.raises(ParameterError, match="dim=5"):
        classifier().fit(texts(), ["a"], vectors={"a": [1.0]})
    with pytest.raises(ParameterError, match="dim=5"):
        WordVectors(dim=5).fit_file("/dev/null", vectors={"a": [1.0]})


def test_vectors_of_another_language_are_noticed() -> None:
    with pytest.warns(LexigradWarning, match="none of their words occurs"):
        clf = classifier().fit(TEXTS, LABELS, vectors={"gut": np.ones(DIM)})
    np.testing.assert_array_equal(clf.predict_proba(TEXTS), classifier().fit(TEXTS, LABELS).predict_proba(TEXTS))
    with pytest.warns(LexigradWarning, match="none of their words occurs"):
        WordVectors(dim=5, min_count=1, epochs=1).fit(["a b"] * 9, vectors={"gut": np.ones(DIM)})


# ---------------------------------------------------------------------------------------------------------- word vectors

STILL: dict[str, Any] = {"dim": DIM, "lr": 1e-30, "epochs": 1, "threads": 1, "subsample": 0.0, "tokenizer": "words"}


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "softmax"])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_word_vectors_begin_at_them(model: str, loss: str) -> None:
    vectors = WordVectors(**STILL, model=model, loss=loss, min_count=3).fit(TEXTS, vectors=GIVEN)
    for word in ("good", "film", "unseen", "plot"):  # "plot" is rare, and kept
        np.testing.assert_array_equal(vectors[word], GIVEN[word])
    np.testing.assert_array_equal(vectors["twist"], GIVEN["Twist"])
    assert "end" not in vectors
    assert 0 < np.abs(vectors["york"]).max() <= 1 / DIM
    assert vectors.fitted.counts[list(vectors.words).index("unseen")] == 0
    assert vectors.fitted.facts["n_tokens"] == sum(len(text.split()) for text in TEXTS)
    assert np.diff(vectors.fitted.counts).max() <= 0
    trained = WordVectors(**{**STILL, "lr": 0.05, "epochs": 5}, model=model, loss=loss).fit(TEXTS, vectors=GIVEN)
    assert np.abs(trained["good"] - GIVEN["good"]).max() > 0
    np.testing.assert_array_equal(trained["unseen"], GIVEN["unseen"])


def test_words_that_are_not_met_are_dropped_if_asked() -> None:
    vectors = WordVectors(**STILL, min_count=3).fit(TEXTS, vectors=GIVEN, keep_unseen=False)
    assert "unseen" not in vectors
    for word in ("good", "film", "plot"):
        np.testing.assert_array_equal(vectors[word], GIVEN[word])


def test_with_ngrams_the_own_row_of_a_word_begins_there() -> None:
    settings = {**STILL, "min_n": 3, "max_n": 4}
    vectors = WordVectors(**settings, min_count=1).fit(TEXTS, vectors=GIVEN)
    plain = WordVectors(**settings, min_count=1).fit(TEXTS)
    place = list(vectors.words).index("good")
    np.testing.assert_array_equal(vectors.fitted.input[place], GIVEN["good"])
    rows = vectors.fitted.subwords.rows_of(b"good")
    assert len(rows) == 7
    assert np.abs(vectors.fitted.input[rows]).max() <= 1 / DIM
    np.testing.assert_allclose(
        vectors["good"], (GIVEN["good"] + vectors.fitted.input[rows].sum(axis=0)) / 8, rtol=1e-5, atol=1e-7
    )
    assert len(plain.words) < len(vectors.words)


def test_items_of_any_kind_begin_at_vectors() -> None:
    given = {1: np.ones(DIM), 9: np.zeros(DIM)}
    vectors = WordVectors(**STILL, min_count=1).fit([[1, 2, 3], [2, 1]] * 9, vectors=given)
    np.testing.assert_array_equal(vectors[1], np.ones(DIM, np.float32))
    assert 9 in vectors
    assert 3 in vectors


def test_a_file_of_sentences_and_kept_numbers(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n".join(TEXTS))
    expected = WordVectors(**STILL, min_count=1).fit(TEXTS, vectors=GIVEN).vectors
    for keep in (False, True, True):
        found = WordVectors(**STILL, min_count=1).fit_file(
            tmp_path / "text.txt", vectors=GIVEN, keep_cache=keep, cache_dir=tmp_path / "cache"
        )
        np.testing.assert_array_equal(found.vectors, expected)


def test_one_beginning_only() -> None:
    vectors = WordVectors(**STILL, min_count=1).fit(TEXTS)
    with pytest.raises(ParameterError, match="give one of the two"):
        vectors.fit(TEXTS, resume=True, vectors=GIVEN)


def test_leaving_out_unseen_words_needs_vectors(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("__label__a good film\n__label__b bad film\n")
    path = tmp_path / "t.txt"
    for wrong in (
        lambda: TextClassifier().fit(TEXTS, LABELS, keep_unseen=False),
        lambda: TextClassifier().fit_file(path, keep_unseen=False),
        lambda: TextClassifier().tune(TEXTS, LABELS, keep_unseen=False),
        lambda: WordVectors(min_count=1).fit(TEXTS, keep_unseen=False),
        lambda: WordVectors(min_count=1).fit_file(path, keep_unseen=False),
    ):
        with pytest.raises(ParameterError, match="keep_unseen=False is about words of given vectors"):
            wrong()
