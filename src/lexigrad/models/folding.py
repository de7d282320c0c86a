"""Folding: the output matrix multiplied into the input matrix, so that a row has as many numbers as there are scores, and for two labels one.

With h = (1/n) sum_i A[f_i] and s = W h the scores are s = (1/n) sum_i T[f_i] with T = A W^T, whatever the loss makes of them; the folded model is the
classifier with the input matrix T and, as output matrix, the identity. A softmax over two labels depends on s_1 - s_0 alone, so T = A (w_1 - w_0) is
one number a row, and the output matrix is [[0], [1]].

Each number of T is rounded once. If no number of T moves by more than e, no score does, and a probability moves by at most e / 4 for two labels and for
independent ones, e / 2 for a softmax over more, and d e / 4 for a leaf of depth d in the tree of hierarchical softmax (the derivatives of these
functions; `tests/models/test_folding.py`).
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import ParameterError
from lexigrad.formats.fasttext_bin import CENTROIDS, CodedMatrix, Matrix
from lexigrad.losses.links import LINKS, SOFTMAX
from lexigrad.machine.threads import map_threads

if TYPE_CHECKING:
    from lexigrad.models.fitted import FittedClassifier

FOLDED_DTYPES = ("float32", "float16", "int8")
HALF_MOST = float(np.finfo(np.float16).max)
UNSEEN_CODE = 0
"""Of a table of bytes: its level is -0.0."""


def pays(fitted: FittedClassifier) -> bool:
    """Tell whether a folded row is shorter."""
    return len(fitted.output) < fitted.dim or (is_pair(fitted) and fitted.dim > 1)


def is_pair(fitted: FittedClassifier) -> bool:
    """Tell whether the probabilities depend on one number, the difference of two scores."""
    return LINKS[fitted.loss] == SOFTMAX and len(fitted.output) == 2


def is_folded(fitted: FittedClassifier) -> bool:
    """Tell whether the output matrix is what folding leaves."""
    output = fitted.output
    if isinstance(output, CodedMatrix) or fitted.dim != (1 if is_pair(fitted) else len(output)):
        return False  # before the identity is made, which for many labels would fill the memory
    return np.array_equal(output, _rest(fitted))


def _rest(fitted: FittedClassifier) -> NDArray[np.float32]:
    """Return the output matrix of the folded model."""
    return np.array([[0], [1]], np.float32) if is_pair(fitted) else np.eye(len(fitted.output), dtype=np.float32)


def table_of(fitted: FittedClassifier, threads: int) -> tuple[NDArray[np.float32], bool]:
    """Return T, (n_rows, n_scores) float32, or for two labels (n_slots, 1), and whether its rows are slots.

    A row of one number is no longer than its place in `slot_rows`; so there is one for every slot then, and -0.0 for a bucket never seen.
    """
    from lexigrad.kernels.fold import fold
    from lexigrad.models.fitted import matrix_arguments

    output = fitted.output[:].astype(np.float64)
    if is_pair(fitted):
        output = output[1:] - output[:1]
    table = np.empty((len(fitted.input), len(output)), np.float32)
    edges = np.linspace(0, len(table), 4 * threads + 1).astype(np.int64)
    matrix, flat, into = matrix_arguments(fitted.input), output.reshape(-1), table.reshape(-1)
    ranges = itertools.pairwise(edges)
    list(map_threads(lambda r: fold(*matrix, flat, fitted.dim, len(output), r[0], r[1], into), ranges, threads))
    table[table == 0] = 0  # no product that is too small becomes a mark
    rows = fitted.reader.slot_rows
    if table.shape[1] != 1 or not len(rows):
        return table, not len(rows) and not len(fitted.reader.kept)
    return np.where(rows >= 0, table[rows, 0], np.float32(-0.0))[:, None], True


def folded(fitted: FittedClassifier, dtype: str, threads: int) -> FittedClassifier:
    """Return the folded model with a table of a dtype; `facts["fold_error"]` says by how much a number of T is off, at most."""
    if dtype not in FOLDED_DTYPES:
        raise ParameterError(f"dtype={dtype!r}: expected one of {', '.join(map(repr, FOLDED_DTYPES))}")
    if not pays(fitted) and not is_folded(fitted):
        raise ParameterError(
            f"this model has {len(fitted.output):,} scores and rows of {fitted.dim:,} numbers: folded it would be larger; quantize makes it smaller"
        )
    if is_folded(fitted):
        if fitted.facts.get("folded", "float32") != "float32":
            raise ParameterError(
                f"this model is folded to {fitted.facts['folded']} already: fold the model that it came from"
            )
        table, by_slot = fitted.input[:].astype(np.float32), fitted.marked
        if not fitted.folded:
            table[table == 0] = 0
    else:
        table, by_slot = table_of(fitted, threads)
    matrix, error = _rounded(table, dtype, by_slot and table.shape[1] == 1)
    reader = replace(fitted.reader, slot_rows=np.empty(0, np.int32)) if by_slot else fitted.reader
    facts = {**fitted.facts, "folded": dtype, "fold_error": error}
    return replace(fitted, reader=reader, input=matrix, output=_rest(fitted), facts=facts)


def _rounded(table: NDArray[np.float32], dtype: str, marked: bool) -> tuple[Matrix, float]:
    """Return a table in a dtype and by how much its numbers are off at most; with `marked` -0.0 stays what it is, and nothing else becomes it."""
    unseen = np.signbit(table) & (table == 0) if marked else np.zeros(table.shape, bool)
    if dtype == "float32":
        return table, float(np.abs(table).max(initial=0)) * 2.0**-24
    if dtype == "float16":
        most = float(np.abs(table).max(initial=0))
        if most > HALF_MOST:
            raise ParameterError(
                f'dtype="float16": the table has numbers up to {most:.3g}, and float16 ends at {HALF_MOST:,.0f}'
            )
        half: Any = table.astype(np.float16)
        half[(half == 0) & ~unseen] = 0
        return half, float(np.abs(half.astype(np.float32) - table).max(initial=0))
    codes = np.empty(table.shape, np.uint8)
    levels = np.zeros((table.shape[1], CENTROIDS), np.float32)
    for column, values in enumerate(table.T):
        found = _levels(values)
        levels[column, 1:] = found
        nearest = np.searchsorted((found[1:] + found[:-1]) / 2, values) + 1
        codes[:, column] = np.where(unseen[:, column], UNSEEN_CODE, nearest)
        levels[column, UNSEEN_CODE] = -0.0
    coded = CodedMatrix(codes, levels.reshape(-1), 1, np.empty(0, np.uint8), np.empty(0, np.float32), table.shape[1])
    error = max(float(np.abs(levels[c, codes[:, c]] - table[:, c]).max(initial=0)) for c in range(len(levels)))
    return coded, error


def _levels(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 255 rising levels, 0 the middle one, that are even steps of sign(t) log(1 + |t| / c), c the median of |t| where it is not 0.

    So with the largest |t| = m and r = ((1 + m / c)^(1 / 127) - 1) / 2 a number is off by at most r (|t| + c): half the distance between the levels around
    it, which is 2 r (|t'| + c) for the lower one, t'. Numbers differ by orders of magnitude, and the largest are of the words that texts have most.
    """
    sizes = np.abs(values[values != 0]).astype(np.float64)
    if not len(sizes):
        return np.zeros(CENTROIDS - 1, np.float32)
    middle, most = np.median(sizes), sizes.max()
    steps = np.arange(CENTROIDS // 2) / (CENTROIDS // 2 - 1) * np.log1p(most / middle)
    upper = middle * np.expm1(steps)
    return np.concatenate([-upper[:0:-1], upper]).astype(np.float32)
