"""Question 2 of the assignment: the sigmoid, the gradient of softmax cross-entropy, a network with one hidden layer, and the check of gradients.

python examples/assignment/neural_network.py

2(a) The derivative of s = sigmoid(x) = 1 / (1 + e^-x) is e^-x / (1 + e^-x)^2 = s (1 - s).

    lexigrad prove sigmoid_derivative

2(b) The gradient of CE(y, p) with p = softmax(x) and one-hot y is p - y. By the chain rule: the Jacobian of softmax is diag(p) - p^T p, not only
its diagonal p (1 - p), and dCE/dp_i = -y_i / p_i, so the sum over i of -y_i / p_i * p_i (1[i=j] - p_j) is p_j - y_j. It sums to 0, because by 1(a)
a shift of all scores changes nothing; p (1 - p) does not.

    lexigrad prove softmax_cross_entropy_gradient softmax_cross_entropy_gradient_sums_to_zero softmax_jacobian cross_entropy_gradient
    lexigrad prove diagonal_jacobian received_softmax_gradient

2(c) With h = sigmoid(x W1 + b1) and p = softmax(h W2 + b2): d1 = p - y, d2 = d1 W2^T, d3 = d2 * h * (1 - h), and dJ/dx = d3 W1^T.

    lexigrad prove network_gradient

2(d) It has (Dx + 1) H + (H + 1) Dy parameters.

    lexigrad prove network_parameter_count
"""

from __future__ import annotations

import numpy as np

import lexigrad

X = np.array([[1.0, 2.0], [-1.0, -2.0]])


def question_b() -> None:
    """Print the gradient p - y, and what the check says of p (1 - p)."""
    scores, label = np.array([0.2, -0.4, 1.1]), 1
    _, d_scores = lexigrad.softmax_cross_entropy(scores, label)
    print(f"2(b) p - y at the scores {scores}, label {label}: {d_scores}, with the sum {d_scores.sum():.0e}")
    p = lexigrad.softmax(scores)
    wrong = lexigrad.gradcheck(lambda x: (lexigrad.softmax_cross_entropy(x, label)[0], p * (1 - p)), scores, raise_error=False)  # fmt: skip
    print(f"  p (1 - p) is {p * (1 - p)}; at {wrong.index} it is {wrong.analytic:.6f}, the slope {wrong.numeric:.6f}")


def questions_c_d(net: lexigrad.Network, x: np.ndarray, labels: np.ndarray) -> None:
    """Print the check of dJ/dx, by the three deltas, and the number of parameters."""

    def cost_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        h = lexigrad.sigmoid(x @ net.W1 + net.b1)
        cost, d1 = lexigrad.softmax_cross_entropy(h @ net.W2 + net.b2, labels, reduction="sum")
        return cost, lexigrad.sigmoid_backward(d1 @ net.W2.T, h) @ net.W1.T

    print(f"2(c) dJ/dx: {lexigrad.gradcheck(cost_and_slope, x)}")
    print(f"2(d) parameters with Dx = 10, H = 5, Dy = 10: {(10 + 1) * 5 + (5 + 1) * 10}; the network's: {net.n_params}")


def question_e() -> None:
    """Print the sigmoid, and its gradient from the sigmoid's value."""
    s = lexigrad.sigmoid(X)
    print(f"2(e) sigmoid of {X.tolist()}: {s.round(8).tolist()}")
    print(f"  its gradient, from these values: {lexigrad.sigmoid_grad(s).round(8).tolist()}")


def question_f() -> None:
    """Print what the gradient check says of a right and of a wrong gradient of the sum of squares."""
    x = np.random.default_rng(0).normal(size=(4, 5))
    print(
        f"2(f) 2x for the sum of squares: {lexigrad.gradcheck(lambda x: (np.sum(x**2), 2 * x), x, method='two-point')}"
    )
    try:
        lexigrad.gradcheck(lambda x: (np.sum(x**2), x), x, method="two-point")
    except lexigrad.GradientError as error:
        print(f"  x for it: {str(error).splitlines()[0]}")


def question_g(net: lexigrad.Network, x: np.ndarray, labels: np.ndarray) -> None:
    """Print the check of the network's gradient for all parameters; then train it."""
    report = lexigrad.gradcheck(lambda params: net.loss_gradient(x, labels, params=params), net.params)
    print(f"2(g) the gradient for all parameters: {report}")
    before, _ = net.loss_gradient(x, labels)
    net.set_params(epochs=500, lr=1.0, batch_size=len(x)).fit(x, labels)
    print(f"  cost of 20 examples before training: {before:.2f}, after: {net.loss_gradient(x, labels)[0]:.2f}")


def main() -> None:
    """Print the answers in order."""
    rng = np.random.default_rng(0)
    net = lexigrad.Network(hidden=5).initialise(10, 10)
    x, labels = rng.normal(size=(20, 10)), np.append(np.arange(10), rng.integers(0, 10, 10))
    s = lexigrad.sigmoid(0.7)
    print(
        f"2(a) at 0.7: s (1 - s) = {s * (1 - s):.10f}, e^-x / (1 + e^-x)^2 = {np.exp(-0.7) / (1 + np.exp(-0.7)) ** 2:.10f}"
    )
    question_b()
    questions_c_d(net, x, labels)
    question_e()
    question_f()
    question_g(net, x, labels)


if __name__ == "__main__":
    main()
