"""Preparation of a slice, the next few hundred tokens of one lane: subsampling, windows and negatives.

A lane is a contiguous part of the corpus, read from start to end. Its tokens pass through a small window buffer: tokens
kept by subsampling are appended, and a token becomes a center as soon as all tokens its window could cover are in the
buffer. So windows end only at sentence boundaries, never at the end of a slice.

Every random number is a hash of (key of its purpose, corpus position), independent of which thread trains a slice and
when. Purposes never share a key, and a key depends on seed and epoch.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import kernel
from wordvec.kernels.tile import TILE

POSITION, SENTENCE, FILLED, CENTER, LAST_CENTER, DRAWN, KEPT = range(7)
COPIED, PRIVATE, STATE = range(8, 11)  # 7 had a meaning up to 0.2, whose checkpoints are resumed
"""Indices in ``Lane.state``: next raw position and its sentence; tokens in the buffer; first and end of the prepared
centers; negatives in the stream; tokens kept by subsampling so far; private rows in use; start of the lane's private
rows in the memory, the padding row first. STATE is the number of indices."""

KEEP, RADIUS, NOISE, LOSS = range(1, 5)
"""Purposes of random numbers."""


class Text(NamedTuple):
    """The encoded corpus and its sampling tables; read-only."""

    ids: np.ndarray  # (N,) int32
    offsets: np.ndarray  # (S + 1,) int64
    keep_thresholds: np.ndarray  # (V,) uint64, keep if 32 random bits are below
    noise_table: np.ndarray  # (V,) uint64, alias table: threshold in the upper half, alias in the lower
    distance_weights: np.ndarray  # (2 window + 1,) float32, context weight by place in the window
    tile_weights: np.ndarray  # (4 (2 window + 8),) float32 or more, the same for a tile with complete windows
    split_weights: np.ndarray  # (4 (2 window + 5),) float32 or more, the same with split rows


class Step(NamedTuple):
    """Scalar settings of one epoch."""

    window: int  # maximum distance of a context, at most the length of the longest line
    radii: int  # each window's radius is drawn from 1 .. radii, then capped at ``window``; 0: it is ``window``
    contexts: float  # total weight of the contexts of a complete window
    negatives: int  # K of the objective
    shared: int  # negatives per tile
    fresh: int  # of which newly drawn
    parts: int  # in which a tile with shared negatives takes its step
    stride: int  # floats per row
    vocabulary: int
    composed: int  # types whose input row is composed of subwords: none, or all
    loss_sample: int  # the loss is computed for one tile in this many
    key: np.uint64  # derived from seed and epoch
    first_rate: float
    last_rate: float


class Lane(NamedTuple):
    """State of one lane between slices. Buffers hold one slice and the rest of the previous one.

    As argument of ``train_rounds`` every array has a leading axis, the lane.
    """

    state: np.ndarray  # (STATE,) int64
    loss: np.ndarray  # (6,) float64
    token_ids: np.ndarray  # (buffer,) int32
    positions: np.ndarray  # (buffer,) int64, in the corpus
    sentences: np.ndarray  # (buffer,) int64
    left: np.ndarray  # (buffer,) int64, first buffer place of the window
    right: np.ndarray  # (buffer,) int64, one past its last
    input_places: np.ndarray  # (buffer,) int64, start of the token's input row in the memory
    output_places: np.ndarray  # (buffer,) int64
    negative_ids: np.ndarray  # (draws,) int32, a stream: tile i uses indices i * fresh .. i * fresh + shared
    negative_places: np.ndarray  # (draws,) int64
    uses: np.ndarray  # (uses,) int32, scratch for ``settle_uses``
    copied: np.ndarray  # (rows,) int64, the table rows of the lane's private rows
    words: np.ndarray  # (2, 1 + words) int64, how many words of the slice are composed of subwords, and which, by round


@kernel(inline=True)
def draw(key: np.uint64, counter: int) -> np.uint64:
    """Return 64 random bits: the splitmix64 finalizer (Steele et al. 2014) of key + counter * golden ratio."""
    z = key + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel(inline=True)
def below(bits: np.uint64, limit: int) -> np.int64:
    """Map the upper 32 of 64 random bits to an integer in 0 .. limit-1 (multiply and shift)."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32))


@kernel(inline=True)
def draw_noise(bits: np.uint64, noise_table: np.ndarray) -> np.int64:
    """Draw a token id from the alias table (Walker 1977): the upper 32 bits pick a column, the lower 32 a side."""
    column = below(bits, noise_table.size)
    entry = noise_table[column]
    keep = (bits & np.uint64(0xFFFFFFFF)) < (entry >> np.uint64(32))
    return column if keep else np.int64(entry & np.uint64(0xFFFFFFFF))


