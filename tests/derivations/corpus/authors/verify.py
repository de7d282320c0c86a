"""Check the expected verdicts of the held-out derivations by plain NumPy, without reading the formulas by program.

For every document a function below evaluates, at a random point, both sides of each step that should hold or fail,
in the order of the document; derivatives are central differences of what the document differentiates. A step that
should hold must agree at every point; one that should fail must disagree at every point.
The places of the steps are checked too: every ``=`` of expected.json stands where it says, with its sides around it.

Run: ``python heldout/verify.py`` (NumPy alone; about a second). Exit code 1 when something is wrong.
"""
# ruff: noqa: E731

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
POINTS = 5
exp, log, tanh, T, eye, outer, diag = np.exp, np.log, np.tanh, np.transpose, np.eye, np.outer, np.diag
Case = Callable[["R"], list[tuple[Any, ...]]]
CASES: dict[str, Case] = {}


class R:
    """Random draws of one point."""

    def __init__(self, seed: int) -> None:
        self.g = np.random.default_rng(seed)

    def v(self, *shape: int) -> Any:
        """Normal draws."""
        return self.g.normal(size=shape) if shape else float(self.g.normal())

    def pos(self, *shape: int) -> Any:
        """Draws from 0.3 to 2."""
        return self.g.uniform(0.3, 2.0, size=shape) if shape else float(self.g.uniform(0.3, 2.0))

    def unit(self) -> float:
        """One draw between 0.1 and 0.9."""
        return float(self.g.uniform(0.1, 0.9))

    def hot(self, n: int) -> Any:
        """A one-hot vector."""
        return eye(n)[self.g.integers(n)]

    def labels(self, n: int) -> Any:
        """Positive labels that sum to 1."""
        y = self.g.uniform(0.2, 1.0, size=n)
        return y / y.sum()


def case(name: str) -> Callable[[Case], Case]:
    def put(f: Case) -> Case:
        assert name not in CASES, name
        CASES[name] = f
        return f

    return put


def D(f: Callable[[Any], Any], x: Any, h: float = 2e-3) -> Any:
    """Derivative by central differences of fourth order: shape of f(x) followed by the shape of x."""
    x = np.asarray(x, float)
    cols = []
    for k in np.ndindex(x.shape):
        d = np.zeros_like(x)
        d[k] = h
        cols.append((8 * (np.asarray(f(x + d)) - f(x - d)) - (np.asarray(f(x + 2 * d)) - f(x - 2 * d))) / (12 * h))
    cols = np.array(cols)
    return np.moveaxis(cols, 0, -1).reshape(cols.shape[1:] + x.shape)


def sg(x: Any) -> Any:
    return 1 / (1 + exp(-x))


def sm(x: Any) -> Any:
    return exp(x) / exp(x).sum()


def lse(x: Any) -> Any:
    return log(exp(x).sum())


def ce(y: Any, p: Any) -> Any:
    return -(y * log(p)).sum()


def chain(*values: Any) -> list[tuple[Any, ...]]:
    """The steps of a = b = c."""
    return [(values[i], values[i + 1]) for i in range(len(values) - 1)]


# --- homework -----------------------------------------------------------------------------------------------------


@case("hw-softmax-shift.md")
def _(r):
    x, c = r.v(4), r.v()
    m, e = x.max(), exp(x)
    return [
        *chain(sm(x), sm(x + c)),
        *chain(
            sm(x + c),
            exp(x + c) / sum(exp(x + c)),
            e * exp(c) / sum(e * exp(c)),
            e * exp(c) / (exp(c) * sum(e)),
            e / sum(e),
            sm(x),
        ),
        *chain(log(sm(x)), x - m - log(sum(exp(x - m)))),
    ]


@case("hw-sigmoid-gradient.md")
def _(r):
    x = r.v()
    u = 1 + exp(-x)
    q = exp(-x) / (1 + exp(-x))
    return [
        *chain(D(lambda t: 1 + exp(-t), x), -exp(-x)),
        *chain(
            D(sg, x),
            -1 / u**2 * D(lambda t: 1 + exp(-t), x),
            -exp(-x) / (1 + exp(-x)) ** 2,
            -sg(x) * q,
            -sg(x) * (1 - sg(x)),
        ),
        *chain(q, (1 + exp(-x) - 1) / (1 + exp(-x)), 1 - sg(x)),
    ]


@case("hw-cross-entropy.md")
def _(r):
    t, y = r.v(5), r.hot(5)
    k = int(y.argmax())
    p, S = sm(t), exp(t).sum()
    g = D(lambda a: ce(y, sm(a)), t)
    o = np.arange(5) != k
    return [
        *chain(ce(y, p), -log(p[k]), -log(exp(t[k]) / S), -t[k] + log(S)),
        *chain(g[k], -1 + exp(t[k]) / S, p[k] - 1),
        *chain(g[o], exp(t[o]) / S, p[o]),
        *chain(g, p - y),
    ]


@case("hw-two-layer.md")
def _(r):
    x, W1, b1, W2, b2, y = r.v(4), r.v(4, 3), r.v(3), r.v(3, 5), r.v(5), r.hot(5)
    z1 = x @ W1 + b1
    h = sg(z1)
    z2 = h @ W2 + b2
    p = sm(z2)
    Jz2 = D(lambda z: ce(y, sm(z)), z2)
    Jh = D(lambda a: ce(y, sm(a @ W2 + b2)), h)
    Jz1 = D(lambda z: ce(y, sm(sg(z) @ W2 + b2)), z1)
    Jx = D(lambda a: ce(y, sm(sg(a @ W1 + b1) @ W2 + b2)), x)
    return [
        *chain(Jz2, p - y),
        *chain(Jh, Jz2 @ W2.T, (p - y) @ W2.T),
        *chain(Jz1, Jh * diag(D(sg, z1)), (p - y) @ W2.T * sg(h) * (1 - sg(h))),
        *chain(Jx, ((p - y) @ W2.T * h * (1 - h)) @ W1.T),
    ]


