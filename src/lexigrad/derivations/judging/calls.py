"""Functions: the known ones, and those that the text leaves open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from mpmath import mp

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.applied import applied
from lexigrad.derivations.judging.points import Dim, Typed, join, same_shape
from lexigrad.derivations.judging.products import multiplied
from lexigrad.derivations.judging.quantities import without_argument
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import Call, Name

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning


def call(meaning: Meaning, node: Call) -> Typed:
    """Return a function of its arguments: one that the text defines, else a known one, else one that the text leaves open."""
    scene, function = meaning.scene, node.function
    inner = [part for argument in node.arguments for part in argument.walk()]
    if function == "sigma" and Name("sigma") in inner and not node.primes:  # sigma (1 - sigma)
        return multiplied(scene, without_argument(meaning, "sigma"), meaning.of(node.arguments[0]), "")
    definition = scene.facts.definition(function, len(node.arguments))
    if definition is not None and definition.parameters and definition not in scene.building:
        return applied(meaning, node, definition)
    arguments = [meaning.of(argument) for argument in node.arguments]
    if function == "log" and node.base is not None:
        return _log(meaning.of(node.base), *arguments)
    if function in ("max", "min"):
        return _extreme(function, arguments)
    if function in numbers.FUNCTIONS:
        if len(arguments) != 1:
            raise Unreadable(f"{function} of {len(arguments)} arguments")
        return _entrywise(numbers.FUNCTIONS[function], arguments[0], node.primes)
    if node.primes and function in ("softmax", "logsumexp", "log_softmax"):
        raise Unreadable(f"{function}' without a variable")
    if function in OF_ARRAYS:
        return OF_ARRAYS[function](arguments)
    if function in OF_DISTRIBUTIONS and len(arguments) == 2:
        return OF_DISTRIBUTIONS[function](*arguments)
    return _open(scene, node, arguments)


def _log(base: Typed, argument: Typed) -> Typed:
    """Return the logarithm to a base."""
    log = numbers.FUNCTIONS["log"]
    return Typed(
        argument.dims,
        lambda point: numbers.divide(numbers.elementwise(log, argument.run(point)), mp.log(base.run(point))),
    )


def _entrywise(function: Callable[[Any], Any], argument: Typed, primes: int) -> Typed:
    """Return a function, or its derivative, of every entry."""
    for _ in range(primes):
        function = partial(numbers.slope, function)
    return Typed(argument.dims, lambda point: numbers.elementwise(function, argument.run(point)), argument.turned)


def _extreme(function: str, arguments: list[Typed]) -> Typed:
    """Return the largest or smallest entry, or, of several arguments, of each of their entries."""
    if not arguments:
        raise Unreadable(f"{function} of nothing")
    pick = max if function == "max" else min
    if len(arguments) == 1:
        (argument,) = arguments
        if argument.rank != 1:
            raise IllTyped(f"{function} of something that is no vector")
        return Typed((), lambda point: pick(argument.run(point)))
    dims: tuple[Dim, ...] = ()
    for argument in arguments:
        if argument.rank and dims:
            for one, other in zip(dims, argument.dims, strict=True):
                join(one, other)
        dims = dims or argument.dims
    return Typed(dims, lambda point: numbers.elementwise(pick, *(argument.run(point) for argument in arguments)))


def _vector(arguments: list[Typed], function: str) -> Typed:
    """Return the argument, which is a vector, or a matrix of row vectors."""
    if len(arguments) == 1 and arguments[0].rank in (1, 2):
        return arguments[0]
    raise IllTyped(f"{function} of something that is no vector")


def _softmax(arguments: list[Typed]) -> Typed:
    """Return the softmax of a vector, or of each row."""
    x = _vector(arguments, "softmax")
    return Typed(x.dims, lambda point: numbers.softmax(x.run(point)), x.turned)


def _log_softmax(arguments: list[Typed]) -> Typed:
    """Return the logarithms of the softmax."""
    x = _vector(arguments, "log-softmax")
    return Typed(x.dims, lambda point: numbers.elementwise(mp.log, numbers.softmax(x.run(point))), x.turned)


def _logsumexp(arguments: list[Typed]) -> Typed:
    """Return log sum_i exp(x_i)."""
    x = _vector(arguments, "logsumexp")
    if x.rank != 1:
        raise IllTyped("logsumexp of a matrix")
    return Typed((), lambda point: mp.log(numbers.total(numbers.elementwise(mp.exp, x.run(point)))))


def _mean(arguments: list[Typed]) -> Typed:
    """Return the mean of all entries."""
    x = _vector(arguments, "mean")
    return Typed((), lambda point: numbers.total(x.run(point)) / x.run(point).size)


def _diag(arguments: list[Typed]) -> Typed:
    """Return the matrix with a vector on its diagonal, or the diagonal of a matrix."""
    x = _vector(arguments, "diag")
    if x.rank == 2:
        join(*x.dims)
        return Typed(x.dims[:1], lambda point: np.diagonal(x.run(point)).copy())
    return Typed((x.dims[0], x.dims[0]), lambda point: numbers.diagonal(x.run(point)))


def _square(arguments: list[Typed], function: str) -> Typed:
    """Return the argument, which is a square matrix."""
    if len(arguments) != 1 or arguments[0].rank != 2:
        raise IllTyped(f"{function} of something that is no matrix")
    join(*arguments[0].dims)
    return arguments[0]


def _trace(arguments: list[Typed]) -> Typed:
    """Return the trace."""
    if len(arguments) == 1 and arguments[0].rank == 0:
        return arguments[0]
    matrix = _square(arguments, "the trace")
    return Typed((), lambda point: numbers.total(np.diagonal(matrix.run(point))))


def _determinant(arguments: list[Typed]) -> Typed:
    """Return the determinant."""
    matrix = _square(arguments, "the determinant")
    return Typed((), lambda point: numbers.determinant(matrix.run(point)))


def _cross_entropy(y: Typed, p: Typed) -> Typed:
    """Return -sum_i y_i log p_i."""
    same_shape(y, p)
    log = numbers.FUNCTIONS["log"]
    return Typed((), lambda point: -numbers.total(y.run(point) * numbers.elementwise(log, p.run(point))))


def _divergence(p: Typed, q: Typed) -> Typed:
    """Return sum_i p_i log(p_i / q_i)."""
    same_shape(p, q)
    log = numbers.FUNCTIONS["log"]
    return Typed(
        (),
        lambda point: numbers.total(
            p.run(point) * numbers.elementwise(log, numbers.divide(p.run(point), q.run(point)))
        ),
    )


def _open(scene: Scene, node: Call, arguments: list[Typed]) -> Typed:
    """Return a function that the text leaves open."""
    function = node.function
    if function not in scene.facts.symbols.functions:
        raise Unreadable(f"the function {function!r} is not known here")
    smooth = numbers.Smooth(function)
    if (
        len(arguments) == 1
        and arguments[0].rank
        and scene.choices.choose([("entrywise", 0.0), ("whole", 0.5)]) == "entrywise"
    ):
        return _entrywise(smooth, arguments[0], node.primes)
    if node.primes:
        if len(arguments) != 1 or arguments[0].rank:
            raise Unreadable(f"{function}' of several numbers")
        return _entrywise(smooth, arguments[0], node.primes)
    return Typed((), lambda point: smooth(*(argument.run(point) for argument in arguments)))


OF_ARRAYS: dict[str, Callable[[list[Typed]], Typed]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "mean": _mean,
    "diag": _diag,
    "tr": _trace,
    "det": _determinant,
}
"""Known functions of a vector or a matrix."""

OF_DISTRIBUTIONS = {"CE": _cross_entropy, "KL": _divergence}
"""Known functions of two vectors."""
