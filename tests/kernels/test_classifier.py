"""The training kernel against plain NumPy in which every feature has a row of its own."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from lexigrad.errors import DivergenceError
from lexigrad.kernels.classifier import CODES, DIVERGED, choose_negatives, drawn_label, train_by
from lexigrad.losses.hierarchical_softmax import huffman_children
from lexigrad.text.corpus import Corpus, read_corpus
from lexigrad.text.features import FeatureSpace, encode_corpus
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import WORDS
from lexigrad.training.classifier import (
    ClassifierWorker,
    LabelledTexts,
    Questions,
    Weights,
    block_size,
    train_classifier,
)
from lexigrad.training.progress import SilentDisplay
from tests.oracles import classifier as oracle
from tests.oracles import tokens as token_oracle

TEXTS = [
    "good fine film",
    "good good fine plot twist",
    "bad dull film",
    "dull dull end",
    "new york film",
    "",
    "in new york",
] * 3
LABELS = ["pos", "pos", "neg", "neg", "none", "none", "pos"] * 3
DIM = 13


def prepared(labels: list[object] = LABELS) -> tuple[Corpus, FeatureSpace, LabelledTexts, Weights]:
    corpus = read_corpus(read_texts(TEXTS, labels), WORDS, 1)
    space, texts = encode_corpus(corpus, min_count=1, word_ngrams=2, min_n=0, max_n=0, buckets=None, threads=1)
    data = LabelledTexts(
        texts, space.members, corpus.label_ids, corpus.label_offsets, len(corpus.labels), corpus.n_tokens
    )
    return corpus, space, data, started(space)


def started(space: FeatureSpace, n_outputs: int = 3) -> Weights:
    """Weights in the course of training: input rows that differ, output rows that do not."""
    weights = Weights(space.members, n_outputs, DIM, 5, 1)
    weights.input[:] = np.random.default_rng(1).uniform(-1 / DIM, 1 / DIM, weights.input.size)
    weights.output[:] = 0
    return weights


def features_of(corpus: Corpus, space: FeatureSpace) -> list[list[int]]:
    """Slots of each text."""
    vocabulary = {corpus.vocabulary[i]: i for i in range(space.n_words)}
    return [
        token_oracle.text_slots(token_oracle.words(t.encode()), vocabulary, space.n_buckets, 2, 0, 0) for t in TEXTS
    ]


def oracle_weights(space: FeatureSpace, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """One row per slot, u / sqrt(m)."""
    rows = weights.input.reshape(-1, DIM).astype(np.float64) / np.sqrt(space.members)[:, None]
    matrix = np.where(space.slot_rows[:, None] >= 0, rows[space.slot_rows], 0.0)
    return matrix, weights.output.reshape(-1, weights.stride)[:, :DIM].astype(np.float64)


def asked(data: LabelledTexts, loss: str = "softmax", negatives: int = 5) -> Questions:
    return Questions.of(loss, np.bincount(data.labels, minlength=data.n_labels).astype(np.int64), negatives)


def run(
    weights: Weights,
    data: LabelledTexts,
    order: np.ndarray,
    block: int,
    lr: float,
    loss: str = "softmax",
    visit: int = 0,
) -> int:
    """Train once over `order` without decay; return what the kernel returns."""
    texts, totals, lock = data.texts, np.zeros(2), np.zeros(1, np.int32)
    return train_by(CODES[loss])(
        texts.rows, texts.shares, texts.starts, texts.stops, data.labels, data.label_offsets, order, 0, len(order), block, lr, visit, 10**15, 0,
        *asked(data, loss).arguments(), weights.input, DIM, weights.output, weights.stride, weights.n_outputs, np.empty(0, np.float32), weights.output,
        lock, 0, totals,
    )  # fmt: skip


@pytest.mark.parametrize("block", [1, 3, 8])
def test_training_is_gradient_descent_on_separate_rows(block: int) -> None:
    corpus, space, data, weights = prepared()
    weights.output[:] = 0
    weights.output.reshape(-1, weights.stride)[:, :DIM] = np.random.default_rng(2).normal(size=(3, DIM))
    matrix, output = oracle_weights(space, weights)
    features = features_of(corpus, space)
    order = np.array([i for i in range(len(TEXTS)) if features[i]] * 4)
    for first in range(0, len(order), block):
        texts = [(features[i], int(corpus.label_ids[i])) for i in order[first : first + block]]
        matrix, output = oracle.block_step(matrix, output, texts, 0.7)
    run(weights, data, order, block, 0.7)
    found_matrix, found_output = oracle_weights(space, weights)
    np.testing.assert_allclose(found_output, output, atol=2e-5)
    np.testing.assert_allclose(found_matrix, matrix, atol=2e-5)
    finished, _ = weights.finish()
    used = space.slot_rows >= 0
    np.testing.assert_allclose(finished[space.slot_rows[used]], matrix[used], atol=2e-5)


def test_a_step_is_minus_lr_times_the_numeric_gradient() -> None:
    corpus, space, data, weights = prepared()
    weights.output.reshape(-1, weights.stride)[:, :DIM] = np.random.default_rng(2).normal(size=(3, DIM))
    matrix, output = oracle_weights(space, weights)
    features, target = features_of(corpus, space)[1], int(corpus.label_ids[1])
    run(weights, data, np.array([1]), 1, 0.5)
    changed_matrix, changed_output = oracle_weights(space, weights)
    for slot in sorted(set(features)):
        bump = np.zeros_like(matrix)
        bump[slot, 4] = 1e-5
        difference = oracle.loss(matrix + bump, output, features, target) - oracle.loss(
            matrix - bump, output, features, target
        )
        assert abs((changed_matrix - matrix)[slot, 4] + 0.5 * difference / 2e-5) < 1e-6
    for label in range(3):
        bump = np.zeros_like(output)
        bump[label, 7] = 1e-5
        difference = oracle.loss(matrix, output + bump, features, target) - oracle.loss(
            matrix, output - bump, features, target
        )
        assert abs((changed_output - output)[label, 7] + 0.5 * difference / 2e-5) < 1e-6


@pytest.mark.parametrize("loss", ["one_vs_all", "hierarchical_softmax", "negative_sampling"])
def test_a_step_of_every_loss_is_minus_lr_times_the_numeric_gradient(loss: str) -> None:
    several = [["pos", "none"]] + [[label] for label in LABELS[1:]]
    corpus, space, data, weights = prepared(several)
    questions = asked(data, loss)
    weights = started(space, questions.n_outputs)
    weights.output.reshape(-1, weights.stride)[:, :DIM] = np.random.default_rng(2).normal(
        size=(questions.n_outputs, DIM)
    )
    matrix, output = oracle_weights(space, weights)
    features = features_of(corpus, space)[0]
    labels = data.labels[data.label_offsets[0] : data.label_offsets[1]].tolist()
    drawn, visits = set(), range(6)
    for visit in visits:
        again = started(space, questions.n_outputs)
        again.output[:] = weights.output
        run(again, data, np.array([0]), 1, 0.25, loss, visit)
        changed_matrix, changed_output = oracle_weights(space, again)
        target = int(draw_label(data.labels, 0, len(labels), 0, visit))
        scores = output @ oracle.hidden(matrix, features)
        terms = oracle.terms(loss, questions, labels, target, scores, changed_output - output)
        drawn.add(tuple(terms))
        for slot in sorted(set(features)):
            bump = np.zeros_like(matrix)
            bump[slot, 4] = 1e-5
            up, down = (oracle.question_loss(matrix + sign * bump, output, features, terms) for sign in (1, -1))
            assert abs((changed_matrix - matrix)[slot, 4] + 0.25 * (up - down) / 2e-5) < 2e-6
        for row in range(questions.n_outputs):
            bump = np.zeros_like(output)
            bump[row, 7] = 1e-5
            up, down = (oracle.question_loss(matrix, output + sign * bump, features, terms) for sign in (1, -1))
            assert abs((changed_output - output)[row, 7] + 0.25 * (up - down) / 2e-5) < 2e-6
    assert len(drawn) >= (1 if loss == "one_vs_all" else 2)  # which of the two labels is learned is drawn anew


def test_negatives_are_drawn_by_the_square_root_of_their_counts_and_are_no_labels_of_the_text() -> None:
    state, rows = np.array([88172645463325252], np.uint64), np.zeros(9, np.int64)
    answers, weights = np.zeros(9, np.float32), np.zeros(9, np.float32)
    questions = Questions.of("negative_sampling", np.array([100, 900, 2500, 400]), 5)
    counts = np.zeros(4)
    for _ in range(4000):
        n = draw_negatives(
            state,
            questions.sides,
            questions.aliases,
            5,
            1,
            np.array([1, 3], np.int32),
            0,
            2,
            16,
            rows,
            answers,
            weights,
        )
        assert rows[0] == 16
        assert answers[:n].tolist() == [1.0] + [0.0] * (n - 1)
        assert len(set(rows[:n].tolist())) == n
        assert weights[1:n].sum() == 5
        np.add.at(counts, rows[1:n] // 16, weights[1:n])
    assert counts[1] == counts[3] == 0
    assert abs(counts[0] / counts[2] - 10 / 50) < 0.02


def test_a_text_with_all_labels_has_no_negatives() -> None:
    state, rows = np.array([88172645463325252], np.uint64), np.zeros(9, np.int64)
    answers, weights = np.zeros(9, np.float32), np.zeros(9, np.float32)
    questions = Questions.of("negative_sampling", np.array([1, 1]), 5)
    labels = np.array([0, 1], np.int32)
    assert (
        draw_negatives(state, questions.sides, questions.aliases, 5, 0, labels, 0, 2, 16, rows, answers, weights) == 1
    )


@njit
def draw_label(labels, first, stop, seed, visit):
    return drawn_label(labels, first, stop, seed, visit)


@njit
def draw_negatives(state, sides, aliases, negatives, label, labels, first, stop, stride, starts, answers, weights):
    return choose_negatives(
        state, sides, aliases, negatives, label, labels, first, stop, stride, starts, answers, weights
    )


@pytest.mark.parametrize("counts", [[5], [1, 1], [7, 7, 7, 3, 2, 9], list(range(1, 40))])
def test_ways_lead_where_the_tree_of_prediction_leads(counts: list[int]) -> None:
    label_counts = np.array(counts, np.int64)
    questions = Questions.of("hierarchical_softmax", label_counts, 5)
    assert questions.n_outputs == len(counts) - 1
    order = np.argsort(-label_counts, kind="stable")
    children = huffman_children(label_counts[order], order)
    for label in range(len(counts)):
        place = 0 if len(counts) > 1 else ~0
        for node, turn in zip(
            *(a[questions.ends[label] : questions.ends[label + 1]] for a in (questions.nodes, questions.turns)),
            strict=True,
        ):
            assert place == node
            place = int(children[2 * node + int(turn)])
        assert place == ~label


def test_labels_are_drawn_uniformly() -> None:
    several = [["pos", "neg", "none"]] + [["pos"]] * (len(TEXTS) - 1)
    _, space, data, _ = prepared(several)
    counts = np.zeros(3)
    for visit in range(300):
        weights = started(space)
        texts, totals, lock = data.texts, np.zeros(2), np.zeros(1, np.int32)
        train_by(CODES["softmax"])(
            texts.rows, texts.shares, texts.starts, texts.stops, data.labels, data.label_offsets, np.zeros(1, np.int64), 0, 1, 1, 0.1, visit, 10**9, 11,
            *asked(data).arguments(), weights.input, DIM, weights.output, weights.stride, 3, np.empty(0, np.float32), weights.output, lock, 0, totals,
        )  # fmt: skip
        counts += _drawn(weights)
    assert counts.sum() == 300
    assert np.all(np.abs(counts - 100) < 33)  # four standard deviations of a fair draw


def _drawn(weights: Weights) -> np.ndarray:
    """From zero scores only the drawn label's row moves by lr (1 - 1/3) h, the others by -lr h / 3."""
    length = np.linalg.norm(weights.output.reshape(3, -1), axis=1)
    return (length == length.max()).astype(float)


