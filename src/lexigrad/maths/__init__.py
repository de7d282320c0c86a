"""The functions under every loss, and their derivatives.

A file has the name of its main function; `lexigrad.maths.softmax` is the function.
"""

from __future__ import annotations

from lexigrad.maths.cross_entropy import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    softmax_cross_entropy,
)
from lexigrad.maths.linear_cross_entropy import (
    linear_cross_entropy,
)
from lexigrad.maths.sigmoid import (
    log1pexp,
    log1pexp_backward,
    log_sigmoid,
    log_sigmoid_backward,
    sigmoid,
    sigmoid_backward,
    sigmoid_grad,
)
from lexigrad.maths.softmax import (
    log_softmax,
    log_softmax_backward,
    logsumexp,
    logsumexp_backward,
    softmax,
    softmax_backward,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "linear_cross_entropy",
    "log1pexp",
    "log1pexp_backward",
    "log_sigmoid",
    "log_sigmoid_backward",
    "log_softmax",
    "log_softmax_backward",
    "logsumexp",
    "logsumexp_backward",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_grad",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
]
