"""The largest numbers of rows against a sort."""

from __future__ import annotations

import numpy as np
import pytest

from lexigrad.kernels.nearest import largest_of_rows


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_the_largest_of_each_row_in_order(k: int) -> None:
    rng = np.random.default_rng(k)
    scores = rng.integers(-20, 20, (7, 40)).astype(np.float32)
    scores[2, ::2], scores[3] = -np.inf, -np.inf
    places, best = np.full(7 * k, 99), np.zeros(7 * k, np.float32)
    largest_of_rows(scores, 1, 6, k, places, best)
    for row in range(1, 6):
        order = [i for i in np.argsort(-scores[row], kind="stable") if scores[row, i] > -np.inf][:k]
        assert places[row * k : row * k + k].tolist() == order + [-1] * (k - len(order))
        assert best[row * k : row * k + len(order)].tolist() == scores[row, order].tolist()
    assert (places[:k] == 99).all()
