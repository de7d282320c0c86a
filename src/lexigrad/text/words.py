"""Many words as one run of bytes, which become str only when somebody looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


def encoded(texts: Iterable[str]) -> list[bytes]:
    """Return words as UTF-8; surrogates become the bytes that they stand for."""
    return [text.encode("utf-8", "surrogateescape") for text in texts]


class Words(Sequence[str]):
    """A list of str over bytes and offsets, such as a mapped file holds; bytes that are no UTF-8 survive as surrogates.

    Parameters
    ----------
    arena : (n_bytes,) uint8, the words one after another
    offsets : (n + 1,) int64, word ``i`` is ``arena[offsets[i]:offsets[i + 1]]``
    """

    def __init__(self, arena: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.arena, self.offsets = arena, offsets

    @classmethod
    def of(cls, strings: list[bytes]) -> Words:
        """Return words that are given one by one."""
        return cls(np.frombuffer(b"".join(strings), np.uint8), np.cumsum([0, *map(len, strings)], dtype=np.int64))

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Words:
        """Return words that are given one by one as str."""
        return cls.of(encoded(texts))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return self.arena[self.offsets[place] : self.offsets[place + 1]].tobytes().decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        data, ends = self.arena.tobytes(), self.offsets.tolist()
        return (data[ends[i] : ends[i + 1]].decode("utf-8", "surrogateescape") for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))