def test_training_begins_from_a_zero_input_and_an_output_that_depends_on_the_seed_alone() -> None:
    members = np.ones(1000, np.int32)
    one, three, other = (Weights(members, 500, 10, seed, threads) for seed, threads in ((1, 1), (1, 3), (2, 1)))
    assert not one.input.any()
    np.testing.assert_array_equal(one.output, three.output)
    assert not np.array_equal(one.output, other.output)
    rows = one.output.reshape(500, -1)
    assert not rows[:, 10:].any()
    assert np.abs(rows).max() <= 3 / np.sqrt(10)
    assert abs(rows[:, :10].mean()) < 0.04
    assert abs(rows[:, :10].std() - 3 / np.sqrt(30)) < 0.02
    assert len(np.unique(rows[:, :10])) > 4_950


@pytest.mark.parametrize("loss", CODES)
def test_every_loss_learns_from_its_beginning(loss: str) -> None:
    _, space, data, _ = prepared()
    questions = asked(data, loss)
    weights = Weights(space.members, questions.n_outputs, DIM, 5, 1)
    first, _, last = (
        train_classifier(
            weights, data, epochs=epochs, lr=0.5, seed=0, threads=1, display=SilentDisplay(), questions=questions
        )[-1]
        for epochs in (1, 60, 1)
    )
    assert last < 0.3 * first


