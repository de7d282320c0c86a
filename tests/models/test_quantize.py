"""Quantised models: near to the whole ones by a bound, the same in every form that they are kept in, and to fastText itself."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.peers import ROOT

import lexigrad
from lexigrad import (
    DataError,
    DivergenceError,
    FormatError,
    NotFittedError,
    ParameterError,
    TextClassifier,
    WordVectors,
)
from lexigrad.formats.fasttext_bin import CodedMatrix, read_fasttext, write_fasttext
from lexigrad.models import fitted_vectors
from lexigrad.models.explanation import rows_of
from lexigrad.models.quantize import pruned
from lexigrad.text.kept_buckets import kept_pairs
from tests.conftest import themed
from tests.formats.fasttext import make_quantised
from tests.oracles import fasttext as oracle

FOLDER = Path(__file__).parents[1] / "formats/fasttext"
FOREIGN: dict[str, Any] = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
GOLDEN: dict[str, Any] = json.loads((FOLDER / "quantised.json").read_text(encoding="utf-8"))
TEXTS, LABELS = themed(400)
NEW = [*themed(40, seed=5)[0], "nothing of this is known", "sport1", ""]
SETTINGS: dict[str, dict[str, Any]] = {
    "words": {},
    "bigrams": {"word_ngrams": 2},
    "all n-grams": {"word_ngrams": 3, "min_n": 2, "max_n": 4, "min_count": 3},
    "few buckets": {"word_ngrams": 2, "min_n": 1, "max_n": 2, "buckets": 77},
    "tree": {"loss": "hierarchical_softmax", "word_ngrams": 2},
    "one against all": {"loss": "one_vs_all", "word_ngrams": 2},
    "sampled": {"loss": "negative_sampling", "word_ngrams": 2},
}


def trained(name: str, **more: Any) -> TextClassifier:
    settings = {"dim": 7, "epochs": 10, "lr": 0.5, "tokenizer": "whitespace", "threads": 1, **SETTINGS[name], **more}
    return TextClassifier(**settings).fit(TEXTS, LABELS)


def coded(matrix: Any) -> CodedMatrix:
    assert isinstance(matrix, CodedMatrix)
    return matrix


# ------------------------------------------------------------------------------------------------------------- classifiers


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("how", [{}, {"norms": False, "sub_dim": 3}, {"output": True}])
def test_scores_move_by_no_more_than_the_bound(name: str, how: dict[str, Any]) -> None:
    clf = trained(name)
    small = clf.quantize(**how)
    before, after = clf.fitted, small.fitted
    errors = np.linalg.norm(np.asarray(before.input, np.float64) - after.input[:], axis=1)
    whole, output = np.asarray(before.output, np.float64), after.output[:].astype(np.float64)
    apart = np.linalg.norm(whole - output, axis=1)
    assert bool(apart.any()) is False or how.get("output")
    moved = 0.0
    for text in NEW:
        rows = oracle_rows(clf, text)
        if not len(rows):
            continue
        known = rows[rows >= 0]
        hidden = after.input[known].astype(np.float64).sum(axis=0) / len(rows)
        difference = np.abs(output @ hidden - whole @ (before.input[known].astype(np.float64).sum(axis=0) / len(rows)))
        bound = np.linalg.norm(whole, axis=1) * errors[known].sum() / len(rows) + apart * np.linalg.norm(hidden)
        assert (difference <= bound + 1e-9).all()
        moved = max(moved, float(difference.max()))
        if clf.loss != "hierarchical_softmax":
            scores = small.explain(text).scores, clf.explain(text).scores
            assert (np.abs(scores[0] - scores[1]) <= bound + 1e-5).all()
    assert moved < 0.5
    assert clf.score(TEXTS, LABELS) - small.score(TEXTS, LABELS) <= 0.01


def oracle_rows(clf: TextClassifier, text: str) -> Any:
    """The rows of a text's features, -1 for those that training had not seen, by the plain rules of features."""
    from tests.oracles.tokens import char_ngrams, fnv1a, whitespace, word_ngrams

    reader = clf.fitted.reader
    words = {reader.vocabulary[i]: i for i in range(reader.n_words)}
    tokens = whitespace(text.encode())
    slots = [words[token] for token in tokens if token in words]
    hashes = [fnv1a(token) for token in tokens]
    ngrams = word_ngrams(hashes, reader.word_ngrams) if reader.word_ngrams > 1 else []
    if reader.max_n:
        ngrams += [fnv1a(ngram) for token in tokens for ngram in char_ngrams(token, reader.min_n, reader.max_n)]
    slots += [reader.n_words + value % reader.n_buckets for value in ngrams]
    return rows_of(np.array(slots, np.int64), reader.n_words, reader.slot_rows, reader.kept)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    "how", [{}, {"norms": False}, {"output": True, "sub_dim": 3}, {"cutoff": 60}, {"cutoff": 60, "retrain": True}]
)
def test_every_form_predicts_the_same(name: str, how: dict[str, Any], tmp_path: Path) -> None:
    if "retrain" in how:
        how = {**how, "retrain": (TEXTS, LABELS), "epochs": 2}
    clf = trained(name)
    before = clf.predict_proba(NEW)
    small = clf.quantize(**how)
    np.testing.assert_array_equal(clf.predict_proba(NEW), before)
    probs = small.predict_proba(NEW)
    small.save(tmp_path / "m.lexigrad")
    small.save(tmp_path / "m.ftz")
    native, foreign = lexigrad.load(tmp_path / "m.lexigrad"), lexigrad.load(tmp_path / "m.ftz")
    assert isinstance(native, TextClassifier)
    assert isinstance(foreign, TextClassifier)
    np.testing.assert_array_equal(native.predict_proba(NEW), probs)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(small)).predict_proba(NEW), probs)
    assert native.get_params() == small.get_params()
    plain = oracle.Model(tmp_path / "m.ftz")
    for text, row, theirs in zip(NEW, probs, foreign.predict_proba(NEW), strict=True):
        exact = plain.predict(text.encode(), exact=True)
        if exact and oracle_known(small, text):
            np.testing.assert_allclose(row, [exact[f"__label__{label}".encode()] for label in clf.classes_], atol=2e-6)
            np.testing.assert_allclose(row, theirs, atol=2e-6)
    for text in NEW[:6]:
        explained = small.explain(text)
        np.testing.assert_allclose(explained.contributions.sum(axis=0), explained.scores, atol=1e-6)
        np.testing.assert_allclose(explained.probs, small.predict_proba([text])[0], atol=4e-6)
    for form in (native, foreign):
        assert isinstance(form.fitted.output, CodedMatrix) is bool(how.get("output"))
        coded(form.fitted.input)


