"""Check ``expected.json`` against NumPy, formula by formula.

Every step that ``expected.json`` calls ``holds`` or ``fails`` is transcribed here by hand: both sides are evaluated at
random points, derivatives by central differences (of what the derivation defines, never of its answer). A step holds if
the two sides have one shape and agree at every point; it fails if they differ at every point or do not fit together.
Run with ``python heldout/verify.py``; it prints the counts, or every disagreement.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False, check-untyped-defs=False

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import exp, log

HERE = pathlib.Path(__file__).parent
POINTS = 5
TOLERANCE = 2e-6

Pair = tuple[Any, Any]
CASES: dict[str, Callable[[np.random.Generator], list[Pair]]] = {}


def case(name: str) -> Callable[[Any], Any]:
    """Register the transcription of one derivation."""

    def register(function: Any) -> Any:
        assert name not in CASES, name
        CASES[name] = function
        return function

    return register


def chain(*sides: Any) -> list[Pair]:
    """The steps of ``a = b = c``: (a, b), (b, c)."""
    return list(pairwise(sides))


def softmax(z: Any) -> Any:
    weights = exp(np.asarray(z, float))
    return weights / weights.sum(axis=-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + exp(-np.asarray(x, float)))


def slope(f: Callable[[float], Any], x: float, h: float = 1e-5) -> Any:
    """df/dx by central differences."""
    return (np.asarray(f(x + h)) - np.asarray(f(x - h))) / (2 * h)


def curve(f: Callable[[float], Any], x: float, h: float = 1e-3) -> Any:
    """The second derivative, by central differences of the fourth order."""
    return (-f(x + 2 * h) + 16 * f(x + h) - 30 * f(x) + 16 * f(x - h) - f(x - 2 * h)) / (12 * h * h)


def jac(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """All partial derivatives of f at x: shape of f, then shape of x."""
    x = np.asarray(x, float)
    columns = []
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = h
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * h))
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(stacked.shape[:-1] + x.shape)


def hess(f: Callable[[Any], Any], x: Any) -> Any:
    return jac(lambda t: jac(f, t, 3e-4), x, 3e-4)


def onehot(n: int, k: int) -> Any:
    return np.eye(n)[k]


def eq(i: int, j: int) -> float:
    return 1.0 if i == j else 0.0


def pairs(n: int, m: int | None = None) -> Iterable[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(n if m is None else m)]


def table(f: Callable[..., Any], *sizes: int) -> Any:
    """f at all indices."""
    return np.array([f(*at) for at in np.ndindex(*sizes)])


# --------------------------------------------------------------------------------------------------- softmax, sigmoid


@case("shift-terse.md")
def _(r):
    x, c, n = r.normal(size=5), r.normal(), 5
    return chain(
        softmax(x + c),
        table(lambda i: exp(x[i] + c) / sum(exp(x[j] + c) for j in range(n)), n),
        table(lambda i: exp(c) * exp(x[i]) / (exp(c) * sum(exp(x[j]) for j in range(n))), n),
        softmax(x),
    )


@case("log-of-softmax.md")
def _(r):
    s = r.normal(size=4) * 2
    m = max(s)
    total = sum(exp(s))
    return (
        chain(log(softmax(s)), log(exp(s) / total), s - log(total))
        + chain(log(total), log(exp(m) * sum(exp(s - m))), m + log(sum(exp(s - m))))
        + chain(log(softmax(s)), s - log(sum(exp(s - m))))
    )


@case("two-classes.md")
def _(r):
    z1, z2 = r.normal(size=2)
    p1 = exp(z1) / (exp(z1) + exp(z2))
    p2 = exp(z2) / (exp(z1) + exp(z2))
    return chain(p1, 1 / (1 + exp(z2 - z1)), sigmoid(z1 - z2)) + chain(
        p2, 1 - p1, 1 - sigmoid(z1 - z2), sigmoid(z2 - z1)
    )


@case("odds.md")
def _(r):
    a, b = r.normal(size=2)

    def q(a, b):
        return exp(a) / (exp(a) + exp(b))

    v = q(a, b)
    return (
        chain(v / (1 - v), exp(a) / exp(b), exp(a - b))
        + chain(log(v / (1 - v)), b - a)
        + chain(slope(lambda t: q(t, b), a), v * (1 - v))
        + chain(slope(lambda t: q(a, t), b), -v * (1 - v))
    )


@case("sigmoid-primes.md")
def _(r):
    z = r.normal()

    def f(z):
        return 1 / (1 + exp(-z))

    d1, d2 = slope(f, z), curve(f, z)
    return (
        chain(
            d1,
            slope(lambda t: 1 / (1 + exp(-t)), z),
            -slope(lambda t: 1 + exp(-t), z) / (1 + exp(-z)) ** 2,
            exp(-z) / (1 + exp(-z)) ** 2,
        )
        + chain(1 - f(z), exp(-z) / (1 + exp(-z)))
        + chain(d1, f(z) * (1 - f(z)))
        + chain(d2, d1 * (1 - f(z)) - f(z) * d1, d1 * (1 - 2 * f(z)))
    )


@case("sigmoid-power.md")
def _(r):
    x = r.normal()

    def g(x):
        return (1 + exp(-x)) ** -1.0

    return chain(
        slope(g, x),
        -((1 + exp(-x)) ** -2.0) * slope(lambda t: 1 + exp(-t), x),
        -((1 + exp(-x)) ** -2.0) * exp(-x),
        -g(x) * (1 - g(x)),
    ) + chain(1 - g(x), g(-x))


@case("sigmoid-mirror.md")
def _(r):
    x = r.normal()
    return (
        chain(
            sigmoid(-x),
            1 / (1 + exp(x)),
            exp(-x) / (exp(-x) + 1),
            ((1 + exp(-x)) - 1) / (1 + exp(-x)),
            1 - sigmoid(x),
        )
        + chain(-slope(sigmoid, -x), -slope(sigmoid, x))
        + chain(sigmoid(0), 1 / 2)
        + chain(slope(sigmoid, 0.0), 1 / 4)
    )


@case("log-sigmoid.md")
def _(r):
    z = r.normal()

    def ell(z):
        return log(sigmoid(z))

    return (
        chain(ell(z), -log(1 + exp(-z)))
        + chain(slope(ell, z), exp(-z) / (1 + exp(-z)), 1 - sigmoid(z), sigmoid(-z))
        + chain(curve(ell, z), sigmoid(z) * (1 - sigmoid(z)))
        + chain(slope(lambda t: log(1 - sigmoid(t)), z), -sigmoid(z))
    )


@case("tanh-quotient.md")
def _(r):
    x = r.normal()
    plus, minus = exp(x) + exp(-x), exp(x) - exp(-x)
    return chain(
        slope(lambda t: (exp(t) - exp(-t)) / (exp(t) + exp(-t)), x),
        (plus * plus - minus * minus) / plus**2,
        1 - (minus / plus) ** 2,
        1 - np.tanh(x) ** 2,
    ) + chain(slope(np.tanh, x), 4 / plus**2)


@case("tanh-and-sigma.md")
def _(r):
    x = r.normal()
    return chain(
        2 * sigmoid(2 * x) - 1,
        2 / (1 + exp(-2 * x)) - 1,
        (1 - exp(-2 * x)) / (1 + exp(-2 * x)),
        (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
        np.tanh(x),
    ) + chain(sigmoid(x), 0.5 * (1 + np.tanh(x / 2)))


@case("tanh-by-chain.md")
def _(r):
    t = r.normal()
    s = sigmoid(2 * t)
    return (
        chain(slope(sigmoid, t), sigmoid(t) * (1 - sigmoid(t)))
        + chain(np.tanh(t), 2 * sigmoid(2 * t) - 1)
        + chain(slope(np.tanh, t), 2 * slope(sigmoid, 2 * t), 2 * sigmoid(2 * t) * (1 - sigmoid(2 * t)))
        + chain(np.tanh(t), 2 * s - 1)
        + chain(1 - np.tanh(t) ** 2, 4 * s - 4 * s**2)
    )


@case("softplus-slope.md")
def _(r):
    x = r.normal() + 3
    return chain(slope(lambda t: log(1 + exp(t)), x), exp(x) / (1 + exp(x)), 1 / (1 + exp(x)), sigmoid(-x))


@case("softplus-losses.md")
def _(r):
    x, y = r.normal() + 3, float(r.integers(2))

    def softplus(x):
        return log(1 + exp(x))

    return (
        chain(softplus(x) - softplus(-x), log((1 + exp(x)) / (1 + exp(-x))), log(exp(x)), x)
        + chain(-log(sigmoid(x)), log(1 + exp(-x)), softplus(-x))
        + chain(-log(1 - sigmoid(x)), softplus(-x))
        + chain(-y * log(sigmoid(x)) - (1 - y) * log(1 - sigmoid(x)), softplus(x) - y * x)
    )


# ------------------------------------------------------------------------------------------- cross-entropy and softmax


@case("ce-by-log.md")
def _(r):
    n, k = 5, int(r.integers(5))
    theta, y = r.normal(size=n), onehot(n, k)

    def loss(theta):
        return -sum(y * log(softmax(theta)))

    return (
        chain(loss(theta), -log(softmax(theta)[k]), -theta[k] + log(sum(exp(theta))))
        + chain(
            jac(loss, theta),
            table(lambda i: -eq(i, k) + exp(theta[i]) / sum(exp(theta)), n),
            softmax(theta) - y,
        )
        + chain(jac(loss, theta), softmax(theta) - y)
    )


@case("ce-by-kronecker.md")
def _(r):
    n = 4
    x, t = r.normal(size=n), r.dirichlet(np.ones(n))
    p, dp = softmax(x), jac(softmax, x)
    return chain(dp.ravel(), table(lambda i, j: p[i] * (eq(i, j) - p[j]), n, n)) + chain(
        jac(lambda x: -sum(t * log(softmax(x))), x),
        table(lambda j: -sum(t[i] / p[i] * dp[i, j] for i in range(n)), n),
        table(lambda j: -sum(t[i] * (eq(i, j) - p[j]) for i in range(n)), n),
        -t + p * sum(t),
        p - t,
    )


@case("ce-by-cases.md")
def _(r):
    n = 5
    z, y = r.normal(size=n), onehot(n, int(r.integers(n)))
    p, dp = softmax(z), jac(softmax, z)
    off = [(i, j) for i, j in pairs(n) if i != j]
    return (
        chain(np.diag(dp), p * (1 - p))
        + chain([dp[i, j] for i, j in off], [p[i] * p[j] for i, j in off])
        + chain(
            jac(lambda z: -sum(y * log(softmax(z))), z),
            table(lambda j: -sum(y[i] / p[i] * dp[i, j] for i in range(n)), n),
            table(lambda j: -y[j] * (1 - p[j]) + sum(y[i] * p[j] for i in range(n) if i != j), n),
            p - y,
        )
    )


@case("ce-by-matrices.md")
def _(r):
    n = 4
    z, y = r.normal(size=n), r.dirichlet(np.ones(n))
    s, ds = softmax(z), jac(softmax, z)

    def e(s):
        return -y @ log(s)

    matrix = np.diag(s) - np.outer(s, s)
    return (
        chain(ds, matrix)
        + chain(jac(e, s), -y / s)
        + chain(jac(lambda z: e(softmax(z)), z), ds.T @ jac(e, s), -matrix @ (y / s), -y + s * (np.ones(n) @ y), s - y)
    )


@case("ce-unnormalised.md")
def _(r):
    n = 4
    a, t = r.normal(size=n), r.uniform(1, 5, size=n)
    total, p = sum(t), softmax(a)

    def ell(a):
        return -sum(t * log(softmax(a)))

    return (
        chain(log(p), a - log(sum(exp(a))))
        + chain(ell(a), total * log(sum(exp(a))) - sum(t * a))
        + chain(jac(ell, a), total * exp(a) / sum(exp(a)) - t, total * p - t)
        + chain(jac(ell, a), p - t)
    )


@case("jacobian-quotient.md")
def _(r):
    n = 4
    a = r.normal(size=n)
    big = sum(exp(a))
    s = exp(a) / big
    ds = jac(lambda a: exp(a) / sum(exp(a)), a)
    return (
        chain(jac(lambda a: sum(exp(a)), a), exp(a))
        + chain(
            ds.ravel(),
            table(lambda i, j: (eq(i, j) * exp(a[i]) * big - exp(a[i]) * exp(a[j])) / big**2, n, n),
            table(lambda i, j: exp(a[i]) / big * (eq(i, j) - exp(a[j]) / big), n, n),
            table(lambda i, j: s[i] * (eq(i, j) - s[j]), n, n),
        )
        + chain(table(lambda i, j: s[i] * (eq(i, j) - s[j]), n, n), table(lambda i, j: s[j] * (eq(i, j) - s[i]), n, n))
        + chain(ds.ravel(), table(lambda i, j: s[i] * (1 - s[i]) if i == j else -s[i] * s[j], n, n))
    )


@case("jacobian-log-trick.md")
def _(r):
    n = 4
    theta = r.normal(size=n)
    y = softmax(theta)
    dlog = jac(lambda t: log(softmax(t)), theta)
    return chain(
        dlog.ravel(),
        table(lambda j, i: eq(i, j) - exp(theta[i]) / sum(exp(theta)), n, n),
        table(lambda j, i: eq(i, j) - y[i], n, n),
    ) + chain(
        jac(softmax, theta).ravel(),
        table(lambda j, i: y[j] * dlog[j, i], n, n),
        table(lambda j, i: y[j] * (eq(i, j) - y[i]), n, n),
        table(lambda j, i: y[i] * (eq(i, j) - y[i]), n, n),
    )


@case("jacobian-sums.md")
def _(r):
    n = 5
    z = r.normal(size=n)
    p, dp = softmax(z), jac(softmax, z)
    return chain(
        dp.sum(axis=1),
        table(lambda i: sum(p[i] * (eq(i, j) - p[j]) for j in range(n)), n),
        p - p * sum(p),
        np.zeros(n),
    ) + chain(sum(dp[i, i] for i in range(n)), sum(p * (1 - p)), n - sum(p**2))


# ------------------------------------------------------------------------------------------------------------ networks


@case("net-rows.md")
def _(r):
    d, m, k = 3, 5, 4
    x, w1, b1 = r.normal(size=(1, d)), r.normal(size=(d, m)), r.normal(size=(1, m))
    w2, b2, y = r.normal(size=(m, k)), r.normal(size=(1, k)), onehot(k, int(r.integers(k)))[None]

    def top(z2):
        return -np.sum(y * log(softmax(z2)))

    def middle(h):
        return top(h @ w2 + b2)

    def low(z1):
        return middle(sigmoid(z1))

    z1 = x @ w1 + b1
    h = sigmoid(z1)
    z2 = h @ w2 + b2
    d1, d2, d3 = jac(top, z2), jac(middle, h), jac(low, z1)
    slopes = slope(lambda e: sigmoid(z1 + e), 0.0)
    return (
        chain(d1, softmax(z2) - y)
        + chain(d2, d1 @ w2.T)
        + chain(d3, d2 * slopes)
        + chain(jac(lambda x: low(x @ w1 + b1), x), d3 @ w1.T)
    )


@case("net-rows-all.md")
def _(r):
    d, k = 4, 3
    x, u, b = r.normal(size=(1, d)), r.normal(size=(d, d)), r.normal(size=(1, d))
    v, c, t = r.normal(size=(d, k)), r.normal(size=(1, k)), onehot(k, int(r.integers(k)))[None]

    def top(o):
        return -np.sum(t * log(softmax(o)))

    def low(a):
        return top(sigmoid(a) @ v + c)

    a = x @ u + b
    h = sigmoid(a)
    o = h @ v + c
    p = softmax(o)
    da = jac(low, a)
    return (
        chain(jac(top, o), p - t)
        + chain(jac(lambda v: top(h @ v + c), v), h.T @ (p - t))
        + chain(jac(lambda h: top(h @ v + c), h), (p - t) @ v.T)
        + chain(da, ((p - t) @ v.T) * h * (1 - h))
        + chain(jac(lambda u: low(x @ u + b), u), x.T @ da)
        + chain(jac(lambda x: low(x @ u + b), x), da @ u)
    )


@case("net-columns.md")
def _(r):
    n, m, k = 3, 5, 4
    x, w, b = r.normal(size=(n, 1)), r.normal(size=(m, n)), r.normal(size=(m, 1))
    u, d, y = r.normal(size=(k, m)), r.normal(size=(k, 1)), onehot(k, int(r.integers(k)))[:, None]

    def top(theta):
        return -np.sum(y.T @ log(softmax(theta.T).T))

    def low(z):
        return top(u @ sigmoid(z) + d)

    z = w @ x + b
    h = sigmoid(z)
    theta = u @ h + d
    p = softmax(theta.T).T
    delta = (u.T @ (p - y)) * h * (1 - h)
    return (
        chain(jac(top, theta), p - y)
        + chain(jac(lambda u: top(u @ h + d), u), (p - y) @ h.T)
        + chain(jac(lambda d: top(u @ h + d), d), p - y)
        + chain(jac(lambda h: top(u @ h + d), h), u.T @ (p - y))
        + chain(jac(low, z), delta)
        + chain(jac(lambda w: low(w @ x + b), w), delta @ x.T)
        + chain(jac(lambda b: low(w @ x + b), b), delta)
        + chain(jac(lambda x: low(w @ x + b), x), w.T @ delta)
    )


@case("net-columns-short.md")
def _(r):
    n, m, k = 3, 5, 4
    x, w1, w2 = r.normal(size=(n, 1)), r.normal(size=(m, n)), r.normal(size=(k, m))
    y = onehot(k, int(r.integers(k)))[:, None]

    def top(o):
        return -np.sum(y * log(softmax(o.T).T))

    def low(z):
        return top(w2 @ sigmoid(z))

    z = w1 @ x
    h = sigmoid(z)
    o = w2 @ h
    p = softmax(o.T).T
    dz = jac(low, z)
    return (
        chain(jac(top, o), p - y)
        + chain(jac(lambda w: top(w @ h), w2), (p - y) @ h.T)
        + chain(jac(lambda h: top(w2 @ h), h), w2.T @ (p - y))
        + chain(dz, w2.T @ (p - y))
        + chain(jac(lambda w: low(w @ x), w1), dz @ x.T)
        + chain(jac(lambda x: low(w1 @ x), x), w1.T @ dz)
    )


@case("net-components.md")
def _(r):
    ni, nj, nk = 3, 5, 4
    x, w, v, t = r.normal(size=ni), r.normal(size=(nj, ni)), r.normal(size=(nk, nj)), r.dirichlet(np.ones(nk))

    def e_of_z(z):
        return -sum(t * log(softmax(z)))

    def e_of_h(h):
        return e_of_z(v @ h)

    h = sigmoid(w @ x)
    z = v @ h
    p = softmax(z)
    dz = jac(e_of_z, z)
    dh = jac(e_of_h, h)
    # dz_k / dv_kj, read off from the Jacobian of z with respect to v
    dzdv = jac(lambda v: v @ h, v)
    return (
        chain(dz, p - t)
        + chain(
            jac(lambda v: e_of_z(v @ h), v).ravel(),
            table(lambda k, j: dz[k] * dzdv[k, k, j], nk, nj),
            table(lambda k, j: (p[k] - t[k]) * h[j], nk, nj),
        )
        + chain(dh, table(lambda j: sum((p[k] - t[k]) * v[k, j] for k in range(nk)), nj))
        + chain(
            jac(lambda w: e_of_h(sigmoid(w @ x)), w).ravel(),
            table(lambda j, i: dh[j] * h[j] * (1 - h[j]) * x[i], nj, ni),
            table(lambda j, i: x[i] * h[j] * (1 - h[j]) * sum((p[k] - t[k]) * v[k, j] for k in range(nk)), nj, ni),
        )
    )


@case("net-tanh.md")
def _(r):
    n, nk = 4, 3
    x, w, v, t = r.normal(size=n), r.normal(size=(n, n)), r.normal(size=(nk, n)), r.normal(size=nk)

    def e_of_o(o):
        return 0.5 * sum((o - t) ** 2)

    def e_of_a(a):
        return e_of_o(v @ np.tanh(a))

    a = w @ x
    h = np.tanh(a)
    o = v @ h
    da = jac(e_of_a, a)
    return (
        chain(jac(e_of_o, o), o - t)
        + chain(jac(lambda v: e_of_o(v @ h), v).ravel(), table(lambda k, j: (o[k] - t[k]) * h[j], nk, n))
        + chain(da, table(lambda j: (1 - h[j] ** 2) * sum((o[k] - t[k]) * v[k, j] for k in range(nk)), n))
        + chain(jac(lambda w: e_of_a(w @ x), w).ravel(), table(lambda j, i: da[j] * x[j], n, n))
    )


# ------------------------------------------------------------------------------------------------------- word vectors


@case("skipgram-centre.md")
def _(r):
    words, d, o = 6, 4, int(r.integers(6))
    rows, v = r.normal(size=(words, d)), r.normal(size=d)  # rows[w] = u_w

    def prob(v):
        return softmax(table(lambda w: rows[w] @ v, words))

    def loss(v):
        return -log(prob(v)[o])

    y, big = onehot(words, o), rows.T
    scores = [exp(rows[w] @ v) for w in range(words)]
    return (
        chain(loss(v), -rows[o] @ v + log(sum(scores)))
        + chain(
            jac(loss, v),
            -rows[o] + sum(scores[w] * rows[w] for w in range(words)) / sum(scores),
            -rows[o] + sum(prob(v)[w] * rows[w] for w in range(words)),
        )
        + chain(jac(loss, v), big @ (prob(v) - y))
    )


@case("skipgram-centre-short.md")
def _(r):
    words, d, o = 5, 3, int(r.integers(5))
    u, v = r.normal(size=(words, d)), r.normal(size=d)

    def logp(v):
        return log(exp(u[o] @ v) / sum(exp(u[w] @ v) for w in range(words)))

    right = u[o] - sum(exp(u[w] @ v) * u[w] for w in range(words)) / sum(exp(u[w] @ v) for w in range(words))
    return (
        chain(logp(v), u[o] @ v - log(sum(exp(u[w] @ v) for w in range(words))))
        + chain(jac(logp, v), right)
        + chain(jac(lambda v: -logp(v), v), right)
    )


@case("skipgram-outside.md")
def _(r):
    words, d, o = 6, 4, int(r.integers(6))
    u, v, y = r.normal(size=(d, words)), r.normal(size=d), onehot(6, o)

    def loss(u):
        return -sum(y * log(softmax(u.T @ v)))

    z = u.T @ v
    p = softmax(z)
    dz = jac(lambda z: -sum(y * log(softmax(z))), z)
    du = jac(loss, u)
    others = [w for w in range(words) if w != o]
    return (
        chain(dz, p - y)
        + chain(
            [du[:, w] for w in range(words)],
            [dz[w] * v for w in range(words)],
            [(p[w] - y[w]) * v for w in range(words)],
        )
        + chain(du[:, o], (p[o] - 1) * v)
        + chain([du[:, w] for w in others], [p[w] * v for w in others])
        + chain(du, np.outer(v, p - y))
    )


@case("skipgram-rows.md")
def _(r):
    words, d = 6, 4
    u, v, y = r.normal(size=(words, d)), r.normal(size=(d, 1)), onehot(6, int(r.integers(6)))[:, None]

    def loss(z):
        return -np.sum(y * log(softmax(z.T).T))

    z = u @ v
    p = softmax(z.T).T
    return (
        chain(jac(loss, z), p - y)
        + chain(jac(lambda v: loss(u @ v), v), u.T @ (p - y))
        + chain(jac(lambda u: loss(u @ v), u), v @ (p - y).T)
    )


@case("negsampling-centre.md")
def _(r):
    d, big = 4, 5
    uo, u, v, x = r.normal(size=d), r.normal(size=(big, d)), r.normal(size=d), r.normal()

    def loss(v):
        return -log(sigmoid(uo @ v)) - sum(log(sigmoid(-u[k] @ v)) for k in range(big))

    return chain(slope(lambda t: log(sigmoid(t)), x), 1 - sigmoid(x)) + chain(
        jac(loss, v),
        -(1 - sigmoid(uo @ v)) * uo + sum((1 - sigmoid(-u[k] @ v)) * u[k] for k in range(big)),
        (sigmoid(uo @ v) - 1) * uo - sum((sigmoid(-u[k] @ v) - 1) * u[k] for k in range(big)),
        (sigmoid(uo @ v) - 1) * uo + sum(sigmoid(u[k] @ v) * u[k] for k in range(big)),
    )


@case("negsampling-hidden.md")
def _(r):
    d, big = 4, 3
    a, b, h = r.normal(size=d), r.normal(size=(big, d)), r.normal(size=d)

    def loss(a, h):
        return -log(sigmoid(a @ h)) - sum(log(sigmoid(-b[i] @ h)) for i in range(big))

    rest = sum(log(sigmoid(-b[i] @ h)) for i in range(big))
    return (
        chain(slope(lambda s: -log(sigmoid(s)) - rest, a @ h), sigmoid(a @ h) - 1)
        + chain(
            jac(lambda h: loss(a, h), h),
            (sigmoid(a @ h) - 1) * a - sum(sigmoid(b[i] @ h) * b[i] for i in range(big)),
        )
        + chain(jac(lambda a: loss(a, h), a), (sigmoid(a @ h) - 1) * h)
    )


@case("negsampling-outside.md")
def _(r):
    d, big = 3, 4
    uo, u, v = r.normal(size=d), r.normal(size=(big, d)), r.normal(size=d)

    def loss(uo, u):
        return -log(sigmoid(uo @ v)) - sum(log(sigmoid(-u[k] @ v)) for k in range(big))

    return chain(jac(lambda t: loss(t, u), uo), (sigmoid(uo @ v) - 1) * v) + chain(
        jac(lambda t: loss(uo, t), u),
        np.array([-(sigmoid(-u[k] @ v) - 1) * v for k in range(big)]),
        np.array([sigmoid(u[k] @ v) * v for k in range(big)]),
    )


@case("cbow-mean.md")
def _(r):
    m, d, words = 2, 3, 5
    v, u, y = r.normal(size=(2 * m, d)), r.normal(size=(words, d)), onehot(words, int(r.integers(words)))

    def of_z(z):
        return -sum(y * log(softmax(z)))

    def of_mean(mean):
        return of_z(table(lambda w: u[w] @ mean, words))

    mean = sum(v) / (2 * m)
    z = u @ mean
    p, dz, dmean = softmax(z), jac(of_z, z), jac(of_mean, mean)
    return chain(
        dmean, sum(dz[w] * u[w] for w in range(words)), sum((p[w] - y[w]) * u[w] for w in range(words))
    ) + chain(
        jac(lambda v: of_mean(sum(v) / (2 * m)), v),
        np.array([dmean / (2 * m)] * (2 * m)),
        np.array([sum((p[w] - y[w]) * u[w] for w in range(words)) / (2 * m)] * (2 * m)),
    )


@case("cbow-average.md")
def _(r):
    big, d, words = 4, 3, 5
    t, x, rows = int(r.integers(words)), r.normal(size=(big, d)), r.normal(size=(words, d))

    def of_s(s):
        return -log(softmax(s)[t])

    def of_h(h):
        return of_s(rows @ h)

    h = sum(x) / big
    s = rows @ h
    p, dh = softmax(s), jac(of_h, h)
    last = sum(p[w] * rows[w] for w in range(words)) - rows[t]
    return (
        chain(jac(of_s, s), table(lambda w: p[w] - eq(w, t), words))
        + chain(dh, sum((p[w] - eq(w, t)) * rows[w] for w in range(words)), last)
        + chain(jac(lambda x: of_h(sum(x) / big), x), np.array([dh] * big))
        + chain(dh, last)
    )


# --------------------------------------------------------------------------------------------------------- regression


@case("softmax-regression.md")
def _(r):
    n, d, k, lam = 5, 3, 4, 0.7
    x, w, y = r.normal(size=(n, d)), r.normal(size=(d, k)), np.eye(k)[r.integers(k, size=n)]

    def loss(w):
        return -np.sum(y * log(softmax(x @ w))) + lam / 2 * np.sum(w**2)

    p, dw = softmax(x @ w), jac(loss, w)
    return chain(
        dw.ravel(), table(lambda j, c: sum(x[i, j] * (p[i, c] - y[i, c]) for i in range(n)) + lam * w[j, c], d, k)
    ) + chain(dw, x.T @ (p - y) + lam * w)


@case("softmax-regression-mean.md")
def _(r):
    m, d, big, lam = 5, 3, 4, 0.9
    x, theta, t = r.normal(size=(m, d)), r.normal(size=(big, d)), np.eye(big)[r.integers(big, size=m)]

    def prob(theta):
        return np.array([softmax(theta @ x[i]) for i in range(m)])

    def loss(theta):
        return -np.sum(t * log(prob(theta))) / m + lam / 2 * sum(theta[k] @ theta[k] for k in range(big))

    p = prob(theta)
    return chain(
        jac(loss, theta),
        np.array([sum((p[i, k] - t[i, k]) * x[i] for i in range(m)) / m + lam / 2 * theta[k] for k in range(big)]),
    )


@case("logreg-many.md")
def _(r):
    m, d = 5, 3
    x, theta, y = r.normal(size=(m, d)), r.normal(size=d), r.integers(2, size=m).astype(float)

    def ell(theta):
        h = sigmoid(x @ theta)
        return sum(y * log(h) + (1 - y) * log(1 - h))

    h, dh = sigmoid(x @ theta), jac(lambda t: sigmoid(x @ t), theta)
    first = y / h - (1 - y) / (1 - h)
    return chain(
        jac(ell, theta),
        table(lambda j: sum(first * dh[:, j]), d),
        table(lambda j: sum(first * h * (1 - h) * x[:, j]), d),
        table(lambda j: sum((y * (1 - h) - (1 - y) * h) * x[:, j]), d),
        table(lambda j: sum((y - h) * x[:, j]), d),
    )


@case("logreg-single.md")
def _(r):
    d = 3
    w, x, b, y = r.normal(size=d), r.normal(size=d), r.normal(), float(r.integers(2))

    def loss(p):
        return -y * log(p) - (1 - y) * log(1 - p)

    z = w @ x + b
    p = sigmoid(z)
    dp, dpdz = slope(loss, p, 1e-6), slope(sigmoid, z)
    return (
        chain(dp, -y / p + (1 - y) / (1 - p), (p - y) / (p * (1 - p)))
        + chain(dpdz, p * (1 - p))
        + chain(slope(lambda z: loss(sigmoid(z)), z), dp * dpdz, p - y)
        + chain(jac(lambda w: loss(sigmoid(w @ x + b)), w), (p - y) * w)
        + chain(slope(lambda b: loss(sigmoid(w @ x + b)), b), p - y)
    )


@case("logreg-hessian.md")
def _(r):
    n, d = 5, 3
    x, w, y = r.normal(size=(n, d)), r.normal(size=d), r.integers(2, size=n).astype(float)

    def loss(w):
        p = sigmoid(x @ w)
        return -sum(y * log(p) + (1 - y) * log(1 - p))

    p, h = sigmoid(x @ w), hess(loss, w)
    return (
        chain(jac(loss, w), x.T @ (p - y), sum((p[i] - y[i]) * x[i] for i in range(n)))
        + chain(h.ravel(), table(lambda j, k: sum(p * (1 - p) * x[:, j] * x[:, k]), d, d))
        + chain(h, x.T @ np.diag(p * (1 - p)) @ x)
    )


@case("logreg-signs.md")
def _(r):
    n, d = 5, 3
    x, w, y = r.normal(size=(n, d)), r.normal(size=d), r.choice([-1.0, 1.0], size=n)

    def loss(w):
        return sum(log(1 + exp(-y[i] * (w @ x[i]))) for i in range(n))

    return (
        chain(
            jac(loss, w),
            -sum(y[i] * x[i] / (1 + exp(y[i] * (w @ x[i]))) for i in range(n)),
            -sum(sigmoid(-y[i] * (w @ x[i])) * y[i] * x[i] for i in range(n)),
        )
        + chain(y**2, np.ones(n))
        + chain(
            hess(loss, w).ravel(),
            table(lambda j, k: sum(sigmoid(y[i] * (w @ x[i])) * x[i, j] * x[i, k] for i in range(n)), d, d),
        )
    )


@case("least-squares.md")
def _(r):
    n, d = 5, 3
    x, w, y = r.normal(size=(n, d)), r.normal(size=d), r.normal(size=n)

    def e(w):
        return np.linalg.norm(x @ w - y) ** 2

    return (
        chain(e(w), (x @ w - y).T @ (x @ w - y), w.T @ x.T @ x @ w - 2 * y.T @ x @ w + y.T @ y)
        + chain(w.T @ x.T @ y, y.T @ x @ w)
        + chain(jac(e, w), 2 * x.T @ x @ w - 2 * x.T @ y, 2 * x.T @ (x @ w - y))
        + chain(
            jac(e, w),
            table(lambda j: 2 * sum(x[i, j] * (sum(x[i, k] * w[k] for k in range(d)) - y[i]) for i in range(n)), d),
        )
    )


@case("ridge.md")
def _(r):
    n, d, lam = 5, 3, 0.6
    x, w, y = r.normal(size=(n, d)), r.normal(size=d), r.normal(size=n)

    def loss(w):
        return 0.5 * np.linalg.norm(y - x @ w) ** 2 + lam / 2 * np.linalg.norm(w) ** 2

    return chain(jac(loss, w), -x.T @ (y - x @ w) + lam * w, lambda: -x.T @ y + x @ x.T @ w + lam * w) + chain(
        hess(loss, w), x.T @ x + lam * np.eye(d)
    )


# ----------------------------------------------------------------------------------------------- neighbouring subjects


@case("lse.md")
def _(r):
    n = 4
    x, c = r.normal(size=n), r.normal()

    def lse(x):
        return log(sum(exp(x)))

    return (
        chain(lse(x + c), log(sum(exp(x + c))), log(exp(c) * sum(exp(x))), c + lse(x))
        + chain(jac(lse, x), jac(lambda t: sum(exp(t)), x) / sum(exp(x)), exp(x) / sum(exp(x)), softmax(x))
        + chain(sum(softmax(x)), 1.0)
    )


@case("lse-curvature.md")
def _(r):
    n = 4
    x, v = r.normal(size=n), r.normal(size=n)

    def f(x):
        return log(sum(exp(x)))

    p, h = exp(x) / sum(exp(x)), hess(f, x)
    return (
        chain(jac(f, x), p)
        + chain(
            h.ravel(),
            jac(lambda x: exp(x) / sum(exp(x)), x).ravel(),
            table(lambda i, j: p[i] * eq(i, j) - p[i] * p[j], n, n),
        )
        + chain(sum(v[i] * v[j] * h[i, j] for i, j in pairs(n)), sum(p * v**2) - sum(p**2 * v**2))
    )


@case("temperature.md")
def _(r):
    n = 4
    z, t = r.normal(size=n), r.uniform(0.5, 2)

    def lnz(z, t):
        return log(sum(exp(z / t)))

    def prob(z, t):
        return exp(z / t) / sum(exp(z / t))

    p, mean, dt = prob(z, t), sum(prob(z, t) * z), slope(lambda t: lnz(z, t), t)
    return (
        chain(jac(lambda z: lnz(z, t), z), p / t)
        + chain(jac(lambda z: prob(z, t), z).ravel(), table(lambda i, j: p[i] * (eq(i, j) - p[j]) / t, n, n))
        + chain(dt, -1 / t**2 * sum(p * z))
        + chain(slope(lambda t: prob(z, t), t), -z / t**2 * p - p * dt, p / t**2 * (mean - z))
    )


@case("temperature-loss.md")
def _(r):
    n = 5
    z, tau, y = r.normal(size=n), r.uniform(1.5, 3), r.dirichlet(np.ones(n))

    def loss(u):
        return -sum(y * log(softmax(u)))

    u = z / tau
    q, du = softmax(u), jac(loss, u)
    dudz = np.diag(jac(lambda z: z / tau, z))
    return chain(du, q - y) + chain(jac(lambda z: loss(z / tau), z), du * dudz, q - y)


@case("kl.md")
def _(r):
    n = 5
    p, theta = r.dirichlet(np.ones(n)), r.normal(size=n)

    def kl(q):
        return sum(p * log(p / q))

    def cross(q):
        return -sum(p * log(q))

    q, entropy = r.dirichlet(np.ones(n)), -sum(p * log(p))
    return chain(kl(q), sum(p * log(p)) - sum(p * log(q)), cross(q) - entropy) + chain(
        jac(lambda t: kl(softmax(t)), theta), jac(lambda t: cross(softmax(t)), theta), softmax(theta) - p
    )


@case("entropy-slope.md")
def _(r):
    n = 4
    z = r.normal(size=n)

    def entropy(p):
        return -sum(p * log(p))

    p, dp = softmax(z), jac(softmax, z)
    dh = jac(entropy, p, 1e-6)
    return chain(dh, -log(p) - 1) + chain(
        jac(lambda z: entropy(softmax(z)), z),
        table(lambda j: sum(dh[i] * dp[i, j] for i in range(n)), n),
        table(lambda j: -sum((log(p[i]) + 1) * p[i] * (eq(i, j) - p[j]) for i in range(n)), n),
        -p * (log(p) + 1),
    )


@case("quadratic.md")
def _(r):
    n = 4
    a, b, x = r.normal(size=(n, n)), r.normal(size=n), r.normal(size=n)
    a = a + a.T

    def f(x):
        return 0.5 * x @ a @ x - b @ x

    return (
        chain(f(x), 0.5 * sum(a[i, j] * x[i] * x[j] for i, j in pairs(n)) - sum(b * x))
        + chain(
            jac(f, x),
            table(
                lambda k: (
                    0.5 * sum(a[k, j] * x[j] for j in range(n)) + 0.5 * sum(a[i, k] * x[i] for i in range(n)) - b[k]
                ),
                n,
            ),
            table(lambda k: sum(a[k, j] * x[j] for j in range(n)) - b[k], n),
        )
        + chain(jac(f, x), 0.5 * (a + a.T) @ x - b, a @ x - b)
    )


@case("quadratic-general.md")
def _(r):
    n = 4
    a, x = r.normal(size=(n, n)), r.normal(size=n)

    def q(x):
        return x @ a @ x

    return (
        chain(q(x), sum(a[i, j] * x[i] * x[j] for i, j in pairs(n)))
        + chain(
            jac(q, x),
            table(lambda k: sum(a[k, j] * x[j] for j in range(n)) + sum(a[i, k] * x[i] for i in range(n)), n),
            table(lambda k: (a @ x)[k] + (a.T @ x)[k], n),
        )
        + chain(jac(q, x), 2 * a @ x)
        + chain(hess(q, x), a + a.T)
    )


@case("geometric.md")
def _(r):
    rr, n = r.uniform(0.2, 1.8), int(r.integers(3, 8))
    s = sum(rr**k for k in range(n + 1))
    return chain(
        rr * s, sum(rr ** (k + 1) for k in range(n + 1)), sum(rr**k for k in range(1, n + 2)), s - 1 + rr ** (n + 1)
    ) + chain(s, (1 - rr ** (n + 1)) / (1 - rr))


@case("geometric-weighted.md")
def _(r):
    q, n = r.uniform(0.2, 0.8), int(r.integers(3, 8))
    return chain(sum(q**k for k in range(n + 1)), (1 - q ** (n + 1)) / (1 - q)) + chain(
        sum(k * q ** (k - 1) for k in range(1, n + 1)),
        slope(lambda q: (1 - q ** (n + 1)) / (1 - q), q),
        (-(n + 1) * q**n * (1 - q) + (1 - q ** (n + 1))) / (1 - q) ** 2,
        (1 - (n + 1) * q**n) / (1 - q) ** 2,
    )


@case("bayes.md")
def _(r):
    p1, p2, f1, f2 = r.uniform(0.1, 2, size=4)
    post, a = p1 * f1 / (p1 * f1 + p2 * f2), log(p1 * f1 / (p2 * f2))
    return (
        chain(a, log(f1 / f2) + log(p1 / p2))
        + chain(post, 1 / (1 + p2 * f2 / (p1 * f1)), 1 / (1 + exp(-a)), sigmoid(a))
        + chain(log(post / (1 - post)), a)
    )


@case("bayes-gauss.md")
def _(r):
    m1, m0, x = r.normal(size=3)
    s = r.uniform(0.5, 2)

    def f(x, m):
        return 1 / (s * np.sqrt(2 * np.pi)) * exp(-((x - m) ** 2) / (2 * s**2))

    def ratio(x):
        return log(f(x, m1) / f(x, m0))

    return chain(
        ratio(x),
        ((x - m0) ** 2 - (x - m1) ** 2) / (2 * s**2),
        (m1 - m0) / (2 * s**2) * x + (m0**2 - m1**2) / (2 * s**2),
    ) + chain(slope(ratio, x), (m1 - m0) / s**2)


@case("swish.md")
def _(r):
    x = r.normal()

    def f(x):
        return x * sigmoid(x)

    return chain(
        slope(f, x),
        sigmoid(x) + x * slope(sigmoid, x),
        sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)),
        f(x) + sigmoid(x) * (1 - f(x)),
    ) + chain(slope(f, 0.0), 1 / 2)


@case("bell.md")
def _(r):
    x, mu = r.normal(size=2)
    s = r.uniform(0.8, 2)

    def phi(x, mu, s):
        return exp(-((x - mu) ** 2) / (2 * s**2))

    v, dx = phi(x, mu, s), slope(lambda t: phi(t, mu, s), x)
    return (
        chain(dx, -(x - mu) / s**2 * v)
        + chain(slope(lambda t: phi(x, t, s), mu), (x - mu) / s**2 * v, -dx)
        + chain(slope(lambda t: phi(x, mu, t), s), (x - mu) ** 2 / (2 * s**3) * v)
    )


@case("ableitung.md")
def _(r):
    n = 4
    z, t = r.normal(size=n), r.dirichlet(np.ones(n))
    f, dlog = softmax(z), jac(lambda z: log(softmax(z)), z)
    return (
        chain(log(exp(z) / sum(exp(z))), z - log(sum(exp(z))))
        + chain(dlog.ravel(), table(lambda i, j: eq(i, j) - f[j], n, n))
        + chain(
            jac(lambda z: -sum(t * log(softmax(z))), z),
            table(lambda j: -sum(t[i] * dlog[i, j] for i in range(n)), n),
            table(lambda j: -sum(t[i] * (eq(i, j) - f[j]) for i in range(n)), n),
            f - t,
        )
    )


@case("label-smoothing.md")
def _(r):
    big, eps = 4, r.uniform(0.05, 0.3)
    y, z = onehot(big, int(r.integers(big))), r.normal(size=big)
    t, p = (1 - eps) * y + eps / big, softmax(z)
    return chain(sum(t), (1 - eps) + eps, 1.0) + chain(
        jac(lambda z: -sum(t * log(softmax(z))), z), p - t, p - (1 - eps) * y + eps / big
    )


def agree(left: Any, right: Any) -> bool:
    """Whether the two sides have one shape and one value (a side that cannot be formed agrees with nothing)."""
    values = []
    for side in (left, right):
        try:
            values.append(np.asarray(side() if callable(side) else side, float))
        except ValueError:
            return False
    a, b = values
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE))


def main() -> None:
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    assert set(expected) == set(CASES) == {path.name for path in HERE.glob("*.md")}, "files and cases differ"
    counts = {"holds": 0, "fails": 0, "definition": 0}
    wrong = []
    for number, (name, truth) in enumerate(expected.items()):
        lines = (HERE / name).read_text(encoding="utf-8").splitlines()
        for step in truth["steps"]:
            counts[step["verdict"]] += 1
            assert "=" in lines[step["line"] - 1], (name, step)
        judged = [step for step in truth["steps"] if step["verdict"] != "definition"]
        failing = [step for step in judged if step["verdict"] == "fails"]
        planted = truth["planted"]
        assert len(failing) == (0 if planted is None else 1), name
        assert planted is None or planted["line"] == failing[0]["line"], name
        for point in range(POINTS):
            found = CASES[name](np.random.default_rng([number, point]))
            assert len(found) == len(judged), (name, len(found), len(judged))
            for step, (left, right) in zip(judged, found, strict=True):
                if agree(left, right) != (step["verdict"] == "holds"):
                    wrong.append(f"{name}:{step['line']}: {step['left']} = {step['right']} is not {step['verdict']!r}")
    for message in sorted(set(wrong)):
        print(message)
    if wrong:
        raise SystemExit(1)
    planted = sum(truth["planted"] is not None for truth in expected.values())
    print(f"{len(expected)} derivations, {planted} with a planted error; every step confirmed: {counts}")


if __name__ == "__main__":
    main()
