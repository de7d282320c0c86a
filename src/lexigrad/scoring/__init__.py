"""Scoring a corpus: tables and files in, the same rows with scores, or the best of them, out.

`score_files` does what `lexigrad score` does. `Keep` is its filter, `ScoreSketch` its quantiles, `Report` what it returns.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lexigrad.scoring.keep import Keep as Keep
    from lexigrad.scoring.report import Report as Report
    from lexigrad.scoring.run import score_files as score_files
    from lexigrad.scoring.sketch import ScoreSketch as ScoreSketch

_HOME = {"Keep": "keep", "Report": "report", "ScoreSketch": "sketch", "score_files": "run"}

__all__ = ["Keep", "Report", "ScoreSketch", "score_files"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lexigrad.scoring' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lexigrad.scoring.{_HOME[name]}"), name)
