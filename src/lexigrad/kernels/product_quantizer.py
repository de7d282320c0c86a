"""The loops of product quantisation: the nearest centroid of many rows at once, and k-means on one slice of them.

Rows come transposed, a column after the other, so that a vector of the processor holds the same number of many rows. Distances are sums of squared
differences and not ``|c|^2 - 2 x c``, which would lose the digits by which near centroids differ.
"""

from __future__ import annotations

import numpy as np
from numba import types

from lexigrad.kernels.rows import SLICE_CENTROIDS
from lexigrad.machine.compiler import helper, inputs, kernel, outputs

_I64, _F32, _F64, _U8 = types.int64, types.float32, types.float64, types.uint8

BLOCK = 64
"""Rows whose distances are computed together."""
GROUP = 1024
"""Rows whose distances are added up in one number, by which a row is found that a draw means."""


@helper
def nearest(columns, start, stride, n, sub_dim, centroids, first, rows, scores, best, codes):  # type: ignore[no-untyped-def]
    """Set codes[i] and best[i] to the nearest centroid of row i < n <= BLOCK and its squared distance; of equal ones the first.

    Number k of row i is ``columns[start + k * stride + i]``; centroid j begins at ``centroids[first + j * sub_dim]``. `rows` (sub_dim * BLOCK,) gets
    the rows; the loops always run over whole blocks, which the compiler turns into vectors.
    """
    for k in range(sub_dim):
        for i in range(n):
            rows[k * BLOCK + i] = columns[start + k * stride + i]
    for i in range(BLOCK):
        best[i] = np.float32(np.inf)
        codes[i] = np.int32(0)
    if sub_dim == 2:
        for j in range(0, SLICE_CENTROIDS, 4):
            place = first + 2 * j
            x0, y0, x1, y1 = centroids[place], centroids[place + 1], centroids[place + 2], centroids[place + 3]
            x2, y2, x3, y3 = centroids[place + 4], centroids[place + 5], centroids[place + 6], centroids[place + 7]
            for i in range(BLOCK):
                x, y, least, code = rows[i], rows[BLOCK + i], best[i], codes[i]
                one = (x - x0) * (x - x0) + (y - y0) * (y - y0)
                two = (x - x1) * (x - x1) + (y - y1) * (y - y1)
                three = (x - x2) * (x - x2) + (y - y2) * (y - y2)
                four = (x - x3) * (x - x3) + (y - y3) * (y - y3)
                code, least = (np.int32(j), one) if one < least else (code, least)
                code, least = (np.int32(j + 1), two) if two < least else (code, least)
                code, least = (np.int32(j + 2), three) if three < least else (code, least)
                code, least = (np.int32(j + 3), four) if four < least else (code, least)
                best[i], codes[i] = least, code
        return
    for j in range(SLICE_CENTROIDS):
        place = first + j * sub_dim
        for i in range(BLOCK):
            scores[i] = np.float32(0)
        for k in range(sub_dim):
            centre, begin = centroids[place + k], np.uint64(k * BLOCK)
            for i in range(BLOCK):
                x = rows[begin + np.uint64(i)] - centre
                scores[i] += x * x
        for i in range(BLOCK):
            nearer = scores[i] < best[i]
            best[i] = scores[i] if nearer else best[i]
            codes[i] = np.int32(j) if nearer else codes[i]


@kernel((inputs(_F32), _I64, _I64, inputs(_F64), outputs(_F32)))
def first_centroids(columns, n, sub_dim, draws, centroids):  # type: ignore[no-untyped-def]
    """Set the first centroid of a slice to 0 and draw the others among the rows; return how many differ.

    Each is drawn with a chance proportional to the squared distance from the nearest one so far, by one of `draws`, (SLICE_CENTROIDS - 1,) in [0, 1).
    Where all rows are centroids the rest stays 0.
    """
    distances = np.empty(n, np.float32)
    n_groups = (n + GROUP - 1) // GROUP
    sums = np.empty(n_groups, np.float64)
    lanes, here = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    for j in range(SLICE_CENTROIDS * sub_dim):
        centroids[j] = np.float32(0)
    for i in range(n):
        distances[i] = np.float32(np.inf)
    for j in range(SLICE_CENTROIDS):
        total = 0.0
        for group in range(n_groups):
            for i in range(BLOCK):
                lanes[i] = np.float32(0)
            stop = min(n, (group + 1) * GROUP)
            for start in range(group * GROUP, stop, BLOCK):
                far = distances[start : min(start + BLOCK, stop)]
                for i in range(far.size):
                    here[i] = np.float32(0)
                for k in range(sub_dim):
                    column, centre = columns[k * n + start : k * n + start + far.size], centroids[j * sub_dim + k]
                    for i in range(far.size):
                        x = column[i] - centre
                        here[i] += x * x
                for i in range(far.size):
                    far[i] = here[i] if here[i] < far[i] else far[i]
                    lanes[i] += far[i]
            sums[group] = 0.0
            for i in range(BLOCK):
                sums[group] += np.float64(lanes[i])
            total += sums[group]
        if not total > 0.0:
            return j + 1
        if j + 1 == SLICE_CENTROIDS:
            break
        left, group = draws[j] * total, 0
        while group < n_groups - 1 and left >= sums[group]:
            left -= sums[group]
            group += 1
        chosen, stop = group * GROUP, min(n, (group + 1) * GROUP)
        for i in range(group * GROUP, stop):  # the last with a distance, if rounding leaves more than all
            if distances[i] > np.float32(0):
                chosen = i
                left -= np.float64(distances[i])
                if left < 0.0:
                    break
        for k in range(sub_dim):
            centroids[(j + 1) * sub_dim + k] = columns[k * n + chosen]
    return SLICE_CENTROIDS


