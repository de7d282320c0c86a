"""Which files a run reads and writes, and the form of each."""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lexigrad.errors import DataError, ParameterError
from lexigrad.text.files import COMPRESSIONS, STDIN
from lexigrad.text.sources import Paths

FORMS = {
    ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json-lines": "jsonl", ".arrow": "arrow", ".feather": "arrow", ".arrows": "arrow",
}  # fmt: skip
"""Forms by extension; that of JSONL may be followed by one of a compression."""
EXTENSIONS = {"parquet": ".parquet", "jsonl": ".jsonl", "arrow": ".arrow"}
"""Of output files whose form is not that of their input."""
FOLDER, SUFFIX = "_lexigrad", ".lexigrad-run"
"""Where a run keeps its state: a folder in the output folder, or a folder beside the output file."""
WRITTEN_COMPRESSIONS = (".gz", ".zst")


@dataclass(frozen=True)
class Job:
    """An input file with its output.

    Attributes
    ----------
    number : 0 for the first
    input, output : paths
    form, output_form : "parquet", "jsonl" or "arrow"; the form of an input is "" where its name tells none
    size, mtime_ns : of the input; -1 where it is not there
    problem : why it cannot be read, where that is known already, else ""; the input may then be a folder
    """

    number: int
    input: Path
    output: Path
    form: str
    output_form: str
    size: int
    mtime_ns: int
    problem: str = ""


class _Found(NamedTuple):
    """An input, with its path below the output folder; see `Job` for `problem`."""

    path: Path
    relative: Path
    problem: str = ""


def form_of(path: Path) -> str:
    """Return the form of a file by its name, "" for a name that tells none.

    Examples
    --------
    >>> form_of(Path("a.jsonl.gz")), form_of(Path("a.csv"))
    ('jsonl', '')
    """
    stem = _without_compression(path.name)
    form = FORMS.get(Path(stem).suffix.lower(), "")
    return form if form == "jsonl" or stem == path.name else ""


def form_module(form: str) -> ModuleType:
    """Return the module of a form, see `lexigrad.scoring.forms.common`."""
    return importlib.import_module(f"lexigrad.scoring.forms.{form}")


def plan(
    inputs: Paths, output: str | os.PathLike[str], form: str | None, left_out: list[Path] | None = None
) -> tuple[list[Job], Path]:
    """Return what is read and written, and the folder in which the run keeps its state.

    The output is a folder if it is one already, if its name ends in "/", if an input is a folder or if there are several; each input then gets a file
    of the same name in there, below the same folders as in the folder that was given.

    Of a folder that is an input, links to files are followed and links to folders are not. Folders with outputs of runs, this one's among them, are left out,
    and appended to `left_out`. What cannot be read in there becomes a job with a `problem`.

    Raises
    ------
    ParameterError
        The output is an input, two inputs would get the same output, or a name tells no form.
    DataError
        An input is not there, or a folder holds no file of a known form.
    """
    if form is not None and form not in EXTENSIONS:
        raise ParameterError(f"format={form!r}: expected one of {', '.join(EXTENSIONS)}")
    given: Sequence[str | os.PathLike[str]] = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not given:
        raise ParameterError("no input was given: name one or more files or folders")
    target = Path(output)
    own = os.path.realpath(target)
    found = [one for name in given for one in _files(Path(name), own, [] if left_out is None else left_out)]
    into_folder = (
        os.path.isdir(target)
        or os.fspath(output).endswith(("/", os.sep))
        or len(given) > 1
        or any(map(os.path.isdir, given))
    )
    if into_folder and os.path.exists(target) and not os.path.isdir(target):
        raise ParameterError(
            f"cannot write into {target}: it is a file, and several inputs or a folder need a folder for their outputs"
        )
    jobs = []
    for number, (path, relative, problem) in enumerate(found):
        source_form = form_of(path) if not problem else ""
        if into_folder:
            goal, goal_form = target / _renamed(relative, source_form, form), form or source_form
        else:
            goal, goal_form = target, _form_of_output(target, form)
        try:
            there = path.stat()
        except OSError as error:
            size, mtime_ns = -1, -1
            problem = problem or f"it cannot be read: {error.strerror or error}"
        else:
            size, mtime_ns = there.st_size, there.st_mtime_ns
        jobs.append(Job(number, path, goal, source_form, goal_form, size, mtime_ns, problem))
    _check(jobs)
    return jobs, target / FOLDER if into_folder else target.with_name(target.name + SUFFIX)


