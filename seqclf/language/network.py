"""The language model's network: encoder ▶ vocabulary head, over windows of a text with the state carried over."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from seqclf.layers.adaptive_head import AdaptiveHead, adaptive_shapes
from seqclf.layers.batches import PackedBatch, pack, row_sequences
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, check_memory, encoder_shapes, initial_encoder
from seqclf.layers.tape import DropoutMasks, States
from seqclf.layers.vocabulary_gradients import LANES, LiveColumns
from seqclf.layers.vocabulary_head import VocabularyHead
from seqclf.layers.workers import Workers

SPREAD = 0.1
"""Initial embeddings and softmax weights are uniform in -0.1 .. 0.1."""
WINDOW = 512
"""Steps per window in prediction; the result does not depend on it."""


@dataclass(frozen=True)
class LanguageShape:
    """Sizes and options that determine every parameter's shape.

    Attributes:
        vocabulary: V.
        vector_size: E; equals H if tied.
        hidden_size: H.
        cell, reset, layers: see ``EncoderShape``.
        tied: the embedding table is also the head's weight.
        cutoffs: of an adaptive softmax, which is not tied; none for a softmax over all words at once.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    cell: str = "lstm"
    reset: str = "after"
    layers: int = 1
    tied: bool = True
    cutoffs: tuple[int, ...] = ()

    @property
    def encoder(self) -> EncoderShape:
        return EncoderShape(
            self.vocabulary, self.vector_size, self.hidden_size, self.cell, self.reset, False, layers=self.layers
        )


