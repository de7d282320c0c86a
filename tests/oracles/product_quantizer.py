"""Product quantisation in plain NumPy, float64: distances to centroids, and k-means as the kernel does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lexigrad.formats.fasttext_bin import CodedMatrix


def distances(rows: NDArray[np.float64], centroids: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 256) squared distances."""
    return ((rows[:, None, :].astype(np.float64) - centroids[None].astype(np.float64)) ** 2).sum(axis=2)


def k_means(
    rows: NDArray[np.float32], centroids: NDArray[np.float32], fixed: int, iterations: int
) -> tuple[NDArray[np.float32], list[float]]:
    """Lloyd's algorithm; a centroid without rows goes to the row that is farthest from its own."""
    centroids = centroids.copy()
    objectives: list[float] = []
    before = np.full(len(rows), -1)
    for _ in range(iterations):
        table = distances(rows, centroids)
        codes, near = table.argmin(axis=1), table.min(axis=1)
        objectives.append(float(near.sum()))
        if (codes == before).all():
            break
        before = codes
        for j in range(fixed, len(centroids)):
            if (codes == j).any():
                centroids[j] = rows[codes == j].astype(np.float64).mean(axis=0)
        for j in range(fixed, len(centroids)):
            if not (codes == j).any() and near.max() > 0:
                farthest = near.argmax()
                near[farthest] = 0
                centroids[j] = rows[farthest]
    return centroids, objectives


def slices(matrix: CodedMatrix) -> list[tuple[slice, NDArray[np.float32]]]:
    """The columns of each slice and its centroids, (256, width)."""
    found = []
    for first in range(0, matrix.dim, matrix.sub_dim):
        last = min(first + matrix.sub_dim, matrix.dim)
        found.append((slice(first, last), matrix.centroids[256 * first : 256 * last].reshape(256, -1)))
    return found
