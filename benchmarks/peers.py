"""The systems, each in a virtual environment of its own: several peers install the same module `fasttext`, and extra packages slow imports down.

python -m benchmarks.peers
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PINNED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
PEERS = {requirement.split("==")[0]: requirement for requirement in _PINNED}
NUMERICAL = ("scipy==1.17.1", "torch==2.13.0")
"""What `lexigrad.maths` is compared with; these live in one environment with lexigrad, so that one process can time all in turns."""
SCIKIT_LEARN = "scikit-learn==1.9.1"
"""What `SoftmaxRegression` is compared with, in one process with lexigrad."""
GENSIM = "gensim==4.4.0"
"""For word vectors."""
READS_PARQUET = "fasttext-community, pyarrow"
"""fastText with what a Python script needs to score Parquet files by it."""
SYSTEMS: dict[str, tuple[str, ...]] = {
    "lexigrad": ("-e", str(ROOT)),
    **{name: (requirement,) for name, requirement in PEERS.items()},
    READS_PARQUET: (PEERS["fasttext-community"], "pyarrow==26.0.1"),
    "gensim": (GENSIM,),
    "tuning": ("-e", f"{ROOT}[tune]"),
    "regression": (SCIKIT_LEARN, "-e", str(ROOT)),
    "mathematics": (*NUMERICAL, "mpmath==1.3.0", "-e", str(ROOT)),
}


def python_of(system: str) -> Path:
    """Return the interpreter that has a system installed, installing it where it is missing; lexigrad is installed from this checkout, editable."""
    folder = ROOT / ".bench/systems" / system.replace(", ", "-")
    python = folder / "bin/python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *SYSTEMS[system]], check=True)
        (folder / "installed").touch()
    return python


if __name__ == "__main__":
    for name in SYSTEMS:
        print(name, python_of(name))
