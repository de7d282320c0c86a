"""What a training run says while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import TaskID

PLAIN_INTERVAL = 5.0
"""Seconds between two lines where standard error is not a terminal."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    epoch : epochs finished, with fraction
    epochs : epochs in all
    loss : mean loss per text since the last report, nats
    tokens_per_second : words of text trained on per second, since the start
    seconds : since the start of training
    seconds_left : at the speed so far
    """

    epoch: float
    epochs: int
    loss: float
    tokens_per_second: float
    seconds: float
    seconds_left: float

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch:.2f}/{self.epochs}  loss {self.loss:.4f}  "
            f"{self.tokens_per_second / 1e6:.2f} M tokens/s  {self.seconds_left:.0f} s left"
        )


Callback = Callable[[Progress], None]


class Display(Protocol):
    """Shows progress; `close` is called once, also after an error."""

    def show(self, progress: Progress) -> None:
        """Show a state."""

    def close(self) -> None:
        """Leave the last state standing."""


class SilentDisplay:
    """Shows nothing."""

    def show(self, progress: Progress) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PlainDisplay:
    """Prints a line every few seconds, and the last state."""

    def __init__(self) -> None:
        self.last_time = time.monotonic()
        self.unseen: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Print a line if the last one is old enough."""
        self.unseen = progress
        if time.monotonic() - self.last_time >= PLAIN_INTERVAL:
            self._print(progress)

    def close(self) -> None:
        """Print the last state if it was not printed."""
        if self.unseen is not None:
            self._print(self.unseen)

    def _print(self, progress: Progress) -> None:
        sys.stderr.write(f"{progress}\n")
        sys.stderr.flush()
        self.last_time = time.monotonic()
        self.unseen = None


class RichDisplay:
    """A bar in the terminal or notebook."""

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn(what),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[state]}"),
            console=Console(stderr=True),
        )
        self.task: TaskID = self.bar.add_task(what, total=1.0, state="")
        self.bar.start()

    def show(self, progress: Progress) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=progress.epoch / progress.epochs, state=str(progress))

    def close(self) -> None:
        """Stop redrawing."""
        self.bar.stop()


def display(verbose: bool, what: str = "training") -> Display:
    """Return the display for standard error: none, lines or a bar named `what`."""
    if not verbose:
        return SilentDisplay()
    return RichDisplay(what) if sys.stderr.isatty() or "ipykernel" in sys.modules else PlainDisplay()
