"""Filters for NeMo Curator."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import lexigrad
from lexigrad.errors import ParameterError
from lexigrad.scale.nemo_curator import (
    LexigradLanguageFilter,
    LexigradQualityFilter,
    LexigradScoreFilter,
)
from tests.conftest import themed

filters = pytest.importorskip("nemo_curator.stages.text.filters", reason="NeMo Curator is not installed")


def process(stage: Any, texts: list[str | None], arrow: bool = True) -> Any:
    """Run a stage as a worker does: pickled, set up on its machine and in its process."""
    from nemo_curator.tasks import DocumentBatch

    stage = pickle.loads(pickle.dumps(stage))
    stage.setup_on_node(None, None)
    stage.setup(None)
    table = pa.table({"n": range(len(texts)), "text": texts})
    return stage.process(DocumentBatch(dataset_name="x", data=table if arrow else table.to_pandas())).data


def law(clf: lexigrad.TextClassifier, texts: list[str]) -> np.ndarray:
    return clf.predict_proba(texts)[:, list(clf.classes_).index("law")]


@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("kind", [filters.ScoreFilter, LexigradScoreFilter])
def test_quality(trained: lexigrad.TextClassifier, kind: type, arrow: bool) -> None:
    texts = themed(60, seed=4)[0]
    probs = law(trained, texts)
    step = LexigradQualityFilter(trained, "law", threshold=0.4)
    kept = process(kind(step, score_field="law"), texts, arrow)
    assert kept["n"].tolist() == np.flatnonzero(probs >= 0.4).tolist()
    assert kept["law"].tolist() == probs[probs >= 0.4].tolist()
    left = process(kind(step, invert=True), texts, arrow)
    assert left["n"].tolist() == np.flatnonzero(~(probs >= 0.4)).tolist()
    assert list(left) == ["n", "text"]


def test_pareto_rule(trained: lexigrad.TextClassifier) -> None:
    texts = themed(3000, seed=5)[0]
    probs = law(trained, texts).astype(float)
    expected = np.sum((2 - probs) ** -3.0)
    step = LexigradQualityFilter(trained, "law", alpha=3)
    kept = process(LexigradScoreFilter(step), texts)["n"].tolist()
    assert len(kept) == pytest.approx(expected, abs=4 * np.sqrt(3000 * 0.25))
    turned = process(LexigradScoreFilter(step), texts[::-1])["n"].tolist()
    assert sorted(2999 - i for i in turned) == kept
    drawn = process(filters.ScoreFilter(step), texts)["n"].tolist()
    assert len(drawn) == pytest.approx(expected, abs=4 * np.sqrt(3000 * 0.25))
    assert process(filters.ScoreFilter(step), texts)["n"].tolist() == drawn


@pytest.mark.parametrize("kind", [filters.ScoreFilter, LexigradScoreFilter])
def test_language(kind: type) -> None:
    texts, labels = ["der die", "the a", "le la"] * 20, ["deu_Latn", "eng_Latn", "fra_Latn"] * 20
    clf = lexigrad.TextClassifier(dim=8, epochs=25, lr=0.5, threads=1).fit(texts, labels)
    kept = process(kind(LexigradLanguageFilter(clf, 0.5, lang="DEU"), score_field="lang"), ["der", "the", "der die"])
    assert kept["n"].tolist() == [0, 2]
    prob, label = json.loads(kept["lang"].tolist()[1])
    assert (prob, label) == (clf.predict_proba(["der die"])[0].max(), "deu_Latn")
    assert process(kind(LexigradLanguageFilter(clf, 0.5)), ["der", "of"])["n"].tolist() == [0]
    with pytest.raises(ParameterError, match="no such language; it has deu_Latn, eng_Latn, fra_Latn"):
        LexigradLanguageFilter(clf, lang="deu_Cyrl")


def test_missing_texts_and_other_filters(trained: lexigrad.TextClassifier) -> None:
    class Long(filters.DocumentFilter):  # type: ignore[misc]
        def score_document(self, text: str) -> float:
            return float(len(text))

        def keep_document(self, scores: float) -> bool:
            return scores > 4

    quality = LexigradQualityFilter(trained, "law", threshold=0.0)
    both = LexigradScoreFilter([quality, Long()], ["text", "text"], ["law", "length"], [False, False])
    both.setup(None)
    from nemo_curator.tasks import DocumentBatch

    data = pa.table({"n": [0, 1, 2], "text": ["law1", None, "law1 law2"]})
    kept = both.process(DocumentBatch(dataset_name="x", data=data)).data
    assert (kept["n"].tolist(), kept["length"].tolist()) == ([2], [9.0])


def test_what_is_refused(trained: lexigrad.TextClassifier) -> None:
    with pytest.raises(ParameterError, match="expected either threshold="):
        LexigradQualityFilter(trained, "law")
    with pytest.raises(ParameterError, match="expected either threshold="):
        LexigradQualityFilter(trained, "law", 0.5, 3)
    with pytest.raises(ParameterError, match="alpha=0"):
        LexigradQualityFilter(trained, "law", alpha=0)
    with pytest.raises(ParameterError, match="has no label 'hq'"):
        LexigradQualityFilter(trained, threshold=0.5)
