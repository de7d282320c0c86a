"""One hash of numbers, for signatures, initial weights and draws."""

from __future__ import annotations

import numpy as np

from lexigrad.machine.compiler import helper


@helper
def mixed(value):  # type: ignore[no-untyped-def]
    """Return a well-mixed 64-bit hash of a number (splitmix64: G. Steele, D. Lea and C. Flood, OOPSLA 2014)."""
    z = np.uint64(value) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
