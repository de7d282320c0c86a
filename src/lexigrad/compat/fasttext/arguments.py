"""The original's training arguments: names, other names, defaults and order, for Python and for the shell."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping, Sequence
from typing import Any

from lexigrad.machine.threads import available_threads


class loss_name(enum.IntEnum):  # noqa: N801 - the original's name
    """The losses, by the numbers that files have for them."""

    hs = 1
    ns = 2
    softmax = 3
    ova = 4


class model_name(enum.IntEnum):  # noqa: N801 - the original's name
    """The kinds of model, by the numbers that files have for them."""

    cbow = 1
    skipgram = 2
    supervised = 3


LOSSES = {"hs": "hierarchical_softmax", "ns": "negative_sampling", "softmax": "softmax", "ova": "one_vs_all"}
"""Their names in lexigrad."""

PATHS = ("input", "pretrainedVectors", "autotuneValidationFile")

DEFAULTS: dict[str, Any] = {
    "model": "skipgram", "lr": 0.05, "dim": 100, "ws": 5, "epoch": 5, "minCount": 5, "minCountLabel": 0, "minn": 3, "maxn": 6, "neg": 5,
    "wordNgrams": 1, "loss": "ns", "bucket": 2_000_000, "thread": available_threads(), "lrUpdateRate": 100, "t": 1e-4, "label": "__label__",
    "verbose": 2, "pretrainedVectors": "", "seed": 0, "autotuneValidationFile": "", "autotuneMetric": "f1", "autotunePredictions": 1,
    "autotuneDuration": 300, "autotuneModelSize": "",
}  # fmt: skip
"""Of `train_unsupervised`."""
SUPERVISED = {"lr": 0.1, "minCount": 1, "minn": 0, "maxn": 0, "loss": "softmax", "model": "supervised"}
"""What `train_supervised` has instead."""
SUPERVISED_NAMES = (
    "input", "lr", "dim", "ws", "epoch", "minCount", "minCountLabel", "minn", "maxn", "neg", "wordNgrams", "loss", "bucket", "thread",
    "lrUpdateRate", "t", "label", "verbose", "pretrainedVectors", "seed", "autotuneValidationFile", "autotuneMetric", "autotunePredictions",
    "autotuneDuration", "autotuneModelSize",
)  # fmt: skip
UNSUPERVISED_NAMES = (
    "input", "model", "lr", "dim", "ws", "epoch", "minCount", "minCountLabel", "minn", "maxn", "neg", "wordNgrams", "loss", "bucket", "thread",
    "lrUpdateRate", "t", "label", "verbose", "pretrainedVectors",
)  # fmt: skip
ALIASES = {
    "min_count": "minCount", "word_ngrams": "wordNgrams", "lr_update_rate": "lrUpdateRate", "label_prefix": "label",
    "pretrained_vectors": "pretrainedVectors",
}  # fmt: skip
TRAINED = SUPERVISED_NAMES[1:19]
"""What a trained model shows as attributes."""
REST: dict[str, Any] = {
    "input": "", "output": "", "saveOutput": False, "qout": False, "retrain": False, "qnorm": False, "cutoff": 0, "dsub": 2, "thread": 12,
}  # fmt: skip
"""Defaults of what only quantising and the shell have, and the number of threads of a model from a file."""


class args:  # noqa: N801 - the original's name
    """All arguments as attributes; they begin with the original's defaults."""

    thread: Any
    maxn: Any
    bucket: Any
    qout: Any

    def __init__(self) -> None:
        for name, value in {**DEFAULTS, **REST}.items():
            setattr(self, name, value)
        self.model: Any = model_name.skipgram
        self.loss: Any = loss_name.ns
        self._manual: set[str] = set()

    def setManual(self, name: str) -> None:  # noqa: N802
        """Note that an argument was given, so that tuning leaves it alone."""
        self._manual.add(name)

    def settle(self, *, keep_bucket: bool) -> None:
        """Let there be no lengths of n-grams where none lies between minn and maxn, and no buckets where there are no n-grams."""
        if self.minn > self.maxn > 0:
            self.maxn = 0
        if self.wordNgrams <= 1 and self.maxn == 0 and not keep_bucket:
            self.bucket = 0

    def __getattr__(self, name: str) -> Any:  # only for what is no attribute
        raise AttributeError(f"there is no argument {name!r}")


def path_of(value: Any, name: str = "path") -> str:
    """Return a path as str.

    Raises
    ------
    TypeError
        For what is neither str, bytes nor `os.PathLike`.
    """
    try:
        return os.fsdecode(value)
    except TypeError:
        raise TypeError(
            f"{name} is of type {type(value).__name__}: expected a path as str, bytes or os.PathLike"
        ) from None


def read_args(
    arg_list: Sequence[Any], arg_dict: Mapping[str, Any], arg_names: Sequence[str], default_values: Mapping[str, Any]
) -> tuple[dict[str, Any], set[str]]:
    """Return all arguments by name, given or by default, and the names of those that were given.

    Raises
    ------
    TypeError
        For a name that does not exist, and for one that was given twice.
    """
    if len(arg_list) > len(arg_names):
        raise TypeError(f"expected at most {len(arg_names)} arguments, got {len(arg_list)}")
    given: dict[str, Any] = {}
    for key, value in [*zip(arg_names, arg_list, strict=False), *arg_dict.items()]:
        name = ALIASES.get(key, key)
        if name not in arg_names:
            raise TypeError(f"unexpected keyword argument '{name}'")
        if name in given:
            raise TypeError(f"multiple values for argument '{name}'")
        given[name] = value
    return {**default_values, **given}, set(given)


def build_args(values: Mapping[str, Any], given: set[str]) -> args:
    """Return checked arguments.

    Raises
    ------
    ValueError
        For an unknown loss or kind of model.
    TypeError
        For a value of another type than the default's.
    """
    built = args()
    for name, value in values.items():
        setattr(built, name, _checked(name, value))
        if name in given:
            built.setManual(name)
    for name, kinds, what in (("loss", loss_name, "loss"), ("model", model_name, "model")):
        value = values[name]
        if not isinstance(value, str) or value not in kinds.__members__:
            raise ValueError(f"Unrecognized {what} name {value!r}: expected one of {', '.join(kinds.__members__)}")
        setattr(built, name, kinds[value])
    built.settle(keep_bucket=bool(built.autotuneValidationFile) and "bucket" in given)
    return built


def _checked(name: str, value: Any) -> Any:
    if name in ("loss", "model"):
        return value
    if name in PATHS:
        return path_of(value, name)
    default = {**DEFAULTS, **REST}[name]
    if isinstance(default, bool):
        return bool(value)
    if isinstance(default, int) and hasattr(value, "__index__"):
        return value.__index__()
    if isinstance(default, float) and hasattr(value, "__float__"):
        return float(value)
    if name == "autotuneModelSize" and isinstance(value, int):
        return str(value)
    if isinstance(default, str) and isinstance(value, str):
        return value
    expected = {int: "a whole number", float: "a number", str: "a str"}[type(default)]
    raise TypeError(f"{name}={value!r}: expected {expected}, not {type(value).__name__}")
