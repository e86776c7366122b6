"""Messages of ``train-embeddings`` about the corpus, the epochs and the vectors of skip-gram and CBOW."""

import math
from typing import TYPE_CHECKING, Any

from cli.shared.reporting import PREPARING, Progress, duration, log, short_number

if TYPE_CHECKING:
    from wordvec import EncodedCorpus
    from wordvec import Progress as Word2VecProgress
    from wordvec.word2vec.results import Word2VecResult


def tokens_of(encoded: Any) -> int:
    """Return the tokens of a corpus that is encoded here or on the workers of a cluster."""
    return int(encoded.size) if hasattr(encoded, "size") else len(encoded.ids)


def corpus_summary(encoded: "EncodedCorpus") -> str:
    """Summarize a corpus and its vocabulary."""
    return (
        f"{encoded.raw_tokens:,} tokens, {encoded.raw_types:,} types; "
        f"vocabulary of {len(encoded.vocabulary):,} types, {tokens_of(encoded):,} tokens"
    )


def result_line(result: "Word2VecResult", output: str) -> str:
    """Summarize the vectors of a training and its time."""
    facts = result.summary()
    effective = facts["effective_tokens"][-1]
    return (
        f"{output}: {len(result.vectors):,} words x {result.vectors.vector_size}; {facts['raw_tokens']:,} tokens, "
        f"{effective:,} after subsampling, {len(facts['losses'])} epochs in {facts['seconds']:.1f} s "
        f"({short_number(facts['tokens_per_second'])} tokens/s, {facts['threads']} threads)"
    )


class EpochLines:
    """Updates the progress display, and logs a line for each epoch."""

    def __init__(self, progress: Progress, quiet: bool) -> None:
        self._progress = progress
        self._quiet = quiet
        self._epochs_said = -1

    def __call__(self, state: "Word2VecProgress") -> None:
        share = state.done * state.epochs / max(state.total, 1)
        loss = "loss not sampled" if state.loss is None or state.loss != state.loss else f"loss {state.loss:.3f}"
        speed = f"{short_number(state.per_second)} tokens/s"
        if share >= 0.999999 * (state.epoch + 1) and self._epochs_said < state.epoch:
            self._epochs_said = state.epoch
            log(f"epoch {state.epoch + 1}/{state.epochs}: {loss}, {speed}", self._quiet)
        detail = PREPARING
        if state.done and math.isfinite(state.seconds_left):
            detail = f"{speed}, {loss}, {duration(state.seconds_left)} left"
        self._progress.update(state.done, state.total, detail)
