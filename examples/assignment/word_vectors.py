"""Question 3 of the assignment: word vectors.

python examples/assignment/word_vectors.py [SENTENCES] [--data FOLDER] [--picture FILE]

SENTENCES is any file with one sentence a line, its tokens separated by spaces; without it the Stanford Sentiment Treebank is looked for in FOLDER.

3(a) With p = softmax(U v_c) and the cost F = -log p_o, the gradient for the centre's vector is (p - y) U = sum_w p_w u_w - u_o.
3(b) For the output vectors it is (p_w - y_w) v_c: (p_o - 1) v_c for u_o, p_w v_c for all others.

    lexigrad prove skipgram_softmax_center_gradient skipgram_softmax_output_gradient

3(c) With F = -log sigmoid(u_o . v_c) - sum_k log sigmoid(-u_k . v_c) and K drawn words k:
for v_c (sigmoid(u_o . v_c) - 1) u_o - sum_k (sigmoid(-u_k . v_c) - 1) u_k; for u_o (sigmoid(u_o . v_c) - 1) v_c; for u_k, once for each time that it
was drawn, -(sigmoid(-u_k . v_c) - 1) v_c. It needs K + 1 dot products instead of one for each word of the vocabulary.

    lexigrad prove negative_sampling_gradient negative_sampling_repeated_negatives

3(d) Skip-gram sums F over the words of the context, and so its gradients; the v of the context get none. CBOW predicts the centre from the sum of the
context's vectors: each place of the context gets the gradient g of F for that sum, so a word that stands there n times gets n g. With the mean of
n places each gets g / n; word2vec, gensim and fastText leave out the 1 / n.

    lexigrad prove skipgram_context_gradient cbow_sum_gradient cbow_mean_gradient cbow_unscaled_update

3(e), 3(h) The functions below, by the formulas above; `lexigrad.WordVectors` does the same in kernels.
3(f) `descend` below; `lexigrad.WordVectors` lets its learning rate fall linearly instead of by halves, and `fit(..., resume=True)` goes on.
3(g) The assignment asks for skip-gram with negative sampling, vectors of 10 numbers, windows of up to 5 words, 10 negatives, and 40,000 steps on 50
random windows each, 2,000,000 windows in all, of sentences from which frequent words are dropped. Its cost is that of a window, the sum of F over its
words. Here the steps are single windows.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import treebank

import lexigrad

WORDS = """
    the a an , . ? ! `` '' -- good great cool brilliant wonderful well amazing worth sweet enjoyable boring bad waste dumb annoying
""".split()  # noqa: SIM905
WINDOWS = 2_000_000
WINDOW = 5
SUBSAMPLE = 1e-5

Cost = Callable[[np.ndarray, int, np.ndarray], tuple[float, np.ndarray, np.ndarray]]
"""(predicting vector, word o, output vectors U) -> F and its gradients for the vector and for U."""


def softmax_cost(hidden: np.ndarray, o: int, output: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return -log softmax(U v)_o and its gradients, of 3(a) and 3(b)."""
    cost, d_hidden, d_output = lexigrad.linear_cross_entropy(hidden[None], output, [o])
    return cost, d_hidden[0], d_output


