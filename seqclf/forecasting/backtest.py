"""Back-test: the accuracy of forecasts from many past origins, compared with naive forecasts."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.data.series import as_series
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.train import train_forecaster
from seqclf.forecasting.windows import windows_after
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.validation import check_kind, check_whole

logger = logging.getLogger(__name__)

RESAMPLES = 2000
CONFIDENCE = 0.95
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
    """

    origins: np.ndarray
    forecasts: np.ndarray
    truth: np.ndarray
    residuals: np.ndarray
    scores: list[ForecastScore]
    block: int

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {"origins": len(self.origins), "block": self.block, "scores": [asdict(score) for score in self.scores]}


def backtest(
    series: Any,
    settings: ForecasterSettings,
    test: int,
    *,
    refits: int = 1,
    seasons: Sequence[int] = (),
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
    values = as_series(series)
    check_kind("settings", settings, ForecasterSettings)
    test, refits = check_whole("test", test, 1), check_whole("refits", refits, 1)
    seasons = [check_whole("season", season, 1) for season in seasons]
    horizon, count = settings.horizon, test - settings.horizon + 1
    if count < refits:
        raise InputError(f"test must be at least {horizon + refits - 1} for a horizon of {horizon} and {refits} "
                         f"refits, got {test}")  # fmt: skip
    if test >= len(values):
        raise InputError(f"test must be below {len(values)}, the length of the series, got {test}")
    origins = len(values) - test + np.arange(count)
    truth = windows_after(values, origins, horizon)
    forecasts, residuals = np.empty_like(truth), np.empty_like(truth)
    for part in np.array_split(np.arange(count), refits):
        known = values[: origins[part[0]]]
        model = train_forecaster(known, settings=settings, threads=threads, on_progress=on_progress)
        forecasts[part] = model.forecast(values, origins[part])
        logarithm = model.preparation.logarithm
        residuals[part] = logarithm(truth[part]) - logarithm(forecasts[part])
    found = {f"{settings.cell}, {settings.strategy}": forecasts}
    found |= naive_forecasts(values, origins, horizon, settings.season, seasons)
    block = max(2 * horizon, int(np.ceil(count ** (1 / 3))))
    if count < BLOCKS * block:
        logger.warning(
            "%d origins are too few for confidence intervals, which need %d blocks of %d; "
            "increase test, or reduce the horizon", count, BLOCKS, block,
        )  # fmt: skip
    scores = _scores(found, truth, _scale(values[: origins[0]], settings.season or 1), block, settings.seed)
    return Backtest(origins, forecasts, truth, residuals, scores, block)


def naive_forecasts(
    values: np.ndarray, origins: np.ndarray, horizon: int, season: int | None, seasons: Sequence[int] = ()
) -> dict[str, np.ndarray]:
    """Return naive forecasts (n, H, D) by name; see ``backtest``.

    Example:
        >>> found = naive_forecasts(np.array([[1.0], [2], [3], [4], [9]]), np.array([4]), 2, 2)
        >>> {name: forecast[0, :, 0].tolist() for name, forecast in found.items()}
        {'naive': [4.0, 4.0], 'seasonal-naive 2': [3.0, 4.0], 'seasonal mean 2': [2.0, 3.0]}
    """
    steps = np.arange(horizon)
    found = {"naive": np.repeat(values[origins - 1][:, None], horizon, axis=1)}
    for period in dict.fromkeys([*([season] if season else []), *seasons]):
        if period > origins[0]:
            raise InputError(f"a season must be at most {origins[0]}, the values before the test part, got {period}")
        found[f"seasonal-naive {period}"] = values[origins[:, None] - period + steps % period]
    if season:
        known = values[: origins[0]]
        means = np.stack([known[time::season].mean(axis=0) for time in range(season)])
        found[f"seasonal mean {season}"] = means[(origins[:, None] + steps) % season]
    return found


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
