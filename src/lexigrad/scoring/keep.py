"""Filters: expressions over the probabilities of labels, such as `quality.hq > 0.5 and lid.label == "en"`."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import ParameterError

LABEL, PROB, PROBS = "label", "prob", "probs"
"""The words of the language: the most probable label, its probability, and the probability of a label in quotation marks."""
ALLOWED = "labels, NAME.label, numbers, + - * /, < <= > >= == !=, in, and, or, not, and parentheses, such as 'hq >= 0.5 and lid.label == \"en\"'"
COMPARISONS: dict[type[ast.cmpop], np.ufunc] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal, ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
}  # fmt: skip
MOST_SHOWN = 10
"""Labels that an error lists."""
MOST_COMPARED = 5_000
"""Labels among which one like an unknown one is looked for."""
MOST_CHARACTERS = 10_000


def is_name(name: str) -> bool:
    """Tell whether a model may have this name: one that can stand in an expression.

    Examples
    --------
    >>> is_name("quality"), is_name("my-model"), is_name("and")
    (True, False, False)
    """
    return name.isidentifier() and not keyword.iskeyword(name) and name not in (LABEL, PROB, PROBS)


def no_label(label: str, classes: Mapping[str, Sequence[Any]]) -> str:
    """Return what to say of a label that none of these models has: what they have, and one that may be meant.

    Examples
    --------
    >>> no_label("__label__en", {"lid": ["de", "en"]})
    "no label '__label__en': the model 'lid' has 'de', 'en'; did you mean 'en'?"
    """
    there = "; ".join(
        f"{f'the model {model!r}' if model else 'the model'} has {_some(map(str, labels))}"
        for model, labels in classes.items()
    )
    known = [str(one) for labels in classes.values() for one in labels]
    exact = {label.removeprefix("__label__"), f"__label__{label}"}
    like = [one for one in known if one in exact or one.casefold() == label.casefold()]
    like += difflib.get_close_matches(label, known[:MOST_COMPARED], 1)
    return f"no label {label!r}: {there}{f'; did you mean {like[0]!r}?' if like else ''}"


@dataclass
class _Rows:
    """What an expression is evaluated on, and which rows turned out to have no answer."""

    probs: Mapping[str, Mapping[str, NDArray[Any]]]
    best: Mapping[str, NDArray[Any]]
    top: Mapping[str, NDArray[Any]]
    undefined: NDArray[np.bool_]


_Value = Callable[[_Rows], Any]


@dataclass(frozen=True)
class _Best:
    """The most probable label of a model, which is compared with strings only."""

    model: str


class Keep:
    """A filter, parsed once and then a function of arrays.

    A number of the expression is a float64, and so is each probability, which is a float32 before: `hq >= 0.5` is exact. A row for which a number that
    is compared is not defined (its text is missing, or the expression divides 0 by 0) is never kept, whatever stands around the comparison, `not`
    included.

    Parameters
    ----------
    expression : labels (their probabilities), `label` (the most probable label, compared with strings by ==, != and in), `prob` (its probability),
        numbers, + - * /, comparisons, which may be chained, and, or, not, parentheses. With a model before them, `quality.hq`, `lid.label`,
        `lid["zh-Hans"]`; without one where only one model has the label: `hq`, `probs["zh-Hans"]`. `label` and `prob` alone are those of the only model
    classes : for each model, by its name, its labels; "" is the name of a model without one

    Attributes
    ----------
    labels : for each model, the labels whose probabilities the filter needs
    tops : models whose `prob` it needs

    Raises
    ------
    ParameterError
        Says at which character, what is allowed, and which labels or models there are.

    Examples
    --------
    >>> keep = Keep('hq >= 0.5 and label != "toxic"', {"": ["cc", "hq", "toxic"]})
    >>> keep.labels
    {'': ['hq']}
    >>> keep({"": {"hq": np.float32([0.9, 0.5, np.nan])}}, {"": np.int32([1, 2, -1])}).tolist()
    [True, False, False]
    """

    def __init__(self, expression: str, classes: Mapping[str, Sequence[Any]]) -> None:
        if not isinstance(expression, str):
            raise ParameterError(f"keep={expression!r}: expected an expression as a string, such as 'hq >= 0.5'")
        self.expression = expression
        self._places = {model: {str(label): i for i, label in enumerate(labels)} for model, labels in classes.items()}
        self.labels: dict[str, list[str]] = {}
        self.tops: set[str] = set()
        if len(expression) > MOST_CHARACTERS:
            raise ParameterError(
                f"keep: an expression has up to {MOST_CHARACTERS:,} characters, not {len(expression):,}"
            )
        self._source = expression.translate({ord(c): " " for c in "\n\r\f\t"})
        try:
            self._evaluate = self._truth(self._parsed())
        except RecursionError:
            raise ParameterError("keep: the expression is nested too deeply") from None

    def _parsed(self) -> ast.expr:
        source = self._source.lstrip()
        if not source.strip():
            raise ParameterError(f"keep={self.expression!r}: an expression is expected: {ALLOWED}")
        try:
            with warnings.catch_warnings():  # of unusual spelling, such as 0.5or
                warnings.simplefilter("ignore")
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            at_end = not error.offset or error.lineno != 1
            at = len(self._source) - len(source) + (len(source.rstrip()) + 1 if at_end else error.offset or 1)
            raise ParameterError(
                f"keep={self.expression!r}: at character {at}: {error.msg}; {self._keywords()}allowed are {ALLOWED}"
            ) from None
        except (ValueError, MemoryError) as error:
            raise ParameterError(f"keep={self.expression!r}: {error}; allowed are {ALLOWED}") from None

    def _keywords(self) -> str:
        """Return how to write the labels of an expression that are words of Python, which it cannot have as they are."""
        words = dict.fromkeys(re.findall(r"\w+", self._source))
        found = [
            (word, f'{model or PROBS}["{word}"]')
            for word in words
            if keyword.iskeyword(word)
            for model, places in self._places.items()
            if word in places
        ]
        return "".join(f"the label {word!r} is a word of Python, write {written}; " for word, written in found)

    def __call__(
        self,
        probs: Mapping[str, Mapping[str, NDArray[Any]]],
        best: Mapping[str, NDArray[Any]],
        top: Mapping[str, NDArray[Any]] | None = None,
    ) -> NDArray[np.bool_]:
        """Return which rows to keep, (n,) bool.

        Parameters
        ----------
        probs : for each model and each of its `labels`, (n,) float32, NaN for a missing text
        best : for each model, (n,) int32, the most probable label, a position in its classes, -1 for a missing text
        top : for each of `tops`, (n,) float32, the probability of that label
        """
        undefined = np.zeros(len(next(iter(best.values()))), bool)
        for places in best.values():
            undefined |= places < 0
        rows = _Rows(probs, best, top or {}, undefined)
        with np.errstate(all="ignore"):
            kept = np.broadcast_to(self._evaluate(rows), undefined.shape)
        return np.asarray(kept & ~rows.undefined)

    # --------------------------------------------------------------------------------------------------------- compiling

    def _wrong(self, node: ast.AST, message: str) -> ParameterError:
        """Return what to raise, with the place of a node."""
        source = self._source.lstrip()
        column = len(source.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        at = len(self._source) - len(source) + column + 1
        return ParameterError(f"keep={self.expression!r}: at character {at}: {message}")

    def _truth(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(value) for value in node.values]
            joined = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            # every part is evaluated, so that whether a row is defined does not depend on the order
            return lambda rows: joined.reduce(np.broadcast_arrays(*[part(rows) for part in parts]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._truth(node.operand)
            return lambda rows: np.logical_not(inner(rows))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            parts = [
                self._comparison(left, op, right)
                for left, op, right in zip(sides, node.ops, node.comparators, strict=False)
            ]
            return lambda rows: np.logical_and.reduce(np.broadcast_arrays(*[part(rows) for part in parts]))
        self._allowed(node)
        raise self._wrong(node, f"this is no condition: compare it, such as {_shown(node)} > 0.5")

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> _Value:
        if _is_text(left) and not isinstance(op, (ast.In, ast.NotIn)):
            left, right = right, left
        best = self._reference(left)
        if isinstance(best, _Best):
            return self._best_is(best, op, left, right)
        function = COMPARISONS.get(type(op))
        if function is None:
            if isinstance(op, (ast.In, ast.NotIn)):
                raise self._wrong(left, f"'in' needs a label before it: {ALLOWED}")
            raise self._wrong(left, f"'is' is not allowed; allowed are {ALLOWED}")
        a, b = self._number(left), self._number(right)

        def compare(rows: _Rows) -> Any:
            x, y = a(rows), b(rows)
            rows.undefined |= np.isnan(x) | np.isnan(y)
            return function(x, y)

        return compare

    def _best_is(self, best: _Best, op: ast.cmpop, left: ast.expr, right: ast.expr) -> _Value:
        """Return the comparison of the most probable label with one label or several."""
        several = isinstance(op, (ast.In, ast.NotIn))
        if not several and not isinstance(op, (ast.Eq, ast.NotEq)):
            raise self._wrong(left, "a label is compared by ==, != or in")
        named = right.elts if several and isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
        places = []
        for one in named:
            if not _is_text(one):
                raise self._wrong(
                    one,
                    f"a label is compared with a label in quotation marks, {_shown(left)} == "
                    f'"{self._first(best.model)}", or with several, {_shown(left)} in ("{self._first(best.model)}",)',
                )
            places.append(self._place(one, best.model, str(one.value)))  # type: ignore[attr-defined]
        wanted = np.array(places, np.int32)
        inverted = isinstance(op, (ast.NotEq, ast.NotIn))
        return lambda rows: np.isin(rows.best[best.model], wanted, invert=inverted)

    def _number(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            try:
                value = np.float64(node.value)  # type: ignore[arg-type]
            except OverflowError:
                raise self._wrong(node, "this number is too large") from None
            return lambda rows: value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inner, sign = self._number(node.operand), -1.0 if isinstance(node.op, ast.USub) else 1.0
            return lambda rows: sign * inner(rows)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            a, b, function = self._number(node.left), self._number(node.right), ARITHMETIC[type(node.op)]
            return lambda rows: function(a(rows), b(rows))
        found = self._reference(node)
        if isinstance(found, _Best):
            raise self._wrong(
                node, f'{_shown(node)} is a label, no number: {_shown(node)} == "{self._first(found.model)}"'
            )
        if found is not None:
            return found
        if _is_text(node):
            raise self._wrong(
                node, "text is compared with `label` only; the probability of a label stands without quotes"
            )
        if isinstance(node, (ast.BoolOp, ast.Compare)):
            raise self._wrong(
                node, "a condition stands where a number is expected; put and, or and not between conditions"
            )
        self._allowed(node)
        raise self._wrong(node, f"a number or a label is expected; allowed are {ALLOWED}")

    def _allowed(self, node: ast.expr) -> None:
        """Raise for what is no part of the language at all."""
        if isinstance(node, ast.BinOp) and type(node.op) not in ARITHMETIC:
            raise self._wrong(node, f"in {_shown(node)} is an operator that is not allowed; allowed are {ALLOWED}")
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp, ast.UnaryOp)):
            raise self._wrong(node, f"this is not allowed; allowed are {ALLOWED}")
        if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Constant)):
            self._reference(node)

    # ------------------------------------------------------------------------------------------------ labels and models

    def _reference(self, node: ast.expr) -> _Value | _Best | None:
        """Return what a name, with or without a model, stands for; None where the node is none."""
        if isinstance(node, ast.Name):
            if node.id == LABEL:
                return _Best(self._only(node))
            if node.id == PROB:
                return self._top(self._only(node))
            return self._prob(node, self._owner(node, node.id), node.id)
        if isinstance(node, ast.Attribute):
            model = self._model(node.value)
            if node.attr == LABEL:
                return _Best(model)
            return self._top(model) if node.attr == PROB else self._prob(node, model, node.attr)
        if isinstance(node, ast.Subscript):
            key = node.slice
            if not isinstance(key, ast.Constant) or type(key.value) not in (str, int):
                raise self._wrong(key, "a label in quotation marks is expected between the brackets")
            label = str(key.value)
            if isinstance(node.value, ast.Name) and node.value.id == PROBS:
                return self._prob(node, self._owner(node, label), label)
            return self._prob(node, self._model(node.value), label)
        return None

    def _prob(self, node: ast.AST, model: str, label: str) -> _Value:
        self._place(node, model, label)
        wanted = self.labels.setdefault(model, [])
        if label not in wanted:
            wanted.append(label)
        return lambda rows: rows.probs[model][label].astype(np.float64)

    def _top(self, model: str) -> _Value:
        self.tops.add(model)
        return lambda rows: rows.top[model].astype(np.float64)

    def _place(self, node: ast.AST, model: str, label: str) -> int:
        places = self._places[model]
        if label not in places:
            raise self._wrong(node, no_label(label, {model: list(places)}))
        return places[label]

    def _first(self, model: str) -> str:
        return next(iter(self._places[model]))

    def _only(self, node: ast.Name) -> str:
        if len(self._places) > 1:
            some = " or ".join(f"{model}.{node.id}" for model in self._places)
            raise self._wrong(node, f"of which model? Write {some}")
        return next(iter(self._places))

    def _owner(self, node: ast.expr, label: str) -> str:
        """Return the only model that has a label."""
        owners = [model for model, places in self._places.items() if label in places]
        if len(owners) == 1:
            return owners[0]
        if owners:
            some = " or ".join(
                f"{model}.{label}" if label.isidentifier() else f'{model}["{label}"]' for model in owners
            )
            raise self._wrong(node, f"several models have the label {label!r}: write {some}")
        if label in self._places:
            raise self._wrong(
                node, f'{label} is a model: write {label}.label, or a label of it, {label}["{self._first(label)}"]'
            )
        raise self._wrong(node, no_label(label, {model: list(places) for model, places in self._places.items()}))

    def _model(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id and node.id in self._places:
            return node.id
        names = [model for model in self._places if model]
        if names:
            raise self._wrong(
                node, f"no model {_shown(node)!r}: there {'are' if len(names) > 1 else 'is'} {_some(names)}"
            )
        raise self._wrong(
            node, f'no model {_shown(node)!r}: the model has no name; write a label alone, or probs["..."]'
        )


def by_label(by: str, classes: Mapping[str, Sequence[Any]]) -> tuple[str, str]:
    """Return the model and the label that `[NAME.]LABEL` means; the label may have dots of its own.

    Raises
    ------
    ParameterError
        No model has the label, or several have it.

    Examples
    --------
    >>> by_label("quality.hq", {"quality": ["cc", "hq"], "lid": ["en"]})
    ('quality', 'hq')
    """
    places = {model: {str(label) for label in labels} for model, labels in classes.items()}
    name, dot, rest = by.partition(".")
    if dot and name in places and rest in places[name]:
        return name, rest
    owners = [model for model, labels in places.items() if by in labels]
    if len(owners) == 1:
        return owners[0], by
    if owners:
        raise ParameterError(f"by={by!r}: several models have it; write {' or '.join(f'{m}.{by}' for m in owners)}")
    unknown = no_label(rest, {name: classes[name]}) if dot and name in places else no_label(by, classes)
    raise ParameterError(f"by={by!r}: {unknown}")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _shown(node: ast.expr) -> str:
    return ast.unparse(node)


def _some(labels: Any) -> str:
    names = list(labels)
    return ", ".join(map(repr, names[:MOST_SHOWN])) + (
        f" and {len(names) - MOST_SHOWN:,} others" if len(names) > MOST_SHOWN else ""
    )
