"""Training steps and validation of a sequence-to-sequence network."""

from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch, Sequences, prediction_batches, row_sequences
from seqclf.layers.decoder_tape import DecoderNoise
from seqclf.layers.parameters import Workspace
from seqclf.layers.vocabulary_gradients import LANES, LiveColumns
from seqclf.layers.workers import Workers
from seqclf.training.dropout import draw_dropout_masks, draw_mask, dropout_key, dropout_rates
from seqclf.training.freezing import frozen_parameters
from seqclf.training.loop import steps_in_all
from seqclf.training.optimizers import Optimizer
from seqclf.training.settings import NetworkSettings
from seqclf.translation.decoding import greedy
from seqclf.translation.defaults import ChosenSettings
from seqclf.translation.network import (
    EOS,
    Targets,
    TransducerNetwork,
    TransducerTape,
    Vectors,
    pack_sources,
    pack_targets,
)
from seqclf.translation.scores import edit_distance
from seqclf.translation.searching import longest
from seqclf.translation.settings import VectorTransducerSettings
from seqclf.translation.stepping import NetworkStepper

_WORDS, _BETWEEN, _WEIGHTS, _HOLD_H, _HOLD_C, _OUTPUT, _SAMPLED = range(0x100, 0x107)
"""Purposes of the decoder's masks; a layer adds a multiple of 16."""
MANY_UNITS = 1_000
"""From as many target units on, the softmax's products take most of a step, so that skipping zeros pays."""


