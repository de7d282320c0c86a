"""Word vectors from the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

import lexigrad
from lexigrad import TextClassifier
from tests.cli.test_command_line import LEXIGRAD, run
from tests.models.test_word_vectors import TOPICS, sentences, topic


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    (folder / "corpus.txt").write_text("\n".join(sentences()) + "\n")
    result = run(
        "vectors", folder / "corpus.txt", "--output", folder / "v.lexigrad", "--dim", 20, "--epochs", 15, "--subsample", 0, "--threads", 1, "--json"
    )  # fmt: skip
    facts = json.loads(result.stdout)
    assert (facts["n_words"], facts["n_sentences"], facts["dim"], facts["finished"]) == (16, 1500, 20, True)
    assert "epoch 15.00/15" in result.stderr
    return folder


def test_quiet_training_is_silent(files: Path) -> None:
    result = run("vectors", files / "corpus.txt", "--output", files / "q.lexigrad", "--epochs", 1, "--quiet")
    assert (result.stdout, result.stderr) == ("", "")
    assert len(lexigrad.load(files / "q.lexigrad").words) == 16


def test_a_folder_a_cache_and_going_on(files: Path, tmp_path: Path) -> None:
    text, cache = tmp_path / "text", tmp_path / "cache"
    text.mkdir()
    (text / "one.txt").write_text("new words new words\n" * 50)
    first = run(
        "vectors", text, files / "corpus.txt", "--output", tmp_path / "a.lexigrad", "--epochs", 1, "--dim", 12, "--cache-dir", cache, "--keep-cache",
        "--threads", 1, "--json",
    )  # fmt: skip
    assert json.loads(first.stdout)["n_sentences"] == 1550
    assert len(list(cache.iterdir())) == 1
    more = run(
        "vectors", text, "--resume", tmp_path / "a.lexigrad", "--output", tmp_path / "b.lexigrad", "--lr", 0.01, "--json", "--quiet",
    )  # fmt: skip
    facts = json.loads(more.stdout)
    assert (facts["n_sentences"], facts["n_words"], facts["dim"], facts["lr"]) == (50, 18, 12, 0.01)
    again = lexigrad.load(tmp_path / "b.lexigrad")
    assert (again.get_params()["threads"], again.get_params()["epochs"]) == (1, 1)
    assert again.fitted.counts[again.words.index("new")] == 200
    message = run(
        "vectors", text, "--resume", tmp_path / "a.lexigrad", "-o", tmp_path / "c.lexigrad", "--dim", 9, code=2
    ).stderr
    assert "dim=12, and dim=9 was set" in message


def test_training_begins_at_given_vectors(files: Path) -> None:
    (files / "words.vec").write_text("2 3\ntea 1 2 3\nelsewhere 4 5 6\n")
    out, given = files / "given.lexigrad", ("--vectors", files / "words.vec")
    same = ("-o", out, "--dim", 3, "--epochs", 1, "--lr", 1e-30, "--threads", 1, "--quiet")
    for switch, expected in (("--keep-unseen", True), ("--no-keep-unseen", False)):
        run("vectors", files / "corpus.txt", *same, *given, switch)
        vectors = lexigrad.load(out)
        assert vectors["tea"].tolist() == [1, 2, 3]
        assert ("elsewhere" in vectors) == expected
    assert "dim=4: set dim=3" in run("vectors", files / "corpus.txt", *same, *given, "--dim", 4, code=2).stderr
    both = run("vectors", files / "corpus.txt", *same, *given, "--resume", out, code=2).stderr
    assert "give one of the two" in both
    assert "no such file" in run("vectors", files / "corpus.txt", *same, "--vectors", files / "no", code=2).stderr


def test_neighbors(files: Path) -> None:
    result = run("neighbors", files / "v.lexigrad", "tea", "dog", "--k", 4)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["tea"] * 4 + ["dog"] * 4
    assert all(topic(word) == topic(query) for query, word, _ in lines)
    expected = lexigrad.load(files / "v.lexigrad").most_similar("tea", 4)
    assert [(word, f"{score:.4f}") for word, score in expected] == [(word, score) for _, word, score in lines[:4]]
    asked = run("neighbors", files / "v.lexigrad", "--k", 4, stdin="tea\n\ndog\n")
    assert asked.stdout == result.stdout
    answer = json.loads(run("neighbors", files / "v.lexigrad", "tea", "--k", 1, "--json").stdout)
    assert answer["words"] == ["tea"]
    assert answer["answers"][0][0] == expected[0][0]


def test_a_terminal_gets_a_prompt(files: Path) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*LEXIGRAD, "neighbors", str(files / "v.lexigrad"), "--k", "1"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.write(leader, b"tea\nunknown\nsea\n\x04")
        out, err = process.communicate(timeout=60)
    assert [line.split(b"\t")[0] for line in out.splitlines()] == [b"tea", b"sea"]
    assert err.count(b"word> ") == 4
    assert b"'unknown' has no vector" in err
    assert process.returncode == 1


def test_analogy(files: Path) -> None:
    result = run("analogy", files / "v.lexigrad", "tea", "cup", "dog", "--k", 2)
    expected = lexigrad.load(files / "v.lexigrad").analogy("tea", "cup", "dog", 2)
    assert result.stdout == "".join(f"tea\tcup\tdog\t{word}\t{score:.4f}\n" for word, score in expected)
    assert run("analogy", files / "v.lexigrad", "--k", 2, stdin="tea cup dog\n").stdout == result.stdout
    assert "three words" in run("analogy", files / "v.lexigrad", "tea", code=2).stderr
    assert "expected 3 words a line, got 2" in run("analogy", files / "v.lexigrad", stdin="tea cup\n").stderr
    assert "no vector" in run("analogy", files / "v.lexigrad", "tea", "cup", "cat", code=1).stderr


def test_judging(files: Path) -> None:
    (files / "pairs.txt").write_text("tea\tcup\t9\ntea\tdog\t1\nsea\twave\t8\nsea\tbark\t0.5\nx\ty\t3\n")
    shown = json.loads(run("test", files / "v.lexigrad", files / "pairs.txt", "--json").stdout)
    assert (shown["n_used"], shown["n_pairs"], shown["coverage"]) == (4, 5, 0.8)
    assert shown["spearman"] > 0.5
    assert "Spearman" in run("test", files / "v.lexigrad", files / "pairs.txt").stdout
    (files / "questions.txt").write_text(": all\n" + "".join(" ".join(words[:4]) + "\n" for words in TOPICS))
    shown = json.loads(run("test", files / "v.lexigrad", files / "questions.txt", "--json").stdout)
    assert (shown["n_used"], shown["n_questions"]) == (3, 3)
    assert "no line can be used" in run("test", files / "v.lexigrad", files / "corpus.txt", code=1).stderr


def test_info(files: Path) -> None:
    shown = json.loads(run("info", files / "v.lexigrad", "--json").stdout)
    assert shown["kind"] == "word_vectors"
    assert shown["n_rows"] == 16
    assert "n_words         16" in run("info", files / "v.lexigrad").stdout


def test_the_wrong_kind_of_model(files: Path) -> None:
    TextClassifier(threads=1).fit(["good", "bad"] * 20, ["p", "n"] * 20).save(files / "c.lexigrad")
    assert "holds a classifier" in run("neighbors", files / "c.lexigrad", "tea", code=1).stderr
    assert "holds word vectors" in run("predict", files / "v.lexigrad", files / "corpus.txt", code=1).stderr
    assert "no folder" in run("vectors", files / "corpus.txt", "--output", files / "none" / "v.lexigrad", code=2).stderr
    assert (
        "choose 'skipgram'"
        in run("vectors", files / "corpus.txt", "-o", files / "x.lexigrad", "--model", "glove", code=2).stderr
    )


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("x.ftz", [], "lexigrad quantize VECTORS.lexigrad"),
        ("x.bin", [], ".bin may be two things"),
        ("x.vec.gz", [], "vectors are written uncompressed"),
        ("x.output", ["--loss", "hierarchical_softmax"], "belong to a tree"),
    ],
)
def test_a_form_that_vectors_cannot_have_is_refused_before_training(
    name: str, more: list[str], message: str, files: Path
) -> None:
    result = run("vectors", files / "corpus.txt", "--output", files / name, *more, code=2)
    assert message in result.stderr
    assert "epoch" not in result.stderr
    assert not (files / name).exists()


def test_convert(files: Path, tmp_path: Path) -> None:
    result = run("convert", files / "v.lexigrad", tmp_path / "v.vec")
    assert "16 words, 20 numbers each" in result.stderr
    assert (tmp_path / "v.vec").read_text().startswith("16 20\n")
    run("convert", tmp_path / "v.vec", tmp_path / "v.bin", "--format", "binary", "--quiet")
    asked = run("neighbors", tmp_path / "v.bin", "tea", "--k", 3).stdout
    assert asked == run("neighbors", files / "v.lexigrad", "tea", "--k", 3).stdout
    assert "the format 'binary'" in run("convert", tmp_path / "v.vec", tmp_path / "w.bin", code=2).stderr


def test_plot(files: Path, tmp_path: Path) -> None:
    for words in (["--words", "tea cup", "--words", "dog"], ["--words", "tea,cup", "dog"], ["tea", "cup", "dog"]):
        result = run("plot", files / "v.lexigrad", *words, "--output", tmp_path / "map.svg")
        assert "map.svg is drawn" in result.stderr
        svg = (tmp_path / "map.svg").read_text()
        assert [f"<!-- {word} -->" in svg for word in ("tea", "cup", "dog", "sea")] == [True, True, True, False]
    run("plot", files / "v.lexigrad", "--training", "--output", tmp_path / "curve.png", "--quiet")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (
        "no vector for cat, mouse; leave them out"
        in run("plot", files / "v.lexigrad", "--words", "tea cat mouse", "-o", tmp_path / "m.png", code=1).stderr
    )
    assert "--output is missing" in run("plot", files / "v.lexigrad", code=2).stderr
    wrong: list[tuple[list[object], str]] = [
        (["-o", tmp_path / "m.gif"], "ends in .png, .svg, .pdf"),
        (["-o", tmp_path / "m.png", "--method", "lda"], "choose one of pca, tsne, umap"),
        (["-o", tmp_path / "m.png", "--training", "tea"], "leave out the words"),
        (["-o", tmp_path / "m.png", "--words", " , "], "names no word"),
    ]
    for arguments, said in wrong:
        assert said in run("plot", files / "v.lexigrad", *arguments, code=2).stderr
    assert not (tmp_path / "m.png").exists()
    run("convert", files / "v.lexigrad", tmp_path / "v.vec")
    result = run("plot", tmp_path / "v.vec", "--training", "-o", tmp_path / "m.png", code=1)
    assert "the course of the training is not known" in result.stderr


def test_plot_of_words_with_commas_and_of_numbers(tmp_path: Path) -> None:
    lexigrad.WordVectors(dim=4, min_count=1, epochs=1, threads=1).fit(["1,000 , a", "a 1,000 b"] * 9).save(
        tmp_path / "c.lexigrad"
    )
    run("plot", tmp_path / "c.lexigrad", "--words", "1,000", ",", "a,b", "-o", tmp_path / "map.svg")
    svg = (tmp_path / "map.svg").read_text()
    assert all(f"<!-- {word} -->" in svg for word in ("1,000", ",", "a", "b"))
    lexigrad.WordVectors(dim=4, min_count=1, epochs=1, threads=1).fit([[1, 22, 33], [33, 1]] * 9).save(
        tmp_path / "n.lexigrad"
    )
    run("plot", tmp_path / "n.lexigrad", "--words", "1,22", "33", "-o", tmp_path / "map.svg")
    assert "<!-- 22 -->" in (tmp_path / "map.svg").read_text()
    assert (
        "no vector for 44; leave it out"
        in run("plot", tmp_path / "n.lexigrad", "1", "44", "-o", tmp_path / "m.png", code=1).stderr
    )
