"""The number of parameters of a network with one hidden layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy as sp

from lexigrad.maths.proofs.claim import Claim, Comparison


def by_algebra() -> Iterator[Comparison]:
    """The sizes of W1, b1, W2 and b2, added."""
    dx, hidden, dy = sp.symbols("Dx H Dy", integer=True, positive=True)
    yield Comparison("any Dx, H, Dy", (dx + 1) * hidden + (hidden + 1) * dy, dx * hidden + hidden + hidden * dy + dy)


def by_counting() -> Iterator[Comparison]:
    """The parameters of arrays of these shapes, counted."""
    for dx, hidden, dy in ((1, 1, 1), (10, 5, 10), (300, 17, 5)):
        arrays = [np.zeros(shape) for shape in ((dx, hidden), (hidden,), (hidden, dy), (dy,))]
        counted = sum(array.size for array in arrays)
        yield Comparison({"Dx": dx, "H": hidden, "Dy": dy}, (dx + 1) * hidden + (hidden + 1) * dy, counted)


def as_shipped() -> Iterator[Comparison]:
    """`n_params` of a `Network`, and the sizes of its weights and biases."""
    from lexigrad.models.network import Network

    for dx, hidden, dy in ((1, 1, 1), (10, 5, 10), (300, 17, 5)):
        net = Network(hidden=hidden).initialise(dx, dy)
        counted = net.W1.size + net.b1.size + net.W2.size + net.b2.size
        here = {"Dx": dx, "H": hidden, "Dy": dy}
        yield Comparison(here, [net.n_params, counted, net.params.size], [(dx + 1) * hidden + (hidden + 1) * dy] * 3)


CLAIM = Claim(
    name="network_parameter_count",
    title="Number of parameters of that network",
    statement="A network with Dx inputs, H hidden units and Dy outputs, with biases, has (Dx + 1) H + (H + 1) Dy parameters.",
    latex=r"D_x H + H + H D_y + D_y = (D_x + 1)\,H + (H + 1)\,D_y",
    source="assignment 2(d)",
    symbolic=by_algebra,
    numeric=by_counting,
    shipped=as_shipped,
)
