"""The timed part of `benchmarks.mathematics`: one task a process, systems in turns, answers as JSON."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special
import torch
from numba import types
from numba.extending import intrinsic

import lexigrad
from lexigrad.machine.compiler import kernel
from lexigrad.machine.threads import map_threads
from lexigrad.maths.row_loops import RowLoop

ELEMENTS = 10**7
ROWS = (10, 1_000, 30_000, 1_000_000)
ROUNDS = 7
Times = dict[str, list[float]]


SPIN_SECONDS = 0.3
"""PyTorch's threads keep their processors busy for about 0.2 s after each call: the next system waits until they rest."""


def in_turns(systems: dict[str, Callable[[], Any]], unit: float, rounds: int = ROUNDS, repeat: int = 1) -> Times:
    """Time each system once a round; return the times in units."""
    times: Times = {name: [] for name in systems}
    for i in range(rounds + 1):
        for name, call in systems.items():
            if torch.get_num_threads() > 1:
                time.sleep(SPIN_SECONDS)
            started = time.perf_counter()
            for _ in range(repeat):
                call()
            if i:
                times[name].append((time.perf_counter() - started) / unit / repeat)
    return times


def batch(n: int) -> np.ndarray:
    """Return normal scores in rows of n."""
    rows = ELEMENTS // n
    return np.random.default_rng(n).standard_normal((rows, n), dtype=np.float32)


def softmax(threads: int) -> dict[str, Times]:
    """Into a reused result and into a fresh one."""
    answer = {}
    for n in ROWS:
        x = batch(n)
        out, tensor = np.empty_like(x), torch.from_numpy(x)
        tensor_out = torch.empty_like(tensor)
        answer[f"{n:,}"] = in_turns(
            {
                "lexigrad, out=": lambda: lexigrad.softmax(x, out=out, threads=threads),
                "SciPy": lambda: scipy.special.softmax(x, axis=-1),
                "PyTorch, out=": lambda: torch.softmax(tensor, -1, out=tensor_out),
            },
            x.size * 1e-9,
        )
        answer[f"{n:,}, fresh result"] = in_turns(
            {
                "lexigrad, out=": lambda: lexigrad.softmax(x, threads=threads),
                "SciPy": lambda: scipy.special.softmax(x, axis=-1),
                "PyTorch, out=": lambda: torch.softmax(tensor, -1),
            },
            x.size * 1e-9,
        )
    return answer


def softmax_threads(threads: int) -> dict[str, Times]:
    """Into a reused result, on several threads."""
    answer = {}
    for n in ROWS:
        x = batch(n)
        out, tensor = np.empty_like(x), torch.from_numpy(x)
        tensor_out = torch.empty_like(tensor)
        answer[f"{n:,}"] = in_turns(
            {
                "lexigrad, out=": lambda: lexigrad.softmax(x, out=out, threads=threads),
                "PyTorch, out=": lambda: torch.softmax(tensor, -1, out=tensor_out),
            },
            x.size * 1e-9,
        )
    return answer


def logsumexp(threads: int) -> dict[str, Times]:
    """One small vector a call, and rows."""
    x = np.random.default_rng(0).standard_normal(10)
    answer = {
        "one vector of 10 a call": in_turns(
            {"lexigrad": lambda: lexigrad.logsumexp(x), "SciPy": lambda: scipy.special.logsumexp(x)}, 1e-6, repeat=2_000
        )
    }
    for n in ROWS:
        rows = batch(n)
        answer[f"rows of {n:,}"] = in_turns(
            {
                "lexigrad": lambda: lexigrad.logsumexp(rows, threads=threads),
                "SciPy": lambda: scipy.special.logsumexp(rows, axis=-1),
            },
            rows.size * 1e-9,
            rounds=5,
        )
    return answer


