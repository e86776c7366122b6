"""The head of a language model: which of V words comes next, by full or sampled softmax, with weights of its own or
shared with the embeddings."""

from collections.abc import Callable
from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.heads import Head, Views, check_classes
from seqclf.layers.workers import Workers
from wordvec import InputError

ROWS = 16
"""Rows and words are shared out, and padded, in multiples of this."""
NEAR_FLOATS = 2**23
FEWEST_ROWS = 64
"""The scores that exist at once: 32 MB, or those of 64 rows."""


class VocabularyHead(Head):
    """The next word out of V, for large V.

    The loss is the cross-entropy over all words, computed in pieces: the scores of a few hundred rows exist at a time.
    With ``samples`` a step looks at the batch's targets and so many drawn words alone (sampled softmax, Bengio &
    Senécal 2008; Jean et al. 2015). Each candidate's score is lowered by the log of its chance to be one, so that
    training still aims at the probabilities of the full softmax. Predictions are always over all words.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is V, at least 2. float64, for proofs, takes
            slow kernels and holds all scores.
        tied: (V, F) C-contiguous, an embedding table that serves as the weights too (Press & Wolf 2017): read in
            place, trained by its owner; ``head.weight`` is then no parameter, and its gradient in ``d_weight``.
        samples: how many words a step draws; None takes all.
        counts: (V,) how often each word occurs, at least once; asked where ``samples`` is given. Words are drawn by it.

    Raises:
        InputError: V is below 2, ``tied`` has another shape or dtype, ``samples`` is below 1 or lacks ``counts``.

    Example:
        >>> head = VocabularyHead(3, 16, random=np.random.default_rng(1))
        >>> states = np.zeros((2, 16), np.float32)
        >>> loss, d_states = head.loss_and_backward(states, None, np.array([2, 0]))
        >>> round(loss, 4), d_states.shape
        (1.0986, (2, 16))
        >>> np.exp(-head.log_probabilities(states, np.array([2, 0]))).round(3).tolist()
        [3.0, 3.0]
    """

    def __init__(
        self,
        outputs: int,
        width: int,
        *,
        tied: np.ndarray | None = None,
        samples: int | None = None,
        counts: np.ndarray | None = None,
        **options: Any,
    ) -> None:
        if outputs < 2:
            raise InputError(f"a vocabulary needs at least 2 words, got {outputs}")
        self._tied = tied is not None
        super().__init__(outputs, width, **options)
        self.weight = self._weight() if tied is None else tied
        """(V, F)."""
        self.d_weight = self._d_weight() if tied is None else np.zeros_like(tied)
        """(V, F), its gradient: every backward pass adds to it."""
        table = self.weight
        if table.shape != (outputs, self.columns) or table.dtype != self.dtype or not table.flags.c_contiguous:
            expected = f"a contiguous array {(outputs, self.columns)} of {self.dtype}"
            raise InputError(f"tied weights must be {expected}, got {table.shape} of {table.dtype}")
        self.samples = samples
        if samples is not None:
            self._chances = _chances(samples, counts, outputs)
        self.candidates: np.ndarray | None = None
        """(U,) int32, rising: the words that the last backward pass looked at, whose rows of ``d_weight`` are all that
        it added to; None means every word."""
        self._kept = np.empty(0, np.float32)

    def layout(self) -> dict[str, tuple[int, ...]]:
        layout = super().layout()
        if self._tied:
            del layout[f"{self.prefix}.weight"]
        return layout

    def attach(self, flat: Views) -> None:
        super().attach(flat)
        if not self._tied:
            self.weight, self.d_weight = self._weight(), self._d_weight()

    def clear_gradients(self) -> None:
        super().clear_gradients()
        self.d_weight[:] = 0

    # ---------------------------------------------------------------- forward

    def forward(
        self, states: np.ndarray, batch: PackedBatch | None = None, workers: Workers | None = None
    ) -> np.ndarray:
        """Probabilities (R, V) of states (R, F)."""
        if self.dtype == np.float64:
            return self._plain_forward(states, self.weight, self._weight("bias"))
        probabilities = np.empty((len(states), self.outputs), np.float32)
        piece = _Piece(self, self.weight, self._weight("bias"))
        for first, last in piece.chunks(len(states)):
            piece.begin(states[first:last], None, None)
            piece.forward(workers, differentiate=False)
            probabilities[first:last] = piece.by_row(last - first)
        return probabilities

    def log_probabilities(self, states: np.ndarray, targets: np.ndarray, workers: Workers | None = None) -> np.ndarray:
        """log p(target) of each row: (R,) float64. Their mean's negative exponential is the perplexity.

        Raises:
            InputError: the targets are not one word a row.
        """
        targets = check_classes(targets, len(states), self.outputs)
        if self.dtype == np.float64:
            return np.log(self.forward(states)[np.arange(len(states)), targets])
        found = np.empty(len(states))
        piece = _Piece(self, self.weight, self._weight("bias"))
        for first, last in piece.chunks(len(states)):
            piece.begin(states[first:last], targets[first:last], None)
            found[first:last] = -piece.forward(workers, differentiate=False)[: last - first]
        return found

    def predict(
        self, states: np.ndarray, batch: PackedBatch | None = None, workers: Workers | None = None
    ) -> np.ndarray:
        """The likeliest word of each row: (R,) int32."""
        return self.forward(states, batch, workers).argmax(axis=1).astype(np.int32)

    def _plain_forward(self, states: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        from seqclf.kernels.softmax import softmax_forward

        probabilities = np.empty((len(states), len(weight)), self.dtype)
        softmax_forward(states, weight, bias, probabilities)
        return probabilities

    # --------------------------------------------------------------- backward

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch | None,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
        random: np.random.Generator | None = None,
    ) -> tuple[float, np.ndarray]:
        """Loss ``-sum_r weights[r] log p_r[targets[r]] / R``, and d_states (R, F).

        Args:
            states: (R, F). batch: not asked.
            targets: (R,) words. weights: (R,), 1 by default; a row of weight 0 is left out.
            workers: share rows, then words, out.
            random: draws the words of a sampled softmax.

        Raises:
            InputError: the targets are not one word a row, or a sampled softmax has nothing to draw by.
        """
        targets = check_classes(targets, len(states), self.outputs)
        if self.samples is None:
            return self._train(states, targets, weights, workers, self.weight, self._weight("bias"), None)
        if random is None:
            raise InputError("a sampled softmax draws words: pass random=np.random.default_rng(seed)")
        cumulative, log_missed = self._chances
        drawn = np.searchsorted(cumulative, random.random(self.samples), side="right").astype(np.int32)
        words = np.unique(np.concatenate([drawn, targets]))
        # Batch mates' targets are candidates too: the text drew them by the same counts.
        chances = -np.expm1((self.samples + len(targets)) * log_missed[words])
        corrections = np.log(chances).astype(self.dtype)
        places = np.searchsorted(words, targets).astype(np.int32)
        bias = self._weight("bias")[words] - corrections
        return self._train(states, places, weights, workers, self.weight[words], bias, words)

    def _train(
        self,
        states: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None,
        workers: Workers | None,
        weight: np.ndarray,
        bias: np.ndarray,
        words: np.ndarray | None,
    ) -> tuple[float, np.ndarray]:
        """The step over ``words`` (None: all), whose rows of the weights and biases are given."""
        d_weight, d_bias = self.d_weight, self._d_weight("bias")
        if words is not None:
            d_weight, d_bias = np.zeros_like(weight), np.zeros_like(bias)
        shares = self._row_weights(weights, len(states))
        d_states = np.empty((len(states), self.columns), self.dtype)
        loss = 0.0
        if self.dtype == np.float64 and len(states):
            from seqclf.kernels.softmax import softmax_backward

            p = self._plain_forward(states, weight, bias)
            loss = softmax_backward(states, weight, p, targets, shares, d_states, d_weight, d_bias)
        elif len(states):
            shares = shares / np.float32(len(states))
            piece = _Piece(self, weight, bias)
            for first, last in piece.chunks(len(states)):
                piece.begin(states[first:last], targets[first:last], shares[first:last])
                losses = piece.forward(workers, differentiate=True)[: last - first]
                d_states[first:last] = piece.backward(workers, d_weight, d_bias)[: last - first]
                loss += float((losses * shares[first:last]).sum())
        self.candidates = words
        if words is not None:
            self.d_weight[words] += d_weight
            self._d_weight("bias")[words] += d_bias
        return float(loss), d_states


