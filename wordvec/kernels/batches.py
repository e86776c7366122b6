"""Batches of tokens that are looked up together, so that their memory accesses overlap."""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import kernel, prefetch_to_read
from wordvec.kernels.tokenize import ONE, PADDING, SHIFT, WIDTH, Types, blanks, first_slot, key_of, trailing_zeros


class Batch(NamedTuple):
    """Tokens of one batch, and where the next one starts."""

    state: np.ndarray  # (3,) uint64: tokens in the batch; next 64-byte block; start of the current token
    firsts: np.ndarray  # (BATCH + 32,) uint64, start of each token in the text
    stops: np.ndarray  # (BATCH + 32,) uint64, one past its last byte
    lows: np.ndarray  # (BATCH + 32,) uint64, see ``key_of``
    highs: np.ndarray
    places: np.ndarray  # (BATCH + 32,) uint64, first slot to probe


BATCH = 128
"""Minimum number of tokens per batch except the last; a 64-byte block adds at most 32."""

SIZE, BASE, FIRST = range(3)
"""Indices in ``Batch.state``."""


@kernel(inline=True)
def start_batch(batch: Batch, start: int) -> None:
    batch.state[BASE] = batch.state[FIRST] = np.uint64(start)


@kernel(inline=True)
def read_batch(text: np.ndarray, batch: Batch, types: Types) -> None:
    """Read the next tokens of the text and prefetch their slots in ``types``."""
    end, shift = np.uint64(text.size - PADDING), np.uint64(types.used[SHIFT])
    base, first, size = batch.state[BASE], batch.state[FIRST], 0
    while base <= end and size < BATCH:
        marks = blanks(text, base)
        while marks:
            stop = base + trailing_zeros(marks)
            marks &= marks - ONE
            if stop > first:
                low, high = key_of(text, first, stop)
                place = first_slot(low, high, shift)
                prefetch_to_read(types.slots, place)
                batch.firsts[size], batch.stops[size] = first, stop
                batch.lows[size], batch.highs[size], batch.places[size] = low, high, place
                size += 1
            first = stop + ONE
        base += WIDTH
    batch.state[SIZE], batch.state[BASE], batch.state[FIRST] = np.uint64(size), base, first


@kernel(inline=True)
def ask_for_keys(batch: Batch, types: Types) -> None:
    """Prefetch the keys of the types in the slots found by ``read_batch``."""
    for k in range(np.int64(batch.state[SIZE])):
        prefetch_to_read(types.keys, 2 * max(np.int64(types.slots[batch.places[k]]), np.int64(0)))
