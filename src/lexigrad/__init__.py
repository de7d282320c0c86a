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
    from lexigrad.maths import binary_cross_entropy as binary_cross_entropy
    from lexigrad.maths import binary_cross_entropy_backward as binary_cross_entropy_backward
    from lexigrad.maths import cross_entropy as cross_entropy
    from lexigrad.maths import cross_entropy_backward as cross_entropy_backward
    from lexigrad.maths import linear_cross_entropy as linear_cross_entropy
    from lexigrad.maths import log1pexp as log1pexp
    from lexigrad.maths import log1pexp_backward as log1pexp_backward
    from lexigrad.maths import log_sigmoid as log_sigmoid
    from lexigrad.maths import log_sigmoid_backward as log_sigmoid_backward
    from lexigrad.maths import log_softmax as log_softmax
    from lexigrad.maths import log_softmax_backward as log_softmax_backward
    from lexigrad.maths import logsumexp as logsumexp
    from lexigrad.maths import logsumexp_backward as logsumexp_backward
    from lexigrad.maths import sigmoid as sigmoid
    from lexigrad.maths import sigmoid_backward as sigmoid_backward
    from lexigrad.maths import sigmoid_grad as sigmoid_grad
    from lexigrad.maths import softmax as softmax
    from lexigrad.maths import softmax_backward as softmax_backward
    from lexigrad.maths import softmax_cross_entropy as softmax_cross_entropy
    from lexigrad.maths.gradcheck import GradientReport as GradientReport
    from lexigrad.maths.gradcheck import gradcheck as gradcheck
    from lexigrad.models.explanation import Explanation as Explanation
    from lexigrad.models.network import Network as Network
    from lexigrad.models.softmax_regression import SoftmaxRegression as SoftmaxRegression
    from lexigrad.models.storage import load as load
    from lexigrad.models.text_classifier import TextClassifier as TextClassifier
    from lexigrad.models.word_vectors import WordVectors as WordVectors
    from lexigrad.training.progress import Progress as Progress

__version__ = "0.1.0"

_HOME = {
    "DataError": "errors",
    "DivergenceError": "errors",
    "Evaluation": "evaluation",
    "Explanation": "models.explanation",
    "FormatError": "errors",
    "GradientError": "errors",
    "GradientReport": "maths.gradcheck",
    "LexigradError": "errors",
    "LexigradWarning": "errors",
    "Network": "models.network",
    "NotFittedError": "errors",
    "ParameterError": "errors",
    "Progress": "training.progress",
    "SoftmaxRegression": "models.softmax_regression",
    "TextClassifier": "models.text_classifier",
    "WordVectors": "models.word_vectors",
    "auroc": "evaluation",
    "binary_cross_entropy": "maths",
    "binary_cross_entropy_backward": "maths",
    "calibration_error": "evaluation",
    "cross_entropy": "maths",
    "cross_entropy_backward": "maths",
    "gradcheck": "maths.gradcheck",
    "linear_cross_entropy": "maths",
    "load": "models.storage",
    "log1pexp": "maths",
    "log1pexp_backward": "maths",
    "log_sigmoid": "maths",
    "log_sigmoid_backward": "maths",
    "log_softmax": "maths",
    "log_softmax_backward": "maths",
    "logsumexp": "maths",
    "logsumexp_backward": "maths",
    "sigmoid": "maths",
    "sigmoid_backward": "maths",
    "sigmoid_grad": "maths",
    "softmax": "maths",
    "softmax_backward": "maths",
    "softmax_cross_entropy": "maths",
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
