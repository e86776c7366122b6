"""Ragged batches: sequences sorted by length and packed step by step, without padding."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np


class PackedBatch(NamedTuple):
    """Some sequences in the order in which the kernels process them.

    Step t holds one row for each sequence longer than t, the longest sequence first; so steps shrink with t and both
    directions share ``starts``. Row ``starts[t] + s`` reads token t of sequence s from its front
    (``forward_rows``) or from its own end (``reverse_rows``).
    """

    order: np.ndarray
    """(B,) int64: sequence s of the batch is the caller's ``order[s]``; sorted by descending length, stable."""
    lengths: np.ndarray
    """(B,) int64, descending; empty sequences come last and have no rows."""
    starts: np.ndarray
    """(T + 1,) int64: the first row of each step; ``starts[T]`` is R."""
    token_ids: np.ndarray
    """(U,) int32: the distinct tokens, ascending."""
    forward_rows: np.ndarray
    """(R,) int32: the position in ``token_ids`` of each row's token, read forward."""
    reverse_rows: np.ndarray
    """(R,) int32: the same, read backward."""
    mirror: np.ndarray
    """(R,) int32: the row at which the other direction reads the same token."""


def pack(ids: np.ndarray, offsets: np.ndarray, members: np.ndarray) -> PackedBatch:
    """Pack the sequences ``members`` of an encoded corpus; sequence m is ``ids[offsets[m]:offsets[m + 1]]``.

    Args:
        ids: (N,) int32 tokens of all sequences.
        offsets: (S + 1,) int64.
        members: (B,) the sequences to pack.

    Example:
        >>> batch = pack(np.array([7, 8, 9, 5], np.int32), np.array([0, 1, 4]), np.array([0, 1]))
        >>> batch.order, batch.starts
        (array([1, 0]), array([0, 2, 3, 4]))
        >>> batch.token_ids[batch.forward_rows], batch.token_ids[batch.reverse_rows]
        (array([8, 7, 9, 5], dtype=int32), array([5, 7, 9, 8], dtype=int32))
    """
    from seqclf.kernels.packing import TOKEN_BITS, number_tokens, pack_steps

    begins = offsets[members]
    lengths = offsets[members + 1] - begins
    order = np.argsort(-lengths, kind="stable")
    lengths = lengths[order]
    packed = int(lengths.sum())
    starts, places = np.zeros((lengths[0] if lengths.size else 0) + 1, np.int64), np.empty(packed, np.int64)
    mirror, token_ids, forward, reverse = (np.empty(packed, np.int32) for _ in range(4))
    pack_steps(begins[order], lengths, starts, places, mirror)
    keys = np.sort(ids[places].astype(np.int64) << TOKEN_BITS | np.arange(packed))
    distinct = number_tokens(keys, mirror, token_ids, forward, reverse)
    return PackedBatch(order, lengths, starts, token_ids[:distinct], forward, reverse, mirror)


def pack_alone(ids: np.ndarray) -> PackedBatch:
    """Pack a single sequence for prediction, much faster than ``pack``.

    Repeated tokens are repeated in ``token_ids``: deduplicating them takes longer than computing them twice. Sequences
    of one length share their other arrays.
    """
    lengths, starts, rows, mirror = (_arrays_of_one if ids.size <= _SHORT else _arrays_of_one.__wrapped__)(ids.size)
    return PackedBatch(_FIRST, lengths, starts, ids, rows, mirror, mirror)


_FIRST = np.zeros(1, np.int64)
_SHORT = 256


