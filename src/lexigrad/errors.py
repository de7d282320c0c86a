"""What can go wrong, as a tree.

LexigradError                     the root: catch this to catch everything of ours
├── ParameterError (ValueError)   a setting that does not exist or is out of range
├── DataError (ValueError)        text, labels or a column that cannot be used; names the file and line
├── FormatError (ValueError)      a model file that is truncated, corrupted, foreign or too new
├── NotFittedError (ValueError, AttributeError)   a model used before `fit`
├── DivergenceError (ArithmeticError)             training stopped before a non-finite update
└── GradientError (AssertionError)                a gradient is not that of its function; raised by `gradcheck`

LexigradWarning (UserWarning)     work went on, but something was skipped or replaced

Each message says what was given, what was expected and what to do.
"""


class LexigradError(Exception):
    """Root of all errors that lexigrad raises on purpose."""

    exit_code = 1


class ParameterError(LexigradError, ValueError):
    """A parameter has a value that is unknown, out of range or not served."""

    exit_code = 2


class DataError(LexigradError, ValueError):
    """Texts or labels cannot be used as given."""


class FormatError(LexigradError, ValueError):
    """A file is not a model file of ours, or is damaged, or is newer than this version reads."""


class NotFittedError(LexigradError, ValueError, AttributeError):
    """A model was asked before it was trained."""


class DivergenceError(LexigradError, ArithmeticError):
    """Training produced values that would soon stop being finite; the weights were left as they were."""


class GradientError(LexigradError, AssertionError):
    """A gradient and finite differences of its function disagree."""


class LexigradWarning(UserWarning):
    """Something was skipped or replaced, and the work went on."""
