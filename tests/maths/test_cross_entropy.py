"""Cross-entropy from probabilities, from scores and of yes/no labels: known values, digits, targets of every kind, edges, and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from lexigrad import DataError, ParameterError, gradcheck
from lexigrad.maths import (
    arrays,
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    log_softmax,
    sigmoid,
    softmax,
    softmax_cross_entropy,
)
from tests.maths.reference import DTYPES, LAYOUTS, Array, exact_rows, ulp

INF, NAN = np.inf, np.nan
REDUCTIONS = ["mean", "sum", "none"]
LENGTHS = [1, 2, 8, 9, 16, 17, 100, 5000]


def normal(*shape: int, dtype: Any = np.float64, scale: float = 3) -> Array:
    return (scale * np.random.default_rng(list(shape)).standard_normal(shape)).astype(dtype)


def labels_of(*shape: int, n: int) -> Array:
    return np.random.default_rng(list(shape)).integers(0, n, shape)


def soft(*shape: int) -> Array:
    """Return weights that do not sum to 1, about a third of them 0."""
    y = np.random.default_rng(list(shape)).uniform(-0.5, 1, shape)
    return np.maximum(y, 0)


def reduced(losses: Array, reduction: str) -> Any:
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


# --- known values


def test_known_values() -> None:
    assert cross_entropy([[0.5, 0.5], [0.25, 0.75]], [0, 1]) == pytest.approx((np.log(2) - np.log(0.75)) / 2, rel=1e-15)
    assert cross_entropy([0.25, 0.75], 1) == pytest.approx(-np.log(0.75), rel=1e-15)
    assert softmax_cross_entropy([0.0, 0.0, 0.0, 0.0], 2)[0] == pytest.approx(np.log(4), rel=1e-15)
    assert binary_cross_entropy([0.0, 2.0], [1, 1], "sum") == pytest.approx(np.log(2) + np.log1p(np.exp(-2)), rel=1e-15)


def test_the_gradient_of_the_assignment_is_probabilities_minus_targets() -> None:
    """The received text ends at p (1 - p)."""
    scores, onehot = normal(3, 5), np.eye(5)[[1, 4, 1]]
    _, d_scores = softmax_cross_entropy(scores, onehot, "sum")
    np.testing.assert_allclose(d_scores, softmax(scores) - onehot, atol=1e-15)
    np.testing.assert_allclose(d_scores.sum(axis=-1), 0, atol=1e-15)


def test_the_chain_of_functions_is_the_one_function() -> None:
    scores, y = normal(4, 6), soft(4, 6)
    loss, _ = softmax_cross_entropy(scores, y, "none")
    np.testing.assert_allclose(cross_entropy(softmax(scores), y, "none"), loss, rtol=1e-12)
    np.testing.assert_allclose(-(y * log_softmax(scores)).sum(axis=-1), loss, rtol=1e-12)


def test_binary_is_softmax_of_two_scores() -> None:
    x, y = normal(7), labels_of(7, n=2)
    two = np.stack([np.zeros(7), x], axis=1)
    loss, d_two = softmax_cross_entropy(two, y, "none")
    np.testing.assert_allclose(binary_cross_entropy(x, y, "none"), loss, rtol=1e-14)
    np.testing.assert_allclose(binary_cross_entropy_backward(1.0, x, y, "none"), d_two[:, 1], rtol=1e-13)


# --- digits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("scale", [1, 100])
def test_error_of_losses_and_gradients(scale: float, n: int, dtype: str) -> None:
    """The gradient of the label itself is a difference of a probability and 1: its error counts beside the larger of the two."""
    bound = 2 if dtype == "float32" else 3
    x = normal(12, n, dtype=dtype, scale=scale)
    labels = labels_of(12, n=n)
    labels[:6] = x[:6].argmax(axis=1)
    exact, rows = exact_rows(x), np.arange(12)
    losses, d_scores = softmax_cross_entropy(x, labels, "none")
    exact_losses = -exact["log_softmax"][rows, labels]
    assert (np.abs(losses - exact_losses) / ulp(exact_losses, dtype)).max() <= bound
    exact_gradients, size = exact["softmax"].copy(), exact["softmax"].copy()
    exact_gradients[rows, labels] -= 1
    size[rows, labels] = 1
    assert (np.abs(d_scores - exact_gradients) / ulp(size, dtype)).max() <= bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 10, 20, 5000])
@pytest.mark.parametrize("lead", [15, 20, 40, 80])
def test_neither_loss_nor_gradient_of_a_leader_is_0_before_it_underflows(lead: float, n: int, dtype: str) -> None:
    x = np.zeros(n, dtype)
    x[n // 2] = lead
    loss, d_scores = softmax_cross_entropy(x, n // 2)
    with mpmath.workprec(200):
        others = (n - 1) * mpmath.exp(-lead)
        expected = float(mpmath.log1p(others)), float(-others / (1 + others))
    assert (loss, d_scores[n // 2]) == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps), abs=0)


@pytest.mark.parametrize("x", [40.0, 700.0])
def test_binary_gradient_of_a_right_answer_keeps_its_digits(x: float) -> None:
    assert binary_cross_entropy_backward(1.0, [x], [1.0])[0] == pytest.approx(-np.exp(-x), rel=1e-14, abs=0)
    assert binary_cross_entropy([-x], [0.0]) == pytest.approx(np.exp(-x), rel=1e-14, abs=0)


# --- gradients


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("n", [3, 17])
@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
def test_softmax_cross_entropy_gradient(kind: str, n: int, reduction: str) -> None:
    labels = labels_of(2, n=n)
    targets = {"labels": labels, "one-hot": np.eye(n)[labels], "soft": soft(2, n)}[kind]
    assert gradcheck(lambda x: softmax_cross_entropy(x, targets, reduction), normal(2, n, scale=1)).error < 1e-9


@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_without_reduction_the_gradient_is_that_of_the_sum(kind: str) -> None:
    x = normal(4, 20)
    targets = labels_of(4, n=20) if kind == "labels" else soft(4, 20)
    losses, d_scores = softmax_cross_entropy(x, targets, "none")
    total, d_sum = softmax_cross_entropy(x, targets, "sum")
    np.testing.assert_array_equal(d_scores, d_sum)
    assert total == pytest.approx(losses.sum(), rel=1e-15)
    mean, d_mean = softmax_cross_entropy(x, targets)
    assert mean == total / 4
    np.testing.assert_allclose(d_mean, d_sum / 4, rtol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_cross_entropy_backward(kind: str, reduction: str) -> None:
    targets = labels_of(2, 3, n=4) if kind == "labels" else soft(2, 3, 4)
    d_loss = normal(2, 3) if reduction == "none" else np.array(0.7)

    def f(p: Array) -> tuple[Any, Array]:
        value = np.sum(d_loss * cross_entropy(p, targets, reduction))
        return value, cross_entropy_backward(d_loss, p, targets, reduction)

    assert gradcheck(f, np.random.default_rng(0).uniform(0.3, 0.9, (2, 3, 4))).error < 1e-9


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_binary_cross_entropy_backward(shape: tuple[int, ...], reduction: str) -> None:
    targets = np.random.default_rng(0).uniform(0, 1, shape)
    d_loss = np.random.default_rng(1).normal(size=shape) if reduction == "none" else np.array(0.7)

    def f(x: Array) -> tuple[Any, Array]:
        value = np.sum(d_loss * binary_cross_entropy(x, targets, reduction))
        return value, binary_cross_entropy_backward(d_loss, x, targets, reduction)

    assert gradcheck(f, np.random.default_rng(2).normal(size=shape)).error < 1e-9


# --- targets


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", ">i4"])
@pytest.mark.parametrize("layout", ["read-only", "every second column", "misaligned"])
def test_labels_of_every_integer_dtype_and_layout(layout: str, dtype: str) -> None:
    for n in (7, 30):
        x, labels = normal(5, n), labels_of(5, n=n)
        expected = softmax_cross_entropy(x, labels, "none")
        found = softmax_cross_entropy(x, LAYOUTS[layout](labels.astype(dtype)), "none")
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        p = softmax(x)
        assert cross_entropy(p, labels.astype(dtype)) == cross_entropy(p, labels)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint8", "bool"])
def test_one_hot_targets_are_labels(dtype: str) -> None:
    for n in (1, 7, 30):
        x, labels = normal(5, n), labels_of(5, n=n)
        onehot = np.eye(n, dtype=dtype)[labels]
        losses, d_scores = softmax_cross_entropy(x, onehot, "none")
        expected = softmax_cross_entropy(x, labels, "none")
        np.testing.assert_allclose(losses, expected[0], rtol=1e-14)
        np.testing.assert_allclose(d_scores, expected[1], rtol=1e-13, atol=1e-16)
        p = softmax(x)
        np.testing.assert_array_equal(cross_entropy(p, onehot, "none"), cross_entropy(p, labels, "none"))
        np.testing.assert_array_equal(cross_entropy_backward(1.0, p, onehot), cross_entropy_backward(1.0, p, labels))


def test_soft_targets_are_weighted_labels() -> None:
    x, y = normal(3, 20), soft(3, 20)
    each = [softmax_cross_entropy(x, np.full(3, j), "none") for j in range(20)]
    losses, d_scores = softmax_cross_entropy(x, y, "none")
    np.testing.assert_allclose(losses, sum(y[:, j] * each[j][0] for j in range(20)), rtol=1e-13)
    np.testing.assert_allclose(d_scores, sum(y[:, j, None] * each[j][1] for j in range(20)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_of_every_layout(layout: str) -> None:
    x, y = normal(4, 9), soft(4, 9)
    expected = softmax_cross_entropy(x, y)
    loss, d_scores = softmax_cross_entropy(x, LAYOUTS[layout](y))
    assert loss == expected[0]
    np.testing.assert_array_equal(d_scores, expected[1])


@pytest.mark.parametrize("targets", [np.zeros((2, 3, 4)), labels_of(2, 3, n=4)])
def test_rows_of_any_shape(targets: Array) -> None:
    x = normal(2, 3, 4)
    losses, d_scores = softmax_cross_entropy(x, targets, "none")
    flat = softmax_cross_entropy(x.reshape(6, 4), targets.reshape(6, *targets.shape[2:]), "none")
    np.testing.assert_array_equal(losses, flat[0].reshape(2, 3))
    np.testing.assert_array_equal(d_scores, flat[1].reshape(2, 3, 4))


@pytest.mark.parametrize("targets", [1, [0, 1, 0]])
def test_one_row_needs_no_axis_of_rows(targets: Any) -> None:
    loss, d_scores = softmax_cross_entropy([1.0, 2.0, 3.0], targets)
    expected = softmax_cross_entropy([[1.0, 2.0, 3.0]], [targets])
    assert loss == expected[0]
    np.testing.assert_array_equal(d_scores, expected[1][0])


def test_whole_numbers_in_the_shape_of_the_scores_are_weights() -> None:
    assert softmax_cross_entropy([5.0], [3], "sum")[0] == 0
    assert cross_entropy([0.5], [3]) == pytest.approx(3 * np.log(2), rel=1e-15)


# --- dtypes, layouts, `out`, threads


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8"])
def test_dtypes_of_results(dtype: str) -> None:
    x, labels = normal(3, 4, scale=1).astype(dtype), [0, 1, 2]
    result = np.float64 if dtype in ("int32", "uint8") else dtype
    losses, d_scores = softmax_cross_entropy(x, labels, "none")
    assert (losses.dtype, d_scores.dtype) == (np.float64, result)
    assert cross_entropy_backward(1.0, softmax(x), labels).dtype == result
    assert binary_cross_entropy_backward(1.0, x, np.zeros((3, 4))).dtype == result
    for loss in (
        softmax_cross_entropy(x, labels)[0],
        cross_entropy(softmax(x), labels),
        binary_cross_entropy(x, np.zeros((3, 4)), "sum"),
    ):
        assert type(loss) is float


def test_float16_is_float32_rounded_once() -> None:
    x, labels = normal(3, 20, dtype=np.float16), labels_of(3, n=20)
    loss, d_scores = softmax_cross_entropy(x, labels)
    expected = softmax_cross_entropy(x.astype(np.float32), labels)
    assert loss == expected[0]
    np.testing.assert_array_equal(d_scores, expected[1].astype(np.float16))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["labels", "soft"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_scores_of_every_layout(layout: str, kind: str, dtype: str) -> None:
    for n in (5, 20):
        x = normal(4, n, dtype=dtype)
        targets = labels_of(4, n=n) if kind == "labels" else soft(4, n)
        expected = softmax_cross_entropy(x, targets)
        loss, d_scores = softmax_cross_entropy(LAYOUTS[layout](x), targets)
        assert loss == expected[0]
        np.testing.assert_array_equal(d_scores, expected[1])


@pytest.mark.parametrize("n", [5, 40, 5000])
@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_into_out(kind: str, n: int) -> None:
    x = normal(4, n)
    targets = labels_of(4, n=n) if kind == "labels" else soft(4, n)
    loss, expected = softmax_cross_entropy(x, targets)
    for layout in ("Fortran order", "every second column", "misaligned"):
        out = LAYOUTS[layout](np.zeros_like(x))
        assert softmax_cross_entropy(x, targets, out=out)[1] is out
        np.testing.assert_array_equal(out, expected)
    found = softmax_cross_entropy(x, targets, out=x)
    assert found[0] == loss
    assert found[1] is x
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("n", [5, 40])
@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_out_that_overlaps_the_scores(kind: str, n: int) -> None:
    memory = normal(4 * n + 1)
    x, out = memory[:-1].reshape(4, n), memory[1:].reshape(4, n)
    targets = labels_of(4, n=n) if kind == "labels" else soft(4, n)
    loss, expected = softmax_cross_entropy(x.copy(), targets)
    assert softmax_cross_entropy(x, targets, out=out)[0] == loss
    np.testing.assert_array_equal(out, expected)


def test_out_that_is_the_targets() -> None:
    x, y = normal(4, 20), soft(4, 20)
    loss, expected = softmax_cross_entropy(x, y)
    assert softmax_cross_entropy(x, y, out=y)[0] == loss
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("n", [5, 40, 3000])
@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_threads_change_nothing(kind: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", 500)
    rows = 1009 // n + 3
    x = normal(rows, n)
    targets = labels_of(rows, n=n) if kind == "labels" else soft(rows, n)
    losses, d_scores = softmax_cross_entropy(x, targets, "none", threads=2)
    expected = softmax_cross_entropy(x, targets, "none", threads=1)
    np.testing.assert_array_equal(losses, expected[0])
    np.testing.assert_array_equal(d_scores, expected[1])


# --- what is not finite


ODD = {
    "NaN at the label": ([NAN, 1, 2], 0, NAN, NAN),
    "NaN elsewhere": ([0, 1, NAN], 0, NAN, NAN),
    "NaN beside -inf": ([0, -INF, NAN], 0, NAN, NAN),
    "NaN beside +inf": ([NAN, INF, 0], 1, NAN, NAN),
    "label is +inf": ([INF, 1, 2], 0, 0, [0, 0, 0]),
    "label is one of two +inf": ([INF, INF, 2], 0, np.log(2), [-0.5, 0.5, 0]),
    "another is +inf": ([0, INF, 2], 0, INF, [-1, 1, 0]),
    "label is -inf": ([-INF, 0, 0], 0, INF, [-1, 0.5, 0.5]),
    "another is -inf": ([0, 0, -INF], 0, np.log(2), [-0.5, 0.5, 0]),
}
"""Scores, label, loss, gradient of the scores."""


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("n", "dtype"), [(3, "float32"), (16, "float32"), (20, "float32"), (8, "float64"), (5000, "float64")]
)
@pytest.mark.parametrize("kind", ODD)
def test_odd_rows_between_good_ones(kind: str, n: int, dtype: str, reverse: bool) -> None:
    scores, label, loss, gradient = ODD[kind]
    x = normal(3, n, dtype=dtype)
    x[1] = -INF
    x[1, :3] = scores
    if reverse:
        x[1], label = x[1, ::-1].copy(), n - 1 - label
    targets = np.array([0, label, 0])
    expected = np.zeros(n)
    expected[:3] = gradient
    expected = np.full(n, NAN) if np.isnan(loss) else expected[::-1] if reverse else expected
    good_losses, good_gradients = softmax_cross_entropy(x[::2], [0, 0], "none")
    for aims in (targets, np.eye(n)[targets]):
        losses, d_scores = softmax_cross_entropy(x, aims, "none")
        np.testing.assert_allclose(losses[1], loss, rtol=1e-6)
        np.testing.assert_allclose(d_scores[1], expected, rtol=1e-6)
        np.testing.assert_allclose(losses[::2], good_losses, rtol=1e-6)
        np.testing.assert_allclose(d_scores[::2], good_gradients, rtol=1e-5, atol=1e-9)
        found = x.copy()
        softmax_cross_entropy(found, aims, "none", out=found)
        np.testing.assert_array_equal(found, d_scores)


def test_a_weight_of_0_counts_0_where_the_score_is_minus_infinity() -> None:
    for n in (3, 20):
        x = np.full(n, -INF)
        x[:2] = 0
        y = np.zeros(n)
        y[0] = 1
        loss, d_scores = softmax_cross_entropy(x, y)
        assert loss == pytest.approx(np.log(2))
        np.testing.assert_allclose(d_scores[:3], [-0.5, 0.5, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 16, 20, 5000])
@pytest.mark.parametrize("kind", ["labels", "soft"])
def test_a_row_of_only_minus_infinity_is_an_error(kind: str, n: int, dtype: str) -> None:
    x = normal(6, n, dtype=dtype)
    x[2] = x[4] = -INF
    targets = np.zeros(6, int) if kind == "labels" else np.ones((6, n))
    with pytest.raises(DataError, match="scores: row 2 has no score above -inf"):
        softmax_cross_entropy(x, targets)


def test_the_first_bad_row_is_named_whichever_thread_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SHARE", 20)
    x = normal(6, 20)
    x[1] = x[4] = -INF
    with pytest.raises(DataError, match="scores: row 1 has"):
        softmax_cross_entropy(x, np.zeros(6, int), threads=2)


@pytest.mark.parametrize("targets", [[0, 1], [[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]])
def test_nan_among_probabilities_makes_its_row_nan(targets: Any) -> None:
    probs = [[0.5, NAN], [0.5, 0.5]]
    np.testing.assert_allclose(cross_entropy(probs, targets, "none"), [NAN, np.log(2)])
    d_probs = cross_entropy_backward(1.0, probs, targets, "none")
    assert np.isnan(d_probs[0]).all()
    assert np.isfinite(d_probs[1]).all()


def test_probabilities_of_0() -> None:
    assert cross_entropy([0.0, 1.0], 0) == INF
    assert cross_entropy([0.0, 1.0], [0.0, 1.0]) == 0
    assert cross_entropy([0.0, 1.0], [0.5, 0.5]) == INF
    np.testing.assert_array_equal(cross_entropy_backward(1.0, [0.0, 1.0], [0.5, 0.0]), [-INF, 0])
    np.testing.assert_array_equal(cross_entropy_backward(1.0, [0.0, 1.0], 1), [0, -1])


@pytest.mark.parametrize(
    ("x", "y", "loss", "gradient"),
    [(INF, 1, 0, 0), (INF, 0, INF, 1), (-INF, 0, 0, 0), (-INF, 1, INF, -1), (INF, 0.5, INF, 0.5), (NAN, 1, NAN, NAN), (NAN, 0, NAN, NAN)],
)  # fmt: skip
def test_binary_of_what_is_not_finite(x: float, y: float, loss: float, gradient: float) -> None:
    np.testing.assert_array_equal(binary_cross_entropy([x, 0.0], [y, 0.0], "none"), [loss, np.log(2)])
    np.testing.assert_array_equal(binary_cross_entropy_backward(1.0, [x, 0.0], [y, 0.0], "none"), [gradient, 0.5])


# --- binary: shapes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_binary_of_every_layout(layout: str) -> None:
    x, y = normal(4, 9), np.random.default_rng(0).uniform(0, 1, (4, 9))
    expected = -y * np.log(sigmoid(x)) - (1 - y) * np.log(sigmoid(-x))
    for scores, targets in ((LAYOUTS[layout](x), y), (x, LAYOUTS[layout](y))):
        np.testing.assert_allclose(binary_cross_entropy(scores, targets, "none"), expected, rtol=1e-13)
        assert binary_cross_entropy(scores, targets) == pytest.approx(expected.mean(), rel=1e-13)


# --- no rows, and errors


@pytest.mark.parametrize("targets", [np.zeros(0, int), np.zeros((0, 3))])
def test_no_rows(targets: Array) -> None:
    x = np.zeros((0, 3), np.float32)
    loss, d_scores = softmax_cross_entropy(x, targets, "sum")
    assert (loss, d_scores.shape, d_scores.dtype) == (0, (0, 3), np.float32)
    assert softmax_cross_entropy(x, targets, "none")[0].shape == (0,)
    assert cross_entropy(x, targets, "sum") == 0
    assert cross_entropy_backward(1.0, x, targets).shape == (0, 3)
    for call in (softmax_cross_entropy, cross_entropy):
        with pytest.raises(DataError, match="there are no rows, so their mean does not exist"):
            call(x, targets)


@pytest.mark.parametrize("function", [cross_entropy, softmax_cross_entropy])
@pytest.mark.parametrize(
    ("predictions", "targets", "reduction", "error", "message"),
    [
        ([[0.5, 0.5]], [2], "mean", DataError, "targets: label 2 is out of range; with 2 labels they go from 0 to 1"),
        ([[0.5, 0.5]] * 2, [0, -1], "mean", DataError, "targets: label -1 is out of range"),
        ([[0.5, 0.5]], np.array([2**63], np.uint64), "mean", DataError, "targets: label 9223372036854775808 is out of range"),
        ([[0.5, 0.5]], [0.0], "mean", DataError, "targets: expected whole numbers as labels, got dtype float64"),
        ([[0.5, 0.5]], [True], "mean", DataError, "targets: expected whole numbers as labels, got dtype bool"),
        ([[0.5, 0.5]], [0, 1, 0], "mean", DataError, "targets: expected labels of shape \\(1,\\) or weights of shape \\(1, 2\\), got shape \\(3,\\)"),
        ([[0.5, 0.5]], [[1.0, -1.0]], "mean", DataError, "targets: expected weights from 0 up"),
        ([[0.5, 0.5]], ["a"], "mean", DataError, "targets: expected real numbers"),
        (["a"], [0], "mean", DataError, "expected real numbers"),
        (0.5, 0, "mean", DataError, "expected shape \\(..., n_labels\\) with at least one label, got \\(\\)"),
        (np.zeros((2, 0)), [0, 0], "mean", DataError, "with at least one label, got \\(2, 0\\)"),
        ([[0.5, 0.5]], [0], "average", ParameterError, "reduction='average': expected one of 'mean', 'sum', 'none'"),
    ],
)  # fmt: skip
def test_errors(
    function: Callable[..., Any], predictions: Any, targets: Any, reduction: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        function(predictions, targets, reduction)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: cross_entropy([1.5, 0.5], 0), DataError, "probs: expected probabilities from 0 to 1"),
        (lambda: cross_entropy([-0.5, 0.5], 0), DataError, "probs: expected probabilities from 0 to 1"),
        (lambda: cross_entropy_backward(1.0, [0.5, 0.5], 2), DataError, "targets: label 2 is out of range"),
        (lambda: cross_entropy_backward([1.0, 2.0], [[0.5, 0.5]], [0], "none"), DataError, "d_loss: expected shape \\(1,\\), got \\(2,\\)"),
        (lambda: cross_entropy_backward([1.0], [[0.5, 0.5]], [0]), DataError, "d_loss: expected shape \\(\\), got \\(1,\\)"),
        (lambda: cross_entropy_backward(1.0, [0.5, 0.5], 1, "all"), ParameterError, "reduction='all'"),
        (lambda: softmax_cross_entropy([0.5, 0.5], 0, out=np.zeros(3)), ParameterError, "out: expected shape \\(2,\\)"),
        (lambda: softmax_cross_entropy([0.5, 0.5], 0, threads=0), ParameterError, "threads=0"),
        (lambda: binary_cross_entropy([0.5], [1.5]), DataError, "targets: expected numbers from 0 \\(no\\) to 1 \\(yes\\)"),
        (lambda: binary_cross_entropy([0.5], [-0.5]), DataError, "targets: expected numbers from 0"),
        (lambda: binary_cross_entropy([0.5], [1, 0]), DataError, "targets: expected the shape of the scores, \\(1,\\), got \\(2,\\)"),
        (lambda: binary_cross_entropy(["a"], [1]), DataError, "scores: expected real numbers"),
        (lambda: binary_cross_entropy([0.5], ["a"]), DataError, "targets: expected real numbers"),
        (lambda: binary_cross_entropy([0.5], [1], "all"), ParameterError, "reduction='all'"),
        (lambda: binary_cross_entropy([], []), DataError, "there are no rows"),
        (lambda: binary_cross_entropy_backward(1.0, [0.5], [1, 0]), DataError, "targets: expected the shape of the scores"),
        (lambda: binary_cross_entropy_backward([1.0, 1.0], [0.5], [1], "none"), DataError, "d_loss: expected shape \\(1,\\), got \\(2,\\)"),
    ],
)  # fmt: skip
def test_more_errors(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
