"""The loop over epochs: keeps the best epoch, reports progress, stops early."""

import itertools
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from seqclf.layers.batches import training_batches
from seqclf.training.resuming import Reached, Resumption, Stepping
from wordvec.system.progress import OnProgress, Progress
from wordvec.system.threads import uninterrupted

logger = logging.getLogger(__name__)

BUCKET_WINDOW = 8
"""Batches sorted by length together, see ``training_batches``; a sixth less work than with 1, at equal accuracy."""


class StopTraining(Exception):
    """Raised by ``on_progress`` to end the training of a network with its best epoch so far.

    Before the end of the first epoch, it is not caught.

    Example:
        >>> import seqclf
        >>> def two_epochs(progress):
        ...     if progress.epoch_done and progress.epoch == 1:
        ...         raise seqclf.StopTraining
        >>> model = seqclf.train_language_model(
        ...     ["the cat sat"] * 9, settings=seqclf.LanguageModelSettings(epochs=50), on_progress=two_epochs
        ... )
        >>> len(model.history)
        2
    """


@dataclass(frozen=True)
class Outcome:
    """Result of a training, apart from the network's parameters, which are those of the best epoch."""

    history: list[dict[str, Any]]
    best_epoch: int
    """From 1."""

    def metrics(self, **sizes: int) -> dict[str, Any]:
        """Return a model's metrics: the best epoch, ``sizes`` of the training data, and that epoch's row.

        Example:
            >>> Outcome([{"epoch": 1, "loss": 0.5}], best_epoch=1).metrics(texts=9)
            {'best_epoch': 1, 'texts': 9, 'loss': 0.5}
        """
        best = self.history[self.best_epoch - 1]
        return {"best_epoch": self.best_epoch, **sizes} | {name: best[name] for name in best if name != "epoch"}


