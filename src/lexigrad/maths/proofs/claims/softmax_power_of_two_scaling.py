"""Softmax scaled by a power of two in place of the exponential of the maximum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp
from mpmath import mp

from lexigrad import maths
from lexigrad.maths.proofs import numeric, shipped, symbolic
from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """Any integers n_i and N. For any n: x and k belong to one score and s is the sum of the other exponentials."""
    x, s = sp.Symbol("x", real=True), sp.Symbol("s", nonnegative=True)
    k, top = sp.symbols("k N", integer=True)
    part = 2 ** (k - top) * sp.exp(x - k * sp.log(2))
    yield Comparison("any n", part / (part + s / 2**top), sp.exp(x) / (sp.exp(x) + s))
    for n in symbolic.DIMENSIONS:
        scores = symbolic.vector("x", n)
        powers = [sp.Symbol(f"n{i}", integer=True) for i in range(n)]
        parts = [2 ** (p - top) * sp.exp(xi - p * sp.log(2)) for xi, p in zip(scores, powers, strict=True)]
        total = sum(parts)
        yield Comparison({"n": n}, [part / total for part in parts], symbolic.softmax(scores))


def in_200_bits() -> Iterator[Comparison]:
    """Six scores, n_i next to x_i / ln 2, N the largest of them."""
    for [x] in numeric.points(6, scale=50):
        powers = [mp.nint(xi / mp.ln2) for xi in x]
        parts = [2 ** (p - max(powers)) * mp.exp(xi - p * mp.ln2) for xi, p in zip(x, powers, strict=True)]
        yield Comparison({"x": x}, [part / sum(parts) for part in parts], numeric.softmax(x))


def as_shipped() -> Iterator[Comparison]:
    """`softmax`, which computes it so, against 200 bits."""
    for [x] in shipped.points(9, scale=20):
        yield Comparison({"x": x}, maths.softmax(x), numeric.softmax([mp.mpf(value) for value in x]), 1e-15)
    x = np.array([1000.0, 999.0, -1000.0])
    yield Comparison({"x": x}, maths.softmax(x), numeric.softmax([mp.mpf(value) for value in x]), 1e-15)


CLAIM = Claim(
    name="softmax_power_of_two_scaling",
    title="Softmax by powers of two",
    statement="With exp(x_i) = 2^n_i exp(r_i), softmax can be computed from the parts 2^(n_i - N) exp(r_i) for any integer N. "
    "A product with a power of two is exact, so the shift by the maximum rounds nothing.",
    latex=r"\mathrm{softmax}(x)_i = \frac{2^{n_i - N} e^{r_i}}{\sum_j 2^{n_j - N} e^{r_j}}, \quad r_i = x_i - n_i \ln 2",
    source="lexigrad.maths.softmax",
    symbolic=by_algebra,
    numeric=in_200_bits,
    shipped=as_shipped,
)
