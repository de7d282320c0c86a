"""The text classifier that a user holds."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, NotFittedError, ParameterError
from lexigrad.machine.threads import thread_count
from lexigrad.models.parameters import WithParameters, check_keep_unseen, check_parameters, check_whole
from lexigrad.text.batches import TextBatch
from lexigrad.text.sources import Paths, is_table, read_file, read_table, read_texts

if TYPE_CHECKING:
    from lexigrad.evaluation.report import Evaluation
    from lexigrad.models.explanation import Explanation
    from lexigrad.models.fitted import FittedClassifier
    from lexigrad.models.given_vectors import Given
    from lexigrad.models.tune import TrialCallback
    from lexigrad.models.tuning_report import Tuning
    from lexigrad.training.progress import Callback

PARAMETERS = (
    "dim", "epochs", "lr", "loss", "negatives", "word_ngrams", "min_n", "max_n", "buckets", "min_count", "tokenizer", "label_prefix",
    "threads", "seed", "deterministic", "verbose",
)  # fmt: skip


class TextClassifier(WithParameters):
    """A linear classifier over the mean of learned word and n-gram vectors.

    For a text with features f_1..f_n (words, character n-grams, word n-grams; repeated ones count each time)::

        h = (1/n) sum_i A[f_i]        p = softmax(W h)        loss = -sum_l y_l log p_l

    with A (n_rows, dim), W (n_labels, dim), y_l = 1/m on each of the m labels of a text. Both matrices follow the
    exact gradient by stochastic
    gradient descent with a linearly falling learning rate, A from 0 and W from random numbers. The method is that of A. Joulin, E. Grave, P. Bojanowski
    and T. Mikolov, "Bag of
    Tricks for Efficient Text Classification" (EACL 2017).

    Parameters
    ----------
    dim : length of the vectors
    epochs : passes over the texts; each is shuffled anew
    lr : learning rate at the start; it falls linearly to 0
    loss : "softmax"; "one_vs_all", where each label is a yes-or-no question of its own, for texts with several labels or none of the known ones;
        "hierarchical_softmax", about log2(n_labels) questions a text, and "negative_sampling", `negatives` + 1 of them, for many labels
    negatives : labels drawn for each text by negative sampling, with chances proportional to the square root of their counts
    word_ngrams : longest run of tokens that is a feature (1: single words)
    min_n, max_n : shortest and longest character n-gram of each word (0: none)
    buckets : number of buckets that n-grams are hashed into; None fits it to the data. Only buckets that occur take
        memory
    min_count : words that occur less often have no vector of their own
    tokenizer : "words" (lower-cased, punctuation split off) or "whitespace" (fastText's byte rule); see docs/tokens.md
    label_prefix : what marks a label in fastText text
    threads : None for all processors that the process may use
    seed : of the initial output weights and the shuffling; with threads=1 it decides every bit of the model
    deterministic : True is not served yet and raises `ParameterError`
    verbose : show progress on standard error

    Attributes
    ----------
    classes_ : (n_labels,) the labels, sorted, in the dtype they were given
    losses_ : mean loss per text at each report of the last training
    tuning_ : report of the `tune` that made the model

    Examples
    --------
    >>> import lexigrad
    >>> texts = ["good film", "great film", "bad film", "awful film"] * 20
    >>> labels = ["pos", "pos", "neg", "neg"] * 20
    >>> clf = lexigrad.TextClassifier(dim=10, epochs=25, lr=0.5, threads=1).fit(texts, labels)
    >>> clf.predict(["a great evening", "an awful evening"]).tolist()
    ['pos', 'neg']
    """

    _parameters = PARAMETERS
    _fitted: FittedClassifier | None = None
    losses_: list[float]
    tuning_: Tuning

    def __init__(
        self,
        dim: int = 100,
        epochs: int = 5,
        lr: float = 0.1,
        loss: str = "softmax",
        negatives: int = 5,
        word_ngrams: int = 1,
        min_n: int = 0,
        max_n: int = 0,
        buckets: int | None = None,
        min_count: int = 1,
        tokenizer: str = "words",
        label_prefix: str = "__label__",
        threads: int | None = None,
        seed: int = 0,
        deterministic: bool = False,
        verbose: bool = False,
    ) -> None:
        self.dim = dim
        self.epochs = epochs
        self.lr = lr
        self.loss = loss
        self.negatives = negatives
        self.word_ngrams = word_ngrams
        self.min_n = min_n
        self.max_n = max_n
        self.buckets = buckets
        self.min_count = min_count
        self.tokenizer = tokenizer
        self.label_prefix = label_prefix
        self.threads = threads
        self.seed = seed
        self.deterministic = deterministic
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of an estimator of texts."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether the model was trained."""
        return self._fitted is not None

    def fit(
        self,
        texts: Any,
        labels: Any = None,
        *,
        text: str = "text",
        label: str = "label",
        callback: Callback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Train on texts held in memory.

        Parameters
        ----------
        texts : list, iterable, NumPy, pandas, Arrow, Hugging Face column (docs/data.md); or, without `labels`, a table
        labels : one per text, or a list of labels per text
        text, label : names of the columns, for a table
        callback : called about ten times a second with a `lexigrad.Progress`
        vectors : where the vectors of words begin, instead of at 0: `WordVectors`, the path of a file that `lexigrad.load` reads as such, or a
            mapping from words to vectors. A word counts as the token that `tokenizer` makes of it; words with a vector are kept whatever `min_count`
        keep_unseen : keep words with a vector that these texts do not have, too, for prediction; their vectors stay as given

        Raises
        ------
        ParameterError
            A setting, or vectors, that cannot be used, such as vectors of another length than `dim`.
        DataError
            Texts or labels that cannot be used.
        DivergenceError
            The loss left all bounds; a smaller `lr` helps.
        KeyboardInterrupt
            Ctrl-C; the model holds what it had learned until then and can be used.
        """
        self._fit(_labelled(texts, labels, text, label), callback, vectors, keep_unseen)
        dtype = _dtype_of(labels)
        if dtype is not None:
            self._fitted = replace(self.fitted, classes=self.fitted.classes.astype(dtype))
        return self

    def fit_file(
        self,
        path: Paths,
        *,
        text: str = "text",
        label: str = "label",
        callback: Callback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Train on a file: fastText lines, CSV, TSV, JSONL, Parquet or Arrow, also .gz .zst .xz .bz2.

        Parameters
        ----------
        path : the file, a folder, or several of them; "-" reads fastText lines from standard input
        text, label : names of the columns, for files that have columns
        callback, vectors, keep_unseen : as in `fit`, which also says what is raised
        """
        batches = read_file(path, text=text, label=label, label_prefix=self.label_prefix)
        return self._fit(batches, callback, vectors, keep_unseen)

    def _fit(
        self, batches: Iterator[TextBatch], callback: Callback | None, vectors: Given | None, keep_unseen: bool
    ) -> Self:
        from lexigrad.models.trainer import train_fitted

        params = self.get_params()
        check_parameters(params)
        check_keep_unseen(keep_unseen, vectors)
        given = None
        if vectors is not None:  # before the texts, which may take long
            from lexigrad.models.given_vectors import read_given

            given = read_given(vectors, self.dim)
        self._fitted, self.losses_, error = train_fitted(batches, params, callback, given, keep_unseen)
        self.__dict__.pop("tuning_", None)  # it tells of another model
        if error is not None:
            raise error
        return self

    def tune(
        self,
        texts: Any,
        labels: Any = None,
        *,
        text: str = "text",
        label: str = "label",
        validation: Any = None,
        folds: int | None = None,
        metric: str = "f1",
        seconds: float | None = 300.0,
        trials: int | None = None,
        model_size: int | str | None = None,
        study: str | os.PathLike[str] | None = None,
        fixed: Collection[str] = (),
        callback: TrialCallback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Search for the settings with the best value of a metric, and keep them and the model that had it; needs the extra `tune`.

        The first trial has the settings as they are; docs/tuning.md says what is searched. Without `folds` the model that is kept is the very one
        that was measured.

        Parameters
        ----------
        texts, labels, text, label : as in `fit`
        validation : what is measured on: a pair (texts, labels), a table, or the path of a file
        folds : instead, cut the texts into so many parts and measure each by a model of the others; then train the best settings on all texts
        metric : what to make as good as possible, `lexigrad.evaluation.goal.Goal`. With neither `validation` nor `folds` a tenth of the texts,
            drawn by `seed`, is held out and measured on
        seconds : time for all of it, reading included; None for no limit
        trials : how many trainings, those of earlier runs of the study included; None for as many as time allows
        model_size : bytes, or text such as "2M" (2,000,000): models are quantised and cut to fit in a file of this size
        study : file that records the trials; a second call with it goes on. The best model lies beside it as ``STUDY.best.lexigrad``
        fixed : names of settings that keep their value
        callback : called with each `Trial` when it has ended
        vectors, keep_unseen : as in `fit`; `dim` then keeps its value

        Raises
        ------
        ParameterError
            An argument that cannot be, a study of other texts or settings, a size too small for any model, Optuna not installed.
        DataError
            Texts or labels that cannot be used.
        LexigradError
            No trial gave a model.
        KeyboardInterrupt
            Ctrl-C; the classifier holds the best so far and can be used.

        Examples
        --------
        >>> import lexigrad
        >>> texts = ["good film", "great film", "bad film", "awful film"] * 20
        >>> labels = ["pos", "pos", "neg", "neg"] * 20
        >>> clf = lexigrad.TextClassifier(threads=1, lr=0.01, epochs=1).tune(texts, labels, seconds=None, trials=5)
        >>> clf.tuning_.best.value
        1.0
        """
        from lexigrad.models.tune import Options, tune

        options = Options(folds, metric, seconds, trials, model_size, study, fixed, callback, vectors, keep_unseen)
        measured = None if validation is None else self._validation(validation, text, label)
        tune(self, _labelled(texts, labels, text, label), measured, options, _dtype_of(labels))
        return self

    def tune_file(
        self,
        path: Paths,
        *,
        text: str = "text",
        label: str = "label",
        validation: Any = None,
        folds: int | None = None,
        metric: str = "f1",
        seconds: float | None = 300.0,
        trials: int | None = None,
        model_size: int | str | None = None,
        study: str | os.PathLike[str] | None = None,
        fixed: Collection[str] = (),
        callback: TrialCallback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Search on a file: `path` as in `fit_file`, all else as in `tune`."""
        from lexigrad.models.tune import Options, tune

        options = Options(folds, metric, seconds, trials, model_size, study, fixed, callback, vectors, keep_unseen)
        measured = None if validation is None else self._validation(validation, text, label)
        tune(self, read_file(path, text=text, label=label, label_prefix=self.label_prefix), measured, options)
        return self

    def _validation(self, given: Any, text: str, label: str) -> Iterator[TextBatch]:
        """Return the texts of a file, a table, or a pair of texts and labels."""
        if isinstance(given, (str, os.PathLike)):
            return read_file(given, text=text, label=label, label_prefix=self.label_prefix)
        if is_table(given):
            return read_table(given, text=text, label=label)
        if isinstance(given, (tuple, list)) and len(given) == 2 and not isinstance(given[0], str):
            return read_texts(*given)
        raise ParameterError("validation: expected a pair (texts, labels), a table, or the path of a file")

    @property
    def fitted(self) -> FittedClassifier:
        """The arrays of the trained model."""
        if self._fitted is None:
            raise NotFittedError("this TextClassifier is not trained yet: call fit or fit_file first, or lexigrad.load")
        return self._fitted

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        return self.fitted.classes

    def _batches(self, texts: Any) -> Iterator[TextBatch]:
        return read_texts(texts)

    def predict(self, texts: Any) -> Any:
        """Return the most probable label of each text.

        Returns
        -------
        (n,) array with the dtype of `classes_`. A model trained on lists of labels returns a list of labels per text. With one-vs-all or negative
        sampling those are the labels with a probability of 0.5 or more, or else the best one; otherwise the k best, with the k
        for which "1/k on each of them", the target of a text with k labels, is nearest to the probabilities (it
        minimises
        sum_l (p_l - y_l)^2, so k maximises (2 (p_1 + ... + p_k) - 1) / k).
        """
        fitted = self.fitted
        if fitted.several:
            return [list(fitted.classes[ids]) for ids in self._label_sets(texts)]
        ids, _, _ = fitted.score_batches(self._batches(texts), 1, thread_count(self.threads))
        return fitted.classes[ids[:, 0]]

    def _label_sets(self, texts: Any) -> Iterator[NDArray[np.int64]]:
        for batch in self._batches(texts):
            _, probs, _ = self.fitted.score(batch, 0, thread_count(self.threads))
            order = np.argsort(-probs, axis=1, kind="stable")
            sums = np.cumsum(
                np.take_along_axis(
                    probs,
                    order,
                    axis=1,
                ),
                axis=1,
                dtype=np.float64,
            )
            if self.fitted.loss in ("one_vs_all", "negative_sampling"):
                sizes = np.maximum(1, (probs >= 0.5).sum(axis=1))
                yield from (row[:size] for row, size in zip(order, sizes, strict=True))
                continue
            sizes = np.argmax((2 * sums - 1) / np.arange(1, probs.shape[1] + 1), axis=1) + 1
            yield from (row[:size] for row, size in zip(order, sizes, strict=True))

    def predict_proba(self, texts: Any) -> NDArray[np.float32]:
        """Return the probability of every label, (n, n_labels) float32, columns as `classes_`; rows sum to 1 but for one-vs-all and negative sampling.

        A text in which nothing was seen in training gets the share of each label in training.
        """
        return self.fitted.score_batches(self._batches(texts), 0, thread_count(self.threads))[1]

    def top_k(self, texts: Any, k: int = 3, threshold: float = 0.0) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return the `k` most probable labels of each text and their probabilities.

        Parameters
        ----------
        texts : as in `fit`
        k : how many; cut to the number of labels
        threshold : labels below this probability are given as None, with probability 0

        Returns
        -------
        labels : (n, k), best first; dtype of `classes_`, or object where a threshold is set
        probs : (n, k) float32
        """
        check_whole("k", k, 1)
        if not 0 <= threshold <= 1:
            raise ParameterError(f"threshold={threshold!r}: expected a probability from 0 to 1")
        fitted = self.fitted
        k = min(k, len(fitted.classes))
        ids, probs, _ = fitted.score_batches(self._batches(texts), k, thread_count(self.threads))
        if threshold == 0:
            return fitted.classes[ids], probs
        labels = fitted.classes.astype(object)[ids]
        labels[probs < threshold] = None
        return labels, np.where(probs < threshold, np.float32(0), probs)

    def score_table(
        self,
        table: Any,
        text: str = "text",
        *,
        name: str = "",
        add: str | Sequence[str] = ("label", "prob"),
        newlines: str = "space",
        unit: str = "document",
        window: int = 200,
        aggregate: str = "mean",
    ) -> Any:
        """Return an Arrow table with columns of scores behind its own.

        Parameters
        ----------
        table : an Arrow table or batch, or anything that becomes one (polars, pandas by the Arrow interface, a dict of columns). From a
            `pyarrow.RecordBatchReader` comes another one, which scores batch by batch as it is read
        text : name of the column of texts; a null text gets null scores
        name, add, newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`. By default newlines are spaces here, and </s> to `predict` of a
            model with fastText's tokeniser

        Raises
        ------
        DataError
            There is no such column, it holds no texts, or the table has a column of scores already.
        ParameterError
            See `lexigrad.scoring.scorer.Scorer`.

        Examples
        --------
        >>> import lexigrad
        >>> clf = lexigrad.TextClassifier(dim=8, epochs=20, lr=0.5, threads=1).fit(["good", "bad"] * 50, ["hq", "cc"] * 50)
        >>> clf.score_table({"id": [1, 2], "text": ["good", "bad"]}, add=("label",)).to_pylist()
        [{'id': 1, 'text': 'good', 'label': 'hq'}, {'id': 2, 'text': 'bad', 'label': 'cc'}]
        """
        from lexigrad.scoring.scorer import Scorer, score_table

        return score_table(table, [Scorer(self, name, add, newlines, unit, window, aggregate, self.threads)], text)

    def evaluate(
        self, texts: Any, labels: Any = None, k: int = 1, *, text: str = "text", label: str = "label"
    ) -> Evaluation:
        """Compare predictions with known labels: precision, recall and F1 at `k`, log loss, per label, confusion; arguments as in `fit`."""
        return self._evaluate(_labelled(texts, labels, text, label), k)

    def evaluate_file(self, path: Paths, k: int = 1, *, text: str = "text", label: str = "label") -> Evaluation:
        """Evaluate on a file; see `fit_file` for what it may be and `evaluate` for what is returned."""
        return self._evaluate(read_file(path, text=text, label=label, label_prefix=self.label_prefix), k)

    def _evaluate(self, batches: Iterable[TextBatch], k: int) -> Evaluation:
        from lexigrad.models.scoring import evaluate_batches

        check_whole("k", k, 1)
        return evaluate_batches(self.fitted, batches, k, thread_count(self.threads))

    def score(self, texts: Any, labels: Any) -> float:
        """Return the accuracy: the share of texts whose most probable label is one of theirs."""
        return self.evaluate(texts, labels).accuracy

    def explain(self, text: str) -> Explanation:
        """Say what each word and n-gram of a text adds to the score of each label."""
        from lexigrad.models.explanation import explain

        if not isinstance(text, str):
            raise DataError(f"explain takes one text, a str, not {type(text).__name__}")
        return explain(self.fitted, text)

    def quantize(
        self,
        cutoff: int = 0,
        *,
        sub_dim: int = 2,
        norms: bool = True,
        output: bool = False,
        retrain: Any = None,
        epochs: int | None = None,
        lr: float | None = None,
        seed: int = 0,
        text: str = "text",
        label: str = "label",
    ) -> TextClassifier:
        """Return a smaller model that predicts nearly the same; this one stays as it is.

        Rows are cut into slices of `sub_dim` numbers, and each slice becomes one byte, the nearest of 256 centroids that k-means finds (product
        quantisation). With h = (1/n) sum_i A[f_i] and A', W' for the quantised matrices, the score of a label moves by

            |s'_l - s_l| <= |W_l| (1/n) sum_i |A'[f_i] - A[f_i]| + |W'_l - W_l| |h'|

        and the last term is 0 without `output`; a test holds this.

        Parameters
        ----------
        cutoff : keep so many words and buckets, those with the longest rows, and pass over all others in texts; the word </s> stays. 0, or more than there
            are, keeps all
        sub_dim : numbers of a slice, 1 to `dim`; the larger, the smaller and the worse
        norms : code the length of each row apart from its direction, one byte a row
        output : quantise the output matrix, too, by slices of 2; worth it for thousands of labels
        retrain : texts to train on with the rows that are kept, before they are quantised: a path as in `fit_file`, a table as in `fit`, or a
            pair (texts, labels)
        epochs, lr : of that training; None for the model's epochs, and for a tenth of its rate
        seed : of k-means and of that training. k-means gives the same bits on any number of threads
        text, label : names of the columns in `retrain`

        Returns
        -------
        TextClassifier : with the same settings. It does all that others do; `save` also writes it as fastText's .ftz

        Raises
        ------
        DataError
            The model is quantised already; texts that cannot be used, or labels that the model does not have.
        ParameterError
            A setting that is out of range.
        DivergenceError, KeyboardInterrupt
            As in `fit`; nothing is changed then.

        Examples
        --------
        >>> import lexigrad
        >>> texts, labels = ["good film", "great film", "bad film", "awful film"] * 20, ["pos", "pos", "neg", "neg"] * 20
        >>> clf = lexigrad.TextClassifier(dim=10, epochs=25, lr=0.5, threads=1).fit(texts, labels)
        >>> small = clf.quantize()
        >>> small.predict(["a great evening", "an awful evening"]).tolist()
        ['pos', 'neg']
        """
        from lexigrad.models.quantize import Quantization, quantized_classifier

        quantization = Quantization(cutoff, sub_dim, norms, seed, thread_count(self.threads), self.verbose)
        batches = None if retrain is None else self._retraining(retrain, text, label)
        fitted, losses = quantized_classifier(
            self.fitted, self.get_params(), quantization, output=output, retrain=batches, epochs=epochs, lr=lr
        )
        model = type(self)._restore(self.get_params(), fitted)
        if losses or hasattr(self, "losses_"):
            model.losses_ = losses or list(self.losses_)
        return model

    def fold(self, dtype: str = "float32") -> TextClassifier:
        """Return a smaller model for scoring: one row of scores a word and bucket instead of `dim` numbers; this one stays as it is.

        The score s_l = W_l . (1/n) sum_i A[f_i] is (1/n) sum_i T[f_i, l] with T = A W^T; for a softmax over two labels one number a row is enough, since only
        s_1 - s_0 counts. Scoring does this by itself when a model is opened; a folded model that is saved opens without that work, takes the memory of T
        alone, and all processes of a machine share it. It predicts, explains and evaluates as before; its vectors are gone, so train the model that it
        came from.

        Parameters
        ----------
        dtype : of T: "float32", "float16", or "int8", one byte for one of 256 levels that fit the numbers. ``fitted.facts["fold_error"]`` is the most by
            which a number of T is off, and so a score; a probability of two labels or of one_vs_all by at most a quarter of it, of a softmax over more by
            half of it (`lexigrad.models.folding`)

        Raises
        ------
        ParameterError
            An unknown dtype; a model with at least as many scores as `dim`; a number beyond float16; a model folded to another dtype already.

        Examples
        --------
        >>> import lexigrad
        >>> texts, labels = ["good film", "great film", "bad film", "awful film"] * 20, ["pos", "pos", "neg", "neg"] * 20
        >>> clf = lexigrad.TextClassifier(dim=10, epochs=25, lr=0.5, threads=1).fit(texts, labels)
        >>> small = clf.fold("float16")
        >>> small.predict(["a great evening", "an awful evening"]).tolist(), small.fitted.input.shape[1]
        (['pos', 'neg'], 1)
        """
        from lexigrad.models.folding import folded

        fitted = folded(self.fitted, dtype, thread_count(self.threads))
        return type(self)._restore(self.get_params(), fitted)

    def _retraining(self, given: Any, text: str, label: str) -> Iterator[TextBatch]:
        """Return the texts of files, a table, or a pair of texts and labels."""
        several = isinstance(given, (tuple, list)) and len(given) > 0
        if isinstance(given, (str, os.PathLike)) or (
            several and all(isinstance(one, (str, os.PathLike)) for one in given)
        ):
            return read_file(given, text=text, label=label, label_prefix=self.label_prefix)
        if is_table(given):
            return read_table(given, text=text, label=label)
        if isinstance(given, (tuple, list)) and len(given) == 2 and not isinstance(given[0], str):
            texts, labels = given
            return _labelled(texts, labels, text, label)
        what = f"a {type(given).__name__}" + (f" of {len(given)}" if isinstance(given, (tuple, list)) else "")
        raise ParameterError(f"retrain: expected a pair (texts, labels), a table, or the path of a file, got {what}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file, by a temporary name, so that an interrupted save leaves what was there.

        The extension says in which form: .bin and .ftz (for quantised models) are fastText's, which needs tokenizer="whitespace"; .vec holds the
        vectors of the words as text and .output those of the labels, as fastText writes them; everything else is lexigrad's own form.

        Raises
        ------
        ParameterError
            If fastText cannot have such a model.
        DataError
            If words or labels cannot be written in that form.
        """
        from lexigrad.models.storage import save_classifier_as

        save_classifier_as(self.fitted, self.get_params(), path)

    @classmethod
    def _restore(cls, params: dict[str, Any], fitted: FittedClassifier) -> Self:
        model = cls(**params)
        model._fitted = fitted
        return model


def _dtype_of(labels: Any) -> np.dtype[Any] | None:
    """Return the dtype that `classes_` gets from the labels that were given, or None for that of their values."""
    dtype = getattr(labels, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) and dtype.kind in "biufO" else None


def _labelled(texts: Any, labels: Any, text: str, label: str) -> Iterator[TextBatch]:
    """Return the batches of texts with labels, or of a table that holds both."""
    return (
        read_table(texts, text=text, label=label) if labels is None and is_table(texts) else read_texts(texts, labels)
    )
