"""Bytes -> tokens: the two tokenisers, their hash, and n-gram hashes, as functions that kernels inline.

A token is written, normalised, to a byte buffer; its 32-bit FNV-1a hash (fastText's variant) is computed on the way.
`docs/tokens.md`
states the rules, `tests/oracles/tokens.py` is the plain version that the tests compare with.
"""

from __future__ import annotations

import numpy as np

from lexigrad.errors import ParameterError
from lexigrad.machine.compiler import helper
from lexigrad.text.unicode import ATTACH, SPACE, WORD

WHITESPACE, WORDS, UNENDED, SPACED = 0, 1, 2, 3
"""No model has the last two. UNENDED is "whitespace" without the </s> of a text's own end: only a newline yields one; fastText's raw object reads texts so.
SPACED is "whitespace" with newlines as spaces: only the text's own end yields a </s>."""
TOKENIZERS = {"words": WORDS, "whitespace": WHITESPACE}

END_OF_SENTENCE = b"</s>"
FNV_START = np.uint32(2166136261)
FNV_PRIME = np.uint32(16777619)
HIGH_BITS = np.uint32(0xFFFFFF00)
"""fastText reads bytes as signed, so a byte >= 0x80 also flips the upper 24 bits."""
NGRAM_PRIME = np.uint64(116049371)
REPLACEMENT = 0xFFFD
CLOSED, OPEN = 0, 1

_SPACES = np.zeros(256, np.bool_)
_SPACES[list(b" \n\r\t\v\f\0")] = True


def tokenizer_code(name: str) -> int:
    """Return the number of a tokeniser, or raise `ParameterError` naming those that exist."""
    if name not in TOKENIZERS:
        raise ParameterError(f"tokenizer={name!r} is unknown: choose one of {', '.join(map(repr, TOKENIZERS))}")
    return TOKENIZERS[name]


@helper
def hash_byte(value, byte):  # type: ignore[no-untyped-def]
    """Return the FNV-1a hash after one more byte, with fastText's sign extension."""
    extended = np.uint32(byte) | HIGH_BITS if byte >= 128 else np.uint32(byte)
    return np.uint32((value ^ extended) * FNV_PRIME)


@helper
def hash_bytes(data, start, stop):  # type: ignore[no-untyped-def]
    """Return the FNV-1a hash of ``data[start:stop]``."""
    value = FNV_START
    for i in range(start, stop):
        value = hash_byte(value, data[i])
    return value


@helper
def signed_hash(value):  # type: ignore[no-untyped-def]
    """Return a 32-bit hash sign-extended to 64 bits, as fastText keeps it."""
    return np.uint64(np.int64(np.int32(value)))


@helper
def decode(data, position, stop):  # type: ignore[no-untyped-def]
    """Return (code point, length) of the UTF-8 sequence at `position`; a byte that starts none is U+FFFD of length 1."""
    lead = np.uint32(data[position])
    if lead < 0x80:
        return np.int64(lead), 1
    if lead < 0xC2 or lead > 0xF4:
        return REPLACEMENT, 1
    length = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if position + length > stop:
        return REPLACEMENT, 1
    code = np.int64(lead) & (0x7F >> length)
    for i in range(1, length):
        byte = np.int64(data[position + i])
        if byte & 0xC0 != 0x80:
            return REPLACEMENT, 1
        code = (code << 6) | (byte & 0x3F)
    if (length == 3 and (code < 0x800 or 0xD800 <= code <= 0xDFFF)) or (
        length == 4 and not 0x10000 <= code <= 0x10FFFF
    ):
        return REPLACEMENT, 1
    return code, length


