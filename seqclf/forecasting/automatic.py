"""Forecasts without options: season, logarithm and method are chosen by a back-test on the training series."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqclf.data.series import as_series, column_names
from seqclf.forecasting.backtest import Backtest, rolling_backtest
from seqclf.forecasting.blend import BlendedForecaster
from seqclf.forecasting.known import KnownColumns, linear_effects, training_columns
from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.search import EQUAL, SHORT, Search
from seqclf.forecasting.seasons import Season, find_season
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.smoothing import best_criterion
from wordvec import InputError
from wordvec.system.progress import OnProgress

_log = logging.getLogger(__name__)

_LEAST_KNOWN = 4
_MOST_TESTED = 600
"""Values in the back-test: a third of the series, two horizons at least, and this many at most."""
_TAIL = 100_000
_AS_GIVEN = "as given"
_COMPARED = 1500
"""Last values by which the logarithm is judged."""


def train_automatic(
    series: Any,
    *,
    calendar: Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    known: Any = None,
    known_names: Sequence[str] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    warn: bool = True,
    **fixed: Any,
) -> BlendedForecaster:
    """Train the forecaster that is best in a back-test on the end of the series.

    The season is that of ``find_season``. Logarithms are taken if exponential smoothing then has the smaller AICc. The
    last third of the series, at most 600 values, is forecast from each of its positions by exponential smoothing,
    Theta, autoregression, naive and seasonal methods, and networks that read the series, its changes, or its seasonal
    differences, each a mean of two windows and two seeds (one seed and the last 6,000 values of longer series).
    Exponential smoothing is kept, unless the error of the best other method is lower by more than a standard error of
    the difference: then the forecast is the mean of both, and from two standard errors on, the other. In the same way,
    the best network joins or replaces that. The result is trained on the whole series; its intervals come from the
    back-test.

    Args:
        series: (N,) or (N, D) numbers at equal time steps, the oldest first.
        calendar: ``unit`` and ``step`` of the dates, as ``Dates.calendar`` returns it; None without dates.
        names: of the columns; None takes those of a DataFrame or Series, else ``y0``, ``y1`` ...
        known, known_names: columns whose future is known, which networks read; see ``train_forecaster``.
        threads: the largest number of threads; the result is the same at any number.
        on_progress: called a few times a second while networks are trained.
        warn: log a warning of columns whose values are all equal.
        fixed: settings of a ``ForecasterSettings`` that are not chosen, such as ``horizon=12``, ``season=None`` or
            ``log=False``.

    Returns:
        The forecaster; ``metrics["choice"]`` holds what was chosen, why, and the errors of all candidates.

    Raises:
        InputError: the series is too short, or not all numbers are finite.
        TypeError: ``fixed`` names no setting.

    Example:
        >>> months = np.arange(96)
        >>> series = 100 * np.exp(0.01 * months) * (1 + 0.2 * np.sin(months * 2 * np.pi / 12))
        >>> model = train_automatic(series, horizon=6, epochs=2, threads=1)
        >>> model.metrics["choice"]["season"], model.metrics["choice"]["log"]
        (12, True)
        >>> model.predict().shape
        (6, 1)
    """
    given = ForecasterSettings(**fixed)
    if given.quantiles:
        raise InputError("quantiles are learned by a single network; train one with train_forecaster, method network")
    values = as_series(series)
    names = column_names(series) if names is None else names
    named = [f"y{column}" for column in range(values.shape[1])] if names is None else [str(name) for name in names]
    if len(named) != values.shape[1]:
        raise InputError(f"{len(named)} names for {values.shape[1]} columns")
    ahead = None if known is None else training_columns(known, known_names, len(values))
    tested = _tested(len(values), given.horizon)
    before = values[: len(values) - tested]
    season = Season(given.season or 1, _AS_GIVEN, given.season or 1) if "season" in fixed else _season(before, calendar)
    if season.steps > len(before):
        raise InputError(f"a season must be at most {len(before)}, the values before the back-test, got {season.steps}")
    positive = bool((values > 0).all())
    log, log_reason = (given.log, _AS_GIVEN) if "log" in fixed else _logarithm(before, positive, season.steps)
    settings = replace(given, season=season.steps if season.steps > 1 else None, log=log)
    choice: dict[str, Any] = {
        "season": settings.season, "season_reason": season.reason, "likely_season": season.likely,
        "log": log, "log_reason": log_reason,
    }  # fmt: skip
    constant = [name for name, column in zip(named, values.T, strict=True) if np.ptp(column) == 0]
    if constant and warn:
        _log.warning("%s: all values are equal; the forecast repeats them", ", ".join(constant))
    columns_ahead = effect = None
    if ahead is not None:
        level = np.log(values) if log else values
        effects = linear_effects(level[: len(before)], ahead[0][: len(before)], season.steps)
        columns_ahead = KnownColumns.learn(*ahead, settings.step, _TAIL, effects)
        effect = columns_ahead.effect(ahead[0], values.shape[1])
    search = Search(values, settings, fixed, tested, threads, on_progress, ahead, 0.0 if effect is None else effect)
    parts, residuals, report = search.best()
    networks = [part.settings for _, part in parts if isinstance(part, ForecasterModel)]
    return BlendedForecaster(
        parts, settings=networks[0] if networks else settings, names=named, tail=values[-_TAIL:].copy(),
        length=len(values), residuals=residuals, calendar=calendar, history=[], metrics={"choice": choice | report},
        known=columns_ahead,
    )  # fmt: skip


def backtest_automatic(
    series: Any,
    test: int,
    *,
    calendar: Mapping[str, Any] | None = None,
    known: Any = None,
    known_names: Sequence[str] | None = None,
    refits: int | None = None,
    seasons: Sequence[int] = (),
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    **fixed: Any,
) -> Backtest:
    """Back-test ``train_automatic``, which sees the values before an origin only, as ``backtest`` does a network.

    The naive forecasts have its season or, if it found none, the most likely one.

    Args:
        series, test, seasons, threads, on_progress: as for ``backtest``.
        calendar, known, known_names, fixed: as for ``train_automatic``.
        refits: split the test part into this many parts, and choose and train for each; None is 1, and every origin of
            series of at most 50 values.
    """
    given, values = ForecasterSettings(**fixed), as_series(series)
    if refits is None and len(values) > SHORT:
        refits = 1
    if (values <= 0).any():  # which those before an origin may not show
        fixed.setdefault("log", False)

    ahead = None if known is None else training_columns(known, known_names, len(values))

    def train(before: np.ndarray) -> BlendedForecaster:
        rows, row_names = (None, None) if ahead is None else (ahead[0][: len(before)], ahead[1])
        return train_automatic(
            before, calendar=calendar, known=rows, known_names=row_names, threads=threads, on_progress=on_progress,
            warn=False, **fixed,
        )  # fmt: skip

    def season(model: BlendedForecaster) -> int | None:
        likely = int(model.metrics["choice"]["likely_season"])
        return model.settings.season or (likely if likely > 1 else None)

    return rolling_backtest(
        series, train, test, horizon=given.horizon, refits=refits, seasons=seasons, seed=given.seed,
        name=lambda model: f"automatic: {model.metrics['choice']['forecast']}", season=season,
        known=None if ahead is None else ahead[0],
    )  # fmt: skip


def _tested(count: int, horizon: int) -> int:
    """Return the number of values in the back-test."""
    if count < horizon + _LEAST_KNOWN:
        steps, remedy = ("a step", "") if horizon == 1 else (f"{horizon} steps", "reduce the horizon, or ")
        least = horizon + _LEAST_KNOWN
        values = "1 value is" if count == 1 else f"{count} values are"
        raise InputError(f"{values} too few to forecast {steps}: at least {least} are needed; {remedy}add values")
    wanted = min(max(2 * horizon, count // 3), max(_MOST_TESTED, 2 * horizon))
    return max(horizon, min(wanted, count // 2, count - _LEAST_KNOWN))


def _season(values: np.ndarray, calendar: Mapping[str, Any] | None) -> Season:
    if not np.ptp(values, axis=0).any():
        return Season(1, EQUAL, 1)
    positive = (values > 0).all()
    return find_season(np.log(values) if positive else values, calendar)


def _logarithm(values: np.ndarray, positive: bool, season: int) -> tuple[bool, str]:
    """Return whether to take logarithms, and why."""
    if not positive:
        return False, "not all values are above 0"
    if not np.ptp(values, axis=0).any():
        return False, EQUAL
    gain = 0.0
    for column in values[-_COMPARED:].T:
        level = np.log(column)
        # The density of a value is that of its logarithm divided by the value.
        gain += best_criterion(column, season) - best_criterion(level, season) - 2 * float(level.sum())
    if gain > 2:
        return True, f"the AICc of exponential smoothing falls by {gain:.1f}"
    return False, f"they do not lower the AICc of exponential smoothing ({gain:+.1f})"
