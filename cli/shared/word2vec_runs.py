"""Training of skip-gram and CBOW by ``train-embeddings``: settings, shards, continuation, evaluation."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from cli.shared.count_based_options import refuse_counting
from cli.shared.errors import Failure, usage_errors
from cli.shared.reporting import Progress, log, percent
from cli.shared.shard_options import ShardStep
from cli.shared.unused import refuse_unused
from cli.shared.word2vec_reporting import EpochLines, result_line, tokens_of
from wordvec import Word2VecSettings
from wordvec.word2vec.settings import ContinuationSettings

if TYPE_CHECKING:
    from wordvec import EncodedCorpus, WordVectors
    from wordvec.vectors.evaluation import AnalogyResult, SimilarityResult
    from wordvec.word2vec.callbacks import Training
    from wordvec.word2vec.results import Word2VecResult

_INHERITED = {field.name for field in fields(Word2VecSettings)} - {"epochs"}
"""Settings that a training takes from the vectors it continues from."""


class Run:
    """Training of the predictive models, skip-gram and CBOW, as a whole or over shards."""

    def __init__(
        self,
        given: dict[str, Any],
        shards: ShardStep,
        initial: "WordVectors | None",
        continuation: ContinuationSettings,
        evaluation: "Evaluation | None",
        evaluate_every: float | None,
        early_stopping: int | None,
        threads: int | None,
        quiet: bool,
    ) -> None:
        from wordvec.distributed.settings import sharded

        refuse_counting(given)
        with usage_errors():
            # Options left unset get the library's defaults, which the help repeats.
            chosen = Word2VecSettings(**{name: value for name, value in given.items() if value is not None})
            self.settings = sharded(chosen, shards.sharding.shards or 1) if shards.is_used else chosen.resolved()
        refuse_unused(self.settings)
        self._chosen = chosen
        self.shards, self.initial, self.continuation = shards, initial, continuation
        self.evaluation, self.early_stopping = evaluation, early_stopping
        self.evaluate_every, self.threads, self.quiet = evaluate_every, threads, quiet

    def is_finished(self, output: str, encoded: "EncodedCorpus", phrases: dict[str, Any] | None) -> bool:
        from wordvec.checkpointing.finished import finished_training

        record = self.continuation.record()
        if self.shards.is_used:
            record |= self.shards.sharding.resolved(tokens_of(encoded), len(encoded.vocabulary)).record()
        return finished_training(output, encoded, self._settings_for(encoded), self.initial, phrases, record)

    def train(
        self, encoded: "EncodedCorpus", checkpoint: str | None, checkpoint_every: float, resume: bool
    ) -> "Word2VecResult":
        from wordvec import train_word2vec
        from wordvec.distributed.training import train_sharded

        every, sharding = self.evaluate_every, self.shards.sharding
        parts = f", in {sharding.shards} shards" if self.shards.is_used else ""
        log(f"training {self.settings.model}, vector size {self.settings.vector_size}{parts}", self.quiet)
        with Progress("training", self.quiet) as progress:
            how: dict[str, Any] = {
                "threads": self.threads,
                "on_progress": EpochLines(progress, self.quiet),
                "initial": self.initial,
                "continuation": None if self.initial is None else self.continuation,
                "checkpoint": checkpoint,
                "checkpoint_every": checkpoint_every,
                "resume": resume,
                "callbacks": [self.evaluation] if self.evaluation else [],
                "evaluate": self.evaluation,
                "evaluate_every": every if isinstance(every, int) else 1,
                "evaluate_seconds": every if isinstance(every, float) else None,
                "early_stopping": self.early_stopping,
            }
            if not self.shards.is_used:
                whole: Word2VecResult = train_word2vec(encoded, self._chosen, **how)
                return whole
            result = train_sharded(encoded, self.settings, sharding, **how)
        if self.shards.timings:
            rounds = result.timings["rounds"]
            for name, value in result.timings.items():
                each = "" if name == "rounds" else f", {value / max(rounds, 1):,.3g} a round"
                log(f"{name}: {value:,.3g}{each}")
        return result

    def _settings_for(self, encoded: "EncodedCorpus") -> Word2VecSettings:
        """Return the settings, whose default epochs and learning rate depend on the size of the corpus."""
        if self.shards.is_used or self.initial is not None:
            return self.settings
        return self._chosen.resolved(encoded.raw_tokens, len(encoded.vocabulary))

    @staticmethod
    def result_line(result: Any, output: str) -> str:
        """Summarize a ``Word2VecResult``."""
        return result_line(result, output)


def inherited_settings(initial: "WordVectors") -> dict[str, Any]:
    """Return the settings of ``initial``, except for epochs, that the command line does not override."""
    context = click.get_current_context()
    inherited: dict[str, Any] = {}
    if initial.settings.get("model") in ("skipgram", "cbow"):
        inherited |= {name: initial.settings[name] for name in _INHERITED & initial.settings.keys()}
    if initial.states_tokenizer:
        inherited |= {name: getattr(initial, name) for name in ("tokenizer", "lowercase", "normalize")}
    rows = initial.table().subwords
    if rows is not None and not rows.pruned:
        inherited |= {"subwords": f"{rows.min_n}-{rows.max_n}", "buckets": rows.buckets, "subword_hashes": rows.hashes}
    inherited["vector_size"] = initial.vector_size
    return {
        name: value
        for name, value in inherited.items()
        if name in context.params and context.get_parameter_source(name) == click.core.ParameterSource.DEFAULT
    }


class Evaluation:
    """Mean score of vectors over files of analogies (accuracy) and word pairs (Spearman); logs each score."""

    def __init__(self, files: Sequence[str], quiet: bool) -> None:
        from wordvec import WordVectors

        self._files, self._quiet = files, quiet
        self._scores = ""
        for file in files:  # reports a malformed file before any work
            self._evaluate(WordVectors(["word"], [[1.0]]), file)

    def __call__(self, vectors: "WordVectors") -> float:
        results = [self._evaluate(vectors, file) for file in self._files]
        for file, result in zip(self._files, results, strict=True):
            if result.score is None:
                raise Failure(
                    f"{file} cannot be used for evaluation: too few of its words are in the vocabulary of "
                    f"{len(vectors):,}; leave it out, or lower min_count"
                )
        self._scores = ", ".join(f"{result.name} {_score_text(result)}" for result in results)
        return sum(result.score or 0.0 for result in results) / len(results)

    def on_begin(self, training: "Training") -> None:
        self(training.vectors())

    def on_evaluation(self, training: "Training", score: float) -> None:
        log(f"after {training.position:.2f} epochs: {self._scores}", self._quiet)

    @staticmethod
    def _evaluate(vectors: "WordVectors", file: str) -> "AnalogyResult | SimilarityResult":
        from wordvec import evaluate_file

        result: AnalogyResult | SimilarityResult = evaluate_file(vectors, file)
        return result


def _score_text(result: "AnalogyResult | SimilarityResult") -> str:
    return percent(result.score) if hasattr(result, "protocol") else f"{result.score:.3f}"
