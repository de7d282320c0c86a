"""Models of a limited size: quantised, with as many words and n-grams as fit."""

from __future__ import annotations

import bisect
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lexigrad.errors import ParameterError
from lexigrad.formats.fasttext_bin import CENTROIDS
from lexigrad.text.tokens import TOKENIZERS

if TYPE_CHECKING:
    from lexigrad.models.fitted import FittedClassifier
    from lexigrad.models.text_classifier import TextClassifier

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
LEAST_ROWS = CENTROIDS
"""Rows that are kept at least: with less, the centroids would take more than the rows."""
MANY_LABELS = CENTROIDS
"""From so many labels on the output matrix is quantised too, as fastText's autotune does."""
FULL = 0.9
"""A model that takes this share of what is allowed is full enough: each try is a quantisation."""
MOST_TRIES = 4
WORD_BYTES = 56
"""What a word takes in a .lexigrad file besides its code, with its share of what all files have; in an .ftz it is less."""


def bytes_of(size: int | str | None) -> int | None:
    """Return a size such as 2_000_000, "2M", "500k" or "1.5M" (decimal units) in bytes, or raise `ParameterError`."""
    if size is None:
        return None
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = re.fullmatch(r"(\d+|\d*\.\d+)([kmg]?)", size.strip().lower()) if isinstance(size, str) else None
    n_bytes = int(float(match[1]) * UNITS[match[2]]) if match else 0
    if n_bytes < 1:
        raise ParameterError(f"model_size={size!r}: expected bytes as a whole number, or text such as '2M' or '500k'")
    return n_bytes


def suffix_of(fitted: FittedClassifier) -> str:
    """Return the extension of the file whose size counts: .ftz where fastText can have the model, else .lexigrad."""
    return ".ftz" if fitted.reader.tokenizer == TOKENIZERS["whitespace"] else ".lexigrad"


def file_size(model: TextClassifier) -> int:
    """Return how many bytes a quantised model takes when it is saved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{suffix_of(model.fitted)}"
        model.save(path)
        return path.stat().st_size


def least_size(labels: list[Any], dim: int) -> int:
    """Return a number of bytes that no quantised model of this dim is below: centroids, `LEAST_ROWS` rows and the labels."""
    output = len(labels) if len(labels) >= MANY_LABELS else 4 * dim * len(labels)
    return (
        4 * CENTROIDS * (dim + 1)
        + 2 * LEAST_ROWS
        + output
        + sum(len(str(label).encode("utf-8", "replace")) for label in labels)
    )


def usual_least_size(labels: list[Any], dim: int, sub_dim: int) -> int:
    """Return about how many bytes the smallest quantised model takes: `least_size`, and `LEAST_ROWS` words of usual length with their codes."""
    return least_size(labels, dim) + LEAST_ROWS * (-(-dim // sub_dim) + WORD_BYTES)


def largest_dim(dims: range, size: int, size_of: Callable[[int], int]) -> int:
    """Return the last dim of which a model of `size` bytes is possible, where `size_of` tells its least size; the first if there is none."""
    return dims[max(0, bisect.bisect_right(dims, size, key=size_of) - 1)]


def quantised_within(model: TextClassifier, size: int, sub_dim: int) -> tuple[TextClassifier, int]:
    """Return the quantised model with the most rows that fits, as far as `MOST_TRIES` quantisations find it, and its size.

    The size is nearly linear in the number of rows, so that each try is taken from the line through two before it.

    Raises
    ------
    ParameterError
        If not even `LEAST_ROWS` rows fit.
    """
    fitted = model.fitted
    settings: dict[str, Any] = {"sub_dim": sub_dim, "norms": True, "output": len(fitted.output) >= MANY_LABELS}
    n_rows = _rows(fitted)
    whole: Any = model
    found: tuple[TextClassifier, int] | None = None
    low, high = LEAST_ROWS, n_rows
    cutoff = min(
        high, max(low, int((size - least_size(fitted.classes.tolist(), fitted.dim)) / _row_bytes(fitted, sub_dim)))
    )
    tried: list[tuple[int, int]] = []
    for _ in range(MOST_TRIES):
        quantised: TextClassifier = whole.quantize(0 if cutoff >= n_rows else cutoff, **settings)
        taken = file_size(quantised)
        tried.append((cutoff, taken))
        if taken <= size:
            found, low = (quantised, taken), cutoff + 1
            if cutoff >= n_rows or taken >= FULL * size:
                break
        else:
            high = cutoff - 1
        if low > high or (found is not None and high - low < (1 - FULL) * low / 10):
            break
        cutoff = min(high, max(low, _next_cutoff(tried, size)))
    if found is None:
        least = min(taken for _, taken in tried)
        raise ParameterError(f"model_size: a model of dim={fitted.dim} needs more than {size:,} bytes, about {least:,}")
    return found


def _next_cutoff(tried: list[tuple[int, int]], size: int) -> int:
    """Return where the line through the two tries nearest to the size meets 99 % of it."""
    if len(tried) == 1:
        rows, taken = tried[0]
        return int(rows * 0.99 * size / taken)
    (rows, taken), (other_rows, other_taken) = sorted(tried, key=lambda one: abs(one[1] - size))[:2]
    if taken == other_taken:
        return (rows + other_rows) // 2
    return int(rows + (0.99 * size - taken) * (rows - other_rows) / (taken - other_taken))


def _rows(fitted: FittedClassifier) -> int:
    """Return how many words and buckets a quantised model can have."""
    slots = fitted.reader.slot_rows
    return int((slots >= 0).sum()) if len(slots) else len(fitted.input)


def _row_bytes(fitted: FittedClassifier, sub_dim: int) -> float:
    """Return about how many bytes a word or bucket takes: code, norm, and its entry in the dictionary or the table of buckets."""
    words = fitted.reader.vocabulary
    letters = float(words.offsets[fitted.reader.n_words]) / max(1, fitted.reader.n_words)
    share = fitted.reader.n_words / max(1, _rows(fitted))
    native = suffix_of(fitted) == ".lexigrad"
    word, bucket = (letters + 36, 16) if native else (letters + 10, 8)
    return -(-fitted.dim // sub_dim) + 1 + share * word + (1 - share) * bucket
