"""Keeps what fastText answers with lid.176.ftz for the 88,877 sentences of Tatoeba: languages.json beside this file, which holds no sentence.

python tests/formats/fasttext/make_languages.py FOLDER      with fasttext-community==0.11.9 installed; FOLDER has models/ and languages/
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
from pathlib import Path

import fasttext

EVERY = 100


def main(folder: Path) -> None:
    with lzma.open(folder / "languages/tatoeba.tsv.xz", "rt", encoding="utf-8", newline="\n") as file:
        sentences = [line.rstrip("\n").split("\t", 1)[1] for line in file]
    model = fasttext.load_model(str(folder / "models/lid.176.ftz"))
    labels, _ = model.predict(sentences)
    first = [found[0].removeprefix("__label__") for found in labels]
    some, probs = model.predict(sentences[::EVERY], k=5)
    answers = {
        "n": len(sentences),
        "sha256": hashlib.sha256("\n".join(first).encode()).hexdigest(),
        "every": EVERY,
        "labels": [[label.removeprefix("__label__") for label in found] for found in some],
        "probs": [[round(float(p), 6) for p in found] for found in probs],
    }
    path = Path(__file__).with_name("languages.json")
    path.write_text(json.dumps(answers, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
