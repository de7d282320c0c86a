"""lexigrad and fastText itself on each other's files: 10,000 texts, every loss, word and character n-grams; vectors of known and unknown words.

Needs fastText in `.bench/systems/fasttext-community`, where `python -m benchmarks.peers` puts it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lexigrad
from lexigrad import TextClassifier, WordVectors
from lexigrad.compat import fasttext
from tests.oracles.fasttext import table_sigmoid

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
ORIGINAL = ROOT / ".bench/systems/fasttext-community/bin/python"
SCRIPT = ROOT / "tests/formats/fasttext/original.py"
DATA = ROOT / "src/lexigrad/data"
ODD = [
    "",
    "naïve 東京 café",
    "a </s> b",
    "__label__transfer money",
    "Ein paar deutsche Wörter",
    "x" * 100,  # of 500 the same few rows are added 1,500 times, and float32 sums in another order differ by up to 3e-5
    "tab\tand\vmore",
]
N_TEXTS, N_ODD = 10_000, len(ODD)
OFFSET = 1e-5
"""fastText adds it to each probability, and to each answer on the way to a label."""
BAR = 1e-5
STEP = 1 / 32
"""Of fastText's table of the sigmoid."""

OURS: dict[str, dict[str, Any]] = {
    "words": {},
    "bigrams": {"word_ngrams": 2},
    "characters": {"word_ngrams": 2, "min_n": 2, "max_n": 4, "min_count": 2, "buckets": 20_000},
}
THEIRS: dict[str, dict[str, Any]] = {
    "words": {},
    "bigrams": {"wordNgrams": 2, "bucket": 50_000},
    "characters": {"wordNgrams": 2, "minn": 2, "maxn": 4, "minCount": 2, "bucket": 20_000},
}
LOSSES = {"softmax": "softmax", "hierarchical_softmax": "hs", "negative_sampling": "ns", "one_vs_all": "ova"}
QUANTISED: dict[str, dict[str, Any]] = {
    "plain": {"dsub": 2},
    "pruned": {"dsub": 2, "qnorm": True, "cutoff": 5000},
    "output": {"dsub": 2, "qnorm": True, "cutoff": 5000, "retrain": True, "epoch": 1, "lr": 0.1, "thread": 1},
}


