"""The settings of models and their limits."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from lexigrad.errors import ParameterError
from lexigrad.machine.threads import thread_count
from lexigrad.text.tokens import tokenizer_code

LOSSES = ("softmax", "hierarchical_softmax", "negative_sampling", "one_vs_all")


class WithParameters:
    """A model whose settings are attributes of the names in `_parameters`, as scikit-learn wants it."""

    _parameters: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({settings})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name (scikit-learn's convention)."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Change settings; they take effect at the next training."""
        for name, value in params.items():
            if name not in self._parameters:
                raise ParameterError(f"{name!r} is not a setting: choose one of {', '.join(self._parameters)}")
            setattr(self, name, value)
        return self


def check_parameters(params: dict[str, Any]) -> None:
    """Raise `ParameterError` for the first setting that is out of range or not served."""
    for name, least in (
        ("dim", 1),
        ("epochs", 1),
        ("negatives", 1),
        ("word_ngrams", 1),
        ("min_count", 1),
        ("min_n", 0),
        ("max_n", 0),
        ("seed", 0),
    ):
        check_whole(name, params[name], least)
    if params["buckets"] is not None:
        check_whole("buckets", params["buckets"], 1)
        if params["buckets"] >= 2**31:
            raise ParameterError(f"buckets={params['buckets']}: expected less than 2,147,483,648")
    if params["max_n"] and params["max_n"] < params["min_n"]:
        raise ParameterError(
            f"max_n={params['max_n']} is below min_n={params['min_n']}: expected min_n <= max_n, or max_n=0 for none"
        )
    lr = params["lr"]
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not (math.isfinite(lr) and lr > 0):
        raise ParameterError(f"lr={lr!r}: expected a positive number")
    if params["loss"] not in LOSSES:
        raise ParameterError(f"loss={params['loss']!r} is not served: choose one of {', '.join(map(repr, LOSSES))}")
    if params["deterministic"]:
        raise ParameterError(
            "deterministic=True is not served on several threads: threads=1 gives the same bits every time"
        )
    if not isinstance(params["label_prefix"], str) or not params["label_prefix"]:
        raise ParameterError(f"label_prefix={params['label_prefix']!r}: expected text such as '__label__'")
    tokenizer_code(params["tokenizer"])
    thread_count(params["threads"])


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise `ParameterError` unless the value is a whole number from `least` up."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ParameterError(f"{name}={value!r}: expected a whole number from {least} up")


def check_not_negative(name: str, value: Any) -> float:
    """Return a finite number from 0 up as a float, or raise `ParameterError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
        raise ParameterError(f"{name}={value!r}: expected a finite number from 0 up")
    return float(value)


def check_keep_unseen(keep_unseen: Any, vectors: Any) -> None:
    """Raise `ParameterError` where unseen words are to be left out, and no vectors are given that could have some."""
    if vectors is None and not keep_unseen:
        raise ParameterError(
            "keep_unseen=False is about words of given vectors, and there are none: give vectors, or leave it out"
        )
