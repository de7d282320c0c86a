"""Cutting documents into lines, paragraphs or windows of words, and joining the scores of these units again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.errors import ParameterError
from lexigrad.machine.compiler import inputs, kernel, outputs

UNITS = {"document": 0, "line": 1, "paragraph": 2, "window": 3}
"""Number of newlines between two words where a new unit begins; a window goes by the number of words instead."""
WINDOW = UNITS["window"]
AGGREGATES: dict[str, np.ufunc] = {"mean": np.add, "max": np.maximum, "min": np.minimum}


@kernel(
    (inputs(types.uint8), inputs(types.int64), types.int64, types.int64, outputs(types.int64), outputs(types.int64))
)
def cut(data, offsets, kind, window, starts, first_units):  # type: ignore[no-untyped-def]
    """Set `starts` to where units begin, and `first_units` (n_texts + 1,) to the first unit of each text; return the number of units.

    Units tile their text, which has one at least: white space before a unit's first word belongs to the unit before it. With `starts` too short for
    all of them, only as many are written.
    """
    n = 0
    for text in range(offsets.size - 1):
        first_units[text] = n
        if n < starts.size:
            starts[n] = offsets[text]
        n += 1
        newlines, words, inside = 0, 0, False
        for i in range(offsets[text], offsets[text + 1]):
            byte = data[i]
            if byte <= 32 and (byte == 32 or 9 <= byte <= 13 or byte == 0):
                newlines += byte == 10
                inside = False
            elif not inside:
                inside = True
                if words > 0 and (words >= window if kind == WINDOW else newlines >= kind):
                    if n < starts.size:
                        starts[n] = i
                    n += 1
                    words = 0
                words += 1
                newlines = 0
    first_units[offsets.size - 1] = n
    return n


def units_of(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], unit: str, window: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (offsets of units, first unit of each text and their number): unit j is ``data[offsets[j]:offsets[j + 1]]``.

    Parameters
    ----------
    data, offsets : texts, as in `lexigrad.text.batches.TextBatch`
    unit : one of `UNITS`: a "line" ends where a newline stands between two words, a "paragraph" where two do, a "window" after `window` words.
        Words are what stands between ASCII white space; blank lines make no units
    window : words of a window
    """
    first_units = np.empty(len(offsets), np.int64)
    starts = np.empty(2 * len(offsets), np.int64)
    n = cut(data, offsets, UNITS[unit], window, starts, first_units)
    if n > len(starts):
        starts = np.empty(n, np.int64)
        cut(data, offsets, UNITS[unit], window, starts, first_units)
    return np.append(starts[:n], offsets[-1]), first_units


def joined(
    probs: NDArray[np.float32], known: NDArray[np.int32], first_units: NDArray[np.int64], aggregate: str
) -> NDArray[np.float32]:
    """Return the probabilities of texts, (n_texts, n_labels) float32, from those of their units, (n_units, n_labels).

    The mean, largest or smallest of each label over the units with a known feature; over all units where a text has no such unit.
    """
    function, starts = AGGREGATES[aggregate], first_units[:-1]
    counted = known > 0
    counts = np.add.reduceat(counted, starts, dtype=np.int64)
    counted |= np.repeat(counts == 0, np.diff(first_units))
    values: NDArray[Any] = probs.astype(np.float64)
    values[~counted] = {"mean": 0.0, "max": 0.0, "min": 1.0}[aggregate]
    result = function.reduceat(values, starts, axis=0)
    if aggregate == "mean":
        result /= np.add.reduceat(counted, starts, dtype=np.int64)[:, None]
    return result.astype(np.float32)


def check_units(unit: str, window: int, aggregate: str) -> None:
    """Raise `ParameterError` for a unit, a window or an aggregate that cannot be."""
    from lexigrad.models.parameters import check_whole

    if unit not in UNITS:
        raise ParameterError(f"unit={unit!r}: expected one of {', '.join(map(repr, UNITS))}")
    if aggregate not in AGGREGATES:
        raise ParameterError(f"aggregate={aggregate!r}: expected one of {', '.join(map(repr, AGGREGATES))}")
    check_whole("window", window, 1)
