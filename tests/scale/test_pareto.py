"""Numbers of the Pareto distribution."""

from __future__ import annotations

import numpy as np
import pytest

from lexigrad.scale.pareto import pareto_numbers


def test_pareto_numbers() -> None:
    alpha, n = 3.0, 20_000
    numbers = pareto_numbers([f"text {i}" for i in range(n)], alpha, 7)
    for a in (0.05, 0.3, 1.0):
        expected = (1 + a) ** -alpha
        assert np.mean(numbers > a) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n))
    again = pareto_numbers(["text 5", "text 3", None], alpha, 7)
    assert again[:2].tolist() == [numbers[5], numbers[3]]
    assert pareto_numbers(["text 5"], alpha, 8)[0] != numbers[5]
