"""What models of feature vectors have in common: reading examples, labels and column names, with errors in scikit-learn's words."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, LexigradWarning

Floats = NDArray[np.float64]


def read_examples(X: Any) -> Floats:
    """Return X as (n, n_features) float64, or raise `DataError`."""
    if hasattr(X, "tocsr"):
        raise DataError(f"X is a sparse {type(X).__name__}, which is not served: convert it with X.toarray()")
    try:
        array = np.asarray(X)
        if array.dtype.kind == "c":
            raise DataError("X: Complex data not supported; expected real numbers")
        if array.dtype.kind not in "biufO":
            raise DataError(f"X: expected numbers, got dtype {array.dtype}")
        array = np.asarray(array, np.float64)
    except DataError:
        raise
    except (TypeError, ValueError) as error:
        raise DataError(f"X: expected an array of numbers, (n, n_features): {error}") from None
    if array.ndim != 2:
        raise DataError(
            f"X: expected shape (n, n_features), got {array.shape}. Reshape your data: X.reshape(1, -1) for one example, "
            "X.reshape(-1, 1) for one feature"
        )
    if array.shape[1] == 0:
        raise DataError(f"X: 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    if not np.isfinite(total):  # some number is not finite, or the sum overflowed
        broken = np.argwhere(~np.isfinite(array))
        if len(broken):
            row, column = (int(k) for k in broken[0])
            raise DataError(
                f"X contains {_name_of(array[row, column])} in row {row}, column {column}: expected finite numbers"
            )
    return array


def _name_of(number: float) -> str:
    return "NaN" if np.isnan(number) else "infinity"


class SparseMatrix(NamedTuple):
    """A sparse matrix by rows: row i has the numbers ``data[offsets[i]:offsets[i + 1]]`` in `columns`; entries of one place add up."""

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    data: Floats
    shape: tuple[int, int]

    def used(self) -> NDArray[np.int64]:
        """Return the columns that have entries."""
        return np.flatnonzero(np.bincount(self.columns, minlength=self.shape[1]))

    def renumbered(self, used: NDArray[np.int64]) -> SparseMatrix:
        """Return the matrix of only these columns, which must hold all entries."""
        place_of = np.zeros(self.shape[1], np.int32)
        place_of[used] = np.arange(len(used), dtype=np.int32)
        return self._replace(columns=place_of[self.columns], shape=(self.shape[0], len(used)))


def read_sparse(X: Any) -> SparseMatrix:
    """Return a SciPy sparse matrix or array, or another with a method `tocsr`, by rows in float64, or raise `DataError`."""
    rows = X.tocsr()
    if len(rows.shape) != 2:
        raise DataError(f"X: expected a sparse matrix of shape (n, n_features), got {rows.shape}. Reshape your data")
    n, dim = (int(size) for size in rows.shape)
    if dim == 0:
        raise DataError(f"X: 0 feature(s) (shape={rows.shape}) while a minimum of 1 is required.")
    if dim >= 2**31:
        raise DataError(f"X has {dim:,} columns: expected fewer than 2,147,483,648")
    if rows.data.dtype.kind == "c":
        raise DataError("X: Complex data not supported; expected real numbers")
    if rows.data.dtype.kind not in "biuf":
        raise DataError(f"X: expected numbers, got dtype {rows.data.dtype}")
    offsets = np.ascontiguousarray(rows.indptr, np.int64)
    if offsets.shape != (n + 1,) or offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(rows.indices):
        raise DataError("X: the indptr of the sparse matrix does not rise from 0 to its number of entries")
    indices, data = rows.indices[: offsets[-1]], np.ascontiguousarray(rows.data[: offsets[-1]], np.float64)
    if len(data) != len(indices) or (len(indices) and not 0 <= indices.min() <= indices.max() < dim):
        raise DataError(f"X: the indices of the sparse matrix are not those of {dim} columns")
    broken = np.flatnonzero(~np.isfinite(data))
    if len(broken):
        row = int(np.searchsorted(offsets, broken[0], side="right")) - 1
        raise DataError(
            f"X contains {_name_of(data[broken[0]])} in row {row}, column {indices[broken[0]]}: expected finite numbers"
        )
    return SparseMatrix(offsets, np.ascontiguousarray(indices, np.int32), data, (n, dim))


def read_weights(weights: Any, n: int) -> Floats:
    """Return weights of examples, 1 for None or the same number for all, or raise `DataError`."""
    if weights is None:
        return np.ones(n)
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"sample_weight: expected one number per example: {error}") from None
    if array.ndim == 0:
        array = np.full(n, array)
    if array.ndim > 1:
        raise DataError(f"Sample weights must be 1D array or scalar, got shape {array.shape}")
    if array.shape != (n,):
        raise DataError(f"sample_weight.shape == {array.shape}, expected {(n,)}: one number per example")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise DataError("sample_weight: expected finite numbers from 0 up")
    if n and not array.any():
        raise DataError(
            "sample_weight: all weights are zero (an example with a weight of zero does not count), so there is nothing to learn from"
        )
    return np.ascontiguousarray(array)


def read_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels as a vector that can be sorted, or raise `DataError`."""
    try:
        labels = np.asarray(y)
    except ValueError:
        raise DataError(f"{name}: expected one label per example, got rows of different lengths") from None
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(
            f"{name}: a column of shape {labels.shape} was taken as labels; pass y.ravel()", LexigradWarning, 3
        )
        labels = labels.ravel()
    if labels.ndim != 1:
        raise DataError(f"{name} should be a 1d array of labels, got an array of shape {labels.shape} instead.")
    kind = labels.dtype.kind
    if kind not in "biufUSO":
        raise DataError(f"{name}: expected whole numbers, booleans or strings as labels, got dtype {labels.dtype}")
    if kind == "f":
        if not np.isfinite(labels).all():
            raise DataError(f"{name} contains NaN or infinity: expected labels")
        if (labels != np.floor(labels)).any():
            raise DataError(f"{name}: Unknown label type: continuous; expected whole numbers, booleans or strings")
    if kind == "O":
        kinds = {type(label).__name__ for label in labels.tolist()}
        if len(kinds) > 1 or not kinds <= {"str", "int", "bool", "bytes"}:
            raise DataError(
                f"{name}: expected labels of one type, str, int or bool, got {', '.join(sorted(kinds))}; Unknown label type"
            )
    return labels


