"""Training objectives: model and loss, selected at compile time."""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.fresh_negatives import Fresh, draw_fresh_negatives, train_cbow_fresh, train_skipgram_fresh
from wordvec.kernels.full_softmax import list_words, train_softmax_slice
from wordvec.kernels.hierarchical_softmax import Paths, list_nodes, train_cbow_paths, train_skipgram_paths
from wordvec.kernels.negative_sampling import train_cbow_slice, train_skipgram_slice
from wordvec.kernels.simd import kernel
from wordvec.kernels.slices import Lane, Step, Text
from wordvec.kernels.subwords import Subwords
from wordvec.kernels.tile import Tile


class Objective(NamedTuple):
    """One model and one loss; fields that are None are not compiled."""

    skipgram: bool | None  # True, or None for CBOW
    divide: bool | None  # CBOW: whether contexts share the gradient of their mean; None for skip-gram
    shared: bool | None  # True: centers share negatives
    fresh: Fresh | None  # separate negatives for every pair
    paths: Paths | None  # hierarchical softmax
    softmax: bool | None  # True: full softmax
    subwords: Subwords | None  # input vectors are composed of subwords
    row_rates: np.ndarray  # (all rows,) float32, factors of the learning rate; empty: none


@kernel(inline=True)
def list_rows(
    lane: Lane, text: Text, step: Step, skipgram: bool | None, fresh: Fresh | None, paths: Paths | None,
    softmax: bool | None,
) -> None:  # fmt: skip
    """Fill the slice's stream of output rows, which already holds shared negatives. See ``train_centers``."""
    if fresh is not None:
        draw_fresh_negatives(lane, text, step, skipgram is not None)
    if paths is not None:
        list_nodes(lane, paths)
    if softmax is not None:
        list_words(lane, step)


@kernel(inline=True)
def train_centers(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, step: Step, rate: float, skipgram: bool | None,
    divide: bool | None, shared: bool | None, fresh: Fresh | None, paths: Paths | None, softmax: bool | None,
) -> None:  # fmt: skip
    """Train the prepared centers of a slice; the last arguments are the parts of an ``Objective``.

    Only the body of ``if x is not None`` is pruned when x is None, so no branch may have an else.
    """
    if shared is not None:
        if skipgram is not None:
            train_skipgram_slice(memory, lane, tile, text, lane.loss, step, rate)
        if divide is not None:
            train_cbow_slice(memory, lane, tile, text, lane.loss, step, rate, divide)
    if fresh is not None:
        if skipgram is not None:
            train_skipgram_fresh(memory, lane, tile, text, lane.loss, step, rate, fresh)
        if divide is not None:
            train_cbow_fresh(memory, lane, tile, text, lane.loss, step, rate, divide, fresh)
    if paths is not None:
        if skipgram is not None:
            train_skipgram_paths(memory, lane, tile, text, lane.loss, step, rate, paths)
        if divide is not None:
            train_cbow_paths(memory, lane, tile, text, lane.loss, step, rate, divide, paths)
    if softmax is not None:
        train_softmax_slice(memory, lane, tile, text, lane.loss, step, rate, skipgram, divide)
