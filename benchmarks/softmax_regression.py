"""Softmax regression: seconds until the cost is within 1e-6 of its minimum, beside scikit-learn's solvers.

python -m benchmarks.softmax_regression --sets newsgroups20 images

Each solver has the loosest tolerance, of 1, 3 and 5 times powers of ten, with which it gets there; the cost of each result is computed by NumPy.
All run in one process, in turns; solvers that are not the fastest of scikit-learn run once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.data import raw
from benchmarks.measure import header, run_command, spread, table
from benchmarks.peers import python_of

WORKER = Path(__file__).with_name("softmax_regression_worker.py")
GOAL = 1e-6
SETS: dict[str, dict[str, float]] = {
    "newsgroups20": {
        "lexigrad newton": 1e-6,
        "lexigrad saga": 1e-6,
        "scikit-learn sag": 3e-3,
        "scikit-learn newton-cg": 5e-5,
        "scikit-learn lbfgs": 1e-5,
    },
    "images": {
        "lexigrad newton": 1e-6,
        "scikit-learn lbfgs": 1e-5,
        "scikit-learn newton-cg": 1e-5,
        "scikit-learn sag": 1e-3,
    },
}
FASTEST = {"newsgroups20": "scikit-learn sag", "images": "scikit-learn lbfgs"}
"""Of scikit-learn's solvers; the others run once."""
BLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Settings that would slow NumPy's products down, for both sides."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--turns", type=int, default=5, help="fits of lexigrad and of scikit-learn's fastest solver")
    parser.add_argument("--examples", type=int, default=60_000, help="of the generated pictures")
    parser.add_argument("--systems", nargs="+", help="only these, by their names in the table")
    arguments = parser.parse_args()
    print(header("benchmarks.softmax_regression"))
    rows: list[list[str]] = []
    for name in arguments.sets:
        rows += measure(name, arguments)
    print(
        table(
            [
                "set",
                "solver",
                "tolerance",
                "seconds, median (min-max)",
                "relative gap",
                "fastest of scikit-learn / this",
            ],
            rows,
        )
    )


def measure(name: str, arguments: argparse.Namespace) -> list[list[str]]:
    """Fit one set by all systems, in a process of its own."""
    systems = {system: value for system, value in SETS[name].items() if system in (arguments.systems or SETS[name])}
    job: dict[str, Any] = {
        "path": str(raw("newsgroups20", "train")) if name == "newsgroups20" else "",
        "n": arguments.examples,
        "systems": systems,
        "turns": arguments.turns,
        "again": ["lexigrad newton", FASTEST[name]],
    }
    env = {key: value for key, value in os.environ.items() if key not in BLAS_CHOICES}
    answer = json.loads(run_command([str(python_of("regression")), str(WORKER), json.dumps(job)], env).output)
    seconds, gaps = answer["seconds"], answer["gaps"]
    peers = [
        statistics.median(spent) for system, spent in seconds.items() if "scikit" in system and gaps[system] <= GOAL
    ]
    title = f"{name}, {answer['shape'][0]:,} × {answer['shape'][1]:,}"
    return [
        [
            title,
            system,
            f"{systems[system]:g}",
            spread(spent, ".2f"),
            f"{gaps[system]:.1e}" + ("" if gaps[system] <= GOAL else ", not reached"),
            f"{min(peers) / statistics.median(spent):.2f}" if peers else "-",
        ]
        for system, spent in seconds.items()
    ]


if __name__ == "__main__":
    main()
