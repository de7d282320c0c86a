"""The largest error of our functions in ulp, beside SciPy and PyTorch; see docs/accuracy.md.

python -m benchmarks.accuracy [--exhaustive]

With --exhaustive, the functions of one number are measured on every float32, else on every 1,021st.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import header, table
from benchmarks.peers import NUMERICAL, PEERS, ROOT, python_of

WORKER = Path(__file__).with_name("accuracy_worker.py")
SYSTEMS = ("lexigrad", "SciPy", "PyTorch")


def measure(exhaustive: bool) -> dict[str, Any]:
    """Run the worker in the environment that has the peers."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [str(python_of("mathematics")), str(WORKER), *(["--exhaustive"] if exhaustive else [])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout)


def cell(ulps: float | None) -> str:
    """Return an error as it is printed: never rounded below what was found."""
    if ulps is None:
        return "—"
    if not math.isfinite(ulps):
        return "∞"
    return f"{math.ceil(ulps * 100 - 1e-4) / 100:.2f}" if ulps < 1_000 else f"{ulps:.1e}"


def lines(answer: list[dict[str, Any]]) -> list[list[str]]:
    """Return the lines of a table of errors; ours in bold where it exceeds the bound."""
    result = []
    for line in answer:
        cells = [cell(line["worst"].get(name)) for name in SYSTEMS]
        if line["worst"]["lexigrad"] > line["bound"]:
            cells[0] = f"**{cells[0]}**"
        result.append([line["function"], line["dtype"], line["inputs"], *cells, f"{line['bound']:g}"])
    return result


def off(value: float, exact: float) -> str:
    """Return a value and how far it is off."""
    share = abs(value / exact - 1)
    return f"{value:.7g}" + (f" ({share:.1%} off)" if share > 1e-4 else "")


def main() -> None:
    """Print all tables."""
    answer = measure("--exhaustive" in sys.argv)
    print(header("benchmarks.accuracy").replace(", ".join(PEERS.values()), ", ".join(NUMERICAL)))
    print("The leader's log-probability of two float32 scores, by the gap between them\n")
    leads = [
        [str(line["gap"]), f"{line['exact']:.7g}", *(off(line["values"][name], line["exact"]) for name in SYSTEMS)]
        for line in answer["leads"]
    ]
    print(table(["gap", "exact", *SYSTEMS], leads))
    columns = ["function", "dtype", "inputs", *SYSTEMS, "bound"]
    print("Rows of scores: largest error, ulp\n")
    print(table(columns, lines(answer["rows"])))
    print("Functions of one number: largest error, ulp\n")
    print(table(columns, lines(answer["points"])))


if __name__ == "__main__":
    sys.exit(main())
