"""`lexigrad quantize` as a process."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lexigrad
from tests.cli.test_command_line import LEXIGRAD, run
from tests.conftest import themed


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantize")
    texts, labels = themed(400)
    lines = [f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True)]
    (folder / "train.txt").write_text("".join(lines))
    (folder / "train.csv").write_text(
        "body,theme\n" + "".join(f"{t},{x}\n" for t, x in zip(texts, labels, strict=True))
    )
    settings = {"dim": 16, "epochs": 10, "lr": 0.5, "word_ngrams": 2, "threads": 1}
    lexigrad.TextClassifier(tokenizer="whitespace", **settings).fit(texts, labels).save(folder / "m.lexigrad")
    lexigrad.TextClassifier(**settings).fit(texts, labels).save(folder / "words.lexigrad")
    lexigrad.WordVectors(dim=8, min_count=1, epochs=1, threads=1, min_n=2, max_n=3).fit(texts).save(
        folder / "v.lexigrad"
    )
    return folder


def test_a_classifier_becomes_small_as_in_python(models: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.ftz"
    facts = json.loads(run("quantize", models / "m.lexigrad", small, "--sub-dim", 4, "--no-norms", "--json").stdout)
    assert facts["bytes_before"] == (models / "m.lexigrad").stat().st_size
    assert facts["bytes"] == small.stat().st_size < facts["bytes_before"] / 1.5
    assert facts["input"] == f"quantised, {facts['n_rows']:,} x 4 bytes for slices of 4"
    texts, _ = themed(30, seed=2)
    model = lexigrad.load(models / "m.lexigrad")
    assert isinstance(model, lexigrad.TextClassifier)
    run("quantize", models / "m.lexigrad", tmp_path / "s.lexigrad", "--sub-dim", 4, "--no-norms", "--threads", 2)
    again = lexigrad.load(tmp_path / "s.lexigrad")
    assert isinstance(again, lexigrad.TextClassifier)
    expected = model.quantize(sub_dim=4, norms=False)
    np.testing.assert_array_equal(again.predict_proba(texts), expected.predict_proba(texts))
    assert again.get_params() == model.get_params()
    info = run("info", small).stdout
    assert "input           quantised, " in info
    assert "output          float32, 3 x 16" in info


def test_cutoff_and_training_on_say_what_was_done(models: Path, tmp_path: Path) -> None:
    arguments = [
        "--cutoff",
        50,
        "--retrain",
        models / "train.csv",
        "--text",
        "body",
        "--label",
        "theme",
        "--epochs",
        2,
        "--lr",
        0.3,
    ]
    result = run(
        "quantize", models / "m.lexigrad", tmp_path / "s.lexigrad", *arguments, "--quantize-output", "--threads", 1
    )
    assert result.stdout == ""
    assert "epoch 2.00/2" in result.stderr
    assert "quantised 100%" in result.stderr
    assert "times smaller; input quantised, " in result.stderr
    quiet = run("quantize", models / "m.lexigrad", tmp_path / "q.lexigrad", *arguments, "--quiet", "--seed", 3)
    assert quiet.stderr == quiet.stdout == ""
    facts = json.loads(run("info", tmp_path / "s.lexigrad", "--json").stdout)
    assert facts["retrained_on"] == 400
    assert facts["output"].startswith("quantised, 3 x 8 bytes")
    small = lexigrad.load(tmp_path / "s.lexigrad")
    assert isinstance(small, lexigrad.TextClassifier)
    assert small.evaluate_file(models / "train.txt").accuracy > 0.8


def test_word_vectors_become_small(models: Path, tmp_path: Path) -> None:
    for name in ("v.lexigrad", "v.ftz"):
        facts = json.loads(run("quantize", models / "v.lexigrad", tmp_path / name, "--json").stdout)
        assert facts["bytes"] == (tmp_path / name).stat().st_size
        assert facts["input"].endswith(", lengths apart")
        assert run("neighbors", tmp_path / name, "law3").stdout.count("\n") == 10
    assert "quantised, " in run("info", tmp_path / "v.ftz").stdout
    run("convert", tmp_path / "v.ftz", tmp_path / "v.vec")
    assert run("neighbors", tmp_path / "v.vec", "law3").stdout == run("neighbors", tmp_path / "v.ftz", "law3").stdout


def test_what_is_wrong_is_said_before_the_work(models: Path, tmp_path: Path) -> None:
    whole, vectors, small = models / "m.lexigrad", models / "v.lexigrad", tmp_path / "s.lexigrad"
    assert "there is no folder" in run("quantize", whole, tmp_path / "no/s.lexigrad", code=2).stderr
    assert "sub_dim=0" in run("quantize", whole, small, "--sub-dim", 0, code=2).stderr
    assert "cutoff=-1" in run("quantize", whole, small, "--cutoff", -1, code=2).stderr
    assert "retrain=None" in run("quantize", whole, small, "--epochs", 2, code=2).stderr
    assert "lr=-1.0" in run("quantize", whole, small, "--retrain", models / "train.txt", "--lr", -1, code=2).stderr
    for option, value in (("--retrain", "x"), ("--epochs", 1), ("--lr", 1), ("--quantize-output", None)):
        more = [option] if value is None else [option, value]
        assert f"{option} is for classifiers" in run("quantize", vectors, small, *more, code=2).stderr
    assert "the tokenizer 'whitespace'" in run("quantize", models / "words.lexigrad", tmp_path / "s.ftz", code=2).stderr
    assert "lexigrad convert MODEL" in run("quantize", whole, tmp_path / "s.vec", code=2).stderr
    assert ".bin may be two things" in run("quantize", vectors, tmp_path / "v.bin", code=2).stderr
    assert "nothing.lexigrad" in run("quantize", models / "nothing.lexigrad", small, code=1).stderr
    (tmp_path / "other.txt").write_text("__label__opera a text\n")
    assert "label 'opera'" in run("quantize", whole, small, "--retrain", tmp_path / "other.txt", code=1).stderr
    run("quantize", whole, tmp_path / "once.lexigrad", "--quiet")
    assert "quantised already" in run("quantize", tmp_path / "once.lexigrad", small, code=1).stderr
    assert not small.exists()


def test_the_whole_model_is_not_written_over(models: Path, tmp_path: Path) -> None:
    whole = tmp_path / "m.lexigrad"
    whole.write_bytes((models / "m.lexigrad").read_bytes())
    (tmp_path / "again.lexigrad").symlink_to(whole)
    for target in (whole, tmp_path / "again.lexigrad"):
        assert "is the whole model itself" in run("quantize", whole, target, code=2).stderr
    assert whole.read_bytes() == (models / "m.lexigrad").read_bytes()


def test_ctrl_c_leaves_no_file(models: Path, tmp_path: Path) -> None:
    arguments = ["--retrain", models / "train.txt", "--epochs", 1_000_000]
    command = [*LEXIGRAD, "quantize", models / "m.lexigrad", tmp_path / "s.lexigrad", *arguments]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        while line and not line.startswith("epoch"):
            line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "interrupted: nothing was written" in rest
    assert list(tmp_path.iterdir()) == []
