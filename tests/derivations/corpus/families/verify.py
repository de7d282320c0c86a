"""Check the truth of ``expected.json`` numerically, without reading any LaTeX.

Every function below is named after one derivation and returns the values of its chains at one random
point: a chain of n values stands for n - 1 steps that are no definitions, in document order. Derivatives
are central differences. A step whose two values agree at every point must be expected to hold, every
other step to fail. Run ``python heldout/verify.py``.
"""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy import diag, exp, eye, log, ones, outer, sqrt, tanh

HERE = Path(__file__).resolve().parent
POINTS = 5
rng = np.random.default_rng(0)


def n(*shape):
    """Return standard normal numbers: a float without a shape."""
    return rng.normal(size=shape) if shape else float(rng.normal())


def pos(*shape):
    """Return positive numbers between 0.3 and 2."""
    return rng.uniform(0.3, 2.0, size=shape) if shape else float(rng.uniform(0.3, 2.0))


def pick(size):
    """Return a random index below size."""
    return int(rng.integers(size))


def onehot(index, size):
    """Return the unit vector of an index."""
    return np.eye(size)[index]


def probs(*shape):
    """Return positive numbers whose last axis sums to one."""
    raw = rng.uniform(0.2, 1.0, size=shape)
    return raw / raw.sum(axis=-1, keepdims=True)


def softmax(z):
    """Return the softmax of the last axis."""
    e = exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def lse(z):
    """Return the log of the sum of exponentials."""
    return log(np.sum(exp(z)))


def sig(z):
    """Return the logistic sigmoid."""
    return 1 / (1 + exp(-np.asarray(z)))


def D(f, x, h=1e-5):
    """Return the derivative of f for a scalar x."""
    return (f(x + h) - f(x - h)) / (2 * h)


def D2(f, x, h=1e-4):
    """Return the second derivative of f for a scalar x."""
    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2


def grad(f, x, h=1e-5):
    """Return the gradient of a scalar f, in the shape of x."""
    x = np.asarray(x, dtype=float)
    out = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        e = np.zeros_like(x)
        e[i] = h
        out[i] = (f(x + e) - f(x - e)) / (2 * h)
    return out


def jac(f, x, h=1e-5):
    """Return the Jacobian of f, rows for its values and columns for x."""
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))], axis=-1)


def hess(f, x, h=1e-4):
    """Return the matrix of second derivatives of a scalar f."""
    basis = h * np.eye(len(x))
    return np.array(
        [[(f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * h * h) for b in basis] for a in basis]
    )


def softmax_shift():
    s, a = n(5), n()
    v = exp(s + a) / sum(exp(s + a))
    w = exp(a) * exp(s) / (exp(a) * sum(exp(s)))
    return [[softmax(s + a), v, w, softmax(s)]]


def stable_softmax_denominator():
    z = n(6)
    m = max(z)
    Z, Z0 = sum(exp(z)), sum(exp(z - m))
    return [[Z0, exp(-m) * sum(exp(z)), exp(-m) * Z], [log(Z), log(Z0) - m]]


def logistic_slope():
    t = n()
    h = sig(t)
    q = exp(-t) / (1 + exp(-t)) ** 2
    hp = D(sig, t)
    return [
        [1 - h, exp(-t) / (1 + exp(-t))],
        [hp, q, q, h * (1 - h)],
        [D2(sig, t), hp * (1 - h) - h * hp, h * (1 - h) * (1 - 2 * h)],
    ]


def log_sigmoid_mirror():
    u = n()
    s = sig(u)
    return [
        [sig(-u), 1 / (1 + exp(u)), exp(-u) / (1 + exp(-u)), 1 - s],
        [D(lambda t: log(sig(t)), u), D(sig, u) / s, 1 - s],
        [D(lambda t: log(sig(-t)), u), s],
    ]


def cross_entropy_by_index():
    t, y = n(5), probs(5)
    p, J = softmax(t), jac(softmax, t)
    C = np.array([[p[i] * (1 - p[i]) if i == j else -p[i] * p[j] for j in range(5)] for i in range(5)])
    g = grad(lambda v: -sum(y * log(softmax(v))), t)
    return [
        [J, C],
        [J, p[:, None] * (eye(5) - p[None, :])],
        [g, -(y / p) @ J, -y @ (eye(5) - p[None, :]), -y + p * sum(y), p - y],
    ]


def cross_entropy_by_jacobian():
    a, t = n(5), onehot(pick(5), 5)
    q = softmax(a)
    J, Q = jac(softmax, a), diag(softmax(a)) - outer(softmax(a), softmax(a))
    gq = grad(lambda v: -t @ log(v), q)
    ga = grad(lambda v: -t @ log(softmax(v)), a)
    return [
        [J, Q],
        [gq, -np.linalg.inv(diag(q)) @ t],
        [ga, J.T @ gq, -Q @ np.linalg.inv(diag(q)) @ t, -t + q * sum(t), -t + q * (q @ t)],
    ]


def cross_entropy_short_route():
    f, c = n(5), pick(5)
    loss = lambda v: -log(exp(v[c]) / sum(exp(v)))  # noqa: E731
    g = grad(loss, f)
    return [[loss(f), -f[c] + lse(f)], [grad(lse, f), softmax(f)], [g, softmax(f) - onehot(c, 5)], [sum(g), 0.0, 0.0]]


def backprop_rows():
    x, A, b, B, c, y = n(1, 3), n(3, 4), n(1, 4), n(4, 5), n(1, 5), onehot(pick(5), 5)[None]
    J = lambda s: -np.sum(y * log(softmax(s)))  # noqa: E731
    h = sig(x @ A + b)
    s = h @ B + c
    d1 = grad(J, s)
    d2 = grad(lambda z: J(sig(z) @ B + c), x @ A + b)
    f = lambda x, A, b, B: J(sig(x @ A + b) @ B + c)  # noqa: E731
    return [
        [d1, softmax(s) - y],
        [grad(lambda v: J(v @ B + c), h), d1 @ B.T],
        [d2, d1 @ B.T * h * (1 - h)],
        [grad(lambda v: f(v, A, b, B), x), d2 @ A.T],
        [grad(lambda v: f(x, A, b, v), B), h.T @ d1],
        [grad(lambda v: f(x, v, b, B), A), x.T @ d2],
        [grad(lambda v: f(x, A, v, B), b), d2],
    ]


