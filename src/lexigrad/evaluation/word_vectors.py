"""How good word vectors are: agreement with people's judgements of similarity, and analogies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class SimilarityEvaluation:
    """Agreement with a list of rated pairs.

    Attributes
    ----------
    spearman : rank correlation of the cosines with the ratings, over the pairs of which both words have a vector; NaN for less than two
    n_pairs : pairs in the list
    n_used : pairs of which both words have a vector
    """

    spearman: float
    n_pairs: int
    n_used: int

    @property
    def coverage(self) -> float:
        """Share of the pairs that were used."""
        return self.n_used / self.n_pairs if self.n_pairs else 0.0

    def summary(self) -> dict[str, float]:
        """Return what is computed from the counts."""
        return {"coverage": self.coverage}

    def __str__(self) -> str:
        """Return the result in one line."""
        return f"Spearman {self.spearman:.3f} over {self.n_used:,} of {self.n_pairs:,} pairs"


@dataclass(frozen=True)
class AnalogyEvaluation:
    """Answers to analogies.

    Attributes
    ----------
    n_correct, n_used, n_questions : right answers, questions of which all four words are in the vocabulary that was searched, all questions
    sections : (n_correct, n_used) by name
    """

    n_correct: int
    n_used: int
    n_questions: int
    sections: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """Share of the used questions that were answered rightly; NaN for none."""
        return self.n_correct / self.n_used if self.n_used else float("nan")

    def summary(self) -> dict[str, float | None]:
        """Return what is computed from the counts."""
        return {"accuracy": self.accuracy if self.n_used else None}

    def __str__(self) -> str:
        """Return the result as a table of sections."""
        width = max([len(name) for name in self.sections] + [5])
        lines = [
            f"{name:<{width}}  {right / used if used else float('nan'):.3f}  ({right:,} of {used:,})"
            for name, (right, used) in self.sections.items()
        ]
        return "\n".join([*lines, f"{'all':<{width}}  {self.accuracy:.3f}  ({self.n_correct:,} of {self.n_used:,})"])


def read_pairs(path: str | os.PathLike[str]) -> Iterator[tuple[str, str, float]]:
    """Yield the rated pairs of a file; lines whose third field is no number are passed over."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.replace(",", " ").split()
            try:
                yield fields[0], fields[1], float(fields[2])
            except (IndexError, ValueError):
                continue


def read_questions(path: str | os.PathLike[str]) -> dict[str, list[list[str]]]:
    """Return the analogies of a file in the form of word2vec, by section."""
    sections: dict[str, list[list[str]]] = {}
    name = "all"
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith(":"):
                name = line[1:].strip()
            elif fields := line.split():
                if len(fields) != 4:
                    raise DataError(f"{os.fspath(path)}:{number}: a question has four words, got {line.strip()!r}")
                sections.setdefault(name, []).append(fields)
    return sections


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value, from 0; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: NDArray[np.float64] = (ends - (counts + 1) / 2)[place]
    return mean


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the correlation of the ranks; NaN for less than two values or where all are equal."""
    if len(a) < 2:
        return float("nan")
    one, two = (values - values.mean() for values in (ranks(a), ranks(b)))
    size = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / size if size else float("nan")


BLOCK = 512
"""Questions at a time: their scores against 400,000 words are 0.8 GB, so less where there are more words."""
BLOCK_FLOATS = 1 << 26


def answers(unit: Matrix, questions: NDArray[np.int64], method: str) -> NDArray[np.int64]:
    """Return the best word d for each a : b = c : ?, none of the three itself.

    3CosAdd: argmax of cos(d, b) - cos(d, a) + cos(d, c). 3CosMul: argmax of cos'(d, b) cos'(d, c) / (cos'(d, a) + 0.001) with
    cos' = (cos + 1)/2. Source: O. Levy and Y. Goldberg, "Linguistic Regularities in Sparse and Explicit Word Representations" (CoNLL 2014).
    """
    found = np.empty(len(questions), np.int64)
    step = max(1, min(BLOCK, BLOCK_FLOATS // max(1, len(unit))))
    for first in range(0, len(questions), step):
        block = questions[first : first + step]
        a, b, c = block[:, 0], block[:, 1], block[:, 2]
        if method == "add":
            scores = (unit[b] - unit[a] + unit[c]) @ unit.T
        else:
            to_a, to_b, to_c = ((unit[words] @ unit.T + 1) / 2 for words in (a, b, c))
            scores = to_b * to_c / (to_a + np.float32(0.001))
        scores[np.arange(len(block))[:, None], block[:, :3]] = -np.inf
        found[first : first + step] = scores.argmax(axis=1)
    return found
