"""Training of a language model: truncated backpropagation through time over streams of a text."""

import logging
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from seqclf.language.defaults import ChosenSettings, choose_settings, cutoffs_of
from seqclf.language.model import TrainedLanguageModel
from seqclf.language.network import LanguageNetwork, LanguageShape, Window, initial_parameters, windows
from seqclf.language.settings import LanguageModelSettings
from seqclf.language.text import UNKNOWN, encode_text, end_of_line, read_training_text, tokens_of
from seqclf.layers.batches import PackedBatch
from seqclf.layers.tape import DropoutMasks, States, zero_states
from seqclf.layers.workers import Workers
from seqclf.training.dropout import DropoutRates, draw_dropout_masks, draw_output_mask
from seqclf.training.freezing import frozen_parameters
from seqclf.training.loop import Outcome, Reporter, train_epochs
from seqclf.training.optimizers import Optimizer
from seqclf.training.resuming import Resumption
from wordvec import InputError, Vocabulary
from wordvec.checkpointing.checkpoint import SavedTraining
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

logger = logging.getLogger(__name__)

_SAMPLES = 3  # the random stream of a sampled softmax


def train_language_model(
    lines: Iterable[str],
    *,
    settings: LanguageModelSettings | None = None,
    dev: Iterable[str] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> TrainedLanguageModel:
    """Train a recurrent language model.

    Args:
        lines: the text as strings without line ends; a generator is read once.
        settings: default: ``LanguageModelSettings()``.
        dev: lines that choose the best epoch; None splits off the last ``settings.validation_fraction``.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its ``history`` has one row per epoch.

    Raises:
        InputError: a setting out of range, a line that is not a string, or no text, also for ``dev``.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: the loss or a gradient is NaN or infinite.
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    given = or_defaults(settings, LanguageModelSettings)

    def tokens(text: Iterable[str]) -> Iterable[str]:
        return tokens_of(text, given.unit, given.tokenizer, given.lowercase, given.normalize)

    vocabulary, ids, dev_ids = read_training_text(
        tokens(lines),
        given.unit,
        min_count=given.min_count,
        max_vocabulary=given.max_vocabulary,
        held_out=given.validation_fraction if dev is None else 0.0,
    )
    if dev is not None:
        dev_ids = encode_text(tokens(dev), vocabulary, given.unit)
        if dev_ids.size == 1:
            raise InputError("dev must be a text of at least one line, got 0 lines; leave it out to split off a part")
    elif dev_ids.size > 1:
        logger.info(
            "no validation text given: the last %s of %s %ss are split off to choose the epoch",
            f"{dev_ids.size - 1:,}", f"{dev_ids.size + ids.size - 2:,}", given.unit,
        )  # fmt: skip
    counts = vocabulary.counts
    assert counts is not None
    _warn_if_poor(vocabulary, ids.size + dev_ids.size - 2, given.unit)
    chosen = choose_settings(given, ids.size - 1, len(vocabulary))
    shape = LanguageShape(
        len(vocabulary), chosen.vector_size or chosen.hidden_size, chosen.hidden_size, chosen.cell,
        chosen.reset, chosen.layers, chosen.tied, cutoffs_of(chosen, len(vocabulary)),
    )  # fmt: skip
    random = np.random.default_rng([chosen.seed, 0x1217])
    # A word that training lacks (<unk> if no word is rare) is sampled as if it occurred once.
    network = LanguageNetwork(
        shape, initial_parameters(shape, counts, random), samples=chosen.samples, counts=np.maximum(counts, 1)
    )
    sizes = {f"{chosen.unit}s": ids.size - 1, f"validation {chosen.unit}s": max(dev_ids.size - 1, 0)}
    resumption.begin("language model", chosen, sizes, [ids, dev_ids, counts])
    with Workers(threads) as workers:
        outcome = train_language_network(
            network,
            ids,
            settings=chosen,
            workers=workers,
            dev=dev_ids if dev_ids.size > 1 else None,
            on_progress=on_progress,
            resumption=resumption,
        )
    metrics = outcome.metrics(tokens=ids.size - 1, dev_tokens=dev_ids.size - 1)
    return TrainedLanguageModel(network, vocabulary, settings=chosen.record(), metrics=metrics, history=outcome.history)


def _warn_if_poor(vocabulary: Vocabulary, tokens: int, unit: str) -> None:
    """Warn of a text that has nothing to learn from: a single line, or a single word."""
    counts = vocabulary.counts
    assert counts is not None
    words = [token for token, count in zip(vocabulary.tokens, counts, strict=True) if count]
    others = [word for word in words if word not in (UNKNOWN, end_of_line(unit))]
    if len(others) == 1:
        logger.warning("the text repeats a single %s, %r: the model can only repeat it, too", unit, others[0])
    elif counts[vocabulary.token_to_id[end_of_line(unit)]] == 1:
        logger.warning(
            "the text is a single line of %s %ss: give more lines, one for each sentence", f"{tokens:,}", unit
        )


def streams(tokens: int, batch_size: int, window: int) -> np.ndarray:
    """Return bounds (B + 1,) of streams of equal length; the last tokens, fewer than B, are left out.

    B is ``batch_size``, or less if a stream would be shorter than a window.

    Example:
        >>> streams(103, 4, 10), streams(25, 4, 10)
        (array([  0,  25,  50,  75, 100]), array([ 0, 12, 24]))
    """
    count = max(1, min(batch_size, tokens // window))
    return np.arange(count + 1) * (tokens // count)


class LanguageTrainer:
    """A language network, its optimizer, and their training steps.

    Args:
        network: trained in place.
        settings: rates, dropout, clipping, seed.
        steps: the number of steps of the whole training.
        workers: threads; they do not change the result.
        streams: the number of streams.

    Attributes:
        carried: the state after the last window; None at the start of the text.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        settings: ChosenSettings,
        *,
        steps: int,
        workers: Workers,
        streams: int = 1,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self.carried: States | None = None
        self._streams = streams
        self._optimizer = Optimizer.from_settings(
            network.dense, settings, steps=steps, tables=[(network.embedding, len(network.embedding))], workers=workers,
            frozen=frozen_parameters(network, settings.freeze),
        )  # fmt: skip

    def step(self, window: Window, first: States | None) -> tuple[float, States]:
        """Update the network from a window; return the loss and the state after the window.

        Raises:
            TrainingError: the loss or a gradient is NaN or infinite.
        """
        network, settings = self.network, self.settings
        noise, output_mask = self._noise(window.batch)
        random = None
        if settings.samples is not None:
            random = np.random.default_rng([settings.seed, _SAMPLES, self._optimizer.done])
        found = network.backward(window, first, self.workers, noise=noise, output_mask=output_mask, random=random)
        self._optimizer.step(found.loss, network.d_dense, (found.rows, found.d_table))
        return found.loss, found.last

    @property
    def learning_rate(self) -> float:
        """Of the last step."""
        return self._optimizer.learning_rate

    def end_epoch(self, score: tuple[float, ...]) -> None:
        """Tell the schedule the validation score of an epoch."""
        self._optimizer.end_epoch(score)

    def numbers(self) -> dict[str, Any]:
        """Return the numbers of the optimizer."""
        return self._optimizer.numbers()

    def restore(self, saved: SavedTraining) -> None:
        """Continue from the saved numbers."""
        self._optimizer.restore(saved)

    def arrays(self, within_epoch: bool) -> dict[str, np.ndarray]:
        """Return Adam's moments and, within an epoch, the state after the last window, by name."""
        found = self._optimizer.arrays(within_epoch)
        if within_epoch:
            if self.carried is None:
                self.carried = zero_states(self.network.encoder.plan, self._streams)
            found |= {"state.h": self.carried.h, "state.c": self.carried.c}
        return found

    def _noise(self, batch: PackedBatch) -> tuple[DropoutMasks, np.ndarray | None]:
        """Return this step's masks for the encoder, and the locked mask of the states before the softmax."""
        settings, encoder, done = self.settings, self.network.encoder, self._optimizer.done
        rates = DropoutRates(words=settings.embedding_dropout, between=settings.dropout, weights=settings.weight_drop)
        noise = draw_dropout_masks(encoder, batch, rates, settings.seed, done)
        mask = draw_output_mask(encoder, batch.lengths.size, settings.dropout, settings.seed, done)
        return noise, mask


def train_language_network(
    network: LanguageNetwork,
    ids: np.ndarray,
    *,
    settings: ChosenSettings,
    workers: Workers,
    dev: np.ndarray | None = None,
    on_progress: OnProgress | None = None,
    resumption: Resumption | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: with initial parameters.
        ids: (N + 1,) int32; the first token is given, the others are predicted.
        settings: see ``LanguageModelSettings``; nothing is left to be chosen.
        workers: threads; they do not change the result.
        dev: (M + 1,) int32, the text that chooses the epoch; None keeps the last epoch.
        on_progress: called a few times a second.
        resumption: see ``train_in_batches``.

    Raises:
        TrainingError: the loss or a gradient is NaN or infinite.
    """
    bounds = streams(ids.size - 1, settings.batch_size, settings.window)
    steps = -(-int(bounds[1]) // settings.window) * settings.epochs
    trainer = LanguageTrainer(network, settings, steps=steps, workers=workers, streams=bounds.size - 1)
    report = Reporter(on_progress, "tokens", settings.epochs, int(bounds[-1]) * settings.epochs)

    def batches(epoch: int) -> Iterator[Window]:
        yield from windows(ids, bounds, settings.window)
        trainer.carried = None  # the next epoch starts the text again

    def step(window: Window) -> tuple[float, int, int]:
        loss, trainer.carried = trainer.step(window, trainer.carried)
        return loss, window.targets.size, window.targets.size

    def evaluate() -> tuple[dict[str, Any], tuple[float, ...]]:
        assert dev is not None
        loss = -float(network.log_probabilities(dev, workers).mean())
        return {"dev_loss": loss}, (-loss,)

    return train_epochs(
        batches, step, trainer, settings, report, [network.dense, network.embedding],
        None if dev is None else evaluate, resumption,
    )  # fmt: skip
