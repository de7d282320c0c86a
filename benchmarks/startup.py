"""How long a newcomer waits: import, help, first run ever (all kernels compile), later runs.

python -m benchmarks.startup
"""

from __future__ import annotations

import os
import statistics
import tempfile

from benchmarks.data import ROOT
from benchmarks.measure import Run, header, run_command, spread, table
from benchmarks.peers import python_of

SMALL = ROOT / "src/lexigrad/data/clinc150.oos_test.txt"


def main() -> None:
    """Measure and print."""
    python = python_of("lexigrad")
    lexigrad = str(python.with_name("lexigrad"))
    print(header("benchmarks.startup"))
    with tempfile.TemporaryDirectory() as folder:
        train = [lexigrad, "train", str(SMALL), "--output", f"{folder}/m.lexigrad", "--word-ngrams", "2", "--quiet"]
        first = [run_command(train, {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/cache{i}"}) for i in range(3)]
        later = [run_command(train, {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/cache0"}) for _ in range(5)]
    bare = [run_command([str(python), "-c", "pass"]) for _ in range(11)]
    package = [run_command([str(python), "-c", "import lexigrad"]) for _ in range(11)]
    usage = [run_command([lexigrad, "--help"]) for _ in range(11)]
    start = statistics.median(run.seconds for run in bare)
    rows = [
        _row("import lexigrad, above a bare Python", package, start),
        _row("lexigrad --help", usage),
        _row("lexigrad train on 1,000 lines, first run ever", first),
        _row("the same, later", later),
    ]
    print(table(["what", "seconds, median (min-max)"], rows))


def _row(what: str, runs: list[Run], less: float = 0.0) -> list[str]:
    return [what, spread([max(0.0, run.seconds - less) for run in runs], ".3f")]


if __name__ == "__main__":
    main()