def tanh_layer_rows():
    x, U, V, t, r = n(1, 3), n(3, 4), n(4, 5), n(1, 5), n()
    E = lambda o: np.sum((o - t) ** 2) / 2  # noqa: E731
    a = tanh(x @ U)
    e = grad(E, a @ V)
    g = grad(lambda z: E(tanh(z) @ V), x @ U)
    return [
        [e, a @ V - t],
        [D(tanh, r), 1 - tanh(r) ** 2],
        [g, (e @ V.T) * (1 - a * a)],
        [grad(lambda v: E(a @ v), V), a.T @ e],
        [grad(lambda v: E(tanh(x @ v) @ V), U), g.T @ x],
    ]


def backprop_columns():
    x, A, a, B, b, k = n(3), n(4, 3), n(4), n(5, 4), n(5), pick(5)
    f = lambda x, A, a, B, b: -log(softmax(B @ sig(A @ x + a) + b)[k])  # noqa: E731
    h = sig(A @ x + a)
    eps = softmax(B @ h + b) - onehot(k, 5)
    eta = (B.T @ eps) * h * (1 - h)
    return [
        [grad(lambda v: f(x, A, a, v, b), B), outer(eps, h)],
        [grad(lambda v: f(x, A, a, B, v), b), eps],
        [grad(lambda v: -log(softmax(B @ v + b)[k]), h), B.T @ eps],
        [grad(lambda v: f(x, v, a, B, b), A), outer(eta, x)],
        [grad(lambda v: f(x, A, v, B, b), a), eta],
        [grad(lambda v: f(v, A, a, B, b), x), A.T @ eta],
    ]


def two_hidden_layers():
    x, P, Q, r = n(3), n(4, 3), n(5, 4), n(5)
    E = lambda v: log(1 + exp(-(r @ sig(v))))  # noqa: E731
    u = P @ x
    v = Q @ sig(u)
    h = sig(v)
    s = r @ h
    dv, du = grad(E, v), grad(lambda w: E(Q @ sig(w)), u)
    return [
        [D(lambda t: log(1 + exp(-t)), s), -exp(-s) / (1 + exp(-s)), sig(s) - 1],
        [dv, (sig(s) - 1) * r * h * (1 - h)],
        [du, Q.T @ dv],
    ]


def minibatch_softmax():
    N, X, W, b = 6, n(6, 3), n(3, 4), n(1, 4)
    Y = np.stack([onehot(pick(4), 4) for _ in range(N)])
    C = lambda X, W, b: -np.sum(Y * log(softmax(X @ W + b))) / N  # noqa: E731
    P = softmax(X @ W + b)
    G = (P - Y) / N
    gW = grad(lambda v: C(X, v, b), W)
    return [
        [gW, X.T @ G],
        [grad(lambda v: C(X, W, v), b), ones((1, N)) @ G],
        [grad(lambda v: C(v, W, b), X), G @ W.T],
        [
            gW,
            np.array([[sum(X[k, i] * (P[k, j] - Y[k, j]) for k in range(N)) / N for j in range(4)] for i in range(3)]),
        ],
    ]


def minibatch_logistic():
    N, F, w = 5, n(5, 3), n(3)
    t = rng.integers(0, 2, N)
    p = sig(F @ w)
    R = lambda v: -np.mean(t * log(sig(F @ v)) + (1 - t) * log(1 - sig(F @ v)))  # noqa: E731
    return [
        [jac(lambda v: sig(F @ v), w), (p * (1 - p))[:, None] * F],
        [grad(R, w), -((t / p - (1 - t) / (1 - p)) * p * (1 - p)) @ F / N, (p - t) @ F],
    ]


def skipgram_centre():
    U, v, o = n(6, 4), n(4), pick(6)
    p = softmax(U @ v)
    J = lambda x: -log(softmax(U @ x)[o])  # noqa: E731
    return [
        [J(v), -U[o] @ v + lse(U @ v)],
        [grad(J, v), -U[o] + exp(U @ v) @ U / sum(exp(U @ v)), -U[o] + p @ U, U.T @ (p - onehot(o, 6))],
    ]


def skipgram_outside():
    U, v, o = n(6, 4), n(4), pick(6)
    w = (o + 2) % 6
    p = softmax(U @ v)
    G = grad(lambda M: -log(softmax(M @ v)[o]), U)
    g = grad(lambda z: -log(softmax(z)[o]), U @ v)
    return [[G, outer(g, v), outer(p - onehot(o, 6), v)], [G[o], (p[o] - 1) * v], [G[w], p[o] * v]]


def negative_sampling():
    v, a, U, x = n(4), n(4), n(5, 4), n()
    L = lambda v, a, U: -log(sig(a @ v)) - sum(log(sig(-U @ v)))  # noqa: E731
    return [
        [D(sig, x), sig(x) * (1 - sig(x))],
        [1 - sig(x), sig(-x)],
        [grad(lambda t: L(t, a, U), v), (sig(a @ v) - 1) * a + sig(U @ v) @ U],
        [grad(lambda t: L(v, t, U), a), (sig(a @ v) - 1) * v, -sig(-a @ v) * v],
        [grad(lambda t: L(v, a, t), U), outer(1 - sig(-U @ v), v), outer(sig(U @ v), v)],
    ]


