"""Scoring within Hugging Face's `datasets`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lexigrad
from lexigrad.errors import DataError, ParameterError
from lexigrad.scale.datasets import BatchScorer, score_batch
from tests.conftest import themed

datasets = pytest.importorskip("datasets")

OTHER_PROCESS = """
import sys, datasets
from lexigrad.scale.datasets import score_batch
if __name__ == "__main__":
    dataset = datasets.Dataset.from_parquet(sys.argv[1], cache_dir=sys.argv[2])
    function = score_batch(sys.argv[3], add=("label", "law"))
    print(datasets.fingerprint.Hasher.hash(function))
    dataset.map(function, batched=True, batch_size=50, num_proc=2).to_parquet(sys.argv[4])
"""


@pytest.fixture(scope="module")
def table() -> pa.Table:
    texts: list[str | None] = list(themed(300, seed=1)[0])
    texts[7] = None
    return pa.table({"id": range(300), "text": texts})


def plain_rows(clf: lexigrad.TextClassifier, table: pa.Table, **settings: Any) -> list[dict[str, Any]]:
    return clf.score_table(table, **settings).to_pylist()


@pytest.mark.parametrize("form", [None, "arrow", "numpy", "pandas"])
def test_same_as_a_table(trained: lexigrad.TextClassifier, table: pa.Table, form: str | None) -> None:
    settings: dict[str, Any] = {"add": ("label", "prob", "law", "all"), "unit": "window", "window": 4}
    dataset = datasets.Dataset(table).with_format(form)
    scored = dataset.map(score_batch(trained, **settings), batched=True, batch_size=64).with_format(None)
    assert scored.to_list() == plain_rows(trained, table, **settings)
    kinds = {name: str(scored.features[name].dtype) for name in ("label", "prob", "law")}
    assert kinds == {"label": "string", "prob": "float32", "law": "float32"}


def test_several_models(trained: lexigrad.TextClassifier, table: pa.Table) -> None:
    function = score_batch({"a": trained, "b": trained}, add=("a.label", "b.law"))
    scored = datasets.Dataset(table).map(function, batched=True)
    expected = trained.score_table(trained.score_table(table, name="a", add=("label",)), name="b", add=("law",))
    assert scored.to_list() == expected.to_pylist()


def test_found_in_the_cache_again(
    trained: lexigrad.TextClassifier, table: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(table, tmp_path / "t.parquet")
    trained.save(tmp_path / "m.lexigrad")
    dataset = datasets.Dataset.from_parquet(str(tmp_path / "t.parquet"), cache_dir=str(tmp_path / "cache"))
    first = dataset.map(score_batch(trained), batched=True)
    another = dataset.map(score_batch(trained, add=("label",)), batched=True)
    assert another._fingerprint != first._fingerprint

    def never(self: BatchScorer, batch: Any) -> Any:
        raise AssertionError("it was computed again")

    monkeypatch.setattr(BatchScorer, "__call__", never)
    assert dataset.map(score_batch(trained), batched=True).to_list() == first.to_list()


def test_several_processes(trained: lexigrad.TextClassifier, table: pa.Table, tmp_path: Path) -> None:
    pq.write_table(table, tmp_path / "t.parquet")
    trained.save(tmp_path / "m.lexigrad")
    arguments = [str(tmp_path / name) for name in ("t.parquet", "cache", "m.lexigrad", "out.parquet")]
    (tmp_path / "script.py").write_text(OTHER_PROCESS)
    answer = subprocess.run(
        [sys.executable, tmp_path / "script.py", *arguments], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    function = score_batch(tmp_path / "m.lexigrad", add=("label", "law"))
    assert answer.stdout.strip() == datasets.fingerprint.Hasher.hash(function)
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == plain_rows(trained, table, add=("label", "law"))


def test_what_is_refused(trained: lexigrad.TextClassifier, table: pa.Table) -> None:
    with pytest.raises(ParameterError, match="add='sports'"):
        score_batch(trained, add=("sports",))
    with pytest.raises(ParameterError, match="threads=0"):
        score_batch(trained, threads=0)
    function = score_batch(trained, text="body")
    with pytest.raises(DataError, match="no column 'body'"):
        function({"text": ["a"]})
    with pytest.raises(DataError, match="no column 'body'"):
        function(table)
    with pytest.raises(DataError, match="has a column 'label' already"):
        score_batch(trained)(table.append_column("label", table["text"]))
