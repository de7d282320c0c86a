"""Print the minimax coefficients of `lexigrad.maths.exp` and `lexigrad.maths.log1p`, with the error that they leave once rounded.

python scripts/coefficients.py        (needs mpmath)

Each is a polynomial q in some basis that minimises the largest error |f - sum_k q_k basis_k| over an interval, by the
exchange algorithm of E. Remez (1934): solve for the polynomial whose errors at n + 1 points alternate in sign and are
equal in size, move the points to the extremes of the error, repeat.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp
import numpy as np

mp.mp.prec = 300
GRID = 4000


def remez(f: Callable, basis: Callable, n: int, low: mp.mpf, high: mp.mpf) -> list[mp.mpf]:
    """Return the n coefficients q that minimise the largest |f(x) - sum_k q_k basis(x, k)| over [low, high]."""
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * mp.cos(mp.pi * (2 * i + 1) / (2 * (n + 1))) for i in range(n + 1)]
    grid = [low + (high - low) * i / GRID for i in range(GRID + 1)]
    for _ in range(30):
        matrix, values = mp.matrix(n + 1, n + 1), mp.matrix(n + 1, 1)
        for i, x in enumerate(points):
            for k in range(n):
                matrix[i, k] = basis(x, k)
            matrix[i, n] = (-1) ** i
            values[i] = f(x)
        q = list(mp.lu_solve(matrix, values))[:n]
        moved = extremes(grid, [f(x) - sum(q[k] * basis(x, k) for k in range(n)) for x in grid], n + 1)
        if moved is None or max(abs(a - b) for a, b in zip(moved, points, strict=True)) < half / 5000:
            break
        points = moved
    return q


def extremes(grid: list[mp.mpf], errors: list[mp.mpf], n: int) -> list[mp.mpf] | None:
    """Return the n points where the error alternates and is largest, or None where it has fewer."""
    chosen: list[int] = []
    for i, error in enumerate(errors):
        inside = 0 < i < len(errors) - 1
        if error == 0 or (inside and (abs(error) < abs(errors[i - 1]) or abs(error) < abs(errors[i + 1]))):
            continue
        if chosen and (errors[chosen[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[chosen[-1]]):
                chosen[-1] = i
        else:
            chosen.append(i)
    while len(chosen) > n:
        chosen.pop(0 if abs(errors[chosen[0]]) < abs(errors[chosen[-1]]) else -1)
    return [grid[i] for i in chosen] if len(chosen) == n else None


def report(name: str, f: Callable, basis: Callable, n: int, low: mp.mpf, high: mp.mpf, dtype: type) -> None:
    """Print coefficients rounded to a dtype and log2 of the largest error with them."""
    rounded = [float(dtype(float(x))) for x in remez(f, basis, n, low, high)]
    grid = [low + (high - low) * (i + mp.mpf(1) / 3) / GRID for i in range(GRID)]
    worst = max(abs(f(x) - sum(q * basis(x, k) for k, q in enumerate(rounded))) for x in grid)
    print(f"{name}, {dtype.__name__}: error 2^{mp.nstr(mp.log(worst, 2), 4)}\n    {rounded}")


def main() -> None:
    """Print all."""
    half = mp.log(2) / 2 * mp.mpf("1.0005")
    exp_rest = lambda r: (mp.exp(r) - 1 - r) / mp.exp(r)  # noqa: E731
    exp_basis = lambda r, k: r ** (k + 2) / mp.exp(r)  # noqa: E731
    report("exp: relative error of exp(r)", exp_rest, exp_basis, 5, -half, half, np.float32)
    report("exp: relative error of exp(r)", exp_rest, exp_basis, 11, -half, half, np.float64)
    top = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.001")
    tiny = mp.mpf(2) ** -40
    log_rest = lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / 2  # noqa: E731
    log_basis = lambda z, k: z ** (k + 1) / 2  # noqa: E731
    report("log1p: relative error of 2 atanh(s)", log_rest, log_basis, 7, tiny, top, np.float64)


if __name__ == "__main__":
    main()
