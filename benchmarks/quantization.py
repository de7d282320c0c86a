"""Quantised models: size and P@1 before and after, beside fastText's own quantisation at the same settings; and word vectors.

python -m benchmarks.quantization
"""

from __future__ import annotations

import argparse
import json
import lzma
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import SETS, folder, prepared
from benchmarks.measure import header, run, table
from benchmarks.peers import PEERS
from lexigrad import WordVectors

FASTTEXT = "fasttext-community"
SYSTEMS = ("lexigrad", FASTTEXT)
PLANS: dict[str, dict[str, Any]] = {
    "all rows": {},
    "100,000 rows": {"cutoff": 100_000},
    "100,000 rows, 1 epoch more": {"cutoff": 100_000, "epochs": 1},
    "10,000 rows, 1 epoch more": {"cutoff": 10_000, "epochs": 1},
    "all rows, without lengths": {"norms": False},
    "all rows, slices of 4": {"sub_dim": 4},
    "all rows, slices of 8": {"sub_dim": 8},
}
OWN = list(PLANS)[4:]
"""Only for lexigrad: fastText takes minutes to quantise all rows of two million buckets."""
DEFAULTS = {"cutoff": 0, "sub_dim": 2, "norms": True, "epochs": 0}
WIKI_BYTES = 20_000_000
VECTORS: dict[str, dict[str, Any]] = {"words": {"lr": 0.05}, "words and n-grams": {"lr": 0.2, "min_n": 3, "max_n": 6}}
RATINGS = ("EN-WS-353-ALL.txt", "EN-SIMLEX-999.txt")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=["imdb", "newsgroups20"], choices=list(SETS))
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--vectors", action=argparse.BooleanOptionalAction, default=True, help="word vectors, too")
    arguments = parser.parse_args()
    print(header("benchmarks.quantization").replace(", ".join(PEERS.values()), PEERS[FASTTEXT]))
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        rows = [row for chosen in arguments.sets for row in classifiers(chosen, arguments.systems, where)]
        if rows:
            columns = ["set", "system", "kept", "MB", "MB as .ftz", "P@1", "P@1 lost, points", "seconds"]
            print(table(columns, rows))
        if arguments.vectors:
            columns = ["vectors", "coded", "MB", "MB as .ftz", "WS-353", "SimLex"]
            print(table(columns, [row for name in VECTORS for row in vectors(name, where)]))


def classifiers(name: str, systems: list[str], where: Path) -> list[list[str]]:
    """Train a classifier by each system and quantise it in several ways, a process each."""
    chosen = SETS[name]
    rows = []
    for system in systems:
        suffix = ".lexigrad" if system == "lexigrad" else ".bin"
        job: dict[str, Any] = {
            "train": str(prepared(name, "train")), "test": str(prepared(name, "test")), "model": str(where / f"whole{suffix}"), "dim": 100,
            "lr": chosen.lr, "epochs": chosen.epochs, "buckets": chosen.buckets, "seed": 0, "tokenizer": "whitespace",
        }  # fmt: skip
        run(system, "train", job)
        whole = float(run(system, "test", job).output)
        rows.append([name, system, "not quantised", megabytes(Path(job["model"])), "", f"{whole:.4f}", "", ""])
        for plan, settings in PLANS.items():
            if plan in OWN and system != "lexigrad":
                continue
            how = {**DEFAULTS, **settings, "small": str(where / "small")}
            found = json.loads(run(system, "quantize", {**job, **how}).output)
            own = megabytes(where / "small.lexigrad") if system == "lexigrad" else ""
            rows.append(
                [
                    name, system, plan, own, megabytes(where / "small.ftz"), f"{found['precision']:.4f}",
                    f"{100 * (whole - found['precision']):+.2f}", f"{found['seconds']:.1f}",
                ]
            )  # fmt: skip
    return rows


def vectors(name: str, where: Path) -> list[list[str]]:
    """Train word vectors on the beginning of wiki8 and quantise them; fastText refuses to quantise its own."""
    corpus = where / "wiki.txt"
    if not corpus.exists():
        with lzma.open(folder("vectors") / "wiki8.txt.xz") as source:
            corpus.write_bytes(source.read(WIKI_BYTES).rpartition(b"\n")[0] + b"\n")
    whole = WordVectors(dim=100, epochs=3, threads=2, **VECTORS[name]).fit_file(corpus)
    title = f"{len(whole):,} words, {whole.fitted.subwords.n_rows:,} rows"
    rows = [[title, "not at all", *sizes(whole, where), *ratings(whole)]]
    for sub_dim in (2, 4, 8):
        for norms in (True, False):
            small = whole.quantize(sub_dim=sub_dim, norms=norms)
            coded = f"slices of {sub_dim}" + (", lengths apart" if norms else "")
            rows.append([title, coded, *sizes(small, where), *ratings(small)])
    n_kept = whole.fitted.subwords.n_rows // 2
    small = whole.quantize(n_kept)
    rows.append(
        [f"{len(small):,} words, {n_kept:,} rows", "slices of 2, lengths apart", *sizes(small, where), *ratings(small)]
    )
    return rows


def sizes(model: WordVectors, where: Path) -> list[str]:
    """Return the sizes of both forms."""
    model.save(where / "v.lexigrad")
    quantised = hasattr(model.fitted.input, "codes")
    if quantised:
        model.save(where / "v.ftz")
    return [megabytes(where / "v.lexigrad"), megabytes(where / "v.ftz") if quantised else ""]


def ratings(model: WordVectors) -> list[str]:
    """Return the rank correlations with people's ratings and how many pairs have vectors."""
    found = [model.evaluate_similarity(folder("vectors") / "evaluation" / name) for name in RATINGS]
    return [f"{one.spearman:.3f} ({one.n_used} pairs)" for one in found]


def megabytes(path: Path) -> str:
    """Return a file's size."""
    return f"{path.stat().st_size / 1e6:.2f}"


if __name__ == "__main__":
    main()
