"""Damaged files of fastText: each ends in FormatError or in a model that answers; none crashes, hangs, or takes memory beyond its size."""

from __future__ import annotations

import itertools
import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import lexigrad
from lexigrad import FormatError, LexigradError, TextClassifier
from lexigrad.kernels.score import score_with
from tests.conftest import FOLDER as DATA

FOLDER = Path(__file__).parent / "fasttext"
MODELS = [
    "hierarchical.bin",
    "pruned.ftz",
    "output.ftz",
    "negative.bin",
    "skipgram.bin",
    "cbow.bin",
    "softmax.ftz",
    "ours-softmax.ftz",
    "ours-cut.ftz",
]
INTERESTING = [0, 1, -1, 2, 16, 255, 256, 2**15, 2**16, 2**31 - 1, -(2**31), 2**20, 100_000_000]
TEXTS = ["what is the exchange rate", "naïve 東京 __label__x </s> more", ""]
SECONDS = 1.0
TIMES_SIZE = 4
SLACK = 1 << 17
"""Bytes beside what grows with the file: objects of Python, and the first look-ups of compiled functions."""


def flip(content: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        content[place] ^= 1 << rng.integers(8)


def set_bytes(content: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        content[place] = rng.integers(256)


def set_field(content: bytearray, rng: np.random.Generator) -> None:
    """One of the numbers of the head or of the dictionary's sizes."""
    place = int(rng.choice([*range(0, 56, 4), 64, 68, 72]))
    struct.pack_into("<i", content, place, int(rng.choice(INTERESTING)))


def set_number(content: bytearray, rng: np.random.Generator) -> None:
    """A number anywhere, of four or eight bytes."""
    form, size = ("<i", 4) if rng.integers(2) else ("<q", 8)
    place = int(rng.integers(0, len(content) - size))
    struct.pack_into(form, content, place, int(rng.choice(INTERESTING)))


def nudge(content: bytearray, rng: np.random.Generator) -> None:
    """A field of the head, off by a little."""
    place = int(rng.choice([*range(0, 56, 4), 64, 68, 72]))
    (value,) = struct.unpack_from("<i", content, place)
    struct.pack_into("<i", content, place, int(np.clip(value + rng.integers(-3, 4), -(2**31), 2**31 - 1)))


def cut(content: bytearray, rng: np.random.Generator) -> None:
    del content[int(rng.integers(0, len(content))) :]


def remove(content: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(0, len(content)))
    del content[start : start + int(rng.integers(1, 40))]


def insert(content: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(0, len(content)))
    content[start:start] = rng.bytes(int(rng.integers(1, 40)))


def move(content: bytearray, rng: np.random.Generator) -> None:
    a, b = (int(place) for place in rng.integers(0, len(content), 2))
    size = int(rng.integers(1, 200))
    part = content[a : a + size]
    content[b : b + len(part)] = part


def clear(content: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(0, len(content)))
    size = min(int(rng.integers(1, 500)), len(content) - start)
    content[start : start + size] = bytes([int(rng.choice([0, 255]))]) * size


MUTATIONS: list[Callable[[bytearray, np.random.Generator], None]] = [
    flip, set_bytes, set_field, set_number, nudge, cut, remove, insert, move, clear,
]  # fmt: skip


def mutated(content: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    changed = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if len(changed) > 100:
            MUTATIONS[int(rng.integers(len(MUTATIONS)))](changed, rng)
    return bytes(changed)


def used(path: Path) -> bool:
    """Open a file and use the model; tell whether it could be opened."""
    try:
        model = lexigrad.load(path)
    except FormatError:
        return False
    with suppress(LexigradError, KeyError):
        if isinstance(model, TextClassifier):
            model.set_params(threads=1)
            assert model.predict_proba(TEXTS).shape == (len(TEXTS), len(model.classes_))
            model.top_k(TEXTS, k=2)
        else:
            assert model["rate"].shape == (model.get_params()["dim"],)
    return True


def peak_of(path: Path) -> int:
    """Open a file; return the most bytes that were allocated meanwhile."""
    tracemalloc.start()
    with suppress(FormatError):
        lexigrad.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def try_mutations(path: Path, seeds: range, folder: Path) -> tuple[int, int]:
    """Try some mutations of a file; return how many could be opened and how many were refused."""
    content = path.read_bytes()
    for name in MODELS:  # so that all is compiled: a mutation may turn one kind of model into another
        used(FOLDER / name)
    for pruned, characters, coded, tree in itertools.product((False, True), repeat=4):
        score_with(pruned, characters, coded, tree)
    opened = 0
    with np.errstate(all="ignore"):
        for seed in seeds:
            changed = mutated(content, seed)
            target = folder / f"{seed % 8}{path.suffix}"
            target.unlink(missing_ok=True)
            target.write_bytes(changed)
            started = time.thread_time()
            limit = TIMES_SIZE * len(content) + SLACK
            peak = peak_of(target)
            if peak > limit:
                peak = peak_of(
                    target
                )  # what else Python may do in between does not come again, what the file asks for does
            assert peak <= limit, f"{path.name}, seed {seed}: {peak:,} bytes"
            opened += used(target)
            assert time.thread_time() - started < SECONDS, f"{path.name}, seed {seed}: too slow"
    return opened, len(seeds) - opened


@pytest.mark.parametrize("name", MODELS)
def test_damaged_files_are_refused_or_answer(name: str, tmp_path: Path) -> None:
    opened, refused = try_mutations(FOLDER / name, range(290), tmp_path)
    assert opened > 20
    assert refused > 100


@pytest.mark.long
@pytest.mark.parametrize("name", [*MODELS, "lid.176.ftz"])
def test_many_damaged_files_are_refused_or_answer(name: str, tmp_path: Path) -> None:
    path = DATA / "models" / name if name == "lid.176.ftz" else FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is not there: set LEXIGRAD_DATA to the folder with the benchmark data")
    opened, refused = try_mutations(path, range(1000, 1000 + (2_000 if name == "lid.176.ftz" else 14_000)), tmp_path)
    print(f"{name}: {opened:,} opened, {refused:,} refused")
    assert min(opened, refused) > 100
