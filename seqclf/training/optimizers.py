"""Adam and gradient descent for dense arrays and sparsely updated tables, gradient clipping, learning-rate schedule."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import numpy as np

from seqclf.kernels.adam import adam_update, adam_update_rows, sum_of_squares
from seqclf.layers.workers import Workers
from seqclf.training.freezing import Frozen
from wordvec import TrainingError
from wordvec.checkpointing.checkpoint import SavedTraining

_WORTH_SHARING = 1 << 17
"""The size above which a second thread pays off."""


class _Rule(ABC):
    """How one array is updated, in two halves that two threads may compute."""

    @abstractmethod
    def begin(
        self, gradient: np.ndarray, *, learning_rate: float, scale: float = 1.0, rows: np.ndarray | None = None
    ) -> Callable[[int], None]:
        """Count a step, and return what updates one half (0 or 1) of the values with ``scale * gradient``.

        Args:
            gradient: with the values' shape; with ``rows``, one row for each of them.
            learning_rate: of this step.
            scale: the clipping factor.
            rows: (U,) distinct rows of the values to update; None updates all.
        """

    def step(
        self, gradient: np.ndarray, *, learning_rate: float, scale: float = 1.0, rows: np.ndarray | None = None
    ) -> None:
        """Update both halves; arguments as of ``begin``."""
        half = self.begin(gradient, learning_rate=learning_rate, scale=scale, rows=rows)
        half(0)
        half(1)


class Adam(_Rule):
    """Adam (Kingma & Ba 2015) on one array, dense or row by row.

    Args:
        values: float32 or float64, C-contiguous; updated in place by every step.
        rows: keep moments only for the first ``rows`` rows, the trained ones; None for all.
        beta1, beta2, epsilon: as in the paper.

    Example:
        >>> weights = np.array([1.0, -2.0])
        >>> Adam(weights).step(np.array([0.5, 0.5]), learning_rate=0.1)
        >>> weights.round(6)
        array([ 0.9, -2.1])
    """

    def __init__(
        self,
        values: np.ndarray,
        *,
        rows: int | None = None,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.values = values
        kept = values if rows is None else values[:rows]
        self.first, self.second = np.zeros_like(kept), np.zeros_like(kept)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0

    def begin(
        self, gradient: np.ndarray, *, learning_rate: float, scale: float = 1.0, rows: np.ndarray | None = None
    ) -> Callable[[int], None]:
        """See ``_Rule``. Rows that are not updated keep their moments, so that a rare row's do not decay between its
        updates (as in PyTorch's SparseAdam); bias corrections count all steps."""
        self.steps += 1
        correction = math.sqrt(1 - self.beta2**self.steps)
        step_size = learning_rate * correction / (1 - self.beta1**self.steps)
        # The paper divides by sqrt(second / correction²) + epsilon; here both sides are times correction.
        kind = self.values.dtype.type
        scalars = [kind(x) for x in (scale, self.beta1, self.beta2, step_size, self.epsilon * correction)]
        if rows is not None:
            return lambda side: adam_update_rows(
                self.values, rows[_half(rows, side)], gradient[_half(rows, side)], self.first, self.second, *scalars
            )
        arrays = [a.reshape(-1) for a in (self.values, gradient, self.first, self.second)]

        def update(side: int) -> None:
            values, slope, first, second = (a[_half(a, side)] for a in arrays)
            adam_update(values, slope, first, second, *scalars)

        return update

    def moments(self, name: str) -> dict[str, np.ndarray]:
        """Return the moments, which steps update in place, by names that end in ``name``."""
        return {f"first.{name}": self.first, f"second.{name}": self.second}


class Sgd(_Rule):
    """Plain gradient descent with the interface of ``Adam``.

    Example:
        >>> weights = np.array([1.0, -2.0])
        >>> Sgd(weights).step(np.array([0.5, 1.0]), learning_rate=2.0)
        >>> weights.tolist()
        [0.0, -4.0]
    """

    def __init__(self, values: np.ndarray, *, rows: int | None = None) -> None:
        self.values = values
        self.steps = 0

    def moments(self, name: str) -> dict[str, np.ndarray]:
        """Return no arrays: there is no state."""
        return {}

    def begin(
        self, gradient: np.ndarray, *, learning_rate: float, scale: float = 1.0, rows: np.ndarray | None = None
    ) -> Callable[[int], None]:
        """See ``_Rule``."""
        factor = self.values.dtype.type(learning_rate * scale)

        def update(side: int) -> None:
            own = _half(gradient, side)
            self.values[own if rows is None else rows[own]] -= factor * gradient[own]

        return update


def _half(array: np.ndarray, side: int) -> slice:
    """Return the first (0) or second (1) half of an array's rows."""
    middle = len(array) // 2
    return slice(middle, None) if side else slice(middle)


def global_norm(*gradients: np.ndarray, workers: Workers | None = None) -> float:
    """Return the Euclidean norm of all arrays together, of large ones by halves.

    Example:
        >>> global_norm(np.array([3.0]), np.array([[0.0, 4.0]]))
        5.0
    """
    flat = [gradient.reshape(-1) for gradient in gradients]
    parts = [[part[_half(part, side)] for side in (0, 1)] if part.size >= _WORTH_SHARING else [part] for part in flat]
    run = map if workers is None else workers.map
    return math.sqrt(sum(float(found) for halves in parts for found in run(sum_of_squares, halves)))


def clipping(norm: float, limit: float) -> float:
    """Return the factor that reduces a gradient of ``norm`` to ``limit``; 1 if it is below.

    Example:
        >>> clipping(10.0, 5.0), clipping(3.0, 5.0)
        (0.5, 1.0)
    """
    return limit / norm if norm > limit else 1.0


def check_finite(value: float, step: int, learning_rate: float) -> None:
    """Raise TrainingError unless ``value``, computed from loss and gradient at a step (from 0), is finite."""
    if not math.isfinite(value):
        raise TrainingError(
            f"loss or gradient is NaN or infinite at step {step + 1}; lower learning_rate, which is {learning_rate}"
        )


OPTIMIZERS: dict[str, type[Adam] | type[Sgd]] = {"adam": Adam, "sgd": Sgd}


def scheduled_rate(
    step: int, steps: int, *, peak: float, warmup: int, schedule: str = "linear", drops: int = 0
) -> float:
    """Return the rate of a step: linear warm-up to ``peak`` over ``warmup`` steps, then as the schedule says.

    Warm-up takes at most a fifth of all steps, so that short runs reach the peak.

    Args:
        step: from 0. steps: of the whole training.
        peak, warmup: see above.
        schedule: ``linear`` decay to 0, half a ``cosine`` wave to 0 (Loshchilov & Hutter 2017), ``constant``, or
            ``plateau``, which divides the rate by 4 for each drop.
        drops: of ``plateau``, so far.

    Example:
        >>> [round(scheduled_rate(step, 10, peak=1.0, warmup=50), 3) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.125]
        >>> [round(scheduled_rate(step, 10, peak=1.0, warmup=0, schedule="cosine"), 3) for step in (0, 5, 9)]
        [1.0, 0.5, 0.024]
    """
    warmup = min(warmup, steps // 5)
    if schedule == "plateau":
        peak /= 4**drops
    if step < warmup:
        return peak * (step + 1) / warmup
    left = (steps - step) / (steps - warmup)
    if schedule == "cosine":
        return peak * (1 - math.cos(math.pi * left)) / 2
    return peak * left if schedule == "linear" else peak


class Drops:
    """The ``plateau`` schedule: counts the epochs that were no better than the best one before.

    Example:
        >>> drops = Drops()
        >>> for score in ((0.5,), (0.7,), (0.7,)):
        ...     drops.end_epoch(score)
        >>> drops.count
        1
    """

    def __init__(self) -> None:
        self.count = 0
        self._best: tuple[float, ...] = ()

    def end_epoch(self, score: tuple[float, ...]) -> None:
        """Compare the score of an epoch, higher being better, with the best one."""
        self.count += bool(self._best) and score <= self._best
        self._best = max(self._best, score)

    def numbers(self) -> dict[str, Any]:
        """Return the state, as a checkpoint holds it."""
        return {"best_score": list(self._best), "drops": self.count}

    def restore(self, saved: SavedTraining, epochs: int) -> None:
        """Continue from the saved state; ``epochs`` is the largest number of drops."""
        best = saved.reached.get("best_score")
        self._best = tuple(saved.numbers("best_score", len(best) if isinstance(best, list) else 1, missing=False))
        self.count = saved.whole("drops", 0, epochs)


class OptimizerSettings(Protocol):
    """The settings of an ``Optimizer``."""

    @property
    def learning_rate(self) -> float: ...

    @property
    def warmup_steps(self) -> int: ...

    @property
    def clip_norm(self) -> float: ...

    @property
    def optimizer(self) -> str: ...

    @property
    def schedule(self) -> str: ...

    @property
    def freeze(self) -> str | None: ...


class Optimizer:
    """Adam with clipping by the global norm and a learning-rate schedule.

    Args:
        dense: all dense parameters, flat; updated in place.
        learning_rate, warmup_steps: see ``scheduled_rate``.
        clip_norm: the largest global norm of a gradient.
        steps: the number of updates of the whole training.
        tables: sparsely updated embedding tables, each with the number of its first rows that are trained.
        workers: threads.
        optimizer: ``adam`` or ``sgd``. schedule: see ``scheduled_rate``.
        frozen: parameters that keep their values; None for none.

    Attributes:
        done: updates so far. learning_rate: of the last update.
    """

    def __init__(
        self,
        dense: np.ndarray,
        *,
        learning_rate: float,
        warmup_steps: int,
        clip_norm: float,
        steps: int,
        tables: Sequence[tuple[np.ndarray, int]] = (),
        workers: Workers | None = None,
        optimizer: str = "adam",
        schedule: str = "linear",
        frozen: Frozen | None = None,
    ) -> None:
        self._frozen = None if frozen is None else frozen.dense
        if frozen is not None:
            tables = [(table, 0 if kept else rows) for (table, rows), kept in zip(tables, frozen.tables, strict=True)]
        self._peak, self._warmup, self._clip_norm, self._steps = learning_rate, warmup_steps, clip_norm, steps
        self._schedule, self._drops = schedule, Drops()
        self._tuned = [rows for _, rows in tables]
        make = OPTIMIZERS[optimizer]
        self._dense, self._workers = make(dense), workers
        self._tables = [make(table, rows=rows) for table, rows in tables]
        self.done, self.learning_rate = 0, 0.0

    @classmethod
    def from_settings(
        cls,
        dense: np.ndarray,
        settings: OptimizerSettings,
        *,
        steps: int,
        tables: Sequence[tuple[np.ndarray, int]] = (),
        workers: Workers | None = None,
        frozen: Frozen | None = None,
    ) -> Self:
        """Return an optimizer with the learning rate and clipping in some settings."""
        return cls(
            dense,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            clip_norm=settings.clip_norm,
            steps=steps,
            tables=tables,
            workers=workers,
            optimizer=settings.optimizer,
            schedule=settings.schedule,
            frozen=frozen,
        )

    def step(self, loss: float, gradient: np.ndarray, *touched: tuple[np.ndarray | None, np.ndarray]) -> None:
        """Update all parameters that are not frozen.

        Args:
            loss: of this batch, only checked.
            gradient: of ``dense``; that of frozen parameters is set to 0.
            touched: for each table, distinct rows (U,) in ascending order, or None for all, and their gradient (U, E).

        Raises:
            TrainingError: the loss or a gradient is NaN or infinite; nothing is updated.
        """
        if self._frozen is not None:
            gradient[self._frozen] = 0
        cut = [_trained(rows, d_rows, tuned) for (rows, d_rows), tuned in zip(touched, self._tuned, strict=True)]
        norm = global_norm(gradient, *(d_rows for _, d_rows in cut), workers=self._workers)
        check_finite(norm + loss, self.done, self._peak)
        scale = clipping(norm, self._clip_norm)
        self.learning_rate = scheduled_rate(
            self.done,
            self._steps,
            peak=self._peak,
            warmup=self._warmup,
            schedule=self._schedule,
            drops=self._drops.count,
        )
        halves = [self._dense.begin(gradient, learning_rate=self.learning_rate, scale=scale)]
        for table, (rows, d_rows) in zip(self._tables, cut, strict=True):
            halves.append(table.begin(d_rows, rows=rows, learning_rate=self.learning_rate, scale=scale))

        def update(side: int) -> None:
            for half in halves:
                half(side)

        size = gradient.size + sum(d_rows.size for _, d_rows in cut)
        run = map if self._workers is None or size < _WORTH_SHARING else self._workers.map
        list(run(update, (0, 1)))
        self.done += 1

    def arrays(self, within_epoch: bool) -> dict[str, np.ndarray]:
        """Return Adam's moments by name."""
        return {
            name: moments
            for number, part in enumerate([self._dense, *self._tables])
            for name, moments in part.moments(str(number)).items()
        }

    def end_epoch(self, score: tuple[float, ...]) -> None:
        """Tell the schedule the validation score of an epoch."""
        self._drops.end_epoch(score)

    def numbers(self) -> dict[str, Any]:
        """Return the number of updates, and the state of the ``plateau`` schedule."""
        return {"updates": self.done} | (self._drops.numbers() if self._schedule == "plateau" else {})

    def restore(self, saved: SavedTraining) -> None:
        """Continue from the saved numbers."""
        self.done = saved.whole("updates", 0, self._steps)
        if self._schedule == "plateau":
            self._drops.restore(saved, self._steps)
        for part in [self._dense, *self._tables]:
            part.steps = self.done


def _trained(rows: np.ndarray | None, d_rows: np.ndarray, tuned: int) -> tuple[np.ndarray | None, np.ndarray]:
    """Return those of some rows, or of all, that are trained: the first ``tuned`` of their table."""
    if rows is None and tuned >= len(d_rows):
        return None, d_rows
    if rows is not None and (not rows.size or rows[-1] < tuned):
        return rows, d_rows
    rows = np.arange(len(d_rows)) if rows is None else rows
    # Rows ascend, so the untrained ones (kept vectors, the unknown word) come last.
    count = int(np.searchsorted(rows, tuned))
    return rows[:count], d_rows[:count]