def oracle_known(clf: TextClassifier, text: str) -> int:
    return clf.explain(text).known


def test_rows_of_one_number_have_norms_too() -> None:
    texts = ["tea leaves in", "hotwater a bb"] * 20
    clf = TextClassifier(dim=1, epochs=20, lr=0.5, loss="one_vs_all", threads=1).fit(texts, ["a", "b"] * 20)
    small = clf.quantize()
    assert len(coded(small.fitted.input).norm_codes)
    for text in texts[:2]:
        np.testing.assert_allclose(small.predict_proba([text])[0], small.explain(text).probs, atol=2e-6)


def test_other_tokenisers_and_lists_of_labels(tmp_path: Path) -> None:
    several = [[label, "any"] if i % 3 else [label] for i, label in enumerate(LABELS)]
    clf = TextClassifier(dim=8, epochs=10, lr=0.5, word_ngrams=2, threads=1, loss="one_vs_all").fit(TEXTS, several)
    for small in (clf.quantize(), clf.quantize(500, retrain=(TEXTS, several), epochs=3)):
        assert small.fitted.several
        agreed = np.mean([set(a) == set(b) for a, b in zip(small.predict(TEXTS), clf.predict(TEXTS), strict=True)])
        assert agreed > 0.9
        small.save(tmp_path / "m.lexigrad")
        assert lexigrad.load(tmp_path / "m.lexigrad").predict(NEW) == small.predict(NEW)
        with pytest.raises(ParameterError, match="the tokenizer 'whitespace'"):
            small.save(tmp_path / "m.ftz")


