# ruff: noqa: N999 - the original's name
"""`fasttext.FastText`: the object that holds a model, and the functions that make one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from lexigrad.compat.fasttext import raw as fasttext
from lexigrad.compat.fasttext.arguments import (
    DEFAULTS,
    SUPERVISED,
    SUPERVISED_NAMES,
    TRAINED,
    UNSUPERVISED_NAMES,
    args,
    build_args,
    loss_name,
    model_name,
    path_of,
    read_args,
)
from lexigrad.compat.fasttext.prediction import NEWLINE, ONE_LINE

EOS = "</s>"
BOW = "<"
EOW = ">"
unsupervised_default = DEFAULTS

__all__ = [
    "BOW", "EOS", "EOW", "cbow", "load_model", "loss_name", "model_name", "read_args", "skipgram", "supervised", "tokenize", "train_supervised",
    "train_unsupervised", "unsupervised_default",
]  # fmt: skip


class _Meter:
    """Precision and recall on a file; see `_FastText.get_meter`."""

    def __init__(self, fasttext_model: _FastText, meter: fasttext.Meter) -> None:
        self.f = fasttext_model
        self.m = meter

    def _id(self, label: str) -> int:
        number = self.f.get_label_id(label)
        if number < 0:
            raise ValueError(f"{label!r} is no label of this model")
        return number

    def score_vs_true(self, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probabilities that a label was given, rising, and 1 where it was right, else 0."""
        return _columns(self.m.scoreVsTrue(self._id(label)))

    def precision_recall_curve(self, label: str | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return precision and recall as the threshold falls, of a label or of all."""
        curve = self.m.precisionRecallCurveLabel(self._id(label)) if label else self.m.precisionRecallCurve()
        return _columns(curve)

    def precision_at_recall(self, recall: float, label: str | None = None) -> float:
        """Return the best precision at which recall is at least `recall`."""
        return self.m.precisionAtRecallLabel(self._id(label), recall) if label else self.m.precisionAtRecall(recall)

    def recall_at_precision(self, precision: float, label: str | None = None) -> float:
        """Return the best recall at which precision is at least `precision`."""
        return (
            self.m.recallAtPrecisionLabel(self._id(label), precision) if label else self.m.recallAtPrecision(precision)
        )


def _columns(pairs: list[tuple[float, float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = np.array(pairs, np.float64).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


class _FastText:
    """A model: a classifier or word vectors. `load_model` and the training functions make it.

    It can be pickled, and used by several threads at once; `predict` of a list runs on all processors without the GIL.
    """

    def __init__(self, model_path: str | bytes | os.PathLike[str] | None = None, args: args | None = None) -> None:
        self.f = fasttext.fasttext()
        if model_path is not None:
            self.f.loadModel(model_path)
        self._words: list[str] | None = None
        self._labels: list[str] | None = None
        self._known: set[str] | None = None
        self.set_args(args)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_words": None, "_labels": None, "_known": None}

    def set_args(self, args: args | None = None) -> None:
        """Show the arguments of a training as attributes."""
        if args:
            for name in TRAINED:
                setattr(self, name, getattr(args, name))

    def is_quantized(self) -> bool:
        """Tell whether the model is quantised."""
        return self.f.isQuant()

    def get_dimension(self) -> int:
        """Return the length of a vector."""
        return int(self.f.model.dim)

    # --------------------------------------------------------------------------------------------------- vectors

    def get_word_vector(self, word: str) -> NDArray[np.float32]:
        """Return the vector of a word, (dim,): the mean of the rows of the word and its n-grams; zeros where none is known."""
        vector: NDArray[np.float32] = self.f.model.word_vector(fasttext.encoded(word))
        return vector

    def get_sentence_vector(self, text: str) -> NDArray[np.float32]:
        """Return the vector of one line, (dim,)."""
        _check_line(text, "predict")
        vector: NDArray[np.float32] = self.f.model.sentence_vector(fasttext.encoded(text))
        return vector

    def get_nearest_neighbors(
        self, word: str, k: int = 10, on_unicode_error: str | None = "strict"
    ) -> list[tuple[float, str]]:
        """Return (cosine, word) of the `k` nearest words."""
        return self.f.getNN(word, k, on_unicode_error)

    def get_analogies(
        self, wordA: str, wordB: str, wordC: str, k: int = 10, on_unicode_error: str | None = "strict"
    ) -> list[tuple[float, str]]:
        """Return (cosine, word) of the `k` words nearest to A - B + C."""
        return self.f.getAnalogies(wordA, wordB, wordC, k, on_unicode_error)

    def get_input_vector(self, ind: int) -> NDArray[np.float32]:
        """Return a row of the input matrix."""
        vector: NDArray[np.float32] = self.f.model.input_vector(ind)
        return vector

    def get_input_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the input matrix, (words + buckets, dim).

        Raises
        ------
        ValueError
            If the model is quantised.
        """
        self._check_plain()
        return self.f.getInputMatrix()

    def get_output_matrix(self) -> NDArray[np.float32]:
        """Return a copy of the output matrix; see `get_input_matrix`."""
        self._check_plain()
        return self.f.getOutputMatrix()

    def _check_plain(self) -> None:
        if self.f.isQuant():
            raise ValueError("Can't get quantized Matrix")

    def set_matrices(self, input_matrix: NDArray[np.floating], output_matrix: NDArray[np.floating]) -> None:
        """Replace both matrices, by as many rows of any one length."""
        self.f.setMatrices(input_matrix.astype(np.float32), output_matrix.astype(np.float32))

    # --------------------------------------------------------------------------------------------------- words

    def get_word_id(self, word: str) -> int:
        """Return the id of a word, -1 where it is unknown."""
        return self.f.getWordId(word)

    def get_label_id(self, label: str) -> int:
        """Return the id of a label, -1 where it is unknown."""
        return self.f.getLabelId(label)

    def get_subword_id(self, subword: str) -> int:
        """Return the row of the input matrix that an n-gram falls into."""
        return self.f.getSubwordId(subword)

    def get_subwords(self, word: str, on_unicode_error: str | None = "strict") -> tuple[list[str], NDArray[Any]]:
        """Return a word and its n-grams, and their rows."""
        names, rows = self.f.model.subwords(fasttext.encoded(word))
        return [name.decode("utf-8", on_unicode_error or "strict") for name in names], rows

    def get_words(self, include_freq: bool = False, on_unicode_error: str | None = "strict") -> Any:
        """Return the words by their ids, or the words and their counts."""
        words, counts = self.f.getVocab(on_unicode_error)
        return (words, np.array(counts)) if include_freq else words

    def get_labels(self, include_freq: bool = False, on_unicode_error: str | None = "strict") -> Any:
        """Return the labels by their ids, or the labels and their counts; of word vectors the words."""
        if not self.f.model.supervised:
            return self.get_words(include_freq, on_unicode_error)
        labels, counts = self.f.getLabels(on_unicode_error)
        return (labels, np.array(counts)) if include_freq else labels

    def get_line(self, text: str | list[str], on_unicode_error: str | None = "strict") -> Any:
        """Return the words and the labels of a line, or of each line of a list."""
        if isinstance(text, list):
            for entry in text:
                _check_line(entry, "get_line")
            lines = [self.f.lineOf(fasttext.encoded(entry), True, on_unicode_error) for entry in text]
            return [words for words, _ in lines], [labels for _, labels in lines]
        _check_line(text, "get_line")
        return self.f.lineOf(fasttext.encoded(text), True, on_unicode_error)

    @property
    def words(self) -> list[str]:
        """The words, by their ids."""
        if self._words is None:
            self._words = self.get_words()
        return self._words

    @property
    def labels(self) -> list[str]:
        """The labels, by their ids."""
        if self._labels is None:
            self._labels = self.get_labels()
        return self._labels

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        return self.get_word_vector(word)

    def __contains__(self, word: str) -> bool:
        try:
            return 0 <= self.f.getWordId(word) < self.f.model.file.n_words
        except TypeError:
            if isinstance(word, str):  # half a surrogate pair: no word has one
                return False
            raise

    __iter__ = None  # indices are words, so there is no counting through them

    # --------------------------------------------------------------------------------------------------- prediction

    def predict(self, text: Any, k: int = 1, threshold: float = 0.0, on_unicode_error: str | None = "strict") -> Any:
        """Return the most probable labels of one line, or of each in a list.

        Parameters
        ----------
        text : a str without newline, or a list of such
        k : how many labels; -1 for all
        threshold : labels that are less probable are left out
        on_unicode_error : what becomes of labels that are no UTF-8, as in `bytes.decode`

        Returns
        -------
        labels, probabilities : for a str a tuple and a float64 array; for a list a list of lists and a list of float32 arrays

        Raises
        ------
        ValueError
            For a text with a newline, for k = 0, and if the model is no classifier.
        """
        k, threshold = fasttext._whole("k", k), fasttext._number(threshold)
        if isinstance(text, str):
            _check_line(text, "predict")
            labels, probs = self.f.model.predictor.one(fasttext.encoded(text), k, threshold, on_unicode_error)
            return tuple(labels), np.array(probs, np.float64)
        listed = hasattr(text, "__len__") and hasattr(text, "__getitem__") and not isinstance(text, (bytes, Mapping))
        if not listed or len(getattr(text, "shape", (0,))) != 1:  # the second: tables
            raise TypeError(
                f"text is of type {type(text).__name__}: expected a str or a list of str, of a table one column"
            )
        texts = text if isinstance(text, list) else list(text)
        return self.f.model.predictor.many(texts, k, threshold, on_unicode_error)

    def test(
        self, path: str | bytes | os.PathLike[str], k: int = 1, threshold: float = 0.0
    ) -> tuple[int, float, float]:
        """Return the number of lines with a label, and precision and recall at `k`."""
        return self.f.test(path, k, threshold)

    def test_label(
        self, path: str | bytes | os.PathLike[str], k: int = 1, threshold: float = 0.0
    ) -> dict[str, dict[str, float]]:
        """Return precision, recall and F1 of each label at `k`."""
        return self.f.testLabel(path, k, threshold)

    def get_meter(self, path: str | bytes | os.PathLike[str], k: int = -1) -> _Meter:
        """Return what answers questions about precision and recall on a file."""
        return _Meter(self, self.f.getMeter(path, k))

    # --------------------------------------------------------------------------------------------------- files

    def save_model(self, path: str | bytes | os.PathLike[str]) -> None:
        """Write the model to a file, which the original reads, too."""
        self.f.saveModel(path)

    def quantize(
        self,
        input: str | bytes | os.PathLike[str] | None = None,
        qout: bool = False,
        cutoff: int = 0,
        retrain: bool = False,
        epoch: int | None = None,
        lr: float | None = None,
        thread: int | None = None,
        verbose: int | None = None,
        dsub: int = 2,
        qnorm: bool = False,
    ) -> None:
        """Quantise the model, in place.

        Parameters
        ----------
        input : text to train on again, with ``retrain=True``
        qout : quantise the output matrix, too
        cutoff : keep so many words and n-grams; 0 for all
        retrain : train again with those that are kept
        epoch, lr, thread, verbose : of that training; None for the model's own
        dsub : numbers of a slice
        qnorm : quantise lengths apart from directions
        """
        if retrain and not input:
            raise ValueError("Need input file path if retraining")
        a = self.f.getArgs()
        self.f.quantize(
            input or "", qout, cutoff, retrain, epoch or a.epoch, lr or a.lr, thread or DEFAULTS["thread"], verbose or a.verbose, dsub, qnorm
        )  # fmt: skip
        self._words = None


def _check_line(text: Any, who: str) -> None:
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"text is of type {type(text).__name__}: expected a str")
    if (NEWLINE in text) if isinstance(text, bytes) else ("\n" in text):
        raise ValueError(ONE_LINE.replace("predict", who))


