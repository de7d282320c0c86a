"""Word vectors as a user meets them: training, comparing, judging, keeping."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, FormatError, NotFittedError, ParameterError, TextClassifier, WordVectors
from lexigrad.evaluation.word_vectors import ranks, spearman
from lexigrad.formats.native import read_native, write_native
from lexigrad.text.subwords import subwords_of
from lexigrad.text.vocabulary import Vocabulary

TOPICS = (
    ["tea", "cup", "leaf", "brew", "kettle"],
    ["dog", "bone", "leash", "bark", "puppy"],
    ["sea", "wave", "sand", "shell", "tide"],
)


def sentences(n: int = 1500, seed: int = 0) -> list[str]:
    """Return sentences of words of one topic each."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(TOPICS[i % 3], 6)) for i in range(n)]


SMALL: dict[str, Any] = {"dim": 20, "min_count": 1, "subsample": 0, "epochs": 3, "threads": 1, "tokenizer": "words"}


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return WordVectors(**{**SMALL, "epochs": 15}).fit(sentences())


@pytest.fixture(scope="module")
def subword_vectors() -> WordVectors:
    return WordVectors(**{**SMALL, "epochs": 15}, min_n=2, max_n=4).fit(sentences())


def topic(word: str) -> int:
    return next(i for i, words in enumerate(TOPICS) if word in words)