@helper
def encode(code, buffer, n):  # type: ignore[no-untyped-def]
    """Append the UTF-8 bytes of a code point to ``buffer[:n]``; return the new length."""
    if code < 0x80:
        buffer[n] = code
        return n + 1
    if code < 0x800:
        buffer[n] = 0xC0 | (code >> 6)
        buffer[n + 1] = 0x80 | (code & 0x3F)
        return n + 2
    if code < 0x10000:
        buffer[n] = 0xE0 | (code >> 12)
        buffer[n + 1] = 0x80 | ((code >> 6) & 0x3F)
        buffer[n + 2] = 0x80 | (code & 0x3F)
        return n + 3
    buffer[n] = 0xF0 | (code >> 18)
    buffer[n + 1] = 0x80 | ((code >> 12) & 0x3F)
    buffer[n + 2] = 0x80 | ((code >> 6) & 0x3F)
    buffer[n + 3] = 0x80 | (code & 0x3F)
    return n + 4


@helper
def next_word(data, position, stop, table, buffer):  # type: ignore[no-untyped-def]
    """Return (new position, bytes in buffer, hash) of the next token of "words"; no bytes at the end of the text."""
    n = 0
    value = FNV_START
    state = OPEN  # an open token takes further letters; a closed one only joiners, variation selectors and skin tones
    while position < stop:
        if data[position] < 128:
            code, length = np.int64(data[position]), 1
        else:
            code, length = decode(data, position, stop)
        entry = table[code]
        kind = entry >> np.uint32(24)
        if kind == SPACE:
            position += 1 if n == 0 else 0
            if n > 0:
                break
            position += length - 1
            continue
        if n > 0 and kind != ATTACH and (state == CLOSED or kind != WORD):
            break
        if n == 0 and kind != WORD:
            state = CLOSED
        lower = np.int64(entry & np.uint32(0xFFFFFF))
        position += length
        if lower < 128:
            buffer[n] = lower
            value = np.uint32((value ^ np.uint32(lower)) * FNV_PRIME)
            n += 1
        else:
            end = encode(lower, buffer, n)
            for i in range(n, end):
                value = hash_byte(value, buffer[i])
            n = end
    return position, n, value


@helper
def next_whitespace(tokenizer, data, position, stop, buffer):  # type: ignore[no-untyped-def]
    """Return (new position, bytes in buffer, hash) of the next token by fastText's byte rule, without the </s> of the text's own end."""
    n = 0
    value = FNV_START
    while position < stop:
        byte = data[position]
        if byte <= 32 and (byte == 32 or 9 <= byte <= 13 or byte == 0):
            if n > 0:
                break
            position += 1
            if byte == 10 and tokenizer != SPACED:
                return position, end_of_sentence(buffer), hash_bytes(buffer, 0, 4)
            continue
        buffer[n] = byte
        value = hash_byte(value, byte)
        n += 1
        position += 1
    return position, n, value


@helper
def end_of_sentence(buffer):  # type: ignore[no-untyped-def]
    """Write the token </s>; return its length."""
    buffer[0], buffer[1], buffer[2], buffer[3] = 60, 47, 115, 62
    return 4


@helper
def next_token(tokenizer, data, position, start, stop, table, buffer):  # type: ignore[no-untyped-def]
    """Return (new position, bytes in buffer, hash); zero bytes mean that the text is over.

    `position` runs from `start` to `stop`, and to ``stop + 1`` where the text's end yields a token of its own
    ("whitespace").
    """
    if tokenizer == WORDS:
        return next_word(data, position, stop, table, buffer)
    position, n, value = next_whitespace(tokenizer, data, min(position, stop + 1), stop, buffer)
    if n == 0 and position == stop:
        position += 1
        if tokenizer == SPACED or (tokenizer != UNENDED and (stop == start or data[stop - 1] != 10)):
            n = end_of_sentence(buffer)
            value = hash_bytes(buffer, 0, 4)
    return position, n, value


@helper
def next_character(word, position, stop):  # type: ignore[no-untyped-def]
    """Return the position after the code point at `position`: one byte and its continuation bytes."""
    position += 1
    while position < stop and (word[position] & 0xC0) == 0x80:
        position += 1
    return position
