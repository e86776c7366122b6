"""Training a language model: truncated backpropagation through time over streams of a text, state carried on.

It knows a network and token ids; where they came from is not its business.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.batches import PackedBatch
from seqclf.encoder import Noise, States
from seqclf.epochs import Outcome
from seqclf.language_network import LanguageNetwork, Window, windows
from seqclf.language_settings import LanguageModelSettings
from seqclf.noise import POOLED, NoiseRates, draw_mask, draw_noise, dropout_key
from seqclf.optimizers import Adam, Sgd, clipping, global_norm, scheduled_rate
from seqclf.workers import Workers
from wordvec import TrainingError

logger = logging.getLogger(__name__)

_SAMPLES = 3  # the stream that a sampled softmax draws from


@dataclass(frozen=True)
class LanguageProgress:
    """Where training stands; handed to ``on_progress`` a few times a second and at the end of every epoch.

    Attributes:
        epoch: the one in work, from 0. epochs: of how many.
        step: steps done in all epochs. steps: of how many.
        loss: mean training loss of this epoch so far, in nats a token.
        learning_rate: of the last step.
        tokens_per_second: over the whole training so far.
        seconds_left: at that speed.
        dev_loss: of the last finished epoch, in nats a token; None before that, or without development text.
        epoch_done: whether this call ends an epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds_left: float
    dev_loss: float | None = None
    epoch_done: bool = False


