"""Training of a forecaster, from a series to a model."""

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqclf.data.series import as_series, column_names
from seqclf.forecasting.known import KnownColumns, linear_effects, training_columns
from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.network import fresh_network, pack_windows, predict_quantiles
from seqclf.forecasting.settings import QUANTILES, ForecasterSettings
from seqclf.forecasting.windows import Preparation, windows_after, windows_before
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.workers import Workers
from seqclf.training.dropout import DropoutRates
from seqclf.training.loop import Outcome, steps_in_all, train_in_batches
from seqclf.training.pooled import Trainer
from seqclf.training.resuming import Resumption
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

logger = logging.getLogger(__name__)

_FEW_FOR_QUANTILES = 200
"""Windows below which learned intervals were far too narrow, see docs/how-to/forecasts.md."""


def train_forecaster(
    series: Any,
    *,
    settings: ForecasterSettings | None = None,
    names: Sequence[str] | None = None,
    known: Any = None,
    known_names: Sequence[str] | None = None,
    adjust: bool = True,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> ForecasterModel:
    """Train a recurrent network that forecasts a series of one column or several.

    Args:
        series: (N,) or (N, D) numbers at equal time steps, the oldest first.
        settings: default: ``ForecasterSettings()``.
        names: of the columns; None takes those of a DataFrame or Series, else ``y0``, ``y1`` ...
        known: (N,) or (N, K) columns whose future is known, such as holidays; forecasts then need them for their steps.
        known_names: of these columns, else ``x0``, ``x1`` ...
        adjust: first subtract the linear effect of these columns; see ``KnownColumns``.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its ``history`` has one row per epoch.

    Raises:
        InputError: the series is too short, or not all numbers are finite.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: loss or gradient is no longer a number.

    Example:
        >>> series = np.sin(np.arange(60) * 2 * np.pi / 6)
        >>> settings = ForecasterSettings(window=6, horizon=2, hidden_size=8, epochs=2)
        >>> train_forecaster(series, settings=settings, threads=1).predict().shape
        (2, 1)
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    settings = or_defaults(settings, ForecasterSettings)
    values = as_series(series)
    columns = values.shape[1]
    names = column_names(series) if names is None else names
    named = [f"y{column}" for column in range(columns)] if names is None else [str(name) for name in names]
    if len(named) != columns:
        raise InputError(f"{len(named)} names for {columns} columns")
    ahead, ahead_names = (None, []) if known is None else training_columns(known, known_names, len(values))
    first = settings.window + (settings.season or 0 if settings.seasonal != "inputs" else 0)
    windows = len(values) - first - settings.step + 1
    if windows < 1:
        raise InputError(
            f"{len(values)} values are too few: a window of {settings.window}"
            + (f", a season of {settings.season}" if first > settings.window else "")
            + f" and {settings.step} steps ahead need {first + settings.step}; reduce them"
        )
    dev = int(windows * settings.validation_fraction)
    # Training must not see any value that is forecast in the validation part.
    trained = len(values) - dev - settings.step + 1 if dev else len(values)
    if trained - first < settings.step:
        dev, trained = 0, len(values)
    columns_ahead, effect = None, np.zeros((1, columns))
    if ahead is not None:
        level = np.log(values) if settings.log and (values > 0).all() else values
        effects = linear_effects(level[:trained], ahead[:trained], settings.season or 1) if adjust else None
        columns_ahead = KnownColumns.learn(ahead, ahead_names, settings.step, first, effects)
        effect = columns_ahead.effect(ahead, columns)
    preparation = Preparation.learn(
        values[:trained], effect[:trained], season=settings.season or 0, seasonal=settings.seasonal,
        log=settings.log, relative=settings.relative,
    )  # fmt: skip
    at_once = settings.columns_at_once(columns)
    inputs = at_once + preparation.waves + (0 if columns_ahead is None else columns_ahead.width)
    network = fresh_network(settings, inputs, at_once)
    scaled = preparation.scale(preparation.logarithm(values) - effect)
    training, validation = np.arange(first, trained - settings.step + 1), np.arange(trained, trained + dev)
    if settings.quantiles and training.size < _FEW_FOR_QUANTILES:
        logger.warning(
            "%d windows are few to learn quantiles from: intervals may be too narrow; add values, or omit quantiles",
            training.size,
        )
    resumption.begin("forecaster", settings, {"values": len(values)}, [values, *([] if ahead is None else [ahead])])

    def windows_of(origins: np.ndarray) -> Windows:
        before = windows_before(scaled, origins, settings.window)
        read = None if columns_ahead is None or ahead is None else columns_ahead.inputs(ahead, origins, settings.window)
        return Windows(before, windows_after(scaled, origins, settings.step), read)

    with Workers(threads) as workers:
        outcome = _train(
            network, preparation, settings, windows_of, training, validation, columns, workers, on_progress, resumption
        )
    return ForecasterModel(
        network,
        preparation,
        settings=settings,
        names=named,
        tail=values[-first:].copy(),
        known=columns_ahead,
        length=len(values),
        metrics=outcome.metrics(windows=int(training.size), dev_windows=int(validation.size)),
        history=outcome.history,
    )


class Windows(NamedTuple):
    """Scaled values (n, T, D) before origins, (n, S, D) from them on, and inputs (n, T, E) of columns known ahead."""

    before: np.ndarray
    after: np.ndarray
    known: np.ndarray | None


def _train(
    network: PooledNetwork,
    preparation: Preparation,
    settings: ForecasterSettings,
    windows_of: Callable[[np.ndarray], Windows],
    training: np.ndarray,
    validation: np.ndarray,
    columns: int,
    workers: Workers,
    on_progress: OnProgress | None,
    resumption: Resumption,
) -> Outcome:
    """Train on the windows before the origins ``training``; those before ``validation`` choose the epoch."""
    related = columns if settings.related else 1
    steps = steps_in_all(training.size * related, settings)
    trainer = Trainer(
        network,
        settings,
        rates=DropoutRates(between=settings.layer_dropout),
        tuned_rows=0,
        steps=steps,
        workers=workers,
    )

    def step(members: np.ndarray) -> float:
        origins = training[members // related]
        windows, targets, known = windows_of(origins)
        if related > 1:
            windows, targets = (_column_of(each, members % related) for each in (windows, targets))
        targets = targets - preparation.anchors(windows)
        batch, inputs = pack_windows(preparation, windows, origins, known)
        return trainer.step(batch, targets.reshape(origins.size, -1).astype(np.float32), inputs)

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        windows, truth, known = windows_of(validation)
        errors = truth[:, None] - predict_quantiles(network, preparation, windows, validation, known)
        if settings.quantiles:
            slopes = np.array(QUANTILES)[:, None, None] - (errors < 0)
            loss = float((slopes * errors).mean())
        else:
            loss = float(np.square(errors).mean())
        return {"dev_loss": loss}, (-loss,)

    return train_in_batches(
        step, np.full(training.size * related, settings.window), trainer.optimizer, settings,
        arrays=[network.dense], unit="windows", evaluate=on_dev if validation.size else None, on_progress=on_progress,
        resumption=resumption,
    )  # fmt: skip


def _column_of(windows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return one column (n, T, 1) of each of n windows (n, T, D)."""
    return np.take_along_axis(windows, columns[:, None, None], axis=2)