def depth_of(y: Any) -> int:
    """Return the number of dimensions, 1 for rows of different lengths."""
    try:
        return np.ndim(y)
    except ValueError:
        return 1


def read_feature_names(X: Any) -> NDArray[Any] | None:
    """Return the column names of a table, or None where there are none or some are not strings."""
    columns = getattr(X, "columns", None)
    if columns is None or not len(columns) or not all(isinstance(name, str) for name in columns):
        return None
    return np.asarray(columns, object)


def check_feature_names(model: Any, names: NDArray[Any] | None, trained: bool = True) -> None:
    """Compare the columns of a table with those of training, in scikit-learn's words. A model that was not trained on examples knows no names."""
    kind = type(model).__name__
    known = getattr(model, "feature_names_in_", None)
    if known is None or names is None:
        if names is not None and trained:
            warnings.warn(f"X has feature names, but {kind} was fitted without feature names", LexigradWarning, 4)
        if known is not None:
            warnings.warn(
                f"X does not have valid feature names, but {kind} was fitted with feature names", LexigradWarning, 4
            )
        return
    if known.tolist() == names.tolist():
        return
    lines = ["The feature names should match those that were passed during fit."]
    for title, extra in (
        ("Feature names unseen at fit time:", sorted(set(names) - set(known))),
        ("Feature names seen at fit time, yet now missing:", sorted(set(known) - set(names))),
    ):
        if extra:
            lines += [title, *(f"- {name}" for name in extra[:5]), *(["- ..."] if len(extra) > 5 else [])]
    if len(lines) == 1:
        lines.append("Feature names must be in the same order as they were in fit.")
    raise DataError("\n".join(lines) + "\n")


def ids_of(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the places of labels among the sorted classes, or raise `DataError` for one that is not there."""
    try:
        places = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        wrong = np.flatnonzero(np.asarray(classes[places] != labels))
    except TypeError:
        places, wrong = np.zeros(len(labels), np.int64), np.zeros(1, np.int64)
    if len(wrong):
        raise DataError(
            f"y: label {labels.tolist()[wrong[0]]!r} was not seen in training; the labels are {', '.join(map(repr, classes.tolist()[:20]))}"
        )
    return places.astype(np.int64)
