"""Trains one system on the treebank with many settings and seeds: `sentiment_worker.py SYSTEM JSON`. Prints [accuracy on dev, on test] of each."""

from __future__ import annotations

import json
import sys


def lexigrad_accuracies(job, settings, seed):
    """Train and test lexigrad; both preparations of the text are tokenisers of its own."""
    import lexigrad

    own = {name: value for name, value in settings.items() if name != "text"}
    tokenizer = {"as published": "whitespace", "punctuation split": "words"}[settings["text"]]
    files = job["files"]["as published"]
    clf = lexigrad.TextClassifier(tokenizer=tokenizer, threads=job["threads"], seed=seed, **own).fit_file(
        files["train"]
    )
    return [clf.evaluate_file(files[part]).accuracy for part in ("dev", "test")]


def fasttext_accuracies(job, settings, seed):
    """Train and test fastText."""
    import fasttext

    files = job["files"][settings["text"]]
    model = fasttext.train_supervised(
        files["train"], dim=settings["dim"], lr=settings["lr"], epoch=settings["epochs"], wordNgrams=settings["word_ngrams"],
        minn=settings["min_n"], maxn=settings["max_n"], minCount=settings["min_count"], bucket=settings["buckets"], thread=job["threads"],
        seed=seed, verbose=0,
    )  # fmt: skip
    return [model.test(files[part])[1] for part in ("dev", "test")]


if __name__ == "__main__":
    system, job = sys.argv[1], json.load(sys.stdin)
    accuracies = lexigrad_accuracies if system == "lexigrad" else fasttext_accuracies
    print(json.dumps([[accuracies(job, settings, seed) for seed in job["seeds"]] for settings in job["settings"]]))