def _files(path: Path, own: str, left_out: list[Path]) -> list[_Found]:
    """Return the files that an input means; `own` is the true path of the output folder."""
    if os.fspath(path) == STDIN:
        raise ParameterError(
            "-: standard input and pipes are not read, for a run that was stopped could not go on with them: write the texts to a file"
        )
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"no such file: {path}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not stat.S_ISDIR(mode):
        if not stat.S_ISREG(mode):
            raise ParameterError(f"{path} is a pipe or device, which is not read: write the texts to a file")
        return [_Found(path, Path(path.name))]
    found = sorted(_walked(path, Path(), own, left_out), key=lambda one: one.relative)
    if found and found[0].path == path:
        raise DataError(f"{path}: {found[0].problem}")
    if not found:
        beside = f", beside outputs of runs, such as {left_out[0]}" if left_out else ""
        raise DataError(f"{path}: there is no file in this folder whose name ends in {', '.join(FORMS)}{beside}")
    return found


def _walked(folder: Path, relative: Path, own: str, left_out: list[Path]) -> Iterator[_Found]:
    """Yield the files of a known form in a folder and below it, and what cannot be looked into."""
    try:
        with os.scandir(folder / relative) as listing:
            entries = [(Path(entry.name), entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in listing]
    except OSError as error:
        yield _Found(folder / relative, relative, f"this folder cannot be read: {error.strerror or error}")
        return
    for name, is_folder, is_link in entries:
        if name.name.startswith((".", "_")):
            continue
        path = folder / relative / name
        if is_folder:
            is_output = os.path.realpath(path) == own or os.path.isdir(path / FOLDER) or name.name.endswith(SUFFIX)
            if is_output:
                left_out.append(path)
            else:
                yield from _walked(folder, relative / name, own, left_out)
        elif form_of(name):
            if is_link:
                problem = _link_problem(path)
                if problem is not None:
                    yield _Found(path, relative / name, problem)
            else:
                yield _Found(path, relative / name)


def _link_problem(path: Path) -> str | None:
    """Return why a link to a file cannot be followed, "" where it can; None for one to a folder."""
    try:
        return None if stat.S_ISDIR(os.stat(path).st_mode) else ""
    except OSError as error:
        return f"it is a link to {os.readlink(path)}, which cannot be opened: {error.strerror or error}"


def _without_compression(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in COMPRESSIONS else name


def _renamed(path: Path, form: str, wanted: str | None) -> Path:
    """Return the name of an output file: that of its input, with another extension where the form is another or its compression is only read."""
    if (wanted is None or wanted == form) and (
        path.suffix.lower() in WRITTEN_COMPRESSIONS or path.suffix.lower() not in COMPRESSIONS
    ):
        return path
    stem = Path(_without_compression(path.name)).stem if form else path.name
    return path.with_name(stem + EXTENSIONS[wanted or form]) if wanted or form else path


def _form_of_output(path: Path, wanted: str | None) -> str:
    form = form_of(path)
    if not form and wanted is None:
        raise ParameterError(
            f"{path}: an output's name ends in {', '.join(FORMS)} (JSONL also in {' or '.join(WRITTEN_COMPRESSIONS)}), or give --format"
        )
    if form and wanted is not None and wanted != form:
        raise ParameterError(f"{path}: the name says {form} and --format says {wanted}")
    if path.suffix.lower() in COMPRESSIONS and path.suffix.lower() not in WRITTEN_COMPRESSIONS:
        raise ParameterError(f"{path}: JSONL is written plain, as .gz or as .zst")
    return form or wanted or ""


def _check(jobs: list[Job]) -> None:
    """Raise where one file would be written twice, or an input overwritten."""
    inputs = {os.path.realpath(job.input): job.input for job in jobs}
    outputs: dict[str, Job] = {}
    for job in jobs:
        goal = os.path.realpath(job.output)
        if os.path.islink(job.output) and not job.problem:
            raise ParameterError(
                f"the output {job.output} is a link, which would be replaced by a file: name the file that it points to, or remove it"
            )
        if goal in inputs:
            raise ParameterError(
                f"the output {job.output} is an input, which would be lost: write to another folder or name"
            )
        if goal in outputs:
            raise ParameterError(
                f"{outputs[goal].input} and {job.input} would both be written to {job.output}: score them into folders of their own"
            )
        outputs[goal] = job
