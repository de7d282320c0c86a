"""What is timed, as a process of its own: `worker.py SYSTEM VERB JSON`. Runs in the peer's environment, so it imports nothing of ours."""

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
            bucket=job["buckets"],
            thread=job.get("threads", 2),
            verbose=0,
            seed=job["seed"],
            loss=job.get("loss", "softmax"),
            pretrainedVectors=job.get("vectors", ""),
            **{"wordNgrams": 2, **job.get("options", {})},
        )
        model.save_model(job["model"])


def tune(system, job):
    """Search for settings with a validation file in so many seconds and save the model."""
    if system == "lexigrad":
        import lexigrad

        clf = lexigrad.TextClassifier(threads=2, seed=job["seed"])
        clf.tune_file(job["train"], validation=job["validation"], seconds=job["seconds"])
        clf.save(job["model"])
        precision = clf.evaluate_file(job["validation"]).precision
        print(
            json.dumps({"trials": len(clf.tuning_.trials), "value": precision, "settings": clf.tuning_.best.settings})
        )
    else:
        model = fasttext_module(system).train_supervised(
            job["train"],
            autotuneValidationFile=job["validation"],
            autotuneDuration=job["seconds"],
            thread=2,
            verbose=0,
            seed=job["seed"],
        )
        model.save_model(job["model"])
        found = {"epochs": model.epoch, "lr": model.lr, "dim": model.dim, "word_ngrams": model.wordNgrams}
        found |= {"min_n": model.minn, "max_n": model.maxn}
        print(json.dumps({"trials": None, "value": model.test(job["validation"])[1], "settings": found}))


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


def convert(system, job):
    """Write a model of fastText as lexigrad's own file."""
    import lexigrad

    lexigrad.load(job["model"]).save(job["converted"])


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


def quantize(system, job):
    """Quantise a saved model, save it and print the seconds that it took and its P@1; `epochs` is of training on, 0 for none."""
    started = time.perf_counter()
    if system == "lexigrad":
        import lexigrad

        model = lexigrad.load(job["model"]).set_params(threads=2)
        again = {"retrain": job["train"], "epochs": job["epochs"], "lr": job["lr"]} if job["epochs"] else {}
        small = model.quantize(job["cutoff"], sub_dim=job["sub_dim"], norms=job["norms"], **again)
        seconds = time.perf_counter() - started
        for suffix in (".lexigrad", ".ftz"):
            small.save(job["small"] + suffix)
        precision = lexigrad.load(job["small"] + ".ftz").evaluate_file(job["test"]).precision
    else:
        model = fasttext_module(system).load_model(job["model"])
        model.quantize(
            input=job["train"],
            cutoff=job["cutoff"],
            dsub=job["sub_dim"],
            qnorm=job["norms"],
            retrain=job["epochs"] > 0,
            epoch=max(1, job["epochs"]),
            lr=job["lr"],
            thread=2,
            verbose=0,
        )
        seconds = time.perf_counter() - started
        model.save_model(job["small"] + ".ftz")
        precision = fasttext_module(system).load_model(job["small"] + ".ftz").test(job["test"])[1]
    print(json.dumps({"seconds": seconds, "precision": precision}))


if __name__ == "__main__":
    {
        "train": train,
        "tune": tune,
        "test": test,
        "predict": predict,
        "convert": convert,
        "open": open_model,
        "quantize": quantize,
    }[sys.argv[2]](sys.argv[1], json.loads(sys.argv[3]))
