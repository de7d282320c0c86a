"""Question 1 of the assignment: softmax.

python examples/assignment/softmax.py

1(a) Softmax does not change when the same number c is added to every score: e^(x_i + c) = e^c e^(x_i), and the factor e^c stands above and below
the fraction line. Therefore c = -max x may be added: then the largest exponential is e^0 = 1 and nothing overflows. With c = +max x, as some
copies of the assignment have it, scores of 400 overflow that would have been fine without any shift.

    lexigrad prove softmax_shift_invariance received_softmax_shift
"""

from __future__ import annotations

import numpy as np

import lexigrad


def shifted(x: np.ndarray, c: float) -> np.ndarray:
    """Return softmax by its formula, after adding c to every score."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x + c)
        return e / e.sum()


def question_a() -> None:
    """Print what a shift changes: nothing on paper, and much in float64."""
    x = np.array([400.0, 401.0])
    print("1(a) softmax([400, 401]) by the formula, after adding c")
    for name, c in (("0", 0.0), ("-max x", -x.max()), ("+max x", x.max())):
        print(f"  c = {name:7} {shifted(x, c)}")


def question_b() -> None:
    """Print softmax of a vector, of the rows of a matrix, and of scores that the formula alone cannot take."""
    print("1(b) lexigrad.softmax")
    for x in ([1, 2], [[1001, 1002], [3, 4]], [[-1001, -1002]]):
        print(f"  {x} -> {np.array2string(lexigrad.softmax(x), precision=8).replace(chr(10), ',')}")


if __name__ == "__main__":
    question_a()
    question_b()
