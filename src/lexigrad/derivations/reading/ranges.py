"""Sums and their like: what stands below them and above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lexigrad.derivations.reading.conditions import Pair, compared, comparison
from lexigrad.derivations.reading.letters import Symbols
from lexigrad.derivations.reading.notation import BIG, ELLIPSES, is_letter
from lexigrad.derivations.reading.raw import Raw, Unreadable, split
from lexigrad.derivations.reading.reader import Reader, tree
from lexigrad.derivations.reading.tree import Add, Condition, Name, Node, Number


@dataclass(frozen=True)
class Range:
    """The indices of a sum, the first value, the last, and what else is asked of them."""

    indices: tuple[str, ...]
    lower: Node | None
    upper: Node | None
    condition: Condition | None


def take_big(reader: Reader) -> None:
    """Take a sum, a product, a maximum or a minimum with its range."""
    operator = BIG[reader.text()]
    reader.at += 1
    below: list[Raw] = []
    above: list[Raw] | None = None
    while reader.text() in ("_", "^"):
        script = reader.text()
        reader.at += 1
        if script == "_":
            below = reader.argument()
        else:
            above = reader.argument()
    top = None if above is None else reader.tree(above)
    found = range_below(below, reader.symbols)
    reader.emit("BIG", operator, found if top is None else replace(found, upper=top))


def range_below(tokens: list[Raw], symbols: Symbols) -> Range:
    """Return the range that stands below a sum: i = 1, i in S, 1 <= i < n, i != j."""
    draft = _Draft(symbols)
    for _, part in split(_unstacked(tokens), {",", ";", ":", "\\mid"}):
        draft.add(part)
    return draft.range()


def _unstacked(tokens: list[Raw]) -> list[Raw]:
    """Return the lines of a stack with commas between them."""
    if not tokens or tokens[0].text != "\\substack":
        return tokens
    return [Raw(",", token.start, token.end) if token.text == "\\\\" else token for token in tokens[2:-1]]


@dataclass
class _Draft:
    """A range as far as it is read."""

    symbols: Symbols
    indices: list[str] = field(default_factory=list)
    lower: Node | None = None
    upper: Node | None = None
    pairs: list[Pair] = field(default_factory=list)

    def range(self) -> Range:
        """Return what was read."""
        condition = Condition(tuple(self.pairs)) if self.pairs else None
        return Range(tuple(dict.fromkeys(self.indices)), self.lower, self.upper, condition)

    def add(self, part: list[Raw]) -> None:
        """Read what stands between two commas."""
        sides, relations = comparison(part)
        if not relations:
            self._add_indices(part)
        elif relations == ["in"]:
            self._add_index(self._tree(sides[0]), "a range over something other than an index")
            bounds = self._bounds(sides[1])
            if bounds is not None:
                self.lower, self.upper = bounds
        else:
            self._add_comparison([self._tree(side) for side in sides], relations)

    def _tree(self, tokens: list[Raw]) -> Node:
        return tree(tokens, self.symbols)

    def _add_index(self, node: Node, otherwise: str) -> None:
        if not isinstance(node, Name):
            raise Unreadable(otherwise)
        self.indices.append(node.name)

    def _add_indices(self, part: list[Raw]) -> None:
        """Read indices without a relation; dots among them say nothing."""
        if not part or part[0].text in ELLIPSES:
            return
        if all(is_letter(token.text) for token in part):
            self.indices += [token.text for token in part]
        else:
            self._add_index(self._tree(part), "a range that is not of the form i = 1, i, i in S, i != j")

    def _add_comparison(self, sides: list[Node], relations: list[str]) -> None:
        """Read i = 1, bounds on both sides of an index, or any other comparison as a condition."""
        if relations == ["="]:
            self._add_index(sides[0], "a range that does not begin with an index")
            self.lower = sides[1]
        elif len(sides) == 3 and set(relations) <= {"<", "<="} and isinstance(sides[1], Name):
            self.indices.append(sides[1].name)
            self.lower = sides[0] if relations[0] == "<=" else Add(sides[0], Number("1"), 1)
            self.upper = sides[2] if relations[1] == "<=" else Add(sides[2], Number("1"), -1)
        else:
            if isinstance(sides[0], Name) and not self.indices:
                self.indices.append(sides[0].name)
            self.pairs += compared(sides, relations)

    def _bounds(self, tokens: Sequence[Raw]) -> tuple[Node, Node] | None:
        """Return the bounds of {1, ..., n}, or None for a set that has only a name."""
        if not tokens or tokens[0].text not in ("\\{", "[", "\\lbrace"):
            return None
        parts = [part for _, part in split(tokens[1:-1], {","}) if part]
        if len(parts) > 1 and any(part[0].text in ELLIPSES for part in parts):
            return self._tree(parts[0]), self._tree(parts[-1])
        if len(parts) == 1:
            return Number("1"), self._tree(parts[0])
        raise Unreadable("a sum over a set of written elements")
