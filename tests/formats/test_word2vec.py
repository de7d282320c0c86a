"""word2vec's text and binary forms, and tables: both ways, and what is damaged."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lexigrad
from lexigrad import DataError, FormatError, LexigradWarning, ParameterError, WordVectors
from lexigrad.formats import word2vec
from lexigrad.formats.word2vec import read_binary, read_text, sniffed, write_binary, write_text
from lexigrad.text.words import Words

FLOATS = np.array([0.1, -1e-30, 3.4028235e38, 1.17549435e-38, 1e-45, -0.0, 16777217, 123456.79, 1 / 3], np.float32)
ODD = ["tea", "naïve", "</s>", "东京", b"\xff\xfe".decode("utf-8", "surrogateescape"), "-1", "3.5"]


def made(n: int, dim: int) -> Any:
    return np.random.default_rng(dim).normal(0, 1, (n, dim)).astype(np.float32)


@pytest.mark.parametrize("form", ["text", "binary"])
def test_words_of_any_bytes_and_every_bit_come_back(form: str, tmp_path: Path) -> None:
    write, read = (write_text, read_text) if form == "text" else (write_binary, read_binary)
    vectors = np.stack([np.roll(FLOATS, i) for i in range(len(ODD))])
    write(tmp_path / "v", ODD, vectors)
    words, found = read(tmp_path / "v")
    assert [word.decode("utf-8", "surrogateescape") for word in words] == ODD
    assert found.tobytes() == vectors.tobytes()
    assert sniffed(tmp_path / "v") == form


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_every_float32_survives_as_text(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("text") / "v.vec"
    write_text(path, ["w"], np.array([values], np.float32))
    assert read_text(path)[1].tobytes() == np.array([values], np.float32).tobytes()


@pytest.mark.parametrize(
    "number", ["1", "+1", ".5", "5.", "1e3", "1E-3", "0.1234567890123456789", "1e-40", "9" * 30, "-0", "1e+22", "1e23"]
)
def test_every_way_to_write_a_number(number: str, tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text(f"1 2\nword {number} 2\n")
    assert read_text(tmp_path / "v.vec")[1].tolist() == [[float(np.float32(float(number))), 2.0]]


def test_files_as_others_write_them(tmp_path: Path) -> None:
    expected = [[1.0, 2.5], [-3.0, 0.125]]
    texts = {
        "fasttext.vec": b"2 2\na 1 2.5 \nb -3 0.125 \n",
        "gensim.vec": b"2 2\na 1.0 2.5\nb -3.0 0.125\n",
        "windows.vec": b"2 2\r\na 1.0 2.5\r\nb -3.0 0.125\r\n",
        "glove.txt": b"a 1 2.5\nb -3 0.125",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
        words, vectors = read_text(tmp_path / name)
        assert (words, vectors.tolist()) == ([b"a", b"b"], expected), name
        assert list(lexigrad.load(tmp_path / name).words) == ["a", "b"]
    with gzip.open(tmp_path / "v.vec.gz", "wb") as file:
        file.write(texts["gensim.vec"])
    assert lexigrad.load(tmp_path / "v.vec.gz").vectors.tolist() == expected
    entries = [word + b" " + np.array(row, "<f4").tobytes() for word, row in zip((b"a", b"b"), expected, strict=True)]
    for name, between in (("word2vec.bin", b"\n"), ("gensim.bin", b"")):
        (tmp_path / name).write_bytes(b"2 2\n" + between.join(entries) + between)
        words, vectors = read_binary(tmp_path / name)
        assert (words, vectors.tolist()) == ([b"a", b"b"], expected)
        assert list(lexigrad.load(tmp_path / name).words) == ["a", "b"]


def test_words_with_spaces_as_in_glove_s_largest_file(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("a 1 2\n. . . 3 4\n")
    assert read_text(tmp_path / "glove.txt")[0] == [b"a", b". . ."]


def test_blocks_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, vectors = [f"w{i}" for i in range(500)], made(500, 7)
    write_text(tmp_path / "v.vec", words, vectors)
    monkeypatch.setattr(word2vec, "BLOCK_BYTES", 300)
    found, values = read_text(tmp_path / "v.vec")
    assert ([word.decode() for word in found], values.tobytes()) == (words, vectors.tobytes())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3 2\na 1 2\nb 1 2\n", "first line says 3 words, and 2 are there"),
        ("1 2\na 1 2\nb 1 2\n", "first line says 1 words, and 2 are there"),
        ("2 2\na 1 2\nb 1\n", "v.vec:3: expected a word and 2 numbers"),
        ("2 2\na 1 2\nb 1 x\n", "v.vec:3: 'x' is not a number"),
        ("2 2\na 1 nan\nb 1 1\n", "the vector of 'a' is not finite"),
        ("999999999999 300\na 1 2\n", "is truncated: its first line says 999,999,999,999 words"),
        ("1 0\na\n", "vectors of 0 numbers"),
        ("word\n", "v.vec:1: expected a word and its numbers"),
    ],
)
def test_what_is_wrong_in_a_text_is_said(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_text(tmp_path / "v.vec")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"2 2\na " + bytes(8) + b"\n", "is truncated"),
        (b"2 1\na " + bytes(4) + b"\nb" + bytes(9), "1 of 2 words"),
        (b"1 2\na " + bytes(8) + b"\nmore", "5 bytes follow the last word"),
        (b"100000000000 2\na", "is truncated"),
        (b"no header", "expected a first line"),
        (b"", "expected a first line"),
    ],
)
def test_what_is_wrong_in_a_binary_is_said(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "v.bin").write_bytes(data)
    with pytest.raises(FormatError, match=message):
        read_binary(tmp_path / "v.bin")


@pytest.mark.parametrize("name", ["v.vec", "v.bin", "v.npz", "v.arrow", "v.parquet"])
@pytest.mark.filterwarnings("ignore::lexigrad.LexigradWarning")  # a change may make two words equal
def test_a_damaged_file_never_does_more_than_raise(name: str, tmp_path: Path) -> None:
    model = WordVectors._restore({}, lexigrad.load(_small(tmp_path)).fitted)
    model.save(tmp_path / name, "binary" if name == "v.bin" else None)
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        if rng.random() < 0.3:
            del data[rng.integers(len(data)) :]
        (tmp_path / name).write_bytes(data)
        try:
            found = lexigrad.load(tmp_path / name)
        except FormatError:
            refused += 1
        else:
            assert len(found.words) == len(found.vectors)
    assert refused > 20


def _small(folder: Path) -> Path:
    write_text(folder / "small.vec", [f"word{i}" for i in range(6)], made(6, 4))
    return folder / "small.vec"


@pytest.mark.parametrize("name", ["v.vec", "v.txt", "v.npz", "v.arrow", "v.feather", "v.parquet", "v.lexigrad", "v"])
def test_a_model_goes_into_every_form_and_back(name: str, tmp_path: Path) -> None:
    write_text(tmp_path / "start.vec", ODD, made(len(ODD), 5))
    model = lexigrad.load(tmp_path / "start.vec")
    model.save(tmp_path / name)
    again = lexigrad.load(tmp_path / name)
    assert again.words == ODD
    assert again.vectors.tobytes() == model.vectors.tobytes()
    assert again.fitted.output is None
    assert again.most_similar("tea", 3) == model.most_similar("tea", 3)


def test_whole_numbers_as_words(tmp_path: Path) -> None:
    model = WordVectors(dim=4, min_count=1, threads=1, epochs=1).fit([[1, 2, 3]] * 20)
    for name, words in (("v.npz", ["1", "2", "3"]), ("v.vec", ["1", "2", "3"])):
        model.save(tmp_path / name)
        assert sorted(lexigrad.load(tmp_path / name).words) == words
    mixed = WordVectors(dim=4, min_count=1, threads=1, epochs=1).fit([[1, "a"]] * 20)
    with pytest.raises(DataError, match="neither all str nor all int"):
        mixed.save(tmp_path / "v.vec")


def test_imported_vectors_can_learn_on(tmp_path: Path) -> None:
    write_text(tmp_path / "v.vec", ["tea", "cup", "dog"], made(3, 8))
    model = lexigrad.load(tmp_path / "v.vec").set_params(min_count=1, threads=1)
    model.fit(["tea pot tea cup"] * 30, resume=True)
    assert {"tea", "cup", "dog", "pot", "</s>"} == set(model.words)
    assert model["dog"].tolist() == made(3, 8)[2].tolist()


def test_equal_words_and_forms_that_cannot_hold_a_word(tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text("3 1\na 1\nb 2\na 3\n")
    with pytest.warns(LexigradWarning, match="1 words are there more than once"):
        model = lexigrad.load(tmp_path / "v.vec")
    assert (model.words, model.vectors.tolist()) == (["a", "b"], [[1.0], [2.0]])
    for bad in ("new york", "", "a\nb"):
        for write in (write_text, write_binary):
            with pytest.raises(DataError, match="which this form cannot hold"):
                write(tmp_path / "w.vec", [bad], made(1, 2))
    assert not (tmp_path / "w.vec").exists()


def test_names_that_say_too_little(tmp_path: Path) -> None:
    model = lexigrad.load(_small(tmp_path))
    with pytest.raises(ParameterError, match="the format 'binary'"):
        model.save(tmp_path / "v.bin")
    with pytest.raises(ParameterError, match="choose one of native, fasttext"):
        model.save(tmp_path / "v.vec", "word2vec")
    with pytest.raises(ParameterError, match=r"leave \.gz away"):
        model.save(tmp_path / "v.vec.gz")


def test_words_are_a_list() -> None:
    words = Words.of([b"a", b"", "é".encode()])
    assert words == ["a", "", "é"]
    assert (words[-1], words[1:], len(words), list(words), words.index("é"), "a" in words) == (
        "é",
        ["", "é"],
        3,
        ["a", "", "é"],
        2,
        True,
    )
    assert words != ["a"]
    assert repr(words) == "['a', '', 'é']"
    with pytest.raises(IndexError):
        words[3]