def test_cutoff_keeps_the_longest_rows() -> None:
    clf = trained("all n-grams", dim=5)
    fitted, small = clf.fitted, pruned(clf.fitted, 300)
    lengths = np.linalg.norm(fitted.input, axis=1)  # type: ignore[arg-type]
    rows = fitted.reader.slot_rows
    slots = np.flatnonzero(rows >= 0)
    buckets, places = kept_pairs(small.reader.kept)
    assert small.reader.n_words + len(buckets) == 300
    kept = {fitted.reader.vocabulary[i]: i for i in range(fitted.reader.n_words)}
    words = [kept[small.reader.vocabulary[i]] for i in range(small.reader.n_words)]
    assert words == sorted(words)
    chosen = np.concatenate([np.array(words, np.int64), fitted.reader.n_words + buckets])
    least = lengths[rows[chosen]].min()
    left_out = np.setdiff1d(slots, chosen)
    assert lengths[rows[left_out]].max() <= least
    found = np.concatenate([np.arange(len(words)), small.reader.n_words + places])
    np.testing.assert_array_equal(small.input[found], fitted.input[rows[chosen]])
    assert len(small.input) < 300  # buckets share rows as before


def test_the_end_of_the_sentence_stays() -> None:
    clf = TextClassifier(dim=4, epochs=2, lr=0.01, tokenizer="whitespace", threads=1)
    clf.fit([text + "\n" for text in TEXTS], LABELS)
    words = clf.fitted.reader.vocabulary
    assert b"</s>" in [words[i] for i in range(len(words))]
    small = clf.quantize(3).fitted.reader.vocabulary
    assert b"</s>" in [small[i] for i in range(3)]


def test_a_cutoff_of_all_rows_or_more_keeps_all() -> None:
    clf = trained("bigrams")
    n_features = int((clf.fitted.reader.slot_rows >= 0).sum())
    whole = clf.quantize().predict_proba(NEW)
    for cutoff in (n_features, 10**9):
        np.testing.assert_array_equal(clf.quantize(cutoff).predict_proba(NEW), whole)
    assert not np.array_equal(clf.quantize(n_features - 1).fitted.reader.kept, clf.fitted.reader.kept)


def test_rows_that_are_shared_share_their_codes(tmp_path: Path) -> None:
    clf = trained("bigrams", dim=20)
    n_rows, n_slots = len(clf.fitted.input), len(clf.fitted.reader.slot_rows)
    small = clf.quantize(sub_dim=1)
    assert len(small.fitted.input) == n_rows < n_slots / 4
    small.save(tmp_path / "m.ftz")
    file = read_fasttext(tmp_path / "m.ftz")
    assert file.kept is not None
    assert len(file.kept) == small.fitted.reader.n_buckets  # those that do not occur share a row of zeros
    assert len(file.input) < len(file.kept)
    assert lexigrad.load(tmp_path / "m.ftz").predict(NEW).tolist() == small.predict(NEW).tolist()


