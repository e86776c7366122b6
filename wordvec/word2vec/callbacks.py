"""Training callbacks, evaluation, early stopping, and selection of the best epoch."""

import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, Protocol

import numpy as np

from wordvec.checkpointing.clock import Clock
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.system.validation import check_whole
from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import Word2VecSettings


class Training(Protocol):
    """A training run as callbacks see it.

    Attributes:
        settings: resolved.
        corpus: the training data.
        epoch: the number of finished epochs.
        result: losses, scores and the rest; its vectors are set when training has ended.
    """

    settings: Word2VecSettings
    corpus: EncodedCorpus
    epoch: int
    result: Word2VecResult

    @property
    def position(self) -> float:
        """Finished epochs, plus the finished part of the current one."""

    def vectors(self) -> WordVectors:
        """Return a copy of the current vectors."""

    def stop(self) -> None:
        """End training after this epoch; the result is that of the epochs so far."""


class TrainingCallback:
    """Base class of callbacks, which run in the calling thread while the training threads are idle.

    Override what you need. Any object with one of these methods works, and a plain function is called as ``on_epoch``.
    An exception raised by a callback ends the training and propagates unchanged.

    Example:
        >>> from wordvec import Word2VecSettings, encode_corpus, train_word2vec
        >>> class Stop(TrainingCallback):
        ...     def on_epoch(self, training):
        ...         if training.result.losses[-1] < 100:
        ...             training.stop()
        >>> corpus = encode_corpus(["the cat sat", "the dog sat"] * 50)
        >>> len(train_word2vec(corpus, Word2VecSettings(vector_size=16, epochs=9), callbacks=[Stop()]).losses)
        1
    """

    def on_begin(self, training: Training) -> None:
        """Called once, before the first (remaining) epoch."""

    def on_epoch(self, training: Training) -> None:
        """Called at the end of each epoch, after its evaluation, if any."""

    def on_evaluation(self, training: Training, score: float) -> None:
        """Called after each evaluation, including those within an epoch."""

    def on_end(self, training: Training) -> None:
        """Called once, when the result is available."""


_MOMENTS = ("on_begin", "on_epoch", "on_evaluation", "on_end")


class Callbacks:
    """A validated list of callbacks, called in order."""

    def __init__(self, given: Iterable[Any]) -> None:
        self._given = [_checked(callback) for callback in given]

    def __call__(self, moment: str, *arguments: Any) -> None:
        for callback in self._given:
            method = getattr(callback, moment, None)
            if method is not None:
                method(*arguments)


class _Function(TrainingCallback):
    def __init__(self, function: Callable[[Training], Any]) -> None:
        self._function = function

    def on_epoch(self, training: Training) -> None:
        self._function(training)


def _checked(callback: Any) -> Any:
    if isinstance(callback, type):
        raise InputError(
            f"a callback must be an object, got the class {callback.__name__}; write {callback.__name__}()"
        )
    if any(callable(getattr(callback, moment, None)) for moment in _MOMENTS):
        return callback
    if callable(callback):
        return _Function(callback)
    raise InputError(f"a callback must be a function or have one of {', '.join(_MOMENTS)}, got {callback!r}")


class Monitor:
    """Callbacks, the evaluation schedule, and the selection of the best epoch.

    Raises:
        InputError: a value out of range, or an invalid callback.
    """

    def __init__(
        self,
        callbacks: Iterable[Any] = (),
        evaluate: Callable[[WordVectors], float] | None = None,
        evaluate_every: int = 1,
        evaluate_seconds: float | None = None,
        early_stopping: int | None = None,
    ) -> None:
        self.callbacks = Callbacks(callbacks)
        self.evaluate, self.evaluate_every = evaluate, check_whole("evaluate_every", evaluate_every, 1)
        self.clock = Clock("evaluate_seconds", evaluate_seconds if evaluate is not None else None)
        if early_stopping is not None:
            early_stopping = check_whole("early_stopping", early_stopping, 1)
        by = "evaluate" if evaluate is not None else "loss" if early_stopping is not None else None
        self.best = Best(early_stopping) if by else None
        self.rule = {"best by": by, "early_stopping": early_stopping, "evaluate_every": self.evaluate_every}
        """The criteria of epoch selection, recorded in checkpoints."""

    def score(self, vectors: WordVectors) -> float:
        """Return the score that ``evaluate`` gives the vectors.

        Raises:
            InputError: the score is not a finite number.
        """
        assert self.evaluate is not None
        found: Any = self.evaluate(vectors)
        if isinstance(found, bool) or not isinstance(found, Real) or not math.isfinite(found):
            raise InputError(f"evaluate must return a finite number, got {found!r}")
        return float(found)

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Return whether to evaluate at the end of ``epoch``, counted from 1."""
        return self.evaluate is not None and (epoch % self.evaluate_every == 0 or epoch == epochs)


class Best:
    """The best epoch so far, by a value where higher is better, and its final table.

    Args:
        patience: consecutive epochs without improvement after which training should end; None: never.
    """

    def __init__(self, patience: int | None) -> None:
        self.patience = patience
        self.epoch = 0
        self.value = -np.inf
        self.table: np.ndarray | None = None

    def offer(self, epoch: int, value: float, table: np.ndarray) -> None:
        """Keep a copy of ``table`` if ``value`` is higher than all before; ties keep the first."""
        if value > self.value or self.table is None:
            self.epoch, self.value = epoch, value
            if self.table is None:
                self.table = np.empty_like(table)
            np.copyto(self.table, table)

    def is_final(self, epoch: int) -> bool:
        """Return whether training should end after ``epoch``, because patience has run out."""
        return self.patience is not None and self.epoch > 0 and epoch - self.epoch >= self.patience
