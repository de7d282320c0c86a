"""fastText itself, in its own environment: `python original.py JOB.json`, where the job says what to train, predict or look up; the answer goes to
the file that it names."""

from __future__ import annotations

import json
import sys
from typing import Any

import fasttext


def main(job: dict[str, Any]) -> None:
    if "train" in job:
        how = fasttext.train_supervised if job["supervised"] else fasttext.train_unsupervised
        model = how(job["train"], thread=1, verbose=0, **job["settings"])
        if "quantize" in job:
            model.quantize(input=job["train"], verbose=0, **job["quantize"])
        model.save_model(job["model"])
    else:
        model = fasttext.load_model(job["model"])
    answer: dict[str, Any] = {}
    if "texts" in job:
        labels, probs = model.predict(job["texts"], k=job["k"])
        answer["labels"], answer["probs"] = [list(some) for some in labels], [list(map(float, some)) for some in probs]
    if "words" in job:
        answer["vectors"] = [list(map(float, model.get_word_vector(word))) for word in job["words"]]
        answer["means"] = [mean_of_rows(model, word) for word in job["words"]]
        answer["known"] = model.get_words()
    with open(job["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def mean_of_rows(model: Any, word: str) -> list[float]:
    """What `get_word_vector` is in fastText; fasttext-community divides it by its length."""
    _, rows = model.get_subwords(word)
    rows = rows[rows >= 0]
    return [float(x) for x in model.get_input_matrix()[rows].mean(axis=0)] if len(rows) else []


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        main(json.load(file))
