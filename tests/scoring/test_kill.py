"""Runs that are killed at random moments, by kill -9, and continued by the same command."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lexigrad
from tests.conftest import themed

SMALL_PARTS = "from lexigrad.scoring.forms import jsonl; jsonl.JsonlSource.__init__.__defaults__ = (4000,)"
COMMAND = [sys.executable, "-c", f"{SMALL_PARTS}; from lexigrad.cli import main; main()"]
SETTINGS = {
    "add": ["--add", "label,law,all"],
    "keep": ["--keep", "law > 0.5"],
    "top": ["--keep-top", "20%", "--by", "law"],
    "parquet": ["--format", "parquet"],
    "jsonl": ["--format", "jsonl"],
    "arrow": ["--format", "arrow"],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, trained: lexigrad.TextClassifier) -> Path:
    folder = tmp_path_factory.mktemp("kill")
    trained.save(folder / "m.lexigrad")
    (folder / "in").mkdir()
    texts = themed(2400, 11)[0]
    for name, start in (("a", 0), ("b", 800)):
        table = pa.table({"id": range(start, start + 800), "text": texts[start : start + 800]})
        pq.write_table(table, folder / f"in/{name}.parquet", row_group_size=40)
    lines = [json.dumps({"id": i, "text": texts[i]}) + "\n" for i in range(1600, 2400)]
    (folder / "in/c.jsonl").write_text("".join(lines))
    return folder


def command(corpus: Path, output: Path, settings: list[str], threads: int) -> list[str]:
    given = [
        corpus / "in",
        "--model",
        corpus / "m.lexigrad",
        "--output",
        output,
        "--threads",
        threads,
        "--quiet",
        "--json",
    ]
    return [*COMMAND, "score", *map(str, given), *settings]


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def n_steps(output: Path) -> int:
    progress = output / "_lexigrad/progress.jsonl"
    return progress.read_bytes().count(b"\n") if progress.exists() else 0


def check(corpus: Path, tmp_path: Path, settings: list[str], kills: int, seed: int) -> None:
    rng = random.Random(seed)
    answer = subprocess.run(
        command(corpus, tmp_path / "whole", settings, 1), capture_output=True, text=True, check=True
    )
    whole, total = json.loads(answer.stdout), n_steps(tmp_path / "whole")
    expected = outputs(tmp_path / "whole")
    assert total > 60
    out, killed = tmp_path / "out", 0
    while killed < kills:
        done = n_steps(out)
        until = min(total - 3, done + rng.randrange(0, max(1, 2 * (total - done) // (kills - killed + 1))))
        process = subprocess.Popen(command(corpus, out, settings, rng.choice([1, 2])), stdout=subprocess.DEVNULL)
        while n_steps(out) <= until and process.poll() is None:
            time.sleep(0.0005)
        time.sleep(rng.random() * 0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.returncode == 0:
            break
        killed += 1
        for name, content in outputs(out).items():
            assert content == expected[name]
    answer = subprocess.run(command(corpus, out, settings, 2), capture_output=True, text=True, check=True)
    assert outputs(out) == expected
    now = json.loads(answer.stdout)
    for document in (whole, now):
        for name in ("seconds", "mb_per_second", "run", "files"):
            del document[name]
    assert now == whole
    assert {path.name for path in out.iterdir()} == {*expected, "_lexigrad"}
    assert killed >= kills // 2  # the last ones may come too late


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_a_run_killed_3_times_leaves_the_output_of_an_unbroken_one(corpus: Path, tmp_path: Path) -> None:
    check(corpus, tmp_path, SETTINGS["top"], 3, random.randrange(1 << 30))


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_run_killed_20_times_leaves_the_output_of_an_unbroken_one(
    corpus: Path, tmp_path: Path, settings: list[str]
) -> None:
    check(corpus, tmp_path, settings, 20, 0)
