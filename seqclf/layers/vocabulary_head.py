"""Output layer of a language model: full or sampled softmax over V words, optionally tied to the embeddings."""

import threading
from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.heads import Head, check_classes
from seqclf.layers.parameters import Views
from seqclf.layers.vocabulary_gradients import NEAR_FLOATS, LiveColumns, Objective, Slopes, SoftmaxGradients, share_out
from seqclf.layers.workers import Workers
from wordvec import InputError
from wordvec.system.aligned_arrays import aligned

ROWS = 16
"""Rows and words are padded, and divided among threads, in multiples of this."""
GROUP = 4
"""Rows whose scores are stored together."""
FEWEST_ROWS = 64
"""Rows whose scores are in memory at once, however many words there are."""


class VocabularyHead(Head):
    """Softmax over a large vocabulary of V words.

    The loss is the cross-entropy over all words, computed in chunks of a few hundred rows. With ``samples``, a step
    scores only the batch's targets and that many sampled words (sampled softmax, Bengio & Senécal 2008; Jean et al.
    2015). The log of its sampling probability is subtracted from each candidate's score, so that training still
    approximates the full softmax. Predictions are always over all words.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is V, at least 2. float64, for gradient checks,
            uses slow kernels and holds all scores in memory.
        tied: (V, F) C-contiguous, an embedding table that is also the weights (Press & Wolf 2017): read in place and
            trained by its owner. ``head.weight`` is then not a parameter; its gradient is ``d_weight``.
        samples: the number of words that a step samples; None uses all words.
        counts: (V,) word counts, each at least 1, which words are sampled in proportion to; needed with ``samples``.
        smoothing: label smoothing, the share of the target distribution in training that is uniform over all words.

    Raises:
        InputError: V is below 2, ``tied`` has another shape or dtype, ``samples`` is below 1 or lacks ``counts``,
            or both ``samples`` and ``smoothing`` are given.

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
        smoothing: float = 0.0,
        **options: Any,
    ) -> None:
        if outputs < 2:
            raise InputError(f"a vocabulary needs at least 2 words, got {outputs}")
        if smoothing and samples is not None:
            raise InputError("label smoothing needs all words; leave samples out, or set smoothing to 0")
        self.smoothing = smoothing
        self._tied = tied is not None
        super().__init__(outputs, width, **options)
        self.weight = self._weight() if tied is None else tied
        """(V, F)."""
        self.d_weight = self._d_weight() if tied is None else np.zeros_like(tied)
        """(V, F), its gradient; every backward pass adds to it."""
        table = self.weight
        if table.shape != (outputs, self.columns) or table.dtype != self.dtype or not table.flags.c_contiguous:
            expected = f"a contiguous array {(outputs, self.columns)} of {self.dtype}"
            raise InputError(f"tied weights must be {expected}, got {table.shape} of {table.dtype}")
        self.samples = samples
        if samples is not None:
            self._sampling = _sampling(samples, counts, outputs)
        self.candidates: np.ndarray | None = None
        """(U,) int32, ascending: the words that the last backward pass scored, the only rows of ``d_weight`` it added
        to; None means every word."""
        self._kept = threading.local()  # each thread's scores
        self._gradients = SoftmaxGradients()

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
        """Return the probabilities (R, V) from states (R, F)."""
        if self.dtype == np.float64:
            return self._plain_forward(states, self.weight, self._weight("bias"))
        probabilities = np.empty((len(states), self.outputs), np.float32)
        piece = _Piece(self, self.weight, self._weight("bias"))
        for first, last in piece.chunks(len(states)):
            piece.begin(states[first:last])
            piece.forward(workers)
            probabilities[first:last] = piece.by_row(last - first)
        return probabilities

    def log_probabilities(self, states: np.ndarray, targets: np.ndarray, workers: Workers | None = None) -> np.ndarray:
        """Return log p(target) of each row: (R,) float64. exp of their negative mean is the perplexity.

        Raises:
            InputError: the targets are not one word per row.
        """
        targets = check_classes(targets, len(states), self.outputs)
        if self.dtype == np.float64:
            return np.asarray(np.log(self.forward(states)[np.arange(len(states)), targets]))
        if not len(states):
            return np.zeros(0)
        states = np.ascontiguousarray(states, np.float32)
        return -self._gradients.losses(states, self.weight, self._weight("bias"), targets, workers)

    def best(self, states: np.ndarray, count: int, asked: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the ``count`` most probable words of each row (R, K) int32, the most probable first and of equal ones
        the lower, the logs of their probabilities (R, K) float32, and that of the word ``asked`` (R,) float32.

        Example:
            >>> head = VocabularyHead(3, 16, random=np.random.default_rng(1))
            >>> words, logs, asked = head.best(np.zeros((1, 16), np.float32), 2, asked=2)
            >>> words.tolist(), [f"{log:.4f}" for log in logs[0]], f"{asked[0]:.4f}"
            ([[0, 1]], ['-1.0986', '-1.0986'], '-1.0986')
        """
        count = min(count, self.outputs)
        words, logs = np.empty((len(states), count), np.int32), np.empty((len(states), count), np.float32)
        asked_logs = np.empty(len(states), np.float32)
        piece = _Piece(self, self.weight, self._weight("bias"))
        for first, last in piece.chunks(len(states)):
            piece.begin(states[first:last], multiple=GROUP)
            piece.best(words[first:last], logs[first:last], asked, asked_logs[first:last])
        return words, logs, asked_logs

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights and biases as ``kernels/output.py`` takes them."""
        piece = _Piece(self, self.weight, self._weight("bias"))
        return piece.weight, piece.lanes

    def predict(
        self, states: np.ndarray, batch: PackedBatch | None = None, workers: Workers | None = None
    ) -> np.ndarray:
        """Return the most probable word of each row: (R,) int32."""
        return np.asarray(self.forward(states, batch, workers).argmax(axis=1).astype(np.int32))

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
        live: LiveColumns | None = None,
    ) -> tuple[float, np.ndarray]:
        """Return the loss ``-sum_r weights[r] log p_r[targets[r]] / R``, and d_states (R, F).

        Args:
            states: (R, F). batch: ignored.
            targets: (R,) words. weights: (R,), 1 by default; a row of weight 0 has no effect.
            workers: threads that share rows, then words.
            random: draws the words of a sampled softmax.
            live: the columns that dropout has left; the others of ``states`` are zero, and those of d_states may be
                left zero. Products with them are skipped.

        Raises:
            InputError: the targets are not one word per row, or a sampled softmax lacks ``random``.
        """
        targets = check_classes(targets, len(states), self.outputs)
        if self.samples is None:
            return self._train(states, targets, weights, workers, self.weight, self._weight("bias"), None, live)
        if random is None:
            raise InputError("a sampled softmax needs random, got None; pass random=np.random.default_rng(seed)")
        cumulative, log_missed = self._sampling
        drawn = np.searchsorted(cumulative, random.random(self.samples), side="right").astype(np.int32)
        words = np.unique(np.concatenate([drawn, targets]))
        # The batch's targets count as samples: the text, too, draws words in proportion to the counts.
        included = -np.expm1((self.samples + len(targets)) * log_missed[words])
        corrections = np.log(included).astype(self.dtype)
        places = np.searchsorted(words, targets).astype(np.int32)
        bias = self._weight("bias")[words] - corrections
        return self._train(states, places, weights, workers, self.weight[words], bias, words, live)

    def _plain_train(
        self,
        states: np.ndarray,
        targets: np.ndarray,
        shares: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        gradients: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> float:
        from seqclf.kernels.linear import linear_backward

        p = self._plain_forward(states, weight, bias)
        wanted = np.full_like(p, self.smoothing / len(weight))
        wanted[np.arange(len(p)), targets] += 1 - self.smoothing
        shares = shares[:, None] / len(p)
        linear_backward(states, weight, shares * (p - wanted), *gradients)
        return -float((shares * wanted * np.log(np.maximum(p, 1.2e-38))).sum())

    def _train(
        self,
        states: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None,
        workers: Workers | None,
        weight: np.ndarray,
        bias: np.ndarray,
        words: np.ndarray | None,
        live: LiveColumns | None,
    ) -> tuple[float, np.ndarray]:
        """Compute loss and gradients over ``words`` (None: all), whose weights and biases are given."""
        d_weight, d_bias = self.d_weight, self._d_weight("bias")
        if words is not None:
            d_weight, d_bias = np.zeros_like(weight), np.zeros_like(bias)
        shares = self._row_weights(weights, len(states))
        d_states = np.empty((len(states), self.columns), self.dtype)
        loss = 0.0
        if self.dtype == np.float64 and len(states):
            loss = self._plain_train(states, targets, shares, weight, bias, (d_states, d_weight, d_bias))
        elif len(states):
            states = np.ascontiguousarray(states, np.float32)
            goal = Objective(targets, shares / np.float32(len(states)), np.float32(self.smoothing))
            slopes = Slopes(d_states, d_weight, d_bias)
            losses = self._gradients.run(states, weight, bias, goal, slopes, live, workers)
            loss = float((losses * goal.shares).sum())
        self.candidates = words
        if words is not None:
            self.d_weight[words] += d_weight
            self._d_weight("bias")[words] += d_bias
        return float(loss), d_states


def _sampling(samples: int, counts: np.ndarray | None, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative probabilities of one draw, and the log of each word's probability not to be drawn."""
    if samples < 1:
        raise InputError(f"samples must be at least 1, got {samples}; None uses all words")
    if counts is None or np.shape(counts) != (words,) or np.min(counts) < 1:
        raise InputError(f"a sampled softmax needs counts of at least 1 for each of {words} words")
    probabilities = np.asarray(counts, np.float64) / np.sum(counts, dtype=np.float64)
    cumulative = np.cumsum(probabilities)
    return cumulative / cumulative[-1], np.log1p(-probabilities)


