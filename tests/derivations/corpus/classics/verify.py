"""Check the truth of ``expected.json`` numerically, in plain NumPy.

Every file has a function that evaluates both sides of each of its ``holds`` and ``fails`` steps, in
document order, at one random point; derivatives are central differences. ``python heldout/verify.py``
asserts that a step that holds agrees at every point, that one that fails disagrees at every point, and that
lines, sides and counts of the truth fit the Markdown files.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
Rng = np.random.Generator
Pairs = list[tuple[Any, Any]]
CASES: dict[str, Callable[[Rng], Pairs]] = {}

exp, log, tanh = np.exp, np.log, np.tanh


def case(name: str) -> Callable[[Callable[[Rng], Pairs]], Callable[[Rng], Pairs]]:
    """Register the evaluation of the file ``name``."""

    def add(function: Callable[[Rng], Pairs]) -> Callable[[Rng], Pairs]:
        CASES[name + ".md"] = function
        return function

    return add


def chain(*values: Any) -> Pairs:
    """The steps of a = b = c ..."""
    return list(itertools.pairwise(values))


def sg(x: Any) -> Any:
    """Sigmoid."""
    return 1 / (1 + exp(-x))


def sm(x: Any) -> Any:
    """Softmax over the last axis."""
    e = exp(x)
    return e / e.sum(-1, keepdims=True)


def D(f: Callable[[Any], Any], x: Any, h: float = 1e-4) -> Any:
    """Derivative of f at x: shape of f(x), then the shape of x (fourth-order central differences)."""
    x = np.asarray(x, float)
    y = np.asarray(f(x), float)
    out = np.zeros(y.shape + x.shape)
    for i in np.ndindex(*x.shape):
        d = np.zeros(x.shape)
        d[i] = h
        v = (8 * (np.asarray(f(x + d)) - f(x - d)) - (np.asarray(f(x + 2 * d)) - f(x - 2 * d))) / (12 * h)
        out[(..., *i)] = v
    return out


def onehot(k: int, n: int) -> Any:
    """The k-th unit vector."""
    return np.eye(n)[k]


def dist(r: Rng, *shape: int) -> Any:
    """Positive entries that sum to one over the last axis."""
    return sm(r.normal(size=shape))


# ---------------------------------------------------------------------------------------------- softmax


@case("s01-shift")
def _(r: Rng) -> Pairs:
    x, c = r.normal(size=5), r.normal()
    return chain(sm(x + c), exp(x + c) / exp(x + c).sum(), exp(c) * exp(x) / (exp(c) * exp(x).sum()), sm(x))


@case("s02-lse-gradient")
def _(r: Rng) -> Pairs:
    z = r.normal(size=5)
    g = D(lambda z: log(exp(z).sum()), z)
    return [*chain(g, 1 / exp(z).sum() * exp(z), sm(z)), (g.sum(), 1)]


@case("s03-jacobian-entries")
def _(r: Rng) -> Pairs:
    a = r.normal(size=5)
    J, p, e = D(sm, a), sm(a), exp(a)
    i, j = 1, 3
    s = e.sum()
    return [
        *chain(np.diag(J), (e * s - e * e) / s**2, p * (1 - p)),
        *chain(J[i, j], e[i] * e[j] / s**2, p[i] * p[j]),
    ]


@case("s04-two-classes")
def _(r: Rng) -> Pairs:
    a, b = r.normal(size=2)
    return [
        *chain(exp(a) / (exp(a) + exp(b)), 1 / (1 + exp(b - a)), 1 / (1 + exp(-(a - b))), sg(a - b)),
        *chain(exp(b) / (exp(a) + exp(b)), 1 - sg(a - b), sg(b - a)),
    ]


@case("s05-log-softmax")
def _(r: Rng) -> Pairs:
    t = r.normal(size=5)
    J = D(lambda t: log(sm(t)), t)
    y = sm(t)
    return [
        (log(sm(t)), t - log(exp(t).sum())),
        (J, np.eye(5) - (exp(t) / exp(t).sum())[None, :]),
        (J, np.eye(5) - y[:, None]),
    ]


@case("s06-lse-max")
def _(r: Rng) -> Pairs:
    x = r.normal(size=5) + 1
    m = x.max()
    return chain(
        log(exp(x).sum()),
        log((exp(m) * exp(x - m)).sum()),
        log(exp(m) * exp(x - m).sum()),
        log(exp(x - m).sum()) - m,
    )


@case("s07-jacobian-rows")
def _(r: Rng) -> Pairs:
    z = r.normal(size=5)
    J, p = D(sm, z), sm(z)
    formula = p[:, None] * (np.eye(5) - p[None, :])
    by_cases = np.array([[p[i] * (1 - p[i]) if i == j else -p[i] * p[j] for j in range(5)] for i in range(5)])
    return [
        (J, by_cases),
        (J, formula),
        (p.sum(), 1),
        *chain(J.sum(1), formula.sum(1), p - p * p.sum(), np.zeros(5)),
    ]


@case("s08-log-odds")
def _(r: Rng) -> Pairs:
    x = r.normal(size=5)
    q = exp(x) / exp(x).sum()
    i, j = 0, 3
    return [*chain(q[i] / q[j], exp(x[i]) / exp(x[j]), exp(x[i] - x[j])), (log(q[i]) - log(q[j]), x[i] - x[j])]


@case("s09-jacobian-matrix")
def _(r: Rng) -> Pairs:
    u = r.normal(size=4)
    p, J = sm(u), D(sm, u)
    return [(J, p[:, None] * np.eye(4) - np.outer(p, p)), (J, -np.outer(p, p))]


@case("s10-entropy")
def _(r: Rng) -> Pairs:
    x = r.normal(size=5)

    def entropy(x: Any) -> Any:
        p = sm(x)
        return -(p * log(p)).sum()

    p, Z, J = sm(x), exp(x).sum(), D(sm, x)
    return [
        (log(p), x - log(Z)),
        *chain(entropy(x), -(p * x).sum() + log(Z) * p.sum(), log(Z) - (p * x).sum()),
        *chain(D(entropy, x), p - p - (x[:, None] * J).sum(0), -p * (x - (p * x).sum())),
    ]


@case("s11-subtract-max")
def _(r: Rng) -> Pairs:
    x, b = r.normal(size=5), r.normal() + 2
    a = exp(-b) * exp(x) / (exp(-b) * exp(x).sum())
    return [(sm(x), a), (a, exp(x - b) / exp(x).sum())]


@case("s12-lse-convex")
def _(r: Rng) -> Pairs:
    x, v = r.normal(size=5), r.normal(size=5)
    p = sm(x)
    H = D(lambda x: D(lambda x: log(exp(x).sum()), x, 1e-3), x, 1e-3)
    M = np.diag(p) - np.outer(p, p)
    return [(H, M), (v @ M @ v, (p * v**2).sum() - (p * v).sum())]


# --------------------------------------------------------------------------------- sigmoid, tanh, softplus


@case("g01-sigmoid-prime")
def _(r: Rng) -> Pairs:
    x = r.normal()
    e = exp(-x)
    return chain(D(sg, x), e / (1 + e) ** 2, 1 / (1 + e) * (1 - 1 / (1 + e)), sg(x) * (1 - sg(x)))


@case("g02-sigmoid-symmetry")
def _(r: Rng) -> Pairs:
    a = r.normal()
    q = exp(-a) / (1 + exp(-a))
    return [(1 - sg(a), q), *chain(q, 1 / (exp(a) + 1), sg(-a)), (sg(a) + sg(-a), 1)]


@case("g03-tanh-sigmoid")
def _(r: Rng) -> Pairs:
    x = r.normal()
    e = exp(-2 * x)
    return chain((exp(x) - exp(-x)) / (exp(x) + exp(-x)), (1 - e) / (1 + e), 2 / (1 + e) - 1, 2 * sg(x) - 1)


@case("g04-tanh-prime")
def _(r: Rng) -> Pairs:
    z = r.normal()
    a, b = exp(z) + exp(-z), exp(z) - exp(-z)
    return chain(D(tanh, z), (a**2 - b**2) / a**2, 1 - (b / a) ** 2, 1 - tanh(z) ** 2)


@case("g05-softplus")
def _(r: Rng) -> Pairs:
    x = r.normal()
    return chain(D(lambda x: log(1 + exp(x)), x), exp(x) / (1 + exp(x)), sg(-x))


@case("g06-log-sigmoid")
def _(r: Rng) -> Pairs:
    t = r.normal()
    s = sg(t)
    return [(D(sg, t), s * (1 - s)), *chain(D(lambda t: log(sg(t)), t), D(sg, t) / s, s * (1 - s))]


@case("g07-sigmoid-second")
def _(r: Rng) -> Pairs:
    x = r.normal()
    s, d = sg(x), D(sg, x)
    dd = D(lambda x: D(sg, x, 1e-3), x, 1e-3)
    return [(d, s - s**2), *chain(dd, d - 2 * s * d, d * (1 - 2 * s)), (dd, s * (1 - s) * (1 - 2 * s))]


@case("g08-softplus-difference")
def _(r: Rng) -> Pairs:
    x = r.normal()

    def s(x: Any) -> Any:
        return log(1 + exp(x))

    return chain(s(x) - s(-x), log((1 + exp(x)) / (1 + exp(-x))), log(exp(x) * (1 + exp(-x)) / (1 + exp(-x))), -x)


# ------------------------------------------------------------------------------------------ cross-entropy


@case("c01-one-hot")
def _(r: Rng) -> Pairs:
    t, k = r.normal(size=5), 2
    y, p = onehot(k, 5), sm(t)

    def ce(t: Any) -> Any:
        return -(y * log(sm(t))).sum()

    return [
        *chain(ce(t), -log(p[k]), -t[k] + log(exp(t).sum())),
        *chain(D(ce, t), -y + exp(t) / exp(t).sum(), p - y),
        (D(ce, t), p - y),
    ]


@case("c02-soft-labels")
def _(r: Rng) -> Pairs:
    t, z = dist(r, 5), r.normal(size=5)
    p, J, delta = sm(z), D(sm, z), np.eye(5)
    g = D(lambda z: -(t * log(sm(z))).sum(), z)
    return [
        *chain(
            g,
            -((t / p)[:, None] * J).sum(0),
            -((t / p * p)[:, None] * (delta - p[None, :])).sum(0),
        ),
        (-(t[:, None] * (delta - p[None, :])).sum(0), -t + (t * p).sum()),
    ]


@case("c03-logistic-weights")
def _(r: Rng) -> Pairs:
    w, x, b, y = r.normal(size=4), r.normal(size=4), r.normal(), float(r.integers(2))
    p = sg(w @ x + b)

    def of_p(p: Any) -> Any:
        return -y * log(p) - (1 - y) * log(1 - p)

    return [
        *chain(D(of_p, p, 1e-5), -y / p + (1 - y) / (1 - p), (p - y) / (p * (1 - p))),
        (D(lambda w: of_p(sg(w @ x + b)), w), (p - y) * x),
        (D(lambda b: of_p(sg(w @ x + b)), b), p - y),
    ]


@case("c04-margin-labels")
def _(r: Rng) -> Pairs:
    w, x, y = r.normal(size=4), r.normal(size=4), float(r.choice([-1, 1]))
    e = exp(-y * w @ x)
    return chain(D(lambda w: log(1 + exp(-y * w @ x)), w), -y * x * e / (1 + e), y * x * sg(-y * w @ x))


@case("c05-class-weights")
def _(r: Rng) -> Pairs:
    w, y, z = r.uniform(0.3, 2, size=5), dist(r, 5), r.normal(size=5)
    lse = log(exp(z).sum())

    def E(z: Any) -> Any:
        return -(w * y * log(sm(z))).sum()

    return [
        (log(sm(z)), z - lse),
        (E(z), -(w * y * z).sum() + (w * y).sum() * lse),
        (D(E, z), -w * y + sm(z)),
    ]


@case("c06-batch-mean")
def _(r: Rng) -> Pairs:
    N, K = 4, 5
    Z, Y = r.normal(size=(N, K)), dist(r, N, K)
    P = sm(Z)
    g = D(lambda Z: -(Y * log(sm(Z))).sum() / N, Z)
    return chain(g, 1 / N * (P * Y.sum(1, keepdims=True) - Y), (P - Y) / N)


@case("c07-logits")
def _(r: Rng) -> Pairs:
    a, t = r.normal(), r.uniform()

    def B(a: Any) -> Any:
        return log(1 + exp(a)) - t * a

    return [
        *chain(
            -t * log(sg(a)) - (1 - t) * log(1 - sg(a)),
            t * log(1 + exp(-a)) + (1 - t) * log(1 + exp(a)),
            t * (log(1 + exp(a)) - a) + (1 - t) * log(1 + exp(a)),
            B(a),
        ),
        *chain(D(B, a), exp(a) / (1 + exp(a)) - t, sg(a) - t),
    ]


@case("c08-smoothing")
def _(r: Rng) -> Pairs:
    K, e = 5, r.uniform(0.05, 0.5)
    y, s = onehot(3, K), r.normal(size=K)
    yt = (1 - e) * y + e / K
    q = sm(s)
    return [
        *chain(yt.sum(), (1 - e) * y.sum() + e, 1),
        *chain(D(lambda s: -(yt * log(sm(s))).sum(), s), q - yt, q - (1 - e) * y - e),
    ]


@case("c09-batch-matrix")
def _(r: Rng) -> Pairs:
    N, d, K = 6, 3, 4
    X, W, Y = r.normal(size=(N, d)), r.normal(size=(d, K)), dist(r, N, K)
    P = sm(X @ W)

    def J(S: Any) -> Any:
        return -(Y * log(sm(S))).sum()

    return [(D(J, X @ W), P - Y), (D(lambda W: J(X @ W), W), (P - Y).T @ X)]


@case("c10-unnormalised")
def _(r: Rng) -> Pairs:
    y, eta = r.uniform(0, 3, size=5), r.normal(size=5)
    n, p = y.sum(), sm(eta)

    def F(eta: Any) -> Any:
        return -(y * log(sm(eta))).sum()

    return [
        (F(eta), -(y * eta).sum() + n * log(exp(eta).sum())),
        (D(F, eta), n * p - y),
        ((n * p - y).sum(), 0),
    ]


@case("c11-binary-prob")
def _(r: Rng) -> Pairs:
    t, q = r.uniform(0.1, 0.9), r.uniform(0.2, 0.8)
    a = -t / q - (1 - t) / (1 - q)
    return [
        (D(lambda q: -t * log(q) - (1 - t) * log(1 - q), q), a),
        *chain(a, -(t * (1 - q) + q * (1 - t)) / (q * (1 - q)), -(t + q - 2 * t * q) / (q * (1 - q))),
    ]


@case("c12-batch-bias")
def _(r: Rng) -> Pairs:
    N, d = 5, 3
    X, y, w, b = r.normal(size=(N, d)), r.integers(2, size=N), r.normal(size=d), r.normal()

    def J(w: Any, b: Any) -> Any:
        p = sg(X @ w + b)
        return -(y * log(p) + (1 - y) * log(1 - p)).sum() / N

    e = sg(X @ w + b) - y
    g = D(lambda w: J(w, b), w)
    return [
        (g, 1 / N * (e[:, None] * X).sum(0)),
        (D(lambda b: J(w, b), b), 1 / N * e.sum()),
        (g, 1 / N * X.T @ e),
    ]


# ----------------------------------------------------------------------------------------------- networks


@case("n01-rows")
def _(r: Rng) -> Pairs:
    d, H, K = 3, 4, 5
    x, W1, b1 = r.normal(size=(1, d)), r.normal(size=(d, H)), r.normal(size=(1, H))
    W2, b2, y = r.normal(size=(H, K)), r.normal(size=(1, K)), onehot(1, K)[None]

    def of_z2(z: Any) -> Any:
        return -(y * log(sm(z))).sum()

    def of_h(h: Any) -> Any:
        return of_z2(h @ W2 + b2)

    def of_z1(z: Any) -> Any:
        return of_h(sg(z))

    z1 = x @ W1 + b1
    h = sg(z1)
    e = sm(h @ W2 + b2) - y
    return [
        (D(of_z2, h @ W2 + b2), e),
        (D(of_h, h), e @ W2.T),
        (D(of_z1, z1), (e @ W2.T) * h * (1 - h)),
        (D(lambda x: of_z1(x @ W1 + b1), x), D(of_z1, z1) @ W1.T),
    ]


@case("n02-columns")
def _(r: Rng) -> Pairs:
    d, H, K = 3, 4, 5
    x, W1, b1 = r.normal(size=d), r.normal(size=(H, d)), r.normal(size=H)
    W2, b2, y = r.normal(size=(K, H)), r.normal(size=K), onehot(1, K)

    def J(t: Any) -> Any:
        return -(y * log(sm(t))).sum()

    h = tanh(W1 @ x + b1)
    delta = sm(W2 @ h + b2) - y
    return [
        (D(J, W2 @ h + b2), delta),
        (D(lambda h: J(W2 @ h + b2), h), W2.T @ delta),
        (D(lambda W: J(W @ h + b2), W2), np.outer(h, delta)),
    ]


@case("n03-bias")
def _(r: Rng) -> Pairs:
    M, K = 3, 5
    W, a, b, y = r.normal(size=(K, M)), r.normal(size=M), r.normal(size=K), dist(r, K)
    z = W @ a + b

    def J(z: Any) -> Any:
        return -(y * log(sm(z))).sum()

    dz = D(lambda b: W @ a + b, b)
    return [
        (dz, np.eye(K)),
        *chain(D(lambda b: J(W @ a + b), b), (D(J, z)[:, None] * dz).sum(0), D(J, z), sm(z) - y),
    ]


@case("n04-two-hidden")
def _(r: Rng) -> Pairs:
    d, H = 3, 4
    A, B, c, x = r.normal(size=(H, d)), r.normal(size=(H, H)), r.normal(size=H), r.normal(size=d)
    z1 = A @ x
    h1 = sg(z1)
    z2 = B @ h1
    h2 = sg(z2)
    d2 = c * h2 * (1 - h2)
    return [
        (D(lambda z: c @ sg(z), z2), d2),
        (D(lambda z: c @ sg(B @ sg(z)), z1), (B @ d2) * h1 * (1 - h1)),
    ]


@case("n05-minibatch")
def _(r: Rng) -> Pairs:
    N, d, M = 5, 3, 4
    X, Vm, T = r.normal(size=(N, d)), r.normal(size=(d, M)), r.normal(size=(N, M))

    def L(A: Any) -> Any:
        return 0.5 * ((A - T) ** 2).sum()

    A = sg(X @ Vm)
    G = D(lambda Z: L(sg(Z)), X @ Vm)
    gV = D(lambda V: L(sg(X @ V)), Vm)
    return [
        (D(L, A), A - T),
        (G, (A - T) * A * (1 - A)),
        (gV, np.einsum("nd,nm->dm", X, G)),
        (gV, X.T @ G),
    ]


@case("n06-tanh-net")
def _(r: Rng) -> Pairs:
    d, H = 3, 4
    w, x, v, t = r.normal(size=(H, d)) * 0.5, r.normal(size=d), r.normal(size=H), r.normal()
    h = tanh(w @ x)
    o = v @ h

    def hid(w: Any) -> Any:
        return tanh(w @ x)

    dh = D(hid, w)  # [j, a, i]: derivative of h_j with respect to w_ai
    dh = np.stack([dh[j, j] for j in range(H)])
    return [
        *chain(D(lambda v: 0.5 * (v @ h - t) ** 2, v), (o - t) * D(lambda v: v @ h, v), (o - t) * h),
        *chain(
            D(lambda w: 0.5 * (v @ hid(w) - t) ** 2, w),
            (o - t) * v[:, None] * dh,
            (o - t) * (v * (1 + h**2))[:, None] * x[None],
        ),
    ]


@case("n07-scalar-net")
def _(r: Rng) -> Pairs:
    u, v, x = r.normal(size=3)
    h = sg(u * x)
    f = sg(v * h)
    fh = D(lambda h: sg(v * h), h)
    return [
        (D(lambda v: sg(v * h), v), f * (1 - f) * h),
        (fh, f * (1 - f) * v),
        *chain(
            D(lambda u: sg(v * sg(u * x)), u),
            fh * D(lambda u: sg(u * x), u),
            f * (1 - f) * v * h * (1 - h) * x,
        ),
    ]


@case("n08-weight-entry")
def _(r: Rng) -> Pairs:
    d, H = 5, 3
    x, W, u = r.normal(size=d), r.normal(size=(d, H)), r.normal(size=H)
    z = x @ W
    h = sg(z)
    dz = D(lambda W: x @ W, W)  # [j, d, j']
    own = np.stack([dz[j, :, j] for j in range(H)], 1)
    return [
        (D(lambda z: u @ sg(z), z), u * sg(z) * (1 - sg(z))),
        (own, np.repeat(x[:, None], H, 1)),
        (D(lambda W: u @ sg(x @ W), W), np.repeat((u * h * (1 - h) * x[:H])[None], d, 0)),
    ]


@case("n09-linear")
def _(r: Rng) -> Pairs:
    m, d = 3, 4
    W, x, b, t = r.normal(size=(m, d)), r.normal(size=d), r.normal(size=m), r.normal(size=m)

    def res(W: Any, x: Any, b: Any) -> Any:
        return W @ x + b - t

    def L(W: Any, x: Any, b: Any) -> Any:
        return 0.5 * res(W, x, b) @ res(W, x, b)

    q = res(W, x, b)
    dr = D(lambda W: res(W, x, b), W)
    own = np.stack([dr[i, i] for i in range(m)])
    gW = D(lambda W: L(W, x, b), W)
    return [
        *chain(gW, q[:, None] * own, np.outer(q, x)),
        (gW, q[:, None] @ x[None]),
        (D(lambda b: L(W, x, b), b), q),
        (D(lambda x: L(W, x, b), x), W.T @ q),
    ]


@case("n10-batch-mean-net")
def _(r: Rng) -> Pairs:
    N, M, K = 5, 3, 4
    H, U, b = r.normal(size=(N, M)), r.normal(size=(M, K)), r.normal(size=K)
    Y = np.eye(K)[r.integers(K, size=N)]

    def J(S: Any) -> Any:
        return -(Y * log(sm(S))).sum() / N

    E = sm(H @ U + b) - Y
    return [
        (D(J, H @ U + b), E / N),
        (D(lambda U: J(H @ U + b), U), np.einsum("nm,nk->mk", H, E) / N),
        (D(lambda b: J(H @ U + b), b), E.sum(0)),
    ]


# ------------------------------------------------------------------------------------------- word vectors


@case("w01-skipgram-center")
def _(r: Rng) -> Pairs:
    n, d, o = 5, 3, 2
    U, v = r.normal(size=(n, d)), r.normal(size=d)

    def P(v: Any) -> Any:
        return exp(U @ v) / exp(U @ v).sum()

    e = exp(U @ v)
    return [
        (-log(P(v)[o]), -U[o] @ v + log(e.sum())),
        *chain(
            D(lambda v: -log(P(v)[o]), v),
            -U[o] + (e[:, None] * U).sum(0) / e.sum(),
            -U[o] + (P(v)[:, None] * U).sum(0),
        ),
    ]


@case("w02-skipgram-outside")
def _(r: Rng) -> Pairs:
    n, d, o = 5, 3, 2
    U, v, y = r.normal(size=(n, d)), r.normal(size=d), onehot(2, 5)
    p = sm(U @ v)
    return [
        (D(lambda s: -log(sm(s)[o]), U @ v), p - y),
        (D(lambda U: -log(sm(U @ v)[o]), U), (p - y)[:, None] * U),
    ]


@case("w03-negative-center")
def _(r: Rng) -> Pairs:
    K, d = 4, 3
    u, U, v, x = r.normal(size=d), r.normal(size=(K, d)), r.normal(size=d), r.normal()
    g = D(lambda v: -log(sg(u @ v)) - log(sg(-U @ v)).sum(), v)
    return [
        (D(lambda x: log(sg(x)), x), 1 - sg(x)),
        (g, -(1 - sg(u @ v)) * u + ((1 - sg(-U @ v))[:, None] * U).sum(0)),
        (1 - sg(-x), sg(x)),
        (g, (sg(u @ v) - 1) * u + (sg(U @ v)[:, None] * U).sum(0)),
    ]


@case("w04-negative-samples")
def _(r: Rng) -> Pairs:
    K, d = 4, 3
    u, U, v = r.normal(size=d), r.normal(size=(K, d)), r.normal(size=d)

    def loss(u: Any, U: Any) -> Any:
        return -log(sg(u @ v)) - log(sg(-U @ v)).sum()

    return [
        (D(lambda u: loss(u, U), u), (sg(u @ v) - 1) * v),
        *chain(D(lambda U: loss(u, U), U), sg(U @ v)[:, None] * v[None], (sg(-U @ v) - 1)[:, None] * v[None]),
    ]


@case("w05-cbow-mean")
def _(r: Rng) -> Pairs:
    C, n, d, t = 4, 5, 3, 1
    Vc, U = r.normal(size=(C, d)), r.normal(size=(n, d))
    h = Vc.sum(0) / C

    def J(h: Any) -> Any:
        return -log(sm(U @ h)[t])

    e = sm(U @ h) - onehot(t, n)
    total = (e[:, None] * U).sum(0)
    return [(D(J, h), total), (D(lambda V: J(V.sum(0) / C), Vc), np.repeat(total[None], C, 0))]


@case("w06-cbow-sum")
def _(r: Rng) -> Pairs:
    m, K, d = 4, 5, 3
    Vc, u, Nn = r.normal(size=(m, d)) * 0.5, r.normal(size=d), r.normal(size=(K, d))

    def F(s: Any) -> Any:
        return -log(sg(u @ s)) - log(sg(-Nn @ s)).sum()

    s = Vc.sum(0)
    g = D(F, s)
    return [
        (g, (sg(u @ s) - 1) * u + (sg(Nn @ s)[:, None] * Nn).sum(0)),
        (D(lambda V: F(V.sum(0)), Vc), np.repeat(g[None], m, 0)),
    ]


@case("w07-subwords")
def _(r: Rng) -> Pairs:
    G, d = 4, 3
    Z, u = r.normal(size=(G, d)), r.normal(size=d)
    v = Z.sum(0) / G

    def L(v: Any) -> Any:
        return log(1 + exp(-u @ v))

    def rows(a: Any) -> Any:
        return np.repeat(a[None], G, 0)

    e = exp(-u @ v)
    return [
        *chain(D(L, v), -e / (1 + e) * u, -sg(-u @ v) * u),
        *chain(D(lambda Z: L(Z.sum(0) / G), Z), rows(D(L, v) / G), rows(-1 / G * sg(-u @ v) * u)),
    ]


@case("w08-hierarchical")
def _(r: Rng) -> Pairs:
    L, n = 4, 3
    T, h, d = r.normal(size=(L, n)), r.normal(size=n), r.choice([-1.0, 1.0], size=L)

    def E(T: Any, h: Any) -> Any:
        return -log(np.prod(sg(d * (T @ h))))

    s = sg(d * (T @ h))
    return [
        (E(T, h), -log(s).sum()),
        (D(lambda T: E(T, h), T), -(d * (1 - s))[:, None] * h[None]),
        (D(lambda h: E(T, h), h), -((d * (1 + s))[:, None] * T).sum(0)),
    ]


@case("w09-glove")
def _(r: Rng) -> Pairs:
    n, d = 4, 3
    w, wt, b, bt = r.normal(size=(n, d)), r.normal(size=(n, d)), r.normal(size=n), r.normal(size=n)
    f, X = r.uniform(0.1, 1, size=(n, n)), r.uniform(0.5, 9, size=(n, n))

    def res(w: Any, b: Any) -> Any:
        return w @ wt.T + b[:, None] + bt[None] - log(X)

    q = res(w, b)
    return [
        (D(lambda w: (f * res(w, b) ** 2).sum(), w), 2 * np.einsum("ij,ij,jd->id", f, q, wt)),
        (D(lambda b: (f * res(w, b) ** 2).sum(), b), 2 * (f * q).sum(1)),
    ]


@case("w10-glove-pair")
def _(r: Rng) -> Pairs:
    w, c, b, d = r.normal(size=3), r.normal(size=3), r.normal(), r.normal()
    X, f = r.uniform(0.5, 9), r.uniform(0.1, 1)

    def loss(w: Any, c: Any, b: Any) -> Any:
        return f * (w @ c + b + d - log(X)) ** 2

    e = w @ c + b + d - log(X)
    return [
        (D(lambda w: loss(w, c, b), w), 2 * f * e * c),
        (D(lambda c: loss(w, c, b), c), 2 * f * e * w),
        (D(lambda b: loss(w, c, b), b), f * e),
    ]


# ------------------------------------------------------------------------------------------------- others


@case("o01-l2")
def _(r: Rng) -> Pairs:
    w, x, y, lam = r.normal(size=4), r.normal(size=4), float(r.choice([-1, 1])), r.uniform(0.1, 2)
    sq = np.linalg.norm(w) ** 2
    g = D(lambda w: log(1 + exp(-y * w @ x)) + lam / 2 * (w @ w), w)
    return [
        (lam / 2 * sq, lam / 2 * (w**2).sum()),
        (D(lambda w: np.linalg.norm(w) ** 2, w), 2 * w),
        (g, -y * sg(-y * w @ x) * x + lam * w),
    ]


@case("o02-logistic-hessian")
def _(r: Rng) -> Pairs:
    w, x, y = r.normal(size=3), r.normal(size=3), float(r.integers(2))

    def loss(w: Any) -> Any:
        return log(1 + exp(w @ x)) - y * (w @ x)

    p = sg(w @ x)
    H = D(lambda w: D(loss, w, 1e-3), w, 1e-3)
    dp = D(lambda w: sg(w @ x), w)
    return [(D(loss, w), (p - y) * x), *chain(H, x[:, None] * dp[None], p * np.outer(x, x))]


@case("o03-quadratic")
def _(r: Rng) -> Pairs:
    A, x = r.normal(size=(4, 4)), r.normal(size=4)
    g = D(lambda x: x @ A @ x, x)
    return [
        (x @ A @ x, sum(x[i] * A[i, j] * x[j] for i in range(4) for j in range(4))),
        (g, (A * x[None]).sum(1) + (A * x[:, None]).sum(0)),
        *chain(g, A @ x + A.T @ x, (A + A.T) @ x),
    ]


@case("o04-least-squares")
def _(r: Rng) -> Pairs:
    N, d = 5, 3
    w, X, t = r.normal(size=d), r.normal(size=(N, d)), r.normal(size=N)
    return chain(
        D(lambda w: 0.5 * ((X @ w - t) ** 2).sum(), w),
        sum((w @ X[n] - t[n]) * X[n] for n in range(N)),
        sum(np.outer(X[n], X[n]) for n in range(N)) @ w + sum(t[n] * X[n] for n in range(N)),
    )


@case("o05-kl")
def _(r: Rng) -> Pairs:
    p, th = dist(r, 5), r.normal(size=5)
    q = sm(th)

    def kl(q: Any) -> Any:
        return (p * log(p / q)).sum()

    def cross(q: Any) -> Any:
        return -(p * log(q)).sum()

    return [
        *chain(kl(q), (p * log(p)).sum() - (p * log(q)).sum(), cross(q) - -(p * log(p)).sum()),
        *chain(D(lambda t: kl(sm(t)), th), D(lambda t: cross(sm(t)), th), q - p),
    ]


@case("o06-geometric")
def _(r: Rng) -> Pairs:
    b, T = r.uniform(0.3, 0.9), int(r.integers(3, 7))
    S = sum(b**t for t in range(T + 1))
    return chain(S - b * S, S - sum(b ** (t + 1) for t in range(T + 1)), 1 - b**T)


@case("o07-temperature")
def _(r: Rng) -> Pairs:
    x, tau, k = r.normal(size=5), r.uniform(1.5, 3), 2

    def L(x: Any) -> Any:
        return -log(sm(x / tau)[k])

    return [(L(x), -x[k] / tau + log(exp(x / tau).sum())), (D(L, x), sm(x / tau) - onehot(k, 5))]


@case("o08-sentence-mean")
def _(r: Rng) -> Pairs:
    n, d, K = 4, 3, 5
    e, W, y = r.normal(size=(n, d)), r.normal(size=(K, d)), onehot(1, 5)

    def J(W: Any, f: Any) -> Any:
        return -y @ log(sm(W @ f))

    f = e.sum(0) / n
    p = sm(W @ f)
    return [
        (D(lambda f: J(W, f), f), W.T @ (p - y)),
        (D(lambda W: J(W, f), W), np.outer(p - y, f)),
        (D(lambda e: J(W, e.sum(0) / n), e), np.repeat((W.T @ (p - y) / n)[None], n, 0)),
    ]


# -------------------------------------------------------------------------------------------------- check


def agree(a: Any, b: Any) -> bool:
    """Whether both sides have one shape and equal values."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-7)


