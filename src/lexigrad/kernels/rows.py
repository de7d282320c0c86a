"""What kernels share that go through rows of matrices: quantised rows, and the vectors of a block of texts as lanes."""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.machine.compiler import helper, inputs
from lexigrad.machine.intrinsics import LANES

AHEAD = 12
"""Rows between a prefetch and its use: about one memory latency."""
SLICE_CENTROIDS = 256

MATRIX = (
    inputs(types.uint8),
    types.int64,
    types.int64,
    inputs(types.uint8),
    inputs(types.float32),
    inputs(types.float32),
)
"""Types of an input matrix: its bytes, then for quantised rows the number of slices (0 for float32 numbers), numbers of a slice, norm codes,
centroids, centroids of norms."""


@helper
def lanes_of(hidden, stride, dim, lanes, norms):  # type: ignore[no-untyped-def]
    """Transpose hidden (LANES, stride) to lanes (dim, LANES), and set norms to the squared length of each text's vector."""
    for lane in range(LANES):
        norms[lane] = np.float32(0)
        for k in range(dim):
            value = hidden[lane * stride + k]
            lanes[k * LANES + lane] = value
            norms[lane] += value * value


@helper
def add_coded_row(codes, n_slices, sub_dim, norms, centroids, norm_centroids, row, dim, hidden, start):  # type: ignore[no-untyped-def]
    """hidden[start : start + dim] += a quantised row."""
    norm = norm_centroids[norms[row]] if norms.size > 0 else np.float32(1)
    for s in range(n_slices - 1):
        place = (SLICE_CENTROIDS * s + codes[row * n_slices + s]) * sub_dim
        for k in range(sub_dim):
            hidden[start + s * sub_dim + k] += norm * centroids[place + k]
    s = n_slices - 1
    last = dim - s * sub_dim
    place = SLICE_CENTROIDS * s * sub_dim + codes[row * n_slices + s] * last
    for k in range(last):
        hidden[start + s * sub_dim + k] += norm * centroids[place + k]
