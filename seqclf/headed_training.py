"""Training of a net with a head of any kind, from texts or from sequences of numbers; ``epochs.py`` has the loop."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from seqclf.batches import PackedBatch, pack
from seqclf.epochs import Outcome, Progress, steps_in_all, train_in_batches
from seqclf.headed_network import HeadedNetwork
from seqclf.inference import for_batches
from seqclf.noise import POOLED, NoiseRates, draw_mask, draw_noise, dropout_key
from seqclf.optimizers import Optimizer
from seqclf.parameters import Workspace
from seqclf.settings import ClassifierSettings
from seqclf.workers import Workers


class Sequences(NamedTuple):
    """Encoded texts, or sequences of numbers laid end to end."""

    ids: np.ndarray
    """(N,) int32 tokens, or rows of ``rows``."""
    offsets: np.ndarray
    """(S + 1,) int64: sequence s is ``ids[offsets[s]:offsets[s + 1]]``."""
    rows: np.ndarray | None
    """(N, E) float32 the steps' numbers; None for texts."""

    def batch(self, members: np.ndarray) -> tuple[PackedBatch, np.ndarray | None]:
        """Some of them, packed, and the vectors of its distinct tokens where these are given."""
        batch = pack(self.ids, self.offsets, members)
        return batch, None if self.rows is None else self.rows[batch.token_ids]


def train_headed(
    network: HeadedNetwork,
    examples: Sequences,
    targets: np.ndarray,
    settings: ClassifierSettings,
    *,
    tuned_rows: int,
    workers: Workers,
    evaluate: Callable[[], tuple[dict[str, Any], tuple[float, ...]]] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of its best epoch.

    Args:
        network: fresh parameters.
        examples: S sequences to learn from.
        targets: (S, C) float32, as its head takes them.
        settings: see ``ClassifierSettings``.
        tuned_rows: the first so many rows of the embedding are trained.
        workers: threads; they do not change the result.
        evaluate, on_progress: see ``train_in_batches``.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    lengths = np.diff(examples.offsets)
    optimizer = Optimizer(
        network.dense, learning_rate=settings.learning_rate, warmup_steps=settings.warmup_steps,
        clip_norm=settings.clip_norm, steps=steps_in_all(lengths.size, settings),
        tables=[(network.embedding, tuned_rows)] if tuned_rows else [], workers=workers,
    )  # fmt: skip
    return train_in_batches(
        lambda members: _step(network, examples, targets, members, settings, optimizer, workers, tuned_rows > 0),
        lengths, optimizer, settings, arrays=[network.dense, network.embedding[:tuned_rows]],
        evaluate=evaluate, on_progress=on_progress,
    )  # fmt: skip


def _step(
    network: HeadedNetwork,
    examples: Sequences,
    targets: np.ndarray,
    members: np.ndarray,
    settings: ClassifierSettings,
    optimizer: Optimizer,
    workers: Workers,
    tuned: bool,
) -> float:
    batch, inputs = examples.batch(members)
    rates = NoiseRates(
        words=settings.dropout if inputs is None else 0.0,
        between=settings.layer_dropout,
        locked=settings.locked_dropout,
        weights=settings.weight_drop,
    )
    noise, mask = draw_noise(network.encoder, batch, rates, settings.seed, optimizer.done), None
    if settings.dropout:
        key = dropout_key(settings.seed, POOLED, optimizer.done)
        mask = draw_mask(members.size, network.encoder.features, settings.dropout, key, network.dtype)
    tape = network.forward(batch, workers, inputs=inputs, noise=noise, pooled_mask=mask)
    loss, d_rows = network.loss_and_backward(tape, targets[members[batch.order]], workers, tune_vectors=tuned)
    optimizer.step(loss, network.d_dense, *([(batch.token_ids, d_rows)] if tuned else []))
    return loss


def predict_rows(network: HeadedNetwork, sequences: Sequences, threads: int | None) -> np.ndarray:
    """What the head says of each sequence (S, C) float64; neither threads nor the others change a row."""
    lengths = np.diff(sequences.offsets)
    found = np.empty((lengths.size, network.head.outputs))

    def predict(members: np.ndarray, workspace: Workspace) -> None:
        batch, inputs = sequences.batch(members)
        found[members[batch.order]] = network.predict(batch, workspace, inputs=inputs)

    with Workers(1 if lengths.size <= 32 else threads) as workers:
        for_batches(predict, lengths, workers, network.spare_workspace)
    return found
