"""Probabilities of folded models beside those of the model as it is, in float64: plain NumPy on the matrices of fastText's file.

python -m benchmarks.score_error
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tests.oracles.fasttext import Model

import lexigrad
from benchmarks.corpora import model, texts
from benchmarks.measure import header, table

CASES = (("dclm", "zipf"), ("imdb", "imdb"))
DTYPES = ("float32", "float16", "int8")
WORST = 0.999
"""A quantile that is told beside the largest difference."""


class Rows:
    """A matrix that gives rows in float64."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = values

    def __getitem__(self, rows: list[int]) -> NDArray[np.float64]:
        return self.values[rows].astype(np.float64)


class Mapped(Model):
    """The oracle of the tests with matrices that it does not copy, for files of a gigabyte."""

    def matrix(self, coded: bool) -> NDArray[np.float64] | Rows:  # type: ignore[override]
        """Return the input matrix as `Rows`, the output matrix, which comes second, in float64."""
        if coded:
            return super().matrix(coded)
        n_rows, n_columns = self.take("2q")
        values = np.frombuffer(self.content, "<f4", n_rows * n_columns, self.at).reshape(n_rows, n_columns)
        self.at += values.nbytes
        return values.astype(np.float64) if n_rows == self.n_labels else Rows(values)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=3_000, help="documents of each set")
    given = parser.parse_args()
    print(header("benchmarks.score_error"))
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, documents in CASES:
            rows += measure_case(name, documents, given.n, Path(folder))
    columns = [
        "model, texts",
        "table",
        "file, MB",
        "largest difference of probability",
        f"{WORST:.1%} are within",
        "other first labels",
        "bound that the model states",
    ]
    print(table(columns, rows))


def measure_case(name: str, documents: str, n: int, folder: Path) -> list[list[str]]:
    """Compare the model as opened and each folded one, saved and opened again."""
    with texts(documents).open(encoding="utf-8", newline="\n") as file:
        lines = [line.removesuffix("\n") for _, line in zip(range(n), file, strict=False)]
    clf = lexigrad.load(model(name))
    assert isinstance(clf, lexigrad.TextClassifier)
    exact = exact_probs(model(name), lines, clf)
    rows = [row(name, documents, "as opened", model(name), clf, exact, lines)]
    for dtype in DTYPES:
        path = folder / f"{name}.{dtype}.lexigrad"
        clf.fold(dtype=dtype).save(path)
        small = lexigrad.load(path)
        assert isinstance(small, lexigrad.TextClassifier)
        rows.append(row(name, documents, dtype, path, small, exact, lines))
    return rows


def exact_probs(path: Path, lines: list[str], clf: lexigrad.TextClassifier) -> NDArray[np.float64]:
    """Return the probabilities in float64, (n_texts, n_labels), labels as in `clf.classes_`."""
    oracle = Mapped(path)
    answers = (oracle.predict(line.encode(), exact=True) for line in lines)
    labels = [f"__label__{label}".encode() for label in clf.classes_]
    return np.array([[answer[label] for label in labels] for answer in answers])


def row(
    name: str,
    documents: str,
    kind: str,
    path: Path,
    clf: lexigrad.TextClassifier,
    exact: NDArray[np.float64],
    lines: list[str],
) -> list[str]:
    """Return the row of a table."""
    probs = clf.predict_proba(pa.array(lines)).astype(np.float64)
    differences = np.abs(probs - exact).max(axis=1)
    error = clf.fitted.facts.get("fold_error")
    return [
        f"{name}, {len(lines):,} {documents}",
        kind,
        f"{path.stat().st_size / 1e6:,.1f}",
        f"{differences.max():.1e}",
        f"{np.quantile(differences, WORST):.1e}",
        f"{int((probs.argmax(axis=1) != exact.argmax(axis=1)).sum()):,}",
        "" if error is None else f"{error / 4:.1e}",
    ]


if __name__ == "__main__":
    main()