def test_no_bit_depends_on_threads_and_a_seed_decides() -> None:
    clf = trained("all n-grams")
    one = coded(clf.quantize().fitted.input)
    many = coded(clf.set_params(threads=3).quantize().fitted.input)
    other = coded(clf.quantize(seed=1).fitted.input)
    for name in ("codes", "centroids", "norm_codes", "norm_centroids"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    assert not np.array_equal(one.centroids, other.centroids)


@pytest.mark.parametrize("name", SETTINGS)
def test_training_on_is_the_training_of_the_kept_rows(name: str) -> None:
    clf = trained(name, epochs=1, lr=0.1)
    small = clf.quantize(80, retrain=(TEXTS, LABELS), epochs=10, lr=0.5)
    before, after = clf.quantize(80).evaluate(TEXTS, LABELS), small.evaluate(TEXTS, LABELS)
    assert after.accuracy >= before.accuracy
    assert after.log_loss < before.log_loss
    assert small.fitted.facts["retrained_on"] == len(TEXTS)
    assert small.losses_[-1] == small.fitted.facts["final_loss"] != clf.losses_[-1]


def test_training_on_begins_at_a_tenth_of_the_rate() -> None:
    clf = TextClassifier(dim=8, epochs=2, lr=0.5, word_ngrams=2, threads=1).fit(TEXTS, LABELS)
    small, same = (clf.quantize(60, retrain=(TEXTS, LABELS), **more) for more in ({}, {"epochs": 2, "lr": 0.05}))
    np.testing.assert_array_equal(small.fitted.output, same.fitted.output)
    np.testing.assert_array_equal(small.fitted.input[:], same.fitted.input[:])
    assert not np.array_equal(small.fitted.output, clf.quantize(60).fitted.output)


def test_training_on_visits_what_scoring_reads() -> None:
    from lexigrad.models.quantize import _members, _read
    from lexigrad.text.sources import read_texts

    for name in SETTINGS:
        clf = trained(name)
        for fitted in (clf.fitted, pruned(clf.fitted, 70)):
            members = _members(fitted)
            roots = np.sqrt(members).astype(np.float32)
            some = [text for text in NEW if text]
            data = _read(fitted, read_texts(some, LABELS[: len(some)]), members, roots, 2)
            hidden = np.zeros((len(some), fitted.dim))
            for i in range(len(some)):
                part = slice(data.texts.starts[i], data.texts.stops[i])
                rows = data.texts.rows[part]
                assert (np.diff(rows) > 0).all()
                hidden[i] = (data.texts.shares[part, None] * roots[rows, None] * fitted.input[rows]).sum(axis=0)
            outputs = hidden @ fitted.output[:].T
            for text, scores in zip(some, outputs, strict=True):
                small = TextClassifier._restore(clf.get_params(), fitted)
                if fitted.loss != "hierarchical_softmax" and small.explain(text).known:
                    np.testing.assert_allclose(scores, small.explain(text).scores, atol=1e-5)


def test_training_on_continues_as_one_training_would() -> None:
    """With all rows, and no epoch that changes anything to speak of, the rows stay; members are undone and done again."""
    clf = trained("bigrams")
    kept = clf.quantize(retrain=(TEXTS, LABELS), epochs=1, lr=1e-9, norms=False, sub_dim=1)
    np.testing.assert_allclose(kept.predict_proba(NEW), clf.predict_proba(NEW), atol=0.02)
    assert kept.fitted.facts["final_loss"] == pytest.approx(clf.evaluate(TEXTS, LABELS).log_loss, rel=1e-3)


def test_training_on_from_a_file_and_a_table(tmp_path: Path) -> None:
    lines = [f"__label__{label} {text}\n" for text, label in zip(TEXTS, LABELS, strict=True)]
    (tmp_path / "t.txt").write_text("".join(lines) + "a line without a label\n")
    rows = [f'"{text}",{label}\n' for text, label in zip(TEXTS, LABELS, strict=True)]
    (tmp_path / "t.csv").write_text("body,theme\n" + "".join(rows))
    clf = trained("bigrams")
    expected = clf.quantize(90, retrain=(TEXTS, LABELS)).predict_proba(NEW)
    found = [
        clf.quantize(90, retrain=tmp_path / "t.txt"),
        clf.quantize(90, retrain=[str(tmp_path / "t.txt")]),
        clf.quantize(90, retrain=tmp_path / "t.csv", text="body", label="theme"),
    ]
    for small in found:
        np.testing.assert_array_equal(small.predict_proba(NEW), expected)


def test_labels_that_were_numbers_are_found_in_files(tmp_path: Path) -> None:
    numbers = [{"sport": 1, "food": 2, "law": 3}[label] for label in LABELS]
    clf = TextClassifier(dim=5, epochs=5, lr=0.5, threads=1).fit(TEXTS, numbers)
    lines = [f"__label__{label} {text}\n" for text, label in zip(TEXTS, numbers, strict=True)]
    (tmp_path / "t.txt").write_text("".join(lines))
    small = clf.quantize(80, retrain=tmp_path / "t.txt")
    assert small.predict(TEXTS[:3]).dtype == clf.classes_.dtype
    assert small.score(TEXTS, numbers) > 0.9


@pytest.mark.parametrize("name", ["softmax.bin", "hierarchical.bin", "one_vs_all.bin", "negative.bin", "prefix.bin"])
def test_models_of_fasttext_are_quantised(name: str, tmp_path: Path) -> None:
    model = lexigrad.load(FOLDER / name)
    assert isinstance(model, TextClassifier)
    model.set_params(threads=1)
    texts = [text for text in FOREIGN["texts"] if text.strip()]
    labels = model.predict(texts).tolist()
    whole = model.quantize(sub_dim=1)
    assert np.mean(whole.predict(texts) == labels) > 0.9
    small = model.quantize(150, retrain=(texts, labels), epochs=5)
    assert np.mean(small.predict(texts) == labels) > 0.7
    for i, one in enumerate((whole, small)):
        one.save(tmp_path / f"{i}.ftz")
        plain = oracle.Model(tmp_path / f"{i}.ftz")
        assert plain.labels == oracle.Model(FOLDER / name).labels
        for text, row in zip(texts, one.predict_proba(texts), strict=True):
            exact = plain.predict(text.encode(), exact=True)
            if exact:
                expected = [exact[(model.label_prefix + label).encode()] for label in one.classes_.tolist()]
                np.testing.assert_allclose(row, expected, atol=5e-6)


def test_empty_rows_of_a_file_take_no_room(tmp_path: Path) -> None:
    clf = trained("bigrams", dim=20)
    clf.save(tmp_path / "m.bin")
    again = lexigrad.load(tmp_path / "m.bin")
    assert isinstance(again, TextClassifier)
    small = again.quantize(sub_dim=1)
    occur = int((clf.fitted.reader.slot_rows >= 0).sum())
    assert len(small.fitted.input) == occur < len(again.fitted.input)
    np.testing.assert_allclose(small.predict_proba(NEW[:40]), again.predict_proba(NEW[:40]), atol=0.05)


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"cutoff": -1}, "cutoff=-1"),
        ({"cutoff": 2.5}, "cutoff=2.5"),
        ({"cutoff": True}, "cutoff=True"),
        ({"sub_dim": 0}, "sub_dim=0"),
        ({"norms": "yes"}, "norms='yes'"),
        ({"output": None}, "output=None"),
        ({"seed": -1}, "seed=-1"),
        ({"retrain": (TEXTS, LABELS), "epochs": 0}, "epochs=0"),
        ({"retrain": (TEXTS, LABELS), "lr": 0}, "lr=0"),
        ({"retrain": (TEXTS, LABELS), "lr": float("nan")}, "lr=nan"),
        ({"epochs": 3}, "retrain=None gives no texts"),
        ({"lr": 0.1}, "retrain=None gives no texts"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParameterError, match=problem.replace(".", r"\.")):
        trained("words").quantize(**settings)


