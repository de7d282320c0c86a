"""Negative sampling: the logistic losses of some input vectors against some output vectors, and the step of gradient descent on them.

    l = sum_ij w_j [-y_j log sigmoid(s_ij) - (1 - y_j) log sigmoid(-s_ij)],    s_ij = h_i . o_j
    step_ij = lr w_j (y_j - sigmoid(s_ij))
    h_i += c_i sum_j step_ij o_j,    o_j += sum_i step_ij h_i

All at the values before the step: that is -lr times the gradient of l (times c_i, where h_i is a mean of rows of which each moves by its
share). The inputs are the context words of one window, the outputs its centre (y = 1) and the negatives (y = 0) that they share; w_j counts a
negative that was drawn twice, and is 0 for none. Both products run in registers: scores of two inputs by six outputs at a time, then updates of
two vectors' width of all rows at a time. Loss: T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed Representations of Words
and Phrases and their Compositionality" (NIPS 2013), equation 4.

A classifier has one input at a time, the vector h of a text, and a handful of outputs: `scores`, `loss`, `gradient`, `loss_gradient` and `step` deal
with those, exactly at the values before the step if no output occurs twice (a weight counts one that was drawn twice). Its labels are predicted as
by `lexigrad.losses.one_vs_all`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.losses import one_vs_all
from lexigrad.machine.compiler import helper
from lexigrad.machine.intrinsics import add_scaled, dot
from lexigrad.machine.vectors import I64, Cell, Emitted, Lanes, Plain, Stretch, lane_sums
from lexigrad.maths.exp import exp_parts, magic_for
from lexigrad.maths.row_loops import exp, log1p

predict = one_vs_all.predict

OUTPUTS = 6
"""Output rows of a step."""
GROUP = 8
"""Lanes that the scores of one input take."""
WIDTH = 16
"""Floats of a vector; rows are padded to a multiple."""
LOWEST = -80.0
"""Scores beyond count as this: the sigmoid is then 0 or 1 in float32."""


def sigmoid_of(ops: Any, x: Any) -> Any:
    """Return the sigmoid of float32 scores; a few units in the last place are lost, which a step does not notice."""
    t, s = exp_parts(ops, ops.at_least(-ops.absolute(x), LOWEST), magic_for(ops, 0))
    decay = ops.fma(t, s, s)
    inverse = ops.number(1.0) / (decay + 1.0)
    return ops.select(x < 0.0, decay * inverse, inverse)


def _base(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return make_array(kind)(context, builder, array).data


def _rows(builder: Any, base: Any, starts: Any) -> list[Stretch]:
    """Return the output rows that begin at the first `OUTPUTS` of some positions."""
    places = [builder.gep(starts, [ir.Constant(I64, j)]) for j in range(OUTPUTS)]
    return [Stretch(builder, base, builder.load(place)) for place in places]


@intrinsic
def _pair_steps(
    typingctx: Any, inputs: Any, starts: Any, n: Any, outputs: Any, output_starts: Any, labels: Any, weights: Any, scores: Any, steps: Any, dim: Any, lr: Any
) -> Any:  # fmt: skip
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bases = [
            _base(context, builder, kind, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, args, strict=True)
        ]
        inputs, starts, n, outputs, output_starts, labels, weights, scores, steps, dim, lr = bases
        zero = ir.Constant(I64, 0)
        ops = Emitted(builder, 32, WIDTH)
        rows = _rows(builder, outputs, output_starts)
        labels, weights, scores, steps = (Stretch(builder, base, zero) for base in (labels, weights, scores, steps))
        rate = ops.splat(lr)

        def score_and_step(first: Any, count: int) -> None:
            """Deal with the inputs `first` ... `first + count - 1`."""
            some = [
                Stretch(builder, inputs, builder.load(builder.gep(starts, [builder.add(first, ir.Constant(I64, k))])))
                for k in range(count)
            ]
            sums = [[Cell(ops.number(0.0)) for _ in rows] for _ in some]
            with cgutils.for_range_slice(builder, zero, dim, ir.Constant(I64, WIDTH), intp=I64) as (d, _):
                values = [stretch.load(d, None, 0.0) for stretch in some]
                for j, row in enumerate(rows):
                    value = row.load(d, None, 0.0)
                    for k in range(count):
                        sums[k][j].set(ops.fma(value, values[k], sums[k][j].get()))
            cells = [cell.get() for cells in sums for cell in cells]
            score = lane_sums(cells, [k * GROUP + j for k in range(count) for j in range(OUTPUTS)])
            place = builder.mul(first, ir.Constant(I64, GROUP))
            scores.store(score, place, None)
            error = labels.load(zero, None, 0.0) - sigmoid_of(ops, score)
            steps.store(error * (weights.load(zero, None, 0.0) * rate), place, None)

        even = builder.and_(n, ir.Constant(I64, -2))
        with cgutils.for_range_slice(builder, zero, even, ir.Constant(I64, 2), intp=I64) as (i, _):
            score_and_step(i, 2)
        with cgutils.for_range_slice(builder, even, n, ir.Constant(I64, 1), intp=I64) as (i, _):
            score_and_step(i, 1)
        return context.get_dummy_value()

    return types.void(inputs, starts, n, outputs, output_starts, labels, weights, scores, steps, dim, lr), codegen


@intrinsic
def _apply_steps(
    typingctx: Any,
    inputs: Any,
    starts: Any,
    scales: Any,
    n: Any,
    outputs: Any,
    output_starts: Any,
    steps: Any,
    dim: Any,
) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bases = [
            _base(context, builder, kind, value) if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, args, strict=True)
        ]
        inputs, starts, scales, n, outputs, output_starts, steps, dim = bases
        zero = ir.Constant(I64, 0)
        ops = Emitted(builder, 32, WIDTH)
        rows = _rows(builder, outputs, output_starts)

        def scalar(base: Any, index: Any) -> Lanes:
            return ops.splat(builder.load(builder.gep(base, [index])))

        def block(d: Any, several: int) -> None:
            places = [builder.add(d, ir.Constant(I64, WIDTH * b)) for b in range(several)]
            before = [[row.load(place, None, 0.0) for place in places] for row in rows]
            after = [[Cell(value) for value in values] for values in before]
            with cgutils.for_range_slice(builder, zero, n, ir.Constant(I64, 1), intp=I64) as (i, _):
                row = Stretch(builder, inputs, builder.load(builder.gep(starts, [i])))
                scale = scalar(scales, i)
                values = [row.load(place, None, 0.0) for place in places]
                change = [ops.number(0.0) for _ in places]
                for j in range(OUTPUTS):
                    step = scalar(steps, builder.add(builder.mul(i, ir.Constant(I64, GROUP)), ir.Constant(I64, j)))
                    for b in range(several):
                        change[b] = ops.fma(step, before[j][b], change[b])
                        after[j][b].set(ops.fma(step, values[b], after[j][b].get()))
                for b, place in enumerate(places):
                    row.store(ops.fma(scale, change[b], values[b]), place, None)
            for row, cells in zip(rows, after, strict=True):
                for place, cell in zip(places, cells, strict=True):
                    row.store(cell.get(), place, None)

        whole = builder.and_(dim, ir.Constant(I64, -2 * WIDTH))
        with cgutils.for_range_slice(builder, zero, whole, ir.Constant(I64, 2 * WIDTH), intp=I64) as (d, _):
            block(d, 2)
        with cgutils.for_range_slice(builder, whole, dim, ir.Constant(I64, WIDTH), intp=I64) as (d, _):
            block(d, 1)
        return context.get_dummy_value()

    return types.void(inputs, starts, scales, n, outputs, output_starts, steps, dim), codegen


def _matrix(array: Any, starts: Any, n: int, dim: int) -> Any:
    return np.stack([array[start : start + dim] for start in starts[:n]])


def _pair_steps_plain(
    inputs: Any, starts: Any, n: int, outputs: Any, output_starts: Any, labels: Any, weights: Any, scores: Any, steps: Any, dim: int, lr: Any
) -> None:  # fmt: skip
    """Fill the scores of `n` inputs and the steps: those of input i from i * GROUP. Labels and weights: two times GROUP.

    What lies GROUP places behind the last score and step is written, too, where n is odd.
    """
    products = _matrix(inputs, starts, n, dim) @ _matrix(outputs, output_starts, OUTPUTS, dim).T
    padded = np.pad(products, ((0, 0), (0, GROUP - OUTPUTS)))
    scores[: n * GROUP] = padded.ravel()
    error = labels[:GROUP] - sigmoid_of(Plain(np.float32), padded)
    steps[: n * GROUP] = (error * (weights[:GROUP] * lr)).ravel()


def _apply_steps_plain(
    inputs: Any, starts: Any, scales: Any, n: int, outputs: Any, output_starts: Any, steps: Any, dim: int
) -> None:
    """Move inputs and outputs by the steps. No two inputs may be the same row, nor two outputs with a step other than 0."""
    h, o = _matrix(inputs, starts, n, dim), _matrix(outputs, output_starts, OUTPUTS, dim)
    table = steps[: n * GROUP].reshape(n, GROUP)[:, :OUTPUTS]
    for i, change in enumerate(scales[:n, None] * (table @ o)):
        inputs[starts[i] : starts[i] + dim] += change
    for j, change in enumerate(table.T @ h):
        outputs[output_starts[j] : output_starts[j] + dim] += change


@helper
def pair_loss(score, label):  # type: ignore[no-untyped-def]
    """Return -log sigmoid(score) where the label is 1, -log sigmoid(-score) where it is 0; float64."""
    wrong = -np.float64(score) if label > 0 else np.float64(score)
    value, rest = log1p(exp(-abs(wrong)), 0.0)
    return max(wrong, 0.0) + value + rest


@helper
def scores(output, starts, n, hidden, start, stride, found):  # type: ignore[no-untyped-def]
    """Set ``found[:n]`` to the products of the vector at ``hidden[start:]`` with the output rows that begin at ``starts[:n]``."""
    for j in range(n):
        found[j] = dot(output, starts[j], hidden, start, stride)


@helper
def loss(found, labels, weights, n):  # type: ignore[no-untyped-def]
    """Return sum_j w_j (-log sigmoid(s_j) where y_j = 1, -log sigmoid(-s_j) where it is 0), float64."""
    total = 0.0
    for j in range(n):
        total += weights[j] * pair_loss(found[j], labels[j])
    return total


@helper
def gradient(found, labels, weights, n):  # type: ignore[no-untyped-def]
    """Replace the scores by d loss / d s_j = w_j (sigmoid(s_j) - y_j)."""
    for j in range(n):
        decay = exp(-abs(np.float64(found[j])))
        prob = (1.0 if found[j] >= 0 else decay) / (1.0 + decay)
        found[j] = np.float32(weights[j] * (prob - labels[j]))


@helper
def loss_gradient(found, labels, weights, n):  # type: ignore[no-untyped-def]
    """Return the loss and replace the scores by its gradient."""
    total = loss(found, labels, weights, n)
    gradient(found, labels, weights, n)
    return total


@helper
def step(output, starts, n, d_scores, hidden, start, stride, lr, d_hidden):  # type: ignore[no-untyped-def]
    """Add sum_j d_j o_j to ``d_hidden[start:]`` with the rows as they were, and then o_j -= lr d_j h."""
    for j in range(n):
        add_scaled(d_scores[j], output, starts[j], d_hidden, start, stride)
        add_scaled(-lr * d_scores[j], hidden, start, output, starts[j], stride)


if config.DISABLE_JIT:
    pair_steps, apply_steps = _pair_steps_plain, _apply_steps_plain
else:
    pair_steps, apply_steps = _pair_steps, _apply_steps
