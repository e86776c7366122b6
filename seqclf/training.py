"""The epoch loop: shuffled batches, dropout, clipping, Adam, the rate's schedule, early stopping, the best epoch kept.

It knows a network, token ids and target classes; where they came from is not its business.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqclf.batches import PackedBatch, pack, training_batches
from seqclf.encoder import Noise
from seqclf.inference import predict_probabilities
from seqclf.network import Network
from seqclf.noise import POOLED, NoiseRates, draw_mask, draw_noise, dropout_key
from seqclf.optimizers import Adam, clipping, global_norm, scheduled_rate
from seqclf.settings import ClassifierSettings
from seqclf.workers import Workers
from wordvec import TrainingError

logger = logging.getLogger(__name__)

BUCKET_WINDOW = 8
"""Batches sorted by length together, see ``training_batches``: a sixth less work than 1, and as accurate."""


class Examples(NamedTuple):
    """Encoded texts and their classes."""

    ids: np.ndarray
    """(N,) int32 tokens of all texts."""
    offsets: np.ndarray
    """(S + 1,) int64: text s is ``ids[offsets[s]:offsets[s + 1]]``."""
    targets: np.ndarray
    """(S,) int32."""


@dataclass(frozen=True)
class Progress:
    """Where training stands; handed to ``on_progress`` a few times a second and at the end of every epoch.

    Attributes:
        epoch: the one in work, from 0. epochs: of how many.
        step: steps done in all epochs. steps: of how many.
        loss: mean training loss of this epoch so far, in nats.
        learning_rate: of the last step.
        texts_per_second: over the whole training so far.
        seconds_left: at that speed.
        dev_accuracy, dev_loss: of the last finished epoch; None before that, or without development texts.
        epoch_done: whether this call ends an epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    texts_per_second: float
    seconds_left: float
    dev_accuracy: float | None = None
    dev_loss: float | None = None
    epoch_done: bool = False


@dataclass(frozen=True)
class Outcome:
    """What training leaves beside the network's parameters, which are those of the best epoch."""

    history: list[dict[str, Any]]
    best_epoch: int
    """From 1."""


