"""The filter for datatrove."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import lexigrad
from lexigrad.errors import ParameterError
from lexigrad.scale.datatrove import LexigradFilter
from tests.conftest import themed

pytest.importorskip("datatrove.pipeline.filters", reason="datatrove is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def documents(texts: list[str]) -> list[Any]:
    from datatrove.data import Document

    return [Document(text=text, id=str(i), metadata={"n": i}) for i, text in enumerate(texts)]


def run(step: LexigradFilter, texts: list[str]) -> list[Any]:
    return list(step.run(documents(texts)))


def test_keeps_as_the_classifier_says(trained: lexigrad.TextClassifier) -> None:
    texts = themed(500, seed=2)[0]
    probs = dict(zip(trained.classes_.tolist(), trained.predict_proba(texts).T.tolist(), strict=True))
    for labels in ([("law", 0.9)], [("law", 0.9), ("food", 0.8)]):
        reached = [any(probs[label][i] >= prob for label, prob in labels) for i in range(len(texts))]
        assert 0 < sum(reached) < len(texts)
        kept = run(pickle.loads(pickle.dumps(LexigradFilter(trained, labels, batch_size=64))), texts)
        assert [doc.metadata["n"] for doc in kept] == [i for i in range(len(texts)) if reached[i]]
        for doc in kept:
            assert {label: doc.metadata[label] for label in probs} == {
                label: column[doc.metadata["n"]] for label, column in probs.items()
            }
        left = run(LexigradFilter(trained, remove_labels=labels, save_labels_in_metadata=False), texts)
        assert [doc.metadata for doc in left] == [{"n": i} for i in range(len(texts)) if not reached[i]]


def test_annotates(trained: lexigrad.TextClassifier) -> None:
    step = LexigradFilter(trained, save_labels_in_metadata=["law"], name="theme", newlines="empty")
    kept = run(step, ["law\n1", "half \ud800", ""])
    expected = trained.predict_proba(["law1", "half \ufffd", ""])[:, list(trained.classes_).index("law")]
    assert [doc.metadata for doc in kept] == [{"n": i, "theme_law": prob} for i, prob in enumerate(expected.tolist())]
    assert step.filter(documents(["x"])[0]) is True


def test_says_why(trained: lexigrad.TextClassifier) -> None:
    one = documents(["law1 law2 law3"])
    assert LexigradFilter(trained, ("food", 0.5)).filter_batch(one) == [(False, "food_below_0.5")]
    assert LexigradFilter(trained, remove_labels=[("food", 0.5), ("law", 0.25)]).filter(one[0]) == (
        False,
        "law_from_0.25",
    )


def test_what_is_refused(trained: lexigrad.TextClassifier) -> None:
    with pytest.raises(ParameterError, match="expected one of them"):
        LexigradFilter(trained, ("law", 0.5), ("food", 0.5))
    with pytest.raises(ParameterError, match="has no label 'sports'"):
        LexigradFilter(trained, ("sports", 0.5))
    with pytest.raises(ParameterError, match="remove_labels: expected pairs"):
        LexigradFilter(trained, remove_labels=[("law", 2)])


def test_a_pipeline_of_processes(trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    pytest.importorskip("orjson", reason="datatrove reads JSONL with orjson, which is not installed")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    (tmp_path / "in").mkdir()
    texts = themed(200, seed=3)[0]
    for part in range(2):
        lines = [json.dumps({"id": str(i), "text": texts[i]}) + "\n" for i in range(part, 200, 2)]
        (tmp_path / f"in/{part}.jsonl").write_text("".join(lines))
    excluded = JsonlWriter(str(tmp_path / "excluded"), compression=None)
    step = LexigradFilter(trained, ("law", 0.5), exclusion_writer=excluded, batch_size=30)
    pipeline = [JsonlReader(str(tmp_path / "in")), step, JsonlWriter(str(tmp_path / "out"), compression=None)]
    stats = LocalPipelineExecutor(pipeline, tasks=2, workers=2, logging_dir=str(tmp_path / "log")).run()
    found = {}
    for name in ("out", "excluded"):
        lines = [line for path in (tmp_path / name).glob("*.jsonl") for line in path.read_text().splitlines()]
        found[name] = {row["id"]: row["metadata"] for row in map(json.loads, lines)}
        assert len(found[name]) == len(lines)
    probs = trained.predict_proba(texts)[:, list(trained.classes_).index("law")]
    assert {i for i in range(200) if probs[i] >= 0.5} == {int(i) for i in found["out"]}
    assert {int(i) for i in found["excluded"]} == {i for i in range(200) if probs[i] < 0.5}
    assert {row["filter_reason"] for row in found["excluded"].values()} == {"law_below_0.5"}
    assert stats.stats[1].stats["dropped_law_below_0.5"].total == len(found["excluded"])
