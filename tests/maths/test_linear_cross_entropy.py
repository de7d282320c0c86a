"""Cross-entropy of a linear layer in blocks of labels: equal to the dense one, whatever the blocks."""

from __future__ import annotations

import importlib
import tracemalloc
from typing import Any

import numpy as np
import pytest

from lexigrad import DataError, ParameterError, gradcheck
from lexigrad.maths import arrays, linear_cross_entropy, softmax_cross_entropy
from tests.maths.reference import COMPILED, LAYOUTS, Array

MODULE = importlib.import_module("lexigrad.maths.linear_cross_entropy")
INF, NAN = np.inf, np.nan


def layer(rows: int, n_labels: int, dim: int, dtype: Any = np.float64) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng([rows, n_labels, dim])
    hidden, weights = rng.normal(size=(rows, dim)), rng.normal(size=(n_labels, dim))
    return hidden.astype(dtype), weights.astype(dtype), rng.integers(0, n_labels, rows)


def dense(hidden: Array, weights: Array, labels: Array, reduction: str) -> tuple[Any, Array, Array]:
    loss, d_scores = softmax_cross_entropy(hidden.astype(float) @ weights.T.astype(float), labels, reduction)
    return loss, d_scores @ weights, d_scores.T @ hidden


@pytest.fixture(params=[1, 2, 7, 16, 17, 30, 10**6] if COMPILED else [7, 10**6], ids=lambda width: f"blocks of {width}")
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set how many labels make a block, for 11 rows of float64 at a time."""
    monkeypatch.setattr(MODULE, "MOST_ROWS", 11)
    monkeypatch.setattr(MODULE, "BLOCK_BYTES", request.param * 11 * 8)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("n_labels", [1, 2, 30])
@pytest.mark.parametrize("rows", [1, 11, 25])
def test_equals_the_dense_loss(rows: int, n_labels: int, reduction: str) -> None:
    hidden, weights, labels = layer(rows, n_labels, 5)
    for found, expected in zip(
        linear_cross_entropy(hidden, weights, labels, reduction), dense(hidden, weights, labels, reduction), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("offset", [-1e4, 1e4])
def test_scores_far_from_0(offset: float) -> None:
    """The first column of the weights adds the same to all scores of a row."""
    hidden, weights, labels = layer(4, 30, 5)
    hidden[:, 0], weights[:, 0] = 1, offset
    loss, d_hidden, d_weights = linear_cross_entropy(hidden, weights, labels)
    expected = dense(hidden, weights, labels, "mean")
    assert loss == pytest.approx(expected[0], rel=1e-10)
    np.testing.assert_allclose(d_hidden[:, 1:], expected[1][:, 1:], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(d_weights, expected[2], rtol=1e-9, atol=1e-11)


@pytest.mark.usefixtures("blocks")
def test_a_leader_of_one_block_outweighs_the_others() -> None:
    scores = np.zeros((1, 30))
    scores[0, 20] = 500
    loss, d_hidden, _ = linear_cross_entropy(np.eye(1), scores.T, [20])
    assert (loss, d_hidden[0, 0]) == (0, 0)
    loss, d_hidden, _ = linear_cross_entropy(np.eye(1), scores.T, [3])
    assert (loss, d_hidden[0, 0]) == (500, 500)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_both_gradients(reduction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "BLOCK_BYTES", 3 * 2 * 8)
    hidden, weights, labels = layer(2, 7, 2)

    def of_hidden(hidden: Array) -> tuple[Any, Array]:
        return linear_cross_entropy(hidden, weights, labels, reduction)[:2]

    def of_weights(weights: Array) -> tuple[Any, Array]:
        return linear_cross_entropy(hidden, weights, labels, reduction)[::2]

    assert gradcheck(of_hidden, hidden).error < 1e-9
    assert gradcheck(of_weights, weights).error < 1e-9


@pytest.mark.parametrize(
    ("hidden_dtype", "weights_dtype", "expected"),
    [("float32", "float32", "float32"), ("float16", "float16", "float32"), ("float16", "float32", "float32"),
     ("float32", "float64", "float64"), ("int32", "float32", "float64"), (">f4", "float32", "float32")],
)  # fmt: skip
def test_dtypes(hidden_dtype: str, weights_dtype: str, expected: str) -> None:
    hidden, weights, labels = layer(6, 40, 3)
    hidden, weights = hidden.astype(hidden_dtype), weights.astype(weights_dtype)
    found = linear_cross_entropy(hidden, weights, labels)
    assert type(found[0]) is float
    assert (found[1].dtype, found[2].dtype) == (expected, expected)
    for one, other in zip(found, dense(hidden.astype(float), weights, labels, "mean"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str) -> None:
    hidden, weights, labels = layer(6, 40, 3)
    expected = linear_cross_entropy(hidden, weights, labels)
    for found, other in zip(
        linear_cross_entropy(LAYOUTS[layout](hidden), LAYOUTS[layout](weights), LAYOUTS[layout](labels)), expected, strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(found, other, rtol=1e-13)


def test_arguments_are_left_as_they_were() -> None:
    arguments = layer(6, 40, 3)
    copies = [argument.copy() for argument in arguments]
    linear_cross_entropy(*arguments)
    for argument, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(argument, copy)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", 100)
    arguments = layer(9, 40, 3)
    for one, two in zip(
        linear_cross_entropy(*arguments, threads=1), linear_cross_entropy(*arguments, threads=2), strict=True
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.skipif(not COMPILED, reason="slow without compiled kernels")
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """All scores would be 8 MB."""
    monkeypatch.setattr(MODULE, "BLOCK_BYTES", 1 << 18)
    hidden, weights, labels = layer(100, 10_000, 2)
    linear_cross_entropy(hidden, weights, labels)
    tracemalloc.start()
    linear_cross_entropy(hidden, weights, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_no_rows(reduction: str) -> None:
    loss, d_hidden, d_weights = linear_cross_entropy(np.zeros((0, 2)), np.ones((3, 2)), np.zeros(0, int), reduction)
    np.testing.assert_array_equal(loss, 0 if reduction == "sum" else np.zeros(0))
    assert d_hidden.shape == (0, 2)
    np.testing.assert_array_equal(d_weights, np.zeros((3, 2)))


def test_no_dimensions() -> None:
    loss, d_hidden, d_weights = linear_cross_entropy(np.zeros((2, 0)), np.zeros((4, 0)), [0, 1])
    assert loss == pytest.approx(np.log(4))
    assert (d_hidden.shape, d_weights.shape) == ((2, 0), (4, 0))


# --- what is not finite


@pytest.mark.usefixtures("blocks")
def test_nan_makes_its_own_row_nan() -> None:
    hidden, weights, labels = layer(4, 30, 3)
    hidden[2, 1] = NAN
    losses, d_hidden, _ = linear_cross_entropy(hidden, weights, labels, "none")
    assert np.isnan(losses).tolist() == [False, False, True, False]
    assert np.isnan(d_hidden).all(axis=1).tolist() == [False, False, True, False]
    good = [0, 1, 3]
    expected = dense(hidden[good], weights, labels[good], "none")
    np.testing.assert_allclose(losses[good], expected[0], rtol=1e-12)
    np.testing.assert_allclose(d_hidden[good], expected[1], rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("blocks")
def test_nan_of_one_label_makes_all_rows_nan() -> None:
    hidden, weights, labels = layer(11, 30, 3)
    weights[5] = NAN
    losses, d_hidden, _ = linear_cross_entropy(hidden, weights, labels, "none")
    assert np.isnan(losses).all()
    assert np.isnan(d_hidden).all()


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("masked", [range(20), range(10, 30), range(29)])
def test_a_block_of_only_minus_infinity(masked: range) -> None:
    """Scores of -inf through the weights: hidden is 1, so no product is NaN."""
    scores = np.random.default_rng(0).normal(size=30)
    scores[list(masked)] = -INF
    label = int(np.argmax(scores))
    loss, _, d_weights = linear_cross_entropy([[1.0]], scores[:, None], [label])
    expected, d_scores = softmax_cross_entropy(scores, label)
    assert loss == pytest.approx(expected, rel=1e-13, abs=1e-15)
    np.testing.assert_allclose(d_weights[:, 0], d_scores, rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("label", [0, 1])
def test_a_score_that_overflows_leaves_the_other_rows(label: int) -> None:
    losses, d_hidden, d_weights = linear_cross_entropy([[1.0], [1e308]], [[100.0], [1.0]], [1, label], "none")
    assert np.isfinite(losses).tolist() == [True, False]
    assert np.isnan(d_hidden).ravel().tolist() == [False, True]
    assert np.isnan(d_weights).all()


def test_a_row_of_only_minus_infinity_is_an_error() -> None:
    with pytest.raises(DataError, match="row 1 has no score above -inf"):
        linear_cross_entropy([[1.0], [-1.0], [1.0]], np.full((30, 1), INF), [0, 0, 0])


# --- errors


@pytest.mark.parametrize(
    ("hidden", "weights", "labels", "reduction", "error", "message"),
    [
        (np.zeros(2), np.zeros((3, 2)), [0], "mean", DataError, "expected hidden \\(n, dim\\) .*got \\(2,\\) and \\(3, 2\\)"),
        (np.zeros((1, 2)), np.zeros((3, 4)), [0], "mean", DataError, "got \\(1, 2\\) and \\(3, 4\\)"),
        (np.zeros((1, 2)), np.zeros((0, 2)), [0], "mean", DataError, "got \\(1, 2\\) and \\(0, 2\\)"),
        (["a"], np.zeros((3, 2)), [0], "mean", DataError, "hidden: expected real numbers"),
        (np.zeros((1, 2)), ["a"], [0], "mean", DataError, "weights: expected real numbers"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [3], "mean", DataError, "label 3 is out of range; with 3 labels they go from 0 to 2"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [-1], "mean", DataError, "label -1 is out of range"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [0, 1], "mean", DataError, "expected labels of shape \\(1,\\)"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [0.0], "mean", DataError, "expected whole numbers as labels, got dtype float64"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [[1, 0, 0]], "mean", DataError, "labels: expected one whole number a row, got weights"),
        (np.zeros((1, 2)), np.zeros((3, 2)), [0], "all", ParameterError, "reduction='all'"),
        (np.zeros((0, 2)), np.zeros((3, 2)), np.zeros(0, int), "mean", DataError, "there are no rows"),
    ],
)  # fmt: skip
def test_errors(hidden: Any, weights: Any, labels: Any, reduction: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        linear_cross_entropy(hidden, weights, labels, reduction)


def test_threads_that_cannot_be() -> None:
    with pytest.raises(ParameterError, match="threads=0"):
        linear_cross_entropy(*layer(2, 3, 2), threads=0)
