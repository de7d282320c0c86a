"""Softmax regression: its optimum against SciPy's and scikit-learn's, its derivatives against plain loops and differences, its conventions."""

from __future__ import annotations

import functools
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize as scipy_minimize
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import lexigrad
from lexigrad import (
    DataError,
    DivergenceError,
    LexigradWarning,
    NotFittedError,
    ParameterError,
    SoftmaxRegression,
    gradcheck,
)
from lexigrad.training import dual, minimize
from tests.oracles import softmax_regression as oracle

FORMS = [np.asarray, sparse.csr_matrix, sparse.csc_array, sparse.coo_array]


def digits(two: bool = False) -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return X[::3] / 16, (y[::3] > 4 if two else y[::3])


def texts(n: int = 60, dim: int = 400, n_labels: int = 4, seed: int = 0) -> tuple[Any, Any]:
    """Return sparse rows with more features than rows, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    X = sparse.random(n, dim, 0.05, "csr", random_state=rng) + sparse.csr_matrix(np.full((n, dim), 0.0))
    y = (X @ rng.normal(size=(dim, n_labels)) + rng.normal(size=n_labels)).argmax(axis=1)
    y[:n_labels] = np.arange(n_labels)
    return sparse.csr_matrix(X), y


def problem(n: int, dim: int, n_labels: int, seed: int) -> tuple[Any, Any, Any]:
    """Return examples, labels that all occur, and weights."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_labels), rng.integers(0, n_labels, n)])
    return rng.normal(size=(len(y), dim)), y, rng.random(len(y)) * 3


def reference(X: Any, y: Any, l2: float, sample_weight: Any = None, **more: Any) -> LogisticRegression:
    model = LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-9, max_iter=1000, **more)
    return model.fit(sparse.csr_matrix(X) if sparse.issparse(X) else X, y, sample_weight)


# --- formulas


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 19),
    st.integers(2, 11),
    st.sampled_from([0.0, 0.7]),
    st.booleans(),
    st.sampled_from(FORMS),
    st.integers(0, 1000),
)
def test_derivatives_equal_plain_loops(
    n: int, dim: int, n_labels: int, l2: float, intercept: bool, form: Any, seed: int
) -> None:
    X, y, weights = problem(n, dim, n_labels, seed)
    X[X < -0.5] = 0
    n_scores = 1 if n_labels == 2 else n_labels
    model = SoftmaxRegression(l2=max(l2, 0.1), fit_intercept=intercept, max_iter=1, threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LexigradWarning)
        model.fit(form(X), y).set_params(l2=l2)
    rng = np.random.default_rng(seed)
    params, vector = rng.normal(size=(2, n_scores * (dim + intercept)))
    cost, gradient = model.loss_gradient(form(X), y, weights, params=params)
    true_cost, true_gradient = oracle.loss_gradient(X, y, weights, params, n_scores, intercept, l2)
    assert cost == pytest.approx(true_cost, rel=1e-12)
    np.testing.assert_allclose(gradient, true_gradient, rtol=1e-10, atol=1e-11)
    product = model.hessian_product(form(X), y, vector, weights, params=params)
    true_product = oracle.hessian(X, weights, params, n_scores, intercept, l2) @ vector
    np.testing.assert_allclose(product, true_product, rtol=1e-9, atol=1e-10)


def test_known_values() -> None:
    """Two examples at -1 and 1: the slope w of two labels satisfies 2 / (1 + e^w) = l2 w, and symmetry makes b = 0."""
    model = SoftmaxRegression(l2=0.5).fit([[-1.0], [1.0]], ["a", "b"])
    (w,) = model.coef_[0]
    assert 2 / (1 + math.exp(w)) == pytest.approx(0.5 * w, rel=1e-9)
    assert model.intercept_ == pytest.approx([0.0], abs=1e-12)
    assert model.cost_ == pytest.approx(2 * math.log1p(math.exp(-w)) + 0.25 * w * w)
    none = SoftmaxRegression().fit(np.zeros((6, 2)), [0, 0, 0, 1, 1, 2])  # features that say nothing: the priors
    np.testing.assert_allclose(none.predict_proba(np.zeros((1, 2))), [[1 / 2, 1 / 3, 1 / 6]])
    assert not none.coef_.any()


