"""Predicting a list of texts in one call, two threads where the system can.

python -m benchmarks.predict_classifier
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from typing import Any

from benchmarks.data import SETS, prepared
from benchmarks.measure import header, run, table
from benchmarks.peers import SYSTEMS
from benchmarks.train_classifier import job_of

CASES = {"clinc150": 10, "imdb": 1}
"""How many copies of each test set form the list."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes of each system, in turn")
    arguments = parser.parse_args()
    print(header("benchmarks.predict_classifier"))
    rows: list[list[str]] = []
    for name, copies in CASES.items():
        rows += measure_case(name, copies, arguments.repeats)
    print(table(["texts", "system", "texts/s, median (min-max)", "this / fastest peer", "one text, µs"], rows))


def measure_case(name: str, copies: int, repeats: int) -> list[list[str]]:
    """Train each system once, and time its calls in several processes."""
    results: dict[str, list[dict[str, Any]]] = {system: [] for system in SYSTEMS}
    with tempfile.TemporaryDirectory() as folder:
        models = {system: f"{folder}/{system}.lexigrad" for system in SYSTEMS}
        for system in SYSTEMS:
            row = "lexigrad, prepared text" if system == "lexigrad" else system
            run(
                system,
                "train",
                {**job_of(row, SETS[name], 0, str(prepared(name, "train")), folder), "model": models[system]},
            )
        for _ in range(repeats):
            for system in SYSTEMS:
                job = {"model": models[system], "texts": str(prepared(name, "test")), "copies": copies, "calls": 5}
                results[system].append(json.loads(run(system, "predict", job).output))
    rates = {s: [r["n"] / t for r in results[s] for t in r["seconds"]] for s in SYSTEMS}
    best = max(statistics.median(rates[s]) for s in SYSTEMS if s != "lexigrad")
    count = results["lexigrad"][0]["n"]
    return [
        [
            f"{name}, {count:,}",
            system,
            f"{statistics.median(rates[system]):,.0f} ({min(rates[system]):,.0f}-{max(rates[system]):,.0f})",
            f"{statistics.median(rates[system]) / best:.2f}",
            f"{1e6 * statistics.median(r['one'] for r in results[system]):.0f}",
        ]
        for system in SYSTEMS
    ]


if __name__ == "__main__":
    main()