@pytest.mark.parametrize("lr", [1e20, 1e38])
def test_divergence_leaves_finite_weights(lr: float) -> None:
    _, _, data, weights = prepared()
    order = np.arange(len(TEXTS)).repeat(50)
    assert run(weights, data, order, 8, lr) == DIVERGED
    assert np.isfinite(weights.input).all()
    assert np.isfinite(weights.output).all()
    _, _, data, weights = prepared()
    with pytest.raises(DivergenceError, match="smaller lr"):
        train_classifier(weights, data, epochs=50, lr=lr, seed=0, threads=1, display=SilentDisplay())


def test_threads_lose_no_update_of_the_output() -> None:
    _, _, data, weights = prepared()
    lock = np.zeros(1, np.int32)
    workers = [ClassifierWorker(weights, data, asked(data), 0.1, 10**15, 1, 0, 1, lock) for _ in range(2)]
    before = weights.output.copy()
    for worker in workers:
        worker.merge_every = 10**9
        worker.output += 1
    for worker in workers:
        worker.finish()
    np.testing.assert_allclose(weights.output, before + 2)


def test_block_size_follows_the_length_of_texts() -> None:
    _, _, data, _ = prepared()
    assert block_size(data, 100) == 8
    assert block_size(data, 10**6) == 1


def test_many_short_epochs_end() -> None:
    """A slice never grows beyond an epoch, however fast epochs are."""
    _, _, data, weights = prepared()
    losses = train_classifier(
        weights, data, epochs=20_000, lr=0.1, seed=0, threads=1, display=SilentDisplay(), callback=None
    )
    assert losses[-1] < losses[0]
