"""A classifier as a function from a column of texts to columns of scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError
from lexigrad.machine.threads import thread_count
from lexigrad.scoring.units import check_units, joined, units_of
from lexigrad.text.batches import TextBatch
from lexigrad.text.columns import decoded, text_buffers
from lexigrad.text.newlines import without_newlines
from lexigrad.text.tokens import SPACED, WHITESPACE

if TYPE_CHECKING:
    from lexigrad.models.text_classifier import TextClassifier

NEWLINES = ("space", "end_of_sentence", "empty")
LABEL, PROB, ALL = "label", "prob", "all"
MATRIX_NUMBERS = 1 << 22
"""Probabilities that are held at once where those of all labels are needed."""


@dataclass(frozen=True)
class Scores:
    """The scores of some texts.

    Attributes
    ----------
    columns : arrays for `Scorer.fields`; a missing text has nulls
    probs : for each label that was asked for its probability, (n,) float32, NaN for a missing text
    best : (n,) int32, the most probable label, a position in `classes_`; -1 for a missing text
    """

    columns: list[pa.Array]
    probs: dict[Any, NDArray[np.float32]]
    best: NDArray[np.int32]


class Scorer:
    """Scores columns of texts with a classifier.

    With units the probability of a label is the mean, the largest or the smallest of its probabilities over the units of a text, those without any
    known feature left out; the best label is that with the largest result.

    Parameters
    ----------
    clf : a trained classifier
    name : stands with "_" before the names of all columns; "" for none
    add : which columns, one or several of them: "label", the most probable label; "prob", its probability; a label, for the probability of that one;
        "all", the probabilities of all labels in one column of lists, `probs`, whose metadata name them
    newlines : what a newline within a text is: "space"; "end_of_sentence", the token </s> of the tokeniser "whitespace"; "empty", nothing, so that the
        words around it become one
    unit : "document", or "line", "paragraph" or "window" to score these and join their probabilities, see `lexigrad.scoring.units.units_of`
    window : words of a window
    aggregate : "mean", "max" or "min"
    threads : None for as many as the process may use

    Raises
    ------
    ParameterError
        A label that the model does not have, or a value that is not among those above.

    Examples
    --------
    >>> import lexigrad, pyarrow as pa
    >>> clf = lexigrad.TextClassifier(dim=8, epochs=20, lr=0.5, threads=1).fit(["good", "bad"] * 50, ["hq", "cc"] * 50)
    >>> scorer = Scorer(clf, add=("label", "hq"))
    >>> [field.name for field in scorer.fields]
    ['label', 'hq']
    >>> scorer.score(pa.array(["good", None])).columns[0].to_pylist()
    ['hq', None]
    """

    def __init__(
        self,
        clf: TextClassifier,
        name: str = "",
        add: str | Sequence[str] = (LABEL, PROB),
        newlines: str = "space",
        unit: str = "document",
        window: int = 200,
        aggregate: str = "mean",
        threads: int | None = None,
    ) -> None:
        check_units(unit, window, aggregate)
        if newlines not in NEWLINES:
            raise ParameterError(f"newlines={newlines!r}: expected one of {', '.join(map(repr, NEWLINES))}")
        fitted = clf.fitted
        ended = fitted.reader.tokenizer == WHITESPACE
        if newlines == "end_of_sentence" and not ended:
            raise ParameterError('newlines="end_of_sentence": only the tokeniser "whitespace" has the token </s>')
        if ended and newlines != "end_of_sentence":
            fitted = fitted.reading(replace(fitted.reader, tokenizer=SPACED))
        self.fitted, self.name, self.threads = fitted, name, threads
        self.glued, self.unit, self.window, self.aggregate = newlines == "empty", unit, window, aggregate
        self.classes: list[Any] = fitted.classes.tolist()
        self._places = {str(label): i for i, label in enumerate(self.classes)}
        self._dictionary = pa.array(self.classes)
        self.add = (add,) if isinstance(add, str) else tuple(add)
        self.fields = [self._field(what) for what in self.add]
        twice = {field.name for field in self.fields if [f.name for f in self.fields].count(field.name) > 1}
        if twice:
            raise ParameterError(f"add={list(self.add)!r}: the column {twice.pop()!r} would be there more than once")

    def place(self, label: Any) -> int:
        """Return the position of a label in `classes_`, or raise `ParameterError`."""
        if str(label) not in self._places:
            known = ", ".join(map(repr, self.classes[:10])) + (" and others" if len(self.classes) > 10 else "")
            raise ParameterError(
                f"the model{f' {self.name!r}' * bool(self.name)} has no label {label!r}; it has {known}"
            )
        return self._places[str(label)]

    def _field(self, what: str) -> pa.Field:
        prefix = f"{self.name}_" if self.name else ""
        if what == LABEL:
            return pa.field(prefix + LABEL, pa.dictionary(pa.int32(), self._dictionary.type))
        if what == PROB:
            return pa.field(prefix + PROB, pa.float32())
        if what == ALL:
            labels = json.dumps(self.classes, ensure_ascii=False)
            return pa.field(prefix + "probs", pa.list_(pa.float32(), len(self.classes)), metadata={"labels": labels})
        self.place(what)
        return pa.field(f"{prefix}{what}", pa.float32())

    def score(
        self, texts: pa.Array | pa.ChunkedArray, labels: Sequence[Any] = (), threads: int | None = None
    ) -> Scores:
        """Score a column.

        Parameters
        ----------
        texts : strings or bytes, also dictionaries and views; a null is a missing text
        labels : labels whose probabilities `Scores.probs` is to have
        threads : instead of those of the scorer
        """
        count = thread_count(self.threads if threads is None else threads)
        chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        places = {label: self.place(label) for label in labels}
        wanted = sorted({*places.values(), *(self.place(what) for what in self.add if what not in (LABEL, PROB, ALL))})
        parts = [self._chunk(chunk, wanted, count) for chunk in chunks if len(chunk)]
        best = np.concatenate([np.empty(0, np.int32), *(part[0] for part in parts)])
        top = np.concatenate([np.empty(0, np.float32), *(part[1] for part in parts)])
        chosen = {
            place: np.concatenate([np.empty(0, np.float32), *(part[2][:, i] for part in parts)])
            for i, place in enumerate(wanted)
        }
        missing = best < 0
        mask = missing if missing.any() else None
        columns = []
        for what in self.add:
            if what == LABEL:
                columns.append(pa.DictionaryArray.from_arrays(pa.array(best, mask=mask), self._dictionary))
            elif what == PROB:
                columns.append(pa.array(top, mask=mask))
            elif what == ALL:
                columns.append(_lists([part[3] for part in parts], len(self.classes), mask))
            else:
                columns.append(pa.array(chosen[self.place(what)], mask=mask))
        for values in chosen.values():
            values[missing] = np.nan
        return Scores(columns, {label: chosen[place] for label, place in places.items()}, best)

    def _chunk(self, texts: pa.Array, wanted: list[int], threads: int) -> tuple[NDArray[Any], ...]:
        """Return best labels, their probabilities, those of the wanted labels (n, n_wanted) and those of all, or nothing where they are not added."""
        if pa.types.is_dictionary(texts.type):  # whose values may be null, too
            texts = decoded(texts)
        missing = texts.is_null().to_numpy(zero_copy_only=False) if texts.null_count else None
        if missing is not None:
            texts = _without_nulls(texts)
        data, offsets = text_buffers(texts, "texts", 0)
        if self.glued:
            data, offsets = without_newlines(data, offsets)
        n = len(offsets) - 1
        if self.unit == "document" and not wanted and ALL not in self.add:
            ids, probs, _ = self.fitted.score_batches([_batch(data, offsets)], 1, threads)
            best, top, chosen, matrix = (
                ids[:, 0],
                probs[:, 0],
                np.empty((n, 0), np.float32),
                np.empty((0, 0), np.float32),
            )
        else:
            best, top, chosen, matrix = self._all(data, offsets, wanted, threads)
        if missing is not None:
            best[missing] = -1
        return best, top, chosen, matrix

    def _all(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64], wanted: list[int], threads: int
    ) -> tuple[NDArray[Any], ...]:
        """Return what `_chunk` does by way of the probabilities of all labels, of some units at a time."""
        n, n_labels = len(offsets) - 1, len(self.classes)
        best, top = np.empty(n, np.int32), np.empty(n, np.float32)
        chosen = np.empty((n, len(wanted)), np.float32)
        everything = np.empty((n if ALL in self.add else 0, n_labels), np.float32)
        most = max(1, MATRIX_NUMBERS // n_labels)
        if self.unit == "document":
            units, first_units = offsets, np.arange(n + 1)
        else:
            units, first_units = units_of(data, offsets, self.unit, self.window)
        first = 0
        while first < n:
            stop = max(first + 1, int(np.searchsorted(first_units, first_units[first] + most, side="right")) - 1)
            rows, here = slice(first, stop), first_units[first : stop + 1]
            _, probs, known = self.fitted.score_batches([_batch(data, units[here[0] : here[-1] + 1])], 0, threads)
            if self.unit != "document":
                probs = joined(probs, known, here - here[0], self.aggregate)
            best[rows] = probs.argmax(axis=1)
            top[rows] = probs[np.arange(stop - first), best[rows]]
            chosen[rows] = probs[:, wanted]
            if ALL in self.add:
                everything[rows] = probs
            first = stop
        return best, top, chosen, everything


def _without_nulls(texts: pa.Array) -> pa.Array:
    """Return the same array with some text, whatever lies there, in the place of each null."""
    kind = texts.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        texts = texts.cast(pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary())
    if pa.types.is_null(kind):
        return pa.array([""] * len(texts))
    return pa.Array.from_buffers(texts.type, len(texts), [None, *texts.buffers()[1:]], 0, texts.offset)


def _batch(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> TextBatch:
    return TextBatch(data, offsets, None, "texts", np.arange(len(offsets) - 1))


def _lists(parts: list[NDArray[np.float32]], width: int, mask: NDArray[np.bool_] | None) -> pa.Array:
    """Return rows as an Arrow array of lists of one length."""
    values = np.concatenate([np.empty((0, width), np.float32), *parts])
    mask_array = None if mask is None else pa.array(mask)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width, mask=mask_array)


def score_table(table: Any, scorers: Sequence[Scorer], text: str) -> pa.Table | pa.RecordBatchReader:
    """Return a table with the columns of all scorers behind its own; a reader of batches gives a reader that scores as it is read."""
    if isinstance(table, pa.RecordBatchReader):
        schema = scored_schema(table.schema, scorers, text)
        batches = (batch for given in table for batch in _scored(pa.table(given), scorers, text).to_batches())
        return pa.RecordBatchReader.from_batches(schema, batches)
    if not isinstance(table, pa.Table):
        try:
            table = pa.table(table)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"expected an Arrow table, or what becomes one, not {type(table).__name__}: {error}"
            ) from error
    scored_schema(table.schema, scorers, text)
    return _scored(table, scorers, text)


def _scored(table: pa.Table, scorers: Sequence[Scorer], text: str) -> pa.Table:
    for scorer in scorers:
        for field, column in zip(scorer.fields, scorer.score(table.column(text)).columns, strict=True):
            table = table.append_column(field, column)
    return table


def scored_schema(schema: pa.Schema, scorers: Sequence[Scorer], text: str) -> pa.Schema:
    """Return the schema of a table with scores, or raise `DataError` where its columns do not allow it."""
    from lexigrad.text.columns import check_columns

    check_columns("the table", [text], schema.names)
    for scorer in scorers:
        for field in scorer.fields:
            if field.name in schema.names:
                raise DataError(
                    f"the table has a column {field.name!r} already: give the model a name, which goes before the names of its columns"
                )
            schema = schema.append(field)
    return schema
