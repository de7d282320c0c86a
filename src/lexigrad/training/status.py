"""What long work says while it goes on, such as a search over many trainings, or the scoring of many files."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from lexigrad.training.progress import PLAIN_INTERVAL


class Status(Protocol):
    """Shows one line that changes, and lines that stay; `close` is called once, also after an error."""

    def show(self, line: str, share: float | None) -> None:
        """Show what goes on, and how much of all is done, where that is known."""

    def say(self, line: str) -> None:
        """Print a line that stays."""

    def close(self) -> None:
        """Stop redrawing."""


class SilentStatus:
    """Shows nothing."""

    def show(self, line: str, share: float | None) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PlainStatus:
    """Prints what stays, and every few seconds what goes on."""

    def __init__(self) -> None:
        self.last_time = time.monotonic()

    def show(self, line: str, share: float | None) -> None:
        """Print the line if the last one is old enough."""
        if time.monotonic() - self.last_time >= PLAIN_INTERVAL:
            self.say(line)

    def say(self, line: str) -> None:
        """Print a line."""
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
        self.last_time = time.monotonic()

    def close(self) -> None:
        """Do nothing."""


class RichStatus:
    """A bar in the terminal or notebook, below the lines that stay; `title` stands before it."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.bar = Progress(
            TextColumn(title),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[state]}"),
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task(title, total=None, state="")
        self.bar.start()

    def show(self, line: str, share: float | None) -> None:
        """Move the bar."""
        self.bar.update(self.task, total=None if share is None else 1.0, completed=share or 0.0, state=line)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Stop redrawing."""
        self.bar.stop()


def status(verbose: bool, title: str) -> Status:
    """Return the display for standard error: none, lines or a bar, before which the title says what is done."""
    if not verbose:
        return SilentStatus()
    return RichStatus(title) if sys.stderr.isatty() or "ipykernel" in sys.modules else PlainStatus()
