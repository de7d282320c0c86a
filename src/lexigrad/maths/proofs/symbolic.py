"""Symbols, and the test whether an expression is 0."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

DIMENSIONS = range(2, 6)
"""Sizes for which a statement about vectors is proven where SymPy has no general proof."""

TRIES = 8
"""Points at which a difference that is not shown to be 0 is evaluated."""

VISIBLE = 1e-6
"""A difference at least this large is one."""


def vector(name: str, n: int) -> list[Any]:
    """Return n real symbols.

    >>> vector("x", 3)
    [x1, x2, x3]
    """
    return [sp.Symbol(f"{name}{i + 1}", real=True) for i in range(n)]


def matrix(name: str, n_rows: int, n_columns: int) -> Any:
    """Return a matrix of real symbols."""
    return sp.Matrix(n_rows, n_columns, lambda i, j: sp.Symbol(f"{name}{i + 1}{j + 1}", real=True))


def targets(name: str, n: int) -> list[Any]:
    """Return n expressions that sum to 1 and are otherwise free.

    >>> targets("y", 3)
    [y1, y2, -y1 - y2 + 1]
    """
    free = vector(name, n - 1)
    return [*free, 1 - sum(free)]


def softmax(x: Sequence[Any]) -> list[Any]:
    """Return exp(x_i) / sum_j exp(x_j)."""
    total = sum(sp.exp(xi) for xi in x)
    return [sp.exp(xi) / total for xi in x]


def logsumexp(x: Sequence[Any]) -> Any:
    """Return log sum_j exp(x_j)."""
    return sp.log(sum(sp.exp(xi) for xi in x))


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + sp.exp(-x))


def dot(x: Sequence[Any], y: Sequence[Any]) -> Any:
    """Return sum_i x_i y_i."""
    return sum(xi * yi for xi, yi in zip(x, y, strict=True))


def gradient(value: Any, x: Sequence[Any]) -> list[Any]:
    """Return the derivative of an expression for every symbol of x."""
    return [sp.diff(value, xi) for xi in x]


def is_zero(expression: Any) -> bool:
    """Return whether SymPy shows that an expression is 0 everywhere; False may also mean that it does not find out.

    >>> x = sp.Symbol("x", real=True)
    >>> is_zero(sigmoid(x) + sigmoid(-x) - 1), is_zero(sigmoid(x) - sp.Rational(1, 2))
    (True, False)
    """
    expression = sp.sympify(expression)
    if expression == 0 or _rational_zero(expression) or _rational_zero(_split_powers(expression)):
        return True
    if expression.has(sp.Sum):
        return sp.factor_terms(sp.expand(expression, log=False)) == 0 or sp.simplify(expression) == 0
    return difference_shown_at([expression], [0]) is None and sp.simplify(expression) == 0


def _split_powers(expression: Any) -> Any:
    """Turn e^(a + b) into e^a e^b, and 2^n into e^(n log 2)."""
    return sp.expand_power_exp(expression).replace(
        lambda part: part.is_Pow and part.base.is_Number and not part.exp.is_number,
        lambda part: sp.exp(part.exp * sp.log(part.base)),
    )


def _rational_zero(expression: Any) -> bool:
    """Return whether an expression is 0 when powers, logarithms and sums are replaced by unknowns: then it is 0."""
    unknowns: dict[Any, Any] = {}
    replaced = {}
    for atom in expression.atoms(sp.exp, sp.log, sp.Sum, sp.Pow):
        base, exponent = atom.as_base_exp()
        if isinstance(atom, sp.log | sp.Sum):
            replaced[atom] = unknowns.setdefault(atom, sp.Dummy())
            continue
        if exponent.is_number:
            continue
        sign = -1 if exponent.could_extract_minus_sign() else 1
        times, rest = (sign * exponent).as_coeff_Mul()
        if not times.is_Integer:
            times, rest = sp.Integer(1), sign * exponent
        unknown = unknowns.setdefault(base**rest, sp.Dummy())
        replaced[atom] = unknown ** (sign * times)
    numerator, _ = sp.fraction(sp.together(expression.xreplace(replaced)))
    return sp.expand(numerator) == 0


def difference_shown_at(claimed: Sequence[Any], true: Sequence[Any]) -> dict[Any, Any] | None:
    """Return a point where two lists of expressions differ visibly, or None if none was found."""
    sides = [sp.sympify(expression) for expression in (*claimed, *true)]
    if any(side.has(sp.Sum, sp.Indexed, AppliedUndef) for side in sides):
        return None
    symbols = sorted(set().union(*(side.free_symbols for side in sides)), key=str)
    differences = [one - other for one, other in zip(sides[: len(claimed)], sides[len(claimed) :], strict=True)]
    rng = random.Random(1)
    for attempt in range(TRIES):
        point = {symbol: i + 1 if attempt == 0 else rng.randint(1, 9) for i, symbol in enumerate(symbols)}
        values = [sp.N(d.subs(point), 30) for d in differences]
        if any(value.is_number and value.is_finite and abs(value) > VISIBLE for value in values):
            return point
    return None
