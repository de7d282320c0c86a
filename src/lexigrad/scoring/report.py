"""What a run has done: counts of rows, bad rows, and how the probabilities are distributed."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Group
    from rich.table import Table

BINS = 20
"""Of a histogram from 0 to 1."""
MOST_LISTED = 1000
"""Bad rows that a report names."""
SHOWN_FILES, SHOWN_LABELS = 20, 20
BARS = " ▁▂▃▄▅▆▇█"


@dataclass
class Distribution:
    """The probabilities of one label.

    Attributes
    ----------
    histogram : counts in 20 intervals of equal width from 0 to 1; a number at an edge counts above it
    total : their sum
    """

    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    total: float = 0.0

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(self.histogram)

    @property
    def mean(self) -> float | None:
        """Their mean; None where there are none."""
        return self.total / self.n if self.n else None

    @classmethod
    def of(cls, probs: NDArray[np.float32]) -> Distribution:
        """Return that of an array; NaN is passed over.

        Examples
        --------
        >>> Distribution.of(np.float32([0.5, 1.0, np.nan])).mean
        0.75
        """
        wide = probs[~np.isnan(probs)].astype(np.float64)
        places = np.clip((wide * BINS).astype(np.int64), 0, BINS - 1)
        return cls(np.bincount(places, minlength=BINS).tolist(), float(wide.sum()))

    def add(self, other: Distribution) -> None:
        """Add another one's numbers."""
        self.histogram = [a + b for a, b in zip(self.histogram, other.histogram, strict=True)]
        self.total += other.total