@pytest.mark.parametrize("n_labels", [2, 5])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_gradient_and_hessian_against_differences(n_labels: int, intercept: bool, form: Any) -> None:
    X, y, weights = problem(30, 4, n_labels, 1)
    model = SoftmaxRegression(l2=0.3, fit_intercept=intercept, class_weight="balanced").fit(form(X), y)
    rng = np.random.default_rng(2)
    params, vector = rng.normal(size=(2, model.coef_.size + intercept * len(model.intercept_)))
    assert gradcheck(lambda params: model.loss_gradient(form(X), y, weights, params=params), params)

    def along(t: Any) -> tuple[float, Any]:
        """Return gradient . vector on a line, whose derivative is vector . H vector."""
        at = params + t[0] * vector
        slope = model.loss_gradient(form(X), y, weights, params=at)[1] @ vector
        return slope, np.array([model.hessian_product(form(X), y, vector, weights, params=at) @ vector])

    assert gradcheck(along, [0.2])
    step = 1e-5
    ends = [model.loss_gradient(form(X), y, weights, params=params + s * vector)[1] for s in (step, -step)]
    product = model.hessian_product(form(X), y, vector, weights, params=params)
    np.testing.assert_allclose(product, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-6)


# --- the optimum


@functools.cache
def digits_reference(two: bool, intercept: bool) -> LogisticRegression:
    return reference(*digits(two), 0.5, fit_intercept=intercept)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_optimum_is_scikit_learns(form: Any, two: bool, intercept: bool) -> None:
    X, y = digits(two)
    model = SoftmaxRegression(l2=0.5, fit_intercept=intercept).fit(form(X), y)
    other = digits_reference(two, intercept)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=2e-6)
    np.testing.assert_allclose(model.predict_proba(form(X)), other.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(model.decision_function(form(X)), other.decision_function(X), atol=1e-5)
    np.testing.assert_allclose(model.predict_log_proba(form(X)), other.predict_log_proba(X), atol=1e-5)
    assert (model.predict(form(X)) == other.predict(X)).all()
    assert model.score(form(X), y) == pytest.approx(other.score(X, y))


@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("intercept", [True, False])
def test_more_features_than_examples(n_labels: int, intercept: bool) -> None:
    """Newton's method in the space of examples, which only sparse rows take, agrees with scikit-learn and with the dense road."""
    X, y = texts(n_labels=n_labels)
    model = SoftmaxRegression(l2=0.3, fit_intercept=intercept).fit(X, y)
    other = reference(X, y, 0.3, fit_intercept=intercept)
    dense = SoftmaxRegression(l2=0.3, fit_intercept=intercept).fit(X.toarray(), y)
    for coef, intercepts in ((other.coef_, other.intercept_), (dense.coef_, dense.intercept_)):
        np.testing.assert_allclose(model.coef_, coef, atol=1e-6)
        np.testing.assert_allclose(model.intercept_, intercepts, atol=1e-6)
    unused = np.flatnonzero(X.getnnz(axis=0) == 0)
    assert len(unused)
    assert not model.coef_[:, unused].any()


@pytest.mark.parametrize("solver", ["lbfgs", "saga"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_other_solvers_reach_the_same_optimum(solver: str, form: Any, two: bool, intercept: bool) -> None:
    X, y = digits(two)
    best = SoftmaxRegression(l2=1.0, fit_intercept=intercept).fit(X, y)
    model = SoftmaxRegression(l2=1.0, solver=solver, fit_intercept=intercept, tolerance=1e-8).fit(form(X), y)
    assert model.converged_
    assert model.n_iter_ > 5
    assert best.cost_ * (1 - 1e-14) <= model.cost_ <= best.cost_ * (1 + 5e-8)
    np.testing.assert_allclose(model.predict_proba(X), best.predict_proba(X), atol=5e-3)
    assert model.cost_ == pytest.approx(model.loss_gradient(form(X), y)[0], rel=1e-12)


def test_the_optimum_is_scipys() -> None:
    """SciPy's L-BFGS on the oracle's plain loops."""
    X, y, weights = problem(20, 3, 3, 5)
    size = 3 * 4
    found = scipy_minimize(
        lambda p: oracle.loss_gradient(X, y, weights, p, 3, True, 0.2), np.zeros(size), jac=True, method="L-BFGS-B",
        options={"gtol": 1e-10, "ftol": 0, "maxiter": 1000},
    )  # fmt: skip
    model = SoftmaxRegression(l2=0.2).fit(X, y, weights)
    np.testing.assert_allclose(np.concatenate([model.coef_.ravel(), model.intercept_]), found.x, atol=1e-5)
    assert model.cost_ == pytest.approx(found.fun, rel=1e-11)


def test_without_penalty() -> None:
    X, y, _ = problem(200, 2, 3, 0)
    for form in (np.asarray, sparse.csr_matrix):
        model = SoftmaxRegression(l2=0.0).fit(form(X), y)
        assert model.converged_
        assert np.abs(model.loss_gradient(form(X), y)[1]).max() < 1e-5
        other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-5)


def test_separable_without_penalty_warns() -> None:
    """There is no optimum: the weights grow for ever."""
    with pytest.warns(LexigradWarning, match="max_iter=5"):
        model = SoftmaxRegression(l2=0.0, max_iter=5).fit([[-1.0], [1.0]], [0, 1])
    assert not model.converged_
    assert model.n_iter_ == 5
    assert model.predict([[-1.0], [1.0]]).tolist() == [0, 1]


# --- weights


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_weights(form: Any) -> None:
    X, y, weights = problem(60, 4, 3, 3)
    weights[::4] = 0
    model = SoftmaxRegression().fit(form(X), y, weights)
    other = reference(X, y, 1.0, weights)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=1e-6)
    kept = weights > 0
    np.testing.assert_allclose(
        SoftmaxRegression().fit(form(X[kept]), y[kept], weights[kept]).coef_, model.coef_, atol=1e-7
    )
    twice = SoftmaxRegression().fit(form(np.vstack([X, X])), np.concatenate([y, y]))
    np.testing.assert_allclose(twice.coef_, SoftmaxRegression().fit(form(X), y, np.full(len(y), 2.0)).coef_, atol=1e-7)
    np.testing.assert_allclose(twice.coef_, SoftmaxRegression().fit(form(X), y, 2.0).coef_, atol=1e-7)


@pytest.mark.parametrize("chosen", ["balanced", {0: 3.0, 2: 0.5}])
def test_class_weights(chosen: Any) -> None:
    X, y, _ = problem(60, 4, 3, 3)
    model, other = SoftmaxRegression(class_weight=chosen).fit(X, y), reference(X, y, 1.0, class_weight=chosen)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)
    expected = np.bincount(y)[y] ** -1.0 * len(y) / 3 if chosen == "balanced" else np.array([3.0, 1.0, 0.5])[y]
    np.testing.assert_allclose(SoftmaxRegression().fit(X, y, expected).coef_, model.coef_, atol=1e-7)


