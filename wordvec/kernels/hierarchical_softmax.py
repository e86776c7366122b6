"""Skip-gram and CBOW with hierarchical softmax (Morin & Bengio 2005; Mikolov et al. 2013, arXiv 1310.4546, eq. 3).

A word is predicted by its path down a Huffman tree: at each inner node n, input h takes the word's code c with
probability sigmoid((1 - 2 c) n . h), and the loss of a pair is -log of the product of these. The probabilities of all
words sum to one at the cost of one path.

As in word2vec.c, each context's input vector predicts the center word (CBOW: the contexts' mean). So all contexts of a
center share the same nodes, and four of them form a tile.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.one_input import (
    average_window,
    count_contexts,
    count_loss,
    loss_of_pairs,
    run_rows,
    set_gradients,
    spread_move,
)
from wordvec.kernels.simd import Int, kernel, store
from wordvec.kernels.slices import CENTER, DRAWN, LAST_CENTER, PRIVATE, Lane, Step, Text, is_sampled_for_loss
from wordvec.kernels.tile import TILE, Tile, scores_4x4, update_tile


class Paths(NamedTuple):
    """The tree (see ``HuffmanTree``) and the training options."""

    nodes: np.ndarray  # (total,) int32
    codes: np.ndarray  # (total,) uint8
    offsets: np.ndarray  # (V + 1,) int64
    saturation: int


@kernel
def list_nodes(lane: Lane, paths: Paths) -> None:
    """List the output rows as the stream: the nodes on the path of every prepared center."""
    state = lane.state
    passed = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        token_id = lane.token_ids[b]
        for k in range(paths.offsets[token_id], paths.offsets[token_id + 1]):
            lane.negative_ids[passed] = paths.nodes[k]
            passed += 1
    state[DRAWN] = passed


@kernel(inline=True)
def look_ahead(lane: Lane, tile: Tile, step: Step, paths: Paths, passed: Int, b: int) -> None:
    """Set ``tile.ahead`` to the lowest nodes on the path of the center after ``b``, which starts at ``passed``, and to
    the token that enters the window next; the upper nodes are always in cache."""
    ahead = tile.ahead
    token_id = lane.token_ids[b + 1]
    end = passed + paths.offsets[token_id + 1] - paths.offsets[token_id]
    # Beyond the end the buffers hold stale places, which are still valid rows.
    for k in range(1, ahead.size):
        ahead[k] = lane.negative_places[max(end - k, 0)]
    ahead[0] = lane.input_places[b + step.window + 1]


@kernel(inline=True)
def set_path(lane: Lane, tile: Tile, passed: Int, length: int) -> None:
    """Set the rows of a path, followed by eight padding rows."""
    for j in range(length):
        tile.rows[j] = lane.negative_places[passed + j]
    for j in range(length, length + 8):
        tile.rows[j] = lane.state[PRIVATE]


@kernel(inline=True)
def set_turns(tile: Tile, codes: np.ndarray, first: int, length: int, inputs: int) -> None:
    """Set weights and targets of a path for each of ``inputs`` (1 or 4), weighted by ``tile.pair_weights``; a node with
    code 0 is a positive."""
    for j in range(length):
        turn = np.float32(codes[first + j] == 0)
        for t in range(inputs):
            tile.weights[inputs * j + t] = tile.pair_weights[t]
            tile.targets[inputs * j + t] = tile.pair_weights[t] * turn
    for k in range(inputs * length, inputs * length + 16):
        tile.weights[k] = tile.targets[k] = np.float32(0)


@kernel
def train_skipgram_paths(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step,
    rate: float | np.float32, paths: Paths,
) -> None:  # fmt: skip
    """Train on the prepared centers: the input vectors of a center's contexts, four at a time, predict its word."""
    state, stride = lane.state, step.stride
    rate, padding = np.float32(rate), state[PRIVATE]
    passed = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        first = paths.offsets[lane.token_ids[b]]
        length = paths.offsets[lane.token_ids[b] + 1] - first
        look_ahead(lane, tile, step, paths, passed + length, b)
        set_path(lane, tile, passed, length)
        sampled = is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample)
        center_loss, left = 0.0, lane.left[b]
        contexts = lane.right[b] - left - 1
        for c in range(0, contexts, TILE):
            size = min(TILE, contexts - c)
            if c == 0 or size < TILE or step.radii == 0:
                for t in range(TILE):
                    place = left + c + t + (left + c + t >= b) - b + step.window
                    tile.pair_weights[t] = rate * text.distance_weights[place] if t < size else np.float32(0)
                set_turns(tile, paths.codes, first, length, TILE)
            # Context k is at left + k, or one place later after the center.
            h0 = lane.input_places[left + c + (left + c >= b)]
            h1 = lane.input_places[left + c + 1 + (left + c + 1 >= b)] if size > 1 else padding
            h2 = lane.input_places[left + c + 2 + (left + c + 2 >= b)] if size > 2 else padding
            h3 = lane.input_places[left + c + 3 + (left + c + 3 >= b)] if size > 3 else padding
            for j in range(0, length, TILE):
                store(tile.scores, 4 * j, scores_4x4(memory, tile.rows, j, memory, h0, h1, h2, h3, stride))
            set_gradients(tile, 4 * length, paths.saturation)
            update_tile(memory, tile.rows, length, tile.gradients, tile.ahead, memory, h0, h1, h2, h3, stride)
            if sampled:
                center_loss += loss_of_pairs(tile, 4 * length) / rate
        if sampled:
            count_loss(loss, center_loss, np.float64(count_contexts(lane, text, step, b)))
        passed += length


@kernel
def train_cbow_paths(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step,
    rate: float | np.float32, divide: bool, paths: Paths,
) -> None:  # fmt: skip
    """Train on the prepared centers: the mean of each center's contexts predicts its word."""
    state = lane.state
    rate = np.float32(rate)
    passed = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        first = paths.offsets[lane.token_ids[b]]
        length = paths.offsets[lane.token_ids[b] + 1] - first
        look_ahead(lane, tile, step, paths, passed + length, b)
        contexts = count_contexts(lane, text, step, b)
        if contexts > 0:
            average_window(memory, lane, text, step, tile.hidden, b, contexts)
            set_path(lane, tile, passed, length)
            tile.pair_weights[0] = rate
            set_turns(tile, paths.codes, first, length, 1)
            run_rows(memory, tile, length, tile.hidden, 0, paths.saturation, step.stride)
            spread_move(memory, lane, text, step, tile.hidden, b, contexts, divide)
            if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
                count_loss(loss, loss_of_pairs(tile, length) / rate, 1.0)
        passed += length
