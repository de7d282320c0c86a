"""Tables in, scores out."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lexigrad
from lexigrad.errors import DataError, ParameterError
from lexigrad.scoring import scorer as scoring
from lexigrad.scoring.scorer import Scorer
from lexigrad.scoring.units import units_of
from tests.conftest import themed

TEXTS = [*themed(50, seed=4)[0], "", "unknown words only", "sport1\nfood2\n\nlaw3 law4 law5 law6"]
SHAPES = {
    "string": lambda: pa.array(TEXTS),
    "large": lambda: pa.array(TEXTS, pa.large_string()),
    "view": lambda: pa.array(TEXTS).cast(pa.string_view()),
    "binary": lambda: pa.array([text.encode() for text in TEXTS]),
    "dictionary": lambda: pa.array(TEXTS).dictionary_encode(),
    "sliced": lambda: pa.array(["x", *TEXTS, "y"]).slice(1, len(TEXTS)),
    "chunked": lambda: pa.chunked_array([TEXTS[:7], [], TEXTS[7:]], pa.string()),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_column_gives_the_same(trained: lexigrad.TextClassifier, shape: str) -> None:
    found = Scorer(trained, add=("label", "prob", "law", "all")).score(SHAPES[shape](), ["food"], threads=2)
    probs = trained.predict_proba(TEXTS)
    best = probs.argmax(axis=1)
    assert found.best.tolist() == best.tolist()
    assert found.columns[0].to_pylist() == trained.classes_[best].tolist()
    np.testing.assert_array_equal(found.columns[1], probs.max(axis=1))
    np.testing.assert_array_equal(found.columns[2], probs[:, 1])
    np.testing.assert_array_equal(np.array(found.columns[3].to_pylist(), np.float32), probs)
    np.testing.assert_array_equal(found.probs["food"], probs[:, 0])


def test_label_and_probability_alone_are_those_of_the_whole_matrix(trained: lexigrad.TextClassifier) -> None:
    short, whole = (
        Scorer(trained).score(pa.array(TEXTS)),
        Scorer(trained, add=("label", "prob", "all")).score(pa.array(TEXTS)),
    )
    assert short.columns[:2] == whole.columns[:2]
    assert not short.probs


def test_missing_texts_have_missing_scores(trained: lexigrad.TextClassifier) -> None:
    for kind in (pa.string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        texts = pa.array(["x", "sport1", None, "law3"]).cast(kind).slice(1)
        found = Scorer(trained, add=("label", "prob", "law", "all")).score(texts, ["food"])
        assert [column.is_null().to_pylist() for column in found.columns] == 4 * [[False, True, False]]
        assert found.best[1] == -1
        assert np.isnan(found.probs["food"]).tolist() == [False, True, False]
    values = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["sport1", None]))
    assert Scorer(trained).score(values).columns[0].to_pylist() == ["sport", None, None]
    nothing = Scorer(trained).score(pa.array([], pa.string()))
    assert [len(column) for column in nothing.columns] == [0, 0]
    assert Scorer(trained, add=("all",)).score(pa.chunked_array([], pa.string())).columns[0].type.list_size == 3


def test_tables_keep_their_columns(trained: lexigrad.TextClassifier) -> None:
    table = pa.table({"id": range(len(TEXTS)), "text": TEXTS})
    scored = trained.score_table(table, name="theme", add=("label", "law"))
    assert scored.column_names == ["id", "text", "theme_label", "theme_law"]
    assert scored.select(["id", "text"]).equals(table)
    assert trained.score_table(table.to_pandas(), name="theme", add=("label", "law")).cast(scored.schema).equals(scored)
    assert trained.score_table({"id": range(len(TEXTS)), "text": TEXTS}, name="theme", add=("label", "law")).equals(
        scored
    )
    reader = trained.score_table(table.to_reader(max_chunksize=9), name="theme", add=("label", "law"))
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.read_all().equals(scored)
    labels = json.loads(trained.score_table(table, add=("all",)).schema.field("probs").metadata[b"labels"])
    assert labels == trained.classes_.tolist()


def test_labels_that_are_numbers() -> None:
    clf = lexigrad.TextClassifier(dim=4, threads=1, epochs=9, lr=0.5).fit(["good", "bad"] * 20, np.array([1, 0] * 20))
    table = clf.score_table({"text": ["good", "bad"]}, add=("label", "1"))
    assert table.column("label").to_pylist() == [1, 0]
    assert table.column("1").to_numpy()[0] > 0.5


@pytest.fixture(scope="module")
def lines() -> lexigrad.TextClassifier:
    """A model with fastText's tokeniser, to which newlines matter."""
    clf = lexigrad.TextClassifier(dim=8, epochs=9, lr=0.5, word_ngrams=2, tokenizer="whitespace", threads=1)
    return clf.fit(*themed(200))


