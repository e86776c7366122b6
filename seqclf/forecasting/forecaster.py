"""Forecaster: what comes next in a series, by a recurrent net that reads a window of it. One file to keep it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.data.series import as_series
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.windows import Preparation, windows_after, windows_before
from seqclf.layers.batches import PackedBatch, pack
from seqclf.layers.heads import RegressionHead
from seqclf.layers.parameters import EncoderShape, Workspace, encoder_shapes, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.workers import Workers
from seqclf.model_file import TRAINING_RULES, check_header, check_tensors, read_model, write_model
from seqclf.training.dropout import OUTPUT, draw_mask, dropout_key
from seqclf.training.loop import Progress, steps_in_all, train_in_batches
from seqclf.training.optimizers import Optimizer
from wordvec import FormatError, InputError, check_number, check_whole

if TYPE_CHECKING:
    from seqclf.forecasting.back_testing import Backtest

KIND = "forecaster"
_PREDICTED = 512  # windows a batch


class Forecaster:
    """A recurrent net that forecasts a series, of one column or several, from a window of its past.

    Args:
        settings: default: ``ForecasterSettings()``.

    Attributes:
        settings: as given. names: the columns. history: a row an epoch. metrics: numbers from training.
        residuals: (K, H, D) errors of a back-test, which give intervals; none before ``calibrate``.

    Example:
        >>> months = np.arange(120)
        >>> series = 10 + np.sin(months * 2 * np.pi / 12)
        >>> settings = ForecasterSettings(window=6, horizon=3, season=12, hidden_size=8, epochs=15, learning_rate=0.02)
        >>> forecaster = Forecaster(settings).fit(series, threads=1)
        >>> bool(np.abs(forecaster.predict()[:, 0] - [10, 10.5, 10.87]).max() < 0.2)
        True
    """

    def __init__(self, settings: ForecasterSettings | None = None) -> None:
        self.settings = (settings or ForecasterSettings()).validate()
        self.names: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        self.residuals = np.empty((0, 0, 0))
        self._network: PooledNetwork | None = None

    # --------------------------------------------------------------- training

    def fit(
        self,
        series: Any,
        *,
        names: Sequence[str] | None = None,
        threads: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> "Forecaster":
        """Train on a series.

        The scaling, and what is learnt, come from the windows before the held-out end; that end chooses the epoch.

        Args:
            series: (N,) or (N, D) numbers at equal steps, the oldest first.
            names: of the columns.
            threads: at most so many; None takes the cores there are. The result is the same at any number.
            on_progress: called a few times a second.

        Raises:
            InputError: the series is too short, or holds what is not a finite number.
            TrainingError: the loss is no longer a number.
        """
        values, settings = as_series(series), self.settings
        names = [str(name) for name in names] if names is not None else [f"y{i}" for i in range(values.shape[1])]
        if len(names) != values.shape[1]:
            raise InputError(f"{len(names)} names for {values.shape[1]} columns")
        first = settings.window + (settings.season or 0 if settings.seasonal != "inputs" else 0)
        windows = len(values) - first - settings.step + 1
        if windows < 1:
            raise InputError(
                f"{len(values)} values are too few: a window of {settings.window}"
                + (f", a season of {settings.season}" if first > settings.window else "")
                + f" and {settings.step} steps ahead need {first + settings.step}; make them smaller"
            )
        self.names = names
        held = int(windows * settings.validation_fraction)
        # No value to be forecast in the held-out end may be one that training has seen.
        known = len(values) - held - settings.step + 1 if held else len(values)
        if known - first < settings.step:
            held, known = 0, len(values)
        self.preparation = Preparation.learn(
            values[:known], season=settings.season or 0, seasonal=settings.seasonal,
            log=settings.log, relative=settings.relative,
        )  # fmt: skip
        self._network = self._fresh(values.shape[1])
        scaled = self.preparation.scale(self.preparation.logarithm(values))
        with Workers(threads) as workers:
            training = np.arange(first, known - settings.step + 1)
            self._train(scaled, training, np.arange(known, known + held), workers, on_progress)
        self._tail = values[-first:].copy()
        self._length = len(values)
        self.residuals = np.empty((0, settings.horizon, values.shape[1]))
        return self

    def _fresh(self, columns: int) -> PooledNetwork:
        settings = self.settings
        random = np.random.default_rng([settings.seed, 0xF0CA])
        head = RegressionHead(columns * settings.step, settings.hidden_size, huber=settings.huber, random=random)
        shape = _shape(settings, columns + self.preparation.waves)
        return PooledNetwork(shape, head, initial_encoder(shape, None, random) | head.parameters())

    def _train(
        self,
        scaled: np.ndarray,
        training: np.ndarray,
        held: np.ndarray,
        workers: Workers,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        assert self._network is not None
        network, settings = self._network, self.settings
        optimizer = Optimizer(
            network.dense, learning_rate=settings.learning_rate, warmup_steps=settings.warmup_steps,
            clip_norm=settings.clip_norm, steps=steps_in_all(training.size, settings),
            workers=workers,
        )  # fmt: skip

        def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
            loss = self._loss(scaled, held)
            return {"dev_loss": loss}, (-loss,)

        outcome = train_in_batches(
            lambda members: self._step(scaled, training[members], optimizer, workers),
            np.full(training.size, settings.window), optimizer, settings,
            arrays=[network.dense], evaluate=on_dev if held.size else None, on_progress=on_progress,
        )  # fmt: skip
        self.history = outcome.history
        self.metrics = {
            "best_epoch": outcome.best_epoch,
            "windows": int(training.size),
            "dev_windows": int(held.size),
            **{name: value for name, value in outcome.history[outcome.best_epoch - 1].items() if name != "epoch"},
        }

    def _step(self, scaled: np.ndarray, origins: np.ndarray, optimizer: Optimizer, workers: Workers) -> float:
        assert self._network is not None
        network, rate = self._network, self.settings.dropout
        windows = windows_before(scaled, origins, self.settings.window)
        targets = windows_after(scaled, origins, self.settings.step) - self.preparation.anchors(windows)
        mask = None
        if rate:
            key = dropout_key(self.settings.seed, OUTPUT, optimizer.done)
            mask = draw_mask(origins.size, network.encoder.features, rate, key, network.dtype)
        batch, inputs = self._batch(windows, origins)
        tape = network.forward(batch, workers, inputs=inputs, pooled_mask=mask)
        loss, _ = network.loss_and_backward(tape, targets.reshape(origins.size, -1).astype(np.float32), workers)
        optimizer.step(loss, network.d_dense)
        return loss

    def _batch(self, windows: np.ndarray, origins: np.ndarray) -> tuple[PackedBatch, np.ndarray]:
        """Windows (n, T, D) that end before their origins, as a batch in their order, and its inputs."""
        inputs = self.preparation.inputs(windows, origins - windows.shape[1])
        count, length = windows.shape[:2]
        steps = np.arange(count * length, dtype=np.int32)
        return pack(steps, np.arange(count + 1) * length, np.arange(count)), inputs.reshape(steps.size, -1)

    def _loss(self, scaled: np.ndarray, origins: np.ndarray) -> float:
        """The mean squared error of scaled values."""
        truth = windows_after(scaled, origins, self.settings.step)
        forecast = self._say(windows_before(scaled, origins, self.settings.window), origins)
        return float(np.square(forecast - truth).mean())

    # ------------------------------------------------------------- forecasting

    def _say(self, windows: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """The net's next steps (n, S, D), scaled, after windows (n, T, D)."""
        assert self._network is not None
        found = np.empty((len(windows), self.settings.step, windows.shape[2]))
        workspace = Workspace(np.float32)
        for start in range(0, len(windows), _PREDICTED):
            part = slice(start, start + _PREDICTED)
            batch, inputs = self._batch(windows[part], origins[part])
            said = self._network.predict(batch, inputs=inputs, workspace=workspace)
            found[part] = said.reshape(-1, *found.shape[1:])
        return found + self.preparation.anchors(windows)

    def forecast(self, series: Any, origins: Any, steps: int | None = None, *, start: int = 0) -> np.ndarray:
        """Forecasts from many places of a series, each knowing only what stands before it.

        Args:
            series: (N,) or (N, D). origins: (n,) positions of the first value to be forecast, at most N.
            steps: how many; None is the horizon. A direct forecaster has no more than that.
            start: the position of ``series[0]`` in the series it was trained on, which says where in the season it is.

        Returns:
            (n, steps, D) float64.

        Raises:
            InputError: it is not trained, an origin has too little before it, or the columns are others.
        """
        level = self._level(series)
        origins = np.asarray(origins, dtype=np.int64)
        return self.preparation.original(self._forecast(level, origins, self._steps(steps), start))

    def _level(self, series: Any) -> np.ndarray:
        self._trained()
        values = as_series(series)
        if values.shape[1] != len(self.names):
            raise InputError(f"the series has {values.shape[1]} columns, the forecaster knows {len(self.names)}")
        return self.preparation.logarithm(values)

    def _steps(self, steps: int | None) -> int:
        steps = self.settings.horizon if steps is None else steps
        check_whole("steps", steps, 1)
        if self.settings.strategy == "direct" and steps > self.settings.horizon:
            raise InputError(
                f"steps must be at most {self.settings.horizon}, the horizon it was trained for, got {steps}; "
                "train a longer one, or a recursive one"
            )
        return steps

    def _forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Forecasts (n, steps, D) of the logarithms, if it takes any."""
        least = self.settings.window + self.preparation.lag
        if origins.size and not least <= origins.min() <= origins.max() <= len(level):
            bad = origins.min() if origins.min() < least else origins.max()
            raise InputError(f"a forecast needs {least} values before it, of {len(level)}; got position {bad}")
        windows = windows_before(self.preparation.scale(level), origins, self.settings.window)
        said = np.empty((origins.size, 0, level.shape[1]))
        while said.shape[1] < steps:
            now = self._say(windows, origins + start + said.shape[1])
            said = np.concatenate([said, now], axis=1)
            windows = np.concatenate([windows, now], axis=1)[:, -self.settings.window :]
        return self.preparation.restore(said[:, :steps], origins, level)

    def predict(self, steps: int | None = None, *, series: Any = None, start: int = 0) -> np.ndarray:
        """What follows the series it was trained on, or another one: (steps, D) float64.

        Arguments are those of ``forecast``; ``series`` None goes on where training ended.
        """
        ahead = self._ahead(steps, series, start)
        return self.preparation.original(ahead)

    def _ahead(self, steps: int | None, series: Any, start: int) -> np.ndarray:
        self._trained()
        if series is None:
            series, start = self._tail, self._length - len(self._tail)
        level = self._level(series)
        return self._forecast(level, np.array([len(level)]), self._steps(steps), start)[0]

    def calibrate(self, report: "Backtest") -> "Forecaster":
        """Keep the errors of a back-test, for ``predict_interval``."""
        self._trained()
        if report.residuals.shape[1:] != (self.settings.horizon, len(self.names)):
            raise InputError(
                f"the back-test is one of {report.residuals.shape[1:]} steps and columns, "
                f"the forecaster has {(self.settings.horizon, len(self.names))}"
            )
        self.residuals = report.residuals
        return self

    def predict_interval(
        self, level: float = 0.9, steps: int | None = None, *, series: Any = None, start: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between what bounds each value will lie, in a share ``level`` of cases: two arrays (steps, D).

        The bounds are the forecast plus quantiles of the back-test's errors at the same step, with the ranks of
        split-conformal prediction (Vovk et al. 2005): as wide as the errors have been, of whatever shape.

        Raises:
            InputError: there was no back-test, or one of too few errors for ``level``, or steps beyond it.
        """
        check_number("level", level, above=0, below=1)
        middle, count = self._ahead(steps, series, start), len(self.residuals)
        rank = int((count + 1) * (1 - level) / 2 + 1e-9)
        if not count:
            raise InputError("intervals need the errors of a back-test; call calibrate with one, or train with --test")
        if rank < 1:
            raise InputError(f"an interval of {level:g} needs {int(np.ceil(2 / (1 - level) - 1e-9)) - 1} errors "
                             f"of a back-test, there are {count}; lower the level")  # fmt: skip
        if len(middle) > self.residuals.shape[1]:
            raise InputError(
                f"intervals reach {self.residuals.shape[1]} steps, as the back-test did; asked {len(middle)}"
            )
        ordered = np.sort(self.residuals[:, : len(middle)], axis=0)
        low, high = middle + ordered[rank - 1], middle + ordered[count - rank]
        return self.preparation.original(low), self.preparation.original(high)

    def back_test(self, series: Any, test: int, **options: Any) -> "Backtest":
        """See :func:`seqclf.back_test`, with this forecaster's settings; the forecaster itself stays as it is."""
        from seqclf.forecasting.back_testing import back_test

        return back_test(series, self.settings, test, **options)

    def _trained(self) -> None:
        if self._network is None:
            raise InputError("the forecaster is not trained; call fit with a series first")

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file. The same forecaster, the same bytes.

        Raises:
            InputError: it is not trained, or ``path`` cannot be written; what stood there before still stands.
        """
        self._trained()
        assert self._network is not None
        header = {
            "settings": asdict(self.settings),
            "names": self.names,
            "length": self._length,
            "metrics": self.metrics,
            "history": self.history,
        }
        tensors = {
            **self._network.parameters(),
            "mean": self.preparation.mean,
            "deviation": self.preparation.deviation,
            "tail": self._tail,
            "residuals": self.residuals,
        }
        write_model(path, tensors, header, kind=KIND)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Forecaster":
        """Read what :meth:`save` wrote, checking every shape and number.

        Raises:
            FormatError: the file is no forecaster, is cut short, or does not add up.
            InputError: it is missing or a directory.
        """
        name = str(path)
        tensors, header = read_model(path, kind=KIND)
        settings = _settings(name, header)
        self = cls(settings)
        self.names, self._length = header["names"], header["length"]
        self.metrics, self.history = header["metrics"], header["history"]
        columns, outputs = len(self.names), len(self.names) * settings.step
        if settings.layers > len(tensors):
            raise FormatError(f"{name} is damaged: {settings.layers} layers, but {len(tensors)} tensors")
        count = len(tensors["residuals"]) if "residuals" in tensors else 0
        self.preparation = Preparation(
            settings.season or 0, settings.seasonal, settings.log, settings.relative,
            *(tensors.get(key, np.zeros(columns)) for key in ("mean", "deviation")),
        )  # fmt: skip
        shape = _shape(settings, columns + self.preparation.waves)
        weights = encoder_shapes(shape)
        weights |= {"head.weight": (outputs, settings.hidden_size), "head.bias": (outputs,)}
        least = settings.window + self.preparation.lag
        numbers = {
            "mean": (columns,),
            "deviation": (columns,),
            "tail": (least, columns),
            "residuals": (count, settings.horizon, columns),
        }
        check_tensors(name, tensors, weights, numbers=numbers)
        if (tensors["deviation"] <= 0).any() or (settings.log and (tensors["tail"] <= 0).any()):
            raise FormatError(f"{name} is damaged: a deviation or a logarithm of what is not above 0")
        head = RegressionHead(outputs, settings.hidden_size, huber=settings.huber)
        self._network = PooledNetwork(shape, head, {key: tensors[key] for key in weights})
        self._tail, self.residuals = tensors["tail"], tensors["residuals"]
        return self

    def __repr__(self) -> str:
        settings = self.settings
        trained = f"{', '.join(self.names)}" if self._network is not None else "not trained"
        return (
            f"<Forecaster: {settings.strategy} {settings.cell} of {settings.hidden_size}, "
            f"{settings.horizon} steps from {settings.window}; {trained}>"
        )


def _shape(settings: ForecasterSettings, inputs: int) -> EncoderShape:
    return EncoderShape(
        vocabulary=0, vector_size=inputs, hidden_size=settings.hidden_size, cell=settings.cell, reset=settings.reset,
        bidirectional=False, layers=settings.layers,
    )  # fmt: skip


def _settings(name: str, header: Mapping[str, Any]) -> ForecasterSettings:
    """The settings a file's header holds, once everything in it is what it must be."""
    rules: dict[str, tuple[type, str, Any]] = {
        "names": (list, "names of columns", lambda value: value and all(isinstance(name, str) for name in value)),
        "length": (int, "above 0", lambda value: value > 0),
    }
    check_header(name, header, {**TRAINING_RULES, **rules})
    known = {field.name for field in fields(ForecasterSettings)}
    if header["settings"].keys() != known:
        raise FormatError(f"{name} is of another version: its settings are {', '.join(sorted(header['settings']))}")
    try:
        return ForecasterSettings(**header["settings"]).validate()
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None
