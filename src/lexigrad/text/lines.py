"""fastText lines: labels are tokens with a prefix, wherever they stand."""

from __future__ import annotations

import itertools

import numpy as np
from numba import types
from numpy.typing import NDArray

from lexigrad.machine.compiler import helper, inputs, kernel, outputs
from lexigrad.text.batches import LabelColumn, TextBatch
from lexigrad.text.tokens import hash_bytes
from lexigrad.text.vocabulary import find, put, rebuilt, resized

NEWLINE = 10
SPACE = 32
STRIDE = 64
"""Bytes that `next_byte` looks at together, so that the compiler compares them as vectors."""


@helper
def separates(byte):  # type: ignore[no-untyped-def]
    """Tell whether a byte ends a token: space, tab, newline, vertical tab, form feed, carriage return, NUL."""
    return byte <= 32 and (byte == 32 or 9 <= byte <= 13 or byte == 0)


@helper
def starts_with(data, position, stop, prefix):  # type: ignore[no-untyped-def]
    """Tell whether ``data[position:stop]`` starts with the prefix."""
    if stop - position < prefix.size:
        return False
    for i in range(prefix.size):  # noqa: SIM110 - kernels have no generators
        if data[position + i] != prefix[i]:
            return False
    return True


@helper
def label_end(data, position, stop, prefix):  # type: ignore[no-untyped-def]
    """Return where the label that starts at `position` ends, or `position` if none starts there."""
    if not starts_with(data, position, stop, prefix):
        return position
    end = position + prefix.size
    while end < stop and not separates(data[end]):
        end += 1
    return end if end > position + prefix.size else position


@helper
def next_byte(data, position, stop, byte):  # type: ignore[no-untyped-def]
    """Return where `byte` first stands in ``data[position:stop]``, or `stop`."""
    while position + STRIDE <= stop:
        found = np.uint8(0)
        for i in range(STRIDE):
            found |= np.uint8(data[position + i] == byte)
        if found:
            break
        position += STRIDE
    while position < stop and data[position] != byte:
        position += 1
    return position


@helper
def next_label(data, position, start, stop, prefix):  # type: ignore[no-untyped-def]
    """Return where the first label of ``data[position:stop]`` starts, or `stop`; the line starts at `start`.

    Looking for the first byte of the prefix passes over the text several times as fast as splitting it into tokens.
    """
    position = next_byte(data, position, stop, prefix[0])
    while position < stop:
        starts_token = position == start or separates(data[position - 1])
        if starts_token and label_end(data, position, stop, prefix) > position:
            return position
        position = next_byte(data, position + 1, stop, prefix[0])
    return stop


@helper
def take_until_full(data, offsets, prefix, ids, label_offsets, names, name_offsets, hashes, slots, state):  # type: ignore[no-untyped-def]
    """Go on from `state`, (line, position or -1, n_uses, n_labels); return False where a label does not fit into the arrays."""
    line, position, n_uses, n = state[0], state[1], state[2], state[3]
    full = False
    while line < offsets.size - 1 and not full:
        stop = offsets[line + 1]
        position = offsets[line] if position < 0 else position
        position = next_label(data, position, offsets[line], stop, prefix)
        while position < stop:
            end = label_end(data, position, stop, prefix)
            first = position + prefix.size
            value = hash_bytes(data, first, end)
            label = find(slots, names, name_offsets, data, first, end, value)
            used = name_offsets[n]
            is_new = label < 0
            if n_uses == ids.size or (
                is_new and (n == min(slots.size // 2, hashes.size) or used + end - first > names.size)
            ):
                full = True
                break
            if is_new:
                put(slots, ~label, value, n)
                for i in range(first, end):
                    names[used + i - first] = data[i]
                label = n
                hashes[n] = value
                n += 1
                name_offsets[n] = used + end - first
            ids[n_uses] = label
            n_uses += 1
            for i in range(position, end):
                data[i] = SPACE
            position = next_label(data, end, offsets[line], stop, prefix)
        if not full:
            line += 1
            label_offsets[line] = n_uses
            position = -1
    state[0], state[1], state[2], state[3] = line, position, n_uses, n
    return not full


@kernel((outputs(types.uint8), inputs(types.int64), inputs(types.uint8)))
def take_labels(data, offsets, prefix):  # type: ignore[no-untyped-def]
    """Blank out the labels of all lines with spaces.

    Returns (ids int32, label_offsets int64, names, name_offsets): the distinct labels, without prefix, in order of
    first use.
    """
    ids, label_offsets = np.empty(offsets.size + 16, np.int32), np.zeros(offsets.size, np.int64)
    names, name_offsets, hashes = np.empty(1024, np.uint8), np.zeros(257, np.int64), np.empty(256, np.uint32)
    slots = np.zeros(512, np.uint64)
    state = np.array([0, -1, 0, 0])
    while not take_until_full(data, offsets, prefix, ids, label_offsets, names, name_offsets, hashes, slots, state):
        ids = resized(ids, 2 * ids.size)
        name_offsets = resized(name_offsets, 2 * hashes.size + 1)
        hashes = resized(hashes, 2 * hashes.size)
        slots = rebuilt(hashes, state[3], 2 * slots.size)
        longest = offsets[state[0] + 1] - offsets[state[0]]
        names = resized(names, 2 * names.size + longest)
    n_uses, n = state[2], state[3]
    return ids[:n_uses].copy(), label_offsets, names[: name_offsets[n]].copy(), name_offsets[: n + 1].copy()


def batch_of_lines(block: bytearray, name: str, first_line: int, prefix: bytes, keep_labels: bool) -> TextBatch:
    """Return the lines of a block as a batch; each text keeps its newline, which both tokenisers take for the end of
    the text.

    Parameters
    ----------
    block : whole lines; it is changed, and the batch refers to it
    name, first_line : for error messages
    prefix : what marks a label; labels are blanked out
    keep_labels : whether the batch carries the labels
    """
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == NEWLINE) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    ids, label_offsets, names, name_offsets = take_labels(data, offsets, np.frombuffer(prefix, np.uint8))
    labels = None
    if keep_labels:
        values = _decoded(names, name_offsets)
        labels = LabelColumn(ids, label_offsets, values, bool(len(ids) and np.diff(label_offsets).max() > 1))
    return TextBatch(data, offsets, labels, name, np.arange(first_line, first_line + len(ends)))


def _decoded(names: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[str]:
    content = names.tobytes()
    return [content[a:b].decode("utf-8", "surrogateescape") for a, b in itertools.pairwise(offsets)]