def parameter_shapes(shape: LanguageShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them.

    Example:
        >>> list(parameter_shapes(LanguageShape(9, 4, 4)).items())[-1]
        ('head.bias', (9,))
    """
    if shape.cutoffs:
        return encoder_shapes(shape.encoder) | adaptive_shapes(shape.vocabulary, shape.hidden_size, shape.cutoffs)
    head: dict[str, tuple[int, ...]] = {"head.bias": (shape.vocabulary,)}
    if not shape.tied:
        head["head.weight"] = (shape.vocabulary, shape.hidden_size)
    return encoder_shapes(shape.encoder) | head


def initial_parameters(shape: LanguageShape, counts: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return initial parameters; the head's biases are log frequencies, so that training starts from the unigram model.

    Args:
        shape: see ``LanguageShape``.
        counts: (V,) of the words.
        random: draws all other parameters.
    """

    def uniform(*size: int) -> np.ndarray:
        return random.uniform(-SPREAD, SPREAD, size).astype(np.float32)

    check_memory(parameter_shapes(shape))
    parameters = initial_encoder(shape.encoder, uniform(shape.vocabulary, shape.vector_size), random)
    if shape.cutoffs:
        shapes = adaptive_shapes(shape.vocabulary, shape.hidden_size, shape.cutoffs)
        return parameters | {name: uniform(*size) for name, size in shapes.items()} | _adaptive_biases(shape, counts)
    parameters["head.bias"] = np.log((counts + 1) / (counts.sum() + counts.size)).astype(np.float32)
    if not shape.tied:
        parameters["head.weight"] = uniform(shape.vocabulary, shape.hidden_size)
    return parameters


def _adaptive_biases(shape: LanguageShape, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the logs of the words' and the clusters' frequencies, and of the words' within each cluster."""
    parts = np.split(counts + 1.0, shape.cutoffs)
    short = np.concatenate([parts[0], [part.sum() for part in parts[1:]]])
    found = {"head": short} | {f"head.cluster.{place}": part for place, part in enumerate(parts[1:])}
    return {f"{name}.bias": np.log(part / part.sum()).astype(np.float32) for name, part in found.items()}


class Window(NamedTuple):
    """Some steps of several parallel streams."""

    batch: PackedBatch
    targets: np.ndarray
    """(R,) int32, the token after each packed row's token."""


def windows(ids: np.ndarray, bounds: np.ndarray, steps: int) -> Iterator[Window]:
    """Yield windows of at most ``steps`` steps over parallel streams of a text.

    Args:
        ids: (N + 1,) int32; token k + 1 is predicted from the tokens up to k.
        bounds: (B + 1,) ascending from 0 to at most N: stream s predicts the tokens ``bounds[s] + 1 .. bounds[s + 1]``.
        steps: the largest number of steps per stream and window; a stream that has ended has none.

    Example:
        >>> text = np.array([9, 1, 2, 3, 4, 5], np.int32)
        >>> [(w.batch.token_ids.tolist(), w.targets.tolist()) for w in windows(text, np.array([0, 3, 5]), 2)]
        [([1, 3, 4, 9], [1, 4, 2, 5]), ([2], [3])]
    """
    sequences = np.arange(bounds.size - 1)
    for start in range(0, int(np.diff(bounds).max(initial=0)), steps):
        begins = np.minimum(bounds[:-1] + start, bounds[1:])
        lengths = np.minimum(begins + steps, bounds[1:]) - begins
        offsets = np.zeros(bounds.size, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        place = np.repeat(begins - offsets[:-1], lengths) + np.arange(offsets[-1])
        following = pack(ids[place + 1], offsets, sequences)
        yield Window(pack(ids[place], offsets, sequences), following.token_ids[following.forward_rows])


@dataclass
class Gradients:
    """Result of a backward pass; the dense gradients are in ``LanguageNetwork.d_dense``.

    Attributes:
        loss: mean over the window's tokens, in nats.
        rows: (U,) the embedding rows that have a gradient, ascending; None means all.
        d_table: their gradients (U, E padded).
        last: the state after the window.
    """

    loss: float
    rows: np.ndarray | None
    d_table: np.ndarray
    last: States


class LanguageNetwork:
    """A language model's parameters, forward and backward pass.

    Args:
        shape: see ``LanguageShape``.
        parameters: all of ``parameter_shapes(shape)``.
        dtype: float32; float64 is for gradient checks.
        samples, counts: of a sampled softmax in training, see ``VocabularyHead``.
    """

    def __init__(
        self,
        shape: LanguageShape,
        parameters: Mapping[str, np.ndarray],
        dtype: Any = np.float32,
        *,
        samples: int | None = None,
        counts: np.ndarray | None = None,
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._sampling = {"samples": samples, "counts": counts}
        self.encoder = Encoder(shape.encoder, dtype)
        tied = self.encoder.embedding if shape.tied else None
        self.head: VocabularyHead | AdaptiveHead
        if shape.cutoffs:
            self.head = AdaptiveHead(shape.vocabulary, shape.hidden_size, cutoffs=shape.cutoffs, dtype=dtype)
        else:
            self.head = VocabularyHead(
                shape.vocabulary, shape.hidden_size, tied=tied, samples=samples, counts=counts, dtype=dtype
            )
        flat = FlatParameters(self.encoder.layout() | self.head.layout(), dtype)
        self.encoder.attach(flat)
        self.head.attach(flat)
        self.dense, self.d_dense = flat.values, flat.gradient
        self._touched: Any = slice(None)  # rows of the tied table with a nonzero gradient
        self.encoder.load(parameters)
        self.head.load(parameters)

    def __getstate__(self) -> dict[str, Any]:
        return {"shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype, **self._sampling}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Rebuilt: a copy's arrays would no longer be aligned, as the kernels require, nor views of one array.
        type(self).__init__(self, **state)

    @property
    def embedding(self) -> np.ndarray:
        """(V, E padded to 16)."""
        return self.encoder.embedding

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        return self.encoder.parameters() | self.head.parameters()

    def read(
        self, batch: PackedBatch, first: States | None, workers: Workers | None = None
    ) -> tuple[np.ndarray, States]:
        """Return a batch's states (R, F padded), valid until the next call, and the state after it."""
        tape = self.encoder.forward(batch, workers, first=first)
        assert tape.last is not None
        return tape.states, tape.last

    def log_probabilities(
        self, ids: np.ndarray, workers: Workers | None = None, *, steps: int = 2 * WINDOW
    ) -> np.ndarray:
        """Return log p of each token but the first, (N,) float64, read as one stream from a state of zeros.

        Args:
            ids: (N + 1,) int32; the first token is given, not predicted.
            workers: threads.
            steps: per window.
        """
        workers = workers or Workers(1)
        found, states, waiting = [np.empty(0)], None, None
        for window in windows(ids, np.array([0, ids.size - 1]), steps):
            # A single stream keeps one thread busy. The others score the rows of the previous window meanwhile.
            jobs: list[Callable[[], Any]] = [partial(self.read, window.batch, states)]
            if waiting is not None:
                jobs += self._scoring(*waiting, workers.threads)
            (rows, states), *scores = workers.map(operator.call, jobs)
            found += scores
            waiting = rows.copy(), window.targets
        if waiting is not None:
            found.append(self.head.log_probabilities(*waiting, workers))
        return np.concatenate(found)

    def _scoring(self, rows: np.ndarray, targets: np.ndarray, threads: int) -> list[Callable[[], np.ndarray]]:
        """Return jobs that return log p of the targets (R,), part by part: two per thread, of whole groups."""
        step = max(len(rows) // (2 * threads) // LANES * LANES, LANES) if threads > 1 else len(rows)
        parts = [slice(start, start + step) for start in range(0, len(rows), step)]
        return [partial(self.head.log_probabilities, rows[part], targets[part]) for part in parts]

    def backward(
        self,
        window: Window,
        first: States | None,
        workers: Workers | None = None,
        *,
        noise: DropoutMasks | None = None,
        output_mask: np.ndarray | None = None,
        random: np.random.Generator | None = None,
    ) -> Gradients:
        """Compute the gradients of a window's mean loss, truncated at its start.

        Args:
            window: R tokens and their targets.
            first: the initial state; None is zeros.
            workers: threads.
            noise: the encoder's dropout masks.
            output_mask: (B, F padded) factors of the states before the softmax, by sequence: locked dropout.
            random: draws the words of a sampled softmax.
        """
        self.d_dense[self.encoder.size :] = 0  # the encoder sets its own
        head, batch = self.head, window.batch
        if self.shape.tied and isinstance(head, VocabularyHead):
            head.d_weight[self._touched] = 0
        tape = self.encoder.forward(batch, workers, noise=noise, first=first)
        assert tape.last is not None
        states, live, factors = tape.states, None, None
        if output_mask is not None:
            live = LiveColumns(row_sequences(batch), output_mask != 0)
            factors = output_mask[live.sequences]
            states = states * factors
        loss, d_states = head.loss_and_backward(states, batch, window.targets, None, workers, random, live)
        if factors is not None:
            d_states *= factors
        d_rows = self.encoder.backward(tape, d_states, workers)
        if not (self.shape.tied and isinstance(head, VocabularyHead)):
            return Gradients(loss, batch.token_ids, d_rows, tape.last)
        head.d_weight[batch.token_ids] += d_rows
        if head.candidates is None:
            return Gradients(loss, None, head.d_weight, tape.last)
        rows = self._touched = np.union1d(head.candidates, batch.token_ids)
        return Gradients(loss, rows, head.d_weight[rows], tape.last)
