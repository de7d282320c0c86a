"""The search for settings: Optuna proposes, we train and measure, and the best model itself is kept."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lexigrad.errors import DivergenceError, FormatError, LexigradError, LexigradWarning, ParameterError
from lexigrad.evaluation.goal import Goal, Scored
from lexigrad.machine.threads import thread_count
from lexigrad.models.given_vectors import GivenVectors, read_given
from lexigrad.models.parameters import check_keep_unseen, check_parameters, check_whole
from lexigrad.models.scoring import scored_batches
from lexigrad.models.search_space import SUB_DIMS, TUNED, SearchSpace
from lexigrad.models.size_limit import bytes_of, file_size, largest_dim, least_size, quantised_within, usual_least_size
from lexigrad.models.trainer import class_array, train_fitted
from lexigrad.models.tuning_data import Part, fingerprint, fingerprint_of, folds_of, hold_out, labelled
from lexigrad.models.tuning_report import Trial, Tuning
from lexigrad.text.batches import TextBatch
from lexigrad.training.progress import Progress
from lexigrad.training.status import status

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from lexigrad.models.given_vectors import Given
    from lexigrad.models.text_classifier import TextClassifier

TrialCallback = Callable[[Trial], None]

STUDY_NAME = "lexigrad"
STARTUP_TRIALS = 8
"""Trials, the first ones included, before Optuna looks for a pattern in them."""
FORESIGHT_SECONDS = 1.0
"""After so long the speed of a training is known well enough to tell when it will end."""
TRIAL_SHARE = 0.25
"""No trial but the first gets more of the time than this, or than twice what the first one took."""
LONGEST = -1.2345678901234567e-100
"""A number that takes no less place in JSON than any other."""
UNCHECKED = ("threads", "verbose", "deterministic")
"""Settings that may change from one run of a study to the next."""


class _TooLong(Exception):  # noqa: N818  (control flow, never seen outside)
    """A training that is given up."""


@dataclass(frozen=True)
class Options:
    """What `TextClassifier.tune` was asked for; see there."""

    folds: int | None = None
    metric: str = "f1"
    seconds: float | None = 300.0
    trials: int | None = None
    model_size: int | str | None = None
    study: str | os.PathLike[str] | None = None
    fixed: Collection[str] = ()
    callback: TrialCallback | None = None
    vectors: Given | None = None
    keep_unseen: bool = True

    @property
    def kept(self) -> Collection[str]:
        """Names of settings that keep their value; given vectors have one length."""
        return (*self.fixed, "dim") if self.vectors is not None and not isinstance(self.fixed, str) else self.fixed

    def check(self, with_validation: bool) -> None:
        """Raise `ParameterError` for the first that cannot be, before anything is read."""
        Goal.parse(self.metric)
        bytes_of(self.model_size)
        check_keep_unseen(self.keep_unseen, self.vectors)
        if self.seconds is None and self.trials is None:
            raise ParameterError("seconds=None and trials=None: give one of them, or the search never ends")
        if self.seconds is not None and not (isinstance(self.seconds, (int, float)) and 0 < self.seconds < math.inf):
            raise ParameterError(f"seconds={self.seconds!r}: expected a positive number, or None with trials=N")
        if self.trials is not None:
            check_whole("trials", self.trials, 1)
        if self.folds is not None:
            check_whole("folds", self.folds, 2)
            if with_validation:
                raise ParameterError("folds and validation were both given: measure on one or the other")
        if self.study is not None and not Path(self.study).absolute().parent.is_dir():
            raise ParameterError(
                f"study={os.fspath(self.study)!r}: there is no folder {Path(self.study).parent}; make it first"
            )


def tune(
    model: TextClassifier,
    batches: Iterable[TextBatch],
    validation: Iterable[TextBatch] | None,
    options: Options,
    dtype: np.dtype[Any] | None = None,
) -> None:
    """Search, and leave the best settings, the best model and the report in `model`.

    `dtype` is that of the labels as given, or None for that of their values. Raises what `TextClassifier.tune` says.
    """
    _require_optuna()
    start = model.get_params()
    check_parameters(start)
    options.check(validation is not None)
    space = SearchSpace.around(start, options.kept, 0, options.model_size is not None)
    compile_kernels(space.losses() if "loss" in space.names else [start["loss"]], options.model_size is not None)
    started = time.perf_counter()
    given = None if options.vectors is None else read_given(options.vectors, model.dim)
    measured = None if validation is None else labelled(validation)
    search = _Search(model, labelled(batches), measured, options, dtype, given, started)
    error = search.run()
    search.finish(error)


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ParameterError("tuning needs Optuna: pip install 'lexigrad[tune]'") from error


def compile_kernels(losses: Iterable[str], pruned: bool = False) -> None:
    """Load or compile what trials will run, so that the time of the search is not spent on it."""
    from lexigrad.kernels.classifier import CODES, train_by
    from lexigrad.kernels.score import score_with

    for loss in losses:
        train_by(CODES[loss])
    for characters in (False, True):
        score_with(pruned=pruned, characters=characters, coded=False, tree=False)


@dataclass
class _Best:
    """The best trial so far, and its model where it was trained in this run."""

    trial: Trial
    model: TextClassifier | None
    losses: list[float]


class _Search:
    """One run of a search."""

    def __init__(
        self,
        model: TextClassifier,
        texts: list[TextBatch],
        measured: list[TextBatch] | None,
        options: Options,
        dtype: np.dtype[Any] | None,
        given: GivenVectors | None,
        started: float,
    ) -> None:
        self.model, self.options, self.dtype, self.given = model, options, dtype, given
        self.goal, self.size = Goal.parse(options.metric), bytes_of(options.model_size)
        self.threads = thread_count(model.threads)
        self.started = started
        folds = options.folds
        self.all = Part(texts if folds is not None else [], [])
        if folds is not None:
            self.parts, self.measured_on = folds_of(texts, folds, model.seed), f"{folds} folds"
        elif measured is not None:
            self.parts, self.measured_on = [Part(texts, measured)], "validation"
        else:
            self.parts, self.measured_on = [hold_out(texts, model.seed)], "held-out texts"
        part = self.parts[0] if folds is None else self.all
        self.labels = part.corpus(model.tokenizer, self.threads).labels
        self.goal.check(self.labels)
        self.space = SearchSpace.around(model.get_params(), options.kept, len(self.labels), self.size is not None)
        self._limit_dim()
        self.best: _Best | None = None
        self.partial: tuple[TextClassifier, list[float]] | None = None
        self.failure: Exception | None = None
        self.first_seconds = 0.0
        self.study = self._open_study(texts, measured)
        self.distributions = self.space.distributions()
        self.points = list(self.space.points())
        for trial in self.trials():
            self._offer(_Best(trial, None, []))
            if trial.number == 0:
                self.first_seconds = trial.seconds
        self.status = status(model.verbose, "tuning")

    def _limit_dim(self) -> None:
        """Refuse a size that is too small for any model at once, and leave out what is too large for it."""
        if self.size is None:
            return
        dims = replace(self.space, most_dim=None).dims()
        least = least_size(self.labels, dims[0])
        if self.size < least:
            raise ParameterError(
                f"model_size={self.options.model_size!r}: the smallest model of these {len(self.labels):,} labels, with dim={dims[0]}, "
                f"takes {least:,} bytes or more"
            )
        most = largest_dim(dims, self.size, partial(least_size, self.labels))
        first = largest_dim(dims, self.size, partial(usual_least_size, self.labels, sub_dim=SUB_DIMS[0]))
        self.space = replace(self.space, most_dim=most, first_dim=first)

    # The study

    def _open_study(self, texts: list[TextBatch], measured: list[TextBatch] | None) -> Study:
        """Make a study or go on with one; refuse one of other texts or settings."""
        import optuna

        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            storage = None if self.options.study is None else _storage(self.options.study)
            if storage is not None and any(one.study_name == STUDY_NAME for one in storage.get_all_studies()):
                study = optuna.load_study(study_name=STUDY_NAME, storage=storage)
            else:
                direction = "minimize" if self.goal.smaller_is_better else "maximize"
                study = optuna.create_study(study_name=STUDY_NAME, storage=storage, direction=direction)
        finally:
            optuna.logging.set_verbosity(verbosity)
        facts = self._facts(texts, measured) if self.options.study is not None else {}
        old = study.user_attrs.get("facts")
        if old is None:
            study.set_user_attr("start", {name: self.space.start[name] for name in TUNED})
            study.set_user_attr("facts", facts)
        else:
            _compare(old, facts, self.options.study)
            self.space = replace(self.space, start={**self.space.start, **study.user_attrs["start"]})
            self._limit_dim()
            self._end_killed(study)
        return study

    def _facts(self, texts: list[TextBatch], measured: list[TextBatch] | None) -> dict[str, Any]:
        """Return what must not change from one run of a study to the next."""
        params = self.model.get_params()
        searched = {*self.space.names, *(("min_n", "max_n") if "characters" in self.space.names else ())}
        kept = {name: value for name, value in params.items() if name not in searched and name not in UNCHECKED}
        facts = {
            "texts": fingerprint(texts),
            "validation": None if measured is None else fingerprint(measured),
            "vectors": None if self.given is None else [fingerprint_of(self.given), self.options.keep_unseen],
            "metric": self.goal.name, "folds": self.options.folds, "model_size": self.size, "searched": self.space.names, **kept,
        }  # fmt: skip
        return json.loads(json.dumps(facts))

    def _end_killed(self, study: Study) -> None:
        """End trials that were running when a run was killed; one whose model had become the best is complete."""
        from optuna.trial import TrialState

        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if not running:
            return
        kept = self._kept_model() if self.options.folds is None and self._best_path().exists() else None
        found = kept.fitted.facts["tuning"] if kept is not None else {"trial": -1, "value": None}
        for trial in running:
            if trial.number == found["trial"]:
                study.tell(trial.number, found["value"])
            else:
                study.tell(trial.number, state=TrialState.FAIL)

    def trials(self) -> list[Trial]:
        """Return all trials that have ended, in order."""
        from optuna.trial import TrialState

        ended = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        return [self._trial_of(frozen) for frozen in self.study.get_trials(deepcopy=False, states=ended)]

    def _trial_of(self, frozen: FrozenTrial) -> Trial:
        from optuna.trial import TrialState

        outcome = frozen.user_attrs.get("outcome", {})
        state = "interrupted" if frozen.state == TrialState.FAIL else outcome.get("state", "complete")
        reason = outcome.get("reason", "ended early" if state == "interrupted" else "")
        value = frozen.value if frozen.state == TrialState.COMPLETE else None
        return Trial(
            frozen.number,
            self._named(frozen.params),
            state,
            value,
            outcome.get("seconds", 0.0),
            reason,
            outcome.get("size"),
        )

    def _named(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return what was drawn under the names of settings."""
        settings = self.space.settings(drawn)
        names = [one for name in drawn for one in (("min_n", "max_n") if name == "characters" else (name,))]
        return {name: drawn[name] if name == "sub_dim" else settings[name] for name in names}

    def _n_finished(self) -> int:
        from optuna.trial import TrialState

        return len(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))

    # The loop

    def run(self) -> BaseException | None:
        """Try settings until time or trials are used up, or nothing better is possible; return what ended it early."""
        try:
            while self._goes_on():
                trial = self._try_one()
                if trial.number == 0:
                    self.first_seconds = trial.seconds
                if self.options.callback is not None:
                    self.options.callback(trial)
        except BaseException as error:
            return error
        finally:
            self.status.close()
        return None

    def _goes_on(self) -> bool:
        if self.best is not None and not self.goal.smaller_is_better and self.best.trial.value == 1.0:
            return False
        if self.options.trials is not None and self._n_finished() >= self.options.trials:
            return False
        return self.options.seconds is None or time.perf_counter() < self._deadline()

    def _deadline(self) -> float:
        """Return when trials must end, so that the best settings of folds can still be trained on everything."""
        assert self.options.seconds is not None
        reserve = 0.0
        if self.options.folds is not None and self.best is not None:
            reserve = self.best.trial.seconds / (self.options.folds - 1)
        return self.started + self.options.seconds - reserve

    def _try_one(self) -> Trial:
        """Run one trial to its end, record it, and keep its model if it is the best.

        What is tried depends on `seed` and on the trials that have finished: a study that goes on draws as one that was never stopped.
        """
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        n = self._n_finished()
        seed = int(np.random.SeedSequence([self.model.seed, n]).generate_state(1)[0])
        self.study.sampler = TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed)
        if n < len(self.points) and not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial(self.points[n])
        asked = self.study.ask(self.distributions)
        started = time.perf_counter()
        trial = Trial(asked.number, self._named(asked.params), "complete")
        found: _Best | None = None
        try:
            found = self._measured(trial, self.space.settings(asked.params), started)
            trial = found.trial
        except _TooLong as error:
            trial = replace(trial, state="pruned", reason=str(error))
        except (DivergenceError, MemoryError, _TooLarge) as error:
            self.failure = error
            reason = str(error).split(":")[0] if isinstance(error, DivergenceError) else str(error) or "out of memory"
            trial = replace(trial, state="failed", reason=reason)
        except BaseException:
            self.study.tell(asked, state=TrialState.FAIL)
            raise
        trial = replace(trial, seconds=round(time.perf_counter() - started, 3))
        outcome = {name: getattr(trial, name) for name in ("state", "seconds", "reason", "size")}
        asked.set_user_attr("outcome", outcome)
        improved = found is not None and self._offer(replace(found, trial=trial))
        if improved and self.options.study is not None and self.options.folds is None:
            self._keep_best()
        if trial.value is None:
            self.study.tell(asked, state=TrialState.PRUNED)  # so that the sampler stays away from there
        else:
            self.study.tell(asked, trial.value)
        self.status.say(f"{trial}{'  best so far' if improved else ''}")
        return trial

    def _offer(self, found: _Best) -> bool:
        """Take a trial as the best if it is."""
        value = found.trial.value
        if value is None or (self.best is not None and not self.goal.better(value, self.best.trial.value or 0.0)):
            return False
        self.best = found
        return True

    def _measured(self, trial: Trial, settings: dict[str, Any], started: float) -> _Best:
        """Train and measure."""
        model: TextClassifier | None = None
        losses: list[float] = []
        reason, size = "", None
        scored: list[Iterator[Scored]] = []
        for part in self.parts:
            watch = None if self.options.seconds is None and not self.model.verbose else self._watch(trial, started)
            model, losses, reason = self._trained(part, settings, watch)
            if self.size is not None:
                model.fitted.facts["tuning"] = self._fact(trial, LONGEST)  # its place in the file counts
                model, size = _quantised(model, self.size, trial.settings["sub_dim"])
            if self.options.folds is None:
                scored.append(scored_batches(model.fitted, part.measured, model.fitted.classes, self.threads))
            else:
                labels = class_array(self.labels)
                scored.append(iter(list(scored_batches(model.fitted, part.measured, labels, self.threads))))
        assert model is not None
        labels = model.fitted.classes if self.options.folds is None else class_array(self.labels)
        value = self.goal.value((batch for one in scored for batch in one), labels)
        trial = replace(trial, value=value, reason=reason, size=size)
        if self.options.folds is not None:
            return _Best(trial, None, [])
        model.fitted.facts["tuning"] = self._fact(trial, value)
        model.verbose = self.model.verbose
        if size is not None:
            trial = replace(trial, size=file_size(model))
        return _Best(trial, model, losses)

    def _fact(self, trial: Trial, value: float | None) -> dict[str, Any]:
        """Return what a model's file says about where it is from."""
        return {"trial": trial.number, "metric": self.goal.name, "value": value}

    def _begin(self) -> tuple[GivenVectors | None, bool]:
        """Return where training begins, as `train_fitted` takes it."""
        return self.given, self.options.keep_unseen

    def _trained(
        self, part: Part, settings: dict[str, Any], watch: Callable[[Progress], None] | None
    ) -> tuple[TextClassifier, list[float], str]:
        """Train on a part; return the model, the course of its loss, and why it is not trained to its end."""
        corpus = part.corpus(settings["tokenizer"], self.threads)
        fitted, losses, error = train_fitted(corpus, {**settings, "verbose": False}, watch, *self._begin())
        if self.dtype is not None:
            fitted = replace(fitted, classes=fitted.classes.astype(self.dtype))
        model = type(self.model)._restore({**settings, "verbose": False}, fitted)
        if error is None:
            return model, losses, ""
        if self.options.folds is None and self.best is None and isinstance(error, _TooLong | KeyboardInterrupt):
            self.partial = (model, losses)
            if isinstance(error, _TooLong):
                return model, losses, str(error)
        raise error

    def _watch(self, trial: Trial, started: float) -> Callable[[Progress], None]:
        """Return a callback that shows the progress of a trial and ends one that would take too long."""
        limit = math.inf
        if self.options.seconds is not None:
            limit = self._deadline()
            if trial.number:
                limit = min(limit, started + max(TRIAL_SHARE * self.options.seconds, 2 * self.first_seconds))

        def watch(progress: Progress) -> None:
            now = time.perf_counter()
            self._show(trial, progress, now)
            reached = f"ended after epoch {progress.epoch:.1f} of {progress.epochs}"
            if now > limit:
                raise _TooLong(f"out of time, {reached}")
            if self.best is not None and progress.seconds > FORESIGHT_SECONDS and now + progress.seconds_left > limit:
                raise _TooLong(f"would take {progress.seconds_left:.0f} s more, {reached}")

        return watch

    def _show(self, trial: Trial, progress: Progress, now: float) -> None:
        best = "" if self.best is None else f"  best {self.goal.name} {self.best.trial.value:.4f}"
        seconds, allowed = now - self.started, self.options.seconds
        spent = f"{seconds:.0f} s" if allowed is None else f"{seconds:.0f} of {allowed:.0f} s"
        of_trials = (trial.number + progress.epoch / progress.epochs) / (self.options.trials or 1)
        share = min(1.0, of_trials if allowed is None else seconds / allowed)
        self.status.show(f"trial {trial.number}, epoch {progress.epoch:.1f}/{progress.epochs}{best}  {spent}", share)

    # The result

    def _best_path(self) -> Path:
        assert self.options.study is not None
        return Path(f"{os.fspath(self.options.study)}.best.lexigrad")

    def _keep_best(self) -> None:
        assert self.best is not None
        assert self.best.model is not None
        self.best.model.save(self._best_path())

    def _kept_model(self) -> TextClassifier:
        """Return the model beside the study, in memory, so that its file can be replaced."""
        from lexigrad.models.storage import load

        path = self._best_path()
        if not path.exists():
            raise FormatError(f"{path}: the best model of the study is not there; put it back, or begin another study")
        model = load(path)
        fitted = getattr(model, "fitted", None)
        if fitted is None or "tuning" not in fitted.facts:
            raise FormatError(f"{path} is not the best model of a study; put that back, or begin another study")
        model._fitted = copy.deepcopy(fitted)
        return model  # type: ignore[return-value]

    def finish(self, error: BaseException | None) -> None:
        """Put the best into the classifier; then raise what ended the search early."""
        if self.best is not None:
            second = self._take_best()
            error = error or second
        elif self.partial is not None and error is not None:
            model, self.model.losses_ = self.partial
            self.model._fitted = model.fitted
        if error is not None:
            raise error
        if self.best is None:
            raise self._nothing_found()

    def _take_best(self) -> BaseException | None:
        """Set settings, arrays and report; return what interrupted the last training after folds."""
        assert self.best is not None
        trial, model, losses, error = self.best.trial, self.best.model, self.best.losses, None
        settings = {name: value for name, value in trial.settings.items() if name in TUNED}
        if self.options.folds is not None:
            fitted, losses, error, model = self._trained_on_all(settings, trial)
        elif model is None:
            kept = self._kept_model()
            fitted = kept.fitted
            if fitted.facts["tuning"]["trial"] != trial.number:
                raise FormatError(
                    f"{self._best_path()} is the model of trial {fitted.facts['tuning']['trial']}, and trial {trial.number} is the best of "
                    "the study; put its model back, or begin another study"
                )
        else:
            fitted = model.fitted
        self.model.set_params(**settings)
        self.model._fitted, self.model.losses_ = fitted, losses
        self.model.tuning_ = Tuning(
            self.goal.name, self.trials(), trial, self.measured_on, sum(part.n_measured for part in self.parts),
            round(time.perf_counter() - self.started, 3), self.goal.smaller_is_better,
        )  # fmt: skip
        return error

    def _trained_on_all(
        self, settings: dict[str, Any], trial: Trial
    ) -> tuple[Any, list[float], BaseException | None, TextClassifier]:
        """Train the best settings of folds on everything."""
        params = {**self.model.get_params(), **settings}
        corpus = self.all.corpus(params["tokenizer"], self.threads)
        fitted, losses, error = train_fitted(corpus, {**params, "verbose": False}, None, *self._begin())
        if self.dtype is not None:
            fitted = replace(fitted, classes=fitted.classes.astype(self.dtype))
        model = type(self.model)._restore({**params, "verbose": False}, fitted)
        model.fitted.facts["tuning"] = self._fact(trial, trial.value)
        if self.size is not None:
            model, _ = _quantised(model, self.size, trial.settings["sub_dim"])
        return model.fitted, losses, error, model

    def _nothing_found(self) -> LexigradError:
        trials = self.trials()
        message = f"none of {len(trials)} trials gave a model; the last one: {trials[-1].state}, {trials[-1].reason}"
        if isinstance(self.failure, _TooLarge):
            return ParameterError(f"model_size={self.options.model_size!r}: {message}")
        return LexigradError(f"{message}; give it more seconds or other settings to begin with")


