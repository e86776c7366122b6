"""CBOW and skip-gram training: epochs, checkpoints, evaluation, selection of the best epoch."""

import logging
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.checkpointing.resumable_run import ResumableRun
from wordvec.encoding.contexts import check_contexts
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.formats.ngrams import composed_vectors
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.table import SubwordTable
from wordvec.system.progress import OnProgress, Progress, seconds_left
from wordvec.system.settings import or_defaults
from wordvec.system.structures import frozen
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_kind
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.word2vec.buffers import check_memory, longest_window
from wordvec.word2vec.callbacks import Monitor
from wordvec.word2vec.continuation import (
    check_fits,
    frequencies,
    grown,
    grown_subwords,
    initial_contexts,
    start_from,
    start_subwords,
)
from wordvec.word2vec.epoch import TrainedRows, Trainer
from wordvec.word2vec.objectives import check_softmax
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import ContinuationSettings, Word2VecSettings, ngram_lengths
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
    settings = or_defaults(settings, Word2VecSettings).resolved()
    check_kind("corpus", corpus, EncodedCorpus)
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
        initial=None if initial is None else _arrays_of(initial),
    )
    # In hogwild mode, each thread has its own lane.
    lanes = saved.rows("lanes.state") if saved else None
    tree = TrainingTree(corpus.vocabulary, initial) if settings.loss == "hierarchical" else None
    paths = None if tree is None else tree.paths
    trainer = Trainer(corpus, settings, threads, lanes=lanes, frequencies=counts, tree=paths)
    training = Word2VecRun(trainer, monitor, saver, initial, continuation, on_progress, tree)
    training.result.memory = memory
    return training.run(saved)


def _arrays_of(vectors: WordVectors) -> tuple[np.ndarray | None, ...]:
    arrays: tuple[np.ndarray | None, ...]
    arrays = (*pack_tokens(vectors.tokens), vectors.counts, vectors.vectors, vectors.context_vectors)
    if vectors.nodes is not None:
        arrays = (*arrays, vectors.nodes.vectors, vectors.nodes.children)
    if not isinstance(vectors, SubwordVectors):
        return arrays
    rows = vectors.subwords
    return (*arrays, rows.word_vectors, rows.ngram_vectors, rows.ngram_buckets)


