"""What scoring a corpus is measured with: generated text, real text, and models of the shapes that are in use, made once under .bench/data.

python -m benchmarks.corpora

Zipf text: 250,000 words of random letters, the word of rank r having 2 + Poisson(0.565 ln r) letters, so that words have 8.4 letters and tokens 5.4 on
average; the token of rank r has probability proportional to 1/r; a document has 600 tokens, 3.8 KB. So that there is something to learn, a second order
shuffles the words of each octave of ranks [2^k, 2^(k+1)), and each document draws a share of its words by it: uniform in 0 to 0.6 in the class "hq", in
0.4 to 1 in "cc".

Models, all trained by fastText:

    dclm   two labels, dim 100, word bigrams, 2 million buckets; 4 million tokens of Zipf text, 2 epochs with lr 2, which spreads the probabilities
           from 0.01 to 0.97; 894 MB
    imdb   the same settings with lr 0.5 and 5 epochs, on real reviews split at white space; 911 MB
    many   2,000 labels in the shape of GlotLID: dim 256, character n-grams of 2 to 5, a million buckets; the sentences of 112 languages, each language
           cut into 17 or 18 labels; one epoch, as it is to be fast with and not to be right; 1,216 MB
    toy    two labels, 20 lines
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.data import CACHE, LABEL, folder, raw
from benchmarks.measure import run

N_WORDS = 250_000
N_TOKENS = 600
N_TRAIN = 6_667
"""Documents that "dclm" is trained on: 4 million tokens."""
N_LABELS = 2_000
"""Of the model "many"."""
SENTENCES = 50
"""That a long text of one language is made of."""
TEACHER = "fasttext-community"


class Zipf:
    """Documents by the law of Zipf; the words are the same for every seed."""

    def __init__(self, seed: int) -> None:
        words = np.random.default_rng(2026)
        lengths = 2 + words.poisson(0.565 * np.log(np.arange(1, N_WORDS + 1)))
        letters = bytes(words.integers(ord("a"), ord("z") + 1, int(lengths.sum()), dtype=np.uint8)).decode()
        ends = np.cumsum(lengths)
        known: dict[str, None] = {}
        for first, last in zip(ends - lengths, ends, strict=True):
            word = letters[first:last]
            while word in known:
                word += letters[len(known)]
            known[word] = None
        self.words = pa.array(known)
        self.sums = np.cumsum(1 / np.arange(1, N_WORDS + 1))
        self.other = np.arange(N_WORDS)
        for k in range(N_WORDS.bit_length()):
            words.shuffle(self.other[2**k - 1 : 2 ** (k + 1) - 1])
        self.random = np.random.default_rng(seed)

    def documents(self, n: int, newlines: int = 0) -> tuple[pa.Array, NDArray[np.bool_]]:
        """Return n documents and whether each is of the class "hq"; `newlines` of its spaces, evenly, are newlines."""
        good = self.random.random(n) < 0.5
        shares = 0.6 * self.random.random(n) + np.where(good, 0.0, 0.4)
        ranks = np.searchsorted(self.sums, self.random.random((n, N_TOKENS)) * self.sums[-1])
        ranks = np.where(self.random.random((n, N_TOKENS)) < shares[:, None], self.other[ranks], ranks)
        parts = newlines + 1
        tokens = self.words.take(pa.array(ranks.reshape(-1)))
        bounds = np.linspace(0, N_TOKENS, parts, endpoint=False, dtype=np.int64) + N_TOKENS * np.arange(n)[:, None]
        return _joined(_joined(tokens, bounds, " "), np.arange(0, n * parts, parts), "\n"), good


def _joined(values: pa.Array, starts: NDArray[np.int64], by: str) -> pa.Array:
    offsets = pa.array(np.append(starts.reshape(-1), len(values)), pa.int32())
    return pc.binary_join(pa.ListArray.from_arrays(offsets, values), by)


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each sentence of Tatoeba."""
    with lzma.open(folder().parent / "languages/tatoeba.tsv.xz", "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            language, text = line.rstrip("\n").split("\t", 1)
            yield language, text


def _zipf_train() -> Iterator[str]:
    texts, good = Zipf(1).documents(N_TRAIN)
    for text, is_good in zip(texts, good, strict=True):
        yield f"{LABEL}{'hq' if is_good else 'cc'} {text}"


def _many_train() -> Iterator[str]:
    languages = sorted({language for language, _ in sentences()})
    each, more = divmod(N_LABELS, len(languages))
    parts = {language: each + (i < more) for i, language in enumerate(languages)}
    for language, text in sentences():
        yield f"{LABEL}{language}_{crc32(text.encode()) % parts[language]:02} {text}"


def _long() -> Iterator[str]:
    for _, group in groupby(sorted(sentences(), key=lambda row: row[0]), lambda row: row[0]):
        texts = [text for _, text in group]
        for first in range(0, len(texts), SENTENCES):
            yield " ".join(texts[first : first + SENTENCES])


def _imdb(part: str, labels: bool) -> Iterator[str]:
    for line in raw("imdb", part).read_text(encoding="utf-8").removesuffix("\n").split("\n"):
        yield line if labels else line.split(" ", 1)[1]


MAKERS: dict[str, Any] = {
    "zipf.train": _zipf_train,
    "zipf": lambda: map(str, Zipf(2).documents(20_000)[0]),
    "many.train": _many_train,
    "short": lambda: (text for _, text in sentences()),
    "long": _long,
    "imdb.train": lambda: _imdb("train", True),
    "imdb": lambda: _imdb("test", False),
    "toy.train": lambda: [f"{LABEL}hq good", f"{LABEL}cc bad"] * 10,
}
"""The text of each name, a line each."""

MODELS: dict[str, dict[str, Any]] = {
    "dclm": {"train": "zipf.train", "dim": 100, "epochs": 2, "lr": 2.0, "buckets": 2_000_000},
    "imdb": {"train": "imdb.train", "dim": 100, "epochs": 5, "lr": 0.5, "buckets": 2_000_000},
    "many": {
        "train": "many.train",
        "dim": 256,
        "epochs": 1,
        "lr": 0.5,
        "buckets": 1_000_000,
        "options": {"minn": 2, "maxn": 5, "wordNgrams": 1},
        "threads": 2,
    },
    "toy": {"train": "toy.train", "dim": 4, "epochs": 5, "lr": 0.5, "buckets": 100},
}


def texts(name: str) -> Path:
    """Return a file with a text a line."""
    target = CACHE / f"{name}.lines.txt"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".part")
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in MAKERS[name]())
        temporary.rename(target)
    return target


