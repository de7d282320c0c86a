"""A run of `score_files` whose files are done by tasks on the machines of a Ray cluster."""

from __future__ import annotations

import logging
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lexigrad.errors import LexigradError, ParameterError
from lexigrad.scale.models import SharedRows
from lexigrad.scale.object_store import put, ray_library
from lexigrad.scoring.files import Job
from lexigrad.scoring.forms.common import Part, give_name, partial_path
from lexigrad.scoring.report import Tally
from lexigrad.scoring.run import Run
from lexigrad.training.status import SilentStatus

WAITING_TASKS = 16
"""Tasks that are handed to Ray beyond those that run, so that machines which join have something to do."""
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_ANSWER = 10.0


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to a cluster, or start Ray on this machine, and disconnect at the end; where Ray is connected already, leave it so."""
    ray = ray_library()
    if ray.is_initialized():
        yield
        return
    none = f"--ray {address}: there is no Ray cluster to connect to"
    advice = "start one with `ray start`, or give --ray local"
    if not _answers(address):  # Ray itself would try for a minute
        raise ParameterError(f"{none}, nothing answers there: {advice}")
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ParameterError(f"{none} ({error}): {advice}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _answers(address: str) -> bool:
    """Tell whether something listens at HOST:PORT; other addresses are for Ray to find."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        return True
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError):
        return False
    return True


@dataclass(frozen=True)
class FileTask:
    """What a machine is asked to do with one file.

    Attributes
    ----------
    what : "write", score and write it, or "score", score it into side files
    job : the file
    attempts : the folder in which each attempt gets one of its own
    scores : where the side files of the file lie after "score"
    rows : the scorers
    settings : those of the run
    top : of `keep_top`, what is kept
    threads : of the task
    """

    what: str
    job: Job
    attempts: Path
    scores: Path
    rows: SharedRows
    settings: Mapping[str, Any]
    top: dict[str, Any] | None
    threads: int


@dataclass
class FileDone:
    """What became of it.

    Attributes
    ----------
    folder : of the attempt that was complete
    tallies : of each part
    reason : why the file is passed over, else ""
    """

    folder: Path
    tallies: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""