def test_what_cannot_be_quantised_or_trained_on(tmp_path: Path) -> None:
    clf = trained("words")
    with pytest.raises(DataError, match="quantised already"):
        clf.quantize().quantize()
    with pytest.raises(DataError, match="quantised already"):
        lexigrad.load(FOLDER / "pruned.ftz").quantize()
    with pytest.raises(NotFittedError):
        TextClassifier().quantize()
    with pytest.raises(DataError, match="label 'opera' is not among the 3 labels"):
        clf.quantize(retrain=(["a text"], ["opera"]))
    for wrong, what in (
        ((TEXTS, LABELS, LABELS), "a tuple of 3"),
        (TEXTS[0].encode(), "a bytes"),
        (7, "a int"),
        ([], "a list of 0"),
    ):
        with pytest.raises(ParameterError, match=f"expected a pair .*, got {what}"):
            clf.quantize(retrain=wrong)
    with pytest.raises(DataError, match="nothing"):
        clf.quantize(retrain=tmp_path / "nothing.txt")
    (tmp_path / "bare.txt").write_text("no label here\n")
    with pytest.raises(DataError, match="no text has a label"):
        clf.quantize(retrain=tmp_path / "bare.txt")
    with pytest.raises(DivergenceError):
        clf.quantize(retrain=(TEXTS, LABELS), lr=1e30)
    assert clf.score(TEXTS, LABELS) > 0.95


def test_damaged_files_of_quantised_models_are_refused(tmp_path: Path) -> None:
    trained("bigrams", dim=20).quantize(sub_dim=1).save(tmp_path / "m.ftz")
    content = (tmp_path / "m.ftz").read_bytes()
    plain = oracle.Model(tmp_path / "m.ftz")
    assert plain.kept is not None
    first_pair = content.index(np.array([[0, plain.kept[0]], [1, plain.kept[1]]], "<i4").tobytes())
    for row in (len(plain.input) - plain.n_words, -1, 2**31 - 1):
        damaged = content[: first_pair + 4] + np.int32(row).tobytes() + content[first_pair + 8 :]
        (tmp_path / "d.ftz").write_bytes(damaged)
        with pytest.raises(FormatError):
            lexigrad.load(tmp_path / "d.ftz")


