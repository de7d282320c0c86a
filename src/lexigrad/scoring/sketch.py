"""How probabilities are distributed, in bounded memory, and the threshold that keeps a share of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lexigrad.errors import FormatError, ParameterError

DROPPED_BITS = 12
"""Of a float32, the lowest, which its bin does not tell; 11 of its fraction remain."""
ONE_BITS = 0x3F800000
"""1.0 as bits."""
N_BINS = (ONE_BITS >> DROPPED_BITS) + 1
"""260,097; the last holds exactly 1."""
RELATIVE_ERROR = 2.0 ** (DROPPED_BITS - 23)
"""2^-11, the width of a bin over its lower edge."""
SLICE = 1 << 18
"""Numbers that are looked at together, so that what they become stays in the cache."""


@dataclass(frozen=True)
class Cut:
    """The bin that a threshold lies in.

    Attributes
    ----------
    n : how many numbers are to be kept
    low, high : the threshold is at least `low` and less than `high`
    above : numbers of `high` and more, fewer than `n`
    within : numbers in the bin; with those above at least `n`
    """

    n: int
    low: float
    high: float
    above: int
    within: int


class ScoreSketch:
    """Counts of float32 probabilities by their leading bits.

    The bits of floats from 0 to 1, read as whole numbers, are in the order of the floats. A bin is the set of floats with the same upper 20 bits: sign,
    exponent and 11 bits of the fraction. So bins are intervals, in order; for numbers of at least 2^-126, the smallest normal float32, the width of a
    bin is 2^-11 of its lower edge or less, and below that it is 2^-137. 0 and 1 are lower edges, and 1 is alone in its bin. There are 260,097 bins,
    2.1 MB, however many numbers were counted.

    Why the answers hold: the counts say exactly how many numbers lie below each edge. So the bin that holds the number of a given rank is known
    exactly, and only where it lies in there is not: an answer errs by less than the bin's width, and its rank by less than the numbers in the bin.
    Counts of parts add up to the counts of the whole, so neither order nor `merge` changes any answer.

    Attributes
    ----------
    counts : (260097,) int64

    Examples
    --------
    >>> sketch = ScoreSketch()
    >>> sketch.update(np.linspace(0, 1, 1001, dtype=np.float32))
    >>> sketch.n, round(sketch.quantile(0.25), 3)
    (1001, 0.25)
    >>> sketch.histogram(4).tolist()
    [250, 250, 250, 251]
    """

    def __init__(self) -> None:
        self.counts = np.zeros(N_BINS, np.int64)

    @property
    def n(self) -> int:
        """How many numbers were counted."""
        return int(self.counts.sum())

    def update(self, probs: NDArray[np.float32]) -> None:
        """Count numbers, some 4 ms for a million; NaN, which stands for a missing text, is passed over.

        Raises
        ------
        ParameterError
            Numbers of another type, or outside 0 to 1; nothing was counted then.
        """
        self.counts += _counted(probs)

    def merge(self, other: ScoreSketch) -> None:
        """Add what another sketch has counted."""
        self.counts += other.counts

    def quantile(self, q: float) -> float:
        """Return the number x_r of rank r = max(1, ceil(q n)) in rising order, from below: the lower edge of its bin.

        `q` is taken as the decimal number that it is written as: of 10 numbers, 0.1 means one. With y the answer, y <= x_r < y (1 + 2^-11) for
        normal numbers; fewer than r numbers are less than y.

        Raises
        ------
        ParameterError
            `q` is not from 0 to 1, or nothing was counted.
        """
        if not 0 <= q <= 1:
            raise ParameterError(f"q={q!r}: expected a share from 0 to 1")
        n = self.n
        if not n:
            raise ParameterError("a quantile of no numbers was asked for")
        rank = max(1, _ceil(_decimal(q) * n))
        return float(_edge(int(np.searchsorted(np.cumsum(self.counts), rank))))

    def threshold(self, share: float | Fraction) -> Cut | None:
        """Return where the threshold lies that keeps the largest `share` of the numbers, ceil(share n) of them; None for no numbers.

        A float is taken as the decimal number that it is written as.

        Keeping what is at least `Cut.low` keeps `Cut.above + Cut.within` numbers, those asked for and fewer than `Cut.within` more; `exact_threshold` tells the
        threshold itself by a second look at the numbers.

        Raises
        ------
        ParameterError
            The share is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise ParameterError(f"share={share!r}: expected a share above 0, up to 1")
        n = self.n
        if not n:
            return None
        wanted = _ceil(_decimal(share) * n)
        from_top = np.cumsum(self.counts[::-1])
        place = int(np.searchsorted(from_top, wanted))
        bin = N_BINS - 1 - place
        within = int(self.counts[bin])
        high = float(_edge(bin + 1)) if bin + 1 < N_BINS else float("inf")
        return Cut(wanted, float(_edge(bin)), high, int(from_top[place]) - within, within)

    def histogram(self, bins: int = 20) -> NDArray[np.int64]:
        """Return counts in intervals of equal width from 0 to 1, (bins,) int64, the last with 1.

        A number counts where the lower edge of its bin of the sketch lies, so it may count one interval too low if it is within 2^-11 of itself above an edge.

        Raises
        ------
        ParameterError
            `bins` is not a whole number from 1 up.
        """
        if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
            raise ParameterError(f"bins={bins!r}: expected a whole number from 1 up")
        used = np.flatnonzero(self.counts)
        places = np.minimum((_edge(used).astype(np.float64) * bins).astype(np.int64), bins - 1)
        result = np.zeros(bins, np.int64)
        np.add.at(result, places, self.counts[used])
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: the bins that are not empty, each as its distance from the one before, and their counts."""
        used = np.flatnonzero(self.counts)
        return {
            "dropped_bits": DROPPED_BITS,
            "bins": np.diff(used, prepend=0).tolist(),
            "counts": self.counts[used].tolist(),
        }

    @classmethod
    def from_dict(cls, document: Any) -> ScoreSketch:
        """Return the sketch that `to_dict` was called on.

        Raises
        ------
        FormatError
            The values are not those of a sketch.
        """
        sketch = cls()
        try:
            bins = np.cumsum(np.array(document["bins"], np.int64))
            counts = np.array(document["counts"], np.int64)
            fits = document["dropped_bits"] == DROPPED_BITS and bins.shape == counts.shape
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"these are no values of a sketch: {error!r}") from None
        if not fits or (len(bins) and not (bins[0] >= 0 and (np.diff(bins) > 0).all() and bins[-1] < N_BINS)):
            raise FormatError("these are no values of a sketch: its bins are not there, or not in order")
        if (counts < 0).any():
            raise FormatError("these are no values of a sketch: a count is negative")
        sketch.counts[bins] = counts
        return sketch

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as a JSON file."""
        from lexigrad.formats.native import replacing

        with replacing(Path(path)) as file:
            file.write(json.dumps(self.to_dict()).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ScoreSketch:
        """Read what `save` wrote."""
        try:
            return cls.from_dict(json.loads(Path(path).read_bytes()))
        except FormatError as error:
            raise FormatError(f"{os.fspath(path)}: {error}") from None
        except (OSError, ValueError) as error:
            raise FormatError(f"{os.fspath(path)}: no sketch could be read: {error}") from None


def exact_threshold(cut: Cut, chunks: Iterable[NDArray[np.float32]]) -> tuple[float, int]:
    """Return the threshold that `cut` bounds, a number of the data, and how many numbers reach it, from a second look at all numbers.

    The floats in the bin are 4,096 neighbours, which are counted one by one: no memory is needed beyond that, however many numbers lie in there. The
    threshold is the largest t such that at least `cut.n` numbers are t or more; where several are equal to t, more may be kept than were asked for.

    Examples
    --------
    >>> sketch, numbers = ScoreSketch(), np.float32([0.1, 0.5, 0.5001, 0.5002, 0.9])
    >>> sketch.update(numbers)
    >>> exact_threshold(sketch.threshold(0.6), [numbers])
    (0.5001000165939331, 3)
    """
    low = int(np.float32(cut.low).view(np.uint32))
    counts = np.zeros(1 << DROPPED_BITS, np.int64)
    for numbers in chunks:
        bits = numbers.view(np.uint32)
        inside = bits[(bits >> DROPPED_BITS) == low >> DROPPED_BITS]
        counts += np.bincount((inside - low).astype(np.int64), minlength=len(counts))
    if counts.sum() != cut.within:
        raise ParameterError(
            f"these are not the numbers that were counted: {counts.sum():,} are in the bin, not {cut.within:,}"
        )
    from_top = np.cumsum(counts[::-1])
    place = int(np.searchsorted(from_top, cut.n - cut.above))
    threshold = np.uint32(low + len(counts) - 1 - place).view(np.float32)
    return float(threshold), cut.above + int(from_top[place])


def parse_share(text: str | float) -> Fraction:
    """Return a share: "10%" or 0.1, above 0 and at most 1.

    Raises
    ------
    ParameterError
        Anything else.

    Examples
    --------
    >>> parse_share("2.5%")
    Fraction(1, 40)
    """
    try:
        words = str(text).strip()
        share = Fraction(words[:-1].strip()) / 100 if words.endswith("%") else Fraction(words)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise ParameterError(f"keep_top={text!r}: expected a share above 0, up to 1, such as 10% or 0.1")
    return share


def _counted(probs: NDArray[np.float32]) -> NDArray[np.int64]:
    if probs.dtype != np.float32 or probs.ndim != 1:
        raise ParameterError(
            f"a sketch counts one-dimensional float32 arrays, not {probs.ndim}-dimensional {probs.dtype}"
        )
    counts = np.zeros(N_BINS, np.int64)
    bits = np.ascontiguousarray(probs).view(np.uint32)
    for start in range(0, len(bits), SLICE):
        places = (bits[start : start + SLICE] >> DROPPED_BITS).astype(np.intp)
        if int(places.max()) >= N_BINS - 1:
            some = probs[start : start + SLICE]
            some = some[~np.isnan(some)]
            if len(some) and not (some.min() >= 0 and some.max() <= 1):
                wrong = some[(some < 0) | (some > 1)][0]
                raise ParameterError(f"a sketch counts probabilities, and {wrong} is not from 0 to 1")
            places = (np.abs(some).view(np.uint32) >> DROPPED_BITS).astype(np.intp)  # -0 is 0
        found = np.bincount(places)
        counts[: len(found)] += found
    return counts


def _edge(bin: Any) -> Any:
    """Return the lower edge of a bin, float32."""
    return (np.asarray(bin, np.uint32) << np.uint32(DROPPED_BITS)).view(np.float32)


def _decimal(share: float | Fraction) -> Fraction:
    """Return a share as it is written: 0.1 is a tenth, which the float is not."""
    return share if isinstance(share, Fraction) else Fraction(str(share))


def _ceil(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)
