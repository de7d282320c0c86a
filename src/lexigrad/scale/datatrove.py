"""A filter for pipelines of datatrove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import ParameterError
from lexigrad.scale.libraries import absent
from lexigrad.scale.models import SharedModel, SharedScorer, text_array
from lexigrad.scoring.scorer import Scorer

try:
    from datatrove.pipeline.filters.base_filter import BaseFilter
except ImportError as error:
    BaseFilter = absent("datatrove", "'lexigrad[datatrove]'", error)

Chosen = tuple[str, float] | Sequence[tuple[str, float]]
"""A label and a probability, or several of them."""


class LexigradFilter(BaseFilter):  # type: ignore[misc]
    """Keeps documents by the probabilities of labels; a batch is scored in one call.

    With `keep_labels` a document stays where at least one of the labels has at least its probability, with `remove_labels` where none has. With neither all
    stay. Settings have the names that they have in datatrove's `FastTextClassifierFilter`; labels are named without their prefix.

    Parameters
    ----------
    model : the path of a model's file, .bin and .ftz too, which all workers see; or a trained `lexigrad.TextClassifier`, where all workers are
        on this machine
    keep_labels, remove_labels : (label, probability), or a list of them; one of the two
    save_labels_in_metadata : True to write the probabilities of all labels into the metadata of documents, or a list of labels; False for none
    name : stands with "_" before the names of labels in the metadata
    exclusion_writer : a writer of datatrove for documents that are dropped; ``filter_reason`` in their metadata says why
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`
    batch_size : documents that are scored at once
    threads : of each worker; datatrove runs one worker a task, so that one thread each is best

    Raises
    ------
    ParameterError
        datatrove is not installed; both kinds of labels, a label that the model does not have, a probability outside 0..1, other settings.
    FormatError, NotFittedError
        A model that cannot be used.
    """

    name = "🧮 lexigrad"

    def __init__(
        self,
        model: Any,
        keep_labels: Chosen | None = None,
        remove_labels: Chosen | None = None,
        save_labels_in_metadata: bool | Sequence[str] = True,
        *,
        name: str = "",
        exclusion_writer: Any = None,
        newlines: str = "space",
        unit: str = "document",
        window: int = 200,
        aggregate: str = "mean",
        batch_size: int = 1000,
        threads: int = 1,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        if keep_labels and remove_labels:
            raise ParameterError("keep_labels and remove_labels were given: expected one of them; chain two filters")
        self.keep_labels, self.remove_labels = (
            _pairs("keep_labels", keep_labels),
            _pairs("remove_labels", remove_labels),
        )
        self.prefix, self.threads = f"{name}_" if name else "", threads
        self.scorer = SharedScorer(SharedModel.of(model), name, (), newlines, unit, window, aggregate)
        scorer = self.scorer.open()
        saved = save_labels_in_metadata
        self.saved: list[Any] = list(scorer.classes) if saved is True else list(saved or [])
        for label in [*self.saved, *(label for label, _ in self.keep_labels + self.remove_labels)]:
            scorer.place(label)

    def filter(self, doc: Any) -> bool | tuple[bool, str]:
        """Say whether a document is kept, or that it is not and why."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Any]) -> list[bool | tuple[bool, str]]:
        """Say for each document whether it is kept, or that it is not and why; write probabilities into their metadata."""
        scorer: Scorer = self.scorer.open()
        asked = [label for label, _ in self.keep_labels + self.remove_labels]
        probs = scorer.score(text_array([doc.text for doc in batch]), [*self.saved, *asked], self.threads).probs
        for label in self.saved:
            for doc, prob in zip(batch, probs[label].tolist(), strict=True):
                doc.metadata[f"{self.prefix}{label}"] = prob
        kept, removed = _reached(probs, self.keep_labels), _reached(probs, self.remove_labels)
        results: list[bool | tuple[bool, str]] = [True] * len(batch)
        for i in range(len(batch)):
            if self.keep_labels and not kept[:, i].any():
                results[i] = (
                    False,
                    "_or_".join(f"{self.prefix}{label}_below_{prob:g}" for label, prob in self.keep_labels),
                )
            elif self.remove_labels and removed[:, i].any():
                label, prob = self.remove_labels[int(removed[:, i].argmax())]
                results[i] = (False, f"{self.prefix}{label}_from_{prob:g}")
        return results


def _pairs(name: str, given: Any) -> list[tuple[str, float]]:
    """Return the pairs of labels and probabilities."""
    pairs = [given] if given and isinstance(given[0], str) else list(given or [])
    for pair in pairs:
        if not (
            isinstance(pair, (tuple, list))
            and len(pair) == 2
            and isinstance(pair[1], (int, float))
            and 0 <= pair[1] <= 1
        ):
            raise ParameterError(f"{name}: expected pairs of a label and a probability from 0 to 1, not {pair!r}")
    return [(label, float(prob)) for label, prob in pairs]


def _reached(probs: dict[Any, NDArray[np.float32]], pairs: list[tuple[str, float]]) -> NDArray[np.bool_]:
    """Return for each pair which texts have at least its probability, (n_pairs, n)."""
    return np.array([probs[label].astype(np.float64) >= prob for label, prob in pairs])
