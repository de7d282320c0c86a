"""Pictures: a map of word vectors, and the course of a training's loss. They need the extra `plot`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("pca", "tsne", "umap")
EXTENSIONS = (".png", ".svg", ".pdf")
COLOURS = ("#1f4e79", "#c55a11")
"""Of the words asked for, and of their neighbours."""
GREY = "#8a8a8a"
ATTEMPTS = 5
"""A map on which labels still overlap is drawn again, larger."""


def _missing(what: str, extra: str) -> ParameterError:
    return ParameterError(f"{what} needs an extra: pip install 'lexigrad[{extra}]'")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that belongs to no window.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise _missing("a picture", "plot") from None
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def project(vectors: NDArray[np.float32], method: str = "pca", seed: int = 0) -> NDArray[np.float64]:
    """Return two coordinates for each vector, (n, 2).

    "pca" is the projection on the two directions of most variance, by the singular value decomposition of the centred vectors X - mean = U S V^T:
    the coordinates are U S of the two largest singular values, each direction with the sign that makes its largest coordinate positive. "tsne"
    (L. van der Maaten and G. Hinton 2008) and "umap" (L. McInnes, J. Healy and J. Melville 2018) keep neighbours together rather than distances.

    Raises
    ------
    ParameterError
        For an unknown method, or one whose extra is not installed.
    DataError
        For fewer than two vectors, for "tsne" and "umap" fewer than four.
    """
    if method not in METHODS:
        raise ParameterError(f"method={method!r}: choose one of {', '.join(METHODS)}")
    least = 2 if method == "pca" else 4
    if len(vectors) < least:
        raise DataError(f"a map by {method} needs {least} words or more, got {len(vectors)}")
    wide = np.asarray(vectors, np.float64)
    if method == "pca":
        u, s, _ = np.linalg.svd(wide - wide.mean(axis=0), full_matrices=False)
        places = np.zeros((len(wide), 2))
        places[:, : min(2, len(s))] = (u * s)[:, :2]
        signs = np.sign(places[np.abs(places).argmax(axis=0), [0, 1]])
        return places * np.where(signs == 0, 1, signs)
    unit = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-30)
    neighbours = min(15, len(unit) - 1)
    if method == "tsne":
        try:
            from sklearn.manifold import TSNE
        except ImportError:
            raise _missing("method='tsne'", "sklearn") from None
        return np.asarray(
            TSNE(perplexity=min(30.0, neighbours), init="pca", random_state=seed).fit_transform(unit), np.float64
        )
    try:
        from umap import UMAP
    except ImportError:
        raise _missing("method='umap'", "umap") from None
    return np.asarray(UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(unit), np.float64)


def map_figure(labels: Sequence[str], places: NDArray[np.float64], group: Sequence[int], title: str) -> Figure:
    """Draw labelled points; labels are moved until none covers another, with a line to the point where they went far.

    Parameters
    ----------
    labels, places : what stands where, (n,) and (n, 2)
    group : 0 or 1 for each, which decides its colour
    """
    side = float(np.clip(5 + len(labels) / 14, 6, 16))
    for _ in range(ATTEMPTS):
        figure, texts = _labelled(labels, places, group, title, side)
        if not _overlap(texts):
            break
        side *= 1.3
    return figure


def _labelled(
    labels: Sequence[str], places: NDArray[np.float64], group: Sequence[int], title: str, side: float
) -> tuple[Figure, list[Any]]:
    """Return a map of a size, and its labels."""
    figure = new_figure(side * 1.25, side)
    try:
        from adjustText import adjust_text
    except ImportError:
        raise _missing("a map of words", "plot") from None
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = [COLOURS[i] for i in group]
    axes.scatter(places[:, 0], places[:, 1], s=14, c=colours, linewidths=0, zorder=3)
    texts = [
        axes.text(x, y, label, fontsize=9, color=colour, zorder=4, parse_math=False)
        for label, (x, y), colour in zip(labels, places, colours, strict=True)
    ]
    axes.set_title(title, fontsize=11)
    axes.tick_params(labelsize=7, colors=GREY)
    for spine in axes.spines.values():
        spine.set_color("#d0d0d0")
    axes.margins(0.08)
    canvas.draw()
    figure.set_layout_engine("none")  # what is placed now stays where it is
    adjust_text(
        texts, x=places[:, 0], y=places[:, 1], ax=axes, arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5}, expand=(1.12, 1.3),
        iter_lim=100, min_arrow_len=6,
    )  # fmt: skip
    return figure, texts


def _overlap(texts: list[Any]) -> bool:
    """Whether a label covers a part of another."""
    boxes = [text.get_window_extent() for text in texts]
    return any(boxes[i].overlaps(boxes[j]) for i in range(len(boxes)) for j in range(i))


def curve_figure(losses: Sequence[float], epochs: int, title: str) -> Figure:
    """Draw the loss over the epochs: the reports in grey, their running mean in colour."""
    figure = new_figure(7, 4)
    axes = figure.add_subplot()
    values = np.asarray(losses, np.float64)
    at = np.linspace(0, epochs, len(values) + 1)[1:]
    axes.plot(at, values, color="#c9d3dd", lw=1, label="each report")
    width = max(1, len(values) // 25)
    running = np.convolve(values, np.ones(width) / width, "valid")
    axes.plot(at[width - 1 :], running, color=COLOURS[0], lw=1.8, label=f"mean of {width}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_title(title, fontsize=11)
    axes.grid(color="#eeeeee")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a picture, by a temporary name; equal figures give equal files.

    Raises
    ------
    ParameterError
        For an extension other than .png, .svg and .pdf, or a folder that is not there.
    """
    import matplotlib

    target = Path(path)
    kind = target.suffix.lower()
    if kind not in EXTENSIONS:
        raise ParameterError(f"{target}: a picture's name ends in {', '.join(EXTENSIONS)}")
    if not target.absolute().parent.is_dir():
        raise ParameterError(f"cannot write {target}: there is no folder {target.parent}; make it first")
    temporary = target.with_name(f".{target.name}.{os.getpid()}{kind}")
    metadata: dict[str, Any] = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[
        kind
    ]
    try:
        with matplotlib.rc_context({"svg.hashsalt": "lexigrad"}):
            figure.savefig(temporary, metadata=metadata)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
