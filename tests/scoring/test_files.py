"""Which files a run reads and writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lexigrad.errors import DataError, ParameterError
from lexigrad.scoring.files import plan


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.parquet",
        "b.jsonl.gz",
        "in/a.jsonl",
        "in/x/a.feather",
        "in/x/c.jsonl.xz",
        "in/.b.jsonl",
        "in/_x/a.jsonl",
        "in/n.csv",
        "t.txt",
    ):
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_text("x")
    Path("there").mkdir()
    os.mkfifo("pipe.jsonl")
    Path("link.parquet").symlink_to("elsewhere.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("inputs", "output", "form", "expected", "state"),
    [
        ("a.parquet", "o.parquet", None, {"a.parquet": "o.parquet"}, "o.parquet.lexigrad-run"),
        ("a.parquet", "o.jsonl.zst", None, {"a.parquet": "o.jsonl.zst"}, "o.jsonl.zst.lexigrad-run"),
        ("a.parquet", "o.dat", "arrow", {"a.parquet": "o.dat"}, "o.dat.lexigrad-run"),
        ("a.parquet", "o/", None, {"a.parquet": "o/a.parquet"}, "o/_lexigrad"),
        ("a.parquet", "there", None, {"a.parquet": "there/a.parquet"}, "there/_lexigrad"),
        ("b.jsonl.gz", "o/", None, {"b.jsonl.gz": "o/b.jsonl.gz"}, "o/_lexigrad"),
        ("b.jsonl.gz", "o/", "jsonl", {"b.jsonl.gz": "o/b.jsonl.gz"}, "o/_lexigrad"),
        ("b.jsonl.gz", "o/", "parquet", {"b.jsonl.gz": "o/b.parquet"}, "o/_lexigrad"),
        (["a.parquet", "b.jsonl.gz"], "o", None, {"a.parquet": "o/a.parquet", "b.jsonl.gz": "o/b.jsonl.gz"}, "o/_lexigrad"),
        (["a.parquet", "b.jsonl.gz"], "o", "arrow", {"a.parquet": "o/a.arrow", "b.jsonl.gz": "o/b.arrow"}, "o/_lexigrad"),
        (
            "in",
            "o",
            None,
            {"in/a.jsonl": "o/a.jsonl", "in/x/a.feather": "o/x/a.feather", "in/x/c.jsonl.xz": "o/x/c.jsonl"},
            "o/_lexigrad",
        ),
        (["t.txt", "a.parquet"], "o", None, {"t.txt": "o/t.txt", "a.parquet": "o/a.parquet"}, "o/_lexigrad"),
    ],
)  # fmt: skip
def test_names(
    here: Path, inputs: str | list[str], output: str, form: str | None, expected: dict[str, str], state: str
) -> None:
    jobs, folder = plan(inputs, output, form)
    assert {job.input.as_posix(): job.output.as_posix() for job in jobs} == expected
    assert folder.as_posix() == state
    assert [job.number for job in jobs] == list(range(len(jobs)))
    assert all(job.size == 1 for job in jobs)


@pytest.mark.parametrize(
    ("inputs", "output", "form", "error", "message"),
    [
        ([], "o", None, ParameterError, "no input was given"),
        ("no.parquet", "o/", None, DataError, "no such file: no.parquet"),
        ("there", "o/", None, DataError, "there: there is no file in this folder whose name ends in .parquet"),
        ("a.parquet", "o.csv", None, ParameterError, "o.csv: an output's name ends in .parquet"),
        ("a.parquet", "o.parquet.gz", None, ParameterError, "o.parquet.gz: an output's name ends in"),
        ("a.parquet", "o.parquet", "jsonl", ParameterError, "the name says parquet and --format says jsonl"),
        ("a.parquet", "o.jsonl.bz2", None, ParameterError, "JSONL is written plain, as .gz or as .zst"),
        ("in", "t.txt", None, ParameterError, "t.txt: it is a file"),
        ("a.parquet", "a.parquet", None, ParameterError, "the output a.parquet is an input"),
        ("in/a.jsonl", "in/", None, ParameterError, "is an input, which would be lost"),
        ("in", "in/x/..", None, ParameterError, "is an input, which would be lost"),
        (["in/a.jsonl", "in/_x/a.jsonl"], "o", None, ParameterError, "would both be written to"),
        (["a.parquet", "in/a.jsonl"], "o", "jsonl", ParameterError, "would both be written to"),
        ("-", "o/", None, ParameterError, "standard input and pipes are not read"),
        ("pipe.jsonl", "o/", None, ParameterError, "pipe.jsonl is a pipe or device, which is not read"),
        ("a.parquet", "link.parquet", None, ParameterError, "the output link.parquet is a link"),
    ],
)
def test_what_is_refused(
    here: Path, inputs: str | list[str], output: str, form: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        plan(inputs, output, form)
    assert message in str(raised.value)


def test_links_to_files_are_followed_and_broken_ones_named(here: Path) -> None:
    Path("in/l.parquet").symlink_to(here / "a.parquet")
    Path("in/folder.parquet").symlink_to(here / "there")
    Path("in/x/broken.jsonl").symlink_to("gone.jsonl")
    Path("in/x/loop.jsonl").symlink_to("loop.jsonl")
    problems = {job.input.as_posix(): job.problem for job in plan("in", "o", None)[0]}
    assert "link to gone.jsonl, which cannot be opened: No such file" in problems.pop("in/x/broken.jsonl")
    assert "link to loop.jsonl, which cannot be opened: Too many levels" in problems.pop("in/x/loop.jsonl")
    assert problems == dict.fromkeys(("in/a.jsonl", "in/l.parquet", "in/x/a.feather", "in/x/c.jsonl.xz"), "")


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have a folder refuse to be listed; tests may run as a user whom no permission stops."""
    scandir = os.scandir

    def listed(path: Any = ".") -> Any:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", listed)


def test_folders_that_cannot_be_read_are_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable(monkeypatch, "x")
    jobs, _ = plan("in", "o", None)
    assert [(job.input.as_posix(), job.problem) for job in jobs] == [
        ("in/a.jsonl", ""), ("in/x", "this folder cannot be read: Permission denied"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="in/x: this folder cannot be read: Permission denied"):
        plan("in/x", "o", None)


def test_outputs_of_runs_in_an_input_folder_are_left_out(here: Path) -> None:
    for name in (
        "in/out/a.jsonl",
        "in/deep/other/_lexigrad/lock",
        "in/deep/other/b.jsonl",
        "in/c.jsonl.lexigrad-run/s/d.arrow",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    left_out: list[Path] = []
    jobs, _ = plan("in", "in/out/", None, left_out)
    assert [job.input.as_posix() for job in jobs] == ["in/a.jsonl", "in/x/a.feather", "in/x/c.jsonl.xz"]
    assert sorted(path.as_posix() for path in left_out) == ["in/c.jsonl.lexigrad-run", "in/deep/other", "in/out"]
    assert [job.input.name for job in plan("in/deep/other", "o", None)[0]] == ["b.jsonl"]  # asked for by name


def test_files_that_may_not_be_looked_at_are_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Path.stat

    def refused(self: Path, **options: Any) -> os.stat_result:
        if self.name == "a.feather":
            raise PermissionError(13, "Permission denied", self)
        return look(self, **options)

    monkeypatch.setattr(Path, "stat", refused)
    problems = [job.problem for job in plan("in", "o", None)[0]]
    assert problems == ["", "it cannot be read: Permission denied", ""]
    with pytest.raises(DataError, match=r"in/x/a\.feather cannot be read: Permission denied"):
        plan("in/x/a.feather", "o/", None)