def labelled_negative_sampling():
    h, c, eta = n(4), n(4), pos()
    t = pick(2)
    f = lambda x: -t * log(sig(x)) - (1 - t) * log(1 - sig(x))  # noqa: E731
    x = c @ h
    return [[D(f, x), sig(x) - t], [c - eta * grad(lambda v: f(v @ h), c), c + eta * (sig(x) - t) * h]]


def cbow_mean():
    m, V, U, t = 4, n(4, 3), n(6, 3), pick(6)
    J = lambda h: -log(softmax(U @ h)[t])  # noqa: E731
    h = V.mean(0)
    p = softmax(U @ h)
    g, G = grad(J, h), grad(lambda v: J(v.mean(0)), V)
    row = p @ U - U[t]
    return [[g, row], [G, np.tile(g / m, (m, 1)), np.tile(row / m, (m, 1))], [G.sum(0), g]]


def cbow_window():
    V, u, N = n(6, 4), n(4), n(5, 4)
    F = lambda h: -log(sig(u @ h)) - sum(log(sig(-N @ h)))  # noqa: E731
    h = V.mean(0)
    e = grad(F, h)
    return [[e, -sig(-u @ h) * u + sig(N @ h) @ N], [grad(lambda M: F(M.mean(0)), V)[2], e]]


def glove():
    V = 4
    W, T, b, c, X, f = n(V, 3), n(V, 3), n(V), n(V), pos(V, V), pos(V, V)
    J = lambda W, T, b: np.sum(f * (W @ T.T + b[:, None] + c - log(X)) ** 2)  # noqa: E731
    r = W @ T.T + b[:, None] + c - log(X)
    return [
        [J(W, T, b), np.sum(f * r**2)],
        [grad(lambda v: J(v, T, b), W), 2 * (f * r) @ T],
        [grad(lambda v: J(W, v, b), T), 2 * (f * r).T @ W],
        [grad(lambda v: J(W, T, v), b), 2 * np.sum(f * r, 1)],
        [diag(hess(lambda v: J(W, T, v), b)), 2 * np.sum(f, 1)],
    ]


def glove_cell():
    p, q, a, b, x, m = n(4), n(4), n(), n(), pos(), pos()
    w = (x / m) ** 0.75
    r = p @ q + a + b - log(x)
    return [
        [grad(lambda v: w * (v @ q + a + b - log(x)) ** 2, p), 2 * w * r * q],
        [grad(lambda v: w * (p @ v + a + b - log(x)) ** 2, q), 2 * w * r * p],
        [D(lambda v: w * (p @ q + v + b - log(x)) ** 2, a), w * r],
    ]


def hierarchical_softmax():
    x, T = n(4), n(5, 4)
    c = rng.integers(0, 2, 5)
    P = lambda x, T: np.prod(sig(T @ x) ** (1 - c) * (1 - sig(T @ x)) ** c)  # noqa: E731
    s = sig(T @ x)
    return [
        [log(P(x, T)), sum((1 - c) * log(s) + c * log(1 - s))],
        [grad(lambda v: log(P(x, v)), T), outer((1 - c) * (1 - s) - c * s, x), outer(1 - c - s, x)],
        [grad(lambda v: log(P(v, T)), x), (1 - c - s) @ T],
    ]


def huffman_signs():
    h, N, s = n(4), n(5, 4), n()
    t = 2 * rng.integers(0, 2, 5) - 1
    a = N @ h
    E = lambda a: -sum(log(sig(t * a)))  # noqa: E731
    k = t * sig(-t * a)
    return [
        [D(lambda s: log(sig(s)), s), sig(-s)],
        [grad(E, a), -k],
        [grad(lambda v: E(v @ h), N), -outer(k, h)],
        [grad(lambda v: E(N @ v), h), k @ N],
    ]


def ridge_softmax():
    N, X, W, lam = 6, n(6, 3), n(4, 3), pos()
    Y = np.stack([onehot(pick(4), 4) for _ in range(N)])
    F = lambda W: -np.sum(Y * log(softmax(X @ W.T))) + lam / 2 * np.sum(W**2)  # noqa: E731
    P, G = softmax(X @ W.T), grad(F, W)
    loops = np.array(
        [[sum((P[m, k] - Y[m, k]) * X[m, i] for m in range(N)) + lam * W[k, i] for i in range(3)] for k in range(4)]
    )
    return [
        [G, loops],
        [G, sum(outer(P[m] - Y[m], X[m]) for m in range(N)) + lam * W],
        [ones(4) @ G, lam * ones(4) @ W],
    ]


def weight_decay():
    x, T, y, mu = n(3), n(3, 4), onehot(pick(4), 4), pos()
    Q = lambda T: -sum(y * log(softmax(T.T @ x)))  # noqa: E731
    g = outer(x, softmax(T.T @ x) - y)
    return [[grad(Q, T), g], [grad(lambda v: Q(v) + mu * np.sum(v**2), T), g + mu * T]]


def logistic_hessian():
    N, X, b, v = 5, n(5, 3), n(3), n(3)
    y = rng.integers(0, 2, N)
    f = lambda b: sum(log(1 + exp(X @ b)) - y * (X @ b))  # noqa: E731
    m = sig(X @ b)
    H = hess(f, b)
    return [
        [grad(f, b), (m - y) @ X],
        [jac(lambda t: sig(X @ t), b), (m * (1 - m))[:, None] * X],
        [H, sum(m[i] * (1 - m[i]) * outer(X[i], X[i]) for i in range(N)), X.T @ diag(m * (1 - m)) @ X],
        [v @ H @ v, sum(m * (1 - m) * (X @ v) ** 2)],
    ]


