"""`python -m lexigrad.compat.fasttext PROGRAM [ARGUMENTS]`: run a Python program for which this module is `fasttext`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from lexigrad.compat.fasttext import install


def main() -> None:
    """Run the program that the arguments name."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m lexigrad.compat.fasttext PROGRAM [ARGUMENTS]")
    install()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
