"""The command line as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lexigrad
from tests.conftest import themed

LEXIGRAD = [sys.executable, "-c", "from lexigrad.cli import main; main()"]


def run(*arguments: object, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run([*LEXIGRAD, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    for name, seed in (("train", 0), ("test", 1)):
        texts, labels = themed(300, seed)
        lines = [f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True)]
        (folder / f"{name}.txt").write_text("".join(lines))
    result = run(
        "train", folder / "train.txt", "--output", folder / "m.lexigrad", "--dim", 16, "--epochs", 10, "--lr", 0.5, "--word-ngrams", 2,
        "--threads", 1, "--json",
    )  # fmt: skip
    facts = json.loads(result.stdout)
    assert facts["n_texts"] == 300
    assert facts["n_labels"] == 3
    assert "epoch 10.00/10" in result.stderr
    return folder


def test_help_teaches() -> None:
    usage = run("--help").stdout
    for verb in ("demo", "train", "test", "predict", "explain", "info", "prove"):
        assert verb in usage
        assert "Usage" in run(verb, "--help").stdout
    assert "--word-ngrams" in run("train", "--help").stdout
    assert run("--version").stdout == f"lexigrad {lexigrad.__version__}\n"


def test_train_quiet_says_nothing(files: Path) -> None:
    result = run("train", files / "train.txt", "--output", files / "quiet.lexigrad", "--epochs", 1, "--quiet")
    assert result.stdout == ""
    assert result.stderr == ""
    assert (files / "quiet.lexigrad").exists()


def test_training_begins_at_given_vectors(files: Path) -> None:
    (files / "words.vec").write_text("2 3\nsport1 1 2 3\nelsewhere 4 5 6\n")
    out, same = files / "given.lexigrad", ("--dim", 3, "--epochs", 1, "--lr", 1e-30, "--threads", 1)
    for switch, expected in (("--keep-unseen", 1), ("--no-keep-unseen", 0)):
        result = run("train", files / "train.txt", "-o", out, *same, "--vectors", files / "words.vec", switch)
        assert "1 words of the texts began with a given vector" in result.stderr
        model = lexigrad.load(out)
        assert model.explain("elsewhere").known == expected
        np.testing.assert_allclose(model.explain("sport1").scores, model.fitted.output @ [1, 2, 3], rtol=1e-5)
    wrong = run("train", files / "train.txt", "-o", out, "--vectors", files / "words.vec", code=2)
    assert "words.vec: the vectors have 3 numbers each, and dim=100: set dim=3" in wrong.stderr
    assert "no such file" in run("train", files / "train.txt", "-o", out, "--vectors", files / "no.vec", code=2).stderr


def test_test(files: Path) -> None:
    result = json.loads(run("test", files / "m.lexigrad", files / "test.txt", "--json").stdout)
    evaluation = lexigrad.load(files / "m.lexigrad").evaluate_file(files / "test.txt")
    assert result["precision"] == pytest.approx(evaluation.precision)
    assert result["n_texts"] == 300
    assert result["accuracy"] > 0.9
    assert "precision" in run("test", files / "m.lexigrad", files / "test.txt").stdout


def test_predict_writes_a_line_per_line(files: Path) -> None:
    clf = lexigrad.load(files / "m.lexigrad")
    out = run("predict", files / "m.lexigrad", "-", "--k", 2, stdin="sport1 sport2\n\nfood3\n").stdout
    labels, probs = clf.top_k(["sport1 sport2", "", "food3"], k=2)
    for line, names, values in zip(out.splitlines(), labels, probs, strict=True):
        fields = line.split("\t")
        assert fields[::2] == names.tolist()
        np.testing.assert_allclose([float(value) for value in fields[1::2]], values, atol=1e-6)
    labelled = run("predict", files / "m.lexigrad", files / "test.txt").stdout.splitlines()
    texts, _ = themed(300, 1)
    assert [line.split("\t")[0] for line in labelled] == clf.predict(texts).tolist()
    line = json.loads(run("predict", files / "m.lexigrad", "-", "--json", stdin="law1 law2\n").stdout)
    assert line["labels"] == ["law"]
    assert run("predict", files / "m.lexigrad", "-", "--threshold", 1.0, stdin="law1 sport1\n").stdout == "\n"


def test_explain_and_info(files: Path) -> None:
    explanation = json.loads(run("explain", files / "m.lexigrad", "law1 law2", "--json").stdout)
    assert explanation["label"] == "law"
    assert "law1" in run("explain", files / "m.lexigrad", "-", stdin="law1 law2\n").stdout
    info = json.loads(run("info", files / "m.lexigrad", "--json").stdout)
    assert info["params"]["word_ngrams"] == 2
    assert info["classes"] == ["food", "law", "sport"]
    assert "n_labels" in run("info", files / "m.lexigrad").stdout


def test_demo_shows_everything() -> None:
    result = json.loads(run("demo", "--quiet", "--json").stdout)
    assert result["accuracy"] > 0.88
    assert result["out_of_scope_auroc"] > 0.88
    assert len(result["explained"]) == 3
    assert len(result["most_confused"]) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "{}/missing.txt", "--output", "{}/x"], 1, "no such file"),
        (["train", "{}/train.txt", "--output", "{}/no/x"], 2, "there is no folder"),
        (["train", "{}/train.txt", "--output", "{}/x", "--lr", "-1"], 2, "lr="),
        (["train", "{}/train.txt", "--output", "{}/x", "--loss", "hinge"], 2, "softmax"),
        (["train", "{}/train.txt", "--output", "{}/x", "--lr", "1e30", "--epochs", "99"], 1, "smaller lr"),
        (["train", "{}/train.txt", "--output", "{}/x.bin"], 2, "add --tokenizer whitespace, or write a .lexigrad file"),
        (["train", "{}/train.txt", "--output", "{}/x.ftz"], 2, "add --tokenizer whitespace"),
        (["train", "{}/train.txt", "--output", "{}/x.ftz", "--tokenizer", "whitespace"], 2, "lexigrad quantize MODEL"),
        (["train", "{}/train.txt", "--output", "{}/x.vec"], 2, "lexigrad convert MODEL.lexigrad"),
        (["train", "{}/train.txt", "--output", "{}/x.output"], 2, ".output holds vectors and no classifier"),
        (["train", "{}/train.txt", "--output", "{}/x", "--no-keep-unseen"], 2, "add --vectors, or leave it out"),
        (["vectors", "{}/train.txt", "--output", "{}/x", "--no-keep-unseen"], 2, "add --vectors, or leave it out"),
        (["train", "{}/train.txt"], 2, "--output"),
        (["train", "{}/train.txt", "--output", "{}/x", "--dim", "many"], 2, "--dim"),
        (["fly"], 2, "fly"),
        (["test", "{}/train.txt", "{}/test.txt"], 1, "train.txt"),
        (["test", "{}/m.lexigrad", "{}/empty.txt"], 1, "empty"),
        (["predict", "{}/m.lexigrad", "{}/none"], 1, "no file with text in this folder"),
        (["predict", "{}/m.lexigrad", "{}/test.txt", "--k", "0"], 2, "k=0"),
        (["predict", "{}/m.lexigrad", "{}/table.csv"], 1, "no column 'text'"),
    ],
)
def test_bad_input_is_one_clear_line(files: Path, arguments: list[str], code: int, message: str) -> None:
    (files / "empty.txt").write_text("")
    (files / "none").mkdir(exist_ok=True)
    (files / "table.csv").write_text("a,b\n1,2\n")
    quiet = ["--quiet"] if arguments[0] == "train" else []
    result = run(*[argument.format(files) for argument in arguments], *quiet, code=code)
    assert message in result.stderr
    assert result.stdout == ""
    assert not list(files.glob("x*"))


def test_import_is_light() -> None:
    code = (
        "import sys, lexigrad; print([m for m in ('numpy', 'numba', 'pyarrow', 'typer', 'rich') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_interrupting_saves_what_was_learned(files: Path) -> None:
    output = files / "interrupted.lexigrad"
    command = [*LEXIGRAD, "train", str(files / "train.txt"), "--output", str(output), "--epochs", "1000000"]
    with (files / "errors").open("w") as errors:
        process = subprocess.Popen(command, stderr=errors)
    while "epoch" not in (files / "errors").read_text():  # a line of progress comes every five seconds
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert "what was learned so far is in" in (files / "errors").read_text()
    texts, labels = themed(100, 1)
    assert lexigrad.load(output).score(texts, labels) > 0.9


@pytest.mark.parametrize("loss", ["softmax", "one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_models_go_to_fasttext_and_back(loss: str, files: Path, tmp_path: Path) -> None:
    model, binary, again = tmp_path / "m.lexigrad", tmp_path / "m.bin", tmp_path / "again.lexigrad"
    run(
        "train", files / "train.txt", "--output", model, "--dim", 8, "--epochs", 5, "--lr", 0.5, "--loss", loss, "--negatives", 3,
        "--tokenizer", "whitespace", "--word-ngrams", 2, "--threads", 1, "--quiet",
    )  # fmt: skip
    result = run("convert", model, binary)
    assert "3 labels, 8 numbers each" in result.stderr
    run("convert", binary, again, "--quiet")
    expected = run("predict", model, files / "test.txt", "--k", 2).stdout
    labels = [line.split("\t")[::2] for line in expected.splitlines()]
    for path in (binary, again):
        answer = run("predict", path, files / "test.txt", "--k", 2).stdout
        assert [line.split("\t")[::2] for line in answer.splitlines()] == labels
    facts = json.loads(run("info", binary, "--json").stdout)
    assert facts["params"]["loss"] == loss
    assert facts["n_words"] == len(lexigrad.load(model).fitted.reader.vocabulary)
    assert facts["made_by"].startswith("fastText")
    assert "classifier" in run("convert", model, tmp_path / "x.txt", "--format", "text", code=2).stderr
    words = run("convert", files / "m.lexigrad", tmp_path / "w.bin", code=2).stderr
    assert "the tokenizer 'whitespace'" in words
