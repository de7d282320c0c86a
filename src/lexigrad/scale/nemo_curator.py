"""Filters for NeMo Curator, by quality and by language, and a stage that gives them a whole batch at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from lexigrad.errors import ParameterError
from lexigrad.scale.libraries import absent
from lexigrad.scale.models import SharedModel, SharedScorer, text_array
from lexigrad.scale.pareto import pareto_numbers
from lexigrad.scoring.scorer import Scores

try:
    from nemo_curator.stages.text.filters import DocumentFilter, ScoreFilter
except ImportError as error:
    DocumentFilter = ScoreFilter = absent("NeMo Curator", "nemo-curator", error)


class LexigradDocumentFilter(DocumentFilter):  # type: ignore[misc]
    """What the filters below share: a scorer that travels, opened when a worker starts, and batches.

    Parameters
    ----------
    model : the path of a model's file, .bin and .ftz too, which all workers see; or a trained `lexigrad.TextClassifier`, where all workers are
        on this machine
    name : of the stage
    add, labels : what is scored, see `lexigrad.scoring.scorer.Scorer`
    settings : newlines, unit, window, aggregate, likewise
    """

    def __init__(self, model: Any, name: str, add: tuple[str, ...], labels: tuple[str, ...], **settings: Any) -> None:
        super().__init__()
        self._name, self._labels = name, labels
        self._scorer = SharedScorer(SharedModel.of(model), "", add, **settings)
        scorer = self._scorer.open()
        for label in labels:
            scorer.place(label)

    def model_check_or_download(self) -> None:
        """Make sure that the model is on this machine; NeMo Curator calls it once a machine."""
        self._scorer.model.file()

    def load_model(self) -> None:
        """Open the model; NeMo Curator calls it once a worker."""
        self._scorer.open()

    def _scores(self, texts: Any) -> Scores:
        return self._scorer.open().score(text_array(texts), self._labels, 1)

    def score_document(self, text: str) -> Any:
        """Return the score of one document."""
        return self.score_documents([text])[0]

    def score_documents(self, texts: Any) -> list[Any]:
        """Return the scores of documents, scored in one call."""
        raise NotImplementedError

    def keep_documents(self, texts: Any, scores: Iterable[Any]) -> list[bool]:
        """Say which documents are kept."""
        return [self.keep_document(score) for score in scores]


class LexigradQualityFilter(LexigradDocumentFilter):
    """Keeps documents by the probability of a label.

    With `alpha` it is the rule of NeMo Curator's `FastTextQualityFilter`, which that of GPT-3's data was: a document with probability p stays where a
    number x of the Pareto distribution P(x > a) = (1 + a)^-alpha is above 1 - p, so that a few of the worst stay, too (T. Brown et al., "Language
    Models are Few-Shot Learners", 2020, appendix A). In a `LexigradScoreFilter` x follows from `seed` and the text alone, so that a document has the same
    fate wherever and however often it is scored; in a plain `ScoreFilter`, which does not show the text, x is drawn anew for each document.

    Parameters
    ----------
    model : see `LexigradDocumentFilter`
    label : its probability is the score
    threshold : documents with at least this probability stay
    alpha : instead of a threshold
    seed : of the numbers x
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`

    Raises
    ------
    ParameterError
        NeMo Curator is not installed; neither a threshold nor alpha, or both; the model does not have the label.
    FormatError, NotFittedError
        A model that cannot be used.
    """

    def __init__(
        self,
        model: Any,
        label: str = "hq",
        threshold: float | None = None,
        alpha: float | None = None,
        seed: int = 42,
        **settings: Any,
    ) -> None:
        super().__init__(model, "lexigrad_quality_filter", (), (label,), **settings)
        if (threshold is None) == (alpha is None):
            raise ParameterError("expected either threshold=, such as 0.5, or alpha=, such as 3")
        if threshold is not None and not 0 <= threshold <= 1:
            raise ParameterError(f"threshold={threshold!r}: expected a probability from 0 to 1")
        if alpha is not None and not alpha > 0:
            raise ParameterError(f"alpha={alpha!r}: expected a number above 0")
        self._threshold, self._alpha, self._seed = threshold, alpha, seed
        self._generator = np.random.default_rng(seed)

    def score_documents(self, texts: Any) -> list[float]:
        """Return the probabilities of the label, NaN for a missing text."""
        scores: list[float] = self._scores(texts).probs[self._labels[0]].tolist()
        return scores

    def keep_document(self, scores: float) -> bool:
        """Say whether a document with this probability is kept."""
        if self._alpha is not None:
            return bool(self._generator.pareto(self._alpha) > 1 - scores)
        return self._threshold is not None and bool(scores >= self._threshold)

    def keep_documents(self, texts: Any, scores: Iterable[float]) -> list[bool]:
        """Say which documents are kept; with `alpha` by a number that follows from the text."""
        if self._alpha is None:
            return super().keep_documents(texts, scores)
        numbers = pareto_numbers(texts, self._alpha, self._seed)
        kept: list[bool] = (numbers > 1 - np.fromiter(scores, np.float64)).tolist()
        return kept


class LexigradLanguageFilter(LexigradDocumentFilter):
    """Keeps documents by the most probable label of a model of languages; the score is ``[probability, "label"]`` in JSON.

    Parameters
    ----------
    model : see `LexigradDocumentFilter`
    min_langid_score : documents stay where the most probable label has at least this probability
    lang : and is this language, in whatever case; "eng" stands for "eng_Latn", too, and None for all
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`

    Raises
    ------
    ParameterError
        NeMo Curator is not installed; the model does not have the language.
    FormatError, NotFittedError
        A model that cannot be used.
    """

    def __init__(self, model: Any, min_langid_score: float = 0.3, lang: str | None = None, **settings: Any) -> None:
        super().__init__(model, "lexigrad_language_filter", ("label", "prob"), (), **settings)
        self._min_langid_score, self._lang = min_langid_score, lang
        if lang is not None:
            known = [str(label) for label in self._scorer.open().classes]
            if not any(_is_language(label, lang) for label in known):
                raise ParameterError(
                    f"lang={lang!r}: the model has no such language; it has {', '.join(known[:10])}{' and others' * (len(known) > 10)}"
                )

    def score_documents(self, texts: Any) -> list[str]:
        """Return the most probable label of each text and its probability; of a missing text null and 0."""
        labels, probs = (column.to_pylist() for column in self._scores(texts).columns)
        return [
            json.dumps([prob or 0.0, None if label is None else str(label)], ensure_ascii=False)
            for label, prob in zip(labels, probs, strict=True)
        ]

    def keep_document(self, scores: str) -> bool:
        """Say whether a document with this score is kept."""
        prob, label = json.loads(scores)
        return (
            label is not None
            and prob >= self._min_langid_score
            and (self._lang is None or _is_language(label, self._lang))
        )


class LexigradScoreFilter(ScoreFilter):  # type: ignore[misc]
    """NeMo Curator's `ScoreFilter`, which it takes the place of; it gives our filters a whole batch at once, and all others one document after the other."""

    def compute_filter_mask(
        self, df: Any, filter_obj: Any, text_field: str, score_field: str | None, invert: bool
    ) -> Any:
        """Return which documents of a batch are kept, and write their scores; see `ScoreFilter`."""
        if not isinstance(filter_obj, LexigradDocumentFilter):
            return super().compute_filter_mask(df, filter_obj, text_field, score_field, invert)
        import pandas as pd

        scores = filter_obj.score_documents(df[text_field])
        if score_field is not None:
            df[score_field] = scores
        kept = pd.Series(filter_obj.keep_documents(df[text_field], scores), index=df.index, dtype=bool)
        return ~kept if invert else kept


def _is_language(label: str, lang: str) -> bool:
    label, lang = label.casefold(), lang.casefold()
    return lang in (label, label.partition("_")[0])
