"""The forecaster as a scikit-learn estimator, a thin layer over ``train_forecaster``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from seqclf.estimator import SequenceEstimator
from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.series_model import HasResiduals
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.train import train_forecaster
from wordvec.system.progress import OnProgress


class Forecaster(SequenceEstimator):
    """A recurrent network that forecasts a series of one column or several from a window of its past.

    ``fit`` takes one series, not samples. :class:`seqclf.ForecasterSettings` explains every parameter.

    Args:
        window: the values read before a forecast.
        horizon: steps to forecast.
        strategy: ``direct`` forecasts all steps at once, ``recursive`` one at a time, fed back.
        season: steps in a season, such as 12 for months; None for none.
        seasonal: feed the time of the season to the network (``inputs``), subtract the value one season before
            (``difference``), or ``both``.
        log: forecast logarithms, for series whose variance grows with the level.
        relative: subtract each window's last value, which removes a trend.
        related: train one network on all columns as series of their own, each scaled on its own.
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        layers: recurrent layers.
        hidden_size: units per layer.
        dropout: dropout probability of the last hidden state.
        layer_dropout: dropout probability between layers.
        huber: threshold of the Huber loss, in standard deviations; None for squared errors.
        quantiles: learn quantiles; forecasts are medians, with intervals of 50, 80 and 90 % that need no back-test.
        batch_size: windows per step.
        learning_rate: Adam's peak learning rate.
        warmup_steps: steps until that peak.
        epochs: passes over the windows; the best epoch on the validation windows is kept.
        patience: stop after so many epochs without a better one; None never stops early.
        clip_norm: maximum global norm of a gradient.
        optimizer: ``adam``, or ``sgd``, which needs a much higher learning rate.
        schedule: after the warm-up the learning rate falls to 0 (``linear``, ``cosine``), stays (``constant``), or is
            divided by 4 after an epoch without improvement (``plateau``).
        freeze: parameters that keep their values: names that ``summarize`` lists, or their beginnings, such as
            ``"layers.0"``, separated by commas.
        validation_fraction: share of the windows, the last ones, that choose the epoch; 0 keeps the last epoch.
        random_state: a seed or a generator; None is different every time.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        model_: the :class:`seqclf.ForecasterModel`, which forecasts without scikit-learn.
        history_: one dict per epoch: loss, and loss on the validation windows.

    Example:
        >>> months = np.arange(120)
        >>> series = 10 + np.sin(months * 2 * np.pi / 12)
        >>> forecaster = Forecaster(
        ...     window=6, horizon=3, season=12, hidden_size=8, epochs=15, learning_rate=0.02, random_state=1
        ... )
        >>> bool(np.abs(forecaster.fit(series).predict()[:, 0] - [10, 10.5, 10.87]).max() < 0.2)
        True
    """

    def __init__(
        self,
        *,
        window: int = 30,
        horizon: int = 7,
        strategy: str = "direct",
        season: int | None = None,
        seasonal: str = "inputs",
        log: bool = False,
        relative: bool = False,
        related: bool = False,
        cell: str = "lstm",
        reset: str = "after",
        layers: int = 1,
        hidden_size: int = 32,
        dropout: float = 0.0,
        layer_dropout: float = 0.0,
        huber: float | None = None,
        quantiles: bool = False,
        batch_size: int = 32,
        learning_rate: float = 0.005,
        warmup_steps: int = 50,
        epochs: int = 30,
        patience: int | None = None,
        clip_norm: float = 1.0,
        optimizer: str = "adam",
        schedule: str = "linear",
        freeze: str | None = None,
        validation_fraction: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.season = season
        self.seasonal = seasonal
        self.log = log
        self.relative = relative
        self.related = related
        self.cell = cell
        self.reset = reset
        self.layers = layers
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.layer_dropout = layer_dropout
        self.huber = huber
        self.quantiles = quantiles
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.epochs = epochs
        self.patience = patience
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.schedule = schedule
        self.freeze = freeze
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        series: Any,
        y: Any = None,
        *,
        names: Sequence[str] | None = None,
        known: Any = None,
        on_progress: OnProgress | None = None,
    ) -> "Forecaster":
        """Train on a series.

        Scaling and weights are fitted to the windows before the validation part, the end that chooses the epoch.

        Args:
            series: (N,) or (N, D) numbers at equal time steps, the oldest first.
            y: ignored, there for the sake of scikit-learn's interface.
            names: of the columns; None takes those of a DataFrame or Series, else ``y0``, ``y1`` ...
            known: (N,) or (N, K) columns whose future is known, such as holidays; forecasts then need them.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, too short a series, or a number that is not finite.
            TrainingError: loss or gradient is no longer a number.
        """
        self.model_: ForecasterModel = train_forecaster(
            series, names=names, known=known, on_progress=on_progress, **self._training(ForecasterSettings)
        )
        self.history_ = self.model_.history
        return self

    def predict(self, steps: int | None = None, *, series: Any = None, start: int = 0, known: Any = None) -> np.ndarray:
        """Return the values (steps, D) float64 that follow the training series, or another one.

        Args:
            steps: their number; None is the horizon, the maximum of a direct forecaster.
            series: (N,) or (N, D); None continues the training series.
            start: the position of ``series[0]`` in the training series, which determines the time of the season.
            known: the columns known ahead, of the steps to forecast, or of the series and these steps if it is given;
                a direct forecaster needs those of its whole horizon.

        Raises:
            InputError: too few values, other columns, or too many steps.
        """
        check_is_fitted(self)
        return self.model_.predict(steps, series=series, start=start, known=known)

    def predict_interval(
        self, level: float = 0.9, steps: int | None = None, *, series: Any = None, start: int = 0, known: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds (steps, D) that cover each value with probability ``level``.

        The bounds are the forecast plus quantiles of the back-test's errors at the same step, with the ranks of
        split-conformal prediction (Vovk et al. 2005); if it has too few errors for ``level``, those of Student's t.
        With ``quantiles``, they are those that the network learned, for a level of 0.5, 0.8 or 0.9. The other arguments
        are those of ``predict``.

        Raises:
            InputError: there was no back-test, or it has fewer steps; a level that was not learned.
        """
        check_is_fitted(self)
        return self.model_.predict_interval(level, steps, series=series, start=start, known=known)

    def forecast(
        self, series: Any, origins: Any, steps: int | None = None, *, start: int = 0, known: Any = None
    ) -> np.ndarray:
        """Return forecasts from several positions of a series, each from the values before its position only.

        Args:
            series: (N,) or (N, D). origins: (n,) positions of the first value to forecast, at most N.
            steps, start: as in ``predict``.
            known: (M, K) the columns known ahead, from the first value of the series on.

        Returns:
            (n, steps, D) float64.

        Raises:
            InputError: too few values before an origin, or other columns.
        """
        check_is_fitted(self)
        return self.model_.forecast(series, origins, steps, start=start, known=known)

    def calibrate(self, report: HasResiduals) -> "Forecaster":
        """Keep the errors of a back-test, as :func:`seqclf.backtest` returns it, for ``predict_interval``.

        Raises:
            InputError: it has another horizon or other columns.
        """
        check_is_fitted(self)
        self.model_.calibrate(report)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array = False, True
        return tags
