"""Free memory: of the machine, of a control group, and where neither is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lexigrad.machine import memory


def test_the_smaller_of_machine_and_control_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.available_memory(tmp_path) is None
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("3000000\n")
    (group / "memory.stat").write_text("file 900000\nanon 1000000\nanon_thp 5\n")
    assert memory.available_memory(tmp_path) == 2_000_000
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    1000 kB\n\n")
    assert memory.available_memory(tmp_path) == 1_024_000
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 9000 kB\n")
    assert memory.available_memory(tmp_path) == 2_000_000
    (group / "memory.max").write_text("max\n")
    assert memory.available_memory(tmp_path) == 9_216_000
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000)
    memory.check_memory(1_000, "tea", "less")
    with pytest.raises(MemoryError, match=r"tea need 0.0 GB, and 0.0 GB are free: take less"):
        memory.check_memory(1_001, "tea", "less")
