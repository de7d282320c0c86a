"""Texts without their newlines."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.machine.compiler import inputs, kernel, outputs

NEWLINE = 10


@kernel((inputs(types.uint8), inputs(types.int64), outputs(types.uint8), outputs(types.int64)))
def _drop_newlines(data, offsets, kept, kept_offsets):  # type: ignore[no-untyped-def]
    n = 0
    kept_offsets[0] = 0
    for text in range(offsets.size - 1):
        for i in range(offsets[text], offsets[text + 1]):
            kept[n] = data[i]
            n += data[i] != NEWLINE
        kept_offsets[text + 1] = n


def without_newlines(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return (data, offsets) of the same texts with every newline taken out."""
    kept = np.empty(int(offsets[-1] - offsets[0]) + 1, np.uint8)
    kept_offsets = np.empty(len(offsets), np.int64)
    _drop_newlines(data, offsets, kept, kept_offsets)
    return kept, kept_offsets
