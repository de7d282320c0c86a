"""The benchmark sets: found, unpacked and prepared once, under .bench/data."""

from __future__ import annotations

import lzma
import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".bench/data"
PUNCTUATION = re.compile(r"([^\w\s])")
LABEL = "__label__"


@dataclass(frozen=True)
class BenchmarkSet:
    """One set with the settings of the comparison; `buckets` is what the peers get, lexigrad fits its own."""

    name: str
    lr: float
    epochs: int
    buckets: int


SETS = {
    s.name: s
    for s in (
        BenchmarkSet("imdb", 0.5, 5, 2_000_000),
        BenchmarkSet("newsgroups20", 0.5, 25, 2_000_000),
        BenchmarkSet("clinc150", 0.5, 25, 200_000),
        BenchmarkSet("cooking", 1.0, 25, 200_000),
    )
}


def folder(kind: str = "classify") -> Path:
    """Return where the sets of a kind lie: in LEXIGRAD_DATA, else in ../shared/data."""
    place = Path(os.environ.get("LEXIGRAD_DATA", ROOT / "../shared/data")) / kind
    if not place.is_dir():
        raise SystemExit(f"no benchmark data in {place}: set LEXIGRAD_DATA to the folder that holds {kind}/")
    return place


def raw(name: str, part: str) -> Path:
    """Return the path of a set as it was published, unpacked."""
    plain = folder() / f"{name}.{part}.txt"
    if plain.exists():
        return plain
    target = CACHE / plain.name
    if not target.exists():
        with lzma.open(f"{plain}.xz") as packed:
            _write(target, packed.read())
    return target


def prepared(name: str, part: str) -> Path:
    """Return the path of a set in lower case with punctuation split off, as fastText's own recipes do."""
    target = CACHE / f"{name}.prepared.{part}.txt"
    if not target.exists():
        lines = raw(name, part).read_text(encoding="utf-8", errors="replace").split("\n")
        _write(target, "\n".join(map(_prepare, lines)).encode())
    return target


def _prepare(line: str) -> str:
    tokens = line.split()
    labels = [token for token in tokens if token.startswith(LABEL)]
    text = " ".join(token for token in tokens if not token.startswith(LABEL)).lower()
    return " ".join(labels + PUNCTUATION.sub(r" \1 ", text).split())


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".part")
    temporary.write_bytes(content)
    temporary.rename(target)
