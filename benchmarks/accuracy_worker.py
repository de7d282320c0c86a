"""The measuring part of `benchmarks.accuracy`, in the environment that has SciPy and PyTorch: one task, its answer as JSON."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable
from typing import Any

import mpmath
import numpy as np
import scipy.special
import torch

from benchmarks import ulps
from benchmarks.ulps import LOSS, Batch, Systems, Worst
from lexigrad.machine.threads import available_threads

Answer = list[dict[str, Any]]
GAPS = (5, 10, 15, 17, 20, 50, 100)
ELEMENTS = 1 << 20
"""Numbers of each length and scale of random rows."""


def of_torch(function: Any, **options: Any) -> Any:
    """Return a function of PyTorch as one of NumPy arrays."""
    return lambda x: function(torch.from_numpy(x), **options).numpy()


def torch_loss(x: np.ndarray) -> np.ndarray:
    labels = torch.from_numpy(x.argmax(axis=1))
    return torch.nn.functional.cross_entropy(torch.from_numpy(x), labels, reduction="none").numpy()


ROWS: Systems = {
    "softmax": {
        **ulps.OWN_ROWS["softmax"],
        "SciPy": lambda x: scipy.special.softmax(x, axis=-1),
        "PyTorch": of_torch(torch.softmax, dim=-1),
    },
    "log_softmax": {
        **ulps.OWN_ROWS["log_softmax"],
        "SciPy": lambda x: scipy.special.log_softmax(x, axis=-1),
        "PyTorch": of_torch(torch.log_softmax, dim=-1),
    },
    "logsumexp": {
        **ulps.OWN_ROWS["logsumexp"],
        "SciPy": lambda x: scipy.special.logsumexp(x, axis=-1),
        "PyTorch": of_torch(torch.logsumexp, dim=-1),
    },
    LOSS: {**ulps.OWN_ROWS[LOSS], "PyTorch": torch_loss},
}
POINTS: Systems = {
    "sigmoid": {**ulps.OWN_POINTS["sigmoid"], "SciPy": scipy.special.expit, "PyTorch": of_torch(torch.sigmoid)},
    "log_sigmoid": {
        **ulps.OWN_POINTS["log_sigmoid"],
        "SciPy": scipy.special.log_expit,
        "PyTorch": of_torch(torch.nn.functional.logsigmoid),
    },
    "log1pexp": {
        **ulps.OWN_POINTS["log1pexp"],
        "SciPy": lambda x: np.logaddexp(x.dtype.type(0), x),
        "PyTorch": of_torch(torch.nn.functional.softplus),
    },
    "sigmoid_grad": ulps.OWN_POINTS["sigmoid_grad"],
}


def entry(function: str, dtype: type, inputs: str, worst: dict[str, Worst]) -> dict[str, Any]:
    """Return one line of a table."""
    print(f"{function}, {dtype.__name__}, {inputs}: {worst['lexigrad']}", file=sys.stderr)
    return {
        "function": function,
        "dtype": dtype.__name__,
        "inputs": inputs,
        "bound": ulps.bound(function, dtype),
        "worst": {name: found.ulps for name, found in worst.items()},
        "where": str(worst["lexigrad"]),
    }


def rows(exhaustive: bool) -> Answer:
    """Rows of scores."""
    answer: Answer = []
    for dtype in ulps.DTYPES:
        inputs: dict[str, Iterable[Batch]] = {
            f"random rows, scale {scale:,}": ulps.random_rows(dtype, scale, ELEMENTS) for scale in ulps.SCALES
        }
        inputs["adversarial rows"] = itertools.chain(
            ulps.adversarial_rows(dtype), ulps.two_scores(dtype, 1 << 22), ulps.paired_rows(dtype, 1 << 23, 1_000)
        )
        for name, batches in inputs.items():
            worst = ulps.worst_of_rows(ROWS, batches, dtype)
            answer += [entry(function, dtype, name, found) for function, found in worst.items()]
    return sorted(answer, key=lambda line: ulps.ROW_FUNCTIONS.index(line["function"]))


def points(exhaustive: bool) -> Answer:
    """Functions of one number."""
    answer: Answer = []
    for function, calls in POINTS.items():
        every = "every float32" if exhaustive else "every 1,021st float32"
        if function == "sigmoid_grad":
            every += " from 0 to 1"
        stride = 1 if exhaustive else 1_021
        worst = ulps.worst_of_float32(function, calls, stride, available_threads())
        answer.append(entry(function, np.float32, every, worst))
        found = ulps.worst_of_points(function, calls, ulps.points(function, np.float64, 1 << 20), np.float64)
        worst = {name: ulps.worst_of(candidates, function, np.float64) for name, candidates in found.items()}
        answer.append(entry(function, np.float64, "random and adversarial", worst))
    return answer


def leads(exhaustive: bool) -> Answer:
    """The leader's log-probability in float32: two scores, `gap` apart."""
    answer = []
    for gap in GAPS:
        x = np.array([[gap, 0]], np.float32)
        values = {name: float(call(x)[0, 0]) for name, call in ROWS["log_softmax"].items()}
        answer.append({"gap": gap, "exact": float(-mpmath.log1p(mpmath.exp(-gap))), "values": values})
    return answer


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump({name: globals()[name]("--exhaustive" in sys.argv) for name in ("leads", "rows", "points")}, sys.stdout)
