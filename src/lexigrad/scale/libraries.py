"""Libraries that only an adapter needs."""

from __future__ import annotations

from typing import Any

from lexigrad.errors import ParameterError


def missing(library: str, install: str, error: ImportError) -> ParameterError:
    """Return the error that says how to install what an adapter needs."""
    what = f"{library} is not installed" if error.name == library.lower() else f"it cannot be imported ({error})"
    return ParameterError(f"this needs {library}, and {what}: pip install {install}")


def absent(library: str, install: str, error: ImportError) -> type:
    """Return a class that stands for one of a missing library: making an object of it, or of its heirs, raises `ParameterError`."""

    class Absent:
        def __new__(cls, *_: Any, **__: Any) -> Any:
            raise missing(library, install, error)

    return Absent
