"""Keeps what fastText itself answers, for tests: its module's signatures and answers, and what its program prints, in golden.json beside this file.

python tests/compat/fasttext/make.py PROGRAM      with fasttext-community==0.11.9 installed; PROGRAM is fastText 0.9.3 built from its sources
"""

from __future__ import annotations

import inspect
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import fasttext
import fasttext.util
import fasttext_pybind

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "formats/fasttext"
TEXTS: list[str] = json.loads((MODELS / "golden.json").read_text(encoding="utf-8"))["texts"]
CLASSIFIERS = [
    "softmax.bin",
    "hierarchical.bin",
    "negative.bin",
    "one_vs_all.bin",
    "prefix.bin",
    "softmax.ftz",
    "pruned.ftz",
    "output.ftz",
]
VECTORS = ["skipgram.bin", "cbow.bin"]
WORDS = ["bank", "transfer", "</s>", "zzzq", "東京", "a", "naïve", "my"]
LABELLED = HERE / "labelled.txt"
MOST = 20
"""Words and lines of a dump that are kept."""


def plain(value: Any) -> Any:
    """Return numbers of few digits, and tuples and arrays as lists; NaN as a word."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def labelled(model: Any) -> str:
    """Return lines with labels: right and wrong ones, unknown ones, twice the same, none."""
    lines = []
    for i, text in enumerate([*TEXTS[:12], TEXTS[15], *TEXTS[:12]]):
        names = list(model.predict(text, k=3)[0])
        given = names[:1] if i % 3 else names[1:]
        given += ["__label__nosuch"] if i % 5 == 0 else []
        given += given[:1] if i % 7 == 0 else []
        lines.append(" ".join([*given, text]))
    lines += ["no label here", "__label__nosuch only an unknown one", model.labels[1]]
    return "".join(line + "\n" for line in lines)


def answers(name: str) -> dict[str, Any]:
    """Return what a model answers to all calls."""
    model = fasttext.load_model(str(MODELS / name))
    found: dict[str, Any] = {
        "words": [column[:MOST] for column in model.get_words(include_freq=True)],
        "n_words": len(model.words), "labels": model.get_labels(include_freq=True), "dim": model.get_dimension(),
        "quantized": model.is_quantized(), "sentences": [model.get_sentence_vector(text) for text in TEXTS[:6]],
        "lines": [model.get_line(text) for text in TEXTS], "subwords": {word: model.get_subwords(word) for word in WORDS},
        "ids": {word: [model.get_word_id(word), model.get_label_id(word)] for word in [*WORDS, model.labels[0]]},
        "neighbors": model.get_nearest_neighbors("my", 5), "analogies": model.get_analogies("bank", "my", "card", 4),
        "rows": [model.get_input_vector(i) for i in (0, 5, 200)],
        "args": {name: plain_argument(getattr(model.f.getArgs(), name)) for name in dir(model.f.getArgs()) if name[0] != "_" and name != "setManual"},
    }  # fmt: skip
    if name in CLASSIFIERS:
        found["predict"] = {
            f"{k} {threshold}": [model.predict(text, k, threshold) for text in TEXTS]
            for k, threshold in ((1, 0.0), (3, 0.0), (5, 0.1), (-1, 0.3))
        }
        lines = str(LABELLED)
        found["test"] = {f"{k} {t}": model.test(lines, k, t) for k, t in ((1, 0.0), (3, 0.0), (2, 0.05))}
        found["test_label"] = model.test_label(lines, 2)
        meter, label = model.get_meter(lines), model.labels[1]
        found["meter"] = {
            "label": label, "scores": meter.score_vs_true(label), "curve": meter.precision_recall_curve(label), "all": meter.precision_recall_curve(),
            "at": [[meter.precision_at_recall(x, label), meter.recall_at_precision(x, label), meter.precision_at_recall(x), meter.recall_at_precision(x)]
                   for x in (0, 0.3, 0.5, 1)],
        }  # fmt: skip
    return {key: plain(value) for key, value in found.items()}


def plain_argument(value: Any) -> Any:
    """Return the name of a loss or kind of model, and other values as they are."""
    return value.name if hasattr(value, "name") else value


def printed(program: str) -> list[dict[str, Any]]:
    """Return what the program prints."""
    text = "".join(f"{t}\n" for t in TEXTS if "</s>" not in t and "\0" not in t)
    runs: list[tuple[list[str], str]] = []
    for name in CLASSIFIERS:
        runs += [
            (["predict", name, "-"], text),
            (["predict-prob", name, "-", "3", "0.01"], text),
            (["predict", name, "-", "2"], text),
        ]
        runs += [
            (["test", name, "labelled.txt"], ""),
            (["test", name, "labelled.txt", "2", "0.1"], ""),
            (["test-label", name, "labelled.txt"], ""),
        ]
    for name in [*CLASSIFIERS, *VECTORS]:
        runs += [
            (["print-word-vectors", name], "bank my\n zzzq  </s> 東京\n"),
            (["print-sentence-vectors", name], "my bank\n\nis my name\n"),
        ]
        runs += [
            (["nn", name, "3"], "my bank\n"),
            (["nn", name], "card,\n"),
            (["dump", name, "args"], ""),
            (["dump", name, "dict"], ""),
        ]
    runs += [(["dump", name, what], "") for name in ("one_vs_all.bin", "cbow.bin") for what in ("input", "output")]
    found = []
    for arguments, given in runs:
        command = [
            program,
            *(
                str(MODELS / a) if a in CLASSIFIERS + VECTORS else str(LABELLED) if a == LABELLED.name else a
                for a in arguments
            ),
        ]
        done = subprocess.run(command, input=given.encode(), capture_output=True, check=True)
        output = done.stdout.decode("utf-8", "surrogateescape")
        if arguments[0] == "dump":
            output = "".join(output.splitlines(keepends=True)[:MOST])
        found.append({"arguments": arguments, "input": given, "output": output})
    return found


def signatures() -> dict[str, Any]:
    """Return the names and parameters of the module."""
    objects = {
        "": fasttext,
        "FastText": fasttext.FastText,
        "FastText._FastText": fasttext.FastText._FastText,
        "FastText._Meter": fasttext.FastText._Meter,
    }
    found: dict[str, Any] = {}
    for prefix, thing in objects.items():
        for name, function in inspect.getmembers(thing, inspect.isfunction):
            if name not in ("_build_args", "_parse_loss_string", "_parse_model_string"):
                found[f"{prefix}.{name}".lstrip(".")] = [
                    [
                        parameter.name,
                        parameter.kind.name,
                        None if parameter.default is parameter.empty else repr(parameter.default),
                    ]
                    for parameter in inspect.signature(function).parameters.values()
                ]
    raw = [name for name in dir(fasttext_pybind.fasttext) if not name.startswith("_")]
    return {
        "functions": found,
        "raw": raw,
        "defaults": {k: v for k, v in fasttext.FastText.unsupervised_default.items() if k != "thread"},
    }


def main() -> None:
    """Write golden.json and labelled.txt."""
    LABELLED.write_text(labelled(fasttext.load_model(str(MODELS / "softmax.bin"))), encoding="utf-8")
    golden = {
        "signatures": signatures(),
        "models": {name: answers(name) for name in CLASSIFIERS + VECTORS},
        "printed": printed(sys.argv[1]),
    }
    (HERE / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main()
