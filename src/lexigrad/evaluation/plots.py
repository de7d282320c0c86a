"""Pictures: a map of word vectors, the course of a training's loss, a confusion matrix, histograms of probabilities. They need the extra `plot`."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import DataError, LexigradWarning, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("pca", "tsne", "umap")
EXTENSIONS = (".png", ".svg", ".pdf")
COLOURS = ("#1f4e79", "#b5481a", "#3f7d3a", "#8b3a8f", "#8a6500", "#0b7a75", "#b3224f", "#4a4a4a")
"""Of the groups of a map: each dark enough to read text in on white."""
LINE_COLOUR, FRAME_COLOUR = "#9a9a9a", "#d0d0d0"
DPI = 150
FONT_SIZE = 9
FALLBACK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS", "Noto Sans Devanagari", "Nirmala UI", "Noto Sans Thai",
    "Leelawadee UI", "Noto Sans Hebrew", "Noto Sans Arabic", "Noto Emoji",
)  # fmt: skip
"""For what DejaVu Sans, which comes with matplotlib, has no glyph; those that are installed are used."""
MOST_CHARACTERS = 32
"""Of a label; longer ones are cut."""
TRIES = ((1.0, 0.9, True), (1.3, 0.9, True), (1.3, 2.5, False), (1.7, 2.5, False))
"""(scale of the map, inches from a label to its point, whether lines keep clear of labels and of each other); the first at which all labels find
a place is taken. Lines that do not keep clear pass below the labels."""
MOST_STRICT = 200
"""Labels; with more the slow strict tries are left out."""
MOST_INCHES, EDGE_INCHES, LINE_INCHES = 24, 0.1, 0.34
"""Width of the largest map, white around it, and height of its title and legend."""
MARGIN = 1.16
"""Width of a map by that of its points: room for labels at the edges."""
SHORTEST_LINE = 0.13
"""Inches from a label to its point."""
MOST_CANDIDATES = 400
"""Places tried for each label."""


def _missing(what: str, extra: str) -> ParameterError:
    return ParameterError(f"{what} needs an extra: pip install 'lexigrad[{extra}]'")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure, in inches, that belongs to no window and no list of open figures.

    Raises
    ------
    ParameterError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise _missing("a picture", "plot") from None
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def check_method(method: str) -> None:
    """Raise `ParameterError` for a projection that is not served."""
    if method not in METHODS:
        raise ParameterError(f"method={method!r}: choose one of {', '.join(METHODS)}")


def picture_path(path: str | os.PathLike[str]) -> Path:
    """Return where a picture goes, before any time was spent on it.

    Raises
    ------
    ParameterError
        For an extension other than .png, .svg and .pdf, a folder, or a folder that is not there.
    """
    target = Path(path)
    if target.suffix.lower() not in EXTENSIONS:
        raise ParameterError(f"{target}: a picture's name ends in {', '.join(EXTENSIONS)}")
    if not target.absolute().parent.is_dir():
        raise ParameterError(f"cannot write {target}: there is no folder {target.parent}; make it first")
    if target.is_dir():
        raise ParameterError(f"cannot write {target}: it is a folder; name a file in it")
    return target


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
        For fewer than two vectors, for "tsne" and "umap" fewer than four, and for vectors that are not finite.
    """
    check_method(method)
    least = 2 if method == "pca" else 4
    if len(vectors) < least:
        raise DataError(f"a map by {method} needs {least} words or more, got {len(vectors)}")
    wide = np.asarray(vectors, np.float64)
    if not np.isfinite(wide).all():
        raise DataError("a map needs finite vectors, and some numbers of these are infinite or NaN")
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
            from threadpoolctl import threadpool_limits
        except ImportError:
            raise _missing("method='tsne'", "sklearn") from None
        tsne = TSNE(perplexity=min(30.0, neighbours), init="pca", random_state=seed)
        with threadpool_limits(1):  # for so few points more threads only wait for each other: seconds become a minute
            return np.asarray(tsne.fit_transform(unit), np.float64)
    try:
        from umap import UMAP
    except ImportError:
        raise _missing("method='umap'", "umap") from None
    return np.asarray(UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(unit), np.float64)


