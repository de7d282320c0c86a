"""The network with one hidden layer: its formulas against loops, its gradient against differences, its training, its conventions."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import lexigrad
from lexigrad import DataError, DivergenceError, LexigradWarning, Network, NotFittedError, ParameterError, gradcheck

ACTIVATIONS = ["sigmoid", "tanh", "relu"]
XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR_LABELS = ["same", "differs", "differs", "same"]


def started(
    activation: str = "sigmoid", seed: int = 0, shape: tuple[int, int, int] = (4, 5, 3), **more: Any
) -> Network:
    """Return a network that has weights and biases but no training; a relu is kept off its kink by the data."""
    net = Network(hidden=shape[1], activation=activation, seed=seed, **more).initialise(shape[0], shape[2])
    net.params[:] += np.random.default_rng(seed).normal(0, 0.3, net.n_params)
    return net


def data(n: int, seed: int = 0, shape: tuple[int, int, int] = (4, 5, 3)) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed + 100)
    return rng.normal(size=(n, shape[0])), rng.integers(0, shape[2], n)


# --- formulas


def oracle(net: Network, X: Any, Y: Any) -> tuple[list[list[float]], float, list[float]]:
    """Return probabilities, J and its gradient for rows of targets, number by number."""
    n_in, n_hidden, n_out = net.n_features_in_, net.W1.shape[1], len(net.classes_)
    W1, b1, W2, b2 = (part.tolist() for part in (net.W1, net.b1, net.W2, net.b2))
    slope = {
        "sigmoid": lambda h: h * (1 - h),
        "tanh": lambda h: 1 - h * h,
        "relu": lambda h: 1.0 if h > 0 else 0.0,
    }[net.activation]
    value = {"sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "relu": lambda z: max(z, 0.0)}[
        net.activation
    ]
    d_W1, d_b1 = [[net.l2 * w for w in row] for row in W1], [0.0] * n_hidden
    d_W2, d_b2 = [[net.l2 * w for w in row] for row in W2], [0.0] * n_out
    cost = net.l2 / 2 * sum(w * w for weights in (W1, W2) for row in weights for w in row)
    all_probs = []
    for x, y in zip(X.tolist(), Y.tolist(), strict=True):
        h = [value(sum(x[i] * W1[i][j] for i in range(n_in)) + b1[j]) for j in range(n_hidden)]
        scores = [sum(h[j] * W2[j][k] for j in range(n_hidden)) + b2[k] for k in range(n_out)]
        total = sum(math.exp(s) for s in scores)
        probs = [math.exp(s) / total for s in scores]
        all_probs.append(probs)
        cost -= sum(y[k] * math.log(probs[k]) for k in range(n_out))
        d_scores = [sum(y) * probs[k] - y[k] for k in range(n_out)]
        for j in range(n_hidden):
            d_z = sum(d_scores[k] * W2[j][k] for k in range(n_out)) * slope(h[j])
            d_b1[j] += d_z
            for i in range(n_in):
                d_W1[i][j] += x[i] * d_z
            for k in range(n_out):
                d_W2[j][k] += h[j] * d_scores[k]
        for k in range(n_out):
            d_b2[k] += d_scores[k]
    flat = [w for row in d_W1 for w in row] + d_b1 + [w for row in d_W2 for w in row] + d_b2
    return all_probs, cost, flat


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ACTIVATIONS),
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5)),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.7]),
    st.integers(0, 1000),
    st.booleans(),
)
def test_forward_and_backward_equal_plain_loops(
    activation: str, shape: tuple[int, int, int], n: int, l2: float, seed: int, soft: bool
) -> None:
    net, (X, y) = started(activation, seed, shape, l2=l2), data(n, seed, shape)
    Y = np.random.default_rng(seed).random((n, shape[2])) if soft else np.eye(shape[2])[y]
    probs, cost, gradient = oracle(net, X, Y)
    np.testing.assert_allclose(net.forward(X), probs, rtol=1e-12)
    loss, d_params = net.loss_gradient(X, Y if soft else y)
    assert loss == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(d_params, gradient, rtol=1e-9, atol=1e-12)
    mean_loss, d_mean = net.loss_gradient(X, Y, reduction="mean")
    assert mean_loss == pytest.approx(cost / n)
    np.testing.assert_allclose(d_mean, np.divide(gradient, n), rtol=1e-9, atol=1e-12)


def test_known_values() -> None:
    """Zero weights: every label has 1/3, the cost is n log 3, only b2 has a gradient besides W2."""
    net = Network(hidden=2).initialise(2, 3)
    net.params[:] = 0
    X, y = np.array([[1.0, 2.0], [3.0, 4.0]]), [0, 2]
    np.testing.assert_allclose(net.forward(X), np.full((2, 3), 1 / 3))
    loss, d_params = net.loss_gradient(X, y)
    assert loss == pytest.approx(2 * math.log(3))
    np.testing.assert_allclose(d_params[-3:], [-1 / 3, 2 / 3, -1 / 3])
    np.testing.assert_allclose(d_params[-9:-3], np.tile([-1 / 6, 1 / 3, -1 / 6], 2))
    np.testing.assert_array_equal(d_params[:6], 0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("targets", ["labels", "one-hot", "soft", "unnormalised"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradient_is_that_of_the_cost(activation: str, l2: float, targets: str, reduction: str) -> None:
    net, (X, y) = started(activation, l2=l2), data(7)
    weights = np.random.default_rng(1).random((7, 3))
    Y = {
        "labels": y,
        "one-hot": np.eye(3)[y],
        "soft": weights / weights.sum(axis=1, keepdims=True),
        "unnormalised": weights,
    }[targets]
    hidden = np.abs(X @ net.W1 + net.b1)
    assert hidden.min() > 0.003 or activation != "relu"  # the data keep two steps away from the kink

    def f(params: Any) -> tuple[float, Any]:
        return net.loss_gradient(X, Y, reduction, params=params)

    assert gradcheck(f, net.params).error < 1e-10
    assert gradcheck(f, net.params, method="two-point").error < 1e-6
    assert gradcheck(f, net.params, directions=5).error < 1e-10


def test_the_received_texts_gradient_would_fail() -> None:
    """With y_hat (1 - y_hat) in place of y_hat - y, the check fails, first of all at a bias of the output."""
    net, (X, y) = started(), data(7)

    def f(params: Any) -> tuple[float, Any]:
        loss, d_params = net.loss_gradient(X, y, params=params)
        probs = net.forward(X, params)
        d_params[-3:] = (probs * (1 - probs)).sum(axis=0)
        return loss, d_params

    report = gradcheck(f, net.params, raise_error=False)
    assert not report
    assert report.index is not None
    assert report.index[0] >= net.n_params - 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("l2", [0.0, 2.0])
def test_a_step_of_fit_follows_the_gradient(activation: str, l2: float) -> None:
    """All examples in one batch, one epoch: params change by -lr gradient / n."""
    X, y = data(9)
    settings: dict[str, Any] = {"hidden": 5, "activation": activation, "l2": l2, "lr": 0.37, "seed": 4}
    net = Network(**settings, epochs=1, batch_size=9).fit(X, y)
    start = Network(**settings).initialise(4, y)
    loss, d_params = start.loss_gradient(X, y)
    np.testing.assert_allclose(net.params - start.params, -0.37 * d_params / 9, rtol=1e-9, atol=1e-15)
    assert net.loss_curve_ == pytest.approx([loss / 9])


def test_the_steps_of_training_number_by_number() -> None:
    """Mini-batches, momentum, annealing and l2 against a loop over the public gradient."""
    X, y = data(10)
    net = Network(5, "tanh", lr=0.5, epochs=3, batch_size=4, momentum=0.8, l2=0.6, anneal_every=2, seed=2).fit(X, y)
    plain = Network(5, "tanh", seed=2).initialise(4, y)
    rng = np.random.default_rng(2)
    rng.uniform(size=4 * 5 + 5 * len(plain.classes_))  # what the initial weights took
    velocity, steps, curve = np.zeros(plain.n_params), 0, []
    for _ in range(3):
        order, total = rng.permutation(10), 0.0
        for rows in (order[:4], order[4:8], order[8:]):
            plain.set_params(l2=0.6 * len(rows) / 10)
            loss, d_params = plain.loss_gradient(X[rows], y[rows])
            velocity = 0.8 * velocity - 0.5 / 2 ** (steps // 2) * d_params / len(rows)
            plain.params[:] += velocity
            steps, total = steps + 1, total + loss
        curve.append(total / 10)
    np.testing.assert_allclose(net.params, plain.params, rtol=1e-10)
    np.testing.assert_allclose(net.loss_curve_, curve)


def test_annealing_halves_the_rate_every_so_many_steps() -> None:
    """So small a rate leaves the gradient as it is; the moves are then in the ratio of the rates."""

    def after(epochs: int) -> Any:
        return Network(1, lr=1e-6, epochs=epochs, batch_size=2, anneal_every=2).fit([[1.0], [2.0]], [0, 1]).params

    moves = np.array([np.linalg.norm(after(k + 1) - after(k)) for k in range(1, 6)])
    np.testing.assert_allclose(moves / moves[0], [1, 0.5, 0.5, 0.25, 0.25], rtol=1e-3)


def test_l2_makes_an_optimum_where_the_data_alone_have_none() -> None:
    """At the end of a long training the gradient of J, l2 included, is 0; without l2 the weights go on growing."""
    X, y = np.array([[-1.0], [1.0]]), [0, 1]
    net = Network(2, "tanh", l2=0.1, lr=0.5, epochs=4000, batch_size=2).fit(X, y)
    assert np.abs(net.loss_gradient(X, y)[1]).max() < 1e-9
    assert (
        np.abs(Network(2, "tanh", lr=0.5, epochs=4000, batch_size=2).fit(X, y).params).max() > np.abs(net.params).max()
    )


# --- parameters


def test_params_are_one_vector_with_four_views() -> None:
    net = started(shape=(4, 5, 3))
    assert net.n_params == (4 + 1) * 5 + (5 + 1) * 3 == 43
    assert net.params.dtype == np.float64
    np.testing.assert_array_equal(net.params, np.concatenate([net.W1.ravel(), net.b1, net.W2.ravel(), net.b2]))
    assert [part.shape for part in (net.W1, net.b1, net.W2, net.b2)] == [(4, 5), (5,), (5, 3), (3,)]
    net.params[:] = np.arange(43)
    assert net.W1[1, 2] == 7
    assert (net.b1[0], net.W2[2, 1], net.b2[2]) == (20, 32, 42)
    net.W2[2, 1] = -1
    net.b1[:] = 0
    assert net.params[32] == -1
    assert net.params[20:25].tolist() == [0] * 5
    probs = net.forward(np.ones((1, 4)), params=np.zeros(43))
    np.testing.assert_allclose(probs, 1 / 3)
    assert net.params[42] == 42
    assert net.forward(np.zeros((1, 4)), params=net.params.tolist()).shape == (1, 3)


@pytest.mark.parametrize(
    "copied", [lambda net: pickle.loads(pickle.dumps(net)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_copies_keep_their_views(copied: Any) -> None:
    X, y = data(30)
    net = Network(5, "relu", epochs=3).fit(X, y)
    other = copied(net)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    assert np.shares_memory(other.W1, other.params)
    assert np.shares_memory(other.b2, other.params)
    assert not np.shares_memory(other.params, net.params)
    other.params[:] = 0
    assert not other.W1.any()
    assert not other.b2.any()
    np.testing.assert_allclose(other.predict_proba(X), 1 / 3)
    assert net.W1.any()
    assert other.loss_curve_ == net.loss_curve_


def test_initial_weights_are_glorots_and_hes() -> None:
    for activation, first in (("sigmoid", 6 / (300 + 200)), ("tanh", 6 / (300 + 200)), ("relu", 6 / 300)):
        net = Network(200, activation).initialise(300, 100)
        for weights, bound in ((net.W1, math.sqrt(first)), (net.W2, math.sqrt(6 / (200 + 100)))):
            assert np.abs(weights).max() <= bound
            assert np.abs(weights).max() > 0.99 * bound
            assert weights.var() == pytest.approx(bound**2 / 3, rel=0.02)
        assert not net.b1.any()
        assert not net.b2.any()
    one, same, other = (Network(seed=seed).initialise(3, 2).params for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_initialise_takes_labels_or_their_number() -> None:
    assert Network().initialise(2, ["b", "a", "b"]).classes_.tolist() == ["a", "b"]
    assert Network().initialise(2, 3).classes_.tolist() == [0, 1, 2]
    net = Network().initialise(2, ["b", "a"])
    assert net.predict(np.ones((3, 2))).shape == (3,)
    with pytest.raises(ParameterError, match="n_features"):
        Network().initialise(0, 2)
    with pytest.raises(ParameterError, match="classes"):
        Network().initialise(2, 0)
    with pytest.raises(ParameterError, match="activation"):
        Network(activation="sine").initialise(2, 2)


def test_settings_changed_later_do_not_spoil_the_weights() -> None:
    X, y = data(30)
    net = Network(5, "tanh", epochs=2).fit(X, y)
    expected, (_, d_params) = net.predict_proba(X), net.loss_gradient(X, y)
    net.set_params(hidden=99, activation="relu")
    np.testing.assert_array_equal(net.predict_proba(X), expected)
    np.testing.assert_array_equal(net.loss_gradient(X, y)[1], d_params)


# --- training


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_xor_is_learned(activation: str) -> None:
    net = Network(8, activation, lr=1.0, epochs=2000, batch_size=4, momentum=0.5, seed=1).fit(XOR, XOR_LABELS)
    assert net.predict(XOR).tolist() == XOR_LABELS
    assert net.predict_proba(XOR).max(axis=1).min() > 0.9
    assert net.loss_curve_[-1] < 0.1 < net.loss_curve_[0]
    assert len(net.loss_curve_) == 2000


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_accuracy_beside_scikit_learns(activation: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    for load, lr, slack in ((load_iris, 0.1, 0.0), (load_digits, 0.2, 0.01)):
        X, y = load(return_X_y=True)
        train_X, test_X, train_y, test_y = train_test_split(X, y, random_state=0, stratify=y)
        scaler = StandardScaler().fit(train_X)
        train_X, test_X = scaler.transform(train_X), scaler.transform(test_X)
        names = {"sigmoid": "logistic"}
        peer = MLPClassifier(
            32, activation=names.get(activation, activation), solver="sgd", learning_rate_init=lr, momentum=0.0,
            batch_size=32, max_iter=100, n_iter_no_change=100, random_state=0,
        )  # fmt: skip
        with pytest.warns(UserWarning, match="Maximum iterations"):
            peer.fit(train_X, train_y)
        net = Network(32, activation, lr=lr).fit(train_X, train_y)
        linear = LogisticRegression(max_iter=1000).fit(train_X, train_y)
        found = net.score(test_X, test_y)
        assert found >= min(peer.score(test_X, test_y), linear.score(test_X, test_y)) - slack - 1 / len(test_y)
        assert found > 0.9
        assert net.loss_curve_[-1] == pytest.approx(peer.loss_curve_[-1], rel=0.5, abs=0.01)
        assert net.score(train_X, train_y) == np.mean(net.predict(train_X) == train_y)


def test_the_seed_decides_every_bit() -> None:
    X, y = data(50)
    one, same, other = (Network(seed=seed, epochs=3).fit(X, y).params for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    net = Network(seed=1, epochs=3)
    net.fit(X[::-1], y[::-1])
    np.testing.assert_array_equal(net.fit(X, y).params, one)


def test_tolerance_ends_the_training() -> None:
    X, y = data(50)
    full = Network(epochs=60, lr=1e-9).fit(X, y)
    assert len(full.loss_curve_) == 60
    assert len(Network(epochs=60, lr=1e-9, tolerance=1e-4).fit(X, y).loss_curve_) == 11
    assert len(Network(epochs=20, lr=0.01, tolerance=0.0).fit(XOR, XOR_LABELS).loss_curve_) == 20


def test_verbose_writes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    Network(epochs=2, verbose=True).fit(XOR, XOR_LABELS)
    output = capfd.readouterr()
    assert output.err.splitlines()[1].startswith("epoch 2/2  loss 0.")
    assert not output.out


def test_divergence_leaves_the_last_weights_with_a_finite_loss() -> None:
    X, y = data(40)
    net = Network(8, "relu", lr=1e30, epochs=50)
    with pytest.raises(DivergenceError, match=r"in epoch \d+ .* A smaller lr helps \(it is 1e\+30\)"):
        net.fit(X, y)
    assert np.isfinite(net.params).all()
    assert math.isfinite(net.loss_gradient(X, y)[0])
    assert np.isfinite(net.predict_proba(X)).all()
    net = Network(8, "relu", lr=1e308, momentum=0.9, epochs=50)
    with pytest.raises(DivergenceError):
        net.fit(X, y)
    assert np.isfinite(net.predict_proba(X)).all()
    for activation, lr, what in (
        ("sigmoid", 1e308, "next weights would not be finite"),
        ("relu", 1e200, "after the last step"),
    ):
        net = Network(8, activation, lr=lr, epochs=1, batch_size=40)
        with pytest.raises(DivergenceError, match=what):
            net.fit(X * 1e3, y)
        np.testing.assert_array_equal(net.params, Network(8, activation).initialise(4, y).params)
    net = Network(8, "relu")
    with pytest.raises(DivergenceError, match="in epoch 1 the loss became nan"):
        net.fit(X / np.abs(X).max() * 1.7e308, y)
    np.testing.assert_array_equal(net.params, Network(8, "relu").initialise(4, y).params)


def test_scores_that_overflow_give_nan() -> None:
    """Also where all of a row are -inf, which softmax_cross_entropy refuses."""
    net = started()
    net.W2[...] = net.b2[...] = -1.7e308
    loss, d_params = net.loss_gradient(np.full((2, 4), 9.0), [0, 1])
    assert math.isnan(loss)
    assert np.isnan(d_params).all()


def test_ctrl_c_leaves_a_usable_network(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = load_iris(return_X_y=True)
    inner, calls = Network._loss_gradient, 0

    def interrupt(self: Network, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 200:
            raise KeyboardInterrupt
        return inner(self, *args)

    monkeypatch.setattr(Network, "_loss_gradient", interrupt)
    net = Network(lr=0.2, epochs=10_000)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y)
    assert len(net.loss_curve_) == 40
    assert net.score(X, y) > 0.8


# --- conventions

KNOWN = {
    "check_estimators_unfitted": "our NotFittedError has the bases of scikit-learn's, but does not need it to be installed",
    "check_supervised_y_2d": "a column of labels gives a LexigradWarning, not scikit-learn's DataConversionWarning",
    "check_dtype_object": "X that is no numbers raises DataError, a ValueError, not TypeError",
}


def _checks() -> Any:
    estimators = [
        Network(),
        Network(8, "relu", epochs=30, batch_size=16, momentum=0.5, l2=0.1, anneal_every=500, tolerance=1e-5),
    ]
    with warnings.catch_warnings():  # it asks for scikit-learn's base class, which would make it a dependency
        warnings.filterwarnings("ignore", "Estimator Network does not inherit", UserWarning)
        return parametrize_with_checks(estimators, expected_failed_checks=lambda _: KNOWN)


@pytest.mark.filterwarnings("ignore::UserWarning")
@_checks()
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_scikit_learn_conventions() -> None:
    from sklearn.base import clone, is_classifier

    X, y = load_iris(return_X_y=True)
    net = Network(16, "tanh", lr=0.2, epochs=20)
    assert is_classifier(net)
    assert clone(net).get_params() == net.get_params()
    assert not clone(net.fit(X, y)).__sklearn_is_fitted__()
    assert repr(net).startswith("Network(hidden=16, activation='tanh', lr=0.2")
    search = GridSearchCV(make_pipeline(StandardScaler(), Network(8)), {"network__epochs": [1, 50]}, cv=2).fit(X, y)
    assert search.best_params_ == {"network__epochs": 50}
    assert net.n_features_in_ == 4


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.array([3, 1, 2, 3], np.int32), "int32"),
        ([3, 1, 2, 3], "int64"),
        ([1.0, 2.0, 1.0, 3.0], "float64"),
        (["b", "a", "b", "a"], "<U1"),
        (np.array(["b", "a", "b", "a"], object), "object"),
        ([True, False, True, False], "bool"),
        (["one"] * 4, "<U3"),
    ],
)
def test_classes_are_sorted_and_keep_their_dtype(labels: Any, kind: str) -> None:
    net = Network(4, epochs=5).fit(XOR, labels)
    assert net.classes_.dtype == np.dtype(kind)
    assert net.classes_.tolist() == sorted(set(labels))
    assert net.predict(XOR).dtype == np.dtype(kind)
    np.testing.assert_allclose(net.predict_proba(XOR).sum(axis=1), 1)
    loss, d_params = net.loss_gradient(XOR, labels)
    same, d_same = net.loss_gradient(XOR, (net.classes_ == np.asarray(labels)[:, None]).astype(int))
    assert loss == pytest.approx(same)
    np.testing.assert_allclose(d_params, d_same, atol=1e-12)


def test_tables_and_their_names() -> None:
    import pandas as pd

    table = pd.DataFrame(XOR, columns=["left", "right"])
    net = Network(4, epochs=2).fit(table, pd.Series(XOR_LABELS))
    assert net.feature_names_in_.tolist() == ["left", "right"]
    assert net.predict(table).shape == (4,)
    with pytest.raises(DataError, match=r"(?s)feature names should match.*must be in the same order"):
        net.predict(table[["right", "left"]])
    with pytest.raises(DataError, match=r"(?s)unseen at fit time:\n- other.*yet now missing:\n- right"):
        net.predict(table.rename(columns={"right": "other"}))
    with pytest.warns(LexigradWarning, match="does not have valid feature names"):
        net.predict(XOR)
    with pytest.warns(LexigradWarning, match="fitted without feature names"):
        net.fit(XOR, XOR_LABELS).predict(table)
    assert not hasattr(net, "feature_names_in_")


@pytest.mark.parametrize(
    "bad",
    [
        {"hidden": 0}, {"hidden": 2.5}, {"activation": "sine"}, {"activation": None}, {"activation": ["tanh"]}, {"lr": 0}, {"lr": -1}, {"lr": math.nan},
        {"lr": "fast"}, {"epochs": 0}, {"batch_size": 0}, {"momentum": 1}, {"momentum": -0.1}, {"l2": -1}, {"l2": math.inf}, {"anneal_every": 0},
        {"tolerance": -1}, {"seed": -1}, {"seed": True},
    ],
)  # fmt: skip
def test_bad_settings_are_named(bad: dict[str, Any]) -> None:
    net = Network(**bad)
    with pytest.raises(ParameterError, match=next(iter(bad))):
        net.fit(XOR, XOR_LABELS)
    assert not net.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[0, math.nan], [1, 1]], [0, 1], "X contains NaN in row 0, column 1"),
        ([[0, 1], [-math.inf, 1]], [0, 1], "X contains infinity in row 1, column 0"),
        ([1, 2], [0, 1], r"expected shape \(n, n_features\), got \(2,\)"),
        (np.zeros((2, 2, 2)), [0, 1], r"got \(2, 2, 2\)"),
        (np.zeros((2, 0)), [0, 1], "0 feature"),
        (np.zeros((0, 2)), [], "0 sample"),
        ([["a", "b"]], [0], "expected numbers"),
        ([[1], [1, 2]], [0, 1], "array of numbers"),
        (XOR + 0j, XOR_LABELS, "Complex data"),
        (XOR, [0, 1], "4 examples but 2 labels"),
        (XOR, None, "requires y"),
        (XOR, [0.5, 1, 2, 3], "continuous"),
        (XOR, [0, 1, math.nan, 1], "NaN"),
        (XOR, np.eye(4), "should be a 1d array"),
        (XOR, [[1], [2], [3, 4], [5]], "different lengths"),
        (XOR, np.array(["a", 1, "b", 2], object), "labels of one type.*int, str"),
        (XOR, np.array([1j, 2, 3, 4]), "dtype complex128"),
        (XOR, np.array(["a", None, "b", "a"], object), "NoneType"),
    ],
)
def test_examples_that_cannot_be_used(X: Any, y: Any, message: str) -> None:
    net = Network(4, epochs=2).fit(XOR, XOR_LABELS)
    before = net.params.copy()
    with pytest.raises(DataError, match=message):
        net.fit(X, y)
    np.testing.assert_array_equal(net.params, before)
    assert net.predict(XOR).shape == (4,)


def test_sparse_input_is_refused_with_advice() -> None:
    from scipy.sparse import csr_matrix

    with pytest.raises(DataError, match=r"sparse.*X\.toarray"):
        Network().fit(csr_matrix(XOR), XOR_LABELS)


def test_bad_calls() -> None:
    for call in (
        lambda net: net.params, lambda net: net.n_params, lambda net: net.W1, lambda net: net.predict(XOR), lambda net: net.predict_proba(XOR),
        lambda net: net.forward(XOR), lambda net: net.loss_gradient(XOR, XOR_LABELS), lambda net: net.score(XOR, XOR_LABELS),
    ):  # fmt: skip
        with pytest.raises(NotFittedError, match="call fit first, or initialise"):
            call(Network())
    net = Network(4, epochs=2).fit(XOR, XOR_LABELS)
    with pytest.raises(DataError, match="3 features, but Network is expecting 2"):
        net.predict(np.zeros((1, 3)))
    for labels in (["same", "new", "same", "differs"], ["zzz"] * 4, [1, 2, 3, 4]):
        with pytest.raises(DataError, match=r"label .* was not seen in training; the labels are 'differs', 'same'"):
            net.loss_gradient(XOR, labels)
    with pytest.raises(DataError, match="label 7 was not seen"):
        Network(2).initialise(2, 3).loss_gradient(XOR[:2], [0, 7])
    with pytest.raises(DataError, match="label 'a' was not seen"):
        Network(2).initialise(2, 3).loss_gradient(XOR[:2], ["a", "b"])
    for targets in (np.ones((4, 3)), np.ones((3, 2)), -np.ones((4, 2)), np.full((4, 2), np.nan), np.full((4, 2), "a")):
        with pytest.raises(DataError, match="targets"):
            net.loss_gradient(XOR, targets)
    with pytest.raises(DataError, match="expected 4 labels"):
        net.loss_gradient(XOR, ["same"])
    with pytest.raises(DataError, match="different lengths"):
        net.loss_gradient(XOR, [[1], [1, 2], [1], [1]])
    with pytest.raises(ParameterError, match="reduction='none'"):
        net.loss_gradient(XOR, XOR_LABELS, "none")
    with pytest.raises(ParameterError, match=r"flat vector of 22 numbers, got shape \(21,\)"):
        net.forward(XOR, params=np.zeros(21))
    with pytest.raises(ParameterError, match="no_such"):
        net.set_params(no_such=1)
    with pytest.raises(DataError, match="4 examples but 3 labels"):
        net.score(XOR, XOR_LABELS[:3])
    with pytest.warns(LexigradWarning, match=r"column of shape \(4, 1\)"):
        net.fit(XOR, np.array(XOR_LABELS)[:, None])


def test_no_examples() -> None:
    net = Network(4, l2=0.5).initialise(2, 2)
    none = np.zeros((0, 2))
    assert net.predict(none).shape == (0,)
    assert net.predict_proba(none).shape == (0, 2)
    loss, d_params = net.loss_gradient(none, np.zeros(0, int))
    weights = np.concatenate([net.W1.ravel(), net.W2.ravel()])
    assert loss == pytest.approx(0.25 * np.sum(weights**2))
    assert np.sum(d_params**2) == pytest.approx(0.25 * np.sum(weights**2))
    with pytest.raises(DataError, match="no examples"):
        net.loss_gradient(none, np.zeros(0, int), reduction="mean")
    with pytest.raises(DataError, match="no examples"):
        net.score(none, np.zeros(0, int))


def test_read_only_strided_and_integer_input() -> None:
    X, y = data(40)
    expected = Network(epochs=2).fit(X, y).params
    frozen = X.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(Network(epochs=2).fit(frozen, y).params, expected)
    np.testing.assert_array_equal(Network(epochs=2).fit(np.asfortranarray(X), y.tolist()).params, expected)
    np.testing.assert_array_equal(
        Network(epochs=2).fit(np.repeat(X, 2, axis=1)[:, ::2], y.astype(np.int8)).params, expected
    )
    np.testing.assert_array_equal(
        Network(epochs=2).fit(XOR.astype(np.int8), XOR_LABELS).params, Network(epochs=2).fit(XOR, XOR_LABELS).params
    )
    assert lexigrad.Network is Network