def tokenize(text: str) -> list[str]:
    """Split text at white space; each newline is the token </s>.

    >>> tokenize("green  tea")
    ['green', 'tea']
    """
    return fasttext.fasttext().tokenize(text)


def load_model(path: str | bytes | os.PathLike[str]) -> _FastText:
    """Open a model, `.bin` or `.ftz`.

    Raises
    ------
    TypeError
        For what is no path.
    ValueError
        If there is no such file, or it holds something else, or is damaged.
    """
    return _FastText(model_path=path_of(path))


def _trained(values: dict[str, Any], given: set[str]) -> _FastText:
    from lexigrad.compat.fasttext.training import train

    built = build_args(values, given)
    model = _FastText()
    model.f.hold(train(built), built)
    model.set_args(model.f.getArgs())
    return model


def train_supervised(*kargs: Any, **kwargs: Any) -> _FastText:
    """Train a classifier on lines such as "__label__spam buy now".

    Arguments, in this order: input, lr=0.1, dim=100, ws=5, epoch=5, minCount=1, minCountLabel=0, minn=0, maxn=0, neg=5, wordNgrams=1, loss="softmax"
    (or "hs", "ns", "ova"), bucket=2000000, thread (all processors), lrUpdateRate=100, t=1e-4, label="__label__", verbose=2, pretrainedVectors="", seed=0,
    autotuneValidationFile="", autotuneMetric="f1", autotunePredictions=1, autotuneDuration=300, autotuneModelSize="". `docs/fasttext.md` says what each
    one does here.

    Raises
    ------
    TypeError
        For arguments that do not exist, and values of another type.
    ValueError
        For a file that is not there, and values that cannot be used.
    RuntimeError
        Where training diverged; a smaller `lr` helps.
    """
    return _trained(*read_args(kargs, kwargs, SUPERVISED_NAMES, {"input": "", **DEFAULTS, **SUPERVISED}))


