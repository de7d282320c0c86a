"""Training a text classifier by each loss: whole processes (start, read, train, save), side by side, and their accuracy.

python -m benchmarks.train_losses --sets newsgroups20 --losses hierarchical_softmax one_vs_all --repeats 3
"""

from __future__ import annotations

import argparse
import statistics
import tempfile

from benchmarks.data import SETS, BenchmarkSet, prepared
from benchmarks.measure import header, run, spread, table
from benchmarks.peers import PEERS

SYSTEMS = ("lexigrad", *PEERS)
LOSSES = {"hierarchical_softmax": "hs", "one_vs_all": "ova", "negative_sampling": "ns", "softmax": "softmax"}
"""Ours, and the name that the peers have for it."""
LARGE = ("newsgroups20", "cooking")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(LARGE), choices=list(SETS))
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=list(LOSSES))
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each system, each with another seed")
    arguments = parser.parse_args()
    print(header("benchmarks.train_losses"))
    rows = []
    for name in arguments.sets:
        for loss in arguments.losses:
            rows += measure(SETS[name], loss, arguments.repeats)
    print(table(["set", "loss", "system", "seconds, median (min-max)", "fastest peer / this", "P@1, mean ± sd"], rows))


def measure(chosen: BenchmarkSet, loss: str, repeats: int) -> list[list[str]]:
    """Train every system with every seed, in turn, on prepared text, with word bigrams and two threads."""
    seconds: dict[str, list[float]] = {system: [] for system in SYSTEMS}
    precision: dict[str, list[float]] = {system: [] for system in SYSTEMS}
    with tempfile.TemporaryDirectory() as where:
        for seed in range(repeats):
            for system in SYSTEMS:
                job = {
                    "train": str(prepared(chosen.name, "train")), "model": f"{where}/model.lexigrad", "dim": 100, "lr": chosen.lr,
                    "epochs": chosen.epochs, "buckets": chosen.buckets, "seed": seed, "tokenizer": "whitespace",
                    "loss": loss if system == "lexigrad" else LOSSES[loss],
                }  # fmt: skip
                seconds[system].append(run(system, "train", job).seconds)
                tested = run(system, "test", {**job, "test": str(prepared(chosen.name, "test"))})
                precision[system].append(float(tested.output))
    fastest = min(statistics.median(seconds[peer]) for peer in PEERS)
    return [
        [
            chosen.name,
            loss,
            system,
            spread(seconds[system], ".2f"),
            f"{fastest / statistics.median(seconds[system]):.2f}",
            f"{statistics.mean(precision[system]):.4f} ± {statistics.stdev(precision[system]) if repeats > 1 else 0:.4f}",
        ]
        for system in SYSTEMS
    ]


if __name__ == "__main__":
    main()
