"""From batches of labelled texts to a fitted classifier: read, encode, train."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.machine.memory import check_memory
from lexigrad.machine.threads import thread_count
from lexigrad.models.fitted import FittedClassifier, TextReader
from lexigrad.text.batches import TextBatch
from lexigrad.text.corpus import Corpus, read_corpus
from lexigrad.text.features import FeatureSpace, encode_corpus
from lexigrad.text.tokens import tokenizer_code
from lexigrad.text.unicode import UNICODE_VERSION
from lexigrad.text.vocabulary import Vocabulary
from lexigrad.training.classifier import LabelledTexts, Questions, Weights, train_classifier
from lexigrad.training.progress import Callback, display

if TYPE_CHECKING:
    from lexigrad.models.given_vectors import GivenVectors


def train_fitted(
    batches: Iterator[TextBatch] | Corpus,
    params: dict[str, Any],
    callback: Callback | None,
    given: GivenVectors | None = None,
    keep_unseen: bool = True,
) -> tuple[FittedClassifier, list[float], BaseException | None]:
    """Train a classifier, on texts or on what `read_corpus` made of them; the vectors of its words may begin at `given` ones.

    `keep_unseen` as in `TextClassifier.fit`.

    Returns the model, the course of its loss, and the exception that ended training early (Ctrl-C, divergence, an
    error in the callback)
    or None; the model is usable in each case.

    Raises
    ------
    MemoryError
        The input matrix would not fit into the memory that is free.
    """
    started = time.perf_counter()
    threads = thread_count(params["threads"])
    tokenizer = tokenizer_code(params["tokenizer"])
    corpus = batches if isinstance(batches, Corpus) else read_corpus(batches, tokenizer, threads)
    features = {name: params[name] for name in ("min_count", "word_ngrams", "min_n", "max_n", "buckets")}
    start = None
    if given is not None:
        from lexigrad.models.given_vectors import starting_words

        start = starting_words(corpus.vocabulary, params["min_count"], given, tokenizer, keep_unseen)
    space, texts = encode_corpus(corpus, **features, threads=threads, words=None if start is None else start.chosen)
    data = LabelledTexts(
        texts, space.members, corpus.label_ids, corpus.label_offsets, len(corpus.labels), corpus.n_tokens
    )
    check_memory(
        4 * len(space.members) * params["dim"], "the vectors of words and n-grams", "a smaller dim or fewer buckets"
    )
    label_counts = np.bincount(corpus.label_ids, minlength=len(corpus.labels)).astype(np.int64)
    questions = Questions.of(params["loss"], label_counts, params["negatives"])
    weights = Weights(space.members, questions.n_outputs, params["dim"], params["seed"], threads)
    if start is not None:
        weights.begin_at(space.slot_rows[start.ids], start.vectors, start.n_seen > 0)
    read_seconds = time.perf_counter() - started
    settings = {name: params[name] for name in ("epochs", "lr", "seed")}
    losses: list[float] = []
    interrupted: BaseException | None = None
    try:
        losses = train_classifier(
            weights,
            data,
            **settings,
            threads=threads,
            display=display(params["verbose"]),
            questions=questions,
            callback=callback,
        )
    except BaseException as error:
        interrupted = error
    facts = {
        "n_texts": data.n_texts,
        "n_unlabelled": corpus.n_unlabelled,
        "n_tokens": data.n_tokens,
        "n_features": int(space.members.sum()) - (0 if start is None else len(start.ids) - start.n_seen),
        **({} if start is None else {"n_given": len(start.ids), "n_given_seen": start.n_seen}),
        "final_loss": losses[-1] if losses else None,
        "read_seconds": round(read_seconds, 3),
        "train_seconds": round(time.perf_counter() - started - read_seconds, 3),
        "finished": interrupted is None,
    }
    words = corpus.vocabulary.selected(np.arange(space.n_words)) if start is None else start.vocabulary
    return _fitted(corpus, label_counts, words, space, weights, params, facts), losses, interrupted


def _fitted(
    corpus: Corpus,
    label_counts: NDArray[np.int64],
    words: Vocabulary,
    space: FeatureSpace,
    weights: Weights,
    params: dict[str, Any],
    facts: dict[str, Any],
) -> FittedClassifier:
    matrix, output = weights.finish()
    sizes = {name: params[name] for name in ("word_ngrams", "min_n", "max_n")}
    reader = TextReader(tokenizer_code(params["tokenizer"]), words, space.slot_rows, space.n_buckets, **sizes)
    facts["unicode_version"] = UNICODE_VERSION
    classes = class_array(corpus.labels)
    return FittedClassifier(reader, matrix, output, classes, label_counts, corpus.several, facts, params["loss"])


def class_array(labels: list[Any]) -> NDArray[Any]:
    """Return sorted labels as an array of their own type."""
    return np.array(labels)
