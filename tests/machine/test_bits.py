"""Operations on bytes against their plain twins, compiled and with NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from lexigrad.machine import bits

RNG = np.random.default_rng(5)
BYTES = RNG.integers(0, 256, 400).astype(np.uint8)
BYTES[::7], BYTES[3::11], BYTES[5::13] = 32, 10, 9


@njit
def run_space_mask(x, place):
    return bits.space_mask(x, place)


@njit
def run_newline_mask(x, place):
    return bits.newline_mask(x, place)


@njit
def run_eight_at(x, place):
    return bits.eight_at(x, place)


@njit
def run_half_at(x, place):
    return bits.half_at(x, place)


@njit
def run_bits_of(value):
    return bits.bits_of(value)


@njit
def run_trailing_zeros(value):
    return bits.trailing_zeros(value)


@njit
def run_high_product(a, b):
    return bits.high_product(a, b)


@njit
def run_ones(value):
    return bits.ones(value)


@njit
def run_put_letters(x, place, letters, widths, first):
    bits.put_letters(x, place, letters, widths, first)


@njit
def run_count_down(left, first, size):
    bits.count_down(left, first, size)


@njit
def run_pick(flags, places, left, first, n, least, base, into, at):
    return bits.pick(flags, places, left, first, n, least, base, into, at)


@njit
def run_hash_tokens(x, bounds, first, values):
    bits.hash_tokens(x, bounds, first, values)


@pytest.mark.parametrize("place", [0, 1, 63, 200, 336])
def test_masks_and_numbers_in_bytes(place: int) -> None:
    assert int(run_space_mask(BYTES, place)) == int(bits._space_mask_plain(BYTES, place))
    assert int(run_newline_mask(BYTES, place)) == int(bits._newline_mask_plain(BYTES, place))
    assert int(run_eight_at(BYTES, place)) == int.from_bytes(BYTES[place : place + 8].tobytes(), "little")


def test_every_byte_is_a_space_as_python_says() -> None:
    every = np.arange(256, dtype=np.uint8)
    found = {i + 64 * j for j in range(4) for i in range(64) if int(run_space_mask(every, 64 * j)) >> i & 1}
    assert found == set(b" \n\r\t\v\f\0")


def test_halves() -> None:
    numbers = np.array([0.0, -0.0, 1.5, -65504.0, 6e-8, np.inf], np.float16)
    content = np.concatenate([[7], numbers.view(np.uint8)]).astype(np.uint8)  # at odd places
    found = np.array([run_half_at(content, 1 + 2 * i) for i in range(len(numbers))], np.float32)
    np.testing.assert_array_equal(found, numbers.astype(np.float32))
    assert np.signbit(found).tolist() == np.signbit(numbers).tolist()


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -np.inf, 1e-45])
def test_bits_of(value: float) -> None:
    assert int(run_bits_of(np.float32(value))) == int(np.float32(value).view(np.uint32))


def test_products_and_zeros() -> None:
    values = [1, 2, 3 << 40, 2**63, 2**64 - 1, *RNG.integers(1, 2**63, 50).tolist()]
    for a in values:
        assert run_trailing_zeros(np.uint64(a)) == bits._trailing_zeros_plain(a)
        for b in values[:8]:
            assert int(run_high_product(np.uint64(a), np.uint64(b))) == a * b >> 64


@pytest.mark.parametrize("longest", [0, 1, 4, 9, 40])
def test_hashes_of_tokens(longest: int) -> None:
    n = 2 * bits.TOKENS
    lengths = RNG.integers(0, longest + 1, n)
    starts = RNG.integers(0, 250, n)
    bounds = np.stack([starts, starts + lengths], axis=1).astype(np.int32).reshape(-1)
    found, expected = np.zeros(n, np.uint32), np.zeros(n, np.uint32)
    for first in (0, bits.TOKENS):
        run_hash_tokens(BYTES, bounds, first, found)
        bits._hash_tokens_plain(BYTES, bounds, first, expected)
    np.testing.assert_array_equal(found, expected)


def test_letters_and_what_is_left_of_a_word() -> None:
    found, expected = ([np.full(40, 9, np.uint32) for _ in range(3)] for _ in range(2))
    run_put_letters(BYTES, 33, found[0], found[1], 5)
    run_count_down(found[2], 5, 7)
    bits._put_letters_plain(BYTES, 33, expected[0], expected[1], 5)
    bits._count_down_plain(expected[2], 5, 7)
    np.testing.assert_array_equal(found, expected)
    assert found[0][5:21].tolist() == BYTES[33:49].tolist()
    assert found[2][[4, 5, 11, 21]].tolist() == [9, 7, 1, 9]


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 40])
def test_places_whose_bit_is_set(n: int) -> None:
    flags = RNG.integers(0, 2**63, 20).astype(np.uint64)
    places = RNG.integers(0, 64 * 20, 64).astype(np.int32)
    left = RNG.integers(0, 6, 64).astype(np.uint32)
    places[n:] = 2**31 - 1  # never looked at
    for first in range(0, n + 1, 8):
        found, expected = np.full(30, -1), np.full(30, -1)
        size = run_pick(flags, places, left, first, n, 3, 1000, found, 2)
        assert size == bits._pick_plain(flags, places, left, first, n, 3, 1000, expected, 2)
        assert found[:size].tolist() == expected[:size].tolist()
    assert run_ones(flags[0]) == int(flags[0]).bit_count()
