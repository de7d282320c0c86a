"""How many axes a name may have that no formula defines: what its letter, its use, its type and the prose suggest."""

from __future__ import annotations

from lexigrad.derivations.judging.facts import Facts
from lexigrad.derivations.judging.names import SCALAR_CAPITALS
from lexigrad.derivations.reading.raw import Unreadable

MOST_AXES = 5
"""Indices that a name may have."""


def options(facts: Facts, name: str, indices: int) -> list[tuple[int, float]]:
    """Return the ranks of a name that stands with so many indices, each with what it costs, the cheapest first."""
    used = max(facts.usage.ranks_here.get((facts.section, name), {0}), default=0)
    least = max(indices, used)
    if least > MOST_AXES:
        raise Unreadable(f"{name} has {least} indices")
    costs = _of_letter(facts, name, least)
    _of_use(facts, name, indices, least, costs)
    costs = _of_assumptions(facts, name, least, costs)
    costs = _of_memory(facts, name, costs)
    for rank in range(indices):
        costs.pop(rank, None)
    return sorted(costs.items(), key=lambda option: option[1])


def _of_letter(facts: Facts, name: str, least: int) -> dict[int, float]:
    """Return what custom says: small letters are numbers or vectors, capitals matrices or numbers."""
    costs = dict.fromkeys(range(4), 4.0)
    if least > 2:
        costs[least + 1] = 4.0
    letter = (
        name.split("_", maxsplit=1)[0].split("^", maxsplit=1)[0].split("'", maxsplit=1)[0].rsplit(" ", maxsplit=1)[-1]
    )
    if letter[:1].isupper() and len(letter) == 1:
        order = [0, 2, 1] if letter in SCALAR_CAPITALS and name not in facts.usage.turned else [2, 0, 1]
        costs.update(zip(order, (0.0, 0.9, 1.4), strict=True))
    else:
        costs.update({0: 0.0, 1: 0.6, 2: 2.2})
    return costs


def _of_use(facts: Facts, name: str, indices: int, least: int, costs: dict[int, float]) -> None:
    """Let what stands with indices, under a transpose or in a softmax be an array."""
    usage = facts.usage
    if least:
        costs.update({rank: 9.0 for rank in range(least)})
        costs[least] = 0.0
        costs[least + 1] = min(costs[least + 1], 0.7)
    elif usage.ranks.get(name):
        costs[0] += 0.3
    if name in usage.turned and not indices:
        costs[0] += 3.0
    if (facts.section, name) in usage.vectors_here:
        costs[0] += 3.0
        costs[1] = min(costs[1], 0.0 if least <= 1 else 1.0)


def _of_assumptions(facts: Facts, name: str, least: int, costs: dict[int, float]) -> dict[int, float]:
    """Let a name in bold, and one of which prose says what it is, be that."""
    vectors = facts.symbols.vectors
    bold = vectors.get(name, vectors.get(name.split("_", maxsplit=1)[0]))
    if bold is not None:
        costs = _preferred(costs, max(bold, least), 3.0)
    traits = facts.traits_of(name)
    said = traits.rank
    member = facts.traits_of(name + "[]").rank
    if said is None and member is not None:
        said = member + 1
    if said is not None:
        costs = _preferred(costs, said, 3.0)
    if traits.one_hot or traits.sums_to_one or traits.unit_norm:
        costs[0] += 3.0
        costs[1] = min(costs[1], 0.1)
    return costs


def _of_memory(facts: Facts, name: str, costs: dict[int, float]) -> dict[int, float]:
    """Let a name have the rank that it has had before in this section, or elsewhere."""
    known = facts.memory.get(name)
    if known is not None:
        costs = {rank: cost + 1.5 * (rank != known) for rank, cost in costs.items()}
        costs[known] = min(costs[known], 0.0)
    elif name in facts.habits:
        costs = {rank: cost + 0.2 * (rank != facts.habits[name]) for rank, cost in costs.items()}
    return costs


def _preferred(costs: dict[int, float], rank: int, more: float) -> dict[int, float]:
    """Return the costs with a rank for nothing, and more for the others."""
    return {other: cost + more for other, cost in costs.items()} | {rank: 0.0}
