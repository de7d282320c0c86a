"""Whole processes: wall clock, peak memory, and how the numbers are printed."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, python_of

WORKER = Path(__file__).with_name("worker.py")
EVERY = 0.05


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    peak_mb: float
    output: str
    processor_seconds: float
    """Of all its threads: this hardly changes when other work runs beside it."""


def run(system: str, verb: str, job: dict[str, Any]) -> Run:
    """Run the worker of a system to its end."""
    command = [str(python_of(system)), str(WORKER), system, verb, json.dumps(job)]
    return run_command(command)


def run_command(
    command: Sequence[str], env: dict[str, str] | None = None, watch: Callable[[int], None] | None = None
) -> Run:
    """Run any command to its end; its peak memory is the system's own accounting (ru_maxrss). `watch` runs beside it with its number."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    if watch is not None:
        threading.Thread(target=watch, args=(process.pid,), daemon=True).start()
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1000, output, usage.ru_utime + usage.ru_stime)


@dataclass(frozen=True)
class Watched(Run):
    """A finished process that was looked at every `EVERY` seconds: its peak is its own alone, and `private_mb` counts what no file on the disk holds."""

    private_mb: float


def run_watched(command: Sequence[str]) -> Watched:
    """Run any command to its end, watching its memory.

    The system's accounting begins with the memory of the process that starts it: where that is large, as here where texts were made, only this tells.
    """
    peaks, ended = {"VmHWM": 0.0, "RssAnon": 0.0}, threading.Event()

    def watch(pid: int) -> None:
        while not ended.wait(EVERY):
            try:
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                return
            found = dict(line.split(":", 1) for line in lines)
            for name in peaks.keys() & found.keys():
                peaks[name] = max(peaks[name], int(found[name].split()[0]) * 1024 / 1e6)

    run = run_command(command, watch=watch)
    ended.set()
    return Watched(run.seconds, peaks["VmHWM"], run.output, run.processor_seconds, peaks["RssAnon"])


def memory_mb(pid: int) -> dict[str, float]:
    """Return the megabytes of a process by the names of /proc/PID/smaps_rollup, such as Rss, Pss, Private_Dirty, Private_Clean, Anonymous."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        lines = [line.split() for line in file][1:]
    return {line[0].rstrip(":"): int(line[1]) * 1024 / 1e6 for line in lines}


def spread(values: Sequence[float], form: str) -> str:
    """Return "median (min-max)"."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def processor() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def header(module: str) -> str:
    """Return what a table is headed by: command, date, versions, processor."""
    versions = [f"{name} {metadata.version(name)}" for name in ("lexigrad", "numpy", "numba", "pyarrow")]
    command = shlex.join(["python", "-m", module, *sys.argv[1:]])
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return (
        f"`{command}`, {today}, {processor()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"{', '.join(versions)}; {', '.join(PEERS.values())}\n"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"
