"""Products of all input rows with all output rows, made once for scoring where scores are fewer than dimensions; see `lexigrad.kernels.score`."""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.rows import MATRIX, add_coded_row
from lexigrad.machine.compiler import inputs, kernel, outputs
from lexigrad.machine.intrinsics import set_scaled

_I64, _F32, _F64 = types.int64, types.float32, types.float64


@kernel((*MATRIX, inputs(_F64), _I64, _I64, _I64, _I64, outputs(_F32)))
def fold(  # type: ignore[no-untyped-def]
    matrix, n_slices, sub_dim, norms, centroids, norm_centroids, output, dim, n_scores, first, stop, folded
):
    """folded[row, i] = sum_k matrix[row, k] * output[i, k] in float64, for the rows first..stop."""
    numbers = np.zeros(dim, np.float32)
    for row in range(first, stop):
        if n_slices > 0:
            for k in range(dim):
                numbers[k] = np.float32(0)
            add_coded_row(matrix, n_slices, sub_dim, norms, centroids, norm_centroids, row, dim, numbers, 0)
        else:
            set_scaled(np.float32(1), matrix, row * 4 * dim, numbers, 0, dim)
        for i in range(n_scores):
            value = 0.0
            for k in range(dim):
                value += np.float64(numbers[k]) * output[i * dim + k]
            folded[row * n_scores + i] = np.float32(value)
