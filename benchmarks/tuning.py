"""Tuning: lexigrad's search and fastText's autotune with the same time, the same training texts and the same validation texts.

python -m benchmarks.tuning --sets cooking banking77 sst2 --seconds 60 --seeds 3

The validation texts are the set's own, or a tenth of its training part. Training texts are shuffled, which fastText does not do itself. Test
texts are looked at once, by the tuned model. fastText gets text in lower case with punctuation split off, as in its own recipes; lexigrad gets it
as published, since its tokeniser is among what it tunes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import prepared, raw
from benchmarks.measure import WORKER, Run, header, run_command, spread, table
from benchmarks.peers import python_of

SETS = ("cooking", "banking77", "sst2", "trec6", "clinc150", "newsgroups20")
VALIDATION = {"sst2": "dev", "clinc150": "val"}
"""Sets that come with validation texts."""
EVERY = 10
SYSTEMS: dict[str, tuple[str, str, Callable[[str, str], Path]]] = {
    "lexigrad": ("tuning", "lexigrad", raw),
    "fasttext-community": ("fasttext-community", "fasttext-community", prepared),
}
"""By name: the environment, what the worker calls it, and the texts that it gets."""


def main() -> None:
    """Tune and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS[:4]), choices=SETS)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--seconds", type=int, default=60, help="time of each search")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each system on each set")
    arguments = parser.parse_args()
    print(header("benchmarks.tuning"))
    rows: list[list[str]] = []
    for name in arguments.sets:
        rows += measure_set(name, arguments.systems, arguments.seconds, arguments.seeds)
    columns = [
        "set",
        "system",
        "P@1 on test, mean ± sd",
        "P@1 on validation, mean",
        "seconds of the process, median (min-max)",
        "trials",
    ]
    print(table(columns, rows))


def measure_set(name: str, systems: list[str], seconds: int, seeds: int) -> list[list[str]]:
    """Tune with every system and seed, in turn, and test what was found."""
    found: dict[str, list[dict[str, Any]]] = {system: [] for system in systems}
    with tempfile.TemporaryDirectory() as place:
        for seed in range(seeds):
            for system in systems:
                found[system].append(tuned(name, system, seconds, seed, place))
                print(f"{name} {system} seed {seed}: {found[system][-1]}", flush=True)
    return [row(name, system, found[system]) for system in systems]


def tuned(name: str, system: str, seconds: int, seed: int, place: str) -> dict[str, Any]:
    """Tune once and test once."""
    train, validation = parts(name, system, Path(place))
    suffix = "lexigrad" if system == "lexigrad" else "bin"
    job = {
        "train": str(train), "validation": str(validation), "seconds": seconds, "seed": seed, "model": f"{place}/model.{suffix}",
        "test": str(SYSTEMS[system][2](name, "test")),
    }  # fmt: skip
    search = work(system, "tune", job)
    return {**json.loads(search.output), "seconds": search.seconds, "test": float(work(system, "test", job).output)}


def work(system: str, verb: str, job: dict[str, Any]) -> Run:
    """Run the worker in the system's environment."""
    environment, called, _ = SYSTEMS[system]
    return run_command([str(python_of(environment)), str(WORKER), called, verb, json.dumps(job)])


def parts(name: str, system: str, place: Path) -> tuple[Path, Path]:
    """Return the files of training and validation texts, the same ones for every system."""
    file = SYSTEMS[system][2]
    train, validation = place / f"{name}.{system}.train.txt", place / f"{name}.{system}.validation.txt"
    if not train.exists():
        lines = [line for line in file(name, "train").read_text(encoding="utf-8").split("\n") if line]
        random.Random(0).shuffle(lines)
        held, rest = lines[EVERY - 1 :: EVERY], [line for i, line in enumerate(lines, 1) if i % EVERY]
        if name in VALIDATION:
            held, rest = file(name, VALIDATION[name]).read_text(encoding="utf-8").split("\n"), lines
        train.write_text("\n".join(rest) + "\n", encoding="utf-8")
        validation.write_text("\n".join(held) + "\n", encoding="utf-8")
    return train, validation


def row(name: str, system: str, found: list[dict[str, Any]]) -> list[str]:
    """Return a line of the table."""
    test = [one["test"] for one in found]
    trials = [one["trials"] for one in found]
    return [
        name,
        system,
        f"{statistics.mean(test):.4f} ± {statistics.stdev(test) if len(test) > 1 else 0:.4f}",
        f"{statistics.mean(one['value'] for one in found):.4f}",
        spread([one["seconds"] for one in found], ".0f"),
        "not told" if None in trials else spread(trials, ".0f"),
    ]


if __name__ == "__main__":
    main()
