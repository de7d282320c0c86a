"""Several models over the same rows, without files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import lexigrad
from lexigrad.scoring.report import MOST_LISTED, Distribution, Tally
from lexigrad.scoring.rows import RowScorer, text_bytes
from tests.conftest import themed

TYPES = [
    pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view(), pa.binary_view(), pa.dictionary(pa.int32(), pa.string()),
]  # fmt: skip


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_columns_of_every_type_give_the_same(kind: pa.DataType, trained: lexigrad.TextClassifier) -> None:
    plain = pa.array(["law1 é", None, "sport1", ""])
    texts = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    scorer = RowScorer({"": trained}, ("label", "law"), keep="law > 0.5", by="law")
    assert text_bytes(texts) == 7 + 6
    expected, rows = scorer(plain), scorer(texts)
    assert [column.to_pylist() for column in rows.columns] == [column.to_pylist() for column in expected.columns]
    assert rows.keep is not None
    assert rows.by is not None
    assert rows.keep.tolist() == [True, False, False, False]
    np.testing.assert_array_equal(np.isnan(rows.by), ~rows.keep)
    assert rows.tally == expected.tally
    assert rows.tally.rows == 4


def test_missing_texts_alone(trained: lexigrad.TextClassifier) -> None:
    rows = RowScorer({"": trained})(pa.nulls(3))
    assert [column.null_count for column in rows.columns] == [3, 3]
    assert rows.tally.text_bytes == 0
    assert rows.tally.probs[""]["law"] == Distribution()


def test_tallies_add_up(trained: lexigrad.TextClassifier) -> None:
    scorer, texts = RowScorer({"": trained}, ("label",)), pa.array(themed(100, 1)[0])
    whole, parts = scorer(texts).tally, Tally()
    for first in range(0, 100, 30):
        parts.add(Tally.from_dict(scorer(texts.slice(first, 30)).tally.to_dict()))
    assert (parts.rows, parts.text_bytes, parts.labels) == (whole.rows, whole.text_bytes, whole.labels)
    for label, distribution in whole.probs[""].items():
        assert parts.probs[""][label].histogram == distribution.histogram
        assert parts.probs[""][label].total == pytest.approx(distribution.total)
    many = Tally(problems=[(i, "bad") for i in range(MOST_LISTED - 1)])
    many.add(Tally(problems=[(5000, "bad"), (5001, "bad")]))
    assert len(many.problems) == MOST_LISTED
    assert many.problems[-1] == (5000, "bad")
