"""What a search found: `TextClassifier.tuning_`."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

SHOWN_TRIALS = 10


@dataclass(frozen=True)
class Trial:
    """One training with one choice of settings.

    Attributes
    ----------
    number : 0 for the first
    settings : what was searched, by the names of `TextClassifier`'s settings; and "sub_dim" where models are quantised
    state : "complete"; "pruned", stopped because it would have taken too long; "failed"; or "interrupted", by Ctrl-C, an error or a kill
    value : the metric, None unless complete
    seconds : of training and measuring
    reason : why it did not complete, or what else there is to say
    size : bytes of the model's file, where a size was asked for
    """

    number: int
    settings: dict[str, Any]
    state: str
    value: float | None = None
    seconds: float = 0.0
    reason: str = ""
    size: int | None = None

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={_short(value)}" for name, value in self.settings.items())
        outcome = self.state if self.value is None else f"{self.value:.4f}"
        outcome += f" ({self.reason})" if self.reason else ""
        return f"trial {self.number}: {outcome}, {self.seconds:.1f} s, {settings}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, under the attributes' names."""
        return {**vars(self), "settings": dict(self.settings)}


@dataclass(frozen=True, repr=False)
class Tuning:
    """The report of a search.

    Attributes
    ----------
    metric : what was made as good as possible
    trials : all trials, in order, those of earlier runs of the study too
    best : the best one
    measured_on : "validation", "held-out texts" or "k folds"
    n_measured : how many texts were measured on
    seconds : of this run
    smaller_is_better : True for a loss
    """

    metric: str
    trials: list[Trial]
    best: Trial
    measured_on: str
    n_measured: int
    seconds: float
    smaller_is_better: bool = field(default=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, under the attributes' names."""
        return {**vars(self), "trials": [trial.to_dict() for trial in self.trials], "best": self.best.to_dict()}

    def __repr__(self) -> str:
        return f"Tuning(metric={self.metric!r}, best={self.best.value:.4f}, trials={len(self.trials)})"

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=140, color_system=None, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n"))

    def __rich__(self) -> Group:
        from rich.console import Group

        states = [f"{n} {name}" for name in ("complete", "pruned", "failed", "interrupted") if (n := self._count(name))]
        head = (
            f"{self.metric} {self.best.value:.4f} on {self.n_measured:,} texts ({self.measured_on})\n"
            f"{len(self.trials)} trials: {', '.join(states)}"
        )
        return Group(head, "", self._table())

    def _count(self, state: str) -> int:
        return sum(trial.state == state for trial in self.trials)

    def _table(self) -> Table:
        """The best trials, best first."""
        from rich.table import Table

        complete = [trial for trial in self.trials if trial.value is not None]
        sign = 1 if self.smaller_is_better else -1
        shown = sorted(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:SHOWN_TRIALS]
        names = list(self.best.settings)
        sizes = any(trial.size is not None for trial in shown)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name in ("trial", self.metric, "seconds", *["bytes"] * sizes, *names):
            table.add_column(name, justify="right", no_wrap=True)
        for trial in shown:
            size = [f"{trial.size:,}" if trial.size is not None else ""] * sizes
            values = (_short(trial.settings.get(name, "")) for name in names)
            table.add_row(str(trial.number), f"{trial.value:.4f}", f"{trial.seconds:.1f}", *size, *values)
        return table


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
