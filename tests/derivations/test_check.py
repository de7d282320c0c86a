"""The check of derivations, seen from outside: verdicts, reasons, reports and the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lexigrad import derivations
from lexigrad.derivations.judging.steps import Step
from lexigrad.derivations.page import summary
from lexigrad.errors import LexigradError

ROOT = Path(__file__).parents[2]
LEXIGRAD = [sys.executable, "-c", "from lexigrad.cli import main; main()"]

SOFTMAX = r"Let $p = \mathrm{softmax}(x)$. "
LOSS = SOFTMAX + r"Let $J = -\sum_i y_i \log p_i$. "
GRADIENT = r"$\frac{\partial J}{\partial x_i} = p_i - y_i$"

ASSIGNMENT = r"""
# Softmax

For a vector x and a constant c

$$softmax(\mathbf{x}) = softmax(\mathbf{x} + c)$$

where x + c means adding c to every entry. Remember that

$$softmax(\mathbf{x})_i = \frac{e^{x_i}}{\sum_j e^{x_j}}$$

In practice one chooses $c = \max i x i$ for stability.

$$softmax(\mathbf{x} + c)_i = \frac{e^{x_i + c}}{\sum_j e^{x_j + c}} = \frac{e^c e^{x_i}}{e^c \sum_j e^{x_j}} = softmax(\mathbf{x})_i$$

# Networks

The input x of the sigmoid function is a scalar.

$$\sigma(x) = \frac{1}{1 + e^{-x}}$$

$$\frac{\partial \sigma(x)}{\partial x} = \frac{e^{-x}}{(1 + e^{-x})^2} = \frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}} = \sigma(x) (1 - \sigma(x))$$

The prediction is $\hat{y} = softmax(\theta)$. The cross entropy is

$$CE(y, \hat{y}) = -\sum_{i} y_i log(\hat{y}_i)$$

where y is the one-hot label vector.

$$\frac{\partial CE(y, \hat{y})}{\partial \hat{y}} = \frac{\partial (-y^T log \hat{y})}{\partial \hat{y}} = \frac{-y^T}{\hat{y}}$$

$$\frac{\partial \hat{y}}{\partial \theta} = \hat{y} \cdot (1 - \hat{y})$$