class Trainer:
    """One network, its optimiser, and the steps they take together.

    Args:
        network: trained in place.
        settings: rates, dropout, clipping, seed.
        weights: (C,) a weight for each class.
        tuned_rows: the first so many rows of the embedding are trained.
        steps: how many there will be.
        workers: run the directions side by side.
    """

    def __init__(
        self,
        network: Network,
        settings: ClassifierSettings,
        weights: np.ndarray,
        *,
        tuned_rows: int,
        steps: int,
        workers: Workers,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self.steps, self.done = steps, 0
        self.learning_rate = 0.0
        self._weights = weights.astype(network.dtype)
        self._dense = Adam(network.dense)
        self._table = Adam(network.embedding, rows=tuned_rows) if settings.tune_vectors else None
        self._tuned_rows = tuned_rows

    def step(self, batch: PackedBatch, targets: np.ndarray) -> float:
        """One update from a batch; ``targets`` (B,) in the batch's order. Returns its loss.

        Raises:
            TrainingError: the gradient is no longer a number.
        """
        network, settings = self.network, self.settings
        noise, pooled_mask = self._noise(batch)
        tape = network.forward(batch, self.workers, noise=noise, pooled_mask=pooled_mask)
        tune = self._table is not None
        loss, d_rows = network.backward(tape, targets, self._weights[targets], self.workers, tune_vectors=tune)
        # Distinct tokens rise, so the rows that are not trained (kept vectors, the unknown word) stand last.
        tuned = int(np.searchsorted(batch.token_ids, self._tuned_rows)) if tune else 0
        norm = global_norm(network.d_dense, d_rows[:tuned])
        if not math.isfinite(norm + loss):
            raise TrainingError(
                f"the loss is no longer a number at step {self.done + 1}; "
                f"lower learning_rate, which is {settings.learning_rate}"
            )
        scale = clipping(norm, settings.clip_norm)
        self.learning_rate = scheduled_rate(
            self.done, self.steps, peak=settings.learning_rate, warmup=settings.warmup_steps
        )
        self._dense.step(network.d_dense, learning_rate=self.learning_rate, scale=scale)
        if self._table is not None:
            rows = batch.token_ids[:tuned]
            self._table.step(d_rows[:tuned], rows=rows, learning_rate=self.learning_rate, scale=scale)
        self.done += 1
        return loss

    def _noise(self, batch: PackedBatch) -> tuple[Noise, np.ndarray | None]:
        """What this step multiplies into the encoder, and into the pooled state."""
        settings, encoder = self.settings, self.network.encoder
        rates = NoiseRates(
            words=settings.dropout,
            between=settings.layer_dropout,
            locked=settings.locked_dropout,
            weights=settings.weight_drop,
        )
        noise = draw_noise(encoder, batch, rates, settings.seed, self.done)
        if settings.dropout == 0:
            return noise, None
        key = dropout_key(settings.seed, POOLED, self.done)
        return noise, draw_mask(batch.lengths.size, encoder.features, settings.dropout, key, self.network.dtype)


def evaluate(network: Network, examples: Examples, weights: np.ndarray, workers: Workers) -> tuple[float, float]:
    """Accuracy, and the mean weighted loss in nats."""
    probabilities = predict_probabilities(network, examples.ids, examples.offsets, workers)
    hit = probabilities.argmax(axis=1) == examples.targets
    own = probabilities[np.arange(hit.size), examples.targets].astype(np.float64)
    return float(hit.mean()), float(-(weights[examples.targets] * np.log(np.maximum(own, 1.2e-38))).mean())


def train_network(
    network: Network,
    examples: Examples,
    *,
    settings: ClassifierSettings,
    weights: np.ndarray,
    tuned_rows: int,
    workers: Workers,
    dev: Examples | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: fresh parameters.
        examples: what to learn.
        settings: see ``ClassifierSettings``.
        weights: (C,) the classes' weights.
        tuned_rows: the first so many rows of the embedding are trained.
        workers: threads; they do not change the result.
        dev: what to choose the epoch by, accuracy first, then loss; None keeps the last epoch.
        on_progress: called with a ``Progress``.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    lengths = np.diff(examples.offsets)
    per_epoch = -(-lengths.size // settings.batch_size)
    total = per_epoch * settings.epochs
    trainer = Trainer(network, settings, weights, tuned_rows=tuned_rows, steps=total, workers=workers)
    report = _Reporter(on_progress, settings.epochs, total, settings.batch_size)
    history: list[dict[str, Any]] = []
    best, best_epoch, kept = (-math.inf, -math.inf), 0, None
    for epoch in range(settings.epochs):
        random = np.random.default_rng([settings.seed, 0xE70C, epoch])
        summed = 0.0
        for members in training_batches(lengths, settings.batch_size, random, window=BUCKET_WINDOW):
            batch = pack(examples.ids, examples.offsets, members)
            loss = trainer.step(batch, examples.targets[members[batch.order]])
            summed += loss * members.size
            seen = (trainer.done - epoch * per_epoch) * settings.batch_size
            report.step(epoch, trainer, summed / min(seen, lengths.size))
        row: dict[str, Any] = {"epoch": epoch + 1, "loss": summed / lengths.size}
        score = (float(epoch), 0.0)
        if dev is not None:
            row["dev_accuracy"], row["dev_loss"] = evaluate(network, dev, weights, workers)
            score = (row["dev_accuracy"], -row["dev_loss"])
        history.append(row)
        logger.info("%s", ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if score > best:
            best, best_epoch = score, epoch + 1
            if epoch + 1 < settings.epochs:
                kept = network.dense.copy(), network.embedding[:tuned_rows].copy()
        report.epoch(epoch, trainer, row)
        if dev is not None and settings.patience is not None and epoch + 1 - best_epoch >= settings.patience:
            logger.info("no better epoch than %d for %d epochs: training stops", best_epoch, settings.patience)
            break
    if kept is not None and best_epoch < len(history):
        network.dense[:], network.embedding[:tuned_rows] = kept
    return Outcome(history, best_epoch)


class _Reporter:
    """Calls ``on_progress`` about ten times a second, and whenever an epoch ends."""

    def __init__(self, call: Callable[[Progress], None] | None, epochs: int, steps: int, batch_size: int) -> None:
        self._call, self._epochs, self._steps, self._batch_size = call, epochs, steps, batch_size
        self._began = self._last = time.perf_counter()
        self._dev: tuple[float | None, float | None] = (None, None)

    def step(self, epoch: int, trainer: Trainer, loss: float) -> None:
        now = time.perf_counter()
        if self._call is not None and now - self._last >= 0.1:
            self._send(epoch, trainer, loss, now, False)

    def epoch(self, epoch: int, trainer: Trainer, row: dict[str, Any]) -> None:
        self._dev = row.get("dev_accuracy"), row.get("dev_loss")
        if self._call is not None:
            self._send(epoch, trainer, row["loss"], time.perf_counter(), True)

    def _send(self, epoch: int, trainer: Trainer, loss: float, now: float, done: bool) -> None:
        assert self._call is not None
        self._last = now
        seconds = max(now - self._began, 1e-9)
        left = seconds / trainer.done * (self._steps - trainer.done)
        speed = trainer.done * self._batch_size / seconds
        rate = trainer.learning_rate
        self._call(Progress(epoch, self._epochs, trainer.done, self._steps, loss, rate, speed, left, *self._dev, done))
