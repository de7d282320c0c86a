"""Scoring by one system, as a process of its own: `score_worker.py SYSTEM VERB JSON`. Runs in the peer's environment, so it imports nothing of ours."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from itertools import islice


def fasttext_model(system, path):
    """Open a model with a peer."""
    if system == "fasttext-new":
        import fasttext_new

        return fasttext_new.load_model(path)
    import fasttext

    return fasttext.load_model(path)


def read_lines(path, n):
    """Return the first n texts of a file that has one a line; no more is read, which would leave free memory behind, where a model could hide."""
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.removesuffix("\n") for line in islice(file, n)]


def column(system, job):
    """Print the seconds of several calls for the best label of each text of a column, after one that is not counted; keep the answers of that one.

    lexigrad takes an Arrow array, the peers the list of str that they want; neither is made in the time that counts.
    """
    texts = read_lines(job["texts"], job["n"])
    n_bytes = sum(len(text.encode()) for text in texts)
    threads = job["threads"]
    if system == "lexigrad":
        import pyarrow as pa

        import lexigrad

        given, clf = pa.array(texts), lexigrad.load(job["model"]).set_params(threads=threads)
        call = partial(clf.top_k, given, k=1)
    else:
        model = fasttext_model(system, job["model"])
        call = partial(model.predict_batch, threads=threads) if system == "fasttext-new" else model.predict
        call = partial(call, texts, k=1)
    labels, probs = call()
    if job["answers"]:
        first = [[str(row[0]).removeprefix("__label__") if len(row) else None for row in labels]]
        first.append([float(row[0]) if len(row) else None for row in probs])
        with open(job["answers"], "w", encoding="utf-8") as file:
            json.dump(first, file)
    seconds, used = [], time.process_time()
    while len(seconds) < job["calls"] or sum(seconds) < job["least"]:
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    processors = (time.process_time() - used) / sum(seconds)
    print(json.dumps({"n": len(texts), "bytes": n_bytes, "seconds": seconds, "processors": processors}))


def loop(system, job):
    """Score a Parquet file document by document, as datatrove's filter does: `predict(text.replace("\\n", " "), k=-1)`, all labels into a dictionary."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    model = fasttext_model(system, job["model"])
    source = pq.ParquetFile(job["input"])
    kept = job["keep"]
    sink = None
    for batch in source.iter_batches(batch_size=1000):
        best, top, keep = [], [], []
        for text in batch.column("text").to_pylist():
            labels, probs = model.predict(text.replace("\n", " "), k=-1)
            scores = dict(zip(labels, probs.tolist(), strict=True))
            best.append(labels[0].removeprefix("__label__"))
            top.append(scores[labels[0]])
            keep.append(kept is None or scores["__label__" + kept[0]] >= kept[1])
        table = pa.Table.from_batches([batch])
        table = table.append_column("label", pa.array(best)).append_column("prob", pa.array(top, pa.float32()))
        if kept is not None:
            table = table.filter(pa.array(keep))
        if sink is None:
            sink = pq.ParquetWriter(job["output"], table.schema, compression="snappy")
        sink.write_table(table)
    sink.close()


def hold(system, job):
    """Open a model, score some texts, say so, and stay until the input ends, so that the memory can be looked at."""
    texts = read_lines(job["texts"], job["n"])
    if system == "lexigrad":
        import pyarrow as pa

        import lexigrad

        given, clf = pa.array(texts), lexigrad.load(job["model"]).set_params(threads=1)
        clf.top_k(given, k=1)
    else:
        model = fasttext_model(system, job["model"])
        model.predict(texts)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    {"column": column, "loop": loop, "hold": hold}[sys.argv[2]](sys.argv[1], json.loads(sys.argv[3]))
