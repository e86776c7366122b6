"""What decides the vectors: the settings of CBOW and skip-gram, their defaults and their limits."""

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from wordvec.errors import InputError

TILE = 4
"""Centres computed at once; the kernels' own number."""

MOST_LANES = 255
"""How many of them touch a row is counted in one byte."""

_RATES = {("skipgram", "sum"): 0.025, ("cbow", "sum"): 0.05, ("cbow", "mean"): 0.075}
_SHARED = {"skipgram": (16, 8), "cbow": (8, 4)}

_WHOLE = (
    "vector_size", "window", "negatives", "epochs", "seed", "shared_negatives", "block_size", "lanes", "lane_tokens",
)  # fmt: skip
_NUMBERS = ("learning_rate", "min_learning_rate", "subsample", "noise_exponent")


@dataclass(frozen=True)
class Word2VecSettings:
    """What decides the vectors, given the corpus. Nothing here depends on the machine.

    Attributes:
        model: "skipgram" or "cbow" (Mikolov et al. 2013, arXiv 1301.3781).
        vector_size: D.
        window: contexts stand at most so far from their centre.
        window_weights: "expected" counts a context at distance d by 1 - (d - 1) / window, the probability that the
            random radius of word2vec.c reaches it; "sampled" draws that radius for each centre, as word2vec.c does.
        negatives: K of the objective (arXiv 1310.4546, eq. 4).
        epochs: times the corpus is gone through.
        learning_rate, min_learning_rate: it falls linearly from the first to the second over all epochs. None: 0.025
            for skip-gram, 0.05 for CBOW, 0.075 for CBOW with the mean's gradient.
        subsample: frequent tokens are kept with probability sqrt(t/f) + t/f; 0 keeps all.
        noise_exponent: negatives are drawn by count to this power.
        cbow_gradient: "sum" passes the gradient of the averaged contexts on to each of them by its weight, as
            word2vec.c and gensim do; "mean" divides it by the sum of the weights, the true gradient.
        seed: of every random draw.
        mode: "reproducible", the same bits at any number of threads, or "hogwild", threads that do not wait.
        shared_negatives: S negatives that a centre is scored with, each weighted K/S. None: 16, for CBOW 8.
        block_size: centres that a negative serves before a new one takes its place. None: 8, for CBOW 4.
        lanes: parts of the corpus trained side by side, at most, and 255 at most; more of them feed more threads. A
            small vocabulary bears fewer, see ``safe_lanes``.
        lane_tokens: tokens of a lane between two exchanges with the others.
    """

    model: str = "skipgram"
    vector_size: int = 100
    window: int = 5
    window_weights: str = "expected"
    negatives: int = 5
    epochs: int = 5
    learning_rate: float | None = None
    min_learning_rate: float = 1e-4
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    cbow_gradient: str = "sum"
    seed: int = 1
    mode: str = "reproducible"
    shared_negatives: int | None = None
    block_size: int | None = None
    lanes: int = 8
    lane_tokens: int = 128

    def resolved(self) -> "Word2VecSettings":
        """The same settings with every None replaced by what it stands for, checked.

        Raises:
            InputError: a setting out of range.

        Example:
            >>> Word2VecSettings(model="cbow").resolved().learning_rate
            0.05
        """
        _check_choice("model", self.model, ("skipgram", "cbow"))
        _check_choice("window_weights", self.window_weights, ("expected", "sampled"))
        _check_choice("cbow_gradient", self.cbow_gradient, ("sum", "mean"))
        _check_choice("mode", self.mode, ("reproducible", "hogwild"))
        shared, block = _SHARED[self.model]
        gradient = self.cbow_gradient if self.model == "cbow" else "sum"
        chosen = replace(
            self,
            learning_rate=_RATES[self.model, gradient] if self.learning_rate is None else self.learning_rate,
            shared_negatives=shared if self.shared_negatives is None else self.shared_negatives,
            block_size=block if self.block_size is None else self.block_size,
        )
        whole: dict[str, Any] = {name: _whole(name, getattr(chosen, name)) for name in _WHOLE}
        numbers: dict[str, Any] = {name: _number(name, getattr(chosen, name)) for name in _NUMBERS}
        chosen = replace(chosen, **whole, **numbers)
        for name in ("vector_size", "window", "negatives", "epochs", "lanes"):
            _check_least(name, getattr(chosen, name), 1)
        if chosen.lanes > MOST_LANES:
            raise InputError(f"lanes must be at most {MOST_LANES}, got {chosen.lanes}")
        _check_least("lane_tokens", chosen.lane_tokens, 64)
        _check_least("subsample", chosen.subsample, 0)
        _check_least("seed", chosen.seed, 0)
        chosen._check_rates()
        chosen._check_block()
        return chosen

    def _check_rates(self) -> None:
        rate = self.learning_rate or 0.0
        if rate <= 0:
            raise InputError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.min_learning_rate <= rate:
            raise InputError(
                f"min_learning_rate must lie between 0 and learning_rate = {rate}, got {self.min_learning_rate}"
            )

    def _check_block(self) -> None:
        shared, block = self.shared_negatives or 0, self.block_size or 0
        if shared < TILE or shared % TILE:
            raise InputError(f"shared_negatives must be a multiple of {TILE}, got {shared}")
        if block < TILE or shared * TILE % block:
            raise InputError(
                f"block_size must be at least {TILE} and divide {TILE} x shared_negatives = {TILE * shared}, "
                f"got {block}"
            )

    @property
    def fresh_negatives(self) -> int:
        """New negatives for every four centres (of resolved settings)."""
        return (self.shared_negatives or 0) * TILE // (self.block_size or 1)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _check_least(name: str, value: float, least: float) -> None:
    if value < least:
        raise InputError(f"{name} must be at least {least}, got {value}")


def _whole(name: str, value: Any) -> int:
    """``value`` as Python's own number, whichever kind of whole number it is: what kernels and files know."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} must be a whole number, got {value!r}")
    return int(value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, got {value!r}")
    return float(value)