def lines(name: str) -> list[str]:
    return (DATA / f"clinc150.{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Texts that training saw, others, and odd ones."""
    found = [line.split(" ", 1)[1] for line in [*lines("test"), *lines("oos_test"), *lines("train")]]
    return [*ODD, *found][:N_TEXTS]


def original(folder: Path, **job: Any) -> dict[str, Any]:
    """Let fastText do a job."""
    if not ORIGINAL.exists():
        pytest.skip(f"{ORIGINAL} is not there: python -m benchmarks.peers installs fastText")
    path, answer = folder / "job.json", folder / "answer.json"
    path.write_text(json.dumps({**job, "answer": str(answer)}), encoding="utf-8")
    subprocess.run([ORIGINAL, SCRIPT, path], check=True, timeout=600)
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


# --------------------------------------------------------------------------------------------------------- classifiers


def compare(model: TextClassifier, texts: list[str], answer: dict[str, Any]) -> None:
    """Compare our exact probabilities with fastText's first label and its probability, on which its offsets and its table are put first."""
    probs = model.predict_proba(texts).astype(np.float64)
    places = {model.label_prefix + str(label): i for i, label in enumerate(model.classes_.tolist())}
    answered = np.array([bool(labels) for labels in answer["labels"]])
    assert answered.sum() >= N_TEXTS - 10  # fastText has no answer to texts without a feature
    ours = probs[answered]
    first = np.array([places[labels[0]] for labels in answer["labels"] if labels])
    theirs = np.array([some[0] for some in answer["probs"] if some])
    rows = np.arange(len(ours))
    if model.loss in ("negative_sampling", "one_vs_all"):
        check_steps(ours, first, theirs - OFFSET)
        return
    ours = with_offsets(model, ours) if model.loss == "hierarchical_softmax" else ours + OFFSET
    assert np.abs(ours[rows, first] - theirs).max() <= BAR
    other = ours.argmax(axis=1) != first
    assert (ours.max(axis=1) - ours[rows, first])[other].max(initial=0) <= 2e-6  # ties in the last bits
    assert other.sum() <= 3


def check_steps(ours: NDArray[np.float64], first: NDArray[np.int64], theirs: NDArray[np.float64]) -> None:
    """fastText's answer is its table's at our score, which float32 probabilities know to within some 1e-7 / (p (1 - p))."""
    p = ours[np.arange(len(ours)), first].clip(1e-12, 1 - 6e-8)
    score = np.log(p) - np.log1p(-p)
    slack = 2e-5 + 2e-7 / (p * (1 - p))
    near = np.abs(score) < 7.9
    low, high = (np.array([table_sigmoid(x) for x in score + sign * slack]) for sign in (-1, 1))
    assert ((low - BAR <= theirs) & (theirs <= high + BAR))[near].all()
    assert np.abs(theirs - p)[~near].max(initial=0) < 1e-3
    sure = near & (low == high)
    assert sure.mean() > 0.5
    assert np.abs(theirs - low)[sure].max() <= BAR
    best = ours.max(axis=1).clip(1e-12, 1 - 6e-8)  # a label in the same step of the table may come first
    behind = np.log(best) - np.log1p(-best) - score
    assert behind[near].max() <= STEP + 2 * slack[near].max()
    assert (behind[near] > 0).mean() < 0.1


def check_drop_in(path: Path, texts: list[str], answer: dict[str, Any]) -> None:
    """The drop-in module answers with the original's label and probability, whatever the loss."""
    labels, probs = fasttext.load_model(path).predict(texts, k=1)
    assert [len(some) for some in labels] == [len(some) for some in answer["labels"]]
    apart = np.abs(np.concatenate(probs) - np.concatenate(answer["probs"]))
    other = np.array([a != b for a, b in zip(labels, answer["labels"], strict=True) if a])
    print(f"{path.name}: {other.sum()} of {len(other):,} labels differ, probabilities by {apart.max():.1e} at most")
    assert apart.max() <= BAR
    assert apart[other].max(initial=0) <= 2e-6  # ties in the last bits
    assert other.sum() <= 3


def with_offsets(model: TextClassifier, probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """What fastText makes of exact probabilities: each answer on the way to a label gets the offset."""
    children = model.fitted.children().reshape(-1, 2)
    below: dict[int, NDArray[np.float64]] = {}

    def total(place: int) -> NDArray[np.float64]:
        if place < 0:
            return probs[:, ~place]
        if place not in below:
            below[place] = total(int(children[place, 0])) + total(int(children[place, 1]))
        return below[place]

    result = np.empty_like(probs)
    waiting = [(0, np.ones(len(probs)))]
    while waiting:
        place, p = waiting.pop()
        if place < 0:
            result[:, ~place] = p
            continue
        whole = np.maximum(total(place), 1e-300)
        waiting += [(int(child), p * (total(int(child)) / whole + OFFSET)) for child in children[place]]
    return result


def compare_ours(clf: TextClassifier, texts: list[str], folder: Path) -> None:
    """Write our model for fastText and compare; labels and </s> within a text are words to it only until it is a model of fastText."""
    clf.save(folder / "m.bin")
    model = lexigrad.load(folder / "m.bin")
    assert isinstance(model, TextClassifier)
    answer = original(folder, model=str(folder / "m.bin"), texts=texts, k=1)
    compare(model, texts, answer)
    check_drop_in(folder / "m.bin", texts, answer)
    plain = texts[N_ODD:]
    np.testing.assert_allclose(model.predict_proba(plain), clf.predict_proba(plain), atol=2e-6)


@pytest.mark.parametrize("features", OURS)
@pytest.mark.parametrize("loss", LOSSES)
def test_fasttext_predicts_with_our_file_as_we_do(loss: str, features: str, texts: list[str], tmp_path: Path) -> None:
    clf = TextClassifier(
        loss=loss, dim=30, epochs=5, lr=0.5, tokenizer="whitespace", threads=2, **OURS[features]
    ).fit_file(DATA / "clinc150.train.txt")
    compare_ours(clf, texts, tmp_path)


@pytest.mark.parametrize("features", THEIRS)
@pytest.mark.parametrize("loss", LOSSES)
def test_we_predict_with_its_file_as_fasttext_does(loss: str, features: str, texts: list[str], tmp_path: Path) -> None:
    settings = {"loss": LOSSES[loss], "dim": 30, "epoch": 5, "lr": 0.5, **THEIRS[features]}
    answer = original(
        tmp_path, train=str(DATA / "clinc150.train.txt"), supervised=True, settings=settings, model=str(tmp_path / "m.bin"), texts=texts, k=1
    )  # fmt: skip
    model = lexigrad.load(tmp_path / "m.bin")
    assert isinstance(model, TextClassifier)
    assert model.loss == loss
    compare(model, texts, answer)
    check_drop_in(tmp_path / "m.bin", texts, answer)
    model.save(tmp_path / "again.bin")
    assert (
        original(tmp_path, model=str(tmp_path / "again.bin"), texts=texts[:500], k=3)["labels"]
        == (original(tmp_path, model=str(tmp_path / "m.bin"), texts=texts[:500], k=3)["labels"])
    )


@pytest.mark.parametrize("form", QUANTISED)
@pytest.mark.parametrize("loss", ["softmax", "hierarchical_softmax"])
def test_we_predict_with_its_quantised_file_as_fasttext_does(
    loss: str, form: str, texts: list[str], tmp_path: Path
) -> None:
    settings = {"loss": LOSSES[loss], "dim": 30, "epoch": 5, "lr": 0.5, **THEIRS["bigrams"]}
    answer = original(
        tmp_path, train=str(DATA / "clinc150.train.txt"), supervised=True, settings=settings, quantize=QUANTISED[form],
        model=str(tmp_path / "m.ftz"), texts=texts, k=1,
    )  # fmt: skip
    model = lexigrad.load(tmp_path / "m.ftz")
    assert isinstance(model, TextClassifier)
    compare(model, texts, answer)
    check_drop_in(tmp_path / "m.ftz", texts, answer)


def test_words_that_only_the_given_vectors_have_are_known_to_fasttext(texts: list[str], tmp_path: Path) -> None:
    vectors = WordVectors(dim=30, min_count=1, epochs=1, threads=2).fit(texts[N_ODD:])
    clf = TextClassifier(dim=30, epochs=5, lr=0.5, word_ngrams=2, tokenizer="whitespace", threads=2)
    clf.fit_file(DATA / "clinc150.train.txt", vectors=vectors)
    assert clf.fitted.facts["n_given"] > clf.fitted.facts["n_given_seen"] + 1000
    compare_ours(clf, texts, tmp_path)


# -------------------------------------------------------------------------------------------------------- word vectors

UNKNOWN = ["transferring", "unbelievably", "naïveté", "東京タワー", "zzzz", "bankaccounts"]
VECTORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "skipgram": (
        {"model": "skipgram", "min_n": 3, "max_n": 5, "buckets": 5_000},
        {"model": "skipgram", "minn": 3, "maxn": 5, "bucket": 5_000},
    ),
    "cbow": (
        {"model": "cbow", "min_n": 2, "max_n": 3, "buckets": 999, "loss": "hierarchical_softmax"},
        {"model": "cbow", "minn": 2, "maxn": 3, "bucket": 999, "loss": "hs"},
    ),
    "words": ({"loss": "negative_sampling"}, {"minn": 0, "maxn": 0, "loss": "ns"}),
}


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sentences") / "text.txt"
    path.write_text("".join(line.split(" ", 1)[1] + "\n" for line in lines("train")), encoding="utf-8")
    return path


def turned(rows: Any) -> NDArray[np.float64]:
    """Vectors by their direction alone; 0 stays."""
    found = np.array(rows, np.float64)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(lengths > 0, lengths, 1)


def check_vectors(vectors: WordVectors, answer: dict[str, Any], known: list[str]) -> None:
    assert sorted(answer["known"]) == sorted(vectors.words)
    np.testing.assert_allclose(vectors[known], answer["means"][: len(known)], atol=1e-6)
    np.testing.assert_allclose(turned(vectors[known]), turned(answer["vectors"][: len(known)]), atol=BAR)


@pytest.mark.parametrize("name", VECTORS)
def test_fasttext_finds_our_vectors(name: str, sentences: Path, tmp_path: Path) -> None:
    vectors = WordVectors(**{"dim": 20, "min_count": 5, "epochs": 2, "threads": 2, **VECTORS[name][0]})
    vectors.fit_file(sentences).save(tmp_path / "v.bin", "fasttext")
    known = list(vectors.words)
    answer = original(tmp_path, model=str(tmp_path / "v.bin"), words=[*known, *UNKNOWN])
    check_vectors(vectors, answer, known)
    for word, theirs in zip(UNKNOWN, answer["vectors"][len(known) :], strict=True):
        if word in vectors.words or np.abs(theirs).max() == 0:
            continue  # no n-gram of it has a row that was trained
        np.testing.assert_allclose(
            turned([vectors[word]]), turned([theirs]), atol=BAR
        )  # its rows of 0 count in the mean


@pytest.mark.parametrize("name", VECTORS)
def test_we_find_the_vectors_of_fasttext(name: str, sentences: Path, tmp_path: Path) -> None:
    settings = {"dim": 20, "minCount": 5, "epoch": 2, **VECTORS[name][1]}
    path = str(tmp_path / "v.bin")
    original(tmp_path, train=str(sentences), supervised=False, settings=settings, model=path)
    vectors = lexigrad.load(path)
    assert isinstance(vectors, WordVectors)
    known = list(vectors.words)
    answer = original(tmp_path, model=path, words=[*known, *UNKNOWN])
    check_vectors(vectors, answer, known)
    for word, mean in zip(UNKNOWN, answer["means"][len(known) :], strict=True):
        if mean:
            np.testing.assert_allclose(vectors[word], mean, atol=1e-6)
        else:
            with pytest.raises(KeyError):
                vectors[word]