def sampled_cost(negatives: list[int]) -> Cost:
    """Return negative sampling with these words drawn, of 3(c)."""

    def cost(hidden: np.ndarray, o: int, output: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        rows, signs = np.array([o, *negatives]), np.array([1.0] + [-1.0] * len(negatives))
        scores = signs * (output[rows] @ hidden)
        d_scores = -signs * lexigrad.sigmoid(-scores)  # sigmoid(x) - 1 = -sigmoid(-x)
        d_output = np.zeros_like(output)
        np.add.at(d_output, rows, np.outer(d_scores, hidden))  # a word drawn twice gets twice the gradient
        return -float(lexigrad.log_sigmoid(scores).sum()), d_scores @ output[rows], d_output

    return cost


def skipgram(center: int, context: list[int], both: np.ndarray, cost: Cost) -> tuple[float, np.ndarray]:
    """Return cost and gradient where the centre predicts each word of its context; `both` is (2, n_words, dim): all v, all u."""
    total, d_both = 0.0, np.zeros_like(both)
    for word in context:
        one, d_hidden, d_output = cost(both[0, center], word, both[1])
        total += one
        d_both[0, center] += d_hidden
        d_both[1] += d_output
    return total, d_both


def cbow(center: int, context: list[int], both: np.ndarray, cost: Cost) -> tuple[float, np.ndarray]:
    """Return cost and gradient where the sum of the context predicts the centre."""
    d_both = np.zeros_like(both)
    total, d_hidden, d_both[1] = cost(both[0, context].sum(axis=0), center, both[1])
    for word in context:
        d_both[0, word] += d_hidden
    return total, d_both


def normalize_rows(x: np.ndarray) -> np.ndarray:
    """Return the rows at length 1."""
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def descend(
    f: Callable[[np.ndarray, np.random.Generator], tuple[float, np.ndarray]],
    x: np.ndarray,
    step: float,
    iterations: int,
    saved: Path,
    anneal_every: int = 20_000,
    save_every: int = 5_000,
) -> tuple[np.ndarray, float, int]:
    """Descend along f's gradient, from what was saved if there is such a file; return x, the running mean of the cost, and where it began.

    The step halves every `anneal_every` iterations. Each iteration has random numbers of its own, so that going on equals never having stopped.
    """
    begin, mean = 0, None
    if saved.exists():
        with np.load(saved) as state:
            begin, x, mean = int(state["iteration"]), state["x"], float(state["mean"])
    for iteration in range(begin, iterations):
        cost, d_x = f(x, np.random.default_rng(iteration))
        x = x - step * 0.5 ** (iteration // anneal_every) * d_x
        mean = cost if mean is None else 0.95 * mean + 0.05 * cost
        if (iteration + 1) % save_every == 0:
            np.savez(saved, x=x, mean=mean, iteration=iteration + 1)
    return x, mean or 0.0, begin


def questions_a_to_e_and_h() -> None:
    """Print how far all gradients are from differences of their costs, on five words."""
    both = np.random.default_rng(0).normal(size=(2, 5, 3))
    print("3(e) rows of length 1:", normalize_rows(np.array([[3.0, 4.0], [1.0, 2.0]])).round(8).tolist())
    print("3(a-e, h) worst error of the gradient for all v and u, by four-point differences")
    for cost_name, cost in (("softmax", softmax_cost), ("negative sampling", sampled_cost([1, 4, 1]))):
        for model in (skipgram, cbow):
            report = lexigrad.gradcheck(lambda x, model=model, cost=cost: model(2, [0, 3, 0, 4], x, cost), both)
            print(f"  {model.__name__:8} {cost_name:17} {report.error:.1e}")
    print(
        f"3(c) dot products for one word of 100,000, with 10 negatives: 11 instead of 100,000, {100_000 // 11:,} times fewer"
    )


def question_f() -> None:
    """Print that descending in two runs is descending in one."""

    def f(x: np.ndarray, rng: np.random.Generator) -> tuple[float, np.ndarray]:
        center = int(rng.integers(5))
        return skipgram(center, [(center + 1) % 5, (center + 4) % 5], x, sampled_cost(rng.integers(0, 5, 3).tolist()))

    start = np.random.default_rng(0).normal(size=(2, 5, 3)) / 3
    with tempfile.TemporaryDirectory() as folder:
        whole, cost, _ = descend(f, start, 0.3, 3_000, Path(folder) / "whole.npz", 1_000, 500)
        descend(f, start, 0.3, 1_700, Path(folder) / "parts.npz", 1_000, 500)
        again, _, begin = descend(f, start, 0.3, 3_000, Path(folder) / "parts.npz", 1_000, 500)
    print(f"3(f) mean cost after 3,000 iterations {cost:.2f}; broken off at 1,700 and gone on from {begin:,}: ", end="")
    print("the same bits" if np.array_equal(whole, again) else "other bits")


def train(sentences: list[list[str]]) -> lexigrad.WordVectors:
    """Return the vectors of 3(g)."""
    epochs = max(1, round(WINDOWS / windows_of(sentences)[0]))
    return lexigrad.WordVectors(
        dim=10, window=WINDOW, negatives=10, min_count=1, subsample=SUBSAMPLE, epochs=epochs, threads=1
    ).fit(sentences)  # fmt: skip


def question_g(sentences: list[list[str]], picture: Path) -> None:
    """Train, print the cost as it falls, draw the map."""
    vectors = train(sentences)
    n_words = sum(map(len, sentences))
    print(f"3(g) {len(sentences):,} sentences, {n_words:,} words, {len(vectors):,} of them different; {vectors.epochs} epochs")  # fmt: skip
    n_windows, n_pairs = windows_of(sentences)
    per_window = n_pairs / n_windows
    print(f"  {n_windows:,} windows an epoch, {per_window:.2f} pairs in each; cost of a window:")
    losses = vectors.losses_  # the mean over pairs
    for tenth in range(10):
        part = losses[tenth * len(losses) // 10 : (tenth + 1) * len(losses) // 10]
        if part:
            print(f"    after {(tenth + 1) / 10:4.0%}: {per_window * sum(part) / len(part):.2f}")
    known = [word for word in WORDS if word in vectors]
    if len(known) < len(WORDS):
        print("  not in these sentences:", *(word for word in WORDS if word not in vectors))
    vectors.plot(known, picture)
    print(f"  {picture} shows {len(known)} words")


def windows_of(sentences: list[list[str]]) -> tuple[int, int]:
    """Return about how many windows an epoch has, and how many pairs of words: frequent words are dropped, and reaches drawn, as in training."""
    draw = random.Random(0)
    counts = Counter(word for sentence in sentences for word in sentence)
    total = counts.total()
    n_windows, n_pairs = 0, 0
    for sentence in sentences:
        ratios = [SUBSAMPLE * total / counts[word] for word in sentence]
        length = sum(draw.random() < ratio**0.5 + ratio for ratio in ratios)
        for at in range(length):
            reach = draw.randint(1, WINDOW)
            pairs = min(reach, at) + min(reach, length - 1 - at)
            n_windows += pairs > 0
            n_pairs += pairs
    return max(1, n_windows), n_pairs


def main() -> None:
    """Print the answers in order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, default=treebank.default_folder())
    parser.add_argument("--picture", type=Path, default=Path("word_vectors.png"))
    arguments = parser.parse_args()
    questions_a_to_e_and_h()
    question_f()
    sentences, _ = treebank.read(arguments.sentences or treebank.path_of(arguments.data, "train"))
    question_g(sentences, arguments.picture)


if __name__ == "__main__":
    main()
