"""Softmax regression: seconds until the cost is within 1e-6 of its minimum, beside scikit-learn's solvers.

python -m benchmarks.softmax_regression --sets newsgroups20 images

Each solver has the loosest tolerance, of 1, 3 and 5 times powers of ten, that got it there when it was given all the time; the cost of each result is
computed by NumPy. Each fit is a process of its own, which reads the arrays and fits a few rows first; what is timed is the fit. A solver of
scikit-learn is stopped after `--limit` times lexigrad's median, and then or where it misses the goal it is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import raw
from benchmarks.measure import header, run_command, spread, table
from benchmarks.peers import python_of

WORKER = Path(__file__).with_name("softmax_regression_worker.py")
GOAL = 1e-6
OURS = "lexigrad auto"
SETS: dict[str, dict[str, float]] = {
    "newsgroups20": {
        OURS: 1e-6,
        "scikit-learn sag": 1e-3,
        "scikit-learn newton-cg": 5e-5,
        "scikit-learn lbfgs": 1e-5,
    },
    "images": {
        OURS: 1e-6,
        "scikit-learn lbfgs": 1e-5,
        "scikit-learn newton-cg": 1e-5,
        "scikit-learn sag": 1e-3,
    },
}
COLUMNS = (
    "set",
    "solver",
    "tolerance",
    "seconds, median (min-max)",
    "processor seconds",
    "relative gap",
    "this / lexigrad",
)
BLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Settings that would slow NumPy's products down, for both sides."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--turns", type=int, default=5, help="fits of each system")
    parser.add_argument("--limit", type=float, default=10.0, help="most time, in units of lexigrad's")
    parser.add_argument("--examples", type=int, default=60_000, help="of the generated pictures")
    arguments = parser.parse_args()
    print(header("benchmarks.softmax_regression"))
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for name in arguments.sets for row in measure(name, Path(folder), arguments)]
    print(table(COLUMNS, rows))


def measure(name: str, folder: Path, arguments: argparse.Namespace) -> list[list[str]]:
    """Fit one set by all systems, in turns."""
    path = str(raw("newsgroups20", "train")) if name == "newsgroups20" else ""
    made = json.loads(
        run_command(command({"make": path, "n": arguments.examples, "folder": str(folder)}), plain()).output
    )
    fits: dict[str, list[dict[str, float]]] = {system: [] for system in SETS[name]}
    late: dict[str, float] = {}
    for _ in range(arguments.turns):
        for system, tolerance in SETS[name].items():
            if system in late or (fits[system] and fits[system][-1]["cost"] > made["best"] * (1 + GOAL)):
                continue
            limit = None
            if system != OURS:
                limit = arguments.limit * statistics.median(fit["seconds"] for fit in fits[OURS])
            fit = run_fit({"folder": str(folder), "system": system, "tolerance": tolerance}, limit)
            if fit is None:
                assert limit is not None
                late[system] = limit
            else:
                fits[system].append(fit)
    title = f"{name}, {made['shape'][0]:,} × {made['shape'][1]:,}"
    return [row_of(title, system, SETS[name][system], fits, late, made["best"]) for system in fits]


def row_of(
    title: str,
    system: str,
    tolerance: float,
    fits: dict[str, list[dict[str, float]]],
    late: dict[str, float],
    best: float,
) -> list[str]:
    """Return a line of the table; times that a system was not given to its end are lower bounds."""
    ours = statistics.median(fit["seconds"] for fit in fits[OURS])
    if system in late:
        limit = f"> {late[system]:.2f}"
        return [title, system, f"{tolerance:g}", limit, "-", "stopped", f"> {late[system] / ours:.1f}"]
    seconds, spent = ([fit[key] for fit in fits[system]] for key in ("seconds", "processor"))
    gap = max(fit["cost"] for fit in fits[system]) / best - 1
    reached = gap <= GOAL
    ratio = f"{'' if reached else '> '}{statistics.median(seconds) / ours:.2f}"
    shown = f"{gap:.1e}" + ("" if reached else ", not reached")
    return [title, system, f"{tolerance:g}", spread(seconds, ".2f"), f"{statistics.median(spent):.2f}", shown, ratio]


def command(job: dict[str, Any]) -> list[str]:
    """Return the command of a worker."""
    return [str(python_of("regression")), str(WORKER), json.dumps(job)]


def plain() -> dict[str, str]:
    """Return the environment of a worker."""
    return {key: value for key, value in os.environ.items() if key not in BLAS_CHOICES}


def run_fit(job: dict[str, Any], limit: float | None) -> dict[str, float] | None:
    """Return what a fit took and reached; None if it was stopped at the limit, counted from where the worker says that it begins."""
    with subprocess.Popen(command(job), stdout=subprocess.PIPE, text=True, env=plain()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                process.kill()
                return None
        return dict(json.loads(process.stdout.readline()), **json.loads(process.stdout.readline()))


if __name__ == "__main__":
    main()
