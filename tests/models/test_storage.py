"""Models as files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import lexigrad
from lexigrad import FormatError, TextClassifier
from tests.conftest import themed

TEXTS, _ = themed(50, seed=2)


def test_round_trip_is_exact_and_memory_mapped(trained: TextClassifier, tmp_path: Path) -> None:
    path = tmp_path / "m.lexigrad"
    trained.save(path)
    loaded = lexigrad.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), trained.predict_proba(TEXTS))
    assert loaded.classes_.tolist() == trained.classes_.tolist()
    assert loaded.get_params() == trained.get_params()
    assert loaded.explain(TEXTS[0]).tokens == trained.explain(TEXTS[0]).tokens
    assert not loaded.fitted.input.flags.writeable
    assert not loaded.fitted.input.flags.owndata
    loaded.save(path)  # over the file that it is mapped from
    np.testing.assert_array_equal(lexigrad.load(path).predict_proba(TEXTS), loaded.predict_proba(TEXTS))


@pytest.mark.parametrize("labels", [[1, 2], [True, False], ["naïve", "東"], [0.5, 1.5]])
def test_labels_of_every_type_survive(labels: list[object], tmp_path: Path) -> None:
    clf = TextClassifier(dim=4, threads=1).fit(["a", "b"], labels)
    clf.save(tmp_path / "m.lexigrad")
    loaded = lexigrad.load(tmp_path / "m.lexigrad")
    assert loaded.classes_.dtype == clf.classes_.dtype
    assert loaded.classes_.tolist() == clf.classes_.tolist()


def test_truncated_files_are_refused(trained: TextClassifier, tmp_path: Path) -> None:
    path = tmp_path / "m.lexigrad"
    trained.save(path)
    content = path.read_bytes()
    for length in [0, 5, 27, 28, 500, *range(1000, len(content), len(content) // 23), len(content) - 1]:
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(FormatError):
            lexigrad.load(tmp_path / "cut")


def test_corrupted_arrays_never_crash(trained: TextClassifier, tmp_path: Path) -> None:
    """A changed byte is either refused or changes probabilities only: no look-up leaves its array."""
    path = tmp_path / "m.lexigrad"
    trained.save(path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        damaged = content.copy()
        damaged[place] ^= 1 << rng.integers(8)
        (tmp_path / "bad").write_bytes(damaged)
        try:
            clf = lexigrad.load(tmp_path / "bad")
            clf.predict_proba(TEXTS[:5])
        except FormatError:
            refused += 1
    assert refused > 0


def test_foreign_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_text("__label__a hello\n")
    with pytest.raises(FormatError):
        lexigrad.load(tmp_path / "foreign")
    with pytest.raises(FormatError, match="no such file"):
        lexigrad.load(tmp_path / "missing")
    from lexigrad.formats.native import write_native

    write_native(tmp_path / "other", "spreadsheet", {}, {})
    with pytest.raises(FormatError, match="holds a spreadsheet"):
        lexigrad.load(tmp_path / "other")


def test_a_failing_save_keeps_the_old_file(
    trained: TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.lexigrad"
    trained.save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        trained.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.lexigrad"]