# --- path, warm starts, threads


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", ["auto", "lbfgs", "saga"])
def test_a_path_equals_separate_fits(form: Any, solver: str) -> None:
    X, y, weights = problem(80, 5, 3, 7)
    l2s = [0.1, 10.0, 1.0]
    base = SoftmaxRegression(l2=99.0, solver=solver, tolerance=1e-13)
    models = base.path(form(X), y, l2s, sample_weight=weights)
    assert [model.l2 for model in models] == l2s
    assert base.l2 == 99.0
    assert not base.__sklearn_is_fitted__()
    for l2, model in zip(l2s, models, strict=True):
        alone = reference(X, y, l2, weights)
        np.testing.assert_allclose(model.coef_, alone.coef_, atol=1e-4)
    sizes = [float(np.sum(model.coef_**2)) for model in models]
    assert sizes[0] > sizes[2] > sizes[1]


@pytest.mark.parametrize("form", FORMS)
def test_squares_that_overflow_are_refused(form: Any) -> None:
    with pytest.raises(DivergenceError, match="scale the features"):
        SoftmaxRegression().fit(form([[1e200], [-1e200]]), ["a", "b"])


def test_a_path_of_sparse_texts() -> None:
    X, y = texts()
    l2s = np.geomspace(0.01, 10, 5)
    for l2, model in zip(l2s, SoftmaxRegression().path(X, y, l2s), strict=True):
        np.testing.assert_allclose(model.coef_, SoftmaxRegression(l2=l2).fit(X, y).coef_, atol=1e-6)
    with pytest.raises(ParameterError, match="at least one"):
        SoftmaxRegression().path(X, y, [])
    with pytest.raises(ParameterError, match="l2=-1"):
        SoftmaxRegression().path(X, y, [1.0, -1])
    with pytest.raises(ParameterError, match="several numbers"):
        SoftmaxRegression().path(X, y, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("solver", "examples"), [("newton", digits), ("newton", texts), ("lbfgs", digits)])
