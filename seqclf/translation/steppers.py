"""What the search asks of a network: the next unit's probabilities for some hypotheses."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Stepper(Protocol):
    """The next unit's probabilities for N hypotheses side by side, each of one source."""

    def start(self) -> Any:
        """Return the state before the first unit, with a row for each source."""

    def step(
        self, state: Any, parents: np.ndarray, tokens: np.ndarray, sources: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        """Advance N hypotheses by one unit.

        Args:
            state: of the step before, which ``start`` returned or this method.
            parents: (N,) int64 rows of that state to continue; a row may occur several times, or not at all.
            tokens: (N,) int32, the last unit of each hypothesis; the first time that which begins a target.
            sources: (N,) int64, the source of each hypothesis, ascending.

        Returns:
            log_probabilities: (N, V) float32 of the next unit, which the search may overwrite.
            attention: (N, S) float32, weights of the source's units, 0 after its last one; or None.
            state: of the N hypotheses.
        """


class NarrowStepper(Stepper, Protocol):
    """A stepper that finds the most probable units itself, faster than from the probabilities of all."""

    narrow: bool
    """Whether it can."""

    def best(
        self, state: Any, parents: np.ndarray, tokens: np.ndarray, sources: np.ndarray, count: int, eos: int
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray | None, Any]:
        """Advance as ``step``; return, in place of all log-probabilities, the ``count`` most probable units (N, K), of
        equal ones the lower, their log-probabilities (N, K), and those of the end (N,)."""

    def greedy(self, bos: int, eos: int, limits: np.ndarray) -> Sequence[tuple[list[int], float, np.ndarray | None]]:
        """Decode all sources greedily; return the units of each, their log-probability with the end's, and the
        attention with that of the end."""
