"""Long: accuracy on real data sets beside the reference figures of fastText 0.9.2, and many damaged model files."""

from __future__ import annotations

import re
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


def prepared(path: Path, folder: Path) -> Path:
    """Write a file lower-cased and with punctuation split off, as the reference was trained."""
    lines = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        labels = [token for token in line.split() if token.startswith("__label__")]
        text = " ".join(token for token in line.split() if not token.startswith("__label__")).lower()
        lines.append(" ".join([*labels, *re.sub(r"([^\w\s])", r" \1 ", text).split()]))
    (folder / path.name).write_text("\n".join(lines), encoding="utf-8")
    return folder / path.name


@pytest.mark.parametrize("name", REFERENCE)
def test_accuracy_beside_fasttext(name: str, tmp_path: Path) -> None:
    """On the reference's own text; on raw text with our tokeniser the figure is printed."""
    epochs, lr, reference = REFERENCE[name]
    raw = [real_data(f"classify/{name}.{part}.txt") for part in ("train", "test")]
    files = {"whitespace": [prepared(path, tmp_path) for path in raw], "words": raw}
    found: dict[str, list[float]] = {"whitespace": [], "words": []}
    for tokenizer, (train, test) in files.items():
        for seed in range(5):
            clf = TextClassifier(
                dim=50, epochs=epochs, lr=lr, word_ngrams=2, threads=2, seed=seed, tokenizer=tokenizer
            ).fit_file(train)
            found[tokenizer].append(clf.evaluate_file(test).precision)
    figures = ", ".join(f"{t} {np.mean(p):.4f} +- {np.std(p, ddof=1):.4f}" for t, p in found.items())
    print(f"{name}: P@1 over 5 seeds: {figures}; fastText 0.9.2 {reference:.3f}")
    assert np.mean(found["whitespace"]) > reference - 0.01


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
