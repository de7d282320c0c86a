"""The original's shell verbs: their arguments and what they print."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lexigrad.compat.fasttext.arguments import DEFAULTS, REST, SUPERVISED, args, loss_name, model_name
from lexigrad.errors import DataError, ParameterError

if TYPE_CHECKING:
    from lexigrad.compat.fasttext.model import Model

Note = Callable[[], AbstractContextManager[Any]]
"""Around what may have to be compiled first."""

SWITCHES = ("saveOutput", "qnorm", "qout", "retrain")
"""Arguments without a value."""
DASHED = {
    "autotune-validation": "autotuneValidationFile", "autotune-metric": "autotuneMetric", "autotune-predictions": "autotunePredictions",
    "autotune-duration": "autotuneDuration", "autotune-modelsize": "autotuneModelSize",
}  # fmt: skip
LOSSES = {**{name: loss_name[name] for name in loss_name.__members__}, "one-vs-all": loss_name.ova}
SHOWN: dict[str, dict[Any, str]] = {
    "model": {model_name.supervised: "sup", model_name.skipgram: "sg", model_name.cbow: "cbow"},
    "loss": {loss_name.ova: "one-vs-all"},
}
"""How `dump` writes some values."""
DUMPED = (
    "dim",
    "ws",
    "epoch",
    "minCount",
    "neg",
    "wordNgrams",
    "loss",
    "model",
    "bucket",
    "minn",
    "maxn",
    "lrUpdateRate",
    "t",
)
USAGE = {
    "supervised": "-input FILE -output NAME [-dim 100 ...]",
    "skipgram": "-input FILE -output NAME [-dim 100 ...]",
    "cbow": "-input FILE -output NAME [-dim 100 ...]",
    "quantize": "-input FILE -output NAME [-qnorm -cutoff 10000 -retrain ...]",
    "test": "MODEL FILE|- [K] [THRESHOLD]",
    "test-label": "MODEL FILE|- [K] [THRESHOLD]",
    "predict": "MODEL FILE|- [K] [THRESHOLD]",
    "predict-prob": "MODEL FILE|- [K] [THRESHOLD]",
    "print-word-vectors": "MODEL < WORDS",
    "print-sentence-vectors": "MODEL < LINES",
    "print-ngrams": "MODEL WORD",
    "nn": "MODEL [K]",
    "analogies": "MODEL [K]",
    "dump": "MODEL args|dict|input|output",
}


def run(arguments: Sequence[str], note: Note = nullcontext) -> None:
    """Run a verb, such as ``["predict", "m.bin", "-", "3"]``.

    Raises
    ------
    ParameterError
        For wrong usage.
    LexigradError, ValueError, RuntimeError
        For what goes wrong.
    """
    verb, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if verb not in USAGE:
        raise ParameterError(f"{verb!r} is no verb of fastText: choose one of {', '.join(USAGE)}")
    VERBS[verb](verb, rest, note)
    sys.stdout.flush()


# ------------------------------------------------------------------------------------------------------- arguments


def usage(verb: str, problem: str) -> ParameterError:
    """Return the error for wrong usage of a verb."""
    return ParameterError(f"{problem}; usage: lexigrad fasttext {verb} {USAGE[verb]}")


def parsed(verb: str, rest: Sequence[str]) -> args:
    """Return the arguments after a verb that trains or quantises: a dash, a name, a value.

    >>> parsed("supervised", ["-input", "train.txt", "-output", "m", "-wordNgrams", "2"]).wordNgrams
    2
    """
    given = args()
    given.thread = DEFAULTS["thread"]
    if verb == "supervised":
        given.__dict__.update(SUPERVISED, loss=loss_name.softmax, model=model_name.supervised)
    elif verb == "cbow":
        given.model = model_name.cbow
    known = {
        name: name for name in {**DEFAULTS, **REST} if not name.startswith("autotune") and name != "model"
    } | DASHED
    words = iter(rest)
    for word in words:
        name = known.get(word[1:])
        if not word.startswith("-") or name is None:
            raise usage(verb, f"unknown argument {word!r}: arguments are {', '.join('-' + name for name in known)}")
        given.setManual(name)
        if name in SWITCHES:
            setattr(given, name, True)
            continue
        value = next(words, None)
        if value is None:
            raise usage(verb, f"{word} is missing a value")
        setattr(given, name, _value(verb, word, name, value))
    if not given.input or not given.output:
        raise usage(verb, "-input and -output must be given")
    given.settle(keep_bucket=bool(given.autotuneValidationFile))
    return given


def _value(verb: str, word: str, name: str, text: str) -> Any:
    if name == "loss":
        if text not in LOSSES:
            raise usage(verb, f"unknown loss {text!r}: choose one of {', '.join(LOSSES)}")
        return LOSSES[text]
    default = {**DEFAULTS, **REST}[name]
    try:
        return type(default)(text)
    except ValueError:
        expected = "a whole number" if isinstance(default, int) else "a number"
        raise usage(verb, f"{word} {text}: expected {expected}") from None


def _places(verb: str, rest: Sequence[str], least: int, most: int) -> Sequence[str]:
    if not least <= len(rest) <= most:
        raise usage(
            verb,
            f"expected {least} to {most} arguments, got {len(rest)}"
            if most > least
            else f"expected {least} arguments, got {len(rest)}",
        )
    return rest


def _number(verb: str, rest: Sequence[str], place: int, kind: type, default: Any) -> Any:
    if len(rest) <= place:
        return default
    try:
        return kind(rest[place])
    except ValueError:
        raise usage(verb, f"{rest[place]!r}: expected a {'whole ' if kind is int else ''}number") from None


def _opened(path: str) -> Model:
    from lexigrad.compat.fasttext.model import Model

    return Model.load(path)


# ------------------------------------------------------------------------------------------------------- printing


def put(*parts: bytes) -> None:
    """Write bytes to standard output."""
    sys.stdout.buffer.write(b"".join(parts))


def numbers(vector: NDArray[np.float32]) -> bytes:
    """Return a vector as the original prints it: five digits, and a space after each number."""
    return "".join(f"{value:.5g} " for value in vector.tolist()).encode()


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield whole lines, some at a time; from a pipe as soon as they are there."""
    from lexigrad.text.files import BATCH_BYTES, line_blocks

    return map(bytes, line_blocks(stream, BATCH_BYTES))


