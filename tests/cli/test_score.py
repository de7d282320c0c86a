"""`lexigrad score` as a process."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lexigrad
from lexigrad.cli import main
from tests.cli.test_command_line import LEXIGRAD, run
from tests.conftest import themed

Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in this process, which is quicker than one of its own: gives what goes to standard output and error."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which `main` replaces

    def called(*arguments: object, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["lexigrad", *map(str, arguments)])
        with pytest.raises(SystemExit) as raised:
            main()
        output, errors = capsys.readouterr()
        assert (raised.value.code or 0) == code, errors
        return output, errors

    return called


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, trained: lexigrad.TextClassifier) -> Path:
    folder = tmp_path_factory.mktemp("score")
    trained.save(folder / "m.lexigrad")
    trained.save(folder / "a=b.lexigrad")
    texts = themed(300, 3)[0]
    pq.write_table(pa.table({"id": range(300), "text": texts}), folder / "in.parquet", row_group_size=100)
    (folder / "in.jsonl").write_text("".join(json.dumps({"body": text}) + "\n" for text in texts) + "{]\n")
    return folder


def test_scores_are_printed_and_a_second_run_has_nothing_to_do(
    files: Path, trained: lexigrad.TextClassifier, call: Call
) -> None:
    command = ("score", files / "in.parquet", "--model", files / "m.lexigrad", "-o", files / "out.parquet")
    result = run(*command)
    first, second, empty, header, row, *_ = result.stdout.splitlines()
    assert first == "300 rows of 1 file"
    assert second.endswith(" MB/s")
    assert (empty, header.split()) == ("", ["file", "rows", "kept", "bad", "MB", "of", "text"])
    assert row.split()[:4] == [str(files / "in.parquet"), "300", "300", "0"]
    assert [line for line in result.stderr.splitlines() if not line.startswith("compiling")] == []
    expected = trained.score_table(pq.read_table(files / "in.parquet"))
    table = pq.read_table(files / "out.parquet")
    assert table.column("label").to_pylist() == expected.column("label").to_pylist()
    assert table.column("prob") == expected.column("prob")
    output, errors = call(*command)
    assert output == result.stdout
    assert "this run is complete already; --restart would do it again" in errors
    assert call(*command, "--restart", "--quiet")[1] == ""
    refused = call(*command, "--add", "law", code=1)[1]
    assert "add was ['label', 'prob'], and now it is ['law']; add --restart" in refused


def test_several_models_a_filter_and_bad_rows(files: Path, call: Call) -> None:
    out = files / "folder"
    output, errors = call(
        "score", files / "in.jsonl", "--model", f"a={files / 'm.lexigrad'}", "--model", f"b={files / 'a=b.lexigrad'}", "-o", f"{out}/", "--text", "body",
        "--keep", 'a.law > 0.5 and b.label == "law"', "--add", "a.label, b.law", "--bad-rows", "skip", "--json", "--threads", 2,
    )  # fmt: skip
    report = json.loads(output)
    rows = [json.loads(line) for line in (out / "in.jsonl").read_text().splitlines()]
    assert (report["rows"], report["kept"], report["bad"]) == (301, len(rows), 1)
    assert 50 < len(rows) < 150
    assert all(list(row) == ["body", "a_label", "b_law"] and row["a_label"] == "law" for row in rows)
    assert report["bad_rows"][0]["line"] == 301
    assert f"warning: 1 bad rows, the first in {files / 'in.jsonl'}, 301: " in errors
    assert json.loads((out / "_lexigrad/report.json").read_text()) == report


def test_a_path_may_have_an_equals_sign(files: Path, call: Call) -> None:
    options = (
        "--add",
        "none",
        "--keep-top",
        "10%",
        "--by",
        "law",
        "--quiet",
        "--newlines",
        "empty",
        "--format",
        "jsonl",
    )
    call("score", files / "in.parquet", "--model", files / "a=b.lexigrad", "-o", f"{files / 'top'}/", *options)
    rows = [json.loads(line) for line in (files / "top/in.jsonl").read_text().splitlines()]
    assert len(rows) == 30
    assert list(rows[0]) == ["id", "text"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{}/in.parquet", "--model", "{}/m.lexigrad", "-o", "{}/in.parquet"], 2, "is an input, which would be lost"),
        (["{}/in.jsonl", "--model", "{}/m.lexigrad", "-o", "{}/x.jsonl", "--text", "body"], 1, "in.jsonl:301: "),
        (["{}/in.parquet", "--model", "{}/m.lexigrad", "--model", "{}/m.lexigrad", "-o", "{}/x/"], 2, "need names"),
        (
            ["{}/in.parquet", "--model", "{}/m.lexigrad", "-o", "{}/x/", "--newlines", "tab"],
            2,
            "--newlines tab: expected one of space, end-of-sentence, empty",
        ),
        (["-", "--model", "{}/m.lexigrad", "-o", "{}/x/"], 2, "standard input and pipes are not read"),
        (["{}/in.parquet", "--model", "{}/in.parquet", "-o", "{}/x/"], 1, "in.parquet holds no classifier"),
        (["{}/in.parquet", "--model", "a={}/m.lexigrad", "--model", "a={}/m.lexigrad", "-o", "{}/x/"], 2, "two models"),
    ],
)
def test_wrong_usage_is_one_clear_line(files: Path, call: Call, arguments: list[str], code: int, message: str) -> None:
    output, errors = call("score", *[word.format(files) for word in arguments], code=code)
    assert message in errors
    assert errors.count("\n") == 1
    assert output == ""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_says_that_the_same_command_goes_on(files: Path) -> None:
    big = pa.table({"text": themed(300, 3)[0] * 40})
    pq.write_table(big, files / "big.parquet", row_group_size=100)
    given = [
        "score",
        files / "big.parquet",
        "--model",
        files / "m.lexigrad",
        "-o",
        files / "big.jsonl",
        "--threads",
        "2",
    ]
    with (files / "errors").open("w") as errors:
        process = subprocess.Popen([*LEXIGRAD, *map(str, given)], stdout=subprocess.DEVNULL, stderr=errors)
    progress = files / "big.jsonl.lexigrad-run/progress.jsonl"
    while not progress.exists() or progress.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    said = (files / "errors").read_text()
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert not (files / "big.jsonl").exists()
    before = progress.read_bytes().count(b"\n")
    assert before >= 5
    assert run(*given).stdout.startswith("12,000 rows of 1 file")
    assert len((files / "big.jsonl").read_text().splitlines()) == 12_000


def commands() -> list[str]:
    """Return the commands of the table of everything that `lexigrad score` does."""
    page = (Path(__file__).parents[2] / "docs/scoring.md").read_text(encoding="utf-8")
    table = page.split("## Everything it does")[1].split("\n## ")[0]
    return re.findall(r"^\| .* \| `(lexigrad score .*)` \|$", table, re.MULTILINE)


def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    texts, labels = themed(200, 5)
    settings = {"dim": 8, "epochs": 2, "threads": 1}
    lexigrad.TextClassifier(**settings).fit(texts, ["hq" if label == "law" else "cc" for label in labels]).save(
        tmp_path / "quality.lexigrad"
    )
    lexigrad.TextClassifier(**settings).fit(texts, ["en" if label != "food" else "de" for label in labels]).save(
        tmp_path / "lid.lexigrad"
    )
    table = pa.table({"text": texts, "summary": texts})
    (tmp_path / "corpus/more").mkdir(parents=True)
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table, tmp_path / "corpus/a.parquet")
    with pa.ipc.new_file(tmp_path / "corpus/more/c.arrow", table.schema) as writer:
        writer.write_table(table)
    for name in ("b.jsonl", "corpus/b.jsonl"):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lexigrad.scoring.run.draw", lambda report, path: True)
    shown = commands()
    assert len(shown) > 20
    for command in shown:
        verb, *words = shlex.split(command)
        assert verb == "lexigrad"
        call(*words)
        out = Path(words[words.index("--output") + 1] if "--output" in words else words[-1])
        assert out.is_file() or sorted(path.relative_to(out).parts[-1][0] for path in out.rglob("[abc].*")) == [
            "a",
            "b",
            "c",
        ]
