"""CBOW and skip-gram training: epochs, checkpoints, evaluation, selection of the best epoch."""

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.encoding.contexts import check_contexts
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.formats.safetensors import pack_tokens
from wordvec.system.progress import OnProgress, Progress, seconds_left
from wordvec.system.settings import or_defaults
from wordvec.system.threads import uninterrupted, worker_count
from wordvec.system.validation import check_kind
from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.assembly import Assembly
from wordvec.word2vec.buffers import check_memory, longest_window
from wordvec.word2vec.callbacks import Monitor
from wordvec.word2vec.continuation import arrays_of, check_fits, frequencies
from wordvec.word2vec.epoch import Trainer
from wordvec.word2vec.evaluated_run import EvaluatedRun
from wordvec.word2vec.objectives import check_softmax
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import ContinuationSettings, Word2VecSettings
from wordvec.word2vec.trees import TrainingTree

_log = logging.getLogger(__name__)


def train_word2vec(
    corpus: EncodedCorpus,
    settings: Word2VecSettings | None = None,
    *,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    initial: WordVectors | None = None,
    continuation: ContinuationSettings | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
    callbacks: Iterable[Any] = (),
    evaluate: Callable[[WordVectors], float] | None = None,
    evaluate_every: int = 1,
    evaluate_seconds: float | None = None,
    early_stopping: int | None = None,
) -> Word2VecResult:
    """Train word vectors on an encoded corpus.

    Args:
        corpus: from ``encode_corpus``.
        settings: None means the defaults.
        threads: None means one per core. In reproducible mode, the vectors are bit-identical at any number of threads.
        on_progress: called now and then from the calling thread.
        initial: vectors to continue from. They initialize the words they share with the corpus; words that the corpus
            lacks stay unchanged. Without context vectors, or without nodes in hierarchical softmax, the output side
            starts at zero. Counts are added, and the result has the words of both by descending count.
        continuation: how training continues from ``initial``; None means the defaults.
        checkpoint: a file to save the training state to, every ``checkpoint_every`` seconds and on Ctrl-C. Remove it
            once the vectors are saved.
        resume: continue from the checkpoint, if it exists. In reproducible mode, the vectors are bit-identical to those
            of an uninterrupted run. In hogwild mode, the number of threads is that of the interrupted run.
        callbacks: objects with methods of ``TrainingCallback``, or functions called after each epoch.
        evaluate: a function that scores vectors, higher is better; the vectors of the best epoch are kept.
        evaluate_every: evaluate every this many epochs, and after the last.
        evaluate_seconds: also evaluate at this interval, for ``on_evaluation`` only: a clock must not decide which
            vectors are kept.
        early_stopping: end after this many consecutive epochs without improvement, by ``evaluate`` or else by the
            loss, and keep the best epoch's vectors. The learning rate schedule is that of all ``epochs``.

    Raises:
        InputError: settings out of range, an existing checkpoint without ``resume``, or a checkpoint of another run.
        InputError: fewer than two types, which leaves no negatives to sample, or too many for full softmax; or no two
            words in the same sentence.
        TrainingError: training diverged, or memory is insufficient.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat"] * 50)
        >>> result = train_word2vec(corpus, Word2VecSettings(vector_size=16, epochs=2))
        >>> result.vectors.vectors.shape, len(result.losses)
        ((4, 16), 2)
        >>> more = train_word2vec(encode_corpus(["the fox sat"] * 9), result.settings, initial=result.vectors)
        >>> more.vectors.tokens
        ['sat', 'the', 'cat', 'dog', 'fox']
    """
    settings = or_defaults(settings, Word2VecSettings)
    check_kind("corpus", corpus, EncodedCorpus, "pass encode_corpus(texts)")
    chosen, usual = settings.epochs is None, settings.resolved().passes
    settings = settings.resolved(corpus.raw_tokens if initial is None else None, len(corpus.vocabulary))
    if chosen and settings.passes > usual:
        _log.info(
            "epochs: %d instead of %d, as the text has only %s tokens; set epochs for another number",
            settings.passes, usual, f"{corpus.raw_tokens:,}",
        )  # fmt: skip
    if len(corpus.vocabulary) < 2:
        raise InputError(
            f"training needs at least 2 types, but the vocabulary has {len(corpus.vocabulary)}; lower min_count or use "
            "more text"
        )
    check_contexts(corpus)
    check_softmax(settings, len(corpus.vocabulary))
    threads = worker_count(threads)
    monitor = Monitor(callbacks, evaluate, evaluate_every, evaluate_seconds, early_stopping)
    if initial is None and continuation is not None:
        raise InputError("continuation needs initial, the vectors to continue from")
    continuation = or_defaults(continuation, ContinuationSettings)
    counts = None
    if initial is not None:
        check_kind("initial", initial, WordVectors)
        check_fits(initial, corpus, settings, continuation)
        counts = frequencies(initial, corpus.vocabulary, continuation.initial_counts)
    saver = Checkpoint(checkpoint, checkpoint_every, resume)
    widest = replace(settings, window=longest_window(settings, np.asarray(corpus.offsets)))
    memory = check_memory(widest, len(corpus.vocabulary), threads, keeps_best=monitor.best is not None)
    saved = saver.begin(
        settings.record() | continuation.record(),
        {"tokens": len(corpus.ids), "types": len(corpus.vocabulary)},
        (*pack_tokens(corpus.vocabulary.tokens), corpus.vocabulary.counts, corpus.ids, corpus.offsets),
        keeping=monitor.rule,
        initial=None if initial is None else arrays_of(initial),
    )
    # In hogwild mode, each thread has its own lane.
    lanes = saved.rows("lanes.state") if saved else None
    tree = TrainingTree(corpus.vocabulary, initial) if settings.loss == "hierarchical" else None
    paths = None if tree is None else tree.paths
    trainer = Trainer(corpus, settings, threads, lanes=lanes, frequencies=counts, tree=paths, merges=initial is None)
    training = Word2VecRun(trainer, monitor, saver, initial, continuation, on_progress, tree)
    training.result.memory = memory
    return training.run(saved)