class Unrecorded:
    """The state of a run that starts anew when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def steps(self) -> list[dict[str, Any]]:
        """Return what was done before: nothing."""
        return []

    def record(self, step: Mapping[str, Any]) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""


class FileRun(Run):
    """The run of one task, over its file alone."""

    def __init__(self, task: FileTask, folder: Path) -> None:
        job = replace(task.job, number=0, output=folder / task.job.output.name)
        state: Any = Unrecorded(folder)
        super().__init__([job], task.rows.open(), {"settings": task.settings}, state, task.threads, SilentStatus())
        self.task, self.top = task, task.top
        self.tallies: list[dict[str, Any]] = []

    def do(self) -> FileDone:
        """Do what the task says."""
        self._pass(self.task.what)
        self._journal.close()
        return FileDone(self.state.folder, self.tallies, self.files[0].reason)

    def _side_path(self, job: Job, part: int) -> Path:
        folder = self.state.folder / "scores" if self.task.what == "score" else self.task.scores
        return folder / f"{part:06}.arrow"

    def _count(self, job: Job, part: Part, tally: Tally, file: Any) -> None:
        super()._count(job, part, tally, file)
        self.tallies.append(tally.to_dict())


def do_file(task: FileTask) -> FileDone:
    """Do a file on the machine where this is called; an attempt whose machine is lost leaves a folder that nobody reads."""
    folder = task.attempts / f"{task.job.number:06}-{secrets.token_hex(6)}"
    folder.mkdir(parents=True)
    run = FileRun(task, folder)
    try:
        return run.do()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        run.close()


class ClusterRun(Run):
    """A run whose files are done by tasks; what they have done is published, and recorded, by this process alone.

    Parameters
    ----------
    arguments : those of `Run`, whose threads are those of a task
    models, carry : see `lexigrad.scale.ray.score_files`
    """

    def __init__(self, *arguments: Any, models: Any, carry: bool) -> None:
        super().__init__(*arguments)
        chosen = {
            name: self.settings[name] for name in ("add", "keep", "by", "newlines", "unit", "window", "aggregate")
        }
        self.rows = put(SharedRows.of(models, carried=carry, **chosen))
        self.attempts = self.state.folder.absolute() / "attempts"
        shutil.rmtree(self.attempts, ignore_errors=True)  # of a run that was killed

    def complete(self, share: str | None) -> Any:
        """Do what is not done yet, and report."""
        try:
            return super().complete(share)
        finally:
            shutil.rmtree(self.attempts, ignore_errors=True)

    def _pass(self, what: str) -> None:
        ray = ray_library()
        self._begin_pass(what)
        self._show()
        do = ray.remote(do_file).options(num_cpus=self.threads, max_retries=-1, scheduling_strategy="SPREAD")
        left = self._left(what)
        running: dict[Any, Job] = {}
        try:
            while True:
                most = WAITING_TASKS + 2 * int(ray.cluster_resources().get("CPU", 0)) // self.threads
                while len(running) < most and (job := next(left, None)) is not None:
                    running[do.remote(self._task(job, what))] = job
                if not running:
                    break
                ready, _ = ray.wait(list(running), num_returns=1, timeout=SECONDS_BETWEEN_LOOKS)
                for task in ready:
                    self._publish(running.pop(task), _result(ray, task), what)
                self._show()
        finally:
            for task in running:
                ray.cancel(task, force=True)

    def _left(self, what: str) -> Iterator[Job]:
        """Yield the files that are not done."""
        for job in self.jobs:
            file = self.files[job.number]
            if file.reason or file.written or (what == "score" and file.all_scored):
                self._skip(job, job.size)
            else:
                yield job

    def _task(self, job: Job, what: str) -> FileTask:
        here = replace(job, input=job.input.absolute(), output=job.output.absolute())
        scores = self._side_path(job, 0).parent.absolute()
        return FileTask(what, here, self.attempts, scores, self.rows, self.settings, self.top, self.threads)

    def _publish(self, job: Job, done: FileDone, what: str) -> None:
        """Give what a task has made its place, and record it; parts that a run of one machine had recorded are not counted twice."""
        file = self.files[job.number]
        self._set_done(job, job.size)
        if done.reason:
            self._is_bad(file, done.reason)
            self._record("bad", job, reason=done.reason)
        elif what == "score":
            scores = self._side_path(job, 0).parent
            shutil.rmtree(scores, ignore_errors=True)
            if done.tallies:
                scores.parent.mkdir(parents=True, exist_ok=True)
                give_name(done.folder / "scores", scores)
            for tally in done.tallies[len(file.scored) :]:
                self._record("score", job, tally=tally)
                file.scored.append(tally["rows"])
                self._add(file, Tally.from_dict(tally))
            self._record("scored", job)
            file.all_scored = True
        else:
            rest = Tally()
            for tally in done.tallies[len(file.states) :]:
                rest.add(Tally.from_dict(tally))
            job.output.parent.mkdir(parents=True, exist_ok=True)
            give_name(done.folder / job.output.name, job.output)
            partial_path(job.output).unlink(missing_ok=True)
            self._record("written", job, tally=rest.to_dict())
            self._add(file, rest)
            file.written = True
        shutil.rmtree(done.folder, ignore_errors=True)

    def _add(self, file: Any, tally: Tally) -> None:
        file.tally.add(tally)
        self._pass_bytes += tally.text_bytes


def _result(ray: Any, task: Any) -> FileDone:
    """Return what a task returned, or raise what it raised."""
    try:
        done: FileDone = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LexigradError):
            raise error.cause from None
        raise
    return done
