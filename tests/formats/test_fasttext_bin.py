"""fastText's files: every field, against fastText's own answers and a plain reader; damaged files end in FormatError."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import FormatError
from lexigrad.formats.fasttext_bin import CodedMatrix, read_fasttext, write_fasttext
from tests.conftest import real_data
from tests.oracles import fasttext as oracle

FOLDER = Path(__file__).parent / "fasttext"
MODELS = sorted(path.name for path in [*FOLDER.glob("*.bin"), *FOLDER.glob("*.ftz")])
REAL = ["lid.176.ftz", "lee_fasttext_new.bin", "crime-and-punishment.bin", "toy-model.bin"]
GOLDEN: dict[str, Any] = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))


def test_all_kinds_of_model_are_here() -> None:
    files = [read_fasttext(FOLDER / name) for name in MODELS]
    assert {file.settings["loss"] for file in files} >= {
        "softmax",
        "hierarchical_softmax",
        "negative_sampling",
        "one_vs_all",
    }
    assert {file.settings["model"] for file in files} == {"supervised", "skipgram", "cbow"}
    assert {isinstance(file.input, CodedMatrix) for file in files} == {True, False}
    assert any(isinstance(file.output, CodedMatrix) for file in files)
    assert any(file.kept is not None and len(file.kept) for file in files)
    assert any(isinstance(file.input, CodedMatrix) and len(file.input.norm_codes) for file in files)
    assert any(isinstance(file.input, CodedMatrix) and not len(file.input.norm_codes) for file in files)
    assert {read_fasttext(FOLDER / name).input.shape[1] % 2 for name in ("softmax.ftz", "pruned.ftz")} == {0, 1}


@pytest.mark.parametrize("name", MODELS)
def test_every_field_is_what_the_plain_reader_finds(name: str) -> None:
    ours, plain = read_fasttext(FOLDER / name), oracle.Model(FOLDER / name)
    assert (ours.n_words, ours.n_labels, ours.version) == (plain.n_words, plain.n_labels, plain.version)
    assert ours.n_tokens == plain.n_tokens
    assert list(plain.settings.values())[:6] == [
        ours.settings[key] for key in ("dim", "window", "epochs", "min_count", "negatives", "word_ngrams")
    ]
    assert ours.settings["subsample"] == plain.t
    data = ours.arena.tobytes()
    words = [data[a:b] for a, b in zip(ours.offsets[:-1], ours.offsets[1:], strict=True)]
    assert list(zip(words, ours.counts.tolist(), strict=True)) == plain.entries
    assert plain.kept == (None if ours.kept is None else dict(ours.kept.tolist()))
    np.testing.assert_allclose(ours.input[:], plain.input, rtol=1e-6)
    np.testing.assert_allclose(ours.output[:], plain.output, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_is_what_was_read(name: str, tmp_path: Path) -> None:
    write_fasttext(tmp_path / name, read_fasttext(FOLDER / name))
    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_written_as_they_were_read(name: str, tmp_path: Path) -> None:
    path = real_data(f"models/{name}")
    write_fasttext(tmp_path / name, read_fasttext(path))
    written, content = (tmp_path / name).read_bytes(), path.read_bytes()
    assert written[8:] == content[8:]


def test_matrices_stay_in_the_file() -> None:
    file = read_fasttext(FOLDER / "softmax.bin")
    assert isinstance(file.input, np.ndarray)
    assert not file.input.flags.owndata
    assert not file.input.flags.writeable


def test_words_of_any_bytes_survive(tmp_path: Path) -> None:
    content = (FOLDER / "skipgram.bin").read_bytes()
    file = read_fasttext(FOLDER / "skipgram.bin")
    word = file.arena[file.offsets[3] : file.offsets[4]].tobytes()
    strange = bytes([0xFF, 0xC3] + [0x80] * len(word))[: len(word)]
    (tmp_path / "m.bin").write_bytes(content.replace(word + b"\0", strange + b"\0", 1))
    vectors = lexigrad.load(tmp_path / "m.bin")
    text = strange.decode("utf-8", "surrogateescape")
    assert text in vectors
    vectors.save(tmp_path / "m.lexigrad")
    np.testing.assert_array_equal(lexigrad.load(tmp_path / "m.lexigrad")[text], vectors[text])


@pytest.mark.parametrize(
    ("place", "form", "value", "message"),
    [
        (0, "i", 1, "magic"),
        (4, "i", 13, "newer fastText"),
        (4, "i", 7, "version 7"),
        (8, "i", 0, "dim is 0"),
        (8, "i", 2**31 - 1, "input matrix is"),
        (32, "i", 9, "loss is 9"),
        (36, "i", 0, "model is 0"),
        (40, "i", -5, "n_buckets is -5"),
        (40, "i", 0, "n-grams need buckets"),
        (48, "i", 10**9, "max_n is"),
        (64, "i", 2**30, "is not"),
        (68, "i", -1, "is not"),
        (84, "q", 2**40, "truncated or damaged: the list of kept buckets"),
        (84, "q", 0, "cannot be pruned"),
        (84, "q", -2, "-2 kept buckets"),
    ],
)  # fmt: skip
def test_fields_out_of_range_are_named(place: int, form: str, value: int, message: str, tmp_path: Path) -> None:
    content = bytearray((FOLDER / "hierarchical.bin").read_bytes())
    struct.pack_into("<" + form, content, place, value)
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_fasttext(tmp_path / "m.bin")


@pytest.mark.parametrize("name", ["hierarchical.bin", "pruned.ftz", "output.ftz", "skipgram.bin"])
def test_truncated_and_lengthened_files_are_refused(name: str, tmp_path: Path) -> None:
    content = (FOLDER / name).read_bytes()
    for length in [*range(0, 100, 7), *range(100, len(content), len(content) // 97), len(content) - 1]:
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(FormatError, match=r"m\.bin|" + name):
            read_fasttext(tmp_path / name)
    (tmp_path / name).write_bytes(content + b"\0")
    with pytest.raises(FormatError, match="1 bytes follow"):
        read_fasttext(tmp_path / name)


def test_old_files_and_others_are_told_apart(tmp_path: Path) -> None:
    content = (FOLDER / "softmax.bin").read_bytes()
    (tmp_path / "old.bin").write_bytes(content[8:])
    with pytest.raises(FormatError, match=r"before version 0\.1\.0"):
        lexigrad.load(tmp_path / "old.bin")
    (tmp_path / "other.ftz").write_bytes(b"something else that is long enough to be looked at, in some kind of text")
    with pytest.raises(FormatError, match="not a lexigrad file"):
        lexigrad.load(tmp_path / "other.ftz")
    with pytest.raises(FormatError, match="no such file"):
        read_fasttext(tmp_path / "none.bin")