$$\frac{\partial CE(y, \hat{y})}{\partial \hat{y}} \cdot \frac{\partial \hat{y}}{\partial \theta} = \hat{y} \cdot (1 - \hat{y})$$
"""


def verdicts(text: str) -> list[str]:
    return [step.verdict for step in derivations.check(text)]


def last(text: str) -> Step:
    return derivations.check(text)[-1]


# A whole text.


def test_the_assignment() -> None:
    steps = derivations.check(ASSIGNMENT)
    by_line: dict[int, list[Step]] = {}
    for step in steps:
        by_line.setdefault(step.line, []).append(step)
    lines = {line: [step.verdict for step in here] for line, here in by_line.items()}
    assert lines == {
        6: ["holds"],
        10: ["definition"],
        12: ["unread"],
        14: ["holds", "holds", "holds"],
        20: ["definition"],
        22: ["holds", "holds", "holds"],
        24: ["definition"],
        26: ["definition"],
        30: ["holds", "holds"],
        32: ["fails"],
        34: ["fails"],
    }
    garbled, jacobian, product = by_line[12][0], by_line[32][0], by_line[34][0]
    assert (garbled.left, garbled.right) == ("c", r"\max i x i")
    assert "max" in garbled.reason
    for step in (jacobian, product):
        assert step.counterexample is not None
        assert len(step.counterexample["point"]["theta"]) > 1
        assert step.counterexample["left"] != step.counterexample["right"]
    assert "diagonal" in jacobian.reason


def test_the_projects_own_mathematics_holds() -> None:
    answer = run("docs/mathematics.md", "--json")
    found = {step["verdict"] for step in json.loads(answer.stdout)}
    assert found == {"holds", "definition"}


# Shapes and indices.


@pytest.mark.parametrize(("right", "verdict"), [(r"a b^\top", "holds"), (r"b a^\top", "fails")])
def test_transposes(right: str, verdict: str) -> None:
    assert last(rf"Let $f = a^\top W b$. Then $\frac{{\partial f}}{{\partial W}} = {right}$.").verdict == verdict


@pytest.mark.parametrize(("right", "verdict"), [(r"W^\top \delta", "holds"), (r"W \delta", "fails")])
def test_a_transpose_in_a_chain(right: str, verdict: str) -> None:
    text = rf"$$\frac{{\partial L}}{{\partial z}} = \delta$$ with $z = W x$ for a vector $x$, so $$\frac{{\partial L}}{{\partial x}} = {right}$$"
    assert last(text).verdict == verdict


def test_right_on_the_diagonal_only() -> None:
    step = last(SOFTMAX + r"$$\frac{\partial p_i}{\partial x_j} = p_i (1 - p_j)$$")
    assert step.verdict == "fails"
    assert step.counterexample is not None
    point = step.counterexample["point"]
    assert point["i"] != point["j"]


@pytest.mark.parametrize("condition", ["For $i = j$:", "If i = j, then"])
def test_a_condition_on_indices_restricts_the_step(condition: str) -> None:
    assert last(SOFTMAX + condition + r" $$\frac{\partial p_i}{\partial x_j} = p_i (1 - p_j)$$").verdict == "holds"
    assert last(SOFTMAX + condition + r" $$\frac{\partial p_i}{\partial x_j} = -p_i p_j$$").verdict == "fails"


def test_unequal_indices_restrict_the_step() -> None:
    assert last(SOFTMAX + r"For $i \ne j$: $$\frac{\partial p_i}{\partial x_j} = -p_i p_j$$").verdict == "holds"
    assert last(SOFTMAX + r"$$\frac{\partial p_i}{\partial x_j} = -p_i p_j$$").verdict == "fails"


def test_an_explanation_is_no_condition() -> None:
    text = (
        SOFTMAX + r"Here $\delta_{ij}$ is 1 if $i = j$, else 0. $$\frac{\partial p_i}{\partial x_j} = p_i (1 - p_j)$$"
    )
    assert last(text).verdict == "fails"


# Sloppy notation.


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            r"Let $s = \sigma(z)$ for a vector $z$. $$\frac{\partial s}{\partial z} = s (1 - s)$$",
            "read as its diagonal",
        ),
        (r"Let $s = \sigma(z)$ for a vector $z$. $$\frac{\partial s}{\partial z} = s (1 - s)$$", "entry by entry"),
        (r"Let $u = v \odot w$ and $s = \sum_i u$. Then $s = v^\top w$.", "the index of a sum was added to its terms"),
    ],
)
def test_sloppy_notation_is_read_and_said(text: str, reason: str) -> None:
    step = last(text)
    assert step.verdict == "holds"
    assert reason in step.reason


# Assumptions in words.


@pytest.mark.parametrize(
    "assumption",
    ["where $y$ is one-hot", "for a one-hot label vector $y$", "where the labels sum to 1", r"where $\sum_i y_i = 1$"],
)
def test_what_is_assumed_of_the_labels(assumption: str) -> None:
    assert last(LOSS + f"Then, {assumption}, " + GRADIENT).verdict == "holds"


def test_without_an_assumption_the_step_fails() -> None:
    assert last(LOSS + "Then " + GRADIENT).verdict == "fails"


@pytest.mark.parametrize(
    ("assumption", "formula"),
    [
        ("The matrix $A$ is symmetric.", r"With $f = x^\top A x$, $\nabla_x f = 2 A x$."),
        (r"Let $y \in \{0, 1\}$.", "$y^2 = y$"),
        ("The label $y$ is either 0 or 1.", "$y^2 = y$"),
        (r"Let $t \in \{-1, 1\}$.", "$t^2 = 1$"),
        ("Let $x > 0$.", "$|x| = x$"),
        ("The vector $u$ has unit length.", r"$u^\top u = 1$"),
        ("The matrix $Q$ is orthogonal.", r"$Q^\top Q x = x$"),
        (r"Let $p$ be a probability distribution.", r"$\sum_i p_i = 1$"),
    ],
)
def test_other_assumptions(assumption: str, formula: str) -> None:
    assert last(f"{assumption} {formula}").verdict == "holds"
    assert last(formula).verdict == "fails"


# Definitions.


def test_a_name_is_defined_after_its_use() -> None:
    text = r"$$\nabla_\theta J = \hat y - y$$ where $\hat y = softmax(\theta)$ and $J = -\sum_i y_i \log \hat y_i$ for a one-hot $y$."
    assert verdicts(text) == ["holds", "definition", "definition"]
    assert verdicts(text.replace(r"\hat y - y", r"y - \hat y")) == ["fails", "definition", "definition"]


def test_another_section_defines_a_name_anew() -> None:
    one = "# One\n\nLet $f = x^2$. Then $\\frac{df}{dx} = 2x$.\n\n"
    other = "# Two\n\nLet $f = x^3$. Then $\\frac{df}{dx} = 3 x^2$.\n"
    assert verdicts(one + other) == ["definition", "holds", "definition", "holds"]
    assert verdicts(one + other.replace("= 3 x^2", "= 2 x")) == ["definition", "holds", "definition", "fails"]


def test_the_same_again_is_a_step() -> None:
    assert verdicts("Let $z = W x + b$. So $z = W x + b$, and $z = W x - b$.") == ["definition", "holds", "fails"]


def test_an_undefined_loss_is_unread_and_taken_as_given() -> None:
    text = r"Let $z = W x$. $$\frac{\partial L}{\partial z} = 2 z$$ Then $$\frac{\partial L}{\partial x} = RIGHT \frac{\partial L}{\partial z}$$"
    right, wrong = (derivations.check(text.replace("RIGHT", factor)) for factor in (r"W^\top", r"2 W^\top"))
    assert [step.verdict for step in right] == ["definition", "unread", "holds"]
    assert "taken as given" in right[1].reason
    assert [step.verdict for step in wrong] == ["definition", "unread", "fails"]


def test_a_name_that_no_formula_introduces() -> None:
    step = last("Let $g = x + 1$. Then $g = x + k$.")
    assert step.verdict == "unread"
    assert "what k is" in step.reason


def test_a_function_that_nobody_knows() -> None:
    step = last(r"Let $g = 2 x$. Then $g = \operatorname{blub}(x) + x$.")
    assert step.verdict == "unread"
    assert "blub" in step.reason


def test_steps_that_use_an_unread_definition_are_unread() -> None:
    steps = derivations.check("Let $g = \\int x$. Then $g + 1 = 2$.")
    assert [step.verdict for step in steps] == ["unread", "unread"]
    assert steps[1].reason == "what g is, on line 1, could not be read"


def test_an_equation_to_be_solved_is_no_step() -> None:
    step = last("Set the derivative to zero: $2x - 4 = 0$.")
    assert step.verdict == "unread"
    assert "solved" in step.reason


# Sequences, dots, numbers.


@pytest.mark.parametrize(("right", "verdict"), [(r"\mu g_1 + g_2", "holds"), (r"g_1 + \mu g_2", "fails")])
def test_sequences(right: str, verdict: str) -> None:
    assert last(rf"$v_0 = 0$, $v_t = \mu v_{{t-1}} + g_t$. Then $v_2 = {right}$.").verdict == verdict


@pytest.mark.parametrize(("first", "verdict"), [(1, "holds"), (2, "fails")])
def test_dots(first: int, verdict: str) -> None:
    assert last(rf"$x_1 + \dots + x_n = \sum_{{i={first}}}^n x_i$").verdict == verdict


def test_a_number_that_holds_for_a_while() -> None:
    text = r"Let $q_i = e^{x_i / T} / \sum_j e^{x_j / T}$. "
    step = r"$q_i = softmax(x)_i$."
    assert last(text + f"For $T = 1$: {step}").verdict == "holds"
    assert last(text + step).verdict == "fails"
    assert last(text + f"For $T = 1$: {step}\n\nAnother paragraph.\n\n{step}").verdict == "fails"


@pytest.mark.parametrize(("sign", "verdict"), [("+", "holds"), ("-", "fails")])
def test_logarithms_are_of_positive_numbers(sign: str, verdict: str) -> None:
    step = last(rf"$\log(a b) = \log a {sign} \log b$")
    assert step.verdict == verdict
    if step.counterexample is not None:
        assert min(step.counterexample["point"].values()) > 0


def test_nowhere_defined() -> None:
    step = last(r"$\log(-x^2) = 1 + 1$")
    assert step.verdict == "unread"
    assert "logarithm" in step.reason


def test_too_much_work() -> None:
    step = last(
        r"$$\sum_{i} \sum_{j} \sum_{k} \sum_{l} \sum_{m} \sum_{o} a_i b_j c_k d_l h_m g_o = "
        r"\sum_{i} a_i \sum_{j} b_j \sum_{k} c_k \sum_{l} d_l \sum_{m} h_m \sum_{o} g_o$$"
    )
    assert step.verdict == "unread"
    assert "more arithmetic" in step.reason


# Texts.


@pytest.mark.parametrize(
    "text", ["", "\n", "Nothing but prose.", "A formula without an equality: $x + 1$.", "Code: `a = b`."]
)
def test_texts_without_steps(text: str) -> None:
    assert derivations.check(text) == []
    assert derivations.report(text, []).strip() == text.strip()
    assert summary([]).startswith("0 steps")


def test_line_ends() -> None:
    text = "Let $g = x + 1$.\n\n$$\ng = 1 + x\n$$\n\nSo $g = x$.\n"
    unix, dos = derivations.check(text), derivations.check(text.replace("\n", "\r\n"))
    assert [step.verdict for step in unix] == ["definition", "holds", "fails"]
    assert [(step.line, step.left, step.right, step.verdict) for step in unix] == [
        (step.line, step.left, step.right, step.verdict) for step in dos
    ]


def test_the_same_text_gives_the_same_answer() -> None:
    text = LOSS + GRADIENT
    assert [step.to_dict() for step in derivations.check(text)] == [step.to_dict() for step in derivations.check(text)]


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    derivations.check("$2 = 1 + 1$, $3 = 2 + 1$", on_step=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_report() -> None:
    text = "Let $g = x^2$.\n\n$g = x \\cdot x$\n\n$\\frac{dg}{dx} = x$\n\n$g = \\int x$\n\nThe end."
    lines = derivations.report(text, derivations.check(text)).split("\n")
    assert [line[:1] for line in lines if line and not line.startswith("    ")] == ["=", "✓", "✗", "?", " "]
    assert r"    ✗ \frac{dg}{dx} = x" in lines
    at = next(line for line in lines if line.startswith("      at"))
    point = re.fullmatch(r" {6}at x = (\S+): left (\S+), right (\S+)", at)
    assert point is not None
    x, left, right = map(float, point.groups())
    assert left == pytest.approx(2 * x, rel=1e-4)
    assert right == pytest.approx(x, rel=1e-4)
    assert lines[-1] == "  The end."


@pytest.mark.parametrize("package", ["lark", "mpmath"])
def test_a_package_that_is_missing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LexigradError, match=r"pip install 'lexigrad\[prove\]'"):
        derivations.check("$1 = 1$")


# The command line.


def run(*arguments: object, stdin: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [*LEXIGRAD, "check", *map(str, arguments)]
    answer = subprocess.run(command, input=stdin, capture_output=True, check=False, cwd=ROOT)
    found = subprocess.CompletedProcess(command, answer.returncode, answer.stdout.decode(), answer.stderr.decode())
    assert found.returncode == code, found.stdout + found.stderr
    return found


@pytest.mark.parametrize(
    ("text", "code"),
    [("$2 = 1 + 1$", 0), ("$3 = 1 + 1$", 1), ("$1 = \\int x$", 3), ("$3 = 1 + 1$ and $1 = \\int x$", 1), ("Prose.", 0)],
)
def test_exit_codes(text: str, code: int, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text(text, encoding="utf-8")
    answer = run(notes, code=code)
    assert answer.stdout.splitlines()[-1] == summary(derivations.check(text))


def test_json(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_bytes(b"Let $g = x^2$.\r\n\r\n$g = 2 x$\r\n")
    defined, wrong = json.loads(run(notes, "--json", code=1).stdout)
    assert list(defined) == ["line", "left", "right", "verdict", "reason", "counterexample"]
    assert (defined["line"], defined["verdict"], defined["counterexample"]) == (1, "definition", None)
    assert (wrong["line"], wrong["left"], wrong["right"], wrong["verdict"]) == (3, "g", "2 x", "fails")
    assert list(wrong["counterexample"]) == ["point", "left", "right"]
    x = wrong["counterexample"]["point"]["x"]
    assert wrong["counterexample"]["left"] == pytest.approx(x**2, rel=1e-4)
    assert wrong["counterexample"]["right"] == pytest.approx(2 * x, rel=1e-4)


def test_standard_input() -> None:
    assert "✗ $3 = 1 + 1$" in run("-", stdin=b"$3 = 1 + 1$", code=1).stdout


def test_no_such_file(tmp_path: Path) -> None:
    assert "there is no file" in run(tmp_path / "none.md", code=2).stderr


def test_not_utf8(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_bytes(b"caf\xe9 $1 = 1$")
    answer = run(notes, code=2)
    assert "is not UTF-8" in answer.stderr
    assert answer.stdout == ""


def test_nothing_to_check_is_said(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("Prose.", encoding="utf-8")
    assert "there is no equality" in run(notes).stderr
    assert run(notes, "--quiet").stderr == ""


def test_a_capital_is_a_matrix_although_numbers_would_do() -> None:
    text = r"Let $\partial L/\partial z = \delta$, $z = W x$. Then $\partial L/\partial x = W\delta$ and $\partial L/\partial x = W^T\delta$."
    assert verdicts(text) == ["definition", "definition", "fails", "holds"]


def test_what_is_given_of_a_loss_is_held_against_it() -> None:
    text = r"Here $\partial L/\partial z = 2z$ and $z = W x$, so $\partial L/\partial x = W^T z$ and $\partial L/\partial x = 2 W^T z$."
    assert verdicts(text) == ["unread", "definition", "fails", "holds"]


def test_an_identity_matrix_is_not_defined_by_what_equals_it() -> None:
    assert verdicts(r"$Q^\top Q = I$") == ["fails"]
    assert verdicts(r"Let $Q$ be an orthogonal matrix. $Q^\top Q = I$") == ["holds"]


OVER_Z = "Let $p = softmax(z)$. "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            OVER_Z
            + r"$\frac{\partial p_i}{\partial z_j} = -p_i p_j$ for $i \ne j$. Thus $\frac{\partial p_j}{\partial z_i} = -p_i p_j$.",
            "dhf",
        ),
        (r"For $x > 0$: $|x| = x$. In general $|x| = x$.", "hf"),
        (r"$W$ is not symmetric. $W^T = W$.", "f"),
        (r"$W$ is symmetric, so $W^T = W$.", "h"),
        (r"The weights are a vector $w$. $\sum_i w_i = 1$.", "f"),
        (
            OVER_Z + r"The labels need not sum to 1. $L = -\sum_i y_i \log p_i$. $\partial L/\partial z_i = p_i - y_i$",
            "ddf",
        ),
        (OVER_Z + r"The labels sum to 1. $L = -\sum_i y_i \log p_i$. $\partial L/\partial z_i = p_i - y_i$", "ddh"),
        (r"$v_t = \mu v_{t-1} + g_t$, $v_0 = 0$. $v_t = \sum_{i=1}^t \mu^{t-i} g_i$", "ddh"),
        (r"$p(x) = \sigma(x)$. Hence $p' = p(1 + p)$.", "du"),
    ],
)
def test_conditions_and_assumptions_reach_as_far_as_they_should(text: str, expected: str) -> None:
    assert "".join(verdict[0] for verdict in verdicts(text)) == expected