def _chances(samples: int, counts: np.ndarray | None, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Each word's chance in one draw: cumulative, and the log of the chance that it is missed."""
    if samples < 1:
        raise InputError(f"samples must be at least 1, got {samples}; None takes all words")
    if counts is None or np.shape(counts) != (words,) or np.min(counts) < 1:
        raise InputError(f"a sampled softmax draws words by counts: pass one of at least 1 for each of {words} words")
    chances = np.asarray(counts, np.float64) / np.sum(counts, dtype=np.float64)
    cumulative = np.cumsum(chances)
    return cumulative / cumulative[-1], np.log1p(-chances)


class _Piece:
    """Some rows against all words, in the layout of ``kernels/output.py``, float32."""

    def __init__(self, head: VocabularyHead, weight: np.ndarray, bias: np.ndarray) -> None:
        self._head = head
        self.words, self.width = weight.shape
        self.padded = -(-self.words // ROWS) * ROWS
        self.weight = weight.reshape(-1)
        lanes = np.full((self.padded, 4), -np.inf, np.float32)
        lanes[: self.words] = bias[:, None]
        self.lanes = lanes.reshape(-1)

    def chunks(self, rows: int) -> list[tuple[int, int]]:
        """The rows in pieces whose scores may exist at once; of the same size whatever the threads."""
        size = max(FEWEST_ROWS, NEAR_FLOATS // self.padded // ROWS * ROWS)
        return [(first, min(first + size, rows)) for first in range(0, rows, size)]

    def begin(self, states: np.ndarray, targets: np.ndarray | None, shares: np.ndarray | None) -> None:
        """Lay out some rows: padded with zeros to a multiple of 16."""
        rows = len(states)
        high = -(-rows // ROWS) * ROWS
        self.states = np.zeros((high, self.width), np.float32)
        self.states[:rows] = states
        self.targets, self.shares = np.full(high, -1, np.int32), np.zeros(high, np.float32)
        if targets is not None:
            self.targets[:rows] = targets
        if shares is not None:
            self.shares[:rows] = shares
        if self._head._kept.size < high * self.padded:
            self._head._kept = np.empty(high * self.padded, np.float32)
        self.scores = self._head._kept[: high * self.padded]

    def forward(self, workers: Workers | None, *, differentiate: bool) -> np.ndarray:
        """-log p(target) (R,), float64; leaves d_scores, or probabilities."""
        from seqclf.kernels.output import output_scores, output_softmax

        losses, states = np.empty(len(self.states)), self.states.reshape(-1)

        def run(first: int, last: int) -> None:
            scratch, groups = np.empty(16, np.float32), (first // 4, last // 4)
            output_scores(states, self.weight, self.lanes, self.scores, *groups, self.words, self.width)
            output_softmax(self.scores, *groups, self.padded, self.targets, self.shares, losses, scratch, differentiate)

        _share_out(workers, run, len(self.states))
        return losses

    def by_row(self, rows: int) -> np.ndarray:
        """Probabilities (R, V)."""
        groups = self.scores.reshape(-1, self.padded, 4).transpose(0, 2, 1)
        return groups.reshape(-1, self.padded)[:rows, : self.words]

    def backward(self, workers: Workers | None, d_weight: np.ndarray, d_bias: np.ndarray) -> np.ndarray:
        """Add to d_weight (V, F) and d_bias (V,); returns d_states."""
        from seqclf.kernels.output import output_d_states, output_d_weight

        d_states, states, flat = np.empty_like(self.states), self.states.reshape(-1), d_weight.reshape(-1)
        sizes = self.words, self.padded, self.width

        def by_rows(first: int, last: int) -> None:
            output_d_states(self.scores, self.weight, d_states.reshape(-1), first, last, *sizes)

        def by_words(first: int, last: int) -> None:
            last, scratch = min(last, self.words), np.empty(16, np.float32)
            output_d_weight(self.scores, states, flat, d_bias, first, last, *sizes, scratch)

        _share_out(workers, by_rows, len(self.states))
        _share_out(workers, by_words, self.padded)
        return d_states


def _share_out(workers: Workers | None, work: Callable[[int, int], None], size: int) -> None:
    """Call ``work(first, last)`` for stretches of ``0 .. size``, one a thread, in multiples of 16."""
    threads = 1 if workers is None else workers.threads
    bounds = [size // ROWS * k // threads * ROWS for k in range(threads + 1)]
    if workers is None:
        work(0, size)
    else:
        workers.map(work, bounds[:-1], bounds[1:])
