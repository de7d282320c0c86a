"""How a classifier's training should begin: random input rows and a zero output, as in fastText, or a zero input and random output rows.

python -m benchmarks.initial --sets trec6 clinc150 --seeds 3 --loss softmax
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import numpy as np

import lexigrad
import lexigrad.models.trainer
from benchmarks.data import raw
from benchmarks.measure import header, table
from lexigrad.models.parameters import LOSSES
from lexigrad.training import classifier

CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("trec6", {"lr": 0.5, "epochs": 25}),
    ("trec6", {"lr": 0.1, "epochs": 5}),
    ("sst2", {"lr": 0.5, "epochs": 10}),
    ("sst2", {"lr": 0.1, "epochs": 5}),
    ("sst5", {"lr": 0.1, "epochs": 10}),
    ("banking77", {"lr": 0.5, "epochs": 25}),
    ("clinc150", {"lr": 0.5, "epochs": 25}),
    ("clinc150", {"lr": 0.1, "epochs": 5}),
    ("goemotions", {"lr": 0.5, "epochs": 10}),
    ("cooking", {"lr": 1.0, "epochs": 25}),
    ("newsgroups20", {"lr": 0.5, "epochs": 25}),
    ("imdb", {"lr": 0.5, "epochs": 5}),
)
LENGTHS = (1.0, 3.0, 10.0)
"""Values of OUTPUT_LENGTH."""
Weights = classifier.Weights


class RandomInput(Weights):
    """Weights that begin as fastText's."""

    def __init__(self, members: Any, n_outputs: int, dim: int, seed: int, threads: int) -> None:
        super().__init__(members, n_outputs, dim, seed, threads)
        self.output[:] = 0
        self.input[:] = np.random.default_rng(seed).uniform(-1 / dim, 1 / dim, self.input.size)


def main() -> None:
    """Train each case in each way and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(dict.fromkeys(name for name, _ in CASES)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--loss", choices=list(LOSSES), default="softmax")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds)
    print(header("benchmarks.initial"))
    rows = []
    for name, settings in CASES:
        if name not in arguments.sets:
            continue
        cells = [
            f"{name}, lr {settings['lr']}, {settings['epochs']} epochs",
            result(arguments.loss, RandomInput, 0.0, name, settings, seeds),
        ]
        rows.append([*cells, *(result(arguments.loss, Weights, length, name, settings, seeds) for length in LENGTHS)])
    columns = [
        f"{arguments.loss}: P@1, log loss",
        "random input",
        *(f"random output, {length:g} / √dim" for length in LENGTHS),
    ]
    print(table(columns, rows))


def result(loss: str, start: Any, length: float, name: str, settings: dict[str, Any], seeds: range) -> str:
    """Return mean P@1 and log loss on the test texts."""
    lexigrad.models.trainer.Weights = start
    classifier.OUTPUT_LENGTH = length
    scores = []
    for seed in seeds:
        clf = lexigrad.TextClassifier(loss=loss, dim=50, word_ngrams=2, threads=1, seed=seed, **settings).fit_file(
            raw(name, "train")
        )
        evaluation = clf.evaluate_file(raw(name, "test"))
        scores.append((evaluation.precision, evaluation.log_loss))
    precision, log_loss = (statistics.mean(column) for column in zip(*scores, strict=True))
    return f"{precision:.4f}, {log_loss:.3f}"


if __name__ == "__main__":
    main()
