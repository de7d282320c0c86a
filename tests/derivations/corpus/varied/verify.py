"""The truth of the corpus of derivations: every step in numbers, with none of the tool that reads the text.

Each function below belongs to one file of corpus/ and gives both sides of each `=` that states something, in the order of
the text, at a random point. A side is an array over its free indices. corpus/expected.json says which steps hold.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CORPUS = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))
SIZES = [(3, 4, 5, 6), (4, 6, 3, 5), (5, 3, 7, 4)]

Sides = tuple[Any, Any]
Derivation = Callable[["Point"], list[Sides]]
DERIVATIONS: dict[str, Derivation] = {}


class Point:
    """A random point: sizes that are all different, and numbers away from 0."""

    def __init__(self, seed: int) -> None:
        self.n, self.m, self.k, self.l = SIZES[seed]
        self.rng = np.random.default_rng(seed)

    def array(self, *shape: int) -> Any:
        return self.rng.uniform(0.3, 1.5, shape) * self.rng.choice([-1.0, 1.0], shape)

    def positive(self, *shape: int) -> Any:
        return self.rng.uniform(0.4, 1.9, shape)

    def share(self, *shape: int) -> Any:
        return self.rng.uniform(0.15, 0.4, shape)

    def distribution(self, n: int) -> Any:
        weights = self.positive(n)
        return weights / weights.sum()

    def labels(self, *shape: int) -> Any:
        labels = self.rng.integers(0, 2, shape).astype(float)
        if labels.ndim:
            labels.flat[:2] = 0, 1
        return labels

    def one_hot(self, n: int) -> Any:
        return np.eye(n)[int(self.rng.integers(n))]

    def invertible(self, n: int) -> Any:
        return self.array(n, n) + 3 * n * np.eye(n)

    def positive_definite(self, n: int) -> Any:
        root = self.array(n, n)
        return root @ root.T + np.eye(n)


def derivation(function: Derivation) -> Derivation:
    DERIVATIONS[function.__name__.replace("_", "-") + ".md"] = function
    return function


def chain(*sides: Any) -> list[Sides]:
    return list(itertools.pairwise(sides))


def slope(f: Callable[[Any], Any], x: Any) -> Any:
    """Return df/dx by the four-point rule; the axes of f come first, those of x after them."""
    x = np.asarray(x, float)
    h = 1e-3
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = h
        step = step.reshape(x.shape)
        far = np.asarray(f(x - 2 * step), float) - np.asarray(f(x + 2 * step), float)
        near = np.asarray(f(x + step), float) - np.asarray(f(x - step), float)
        columns.append((far + 8 * near) / (12 * h))
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)


def product(*factors: Any) -> Any:
    """Return the matrix product, or NaN where the shapes do not fit: an equality with such a side is false."""
    result = factors[0]
    for factor in factors[1:]:
        if result.shape[-1] != factor.shape[0]:
            return np.nan
        result = result @ factor
    return result


def apart(values: Any) -> Any:
    """Return the entries off the diagonal."""
    return values[~np.eye(len(values), dtype=bool)]


def sigma(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def d_sigma(x: Any) -> Any:
    return sigma(x) * sigma(-x)


def softmax(x: Any) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def lse(x: Any) -> Any:
    return np.log(np.exp(x).sum(axis=-1))


def ce(y: Any, p: Any) -> Any:
    return -(y * np.log(p)).sum()


def equal(left: Any, right: Any) -> bool:
    left, right = np.asarray(left, float), np.asarray(right, float)
    if left.shape != right.shape and left.ndim and right.ndim:
        return False
    return bool(np.allclose(left, right, rtol=1e-6, atol=1e-7))


@derivation
def attention_output(at: Point) -> list[Sides]:
    q, keys, values = at.array(at.n), at.array(at.m, at.n), at.array(at.m, at.k)
    s = keys @ q / np.sqrt(at.n)
    a = softmax(s)
    d_a, eye = slope(softmax, s), np.eye(at.m)
    o = a @ values
    return [
        *chain(
            slope(lambda s: softmax(s) @ values, s),
            np.einsum("lj,lk->kj", d_a, values),
            np.einsum("lj,lk->kj", a[:, None] * (eye - a[None, :]), values),
            (a[:, None] * (values - o)).T,
        ),
        (slope(lambda q: keys @ q / np.sqrt(at.n), q), keys / np.sqrt(at.n)),
    ]


@derivation
def attention_scale(at: Point) -> list[Sides]:
    q, keys = at.array(at.n), at.array(at.m, at.n)
    s = keys @ q / np.sqrt(at.n)
    a = softmax(s)
    gradient = slope(lambda q: np.log(softmax(keys @ q / np.sqrt(at.n))), q)
    return [
        (np.log(a), s - np.log(np.exp(s).sum())),
        *chain(gradient, keys / at.n - a @ keys / at.n, (keys - a @ keys) / at.n),
    ]


@derivation
def batch_bias(at: Point) -> list[Sides]:
    x, w, b, t = at.array(at.n, at.m), at.array(at.m, at.k), at.array(at.k), at.array(at.n, at.k)

    def loss(w: Any, b: Any) -> Any:
        return np.sum((x @ w + b - t) ** 2) / (2 * at.n)

    e = x @ w + b - t
    return [
        (slope(lambda b: loss(w, b), b), e.sum(axis=0)),
        (slope(lambda w: loss(w, b), w), x.T @ e / at.n),
    ]


@derivation
def bayes_gaussian_classes(at: Point) -> list[Sides]:
    x, a, b, s = at.array(), at.array(), at.array(), at.positive()
    ratio = np.exp(-((x - a) ** 2) / (2 * s**2)) / np.exp(-((x - b) ** 2) / (2 * s**2))
    return chain(
        np.log(ratio),
        ((x - b) ** 2 - (x - a) ** 2) / (2 * s**2),
        (2 * x * (a - b) + a**2 - b**2) / (2 * s**2),
        (a - b) / s**2 * x + (a**2 - b**2) / (2 * s**2),
    )


@derivation
def bayes_two_classes(at: Point) -> list[Sides]:
    prior, likelihood = at.distribution(2), at.positive(2)
    first, second = prior * likelihood
    r, a = first / (first + second), np.log(first / second)
    return [
        *chain(r, 1 / (1 + second / first), 1 / (1 + np.exp(-a)), sigma(a)),
        (1 - r, sigma(-a)),
        (a, np.log(prior[0] / prior[1]) + np.log(likelihood[0] / likelihood[1])),
    ]


@derivation
def bias_variance(at: Point) -> list[Sides]:
    estimates, theta, m = at.array(at.m), at.array(), at.m
    mean = estimates.mean()
    return [(np.mean((estimates - theta) ** 2), np.mean((estimates - mean) ** 2) + m * (mean - theta) ** 2)]


@derivation
def bigram_likelihood(at: Point) -> list[Sides]:
    s, c = at.array(at.n, at.n), at.positive(at.n, at.n)
    q = softmax(s)
    gradient = slope(lambda s: np.log(np.prod(softmax(s) ** c)), s)
    return [
        (np.log(np.prod(q**c)), np.sum(c * np.log(q))),
        (gradient, c - c.sum(axis=1, keepdims=True) * q),
    ]


@derivation
def bigram_probability(at: Point) -> list[Sides]:
    start, step = at.share(at.n), at.share(at.n, at.n)
    first, then = start[:, None, None] * step[:, :, None], step[:, None, :]
    wrong = np.log(start)[:, None, None] + np.log(step)[:, :, None] + np.log(step)[:, None, :]
    return chain(np.log(first * step[None, :, :]), wrong, np.log(first * then))


@derivation
def binary_cross_entropy_gradient(at: Point) -> list[Sides]:
    s, y = at.array(), at.share()
    p, d = sigma(s), slope(sigma, s)
    gradient = slope(lambda s: -y * np.log(sigma(s)) - (1 - y) * np.log(1 - sigma(s)), s)
    return [
        (d, p * (1 - p)),
        *chain(gradient, -y * d / p + (1 - y) * d / (1 - p), -y * (1 - p) + (1 - y) * p, p - y, p - y),
    ]


@derivation
def binary_cross_entropy_probability(at: Point) -> list[Sides]:
    p, y = at.share(), at.share()
    gradient = slope(lambda p: -(y * np.log(p) + (1 - y) * np.log(1 - p)), p)
    q = p * (1 - p)
    return chain(gradient, -y / p - (1 - y) / (1 - p), -(y * (1 - p) + p * (1 - y)) / q, -(y + p - 2 * y * p) / q)


@derivation
def cbow_context(at: Point) -> list[Sides]:
    v, o, n = at.array(at.k, at.n), at.array(at.n), at.array(at.n)
    mean = v.mean(axis=0)

    def loss(mean: Any) -> Any:
        return -np.log(sigma(o @ mean)) - np.log(sigma(-n @ mean))

    g = (sigma(o @ mean) - 1) * o + sigma(n @ mean) * n
    each = np.ones((at.k, 1))
    return [(slope(loss, mean), g), *chain(slope(lambda v: loss(v.mean(axis=0)), v), each * g, each * g)]


@derivation
def cbow_mean(at: Point) -> list[Sides]:
    v, u, o = at.array(at.k, at.n), at.array(at.m, at.n), 2
    h = v.mean(axis=0)
    s = u @ h
    p = softmax(s)
    d_s = slope(lambda s: -s[o] + lse(s), s)
    d_h = slope(lambda h: -(u @ h)[o] + lse(u @ h), h)
    d_v = slope(lambda v: -(u @ v.mean(axis=0))[o] + lse(u @ v.mean(axis=0)), v)
    each = np.ones((at.k, 1))
    return [
        (d_s, p - np.eye(at.m)[o]),
        *chain(d_h, d_s @ u, -u[o] + p @ u),
        *chain(d_v, each * d_h / at.k, each * (p @ u - u[o]) / at.k),
    ]


@derivation
def cosine_gradient(at: Point) -> list[Sides]:
    u, v = at.array(at.n), at.array(at.n)
    a, b = np.linalg.norm(u), np.linalg.norm(v)
    cosine = u @ v / (a * b)
    gradient = slope(lambda u: u @ v / (np.linalg.norm(u) * b), u)
    return [
        (slope(np.linalg.norm, u), u / a),
        *chain(gradient, (v * a - u @ v * u / a) / (a**2 * b), v / (a * b) - cosine * u / a**2),
        *chain(u @ gradient, u @ v / (a * b) - cosine, 0),
    ]


@derivation
def cross_entropy_chain_rule(at: Point) -> list[Sides]:
    x, y = at.array(at.n), at.distribution(at.n)
    p, eye = softmax(x), np.eye(at.n)
    outer, jacobian = slope(lambda p: ce(y, p), p), slope(softmax, x)
    gradient = slope(lambda x: ce(y, softmax(x)), x)
    product_rule = (-y / p) @ (p[:, None] * (eye - p[None, :]))
    return [
        (outer, -y / p),
        (jacobian, p[:, None] * (eye - p[None, :])),
        *chain(gradient, outer @ jacobian, product_rule, -y * (1 - p), y * p - y),
    ]


@derivation
def cross_entropy_one_hot(at: Point) -> list[Sides]:
    theta, y = at.array(at.n), at.one_hot(at.n)
    k, p = y.argmax(), softmax(theta)
    gradient = slope(lambda t: ce(y, softmax(t)), theta)
    return [
        *chain(ce(y, p), -np.log(p[k]), -theta[k] + np.log(np.exp(theta).sum())),
        *chain(gradient, -(np.arange(at.n) == k).astype(float) + np.exp(theta) / np.exp(theta).sum(), p - y),
        (gradient, p - y),
    ]


@derivation
def cross_entropy_soft_labels(at: Point) -> list[Sides]:
    z, y = at.array(at.n), at.distribution(at.n)
    p = softmax(z)
    gradient = slope(lambda z: ce(y, softmax(z)), z)
    logs = slope(lambda z: np.log(softmax(z)), z)
    return chain(gradient, -y @ logs, -y @ (np.eye(at.n) - p[None, :]), -y + p * y.sum(), p - y)


@derivation
def entropy_bound(at: Point) -> list[Sides]:
    p, n = at.distribution(at.n), at.n
    assert ce(p, p) <= np.log(n)
    uniform = np.full(n, 1 / n)
    return [
        (ce(p, p), np.sum(p * np.log(1 / p))),
        (np.log(np.sum(p * (1 / p))), np.log(n)),
        *chain(-np.sum(uniform * np.log(uniform)), np.sum(uniform * np.log(n)), n * np.log(n)),
    ]


@derivation
def entropy_gradient(at: Point) -> list[Sides]:
    p = at.distribution(at.n)
    return chain(slope(lambda p: -np.sum(p * np.log(p)), p), -np.log(p) + 1, np.log(1 / p) + 1)


@derivation
def focal_loss(at: Point) -> list[Sides]:
    p, g = at.share(), at.positive()
    gradient = slope(lambda p: -((1 - p) ** g) * np.log(p), p)
    return chain(
        gradient,
        g * (1 - p) ** (g - 1) * np.log(p) - (1 - p) ** g / p,
        (1 - p) ** (g - 1) * (g * np.log(p) - (1 - p) / p),
    )


@derivation
def focal_loss_score(at: Point) -> list[Sides]:
    s, g = at.array(), at.positive()
    p, d_p = sigma(s), slope(sigma, s)

    def loss(p: Any) -> Any:
        return -((1 - p) ** g) * np.log(p)

    return [
        (d_p, p * (1 - p)),
        *chain(
            slope(lambda s: loss(sigma(s)), s),
            slope(loss, p) * d_p,
            (g * (1 - p) ** (g - 1) * np.log(p) - (1 - p) ** g / p) * p * (1 - p),
            g * p * (1 - p) ** g * np.log(p) - (1 - p) ** g,
            (1 - p) ** g * (g * p * np.log(p) - 1),
        ),
    ]


@derivation
def gaussian_log_likelihood(at: Point) -> list[Sides]:
    x, mu, s, n = at.array(at.n), at.array(), at.positive(), at.n

    def log_likelihood(mu: Any, s: Any) -> Any:
        return np.log(np.prod(np.exp(-((x - mu) ** 2) / (2 * s**2)) / (np.sqrt(2 * np.pi) * s)))

    squares = np.sum((x - mu) ** 2)
    return [
        (log_likelihood(mu, s), -n / 2 * np.log(2 * np.pi) - n * np.log(s) - squares / (2 * s**2)),
        (slope(lambda mu: log_likelihood(mu, s), mu), np.sum(x - mu) / s**2),
        (slope(lambda s: log_likelihood(mu, s), s), -n / s + squares / s**3),
    ]


@derivation
def gaussian_variance(at: Point) -> list[Sides]:
    x, mu, s, n = at.array(at.n), at.array(), at.positive(), at.n

    def loss(mu: Any, s: Any) -> Any:
        return n * np.log(s) + np.sum((x - mu) ** 2) / (2 * s**2)

    return [
        (slope(lambda mu: loss(mu, s), mu), -np.sum(x - mu) / s**2),
        (slope(lambda s: loss(mu, s), s), n / s - np.sum((x - mu) ** 2) / s**2),
    ]


@derivation
def geometric_sum(at: Point) -> list[Sides]:
    q, n = at.share(), at.n
    s = sum(q**k for k in range(n + 1))
    return chain(s - q * s, s - sum(q**k for k in range(1, n + 2)), 1 - q**n)


@derivation
def glove_gradient(at: Point) -> list[Sides]:
    w, c = at.array(at.m, at.n), at.array(at.m, at.n)
    b, d, f, x = at.array(at.m), at.array(at.m), at.positive(at.m, at.m), at.positive(at.m, at.m)

    def error(w: Any = w, c: Any = c, b: Any = b) -> Any:
        return w @ c.T + b[:, None] + d[None, :] - np.log(x)

    weighted = 2 * f * error()
    return [
        (slope(lambda w: np.sum(f * error(w=w) ** 2), w), weighted @ c),
        (slope(lambda b: np.sum(f * error(b=b) ** 2), b), weighted.sum(axis=1)),
        (slope(lambda c: np.sum(f * error(c=c) ** 2), c), weighted.T @ w),
    ]


@derivation
def glove_weight(at: Point) -> list[Sides]:
    a, b, f, x = at.array(at.n), at.array(at.n), at.positive(), at.positive()
    error = a @ b - np.log(x)
    return [
        (slope(lambda a: f * (a @ b - np.log(x)) ** 2, a), f * error * b),
        (slope(lambda b: f * (a @ b - np.log(x)) ** 2, b), 2 * f * error * a),
    ]


@derivation
def hidden_layer_columns(at: Point) -> list[Sides]:
    x, y = at.array(at.n), at.one_hot(at.k)
    w1, b1, w2, b2 = at.array(at.m, at.n), at.array(at.m), at.array(at.k, at.m), at.array(at.k)
    z1 = w1 @ x + b1
    h = np.tanh(z1)
    z2 = w2 @ h + b2
    error = softmax(z2) - y
    delta = (w2.T @ error) * (1 - h * h)

    def loss_of_z1(z: Any) -> Any:
        return ce(y, softmax(w2 @ np.tanh(z) + b2))

    return [
        (slope(lambda z: ce(y, softmax(z)), z2), error),
        (slope(lambda h: ce(y, softmax(w2 @ h + b2)), h), w2.T @ error),
        (slope(loss_of_z1, z1), delta),
        (slope(lambda w: loss_of_z1(w @ x + b1), w1), np.outer(x, delta)),
        (slope(lambda b: loss_of_z1(w1 @ x + b), b1), delta),
    ]


@derivation
def hidden_layer_rows(at: Point) -> list[Sides]:
    x, y = at.array(at.n), at.one_hot(at.k)
    w1, b1, w2, b2 = at.array(at.n, at.m), at.array(at.m), at.array(at.m, at.k), at.array(at.k)

    def loss(x: Any = x, w1: Any = w1, b1: Any = b1, w2: Any = w2, b2: Any = b2) -> Any:
        return ce(y, softmax(sigma(x @ w1 + b1) @ w2 + b2))

    z1 = x @ w1 + b1
    h = sigma(z1)
    z2 = h @ w2 + b2
    delta1 = softmax(z2) - y
    delta2 = delta1 @ w2.T
    delta3 = delta2 * h * (1 - h)
    return [
        (slope(lambda z: ce(y, softmax(z)), z2), delta1),
        (slope(lambda h: ce(y, softmax(h @ w2 + b2)), h), delta2),
        *chain(slope(lambda z: ce(y, softmax(sigma(z) @ w2 + b2)), z1), delta2 * slope(sigma, z1).diagonal(), delta3),
        (slope(lambda w2: loss(w2=w2), w2), np.outer(h, delta1)),
        (slope(lambda b2: loss(b2=b2), b2), delta1),
        (slope(lambda w1: loss(w1=w1), w1), np.outer(x, delta3)),
        (slope(lambda b1: loss(b1=b1), b1), delta3),
        (slope(lambda x: loss(x=x), x), delta3 @ w1.T),
    ]


@derivation
def hierarchical_softmax_node(at: Point) -> list[Sides]:
    theta, h, t = at.array(at.n), at.array(at.n), at.labels()
    e = np.exp(-theta @ h)

    def loss(theta: Any, h: Any) -> Any:
        return -t * np.log(sigma(theta @ h)) - (1 - t) * np.log(sigma(-theta @ h))

    error = sigma(theta @ h) - t
    return [
        *chain(sigma(theta @ h) + sigma(-theta @ h), 1 / (1 + e) + e / (1 + e), 1),
        (slope(lambda theta: loss(theta, h), theta), error * h),
        (slope(lambda h: loss(theta, h), h), error * theta),
    ]


@derivation
def hierarchical_softmax_path(at: Point) -> list[Sides]:
    s, d = at.array(at.n), np.where(np.arange(at.n) % 2, 1.0, -1.0)

    def loss(s: Any) -> Any:
        return -np.log(np.prod(sigma(d * s)))

    return [
        *chain(loss(s), -np.log(sigma(d * s)).sum(), np.log(1 + np.exp(-d * s)).sum()),
        *chain(slope(loss, s), sigma(d * s) - 1, -sigma(-d * s)),
    ]


@derivation
def hinge_loss(at: Point) -> list[Sides]:
    x, w, y = at.array(at.n), at.array(at.n), 2 * at.labels() - 1
    w += (1 - y * w @ x) * y * x / (x @ x)  # on the margin
    inside, outside = w - 0.2 * y * x, w + 0.2 * y * x

    def hinge(w: Any) -> Any:
        return max(0.0, 1 - y * w @ x)

    return [
        (hinge(inside), 1 - y * inside @ x),
        (slope(hinge, inside), y * x),
        (hinge(outside), 0),
        (slope(hinge, outside), 0),
    ]


@derivation
def huber_loss(at: Point) -> list[Sides]:
    delta = at.positive()
    small, large = at.rng.uniform(-0.9, 0.9) * delta, 1.5 * delta

    def huber(r: Any) -> Any:
        return r * r / 2 if abs(r) <= delta else delta * abs(r) - delta**2 / 2

    line = slope(lambda r: delta * r - delta**2 / 2, large)
    return [
        (delta * delta - delta**2 / 2, delta**2 / 2),
        (slope(huber, small), small),
        *chain(slope(huber, large), line, delta - delta, 0),
    ]


@derivation
def kl_divergence(at: Point) -> list[Sides]:
    p, q = at.distribution(at.n), at.distribution(at.n)
    divergence = np.sum(p * np.log(p / q))
    return [
        *chain(divergence, np.sum(p * np.log(p)) - np.sum(p * np.log(q)), ce(p, q) - ce(p, p)),
        *chain(slope(lambda q: np.sum(p * np.log(p / q)), q), slope(lambda q: ce(p, q), q), -p / q),
    ]


@derivation
def l2_gradient(at: Point) -> list[Sides]:
    w, strength, rate = at.array(at.n), at.positive(), at.share()
    norm = strength / 2 * np.linalg.norm(w) ** 2
    gradient = slope(lambda w: strength / 2 * w @ w, w)
    return [
        *chain(norm, strength / 2 * sum(w_i**2 for w_i in w), strength / 2 * w @ w),
        *chain(gradient, strength / 2 * 2 * w, strength * w),
        (gradient, strength * w),
        (w - rate * gradient, (1 - rate * strength) * w),
    ]


@derivation
def label_smoothing(at: Point) -> list[Sides]:
    z, y, epsilon, k = at.array(at.n), at.one_hot(at.n), at.share(), at.n
    smooth, p = (1 - epsilon) * y + epsilon / k, softmax(z)
    gradient = slope(lambda z: ce(smooth, softmax(z)), z)
    return [
        *chain(smooth.sum(), (1 - epsilon) * y.sum() + k * (epsilon / k), 1),
        *chain(gradient, p - smooth, p - (1 - epsilon) * y - epsilon / k),
    ]


@derivation
def label_smoothing_loss(at: Point) -> list[Sides]:
    p, y, epsilon, k = at.distribution(at.n), at.one_hot(at.n), at.share(), at.n
    t = (1 - epsilon) * y + epsilon / k
    return chain(
        ce(t, p),
        (1 - epsilon) * ce(y, p) - epsilon / k * np.log(p).sum(),
        -(1 - epsilon) * np.log(p[y.argmax()]) - epsilon * np.log(p).sum(),
    )


@derivation
def layer_norm_mean(at: Point) -> list[Sides]:
    x, n = at.array(at.n), at.n
    mu, centring = x.mean(), np.eye(n) - 1 / n
    d_variance = slope(lambda x: np.mean((x - x.mean()) ** 2), x)
    return [
        *chain((x - mu).sum(), x.sum() - n * mu, 0),
        (slope(lambda x: x - x.mean(), x), centring),
        *chain(d_variance, 2 / n * (x - mu) @ centring, 2 / n * (x - mu)),
    ]


@derivation
def layer_norm_variance(at: Point) -> list[Sides]:
    x = at.array(at.n)
    mu, square = x.mean(), np.mean(x**2)
    spread = np.mean(x**2 - 2 * mu * x + mu**2)
    return chain(np.mean((x - mu) ** 2), spread, square - 2 * mu**2 + mu**2, square - mu)


@derivation
def log_odds(at: Point) -> list[Sides]:
    x = at.array()
    e = np.exp(-x)
    p = 1 / (1 + e)

    def logit(p: Any) -> Any:
        return np.log(p / (1 - p))

    return [
        *chain(p / (1 - p), 1 / (1 + e) / (e / (1 + e)), 1 / e, np.exp(x)),
        *chain(logit(p), np.log(np.exp(x)), x),
        *chain(logit(1 - p), np.log(1 - p) - np.log(p), -logit(p)),
    ]


@derivation
def logistic_regression_gradient(at: Point) -> list[Sides]:
    x, w, y = at.array(at.n, at.m), at.array(at.m), at.labels(at.n)
    p = sigma(x @ w)

    def loss(w: Any) -> Any:
        p = sigma(x @ w)
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    return chain(slope(loss, w), -((y / p - (1 - y) / (1 - p)) * p * (1 - p)) @ x, (p - y) @ x)


@derivation
def logistic_regression_hessian(at: Point) -> list[Sides]:
    x, w, y = at.array(at.n, at.m), at.array(at.m), at.labels(at.n)
    p = sigma(x @ w)
    d_p = slope(lambda w: sigma(x @ w), w)
    hessian = slope(lambda w: (sigma(x @ w) - y) @ x, w)
    return [
        (d_p, (p * (1 - p))[:, None] * x),
        *chain(hessian, np.einsum("ik,il->lk", d_p, x), np.einsum("i,ik,il->lk", p, x, x)),
    ]


@derivation
def logit_derivative(at: Point) -> list[Sides]:
    p = at.share()

    def g(p: Any) -> Any:
        return np.log(p / (1 - p))

    return [
        (g(p), np.log(p) - np.log(1 - p)),
        *chain(slope(g, p), 1 / p - 1 / (1 - p), (1 - 2 * p) / (p * (1 - p))),
    ]


@derivation
def logsumexp_bounds(at: Point) -> list[Sides]:
    x, n = at.array(at.n), at.n
    m = x.max()
    assert m <= lse(x) <= m + np.log(n)
    return [
        (m, np.log(np.exp(m))),
        (np.log(np.exp(x).sum()), m + np.log(np.exp(x - m).sum())),
        (m + np.log(sum(1 for _ in x)), m + np.log(n)),
    ]


@derivation
def logsumexp_gradient(at: Point) -> list[Sides]:
    x = at.array(at.n)
    total = np.exp(x).sum()
    inner = slope(lambda x: np.exp(x).sum(), x) / total
    return [*chain(slope(lse, x), inner, np.exp(x) / total, softmax(x)), (slope(lse, x).sum(), 1)]


@derivation
def logsumexp_hessian(at: Point) -> list[Sides]:
    x = at.array(at.n)
    p = softmax(x)
    second = slope(lambda x: slope(lse, x), x)
    return [
        (slope(lse, x), np.exp(x) / np.exp(x).sum()),
        *chain(second, slope(softmax, x), p[:, None] * (np.eye(at.n) - p[:, None])),
    ]


@derivation
def momentum_constant_gradient(at: Point) -> list[Sides]:
    g, beta, t = at.array(at.n), at.share(), at.m
    v = sum(beta**k * g for k in range(t))
    difference = v - sum(beta ** (k + 1) * g for k in range(t))
    return [
        *chain((1 - beta) * v, difference, (1 - beta**t) * g),
        (v, (1 - beta**t) / (1 - beta) * g),
    ]


@derivation
def momentum_unrolled(at: Point) -> list[Sides]:
    g, beta = at.array(3, at.n), at.share()
    m1 = g[0]
    m2 = beta * m1 + g[1]
    m3 = beta * m2 + g[2]
    return chain(
        m3,
        beta * (beta * m1 + g[1]) + g[2],
        beta**2 * g[0] + beta * g[1] + g[2],
        sum(beta ** (3 - k) * g[k - 1] for k in (1, 2, 3)),
    )


@derivation
def negative_sampling_center(at: Point) -> list[Sides]:
    v, o, u, x = at.array(at.n), at.array(at.n), at.array(at.m, at.n), at.array()
    gradient = slope(lambda v: -np.log(sigma(o @ v)) - np.log(sigma(-u @ v)).sum(), v)
    return [
        (slope(lambda x: np.log(sigma(x)), x), 1 - sigma(x)),
        *chain(
            gradient,
            -(1 - sigma(o @ v)) * o + (1 - sigma(-u @ v)) @ u,
            (sigma(o @ v) - 1) * o + sigma(u @ v) @ u,
        ),
    ]


@derivation
def negative_sampling_outside(at: Point) -> list[Sides]:
    v, o, u = at.array(at.n), at.array(at.n), at.array(at.m, at.n)

    def loss(o: Any, u: Any) -> Any:
        return -np.log(sigma(o @ v)) - np.log(sigma(-u @ v)).sum()

    return [
        (slope(lambda o: loss(o, u), o), (sigma(o @ v) - 1) * v),
        *chain(slope(lambda u: loss(o, u), u), np.outer(1 - sigma(-u @ v), v), np.outer(sigma(-u @ v), v)),
    ]


@derivation
def norm_gradient(at: Point) -> list[Sides]:
    x = at.array(at.n)
    squares = np.sum(x**2)
    return chain(slope(np.linalg.norm, x), squares ** (-1 / 2) / 2 * 2 * x, x / squares)


@derivation
def normal_equations(at: Point) -> list[Sides]:
    x, b, y = at.array(at.n + at.m, at.m), at.array(at.m), at.array(at.n + at.m)
    four = y @ y - y @ x @ b - b @ x.T @ y + b @ x.T @ x @ b
    gradient = slope(lambda b: (y - x @ b) @ (y - x @ b), b)
    return [
        *chain((y - x @ b) @ (y - x @ b), four, y @ y - 2 * b @ x.T @ y + b @ x.T @ x @ b),
        *chain(gradient, -2 * x.T @ y + 2 * x.T @ x @ b, -2 * x.T @ (y - x @ b)),
    ]


@derivation
def parameter_count(at: Point) -> list[Sides]:
    d_x, h, d_y = at.n, at.m, at.k
    return [
        (d_x * h + h, (d_x + 1) * h),
        (h * d_y + d_y, (h + 1) * d_y),
        ((d_x + 1) * h + (h + 1) * d_y, h * (d_x + d_y + 1) + d_y),
    ]


@derivation
def perplexity(at: Point) -> list[Sides]:
    q, n = at.share(at.n), at.n
    h = -np.log(q).sum() / n
    return chain(
        np.exp(h),
        np.exp(-np.log(q).sum() / n),
        np.prod(np.exp(-np.log(q) / n)),
        np.prod(q ** (-1 / n)),
        np.prod(1 / q) ** (1 / n),
    )


@derivation
def perplexity_bits(at: Point) -> list[Sides]:
    q, n = at.share(at.n), at.n
    b = -np.sum(np.log(q) / np.log(2)) / n
    return chain(2**b, np.exp(b * np.log(2)), np.exp(-np.log(q).sum() / n), np.prod(q) ** (1 / n))


@derivation
def quadratic_form(at: Point) -> list[Sides]:
    a, x = at.array(at.n, at.n), at.array(at.n)
    gradient = slope(lambda x: x @ a @ x, x)
    return [
        (x @ a @ x, np.einsum("ij,i,j->", a, x, x)),
        (gradient, np.einsum("kj,j->k", a, x) + np.einsum("ik,i->k", a, x)),
        *chain(gradient, a @ x + a @ x, 2 * a @ x),
    ]


@derivation
def rational_derivative(at: Point) -> list[Sides]:
    x = at.array()

    def r(x: Any) -> Any:
        return x / (1 + x**2)

    return [
        *chain(slope(r, x), (1 * (1 + x**2) - x * x) / (1 + x**2) ** 2, 1 / (1 + x**2) ** 2),
        (r(-x), -r(x)),
    ]


@derivation
def relu_identities(at: Point) -> list[Sides]:
    x, positive = at.array(), at.positive()

    def relu(x: Any) -> Any:
        return np.maximum(0, x)

    return [
        (relu(x) - relu(-x), x),
        (relu(x) + relu(-x), abs(x)),
        (relu(x), (x + abs(x)) / 2),
        *chain(slope(relu, positive), slope(lambda x: x, positive), 1),
    ]


@derivation
def ridge_gradient(at: Point) -> list[Sides]:
    x, w, t, strength = at.array(at.n, at.m), at.array(at.m), at.array(at.n), at.positive()
    gradient = slope(lambda w: np.sum((x @ w - t) ** 2) / 2 + strength / 2 * w @ w, w)
    wrong = x.T @ (x @ w - t) + 2 * strength * w
    return chain(gradient, wrong, (x.T @ x + 2 * strength * np.eye(at.m)) @ w - x.T @ t)


@derivation
def sigmoid_derivative(at: Point) -> list[Sides]:
    x = at.array()
    e, s = np.exp(-x), sigma(x)
    return [
        *chain(slope(sigma, x), -1 * (-e) / (1 + e) ** 2, 1 / (1 + e) * (e / (1 + e))),
        *chain(e / (1 + e), (1 + e - 1) / (1 + e), 1 - s),
        (slope(sigma, x), s * (1 - s)),
    ]


@derivation
def sigmoid_slope(at: Point) -> list[Sides]:
    x = at.array()
    e, s = np.exp(-x), sigma(x)
    return chain(slope(sigma, x), -((1 + e) ** -2) * e, -1 / (1 + e) * (1 - 1 / (1 + e)), -s * (1 - s))


@derivation
def sigmoid_symmetry(at: Point) -> list[Sides]:
    z = at.array()
    e = np.exp(-z)
    return [
        *chain(1 - sigma(z), (1 + e) / (1 + e) - 1 / (1 + e), e / (1 + e), 1 / (np.exp(z) + 1), sigma(-z)),
        (sigma(0.0), 1 / 2),
        (sigma(z) + sigma(-z), 1),
    ]


@derivation
def skip_gram_center(at: Point) -> list[Sides]:
    v, u, o = at.array(at.n), at.array(at.m, at.n), 1
    e = np.exp(u @ v)

    def loss(v: Any) -> Any:
        return -np.log(softmax(u @ v)[o])

    return [
        (loss(v), -u[o] @ v + np.log(e.sum())),
        *chain(slope(loss, v), -u[o] + (e @ u) / e.sum(), -u[o] + softmax(u @ v) @ u),
    ]


@derivation
def skip_gram_outside(at: Point) -> list[Sides]:
    v, u, o = at.array(at.n), at.array(at.m, at.n), 0
    p, e = softmax(u @ v), np.exp(u @ v)
    gradient = slope(lambda u: -u[o] @ v + np.log(np.exp(u @ v).sum()), u)
    return [
        *chain(gradient[1:], np.outer(e / e.sum(), v)[1:], np.outer(p, v)[1:]),
        *chain(gradient[o], e[o] / e.sum() * v, p[o] * v),
    ]


@derivation
def softmax_jacobian_cases(at: Point) -> list[Sides]:
    z = at.array(at.n)
    e, p, s = np.exp(z), softmax(z), np.exp(z).sum()
    jacobian, off = slope(softmax, z), -np.outer(p, p)
    return [
        *chain(np.diag(jacobian), (e * s - e * e) / s**2, e / s * ((s - e) / s), p * (1 - p)),
        *chain(apart(jacobian), apart((0 * s - np.outer(e, e)) / s**2), apart(off)),
        (jacobian, np.where(np.eye(at.n) == 1, np.diag(p * (1 - p)), off)),
    ]


@derivation
def softmax_jacobian_indicator(at: Point) -> list[Sides]:
    x = at.array(at.n)
    e, p, eye = np.exp(x), softmax(x), np.eye(at.n)
    quotient = (eye * e[:, None] * e.sum() - np.outer(e, e)) / e.sum() ** 2
    return [(slope(softmax, x), quotient), (slope(softmax, x), p[None, :] * (eye - p[None, :]))]


@derivation
def softmax_jacobian_matrix(at: Point) -> list[Sides]:
    x = at.array(at.n)
    p, eye = softmax(x), np.eye(at.n)
    logs = slope(lambda x: np.log(softmax(x)), x)
    jacobian = slope(softmax, x)
    return [
        (np.log(p), x - np.log(np.exp(x).sum())),
        (logs, eye - p[None, :]),
        (logs, jacobian / p[:, None]),
        (jacobian, p[:, None] * (eye - p[None, :])),
        (jacobian, np.diag(p) - np.outer(p, p)),
    ]


@derivation
def softmax_jacobian_off_diagonal(at: Point) -> list[Sides]:
    x = at.array(at.n)
    e, p = np.exp(x), softmax(x)
    inverse = slope(lambda x: 1 / np.exp(x).sum(), x)
    wrong = np.outer(e, e) / e.sum() ** 2
    return chain(apart(slope(softmax, x)), apart(np.outer(e, inverse)), apart(wrong), apart(np.outer(p, p)))


@derivation
def softmax_maximum(at: Point) -> list[Sides]:
    x = at.array(at.n)
    m, e = x.max(), np.exp(x)
    wrong = np.exp(-m) * e / (np.exp(m) * e.sum())
    return chain(softmax(x - m), np.exp(x - m) / np.exp(x - m).sum(), wrong, np.exp(-2 * m) * softmax(x))


@derivation
def softmax_regression_gradient(at: Point) -> list[Sides]:
    x, w, y = at.array(at.n, at.m), at.array(at.m, at.k), np.eye(at.k)[at.rng.integers(0, at.k, at.n)]
    error = softmax(x @ w) - y
    gradient = slope(lambda w: ce(y, softmax(x @ w)), w)
    return [
        (slope(lambda z: ce(y, softmax(z)), x @ w), error),
        (gradient, np.einsum("id,ik->dk", x, error)),
        (gradient, x.T @ error),
    ]


@derivation
def softmax_regression_hessian(at: Point) -> list[Sides]:
    x, w, c = at.array(at.n), at.array(at.m, at.n), 1
    z, eye = w @ x, np.eye(at.m)
    p = softmax(z)

    def loss(z: Any) -> Any:
        return -np.log(softmax(z)[c])

    second = slope(lambda z: slope(loss, z), z)
    return [
        (slope(loss, z), p - eye[c]),
        (slope(lambda w: loss(w @ x), w), np.outer(p - eye[c], x)),
        *chain(second, slope(softmax, z), p[None, :] * (eye - p[None, :])),
    ]


@derivation
def softmax_shift(at: Point) -> list[Sides]:
    x, c = at.array(at.n), at.array()
    e, shifted = np.exp(x), np.exp(x + c)
    return chain(softmax(x + c), shifted / shifted.sum(), np.exp(c) * e / (np.exp(c) * e.sum()), softmax(x))


@derivation
def softplus_derivative(at: Point) -> list[Sides]:
    x = at.array()
    first = slope(lambda x: np.log(1 + np.exp(x)), x)
    second = slope(lambda x: slope(lambda x: np.log(1 + np.exp(x)), x), x)
    s = sigma(x)
    return [
        *chain(first, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)), s),
        *chain(second, slope(sigma, x), s * (1 - s), s * sigma(-x)),
    ]


@derivation
def softplus_difference(at: Point) -> list[Sides]:
    x = at.array()
    a, b = 1 + np.exp(x), 1 + np.exp(-x)
    return chain(np.log(a) - np.log(b), np.log(a) - np.log(b), np.log(a / b), np.log(np.exp(-x)), -x)


@derivation
def sum_of_squares(at: Point) -> list[Sides]:
    x, c, n = at.array(at.n), at.array(), at.n
    mean = x.mean()
    squares = np.sum((x - mean) ** 2)
    return chain(
        np.sum((x - c) ** 2),
        np.sum(((x - mean) + (mean - c)) ** 2),
        squares + 2 * (mean - c) * np.sum(x - mean) + n * (mean - c) ** 2,
        squares + n * (mean - c) ** 2,
    )


@derivation
def swish_derivative(at: Point) -> list[Sides]:
    x = at.array()
    s = sigma(x)
    return [*chain(slope(lambda x: x * sigma(x), x), s + s * (1 - s), s * (2 - s)), (0 * sigma(0.0), 0)]


@derivation
def tanh_derivative(at: Point) -> list[Sides]:
    x = at.array()
    a, b = np.exp(x), np.exp(-x)
    quotient = ((a + b) * (a + b) - (a - b) * (a - b)) / (a + b) ** 2
    return chain(slope(np.tanh, x), quotient, 1 - ((a - b) / (a + b)) ** 2, 1 - np.tanh(x) ** 2)


@derivation
def tanh_from_sigmoid(at: Point) -> list[Sides]:
    x = at.array()
    e = np.exp(-2 * x)
    return [
        *chain(np.tanh(x), (1 - e) / (1 + e), 2 / (1 + e) - 1, 2 * sigma(2 * x) - 1),
        (slope(sigma, x), sigma(x) * (1 - sigma(x))),
        *chain(slope(np.tanh, x), 2 * sigma(2 * x) * (1 - sigma(2 * x)), 2 * sigma(2 * x) * sigma(-2 * x)),
    ]


@derivation
def temperature_derivative(at: Point) -> list[Sides]:
    x, t = at.array(at.n), at.positive()
    p, e = softmax(x / t), np.exp(x / t)
    gradient = slope(lambda t: np.log(softmax(x / t)), t)
    return [
        (np.log(p), x / t - np.log(e.sum())),
        *chain(gradient, -x / t + np.sum(x * e) / (t * e.sum()), -(x - p @ x) / t),
    ]


@derivation
def temperature_softmax(at: Point) -> list[Sides]:
    x, t = at.array(at.n), at.positive()
    p, e, eye = softmax(x / t), np.exp(x / t), np.eye(at.n)
    return [
        (slope(lambda x: softmax(x / t), x), p[:, None] * (eye - p[None, :]) / t),
        (slope(lambda x: np.log(softmax(x / t)), x), (eye - p[None, :]) / t),
        *chain(
            p[:, None] / p[None, :],
            e[:, None] / e[None, :],
            np.exp((x[:, None] - x[None, :]) / t),
        ),
    ]


@derivation
def trace_derivative(at: Point) -> list[Sides]:
    a, b, x = at.array(at.n, at.n), at.array(at.n, at.n), at.array(at.n, at.n)
    return [
        *chain(np.trace(a @ x @ b), np.trace(b @ a @ x), np.einsum("ij,ji->", b @ a, x)),
        (slope(lambda x: np.trace(a @ x @ b), x), b @ a),
    ]


@derivation
def trace_identities(at: Point) -> list[Sides]:
    a, b = at.array(at.m, at.n), at.array(at.n, at.m)
    s, x = at.positive_definite(at.n), at.array(at.n)
    gradient = slope(lambda a: np.trace(a @ b), a)
    forwards = sum(a[i, j] * b[j, i] for i in range(at.m) for j in range(at.n))
    backwards = sum(b[j, i] * a[i, j] for j in range(at.n) for i in range(at.m))
    return [
        *chain(np.trace(a @ b), forwards, backwards, np.trace(b @ a)),
        (gradient, b.T),
        (gradient, b.T),
        (x @ s @ x, np.trace(s @ np.outer(x, x))),
        *chain(slope(lambda x: x @ s @ x, x), (s + s.T) @ x, 2 * s @ x),
    ]


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("seed", range(len(SIZES)))
def test_every_step_has_the_expected_truth(name: str, seed: int) -> None:
    stated = [step for step in EXPECTED[name]["steps"] if step["verdict"] != "definition"]
    sides = DERIVATIONS[name](Point(seed))
    assert len(sides) == len(stated)
    for step, (left, right) in zip(stated, sides, strict=True):
        verdict = "holds" if equal(left, right) else "fails"
        assert verdict == step["verdict"], (step, left, right)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_step_is_where_it_is_said_to_be(name: str) -> None:
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    assert 5 <= len(lines) <= 40
    steps = EXPECTED[name]["steps"]
    assert [step["line"] for step in steps] == sorted(step["line"] for step in steps)
    for line in {step["line"] for step in steps}:
        signs = len(re.findall(r"=|\\equiv", lines[line - 1]))
        assert signs >= sum(step["line"] == line for step in steps)
    squeezed = re.sub(r"[\s&]", "", "\n".join(lines))
    for step in steps:
        for side in (step["left"], step["right"]):
            assert re.sub(r"[\s&]", "", side) in squeezed, side


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_planted_error_is_the_first_false_step(name: str) -> None:
    planted = EXPECTED[name]["planted"]
    false = [step["line"] for step in EXPECTED[name]["steps"] if step["verdict"] == "fails"]
    assert false[:1] == ([planted["line"]] if planted else [])


def test_each_file_is_in_the_table() -> None:
    files = sorted(path.name for path in CORPUS.glob("*.md"))
    assert files == sorted(EXPECTED) == sorted(DERIVATIONS)
    planted = sum(entry["planted"] is not None for entry in EXPECTED.values())
    assert planted * 2 == len(files)
