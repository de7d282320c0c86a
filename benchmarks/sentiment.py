"""Sentences with five classes of sentiment (SST-5): lexigrad and fastText, tuned by one search, five seeds each, paired.

python -m benchmarks.sentiment --settings 200 --kept 20 --seeds 5

Both systems try the same settings, drawn at random from `RANGES`, with one seed each. The best on dev are tried with all seeds, and the best of
those by mean accuracy on dev is chosen: the first table. The second compares the systems over all settings that were drawn.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import subprocess
from typing import Any

from benchmarks.data import prepared, raw
from benchmarks.measure import WORKER, header, table
from benchmarks.peers import PEERS, python_of

PEER = "fasttext-community"
RANGES: dict[str, tuple[Any, ...]] = {
    "text": ("as published", "punctuation split"),
    "dim": (10, 20, 50, 100),
    "epochs": (3, 5, 8, 12, 20, 30),
    "word_ngrams": (1, 2, 3),
    "min_n, max_n": ((0, 0), (0, 0), (2, 4), (3, 5), (3, 6)),
    "min_count": (1, 2, 3, 5),
    "buckets": (20_000, 100_000, 500_000),
}
LR = (0.02, 1.0)
"""Drawn between these, evenly in the logarithm."""

Accuracies = list[list[list[float]]]
"""By setting, seed, and (dev, test)."""


def main() -> None:
    """Search, choose, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=int, default=200, help="drawn at random, tried with one seed")
    parser.add_argument("--kept", type=int, default=20, help="best on dev, tried with all seeds")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print(header("benchmarks.sentiment").replace(", ".join(PEERS.values()), PEERS[PEER]))
    draw = random.Random(0)
    settings = [drawn(draw) for _ in range(arguments.settings)]
    chosen: dict[str, dict[str, Any]] = {}
    found: dict[str, list[list[float]]] = {}
    first: dict[str, list[list[float]]] = {}
    for system in ("lexigrad", PEER):
        first[system] = [by_seed[0] for by_seed in accuracies(system, settings, [0])]
        chosen[system], found[system] = tuned(
            system, settings, first[system], arguments.kept, list(range(arguments.seeds))
        )
    columns = ["system", "dev, mean ± sd", "test, mean ± sd"]
    rows = [[*row, described(chosen.get(row[0]))] for row in compared(found, "by seed")]
    print(table([*columns, "settings chosen on dev"], rows))
    for system, by_seed in found.items():
        print(f"{system} by seed on test: {', '.join(f'{one[1]:.4f}' for one in by_seed)}")
    print(f"\nAll {len(settings)} settings, one seed each:\n")
    print(table(columns, compared(first, "by setting")))
    differences = [ours[1] - theirs[1] for ours, theirs in zip(first["lexigrad"], first[PEER], strict=True)]
    better, worse = (sum(sign * d > 0 for d in differences) for sign in (1, -1))
    print(f"lexigrad is better on test with {better} settings, worse with {worse}")


def compared(found: dict[str, list[list[float]]], by: str) -> list[list[str]]:
    """Return a row a system, and one of the differences of pairs; `found` has (dev, test) of each."""
    pairs = list(zip(found["lexigrad"], found[PEER], strict=True))
    differences = [[ours[part] - theirs[part] for part in (0, 1)] for ours, theirs in pairs]
    return [
        [name, *(mean_and_spread([one[part] for one in values]) for part in (0, 1))]
        for name, values in {**found, f"lexigrad - fastText, {by}": differences}.items()
    ]


def drawn(draw: random.Random) -> dict[str, Any]:
    """Return settings drawn at random."""
    one = {name: draw.choice(values) for name, values in RANGES.items()}
    one["min_n"], one["max_n"] = one.pop("min_n, max_n")
    one["lr"] = float(f"{math.exp(draw.uniform(*map(math.log, LR))):.3g}")
    return one


def tuned(
    system: str, settings: list[dict[str, Any]], first: list[list[float]], kept: int, seeds: list[int]
) -> tuple[dict[str, Any], list[list[float]]]:
    """Return the settings chosen on dev, and their accuracies by seed; `first` has those of one seed for all settings."""
    best = sorted(range(len(settings)), key=lambda i: -first[i][0])[:kept]
    again = accuracies(system, [settings[i] for i in best], seeds)
    means = [statistics.mean(one[0] for one in by_seed) for by_seed in again]
    top = max(range(len(best)), key=means.__getitem__)
    return settings[best[top]], again[top]


def accuracies(system: str, settings: list[dict[str, Any]], seeds: list[int]) -> Accuracies:
    """Train and test one system in a process of its own."""
    parts = ("train", "dev", "test")
    files = {
        "as published": {part: str(raw("sst5", part)) for part in parts},
        "punctuation split": {part: str(prepared("sst5", part)) for part in parts},
    }
    job = {"files": files, "settings": settings, "seeds": seeds, "threads": 1}
    command = [str(python_of(system)), str(WORKER.with_name("sentiment_worker.py")), system]
    answer = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    result: Accuracies = json.loads(answer.stdout)
    return result


def mean_and_spread(values: list[float]) -> str:
    """Return mean and standard deviation."""
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"


def described(settings: dict[str, Any] | None) -> str:
    """Return settings in words."""
    return ", ".join(f"{name} {value}" for name, value in (settings or {}).items())


if __name__ == "__main__":
    main()
