"""Training of a classifier's net: shuffled batches, dropout, and what is said meanwhile; ``epochs.py`` has the loop.

It knows a network, token ids and target classes; where they came from is not its business.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from seqclf.batches import PackedBatch, pack
from seqclf.epochs import Outcome, Progress, steps_in_all, train_in_batches
from seqclf.inference import predict_probabilities
from seqclf.network import Network
from seqclf.noise import POOLED, NoiseRates, draw_mask, draw_noise, dropout_key
from seqclf.optimizers import Optimizer
from seqclf.settings import ClassifierSettings, NetSettings
from seqclf.tape import Noise
from seqclf.workers import Workers


class Examples(NamedTuple):
    """Encoded texts and their classes."""

    ids: np.ndarray
    """(N,) int32 tokens of all texts."""
    offsets: np.ndarray
    """(S + 1,) int64: text s is ``ids[offsets[s]:offsets[s + 1]]``."""
    targets: np.ndarray
    """(S,) int32."""


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
        self._weights = weights.astype(network.dtype)
        self._tune = settings.tune_vectors
        self._optimizer = Optimizer(
            network.dense,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            clip_norm=settings.clip_norm,
            steps=steps,
            tables=[(network.embedding, tuned_rows)] if self._tune else [],
            workers=workers,
        )

    @property
    def done(self) -> int:
        """Steps so far."""
        return self._optimizer.done

    @property
    def learning_rate(self) -> float:
        """Of the last step."""
        return self._optimizer.learning_rate

    def step(self, batch: PackedBatch, targets: np.ndarray) -> float:
        """One update from a batch; ``targets`` (B,) in the batch's order. Returns its loss.

        Raises:
            TrainingError: the gradient is no longer a number.
        """
        network = self.network
        noise, pooled_mask = self._noise(batch)
        tape = network.forward(batch, self.workers, noise=noise, pooled_mask=pooled_mask)
        loss, d_rows = network.backward(tape, targets, self._weights[targets], self.workers, tune_vectors=self._tune)
        self._optimizer.step(loss, network.d_dense, *([(batch.token_ids, d_rows)] if self._tune else []))
        return loss

    def _noise(self, batch: PackedBatch) -> tuple[Noise, np.ndarray | None]:
        """What this step multiplies into the encoder, and into the pooled state."""
        settings, encoder = self.settings, self.network.encoder
        noise = draw_noise(encoder, batch, noise_rates(settings), settings.seed, self.done)
        if settings.dropout == 0:
            return noise, None
        key = dropout_key(settings.seed, POOLED, self.done)
        return noise, draw_mask(batch.lengths.size, encoder.features, settings.dropout, key, self.network.dtype)


def noise_rates(settings: NetSettings) -> NoiseRates:
    """The shares that the settings name."""
    return NoiseRates(
        words=settings.dropout,
        between=settings.layer_dropout,
        locked=settings.locked_dropout,
        weights=settings.weight_drop,
    )


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
    steps = steps_in_all(lengths.size, settings)
    trainer = Trainer(network, settings, weights, tuned_rows=tuned_rows, steps=steps, workers=workers)

    def step(members: np.ndarray) -> float:
        batch = pack(examples.ids, examples.offsets, members)
        return trainer.step(batch, examples.targets[members[batch.order]])

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        assert dev is not None
        accuracy, loss = evaluate(network, dev, weights, workers)
        return {"dev_accuracy": accuracy, "dev_loss": loss}, (accuracy, -loss)

    return train_in_batches(
        step, lengths, trainer, settings,
        arrays=[network.dense, network.embedding[:tuned_rows]], evaluate=None if dev is None else on_dev,
        on_progress=on_progress,
    )  # fmt: skip