@lru_cache(_SHORT)
def _arrays_of_one(length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a single sequence's lengths, starts, rows and mirror."""
    rows, mirror = np.arange(length, dtype=np.int32), np.arange(length - 1, -1, -1, dtype=np.int32)
    return np.array([length], np.int64), np.arange(length + 1), rows, mirror


def is_alone(batch: PackedBatch) -> bool:
    """Return whether ``pack_alone`` made the batch, so that it depends only on its tokens and their number."""
    return batch.reverse_rows is batch.mirror


def token_places(batch: PackedBatch, offsets: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the position of each packed row's token in the corpus that :func:`pack` read: (R,) int64.

    Example:
        >>> offsets, members = np.array([0, 1, 4]), np.array([0, 1])
        >>> token_places(pack(np.array([7, 8, 9, 5], np.int32), offsets, members), offsets, members)
        array([1, 0, 2, 3])
    """
    step = np.repeat(np.arange(batch.starts.size - 1), np.diff(batch.starts))
    return np.asarray(offsets[members[batch.order]][row_sequences(batch)] + step)


def row_sequences(batch: PackedBatch) -> np.ndarray:
    """Return the sequence of the batch each packed row belongs to: (R,) int64.

    Example:
        >>> row_sequences(pack(np.array([7, 8, 9, 5], np.int32), np.array([0, 1, 4]), np.array([0, 1])))
        array([0, 1, 0, 0])
    """
    return np.asarray(np.arange(batch.starts[-1]) - np.repeat(batch.starts[:-1], np.diff(batch.starts)))


def rows_of(ids: np.ndarray, table: np.ndarray, more: np.ndarray | None) -> np.ndarray:
    """Return the rows (U, E) of ``table`` (V, E or wider) or, from V on, of ``more`` (K, E).

    Example:
        >>> rows_of(np.array([1, 2, 0]), np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[7.0]])).ravel()
        array([2., 7., 1.])
    """
    if more is None:
        return np.asarray(table[ids])
    if not len(table):
        return np.asarray(more[ids])
    found: np.ndarray = table[np.minimum(ids, len(table) - 1), : more.shape[1]]
    beyond = ids >= len(table)
    found[beyond] = more[ids[beyond] - len(table)]
    return found


def summed_by_row(rows: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct ``rows`` (U,), ascending, and the sums (U, E) of ``gradient[i]`` over each one's occurrences.

    Args:
        rows: (T, K) int32. gradient: (T, E).

    Example:
        >>> summed_by_row(np.array([[7, 3], [3, 3]]), np.array([[1.0], [10.0]]))
        (array([3, 7]), array([[21.],
               [ 1.]]))
    """
    flat = rows.ravel()
    order = np.argsort(flat, kind="stable")
    distinct, begins = np.unique(flat[order], return_index=True)
    if not distinct.size:
        return distinct, np.zeros((0, gradient.shape[1]), gradient.dtype)
    return distinct, np.add.reduceat(gradient[order // rows.shape[1]], begins, axis=0)


class Spelling(NamedTuple):
    """The characters of words: word t's are ``ids[offsets[t]:offsets[t + 1]]``."""

    ids: np.ndarray
    """(M,) int32."""
    offsets: np.ndarray
    """(T + 1,) int64."""


class Sequences(NamedTuple):
    """Encoded texts, or concatenated numeric sequences."""

    ids: np.ndarray
    """(N,) int32 rows of the embedding table, and after its last one, rows of ``vectors``; or with ``rows``, words."""
    offsets: np.ndarray
    """(S + 1,) int64: sequence s is ``ids[offsets[s]:offsets[s + 1]]``."""
    vectors: np.ndarray | None = None
    """(K, E) float32: the values of each step, or vectors of words that the table lacks; None if it lacks none."""
    rows: np.ndarray | None = None
    """(T,) int32: the row of each distinct word, whose characters ``spelling`` has; None if ``ids`` are rows."""
    spelling: Spelling | None = None

    @property
    def lengths(self) -> np.ndarray:
        """(S,) int64."""
        return np.asarray(self.offsets[1:] - self.offsets[:-1])

    def inputs(self, batch: PackedBatch, table: np.ndarray) -> np.ndarray | None:
        """Return the vectors (U, E) of ``batch.token_ids``; None if all are rows of ``table`` (V, E padded)."""
        if self.rows is not None:
            return rows_of(self.rows[batch.token_ids], table, self.vectors)
        return None if self.vectors is None else rows_of(batch.token_ids, table, self.vectors)

    def table_rows(self) -> np.ndarray:
        """Return the row (N,) of each id."""
        return self.ids if self.rows is None else self.rows[self.ids]

    def arrays(self) -> list[np.ndarray | None]:
        """Return the arrays that determine them."""
        return [self.ids, self.offsets, self.vectors, self.rows, *(self.spelling or ())]


class Half(NamedTuple):
    """Every other sequence of a batch."""

    batch: PackedBatch
    """Its ``order`` selects sequences of the whole batch, its ``token_ids`` inputs of the whole batch."""
    rows: np.ndarray
    """(R of the half,): the position of its packed rows in the whole batch."""


def halves(batch: PackedBatch) -> list[Half]:
    """Split a batch into two of nearly equal work for two threads; one, if the second would be empty.

    Example:
        >>> whole = pack(np.array([7, 8, 9, 5], np.int32), np.array([0, 1, 4]), np.array([0, 1]))
        >>> [(half.rows.tolist(), half.batch.starts.tolist()) for half in halves(whole)]
        [([0, 2, 3], [0, 1, 2, 3]), ([1], [0, 1])]
    """
    counts, sequence = np.diff(batch.starts), row_sequences(batch)
    found = []
    for first in (0, 1):
        order = np.arange(first, batch.lengths.size, 2)
        lengths = batch.lengths[order]
        if lengths.size == 0 or lengths[0] == 0:
            continue
        rows = np.flatnonzero(sequence % 2 == first)
        starts = np.zeros(lengths[0] + 1, dtype=np.int64)
        np.cumsum((counts[: lengths[0]] + 1 - first) // 2, out=starts[1:])
        inputs, inverse = np.unique(batch.forward_rows[rows], return_inverse=True)
        nothing = np.empty(0, np.int32)  # no half is read backward
        half = PackedBatch(order, lengths, starts, inputs, inverse.astype(np.int32), nothing, nothing)
        found.append(Half(half, rows))
    return found


def prediction_batches(lengths: np.ndarray, *, texts: int = 128, tokens: int = 4096) -> Iterator[np.ndarray]:
    """Yield all sequences by descending length, at most ``texts`` and ``tokens`` per batch (or one longer sequence).

    Example:
        >>> [batch.tolist() for batch in prediction_batches(np.array([3, 9, 5, 0]), texts=2)]
        [[1, 2], [0, 3]]
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < order.size:
        longest = max(1, int(lengths[order[start]]))
        stop = start + max(1, min(texts, tokens // longest))
        yield order[start:stop]
        start = stop


def training_batches(
    lengths: np.ndarray, batch_size: int, random: np.random.Generator, *, window: int
) -> list[np.ndarray]:
    """Shuffle all sequences into batches of ``batch_size``, in random order.

    Sequences are sorted by length within groups of ``window`` batches, so that sequences of a batch have similar
    lengths and few steps are nearly empty; 1 keeps the shuffled order.
    """
    shuffled = random.permutation(lengths.size)
    stretch = batch_size * max(1, window)
    batches = []
    for start in range(0, shuffled.size, stretch):
        members = shuffled[start : start + stretch]
        members = members[np.argsort(-lengths[members], kind="stable")]
        batches += [members[at : at + batch_size] for at in range(0, members.size, batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]
