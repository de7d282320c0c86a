"""`score_files`: what it writes, what it refuses, and that a run that was stopped at any step goes on."""

from __future__ import annotations

import errno
import gzip
import importlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lexigrad
from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.scoring import Report, score_files
from lexigrad.scoring.forms.common import partial_path
from lexigrad.scoring.forms.jsonl import JsonlSource
from lexigrad.scoring.manifest import State
from lexigrad.scoring.report import Distribution
from lexigrad.scoring.run import Run
from tests.conftest import themed
from tests.scoring.test_files import unreadable

N, GROUP = 600, 50


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Drawing takes longer than all else; the tests of the report have it."""
    if "report" not in request.node.name and "picture" not in request.node.name:
        monkeypatch.setattr("lexigrad.scoring.run.draw", lambda report, path: True)


def write(path: Path, texts: list[str | None], start: int = 0, group: int = GROUP) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"id": np.arange(start, start + len(texts)), "text": pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=group)
    return path


@pytest.fixture(scope="module")
def quality() -> lexigrad.TextClassifier:
    """A classifier of two labels whose probabilities are spread over 0 to 1."""
    texts, labels = themed(200, 5)
    return lexigrad.TextClassifier(dim=8, epochs=2, lr=0.2, threads=1).fit(
        texts, ["hq" if label == "law" else "cc" for label in labels]
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    texts = [text.replace(" ", "\n", 1) for text in themed(N, 7)[0]]
    write(folder / "a.parquet", texts[:400])
    write(folder / "deep/b.parquet", texts[400:], start=400)
    write(folder / "deep/none.parquet", [])
    write(folder / "_left/out.parquet", ["x"])
    (folder / "README.md").write_text("not a corpus")
    return folder


OUTPUTS = ("a.parquet", "deep/b.parquet", "deep/none.parquet")


def scored(corpus: Path, *models: tuple[lexigrad.TextClassifier, str], **settings: Any) -> pa.Table:
    """Return what the output should hold, by the table's road."""
    table = pa.concat_tables([pq.read_table(corpus / name) for name in OUTPUTS])
    for clf, name in models:
        table = clf.score_table(table, name=name, **settings)
    return table


def columns(table: pa.Table) -> dict[str, list[Any]]:
    return {name: table.column(name).to_pylist() for name in table.column_names}


def output(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(folder / name) for name in OUTPUTS])


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that a run leaves, without those that tell times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("lock", "report.json", "manifest.json", "progress.jsonl", "report.png")
    }


def facts(report: Report) -> dict[str, Any]:
    document = report.to_dict()
    for name in ("seconds", "mb_per_second", "run", "files"):
        del document[name]
    return document


# -------------------------------------------------------------------------------------------------------------- columns


