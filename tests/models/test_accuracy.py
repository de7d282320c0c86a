"""Long: accuracy on real data sets beside the reference figures of fastText 0.9.2, and many damaged model files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lexigrad
from lexigrad import FormatError, TextClassifier
from tests.conftest import real_data, themed

REFERENCE = {
    "sst2": (10, 0.5, 0.817), "sst5": (10, 0.5, 0.407), "trec6": (25, 0.5, 0.900), "banking77": (25, 0.5, 0.889),
    "clinc150": (25, 0.5, 0.890), "goemotions": (10, 0.5, 0.562), "cooking": (25, 1.0, 0.606),
}  # fmt: skip
"""Epochs, learning rate and P@1 with dim 50, word bigrams, 200,000 buckets, text lower-cased and split; it varies by 0.005 between runs."""

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", REFERENCE)
def test_accuracy_beside_fasttext(name: str) -> None:
    epochs, lr, reference = REFERENCE[name]
    found = []
    for seed in range(5):
        clf = TextClassifier(dim=50, epochs=epochs, lr=lr, word_ngrams=2, threads=2, seed=seed)
        clf.fit_file(real_data(f"classify/{name}.train.txt"))
        found.append(clf.evaluate_file(real_data(f"classify/{name}.test.txt")).precision)
    print(f"{name}: P@1 {np.mean(found):.4f} +- {np.std(found, ddof=1):.4f} (5 seeds), fastText 0.9.2 {reference:.3f}")
    assert np.mean(found) > reference - 0.01


def test_ten_thousand_damaged_models(trained: TextClassifier, tmp_path: Path) -> None:
    """Each is refused or predicts something; nothing crashes, hangs or reads outside of its arrays."""
    texts, _ = themed(5, seed=2)
    trained.save(tmp_path / "m.lexigrad")
    content = (tmp_path / "m.lexigrad").read_bytes()
    rng = np.random.default_rng(20)
    refused = 0
    for trial in range(10_000):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 9)):
            damaged[place] = rng.integers(256)
        if trial % 10 == 0:
            del damaged[rng.integers(len(damaged)) :]
        (tmp_path / "bad").write_bytes(damaged)
        try:
            lexigrad.load(tmp_path / "bad").predict_proba(texts)
        except FormatError:
            refused += 1
    print(f"{refused} of 10,000 damaged model files refused, the others predict")
    assert refused > 1000
