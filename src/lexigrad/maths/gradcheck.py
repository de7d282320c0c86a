"""A numeric check of gradients: is this the gradient of that function."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lexigrad.errors import DataError, GradientError, ParameterError

Array = NDArray[Any]
Function = Callable[[Any], tuple[Any, Any]]

RULES: dict[str, tuple[tuple[int, float], ...]] = {
    "four-point": ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0)),
    "two-point": ((-1, -1.0), (1, 1.0)),
    "complex-step": ((1, 1.0),),
}
"""For each method: (multiple of the step, weight of the value there)."""

COORDINATES = 1000
"""Size of x up to which every coordinate is checked, unless `directions` says otherwise."""

DIRECTIONS = 20
"""Random directions for an x larger than that."""

SAMPLE = 20
"""Random coordinates looked at after a direction failed, besides the one that bisection leads to."""

TWO_POINT_STEP, TWO_POINT_TOLERANCE = 1e-4, 1e-5
"""Assignment 1 of Stanford's CS 224N (2017), part 2(f)."""

COMPLEX_STEP = 1e-20
"""Any step works whose square is lost beside 1: nothing is subtracted (Squire and Trapp, SIAM Review 40, 1998)."""

UNSTEADY = "f gave two values at the same x: it draws from a generator that is not set back; make it anew in each call"


@dataclass(frozen=True)
class GradientReport:
    """What `gradcheck` found. As a truth value it is `passed`.

    Attributes
    ----------
    passed : no error was above the tolerance
    error : the worst error found, |numeric - analytic| / max(1, |numeric|, |analytic|); inf where something was not finite
    index : coordinate of the worst error among those that were looked at; None where only directions were
    numeric, analytic : the slope by differences and the gradient's, at `index`, or along the worst direction where it is None
    method, step, tolerance : as used; `step` before scaling
    dtype : in which f was evaluated
    evaluations : how often f was called
    checked : number of coordinates or directions that were compared
    direction : unit vector of the shape of x along which the error was worst; None where every coordinate was checked
    direction_error, direction_numeric, direction_analytic : error and slopes along it; NaN where there is none
    note : what else is wrong, such as a value that is not finite
    """

    passed: bool
    error: float
    index: tuple[int, ...] | None
    numeric: float
    analytic: float
    method: str
    step: float
    tolerance: float
    dtype: str
    evaluations: int
    checked: int
    direction: Array | None = field(default=None, repr=False, compare=False)
    direction_error: float = math.nan
    direction_numeric: float = math.nan
    direction_analytic: float = math.nan
    note: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        kind = "coordinates" if self.direction is None else "random directions"
        lines = [
            f"gradient check {'passed' if self.passed else 'FAILED'}: worst error {self.error:.3g}, tolerance {self.tolerance:.3g}",
            f"  compared   {self.checked} {kind} by {self.method} differences, step {self.step:.3g}, {self.dtype}, {self.evaluations} evaluations",
        ]
        if self.direction is not None:
            lines.append(
                f"  direction  worst: numeric {self.direction_numeric:.10g}, analytic {self.direction_analytic:.10g}, error {self.direction_error:.3g}"
            )
        if self.index is not None:
            lines.append(
                f"  coordinate worst: {_place(self.index)}: numeric {self.numeric:.10g}, analytic {self.analytic:.10g}"
            )
        if self.note:
            lines.append(f"  note       {self.note}")
        return "\n".join(lines)


