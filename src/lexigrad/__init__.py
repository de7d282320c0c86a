"""lexigrad: text classifiers on ordinary CPUs, fast, exact and proven.

>>> import lexigrad
>>> clf = lexigrad.TextClassifier(threads=1).fit(["good", "bad"] * 50, ["pos", "neg"] * 50)
>>> clf.predict(["good"]).tolist()
['pos']

Importing the package loads nothing heavy: each name below brings its module in when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lexigrad.errors import DataError as DataError
    from lexigrad.errors import DivergenceError as DivergenceError
    from lexigrad.errors import FormatError as FormatError
    from lexigrad.errors import GradientError as GradientError
    from lexigrad.errors import LexigradError as LexigradError
    from lexigrad.errors import LexigradWarning as LexigradWarning
    from lexigrad.errors import NotFittedError as NotFittedError
    from lexigrad.errors import ParameterError as ParameterError
    from lexigrad.evaluation import Evaluation as Evaluation
    from lexigrad.evaluation import auroc as auroc
    from lexigrad.evaluation import calibration_error as calibration_error
    from lexigrad.models.explanation import Explanation as Explanation
    from lexigrad.models.storage import load as load
    from lexigrad.models.text_classifier import TextClassifier as TextClassifier
    from lexigrad.training.progress import Progress as Progress

__version__ = "0.1.0"

_HOME = {
    "DataError": "errors",
    "DivergenceError": "errors",
    "Evaluation": "evaluation",
    "Explanation": "models.explanation",
    "FormatError": "errors",
    "GradientError": "errors",
    "LexigradError": "errors",
    "LexigradWarning": "errors",
    "NotFittedError": "errors",
    "ParameterError": "errors",
    "Progress": "training.progress",
    "TextClassifier": "models.text_classifier",
    "auroc": "evaluation",
    "calibration_error": "evaluation",
    "load": "models.storage",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lexigrad' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"lexigrad.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