class Word2VecRun(ResumableRun):
    """A training run, as callbacks see it.

    Attributes:
        settings: resolved.
        corpus: the training data.
        epoch: the number of finished epochs.
        result: losses, scores and the rest; its vectors are set when training has ended.
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
        super().__init__(checkpoint)
        self.settings, self.corpus = trainer.settings, trainer.corpus
        self.epoch = 0
        self.result = Word2VecResult(
            vectors=None,  # type: ignore[arg-type]  # set at the end
            settings=trainer.settings,
            raw_tokens=trainer.corpus.raw_tokens,
            types=trainer.types,
            threads=trainer.threads,
        )
        self._trainer, self._monitor = trainer, monitor
        self._initial, self._continuation, self._on_progress = initial, continuation, on_progress
        self._tree = tree
        if initial is not None:
            self._initial_contexts = initial_contexts(initial, self.settings)
            vocabulary, rows = self.corpus.vocabulary, trainer.all_rows()
            known = start_from(initial, self._initial_contexts, vocabulary, (rows.words, rows.contexts))
            if tree is not None:
                tree.start(rows.contexts)
            outputs = self._initial_contexts if tree is None else initial.nodes
            _log.info(
                "%s of %s words continue from existing vectors%s",
                f"{len(known):,}",
                f"{trainer.types:,}",
                "; the output side of training starts at zero" if outputs is None else "",
            )
            subwords = self._subwords(rows)
            if subwords is not None:
                known = np.append(known, 2 * trainer.types + start_subwords(initial, vocabulary, known, subwords))
            if continuation.initial_rate != 1:
                trainer.set_rates(known, continuation.initial_rate)
        self._within_epoch = False
        self._stop_requested = False

    @property
    def position(self) -> float:
        """Finished epochs, plus the finished part of the current one."""
        return self.epoch + (self._trainer.tokens_done() / max(len(self.corpus.ids), 1) if self._within_epoch else 0)

    def vectors(self) -> WordVectors:
        """Return a copy of the current vectors."""
        if self.result.vectors is not None:
            return self.result.vectors
        return self._as_vectors(self._trainer.copied_rows())

    def stop(self) -> None:
        """End training after this epoch; the result is that of the epochs so far."""
        self._stop_requested = True

    def run(self, saved: SavedTraining | None) -> Word2VecResult:
        """Train to the end, from the beginning or from a saved state."""
        self._report()
        self._run_to_end(saved)
        self.result.seconds = self.seconds
        return self._finish()

    def _compile(self) -> None:
        self._trainer.compile()

    def _train(self) -> None:
        monitor = self._monitor
        monitor.clock.reset()
        monitor.callbacks("on_begin", self)
        while self.epoch < self.settings.epochs and not self._is_over():
            if not self._within_epoch:
                self._trainer.begin_epoch(self.epoch)
                self._within_epoch = True
            self._save_if_due()
            if monitor.clock.is_due():
                self._evaluate()
            if self._trainer.run(self._is_pause_due):
                self._end_epoch()

    def _is_pause_due(self) -> bool:
        self._report()
        return self.checkpoint.clock.is_due() or self._monitor.clock.is_due()

    def _is_over(self) -> bool:
        best = self._monitor.best
        if best is not None and best.is_final(self.epoch):
            _log.info("stopping early: no improvement on epoch %d in %d epochs", best.epoch, self.epoch - best.epoch)
            return True
        return self._stop_requested

    def _end_epoch(self) -> None:
        from wordvec.kernels.compiling import interrupts_wait

        trainer, monitor, result = self._trainer, self._monitor, self.result
        trainer.check_stable(f"after epoch {self.epoch + 1}")
        found = trainer.end_epoch()
        self._report()
        score = self._evaluate() if monitor.is_due(self.epoch + 1, self.settings.epochs) else None
        with interrupts_wait():  # all or nothing
            result.losses.append(found.loss)
            result.loss_errors.append(found.loss_error)
            result.effective_tokens.append(found.effective_tokens)
            result.scores.append(score)
            self.epoch += 1
            self._within_epoch = False
            value = -found.loss if monitor.evaluate is None else score
            if monitor.best is not None and value is not None:
                monitor.best.offer(self.epoch, value, trainer.table)
        monitor.callbacks("on_epoch", self)

    def _evaluate(self) -> float:
        with self._not_timed():
            score = self._monitor.score(self.vectors())
            self._monitor.callbacks("on_evaluation", self, score)
            self._monitor.clock.reset()
        return score

    def _finish(self) -> Word2VecResult:
        best, result = self._monitor.best, self.result
        result.kept_epoch = self.epoch if best is None else best.epoch
        if best is not None and best.table is not None and best.epoch < self.epoch:
            _log.info("keeping the vectors of epoch %d, the best of %d", best.epoch, self.epoch)
            self._trainer.table[:] = best.table
            best.table = None
        result.vectors = self._as_vectors(self._trainer.take_rows())
        self._monitor.callbacks("on_end", self)
        return result

    def _as_vectors(self, rows: TrainedRows) -> WordVectors:
        vocabulary, settings = self.corpus.vocabulary, self.settings
        vectors, context_vectors, nodes = rows.words, rows.contexts, None
        subwords = self._subwords(rows)
        if self._initial is not None:
            before = self._initial.vectors
            if subwords is not None:
                subwords, before = grown_subwords(self._initial, subwords)
            vocabulary, vectors, context_vectors = grown(
                self._initial.vocabulary, (before, self._initial_contexts), vocabulary, (vectors, context_vectors)
            )
        if self._tree is not None:
            nodes = self._tree.nodes(rows.contexts, vocabulary)
        how: dict[str, Any] = {
            # The output vectors of hierarchical softmax belong to tree nodes, not to words.
            "context_vectors": None if settings.loss == "hierarchical" else frozen(context_vectors),
            "tokenizer": self.corpus.tokenizer,
            "lowercase": self.corpus.lowercase,
            "normalize": self.corpus.normalize,
            "settings": settings.record() | self._continuation.record(),
        }
        found: WordVectors
        if subwords is None:
            found = WordVectors(vocabulary, frozen(vectors), **how)
        elif subwords.hashes is None:
            found = SubwordVectors(vocabulary, replace(subwords, word_vectors=vectors), **how)
        else:
            composed = frozen(composed_vectors(subwords, vocabulary.tokens, vectors))
            found = SubwordVectors(vocabulary, subwords, vectors=composed, **how)
        found.nodes = nodes
        return found

    def _subwords(self, rows: TrainedRows) -> SubwordTable | None:
        settings = self.settings
        if settings.subwords is None:
            return None
        own = rows.words if settings.subword_hashes is None else rows.words[:0]
        return SubwordTable(
            *ngram_lengths(settings.subwords), settings.buckets, own, rows.ngrams, self._trainer.buckets,
            hashes=settings.subword_hashes,
        )  # fmt: skip

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        best = self._monitor.best
        self._trainer.check_stable(f"in epoch {self.epoch + 1}")
        arrays, result = self._trainer.arrays(), self.result
        reached: dict[str, Any] = {
            **{"epoch": self.epoch, "within": self._within_epoch, "losses": result.losses},
            **{"loss_errors": result.loss_errors, "scores": result.scores, "effective_tokens": result.effective_tokens},
        }
        if best is not None and best.table is not None:
            arrays["best"] = best.table
            reached |= {"best_epoch": best.epoch, "best_value": best.value}
        return arrays, reached

    def _restore(self, saved: SavedTraining) -> None:
        result, best = self.result, self._monitor.best
        arrays, bounds = self._trainer.arrays(), self._trainer.bounds.copy()
        if best is not None and saved.rows("best"):
            best.table = arrays["best"] = np.empty_like(self._trainer.table)
            best.epoch, best.value = saved.whole("best_epoch", 1, self.settings.epochs), saved.number("best_value")
        saved.read_into(arrays)
        self.epoch = epoch = saved.whole("epoch", 0, self.settings.epochs)
        self._within_epoch = saved.reached.get("within") is True
        result.losses, result.loss_errors = saved.numbers("losses", epoch), saved.numbers("loss_errors", epoch)
        result.scores = [None if math.isnan(score) else score for score in saved.numbers("scores", epoch)]
        result.effective_tokens = [round(count) for count in saved.numbers("effective_tokens", epoch, missing=False)]
        try:
            self._trainer.check_restored(bounds)
        except InputError as error:
            raise saved.damaged(error) from None
        if self._within_epoch:
            self._trainer.resume_epoch(self.epoch)

    def _position(self) -> str:
        return f"{self.position:.2f} epochs of {self.settings.epochs}"

    # -- progress -----------------------------------------------------------------------------------------------------

    def _done(self) -> float:
        """Return the raw tokens trained on in all epochs."""
        return self.position * self.corpus.raw_tokens

    def _report(self) -> None:
        if self._on_progress is None:
            return
        tokens, step, rate = self._done(), self._trainer.step, self._rate()
        all_tokens = self.settings.epochs * self.corpus.raw_tokens
        self._on_progress(
            Progress(
                "training",
                round(tokens),
                all_tokens,
                "tokens",
                per_second=rate,
                seconds_left=seconds_left(tokens, all_tokens, rate),
                epoch=self.epoch,
                epochs=self.settings.epochs,
                loss=self._trainer.loss(),
                learning_rate=step.first_rate + (step.last_rate - step.first_rate) * (self.position - self.epoch),
            )
        )