def test_word_vectors_whose_buckets_share_rows_are_refused(tmp_path: Path) -> None:
    """Each bucket would get codes of its own: a small file with long rows could fill the memory."""
    file = read_fasttext(FOLDER / "ours-skipgram.ftz")
    assert file.kept is not None
    shared = np.stack([file.kept[:, 0], np.zeros(len(file.kept), np.int32)], axis=1)
    few = coded(file.input).take(np.arange(file.n_words + 1))
    write_fasttext(tmp_path / "v.ftz", replace(file, kept=shared, input=few))
    assert len(read_fasttext(tmp_path / "v.ftz").input) == file.n_words + 1
    with pytest.raises(FormatError, match="buckets of word vectors share rows"):
        lexigrad.load(tmp_path / "v.ftz")


def test_texts_to_train_on_with_come_in_every_form(tmp_path: Path) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    clf = trained("words")
    columns = {"t": TEXTS, "y": LABELS}
    parts = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path, part in zip(parts, (slice(0, 150), slice(150, None)), strict=True):
        lines = [f"__label__{label} {text}\n" for text, label in zip(TEXTS[part], LABELS[part], strict=True)]
        path.write_text("".join(lines))
    given = [
        pandas.DataFrame(columns),
        pyarrow.table(columns),
        columns,
        [TEXTS, LABELS],
        (pandas.Series(TEXTS), LABELS),
        parts,
        tuple(parts),
    ]
    expected = clf.quantize(30, retrain=(TEXTS, LABELS), epochs=2)
    for texts in given:
        small = clf.quantize(30, retrain=texts, epochs=2, text="t", label="y")
        np.testing.assert_array_equal(small.predict_proba(NEW), expected.predict_proba(NEW))


# ------------------------------------------------------------------------------------------------------------- word vectors


@pytest.mark.parametrize("items", [[1, 2, 3], [("a", 1), ("b", 2), ("c", 3)]])
def test_items_that_are_no_strings(items: list[Any], tmp_path: Path) -> None:
    whole = WordVectors(dim=4, min_count=1, threads=1).fit([items] * 20)
    small = whole.quantize()
    found = [small, pickle.loads(pickle.dumps(small))]  # few rows: codes are exact
    if isinstance(items[0], int):
        small.save(tmp_path / "v.lexigrad")
        found.append(lexigrad.load(tmp_path / "v.lexigrad"))
    for vectors in found:
        for item in items:
            np.testing.assert_allclose(vectors[item], whole[item], rtol=1e-5)
        assert vectors.most_similar(items[2], k=1)[0][0] == whole.most_similar(items[2], k=1)[0][0]


VECTORS: dict[str, dict[str, Any]] = {
    "words": {},
    "n-grams": {"min_n": 2, "max_n": 4, "buckets": 3000},
    "all buckets": {"min_n": 2, "max_n": 3, "buckets": 60, "model": "cbow"},
}


def vectors_of(name: str, **more: Any) -> WordVectors:
    return WordVectors(dim=6, min_count=1, epochs=2, threads=1, **VECTORS[name], **more).fit(TEXTS)


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("how", [{}, {"norms": False, "sub_dim": 4}, {"cutoff": 70}])
def test_every_form_has_the_same_vectors(name: str, how: dict[str, Any], tmp_path: Path) -> None:
    whole = vectors_of(name)
    before = whole.vectors.copy()
    small = whole.quantize(**how)
    np.testing.assert_array_equal(whole.vectors, before)
    if "cutoff" not in how:
        assert list(small.words) == list(whole.words)
        assert np.abs(small.vectors - whole.vectors).max() < 0.2 * np.abs(whole.vectors).max()
    small.save(tmp_path / "v.lexigrad")
    small.save(tmp_path / "v.ftz")
    plain = oracle.Model(tmp_path / "v.ftz")
    unknown = ["sportfood", "law99"]
    for one in (
        lexigrad.load(tmp_path / "v.lexigrad"),
        lexigrad.load(tmp_path / "v.ftz"),
        pickle.loads(pickle.dumps(small)),
    ):
        assert isinstance(one, WordVectors)
        assert isinstance(one.fitted.input, CodedMatrix)
        assert list(one.words) == list(small.words)
        np.testing.assert_allclose(one.vectors, small.vectors, atol=1e-7)
        for word in [*small.words[:5], *(unknown if small.fitted.subwords.max_n else [])]:
            if word in small or len(small.fitted.subwords.rows_of(word.encode())):
                np.testing.assert_allclose(one[word], small[word], atol=1e-7)
                np.testing.assert_allclose(one[word], plain.word_vector(word.encode()), atol=1e-6)
        word = small.words[0]
        assert one.most_similar(word, 3) == small.most_similar(word, 3)
    small.save(tmp_path / "v.vec")
    np.testing.assert_array_equal(lexigrad.load(tmp_path / "v.vec").vectors, small.vectors)
    assert not plain.output.any()


