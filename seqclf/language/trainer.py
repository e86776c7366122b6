"""Training a language model: truncated backpropagation through time over streams of a text, state carried on.

It knows a network and token ids; where they came from is not its business.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from seqclf.language.network import LanguageNetwork, Window, windows
from seqclf.language.settings import LanguageModelSettings
from seqclf.layers.batches import PackedBatch
from seqclf.layers.tape import DropoutMasks, States
from seqclf.layers.workers import Workers
from seqclf.training.dropout import POOLED, DropoutRates, draw_dropout_masks, draw_mask, dropout_key
from seqclf.training.loop import Outcome, Progress, Reporter, best_of_epochs
from seqclf.training.optimizers import Adam, Sgd, clipping, global_norm, scheduled_rate
from wordvec import TrainingError

_SAMPLES = 3  # the stream that a sampled softmax draws from


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
        self._best, self._drops = math.inf, 0
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

    def judge(self, dev_loss: float) -> None:
        """Note an epoch's loss on development text: one that is no better divides the rate of a ``plateau`` by 4."""
        self._drops += self.settings.schedule == "plateau" and dev_loss >= self._best
        self._best = min(self._best, dev_loss)

    def _rate(self) -> float:
        settings = self.settings
        peak, warmup = settings.peak_rate, min(settings.warmup_steps, self.steps // 5)
        if settings.schedule == "linear":
            return scheduled_rate(self.done, self.steps, peak=peak, warmup=warmup)
        return peak * min(1.0, (self.done + 1) / max(warmup, 1)) / 4**self._drops

    def _noise(self, batch: PackedBatch) -> tuple[DropoutMasks, np.ndarray | None]:
        """What this step multiplies into the encoder, and into the states before the softmax (locked as well)."""
        settings, encoder = self.settings, self.network.encoder
        rates = DropoutRates(words=settings.embedding_dropout, between=settings.dropout, weights=settings.weight_drop)
        noise = draw_dropout_masks(encoder, batch, rates, settings.seed, self.done)
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
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: fresh parameters.
        ids: (N + 1,) int32; the first token is given, the others are learnt.
        settings: see ``LanguageModelSettings``.
        workers: threads; they do not change the result.
        dev: (M + 1,) int32, what to choose the epoch by; None keeps the last epoch.
        on_progress: called with a ``Progress``.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    bounds = streams(ids.size - 1, settings.batch_size, settings.window)
    steps = -(-int(bounds[1]) // settings.window) * settings.epochs
    trainer = LanguageTrainer(network, settings, steps=steps, workers=workers)
    report = Reporter(on_progress, settings.epochs, steps, (bounds.size - 1) * settings.window)

    def run(epoch: int) -> tuple[dict[str, Any], tuple[float, ...] | None]:
        summed, seen, state, score = 0.0, 0, None, None
        for window in windows(ids, bounds, settings.window):
            loss, state = trainer.step(window, state)
            summed, seen = summed + loss * window.targets.size, seen + window.targets.size
            report.step(epoch, trainer, summed / seen)
        row: dict[str, Any] = {"epoch": epoch + 1, "loss": summed / seen}
        if dev is not None:
            row["dev_loss"] = -float(network.log_probabilities(dev, workers).mean())
            trainer.judge(row["dev_loss"])
            score = (-row["dev_loss"],)
        report.epoch(epoch, trainer, row)
        return row, score

    return best_of_epochs(run, settings.epochs, patience=settings.patience, arrays=[network.dense, network.embedding])
