"""One side of an equation as a tree, by the grammar in grammar.lark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.common import LexerConf
from lark.exceptions import VisitError
from lark.lexer import Lexer

from lexigrad.derivations.reading.dots import without_dots
from lexigrad.derivations.reading.latex import pieces
from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.raw import Raw, Unreadable
from lexigrad.derivations.reading.reader import Piece
from lexigrad.derivations.reading.tree import (
    Add,
    Array,
    Bars,
    Big,
    Call,
    Derivative,
    Dots,
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

UNSAID = "the variable of the gradient"
"""The variable of a gradient that is written without it."""

AMBIGUOUS = "how far does {} reach? Put its argument in parentheses"

UNEXPECTED = {
    "$END": "the formula ends too early",
    "COMMA": "a comma in an unexpected place",
    "RPAR": "a parenthesis that nothing opens",
}
"""What is wrong where a token of a kind has no place in the grammar."""


def parse(tokens: Sequence[Raw], symbols: Symbols) -> Node:
    """Return the tree of a side, or raise `Unreadable`."""
    try:
        found = pieces(tokens, symbols)
        if not found:
            raise Unreadable("a side is empty")
        return without_dots(_TREE.transform(_parser().parse(found)))
    except UnexpectedInput as error:
        raise Unreadable(_reason(getattr(error, "token", None))) from None
    except VisitError as error:
        raise _refusal(error.orig_exc) from None
    except RecursionError as error:
        raise _refusal(error) from None


def _refusal(error: Exception) -> Exception:
    """Return what to raise for what went wrong in a rule of the grammar."""
    return Unreadable("too many brackets inside each other") if isinstance(error, RecursionError) else error


def _reason(token: Token | None) -> str:
    kind = "$END" if token is None else token.type
    return UNEXPECTED.get(kind) or f"{str(token) or kind.lower()!r} in an unexpected place"


class _Passed(Lexer):
    """Hands on tokens that were made before."""

    def __init__(self, lexer_conf: LexerConf) -> None:
        """Take the configuration that every lexer is given; there is nothing to set."""

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        yield from lexer_state


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_Passed)


def _nodes(parts: list[Any]) -> tuple[Node, ...]:
    return tuple(part for part in parts if isinstance(part, Node))


def _one(parts: list[Any]) -> Node:
    (node,) = _nodes(parts)
    return node


def _two(parts: list[Any]) -> tuple[Node, Node]:
    left, right = _nodes(parts)
    return left, right


def _payload(parts: list[Any]) -> Any:
    return next(part.payload for part in parts if isinstance(part, Piece) and part.payload is not None)


class _Tree(Transformer[Any, Any]):
    """Makes nodes of the grammar's rules; a rule without a method has one node, and is that."""

    def __default__(self, data: Any, children: list[Any], meta: Any) -> Any:
        return _one(children)

    # Sums, products and quotients.

    def add(self, parts: list[Any]) -> Node:
        return Add(*_two(parts), 1)

    def subtract(self, parts: list[Any]) -> Node:
        return Add(*_two(parts), -1)

    def negative(self, parts: list[Any]) -> Node:
        return Negative(_one(parts))

    def juxtapose(self, parts: list[Any]) -> Node:
        left, right = _two(parts)
        _refuse_ambiguous(left, right)
        return Product(left, right, "")

    def dot(self, parts: list[Any]) -> Node:
        return Product(*_two(parts), "dot")

    def dot_negative(self, parts: list[Any]) -> Node:
        left, right = _two(parts)
        return Product(left, Negative(right), "dot")

    def times(self, parts: list[Any]) -> Node:
        return Product(*_two(parts), "times")

    def circle(self, parts: list[Any]) -> Node:
        return Product(*_two(parts), "circle")

    def divide(self, parts: list[Any]) -> Node:
        return Quotient(*_two(parts))

    def divide_negative(self, parts: list[Any]) -> Node:
        left, right = _two(parts)
        return Quotient(left, Negative(right))

    def fraction(self, parts: list[Any]) -> Node:
        return Quotient(*_two(parts))

    # What reaches over what follows it.

    def big(self, parts: list[Any]) -> Node:
        found = _payload(parts)
        return Big(str(parts[0]), found.indices, found.lower, found.upper, found.condition, _one(parts))

    def big_negative(self, parts: list[Any]) -> Node:
        return self.big([parts[0], Negative(_one(parts))])

    def derivative(self, parts: list[Any]) -> Node:
        return Derivative(_one(parts), _payload(parts))

    def gradient(self, parts: list[Any]) -> Node:
        value = _one(parts)
        variable, order = _payload(parts)
        return Derivative(value, (variable or _only_name(value),) * order, gradient=True)

    def primed(self, parts: list[Any]) -> Node:
        value = _one(parts)
        return Derivative(value, (_only_name(value),))

    # Functions.

    def call(self, parts: list[Any]) -> Node:
        return _called(parts, Call)

    def call_factors(self, parts: list[Any]) -> Node:
        power = parts[0].payload.power
        return _called(parts, _Word) if power is None else Power(_called(parts, Call), power)

    def call_tail(self, parts: list[Any]) -> Node:
        if parts[0].payload.power is not None:
            raise Unreadable(AMBIGUOUS.format(parts[0]))
        return _called(parts, Call)

    def factorial(self, parts: list[Any]) -> Node:
        return Call("factorial", (_one(parts),))

    def root(self, parts: list[Any]) -> Node:
        return Call("sqrt", (_one(parts),))

    # Scripts and brackets.

    def power(self, parts: list[Any]) -> Node:
        return Power(*_two(parts))

    def transpose(self, parts: list[Any]) -> Node:
        return Transpose(_one(parts))

    def indexed(self, parts: list[Any]) -> Node:
        base, indices = _one(parts), _payload(parts)
        if isinstance(base, Indexed):
            return Indexed(base.base, base.indices + indices)
        return Indexed(base, indices)

    def vector(self, parts: list[Any]) -> Node:
        return Array((_nodes(parts),))

    def absolute(self, parts: list[Any]) -> Node:
        return Bars(_one(parts), double=False)

    def norm(self, parts: list[Any]) -> Node:
        return Bars(_one(parts), double=True, kind=parts[-1].payload)

    # What stands for itself.

    def number(self, parts: list[Any]) -> Node:
        return Number(str(parts[0]))

    def name(self, parts: list[Any]) -> Node:
        return Name(str(parts[0]))

    def dots(self, parts: list[Any]) -> Node:
        return Dots()

    def ready(self, parts: list[Any]) -> Any:
        return parts[0].payload


