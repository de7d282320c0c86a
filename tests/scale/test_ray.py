"""Scoring on Ray."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lexigrad
from lexigrad.errors import DataError, ParameterError
from lexigrad.scale.cluster import ClusterRun, connected
from lexigrad.scale.ray import score, score_files
from lexigrad.scoring import run
from lexigrad.scoring.keep import Keep
from lexigrad.scoring.manifest import State
from lexigrad.scoring.report import Report
from tests.conftest import themed

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("ray.data", reason="Ray Data is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        sys.platform != "linux", reason="nodes get addresses of their own, 127.0.0.2 and so on, which Linux has"
    ),
]


@pytest.fixture(scope="module", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A short folder for Ray's sockets and for models, and workers that find lexigrad where this process does."""
    tmp_path_factory.getbasetemp()  # before TMPDIR is another one
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("TMPDIR", folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(lexigrad.__file__).parents[1]), *sys.path]))
        patch.setenv("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        yield
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def local(surroundings: None) -> None:
    """Ray on this machine, which all short tests share."""
    ray.init("local", num_cpus=2, _node_ip_address="127.0.0.2", object_store_memory=100 << 20, include_dashboard=False)


@pytest.mark.parametrize("address", ["127.0.0.9:1", "no.such.host.invalid:6379", "127.0.0.1:99999999"])
def test_no_cluster(address: str) -> None:
    with (
        pytest.raises(ParameterError, match="there is no Ray cluster to connect to, nothing answers there"),
        connected(address),
    ):
        pass


def texts_of(n: int) -> pa.Table:
    texts: list[str | None] = list(themed(n, seed=6)[0])
    texts[n // 2] = None
    return pa.table({"id": np.arange(n), "text": texts})


def rows(dataset: Any) -> pa.Table:
    return pa.concat_tables(ray.get(dataset.to_arrow_refs())).sort_by("id")


def equal(found: pa.Table, expected: pa.Table) -> bool:
    return found.to_pydict() == expected.to_pydict()


def test_same_as_a_table(local: None, trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    table = texts_of(600)
    trained.save(tmp_path / "m.lexigrad")
    dataset = ray.data.from_arrow([table.slice(start, 100) for start in range(0, 600, 100)])
    scored = score(dataset, {"a": trained, "b": tmp_path / "m.lexigrad"}, add=("a.label", "a.law", "b.all"))
    expected = trained.score_table(trained.score_table(table, name="a", add=("label", "law")), name="b", add=("all",))
    assert equal(rows(scored), expected)
    kept = score(
        dataset,
        tmp_path / "m.lexigrad",
        add=("label",),
        keep='law >= 0.2 and prob > 0.6 and label != "food"',
        carry=True,
    )
    probs = trained.predict_proba(table["text"].fill_null("")).T
    classes = trained.classes_.tolist()
    best, top = probs.argmax(axis=0), probs.max(axis=0)
    mask = (
        (probs[classes.index("law")] >= 0.2)
        & (top > 0.6)
        & (best != classes.index("food"))
        & table["text"].is_valid().to_numpy()
    )
    assert 0 < mask.sum() < 300
    assert equal(rows(kept), trained.score_table(table, add=("label",)).filter(pa.array(mask)))
    with pytest.raises(ParameterError, match="no label 'sports'"):
        score(dataset, trained, keep="sports > 0.5")
    with pytest.raises(ParameterError, match="num_cpus=0"):
        score(dataset, trained, num_cpus=0)


def corpus(folder: Path, n_files: int, n_rows: int, group: int) -> Path:
    """Write Parquet files, some a folder deeper."""
    for i in range(n_files):
        path = folder / "in" / ("deeper" if i % 3 == 2 else "") / f"{i:03}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = themed(n_rows, seed=i)[0]
        pq.write_table(pa.table({"id": range(n_rows), "text": texts}), path, row_group_size=group)
    return folder / "in"


def written(folder: Path) -> dict[str, bytes]:
    """Return all outputs, and make sure that nothing temporary is left among them or in the state of the run."""
    state = {path.name for path in (folder / "_lexigrad").iterdir()} - {"report.png"}
    assert state == {"lock", "manifest.json", "progress.jsonl", "report.json"}
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "_lexigrad"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def counts(report: Report) -> dict[str, Any]:
    """Return what does not depend on where and when it was computed."""
    document = report.to_dict()
    files = [{**file, "output": file["output"] and Path(file["output"]).name} for file in document["files"]]
    return {name: document[name] for name in ("labels", "probs", "top", "bad_rows")} | {"files": files}


SETTINGS: list[dict[str, Any]] = [
    {"add": ("label", "law")},
    {"keep": "law > 0.5 and prob > 0.6"},
    {"keep_top": "10%", "by": "law"},
    {"format": "jsonl", "bad_files": "skip", "bad_rows": "null"},
]


def test_files_as_on_one_machine(local: None, trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    folder = corpus(tmp_path, 5, 200, 70)
    (folder / "bad.parquet").write_bytes(b"PAR1 and no more")
    late = [{"text": "law1 law2"}] * 99 + [
        {"text": "law1", "label": "x"}
    ]  # bad only where it is written, so that the best tenth is cut again
    (folder / "late.jsonl").write_text("\n".join(map(json.dumps, late)))
    for i, settings in enumerate(SETTINGS):
        settings = {"bad_files": "skip", **settings}
        one = run.score_files(folder, f"{tmp_path}/one{i}/", trained, threads=1, **settings)
        many = score_files(folder, f"{tmp_path}/many{i}/", trained, **settings)
        assert counts(many) == counts(one)
        assert written(tmp_path / f"many{i}") == written(tmp_path / f"one{i}")
        assert len(many.bad_files) == 2
        assert score_files(folder, f"{tmp_path}/many{i}/", trained, **settings).complete_before
    with pytest.raises(DataError, match=r"bad\.parquet"):
        score_files(folder, f"{tmp_path}/stopped/", trained)
    with pytest.raises(TypeError, match="no_such_setting"):
        score_files(folder, f"{tmp_path}/wrong/", trained, no_such_setting=1)


def test_goes_on_with_a_run_of_one_machine(
    local: None, trained: lexigrad.TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped in the middle of a file is completed by a cluster, and nothing is counted twice."""
    folder = corpus(tmp_path, 3, 200, 50)
    for i, settings in enumerate(SETTINGS[:3]):
        expected = run.score_files(folder, f"{tmp_path}/one{i}/", trained, threads=1, **settings)
        steps, record = [], State.record

        def stop(self: State, step: Any) -> None:
            if len(steps) == 7:  # noqa: B023
                raise KeyboardInterrupt
            steps.append(step)  # noqa: B023
            record(self, step)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(State, "record", stop)
            with pytest.raises(KeyboardInterrupt):
                run.score_files(folder, f"{tmp_path}/many{i}/", trained, threads=1, **settings)
        many = score_files(folder, f"{tmp_path}/many{i}/", trained, **settings)
        assert counts(many) == counts(expected)
        assert written(tmp_path / f"many{i}") == written(tmp_path / f"one{i}")


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(state[1]) == parent:
            found.append(int(path.parent.name))
    return found


def kill(node: Any) -> None:
    """Kill a machine of the cluster: its raylet and all its workers, without a last word."""
    raylet = node.all_processes["raylet"][0].process.pid
    workers = children(raylet)
    assert workers
    for process in [raylet, *workers]:
        os.kill(process, signal.SIGKILL)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Three machines that work, and one of the driver's that does not."""
    from ray.cluster_utils import Cluster

    ray.shutdown()
    settings = {"object_store_memory": 100 << 20}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "node_ip_address": "127.0.0.2", "include_dashboard": False, **settings},
    )
    cluster.workers = [cluster.add_node(num_cpus=1, node_ip_address=f"127.0.0.{i}", **settings) for i in (3, 4, 5)]
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.long
def test_a_lost_machine_loses_nothing(trained: lexigrad.TextClassifier, cluster: Any) -> None:
    def where(table: pa.Table) -> pa.Table:
        node = ray.get_runtime_context().get_node_id()
        return table.append_column("node", pa.array([node] * len(table)))

    table, size = texts_of(12_000), 40
    blocks = [table.slice(start, size) for start in range(0, len(table), size)]
    dataset = ray.data.from_arrow(blocks).map_batches(where, batch_format="pyarrow")
    scored = score(dataset, trained, add=("label", "prob", "law"), keep="law >= 0.3")
    victim = cluster.workers[0]
    found, killed_at = [], None
    for batch in scored.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        found.append(batch)
        if killed_at is None and victim.node_id in batch["node"].to_pylist():
            killed_at = len(found)
            kill(victim)
    assert killed_at is not None
    assert killed_at < len(blocks) / 2
    result = pa.concat_tables(found).sort_by("id")
    assert len(set(result["node"].to_pylist())) == 3
    expected = trained.score_table(table, add=("label", "prob", "law"))
    probs = expected["law"].fill_null(0).to_numpy()
    best = np.where(expected["text"].is_valid().to_numpy(), 0, -1).astype(np.int32)
    mask = Keep("law >= 0.3", {"": trained.classes_.tolist()})({"": {"law": probs}}, {"": best})
    assert equal(result.drop_columns(["node"]), expected.filter(pa.array(mask)))


def begun_attempts(attempts: Path) -> set[Path]:
    """Return the attempts that are not complete."""
    return {attempt for attempt in attempts.iterdir() if not list(attempt.glob("*.parquet"))}


def caught(node: Any, attempts: Path) -> bool:
    """Freeze the workers of a machine; if one of them is in the middle of a file, kill the machine, else let them go on."""
    workers = children(node.all_processes["raylet"][0].process.pid)
    for process in workers:
        os.kill(process, signal.SIGSTOP)
    before, begun = None, begun_attempts(attempts)
    while begun != before:  # until what others were given is complete
        time.sleep(2)
        before, begun = begun, begun_attempts(attempts)
    if begun:
        kill(node)
        return True
    for process in workers:
        os.kill(process, signal.SIGCONT)
    return False


@pytest.mark.long
def test_files_and_a_lost_machine(trained: lexigrad.TextClassifier, cluster: Any, tmp_path: Path) -> None:
    """A machine is killed in the middle of a file; the outputs are, to the byte, those of one machine."""
    folder, n_files = corpus(tmp_path, 60, 4000, 100), 60
    one = run.score_files(folder, f"{tmp_path}/one/", trained, threads=1, keep="law > 0.3")
    publish, attempts = ClusterRun._publish, tmp_path / "many/_lexigrad/attempts"
    published: list[int] = []
    killed_at: list[int] = []

    def publish_and_kill(self: ClusterRun, job: Any, done: Any, what: str) -> None:
        publish(self, job, done, what)
        published.append(job.number)
        if len(published) >= 8 and not killed_at and caught(cluster.workers[0], attempts):
            killed_at.append(len(published))
        if len(published) == n_files:
            assert list(attempts.iterdir())  # what the lost machine has left

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClusterRun, "_publish", publish_and_kill)
        many = score_files(folder, f"{tmp_path}/many/", trained, keep="law > 0.3")
    assert killed_at[0] < n_files
    assert sorted(published) == list(range(n_files))
    assert counts(many) == counts(one)
    assert not attempts.exists()
    assert written(tmp_path / "many") == written(tmp_path / "one")
    machines = {"127.0.0.3"}
    for _ in range(60):  # Ray hears of the tasks' end before it takes the machine for lost
        machines = {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
        if "127.0.0.3" not in machines:
            break
        time.sleep(1)
    assert machines == {"127.0.0.2", "127.0.0.4", "127.0.0.5"}


@pytest.mark.long
def test_a_killed_driver_goes_on(trained: lexigrad.TextClassifier, tmp_path: Path) -> None:
    """The process of `lexigrad score --ray local` is killed after some files; the same command completes the rest."""
    folder = corpus(tmp_path, 40, 4000, 100)
    trained.save(tmp_path / "m.lexigrad")
    one = run.score_files(folder, f"{tmp_path}/one/", trained, threads=1, add=("label", "law"))
    command = [sys.executable, "-c", "from lexigrad.cli import main; main()", "score", str(folder)]
    command += ["--model", str(tmp_path / "m.lexigrad"), "--output", f"{tmp_path}/many/", "--add", "label,law", "--ray"]
    command += ["local", "--json"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while len(list((tmp_path / "many").rglob("*.parquet"))) < 5:
        assert first.poll() is None
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "many").rglob("0*.parquet")}
    assert len(done) < 40
    answer = subprocess.run([*command], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert written(tmp_path / "many") == written(tmp_path / "one")
    again = {
        path.name for path in (tmp_path / "many").rglob("*.parquet") if path.stat().st_mtime_ns != done.get(path.name)
    }
    assert len(again) <= 40 - len(done) + 1  # one may have been published and not recorded
    assert counts(Report.from_dict(json.loads(answer.stdout))) == counts(one)
