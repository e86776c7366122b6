"""A training run in epochs, with callbacks, evaluation, early stopping and selection of the best epoch."""

import logging
import math
from abc import abstractmethod
from typing import Any

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.checkpointing.resumable_run import ResumableRun
from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.callbacks import Monitor
from wordvec.word2vec.epoch import EpochResult
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import Word2VecSettings

_log = logging.getLogger(__name__)


class EvaluatedRun(ResumableRun):
    """A training run, as callbacks see it.

    A subclass trains, and calls ``_end_epoch`` after each epoch and ``_is_over`` before the next.

    Attributes:
        settings: resolved.
        epoch: the number of finished epochs.
        result: losses, scores and the rest; its vectors are set when training has ended.
    """

    def __init__(self, checkpoint: Checkpoint, monitor: Monitor, result: Word2VecResult) -> None:
        super().__init__(checkpoint)
        self.settings: Word2VecSettings = result.settings
        self.epoch, self.result = 0, result
        self._monitor = monitor
        self._stop_requested = False

    @property
    @abstractmethod
    def position(self) -> float:
        """Finished epochs, plus the finished part of the current one."""

    @abstractmethod
    def vectors(self) -> WordVectors:
        """Return a copy of the current vectors."""

    @abstractmethod
    def _current_table(self) -> np.ndarray:
        """Return the table of all rows, float32."""

    @abstractmethod
    def _reset_epoch(self) -> None:
        """Forget what was summed up in the epoch that has ended."""

    def stop(self) -> None:
        """End training after this epoch; the result is that of the epochs so far."""
        self._stop_requested = True

    def _begin(self) -> None:
        self._monitor.clock.reset()
        self._monitor.callbacks("on_begin", self)

    def _is_over(self) -> bool:
        best = self._monitor.best
        if self.epoch < self.settings.passes and best is not None and best.is_final(self.epoch):
            _log.info("stopping early: no improvement on epoch %d in %d epochs", best.epoch, self.epoch - best.epoch)
            return True
        return self._stop_requested or self.epoch >= self.settings.passes

    def _end_epoch(self, found: EpochResult) -> None:
        from wordvec.kernels.compiling import interrupts_wait

        monitor, result = self._monitor, self.result
        score = self._evaluate() if monitor.is_due(self.epoch + 1, self.settings.passes) else None
        value = -found.loss if monitor.evaluate is None else score
        table = None if monitor.best is None or value is None else self._current_table()
        with interrupts_wait():  # all or nothing
            result.losses.append(found.loss)
            result.loss_errors.append(found.loss_error)
            result.effective_tokens.append(found.effective_tokens)
            result.scores.append(score)
            self.epoch += 1
            self._reset_epoch()
            if monitor.best is not None and value is not None and table is not None:
                monitor.best.offer(self.epoch, value, table)
        monitor.callbacks("on_epoch", self)

    def _evaluate(self) -> float:
        with self._not_timed():
            score = self._monitor.score(self.vectors())
            self._monitor.callbacks("on_evaluation", self, score)
            self._monitor.clock.reset()
        return score

    def _take_best(self) -> np.ndarray | None:
        """Return the table of the best epoch if it is not that of the last, and note which epoch is kept."""
        best = self._monitor.best
        self.result.kept_epoch = self.epoch if best is None else best.epoch
        if best is None or best.table is None:
            return None
        table, best.table = best.table, None
        if best.epoch == self.epoch:
            return None
        _log.info("keeping the vectors of epoch %d, the best of %d", best.epoch, self.epoch)
        return table

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _state_of_epochs(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        best, result = self._monitor.best, self.result
        reached: dict[str, Any] = {
            **{"epoch": self.epoch, "losses": result.losses, "loss_errors": result.loss_errors},
            **{"scores": result.scores, "effective_tokens": result.effective_tokens},
        }
        if best is None or best.table is None:
            return {}, reached
        return {"best": best.table}, reached | {"best_epoch": best.epoch, "best_value": best.value}

    def _restore_epochs(self, saved: SavedTraining, arrays: dict[str, np.ndarray], table: np.ndarray) -> None:
        """Restore ``arrays`` and the finished epochs; ``table`` has the shape of the best one's."""
        result, best = self.result, self._monitor.best
        if best is not None and saved.rows("best"):
            best.table = arrays["best"] = np.empty_like(table)
            best.epoch, best.value = saved.whole("best_epoch", 1, self.settings.passes), saved.number("best_value")
        saved.read_into(arrays)
        self.epoch = epoch = saved.whole("epoch", 0, self.settings.passes)
        result.losses, result.loss_errors = saved.numbers("losses", epoch), saved.numbers("loss_errors", epoch)
        result.scores = [None if math.isnan(score) else score for score in saved.numbers("scores", epoch)]
        result.effective_tokens = [round(count) for count in saved.numbers("effective_tokens", epoch, missing=False)]
