"""Word vectors that a user holds: trains them, compares words, saves them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, NotFittedError, ParameterError
from lexigrad.evaluation.word_vectors import (
    AnalogyEvaluation,
    SimilarityEvaluation,
    answers,
    read_pairs,
    read_questions,
    spearman,
)
from lexigrad.machine.threads import map_threads, thread_count
from lexigrad.models.fitted_vectors import FittedVectors, normalised
from lexigrad.models.parameters import WithParameters, check_keep_unseen, check_whole
from lexigrad.text.sentences import BATCH_BYTES, TokenStore, encode_items, encode_texts
from lexigrad.text.sources import Paths, files_of, is_table, read_file, read_table, read_texts
from lexigrad.text.tokens import tokenizer_code
from lexigrad.text.words import encoded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lexigrad.models.given_vectors import Given, GivenVectors
    from lexigrad.text.batches import TextBatch
    from lexigrad.text.vocabulary import Vocabulary
    from lexigrad.training.progress import Callback

VECTOR_PARAMETERS = (
    "model", "loss", "dim", "window", "dynamic_window", "negatives", "negative_power", "subsample", "min_count", "min_n", "max_n", "buckets",
    "phrases", "epochs", "lr", "gradient", "tokenizer", "threads", "seed", "deterministic", "verbose",
)  # fmt: skip

SERVED = {
    "model": ("skipgram", "cbow"),
    "loss": ("negative_sampling", "hierarchical_softmax", "softmax"),
    "gradient": ("exact", "fasttext"),
}

FLOATS = 1 << 26
"""Similarities at a time."""
MOST_LISTED = 256
"""Up to so many nearest words are kept in order while a row is read; for more the row is sorted."""


@dataclass(frozen=True, slots=True)
class Start:
    """What training begins with: this model, given vectors, or neither."""

    resume: bool
    given: GivenVectors | None
    keep_unseen: bool

    @classmethod
    def of(cls, resume: bool, vectors: Given | None, keep_unseen: bool, dim: int) -> Start:
        """Read the vectors that are given, before the text, which may take long."""
        check_keep_unseen(keep_unseen, vectors)
        if vectors is None:
            return cls(resume, None, True)
        if resume:
            raise ParameterError(
                "resume=True goes on from the vectors of this model, and vectors= begins with others: give one of the two"
            )
        from lexigrad.models.given_vectors import read_given

        return cls(False, read_given(vectors, dim), keep_unseen)

    def arrays(self, model: WordVectors, words: Vocabulary | list[Any]) -> FittedVectors | None:
        """Return what training begins with, for text or a list of items."""
        if self.given is None:
            return model.fitted if self.resume else None
        from lexigrad.models.given_vectors import starting_vectors

        return starting_vectors(self.given, None if isinstance(words, list) else tokenizer_code(model.tokenizer))


class WordVectors(WithParameters):
    """Vectors of words, learned by predicting which words stand near each other.

    v_w is the mean of the rows of a word w: its own, and those of its character n-grams. Skip-gram predicts each word o within the window of w
    from v = v_w; CBOW predicts o from the mean v of all rows of the words within its window. With u the output vectors the loss of a pair is, by
    negative sampling, hierarchical softmax over the nodes p of o's path in the Huffman tree (d_p = 1 to the left, -1 to the right), or softmax::

        -log sigmoid(u_o . v) - sum_{k=1..negatives} log sigmoid(-u_{n_k} . v)
        -sum_p log sigmoid(d_p u_p . v)
        logsumexp_x(u_x . v) - u_o . v

    where n_k are drawn with chances proportional to count^negative_power and, for skip-gram, the draws are shared by the window. Each row follows
    the exact gradient by stochastic gradient descent with a linearly falling learning rate. Source: T. Mikolov, I. Sutskever, K. Chen, G. Corrado
    and J. Dean, "Distributed Representations of Words and Phrases and their Compositionality" (NIPS 2013); with n-grams P. Bojanowski, E. Grave,
    A. Joulin and T. Mikolov, "Enriching Word Vectors with Subword Information" (TACL 2017).

    Parameters
    ----------
    model : "skipgram" or "cbow"
    loss : "negative_sampling", "hierarchical_softmax", or "softmax" over all words, for small vocabularies
    dim : length of the vectors
    window : words on each side
    dynamic_window : draw the reach of each window from 1..window, so that nearer words count more
    negatives : words drawn for each window
    negative_power : 0.75 as in word2vec; fastText uses 0.5
    subsample : frequent words are dropped with chance 1 - min(1, sqrt(t/f) + t/f), t this number, f their share of all words; 0 keeps all
    min_count : words that occur less often have no vector and are passed over
    min_n, max_n : shortest and longest character n-gram of each word (0: none); with them unknown words have vectors, too
    buckets : number of buckets that n-grams are hashed into; None is 2,000,000. Only buckets that occur take memory
    phrases : passes over the text in which frequent pairs of neighbouring words become one word, "new york" new_york
    epochs : passes over the sentences; each is shuffled anew
    lr : learning rate at the start; None is for skip-gram 0.05, or 0.2 for n-grams with the exact gradient; for CBOW 0.2, or 0.1 with
        gradient="fasttext"; for softmax 0.05
    gradient : "exact"; "fasttext" moves each of the n rows that v is the mean of by the whole step instead of its n-th part, as fastText does
    tokenizer : "whitespace" (fastText's byte rule) or "words"; for sentences that are text
    threads : None for all processors that the process may use
    seed : of the initial vectors and all draws; with threads=1 it decides every bit
    deterministic : True is not served yet and raises `ParameterError`
    verbose : show progress on standard error

    Attributes
    ----------
    words : the words, by falling count
    vectors : (n_words, dim) float32
    losses_ : mean loss of a pair at each report of the last training

    Examples
    --------
    >>> import lexigrad
    >>> sentences = ["hot green tea", "hot black tea", "hot black coffee", "cold green water"] * 300
    >>> vectors = lexigrad.WordVectors(dim=16, min_count=1, subsample=0, threads=1).fit(sentences)
    >>> vectors["tea"].shape, "milk" in vectors
    ((16,), False)
    """

    _parameters = VECTOR_PARAMETERS
    _fitted: FittedVectors | None = None

    def __init__(
        self,
        model: str = "skipgram",
        loss: str = "negative_sampling",
        dim: int = 100,
        window: int = 5,
        dynamic_window: bool = True,
        negatives: int = 5,
        negative_power: float = 0.75,
        subsample: float = 1e-3,
        min_count: int = 5,
        min_n: int = 0,
        max_n: int = 0,
        buckets: int | None = None,
        phrases: int = 0,
        epochs: int = 5,
        lr: float | None = None,
        gradient: str = "exact",
        tokenizer: str = "whitespace",
        threads: int | None = None,
        seed: int = 0,
        deterministic: bool = False,
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.loss = loss
        self.dim = dim
        self.window = window
        self.dynamic_window = dynamic_window
        self.negatives = negatives
        self.negative_power = negative_power
        self.subsample = subsample
        self.min_count = min_count
        self.min_n = min_n
        self.max_n = max_n
        self.buckets = buckets
        self.phrases = phrases
        self.epochs = epochs
        self.lr = lr
        self.gradient = gradient
        self.tokenizer = tokenizer
        self.threads = threads
        self.seed = seed
        self.deterministic = deterministic
        self.verbose = verbose

    def fit(
        self,
        sentences: Any,
        *,
        text: str = "text",
        resume: bool = False,
        cache_dir: str | os.PathLike[str] | None = None,
        callback: Callback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Train on sentences held in memory, or on an iterable that is read once.

        Parameters
        ----------
        sentences : texts (list, iterable, NumPy, pandas, Arrow: docs/data.md), or a table, or an iterable of lists of items. Items are words
            or anything hashable: products, songs, the nodes of walks in a graph
        text : name of the column, for a table
        resume : go on from the vectors of this model, its n-grams and its output vectors: words that are new and frequent enough are added, all
            others keep theirs as a start
        cache_dir : folder for a temporary file of the encoded sentences; None keeps up to 2^28 tokens (1 GB) in memory, and more in a file in the
            system's temporary folder. From a file sentences are shuffled in runs of 64
        callback : called about ten times a second with a `lexigrad.Progress`
        vectors : where the words' own rows begin, instead of at random: `WordVectors`, the path of a file that `lexigrad.load` reads as such, or a
            mapping from words to vectors. N-grams and output vectors begin as they do without; words with a vector are kept whatever `min_count`
        keep_unseen : keep words of `vectors` that these sentences do not have, too; their rows stay as given

        Raises
        ------
        ParameterError
            A setting, or vectors, that cannot be used, such as vectors of another length than `dim`.
        DataError
            Sentences that cannot be used, or no word that occurs `min_count` times.
        DivergenceError
            The vectors left all bounds; a smaller `lr` helps.
        NotFittedError
            ``resume=True`` and there are no vectors.
        KeyboardInterrupt
            Ctrl-C; the model holds what it had learned until then and can be used.
        """
        check_vector_parameters(self.get_params())
        start = Start.of(resume, vectors, keep_unseen, self.dim)
        store = self._store(cache_dir)
        if is_table(sentences):
            return self._fit_texts(
                read_table(sentences, text=text, label=None, batch_bytes=BATCH_BYTES), store, start, callback
            )
        if hasattr(sentences, "dtype") or hasattr(sentences, "type"):
            return self._fit_texts(read_texts(sentences, batch_bytes=BATCH_BYTES), store, start, callback)
        if isinstance(sentences, (str, bytes)):
            raise DataError(
                "sentences: expected several, got one str; pass a list of sentences, or use fit_file for a path"
            )
        iterator = iter(sentences)
        first = next(iterator, None)
        if first is None:
            raise DataError("sentences: there are none")
        everything = chain([first], iterator)
        if isinstance(first, (str, bytes)):
            return self._fit_texts(read_texts(everything, batch_bytes=BATCH_BYTES), store, start, callback)
        if self.phrases:
            raise ParameterError(f"phrases={self.phrases}: items are not joined, only words of text; set phrases=0")
        began = time.perf_counter()
        return self._fit_words(store, *encode_items(everything, store), start, began, callback)

    def fit_file(
        self,
        path: Paths,
        *,
        text: str = "text",
        resume: bool = False,
        cache_dir: str | os.PathLike[str] | None = None,
        keep_cache: bool = False,
        callback: Callback | None = None,
        vectors: Given | None = None,
        keep_unseen: bool = True,
    ) -> Self:
        """Train on a file of one sentence a line, or CSV, TSV, JSONL, Parquet or Arrow with a column `text`; also .gz .zst .xz .bz2.

        `path` may be several files, or a folder, which stands for all files below it. "-" reads lines from standard input.

        `keep_cache` keeps the encoded corpus in `cache_dir` (by default the user's cache folder), and the next training on the same files reads
        it instead of the text. What else, and what is raised: see `fit`.
        """
        check_vector_parameters(self.get_params())
        start = Start.of(resume, vectors, keep_unseen, self.dim)
        files = files_of(path)
        batches = read_file(files, text=text, label=None, batch_bytes=BATCH_BYTES)
        if not keep_cache:
            return self._fit_texts(batches, self._store(cache_dir), start, callback)
        from lexigrad.training.corpus_cache import cache_folder, keep, kept, kept_path

        if "-" in files:
            raise ParameterError("keep_cache=True: standard input cannot be recognised again; give a file")
        began = time.perf_counter()
        store, folder = TokenStore(), cache_folder(cache_dir)
        place = kept_path(folder, files, tokenizer=self.tokenizer, text=text)
        words = kept(place, store)
        if words is None:
            words = self._encoded(batches, store)
            keep(place, store, words)
        return self._fit_vocabulary(store, words, start, began, callback)

    def _store(self, cache_dir: str | os.PathLike[str] | None) -> TokenStore:
        if cache_dir is None:
            return TokenStore()
        from lexigrad.training.corpus_cache import cache_folder

        return TokenStore(cache_folder(cache_dir))

    def _fit_texts(
        self, batches: Iterator[TextBatch], store: TokenStore, start: Start, callback: Callback | None
    ) -> Self:
        began = time.perf_counter()
        return self._fit_vocabulary(store, self._encoded(batches, store), start, began, callback)

    def _encoded(self, batches: Iterator[TextBatch], store: TokenStore) -> Vocabulary:
        return encode_texts(batches, tokenizer_code(self.tokenizer), thread_count(self.threads), store)

    def _fit_vocabulary(
        self, store: TokenStore, words: Vocabulary, start: Start, began: float, callback: Callback | None
    ) -> Self:
        if self.phrases:
            from lexigrad.text.phrases import phrases_of

            store, words = phrases_of(store, words, self.min_count, self.phrases)
        return self._fit_words(store, words, words.counts, start, began, callback)

    def _fit_words(
        self,
        store: TokenStore,
        items: Vocabulary | list[Any],
        counts: NDArray[np.int64],
        start: Start,
        began: float,
        callback: Callback | None,
    ) -> Self:
        from lexigrad.models.vector_training import Words, train

        def keep(fitted: FittedVectors, losses: list[float]) -> None:
            self._fitted, self.losses_ = fitted, losses

        train(
            self.get_params(), store, Words(items, counts), start.arrays(self, items), began, callback, keep, resume=start.resume,
            keep_unseen=start.keep_unseen,
        )  # fmt: skip
        return self

    @property
    def fitted(self) -> FittedVectors:
        """The arrays of the trained vectors."""
        if self._fitted is None:
            raise NotFittedError("these WordVectors are not trained yet: call fit or fit_file first, or lexigrad.load")
        return self._fitted

    @property
    def is_fitted(self) -> bool:
        """Whether there are vectors."""
        return self._fitted is not None

    @property
    def words(self) -> Sequence[Any]:
        """The words, by falling count."""
        return self.fitted.items

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors of `words`, (n_words, dim)."""
        return self.fitted.vectors

    def __len__(self) -> int:
        return len(self.fitted.items)

    def __contains__(self, word: Any) -> bool:
        return word in self.fitted.ids

    def __getitem__(self, word: Any) -> NDArray[np.float32]:
        """Return the vector of a word, (dim,), or of a list of words, (n, dim).

        An unknown word has the mean of the rows of its character n-grams, if the model has n-grams and knows one of them.

        Raises
        ------
        KeyError
            For a word without a vector.
        """
        if isinstance(word, (list, np.ndarray)):
            return np.stack([self[one] for one in word]) if len(word) else np.empty((0, self.fitted.dim), np.float32)
        fitted = self.fitted
        place = fitted.ids.get(word)
        if place is not None:
            return fitted.vector(place)
        if isinstance(word, str):
            rows = fitted.subwords.rows_of(encoded([word])[0])
            if len(rows):
                mean: NDArray[np.float32] = fitted.input[rows].mean(axis=0)
                return mean
        raise KeyError(
            f"{word!r} has no vector: it is not among the {len(fitted.items):,} words, nor does the model know an n-gram of it"
        )

    def item(self, text: str) -> Any:
        """Return the word that a text means: itself, or the whole number that it spells where the words are numbers."""
        whole = bool(self.words) and isinstance(self.words[0], int)
        return int(text) if whole and text.lstrip("-").isdecimal() else text

    def similarity(self, a: Any, b: Any) -> float:
        """Return the cosine between the vectors of two words; 0 where one of them is a vector of 0."""
        one, two = normalised(self[[a, b]])
        return float(one @ two)

    def most_similar(self, word: Any, k: int = 10) -> list[Any]:
        """Return the `k` words with the largest cosine to a word, as (word, cosine), best first; the word itself is left out.

        `word` may be a vector (dim,), and for many at once a list of words or an array (n, dim): the result is then a list of such lists.
        """
        check_whole("k", k, 1)
        fitted = self.fitted
        if isinstance(word, np.ndarray) and word.dtype.kind == "f":
            if word.shape[-1] != fitted.dim or word.ndim > 2:
                raise DataError(f"expected a vector of {fitted.dim} numbers, or rows of them, got shape {word.shape}")
            found = self._nearest(
                np.atleast_2d(word).astype(np.float32), [()] * (1 if word.ndim == 1 else len(word)), k
            )
            return found[0] if word.ndim == 1 else found
        several = isinstance(word, (list, np.ndarray))
        queries = list(word) if several else [word]
        found = self._nearest(self[queries], [(query,) for query in queries], k)
        return found if several else found[0]

    def analogy(self, a: Any, b: Any, c: Any, k: int = 10) -> list[tuple[Any, float]]:
        """Return the `k` best answers to "a is to b as c is to ?", as (word, score), none of the three: 3CosAdd, cos(d, b) - cos(d, a) + cos(d, c).

        The score is the cosine of d and the sum of the three unit vectors.
        """
        check_whole("k", k, 1)
        one, two, three = normalised(self[[a, b, c]])
        return self._nearest((two - one + three)[None], [(a, b, c)], k)[0]

    def doesnt_match(self, words: Sequence[Any]) -> Any:
        """Return the word that is least like the mean of all, by cosine of unit vectors."""
        if len(words) < 2:
            raise DataError(f"expected two words or more, got {len(words)}")
        unit = normalised(self[list(words)])
        return words[int((unit @ unit.mean(axis=0)).argmin())]

    def sentence_vector(self, sentence: str | Sequence[Any]) -> NDArray[np.float32]:
        """Return the mean of the unit vectors of the words of a sentence that have one; 0 for none. Text is split at white space."""
        items = sentence.split() if isinstance(sentence, str) else sentence
        found = []
        for item in items:
            try:
                found.append(self[item])
            except KeyError:
                continue
        if not found:
            return np.zeros(self.fitted.dim, np.float32)
        return normalised(np.stack(found)).mean(axis=0, dtype=np.float32)

    def _nearest(
        self, queries: NDArray[np.float32], without: list[tuple[Any, ...]], k: int
    ) -> list[list[tuple[Any, float]]]:
        """Return the `k` nearest words to each query but those in `without`."""
        fitted = self.fitted
        unit = normalised(queries)
        n_words = len(fitted.items)
        step = max(1, FLOATS // n_words)
        threads = thread_count(self.threads)
        results: list[list[tuple[Any, float]]] = []
        for first in range(0, len(unit), step):
            cosines = fitted.cosines(unit[first : first + step])
            for row, left_out in zip(cosines, without[first : first + step], strict=True):
                row[[fitted.ids[item] for item in left_out if item in fitted.ids]] = -np.inf
            results += self._best(cosines, min(k, n_words), threads)
        return results

    def _best(self, cosines: NDArray[np.float32], k: int, threads: int) -> list[list[tuple[Any, float]]]:
        """Return the `k` words with the largest cosine of each row."""
        from lexigrad.kernels.nearest import largest_of_rows

        n = len(cosines)
        places, best = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
        bounds = np.linspace(0, n, min(n, threads) + 1).astype(int).tolist()

        def part(i: int) -> None:
            rows = slice(bounds[i], bounds[i + 1])
            if k > MOST_LISTED:
                order = np.argsort(-cosines[rows], axis=1, kind="stable")[:, :k]
                best[rows] = np.take_along_axis(cosines[rows], order, axis=1)
                places[rows] = np.where(best[rows] > -np.inf, order, -1)
            else:
                largest_of_rows(cosines, rows.start, rows.stop, k, places.reshape(-1), best.reshape(-1))

        list(map_threads(part, range(len(bounds) - 1), threads))
        items = self.fitted.items
        return [
            [(items[i], score) for i, score in zip(row, scores, strict=True) if i >= 0]
            for row, scores in zip(places.tolist(), best.tolist(), strict=True)
        ]

    def evaluate_similarity(
        self, pairs: str | os.PathLike[str] | Iterable[tuple[Any, Any, float]]
    ) -> SimilarityEvaluation:
        """Compare cosines with ratings: Spearman's rank correlation.

        Parameters
        ----------
        pairs : (word, word, rating) each, or the path of a file with one such pair a line, separated by white space or commas; lines whose third
            field is no number are passed over. Pairs with a word that has no vector are left out, and counted; words are looked up as they are,
            then in lower case
        """
        listed = list(read_pairs(pairs) if isinstance(pairs, (str, os.PathLike)) else pairs)
        cosines, ratings = [], []
        for a, b, rating in listed:
            try:
                one, two = (self[self._known(word)] for word in (a, b))
            except KeyError:
                continue
            cosines.append(float(np.dot(*normalised(np.stack([one, two])))))
            ratings.append(float(rating))
        return SimilarityEvaluation(spearman(np.array(cosines), np.array(ratings)), len(listed), len(cosines))

    def _known(self, word: Any) -> Any:
        """Return a word as it is, or in lower case where only that is known."""
        return word.lower() if isinstance(word, str) and word not in self and word.lower() in self else word

    def evaluate_analogies(
        self,
        questions: str | os.PathLike[str] | Mapping[str, Iterable[Sequence[Any]]],
        *,
        restrict: int | None = 30_000,
        method: str = "add",
    ) -> AnalogyEvaluation:
        """Answer analogies a : b = c : d.

        Parameters
        ----------
        questions : {section: [(a, b, c, d), ...]}, or the path of a file in the form of word2vec: ": name" begins a section
        restrict : search, and use questions, among so many most frequent words; None for all
        method : "add" (3CosAdd) or "mul" (3CosMul)
        """
        if method not in ("add", "mul"):
            raise ParameterError(f"method={method!r}: choose 'add' or 'mul'")
        if restrict is not None:
            check_whole("restrict", restrict, 1)
        sections = read_questions(questions) if isinstance(questions, (str, os.PathLike)) else questions
        fitted = self.fitted
        most = len(fitted.items) if restrict is None else restrict
        unit = fitted.first_units(most)
        result: dict[str, tuple[int, int]] = {}
        n_questions = 0
        for name, listed in sections.items():
            used = []
            for question in listed:
                if len(question) != 4:
                    raise DataError(f"section {name!r}: a question has four words, got {list(question)}")
                n_questions += 1
                places = [fitted.ids.get(self._known(word), most) for word in question]
                if max(places) < most:
                    used.append(places)
            table = np.array(used, np.int64).reshape(-1, 4)
            right = int((answers(unit, table, method) == table[:, 3]).sum())
            result[name] = (right, len(table))
        totals = np.array(list(result.values()) or [(0, 0)]).sum(axis=0)
        return AnalogyEvaluation(int(totals[0]), int(totals[1]), n_questions, result)

    def plot(
        self,
        words: Sequence[Any] | Mapping[str, Sequence[Any]] | None = None,
        path: str | os.PathLike[str] | None = None,
        method: str = "pca",
        neighbors: int = 0,
    ) -> Figure:
        """Draw a map of words: their vectors projected on two dimensions. Needs the extra `plot`.

        Parameters
        ----------
        words : the words, or {name: words} for groups, each in a colour; None takes the 50 most frequent
        path : where the picture goes, .png, .svg or .pdf; None only returns it
        method : "pca", by singular value decomposition; "tsne" (extra `sklearn`); "umap" (extra `umap`)
        neighbors : add so many nearest words of each, in a colour of their own

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        KeyError
            For a word without a vector.
        ParameterError
            For a method that there is not, a path whose extension no picture has, a missing extra.
        """
        from lexigrad.evaluation.plots import check_method, map_figure, picture_path, project, save_figure

        check_whole("neighbors", neighbors, 0)
        check_method(method)
        if path is not None:
            picture_path(path)
        if isinstance(words, (str, bytes)):
            raise DataError("words: expected several, got one str; pass a list of words")
        if words is None:
            words = [word for word in self.words[:51] if word != "</s>"][:50]
        named = dict(words) if isinstance(words, Mapping) else {"words": words}
        group = {word: i for i, name in reversed(list(enumerate(named))) for word in named[name]}
        listed = list(dict.fromkeys(word for some in named.values() for word in some))
        names = list(named) if isinstance(words, Mapping) else []
        asked = len(listed)
        vectors = self[listed]
        if neighbors and listed:
            found = self.most_similar(listed, neighbors)
            listed = list(dict.fromkeys([*listed, *(word for one in found for word, _ in one)]))
            vectors = np.concatenate([vectors, self[listed[asked:]]])
            names = [*named, "their neighbours"]
        places = project(vectors, method, self.seed)
        share = ""
        if method == "pca" and (whole := vectors.var(axis=0, dtype=np.float64).sum()) > 0:
            share = f"; two directions with {places.var(axis=0).sum() / whole:.0%} of the variance"
        by = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}[method]
        figure = map_figure(
            [str(word) for word in listed],
            places,
            [group.get(word, len(named)) for word in listed],
            names,
            f"{len(listed)} words by {by}{share}",
        )
        if path is not None:
            save_figure(figure, path)
        return figure

    def plot_training(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the loss of the last training over its epochs; see `plot` for `path` and what is returned.

        The reports are taken to come at even distances, as they do but for the first and last; after Ctrl-C the axis is the share of the time.

        Raises
        ------
        DataError
            If the course of the training is not known: the vectors were imported, or saved before it was kept.
        """
        from lexigrad.evaluation.plots import curve_figure, picture_path, save_figure

        if path is not None:
            picture_path(path)
        facts = self.fitted.facts
        if not facts.get("losses"):
            raise DataError(
                "the course of the training is not known: these vectors were imported, or saved before it was kept; train again to draw it"
            )
        epochs = facts.get("epochs", self.epochs) if facts.get("finished", True) else None
        figure = curve_figure(facts["losses"], epochs, f"{self.model}, {self.loss.replace('_', ' ')}")
        if path is not None:
            save_figure(figure, path)
        return figure

    def quantize(self, cutoff: int = 0, *, sub_dim: int = 2, norms: bool = True, seed: int = 0) -> WordVectors:
        """Return smaller vectors that are nearly the same; these stay as they are.

        The rows of words and n-grams are cut into slices of `sub_dim` numbers, and each slice becomes one byte, the nearest of 256 centroids that k-means
        finds. A vector, the mean of its rows, moves by no more than the mean distance of these from what their codes stand for.

        Parameters
        ----------
        cutoff : keep so many words and n-grams, those with the longest rows; other words are then unknown, other n-grams passed over. </s> stays if
            it is there. 0, or more than there are, keeps all
        sub_dim : numbers of a slice, 1 to `dim`; the larger, the smaller and the worse
        norms : code the length of each row apart from its direction, one byte a row
        seed : of k-means, which gives the same bits on any number of threads

        Returns
        -------
        WordVectors : with the same settings, without output vectors: training cannot go on from it. Up to 32 MB, the vectors of all words are held as
            numbers when the first question for neighbours needs them; of more, some thousand at a time, unless `vectors` was asked for before

        Raises
        ------
        DataError
            The vectors are quantised already.
        ParameterError
            A setting that is out of range.

        Examples
        --------
        >>> import lexigrad
        >>> sentences = ["hot green tea", "hot black tea", "hot black coffee", "cold green water"] * 300
        >>> vectors = lexigrad.WordVectors(dim=16, min_count=1, subsample=0, threads=1).fit(sentences)
        >>> small = vectors.quantize()
        >>> bool(abs(small["tea"] - vectors["tea"]).max() < 1e-6)  # up to 255 different slices are kept as they are
        True
        """
        from lexigrad.models.quantize import Quantization, quantized_vectors

        quantization = Quantization(cutoff, sub_dim, norms, seed, thread_count(self.threads), self.verbose)
        return type(self)._restore(self.get_params(), quantized_vectors(self.fitted, quantization))

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the vectors to one file, by a temporary name, so that an interrupted save leaves what was there.

        Parameters
        ----------
        path : where to write
        format : "native" keeps everything and is memory-mapped by `lexigrad.load`; "fasttext" is fastText's file, with n-grams and counts. Words
            and vectors alone are kept by "text" and "binary" (as word2vec and fastText write them), "numpy" (.npz), "arrow" and "parquet"; "output"
            is the text form of the output vectors. None goes by the extension: .vec .txt, .output, .npz, .arrow .feather, .parquet, .ftz (fastText's,
            for quantised vectors); .bin, which may be "binary" or "fasttext", is an error; all others are native

        Raises
        ------
        DataError
            Words that the form cannot hold, such as those with spaces in text; output vectors that are not there.
        """
        from lexigrad.models.vector_files import WRITERS, form_to_write
        from lexigrad.models.vector_storage import save_vectors

        form = form_to_write(path, format)
        if form == "native":
            save_vectors(self.fitted, self.get_params(), path)
        elif form == "fasttext":
            from lexigrad.models.fasttext_files import save_fasttext_vectors

            save_fasttext_vectors(self.fitted, self.get_params(), path)
        elif form == "output":
            if self.fitted.output is None or self.loss == "hierarchical_softmax":
                raise DataError(
                    "these vectors have no output vector for each word: they were imported, or belong to a tree"
                )
            WRITERS["text"](path, _texts(self.words), self.fitted.output)
        else:
            WRITERS[form](path, _texts(self.words), self.fitted.all_vectors())

    @classmethod
    def _restore(cls, params: dict[str, Any], fitted: FittedVectors) -> Self:
        model = cls(**params)
        model._fitted = fitted
        return model


def _texts(words: Sequence[Any]) -> Sequence[str]:
    """Return words that other forms can hold: text, or whole numbers as text."""
    if all(isinstance(word, str) for word in words):
        return words
    if all(isinstance(word, int) for word in words):
        return [str(word) for word in words]
    raise DataError("these words are neither all str nor all int, so only pickle keeps them")


def check_vector_parameters(params: dict[str, Any]) -> None:
    """Raise `ParameterError` for the first setting that is out of range or not served."""
    for name, served in SERVED.items():
        if params[name] not in served:
            raise ParameterError(f"{name}={params[name]!r} is not served: choose {' or '.join(map(repr, served))}")
    whole = {
        "dim": 1,
        "window": 1,
        "negatives": 1,
        "min_count": 1,
        "phrases": 0,
        "min_n": 0,
        "max_n": 0,
        "epochs": 1,
        "seed": 0,
    }
    for name, least in whole.items():
        check_whole(name, params[name], least)
    if params["max_n"] and params["max_n"] < params["min_n"]:
        raise ParameterError(
            f"max_n={params['max_n']} is below min_n={params['min_n']}: expected min_n <= max_n, or max_n=0 for none"
        )
    if params["buckets"] is not None:
        check_whole("buckets", params["buckets"], 1)
    for name, positive in (("negative_power", False), ("subsample", False), ("lr", True)):
        value = params[name]
        if name == "lr" and value is None:
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0 or (positive and value == 0):
            raise ParameterError(
                f"{name}={value!r}: expected a {'positive number' if positive else 'number from 0 up'}"
            )
    if params["deterministic"]:
        raise ParameterError(
            "deterministic=True is not served on several threads: threads=1 gives the same bits every time"
        )
    tokenizer_code(params["tokenizer"])
    thread_count(params["threads"])