def _input(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    try:
        return open(path, "rb")
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}") from None


# ------------------------------------------------------------------------------------------------------- verbs


def _train(verb: str, rest: Sequence[str], note: Note) -> None:
    given = parsed(verb, rest)
    folder = Path(given.output).absolute().parent
    if not os.access(folder, os.W_OK):
        raise DataError(f"{given.output}.bin cannot be opened for saving: {folder} is no folder that can be written to")
    with note():
        from lexigrad.compat.fasttext.training import train
    model = train(given)
    small = bool(given.autotuneValidationFile and given.autotuneModelSize)
    model.save(given.output + (".ftz" if small else ".bin"))
    from lexigrad.formats.word2vec import write_text
    from lexigrad.models.fasttext_files import word_vectors_of
    from lexigrad.text.words import Words

    write_text(given.output + ".vec", *word_vectors_of(model.reader, model.file.input))
    if given.saveOutput:
        names = model.labels if model.supervised else model.words
        write_text(given.output + ".output", Words.of(names), model.output_matrix()[: len(names)])


def _quantize(verb: str, rest: Sequence[str], note: Note) -> None:
    given = parsed(verb, rest)
    with note():
        from lexigrad.compat.fasttext.training import quantised
    model = _opened(given.output + ".bin")
    smaller = quantised(
        model, given.input, given.qout, given.cutoff, given.retrain, given.epoch, given.lr, given.thread, given.verbose, given.dsub, given.qnorm
    )  # fmt: skip
    smaller.save(given.output + ".ftz")


def _test(verb: str, rest: Sequence[str], note: Note) -> None:
    path, source, *_ = _places(verb, rest, 2, 4)
    k, threshold = _number(verb, rest, 2, int, 1), _number(verb, rest, 3, float, 0.0)
    with note():
        from lexigrad.compat.fasttext.meter import measured

        model = _opened(path)
        _ = model.predictor
    with _input(source) as stream:
        meter = measured(model, stream, k, threshold)
    form = ".3f" if verb == "test-label" else ".3g"
    if verb == "test-label":
        for i, label in enumerate(model.labels):
            precision, recall, f1 = meter.ratios(i)
            named = (("F1-Score", f1), ("Precision", precision), ("Recall", recall))
            values = "".join(
                f"{name} : {f'{value:.6f}' if math.isfinite(value) else '--------'}  " for name, value in named
            )
            put(values.encode(), b" ", label, b"\n")
    precision, recall, _ = meter.ratios()
    put(f"N\t{meter.n}\nP@{k}\t{precision:{form}}\nR@{k}\t{recall:{form}}\n".encode())


