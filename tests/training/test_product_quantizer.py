"""Product quantisation: codes are nearest centroids, k-means never makes it worse, and no bit depends on threads."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lexigrad import DataError
from lexigrad.formats.fasttext_bin import CodedMatrix
from lexigrad.kernels.product_quantizer import k_means
from lexigrad.training import product_quantizer
from lexigrad.training.product_quantizer import quantized, slice_centroids
from tests.oracles import product_quantizer as oracle


def matrix_of(n: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    """Rows of very different lengths, some of them zeros, some alike."""
    rng = np.random.default_rng(seed)
    matrix = (rng.normal(size=(n, dim)) * rng.gamma(0.5, size=(n, 1))).astype(np.float32)
    matrix[:: max(1, n // 7)] = 0
    matrix[1 :: max(1, n // 5)] = matrix[min(2, n - 1)]
    return matrix


def of(matrix: NDArray[np.float32], sub_dim: int = 2, norms: bool = False, threads: int = 1) -> CodedMatrix:
    return quantized(matrix, sub_dim=sub_dim, norms=norms, seed=0, threads=threads)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [300, 1000])
def test_k_means_is_that_of_the_plain_version(n: int, width: int) -> None:
    rows = np.random.default_rng(width).normal(size=(n, width)).astype(np.float32)
    start = np.concatenate([np.zeros((1, width), np.float32), rows[:200], np.repeat(rows[:1], 55, axis=0)])
    flat, objectives = start.reshape(-1).copy(), np.zeros(6)
    columns = np.ascontiguousarray(rows.T).reshape(-1)
    done = k_means(columns, n, width, flat, 1, 6, objectives)
    expected, course = oracle.k_means(rows, start, 1, 6)
    np.testing.assert_allclose(objectives[:done], course[:done], rtol=1e-5)
    assert done == len(course)
    np.testing.assert_allclose(flat.reshape(256, width), expected, atol=1e-5)
    assert not flat[:width].any()


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_objective_never_rises(width: int, seed: int) -> None:
    rows = matrix_of(5000, width, seed)
    centroids, objectives = slice_centroids(np.ascontiguousarray(rows.T), [seed])
    assert len(objectives) > 3
    assert (np.diff(objectives) <= 1e-6 * objectives[:-1]).all()
    last = oracle.distances(rows, centroids.reshape(256, width)).min(axis=1).sum()
    assert last <= objectives[-1] * (1 + 1e-6)
    assert not centroids[:width].any()


@pytest.mark.parametrize(("dim", "sub_dim"), [(7, 2), (8, 2), (5, 1), (10, 3), (6, 6), (4, 9), (1, 2)])
@pytest.mark.parametrize("norms", [False, True])
def test_codes_are_the_nearest_centroids(dim: int, sub_dim: int, norms: bool) -> None:
    matrix = matrix_of(3000, dim)
    coded = of(matrix, sub_dim, norms)
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    rows = matrix / np.where(lengths > 0, lengths, 1) if norms else matrix
    for i, (columns, centroids) in enumerate(oracle.slices(coded)):
        table = oracle.distances(rows[:, columns], centroids)
        chosen = table[np.arange(len(table)), coded.codes[:, i]]
        assert (chosen <= table.min(axis=1) * (1 + 1e-5) + 1e-12).all()
    if norms:
        whole = np.concatenate([c[coded.codes[:, i]] for i, (_, c) in enumerate(oracle.slices(coded))], axis=1)
        squares = np.einsum("ij,ij->i", whole, whole, dtype=np.float64)
        best = np.einsum("ij,ij->i", matrix, whole, dtype=np.float64) / np.where(squares > 0, squares, 1)
        table = np.abs(best[:, None] - coded.norm_centroids[None])
        chosen = table[np.arange(len(table)), coded.norm_codes]
        assert (chosen <= table.min(axis=1) + 1e-6 * np.abs(best)).all()
    assert not coded[np.flatnonzero(lengths[:, 0] == 0)].any()


def test_more_bytes_are_nearer() -> None:
    matrix = matrix_of(4000, 12)
    errors = [float(((of(matrix, sub_dim)[:] - matrix) ** 2).sum()) for sub_dim in (1, 2, 4, 12)]
    assert errors == sorted(errors)
    assert errors[0] < 1e-3 * float((matrix**2).sum())


@pytest.mark.parametrize("norms", [False, True])
def test_no_bit_depends_on_threads(norms: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_quantizer, "SAMPLE", 3000)
    matrix = matrix_of(9001, 6)
    one, many = of(matrix, norms=norms), of(matrix, norms=norms, threads=5)
    for name in ("codes", "centroids", "norm_codes", "norm_centroids"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    other = quantized(matrix, sub_dim=2, norms=norms, seed=1, threads=1)
    assert not np.array_equal(one.centroids, other.centroids)


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("n", [1, 2, 100, 255])
def test_few_rows_are_exact(n: int, norms: bool) -> None:
    matrix = matrix_of(n, 5)
    coded = of(matrix, norms=norms)
    np.testing.assert_allclose(coded[:], matrix, rtol=1e-6, atol=1e-12)
    assert coded.centroids.shape == (256 * 5,)


def test_zeros_and_minus_zeros_are_one_row() -> None:
    matrix = np.zeros((1000, 4), np.float32)
    matrix[::2] = -0.0
    for norms in (False, True):
        coded = of(matrix, norms=norms)
        assert not coded[:].any()
        assert not coded.centroids.any()


def test_the_sample_is_enough_for_rows_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = matrix_of(20_000, 4)
    whole = float(((of(matrix)[:] - matrix) ** 2).sum())
    monkeypatch.setattr(product_quantizer, "SAMPLE", 4000)
    part = float(((of(matrix)[:] - matrix) ** 2).sum())
    assert whole < part < 3 * whole


def test_unaligned_rows_of_a_mapped_file() -> None:
    matrix = matrix_of(500, 3)
    buffer = np.frombuffer(b"x" + matrix.tobytes(), np.uint8)
    unaligned: NDArray[np.float32] = np.ndarray(matrix.shape, np.float32, buffer.data, 1)
    np.testing.assert_array_equal(of(unaligned).codes, of(matrix).codes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    matrix = matrix_of(70_000, 2)
    matrix[69_997, 1] = bad
    with pytest.raises(DataError, match=r"row 69,997 .*not finite"):
        of(matrix)


def test_progress_rises_to_the_end() -> None:
    shares: list[float] = []
    quantized(matrix_of(9000, 6), sub_dim=2, norms=True, seed=0, threads=2, report=shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == pytest.approx(1)


def test_rows_can_be_taken_and_a_row_of_zeros_added() -> None:
    matrix = matrix_of(2000, 5)
    for norms in (False, True):
        coded = of(matrix, norms=norms)
        taken = coded.take(np.array([5, -1, 7, 5]))
        np.testing.assert_array_equal(taken[:], np.stack([coded[[5]][0], np.zeros(5), coded[[7]][0], coded[[5]][0]]))
    centroids = np.ones(256 * 5, np.float32)
    none = CodedMatrix(coded.codes, centroids, 2, np.empty(0, np.uint8), np.empty(0, np.float32), 5)
    with pytest.raises(ValueError, match="no centroid is 0"):
        none.take(np.array([-1]))
