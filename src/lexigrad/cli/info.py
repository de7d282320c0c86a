"""`lexigrad info`."""

from __future__ import annotations

import sys
from typing import Any

from lexigrad.cli.output import Json, Model, load_model, print_json


def info(model: Model, json: Json = False) -> None:
    """Show what a model is: settings, sizes, and how it was trained."""
    classifier = load_model(model)
    fitted = classifier.fitted
    facts: dict[str, Any] = {
        "kind": "text_classifier",
        "file_bytes": model.stat().st_size,
        "n_labels": len(fitted.classes),
        "n_words": len(fitted.reader.vocabulary),
        "n_buckets": fitted.reader.n_buckets,
        "n_rows": len(fitted.input),
        "several_labels": fitted.several,
        **fitted.facts,
        "params": classifier.get_params(),
        "classes": fitted.classes.tolist(),
    }
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        if name == "params":
            value = ", ".join(f"{key}={setting!r}" for key, setting in value.items())
        elif name == "classes":
            value = ", ".join(map(str, value[:10])) + (f" and {len(value) - 10} more" if len(value) > 10 else "")
        sys.stdout.write(f"{name:15} {value}\n")
