"""Search for the settings of a text classifier that predict validation texts best, within a time budget."""

import hashlib
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqclf.classification.model import ClassifierModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_classifier
from seqclf.classification.train_multi_label import train_multi_label
from seqclf.data.label_sets import LabelSets, label_matrix
from seqclf.data.labels import as_labels, distinct_labels, encode_labels, sample_weights
from seqclf.data.splits import stratified_folds
from seqclf.data.texts import Text, as_texts
from seqclf.training.loop import StopTraining
from wordvec import InputError
from wordvec.system.progress import OnProgress, Progress
from wordvec.system.settings import or_defaults
from wordvec.system.tuning import Outcome, Range, Space, Trial, Tuned, tune
from wordvec.system.validation import check_whole

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

SPACE: Space = {
    "learning_rate": Range(0.0005, 0.02, log=True),
    "dropout": Range(0.0, 0.7),
    "hidden_size": (32, 64, 128, 256),
    "batch_size": (8, 16, 32, 64),
    "epochs": Range(2, 20, whole=True),
    "pooling": ("max", "mean", "attention"),
    "weight_drop": Range(0.0, 0.5),
}
"""What is searched, unless it is fixed."""

_hash = partial(hashlib.blake2b, digest_size=16)

_LOSS_SHARE = 1e-4
"""Of the validation loss in a score: it decides between equal accuracies."""


class TunedClassifier(NamedTuple):
    """The best model, and the search that found it."""

    model: ClassifierModel
    search: Tuned


def tune_classifier(
    texts: Iterable[Text],
    labels: Iterable[Any] | LabelSets,
    *,
    seconds: float,
    log: str | os.PathLike[str],
    settings: ClassifierSettings | None = None,
    fixed: Collection[str] = (),
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any] | LabelSets] | None = None,
    multi_label: Mapping[str, Any] | None = None,
    folds: int | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    resume: bool = False,
) -> TunedClassifier:
    """Train classifiers with different settings, and return the one with the best validation accuracy.

    If nine in ten training texts have the same label, macro-F1 decides instead, and micro-F1 if texts have any number
    of labels; among equal ones, the loss does. The linear model, which no trial changes, is trained once before. Trials
    that are worse than the median of the earlier ones after an epoch are stopped. Ctrl-C ends the search with the best
    model so far. The settings of a trial depend on the seed and the trials before it only, so a log can be continued,
    and its best model trained again to the same bits.

    Args:
        texts, labels, settings, vectors, dev, sample_weight, threads: see :func:`seqclf.train_classifier`; the first
            trial has ``settings``.
        seconds: the time for all trials, those of the log included.
        log: a file of JSON lines with all trials.
        fixed: names of settings of ``SPACE`` that are not searched.
        multi_label: the keyword arguments of :func:`seqclf.train_multi_label`, such as ``{"tune_thresholds": True}``,
            which then trains; None: one label per text.
        folds: the score of a trial is the mean over that many stratified folds, each of which in turn are the
            validation texts; the best settings then train a model as usual. None: one training is a trial.
        on_progress: called a few times a second during each trial.
        resume: continue the log, if it exists.

    Raises:
        InputError: as ``train_classifier``, no validation texts, nothing to tune, folds of label sets, or see
            ``wordvec.system.tuning``.
        KeyboardInterrupt: interrupted before the end of the first trial.
    """
    texts, labels = as_texts(texts), _plain_labels(labels, multi_label)
    settings = or_defaults(settings, ClassifierSettings)
    if settings.model == "linear":
        raise InputError("tuning has no effect on a linear model, whose only setting is chosen on validation data")
    if dev is None and settings.validation_fraction == 0:
        raise InputError("tuning needs validation texts: pass some, or raise validation_fraction, which is 0")
    if dev is not None:
        dev = as_texts(dev[0]), _plain_labels(dev[1], multi_label)
    if folds is not None:
        folds = check_whole("folds", folds, 2, len(texts))
        if multi_label is not None:
            raise InputError("folds are stratified by label, but each text has several; leave folds out")
    settings = settings.with_epochs(sum(len(text.split() if isinstance(text, str) else text) for text in texts))
    first = {name: getattr(settings, name) for name in SPACE if name not in fixed}
    space = {name: _including(SPACE[name], value) for name, value in first.items()}

    weights = None if sample_weight is None else sample_weights(sample_weight, len(texts))
    data: dict[str, Any] = {"vectors": vectors, "dev": dev, "sample_weight": weights, "threads": threads}
    linear = _linear(settings, {**data, "texts": texts, "labels": labels})

    def train(chosen: dict[str, Any], watch: OnProgress | None) -> ClassifierModel:
        given = {"settings": replace(settings, **chosen), "on_progress": watch, **data}
        if multi_label is not None:
            return train_multi_label(texts, labels, **given, **multi_label)
        return train_classifier(texts, labels, linear=linear, **given)

    trials: _Trials | _FoldTrials = _Trials(train, on_progress)
    if folds is not None:
        trials = _FoldTrials(texts, labels, folds, settings, data, on_progress)
    search = tune(
        trials.run, space, first, seconds, log,
        about=_about(texts, labels, settings, vectors, dev, weights, space, folds),
        seed=settings.seed, resume=resume, on_best=trials.keep,
        on_trial=lambda outcome: logger.info("%s", outcome),
    )  # fmt: skip
    best = search.best
    logger.info("best of %d trials: trial %d, score %.4f; see %s", len(search.trials), best.number + 1, best.score, log)
    # The best of an earlier run is trained again, to the same bits, and to its end even if the search was interrupted.
    model = trials.best or train(best.settings, None)
    model.metrics["trials"] = len(search.trials)
    return TunedClassifier(model, search)


