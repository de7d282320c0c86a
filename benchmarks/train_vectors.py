"""Training word vectors: whole processes side by side, speed and quality, skip-gram with negative sampling on wiki8.

python -m benchmarks.train_vectors --systems lexigrad gensim --seeds 1
"""

from __future__ import annotations

import argparse
import json
import lzma
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import folder as data_folder
from benchmarks.measure import WORKER, Run, header, run_command, spread, table
from benchmarks.peers import GENSIM, PEERS, python_of
from lexigrad.models.word_vectors import FittedVectors, WordVectors
from lexigrad.text.subwords import Subwords

FASTTEXT = "fasttext-community"
ROWS: dict[str, dict[str, Any]] = {
    "lexigrad": {"system": "lexigrad", "lr": 0.05},
    "gensim": {"system": "gensim", "lr": 0.025},
    "gensim-fast": {"system": "gensim", "lr": 0.05},
    "fasttext": {"system": FASTTEXT, "lr": 0.025},
    "lexigrad-ngrams": {"system": "lexigrad", "lr": 0.2, "min_n": 3, "max_n": 6},
    "fasttext-ngrams": {"system": FASTTEXT, "lr": 0.05, "min_n": 3, "max_n": 6},
    "lexigrad-cbow": {"system": "lexigrad", "lr": 0.2, "model": "cbow"},
    "lexigrad-cbow-fasttext": {"system": "lexigrad", "lr": 0.1, "model": "cbow", "gradient": "fasttext"},
    "gensim-cbow": {"system": "gensim", "lr": 0.05, "model": "cbow"},
    "lexigrad-hs": {"system": "lexigrad", "lr": 0.05, "loss": "hierarchical_softmax"},
    "gensim-hs": {"system": "gensim", "lr": 0.025, "loss": "hierarchical_softmax"},
}
"""Each at the best learning rate that was found for it; `--lr` sets another one."""
COMMON = {
    "dim": 100, "epochs": 3, "min_n": 0, "max_n": 0, "threads": 2, "model": "skipgram", "loss": "negative_sampling", "gradient": "exact",
}  # fmt: skip
RATINGS = {"WS-353": "EN-WS-353-ALL.txt", "SimLex": "EN-SIMLEX-999.txt", "MEN": "EN-MEN-TR-3k.txt"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each system")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lr", type=float, nargs="+", help="learning rates to try for each system")
    arguments = parser.parse_args()
    print(header("benchmarks.train_vectors").replace(", ".join(PEERS.values()), f"{GENSIM}, {PEERS[FASTTEXT]}"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "wiki8.txt"
        with lzma.open(data_folder("vectors") / "wiki8.txt.xz") as source, corpus.open("wb") as target:
            shutil.copyfileobj(source, target)
        with corpus.open("rb") as text:  # a line at a time: a child's peak memory counts from its parent's
            n_words = sum(len(line.split()) for line in text)
        plan = [(row, lr) for row in arguments.systems for lr in arguments.lr or [ROWS[row]["lr"]]]
        lines: dict[tuple[str, float], list[tuple[Run, dict[str, Any], list[float]]]] = {one: [] for one in plan}
        for seed in range(arguments.seeds):
            for row, lr in plan:
                job = {
                    **COMMON,
                    **ROWS[row],
                    "lr": lr,
                    "threads": arguments.threads,
                    "seed": seed,
                    "corpus": str(corpus),
                    "folder": name,
                }
                worker = str(WORKER.with_name("vectors_worker.py"))
                run = run_command([str(python_of(job["system"])), worker, job["system"], json.dumps(job)])
                lines[row, lr].append((run, json.loads(run.output), quality(folder)))
    print(f"{n_words:,} words, {COMMON['epochs']} epochs, dim {COMMON['dim']}, {arguments.threads} threads\n")
    columns = [
        "system",
        "whole process, s",
        "reading, s",
        "M training words/s",
        "peak MB",
        "above own baseline, MB",
        *RATINGS,
        "analogies, first 30,000 words",
    ]
    print(
        table(
            columns, [line(f"{row}, lr {lr:g}", runs, COMMON["epochs"] * n_words) for (row, lr), runs in lines.items()]
        )
    )


def line(name: str, runs: list[tuple[Run, dict[str, Any], list[float]]], n_words: int) -> list[str]:
    """Return a line of the table."""
    read = [answer["read_seconds"] for _, answer, _ in runs]
    train = [answer["train_seconds"] for _, answer, _ in runs]
    timed = train[0] is not None
    return [
        name,
        spread([run.seconds for run, _, _ in runs], ".1f"),
        spread(read, ".2f") if timed else "—",
        spread([n_words / seconds / 1e6 for seconds in train], ".2f") if timed else "—",
        f"{max(answer['peak_mb'] for _, answer, _ in runs):.0f}",
        f"{max(answer['peak_mb'] - answer['baseline_mb'] for _, answer, _ in runs):.0f}",
        *(f"{statistics.mean(values):.3f}" for values in zip(*(found for _, _, found in runs), strict=True)),
    ]


def quality(folder: Path) -> list[float]:
    """Judge the vectors that a worker left; the same code for all systems, so that only the vectors differ."""
    matrix = np.load(folder / "vectors.npy")
    words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
    n = len(words)
    fitted = FittedVectors(
        words, np.zeros(n, np.int64), matrix, matrix, matrix, Subwords(n, 0, 0, 1, np.empty(0, np.int64))
    )
    vectors = WordVectors._restore({}, fitted)
    sets = data_folder("vectors") / "evaluation"
    ratings = [vectors.evaluate_similarity(sets / file).spearman for file in RATINGS.values()]
    return [*ratings, vectors.evaluate_analogies(sets / "questions-words.txt").accuracy]


if __name__ == "__main__":
    main()
