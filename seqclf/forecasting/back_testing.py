"""Back-tests: how good forecasts would have been, from many places of the past, beside forecasts without a net."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.data.series import as_series
from seqclf.forecasting.forecaster import Forecaster
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.windows import windows_after
from seqclf.training.loop import Progress
from wordvec import InputError, check_whole

logger = logging.getLogger(__name__)

RESAMPLES = 2000
CONFIDENCE = 0.95
BLOCKS = 5
"""Fewer blocks of origins than that do not tell how far a difference may be off."""


@dataclass(frozen=True)
class Margin:
    """By how much an error is less than another's; above 0 the net is better.

    Attributes:
        value: the other's error minus the net's. low, high: its interval of 95 %, where there are origins enough.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ForecastScore:
    """The errors of one way to forecast, over all origins, steps and columns.

    Attributes:
        name: whose they are.
        mae: mean absolute error. rmse: root of the mean squared error.
        mase: mean absolute scaled error (Hyndman & Koehler 2006): each column's absolute errors divided by the mean
            absolute change over a season (a step, without one) in the training part.
        mae_margin, rmse_margin: what the net is better by; None for the net itself.
    """

    name: str
    mae: float
    rmse: float
    mase: float
    mae_margin: Margin | None = None
    rmse_margin: Margin | None = None


