"""`lexigrad info`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lexigrad.cli.output import Json, Model, load_any, print_json, stored_as


def info(model: Model, json: Json = False) -> None:
    """Show what a model is: settings, sizes, and how it was trained."""
    opened = load_any(model)
    facts = _classifier(opened, model) if hasattr(opened, "predict") else _vectors(opened, model)
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        if name == "params":
            value = ", ".join(f"{key}={setting!r}" for key, setting in value.items())
        elif name in ("classes", "words"):
            value = ", ".join(map(str, value[:10])) + (f" and {len(value) - 10:,} more" if len(value) > 10 else "")
        elif name == "losses" and value:
            value = f"{value[0]} at first, {value[-1]} at last"
        sys.stdout.write(f"{name:15} {value}\n")


def _classifier(classifier: Any, path: Path) -> dict[str, Any]:
    fitted = classifier.fitted
    return {
        "kind": "text_classifier",
        "file_bytes": path.stat().st_size,
        "n_labels": len(fitted.classes),
        "n_words": fitted.reader.n_words,
        "n_buckets": fitted.reader.n_buckets,
        "n_rows": len(fitted.input),
        "input": stored_as(fitted.input),
        "output": stored_as(fitted.output),
        "several_labels": fitted.several,
        **fitted.facts,
        "params": classifier.get_params(),
        "classes": fitted.classes.tolist(),
    }


def _vectors(vectors: Any, path: Path) -> dict[str, Any]:
    fitted = vectors.fitted
    return {
        "kind": "word_vectors",
        "file_bytes": path.stat().st_size,
        "n_words": len(vectors),
        "dim": fitted.dim,
        "n_rows": fitted.subwords.n_rows,
        "input": stored_as(fitted.input),
        **fitted.facts,
        "params": vectors.get_params(),
        "words": list(vectors.words),
    }
