"""Back-test: the accuracy of forecasts from many past origins, compared with naive forecasts."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np

from seqclf.data.series import as_series
from seqclf.forecasting.known import training_columns
from seqclf.forecasting.methods import Method, Naive, SeasonalMean, SeasonalNaive
from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.series_model import SeriesModel
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.train import train_forecaster
from seqclf.forecasting.windows import windows_after
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.validation import check_kind, check_whole

logger = logging.getLogger(__name__)

Model = TypeVar("Model", bound=SeriesModel)
RESAMPLES = 2000
CONFIDENCE = 0.95
COVERAGE_LEVELS = (0.5, 0.8, 0.9)
BLOCKS = 5
"""The fewest blocks of origins from which an interval is computed."""


@dataclass(frozen=True)
class ConfidenceInterval:
    """A difference of errors with its confidence interval; above 0 the network is better.

    Attributes:
        value: the other method's error minus the network's. low, high: bounds of its 95 % interval, None with too few
            origins.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ForecastScore:
    """The errors of one forecasting method over all origins, steps and columns.

    Attributes:
        name: of the method.
        mae: mean absolute error. rmse: root of the mean squared error.
        mase: mean absolute scaled error (Hyndman & Koehler 2006): each column's absolute errors divided by the mean
            absolute change over a season (a step, without one) in the training part.
        mae_margin, rmse_margin: how much better the network is; None for the network itself.
    """

    name: str
    mae: float
    rmse: float
    mase: float
    mae_margin: ConfidenceInterval | None = None
    rmse_margin: ConfidenceInterval | None = None


@dataclass(frozen=True)
class Backtest:
    """The result of a back-test.

    Attributes:
        origins: (n,) the position of the first value of each forecast.
        forecasts, truth: (n, H, D).
        residuals: (n, H, D) truth minus forecast, of logarithms if ``log`` is set.
        scores: the network's first, then the naive methods'.
        block: origins per block of the bootstrap.
        coverage: the share of values within the prediction intervals of the trained forecasters, by their level; empty
            for networks without quantiles, which have no intervals before they are calibrated.
    """

    origins: np.ndarray
    forecasts: np.ndarray
    truth: np.ndarray
    residuals: np.ndarray
    scores: list[ForecastScore]
    block: int
    coverage: dict[str, float] = field(default_factory=dict)

    def residuals_of(self, log: bool) -> np.ndarray | None:
        """Return truth minus forecast (n, H, D), or that of logarithms; None if a forecast has no logarithm."""
        if not log:
            return np.asarray(self.truth - self.forecasts)
        if min(self.truth.min(), self.forecasts.min()) <= 0:
            return None
        return np.asarray(np.log(self.truth) - np.log(self.forecasts))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        report = {"origins": len(self.origins), "block": self.block, "scores": [asdict(score) for score in self.scores]}
        return report | ({"coverage": self.coverage} if self.coverage else {})