@case("hw-tanh.md")
def _(r):
    x = r.v()
    th = (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    d = D(lambda t: (exp(t) - exp(-t)) / (exp(t) + exp(-t)), x)
    a, s = 1 + exp(-2 * x), sg(2 * x)
    return [
        *chain(th, (1 - exp(-2 * x)) / a, (2 - a) / a, 2 / a - 1, 2 * s - 1),
        *chain(d, 4 * s * (1 - s), (2 * s) * (2 - 2 * s)),
        *chain(2 * s, th + 1),
        *chain(d, (1 + th) * (1 - th), 1 - th**2),
    ]


@case("hw-sigmoid-symmetry.md")
def _(r):
    x = r.v()
    a, b, n = 1 + exp(-x), sg(x), sg(-x)
    return [
        *chain(1 - b, a / a - 1 / a, exp(-x) / a, 1 / (exp(x) + 1), n),
        *chain(D(lambda t: log(sg(t)), x), 1 / b * b * (1 - b), 1 - b),
        *chain(D(lambda t: log(sg(-t)), x), 1 / n * n * (1 - n), 1 - n, b),
    ]


@case("hw-logistic-regression.md")
def _(r):
    w, x, b, y = r.v(4), r.v(4), r.v(), float(r.g.integers(2))
    z = w @ x + b
    p = sg(z)
    L = lambda q: -y * log(q) - (1 - y) * log(1 - q)
    return [
        *chain(
            D(L, p), -y / p + (1 - y) / (1 - p), (-y * (1 - p) + (1 - y) * p) / (p * (1 - p)), (p - y) / (p * (1 - p))
        ),
        *chain(D(sg, z), p * (1 - p)),
        *chain(D(lambda t: L(sg(t)), z), D(L, p) * D(sg, z), p - y),
        *chain(D(lambda a: L(sg(a @ x + b)), w), (p - y) * x),
        *chain(D(lambda a: L(sg(w @ x + a)), b), p - y),
    ]


@case("hw-softmax-jacobian.md")
def _(r):
    t = r.v(4)
    p, e, S, J = sm(t), exp(t), exp(t).sum(), D(sm, t)
    off = ~eye(4, dtype=bool)
    ee, pp = outer(e, e)[off], outer(p, p)[off]
    return [
        *chain(p, e / sum(exp(t))),
        *chain(diag(J), (e * S - e * e) / S**2, e / S * (S - e) / S, p * (1 - p)),
        *chain(J[off], (0 * S - ee) / S**2, ee / S / S, pp),
    ]


@case("hw-mse-sigmoid.md")
def _(r):
    x, w, t = r.v(), r.v(), r.v()
    o = sg(w * x)
    dE, do = D(lambda a: (a - t) ** 2, o), D(lambda a: sg(a * x), w)
    return [
        *chain(dE, 2 * (o - t)),
        *chain(do, sg(w * x) * (1 - sg(w * x)) * x, o * (1 - o) * x),
        *chain(D(lambda a: (sg(a * x) - t) ** 2, w), dE * do, (o - t) * o * (1 - o) * x, (o - t) * (o - o**2) * x),
    ]


@case("hw-two-classes.md")
def _(r):
    a, b = r.v(), r.v()
    p = sm(np.array([a, b]))
    return [
        *chain(p[0], exp(a) / (exp(a) + exp(b)), 1 / (1 + exp(b) / exp(a)), 1 / (1 + exp(-(a - b))), sg(a - b)),
        *chain(p[1], sg(b - a)),
        *chain(sg(b - a), 1 - sg(a - b)),
        *chain(-log(p[0]), log(1 + exp(b - a))),
        *chain(D(lambda t: log(1 + exp(b - t)), a), -exp(b - a) / (1 + exp(b - a)), p[0] - 1),
    ]


@case("hw-regularised.md")
def _(r):
    X, w, lam = r.v(6, 3), r.v(3), r.pos()
    y = r.g.integers(2, size=6)
    Rf = lambda a: lam / 2 * (a**2).sum()
    Jf = lambda a: -(y * log(sg(X @ a)) + (1 - y) * log(1 - sg(X @ a))).sum() / 6 + Rf(a)
    p = sg(X @ w)
    return [
        *chain(D(Rf, w), 2 * lam * w),
        *chain(D(lambda a: Jf(a) - Rf(a), w), ((p - y)[:, None] * X).sum(0) / 6),
    ]


@case("hw-kl-divergence.md")
def _(r):
    y, t = r.labels(4), r.v(4)
    p = sm(t)
    kl = lambda a: (y * log(y / sm(a))).sum()
    c = lambda a: ce(y, sm(a))
    yp = outer(y, p)
    return [
        *chain(kl(t), (y * log(y)).sum() - (y * log(p)).sum(), c(t) - (-(y * log(y)).sum())),
        *chain(D(kl, t), D(c, t), -((y / p)[:, None] * D(sm, t)).sum(0)),
        *chain(D(c, t), -y * (1 - p) + yp.sum(0) - diag(yp), -y + p * y.sum(), p - y),
    ]


# --- lectures -----------------------------------------------------------------------------------------------------


@case("lec-softmax-jacobian.md")
def _(r):
    x = r.v(4)
    p, e, Z, I, J = sm(x), exp(x), exp(x).sum(), eye(4), D(sm, x)
    cases = np.where(I == 1, outer(p, np.ones(4)) * (1 - p[:, None]), -outer(p, p))
    return [
        *chain(D(lambda t: exp(t).sum(), x), e),
        *chain(J, (I * e[:, None] * Z - outer(e, e)) / Z**2, I * p[:, None] - outer(p, p), p[:, None] * (I - p)),
        *chain(J, cases),
        *chain(J.sum(1), p * (1 - p.sum()), np.zeros(4)),
    ]


@case("lec-logsumexp-hessian.md")
def _(r):
    x, v = r.v(4), r.v(4)
    p = sm(x)
    return [
        *chain(D(lse, x), exp(x) / exp(x).sum(), p),
        *chain(D(lambda t: D(lse, t), x), D(sm, x), outer(p, 1 - p)),
        *chain((p * v**2).sum() - (p * v).sum() ** 2, (p * (v - (p * v).sum()) ** 2).sum()),
    ]


@case("lec-cross-entropy-hessian.md")
def _(r):
    th, t = r.v(4), r.labels(4)
    p, I = sm(th), eye(4)
    l = lambda a: ce(t, sm(a))
    H = D(lambda a: D(l, a), th)
    return [
        *chain(D(sm, th), p[:, None] * (I - p)),
        *chain(
            D(l, th), -((t / p)[:, None] * p[:, None] * (I - p)).sum(0), -(t[:, None] * I).sum(0) + p * t.sum(), p - t
        ),
        *chain(H, D(sm, th).T, p * (I - p[:, None]), I * p - outer(p, p)),
        *chain(np.trace(H), (p * (1 - p)).sum(), 1 - (p**2).sum()),
    ]


@case("lec-attention.md")
def _(r):
    s, v, k, q, I = r.v(5), r.v(5), r.v(5, 3), r.v(3), eye(5)
    out = []
    a = sm(s)
    o = a @ v
    out += chain(D(lambda t: a @ t, v), (a[:, None] * I).sum(0), a)
    out += chain(
        D(lambda t: sm(t) @ v, s),
        (v[:, None] * D(sm, s)).sum(0),
        (v[:, None] * a[:, None] * (I - a)).sum(0),
        a * v - a * (a * v).sum(),
        a * (v - o),
    )
    s = k @ q
    a = sm(s)
    o = a @ v
    ds = D(lambda t: sm(t) @ v, s)
    return out + chain(D(lambda t: sm(k @ t) @ v, q), (ds[:, None] * k).sum(0), ((a * (v - o))[:, None] * k).sum(0))


@case("lec-layer-norm.md")
def _(r):
    n = 5
    x = r.v(n)
    mu = x.sum() / n
    C = D(lambda t: t - t.mean(), x)
    return [
        *chain(D(lambda t: t.sum() / n, x), np.full(n, 1 / n)),
        *chain(C, eye(n) - 1),
        *chain((x - mu).sum(), 0.0),
        *chain(
            D(lambda t: ((t - t.mean()) ** 2).sum() / n, x), 2 / n * ((x - mu)[:, None] * C).sum(0), 2 / n * (x - mu)
        ),
    ]


@case("lec-unit-vector.md")
def _(r):
    x = r.v(4)
    f = lambda t: (t**2).sum() ** 0.5
    rr = f(x)
    return [
        *chain(D(f, x), 0.5 * (x**2).sum() ** -0.5 * 2 * x, x / rr, x / rr),
        *chain(D(lambda t: t / f(t), x), eye(4) / rr),
        *chain(((x / rr) ** 2).sum(), 1 / rr**2 * (x**2).sum(), 1.0),
    ]


@case("lec-kl-both-sides.md")
def _(r):
    a, b, I = r.v(4), r.v(4), eye(4)
    p, q = sm(a), sm(b)
    kl = lambda s, t: (sm(s) * log(sm(s) / sm(t))).sum()
    d, lr = kl(a, b), log(p / q)
    return [
        *chain(D(lambda t: log(sm(t)), b), I - q),
        *chain(D(lambda t: kl(a, t), b), -(p[:, None] * (I - q)).sum(0), q - p),
        *chain(D(sm, a), p[:, None] * (I - p)),
        *chain(
            D(lambda t: kl(t, b), a),
            ((lr + 1)[:, None] * D(sm, a)).sum(0),
            ((lr + 1)[:, None] * p[:, None] * (I - p)).sum(0),
            p * (lr + 1) - p * (d + 1),
            p * (lr - d),
        ),
    ]


@case("lec-quadratic-form.md")
def _(r):
    A, x, I = r.v(4, 4), r.v(4), eye(4)
    Q = lambda t: np.einsum("ik,i,k->", A, t, t)
    return [
        *chain(
            D(Q, x),
            np.einsum("ik,ij,k->j", A, I, x) + np.einsum("ik,i,kj->j", A, x, I),
            np.einsum("jk,k->j", A, x) + np.einsum("ij,i->j", A, x),
            2 * np.einsum("jk,k->j", A, x),
        ),
        *chain((x * D(Q, x)).sum(), 2 * Q(x)),
    ]


@case("lec-multinomial-logit.md")
def _(r):
    W, x, c, I = r.v(5, 3), r.v(3), int(r.g.integers(5)), eye(5)
    p = sm(W @ x)
    z = W @ x
    g = D(lambda w: log(sm(w @ x)[c]), W)
    return [
        *chain(log(p[c]), z[c] - lse(z)),
        *chain(D(lambda w: w @ x, W), np.einsum("km,d->kmd", I, x)),
        *chain(g, outer(I[c], x) - np.einsum("l,lm,d->md", p, I, x), outer(I[c] - p, x)),
        *chain(g.sum(0), x * (1 - p.sum()), np.zeros(3)),
    ]


@case("lec-power-normaliser.md")
def _(r):
    x, a, I = r.pos(4), 1.2 + r.pos(), eye(4)
    f = lambda t: t**a / (t**a).sum()
    w, S, y = f(x), (x**a).sum(), log(x)
    L = D(lambda t: log(f(t)), x)
    return [
        *chain(log(w), a * log(x) - log(S)),
        *chain(L, a * I / x[:, None] - a * x ** (a - 1) / S, a / x * (I - w)),
        *chain(D(f, x), w[:, None] * L, w[:, None] / x * (I - w)),
        *chain(w, exp(a * y) / exp(a * y).sum()),
    ]


@case("lec-centring-matrix.md")
def _(r):
    n = 5
    x, I = r.v(n), eye(n)
    H = I - 1 / n
    return [
        *chain(H @ H, np.einsum("ik,kj->ij", I - 1 / n, I - 1 / n), I - 1 / n - 1 / n + n / n**2, H),
        *chain((H * x).sum(1), x - x.sum() / n, x - x.mean()),
        *chain(np.trace(H), n - 1.0),
    ]


@case("lec-score-function.md")
def _(r):
    t, f, I = r.v(4), r.v(4), eye(4)
    p = sm(t)
    S = D(lambda a: log(sm(a)), t)
    return [
        *chain(S, I - p),
        *chain((p[:, None] * S).sum(0), p - p * p.sum(), np.zeros(4)),
        *chain(
            D(lambda a: sm(a) @ f, t),
            ((p * f)[:, None] * S).sum(0),
            ((p * f)[:, None] * (I - p)).sum(0),
            p * f - p * f * p,
        ),
    ]


# --- matrix calculus ----------------------------------------------------------------------------------------------


@case("mc-linear-layer.md")
def _(r):
    W, x, b, t = r.v(4, 3), r.v(3), r.v(4), r.v(4)
    l = lambda z: ((z - t) ** 2).sum() / 2
    z = W @ x + b
    g = z - t
    lx = lambda a: l(W @ a + b)
    return [
        *chain(D(l, z), z - t),
        *chain(D(lambda w: l(w @ x + b), W), outer(g, x)),
        *chain(D(lambda c: l(W @ x + c), b), g),
        *chain(D(lx, x), W.T @ g),
        *chain(D(lx, x), W.T @ (W @ x + b - t), W.T @ W @ x + W.T @ (b - t)),
        *chain(D(lambda a: D(lx, a), x), W.T @ W),
    ]


@case("mc-mlp-backprop.md")
def _(r):
    n = 4
    x, W1, W2, b1, b2, y = r.v(n), r.v(n, n), r.v(n, n), r.v(n), r.v(n), r.hot(n)
    F = lambda x, W1, b1, W2, b2: ce(y, sm(W2 @ tanh(W1 @ x + b1) + b2))
    a = W1 @ x + b1
    h = tanh(a)
    z = W2 @ h + b2
    p = sm(z)
    d2 = p - y
    d1 = D(lambda t: ce(y, sm(W2 @ tanh(t) + b2)), a)
    return [
        *chain(D(lambda t: ce(y, sm(t)), z), p - y),
        *chain(D(lambda w: F(x, W1, b1, w, b2), W2), outer(d2, h)),
        *chain(D(lambda c: F(x, W1, b1, W2, c), b2), d2),
        *chain(d1, (W2 @ d2) * (1 - h * h)),
        *chain(D(lambda w: F(x, w, b1, W2, b2), W1), outer(d1, x)),
        *chain(D(lambda t: F(t, W1, b1, W2, b2), x), W1.T @ d1),
    ]


@case("mc-least-squares.md")
def _(r):
    X, w, y, v = r.v(5, 3), r.v(3), r.v(5), r.v(3)
    f = lambda a: np.linalg.norm(X @ a - y) ** 2
    g = D(f, w)
    return [
        *chain(f(w), (X @ w - y) @ (X @ w - y), w @ X.T @ X @ w - 2 * y @ X @ w + y @ y),
        *chain(g, 2 * X.T @ X @ w - 2 * X.T @ y, 2 * X.T @ (X @ w - y)),
        *chain(D(lambda a: D(f, a), w), 2 * X.T @ X),
        *chain(D(lambda t: f(w + t * v), 0.0), 2 * (X @ w - y) @ X @ v, v @ g),
    ]


@case("mc-ridge.md")
def _(r):
    N, X, w, y, lam = 5, r.v(5, 3), r.v(3), r.v(5), r.pos()
    f = lambda a: ((X @ a - y) ** 2).sum() / (2 * N)
    return [
        *chain(D(f, w), X.T @ (X @ w - y) / N),
        *chain(
            D(lambda a: f(a) + lam / 2 * (a**2).sum(), w),
            (X.T @ (X @ w - y) + lam * w) / N,
            ((X.T @ X + lam * eye(3)) @ w - X.T @ y) / N,
        ),
    ]


@case("mc-trace.md")
def _(r):
    A, X, B = r.v(5, 3), r.v(3, 4), r.v(4, 5)
    tr = np.trace
    return [
        *chain(tr(A @ X @ B), tr(B @ A @ X), tr(X @ B @ A)),
        *chain(tr(A @ X @ B), tr(B.T @ X.T @ A.T)),
        *chain(D(lambda x: tr(A @ x @ B), X), A.T @ B.T, (B @ A).T),
        *chain(np.linalg.norm(X) ** 2, tr(X.T @ X), (X**2).sum()),
        *chain(D(lambda x: np.linalg.norm(x) ** 2, X), 2 * X),
        *chain(D(lambda x: np.linalg.norm(A @ x) ** 2, X), 2 * A.T @ A @ X),
    ]


@case("mc-quadratic.md")
def _(r):
    A, b, c, x, h = r.v(4, 4), r.v(4), r.v(), r.v(4), r.v(4)
    f = lambda t: t @ A @ t + b @ t + c
    return [
        *chain(f(x + h), f(x) + h @ A @ x + x @ A @ h + b @ h + h @ A @ h),
        *chain(D(f, x), 2 * A @ x + b),
        *chain(x @ A @ x, x @ (A + A.T) @ x / 2),
        *chain(D(lambda t: D(f, t), x), A + A.T),
    ]


@case("mc-softmax-diag.md")
def _(r):
    z, y, one = r.v(4), r.v(4), np.ones(4)
    y = y / y.sum() if abs(y.sum()) > 0.3 else r.labels(4)
    p = sm(z)
    M = diag(p) - outer(p, p)
    L = lambda t: -y @ log(sm(t))
    return [
        *chain(D(sm, z), M),
        *chain(M @ one, p - p * (p @ one), np.zeros(4)),
        *chain(D(L, z), M @ (-y / p), -y + p * (y @ one), p - y),
        *chain(D(lambda t: D(L, t), z), M),
    ]


@case("mc-logistic-hessian.md")
def _(r):
    X, w, v = r.v(6, 3), r.v(3), r.v(3)
    y = r.g.integers(2, size=6)
    l = lambda a: -y @ log(sg(X @ a)) - (1 - y) @ log(1 - sg(X @ a))
    mu = sg(X @ w)
    S = diag(mu * (1 - mu))
    return [
        *chain(D(l, w), X.T @ (mu - y)),
        *chain(D(lambda a: sg(X @ a), w), S @ X),
        *chain(D(lambda a: D(l, a), w), -X.T @ S @ X),
        *chain(v @ X.T @ S @ X @ v, (mu * (1 - mu) * (X @ v) ** 2).sum()),
    ]


@case("mc-norms.md")
def _(r):
    x, A, y, nrm = r.v(4), r.v(3, 4), r.v(4), np.linalg.norm
    y = y / nrm(y)
    c = lambda t: t @ y / nrm(t)
    return [
        *chain(D(lambda t: nrm(t) ** 2, x), 2 * x),
        *chain(D(nrm, x), D(lambda t: np.sqrt(t @ t), x), 1 / (2 * np.sqrt(x @ x)) * 2 * x, x),
        *chain(D(lambda t: nrm(A @ t), x), A.T @ A @ x / nrm(A @ x)),
        *chain(D(c, x), y / nrm(x) - x @ y / nrm(x) ** 3 * x, (y - c(x) * x / nrm(x)) / nrm(x)),
    ]


@case("mc-gaussian.md")
def _(r):
    L, x, mu = r.v(4, 4), r.v(4), r.v(4)
    L = L + L.T
    E = lambda x, mu, L: (x - mu) @ L @ (x - mu) / 2
    gx, d = D(lambda t: E(t, mu, L), x), x - mu
    return [
        *chain(gx, (L + L.T) @ d / 2, L @ d),
        *chain(D(lambda t: E(x, t, L), mu), -L @ d, -gx),
        *chain(E(x, mu, L), x @ L @ x / 2 - mu @ L @ x + mu @ L @ mu / 2),
        *chain(D(lambda M: E(x, mu, M), L), outer(d, d) / 2),
    ]


@case("mc-residual-block.md")
def _(r):
    x, U, V, t, s = r.v(4), r.v(3, 4), r.v(4, 3), r.v(4), r.v()
    h = tanh(U @ x)
    y = x + V @ h
    l = lambda a: ((a - t) ** 2).sum() / 2
    g = y - t
    return [
        *chain(D(l, y), y - t),
        *chain(D(lambda a: l(x + V @ a), h), V.T @ g),
        *chain(D(lambda M: l(x + M @ h), V), outer(g, h)),
        *chain(D(tanh, s), 1 - tanh(s) ** 2),
        *chain(D(lambda M: l(x + V @ tanh(M @ x)), U), outer((1 - h * h) * (V.T @ g), x)),
        *chain(D(lambda a: a + V @ tanh(U @ a), x), V @ diag(1 - h * h) @ U),
    ]


@case("mc-bilinear.md")
def _(r):
    q, k, M = r.v(4), r.v(3), r.v(4, 3)
    s = q @ M @ k
    l = lambda t: log(1 + exp(-t))
    gM = D(lambda m: q @ m @ k, M)
    return [
        *chain(s, k @ M.T @ q, np.trace(M @ outer(k, q)), np.einsum("i,ij,j->", q, M, k)),
        *chain(D(lambda a: a @ M @ k, q), M @ k),
        *chain(D(lambda a: q @ M @ a, k), M.T @ q),
        *chain(gM, outer(q, k)),
        *chain(D(l, s), -exp(-s) / (1 + exp(-s)), -sg(-s), sg(s) - 1),
        *chain(D(lambda m: l(q @ m @ k), M), D(l, s) * gM, (sg(s) - 1) * outer(q, k)),
    ]


# --- word vectors -------------------------------------------------------------------------------------------------


@case("w2v-naive-softmax-center.md")
def _(r):
    u, v, o = r.v(5, 3), r.v(3), int(r.g.integers(5))
    p, y = sm(u @ v), eye(5)[o]
    J = lambda a: -log(sm(u @ a)[o])
    e = exp(u @ v)
    return [
        *chain(J(v), -u[o] @ v + log(e.sum())),
        *chain(D(J, v), -u[o] + (e[:, None] * u).sum(0) / e.sum(), -u[o] + (p[:, None] * u).sum(0)),
        *chain(D(J, v), u.T @ (p - y)),
    ]


@case("w2v-naive-softmax-outside.md")
def _(r):
    u, v, o = r.v(5, 3), r.v(3), int(r.g.integers(5))
    p, e = sm(u @ v), exp(u @ v)
    return [
        *chain(-log(p[o]), log(e.sum()) - u[o] @ v),
        *chain(D(lambda a: -log(sm(a @ v)[o]), u), outer(e / e.sum(), v), outer(p, v)),
        *chain(np.delete(p, o).sum(), 1 - p[o]),
    ]


@case("w2v-negative-sampling.md")
def _(r):
    uo, v, U, x = r.v(3), r.v(3), r.v(4, 3), r.v()
    F = lambda uo, v, U: -log(sg(uo @ v)) - log(sg(-U @ v)).sum()
    a, b = sg(uo @ v), sg(-U @ v)
    return [
        *chain(D(lambda t: log(sg(t)), x), 1 - sg(x)),
        *chain(sg(-x), 1 - sg(x)),
        *chain(
            D(lambda t: F(uo, t, U), v),
            -(1 - a) * uo + ((1 - b)[:, None] * U).sum(0),
            (a - 1) * uo + (sg(U @ v)[:, None] * U).sum(0),
        ),
        *chain(D(lambda t: F(t, v, U), uo), (a - 1) * v),
        *chain(D(lambda t: F(uo, v, t), U), outer(1 - b, v), outer(sg(U @ v), v)),
    ]


@case("w2v-negatives-one-by-one.md")
def _(r):
    ui, v, U = r.v(3), r.v(3), r.v(4, 3)
    F = lambda ui, U: -log(sg(ui @ v)) - log(sg(-U @ v)).sum()
    s, b = sg(ui @ v), sg(-U @ v)
    return [
        *chain(D(lambda t: F(t, U), ui), -1 / s * s * (1 - s) * v, (s - 1) * v),
        *chain(D(lambda t: F(ui, t), U), outer(b * (1 - b) / b, v), outer(1 - b, v), outer(b, v)),
    ]


@case("w2v-skipgram-window.md")
def _(r):
    u, v, m = r.v(6, 3), r.v(3), 2
    out = r.g.integers(6, size=2 * m)
    F = lambda o, a: -u[o] @ a + lse(u @ a)
    g = D(lambda a: sum(F(o, a) for o in out), v)
    return [
        *chain(g, sum(D(lambda a, o=o: F(o, a), v) for o in out)),
        *chain(g, 2 * m * (sm(u @ v)[:, None] * u).sum(0) - u[out].sum(0)),
    ]


@case("w2v-cbow.md")
def _(r):
    x, u, c = r.v(4, 3), r.v(5, 3), int(r.g.integers(5))
    J = lambda vh, u: -log(sm(u @ vh)[c])
    vh = x.sum(0) / 4
    p = sm(u @ vh)
    g = (p[:, None] * u).sum(0) - u[c]
    return [
        *chain(D(lambda a: J(a, u), vh), g),
        *chain(D(lambda a: a.sum(0) / 4, x), np.stack([eye(3) / 4] * 4, axis=1)),
        *chain(D(lambda a: J(a.sum(0) / 4, u), x), np.stack([g] * 4)),
        *chain(D(lambda a: J(vh, a), u)[c], (p[c] - 1) * vh),
    ]


@case("glove-gradients.md")
def _(r):
    n = 4
    w, t, b, bt, X, f = r.v(n, 3), r.v(n, 3), r.v(n), r.v(n), r.pos(n, n) * 5, r.pos(n, n)
    E = lambda w, t, b, bt: w @ t.T + b[:, None] + bt - log(X)
    F = lambda w, t, b, bt: (f * E(w, t, b, bt) ** 2).sum()
    fe = f * E(w, t, b, bt)
    return [
        *chain(F(w, t, b, bt), np.einsum("ij,ij,ij->", f, E(w, t, b, bt), E(w, t, b, bt))),
        *chain(D(lambda a: F(a, t, b, bt), w), 2 * np.einsum("ij,jd->id", fe, t)),
        *chain(D(lambda a: F(w, a, b, bt), t), 2 * np.einsum("ij,id->jd", fe, w)),
        *chain(D(lambda a: F(w, t, a, bt), b), 2 * fe.sum(1)),
        *chain(D(lambda a: F(w, t, b, a), bt), 2 * fe.sum(0)),
    ]


@case("glove-best-bias.md")
def _(r):
    f, rs, b = r.pos(5), r.v(5), r.v()
    L = lambda t: (f * (t - rs) ** 2).sum() / 2
    L2 = lambda t: D(lambda s: D(L, s), t)
    return [
        *chain(D(L, b), (f * (b - rs)).sum(), b * f.sum() - (f * rs).sum()),
        *chain(L2(b), f.sum()),
        *chain(-D(L, 0.0) / L2(0.0), (f * rs).sum() / 5),
    ]


@case("hs-path.md")
def _(r):
    u, h, d = r.v(4, 3), r.v(3), r.g.choice([-1.0, 1.0], size=4)
    J = lambda u, h: -log(np.prod(sg(d * (u @ h))))
    t, s, x = (1 + d) / 2, sg(u @ h), r.v()
    return [
        *chain(J(u, h), -log(sg(d * (u @ h))).sum()),
        *chain(sg(-x), 1 - sg(x)),
        *chain(D(lambda a: J(a, h), u), outer(-d * (1 - sg(d * (u @ h))), h), outer(s - t, h)),
        *chain(D(lambda a: J(u, a), h), ((s - t)[:, None] * u).sum(0)),
        *chain(s + sg(-u @ h), np.ones(4)),
    ]


@case("hs-two-level.md")
def _(r):
    a, b, h = r.v(3), r.v(3), r.v(3)
    P = lambda a, b, h: sg(a @ h) * (1 - sg(b @ h))
    s1, s2 = sg(a @ h), sg(b @ h)
    return [
        *chain(-log(P(a, b, h)), -log(sg(a @ h)) - log(sg(-b @ h))),
        *chain(D(lambda t: -log(P(t, b, h)), a), (s1 - 1) * h),
        *chain(D(lambda t: -log(P(a, t, h)), b), s2 * h),
        *chain(D(lambda t: -log(P(a, b, t)), h), (s1 - 1) * a + s2 * a),
        *chain(P(a, b, h) + s1 * s2, s1),
    ]


@case("nn-row-vectors.md")
def _(r):
    x, W1, b1, W2, b2, y = r.v(3), r.v(3, 4), r.v(4), r.v(4, 5), r.v(5), r.hot(5)
    F = lambda x, W1, b1, W2, b2: ce(y, sm(sg(x @ W1 + b1) @ W2 + b2))
    z1 = x @ W1 + b1
    h = sg(z1)
    z2 = h @ W2 + b2
    d1 = D(lambda z: ce(y, sm(z)), z2)
    d2 = D(lambda a: ce(y, sm(a @ W2 + b2)), h)
    d3 = D(lambda z: ce(y, sm(sg(z) @ W2 + b2)), z1)
    return [
        *chain(d1, sm(z2) - y),
        *chain(d2, d1 @ W2.T),
        *chain(d3, d2 * diag(D(sg, z1)), d2 * h * (1 - h)),
        *chain(D(lambda a: F(x, W1, b1, a, b2), W2), outer(h, d1)),
        *chain(D(lambda a: F(x, W1, b1, W2, a), b2), d1),
        *chain(D(lambda a: F(x, a, b1, W2, b2), W1), outer(x, d3)),
        *chain(D(lambda a: F(x, W1, a, W2, b2), b1), d3),
        *chain(D(lambda a: F(a, W1, b1, W2, b2), x), d3 @ W1.T),
    ]


@case("rnnlm-step.md")
def _(r):
    d = 4
    hp, H, e, I, b1, U, b2, y = r.v(d), r.v(d, d), r.v(d), r.v(d, d), r.v(d), r.v(d, 5), r.v(5), r.hot(5)
    F = lambda H, e, U: ce(y, sm(sg(hp @ H + e @ I + b1) @ U + b2))
    a = hp @ H + e @ I + b1
    h = sg(a)
    th = h @ U + b2
    d1 = D(lambda t: ce(y, sm(t)), th)
    d2 = D(lambda t: ce(y, sm(sg(t) @ U + b2)), a)
    return [
        *chain(d1, sm(th) - y),
        *chain(d2, (d1 @ U.T) * h * (1 - h)),
        *chain(D(lambda t: F(H, e, t), U), outer(h, d1)),
        *chain(D(lambda t: F(t, e, U), H), outer(d2, hp)),
        *chain(D(lambda t: F(H, t, U), e), d2 @ I.T),
    ]


# --- notes --------------------------------------------------------------------------------------------------------


@case("notes-stable-bce.md")
def _(r):
    z, y = 3 * r.v(), r.unit()
    L = lambda t: -y * log(sg(t)) - (1 - y) * log(1 - sg(t))
    p = sg(z)
    return [
        *chain(log(p), -log(1 + exp(-z))),
        *chain(log(1 - p), -z - log(1 + exp(-z))),
        *chain(L(z), (1 - y) * z + log(1 + exp(-z))),
        *chain(L(z), max(z, 0) - y * z + log(1 + exp(-abs(z)))),
        *chain(D(L, z), sg(z) - y),
        *chain(D(lambda t: D(L, t), z), p * (1 - p)),
    ]


@case("notes-softplus.md")
def _(r):
    x, y = 3 * r.v(), r.pos()
    s = lambda t: log(1 + exp(t))
    return [
        *chain(s(x), max(x, 0) + log(1 + exp(-abs(x)))),
        *chain(D(s, x), exp(x) / (1 + exp(x)), sg(x)),
        *chain(s(x) - s(-x), -x),
        *chain(log(sg(x)), -s(-x)),
        *chain(log(exp(y) - 1), y + log(1 - exp(-y))),
    ]


@case("notes-logit.md")
def _(r):
    p, a, b = r.unit(), r.unit(), r.unit()
    f = lambda t: log(t / (1 - t))
    q = p * b / a / (p * b / a + (1 - p) * (1 - b) / (1 - a))
    return [
        *chain(f(p), log(p) - log(1 - p)),
        *chain(sg(f(p)), 1 / (1 + (1 - p) / p), p),
        *chain(f(1 - p), -f(p)),
        *chain(D(f, p, 2e-4), 1 / p + 1 / (1 - p), 1 / (p * (1 - p))),
        *chain(f(q), f(p) + f(b) - f(a)),
    ]


@case("notes-temperature.md")
def _(r):
    z, t, k = r.v(4), 1.2 + r.pos(), int(r.g.integers(4))
    L = lambda z, t: -log(sm(z / t)[k])
    p = sm(z / t)
    return [
        *chain(L(z, t), -z[k] / t + lse(z / t)),
        *chain(D(lambda a: L(a, t), z)[k], t * (p[k] - 1)),
        *chain(D(lambda a: L(z, a), t), z[k] / t**2 - (p * z).sum() / t**2, (z[k] - (p * z).sum()) / t**2),
    ]


@case("notes-label-smoothing.md")
def _(r):
    K, k, e = 5, int(r.g.integers(5)), r.unit()
    z = r.v(K)
    q, p = (1 - e) * eye(K)[k] + e / K, sm(z)
    L = lambda t: ce(q, sm(t))
    return [
        *chain(q.sum(), (1 - e) + K * e / K, 1.0),
        *chain(L(z), -(1 - e) * log(p[k]) - e / K * log(p).sum()),
        *chain(D(L, z), p - q),
        *chain(D(L, z)[k], p[k] - 1 + e * (K - 1) / K),
        *chain(L(z), lse(z) - (1 - e) * z[k] - e * z.mean()),
    ]


@case("notes-l2-decay.md")
def _(r):
    w, g, eta, lam, t = r.v(), r.v(), r.unit(), r.unit(), int(r.g.integers(2, 6))
    w1 = w - eta * (g + lam * w)
    wt = w
    for _ in range(t):
        wt = wt - eta * lam * wt
    c = 1 - eta * lam
    return [
        *chain(w1, (1 - lam) * w - eta * g),
        *chain(wt / w, c**t, exp(t * log(c))),
        *chain(c ** (log(2) / -log(c)), 0.5),
    ]


@case("notes-momentum.md")
def _(r):
    t, mu, eta, w0, g0 = int(r.g.integers(3, 7)), r.unit(), r.unit(), r.v(), r.v()
    g = [0.0, *r.v(t)]
    v, w = [0.0], [w0]
    for s in range(1, t + 1):
        v.append(mu * v[-1] + g[s])
        w.append(w[-1] - eta * v[-1])
    return [
        *chain(v[1], g[1]),
        *chain(v[2], mu * g[1] + g[2]),
        *chain(v[3], mu**2 * g[1] + mu * g[2] + g[3]),
        *chain(v[t], sum(mu ** (t - s) * g[s] for s in range(1, t + 1))),
        *chain(w[t], w0 - eta * sum(v[1:])),
        *chain(sum(mu ** (t - s) * g0 for s in range(1, t + 1)), g0 * (1 - mu**t) / (1 - mu)),
    ]


@case("notes-ema.md")
def _(r):
    t, b, N = int(r.g.integers(2, 7)), r.unit(), float(r.g.integers(2, 30))
    x = [0.0, *r.v(t)]
    al, m = 2 / (N + 1), [0.0]
    for s in range(1, t + 1):
        m.append(b * m[-1] + (1 - b) * x[s])
    return [
        *chain(m[t], (1 - b) * sum(b ** (t - i) * x[i] for i in range(1, t + 1))),
        *chain((1 - b) * sum(b ** (t - i) for i in range(1, t + 1)), 1 - b ** (t - 1)),
        *chain(m[t], m[t - 1] + (1 - b) * (x[t] - m[t - 1])),
        *chain(1 - al, 1 - 2 / (N + 1), (N - 1) / (N + 1)),
    ]


@case("notes-streaming-lse.md")
def _(r):
    x, c, m1, m2, s1, s2, a, b = r.v(5), r.v(), r.v(), r.v(), r.pos(), r.pos(), r.v(), r.v()
    m = max(m1, m2)
    s = s1 * exp(m1 - m) + s2 * exp(m2 - m)
    return [
        *chain(log(exp(x).sum()), c + log(exp(x - c).sum())),
        *chain(m + log(s), log(s1 * exp(m1) + s2 * exp(m2))),
        *chain(log(exp(a) + exp(b)), max(a, b) + log(1 + exp(-abs(a - b)))),
        *chain(log(exp(a) + exp(a)), a + log(2)),
        *chain(D(lambda t: log(exp(t).sum()), x), exp(x) / exp(x).sum()),
    ]


@case("notes-focal.md")
def _(r):
    z, c = r.v(), r.pos()
    p = sg(z)
    F = lambda q: -((1 - q) ** c) * log(q)
    return [
        *chain(D(sg, z), p * (1 - p)),
        *chain(D(F, p, 2e-4), -((1 - p) ** c) / p),
        *chain(-((1 - p) ** 0) * log(p), -log(p)),
        *chain(D(lambda t: -log(sg(t)), z), p - 1),
        *chain(log(p), -log(1 + exp(-z))),
        *chain(1 - p, sg(-z)),
        *chain(F(p), sg(-z) ** c * log(1 + exp(-z))),
    ]


@case("notes-relu-hinge.md")
def _(r):
    x, a, b, al, be = 2 * r.v(), r.v(), r.v(), r.unit(), r.pos()
    f = lambda t: max(t, 0)
    return [
        *chain(f(x) - f(-x), x),
        *chain(f(x) + f(-x), abs(x)),
        *chain(max(a, b), a + f(b - a), (a + b + abs(a - b)) / 2),
        *chain(min(a, b), a + b - max(a, b)),
        *chain(min(max(x, -1), 1), f(x + 1) - f(x - 1) - 1),
        *chain(max(x, al * x), f(x) - al * f(-x), al * x + (1 - al) * f(x)),
        *chain(log(1 + exp(be * x)) / be, f(x) + log(1 + exp(-be * abs(x))) / be),
    ]


@case("notes-lr-schedules.md")
def _(r):
    n, eta, u, k = int(r.g.integers(3, 9)), r.pos(), r.unit(), r.pos()
    c = lambda t: eta / 2 * (1 + np.cos(np.pi * t))
    return [
        *chain(eta * n / n, eta),
        *chain(sum(eta * t / n for t in range(1, n + 1)), eta / n * n**2 / 2, eta * n / 2),
        *chain(c(0), eta),
        *chain(c(0.5), eta / 2),
        *chain(c(1), 0.0),
        *chain(D(c, u), -np.pi * eta / 2 * np.sin(np.pi * u)),
        *chain(c(u), eta * np.cos(np.pi * u / 2) ** 2),
        *chain(exp(-k * log(2) / k), 0.5),
    ]


# --- the check ----------------------------------------------------------------------------------------------------


# What holds an '=' and is no step: ranges below sums, and conditions.
CONDITIONS = (
    r"_\{[^{}]*=[^{}]*\}|[Cc]ase i = j|For i = k|\b[ij] ?= ?[jk]\b(?=[\],]|, &| , &)|, & i = j|\$[wkt] ?= ?[1o][^$]*\$|"
    r"y\^\\top \\mathbf\{1\} = 1|\[i=k\]"
)


def squeeze(text: str) -> str:
    """Text without what the listed sides leave out: spaces, alignment marks, tags, punctuation."""
    text = re.sub(r"\\(tag\*?|label)\{[^{}]*\}|\\(begin|end)\{(align|aligned)\*?\}", "", text)
    return re.sub(r"[\s&.,;:]|\\\\", "", text)


def places(name: str, text: str, steps: list[dict[str, Any]]) -> list[str]:
    """Complaints about the lines and sides listed for one document."""
    wrong = []
    lines = text.split("\n")
    at = (0, 0)
    whole = squeeze(text)
    for s in steps:
        row, col = s["line"] - 1, 0
        if row == at[0]:
            col = at[1]
        right = squeeze(s["right"])
        hit = None
        for m in re.finditer("=", lines[row][col:]):
            rest = squeeze("\n".join([lines[row][col + m.end() :], *lines[row + 1 : row + 12]]))
            if rest.startswith(right):
                hit = col + m.end()
                break
        if hit is None:
            wrong.append(f"{name}:{s['line']}: no '=' before {s['right']}")
            continue
        at = (row, hit)
        if squeeze(s["left"]) not in whole:
            wrong.append(f"{name}:{s['line']}: left side not found: {s['left']}")
    for n, line in enumerate(text.split("\n"), 1):
        found = re.sub(CONDITIONS, "", line).count("=")
        listed = sum(s["line"] == n for s in steps)
        if found != listed:
            wrong.append(f"{name}:{n}: {found} '=' in the text, {listed} listed")
    if [s["line"] for s in steps] != sorted(s["line"] for s in steps):
        wrong.append(f"{name}: steps out of order")
    return wrong


def same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a, float), np.asarray(b, float)
    assert a.shape == b.shape, (a.shape, b.shape)
    return bool(np.abs(a - b).max() <= 2e-7 * (1 + np.abs(a).max()))


