"""Models and scorers that travel."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import lexigrad
from lexigrad.errors import DataError, FormatError, ParameterError
from lexigrad.formats.native import is_native
from lexigrad.scale.models import (
    KEPT_SECONDS,
    SharedModel,
    SharedRows,
    SharedScorer,
    plain,
    plain_type,
    spooled,
    text_array,
    worker_threads,
)

OTHER_PROCESS = """
import pickle, sys
import pyarrow as pa
scorer = pickle.load(sys.stdin.buffer)
probs = scorer.open().score(pa.array(["sport1 sport2", "law1"]), ["law"]).probs["law"]
mapped = {line.split()[-1] for line in open("/proc/self/maps")} if sys.platform == "linux" else {str(scorer.model.file())}
print(scorer.model.digest, str(scorer.model.file()) in mapped, *map(float.hex, probs.tolist()))
"""


def test_travels_small_and_is_mapped_by_another_process(trained: lexigrad.TextClassifier) -> None:
    scorer = SharedScorer(SharedModel.of(trained))
    travelling = pickle.dumps(scorer)
    assert len(travelling) < 1000
    answer = subprocess.run([sys.executable, "-c", OTHER_PROCESS], input=travelling, capture_output=True, check=True)
    digest, mapped, *probs = answer.stdout.decode().split()
    expected = trained.predict_proba(["sport1 sport2", "law1"])[:, list(trained.classes_).index("law")]
    assert (digest, mapped) == (scorer.model.digest, "True")
    assert [float.fromhex(prob) for prob in probs] == expected.tolist()


def test_known_by_its_content(trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    path, copy = tmp_path / "m.lexigrad", tmp_path / "copy.lexigrad"
    trained.save(path)
    copy.write_bytes(path.read_bytes())
    carried, seen = (
        [SharedModel.of(trained), SharedModel.of(path, carried=True)],
        [SharedModel.of(str(path)), SharedModel.of(copy)],
    )
    assert carried[0] == carried[1] != seen[0] == seen[1]
    assert seen[0].digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert carried[0].open() is carried[1].open()
    assert SharedModel.of(seen[0]) is seen[0]


@pytest.mark.parametrize("kind", ["folds", "folded", "many labels", ".bin"])
@pytest.mark.parametrize("carried", [True, False])
def test_all_processes_map_a_native_file(kind: str, carried: bool, tmp_path: Path, spool: Path) -> None:
    settings = {"dim": 4, "tokenizer": "whitespace", "threads": 1}
    labels = [str(i % (8 if kind == "many labels" else 2)) for i in range(80)]
    clf = lexigrad.TextClassifier(**settings).fit([f"w{label}" for label in labels], labels)
    path = tmp_path / ("m.bin" if kind == ".bin" else "m.lexigrad")
    clf.save(path)
    if kind == "folded":
        path = SharedModel.of(clf).file().rename(tmp_path / "folded.lexigrad")
    model = SharedModel.of(path, carried)
    file = model.file()
    assert is_native(file)
    assert (file == path) == (not carried and kind in ("folded", "many labels"))
    assert np.array_equal(model.open().predict_proba(["w1", "w0 w1"]), clf.predict_proba(["w1", "w0 w1"]))
    if file != path:
        before = file.read_bytes()
        file.write_bytes(before[:-3])  # damaged: made again, where the model is
        if carried:
            with pytest.raises(FormatError, match="held in memory on another machine"):
                model.file()
        else:
            assert model.file().read_bytes() == before


def test_one_process_writes_and_damage_is_repaired(spool: Path) -> None:
    data = np.arange(50_000, dtype=np.uint8).tobytes()
    digest, calls = hashlib.sha256(data).hexdigest(), []

    def fetch() -> memoryview:
        calls.append(1)
        time.sleep(0.05)
        return memoryview(data)

    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: spooled(digest, fetch), range(4)))
    assert len(calls) == 1
    assert {path.read_bytes() for path in paths} == {data}
    paths[0].write_bytes(data[:-1])
    assert spooled(digest, fetch).read_bytes() == data
    assert len(calls) == 2
    with pytest.raises(FormatError, match="damaged on its way"):
        spooled("0" * 64, fetch)
    with pytest.raises(FormatError, match="held in memory on another machine"):
        spooled("0" * 64, None)
    assert sorted(path.suffix for path in spool.iterdir()) == [".lexigrad", ".lock", ".lock"]


def test_old_files_go(spool: Path) -> None:
    old, new = spool / "old.lexigrad", spool / "new.lexigrad"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - KEPT_SECONDS - 60,) * 2)
    data = b"a model"
    spooled(hashlib.sha256(data).hexdigest(), lambda: data)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_path_must_hold_what_it_held(trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    path = tmp_path / "m.lexigrad"
    trained.save(path)
    model = SharedModel.of(path)
    lexigrad.TextClassifier(dim=4, threads=1).fit(["good", "bad"], ["a", "b"]).save(path)
    with pytest.raises(FormatError, match="is another file than where the run began"):
        model.open()
    path.unlink()
    with pytest.raises(FormatError, match="name a file that all machines see"):
        model.open()


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="expected a TextClassifier or the path of one's file, not list"):
        SharedModel.of([])
    with pytest.raises(FormatError, match="no such file"):
        SharedModel.of(tmp_path / "nothing.lexigrad")
    path = tmp_path / "vectors.lexigrad"
    lexigrad.WordVectors(dim=4, min_count=1, threads=1).fit([["a", "b", "c"]] * 20).save(path)
    with pytest.raises(FormatError, match="holds word vectors"):
        SharedModel.of(path).open()
    with pytest.raises(lexigrad.NotFittedError):
        SharedModel.of(lexigrad.TextClassifier())


def test_rows_of_several_models(trained: lexigrad.TextClassifier) -> None:
    rows = SharedRows.of({"a": trained, "b": trained}, add=("a.law", "b.label"), keep="a.law > 0.5 and b.prob > 0.6")
    texts: list[str | None] = ["law1 law2", "sport1 sport2", None, "law3"]
    table = pa.table({"n": range(4), "text": pa.chunked_array([texts[:1], texts[1:]])})
    found = rows.table(table, "text", 1)
    probs = trained.predict_proba(["law1 law2", "law3"])[:, list(trained.classes_).index("law")]
    assert found.to_pylist() == [
        {"n": n, "text": texts[n], "a_law": prob, "b_label": "law"}
        for n, prob in zip((0, 3), probs.tolist(), strict=True)
    ]
    assert found.schema == rows.table(table.slice(0, 0), "text", 1).schema
    assert rows.open() is rows.open()
    assert hash(rows) == hash(pickle.loads(pickle.dumps(rows)))
    with pytest.raises(DataError, match="has a column 'a_law' already"):
        rows.table(found, "text", 1)
    with pytest.raises(ParameterError, match="have the names that they are given by"):
        SharedRows.of({"a": trained}, name="b")
    with pytest.raises(ParameterError, match="no model was given"):
        SharedRows.of({})
    with pytest.raises(ParameterError, match="add='sports'"):
        SharedRows.of(trained, add=("sports",))


def test_a_foreign_folder_is_refused(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.getuid()
    os.chmod(spool, 0o777)
    spool.rename(spool.with_name(f"lexigrad-{found + 1}"))
    monkeypatch.setattr(os, "getuid", lambda: found + 1)
    with pytest.raises(ParameterError, match="belongs to another user"):
        spooled("0" * 64, None)


def test_texts_of_python() -> None:
    assert text_array(["a", None, "\ud800b", "é"]).to_pylist() == ["a", None, "\ufffdb", "é"]
    assert text_array(np.array(["a", None], object)).to_pylist() == ["a", None]
    with pytest.raises(DataError, match="expected texts"):
        text_array(["a", 1])
    labels = pa.array(["x", None, "x"]).dictionary_encode()
    assert plain(labels).equals(pa.array(["x", None, "x"]))
    assert (plain_type(labels.type), plain_type(pa.float32())) == (pa.string(), pa.float32())


def test_threads_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lexigrad.scale.models.available_threads", lambda: 7)
    assert (worker_threads(None), worker_threads(3)) == (7, 3)
    monkeypatch.setattr("multiprocessing.parent_process", object)
    assert (worker_threads(None), worker_threads(3)) == (1, 3)
    with pytest.raises(ParameterError, match="threads=0"):
        worker_threads(0)
