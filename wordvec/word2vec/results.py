"""What training says while it works, and what it leaves."""

from dataclasses import dataclass, field
from typing import Any

from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.settings import Word2VecSettings


@dataclass
class Word2VecResult:
    """What training learned and what it took.

    ``losses`` are the true loss a pair in nats (skip-gram: centre and context; CBOW: centre and its
    contexts), epoch by epoch: of all pairs in a small corpus, estimated on a fixed sample of them in a large one, with
    ``loss_errors`` their standard errors. ``scores`` are what ``evaluate`` gave at the end of each epoch, None where it
    was not asked. ``kept_epoch`` (from 1) is the one whose vectors these are. ``seconds`` are those of training alone,
    in all runs of a training that was resumed. ``memory`` is the estimate made before, in bytes.
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
        """All of it but the vectors, as JSON can write it."""
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
