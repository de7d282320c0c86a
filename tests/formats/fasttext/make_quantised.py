"""Trains and quantises small models with lexigrad, on sentences of CLINC150 (CC BY 3.0), and keeps what fastText answers when it loads them.

python -m tests.formats.fasttext.make_quantised      installs fasttext-community==0.11.9 in .bench, if it is not there

The models (ours-*.ftz) and quantised.json lie beside this file.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.peers import python_of

import lexigrad

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "src/lexigrad/data"
ASKED: dict[str, Any] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
"""What make.py asked fastText's own models: the texts and words."""
CLASSIFIERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ours-softmax.ftz": ({"dim": 18, "word_ngrams": 2, "buckets": 5000}, {"sub_dim": 1}),
    "ours-few-buckets.ftz": ({"word_ngrams": 2, "buckets": 77}, {"norms": False}),
    "ours-hierarchical.ftz": (
        {"loss": "hierarchical_softmax", "word_ngrams": 2, "buckets": 3001},
        {"output": True, "sub_dim": 3},
    ),
    "ours-one-vs-all.ftz": ({"loss": "one_vs_all", "min_n": 2, "max_n": 4, "min_count": 3}, {"cutoff": 700}),
    "ours-negative.ftz": ({"loss": "negative_sampling"}, {"cutoff": 100, "retrain": True}),
    "ours-pruned.ftz": ({"word_ngrams": 3, "min_n": 3, "max_n": 3}, {"cutoff": 1500, "output": True, "retrain": True}),
}
VECTORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ours-skipgram.ftz": ({"min_n": 3, "max_n": 5, "buckets": 20_000}, {}),
    "ours-cbow.ftz": ({"model": "cbow", "loss": "hierarchical_softmax"}, {"norms": False}),
    "ours-cut.ftz": ({"min_n": 2, "max_n": 3, "buckets": 500}, {"cutoff": 400}),
}
ASK = """
import json, sys
import fasttext
job = json.load(sys.stdin)
answers = {"classifiers": {}, "vectors": {}}
for path in job["classifiers"]:
    model = fasttext.load_model(path)
    answers["classifiers"][path] = [[list(labels), [float(p) for p in probs]] for labels, probs in (model.predict(t, k=10) for t in job["texts"])]
for path in job["vectors"]:
    model = fasttext.load_model(path)
    nearest = [[word, score] for score, word in model.get_nearest_neighbors("bank", k=5)]
    # get_word_vector of fasttext-community 0.11.9 divides by the length, which fastText does not
    vectors = {word: [[float(x) for x in model.get_input_vector(int(row))] for row in model.get_subwords(word)[1] if row >= 0] for word in job["words"]}
    answers["vectors"][path] = {"rows": vectors, "nearest": nearest}
json.dump(answers, sys.stdout)
"""


def asked(python: Path, folder: Path) -> dict[str, Any]:
    """Return what fastText answers to the models in a folder."""
    job = {
        "classifiers": [str(folder / name) for name in CLASSIFIERS],
        "vectors": [str(folder / name) for name in VECTORS],
        "texts": ASKED["texts"],
        "words": ASKED["words"],
    }
    answer = subprocess.run([python, "-c", ASK], input=json.dumps(job), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return {kind: {Path(path).name: some for path, some in of_kind.items()} for kind, of_kind in found.items()}


def write(folder: Path) -> None:
    """Write the models to a folder."""
    lines = [line.split(" ", 1) for line in (DATA / "clinc150.train.txt").read_text(encoding="utf-8").splitlines()]
    labels = sorted({line[0] for line in lines})[:96:8]
    some = [line for line in lines if line[0] in labels]
    texts, targets = [line[1] for line in some], [line[0].removeprefix("__label__") for line in some]
    for name, (settings, small) in CLASSIFIERS.items():
        clf = lexigrad.TextClassifier(**{"dim": 7, **settings}, epochs=15, lr=0.5, tokenizer="whitespace", threads=1)
        retrain = {"retrain": (texts, targets), "epochs": 3} if small.get("retrain") else {}
        clf.fit(texts, targets).quantize(**{**small, **retrain}).save(folder / name)
    for name, (settings, small) in VECTORS.items():
        vectors = lexigrad.WordVectors(dim=6, min_count=5, epochs=5, threads=1, **settings)
        vectors.fit(texts).quantize(**small).save(folder / name)


def main() -> None:
    """Write the models and the answers beside this file."""
    write(HERE)
    answers = asked(python_of("fasttext-community"), HERE)
    for model in answers["classifiers"].values():
        for answer in model:
            answer[1] = [round(p, 7) for p in answer[1]]
    for model in answers["vectors"].values():
        model["rows"] = {word: [[round(x, 7) for x in row] for row in some] for word, some in model["rows"].items()}
    text = json.dumps(answers, ensure_ascii=False, separators=(",", ":"))
    (HERE / "quantised.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
