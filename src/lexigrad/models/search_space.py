"""Which settings of a classifier are tuned, and over which values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lexigrad.errors import ParameterError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

EPOCHS = (1, 100)
LR = (0.01, 5.0)
WORD_NGRAMS = (1, 5)
BUCKETS = (10_000, 10_000_000)
CHARACTERS = ((0, 0), (2, 5), (3, 6))
"""Ranges of fastText's autotune; it lets (min_n, max_n) be (0, 0), (2, 5) or (3, 6), and changes buckets likewise."""
DIM = (10, 300)
"""fastText goes from 1 to 1,000. Time and size grow with dim, and above 300 our sets gained nothing."""
TOKENIZERS = ("words", "whitespace")
MANY_LABELS = 1000
"""From so many labels on, hierarchical softmax saves enough time to be worth a try."""
SUB_DIMS = (2, 4, 8, 16)
RECIPES: tuple[dict[str, Any], ...] = (
    {"epochs": 25, "lr": 0.5, "dim": 100, "word_ngrams": 2, "min_n": 0, "max_n": 0, "tokenizer": "words", "loss": "softmax"},
    {"epochs": 25, "lr": 0.5, "dim": 100, "word_ngrams": 2, "min_n": 3, "max_n": 6, "tokenizer": "words", "loss": "softmax"},
)  # fmt: skip
"""What is tried after the given settings, before anything is known: settings that do well on many sets (docs/classifier.md)."""
TUNED = ("epochs", "lr", "dim", "word_ngrams", "min_n", "max_n", "buckets", "tokenizer", "loss")


@dataclass(frozen=True)
class SearchSpace:
    """The settings that a search may change, around those it begins with.

    Attributes
    ----------
    start : all settings of the classifier, the first to be tried; ranges are widened to hold them
    fixed : names that keep their value; min_n and max_n go together
    n_labels : how many labels training has
    quantised : whether models are quantised, so that there is a sub_dim to choose
    most_dim : the largest dim to draw, which a limit of size sets; None for no limit
    first_dim : the largest dim of the first settings to try, which the smallest models that are usual set
    """

    start: dict[str, Any]
    fixed: frozenset[str]
    n_labels: int
    quantised: bool
    most_dim: int | None = None
    first_dim: int | None = None

    @classmethod
    def around(cls, start: dict[str, Any], fixed: Collection[str], n_labels: int, quantised: bool) -> SearchSpace:
        """Check the names that are fixed.

        Raises
        ------
        ParameterError
            For a name that is no setting, and where nothing is left to tune.
        """
        if isinstance(fixed, str):
            raise ParameterError(f"fixed={fixed!r}: expected a list of names, such as [{fixed!r}]")
        for name in fixed:
            if name not in start:
                raise ParameterError(f"fixed: {name!r} is not a setting: choose from {', '.join(TUNED)}")
        space = cls(start, frozenset(fixed), n_labels, quantised)
        if not space.names:
            raise ParameterError("fixed: nothing is left to tune; leave out a name, or train with fit")
        return space

    @property
    def names(self) -> list[str]:
        """The names of what is searched, in the order in which it is drawn; "characters" stands for min_n and max_n."""
        names = ["epochs", "lr", "dim", "word_ngrams", "characters", "tokenizer", "loss"]
        if self.start["buckets"] is not None:
            names.append("buckets")
        fixed = {"characters" if name in ("min_n", "max_n") else name for name in self.fixed}
        return [name for name in names if name not in fixed] + ["sub_dim"] * self.quantised

    def losses(self) -> list[str]:
        """Return the losses to choose from, the given one first.

        Negative sampling is not among them: its probabilities are not calibrated, and it finds fewer labels.
        """
        also = ["softmax", "one_vs_all"] + ["hierarchical_softmax"] * (self.n_labels >= MANY_LABELS)
        return list(dict.fromkeys([self.start["loss"], *also]))

    def characters(self) -> dict[str, tuple[int, int]]:
        """Return the pairs of min_n and max_n by name, the given one first."""
        start = (self.start["min_n"], self.start["max_n"])
        pairs = dict.fromkeys([start if start[1] else (0, 0), *CHARACTERS])
        return {f"{min_n}-{max_n}" if max_n else "none": (min_n, max_n) for min_n, max_n in pairs}

    def dims(self) -> range:
        """Return the values of dim to draw from; where it is fixed there is one."""
        if "dim" not in self.names:
            return range(self.start["dim"], self.start["dim"] + 1)
        low, high = min(DIM[0], self.start["dim"]), max(DIM[1], self.start["dim"])
        return range(low, (high if self.most_dim is None else min(high, self.most_dim)) + 1)

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return what Optuna draws from, by name."""
        from optuna.distributions import CategoricalDistribution as Choice
        from optuna.distributions import FloatDistribution, IntDistribution

        def whole(name: str, span: tuple[int, int], log: bool = True) -> IntDistribution:
            return IntDistribution(min(span[0], self.start[name]), max(span[1], self.start[name]), log=log)

        lr = float(self.start["lr"])
        made: dict[str, Callable[[], BaseDistribution]] = {
            "epochs": lambda: whole("epochs", EPOCHS),
            "lr": lambda: FloatDistribution(min(LR[0], lr), max(LR[1], lr), log=True),
            "dim": lambda: IntDistribution(self.dims()[0], self.dims()[-1], log=True),
            "word_ngrams": lambda: whole("word_ngrams", WORD_NGRAMS, log=False),
            "characters": lambda: Choice(list(self.characters())),
            "tokenizer": lambda: Choice(list(dict.fromkeys([self.start["tokenizer"], *TOKENIZERS]))),
            "loss": lambda: Choice(self.losses()),
            "buckets": lambda: whole("buckets", BUCKETS),
            "sub_dim": lambda: Choice(list(SUB_DIMS)),
        }
        return {name: made[name]() for name in self.names}

    def points(self) -> Iterator[dict[str, Any]]:
        """Yield the first settings to try, as values of `distributions`: the given ones, and then recipes with what is fixed.

        A dim that a limit of size does not allow becomes the largest that it does.
        """
        seen = []
        for settings in ({}, *RECIPES):
            full = {**self.start, **settings}
            full["dim"] = min(full["dim"], self.first_dim or full["dim"])
            pair = (full["min_n"], full["max_n"]) if full["max_n"] else (0, 0)
            full["characters"] = next(name for name, value in self.characters().items() if value == pair)
            full["lr"], full["sub_dim"] = float(full["lr"]), SUB_DIMS[0]
            point = {name: full[name] for name in self.names}
            if point not in seen:
                seen.append(point)
                yield point

    def settings(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return all settings of the classifier for what was drawn; sub_dim is none of them."""
        settings = {**self.start, **{name: value for name, value in drawn.items() if name in self.start}}
        if "characters" in drawn:
            settings["min_n"], settings["max_n"] = self.characters()[drawn["characters"]]
        return settings