@pytest.mark.parametrize("which", ["vectors", "subword_vectors"])
def test_words_of_one_topic_are_neighbours(which: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(which)
    assert sorted(model.words) == sorted(word for words in TOPICS for word in words)
    for word in model.words:
        assert {topic(found) for found, _ in model.most_similar(word, 4)} == {topic(word)}
    assert 0 < model.losses_[-1] < 0.5 * 6 * np.log(2)  # 6 log 2: what all scores of 0 cost


def test_words_come_by_falling_count(vectors: WordVectors) -> None:
    text = " ".join(sentences()).split()
    counts = [text.count(word) for word in vectors.words]
    assert counts == sorted(counts, reverse=True) == vectors.fitted.counts.tolist()
    assert len(vectors) == len(vectors.words) == len(vectors.vectors) == 15
    assert vectors.vectors.dtype == np.float32


def test_most_similar_is_the_plain_cosine(vectors: WordVectors) -> None:
    unit = vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
    cosines = unit @ unit[vectors.words.index("tea")]
    order = [int(i) for i in np.argsort(-cosines) if vectors.words[i] != "tea"]
    found = vectors.most_similar("tea", k=100)
    assert [word for word, _ in found] == [vectors.words[i] for i in order]
    np.testing.assert_allclose([score for _, score in found], cosines[order], atol=1e-6)
    assert vectors.similarity("tea", "cup") == pytest.approx(dict(found)["cup"], abs=1e-6)


def test_many_queries_at_once(vectors: WordVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = ["tea", "dog", "sea", "cup"]
    single = [vectors.most_similar(query, 3) for query in queries]
    monkeypatch.setattr("lexigrad.models.word_vectors.FLOATS", 2 * len(vectors))
    several = vectors.most_similar(queries, 3)
    assert [[word for word, _ in found] for found in several] == [[word for word, _ in found] for found in single]
    by_vector = vectors.most_similar(vectors[queries], 1)
    assert [found[0][0] for found in by_vector] == queries
    assert vectors.most_similar(vectors["tea"], 1)[0][0] == "tea"


def test_unknown_words(vectors: WordVectors, subword_vectors: WordVectors) -> None:
    with pytest.raises(KeyError, match="'teacup' has no vector"):
        vectors["teacup"]
    assert "teacup" not in subword_vectors
    assert {topic(word) for word, _ in subword_vectors.most_similar("kettles", 3)} == {0}
    rows = subword_vectors.fitted.subwords.rows_of(b"kettles")
    np.testing.assert_allclose(subword_vectors["kettles"], subword_vectors.fitted.input[rows].mean(axis=0))
    with pytest.raises(KeyError):
        subword_vectors["ÖÖÖ"]


def test_a_word_is_the_mean_of_its_rows(subword_vectors: WordVectors) -> None:
    fitted = subword_vectors.fitted
    for place, word in enumerate(subword_vectors.words):
        rows = [place, *fitted.subwords.rows_of(word.encode())]
        assert len(rows) > 3
        np.testing.assert_allclose(subword_vectors[word], fitted.input[rows].mean(axis=0), atol=1e-6)


def test_rows_of_a_vocabulary() -> None:
    words = Vocabulary.from_strings([b"ab", b"</s>", "é".encode()])
    subwords, rows, ends = subwords_of(words, 2, 3, 1000)
    assert np.diff(ends).tolist() == [1 + 5, 1, 1 + 3]  # <a ab b> <ab ab>; nothing; <é é> <é>
    assert rows[ends[:-1]].tolist() == [0, 1, 2]
    for place, word in enumerate((b"ab", b"</s>", "é".encode())):
        expected = rows[ends[place] + 1 : ends[place + 1]].tolist()
        assert subwords.rows_of(word).tolist() == expected
    assert subwords.n_rows == rows.max() + 1


def test_other_questions(vectors: WordVectors) -> None:
    assert vectors.doesnt_match(["tea", "cup", "dog", "leaf"]) == "dog"
    (best, score), *_ = vectors.analogy("tea", "cup", "dog")
    assert topic(best) == 1
    assert best != "dog"
    unit = vectors.fitted.unit
    a, b, c, d = (unit[vectors.words.index(word)] for word in ("tea", "cup", "dog", best))
    target = b - a + c
    assert score == pytest.approx(float(d @ target / np.linalg.norm(target)), abs=1e-6)
    mean = vectors.sentence_vector("tea cup nothing")
    np.testing.assert_allclose(
        mean, (unit[vectors.words.index("tea")] + unit[vectors.words.index("cup")]) / 2, atol=1e-6
    )
    assert not vectors.sentence_vector("nothing").any()
    assert vectors[["tea", "cup"]].shape == (2, 20)
    assert vectors[[]].shape == (0, 20)


def test_items_that_are_not_words() -> None:
    walks = [
        [(topic, int(i)) for i in np.random.default_rng(n).integers(0, 4, 8)] for n in range(600) for topic in (n % 2,)
    ]
    model = WordVectors(**SMALL).fit(walks)
    assert {item[0] for item, _ in model.most_similar((0, 1), 3)} == {0}
    with pytest.raises(DataError, match="all str or all int"):
        model.save("never.lexigrad")


def test_lists_of_words_and_text_give_the_same() -> None:
    text = sentences(300)
    one = WordVectors(**SMALL, min_n=3, max_n=5).fit(text)
    two = WordVectors(**SMALL, min_n=3, max_n=5).fit([sentence.split() for sentence in text])
    assert one.words == two.words
    np.testing.assert_array_equal(one.vectors, two.vectors)


def test_white_space_keeps_the_end_of_sentence() -> None:
    """As fastText and word2vec do; a list of words is taken as it is."""
    settings = {**SMALL, "tokenizer": "whitespace"}
    assert "</s>" in WordVectors(**settings).fit(["a b", "b c"])
    assert "</s>" not in WordVectors(**settings).fit([["a", "b"], ["b", "c"]])


@pytest.mark.parametrize(
    "make", [list, iter, np.array, lambda texts: {"text": texts}], ids=["list", "iterator", "NumPy", "table"]
)
def test_all_ways_to_hand_over_text(make: Any, tmp_path: Path) -> None:
    text = sentences(200)
    (tmp_path / "corpus.txt").write_text("\n".join(text) + "\n")
    from_file = WordVectors(**SMALL).fit_file(tmp_path / "corpus.txt")
    in_memory = WordVectors(**SMALL).fit(make(text))
    assert in_memory.words == from_file.words
    np.testing.assert_array_equal(in_memory.vectors, from_file.vectors)


def test_one_thread_gives_the_same_bits() -> None:
    one, two = (WordVectors(**SMALL, min_n=2, max_n=3).fit(sentences(200)).vectors for _ in range(2))
    np.testing.assert_array_equal(one, two)
    other = WordVectors(**{**SMALL, "seed": 1}, min_n=2, max_n=3).fit(sentences(200)).vectors
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("which", ["vectors", "subword_vectors"])
def test_a_file_keeps_everything(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model = request.getfixturevalue(which)
    model.save(tmp_path / "v.lexigrad")
    again = lexigrad.load(tmp_path / "v.lexigrad")
    assert isinstance(again, WordVectors)
    assert again.words == model.words
    np.testing.assert_array_equal(again.vectors, model.vectors)
    np.testing.assert_array_equal(again.fitted.output, model.fitted.output)
    assert again.most_similar("tea") == model.most_similar("tea")
    assert again.get_params() == {**model.get_params()}
    if which == "subword_vectors":
        np.testing.assert_array_equal(again["kettles"], model["kettles"])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))["tea"], model["tea"])
    with pytest.raises(FormatError, match="not a text_classifier"):
        lexigrad.models.storage.classifier_of(read_native(tmp_path / "v.lexigrad"), "v")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("counts", np.zeros(3, np.int64)),
        ("vectors", np.zeros((15, 19), np.float32)),
        ("vectors", np.zeros((15, 20))),
        ("output", np.zeros((14, 20), np.float32)),
        ("input", np.zeros((15, 20), np.float32)),
        ("buckets", np.array([5, 5])),
        ("buckets", np.array([-1])),
        ("buckets", np.array([2_000_000])),
        ("word_offsets", np.arange(16)),
        ("word_offsets", np.zeros(16, np.int32)),
        ("word_bytes", None),
        ("vectors", None),
    ],
)
def test_a_damaged_file_is_refused(subword_vectors: WordVectors, tmp_path: Path, name: str, value: Any) -> None:
    subword_vectors.save(tmp_path / "v.lexigrad")
    file = read_native(tmp_path / "v.lexigrad")
    arrays = {key: array for key, array in {**file.arrays, name: value}.items() if array is not None}
    write_native(tmp_path / "damaged.lexigrad", file.kind, file.settings, arrays)
    with pytest.raises(FormatError, match="is damaged"):
        lexigrad.load(tmp_path / "damaged.lexigrad")