def signed_logistic_hessian():
    N, X, w, g = 5, n(5, 3), n(3), pos()
    y = 2 * rng.integers(0, 2, N) - 1
    f = lambda w: sum(log(1 + exp(-y * (X @ w)))) + g / 2 * w @ w  # noqa: E731
    S = lambda w: 1 / (1 + exp(y * (X @ w)))  # noqa: E731
    s = S(w)
    H = sum(s[i] * (1 - s[i]) * outer(X[i], X[i]) for i in range(N))
    return [
        [grad(f, w), -(y * s) @ X + g * w],
        [jac(S, w), -(s * (1 - s) * y)[:, None] * X],
        [hess(f, w), H + g * eye(3), H],
    ]


def log_sum_exp():
    x, c = n(5), n()
    g = softmax(x)
    return [
        [lse(x + c), log(exp(c) * sum(exp(x))), c + lse(x)],
        [grad(lse, x), g, exp(x - lse(x))],
        [hess(lse, x), diag(g) - outer(g, g)],
    ]


def log_normaliser():
    e, u = n(5), n(5)
    p = grad(lse, e)
    H = hess(lse, e)
    return [
        [p, softmax(e)],
        [sum(p), 1.0],
        [u @ p, sum(p * u)],
        [H, diag(p) - outer(p, p)],
        [u @ H @ u, sum(p * u**2) - sum(p * u) ** 2, sum(p * u**2) - sum(p**2 * u**2)],
    ]


def log_softmax():
    z, g = n(5), n(5)
    p = softmax(z)
    J = jac(lambda v: log(softmax(v)), z)
    return [
        [log(exp(z) / sum(exp(z))), z - lse(z)],
        [J, eye(5) - p[None, :]],
        [g @ J, g @ (eye(5) - p[None, :]), g - p * sum(g)],
    ]


def log_softmax_entry():
    o = n(5)
    p = softmax(o)
    J = jac(lambda v: log(softmax(v)), o)
    return [[log(p), o - lse(o)], [J, eye(5) - (exp(o) / sum(exp(o)))[None, :], eye(5) - p[:, None]]]


def temperature():
    z, T = n(4), pos() + 0.5
    q = softmax(z / T)
    return [
        [jac(lambda v: softmax(v / T), z), q[:, None] * (eye(4) - q[None, :]) / T],
        [D(lambda t: softmax(z / t), T), -q * (z - q @ z) / T**2],
        [q[:, None] / q[None, :], exp((z[:, None] - z[None, :]) / T)],
    ]


def distillation():
    v, t, T = n(5), probs(5), pos() + 2
    H = lambda v: -t @ log(softmax(v / T))  # noqa: E731
    s = softmax(v / T)
    return [[H(v), -(t @ v) / T + lse(v / T)], [grad(H, v), -t / T + s / T, s - t]]


def label_smoothing():
    K, z, c, e = 5, n(5), pick(5), float(rng.uniform(0.1, 0.9))
    y = (1 - e) * onehot(c, K) + e / K
    L = lambda z: -y @ log(softmax(z))  # noqa: E731
    p = softmax(z)
    return [
        [sum(y), (1 - e) + K * (e / K), 1.0],
        [L(z), -(1 - e) * log(p[c]) - e / K * sum(log(p))],
        [grad(L, z), p - y, p - (1 - e) * onehot(c, K) - e / K],
    ]


def binary_smoothing():
    a, s = float(rng.uniform(0.1, 0.9)), n()
    y = pick(2)
    q = (1 - a) * y + a / 2
    p = sig(s)
    return [
        [
            D(lambda t: -q * log(sig(t)) - (1 - q) * log(1 - sig(t)), s),
            -q * (1 - p) + (1 - q) * p,
            p - q,
            p - (1 - a) * y,
        ]
    ]


def tanh_identities():
    x = n()
    t = tanh(x)
    a, b = exp(x) + exp(-x), exp(x) - exp(-x)
    return [
        [t, (exp(2 * x) - 1) / (exp(2 * x) + 1), 2 / (1 + exp(-2 * x)) - 1, 2 * sig(2 * x) - 1],
        [D(tanh, x), (a**2 - b**2) / a**2, 1 - t**2],
        [4 * sig(2 * x) * (1 - sig(2 * x)), 1 - t**2],
    ]


def half_tanh():
    r = n()
    th = lambda r: tanh(r / 2)  # noqa: E731
    t = th(r)
    return [
        [t, 2 * sig(r) - 1],
        [sig(r), (1 + t) / 2],
        [D(th, r), 2 * D(sig, r), 2 * sig(r) * (1 - sig(r)), 2 * (1 + t) / 2 * (1 - t) / 2, 1 - t**2],
    ]


def softplus():
    x = n()
    z = lambda x: log(1 + exp(x))  # noqa: E731
    p = D(z, x)
    return [
        [p, exp(x) / (1 + exp(x)), 1 / (1 + exp(-x))],
        [D2(z, x), p * (1 - p)],
        [z(x) - z(-x), log((1 + exp(x)) / (1 + exp(-x))), log(exp(x)), x],
        [z(x), max(x, 0) + log(1 + exp(-abs(x)))],
    ]


def sharp_softplus():
    x, b = n(), pos()
    S = lambda x: log(1 + exp(b * x)) / b  # noqa: E731
    return [
        [D(S, x), b * exp(b * x) / (1 + exp(b * x)) / b, 1 / (1 + exp(-b * x))],
        [S(-x), log(exp(-b * x) * (1 + exp(b * x))) / b, S(x) + x],
    ]


def swish():
    x = n()
    f = lambda x: x * sig(x)  # noqa: E731
    s = sig(x)
    return [
        [D(sig, x), s * (1 - s)],
        [D(f, x), s + x * s * (1 - s), f(x) + s * (1 - f(x))],
        [f(x) - f(-x), x * s + x * sig(-x), x * (s + 1 - s), x],
    ]


def gated_slope():
    x, b, t = n(), n(), n()
    f = lambda x, b: x * sig(b * x)  # noqa: E731
    v = sig(b * x) - sig(b * x) ** 2
    return [
        [D(sig, t), sig(t) - sig(t) ** 2],
        [D(lambda c: f(x, c), b), x**2 * v],
        [D(lambda c: f(c, b), x), b * x * v],
    ]


