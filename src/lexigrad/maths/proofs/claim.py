"""What a claim is, and what comes out when it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lexigrad.errors import LexigradError

Outcome = Literal["proven", "refuted", "undecided"]


class Comparison(NamedTuple):
    """One instance of a claim: what it says, and what is true.

    Attributes
    ----------
    at : where, such as {"x": [1, 2]}, {"n": 3} or "any n"
    claimed : what the claim says; a number, an expression, or a list, array or matrix of them
    true : the same found in another way, of the same size
    bound : how far apart the two may be; by default 2^-180 in 200-bit arithmetic and 1e-9 for the shipped functions, each times
        max(1, |true|). Not used in symbolic checks, where the difference must be 0.
    """

    at: str | dict[str, Any]
    claimed: Any
    true: Any
    bound: float | None = None


Check = Callable[[], Iterable[Comparison | tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Claim:
    r"""A statement and up to three independent checks of it, at least one.

    A check is a function without parameters that yields comparisons (or plain tuples in the same order). The first line of its
    docstring goes to the page of proofs.

    Attributes
    ----------
    name : lower case, with underscores; a claim of ours has the name of its file
    title, statement : plain text
    latex : the formula
    source : where the claim comes from
    expected : the verdict that we expect; "refuted" for an error that is worth showing
    symbolic : compares SymPy expressions
    numeric : compares mpmath numbers; runs in 200-bit arithmetic
    shipped : compares floating-point results of the functions that this package ships

    Examples
    --------
    >>> def symbolic():
    ...     x = sympy.Symbol("x", real=True)
    ...     yield "any x", 1 - sympy.tanh(x) ** 2, sympy.diff(sympy.tanh(x), x)
    >>> import sympy
    >>> from lexigrad.maths.proofs import Claim, prove
    >>> claim = Claim(
    ...     name="tanh_derivative", statement="The derivative of tanh is 1 - tanh^2.", latex=r"\tanh' = 1 - \tanh^2", symbolic=symbolic
    ... )
    >>> prove([claim])[0].outcome
    'proven'
    """

    name: str
    statement: str
    latex: str = ""
    title: str = ""
    source: str = ""
    expected: Literal["proven", "refuted"] = "proven"
    symbolic: Check | None = None
    numeric: Check | None = None
    shipped: Check | None = None

    def __post_init__(self) -> None:
        if not self.checks:
            raise LexigradError(f"claim {self.name!r} has no check: give it symbolic=, numeric= or shipped=")
        if self.expected not in ("proven", "refuted"):
            raise LexigradError(f"claim {self.name!r}: expected is {self.expected!r}, not 'proven' or 'refuted'")

    @property
    def checks(self) -> dict[str, Check]:
        """Return the checks that the claim has, by kind."""
        checks = {"symbolic": self.symbolic, "numeric": self.numeric, "shipped": self.shipped}
        return {kind: check for kind, check in checks.items() if check is not None}


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check found.

    Attributes
    ----------
    kind : "symbolic", "numeric" or "shipped"
    what : first line of the check's docstring
    scope : what was compared, such as "any n; n = 2..5" or "12 points"
    outcome : "undecided" only where SymPy neither shows that a difference is 0 nor that it is not
    worst_error : largest |claimed - true| / max(1, |true|); None for symbolic checks
    counterexample : the first comparison that failed
    """

    kind: str
    what: str
    scope: str
    outcome: Outcome
    worst_error: float | None = None
    counterexample: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all checks of a claim found together."""

    claim: Claim
    checks: tuple[CheckResult, ...]
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """Return "refuted" if a check failed, else "undecided" if one could not decide, else "proven"."""
        outcomes = {check.outcome for check in self.checks}
        return "refuted" if "refuted" in outcomes else "undecided" if "undecided" in outcomes else "proven"

    @property
    def as_expected(self) -> bool:
        """Return whether the claim turned out as it says it would."""
        return self.outcome == self.claim.expected

    @property
    def counterexamples(self) -> dict[str, str]:
        """Return the first counterexample of each check that failed, by kind."""
        return {check.kind: check.counterexample for check in self.checks if check.counterexample is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return what `lexigrad prove --json` prints."""
        return {
            "name": self.claim.name,
            "outcome": self.outcome,
            "expected": self.claim.expected,
            "as_expected": self.as_expected,
            "seconds": self.seconds,
            "checks": [
                {
                    "kind": check.kind,
                    "scope": check.scope,
                    "outcome": check.outcome,
                    "worst_error": str(check.worst_error) if check.worst_error == float("inf") else check.worst_error,
                    "counterexample": check.counterexample,
                }
                for check in self.checks
            ],
        }
