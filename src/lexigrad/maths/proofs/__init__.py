"""Proofs that run: each claim is shown with SymPy, in 200-bit arithmetic, and on the functions that we ship.

>>> from lexigrad.maths import proofs
>>> verdict, = proofs.prove(["sigmoid_derivative"])
>>> verdict.outcome, verdict.as_expected, [check.kind for check in verdict.checks]
('proven', True, ['symbolic', 'numeric', 'shipped'])
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path

from lexigrad.errors import DataError, LexigradError, ParameterError
from lexigrad.maths.proofs.claim import CheckResult as CheckResult
from lexigrad.maths.proofs.claim import Claim as Claim
from lexigrad.maths.proofs.claim import Comparison as Comparison
from lexigrad.maths.proofs.claim import Verdict as Verdict
from lexigrad.maths.proofs.claims import NAMES as NAMES
from lexigrad.maths.proofs.claims import load
from lexigrad.maths.proofs.page import markdown as markdown

__all__ = ["NAMES", "CheckResult", "Claim", "Comparison", "Verdict", "load_file", "markdown", "prove"]


def prove(
    claims: Iterable[str | Claim] | None = None, *, on_claim: Callable[[Claim], None] | None = None
) -> list[Verdict]:
    """Check claims, in the order given.

    Parameters
    ----------
    claims : names of our claims, and claims of your own; all of ours if None
    on_claim : called with each claim before it is checked

    Returns
    -------
    one verdict a claim

    Raises
    ------
    LexigradError : SymPy or mpmath is not installed; a check compares nothing
    ParameterError : there is no claim of that name

    Examples
    --------
    >>> [verdict.outcome for verdict in prove(["softmax_shift_invariance", "diagonal_jacobian"])]
    ['proven', 'refuted']
    """
    wanted = list(NAMES if claims is None else claims)
    for name in wanted:
        if isinstance(name, str) and name not in NAMES:
            raise ParameterError(f"there is no claim {name!r}; there are: {', '.join(NAMES)}")
    require_sympy()
    from lexigrad.maths.proofs.judge import judge

    verdicts = []
    for one in wanted:
        claim = load(one) if isinstance(one, str) else one
        if on_claim is not None:
            on_claim(claim)
        verdicts.append(judge(claim))
    return verdicts


def load_file(path: str | Path) -> list[Claim]:
    """Run a Python file and return the claims that it defines, in order.

    Raises
    ------
    DataError : there is no such Python file, or it defines no claim
    """
    path = Path(path)
    require_sympy()
    if path.suffix != ".py" or not path.is_file():
        raise DataError(f"{path} is not a Python file; --file takes a .py file that defines a Claim")
    spec = importlib.util.spec_from_file_location(f"lexigrad_claims_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    claims = list({id(value): value for value in vars(module).values() if isinstance(value, Claim)}.values())
    if not claims:
        raise DataError(
            f"{path} defines no claim; it needs a line such as CLAIM = Claim(name=..., statement=..., symbolic=...)"
        )
    return claims


def require_sympy() -> None:
    """Raise a clear error if what proofs need is not installed."""
    try:
        import mpmath  # noqa: F401
        import sympy  # noqa: F401
    except ImportError as error:
        raise LexigradError("proofs need SymPy and mpmath: pip install 'lexigrad[prove]'") from error