@pytest.mark.parametrize("name", VECTORS)
def test_large_vectors_are_decoded_in_parts(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    questions = {"any": [tuple(vectors_of(name).words[i : i + 4]) for i in range(0, 40, 4)]}
    small, other = vectors_of(name).quantize(), vectors_of(name).quantize()
    expected = (
        small.most_similar("law3", 5),
        small.analogy("law1", "law2", "food3", 4),
        small.evaluate_analogies(questions),
    )
    monkeypatch.setattr(fitted_vectors, "DECODED_BYTES", 0)
    monkeypatch.setattr(fitted_vectors, "CHUNK", 7)
    found = (
        other.most_similar("law3", 5),
        other.analogy("law1", "law2", "food3", 4),
        other.evaluate_analogies(questions),
    )
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        assert [word for word, _ in ours] == [word for word, _ in theirs]
        np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], atol=1e-6)
    assert found[2] == expected[2]
    other.save(tmp_path / "v.vec")
    assert not {"vectors", "unit"} & set(other.fitted.__dict__)
    np.testing.assert_allclose(other.vectors, small.vectors, atol=1e-7)
    assert other.most_similar("law3", 5)[0][0] == expected[0][0][0]
    assert "unit" in other.fitted.__dict__


def test_vectors_move_by_no_more_than_their_rows() -> None:
    whole = vectors_of("n-grams")
    small = whole.quantize(sub_dim=6)
    rows = np.linalg.norm(whole.fitted.input - small.fitted.input[:], axis=1)
    for word in [*whole.words, "sportfood"]:
        own = [whole.fitted.ids[word]] if word in whole else []
        mine = np.append(np.array(own, np.int64), whole.fitted.subwords.rows_of(word.encode()))
        assert np.linalg.norm(whole[word] - small[word]) <= rows[mine].mean() + 1e-6


def test_items_that_are_numbers_are_quantised(tmp_path: Path) -> None:
    walks = np.random.default_rng(0).integers(0, 30, (300, 8)).tolist()
    vectors = WordVectors(dim=4, min_count=1, epochs=1, threads=1).fit(walks)
    for small in (vectors.quantize(), vectors.quantize(10)):
        small.save(tmp_path / "v.lexigrad")
        again = lexigrad.load(tmp_path / "v.lexigrad")
        assert isinstance(again, WordVectors)
        assert list(again.words) == list(small.words)
        np.testing.assert_array_equal(again.vectors, small.vectors)
    assert len(vectors.quantize(10)) == 10


def test_what_quantised_vectors_cannot(tmp_path: Path) -> None:
    whole = vectors_of("n-grams")
    small = whole.quantize()
    with pytest.raises(DataError, match="quantised already"):
        small.quantize()
    with pytest.raises(ParameterError, match="codes cannot be trained"):
        small.fit(TEXTS, resume=True)
    with pytest.raises(DataError, match="no output vector"):
        small.save(tmp_path / "v.output")
    with pytest.raises(ParameterError, match="not: quantize"):
        whole.save(tmp_path / "v.ftz")
    with pytest.raises(ParameterError, match="sub_dim=0"):
        whole.quantize(sub_dim=0)
    with pytest.raises(ParameterError, match="cutoff=-3"):
        whole.quantize(-3)
    assert list(tmp_path.iterdir()) == []
    assert small.fit(TEXTS).fitted.output is not None  # training anew is no problem


