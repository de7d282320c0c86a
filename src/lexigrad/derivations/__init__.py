r"""Reads a derivation in Markdown with LaTeX and judges each step: it holds, fails, defines a name, or could not be read.

>>> from lexigrad import derivations
>>> text = "Let $p_i = e^{x_i} / \\sum_j e^{x_j}$. Then $\\frac{\\partial p_i}{\\partial x_j} = p_i (1 - p_j)$."
>>> [step.verdict for step in derivations.check(text)]
['definition', 'fails']
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lexigrad.errors import LexigradError

if TYPE_CHECKING:
    from lexigrad.derivations.judging.steps import Step

__all__ = ["check", "report"]


def check(text: str, *, on_step: Callable[[int, int], None] | None = None) -> list[Step]:
    r"""Judge every equality of a Markdown text, in the order of the text.

    Both sides of an ``=`` are evaluated at random points, with dimensions of different sizes and for several values of their indices, in
    arithmetic of 110 digits; derivatives are differences with a step of 10^-25. They are equal if they differ by less than
    10^-35 max(1, |left|, |right|).

    Parameters
    ----------
    text : Markdown; formulas stand in $...$, $$...$$, \(...\), \[...\], environments such as align, or fenced as math
    on_step : called with the number of steps judged and their total, after each step

    Returns
    -------
    one `Step` an equality: `line` (from 1), `left` and `right` (LaTeX), `verdict`, `reason`, `counterexample`. The verdicts are

    - "holds": both sides are equal at every point that was tried
    - "fails": they are not; `counterexample` has the point and both values
    - "definition": the equality introduces a name
    - "unread": it could not be read, or says nothing that can be checked; `reason` says why

    Raises
    ------
    LexigradError : lark or mpmath is not installed

    Examples
    --------
    >>> step, = check("$\\sigma(-x) = 1 + \\sigma(x)$")
    >>> step.verdict, sorted(step.counterexample)
    ('fails', ['left', 'point', 'right'])
    """
    _require()
    from lexigrad.derivations.judging.judge import judge

    return judge(text, on_step)


def report(text: str, steps: list[Step]) -> str:
    """Return the lines of a text with ✓, ✗, ? or = (a definition) beside them, and under a line what is wrong with it.

    >>> text = "$2 + 2 = 5$"
    >>> print(report(text, check(text)))
    ✗ $2 + 2 = 5$
        ✗ 2 + 2 = 5
          left 4, right 5
    """
    from lexigrad.derivations.page import page

    return page(text, steps)


def _require() -> None:
    """Raise a clear error if what the check needs is not installed."""
    try:
        import lark  # noqa: F401
        import mpmath  # noqa: F401
    except ImportError as error:
        raise LexigradError("the check of derivations needs lark and mpmath: pip install 'lexigrad[prove]'") from error
