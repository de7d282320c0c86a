"""Classifiers that travel between processes and machines: small where they are pickled, and one file for all processes of a machine."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import socket
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.formats.native import is_native, read_native, replacing
from lexigrad.machine.threads import available_threads, thread_count
from lexigrad.models.folding import folded, is_folded, pays
from lexigrad.models.storage import load, save_classifier
from lexigrad.models.text_classifier import TextClassifier
from lexigrad.scoring.rows import RowScorer
from lexigrad.scoring.scorer import Scorer, scored_schema

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

KEPT_SECONDS = 7 * 24 * 3600
"""Spooled models that no process opened for so long are removed."""

_opened: dict[Any, Any] = {}
_lock = threading.RLock()


def _new_lock() -> None:
    """A child of a fork must not wait for a thread of its parent."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


@dataclass(frozen=True)
class SharedModel:
    """A classifier as something that travels: a few hundred bytes when it is pickled, opened once in each process.

    It is known by the SHA-256 of its file, so that two of the same content are equal, and have the same hash in each process. All processes of a machine map
    one file. Where folding makes a model smaller, that file holds the folded one, which gives the same probabilities; it and models of fastText's form are
    converted by the first process of a machine, into a folder for temporary files, ``lexigrad-USER``, from which what was not opened for a week is removed.

    Attributes
    ----------
    digest : SHA-256 of the file, hexadecimal
    path : a file that all processes see; None for a model that is carried: spooled to that folder, once a machine, from `fetch`
    converted : whether the file at `path` is converted on each machine
    fetch : returns the bytes of the file where it is not spooled yet; None where it must be

    Examples
    --------
    >>> import lexigrad, pickle
    >>> clf = lexigrad.TextClassifier(dim=8, threads=1).fit(["good", "bad"] * 50, ["hq", "cc"] * 50)
    >>> model = SharedModel.of(clf)
    >>> len(pickle.dumps(model)) < 1000
    True
    >>> pickle.loads(pickle.dumps(model)).open().classes_.tolist()
    ['cc', 'hq']
    """

    digest: str
    path: str | None = field(default=None, compare=False)
    converted: bool = field(default=False, compare=False)
    fetch: Callable[[], Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, model: Any, carried: bool = False) -> SharedModel:
        """Return what travels in the place of a model.

        Parameters
        ----------
        model : a trained `TextClassifier`, which is spooled; the path of a file that `lexigrad.load` reads; or a `SharedModel`
        carried : spool the model of a file, too, for machines that do not see the file

        Raises
        ------
        ParameterError
            Something else.
        FormatError, NotFittedError
            No model, or none that is trained.
        """
        if isinstance(model, SharedModel):
            return model
        if isinstance(model, TextClassifier):
            return cls(_spool_classifier(model))
        if not isinstance(model, (str, os.PathLike)):
            raise ParameterError(
                f"model: expected a TextClassifier or the path of one's file, not {type(model).__name__}"
            )
        path = os.path.abspath(os.fspath(model))
        clf = _load(path)
        if carried:
            return cls(_spool_classifier(clf))
        return cls(_digest(path), path, not is_native(path) or _folds(clf))

    def file(self) -> Path:
        """Return the file that this machine's processes map, made if need be.

        Raises
        ------
        FormatError
            The model is not here, or not the one that it was.
        """
        if self.path is None:
            return spooled(self.digest, self.fetch)
        if not self.converted:
            self._check()
            return Path(self.path)
        path = spool_folder() / f"{self.digest}.converted.lexigrad"
        if not _whole(path):
            with _locked(path.with_suffix(".lock")):
                if not _whole(path):
                    self._check()
                    _save(_load(self.path), path)
        return _used(path)

    def _check(self) -> None:
        here = f"on {socket.gethostname()}"
        if not os.path.exists(self.path or ""):
            raise FormatError(f"the model {self.path} is not there {here}: name a file that all machines see")
        if _digest(self.path or "") != self.digest:
            raise FormatError(
                f"the model {self.path} {here} is another file than where the run began: give both the same"
            )

    def open(self) -> TextClassifier:
        """Return the classifier; a process opens it once."""
        return _once(self, lambda: _load(os.fspath(self.file())))


