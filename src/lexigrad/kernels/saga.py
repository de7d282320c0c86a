"""SAGA steps for softmax regression, one example a step.

For the mean of the costs over n examples, with r_i the R of example i when it was last seen and G = sum_i x_i r_i^T::

    W <- (1 - step l2 / n) W - step (x_i (r - r_i)^T + G / n),    G <- G + x_i (r - r_i)^T,    r_i <- r

What an example lacks shrinks and follows G all the same; those steps are made up for when a feature is next met (m of them at once)::

    W_j <- rho^m W_j - step G_j / n (1 + rho + ... + rho^(m - 1)),    rho = 1 - step l2 / n

A. Defazio, F. Bach and S. Lacoste-Julien, "SAGA" (NIPS 2014), equation 7; delayed steps: M. Schmidt, N. Le Roux and F. Bach, Mathematical
Programming 162, 2017, section 4.1.
"""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.softmax_regression import FLOATS, IDS, INT, PLACES, RESULT, probabilities
from lexigrad.machine.compiler import helper, kernel, outputs

TIMES = outputs(types.int64)


@helper
def catch_up(weights, sums, at, stride, missed, step, n, powers, totals):  # type: ignore[no-untyped-def]
    """Make up for `missed` steps of a feature; ``powers[m]`` is rho^m and ``totals[m]`` the sum of the powers below."""
    if missed > 0:
        share, pull = powers[missed], step / n * totals[missed]
        for l in range(stride):
            weights[at + l] = share * weights[at + l] - pull * sums[at + l]


@kernel(
    (
        IDS, INT, INT, INT, IDS, PLACES, FLOATS, INT, IDS, FLOATS, INT, INT, INT, INT, types.float64, FLOATS, FLOATS, TIMES, RESULT, RESULT, RESULT,
        RESULT,
    )
)  # fmt: skip
def saga_steps(  # type: ignore[no-untyped-def]
    order, first, stop, dense, offsets, columns, values, dim, ids, sample_weights, n_scores, stride, implied, intercept, step, powers, totals,
    last, weights, table, sums, scratch
):  # fmt: skip
    """Take the steps first..stop of an epoch, with the examples ``order[first:stop]``.

    ``last[j]`` is the step of the epoch up to which feature j is done; `table` holds all r_i and `sums` G; `scratch` is 3 stride numbers.
    Dense examples have `dim` values each and no `columns`.
    """
    n = offsets.size - 1
    for t in range(first, stop):
        row = order[t]
        begin, end = offsets[row], offsets[row + 1]
        for l in range(stride):
            scratch[l] = weights[dim * stride + l]
        for i in range(begin, end):
            j = i - begin if dense else np.int64(columns[i])
            at = j * stride
            catch_up(weights, sums, at, stride, t - last[j], step, n, powers, totals)
            last[j] = t
            for l in range(stride):
                scratch[l] += values[i] * weights[at + l]
        probabilities(
            scratch, 0, 1, n_scores, stride, implied, ids, row, sample_weights, scratch[stride:], scratch, 2 * stride
        )
        for l in range(stride):
            scratch[l] = scratch[2 * stride + l] - table[row * stride + l]
            table[row * stride + l] = scratch[2 * stride + l]
        for i in range(begin, end):
            j = i - begin if dense else np.int64(columns[i])
            at = j * stride
            catch_up(weights, sums, at, stride, t + 1 - last[j], step, n, powers, totals)
            last[j] = t + 1
            for l in range(stride):
                change = values[i] * scratch[l]
                weights[at + l] -= step * change
                sums[at + l] += change
        if intercept:
            at = dim * stride
            for l in range(stride):
                weights[at + l] -= step * (scratch[l] + sums[at + l] / n)
                sums[at + l] += scratch[l]


@kernel((INT, INT, INT, INT, types.float64, FLOATS, FLOATS, TIMES, RESULT, FLOATS))
def saga_settle(dim, stride, n, now, step, powers, totals, last, weights, sums):  # type: ignore[no-untyped-def]
    """Make up for all steps until `now`, and begin to count anew."""
    for j in range(dim):
        catch_up(weights, sums, j * stride, stride, now - last[j], step, n, powers, totals)
        last[j] = 0
