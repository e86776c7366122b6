"""Progress and result of word2vec training."""

from dataclasses import dataclass, field
from typing import Any

from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.settings import Word2VecSettings


@dataclass
class Word2VecResult:
    """Vectors, losses and statistics of a training run.

    ``losses`` are the mean losses per pair in nats (skip-gram: center and context; CBOW: center and its contexts) of
    each epoch: over all pairs of a small corpus, estimated on a fixed sample of a large one, with standard errors in
    ``loss_errors``. ``scores`` are the values of ``evaluate`` at the end of each epoch, None where it was not called.
    ``kept_epoch`` (from 1) is the epoch that the vectors are from. ``seconds`` is the training time only, over all runs
    if resumed. ``memory`` is the estimate in bytes.
    """

    vectors: WordVectors
    settings: Word2VecSettings
    raw_tokens: int
    types: int
    losses: list[float] = field(default_factory=list)
    loss_errors: list[float] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    effective_tokens: list[int] = field(default_factory=list)
    kept_epoch: int = 0
    seconds: float = 0.0
    threads: int = 1
    memory: dict[str, int] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return all fields except the vectors as JSON-serializable values."""
        return {
            "settings": self.settings.record(),
            "raw_tokens": self.raw_tokens,
            "types": self.types,
            "effective_tokens": self.effective_tokens,
            "losses": self.losses,
            "loss_errors": self.loss_errors,
            "scores": self.scores,
            "kept_epoch": self.kept_epoch,
            "seconds": self.seconds,
            "threads": self.threads,
            "tokens_per_second": self.raw_tokens * len(self.losses) / max(self.seconds, 1e-9),
            "memory": self.memory,
        }
