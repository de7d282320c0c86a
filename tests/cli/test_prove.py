"""`lexigrad prove` as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MAIN = "from lexigrad.cli import main; main()"
FALSE = """
from lexigrad.maths.proofs import Claim

CLAIM = Claim(name="one_is_two", statement="1 = 2.", shipped=lambda: [({"x": 0}, 1.0, 2.0)], expected="EXPECTED")
"""


def run(*arguments: object, code: int = 0, main: str = MAIN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", main, "prove", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_table() -> None:
    result = run("sigmoid_derivative", "received_softmax_gradient")
    assert "✓  sigmoid_derivative" in result.stdout
    assert "any x" in result.stdout
    assert "at x = [1, 2], label = 0: claimed [0.196612, 0.196612], true [-0.731059, 0.731059]" in result.stdout
    assert "2 claims in" in result.stdout
    assert "0 not as expected" in result.stdout
    assert "  1/2 sigmoid_derivative" in result.stderr


def test_quiet_says_nothing() -> None:
    assert run("l2_gradient", "--quiet").stderr == ""


def test_json() -> None:
    (verdict,) = json.loads(run("received_softmax_shift", "--json", "--quiet").stdout)
    assert verdict["outcome"] == verdict["expected"] == "refuted"
    assert verdict["as_expected"] is True
    assert [check["kind"] for check in verdict["checks"]] == ["symbolic", "shipped"]
    assert verdict["checks"][1]["worst_error"] == "inf"


def test_markdown_is_a_part_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text(encoding="utf-8")
    entry = run("l2_gradient", "--markdown", "--quiet").stdout.split("### ")[1]
    assert "### " + entry.rstrip() in page


def test_an_unexpected_verdict_is_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(FALSE.replace("EXPECTED", "proven"))
    result = run("--file", path, code=1)
    assert "✗  one_is_two" in result.stdout
    assert "at x = 0: claimed 1, true 2" in result.stdout
    assert "one_is_two: refuted, expected proven" in result.stdout
    assert "1 claims in" not in run("--file", path, "l2_gradient", code=1).stdout
    assert "✗ one is two" in run("--file", path, "--markdown", code=1).stdout
    path.write_text(FALSE.replace("EXPECTED", "refuted"))
    assert "✓  one_is_two" in run("--file", path).stdout


def test_wrong_use(tmp_path: Path) -> None:
    assert "there is no claim 'nothing'" in run("nothing", code=2).stderr
    assert "is not a Python file" in run("--file", tmp_path / "nothing.py", code=1).stderr


def test_missing_sympy_is_said() -> None:
    result = run("l2_gradient", code=1, main=f"import sys; sys.modules['sympy'] = None; {MAIN}")
    assert result.stderr.endswith(
        "error: proofs need SymPy and mpmath: pip install 'lexigrad[prove]'\n"
    )  # a slow machine notes that it compiles