def gradcheck(
    f: Function,
    x: ArrayLike,
    *,
    method: str = "four-point",
    step: float | None = None,
    tolerance: float | None = None,
    directions: int | None = None,
    seed: int = 0,
    raise_error: bool = True,
) -> GradientReport:
    """Compare the gradient that a function returns with differences of its values.

        four-point     (-f(x + 2h) + 8 f(x + h) - 8 f(x - h) + f(x - 2h)) / 12h      error h^4 f'''''/30
        two-point      (f(x + h) - f(x - h)) / 2h                                    error h^2 f'''/6
        complex-step   Im f(x + ih) / h                                              error h^2 f'''/6, no cancellation

        error = |numeric - analytic| / max(1, |numeric|, |analytic|)

    The defaults, with eps the spacing of numbers next to 1 in the dtype of x:

    ============  ===========================  ==============  =========================================================
    method        step h                       tolerance       reason
    ============  ===========================  ==============  =========================================================
    four-point    eps^(1/5), to a power of 2:  eps^(1/2):      h^4 (truncation) and eps/h (rounding) balance there, at
                  2^-10, float32 2^-5          1.5e-8, 3.5e-4  eps^(4/5); the tolerance leaves room for |f| and |f'''''|
                                                               far above 1: a factor 5e4, in float32 120
    two-point     1e-4; float32 2^-8           1e-5; 4.9e-3    the assignment's rule; below float64, where that step
                                                               drowns in rounding, eps^(1/3) for both
    complex-step  1e-20                        4096 eps:       no difference is taken, so nothing cancels; at most eps^(1/2)
                                               9.1e-13
    ============  ===========================  ==============  =========================================================

    The four-point step (also a given one) grows with max(1, |x_i|) rounded down to a power of 2, along a direction with the median of |x_i|; the
    assignment's does not. The slope is
    taken over the distance between the points as they were rounded, so rounding of x + h does not count as an error.

    Before every evaluation the random states of NumPy (`np.random`) and of Python (`random`) are set back to what they
    were at the call, and again at the end. So a loss that samples can be checked; a generator of its own it must make anew in each call.

    Parameters
    ----------
    f : f(x) -> (value, gradient): a number and an array of the shape of x. It gets a fresh copy of x's shape and dtype each time and may
        write to it. For "complex-step" it also gets complex arrays, must not use abs, real or conj, and must return the imaginary part
    x : where to check, any shape, 0-d too; integers are taken as float64, float32 stays float32. It is never changed
    method : "four-point", "two-point" or "complex-step"
    step, tolerance : None for the defaults above
    directions : how many random directions to check, in place of every coordinate; 0 for every coordinate. None is 0 up to 1,000
        coordinates and 20 above. A direction has entries +-1/sqrt(n), so no coordinate is left out, but an error e in a single one counts
        e / sqrt(n). Where a direction fails, bisection leads to a wrong coordinate in 2 log2(n) further differences
    seed : of the directions
    raise_error : False returns the report of a failed check as well

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientError : an error above the tolerance, or a value or gradient that is not finite; one sentence with the worst index
    DataError : x is empty, not finite or not real; f does not return a number and a gradient of x's shape
    ParameterError : an unknown method, a setting out of range, an f that the complex step cannot go through

    Notes
    -----
    At a kink (relu at 0, |x| at 0, max of equal numbers) there is no gradient: differences give the mean of both slopes, and the check fails
    whatever the function returns. The same holds within two steps of a kink. Check at another x, or with a smaller step.

    Examples
    --------
    >>> import numpy as np
    >>> report = gradcheck(lambda x: (np.sum(x**3), 3 * x**2), [1.0, 2.0, 3.0])
    >>> report.passed, report.evaluations
    (True, 13)
    >>> gradcheck(lambda x: (np.sum(x**3), 3 * x), np.array([1.0, 2.0]))
    Traceback (most recent call last):
    ...
    lexigrad.errors.GradientError: the gradient at [1] is 6 but four-point differences give 12: the error 0.5 is above the tolerance 1.49e-08
    """
    checker = _Checker(f, _point(x), method, step, tolerance)
    report = checker.check(_direction_count(directions, checker.x.size), seed)
    if raise_error and not report.passed:
        raise GradientError(_sentence(report))
    return report


