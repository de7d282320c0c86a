"""Claims: ours turn out as expected, false ones are refuted, and nothing passes without having been compared."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from numba import config

from lexigrad import maths
from lexigrad.errors import DataError, LexigradError, ParameterError
from lexigrad.maths import proofs
from lexigrad.maths.proofs import Claim, Comparison, Verdict, numeric, shipped, symbolic
from lexigrad.maths.proofs.claims import SECTIONS, load
from lexigrad.maths.proofs.judge import _flatten

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"
CLAIMS = Path(proofs.__file__).parent / "claims"
OWN = """
import sympy
from lexigrad.maths.proofs import Claim, numeric

def symbolic():
    x = sympy.Symbol("x", real=True)
    yield "any x", 1 - sympy.tanh(x) ** 2, sympy.diff(sympy.tanh(x), x)

CLAIM = Claim(name="tanh_derivative", statement="The derivative of tanh is 1 - tanh^2.", symbolic=symbolic)
"""


PLAIN = bool(config.DISABLE_JIT)
"""Without the compiler only the checks of shipped functions can turn out differently: algebra and 200-bit arithmetic run no kernel."""


def ours(name: str) -> Claim:
    """Return a claim of ours; without the compiler, with its shipped check only."""
    one = load(name)
    return dataclasses.replace(one, symbolic=None, numeric=None) if PLAIN else one


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return proofs.prove(ours(name) for name in proofs.NAMES)


def claim(**checks: Any) -> Claim:
    return Claim(name="a_claim", statement="...", **{"symbolic": None, **checks})


def outcome(**checks: Any) -> str:
    return proofs.prove([claim(**checks)])[0].outcome


def test_every_file_is_listed_and_named_like_its_claim() -> None:
    files = {path.stem for path in CLAIMS.glob("*.py")} - {"__init__"}
    assert files == set(proofs.NAMES)
    assert len(proofs.NAMES) == len(files)
    for name in proofs.NAMES:
        one = load(name)
        assert one.name == name
        assert one.title
        assert one.statement
        assert one.latex
        assert one.source
        assert one.expected == ("refuted" if name in SECTIONS["Refuted"] else "proven")
        assert "shipped" in one.checks
        assert all(check.__doc__ for check in one.checks.values())


def test_all_turn_out_as_expected(verdicts: list[Verdict]) -> None:
    assert [verdict.claim.name for verdict in verdicts] == list(proofs.NAMES)
    for verdict in verdicts:
        assert verdict.as_expected, (verdict.claim.name, verdict.counterexamples)
        assert bool(verdict.counterexamples) == (verdict.outcome == "refuted")
    assert sum(verdict.seconds for verdict in verdicts) < 120


@pytest.mark.skipif(PLAIN, reason="the page shows all checks; without the compiler only the shipped ones run")
def test_page_is_what_is_committed(verdicts: list[Verdict]) -> None:
    page = proofs.markdown(verdicts)
    assert page == PAGE.read_text(encoding="utf-8"), "run: lexigrad prove --quiet --markdown > docs/proofs.md"
    assert "✗" not in page.split("## All claims")[1]
    for verdict in verdicts:
        assert verdict.claim.latex in page
        assert all(text in page for text in verdict.counterexamples.values())


def test_known_counterexamples(verdicts: list[Verdict]) -> None:
    found = {verdict.claim.name: verdict.counterexamples for verdict in verdicts if verdict.outcome == "refuted"}
    assert found["received_softmax_shift"] == {
        "shipped": "at x = [400, 401]: claimed [nan, nan], true [0.268941, 0.731059]"
    }
    assert found["received_softmax_gradient"]["shipped"].endswith(
        "claimed [0.196612, 0.196612], true [-0.731059, 0.731059]"
    )
    assert found["naive_log_softmax"] == {"shipped": "at x = [20, 0]: claimed 0, true -2.06115e-09"}
    assert found["fasttext_sigmoid_table"]["shipped"] == "at x = 0.03124: claimed 0.5, true 0.507809"
    for kind in ("shipped",) if PLAIN else ("symbolic", "numeric", "shipped"):
        claimed, true = found["cbow_unscaled_update"][kind].split("claimed [")[1].split("], true [")
        n = claimed.count(",") + 1
        assert float(claimed.split(",")[0]) == pytest.approx(n * float(true.split(",")[0]), rel=1e-5)


PROVEN = [name for names in SECTIONS.values() for name in names if name not in SECTIONS["Refuted"]]


@pytest.mark.parametrize("name", PROVEN)
def test_every_check_notices_a_small_error(name: str) -> None:
    """Each first comparison, moved by a millionth, must be refuted or at least no longer pass."""
    one = ours(name)
    for kind, check in one.checks.items():

        def moved(check: Any = check, kind: str = kind) -> Iterator[Comparison]:
            for row in check():
                at, claimed, true, bound = Comparison(*row)
                parts = _flatten(claimed)
                parts[0] = parts[0] + (sp.Rational(1, 10**6) if kind == "symbolic" else 2e-6)
                yield Comparison(at, parts, _flatten(true), bound)
                return

        found = outcome(**{kind: moved})
        assert found == "refuted" or (kind == "symbolic" and found == "undecided"), (kind, found)


@pytest.mark.parametrize(
    ("function", "of"),
    [
        ("softmax", "softmax_jacobian"),
        ("softmax_backward", "softmax_jacobian"),
        ("log_softmax_backward", "log_softmax_gradient"),
        ("logsumexp_backward", "logsumexp_gradient"),
        ("sigmoid_grad", "sigmoid_derivative"),
        ("sigmoid_backward", "sigmoid_derivative"),
        ("log_sigmoid_backward", "log_sigmoid_gradient"),
        ("log1pexp_backward", "log1pexp_gradient"),
        ("cross_entropy_backward", "cross_entropy_gradient"),
        ("binary_cross_entropy_backward", "binary_cross_entropy_gradient"),
        ("logsumexp", "running_logsumexp"),
        ("log1pexp", "log1pexp_form"),
        ("log_softmax", "winner_log_probability"),
    ],
)
def test_a_wrong_function_of_ours_is_noticed(function: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(maths, function)
    monkeypatch.setattr(maths, function, lambda *arguments: right(*arguments) * (1 + 1e-6) + 1e-6)
    (verdict,) = proofs.prove([ours(of)])
    outcomes = {check.kind: check.outcome for check in verdict.checks}
    assert outcomes.pop("shipped") == "refuted"
    assert set(outcomes.values()) == (set() if PLAIN else {"proven"})


def test_a_wrong_gradient_of_a_loss_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = maths.softmax_cross_entropy

    def wrong(scores: Any, targets: Any, reduction: str = "mean") -> Any:
        loss, d_scores = right(scores, targets, reduction)
        return loss, d_scores * (1 + 1e-6)

    monkeypatch.setattr(maths, "softmax_cross_entropy", wrong)
    (verdict,) = proofs.prove([ours("softmax_cross_entropy_gradient")])
    assert list(verdict.counterexamples) == ["shipped"]


def test_false_claims_are_refuted_by_each_check() -> None:
    x = sp.Symbol("x", real=True)

    def by_algebra() -> Iterator[Comparison]:
        yield Comparison("any x", sp.cos(x), sp.sin(x).diff(x))
        yield Comparison("any x", -sp.sin(x), sp.sin(x).diff(x))

    def in_200_bits() -> Iterator[Comparison]:
        for (point,) in numeric.points(1):
            yield Comparison({"x": point}, mpmath.cos(point[0]) * (1 + mpmath.mpf(2) ** -170), mpmath.cos(point[0]))

    def as_shipped() -> Iterator[Comparison]:
        yield Comparison({"x": 0.0}, np.array([0.5, np.nan]), np.array([0.5, 0.5]))

    (verdict,) = proofs.prove([claim(symbolic=by_algebra, numeric=in_200_bits, shipped=as_shipped)])
    assert verdict.outcome == "refuted"
    assert not verdict.as_expected
    assert [check.outcome for check in verdict.checks] == ["refuted"] * 3
    assert verdict.counterexamples["symbolic"] == "at x = 1: claimed -0.841471, true 0.540302"
    assert verdict.counterexamples["shipped"] == "at x = 0: claimed [0.5, nan], true [0.5, 0.5]"
    assert verdict.to_dict()["checks"][2]["worst_error"] == "inf"


def test_a_true_claim_that_expects_a_refutation_is_not_as_expected() -> None:
    one = dataclasses.replace(load("sigmoid_derivative"), expected="refuted")
    (verdict,) = proofs.prove([one])
    assert verdict.outcome == "proven"
    assert not verdict.as_expected
    assert "✗" in proofs.markdown([verdict])


def test_what_sympy_cannot_decide_is_not_proven() -> None:
    n, j = sp.symbols("n j", integer=True, positive=True)
    x = sp.IndexedBase("x", real=True)

    def check() -> Iterator[Comparison]:
        yield Comparison("any n", sp.Sum(x[j], (j, 1, n)) ** 2, sp.Sum(x[j] ** 2, (j, 1, n)))

    assert outcome(symbolic=check) == "undecided"


def test_nothing_passes_without_a_comparison() -> None:
    with pytest.raises(LexigradError, match="has no check"):
        claim()
    with pytest.raises(LexigradError, match="compared nothing"):
        outcome(numeric=lambda: iter(()))
    with pytest.raises(LexigradError, match="compares 0 numbers with 0"):
        outcome(shipped=lambda: [("nowhere", [], [])])
    with pytest.raises(LexigradError, match="compares 2 numbers with 1"):
        outcome(shipped=lambda: [("x", np.zeros(2), 0.0)])
    with pytest.raises(LexigradError, match="'maybe'"):
        claim(numeric=lambda: [("x", 1, 1)], expected="maybe")
    with pytest.raises(ParameterError, match="there is no claim 'nothing'"):
        proofs.prove(["nothing"])


def test_bounds() -> None:
    assert outcome(shipped=lambda: [("x", 1 + 5e-10, 1.0)]) == "proven"
    assert outcome(shipped=lambda: [("x", 1 + 5e-9, 1.0)]) == "refuted"
    assert outcome(shipped=lambda: [("x", 1e6 + 5e-4, 1e6)]) == "proven"
    assert outcome(shipped=lambda: [("x", 1.01, 1.0, 0.1)]) == "proven"
    assert outcome(shipped=lambda: [("x", np.inf, np.inf)]) == "proven"
    assert outcome(shipped=lambda: [("x", np.nan, np.nan)]) == "refuted"
    assert outcome(numeric=lambda: [("x", mpmath.mpf(1) / 3, 1 / 3)]) == "refuted"


def test_numeric_checks_run_in_200_bits() -> None:
    seen = []

    def check() -> Iterator[Comparison]:
        seen.append(mpmath.mp.prec)
        yield Comparison("x", mpmath.mpf(1), 1)

    before = mpmath.mp.prec
    assert outcome(numeric=check) == "proven"
    assert seen == [200]
    assert mpmath.mp.prec == before


def test_is_zero_is_right() -> None:
    x, y = symbolic.vector("x", 2)
    n = sp.Symbol("n", integer=True)
    zeros = [
        sp.exp(x + y) - sp.exp(x) * sp.exp(y),
        sp.exp(2 * x) - sp.exp(x) ** 2,
        2 ** (n - 1) * 2 - 2**n,
        2**n * sp.exp(-n * sp.log(2)) - 1,
        sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1,
        sp.log(sp.exp(x)) - x,
        1 / (1 + sp.exp(-x)) - sp.exp(x) / (1 + sp.exp(x)),
    ]
    others = [x, sp.exp(x) - 1 - x, 2**n - 1, sp.exp(x) * sp.exp(y) - sp.exp(x - y), sp.log(x + 20) - sp.log(y + 20)]
    assert all(symbolic.is_zero(zero) for zero in zeros)
    assert not any(symbolic.is_zero(other) for other in others)


def test_differences_are_exact_enough() -> None:
    with mpmath.workprec(numeric.BITS):
        slope = numeric.gradient(lambda x: x[0] ** 3 * x[1], [mpmath.mpf(2), mpmath.mpf(5)])
        assert abs(slope[0] - 60) < 2.0**-300
        assert abs(slope[1] - 8) < 2.0**-300
    x = np.array([[0.3, 0.7], [1.1, -2.0]])
    np.testing.assert_allclose(shipped.gradient(lambda x: np.sin(x).sum(), x), np.cos(x), rtol=0, atol=1e-12)
    np.testing.assert_allclose(shipped.gradient(np.sin, x), np.cos(x), rtol=0, atol=1e-12)


def test_points_never_change() -> None:
    with mpmath.workprec(numeric.BITS):
        (first,), (second,), *_ = numeric.points(1)
        assert first != second
        assert next(numeric.points(1))[0] == first
    assert float(first[0]) == 2.4839936686416637


def test_a_file_of_claims(tmp_path: Path) -> None:
    assert len(OWN.strip().splitlines()) <= 10
    path = tmp_path / "own.py"
    path.write_text(OWN)
    (own,) = proofs.load_file(path)
    assert proofs.prove([own, "l2_gradient"])[0].outcome == "proven"
    page = proofs.markdown(proofs.prove([own]))
    assert "## Other claims" in page
    assert "### ✓ tanh derivative" in page
    path.write_text("x = 1\n")
    with pytest.raises(DataError, match="defines no claim"):
        proofs.load_file(path)
    with pytest.raises(DataError, match="is not a Python file"):
        proofs.load_file(tmp_path / "nothing.py")


@pytest.mark.parametrize("missing", ["sympy", "mpmath"])
def test_missing_sympy_is_said(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(LexigradError, match=r"proofs need SymPy and mpmath: pip install 'lexigrad\[prove\]'"):
        proofs.prove(["l2_gradient"])
