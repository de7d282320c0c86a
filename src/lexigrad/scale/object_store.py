"""Models in Ray's object store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lexigrad.scale.libraries import missing
from lexigrad.scale.models import SharedModel, SharedRows


def ray_library() -> Any:
    """Return the module `ray`, or raise `ParameterError`."""
    try:
        import ray
    except ImportError as error:
        raise missing("Ray", "'lexigrad[ray]'", error) from error
    return ray


@dataclass(frozen=True)
class InObjectStore:
    """The bytes of a model, which each machine takes once."""

    reference: Any

    def __call__(self) -> Any:
        """Return the bytes."""
        return ray_library().get(self.reference)


def put(rows: SharedRows) -> SharedRows:
    """Return scorers whose spooled models have been put into the object store, each once."""
    ray, there = ray_library(), {}
    for _, model in rows.models:
        if model.path is None and model not in there:
            data = np.fromfile(model.file(), np.uint8)
            there[model] = SharedModel(model.digest, fetch=InObjectStore(ray.put(data)))
    return replace(rows, models=tuple((name, there.get(model, model)) for name, model in rows.models))