def backtest(
    series: Any,
    settings: ForecasterSettings,
    test: int,
    *,
    refits: int = 1,
    seasons: Sequence[int] = (),
    known: Any = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Backtest:
    """Forecast the end of a series from each of its positions (rolling origin), from the values before it only.

    The network is compared with ``naive`` (repeat the last value), ``seasonal-naive`` (repeat the last season) and, for
    its own season, ``seasonal mean`` (the mean of the same time over all seasons of the training part). The intervals
    come from a circular block bootstrap (Politis & Romano 1992) over the origins: errors at nearby origins are
    correlated, so blocks of twice the horizon are resampled, 2,000 times. At least 5 blocks are needed.

    Args:
        series: (N,) or (N, D).
        settings: of the network, which is trained on the values before the last ``test``, scaling included.
        test: the number of values at the end that are forecast.
        refits: split the test part into this many parts, and train a network for each on all earlier values.
        seasons: steps in a season, for more seasonal-naive forecasts; that of the settings is always included.
        known: (N,) or (N, K) columns whose future is known; see ``train_forecaster``.
        threads: the largest number of threads; they do not change the result.
        on_progress: called a few times a second.

    Raises:
        InputError: the series is too short.

    Example:
        >>> series = np.sin(np.arange(200) * 2 * np.pi / 20) + np.random.default_rng(1).normal(0, 0.3, 200)
        >>> settings = ForecasterSettings(window=10, horizon=2, season=20, hidden_size=8, epochs=12)
        >>> found = backtest(series, settings, test=50, threads=1)
        >>> [score.name for score in found.scores]
        ['lstm, direct', 'naive', 'seasonal-naive 20', 'seasonal mean 20']
        >>> found.scores[1].mae_margin.low > 0
        True
    """
    check_kind("settings", settings, ForecasterSettings)
    check_whole("refits", refits, 1)

    rows = None if known is None else training_columns(known, None, len(as_series(series)))[0]

    def train(before: np.ndarray) -> ForecasterModel:
        ahead = None if rows is None else rows[: len(before)]
        return train_forecaster(before, settings=settings, known=ahead, threads=threads, on_progress=on_progress)

    return rolling_backtest(
        series, train, test, horizon=settings.horizon, refits=refits, seasons=seasons, seed=settings.seed,
        name=lambda model: f"{settings.cell}, {settings.strategy}", season=lambda model: settings.season,
        known=rows,
    )  # fmt: skip


def rolling_backtest(
    series: Any,
    train: Callable[[np.ndarray], Model],
    test: int,
    *,
    horizon: int,
    refits: int | None,
    seasons: Sequence[int],
    seed: int,
    name: Callable[[Model], str],
    season: Callable[[Model], int | None],
    known: np.ndarray | None = None,
) -> Backtest:
    """Run ``backtest`` for any kind of forecaster.

    Args:
        series, test, seasons: as for ``backtest``.
        train: returns the model of the values before an origin.
        horizon, seed: steps to forecast, and the seed of the bootstrap.
        refits: None trains at every origin.
        known: (N, K) the columns known ahead; ``train`` gets none of them.
        name, season: return what reports call the last model, and the season of the naive forecasts.
    """
    values = as_series(series)
    test = check_whole("test", test, 1)
    seasons = [check_whole("season", each, 1) for each in seasons]
    count = test - horizon + 1
    refits = max(count, 1) if refits is None else check_whole("refits", refits, 1)
    if count < refits:
        raise InputError(f"test must be at least {horizon + refits - 1} for a horizon of {horizon} and {refits} "
                         f"refits, got {test}")  # fmt: skip
    if test >= len(values):
        raise InputError(f"test must be below {len(values)}, the length of the series, got {test}")
    origins = len(values) - test + np.arange(count)
    truth = windows_after(values, origins, horizon)
    forecasts, residuals = np.empty_like(truth), np.empty_like(truth)
    covered = {level: np.full(truth.shape, np.nan) for level in COVERAGE_LEVELS}
    for part in np.array_split(np.arange(count), refits):
        model = train(values[: origins[part[0]]])
        forecasts[part] = model.forecast(values, origins[part], known=known)
        past = model.past(values, 0, known, int(origins[part[-1]]), horizon)
        logarithm = model.preparation.logarithm
        residuals[part] = logarithm(truth[part]) - logarithm(forecasts[part])
        for level in COVERAGE_LEVELS if model.has_intervals else ():
            low, high = model.margins(past, origins[part], horizon, level)
            covered[level][part] = (low <= residuals[part]) & (residuals[part] <= high)
    found = {name(model): forecasts}
    found |= naive_forecasts(values, origins, horizon, season(model), seasons)
    block = max(2 * horizon, int(np.ceil(count ** (1 / 3))))
    if count < BLOCKS * block:
        logger.warning(
            "%s too few for confidence intervals, which need %d blocks of %d; "
            "increase test, or reduce the horizon",
            "1 origin is" if count == 1 else f"{count} origins are", BLOCKS, block,
        )  # fmt: skip
    scores = _scores(found, truth, _scale(values[: origins[0]], season(model) or 1), block, seed)
    coverage = {f"{level:g}": float(inside.mean()) for level, inside in covered.items() if np.isfinite(inside).all()}
    return Backtest(origins, forecasts, truth, residuals, scores, block, coverage)


def naive_forecasts(
    values: np.ndarray, origins: np.ndarray, horizon: int, season: int | None, seasons: Sequence[int] = ()
) -> dict[str, np.ndarray]:
    """Return naive forecasts (n, H, D) by name; see ``backtest``.

    Example:
        >>> found = naive_forecasts(np.array([[1.0], [2], [3], [4], [9]]), np.array([4]), 2, 2)
        >>> {name: forecast[0, :, 0].tolist() for name, forecast in found.items()}
        {'naive': [4.0, 4.0], 'seasonal-naive 2': [3.0, 4.0], 'seasonal mean 2': [2.0, 3.0]}
    """
    methods: list[Method] = [Naive(1, {})]
    for period in dict.fromkeys([*([season] if season else []), *seasons]):
        if period > origins[0]:
            raise InputError(f"a season must be at most {origins[0]}, the values before the test part, got {period}")
        methods.append(SeasonalNaive(period, {}))
    if season:
        methods.append(SeasonalMean.fit(values[: origins[0]], season))
    return {method.label: method.forecast(values, origins, horizon, 0) for method in methods}


def _scale(known: np.ndarray, season: int) -> np.ndarray:
    """Return the scale of MASE (D,): the mean absolute change over a season."""
    if len(known) <= season:
        raise InputError(f"the values before the test part must be more than a season of {season}, got {len(known)}")
    scale: np.ndarray = np.abs(known[season:] - known[:-season]).mean(axis=0)
    return np.where(scale > 0, scale, np.nan)


def _scores(
    found: dict[str, np.ndarray], truth: np.ndarray, scale: np.ndarray, block: int, seed: int
) -> list[ForecastScore]:
    absolute = {name: np.abs(forecast - truth).mean(axis=(1, 2)) for name, forecast in found.items()}
    squared = {name: np.square(forecast - truth).mean(axis=(1, 2)) for name, forecast in found.items()}
    drawn = None
    if len(truth) >= BLOCKS * block:
        drawn = block_resamples(len(truth), block, np.random.default_rng([seed, 0xB007]))
    own, *_ = found
    scores = []
    for name, forecast in found.items():
        scores.append(
            ForecastScore(
                name=name,
                mae=float(absolute[name].mean()),
                rmse=float(np.sqrt(squared[name].mean())),
                mase=float((np.abs(forecast - truth) / scale).mean()),
                mae_margin=None if name == own else bootstrap_interval(absolute[name], absolute[own], drawn),
                rmse_margin=None if name == own else bootstrap_interval(squared[name], squared[own], drawn, root=True),
            )
        )
    return scores


def block_resamples(count: int, block: int, random: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Return positions 0 .. count - 1 resampled in blocks of neighbors, cyclically: (resamples, count)."""
    starts = random.integers(0, count, (resamples, -(-count // block)))
    places = (starts[:, :, None] + np.arange(block)) % count
    return places.reshape(resamples, -1)[:, :count]


def bootstrap_interval(
    other: np.ndarray, own: np.ndarray, drawn: np.ndarray | None, *, root: bool = False
) -> ConfidenceInterval:
    """Return the mean of ``other`` minus the mean of ``own``, or of their roots, with its interval.

    Args:
        other, own: (n,) each origin's error. drawn: resampled positions; None gives no interval.
        root: the errors are squared, and the roots of their means are compared.
    """

    def difference(places: np.ndarray) -> np.ndarray:
        means = other[places].mean(axis=-1), own[places].mean(axis=-1)
        return np.asarray(np.sqrt(means[0]) - np.sqrt(means[1]) if root else means[0] - means[1])

    value = float(difference(np.arange(len(own))))
    if drawn is None:
        return ConfidenceInterval(value, None, None)
    tails = (1 - CONFIDENCE) / 2
    low, high = np.quantile(difference(drawn), [tails, 1 - tails])
    return ConfidenceInterval(value, float(low), float(high))
