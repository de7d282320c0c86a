"""The state of a run on the disk: what it was asked for, and a line for each step done, so that a killed run goes on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.formats.fasttext_bin import CodedMatrix
from lexigrad.formats.native import replacing

if TYPE_CHECKING:
    from lexigrad.models.text_classifier import TextClassifier

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

MANIFEST, PROGRESS, LOCK = "manifest.json", "progress.jsonl", "lock"
VERSION = 1
"""Of the form of these files; a run of another version is not continued."""
TOLERANCE = ("bad_rows", "bad_files")
"""Settings that may change from "stop" to another value when a run goes on: what was done until then is the same with either."""
SAMPLED_ROWS = 4096
MOST_ATTEMPTS = 100
"""To make and lock the folder, while other runs remove it."""


def fingerprint(clf: TextClassifier) -> str:
    """Return a hash of a classifier that other trainings and other settings do not share.

    It covers its labels, its settings, the whole output matrix and up to 4,096 rows of the input matrix, so that a model of gigabytes is not read as a whole.
    """
    fitted, reader = clf.fitted, clf.fitted.reader
    digest = hashlib.sha256()
    digest.update(json.dumps([*map(str, fitted.classes.tolist()), fitted.loss, list(fitted.input.shape)]).encode())
    facts = [
        reader.tokenizer, reader.n_words, reader.n_buckets, reader.word_ngrams, reader.min_n, reader.max_n, len(reader.slot_rows), len(reader.kept),
    ]  # fmt: skip
    digest.update(json.dumps([int(fact) for fact in facts]).encode() + reader.label_prefix)
    for matrix in (fitted.output, fitted.input):
        arrays: list[NDArray[Any]] = (
            [matrix.codes, matrix.norm_codes, matrix.centroids] if isinstance(matrix, CodedMatrix) else [matrix]
        )
        for array in arrays:
            step = max(1, len(array) // SAMPLED_ROWS) if matrix is fitted.input else 1
            digest.update(np.ascontiguousarray(array[::step]).tobytes())
    step = max(1, reader.n_words // SAMPLED_ROWS)
    digest.update(b"\0".join(reader.vocabulary[i] for i in range(0, reader.n_words, step)))
    return digest.hexdigest()[:32]


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words the first thing in which two manifests differ, "" where they are the same.

    Examples
    --------
    >>> difference({"settings": {"text": "text"}}, {"settings": {"text": "body"}})
    "text was 'text', and now it is 'body'"
    """
    for key in ("version", "lexigrad"):
        if before.get(key) != now.get(key):
            return f"it was begun by {key} {before.get(key)}, and this is {now.get(key)}"
    old, new = before.get("settings", {}), now.get("settings", {})
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) == new.get(name) or (name in TOLERANCE and old.get(name) == "stop"):
            continue
        return f"{name} was {old.get(name)!r}, and now it is {new.get(name)!r}"
    old, new = before.get("models", {}), now.get("models", {})
    if list(old) != list(new):
        return f"the models were {_names(old)}, and now they are {_names(new)}"
    for name in new:
        if old[name] != new[name]:
            return f"the model{f' {name!r}' * bool(name)} is another one than before"
    old, new = ({file["input"]: file for file in side.get("files", [])} for side in (before, now))
    for path in [*new, *old]:
        if path not in new:
            return f"{path} is no longer an input"
        if path not in old:
            return f"{path} is a new input"
        for name, what in (("output", "its output"), ("size", "its size"), ("mtime_ns", "its time of change")):
            if old[path][name] != new[path][name]:
                return f"of {path} {what} was {old[path][name]}, and now it is {new[path][name]}"
    if list(old) != list(new):
        return "the inputs come in another order"
    return ""


def _names(models: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in models)


def json_bytes(value: Any, **layout: Any) -> bytes:
    r"""Return JSON in UTF-8; bytes of a file's name that are no UTF-8 are escaped, and come back when it is read.

    Examples
    --------
    >>> json_bytes(["\u00e9", "a\udcff"])
    b'["\xc3\xa9", "a\\udcff"]'
    """
    return json.dumps(value, ensure_ascii=False, **layout).encode("utf-8", "backslashreplace")


class State:
    """The folder of a run, locked while this object is open.

    Parameters
    ----------
    folder : made if it is not there

    Raises
    ------
    DataError
        Another run has it open.
    ParameterError
        The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._progress: IO[bytes] | None = None
        self.made_parent = not os.path.exists(folder.parent)
        self._lock = self._locked()

    def _locked(self) -> IO[bytes]:
        for attempt in range(MOST_ATTEMPTS):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                file = open(self.folder / LOCK, "ab")  # noqa: SIM115 (closed by `close`)
            except OSError as error:
                if isinstance(error, FileNotFoundError) and attempt < MOST_ATTEMPTS - 1:
                    continue  # perhaps a run that ended has just removed the folder
                raise ParameterError(f"cannot write {self.folder}: {error.strerror or error}") from None
            if fcntl is None:
                return file
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    return file  # a file system without locks
                file.close()
                raise DataError(
                    f"another run is writing to {self.folder.parent} now ({self.folder} is locked): wait for it, or write elsewhere"
                ) from None
            try:
                same = os.stat(self.folder / LOCK).st_ino == os.fstat(file.fileno()).st_ino
            except FileNotFoundError:
                same = False
            if same:
                return file
            file.close()
        raise DataError(f"cannot lock {self.folder}, which others make and remove all the time: write elsewhere")

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest of an earlier run, None where there is none."""
        try:
            document = json.loads((self.folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise DataError(f"{self.folder / MANIFEST} is damaged: add --restart (restart=True) to begin anew")
        return document

    def begin(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest and open the list of steps."""
        with replacing(self.folder / MANIFEST) as file:
            file.write(json_bytes(manifest, indent=1) + b"\n")
        self._progress = open(self.folder / PROGRESS, "ab")  # noqa: SIM115 (closed by `close`)

    def steps(self) -> Iterator[dict[str, Any]]:
        """Yield the steps that are done; half a line at the end, of a killed run, is cut off."""
        path = self.folder / PROGRESS
        if not path.exists():
            return
        whole = 0
        with open(path, "rb") as file:
            for line in file:
                try:
                    if not line.endswith(b"\n"):
                        break
                    step = json.loads(line)
                except ValueError:
                    break
                whole += len(line)
                yield step
        if whole < path.stat().st_size:
            os.truncate(path, whole)

    def is_fresh(self) -> bool:
        """Tell whether no step is done."""
        return next(self.steps(), None) is None

    def record(self, step: Mapping[str, Any]) -> None:
        """Write a step; it is on the disk after `sync`."""
        assert self._progress is not None
        self._progress.write(json_bytes(step, separators=(",", ":")) + b"\n")
        self._progress.flush()

    def sync(self) -> None:
        """Wait until the steps that were written are on the disk."""
        assert self._progress is not None
        os.fsync(self._progress.fileno())

    def clear(self) -> None:
        """Remove everything but the lock."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()

    def remove(self) -> None:
        """Remove the folder."""
        self._end_progress()
        shutil.rmtree(self.folder)

    def remove_if_unused(self) -> None:
        """Remove the folder if nothing was begun in it."""
        if self.folder.is_dir() and {path.name for path in self.folder.iterdir()} <= {LOCK}:
            self.remove()

    def close(self) -> None:
        """Let others in."""
        self._end_progress()
        self._lock.close()

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None