def squeeze(text: str) -> str:
    """LaTeX without white space and alignment marks."""
    return re.sub(r"[\s&]", "", text)


def main() -> None:
    """Assert the whole truth and print its counts."""
    truth = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    files = sorted(path.name for path in HERE.glob("*.md"))
    assert files == sorted(truth) == sorted(CASES), set(files) ^ set(CASES)
    counts: dict[str, int] = {}
    for name, entry in truth.items():
        text = (HERE / name).read_text(encoding="utf-8")
        lines = text.splitlines()
        assert 3 <= len(lines) <= 30, name
        steps = entry["steps"]
        assert [s["line"] for s in steps] == sorted(s["line"] for s in steps), name
        for step in steps:
            counts[step["verdict"]] = counts.get(step["verdict"], 0) + 1
            assert "=" in lines[step["line"] - 1], (name, step)
            for side in ("left", "right"):
                assert squeeze(step[side]) in squeeze(text), (name, step)
        fails = [s for s in steps if s["verdict"] == "fails"]
        assert len(fails) == (entry["planted"] is not None), name
        assert not fails or entry["planted"]["line"] == fails[0]["line"], name
        judged = [s for s in steps if s["verdict"] != "definition"]
        for seed in range(8):
            pairs = CASES[name](np.random.default_rng([seed, 7]))
            assert len(pairs) == len(judged), (name, len(pairs), len(judged))
            for step, (a, b) in zip(judged, pairs, strict=True):
                assert agree(a, b) == (step["verdict"] == "holds"), (name, seed, step, a, b)
                if step["verdict"] == "fails" and np.shape(a) == np.shape(b):
                    assert math.fabs(np.max(np.abs(np.asarray(a) - b))) > 1e-3, (name, seed, step)
    wrong = sum(entry["planted"] is not None for entry in truth.values())
    assert (len(truth), wrong) == (60, 30)
    print(f"{len(truth)} files, {wrong} with one planted error; steps: {counts}")


if __name__ == "__main__":
    main()