class _Trials:
    """The trainings of a search, and the best of their models.

    Args:
        train: given settings and a function to call with the progress, returns a model.
        on_progress: see :func:`tune_classifier`.
    """

    def __init__(
        self, train: Callable[[dict[str, Any], OnProgress | None], ClassifierModel], on_progress: OnProgress | None
    ) -> None:
        self._train, self._on_progress = train, on_progress
        self._last: ClassifierModel | None = None
        self.best: ClassifierModel | None = None

    def run(self, trial: Trial) -> float:
        """Train a model and return its score."""

        interrupting = _interrupting(self._on_progress)

        def watch(state: Progress) -> None:
            interrupting(state)
            if state.epoch_done:
                trial.report(state.epoch, _score(state.metrics))

        self._last = self._train(trial.settings, watch)
        return _score(self._last.metrics)

    def keep(self, _: Outcome) -> None:
        """Keep the last model: it is the best so far."""
        self.best = self._last


class _FoldTrials:
    """Trials whose score is the mean over folds; they keep no model.

    Args:
        texts, labels, folds, settings, on_progress: see :func:`tune_classifier`.
        data: other arguments of ``train_classifier``.
    """

    best: ClassifierModel | None = None

    def __init__(
        self, texts: list[Text], labels: list[Any], folds: int, settings: ClassifierSettings, data: Mapping[str, Any],
        on_progress: OnProgress | None,
    ) -> None:  # fmt: skip
        self._settings, self._on_progress = settings, on_progress
        classes = distinct_labels(labels)
        self._parts: list[dict[str, Any]] = []
        for own in stratified_folds(encode_labels(labels, classes, "texts"), folds, settings.seed):
            others = sorted({*range(len(texts))} - {*own.tolist()})
            given, dev = (([texts[row] for row in rows], [labels[row] for row in rows]) for rows in (others, own))
            part = {**data, "texts": given[0], "labels": given[1], "dev": dev, "classes": classes}
            part["sample_weight"] = None if data["sample_weight"] is None else data["sample_weight"][others]
            self._parts.append(part | {"linear": _linear(settings=settings, data=part)})

    def run(self, trial: Trial) -> float:
        """Train a model for each fold and return the mean of their scores, which is reported after each."""
        scores: list[float] = []
        for part in self._parts:
            model = train_classifier(
                **part, settings=replace(self._settings, **trial.settings), on_progress=_interrupting(self._on_progress)
            )
            scores.append(_score(model.metrics))
            trial.report(len(scores), sum(scores) / len(scores))
        return sum(scores) / len(scores)

    def keep(self, _: Outcome) -> None:
        """Keep nothing: the best settings train a model in the end."""


def _interrupting(call: OnProgress | None) -> OnProgress:
    """Return a function that calls another, and raises KeyboardInterrupt where that stops a training."""

    def watch(state: Progress) -> None:
        try:
            if call is not None:
                call(state)
        except StopTraining:
            raise KeyboardInterrupt from None

    return watch


def _linear(settings: ClassifierSettings, data: Mapping[str, Any]) -> ClassifierModel | None:
    """Return the linear model that all trainings share; None if they have none."""
    return None if settings.model == "network" else train_classifier(**data, settings=replace(settings, model="linear"))


def _score(metrics: Mapping[str, Any]) -> float:
    measure = next(metrics[name] for name in ("dev_micro_f1", "dev_macro_f1", "dev_accuracy") if name in metrics)
    return float(measure - _LOSS_SHARE * min(metrics["dev_loss"], 100.0))


def _plain_labels(labels: Any, multi_label: Mapping[str, Any] | None) -> list[Any]:
    """Return labels, or lists of labels, as Python values in an order that does not change."""
    if multi_label is None:
        return as_labels(labels)
    classes, matrix = label_matrix(labels)
    return [[classes[label] for label in row.nonzero()[0]] for row in matrix]


def _including(values: Range | tuple[Any, ...], value: Any) -> Range | tuple[Any, ...]:
    """Return values to search that include the first trial's."""
    if isinstance(values, Range):
        return replace(values, low=min(values.low, value), high=max(values.high, value))
    return values if value in values else (*values, value)


def _about(
    texts: Any, labels: Any, settings: ClassifierSettings, vectors: Any, dev: Any, weights: np.ndarray | None,
    space: Space, folds: int | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what identifies a search: digests of its data, and the settings that are fixed."""
    return {
        "training data": _digest(texts, labels),
        "validation data": None if dev is None else _digest(*dev),
        "file of vectors": None if vectors is None else _hash(vectors.vectors.tobytes()).hexdigest(),
        "weights": None if weights is None else _hash(weights.tobytes()).hexdigest(),
        "number of folds": folds,
        "set of fixed settings": {name: value for name, value in settings.record().items() if name not in space},
    }


def _digest(texts: Any, labels: Any) -> str:
    found = _hash()
    for example in zip(texts, labels, strict=False):
        found.update(repr(example).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