def test_newlines(lines: lexigrad.TextClassifier) -> None:
    text = "sport1 food2\nlaw3\n\nlaw4\n"

    def scored(newlines: str, text: str = text) -> float:
        return Scorer(lines, add=("law",), newlines=newlines).score(pa.array([text])).columns[0][0].as_py()

    space = lines.predict_proba(["sport1 food2 law3  law4"])[0, 1]
    assert scored("space") == pytest.approx(space)
    assert scored("end_of_sentence") == pytest.approx(lines.predict_proba([text])[0, 1])
    assert scored("end_of_sentence") != pytest.approx(space)
    assert scored("empty") == pytest.approx(lines.predict_proba(["sport1 food2law3law4"])[0, 1])
    assert scored("space", "law1") == scored("end_of_sentence", "law1") == scored("empty", "law1")


def test_newlines_of_the_other_tokeniser_are_spaces(trained: lexigrad.TextClassifier) -> None:
    with pytest.raises(ParameterError, match="only the tokeniser"):
        Scorer(trained, newlines="end_of_sentence")
    one, other = (
        Scorer(trained, add=("law",)).score(pa.array([text])).columns[0] for text in ("law1\nlaw2", "law1 law2")
    )
    assert one == other
    glued = Scorer(trained, add=("law",), newlines="empty").score(pa.array(["law1\nlaw2"])).columns[0]
    assert glued.to_pylist() == [trained.predict_proba(["law1law2"])[0, 1]]


PAGE = b" one two\nthree \n\n\t\nfour\n five six seven\n\n"


@pytest.mark.parametrize(
    ("unit", "window", "expected"),
    [
        ("line", 9, [b" one two\n", b"three \n\n\t\n", b"four\n ", b"five six seven\n\n"]),
        ("paragraph", 9, [b" one two\nthree \n\n\t\n", b"four\n five six seven\n\n"]),
        ("window", 3, [b" one two\nthree \n\n\t\n", b"four\n five six ", b"seven\n\n"]),
        ("window", 99, [PAGE]),
    ],
)
def test_units_tile_their_text(unit: str, window: int, expected: list[bytes]) -> None:
    texts = [b"", PAGE, b" \n \n", PAGE]
    data, offsets = np.frombuffer(b"xx" + b"".join(texts), np.uint8), 2 + np.cumsum([0, *map(len, texts)])
    units, firsts = units_of(data, offsets, unit, window)
    found = [data[a:b].tobytes() for a, b in itertools.pairwise(units)]
    assert found == [b"", *expected, b" \n \n", *expected]
    assert firsts.tolist() == [0, 1, 1 + len(expected), 2 + len(expected), 2 + 2 * len(expected)]


