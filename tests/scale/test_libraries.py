"""Adapters whose library is not there."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
for name in ("ray", "datatrove", "nemo_curator"):
    sys.modules[name] = None
import lexigrad.scale.datatrove, lexigrad.scale.nemo_curator, lexigrad.scale.ray
for call in (
    lambda: lexigrad.scale.datatrove.LexigradFilter("m.lexigrad"),
    lambda: lexigrad.scale.nemo_curator.LexigradQualityFilter("m.lexigrad"),
    lambda: lexigrad.scale.nemo_curator.LexigradScoreFilter(None),
    lambda: lexigrad.scale.ray.score(None, "m.lexigrad"),
):
    try:
        call()
    except lexigrad.ParameterError as error:
        print(str(error).rpartition(": ")[2])
"""


def test_says_what_to_install() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    installs = ["'lexigrad[datatrove]'", "nemo-curator", "nemo-curator", "'lexigrad[ray]'"]
    assert answer.stdout.splitlines() == [f"pip install {name}" for name in installs]