def train_unsupervised(*kargs: Any, **kwargs: Any) -> _FastText:
    """Train word vectors on lines of text.

    Arguments, in this order: input, model="skipgram" (or "cbow"), lr=0.05, dim=100, ws=5, epoch=5, minCount=5, minCountLabel=0, minn=3, maxn=6, neg=5,
    wordNgrams=1, loss="ns" (or "hs", "softmax"), bucket=2000000, thread (all processors), lrUpdateRate=100, t=1e-4, label="__label__", verbose=2,
    pretrainedVectors="". It raises what `train_supervised` does.
    """
    return _trained(*read_args(kargs, kwargs, UNSUPERVISED_NAMES, {"input": "", **DEFAULTS}))


def _gone(name: str, instead: str) -> NoReturn:
    raise Exception(f"`{name}` is not supported any more. Please use {instead}.")


def cbow(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Raise, as the original does: `train_unsupervised` with ``model="cbow"`` took its place."""
    _gone("cbow", "`train_unsupervised` with model=`cbow`")


def skipgram(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Raise, as the original does: `train_unsupervised` with ``model="skipgram"`` took its place."""
    _gone("skipgram", "`train_unsupervised` with model=`skipgram`")


def supervised(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Raise, as the original does: `train_supervised` took its place."""
    _gone("supervised", "`train_supervised`")
