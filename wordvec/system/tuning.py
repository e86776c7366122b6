"""Search for the settings with the best score within a time budget, by Optuna: logged, resumable, interruptible.

Trial n depends on the seed, n and the outcomes of the trials before it, never on where a search was interrupted: a log
continues as if it had never stopped. Needs Optuna: ``pip install 'wordvec-seqclf[tuning]'``.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from wordvec.errors import FormatError, InputError, TrainingError
from wordvec.system.atomic_files import check_target, replacing
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_number, check_whole

_VERSION = 1
_STATES = ("complete", "pruned", "failed")


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; drawn on a logarithmic scale, or only whole ones."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


Space: TypeAlias = Mapping[str, Range | tuple[Any, ...]]
"""By setting, the range of its values, or the values to choose from: strings, numbers, booleans or None."""


class Pruned(Exception):
    """Raised by :meth:`Trial.report`: the trial is worse than the others were; let it pass."""


@dataclass(frozen=True)
class Outcome:
    """A finished trial.

    Attributes:
        number: from 0.
        settings: the value of each setting of the space.
        state: ``complete``; ``pruned``, stopped early; or ``failed``, its training diverged.
        score: the larger, the better; None unless complete.
        seconds: its duration, and the choice of its settings.
        reports: scores before the end, by step.
    """

    number: int
    settings: dict[str, Any]
    state: str
    score: float | None
    seconds: float
    reports: dict[int, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it as a line for people, with trials counted from 1."""
        settings = " ".join(
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.settings.items()
        )
        result = self.state if self.score is None else f"score {self.score:.4f}"
        return f"trial {self.number + 1}: {result}: {settings}"