def map_figure(
    labels: Sequence[str],
    places: NDArray[np.float64],
    groups: Sequence[int] | None = None,
    names: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Draw labelled points, both axes on one scale.

    A label stands beside its point, or, where others are in the way, at the nearest free place with a thin line to the point. No label covers
    another, or a point. Where there is no room for all, the map becomes larger, up to twice; labels that have no place even then are left out.

    Parameters
    ----------
    labels, places : what stands where, (n,) and (n, 2); labels that come first choose their place first
    groups : a number from 0 for each, which decides its colour; None for one colour
    names : of the groups, for the legend; none draws no legend
    title : above the map

    Warns
    -----
    LexigradWarning
        Labels were left out, or no font of this machine has a glyph for a character.
    """
    shown = [_shown(label) for label in labels]
    colours = [COLOURS[group % len(COLOURS)] for group in groups or [0] * len(labels)]
    fonts = _fonts(shown)
    for scale, reach, strict in TRIES:
        if strict and len(shown) > MOST_STRICT:
            continue
        figure = _map(shown, places, colours, names, title, fonts, scale, reach, strict)
        left_out = len(shown) - len(figure.axes[0].texts)
        if not left_out:
            return figure
    warnings.warn(
        f"{left_out} of {len(labels)} labels found no room and were left out; their points are drawn. Draw fewer words",
        LexigradWarning,
        stacklevel=3,
    )
    return figure


def _shown(label: str) -> str:
    """Return a label in characters that can be drawn, in one line, not too long."""
    text = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in label)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _fonts(labels: Sequence[str]) -> list[str]:
    """Return the fonts for labels, first choice first; warn once of characters that none of them has."""
    new_figure(1, 1)  # says what to install where there is no matplotlib
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

    installed = set(fontManager.get_font_names())
    families = ["DejaVu Sans", *(name for name in FALLBACK_FONTS if name in installed)]
    needed = set("".join(labels))
    for family in families:
        known = get_font(findfont(FontProperties(family=[family]))).get_charmap()
        needed -= {c for c in needed if ord(c) in known}
    if needed:
        some = " ".join(sorted(needed)[:5])
        warnings.warn(
            f"no font was found for {len(needed)} characters, such as {some}: install one that has them, for example Noto Sans CJK",
            LexigradWarning,
            stacklevel=4,
        )
    return families


def _map(
    labels: Sequence[str],
    places: NDArray[np.float64],
    colours: Sequence[str],
    names: Sequence[str],
    title: str,
    fonts: list[str],
    scale: float,
    reach: float,
    strict: bool,
) -> Figure:
    """Return a map of a size; it has as many texts as labels found a place."""
    try:
        from textalloc import allocate
    except ImportError:
        raise _missing("a map of words", "plot") from None
    low, high = places.min(axis=0), places.max(axis=0)
    spans = np.maximum(high - low, 1e-9 + 1e-3 * (high - low).max())
    width = scale * float(np.clip(4 + 0.5 * np.sqrt(len(labels)), 6.5, MOST_INCHES / TRIES[-1][0]))
    height = width * float(np.clip(spans[1] / spans[0], 0.6, 1.0))
    above, below = (LINE_INCHES if title else EDGE_INCHES), (LINE_INCHES if names else EDGE_INCHES)
    whole = np.array([width + 2 * EDGE_INCHES, height + above + below])
    figure = new_figure(*whole)
    left, bottom = np.array([EDGE_INCHES, below]) / whole
    axes = figure.add_axes((left, bottom, width / whole[0], height / whole[1]), xticks=[], yticks=[], facecolor="white")
    axes.spines[:].set_color(FRAME_COLOUR)
    half = MARGIN / 2 * max(spans[0] / width, spans[1] / height) * np.array([width, height])
    start, end = (low + high) / 2 - half, (low + high) / 2 + half
    axes.set(xlim=(start[0], end[0]), ylim=(start[1], end[1]))
    axes.scatter(places[:, 0], places[:, 1], s=13, c=list(colours), linewidths=0, zorder=3)
    figure.text(
        left, 1 - EDGE_INCHES / whole[1], title, fontsize=FONT_SIZE + 1, va="top", color="#333333", fontfamily=fonts, parse_math=False
    )  # fmt: skip
    _legend(figure, names, fonts, bottom)
    with _quiet():  # distances in shares of the width, sizes in pixels
        *_, lines = allocate(
            axes, *places.T, list(labels), x_scatter=places[:, 0], y_scatter=places[:, 1], scatter_sizes=np.full(len(labels), 0.028 * DPI),
            textsize=FONT_SIZE, textcolor=list(colours), linecolor=LINE_COLOUR, linewidth=0.5, margin=0.012 / width, min_distance=0.045 / width,
            max_distance=reach / width, nbr_candidates=MOST_CANDIDATES, draw_all=False, avoid_label_lines_overlap=strict,
            avoid_crossing_label_lines=strict, va="bottom", fontfamily=fonts, parse_math=False, zorder=4,
        )  # fmt: skip
    for text in axes.texts:
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0})  # above lines that pass here
    for line in lines:
        if line is not None and _length(line, axes) < SHORTEST_LINE * DPI:
            line.remove()  # the label stands beside its point
    return figure


def _length(line: Any, axes: Any) -> float:
    """Return the length of a drawn line of two points, in pixels."""
    ends = axes.transData.transform(line.get_xydata())
    return float(np.hypot(*(ends[1] - ends[0])))


def _legend(figure: Figure, names: Sequence[str], fonts: list[str], at: float) -> None:
    """Draw the names of the groups below the map, in one line; none draws nothing."""
    if not names:
        return
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", ls="", ms=4.5, mew=0, color=COLOURS[i % len(COLOURS)], label=_shown(name))
        for i, name in enumerate(names)
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, at), ncols=len(names), frameon=False, labelcolor="linecolor",
        prop={"family": fonts, "size": FONT_SIZE}, borderpad=0.5, handletextpad=0.1, columnspacing=1.2,
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what matplotlib says of each character without a glyph: `_fonts` has said it of all."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def curve_figure(losses: Sequence[float], epochs: int | None, title: str = "") -> Figure:
    """Draw the course of a loss: the reports, and where there are 50 or more their running mean.

    Parameters
    ----------
    losses : the reports, which came at even distances of time
    epochs : that they cover; None where training was interrupted: then the axis is the share of the time until then
    """
    figure = new_figure(7, 4)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot(facecolor="white")
    values = np.asarray(losses, np.float64)
    at = np.linspace(0, 100 if epochs is None else epochs, len(values) + 1)[1:]
    width = len(values) // 25
    if width >= 2:
        running = np.convolve(values, np.ones(width) / width, "valid")
        middle = at[(width - 1) // 2 :][: len(running)]
        axes.plot(at, values, color="#b9c6d3", lw=1, label="each report")
        axes.plot(middle, running, color=COLOURS[0], lw=1.8, label=f"mean of {width}")
        axes.legend(frameon=False)
    else:
        axes.plot(at, values, color=COLOURS[0], lw=1.8, marker="o", ms=3.5)
    axes.set_xlim(0, at[-1] * 1.01)
    axes.set_xlabel("% of the time until training was interrupted" if epochs is None else "epoch")
    axes.set_ylabel("loss")
    axes.set_title(title, fontsize=11, loc="left", color="#333333")
    axes.grid(color="#eeeeee")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


MOST_CELLS = 20
"""Labels up to which the cells of a confusion matrix show their counts, and each label its name."""
MOST_LABELS = 1000
"""Of a confusion matrix: with more, a label would be less than a point of the picture."""


def confusion_figure(counts: NDArray[np.int64], labels: Sequence[Any], title: str = "") -> Figure:
    """Draw a confusion matrix: true labels in rows, predicted ones in columns, each cell coloured by its share of its row.

    Up to 20 labels, cells show their counts and axes the labels' names; beyond that, only the colours and the places of the labels.

    Parameters
    ----------
    counts : (n_labels, n_labels), such as `Evaluation.confusion`
    labels : names of the rows and columns
    title : above the picture

    Raises
    ------
    DataError
        If the counts are no square of the labels' size, or there are more than 1,000 labels.
    """
    counts = np.asarray(counts)
    n = len(labels)
    if counts.shape != (n, n) or not n:
        raise DataError(
            f"a confusion matrix of {n} labels has the shape ({n}, {n}), at least (1, 1); got {counts.shape}"
        )
    if n > MOST_LABELS:
        raise DataError(
            f"a picture of a confusion matrix has room for {MOST_LABELS:,} labels, got {n:,}; draw some of them"
        )
    names = [_shown(str(label)) for label in labels]
    small = n <= MOST_CELLS
    side = 2.2 + 0.62 * n if small else 7.0
    figure = new_figure(side + 0.6, side)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=max(float(shares.max()), 1e-9), interpolation="nearest")
    fonts = _fonts(names) if small else ["DejaVu Sans"]
    if small:
        style: dict[str, Any] = {"fontfamily": fonts, "fontsize": FONT_SIZE, "parse_math": False}
        axes.set_xticks(range(n), names, rotation=45, ha="right", rotation_mode="anchor", **style)
        axes.set_yticks(range(n), names, **style)
        for row, column in np.ndindex(n, n):
            ink = "white" if shares[row, column] > 0.6 * shares.max() else "#333333"
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=FONT_SIZE, color=ink)
    axes.tick_params(length=0 if small else 3)
    axes.spines[:].set_color(FRAME_COLOUR)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=11, loc="left", color="#333333", parse_math=False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, format=lambda share, _: f"{share:.0%}")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=FONT_SIZE, length=0)
    bar.set_label("share of the row")
    return figure


PANEL_WIDTH, PANEL_HEIGHT = 3.1, 1.9
"""Inches of one histogram."""
MOST_PANELS = 24
"""Histograms that are drawn."""


def histograms_figure(
    shown: Sequence[tuple[str, Sequence[int], float | None]],
    title: str = "",
    threshold: tuple[str, float | None] | None = None,
) -> Figure:
    """Draw histograms of probabilities, one panel a label, with counts on a logarithmic axis that all panels share.

    Parameters
    ----------
    shown : (label, counts in intervals of equal width from 0 to 1, mean) of each, up to 24 of which are drawn
    title : above the picture
    threshold : a label and the probability from which on rows of it were kept, for a line in its panel

    Raises
    ------
    DataError
        If there is none.
    """
    if not shown:
        raise DataError("a picture of histograms needs at least one")
    drawn = shown[:MOST_PANELS]
    columns = min(len(drawn), 1 if len(drawn) == 1 else 2 if len(drawn) in (2, 4) else 3)
    n_rows = -(-len(drawn) // columns)
    wide = 1.7 if columns == 1 else 1.0
    figure = new_figure(0.6 + PANEL_WIDTH * columns * wide, 0.8 + PANEL_HEIGHT * n_rows * wide)
    from matplotlib.ticker import FuncFormatter, NullLocator

    figure.set_layout_engine("constrained")
    names = [_shown(name) for name, _, _ in drawn]
    fonts = _fonts([*names, title])
    grid = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
    highest = max(max(counts) for _, counts, _ in drawn)
    for i, axes in enumerate(grid.flat):
        if i >= len(drawn):
            axes.set_visible(False)
            continue
        name, counts, mean = drawn[i]
        width = 1 / len(counts)
        axes.bar(
            np.arange(len(counts)) * width,
            counts,
            width=0.9 * width,
            align="edge",
            color=COLOURS[0],
            linewidth=0,
            zorder=2,
        )
        axes.set(xlim=(-0.01, 1.01), xticks=[0, 0.25, 0.5, 0.75, 1], yscale="log", ylim=(0.6, max(10, highest * 3)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_count(value)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_title(
            names[i], fontsize=FONT_SIZE + 1, loc="left", color="#333333", fontfamily=fonts, parse_math=False
        )
        note = "" if mean is None else f"mean {mean:.3f}"
        axes.set_title(note, fontsize=FONT_SIZE, loc="right", color="#777777")
        if threshold is not None and threshold[1] is not None and threshold[0] in (name, name.rpartition(".")[2]):
            axes.axvline(threshold[1], color=COLOURS[1], lw=1.2, zorder=3)
            right = threshold[1] < 0.5
            axes.text(
                threshold[1] + (0.015 if right else -0.015), 0.95, f"kept from {threshold[1]:.4g}", color=COLOURS[1], fontsize=FONT_SIZE,
                transform=axes.get_xaxis_transform(), ha="left" if right else "right", va="top", zorder=4,
            )  # fmt: skip
        axes.grid(axis="y", color="#eeeeee", zorder=0)
        axes.tick_params(labelsize=FONT_SIZE, colors="#555555", which="both", length=2)
        axes.tick_params(labelbottom=i + columns >= len(drawn))
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FRAME_COLOUR)
    figure.supxlabel("probability", fontsize=FONT_SIZE, color="#555555")
    figure.supylabel("rows", fontsize=FONT_SIZE, color="#555555")
    more = f" · {len(shown) - len(drawn)} labels more are not drawn" if len(shown) > len(drawn) else ""
    figure.suptitle(
        title + more, fontsize=11, x=0.01, ha="left", color="#333333", fontfamily=fonts, parse_math=False
    )  # fmt: skip
    return figure


def _short_count(value: float) -> str:
    """Return a power of ten in few characters.

    Examples
    --------
    >>> _short_count(1000), _short_count(10_000_000)
    ('1k', '10M')
    """
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a picture, by a temporary name; equal figures give equal files. What is raised: see `picture_path`."""
    target = picture_path(path)
    import matplotlib

    kind = target.suffix.lower()
    temporary = target.with_name(f".lexigrad-{os.getpid()}-{secrets.token_hex(4)}{kind}")
    undated = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        with matplotlib.rc_context({"svg.hashsalt": "lexigrad"}), _quiet():
            figure.savefig(temporary, metadata=undated[kind])
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
