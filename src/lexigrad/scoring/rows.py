"""Several classifiers in one pass over texts: the columns that are added, which rows stay, and the counts for the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lexigrad.errors import ParameterError
from lexigrad.scoring.keep import Keep, by_label, is_name, no_label
from lexigrad.scoring.report import Distribution, Tally
from lexigrad.scoring.scorer import ALL, LABEL, PROB, Scorer

if TYPE_CHECKING:
    from lexigrad.models.text_classifier import TextClassifier

NONE = "none"
"""Says that no column is added."""
FEW_LABELS = 8
"""Of a model whose labels all have a distribution in the report."""


@dataclass(frozen=True)
class Rows:
    """Some rows, scored.

    Attributes
    ----------
    columns : arrays for `RowScorer.fields`
    keep : (n,) bool, what the filter keeps; None where there is none
    by : (n,) float32, the probability that `by` names, NaN for rows without a text and those that the filter drops; None without `by`
    tally : counts, of which `kept` and `bad` are left to the caller
    """

    columns: list[pa.Array]
    keep: NDArray[np.bool_] | None
    by: NDArray[np.float32] | None
    tally: Tally


class RowScorer:
    """Scores texts with several classifiers, filters and counts.

    Parameters
    ----------
    models : classifiers by name; "" for the only one
    add : columns, see `lexigrad.scoring.scorer.Scorer`: "label", "prob" and "all" for each model, a label for each model that has it; "NAME.label" and so
        on for one model; "none" for none
    keep : a filter, see `lexigrad.scoring.keep.Keep`
    by : [NAME.]LABEL, whose probability `Rows.by` is to have
    settings : `newlines`, `unit`, `window` and `aggregate` of `Scorer`

    Attributes
    ----------
    fields : the columns that are added, of all models

    Raises
    ------
    ParameterError
        A name that cannot be one, a label that no model has, or a column that would be there twice.
    """

    def __init__(
        self,
        models: Mapping[str, TextClassifier],
        add: str | Sequence[str] = (LABEL, PROB),
        keep: str | None = None,
        by: str | None = None,
        **settings: Any,
    ) -> None:
        _check_names(list(models))
        classes = {name: [str(label) for label in clf.fitted.classes.tolist()] for name, clf in models.items()}
        self.keep = None if keep is None else Keep(keep, classes)
        self.by = None if by is None else by_label(by, classes)
        chosen = _chosen(columns_of(add), classes)
        self.scorers: dict[str, Scorer] = {}
        self.fields: list[pa.Field] = []
        self._labels: dict[str, list[str]] = {}
        self._reported: dict[str, list[str]] = {}
        self._n_added: dict[str, int] = {}
        for name, clf in models.items():
            asked = [what for what in chosen[name] if what not in (LABEL, PROB, ALL)]
            asked += self.keep.labels.get(name, []) if self.keep else []
            asked += [self.by[1]] if self.by and self.by[0] == name else []
            few = classes[name] if len(classes[name]) <= FEW_LABELS else []
            labels = list(dict.fromkeys([*few, *asked]))
            top = (self.keep is not None and name in self.keep.tops) or not labels
            extra = [PROB] if top and PROB not in chosen[name] else []
            scorer = Scorer(clf, name, [*chosen[name], *extra], **settings)
            self.scorers[name], self._labels[name] = scorer, labels
            self._reported[name], self._n_added[name] = labels or [PROB], len(chosen[name])
            self.fields += scorer.fields[: len(chosen[name])]
        names = [field.name for field in self.fields]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ParameterError(f"the column {twice.pop()!r} would be added by two models: give them other names")
        self._classes = classes

    def lists(self) -> dict[str, list[Any]]:
        """Return the labels of each added column of lists, in the order of its numbers."""
        return {
            field.name: json.loads(field.metadata[b"labels"])
            for field in self.fields
            if pa.types.is_fixed_size_list(field.type)
        }

    def __call__(self, texts: pa.Array, threads: int = 1) -> Rows:
        """Score texts, with nulls where there is none."""
        columns: list[pa.Array] = []
        probs: dict[str, dict[str, NDArray[np.float32]]] = {}
        best: dict[str, NDArray[np.int32]] = {}
        top: dict[str, NDArray[np.float32]] = {}
        tally = Tally(rows=len(texts), text_bytes=text_bytes(texts))
        for name, scorer in self.scorers.items():
            scores = scorer.score(texts, self._labels[name], threads)
            columns += scores.columns[: self._n_added[name]]
            probs[name], best[name] = scores.probs, scores.best
            if PROB in scorer.add:
                top[name] = _filled(scores.columns[scorer.add.index(PROB)])
            counts = np.bincount(scores.best[scores.best >= 0], minlength=len(self._classes[name]))
            tally.labels[name] = {self._classes[name][i]: int(counts[i]) for i in np.flatnonzero(counts)}
            known = scores.probs if self._labels[name] else {PROB: top[name]}
            tally.probs[name] = {label: Distribution.of(known[label]) for label in self._reported[name]}
        keep = None if self.keep is None else self.keep(probs, best, top)
        by = None if self.by is None else probs[self.by[0]][self.by[1]]
        if by is not None and keep is not None:
            by = np.where(keep, by, np.float32(np.nan))
        return Rows(columns, keep, by, tally)


def columns_of(add: Any) -> list[str]:
    """Return the columns that are meant: one may stand without a list, and "none" for no column.

    Examples
    --------
    >>> columns_of("hq"), columns_of("none"), columns_of(("label", "prob"))
    (['hq'], [], ['label', 'prob'])
    """
    if isinstance(add, str):
        return [] if add in ("", NONE) else [add]
    columns = list(add) if isinstance(add, Iterable) and not isinstance(add, (bytes, Mapping)) else [add]
    if not all(isinstance(what, str) for what in columns):
        raise ParameterError(f"add={add!r}: expected columns as strings, such as ('label', 'prob'), or 'none'")
    return [] if columns == [NONE] else columns


def text_bytes(texts: pa.Array) -> int:
    """Return how many bytes of text an array holds."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    if pa.types.is_string_view(texts.type) or pa.types.is_binary_view(texts.type) or pa.types.is_null(texts.type):
        texts = texts.cast(pa.large_binary())
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)


def _filled(column: pa.Array) -> NDArray[np.float32]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def _check_names(names: list[str]) -> None:
    if not names:
        raise ParameterError("no model was given")
    if names == [""]:
        return
    for name in names:
        if not isinstance(name, str):
            raise ParameterError(f"models: {name!r} cannot be the name of a model: expected a string")
        if not name:
            raise ParameterError(
                "several models need names, which go before the names of their columns: --model NAME=MODEL"
            )
        if not is_name(name):
            raise ParameterError(
                f"{name!r} cannot be the name of a model: expected letters, digits and _, and no word that filters have, such as quality"
            )


def _chosen(add: Sequence[str], classes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the columns of each model."""
    chosen: dict[str, list[str]] = {name: [] for name in classes}
    for what in add:
        name, dot, rest = what.partition(".")
        if dot and name in classes and (rest in (LABEL, PROB, ALL) or rest in classes[name]):
            chosen[name].append(rest)
            continue
        if what in (LABEL, PROB, ALL):
            for columns in chosen.values():
                columns.append(what)
            continue
        owners = [model for model, labels in classes.items() if what in labels]
        if not owners:
            unknown = no_label(rest, {name: classes[name]}) if dot and name in classes else no_label(what, classes)
            raise ParameterError(f"add={what!r}: {unknown} (expected are label, prob, all, none, or labels)")
        for model in owners:
            chosen[model].append(what)
    return chosen
