"""The frozen Unicode table of the tokeniser "words"; `scripts/make_unicode_table.py` writes it."""

from __future__ import annotations

import functools
import zlib
from importlib import resources

import numpy as np
from numpy.typing import NDArray

SPACE, WORD, OTHER, SINGLE, ATTACH = range(5)
"""Classes: white space; letter, mark, number or underscore; a token of its own; Han, Hiragana or Katakana; stays with the token before."""

MAGIC = b"LEXIUNIC"
N_CODE_POINTS = 0x110000


def _file() -> bytes:
    return (resources.files("lexigrad.text") / "unicode_table.bin").read_bytes()


UNICODE_VERSION = "15.1.0"
"""Of the table; models store it, and a test compares it with the file."""


@functools.cache
def load_table() -> NDArray[np.uint32]:
    """Return (0x110000,) uint32, read-only: the low 24 bits are the lower-case code point, the high 8 bits the class."""
    content = _file()
    steps = np.frombuffer(zlib.decompress(content[len(MAGIC) + 16 :]), "<u4")
    table = np.cumsum(steps, dtype=np.uint32)
    table.flags.writeable = False
    return table


def table_version() -> str:
    """Return the Unicode version that the file carries."""
    return _file()[len(MAGIC) : len(MAGIC) + 16].rstrip(b"\0").decode()
