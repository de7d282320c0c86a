"""Memory: of each of several processes that score with one model at once, and of `lexigrad score` on a file that is larger than memory.

python -m benchmarks.score_memory
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import Zipf, model, table_of, texts
from benchmarks.data import CACHE
from benchmarks.measure import header, memory_mb, run_watched, spread, table
from benchmarks.score_column import FIRST, command
from benchmarks.score_files import folded, score

BLOCKS = 3
"""Different row groups of the large file, which repeats them."""
GROUP_MB = 128
"""Of a row group on the disk."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="of lexigrad at once")
    parser.add_argument(
        "--gb",
        type=float,
        default=20,
        help="size of the large file; twice as much has to be free on the disk; 0 for none",
    )
    parser.add_argument("--threads", type=int, default=2, help="that score the large file")
    given = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    print(header("benchmarks.score_memory"))
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        natives = {name: folded(name, folder) for name in ("dclm", "toy")}
        columns = [
            "model",
            "system",
            "processes at once",
            "private MB of each, median (min-max)",
            "above the toy model",
            "of it written (not mapped)",
            "shared MB",
        ]
        print(table(columns, at_once(natives, given.processes)))
        if given.gb:
            columns = [
                "file",
                "row groups",
                "model",
                "seconds",
                "MB/s of the file",
                "processor seconds",
                "peak MB",
                "peak MB, private",
            ]
            print(table(columns, large(natives["dclm"], Path(folder), given.gb, given.threads)))


def at_once(natives: dict[str, str], processes: int) -> list[list[str]]:
    """Hold processes that have scored the same texts, and look at each while all live."""
    cases = [
        ("lexigrad", natives["toy"], natives["toy"], processes),
        ("lexigrad", natives["dclm"], natives["toy"], processes),
        ("lexigrad", str(model("toy")), str(model("toy")), processes),
        ("lexigrad", str(model("dclm")), str(model("toy")), processes),
        (FIRST, str(model("toy")), str(model("toy")), 2),
        (FIRST, str(model("dclm")), str(model("toy")), 2),
    ]
    base: dict[tuple[str, str], float] = {}
    rows = []
    for system, path, toy, n in cases:
        found = held(system, path, n)
        private = [one["Private_Clean"] + one["Private_Dirty"] for one in found]
        middle = statistics.median(private)
        base.setdefault((system, path), middle)
        rows.append(
            [
                f"{Path(path).name}, {Path(path).stat().st_size / 1e6:,.1f} MB",
                system,
                str(n),
                spread(private, ",.0f"),
                f"{middle - base[system, toy]:,.1f}",
                f"{statistics.median(one['Private_Dirty'] for one in found):,.0f}",
                f"{statistics.median(one['Shared_Clean'] + one['Shared_Dirty'] for one in found):,.0f}",
            ]
        )
    return rows


def held(system: str, path: str, n: int) -> list[dict[str, float]]:
    """Return the memory of n processes that all live."""
    job = {"model": path, "texts": str(texts("zipf")), "n": 2000}
    started = [
        subprocess.Popen(command(system, "hold", job), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(n)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise SystemExit(f"{system} did not score with {path}")
        return [memory_mb(process.pid) for process in started]
    finally:
        for process in started:
            process.communicate("")


def large(native: str, folder: Path, gb: float, threads: int) -> list[list[str]]:
    """Score a generated file and watch the process."""
    source, output = folder / "large.parquet", folder / "scored.parquet"
    if shutil.disk_usage(folder).free < 2.2e9 * gb:
        raise SystemExit(f"{2.2 * gb:.0f} GB have to be free in {folder}: less with --gb")
    write_large(source, gb)
    facts = pq.read_metadata(source)
    group = facts.row_group(0)
    packed = sum(group.column(i).total_compressed_size for i in range(group.num_columns))
    found = run_watched([*score(native, source, str(output), False), "--threads", str(threads)])
    rows = pq.read_metadata(output).num_rows
    if rows != facts.num_rows:
        raise SystemExit(f"{output} has {rows:,} rows, not {facts.num_rows:,}")
    size = source.stat().st_size
    return [
        [
            f"{size / 1e9:,.1f} GB, {facts.num_rows:,} documents",
            f"{facts.num_row_groups} of {packed / 1e6:,.0f} MB, unpacked {group.total_byte_size / 1e6:,.0f} MB",
            f"{Path(native).name}, {threads} threads",
            f"{found.seconds:,.1f}",
            f"{size / found.seconds / 1e6:,.0f}",
            f"{found.processor_seconds:,.1f}",
            f"{found.peak_mb:,.0f}",
            f"{found.private_mb:,.0f}",
        ]
    ]


def write_large(path: Path, gb: float) -> None:
    """Write a Parquet file, snappy, whose row groups take `GROUP_MB` each: some blocks of different documents, over and over."""
    zipf = Zipf(4)
    sample = path.with_suffix(".sample")
    pq.write_table(table_of(zipf, 5_000), sample, compression="snappy")
    n = int(5_000 * GROUP_MB * 1e6 / sample.stat().st_size)
    sample.unlink()
    blocks = [joined_tables(zipf, n, i) for i in range(BLOCKS)]
    groups = max(1, round(gb * 1e3 / GROUP_MB))
    with pq.ParquetWriter(path, blocks[0].schema, compression="snappy") as writer:
        for _, block in zip(range(groups), cycle(blocks), strict=False):
            writer.write_table(block, row_group_size=n)


def joined_tables(zipf: Zipf, n: int, block: int) -> pa.Table:
    """Return n documents in one table, made some at a time."""

    def parts() -> Iterator[pa.Table]:
        for first in range(0, n, 5_000):
            yield table_of(zipf, min(5_000, n - first), first, f"block{block}")

    return pa.concat_tables(parts())


if __name__ == "__main__":
    main()