def test_a_warm_start_saves_steps(solver: str, examples: Any) -> None:
    X, y = examples()
    model = SoftmaxRegression(solver=solver, warm_start=True, tolerance=1e-9).fit(X, y)
    first, coef = model.n_iter_, model.coef_
    model.fit(X, y)
    assert model.n_iter_ <= (2 if solver == "newton" else 20) < first
    np.testing.assert_allclose(model.coef_, coef, atol=1e-3)
    model.fit(X[:, :-1], y)  # another number of features: from the beginning
    assert model.n_iter_ > 2
    assert SoftmaxRegression(solver=solver, tolerance=1e-9).fit(X[:, :-1], y).n_iter_ == model.n_iter_


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("examples", ["dense", "sparse", "wide"])
def test_threads_change_no_bit(solver: str, examples: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual, "ENTRIES", 100)  # so that few entries make several chunks
    X, y, _ = problem(3000, 6, 3, 1)
    if examples == "sparse":
        X = sparse.csr_matrix(np.where(X > 0.5, X, 0))
    if examples == "wide":
        X, y = texts(100, 3000)
    models = [SoftmaxRegression(solver=solver, threads=threads, tolerance=1e-9).fit(X, y) for threads in (1, 2, 3)]
    for model in models[1:]:
        assert (model.coef_ == models[0].coef_).all()
        assert (model.intercept_ == models[0].intercept_).all()
        assert model.cost_ == models[0].cost_


def test_long_vectors_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many features and more examples than those: Newton's vectors are cut into ranges."""
    from lexigrad.training import softmax_regression

    X, y = texts(500, 300)
    whole = SoftmaxRegression(threads=1).fit(X, y)
    monkeypatch.setattr(softmax_regression, "RANGE", 64)
    monkeypatch.setattr(softmax_regression, "PART_BYTES", 4096)
    parts = SoftmaxRegression(threads=2).fit(X, y)
    np.testing.assert_allclose(parts.coef_, whole.coef_, atol=1e-8)


def test_large_blocks_fall_back_to_the_diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    from lexigrad.training import softmax_regression

    X, y = digits()
    blocks = SoftmaxRegression().fit(X, y)
    monkeypatch.setattr(softmax_regression, "BLOCK_DIM", 10)
    diagonal = SoftmaxRegression().fit(X, y)
    np.testing.assert_allclose(diagonal.coef_, blocks.coef_, atol=1e-6)