@dataclass(frozen=True)
class Backtest:
    """What a back-test found.

    Attributes:
        origins: (n,) the position of each first value that was forecast.
        forecasts, truth: (n, H, D).
        residuals: (n, H, D) truth minus forecast, of logarithms where the forecaster takes them.
        scores: the net's first, then the others'.
        block: origins in a block of the bootstrap.
    """

    origins: np.ndarray
    forecasts: np.ndarray
    truth: np.ndarray
    residuals: np.ndarray
    scores: list[ForecastScore]
    block: int

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write."""
        return {"origins": len(self.origins), "block": self.block, "scores": [asdict(score) for score in self.scores]}


def back_test(
    series: Any,
    settings: ForecasterSettings,
    test: int,
    *,
    refits: int = 1,
    seasons: Sequence[int] = (),
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Backtest:
    """Forecast the end of a series from each of its positions (rolling origin), knowing only what stands before.

    Beside the net stand ``naive`` (the last value stays), ``seasonal-naive`` (the last season comes again) and, for
    the net's own season, ``seasonal mean`` (the mean of the same time of all seasons in the training part).
    A margin's interval is that of a circular block bootstrap (Politis & Romano 1992) over the origins: errors of
    origins near each other are alike, so whole blocks of twice the horizon are drawn, 2,000 times. It takes 5 blocks.

    Args:
        series: (N,) or (N, D).
        settings: of the net, which is trained on what precedes the last ``test`` values, scaling included.
        test: how many values, the last ones, are forecast.
        refits: the tested values are cut into so many stretches, and before each a net is trained on all before it.
        seasons: steps in a season, for more seasonal-naive forecasts; the net's own is one of them anyway.
        threads: at most so many; they do not change the result.
        on_progress: called a few times a second.

    Raises:
        InputError: the series is too short for that.

    Example:
        >>> series = np.sin(np.arange(200) * 2 * np.pi / 20) + np.random.default_rng(1).normal(0, 0.3, 200)
        >>> settings = ForecasterSettings(window=10, horizon=2, season=20, hidden_size=8, epochs=12)
        >>> found = back_test(series, settings, test=50, threads=1)
        >>> [score.name for score in found.scores]
        ['lstm, direct', 'naive', 'seasonal-naive 20', 'seasonal mean 20']
        >>> found.scores[1].mae_margin.low > 0
        True
    """
    values = as_series(series)
    settings.validate()
    for name, number in (("test", test), ("refits", refits), *(("season", season) for season in seasons)):
        check_whole(name, number, 1)
    horizon, count = settings.horizon, test - settings.horizon + 1
    if count < refits:
        raise InputError(f"test must be at least {horizon + refits - 1}, for {refits} stretches of a horizon of "
                         f"{horizon}, got {test}")  # fmt: skip
    if test >= len(values):
        raise InputError(f"test must leave something to train on, of {len(values)} values, got {test}")
    origins = len(values) - test + np.arange(count)
    truth = windows_after(values, origins, horizon)
    forecasts, residuals = np.empty_like(truth), np.empty_like(truth)
    for stretch in np.array_split(np.arange(count), refits):
        net = Forecaster(settings).fit(values[: origins[stretch[0]]], threads=threads, on_progress=on_progress)
        forecasts[stretch] = net.forecast(values, origins[stretch])
        logarithm = net.preparation.logarithm
        residuals[stretch] = logarithm(truth[stretch]) - logarithm(forecasts[stretch])
    found = {f"{settings.cell}, {settings.strategy}": forecasts}
    found |= naive_forecasts(values, origins, horizon, settings.season, seasons)
    block = max(2 * horizon, int(np.ceil(count ** (1 / 3))))
    if count < BLOCKS * block:
        logger.warning(
            "%d origins are too few for an interval of the differences, which needs %d blocks of %d; "
            "test more values, or forecast fewer steps", count, BLOCKS, block,
        )  # fmt: skip
    scores = _scores(found, truth, _scale(values[: origins[0]], settings.season or 1), block, settings.seed)
    return Backtest(origins, forecasts, truth, residuals, scores, block)


def naive_forecasts(
    values: np.ndarray, origins: np.ndarray, horizon: int, season: int | None, seasons: Sequence[int] = ()
) -> dict[str, np.ndarray]:
    """Forecasts (n, H, D) that need no net, by name; see ``back_test``.

    Example:
        >>> found = naive_forecasts(np.array([[1.0], [2], [3], [4], [9]]), np.array([4]), 2, 2)
        >>> {name: forecast[0, :, 0].tolist() for name, forecast in found.items()}
        {'naive': [4.0, 4.0], 'seasonal-naive 2': [3.0, 4.0], 'seasonal mean 2': [2.0, 3.0]}
    """
    steps = np.arange(horizon)
    found = {"naive": np.repeat(values[origins - 1][:, None], horizon, axis=1)}
    for period in dict.fromkeys([*([season] if season else []), *seasons]):
        if period > origins[0]:
            raise InputError(f"a season must be at most the {origins[0]} values before the tested ones, got {period}")
        found[f"seasonal-naive {period}"] = values[origins[:, None] - period + steps % period]
    if season:
        known = values[: origins[0]]
        means = np.stack([known[time::season].mean(axis=0) for time in range(season)])
        found[f"seasonal mean {season}"] = means[(origins[:, None] + steps) % season]
    return found


def _scale(known: np.ndarray, season: int) -> np.ndarray:
    """What MASE divides by: (D,), the mean absolute change over a season."""
    if len(known) <= season:
        raise InputError(f"the {len(known)} values before the tested ones must be more than a season of {season}")
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
                mae_margin=None if name == own else margin(absolute[name], absolute[own], drawn),
                rmse_margin=None if name == own else margin(squared[name], squared[own], drawn, root=True),
            )
        )
    return scores


def block_resamples(count: int, block: int, random: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Places 0 .. count - 1 drawn in blocks of neighbours, the first following the last: (resamples, count)."""
    starts = random.integers(0, count, (resamples, -(-count // block)))
    places = (starts[:, :, None] + np.arange(block)) % count
    return places.reshape(resamples, -1)[:, :count]


def margin(other: np.ndarray, own: np.ndarray, drawn: np.ndarray | None, *, root: bool = False) -> Margin:
    """The mean of ``other`` minus the mean of ``own`` (of their roots) with its interval.

    Args:
        other, own: (n,) each origin's error. drawn: resamples of its places; None gives no interval.
        root: the errors are squared ones, and the difference that of the roots of their means.
    """

    def difference(places: Any) -> Any:
        means = other[places].mean(axis=-1), own[places].mean(axis=-1)
        return np.sqrt(means[0]) - np.sqrt(means[1]) if root else means[0] - means[1]

    value = float(difference(np.arange(len(own))))
    if drawn is None:
        return Margin(value, None, None)
    tails = (1 - CONFIDENCE) / 2
    low, high = np.quantile(difference(drawn), [tails, 1 - tails])
    return Margin(value, float(low), float(high))
