"""Newton's method in the space of examples, for sparse examples with more features than there are examples.

The optimum W is a combination of the examples: where the gradient X^T R + l2 W is 0, W = X^T (-R / l2). So W = X^T A with A of the shape of the
scores, (n, n_scores), and with the matrix K = X X^T all steps of `minimize.newton` can be taken in terms of A:

    S = K A + b,    |W|^2 = A . K A,    gradient = X^T (R + l2 A), sum of the rows of R
    H (X^T B, v) = (X^T (T + l2 B), sum of the rows of T)        with T of U = K B + v
    (X^T B) . (X^T C) = B . K C

A product with K reads each column of X once and needs no vector of the size of W; a trial of a step needs none. A direction need not be
exact, so conjugate gradients take their products in float32; K A of each point is computed in float64.
(Kernel logistic regression: J. Zhu and T. Hastie, Journal of Computational and Graphical Statistics 14, 2005.)
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from lexigrad.kernels import softmax_regression as kernels
from lexigrad.training.minimize import (
    DECREASE,
    FLOOR,
    FORCING,
    HALVINGS,
    MOST_PRODUCTS,
    ROUNDING,
    Report,
    Search,
    relative,
)
from lexigrad.training.softmax_regression import Floats, Objective, SparseRows, bounds_of

ENTRIES = 1 << 19
"""Entries of X in a chunk of a product with K."""


class Place(NamedTuple):
    """A, K A and b."""

    a: Floats
    image: Floats
    intercept: Floats


class DualPoint(NamedTuple):
    """A place and what is known there: the cost and its parts, probabilities, and R."""

    place: Place
    cost: float
    probs: Floats
    residuals: Floats


def newton(
    objective: DualObjective, search: Search[DualPoint], max_iter: int, tolerance: float, report: Report
) -> None:
    """Run Newton's method as `minimize.newton` does."""
    while search.iterations < max_iter and not search.converged:
        found, slope = objective.direction(search.point, tolerance)
        search.gap = relative(-0.5 * slope, search.point.cost)
        point = objective.step(search.point, found, slope)
        search.iterations += 1
        search.converged = search.gap <= max(tolerance, FLOOR) or point is None
        search.point = point or search.point
        report(search)


def serves(rows: Any, l2: float) -> bool:
    """Say whether examples are better served here than in the space of features."""
    return isinstance(rows, SparseRows) and len(rows.parts) == 1 and rows.n < rows.dim and l2 > 0