def test_saga_depends_on_the_seed_alone() -> None:
    X, y = texts(200, 100)
    one, two, other = (
        SoftmaxRegression(solver="saga", tolerance=1e-4, seed=seed, threads=threads).fit(X, y)
        for seed, threads in ((0, 1), (0, 2), (1, 1))
    )
    assert (one.coef_ == two.coef_).all()
    assert (one.coef_ != other.coef_).any()


# --- data


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_forms_of_sparse_matrices(index: Any) -> None:
    """Unsorted indices, entries of one place that add up, explicit zeros, 64-bit indices."""
    X, y = texts()
    plain = SoftmaxRegression().fit(X, y)
    coo = X.tocoo()
    rows, columns = np.concatenate([coo.row, coo.row, [0]]), np.concatenate([coo.col, coo.col, [3]])
    order = np.random.default_rng(0).permutation(len(rows))
    data = np.concatenate([0.25 * coo.data, 0.75 * coo.data, [0.0]])[order]
    rows, columns = rows[order], columns[order]
    by_row = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=X.shape[0]))])
    odd = sparse.csr_matrix(X.shape)
    odd.data, odd.indices, odd.indptr = data[by_row], columns[by_row].astype(index), offsets.astype(index)
    assert not odd.has_sorted_indices
    before = odd.indices.copy()
    model = SoftmaxRegression().fit(odd, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(odd), plain.predict_proba(X), atol=1e-6)
    assert (odd.indices == before).all()  # what was given is not changed


def test_dtypes_and_layouts() -> None:
    import pandas

    X, y = digits()
    X = X.astype(np.float32)
    X.flags.writeable = False
    whole = SoftmaxRegression().fit(X.astype(np.float64), y)
    for other in (
        X,
        np.asfortranarray(X),
        X.tolist(),
        np.repeat(X, 2, axis=0)[::2],
        pandas.DataFrame(X),
        sparse.csr_matrix(X),
    ):
        np.testing.assert_allclose(SoftmaxRegression().fit(other, y).coef_, whole.coef_, atol=1e-6)
        np.testing.assert_allclose(whole.predict_proba(other), whole.predict_proba(X), atol=1e-12)
    whole_numbers = SoftmaxRegression().fit((X * 16).astype(np.int8), y)
    np.testing.assert_allclose(whole_numbers.coef_, SoftmaxRegression().fit(X * 16.0, y).coef_, atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [(["b", "a", "c"], "U"), ([True, False, True], "b"), ([3, -1, 7], "i"), (np.array(["x", "yy", "x"], object), "O")],
)
def test_labels_keep_their_dtype(labels: Any, kind: str) -> None:
    model = SoftmaxRegression().fit([[0.0], [1.0], [2.0]], labels)
    assert model.classes_.tolist() == sorted(set(np.asarray(labels).tolist()))
    assert model.predict([[0.0]]).dtype.kind == kind


def test_a_constant_column_and_far_features() -> None:
    X, y = load_iris(return_X_y=True)
    shifted = np.hstack([X, np.full((len(X), 1), 3.0)])
    model, plain = SoftmaxRegression().fit(shifted, y), SoftmaxRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_[:, :4], plain.coef_, atol=1e-5)
    np.testing.assert_allclose(model.coef_[:, 4], 0, atol=1e-6)  # the free intercept does its work
    scaled = SoftmaxRegression(l2=1e-6).fit(X * [1e3, 1, 1e-3, 1], y)
    assert scaled.converged_
    assert np.abs(scaled.loss_gradient(X * [1e3, 1, 1e-3, 1], y)[1]).max() < 1e-3