def main() -> int:
    expected = json.loads((HERE / "expected.json").read_text())
    names = sorted(p.name for p in HERE.glob("*.md"))
    wrong: list[str] = []
    if names != sorted(expected) or names != sorted(CASES):
        wrong.append("documents, expected.json and the functions here do not name the same files")
    count = {"holds": 0, "fails": 0, "definition": 0}
    for name, e in expected.items():
        text = (HERE / name).read_text()
        if not 5 <= text.count("\n") <= 45:
            wrong.append(f"{name}: {text.count(chr(10))} lines")
        wrong += places(name, text, e["steps"])
        for s in e["steps"]:
            count[s["verdict"]] += 1
        judged = [s for s in e["steps"] if s["verdict"] != "definition"]
        fails = [s for s in judged if s["verdict"] == "fails"]
        if [s["line"] for s in fails] != ([e["planted"]["line"]] if e["planted"] else []):
            wrong.append(f"{name}: the failing steps are not the planted one")
        for seed in range(POINTS):
            pairs = CASES[name](R(seed))
            if len(pairs) != len(judged):
                wrong.append(f"{name}: {len(pairs)} pairs evaluated for {len(judged)} steps")
                break
            for (a, b), s in zip(pairs, judged, strict=True):
                try:
                    ok = same(a, b) == (s["verdict"] == "holds")
                except AssertionError as shapes:
                    ok = False
                    print(name, s["line"], shapes)
                if not ok:
                    wrong.append(f"{name}:{s['line']}: not {s['verdict']} at point {seed}: {s['left']} = {s['right']}")
    per = [sum(1 for e in expected.values() if e["author"] == a) for a in range(1, 6)]
    bad = [sum(1 for e in expected.values() if e["author"] == a and e["planted"]) for a in range(1, 6)]
    if per != [12] * 5 or bad != [6] * 5:
        wrong.append(f"documents per author {per}, with a planted error {bad}")
    print(*wrong, sep="\n")
    print(f"{len(expected)} documents, {sum(bad)} with a planted error; steps: {count}; {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
