"""How many threads the process may use, and running a function on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TypeVar

from lexigrad.errors import ParameterError

T = TypeVar("T")
R = TypeVar("R")


def available_threads() -> int:
    """Return how many processors this process may use: its affinity, cut to its control group's quota where there is one."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, _quota(Path("/sys/fs/cgroup")) or affinity))


def _quota(root: Path) -> int | None:
    """Return the processors that the control group grants, rounded up, or None where nothing limits them."""
    try:
        limit, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        return max(1, -(-int(limit) // int(period))) if int(limit) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def thread_count(threads: int | None) -> int:
    """Return the number of threads for the parameter `threads`; None means all that the process may use."""
    if threads is None:
        return available_threads()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParameterError(f"threads={threads!r}: expected None or a whole number from 1 up")
    return threads


def map_threads(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    ahead: int | None = None,
    stop: Event | None = None,
) -> Generator[R, None, None]:
    """Yield ``function(item)`` in the order of `items`, computed by `threads` threads.

    Parameters
    ----------
    function, items : what is computed, and on what; items are taken in the caller's thread
    threads : with 1, the caller's thread computes
    ahead : how many items are under way or wait for the caller at most; by default two for each thread
    stop : set before the threads are waited for, also after an error; `function` may look at it to end early
    """
    if threads == 1:
        yield from map(function, items)
        return
    most = 2 * threads if ahead is None else ahead
    waiting: list[Future[R]] = []
    pool = ThreadPoolExecutor(threads, thread_name_prefix="lexigrad")
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= most:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        if stop is not None:
            stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