def test_huge_scores() -> None:
    model = SoftmaxRegression().fit([[-1.0], [1.0], [3.0]], [0, 1, 2])
    far = [[-1e300], [1e300]]
    np.testing.assert_array_equal(model.predict_proba(far), [[1, 0, 0], [0, 0, 1]])
    assert np.isfinite(model.predict_log_proba([[1e6]])).all()
    cost, _ = model.loss_gradient([[1e308], [1.0]], [0, 1], params=[1e300, 0, -1e300, 0, 0, 0])
    assert math.isnan(cost)
    model.coef_[:] = [[1e300], [0], [-1e300]]
    with pytest.raises(DivergenceError, match="scale the features"):
        model.set_params(warm_start=True).fit([[-1e300], [1e300], [0.0]], [0, 1, 2])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite(form: Any, bad: float) -> None:
    X, y = digits()
    model = SoftmaxRegression().fit(form(X), y)
    coef = model.coef_.copy()
    broken = X.copy()
    broken[5, 7] = bad
    with pytest.raises(DataError, match=rf"X contains {'NaN' if math.isnan(bad) else 'infinity'} in row 5, column 7"):
        model.fit(form(broken), y)
    with pytest.raises(DataError, match="row 5, column 7"):
        model.predict(form(broken))
    assert (model.coef_ == coef).all()


class Foreign:
    """A sparse matrix by rows that is not SciPy's, and may be broken."""

    def __init__(self, indptr: Any, indices: Any, data: Any, shape: tuple[int, ...]) -> None:
        self.indptr, self.indices, self.data, self.shape = (*map(np.asarray, (indptr, indices, data)), shape)

    def tocsr(self) -> Foreign:
        return self


def test_sparse_matrices_of_others() -> None:
    good = Foreign([0, 1, 2], [0, 1], [1.0, 2.0], (2, 3))
    model = SoftmaxRegression().fit(good, [0, 1])
    np.testing.assert_allclose(
        model.coef_, SoftmaxRegression().fit([[1.0, 0, 0], [0, 2.0, 0]], [0, 1]).coef_, atol=1e-9
    )
    for broken, message in (
        (Foreign([0, 1, 2], [0, 3], [1.0, 2.0], (2, 3)), "indices"),
        (Foreign([0, 1, 2], [0, -1], [1.0, 2.0], (2, 3)), "indices"),
        (Foreign([0, 2, 1], [0, 1], [1.0, 2.0], (2, 3)), "indptr"),
        (Foreign([0, 1, 5], [0, 1], [1.0, 2.0], (2, 3)), "indptr"),
        (Foreign([0, 2], [0, 1], [1.0, 2.0], (2, 3)), "indptr"),
        (Foreign([0, 1, 2], [0, 1], [1.0, 2.0], (2, 0)), "0 feature"),
        (Foreign([0, 1, 2], [0, 1], [1.0, 2.0j], (2, 3)), "Complex"),
        (Foreign([0, 1, 2], [0, 1], ["a", "b"], (2, 3)), "expected numbers"),
        (Foreign([0, 1, 2], [0, 1], [1.0, 2.0], (2, 2**31)), "columns"),
    ):
        with pytest.raises(DataError, match=message):
            model.fit(broken, [0, 1])


