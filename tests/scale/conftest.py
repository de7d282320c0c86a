"""What tests of adapters use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lexigrad.scale import models


@pytest.fixture(autouse=True)
def spool(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of its own for spooled models, also of child processes, with a name short enough for sockets; nothing is opened yet."""
    tmp_path_factory.getbasetemp()  # which pytest makes where TMPDIR says when it is first needed
    with tempfile.TemporaryDirectory(prefix="lexigrad-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setattr(models, "_opened", {})
        yield models.spool_folder()
        monkeypatch.undo()
