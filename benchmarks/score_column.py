"""The best label of each text of a column in memory: an Arrow array for lexigrad, a list of str for the peers, which take nothing else.

python -m benchmarks.score_column
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpora import model, texts
from benchmarks.measure import WORKER, header, run_command, spread, table
from benchmarks.peers import PEERS, python_of

FIRST = "fasttext-community"
SYSTEMS = (("lexigrad", 2), ("lexigrad", 1), (FIRST, 1), ("fasttext-new", 1), ("fasttext-new", 2))
"""Systems and threads. fasttext-community has no threads for this."""


@dataclass(frozen=True)
class Case:
    """A model and the texts that it scores; `n` of them at most."""

    model: str
    texts: str
    n: int | None = None


CASES = {
    f"{case.model}, {case.texts}": case
    for case in (
        Case("dclm", "zipf"),
        Case("imdb", "imdb"),
        Case("lid", "short"),
        Case("lid", "long"),
        Case("many", "short", 20_000),
        Case("many", "long"),
    )
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes of each system, in turn")
    parser.add_argument("--calls", type=int, default=3, help="calls that are timed in each process, at least")
    parser.add_argument("--n", type=int, help="no more texts than this")
    parser.add_argument(
        "--cases", nargs="*", default=list(CASES), choices=list(CASES), metavar="CASE", help="such as 'dclm, zipf'"
    )
    given = parser.parse_args()
    print(header("benchmarks.score_column"))
    rows: list[list[str]] = []
    for name in given.cases:
        rows += measure_case(CASES[name], given)
    columns = [
        "model, texts",
        "system, threads",
        "texts/s, median (min-max)",
        "MB/s",
        "processors used",
        "lexigrad on 2 threads / this",
        "other first labels than lexigrad's",
        "largest difference of probability",
    ]
    print(table(columns, rows))


def measure_case(case: Case, given: argparse.Namespace) -> list[list[str]]:
    """Time the systems in several processes, in turn; compare what they answer."""
    n = min(x for x in (case.n, given.n, 10**9) if x is not None)
    facts: dict[str, Any] = {}
    processors: dict[tuple[str, int], list[float]] = {system: [] for system in SYSTEMS}
    rates: dict[tuple[str, int], list[float]] = {system: [] for system in SYSTEMS}
    found: dict[tuple[str, int], list[list[Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(given.repeats):
            for system, threads in SYSTEMS:
                kept = f"{folder}/{system}.{threads}.json" if repeat == 0 else ""
                job = {
                    "model": str(model(case.model)),
                    "texts": str(texts(case.texts)),
                    "n": n,
                    "threads": threads,
                    "answers": kept,
                }
                job |= {"calls": given.calls, "least": 1.0}
                answer = json.loads(run_command(command(system, "column", job)).output)
                facts = answer
                processors[system, threads].append(answer["processors"])
                rates[system, threads] += [answer["n"] / seconds for seconds in answer["seconds"]]
                if kept:
                    found[system, threads] = json.loads(Path(kept).read_text(encoding="utf-8"))
    ours = statistics.median(rates[SYSTEMS[0]])
    size = facts["bytes"] / facts["n"]
    rows = []
    for place in SYSTEMS:
        labels, largest = compare(found[SYSTEMS[0]], found[place])
        middle = statistics.median(rates[place])
        rows.append(
            [
                f"{case.model}, {facts['n']:,} {case.texts} of {size:,.0f} bytes",
                f"{place[0]}, {place[1]}",
                spread(rates[place], ",.0f"),
                f"{middle * size / 1e6:,.1f}",
                f"{statistics.median(processors[place]):.2f}",
                f"{ours / middle:.2f}",
                "" if place == SYSTEMS[0] else f"{labels:,}",
                "" if place == SYSTEMS[0] else f"{largest:.1e}",
            ]
        )
    return rows


def compare(ours: list[list[Any]], theirs: list[list[Any]]) -> tuple[int, float]:
    """Return how many first labels differ, and the largest difference of probability where they do not; texts without an answer are left out."""
    rows = [row for row in zip(*ours, *theirs, strict=True) if row[2] is not None]
    same = [abs(row[1] - row[3]) for row in rows if row[0] == row[2]]
    return len(rows) - len(same), max(same, default=0.0)


def command(system: str, verb: str, job: dict[str, Any]) -> list[str]:
    """Return the command of `score_worker.py` in the environment of a system."""
    environment = system if system in PEERS or system == "lexigrad" else FIRST
    return [str(python_of(environment)), str(WORKER.with_name("score_worker.py")), system, verb, json.dumps(job)]


if __name__ == "__main__":
    main()
