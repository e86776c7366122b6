"""The back-test of forecasting methods, networks and their mean on one series, and the choice of one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from seqclf.forecasting.blend import Part, forecast_part
from seqclf.forecasting.known import Past
from seqclf.forecasting.methods import METHODS, ExponentialSmoothing, Method, Naive
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.train import train_forecaster
from seqclf.forecasting.windows import Preparation, windows_after
from wordvec import InputError
from wordvec.system.progress import OnProgress

EQUAL = "all values are equal"
"""The reason for what is chosen for a constant series."""
_SEEDS = 2
_LONGEST_DIFFERENCE = 60
_LEAST_WINDOWS = 4
SHORT = 50
"""Methods are fitted again at each origin to series of so few values."""
_RECENT = 6000
"""The last values of a longer series, on which networks are trained, with a single seed."""
_FEW_WINDOWS = 400
_SMALL_NETWORK = {"hidden_size": 16, "learning_rate": 0.002}
_LARGE_NETWORK = {"hidden_size": 32, "learning_rate": 0.005}
_WINDOWS_IN_ALL = 15_000
"""Windows read in a training, in at most 30 epochs; four times as many in up to 4 epochs, and one epoch at least."""

Parts: TypeAlias = list[tuple[float, Part]]
Recipe: TypeAlias = Callable[[int], Parts]
"""Returns the parts of a forecaster, trained on the first values of the series, as many as the argument."""


class Search:
    """Candidates for one series; see ``train_automatic``.

    Args:
        values: (N, D). settings: with season and logarithm. fixed: settings that are not chosen.
        tested: the number of values at the end that are forecast.
        threads, on_progress: of the trainings.
        known: (N, K) the columns known ahead and their names; None without any.
        effect: (N, D) theirs on the series, or on its logarithm, which is subtracted; 0 without any.
    """

    def __init__(
        self,
        values: np.ndarray,
        settings: ForecasterSettings,
        fixed: Mapping[str, Any],
        tested: int,
        threads: int | None,
        on_progress: OnProgress | None,
        known: tuple[np.ndarray, list[str]] | None = None,
        effect: np.ndarray | float = 0.0,
    ) -> None:
        self._ahead = None if known is None else known[0]
        self._ahead_names = None if known is None else known[1]
        columns = values.shape[1]
        self._settings, self._fixed, self._threads, self._on_progress = settings, fixed, threads, on_progress
        self._preparation = Preparation(0, "inputs", settings.log, False, np.zeros(columns), np.ones(columns))
        self._values, self._level = values, self._preparation.logarithm(values) - effect
        self._effect = np.broadcast_to(effect, values.shape)
        self._without_effect = self._preparation.original(self._level) if np.any(effect) else values
        self._season, self._known = settings.season or 1, len(values) - tested
        self._origins = np.arange(self._known, len(values) - settings.horizon + 1)
        self._truth = windows_after(values, self._origins, settings.horizon)
        lag = self._season if self._season < self._known else 1
        scale = np.abs(values[lag : self._known] - values[: self._known - lag]).mean(axis=0)
        self._scale = np.where(scale > 0, scale, 1.0)

    def best(self) -> tuple[Parts, np.ndarray, dict[str, Any]]:
        """Return the parts of the best forecaster, trained on all values, its residuals (n, H, D), and a report."""
        recipes = self._methods()
        forecasts = {name: self._of_method(recipe) for name, recipe in recipes.items()}
        if np.ptp(self._values, axis=0).any():
            chosen, reason = self._compare(ExponentialSmoothing.name, list(recipes), recipes, forecasts)
        else:
            chosen, reason = Naive.name, EQUAL
        networks = self._networks()
        if networks and np.ptp(self._values[: self._known], axis=0).any():
            recipes |= networks
            forecasts |= {name: self._forecast(recipe(self._known)) for name, recipe in networks.items()}
            chosen, reason = self._compare(chosen, list(networks), recipes, forecasts)
        report = {
            "forecast": chosen,
            "reason": reason,
            "tested": len(self._values) - self._known,
            "origins": len(self._origins),
            "mase": {name: float(self._errors(found).mean()) for name, found in forecasts.items()},
        }
        residuals = self._preparation.logarithm(self._truth) - forecasts[chosen]
        return recipes[chosen](len(self._values)), residuals, report

    def _methods(self) -> dict[str, Recipe]:
        return {
            kind(self._season, {}).label: self._fitting(kind)
            for kind in METHODS.values()
            if not kind.seasonal or 1 < self._season <= self._known
        }

    def _fitting(self, kind: type[Method]) -> Recipe:
        return lambda count: [(1.0, kind.fit(self._level[:count], self._season))]

    def _networks(self) -> dict[str, Recipe]:
        """Return the kinds of networks that the fixed settings and the length of the series allow."""
        kinds: dict[str, dict[str, Any]] = {
            "network": {"relative": False, "seasonal": "inputs"},
            "network of changes": {"relative": True, "seasonal": "inputs"},
        }
        if 1 < self._season <= _LONGEST_DIFFERENCE:
            kinds["network of seasonal differences"] = {"relative": False, "seasonal": "difference"}
        fixed = {key: self._fixed[key] for key in ("relative", "seasonal") if key in self._fixed}
        agreeing = {name: own for name, own in kinds.items() if fixed.items() <= own.items()} or {"network": fixed}
        found = {name: self._configurations(own) for name, own in agreeing.items()}
        found = {name: configurations for name, configurations in found.items() if configurations}
        if not found and "window" in self._fixed:
            raise InputError(
                f"{self._known} values before the back-test are too few for a window of {self._fixed['window']} and "
                f"{self._settings.step} steps ahead; reduce the window, or leave it out"
            )
        return {name: self._training(configurations) for name, configurations in found.items()}

    def _configurations(self, own: Mapping[str, Any]) -> list[ForecasterSettings]:
        """Return the settings of the networks whose mean is one candidate: of two windows, with two seeds each."""
        horizon, season, skipped = self._settings.horizon, self._season, self._skipped(self._known)
        known = self._known - skipped
        short = max(6, min(horizon, 24), season if season <= 24 else 0)
        short = min(short, max(3, known // 4))
        windows = sorted({short, min(max(2 * short, 14), max(3, known // 4))})
        found = []
        for window in [self._fixed["window"]] if "window" in self._fixed else windows:
            settings = replace(self._settings, **own, window=window)
            lag = season if settings.season and settings.seasonal != "inputs" else 0
            count = known - window - lag - settings.step + 1
            if count < _LEAST_WINDOWS:
                continue
            sizes = _SMALL_NETWORK if count < _FEW_WINDOWS else _LARGE_NETWORK
            epochs = min(30, max(_WINDOWS_IN_ALL // count, min(4, 4 * _WINDOWS_IN_ALL // count), 1))
            learned = {**sizes, "epochs": epochs, **self._fixed}
            seeds = 1 if skipped else _SEEDS
            found += [replace(settings, **learned | {"seed": settings.seed + seed}) for seed in range(seeds)]
        return found

    def _skipped(self, count: int) -> int:
        """Return how many of the first ``count`` values networks leave out, in whole seasons."""
        return max(count - _RECENT, 0) // self._season * self._season

    def _training(self, configurations: list[ForecasterSettings]) -> Recipe:
        def train(count: int) -> Parts:
            part = slice(self._skipped(count), count)
            networks = [
                train_forecaster(
                    self._without_effect[part],
                    settings=each,
                    adjust=False,
                    known=None if self._ahead is None else self._ahead[part],
                    known_names=self._ahead_names,
                    threads=self._threads,
                    on_progress=self._on_progress,
                )
                for each in configurations
            ]
            return [(1 / len(networks), network) for network in networks]

        return train

    def _of_method(self, recipe: Recipe) -> np.ndarray:
        """Return the forecasts of a method, which is fitted to a short series at each origin again."""
        if len(self._values) > SHORT:
            return self._forecast(recipe(self._known))
        found = np.concatenate([self._forecast(recipe(origin), origins=[origin]) for origin in self._origins.tolist()])
        return np.asarray(found)

    def _forecast(self, parts: Parts, origins: Sequence[int] | None = None) -> np.ndarray:
        places = self._origins if origins is None else np.array(origins)
        past = Past(self._level, 0, self._ahead)
        found = (weight * forecast_part(part, past, places, self._settings.horizon) for weight, part in parts)
        return np.asarray(sum(found) + windows_after(self._effect, places, self._settings.horizon))

    def _errors(self, forecast: np.ndarray) -> np.ndarray:
        """Return the mean absolute scaled error at each origin (n,)."""
        error = np.abs(self._preparation.original(forecast) - self._truth) / self._scale
        return np.asarray(error.mean(axis=(1, 2)))

    def _compare(
        self, holder: str, others: list[str], recipes: dict[str, Recipe], forecasts: dict[str, np.ndarray]
    ) -> tuple[str, str]:
        """Return the holder, the best of the others, or their mean, which is added to the candidates, and why.

        The holder is replaced if the error of the other is lower by more than two standard errors of the difference,
        and averaged with it from one on. Forecasts of neighboring origins overlap, so that n origins count as n / H
        independent ones.
        """
        errors = {name: self._errors(forecasts[name]) for name in (holder, *others)}
        best = min(errors, key=lambda name: errors[name].mean())
        if best == holder:
            return holder, f"MASE {errors[best].mean():.3f}, no other is better"
        gains = errors[holder] - errors[best]
        independent = len(gains) / self._settings.horizon
        error = gains.std() / np.sqrt(independent - 1) if independent > 1 else np.inf
        reason = f"the MASE of {best} is lower than that of {holder} by {gains.mean():.3f}, standard error {error:.3f}"
        if gains.mean() <= error:
            return holder, reason
        if gains.mean() > 2 * error:
            return best, reason
        mean = f"mean of {best} and {holder}"
        recipes[mean] = _mean_of(recipes[best], recipes[holder])
        forecasts[mean] = (forecasts[best] + forecasts[holder]) / 2
        return mean, reason


def _mean_of(one: Recipe, other: Recipe) -> Recipe:
    return lambda count: [(weight / 2, part) for recipe in (one, other) for weight, part in recipe(count)]
