"""Notation can often be read in several ways. Readings are tried in the order of what they cost."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from lexigrad.derivations.reading.raw import Unlinked, Unreadable

Result = TypeVar("Result")
Option = TypeVar("Option")

MOST_TRIALS = 600
"""Readings of a step that are tried."""


class IllTyped(Exception):  # noqa: N818 - says that a reading does not fit, which is no error
    """A reading under which shapes do not fit."""


class SizesDiffer(IllTyped):
    """A reading under which something of one size stands where another size is expected."""


class Choices:
    """The decisions of one reading: the first ones are given, the others take their first option."""

    def __init__(self, given: tuple[int, ...]) -> None:
        self.given = given
        self.taken: list[int] = []
        self.open: list[tuple[tuple[int, ...], float]] = []
        """The decisions of other readings, up to where they part from this one, and how much more those cost."""
        self.notes: list[str] = []
        self.paid = 0.0

    def pay(self, cost: float) -> None:
        """Let the reading cost more."""
        self.paid += cost

    def choose(self, options: Sequence[tuple[Option, float]]) -> Option:
        """Return one of several options, each with what it costs; the first must be the cheapest."""
        place = len(self.taken)
        if place < len(self.given):
            chosen = self.given[place]
        else:
            chosen = 0
            prefix = tuple(self.taken)
            self.open += [((*prefix, k), cost - options[0][1]) for k, (_, cost) in enumerate(options) if k]
        self.taken.append(chosen)
        return options[chosen][0]


def readings(
    attempt: Callable[[Choices], Result], unread: list[str] | None = None
) -> Iterator[tuple[float, Result, list[str]]]:
    """Yield what `attempt` makes of each reading that fits, cheapest first, with its cost and notes.

    Why the most usual reading has no meaning is added to `unread`.
    """
    count = itertools.count()
    queue: list[tuple[float, int, tuple[int, ...], tuple[Result, list[str]] | None]] = [(0.0, next(count), (), None)]
    problem: Exception | None = None
    found = False
    for _ in range(MOST_TRIALS):
        if not queue:
            break
        cost, _, given, done = heapq.heappop(queue)
        if done is not None:
            found = True
            yield cost, *done
            continue
        choices = Choices(given)
        try:
            result = attempt(choices)
        except IllTyped as error:
            problem = problem or error
        except Unreadable as error:
            if not isinstance(problem, Unreadable):
                problem = error
            if isinstance(error, Unlinked) and not given:
                raise
            if unread is not None and not given:
                unread.append(str(error))
        else:
            heapq.heappush(queue, (cost + choices.paid, next(count), (), (result, choices.notes)))
        for prefix, more in choices.open:
            heapq.heappush(queue, (cost + more, next(count), prefix, None))
    if not found:
        raise problem if problem is not None else Unreadable("no reading fits")
