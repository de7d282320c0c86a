"""Minima of the cost: Newton's method by conjugate gradients, L-BFGS, and SAGA.

All keep the best point in a `Search` as they go, so that whoever interrupts them has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DivergenceError
from lexigrad.kernels import softmax_regression as kernels
from lexigrad.kernels.saga import saga_settle, saga_steps
from lexigrad.training.softmax_regression import Floats, Objective, Point, Solve

DECREASE = 1e-4
"""Share of the slope's promise that a step must keep (Armijo 1966; J. Nocedal and S. Wright, Numerical Optimization, 2006, 3.4)."""
CURVATURE = 0.9
"""Share of the slope that a step of L-BFGS must lose (Wolfe 1969; Nocedal and Wright 3.5)."""
PAIRS = 10
"""Steps that L-BFGS remembers."""
FORCING = 0.3
"""Error that a linear system of Newton's method may keep, in the norm of its preconditioner."""
MOST_PRODUCTS = 500
"""Hessian-vector products of one linear system."""
HALVINGS = 60
FLOOR = 1e-16
"""Newton's gaps below this are nothing."""
WINDOW = 5
"""Steps between the costs from which the rest of the way is extrapolated."""
SLICE = 5e6
"""Numbers that SAGA reads before it lets Ctrl-C through."""
REFRESH = 6
"""Products of a linear system after which the preconditioner is made anew."""
ROUNDING = 1e-13
"""Relative differences of the cost below this are noise."""


P = TypeVar("P")


@dataclass
class Search(Generic[P]):
    """Where a search stands.

    Attributes
    ----------
    point : the best so far
    iterations : steps taken
    gap : estimate of (cost - its minimum) / cost at the point before the last step
    converged : the gap was within the tolerance
    """

    point: P
    iterations: int = 0
    gap: float = math.inf
    converged: bool = False


Report = Callable[[Search[Any]], None]


def relative(gap: float, cost: float) -> float:
    """Return a gap over the cost; 0 where both are 0."""
    return gap / cost if cost > 0 else gap


def newton(objective: Objective, search: Search[Point], max_iter: int, tolerance: float, report: Report) -> None:
    """Solve H d = -g by preconditioned conjugate gradients and step along d, halved until the cost falls enough.

    The cost is half the square of Newton's decrement above its minimum, -g.d/2, up to terms of third order: that over the cost is `gap`.
    (Nocedal and Wright, algorithm 7.1.)
    """
    solve, products = objective.preconditioner(search.point), 0
    while search.iterations < max_iter and not search.converged:
        if products > REFRESH:
            solve = objective.preconditioner(search.point)
        direction, products = conjugate_gradients(objective, search.point, solve, tolerance)
        slope = objective.dot(direction, search.point.gradient)
        search.gap = relative(-0.5 * slope, search.point.cost)
        point = halve(objective, search.point, direction, slope)
        search.iterations += 1
        search.converged = search.gap <= max(tolerance, FLOOR) or point is None
        search.point = point or search.point
        report(search)


def conjugate_gradients(objective: Objective, point: Point, solve: Solve, tolerance: float) -> tuple[Floats, int]:
    """Return an approximate solution of H d = -g, and the number of products with H that it took."""
    direction, rest = np.zeros(objective.size), -point.gradient
    product = np.empty(objective.size)
    solved = solve(rest)
    along = solved.copy()
    size = first = objective.dot(rest, solved)
    # Once the gap, about size / 2, is within the tolerance there is nothing to solve for.
    enough = max(FORCING**2 * first, 0.02 * tolerance * max(point.cost, 1e-300))
    for products in range(MOST_PRODUCTS):
        if not size > enough and products:
            return direction, products
        objective.hessian_product(point, along, product)
        curvature = objective.dot(along, product)
        if not curvature > 0:
            return (direction, products) if products else (along, 1)
        step = size / curvature
        objective.workers.run(
            lambda a, b: kernels.step_both(along, product, direction, rest, step, a, b),  # noqa: B023
            objective.ranges,
        )
        solved = solve(rest)
        before, size = size, objective.dot(rest, solved)
        share = size / before
        objective.workers.run(lambda a, b: kernels.turn(solved, along, share, a, b), objective.ranges)  # noqa: B023
    return direction, MOST_PRODUCTS


