"""`lexigrad tune` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lexigrad
from tests.cli.test_command_line import LEXIGRAD, run
from tests.models.test_tune import LABELS, TEXTS, VALIDATION

QUICK = ("--dim", 8, "--epochs", 3, "--fixed", "dim", "--fixed", "word_ngrams", "--fixed", "max_n", "--threads", 1)
SHORT = (*QUICK, "--seconds", 0, "--trials", 4)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    for name, (texts, labels) in (("train", (TEXTS, LABELS)), ("dev", VALIDATION)):
        lines = [f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True)]
        (folder / f"{name}.txt").write_text("".join(lines))
    return folder


def test_the_model_that_was_measured_is_saved(files: Path) -> None:
    output = files / "m.lexigrad"
    result = run("tune", files / "train.txt", "--output", output, "--validation", files / "dev.txt", *SHORT, "--json")
    answer = json.loads(result.stdout)
    best = answer["tuning"]["best"]
    assert lexigrad.load(output).evaluate_file(files / "dev.txt").f1 == best["value"]
    assert len(answer["tuning"]["trials"]) == 4
    assert answer["params"]["dim"] == 8
    assert {name: answer["params"][name] for name in best["settings"]} == best["settings"]
    assert [line.split(":")[0] for line in result.stderr.splitlines() if line.startswith("trial")] == [
        f"trial {i}" for i in range(4)
    ]
    info = json.loads(run("info", output, "--json").stdout)
    assert info["tuning"] == {"trial": best["number"], "metric": "f1", "value": best["value"]}


def test_the_table_is_the_answer_and_quiet_shows_no_progress(files: Path) -> None:
    result = run(
        "tune", files / "train.txt", "-o", files / "q.lexigrad", "--folds", 2, "--metric", "log_loss", *SHORT, "--quiet"
    )
    assert result.stderr == ""
    first, second, _, header, *rows = result.stdout.splitlines()
    assert first.startswith("log_loss 0.")
    assert first.endswith(" on 400 texts (2 folds)")
    assert second.startswith("4 trials: ")
    assert header.split()[:3] == ["trial", "log_loss", "seconds"]
    values = [float(row.split()[1]) for row in rows]
    assert values == sorted(values)


def test_a_study_goes_on(files: Path) -> None:
    study = (
        "tune",
        files / "train.txt",
        "-o",
        files / "s.lexigrad",
        *SHORT,
        "--study",
        files / "s.study",
        "--json",
        "--quiet",
    )
    first = json.loads(run(*study).stdout)["tuning"]
    second = json.loads(run(*study, "--trials", 6).stdout)["tuning"]
    assert second["trials"][:4] == first["trials"]
    assert len(second["trials"]) == 6
    refused = run(*study, "--metric", "accuracy", code=2).stderr
    assert "was made with metric='f1', and now it is 'accuracy'" in refused


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--output", "{}/no/m.lexigrad"], 2, "there is no folder"),
        (["--output", "{}/m.ftz"], 2, "add --tokenizer whitespace --fixed tokenizer"),
        (["--output", "{}/m.ftz", "--tokenizer", "whitespace", "--fixed", "tokenizer"], 2, "add --model-size"),
        (["--output", "{}/x.vec"], 2, "lexigrad convert MODEL.lexigrad"),
        (["--output", "{}/x", "--metric", "recall"], 2, "metric='recall'"),
        (["--output", "{}/x", "--fixed", "speed"], 2, "'speed' is not a setting"),
        (["--output", "{}/x", "--lr", "-1"], 2, "lr="),
        (["--output", "{}/x", "--seconds", "0"], 2, "give one of them"),
        (["--output", "{}/x", "--validation", "{}/missing.txt"], 1, "no such file"),
        (["--output", "{}/x", "--model-size", "big"], 2, "model_size='big'"),
        ([], 2, "--output"),
    ],
)
def test_wrong_usage_is_one_clear_line(files: Path, arguments: list[str], code: int, message: str) -> None:
    result = run("tune", files / "train.txt", *[word.format(files) for word in arguments], "--quiet", code=code)
    assert message in result.stderr
    assert result.stdout == ""


def test_a_missing_extra_is_named(files: Path) -> None:
    code = "import sys; sys.modules['optuna'] = None; from lexigrad.cli import main; main()"
    command = [sys.executable, "-c", code, "tune", str(files / "train.txt"), "--output", str(files / "x"), "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "error: tuning needs Optuna: pip install 'lexigrad[tune]'\n"


def test_ctrl_c_saves_the_best_so_far(files: Path) -> None:
    output = files / "interrupted.lexigrad"
    command = [*LEXIGRAD, "tune", files / "train.txt", "--output", output, "--validation", files / "dev.txt", *QUICK]
    with (files / "errors").open("w") as errors, (files / "answer").open("w") as answer:
        process = subprocess.Popen([*map(str, command)], stderr=errors, stdout=answer, env=os.environ)
    while "trial 3" not in (files / "errors").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert (files / "answer").read_text() == ""
    said = (files / "errors").read_text()
    assert f"interrupted: the best model so far is in {output}" in said
    values = [
        float(line.split()[2].rstrip(",")) for line in said.splitlines() if line.startswith("trial") and ": 0." in line
    ]
    found = lexigrad.load(output).evaluate_file(files / "dev.txt").f1
    assert round(found, 4) == max(values)
