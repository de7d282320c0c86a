"""Peers, each in a virtual environment of its own: several of them install the same module `fasttext`.

python -m benchmarks.peers
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = {"fasttext-community": "fasttext-community==0.11.9", "fasttext-new": "fasttext-new==0.1.0"}
SYSTEMS = ("lexigrad", *PEERS)


def python_of(system: str) -> Path:
    """Return the interpreter that has a system installed, installing a peer where it is missing."""
    if system == "lexigrad":
        return Path(sys.executable)
    folder = ROOT / ".bench/peers" / system
    python = folder / "bin/python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEERS[system]], check=True)
        (folder / "installed").touch()
    return python


if __name__ == "__main__":
    for peer in PEERS:
        print(peer, python_of(peer))