def halve(objective: Objective, point: Point, direction: Floats, slope: float) -> Point | None:
    """Return the first point along a direction, its length halved each time, whose cost is low enough; None where rounding hides the fall."""
    step = 1.0
    for _ in range(HALVINGS):
        new = objective.evaluate(point.weights + step * direction)
        if fell(objective, point, new, direction, step, slope):
            return new
        if abs(step * slope) <= ROUNDING * abs(point.cost):
            return None
        step *= 0.5
    return None


def fell(objective: Objective, point: Point, new: Point, direction: Floats, step: float, slope: float) -> bool:
    """Say whether a step kept enough of the slope's promise.

    Near the minimum the difference of two costs is all rounding; there it is taken from the slopes at both ends, which is exact up to third order
    (W. Hager and H. Zhang, SIAM Journal on Optimization 16, 2005, "approximate Wolfe").
    """
    if not math.isfinite(new.cost):
        return False
    if new.cost <= point.cost + DECREASE * step * slope:
        return True
    if new.cost > point.cost + 1e-10 * abs(point.cost):
        return False
    return objective.dot(direction, new.gradient) <= (2 * DECREASE - 1) * slope


def lbfgs(objective: Objective, search: Search[Point], max_iter: int, tolerance: float, report: Report) -> None:
    """Step along -B g, with B made of the last steps and changes of the gradient (Nocedal and Wright, algorithms 7.4 and 7.5).

    `gap` is half of g.B g over the cost, Newton's estimate with B in place of the inverse Hessian, or what `left` says, if that is more.
    """
    costs = [search.point.cost]
    steps: list[Floats] = []
    changes: list[Floats] = []
    while search.iterations < max_iter and not search.converged:
        point = search.point
        direction = two_loops(objective, point.gradient, steps, changes)
        slope = objective.dot(direction, point.gradient)
        search.gap = relative(max(-0.5 * slope, left(costs)), point.cost)
        search.converged = search.gap <= max(tolerance, ROUNDING) or slope == 0
        if search.converged:
            return
        if not steps:
            length = math.sqrt(objective.dot(point.gradient, point.gradient))
            direction *= 1.0 / max(length, 1e-300)
            slope /= max(length, 1e-300)
        new = bisect(objective, point, direction, slope) if slope < 0 else None
        search.iterations += 1
        if new is None:
            search.converged = True  # rounding hides any fall
            return
        step, change = new.weights - point.weights, new.gradient - point.gradient
        if objective.dot(step, change) > 0:
            steps, changes = [*steps, step][-PAIRS:], [*changes, change][-PAIRS:]
        search.point = new
        costs.append(new.cost)
        report(search)


def left(costs: list[float]) -> float:
    """Return how far the last cost is from the minimum, from the falls c and c' of the last two times `WINDOW` steps.

    Where the fall shrinks by the same factor q = c'/c each time, c' q / (1 - q) is left. Infinite while there are too few costs.
    """
    if len(costs) <= 2 * WINDOW:
        return math.inf
    before, middle, now = costs[-1 - 2 * WINDOW], costs[-1 - WINDOW], costs[-1]
    fall, first = middle - now, before - middle
    if abs(fall) <= ROUNDING * abs(now):
        return abs(fall)
    rate = fall / first if first > 0 else 1.0
    return fall * rate / (1.0 - rate) if 0.0 < rate < 1.0 else math.inf


def two_loops(objective: Objective, gradient: Floats, steps: list[Floats], changes: list[Floats]) -> Floats:
    """Return -B g."""
    direction = -gradient
    sizes = [objective.dot(step, change) for step, change in zip(steps, changes, strict=True)]
    shares = []
    for step, change, size in reversed(list(zip(steps, changes, sizes, strict=True))):
        share = objective.dot(step, direction) / size
        direction -= share * change
        shares.append(share)
    if steps:
        direction *= sizes[-1] / objective.dot(changes[-1], changes[-1])
    for step, change, size, share in zip(steps, changes, sizes, reversed(shares), strict=True):
        direction += (share - objective.dot(change, direction) / size) * step
    return direction


