"""Checkpoints of a network's training: how far it is, its best epoch, and all arrays that it updates."""

import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from wordvec import InputError
from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining, digest
from wordvec.system.settings import Settings

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)


@dataclass
class Reached:
    """How far a training is.

    Attributes:
        history: the rows of the finished epochs.
        best, best_epoch: the best score and its epoch, from 1.
        kept: the trained arrays after the best epoch; None if they are the current ones.
        steps, summed, seen: the steps of the current epoch, the sum of their losses and its weight.
        done: units of all epochs so far, such as texts.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    best: tuple[float, ...] = (-math.inf,)
    best_epoch: int = 0
    kept: list[np.ndarray] | None = None
    steps: int = 0
    summed: float = 0.0
    seen: int = 0
    done: int = 0

    def add(self, loss: float, weight: int, units: int) -> None:
        """Count a step of ``units``, whose mean loss has a weight."""
        self.steps += 1
        self.summed += loss * weight
        self.seen += weight
        self.done += units

    @property
    def loss(self) -> float:
        """The mean loss of the current epoch so far."""
        return self.summed / max(self.seen, 1)

    def end_epoch(self, row: dict[str, Any]) -> None:
        """Add the row of the current epoch, and begin the next one."""
        self.history.append(row)
        self.steps = self.seen = 0
        self.summed = 0.0


class Stepping(Protocol):
    """What trains, and its state besides the trained arrays."""

    @property
    def learning_rate(self) -> float:
        """Of the last step."""

    def arrays(self, within_epoch: bool) -> dict[str, np.ndarray]:
        """Return the arrays of the state, which a restored training fills."""

    def numbers(self) -> dict[str, Any]:
        """Return the numbers of the state."""

    def end_epoch(self, score: tuple[float, ...]) -> None:
        """Take the validation score of an epoch, higher being better; not called without validation data."""

    def restore(self, saved: SavedTraining) -> None:
        """Continue from the saved numbers."""


class Resumption:
    """Saves the state of a training to a checkpoint, and continues from it; without a path, neither.

    Args:
        path, seconds, resume: see :class:`wordvec.checkpointing.checkpoint.Checkpoint`.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, seconds: float = 300.0, resume: bool = False
    ) -> None:
        self._checkpoint = Checkpoint(path, seconds, resume)
        self._saved: SavedTraining | None = None

    def begin(
        self,
        model: str,
        settings: Settings,
        sizes: Mapping[str, int],
        data: Iterable[np.ndarray | None],
        vectors: "WordVectors | None" = None,
        network: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Record which training this is, and open its checkpoint, if there is one.

        Args:
            model: the kind of model. settings: of the training.
            sizes: of the data, by unit.
            data: the arrays of training and validation data.
            vectors: pretrained vectors.
            network: the parameters of the network whose training continues.

        Raises:
            InputError: the checkpoint is of another training; the message states what differs.
            FormatError: not a checkpoint, or damaged.
        """
        if self._checkpoint.path is None:
            return
        initial = None
        if vectors is not None:
            initial = [vectors.vectors, np.frombuffer("\n".join(vectors.tokens).encode(), np.uint8)]
            if (subwords := vectors.table().subwords) is not None:
                initial.append(subwords.ngram_vectors)
        record = {"model": model, **settings.record()}
        if network is not None:
            record["initial network"] = digest(*network.values())
        self._saved = self._checkpoint.begin(record, sizes, data, initial=initial)

    def restore(self, reached: Reached, trained: Sequence[np.ndarray], training: Stepping, epochs: int) -> None:
        """Continue from the checkpoint: fill the arrays, and set how far the training is."""
        saved, self._saved = self._saved, None
        if saved is not None:
            reached.history = _history(saved, epochs)
            count = len(reached.history)
            reached.best_epoch = saved.whole("best_epoch", min(count, 1), count)
            if count:
                best = saved.reached.get("best")
                reached.best = tuple(saved.numbers("best", len(best) if isinstance(best, list) else 1, missing=False))
            reached.kept = [np.empty_like(array) for array in trained] if saved.reached.get("kept") is True else None
            for name in ("steps", "seen", "done"):
                setattr(reached, name, saved.whole(name, 0, 1 << 62))
            reached.summed = saved.number("summed")
            training.restore(saved)
            saved.read_into(_arrays(reached, trained, training))
            logger.info("resuming from %s: %d of %d epochs are done", self._checkpoint.path, count, epochs)
        self._checkpoint.clock.reset()

    def save(
        self, reached: Reached, trained: Sequence[np.ndarray], training: Stepping, *, if_due: bool = False
    ) -> None:
        """Save the state, if there is a path and, with ``if_due``, the interval is over; failing is only logged."""
        if self._checkpoint.path is None or (if_due and not self._checkpoint.clock.is_due()):
            return
        about = {name: getattr(reached, name) for name in ("history", "best_epoch", "steps", "summed", "seen", "done")}
        about |= {"best": list(reached.best) if reached.history else [], "kept": reached.kept is not None}
        try:
            self._checkpoint.save(_arrays(reached, trained, training), about | training.numbers())
        except (InputError, OSError) as error:
            logger.warning("%s (training continues and tries again)", error)


def _arrays(reached: Reached, trained: Sequence[np.ndarray], training: Stepping) -> dict[str, np.ndarray]:
    """Return all arrays of a checkpoint by name."""
    found = {f"trained.{place}": array for place, array in enumerate(trained)}
    found |= {f"kept.{place}": array for place, array in enumerate(reached.kept or [])}
    return found | training.arrays(reached.steps > 0)


def _history(saved: SavedTraining, epochs: int) -> list[dict[str, Any]]:
    """Return the rows of a saved history.

    Raises:
        FormatError: they are not at most ``epochs`` rows of numbers.
    """
    rows = saved.reached.get("history")
    if not isinstance(rows, list) or len(rows) > epochs or not all(isinstance(row, dict) for row in rows):
        raise saved.damaged(f"history must be a list of at most {epochs:,} rows")
    for row in rows:
        if any(type(value) not in (int, float) for value in row.values()) or "loss" not in row:
            raise saved.damaged("the history must hold numbers")
    return rows