class Word2VecRun(EvaluatedRun):
    """A training run, as callbacks see it; see ``EvaluatedRun``.

    Attributes:
        corpus: the training data.
    """

    def __init__(
        self,
        trainer: Trainer,
        monitor: Monitor,
        checkpoint: Checkpoint,
        initial: WordVectors | None,
        continuation: ContinuationSettings,
        on_progress: OnProgress | None,
        tree: TrainingTree | None = None,
    ) -> None:
        result = Word2VecResult(
            vectors=None,  # type: ignore[arg-type]  # set at the end
            settings=trainer.settings,
            raw_tokens=trainer.corpus.raw_tokens,
            types=trainer.types,
            threads=trainer.threads,
        )
        super().__init__(checkpoint, monitor, result)
        self.corpus = trainer.corpus
        self._trainer, self._on_progress = trainer, on_progress
        record = self.settings.record() | continuation.record()
        self._assembly = Assembly(self.corpus, self.settings, trainer.buckets, tree, initial, record)
        if initial is not None:
            known = self._assembly.start(trainer.all_rows())
            if continuation.initial_rate != 1:
                trainer.set_rates(known, continuation.initial_rate)
        self._within_epoch = False

    @property
    def position(self) -> float:
        """Finished epochs, plus the finished part of the current one."""
        return self.epoch + (self._trainer.tokens_done() / max(len(self.corpus.ids), 1) if self._within_epoch else 0)

    def vectors(self) -> WordVectors:
        """Return a copy of the current vectors."""
        if self.result.vectors is not None:
            return self.result.vectors
        return self._assembly.vectors(self._trainer.copied_rows())

    def run(self, saved: SavedTraining | None) -> Word2VecResult:
        """Train to the end, from the beginning or from a saved state."""
        self._report()
        self._run_to_end(saved)
        self.result.seconds = self.seconds
        return self._finish()

    def _compile(self) -> None:
        self._trainer.compile()

    def _train(self) -> None:
        trainer, clock = self._trainer, self._monitor.clock
        self._begin()
        while not self._is_over():
            if not self._within_epoch:
                with uninterrupted():  # all or nothing
                    trainer.begin_epoch(self.epoch)
                    self._within_epoch = True
            self._save_if_due()
            if clock.is_due():
                self._evaluate()
            if trainer.run(self._is_pause_due):
                trainer.check_stable(f"after epoch {self.epoch + 1}")
                self._report()
                self._end_epoch(trainer.end_epoch())

    def _is_pause_due(self) -> bool:
        self._report()
        return self.checkpoint.clock.is_due() or self._monitor.clock.is_due()

    def _current_table(self) -> np.ndarray:
        return self._trainer.table

    def _reset_epoch(self) -> None:
        self._within_epoch = False

    def _finish(self) -> Word2VecResult:
        best = self._take_best()
        if best is not None:
            self._trainer.table[:] = best
        self.result.vectors = self._assembly.vectors(self._trainer.take_rows())
        self._monitor.callbacks("on_end", self)
        return self.result

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        self._trainer.check_stable(f"in epoch {self.epoch + 1}")
        arrays, reached = self._state_of_epochs()
        return self._trainer.arrays() | arrays, reached | {"within": self._within_epoch}

    def _restore(self, saved: SavedTraining) -> None:
        bounds = self._trainer.bounds.copy()
        former = saved.spare("lanes.touched", "lanes.places", "lanes.copied")  # stored up to 0.2
        self._restore_epochs(saved, self._trainer.arrays() | former, self._trainer.table)
        self._within_epoch = saved.reached.get("within") is True
        try:
            self._trainer.check_restored(bounds)
        except InputError as error:
            raise saved.damaged(error) from None
        if self._within_epoch:
            self._trainer.resume_epoch(self.epoch)

    def _position(self) -> str:
        return f"{self.position:.2f} epochs of {self.settings.passes}"

    # -- progress -----------------------------------------------------------------------------------------------------

    def _done(self) -> float:
        """Return the raw tokens trained on in all epochs."""
        return self.position * self.corpus.raw_tokens

    def _report(self) -> None:
        if self._on_progress is None:
            return
        tokens, step, rate = self._done(), self._trainer.step, self._rate()
        all_tokens = self.settings.passes * self.corpus.raw_tokens
        self._on_progress(
            Progress(
                "training",
                round(tokens),
                all_tokens,
                "tokens",
                per_second=rate,
                seconds_left=seconds_left(tokens, all_tokens, rate),
                epoch=self.epoch,
                epochs=self.settings.passes,
                loss=self._trainer.loss(),
                learning_rate=step.first_rate + (step.last_rate - step.first_rate) * (self.position - self.epoch),
            )
        )
