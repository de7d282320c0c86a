"""Filters: what they keep, what they need, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexigrad.errors import ParameterError
from lexigrad.scoring.keep import Keep, by_label, is_name

ONE = {"": ["cc", "hq", "zh-Hans"]}
TWO = {"quality": ["cc", "hq"], "lid": ["de", "en", "zh-Hans", "1"]}
PROBS = {
    "quality": {"cc": np.float32([0.1, 0.5, 0.9, np.nan]), "hq": np.float32([0.9, 0.5, 0.1, np.nan])},
    "lid": {
        "en": np.float32([0.25, 0.75, 0, np.nan]),
        "zh-Hans": np.float32([0, 0, 1, np.nan]),
        "1": np.float32([1, 0, 0, np.nan]),
    },
}
BEST = {"quality": np.int32([1, 0, 0, -1]), "lid": np.int32([3, 1, 2, -1])}
TOP = {"quality": np.float32([0.9, 0.5, 0.9, np.nan])}


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("hq > 0.5", [1, 0, 0]),
        ("quality.hq >= 0.5", [1, 1, 0]),
        ("  quality.hq\n>=\n0.5", [1, 1, 0]),
        ("0.2 < en <= 0.75", [1, 1, 0]),
        ("0.2 < en <= 0.75 != hq", [1, 1, 0]),
        ("not hq > 0.5", [0, 1, 1]),
        ("not not hq > 0.5", [1, 0, 0]),
        ("hq > 0.5 or en > 0.5", [1, 1, 0]),
        ("hq > 0.5 and en > 0.5", [0, 0, 0]),
        ("hq > 0.5 or en > 0.5 and cc > 5", [1, 0, 0]),
        ("(hq > 0.5 or en > 0.5) and cc < 0.2", [1, 0, 0]),
        ("hq + en * 2 - cc / 2 >= 1.75", [0, 1, 0]),
        ("-hq < -0.5", [1, 0, 0]),
        ("+hq == 0.5", [0, 1, 0]),
        ("hq != 0.5", [1, 0, 1]),
        ('quality.label == "hq"', [1, 0, 0]),
        ('"hq" == quality.label', [1, 0, 0]),
        ('quality.label != "hq"', [0, 1, 1]),
        ('not quality.label == "hq"', [0, 1, 1]),
        ('lid.label in ("en", "zh-Hans")', [0, 1, 1]),
        ('lid.label not in ["en", "zh-Hans"]', [1, 0, 0]),
        ('lid["zh-Hans"] > 0.5', [0, 0, 1]),
        ('probs["zh-Hans"] > 0.5', [0, 0, 1]),
        ('lid["1"] > 0.5', [1, 0, 0]),
        ("lid[1] > 0.5", [1, 0, 0]),
        ("quality.prob > 0.5", [1, 0, 1]),
        ("hq / en > 3", [1, 0, 1]),  # 0.1 / 0 is infinite
        ("en / en > 0.5", [1, 1, 0]),  # 0 / 0 is not defined
        ("not en / en > 0.5", [0, 0, 0]),
        ("en / en < 0.5 or cc > 0.5", [0, 0, 0]),
        ("cc > 0.5 or en / en < 0.5", [0, 0, 0]),
        ("1 < 2", [1, 1, 1]),
        ("not 1 < 2", [0, 0, 0]),
    ],
)
def test_rows_that_are_kept(expression: str, kept: list[int]) -> None:
    keep = Keep(expression, TWO)
    result = keep(PROBS, BEST, TOP)
    assert result.dtype == bool
    assert result.tolist() == [*map(bool, kept), False]  # a missing text is never kept


def test_what_a_filter_needs() -> None:
    keep = Keep(
        'quality.hq > 0.5 and hq < 1 and lid["zh-Hans"] + en > 0.5 and lid.label != "de" and quality.prob > 0', TWO
    )
    assert keep.labels == {"quality": ["hq"], "lid": ["zh-Hans", "en"]}
    assert keep.tops == {"quality"}
    alone = Keep('label == "hq" and prob > 0.5', ONE)
    assert (alone.labels, alone.tops) == ({}, {""})
    assert alone({}, {"": np.int32([1, 1, 0])}, {"": np.float32([0.6, 0.4, 0.9])}).tolist() == [True, False, False]


def test_a_number_means_what_it_says() -> None:
    """The float32 nearest to 0.018 is less than 0.018."""
    probs = {"": {"hq": np.float32([0.018, np.nextafter(np.float32(0.018), np.float32(1))])}}
    best = {"": np.int32([1, 1])}
    assert float(np.float32(0.018)) < 0.018
    assert Keep("hq >= 0.018", ONE)(probs, best).tolist() == [False, True]
    assert Keep(f"hq >= {float(np.float32(0.018))!r}", ONE)(probs, best).tolist() == [True, True]


@pytest.mark.parametrize(
    ("expression", "classes", "message"),
    [
        ("", ONE, "an expression is expected"),
        ("hq >=", ONE, "at character 6"),
        ("  hq > > 1", ONE, "at character 8"),
        ("hq > 0.5)", ONE, "at character 9: unmatched"),
        ("hq", ONE, "at character 1: this is no condition: compare it, such as hq > 0.5"),
        ("1", ONE, "this is no condition"),
        ("hq > 0.5 and cc", ONE, "at character 14: this is no condition"),
        ("'é' == label and hp > 1", {"": ["é", "hq"]}, "at character 18: no label 'hp': the model has 'é', 'hq'"),
        ("hq > 1 and quality > 1", TWO, "at character 12: quality is a model: write quality.label, or a label of it"),
        ("quality.hp > 1", TWO, "at character 1: no label 'hp': the model 'quality' has 'cc', 'hq'"),
        ("qual.hq > 1", TWO, "no model 'qual': there are 'quality', 'lid'"),
        ("m.hq > 1", ONE, "the model has no name; write a label alone"),
        ("x > 1", {"a": ["x"], "b": ["x"]}, "several models have the label 'x': write a.x or b.x"),
        ('label == "hq"', TWO, "of which model? Write quality.label or lid.label"),
        ('label == "hp"', ONE, "at character 10: no label 'hp': the model has 'cc', 'hq'"),
        ('label in ("hq", 1)', ONE, "a label is compared with a label in quotation marks"),
        ("label == hq", ONE, "a label is compared with a label in quotation marks"),
        ('label > "hq"', ONE, "compared by ==, != or in"),
        ("label > 0.5", ONE, "compared by ==, != or in"),
        ("0.5 < label", ONE, "label is a label, no number"),
        ('hq > "0.5"', ONE, "text is compared with `label` only"),
        ('"a" == "a"', ONE, "text is compared with `label` only"),
        ("hq in (0.5, 0.6)", ONE, "'in' needs a label before it"),
        ("hq is 1", ONE, "'is' is not allowed"),
        ("hq ** 2 > 1", ONE, "hq ** 2 is an operator that is not allowed"),
        ("hq % 2 > 1", ONE, "is not allowed; allowed are labels"),
        ("hq & cc", ONE, "is not allowed"),
        ("(hq > 0.5) & (cc > 0.5)", ONE, "is not allowed"),
        ("(hq > 0.5) + 1 > 1", ONE, "a condition stands where a number is expected"),
        ("hq > True", ONE, "a number or a label is expected"),
        ("hq > 1j", ONE, "a number or a label is expected"),
        ("max(hq, cc) > 1", ONE, "this is not allowed"),
        ("hq.__class__ > 1", ONE, "no model 'hq'"),
        ("__import__('os').system('x') > 1", ONE, "this is not allowed"),
        ("(lambda: 1)() > 1", ONE, "this is not allowed"),
        ("hq if cc else hq", ONE, "this is not allowed"),
        ("hq := 1", ONE, "invalid syntax"),
        ("lid[hq] > 1", TWO, "a label in quotation marks is expected between the brackets"),
        ("hq > 1" + "0" * 400, ONE, "this number is too large"),
        ("hq > " + "9" * 5000, ONE, "allowed are"),
        ("(" * 3000 + "hq" + ")" * 3000 + " > 1", ONE, "keep"),
        ("not " * 2000 + "hq > 1", ONE, "nested too deeply"),
        ("hq > 1 or " * 2000 + "hq > 1", ONE, "up to 10,000 characters"),
        ("hq > \0", ONE, "null bytes"),
        ("x > 1", {"": [f"l{i}" for i in range(30)]}, "'l9' and 20 others"),
    ],
)
def test_errors_say_where_and_what(expression: str, classes: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ParameterError) as raised:
        Keep(expression, classes)
    assert message in str(raised.value)
    assert str(raised.value).startswith("keep")


@given(st.text(st.sampled_from('hqc <>=!()and or not.5+-*/label"[]'), max_size=30))
def test_any_text_is_a_filter_or_a_parameter_error(expression: str) -> None:
    try:
        keep = Keep(expression, ONE)
    except ParameterError:
        return
    probs = {"": {label: np.float32([0.5, np.nan]) for label in ONE[""]}}
    kept = keep(probs, {"": np.int32([1, -1])}, {"": np.float32([0.5, np.nan])})
    assert kept.shape == (2,)
    assert not kept[1]


def test_labels_to_choose_by() -> None:
    assert by_label("hq", ONE) == ("", "hq")
    assert by_label("lid.zh-Hans", TWO) == ("lid", "zh-Hans")
    assert by_label("a.b", {"": ["a.b"]}) == ("", "a.b")
    with pytest.raises(ParameterError, match=r"write a\.x or b\.x"):
        by_label("x", {"a": ["x"], "b": ["x"]})
    with pytest.raises(ParameterError, match="no label 'x': the model 'quality' has 'cc', 'hq'"):
        by_label("quality.x", TWO)


def test_names_of_models() -> None:
    assert [name for name in ("a", "größe", "a-b", "1a", "or", "label", "prob", "probs", "") if is_name(name)] == [
        "a",
        "größe",
    ]


@pytest.mark.parametrize(
    ("expression", "classes", "message"),
    [
        ("is > 0.5", {"": ["is", "en"]}, "the label 'is' is a word of Python, write probs[\"is\"]; allowed are"),
        ("lid.as > 0.5", {"lid": ["as", "en"], "q": ["hq"]}, 'write lid["as"]; allowed are'),
        ("or > 0.5 and en > 0", {"": ["or", "en"]}, 'write probs["or"]; allowed are'),
    ],
)
def test_labels_that_are_words_of_python(expression: str, classes: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ParameterError) as raised:
        Keep(expression, classes)
    assert message in str(raised.value)
    name, label = ("lid", "as") if "lid" in classes else ("probs", expression.split(maxsplit=1)[0])
    assert Keep(f'{name}["{label}"] > 0.5', classes).labels == {next(iter(classes)): [label]}
