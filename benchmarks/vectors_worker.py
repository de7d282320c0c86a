"""Trains word vectors by one system, as a process of its own: `vectors_worker.py SYSTEM JSON`. Leaves vectors and words in a folder; prints seconds."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def lexigrad_vectors(job, corpus):
    """Train by lexigrad."""
    import lexigrad

    names = ("dim", "epochs", "lr", "min_n", "max_n", "threads", "seed", "model", "loss", "gradient")
    model = lexigrad.WordVectors(**{name: job[name] for name in names}).fit_file(corpus)
    facts = model.fitted.facts
    return model.vectors, model.words, facts["read_seconds"], facts["train_seconds"]


def gensim_vectors(job, corpus):
    """Train by gensim, from the file: its fastest way."""
    from gensim.models import Word2Vec

    hierarchical = job["loss"] == "hierarchical_softmax"
    model = Word2Vec(
        vector_size=job["dim"], window=5, negative=0 if hierarchical else 5, hs=int(hierarchical), sample=1e-3, min_count=5, workers=job["threads"],
        sg=int(job["model"] == "skipgram"), alpha=job["lr"], seed=job["seed"] + 1,
    )  # fmt: skip
    started = time.perf_counter()
    model.build_vocab(corpus_file=corpus)
    read = time.perf_counter()
    model.train(
        corpus_file=corpus, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=job["epochs"]
    )  # fmt: skip
    return model.wv.vectors, model.wv.index_to_key, read - started, time.perf_counter() - read


def fasttext_vectors(job, corpus):
    """Train by fastText, which does not say how long it read, nor takes a seed."""
    import fasttext

    model = fasttext.train_unsupervised(
        corpus, model="skipgram", dim=job["dim"], ws=5, neg=5, t=1e-3, minCount=5, epoch=job["epochs"], lr=job["lr"], minn=job["min_n"],
        maxn=job["max_n"], thread=job["threads"], verbose=0,
    )  # fmt: skip
    words = model.get_words()
    return np.stack([model.get_word_vector(word) for word in words]), words, None, None


def peak_mb():
    """Return the most memory that this process has had, since it began (not the parent's, which ru_maxrss counts)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    raise SystemExit("this benchmark reads /proc/self/status, which Linux has")


if __name__ == "__main__":
    system, job = sys.argv[1], json.loads(sys.argv[2])
    train = {"lexigrad": lexigrad_vectors, "gensim": gensim_vectors}.get(system, fasttext_vectors)
    folder = Path(job["folder"])
    tiny = folder / "tiny.txt"
    tiny.write_text("one two three four five six seven\n" * 200)
    train({**job, "epochs": 1}, str(tiny))  # imports, compiled code, threads
    baseline = peak_mb()
    vectors, words, read_seconds, train_seconds = train(job, job["corpus"])
    answer = {
        "read_seconds": read_seconds, "train_seconds": train_seconds, "peak_mb": peak_mb(), "baseline_mb": baseline,
    }  # fmt: skip
    np.save(folder / "vectors.npy", np.asarray(vectors, np.float32))
    (folder / "words.txt").write_text("\n".join(words), encoding="utf-8")
    print(json.dumps(answer))
