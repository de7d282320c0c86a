"""Adapters whose libraries the extra `test` leaves out, each in a virtual environment of its own."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "ray": ["ray[data]==2.60.0"],
    "datatrove": ["datatrove==0.10.1", "regex", "orjson"],
    "nemo_curator": ["nemo-curator==1.4.0", "torch==2.13.0"],
}
UNREACHABLE = re.compile(
    "no matching distribution|connection|max retries|temporary failure|timed out|no space left", re.IGNORECASE
)


@pytest.mark.long
@pytest.mark.parametrize("library", PACKAGES)
def test_adapter(library: str) -> None:
    if importlib.util.find_spec(library):
        pytest.skip("it is tested in this environment")
    folder = ROOT / ".cache/environments" / library
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    packages = [*PACKAGES[library], "pytest", "hypothesis", "pandas", "-e", str(ROOT)]
    install = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, text=True, check=False
    )
    if install.returncode:
        found = UNREACHABLE.search(install.stderr)
        assert found, install.stderr
        pytest.skip(f"{library} cannot be installed here: {found.group().lower()}")
    tests = f"tests/scale/test_{library}.py"
    run = [python, "-m", "pytest", tests, "-q", "-p", "no:cacheprovider", "--show-capture=no"]
    environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}  # sockets need a short one
    answer = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    sys.stdout.write(answer.stdout)
