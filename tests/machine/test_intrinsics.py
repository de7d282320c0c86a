"""The vector loops against their plain twins, compiled and with NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from lexigrad.machine import intrinsics as fast

RNG = np.random.default_rng(1)
L = fast.LANES


@njit
def run_add_scaled(alpha, x, x_start, y, y_start, n):
    fast.add_scaled(alpha, x, x_start, y, y_start, n)


@njit
def run_set_scaled(alpha, x, x_start, y, y_start, n):
    fast.set_scaled(alpha, x, x_start, y, y_start, n)


@njit
def run_float_at(x, place):
    return fast.float_at(x, place)


@njit
def run_sum_rows(alpha, x, rows, first, n, stride, y, y_start, dim):
    fast.sum_rows(alpha, x, rows, first, n, stride, y, y_start, dim)


@njit
def run_add_to_each(alpha, x, x_start, y, rows, first, n, stride, dim):
    fast.add_to_each(alpha, x, x_start, y, rows, first, n, stride, dim)


@njit
def run_add_to_rows(alphas, n, x, x_start, y, starts, dim):
    fast.add_to_rows(alphas, n, x, x_start, y, starts, dim)


@njit
def run_scores(weights, stride, hidden, dim, scores, first, stop):
    fast.block_scores(weights, stride, hidden, dim, scores, first, stop)


@njit
def run_step(weights, stride, d_scores, steps, d_hidden, first, stop):
    fast.block_step(weights, stride, d_scores, steps, d_hidden, first, stop)


@njit
def run_shift(scores, n_labels, peak):
    fast.block_shift(scores, n_labels, peak)


@njit
def run_normalise(scores, n_labels, total):
    fast.block_normalise(scores, n_labels, total)


@njit
def run_best(scores, n_labels, peak, best):
    fast.block_best(scores, n_labels, peak, best)


@njit
def run_exchange(array, index, value):
    return fast.exchange(array, index, value)


@njit
def run_pow2(exponent):
    return fast.pow2(exponent)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 15, 16, 17, 100, 112, 301])
def test_add_scaled(n: int) -> None:
    x, y = floats(400), floats(400)
    expected = y.copy()
    expected[7 : 7 + n] += np.float32(0.3) * x[5 : 5 + n]
    run_add_scaled(np.float32(0.3), x, 5, y, 7, n)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("n", [0, 1, 3, 5, 16, 17, 100])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_rows_may_begin_at_any_byte(n: int, shift: int) -> None:
    x, y = floats(200), floats(200)
    raw = np.frombuffer(bytes(shift) + x.tobytes(), np.uint8)
    expected = y.copy()
    expected[7 : 7 + n] += np.float32(0.3) * x[5 : 5 + n]
    run_add_scaled(np.float32(0.3), raw, shift + 20, y, 7, n)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
    run_set_scaled(np.float32(2), raw, shift + 20, y, 7, n)
    np.testing.assert_array_equal(y[7 : 7 + n], 2 * x[5 : 5 + n])
    assert run_float_at(raw, shift + 4 * n) == x[n]


@pytest.mark.parametrize(
    ("n_labels", "dim", "first"), [(1, 1, 0), (2, 100, 0), (8, 16, 0), (9, 5, 0), (150, 100, 0), (20, 33, 7)]
)
def test_block_scores(n_labels: int, dim: int, first: int) -> None:
    stride = -(-dim // 16) * 16
    weights, hidden, scores = floats(n_labels, stride), floats(dim, L), np.full((n_labels, L), 9, np.float32)
    run_scores(weights.ravel(), stride, hidden.ravel(), dim, scores.reshape(-1), first, n_labels)
    np.testing.assert_allclose(scores[first:], weights[first:, :dim].astype(float) @ hidden, rtol=1e-4, atol=1e-4)
    assert np.all(scores[:first] == 9)


@pytest.mark.parametrize(("n_labels", "stride", "first"), [(1, 16, 0), (2, 112, 0), (13, 48, 4)])
def test_block_step_uses_the_old_weights(n_labels: int, stride: int, first: int) -> None:
    weights, d_scores, steps, d_hidden = (
        floats(n_labels, stride),
        floats(n_labels, L),
        floats(L, stride),
        floats(L, stride),
    )
    before, start = weights.copy(), d_hidden.copy()
    run_step(weights.reshape(-1), stride, d_scores.ravel(), steps.ravel(), d_hidden.reshape(-1), first, n_labels)
    part = slice(first, n_labels)
    np.testing.assert_allclose(d_hidden, start + d_scores[part].T.astype(float) @ before[part], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(weights[part], before[part] + d_scores[part].astype(float) @ steps, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(weights[:first], before[:first])


@pytest.mark.parametrize("n_labels", [1, 2, 37])
def test_shift_and_normalise(n_labels: int) -> None:
    scores, peak, total = floats(n_labels, L), np.zeros(L, np.float32), np.zeros(L, np.float32)
    before = scores.copy()
    run_shift(scores.reshape(-1), n_labels, peak)
    np.testing.assert_array_equal(peak, before.max(axis=0))
    np.testing.assert_array_equal(scores, before - peak)
    powers = np.exp(scores)
    run_normalise(powers.reshape(-1), n_labels, total)
    np.testing.assert_allclose(total, np.exp(before - peak).sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(powers.sum(axis=0), 1, rtol=1e-5)


def test_exchange_and_pow2() -> None:
    lock = np.array([3, 5], np.int32)
    assert run_exchange(lock, 1, np.int32(8)) == 5
    assert lock.tolist() == [3, 8]
    for exponent in (-126, -1, 0, 1, 127):
        assert run_pow2(np.float32(exponent)) == np.float32(2.0) ** np.float32(exponent)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 15, 16, 17, 100, 112, 301])
def test_set_scaled(n: int) -> None:
    x, y = floats(400), floats(400)
    expected = y.copy()
    expected[7 : 7 + n] = np.float32(0.3) * x[5 : 5 + n]
    run_set_scaled(np.float32(0.3), x, 5, y, 7, n)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dim", [16, 48, 112, 304])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_sum_rows_and_add_to_rows(n: int, dim: int) -> None:
    x, y = floats(10 * dim), floats(10 * dim)
    rows = RNG.permutation(9)[:n].astype(np.int32)
    starts, alphas = rows.astype(np.int64) * dim, floats(n)
    expected = y.copy()
    expected[3 : 3 + dim] = np.float32(0.25) * np.sum([x[start : start + dim] for start in starts], axis=0)
    run_sum_rows(np.float32(0.25), x, np.concatenate([[99], rows]).astype(np.int32), 1, n, dim, y, 3, dim)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    run_sum_rows(np.float32(0.25), x, starts, 0, n, 1, y, 3, dim)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    for alpha, start in zip(alphas, starts, strict=True):
        expected[start : start + dim] += alpha * x[5 : 5 + dim]
    run_add_to_rows(alphas, n, x, 5, y, starts, dim)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    for start in starts:
        expected[start : start + dim] -= np.float32(0.5) * x[7 : 7 + dim]
    run_add_to_each(np.float32(-0.5), x, 7, y, np.concatenate([[99], rows]).astype(np.int32), 1, n, dim, dim)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_labels", [1, 2, 7, 300])
def test_best_of_a_block(n_labels: int) -> None:
    scores = RNG.integers(-3, 4, n_labels * L).astype(np.float32)  # with equal ones
    scores[L // 2 :: 5 * L] = np.nan
    peak, best = np.empty(L, np.float32), np.empty(L, np.int32)
    run_best(scores, n_labels, peak, best)
    expected, places = np.empty(L, np.float32), np.empty(L, np.int32)
    fast._block_best_plain(scores, n_labels, expected, places)
    np.testing.assert_array_equal(peak, expected)
    np.testing.assert_array_equal(best, places)
    assert best[0] == scores[::L].argmax()


@njit
def run_copy_string(data, place, out, out_place):
    return fast.copy_string(data, place, out, out_place)


def test_copy_string_stops_before_what_ends_a_run() -> None:
    data = np.arange(3 * fast.BYTES, dtype=np.uint8) % 60 + 35  # no quote, no control character
    data[data == ord("\\")] = 128
    data.flags.writeable = False
    for ends in ([], [0], [5, 7], [fast.BYTES - 1]):
        for end in b'"\\\x00\x1f':
            text = data.copy()
            text[[3 + place for place in ends]] = end
            out = np.zeros(2 * fast.BYTES, np.uint8)
            assert run_copy_string(text, 3, out, 2) == (ends or [fast.BYTES])[0]
            np.testing.assert_array_equal(out[2 : 2 + fast.BYTES], text[3 : 3 + fast.BYTES])
            assert not out[:2].any()
            assert not out[2 + fast.BYTES :].any()
    assert run_copy_string(data, 64, out, 0) == fast.BYTES


@njit
def run_copy_bytes(data, place, out, out_place, n):
    fast.copy_bytes(data, place, out, out_place, n)


@pytest.mark.parametrize("n", [0, 1, 31, 100])
def test_copy_bytes(n: int) -> None:
    data, out = np.arange(120, dtype=np.uint8), np.zeros(120, np.uint8)
    data.flags.writeable = False
    expected = out.copy()
    expected[3 : 3 + n] = data[7 : 7 + n]
    run_copy_bytes(data, 7, out, 3, n)
    np.testing.assert_array_equal(out, expected)
