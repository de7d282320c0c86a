"""Product quantisation: a matrix as one byte for each slice of each row.

Columns are cut into slices of `sub_dim` numbers. For each slice, k-means finds 256 centroids on a sample of the rows, and a row keeps the number of the
nearest one. Both steps go on all cores, slice by slice and then some thousand rows at a time, and no bit depends on how many there are.

With `norms` a row a is coded as ``c q``: q are the centroids of its direction a / |a|, and c, which has a byte of its own, is near to
``(a . q) / (q . q)``, the number that makes |a - c q| least. (fastText codes |a| instead, which is longer, as q is shorter than 1 on average.)

One centroid of each slice, or of c, is 0, so that a row of zeros is exact. Source: H. Jégou, M. Douze and C. Schmid, "Product Quantization for Nearest
Neighbor Search" (PAMI 2011); A. Joulin, E. Grave, P. Bojanowski, M. Douze, H. Jégou and T. Mikolov, "FastText.zip: Compressing text classification
models" (arXiv 1612.03651); the beginning of k-means: D. Arthur and S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding" (SODA 2007).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError
from lexigrad.formats.fasttext_bin import CENTROIDS, CodedMatrix
from lexigrad.kernels.product_quantizer import encode, first_centroids, k_means
from lexigrad.machine.threads import map_threads

SAMPLE = 65_536
"""Rows that centroids are made from, at most: 256 for each, as in fastText (productquantizer.cc)."""
ITERATIONS = 25
"""Of k-means, at most, as in fastText."""
CHUNK = 4096
"""Rows that are coded at a time: a megabyte or two, which stays in cache."""

Report = Callable[[float], None]


def quantized(
    matrix: NDArray[np.float32],
    *,
    sub_dim: int,
    norms: bool,
    seed: int,
    threads: int,
    report: Report = lambda share: None,
) -> CodedMatrix:
    """Return a matrix as codes.

    Parameters
    ----------
    matrix : (n, dim) float32, n > 0; it may be unaligned
    sub_dim : numbers of a slice; the last slice has what is left
    norms : keep the length of each row apart, one byte more a row
    seed : of the sample and the first centroids
    threads : number of threads; the result does not depend on it
    report : called with the share of the work that is done

    Raises
    ------
    DataError
        For a row with numbers that are not finite.
    """
    n, dim = matrix.shape
    sub_dim = min(sub_dim, dim)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:SAMPLE])
    sample, _ = _transposed(matrix, chosen, norms)
    slices = range(0, dim, sub_dim)
    n_chunks = -(-n // CHUNK)
    in_all = len(slices) * ITERATIONS * len(chosen) + 1.2 * len(slices) * n
    centroids = np.empty(CENTROIDS * dim, np.float32)
    found = map_threads(lambda k: slice_centroids(sample[k : k + sub_dim], [seed, k])[0], slices, threads)
    for k, of_slice in zip(slices, found, strict=True):
        centroids[CENTROIDS * k : CENTROIDS * min(k + sub_dim, dim)] = of_slice
        report((k // sub_dim + 1) * ITERATIONS * len(chosen) / in_all)
    codes = np.empty((n, len(slices)), np.uint8)
    lengths = np.empty(n if norms else 0, np.float32)

    def code(first: int) -> None:
        columns, sizes = _transposed(matrix, np.arange(first, min(first + CHUNK, n)), norms)
        rows = columns.shape[1]
        products, squares = np.empty(rows), np.empty(rows)
        encode(columns.reshape(-1), rows, dim, sub_dim, centroids, codes.reshape(-1), first, products, squares)
        if norms:
            lengths[first : first + rows] = sizes * np.divide(products, squares, out=np.zeros(rows), where=squares > 0)

    for i, _ in enumerate(map_threads(code, range(0, n, CHUNK), threads)):
        report(1 - (1 - (i + 1) / n_chunks) * 1.2 * len(slices) * n / in_all)
    nothing = np.empty(0, np.float32)
    if not norms:
        return CodedMatrix(codes, centroids, sub_dim, np.empty(0, np.uint8), nothing, dim)
    norm_centroids, _ = slice_centroids(lengths[None, chosen], [seed, dim])
    norm_codes = np.empty(n, np.uint8)
    unused = np.empty(n), np.empty(n)
    encode(lengths, n, 1, 1, norm_centroids, norm_codes, 0, *unused)
    return CodedMatrix(codes, centroids, sub_dim, norm_codes, norm_centroids, dim)


def _transposed(
    matrix: NDArray[np.float32], rows: NDArray[np.int64], norms: bool
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return some rows as (dim, n) and their lengths; with `norms` each is divided by its length."""
    part = np.asarray(matrix[rows], np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    if not np.isfinite(lengths).all():
        raise DataError(
            f"row {rows[np.argmin(np.isfinite(lengths))]:,} of the matrix holds numbers that are not finite, so it cannot be quantised"
        )
    if norms:
        part = np.divide(part, np.where(lengths > 0, lengths, 1.0)[:, None], dtype=np.float32)
    return np.ascontiguousarray(part.T, np.float32), lengths


def slice_centroids(columns: NDArray[np.float32], seed: list[int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return 256 centroids of the rows in `columns`, (sub_dim, n), one after another, and the objective of each iteration of k-means.

    The first centroid is 0. The others begin at rows that are drawn with chances proportional to the squared distance from the centroids so far. Trained
    rows crowd on few lines, with some far out, and rows drawn evenly would leave these without a centroid near them: on films' reviews the objective
    ended a thousand times as high. Up to 255 different rows are their own centroids. The objective, the sum of the squared distances of all rows from
    their centroids, never rises.
    """
    width, n = columns.shape
    flat, objectives = np.empty(CENTROIDS * width, np.float32), np.zeros(ITERATIONS)
    rows = np.ascontiguousarray(columns).reshape(-1)
    first_centroids(rows, n, width, np.random.default_rng(seed).random(CENTROIDS - 1), flat)
    done = k_means(rows, n, width, flat, 1, ITERATIONS, objectives)
    return flat, objectives[:done]
