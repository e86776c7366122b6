"""Dropout of words, of states between layers and of weights, and zoneout.

Every mask is a pure function of (seed, purpose, step), so that it depends on neither threads nor their order.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch, row_sequences
from seqclf.layers.encoder import Encoder
from seqclf.layers.tape import DropoutMasks
from seqclf.training.settings import NetworkSettings

WORDS, OUTPUT, BETWEEN, WEIGHTS, HOLD_H, HOLD_C, UNKNOWN = range(1, 8)
"""Purposes of masks, so that their random streams differ; a layer's direction adds a multiple of 8."""


@dataclass(frozen=True)
class DropoutRates:
    """Dropout rates, each at least 0 and below 1.

    Attributes:
        words: of each word's vector; all occurrences of a word in a batch share one mask.
        between: of the states between layers.
        locked: use one mask for all steps of a text (Gal & Ghahramani 2016) instead of one per step.
        weights: of the recurrent weights, one mask for all steps (Merity et al. 2017).

    Zoneout's rates belong to the encoder's shape, because prediction uses them too.
    """

    words: float = 0.0
    between: float = 0.0
    locked: bool = True
    weights: float = 0.0


def dropout_rates(settings: NetworkSettings) -> DropoutRates:
    """Return the dropout rates in some settings."""
    return DropoutRates(
        words=settings.dropout,
        between=settings.layer_dropout,
        locked=settings.locked_dropout,
        weights=settings.weight_drop,
    )


def dropout_key(seed: int, stream: int, step: int) -> np.uint64:
    """Return the key of a mask's random stream: three numbers mixed as in SplitMix64."""
    key = seed
    for number in (stream, step):
        key = (key * 0x9E3779B97F4A7C15 + number + 1) & (2**64 - 1)
        key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        key ^= key >> 31
    return np.uint64(key)


def draw_mask(
    rows: int, columns: int, rate: float, key: np.uint64, dtype: Any, kept: float | None = None
) -> np.ndarray:
    """Return (rows, columns) of 0 with probability ``rate``, else 1 / (1 - rate) or ``kept``; columns % 4 must be 0.

    The probability is rounded to a multiple of 2^-16.
    """
    from seqclf.kernels.dropout import dropout_mask

    mask = np.empty(rows * columns, dtype=dtype)
    threshold = round(rate * 65536)
    value = 65536 / (65536 - threshold) if kept is None else kept
    with np.errstate(over="ignore"):  # 64-bit arithmetic wraps on purpose
        dropout_mask(mask, key, np.uint64(threshold), mask.dtype.type(value))
    return mask.reshape(rows, columns)


def draw_output_mask(encoder: Encoder, rows: int, rate: float, seed: int, step: int) -> np.ndarray | None:
    """Return the mask (rows, F padded) of the states or features a head reads in one step; None if ``rate`` is 0."""
    if rate == 0:
        return None
    return draw_mask(rows, encoder.features, rate, dropout_key(seed, OUTPUT, step), encoder.dtype)


def draw_dropout_masks(encoder: Encoder, batch: PackedBatch, rates: DropoutRates, seed: int, step: int) -> DropoutMasks:
    """Return the encoder's masks of one training step.

    Args:
        encoder: provides the layers' shapes and zoneout's rates.
        batch: the batch the masks are for.
        rates: see ``DropoutRates``.
        seed, step: determine the masks.
    """
    shape, kind = encoder.shape, encoder.dtype
    directions = range(len(shape.directions))
    packed = int(batch.starts[-1])

    def mask(purpose: int, rows: int, columns: int, rate: float, layer: int = 0, direction: int = 0) -> np.ndarray:
        key = dropout_key(seed, purpose + 8 * (2 * layer + direction), step)
        return draw_mask(rows, columns, rate, key, kind)

    def holds(purpose: int, share: float) -> list[list[np.ndarray]]:
        if share == 0:
            return []
        return [
            [
                # 1 where the old value is kept, so the rate of zeros is 1 - share.
                draw_mask(
                    packed, encoder.hidden, 1 - share, dropout_key(seed, purpose + 8 * (2 * layer + d), step), kind, 1.0
                )
                for d in directions
            ]
            for layer in range(shape.layers)
        ]

    noise = DropoutMasks(hold_h=holds(HOLD_H, shape.zoneout))
    if encoder.cell.has_cell:
        noise.hold_c = holds(HOLD_C, shape.zoneout_cell)
    if rates.words > 0:
        noise.words = mask(WORDS, batch.token_ids.size, encoder.columns, rates.words)
    if rates.between > 0:
        rows = batch.lengths.size if rates.locked else packed
        drawn = [mask(BETWEEN, rows, encoder.features, rates.between, layer) for layer in range(shape.layers - 1)]
        noise.between = [each[row_sequences(batch)] for each in drawn] if rates.locked else drawn
    if rates.weights > 0:
        panels, depth, width = encoder.layout()["layers.0.forward.w_hidden"]
        noise.w_hidden = [
            [
                mask(WEIGHTS, panels * depth, width, rates.weights, layer, d).reshape(panels, depth, width)
                for d in directions
            ]
            for layer in range(shape.layers)
        ]
    return noise
