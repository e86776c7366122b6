"""The head of a tagger: labels that are chosen together, by a linear-chain conditional random field."""

from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.heads import Head, check_classes
from seqclf.layers.workers import Workers
from wordvec import InputError

SEQUENCES = 16
"""How many sequences the gradients are summed over at once, whatever the threads."""


class CrfHead(Head):
    """A label for every token, chosen for the whole sequence: a linear-chain conditional random field.

    Source: Lafferty et al. 2001; Collobert et al. 2011; Lample et al. 2016. Besides ``head.weight`` and ``head.bias``,
    which make emissions (R, C) of the states, there are ``head.transitions`` (C, C), from the row's label to the
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

    def layout(self) -> dict[str, tuple[int, ...]]:
        labels = self.outputs
        own = {"transitions": (labels, labels), "start": (labels,), "end": (labels,)}
        return super().layout() | {f"{self.prefix}.{name}": size for name, size in own.items()}

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Emissions (R, C) of states (R, F): each token's own scores."""
        return self._scores(states)

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
    ) -> tuple[float, np.ndarray]:
        """Loss ``-sum_s weights[s] log p(targets of s) / S`` over the S sequences with tokens, and d_states (R, F).

        Args:
            states: (R, F), in the batch's packed order. batch: which rows are a sequence.
            targets: (R,) labels, in packed order. weights: (at least S,) of the sequences in the batch's order.
            workers: share the sequences out.

        Raises:
            InputError: the targets are not one label a row.
        """
        from seqclf.kernels.crf import crf_forward_backward

        targets = check_classes(targets, len(states), self.outputs)
        emissions, *chain = self._chain(states)
        sequences = _sequences(batch)
        shares = np.ones(sequences) if weights is None else np.array(weights[:sequences], np.float64)
        shares /= max(sequences, 1)
        losses, d_emissions = np.empty(sequences), np.empty_like(emissions)

        def run(first: int) -> list[np.ndarray]:
            sums = [np.zeros(array.shape) for array in chain]
            last = min(first + SEQUENCES, sequences)
            crf_forward_backward(
                emissions, batch.starts, *chain, targets, shares, first, last, losses, d_emissions, *sums
            )
            return sums

        for sums in (workers.map if workers is not None else map)(run, range(0, sequences, SEQUENCES)):
            for name, part in zip(("transitions", "start", "end"), sums, strict=True):
                self._d_weight(name)[:] += part
        return float((losses * shares).sum()), self._scores_backward(states, d_emissions.astype(self.dtype))

    def marginals(self, states: np.ndarray, batch: PackedBatch) -> np.ndarray:
        """p(label of the token | all tokens): (R, C) float64, rows sum to one."""
        from seqclf.kernels.crf import crf_marginals

        emissions, *chain = self._chain(states)
        marginals = np.empty_like(emissions)
        crf_marginals(emissions, batch.starts, *chain, _sequences(batch), marginals)
        return marginals

    def predict(self, states: np.ndarray, batch: PackedBatch) -> np.ndarray:
        """The labels of each sequence's best path, in packed order: (R,) int32.

        Of equal paths: the lowest label at the last token, then the lowest at the one before it, and so on.
        """
        from seqclf.kernels.crf import crf_viterbi

        emissions, *chain = self._chain(states)
        labels, scores = np.empty(len(states), np.int32), np.empty(_sequences(batch))
        crf_viterbi(emissions, batch.starts, *chain, _sequences(batch), labels, scores)
        return labels

    def _chain(self, states: np.ndarray) -> list[np.ndarray]:
        """Emissions, transitions, start and end, in the kernels' float64."""
        arrays = [self.forward(states), *(self._weight(name) for name in ("transitions", "start", "end"))]
        return [array.astype(np.float64) for array in arrays]


def _sequences(batch: PackedBatch) -> int:
    """How many sequences of the batch have tokens."""
    return int(batch.starts[1]) if batch.starts.size > 1 else 0
