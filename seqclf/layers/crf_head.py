"""Linear-chain conditional random field (CRF) as an output layer."""

from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.heads import Head, check_classes
from seqclf.layers.workers import Workers
from wordvec import InputError

SEQUENCES = 16
"""Sequences per partial sum of the gradients, at any number of threads."""
INVALID = -1e9
"""Added to the score of an invalid transition; finite, as the kernels require."""


class CrfHead(Head):
    """Linear-chain CRF: a label for every token, scored over whole sequences.

    Source: Lafferty et al. 2001; Collobert et al. 2011; Lample et al. 2016. Besides ``head.weight`` and ``head.bias``,
    which compute the emissions (R, C), the parameters are ``head.transitions`` (C, C), from the row's label to the
    column's, ``head.start`` and ``head.end`` (C,).

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C, at least 2.

    Raises:
        InputError: C is below 2.

    Example:
        >>> from seqclf.layers.batches import pack
        >>> batch = pack(np.zeros(3, np.int32), np.array([0, 3]), np.array([0]))
        >>> head = CrfHead(2, 16)
        >>> head.views["head.transitions"][:] = [[0, 1], [1, 0]]
        >>> head.views["head.start"][:] = [0, 0.5]
        >>> head.predict(np.zeros((3, 16), np.float32), batch).tolist()
        [1, 0, 1]
    """

    def __init__(self, outputs: int, width: int, **options: Any) -> None:
        if outputs < 2:
            raise InputError(f"a CRF needs at least 2 labels, got {outputs}")
        super().__init__(outputs, width, **options)
        self._penalties: list[np.ndarray] | None = None

    def constrain(self, start: np.ndarray, between: np.ndarray, end: np.ndarray) -> None:
        """Let ``predict`` choose only valid labels; the loss and the marginals stay as they are.

        Args:
            start, end: (C,) bool, labels that may start and end a sequence. between: (C, C) bool, from the row's label
                to the column's.
        """
        self._penalties = [np.where(valid, 0.0, INVALID) for valid in (between, start, end)]

    def layout(self) -> dict[str, tuple[int, ...]]:
        labels = self.outputs
        own = {"transitions": (labels, labels), "start": (labels,), "end": (labels,)}
        return super().layout() | {f"{self.prefix}.{name}": size for name, size in own.items()}

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Return the emissions (R, C) of states (R, F): each token's label scores."""
        return self._scores(states)

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
    ) -> tuple[float, np.ndarray]:
        """Return the loss ``-sum_s weights[s] log p(targets of s) / S`` over S nonempty sequences, and d_states (R, F).

        Args:
            states: (R, F), in packed order. batch: assigns rows to sequences.
            targets: (R,) labels, in packed order. weights: (at least S,) of the sequences in the batch's order.
            workers: threads that share the sequences.

        Raises:
            InputError: the targets are not one label per row.
        """
        from seqclf.kernels.crf import crf_forward_backward

        targets = check_classes(targets, len(states), self.outputs)
        emissions, transitions, start, end = self._chain(states)
        sequences = _sequences(batch)
        shares = np.ones(sequences) if weights is None else np.array(weights[:sequences], np.float64)
        shares /= max(sequences, 1)
        losses, d_emissions = np.empty(sequences), np.empty_like(emissions)

        def run(first: int) -> list[np.ndarray]:
            d_transitions, d_start, d_end = (np.zeros(array.shape) for array in (transitions, start, end))
            last = min(first + SEQUENCES, sequences)
            crf_forward_backward(
                emissions, batch.starts, transitions, start, end, targets, shares, first, last, losses, d_emissions,
                d_transitions, d_start, d_end,
            )  # fmt: skip
            return [d_transitions, d_start, d_end]

        for sums in (workers.map if workers is not None else map)(run, range(0, sequences, SEQUENCES)):
            for name, part in zip(("transitions", "start", "end"), sums, strict=True):
                self._d_weight(name)[:] += part
        return float((losses * shares).sum()), self._scores_backward(states, d_emissions.astype(self.dtype))

    def marginals(self, states: np.ndarray, batch: PackedBatch) -> np.ndarray:
        """Return the marginals p(label of the token | all tokens): (R, C) float64; rows sum to 1."""
        from seqclf.kernels.crf import crf_marginals

        emissions, transitions, start, end = self._chain(states)
        marginals = np.empty_like(emissions)
        crf_marginals(emissions, batch.starts, transitions, start, end, _sequences(batch), marginals)
        return marginals

    def predict(self, states: np.ndarray, batch: PackedBatch) -> np.ndarray:
        """Return the labels of each sequence's best path (Viterbi), in packed order: (R,) int32.

        After ``constrain``, the best valid path. Ties go to the path with the lowest label at the last token, then at
        the one before it, and so on.
        """
        from seqclf.kernels.crf import crf_viterbi

        emissions, transitions, start, end = self._chain(states)
        if self._penalties is not None:
            transitions, start, end = (
                scores + penalty for scores, penalty in zip((transitions, start, end), self._penalties, strict=True)
            )
        labels, scores = np.empty(len(states), np.int32), np.empty(_sequences(batch))
        crf_viterbi(emissions, batch.starts, transitions, start, end, _sequences(batch), labels, scores)
        return labels

    def _chain(self, states: np.ndarray) -> list[np.ndarray]:
        """Return emissions, transitions, start and end as float64, as the kernels require."""
        arrays = [self.forward(states), *(self._weight(name) for name in ("transitions", "start", "end"))]
        return [array.astype(np.float64) for array in arrays]


def _sequences(batch: PackedBatch) -> int:
    """Return the number of nonempty sequences."""
    return int(batch.starts[1]) if batch.starts.size > 1 else 0
