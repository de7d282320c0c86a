"""Two threads beside one, in one process with lexigrad: scoring, arithmetic alone, and reading memory at random; `scaling_worker.py JSON`.

Every round times each job on one thread and, at once after it, on two that do as much each; prints work per second.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from numba import njit

import lexigrad

STEPS = 1 << 24
MULTIPLIER, ADDED = 6364136223846793005, 1442695040888963407
"""Of the linear congruence that draws places: D. E. Knuth, MMIX."""


@njit(nogil=True, cache=True)
def arithmetic(seed, steps):
    """Four chains of multiplications in registers."""
    a, b, c, d = np.uint64(seed), np.uint64(seed + 1), np.uint64(seed + 2), np.uint64(seed + 3)
    m, k = np.uint64(MULTIPLIER), np.uint64(ADDED)
    for _ in range(steps):
        a, b, c, d = a * m + k, b * m + k, c * m + k, d * m + k
    return a ^ b ^ c ^ d


@njit(nogil=True, cache=True)
def gather(table, seed, steps):
    """Sum numbers at random places of a table; the places do not depend on what is read."""
    x, n = np.uint64(seed), np.uint64(table.size)
    m, k, half = np.uint64(MULTIPLIER), np.uint64(ADDED), np.uint64(32)
    total = np.float32(0)
    for _ in range(steps):
        x = x * m + k
        total += table[np.int64(((x >> half) * n) >> half)]
    return total


def main():
    """Print the rates of every job."""
    job = json.loads(sys.argv[1])
    with open(job["texts"], encoding="utf-8", newline="\n") as file:
        column = pa.array([line.removesuffix("\n") for _, line in zip(range(job["n"]), file, strict=False)])
    n_bytes = column.nbytes
    clf = lexigrad.load(job["model"])
    small, large = (np.ones(int(size * 1e6) // 4, np.float32) for size in job["tables_mb"])

    def score(threads):
        clf.set_params(threads=threads)
        clf.top_k(column, k=1)
        return n_bytes / 1e6

    def of_kernel(call, steps):
        def work(threads):
            list(pool.map(lambda seed: call(seed, steps), range(1, threads + 1)))
            return threads * steps / 1e6

        return work

    with ThreadPoolExecutor(2) as pool:
        jobs = {
            "score": score,
            "arithmetic": of_kernel(arithmetic, 8 * STEPS),
            "small": of_kernel(lambda seed, steps: gather(small, seed, steps), STEPS),
            "large": of_kernel(lambda seed, steps: gather(large, seed, steps), STEPS),
        }
        rates = {name: {1: [], 2: []} for name in jobs}
        for work in jobs.values():
            for threads in (1, 2):
                work(threads)
        for _ in range(job["rounds"]):
            for name, work in jobs.items():
                for threads in (1, 2):
                    started = time.perf_counter()
                    done = 0.0
                    while time.perf_counter() - started < job["least"]:
                        done += work(threads)
                    rates[name][threads].append(done / (time.perf_counter() - started))
    print(json.dumps({"rates": rates, "bytes": n_bytes, "n": len(column)}))


if __name__ == "__main__":
    main()
