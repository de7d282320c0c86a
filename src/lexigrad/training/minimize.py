"""Minima of smooth convex costs: Newton's method by conjugate gradients, and L-BFGS.

Both keep the best point in a `Search` as they go, so that whoever interrupts them has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lexigrad.errors import DivergenceError
from lexigrad.kernels import softmax_regression as kernels
from lexigrad.training.softmax_regression import Floats, Objective, Point, Solve

DECREASE = 1e-4
"""Share of the slope's promise that a step must keep (Armijo 1966; J. Nocedal and S. Wright, Numerical Optimization, 2006, 3.4)."""
CURVATURE = 0.9
"""Share of the slope that a step of L-BFGS must lose (Wolfe 1969; Nocedal and Wright 3.5)."""
PAIRS = 10
"""Steps that L-BFGS remembers."""
FORCING = 0.2
"""Error that a linear system of Newton's method may keep, in the norm of its preconditioner."""
MOST_PRODUCTS = 500
"""Hessian-vector products of one linear system."""
HALVINGS = 60
REFRESH = 6
"""Products of a linear system after which the preconditioner is made anew."""
ROUNDING = 1e-13
"""Relative differences of the cost below this are noise."""


@dataclass
class Search:
    """Where a search stands.

    Attributes
    ----------
    point : the best so far
    iterations : steps taken
    gap : estimate of (cost - its minimum) / cost at the point before the last step
    converged : the gap was within the tolerance
    """

    point: Point
    iterations: int = 0
    gap: float = math.inf
    converged: bool = False


Report = Callable[[Search], None]


def newton(objective: Objective, search: Search, max_iter: int, tolerance: float, report: Report) -> None:
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
        search.gap = -0.5 * slope / max(search.point.cost, 1e-300)
        point = halve(objective, search.point, direction, slope)
        search.iterations += 1
        search.converged = search.gap <= tolerance or point is None
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


def lbfgs(objective: Objective, search: Search, max_iter: int, tolerance: float, report: Report) -> None:
    """Step along -B g, with B made of the last steps and changes of the gradient (Nocedal and Wright, algorithms 7.4 and 7.5).

    `gap` is half of g.B g over the cost: Newton's estimate with B in place of the inverse Hessian.
    """
    steps: list[Floats] = []
    changes: list[Floats] = []
    while search.iterations < max_iter and not search.converged:
        point = search.point
        direction = two_loops(objective, point.gradient, steps, changes)
        slope = objective.dot(direction, point.gradient)
        search.gap = -0.5 * slope / max(point.cost, 1e-300)
        if steps and search.gap <= tolerance:
            search.converged = True
            return
        if not steps:
            length = math.sqrt(objective.dot(point.gradient, point.gradient))
            direction *= 1.0 / max(length, 1e-300)
            slope /= max(length, 1e-300)
        new = bisect(objective, point, direction, slope) if slope < 0 else None
        search.iterations += 1
        if new is None:
            search.converged = slope == 0 or search.gap <= max(tolerance, ROUNDING)
            return
        step, change = new.weights - point.weights, new.gradient - point.gradient
        if objective.dot(step, change) > 0:
            steps, changes = [*steps, step][-PAIRS:], [*changes, change][-PAIRS:]
        search.point = new
        report(search)


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