def kl_and_entropy():
    p, t = probs(5), n(5)
    q = softmax(t)
    KL = lambda q: sum(p * log(p / q))  # noqa: E731
    CE = lambda q: -sum(p * log(q))  # noqa: E731
    return [
        [KL(q), sum(p * log(p)) - sum(p * log(q)), CE(q) + sum(p * log(p))],
        [grad(lambda v: KL(softmax(v)), t), grad(lambda v: CE(softmax(v)), t), q - p],
    ]


def reverse_kl():
    a, g = n(5), probs(5)
    r = softmax(a)
    R = lambda a: sum(softmax(a) * log(softmax(a) / g))  # noqa: E731
    J, G = jac(softmax, a), grad(R, a)
    M = r[:, None] * (eye(5) - r[None, :])
    return [[J, M], [G, (log(r / g) + 1) @ M, log(r / g) @ M], [G, r * (log(r / g) + R(a))]]


def softmax_entropy():
    x = n(5)
    p, Z = softmax(x), sum(exp(x))
    H = lambda x: -sum(softmax(x) * log(softmax(x)))  # noqa: E731
    return [
        [log(p), x - log(Z)],
        [H(x), log(Z) - p @ x],
        [grad(H, x), p - p - x @ jac(softmax, x), -p * (x - p @ x), -p * (log(p) + H(x))],
    ]


def coin_entropy():
    s = n()
    p = sig(s)
    h = lambda p: -p * log(p) - (1 - p) * log(1 - p)  # noqa: E731
    d = D(h, p)
    return [[d, -log(p) - 1 + log(1 - p) + 1, log((1 - p) / p), -s], [D(lambda t: h(sig(t)), s), d * D(sig, s), -s * p]]


def mutual_information():
    P = pos(4, 3)
    P = P / P.sum()
    a, b = P.sum(1), P.sum(0)
    I = np.sum(P * log(P / outer(a, b)))
    u = np.sum(P * log(P)) - np.sum(P * log(a)[:, None]) - np.sum(P * log(b)[None, :])
    v = np.sum(P * log(P)) - sum(a * log(a)) - sum(b * log(b))
    return [[I, u, v], [I, -sum(a * log(a)) - sum(b * log(b)) + np.sum(P * log(P))]]


def shifted_pmi():
    m, v, k, x = pos(), pos(), pos() + 1.5, n()
    f = lambda x: m * log(sig(x)) + k * v * log(sig(-x))  # noqa: E731
    return [
        [D(f, x), m * sig(-x) - k * v * sig(x), (m - k * v * exp(x)) / (1 + exp(x))],
        [log(m / (k * v)), log(m / v) + log(k)],
    ]


def quadratic_form():
    M, x = n(4, 4), n(4)
    q = lambda x: x @ M @ x  # noqa: E731
    g = grad(q, x)
    return [
        [q(x), sum(x[i] * M[i, j] * x[j] for i in range(4) for j in range(4))],
        [g, M @ x + x @ M],
        [g, (M + M.T) @ x],
        [hess(q, x), M + M.T],
        [x @ g, 2 * q(x)],
    ]


def change_of_variables():
    B, c, R, t, v = n(4, 4), n(4), n(4, 4), n(4), n(4)
    f = lambda u: u @ B @ u / 2 - c @ u  # noqa: E731
    return [
        [grad(f, v), (B + B.T) @ v / 2 - c],
        [f(R @ t), t @ R.T @ B @ R @ t / 2 - (R.T @ c) @ t],
        [grad(lambda t: f(R @ t), t), R @ ((B + B.T) @ R @ t / 2 - c)],
    ]


def least_squares():
    A, b, w = n(5, 3), n(5), n(3)
    E = lambda w: np.sum((A @ w - b) ** 2)  # noqa: E731
    G = grad(E, w)
    return [
        [E(w), w @ A.T @ A @ w - 2 * b @ A @ w + b @ b],
        [G, 2 * A.T @ A @ w - 2 * A.T @ b, 2 * A.T @ (A @ w - b)],
        [hess(E, w), 2 * A.T @ A],
        [G, np.array([2 * sum(A[i, j] * (A[i] @ w - b[i]) for i in range(5)) for j in range(3)])],
    ]


def ridge_outputs():
    X, Y, W, a = n(6, 3), n(6, 4), n(3, 4), pos()
    R = lambda W, X: np.sum((X @ W - Y) ** 2) / 2 + a / 2 * np.sum(W**2)  # noqa: E731
    E = X @ W - Y
    return [
        [grad(lambda v: R(v, X), W), X.T @ E + a * W, (X.T @ X + a * eye(3)) @ W - X.T @ Y],
        [grad(lambda v: R(W, v), X), W @ E.T],
    ]


def chain_rule():
    t = n()
    F = lambda t: exp(-(t**2) / 2)  # noqa: E731
    r = lambda t: sqrt(1 + t**2)  # noqa: E731
    u1 = D(lambda t: -(t**2) / 2, t)
    return [
        [D(F, t), exp(-(t**2) / 2) * u1, -t * exp(-(t**2) / 2), -t * F(t)],
        [D2(F, t), -F(t) - t * D(F, t), (t**2 - 1) * F(t)],
        [D(r, t), 0.5 * (1 + t**2) ** -0.5 * 2 * t, t / r(t)],
        [D(lambda t: log(r(t)), t), D(r, t) / r(t), t / (1 + t**2)],
    ]