def _predict(verb: str, rest: Sequence[str], note: Note) -> None:
    path, source, *_ = _places(verb, rest, 2, 4)
    k, threshold = _number(verb, rest, 2, int, 1), _number(verb, rest, 3, float, 0.0)
    from lexigrad.machine.threads import available_threads

    with note():
        from lexigrad.compat.fasttext.prediction import MOST_ANSWERS, lines_of, parts_of

        model = _opened(path)
        predictor = model.predictor
        width = predictor.number(k)
        predictor.judged(lines_of(b"\n"), width, threshold, 1)
    labels = [model.labels[i] for i in predictor.label_of[:-1].tolist()]
    with_probs = verb == "predict-prob"
    with _input(source) as stream:
        for block in _blocks(stream):
            for batch in parts_of(lines_of(block), max(1, MOST_ANSWERS // width)):
                ids, probs, _ = predictor.judged(batch, width, threshold, available_threads())
                put(_answers(ids.tolist(), probs.tolist() if with_probs else None, labels))
                sys.stdout.buffer.flush()


def _answers(ids: list[list[int]], probs: list[list[float]] | None, labels: list[bytes]) -> bytes:
    """Return a line for each text."""
    if probs is None:
        lines = (b" ".join([labels[i] for i in row if i >= 0]) for row in ids)
    else:
        lines = (
            b" ".join([labels[i] + b" %g" % p for i, p in zip(row, values, strict=True) if i >= 0]) for row, values in zip(ids, probs, strict=True)
        )  # fmt: skip
    return b"".join([line + b"\n" for line in lines])


def _print_word_vectors(verb: str, rest: Sequence[str], note: Note) -> None:
    (path,) = _places(verb, rest, 1, 1)
    with note():
        model = _opened(path)
        model.word_vectors([b"a"])
    for block in _blocks(sys.stdin.buffer):
        words = block.split()
        for word, vector in zip(words, model.word_vectors(words) if words else (), strict=True):
            put(word, b" ", numbers(vector), b"\n")
        sys.stdout.buffer.flush()


def _print_sentence_vectors(verb: str, rest: Sequence[str], note: Note) -> None:
    (path,) = _places(verb, rest, 1, 1)
    with note():
        model = _opened(path)
        model.sentence_vector(b"a")
    for block in _blocks(sys.stdin.buffer):
        for line in block.removesuffix(b"\n").split(b"\n"):
            put(numbers(model.sentence_vector(line)), b"\n")
        sys.stdout.buffer.flush()


def _print_ngrams(verb: str, rest: Sequence[str], note: Note) -> None:
    path, word = _places(verb, rest, 2, 2)
    with note():
        model = _opened(path)
        found = list(model.ngram_vectors(os.fsencode(word)))
    for name, vector in found:
        put(name, b" ", numbers(vector), b"\n")


def _nn(verb: str, rest: Sequence[str], note: Note) -> None:
    _ask(verb, rest, note, b"Query word? ", 1, lambda model, words, k: model.neighbours(words[0], k))


def _analogies(verb: str, rest: Sequence[str], note: Note) -> None:
    _ask(verb, rest, note, b"Query triplet (A - B + C)? ", 3, lambda model, words, k: model.analogies(words, k))


def _ask(
    verb: str, rest: Sequence[str], note: Note, prompt: bytes, size: int, answer: Callable[[Model, list[bytes], int], list[tuple[float, bytes]]]
) -> None:  # fmt: skip
    """Answer questions of `size` words each, wherever lines end, until there are no more."""
    path, *_ = _places(verb, rest, 1, 2)
    k = _number(verb, rest, 1, int, 10)
    if k < 1:
        raise usage(verb, f"k={k}: expected 1 or more")
    if verb == "analogies":
        put(b"Loading model ", os.fsencode(path), b"\n")
    with note():
        model = _opened(path)
        _ = model.unit_vectors
    put(prompt)
    sys.stdout.buffer.flush()
    waiting: list[bytes] = []
    for line in sys.stdin.buffer:
        waiting += line.split()
        while len(waiting) >= size:
            words, waiting = waiting[:size], waiting[size:]
            for score, word in answer(model, words, k):
                put(word, b" %g\n" % score)
            put(prompt)
            sys.stdout.buffer.flush()


def _dump(verb: str, rest: Sequence[str], note: Note) -> None:
    path, what = _places(verb, rest, 2, 2)
    if what not in ("args", "dict", "input", "output"):
        raise usage(verb, f"{what!r} cannot be dumped")
    with note():
        model = _opened(path)
    if what == "args":
        _dump_args(model)
    elif what == "dict":
        kinds = [b"word"] * len(model.words) + [b"label"] * len(model.labels)
        put(b"%d\n" % len(kinds))
        for name, count, kind in zip(model.words + model.labels, model.file.counts.tolist(), kinds, strict=True):
            put(name, b" %d " % count, kind, b"\n")
    elif model.quantised:
        raise DataError(f"{path}: matrices are not dumped for quantized models")
    else:
        matrix = model.input_matrix() if what == "input" else model.output_matrix()
        put(b"%d %d\n" % matrix.shape)
        for row in matrix.tolist():
            put(b" ".join([b"%g" % value for value in row]), b"\n")


def _dump_args(model: Model) -> None:
    from lexigrad.compat.fasttext.raw import fasttext

    holder = fasttext()
    holder.hold(model)
    given = holder.getArgs()
    for name in DUMPED:
        value = getattr(given, name)
        shown = SHOWN.get(name, {}).get(value, getattr(value, "name", value))
        put(f"{name} {shown:g}\n".encode() if isinstance(shown, float) else f"{name} {shown}\n".encode())


VERBS: dict[str, Callable[[str, Sequence[str], Note], None]] = {
    "supervised": _train, "skipgram": _train, "cbow": _train, "quantize": _quantize, "test": _test, "test-label": _test, "predict": _predict,
    "predict-prob": _predict, "print-word-vectors": _print_word_vectors, "print-sentence-vectors": _print_sentence_vectors,
    "print-ngrams": _print_ngrams, "nn": _nn, "analogies": _analogies, "dump": _dump,
}  # fmt: skip