@pytest.mark.parametrize("params", [{"dim": 0}, {"loss": "none"}, {"dim": "20"}, {"window": None}])
def test_settings_of_a_file_are_checked(vectors: WordVectors, tmp_path: Path, params: dict[str, Any]) -> None:
    vectors.save(tmp_path / "v.lexigrad")
    file = read_native(tmp_path / "v.lexigrad")
    settings = {**file.settings, "params": {**file.settings["params"], **params}}
    write_native(tmp_path / "damaged.lexigrad", file.kind, settings, file.arrays)
    with pytest.raises(FormatError, match="is damaged"):
        lexigrad.load(tmp_path / "damaged.lexigrad")


def test_numbers_as_items_are_kept(tmp_path: Path) -> None:
    model = WordVectors(**SMALL).fit([[1, 2, 3, 2], [5, 1, 7]] * 20)
    model.save(tmp_path / "v.lexigrad")
    assert lexigrad.load(tmp_path / "v.lexigrad").words == model.words


def test_ctrl_c_leaves_usable_vectors() -> None:
    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    model = WordVectors(**{**SMALL, "epochs": 10_000})
    with pytest.raises(KeyboardInterrupt):
        model.fit(sentences(), callback=stop)
    assert len(model.most_similar("tea")) == 10
    assert model.fitted.facts["finished"] is False


