"""Asks one system for the nearest words of many words: `similar_words_worker.py SYSTEM JSON`. Prints seconds and the answer to the last question."""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def lexigrad_answers(words, vectors):
    """Return functions that answer one word, and many."""
    from lexigrad.models.fitted_vectors import FittedVectors
    from lexigrad.models.word_vectors import WordVectors
    from lexigrad.text.subwords import Subwords

    n = len(words)
    subwords = Subwords(n, 0, 0, 1, np.empty(0, np.int64))
    model = WordVectors._restore({}, FittedVectors(words, np.zeros(n, np.int64), vectors, vectors, None, subwords))
    return model.most_similar, model.most_similar


def gensim_answers(words, vectors):
    """Return functions that answer one word, and many: gensim takes one at a time."""
    from gensim.models import KeyedVectors

    model = KeyedVectors(vectors.shape[1])
    model.add_vectors(words, vectors)
    return model.most_similar, lambda asked: [model.most_similar(word) for word in asked]


if __name__ == "__main__":
    system, job = sys.argv[1], json.loads(sys.argv[2])
    words = [f"w{i}" for i in range(job["words"])]
    vectors = np.random.default_rng(0).standard_normal((job["words"], job["dim"]), np.float32)
    asked = words[: 7 * job["queries"] : 7]
    one, many = {"lexigrad": lexigrad_answers, "gensim": gensim_answers}[system](words, vectors)
    started = time.perf_counter()
    one("w1")
    first_seconds = time.perf_counter() - started
    started = time.perf_counter()
    one("w2")
    one_seconds = time.perf_counter() - started
    started = time.perf_counter()
    answers = many(asked)
    seconds = time.perf_counter() - started
    print(json.dumps({
        "seconds": seconds, "first_seconds": first_seconds, "one_seconds": one_seconds, "first": [word for word, _ in answers[-1]],
    }))  # fmt: skip
