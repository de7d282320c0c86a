"""What several test files use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import lexigrad

FOLDER = Path(os.environ.get("LEXIGRAD_DATA", Path(__file__).parents[1] / "../shared/data"))


def real_data(path: str) -> Path:
    """Return a file of the real data, or skip."""
    if not (FOLDER / path).exists():
        pytest.skip(f"{FOLDER / path} is not there: set LEXIGRAD_DATA to the folder with the benchmark data")
    return FOLDER / path


def themed(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return texts of three themes, mostly words of their own theme."""
    rng = np.random.default_rng(seed)
    themes = {name: [f"{name}{i}" for i in range(30)] for name in ("sport", "food", "law")}
    labels = [str(label) for label in rng.choice(list(themes), n)]
    everything = [word for words in themes.values() for word in words]
    texts = [" ".join([*rng.choice(themes[label], 5), *rng.choice(everything, 3)]) for label in labels]
    return texts, labels


@pytest.fixture(scope="session")
def trained() -> lexigrad.TextClassifier:
    """A classifier of three themes, with word bigrams and character n-grams; labels < dim, so it scores folded."""
    clf = lexigrad.TextClassifier(dim=16, epochs=10, lr=0.5, word_ngrams=2, min_n=2, max_n=4, threads=1)
    return clf.fit(*themed(600))