def test_divergence_is_an_error() -> None:
    with pytest.raises(lexigrad.DivergenceError, match="smaller lr"):
        WordVectors(**SMALL, lr=1e12).fit(sentences())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": "glove"}, "model='glove' is not served: choose 'skipgram'"),
        ({"loss": "one_vs_all"}, "choose 'negative_sampling' or 'hierarchical_softmax' or 'softmax'"),
        ({"gradient": "true"}, "choose 'exact' or 'fasttext'"),
        ({"window": 0}, "window=0: expected a whole number from 1 up"),
        ({"min_n": 4, "max_n": 3}, "max_n=3 is below min_n=4"),
        ({"lr": 0}, "lr=0: expected a positive number"),
        ({"subsample": -1}, "subsample=-1: expected a number from 0 up"),
        ({"phrases": -1}, "phrases=-1: expected a whole number from 0 up"),
        ({"deterministic": True}, "threads=1 gives the same bits"),
        ({"tokenizer": "letters"}, "tokenizer"),
    ],
)
def test_settings_out_of_range(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        WordVectors(**params).fit(["a b"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "there are none"),
        ("a sentence", "got one str"),
        ([[]], "no item"),
        ([""], "min_count|no word"),
        (["a b c"], "lower min_count"),
        ([["a"], "b"], "sentence 1: expected a list of items"),
        ([[["a"]]], "hashable"),
    ],
)
def test_sentences_that_cannot_be_used(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        WordVectors().fit(data)


def test_not_fitted() -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        WordVectors().most_similar("tea")


def test_ranks_and_spearman() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0, 2.5, 1]
    a = np.array([1.0, 2, 3, 4, 5])
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 2, 3])) == pytest.approx(0.9486832981)
    assert np.isnan(spearman(a[:1], a[:1]))
    assert np.isnan(spearman(a, np.ones(5)))


def test_similarity_with_ratings(vectors: WordVectors, tmp_path: Path) -> None:
    pairs = [("tea", "cup", 9.0), ("tea", "dog", 1.0), ("Sea", "wave", 8.5), ("tea", "unknown", 5.0)]
    result = vectors.evaluate_similarity(pairs)
    cosines = [vectors.similarity(a.lower(), b) for a, b, _ in pairs[:3]]
    assert result.spearman == pytest.approx(spearman(np.array(cosines), np.array([9.0, 1, 8.5])))
    assert (result.n_used, result.n_pairs, result.coverage) == (3, 4, 0.75)
    (tmp_path / "pairs.csv").write_text("word1,word2,score\n" + "".join(f"{a},{b},{c}\n" for a, b, c in pairs))
    assert vectors.evaluate_similarity(tmp_path / "pairs.csv") == result
    assert "3 of 4 pairs" in str(result)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogies(vectors: WordVectors, tmp_path: Path, method: str) -> None:
    """A model whose vectors are made so that the answers are known."""
    model = WordVectors(**SMALL).fit(sentences(30))
    rng = np.random.default_rng(3)
    base, shift = rng.normal(size=(7, 20)), rng.normal(size=20)
    model.fitted.vectors[:] = np.concatenate([base, base + 2 * shift, rng.normal(size=(1, 20))])
    model.fitted.__dict__.pop("unit", None)
    words = model.words
    questions = {
        "good": [[words[0], words[7], words[i], words[7 + i]] for i in range(1, 7)],
        "bad": [[words[0], words[7], words[1], words[2]]],
    }
    result = model.evaluate_analogies(questions, method=method)
    assert result.sections == {"good": (6, 6), "bad": (0, 1)}
    assert result.accuracy == pytest.approx(6 / 7)
    lines = [f": {name}\n" + "".join(" ".join(q).upper() + "\n" for q in listed) for name, listed in questions.items()]
    (tmp_path / "questions.txt").write_text("".join(lines) + "unknown a b c\n")
    again = model.evaluate_analogies(tmp_path / "questions.txt", method=method)
    assert again.sections == result.sections
    assert again.n_questions == 8
    assert model.evaluate_analogies(questions, restrict=9, method=method).n_used == 2
    assert "all" in str(result)
    with pytest.raises(ParameterError, match="method"):
        model.evaluate_analogies(questions, method="cosine")
    with pytest.raises(DataError, match="four words"):
        model.evaluate_analogies({"x": [["a", "b"]]})


