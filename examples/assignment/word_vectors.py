"""Question 3(g) of the assignment: word vectors of the Stanford Sentiment Treebank, and a map of 25 of them.

python examples/assignment/word_vectors.py [SENTENCES] [PICTURE]

SENTENCES has one sentence a line, tokenised; a label such as __label__3 before it is passed over. Without it the file classify/sst5.train.txt of
the folder LEXIGRAD_DATA is taken, else of ../shared/data.

The assignment asks for skip-gram with negative sampling, vectors of 10 numbers, windows of up to 5 words, 10 negatives, and 40,000 steps on 50
random windows each, 2,000,000 windows in all, of sentences from which frequent words are dropped. Its cost is that of a window: the sum over
its words of -log sigmoid(u_o . v) - sum_k log sigmoid(-u_k . v). Here the steps are single windows, and the learning rate falls linearly to 0
instead of by halves.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from pathlib import Path

import lexigrad

WORDS = """
    the a an , . ? ! `` '' -- good great cool brilliant wonderful well amazing worth sweet enjoyable boring bad waste dumb annoying
""".split()  # noqa: SIM905
WINDOWS = 2_000_000
WINDOW = 5
SUBSAMPLE = 1e-5


def sentences_of(path: Path) -> list[list[str]]:
    """Return the tokens of each line, in lower case."""
    lines = path.read_text(encoding="utf-8").lower().splitlines()
    return [[token for token in line.split() if not token.startswith("__label__")] for line in lines]


def treebank() -> Path:
    """Return the treebank's sentences, or say where they are expected."""
    folder = Path(os.environ.get("LEXIGRAD_DATA", Path(__file__).parents[3] / "shared" / "data"))
    path = folder / "classify" / "sst5.train.txt"
    if not path.exists():
        sys.exit(f"there is no {path}: pass a file of sentences, or set LEXIGRAD_DATA to the folder of the data")
    return path


def main() -> None:
    """Train, print the cost as it falls, draw the map."""
    sentences = sentences_of(Path(sys.argv[1]) if len(sys.argv) > 1 else treebank())
    picture = sys.argv[2] if len(sys.argv) > 2 else "word_vectors.png"
    n_windows, n_pairs = windows_of(sentences)
    vectors = lexigrad.WordVectors(
        dim=10, window=WINDOW, negatives=10, min_count=1, subsample=SUBSAMPLE, epochs=max(1, round(WINDOWS / n_windows)), threads=1
    ).fit(sentences)  # fmt: skip
    n_words = sum(map(len, sentences))
    print(
        f"{len(sentences):,} sentences, {n_words:,} words, {len(vectors):,} of them different; {vectors.epochs} epochs"
    )
    per_window = n_pairs / n_windows
    print(f"{n_windows:,} windows an epoch, {per_window:.2f} pairs in each; cost of a window:")
    losses = vectors.fitted.facts["losses"]  # the mean over pairs
    for tenth in range(10):
        part = losses[tenth * len(losses) // 10 : (tenth + 1) * len(losses) // 10]
        if part:
            print(f"  after {(tenth + 1) / 10:4.0%}: {per_window * sum(part) / len(part):.2f}")
    known = [word for word in WORDS if word in vectors]
    if len(known) < len(WORDS):
        print("not in these sentences:", *(word for word in WORDS if word not in vectors))
    vectors.plot(known, picture)
    print(f"{picture} shows {len(known)} words")


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


if __name__ == "__main__":
    main()
