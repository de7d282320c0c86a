"""Classifiers that begin at word vectors: accuracy with few texts and with all, against training without, and against fastText with the same file.

python -m benchmarks.pretrained --seeds 5
python -m benchmarks.pretrained --lengths --seeds 6      how random the output weights should be at first, by dev texts

The vectors are learned once from wiki8 (skip-gram, dim 100, 5 epochs) and kept under .bench. Learning rate and epochs of each row are chosen on the
dev texts, with one seed; TREC has none, so there 500 training texts are held out for that. Texts are lower-cased with punctuation split off.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import lexigrad
from benchmarks.data import CACHE, folder, prepared
from benchmarks.measure import header, run, table
from benchmarks.peers import PEERS
from lexigrad.training import classifier

FASTTEXT = "fasttext-community"
SETS = ("sst2", "sst5", "trec6")
SHARES = (0.1, 1.0)
HELD_OUT = 500
"""Training texts of TREC that serve as dev texts."""
RATES = (0.05, 0.2, 0.5)
EPOCHS = {0.1: (20, 80), 1.0: (5, 20)}
"""By the share of the texts: few texts want many epochs."""
ROWS: dict[str, dict[str, Any]] = {
    "lexigrad": {"system": "lexigrad", "vectors": False},
    "lexigrad, vectors": {"system": "lexigrad", "vectors": True},
    "lexigrad, vectors of seen words": {"system": "lexigrad", "vectors": True, "keep_unseen": False},
    "fasttext-community": {"system": FASTTEXT, "vectors": False},
    "fasttext-community, vectors": {"system": FASTTEXT, "vectors": True},
}
DIM = 100
LENGTHS = (3.0, 1.0, 0.3, 0.1, 0.01)
"""Values of GIVEN_OUTPUT_LENGTH."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, default=5, help="draws of the texts, and trainings, of each row")
    parser.add_argument("--lengths", action="store_true", help="compare values of GIVEN_OUTPUT_LENGTH instead")
    arguments = parser.parse_args()
    print(header("benchmarks.pretrained").replace(", ".join(PEERS.values()), PEERS[FASTTEXT]))
    vectors = wiki_vectors()
    if arguments.lengths:
        columns = ["dev: P@1, log loss", *(f"random output, {length:g} / √dim" for length in LENGTHS)]
        print(table(columns, [row for name in arguments.sets for row in lengths(name, arguments.seeds, vectors)]))
        return
    rows = []
    with tempfile.TemporaryDirectory() as where:
        for name in arguments.sets:
            for share in SHARES:
                rows += measure(name, share, arguments.seeds, vectors, Path(where))
    columns = ["set", "training texts", "system", "lr, epochs (by dev)", "dev, P@1", "test, P@1 mean ± sd"]
    print(table(columns, rows))


def wiki_vectors() -> Path:
    """Return a text file of vectors learned from wiki8, made where it is missing."""
    path = CACHE / f"wiki8.{DIM}.vec"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        learned = lexigrad.WordVectors(dim=DIM, threads=2).fit_file(folder("vectors") / "wiki8.txt.xz")
        learned.save(path.with_suffix(".part"), "text")
        path.with_suffix(".part").rename(path)
    return path