class Trainer:
    """A network, its optimizer, and their training steps.

    Args:
        network: trained in place.
        settings: rates, dropout, seed.
        sources, targets: the training pairs.
        tuned: the number of rows of the source embedding that training updates.
        workers: threads; they do not change the result.

    Attributes:
        trained: all arrays that training updates.
    """

    def __init__(
        self,
        network: TransducerNetwork,
        settings: ChosenSettings,
        sources: Sequences | Vectors,
        targets: Targets,
        *,
        tuned: int,
        workers: Workers,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self._sources, self._targets = sources, targets
        self._read = targets.shifted(network.bos)
        tables, names = [(network.decoder.embedding, len(network.decoder.embedding))], ["decoder.embedding"]
        if network.encoder is not None:
            tables.append((network.encoder.embedding, tuned))
            names.append("encoder.embedding")
        self._steps = steps_in_all(targets.lengths.size, settings)
        self.optimizer = Optimizer.from_settings(
            network.dense, settings, steps=self._steps, tables=tables, workers=workers,
            frozen=frozen_parameters(network, settings.freeze, names),
        )  # fmt: skip
        self.trained = [network.dense, *(table[:rows] for table, rows in tables)]

    def learn(self, members: np.ndarray) -> float:
        """Update the network from some pairs and return their mean loss per target unit."""
        network, settings, step = self.network, self.settings, self.optimizer.done
        source, inputs = pack_sources(network, self._sources, members)
        target, wanted = pack_targets(self._targets, self._read, members)
        noise = None
        if network.encoder is not None and isinstance(source, PackedBatch) and isinstance(settings, NetworkSettings):
            noise = draw_dropout_masks(network.encoder, source, dropout_rates(settings), settings.seed, step)
        mask, live = self._states_mask(int(target.starts[-1]))

        def run(read: PackedBatch) -> TransducerTape:
            decoder_noise = draw_decoder_noise(network, read, settings, step)
            return network.forward(
                source, read, self.workers, inputs=inputs, noise=noise, target_noise=decoder_noise, states_mask=mask,
                live=live,
            )  # fmt: skip

        tape = run(target)
        if settings.scheduled_sampling > 0:
            tape = run(self._sampled(target, network.head.predict(tape.states, None, self.workers)))
        found = network.backward(tape, wanted, self.workers)
        touched = [found.target] if found.source is None else [found.target, found.source]
        self.optimizer.step(found.loss, network.d_dense, *touched)
        return found.loss

    def _sampled(self, batch: PackedBatch, predicted: np.ndarray) -> PackedBatch:
        """Return what the decoder reads with some units replaced by predictions (R,) of the step before."""
        step = self.optimizer.done
        rate = self.settings.scheduled_sampling * step / max(self._steps - 1, 1)
        random = np.random.default_rng([self.settings.seed, _SAMPLED, step])
        read = batch.token_ids[batch.forward_rows]
        first = int(batch.starts[1])
        # The row before is that of the same target, one step earlier.
        before = np.repeat(batch.starts[:-2], np.diff(batch.starts)[1:]) + row_sequences(batch)[first:]
        read[first:] = np.where(random.random(before.size) < rate, predicted[before], read[first:])
        token_ids, rows = np.unique(read, return_inverse=True)
        return batch._replace(token_ids=token_ids, forward_rows=rows.astype(np.int32))

    def _states_mask(self, rows: int) -> tuple[np.ndarray | None, LiveColumns | None]:
        """Return the mask (R, H padded) of what the softmax reads, and the columns it has left.

        With many units, 32 successive rows share a mask, so that products with what it zeroes are skipped.
        """
        settings, network = self.settings, self.network
        if settings.dropout == 0:
            return None, None
        key = dropout_key(settings.seed, _OUTPUT, self.optimizer.done)
        many = network.shape.units >= MANY_UNITS
        groups = np.arange(rows) // LANES if many else np.arange(rows)
        mask = draw_mask(int(groups[-1]) + 1, network.decoder.hidden, settings.dropout, key, network.dtype)
        return (mask[groups], LiveColumns(groups, mask != 0)) if many else (mask, None)


def draw_decoder_noise(
    network: TransducerNetwork, batch: PackedBatch, settings: VectorTransducerSettings, step: int
) -> DecoderNoise:
    """Return the decoder's masks of one training step; each is a pure function of the seed and the step."""
    decoder, kind = network.decoder, network.dtype
    layers, packed = decoder.shape.layers, int(batch.starts[-1])

    def mask(
        purpose: int, rows: int, columns: int, rate: float, layer: int = 0, kept: float | None = None
    ) -> np.ndarray:
        return draw_mask(rows, columns, rate, dropout_key(settings.seed, purpose + 16 * layer, step), kind, kept)

    def holds(purpose: int, share: float) -> np.ndarray | None:
        if share == 0:
            return None
        # 1 where the old value is kept, so the rate of zeros is 1 - share.
        return np.stack([mask(purpose, packed, decoder.hidden, 1 - share, layer, 1.0) for layer in range(layers)])

    noise = DecoderNoise(hold_h=holds(_HOLD_H, settings.zoneout))
    if decoder.cell.has_cell:
        noise.hold_c = holds(_HOLD_C, settings.zoneout_cell)
    if settings.dropout > 0:
        noise.words = mask(_WORDS, batch.token_ids.size, decoder.columns, settings.dropout)
    if settings.layer_dropout > 0 and layers > 1:
        rows = batch.lengths.size if settings.locked_dropout else packed
        drawn = [mask(_BETWEEN, rows, decoder.hidden, settings.layer_dropout, layer) for layer in range(layers - 1)]
        each = row_sequences(batch) if settings.locked_dropout else slice(None)
        noise.between = np.stack([one[each] for one in drawn])
    if settings.weight_drop > 0:
        size = decoder.layout()["decoder.w_hidden"]
        rows = int(np.prod(size[:-1]))
        noise.w_hidden = mask(_WEIGHTS, rows, size[-1], settings.weight_drop).reshape(size)
    return noise


def evaluate(
    network: TransducerNetwork,
    sources: Sequences | Vectors,
    targets: Targets,
    settings: VectorTransducerSettings,
    workers: Workers,
) -> tuple[dict[str, Any], tuple[float, ...]]:
    """Return a row of the history, and the score that chooses the epoch.

    The row has the mean -log p per target unit and, unless the loss chooses, the share of greedy predictions that are
    exact and their edit distance per unit of the targets.
    """
    lengths, read = targets.lengths, targets.shifted(network.bos)
    losses = np.zeros(lengths.size)
    exact, edits = np.zeros(lengths.size, np.bool_), np.zeros(lengths.size, np.int64)
    for members in prediction_batches(lengths, tokens=2048):
        batch, inputs = pack_sources(network, sources, members)
        target, wanted = pack_targets(targets, read, members)
        tape = network.forward(batch, target, workers, inputs=inputs)
        found = network.head.log_probabilities(tape.states, wanted, workers)
        np.subtract.at(losses, members[target.order][row_sequences(target)], found)
        if settings.choose_by != "loss":
            stepper = NetworkStepper.of_members(network, sources, members, Workspace(network.dtype))
            limits = longest(sources)[members]
            best = greedy(stepper, members.size, bos=network.bos, eos=EOS, max_lengths=limits)
            for member, (hypothesis,) in zip(members.tolist(), best, strict=True):
                truth = targets.ids[targets.offsets[member] : targets.offsets[member + 1] - 1].tolist()
                exact[member], edits[member] = truth == hypothesis.tokens, edit_distance(truth, hypothesis.tokens)
    loss = float(losses.sum() / lengths.sum())
    row: dict[str, Any] = {"dev_loss": loss}
    if settings.choose_by == "loss":
        return row, (-loss,)
    share, distance = float(exact.mean()), float(edits.sum() / max(int(lengths.sum()) - lengths.size, 1))
    row |= {"dev_exact": share, "dev_edit": distance}
    return row, ((share, -loss) if settings.choose_by == "exact" else (-distance, -loss))
