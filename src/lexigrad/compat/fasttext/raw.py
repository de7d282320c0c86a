"""The object below `_FastText`, its attribute `f`, with the original's methods."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.compat.fasttext.arguments import LOSSES, args, loss_name, model_name, path_of


def encoded(text: str) -> bytes:
    """Return text as UTF-8.

    Raises
    ------
    TypeError
        For what is no str, and for half a surrogate pair, which has no UTF-8 form.
    """
    if not isinstance(text, str):
        if isinstance(text, bytes):
            return text
        raise TypeError(f"expected a str, got {type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise TypeError(f"{text!r:.80} has no UTF-8 form ({error.reason})") from None


def Vector(size: int) -> NDArray[np.float32]:  # noqa: N802
    """Return an array that the methods which fill one take."""
    return np.zeros(size, np.float32)


class fasttext:  # noqa: N801 - the original's name
    """A model; until `loadModel` or training it has none."""

    def __init__(self) -> None:
        self._model: Any = None
        self._args: args | None = None

    @property
    def model(self) -> Any:
        """What `lexigrad.compat.fasttext.model.Model` holds.

        Raises
        ------
        RuntimeError
            Where there is none yet.
        """
        if self._model is None:
            raise RuntimeError("there is no model yet: load one, or train")
        return self._model

    def hold(self, model: Any, given: args | None = None) -> None:
        """Take a model, with the arguments that it was trained by."""
        self._model, self._args = model, given

    # --------------------------------------------------------------------------------------------------- the model

    def loadModel(self, path: str | bytes | os.PathLike[str]) -> None:  # noqa: N802
        """Open a file."""
        from lexigrad.compat.fasttext.model import Model
        from lexigrad.errors import FormatError

        name = path_of(path)
        if os.path.isdir(name):
            raise FormatError(f"{name} cannot be opened for loading! (it is a folder; expected a .bin or .ftz file)")
        try:
            self.hold(Model.load(name))
        except OSError as error:
            raise FormatError(f"{name} cannot be opened for loading! ({error.strerror})") from error

    def saveModel(self, path: str | bytes | os.PathLike[str]) -> None:  # noqa: N802
        """Write the model to a file."""
        from lexigrad.errors import DataError, LexigradError

        name = path_of(path)
        try:
            self.model.save(name)
        except (OSError, LexigradError) as error:
            raise DataError(f"{name} cannot be opened for saving! ({error})") from error

    def getArgs(self) -> args:  # noqa: N802
        """Return the arguments: of a model from a file those that files hold, and else the defaults."""
        found = args()
        if self._args is not None:
            found.__dict__.update(self._args.__dict__)
        if self._model is None:
            return found
        settings = self.model.file.settings
        names = {
            "dim": "dim", "window": "ws", "epochs": "epoch", "min_count": "minCount", "negatives": "neg", "word_ngrams": "wordNgrams",
            "n_buckets": "bucket", "min_n": "minn", "max_n": "maxn", "lr_update_rate": "lrUpdateRate", "subsample": "t",
        }  # fmt: skip
        for ours, theirs in names.items():
            setattr(found, theirs, settings[ours])
        found.qout = self.model.coded_output
        found.loss = loss_name[next(short for short, loss in LOSSES.items() if loss == settings["loss"])]
        found.model = model_name[settings["model"]]
        return found

    def isQuant(self) -> bool:  # noqa: N802
        """Tell whether the model is quantised."""
        return bool(self.model.quantised)

    def quantize(
        self, input: str | bytes | os.PathLike[str], qout: bool, cutoff: int, retrain: bool, epoch: int, lr: float, thread: int, verbose: int, dsub: int,
        qnorm: bool,
    ) -> None:  # fmt: skip
        """Quantise the model."""
        from lexigrad.compat.fasttext.training import quantised

        smaller = quantised(
            self.model, path_of(input, "input"), qout, cutoff, retrain, epoch, lr, thread, verbose, dsub, qnorm
        )
        self.hold(smaller, self._args)

    # --------------------------------------------------------------------------------------------------- prediction

    def predict(self, text: str, k: int, threshold: float, on_unicode_error: str | None) -> list[tuple[float, str]]:
        """Return (probability, label) of the first line of a text, best first. Only a newline ends it with </s>."""
        line, newline, _ = encoded(text).partition(b"\n")
        labels, probs = self.model.predictor.one(
            line, _whole("k", k), _number(threshold), on_unicode_error, bool(newline)
        )
        return list(zip(probs, labels, strict=True))

    def multilinePredict(  # noqa: N802
        self, texts: Sequence[str], k: int, threshold: float, on_unicode_error: str | None
    ) -> tuple[list[list[str]], list[NDArray[np.float32]]]:
        """Return labels and probabilities of the first lines of texts; see `predict`."""
        lines = [text[: text.find("\n") + 1] or text for text in texts]
        return self.model.predictor.many(lines, _whole("k", k), _number(threshold), on_unicode_error, ended=False)

    def test(self, filename: str | bytes | os.PathLike[str], k: int, threshold: float) -> tuple[int, float, float]:
        """Return the number of lines, precision and recall."""
        meter = self._measured(filename, k, threshold)
        return meter.n, *meter.ratios()[:2]

    def testLabel(  # noqa: N802
        self, filename: str | bytes | os.PathLike[str], k: int, threshold: float
    ) -> dict[str, dict[str, float]]:
        """Return precision, recall and F1 of each label."""
        meter = self._measured(filename, k, threshold)
        names = ("precision", "recall", "f1score")
        return {
            label.decode(): dict(zip(names, meter.ratios(i), strict=True)) for i, label in enumerate(self.model.labels)
        }

    def _measured(self, filename: str | bytes | os.PathLike[str], k: int, threshold: float) -> Any:
        from lexigrad.compat.fasttext.meter import measured

        return measured(self.model, path_of(filename), _whole("k", k), _number(threshold))

    def getMeter(self, filename: str | bytes | os.PathLike[str], k: int) -> Meter:  # noqa: N802
        """Return what answers questions about precision and recall."""
        return Meter(self._measured(filename, k, 0.0))

    # --------------------------------------------------------------------------------------------------- words

    def getWordId(self, word: str) -> int:  # noqa: N802
        """Return the id of a word, -1 where it is unknown."""
        number: int = self.model.places[encoded(word)]
        return number

    def getLabelId(self, label: str) -> int:  # noqa: N802
        """Return the id of a label, -1 where it is unknown."""
        number = self.getWordId(label)
        return number if number < 0 else number - int(self.model.file.n_words)

    def getSubwordId(self, subword: str) -> int:  # noqa: N802
        """Return the row of an n-gram."""
        return int(self.model.subword_id(encoded(subword)))

    def getSubwords(self, word: str, on_unicode_error: str | None) -> tuple[list[str], list[int]]:  # noqa: N802
        """Return a word and its n-grams, and their rows."""
        names, rows = self.model.subwords(encoded(word))
        return [name.decode("utf-8", on_unicode_error or "strict") for name in names], rows.tolist()

    def getVocab(self, on_unicode_error: str | None) -> tuple[list[str], list[int]]:  # noqa: N802
        """Return the words and their counts."""
        return [word.decode("utf-8", on_unicode_error or "strict") for word in self.model.words], self._counts(
            0, self.model.file.n_words
        )

    def getLabels(self, on_unicode_error: str | None) -> tuple[list[str], list[int]]:  # noqa: N802
        """Return the labels and their counts."""
        n = self.model.file.n_words
        return [label.decode("utf-8", on_unicode_error or "strict") for label in self.model.labels], self._counts(
            n, n + self.model.file.n_labels
        )

    def _counts(self, first: int, stop: int) -> list[int]:
        return self.model.file.counts[first:stop].tolist()

    def tokenize(self, text: str) -> list[str]:
        """Split text at white space; each newline is </s>."""
        from lexigrad.compat.fasttext.model import tokens_of

        return [token.decode("utf-8") for token in tokens_of(encoded(text))]

    def getLine(self, text: str, on_unicode_error: str | None) -> tuple[list[str], list[str]]:  # noqa: N802
        """Return the words and the labels of the first line of a text. Only a newline ends it with </s>."""
        line, newline, _ = encoded(text).partition(b"\n")
        return self.lineOf(line, bool(newline), on_unicode_error)

    def lineOf(self, line: bytes, ended: bool, on_unicode_error: str | None) -> tuple[list[str], list[str]]:  # noqa: N802
        """Return the words and the labels of a line, which has the word </s> at its end where it is `ended`."""
        words, labels = self.model.line(line, ended)
        return [word.decode("utf-8", on_unicode_error or "strict") for word in words], [
            label.decode("utf-8", on_unicode_error or "strict") for label in labels
        ]

    def multilineGetLine(  # noqa: N802
        self, texts: Sequence[str], on_unicode_error: str | None
    ) -> tuple[list[list[str]], list[list[str]]]:
        """Return the words and the labels of lines."""
        found = [self.getLine(text, on_unicode_error) for text in texts]
        return [words for words, _ in found], [labels for _, labels in found]

    # --------------------------------------------------------------------------------------------------- vectors

    def getWordVector(self, vector: NDArray[np.float32], word: str) -> None:  # noqa: N802
        """Fill a vector with that of a word."""
        vector[:] = self.model.word_vector(encoded(word))

    def getSentenceVector(self, vector: NDArray[np.float32], text: str) -> None:  # noqa: N802
        """Fill a vector with that of the first line of a text. Only a newline ends it with </s>."""
        line, newline, _ = encoded(text).partition(b"\n")
        vector[:] = self.model.sentence_vector(line, bool(newline))

    def getInputVector(self, vector: NDArray[np.float32], row: int) -> None:  # noqa: N802
        """Fill a vector with a row of the input matrix."""
        vector[:] = self.model.input_vector(row)

    def getInputMatrix(self) -> NDArray[np.float32]:  # noqa: N802
        """Return a copy of the input matrix."""
        return self.model.input_matrix()

    def getOutputMatrix(self) -> NDArray[np.float32]:  # noqa: N802
        """Return a copy of the output matrix."""
        return self.model.output_matrix()

    def setMatrices(self, input_matrix: NDArray[np.float32], output_matrix: NDArray[np.float32]) -> None:  # noqa: N802
        """Replace both matrices."""
        self.hold(self.model.with_matrices(input_matrix, output_matrix), self._args)

    def getNN(self, word: str, k: int, on_unicode_error: str | None) -> list[tuple[float, str]]:  # noqa: N802
        """Return the words nearest to a word."""
        found = self.model.neighbours(encoded(word), _whole("k", k))
        return [(score, name.decode("utf-8", on_unicode_error or "strict")) for score, name in found]

    def getAnalogies(  # noqa: N802
        self, wordA: str, wordB: str, wordC: str, k: int, on_unicode_error: str | None
    ) -> list[tuple[float, str]]:
        """Return the words nearest to A - B + C."""
        found = self.model.analogies([encoded(word) for word in (wordA, wordB, wordC)], _whole("k", k))
        return [(score, name.decode("utf-8", on_unicode_error or "strict")) for score, name in found]


class Meter:
    """Precision and recall of a model on a file, over all labels or one, given by its id."""

    def __init__(self, counts: Any) -> None:
        self._counts = counts

    def scoreVsTrue(self, label: int) -> list[tuple[float, float]]:  # noqa: N802
        """Return (score, 1.0 where it is right)."""
        return _pairs(self._counts.score_vs_true(label))

    def precisionRecallCurve(self) -> list[tuple[float, float]]:  # noqa: N802
        """Return (precision, recall) over all labels."""
        return _pairs(self._counts.curve())

    def precisionRecallCurveLabel(self, label: int) -> list[tuple[float, float]]:  # noqa: N802
        """Return (precision, recall) of a label."""
        return _pairs(self._counts.curve(label))

    def precisionAtRecall(self, recall: float) -> float:  # noqa: N802
        """Return the best precision at a recall."""
        return self._counts.precision_at_recall(recall)

    def precisionAtRecallLabel(self, label: int, recall: float) -> float:  # noqa: N802
        """Return the best precision of a label at a recall."""
        return self._counts.precision_at_recall(recall, label)

    def recallAtPrecision(self, precision: float) -> float:  # noqa: N802
        """Return the best recall at a precision."""
        return self._counts.recall_at_precision(precision)

    def recallAtPrecisionLabel(self, label: int, precision: float) -> float:  # noqa: N802
        """Return the best recall of a label at a precision."""
        return self._counts.recall_at_precision(precision, label)


def _pairs(columns: tuple[NDArray[np.float64], NDArray[np.float64]]) -> list[tuple[float, float]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _whole(name: str, value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(f"{name}={value!r}: expected a whole number")
    return int(value.__index__())


def _number(value: Any) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"threshold={value!r}: expected a number")
    return float(value)