class _Word(Call):
    """A function whose argument stands without parentheses."""


def _called(parts: list[Any], kind: type[Call]) -> Call:
    """Return the call of the function whose name comes first."""
    applied = parts[0].payload
    return kind(str(parts[0]), _nodes(parts), applied.primes, applied.base)


def _refuse_ambiguous(left: Node, right: Node) -> None:
    """Raise `Unreadable` for log x y."""
    last = left.right if isinstance(left, Product) else left
    if not (isinstance(last, _Word) and _is_simple(last.arguments[0]) and _is_simple(right)):
        return
    if isinstance(right, Power | Transpose) and not isinstance(next(right.parts()), Name | Indexed):
        return
    raise Unreadable(AMBIGUOUS.format(last.function))


def _is_simple(node: Node) -> bool:
    return isinstance(node, Name | Indexed | Number | Power | Transpose)


def _only_name(value: Node) -> Node:
    """Return what nabla without a variable is for: the only name in the formula, or the argument of the function."""
    if isinstance(value, Call) and len(value.arguments) == 1 and isinstance(value.arguments[0], Name):
        return value.arguments[0]
    names = {part.name for part in value.walk() if isinstance(part, Name)}
    return Name(names.pop()) if len(names) == 1 else Name(UNSAID)


_TREE = _Tree(visit_tokens=False)
