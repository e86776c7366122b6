"""A training run that saves its state now and then and on Ctrl-C, and resumes to the same bytes."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.errors import InputError

_log = logging.getLogger(__name__)


class ResumableRun(ABC):
    """Runs a training from its beginning, or from a checkpoint, to its end.

    A subclass supplies the state (``_state``, ``_restore``), the work (``_compile``, ``_train``) and its position.

    Attributes:
        checkpoint: where the state is saved, and when.
        seconds: training time, of all runs once this one has ended.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.seconds = 0.0
        self._started, self._done_before = time.perf_counter(), 0.0

    @abstractmethod
    def _compile(self) -> None:
        """Compile the kernels, before the clock starts."""

    @abstractmethod
    def _train(self) -> None:
        """Train to the end; call ``_save_if_due`` wherever the state may be saved."""

    @abstractmethod
    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays of the run, and its progress as JSON-serializable values.

        Raises:
            TrainingError: the arrays hold NaN or infinity.
        """

    @abstractmethod
    def _restore(self, saved: SavedTraining) -> None:
        """Continue from a saved state."""

    @abstractmethod
    def _done(self) -> float:
        """Return the work done in all runs, in the units of the progress report."""

    @abstractmethod
    def _position(self) -> str:
        """Return how far the run is, for messages."""

    def _run_to_end(self, saved: SavedTraining | None) -> None:
        from wordvec.kernels.compiling import interrupts_wait

        self._compile()
        if saved is not None:
            self._restore(saved)
            self.seconds = max(saved.number("seconds"), 0.0)
            _log.info("resuming from %s, %s", self.checkpoint.path, self._position())
        self.checkpoint.clock.reset()
        self._started, self._done_before = time.perf_counter(), self._done()
        try:
            self._train()
        except KeyboardInterrupt:
            if self.checkpoint.path is not None:
                with interrupts_wait():  # a second Ctrl-C must not lose the state
                    self._save()
                _log.info("saved to %s, %s", self.checkpoint.path, self._position())
            raise
        self.seconds += time.perf_counter() - self._started

    def _rate(self) -> float:
        """Return the work done per second in this run."""
        return (self._done() - self._done_before) / max(time.perf_counter() - self._started, 1e-9)

    @contextmanager
    def _not_timed(self) -> Iterator[None]:
        """Leave a block out of the training time."""
        began = time.perf_counter()
        yield
        self._started += time.perf_counter() - began

    def _save(self) -> None:
        arrays, reached = self._state()
        seconds = self.seconds + time.perf_counter() - self._started
        self.checkpoint.save(arrays, {**reached, "seconds": seconds})

    def _save_if_due(self) -> None:
        """Save if a checkpoint is due; one that cannot be written does not end the training."""
        if not self.checkpoint.clock.is_due():
            return
        with self._not_timed():
            try:
                self._save()
            except (InputError, OSError) as error:
                _log.warning("%s (training continues and tries again)", error)
