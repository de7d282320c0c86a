"""Scoring on the machines of a Ray cluster: datasets, and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from lexigrad.errors import ParameterError
from lexigrad.scale.models import SharedRows
from lexigrad.scale.object_store import put, ray_library
from lexigrad.scoring.report import Report
from lexigrad.text.sources import Paths


def score_block(table: pa.Table, rows: SharedRows, text: str, threads: int) -> pa.Table:
    """Score a block of a dataset; a function, so that Ray makes tasks of it, which hold no state, and no actors."""
    return rows.table(table, text, threads)


def score(
    dataset: Any,
    model: Any,
    text: str = "text",
    *,
    name: str = "",
    add: Sequence[str] = ("label", "prob"),
    keep: str | None = None,
    newlines: str = "space",
    unit: str = "document",
    window: int = 200,
    aggregate: str = "mean",
    carry: bool = True,
    num_cpus: int = 1,
    batch_size: int | None = None,
    **options: Any,
) -> Any:
    """Return a Ray dataset with columns of scores behind its own, computed as it is read.

    Blocks are scored by tasks without state: what a lost machine had not finished is done by others, as often as it takes, and every row is there once.
    Texts stay Arrow columns. Each process opens the model once, and all processes of a machine map one file.

    Parameters
    ----------
    dataset : a `ray.data.Dataset`
    model : a trained `lexigrad.TextClassifier`, the path of a model's file, or a dict of several with names
    text : name of the column of texts; a missing text gets missing scores
    name : of one model, stands with "_" before the names of its columns
    add : columns: "label", "prob", "all" or labels; with several models "NAME.label" and so on for one of them. Labels are strings, not a dictionary
    keep : an expression, see `lexigrad.scoring.keep.Keep`; rows for which it does not hold are dropped
    newlines, unit, window, aggregate : see `lexigrad.scoring.scorer.Scorer`
    carry : send the models to the machines, once to each, folded where that is smaller; False to open their files there by the same paths, which all
        machines must see. A `TextClassifier` is always sent
    num_cpus : processors, and threads, of a task
    batch_size : rows that are scored at once; None for whole blocks
    options : others of `ray.data.Dataset.map_batches`, such as `memory` or `concurrency`

    Raises
    ------
    ParameterError
        Ray is not installed; a setting that cannot be used.
    FormatError, NotFittedError
        A model that cannot be used.
    DataError
        When the dataset is read: there is no such column, or it holds no texts.

    Examples
    --------
    ::

        dataset = lexigrad.scale.ray.score(ray.data.read_parquet("corpus/"), "quality.lexigrad", add=("hq",), keep="hq >= 0.018")
        dataset.write_parquet("scored/")
    """
    ray_library()
    settings = {"keep": keep, "newlines": newlines, "unit": unit, "window": window, "aggregate": aggregate}
    rows = put(SharedRows.of(model, name, add, carried=carry, **settings))
    return dataset.map_batches(
        score_block,
        fn_kwargs={"rows": rows, "text": text, "threads": whole_cpus(num_cpus)},
        batch_format="pyarrow",
        batch_size=batch_size,
        zero_copy_batch=True,
        num_cpus=num_cpus,
        udf_modifying_row_count=keep is not None,
        **options,
    )


def whole_cpus(num_cpus: int) -> int:
    """Return the number of threads of a task that has so many processors."""
    if isinstance(num_cpus, bool) or not isinstance(num_cpus, int) or num_cpus < 1:
        raise ParameterError(f"num_cpus={num_cpus!r}: expected a whole number from 1 up, the threads of a task")
    return num_cpus


def score_files(
    inputs: Paths,
    output: str | os.PathLike[str],
    models: Any,
    *,
    address: str = "auto",
    num_cpus: int = 1,
    carry: bool = True,
    restart: bool = False,
    verbose: bool = False,
    **settings: Any,
) -> Report:
    """Score files on the machines of a Ray cluster, as `lexigrad.scoring.run.score_files` does on one: the same outputs, state and report.

    A task does one file, in a folder of its own below the state of the run; this process gives its output the final name when the task is complete, and
    notes it. So a task that is done again because its machine was lost leaves nothing twice, and a run whose driver was killed goes on with the
    files that are not written when it is called again.

    Parameters
    ----------
    inputs, output : as there, on storage that all machines see by the same paths
    models : as there
    address : "local" to start Ray on this machine, "auto" for the cluster that this machine belongs to, or its HOST:PORT; of no matter where
        Ray is connected already
    num_cpus : processors, and threads, of a task
    carry : see `score`
    restart, verbose, settings : as there

    Raises
    ------
    ParameterError
        Ray is not installed, or no cluster is at the address; a setting that cannot be used.
    DataError
        As there.
    """
    from lexigrad.scale.cluster import ClusterRun, connected
    from lexigrad.scoring import run

    ray_library()
    threads = whole_cpus(num_cpus)
    with connected(address):
        make = partial(ClusterRun, models=models, carry=carry)
        return run.score_files(
            inputs, output, models, restart=restart, verbose=verbose, threads=threads, make=make, **settings
        )
