"""Skip-gram and CBOW, one row at a time in float64: what `lexigrad.kernels.word_vectors` computes, without its ring buffer.

The random numbers are the kernel's, drawn in its order: first which words stay; then the negatives of the first three centres; then, for each
centre, the negatives of the third after it and the reach of its window.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MASK = (1 << 64) - 1
AHEAD = 3
OUTPUTS = 6


def mixed(value: int) -> int:
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Random:
    def __init__(self, seed: int, visit: int) -> None:
        self.state = mixed((mixed(seed) + visit) & MASK) | 1

    def bits(self) -> int:
        x = self.state
        x ^= (x << 13) & MASK
        x ^= x >> 7
        x ^= (x << 17) & MASK
        self.state = x
        return x

    def below(self, n: int) -> int:
        return ((self.bits() >> 32) * n) >> 32

    def happens(self, chance: int) -> bool:
        return self.bits() >> 32 < chance

    def draw(self, sides: Any, aliases: Any) -> int:
        bits = self.bits()
        column = ((bits >> 32) * len(sides)) >> 32
        return column if bits & 0xFFFFFFFF < int(sides[column]) else int(aliases[column])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def train(
    sentences: list[list[int]], lr: float, seed: int, chances: Any, rows: list[list[int]], exact: bool, matrix: Any, output: Any, window: int,
    dynamic: bool, negatives: int, sides: Any, aliases: Any, cbow: bool = False, paths: list[list[tuple[int, float]]] | None = None,
) -> list[float]:  # fmt: skip
    """Train `matrix` (n_rows, dim) and `output` (n_words, dim), float64, in place for one epoch; return the loss of each centre, an input.

    `paths`: node and label on the way to each word, for hierarchical softmax.
    """
    losses = []
    for visit, sentence in enumerate(sentences):
        random = Random(seed, visit)
        words = [word for word in sentence if random.happens(int(chances[word]))]
        step = lr * (1 - visit / len(sentences))
        many = 0 if paths else negatives
        drawn = [[random.draw(sides, aliases) for _ in range(many)] for _ in words[:AHEAD]]
        for position, target in enumerate(words):
            if position + AHEAD < len(words):
                drawn.append([random.draw(sides, aliases) for _ in range(many)])
            reach = 1 + random.below(window) if dynamic else window
            contexts = [
                words[c]
                for c in range(max(0, position - reach), min(len(words), position + reach + 1))
                if c != position
            ]
            if not contexts:
                continue
            pairs = [(target, 1.0)] + [(word, 0.0) for word in drawn[position]]
            if paths:
                pairs = paths[target]
            weights = np.full((1, len(contexts)), 1 / len(contexts)) if cbow else np.eye(len(contexts))
            moves = np.ones_like(weights) if cbow and not exact else weights
            loss = 0.0
            for first in range(0, len(pairs), OUTPUTS):
                part = [
                    (word, label) for word, label in pairs[first : first + OUTPUTS] if paths or label or word != target
                ]
                ids, labels = [word for word, _ in part], np.array([label for _, label in part])
                o = output[ids]
                h = weights @ np.stack([matrix[rows[word]].mean(axis=0) for word in contexts])
                scores = h @ o.T
                loss += float(np.logaddexp(0, np.where(labels > 0, -scores, scores)).sum())
                steps = step * (labels - sigmoid(scores))
                for word, change in zip(contexts, moves.T @ steps @ o, strict=True):
                    for row in rows[word]:
                        matrix[row] += change / (len(rows[word]) if exact else 1)
                np.add.at(output, ids, steps.T @ h)
            losses.append(loss / len(h))
    return losses
