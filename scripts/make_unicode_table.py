"""Write src/lexigrad/text/unicode_table.bin: class and lower case of every code point, for the tokeniser "words".

    python3.13 scripts/make_unicode_table.py      (Python 3.13 carries Unicode 15.1)

needs NumPy and the package `regex`, for scripts. Categories and lower case come from the `unicodedata` of the Python
that runs this, whose
Unicode version the table carries; a code point that this version does not assign is OTHER. Models store the version,
so a new table is a
new version of the tokeniser.
"""

from __future__ import annotations

import unicodedata
import zlib
from pathlib import Path

import numpy as np
import regex

SPACE, WORD, OTHER, SINGLE, ATTACH = range(5)
TARGET = Path(__file__).parents[1] / "src/lexigrad/text/unicode_table.bin"
JOINERS = {0x200C, 0x200D}
SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
SKIN_TONES = set(range(0x1F3FB, 0x1F400))
LONG_VOWEL_MARKS = {0x30FC, 0xFF70}  # script Common, but written like kana
WHITE_SPACE = regex.compile(r"\p{White_Space}")
EAST_ASIAN = regex.compile(r"\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}")


def class_of(code: int) -> int:
    """Return the class of a code point."""
    character = chr(code)
    category = unicodedata.category(character)
    if WHITE_SPACE.match(character) or character.isspace():
        return SPACE
    if code in JOINERS | SELECTORS | SKIN_TONES:
        return ATTACH
    if category == "Cn":
        return OTHER
    if code in LONG_VOWEL_MARKS or (category[0] != "M" and EAST_ASIAN.match(character)):
        return SINGLE
    return WORD if category[0] in "LMN" or character == "_" else OTHER


def lower_of(code: int) -> int:
    """Return the simple lower-case mapping: one code point for one."""
    if code == 0x130:  # the full mapping adds a dot above
        return 0x69
    lower = chr(code).lower()
    return ord(lower) if len(lower) == 1 else code


def main() -> None:
    """Write the table."""
    table = np.array([lower_of(code) | class_of(code) << 24 for code in range(0x110000)], "<u4")
    # Differences from one code point to the next are mostly 1 or 0, and compress to a hundredth.
    steps = np.diff(table, prepend=np.uint32(0)).astype("<u4")
    version = unicodedata.unidata_version.encode().ljust(16, b"\0")
    TARGET.write_bytes(b"LEXIUNIC" + version + zlib.compress(steps.tobytes(), 9))


if __name__ == "__main__":
    main()
