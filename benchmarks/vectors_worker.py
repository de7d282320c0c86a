"""Trains word vectors by one system, as a process of its own: `vectors_worker.py SYSTEM JSON`. Leaves vectors and words in a folder; prints seconds."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def lexigrad_vectors(job):
    """Train by lexigrad."""
    import lexigrad

    model = lexigrad.WordVectors(
        dim=job["dim"], epochs=job["epochs"], lr=job["lr"], min_n=job["min_n"], max_n=job["max_n"], threads=job["threads"], seed=job["seed"]
    ).fit_file(job["corpus"])  # fmt: skip
    facts = model.fitted.facts
    return model.vectors, model.words, facts["read_seconds"], facts["train_seconds"]


def gensim_vectors(job):
    """Train by gensim, from the file: its fastest way."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=job["dim"], window=5, negative=5, sample=1e-3, min_count=5, workers=job["threads"], sg=1, alpha=job["lr"], seed=job["seed"] + 1
    )  # fmt: skip
    started = time.perf_counter()
    model.build_vocab(corpus_file=job["corpus"])
    read = time.perf_counter()
    model.train(
        corpus_file=job["corpus"], total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=job["epochs"]
    )  # fmt: skip
    return model.wv.vectors, model.wv.index_to_key, read - started, time.perf_counter() - read


def fasttext_vectors(job):
    """Train by fastText, which does not say how long it read."""
    import fasttext

    model = fasttext.train_unsupervised(
        job["corpus"], model="skipgram", dim=job["dim"], ws=5, neg=5, t=1e-3, minCount=5, epoch=job["epochs"], lr=job["lr"], minn=job["min_n"],
        maxn=job["max_n"], thread=job["threads"], verbose=0, seed=job["seed"],
    )  # fmt: skip
    words = model.get_words()
    return np.stack([model.get_word_vector(word) for word in words]), words, None, None


if __name__ == "__main__":
    system, job = sys.argv[1], json.loads(sys.argv[2])
    train = {"lexigrad": lexigrad_vectors, "gensim": gensim_vectors}.get(system, fasttext_vectors)
    vectors, words, read_seconds, train_seconds = train(job)
    folder = Path(job["folder"])
    np.save(folder / "vectors.npy", np.asarray(vectors, np.float32))
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    print(json.dumps({"read_seconds": read_seconds, "train_seconds": train_seconds}))
