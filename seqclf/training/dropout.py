"""What training multiplies into an encoder: dropout of words, of states between layers and of weights, and zoneout.

Every mask is a pure function of (seed, purpose, step), so that neither threads nor order can change it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.encoder import Encoder
from seqclf.layers.tape import DropoutMasks
from seqclf.training.settings import NetworkSettings

WORDS, POOLED, BETWEEN, WEIGHTS, HOLD_H, HOLD_C = range(1, 7)
"""What a mask is for; a layer's direction adds a multiple of 8."""


@dataclass(frozen=True)
class DropoutRates:
    """Shares that are dropped or held in training, each at least 0 and below 1.

    Attributes:
        words: of the numbers of a word's vector, the same ones wherever the word stands in a batch.
        between: of the states that one layer hands to the next.
        locked: drop the same units of a text in all its steps (Gal & Ghahramani 2016), or others in each.
        weights: of the recurrent weights, the same ones in all steps (Merity et al. 2017).

    Zoneout's shares are the encoder's, because prediction needs them too.
    """

    words: float = 0.0
    between: float = 0.0
    locked: bool = True
    weights: float = 0.0


def dropout_rates(settings: NetworkSettings) -> DropoutRates:
    """The shares that the settings name."""
    return DropoutRates(
        words=settings.dropout,
        between=settings.layer_dropout,
        locked=settings.locked_dropout,
        weights=settings.weight_drop,
    )


def dropout_key(seed: int, stream: int, step: int) -> np.uint64:
    """Where a mask's random numbers begin: three numbers mixed as SplitMix64 does, so that no two masks are alike."""
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
    """(rows, columns) of 0 with probability ``rate``, else 1 / (1 - rate), or ``kept``; columns is a multiple of 4.

    The probability is rounded to a multiple of 2^-16.
    """
    from seqclf.kernels.dropout import dropout_mask

    mask = np.empty(rows * columns, dtype=dtype)
    threshold = round(rate * 65536)
    value = 65536 / (65536 - threshold) if kept is None else kept
    with np.errstate(over="ignore"):  # 64-bit arithmetic wraps on purpose
        dropout_mask(mask, key, np.uint64(threshold), mask.dtype.type(value))
    return mask.reshape(rows, columns)


def draw_dropout_masks(encoder: Encoder, batch: PackedBatch, rates: DropoutRates, seed: int, step: int) -> DropoutMasks:
    """The noise of one step of training.

    Args:
        encoder: whose layers it is for; its shape says the shares of zoneout.
        batch: what it will run.
        rates: see ``DropoutRates``.
        seed, step: the same ones draw the same.
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
                # Zeros where a new value is taken, so the chances are the other way round.
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
        if rates.locked:
            sequence = np.arange(packed) - np.repeat(batch.starts[:-1], np.diff(batch.starts))
            drawn = [each[sequence] for each in drawn]
        noise.between = drawn
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