class Trial:
    """A running trial: the settings to try.

    Attributes:
        number: from 0.
        settings: the value of each setting of the space.
    """

    def __init__(self, number: int, asked: Any) -> None:
        self.number, self._asked = number, asked
        self.settings: dict[str, Any] = dict(asked.params)
        self.reports: dict[int, float] = {}

    def report(self, step: int, score: float) -> None:
        """Record a score before the end, such as that of an epoch.

        Raises:
            Pruned: it is below the median of the earlier trials at this step.
        """
        self.reports[step] = check_number("a score", score)
        self._asked.report(score, step)
        if self._asked.should_prune():
            raise Pruned


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        best: the trial with the best score, the first of equals.
        trials: all finished ones, those of the log included.
        interrupted: whether Ctrl-C ended the search.
    """

    best: Outcome
    trials: tuple[Outcome, ...]
    interrupted: bool


def tune(
    objective: Callable[[Trial], float],
    space: Space,
    first: Mapping[str, Any],
    seconds: float,
    log: str | os.PathLike[str],
    *,
    about: Mapping[str, Any],
    seed: int = 1,
    resume: bool = False,
    on_best: Callable[[Outcome], None] | None = None,
    on_trial: Callable[[Outcome], None] | None = None,
) -> Tuned:
    """Try settings until the time is used up, and return the best.

    The first trial has the settings ``first``; the next ten are random, the others chosen by a tree-structured Parzen
    estimator (Bergstra et al. 2011). A trial starts while there is time for one of mean duration; the first always
    does. After Ctrl-C, the unfinished trial is forgotten.

    Args:
        objective: trains with ``trial.settings`` and returns a score, the larger, the better. It may call
            ``trial.report``. A ``TrainingError`` counts as a failed trial.
        space: what is tried.
        first: a value for each setting of the space, usually its default.
        seconds: the time budget, which includes the trials of the log.
        log: a file of JSON lines, one for the search and one for each trial, rewritten after each.
        about: what identifies the search, such as its data and fixed settings; JSON-serializable.
        seed: of the choices.
        resume: continue the log, if it exists.
        on_best: called with each outcome better than all before, and before it is logged: keep what it trained.
        on_trial: called with each finished trial.

    Raises:
        InputError: Optuna is not installed, an argument is invalid, or the log exists without ``resume`` or belongs to
            another search.
        FormatError: the log is damaged.
        TrainingError: all trials failed.
        KeyboardInterrupt: interrupted before a trial was complete.

    Example:
        >>> import pathlib, tempfile
        >>> log = pathlib.Path(tempfile.mkdtemp()) / "search.jsonl"
        >>> found = tune(
        ...     lambda trial: -((trial.settings["x"] - 2) ** 2), {"x": Range(0, 10)}, {"x": 5.0}, 0.1, log, about={}
        ... )
        >>> found.trials[0].score, found.best.score > -9
        (-9.0, True)
    """
    search = _Search(space, first, log, about, check_whole("seed", seed, 0), resume)
    seconds = check_number("the time to tune", seconds, above=0)
    interrupted = False
    try:
        while search.has_time(seconds):
            outcome = search.tried(objective)
            if on_best is not None and search.improves(outcome):
                on_best(outcome)
            search.add(outcome)
            if on_trial is not None:
                on_trial(outcome)
    except KeyboardInterrupt:
        if search.best is None:
            raise
        interrupted = True
    if search.best is None:
        raise TrainingError(f"all {len(search.outcomes)} trials of {log} failed; lower the learning rate")
    return Tuned(search.best, tuple(search.outcomes), interrupted)


class _Search:
    """The trials of a search and its log."""

    def __init__(
        self,
        space: Space,
        first: Mapping[str, Any],
        log: str | os.PathLike[str],
        about: Mapping[str, Any],
        seed: int,
        resume: bool,
    ) -> None:
        self._optuna = optional_module("optuna", "tuning needs Optuna", "tuning")
        self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
        _check_first(space, first)
        self._first, self._seed, self._path = dict(first), seed, check_target(log)
        self._distributions = {name: self._distribution(values) for name, values in space.items()}
        listed = {name: asdict(each) if isinstance(each, Range) else list(each) for name, each in space.items()}
        what = {**about, "space": listed, "first": self._first, "seed": seed}
        # As JSON returns it, so that it can be compared with a log.
        self._head = json.loads(json.dumps({"search": what, "version": _VERSION, "optuna": self._optuna.__version__}))
        self._states = self._optuna.trial.TrialState
        self._study = self._optuna.create_study(
            direction="maximize", pruner=self._optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1)
        )
        self.outcomes: list[Outcome] = []
        self.best: Outcome | None = None
        if self._path.exists():
            if not resume:
                raise InputError(f"{log} holds a search: resume it, or remove the file to start again")
            for outcome in _read(self._path, self._head):
                self._continue_after(outcome)

    def _distribution(self, values: Range | tuple[Any, ...]) -> Any:
        kinds = self._optuna.distributions
        if not isinstance(values, Range):
            return kinds.CategoricalDistribution(values)
        if values.whole:
            return kinds.IntDistribution(int(values.low), int(values.high), log=values.log)
        return kinds.FloatDistribution(values.low, values.high, log=values.log)

    def has_time(self, seconds: float) -> bool:
        """Whether a trial of mean duration would end within the budget; the first always does."""
        used = [outcome.seconds for outcome in self.outcomes]
        return not used or sum(used) * (1 + 1 / len(used)) <= seconds

    def tried(self, objective: Callable[[Trial], float]) -> Outcome:
        """Run the next trial."""
        began, number = time.perf_counter(), len(self.outcomes)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=self._seed + number)
        if number == 0:
            self._study.enqueue_trial(self._first)
        trial = Trial(number, self._study.ask(self._distributions))
        state, score = "complete", None
        try:
            score = check_number("a score", objective(trial))
        except Pruned:
            state = "pruned"
        except TrainingError:
            state = "failed"
        self._study.tell(number, score, self._state(state))
        return Outcome(number, trial.settings, state, score, time.perf_counter() - began, trial.reports)

    def _state(self, name: str) -> Any:
        return {
            "complete": self._states.COMPLETE, "pruned": self._states.PRUNED, "failed": self._states.FAIL
        }[name]  # fmt: skip

    def improves(self, outcome: Outcome) -> bool:
        """Whether an outcome is better than all before."""
        if outcome.score is None or self.best is None:
            return outcome.score is not None
        return outcome.score > (self.best.score or 0.0)

    def add(self, outcome: Outcome) -> None:
        """Log a finished trial."""
        if self.improves(outcome):
            self.best = outcome
        self.outcomes.append(outcome)
        lines = [self._head, *map(asdict, self.outcomes)]
        with replacing(self._path) as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines).encode())

    def _continue_after(self, outcome: Outcome) -> None:
        """Take a trial of the log."""
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=self._state(outcome.state),
                value=outcome.score,
                params=outcome.settings,
                distributions=self._distributions,
                intermediate_values=outcome.reports,
            )
        )
        if self.improves(outcome):
            self.best = outcome
        self.outcomes.append(outcome)


def _check_first(space: Space, first: Mapping[str, Any]) -> None:
    if not space:
        raise InputError("nothing to tune: all settings are fixed; leave one out")
    if set(first) != set(space):
        raise InputError(f"first must have the settings {', '.join(space)}, got {', '.join(first) or 'none'}")
    for name, values in space.items():
        if isinstance(values, Range):
            check_number(f"the first {name}", first[name], least=values.low, most=values.high)
        elif first[name] not in values:
            raise InputError(f"the first {name} must be one of {', '.join(map(str, values))}, got {first[name]}")


def _read(path: Path, head: Mapping[str, Any]) -> list[Outcome]:
    """Return the trials of a log.

    Raises:
        InputError: it belongs to another search; the message states what differs.
        FormatError: it is damaged.
    """
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        found, version, outcomes = lines[0]["search"], lines[0]["version"], [_outcome(line) for line in lines[1:]]
        differing = sorted(name for name in {*found, *head["search"]} if found.get(name) != head["search"].get(name))
        if [outcome.number for outcome in outcomes] != list(range(len(outcomes))):
            raise ValueError
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise FormatError(f"{path}: not a log of a search, or damaged; remove it to start again") from None
    if differing or version != head["version"]:
        what = ", ".join(differing) or "the release"
        raise InputError(f"{path} holds another search, which differs in: {what}; resume with the same, or remove it")
    return outcomes


def _outcome(line: Mapping[str, Any]) -> Outcome:
    found = Outcome(**{**line, "reports": {int(step): float(score) for step, score in line["reports"].items()}})
    if found.state not in _STATES or (found.score is None) == (found.state == "complete"):
        raise ValueError
    return found
