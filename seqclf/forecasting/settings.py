"""Every choice of a forecaster in one frozen record."""

from dataclasses import dataclass

from seqclf.layers.choices import CELLS, RESETS
from wordvec import InputError, check_choice, check_number, check_whole

STRATEGIES = ("direct", "recursive")
SEASONAL = ("inputs", "difference", "both")


@dataclass(frozen=True)
class ForecasterSettings:
    """How a forecaster is built and trained.

    Attributes:
        window: T, the values it reads before it forecasts.
        horizon: H, the steps it forecasts.
        strategy: ``direct``: one net says all H steps at once; ``recursive``: it says one step, which it then reads as
            if it had happened, and so on (Ben Taieb et al. 2012).
        season: steps in a season, such as 12 for months; None where there is none.
        seasonal: what is made of it: ``inputs`` tells the net the time of the season, ``difference`` subtracts the
            value one season before, or ``both``.
        log: forecast logarithms, for series whose swings grow with their level; its forecasts are medians.
        relative: count each window from its last value, for series with a trend.
        cell: ``rnn``, ``gru`` or ``lstm``. reset: see ``EncoderShape``. layers, hidden_size: of the recurrent net.
        dropout: share of the net's last state that is dropped in training.
        huber: up to which error, in deviations, the loss is squared, beyond it grows straight; None squares them all.
        batch_size: windows a step.
        learning_rate: Adam's rate at its peak: reached after ``warmup_steps``, then falling linearly to 0.
        warmup_steps: steps until the peak, though never more than a fifth of all.
        epochs: passes over the windows; the one with the least loss on the held-out end of the series is kept.
        patience: stop after so many epochs without a better one; None trains them all.
        clip_norm: the largest global norm of a step's gradient.
        validation_fraction: the share of the windows, the last ones, that choose the epoch; 0 keeps the last epoch.
        seed: every random choice follows from it.

    Example:
        >>> ForecasterSettings(window=0).validate()
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: window must be at least 1, got 0
    """

    window: int = 30
    horizon: int = 7
    strategy: str = "direct"
    season: int | None = None
    seasonal: str = "inputs"
    log: bool = False
    relative: bool = False
    cell: str = "lstm"
    reset: str = "after"
    layers: int = 1
    hidden_size: int = 32
    dropout: float = 0.0
    huber: float | None = None
    batch_size: int = 32
    learning_rate: float = 5e-3
    warmup_steps: int = 50
    epochs: int = 30
    patience: int | None = None
    clip_norm: float = 1.0
    validation_fraction: float = 0.1
    seed: int = 1

    def validate(self) -> "ForecasterSettings":
        """Return self.

        Raises:
            InputError: a value is outside its range; the message says the rule and the value.
        """
        check_choice("strategy", self.strategy, STRATEGIES)
        check_choice("seasonal", self.seasonal, SEASONAL)
        check_choice("cell", self.cell, CELLS)
        check_choice("reset", self.reset, RESETS)
        for name in ("window", "horizon", "layers", "hidden_size", "batch_size", "epochs"):
            check_whole(name, getattr(self, name), 1)
        for name in ("warmup_steps", "seed"):
            check_whole(name, getattr(self, name), 0)
        if self.season is not None:
            check_whole("season", self.season, 2)
        if self.patience is not None:
            check_whole("patience", self.patience, 1)
        for name in ("learning_rate", "clip_norm", *(["huber"] if self.huber is not None else [])):
            check_number(name, getattr(self, name), above=0)
        for name in ("dropout", "validation_fraction"):
            check_number(name, getattr(self, name), least=0, below=1)
        for name in ("log", "relative"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} must be true or false, got {getattr(self, name)!r}")
        return self

    @property
    def step(self) -> int:
        """How many steps the net says at once."""
        return self.horizon if self.strategy == "direct" else 1
