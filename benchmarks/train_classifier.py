"""Training a text classifier: whole processes (start, read, train, save), side by side.

python -m benchmarks.train_classifier --sets imdb cooking --seeds 5
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import SETS, BenchmarkSet, prepared, raw
from benchmarks.measure import Run, header, run, spread, table
from benchmarks.peers import PEERS

ROWS = {
    "lexigrad, prepared text": ("lexigrad", "whitespace"),
    "lexigrad, raw text, its own tokeniser": ("lexigrad", "words"),
    **{peer: (peer, "") for peer in PEERS},
}
TOY_LINES = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each system on each set")
    arguments = parser.parse_args()
    print(header("benchmarks.train_classifier"))
    rows: list[list[str]] = []
    for name in arguments.sets:
        rows += measure_set(SETS[name], arguments.seeds)
    print(
        table(
            [
                "set",
                "system",
                "seconds, median (min-max)",
                "fastest peer / this",
                "peak MB above baseline",
                "P@1, mean ± sd",
            ],
            rows,
        )
    )


def measure_set(chosen: BenchmarkSet, seeds: int) -> list[list[str]]:
    """Train every system with every seed, in turn."""
    runs: dict[str, list[Run]] = {row: [] for row in ROWS}
    precision: dict[str, list[float]] = {row: [] for row in ROWS}
    with tempfile.TemporaryDirectory() as folder:
        baseline = {
            row: run(ROWS[row][0], "train", job_of(row, chosen, 0, toy(row, chosen, folder), folder)).peak_mb
            for row in ROWS
        }
        for seed in range(seeds):
            for row, (system, _) in ROWS.items():
                job = job_of(row, chosen, seed, str(file_of(row, chosen.name, "train")), folder)
                runs[row].append(run(system, "train", job))
                precision[row].append(
                    float(run(system, "test", {**job, "test": str(file_of(row, chosen.name, "test"))}).output)
                )
    medians = {row: statistics.median(r.seconds for r in runs[row]) for row in ROWS}
    fastest = min(medians[row] for row in PEERS)
    return [
        [
            chosen.name,
            row,
            spread([r.seconds for r in runs[row]], ".2f"),
            f"{fastest / medians[row]:.2f}",
            f"{max(r.peak_mb for r in runs[row]) - baseline[row]:.0f}",
            f"{statistics.mean(precision[row]):.4f} ± {statistics.stdev(precision[row]) if seeds > 1 else 0:.4f}",
        ]
        for row in ROWS
    ]


def file_of(row: str, name: str, part: str) -> Path:
    """Return what a system reads: raw text where it does the tokenising."""
    return raw(name, part) if ROWS[row][1] == "words" else prepared(name, part)


def job_of(row: str, chosen: BenchmarkSet, seed: int, train: str, folder: str) -> dict[str, Any]:
    """Return what the worker is told."""
    return {
        "train": train, "model": f"{folder}/model.lexigrad", "dim": 100, "lr": chosen.lr, "epochs": chosen.epochs,
        "buckets": chosen.buckets if Path(train).name != "toy.txt" else 100, "seed": seed, "tokenizer": ROWS[row][1],
    }  # fmt: skip


def toy(row: str, chosen: BenchmarkSet, folder: str) -> str:
    """Write the first lines of a set: what the process needs before it has any data."""
    path = Path(folder) / "toy.txt"
    lines = file_of(row, chosen.name, "train").read_text(encoding="utf-8").split("\n")[:TOY_LINES]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    main()
