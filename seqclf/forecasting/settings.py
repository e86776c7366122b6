"""Settings of a forecaster."""

from seqclf.training.settings import (
    cell_setting,
    freeze_setting,
    optimizer_setting,
    patience_setting,
    reset_setting,
    schedule_setting,
    warmup_setting,
)
from wordvec import InputError
from wordvec.system.settings import Settings, setting, settings_class

STRATEGIES = ("direct", "recursive")
SEASONAL = ("inputs", "difference", "both")
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""What ``quantiles`` learns: the median, and the bounds of intervals of 50, 80 and 90 %."""


@settings_class
class ForecasterSettings(Settings):
    """Settings of a forecaster and of its training.

    Example:
        >>> ForecasterSettings(window=0)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: window must be at least 1, got 0
    """

    window: int = setting("T, the values read before a forecast.", default=30, least=1)
    horizon: int = setting("Steps to forecast.", default=7, least=1)
    strategy: str = setting(
        "Forecast all steps at once (direct), or one step at a time, fed back (recursive).",
        default="direct",
        detail="Ben Taieb et al. 2012.",
        choices=STRATEGIES,
    )
    season: int | None = setting(
        "Steps in a season, such as 12 for months.", default=None, least=2, none="none", metavar="N"
    )
    seasonal: str = setting(
        "Feed the time of the season to the network, subtract the value one season before, or both.",
        default="inputs",
        choices=SEASONAL,
    )
    log: bool = setting(
        "Forecast logarithms, for series whose variance grows with the level; the forecasts are medians.",
        default=False,
        flags="--log",
    )
    relative: bool = setting(
        "Subtract each window's last value (removes the trend).", default=False, flags="--relative"
    )
    related: bool = setting(
        "Train one network on all columns as series of their own, instead of reading all columns at once.",
        default=False,
        detail="Each column is scaled on its own.",
        flags="--related",
        added="0.3",
    )
    cell: str = cell_setting()
    reset: str = reset_setting()
    layers: int = setting("Stacked recurrent layers.", default=1, least=1)
    hidden_size: int = setting("H, the hidden units per layer.", default=32, least=1)
    dropout: float = setting("Dropout probability of the last hidden state.", default=0.0, least=0, below=1)
    layer_dropout: float = setting(
        "Dropout probability between layers, one mask for all steps of a window.",
        default=0.0,
        detail="Gal & Ghahramani 2016.",
        least=0,
        below=1,
        added="0.2",
    )
    huber: float | None = setting(
        "Huber loss threshold, in standard deviations.", default=None, above=0, none="squared error", metavar="X"
    )
    quantiles: bool = setting(
        "Learn quantiles by the pinball loss: forecasts are medians, with intervals of 50, 80 and 90 % that need no "
        "back-test.",
        default=False,
        detail="Koenker & Bassett 1978.",
        flags="--quantiles",
        added="0.3",
    )
    batch_size: int = setting("Windows per step.", default=32, least=1)
    learning_rate: float = setting("Peak learning rate, reached after warmup_steps.", default=5e-3, above=0)
    warmup_steps: int = warmup_setting()
    epochs: int = setting(
        "Passes over the windows; the best epoch on the validation windows is kept.", default=30, least=1
    )
    patience: int | None = patience_setting()
    clip_norm: float = setting("Maximum global norm of a gradient.", default=1.0, above=0)
    optimizer: str = optimizer_setting()
    schedule: str = schedule_setting()
    freeze: str | None = freeze_setting()
    validation_fraction: float = setting(
        "Share of the windows, the last ones, used as validation data; 0 keeps the last epoch.",
        default=0.1,
        least=0,
        below=1,
        metavar="X",
    )
    seed: int = setting("Random seed; runs with the same seed are reproducible.", default=1, least=0)

    def _check(self) -> None:
        if self.quantiles and self.huber is not None:
            raise InputError(f"quantiles have a loss of their own; leave out huber, got {self.huber}")
        if self.quantiles and self.strategy != "direct":
            raise InputError(f"quantiles need the strategy direct, got {self.strategy}")

    def columns_at_once(self, columns: int) -> int:
        """Return how many of the D columns the network reads and forecasts at once."""
        return 1 if self.related else columns

    @property
    def step(self) -> int:
        """The number of steps that the network forecasts at once."""
        return self.horizon if self.strategy == "direct" else 1