def three_factors():
    x = pos() + 0.4
    g = lambda x: x**2 * exp(-x) * log(x)  # noqa: E731
    a = [x**2, exp(-x), log(x)]
    b = [2 * x, -exp(-x), 1 / x]
    v = 2 * x * exp(-x) * log(x) - x**2 * exp(-x) * log(x)
    return [
        [D(lambda x: x**2, x), b[0]],
        [D(lambda x: exp(-x), x), b[1]],
        [D(log, x), b[2]],
        [D(g, x), b[0] * a[1] * a[2] + a[0] * b[1] * a[2] + a[0] * a[1] * b[2], v, x * exp(-x) * (2 - x) * log(x)],
    ]


def softsign_quotient():
    x = pos()
    p = x / (1 + x)
    d = D(lambda x: x / (1 + abs(x)), x)
    return [
        [x / (1 + abs(x)), p],
        [d, (1 * (1 + x) - x * 1) / (1 + x) ** 2, 1 / (1 + x) ** 2],
        [p, 1 - 1 / (1 + x)],
        [d, -(-1 / (1 + x) ** 2), (1 - p) ** 2],
    ]


def cauchy_weight():
    x = n()
    w = lambda x: 1 / (1 + x**2)  # noqa: E731
    return [
        [D(w, x), -2 * x / (1 + x**2) ** 2, -2 * x * w(x) ** 2],
        [
            D(lambda x: x / (1 + x**2), x),
            ((1 + x**2) - x * 2 * x) / (1 + x**2) ** 2,
            (1 + x**2) / (1 + x**2) ** 2,
            w(x),
        ],
    ]


def geometric_sums():
    r, m = n() * 0.5 - 0.7, 6
    k = np.arange(m)
    S = np.sum(r**k)
    return [
        [(1 - r) * S, S - np.sum(r ** (k + 1)), 1 - r**m],
        [S, (1 - r**m) / (1 - r)],
        [np.sum(r ** (k + 1)), r * S, (r - r ** (m + 1)) / (1 - r)],
        [sum(j * r ** (j - 1) for j in range(1, m)), (1 - m * r ** (m - 1) + (m - 1) * r**m) / (1 - r) ** 2],
    ]


def discounted_window():
    q, w, h = float(rng.uniform(0.2, 0.8)), 7, 3
    return [
        [sum(q ** (j - 1) for j in range(1, w + 1)), (1 - q**w) / (1 - q)],
        [sum(q ** (j - 1) for j in range(h + 1, w + 1)), q ** (h + 1) * (1 - q ** (w - h)) / (1 - q)],
    ]


def linear_decay():
    e, T = pos(), 7
    t = np.arange(T)
    r = e * (1 - t / T)
    return [
        [sum(r), e * (T - sum(t) / T), e * (T - (T - 1) / 2), e * (T + 1) / 2],
        [float(sum(t)), T * (T - 1) / 2],
        [r[2] - r[3], e / T],
    ]


def cosine_annealing():
    a, b, T, t = n(), n(), pos(), pos()
    g = lambda t: b + (a - b) / 2 * (1 + np.cos(np.pi * t / T))  # noqa: E731
    return [[g(0), a], [g(T), b], [g(T / 2), (a + b) / 2], [D(g, t), -(a - b) / 2 * np.sin(np.pi * t / T)]]


def bayes_log_odds():
    p, f, g = float(rng.uniform(0.1, 0.9)), pos(), pos()
    P = p * f / (p * f + (1 - p) * g)
    a = log(p * f / ((1 - p) * g))
    return [
        [P, 1 / (1 + (1 - p) * g / (p * f)), 1 / (1 + exp(-a))],
        [a, log(P / (1 - P))],
        [a, log(p / (1 - p)) + log(f) - log(g)],
    ]


def smooth_margin():
    s, y = n(5), pick(5)
    k = (y + 2) % 5
    L = lambda s: log(sum(exp(-(s[y] - s))))  # noqa: E731
    m = s[y] - s
    g = grad(L, s)
    return [
        [m[y], 0.0],
        [L(s), log(sum(exp(s - s[y]))), lse(s) - s[y], -log(exp(s[y]) / sum(exp(s)))],
        [g[k], exp(-m[k]) / sum(exp(-m))],
        [g[y], -sum(g[j] for j in range(5) if j != y)],
    ]


def additive_margin():
    s, c, m = n(5), pick(5), pos()
    k = (c + 3) % 5
    M = lambda s, m: -log(softmax(s - m * onehot(c, 5))[c])  # noqa: E731
    q = softmax(s - m * onehot(c, 5))
    g = grad(lambda v: M(v, m), s)
    return [
        [M(s, m), log(exp(s[c] - m) + sum(exp(s[j]) for j in range(5) if j != c)) - s[c] + m],
        [D(lambda t: M(s, t), m), 1 - q[c]],
        [g[c], q[c] - 1],
        [g[k], q[c]],
    ]


def infonce_keys():
    q, K, T = n(4), n(5, 4), pos() + 0.5
    L = lambda q, K: -log(softmax(K @ q / T)[0])  # noqa: E731
    a = softmax(K @ q / T)
    G = grad(lambda v: L(q, v), K)
    return [
        [grad(lambda v: L(v, K), q), (a @ K - K[0]) / T, sum(a[i] * (K[i] - K[0]) for i in range(1, 5)) / T],
        [1 - a[0], sum(a[1:])],
        [G[0], -(1 - a[0]) / T * q],
        [G[1:], outer(a[1:], q) / T],
    ]


def batch_contrast():
    A, B = n(4, 3), n(4, 3)
    C = lambda S: -sum(log(diag(softmax(S))))  # noqa: E731
    S = A @ B.T
    p = softmax(S)
    return [
        [grad(C, S), p - eye(4)],
        [grad(lambda v: C(v @ B.T), A), (p - eye(4)) @ B, p @ B - B],
        [grad(lambda v: C(A @ v.T), B), (p - eye(4)) @ A],
    ]


