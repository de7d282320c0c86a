"""fastText lines, spelled out: which tokens are labels, and what remains."""

from __future__ import annotations

import re

TOKEN = re.compile(rb"[^ \t\r\v\f\0]+")


def split_lines(content: bytes) -> list[bytes]:
    """Lines end with a newline only; what follows the last newline is a line if there is anything."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return lines if lines[-1] else lines[:-1]


def split_line(line: bytes, prefix: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return (labels without their prefix, the other tokens); the prefix alone is no label."""
    labels, words = [], []
    for token in TOKEN.findall(line):
        if token.startswith(prefix) and token != prefix:
            labels.append(token.removeprefix(prefix))
        else:
            words.append(token)
    return labels, words


def blanked(line: bytes, prefix: bytes) -> bytes:
    """Return the line with spaces in place of its labels."""

    def blank(match: re.Match[bytes]) -> bytes:
        token = match.group()
        return b" " * len(token) if token.startswith(prefix) and token != prefix else token

    return TOKEN.sub(blank, line)
