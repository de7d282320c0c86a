"""A matrix in a `.lexigrad` file: its numbers, or the codes of a quantised one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.formats.fasttext_bin import CENTROIDS, CodedMatrix, Matrix
from lexigrad.formats.native import NativeFile

CODED = ("codes", "centroids", "norm_codes", "norm_centroids")


def matrix_arrays(name: str, matrix: Matrix) -> dict[str, NDArray[Any]]:
    """Return the arrays of a matrix: itself, or `CODED` of a quantised one."""
    if not isinstance(matrix, CodedMatrix):
        return {name: matrix}
    return {f"{name}_{part}": getattr(matrix, part) for part in CODED}


def sub_dims(matrices: dict[str, Matrix]) -> dict[str, int]:
    """Return the numbers of a slice of each quantised matrix, which belong to the settings of a file."""
    return {name: matrix.sub_dim for name, matrix in matrices.items() if isinstance(matrix, CodedMatrix)}


def stored_matrix(file: NativeFile, name: str) -> Matrix:
    """Return a matrix of a file; ValueError if its arrays do not fit each other."""
    if name in file.arrays:
        return typed(file.arrays, name, np.float16 if file.arrays[name].dtype == np.float16 else np.float32, 2)
    codes = typed(file.arrays, f"{name}_codes", np.uint8, 2)
    norms = typed(file.arrays, f"{name}_norm_codes", np.uint8)
    centroids, norm_centroids = (
        typed(file.arrays, f"{name}_{part}", np.float32) for part in ("centroids", "norm_centroids")
    )
    sub_dim, dim = int(file.settings["sub_dims"][name]), len(centroids) // CENTROIDS
    whole = len(centroids) == CENTROIDS * dim and 1 <= sub_dim <= dim and codes.shape[1] == -(-dim // sub_dim)
    check(whole, f"the quantised {name} has slices that do not make up a row")
    check(len(norms) in (0, len(codes)), f"the quantised {name} has not one norm a row")
    check(len(norm_centroids) == (CENTROIDS if len(norms) else 0), f"the quantised {name} has not {CENTROIDS} norms")
    return CodedMatrix(codes, centroids, sub_dim, norms, norm_centroids, dim)


def check(condition: bool, problem: str) -> None:
    """Raise ValueError with a problem unless the condition holds."""
    if not condition:
        raise ValueError(problem)


def typed(arrays: dict[str, NDArray[Any]], name: str, dtype: type, ndim: int = 1) -> NDArray[Any]:
    """Return an array that must have a dtype and a number of axes."""
    array = arrays[name]
    check(array.dtype == dtype and array.ndim == ndim, f"{name} is {array.dtype} with {array.ndim} axes")
    return array
