"""Dropout masks as a pure function of a key, independent of threads and order."""

import numpy as np

from wordvec.kernels.simd import kernel

_ADD = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S16 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(16)
_LOW = np.uint64(0xFFFF)


@kernel
def dropout_mask(mask: np.ndarray, key: np.uint64, threshold: np.uint64, kept: np.floating) -> None:
    """Fill ``mask`` (flat, size a multiple of 4) with 0, with probability ``threshold`` / 65536, else with ``kept``.

    Element i uses 16 of the 64 bits of SplitMix64 (Steele et al. 2014) for block ``i // 4``; key is a uint64.
    """
    nothing = mask.dtype.type(0)
    for block in range(mask.size // 4):
        x = key + np.uint64(block) * _ADD
        x = (x ^ (x >> _S30)) * _MIX1
        x = (x ^ (x >> _S27)) * _MIX2
        x = x ^ (x >> _S31)
        for i in range(4):
            mask[4 * block + i] = nothing if (x & _LOW) < threshold else kept
            x = x >> _S16
