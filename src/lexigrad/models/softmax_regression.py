"""Multinomial logistic regression to its exact optimum, in the scikit-learn manner."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, DivergenceError, LexigradWarning, NotFittedError, ParameterError
from lexigrad.kernels import softmax_regression as kernels
from lexigrad.machine.threads import thread_count
from lexigrad.machine.tiles import WIDTH
from lexigrad.maths import log_softmax, softmax
from lexigrad.models.examples import (
    Floats,
    SparseMatrix,
    check_feature_names,
    ids_of,
    read_examples,
    read_feature_names,
    read_labels,
    read_sparse,
    read_weights,
)
from lexigrad.models.parameters import WithParameters, check_not_negative, check_whole
from lexigrad.training import dual, minimize
from lexigrad.training.softmax_regression import (
    CHUNKS,
    DenseRows,
    Objective,
    Rows,
    SparseRows,
    Workers,
    bounds_of,
    sizes_of,
)

PARAMETERS = (
    "l2", "fit_intercept", "class_weight", "solver", "max_iter", "tolerance", "warm_start", "threads", "seed", "verbose",
)  # fmt: skip

NEWTON = ("auto", "newton")
SOLVERS = (*NEWTON, "lbfgs", "saga")

TOLERANCES = {"auto": 1e-14, "newton": 1e-14, "lbfgs": 1e-12, "saga": 1e-6}
"""What a `tolerance` of None means."""

ENTRIES = 1 << 16
"""Entries of a sparse matrix that are worth a thread of their own in prediction."""


class SoftmaxRegression(WithParameters):
    """Multinomial logistic regression with an L2 penalty, trained to its optimum. Computes in float64.

    For examples in the rows of X, their labels y and their weights sw (1 unless given)::

        S = X W + b        P = softmax(S)
        f = sum_i sw_i (-log P_{i, y_i}) + (l2 / 2) |W|^2

        d_W = X^T R + l2 W    d_b = sum of the rows of R,    R = sw * (P - Y)        (Y: 1 at the label, 0 elsewhere)

    and the Hessian of f times V, v::

        X^T T + l2 V,    sum of the rows of T,    T_il = sw_i P_il (U_il - sum_m P_im U_im),    U = X V + v

    The intercept b is free. With two labels there is one column of weights, the score of the second label, and the first label has the score 0:
    logistic regression. f is what scikit-learn's `LogisticRegression` minimises, with C = 1 / l2.

    Parameters
    ----------
    l2 : weight of the squared weights, from 0 up; of the cost summed over the examples
    fit_intercept : False: b stays 0
    class_weight : None; {label: weight}, others having 1; or "balanced": n / (n_labels n_l) for a label with n_l examples. These multiply the
        weights of the examples
    solver : "newton": Newton's method, its linear systems by preconditioned conjugate gradients; "lbfgs"; "saga": one example a
        step, whose time an epoch grows with the entries of X alone, for a rough optimum of very many examples; "auto" is "newton", for sparse
        examples with fewer rows than features after epochs of dual coordinate ascent, which together count as one step
    max_iter : most steps of the solver; epochs of "saga"
    tolerance : training ends when the estimated distance of the cost from its minimum is at most this share of the cost; None: 1e-14, with
        "lbfgs" 1e-12, with "saga" 1e-6
    warm_start : training starts from the coefficients of the last one where its labels and number of features were the same
    threads : None means what the process may use. The coefficients do not depend on it
    seed : of the rows that are sampled for Newton's linear systems over dense examples, and of the orders of "saga" and dual ascent
    verbose : write the cost of each step to standard error

    Attributes
    ----------
    classes_ : (n_labels,) the labels, sorted
    coef_ : (n_labels, n_features) W^T; (1, n_features) for two labels
    intercept_ : (n_labels,) b; (1,) for two labels
    n_iter_ : steps or epochs taken
    cost_ : f at the coefficients
    converged_ : whether the tolerance was reached
    n_features_in_ : number of features
    feature_names_in_ : (n_features_in_,) names of the columns, where X was a table whose column names are all strings

    Examples
    --------
    >>> import lexigrad
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> model = lexigrad.SoftmaxRegression(l2=0.1).fit(X, y)
    >>> model.predict([[0.5], [2.5]]).tolist()
    ['low', 'high']
    >>> model.coef_.shape, round(model.cost_, 6)
    ((1, 1), 0.859748)
    """

    _parameters = PARAMETERS

    def __init__(
        self,
        l2: float = 1.0,
        *,
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        solver: str = "auto",
        max_iter: int = 1000,
        tolerance: float | None = None,
        warm_start: bool = False,
        threads: int | None = None,
        seed: int = 0,
        verbose: bool = False,
    ) -> None:
        self.l2 = l2
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.warm_start = warm_start
        self.threads = threads
        self.seed = seed
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of a classifier of dense or sparse rows."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(sparse=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there are coefficients."""
        return hasattr(self, "coef_")

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train on examples.

        Parameters
        ----------
        X : (n, n_features) finite numbers: lists, NumPy, a table, or a SciPy sparse matrix or array (entries of one place add up)
        y : (n,) labels: whole numbers, booleans or strings, at least two of them
        sample_weight : (n,) weights of the examples, finite and from 0 up; None: 1

        Raises
        ------
        ParameterError : a setting out of range
        DataError : examples, labels or weights that cannot be used; the model stays as it was
        DivergenceError : the cost is not finite where training begins, or the squares of the numbers in X overflow
        KeyboardInterrupt : Ctrl-C; the model has the best coefficients until then and can be used

        Warns
        -----
        LexigradWarning : after `max_iter` steps the tolerance was not reached
        """
        check_settings(self.get_params())
        problem = Problem(X, y, sample_weight, self.class_weight, bool(self.fit_intercept))
        start = self._start(problem)
        with Workers(thread_count(self.threads)) as workers:
            self._train(problem, problem.rows(workers, self.solver), workers, start)
        return self

    def path(self, X: Any, y: Any, l2s: Iterable[float], sample_weight: ArrayLike | None = None) -> list[Self]:
        """Return one trained model for each l2, in their order; this model stays as it is.

        They are trained from the largest l2 to the smallest, each from the coefficients of the one before, on examples that are prepared once. Each has
        this model's settings besides `l2`, and reaches the same optimum as `fit` would.

        Raises
        ------
        as `fit` does, and ParameterError if there is no l2; after Ctrl-C nothing is returned

        Examples
        --------
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> for model in SoftmaxRegression().path(X, y, [0.01, 1.0]):
        ...     print(model.l2, model.coef_.round(4).tolist())
        0.01 [[-5.653]]
        1.0 [[-0.9583]]
        """
        if not isinstance(l2s, Iterable):
            raise ParameterError(f"l2s={l2s!r}: expected several numbers, such as [0.1, 1.0]")
        models = [type(self)(**{**self.get_params(), "l2": l2}) for l2 in l2s]
        for model in models:
            check_settings(model.get_params())
        if not models:
            raise ParameterError("l2s: expected at least one number")
        problem = Problem(X, y, sample_weight, self.class_weight, bool(self.fit_intercept))
        start = self._start(problem)
        with Workers(thread_count(self.threads)) as workers:
            rows = problem.rows(workers, self.solver)
            for model in sorted(models, key=lambda model: -model.l2):
                model._train(problem, rows, workers, start)
                start = (model.coef_, model.intercept_)
        return models

    def _start(self, problem: Problem) -> tuple[Floats, Floats] | None:
        """Return the coefficients to start from, if there are some that fit."""
        if not self.warm_start or not self.__sklearn_is_fitted__():
            return None
        same = self.classes_.tolist() == problem.classes.tolist() and self.n_features_in_ == problem.n_features
        return (self.coef_, self.intercept_) if same else None

    def _train(self, problem: Problem, rows: Rows, workers: Workers, start: tuple[Floats, Floats] | None) -> None:
        l2 = float(self.l2)
        objective = Objective(rows, problem.ids, problem.sample_weights, problem.sizes, l2, workers, self.seed)
        weights = problem.priors() if start is None else problem.packed(*start)
        tolerance = TOLERANCES[self.solver] if self.tolerance is None else float(self.tolerance)
        limits = (int(self.max_iter), tolerance, self._report)
        search: minimize.Search[Any]
        if self.solver in NEWTON and dual.serves(rows, l2):
            in_examples = dual.DualObjective(objective)
            search = minimize.Search(in_examples.start(weights))
            try:
                if self.solver == "auto":
                    from lexigrad.training.dual_ascent import improve  # compiled where it is used

                    improve(in_examples, problem.by_rows(), search, tolerance, int(self.seed), self._report)
                dual.newton(in_examples, search, *limits)
            finally:  # after Ctrl-C as well
                self._keep(problem, search, in_examples.weights(search.point.place))
        else:
            search = minimize.Search(objective.evaluate(weights))
            minimize.check_start(search.point)
            try:
                if self.solver == "saga":
                    minimize.saga(objective, problem.by_rows(), search, *limits)
                else:
                    (minimize.lbfgs if self.solver == "lbfgs" else minimize.newton)(objective, search, *limits)
            finally:
                self._keep(problem, search, search.point.weights)
        if not search.converged:
            warnings.warn(
                f"after max_iter={self.max_iter} steps the cost may be {search.gap:.1e} of itself above its minimum, more than tolerance={tolerance}: "
                "raise max_iter, or bring the features to a size around 1",
                LexigradWarning,
                3,
            )

    def _report(self, search: minimize.Search[Any]) -> None:
        if self.verbose:
            sys.stderr.write(
                f"step {search.iterations}  cost {search.point.cost:.6f}  above the minimum, before this step: about {search.gap:.1e} of it\n"
            )

    def _keep(self, problem: Problem, search: minimize.Search[Any], weights: Floats) -> None:
        self.coef_, self.intercept_ = problem.unpacked(weights)
        self.classes_, self.n_features_in_ = problem.classes, problem.n_features
        self.n_iter_, self.cost_, self.converged_ = max(1, search.iterations), search.point.cost, search.converged
        vars(self).pop("feature_names_in_", None)
        if problem.names is not None:
            self.feature_names_in_ = problem.names

    def decision_function(self, X: Any) -> Floats:
        """Return the scores X W + b, (n, n_labels); of two labels only those of the second, (n,)."""
        scores = self._scores(X)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each example, (n,) with the dtype of `classes_`."""
        best = self._all_scores(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every label, (n, n_labels), columns as `classes_`; rows sum to 1."""
        scores = self._all_scores(X)
        return np.asarray(softmax(scores, out=scores) if len(scores) else scores)

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of every probability, (n, n_labels); finite also where the probability is 0."""
        scores = self._all_scores(X)
        return np.asarray(log_softmax(scores, out=scores) if len(scores) else scores)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy: the share of examples, by their weights, whose most probable label is theirs."""
        predicted, labels = self.predict(X), read_labels(y, "y")
        if len(labels) != len(predicted):
            raise DataError(f"{len(predicted)} examples but {len(labels)} labels: expected one label per example")
        if not len(labels):
            raise DataError("X: there are no examples, so there is no accuracy")
        return float(np.average(predicted == labels, weights=read_weights(sample_weight, len(labels))))

    def loss_gradient(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, params: ArrayLike | None = None
    ) -> tuple[float, Floats]:
        """Return f of examples, class weights included, and its gradient.

        Parameters
        ----------
        X : (n, n_features_in_)
        y : (n,) labels out of `classes_`
        sample_weight : (n,)
        params : flat vector to use in place of the model's own: `coef_`, row by row, then `intercept_` if there is one

        Returns
        -------
        f : in nats; NaN where the scores overflowed
        d_params : of the length of `params`

        Raises
        ------
        NotFittedError : before `fit`
        DataError : examples, labels or weights that do not fit
        ParameterError : a vector of another length

        Examples
        --------
        >>> import lexigrad
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> model = SoftmaxRegression().fit(X, y)
        >>> bool(lexigrad.gradcheck(lambda params: model.loss_gradient(X, y, params=params), [0.3, -0.2]))
        True
        >>> bool(abs(model.loss_gradient(X, y)[1]).max() < 1e-6)  # at the optimum
        True
        """
        problem, weights = self._problem(X, y, sample_weight, params)
        with Workers(thread_count(self.threads)) as workers:
            point = self._objective(problem, workers).evaluate(weights)
        return point.cost, problem.flattened(point.gradient)

    def hessian_product(
        self, X: Any, y: Any, vector: ArrayLike, sample_weight: ArrayLike | None = None, params: ArrayLike | None = None
    ) -> Floats:
        """Return the Hessian of f times a vector of the form of `params`; the rest as for `loss_gradient`.

        Examples
        --------
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> model = SoftmaxRegression(l2=1.0).fit(X, y)
        >>> model.hessian_product(X, y, [1.0, 0.0], params=[0.0, 0.0]).tolist()  # sum_i x_i^2 / 4 + l2, sum_i x_i / 4
        [4.5, 1.5]
        """
        problem, weights = self._problem(X, y, sample_weight, params)
        change = problem.packed_flat(vector, "vector")
        with Workers(thread_count(self.threads)) as workers:
            objective = self._objective(problem, workers)
            product = objective.hessian_product(objective.evaluate(weights), change, np.empty(objective.size))
        return problem.flattened(product)

    def _problem(
        self, X: Any, y: Any, sample_weight: ArrayLike | None, params: ArrayLike | None
    ) -> tuple[Problem, Floats]:
        self._check_fitted()
        check_settings(self.get_params())
        check_feature_names(self, read_feature_names(X))
        problem = Problem(
            X, y, sample_weight, self.class_weight, bool(self.fit_intercept), self.classes_, compact=False
        )
        self._check_width(problem.n_features)
        if params is None:
            return problem, problem.packed(self.coef_, self.intercept_)
        return problem, problem.packed_flat(params, "params")

    def _objective(self, problem: Problem, workers: Workers) -> Objective:
        return Objective(
            problem.rows(workers),
            problem.ids,
            problem.sample_weights,
            problem.sizes,
            float(self.l2),
            workers,
            self.seed,
        )

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError("this SoftmaxRegression has no coefficients yet: call fit first")

    def _check_width(self, n_features: int) -> None:
        if n_features != self.n_features_in_:
            raise DataError(
                f"X has {n_features} features, but SoftmaxRegression is expecting {self.n_features_in_} features as input"
            )

    def _scores(self, X: Any) -> Floats:
        self._check_fitted()
        check_feature_names(self, read_feature_names(X))
        if hasattr(X, "tocsr"):
            matrix = read_sparse(X)
            self._check_width(matrix.shape[1])
            return sparse_scores(matrix, self.coef_, self.intercept_, thread_count(self.threads))
        examples = read_examples(X)
        self._check_width(examples.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(examples @ self.coef_.T + self.intercept_)

    def _all_scores(self, X: Any) -> Floats:
        """Return the scores of all labels; of two, the first has 0."""
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else np.hstack([np.zeros((len(scores), 1)), scores])


def check_settings(params: dict[str, Any]) -> None:
    """Raise `ParameterError` for the first setting that is out of range."""
    check_not_negative("l2", params["l2"])
    if params["tolerance"] is not None:
        check_not_negative("tolerance", params["tolerance"])
    check_whole("max_iter", params["max_iter"], 1)
    check_whole("seed", params["seed"], 0)
    if not isinstance(params["solver"], str) or params["solver"] not in SOLVERS:
        raise ParameterError(f"solver={params['solver']!r}: choose one of {', '.join(map(repr, SOLVERS))}")
    for name in ("fit_intercept", "warm_start", "verbose"):
        if not isinstance(params[name], (bool, np.bool_)):
            raise ParameterError(f"{name}={params[name]!r}: expected True or False")
    chosen = params["class_weight"]
    if not (chosen is None or isinstance(chosen, dict) or (isinstance(chosen, str) and chosen == "balanced")):
        raise ParameterError(f"class_weight={chosen!r}: expected None, 'balanced' or a dictionary of label: weight")
    thread_count(params["threads"])


class Problem:
    """Examples, labels and weights, read and checked, and the forms of coefficients that belong to them."""

    def __init__(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        class_weight: dict[Any, float] | str | None,
        intercept: bool,
        classes: NDArray[Any] | None = None,
        *,
        compact: bool = True,
    ) -> None:
        if y is None:
            raise DataError(
                "This SoftmaxRegression requires y to be passed, but the target y is None: give one label per example"
            )
        self.matrix: SparseMatrix | Floats
        self.used: NDArray[np.int64] | None = None
        self.names = read_feature_names(X)
        if hasattr(X, "tocsr"):
            sparse = read_sparse(X)
            shape = sparse.shape
            self.used = sparse.used() if compact else np.arange(shape[1])
            self.matrix = sparse.renumbered(self.used)
        else:
            self.matrix = np.ascontiguousarray(read_examples(X))
            shape = self.matrix.shape
        if not shape[0]:
            raise DataError(f"X: 0 sample(s) (shape={shape}) while a minimum of 1 is required.")
        labels = read_labels(y, "y")
        if len(labels) != shape[0]:
            raise DataError(f"{shape[0]} examples but {len(labels)} labels: expected one label per example")
        if classes is None:
            numbers = (self.matrix.data if isinstance(self.matrix, SparseMatrix) else self.matrix).reshape(-1)
            with np.errstate(over="ignore"):
                squares = numbers @ numbers
            if not np.isfinite(squares):
                raise DivergenceError("X: the squares of its numbers overflow; scale the features to a size around 1")
            self.classes, ids = np.unique(labels, return_inverse=True)
            if len(self.classes) < 2:
                raise DataError(
                    f"y has one class only, {self.classes.tolist()[0]!r}: expected examples of at least two labels"
                )
            self.ids = ids.astype(np.int64).reshape(-1)
        else:
            self.classes, self.ids = classes, ids_of(labels, classes)
        self.n, self.n_features = shape
        self.sizes = sizes_of(len(self.classes), intercept)
        self.sample_weights = read_weights(sample_weight, shape[0]) * self._class_weights(class_weight)[self.ids]

    def _class_weights(self, chosen: dict[Any, float] | str | None) -> Floats:
        n_labels = len(self.classes)
        if chosen is None:
            return np.ones(n_labels)
        if isinstance(chosen, str):
            return self.n / (n_labels * np.maximum(np.bincount(self.ids, minlength=n_labels), 1.0))
        known = self.classes.tolist()
        unknown = [label for label in chosen if label not in known]
        if unknown:
            raise ParameterError(
                f"class_weight: {unknown[0]!r} is not among the labels {', '.join(map(repr, known[:20]))}"
            )
        weights = [check_not_negative(f"class_weight of {label!r}", chosen.get(label, 1.0)) for label in known]
        return np.array(weights)

    def rows(self, workers: Workers, solver: str = "lbfgs") -> Rows:
        """Return the examples as the objective of a solver needs them."""
        if isinstance(self.matrix, SparseMatrix):
            offsets, columns, data, (_, dim) = self.matrix
            parts = 1 if solver in NEWTON and self.n < dim else None  # Newton's method in the space of examples
            return SparseRows(offsets, columns, data, dim, self.sizes.stride, workers, parts)
        return DenseRows(self.matrix, workers)

    def by_rows(self) -> minimize.ByRows:
        """Return the examples as SAGA reads them."""
        if isinstance(self.matrix, SparseMatrix):
            return minimize.ByRows(self.matrix.offsets, self.matrix.columns, self.matrix.data)
        n, dim = self.matrix.shape
        return minimize.ByRows(np.arange(n + 1) * dim, None, self.matrix.reshape(-1))

    def priors(self) -> Floats:
        """Return weights of 0 and the intercept that is best with them, as the kernels have them."""
        intercept = np.zeros(self.sizes.n_scores)
        if self.sizes.intercept:
            logs = np.log(np.bincount(self.ids, self.sample_weights, len(self.classes)).clip(min=1e-10))
            intercept = logs[1:] - logs[0] if self.sizes.implied else logs - logs.mean()
        return self.packed(np.zeros((self.sizes.n_scores, self.n_features)), intercept)

    def packed(self, coef: Floats, intercept: Floats) -> Floats:
        """Return coefficients as the kernels have them."""
        coef = coef if self.used is None else coef[:, self.used]
        out = np.zeros((coef.shape[1] + 1, self.sizes.stride))
        out[:-1, : self.sizes.n_scores] = coef.T
        out[-1, : self.sizes.n_scores] = intercept if self.sizes.intercept else 0.0
        return out.reshape(-1)

    def packed_flat(self, params: ArrayLike, name: str) -> Floats:
        """Return a vector of the form of `params` as the kernels have it."""
        flat = np.ascontiguousarray(params, np.float64)
        n_scores, dim, intercept = self.sizes.n_scores, self.n_features, self.sizes.intercept
        expected = n_scores * (dim + int(intercept))
        if flat.shape != (expected,):
            raise ParameterError(f"{name}: expected a flat vector of {expected} numbers, got shape {flat.shape}")
        return self.packed(
            flat[: n_scores * dim].reshape(n_scores, dim), flat[n_scores * dim :] if intercept else np.zeros(n_scores)
        )

    def unpacked(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return coefficients and intercept from the kernels' form."""
        rows = weights.reshape(-1, self.sizes.stride)[:, : self.sizes.n_scores]
        if self.used is None:
            return rows[:-1].T.copy(), rows[-1].copy()
        coef = np.zeros((self.sizes.n_scores, self.n_features))
        coef[:, self.used] = rows[:-1].T
        return coef, rows[-1].copy()

    def flattened(self, weights: Floats) -> Floats:
        """Return weights or their gradient in the form of `params`."""
        coef, intercept = self.unpacked(weights)
        return np.concatenate([coef.reshape(-1), intercept[: len(intercept) * int(self.sizes.intercept)]])


def sparse_scores(matrix: SparseMatrix, coef: Floats, intercept: Floats, threads: int) -> Floats:
    """Return X coef^T + intercept."""
    used = matrix.used()
    offsets, columns, data, (n, dim) = matrix.renumbered(used)
    n_scores, stride = len(coef), -(-len(coef) // WIDTH) * WIDTH
    weights = np.zeros((dim + 1, stride))
    weights[:-1, :n_scores], weights[-1, :n_scores] = coef[:, used].T, intercept
    scores = np.empty(n * stride)
    flat = weights.reshape(-1)

    def work(first: int, stop: int) -> None:
        kernels.sparse_row_scores(offsets, columns, data, dim, first, stop, flat, stride, scores)

    with Workers(min(threads, max(1, len(data) // ENTRIES))) as workers:
        workers.run(work, bounds_of(n, max(1, min(CHUNKS, len(data) // ENTRIES))))
    return np.ascontiguousarray(scores.reshape(n, stride)[:, :n_scores])
