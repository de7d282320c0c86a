"""Numbers of the Pareto distribution that follow from texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def pareto_numbers(texts: Iterable[str | None], alpha: float, seed: int) -> NDArray[np.float64]:
    """Return a number of the Pareto distribution P(x > a) = (1 + a)^-alpha for each text, which follows from the text and `seed`.

    Examples
    --------
    >>> pareto_numbers(["good", "bad", "good"], 3.0, 42).round(3).tolist()
    [0.539, 0.064, 0.539]
    """
    key = str(seed).encode()
    uniform = np.array(
        [
            int.from_bytes(hashlib.blake2b(_bytes(text), digest_size=8, key=key).digest(), "little") >> 11
            for text in texts
        ],
        np.float64,
    )
    return (1 - uniform / 2.0**53) ** (-1 / alpha) - 1


def _bytes(text: str | None) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