class _Piece:
    """Scores of some rows for all words, float32, in the layout of ``kernels/output.py``."""

    def __init__(self, head: VocabularyHead, weight: np.ndarray, bias: np.ndarray) -> None:
        self._head = head
        self.words, self.width = weight.shape
        self.padded = -(-self.words // ROWS) * ROWS
        self.weight = weight.reshape(-1)
        lanes = aligned(4 * self.padded, np.float32).reshape(-1, 4)
        lanes[: self.words], lanes[self.words :] = bias[:, None], -np.inf
        self.lanes = lanes.reshape(-1)

    def chunks(self, rows: int) -> list[tuple[int, int]]:
        """Return the bounds of chunks of rows whose scores fit in memory, independent of the number of threads."""
        size = max(FEWEST_ROWS, NEAR_FLOATS // self.padded // ROWS * ROWS)
        return [(first, min(first + size, rows)) for first in range(0, rows, size)]

    def begin(self, states: np.ndarray, multiple: int = ROWS) -> None:
        """Copy in some rows, padded with zeros to a multiple of 16 or of 4."""
        rows = len(states)
        high = -(-rows // multiple) * multiple
        self.states = aligned(high * self.width, np.float32).reshape(high, self.width)
        self.states[:rows] = states
        kept = getattr(self._head._kept, "scores", None)
        if kept is None or kept.size < high * self.padded:
            kept = self._head._kept.scores = aligned(high * self.padded, np.float32)
        self.scores = kept[: high * self.padded]

    def forward(self, workers: Workers | None) -> None:
        """Compute the probabilities, in ``scores``."""
        from seqclf.kernels.output import output_scores, output_softmax

        states = self.states.reshape(-1)

        def run(first: int, last: int) -> None:
            scratch, groups = np.empty(16, np.float32), (first // GROUP, last // GROUP)
            output_scores(states, self.weight, self.lanes, self.scores, *groups, self.words, self.width)
            output_softmax(self.scores, *groups, self.padded, scratch)

        share_out(workers, run, len(self.states), ROWS)

    def best(self, words: np.ndarray, logs: np.ndarray, asked: int, asked_logs: np.ndarray) -> None:
        """Find the most probable words; see ``VocabularyHead.best``."""
        from seqclf.kernels.output import output_best, output_scores

        groups, scratch = (0, len(self.states) // GROUP), np.empty(16, np.float32)
        output_scores(
            self.states.reshape(-1), self.weight, self.lanes, self.scores, *groups, self.words, self.width
        )  # fmt: skip
        output_best(self.scores, *groups, self.words, self.padded, asked, words, logs, asked_logs, scratch)

    def by_row(self, rows: int) -> np.ndarray:
        """Return the probabilities (R, V)."""
        groups = self.scores.reshape(-1, self.padded, 4).transpose(0, 2, 1)
        return groups.reshape(-1, self.padded)[:rows, : self.words]
