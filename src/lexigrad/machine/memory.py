"""How much memory the process may still take."""

from __future__ import annotations

from pathlib import Path


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that are free, for the machine and in this process's control group, or None where that is not known."""
    free = _field(root / "proc/meminfo", "MemAvailable:", 1024)
    limit = _number(root / "sys/fs/cgroup/memory.max")
    used = _field(root / "sys/fs/cgroup/memory.stat", "anon", 1)
    if limit is not None and used is not None:
        free = min(limit - used, free if free is not None else limit)
    return free


def check_memory(n_bytes: int, what: str, remedy: str) -> None:
    """Raise `MemoryError` where something would not fit: the system would grant it, and end the process when it is used."""
    free = available_memory()
    if free is not None and n_bytes > free:
        raise MemoryError(f"{what} need {n_bytes / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: take {remedy}")


def _field(path: Path, name: str, unit: int) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * unit for line in lines if line.split()[:1] == [name]), None)


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