def best_of_epochs(
    run: Callable[[int], tuple[dict[str, Any], tuple[float, ...] | None]],
    epochs: int,
    *,
    patience: int | None,
    arrays: Sequence[np.ndarray],
    reached: Reached | None = None,
    save: Callable[[], None] = lambda: None,
) -> Outcome:
    """Train for some epochs, or until ``StopTraining``, and restore the parameters of the best one.

    Args:
        run: trains epoch e (from 0); returns its history row and its validation score (higher is better), or None to
            keep the last epoch.
        epochs: the largest number of epochs.
        patience: stop after that many epochs without a better score; None runs all epochs.
        arrays: the trained arrays; at the end they hold the best epoch's values.
        reached: how far the training is; updated.
        save: called after each epoch, and on ``StopTraining`` and Ctrl-C.

    Example:
        >>> weight = np.zeros(1)
        >>> def run(epoch):
        ...     weight[0] += 1
        ...     return {"epoch": epoch + 1}, (-abs(weight[0] - 2),)
        >>> best_of_epochs(run, 4, patience=None, arrays=[weight]).best_epoch, weight
        (2, array([2.]))
    """
    reached = Reached() if reached is None else reached
    history, stopped = reached.history, False
    while len(history) < epochs:
        epoch = len(history)
        if patience is not None and epoch - reached.best_epoch >= patience:
            logger.info("no better epoch than %d in %d epochs: training stops", reached.best_epoch, patience)
            break
        try:
            row, scored = run(epoch)
        except KeyboardInterrupt:
            save()
            raise
        except StopTraining:
            save()
            if not history:
                raise
            logger.info("stopped in epoch %d: epoch %d is kept", epoch + 1, reached.best_epoch)
            stopped = True
            break
        reached.end_epoch(row)
        logger.info("%s", ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
        score = (float(epoch),) if scored is None else scored
        if score > reached.best:
            reached.best, reached.best_epoch = score, epoch + 1
            reached.kept = [array.copy() for array in arrays] if epoch + 1 < epochs else None
        save()
    if reached.kept is not None and (stopped or reached.best_epoch < len(history)):
        for array, values in zip(arrays, reached.kept, strict=True):
            array[:] = values
    return Outcome(history, reached.best_epoch)


class Reporter:
    """Calls ``on_progress`` about ten times a second, and at the end of every epoch.

    The speed is measured from the end of the first step, which may have compiled kernels.

    Args:
        call: takes a ``Progress``, or None.
        unit: what is counted, such as ``texts``.
        epochs: their number. total: units in all of them.

    Attributes:
        done: units so far, those of an interrupted training included.
    """

    def __init__(self, call: OnProgress | None, unit: str, epochs: int, total: int) -> None:
        self._call, self._unit, self._epochs, self._total = call, unit, epochs, total
        self._last = time.perf_counter()
        self.done = self._first = 0
        self._first_ended = math.nan
        self._metrics: dict[str, float] = {}
        self._stopped = False

    def step(self, epoch: int, training: Stepping, loss: float, size: int) -> None:
        """Count a step over ``size`` units; ``loss`` is the epoch's mean so far."""
        if self._stopped:
            raise StopTraining
        now = time.perf_counter()
        self.done += size
        if not self._first:
            self._first, self._first_ended = self.done, now
        if self._call is not None and now - self._last >= 0.1:
            self._send(epoch, training, loss, now, False)

    def epoch(self, epoch: int, training: Stepping, row: dict[str, Any]) -> None:
        """Report the end of an epoch, given its row of the history."""
        self._metrics = {name: value for name, value in row.items() if name not in ("epoch", "loss")}
        if self._call is not None:
            try:
                self._send(epoch, training, row["loss"], time.perf_counter(), True)
            except StopTraining:  # in the next epoch, when this one has been compared with the best
                self._stopped = True

    def _send(self, epoch: int, training: Stepping, loss: float, now: float, epoch_done: bool) -> None:
        assert self._call is not None
        self._last = now
        speed = left = math.nan
        if self.done > self._first:
            speed = (self.done - self._first) / max(now - self._first_ended, 1e-9)
            left = (self._total - self.done) / speed
        self._call(
            Progress(
                "training", self.done, self._total, self._unit, speed, left, epoch, self._epochs, loss,
                training.learning_rate, dict(self._metrics), epoch_done,
            )
        )  # fmt: skip


class Plan(Protocol):
    """The settings that ``train_in_batches`` reads."""

    @property
    def epochs(self) -> int: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def patience(self) -> int | None: ...

    @property
    def seed(self) -> int: ...


def steps_in_all(sequences: int, plan: Plan) -> int:
    """Return the number of batches of all epochs."""
    return -(-sequences // plan.batch_size) * plan.epochs


def train_in_batches(
    step: Callable[[np.ndarray], float],
    lengths: np.ndarray,
    training: Stepping,
    plan: Plan,
    *,
    arrays: Sequence[np.ndarray],
    unit: str,
    evaluate: Callable[[], tuple[dict[str, Any], tuple[float, ...]]] | None = None,
    sizes: np.ndarray | None = None,
    on_progress: OnProgress | None = None,
    resumption: Resumption | None = None,
) -> Outcome:
    """Train on shuffled batches of sequences, epoch by epoch, and keep the best epoch.

    Args:
        step: one update from some sequences (B,); returns their mean loss.
        lengths: (S,) of all sequences.
        training: has the learning rate, and the optimizer's state.
        plan: epochs, batch_size, patience, seed.
        arrays: see ``best_of_epochs``.
        unit: what the sequences are called in progress reports.
        evaluate: returns validation results for the history, and the score that chooses the epoch; None without
            validation data.
        sizes: (S,) weights of the sequences in the mean loss; None weighs all equally.
        on_progress: called a few times a second.
        resumption: where the state is saved, and where the training begins.
    """
    sizes = np.ones_like(lengths) if sizes is None else sizes

    def batches(epoch: int) -> Iterable[np.ndarray]:
        random = np.random.default_rng([plan.seed, 0xE70C, epoch])
        return training_batches(lengths, plan.batch_size, random, window=BUCKET_WINDOW)

    def counted(members: np.ndarray) -> tuple[float, int, int]:
        size = int(sizes[members].sum())
        return step(members), size, members.size

    report = Reporter(on_progress, unit, plan.epochs, lengths.size * plan.epochs)
    return train_epochs(batches, counted, training, plan, report, arrays, evaluate, resumption)


class EpochPlan(Protocol):
    """The settings that ``train_epochs`` reads."""

    @property
    def epochs(self) -> int: ...

    @property
    def patience(self) -> int | None: ...


B = TypeVar("B")


def train_epochs(
    batches: Callable[[int], Iterable[B]],
    step: Callable[[B], tuple[float, int, int]],
    training: Stepping,
    plan: EpochPlan,
    report: Reporter,
    arrays: Sequence[np.ndarray],
    evaluate: Callable[[], tuple[dict[str, Any], tuple[float, ...]]] | None = None,
    resumption: Resumption | None = None,
) -> Outcome:
    """Train on the batches of each epoch, and keep the best epoch; continue in the middle of one if it was interrupted.

    Args:
        batches: returns the batches of an epoch, always the same.
        step: one update; returns its mean loss, the weight of that mean, and the number of units.
        training, plan, arrays, evaluate, resumption: see ``train_in_batches``.
        report: of the progress.
    """
    resumption, reached = resumption or Resumption(), Reached()
    resumption.restore(reached, arrays, training, plan.epochs)
    report.done = reached.done

    def run(epoch: int) -> tuple[dict[str, Any], tuple[float, ...] | None]:
        for batch in itertools.islice(batches(epoch), reached.steps, None):
            with uninterrupted():  # what Ctrl-C saves is the state after a whole step
                loss, weight, units = step(batch)
                reached.add(loss, weight, units)
            report.step(epoch, training, reached.loss, units)
            resumption.save(reached, arrays, training, if_due=True)
        row: dict[str, Any] = {"epoch": epoch + 1, "loss": reached.loss}
        score = None
        if evaluate is not None:
            found, score = evaluate()
            row |= found
            training.end_epoch(score)
        report.epoch(epoch, training, row)
        return row, score

    def save() -> None:
        with uninterrupted():  # a second Ctrl-C must not lose the state
            resumption.save(reached, arrays, training)

    return best_of_epochs(run, plan.epochs, patience=plan.patience, arrays=arrays, reached=reached, save=save)
