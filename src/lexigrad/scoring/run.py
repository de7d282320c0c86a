"""`score_files`: from files through classifiers to files, in parts, so that a killed run goes on where it was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lexigrad.errors import DataError, FormatError, LexigradError, ParameterError
from lexigrad.machine.threads import map_threads, thread_count
from lexigrad.scoring.files import FOLDER, FORMS, SUFFIX, Job, form_module, plan
from lexigrad.scoring.forms.common import Batch, Encoded, Encoder, Part, Sink, Source, partial_path
from lexigrad.scoring.journal import Journal
from lexigrad.scoring.manifest import MANIFEST, VERSION, State, difference, fingerprint, json_bytes
from lexigrad.scoring.report import MOST_LISTED, FileReport, Report, Tally
from lexigrad.scoring.rows import RowScorer, columns_of
from lexigrad.scoring.sketch import ScoreSketch, exact_threshold, parse_share
from lexigrad.text.files import READ_ERRORS
from lexigrad.text.sources import Paths
from lexigrad.training.status import Status, status

BAD_ROWS = ("stop", "skip", "null")
BAD_FILES = ("stop", "skip")
SKIP_FILES = "--bad-files skip (bad_files='skip') passes over such files"
PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT}
"""Reasons for which a file cannot be read that say nothing about the file."""
BY = "by"
"""Column of the scores that rows are chosen by, in a side file."""


class _BadFileError(Exception):
    """A file cannot be read; what is raised in a thread and caught where the file is passed over."""


class _StoppedError(Exception):
    """Another part failed, or Ctrl-C was pressed."""


def score_files(
    inputs: Paths,
    output: str | os.PathLike[str],
    models: Any,
    *,
    text: str = "text",
    add: str | Sequence[str] = ("label", "prob"),
    keep: str | None = None,
    keep_top: str | float | None = None,
    by: str | None = None,
    newlines: str = "space",
    unit: str = "document",
    window: int = 200,
    aggregate: str = "mean",
    bad_rows: str = "stop",
    bad_files: str = "stop",
    format: str | None = None,
    restart: bool = False,
    threads: int | None = None,
    verbose: bool = False,
    make: Callable[..., Run] | None = None,
) -> Report:
    """Score files of texts with one classifier or several: the same rows with columns added, or those that a filter keeps.

    A run that was killed goes on where it was when it is called again with the same arguments, and its output is that of a run that was not. Files stand at a
    temporary name until they are complete. What is kept of a run meanwhile lies in the folder `_lexigrad` in the output folder, or beside the output
    file in a folder of its name with ".lexigrad-run"; at the end a report in there, or at the name of the file with ".report.json".

    Parameters
    ----------
    inputs : a file, a folder (all files of a known form below it) or several: .parquet, .jsonl (.gz, .zst), .arrow
    output : a file, for one input file; or a folder, which there is or whose name ends in "/", for files of the inputs' names
    models : a classifier or the path of one; or a mapping from names to these, see `RowScorer`
    text : the column, or in JSONL the field, of the texts
    add : columns of each model, see `lexigrad.scoring.rows.RowScorer`; "none" or nothing to add none
    keep : keep only rows for which this holds, see `lexigrad.scoring.keep.Keep`
    keep_top : keep only this share of the rows, "10%" or 0.1, those with the largest probability of `by`; with `keep` the share of those that it keeps. Rows
        that are equal to the last one are kept, too
    by : [NAME.]LABEL
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`
    bad_rows : for rows without a usable text: "stop", an error; "skip", leave them out; "null", write them with nulls for scores, unless there is
        a filter. A line that is no JSON object cannot have scores, and is left out of JSONL
    bad_files : for files that cannot be read: "stop", an error; "skip", write no output for them
    format : of the outputs: "parquet", "jsonl" or "arrow"; None for that of each input, or of the output's name
    restart : begin anew, and replace outputs that are there
    threads : None for as many as the process may use; no byte of the output depends on it
    verbose : show progress on standard error
    make : what takes the arguments of `Run` and returns a run that goes another way, such as over many machines; None for threads of this process

    Raises
    ------
    ParameterError
        A wrong setting, or an output that is an input.
    DataError
        A bad row or file that stops the run; an output that is there already; or an earlier run with other settings, inputs or models.

    Examples
    --------
    >>> import lexigrad, pyarrow as pa, pyarrow.parquet as pq, tempfile
    >>> clf = lexigrad.TextClassifier(dim=8, epochs=20, lr=0.5, threads=1).fit(["good", "bad"] * 50, ["hq", "cc"] * 50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pq.write_table(pa.table({"text": ["good", "bad"]}), f"{folder}/in.parquet")
    ...     report = score_files(f"{folder}/in.parquet", f"{folder}/out.parquet", clf, keep="hq > 0.5", threads=1)
    ...     pq.read_table(f"{folder}/out.parquet").column("label").to_pylist(), report.rows, report.kept
    (['hq'], 2, 1)
    """
    share = None if keep_top is None else str(parse_share(keep_top))
    newlines = newlines.replace("-", "_") if isinstance(newlines, str) else newlines
    added = columns_of(add)
    settings = {
        "text": text, "add": added, "keep": keep, "keep_top": share, "by": by,
        "newlines": newlines, "unit": unit, "window": window, "aggregate": aggregate, "bad_rows": bad_rows, "bad_files": bad_files, "format": format,
    }  # fmt: skip
    _check(settings)
    _check_paths(inputs, output)
    n_threads = thread_count(threads)
    left_out: list[Path] = []
    jobs, folder = plan(inputs, output, format, left_out)
    problems = [job for job in jobs if job.problem]
    if problems and bad_files == "stop":
        raise DataError(f"{problems[0].input}: {problems[0].problem}; {SKIP_FILES}")
    classifiers = _classifiers(models)
    scorer = RowScorer(classifiers, added, keep, by, newlines=newlines, unit=unit, window=window, aggregate=aggregate)
    manifest = _manifest(settings, jobs, {name: fingerprint(clf) for name, clf in classifiers.items()})
    if folder.name != FOLDER and not os.path.isdir(folder.parent):
        raise ParameterError(f"cannot write {output}: there is no folder {folder.parent}; create it first")
    with ExitStack() as stack:
        state = State(folder)
        stack.callback(state.close)
        try:
            before = _settled(state, jobs, manifest, restart)
        except LexigradError:
            state.remove_if_unused()
            raise
        except OSError as error:
            state.remove_if_unused()
            raise ParameterError(f"cannot write {error.filename or output}: {error.strerror or error}") from error
        if before is not None:
            state.remove_if_unused()
            return before
        stack.callback(_leave_nothing, state, jobs)
        display = status(verbose, "scoring")
        stack.callback(display.close)
        for path in left_out:
            display.say(f"{path} is left out: it holds the output of a run")
        run = (make or Run)(jobs, scorer, manifest, state, n_threads, display)
        stack.callback(run.close)
        return run.complete(None if share is None else str(keep_top))


def _check_paths(inputs: Any, output: Any) -> None:
    several = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    listed = isinstance(several, Iterable) and not isinstance(several, bytes)
    if not listed or (
        isinstance(several, Sequence) and not all(isinstance(one, (str, os.PathLike)) for one in several)
    ):
        raise ParameterError(f"inputs={inputs!r}: expected a path or a list of paths")
    if not isinstance(output, (str, os.PathLike)):
        raise ParameterError(f"output={output!r}: expected a path")


def _check(settings: Mapping[str, Any]) -> None:
    for name in ("text", "by", "format", "newlines", "unit", "aggregate", "bad_rows", "bad_files"):
        optional = name in ("by", "format")
        if not isinstance(settings[name], str) and not (optional and settings[name] is None):
            raise ParameterError(f"{name}={settings[name]!r}: expected a string{' or None' * optional}")
    for name, allowed in (("bad_rows", BAD_ROWS), ("bad_files", BAD_FILES)):
        if settings[name] not in allowed:
            raise ParameterError(f"{name}={settings[name]!r}: expected one of {', '.join(map(repr, allowed))}")
    if (settings["keep_top"] is None) != (settings["by"] is None):
        raise ParameterError("keep_top and by belong together: a share, and the label whose probability decides")
    if not settings["add"] and settings["keep"] is None and settings["keep_top"] is None:
        raise ParameterError("nothing would be done: add columns (add), or keep some of the rows (keep, keep_top)")


def _classifiers(models: Any) -> dict[str, Any]:
    from lexigrad.models.storage import load
    from lexigrad.models.text_classifier import TextClassifier

    named = dict(models) if isinstance(models, Mapping) else {"": models}
    found = {name: load(model) if isinstance(model, (str, os.PathLike)) else model for name, model in named.items()}
    for name, model in found.items():
        if not isinstance(model, TextClassifier):
            raise ParameterError(
                f"the model{f' {name!r}' * bool(name)} is no classifier but a {type(model).__name__}; score_files takes classifiers"
            )
    return found


def _manifest(settings: dict[str, Any], jobs: list[Job], models: dict[str, str]) -> dict[str, Any]:
    from lexigrad import __version__

    files = [
        {
            "input": os.path.abspath(job.input),
            "output": os.path.abspath(job.output),
            "size": job.size,
            "mtime_ns": job.mtime_ns,
        }
        for job in jobs
    ]
    return {"version": VERSION, "lexigrad": __version__, "settings": settings, "models": models, "files": files}


# ------------------------------------------------------------------------------------------------ what was there before


def _target(folder: Path) -> Path:
    """Return the output of the run whose state lies in a folder."""
    return folder.parent if folder.name == FOLDER else folder.with_name(folder.name.removesuffix(SUFFIX))


def _report_paths(folder: Path) -> tuple[Path, Path]:
    """Return where the report goes, as numbers and as a picture."""
    if folder.name == FOLDER:
        return folder / "report.json", folder / "report.png"
    stem = _target(folder).name
    return folder.with_name(f"{stem}.report.json"), folder.with_name(f"{stem}.report.png")


def _settled(state: State, jobs: list[Job], manifest: dict[str, Any], restart: bool) -> Report | None:
    """Make the state ready for this run; return the report of an earlier run that was this one and is complete."""
    anew = "add --restart (restart=True) to begin anew"
    report_path = _report_paths(state.folder)[0]
    earlier = _written_before(state, report_path) if restart else set()
    before = None if restart else state.manifest()
    report = None if restart else _earlier_report(report_path)
    if before is not None and report is None and state.is_fresh():  # stopped before anything was done
        _remove_partial(before, state)
        before = None
    if before is not None or report is not None:
        other = difference(before or report.run, manifest)  # type: ignore[union-attr]
        if other:
            what = "another run that is not complete" if report is None else "another run"
            raise DataError(f"{_target(state.folder)} holds the output of {what}: {other}; {anew}, or write elsewhere")
        if report is not None:
            gone = [file.output for file in report.files if file.output is not None and not Path(file.output).exists()]
            if gone:
                raise DataError(f"this run is complete, but its output {gone[0]} is no longer there: {anew}")
            if before is not None and state.folder.name != FOLDER:  # killed between the report and this
                state.remove()
            report.complete_before = True
            return report
    else:
        if not restart:
            for job in jobs:
                if job.output.exists() and not job.problem:
                    raise DataError(
                        f"{job.output} is there already, and no run like this one wrote it: {anew} and replace it"
                    )
        for old in earlier - {os.path.realpath(path) for job in jobs for path in (job.input, job.output)}:
            Path(old).unlink(missing_ok=True)
        state.clear()
        for job in jobs:
            partial_path(job.output).unlink(missing_ok=True)
        for path in _report_paths(state.folder):
            path.unlink(missing_ok=True)
    state.begin(manifest)
    return None


def _written_before(state: State, report_path: Path) -> set[str]:
    """Return the outputs that an earlier run, which is to be replaced, completed where this one writes; what it left at temporary names goes."""
    try:
        manifest = state.manifest()
    except DataError:  # damaged
        manifest = None
    outputs: list[str] = []
    try:
        if manifest is not None:
            _remove_partial(manifest, state)
            outputs += [manifest["files"][step["file"]]["output"] for step in state.steps() if step["do"] == "written"]
        report = _earlier_report(report_path)
        outputs += [] if report is None else [os.path.abspath(file.output) for file in report.files if file.output]
    except (DataError, KeyError, IndexError, TypeError):
        pass
    return _own(outputs, state)


def _own(outputs: Iterable[str], state: State) -> set[str]:
    """Return the true paths of those outputs that lie where this run writes; the state may be a copy of another's."""
    target = os.path.realpath(_target(state.folder))
    inside = (os.path.realpath(path) for path in outputs)
    return {path for path in inside if path == target or path.startswith(os.path.join(target, ""))}


def _remove_partial(manifest: Mapping[str, Any], state: State) -> None:
    """Remove the files of a run at their temporary names."""
    for path in _own((file["output"] for file in manifest.get("files", [])), state):
        partial_path(path).unlink(missing_ok=True)


def _leave_nothing(state: State, jobs: list[Job]) -> None:
    """Remove all that a run made which was stopped before anything was done."""
    with suppress(OSError):
        if not (state.folder / MANIFEST).exists() or not state.is_fresh():
            return
        for job in jobs:
            partial_path(job.output).unlink(missing_ok=True)
        state.remove()
        if state.made_parent:
            folders = {
                parent
                for job in jobs
                for parent in job.output.parents
                if state.folder.parent in (parent, *parent.parents)
            }
            for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                with suppress(OSError):  # something is in it
                    folder.rmdir()


def _earlier_report(path: Path) -> Report | None:
    try:
        return Report.from_dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path} is not the report of a run: move it away, or add --restart (restart=True) to replace it"
        ) from None


# -------------------------------------------------------------------------------------------------------------- the run


@dataclass
class _FileState:
    """How far a file is.

    Attributes
    ----------
    scored : of `keep_top`, rows in each part whose scores are in side files
    all_scored : of `keep_top`, whether those are all
    states : what the sink said after each part that was appended; none once the file is written or passed over, for there may be many
    all_appended, written : whether all parts are in the file, and whether it has its name
    reason : why the file is passed over, "" if it is not
    """

    scored: list[int] = field(default_factory=list)
    all_scored: bool = False
    states: list[dict[str, Any]] = field(default_factory=list)
    all_appended: bool = False
    written: bool = False
    reason: str = ""
    tally: Tally = field(default_factory=Tally)


@dataclass
class _Task:
    """A part to do, or, without one, the end of a file; with a reason, the end of one that cannot be read."""

    job: Job
    number: int
    part: Part | None = None
    source: Source | None = None
    sink: Sink | None = None
    threads: int = 1
    reason: str = ""


@dataclass
class _Done:
    task: _Task
    tally: Tally = field(default_factory=Tally)
    encoded: Encoded | None = None


class Run:
    """One call of `score_files` on an open state: passes over all files, part by part."""

    def __init__(
        self,
        jobs: list[Job],
        scorer: RowScorer,
        manifest: dict[str, Any],
        state: State,
        threads: int,
        display: Status,
    ) -> None:
        self.jobs, self.scorer, self.manifest, self.state = jobs, scorer, manifest, state
        self.threads, self.display = threads, display
        self.settings = manifest["settings"]
        self.files = [_FileState() for _ in jobs]
        self.seconds_before = 0.0
        self.top: dict[str, Any] | None = None
        self._cut_is_stale = False
        for step in state.steps():
            self._replay(step)
        self.started = time.monotonic()
        self._stop = Event()
        self._journal = Journal(state)
        self._open: list[Any] = []

    def _replay(self, step: dict[str, Any]) -> None:
        """Take up a step that an earlier run, or this one, has done."""
        self.seconds_before = step.get("seconds", self.seconds_before)
        if step["do"] == "cut":
            self.top = step["top"]
            return
        if step["do"] == "uncut":
            self._take_back()
            return
        file = self.files[step["file"]]
        if "tally" in step:
            file.tally.add(Tally.from_dict(step["tally"]))
        match step["do"]:
            case "score":
                file.scored.append(step["tally"]["rows"])
            case "scored":
                file.all_scored = True
            case "append":
                file.states.append(step["state"])
            case "appended":
                file.all_appended = True
            case "written":
                file.written = True
                file.states.clear()
            case "bad":
                self._is_bad(file, step["reason"])

    def _is_bad(self, file: _FileState, reason: str) -> None:
        """Pass over a file from now on; a cut that counted its rows does not hold any more."""
        file.reason = reason
        file.states.clear()
        self._cut_is_stale = self.top is not None

    def _record(self, do: str, job: Job | None = None, to_disk: Path | None = None, **facts: Any) -> None:
        step = {"do": do, **({} if job is None else {"file": job.number}), **facts}
        self._journal.record(step | {"seconds": round(self._seconds(), 3)}, to_disk)

    def _seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.started

    def close(self) -> None:
        """Leave everything on the disk as it is, what is done recorded."""
        try:
            self._journal.close()
        finally:
            for one in self._open:
                one.close()

    # ---------------------------------------------------------------------------------------------------------- passes

    def complete(self, share: str | None) -> Report:
        """Do what is not done yet, and report."""
        while True:
            if share is not None and self.top is None:
                self._pass("score")
                self._cut(share)
            self._pass("write")
            if not self._cut_is_stale:
                break
            self._undo_cut()
        self._journal.close()
        report = self._report()
        self._save(report)
        return report

    def _begin_pass(self, what: str) -> None:
        n_bytes = sum(max(job.size, 0) for job in self.jobs)
        self._n_bytes, self._began = max(n_bytes, 1), time.monotonic()
        self._pass_bytes, self._pass_name, self._done_bytes, self._before_bytes = 0, what, 0.0, 0.0
        self._done_of = [0.0] * len(self.jobs)

    def _pass(self, what: str) -> None:
        self._begin_pass(what)
        work = self._score_part if what == "score" else self._write_part
        self._stop.clear()
        output: Path | str = "the output"
        with closing(map_threads(work, self._tasks(what), self.threads, self.threads + 1, self._stop)) as results:
            try:
                for done in results:
                    output = done.task.job.output
                    self._take(done, what)
                    self._show()
            except OSError as error:  # of reading become bad files
                raise DataError(
                    f"cannot write {error.filename or output}: {error.strerror or error}; when that is mended, the same call goes on"
                ) from error

    def _tasks(self, what: str) -> Iterator[_Task]:
        """Yield the parts of all files that are not done, and an end for each file; in this order results come back."""
        for job in self.jobs:
            file = self.files[job.number]
            if file.reason:
                self._discard(job)
            if file.reason or file.written or (what == "score" and file.all_scored):
                self._skip(job, job.size)
                continue
            yield from self._file_tasks(job, file, what)

    def _file_tasks(self, job: Job, file: _FileState, what: str) -> Iterator[_Task]:
        number = len(file.states) if what == "write" else len(file.scored)
        sink: Sink | None = None
        try:
            source = self._source(job, what)
            if what == "write":
                if file.all_appended and not partial_path(job.output).exists():
                    self._open_less(source)
                    yield _Task(job, number)  # killed after the file got its name, before that was recorded
                    return
                sink = self._sink(job, source, file.states)
            each = self._threads_each(source)
            if source.n_parts:
                self._skip(job, job.size * number / source.n_parts)
            if not file.all_appended:
                for part in _reading(source.parts(number), job):
                    if file.reason:
                        return
                    yield _Task(job, number, part, source, sink, each)
                    number += 1
        except _BadFileError as error:
            yield _Task(job, number, sink=sink, reason=str(error))
            return
        yield _Task(job, number, None, source, sink)

    def _skip(self, job: Job, n_bytes: float) -> None:
        """Take bytes of a file as done before this run."""
        self._before_bytes += max(n_bytes, 0)
        self._set_done(job, n_bytes)

    def _set_done(self, job: Job, n_bytes: float) -> None:
        """Take so many bytes of a file as done."""
        done = min(max(n_bytes, 0), max(job.size, 0))
        self._done_bytes += done - self._done_of[job.number]
        self._done_of[job.number] = done

    def _threads_each(self, source: Source) -> int:
        """Return the threads of a part: more than one where a run has fewer parts than threads."""
        if len(self.jobs) >= self.threads or source.n_parts is None:
            return 1
        return max(1, self.threads // max(1, source.n_parts * len(self.jobs)))

    def _source(self, job: Job, what: str) -> Source:
        if job.problem:
            raise _BadFileError(job.problem)
        if not job.form:
            raise _BadFileError(f"its name ends in none of {', '.join(FORMS)}")
        filtered = self.settings["keep"] is not None or self.settings["keep_top"] is not None
        drops = (
            "any"
            if filtered or job.form != job.output_form
            else "bad"
            if self.settings["bad_rows"] == "skip"
            else "none"
        )
        try:
            source = form_module(job.form).open_source(
                job.input, self.settings["text"], drops="none" if what == "score" else drops
            )
            self._open.append(source)
            if job.form == "jsonl":
                source.keeps_bad = self.settings["bad_rows"] == "null" and not filtered
        except (*READ_ERRORS, DataError, FormatError, pa.ArrowException) as error:
            raise _bad_file(error, job) from error
        names = [] if source.schema is None else source.schema.names
        clash = [added.name for added in self.scorer.fields if added.name in names]
        if clash:
            raise _BadFileError(
                f"it has a column {clash[0]!r} already: give the model a name, which goes before the names of its columns"
            )
        return source

    def _sink(self, job: Job, source: Source, states: list[dict[str, Any]]) -> Sink:
        job.output.parent.mkdir(parents=True, exist_ok=True)
        form = form_module(job.output_form)
        same, schema = (source, source.schema) if job.form == job.output_form else (None, _columns(source, job))
        if states:
            sink = form.resume_sink(job.output, states, schema, self.scorer.fields, same)
        else:
            try:
                sink = form.create_sink(job.output, schema, self.scorer.fields, same)
            except DataError as error:  # its columns cannot be written
                raise _BadFileError(_reason(error, job)) from error
        self._open.append(sink)
        return sink

    def _open_less(self, *closed: Any) -> None:
        for one in closed:
            if one is not None:
                one.close()
                self._open.remove(one)

    # ------------------------------------------------------------------------------------------------- in worker threads

    def _score_part(self, task: _Task) -> _Done:
        """Score a part into a side file."""
        done = _Done(task)
        if task.part is None or self.files[task.job.number].reason:
            return done
        path = self._side_path(task.job, task.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = pa.schema(
            [*(field.with_name(str(i)) for i, field in enumerate(self.scorer.fields)), (BY, pa.float32())]
        )
        temporary = path.with_suffix(".partial")
        try:
            with pa.OSFile(os.fsencode(temporary), "wb") as file, pa.ipc.new_file(file, schema) as writer:
                for batch in self._batches(task):
                    rows = self.scorer(batch.texts, task.threads)
                    self._check_bad(task.job, batch, rows.tally)
                    done.tally.add(rows.tally)
                    writer.write_batch(pa.record_batch([*rows.columns, pa.array(rows.by)], schema=schema))
        except _BadFileError as error:
            task.reason = str(error)
            return done
        os.replace(temporary, path)
        return done

    def _write_part(self, task: _Task) -> _Done:
        """Score and encode a part, or take its scores from a side file."""
        done = _Done(task)
        if task.part is None or self.files[task.job.number].reason:
            return done
        assert task.sink is not None
        encoder = task.sink.encoder(task.part if task.job.form == task.job.output_form else None)
        try:
            if self.top is not None:
                self._select(task, done, encoder)
            else:
                for batch in self._batches(task):
                    rows = self.scorer(batch.texts, task.threads)
                    self._check_bad(task.job, batch, rows.tally)
                    keep = rows.keep
                    if batch.bad and self.settings["bad_rows"] == "skip":
                        keep = np.ones(len(batch.texts), bool) if keep is None else keep
                        keep[[row for row, _ in batch.bad]] = False
                    done.tally.add(rows.tally)
                    _encode(encoder, batch, rows.columns, keep, task.job)
        except _BadFileError as error:
            task.reason = str(error)
            return done
        done.encoded = encoder.finish()
        done.tally.kept = done.encoded.n_rows
        return done

    def _select(self, task: _Task, done: _Done, encoder: Encoder) -> None:
        """Copy the rows of a part whose score reaches the threshold."""
        assert self.top is not None
        table = _side_table(self._side_path(task.job, task.number))
        scores = table.column(BY).to_numpy()
        threshold = self.top["threshold"]
        keep = scores >= np.float32(np.inf if threshold is None else threshold)  # NaN is not
        if not keep.any():
            return
        first = 0
        for batch in self._batches(task):
            here = slice(first, first + len(batch.texts))
            kept = keep[here]
            columns = [
                table.column(str(i)).slice(first, len(batch.texts)).combine_chunks()
                for i in range(len(self.scorer.fields))
            ]
            _encode(encoder, batch, columns, kept, task.job)
            first += len(batch.texts)

    def _batches(self, task: _Task) -> Iterator[Batch]:
        assert task.part is not None
        for batch in _reading(task.part.batches(), task.job):
            if self._stop.is_set():
                raise _StoppedError
            yield batch

    def _check_bad(self, job: Job, batch: Batch, tally: Tally) -> None:
        if not batch.bad:
            return
        place = ":" if job.form == "jsonl" else ": row "
        if self.settings["bad_rows"] == "stop":
            row, reason = batch.bad[0]
            raise DataError(
                f"{job.input}{place}{batch.lines[row]}: {reason}; --bad-rows skip (bad_rows='skip') leaves such rows out, "
                "--bad-rows null writes them with empty scores"
            )
        tally.bad = len(batch.bad)
        tally.problems = [(int(batch.lines[row]), reason) for row, reason in batch.bad[:MOST_LISTED]]

    # ------------------------------------------------------------------------------------------------ in the main thread

    def _take(self, done: _Done, what: str) -> None:
        """Append and record what a thread has done."""
        task, file = done.task, self.files[done.task.job.number]
        if file.reason:
            return
        if task.reason:
            self._pass_over(task)
        elif task.part is None:
            self._end(task, file, what)
        elif what == "score":
            self._record("score", task.job, self._side_path(task.job, task.number), tally=done.tally.to_dict())
            file.scored.append(done.tally.rows)
            self._count(task.job, task.part, done.tally, file)
        else:
            assert task.sink is not None
            assert done.encoded is not None
            state = task.sink.append(done.encoded, sync=False)
            self._record("append", task.job, partial_path(task.job.output), state=state, tally=done.tally.to_dict())
            file.states.append(state)
            self._count(task.job, task.part, done.tally, file)

    def _count(self, job: Job, part: Part, tally: Tally, file: _FileState) -> None:
        file.tally.add(tally)
        self._set_done(job, self._done_of[job.number] + part.n_bytes)
        self._pass_bytes += tally.text_bytes

    def _end(self, task: _Task, file: _FileState, what: str) -> None:
        """Complete a file, in the journal's thread, when all of its parts are recorded."""
        self._set_done(task.job, task.job.size)
        if what == "score":
            self._record("scored", task.job)
            file.all_scored = True
            self._open_less(task.source)
            return
        if task.sink is not None:
            if not file.all_appended:
                self._record("appended", task.job)
                file.all_appended = True
            self._journal.call(task.sink.finish)
        self._record("written", task.job)
        file.written = True
        file.states.clear()
        self._journal.call(partial(self._forget, task))

    def _forget(self, task: _Task) -> None:
        """Close what a file that is written had open; its side files stay, for the cut may have to be done again."""
        self._open_less(task.source, task.sink)

    def _pass_over(self, task: _Task) -> None:
        job, file = task.job, self.files[task.job.number]
        if self.settings["bad_files"] == "stop":
            named = task.reason if str(job.input) in task.reason else f"{job.input}: {task.reason}"
            raise DataError(f"{named}; {SKIP_FILES}")
        self._is_bad(file, task.reason)
        self._set_done(job, job.size)
        self._record("bad", job, reason=task.reason)
        self._journal.call(partial(self._discard, job, task.sink))

    def _discard(self, job: Job, sink: Sink | None = None) -> None:
        """Remove what was written of a bad file; its source stays open, as threads may still read it."""
        self._open_less(sink)
        if job.problem:
            return
        for path in (partial_path(job.output), job.output):
            path.unlink(missing_ok=True)

    def _show(self) -> None:
        spent = time.monotonic() - self._began
        share = min(1.0, self._done_bytes / self._n_bytes)
        here = (self._done_bytes - self._before_bytes) / self._n_bytes
        left = f"{_duration(spent / here * (1 - share))} left" if here > 0 else ""
        step = (
            ""
            if self.settings["keep_top"] is None
            else f"{'step 1 of 2' if self._pass_name == 'score' else 'step 2 of 2'}  "
        )
        speed = f"{self._pass_bytes / 1e6 / max(spent, 1e-9):.1f} MB/s  " if self._pass_bytes else ""
        self.display.show(f"{step}{share:.0%}  {speed}{left}", share)

    # -------------------------------------------------------------------------------------------------------- keep_top

    def _side_path(self, job: Job, part: int) -> Path:
        return self.state.folder / "scores" / f"{job.number:06}" / f"{part:06}.arrow"

    def _cut(self, share: str) -> None:
        """Find the threshold: its bin by a sketch of all scores, then by the scores that lie in there."""
        sketch = ScoreSketch()
        for scores in self._side_scores():
            sketch.update(scores)
        cut = sketch.threshold(parse_share(share))
        self.top = {"by": self.settings["by"], "share": share, "asked": 0, "threshold": None, "kept": 0}
        if cut is not None:
            threshold, kept = exact_threshold(cut, self._side_scores())
            self.top |= {"asked": cut.n, "threshold": threshold, "kept": kept}
        self._record("cut", top=self.top)

    def _undo_cut(self) -> None:
        """Take the cut back, and the outputs made by it, because files that it counted turned out to be bad."""
        self._journal.wait()
        for job in self.jobs:
            if not job.problem:
                for path in (partial_path(job.output), job.output):
                    path.unlink(missing_ok=True)
        self._record("uncut")
        self._take_back()

    def _take_back(self) -> None:
        self.top, self._cut_is_stale = None, False
        for file in self.files:
            file.states, file.all_appended, file.written = [], False, False
            file.tally.kept = 0

    def _side_scores(self) -> Iterator[NDArray[np.float32]]:
        for job in self.jobs:
            file = self.files[job.number]
            for part in range(0 if file.reason else len(file.scored)):
                for chunk in _side_table(self._side_path(job, part)).column(BY).chunks:
                    yield chunk.to_numpy(zero_copy_only=False)

    # ---------------------------------------------------------------------------------------------------------- report

    def _report(self) -> Report:
        files, labels, probs = [], Tally(), []
        for job, file in zip(self.jobs, self.files, strict=True):
            tally = Tally() if file.reason else file.tally
            files.append(
                FileReport(
                    str(job.input),
                    None if file.reason else str(job.output),
                    tally.rows,
                    tally.kept,
                    tally.bad,
                    tally.text_bytes,
                    file.reason,
                )
            )
            labels.add(tally)
            probs += [{"file": str(job.input), "line": line, "reason": reason} for line, reason in tally.problems]
        return Report(
            files,
            labels.labels,
            labels.probs,
            probs[:MOST_LISTED],
            self.top,
            round(self._seconds(), 3),
            self.manifest,
            self.scorer.lists(),
        )

    def _save(self, report: Report) -> None:
        from lexigrad.formats.native import replacing

        numbers, picture = _report_paths(self.state.folder)
        shutil.rmtree(self.state.folder / "scores", ignore_errors=True)
        with replacing(numbers) as file:
            file.write(json_bytes(report.to_dict(), indent=1) + b"\n")
        try:
            drawn = draw(report, picture)
        except OSError as error:  # the run is complete all the same
            self.display.say(f"no picture of the scores was drawn: {error}")
        else:
            if not drawn:
                self.display.say(
                    "no picture of the scores was drawn: it needs matplotlib, pip install 'lexigrad[plot]'"
                )
        if self.state.folder.name != FOLDER:
            self.state.remove()


def draw(report: Report, path: Path) -> bool:
    """Write the picture of a report that has scores; False where matplotlib is not installed."""
    if not any(distribution.n for labels in report.probs.values() for distribution in labels.values()):
        return True
    try:
        figure = report.figure()
    except ParameterError:
        return False
    from lexigrad.evaluation.plots import save_figure

    save_figure(figure, path)
    return True


def _columns(source: Source, job: Job) -> pa.Schema:
    """Return the columns of a source as a table, which JSONL has only by a look at its rows."""
    if source.schema is not None:
        return source.schema
    try:
        return source.columns()  # type: ignore[attr-defined]
    except (*READ_ERRORS, DataError) as error:
        raise _bad_file(error, job) from error


def _bad_file(error: Exception, job: Job) -> Exception:
    """Return the error that makes a file a bad one; or, for want of memory or the like, which will pass, the one that stops the run."""
    for cause in (error, error.__cause__):
        if isinstance(cause, OSError) and cause.errno in PASSING:
            return DataError(f"{job.input} cannot be read now: {cause.strerror}; the same command goes on from here")
    return _BadFileError(_reason(error, job))


def _reading(items: Iterator[Any], job: Job) -> Iterator[Any]:
    """Yield items; what goes wrong in reading them makes their file a bad one."""
    try:
        yield from items
    except (*READ_ERRORS, DataError, FormatError, pa.ArrowException) as error:
        raise _bad_file(error, job) from error


def _encode(encoder: Encoder, batch: Batch, columns: list[pa.Array], keep: NDArray[np.bool_] | None, job: Job) -> None:
    """Hand rows to an encoder; rows that do not fit the output make their file a bad one."""
    try:
        encoder.add(batch, columns, keep)
    except DataError as error:
        raise _BadFileError(_reason(error, job)) from error


def _reason(error: BaseException, job: Job) -> str:
    """Return what is wrong with a file, without its name, which the caller's message has."""
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read: {error.strerror}"
    return (str(error) or type(error).__name__).removeprefix(f"{job.input}: ")


def _side_table(path: Path) -> pa.Table:
    with pa.memory_map(os.fsencode(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
