"""Encoded corpora that are kept: text read and numbered once, for as many trainings as you like.

A kept corpus is a native file in the cache folder, named by a hash of the source (path, size and time of change of each file) and of what decides
the encoding. Settings that come after, such as min_count and phrases, do not matter to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.formats.native import read_native, write_native
from lexigrad.text.sentences import TokenStore
from lexigrad.text.vocabulary import Vocabulary

CORPUS_KIND = "encoded_corpus"
ENCODING = 1
"""Changes when the same text gets other tokens."""


def cache_folder(cache_dir: str | os.PathLike[str] | None) -> Path:
    """Return the cache folder, made if need be: `cache_dir`, or the user's."""
    if cache_dir is not None:
        folder = Path(cache_dir)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "lexigrad"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Caches" / "lexigrad"
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lexigrad"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"cache_dir: {folder} cannot be made or is no folder ({error})") from error
    return folder


def kept_path(folder: Path, files: list[str], **settings: Any) -> Path:
    """Return where the encoding of some files is kept."""
    missing = [name for name in files if not os.path.exists(name)]
    if missing:
        raise DataError(f"no such file: {missing[0]}")
    stats = [(os.path.abspath(name), os.stat(name)) for name in files]
    source = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    text = json.dumps([ENCODING, source, sorted(settings.items())])
    return folder / f"corpus-{hashlib.sha256(text.encode()).hexdigest()[:32]}.lexigrad"


def keep(path: Path, store: TokenStore, words: Vocabulary) -> None:
    """Write what was encoded."""
    lengths = store.lengths()
    arrays = {
        "tokens": store.ids(), "lengths": lengths, "word_bytes": words.arena[: words.offsets[-1]], "word_offsets": words.offsets,
        "counts": words.counts,
    }  # fmt: skip
    write_native(path, CORPUS_KIND, {}, {name: np.ascontiguousarray(array) for name, array in arrays.items()})


def kept(path: Path, store: TokenStore) -> Vocabulary | None:
    """Fill a store with what is kept and return its words; None where nothing is kept, or it is damaged."""
    try:
        file = read_native(path, verify=True)
        tokens, lengths, arena, offsets, counts = (
            file.arrays[name] for name in ("tokens", "lengths", "word_bytes", "word_offsets", "counts")
        )
        fits = (
            lengths.sum(dtype=np.int64) == len(tokens) and len(counts) == len(offsets) - 1 and offsets[-1] == len(arena)
        )
    except (FileNotFoundError, FormatError, KeyError):
        return None
    if file.kind != CORPUS_KIND or not fits:
        return None
    store.lend(tokens, lengths)
    return Vocabulary.from_arrays(arena, offsets, counts)