class _Checker:
    """f at x, how it is probed, and how often it was called."""

    def __init__(self, f: Function, x: Array, method: str, step: float | None, tolerance: float | None) -> None:
        if not callable(f):
            raise ParameterError(f"f: expected a function that returns (value, gradient), got {type(f).__name__}")
        if method not in RULES:
            raise ParameterError(f"method={method!r}: expected one of {', '.join(map(repr, RULES))}")
        self.f, self.x, self.method = f, x, method
        usual_step, usual_tolerance = _defaults(method, float(np.finfo(x.dtype).eps))
        self.step = usual_step if step is None else _positive("step", step)
        self.tolerance = usual_tolerance if tolerance is None else _positive("tolerance", tolerance)
        self.scaled = method == "four-point" or (method == "two-point" and x.dtype.itemsize < 8)
        self.wide = np.result_type(x.dtype, np.float64)
        self.evaluations = 0
        self.gradient: Array = np.zeros(0)

    def check(self, directions: int, seed: int) -> GradientReport:
        numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - the user's functions may draw from it
        python_state = random.getstate()

        def restore() -> None:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)

        self.restore = restore
        try:
            return self._check(directions, seed)
        finally:
            restore()

    def _check(self, directions: int, seed: int) -> GradientReport:
        value, gradient = self._evaluate(self.x)
        self.gradient = _gradient(gradient, self.x.shape).astype(self.wide).ravel()
        value = _real(value)
        if not math.isfinite(value):
            return self._report([], note=f"f(x) is {value} at x itself")
        broken = np.flatnonzero(~np.isfinite(self.gradient))
        if broken.size:
            note = f"the gradient is not finite in {broken.size} of {self.x.size} coordinates"
            return self._report([self._coordinate(int(broken[0]))], note=note)
        if directions:
            report = self._along_directions(directions, np.random.default_rng(seed))
        else:
            report = self._report([self._coordinate(i) for i in range(self.x.size)])
        if report.passed:
            return report
        twice = self._value(self.x) != value
        return replace(report, evaluations=self.evaluations, note=UNSTEADY if twice else "")

    def _along_directions(self, count: int, rng: np.random.Generator) -> GradientReport:
        n = self.x.size
        everything = np.arange(n)
        worst: tuple[float, float] | None = None
        worst_signs: Array = np.zeros(0)
        worst_error = -1.0
        for _ in range(count):
            signs = rng.integers(0, 2, n) * 2.0 - 1.0
            slopes = self._slopes(everything, signs)
            if (error := _error(*slopes)) > worst_error:
                worst, worst_signs, worst_error = slopes, signs, error
        assert worst is not None
        coordinates = []
        if worst_error > self.tolerance:
            sample = rng.choice(n, min(SAMPLE, n), replace=False)
            coordinates = [self._coordinate(i) for i in {self._bisect(worst_signs), *sample.tolist()}]
        direction = (worst_signs / math.sqrt(n)).reshape(self.x.shape)
        return self._report(coordinates, count, direction, *worst)

    def _bisect(self, signs: Array) -> int:
        """Return a coordinate whose gradient is wrong: follow the half that disagrees more."""
        where = np.arange(signs.size)
        while where.size > 1:
            halves = np.array_split(where, 2)
            gaps = [_gap(*self._slopes(half, signs[half])) for half in halves]
            where = halves[int(np.argmax(gaps))]
        return int(where[0])

    def _coordinate(self, i: int) -> tuple[int, float, float]:
        return i, *self._slopes(np.array([i]), np.ones(1))

    def _slopes(self, where: Array, signs: Array) -> tuple[float, float]:
        """Return the slope by differences and the gradient's, along a unit vector: `signs` at the coordinates `where`, 0 elsewhere."""
        flat = self.x.ravel()
        base = flat[where].astype(self.wide)
        move = self.step * self._scale(base) * signs / math.sqrt(where.size)
        if self.method == "complex-step":
            there = flat.astype(np.result_type(self.x.dtype, np.complex64))
            there[where] += 1j * move
            total, span = self._imaginary_value(there.reshape(self.x.shape)), there[where].imag.astype(self.wide)
        else:
            total, span = self.wide.type(0), np.zeros(where.size, self.wide)
            for multiple, weight in RULES[self.method]:
                there = flat.copy()
                with np.errstate(over="ignore"):
                    there[where] = base + multiple * move
                span += weight * (there[where].astype(self.wide) - base)
                total += weight * self._value(there.reshape(self.x.shape))
        length = np.sqrt(np.sum(span * span)) if where.size > 1 else abs(span[0])
        if length == 0:
            raise ParameterError(
                f"step={self.step:g} is lost in the rounding of x in {self.x.dtype}: use a larger step"
            )
        with np.errstate(invalid="ignore", over="ignore"):
            return float(total / length), float(np.sum(self.gradient[where] * (span / length)))

    def _scale(self, base: Array) -> Any:
        """Return what the step is multiplied with: the largest power of 2 within max(1, |x|), along a direction with the median |x|."""
        if not self.scaled:
            return 1.0
        return 2.0 ** np.floor(np.log2(max(1.0, float(np.median(np.abs(base))))))

    def _value(self, x: Array) -> Any:
        return self.wide.type(_real(self._evaluate(x)[0]))

    def _imaginary_value(self, x: Array) -> Any:
        advice = "method='complex-step' needs an f that computes with complex numbers; use 'four-point' for this one"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                value, _ = self._evaluate(x)
        except (TypeError, ValueError, np.exceptions.ComplexWarning) as error:
            raise ParameterError(f"{advice} (it failed with: {error})") from error
        if not np.iscomplexobj(value):
            raise ParameterError(f"{advice} (its value lost the imaginary part)")
        return np.imag(_number(value))

    def _evaluate(self, x: Array) -> tuple[Any, Any]:
        self.restore()
        self.evaluations += 1
        result = self.f(x.copy())
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise DataError(f"f: expected it to return (value, gradient), got {type(result).__name__}")
        return result[0], result[1]

    def _report(
        self,
        coordinates: list[tuple[int, float, float]],
        directions: int = 0,
        direction: Array | None = None,
        numeric: float = math.nan,
        analytic: float = math.nan,
        *,
        note: str = "",
    ) -> GradientReport:
        along = _error(numeric, analytic) if directions else math.nan
        error, index = (along if directions else math.inf), None
        if coordinates:
            i, numeric_there, analytic_there = max(coordinates, key=lambda slopes: _error(*slopes[1:]))
            error_there = _error(numeric_there, analytic_there)
            error = max(error, error_there) if directions else error_there
            index = tuple(int(k) for k in np.unravel_index(i, self.x.shape))
        return GradientReport(
            passed=error <= self.tolerance,
            error=error,
            index=index,
            numeric=numeric_there if coordinates else numeric,
            analytic=analytic_there if coordinates else analytic,
            method=self.method,
            step=self.step,
            tolerance=self.tolerance,
            dtype=str(self.x.dtype),
            evaluations=self.evaluations,
            checked=directions or len(coordinates),
            direction=direction,
            direction_error=along,
            direction_numeric=numeric,
            direction_analytic=analytic,
            note=note,
        )