def cosine_gradient():
    u, v = n(4), n(4)
    N = np.linalg.norm
    K = lambda u: u @ v / (N(u) * N(v))  # noqa: E731
    g = grad(K, u)
    return [
        [grad(N, u), u / N(u)],
        [g, v / (N(u) * N(v)) - u @ v / (N(u) ** 2 * N(v)) * u / N(u), (v / N(v) - K(u) * u / N(u)) / N(u)],
        [u @ g, 0.0],
        [g, (eye(4) - outer(u, u) / N(u) ** 2) @ (v / N(v)) / N(u)],
    ]


def unit_length():
    x, w = n(4), n(4)
    N = np.linalg.norm
    r, e = N(x), x / N(x)
    J, dr = jac(lambda v: v / N(v), x), grad(N, x)
    return [
        [dr, x / r, e],
        [J, eye(4) / r - outer(x, dr) / r**2, (eye(4) - outer(e, e)) / r],
        [grad(lambda v: w @ v / N(v), x), w / r],
    ]


def attention_query():
    d, q, K, V, g = 3, n(3), n(5, 3), n(5, 4), n(4)
    out = lambda e, V: g @ (softmax(e) @ V)  # noqa: E731
    e = K @ q / sqrt(d)
    a = softmax(e)
    o = a @ V
    k = a * ((V - o) @ g)
    return [
        [grad(lambda v: out(e, v), V), outer(a, g)],
        [grad(lambda w: g @ (w @ V), a), V @ g],
        [grad(lambda v: out(v, V), e), a * (V @ g - a @ (V @ g)), k],
        [grad(lambda v: out(K @ v / sqrt(d), V), q), k @ K / sqrt(d)],
    ]


def attention_scores():
    X, M, G = n(5, 3), n(3, 3), n(5, 5)
    f = lambda X, M: np.sum(G * (X @ M @ X.T))  # noqa: E731
    gM = grad(lambda v: f(X, v), M)
    return [
        [
            X @ M @ X.T,
            np.array(
                [
                    [sum(X[i, a] * M[a, b] * X[j, b] for a in range(3) for b in range(3)) for j in range(5)]
                    for i in range(5)
                ]
            ),
        ],
        [
            gM,
            np.array(
                [
                    [sum(G[i, j] * X[i, a] * X[j, b] for i in range(5) for j in range(5)) for b in range(3)]
                    for a in range(3)
                ]
            ),
        ],
        [gM, X.T @ G @ X],
        [grad(lambda v: f(v, M), X), G @ X @ M.T + G.T @ X @ M.T],
    ]


def sentence_mean():
    m, W, A, b, y, x = 6, n(6, 3), n(4, 3), n(4), onehot(pick(4), 4), n(3)
    J = lambda u, A: -y @ log(softmax(A @ u + b))  # noqa: E731
    u = W.mean(0)
    p = softmax(A @ u + b)
    e = A.T @ (p - y)
    return [
        [A @ u + b, (W @ A.T).mean(0) + b, (W @ A.T + b).mean(0)],
        [grad(lambda v: J(v, A), u), e],
        [grad(lambda v: J(v.mean(0), A), W), np.tile(e / m, (m, 1))],
        [grad(lambda v: J(u, v), A), sum(outer(p - y, w) for w in W) / m],
        [np.vstack([W, x]).mean(0), (m * u + x) / (m + 1), u + (x - u) / (m + 1)],
    ]


def weighted_centre():
    b, X = pos(5), n(5, 3)
    B = sum(b)
    c = b @ X / B
    J = jac(lambda v: v @ X / sum(v), b).T
    return [
        [b @ (X - c), b @ X - B * c, np.zeros(3)],
        [J, X / B - (b @ X) / B**2, (X - outer(b, X.sum(0)) / B) / B],
    ]


def folded_layers():
    x, A, B, a, b, g = n(3), n(4, 3), n(5, 4), n(4), n(5), n(5)
    f = lambda x: B @ (A @ x + a) + b  # noqa: E731
    loops = np.array([sum(B[i, j] * sum(A[j, r] * x[r] for r in range(3)) for j in range(4)) for i in range(5)])
    swapped = np.array([sum(sum(B[i, j] * A[j, r] for j in range(4)) * x[r] for r in range(3)) for i in range(5)])
    return [
        [f(x), B @ (A @ x) + B @ a + b, (B @ A) @ x + (B @ a + b)],
        [B @ (A @ x), loops, swapped, (B @ A) @ x],
        [jac(f, x), B @ A],
        [grad(lambda v: g @ f(v), x), (B @ A).T @ g, A.T @ B.T @ g],
    ]


def folded_rows():
    r, P, Q, c = n(1, 4), n(4, 4), n(4, 4), n(1, 4)
    f = lambda r, P, Q: np.sum(r @ P @ Q * c)  # noqa: E731
    return [
        [(r @ P) @ Q, r @ (P @ Q)],
        [grad(lambda v: f(v, P, Q), r), c @ (P @ Q).T, c @ P.T @ Q.T],
        [grad(lambda v: f(r, v, Q), P), r.T @ c @ Q.T],
        [grad(lambda v: f(r, P, v), Q), P.T @ r.T @ c],
    ]


def small_and_large():
    x, a, b, c = n(), n(), n(), n()
    a2 = b + pos()
    plus = np.logaddexp
    return [
        [np.log1p(np.expm1(x)), x],
        [1 - exp(-x), -np.expm1(-x)],
        [log(exp(a) + exp(b)), a + log(1 + exp(b - a)), a + np.log1p(exp(b - a))],
        [plus(a, b), max(a, b) + np.log1p(exp(-abs(a - b)))],
        [log(exp(a2) - exp(b)), a2 + log(1 - exp(b - a2)), a2 + log(-np.expm1(b - a2))],
        [plus(plus(a, b), c), log(exp(a) + exp(b) + exp(c))],
    ]


