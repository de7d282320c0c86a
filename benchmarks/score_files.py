"""Parquet file to Parquet file: `lexigrad score` beside a loop over fastText, document by document, as datatrove's filter runs it; whole processes.

python -m benchmarks.score_files
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import model, parquet
from benchmarks.measure import Watched, header, run_command, run_watched, spread, table
from benchmarks.peers import READS_PARQUET, python_of
from benchmarks.score_column import command, compare

LABEL, LEAST = "hq", 0.8
"""What the filter keeps: about a tenth of the documents."""
LOOP = "Python loop over fasttext-community"
COLUMNS = [
    "job",
    "system",
    "seconds, median (min-max)",
    "documents/s",
    "MB/s of text",
    "loop / this",
    "processor seconds",
    "peak MB",
    "of it private",
    "rows out",
    "other labels",
    "largest difference",
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes of each system, in turn")
    parser.add_argument("--n", type=int, default=100_000, help="documents, of 3.9 KB")
    given = parser.parse_args()
    source = parquet(given.n)
    print(header("benchmarks.score_files"))
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        native = folded("dclm", folder)
        run_command(score(native, parquet(100), f"{folder}/first.parquet", False))  # compiles where that was never done
        rows: list[list[str]] = []
        for keep in (False, True):
            rows += measure_job(source, Path(folder), native, keep, given.repeats)
    print(table(COLUMNS, rows))


def measure_job(source: Path, folder: Path, native: str, keep: bool, repeats: int) -> list[list[str]]:
    """Time one job: adding columns, or a filter that also adds them."""
    systems: dict[str, Callable[[str], list[str]]] = {
        "lexigrad score, folded file": lambda output: score(native, source, output, keep),
        "lexigrad score, .bin": lambda output: score(str(model("dclm")), source, output, keep),
        LOOP: lambda output: loop(source, output, keep),
    }
    runs: dict[str, list[Watched]] = {system: [] for system in systems}
    found: dict[str, pa.Table] = {}
    for repeat in range(repeats):
        for system, command_of in systems.items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                output = f"{place}/scored.parquet"
                runs[system].append(run_watched(command_of(output)))
                if repeat == 0:
                    found[system] = pq.read_table(output, columns=["id", "label", "prob"])
    n_bytes = text_bytes(source)
    n = pq.read_metadata(source).num_rows
    middles = {system: statistics.median(r.seconds for r in runs[system]) for system in systems}
    rows = []
    for system in systems:
        labels, largest = differences(found[LOOP], found[system])
        rows.append(
            [
                f"{n:,} documents, " + (f"--keep '{LABEL} >= {LEAST}'" if keep else "label and prob added"),
                system,
                spread([r.seconds for r in runs[system]], ".2f"),
                f"{n / middles[system]:,.0f}",
                f"{n_bytes / middles[system] / 1e6:,.1f}",
                f"{middles[LOOP] / middles[system]:.2f}",
                spread([r.processor_seconds for r in runs[system]], ".2f"),
                f"{max(r.peak_mb for r in runs[system]):,.0f}",
                f"{max(r.private_mb for r in runs[system]):,.0f}",
                f"{found[system].num_rows:,}",
                "" if system == LOOP else f"{labels:,}",
                "" if system == LOOP else f"{largest:.1e}",
            ]
        )
    return rows


def folded(name: str, folder: str) -> str:
    """Write a model as lexigrad's own folded file and return its path."""
    target = f"{folder}/{name}.lexigrad"
    run_command([str(python_of("lexigrad").with_name("lexigrad")), "fold", str(model(name)), target])
    return target


def text_bytes(path: Path) -> int:
    """Return how many bytes the texts of a file have."""
    batches = pq.ParquetFile(path).iter_batches(columns=["text"])
    return sum(sum(b.size for b in batch.column(0).buffers()[2:] if b is not None) for batch in batches)


def differences(first: pa.Table, second: pa.Table) -> tuple[int, float]:
    """Return how many rows in both have other labels, and the largest difference of probability of the others."""
    sides: list[dict[str, tuple[Any, Any]]] = [
        dict(
            zip(
                side["id"].to_pylist(),
                zip(side["label"].to_pylist(), side["prob"].to_pylist(), strict=True),
                strict=True,
            )
        )
        for side in (first, second)
    ]
    both = sides[0].keys() & sides[1].keys()
    ours, theirs = ([list(column) for column in zip(*(side[row] for row in both), strict=True)] for side in sides)
    return compare(ours, theirs)


def score(model_file: str, source: Path, output: str, keep: bool) -> list[str]:
    """Return the command of lexigrad."""
    lexigrad = str(python_of("lexigrad").with_name("lexigrad"))
    filtering = ["--keep", f"{LABEL} >= {LEAST}"] if keep else []
    return [lexigrad, "score", str(source), "--model", model_file, "--output", output, "--quiet", *filtering]


def loop(source: Path, output: str, keep: bool) -> list[str]:
    """Return the command of the loop."""
    job = {
        "model": str(model("dclm")),
        "input": str(source),
        "output": output,
        "keep": [LABEL, LEAST] if keep else None,
    }
    return [str(python_of(READS_PARQUET)), *command("fasttext-community", "loop", job)[1:]]


if __name__ == "__main__":
    main()