@dataclass(frozen=True)
class SharedScorer:
    """A `lexigrad.scoring.scorer.Scorer` that travels like its model; the attributes after it are those of a scorer."""

    model: SharedModel
    name: str = ""
    add: tuple[str, ...] = ("label", "prob")
    newlines: str = "space"
    unit: str = "document"
    window: int = 200
    aggregate: str = "mean"

    def open(self) -> Scorer:
        """Return the scorer; a process makes it once."""
        return _once(
            self,
            lambda: Scorer(
                self.model.open(), self.name, self.add, self.newlines, self.unit, self.window, self.aggregate
            ),
        )


@dataclass(frozen=True)
class SharedRows:
    """A `lexigrad.scoring.rows.RowScorer` that travels: several models, by name, and a filter."""

    models: tuple[tuple[str, SharedModel], ...]
    add: tuple[str, ...] = ("label", "prob")
    keep: str | None = None
    by: str | None = None
    newlines: str = "space"
    unit: str = "document"
    window: int = 200
    aggregate: str = "mean"

    @classmethod
    def of(
        cls,
        models: Any,
        name: str = "",
        add: str | Sequence[str] = ("label", "prob"),
        *,
        carried: bool = False,
        **settings: Any,
    ) -> SharedRows:
        """Return what scores by one model, or by those of a mapping from names, and make sure here that it can.

        Parameters
        ----------
        models : see `SharedModel.of`
        name : of one model, stands with "_" before the names of its columns
        add : see `lexigrad.scoring.rows.RowScorer`
        carried : see `SharedModel.of`
        settings : the other attributes
        """
        if isinstance(models, Mapping) and name:
            raise ParameterError(f"name={name!r}: several models have the names that they are given by")
        named = dict(models) if isinstance(models, Mapping) else {name: models}
        shared = tuple((one, SharedModel.of(model, carried)) for one, model in named.items())
        rows = cls(shared, (add,) if isinstance(add, str) else tuple(add), **settings)
        rows.open()
        return rows

    def open(self) -> RowScorer:
        """Return the scorer; a process makes it once."""
        return _once(self, self._rows)

    def _rows(self) -> RowScorer:
        models = {name: model.open() for name, model in self.models}
        return RowScorer(
            models,
            self.add,
            self.keep,
            self.by,
            newlines=self.newlines,
            unit=self.unit,
            window=self.window,
            aggregate=self.aggregate,
        )

    def table(self, table: pa.Table, text: str, threads: int) -> pa.Table:
        """Return a table with the columns of scores behind its own, of the rows that the filter keeps.

        Labels are values of their own and no dictionary, so that tables are joined by any tool.

        Raises
        ------
        DataError
            There is no such column of texts, or the table has a column of scores already.
        """
        scorer = self.open()
        scored_schema(table.schema, [cast("Any", scorer)], text)
        parts = [scorer(chunk, threads) for chunk in table.column(text).chunks]
        for i, added in enumerate(scorer.fields):
            kind = plain_type(added.type)
            chunks = [plain(part.columns[i]) for part in parts]
            table = table.append_column(
                pa.field(added.name, kind, metadata=added.metadata), pa.chunked_array(chunks, kind)
            )
        if scorer.keep is None:
            return table
        kept = [pa.array(part.keep) for part in parts]
        return table.filter(pa.chunked_array(kept, pa.bool_()))


def worker_threads(threads: int | None) -> int:
    """Return the number of threads: for None one in a process that another one started to share work with it, else all that there are."""
    if threads is not None:
        return thread_count(threads)
    forks = [multiprocessing, sys.modules.get("multiprocess")]  # the second is what datasets and datatrove use
    return 1 if any(library and library.parent_process() for library in forks) else available_threads()


