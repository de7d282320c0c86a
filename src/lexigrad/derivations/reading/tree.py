"""What a formula is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Node:
    """A part of a formula."""

    def parts(self) -> Iterator[Node]:
        """Yield the parts of this part."""
        for field in fields(self):
            yield from _nodes(getattr(self, field.name))

    def walk(self) -> Iterator[Node]:
        """Yield this part and all parts below it."""
        yield self
        for child in self.parts():
            yield from child.walk()


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


@dataclass(frozen=True)
class Number(Node):
    """A number as it is written: "2", "0.5"."""

    text: str


@dataclass(frozen=True)
class Name(Node):
    """A letter or word, with what is written over it: "x", "hat y", "W_1"."""

    name: str


@dataclass(frozen=True)
class Dots(Node):
    """Terms that are not written out: x_1 + ... + x_n."""


@dataclass(frozen=True)
class Indexed(Node):
    """An entry or a row: x_i, W_{ij}, softmax(x)_k."""

    base: Node
    indices: tuple[Node, ...]


@dataclass(frozen=True)
class Call(Node):
    """A function of its arguments, perhaps its derivative: f(x), sigma'(z)."""

    function: str
    arguments: tuple[Node, ...]
    primes: int = 0
    base: Node | None = None  # log_2


@dataclass(frozen=True)
class Add(Node):
    """left + sign * right."""

    left: Node
    right: Node
    sign: int


@dataclass(frozen=True)
class Negative(Node):
    """-value."""

    value: Node


@dataclass(frozen=True)
class Product(Node):
    """left times right; the sign between them is "" (none), "dot", "times" or "circle"."""

    left: Node
    right: Node
    sign: str


@dataclass(frozen=True)
class Quotient(Node):
    """above / below."""

    above: Node
    below: Node


@dataclass(frozen=True)
class Power(Node):
    """base^exponent."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Transpose(Node):
    """value^T."""

    value: Node


@dataclass(frozen=True)
class Condition(Node):
    """A comparison of indices or numbers, or several: all of them hold."""

    pairs: tuple[tuple[Node, str, Node], ...]
    otherwise: bool = False


@dataclass(frozen=True)
class Big(Node):
    """A sum, product, maximum or minimum over one or more indices."""

    operator: str
    indices: tuple[str, ...]
    lower: Node | None
    upper: Node | None
    condition: Condition | None
    body: Node


@dataclass(frozen=True)
class Derivative(Node):
    """The derivative of value by each variable in turn; `gradient` where it is written with nabla."""

    value: Node
    variables: tuple[Node, ...]
    gradient: bool = False


@dataclass(frozen=True)
class Bars(Node):
    """|value|, or ||value|| with its index: "2", "1", "F"."""

    value: Node
    double: bool
    kind: str = ""


@dataclass(frozen=True)
class Cases(Node):
    """The first value whose condition holds."""

    rows: tuple[tuple[Node, Condition], ...]


@dataclass(frozen=True)
class Array(Node):
    """A vector or matrix of written entries."""

    rows: tuple[tuple[Node, ...], ...]
    column: bool = False


@dataclass(frozen=True)
class Listing(Node):
    """The vector of a term for each value of an index; of vectors, the matrix that has them as columns."""

    index: str
    lower: Node
    upper: Node
    body: Node


@dataclass(frozen=True)
class Indicator(Node):
    """1 where the condition holds, 0 elsewhere."""

    condition: Condition


def rewritten(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return a formula with parts replaced: those for which `change` returns something, from the outside in."""
    changed = change(node)
    if changed is not None:
        return changed
    values = {field.name: _rewritten(getattr(node, field.name), change) for field in fields(node)}
    return replace(node, **values)


def _rewritten(value: object, change: Callable[[Node], Node | None]) -> object:
    if isinstance(value, Node):
        return rewritten(value, change)
    if isinstance(value, tuple):
        return tuple(_rewritten(part, change) for part in value)
    return value