@pytest.mark.parametrize("aggregate", ["mean", "max", "min"])
@pytest.mark.parametrize("unit", ["line", "paragraph", "window"])
def test_units_are_scored_and_joined(
    lines: lexigrad.TextClassifier, unit: str, aggregate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "MATRIX_NUMBERS", 9)  # few units at a time
    texts = ["sport1 sport2\nfood3\n\nlaw4 law5\nlaw5", "law1", "", "law1 law2\n\n\nlaw3 law4 law6"]
    cut = {
        "line": [["sport1 sport2", "food3", "law4 law5", "law5"], ["law1"], [""], ["law1 law2", "law3 law4 law6"]],
        "paragraph": [["sport1 sport2 food3", "law4 law5 law5"], ["law1"], [""], ["law1 law2", "law3 law4 law6"]],
        "window": [["sport1 sport2", "food3 law4", "law5 law5"], ["law1"], [""], ["law1 law2", "law3 law4", "law6"]],
    }[unit]
    scorer = Scorer(lines, add=("label", "prob", "law", "all"), unit=unit, window=2, aggregate=aggregate)
    found = scorer.score(pa.array([*texts, None]))
    join = {"mean": np.mean, "max": np.max, "min": np.min}[aggregate]
    expected = np.array([join(lines.predict_proba(units), axis=0) for units in cut])
    np.testing.assert_allclose(np.array(found.columns[3].to_pylist()[:4]), expected, rtol=1e-5)
    np.testing.assert_allclose(found.columns[2].to_numpy(zero_copy_only=False)[:4], expected[:, 1], rtol=1e-5)
    assert found.columns[0].to_pylist() == [*lines.classes_[expected.argmax(axis=1)], None]
    np.testing.assert_allclose(found.columns[1].to_numpy(zero_copy_only=False)[:4], expected.max(axis=1), rtol=1e-5)


def test_units_without_known_features_do_not_count(trained: lexigrad.TextClassifier) -> None:
    clf = lexigrad.TextClassifier(dim=8, epochs=9, lr=0.5, threads=1).fit(*themed(200))
    scorer = Scorer(clf, add=("all",), unit="line")
    with_noise, without, noise = scorer.score(pa.array(["law1\nqqq\nzzz", "law1", "qqq\nzzz"])).columns[0].to_pylist()
    assert with_noise == without
    np.testing.assert_allclose(noise, clf.fitted.prior, rtol=1e-6)


def test_threads_give_the_same_bits_and_may_share_a_scorer(trained: lexigrad.TextClassifier) -> None:
    texts = pa.array(themed(3000, seed=8)[0])
    scorer = Scorer(trained, add=("label", "all"))
    expected = scorer.score(texts, threads=1).columns
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scorer.score(texts, threads=2).columns, range(6)):
            assert found == expected


def test_one_column_need_not_be_in_a_list(trained: lexigrad.TextClassifier) -> None:
    table = pa.table({"text": TEXTS})
    assert trained.score_table(table, add="law").equals(trained.score_table(table, add=("law",)))


def test_errors_say_what_there_is(trained: lexigrad.TextClassifier) -> None:
    with pytest.raises(ParameterError, match="no label 'hq'; it has 'food', 'law', 'sport'"):
        Scorer(trained, add=("hq",))
    with pytest.raises(ParameterError, match="would be there more than once"):
        Scorer(trained, add=("law", "law"))
    for settings in ({"newlines": "gone"}, {"unit": "page"}, {"aggregate": "sum"}, {"window": 0}):
        with pytest.raises(ParameterError, match=next(iter(settings))):
            Scorer(trained, **settings)
    with pytest.raises(DataError, match="'text'; it has 'body'"):
        trained.score_table(pa.table({"body": ["a"]}))
    with pytest.raises(DataError, match="has a column 'label' already: give the model a name"):
        trained.score_table(pa.table({"text": ["a"], "label": [1]}))
    with pytest.raises(DataError, match="int64"):
        trained.score_table(pa.table({"text": [1]}))
    with pytest.raises(DataError, match="not int"):
        trained.score_table(7)
    frame = pd.DataFrame({"text": ["sport1", None]})
    assert trained.score_table(frame).column("label").null_count == 1