def test_a_cutoff_that_leaves_no_word_is_refused() -> None:
    whole = WordVectors(dim=6, min_count=1, epochs=1, threads=1, **VECTORS["n-grams"])
    whole.fit([text.split() for text in TEXTS])  # without </s>, which always stays
    matrix = np.array(whole.fitted.input)
    matrix[: len(whole)] *= 1e-6
    short = WordVectors._restore(whole.get_params(), replace(whole.fitted, input=matrix))
    with pytest.raises(ParameterError, match="no word would be left"):
        short.quantize(5)


def test_buckets_of_zeros_in_a_file_are_left_out(tmp_path: Path) -> None:
    whole = vectors_of("n-grams")
    whole.save(tmp_path / "v.bin", "fasttext")
    again = lexigrad.load(tmp_path / "v.bin")
    assert isinstance(again, WordVectors)
    assert again.fitted.subwords.n_rows == len(whole) + 3000
    small = again.quantize()
    assert small.fitted.subwords.n_rows == whole.fitted.subwords.n_rows
    np.testing.assert_array_equal(small.vectors, whole.quantize().vectors)


# ------------------------------------------------------------------------------------------------------------- fastText itself


@pytest.mark.parametrize("name", sorted(GOLDEN["classifiers"]))
def test_fasttext_answers_as_we_do(name: str) -> None:
    check_answers(FOLDER / name, GOLDEN["classifiers"][name])


def check_answers(path: Path, answers: list[Any]) -> None:
    """Compare our probabilities with fastText's: it adds 1e-5 to each answer, and takes the sigmoid of two losses from a table."""
    model, plain = lexigrad.load(path), oracle.Model(path)
    assert isinstance(model, TextClassifier)
    probs = model.predict_proba(FOREIGN["texts"])
    places = {label: i for i, label in enumerate(model.classes_.tolist())}
    for text, (labels, theirs), row in zip(FOREIGN["texts"], answers, probs, strict=True):
        with_offsets, exact = plain.predict(text.encode(), exact=False), plain.predict(text.encode(), exact=True)
        assert bool(labels) == bool(exact)
        if not labels:
            continue
        ours = np.array([row[places[label.removeprefix("__label__")]] for label in labels])
        keys = [label.encode() for label in labels]
        np.testing.assert_allclose(ours, [exact[key] for key in keys], atol=4e-6)
        steps = 0.008 if model.loss in ("one_vs_all", "negative_sampling") else 5e-6
        np.testing.assert_allclose([with_offsets[key] for key in keys], theirs, atol=steps)
        if model.loss == "softmax":
            np.testing.assert_allclose(ours + 1e-5, theirs, atol=5e-6)


@pytest.mark.parametrize("name", sorted(GOLDEN["vectors"]))
def test_fasttext_has_our_vectors(name: str) -> None:
    check_vectors(FOLDER / name, GOLDEN["vectors"][name])


def check_vectors(path: Path, answers: dict[str, Any]) -> None:
    vectors = lexigrad.load(path)
    assert isinstance(vectors, WordVectors)
    for word, rows in answers["rows"].items():
        if rows:
            np.testing.assert_allclose(vectors[word], np.mean(rows, axis=0), atol=1e-6)
        else:
            with pytest.raises(KeyError):
                _ = vectors[word]
    nearest = vectors.most_similar("bank", 5)
    assert [word for word, _ in nearest] == [word for word, _ in answers["nearest"]]
    np.testing.assert_allclose([score for _, score in nearest], [score for _, score in answers["nearest"]], atol=1e-5)


def peer() -> Path:
    """Return an interpreter that has fastText, or skip."""
    for python in (ROOT / ".bench/systems/fasttext-community/bin/python", Path(sys.executable)):
        if (
            python.exists()
            and subprocess.run([python, "-c", "import fasttext"], capture_output=True, check=False).returncode == 0
        ):
            return python
    pytest.skip("fastText is not installed: python -m benchmarks.peers installs it")


def test_fasttext_loads_what_is_quantised_now(tmp_path: Path) -> None:
    python = peer()
    make_quantised.write(tmp_path)
    answers = make_quantised.asked(python, tmp_path)
    for name, of_texts in answers["classifiers"].items():
        check_answers(tmp_path / name, of_texts)
    for name, of_words in answers["vectors"].items():
        check_vectors(tmp_path / name, of_words)