@dataclass
class Tally:
    """Counts of some rows, which add up: of a batch, a part, a file, a run.

    Attributes
    ----------
    rows, kept, bad : rows read, rows written, and rows without a usable text
    text_bytes : bytes of text that were scored
    problems : (line or row, reason) of bad rows, the first 1,000
    labels : for each model, how often each label was the most probable one, by its name
    probs : for each model and label, its distribution
    """

    rows: int = 0
    kept: int = 0
    bad: int = 0
    text_bytes: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    probs: dict[str, dict[str, Distribution]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add another one's counts."""
        self.rows += other.rows
        self.kept += other.kept
        self.bad += other.bad
        self.text_bytes += other.text_bytes
        self.problems.extend(other.problems[: MOST_LISTED - len(self.problems)])
        for model, counts in other.labels.items():
            mine = self.labels.setdefault(model, {})
            for label, count in counts.items():
                mine[label] = mine.get(label, 0) + count
        for model, distributions in other.probs.items():
            known = self.probs.setdefault(model, {})
            for label, distribution in distributions.items():
                known.setdefault(label, Distribution()).add(distribution)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Tally:
        """Return the tally that `to_dict` was called on."""
        probs = {
            model: {label: Distribution(**values) for label, values in labels.items()}
            for model, labels in document["probs"].items()
        }
        problems = [(int(line), str(reason)) for line, reason in document["problems"]]
        return cls(**{**document, "problems": problems, "probs": probs})


@dataclass
class FileReport:
    """What became of an input file.

    Attributes
    ----------
    input, output : paths; the output is None for a bad file
    rows, kept, bad : rows read, rows written, and rows without a usable text
    text_bytes : bytes of text
    reason : why the file was passed over, else ""
    """

    input: str
    output: str | None
    rows: int
    kept: int
    bad: int
    text_bytes: int
    reason: str = ""


@dataclass
class Report:
    """What a run has done.

    Attributes
    ----------
    files : a `FileReport` for each input
    labels : for each model, by its name, how often each label was the most probable one
    probs : for each model and label, the `Distribution` of its probability over all rows with a text, those that were not kept included; for models of
        more than 8 labels only those that were asked for, or else "prob", the probability of the most probable label
    bad_rows : {"file", "line", "reason"} of the first 1,000 bad rows; "line" is a line from 1 or a row from 0, by the kind of file
    top : of `keep_top`: "by", "share", "asked" (rows that are the share), "threshold" (the smallest probability that was kept), "kept"; else None
    seconds : of all runs until it was complete
    lists : for each column of lists that was added ("all"), the labels in the order of its numbers
    run : the settings, inputs and models, as the manifest has them
    complete_before : True where nothing was left to do
    """

    files: list[FileReport]
    labels: dict[str, dict[str, int]]
    probs: dict[str, dict[str, Distribution]]
    bad_rows: list[dict[str, Any]]
    top: dict[str, Any] | None
    seconds: float
    run: dict[str, Any]
    lists: dict[str, list[Any]] = field(default_factory=dict)
    complete_before: bool = False

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(file.rows for file in self.files)

    @property
    def kept(self) -> int:
        """Rows written."""
        return sum(file.kept for file in self.files)

    @property
    def bad(self) -> int:
        """Rows without a usable text."""
        return sum(file.bad for file in self.files)

    @property
    def bad_files(self) -> list[FileReport]:
        """Files that were passed over."""
        return [file for file in self.files if file.reason]

    @property
    def text_bytes(self) -> int:
        """Bytes of text that were scored."""
        return sum(file.text_bytes for file in self.files)

    @property
    def mb_per_second(self) -> float:
        """Megabytes of text a second."""
        return self.text_bytes / 1e6 / max(self.seconds, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values, under the attributes' names."""
        document = asdict(self)
        del document["complete_before"]
        for model, labels in self.probs.items():
            for label, distribution in labels.items():
                document["probs"][model][label] |= {"n": distribution.n, "mean": distribution.mean}
        totals = {"rows": self.rows, "kept": self.kept, "bad": self.bad, "text_bytes": self.text_bytes}
        return totals | {"mb_per_second": self.mb_per_second} | document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """Return the report that `to_dict` was called on."""
        probs = {
            model: {label: Distribution(values["histogram"], values["total"]) for label, values in labels.items()}
            for model, labels in document["probs"].items()
        }
        same = {name: document[name] for name in ("labels", "bad_rows", "top", "seconds", "run", "lists")}
        return cls(files=[FileReport(**file) for file in document["files"]], probs=probs, **same)

    def figure(self) -> Figure:
        """Draw the histograms, one for each model and label; needs the extra `plot`."""
        from lexigrad.evaluation.plots import histograms_figure

        shown = [
            (f"{model}.{label}" if model else label, distribution.histogram, distribution.mean)
            for model, labels in self.probs.items()
            for label, distribution in labels.items()
            if distribution.n
        ]
        threshold = None if self.top is None else (self.top["by"], self.top["threshold"])
        return histograms_figure(shown, self._head(), threshold)

    def _head(self) -> str:
        kept = f", {self.kept:,} kept" if self.kept != self.rows else ""
        bad = f", {self.bad:,} bad" if self.bad else ""
        n = len(self.files)
        return f"{self.rows:,} rows of {n:,} file{'s' * (n != 1)}{kept}{bad}"

    def __repr__(self) -> str:
        return f"Report({self._head()})"

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=160, color_system=None, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n"))

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.text import Text

        speed = f"{self.text_bytes / 1e6:,.1f} MB of text in {self.seconds:,.1f} s, {self.mb_per_second:,.1f} MB/s"
        parts: list[Any] = [Text(f"{self._head()}\n{speed}")]
        if self.top is not None and self.top["threshold"] is not None:
            parts.append(
                Text(
                    f"top {self.top['share']} by {self.top['by']}: {self.top['kept']:,} rows with a probability of {self.top['threshold']:.9g} or more"
                )
            )
        parts += [Text(""), self._files()]
        if len(self.files) > SHOWN_FILES:
            parts.append(Text(f"and {len(self.files) - SHOWN_FILES:,} files more"))
        bad = self.bad_files
        if bad:
            parts.append(Text(""))
            for file in bad[:SHOWN_FILES]:
                named = file.reason if file.input in file.reason else f"{file.input}: {file.reason}"
                parts.append(Text(shown(f"bad file: {named}"), overflow="fold"))
            if len(bad) > SHOWN_FILES:
                parts.append(Text(f"and {len(bad) - SHOWN_FILES:,} bad files more"))
        if any(distribution.n for labels in self.probs.values() for distribution in labels.values()):
            parts += [Text(""), self._labels()]
        return Group(*parts)

    def _files(self) -> Table:
        from rich.text import Text

        table = _table(("file", False), ("rows", True), ("kept", True), ("bad", True), ("MB of text", True))
        for file in self.files[:SHOWN_FILES]:
            numbers = [f"{n:,}" for n in (file.rows, file.kept, file.bad)] if not file.reason else ["bad file", "", ""]
            size = "" if file.reason else f"{file.text_bytes / 1e6:,.1f}"
            table.add_row(Text(shown(file.input)), *numbers, size)
        return table

    def _labels(self) -> Table:
        from rich.text import Text

        table = _table(("label", False), ("rows", True), ("mean", True), ("0    probability   1", False))
        for model, labels in self.probs.items():
            counts = self.labels.get(model, {})
            for label, distribution in list(labels.items())[:SHOWN_LABELS]:
                name = f"{model}.{label}" if model else label
                most = max(distribution.histogram)
                bars = "".join(BARS[math.ceil(8 * _root(count, most))] for count in distribution.histogram)
                mean = "" if distribution.mean is None else f"{distribution.mean:.4f}"
                rows = counts.get(label)
                table.add_row(Text(name), f"{rows:,}" if rows is not None else "", mean, Text(bars))
        return table


def shown(name: str) -> str:
    """Return a name for printing: bytes that are no UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _root(count: int, most: int) -> float:
    """Return the height of a bar: as the square root of the count, so that rare scores are seen."""
    return float((count / most) ** 0.5) if count else 0.0


def _table(*columns: tuple[str, bool]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    return table
