"""sigmoid, log(1 + e^x) and their like, a vector at a time, computed in float64 whatever the dtype.

With a = -|x| and e = exp(a) = s (1 + t), all of it <= 1:

    sigmoid(x)   = 1 / (1 + e)         for x >= 0
                 = s (1 + t) / (1 + e) for x < 0
    log1pexp(x)  = max(x, 0) + log(1 + e)
    log_sigmoid(x) = -log1pexp(-x)
    sigmoid_grad(s) = s - s^2, rounded once

e and 1/(1 + e) are kept as sums of two floats until the last operation. Bounds, measured on every float32 and on random and adversarial
float64 (`benchmarks/accuracy.py`): 1.5 ulp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from lexigrad.machine.compiler import kernel
from lexigrad.machine.vectors import Emitted, Plain, Stretch, vector_loop
from lexigrad.maths.exp import DOUBLE, exp_parts, magic_for
from lexigrad.maths.log1p import log1p_parts

WIDTH = 8
"""Float64 lanes of a vector."""

SCALE = 2.0**-DOUBLE.headroom


def _decay(ops: Any, x: Any) -> tuple[Any, Any, Any, Any]:
    """Return (t, s, high, low) with exp(-|x|) = s (1 + t) / 2^headroom = high + low; s is 0 where it is below every float64."""
    a = ops.at_least(-ops.absolute(x), -DOUBLE.depth * DOUBLE.ln2_high)
    t, s = exp_parts(ops, a, magic_for(ops, DOUBLE.headroom))
    value = ops.fma(t, s, s)
    return t, s, value * SCALE, ops.fma(t, s, s - value) * SCALE


def sigmoid_of(ops: Any, x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), float64."""
    t, s, high, low = _decay(ops, x)
    total = high + 1.0
    rest = (high - (total - 1.0)) + low
    inverse = ops.number(1.0) / total
    lost = inverse * (ops.fma(-inverse, total, ops.number(1.0)) - inverse * rest)
    part, part_low = inverse * SCALE, lost * SCALE
    return ops.select(x < 0.0, (part + ops.fma(t, part, part_low)) * s, inverse + lost)


def log1pexp_of(ops: Any, x: Any) -> Any:
    """Return log(1 + exp(x)), float64."""
    _, _, high, low = _decay(ops, x)
    value, rest = log1p_parts(ops, high, low)
    return ops.select(x < 0.0, value + rest, x + (value + rest))


def log_sigmoid_of(ops: Any, x: Any) -> Any:
    """Return -log(1 + exp(-x)), float64."""
    return -log1pexp_of(ops, -x)


def sigmoid_grad_of(ops: Any, s: Any) -> Any:
    """Return s (1 - s) from the sigmoid's value, float64."""
    return ops.fma(-s, s, s)


def _loop(formula: Callable[[Any, Any], Any]) -> Any:
    @intrinsic
    def over(typingctx: Any, x: Any, out: Any, start: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x, out, start, n = args
            source, target = (
                Stretch(builder, make_array(kind)(context, builder, array).data, start)
                for kind, array in zip(signature.args[:2], (x, out), strict=True)
            )

            def body(i: Any, mask: Any) -> None:
                values = source.load(i, mask, 0.0, WIDTH)
                result = formula(Emitted(builder, 64, WIDTH), values.ops.to_double(values))
                target.store(result.ops.to_single(result) if source.bits == 32 else result, i, mask)

            vector_loop(builder, n, WIDTH, body)
            return context.get_dummy_value()

        return types.void(x, out, types.intp, types.intp), codegen

    def plain(x: Any, out: Any, start: int, n: int) -> None:
        with np.errstate(all="ignore"):
            out[start : start + n] = formula(Plain(np.float64), x[start : start + n].astype(np.float64))

    return plain if config.DISABLE_JIT else over


sigmoid_loop, _sigmoid_grad = _loop(sigmoid_of), _loop(sigmoid_grad_of)
_log_sigmoid, _log1pexp = _loop(log_sigmoid_of), _loop(log1pexp_of)


@kernel()
def sigmoid(x, out, first, stop):  # type: ignore[no-untyped-def]
    """out[first:stop] = sigmoid(x[first:stop]); `out` may be `x`."""
    sigmoid_loop(x, out, first, stop - first)


@kernel()
def sigmoid_grad(x, out, first, stop):  # type: ignore[no-untyped-def]
    """Out = x (1 - x)."""
    _sigmoid_grad(x, out, first, stop - first)


@kernel()
def log_sigmoid(x, out, first, stop):  # type: ignore[no-untyped-def]
    """Out = log sigmoid(x)."""
    _log_sigmoid(x, out, first, stop - first)


@kernel()
def log1pexp(x, out, first, stop):  # type: ignore[no-untyped-def]
    """Out = log(1 + exp(x))."""
    _log1pexp(x, out, first, stop - first)
