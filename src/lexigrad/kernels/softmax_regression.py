"""Softmax regression: cost, gradient and Hessian-vector product of rows of examples.

    S = X W + b,    P = softmax(S),    R = sw * (P - Y)
    gradient:        X^T R             and the sum of the rows of R for b
    Hessian-vector:  X^T T             with U = X V + v_b,  T_l = sw P_l (U_l - sum_m P_m U_m)

`sw` are the weights of the examples. W, V and results are flat (n_features + 1, stride), the last row being the intercept; the columns from
`n_scores` to `stride` are 0. With `implied` 1 there is one more label in front, whose score is always 0 (two labels): ids count it, columns
do not. Penalties are added by the caller.

A dense X is flat (n, n_features), read block by block: a block comes from memory once for both of its products. A sparse X comes in parts of
rows; a part is a list of columns: column j of part p has the entries ``starts[p, j]`` to ``starts[p, j + 1]`` of `rows` and `values`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.machine.tiles import add_column, add_from_column, add_outer, add_products
from lexigrad.maths.row_loops import exponentials

INT = types.int64
FLOATS, IDS, PLACES, RESULT = inputs(types.float64), inputs(types.int64), inputs(types.int32), outputs(types.float64)


@helper
def fill_rows(out, start, n, stride, row, row_start):  # type: ignore[no-untyped-def]
    """Set `n` rows of `out` to one row."""
    for i in range(n):
        for l in range(stride):
            out[start + i * stride + l] = row[row_start + l]


@helper
def add_rows(out, out_start, values, start, n, stride):  # type: ignore[no-untyped-def]
    """Add the sum of `n` rows to a row of `out`."""
    for i in range(n):
        for l in range(stride):
            out[out_start + l] += values[start + i * stride + l]


@helper
def probabilities(scores, start, n, n_scores, stride, implied, ids, first, sample_weights, exps, residuals, r_start):  # type: ignore[no-untyped-def]
    """Turn `n` rows of scores into probabilities, in place; fill sw (P - Y) and return the sum of sw times the cross-entropies.

    `exps` is scratch of n stride numbers.
    """
    cost = 0.0
    for i in range(n):
        at = start + i * stride
        peak = 0.0 if implied else scores[at]
        for l in range(n_scores):
            if not scores[at + l] <= peak:
                peak = scores[at + l]
        label = ids[first + i] - implied
        chosen = scores[at + label] if label >= 0 else 0.0
        cost += sample_weights[first + i] * (peak - chosen)
        for l in range(n_scores):
            exps[i * stride + l] = scores[at + l] - peak
        for l in range(n_scores, stride):
            exps[i * stride + l] = -peak if implied and l == n_scores else -np.inf
    exponentials(exps, n * stride)
    for i in range(n):
        at, weight = start + i * stride, sample_weights[first + i]
        total = 0.0
        for l in range(n_scores + implied):
            total += exps[i * stride + l]
        cost += weight * np.log(total)
        label = ids[first + i] - implied
        for l in range(n_scores):
            prob = exps[i * stride + l] / total
            scores[at + l] = prob
            residuals[r_start + i * stride + l] = weight * (prob - 1.0 if l == label else prob)
        for l in range(n_scores, stride):
            scores[at + l] = 0.0
            residuals[r_start + i * stride + l] = 0.0
    return cost


@helper
def curvatures(probs, start, changes, c_start, n, n_scores, stride, first, sample_weights):  # type: ignore[no-untyped-def]
    """Replace each row U of `changes` by sw P (U - P . U)."""
    for i in range(n):
        at, to = start + i * stride, c_start + i * stride
        mean = 0.0
        for l in range(n_scores):
            mean += probs[at + l] * changes[to + l]
        weight = sample_weights[first + i]
        for l in range(stride):
            changes[to + l] = weight * (probs[at + l] * (changes[to + l] - mean))


@kernel(
    types.float64(
        FLOATS, INT, INT, INT, IDS, FLOATS, FLOATS, INT, INT, INT, INT, INT, RESULT, RESULT, RESULT, RESULT
    )
)  # fmt: skip
def dense_loss_gradient(  # type: ignore[no-untyped-def]
    x, dim, first, stop, ids, sample_weights, weights, n_scores, stride, implied, intercept, block, probs, gradient, residuals, exps
):  # fmt: skip
    """Fill the probabilities of the rows first..stop, set `gradient` to theirs, and return their cost.

    `residuals` and `exps` are scratch of block stride numbers.
    """
    cost = 0.0
    for i in range(gradient.size):
        gradient[i] = 0.0
    for begin in range(first, stop, block):
        n = min(block, stop - begin)
        fill_rows(probs, begin * stride, n, stride, weights, dim * stride)
        add_products(x, begin * dim, n, dim, weights, probs, begin * stride, stride)
        cost += probabilities(
            probs, begin * stride, n, n_scores, stride, implied, ids, begin, sample_weights, exps, residuals, 0
        )
        add_outer(x, begin * dim, n, dim, residuals, 0, gradient, stride)
        if intercept:
            add_rows(gradient, dim * stride, residuals, 0, n, stride)
    return cost


@kernel((FLOATS, INT, INT, INT, FLOATS, FLOATS, INT, INT, INT, INT, FLOATS, RESULT, RESULT))
def dense_hessian_product(  # type: ignore[no-untyped-def]
    x, dim, first, stop, sample_weights, vector, n_scores, stride, intercept, block, probs, product, changes
):  # fmt: skip
    """Set `product` to that of the rows first..stop; `changes` is scratch of block stride numbers."""
    for i in range(product.size):
        product[i] = 0.0
    for begin in range(first, stop, block):
        n = min(block, stop - begin)
        fill_rows(changes, 0, n, stride, vector, dim * stride)
        add_products(x, begin * dim, n, dim, vector, changes, 0, stride)
        curvatures(probs, begin * stride, changes, 0, n, n_scores, stride, begin, sample_weights)
        add_outer(x, begin * dim, n, dim, changes, 0, product, stride)
        if intercept:
            add_rows(product, dim * stride, changes, 0, n, stride)


@kernel((FLOATS, INT, INT, INT, FLOATS, INT, RESULT))
def dense_scores(x, dim, first, stop, weights, stride, scores):  # type: ignore[no-untyped-def]
    """Fill the scores of the rows first..stop."""
    fill_rows(scores, first * stride, stop - first, stride, weights, dim * stride)
    add_products(x, first * dim, stop - first, dim, weights, scores, first * stride, stride)


@kernel((PLACES, FLOATS, IDS, INT, INT, INT, INT, FLOATS, INT, RESULT))
def sparse_scores(rows, values, starts, part, dim, first, stop, weights, stride, scores):  # type: ignore[no-untyped-def]
    """Fill the scores of a part, the rows first..stop."""
    fill_rows(scores, first * stride, stop - first, stride, weights, dim * stride)
    base = part * (dim + 1)
    for j in range(dim):
        begin, end = starts[base + j], starts[base + j + 1]
        if begin < end:
            add_column(rows, values, begin, end, weights, j * stride, scores, stride)


@kernel((PLACES, FLOATS, IDS, INT, INT, INT, INT, FLOATS, INT, RESULT))
def sparse_transposed(rows, values, starts, n_parts, dim, first, stop, residuals, stride, out):  # type: ignore[no-untyped-def]
    """Set the rows first..stop of X^T R, columns of X."""
    for j in range(first, stop):
        for l in range(stride):
            out[j * stride + l] = 0.0
        for part in range(n_parts):
            begin, end = starts[part * (dim + 1) + j], starts[part * (dim + 1) + j + 1]
            if begin < end:
                add_from_column(rows, values, begin, end, residuals, out, j * stride, stride)


BLOCK = 64


@kernel(types.float64(RESULT, INT, INT, INT, INT, INT, IDS, FLOATS, RESULT, RESULT))
def rows_loss_residuals(scores, first, stop, n_scores, stride, implied, ids, sample_weights, residuals, exps):  # type: ignore[no-untyped-def]
    """Turn the scores of the rows first..stop into probabilities, fill their residuals and return their cost."""
    cost = 0.0
    for begin in range(first, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        cost += probabilities(
            scores, begin * stride, n, n_scores, stride, implied, ids, begin, sample_weights, exps, residuals, begin * stride
        )  # fmt: skip
    return cost


@kernel((FLOATS, RESULT, INT, INT, INT, INT, FLOATS))
def rows_curvatures(probs, changes, first, stop, n_scores, stride, sample_weights):  # type: ignore[no-untyped-def]
    """Replace the rows first..stop of U by sw P (U - P . U)."""
    curvatures(probs, first * stride, changes, first * stride, stop - first, n_scores, stride, first, sample_weights)


@kernel((FLOATS, INT, INT, RESULT))
def sum_rows(values, n, stride, out):  # type: ignore[no-untyped-def]
    """Set `out` to the sum of all rows."""
    for l in range(stride):
        out[l] = 0.0
    add_rows(out, 0, values, 0, n, stride)


@kernel((IDS, PLACES, FLOATS, INT, INT, IDS, INT, outputs(types.int64), outputs(types.int32), RESULT))
def sort_columns(offsets, columns, data, first, stop, starts, base, next_place, rows, values):  # type: ignore[no-untyped-def]
    """Write the entries of the rows first..stop by columns: `next_place` begins as the start of each column and ends as its end."""
    for j in range(next_place.size):
        next_place[j] = starts[base + j]
    for row in range(first, stop):
        for i in range(offsets[row], offsets[row + 1]):
            j = columns[i]
            rows[next_place[j]] = row
            values[next_place[j]] = data[i]
            next_place[j] += 1


def _gram_signature(dtype: Any) -> Any:
    floats, result = inputs(dtype), outputs(dtype)
    return types.void(PLACES, floats, floats, IDS, INT, INT, floats, INT, result, result)


@kernel([_gram_signature(types.float64), _gram_signature(types.float32)])
def sparse_gram(rows, values, own, starts, first, stop, a, stride, image, column):  # type: ignore[no-untyped-def]
    """Set `image` to X_c X_c^T A, with X_c the columns first..stop that have several entries, X being one part.

    Columns with one entry are a diagonal, `own` (n,), which the chunk with column 0 adds. `column` is scratch of stride numbers.
    """
    for i in range(own.size):
        share = own[i] if first == 0 else own[i] * 0
        for l in range(stride):
            image[i * stride + l] = share * a[i * stride + l]
    for j in range(first, stop):
        begin, end = starts[j], starts[j + 1]
        if end - begin > 1:
            for l in range(stride):
                column[l] = 0.0
            add_from_column(rows, values, begin, end, a, column, 0, stride)
            add_column(rows, values, begin, end, column, 0, image, stride)


@kernel(types.float64(FLOATS, FLOATS, INT, INT))
def dot(a, b, first, stop):  # type: ignore[no-untyped-def]
    """Return the sum of a_i b_i over first..stop, in eight sums."""
    s0, s1, s2, s3, s4, s5, s6, s7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    whole = first + (stop - first) // 8 * 8
    for i in range(first, whole, 8):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        s4 += a[i + 4] * b[i + 4]
        s5 += a[i + 5] * b[i + 5]
        s6 += a[i + 6] * b[i + 6]
        s7 += a[i + 7] * b[i + 7]
    for i in range(whole, stop):
        s0 += a[i] * b[i]
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


@kernel((PLACES, FLOATS, IDS, INT, INT, INT, INT, FLOATS, RESULT))
def sparse_squares(rows, values, starts, n_parts, dim, first, stop, row_weights, out):  # type: ignore[no-untyped-def]
    """Set ``out[j]`` to sum_i row_weights_i x_ij^2 for the columns first..stop."""
    for j in range(first, stop):
        total = 0.0
        for part in range(n_parts):
            for i in range(starts[part * (dim + 1) + j], starts[part * (dim + 1) + j + 1]):
                total += row_weights[rows[i]] * values[i] * values[i]
        out[j] = total


@kernel((FLOATS, INT, INT, INT, INT, FLOATS, RESULT))
def row_curvatures(probs, first, stop, n_scores, stride, sample_weights, out):  # type: ignore[no-untyped-def]
    """Set ``out[i]`` to sw_i times the mean of P (1 - P) of the rows first..stop."""
    for i in range(first, stop):
        total = 0.0
        for l in range(n_scores):
            total += probs[i * stride + l] * (1.0 - probs[i * stride + l])
        out[i] = sample_weights[i] * total / n_scores


@kernel((FLOATS, FLOATS, RESULT, RESULT, types.float64, INT, INT))
def step_both(direction, product, solution, rest, step, first, stop):  # type: ignore[no-untyped-def]
    """Solution += step direction; rest -= step product, for the elements first..stop."""
    for i in range(first, stop):
        solution[i] += step * direction[i]
        rest[i] -= step * product[i]


@kernel((FLOATS, RESULT, types.float64, INT, INT))
def turn(solved, direction, share, first, stop):  # type: ignore[no-untyped-def]
    """Direction = solved + share direction, for the elements first..stop."""
    for i in range(first, stop):
        direction[i] = solved[i] + share * direction[i]


@kernel(types.float64(FLOATS, RESULT, types.float64, INT, INT))
def add_penalty(weights, gradient, l2, first, stop):  # type: ignore[no-untyped-def]
    """Gradient += l2 weights for the elements first..stop; return the sum of the squared weights."""
    for i in range(first, stop):
        gradient[i] += l2 * weights[i]
    return dot(weights, weights, first, stop)


@kernel((IDS, PLACES, FLOATS, INT, INT, INT, FLOATS, INT, RESULT))
def sparse_row_scores(offsets, columns, values, dim, first, stop, weights, stride, scores):  # type: ignore[no-untyped-def]
    """Fill the scores of the rows first..stop of a matrix that comes by rows."""
    fill_rows(scores, first * stride, stop - first, stride, weights, dim * stride)
    for row in range(first, stop):
        add_from_column(columns, values, offsets[row], offsets[row + 1], weights, scores, row * stride, stride)
