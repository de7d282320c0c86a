"""What is timed, as a process of its own: `worker.py SYSTEM train|test|predict JSON`. Runs in the peer's environment, so it imports nothing of ours."""

from __future__ import annotations

import json
import sys
import time


def fasttext_module(system):
    """Import a peer under one name."""
    if system == "fasttext-new":
        import fasttext_new

        return fasttext_new
    import fasttext

    return fasttext


def train(system, job):
    """Train on a file and save the model."""
    if system == "lexigrad":
        import lexigrad

        clf = lexigrad.TextClassifier(
            dim=job["dim"],
            epochs=job["epochs"],
            lr=job["lr"],
            word_ngrams=2,
            tokenizer=job["tokenizer"],
            threads=2,
            seed=job["seed"],
            loss=job.get("loss", "softmax"),
        )
        clf.fit_file(job["train"])
        clf.save(job["model"])
    else:
        model = fasttext_module(system).train_supervised(
            job["train"],
            dim=job["dim"],
            epoch=job["epochs"],
            lr=job["lr"],
            wordNgrams=2,
            bucket=job["buckets"],
            thread=2,
            verbose=0,
            seed=job["seed"],
            loss=job.get("loss", "softmax"),
        )
        model.save_model(job["model"])


def test(system, job):
    """Print P@1 of a saved model."""
    if system == "lexigrad":
        import lexigrad

        print(lexigrad.load(job["model"]).evaluate_file(job["test"]).precision)
    else:
        print(fasttext_module(system).load_model(job["model"]).test(job["test"])[1])


def predictor(system, model, drop_in=False):
    """Return the batch call of a system; `drop_in` is lexigrad's module that takes fastText's place."""
    if drop_in:
        from lexigrad.compat import fasttext

        return fasttext.load_model(model).predict
    if system == "lexigrad":
        import lexigrad

        return lexigrad.load(model).set_params(threads=2).predict
    loaded = fasttext_module(system).load_model(model)
    if system == "fasttext-new":
        return lambda texts: loaded.predict_batch(texts, k=1, threads=2)
    return loaded.predict


def predict(system, job):
    """Print the seconds of each of several batch calls, after one that is not counted."""
    with open(job["texts"], encoding="utf-8") as file:
        texts = [" ".join(t for t in line.split() if not t.startswith("__label__")) for line in file] * job["copies"]
    call = predictor(system, job["model"], job.get("drop_in", False))
    call(texts)
    seconds = []
    for _ in range(job["calls"]):
        started = time.perf_counter()
        call(texts)
        seconds.append(time.perf_counter() - started)
    one = texts[:1]
    call(one)
    started = time.perf_counter()
    for _ in range(200):
        call(one)
    print(json.dumps({"n": len(texts), "seconds": seconds, "one": (time.perf_counter() - started) / 200}))


def private_mb():
    """Return the megabytes that belong to this process alone and are no part of a mapped file."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1000


def open_model(system, job):
    """Print the seconds of opening a model and of a first prediction, and the private memory that opening adds."""
    if system == "lexigrad":
        import lexigrad
        from lexigrad.kernels.score import score_with

        # Compiled code is loaded as part of the import, as the peers' is.
        score_with(pruned=False, characters=False, coded=False, tree=False)
        load = lexigrad.load
    else:
        load = fasttext_module(system).load_model
    before = private_mb()
    started = time.perf_counter()
    model = load(job["model"])
    seconds, added = time.perf_counter() - started, private_mb() - before
    started = time.perf_counter()
    model.predict(["a gripping film"])
    print(json.dumps({"seconds": seconds, "first": time.perf_counter() - started, "private_mb": added}))


if __name__ == "__main__":
    {"train": train, "test": test, "predict": predict, "open": open_model}[sys.argv[2]](
        sys.argv[1], json.loads(sys.argv[3])
    )
