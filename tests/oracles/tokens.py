"""The two tokenisers, the hash and the n-grams, spelled out."""

from __future__ import annotations

from lexigrad.text.unicode import ATTACH, OTHER, SINGLE, SPACE, WORD, load_table

EOS = b"</s>"


def code_points(text: bytes) -> list[int]:
    """Decode strictly; each byte that starts no valid sequence is U+FFFD."""
    codes, i = [], 0
    while i < len(text):
        for length in (1, 2, 3, 4):
            try:
                codes.append(ord(text[i : i + length].decode("utf-8")))
            except (UnicodeDecodeError, TypeError):
                continue
            i += length
            break
        else:
            codes.append(0xFFFD)
            i += 1
    return codes


def words(text: bytes) -> list[bytes]:
    """A token is a run of word characters, or one other character; what attaches stays with the token before."""
    table = load_table()
    tokens: list[str] = []
    state = "none"
    for code in code_points(text):
        entry = int(table[code])
        kind, lower = entry >> 24, chr(entry & 0xFFFFFF)
        if kind == SPACE:
            state = "none"
        elif (kind == ATTACH and state != "none") or (kind == WORD and state == "run"):
            tokens[-1] += lower
        else:
            tokens.append(lower)
            state = "run" if kind == WORD else "closed"
            assert kind in (WORD, OTHER, SINGLE, ATTACH)
    return [token.encode() for token in tokens]


def whitespace(text: bytes) -> list[bytes]:
    """fastText's rule; a text ends with one end of sentence, whether or not with a newline."""
    if not text.endswith(b"\n"):
        text += b"\n"
    tokens: list[bytes] = []
    current = b""
    for i in range(len(text)):
        byte = text[i : i + 1]
        if byte in b" \n\r\t\v\f\0":
            if current:
                tokens.append(current)
            current = b""
            if byte == b"\n":
                tokens.append(EOS)
        else:
            current += byte
    return tokens


def fnv1a(token: bytes) -> int:
    """FNV-1a on signed bytes."""
    value = 2166136261
    for byte in token:
        signed = byte - 256 if byte >= 128 else byte
        value = ((value ^ (signed % 2**32)) * 16777619) % 2**32
    return value


def signed(value: int) -> int:
    return value - 2**32 if value >= 2**31 else value


def word_ngrams(hashes: list[int], longest: int) -> list[int]:
    """64-bit hashes of all runs of 2..longest tokens."""
    values = []
    for i in range(len(hashes)):
        value = signed(hashes[i]) % 2**64
        for j in range(i + 1, min(i + longest, len(hashes))):
            value = (value * 116049371 + signed(hashes[j])) % 2**64
            values.append(value)
    return values


def characters(word: bytes) -> list[bytes]:
    """One byte and the continuation bytes behind it."""
    parts: list[bytes] = []
    for i in range(len(word)):
        if parts and word[i] & 0xC0 == 0x80:
            parts[-1] += word[i : i + 1]
        else:
            parts.append(word[i : i + 1])
    return parts


def char_ngrams(word: bytes, min_n: int, max_n: int) -> list[bytes]:
    """Character n-grams of <word>, without the boundary signs alone."""
    if word == EOS:
        return []
    parts = characters(b"<" + word + b">")
    return [
        b"".join(parts[i : i + n])
        for i in range(len(parts))
        for n in range(1, max_n + 1)
        if n >= min_n and i + n <= len(parts) and not (n == 1 and i in (0, len(parts) - 1))
    ]


def text_slots(
    tokens: list[bytes], vocabulary: dict[bytes, int], n_buckets: int, longest: int, min_n: int, max_n: int
) -> list[int]:
    """Slots of all features of a text."""
    n_words = len(vocabulary)
    slots = []
    for token in tokens:
        if token in vocabulary:
            slots.append(vocabulary[token])
        if max_n:
            slots += [n_words + fnv1a(ngram) % n_buckets for ngram in char_ngrams(token, min_n, max_n)]
    if longest > 1:
        slots += [n_words + value % n_buckets for value in word_ngrams([fnv1a(token) for token in tokens], longest)]
    return slots
