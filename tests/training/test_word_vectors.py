"""Training beyond the kernel: the full softmax, the order of sentences, and the cache of corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lexigrad.errors import ParameterError
from lexigrad.kernels.sampling import ONE
from lexigrad.text.sentences import TokenStore, encode_texts
from lexigrad.text.sources import read_texts
from lexigrad.text.tokens import tokenizer_code
from lexigrad.training import corpus_cache, full_softmax
from lexigrad.training.full_softmax import FullSoftmaxWorker
from lexigrad.training.loop import Slices
from lexigrad.training.word_vectors import Choices, Sentences, VectorSettings, VectorWeights, cut
from tests.oracles.word_vectors import Random


def data_of(listed: list[list[int]], rows: list[list[int]]) -> Sentences:
    tokens = np.array([i for sentence in listed for i in sentence], np.int32)
    counts = np.maximum(1, np.bincount(tokens, minlength=len(rows)))
    ends = np.cumsum([0, *map(len, rows)])
    flat = np.concatenate(rows).astype(np.int32)
    offsets = np.cumsum([0, *map(len, listed)])
    return Sentences(tokens, len(tokens), offsets, counts, flat, ends, int(flat.max()) + 1)


def expected(
    listed: list[list[int]], rows: list[list[int]], matrix: Any, output: Any, lr: float, *, cbow: bool, exact: bool, batch: int
) -> float:  # fmt: skip
    """Train in place, in float64, with windows drawn as the kernel draws them; return the mean loss of the last step."""
    pairs = []
    for visit, sentence in enumerate(listed):
        random = Random(7, visit)
        for _ in sentence:
            random.happens(ONE)
        for position, target in enumerate(sentence):
            reach = 1 + random.below(3)
            words = [
                sentence[c]
                for c in range(max(0, position - reach), position + reach + 1)
                if c != position and c < len(sentence)
            ]
            if words:
                pairs += [(words, target)] if cbow else [([word], target) for word in words]
    loss = 0.0
    for first in range(0, len(pairs), batch):
        part = pairs[first : first + batch]
        hidden = np.stack([np.mean([matrix[rows[w]].mean(axis=0) for w in words], axis=0) for words, _ in part])
        scores = hidden @ output.T
        log_total = np.logaddexp.reduce(scores, axis=1)
        targets = [target for _, target in part]
        loss = float((log_total - scores[np.arange(len(part)), targets]).mean())
        wrong = np.exp(scores - log_total[:, None])
        wrong[np.arange(len(part)), targets] -= 1
        d_hidden, d_output = wrong @ output, wrong.T @ hidden
        for (words, _), gradient in zip(part, d_hidden, strict=True):
            for word in words:
                for row in rows[word]:
                    matrix[row] -= lr * gradient / (len(words) * len(rows[word]) if exact else 1)
        output -= lr * d_output
    return loss


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("cbow", [False, True])
def test_full_softmax_equals_the_formula(cbow: bool, exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_softmax, "BATCH", 20)
    rng = np.random.default_rng(0)
    listed = [rng.integers(0, 12, rng.integers(1, 9)).tolist() for _ in range(10)]
    rows = [[word, 12 + word, 24 + word // 2] for word in range(12)]
    data = data_of(listed, rows)
    settings = VectorSettings(
        model="cbow" if cbow else "skipgram", loss="softmax", window=3, dynamic_window=True, negatives=5, negative_power=0.75, subsample=0.0,
        gradient="exact" if exact else "fasttext",
    )  # fmt: skip
    weights = VectorWeights(data.n_rows, 12, 20, 0, 1)
    weights.rows(weights.input)[:, :20] = rng.normal(0, 0.5, (data.n_rows, 20))
    weights.rows(weights.output)[:12, :20] = rng.normal(0, 0.5, (12, 20))
    matrix, output = (
        weights.rows(array)[:n, :20].astype(float) for array, n in ((weights.input, data.n_rows), (weights.output, 12))
    )
    loss = expected(listed, rows, matrix, output, 0.2, cbow=cbow, exact=exact, batch=20)
    worker = FullSoftmaxWorker(weights, data, settings, 0.2, 10**12, 7, Choices(data.counts, settings))
    assert worker.train(np.arange(10), 0, 10, 0)
    np.testing.assert_allclose(weights.rows(weights.input)[:, :20], matrix, atol=2e-5)
    np.testing.assert_allclose(weights.rows(weights.output)[:12, :20], output, atol=2e-5)
    assert worker.totals[2] == pytest.approx(loss, rel=1e-4)
    assert not weights.rows(weights.input)[:, 20:].any()


def test_finish_takes_the_padding_away() -> None:
    weights = VectorWeights(5000, 3000, 20, 1, 2)
    matrix = weights.rows(weights.input)[:, :20].copy()
    weights.rows(weights.output)[:3000, :20] = 7
    found, output = weights.finish()
    np.testing.assert_array_equal(found, matrix)
    assert output.shape == (3000, 20)
    assert (output == 7).all()
    assert found.flags["C_CONTIGUOUS"]


def test_long_sentences_are_cut() -> None:
    assert cut(np.array([0, 3, 3, 10, 12]), 3).tolist() == [0, 3, 3, 6, 9, 10, 12]


def test_texts_of_a_file_are_shuffled_in_runs() -> None:
    slices = Slices(20_000, 1, 1, 5, 64)
    order = slices.order
    assert sorted(order) == list(range(20_000))
    first = order[: 64 * 64] // 64
    assert len(set(first.tolist())) in (64, 65)
    assert (np.diff(order) == 1).mean() < 0.01
    assert Slices(20_000, 1, 1, 6, 64).order.tolist() != order.tolist()


def encoded(texts: list[str]) -> tuple[TokenStore, Any]:
    store = TokenStore()
    return store, encode_texts(read_texts(texts), tokenizer_code("words"), 1, store)


def test_a_kept_corpus_comes_back(tmp_path: Path) -> None:
    store, words = encoded(["a b a", "", "c b"])
    corpus_cache.keep(tmp_path / "c.lexigrad", store, words)
    again = TokenStore()
    found = corpus_cache.kept(tmp_path / "c.lexigrad", again)
    assert found is not None
    assert [found[i] for i in range(3)] == [b"a", b"b", b"c"]
    assert found.counts.tolist() == [2, 2, 1]
    tokens, offsets = again.numbered(np.arange(3, dtype=np.int32))
    assert (tokens.tolist(), offsets.tolist()) == ([0, 1, 0, 2, 1], [0, 3, 3, 5])


def test_what_is_damaged_or_missing_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "c.lexigrad"
    assert corpus_cache.kept(path, TokenStore()) is None
    store, words = encoded(["a b a c"] * 50)
    corpus_cache.keep(path, store, words)
    data = bytearray(path.read_bytes())
    place = data.rfind(np.arange(3, dtype=np.int32).tobytes()[4:8])
    data[place] ^= 1
    path.write_bytes(data)
    assert corpus_cache.kept(path, TokenStore()) is None
    path.write_bytes(data[:100])
    assert corpus_cache.kept(path, TokenStore()) is None


def test_the_name_of_a_kept_corpus_follows_source_and_settings(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("a b\n")
    names = {
        corpus_cache.kept_path(tmp_path, [str(file)], tokenizer=name, text="text") for name in ("words", "whitespace")
    }
    file.write_text("a b c\n")
    names.add(corpus_cache.kept_path(tmp_path, [str(file)], tokenizer="words", text="text"))
    assert len(names) == 3


def test_a_cache_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="cache_dir"):
        corpus_cache.cache_folder(tmp_path / "file")
