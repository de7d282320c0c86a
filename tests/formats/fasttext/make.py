"""Trains small models with fastText itself, on sentences of CLINC150 (CC BY 3.0), and keeps what it answers: the models and golden.json beside this file.

python tests/formats/fasttext/make.py      with fasttext-community==0.11.9 installed
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import fasttext

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "src/lexigrad/data"
FEW = {"lr": 0.5, "epoch": 15, "thread": 1, "verbose": 0}
SUPERVISED: dict[str, dict[str, Any]] = {
    "softmax.bin": {"dim": 8, "wordNgrams": 2, "bucket": 500, "loss": "softmax"},
    "hierarchical.bin": {"dim": 8, "minn": 2, "maxn": 4, "bucket": 601, "loss": "hs", "minCount": 3},
    "one_vs_all.bin": {"dim": 5, "loss": "ova"},
    "negative.bin": {"dim": 5, "loss": "ns", "wordNgrams": 3, "bucket": 300, "minn": 3, "maxn": 3, "minCount": 5},
    "prefix.bin": {"dim": 4, "label": "#", "minCount": 4, "minCountLabel": 2},
}
QUANTISED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "softmax.ftz": ({"dim": 7, "loss": "softmax"}, {"dsub": 2}),
    "pruned.ftz": (
        {"dim": 6, "wordNgrams": 2, "minn": 2, "maxn": 3, "bucket": 5000, "loss": "hs"},
        {"dsub": 2, "qnorm": True, "cutoff": 900, "retrain": True, "epoch": 2, "lr": 0.3, "thread": 1, "verbose": 0},
    ),
    "output.ftz": (
        {"dim": 5, "wordNgrams": 2, "bucket": 300, "loss": "softmax", "minCount": 3},
        {"dsub": 3, "qnorm": True, "qout": True},
    ),
}
UNSUPERVISED: dict[str, dict[str, Any]] = {
    "skipgram.bin": {"model": "skipgram", "dim": 6, "minn": 3, "maxn": 5, "bucket": 400, "minCount": 5},
    "cbow.bin": {"model": "cbow", "dim": 6, "minn": 0, "maxn": 0, "bucket": 0, "loss": "hs", "minCount": 5},
}
LABELS = 12
ODD = [
    "", "   ", "zzzqqq", "transfer __label__transfer ten dollars", "what is </s> the exchange rate", "</s>", "naïve 東京 tower café", "a\tb\x0bc d\x00e",
    "unicode\u00a0space\u3000wide", "x" * 300, "__label__", "#new transfer", "Transfer TEN dollars , please !", "👍🏽 \u0301 \ufeff",
]  # fmt: skip
WORDS = ["transfer", "the", "</s>", "transferring", "東京", "q", "account", "bank"]


def rows(name: str) -> list[str]:
    return (DATA / f"clinc150.{name}.txt").read_text(encoding="utf-8").splitlines()


def main() -> None:
    labels = sorted({line.split()[0] for line in rows("train")})[: LABELS * 8 : 8]
    some = [line for line in rows("train") if line.split()[0] in labels]
    texts = [line.split(" ", 1)[1] for line in rows("test") if line.split()[0] in labels][::30] + ODD
    golden: dict[str, Any] = {"texts": texts, "words": WORDS, "classifiers": {}, "vectors": {}}
    with tempfile.TemporaryDirectory() as folder:
        plain, marked, many = (Path(folder) / name for name in ("plain.txt", "marked.txt", "many.txt"))
        text = "\n".join([*some, "__label__naïve naïve 東京 café " * 3]) + "\n"
        plain.write_text(text, encoding="utf-8")
        marked.write_text(text.replace("__label__", "#"), encoding="utf-8")
        lines = [line.split(" ", 1) for line in some]
        many.write_text("".join(f"{line[0]}_{i % 22} {line[1]}\n" for i, line in enumerate(lines)), encoding="utf-8")
        for name, settings in SUPERVISED.items():
            source = marked if "label" in settings else plain
            keep(fasttext.train_supervised(str(source), **FEW, **settings), name, golden)
        for name, (settings, shrunk) in QUANTISED.items():
            source = many if shrunk.get("qout") else plain
            model = fasttext.train_supervised(str(source), **FEW, **settings)
            model.quantize(input=str(source), **shrunk)
            keep(model, name, golden)
        plain.write_text("\n".join(line[1] for line in lines) + "\n", encoding="utf-8")
        for name, settings in UNSUPERVISED.items():
            model = fasttext.train_unsupervised(str(plain), lr=0.05, epoch=5, thread=1, verbose=0, **settings)
            model.save_model(str(HERE / name))
            vectors = {word: rounded(vector_of(model, word)) for word in WORDS}
            nearest = [[word, round(score, 6)] for score, word in model.get_nearest_neighbors("bank", k=5)]
            golden["vectors"][name] = {"vectors": vectors, "nearest": nearest}
    (HERE / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def keep(model: Any, name: str, golden: dict[str, Any]) -> None:
    model.save_model(str(HERE / name))
    answers = []
    for text in golden["texts"]:
        labels, probs = model.predict(text, k=10)
        answers.append([list(labels), rounded(probs)])
    golden["classifiers"][name] = answers


def vector_of(model: Any, word: str) -> Any:
    """The mean of a word's rows: `get_word_vector` of fasttext-community 0.11.9 has it divided by its length, which fastText does not do."""
    _, rows = model.get_subwords(word)
    return model.get_input_matrix()[rows[rows >= 0]].mean(axis=0) if len(rows) else [0.0] * model.get_dimension()


def rounded(numbers: Any) -> list[float]:
    return [round(float(number), 7) for number in numbers]


if __name__ == "__main__":
    main()