@pytest.mark.parametrize(
    ("X", "y", "weights", "message"),
    [
        ([[1.0], [2.0]], ["a", "a"], None, "one class only, 'a'"),
        (np.zeros((0, 2)), [], None, r"0 sample\(s\)"),
        (sparse.csr_matrix((0, 2)), [], None, r"0 sample\(s\)"),
        ([[1.0], [2.0]], [0], None, "2 examples but 1 labels"),
        ([[1.0], [2.0]], None, None, "requires y to be passed"),
        ([1.0, 2.0], [0, 1], None, "Reshape your data"),
        ([[1.0], [2.0]], [0.5, 1.5], None, "Unknown label type"),
        ([[1.0], [2.0]], [0, 1], [1.0], r"sample_weight.shape == \(1,\)"),
        ([[1.0], [2.0]], [0, 1], [[1.0], [2.0]], "must be 1D"),
        ([[1.0], [2.0]], [0, 1], [1.0, -1.0], "from 0 up"),
        ([[1.0], [2.0]], [0, 1], [1.0, math.nan], "from 0 up"),
        ([[1.0], [2.0]], [0, 1], ["a", "b"], "one number per example"),
        ([[1.0], [2.0]], [0, 1], [0.0, 0.0], "all weights are zero"),
    ],
)
def test_examples_that_cannot_be_used(X: Any, y: Any, weights: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SoftmaxRegression().fit(X, y, weights)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"l2": -1}, "l2=-1"),
        ({"l2": math.nan}, "l2=nan"),
        ({"l2": "1"}, "l2='1'"),
        ({"solver": "sgd"}, "solver='sgd': choose one of 'auto', 'newton', 'lbfgs', 'saga'"),
        ({"solver": ["newton"]}, "solver"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"tolerance": -1e-3}, "tolerance"),
        ({"fit_intercept": "yes"}, "fit_intercept='yes'"),
        ({"warm_start": 2}, "warm_start=2"),
        ({"verbose": None}, "verbose=None"),
        ({"class_weight": "even"}, "class_weight='even'"),
        ({"class_weight": {5: 1.0}}, "5 is not among the labels 0, 1"),
        ({"class_weight": {0: -1.0}}, "class_weight of 0=-1.0"),
        ({"threads": 0}, "threads=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        SoftmaxRegression(**settings).fit([[1.0], [2.0]], [0, 1])


def test_before_and_after_training() -> None:
    model = SoftmaxRegression()
    for call in (model.predict, model.predict_proba, model.predict_log_proba, model.decision_function):
        with pytest.raises(NotFittedError, match="call fit first"):
            call([[1.0]])
    with pytest.raises(NotFittedError):
        model.loss_gradient([[1.0]], [0])
    model.fit([[1.0], [2.0]], [0, 1])
    with pytest.raises(DataError, match="X has 2 features, but SoftmaxRegression is expecting 1 features as input"):
        model.predict([[1.0, 2.0]])
    with pytest.raises(DataError, match="label 2 was not seen"):
        model.loss_gradient([[1.0]], [2])
    with pytest.raises(ParameterError, match="params: expected a flat vector of 2 numbers"):
        model.loss_gradient([[1.0]], [1], params=[1.0])
    with pytest.raises(ParameterError, match="vector: expected a flat vector of 2 numbers"):
        model.hessian_product([[1.0]], [1], [1.0])
    with pytest.raises(DataError, match="2 examples but 1 labels"):
        model.score([[1.0], [2.0]], [0])
    assert model.predict_proba(np.zeros((0, 1))).shape == (0, 2)
    assert model.score([[1.0], [2.0]], [0, 0], sample_weight=[3.0, 1.0]) == 0.75


# --- conventions


@pytest.mark.parametrize("examples", [digits, texts])
@pytest.mark.parametrize("solver", ["newton", "lbfgs", "saga"])
def test_an_interrupted_fit_can_be_used(solver: str, examples: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = examples()
    whole = SoftmaxRegression(solver=solver, tolerance=1e-6).fit(X, y)
    start = SoftmaxRegression(solver=solver, tolerance=1e-6)
    seen = []

    def interrupt(self: SoftmaxRegression, search: Any) -> None:
        seen.append(search.point.cost)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(SoftmaxRegression, "_report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start.fit(X, y)
    assert not start.converged_
    assert start.n_iter_ == 3
    assert start.cost_ == pytest.approx(seen[-1]) == pytest.approx(start.loss_gradient(X, y)[0])
    assert whole.cost_ < start.cost_ < seen[0]
    assert start.predict(X).shape == y.shape


def test_progress_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = digits()
    SoftmaxRegression().fit(X, y)
    assert capsys.readouterr() == ("", "")
    model = SoftmaxRegression(verbose=True).fit(X, y)
    out, err = capsys.readouterr()
    assert not out
    lines = err.splitlines()
    assert len(lines) == model.n_iter_
    assert lines[-1].startswith(f"step {model.n_iter_}  cost {model.cost_:.6f}  ")


def test_pickle_clone_and_search() -> None:
    X, y = load_iris(return_X_y=True)
    model = SoftmaxRegression(l2=0.3, class_weight="balanced").fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    assert again.get_params() == model.get_params() == clone(model).get_params()
    assert not clone(model).__sklearn_is_fitted__()
    assert repr(model).startswith(
        "SoftmaxRegression(l2=0.3, fit_intercept=True, class_weight='balanced', solver='auto'"
    )
    grid = {"softmaxregression__l2": [1e-2, 1e4]}
    search = GridSearchCV(make_pipeline(StandardScaler(), SoftmaxRegression()), grid, cv=3).fit(X, y)
    assert search.best_params_ == {"softmaxregression__l2": 1e-2}
    with pytest.raises(ParameterError, match="'C' is not a setting"):
        model.set_params(C=1.0)
    assert lexigrad.SoftmaxRegression is SoftmaxRegression


def test_feature_names() -> None:
    import pandas

    X, y = load_iris(return_X_y=True, as_frame=True)
    model = SoftmaxRegression().fit(X, y)
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    with pytest.warns(LexigradWarning, match="X does not have valid feature names"):
        model.predict(X.to_numpy())
    with pytest.raises(DataError, match="same order as they were in fit"):
        model.predict(X[X.columns[::-1]])
    model.fit(X.to_numpy(), y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(LexigradWarning, match="was fitted without feature names"):
        model.predict(pandas.DataFrame(X))


def test_a_result_that_is_not_exact_says_so() -> None:
    X, y = digits()
    with pytest.warns(LexigradWarning, match=r"after max_iter=2 steps the cost may be .* of itself above its minimum"):
        SoftmaxRegression(max_iter=2).fit(X, y)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "saga"])
def test_the_gap_is_honest(solver: str) -> None:
    """Where the tolerance is said to be reached, the cost is no further from the minimum than ten times that."""
    X, y = digits()
    best = SoftmaxRegression().fit(X, y).cost_
    for tolerance in (1e-2, 1e-4, 1e-6):
        model = SoftmaxRegression(solver=solver, tolerance=tolerance).fit(X, y)
        assert model.converged_
        assert model.cost_ <= best * (1 + 10 * tolerance)


def known(model: Any) -> dict[str, str]:
    """Return the checks that are expected to fail, and why."""
    if model.solver == "auto":
        return KNOWN
    rough = "wants probabilities to agree to 1e-7, nearer than this solver gets to the optimum"
    return {**KNOWN, **{f"check_sample_weight_equivalence_on_{form}_data": rough for form in ("dense", "sparse")}}


def _checks() -> Any:
    estimators: Any = [
        SoftmaxRegression(),
        SoftmaxRegression(solver="lbfgs"),
        SoftmaxRegression(solver="saga", tolerance=1e-12),
    ]
    with warnings.catch_warnings():  # it asks for scikit-learn's base class, which would make it a dependency
        warnings.filterwarnings("ignore", "Estimator SoftmaxRegression does not inherit", UserWarning)
        return parametrize_with_checks(estimators, expected_failed_checks=known)


KNOWN = {
    "check_estimators_unfitted": "our NotFittedError has the bases of scikit-learn's, but does not need it to be installed",
    "check_supervised_y_2d": "a column of labels gives a LexigradWarning, not scikit-learn's DataConversionWarning",
    "check_dtype_object": "X that is no numbers raises DataError, a ValueError, not TypeError",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@_checks()
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_searches_stop_where_rounding_hides_the_fall() -> None:
    """A tolerance of 0 ends at the last cost that floating point can tell from its neighbours."""
    X, y = digits()
    for solver in ("newton", "lbfgs"):
        model = SoftmaxRegression(solver=solver, tolerance=0.0, max_iter=2000).fit(X, y)
        assert model.n_iter_ < 2000
        assert np.abs(model.loss_gradient(X, y)[1]).max() < 1e-4
    assert minimize.relative(0.0, 0.0) == 0.0