def test_columns_are_those_of_score_table(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    add = ("label", "prob", "sport", "all")
    report = score_files(corpus, tmp_path / "out", trained, add=add, threads=1)
    assert columns(output(tmp_path / "out")) == columns(scored(corpus, (trained, ""), add=add))
    assert (report.rows, report.kept, report.bad) == (N, N, 0)
    assert [(Path(f.output or "").relative_to(tmp_path / "out").as_posix(), f.rows) for f in report.files] == [
        ("a.parquet", 400), ("deep/b.parquet", 200), ("deep/none.parquet", 0),
    ]  # fmt: skip
    assert report.lists == {"probs": trained.classes_.tolist()}
    assert Report.from_dict(json.loads((tmp_path / "out/_lexigrad/report.json").read_bytes())).lists == report.lists
    assert not (tmp_path / "out/_left").exists()
    assert sorted(path.name for path in (tmp_path / "out/_lexigrad").iterdir()) == [
        "lock", "manifest.json", "progress.jsonl", "report.json",
    ]  # fmt: skip


def test_settings_reach_the_scorer(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    plain = columns(scored(corpus, (trained, "")))
    for i, settings in enumerate(
        (
            {"newlines": "empty"},
            {"unit": "line", "aggregate": "max"},
            {"unit": "window", "window": 3, "aggregate": "min"},
        )
    ):
        score_files(corpus, tmp_path / str(i), trained, threads=1, **settings)
        found = columns(output(tmp_path / str(i)))
        assert found == columns(scored(corpus, (trained, ""), **settings))
        assert found != plain


def test_several_models_in_one_pass(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, quality: lexigrad.TextClassifier
) -> None:
    quality.save(tmp_path / "q.lexigrad")
    models = {"theme": trained, "quality": tmp_path / "q.lexigrad"}
    report = score_files(corpus, tmp_path / "out", models, threads=1)
    expected = columns(scored(corpus, (trained, "theme"), (quality, "quality")))
    assert columns(output(tmp_path / "out")) == expected
    assert list(report.probs) == ["theme", "quality"]
    score_files(corpus, tmp_path / "few", models, add=("theme.label", "hq"), threads=1)
    assert output(tmp_path / "few").column_names == ["id", "text", "theme_label", "quality_hq"]


def test_one_file(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    report = score_files(corpus / "a.parquet", tmp_path / "x.parquet", trained, threads=1)
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 400
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "x.parquet", "x.parquet.report.json",
    ]  # fmt: skip
    kept = json.loads((tmp_path / "x.parquet.report.json").read_text())
    assert kept == json.loads(json.dumps(report.to_dict()))
    assert Report.from_dict(kept) == report


def test_threads_change_no_byte(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    for threads in (1, 2, 20):
        score_files(corpus, tmp_path / str(threads), trained, add=("label", "all"), threads=threads)
        score_files(corpus, tmp_path / f"k{threads}", trained, keep="law > 0.5", threads=threads)
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "20")
    assert contents(tmp_path / "k1") == contents(tmp_path / "k2") == contents(tmp_path / "k20")


# ---------------------------------------------------------------------------------------------------------------- forms

NAMES = {"parquet": "x.parquet", "jsonl": "x.jsonl", "gz": "x.jsonl.gz", "zst": "x.jsonl.zst", "arrow": "x.arrow"}


def convert(table: pa.Table, path: Path) -> Path:
    """Write a table in the form that a name tells."""
    lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    match path.suffix:
        case ".parquet":
            pq.write_table(table, path, row_group_size=GROUP)
        case ".jsonl":
            path.write_bytes(lines)
        case ".gz":
            path.write_bytes(gzip.compress(lines))
        case ".zst":
            path.write_bytes(pa.Codec("zstd").compress(lines, asbytes=True))
        case _:
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, GROUP)
    return path


def back(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file, numbers as float32."""
    match path.suffix:
        case ".parquet":
            rows = pq.read_table(path).to_pylist()
        case ".arrow":
            rows = pa.ipc.open_file(path).read_all().to_pylist()
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        case ".gz":
            rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        case _:
            with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as file:
                rows = [json.loads(line) for line in file.read().splitlines()]
    return [{name: _single(value) for name, value in row.items()} for row in rows]


def _single(value: Any) -> Any:
    if isinstance(value, list):
        return [_single(one) for one in value]
    return float(np.float32(value)) if isinstance(value, float) else value


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_every_form_to_every_form(
    corpus: Path,
    tmp_path: Path,
    trained: lexigrad.TextClassifier,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
) -> None:
    monkeypatch.setattr(JsonlSource.__init__, "__defaults__", (5000,))  # bytes of a part
    table = pq.read_table(corpus / "a.parquet").slice(0, 150)
    given = convert(table, tmp_path / NAMES[source])
    expected = [
        {name: _single(value) for name, value in row.items()}
        for row in trained.score_table(table, add=("label", "law", "all")).to_pylist()
    ]
    for settings in ({}, {"keep": "law > 0.5"}, {"keep_top": "10%", "by": "law"}):
        out = tmp_path / "-".join(["out", *settings]) / NAMES[target]
        out.parent.mkdir()
        report = score_files(given, out, trained, add=("label", "law", "all"), threads=2, **settings)
        rows = expected
        if settings:
            rows = (
                [row for row in rows if row["law"] > 0.5]
                if "keep" in settings
                else sorted(rows, key=lambda row: -row["law"])[:15]
            )
            rows = sorted(rows, key=lambda row: row["id"])
        assert back(out) == rows
        assert (report.rows, report.kept) == (150, len(rows))


def test_lines_that_get_no_field_stay_as_they_are(tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    lines = [b'{"text":  "law1"} ', b"{}", b'{"text": "sport1"}', b' {"text": "law2", "n": 1e400}']
    (tmp_path / "in.jsonl").write_bytes(b"\r\n".join(lines))
    options = {"bad_rows": "null", "add": (), "threads": 1}
    for number, keep in ((0, "law > 0.5"), (1, "law <= 0.5")):
        score_files(tmp_path / "in.jsonl", tmp_path / f"{number}.jsonl", trained, keep=keep, **options)
    assert (tmp_path / "0.jsonl").read_bytes() == lines[0] + b"\r\n" + lines[3] + b"\n"
    assert (tmp_path / "1.jsonl").read_bytes() == lines[2] + b"\r\n"


def test_bad_lines(tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    lines = [b'{"text": "law1"}', b"no JSON", b'{"text": 5}', b'{"body": "x"}', b'{"text": null}', b'{"text": "law2"}']
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(DataError, match=r"in\.jsonl:2: .*--bad-rows skip"):
        score_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", trained, threads=1)
    report = score_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", trained, threads=1, bad_rows="skip")
    assert (report.rows, report.kept, report.bad) == (6, 2, 4)
    assert [row["line"] for row in report.bad_rows] == [2, 3, 4, 5]
    assert all(row["reason"] for row in report.bad_rows)
    assert [row["text"] for row in back(tmp_path / "out.jsonl")] == ["law1", "law2"]
    report = score_files(tmp_path / "in.jsonl", tmp_path / "null.jsonl", trained, threads=1, bad_rows="null")
    assert (report.rows, report.kept, report.bad) == (6, 5, 4)
    assert [row["label"] for row in back(tmp_path / "null.jsonl")] == ["law", None, None, None, "law"]
    (tmp_path / "twice.jsonl").write_bytes(b'{"text": "law1"}\n{"text": "x", "label": 1}\n')
    with pytest.raises(DataError, match=r"twice\.jsonl:2: there is a field 'label' already.*--bad-files skip"):
        score_files(tmp_path / "twice.jsonl", tmp_path / "t.jsonl", trained, threads=1)
    assert (
        len(score_files(tmp_path / "twice.jsonl", tmp_path / "t.jsonl", trained, threads=1, bad_files="skip").bad_files)
        == 1
    )
    assert not (tmp_path / "t.jsonl").exists()


# -------------------------------------------------------------------------------------------------------------- filters


def test_filters(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, quality: lexigrad.TextClassifier
) -> None:
    models = {"theme": trained, "quality": quality}
    table = scored(corpus, (trained, "theme"), (quality, "quality"), add=("label", "prob"))
    hq = scored(corpus, (quality, ""), add=("hq",)).column("hq").to_numpy()
    law = np.array(table.column("theme_label").to_pylist()) == "law"
    sure = table.column("theme_prob").to_numpy() > 0.99
    for i, (keep, mask) in enumerate(
        [
            ("hq > 0.5", hq > 0.5),
            ('theme.label == "law" and quality.hq <= 0.5', law & (hq <= 0.5)),
            ('not theme.label == "law" and theme.prob > 0.99', ~law & sure),
            ("hq > 2", hq > 2),
        ]
    ):
        report = score_files(corpus, tmp_path / str(i), models, keep=keep, add=("theme.label",), threads=1)
        found = output(tmp_path / str(i))
        assert found.column_names == ["id", "text", "theme_label"]
        assert found.column("id").to_pylist() == np.flatnonzero(mask).tolist()
        assert (report.rows, report.kept) == (N, mask.sum())
        assert sum(file.kept for file in report.files) == mask.sum()


def test_a_filter_may_add_nothing(corpus: Path, tmp_path: Path, quality: lexigrad.TextClassifier) -> None:
    score_files(corpus, tmp_path / "out", quality, keep="hq > 0.5", add=(), threads=1)
    assert output(tmp_path / "out").column_names == ["id", "text"]


@pytest.mark.parametrize("share", ["10%", 1 / 3, "100%", "0.01%"])
def test_the_top_is_exact(corpus: Path, tmp_path: Path, quality: lexigrad.TextClassifier, share: str | float) -> None:
    hq = scored(corpus, (quality, ""), add=("hq",)).column("hq").to_numpy()
    report = score_files(corpus, tmp_path / "out", quality, keep_top=share, by="hq", add=("hq", "label"), threads=2)
    wanted = {"10%": 60, 1 / 3: 200, "100%": N, "0.01%": 1}[share]
    threshold = np.sort(hq)[N - wanted]
    mask = hq >= threshold
    assert report.top == {"by": "hq", "share": str(share), "asked": wanted, "threshold": threshold, "kept": mask.sum()}
    assert report.kept == mask.sum()
    found = output(tmp_path / "out")
    assert found.column("id").to_pylist() == np.flatnonzero(mask).tolist()
    assert found.column("hq").to_pylist() == hq[mask].tolist()
    assert found.column_names == ["id", "text", "hq", "label"]
    assert not (tmp_path / "out/_lexigrad/scores").exists()
    assert report.probs[""]["hq"] == Distribution.of(hq)


def test_the_top_of_equal_rows_and_of_what_a_filter_keeps(tmp_path: Path, quality: lexigrad.TextClassifier) -> None:
    write(tmp_path / "in.parquet", ["law1 law2", None, "food1"] * 20, group=7)
    hq = np.array(quality.predict_proba(["law1 law2", "food1"])[:, 1])
    assert hq[0] > hq[1]
    top = {"keep_top": "10%", "by": "hq", "bad_rows": "null", "threads": 1}
    report = score_files(tmp_path / "in.parquet", tmp_path / "ties.parquet", quality, **top)
    assert report.top is not None
    assert (report.top["asked"], report.top["kept"], report.kept, report.bad) == (4, 20, 20, 20)
    report = score_files(tmp_path / "in.parquet", tmp_path / "f.parquet", quality, keep=f"hq < {hq[0]}", **top)
    assert report.top is not None
    assert (report.top["asked"], report.top["threshold"], report.kept) == (2, float(hq[1]), 20)
    report = score_files(tmp_path / "in.parquet", tmp_path / "n.parquet", quality, keep="hq > 2", **top)
    assert report.top is not None
    assert (report.top["asked"], report.top["threshold"], report.kept) == (0, None, 0)
    assert pq.read_table(tmp_path / "n.parquet").num_rows == 0
    assert "\ntop" not in str(report)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_top_is_of_the_good_files_where_a_bad_one_is_found_late(
    tmp_path: Path, quality: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    for name, texts in (("a", themed(300, 7)[0]), ("b", ["law1 law2 law3"] * 200), ("c", themed(100, 8)[0])):
        lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)]
        if name == "b":  # its many best rows are counted until the last one is to be written
            lines[-1] = json.dumps({"text": "law1 law2 law3", "label": "x"})
        (tmp_path / f"in/{name}.jsonl").parent.mkdir(exist_ok=True)
        (tmp_path / f"in/{name}.jsonl").write_text("\n".join(lines))
    call: dict[str, Any] = {"keep_top": "10%", "by": "hq", "bad_files": "skip", "threads": threads}
    report = score_files(tmp_path / "in", tmp_path / "out", quality, **call)
    (tmp_path / "in/b.jsonl").rename(tmp_path / "b.jsonl")
    good = score_files(tmp_path / "in", tmp_path / "good", quality, **call)
    assert contents(tmp_path / "out") == contents(tmp_path / "good")
    assert report.top == good.top
    assert report.top is not None
    assert report.top["asked"] == 40
    assert report.top["kept"] == report.kept == sum(file.kept for file in report.files)
    assert [file.reason for file in report.files] == ["", report.bad_files[0].reason, ""]
    (tmp_path / "b.jsonl").rename(tmp_path / "in/b.jsonl")
    for step in range(30):
        with monkeypatch.context() as patch:
            stopped_at(patch, 2, bool(step % 2))
            try:
                again = score_files(tmp_path / "in", tmp_path / "often", quality, **call)
                break
            except _Killed:
                continue
    assert contents(tmp_path / "often") == contents(tmp_path / "good")
    assert facts(again) == facts(report)


# ---------------------------------------------------------------------------------------------------- bad rows and files


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    """A file in whose fourth row group a text is missing, and one more at the end."""
    texts: list[str | None] = [*themed(200, 9)[0]]
    texts[171] = texts[199] = None
    return write(tmp_path / "gaps.parquet", texts)


def test_bad_rows(gaps: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    out = tmp_path / "out.parquet"
    with pytest.raises(DataError, match=r"gaps\.parquet: row 171: .*--bad-rows skip"):
        score_files(gaps, out, trained, threads=1)
    assert not out.exists()
    assert partial_path(out).exists()
    report = score_files(gaps, out, trained, bad_rows="skip", threads=1)  # goes on
    assert json.loads((tmp_path / "out.parquet.report.json").read_text())["run"]["settings"]["bad_rows"] == "skip"
    assert (report.rows, report.kept, report.bad) == (200, 198, 2)
    assert [(row["file"], row["line"]) for row in report.bad_rows] == [(str(gaps), 171), (str(gaps), 199)]
    table = pq.read_table(out)
    assert table.column("id").to_pylist() == [i for i in range(200) if i not in (171, 199)]
    whole = score_files(gaps, tmp_path / "whole.parquet", trained, bad_rows="skip", threads=1)
    assert (tmp_path / "whole.parquet").read_bytes() == out.read_bytes()
    assert facts(whole) == facts(report)
    report = score_files(gaps, tmp_path / "null.parquet", trained, bad_rows="null", threads=2)
    assert (report.rows, report.kept, report.bad) == (200, 200, 2)
    nulls = pq.read_table(tmp_path / "null.parquet")
    assert [i for i, label in enumerate(nulls.column("label").to_pylist()) if label is None] == [171, 199]
    assert nulls.column("prob").null_count == 2
    for i, keep in enumerate(("law > 0.5", "not law > 0.5")):
        report = score_files(gaps, tmp_path / f"{i}.parquet", trained, bad_rows="null", keep=keep, threads=1)
        assert not {171, 199} & set(pq.read_table(tmp_path / f"{i}.parquet").column("id").to_pylist())
        assert report.bad == 2


def test_bad_files(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    folder = tmp_path / "in"
    shutil.copytree(corpus, folder)
    (folder / "b.parquet").write_text("no parquet at all")
    damaged = bytearray((folder / "a.parquet").read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 3000] = bytes(3000)
    (folder / "c.parquet").write_bytes(damaged)
    pq.write_table(pa.table({"body": ["x"]}), folder / "d.parquet")
    with pytest.raises(DataError, match=r"b\.parquet.*--bad-files skip") as raised:
        score_files(folder, tmp_path / "out", trained, threads=1)
    assert str(raised.value).count("b.parquet") == 1
    reports = [
        score_files(folder, tmp_path / name, trained, bad_files="skip", threads=threads)
        for name, threads in (("out", 1), ("other", 2))
    ]
    assert contents(tmp_path / "out") == contents(tmp_path / "other")
    assert sorted(contents(tmp_path / "out")) == sorted(OUTPUTS)
    report = reports[0]
    assert facts(report) == facts(reports[1])
    assert [Path(file.input).name for file in report.bad_files] == ["b.parquet", "c.parquet", "d.parquet"]
    assert all(file.output is None and file.rows == 0 for file in report.bad_files)
    assert report.rows == N
    assert columns(output(tmp_path / "out")) == columns(scored(corpus, (trained, "")))
    assert re.search(r"^bad file: .*b\.parquet .*Parquet", str(report), re.M)
    assert re.search(r"^\S+/b\.parquet +bad file$", str(report), re.M)
    top = score_files(folder, tmp_path / "top", trained, bad_files="skip", keep_top="50%", by="law", threads=2)
    assert len(top.bad_files) == 3
    assert top.top is not None
    assert top.top["asked"] == N // 2


def test_what_cannot_be_looked_into_is_a_bad_file(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    shutil.copytree(corpus, folder)
    (folder / "l.parquet").symlink_to("gone.parquet")
    unreadable(monkeypatch, "deep")
    with pytest.raises(DataError, match=r"in/deep: this folder cannot be read: Permission denied; --bad-files skip"):
        score_files(folder, tmp_path / "out", trained, threads=1)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out/deep").mkdir(parents=True)
    report = score_files(folder, tmp_path / "out", trained, threads=1, bad_files="skip")
    assert [(Path(file.input).name, file.rows) for file in report.files] == [
        ("a.parquet", 400),
        ("deep", 0),
        ("l.parquet", 0),
    ]
    assert len(report.bad_files) == 2
    assert (tmp_path / "out/deep").is_dir()


def test_an_output_folder_within_the_input(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    folder = tmp_path / "in"
    shutil.copytree(corpus, folder)
    first = score_files(folder, folder / "out", trained, threads=1)
    assert score_files(folder, folder / "out", trained, threads=1).complete_before
    second = score_files(folder, folder / "other", trained, threads=1)
    assert [file.input for file in second.files] == [file.input for file in first.files]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_bad_lines_have_no_say_in_the_types_of_columns(
    tmp_path: Path, trained: lexigrad.TextClassifier, form: str
) -> None:
    lines = [
        {"a": "five", "text": 5}, {"a": 1, "text": "law1", "b": None}, {"c": True, "a": "six"}, {"a": 2, "text": "law2"}, {"a": 3, "text": None},
    ]  # fmt: skip
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    out = tmp_path / f"out.{form}"
    for i, settings in enumerate(({"bad_rows": "skip"}, {"bad_rows": "null", "keep": "law >= 0"})):
        report = score_files(
            tmp_path / "in.jsonl", out, trained, add=(), restart=bool(i), **{"keep": "prob >= 0"} | settings
        )
        assert back(out) == [{"a": 1, "text": "law1", "b": None}, {"a": 2, "text": "law2", "b": None}]
        assert report.bad == 3
    lines[0]["a"], lines[2]["a"] = 8, 9
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    score_files(tmp_path / "in.jsonl", out, trained, add=("label",), bad_rows="null", restart=True)
    rows = back(out)
    assert [list(row) for row in rows] == [["a", "text", "b", "c", "label"]] * 5  # in the order of the fields
    assert [(row["a"], row["text"], row["label"]) for row in rows] == [
        (8, None, None), (1, "law1", "law"), (9, None, None), (2, "law2", "law"), (3, None, None),
    ]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes")
@pytest.mark.parametrize("form", ["parquet", "arrow", "jsonl"])
def test_names_that_are_not_utf8(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    folder = tmp_path / os.fsdecode(b"in\xff")
    name = os.fsdecode(b"a\xff.") + form
    folder.mkdir()
    try:
        convert(pq.read_table(corpus / "a.parquet"), tmp_path / f"a.{form}").rename(folder / name)
    except OSError:
        pytest.skip("this file system has no such names")
    out = tmp_path / os.fsdecode(b"out\xff")
    call: dict[str, Any] = {"keep_top": "10%", "by": "law", "threads": 1}
    with monkeypatch.context() as patch:
        stopped_at(patch, 1, False)
        with pytest.raises(_Killed):
            score_files(folder, out, trained, **call)
    report = score_files(folder, out, trained, **call)
    assert report.kept == 40
    assert report.files[0].output == str(out / name)
    assert "in\\udcff/a\\udcff" in (out / "_lexigrad/report.json").read_text()
    assert score_files(folder, out, trained, **call).to_dict() == report.to_dict()
    for other in {"parquet", "arrow", "jsonl"} - {form}:
        assert score_files(folder, tmp_path / other, trained, format=other, threads=1).kept == 400


def test_repeated_names_of_columns_are_a_bad_file(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier
) -> None:
    folder = tmp_path / "in"
    shutil.copytree(corpus, folder)
    twice = pa.Table.from_arrays([pa.array(["law1"]), pa.array([1]), pa.array([2])], ["text", "x", "x"])
    text = pa.Table.from_arrays([pa.array(["law1"]), pa.array(["law1"])], ["text", "text"])
    for name, table in (("x", twice), ("t", text)):
        pq.write_table(table, folder / f"{name}p.parquet")
        convert(table, folder / f"{name}a.arrow")
    for form in ("parquet", "arrow", "jsonl"):
        with pytest.raises(DataError, match=r"ta\.arrow.* more than one column 'text'.*--bad-files skip"):
            score_files(folder / "ta.arrow", tmp_path / f"{form}/", trained, format=form, keep="law > 0.5")
        report = score_files(
            folder, tmp_path / form, trained, format=form, keep="law > 0.5", bad_files="skip", threads=1
        )
        bad = {Path(file.input).name: file.reason for file in report.bad_files}
        texts, others = {"ta.arrow", "tp.parquet"}, {"xa.arrow", "xp.parquet"}
        assert set(bad) == (texts if form == "arrow" else texts | others)  # Arrow has them
        assert all("more than one column" in reason for reason in bad.values())


# ------------------------------------------------------------------------------------------------------------- going on


class _Killed(BaseException):
    pass


def stopped_at(monkeypatch: pytest.MonkeyPatch, step: int, before: bool) -> None:
    """Have the run fail at a step, before or after it is recorded."""
    record, count = State.record, 0

    def failing(self: State, facts: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count == step and before:
            raise _Killed
        record(self, facts)
        if count == step:
            raise _Killed

    monkeypatch.setattr(State, "record", failing)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "settings",
    [
        {"add": ("label", "sport")},
        {"keep": "law > 0.5"},
        {"keep_top": "20%", "by": "law"},
        {"format": "jsonl"},
        {"format": "arrow"},
    ],
    ids=["add", "keep", "top", "jsonl", "arrow"],
)
def test_a_run_that_is_stopped_at_each_step_goes_on(
    corpus: Path,
    tmp_path: Path,
    trained: lexigrad.TextClassifier,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    before: bool,
) -> None:
    whole = score_files(corpus, tmp_path / "whole", trained, threads=1, **settings)
    expected = contents(tmp_path / "whole")
    n_steps = len((tmp_path / "whole/_lexigrad/progress.jsonl").read_text().splitlines())
    out = tmp_path / "out"
    done = 0
    for step in range(n_steps):  # each run does two or three steps more
        with monkeypatch.context() as patch:
            stopped_at(patch, 3, before)
            if n_steps - done < 3:
                break
            with pytest.raises(_Killed):
                score_files(corpus, out, trained, threads=1 + step % 2, **settings)
        done = len((out / "_lexigrad/progress.jsonl").read_text().splitlines())
        for name, content in expected.items():  # whole or not there
            assert not (out / name).exists() or (out / name).read_bytes() == content
    report = score_files(corpus, out, trained, threads=1, **settings)
    assert contents(out) == expected
    assert facts(report) == facts(whole)
    assert not report.complete_before


def test_half_a_line_of_a_killed_run_is_done_again(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_files(corpus, tmp_path / "whole", trained, threads=1)
    with monkeypatch.context() as patch:
        stopped_at(patch, 6, False)
        with pytest.raises(_Killed):
            score_files(corpus, tmp_path / "out", trained, threads=1)
    progress = tmp_path / "out/_lexigrad/progress.jsonl"
    progress.write_bytes(progress.read_bytes()[:-20])
    with open(partial_path(tmp_path / "out/a.parquet"), "ab") as file:
        file.write(b"half a part")
    score_files(corpus, tmp_path / "out", trained, threads=1)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_complete_run_is_not_done_again(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [
        score_files(corpus, tmp_path / "out", trained, threads=1),
        score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1),
    ]
    monkeypatch.setattr("lexigrad.scoring.run.Run", None)
    again = [
        score_files(corpus, tmp_path / "out", trained, threads=2),
        score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=2),
    ]
    for before, now in zip(first, again, strict=True):
        assert now.complete_before
        assert now.to_dict() == before.to_dict()
    assert not (tmp_path / "a.parquet.lexigrad-run").exists()


def test_a_kill_after_all_is_written(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: State) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(State, "remove", killed)
        with pytest.raises(_Killed):
            score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1)
    assert (tmp_path / "a.parquet.lexigrad-run").exists()
    assert score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1).complete_before
    assert not (tmp_path / "a.parquet.lexigrad-run").exists()


@pytest.mark.parametrize(
    "place", ["forms.parquet.ParquetSink.append", "forms.parquet.ParquetSink.finish", "manifest.State.sync"]
)
def test_a_full_disk_is_an_error_after_which_a_run_goes_on(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    score_files(corpus, tmp_path / "whole", trained, threads=1)
    count = 0

    def full(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            raise OSError(28, "No space left on device")
        return original(self, *arguments, **named)

    with monkeypatch.context() as patch:
        module, name, method = place.rsplit(".", 2)
        owner = getattr(importlib.import_module(f"lexigrad.scoring.{module}"), name)
        original = getattr(owner, method)
        patch.setattr(owner, method, full)
        with pytest.raises(DataError, match=r"cannot write .*: No space left on device; when that is mended"):
            score_files(corpus, tmp_path / "out", trained, threads=2)
    score_files(corpus, tmp_path / "out", trained, threads=2)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_two_runs_at_once(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    other = State(tmp_path / "out/_lexigrad")
    with pytest.raises(DataError, match=r"another run is writing to .*out now"):
        score_files(corpus, tmp_path / "out", trained, threads=1)
    other.close()
    score_files(corpus, tmp_path / "out", trained, threads=1)


Change = Callable[[Path, dict[str, Any]], None]


def _touch(folder: Path, call: dict[str, Any]) -> None:
    os.utime(folder / "a.parquet", ns=(1, 1))


def _grow(folder: Path, call: dict[str, Any]) -> None:
    write(folder / "a.parquet", ["x"] * 10)


def _more(folder: Path, call: dict[str, Any]) -> None:
    write(folder / "z.parquet", ["x"])


def _fewer(folder: Path, call: dict[str, Any]) -> None:
    (folder / "deep/b.parquet").unlink()


def _settings(**settings: Any) -> Change:
    return lambda folder, call: call.update(settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_touch, r"a\.parquet its time of change was"),
        (_grow, r"a\.parquet its size was"),
        (_more, r"z\.parquet is a new input"),
        (_fewer, r"b\.parquet is no longer an input"),
        (_settings(add=("label",)), r"add was \['label', 'prob'\], and now it is \['label'\]"),
        (_settings(keep="law > 0.5"), "keep was None, and now it is 'law > 0.5'"),
        (_settings(bad_rows="skip"), "bad_rows was 'null', and now it is 'skip'"),
        (_settings(unit="line"), "unit was 'document'"),
        (_settings(models={"m": None}), "the models were '', and now they are 'm'"),
    ],
)
@pytest.mark.parametrize("complete", [True, False], ids=["complete", "stopped"])
def test_another_run_is_not_gone_on_with(
    corpus: Path,
    tmp_path: Path,
    trained: lexigrad.TextClassifier,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    message: str,
    complete: bool,
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(corpus, folder)
    call: dict[str, Any] = {"models": trained, "threads": 1, "bad_rows": "null"}
    if complete:
        score_files(folder, out, **call)
    else:
        with monkeypatch.context() as patch:
            stopped_at(patch, 3, False)
            with pytest.raises(_Killed):
                score_files(folder, out, **call)
    change(folder, call)
    if call["models"] is not trained:
        call["models"] = {"m": trained}
    with pytest.raises(DataError, match=message) as raised:
        score_files(folder, out, **call)
    assert "--restart (restart=True) to begin anew" in str(raised.value)
    report = score_files(folder, out, restart=True, **call)
    assert not report.complete_before
    assert pq.read_table(out / "a.parquet").num_rows == report.files[0].kept


def test_another_model_is_noticed(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1)
    other = lexigrad.TextClassifier(dim=16, epochs=1, lr=0.5, word_ngrams=2, min_n=2, max_n=4, threads=1).fit(
        *themed(600)
    )
    with pytest.raises(DataError, match="the model is another one than before"):
        score_files(corpus / "a.parquet", tmp_path / "a.parquet", other, threads=1)
    trained.save(tmp_path / "same.lexigrad")
    assert score_files(corpus / "a.parquet", tmp_path / "a.parquet", tmp_path / "same.lexigrad").complete_before


def test_a_run_that_did_nothing_leaves_nothing(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    given = corpus / "a.parquet"
    for target in ("x.parquet", "new/", "old/"):
        (tmp_path / "old").mkdir(exist_ok=True)
        with pytest.raises(DataError, match="has no column 'txet'"):
            score_files(given, f"{tmp_path}/{target}", trained, text="txet", threads=1)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]
        assert list((tmp_path / "old").iterdir()) == []
    for target in ("x.parquet", "new/", "old/"):
        assert score_files(given, f"{tmp_path}/{target}", trained, threads=1).rows == 400


def test_a_run_that_was_killed_before_anything_was_done_is_no_obstacle(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lexigrad.scoring.run._leave_nothing", lambda state, jobs: None)
        stopped_at(patch, 1, True)
        with pytest.raises(_Killed):
            score_files(corpus, tmp_path / "out", trained, format="arrow", threads=1)
    assert partial_path(tmp_path / "out/a.arrow").exists()
    score_files(corpus, tmp_path / "out", trained, add=("label",), threads=1)
    assert sorted(contents(tmp_path / "out")) == sorted(OUTPUTS)


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "stopped"])
def test_a_restart_removes_outputs_of_the_earlier_run(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch, complete: bool
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        stopped_at(patch, 30 if complete else 12, False)  # the first file has 8 parts
        try:
            score_files(corpus, out, trained, threads=1)
        except _Killed:
            assert not complete
    (out / "mine.parquet").write_text("dear")
    (out / "deep/mine.txt").write_text("dear")
    score_files(corpus, out, trained, format="jsonl", restart=True, threads=1)
    names = ["a.jsonl", "deep/b.jsonl", "deep/mine.txt", "deep/none.jsonl", "mine.parquet"]
    assert sorted(contents(out)) == names
    score_files(out / "a.jsonl", out, {"m": trained}, format="parquet", restart=True, threads=1)  # of an output
    assert sorted(contents(out)) == ["a.jsonl", "a.parquet", "deep/mine.txt", "mine.parquet"]


def test_a_copied_state_removes_nothing_elsewhere(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier
) -> None:
    score_files(corpus, tmp_path / "out", trained, threads=1)
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    score_files(corpus / "a.parquet", tmp_path / "copy", trained, restart=True, threads=1)
    assert sorted(contents(tmp_path / "out")) == sorted(OUTPUTS)


# ------------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_state_folder_that_cannot_be_made(corpus: Path, trained: lexigrad.TextClassifier) -> None:
    with pytest.raises(ParameterError, match=r"cannot write /proc/x/_lexigrad: "):
        score_files(corpus / "a.parquet", "/proc/x/", trained, threads=1)


def test_outputs_that_are_there_stay(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    (tmp_path / "x.parquet").write_text("dear")
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/b.parquet").write_text("dear")
    for given, target, there in (
        (corpus / "a.parquet", "x.parquet", "x.parquet"),
        (corpus, "out", "out/deep/b.parquet"),
    ):
        with pytest.raises(DataError, match=r"is there already, and no run like this one wrote it: add --restart"):
            score_files(given, tmp_path / target, trained, threads=1)
        assert (tmp_path / there).read_text() == "dear"
        score_files(given, tmp_path / target, trained, threads=1, restart=True)
        assert pq.read_table(tmp_path / there).num_rows > 100
    assert not (tmp_path / "x.parquet.lexigrad-run").exists()
    (tmp_path / "x.parquet").unlink()
    with pytest.raises(DataError, match=r"complete, but its output .*x\.parquet is no longer there"):
        score_files(corpus / "a.parquet", tmp_path / "x.parquet", trained, threads=1)
    (tmp_path / "x.parquet.report.json").write_text("[]")
    with pytest.raises(DataError, match=r"x\.parquet\.report\.json is not the report of a run"):
        score_files(corpus / "a.parquet", tmp_path / "x.parquet", trained, threads=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"add": ("hp",)}, "add='hp': no label 'hp': the model has 'food', 'law', 'sport' (expected are label, prob"),
        ({"add": "sprot"}, "has 'food', 'law', 'sport'; did you mean 'sport'?"),
        ({"add": "__label__law"}, "did you mean 'law'?"),
        (
            {"add": "m.LAW", "models": {"m": 0}},
            "add='m.LAW': no label 'LAW': the model 'm' has 'food', 'law', 'sport'; did you",
        ),
        ({"add": ()}, "nothing would be done"),
        ({"add": "none"}, "nothing would be done"),
        ({"add": None}, "add=None: expected columns as strings"),
        ({"add": (1,)}, "add=(1,): expected columns as strings"),
        ({"text": None}, "text=None: expected a string"),
        ({"by": 5, "keep_top": "1%"}, "by=5: expected a string or None"),
        ({"unit": []}, "unit=[]: expected a string"),
        ({"keep": 0.5}, "keep=0.5: expected an expression as a string"),
        ({"models": {1: 0}}, "models: 1 cannot be the name of a model: expected a string"),
        ({"inputs": None}, "inputs=None: expected a path or a list of paths"),
        ({"inputs": [1]}, "inputs=[1]: expected a path or a list of paths"),
        ({"output": None}, "output=None: expected a path"),
        ({"keep": "hp > 1"}, "no label 'hp'"),
        ({"keep_top": "10%"}, "keep_top and by belong together"),
        ({"by": "law"}, "keep_top and by belong together"),
        ({"keep_top": "0", "by": "law"}, "such as 10% or 0.1"),
        ({"keep_top": "10%", "by": "hp"}, "by='hp': no label 'hp': the model has"),
        ({"bad_rows": "drop"}, "bad_rows='drop': expected one of 'stop', 'skip', 'null'"),
        ({"bad_files": "null"}, "bad_files='null': expected one of 'stop', 'skip'"),
        ({"format": "csv"}, "format='csv': expected one of parquet, jsonl, arrow"),
        ({"newlines": "tab"}, "newlines='tab'"),
        ({"unit": "page"}, "unit='page'"),
        ({"threads": 0}, "threads=0"),
        ({"models": {}}, "no model was given"),
        ({"models": {"a-b": 0}}, "'a-b' cannot be the name of a model"),
        ({"models": {"": 0, "b": 0}}, "several models need names"),
        ({"models": 5}, "the model is no classifier but a int"),
    ],
)
def test_wrong_settings(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, settings: dict[str, Any], message: str
) -> None:
    models = settings.pop("models", trained)
    if isinstance(models, dict):
        models = dict.fromkeys(models, trained)
    inputs, output = settings.pop("inputs", corpus), settings.pop("output", tmp_path / "out")
    with pytest.raises(ParameterError) as raised:
        score_files(inputs, output, models, **settings)
    assert message in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_models_that_cannot_be_read(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FormatError, match=r"a\.parquet holds no classifier and no word vectors, .*it has id, text"):
        score_files(corpus, tmp_path / "out", corpus / "a.parquet")
    trained.save(tmp_path / "m.lexigrad")

    def refused(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(FormatError, match=r"m\.lexigrad cannot be read: Permission denied"):
        lexigrad.load(tmp_path / "m.lexigrad")


def test_a_column_of_the_same_name(corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier) -> None:
    score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1)
    with pytest.raises(DataError, match=r"a\.parquet: it has a column 'label' already: give the model a name"):
        score_files(tmp_path / "a.parquet", tmp_path / "b.parquet", trained, threads=1)
    score_files(tmp_path / "a.parquet", tmp_path / "c.parquet", {"again": trained}, threads=1)
    table = pq.read_table(tmp_path / "c.parquet")
    assert table.column("again_label") == table.column("label")


# --------------------------------------------------------------------------------------------------------------- report


def test_the_report(
    corpus: Path, tmp_path: Path, trained: lexigrad.TextClassifier, quality: lexigrad.TextClassifier
) -> None:
    report = score_files(corpus, tmp_path / "out", {"theme": trained, "quality": quality}, threads=2)
    table = scored(corpus, (trained, "theme"), (quality, "quality"), add=("label", "all"))
    for name, clf in (("theme", trained), ("quality", quality)):
        labels = clf.classes_.tolist()
        probs = np.stack(table.column(f"{name}_probs").to_numpy())
        best = table.column(f"{name}_label").to_pylist()
        assert report.labels[name] == {label: best.count(label) for label in labels}
        for i, label in enumerate(labels):
            wide = probs[:, i].astype(np.float64)
            found = report.probs[name][label]
            assert found.histogram == np.histogram(wide, np.arange(21) / 20)[0].tolist()
            assert found.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert report.text_bytes == sum(len(text.encode()) for text in table.column("text").to_pylist())
    text = str(report)
    assert text.startswith("600 rows of 3 files\n")
    assert "quality.hq" in text
    assert repr(report) == "Report(600 rows of 3 files)"
    assert (tmp_path / "out/_lexigrad/report.png").read_bytes().startswith(b"\x89PNG")


def test_many_labels_have_the_distribution_of_the_best(tmp_path: Path) -> None:
    labels = [f"l{i}" for i in range(30)]
    clf = lexigrad.TextClassifier(dim=8, epochs=5, lr=0.5, threads=1).fit(labels * 3, labels * 3)
    write(tmp_path / "in.parquet", labels)
    report = score_files(tmp_path / "in.parquet", tmp_path / "a.parquet", clf, add=("label",), threads=1)
    assert list(report.probs[""]) == ["prob"]
    assert report.probs[""]["prob"] == Distribution.of(clf.top_k(labels, 1)[1][:, 0])
    assert pq.read_table(tmp_path / "a.parquet").column_names == ["id", "text", "label"]
    report = score_files(tmp_path / "in.parquet", tmp_path / "b.parquet", clf, add=("l7",), threads=1)
    assert list(report.probs[""]) == ["l7"]
    assert sum(report.labels[""].values()) == 30


def test_no_picture_without_matplotlib(
    corpus: Path,
    tmp_path: Path,
    trained: lexigrad.TextClassifier,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    score_files(corpus / "a.parquet", tmp_path / "a.parquet", trained, threads=1, verbose=True)
    assert "pip install 'lexigrad[plot]'" in capsys.readouterr().err
    assert not (tmp_path / "a.parquet.report.png").exists()
    assert (tmp_path / "a.parquet.report.json").exists()


def test_progress_tells_the_share_the_speed_and_the_time_left(
    corpus: Path,
    tmp_path: Path,
    trained: lexigrad.TextClassifier,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("lexigrad.training.status.PLAIN_INTERVAL", 0)
    score_files(corpus, tmp_path / "out", trained, threads=1, verbose=True)
    lines = capsys.readouterr().err.splitlines()
    shares = [int(line.split("%")[0]) for line in lines]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    n = len(lines)
    assert n > 12
    assert all(re.fullmatch(r"\d+%  \d+\.\d MB/s  \d+ s left", line) for line in lines)
    score_files(corpus, tmp_path / "top", trained, threads=1, verbose=True, keep_top="10%", by="law")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["step 1 of 2"] * n + ["step 2 of 2"] * n
    score_files(corpus, tmp_path / "quiet", trained, threads=1)
    assert capsys.readouterr().err == ""


def test_what_is_in_the_way_of_an_output_is_named(quality: lexigrad.TextClassifier, tmp_path: Path) -> None:
    write(tmp_path / "in/deep/a.parquet", ["x"])
    for wrong in ("file", "folder"):
        (tmp_path / wrong).mkdir()
    (tmp_path / "file/deep").write_text("here a folder is to be")
    partial_path(tmp_path / "folder/deep/a.parquet").mkdir(parents=True)
    for wrong in ("file", "folder"):
        with pytest.raises(ParameterError, match=r"cannot write .*/deep"):
            score_files(tmp_path / "in", tmp_path / wrong, quality, threads=1)


@pytest.mark.parametrize("settings", [{}, {"keep_top": 0.5, "by": "hq"}])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_full_disk_ends_a_run_with_a_message_wherever_it_is_met(
    quality: lexigrad.TextClassifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    threads: int,
) -> None:
    """Also where an output is begun, and in the threads, which write side files."""
    path = write(tmp_path / "a.parquet", themed(N, 3)[0])

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device", "somewhere")

    with monkeypatch.context() as patch:
        patch.setattr("lexigrad.scoring.forms.parquet.PartialFile", full)
        patch.setattr("pyarrow.ipc.new_file", full)
        with pytest.raises(DataError, match="cannot write somewhere: No space left on device; when that is mended"):
            score_files(path, tmp_path / "b.parquet", quality, threads=threads, **settings)
    assert score_files(path, tmp_path / "b.parquet", quality, threads=threads, **settings).rows == N


def test_states_of_parts_are_held_only_while_their_file_is_written(
    corpus: Path, quality: lexigrad.TextClassifier, tmp_path: Path
) -> None:
    """Each has the description of a row group, and a run of many files has very many."""
    runs: list[Run] = []

    def make(*arguments: Any) -> Run:
        runs.append(Run(*arguments))
        return runs[-1]

    score_files(corpus, tmp_path / "out", quality, threads=2, make=make)
    assert [(file.written, file.states) for file in runs[0].files] == [(True, [])] * 3


def test_what_will_pass_stops_a_run_and_makes_no_file_bad(
    tmp_path: Path, trained: lexigrad.TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"text": ["sport1"]}), tmp_path / "in.parquet")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("lexigrad.scoring.forms.parquet.open_source", refuse)
        with pytest.raises(DataError, match="Too many open files; the same command goes on"):
            score_files(tmp_path / "in.parquet", tmp_path / "out.parquet", trained, bad_files="skip", verbose=False)
    assert (
        score_files(tmp_path / "in.parquet", tmp_path / "out.parquet", trained, bad_files="skip", verbose=False).rows
        == 1
    )
