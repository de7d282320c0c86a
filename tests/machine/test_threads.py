"""Running a function on threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from lexigrad.machine.threads import map_threads


def test_results_come_in_order_and_few_items_are_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(20):
            taken += 1
            yield i

    for threads, ahead, most in ((1, None, 1), (2, None, 4), (2, 3, 3), (4, 5, 5)):
        taken = 0
        for i, result in enumerate(map_threads(lambda item: item * item, items(), threads, ahead)):
            assert result == i * i
            assert taken - i <= most
        assert taken == 20


@pytest.mark.parametrize("how", ["error", "closed"])
def test_threads_are_told_to_stop(how: str) -> None:
    stop, ended = threading.Event(), []

    def work(item: int) -> int:
        if item == 0:
            if how == "error":
                raise ValueError("wrong")
            return 0
        while not stop.is_set():
            time.sleep(0.001)
        ended.append(item)
        return item

    results = map_threads(work, range(10), 2, 3, stop)
    if how == "error":
        with pytest.raises(ValueError, match="wrong"):
            next(results)
    else:
        assert next(results) == 0
        results.close()
    assert stop.is_set()
    assert set(ended) <= {1, 2, 3}