def test_load_still_opens_classifiers(tmp_path: Path) -> None:
    TextClassifier(threads=1).fit(["good", "bad"] * 20, ["p", "n"] * 20).save(tmp_path / "c.lexigrad")
    assert isinstance(lexigrad.load(tmp_path / "c.lexigrad"), TextClassifier)


OTHER_WAYS: list[dict[str, Any]] = [
    {"model": "cbow", "epochs": 20},
    {"model": "cbow", "gradient": "fasttext", "epochs": 20},
    {"loss": "hierarchical_softmax", "epochs": 20},
    {"model": "cbow", "loss": "hierarchical_softmax", "epochs": 20},
    {"loss": "softmax", "epochs": 8},
    {"model": "cbow", "loss": "softmax", "epochs": 20},
    {"model": "cbow", "min_n": 2, "max_n": 3, "epochs": 20},
]


@pytest.mark.parametrize("settings", OTHER_WAYS, ids=str)
def test_every_model_and_loss_finds_the_topics(settings: dict[str, Any], tmp_path: Path) -> None:
    model = WordVectors(**{**SMALL, **settings}).fit(sentences())
    for word in model.words:
        assert {topic(found) for found, _ in model.most_similar(word, 4)} == {topic(word)}, word
    model.save(tmp_path / "v.lexigrad")
    again = lexigrad.load(tmp_path / "v.lexigrad")
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.vectors, model.vectors)


def test_the_softmax_s_loss_is_that_of_the_best_guess() -> None:
    """A word of five of one topic, in a window of words that are drawn alike: -log(1/5) at best."""
    model = WordVectors(**{**SMALL, "epochs": 15}, model="cbow", loss="softmax").fit(sentences())
    assert model.losses_[-1] == pytest.approx(np.log(5), abs=0.1)


MORE = ["pod", "vine", "seed", "root", "tea"]


def more_sentences() -> list[str]:
    rng = np.random.default_rng(9)
    return [" ".join(rng.choice(MORE, 6)) for _ in range(800)]


@pytest.mark.parametrize("settings", [{}, {"min_n": 2, "max_n": 3}, {"loss": "hierarchical_softmax"}], ids=str)
def test_training_goes_on_with_new_words(settings: dict[str, Any], tmp_path: Path) -> None:
    first = WordVectors(**{**SMALL, "epochs": 15, **settings}).fit(sentences())
    first.save(tmp_path / "v.lexigrad")
    for model in (first, lexigrad.load(tmp_path / "v.lexigrad")):
        before = {word: model[word].copy() for word in model.words}
        counts = dict(zip(model.words, model.fitted.counts.tolist(), strict=True))
        model.set_params(epochs=10, min_count=100)
        model.fit([*more_sentences(), "rare word"], resume=True)
        assert set(model.words) == {*before, *MORE}
        assert sorted(model.fitted.counts.tolist(), reverse=True) == model.fitted.counts.tolist()
        found = dict(zip(model.words, model.fitted.counts.tolist(), strict=True))
        here = " ".join(more_sentences()).split()
        assert all(found[word] == counts.get(word, 0) + here.count(word) for word in found)
        allowed = (
            {*MORE, *TOPICS[0]} if "loss" in settings else set(MORE)
        )  # new nodes learn first what the old vector of tea says
        assert set(dict(model.most_similar("pod", 3))) <= allowed
        if not settings:  # nothing moves a word that is neither in the new text nor drawn as its input
            np.testing.assert_array_equal(model["dog"], before["dog"])
        assert np.abs(model["tea"] - before["tea"]).max() > 0.01


def test_resuming_with_nothing_new_keeps_every_row() -> None:
    model = WordVectors(**SMALL, min_n=2, max_n=3).fit(sentences())
    before = model.fitted
    model.set_params(lr=1e-30).fit(sentences(), resume=True)
    np.testing.assert_array_equal(model.fitted.input, before.input)
    np.testing.assert_array_equal(model.fitted.output, before.output)
    assert model.words == before.items
    assert (model.fitted.counts == 2 * before.counts).all()


