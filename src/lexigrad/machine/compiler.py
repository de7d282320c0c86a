"""How kernels are compiled: the only place where compiler flags are set.

`kernel` compiles a function for the processor that it runs on, keeps the result on disk, and lets it run without the GIL. No flag ever
allows the compiler to assume that NaN and infinity do not occur, nor to reorder sums: a vector loop adds whole lanes in a stated order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types

FLAGS = {"contract"}
"""Fused multiply-add where the processor has it. Never `nnan`, `ninf` (they delete guards) or `reassoc` (it reorders sums)."""


def kernel(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of a compiled function; with a signature it is compiled when its module is imported."""
    return njit(*signature, cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")


def helper(function: Callable[..., Any]) -> Any:
    """Compile a small function that other kernels call: it is inlined there and keeps no file of its own."""
    return njit(function, nogil=True, fastmath=FLAGS, error_model="numpy")


def inputs(dtype: Any) -> Any:
    """Return the type of a flat contiguous array that may be read-only, as mapped files and Arrow buffers are."""
    return types.Array(dtype, 1, "C", readonly=True)


def outputs(dtype: Any) -> Any:
    """Return the type of a flat contiguous array that a kernel writes."""
    return types.Array(dtype, 1, "C")
