"""softmax, logsumexp and cross-entropy beside SciPy and PyTorch; a row of a gigabyte beside a copy; many labels with bounded memory.

python -m benchmarks.mathematics
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import header, spread, table
from benchmarks.peers import NUMERICAL, ROOT, python_of

WORKER = Path(__file__).with_name("mathematics_worker.py")


def measure(task: str, threads: int = 1) -> dict[str, Any]:
    """Run a task of the worker in the environment that has the peers."""
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    command = [str(python_of("mathematics")), str(WORKER), task, str(threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout)


def print_times(title: str, answer: dict[str, Any]) -> None:
    """Print times and, in each peer's cell, how many times as long it takes."""
    names = list(next(iter(answer.values())))
    ours = names[0]
    rows = []
    for case, times in answer.items():
        cells = [case, spread(times[ours], ".3g")]
        cells += [
            f"{spread(times[name], '.3g')}, **{median(times[name]) / median(times[ours]):.1f}×**" for name in names[1:]
        ]
        rows.append(cells)
    print(f"{title}\n")
    print(table(["", *names], rows))


def main() -> None:
    """Print all tables."""
    print(header("benchmarks.mathematics").replace("; ", f"; {', '.join(NUMERICAL)}; ", 1))
    per_element = "10^7 float32 in all, nanoseconds an element"
    print_times(f"softmax, one thread, {per_element}; rows of", measure("softmax"))
    print_times(f"softmax, two threads, {per_element}; rows of", measure("softmax_threads", 2))
    print_times(
        "logsumexp, one thread; nanoseconds an element, for the single vector microseconds a call", measure("logsumexp")
    )
    print_times(
        f"softmax_cross_entropy, loss and gradient, one thread, {per_element}; rows of", measure("cross_entropy")
    )
    for threads in (1, 2):
        print_times(
            f"One row of 1.2 GB (3 * 10^8 float32), {threads} thread(s), GB/s: a copy moves 8 bytes an element, softmax 12, both past the caches",
            measure("long_row", threads),
        )
    print_times(
        "linear_cross_entropy, 4,096 rows of 256 against 100,000 labels, loss and both gradients; seconds, and MB above inputs and results",
        measure("linear", 2),
    )


if __name__ == "__main__":
    sys.exit(main())
