"""Pictures: the projection against its definition, labels that do not overlap, files."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lexigrad
from lexigrad import DataError, LexigradWarning, ParameterError, WordVectors
from lexigrad.evaluation.plots import (
    COLOURS,
    confusion_figure,
    curve_figure,
    histograms_figure,
    map_figure,
    project,
    save_figure,
)
from tests.models.test_word_vectors import SMALL, sentences


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return WordVectors(**SMALL).fit(sentences())


def test_pca_is_the_assignment_s() -> None:
    x = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    centred = x.astype(float) - x.mean(axis=0)
    directions = np.linalg.svd(centred.T @ centred / len(x))[0][:, :2]
    places = project(x)
    np.testing.assert_allclose(np.abs(places), np.abs(centred @ directions), atol=1e-6)
    for column in places.T:
        assert column[np.abs(column).argmax()] > 0
    np.testing.assert_allclose(project(-x), project(-x))
    flat = project(np.outer([1, 2, 4], np.ones(5)).astype(np.float32))
    assert np.abs(flat[:, 1]).max() < 1e-6
    np.testing.assert_allclose(np.abs(project(np.array([[1.0], [3.0]], np.float32))), [[1, 0], [1, 0]], atol=1e-9)


def test_tsne_keeps_groups_together() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 0.05, (10, 6)) + center for center in (np.eye(6)[0], -np.eye(6)[0])]).astype(
        np.float32
    )
    places = project(x, "tsne")
    centres = places[:10].mean(axis=0), places[10:].mean(axis=0)
    assert np.linalg.norm(places[:10] - centres[0], axis=1).max() < np.linalg.norm(centres[0] - centres[1])


def boxes_of(figure: Any) -> list[Any]:
    figure.canvas.draw()
    return [text.get_window_extent(figure.canvas.get_renderer()) for text in figure.axes[0].texts]


@pytest.mark.parametrize("n", [25, 50, 100])
@pytest.mark.parametrize("height", [1, 0.15])
def test_labels_cover_neither_each_other_nor_a_point(n: int, height: float) -> None:
    places = np.random.default_rng(1).normal(size=(n, 2)) * [1, height]
    labels = [f"word number {i}" for i in range(n)]
    figure = map_figure(labels, places)
    boxes = boxes_of(figure)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == labels
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(n) for j in range(i))
    points = axes.transData.transform(places)
    for box in boxes:
        assert axes.bbox.x0 <= box.x0
        assert box.x1 <= axes.bbox.x1
        assert not any(box.contains(*point) for point in points)
    reached = [line.get_xydata() for line in axes.lines]
    for i, box in enumerate(boxes):  # a label that is away from its point has a line to it
        gap = np.maximum(0, np.maximum([box.x0, box.y0] - points[i], points[i] - [box.x1, box.y1]))
        if np.hypot(*gap) > 25:
            assert any(np.allclose(ends, places[i]) for line in reached for ends in line), labels[i]


def test_one_scale_for_both_axes() -> None:
    axes = map_figure(["a", "b", "c"], np.array([[0.0, 0.0], [10.0, 1.0], [5.0, 0.5]])).axes[0]
    origin, right, up = axes.transData.transform([[0, 0], [1, 0], [0, 1]])
    assert right[0] - origin[0] == pytest.approx(up[1] - origin[1])


def test_labels_without_room_are_left_out_and_said() -> None:
    labels = [f"a rather long label {i}" for i in range(300)]
    with pytest.warns(LexigradWarning, match="of 300 labels found no room"):
        figure = map_figure(labels, np.random.default_rng(0).normal(size=(300, 2)) ** 9)
    boxes = boxes_of(figure)
    assert 0 < len(boxes) < 300
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(len(boxes)) for j in range(i))
    assert len(figure.axes[0].collections[0].get_offsets()) == 300


def test_labels_of_any_characters(tmp_path: Path) -> None:
    labels = ["$x$ ^_{}", "bad\udcffbyte", "a\nb\x00", "w" * 99, ""]
    figure = map_figure(labels, np.eye(5)[:, :2] * [[1], [2], [3], [4], [5]])
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown[:4] == ["$x$ ^_{}", "bad\ufffdbyte", "a b\ufffd", "w" * 31 + "…"]
    save_figure(figure, tmp_path / "map.svg")
    with pytest.warns(LexigradWarning, match="no font was found for 1 characters, such as \U00012345"):
        figure = map_figure(["\U00012345", "b"], np.eye(2))
    save_figure(figure, tmp_path / "map.png")  # and no other warning


def test_the_same_map_every_time_and_no_global_state() -> None:
    places = np.random.default_rng(1).normal(size=(20, 2))
    one, two = (map_figure([f"word {i}" for i in range(20)], places) for _ in range(2))
    positions: list[Any] = [[text.get_position() for text in figure.axes[0].texts] for figure in (one, two)]
    assert positions[0] == positions[1]
    program = "import sys; from lexigrad.evaluation.plots import map_figure; import numpy as np; map_figure(['a', 'b'], np.eye(2)); "
    program += "assert 'matplotlib.pyplot' not in sys.modules or not sys.modules['matplotlib.pyplot'].get_fignums()"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_nothing_is_imported_before_it_is_needed() -> None:
    program = "import sys, lexigrad, lexigrad.evaluation.plots; lexigrad.WordVectors; assert not {'matplotlib', 'textalloc', 'umap'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["map.png", "map.svg", "map.pdf"])
def test_a_map_is_written_and_equal_every_time(name: str, vectors: WordVectors, tmp_path: Path) -> None:
    figure = vectors.plot(["tea", "dog", "cup"], tmp_path / name)
    assert [text.get_text() for text in figure.axes[0].texts] == ["tea", "dog", "cup"]
    first = (tmp_path / name).read_bytes()
    assert len(first) > 1000
    vectors.plot(["tea", "dog", "cup"], tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [name]


def legend_of(figure: Any) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_what_is_drawn(vectors: WordVectors) -> None:
    figure = vectors.plot()
    assert len(figure.axes[0].texts) == 15
    assert legend_of(figure) == []
    assert figure.texts[0].get_text().startswith("15 words by PCA; two directions with ")
    figure = vectors.plot(["tea", "tea"], neighbors=3)
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels == ["tea", *(word for word, _ in vectors.most_similar("tea", 3))]
    colours = [text.get_color() for text in figure.axes[0].texts]
    assert colours == [COLOURS[0], *[COLOURS[1]] * 3]
    assert legend_of(figure) == ["words", "their neighbours"]
    figure = vectors.plot({"drinks": ["tea", "cup"], "animals": ["dog", "tea"]}, neighbors=1)
    assert legend_of(figure) == ["drinks", "animals", "their neighbours"]
    colour = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert [colour[word] for word in ("tea", "cup", "dog")] == [COLOURS[0], COLOURS[0], COLOURS[1]]


def test_the_share_of_the_variance(vectors: WordVectors) -> None:
    chosen = vectors[["tea", "dog", "sea", "cup"]].astype(float)
    values = np.linalg.svd(chosen - chosen.mean(axis=0), compute_uv=False) ** 2
    title = vectors.plot(["tea", "dog", "sea", "cup"]).texts[0].get_text()
    assert title == f"4 words by PCA; two directions with {values[:2].sum() / values.sum():.0%} of the variance"


def test_the_end_of_lines_is_left_out() -> None:
    trained = WordVectors(**{**SMALL, "tokenizer": "whitespace"}).fit(sentences())
    assert "</s>" in trained.words
    assert sorted(text.get_text() for text in trained.plot().axes[0].texts) == sorted(set(trained.words) - {"</s>"})


def test_maps_that_cannot_be_drawn(vectors: WordVectors, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="unknown"):
        vectors.plot(["tea", "unknown"])
    with pytest.raises(DataError, match="a map by pca needs 2 words or more, got 1"):
        vectors.plot(["tea"])
    with pytest.raises(DataError, match="a map by tsne needs 4 words or more, got 3"):
        vectors.plot(["tea", "dog", "cup"], method="tsne")
    with pytest.raises(DataError, match="got one str"):
        vectors.plot("tea")
    with pytest.raises(DataError, match="infinite or NaN"):
        project(np.array([[1, 2], [np.nan, 0]], np.float32))
    with pytest.raises(ParameterError, match="choose one of pca, tsne, umap"):
        vectors.plot(["tea", "dog"], method="lda")
    with pytest.raises(ParameterError, match="neighbors"):
        vectors.plot(["tea", "dog"], neighbors=-1)
    for path, said in (("map.gif", "ends in"), ("none/map.png", "there is no folder")):
        with pytest.raises(ParameterError, match=said):
            vectors.plot(["unknown"], tmp_path / path)  # before anything else is looked at
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ParameterError, match="it is a folder"):
        vectors.plot_training(tmp_path / "folder.png")


def test_umap_keeps_groups_together() -> None:
    pytest.importorskip("umap")
    x = np.random.default_rng(0).normal(0, 0.05, (20, 6)).astype(np.float32)
    x[:10] += np.eye(6, dtype=np.float32)[0]
    x[10:] -= np.eye(6, dtype=np.float32)[0]
    places = project(x, "umap")
    centres = places[:10].mean(axis=0), places[10:].mean(axis=0)
    assert np.linalg.norm(places[:10] - centres[0], axis=1).max() < np.linalg.norm(centres[0] - centres[1])
    assert np.isfinite(project(x[:4], "umap")).all()


def test_few_words_by_tsne() -> None:
    assert np.isfinite(project(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32), "tsne")).all()


def test_the_course_of_a_training_survives_in_the_file(vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "v.lexigrad")
    figure = lexigrad.load(tmp_path / "v.lexigrad").plot_training(tmp_path / "curve.png")
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, vectors.losses_, atol=1e-6)
    vectors.save(tmp_path / "v.vec")
    with pytest.raises(DataError, match="were imported"):
        lexigrad.load(tmp_path / "v.vec").plot_training()


def test_the_curve_of_a_training() -> None:
    values = 3 - np.linspace(0, 1, 100) ** 0.5
    axes = curve_figure(values.tolist(), 5, "title").axes[0]
    reports, mean = (line.get_xydata() for line in axes.lines)
    np.testing.assert_allclose(reports, np.stack([np.linspace(0.05, 5, 100), values], axis=1))
    assert len(mean) == 97
    np.testing.assert_allclose(mean[0], [reports[1, 0], values[:4].mean()])
    assert axes.get_xlabel() == "epoch"
    axes = curve_figure([3.0, 2.0], None).axes[0]
    assert "interrupted" in axes.get_xlabel()
    assert axes.lines[0].get_xydata().tolist() == [[50, 3], [100, 2]]
    assert axes.get_legend() is None


def test_an_interrupted_training_has_a_curve(vectors: WordVectors) -> None:
    facts = {**vectors.fitted.facts, "finished": False}
    stopped = WordVectors._restore(vectors.get_params(), dataclasses.replace(vectors.fitted, facts=facts))
    assert "interrupted" in stopped.plot_training().axes[0].get_xlabel()


def test_pictures_that_cannot_be_written(tmp_path: Path) -> None:
    figure = curve_figure([3.0, 2.0, 1.0], 1, "title")
    with pytest.raises(ParameterError, match=r"ends in \.png, \.svg, \.pdf"):
        save_figure(figure, tmp_path / "curve.gif")
    with pytest.raises(ParameterError, match="there is no folder"):
        save_figure(figure, tmp_path / "none" / "curve.png")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, vectors: WordVectors) -> None:
    monkeypatch.setitem(sys.modules, "textalloc", None)
    with pytest.raises(ParameterError, match=r"pip install 'lexigrad\[plot\]'"):
        vectors.plot(["tea", "dog"])
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ParameterError, match=r"pip install 'lexigrad\[umap\]'"):
        vectors.plot(["tea", "dog", "cup", "sea", "sand"], method="umap")


def test_a_confusion_matrix_shows_its_counts_and_shares() -> None:
    counts = np.array([[8, 2, 0], [0, 1500, 500], [0, 0, 0]])
    figure = confusion_figure(counts, ["a", "$b$", 3], "some")
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.8, 0.2, 0], [0, 0.75, 0.25], [0, 0, 0]])
    assert [text.get_text() for text in axes.texts] == ["8", "2", "0", "0", "1,500", "500", "0", "0", "0"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "$b$", "3"]
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title(loc="left")) == ("true", "predicted", "some")


def test_a_confusion_matrix_of_many_labels_has_no_texts_in_its_cells() -> None:
    axes = confusion_figure(np.eye(150, dtype=int), range(150)).axes[0]
    assert not axes.texts
    assert axes.images[0].get_array().shape == (150, 150)


@pytest.mark.parametrize(
    ("shape", "n", "says"),
    [((2, 3), 2, "has the shape (2, 2)"), ((0, 0), 0, "at least (1, 1)"), ((1001, 1001), 1001, "room for 1,000")],
)
def test_confusion_matrices_that_cannot_be_drawn(shape: tuple[int, int], n: int, says: str) -> None:
    with pytest.raises(DataError) as error:
        confusion_figure(np.zeros(shape, int), range(n))
    assert says in str(error.value)


def test_histograms_show_their_counts_and_the_threshold() -> None:
    shown = [("q.hq", [3, 0, 1000, 2], 0.5), ("q.$c$", [1, 1, 1, 1], None), ("l.hq", [4, 0, 0, 0], 0.125)]
    figure = histograms_figure(shown, "some rows", ("q.hq", 0.625))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    for axes, (name, counts, mean) in zip(panels, shown, strict=True):
        assert [bar.get_height() for bar in axes.patches] == counts
        assert [bar.get_x() for bar in axes.patches] == [0, 0.25, 0.5, 0.75]
        assert axes.get_title(loc="left") == name
        assert axes.get_title(loc="right") == ("" if mean is None else f"mean {mean:.3f}")
        assert axes.get_yscale() == "log"
    assert [text.get_text() for axes in panels for text in axes.texts] == ["kept from 0.625"]
    assert panels[0].lines[0].get_xdata()[0] == 0.625
    assert figure.get_suptitle() == "some rows"
    many = histograms_figure([(str(i), [1, 2], 0.5) for i in range(26)], "many")
    assert len([axes for axes in many.axes if axes.get_visible()]) == 24
    assert many.get_suptitle() == "many · 2 labels more are not drawn"
    with pytest.raises(DataError, match="at least one"):
        histograms_figure([])


def test_an_evaluation_draws_its_confusions(trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    evaluation = trained.evaluate(
        ["sport1 sport2", "food3", "law4", "law5 food1 food2"], ["sport", "food", "law", "law"]
    )
    figure = evaluation.plot_confusion(tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    drawn = [int(text.get_text()) for text in figure.axes[0].texts]
    assert drawn == evaluation.confusion.ravel().tolist()
    with pytest.raises(ParameterError, match=r"ends in \.png"):
        evaluation.plot_confusion(tmp_path / "confusion.jpg")


def test_histograms_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ParameterError, match=r"lexigrad\[plot\]"):
        histograms_figure([("hq", [1] * 20, 0.5)])