@kernel(inline=True)
def is_sampled_for_loss(key: np.uint64, position: int, loss_sample: int) -> np.bool_:
    return (draw(draw(key, LOSS), position) >> np.uint64(32)) < np.uint64(0x100000000 // loss_sample)


@kernel(internal=True)
def prepare_slice(lane: Lane, text: Text, step: Step, lane_end: int, slice_size: int) -> None:
    """Read the next ``slice_size`` raw tokens of a lane, subsample them, and draw windows and negatives."""
    state = lane.state
    start = state[POSITION]
    keep_rest(lane, step)
    read_tokens(lane, text, draw(step.key, KEEP), lane_end, slice_size)
    end = state[FILLED]
    if state[POSITION] < lane_end:  # defer centers whose window may cover unread tokens; keep tiles complete
        end = max(end - step.window, state[CENTER])
        end -= (end - state[CENTER]) % TILE
    state[LAST_CENTER] = end
    draw_windows(lane, draw(step.key, RADIUS), step.window, step.radii)
    draw_negatives(lane, text.noise_table, draw(step.key, NOISE), step, start)


@kernel(inline=True)
def keep_rest(lane: Lane, step: Step) -> None:
    """Move the tokens after the last center, a window of tokens before them and the last negatives to the front."""
    state = lane.state
    first = max(state[LAST_CENTER] - step.window, 0)
    for b in range(state[FILLED] - first):
        lane.token_ids[b] = lane.token_ids[first + b]
        lane.positions[b] = lane.positions[first + b]
        lane.sentences[b] = lane.sentences[first + b]
    state[FILLED] -= first
    state[CENTER] = state[LAST_CENTER] - first
    carried = step.shared - step.fresh
    for k in range(min(carried, state[DRAWN])):
        lane.negative_ids[k] = lane.negative_ids[state[DRAWN] - carried + k]


@kernel(inline=True)
def read_tokens(lane: Lane, text: Text, key: np.uint64, lane_end: int, slice_size: int) -> None:
    """Append the next raw tokens kept by subsampling."""
    state = lane.state
    position, sentence, filled = state[POSITION], state[SENTENCE], state[FILLED]
    stop = min(position + slice_size, lane_end)
    while position < stop:
        while text.offsets[sentence + 1] <= position:
            sentence += 1
        for p in range(position, min(stop, text.offsets[sentence + 1])):
            # Branch-free (always write, advance if kept): a branch would be mispredicted one time in four.
            token_id = text.ids[p]
            lane.token_ids[filled] = token_id
            lane.positions[filled] = p
            lane.sentences[filled] = sentence
            filled += np.int64((draw(key, p) >> np.uint64(32)) < text.keep_thresholds[token_id])
        position = min(stop, text.offsets[sentence + 1])
    state[KEPT] += filled - state[FILLED]
    state[POSITION], state[SENTENCE], state[FILLED] = position, sentence, filled


@kernel(inline=True)
def draw_windows(lane: Lane, key: np.uint64, window: int, radii: int) -> None:
    """Set the start and end of each center's window. If ``radii`` > 0, its radius is uniform in 1 .. radii, as in
    word2vec.c, but at most ``window``."""
    state, sentences = lane.state, lane.sentences
    for b in range(state[CENTER], state[LAST_CENTER]):
        radius: int = min(int(1 + below(draw(key, lane.positions[b]), radii)), window) if radii > 0 else window
        low, high = max(b - radius, 0), min(b + radius, state[FILLED] - 1)
        while sentences[low] != sentences[b]:
            low += 1
        while sentences[high] != sentences[b]:
            high -= 1
        lane.left[b] = low
        lane.right[b] = high + 1


@kernel(inline=True)
def draw_negatives(lane: Lane, noise_table: np.ndarray, key: np.uint64, step: Step, start: int) -> None:
    """Draw the stream of negatives: each tile uses the last ones of the previous tile and ``fresh`` new ones.

    For the lane's first tile, the carried-over negatives are drawn with the key of ``start``, the lane's start, so they
    do not depend on the slice size.
    """
    state = lane.state
    carried = step.shared - step.fresh
    if state[DRAWN] == 0:  # the lane's first slice
        first_key = draw(key, start)
        for k in range(carried):
            lane.negative_ids[k] = draw_noise(draw(first_key, k), noise_table)
    drawn = carried
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        tile_key = draw(key, ~lane.positions[b])
        for k in range(step.fresh):
            lane.negative_ids[drawn + k] = draw_noise(draw(tile_key, k), noise_table)
        drawn += step.fresh
    state[DRAWN] = drawn
