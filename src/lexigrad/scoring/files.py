"""Which files a run reads and writes, and the form of each."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from lexigrad.errors import DataError, ParameterError
from lexigrad.text.files import COMPRESSIONS
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
    """

    number: int
    input: Path
    output: Path
    form: str
    output_form: str
    size: int
    mtime_ns: int


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


def plan(inputs: Paths, output: str | os.PathLike[str], form: str | None) -> tuple[list[Job], Path]:
    """Return what is read and written, and the folder in which the run keeps its state.

    The output is a folder if it is one already, if its name ends in "/", if an input is a folder or if there are several; each input then gets a file
    of the same name in there, below the same folders as in the folder that was given.

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
    found = [pair for one in given for pair in _files(Path(one))]
    target = Path(output)
    into_folder = (
        target.is_dir() or os.fspath(output).endswith(("/", os.sep)) or len(given) > 1 or any(map(os.path.isdir, given))
    )
    if into_folder and target.exists() and not target.is_dir():
        raise ParameterError(
            f"cannot write into {target}: it is a file, and several inputs or a folder need a folder for their outputs"
        )
    jobs = []
    for number, (path, relative) in enumerate(found):
        source_form = form_of(path)
        if into_folder:
            goal, goal_form = target / _renamed(relative, source_form, form), form or source_form
        else:
            goal, goal_form = target, _form_of_output(target, form)
        try:
            there = path.stat()
        except OSError:
            size, mtime_ns = -1, -1
        else:
            size, mtime_ns = there.st_size, there.st_mtime_ns
        jobs.append(Job(number, path, goal, source_form, goal_form, size, mtime_ns))
    _check(jobs)
    return jobs, target / FOLDER if into_folder else target.with_name(target.name + SUFFIX)


def _files(path: Path) -> list[tuple[Path, Path]]:
    """Return the files that an input means, each with its path below the output folder."""
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"no such file: {path}")
        return [(path, Path(path.name))]
    inside = [file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file() and form_of(file)]
    visible = [name for name in inside if not any(part.startswith((".", "_")) for part in name.parts)]
    if not visible:
        raise DataError(f"{path}: there is no file in this folder whose name ends in {', '.join(FORMS)}")
    return [(path / name, name) for name in visible]


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
        if goal in inputs:
            raise ParameterError(
                f"the output {job.output} is an input, which would be lost: write to another folder or name"
            )
        if goal in outputs:
            raise ParameterError(
                f"{outputs[goal].input} and {job.input} would both be written to {job.output}: score them into folders of their own"
            )
        outputs[goal] = job
