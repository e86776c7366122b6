"""Packing of sequences step by step, and numbering of their distinct tokens; see ``PackedBatch``."""

import numpy as np

from wordvec.kernels.simd import kernel

TOKEN_BITS = 32
"""A key of a packed row is its token shifted by these bits, plus the row."""


@kernel(needed=True)
def pack_steps(
    begins: np.ndarray, lengths: np.ndarray, starts: np.ndarray, places: np.ndarray, mirror: np.ndarray
) -> None:
    """Lay out sequences step by step.

    Args:
        begins: (B,) int64, the place of each sequence's first token. lengths: (B,) int64, descending.
        starts: (T + 1,) int64, output: the first row of each step.
        places: (R,) int64, output: the place of each row's token.
        mirror: (R,) int32, output: the row at which the other direction reads the same token.
    """
    active = lengths.size
    starts[0] = 0
    for t in range(starts.size - 1):
        while lengths[active - 1] <= t:
            active -= 1
        starts[t + 1] = starts[t] + active
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            places[row] = begins[s] + t
            mirror[row] = starts[lengths[s] - 1 - t] + s


@kernel(needed=True)
def number_tokens(
    keys: np.ndarray, mirror: np.ndarray, token_ids: np.ndarray, forward: np.ndarray, reverse: np.ndarray
) -> int:
    """Number the distinct tokens of packed rows; return how many there are.

    Args:
        keys: (R,) int64, ascending. mirror: (R,) int32.
        token_ids: (R,) int32, output: first the distinct tokens, ascending.
        forward, reverse: (R,) int32, output: the number of the token that each row reads, and of the mirrored row's.
    """
    count = 0
    for i in range(keys.size):
        token = keys[i] >> TOKEN_BITS
        if i == 0 or token != keys[i - 1] >> TOKEN_BITS:
            token_ids[count] = token
            count += 1
        forward[keys[i] & 0xFFFFFFFF] = count - 1
    for row in range(keys.size):
        reverse[row] = forward[mirror[row]]
    return count
