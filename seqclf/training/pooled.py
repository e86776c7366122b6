"""Training of a net with a head of any kind, from texts or from sequences of numbers; ``epochs.py`` has the loop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from seqclf.layers.batch_prediction import for_batches
from seqclf.layers.batches import PackedBatch, pack
from seqclf.layers.parameters import Workspace
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.workers import Workers
from seqclf.training.dropout import POOLED, draw_dropout_masks, draw_mask, dropout_key, dropout_rates
from seqclf.training.loop import Outcome, Progress, steps_in_all, train_in_batches
from seqclf.training.optimizers import Optimizer
from seqclf.training.settings import PooledSettings


class Sequences(NamedTuple):
    """Encoded texts, or sequences of numbers laid end to end."""

    ids: np.ndarray
    """(N,) int32 tokens, or rows of ``rows``."""
    offsets: np.ndarray
    """(S + 1,) int64: sequence s is ``ids[offsets[s]:offsets[s + 1]]``."""
    rows: np.ndarray | None = None
    """(N, E) float32 the steps' numbers; None for texts."""

    def batch(self, members: np.ndarray) -> tuple[PackedBatch, np.ndarray | None]:
        """Some of them, packed, and the vectors of its distinct tokens where these are given."""
        batch = pack(self.ids, self.offsets, members)
        return batch, None if self.rows is None else self.rows[batch.token_ids]


class Trainer:
    """One network, its optimiser, and the steps they take together.

    Args:
        network: trained in place.
        settings: rates, dropout, clipping, seed, and whether the embedding is trained.
        weights: (C,) a weight for each class, where targets are classes; None counts all sequences alike.
        tuned_rows: the first so many rows of the embedding are trained.
        steps: how many there will be.
        workers: run the directions side by side.

    Attributes:
        done: steps so far. learning_rate: of the last step.
    """

    def __init__(
        self,
        network: PooledNetwork,
        settings: PooledSettings,
        weights: np.ndarray | None = None,
        *,
        tuned_rows: int,
        steps: int,
        workers: Workers,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self._weights = None if weights is None else weights.astype(network.dtype)
        self._tune = settings.tune_vectors and tuned_rows > 0
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
        return self._optimizer.done

    @property
    def learning_rate(self) -> float:
        return self._optimizer.learning_rate

    def step(self, batch: PackedBatch, targets: np.ndarray, inputs: np.ndarray | None = None) -> float:
        """One update from a batch. Returns its loss.

        Args:
            batch: B sequences.
            targets: (B, ...) in the batch's order, as the head takes them.
            inputs: the vectors of its distinct tokens, where these are given; no part of them is dropped.

        Raises:
            TrainingError: the gradient is no longer a number.
        """
        network, settings = self.network, self.settings
        rates, mask = dropout_rates(settings), None
        if inputs is not None:
            rates = replace(rates, words=0.0)
        noise = draw_dropout_masks(network.encoder, batch, rates, settings.seed, self.done)
        if settings.dropout:
            key = dropout_key(settings.seed, POOLED, self.done)
            mask = draw_mask(batch.lengths.size, network.encoder.features, settings.dropout, key, network.dtype)
        tape = network.forward(batch, self.workers, inputs=inputs, noise=noise, pooled_mask=mask)
        weights = None if self._weights is None else self._weights[targets]
        loss, d_rows = network.loss_and_backward(tape, targets, self.workers, weights=weights, tune_vectors=self._tune)
        self._optimizer.step(loss, network.d_dense, *([(batch.token_ids, d_rows)] if self._tune else []))
        return loss


def train_pooled(
    network: PooledNetwork,
    examples: Sequences,
    targets: np.ndarray,
    settings: PooledSettings,
    *,
    weights: np.ndarray | None = None,
    tuned_rows: int,
    workers: Workers,
    evaluate: Callable[[], tuple[dict[str, Any], tuple[float, ...]]] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of its best epoch.

    Args:
        network: fresh parameters.
        examples: S sequences to learn from.
        targets: (S,) or (S, C), as its head takes them.
        settings: see ``PooledSettings``.
        weights, tuned_rows: see ``Trainer``.
        workers: threads; they do not change the result.
        evaluate, on_progress: see ``train_in_batches``.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    lengths = np.diff(examples.offsets)
    steps = steps_in_all(lengths.size, settings)
    trainer = Trainer(network, settings, weights, tuned_rows=tuned_rows, steps=steps, workers=workers)

    def step(members: np.ndarray) -> float:
        batch, inputs = examples.batch(members)
        return trainer.step(batch, targets[members[batch.order]], inputs)

    return train_in_batches(
        step, lengths, trainer, settings, arrays=[network.dense, network.embedding[:tuned_rows]],
        evaluate=evaluate, on_progress=on_progress,
    )  # fmt: skip


def predict_rows(network: PooledNetwork, sequences: Sequences, threads: int | None) -> np.ndarray:
    """What the head says of each sequence (S, C) float64; neither threads nor the others change a row."""
    lengths = np.diff(sequences.offsets)
    found = np.empty((lengths.size, network.head.outputs))

    def predict(members: np.ndarray, workspace: Workspace) -> None:
        batch, inputs = sequences.batch(members)
        found[members[batch.order]] = network.predict(batch, workspace, inputs=inputs)

    with Workers(1 if lengths.size <= 32 else threads) as workers:
        for_batches(predict, lengths, workers, network.spare_workspace)
    return found
