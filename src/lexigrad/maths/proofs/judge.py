"""Runs the checks of a claim. Imports SymPy and mpmath, so it is imported only when something is proven."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad.errors import LexigradError
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Check, CheckResult, Claim, Comparison, Verdict

MOST_SHOWN = 12
"""Entries of an array that a counterexample shows."""


def judge(claim: Claim) -> Verdict:
    """Run all checks of a claim."""
    started = time.perf_counter()
    with mp.workprec(numeric.BITS):
        checks = tuple(_run(claim, kind, check) for kind, check in claim.checks.items())
    return Verdict(claim=claim, checks=checks, seconds=time.perf_counter() - started)


@dataclass
class _Tally:
    """What the comparisons of a check have shown so far."""

    worst_error: float | None = None
    counterexample: str | None = None
    undecided: bool = False
    places: list[str | dict[str, Any]] = field(default_factory=list)


def _run(claim: Claim, kind: str, check: Check) -> CheckResult:
    tally = _Tally()
    for row in check():
        comparison = Comparison(*row)
        claimed, true = _flatten(comparison.claimed), _flatten(comparison.true)
        if not claimed or len(claimed) != len(true):
            raise LexigradError(f"claim {claim.name!r}, {kind}: compares {len(claimed)} numbers with {len(true)}")
        tally.places.append(comparison.at)
        (_settle_exactly if kind == "symbolic" else _settle_within)(tally, kind, comparison, claimed, true)
    if not tally.places:
        raise LexigradError(f"claim {claim.name!r}: its {kind} check compared nothing")
    outcome = "refuted" if tally.counterexample else "undecided" if tally.undecided else "proven"
    return CheckResult(
        kind=kind,
        what=(check.__doc__ or "").strip().split("\n")[0],
        scope=_scope(tally.places) if kind == "symbolic" else f"{len(tally.places)} points",
        outcome=outcome,  # type: ignore[arg-type]
        worst_error=tally.worst_error,
        counterexample=tally.counterexample,
    )


def _settle_exactly(
    tally: _Tally, kind: str, comparison: Comparison, claimed: Sequence[Any], true: Sequence[Any]
) -> None:
    pairs = zip(claimed, true, strict=True)
    if tally.counterexample or all(symbolic.is_zero(one - other) for one, other in pairs):
        return
    point = symbolic.difference_shown_at(claimed, true)
    if point is None:
        tally.undecided = True
        return
    values = [[sp.N(sp.sympify(expr).subs(point)) for expr in side] for side in (claimed, true)]
    names = {str(symbol): value for symbol, value in point.items()}
    here = {**comparison.at, **names} if isinstance(comparison.at, dict) else names
    tally.counterexample = _counterexample(here, values[0], values[1])


def _settle_within(
    tally: _Tally, kind: str, comparison: Comparison, claimed: Sequence[Any], true: Sequence[Any]
) -> None:
    distance = max(_distance(one, other) for one, other in zip(claimed, true, strict=True))
    size = max(1.0, *(abs(float(value)) for value in true))
    bound = (
        comparison.bound
        if comparison.bound is not None
        else size * {"numeric": numeric.BOUND, "shipped": shipped.BOUND}[kind]
    )
    tally.worst_error = max(tally.worst_error or 0.0, float(distance) / size)
    if not distance <= bound and tally.counterexample is None:
        tally.counterexample = _counterexample(comparison.at, claimed, true)


def _distance(one: Any, other: Any) -> Any:
    if one == other:
        return mp.mpf(0)
    distance = abs(mp.mpf(one) - mp.mpf(other))
    return distance if mp.isfinite(distance) else mp.inf


def _flatten(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return [entry.item() if isinstance(entry, np.generic) else entry for entry in value.ravel()]
    if isinstance(value, list | tuple | sp.MatrixBase):
        return [entry for part in value for entry in _flatten(part)]
    return [value.item() if isinstance(value, np.generic) else value]


def _counterexample(at: str | dict[str, Any], claimed: Sequence[Any], true: Sequence[Any]) -> str:
    place = at if isinstance(at, str) else ", ".join(f"{name} = {_shown(value)}" for name, value in at.items())
    return f"at {place}: claimed {_shown(claimed)}, true {_shown(true)}"


def _shown(value: Any) -> str:
    """Return numbers with six digits, the same on every machine."""
    if isinstance(value, str | int):
        return str(value)
    entries = _flatten(value)
    numbers = [complex(entry) for entry in entries[:MOST_SHOWN]]
    texts = [f"{number if number.imag else number.real:.6g}" for number in numbers] + ["..."] * (
        len(entries) > MOST_SHOWN
    )
    return texts[0] if len(entries) == 1 else f"[{', '.join(texts)}]"


def _scope(places: Sequence[str | dict[str, Any]]) -> str:
    """Return for which dimensions a symbolic check holds: "any n; n = 2..5"."""
    phrases = list(dict.fromkeys(place for place in places if isinstance(place, str)))
    sizes: dict[str, list[int]] = {}
    for place in places:
        if isinstance(place, dict):
            for name, value in place.items():
                if isinstance(value, int) and value not in sizes.setdefault(name, []):
                    sizes[name].append(value)
    ranges = []
    for name, values in sizes.items():
        values.sort()
        whole = len(values) > 1 and values == list(range(values[0], values[-1] + 1))
        ranges.append(f"{name} = " + (f"{values[0]}..{values[-1]}" if whole else ", ".join(map(str, values))))
    return "; ".join([*phrases, *([", ".join(ranges)] if ranges else [])]) or f"{len(places)} cases"