def parts(name: str) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of training, dev and test texts."""
    train, test = (prepared(name, part).read_text(encoding="utf-8").splitlines() for part in ("train", "test"))
    if name == "trec6":
        train = [train[i] for i in np.random.default_rng(0).permutation(len(train))]
        return train[HELD_OUT:], train[:HELD_OUT], test
    return train, prepared(name, "dev").read_text(encoding="utf-8").splitlines(), test


def measure(name: str, share: float, seeds: int, vectors: Path, where: Path) -> list[list[str]]:
    """Choose settings on dev for each row, then train with each seed on a share of the texts."""
    train, dev, test = parts(name)
    n = round(share * len(train))
    files = {"dev": written(where / "dev.txt", dev), "test": written(where / "test.txt", test)}
    drawn = [
        written(where / f"{seed}.txt", [train[i] for i in np.random.default_rng(seed).permutation(len(train))[:n]])
        for seed in range(seeds)
    ]
    rows = []
    for row in ROWS:
        settings = [(lr, epochs) for lr in RATES for epochs in EPOCHS[share]]
        trials = [precisions(row, setting, drawn[0], 0, vectors, files, where)["dev"] for setting in settings]
        best = settings[int(np.argmax(trials))]
        found = [precisions(row, best, texts, seed, vectors, files, where) for seed, texts in enumerate(drawn)]
        tested = [one["test"] for one in found]
        rows.append(
            [
                name,
                f"{n:,}",
                row,
                f"{best[0]}, {best[1]}",
                f"{statistics.mean(one['dev'] for one in found):.4f}",
                f"{statistics.mean(tested):.4f} ± {statistics.stdev(tested) if seeds > 1 else 0:.4f}",
            ]
        )
        print(*rows[-1], file=sys.stderr, flush=True)
    return rows


def lengths(name: str, seeds: int, vectors: Path) -> list[list[str]]:
    """Train on a tenth of the texts, with all vectors and with a tenth of them, from output weights of each length."""
    train, dev, _ = parts(name)
    texts, labels = taken_apart(train)
    everything = _opened(vectors)
    some = np.random.default_rng(0).permutation(len(everything))[: len(everything) // 10]
    few = {everything.words[i]: everything.vectors[i] for i in some.tolist()}
    rows = []
    for given, which in ((everything, "all vectors"), (few, "a tenth of the vectors")):
        for lr, epochs in ((0.05, 80), (0.5, 20)):
            cells = []
            for classifier.GIVEN_OUTPUT_LENGTH in LENGTHS:
                found = []
                for seed in range(seeds):
                    drawn = np.random.default_rng(seed).permutation(len(texts))[: len(texts) // 10].tolist()
                    clf = lexigrad.TextClassifier(
                        dim=DIM, lr=lr, epochs=epochs, word_ngrams=2, tokenizer="whitespace", threads=1, seed=seed
                    )
                    clf.fit([texts[i] for i in drawn], [labels[i] for i in drawn], vectors=given)
                    evaluation = clf.evaluate(*taken_apart(dev))
                    found.append((evaluation.precision, evaluation.log_loss))
                precision, log_loss = (statistics.mean(column) for column in zip(*found, strict=True))
                cells.append(f"{precision:.4f}, {log_loss:.3f}")
            rows.append([f"{name}, {which}, lr {lr}, {epochs} epochs", *cells])
    return rows


def taken_apart(listed: list[str]) -> tuple[list[str], list[str]]:
    """Return texts and labels of fastText lines with one label each."""
    pairs = [(*line.split(" ", 1), "")[:2] for line in listed]
    return [text for _, text in pairs], [label for label, _ in pairs]


def written(path: Path, lines: list[str]) -> str:
    """Write lines and return the path."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def precisions(
    row: str, setting: tuple[float, int], texts: str, seed: int, vectors: Path, files: dict[str, str], where: Path
) -> dict[str, float]:
    """Train once and return P@1 on dev and test."""
    chosen = ROWS[row]
    lr, epochs = setting
    if chosen["system"] != "lexigrad":
        job = {
            "train": texts, "model": str(where / "model.bin"), "dim": DIM, "lr": lr, "epochs": epochs, "buckets": 200_000, "seed": seed,
            "threads": 1, **({"vectors": str(vectors)} if chosen["vectors"] else {}),
        }  # fmt: skip
        run(FASTTEXT, "train", job)
        return {part: float(run(FASTTEXT, "test", {**job, "test": file}).output) for part, file in files.items()}
    given = {"vectors": _opened(vectors), "keep_unseen": chosen.get("keep_unseen", True)} if chosen["vectors"] else {}
    clf = lexigrad.TextClassifier(
        dim=DIM, lr=lr, epochs=epochs, word_ngrams=2, tokenizer="whitespace", threads=1, seed=seed
    )
    clf.fit_file(texts, **given)
    return {part: clf.evaluate_file(file).precision for part, file in files.items()}


_CACHE: list[Any] = []


def _opened(vectors: Path) -> Any:
    """Return the vectors, read once."""
    if not _CACHE:
        _CACHE.append(lexigrad.load(vectors))
    return _CACHE[0]


if __name__ == "__main__":
    main()
