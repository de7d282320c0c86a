"""The logarithm of softmax in float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lexigrad import maths
from lexigrad.maths.proofs.claim import Claim, Comparison

TOLERANCE = 0.01
"""What the claim allows, relative."""


def in_float32() -> Iterator[Comparison]:
    """log(softmax([lead, 0])) in float32, against `log_softmax` in float64."""
    for lead in (20.0, 5.0, 15.0, 30.0):
        x = np.array([lead, 0], np.float32)
        exps = np.exp(x - x.max())
        claimed = np.log(exps / exps.sum())[0]
        true = maths.log_softmax(x.astype(np.float64))[0]
        yield Comparison({"x": x}, claimed, true, TOLERANCE * abs(true))


CLAIM = Claim(
    name="naive_log_softmax",
    title="The logarithm of softmax in float32",
    statement="In float32, log(softmax(x)) keeps the log-probability of the winner to 1 %. (With a lead of 20 it is 0, so the loss and its "
    "gradient vanish; the others' sum in log1p keeps all digits.)",
    latex=r"\mathrm{fl}_{32}(\log \mathrm{softmax}(x)_w) = \log \mathrm{softmax}(x)_w\,(1 + \epsilon), \qquad |\epsilon| \le 0.01",
    source="scipy issue 19521, pytorch issue 113708, tensorflow issue 62400",
    expected="refuted",
    shipped=in_float32,
)
