"""Records the steps of a run in a thread of its own, so that work does not wait for the disk."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lexigrad.errors import DataError
from lexigrad.scoring.manifest import State

MOST_WAITING = 64
"""Steps that wait for the disk; then the work waits, too."""
SECONDS_BETWEEN_LOOKS = 0.05

_Entry = tuple[Callable[[], None] | None, Mapping[str, Any] | None, Path | None]


class Journal:
    """Steps on their way to the disk, in order.

    A step is recorded only when the file that it is about is on the disk; what waits meanwhile is taken together, so that small steps cost little. A run that
    is killed loses the steps that were not recorded yet, and does them again.

    Parameters
    ----------
    state : where steps are recorded
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._waiting: queue.Queue[_Entry | None] = queue.Queue(MOST_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="lexigrad-journal", daemon=True)
        self._thread.start()

    def record(self, step: Mapping[str, Any], file: Path | None = None) -> None:
        """Record a step when what was written to a file until now is on the disk."""
        self._put((None, step, file))

    def call(self, function: Callable[[], None]) -> None:
        """Call a function after all steps before are recorded."""
        self._put((function, None, None))

    def wait(self) -> None:
        """Wait until all is recorded and called, and raise what went wrong."""
        done = threading.Event()
        self.call(done.set)
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            self._check()

    def close(self) -> None:
        """Wait until all is recorded, and raise what went wrong."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        self._check()

    def _put(self, entry: _Entry) -> None:
        self._check()
        self._waiting.put(entry)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        ended = False
        while not ended:
            entries = [self._waiting.get()]
            while not self._waiting.empty():
                entries.append(self._waiting.get())
            ended = None in entries
            if self._error is None:  # after an error entries are taken, so that nobody waits, and dropped
                try:
                    self._do([entry for entry in entries if entry is not None])
                except OSError as error:  # raised where the next step is recorded, as all others
                    self._error = DataError(
                        f"cannot write {error.filename or 'the output'}: {error.strerror or error}; when that is mended, the same call goes on"
                    )
                except BaseException as error:
                    self._error = error

    def _do(self, entries: list[_Entry]) -> None:
        steps: list[_Entry] = []
        for function, step, file in entries:
            if function is None:
                steps.append((None, step, file))
                continue
            self._record(steps)
            steps = []
            function()
        self._record(steps)

    def _record(self, steps: list[_Entry]) -> None:
        for file in dict.fromkeys(file for _, _, file in steps if file is not None):
            to_disk(file)
        for _, step, _ in steps:
            assert step is not None
            self.state.record(step)
        if steps:
            self.state.sync()


def to_disk(path: Path) -> None:
    """Wait until what was written to a file is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
