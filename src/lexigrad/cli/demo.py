"""`lexigrad demo`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any

from lexigrad.cli.output import Json, Quiet, compile_note, compiled_beside, print_json

if TYPE_CHECKING:
    from lexigrad.models.text_classifier import TextClassifier

KERNELS = (
    "from lexigrad.kernels import classifier",
    "classifier.train_by(classifier.SOFTMAX)",
    "from lexigrad.kernels import score",
    "score.score_with(pruned=False, characters=False, coded=False, tree=False)",
)
SETTINGS: dict[str, Any] = {"word_ngrams": 2, "lr": 0.5, "epochs": 25}
EXPLAINED = (
    "could you move some money from checking to savings",
    "what's the weather like in tokyo this weekend",
    "i think somebody stole my credit card",
)


def demo(quiet: Quiet = False, json: Json = False) -> None:
    """Train on 15,000 real user requests with 150 intents (CLINC150), test on 4,500 others, explain three, and show what to type next."""
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    with _timed("start, and compile if needed", seconds), compile_note(quiet), compiled_beside(*KERNELS):
        import lexigrad
        import lexigrad.evaluation
        import lexigrad.models.explanation
        import lexigrad.models.scoring
        import lexigrad.models.trainer
    data = resources.files("lexigrad") / "data"
    with resources.as_file(data) as folder:
        clf = lexigrad.TextClassifier(**SETTINGS, verbose=not quiet)
        with _timed("read and train", seconds):
            clf.fit_file(folder / "clinc150.train.txt")
        with _timed("test", seconds):
            result = clf.evaluate_file(folder / "clinc150.test.txt")
            inside, outside = (_top_probs(clf, folder / f"clinc150.{part}.txt") for part in ("test", "oos_test"))
            separation = lexigrad.auroc([*inside, *outside], [True] * len(inside) + [False] * len(outside))
        with _timed("explain", seconds):
            explained = [clf.explain(text) for text in EXPLAINED]
    seconds["all"] = time.perf_counter() - started
    if json:
        print_json(
            {
                "accuracy": result.accuracy,
                "log_loss": result.log_loss,
                "out_of_scope_auroc": separation,
                "most_confused": [{"true": t, "predicted": p, "count": n} for t, p, n in result.most_confused(5)],
                "explained": [{"text": text, **e.to_dict()} for text, e in zip(EXPLAINED, explained, strict=True)],
                "seconds": seconds,
            }
        )
        return
    sys.stdout.write(_page(clf, result, separation, explained, seconds))


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def _top_probs(clf: TextClassifier, path: Any) -> list[float]:
    from lexigrad.machine.threads import thread_count
    from lexigrad.text.sources import read_file

    batches = read_file(path, label=None, label_prefix=clf.label_prefix)
    return clf.fitted.score_batches(batches, 1, thread_count(clf.threads))[1][:, 0].tolist()


def _page(clf: TextClassifier, result: Any, separation: float, explained: list[Any], seconds: dict[str, float]) -> str:
    facts = clf.fitted.facts
    lines = [
        f"Trained on {facts['n_texts']:,} requests with {len(clf.classes_)} intents (CLINC150, Larson et al. 2019, CC BY 3.0).",
        f"Tested on {result.n_texts:,} others: accuracy {result.accuracy:.3f}, log loss {result.log_loss:.3f}.",
        f"1,000 requests outside all intents: their top probability is the lower one in {separation:.1%} of pairs (AUROC).",
        "",
        "Most confused",
        *(f"  {count:3}  {true} taken for {predicted}" for true, predicted, count in result.most_confused(5)),
    ]
    for text, explanation in zip(EXPLAINED, explained, strict=True):
        best = max(explanation.probs)
        lines += ["", f'"{text}"', f"  -> {explanation.label} ({best:.1%}), because of"]
        lines += [f"  {value:+7.2f}  {part}" for part, value in explanation.strongest(n=4)]
    lines += ["", "Time", *(f"  {taken:6.2f} s  {step}" for step, taken in seconds.items())]
    lines += [
        "",
        "Next",
        "  lexigrad train train.txt --output m.lexigrad --word-ngrams 2 --lr 0.5 --epochs 25",
        "  lexigrad test m.lexigrad test.txt",
        "  echo 'any text' | lexigrad predict m.lexigrad - --k 3",
        "  lexigrad explain m.lexigrad 'any text'",
    ]
    return "\n".join(lines) + "\n"