class _TooLarge(Exception):  # noqa: N818
    """A model that cannot be made as small as asked."""


def _quantised(model: TextClassifier, size: int, sub_dim: int) -> tuple[TextClassifier, int]:
    try:
        return quantised_within(model, size, sub_dim)
    except ParameterError as error:
        raise _TooLarge(str(error)) from None


def _storage(path: str | os.PathLike[str]) -> Any:
    """Open a study's file: Optuna's journal, a line of JSON for each step; a last line that was cut off, as by a full disk, is dropped."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    name = os.fspath(path)
    problem = FormatError(f"{name} is not the file of a study; give the path of one, or of none to begin a new one")
    if Path(name).is_dir():
        raise problem
    if Path(name).exists():
        with open(name, "rb") as file, contextlib.suppress(StopIteration):
            first = next(iter(file))
            if not first.startswith(b'{"op_code"'):
                raise problem
        _mend(name)
    try:
        return JournalStorage(JournalFileBackend(name, JournalFileOpenLock(name)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise problem from error


def _mend(name: str) -> None:
    """Drop the last record of a study's file if it is broken; raise `FormatError` for any other that is."""
    path = Path(name).resolve()
    lines = path.read_bytes().splitlines(keepends=True)
    broken = [place for place, line in enumerate(lines) if not _is_record(line)]
    if broken and broken != [len(lines) - 1]:
        raise FormatError(
            f"{name}: line {broken[0] + 1} is no record of a study: put a copy of the file back, or begin another study"
        )
    if not broken and (not lines or lines[-1].endswith(b"\n")):
        return
    whole = b"".join(lines[:-1] if broken else lines)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(whole + b"\n" * (not whole.endswith(b"\n") and bool(whole)))
        shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    if broken:
        warnings.warn(
            f"{name}: the last record of the last trial was cut off, and is dropped; the study goes on without it",
            LexigradWarning,
            stacklevel=6,
        )


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and "op_code" in record


def _compare(old: dict[str, Any], new: dict[str, Any], path: Any) -> None:
    """Raise `ParameterError` where a study was of other texts or settings."""
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            what = (
                f"other {name}"
                if name in ("texts", "validation", "vectors")
                else f"{name}={old.get(name)!r}, and now it is {new.get(name)!r}"
            )
            raise ParameterError(
                f"study={os.fspath(path)!r} was made with {what}: go on as it was begun, or take another file"
            )