def text_array(texts: Any) -> pa.Array:
    r"""Return texts of Python as an Arrow array, None as null; half a surrogate pair, which has no UTF-8 form, becomes U+FFFD.

    Raises
    ------
    DataError
        Something is no text.

    Examples
    --------
    >>> text_array(["good", None, "half \ud800"]).to_pylist()
    ['good', None, 'half �']
    """
    try:
        return pa.array(texts, pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:
        whole = [None if text is None else _replaced(text) for text in texts]
        return pa.array(whole, pa.large_string())
    except (pa.ArrowException, TypeError) as error:
        raise DataError(f"expected texts, or None for those that are missing: {error}") from error


def _replaced(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(column: pa.Array) -> pa.Array:
    """Return a column of scores with the labels themselves in the place of a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that `plain` gives a column."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _once(key: Any, make: Callable[[], Any]) -> Any:
    with _lock:
        if key not in _opened:
            _opened[key] = make()
        return _opened[key]


def _load(path: str) -> TextClassifier:
    clf = load(path)
    if not isinstance(clf, TextClassifier):
        raise FormatError(f"{path} holds word vectors, which do not score texts: expected a classifier")
    return clf


# --------------------------------------------------------------------------------------------------------------- files


def spool_folder() -> Path:
    """Return the folder of spooled models, made if need be; it belongs to this user alone."""
    user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"lexigrad-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode)):
        raise ParameterError(f"{folder} belongs to another user: remove it, or set TMPDIR to a folder of your own")
    return folder


def spooled(digest: str, fetch: Callable[[], Any] | None) -> Path:
    """Return the file of a model in the spool folder; where it is not there yet, or is damaged, one process of the machine writes it.

    Parameters
    ----------
    digest : SHA-256 of the file
    fetch : returns its bytes
    """
    folder = spool_folder()
    path = folder / f"{digest}.lexigrad"
    if not _intact(path, digest):
        with _locked(folder / f"{digest}.lock"):
            if not _intact(path, digest):
                if fetch is None:
                    raise FormatError(
                        f"the model is not on {socket.gethostname()}: it was held in memory on another machine; save it, and give the "
                        "path of a file that all machines see"
                    )
                data = fetch()
                if hashlib.sha256(data).hexdigest() != digest:
                    raise FormatError("the model was damaged on its way: its SHA-256 is another one; start again")
                with replacing(path) as file:
                    file.write(data)
                    _flush(file)
        _remove_old(folder)
    return _used(path)


def _spool_classifier(clf: TextClassifier) -> str:
    """Write a classifier, folded where that is smaller, to the spool folder; return its digest."""
    folder = spool_folder()
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as temporary:
        file = Path(temporary) / "model.lexigrad"
        _save(clf, file)
        digest = _digest(file)
        path = folder / f"{digest}.lexigrad"
        with _locked(folder / f"{digest}.lock"):
            if not _intact(path, digest):
                os.replace(file, path)
    _remove_old(folder)
    return digest


def _folds(clf: TextClassifier) -> bool:
    return pays(clf.fitted) and not is_folded(clf.fitted)


def _save(clf: TextClassifier, path: Path) -> None:
    fitted = folded(clf.fitted, "float32", available_threads()) if _folds(clf) else clf.fitted
    save_classifier(fitted, clf.get_params(), path)
    with open(path, "rb+") as file:
        _flush(file)


def _whole(path: Path) -> bool:
    """Tell whether there is a file of ours whose arrays have their checksums."""
    try:
        read_native(path, verify=True)
    except FormatError:
        return False
    return True


def _used(path: Path) -> Path:
    """Note that a file was opened now."""
    with suppress(OSError):
        os.utime(path)
    return path


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _digest(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise FormatError(f"no such file: {os.fspath(path)}") from None


def _intact(path: Path, digest: str) -> bool:
    return path.exists() and _digest(path) == digest


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between the processes of a machine; it ends with its process."""
    with open(path, "ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_old(folder: Path) -> None:
    oldest = time.time() - KEPT_SECONDS
    for path in folder.iterdir():
        with suppress(OSError):  # another process was faster
            if path.suffix in (".lexigrad", ".tmp", ".lock") and path.stat().st_mtime < oldest:
                path.unlink()