class DualObjective:
    """The cost of an `Objective` over sparse rows, in one part, as a function of A and b."""

    def __init__(self, objective: Objective) -> None:
        assert isinstance(objective.rows, SparseRows)
        self.rows, self.objective, self.sizes, self.l2 = objective.rows, objective, objective.sizes, objective.l2
        self.size = self.rows.n * self.sizes.stride
        chunks = max(1, min(8, len(self.rows.values) // ENTRIES))
        cuts = np.linspace(0, len(self.rows.ranges), chunks + 1).astype(int)
        edges = [*(first for first, _ in self.rows.ranges), self.rows.dim]
        self.chunks = [(edges[a], edges[b]) for a, b in pairwise(cuts)]
        counts = np.diff(self.rows.starts)
        alone = self.rows.starts[:-1][counts == 1]
        self.own = np.bincount(self.rows.rows[alone], self.rows.values[alone] ** 2, self.rows.n).astype(np.float64)
        self.forms = {
            np.float64: (self.rows.values, self.own),
            np.float32: (self.rows.values.astype(np.float32), self.own.astype(np.float32)),
        }

    def start(self, weights: Floats) -> DualPoint:
        """Return the point at W and b, or as near to them as X^T A gets along A = -c R.

        For a W that is the optimum of any l2 this is W itself, with c = 1 / l2.
        """
        objective, stride = self.objective, self.sizes.stride
        intercept = weights[-stride:].copy()
        nothing = Place(np.zeros(self.size), np.zeros(self.size), intercept)
        if not weights[:-stride].any():
            return self.evaluate(nothing)
        gradient, probs = np.empty(len(weights)), np.empty(self.size)
        cost = self.rows.loss_gradient(weights, objective.ids, objective.sample_weights, self.sizes, probs, gradient)
        a = -self.rows.residuals
        length = self.dot(gradient[:-stride], gradient[:-stride])
        if not (math.isfinite(cost) and length > 0):
            return self.evaluate(nothing)
        a *= -self.dot(weights[:-stride], gradient[:-stride]) / length
        return self.evaluate(Place(a, self.image(a), intercept))

    def image(self, a: Floats, dtype: Any = np.float64) -> Floats:
        """Return K A, computed in float64 or float32."""
        rows, (values, own) = self.rows, self.forms[dtype]
        a = a.astype(dtype, copy=False)

        def work(first: int, stop: int) -> Any:
            image = np.empty(self.size, dtype)
            kernels.sparse_gram(
                rows.rows, values, own, rows.starts, first, stop, a, self.sizes.stride, image, np.empty(self.sizes.stride, dtype)
            )  # fmt: skip
            return image

        images = rows.workers.run(work, self.chunks)
        total = images[0].astype(np.float64)
        for image in images[1:]:
            total += image
        return total

    def dot(self, a: Floats, b: Floats) -> float:
        """Return a . b."""
        return kernels.dot(a, b, 0, len(a))

    def sum_rows(self, values: Floats) -> Floats:
        """Return the sum of the rows, which is the intercept's part; 0 where there is none."""
        out = np.zeros(self.sizes.stride)
        if self.sizes.intercept:
            kernels.sum_rows(values, self.rows.n, self.sizes.stride, out)
        return out

    def evaluate(self, place: Place) -> DualPoint:
        """Return the cost and what belongs to it."""
        objective, sizes = self.objective, self.sizes
        scores = (place.image.reshape(-1, sizes.stride) + place.intercept).reshape(-1)
        residuals = np.empty(self.size)

        def work(first: int, stop: int) -> float:
            return kernels.rows_loss_residuals(
                scores, first, stop, sizes.n_scores, sizes.stride, sizes.implied, objective.ids, objective.sample_weights, residuals,
                np.empty(kernels.BLOCK * sizes.stride),
            )  # fmt: skip

        costs = self.rows.workers.run(work, bounds_of(self.rows.n, max(1, min(8, self.rows.n // 256))))
        cost = math.fsum(costs) if np.isfinite(costs).all() else math.nan
        return DualPoint(place, cost + 0.5 * self.l2 * self.dot(place.a, place.image), scores, residuals)

    def weights(self, place: Place) -> Floats:
        """Return W = X^T A and b, as the kernels have them."""
        out = np.empty((self.rows.dim + 1) * self.sizes.stride)
        self.rows.residuals[:] = place.a
        self.rows.transposed(self.sizes, out)
        out[-self.sizes.stride :] = place.intercept
        return out

    def direction(self, point: DualPoint, tolerance: float) -> tuple[Place, float]:
        """Return Newton's step by conjugate gradients, and the slope of the cost along it; compare `minimize.conjugate_gradients`."""
        sizes, n, size = self.sizes, self.rows.n, self.size
        sample_weights = self.objective.sample_weights
        rest = -(point.residuals + self.l2 * point.place.a)
        rest_intercept = -self.sum_rows(point.residuals)
        image = self.image(rest, np.float32)
        along = Place(rest.copy(), image.copy(), rest_intercept.copy())
        found = Place(np.zeros(size), image, np.zeros(sizes.stride))
        first = squares = self.dot(rest, image) + self.dot(rest_intercept, rest_intercept)
        start_image, start_intercept = image, rest_intercept
        enough = max(FORCING**2 * first, 0.02 * tolerance * self.objective.l2 * max(point.cost, 1e-300))
        for products in range(MOST_PRODUCTS):
            if not squares > enough and products:
                break
            product = (along.image.reshape(n, -1) + along.intercept).reshape(-1)
            kernels.rows_curvatures(point.probs, product, 0, n, sizes.n_scores, sizes.stride, sample_weights)
            product_intercept = self.sum_rows(product)
            product += self.l2 * along.a
            curvature = self.dot(product, along.image) + self.dot(product_intercept, along.intercept)
            if not curvature > 0:
                break
            step = squares / curvature
            kernels.step_both(along.a, product, found.a, rest, step, 0, size)
            found.intercept[:] += step * along.intercept
            rest_intercept = rest_intercept - step * product_intercept
            image = self.image(rest, np.float32)
            before, squares = squares, self.dot(rest, image) + self.dot(rest_intercept, rest_intercept)
            share = squares / before
            kernels.turn(rest, along.a, share, 0, size)
            kernels.turn(image, along.image, share, 0, size)
            along.intercept[:] = rest_intercept + share * along.intercept
        slope = -(self.dot(found.a, start_image) + self.dot(found.intercept, start_intercept))
        return found._replace(image=self.image(found.a)), slope

    def step(self, point: DualPoint, found: Place, slope: float) -> DualPoint | None:
        """Return the first point along a direction, its length halved each time, whose cost is low enough; None where rounding hides the fall."""
        step = 1.0
        for _ in range(HALVINGS):
            new = self.evaluate(Place(*(old + step * change for old, change in zip(point.place, found, strict=True))))
            if self.fell(point, new, found, step, slope):
                return new
            if abs(step * slope) <= ROUNDING * abs(point.cost):
                return None
            step *= 0.5
        return None

    def fell(self, point: DualPoint, new: DualPoint, found: Place, step: float, slope: float) -> bool:
        """Say whether a step kept enough of the slope's promise; compare `minimize.fell`."""
        if not math.isfinite(new.cost):
            return False
        if new.cost <= point.cost + DECREASE * step * slope:
            return True
        if new.cost > point.cost + 1e-10 * abs(point.cost):
            return False
        new_slope = self.dot(new.residuals + self.l2 * new.place.a, found.image)
        new_slope += self.dot(self.sum_rows(new.residuals), found.intercept)
        return new_slope <= (2 * DECREASE - 1) * slope