@kernel((inputs(_F32), _I64, _I64, outputs(_F32), _I64, _I64, outputs(_F64)))
def k_means(columns, n, sub_dim, centroids, fixed, iterations, objectives):  # type: ignore[no-untyped-def]
    """Move the centroids of one slice, (SLICE_CENTROIDS * sub_dim,), by Lloyd's algorithm; the first `fixed` stay where they are.

    Each iteration gives every row its nearest centroid and writes the sum of squared distances to `objectives`; then each centroid goes to the mean
    of its rows. One without rows goes to the row that is farthest from its own centroid, which can only shorten distances. Return the number of
    iterations until nothing changed.
    """
    rows = np.zeros(sub_dim * BLOCK, np.float32)
    scores, near = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    codes_here = np.empty(BLOCK, np.int32)
    codes, distances = np.full(n, -1, np.int32), np.empty(n, np.float32)
    sums, counts = np.empty(SLICE_CENTROIDS * sub_dim, np.float64), np.empty(SLICE_CENTROIDS, np.int64)
    for turn in range(iterations):
        objective, changed = 0.0, 0
        for j in range(SLICE_CENTROIDS * sub_dim):
            sums[j] = 0.0
        for j in range(SLICE_CENTROIDS):
            counts[j] = 0
        for start in range(0, n, BLOCK):
            width = min(BLOCK, n - start)
            nearest(columns, start, n, width, sub_dim, centroids, 0, rows, scores, near, codes_here)
            for i in range(width):
                code, row = codes_here[i], start + i
                changed += codes[row] != code
                codes[row], distances[row] = code, near[i]
                objective += np.float64(near[i])
                counts[code] += 1
                for k in range(sub_dim):
                    sums[code * sub_dim + k] += np.float64(columns[k * n + row])
        objectives[turn] = objective
        if changed == 0:
            return turn + 1
        for j in range(fixed, SLICE_CENTROIDS):
            if counts[j] > 0:
                for k in range(sub_dim):
                    centroids[j * sub_dim + k] = np.float32(sums[j * sub_dim + k] / np.float64(counts[j]))
        for j in range(fixed, SLICE_CENTROIDS):
            if counts[j] == 0:
                farthest = 0
                for row in range(n):
                    if distances[row] > distances[farthest]:
                        farthest = row
                if distances[farthest] > np.float32(0):
                    distances[farthest] = np.float32(0)
                    for k in range(sub_dim):
                        centroids[j * sub_dim + k] = columns[k * n + farthest]
    return iterations


@kernel((inputs(_F32), _I64, _I64, _I64, inputs(_F32), outputs(_U8), _I64, outputs(_F64), outputs(_F64)))
def encode(columns, n, dim, sub_dim, centroids, codes, first, products, squares):  # type: ignore[no-untyped-def]
    """Write the codes of `n` rows, (dim * n,) by columns, for all slices to the rows of `codes` from `first` on.

    products[i] gets row i times the row that its codes stand for, and squares[i] the squared length of that.
    """
    rows = np.zeros(sub_dim * BLOCK, np.float32)
    scores, near = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    here = np.empty(BLOCK, np.int32)
    n_slices = (dim + sub_dim - 1) // sub_dim
    for start in range(0, n, BLOCK):
        width = min(BLOCK, n - start)
        for i in range(width):
            products[start + i], squares[start + i] = 0.0, 0.0
        for s in range(n_slices):
            size = min(sub_dim, dim - s * sub_dim)
            begin = s * sub_dim * SLICE_CENTROIDS
            nearest(columns, s * sub_dim * n + start, n, width, size, centroids, begin, rows, scores, near, here)
            for i in range(width):
                codes[(first + start + i) * n_slices + s] = here[i]
                for k in range(size):
                    centre = np.float64(centroids[begin + here[i] * size + k])
                    products[start + i] += centre * np.float64(columns[(s * sub_dim + k) * n + start + i])
                    squares[start + i] += centre * centre
