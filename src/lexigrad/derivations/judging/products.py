"""How shapes are added, multiplied, divided, raised and transposed."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from lexigrad.derivations.judging import numbers
from lexigrad.derivations.judging.dependence import depends
from lexigrad.derivations.judging.points import Dim, Typed, join
from lexigrad.derivations.judging.readings import IllTyped
from lexigrad.derivations.judging.scene import Scene
from lexigrad.derivations.reading.raw import Unreadable
from lexigrad.derivations.reading.tree import (
    Add,
    Derivative,
    Indexed,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Transpose,
)

if TYPE_CHECKING:
    from lexigrad.derivations.judging.meaning import Meaning


def negative(meaning: Meaning, node: Negative) -> Typed:
    """Return -x."""
    value = meaning.of(node.value)
    return Typed(value.dims, lambda point: -value.run(point), value.turned, value.literal)


def add(meaning: Meaning, node: Add) -> Typed:
    """Return x + y or x - y."""
    left, right = meaning.of(node.left), meaning.of(node.right)
    combine = operator.add if node.sign > 0 else operator.sub
    dims = _fitted(meaning.scene, left, right)
    turned, literal = left.turned or right.turned, left.literal and right.literal
    return Typed(dims, lambda point: combine(left.run(point), right.run(point)), turned, literal)


def _fitted(scene: Scene, left: Typed, right: Typed) -> tuple[Dim, ...]:
    """Return the axes of a sum of two terms: the same shapes, a number added to every entry, a vector to every row."""
    if left.rank == right.rank:
        for one, other in zip(left.dims, right.dims, strict=True):
            join(one, other)
        return left.dims
    small, large = (left, right) if left.rank < right.rank else (right, left)
    if small.rank == 0:
        scene.choices.pay(0.0 if small.literal else 0.3 if small.name and large.rank == 1 else 1.2)
        return large.dims
    if small.rank == 1 and large.rank == 2:
        scene.choices.pay(0.6)
        join(small.dims[0], large.dims[1])
        return large.dims
    raise IllTyped("shapes that cannot be added")


def product(meaning: Meaning, node: Product) -> Typed:
    """Return the product of two factors."""
    scene = meaning.scene
    if isinstance(node.left, Indexed) and _differentiates(scene, node.left, node.right):
        return meaning.of(Derivative(node.right, node.left.indices, gradient=True))
    left, right = meaning.of(node.left), meaning.of(node.right)
    if node.sign == "circle" and {left.rank, right.rank} == {1, 2}:
        left, right = _slopes(scene, node.left, left), _slopes(scene, node.right, right)
    return multiplied(scene, left, right, node.sign)


def _differentiates(scene: Scene, operator: Indexed, value: Node) -> bool:
    """Tell whether D_x f is a derivative: f depends on x, and D is nothing else."""
    variable = operator.indices[0]
    if operator.base != Name("D") or len(operator.indices) != 1 or not isinstance(variable, Name):
        return False
    return scene.facts.definition("D") is None and depends(scene, value, variable.name)


def _slopes(scene: Scene, node: Node, typed: Typed) -> Typed:
    """Return the diagonal of the Jacobian of an entrywise function, where entries are multiplied by it."""
    if not (isinstance(node, Derivative) and typed.rank == 2):
        return typed
    scene.choices.pay(1.0)
    scene.choices.notes.append("a Jacobian among entrywise products was read as its diagonal")
    join(*typed.dims)
    return Typed(typed.dims[:1], lambda point: np.diagonal(typed.run(point)).copy())


def multiplied(scene: Scene, left: Typed, right: Typed, sign: str) -> Typed:
    """Return the product that a sign, or no sign, means between these shapes."""
    if not left.rank or not right.rank:
        if (left.rank == 2 or left.turned) and right.name and not right.literal and sign == "" and left.name:
            scene.choices.pay(1.5)
        dims = left.dims or right.dims
        return Typed(
            dims,
            lambda point: left.run(point) * right.run(point),
            left.turned or right.turned,
            left.literal and right.literal,
        )
    if sign == "circle":
        return _entrywise(scene, left, right)
    if left.rank == right.rank == 1:
        return _vectors(scene, left, right, sign)
    return _contracted(scene, left, right)


def _entrywise(scene: Scene, left: Typed, right: Typed) -> Typed:
    """Return the products of entries."""
    dims = _fitted(scene, left, right)
    return Typed(dims, lambda point: left.run(point) * right.run(point), left.turned and right.turned)


def _vectors(scene: Scene, left: Typed, right: Typed, sign: str) -> Typed:
    """Return x^T y, x y^T, or the products of entries where no transpose says which."""
    if left.name == "ones" and not left.turned and not right.turned and sign == "":
        return _outer(left, right)
    if left.turned != right.turned and sign != "dot":
        inner = left.turned == (scene.orientation() == "column")
        return _dot(left, right) if inner else _outer(left, right)
    if left.turned != right.turned:
        kinds = [("dot", 0.0), ("entrywise", 1.2)]
    elif sign == "dot":
        kinds = [("dot", 0.0), ("entrywise", 0.8)]
    else:
        kinds = [("entrywise", 1.0), ("dot", 1.6)]
        scene.choices.pay(1.0)
    if scene.choices.choose(kinds) == "dot":
        return _dot(left, right)
    scene.choices.notes.append("vectors multiplied entry by entry")
    return _entrywise(scene, left, right)


def _dot(left: Typed, right: Typed) -> Typed:
    join(left.dims[0], right.dims[0])
    return Typed((), lambda point: numbers.total(left.run(point) * right.run(point)))


def _outer(left: Typed, right: Typed) -> Typed:
    return Typed((left.dims[0], right.dims[0]), lambda point: np.multiply.outer(left.run(point), right.run(point)))


def _contracted(scene: Scene, left: Typed, right: Typed) -> Typed:
    """Return A x, x^T A or A B; a row where a column should be costs a little."""
    if left.rank == 1 and not left.turned and scene.known_orientation == "column":
        scene.choices.pay(0.3)
    if right.rank == 1 and right.turned and left.rank == 2 and scene.known_orientation == "column":
        scene.choices.pay(0.6)
    join(left.dims[-1], right.dims[0])
    dims = (*left.dims[:-1], *right.dims[1:])
    turned = (left.turned and left.rank == 1) or (right.turned and right.rank == 1)
    return Typed(dims, lambda point: np.tensordot(left.run(point), right.run(point), 1), turned and len(dims) == 1)


def quotient(meaning: Meaning, node: Quotient) -> Typed:
    """Return x / y, entry by entry."""
    above, below = meaning.of(node.above), meaning.of(node.below)
    if below.rank == 2:
        raise IllTyped("a division by a matrix")
    if below.rank and not above.rank:
        meaning.scene.choices.pay(0.4)
        dims = below.dims
    elif below.rank:
        meaning.scene.choices.pay(0.4)
        if above.rank != below.rank:
            raise IllTyped("a division of shapes that differ")
        join(above.dims[0], below.dims[0])
        dims = above.dims
    else:
        dims = above.dims
    return Typed(
        dims,
        lambda point: numbers.divide(above.run(point), below.run(point)),
        above.turned,
        above.literal and below.literal,
    )


def power(meaning: Meaning, node: Power) -> Typed:
    """Return x^y, entry by entry, or a power of a matrix."""
    base, exponent = meaning.of(node.base), meaning.of(node.exponent)
    if base.rank == 2:
        return _matrix_power(base, node.exponent)
    if base.rank and exponent.rank:
        join(base.dims[0], exponent.dims[0])
    if base.rank:
        meaning.scene.choices.pay(0.3)
    dims = base.dims or exponent.dims
    return Typed(
        dims,
        lambda point: numbers.power(base.run(point), exponent.run(point)),
        base.turned,
        base.literal and exponent.literal,
    )


def _matrix_power(base: Typed, exponent: Node) -> Typed:
    """Return the inverse or the square of a matrix."""
    join(*base.dims)
    if isinstance(exponent, Negative) and exponent.value == Number("1"):
        return Typed(base.dims, lambda point: numbers.inverse(base.run(point)))
    if exponent == Number("2"):
        return Typed(base.dims, lambda point: np.dot(base.run(point), base.run(point)))
    raise Unreadable("a power of a matrix other than 2 and -1")


def transpose(meaning: Meaning, node: Transpose) -> Typed:
    """Return x^T."""
    value = meaning.of(node.value)
    if value.rank == 0:
        raise IllTyped("a number is transposed")
    if value.rank == 1:
        return Typed(value.dims, value.run, not value.turned, name=value.name)
    if value.rank > 2:
        raise IllTyped("more than two axes are transposed")
    return Typed(value.dims[::-1], lambda point: value.run(point).T, name=value.name)
