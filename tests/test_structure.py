"""The public surface and the direction of imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lexigrad

SOURCE = Path(lexigrad.__file__).parent
ORDER = [
    "errors",
    "machine",
    "maths",
    "losses",
    "text",
    "formats",
    "kernels",
    "training",
    "evaluation",
    "models",
    "scoring",
    "scale",
    "derivations",
    "compat",
    "cli",
]


def test_public_names_exist() -> None:
    assert sorted(lexigrad.__all__) == sorted(set(lexigrad.__all__))
    for name in lexigrad.__all__:
        assert getattr(lexigrad, name) is not None
    assert dir(lexigrad) == sorted(lexigrad.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lexigrad.no_such_name  # type: ignore[attr-defined]


def imported(path: Path) -> set[str]:
    """Return the rooms of our own that a module imports when it is imported."""
    rooms = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lexigrad."):
            rooms.add(node.module.split(".")[1])
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lexigrad.")}
    return rooms


def test_imports_point_one_way() -> None:
    seen = set()
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        seen.add(room)
        for other in imported(path):
            assert ORDER.index(other) <= ORDER.index(room), f"{path} imports {other}"
    assert seen == set(ORDER)


def test_flags_are_set_in_one_place() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.name != "compiler.py":
            assert "fastmath" not in path.read_text(encoding="utf-8"), path
