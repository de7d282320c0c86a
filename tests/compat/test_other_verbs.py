"""What fastText's module hands on: pretrained vectors, tuning, quantising."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lexigrad import LexigradWarning
from lexigrad.compat import fasttext
from lexigrad.compat.fasttext.training import metric_of, size_of
from tests.conftest import themed

LEXIGRAD = [sys.executable, "-c", "from lexigrad.cli import main; main()", "fasttext"]
COMMON: dict[str, Any] = {"dim": 8, "epoch": 5, "lr": 0.5, "thread": 1, "verbose": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("other")
    for name, seed in (("train", 0), ("valid", 1)):
        texts, labels = themed(400, seed=seed)
        (where / f"{name}.txt").write_text(
            "".join(
                f"__label__{label} {text} w{i}\n" for i, (text, label) in enumerate(zip(texts, labels, strict=True))
            )
        )
    return where


def test_training_begins_with_pretrained_vectors(folder: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=8).astype(np.float32) for word in ("sport1", "food2", "unseen")}
    rows = "".join(f"{word} {' '.join(map(repr, map(float, vector)))}\n" for word, vector in vectors.items())
    (folder / "p.vec").write_text("3 8\n" + rows)
    settings = {**COMMON, "lr": 1e-9, "epoch": 1}
    model = fasttext.train_supervised(str(folder / "train.txt"), pretrainedVectors=str(folder / "p.vec"), **settings)
    for word, vector in vectors.items():
        np.testing.assert_allclose(model[word], vector, atol=1e-5)
    assert "unseen" in model.words
    with pytest.raises(ValueError, match="dim"):
        fasttext.train_supervised(
            str(folder / "train.txt"), pretrainedVectors=str(folder / "p.vec"), **{**settings, "dim": 5}
        )


def test_word_vectors_begin_with_pretrained_vectors(folder: Path) -> None:
    (folder / "q.vec").write_text("1 8\nsport1 " + " ".join(["0.5"] * 8) + "\n")
    settings = {**COMMON, "lr": 1e-9, "epoch": 1, "maxn": 0}
    model = fasttext.train_unsupervised(str(folder / "train.txt"), pretrainedVectors=str(folder / "q.vec"), **settings)
    np.testing.assert_allclose(model["sport1"], 0.5, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"qnorm": True}, {"cutoff": 300, "qnorm": True}, {"cutoff": 300, "retrain": True}, {"dsub": 4, "qout": True}],
)
def test_quantising_is_in_place(settings: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    model = fasttext.train_supervised(str(folder / "train.txt"), wordNgrams=2, bucket=2000, **COMMON)
    before = model.test(str(folder / "valid.txt"))[1]
    assert model.words
    model.quantize(input=str(folder / "train.txt"), **settings)
    assert model.is_quantized()
    assert model.test(str(folder / "valid.txt"))[1] > before - 0.05
    model.save_model(str(tmp_path / "m.ftz"))
    again = fasttext.load_model(str(tmp_path / "m.ftz"))
    texts = themed(30, seed=3)[0]
    assert again.predict(texts, 2)[0] == model.predict(texts, 2)[0]
    assert again.words == model.words
    assert (tmp_path / "m.ftz").stat().st_size < 80_000


def test_the_shell_quantises(folder: Path) -> None:
    for arguments in (
        "supervised -input train.txt -output s -dim 8 -wordNgrams 2 -bucket 2000 -verbose 0",
        "quantize -input train.txt -output s -qnorm -cutoff 300 -retrain -epoch 1 -verbose 0",
    ):
        answer = subprocess.run(
            [*LEXIGRAD, *arguments.split()], cwd=folder, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
    assert fasttext.load_model(str(folder / "s.ftz")).is_quantized()
    assert (folder / "s.ftz").stat().st_size < (folder / "s.bin").stat().st_size


@pytest.mark.parametrize(
    "metric", ["f1", "f1:__label__law", "precisionAtRecall:30", "recallAtPrecision:30:__label__law"]
)
def test_tuning_keeps_what_was_given(metric: str, folder: Path) -> None:
    model = fasttext.train_supervised(
        str(folder / "train.txt"),
        autotuneValidationFile=str(folder / "valid.txt"),
        autotuneMetric=metric,
        autotuneDuration=3,
        dim=6,
        thread=1,
        verbose=0,
    )
    assert model.get_dimension() == 6
    assert model.test(str(folder / "valid.txt"))[1] > 0.8


def test_trials_begin_with_pretrained_vectors(folder: Path) -> None:
    (folder / "t.vec").write_text("1 8\nunseen " + " ".join(["0.5"] * 8) + "\n")
    files = {"autotuneValidationFile": str(folder / "valid.txt"), "pretrainedVectors": str(folder / "t.vec")}
    with pytest.warns(LexigradWarning, match="none of their words occurs"):
        model = fasttext.train_supervised(str(folder / "train.txt"), autotuneDuration=3, **files, **COMMON)
    assert "unseen" in model.words


def test_tuning_holds_a_size(folder: Path, tmp_path: Path) -> None:
    model = fasttext.train_supervised(
        str(folder / "train.txt"),
        autotuneValidationFile=str(folder / "valid.txt"),
        autotuneDuration=5,
        autotuneModelSize="100k",
        thread=1,
        verbose=0,
    )
    assert model.is_quantized()
    model.save_model(str(tmp_path / "m.ftz"))
    assert (tmp_path / "m.ftz").stat().st_size <= 100_000


def test_the_shell_tunes(folder: Path) -> None:
    arguments = "supervised -input train.txt -output t -autotune-validation valid.txt -autotune-duration 3 -verbose 0"
    answer = subprocess.run([*LEXIGRAD, *arguments.split()], cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert fasttext.load_model(str(folder / "t.bin")).test(str(folder / "valid.txt"))[1] > 0.8


def test_metrics_and_sizes_are_read() -> None:
    assert metric_of("f1", "__label__") == "f1"
    assert metric_of("f1:__label__a:b", "__label__") == "f1:a:b"
    assert metric_of("recallAtPrecision:95", "__label__") == "recall_at_precision:0.95"
    assert metric_of("precisionAtRecall:30:#a", "#") == "precision_at_recall:0.3:a"
    for text in (
        "f2",
        "f1:",
        "precisionAtRecall",
        "precisionAtRecall:x",
        "precisionAtRecall:30:",
        "recallAtPrecision:200",
    ):
        with pytest.raises(ValueError, match="Unknown metric"):
            metric_of(text, "__label__")
    assert [size_of(text) for text in ("", "100", "2k", "3M", "1G")] == [None, 100, 2000, 3_000_000, 1_000_000_000]
    for text in ("x", "M", "1.5M", "-3"):
        with pytest.raises(ValueError, match="Unable to parse"):
            size_of(text)


def test_tuning_and_its_limits(folder: Path) -> None:
    common = {"autotuneValidationFile": str(folder / "valid.txt"), "verbose": 0}
    with pytest.raises(ValueError, match="autotunePredictions=2"):
        fasttext.train_supervised(str(folder / "train.txt"), autotunePredictions=2, **common)
    with pytest.raises(ValueError, match="Unknown metric"):
        fasttext.train_supervised(str(folder / "train.txt"), autotuneMetric="accuracy", **common)