def _defaults(method: str, eps: float) -> tuple[float, float]:
    """Return step and tolerance; the docstring of `gradcheck` has the reasons."""
    if method == "complex-step":
        return COMPLEX_STEP, min(4096 * eps, math.sqrt(eps))
    if method == "two-point":
        if eps < 1e-15:
            return TWO_POINT_STEP, TWO_POINT_TOLERANCE
        return 2.0 ** round(math.log2(eps) / 3), eps ** (1 / 3)
    return 2.0 ** round(math.log2(eps) / 5), math.sqrt(eps)


def _gap(numeric: float, analytic: float) -> float:
    gap = abs(numeric - analytic)
    return gap if math.isfinite(gap) else math.inf


def _error(numeric: float, analytic: float) -> float:
    gap = _gap(numeric, analytic)
    return gap / max(1.0, abs(numeric), abs(analytic)) if math.isfinite(gap) else math.inf


def _point(x: ArrayLike) -> Array:
    """Return a copy of x as floats, or raise `DataError`."""
    try:
        array = np.asarray(x)
    except ValueError:
        raise DataError("x: expected an array of numbers, got rows of different lengths") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"x: expected real numbers, got dtype {array.dtype}")
    if array.size == 0:
        raise DataError(f"x: expected at least one number, got shape {array.shape}; there is nothing to check")
    array = np.array(array, np.float64 if array.dtype.kind != "f" else array.dtype.newbyteorder("="), order="C")
    broken = np.argwhere(~np.isfinite(array))
    if len(broken):
        index = tuple(int(k) for k in broken[0])
        raise DataError(f"x: expected finite numbers, got {array[index]} at {_place(index)}")
    return array


def _number(value: Any) -> Any:
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError("f: expected its value to be one number, got rows of different lengths") from None
    if array.ndim or array.dtype.kind not in "biufc":
        raise DataError(
            f"f: expected its value to be one number, got {type(value).__name__} of shape {array.shape} and dtype {array.dtype}"
        )
    return array[()]


def _real(value: Any) -> Any:
    number = _number(value)
    if np.iscomplexobj(number):
        raise DataError(f"f: expected its value to be a real number, got {number}")
    return number


def _gradient(gradient: Any, shape: tuple[int, ...]) -> Array:
    """Return the gradient as an array of the shape of x, or raise `DataError`."""
    try:
        array = np.asarray(gradient)
    except ValueError:
        raise DataError("f: expected its gradient to be an array of numbers, got rows of different lengths") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"f: expected its gradient to be real numbers, got dtype {array.dtype}")
    if array.shape != shape:
        raise DataError(f"f: expected its gradient to have the shape of x, {shape}, got {array.shape}")
    return array


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < math.inf:
        raise ParameterError(f"{name}={value!r}: expected a positive number")
    return float(value)


def _direction_count(directions: Any, size: int) -> int:
    if directions is None:
        return DIRECTIONS if size > COORDINATES else 0
    if isinstance(directions, bool) or not hasattr(directions, "__index__") or directions < 0:
        raise ParameterError(f"directions={directions!r}: expected a whole number from 0 up, or None")
    return int(directions)


def _place(index: tuple[int, ...]) -> str:
    return str(list(index)) if index else "[()]"


def _sentence(report: GradientReport) -> str:
    note = f"; {report.note}" if report.note else ""
    if report.index is None and report.direction is None:
        return f"{report.note}, so it has no gradient there"
    assert report.index is not None  # a direction that fails always leads to a coordinate
    where = f"the gradient at {_place(report.index)} is {report.analytic:.10g} but {report.method} differences give {report.numeric:.10g}"
    if report.direction is None:
        return f"{where}: the error {report.error:.3g} is above the tolerance {report.tolerance:.3g}{note}"
    return (
        f"{where}: found after a random direction gave {report.direction_analytic:.10g} against {report.direction_numeric:.10g}; "
        f"the error {report.error:.3g} is above the tolerance {report.tolerance:.3g}{note}"
    )
