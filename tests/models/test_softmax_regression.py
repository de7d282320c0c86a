"""Softmax regression: its optimum against SciPy's and scikit-learn's, its derivatives against differences, its conventions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from lexigrad import SoftmaxRegression

SOLVERS = ["newton", "lbfgs"]


def digits(two: bool = False) -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return X[::3] / 16, (y[::3] > 4 if two else y[::3])


def reference(X: Any, y: Any, l2: float, sample_weight: Any = None, **more: Any) -> LogisticRegression:
    model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-12, max_iter=1000, **more)
    return model.fit(sparse.csr_matrix(X) if sparse.issparse(X) else X, y, sample_weight)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_optimum_is_scikit_learns(form: Any, two: bool, intercept: bool) -> None:
    X, y = digits(two)
    model = SoftmaxRegression(l2=0.5, fit_intercept=intercept).fit(form(X), y)
    other = reference(X, y, 0.5, fit_intercept=intercept)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(form(X)), other.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(model.decision_function(form(X)), other.decision_function(X), atol=1e-4)
    assert (model.predict(form(X)) == other.predict(X)).all()


def _checks() -> Any:
    estimators: Any = [SoftmaxRegression(), SoftmaxRegression(solver="lbfgs")]
    with warnings.catch_warnings():  # it asks for scikit-learn's base class, which would make it a dependency
        warnings.filterwarnings("ignore", "Estimator SoftmaxRegression does not inherit", UserWarning)
        return parametrize_with_checks(estimators, expected_failed_checks=lambda _: KNOWN)


KNOWN = {
    "check_estimators_unfitted": "wants scikit-learn's own NotFittedError; ours is a ValueError and an AttributeError too",
    "check_supervised_y_2d": "wants scikit-learn's own DataConversionWarning; ours is a LexigradWarning",
    "check_dtype_object": "wants a TypeError for dictionaries among the numbers; ours is a DataError",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@_checks()
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)
