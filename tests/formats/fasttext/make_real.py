"""Keeps what fastText itself answers with the small models of gensim's tests: vectors and neighbours of a few words, in real_vectors.json beside this file.

python tests/formats/fasttext/make_real.py FOLDER      with fasttext-community==0.11.9 installed; FOLDER has models/
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import fasttext

HERE = Path(__file__).parent
NAMES = ("lee_fasttext_new", "crime-and-punishment", "toy-model")
UNKNOWN = ["exceptionally", "night-watch", "душегубство", "q", "naïve東京"]


def main(folder: Path) -> None:
    golden: dict[str, Any] = {}
    for name in NAMES:
        model = fasttext.load_model(str(folder / f"models/{name}.bin"))
        known = model.get_words()
        words = [*known[:3], known[len(known) // 2], known[-1], *UNKNOWN]
        nearest = {
            word: [[other, round(float(score), 6)] for score, other in model.get_nearest_neighbors(word, k=5)]
            for word in known[3:6]
        }
        golden[name] = {"vectors": {word: vector_of(model, word) for word in words}, "nearest": nearest}
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":"))
    (HERE / "real_vectors.json").write_text(text + "\n", encoding="utf-8")


def vector_of(model: Any, word: str) -> list[float]:
    """The mean of a word's rows, as in make.py; no numbers for a word that has no row."""
    _, rows = model.get_subwords(word)
    rows = rows[rows >= 0]
    return [round(float(x), 7) for x in model.get_input_matrix()[rows].mean(axis=0)] if len(rows) else []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