def table_of(zipf: Zipf, n: int, first: int = 0, name: str = "documents") -> pa.Table:
    """Return n Zipf documents of six lines with an id and an address, as corpora have them."""
    documents, _ = zipf.documents(n, newlines=5)
    numbers = range(first, first + n)
    ids = [f"{name}-{number:012}" for number in numbers]
    urls = [
        f"https://site{crc32(str(number).encode()) % 5000}.example/{number // 7}/page-{number}" for number in numbers
    ]
    return pa.table({"id": ids, "url": urls, "text": documents})


def parquet(n: int) -> Path:
    """Return a Parquet file of n documents, snappy, 10,000 a row group."""
    target = CACHE / f"zipf-{n}.parquet"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary, zipf = target.with_suffix(".part"), Zipf(3)
        tables = (table_of(zipf, min(10_000, n - first), first) for first in range(0, n, 10_000))
        table = next(tables)
        with pq.ParquetWriter(temporary, table.schema, compression="snappy") as writer:
            for part in chain([table], tables):
                writer.write_table(part)
        temporary.rename(target)
    return target


def model(name: str) -> Path:
    """Return a model of `MODELS`, or lid.176.ftz for the name "lid"."""
    if name == "lid":
        return folder().parent / "models/lid.176.ftz"
    target = CACHE / f"{name}.bin"
    if not target.exists():
        temporary = target.with_suffix(".part")
        job = {"threads": 1, **MODELS[name], "seed": 0, "model": str(temporary)}
        run(TEACHER, "train", {**job, "train": str(texts(job["train"]))})
        temporary.rename(target)
    return target


if __name__ == "__main__":
    for name in MAKERS:
        print(texts(name))
    for name in MODELS:
        print(model(name), f"{model(name).stat().st_size / 1e6:,.0f} MB")
