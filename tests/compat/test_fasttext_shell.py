"""fastText's shell verbs, as a process: what the original printed, and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lexigrad.compat import fasttext
from lexigrad.compat.fasttext import shell
from lexigrad.errors import ParameterError
from tests.conftest import themed

HERE = Path(__file__).parent / "fasttext"
MODELS = Path(__file__).parents[1] / "formats/fasttext"
PRINTED: list[dict[str, Any]] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))["printed"]
VERBS = sorted({run["arguments"][0] for run in PRINTED})
LEXIGRAD = [sys.executable, "-c", "from lexigrad.cli import main; main()", "fasttext"]


def run(*arguments: Any, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*LEXIGRAD, *map(str, arguments)], input=given.encode(), capture_output=True, check=False, cwd=cwd
    )


def located(arguments: list[str]) -> list[str]:
    return [
        str(MODELS / a) if (MODELS / a).exists() else str(HERE / a) if (HERE / a).exists() else a for a in arguments
    ]


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def alike(ours: str, theirs: str) -> bool:
    """Compare word by word, white space included; numbers may differ in their last digit."""
    left, right = ours.split(" "), theirs.split(" ")
    return len(left) == len(right) and all(
        a == b or (is_number(a) and is_number(b) and abs(float(a) - float(b)) <= 2e-5 * max(1.0, abs(float(b))))
        for a, b in zip(left, right, strict=True)
    )


class Terminal:
    """Standard input and output in memory, for runs without a process of their own."""

    def __init__(self, given: str) -> None:
        import io

        self.input, self.output = io.BytesIO(given.encode()), io.BytesIO()

    def run(self, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
        import io

        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(self.input))
        out = io.TextIOWrapper(self.output)
        monkeypatch.setattr(sys, "stdout", out)
        shell.run(arguments)
        out.flush()
        monkeypatch.undo()
        return self.output.getvalue().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("verb", VERBS)
def test_output_is_the_originals(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for case in (case for case in PRINTED if case["arguments"][0] == verb):
        output = Terminal(case["input"]).run(located(case["arguments"]), monkeypatch)
        expected = case["output"]
        lines, theirs = output.splitlines(keepends=True), expected.splitlines(keepends=True)
        if verb == "dump":
            lines = lines[:20]
        assert len(lines) == len(theirs), case["arguments"]
        for a, b in zip(lines, theirs, strict=True):
            assert alike(a, b), (case["arguments"], a, b)


def test_a_process_of_its_own_prints_the_same() -> None:
    for verb in ("predict-prob", "test", "nn"):
        case = next(case for case in PRINTED if case["arguments"][0] == verb)
        answer = run(*located(case["arguments"]), given=case["input"])
        assert answer.returncode == 0, answer.stderr
        assert all(
            alike(a, b) for a, b in zip(answer.stdout.decode().splitlines(), case["output"].splitlines(), strict=True)
        )


def test_a_pipe_can_be_tested() -> None:
    lines = (HERE / "labelled.txt").read_text(encoding="utf-8")
    from_file = run("test", MODELS / "softmax.bin", HERE / "labelled.txt", 2).stdout
    assert from_file.startswith(b"N\t26\n")
    assert run("test", MODELS / "softmax.bin", "-", 2, given=lines).stdout == from_file


def test_lines_are_answered_as_they_come() -> None:
    command = [*LEXIGRAD, "predict", str(MODELS / "softmax.bin"), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(b"is my luggage lost\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"__label__lost_luggage\n"
        process.stdin.close()
        assert process.wait(60) == 0


def test_questions_end_with_the_input() -> None:
    started = time.perf_counter()
    for verb, given in (("nn", ""), ("analogies", "my bank card bank\n"), ("analogies", "one two")):
        answer = run(verb, MODELS / "skipgram.bin", 2, given=given)
        assert answer.returncode == 0
        assert answer.stdout.count(b"Query") == (2 if given.endswith("\n") else 1)
    assert time.perf_counter() - started < 60


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    texts, labels = themed(300)
    (folder / "train.txt").write_text(
        "".join(f"__label__{label} {text}\n" for text, label in zip(texts, labels, strict=True))
    )
    answer = run(
        *[
            "supervised",
            "-input",
            "train.txt",
            "-output",
            "m",
            "-dim",
            "10",
            "-lr",
            "0.5",
            "-epoch",
            "10",
            "-wordNgrams",
            "2",
            "-bucket",
            "100",
            "-thread",
            "1",
            "-saveOutput",
        ],
        cwd=folder,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == b""
    return folder


def test_training_writes_the_originals_files(trained: Path) -> None:
    model = fasttext.load_model(str(trained / "m.bin"))
    assert model.get_dimension() == 10
    assert model.test(str(trained / "train.txt"))[1] > 0.95
    rows = (trained / "m.vec").read_text().splitlines()
    assert rows[0] == f"{len(model.words)} 10"
    assert rows[1].split()[0] == "</s>"
    assert [float(x) for x in rows[5].split()[1:]] == pytest.approx(model[rows[5].split()[0]].tolist(), rel=1e-6)
    labels = (trained / "m.output").read_text().splitlines()
    assert labels[0] == "3 10"
    assert labels[1].split()[0] == model.labels[0]


@pytest.mark.parametrize("verb", ["skipgram", "cbow"])
def test_word_vectors_are_trained(verb: str, trained: Path) -> None:
    answer = run(
        verb,
        "-input",
        "train.txt",
        "-output",
        verb,
        "-dim",
        6,
        "-bucket",
        50,
        "-epoch",
        1,
        "-loss",
        "hs",
        "-verbose",
        0,
        cwd=trained,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == b"" or b"compiling" in answer.stderr
    model = fasttext.load_model(str(trained / f"{verb}.bin"))
    assert model.f.getArgs().model.name == verb
    assert not (trained / f"{verb}.output").exists()
    assert run("print-ngrams", trained / f"{verb}.bin", "sport1").stdout.startswith(b"sport1 ")


def test_ngrams_are_printed_with_their_rows() -> None:
    answer = run("print-ngrams", MODELS / "skipgram.bin", "bank").stdout.decode().splitlines()
    model = fasttext.load_model(str(MODELS / "skipgram.bin"))
    names, rows = model.get_subwords("bank")
    assert [line.split()[0] for line in answer] == names
    for line, row in zip(answer, rows, strict=True):
        assert [float(x) for x in line.split()[1:]] == pytest.approx(model.get_input_vector(row).tolist(), rel=1e-4)
    names, _ = fasttext.load_model(str(MODELS / "pruned.ftz")).get_subwords("bank")
    answer = run("print-ngrams", MODELS / "pruned.ftz", "bank").stdout.decode().splitlines()
    assert [line.split()[0] for line in answer] == names


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("", 2, "choose one of supervised"),
        ("foo", 2, "'foo' is no verb"),
        ("supervised", 2, "-input and -output"),
        ("supervised -input train.txt", 2, "-input and -output"),
        ("supervised -foo 1", 2, "unknown argument '-foo'"),
        ("supervised -MINCOUNT 1", 2, "unknown argument"),
        ("supervised foo", 2, "unknown argument 'foo'"),
        ("supervised -input train.txt -output x -dim", 2, "-dim is missing a value"),
        ("supervised -input train.txt -output x -dim a", 2, "-dim a: expected a whole number"),
        ("supervised -input train.txt -output x -loss y", 2, "unknown loss 'y'"),
        ("supervised -input train.txt -output x -dim 0", 2, "dim=0"),
        ("supervised -input - -output x", 1, "cannot be opened for training"),
        ("supervised -input nosuch -output x", 1, "nosuch cannot be opened for training"),
        ("supervised -input train.txt -output nosuch/x", 1, "cannot be opened for saving"),
        ("supervised -input train.txt -output x -lr 1e9 -verbose 0", 1, "diverged"),
        ("quantize -input train.txt -output nosuch", 1, "nosuch.bin"),
        ("test m.bin", 2, "expected 2 to 4 arguments, got 1"),
        ("test nosuch train.txt", 1, "nosuch"),
        ("test m.bin nosuch", 1, "nosuch cannot be opened"),
        ("predict m.bin train.txt x", 2, "'x': expected a whole number"),
        ("predict m.bin train.txt 0", 1, "k needs to be 1 or higher"),
        ("predict skipgram.bin train.txt", 1, "needs to be supervised"),
        ("nn m.bin 0", 2, "k=0"),
        ("analogies", 2, "expected 1 to 2 arguments"),
        ("print-word-vectors m.bin x", 2, "expected 1 arguments"),
        ("dump m.bin x", 2, "'x' cannot be dumped"),
        ("dump softmax.ftz input", 1, "quantized"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    arguments: str,
    code: int,
    message: str,
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from lexigrad.cli import main

    monkeypatch.chdir(trained)
    monkeypatch.setattr(
        sys,
        "argv",
        ["lexigrad", "fasttext", *(str(MODELS / a) if (MODELS / a).exists() else a for a in arguments.split())],
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == code
    said = capfd.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert said.startswith("error: ")


def test_arguments_have_the_originals_defaults() -> None:
    given = ["-input", "a", "-output", "b"]
    supervised, skipgram, quantize = (shell.parsed(verb, given) for verb in ("supervised", "skipgram", "quantize"))
    assert (supervised.lr, supervised.minCount, supervised.maxn, supervised.loss.name, supervised.bucket) == (
        0.1,
        1,
        0,
        "softmax",
        0,
    )
    assert (skipgram.lr, skipgram.minCount, skipgram.minn, skipgram.maxn, skipgram.loss.name, skipgram.bucket) == (
        0.05,
        5,
        3,
        6,
        "ns",
        2_000_000,
    )
    assert (quantize.lr, quantize.cutoff, quantize.dsub, quantize.qnorm, quantize.qout, quantize.retrain) == (
        0.05,
        0,
        2,
        False,
        False,
        False,
    )
    every = "-qnorm -qout -retrain -saveOutput -cutoff 9 -dsub 3 -seed 4 -t 0.1 -ws 7 -neg 2 -minCountLabel 2 -lrUpdateRate 5 -label # -loss one-vs-all"
    found = shell.parsed(
        "supervised",
        [*given, *every.split(), "-autotune-metric", "f1:x", "-autotune-modelsize", "2M", "-autotune-duration", "9"],
    )
    assert (found.qnorm, found.cutoff, found.t, found.label, found.loss.name) == (True, 9, 0.1, "#", "ova")
    assert (found.autotuneMetric, found.autotuneModelSize, found.autotuneDuration) == ("f1:x", "2M", 9)
    with pytest.raises(ParameterError, match="-t x: expected a number"):
        shell.parsed("supervised", ["-t", "x"])


def test_the_shell_trains_without_ngrams_where_no_length_is_allowed() -> None:
    given = shell.parsed("skipgram", ["-input", "a", "-output", "b", "-maxn", "2"])
    assert (given.minn, given.maxn, given.bucket) == (3, 0, 0)
    tuned = shell.parsed("supervised", ["-input", "a", "-output", "b", "-autotune-validation", "c"])
    assert (tuned.maxn, tuned.bucket) == (0, 2_000_000)