def cross_entropy(threads: int) -> dict[str, Times]:
    """Loss and gradient with respect to the scores."""
    answer = {}
    for n in ROWS:
        x = batch(n)
        labels = np.random.default_rng(1).integers(0, n, len(x))
        out, tensor, targets = np.empty_like(x), torch.from_numpy(x).requires_grad_(), torch.from_numpy(labels)

        def peer() -> None:
            tensor.grad = None
            torch.nn.functional.cross_entropy(tensor, targets).backward()

        answer[f"{n:,}"] = in_turns(
            {
                "lexigrad, out=": lambda: lexigrad.softmax_cross_entropy(x, labels, out=out, threads=threads),
                "lexigrad, fresh result": lambda: lexigrad.softmax_cross_entropy(x, labels, threads=threads),
                "PyTorch, forward and backward": peer,
            },
            x.size * 1e-9,
        )
    return answer


@intrinsic
def _copy(typingctx: Any, x: Any, out: Any, first: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first = args[2]
        loop = RowLoop(context, builder, (signature.args[0], args[0], first), (signature.args[1], args[1], first))
        source, target = loop.stretches
        loop.over(args[3], lambda i, mask: target.store(source.load(i, mask, 0.0), i, mask, streaming=True))
        return context.get_dummy_value()

    return types.void(x, out, types.intp, types.intp), codegen


@kernel()
def copy(x, out, first, stop):  # type: ignore[no-untyped-def]
    """Copy, past the caches, with the vectors and stores that softmax uses."""
    _copy(x, out, first, stop - first)


def aligned(n: int) -> np.ndarray:
    """Return zeros that start at a cache line, as streaming stores need."""
    buffer = np.zeros(n + 16, np.float32)
    start = (-buffer.ctypes.data % 64) // 4
    return buffer[start : start + n]


def long_row(threads: int) -> dict[str, Times]:
    """Gigabytes a second of a copy and of softmax."""
    n = 3 * 10**8
    x, out = aligned(n), aligned(n)
    np.random.default_rng(0).standard_normal(out=x, dtype=np.float32)
    bounds = [n // 64 // threads * 64 * i for i in range(threads)] + [n]
    flat = x.view()
    flat.flags.writeable = False

    def copy_all() -> None:
        list(map_threads(lambda i: copy(flat, out, bounds[i], bounds[i + 1]), range(threads), threads))

    times = in_turns({"softmax": lambda: lexigrad.softmax(x, out=out, threads=threads), "copy": copy_all}, 1.0, 5)
    softmax_speed = [12 * n / seconds / 1e9 for seconds in times["softmax"]]
    copy_speed = [8 * n / seconds / 1e9 for seconds in times["copy"]]
    return {"GB/s": {"copy": copy_speed, "softmax (and its share of the copy)": softmax_speed}}


def peak_mb() -> float:
    """Return the most memory since `reset_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def linear(threads: int) -> dict[str, Times]:
    """Seconds and memory, beside the dense way."""
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((4_096, 256), dtype=np.float32)
    weights = rng.standard_normal((100_000, 256), dtype=np.float32) / 10
    labels = rng.integers(0, len(weights), len(hidden))

    def dense() -> tuple[Any, ...]:
        scores = hidden @ weights.T
        probs = lexigrad.softmax(scores, out=scores, threads=threads)
        everyone = np.arange(len(hidden))
        loss = -np.log(probs[everyone, labels]).mean()
        probs[everyone, labels] -= 1
        probs /= len(hidden)
        return loss, probs @ weights, probs.T @ hidden

    def blocked() -> tuple[Any, ...]:
        return lexigrad.linear_cross_entropy(hidden, weights, labels, threads=threads)

    lexigrad.linear_cross_entropy(hidden[:512], weights[:2_000], labels[:512] % 2_000)
    memory = {}
    for name, call in (("linear_cross_entropy", blocked), ("NumPy products and our softmax", dense)):
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mb()
        results = call()
        memory[name] = [peak_mb() - before - sum(array.nbytes for array in results[1:]) / 1e6]
        del results
    seconds = in_turns({"linear_cross_entropy": blocked, "NumPy products and our softmax": dense}, 1.0, 3)
    return {"seconds": seconds, "MB": memory}


if __name__ == "__main__":
    task, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    json.dump(globals()[task](threads), sys.stdout)
