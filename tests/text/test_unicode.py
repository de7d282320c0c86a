"""The frozen Unicode table against `unicodedata` and known values."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from lexigrad.text.unicode import ATTACH, N_CODE_POINTS, OTHER, SINGLE, SPACE, UNICODE_VERSION, WORD, load_table

KINDS = (load_table() >> 24).tolist()
LOWER = (load_table() & 0xFFFFFF).tolist()
ASSIGNED = [code for code in range(N_CODE_POINTS) if unicodedata.category(chr(code)) != "Cn"]
PYTHON_IS_NEWER = tuple(map(int, unicodedata.unidata_version.split("."))) > tuple(map(int, UNICODE_VERSION.split(".")))
EAST_ASIAN_LETTERS = (
    "CJK UNIFIED IDEOGRAPH-",
    "CJK COMPATIBILITY IDEOGRAPH-",
    "HIRAGANA LETTER",
    "KATAKANA LETTER",
    "HALFWIDTH KATAKANA LETTER",
)


def known_to_the_table(code: int) -> bool:
    """Tell whether a disagreement counts: a Python newer than the table assigns what is still OTHER there."""
    return not (PYTHON_IS_NEWER and KINDS[code] == OTHER)


def test_the_table_cannot_be_changed() -> None:
    table = load_table()
    assert table.shape == (0x110000,)
    assert table.dtype == np.uint32
    assert load_table() is table
    with pytest.raises(ValueError, match="read-only"):
        table[65] = 0


def test_word_characters_are_letters_marks_numbers_and_the_underscore() -> None:
    wrong = [
        hex(code)
        for code in ASSIGNED
        if KINDS[code] not in (SPACE, ATTACH)
        and (unicodedata.category(chr(code))[0] in "LMN" or code == 0x5F) != (KINDS[code] == WORD)
        and KINDS[code] != SINGLE
        and known_to_the_table(code)
    ]
    assert wrong == []


def test_east_asian_letters_and_only_their_like_are_single() -> None:
    missing = [
        hex(code)
        for code in ASSIGNED
        if unicodedata.name(chr(code), "").startswith(EAST_ASIAN_LETTERS)
        and KINDS[code] != SINGLE
        and known_to_the_table(code)
    ]
    assert missing == []
    families = ("CJK", "HIRAGANA", "KATAKANA", "HENTAIGANA", "IDEOGRAPHIC", "HANGZHOU", "OLD CHINESE")
    letters = [c for c in ASSIGNED if KINDS[c] == SINGLE and unicodedata.category(chr(c))[0] in "LN"]
    foreign = [hex(c) for c in letters if not any(family in unicodedata.name(chr(c)) for family in families)]
    assert foreign == []
    assert len(letters) > 90_000
    assert not any(KINDS[code] == SINGLE and unicodedata.category(chr(code))[0] == "M" for code in ASSIGNED)


def test_spaces_are_those_of_python() -> None:
    spaces = [code for code in range(N_CODE_POINTS) if KINDS[code] == SPACE]
    assert spaces == [code for code in range(N_CODE_POINTS) if chr(code).isspace()]


def test_lower_case_is_that_of_python() -> None:
    wrong = [
        hex(code)
        for code in ASSIGNED
        if chr(LOWER[code]) != chr(code).lower() and code != 0x130 and known_to_the_table(code)
    ]
    assert wrong == []
    assert LOWER[0x130] == 0x69


def test_lower_case_twice_is_lower_case_and_keeps_the_class() -> None:
    changed = [code for code in range(N_CODE_POINTS) if LOWER[code] != code]
    assert len(changed) > 1_400
    assert all(LOWER[LOWER[code]] == LOWER[code] and KINDS[LOWER[code]] == KINDS[code] for code in changed)


def test_what_attaches() -> None:
    expected = [0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400), *range(0xE0100, 0xE01F0)]
    assert [code for code in range(N_CODE_POINTS) if KINDS[code] == ATTACH] == expected


KNOWN_KINDS = {
    "a": WORD, "9": WORD, "_": WORD, "é": WORD, "\u0301": WORD, "न": WORD, "्": WORD, "한": WORD, "²": WORD, "ﬁ": WORD, "\u20e3": WORD,
    " ": SPACE, "\n": SPACE, "\x1f": SPACE, "\x85": SPACE, "\u00a0": SPACE, "\u3000": SPACE, "\u2028": SPACE,
    "'": OTHER, "$": OTHER, "\0": OTHER, "\u00ad": OTHER, "\u200b": OTHER, "\ufeff": OTHER, "\ufffd": OTHER, "👍": OTHER, "🇫": OTHER,
    "。": OTHER, "・": OTHER, "\ue000": OTHER, "\uffff": OTHER, "\U0010ffff": OTHER, "\U000e0fff": OTHER,
    "東": SINGLE, "タ": SINGLE, "ー": SINGLE, "ｰ": SINGLE, "へ": SINGLE, "々": SINGLE, "〇": SINGLE, "ｶ": SINGLE, "\U00020000": SINGLE,
}  # fmt: skip


@pytest.mark.parametrize("character", KNOWN_KINDS, ids=lambda character: f"U+{ord(character):04X}")
def test_known_kinds(character: str) -> None:
    assert KINDS[ord(character)] == KNOWN_KINDS[character]


KNOWN_LOWER = {"A": "a", "É": "é", "Σ": "σ", "ς": "ς", "ß": "ß", "ẞ": "ß", "İ": "i", "I": "i", "ı": "ı", "ǅ": "ǆ", "\u212a": "k", "Ⅷ": "ⅷ",
               "Ж": "ж", "Ａ": "ａ", "𐐀": "𐐨", "東": "東", "ﬁ": "ﬁ", "Ꭰ": "ꭰ"}  # fmt: skip


@pytest.mark.parametrize("character", KNOWN_LOWER)
def test_known_lower(character: str) -> None:
    assert chr(LOWER[ord(character)]) == KNOWN_LOWER[character]
