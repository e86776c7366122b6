"""Decoded sequences and their scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Hypothesis:
    """A decoded sequence.

    Attributes:
        tokens: T units, without those that begin and end a target.
        score: log-probability in nats, divided by the length penalty, plus the coverage penalty; higher is better.
        attention: (T, S) float32, weights of the source's units for each unit; None without attention.
    """

    tokens: list[int]
    score: float
    attention: np.ndarray | None = None


class Ranking(NamedTuple):
    """How finished hypotheses are scored."""

    length_penalty: float
    coverage_penalty: float
    source_lengths: Sequence[int] | np.ndarray | None

    def by_length(self, lengths: Any) -> Any:
        """Return what divides the log-probability of ``lengths`` units, the end included."""
        return ((5.0 + lengths) / 6.0) ** self.length_penalty

    def units(self, source: int) -> slice:
        """Return the columns of the attention that are no padding."""
        return slice(None if self.source_lengths is None else int(self.source_lengths[source]))

    def hypothesis(self, source: int, tokens: list[int], total: float, attention: np.ndarray | None) -> Hypothesis:
        """Return a finished hypothesis, given the attention with that of the end."""
        score = total / float(self.by_length(len(tokens) + 1))
        if attention is None:
            return Hypothesis(tokens, score)
        attention = attention[:, self.units(source)]
        if self.coverage_penalty:
            covered = np.add.accumulate(attention, axis=0, dtype=np.float64)[-1]
            logs = np.log(np.clip(covered, 1e-12, 1.0))
            score += self.coverage_penalty * math.fsum(logs)
        return Hypothesis(tokens, score, attention[:-1])