def bisect(objective: Objective, point: Point, direction: Floats, slope: float) -> Point | None:
    """Return a point along a direction that satisfies Wolfe's conditions (A. Lewis and M. Overton, Mathematical Programming 141, 2013, 2.6)."""
    low, high, step = 0.0, math.inf, 1.0
    best: Point | None = None
    for _ in range(HALVINGS):
        new = objective.evaluate(point.weights + step * direction)
        if not fell(objective, point, new, direction, step, slope):
            high = step
        else:
            best = new
            if objective.dot(direction, new.gradient) >= CURVATURE * slope:
                return new
            low = step
        step = 2.0 * low if math.isinf(high) else 0.5 * (low + high)
        if abs(step * slope) <= ROUNDING * abs(point.cost):
            break
    return best


def check_start(point: Point) -> None:
    """Raise `DivergenceError` where a search cannot begin."""
    if not (math.isfinite(point.cost) and np.isfinite(point.gradient).all()):
        raise DivergenceError(
            "the cost is not finite where training begins: features or initial coefficients are too large; scale the features to a size around 1"
        )


class ByRows(NamedTuple):
    """Examples by rows: the numbers of row i from ``offsets[i]`` to ``offsets[i + 1]``, in `columns`, or, without columns, in all."""

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32] | None
    values: Floats


def saga(
    objective: Objective, rows: ByRows, search: Search[Point], max_iter: int, tolerance: float, report: Report
) -> None:
    """Take SAGA steps, each epoch in a new order, and the cost after each epoch (`kernels/saga.py`).

    `gap` is what `left` says, over the cost.
    """
    n, dim, sizes = objective.rows.n, objective.rows.dim, objective.sizes
    norms = row_norms(rows, n, dim) + float(sizes.intercept)
    largest = 0.5 * float((objective.sample_weights * norms).max()) + objective.l2 / n
    step = 1.0 / (2.0 * largest + min(2.0 * objective.l2, largest))
    powers = (1.0 - step * objective.l2 / n) ** np.arange(n + 1)
    totals = np.concatenate([[0.0], np.cumsum(powers[:-1])])
    columns = np.empty(0, np.int32) if rows.columns is None else rows.columns
    weights, table, sums = search.point.weights.copy(), objective.residuals(search.point), search.point.gradient.copy()
    sums[: objective.penalised] -= objective.l2 * weights[: objective.penalised]
    last, scratch = np.zeros(dim, np.int64), np.empty(3 * sizes.stride)
    rng = np.random.default_rng(objective.seed)
    slice_ = max(16, int(SLICE * n / max(1, len(rows.values) * sizes.stride)))
    costs = [search.point.cost]
    while search.iterations < max_iter and not search.converged:
        order = rng.permutation(n)
        for first in range(0, n, slice_):
            saga_steps(
                order, first, min(n, first + slice_), int(rows.columns is None), rows.offsets, columns, rows.values, dim, objective.ids,
                objective.sample_weights, sizes.n_scores, sizes.stride, sizes.implied, int(sizes.intercept), step, powers, totals, last, weights,
                table, sums, scratch,
            )  # fmt: skip
        saga_settle(dim, sizes.stride, n, n, step, powers, totals, last, weights, sums)
        point = objective.evaluate(weights.copy())
        if not math.isfinite(point.cost):
            raise DivergenceError(
                "the cost left the finite numbers; bring the features to a size around 1, or use solver='newton'"
            )
        search.iterations += 1
        costs.append(point.cost)
        search.gap = relative(left(costs), point.cost)
        search.converged = search.gap <= max(tolerance, ROUNDING)
        if point.cost <= search.point.cost:
            search.point = point
        report(search)


def row_norms(rows: ByRows, n: int, dim: int) -> Floats:
    """Return the squared length of each row."""
    if rows.columns is None:
        matrix = rows.values.reshape(n, dim)
        return np.asarray(np.einsum("ij,ij->i", matrix, matrix))
    return np.bincount(np.repeat(np.arange(n), np.diff(rows.offsets)), rows.values**2, n).astype(np.float64)
