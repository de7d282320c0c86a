"""The largest numbers of each row, for the nearest words."""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.machine.compiler import kernel, outputs


@kernel(
    (
        types.Array(types.float32, 2, "C"),
        types.int64,
        types.int64,
        types.int64,
        outputs(types.int64),
        outputs(types.float32),
    )
)
def largest_of_rows(scores, first, stop, k, places, best):  # type: ignore[no-untyped-def]
    """For each of the rows ``first:stop`` set ``places[row * k:]`` and ``best[row * k:]`` to the `k` largest, falling; of equal ones the first is first.

    Where there are fewer than `k` numbers above -inf, the places that are left are -1.
    """
    for row in range(first, stop):
        base = row * k
        n = 0
        for i in range(scores.shape[1]):
            score = scores[row, i]
            if n < k:
                if not score > -np.inf:
                    continue
                n += 1
            elif not score > best[base + k - 1]:
                continue
            j = n - 1
            while j > 0 and best[base + j - 1] < score:
                best[base + j], places[base + j] = best[base + j - 1], places[base + j - 1]
                j -= 1
            best[base + j], places[base + j] = score, i
        for j in range(n, k):
            places[base + j] = -1
