"""What training word vectors costs: by threads, beside what the machine's arithmetic and memory give, and by vocabulary, length of vectors and corpus.

Words are drawn by Zipf's law (count ~ 1/rank) in sentences of 20, without sub-sampling, so that every word is a centre.

python -m benchmarks.vector_costs
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from benchmarks.measure import header, spread, table
from benchmarks.peers import PEERS
from lexigrad import WordVectors
from lexigrad.models.vector_training import Words, train
from lexigrad.text.sentences import TokenStore

TOKENS = 4_000_000
SENTENCE = 20


@njit(nogil=True, fastmath=True)
def arithmetic(n: int) -> float:
    """Return after `n` rounds of multiply-adds on 64 numbers, which stay in registers."""
    x = np.full(64, 0.5, np.float32)
    for _ in range(n):
        for i in range(64):
            x[i] = x[i] * np.float32(0.999) + np.float32(0.001)
    return x[0]


def seconds_of(work: Any, threads: int) -> float:
    """Return how long `threads` threads take, each doing the same work."""
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(work, range(threads)))
        return time.perf_counter() - started


def corpus(n_words: int, n_tokens: int) -> tuple[TokenStore, Words]:
    """Return sentences of numbers drawn by Zipf's law."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, n_words + 1)
    ids = np.searchsorted(np.cumsum(chances / chances.sum()), rng.random(n_tokens)).astype(np.int32)
    np.minimum(ids, n_words - 1, out=ids)
    store = TokenStore()
    store.add(ids, np.full(n_tokens // SENTENCE, SENTENCE, np.int32))
    return store, Words(list(range(n_words)), np.maximum(1, np.bincount(ids, minlength=n_words)))


def rate(n_words: int, n_tokens: int, **params: Any) -> float:
    """Return the training words a second of one epoch."""
    found: list[float] = []
    settings = {**WordVectors(min_count=1, subsample=0.0, epochs=1, **params).get_params()}
    train(
        settings, *corpus(n_words, n_tokens), None, time.perf_counter(), None,
        lambda fitted, _: found.append(fitted.facts["train_seconds"]),
    )  # fmt: skip
    return n_tokens / found[0]


def scaling(repeats: int) -> str:
    """Return the table of threads."""
    most = os.cpu_count() or 1
    counts = sorted({1, 2, 4, 8, 16, 32, most} & set(range(1, most + 1)))
    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    ways: dict[str, Any] = {
        "multiply-adds in registers": lambda threads: threads / seconds_of(lambda _: arithmetic(20_000_000), threads),
        "copying 256 MB": lambda threads: 1 / seconds_of(
            lambda i: np.copyto(*(array[i * len(array) // threads : (i + 1) * len(array) // threads] for array in (target, source))), threads
        ),
        "skip-gram": lambda threads: rate(50_000, TOKENS, threads=threads),
        "CBOW": lambda threads: rate(50_000, TOKENS, threads=threads, model="cbow"),
        "skip-gram, hierarchical softmax": lambda threads: rate(50_000, TOKENS, threads=threads, loss="hierarchical_softmax"),
    }  # fmt: skip
    rows = []
    for way in ways.values():
        way(1)
    found = {(name, threads): [] for name in ways for threads in counts}  # type: dict[tuple[str, int], list[float]]
    for _ in range(repeats):
        for (name, threads), rates in found.items():
            rates.append(ways[name](threads))
    for name in ways:
        alone = statistics.median(found[name, 1])
        ratios = [[rate / one for rate, one in zip(found[name, n], found[name, 1], strict=True)] for n in counts]
        shown = f"{alone / 1e6:.2f} M words/s" if alone > 1000 else "—"
        rows.append([name, shown, *(spread(ratio, ".2f") for ratio in ratios)])
    return table(["work", "1 thread", *(f"{n} threads against 1" for n in counts)], rows)


def costs(repeats: int) -> str:
    """Return the table of sizes."""
    plan = [
        *((n, 100, TOKENS) for n in (10_000, 100_000, 1_000_000)),
        *((50_000, dim, TOKENS) for dim in (50, 100, 200, 300)),
        *((50_000, 100, n) for n in (TOKENS // 4, TOKENS, 4 * TOKENS)),
    ]
    rows = []
    for n_words, dim, n_tokens in plan:
        nanoseconds = [1e9 / rate(n_words, n_tokens, dim=dim) for _ in range(repeats)]
        rows.append([f"{n_words:,}", str(dim), f"{n_tokens:,}", spread(nanoseconds, ".0f")])
    return table(["words in the vocabulary", "dim", "words of text", "nanoseconds a word of text"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(header("benchmarks.vector_costs").replace("; " + ", ".join(PEERS.values()), ""))
    print(scaling(repeats))
    print(costs(repeats))


if __name__ == "__main__":
    main()
