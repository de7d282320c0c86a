"""Pictures: the projection against its definition, labels that do not overlap, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import lexigrad
from lexigrad import DataError, ParameterError, WordVectors
from lexigrad.evaluation.plots import curve_figure, map_figure, project, save_figure
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


def test_labels_do_not_overlap_and_stay_the_same() -> None:
    places = np.random.default_rng(1).normal(size=(50, 2)) * [1, 0.15]
    labels = [f"word number {i}" for i in range(50)]
    one, two = (map_figure(labels, places, [0] * 50, "title") for _ in range(2))
    canvas = FigureCanvasAgg(one)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in one.axes[0].texts]
    assert len(boxes) == 50
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(50) for j in range(i))
    positions: list[Any] = [[text.get_position() for text in figure.axes[0].texts] for figure in (one, two)]
    assert positions[0] == positions[1]


@pytest.mark.parametrize("name", ["map.png", "map.svg", "map.pdf"])
def test_a_map_is_written_and_equal_every_time(name: str, vectors: WordVectors, tmp_path: Path) -> None:
    figure = vectors.plot(["tea", "dog", "cup"], tmp_path / name)
    assert [text.get_text() for text in figure.axes[0].texts] == ["tea", "dog", "cup"]
    first = (tmp_path / name).read_bytes()
    assert len(first) > 1000
    vectors.plot(["tea", "dog", "cup"], tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_drawn(vectors: WordVectors) -> None:
    assert len(vectors.plot().axes[0].texts) == 15
    labels = [text.get_text() for text in vectors.plot(["tea"], neighbors=3).axes[0].texts]
    assert labels == ["tea", *(word for word, _ in vectors.most_similar("tea", 3))]
    with pytest.raises(KeyError, match="unknown"):
        vectors.plot(["tea", "unknown"])
    with pytest.raises(DataError, match="a map by pca needs 2 words or more, got 1"):
        vectors.plot(["tea"])
    with pytest.raises(ParameterError, match="choose one of pca, tsne, umap"):
        vectors.plot(["tea", "dog"], method="lda")


def test_the_course_of_a_training_survives_in_the_file(vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "v.lexigrad")
    figure = lexigrad.load(tmp_path / "v.lexigrad").plot_training(tmp_path / "curve.png")
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, vectors.losses_, atol=1e-6)
    vectors.save(tmp_path / "v.vec")
    with pytest.raises(DataError, match="were not trained here"):
        lexigrad.load(tmp_path / "v.vec").plot_training()


def test_pictures_that_cannot_be_written(tmp_path: Path) -> None:
    figure = curve_figure([3.0, 2.0, 1.0], 1, "title")
    with pytest.raises(ParameterError, match=r"ends in \.png, \.svg, \.pdf"):
        save_figure(figure, tmp_path / "curve.gif")
    with pytest.raises(ParameterError, match="there is no folder"):
        save_figure(figure, tmp_path / "none" / "curve.png")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, vectors: WordVectors) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adjustText", None)
    with pytest.raises(ParameterError, match=r"pip install 'lexigrad\[plot\]'"):
        vectors.plot(["tea", "dog"])
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(ParameterError, match=r"pip install 'lexigrad\[umap\]'"):
        vectors.plot(["tea", "dog", "cup", "sea", "sand"], method="umap")
