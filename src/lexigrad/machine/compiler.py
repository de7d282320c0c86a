"""How kernels are compiled: the only place where compiler flags are set.

`kernel` compiles a function for the processor that it runs on, keeps the result on disk, and lets it run without the
GIL. No flag ever
allows the compiler to assume that NaN and infinity do not occur, nor to reorder sums: a vector loop adds whole lanes
in a stated order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types
from numba.core import event

FLAGS = {"contract"}
"""Fused multiply-add where the processor has it. Never `nnan`, `ninf` (they delete guards) or `reassoc` (it reorders sums)."""


class _Compiled(event.Listener):  # type: ignore[misc]
    """Counts the functions that were compiled, not those that came from the cache."""

    def __init__(self) -> None:
        self.count = 0

    def on_start(self, event: Any) -> None:
        """Count one more."""
        self.count += 1

    def on_end(self, event: Any) -> None:
        """Do nothing."""


COMPILED = _Compiled()
event.register("numba:compile", COMPILED)


_HELPER: dict[str, Any] = {
    "nogil": True, "fastmath": FLAGS, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True,
}  # fmt: skip


def kernel(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of a compiled function; with a signature it is compiled when its module is imported."""
    return njit(*signature, cache=True, nogil=True, fastmath=FLAGS, error_model="numpy", no_cfunc_wrapper=True)


def helper(function: Callable[..., Any]) -> Any:
    """Compile a small function that kernels call: inlined, with no file of its own, and without reference counting, so
    it may not make arrays.

    Counting references to its array arguments would cost two atomic operations an array and call, more than most of
    these functions do.
    """
    return njit(function, **_HELPER, _nrt=False)


def rounding_helper(function: Callable[..., Any]) -> Any:
    """Compile a helper without fused multiply-add: each product is rounded before it is added, also where a kernel inlines it."""
    return njit(function, **{**_HELPER, "fastmath": False}, _nrt=False)


def making_helper(function: Callable[..., Any]) -> Any:
    """Compile a helper that makes arrays."""
    return njit(function, **_HELPER)


def inputs(dtype: Any) -> Any:
    """Return the type of a flat contiguous array that may be read-only, as mapped files and Arrow buffers are."""
    return types.Array(dtype, 1, "C", readonly=True)


def outputs(dtype: Any) -> Any:
    """Return the type of a flat contiguous array that a kernel writes."""
    return types.Array(dtype, 1, "C")
