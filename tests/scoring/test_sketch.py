"""Sketches against sorted numbers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lexigrad.errors import FormatError, ParameterError
from lexigrad.scoring.sketch import (
    N_BINS,
    RELATIVE_ERROR,
    ScoreSketch,
    exact_threshold,
    parse_share,
)

RNG = np.random.default_rng(0)
TINY = float(np.finfo(np.float32).tiny)
SETS: dict[str, NDArray[np.float32]] = {
    "uniform": RNG.random(10_000, np.float32),
    "at both ends": RNG.beta(0.05, 0.05, 10_000).astype(np.float32),
    "near 1": (1 - 10.0 ** -RNG.uniform(0, 12, 5_000)).astype(np.float32),
    "all magnitudes": (10.0 ** -RNG.uniform(0, 45, 5_000)).astype(np.float32),
    "ends alone": np.repeat(np.float32([0, 1]), [300, 200]),
    "one number": np.full(1000, 0.1, np.float32),
    "neighbours": (np.uint32(0x3F000000) + RNG.integers(0, 10_000, 5_000, np.uint32)).view(np.float32),
    "edges of bins": (
        (RNG.integers(0, N_BINS, 5_000) << 12).astype(np.uint32) - RNG.integers(0, 2, 5_000).astype(np.uint32)
    )
    .clip(0, 0x3F800000)
    .astype(np.uint32)
    .view(np.float32),
    "ten values": RNG.choice(np.float32([0, 1e-30, 0.1, 0.2, 0.25, 0.5, 0.75, 0.9, 0.99, 1]), 3_000),
    "one": np.float32([0.3]),
}
SHARES = (1e-9, 0.001, 0.1, Fraction(1, 3), 0.5, 0.999, 1)
every_set = pytest.mark.parametrize("numbers", SETS.values(), ids=SETS)


def sketch_of(numbers: NDArray[np.float32]) -> ScoreSketch:
    sketch = ScoreSketch()
    sketch.update(numbers)
    return sketch


@every_set
def test_quantiles_err_by_no_more_than_stated(numbers: NDArray[np.float32]) -> None:
    sketch, ordered = sketch_of(numbers), np.sort(numbers).astype(np.float64)
    for q in (0, 1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1):
        rank = max(1, int(np.ceil(Fraction(str(q)) * len(ordered))))
        exact, answer = ordered[rank - 1], sketch.quantile(q)
        assert answer <= exact
        assert exact - answer < max(answer * RELATIVE_ERROR, 2.0**-137)
        assert (ordered < answer).sum() < rank


@every_set
@pytest.mark.parametrize("share", SHARES)
def test_thresholds_are_exact_after_a_second_look(numbers: NDArray[np.float32], share: float | Fraction) -> None:
    ordered = np.sort(numbers)[::-1]
    wanted = -int(-Fraction(str(share)) * len(numbers) // 1)
    cut = sketch_of(numbers).threshold(share)
    assert cut is not None
    assert cut.n == wanted
    assert cut.low <= ordered[wanted - 1] < cut.high
    assert cut.above == (numbers >= cut.high).sum() < wanted <= cut.above + cut.within == (numbers >= cut.low).sum()
    threshold, kept = exact_threshold(cut, [numbers[:7], np.float32([]), np.float32([np.nan]), numbers[7:]])
    assert threshold == ordered[wanted - 1]
    assert kept == (numbers >= np.float32(threshold)).sum()


@every_set
def test_histograms(numbers: NDArray[np.float32]) -> None:
    sketch = sketch_of(numbers)
    for bins in (1, 7, 20):
        counts = sketch.histogram(bins)
        assert counts.sum() == len(numbers)
        edges = np.arange(1, bins) / bins
        below = np.cumsum(counts)[:-1]
        assert (below >= (numbers < edges[:, None]).sum(1)).all()
        assert (below <= (numbers < edges[:, None] * (1 + RELATIVE_ERROR)).sum(1)).all()


def test_parts_add_up() -> None:
    whole = sketch_of(np.concatenate(list(SETS.values())))
    joined = ScoreSketch()
    for numbers in reversed(SETS.values()):
        joined.merge(sketch_of(numbers))
    np.testing.assert_array_equal(joined.counts, whole.counts)
    assert joined.n == sum(map(len, SETS.values()))


def test_missing_texts_do_not_count() -> None:
    sketch = sketch_of(np.float32([np.nan, 0.5, -np.nan, 1, -0.0]))
    assert sketch.n == 3
    assert (sketch.quantile(0), sketch.quantile(1)) == (0, 1)
    assert sketch_of(np.float32([])).threshold(0.5) is None
    assert sketch_of(np.float32([np.nan])).n == 0


def test_files(tmp_path: Path) -> None:
    for name, numbers in SETS.items():
        sketch = sketch_of(numbers)
        sketch.save(tmp_path / name)
        np.testing.assert_array_equal(ScoreSketch.load(tmp_path / name).counts, sketch.counts)
    assert (
        sketch_of(np.float32([])).to_dict()
        == ScoreSketch.from_dict({"dropped_bits": 12, "bins": [], "counts": []}).to_dict()
    )
    good = {"dropped_bits": 12, "bins": [1, 5], "counts": [1, 1]}
    for change in (
        {"dropped_bits": 11}, {"bins": [1]}, {"bins": [1, 0]}, {"bins": [-1, 5]}, {"bins": [1, N_BINS]}, {"counts": [1, -1]}, {"counts": "x"},
        {"bins": [1, 2**70]}, {"bins": {}},
    ):  # fmt: skip
        (tmp_path / "bad").write_text(json.dumps(good | change))
        with pytest.raises(FormatError, match=r"bad: these are no values of a sketch"):
            ScoreSketch.load(tmp_path / "bad")
    (tmp_path / "bad").write_text("{")
    with pytest.raises(FormatError, match=r"bad: no sketch could be read"):
        ScoreSketch.load(tmp_path / "bad")
    with pytest.raises(FormatError, match="no values of a sketch"):
        ScoreSketch.from_dict([])


@pytest.mark.parametrize("wrong", [[1.001], [0.5, -0.1], [np.inf], [-np.inf]])
def test_numbers_that_are_no_probabilities(wrong: list[float]) -> None:
    sketch = ScoreSketch()
    with pytest.raises(ParameterError, match="is not from 0 to 1"):
        sketch.update(np.float32(wrong))
    assert sketch.n == 0


def test_wrong_parameters() -> None:
    sketch = sketch_of(np.float32([0.5]))
    for array in (np.zeros(2), np.zeros((2, 2), np.float32)):
        with pytest.raises(ParameterError, match="one-dimensional float32"):
            sketch.update(array)  # type: ignore[arg-type]
    for share in (0, -1, 1.5):
        with pytest.raises(ParameterError, match="share="):
            sketch.threshold(share)
    with pytest.raises(ParameterError, match="q=2"):
        sketch.quantile(2)
    with pytest.raises(ParameterError, match="of no numbers"):
        ScoreSketch().quantile(0.5)
    for bins in (0, True, 2.5):
        with pytest.raises(ParameterError, match="bins="):
            sketch.histogram(bins)  # type: ignore[arg-type]
    cut = sketch.threshold(1)
    assert cut is not None
    with pytest.raises(ParameterError, match="not the numbers that were counted"):
        exact_threshold(cut, [])


def test_shares_are_decimal_numbers() -> None:
    tenths = sketch_of(np.arange(10, dtype=np.float32) / 10)
    for i in range(1, 11):
        cut = tenths.threshold(i / 10)
        assert cut is not None
        assert cut.n == i
        assert tenths.quantile(i / 10) == pytest.approx((i - 1) / 10, rel=1e-3)


def test_shares() -> None:
    assert parse_share("10%") == parse_share(0.1) == parse_share(" 10 % ") == Fraction(1, 10)
    assert parse_share("100%") == 1
    assert parse_share("1/3") == Fraction(1, 3)
    for wrong in ("0", "0%", "101%", "-1%", "", "%", "ten", "nan", "1/0", "inf"):
        with pytest.raises(ParameterError, match="such as 10% or"):
            parse_share(wrong)