def test_items_can_go_on_too() -> None:
    model = WordVectors(**SMALL).fit([[1, 2, 3], [7, 8, 9]] * 300)
    model.fit([[1, 2, 4], [4, 2, 1]] * 300, resume=True)
    assert set(model.words) == {1, 2, 3, 4, 7, 8, 9}
    assert dict(zip(model.words, model.fitted.counts.tolist(), strict=True))[2] == 900
    with pytest.raises(DataError, match="items that are not str"):
        model.fit(["some text"], resume=True)


@pytest.mark.parametrize(
    ("params", "message"),
    [({"dim": 30}, "dim=20, and dim=30 was set"), ({"max_n": 3, "min_n": 2}, "max_n=0, and max_n=3 was set")],
)
def test_settings_that_do_not_fit_the_vectors(params: dict[str, Any], message: str) -> None:
    model = WordVectors(**SMALL).fit(sentences(60))
    with pytest.raises(ParameterError, match=message):
        model.set_params(**params).fit(sentences(60), resume=True)


def test_resuming_without_vectors_or_without_known_words() -> None:
    with pytest.raises(NotFittedError):
        WordVectors(**SMALL).fit(sentences(60), resume=True)
    model = WordVectors(**{**SMALL, "min_count": 3}).fit(sentences(60))
    with pytest.raises(DataError, match="no word of the new sentences"):
        model.fit(["other words"], resume=True)


def test_a_training_that_diverges_leaves_the_vectors_it_began_with() -> None:
    model = WordVectors(**SMALL).fit(sentences(300))
    before = model.fitted
    with pytest.raises(lexigrad.DivergenceError):
        model.set_params(lr=1e12).fit(sentences(300), resume=True)
    assert model.fitted is before


def test_phrases_become_words() -> None:
    rng = np.random.default_rng(0)
    text = [
        " ".join([*(f"w{i}" for i in rng.integers(0, 300, 6)), *(("new", "york", "city") if i % 20 == 0 else ())])
        for i in range(4000)
    ]
    one, two = (WordVectors(**{**SMALL, "epochs": 1, "min_count": 5}, phrases=n).fit(text) for n in (1, 2))
    assert "new_york" in one
    assert "new_york_city" not in one
    assert "new_york_city" in two
    assert "new" not in two
    with pytest.raises(ParameterError, match="items are not joined"):
        WordVectors(**SMALL, phrases=1).fit([["a", "b"]])


def test_files_folders_and_caches_give_the_same_vectors(tmp_path: Path) -> None:
    text, cache = tmp_path / "text", tmp_path / "cache"
    text.mkdir()
    listed = sentences(300)
    for i in range(3):
        (text / f"{i}.txt").write_text("\n".join(listed[100 * i : 100 * i + 100]) + "\n")
    expected = WordVectors(**SMALL).fit(listed).vectors
    for path in (text, sorted(text.iterdir())):
        np.testing.assert_array_equal(WordVectors(**SMALL).fit_file(path).vectors, expected)
    in_file = WordVectors(**{**SMALL, "epochs": 60}).fit(iter(listed), cache_dir=cache)
    assert {topic(word) for word, _ in in_file.most_similar("tea", 4)} == {0}
    assert not list(cache.iterdir())
    for _ in range(2):
        found = WordVectors(**SMALL).fit_file(text, cache_dir=cache, keep_cache=True).vectors
        np.testing.assert_array_equal(found, expected)
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    WordVectors(**SMALL, phrases=1).fit_file(text, cache_dir=cache, keep_cache=True)
    assert kept.stat().st_mtime_ns == before
    with pytest.raises(ParameterError, match="standard input"):
        WordVectors(**SMALL).fit_file("-", keep_cache=True)
    with pytest.raises(DataError, match="no such file"):
        WordVectors(**SMALL).fit_file(tmp_path / "none.txt", cache_dir=cache, keep_cache=True)
