"""fastText's own models: naming the language of 100,000 sentences, opening a large file; side by side.

python -m benchmarks.fasttext_models
"""

from __future__ import annotations

import argparse
import json
import lzma
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import SETS, folder, prepared
from benchmarks.measure import header, run, spread, table
from benchmarks.peers import PEERS

SYSTEMS = ("lexigrad", *PEERS)
SENTENCES = 100_000
DROP_IN = "lexigrad.compat.fasttext"
"""Our module in fastText's place, which makes the lists of fastText's `predict`."""
LARGE = "fasttext-community"
"""Makes the large file."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes of each system, in turn")
    parser.add_argument("--languages", action="store_true", help="nothing but naming languages")
    given = parser.parse_args()
    repeats = given.repeats
    print(header("benchmarks.fasttext_models"))
    with tempfile.TemporaryDirectory() as where:
        print(
            table(
                ["sentences", "system", "sentences/s, median (min-max)", "this / fastest peer", "this / fastText"],
                languages(where, repeats),
            )
        )
        if given.languages:
            return
        print(
            table(
                ["file", "system", "opening, s", "first prediction, s", "private MB it adds"], opening(where, repeats)
            )
        )


def languages(where: str, repeats: int) -> list[list[str]]:
    """Name the languages of the sentences of Tatoeba with lid.176.ftz."""
    with lzma.open(folder().parent / "languages/tatoeba.tsv.xz", "rt", encoding="utf-8", newline="\n") as file:
        lines = [line.split("\t", 1)[1] for line in file]
    path = Path(where) / "sentences.txt"
    path.write_text("".join((lines + lines)[:SENTENCES]), encoding="utf-8")
    job = {"model": str(folder().parent / "models/lid.176.ftz"), "texts": str(path), "copies": 1, "calls": 5}
    systems = (SYSTEMS[0], DROP_IN, *SYSTEMS[1:])
    rates: dict[str, list[float]] = {system: [] for system in systems}
    for _ in range(repeats):
        for system in systems:
            ours = system == DROP_IN
            answer = json.loads(run("lexigrad" if ours else system, "predict", {**job, "drop_in": ours}).output)
            rates[system] += [answer["n"] / seconds for seconds in answer["seconds"]]
    best = max(statistics.median(rates[peer]) for peer in PEERS)
    first = statistics.median(rates[LARGE])
    return [
        [
            f"{SENTENCES:,}",
            system,
            spread(rates[system], ",.0f"),
            f"{statistics.median(rates[system]) / best:.2f}",
            f"{statistics.median(rates[system]) / first:.2f}",
        ]
        for system in systems
    ]


def opening(where: str, repeats: int) -> list[list[str]]:
    """Open a classifier of two million buckets and a hundred dimensions, which fastText has trained, and what lexigrad makes of its file."""
    large, converted = f"{where}/large.bin", f"{where}/large.lexigrad"
    chosen = SETS["imdb"]
    job = {"train": str(prepared("imdb", "train")), "model": large, "dim": 100, "lr": chosen.lr, "epochs": 1, "seed": 0}
    run(LARGE, "train", {**job, "buckets": 2_000_000})
    run("lexigrad", "convert", {"model": large, "converted": converted})
    rows = [*((system, large) for system in SYSTEMS), ("lexigrad", converted)]
    found: dict[tuple[str, str], list[dict[str, Any]]] = {row: [] for row in rows}
    for _ in range(repeats):
        for system, model in rows:
            found[system, model].append(json.loads(run(system, "open", {"model": model}).output))
    return [
        [
            f"{Path(model).suffix}, {Path(model).stat().st_size / 1e6:,.0f} MB",
            system,
            *(spread([answer[name] for answer in found[system, model]], ".3f") for name in ("seconds", "first")),
            f"{statistics.median(answer['private_mb'] for answer in found[system, model]):,.0f}",
        ]
        for system, model in rows
    ]


if __name__ == "__main__":
    main()