def logit_inverse():
    x, p = n(), float(rng.uniform(0.1, 0.9))
    L = lambda p: log(p) - log(1 - p)  # noqa: E731
    return [
        [L(sig(x)), log(sig(x) / (1 - sig(x))), log(exp(x)), x],
        [sig(L(p)), p],
        [D(L, p), 1 / p + 1 / (1 - p), 1 / (p * (1 - p))],
        [D(sig, L(p)), p * (1 - p)],
        [L(1 - p), -L(p)],
    ]


def two_class_softmax():
    x, v, w = n(4), n(4), n(4)
    z = np.array([v @ x, w @ x])
    p = softmax(z)
    J = jac(softmax, z)
    return [
        [p[0], 1 / (1 + exp(z[1] - z[0])), sig(z[0] - z[1])],
        [p[1], sig(z[1] - z[0])],
        [p[0], sig((v - w) @ x)],
        [J[0, 0], p[0] * p[1], -J[0, 1]],
        [log(p[0] / p[1]), z[0] - z[1], (v - w) @ x],
    ]


def bilinear_match():
    a, b, G = n(3), n(5), n(3, 5)
    L = lambda s: log(1 + exp(-s))  # noqa: E731
    s = a @ G @ b
    e = -1 / (1 + exp(s))
    return [
        [grad(lambda v: v @ G @ b, a), G @ b],
        [grad(lambda v: a @ G @ v, b), G.T @ a],
        [D(L, s), e],
        [grad(lambda v: L(a @ v @ b), G), e * outer(b, a)],
        [grad(lambda v: L(v @ G @ b), a), e * (G @ b)],
    ]


def recurrent_step():
    W, U, b, g, x, c = n(4, 4), n(4, 3), n(4), n(4), n(3), n(4)
    E = lambda W, U, b, g: c @ tanh(W @ g + U @ x + b)  # noqa: E731
    a = W @ g + U @ x + b
    d = grad(lambda v: c @ tanh(v), a)
    return [
        [d, c * (1 - tanh(a) ** 2)],
        [grad(lambda v: E(v, U, b, g), W), outer(d, g)],
        [grad(lambda v: E(W, v, b, g), U), outer(d, x)],
        [grad(lambda v: E(W, U, v, g), b), d],
        [grad(lambda v: E(W, U, b, v), g), W @ d],
    ]


def moving_average():
    T, b, g = 6, float(rng.uniform(0.3, 0.9)), n(6)
    m = lambda g: (1 - b) * sum(b ** (T - t) * g[t - 1] for t in range(1, T + 1))  # noqa: E731
    G = grad(m, g)
    return [
        [(1 - b) * sum(b ** (T - t) for t in range(1, T + 1)), (1 - b) * sum(b**k for k in range(T)), 1 - b**T],
        [G[T - 1], 1 - b],
        [G[0], (1 - b) * b**T],
    ]


def layer_by_indices():
    W, a, b, t = n(4, 4), n(4), n(4), n(4)
    C = lambda z: np.sum((sig(z) - t) ** 2) / 2  # noqa: E731
    z = W @ a + b
    s, d = sig(z), grad(C, z)
    return [
        [d, (s - t) * s * (1 - s)],
        [grad(lambda v: C(v @ a + b), W), outer(d, a)],
        [grad(lambda v: C(W @ a + v), b), d],
        [grad(lambda v: C(W @ v + b), a), W.sum(0) * d],
    ]


def deep_linear():
    A, B, x, t = n(4, 4), n(4, 4), n(4), n(4)
    E = lambda y: np.sum((y - t) ** 2) / 2  # noqa: E731
    y = B @ A @ x
    e = y - t
    return [
        [grad(E, y), e],
        [grad(lambda v: E(v @ A @ x), B), outer(e, A @ x), outer(e, x) @ A.T],
        [grad(lambda v: E(B @ v @ x), A), outer(B @ e, x)],
        [grad(lambda v: E(B @ A @ v), x), A.T @ B.T @ e],
    ]


def close(a, b):
    """Return whether two values have one shape and agree."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-5, atol=2e-6))


def verdicts(chains_at: Callable) -> list[str]:
    """Return holds or fails for each step of a derivation's chains."""
    agreed = None
    for _ in range(POINTS):
        now = [close(a, b) for chain in chains_at() for a, b in pairwise(chain)]
        agreed = now if agreed is None else [x and y for x, y in zip(agreed, now, strict=True)]
    return ["holds" if x else "fails" for x in agreed or []]


def main() -> None:
    """Compare expected.json with the numbers and with the lines of the files."""
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    assert sorted(expected) == sorted(p.name for p in HERE.glob("*.md")), "files and expected.json differ"
    faults, counts = [], {"holds": 0, "fails": 0, "definition": 0}
    for name, truth in expected.items():
        lines = (HERE / name).read_text(encoding="utf-8").splitlines()
        for step in truth["steps"]:
            counts[step["verdict"]] += 1
            if "=" not in lines[step["line"] - 1]:
                faults.append(f"{name}:{step['line']}: no equals sign on this line")
        told = [(s["line"], s["verdict"]) for s in truth["steps"] if s["verdict"] != "definition"]
        found = verdicts(globals()[re.sub(r"\W", "_", name.removesuffix(".md"))])
        if len(told) != len(found):
            faults.append(f"{name}: {len(told)} steps are told, {len(found)} computed")
            continue
        faults += [f"{name}:{x}: told {v}, found {w}" for (x, v), w in zip(told, found, strict=True) if v != w]
        wrong = [x for x, v in told if v == "fails"]
        planted = truth["planted"]
        if wrong != ([] if planted is None else [planted["line"]]):
            faults.append(f"{name}: failing lines {wrong}, planted {planted}")
    right = sum(t["planted"] is None for t in expected.values())
    print(f"{len(expected)} derivations, {right} right, {len(expected) - right} with one error; steps: {counts}")
    if faults:
        raise SystemExit("\n".join(faults))
    print("every verdict confirmed")


if __name__ == "__main__":
    main()
