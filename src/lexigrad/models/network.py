"""A network with one hidden layer, in the scikit-learn manner."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, DivergenceError, NotFittedError, ParameterError
from lexigrad.maths import sigmoid, sigmoid_grad, softmax, softmax_cross_entropy
from lexigrad.models.examples import (
    check_feature_names,
    depth_of,
    ids_of,
    read_examples,
    read_feature_names,
    read_labels,
)
from lexigrad.models.parameters import WithParameters, check_not_negative, check_whole

PARAMETERS = (
    "hidden", "activation", "lr", "epochs", "batch_size", "momentum", "l2", "anneal_every", "tolerance", "seed", "verbose",
)  # fmt: skip

PATIENCE = 10
"""Epochs without progress after which `tolerance` ends the training."""

Floats = NDArray[np.float64]


class Activation(NamedTuple):
    """A function of the hidden layer, its derivative from its value, and the spread of its initial weights."""

    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    spread: Callable[[int, int], float]


def glorot(n_in: int, n_out: int) -> float:
    """Return the bound of the uniform initial weights: sqrt(6 / (n_in + n_out)).

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (AISTATS 2010), equation 16.
    """
    return math.sqrt(6.0 / (n_in + n_out))


def he(n_in: int, n_out: int) -> float:
    """Return the bound of the uniform initial weights in front of a relu: sqrt(6 / n_in), a variance of 2 / n_in.

    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers" (ICCV 2015), equation 10.
    """
    return math.sqrt(6.0 / n_in)


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_grad, glorot),
    "tanh": Activation(np.tanh, lambda h: 1.0 - h * h, glorot),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda h: (h > 0).astype(np.float64), he),
}


class Network(WithParameters):
    """A classifier with one hidden layer, trained by stochastic gradient descent. Computes in float64.

    For examples in the rows of X and their targets in the rows of Y (1 at the label, 0 elsewhere)::

        H = activation(X W1 + b1)        P = softmax(H W2 + b2)
        J = -sum_i sum_l Y_il log P_il + (l2 / 2) (|W1|^2 + |W2|^2)

        d_S  = P - Y                     d_W2 = H^T d_S + l2 W2    d_b2 = sum of the rows of d_S
        d_Z1 = (d_S W2^T) * slope(H)     d_W1 = X^T d_Z1 + l2 W1   d_b1 = sum of the rows of d_Z1

    with slope H (1 - H) for sigmoid, 1 - H^2 for tanh, and for relu 1 where H > 0 and 0 elsewhere. This is the network of part 2 of
    Assignment 1 of Stanford's CS 224N (2017). J is the sum over the examples, so l2 has the weight of 1/C in scikit-learn's
    `LogisticRegression`, whatever the number of examples.

    A step for a batch of b out of n examples changes the parameters by::

        velocity = momentum velocity - lr_t (gradient of the batch's J with (b / n) l2) / b
        params   = params + velocity        lr_t = lr / 2^(steps done // anneal_every)

    The steps of an epoch follow, on average, the gradient of J.

    Parameters
    ----------
    hidden : number of hidden units
    activation : "sigmoid", "tanh" or "relu"
    lr : learning rate, of the mean gradient of a batch
    epochs : passes over the examples; each is shuffled anew
    batch_size : examples in a step
    momentum : share of the last step that is added to the next (classical momentum), from 0 to below 1
    l2 : weight of the squared weights in the cost; biases are free
    anneal_every : the learning rate is halved every so many steps; None: never
    tolerance : training ends after 10 epochs in a row in which the cost per example did not fall below the best one by this much; None: never
    seed : of the initial weights and the shuffling; it decides every bit of the model on one machine
    verbose : write the cost of each epoch to standard error

    Attributes
    ----------
    classes_ : (n_labels,) the labels, sorted
    n_features_in_ : length of an example, Dx
    feature_names_in_ : (n_features_in_,) names of the columns, where X was a table whose column names are all strings
    loss_curve_ : mean cost per example of each epoch, each batch's taken before its step, with its share of the l2 term
    params : ((Dx + 1) hidden + (hidden + 1) n_labels,) all parameters in the order W1, b1, W2, b2
    W1, b1, W2, b2 : views into it, (Dx, hidden), (hidden,), (hidden, n_labels), (n_labels,)
    n_params : their number

    Examples
    --------
    >>> import lexigrad
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "differs", "differs", "same"]
    >>> net = lexigrad.Network(hidden=8, activation="tanh", lr=0.5, epochs=300, batch_size=4).fit(X, y)
    >>> net.predict(X).tolist()
    ['same', 'differs', 'differs', 'same']
    >>> net.n_params  # (2 + 1) 8 + (8 + 1) 2
    42
    """

    _parameters = PARAMETERS
    _params: Floats | None = None

    def __init__(
        self,
        hidden: int = 32,
        activation: str = "sigmoid",
        *,
        lr: float = 0.1,
        epochs: int = 100,
        batch_size: int = 32,
        momentum: float = 0.0,
        l2: float = 0.0,
        anneal_every: int | None = None,
        tolerance: float | None = None,
        seed: int = 0,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.momentum = momentum
        self.l2 = l2
        self.anneal_every = anneal_every
        self.tolerance = tolerance
        self.seed = seed
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of a classifier of dense rows."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier", target_tags=TargetTags(required=True), classifier_tags=ClassifierTags()
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether the network has weights."""
        return self._params is not None

    def initialise(self, n_features: int, classes: ArrayLike | int) -> Self:
        """Give the network fresh weights without training it: Glorot's, in front of a relu He's; biases are 0.

        Parameters
        ----------
        n_features : length of an example
        classes : the labels, or their number k for 0..k-1

        Examples
        --------
        >>> net = Network(hidden=3, activation="relu").initialise(2, ["no", "yes"])
        >>> net.W1.shape, net.b2.tolist(), net.params.shape
        ((2, 3), [0.0, 0.0], (17,))
        """
        check_settings(self.get_params())
        check_whole("n_features", n_features, 1)
        if isinstance(classes, (int, np.integer)):
            check_whole("classes", classes, 1)
            labels = np.arange(classes)
        else:
            labels = read_labels(classes, "classes")
        self._initialise(int(n_features), np.unique(labels), np.random.default_rng(self.seed))
        return self

    def _initialise(self, n_features: int, classes: NDArray[Any], rng: np.random.Generator) -> None:
        first, second = ACTIVATIONS[self.activation].spread, glorot
        shape = (n_features, self.hidden, len(classes))
        params = np.zeros(count_parameters(*shape))
        W1, _, W2, _ = unpack(params, *shape)
        for weights, spread in ((W1, first), (W2, second)):
            bound = spread(*weights.shape)
            weights[...] = rng.uniform(-bound, bound, weights.shape)
        self.classes_ = classes
        self.n_features_in_ = n_features
        self._params = params
        self._hidden, self._activation = int(self.hidden), self.activation
        self.loss_curve_: list[float] = []
        vars(self).pop("feature_names_in_", None)

    @property
    def params(self) -> Floats:
        """All parameters, one flat vector."""
        if self._params is None:
            raise NotFittedError("this Network has no weights yet: call fit first, or initialise")
        return self._params

    @property
    def n_params(self) -> int:
        """Number of parameters, (Dx + 1) hidden + (hidden + 1) n_labels."""
        return int(self.params.size)

    @property
    def W1(self) -> Floats:  # noqa: N802 - the field's name
        """Weights of the hidden layer, (n_features_in_, hidden), a view into `params`."""
        return self._unpack(self.params)[0]

    @property
    def b1(self) -> Floats:
        """Biases of the hidden layer, (hidden,), a view into `params`."""
        return self._unpack(self.params)[1]

    @property
    def W2(self) -> Floats:  # noqa: N802
        """Weights of the output layer, (hidden, n_labels), a view into `params`."""
        return self._unpack(self.params)[2]

    @property
    def b2(self) -> Floats:
        """Biases of the output layer, (n_labels,), a view into `params`."""
        return self._unpack(self.params)[3]

    def _unpack(self, params: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        return unpack(params, self.n_features_in_, self._hidden, len(self.classes_))

    def forward(self, X: Any, params: ArrayLike | None = None) -> Floats:
        """Return the probability of every label, (n, n_labels); rows sum to 1.

        Parameters
        ----------
        X : (n, n_features_in_)
        params : flat vector to use in place of the network's own

        Raises
        ------
        NotFittedError : before `fit` and `initialise`
        DataError : an X that is not finite, or not of this width
        """
        flat = self._given(params)
        _, scores = self._scores(self._examples(X), flat)
        return np.asarray(softmax(scores, out=scores) if len(scores) else scores)

    def loss_gradient(
        self, X: Any, y: Any, reduction: str = "sum", params: ArrayLike | None = None
    ) -> tuple[float, Floats]:
        """Return the cost J of examples and its gradient for all parameters.

        Parameters
        ----------
        X : (n, n_features_in_)
        y : (n,) labels out of `classes_`, or (n, n_labels) targets: one-hot or soft, numbers from 0 up
        reduction : "sum" is J as the class gives it; "mean" is J / n, its l2 term included
        params : flat vector to use in place of the network's own

        Returns
        -------
        loss : J, in nats; NaN where the scores overflowed
        d_params : (n_params,) in the order W1, b1, W2, b2

        Raises
        ------
        NotFittedError : before `fit` and `initialise`
        DataError : an X or y that does not fit; for "mean", no examples
        ParameterError : an unknown reduction, a vector of another length

        Examples
        --------
        >>> import lexigrad
        >>> net = Network(hidden=3).initialise(2, ["no", "yes"])
        >>> X, y = [[1.0, 2.0], [0.5, -1.0]], ["yes", "no"]
        >>> bool(lexigrad.gradcheck(lambda params: net.loss_gradient(X, y, params=params), net.params))
        True
        """
        flat = self._given(params)
        if reduction not in ("sum", "mean"):
            raise ParameterError(f"reduction={reduction!r}: expected 'sum' or 'mean'")
        examples = self._examples(X)
        targets = self._targets(y, len(examples))
        loss, d_params = self._loss_gradient(examples, targets, flat, check_not_negative("l2", self.l2))
        if reduction == "sum":
            return loss, d_params
        if not len(examples):
            raise DataError("X: there are no examples, so their mean does not exist; use reduction='sum'")
        return loss / len(examples), d_params / len(examples)

    def _scores(self, X: Floats, params: Floats) -> tuple[Floats, Floats]:
        """Return the hidden layer and the scores."""
        W1, b1, W2, b2 = self._unpack(params)
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = ACTIVATIONS[self._activation].value(X @ W1 + b1)
            return hidden, hidden @ W2 + b2

    def _loss_gradient(self, X: Floats, targets: NDArray[Any], params: Floats, l2: float) -> tuple[float, Floats]:
        """Return J and its gradient; `targets` are ids of labels or rows of weights."""
        W1, _, W2, _ = self._unpack(params)
        d_params = np.zeros_like(params)
        d_W1, d_b1, d_W2, d_b2 = self._unpack(d_params)
        hidden, scores = self._scores(X, params)
        if not np.isfinite(scores).all():
            return math.nan, np.full_like(params, math.nan)
        loss, d_scores = softmax_cross_entropy(scores, targets, reduction="sum") if len(X) else (0.0, scores)
        with np.errstate(over="ignore", invalid="ignore"):
            d_z1 = (d_scores @ W2.T) * ACTIVATIONS[self._activation].slope(hidden)
            d_W1[...], d_b1[...] = X.T @ d_z1 + l2 * W1, d_z1.sum(axis=0)
            d_W2[...], d_b2[...] = hidden.T @ d_scores + l2 * W2, d_scores.sum(axis=0)
            penalty = 0.5 * l2 * (np.vdot(W1, W1) + np.vdot(W2, W2)) if l2 else 0.0
        return float(loss + penalty), d_params

    def fit(self, X: Any, y: Any) -> Self:
        """Train on examples, from fresh weights.

        Parameters
        ----------
        X : (n, n_features) finite numbers: lists, NumPy, a table
        y : (n,) labels: whole numbers, booleans or strings

        Raises
        ------
        ParameterError : a setting out of range
        DataError : examples or labels that cannot be used; the network stays as it was
        DivergenceError : the loss left the finite numbers; the weights are the last ones whose loss was finite
        KeyboardInterrupt : Ctrl-C; the network holds what it had learned until then and can be used
        """
        check_settings(self.get_params())
        if y is None:
            raise DataError(
                "This Network requires y to be passed, but the target y is None: give one label per example"
            )
        examples, names = read_examples(X), read_feature_names(X)
        if not len(examples):
            raise DataError(f"X: 0 sample(s) (shape={examples.shape}) while a minimum of 1 is required.")
        labels = read_labels(y, "y")
        if len(labels) != len(examples):
            raise DataError(f"{len(examples)} examples but {len(labels)} labels: expected one label per example")
        classes, ids = np.unique(labels, return_inverse=True)
        rng = np.random.default_rng(self.seed)
        self._initialise(examples.shape[1], classes, rng)
        if names is not None:
            self.feature_names_in_ = names
        self._train(examples, ids.astype(np.int64), rng)
        return self

    def _train(self, X: Floats, ids: NDArray[np.int64], rng: np.random.Generator) -> None:
        n, params = len(X), self.params
        velocity, before = np.zeros_like(params), params.copy()
        steps, best, idle, epoch = 0, math.inf, 0, 0
        rows = np.arange(0)
        for epoch in range(self.epochs):
            order, total = rng.permutation(n), 0.0
            for first in range(0, n, self.batch_size):
                rows = order[first : first + self.batch_size]
                loss, d_params = self._loss_gradient(X[rows], ids[rows], params, self.l2 * len(rows) / n)
                if not math.isfinite(loss):
                    params[...] = before
                    raise self._diverged(epoch, f"the loss became {loss}")
                before[...] = params
                rate = self.lr * 0.5 ** (steps // self.anneal_every) if self.anneal_every else self.lr
                with np.errstate(over="ignore", invalid="ignore"):
                    velocity = self.momentum * velocity - (rate / len(rows)) * d_params
                    after = params + velocity
                if not np.isfinite(after).all():
                    raise self._diverged(epoch, "the next weights would not be finite")
                params[...] = after
                steps += 1
                total += loss
            self.loss_curve_.append(total / n)
            if self.verbose:
                sys.stderr.write(f"epoch {epoch + 1}/{self.epochs}  loss {total / n:.6f}\n")
            if self.tolerance is not None:
                idle = 0 if total / n < best - self.tolerance else idle + 1
                best = min(best, total / n)
                if idle >= PATIENCE:
                    break
        loss, _ = self._loss_gradient(X[rows], ids[rows], params, 0.0)
        if not math.isfinite(loss):
            params[...] = before
            raise self._diverged(epoch, f"the loss became {loss} after the last step")

    def _diverged(self, epoch: int, what: str) -> DivergenceError:
        return DivergenceError(
            f"in epoch {epoch + 1} {what}; the weights are the last ones whose loss was finite. A smaller lr helps (it is {self.lr}), "
            "and features of a size around 1"
        )

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every label, (n, n_labels), columns as `classes_`; the same as `forward`."""
        return self.forward(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each example, (n,) with the dtype of `classes_`."""
        _, scores = self._scores(self._examples(X), self.params)
        return self.classes_[scores.argmax(axis=1)]

    def score(self, X: Any, y: Any) -> float:
        """Return the accuracy: the share of examples whose most probable label is theirs."""
        predicted, labels = self.predict(X), read_labels(y, "y")
        if len(labels) != len(predicted):
            raise DataError(f"{len(predicted)} examples but {len(labels)} labels: expected one label per example")
        if not len(labels):
            raise DataError("X: there are no examples, so there is no accuracy")
        return float(np.mean(predicted == labels))

    def _given(self, params: ArrayLike | None) -> Floats:
        own = self.params
        if params is None:
            return own
        flat = np.ascontiguousarray(params, np.float64)
        if flat.shape != own.shape:
            raise ParameterError(f"params: expected a flat vector of {own.size} numbers, got shape {flat.shape}")
        return flat

    def _examples(self, X: Any) -> Floats:
        _ = self.params  # NotFittedError comes before any complaint about X
        check_feature_names(self, read_feature_names(X), trained=bool(self.loss_curve_))
        examples = read_examples(X)
        if examples.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {examples.shape[1]} features, but Network is expecting {self.n_features_in_} features as input"
            )
        return examples

    def _targets(self, y: Any, n: int) -> NDArray[Any]:
        """Return the ids of labels, or checked rows of weights."""
        shape = (n, len(self.classes_))
        if depth_of(y) != 2:
            labels = read_labels(y, "y")
            if labels.shape != (n,):
                raise DataError(f"y: expected {n} labels or targets of shape {shape}, got shape {labels.shape}")
            return ids_of(labels, self.classes_)
        weights = np.asarray(y)
        if weights.shape != shape or weights.dtype.kind not in "biuf":
            raise DataError(
                f"y: expected {n} labels or targets of shape {shape}, got shape {weights.shape} of dtype {weights.dtype}"
            )
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise DataError("y: expected targets that are finite numbers from 0 up")
        return weights.astype(np.float64)


def count_parameters(n_features: int, hidden: int, n_labels: int) -> int:
    """Return (Dx + 1) H + (H + 1) Dy, part 2(d) of the assignment.

    >>> count_parameters(10, 5, 10)
    115
    """
    return (n_features + 1) * hidden + (hidden + 1) * n_labels


def unpack(flat: Floats, n_features: int, hidden: int, n_labels: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return W1 (Dx, H), b1 (H,), W2 (H, Dy), b2 (Dy,) as views into a flat vector.

    >>> [part.tolist() for part in unpack(np.arange(7.0), 1, 2, 1)]
    [[[0.0, 1.0]], [2.0, 3.0], [[4.0], [5.0]], [6.0]]
    """
    b1 = n_features * hidden
    W2 = b1 + hidden
    b2 = W2 + hidden * n_labels
    return flat[:b1].reshape(n_features, hidden), flat[b1:W2], flat[W2:b2].reshape(hidden, n_labels), flat[b2:]


def check_settings(params: dict[str, Any]) -> None:
    """Raise `ParameterError` for the first setting that is unknown or out of range."""
    for name, least in (("hidden", 1), ("epochs", 1), ("batch_size", 1), ("seed", 0)):
        check_whole(name, params[name], least)
    if params["anneal_every"] is not None:
        check_whole("anneal_every", params["anneal_every"], 1)
    if not isinstance(params["activation"], str) or params["activation"] not in ACTIVATIONS:
        raise ParameterError(f"activation={params['activation']!r}: choose one of {', '.join(map(repr, ACTIVATIONS))}")
    if check_not_negative("lr", params["lr"]) == 0:
        raise ParameterError(f"lr={params['lr']!r}: expected a positive number")
    if check_not_negative("momentum", params["momentum"]) >= 1:
        raise ParameterError(f"momentum={params['momentum']!r}: expected a number from 0 to below 1")
    check_not_negative("l2", params["l2"])
    if params["tolerance"] is not None:
        check_not_negative("tolerance", params["tolerance"])
