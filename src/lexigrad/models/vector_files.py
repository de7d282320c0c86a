"""Word vectors in the forms of others: which form a file has, and from there to `WordVectors` and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import LexigradWarning, ParameterError
from lexigrad.formats import vector_tables, word2vec
from lexigrad.formats.native import FASTTEXT_MAGIC
from lexigrad.models.fitted_vectors import FittedVectors
from lexigrad.models.word_vectors import WordVectors
from lexigrad.text.files import COMPRESSIONS
from lexigrad.text.subwords import Subwords
from lexigrad.text.words import Words

WRITERS = {
    "text": word2vec.write_text,
    "binary": word2vec.write_binary,
    "numpy": vector_tables.write_npz,
    "arrow": vector_tables.write_arrow,
    "parquet": vector_tables.write_parquet,
}
EXTENSIONS = {
    ".vec": "text", ".txt": "text", ".output": "output", ".npz": "numpy", ".arrow": "arrow", ".feather": "arrow", ".parquet": "parquet",
}  # fmt: skip
MAGICS = {b"PK\x03\x04": "numpy", b"ARROW1": "arrow", b"PAR1": "parquet"}


def form_to_write(path: str | os.PathLike[str], form: str | None) -> str:
    """Return the form that vectors are written in: `form`, or what the extension says; "native" for all others.

    Raises
    ------
    ParameterError
        For an unknown form, and for `.bin`, which says too little; and where a compressed file is asked for.
    """
    if form is not None:
        if form not in ("native", "fasttext", "output", *WRITERS):
            raise ParameterError(f"format={form!r}: choose one of native, fasttext, output, {', '.join(WRITERS)}")
        return form
    extension = Path(path).suffix.lower()
    if extension == ".ftz":
        return "fasttext"
    if extension == ".bin":
        raise ParameterError(
            f"{os.fspath(path)}: .bin may be two things: ask for the format 'binary', word2vec's, or 'fasttext' (in the shell by "
            "lexigrad convert --format)"
        )
    if extension in COMPRESSIONS:
        raise ParameterError(
            f"{os.fspath(path)}: vectors are written uncompressed; leave {extension} away and compress the file"
        )
    return EXTENSIONS.get(extension, "native")


def form_of(path: str | os.PathLike[str]) -> str | None:
    """Return the form of a file that is no native one: one of `WRITERS`, or None."""
    if not Path(path).is_file():
        return None
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(FASTTEXT_MAGIC):
        return None
    for magic, form in MAGICS.items():
        if start.startswith(magic):
            return form
    return word2vec.sniffed(path)


def read_vectors(path: str | os.PathLike[str], form: str) -> WordVectors:
    """Return the vectors in a file of one of the forms. Counts are unknown, and 0; there are neither n-grams nor output vectors."""
    words: Sequence[Any]
    vectors: NDArray[np.float32]
    if form in ("text", "binary"):
        found, vectors = (word2vec.read_text if form == "text" else word2vec.read_binary)(path)
        words = Words.of(found)
    else:
        readers = {
            "numpy": vector_tables.read_npz,
            "arrow": vector_tables.read_arrow,
            "parquet": vector_tables.read_parquet,
        }
        words, vectors = readers[form](path)
        if isinstance(words[0], str):
            words = Words.of_texts(words)
    words, vectors = _distinct(os.fspath(path), words, vectors)
    n, dim = vectors.shape
    subwords = Subwords(n, 0, 0, 1, np.empty(0, np.int64))
    fitted = FittedVectors(words, np.zeros(n, np.int64), vectors, vectors, None, subwords)
    return WordVectors._restore({"dim": dim}, fitted)


def _distinct(
    name: str, words: Sequence[Any], vectors: NDArray[np.float32]
) -> tuple[Sequence[Any], NDArray[np.float32]]:
    places: dict[Any, int] = {}
    for place, word in enumerate(words):
        places.setdefault(word, place)
    if len(places) == len(words):
        return words, vectors
    warnings.warn(
        f"{name}: {len(words) - len(places):,} words are there more than once; the first vector of each is kept",
        LexigradWarning,
        stacklevel=4,
    )
    kept: list[Any] = list(places)
    return Words.of_texts(kept) if isinstance(words, Words) else kept, vectors[list(places.values())]
