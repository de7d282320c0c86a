"""Question 3 of the assignment: the plain reference against numeric gradients, our kernels against the reference, the example as it runs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad.kernels.sampling import ONE, alias_table
from lexigrad.kernels.word_vectors import HOT, train_vectors
from lexigrad.losses.hierarchical_softmax import huffman_paths
from tests.oracles import assignment
from tests.oracles import word_vectors as loop

RNG = np.random.default_rng(0)
VECTORS, OUTPUT = RNG.normal(0, 0.5, (6, 4)), RNG.normal(0, 0.5, (6, 4))
COSTS = {"softmax": assignment.softmax_cost, "sampled": assignment.sampled_cost([3, 1, 3, 5])}
EXAMPLE = Path(__file__).parents[1] / "examples" / "assignment" / "word_vectors.py"


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


def run_example(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)


def test_the_example_on_a_small_treebank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    groups = [["good", "great", "cool", "the"], ["bad", "dumb", "boring", "a"]]
    lines = [f"__label__{i % 5} " + " ".join(rng.choice(groups[i % 2], 8)).title() for i in range(400)]
    (tmp_path / "sentences.txt").write_text("\n".join(lines) + "\n")
    spec = importlib.util.spec_from_file_location("example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example, "WINDOWS", 800_000)
    monkeypatch.setattr(example, "SUBSAMPLE", 1.0)
    monkeypatch.setattr(sys, "argv", ["example", str(tmp_path / "sentences.txt"), str(tmp_path / "map.png")])
    example.main()
    out = capsys.readouterr().out
    costs = [float(line.split(":")[1]) for line in out.splitlines() if line.startswith("  after")]
    assert 0 < costs[-1] < 20
    assert "400 sentences, 3,200 words, 8 of them different; 250 epochs" in out
    assert "not in these sentences: an" in out
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_the_example_says_where_it_looked(tmp_path: Path) -> None:
    result = run_example(env={"LEXIGRAD_DATA": str(tmp_path)})
    assert result.returncode == 1
    assert "set LEXIGRAD_DATA" in result.stderr
