"""Training of a ``PooledNetwork`` with any head; the loop over epochs is in ``loop.py``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from seqclf.layers.batches import PackedBatch, Sequences, pack, summed_by_row
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.workers import Workers
from seqclf.training.dropout import DropoutRates, draw_dropout_masks, draw_output_mask, dropout_rates
from seqclf.training.freezing import frozen_parameters
from seqclf.training.loop import Outcome, steps_in_all, train_in_batches
from seqclf.training.optimizers import Optimizer, OptimizerSettings
from seqclf.training.resuming import Resumption
from seqclf.training.settings import PooledSettings
from wordvec.system.progress import OnProgress


class TrainerSettings(OptimizerSettings, Protocol):
    """The settings of a ``Trainer``."""

    @property
    def dropout(self) -> float: ...

    @property
    def seed(self) -> int: ...


class Trainer:
    """A network, its optimizer, and their training steps.

    Args:
        network: trained in place.
        settings: learning rate, clipping, dropout of the pooled features, seed.
        rates: dropout in the encoder.
        tuned_rows: the first ``tuned_rows`` rows of the embedding are trained; 0 freezes it.
        steps: the number of steps of the whole training.
        workers: run the directions in parallel.

    Attributes:
        optimizer: its updates, learning rate and state.
    """

    def __init__(
        self,
        network: PooledNetwork,
        settings: TrainerSettings,
        *,
        rates: DropoutRates,
        tuned_rows: int,
        steps: int,
        workers: Workers,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self._rates, self._tune = rates, tuned_rows > 0
        tables = [(network.embedding, tuned_rows)] if self._tune else []
        self.optimizer = Optimizer.from_settings(
            network.dense, settings, steps=steps, tables=tables, workers=workers,
            frozen=frozen_parameters(network, settings.freeze, ["embedding"] if self._tune else []),
        )  # fmt: skip

    def step(
        self,
        batch: PackedBatch,
        targets: np.ndarray,
        inputs: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        words: Sequences | None = None,
    ) -> float:
        """Update the network from a batch and return the loss.

        Args:
            batch: B sequences.
            targets: (B, ...) in the batch's order, as the head takes them.
            inputs: (U, E) vectors of the batch's distinct tokens, without dropout; None looks them up.
            weights: (B,) of the sequences in the loss, in the batch's order; None weighs all equally.
            words: the sequences, if their words have characters.

        Raises:
            TrainingError: the loss or a gradient is NaN or infinite.
        """
        network, settings = self.network, self.settings
        spelling = None if words is None else words.spelling
        rates = self._rates if inputs is None or spelling is not None else replace(self._rates, words=0.0)
        done = self.optimizer.done
        noise = draw_dropout_masks(network.encoder, batch, rates, settings.seed, done)
        mask = draw_output_mask(network.encoder, batch.lengths.size, settings.dropout, settings.seed, done)
        tape = network.forward(batch, self.workers, inputs=inputs, spelling=spelling, noise=noise, pooled_mask=mask)
        loss, d_rows = network.loss_and_backward(tape, targets, self.workers, weights=weights, tune_vectors=self._tune)
        touched = (batch.token_ids, d_rows)
        if words is not None and words.rows is not None:
            # Several words may share a row, and what follows the vectors is not of the table.
            touched = summed_by_row(words.rows[batch.token_ids][:, None], d_rows[:, : network.embedding.shape[1]])
            touched[1][:, network.encoder.shape.vector_size :] = 0
        self.optimizer.step(loss, network.d_dense, *([touched] if self._tune else []))
        return loss


def train_pooled(
    network: PooledNetwork,
    examples: Sequences,
    targets: np.ndarray,
    settings: PooledSettings,
    *,
    weights: np.ndarray | None = None,
    trained_words: int,
    workers: Workers,
    unit: str,
    evaluate: Callable[[], tuple[dict[str, Any], tuple[float, ...]]] | None = None,
    on_progress: OnProgress | None = None,
    resumption: Resumption | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of its best epoch.

    Args:
        network: with initial parameters.
        examples: S training sequences.
        targets: (S,) or (S, C), as the head takes them.
        settings: see ``PooledSettings``.
        weights: (S,) of the sequences in the loss; None weighs all equally.
        trained_words: the first rows of the embedding, trained if ``settings.tune_vectors``.
        workers: threads; they do not change the result.
        unit, evaluate, on_progress, resumption: see ``train_in_batches``.

    Raises:
        TrainingError: the loss or a gradient is NaN or infinite.
    """
    lengths, tuned_rows = examples.lengths, trained_words if settings.tune_vectors else 0
    trainer = Trainer(
        network, settings, rates=dropout_rates(settings), tuned_rows=tuned_rows,
        steps=steps_in_all(lengths.size, settings), workers=workers,
    )  # fmt: skip

    def step(members: np.ndarray) -> float:
        batch = pack(examples.ids, examples.offsets, members)
        rows = members[batch.order]
        shares = None if weights is None else weights[rows]
        return trainer.step(batch, targets[rows], examples.inputs(batch, network.embedding), shares, words=examples)

    return train_in_batches(
        step, lengths, trainer.optimizer, settings, arrays=[network.dense, network.embedding[:tuned_rows]], unit=unit,
        evaluate=evaluate, on_progress=on_progress, resumption=resumption,
    )  # fmt: skip
