"""The page of proofs: what was claimed, how it was checked and what came out, without times and measured errors."""

from __future__ import annotations

from collections.abc import Sequence

from lexigrad.maths.proofs.claim import Claim, Verdict
from lexigrad.maths.proofs.claims import SECTIONS

HEAD = """# Proofs

Written by `lexigrad prove --markdown`; a test keeps it equal to what the command prints. Do not edit it by hand.

Every claim is a small file in `src/lexigrad/maths/proofs/claims/` with up to three independent checks:

- **symbolic**: SymPy shows that the difference of both sides is 0, for any size where it can, else for the sizes named;
- **numeric**: both sides agree to 2^-180 in 200-bit arithmetic (mpmath) at random points from a fixed seed; derivatives by central differences in
  640 bits;
- **shipped**: the functions of this package, in floating point, agree with the formula and with finite differences of themselves.

A claim is *proven* if all its checks hold and *refuted* if one fails; then the first counterexample of each failing check is shown.
✓ means that the verdict is the one expected: an error that people make is expected to be refuted.

## A claim of your own

```python
import sympy as sp
from mpmath import mp
from lexigrad.maths.proofs import Claim, numeric, prove


def symbolic():
    x = sp.Symbol("x", real=True)
    yield "any x", 1 - sp.tanh(x) ** 2, sp.diff(sp.tanh(x), x)  # where, claimed, true


def in_200_bits():
    for [x] in numeric.points(1):
        yield {"x": x}, 1 - mp.tanh(x[0]) ** 2, numeric.gradient(lambda x: mp.tanh(x[0]), x)


CLAIM = Claim(
    name="tanh_derivative", statement="The derivative of tanh is 1 - tanh^2.", symbolic=symbolic, numeric=in_200_bits
)
assert prove([CLAIM])[0].outcome == "proven"
```

In a file `my_claim.py`, it is checked by `lexigrad prove --file my_claim.py`.
"""


def markdown(verdicts: Sequence[Verdict]) -> str:
    """Return the page of some verdicts: the same bytes on every machine.

    >>> from lexigrad.maths.proofs import prove
    >>> page = markdown(prove(["sigmoid_derivative"]))
    >>> print(page[page.index("### ") :][:33])
    ### ✓ Derivative of the sigmoid
    """
    places = {name: section for section, names in SECTIONS.items() for name in names}
    parts, last = [HEAD, _table(verdicts)], None
    for verdict in verdicts:
        section = places.get(verdict.claim.name, "Other claims")
        if section != last:
            parts.append(f"## {section}\n")
            last = section
        parts.append(_entry(verdict))
    return "\n".join(parts)


def _table(verdicts: Sequence[Verdict]) -> str:
    lines = ["## All claims\n", "| | claim | verdict | symbolic | 200 bits | shipped |", "|---|---|---|---|---|---|"]
    for verdict in verdicts:
        scopes = {check.kind: check.scope for check in verdict.checks}
        cells = [scopes.get(kind, "") for kind in ("symbolic", "numeric", "shipped")]
        lines.append(f"| {_mark(verdict)} | {_title(verdict.claim)} | {verdict.outcome} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _entry(verdict: Verdict) -> str:
    claim = verdict.claim
    lines = [f"### {_mark(verdict)} {_title(claim)}\n", f"{claim.statement}\n"]
    if claim.latex:
        lines.append(f"$$\n{claim.latex}\n$$\n")
    named = f"`{claim.name}`" + (f"; source: {claim.source}" if claim.source else "")
    lines.append(f"Verdict: **{verdict.outcome}** (expected: {claim.expected}). Claim {named}.\n")
    for check in verdict.checks:
        what = f": {check.what}" if check.what else ""
        lines.append(f"- {check.kind} ({check.scope}, {check.outcome}){what}")
        if check.counterexample is not None:
            lines.append(f"  - counterexample {check.counterexample}")
    return "\n".join(lines) + "\n"


def _mark(verdict: Verdict) -> str:
    return "✓" if verdict.as_expected else "✗"


def _title(claim: Claim) -> str:
    return claim.title or claim.name.replace("_", " ")