def streams(tokens: int, batch_size: int, window: int) -> np.ndarray:
    """Bounds (B + 1,) of streams of equal length; the rest, fewer than B tokens, is left out.

    B is ``batch_size``, or fewer where a stream would be shorter than a window.

    Example:
        >>> streams(103, 4, 10), streams(25, 4, 10)
        (array([  0,  25,  50,  75, 100]), array([ 0, 12, 24]))
    """
    count = max(1, min(batch_size, tokens // window))
    return np.arange(count + 1) * (tokens // count)


class LanguageTrainer:
    """One network, its optimiser, and the steps they take together.

    Args:
        network: trained in place.
        settings: rates, dropout, clipping, seed.
        steps: how many there will be.
        workers: threads; they do not change the result.
    """

    def __init__(
        self, network: LanguageNetwork, settings: LanguageModelSettings, *, steps: int, workers: Workers
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self.steps, self.done = steps, 0
        self.learning_rate = 0.0
        self.drops = 0
        """How often an epoch that was no better has divided the rate by 4."""
        make: type[Adam] | type[Sgd] = Adam if settings.optimizer == "adam" else Sgd
        self._dense, self._table = make(network.dense), make(network.embedding)

    def step(self, window: Window, first: States | None) -> tuple[float, States]:
        """One update from a window; its loss, and the state to carry on.

        Raises:
            TrainingError: the gradient is no longer a number.
        """
        network, settings = self.network, self.settings
        noise, output_mask = self._noise(window.batch)
        random = None
        if settings.samples is not None:
            random = np.random.default_rng([settings.seed, _SAMPLES, self.done])
        found = network.backward(window, first, self.workers, noise=noise, output_mask=output_mask, random=random)
        norm = global_norm(network.d_dense, found.d_table)
        if not math.isfinite(norm + found.loss):
            raise TrainingError(
                f"the loss is no longer a number at step {self.done + 1}; "
                f"lower learning_rate, which is {settings.peak_rate}"
            )
        self.learning_rate, scale = self._rate(), clipping(norm, settings.clip_norm)
        self._dense.step(network.d_dense, learning_rate=self.learning_rate, scale=scale)
        self._table.step(found.d_table, rows=found.rows, learning_rate=self.learning_rate, scale=scale)
        self.done += 1
        return found.loss, found.last

    def _rate(self) -> float:
        settings = self.settings
        peak, warmup = settings.peak_rate, min(settings.warmup_steps, self.steps // 5)
        if settings.schedule == "linear":
            return scheduled_rate(self.done, self.steps, peak=peak, warmup=warmup)
        return peak * min(1.0, (self.done + 1) / max(warmup, 1)) / 4**self.drops

    def _noise(self, batch: PackedBatch) -> tuple[Noise, np.ndarray | None]:
        """What this step multiplies into the encoder, and into the states before the softmax (locked as well)."""
        settings, encoder = self.settings, self.network.encoder
        rates = NoiseRates(words=settings.embedding_dropout, between=settings.dropout, weights=settings.weight_drop)
        noise = draw_noise(encoder, batch, rates, settings.seed, self.done)
        if settings.dropout == 0:
            return noise, None
        key = dropout_key(settings.seed, POOLED, self.done)
        mask = draw_mask(batch.lengths.size, encoder.features, settings.dropout, key, self.network.dtype)
        return noise, mask[np.arange(batch.starts[-1]) - np.repeat(batch.starts[:-1], np.diff(batch.starts))]


def train_language_network(
    network: LanguageNetwork,
    ids: np.ndarray,
    *,
    settings: LanguageModelSettings,
    workers: Workers,
    dev: np.ndarray | None = None,
    on_progress: Callable[[LanguageProgress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: fresh parameters.
        ids: (N + 1,) int32; the first token is given, the others are learnt.
        settings: see ``LanguageModelSettings``.
        workers: threads; they do not change the result.
        dev: (M + 1,) int32, what to choose the epoch by; None keeps the last epoch.
        on_progress: called with a ``LanguageProgress``.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    bounds = streams(ids.size - 1, settings.batch_size, settings.window)
    per_epoch = -(-int(bounds[1]) // settings.window)
    trainer = LanguageTrainer(network, settings, steps=per_epoch * settings.epochs, workers=workers)
    report = _Reporter(on_progress, trainer)
    history: list[dict[str, Any]] = []
    best, best_epoch, kept = math.inf, 0, None
    for epoch in range(settings.epochs):
        summed, seen, state = 0.0, 0, None
        for window in windows(ids, bounds, settings.window):
            loss, state = trainer.step(window, state)
            summed, seen = summed + loss * window.targets.size, seen + window.targets.size
            report.step(epoch, summed / seen, seen)
        row: dict[str, Any] = {"epoch": epoch + 1, "loss": summed / seen}
        score = -float(epoch)
        if dev is not None:
            score = row["dev_loss"] = -float(network.log_probabilities(dev, workers).mean())
        history.append(row)
        logger.info("%s", ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if score < best:
            best, best_epoch = score, epoch + 1
            if dev is not None and epoch + 1 < settings.epochs:
                kept = network.dense.copy(), network.embedding.copy()
        elif settings.schedule == "plateau":
            trainer.drops += 1
        report.epoch(epoch, row)
        if settings.patience is not None and epoch + 1 - best_epoch >= settings.patience:
            logger.info("no better epoch than %d for %d epochs: training stops", best_epoch, settings.patience)
            break
    if kept is not None and best_epoch < len(history):
        network.dense[:], network.embedding[:] = kept
    return Outcome(history, best_epoch)


class _Reporter:
    """Calls ``on_progress`` about ten times a second, and whenever an epoch ends."""

    def __init__(self, call: Callable[[LanguageProgress], None] | None, trainer: LanguageTrainer) -> None:
        self._call, self._trainer = call, trainer
        self._began = self._last = time.perf_counter()
        self._tokens = self._before = 0
        self._dev: float | None = None

    def step(self, epoch: int, loss: float, seen: int) -> None:
        self._tokens = self._before + seen
        now = time.perf_counter()
        if self._call is not None and now - self._last >= 0.1:
            self._send(epoch, loss, now, False)

    def epoch(self, epoch: int, row: dict[str, Any]) -> None:
        self._before, self._dev = self._tokens, row.get("dev_loss")
        if self._call is not None:
            self._send(epoch, row["loss"], time.perf_counter(), True)

    def _send(self, epoch: int, loss: float, now: float, done: bool) -> None:
        assert self._call is not None
        self._last, trainer = now, self._trainer
        seconds = max(now - self._began, 1e-9)
        left = seconds / trainer.done * (trainer.steps - trainer.done)
        speed, rate = self._tokens / seconds, trainer.learning_rate
        where = epoch, trainer.settings.epochs, trainer.done, trainer.steps
        self._call(LanguageProgress(*where, loss, rate, speed, left, self._dev, done))
